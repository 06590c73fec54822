//! Five people, five questions: each is one command, in a chat, on the command line and over the API, and the answer
//! is in the same words.

use crate::chat::{Platform, SIGNING, shown, slack, slash};
use crate::serve::place::{Place, Service};

/// Flows besides the one that the people talk about.
const OTHERS: usize = 24;

fn config(platform: &Platform) -> String {
    let others = (0..OTHERS).map(|n| {
        format!(
            "[[flow]]\nrepository = \"other{n}.git\"\nname = \"shop/other{n}\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"production\"\nbranch = \"master\"\n"
        )
    });
    format!(
        r#"
[service]
look = "0 0 1 1 *"

[chat.work]
kind = "slack"
teams = ["T1"]
url = "http://127.0.0.1:{port}/api"
token = {{ file = "secret" }}
secrets = [{{ file = "signing" }}]

[people.olga]
role = "operator"
identities = ["slack:T1/UOLGA", "token:olga", "mail:olga@example.com"]

[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "1d"
gates.approvals = {{ required = 1, from = ["olga"] }}
{}"#,
        others.collect::<String>(),
        port = platform.port
    )
}

/// The letters and digits, as words: what is left when every surface has made the text its own. Times of day and the
/// distances to them pass while the test runs, and what somebody is known by differs from one surface to another.
fn words(text: &str) -> Vec<String> {
    let all = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let fleeting = |word: &&str| {
        let time =
            word.ends_with(['s', 'm', 'h', 'd']) && word[..word.len() - 1].chars().all(|c| c.is_ascii_digit());
        !time && !word.chars().all(|c| c.is_ascii_digit()) && !matches!(*word, "ago" | "now" | "in" | "less")
    };
    all.filter(fleeting).map(str::to_lowercase).collect()
}

fn asked(place: &Place, service: &Service, token: &str, args: &[&str]) -> [String; 2] {
    let here = place.ok(args);
    let url = format!("http://127.0.0.1:{}", service.port());
    let there = std::process::Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(args)
        .args(["--server", &url])
        .env("TOWPATH_TOKEN", token)
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(there.status.success(), "{args:?}: {}", String::from_utf8_lossy(&there.stderr));
    [here, String::from_utf8_lossy(&there.stdout).into_owned()]
}

#[test]
fn five_people_ask_and_each_is_answered_in_the_same_words_everywhere() {
    let platform = Platform::new();
    let others: Vec<String> = (0..OTHERS).map(|n| format!("other{n}")).collect();
    let names: Vec<&str> = ["checkout"].into_iter().chain(others.iter().map(String::as_str)).collect();
    let place = Place::new(&names, &config(&platform));
    std::fs::write(place.path().join("signing"), SIGNING).unwrap();
    let commit = place.push("checkout", "2");
    // One of the many is stuck: somebody pushed to its production.
    let stuck = place.repo("other7");
    stuck.commit(&[stuck.tip("master").unwrap()], "master", &[("hot", "fix")]);
    place.push("other7", "2");
    place.ok(&["run"]);
    let token = place.ok(&["token", "create", "olga", "--scope", "steer"]).trim().to_owned();
    let service = place.serve();
    place.arrives("checkout", "staging", commit);
    place.ok(&["run"]);
    let sha = commit.to_string();

    // What is asked, and a few words that make it the answer.
    let questions: [(&str, Vec<&str>, &[&str]); 4] = [
        ("where is my commit?", vec!["where", &sha], &["staging", "production"]),
        ("may I approve?", vec!["whoami"], &["Your approvals count", "`production`"]),
        ("what goes out, and when?", vec!["diff", "checkout", "production"], &["1 commit", "waits for 1 approval"]),
        ("which of them all is stuck?", vec!["status"], &["25 flows: 1 blocked", "shop/other7"]),
    ];
    let mut told = 0;
    for (question, args, holds) in &questions {
        let [here, there] = asked(&place, &service, &token, args);
        told += 1;
        let body = slash(&platform, ("T1", "UOLGA", "C1"), &format!("{told}.q"), &args.join(" "));
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
        let chat = shown(&platform.tells(told));
        if args[0] == "whoami" {
            // Who one is on each surface is the first line, and differs.
            let rest = |text: &str| words(&text.lines().skip(1).collect::<Vec<_>>().join(" "));
            assert_eq!(rest(&there), rest(&chat), "{question}");
            assert!(there.starts_with("You are `olga`, role operator") && chat.contains("olga"), "{there}\n{chat}");
        } else {
            assert_eq!(words(&here), words(&there), "{question}");
            assert_eq!(words(&here), words(&chat), "{question}\n{here}\n{chat}");
        }
        for part in *holds {
            assert!(there.contains(part), "{question} {part}: {there}");
        }
    }

    // The fifth does not ask.
    let pause = ["pause", "checkout", "production", "--for", "2h", "--reason", "the till is down"];
    let resume = ["resume", "checkout", "production"];
    let [here, there] = {
        let here = place.ok(&pause);
        place.ok(&resume);
        let url = format!("http://127.0.0.1:{}", service.port());
        let there = std::process::Command::new(env!("CARGO_BIN_EXE_towpath"))
            .args(pause)
            .args(["--server", &url])
            .env("TOWPATH_TOKEN", &token)
            .current_dir(place.path())
            .output()
            .unwrap();
        place.ok(&resume);
        [here, String::from_utf8_lossy(&there.stdout).into_owned()]
    };
    let text = "pause checkout production --for 2h --reason \"the till is down\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "C1"), "5.q", text), SIGNING, 0);
    let chat = shown(&platform.tells(told + 1));
    // But for the id of the record.
    let but_id = |text: &str| {
        let mut all = words(text);
        all.truncate(all.iter().position(|word| word == "recorded").expect("it is recorded"));
        all
    };
    assert_eq!(but_id(&here), but_id(&there));
    assert_eq!(but_id(&here), but_id(&chat), "{here}\n{chat}");
    let status = place.ok(&["status", "checkout"]);
    assert!(status.contains("is paused until ") && status.contains("by `olga`: the till is down"), "{status}");
}
