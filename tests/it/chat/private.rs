//! What Mattermost shows one person: a press is answered in its own response, once, and by a direct message where that
//! comes too late, where there is something to press, or where the bot may not write. A bot may not post what only one
//! person sees (`create_post_ephemeral` is given to system administrators).

use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value as Json, json};
use towpath::chat::mattermost::seal;
use towpath::chat::message::Press;
use towpath::clock::Clock;
use towpath::secret::Secret;
use towpath::store::{Create, Holder, NewAsked, Room, SqliteStore};
use towpath_core::model::Instant;

use super::matter::Server;
use super::{Platform, place, post, rows};
use crate::serve::place::{Answer, Place, Service, wait};

const CHANNEL: &str = "channelofshop";

fn press(press: &Press) -> Json {
    let key = Secret::new(b"buttons of the tests".to_vec());
    json!(seal::seal(&key, press, CHANNEL, Clock::System.reading().wall).unwrap())
}

fn action(channel: &str, user: &str, trigger: &str, sealed: &Json) -> String {
    let team = if channel.starts_with("dm") { "" } else { "M2" };
    json!({ "user_id": user, "user_name": "x", "channel_id": channel, "team_id": team, "post_id": "p1",
        "trigger_id": trigger, "type": "button", "context": { "towpath": sealed } })
    .to_string()
}

fn send(service: &Service, body: &str) -> Answer {
    post(service, "/chat/matter/press", &[("Content-Type", "application/json")], body)
}

/// What somebody is shown who presses a button that says this; empty for nothing.
fn says(service: &Service, server: &Server, (user, once): (&str, &str), text: &str) -> String {
    let sealed = press(&Press::Say(text.to_owned()));
    let answer = send(service, &action(CHANNEL, user, &server.trigger(once, user, 0), &sealed));
    assert_eq!(answer.status, 200, "{answer:?}");
    text_of(&answer)
}

fn text_of(answer: &Answer) -> String {
    let said: Json = serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    said["ephemeral_text"].as_str().unwrap_or_default().replace(['`', '\\'], "")
}

/// What was posted to a channel.
fn posts(platform: &Platform, channel: &str) -> Vec<String> {
    let all =
        platform.told().into_iter().filter(|(path, body)| path == "/api/v4/posts" && body["channel_id"] == channel);
    all.map(|(_, body)| body["message"].as_str().unwrap().replace(['`', '\\'], "")).collect()
}

fn began() -> (Platform, Server, Place) {
    let platform = Platform::new();
    let (server, place) = (Server::of(&platform), place(&platform));
    (platform, server, place)
}

#[test]
fn a_press_is_answered_in_its_own_response_and_nowhere_else() {
    let (platform, server, place) = began();
    let mut service = place.serve();
    service.says(&["production", "up to date"]);
    for (user, once, text, wanted) in [
        ("uolga", "q1", "explain checkout production", "production"),
        ("uolga", "q2", "pause checkout production --for 1h", "reason"),
        ("udan", "q3", "pause checkout production --for 1h --reason r", "is linked to no person"),
        ("uolga", "q4", "puase all", "pause"),
    ] {
        let words = says(&service, &server, (user, once), text);
        assert!(words.contains(wanted), "{text}: {words}");
    }
    // What was done is told to everybody in the channel, and by that to whoever pressed.
    assert_eq!(says(&service, &server, ("uolga", "q5"), "pause checkout production --for 1h --reason r"), "");
    wait("a post", || posts(&platform, CHANNEL).iter().any(|text| text.contains("is paused until")));
    // Nothing of it is owed to anybody, also after a restart. (A kill could come before it is noted that it was told.)
    service.signal(rustix::process::Signal::TERM);
    assert_eq!(service.ends(), Some(0));
    drop(service);
    let service = place.serve();
    assert!(says(&service, &server, ("uolga", "q6"), "status checkout").contains("is paused until"));
    let told: Vec<String> =
        platform.told().into_iter().map(|(path, _)| path).filter(|path| !path.contains("config")).collect();
    assert_eq!(told, ["/api/v4/posts"]);
    // What the server sends again is not answered a second time.
    let body =
        action(CHANNEL, "uolga", &server.trigger("q7", "uolga", 0), &press(&Press::Say("whoami".to_owned())));
    assert!(text_of(&send(&service, &body)).contains("olga"));
    assert_eq!(send(&service, &body).body, "{}");
}

#[test]
fn what_has_buttons_is_a_direct_message_whose_button_works_and_the_channel_learns_of_it() {
    let (platform, server, place) = began();
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote shop/checkout production --reason \"customers wait\"";
    // On a machine that is slow today the message alone comes.
    let words = says(&service, &server, ("uolga", "p1"), text);
    assert!(words.is_empty() || words.contains("direct message"), "{words}");
    wait("a direct message", || !posts(&platform, "dmuolga").is_empty());
    let told = platform.told();
    let opened: Vec<&Json> =
        told.iter().filter(|(path, _)| path == "/api/v4/channels/direct").map(|(_, body)| body).collect();
    assert_eq!(opened, [&json!(["thebot", "uolga"])]);
    let (_, shown) = told.iter().find(|(path, _)| path == "/api/v4/posts").expect("a post");
    assert_eq!(shown["channel_id"], "dmuolga", "{shown}");
    assert!(shown["message"].as_str().unwrap().contains("Nothing was done yet"), "{shown}");
    let button = &shown["props"]["attachments"][0]["actions"][0];
    let sealed = &button["integration"]["context"]["towpath"];
    assert_eq!(button["name"], "Do it");
    // It is good where it stands, for whoever may, and not in the channel where the first one was pressed.
    assert_eq!(send(&service, &action(CHANNEL, "uolga", &server.trigger("p2", "uolga", 0), sealed)).status, 403);
    let done = send(&service, &action("dmuolga", "uolga", &server.trigger("p3", "uolga", 0), sealed));
    assert_eq!(done.status, 200);
    place.arrives("checkout", "master", tip);
    let own = text_of(&done).replace("&#58;", ":");
    assert!(own.starts_with("Done: ") && own.contains("promote shop/checkout production"), "{own}");
    wait("the channel learns of it", || {
        posts(&platform, CHANNEL).iter().any(|text| text.contains("Recorded as command-"))
    });
    let again = send(&service, &action("dmuolga", "uolga", &server.trigger("p4", "uolga", 0), sealed));
    assert!(text_of(&again).contains("you have confirmed this already"), "{again:?}");
    assert_eq!((posts(&platform, "dmuolga").len(), posts(&platform, CHANNEL).len()), (1, 1));
}

#[test]
fn where_the_bot_may_not_post_whoever_ordered_it_is_told_and_the_log_says_once_what_is_missing() {
    for status in [403, 404] {
        let (platform, server, place) = began();
        platform.closes(CHANNEL, status);
        let service = place.serve();
        service.says(&["production", "up to date"]);
        let orders = ["pause checkout production --for 1h --reason r", "resume checkout production"];
        for (at, text) in orders.iter().enumerate() {
            assert_eq!(says(&service, &server, ("uolga", &format!("c{at}")), text), "");
            wait("a direct message", || posts(&platform, "dmuolga").len() > at);
        }
        let told = posts(&platform, "dmuolga");
        assert!(told[0].contains("is paused until") && told[1].contains("Lifted the pause"), "{told:?}");
        let log = service.log();
        let missing: Vec<&String> = log.iter().filter(|line| line.contains("may not post")).collect();
        assert!(missing.len() == 1 && missing[0].contains(CHANNEL), "{missing:?}");
        // Where that is refused, too, the store and the log say so, and what was ordered is done all the same.
        platform.closes("dmuolga", 403);
        assert_eq!(says(&service, &server, ("uolga", "c9"), orders[0]), "");
        service.says(&["an answer could not be given"]);
        assert!(place.ok(&["status"]).contains("is paused until"));
        wait("why it was not answered", || lost(&place).iter().any(|words| words.contains("direct message")));
    }
}

/// Why answers were lost, as the store has it.
fn lost(place: &Place) -> Vec<String> {
    use sqlx::{ConnectOptions as _, Connection as _};
    beside(async || {
        let path = place.path().join("towpath.db");
        let mut conn = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
        let asked = sqlx::query_scalar("SELECT words FROM asked WHERE words IS NOT NULL");
        let found: Vec<String> = asked.fetch_all(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        found
    })
}

fn beside<T>(work: impl AsyncFnOnce() -> T) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work())
}

/// Somebody else's process has begun something in the lane of what stops things, so nothing there is begun before its end.
fn busy(place: &Place) -> Child {
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    beside(async || {
        let store = SqliteStore::open(&place.path().join("towpath.db"), Create::No).await.unwrap();
        let wall = Clock::System.reading().wall;
        let asked = json!({
            "platform": "mattermost", "team": "M2", "user": "uolga", "user_name": "x", "proof": "trigger",
            "channel": CHANNEL, "once": "first", "what": { "said": "pause checkout production --for 1h --reason first" },
            "message": null, "answer_at": null,
        });
        let asked = asked.to_string();
        let new = NewAsked { place: "chat:matter", once: "first", who: "uolga", asked: &asked, lane: "stops" };
        store.take_asked(&new, wall, Room { all: None, own: 9 }).await.unwrap();
        let holder = Holder::of(i32::try_from(child.id()).unwrap());
        store.begin_asked("stops", false, &holder, Instant(wall.0 + 400_000)).await.unwrap().unwrap();
        store.close().await.unwrap();
    });
    child
}

fn ends(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_comes_too_late_for_the_response_is_a_direct_message_once() {
    let (platform, server, place) = began();
    place.ok(&["run"]);
    let child = busy(&place);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let text = "pause checkout production --for 1h --reason late";
    assert_eq!(says(&service, &server, ("udan", "l1"), text), "", "nothing yet");
    assert_eq!(posts(&platform, "dmudan"), Vec::<String>::new());
    ends(child);
    wait("a direct message", || !posts(&platform, "dmudan").is_empty());
    // What is answered after it was taken up after it.
    assert!(says(&service, &server, ("uolga", "l2"), "status checkout").contains("production"));
    drop(service);
    let service = place.serve();
    assert!(says(&service, &server, ("uolga", "l3"), "status checkout").contains("production"));
    let told = posts(&platform, "dmudan");
    assert!(told.len() == 1 && told[0].contains("is linked to no person"), "{told:?}");
}

#[test]
fn what_is_owed_when_the_process_is_killed_is_done_once_and_answered_by_the_next_one() {
    let (platform, server, place) = began();
    place.ok(&["run"]);
    let child = busy(&place);
    let mut service = place.serve();
    service.says(&["production", "up to date"]);
    let sealed = [("udan", "k1"), ("uolga", "k2")].map(|(user, once)| {
        let say = Press::Say("pause checkout production --for 1h --reason killed".to_owned());
        action(CHANNEL, user, &server.trigger(once, user, 0), &press(&say))
    });
    let count = "towpath_hooks_total{source=\"chat\",result=\"taken\"}";
    thread::scope(|scope| {
        let sent: Vec<_> = sealed.iter().map(|body| scope.spawn(|| send(&service, body))).collect();
        wait("both are taken", || service.metric(count) == Some(2.0));
        service.signal(Signal::KILL);
        for sent in sent {
            let answer = sent.join().unwrap();
            assert!(!answer.body.contains("ephemeral_text"), "{answer:?}");
        }
    });
    service.ends();
    ends(child);
    let _service = place.serve();
    wait("a direct message", || !posts(&platform, "dmudan").is_empty());
    wait("a post", || posts(&platform, CHANNEL).len() >= 2);
    let reasons: Vec<String> =
        rows(&place).iter().filter(|row| row["allowed"] == true).map(|row| row["command"].to_string()).collect();
    assert_eq!(reasons.iter().filter(|command| command.contains("killed")).count(), 1, "{reasons:?}");
    assert_eq!(posts(&platform, "dmudan").len(), 1);
}
