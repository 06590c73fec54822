//! Who may what, asked of the real service and of the program: roles, rules, and what the audit keeps.

use serde_json::Value as Json;

use super::place::{CONFIG, Place, Ran, Server};

/// People by their tokens, and two rules.
const PEOPLE: &str = r#"
[people.vera]
role = "viewer"
identities = ["token:vera"]

[people.dan]
role = "developer"
identities = ["token:dan", "mail:dan@example.com", "token:dan-two"]

[people.olga]
role = "operator"
identities = ["token:olga", "mail:ANA@example.com"]

[people.rita]
role = "developer"
identities = ["token:rita"]

[[allow]]
name = "release day"
verbs = ["promote", "approve"]
environments = ["production"]
people = ["rita"]

[[deny]]
name = "no rollbacks from afar"
verbs = ["rollback"]
surfaces = ["api"]
"#;

/// Each command, and whether viewer, developer, operator, the one with a rule, and a token of nobody's may.
const TABLE: &[(&str, &str)] = &[
    ("pause checkout staging --for 1h --reason r", "-++++"),
    ("pause checkout production --for 1h --reason r", "--+-+"),
    ("pause staging --for 1h --reason r", "--+-+"),
    ("pause checkout --for 1h --reason r", "--+-+"),
    ("pause all --for 1h --reason r", "--+-+"),
    ("resume checkout staging", "-++++"),
    ("resume checkout production", "--+-+"),
    ("freeze checkout staging --for 1h --reason r", "--+-+"),
    ("hold SHA checkout staging --reason r", "-++++"),
    ("hold SHA checkout production --reason r", "--+-+"),
    ("hold SHA checkout --reason r", "--+-+"),
    ("hold SHA --reason r", "--+-+"),
    ("unhold SHA checkout staging", "-++++"),
    ("approve checkout production SHA", "--+++"),
    ("promote checkout staging to SHA --reason r", "-++++"),
    ("promote checkout production to SHA --reason r", "--+++"),
    ("override ci checkout staging SHA --reason r", "--+-+"),
    ("override lag checkout production SHA --reason r", "--+-+"),
    ("rollback checkout production --reason r", "-----"),
    ("retry checkout staging", "-++++"),
    ("report checkout SHA build success", "--+-+"),
    // `staging` is the last environment of this flow.
    ("pause basket --for 1h --reason r", "--+-+"),
];

const TOKENS: [&str; 5] = ["vera", "dan", "olga", "rita", "robot"];

fn place() -> Place {
    Place::with(&format!("{CONFIG}{PEOPLE}"))
}

fn tokens(place: &Place) -> Vec<String> {
    TOKENS.iter().map(|name| place.token(&[name, "--scope", "steer"]).0).collect()
}

fn order(server: &Server, token: &str, command: &str, dry: bool) -> (u16, Json) {
    let body = serde_json::json!({ "command": command, "dry_run": dry, "yes": true }).to_string();
    let heard = server.call("POST", "/commands", Some(token), Some(&body));
    (heard.status, heard.json())
}

#[test]
fn each_role_may_what_the_table_says() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    for (command, may) in TABLE {
        let command = command.replace("SHA", &place.sha(2));
        for (at, token) in tokens.iter().enumerate() {
            let (status, body) = order(&server, token, &command, true);
            let wanted = may.as_bytes()[at] == b'+';
            // Allowed is not sensible: what makes no sense is another refusal.
            assert_eq!(status != 403, wanted, "{} {command}: {status} {body}", TOKENS[at]);
            if !wanted {
                assert_eq!(body["code"], "not-permitted", "{body}");
            }
        }
    }
}

#[test]
fn a_refusal_says_what_it_takes_and_who_may_and_changes_nothing() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    for (token, command, says) in [
        (
            0,
            "pause checkout staging --for 1h --reason r",
            "vera is a viewer here; pausing shop/checkout staging takes a developer: ask dan, rita or olga",
        ),
        // The command takes the highest role of all its places.
        (0, "pause checkout --for 1h --reason r", "takes an operator: ask olga"),
        (1, "pause checkout production --for 1h --reason r", "takes an operator: ask olga"),
        (3, "pause all --for 1h --reason r", "takes an operator: ask olga"),
        (2, "rollback checkout production --reason r", "the rule no rollbacks from afar does not let olga do that"),
        (4, "rollback checkout production --reason r", "does not let token:robot do that"),
    ] {
        let (status, body) = order(&server, &tokens[token], command, false);
        let said = body["message"].as_str().unwrap().replace('`', "");
        assert!(status == 403 && said.contains(&says.replace('`', "")), "{command}: {body}");
    }
    let status = place.run(&["status"], &[]).out;
    assert!(!status.contains("paused"), "{status}");
    let audit = server.call("GET", "/audit", Some(&tokens[2]), None).json();
    let given: Vec<&Json> =
        audit["audit"].as_array().unwrap().iter().filter(|row| !row["came"].is_null()).collect();
    assert!(given.len() == 6 && given.iter().all(|row| row["allowed"] == false), "{audit}");
}

#[test]
fn to_lift_takes_what_it_took_to_order() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    assert_eq!(order(&server, &tokens[2], "freeze checkout staging --for 1h --reason r", false).0, 200);
    let (status, body) = order(&server, &tokens[1], "resume checkout staging", false);
    let said = body["message"].as_str().unwrap();
    assert!(
        status == 403 && said.contains("lifting the freeze of `shop/checkout` `staging` takes an operator"),
        "{body}"
    );
    // Only where something is frozen, though the command reaches further.
    let said =
        order(&server, &tokens[3], "resume staging", true).1["message"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("`staging`") && said.contains("operator") && !said.contains("production"), "{said}");
    assert!(place.run(&["status"], &[]).out.contains("is frozen"));
    assert_eq!(order(&server, &tokens[2], "resume checkout staging", false).0, 200);
    assert_eq!(order(&server, &tokens[1], "pause checkout staging --for 1h --reason r", false).0, 200);
    assert_eq!(order(&server, &tokens[1], "resume checkout staging", false).0, 200, "a pause is a developer's");
}

#[test]
fn the_audit_says_who_how_in_what_words_and_by_what() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    let said = "  Pause   checkout “staging”  —for 1h —reason “café ‘x’” ".replace("“staging”", "staging");
    assert_eq!(order(&server, &tokens[1], &said, false).0, 200);
    order(&server, &tokens[1], "freeze checkout production --for 1h --reason r", false);
    order(&server, &tokens[3], &format!("approve checkout production {}", place.sha(1)), false);
    order(&server, &tokens[4], "resume checkout staging", false);
    order(&server, &tokens[2], "rollback checkout production --reason r", false);
    let audit = server.call("GET", "/audit?limit=5", Some(&tokens[2]), None).json();
    let seen: Vec<(String, bool, String, String)> = audit["audit"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|row| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let came = &row["came"];
            assert_eq!(came["surface"], "api", "{row}");
            (text(&row["by"]), row["allowed"] == true, text(&came["identity"]), text(&came["rule"]))
        })
        .collect();
    let of = |by: &str, allowed, identity: &str, rule: &str| (by.into(), allowed, identity.into(), rule.into());
    assert_eq!(
        seen,
        [
            of("dan", true, "token:dan", "role developer"),
            of("dan", false, "token:dan", "role developer, needs operator"),
            of("rita", true, "token:rita", "rule release day"),
            of("token:robot", true, "token:robot", "machine"),
            of("olga", false, "token:olga", "rule no rollbacks from afar"),
        ]
    );
    let first = &audit["audit"][4];
    assert_eq!(first["came"]["said"], said, "to the letter");
    assert_eq!(first["command"], "pause checkout staging --for 1h --reason \"café ‘x’\"");
    // The same as lines of JSON, where the service runs.
    let export = place.run(&["history", "--export"], &[]).out;
    let rows: Vec<Json> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.iter().any(|row| row.to_string().contains("role developer, needs operator")), "{export}");
}

#[test]
fn nobody_approves_what_they_wrote_under_another_address() {
    // `olga` is Ana, who wrote everything, under an address of hers that the token does not have.
    let place = Place::with(&format!("{}{PEOPLE}", CONFIG.replace(", authors = \"allow\"", "")));
    let server = place.serve();
    let tokens = tokens(&place);
    let approve = format!("approve checkout production {}", place.sha(1));
    let (status, body) = order(&server, &tokens[2], &approve, false);
    assert_eq!(status, 200, "{body}");
    assert!(body["lines"].to_string().contains("wrote"), "{body}");
    let explained = place.run(&["explain", "checkout", "production"], &[]).out;
    assert!(explained.contains("0 of 1"), "{explained}");
}

#[test]
fn one_person_approves_once_however_they_come() {
    let config = CONFIG.replace("required = 1", "required = 2, from = [\"token:dan\", \"token:dan-two\"]");
    let place = Place::with(&format!("{config}{}", PEOPLE.replace("people = [\"rita\"]", "role = \"developer\"")));
    let server = place.serve();
    let approve = format!("approve checkout production {}", place.sha(1));
    for name in ["dan", "dan-two"] {
        let token = place.token(&[name, "--scope", "steer"]).0;
        let (status, body) = order(&server, &token, &approve, false);
        assert_eq!(status, 200, "{body}");
    }
    let explained = place.run(&["explain", "checkout", "production"], &[]).out;
    assert!(explained.contains("1 of 2"), "{explained}");
}

#[test]
fn whoami_says_what_somebody_may_in_the_same_words_here_and_there() {
    let place = Place::new();
    let me: Json = serde_json::from_str(&place.run(&["whoami", "-o", "json"], &[]).out).unwrap();
    let os = me["identity"].as_str().unwrap();
    assert!(os.starts_with("os:") && me["role"].is_null() && me["unlinked"] == false, "{me}");
    // The account on this machine becomes a developer, who is somebody else's token, too.
    let people = PEOPLE.replace("\"token:dan\"", &format!("\"token:dan\", \"{os}\""));
    std::fs::write(place.path().join("towpath.toml"), format!("{CONFIG}{people}")).unwrap();
    let here = place.run(&["whoami"], &[]);
    assert_eq!(here.code, Some(0), "{here:?}");
    let server = place.serve();
    let token = place.token(&["dan", "--scope", "read"]).0;
    let there = place.run(&["whoami", "--server", &server.url()], &[("TOWPATH_TOKEN", &token)]);
    let line = |ran: &Ran, n: usize| ran.out.lines().nth(n).unwrap_or_default().to_owned();
    assert_eq!(line(&here, 0), format!("You are `dan`, role developer, here as `{os}`"));
    assert_eq!(line(&there, 0), "You are `dan`, role developer, here as `token:dan`");
    assert_eq!(here.out.lines().skip(1).collect::<Vec<_>>(), there.out.lines().skip(1).collect::<Vec<_>>());
    assert!(
        here.out.contains("In production (`shop/checkout` `production`, `shop/basket` `staging`): you may look")
    );
    let refused = place.run(&["pause", "checkout", "production", "--for", "1h", "--reason", "r"], &[]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.err.contains("ask `olga`"), "{refused:?}");
}

#[test]
fn what_was_only_tried_is_marked_in_the_audit() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    for dry in [true, false] {
        let (status, body) = order(&server, &tokens[1], "freeze checkout production --for 1h --reason r", dry);
        assert_eq!(status, 403, "{body}");
    }
    let audit = server.call("GET", "/audit?limit=2", Some(&tokens[2]), None).json();
    let tried: Vec<bool> =
        audit["audit"].as_array().unwrap().iter().map(|row| row["came"]["dry_run"] == true).collect();
    assert_eq!(tried, [false, true], "{audit}");
    let history = place.run(&["history"], &[]).out;
    assert!(history.contains("(refused)") && history.contains("(dry run, refused)"), "{history}");
}

#[test]
fn whoami_does_not_promise_that_an_approval_counts() {
    let place = Place::with(&format!("{}{PEOPLE}", CONFIG.replace(", authors = \"allow\"", "")));
    let server = place.serve();
    let tokens = tokens(&place);
    // `olga` has an address, `rita` has none.
    for (at, counts) in [(2, true), (3, false)] {
        let token = &tokens[at];
        let me = server.call("GET", "/whoami", Some(token), None).json();
        assert_eq!(me["approves"].as_array().is_some_and(|all| !all.is_empty()), counts, "{me}");
        assert_eq!(me["needs_email"].as_array().is_some_and(|all| !all.is_empty()), !counts, "{me}");
    }
}

#[test]
fn what_was_ordered_twice_in_the_same_words_is_shown_once() {
    let place = place();
    let server = place.serve();
    let tokens = tokens(&place);
    let hold = format!("hold {} checkout staging --reason r", place.sha(2));
    let pause = "pause checkout staging --until resumed --reason r";
    for command in [hold.as_str(), pause, "freeze checkout production --until resumed --reason r"] {
        for _ in 0..2 {
            let (status, body) = order(&server, &tokens[2], command, false);
            assert_eq!(status, 200, "{body}");
        }
    }
    order(&server, &tokens[2], "pause checkout staging --until resumed --reason other", false);
    let status = place.run(&["status"], &[]).out;
    for (one, twice, all) in [(" is held", 1, 1), (" is paused until", 1, 2), (" is frozen until", 1, 1)] {
        let lines: Vec<&str> =
            status.lines().filter(|line| line.contains(one) && !line.contains("blocked:")).collect();
        let counted = lines.iter().filter(|line| line.ends_with("r (2 times)")).count();
        assert_eq!((counted, lines.len()), (twice, all), "{one}: {status}");
    }
    // Each of them is lifted.
    let (_, body) = order(&server, &tokens[2], "resume checkout staging", false);
    assert_eq!(
        body["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line.as_str().unwrap().starts_with("Lifted"))
            .count(),
        3
    );
    let (_, body) = order(&server, &tokens[2], &format!("unhold {} checkout staging", place.sha(2)), false);
    assert!(!place.run(&["status"], &[]).out.contains(" is held"), "{body}");
}
