//! Who wrote what is about to enter, co-authors among them, and that each thing is said once.

use serde_json::json;

use super::HOSTILE;
use super::place::{ANA, Call, Held, Platform, heads_up, mattermost, slack, with_others};
use crate::tell::Place;

/// Everybody but Ana, who is the author of what `heads_up` announces.
const OTHERS: &str = "[people.marek]\nidentities = [\"mail:marek@example.com\", \"slack:T1/UMAREK\", \"mattermost:umarek\"]\n\
    [people.zoe]\nmention = \"never\"\nidentities = [\"mail:zoe@example.com\", \"slack:T1/UZOE\"]\n";

const CO_AUTHORS: [(&str, &str); 6] = [
    ("Marek at home", "marek@example.com"),
    ("Zoe", "zoe@example.com"),
    ("Ana again", "ana@example.com"),
    ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
    ("Stranger", "stranger@example.org"),
    ("marek", "no address"),
];

/// Every text that is shown, and that somebody reads at once: of a message of Slack also its text for notifications.
fn times(call: &Call, what: &str) -> usize {
    call.words().matches(what).count()
}

#[tokio::test]
async fn co_authors_are_named_beside_the_author_and_called_as_they_want() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack("mention = \"heads-up\"") + ANA + OTHERS)).await;
    held.tells("a", with_others(heads_up(&held, 1, 2, "Ana", "Fix invoice rounding"), &CO_AUTHORS)).await;
    let posted = platform.last();
    assert!(posted.calls("UANA") && posted.calls("UMAREK") && !posted.calls("UZOE"), "{:#}", posted.body);
    assert_eq!(posted.body.to_string().matches("\"user_id\"").count(), 2, "each once: {:#}", posted.body);
    let words = posted.words();
    assert!(words.contains(" with , zoe, Stranger, marek — 0202"), "{words}");
    assert!(!posted.body.to_string().contains("renovate"), "no machine: {:#}", posted.body);
    assert_eq!(posted.buttons(), ["Hold mine", "Promote now", "Why?"]);
    // In a notification there are names.
    let text = posted.body["text"].as_str().unwrap();
    let first = text.lines().next().unwrap();
    assert!(first.contains("1 commit of f1 goes to production"), "{text}");
    assert!(first.contains("ana with marek, zoe, Stranger") && first.contains("Fix invoice rounding"), "{text}");
}

#[tokio::test]
async fn each_thing_is_said_once_on_every_platform() {
    let platform = Platform::new().await;
    let hook = format!("[sink.hook]\nkind = \"webhook\"\nurl = \"{}/hook\"\n", platform.url);
    let both = slack("").replace("sink.chat", "sink.one") + &mattermost("").replace("sink.chat", "sink.two");
    let held = Held::new(1, &(platform.chats() + &both + &hook + ANA + OTHERS)).await;
    held.tells("a", with_others(heads_up(&held, 1, 2, "Ana", "Fix invoice rounding"), &CO_AUTHORS[..1])).await;
    let came = platform.came();
    let of = |path: &str| came.iter().find(|call| call.path == path).unwrap_or_else(|| panic!("{path}: {came:#?}"));
    for call in [of("/api/chat.postMessage"), of("/api/v4/posts"), of("/hook")] {
        // A question behind a button names the commit, too.
        for what in ["Fix invoice rounding", "10 UTC", "1 commit", "goes to"] {
            assert_eq!(times(call, what), 1, "{what} at {}: {}", call.path, call.words());
        }
    }
    let text = of("/api/chat.postMessage").body["text"].as_str().unwrap().to_owned();
    assert_eq!(text.matches("Fix invoice rounding").count(), 1, "{text}");
    // Its heading stands out as one, and the list has the commit.
    let blocks = &of("/api/chat.postMessage").body["blocks"];
    assert_eq!(blocks[0]["type"], "header", "{blocks:#}");
    assert!(!blocks[0]["text"]["text"].as_str().unwrap().contains("invoice"), "{blocks:#}");
    assert_eq!(blocks[1]["elements"][0]["type"], "rich_text_list", "{blocks:#}");
    let message = of("/api/v4/posts").body["message"].as_str().unwrap();
    let (heading, rest) = message.split_once("\n\n").unwrap();
    assert!(heading.starts_with("#### In 10 min, at ") && !heading.contains("invoice"), "{message}");
    assert!(rest.starts_with("- ana with marek — `020202020` Fix invoice rounding"), "{message}");
    let text = of("/hook").body["text"].as_str().unwrap();
    assert!(text.contains("\"Fix invoice rounding\" (Ana with Marek at home)"), "{text}");
}

#[tokio::test]
async fn what_stands_in_a_trailer_stays_text_and_hides_nobody() {
    let platform = Platform::new().await;
    let both = slack("mention = \"all\"").replace("sink.chat", "sink.one")
        + &mattermost("mention = \"all\"").replace("sink.chat", "sink.two");
    let held = Held::new(1, &(platform.chats() + &both + OTHERS)).await;
    let addresses: Vec<String> = (0..90).map(|n| format!("s{n}@evil.example")).collect();
    for (n, text) in (1..).zip(HOSTILE) {
        let crowd = addresses.iter().map(|address| (text, address.as_str()));
        let others: Vec<(&str, &str)> = crowd.chain([(text, text), ("Marek", "marek@example.com")]).collect();
        held.tells(&format!("h{n}"), with_others(heads_up(&held, n, n + 1, "Eve", text), &others)).await;
        held.later(120);
    }
    let came = platform.came();
    assert!(came.len() >= 2 * HOSTILE.len(), "{}", came.len());
    let mut called = 0;
    // One that was taken back has no buttons, and calls nobody; whoever was called is named by what takes its place.
    for call in came.iter().filter(|call| !call.buttons().is_empty()) {
        let words = call.words();
        assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "{words:?}");
        if call.path.starts_with("/api/chat.") {
            let calls = call.calls("UMAREK");
            assert!(calls || words.contains("marek"), "who is known is not behind strangers: {:#}", call.body);
            assert_eq!(call.body.to_string().matches("\"user_id\"").count(), usize::from(calls), "{:#}", call.body);
            called += usize::from(calls);
            assert!(!call.body["text"].as_str().unwrap().contains('<'), "{:#}", call.body);
            assert!(!call.types().iter().any(|kind| kind == "mrkdwn"), "{:#}", call.body);
        } else {
            assert_eq!(
                words.matches('@').count(),
                words.matches("@ana").count(),
                "one user, whom the server names: {words}"
            );
            for odd in ["@all", "@here", "@channel", "](https://evil", "<https://evil"] {
                assert!(!words.contains(odd), "{odd}: {words}");
            }
        }
    }
    assert!(called > 0, "somebody is called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_named_in_a_trailer_of_what_was_lost_is_called_too() {
    let platform = Platform::new().await;
    let place = Place::new(&(platform.chats() + &slack("") + OTHERS));
    place.runs().await;
    let message = "Squash (#7)\n\nCo-authored-by: Marek <Marek@Example.com>\n\
        Co-authored-by: x-bot <x-bot@example.com>\nCo-authored-by: \u{1b}[31mEve <eve@evil.example>";
    place.repo.commit_as(&[place.zero], "develop", &[("a", "1")], message, "Bo <bo@example.org>");
    place.runs().await;
    assert!(platform.last().words().contains("Towpath moved"), "{:#}", platform.last().body);
    place.repo.set("production", place.zero);
    place.towpath(&["run"]).await;
    let lost = platform.last();
    assert!(lost.calls("UMAREK"), "{:#}", lost.body);
    assert_eq!(lost.body["channel"], json!("C1"));
    let words = lost.words();
    assert!(words.contains("Written by Bo, , ") && words.contains("Eve") && !words.contains("x-bot"), "{words}");
}
