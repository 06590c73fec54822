//! The same command, given here and to a server, in two places that are alike: the same text, the
//! same JSON, the same exit code.

use super::place::{Place, Ran, Server};

/// What differs between two places, whoever asks: names, ids made of instants, and time.
fn masked(text: &str, place: &Place, person: &str) -> String {
    let folder = place.path().canonicalize().unwrap().to_string_lossy().into_owned();
    let text = text.replace(&*place.path().to_string_lossy(), "FOLDER").replace(&folder, "FOLDER");
    let text = text.replace(person, "PERSON").replace("token:ops", "PERSON");
    let text = text.replace("\"surface\": \"api\"", "\"surface\": \"cli\"");
    let text = text.lines().map(line).collect::<Vec<_>>().join("\n");
    let text = parts(&text, |word| {
        let hex = word.bytes().all(|b| b.is_ascii_hexdigit());
        let digits = word.bytes().all(|b| b.is_ascii_digit());
        match word.len() {
            2..4 if word.ends_with(['s', 'm', 'h'])
                && word[..word.len() - 1].bytes().all(|b| b.is_ascii_digit()) =>
            {
                "SPAN".to_owned()
            }
            // Before numbers: an id may happen to have no letter in it.
            16..40 | 41.. if hex => "ID".to_owned(),
            9.. if digits => "NUMBER".to_owned(),
            _ => word.to_owned(),
        }
    });
    let mut text = text;
    while text.contains("SPAN SPAN") {
        text = text.replace("SPAN SPAN", "SPAN");
    }
    text
}

fn parts(text: &str, of: impl Fn(&str) -> String) -> String {
    let mut all = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        all.push_str(&of(word));
        all.push_str(&piece[word.len()..]);
    }
    all
}

/// Clock times with their distances, and counters of the trusted clock.
fn line(line: &str) -> String {
    let mut line = line.to_owned();
    for key in ["\"trusted\": ", "\"attempt\": "] {
        if let Some((head, tail)) = line.clone().split_once(key) {
            line = format!("{head}{key}N{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
    }
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some((head, tail)) = rest.split_once('(') {
        let inside = &tail[..tail.find(['(', ')']).unwrap_or(tail.len())];
        out.push_str(head);
        if inside == "now" || inside.ends_with(" ago") || inside.starts_with("in ") {
            // `14:02 CET (3m ago)`: what comes before is the time.
            for _ in 0..2 {
                out.truncate(out.trim_end().rfind(' ').map_or(0, |at| at + 1));
            }
            out.push_str("TIME");
            rest = &tail[(inside.len() + 1).min(tail.len())..];
        } else {
            out.push('(');
            rest = tail;
        }
    }
    out + rest
}

/// Where a case is run, one after another: the second after the first.
struct Both {
    here: Place,
    there: Place,
    server: Server,
    token: String,
    person: String,
}

impl Both {
    fn new() -> Self {
        let (here, there) = (Place::new(), Place::new());
        // In both, so that the audits are alike.
        here.token(&["ops", "--scope", "admin"]);
        let (token, _) = there.token(&["ops", "--scope", "admin"]);
        let history = here.run(&["history", "-o", "json"], &[]).out;
        let person = history.split("\"by\": \"").find_map(|t| t.strip_prefix("os:")).unwrap();
        let person = format!("os:{}", person.split('"').next().unwrap());
        let server = there.serve();
        Self { here, there, server, token, person }
    }

    fn ask(&self, args: &[&str]) -> (Ran, Ran) {
        let here = self.here.run(args, &[]);
        let url = self.server.url();
        let env = [("TOWPATH_SERVER", url.as_str()), ("TOWPATH_TOKEN", self.token.as_str())];
        let there = self.there.run(args, &env);
        let masked = |ran: Ran, place: &Place, person: &str| Ran {
            code: ran.code,
            out: masked(&ran.out, place, person),
            err: masked(&ran.err, place, person),
        };
        (masked(here, &self.here, &self.person), masked(there, &self.there, &self.person))
    }

    #[track_caller]
    fn same(&self, args: &[&str]) -> Ran {
        let (here, there) = self.ask(args);
        assert_eq!(here.code, there.code, "{args:?}\nhere: {here:?}\nthere: {there:?}");
        for (here, there) in here.out.lines().zip(there.out.lines()) {
            assert_eq!(here, there, "{args:?}");
        }
        assert_eq!(here.out, there.out, "{args:?}");
        assert_eq!(here.err, there.err, "{args:?}");
        here
    }

    /// In text and in JSON: for what changes nothing.
    #[track_caller]
    fn same_twice(&self, args: &[&str]) -> Ran {
        let json: Vec<&str> = args.iter().chain(&["-o", "json"]).copied().collect();
        self.same(&json);
        self.same(args)
    }
}

#[test]
fn what_is_shown_is_the_same_here_and_from_a_server() {
    let both = Both::new();
    let (old, new, other) = (both.here.sha(1), both.here.sha(3), "1".repeat(40));
    let hostile = "x\u{1b}[31m\u{202e}y";
    let cases: &[(&[&str], i32)] = &[
        (&["status"], 0),
        (&["status", "checkout"], 0),
        (&["status", "shop/checkout", "--detailed-exitcode"], 12),
        (&["status", "shop/basket", "--detailed-exitcode"], 0),
        (&["status", "nothing"], 1),
        (&["status", hostile], 1),
        (&["status", "shop/../checkout"], 1),
        (&["explain", "checkout", "staging"], 0),
        (&["explain", "shop/checkout", "production"], 0),
        (&["explain", "checkout", "develop"], 1),
        (&["explain", "checkout", "prodction"], 1),
        (&["explain", "chekout", "production"], 1),
        (&["explain", &old], 0),
        (&["explain", &new[..8]], 0),
        (&["explain", &other], 1),
        (&["explain", "zzz"], 2),
        (&["where", &old], 0),
        (&["where", &new], 0),
        (&["where", &other[..9]], 1),
        (&["where", "../../x"], 2),
        (&["diff", "checkout", "staging"], 0),
        (&["diff", "checkout", "production"], 0),
        (&["diff", "checkout", "develop"], 1),
        (&["compare", "checkout"], 0),
        (&["compare", "shop/basket", "--since", "2h", "--within", "90s"], 0),
        (&["compare", "nothing"], 1),
        (&["plan"], 0),
        (&["plan", "basket", "--detailed-exitcode"], 0),
        (&["plan", "checkout", "production"], 0),
        (&["plan", "checkout", "develop"], 1),
        (&["plan", "checkout", "nowhere"], 1),
        (&["history"], 0),
        (&["history", "checkout"], 0),
        (&["history", "-n", "2"], 0),
        (&["history", "-n", "0"], 0),
        (&["history", "nothing"], 1),
        (&["history", "--after", "x"], 2),
    ];
    for (args, code) in cases {
        let ran = both.same_twice(args);
        assert_eq!(ran.code, Some(*code), "{args:?}: {ran:?}");
    }
    both.same(&["diff", "checkout", "production", "-o", "markdown"]);
    let shown = both.here.run(&["diff", "checkout", "production"], &[]).out;
    assert!(shown.contains("script") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
}

#[test]
fn what_is_ordered_is_the_same_here_and_at_a_server() {
    let both = Both::new();
    let (first, second, third, tip) = (both.here.sha(0), both.here.sha(1), both.here.sha(2), both.here.sha(3));
    let other = "1".repeat(40);
    let cases: &[(&[&str], i32)] = &[
        (&["report", "checkout", &third, "build", "success", "--ref", "develop", "--dry-run"], 0),
        (&["report", "checkout", &third, "build", "success", "--url", "https://ci.example.com/1"], 0),
        (&["report", "checkout", &third, "build", "good"], 2),
        (&["report", "checkout", "12", "build", "success"], 2),
        (&["report", "nothing", &third, "build", "success"], 1),
        (&["report", "checkout", &third[..10], "build", "success", "--url", "file:///x"], 2),
        (&["run", "checkout"], 0),
        (&["status"], 0),
        (&["pause", "checkout", "production", "--for", "2h", "--reason", "a \"quoted\" reason", "--dry-run"], 0),
        (&["pause", "checkout", "production", "--for", "2h", "--reason", "a \"quoted\" reason"], 0),
        (&["pause", "all", "--reason", "lunch"], 0),
        (&["pause", "nothing", "--reason", "lunch"], 1),
        (&["pause", "checkout", "--for", "2h", "--until", "resumed", "--reason", "x"], 2),
        (&["pause", "checkout", "--until", "yesterday", "--reason", "x"], 2),
        (&["status"], 0),
        (&["freeze", "staging", "--until", "resumed", "--reason", "audit"], 0),
        (&["promote", "checkout", "staging", "--reason", "now"], 1),
        (&["resume", "staging"], 0),
        (&["resume", "checkout", "production"], 0),
        (&["resume", "all"], 0),
        (&["resume", "all"], 1),
        (&["hold", &tip, "checkout", "staging", "--reason", "breaks refunds"], 0),
        (&["hold", &other[..8], "--reason", "unknown"], 1),
        (&["unhold", &tip, "checkout", "staging"], 0),
        (&["unhold", &tip, "checkout", "staging"], 1),
        (&["approve", "checkout", "production", &second, "--dry-run"], 0),
        (&["approve", "checkout", "production", &second], 0),
        (&["approve", "checkout", "staging", &second], 1),
        (&["override", "lag", "checkout", "production", &second, "--reason", "urgent"], 0),
        (&["override", "ci", "checkout", "production", &second, "--reason", "urgent"], 1),
        (&["retry", "checkout", "production"], 1),
        (&["promote", "checkout", "production", "to", &second, "--reason", "urgent"], 0),
        (&["promote", "checkout", "production", "to", &other, "--reason", "urgent"], 1),
        (&["run", "checkout", "--detailed-exitcode"], 13),
        (&["rollback", "checkout", "staging", "--reason", "no"], 4),
        (&["rollback", "checkout", "production", "to", &first, "--reason", "errors"], 0),
        (&["status", "--detailed-exitcode"], 11),
        (&["run"], 0),
        (&["history", "-n", "500"], 0),
    ];
    for (at, (args, code)) in cases.iter().enumerate() {
        // What is ordered changes things, so each is given once; every other one in JSON.
        let json: Vec<&str> = args.iter().chain(&["-o", "json"]).copied().collect();
        let ran = both.same(if at % 2 == 0 { args } else { &json });
        assert_eq!(ran.code, Some(*code), "{args:?}: {ran:?}");
    }
    both.same_twice(&["status"]);
    both.same_twice(&["history", "-n", "500"]);
    assert_eq!(both.here.repo("checkout.git").tip("production"), both.there.repo("checkout.git").tip("production"));
}

#[test]
fn what_knows_this_machine_alone_refuses_a_server() {
    let place = Place::new();
    for args in [
        &["init"][..],
        &["config", "validate"],
        &["doctor"],
        &["completions", "bash"],
        &["token", "create", "x", "--scope", "read"],
        &["token", "revoke", "x"],
        &["history", "--export"],
        &["plan", "--save", "x.json"],
        &["plan", "--from", "x.json"],
    ] {
        let args: Vec<&str> = args.iter().chain(&["--server", "http://127.0.0.1:9"]).copied().collect();
        let ran = place.run(&args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?} {ran:?}");
        assert!(ran.err.contains("works on this machine alone; leave `--server`"), "{ran:?}");
    }
    // A variable in a profile is not meant for these.
    let ran = place.run(&["config", "validate"], &[("TOWPATH_SERVER", "http://127.0.0.1:9")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_server_that_is_not_there_is_3_and_one_that_refuses_is_4() {
    let place = Place::new();
    let ran = place.run(&["status", "--server", "http://127.0.0.1:9"], &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("http://127.0.0.1:9 cannot be reached"), "{ran:?}");
    let json = place.run(&["status", "--server", "http://127.0.0.1:9", "-o", "json"], &[]);
    assert!(json.out.contains("\"code\": \"server-unreachable\"") && json.out.contains("\"exit\": 3"), "{json:?}");
    for bad in ["127.0.0.1:8080", "ftp://x", "http://", "http://me:pw@x", "http://x?y"] {
        assert_eq!(place.run(&["status", "--server", bad], &[]).code, Some(2), "{bad}");
    }
    let server = place.serve();
    let url = server.url();
    let steer = ["pause", "all", "--reason", "x", "--server", &url];
    assert_eq!(place.run(&steer, &[]).code, Some(4));
    assert_eq!(place.run(&steer, &[("TOWPATH_TOKEN", "tow_wrong")]).code, Some(4));
    let (token, _) = place.token(&["reader", "--scope", "read"]);
    let ran = place.run(&steer, &[("TOWPATH_TOKEN", &token)]);
    assert!(ran.code == Some(4) && ran.err.contains("has the scope `read`"), "{ran:?}");
    std::fs::write(place.path().join("token"), format!("{token}\n")).unwrap();
    let ran = place.run(&["status", "--server", &url, "--token-file", "token"], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(place.run(&["status", "--server", &url, "--token-file", "nothing"], &[]).code, Some(1));
}

#[test]
fn a_server_is_asked_without_a_config_that_could_be_read() {
    let place = Place::new();
    let server = place.serve();
    let (token, _) = place.token(&["oncall", "--scope", "steer"]);
    std::fs::write(place.path().join("towpath.toml"), "this is no config").unwrap();
    assert_eq!(place.run(&["pause", "all", "--reason", "x"], &[]).code, Some(1));
    let url = server.url();
    for args in [&["pause", "all", "--reason", "x"][..], &["status"], &["resume", "all"]] {
        let args: Vec<&str> = args.iter().chain(&["--server", &url]).copied().collect();
        let ran = place.run(&args, &[("TOWPATH_TOKEN", &token)]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?} {ran:?}");
    }
}
