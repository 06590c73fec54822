//! Whose certificates the forges' HTTP layer trusts, against a real TLS server.

use std::path::PathBuf;

use towpath::clock::Clock;
use towpath::forge::client::{Auth, Call, Client, Fault, Options};

use crate::support::https::{Https, Rule, authority};

async fn asked(server: &Https, ca: Option<PathBuf>) -> Result<(), Fault> {
    let options = Options { ca, tries: 1, ..Options::default() };
    let client = Client::new(options, Clock::System)?;
    let url = format!("{}/api/v1/version", server.url()).parse().expect("a URL");
    match client.send(&Call::get("version", url), &Auth::none()).await {
        // It asks for a credential: somebody answered, and whose certificate it has was settled before.
        Err(Fault::Said { status: 401, .. }) => Ok(()),
        Ok(_) => panic!("nobody is let in"),
        Err(fault) => Err(fault),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_the_users_own_is_trusted_instead_of_the_systems() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Https::start(root.path(), Rule::Asks("nobody".to_owned()));
    asked(&server, Some(authority("ca.pem"))).await.expect("trusted");
    for (whose, ca) in [("the system's", None), ("a stranger's", Some(authority("stranger.pem")))] {
        let fault = asked(&server, ca).await.expect_err(whose);
        let words = fault.to_string();
        assert!(matches!(fault, Fault::NotSent { .. }) && words.contains("certificate"), "{whose}: {words}");
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_said_with_their_file() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("authority.pem");
    let said = |file: &PathBuf| {
        let options = Options { ca: Some(file.clone()), ..Options::default() };
        Client::new(options, Clock::System).expect_err("refused").to_string()
    };
    assert!(said(&file).contains("authority.pem") && said(&file).contains("No such file"), "{}", said(&file));
    std::fs::write(&file, "no certificate").expect("written");
    assert!(said(&file).contains("authority.pem") && said(&file).contains("none in PEM"), "{}", said(&file));
}
