//! What people say under requests, on each forge: which hook tells of it and which does not, what is asked of the
//! forge about whoever said it, and how we show that it was heard.

use http::HeaderMap;
use serde_json::{Value, json};
use towpath::forge::{CallFault, CommentSeen, HookRefused, HookSeen, Permission, Reaction, SAID_MAX};
use towpath_core::model::UnknownWhy;

use super::hosts::{GitHub, GitLab, Gitea};
use super::talk::Talk;

macro_rules! on_each_forge {
    ($($test:ident),* $(,)?) => {
        mod github { $(#[tokio::test] async fn $test() { super::$test::<super::GitHub>().await })* }
        mod gitea { $(#[tokio::test] async fn $test() { super::$test::<super::Gitea>().await })* }
        mod gitlab { $(#[tokio::test] async fn $test() { super::$test::<super::GitLab>().await })* }
    };
}
on_each_forge![
    a_new_comment_is_told_whole,
    edits_and_what_is_taken_away_tell_nothing,
    what_is_no_comment_for_us_still_wakes,
    what_means_nothing_here_changes_nothing,
    whatever_a_payload_holds_nothing_is_made_up,
    nothing_is_heard_that_was_not_signed,
    whatever_is_written_comes_as_it_is,
    each_right_is_what_the_forge_calls_it,
    rights_are_asked_anew_each_time,
    what_the_forge_does_not_tell_is_unknown,
    a_name_that_is_none_is_not_asked,
    a_reaction_lands_and_twice_is_once,
    others_reactions_are_not_ours,
    a_reaction_that_fails_is_said,
    our_own_words_are_known_for_ours,
    replies_are_edited_in_place_beside_the_comment,
];

/// Something done to an answer.
type Spoil = fn(&mut Value);

const COMMAND: &str = "/towpath pause production \"rates are wrong\"";

fn heard<T: Talk>(host: &T, (headers, body): &(HeaderMap, Vec<u8>)) -> Result<HookSeen, HookRefused> {
    host.adapter().hook(headers, body, &["of last year".to_owned(), T::SECRET.to_owned()])
}

/// The one hook that waits: its event and payload, as the forge would send it.
fn the_hook<T: Talk>(host: &T) -> (String, Value) {
    let mut told = host.told();
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

/// What a hook of that event and payload tells of a comment; all else of it is as it should be.
fn said<T: Talk>(host: &T, (event, payload): &(String, Value)) -> Option<CommentSeen> {
    let seen = heard(host, &host.signed(event, payload, T::SECRET)).expect("verified");
    assert_eq!(seen.repo, Some(host.repo()), "it wakes all the same");
    assert!(seen.delivery.is_some() && !seen.event.is_empty());
    seen.said
}

async fn a_new_comment_is_told_whole<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let id = host.say("ana", number, COMMAND);
    let hook = the_hook(&host);
    let seen = said(&host, &hook).expect("a comment");
    assert_eq!((seen.number, seen.id, &*seen.author, &*seen.body), (number, id, "ana", COMMAND));
    assert!(seen.author_id.is_some_and(|id| id > 0));
    assert!(seen.url.starts_with("http") && seen.url.contains(&id.to_string()), "{}", seen.url);
    let ago = host.now().since(seen.at.expect("a time"));
    assert!(ago.ms() < 60_000, "{ago}");
    assert_eq!(host.told().len(), 0, "once");
    // Sent again it says the same, under the same number.
    assert_eq!(said(&host, &hook), Some(seen.clone()));
    let other = host.say("bo", number, COMMAND);
    let again = said(&host, &the_hook(&host)).expect("a comment");
    assert!((again.id, again.author_id) != (seen.id, seen.author_id) && again.id == other);
    host.all_good(1);
}

async fn edits_and_what_is_taken_away_tell_nothing<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let id = host.say("ana", number, "well");
    assert!(said(&host, &the_hook(&host)).is_some());
    host.edit("ana", id, COMMAND);
    assert_eq!(said(&host, &the_hook(&host)), None);
    // By somebody else, who may edit others' comments.
    host.edit("bo", id, COMMAND);
    assert_eq!(said(&host, &the_hook(&host)), None);
    host.unsay("ana", id);
    assert!(host.told().iter().all(|hook| said(&host, hook).is_none()));
}

async fn what_is_no_comment_for_us_still_wakes<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    host.say("ana", number, COMMAND);
    let good = the_hook(&host);
    assert!(said(&host, &good).is_some());
    for (what, change) in T::SILENCED {
        let (mut event, mut payload) = good.clone();
        change(&mut event, &mut payload);
        assert!((&event, &payload) != (&good.0, &good.1), "{what}: something was changed");
        assert_eq!(said(&host, &(event, payload)), None, "{what}");
    }
}

async fn what_means_nothing_here_changes_nothing<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    host.say("ana", number, COMMAND);
    let good = the_hook(&host);
    let seen = said(&host, &good).expect("a comment");
    for (what, change) in T::STILL {
        let (mut event, mut payload) = good.clone();
        change(&mut event, &mut payload);
        let still = said(&host, &(event, payload)).unwrap_or_else(|| panic!("{what}: heard"));
        let main = |seen: &CommentSeen| (seen.number, seen.id, seen.author.clone(), seen.body.clone());
        assert_eq!(main(&still), main(&seen), "{what}");
    }
}

/// Every place of a payload that holds something.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    if let Some(fields) = value.as_object() {
        fields.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), all));
    }
}

/// Each place in turn holds something else, or nothing: it is no comment, or the one that the payload then tells.
async fn whatever_a_payload_holds_nothing_is_made_up<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    host.say("ana", number, COMMAND);
    let (event, good) = the_hook(&host);
    let mut all = Vec::new();
    places(&good, "", &mut all);
    assert!(T::PLACES.iter().all(|place| all.iter().any(|had| had == place)) && all.len() > 40, "{all:?}");
    let (forge, secrets) = (host.adapter(), [T::SECRET.to_owned()]);
    let (mut heard, mut silent, mut unreadable) = (0, 0, 0);
    for place in &all {
        let odd = [
            json!(null),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(true),
            json!(""),
            json!("x"),
            json!([]),
            json!({}),
        ];
        for is in odd {
            let mut payload = good.clone();
            *payload.pointer_mut(place).expect("it is there") = is.clone();
            let (headers, body) = host.signed(&event, &payload, T::SECRET);
            match forge.hook(&headers, &body, &secrets) {
                Err(refused) => {
                    assert_eq!(refused, HookRefused::Unreadable, "{place} {is}");
                    unreadable += 1;
                }
                Ok(HookSeen { said: None, .. }) => silent += 1,
                Ok(HookSeen { said: Some(said), .. }) => {
                    heard += 1;
                    let told = [json!(said.number), json!(said.id), json!(said.author), json!(said.body)];
                    for (told, place) in told.iter().zip(T::PLACES) {
                        assert_eq!(payload.pointer(place), Some(told), "{place} {is}");
                    }
                    assert!(said.number > 0 && said.id > 0 && !said.author.is_empty());
                }
            }
        }
    }
    assert!(heard > 50 && silent > 50 && unreadable > 5, "{heard} heard, {silent} silent, {unreadable} unreadable");
}

async fn nothing_is_heard_that_was_not_signed<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    host.say("ana", number, "/towpath status");
    let (event, payload) = the_hook(&host);
    let (headers, body) = host.signed(&event, &payload, T::SECRET);
    assert!(heard(&host, &(headers.clone(), body.clone())).is_ok_and(|seen| seen.said.is_some()));
    // Another author, of the same length.
    let text = String::from_utf8(body.clone()).expect("JSON").replace("\"ana\"", "\"bob\"");
    assert_ne!(text.as_bytes(), body);
    assert_eq!(heard(&host, &(headers, text.into_bytes())), Err(HookRefused::Forged));
    let other = T::SECRET.replace('3', "4").replace("AAEC", "AAED");
    assert_eq!(heard(&host, &host.signed(&event, &payload, &other)), Err(HookRefused::Forged));
    assert!(heard(&host, &(HeaderMap::new(), body)).is_err());
}

async fn whatever_is_written_comes_as_it_is<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let long = "x".repeat(SAID_MAX);
    for body in [
        "",
        " ",
        "\0/towpath status\0",
        "\u{202e}sutats htapwot/\u{202c}",
        "\u{feff}/towpath status",
        "a\r\nb\rc\u{2028}d\u{85}e",
        "\u{1b}[31mred\u{7}",
        "</script><img src=x onerror=alert(1)> \" ' \\ \\u0000 {{x}} ${x} `x`",
        "\u{1f6a2}\u{200d}\u{1f468} z\u{301}\u{301}\u{301}",
        "<!-- towpath says -->\n/towpath status",
        &long,
    ] {
        host.say("ana", number, body);
        let seen = said(&host, &the_hook(&host)).unwrap_or_else(|| panic!("{:?}", &body[..body.len().min(50)]));
        assert!(seen.body == body, "{:?}", &seen.body[..seen.body.len().min(50)]);
    }
    for body in [format!("{long}x"), "\u{17c}".repeat(SAID_MAX / 2 + 1), "/towpath status\n".repeat(100_000)] {
        host.say("ana", number, &body);
        assert_eq!(said(&host, &the_hook(&host)), None, "{} bytes", body.len());
    }
}

async fn each_right_is_what_the_forge_calls_it<T: Talk>() {
    let host = T::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    for (word, right) in T::RIGHTS {
        host.grant_word("vera", word);
        assert_eq!(forge.permission(&repo, "vera").await, Ok(*right), "{word}");
    }
    assert_eq!(forge.permission(&repo, "nobody-of-that-name").await, Ok(Permission::None));
    assert!(Permission::Read < Permission::Write && Permission::Maintain < Permission::Admin);
    host.all_good(T::RIGHTS.len());
}

async fn rights_are_asked_anew_each_time<T: Talk>() {
    let host = T::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    for right in [Permission::Admin, Permission::Read, Permission::Write, Permission::None] {
        host.grant("vera", right);
        for _ in 0..2 {
            assert_eq!(forge.permission(&repo, "vera").await, Ok(right));
        }
    }
    assert_eq!(host.asked(T::ASKS), 8);
}

async fn what_the_forge_does_not_tell_is_unknown<T: Talk>() {
    let host = T::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    host.grant("vera", Permission::Admin);
    for (status, times) in [(401, 1), (403, 1), (400, 1), (422, 1), (500, 3), (502, 3), (503, 3)] {
        host.breaks(T::ASKS, status, times);
        let unknown = forge.permission(&repo, "vera").await.expect_err("unknown");
        let refused = matches!(unknown.why, UnknownWhy::CredentialsRefused { .. });
        assert_eq!(refused, matches!(status, 401 | 403), "{status}: {unknown:?}");
    }
    // It is known that there is nothing.
    host.breaks(T::ASKS, 404, 1);
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::None));
    let spoils: [(&str, Spoil); 5] = [
        ("no object", |body| *body = json!([])),
        ("null", |body| *body = Value::Null),
        ("another type", |body| {
            body["permission"] = json!(["admin"]);
            body["access_level"] = json!("50");
        }),
        ("nothing", |body| {
            body["permission"] = Value::Null;
            body["access_level"] = Value::Null;
        }),
        ("of somebody else", |body| {
            body["user"] = json!({ "login": "bo", "id": 3, "type": "User" });
            body["id"] = json!(998);
        }),
    ];
    for (what, spoil) in spoils {
        host.spoils(T::ASKS, spoil);
        assert!(forge.permission(&repo, "vera").await.is_err(), "{what}");
    }
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::Admin), "and then it is well again");
}

async fn a_name_that_is_none_is_not_asked<T: Talk>() {
    let host = T::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    let before = host.asked("");
    for name in ["", ".", "..", "a/b", "../../shop/other", "a\nb", "a\0", &"x".repeat(300)] {
        assert_eq!(forge.permission(&repo, name).await, Ok(Permission::None), "{name:?}");
    }
    assert_eq!(host.asked(""), before);
    // These go into the URL, escaped.
    for name in ["a?b", "a#b", "a%2fb", "a b", "żółw", "a&username=ana"] {
        assert_eq!(forge.permission(&repo, name).await, Ok(Permission::None), "{name:?}");
    }
    assert!(host.asked("") >= before + 6);
    host.all_good(1);
}

async fn a_reaction_lands_and_twice_is_once<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let (forge, repo) = (host.adapter(), host.repo());
    let said = host.say("ana", number, COMMAND);
    let other = host.say("ana", number, COMMAND);
    let mut expected = Vec::new();
    for (reaction, word) in [Reaction::Seen, Reaction::Done, Reaction::Refused].into_iter().zip(T::REACTIONS) {
        expected.push(("towpath".to_owned(), word.to_owned()));
        for _ in 0..2 {
            assert_eq!(forge.react(&repo, number, said, reaction).await, Ok(()), "{word}");
            assert_eq!(host.reactions(said), expected);
        }
    }
    assert_eq!(host.reactions(other), []);
    host.all_good(6);
}

async fn others_reactions_are_not_ours<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let said = host.say("ana", number, COMMAND);
    host.react("eve", said, T::REACTIONS[0]);
    assert_eq!(host.adapter().react(&host.repo(), number, said, Reaction::Seen).await, Ok(()));
    let both = ["eve", "towpath"].map(|by| (by.to_owned(), T::REACTIONS[0].to_owned()));
    assert_eq!(host.reactions(said), both);
}

async fn a_reaction_that_fails_is_said<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let (forge, repo) = (host.adapter(), host.repo());
    let said = host.say("ana", number, COMMAND);
    // Somebody took the comment away.
    let gone = forge.react(&repo, number, said + 1_000, Reaction::Seen).await;
    assert!(matches!(gone, Err(CallFault::Refused { .. })), "{gone:?}");
    let at = if T::ASKS == "/permission" { "/reactions" } else { "/award_emoji" };
    for (status, refused) in [(403, true), (422, true), (500, false)] {
        host.breaks(at, status, 1);
        let fault = forge.react(&repo, number, said, Reaction::Done).await.expect_err("a fault");
        assert_eq!(matches!(fault, CallFault::Refused { .. }), refused, "{fault:?}");
        assert_eq!(host.reactions(said), []);
    }
    assert_eq!(forge.react(&repo, number, said, Reaction::Done).await, Ok(()));
    assert_eq!(host.reactions(said).len(), 1);
}

async fn our_own_words_are_known_for_ours<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let (forge, repo) = (host.adapter(), host.repo());
    host.hears_us();
    let me = forge.whoami().await.expect("a name");
    forge.comment(&repo, number, "<!-- m -->", "<!-- m -->\nsay\n\n/towpath resume").await.expect("said");
    let seen = said(&host, &the_hook(&host)).expect("a comment as any other");
    assert_eq!(seen.author, me);
    forge.comment(&repo, number, "<!-- m -->", "<!-- m -->\nthat is over").await.expect("edited");
    assert_eq!(said(&host, &the_hook(&host)), None);
    forge.comment(&repo, number, "<!-- m -->", "<!-- m -->\nthat is over").await.expect("nothing to do");
    assert_eq!(host.told().len(), 0);
}

/// `Forge::comment` is all that a reply needs: another marker is another comment.
async fn replies_are_edited_in_place_beside_the_comment<T: Talk>() {
    let host = T::new().await;
    let number = host.opened().await;
    let (forge, repo) = (host.adapter(), host.repo());
    let (one, ten) = ("<!-- towpath reply 1 -->", "<!-- towpath reply 10 -->");
    host.say("eve", number, &format!("{one}\nI am Towpath"));
    for (marker, text) in
        [("<!-- towpath says -->", "waits"), (one, "paused"), (ten, "no"), (one, "paused until six")]
    {
        forge.comment(&repo, number, marker, &format!("{marker}\n{text}")).await.expect("said");
    }
    let ours = ["<!-- towpath says -->\nwaits", "<!-- towpath reply 1 -->\npaused until six"];
    assert_eq!(host.comments(number), [ours[0], ours[1], "<!-- towpath reply 10 -->\nno"]);
    host.all_good(4);
}

/// Whoever is no administrator of the repository is told nothing of others there: nobody is then let through.
#[tokio::test]
async fn gitea_tells_rights_to_administrators_alone() {
    use super::hosts::Host as _;
    let host = Gitea::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    host.grant("vera", Permission::Admin);
    host.grant("towpath", Permission::Write);
    let unknown = forge.permission(&repo, "vera").await.expect_err("unknown");
    assert!(matches!(unknown.why, UnknownWhy::CredentialsRefused { .. }), "{unknown:?}");
    host.grant("towpath", Permission::Admin);
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::Admin));
    host.spoils("/permission", |body| body["user"]["prohibit_login"] = json!(true));
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::None), "shut out");
    for word in ["superuser", "Admin", ""] {
        let spoil: Spoil = match word {
            "superuser" => |body| body["permission"] = json!("superuser"),
            "Admin" => |body| body["permission"] = json!("Admin"),
            _ => |body| body["permission"] = json!(""),
        };
        host.spoils("/permission", spoil);
        assert!(forge.permission(&repo, "vera").await.is_err(), "{word}");
    }
}

/// Of GitLab's members: whose account is blocked, or whose membership has ended, may do nothing.
#[tokio::test]
async fn gitlab_members_count_while_they_are_members() {
    use super::hosts::Host as _;
    let host = GitLab::new().await;
    let (forge, repo) = (host.adapter(), host.repo());
    host.grant("vera", Permission::Admin);
    let change = |state: &'static str, ends: Option<&'static str>| {
        let mut all = host.0.state();
        let vera = all.people.iter_mut().find(|person| person.name == "vera").expect("she");
        (vera.state, vera.ends) = (state, ends);
    };
    // Its day is the 23rd of November 2026.
    for (state, ends, right) in [
        ("active", None, Permission::Admin),
        ("blocked", None, Permission::None),
        ("banned", None, Permission::None),
        ("deactivated", None, Permission::None),
        ("active", Some("2026-11-24"), Permission::Admin),
        ("active", Some("2026-11-23"), Permission::None),
        ("active", Some("2026-11-22"), Permission::None),
        ("active", None, Permission::Admin),
    ] {
        change(state, ends);
        assert_eq!(forge.permission(&repo, "vera").await, Ok(right), "{state} {ends:?}");
    }
    change("active", Some("next week"));
    assert!(forge.permission(&repo, "vera").await.is_err(), "an end that cannot be read");
    change("active", None);
    // What the list of users tells cannot be read, or is refused.
    host.breaks("/v4/users", 403, 1);
    assert!(forge.permission(&repo, "vera").await.is_err());
    host.spoils("/v4/users", |body| *body = json!({}));
    assert!(forge.permission(&repo, "vera").await.is_err());
    // A search that finds others, too, is no match.
    host.spoils("/v4/users", |body| body[0]["username"] = json!("vera2"));
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::None));
    host.spoils("/members/all", |body| body["membership_state"] = json!("awaiting"));
    assert_eq!(forge.permission(&repo, "vera").await, Ok(Permission::None));
    assert_eq!(forge.permission(&repo, "VERA").await.map_err(|_| ()), Ok(Permission::None), "the test's has case");
}

/// GitLab answers 404 for an emoji that is there already, and for many other things.
#[tokio::test]
async fn gitlab_says_not_found_of_what_is_there_already() {
    use super::hosts::Host as _;
    let host = GitLab::new().await;
    let number = host.opened().await;
    let (forge, repo) = (host.adapter(), host.repo());
    let said = host.say("ana", number, COMMAND);
    forge.react(&repo, number, said, Reaction::Seen).await.expect("heard");
    assert_eq!(host.asked("GET /api/v4/projects/shop%2Fback%2Fcheckout/merge_requests/1/notes"), 0);
    forge.react(&repo, number, said, Reaction::Seen).await.expect("it is there");
    // That it is there could not be seen: the first answer stands.
    for part in ["award_emoji?", "/v4/user"] {
        host.breaks(part, 500, 3);
        let fault = forge.react(&repo, number, said, Reaction::Seen).await.expect_err("not seen");
        assert!(matches!(&fault, CallFault::Refused { words } if words.contains("taken")), "{fault:?}");
    }
    assert_eq!(host.reactions(said).len(), 1);
}

/// Notes that not everybody may read, and notes on lines of code, as GitLab tells of them by itself.
#[tokio::test]
async fn gitlab_tells_of_quiet_notes_in_other_words() {
    use super::hosts::Host as _;
    let host = GitLab::new().await;
    let number = host.opened().await;
    let tell = |internal: bool, kind: Option<&'static str>, system: bool| {
        let mut state = host.0.state();
        let id = state.note("ana", number, COMMAND, system).id;
        let note = state.noted(id).1;
        (note.internal, note.kind) = (internal, kind);
        state.tell_note("create", "ana", number, id);
    };
    for (internal, kind, system, counts) in [
        (false, None, false, true),
        (false, Some("DiscussionNote"), false, true),
        (true, None, false, false),
        (false, Some("DiffNote"), false, false),
        (false, None, true, false),
    ] {
        tell(internal, kind, system);
        let hook = the_hook(&host);
        assert_eq!(hook.0 == "Confidential Note Hook", internal);
        assert_eq!(said(&host, &hook).is_some(), counts, "{internal} {kind:?} {system}");
    }
}
