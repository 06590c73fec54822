//! Looks at remotes that do not answer: for whom there is room beside them.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use towpath::server::Limits;

use super::place::{CONFIG, Place, Server};

/// A server of git that takes connections and says nothing.
pub struct Deaf(TcpListener);

impl Deaf {
    /// In `place`, the flow `deaf` is there.
    pub fn new(place: &Place) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let flow = format!(
            "\n[[flow]]\nrepository = \"http://{}/x.git\"\nname = \"deaf\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"staging\"\n",
            listener.local_addr().unwrap()
        );
        std::fs::write(place.path().join("towpath.toml"), format!("{CONFIG}{flow}")).unwrap();
        Self(listener)
    }

    /// Asks for a plan of it, and waits until it is being looked at.
    pub fn look(&self, server: &Server, token: Option<&str>) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(server.at).unwrap();
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        let asked = format!("GET /api/v1/plan?flow=deaf HTTP/1.1\r\nHost: localhost\r\n{token}\r\n");
        client.write_all(asked.as_bytes()).unwrap();
        (client, self.0.accept().unwrap().0)
    }
}

#[test]
fn whoever_has_a_token_is_not_kept_waiting_by_those_who_have_none() {
    let place = Place::new();
    let (token, _) = place.token(&["reader", "--scope", "read"]);
    let deaf = Deaf::new(&place);
    let server = place.serve_within(Limits { turn: Duration::from_millis(300), ..Limits::default() });
    let _unnamed: Vec<_> = (0..4).map(|_| deaf.look(&server, None)).collect();
    let plan = |token: Option<&str>| server.call("GET", "/plan?flow=basket", token, None);
    assert_eq!(plan(None).code(), "busy");
    assert_eq!(plan(Some(&token)).status, 200);
    let _named: Vec<_> = (0..4).map(|_| deaf.look(&server, Some(&token))).collect();
    assert_eq!(plan(Some(&token)).code(), "busy");
    // What asks no remote needs no turn.
    assert_eq!(server.get("/flows").status, 200);
}
