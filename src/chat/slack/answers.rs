//! What Slack's answers mean (docs.slack.dev: "Using the Slack Web API", "Rate limits", and the tables of errors of
//! reference/methods/chat.postMessage and chat.update). Slack answers 200 with `{"ok": false, "error": WORD}`; over
//! a limit 429 with `Retry-After`, which the HTTP layer reads.

use serde::Deserialize;

use crate::chat::incoming::{MessageAt, is_id};
use crate::chat::sent::Sent;
use crate::chat::slack::read::is_stamp;

/// What was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `chat.postMessage`.
    Post,
    /// `chat.update`.
    Update,
    /// `chat.postEphemeral`, which tells no place that anything can be done with.
    Whisper,
}

/// Errors that pass by themselves.
const PASSING: [&str; 9] = [
    "ratelimited",
    "rate_limited",
    "fatal_error",
    "internal_error",
    "service_unavailable",
    "request_timeout",
    "accesslimited",
    "team_added_to_org",
    "external_channel_migrating",
];

/// Errors of `chat.update` after which only another message helps.
const GONE: [&str; 4] =
    ["message_not_found", "cant_update_message", "edit_window_closed", "cant_broadcast_message"];

/// Errors that somebody has to mend, and how.
const LASTING: [(&str, &str); 21] = [
    (
        "channel_not_found",
        "there is no such channel, or the app is not in it; write its id in the config and `/invite` the app",
    ),
    ("not_in_channel", "the app is not in the channel; `/invite` it there"),
    ("is_archived", "the channel is archived"),
    ("restricted_action", "the workspace does not let the app post there"),
    ("restricted_action_read_only_channel", "the channel is read-only for the app"),
    ("restricted_action_thread_only_channel", "the channel takes replies only"),
    ("invalid_auth", "the bot token is not valid; is it that of another app?"),
    ("not_authed", "no bot token was sent"),
    ("account_inactive", "the app was removed from the workspace; install it again"),
    ("token_revoked", "the bot token was revoked; install the app again"),
    ("token_expired", "the bot token has expired; switch token rotation off for the app"),
    ("no_permission", "the token may not do that"),
    ("missing_scope", "the app lacks a scope; install it again from its manifest"),
    ("not_allowed_token_type", "this kind of token may not do that; a bot token begins with `xoxb-`"),
    ("access_denied", "the token may not do that"),
    ("ekm_access_denied", "an administrator suspended writing there"),
    ("org_login_required", "the workspace is being moved into an enterprise"),
    ("team_access_not_granted", "the token was not given access to this workspace"),
    ("msg_too_long", "the message is too long"),
    ("msg_blocks_too_long", "the message is too long"),
    ("invalid_blocks", "Slack does not take the message's form; please report this"),
];

/// The part of an answer that is looked at.
#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error: String,
    channel: Option<String>,
    ts: Option<String>,
}

/// What the body of an answer with a status of 2xx means.
pub(super) fn meaning(wanted: Wanted, body: &[u8]) -> Sent {
    let unreadable = || Sent::Later {
        after: None,
        words: "Slack's answer cannot be read; does a proxy answer there?".to_owned(),
    };
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return unreadable() };
    if answer.ok && wanted == Wanted::Whisper {
        return Sent::Answered;
    }
    if answer.ok {
        return match (answer.channel, answer.ts) {
            (Some(channel), Some(ts)) if is_id(&channel) && is_stamp(&ts) => {
                Sent::Posted(MessageAt { channel, id: ts })
            }
            _ => unreadable(),
        };
    }
    let error = word(&answer.error);
    if wanted == Wanted::Update && GONE.contains(&error) {
        return Sent::Gone;
    }
    if let Some((_, how)) = LASTING.iter().find(|(word, _)| *word == error) {
        return Sent::Never { words: format!("Slack says `{error}`: {how}") };
    }
    let words = format!("Slack says `{error}`");
    if PASSING.contains(&error) {
        return Sent::Later { after: None, words };
    }
    // What is wrong with the call stays wrong; of anything else nobody knows.
    let malformed = error.starts_with("invalid_") || error.starts_with("no_") || error.starts_with("missing_");
    if malformed { Sent::Never { words } } else { Sent::Later { after: None, words } }
}

/// What Slack says where it says no, or something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Its own word for it; empty where there is none.
    pub(super) word: String,
    /// In a sentence, with what mends it where that is known.
    pub(super) words: String,
}

/// Nothing of an answer that says yes.
pub(super) fn said(body: &[u8]) -> Option<Said> {
    // `channel` and others are of another form in each method's answer.
    #[derive(Deserialize)]
    struct Any {
        ok: bool,
        #[serde(default)]
        error: String,
    }
    let any = serde_json::from_slice::<Any>(body).ok();
    if any.as_ref().is_some_and(|any| any.ok) {
        return None;
    }
    let word = any.map(|any| word(&any.error).to_owned()).unwrap_or_default();
    match meaning(Wanted::Whisper, body) {
        Sent::Never { words } | Sent::Later { words, .. } => Some(Said { word, words }),
        Sent::Posted(_) | Sent::Answered | Sent::Gone => None,
    }
}

/// An error's word, if it is one: it goes into logs and onto pages.
fn word(error: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=60).contains(&error.len()) && error.bytes().all(plain) { error } else { "unknown" }
}

/// What came of asking for the address of a socket: the address, or why there is none and whether asking again
/// could help.
pub(super) fn socket_url(body: &[u8]) -> Result<String, Sent> {
    #[derive(Deserialize)]
    struct Opened {
        ok: bool,
        url: Option<String>,
    }
    match serde_json::from_slice::<Opened>(body) {
        Ok(Opened { ok: true, url: Some(url) }) => Ok(url),
        _ => Err(match meaning(Wanted::Post, body) {
            Sent::Never { words } if words.contains("bot token") => {
                Sent::Never { words: words.replace("bot token", "app token (`xapp-`)") }
            }
            other => other,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        let no = |error: &str| format!(r#"{{"ok":false,"error":"{error}"}}"#);
        let kind = |sent: &Sent| match sent {
            Sent::Posted(_) => "posted",
            Sent::Answered => "answered",
            Sent::Gone => "gone",
            Sent::Later { after: None, .. } => "later",
            Sent::Later { .. } => "later, at a time",
            Sent::Never { .. } => "never",
        };
        for (body, post, update) in [
            (r#"{"ok":true,"channel":"C1","ts":"1.2","message":{}}"#.to_owned(), "posted", "posted"),
            (r#"{"ok":true}"#.to_owned(), "later", "later"),
            (r#"{"ok":true,"channel":"C/1","ts":"1.2"}"#.to_owned(), "later", "later"),
            (r#"{"ok":true,"channel":"C1","ts":"now"}"#.to_owned(), "later", "later"),
            ("<html>".to_owned(), "later", "later"),
            (String::new(), "later", "later"),
            (no("channel_not_found"), "never", "never"),
            (no("not_in_channel"), "never", "never"),
            (no("is_archived"), "never", "never"),
            (no("invalid_auth"), "never", "never"),
            (no("token_revoked"), "never", "never"),
            (no("missing_scope"), "never", "never"),
            (no("invalid_blocks"), "never", "never"),
            (no("invalid_something_new"), "never", "never"),
            (no("no_text"), "never", "never"),
            (no("message_not_found"), "later", "gone"),
            (no("cant_update_message"), "later", "gone"),
            (no("edit_window_closed"), "later", "gone"),
            (no("ratelimited"), "later", "later"),
            (no("internal_error"), "later", "later"),
            (no("something_new"), "later", "later"),
        ] {
            assert_eq!(kind(&meaning(Wanted::Post, body.as_bytes())), post, "{body}");
            assert_eq!(kind(&meaning(Wanted::Update, body.as_bytes())), update, "{body}");
        }
    }

    #[test]
    fn the_word_of_an_error_is_a_word() {
        let words = |error: &str| match meaning(
            Wanted::Post,
            serde_json::json!({"ok": false, "error": error}).to_string().as_bytes(),
        ) {
            Sent::Later { words, .. } | Sent::Never { words } => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(words("is_archived"), "Slack says `is_archived`: the channel is archived");
        for odd in ["", "<script>", "a\nb", "\u{1b}[31m", "xoxb-123", &"a".repeat(61)] {
            assert_eq!(words(odd), "Slack says `unknown`", "{odd:?}");
        }
    }

    #[test]
    fn the_address_of_a_socket_is_found() {
        assert_eq!(socket_url(br#"{"ok":true,"url":"wss://x"}"#), Ok("wss://x".to_owned()));
        let fault = socket_url(br#"{"ok":false,"error":"invalid_auth"}"#);
        assert!(matches!(&fault, Err(Sent::Never { words }) if words.contains("xapp-")), "{fault:?}");
        for odd in [&b"{}"[..], b"", br#"{"ok":true}"#, br#"{"ok":false,"error":"internal_error"}"#] {
            assert!(matches!(socket_url(odd), Err(Sent::Later { .. })), "{odd:?}");
        }
    }
}
