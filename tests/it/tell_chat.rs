//! Sinks that are chats: one message for each promotion and problem, changed in place, also after a restart. The platform
//! is a server of the tests that keeps what it is told; everything before it is the real thing.

mod back;
mod late;
mod place;
mod written;

use std::path::Path;

use serde_json::json;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::setup::{Need, Setup};
use towpath::store::NoticeState;
use towpath::tell::Sinks;
use towpath::tell::post::deliver;
use towpath_core::model::Span;

use self::place::{ANA, Held, Platform, heads_up, landed, mattermost, refused, slack};
use crate::tell::Place;

#[tokio::test]
async fn a_promotion_is_one_message_that_is_changed_when_it_landed_also_after_a_restart() {
    let platform = Platform::new().await;
    let sink = slack("mention = \"heads-up\"");
    let mut held = Held::new(1, &(platform.chats() + &sink + ANA)).await;
    let delivered = held.tells("a", heads_up(&held, 1, 2, "Ana", "Fix invoice rounding")).await;
    assert_eq!(delivered.sent["chat"], 1);
    let posted = platform.last();
    assert_eq!((&*posted.path, &*posted.token), ("/api/chat.postMessage", "Bearer xoxb-t0ken"));
    assert_eq!(posted.body["channel"], "C1");
    let words = posted.words();
    assert!(words.contains("Fix invoice rounding") && words.contains("production"), "{words}");
    assert!(posted.calls("UANA"), "{:#}", posted.body);
    assert_eq!(posted.buttons(), ["Hold mine", "Promote now", "Why?"]);
    held.restarts().await;
    held.later(10);
    held.tells("b", landed(1, 2)).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update"]);
    let changed = platform.last();
    assert_eq!((&changed.body["channel"], &changed.body["ts"]), (&json!("C1"), &json!("100.1")));
    let words = changed.words();
    assert!(words.contains("Towpath moved") && words.contains("Fix invoice rounding"), "{words}");
    assert!(changed.buttons().is_empty() && !changed.calls("UANA"), "{:#}", changed.body);
    assert!(changed.body.to_string().contains("https://git.example.com/compare"), "{:#}", changed.body);
    assert_eq!(held.count(NoticeState::Sent).await, 2);
    // Nothing is left to say.
    held.restarts().await;
    held.later(60);
    held.deliver().await;
    assert_eq!(platform.came().len(), 2);
}

#[tokio::test]
async fn what_comes_otherwise_than_it_was_announced_takes_the_announcement_back() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", heads_up(&held, 1, 2, "Marek", "Dark menu")).await;
    held.later(1);
    held.tells("b", landed(1, 9)).await;
    let came = platform.came();
    let [first, back, second] = &*came else { panic!("{came:#?}") };
    assert!(!first.calls("UANA"), "by default a heads-up calls nobody");
    assert_eq!((&*back.path, &back.body["ts"]), ("/api/chat.update", &json!("100.1")));
    assert!(back.words().contains("did not come as it was announced") && back.buttons().is_empty());
    assert_eq!(second.path, "/api/chat.postMessage");
    assert!(second.words().contains("Towpath moved"));
}

#[tokio::test]
async fn what_is_refused_again_is_counted_in_its_message_which_ends_when_it_lands() {
    let platform = Platform::new().await;
    let mut held = Held::new(1, &(platform.chats() + &slack("") + ANA)).await;
    held.tells("a", refused(2, "remote: protected branch")).await;
    let first = platform.last();
    assert!(first.calls("UANA"), "problems call by default: {:#}", first.body);
    assert_eq!(first.body.to_string().matches("\"user_id\"").count(), 1, "once, and nobody else");
    held.later(5);
    held.restarts().await;
    held.tells("b", refused(2, "remote: protected branch")).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update"]);
    let again = platform.last();
    assert_eq!(again.body["ts"], "100.1");
    assert!(again.words().contains("×2"), "{}", again.words());
    assert!(again.words().contains("protected branch"), "{}", again.words());
    assert_eq!(again.buttons(), ["Why?", "Retry"]);
    held.later(5);
    held.tells("c", landed(1, 2)).await;
    let came = platform.came();
    let ended = came.iter().rfind(|call| call.path == "/api/chat.update").unwrap();
    assert_eq!(ended.body["ts"], "100.1");
    assert!(ended.buttons().is_empty(), "{:#}", ended.body);
    assert_eq!(held.count(NoticeState::Sent).await, 3);
}

#[tokio::test]
async fn many_flows_at_once_are_one_summary_and_few_are_not() {
    let platform = Platform::new().await;
    let held = Held::new(15, &(platform.chats() + &slack(""))).await;
    for flow in 0..15 {
        held.happens_in(flow, &format!("m{flow}"), landed(1, 2)).await;
    }
    let delivered = held.deliver().await;
    assert_eq!(delivered.sent["chat"], 15);
    let came = platform.came();
    let [summary] = &*came else { panic!("{came:#?}") };
    let words = summary.words();
    assert!(words.contains("15 flows at once"), "{words}");
    assert!((1..=15).all(|n| words.contains(&format!("f{n}"))), "{words}");
    held.later(10);
    for flow in 0..10 {
        held.happens_in(flow, &format!("n{flow}"), landed(2, 3)).await;
    }
    held.deliver().await;
    assert_eq!(platform.came().len(), 11, "ten are told one by one");
}

#[tokio::test]
async fn a_message_that_is_gone_is_posted_anew_and_then_that_one_is_changed() {
    let platform = Platform::new().await;
    let mut held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", refused(2, "no")).await;
    held.later(1);
    platform.refuses("message_not_found");
    held.tells("b", refused(2, "no")).await;
    let paths = ["/api/chat.postMessage", "/api/chat.update", "/api/chat.postMessage"];
    assert_eq!(platform.paths(), paths);
    assert!(platform.last().words().contains("×2"), "{}", platform.last().words());
    held.later(1);
    held.restarts().await;
    held.tells("c", refused(2, "no")).await;
    let third = platform.last();
    assert_eq!((&*third.path, &third.body["ts"]), ("/api/chat.update", &json!("100.3")));
    assert!(third.words().contains("×3"), "{}", third.words());
}

#[tokio::test]
async fn what_is_gone_and_has_nothing_new_is_not_posted_anew() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", heads_up(&held, 1, 2, "Ana", "One")).await;
    held.later(1);
    // What takes the announcement back finds it deleted.
    platform.refuses("message_not_found");
    held.tells("b", landed(1, 9)).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update", "/api/chat.postMessage"]);
    assert!(platform.last().words().contains("Towpath moved"));
    held.later(1);
    held.tells("c", landed(9, 10)).await;
    assert_eq!(platform.came().len(), 4, "and it is not tried again");
}

#[tokio::test]
async fn a_dead_token_keeps_everything_in_the_outbox_until_it_is_mended() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    platform.refuses("invalid_auth");
    platform.refuses("invalid_auth");
    let delivered = held.tells("a", landed(1, 2)).await;
    assert_eq!((delivered.failed["chat"], delivered.sent.len()), (1, 0));
    let rows = held.store().notices(Some(NoticeState::Waiting), 10).await.unwrap();
    let words = rows[0].words.clone().unwrap_or_default();
    assert!(words.contains("invalid_auth") && words.contains("bot token is not valid"), "{words}");
    assert!(!words.contains("xoxb") && rows[0].attempts == 1 && rows[0].next > held.now());
    // Nothing is tried before it is due.
    held.deliver().await;
    assert_eq!(platform.came().len(), 1);
    held.tells("b", landed(2, 3)).await;
    assert_eq!((platform.came().len(), held.count(NoticeState::Waiting).await), (2, 2));
    held.later(60);
    held.deliver().await;
    assert_eq!((platform.came().len(), held.count(NoticeState::Sent).await), (4, 2));
}

#[tokio::test]
async fn a_limit_is_kept_and_what_is_never_taken_is_given_up() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    for _ in 0..40 {
        platform.refuses("channel_not_found");
    }
    held.happens_in(0, "a", landed(1, 2)).await;
    let mut tries = 0;
    while held.count(NoticeState::Waiting).await > 0 {
        let delivered = held.deliver().await;
        if let Some(next) = delivered.next {
            assert!(next > held.now());
            held.clock.advance(next.since(held.now()));
        }
        tries += 1;
        assert!(tries < 40);
    }
    assert_eq!((held.count(NoticeState::Dead).await, platform.came().len()), (1, tries));
    // A person has it sent again.
    platform.answers.lock().unwrap().clear();
    let id = held.store().notices(Some(NoticeState::Dead), 1).await.unwrap()[0].id.clone();
    assert_eq!(held.store().revive_notices(&[id], held.now()).await.unwrap(), 1);
    held.deliver().await;
    assert_eq!(held.count(NoticeState::Sent).await, 1);
}

#[tokio::test]
async fn one_process_at_a_time_tells_a_chat() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    let until = held.now() + Span::from_secs(60);
    assert!(held.store().claim_chat("chat", held.now(), until).await.unwrap());
    let delivered = held.tells("a", landed(1, 2)).await;
    assert!(platform.came().is_empty());
    assert!(delivered.next.is_some_and(|next| next > held.now()), "it is looked for again: {delivered:?}");
    held.store().release_chat("chat", until).await.unwrap();
    held.deliver().await;
    assert_eq!(platform.came().len(), 1);
    // It let go of it.
    assert!(held.store().claim_chat("chat", held.now(), until).await.unwrap());
    // One that died in the middle is waited for no longer than a minute.
    held.happens_in(0, "b", landed(2, 3)).await;
    held.later(2);
    held.deliver().await;
    assert_eq!(platform.came().len(), 2);
}

#[tokio::test]
async fn mattermost_is_told_the_same_with_names_and_sealed_buttons() {
    let platform = Platform::new().await;
    let mut held = Held::new(1, &(platform.chats() + &mattermost("mention = \"all\"") + ANA)).await;
    held.tells("a", heads_up(&held, 1, 2, "Ana", "Fix invoice rounding")).await;
    let posted = platform.last();
    assert_eq!((&*posted.path, &posted.body["channel_id"]), ("/api/v4/posts", &json!("chan1")));
    let words = posted.body["message"].as_str().unwrap().to_owned();
    assert!(words.contains("@ana") && words.contains("Fix invoice rounding"), "{words}");
    assert_eq!(posted.buttons(), ["Hold mine", "Promote now", "Why?"]);
    let first = &posted.body["props"]["attachments"][0]["actions"][0]["integration"];
    assert_eq!(first["url"], "https://towpath.example.com/chat/matter/press");
    assert!(first["context"]["towpath"]["code"].as_str().is_some_and(|code| code.len() == 64), "{first}");
    held.restarts().await;
    held.later(10);
    held.tells("b", landed(1, 2)).await;
    let changed = platform.last();
    let nth = platform.came.lock().unwrap().iter().position(|call| call.path == "/api/v4/posts").unwrap() + 1;
    assert_eq!(changed.path, format!("/api/v4/posts/post{nth}/patch"));
    assert!(changed.words().contains("Towpath moved") && changed.buttons().is_empty(), "{:#}", changed.body);
    // Deleted: the next problem of the same kind is posted anew.
    held.later(10);
    held.tells("c", refused(3, "no")).await;
    held.later(1);
    platform.answers(404, &json!({ "id": "app.post.get.app_error", "message": "none" }));
    held.tells("d", refused(3, "no")).await;
    let paths = platform.paths();
    assert!(paths[paths.len() - 2].ends_with("/patch") && paths[paths.len() - 1] == "/api/v4/posts", "{paths:?}");
    assert_eq!(held.count(NoticeState::Waiting).await, 0);
}

/// Subjects, names and words of servers, as somebody would write them who wants more than to be read.
const HOSTILE: [&str; 13] = [
    "<!channel> <!here|here> <!everyone> <@UANA> <#C1>",
    "@all @here @channel @ana",
    "<https://evil.example|Promote now>",
    "[Promote now](https://evil.example) ![x](https://evil.example/x.png)",
    "*bold* _it_ ~no~ **bold** # heading",
    "one\ntwo\r\n\u{2028}@channel\u{85}<!channel>",
    "\u{1b}[31mred\u{1b}]8;;https://evil.example\u{7}",
    "\u{202e}gnp.exe \u{2066}x\u{2069} \u{200b}",
    "\0\u{1}\u{7f}",
    "\"}],\"blocks\":[{\"type\":\"divider\"}]",
    "{{ text }} {% raw %} ${HOME} $(id)",
    "`` ` ``` x",
    "",
];

#[tokio::test]
async fn what_is_hostile_stays_text() {
    let platform = Platform::new().await;
    let both = slack("").replace("sink.chat", "sink.one") + &mattermost("").replace("sink.chat", "sink.two");
    let held = Held::new(1, &(platform.chats() + &both)).await;
    for (n, text) in (1..).zip(HOSTILE) {
        held.tells(&format!("h{n}"), heads_up(&held, n, n + 1, text, text)).await;
        held.tells(&format!("r{n}"), refused(n + 100, &format!("remote: {text}"))).await;
        held.later(120);
    }
    assert_eq!(held.count(NoticeState::Waiting).await, 0);
    let came = platform.came();
    assert!(came.len() >= 4 * HOSTILE.len() - 2, "{}", came.len());
    for call in &came {
        let words = call.words();
        let body = &call.body;
        assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "{words:?}");
        if call.path.starts_with("/api/chat.") {
            let odd = ["mrkdwn", "broadcast", "user", "usergroup", "channel", "emoji", "divider", "image"];
            assert!(!call.types().iter().any(|one| odd.contains(&&**one)), "{body:#}");
            assert!(!body["text"].as_str().unwrap().contains('<'), "{body:#}");
            assert!(!body.to_string().contains("\"url\":\"https://evil"), "{body:#}");
        } else {
            for odd in ["@all", "@here", "@channel", "](https://evil", "<https://evil"] {
                assert!(!words.contains(odd), "{odd}: {words}");
            }
        }
        let known = ["Hold mine", "Promote now", "Why?", "Retry"];
        assert!(call.buttons().iter().all(|label| known.contains(&&**label)), "{body:#}");
    }
}

#[tokio::test]
async fn a_webhook_beside_a_chat_is_told_as_before() {
    let (platform, hooks) = (Platform::new().await, Platform::new().await);
    let hook = format!("[sink.hook]\nkind = \"webhook\"\nurl = \"{}/hook\"\n", hooks.url);
    let held = Held::new(1, &(platform.chats() + &slack("") + &hook)).await;
    platform.refuses("invalid_auth");
    let delivered = held.tells("a", landed(1, 2)).await;
    assert_eq!((delivered.sent.get("hook"), delivered.failed.get("chat")), (Some(&1), Some(&1)));
    let body = hooks.last().body;
    assert_eq!((&body["event"], &body["schema_version"]), (&json!("promoted"), &json!(1)));
    assert!(body.get("zone").is_none() && body.get("compare").is_none(), "chats are told more: {body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_tells_a_promotion_and_says_in_the_outbox_what_is_the_matter() {
    let platform = Platform::new().await;
    let place = Place::new(&(platform.chats() + &slack("")));
    place.runs().await;
    assert!(platform.came().is_empty(), "nothing has happened");
    place.push("one");
    platform.refuses("not_in_channel");
    place.runs().await;
    let (_, said) = place.towpath(&["outbox"]).await;
    assert!(said.contains("not_in_channel") && said.contains("/invite"), "{said}");
    // Past the first wait.
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    place.runs().await;
    let (_, said) = place.towpath(&["outbox"]).await;
    assert_eq!(said, "Every sink took what it was told.\n");
    assert!(platform.last().words().contains("Towpath moved"), "{:#}", platform.last().body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wrote_what_was_lost_is_called() {
    let platform = Platform::new().await;
    let dan = "[people.dan]\nidentities = [\"mail:ana@example.com\", \"slack:T1/UDAN\"]\n";
    let place = Place::new(&(platform.chats() + &slack("") + dan));
    place.runs().await;
    place.push("one");
    place.runs().await;
    let promoted = platform.last();
    assert!(promoted.words().contains("Towpath moved") && !promoted.calls("UDAN"), "{:#}", promoted.body);
    place.repo.set("production", place.zero);
    place.towpath(&["run"]).await;
    let lost = platform.last();
    assert_eq!(lost.path, "/api/chat.postMessage");
    assert!(lost.calls("UDAN"), "{:#}", lost.body);
    assert_eq!(lost.buttons(), ["Why?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wrote_what_landed_is_named_and_called_who_wants_to_be() {
    let dan = |mention: &str| {
        format!("[people.dan]\nidentities = [\"mail:ana@example.com\", \"slack:T1/UDAN\"]\n{mention}\n")
    };
    for (mention, called) in [("", false), ("mention = \"all\"", true), ("mention = \"heads-up\"", false)] {
        let platform = Platform::new().await;
        let place = Place::new(&(platform.chats() + &slack("") + &dan(mention)));
        place.runs().await;
        place.push("one");
        place.runs().await;
        let promoted = platform.last();
        assert!(promoted.words().contains("Towpath moved"), "{}", promoted.words());
        assert!(promoted.words().contains("Written by "), "{}", promoted.words());
        assert_eq!(promoted.calls("UDAN"), called, "{mention}: {:#}", promoted.body);
        // By hand, too.
        let by_hand = place.push("two");
        place.repo.set("production", by_hand);
        place.towpath(&["run"]).await;
        let moved = platform.last();
        assert!(moved.words().contains("Written by "), "{}", moved.words());
        assert_eq!(moved.calls("UDAN"), called, "{mention}: {:#}", moved.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_says_how_old_what_stands_is_where_nobody_looks() {
    let platform = Platform::new().await;
    let place = Place::new("");
    place.runs().await;
    let one = place.push("one").to_string();
    let (code, said) = place.towpath(&["hold", &one, "shop", "production", "--reason", "charges twice"]).await;
    assert_eq!(code, Some(0), "{said}");
    place.towpath(&["run"]).await;
    let path = place.dir.path().join("towpath.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (seldom, often) = ("look = \"0 0 1 1 *\"", "look = \"*/5 * * * *\"");
    assert!(text.contains(seldom), "{text}");
    let text = text.replace(seldom, often);
    std::fs::write(&path, text + &platform.chats() + &slack("digest = \"* * * * *\"")).unwrap();
    let clock = ManualClock::new(Clock::System.reading().wall + Span::from_mins(1));
    let setup = Setup::open(place.config(), Clock::Manual(clock.clone()), Need::Create).await.unwrap();
    let sinks = Sinks::of(&setup.config, &Clock::Manual(clock.clone()));
    let tell = async || deliver(setup.world.store(), &sinks, &Clock::Manual(clock.clone())).await.unwrap();
    tell().await;
    let words = platform.last().words();
    assert!(words.contains("charges twice") && !words.contains("as of"), "{words}");
    clock.advance(Span::from_mins(180));
    tell().await;
    let words = platform.last().words();
    assert!(platform.came().len() == 2 && words.contains(" · as of ") && words.contains("(3h"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_tells_the_day_once_and_nothing_where_there_is_nothing() {
    let platform = Platform::new().await;
    let place = Place::new("");
    place.runs().await;
    place.push("one");
    place.push("two");
    place.runs().await;
    let path = place.dir.path().join("towpath.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + &platform.chats() + &slack("digest = \"* * * * *\"")).unwrap();
    let clock = ManualClock::new(Clock::System.reading().wall + Span::from_mins(1));
    let setup = Setup::open(place.config(), Clock::Manual(clock.clone()), Need::Create).await.unwrap();
    let sinks = Sinks::of(&setup.config, &Clock::Manual(clock.clone()));
    let tell = async || deliver(setup.world.store(), &sinks, &Clock::Manual(clock.clone())).await.unwrap();
    platform.refuses("internal_error");
    tell().await;
    tell().await;
    assert_eq!(platform.came().len(), 1, "it is not tried again at once");
    clock.advance(Span::from_mins(5));
    tell().await;
    tell().await;
    let came = platform.came();
    let [_, digest] = &*came else { panic!("{came:#?}") };
    let words = digest.words();
    assert!(words.contains("commits moved") && words.contains("production"), "{words}");
    assert_eq!(digest.buttons(), ["Status"]);
    clock.advance(Span::from_mins(5));
    tell().await;
    assert_eq!(platform.came().len(), 2, "nothing happened since");
    assert!(setup.world.store().last_digest("chat").await.unwrap().is_some());
}

#[test]
fn what_is_wrong_with_a_chat_sink_is_said_when_the_config_is_read() {
    let base = "[[flow]]\nname = \"f\"\nrepository = \"f.git\"\n[[flow.environment]]\nname = \"develop\"\n\
        [[flow.environment]]\nname = \"production\"\n[chat.work]\nkind = \"slack\"\nteams = [\"T1\"]\n\
        token = { env = \"T\" }\nsecrets = [{ env = \"S\" }]\n[chat.mute]\nkind = \"slack\"\nteams = [\"T2\"]\n\
        secrets = [{ env = \"S\" }]\n";
    let read = |sink: &str| Config::from_text(&format!("{base}{sink}"), Path::new("towpath.toml"));
    let webhook = |more: &str| format!("[sink.a]\nkind = \"webhook\"\nurl = \"https://h.example.com\"\n{more}\n");
    for (sink, says) in [
        (slack("url = \"https://h.example.com\""), "has no `url`: its server is that of its `[chat.NAME]`"),
        (slack("token = { env = \"T\" }"), "has no `token`"),
        (slack("secrets = [{ env = \"T\" }]"), "has no `secrets`"),
        (slack("preset = \"grafana\""), "its messages have one form"),
        (slack("template = \"t.j2\""), "has no `template`"),
        (slack("image = \"i\"\ntag = \"t\""), "has no `image`"),
        (slack("").replace("chat = \"work\"\n", ""), "has no `chat`"),
        (slack("").replace("channel = \"C1\"\n", ""), "has no `channel`"),
        (slack("").replace("\"C1\"", "\"#deploys\""), "is not the id of a channel"),
        (slack("").replace("\"work\"", "\"none\""), "there is no `[chat.none]`"),
        (slack("").replace("\"work\"", "\"mute\""), "`[chat.mute]` has no `token`"),
        (slack("").replace("\"slack\"", "\"mattermost\""), "is of kind `slack`, not `mattermost`"),
        (slack("mention = \"some\""), "problems"),
        (slack("storm = 0"), "storm"),
        (slack("digest = \"@daily\""), "digest"),
        (slack("zone = \"Europe/Warszawa\""), "zone"),
        (webhook("channel = \"C1\""), "a webhook has no `channel`"),
        (webhook("digest = \"0 9 * * *\""), "a webhook has no `digest`"),
        ("[sink.a]\nkind = \"webhook\"\n".to_owned(), "has no `url`"),
    ] {
        let said = read(&sink).expect_err(&sink).to_string();
        assert!(said.contains(says), "{says}: {said}");
    }
    let good = slack("mention = \"all\"\nstorm = 3\ndigest = \"0 9 * * Mon-Fri\"\nzone = \"Europe/Warsaw\"");
    let config = read(&good).unwrap_or_else(|problems| panic!("{problems}"));
    let sink = &config.sinks["chat"];
    let chat = sink.chat.as_ref().unwrap();
    assert_eq!((&*chat.chat, &*chat.channel, chat.storm), ("work", "C1", 3));
    assert!(sink.told().contains(&"heads-up") && !sink.told().contains(&"proposed"));
    assert!(config.sinks["chat"].events.is_empty() && read(&webhook("")).unwrap().sinks["a"].chat.is_none());
    // What is shown is a config that means the same.
    let shown = config.show_toml(None);
    assert!(shown.contains("channel = \"C1\"") && !shown.contains("preset = "), "{shown}");
}
