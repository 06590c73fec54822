//! What was said to a process that is gone.

use serde_json::json;
use towpath::clock::Clock;
use towpath::store::{Create, Holder, NewAsked, Room, SqliteStore, Taken};
use towpath_core::model::Instant;

use super::{Platform, place, rows, shown};

#[test]
fn what_was_begun_when_the_process_died_or_said_long_ago_sets_nothing_going() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&place.path().join("towpath.db"), Create::No).await.unwrap();
        let wall = Clock::System.reading().wall;
        let long_ago = Instant(wall.0 - 3_600_000);
        let said = [
            ("1", "promote shop/checkout staging --reason r", wall),
            ("2", "status", wall),
            ("3", "pause shop/checkout production --for 1h --reason r", wall),
            ("4", "resume shop/checkout production", long_ago),
        ];
        for (once, text, at) in said {
            let asked = json!({
                "platform": "slack", "team": "T1", "user": "UOLGA", "user_name": "x", "proof": "request",
                "channel": "CSHOP", "once": once, "what": { "said": text }, "message": null,
                "answer_at": format!("http://127.0.0.1:{}/commands/1/{once}", platform.port),
            });
            // A version that knows no lanes took the last.
            let lane = match once {
                "1" => "orders",
                "2" => "asks",
                "3" => "stops",
                _ => "",
            };
            let text = asked.to_string();
            let new = NewAsked { place: "chat:work", once, who: "UOLGA", asked: &text, lane };
            let room = Room { all: None, own: 9 };
            assert_eq!(store.take_asked(&new, at, room).await.unwrap(), Taken::New);
            assert_eq!(store.take_asked(&new, at, room).await.unwrap(), Taken::Before, "taken once");
        }
        // Three processes began the first three, one after the other, and none outlived it.
        let me = Holder::this_process();
        for turn in 1..=3 {
            for (once, lane) in [("1", "orders"), ("2", "asks"), ("3", "stops")] {
                let begun = store.begin_asked(lane, false, &me, wall).await.unwrap().unwrap();
                assert_eq!((begun.once.as_str(), begun.turn, begun.done), (once, turn, false));
                let none = store.begin_asked(lane, false, &me, wall).await.unwrap();
                assert_eq!(none, None, "one at a time");
            }
            store.release_asked(&me).await.unwrap();
        }
        store.close().await.unwrap();
    });
    let _service = place.serve();
    platform.tells(4);
    let told = platform.told();
    let answer = |once: &str| {
        let mut to = told.iter().filter(|(path, _)| path.ends_with(&format!("/{once}")));
        shown(&to.next().unwrap_or_else(|| panic!("{once}: {told:?}")).1)
    };
    assert!(answer("1").contains("does not begin it again"), "{}", answer("1"));
    assert!(answer("2").contains("shop/checkout (as of"), "a question is answered: {}", answer("2"));
    assert!(answer("3").contains("is paused until"), "to stop is safe: {}", answer("3"));
    assert!(answer("4").contains("is not done any more"), "what sets going is not done late: {}", answer("4"));
    assert!(place.ok(&["status"]).contains("is paused"));
    let refused: Vec<String> = rows(&place)
        .iter()
        .filter(|row| row["allowed"] == false)
        .map(|row| row["command"].as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(refused.len(), 2, "on record, too: {refused:?}");
}
