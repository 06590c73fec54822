//! A server for `scripts/campaign schemathesis`: does nothing unless that asks for it.

use super::place::Place;

/// Serves for as many seconds as `TOWPATH_SERVE_FOR` says, and writes URL and token into the file
/// that `TOWPATH_SERVE_NOTE` names.
#[test]
fn serve() {
    let Some(seconds) = std::env::var("TOWPATH_SERVE_FOR").ok().and_then(|text| text.parse().ok()) else { return };
    let note = std::env::var("TOWPATH_SERVE_NOTE").unwrap();
    let place = Place::new();
    let (token, _) = place.token(&["campaign", "--scope", "admin"]);
    let server = place.serve();
    std::fs::write(format!("{note}.new"), format!("{}\n{token}\n{}\n", server.url(), place.sha(2))).unwrap();
    std::fs::rename(format!("{note}.new"), &note).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(seconds));
}
