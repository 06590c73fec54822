//! What people say in a chat is carried out in turn and once, whatever happens to the process meanwhile: the real binary,
//! requests signed as Slack signs them. Orders and counts are looked up in the audit; nothing here depends on how long
//! anything takes.

use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value as Json, json};
use towpath::clock::Clock;
use towpath::store::{Create, Holder, NewAsked, Room, SqliteStore, Taken};
use towpath_core::model::{Actor, AuditRow, Change, Concerns, Instant, Pause, PauseKind, Scope, Until};

use crate::chat::{Platform, SIGNING, place, rows, shown, slack, slash};
use crate::serve::place::{Place, Service, wait};

const FLOW: &str = "shop/checkout";

/// Says them one after the other; each is acknowledged before the next one is said.
fn say(platform: &Platform, services: &[&Service], texts: &[String]) {
    for (at, text) in texts.iter().enumerate() {
        let body = slash(platform, ("T1", "UOLGA", "CSHOP"), &format!("{at}.t"), text);
        let service = services[at % services.len()];
        assert_eq!(slack(service, &body, SIGNING, 0).status, 200, "{text}");
    }
}

/// Pauses that can be told apart.
fn pauses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("pause {FLOW} production --for 1h --reason \"term{n}\"")).collect()
}

/// A pause, and what lifts it, again and again; the last word is `resume`.
fn mixed(count: usize) -> Vec<String> {
    pauses(count).into_iter().flat_map(|pause| [pause, format!("resume {FLOW} production")]).collect()
}

/// What was carried out, in order. What was refused is a failure.
fn carried_out(place: &Place) -> Vec<String> {
    let rows = rows(place);
    for row in &rows {
        assert_eq!(row["allowed"], true, "{rows:#?}");
    }
    let plain = |row: &Json| row["command"].as_str().unwrap().replace(['"', '\''], "");
    rows.iter().map(plain).collect()
}

fn plain(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| text.replace('"', "")).collect()
}

fn paused(place: &Place) -> bool {
    place.ok(&["status"]).contains("is paused")
}

/// Each was answered at least once.
fn all_answered(platform: &Platform, count: usize) {
    let answered = |at: usize| platform.told().iter().any(|(path, _)| path.ends_with(&format!("/{at}.t")));
    wait("every answer", || (0..count).all(answered));
}

fn ready(place: &Place) -> Service {
    let service = place.serve();
    service.says(&["production", "up to date"]);
    service
}

#[test]
fn a_burst_and_a_restart_carry_each_out_once_and_in_order() {
    for signal in [Signal::TERM, Signal::KILL] {
        let platform = Platform::new();
        let place = place(&platform);
        let said = pauses(10);
        let mut service = ready(&place);
        say(&platform, &[&service], &said);
        service.signal(signal);
        service.ends();
        let service = place.serve();
        wait("all of them", || rows(&place).len() >= said.len());
        all_answered(&platform, said.len());
        // A resume after all of them ends them for good, also across one more start.
        let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "last.t", &format!("resume {FLOW} production"));
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
        wait("the resume", || !paused(&place));
        drop(service);
        let service = ready(&place);
        let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "asked.t", "status");
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
        wait("an answer", || platform.told().iter().any(|(path, _)| path.ends_with("/asked.t")));
        let mut wanted = plain(&said);
        wanted.push(format!("resume {FLOW} production"));
        assert_eq!(carried_out(&place), wanted, "{signal:?}");
        assert!(!paused(&place));
    }
}

#[test]
fn the_last_word_counts_after_a_kill() {
    let platform = Platform::new();
    let place = place(&platform);
    let said = mixed(6);
    let mut service = ready(&place);
    say(&platform, &[&service], &said);
    service.signal(Signal::KILL);
    service.ends();
    let _service = place.serve();
    wait("all of them", || rows(&place).len() >= said.len());
    all_answered(&platform, said.len());
    assert_eq!(carried_out(&place), plain(&said));
    assert!(!paused(&place), "the last word said was resume");
}

#[test]
fn two_processes_on_one_store_keep_the_order_and_one_outlives_the_other() {
    let platform = Platform::new();
    let place = place(&platform);
    let said = mixed(6);
    let mut one = ready(&place);
    let other = ready(&place);
    say(&platform, &[&one, &other], &said);
    one.signal(Signal::KILL);
    one.ends();
    wait("all of them", || rows(&place).len() >= said.len());
    all_answered(&platform, said.len());
    assert_eq!(carried_out(&place), plain(&said));
    assert!(!paused(&place), "the last word said was resume");
}

/// The store, from beside.
fn beside<T>(place: &Place, work: impl AsyncFnOnce(&SqliteStore, Instant) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&place.path().join("towpath.db"), Create::No).await.unwrap();
        let done = work(&store, Clock::System.reading().wall).await;
        store.close().await.unwrap();
        done
    })
}

/// Something said in the chat that nobody has begun.
async fn waits(store: &SqliteStore, platform: &Platform, once: &str, text: &str, at: Instant) {
    let asked = json!({
        "platform": "slack", "team": "T1", "user": "UOLGA", "user_name": "x", "proof": "request",
        "channel": "CSHOP", "once": once, "what": { "said": text }, "message": null,
        "answer_at": format!("http://127.0.0.1:{}/commands/1/{once}", platform.port),
    });
    let asked = asked.to_string();
    let new = NewAsked { place: "chat:work", once, who: "UOLGA", asked: &asked, lane: "stops" };
    assert_eq!(store.take_asked(&new, at, Room { all: None, own: 40 }).await.unwrap(), Taken::New);
}

fn answer(platform: &Platform, once: &str) -> String {
    let mut found = None;
    wait(&format!("the answer to {once}"), || {
        found = platform.told().into_iter().find(|(path, _)| path.ends_with(&format!("/{once}")));
        found.is_some()
    });
    shown(&found.unwrap().1)
}

fn another() -> Child {
    Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap()
}

fn holder(child: &Child) -> Holder {
    Holder::of(i32::try_from(child.id()).unwrap())
}

#[test]
fn what_another_process_is_at_is_waited_for_and_taken_over_when_it_is_gone() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    let mut child = another();
    beside(&place, async |store, wall| {
        waits(store, &platform, "a", &format!("pause {FLOW} production --for 1h --reason a"), wall).await;
        waits(store, &platform, "b", &format!("resume {FLOW} production"), wall).await;
        let far = Instant(wall.0 + 400_000);
        let begun = store.begin_asked("stops", false, &holder(&child), far).await.unwrap().unwrap();
        assert_eq!((begun.once.as_str(), begun.turn), ("a", 1));
    });
    let service = ready(&place);
    // Whoever asks now is answered, and what waits behind the other process still waits.
    let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "c", "status");
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    answer(&platform, "c");
    assert_eq!(rows(&place), Vec::<Json>::new(), "nothing overtakes what is begun and not done");
    child.kill().unwrap();
    child.wait().unwrap();
    wait("both", || rows(&place).len() >= 2);
    let wanted = [format!("pause {FLOW} production --for 1h --reason a"), format!("resume {FLOW} production")];
    assert_eq!(carried_out(&place), wanted);
}

#[test]
fn what_was_done_is_only_answered_and_by_whom_it_was_begun_last() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    let mut child = another();
    beside(&place, async |store, wall| {
        let text = format!("pause {FLOW} production --for 1h --reason a");
        waits(store, &platform, "a", &text, wall).await;
        let far = Instant(wall.0 + 400_000);
        let begun = store.begin_asked("stops", false, &holder(&child), far).await.unwrap().unwrap();
        let changes = |turn| {
            let pause = Pause {
                id: "pause-1".into(),
                kind: PauseKind::Pause,
                scope: Scope::Flow(FLOW.into()),
                by: Actor::new("olga"),
                reason: "a".to_owned(),
                at: wall,
                until: Until::Resumed,
                cause: None,
                began: None,
            };
            let audit = AuditRow {
                id: "command-of-before".into(),
                at: wall,
                by: Actor::new("olga"),
                command: text.clone(),
                allowed: true,
                effect: "It is paused, as was said.".to_owned(),
                concerns: Concerns::All,
                came: None,
            };
            [Change::Asked { request: begun.seq, turn }, Change::Pause(pause), Change::Audit(audit)]
        };
        // Whoever's turn it is not does nothing at all.
        assert!(store.commit(None, None, &changes(begun.turn + 1)).await.is_err());
        assert!(store.commit(None, None, &changes(begun.turn - 1)).await.is_err());
        store.commit(None, None, &changes(begun.turn)).await.unwrap();
    });
    place.ok(&["resume", FLOW]);
    child.kill().unwrap();
    child.wait().unwrap();
    let _service = ready(&place);
    let said = answer(&platform, "a");
    assert!(said.contains("It is paused, as was said.") && said.contains("command-of-before"), "{said}");
    assert!(!paused(&place), "it is not done a second time");
    let export = place.ok(&["history", "--export"]);
    assert_eq!(export.matches("reason a").count(), 1, "{export}");
}

#[test]
fn what_was_said_before_something_against_it_was_carried_out_is_not_done_after_it() {
    let cases = [
        (
            "pause shop/checkout production --for 1h --reason a",
            vec!["pause checkout --for 1h --reason x", "resume checkout"],
            false,
        ),
        (
            "pause shop/checkout --for 1h --reason a",
            vec!["pause checkout production --for 1h --reason x", "resume checkout production"],
            true,
        ),
        ("freeze shop/checkout --for 1h --reason a", vec!["pause checkout production --for 1h --reason x"], true),
        ("resume shop/checkout", vec!["pause checkout production --for 1h --reason x"], false),
        (
            "promote shop/checkout production --reason a",
            vec!["pause checkout production --for 1h --reason x"],
            false,
        ),
        ("promote shop/checkout production --reason a", vec!["freeze all --for 1h --reason x"], false),
    ];
    for (said, orders, done) in cases {
        let platform = Platform::new();
        let place = place(&platform);
        place.ok(&["run"]);
        beside(&place, async |store, wall| waits(store, &platform, "a", said, wall).await);
        for order in orders {
            let words: Vec<&str> = order.split(' ').collect();
            place.ok(&words);
        }
        let _service = ready(&place);
        let words = answer(&platform, "a");
        assert_eq!(words.contains("This was said before"), !done, "{said}: {words}");
        let of_chat: Vec<Json> = rows(&place).into_iter().filter(|row| row["came"]["surface"] == "chat").collect();
        assert_eq!(of_chat.len(), 1, "on record either way: {of_chat:#?}");
        assert_eq!(of_chat[0]["allowed"], done, "{said}");
    }
}
