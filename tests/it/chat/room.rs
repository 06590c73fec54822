//! How much may wait: nobody fills the room alone, and what stops things is taken whatever waits.

use towpath::store::{AskedRow, Create, Holder, NewAsked, Room, SqliteStore, Taken};
use towpath_core::model::Instant;

use super::{Platform, SIGNING, place, shown, slack, slash};
use crate::serve::place::wait;

#[tokio::test]
async fn there_is_a_share_for_each_and_room_for_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), Create::Yes).await.unwrap();
    let now = Instant(1_790_000_000_000);
    let room = |all: Option<u32>, own: u32| Room { all, own };
    let take = async |place: &str, once: &str, key: &str, who: &str, room: Room| {
        let asked = format!("{{\"{key}\": \"{who}\"}}");
        store.take_asked(&NewAsked { place, once, who, asked: &asked, lane: "asks" }, now, room).await.unwrap()
    };
    for (place, once, who, all, wanted) in [
        ("chat:a", "1", "ana", Some(5), Taken::New),
        ("chat:a", "2", "ana", Some(5), Taken::New),
        ("chat:a", "3", "ana", Some(5), Taken::FullOfTheirs(2)),
        // What came before is known again, however much waits.
        ("chat:a", "2", "ana", Some(5), Taken::Before),
        ("chat:a", "3", "bob", Some(5), Taken::New),
        // One of the same id elsewhere is somebody else.
        ("chat:b", "1", "ana", Some(5), Taken::New),
        ("chat:b", "2", "o'\"x", Some(5), Taken::New),
        ("chat:b", "3", "bob", Some(5), Taken::FullOfAll(5)),
        ("chat:b", "2", "bob", Some(5), Taken::Before),
        // Where it does not matter how much others asked.
        ("chat:b", "3", "bob", None, Taken::New),
        ("chat:a", "4", "ana", None, Taken::FullOfTheirs(2)),
    ] {
        let key = if who == "bob" { "author" } else { "user" };
        let who_text = who.replace('"', "\\\"");
        let asked = format!("{{\"{key}\": \"{who_text}\"}}");
        let new = NewAsked { place, once, who, asked: &asked, lane: "asks" };
        assert_eq!(store.take_asked(&new, now, room(all, 2)).await.unwrap(), wanted, "{place} {once} {who}");
    }
    // What is at work counts, also while its answer alone is owed, and what was given back; what has ended does not.
    let me = Holder::this_process();
    let full = async |why: &str| {
        assert_eq!(take("chat:a", "5", "user", "ana", room(None, 2)).await, Taken::FullOfTheirs(2), "{why}");
        assert_eq!(take("chat:c", "1", "user", "eve", room(Some(6), 2)).await, Taken::FullOfAll(6), "{why}");
    };
    let begin = async || store.begin_asked("asks", true, &me, Instant(now.0 + 1)).await.unwrap().unwrap();
    let begun = begin().await;
    full("at work").await;
    assert!(store.answer_asked(&begun).await.unwrap());
    full("its answer is owed").await;
    store.release_asked(&me).await.unwrap();
    full("given back").await;
    let again = begin().await;
    assert_eq!((again.once.as_str(), again.turn), (begun.once.as_str(), begun.turn + 1));
    store.end_asked(&begun, None).await.unwrap();
    full("ended by whoever has it no more").await;
    store.end_asked(&again, None).await.unwrap();
    assert_eq!(take("chat:a", "5", "user", "ana", room(None, 2)).await, Taken::New);
    assert_eq!(take("chat:a", &begun.once, "user", "ana", room(None, 2)).await, Taken::Before);
}

/// `pause` and the `resume` after it, in two comments of one person, are not done the other way round because the forge
/// answers about the second one first.
#[tokio::test]
async fn comments_of_one_author_come_in_their_order_and_those_of_others_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), Create::Yes).await.unwrap();
    let (now, me) = (Instant(1_790_000_000_000), Holder::this_process());
    let comments =
        [("forge:a", "ana"), ("forge:a", "Ana"), ("forge:b", "ana"), ("forge:a", "bob"), ("forge:a", "bob")];
    for (at, (place, who)) in comments.into_iter().enumerate() {
        let asked = serde_json::json!({ "author": who }).to_string();
        let new = NewAsked { place, once: &at.to_string(), who, asked: &asked, lane: "comments" };
        assert_eq!(store.take_asked(&new, now, Room { all: None, own: 9 }).await.unwrap(), Taken::New);
    }
    let begin = async || store.begin_asked("comments", true, &me, Instant(now.0 + 1)).await.unwrap();
    let mut begun = Vec::new();
    while let Some(row) = begin().await {
        begun.push(row);
    }
    let which = |rows: &[AskedRow]| rows.iter().map(|row| row.once.clone()).collect::<Vec<_>>();
    assert_eq!(which(&begun), ["0", "2", "3"]);
    // Its answer alone is owed: what comes after it need not wait.
    assert!(store.answer_asked(&begun[2]).await.unwrap());
    store.end_asked(&begun[0], None).await.unwrap();
    let then = [begin().await, begin().await, begin().await].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(which(&then), ["1", "4"]);
}

/// What the store failed us at, where it was begun or was to be ended, keeps no lane waiting until the next start; and
/// what was given back undone is not ended by whoever had it.
#[tokio::test]
async fn what_was_begun_by_nobody_any_more_waits_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), Create::Yes).await.unwrap();
    let (now, me) = (Instant(1_790_000_000_000), Holder::this_process());
    for once in ["1", "2", "3"] {
        let new = NewAsked { place: "chat:a", once, who: "ana", asked: "{\"user\": \"ana\"}", lane: "stops" };
        assert_eq!(store.take_asked(&new, now, Room { all: None, own: 9 }).await.unwrap(), Taken::New);
    }
    let begin = async || store.begin_asked("stops", false, &me, Instant(now.0 + 60_000)).await.unwrap();
    let state = async || store.asked_state(&me, now).await.unwrap();
    let lost = begin().await.unwrap();
    assert_eq!((state().await.own, begin().await), (1, None), "nothing else is begun meanwhile");
    // At work it stays; with nobody at it it is given back, alone.
    store.disown_asked(&me, &[lost.seq].into()).await.unwrap();
    assert_eq!(state().await.own, 1);
    store.disown_asked(&me, &[lost.seq + 1].into()).await.unwrap();
    assert_eq!(state().await.own, 0);
    // Who had it is too late to end it.
    store.end_asked(&lost, None).await.unwrap();
    let again = begin().await.unwrap();
    assert_eq!((&again.once, again.turn), (&lost.once, 2));
    store.release_asked(&me).await.unwrap();
    store.end_asked(&again, None).await.unwrap();
    let third = begin().await.unwrap();
    assert_eq!((&third.once, third.turn), (&lost.once, 3), "given back by a stop, it is not ended by the answer");
    store.end_asked(&third, None).await.unwrap();
    assert_eq!(begin().await.map(|row| row.once).as_deref(), Some("2"));
}

#[test]
fn nobody_fills_the_room_alone_and_what_stops_is_taken_all_the_same() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    // Nothing is answered in the time of this test, so everything waits.
    platform.hangs();
    let say = |user: &str, once: &str, text: &str| {
        let answer = slack(&service, &slash(&platform, ("T1", user, "CSHOP"), once, text), SIGNING, 0);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    for n in 0..20 {
        assert_eq!(say("UOLGA", &format!("{n}.a"), "status"), "", "{n}");
    }
    let full = serde_json::from_str(&say("UOLGA", "20.a", "status")).unwrap();
    let words = shown(&full);
    assert!(words.contains("you have 20 requests waiting") && words.contains("pause"), "{full}");
    assert_eq!(full["response_type"], "ephemeral");
    // What was taken is known again, and others have their own share.
    assert_eq!(say("UOLGA", "3.a", "status"), "");
    assert_eq!(say("UDAN", "1.b", "status"), "");
    assert!(say("UOLGA", "21.a", "resume all").contains("waiting"), "what sets things going is no exception");
    assert_eq!(say("UOLGA", "22.a", "pause production --for 1h --reason urgent"), "");
    wait("the pause", || place.ok(&["status"]).contains("is paused"));
    for (result, times) in [("taken", 22.0), ("repeated", 1.0), ("too-many", 2.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
}
