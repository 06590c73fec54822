//! What came too late, what could not be delivered, and what a sink names that there is not.

use std::path::Path;

use serde_json::Value;
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::setup::{Need, Setup};
use towpath::store::NoticeState;
use towpath::tell::Besides;
use towpath_core::model::{Coming, CommitId, Event, Instant, Message, PauseKind, Scope, Span};

use super::{Held, Place, Receiver, sink};

impl Held {
    /// A commit is to enter ten minutes from now.
    async fn announces(&self) {
        let flow = &self.setup.config.flows[0].flow;
        let commit = |n: u8| CommitId::from_bytes([n; 20]);
        let (author, email, subject) = ("Ana".to_owned(), String::new(), "One".to_owned());
        let event = Event::HeadsUp {
            commits: vec![Coming { id: commit(2), author, email, co_authors: Vec::new(), subject }],
            more: 0,
            newest: commit(2),
            old: commit(1),
            at: self.now() + Span::from_mins(10),
            instead_of: None,
        };
        let at = self.now();
        let message =
            Message { id: format!("up{}/log", at.0), sink: "log".to_owned(), env: "production".into(), at, event };
        let rows = self.sinks.rows(flow, &message, &Besides::default());
        self.setup.world.store().add_notices(&rows).await.expect("added");
    }

    async fn given_up(&self) -> u64 {
        self.setup.world.store().given_up(self.now()).await.expect("read").values().sum()
    }
}

#[tokio::test]
async fn a_heads_up_is_not_tried_again_once_its_time_has_passed() {
    let receiver = Receiver::new().await;
    let held = Held::new(&sink("deploys", &receiver.url, ""), 0).await;
    held.announces().await;
    held.deliver().await;
    let body = receiver.came()[0].json();
    assert_eq!((&body["event"], body.get("too_late")), (&Value::from("heads-up"), None), "{body:#}");
    receiver.answers(&[503]);
    held.clock.advance(Span::from_mins(1));
    held.announces().await;
    held.moves(7).await;
    held.deliver().await;
    assert_eq!((receiver.came().len(), held.count(NoticeState::Waiting).await), (2, 2));
    // To the minute: at the instant itself it is no news any more, and everything else is.
    held.clock.advance(Span::from_mins(10));
    let delivered = held.deliver().await;
    assert_eq!((delivered.dead["deploys"], delivered.sent["deploys"]), (1, 1));
    assert_eq!(receiver.came().len(), 3);
    let rows = held.setup.world.store().notices(Some(NoticeState::Dead), 10).await.expect("read");
    let words = rows[0].words.clone().unwrap_or_default();
    assert!(words.starts_with("it is too late: what it announces was to come at 2026-11-21T10:11:00Z"), "{words}");
    assert!(words.contains("503"), "{words}");
    // Sent again by hand, it is as late.
    let id = rows[0].id.clone();
    assert_eq!(held.setup.world.store().revive_notices(&[id], held.now()).await.expect("revived"), 1);
    held.deliver().await;
    assert_eq!((receiver.came().len(), held.count(NoticeState::Dead).await), (3, 1));
    assert_eq!(held.given_up().await, 1);
    held.clock.advance(Span::from_mins(24 * 60));
    assert_eq!(held.given_up().await, 0, "who wanted to has looked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_says_how_many_could_not_be_delivered() {
    let receiver = Receiver::new().await;
    let place = Place::new(&sink("deploys", &receiver.url, ""));
    place.runs().await;
    let status = async || place.towpath(&["status"]).await.1;
    assert!(!status().await.contains("delivered"), "{}", status().await);
    place.push("one");
    receiver.answers(&[410]);
    place.runs().await;
    let said = status().await;
    let last = said.lines().last().unwrap_or_default();
    assert!(last.ends_with("1 message could not be delivered in the last day: `towpath outbox`"), "{said}");
    let (_, json) = place.towpath(&["status", "-o", "json"]).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["given_up"], 1, "{json:#}");
    place.towpath(&["outbox", "again", "--all"]).await;
    place.runs().await;
    assert!(!status().await.contains("delivered"), "{}", status().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outbox_says_how_many_it_does_not_list_and_lists_all_of_them() {
    let place = Place::new(&sink("deploys", "https://hooks.example.com", ""));
    let setup = Setup::open(place.config(), Clock::System, Need::Create).await.expect("a setup");
    let store = setup.world.store();
    let row = |n: u32| towpath::store::NoticeRow {
        id: format!("n{n}"),
        sink: "deploys".to_owned(),
        flow: "shop".into(),
        env: "production".into(),
        at: Instant(i64::from(n % 2) * 1_000),
        notice: "{}".to_owned(),
        state: NoticeState::Waiting,
        attempts: 0,
        next: Instant(1_795_255_200_000),
        words: None,
    };
    let rows: Vec<_> = (0..223).map(row).collect();
    store.add_notices(&rows).await.expect("added");
    let now = Clock::System.reading().wall;
    assert_eq!(store.give_up_notices("deploys", Instant(1_000), now, "it is gone").await.expect("given up"), 112);
    let (code, said) = place.towpath(&["outbox"]).await;
    let listed = |said: &str| said.lines().filter(|line| line.starts_with("deploys: ")).count();
    assert_eq!((code, listed(&said)), (Some(0), 200), "{said}");
    for line in ["12 more that were given up are not listed: `towpath outbox --all`", "11 more that wait are not"] {
        assert!(said.contains(line), "{said}");
    }
    let (_, said) = place.towpath(&["outbox", "--all"]).await;
    assert_eq!((listed(&said), said.contains("not listed")), (223, false));
    let (_, json) = place.towpath(&["outbox", "-o", "json"]).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["more"]["dead"], &json["more"]["waiting"]), (&Value::from(12), &Value::from(11)));
    let (code, said) = place.towpath(&["outbox", "--all", "again", "--all"]).await;
    assert_eq!(code, Some(2), "one or the other: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_late_is_not_said_to_be_sent_again() {
    let place = Place::new(&sink("deploys", "https://hooks.example.com", ""));
    let setup = Setup::open(place.config(), Clock::System, Need::Create).await.expect("a setup");
    let store = setup.world.store();
    let now = Clock::System.reading().wall;
    let row = |id: &str, notice: String| towpath::store::NoticeRow {
        id: id.to_owned(),
        sink: "deploys".to_owned(),
        flow: "shop".into(),
        env: "production".into(),
        at: Instant(1_000),
        notice,
        state: NoticeState::Waiting,
        attempts: 1,
        next: now,
        words: None,
    };
    let late = |at: Instant| format!("{{\"too_late\":{}}}", at.0);
    let rows = [
        row("over", late(Instant(1_795_255_200_000))),
        row("over-too", late(Instant(0))),
        row("to-come", late(now + Span::from_mins(60))),
        row("a-move", "{}".to_owned()),
    ];
    store.add_notices(&rows).await.expect("added");
    store.give_up_notices("deploys", now, now, "it is gone").await.expect("given up");
    let dead = async || store.count_notices(NoticeState::Dead).await.expect("counted");
    let (_, said) = place.towpath(&["outbox"]).await;
    assert_eq!(said.matches("towpath outbox again").count(), 2, "{said}");
    let (code, said) = place.towpath(&["outbox", "again", "over"]).await;
    assert_eq!((code, dead().await), (Some(1), 4), "{said}");
    let why = "1 notice stays given up: what it announces was to come at 2026-11-21T10:00:00Z, so it is too late";
    assert!(said.contains(why) && !said.contains("will be sent"), "{said}");
    let (code, said) = place.towpath(&["outbox", "again", "--all"]).await;
    assert_eq!((code, dead().await), (Some(0), 2), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("2 notices will be sent again"), "{said}");
    assert!(lines[1].starts_with("2 notices stay given up: what they announce was to come by now"), "{said}");
    let (code, said) = place.towpath(&["outbox", "again", "--all"]).await;
    assert!(code == Some(1) && said.contains("2 notices stay given up"), "{said}");
    let (_, said) = place.towpath(&["outbox", "again", "none"]).await;
    assert!(said.contains("nothing of that was given up"), "{said}");
}

const FLOWS: &str = "[[flow]]\nname = \"shop/checkout\"\nrepository = \"a.git\"\n[[flow.environment]]\nname = \"develop\"\n\
    [[flow.environment]]\nname = \"production\"\n";

const DISCOVERS: &str = "[forge.hub]\nkind = \"gitea\"\nurl = \"https://git.example.com\"\ntoken = { env = \"T\" }\n\
    discover = true\n[[group]]\nmatch = [\"lib/*\"]\n[[group.environment]]\nname = \"edge\"\n[[group.environment]]\n\
    name = \"stable\"\n";

#[test]
fn what_a_sink_names_that_there_is_not_is_an_error() {
    let read = |base: &str, more: &str| {
        let text = format!("{base}{}", sink("deploys", "https://hooks.example.com", more));
        Config::from_text(&text, Path::new("towpath.toml"))
    };
    for (more, says, hint) in [
        ("environments = [\"prodution\"]", "no environment `prodution`", "did you mean `production`?"),
        ("environments = [\"production\", \"live\"]", "no environment `live`", "write the name of an environment"),
        ("environments = [\"Production\"]", "no environment `Production`", "did you mean `production`?"),
        ("flows = [\"shop/chekout\"]", "no flow `shop/chekout`", "did you mean `shop/checkout`?"),
        ("flows = [\"checkout\"]", "no flow `checkout`", "`*` stands for any part"),
        ("flows = [\"shop/*\", \"store/*\"]", "no flow `store/*`", "`*` stands for any part"),
    ] {
        let said = read(FLOWS, more).expect_err(more).to_string();
        assert!(said.contains(says) && said.contains(hint), "{more}: {said}");
        assert_eq!(said.matches("there is no").count(), 1, "{said}");
    }
    for more in [
        "",
        "environments = [\"develop\"]",
        "flows = [\"shop/*\"]",
        "flows = [\"**\"]",
        "flows = [\"shop/check?ut\"]",
    ] {
        read(FLOWS, more).unwrap_or_else(|problems| panic!("{more}: {problems}"));
    }
    // What is discovered may be called anything, and has the environments of the groups.
    let found = format!("{FLOWS}{DISCOVERS}");
    for more in ["flows = [\"lib/*\"]", "flows = [\"lib/json\"]", "environments = [\"stable\", \"production\"]"] {
        let config = read(&found, more).unwrap_or_else(|problems| panic!("{more}: {problems}"));
        assert!(!config.warnings.to_string().contains("there is no"), "{}", config.warnings);
    }
    let said = read(&found, "environments = [\"stabel\"]").expect_err("no such").to_string();
    assert!(said.contains("did you mean `stable`?"), "{said}");
    // It may be one that comes.
    let config = read(&found, "flows = [\"shop/chekout\"]").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.to_string().contains("did you mean `shop/checkout`?"), "{}", config.warnings);
}

#[tokio::test]
async fn that_a_pause_ends_reaches_every_sink_that_is_about_something_that_it_covers() {
    let url = "https://hooks.example.com";
    let other = "[[flow]]\nname = \"lib\"\nrepository = \"lib.git\"\n[[flow.environment]]\nname = \"develop\"\n\
        [[flow.environment]]\nname = \"edge\"\n[[flow.environment]]\nname = \"stable\"\n[[flow]]\nname = \"watched\"\n\
        mode = \"observe\"\nrepository = \"w.git\"\n[[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\n\
        name = \"seen\"\n";
    let sinks = [
        sink("all", url, ""),
        sink("libs", url, "flows = [\"lib\"]"),
        sink("stable", url, "environments = [\"stable\"]"),
        sink("first", url, "environments = [\"develop\"]"),
        sink("seen", url, "flows = [\"watched\"]"),
        sink("moves", url, "events = [\"promoted\"]"),
        sink("shop", url, "flows = [\"shop\"]"),
    ];
    let scope = |words: &[&str]| match words {
        ["all"] => Scope::All,
        ["env", env] => Scope::Environment((*env).into()),
        [flow] => Scope::Flow((*flow).into()),
        other => panic!("{other:?}"),
    };
    for (words, told) in [
        (&["all"][..], "all shop production; libs lib edge; shop shop production; stable lib stable"),
        (&["shop"], "all shop production; shop shop production"),
        (&["env", "production"], "all shop production; shop shop production"),
    ] {
        let held = Held::new(&(other.to_owned() + &sinks.concat()), 0).await;
        let event = Event::EndsSoon {
            kind: PauseKind::Pause,
            scope: scope(words),
            by: "ana".into(),
            reason: "failover".to_owned(),
            until: Instant(held.now().0 + 900_000),
        };
        let at = held.now();
        let message =
            Message { id: "remind-1/log".to_owned(), sink: "log".to_owned(), env: "production".into(), at, event };
        let rows = held.sinks.rows(&held.setup.config.flows[0].flow, &message, &Besides::default());
        let mut rows: Vec<String> =
            rows.iter().map(|row| format!("{} {} {}", row.sink, row.flow, row.env)).collect();
        rows.sort_unstable();
        assert_eq!(rows.join("; "), told, "{words:?}");
    }
}
