//! Every code of the table can be met, or it is said why not.

use std::collections::BTreeSet;

use towpath::views::CODES;

use super::place::{CONFIG, Place};

/// Codes that a test cannot bring about without breaking the machine, or that only the client says.
const ELSEWHERE: &[&str] = &[
    "internal",           // a mistake of ours
    "store",              // a broken disk; `store::faults`
    "store-busy",         // another process that holds the lock for 5 s; `store::faults`
    "conflict",           // a race between two of the same id; `tokens` meets it on the command line
    "cannot-tell",        // a mirror that is lost between two steps
    "busy",               // more requests at once than are worked on
    "took-too-long",      // a remote that hangs for minutes
    "unknown-token",      // the command line alone; `tokens`
    "server-unreachable", // the command line alone; `same`
    "server-unknown",     // the command line alone; below
    "token-revoked",      // `tokens`
    "token-expired",      // `tokens`
    "ambiguous-commit",   // two commits that begin alike: not within reach of a test
];

#[test]
fn every_code_is_met() {
    let more = "\n[[flow]]\nrepository = \"basket.git\"\nname = \"other/checkout\"\n[[flow.environment]]\nname = \"develop\"\n\
                [[flow.environment]]\nname = \"production\"\n";
    let place = Place::with(&format!("{CONFIG}{more}"));
    let server = place.serve();
    let (steer, _) = place.token(&["ops", "--scope", "steer"]);
    let (read, _) = place.token(&["reader", "--scope", "read"]);
    let (limited, _) = place.token(&["limited", "--scope", "steer", "--flow", "basket"]);
    let mut met: BTreeSet<String> = ELSEWHERE.iter().map(|code| (*code).to_owned()).collect();
    let mut meet = |code: String| _ = met.insert(code);
    for path in [
        "/flows?x=1",
        "/flows/%ff",
        "/flows?after=x",
        "/commits/x",
        "/nothing",
        "/flows/nothing",
        "/commits/1111111",
        "/flows/checkout",
        "/flows/basket/edges/develop",
        "/flows/basket/edges/staging/diff",
    ] {
        meet(server.get(path).code());
    }
    let command = |token: &str, text: &str| {
        server.call("POST", "/commands", Some(token), Some(&format!("{{\"command\": {text:?}}}"))).code()
    };
    for text in ["dance", "retry basket staging", "rollback basket staging --reason x", "hold 1111111 --reason x"] {
        meet(command(&steer, text));
    }
    meet(command(&read, "resume all"));
    meet(command(&limited, "resume all"));
    meet(command("tow_x", "resume all"));
    meet(server.call("POST", "/commands", None, Some("{}")).code());
    meet(server.call("POST", "/commands", Some(&steer), Some("{}")).code());
    meet(server.call("POST", "/commands", Some(&steer), Some(&" ".repeat(70_000))).code());
    let text = [("Content-Type", "text/plain")];
    meet(server.call_with("POST", "/commands", Some(&steer), Some("{}"), &text).code());
    meet(
        server.call_with("POST", "/commands", Some(&steer), Some("{}"), &[("Origin", "https://x.example")]).code(),
    );
    meet(server.call_with("GET", "/flows", None, None, &[("Host", "x.example")]).code());
    meet(server.call("PUT", "/flows", None, None).code());
    // A flow that nobody has looked at, and a remote that is gone.
    drop(server);
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    let fresh = more.replace("other/checkout", "brand/new").replace("production", "fresh");
    std::fs::write(place.path().join("towpath.toml"), format!("{text}{fresh}").replace("basket.git", "gone.git"))
        .unwrap();
    let server = place.serve();
    meet(server.get("/flows/new/edges/fresh").code());
    meet(server.get("/flows/basket/edges/staging/diff").code());
    met.insert(many());
    let all: BTreeSet<String> = CODES.iter().map(|row| row.word.to_owned()).collect();
    let never: Vec<&String> = all.difference(&met).collect();
    assert!(never.is_empty(), "{never:?}");
}

/// More flows than are stopped without being asked.
fn many() -> String {
    let mut config = CONFIG.to_owned();
    for n in 0..21 {
        config.push_str(&format!(
            "\n[[flow]]\nrepository = \"more-{n}.git\"\nname = \"more-{n}\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"staging\"\n"
        ));
    }
    let place = Place::new();
    std::fs::write(place.path().join("towpath.toml"), config).unwrap();
    let server = place.serve();
    let (token, _) = place.token(&["ops", "--scope", "steer"]);
    let body = "{\"command\": \"pause all --reason x\"}";
    let heard = server.call("POST", "/commands", Some(&token), Some(body));
    let url = server.url();
    let args = ["pause", "all", "--reason", "x", "--server", &url];
    let asked = place.run(&args, &[("TOWPATH_TOKEN", &token)]);
    assert!(asked.code == Some(2) && asked.err.contains("this reaches 23 flows; add `--yes`"), "{asked:?}");
    let yes: Vec<&str> = args.iter().copied().chain(["--yes"]).collect();
    assert_eq!(place.run(&yes, &[("TOWPATH_TOKEN", &token)]).code, Some(0));
    heard.code()
}
