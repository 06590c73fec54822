//! What was announced and stopped, what is paused, and who is called when a pause ends.

use towpath::store::NoticeState;
use towpath_core::model::{Event, Held as Stopped, Instant, Pause, PauseKind, Reason, Scope, Span, Until};

use super::place::{ANA, Held, Platform, commit, heads_up, landed, mattermost, slack};
use crate::tell::Place;

fn taken_back(held: &Held, newest: u8) -> Event {
    let why = Reason::Held {
        hold: "h1".into(),
        what: Stopped::Commit(commit(newest)),
        flow: Some("f1".into()),
        env: Some("production".into()),
        by: "marek".into(),
        reason: "not <!channel> today".to_owned(),
        fixed_by: None,
    };
    Event::TakenBack { newest: commit(newest), at: held.now() + Span::from_mins(9), why: Box::new(why) }
}

#[tokio::test]
async fn what_was_stopped_says_so_in_its_message_and_comes_in_another() {
    let platform = Platform::new().await;
    for chat in [slack(""), mattermost(""), slack("events = [\"promoted\", \"heads-up\"]")] {
        let mut held = Held::new(1, &(platform.chats() + &chat + ANA)).await;
        let before = platform.came().len();
        held.tells("a", heads_up(&held, 1, 2, "Ana", "Fix invoice rounding")).await;
        let first = platform.last();
        held.restarts().await;
        held.later(1);
        held.tells("b", taken_back(&held, 2)).await;
        let came = platform.came();
        let [_, back] = &came[before..] else { panic!("{came:#?}") };
        assert!(back.path.ends_with("update") || back.path.ends_with("patch"), "{}", back.path);
        let words = back.words();
        assert!(words.contains("does not go then") && words.contains("marek"), "{words}");
        assert!(words.contains("Fix invoice rounding"), "what it was about stands there: {words}");
        assert_eq!(first.buttons(), ["Hold mine", "Promote now", "Why?"]);
        assert_eq!(back.buttons(), ["Why?"]);
        assert!(!back.calls("UANA"), "{:#}", back.body);
        // The hold is lifted: people are shown that, and it is that message that is changed from then on.
        held.later(1);
        held.tells("c", heads_up(&held, 1, 2, "Ana", "Fix invoice rounding")).await;
        held.later(8);
        held.tells("d", landed(1, 2)).await;
        let paths: Vec<String> = platform.paths().split_off(before);
        assert_eq!(paths.len(), 4, "{paths:?}");
        assert_eq!(paths[0], paths[2], "a message of its own: {paths:?}");
        assert!(
            platform.last().words().contains("Towpath moved")
                && paths[3].ends_with(&paths[1][paths[1].len() - 5..])
        );
        assert_ne!(platform.last().body["ts"].as_str().map(|ts| ts == "100.1"), Some(true));
        assert_eq!(held.count(NoticeState::Sent).await, 4);
    }
}

#[tokio::test]
async fn what_comes_at_once_after_it_was_stopped_has_a_message_of_its_own() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", heads_up(&held, 1, 2, "Ana", "One")).await;
    held.later(1);
    held.tells("b", taken_back(&held, 2)).await;
    held.later(1);
    held.tells("c", landed(1, 2)).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update", "/api/chat.postMessage"]);
    // Of what landed nothing is taken back.
    held.later(1);
    held.tells("d", taken_back(&held, 2)).await;
    assert_eq!(platform.came().len(), 3);
    assert_eq!(held.count(NoticeState::Sent).await, 4);
}

#[tokio::test]
async fn what_nobody_was_told_is_not_taken_back() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", taken_back(&held, 2)).await;
    held.tells("b", heads_up(&held, 1, 3, "Ana", "One")).await;
    held.later(1);
    held.tells("c", taken_back(&held, 2)).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage"]);
    // The chat was not there when it was announced: nobody is told of either, also not later.
    platform.refuses("internal_error");
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("d", heads_up(&held, 1, 2, "Ana", "Two")).await;
    let tried = platform.came().len();
    assert_eq!(held.count(NoticeState::Waiting).await, 1);
    held.tells("e", taken_back(&held, 2)).await;
    held.later(5);
    held.deliver().await;
    assert_eq!((platform.came().len(), held.count(NoticeState::Sent).await), (tried, 2));
}

fn pause(held: &Held, until: Until) -> Pause {
    Pause {
        id: "p1".into(),
        kind: PauseKind::Pause,
        scope: Scope::Edge("f1".into(), "production".into()),
        by: "ana".into(),
        reason: "database <@UANA> failover".to_owned(),
        at: held.now(),
        until,
        cause: None,
        began: None,
    }
}

#[tokio::test]
async fn a_message_of_what_is_paused_says_so() {
    let platform = Platform::new().await;
    for chat in [slack(""), mattermost("")] {
        let mut held = Held::new(2, &(platform.chats() + &chat + ANA)).await;
        held.pauses.push(pause(&held, Until::At(held.now() + Span::from_mins(120))));
        held.tells("a", landed(1, 2)).await;
        // Mattermost's text has its signs written as entities.
        let words = platform.last().words().replace("&#58;", ":");
        assert!(words.contains("⏸") && words.contains("is paused until Sat 21 Nov 2026 12:00 UTC"), "{words}");
        assert!(words.contains("ana") && words.contains("failover"), "{words}");
        assert!(!platform.last().calls("UANA"), "{:#}", platform.last().body);
        // It stands elsewhere, or is over.
        held.happens_in(1, "b", landed(1, 2)).await;
        held.later(120);
        held.tells("c", landed(2, 3)).await;
        let came = platform.came();
        let [.., second, third] = &*came else { panic!("{came:#?}") };
        assert!(!second.words().contains("⏸") && !third.words().contains("⏸"), "{came:#?}");
    }
}

fn ends(held: &Held, by: &str) -> Event {
    Event::EndsSoon {
        kind: PauseKind::Pause,
        scope: Scope::Edge("f1".into(), "production".into()),
        by: by.into(),
        reason: "failover".to_owned(),
        until: Instant(held.now().0 + 900_000),
    }
}

#[tokio::test]
async fn who_ordered_a_pause_is_called_before_it_ends() {
    let platform = Platform::new().await;
    for (by, mention, called) in [
        ("ana", "", true),
        ("Ana", "mention = \"problems\"", true),
        ("slack:T1/UANA", "", true),
        ("ana", "mention = \"never\"", false),
        ("os:ana@laptop", "", false),
        ("<@UANA>", "", false),
    ] {
        let held = Held::new(1, &(platform.chats() + &slack(mention) + ANA)).await;
        held.tells("a", ends(&held, by)).await;
        let last = platform.last();
        assert_eq!((last.calls("UANA"), last.buttons()), (called, vec!["Resume now".to_owned()]), "{by} {mention}");
        assert!(last.words().contains("Ordered by"), "{}", last.words());
    }
    let held = Held::new(1, &(platform.chats() + &mattermost("") + ANA)).await;
    held.tells("a", ends(&held, "ana")).await;
    assert!(platform.last().words().contains("Ordered by @ana"), "{}", platform.last().words());
}

#[tokio::test]
async fn what_a_retry_may_help_has_the_button() {
    let platform = Platform::new().await;
    let mut held = Held::new(1, &(platform.chats() + &slack(""))).await;
    let behind = || Event::Behind { oldest: commit(2), since: Instant(1_795_000_000_000) };
    held.tells("a", behind()).await;
    assert_eq!(platform.last().buttons(), ["Why?"]);
    held.retry = true;
    held.later(1);
    held.tells("b", behind()).await;
    assert_eq!(platform.last().buttons(), ["Why?", "Retry"]);
    assert!(platform.last().body.to_string().contains("retry f1 production"), "{:#}", platform.last().body);
    held.tells("c", heads_up(&held, 1, 2, "Ana", "One")).await;
    held.later(1);
    held.tells("d", taken_back(&held, 2)).await;
    assert_eq!(platform.last().buttons(), ["Why?", "Retry"]);
    // Nothing to try again about what moved.
    held.later(1);
    held.tells("e", landed(1, 2)).await;
    assert!(platform.last().buttons().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_in_a_chat_that_a_pause_stands_where_somebody_promotes() {
    let platform = Platform::new().await;
    let place = Place::new(&(platform.chats() + &slack("")));
    place.runs().await;
    let (code, said) = place.towpath(&["pause", "shop", "production", "--for", "2h", "--reason", "failover"]).await;
    assert_eq!(code, Some(0), "{said}");
    place.push("one");
    place.towpath(&["run"]).await;
    assert!(platform.came().is_empty());
    let (code, said) = place.towpath(&["promote", "shop", "production", "--reason", "now", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    place.towpath(&["run"]).await;
    let words = platform.last().words();
    assert!(words.contains("Towpath moved") && words.contains("is paused until"), "{words}");
    // And wherever one looks.
    let tip = place.repo.tip("develop").expect("a tip").to_string();
    place.push("two");
    place.towpath(&["run"]).await;
    for view in [
        vec!["status"],
        vec!["status", "shop"],
        vec!["plan"],
        vec!["plan", "shop", "production"],
        vec!["explain", "shop", "production"],
        vec!["explain", &tip],
        vec!["where", &tip],
        vec!["diff", "shop", "production"],
        vec!["history", "shop"],
        vec!["run"],
    ] {
        let (_, said) = place.towpath(&view).await;
        let at = said.lines().position(|line| line.contains("`production` of `shop` is paused until"));
        assert!(at.is_some_and(|at| at <= 1), "{view:?}: {said}");
        let (_, json) = place.towpath(&[&view[..], &["-o", "json"]].concat()).await;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|why| panic!("{why}: {json}"));
        let text = json.to_string();
        assert!(text.contains("\"paused\":[{") && text.contains("failover"), "{view:?}: {json:#}");
    }
    place.towpath(&["resume", "shop", "production"]).await;
    let (_, said) = place.towpath(&["explain", &tip]).await;
    assert!(!said.contains("is paused"), "{said}");
}
