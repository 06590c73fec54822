//! What is told of an event: the value that templates see, and the body of calls that have no template.
//!
//! Not here: which events there are (`events`), the sentences (`explain` of the core), who wants to know
//! of what (`config`), and how it is put into the words of other systems (`presets`, `template`).

use serde::{Deserialize, Serialize};
use towpath_core::model::{BranchName, CommitId, EnvName, Event, FlowName, Instant};

use super::events::{EXAMPLE_AT, Row, Severity, row};
use super::json;
use super::sign::webhook_id;

/// The version of [`Notice`]. Fields may be added under the same one; else it grows.
pub const SCHEMA_VERSION: u32 = 1;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// [`SCHEMA_VERSION`] of the version that made it.
    pub schema_version: u32,
    /// The same at each try, and in the header `webhook-id`: what a receiver knows a repetition by.
    pub id: String,
    /// The word of the event: see [`ROWS`](super::events::ROWS).
    pub event: String,
    /// How much it concerns people.
    pub severity: Severity,
    /// The flow.
    pub flow: FlowName,
    /// The environment.
    pub environment: EnvName,
    /// Its branch.
    pub branch: BranchName,
    /// The repository, as the forge calls it, or as configured. Without credentials.
    pub repository: String,
    /// When it happened: RFC 3339, in UTC, in whole seconds.
    pub at: String,
    /// The same in milliseconds since 1970.
    pub at_ms: i64,
    /// Where the branch was, if the event says so.
    pub old: Option<CommitId>,
    /// Where the branch is, or, where nothing moved (`refused`, `called-off`, `proposed`, `heads-up`, `taken-back`), where it was
    /// to go.
    pub new: Option<CommitId>,
    /// What happened, as a sentence for people; what a server said follows line by line after `> `.
    pub text: String,
    /// A page about it.
    pub url: Option<String>,
}

/// Every field, with what it means: for docs, and for whoever misspells one in a template.
pub const FIELDS: [(&str, &str); 14] = [
    ("schema_version", "`1`"),
    ("id", "the same at each try, and in the header `webhook-id`"),
    ("event", "the word of the event"),
    ("severity", "`info`, `problem` or `quiet`"),
    ("flow", "the flow"),
    ("environment", "the environment"),
    ("branch", "its branch"),
    ("repository", "the repository, as the forge calls it"),
    ("at", "when it happened: RFC 3339 in UTC"),
    ("at_ms", "the same in milliseconds since 1970"),
    ("old", "the commit at which the branch was, or `null`"),
    ("new", "the commit at which it is or was to be, or `null`"),
    ("text", "what happened, as a sentence"),
    ("url", "a page about it, or `null`"),
];

/// Where an event happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The flow.
    pub flow: FlowName,
    /// The environment.
    pub environment: EnvName,
    /// Its branch.
    pub branch: BranchName,
    /// The repository, without credentials.
    pub repository: String,
}

impl Notice {
    /// The notice of an event. `key` is unique for event and receiver, such as the id of the message;
    /// `text` is what `explain` says; `url` a page about it, if there is one (else the one that the
    /// event itself names). A page that is neither `https:` nor `http:` is left out.
    pub fn new(key: &str, place: Place, at: Instant, event: &Event, text: String, url: Option<String>) -> Self {
        let row = row(event);
        let (old, new) = commits(event);
        let page = match event {
            Event::Proposed { url, .. } => Some(url.clone()),
            _ => None,
        };
        let is_page = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        Self {
            schema_version: SCHEMA_VERSION,
            id: webhook_id(key),
            event: row.word.to_owned(),
            severity: row.severity,
            flow: place.flow,
            environment: place.environment,
            branch: place.branch,
            repository: place.repository,
            at: at.to_string(),
            at_ms: at.0,
            old,
            new,
            text,
            url: url.or(page).filter(is_page),
        }
    }

    /// The body of a call that has no template, by [`json::inert`].
    ///
    /// # Errors
    /// None that are known: every field is a text, a number or nothing.
    pub fn body(&self) -> Result<String, serde_json::Error> {
        json::inert(self)
    }
}

/// What a sink is told of an event (a [`Notice`], or what a chat is told), as it is stored until it was sent. Nobody wants
/// to be told that commits are about to move once they have, or were stopped: only we want to know from when on.
///
/// # Errors
/// None that are known.
pub fn stored<T: Serialize>(told: &T, event: &Event) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Stored<'n, T> {
        #[serde(flatten)]
        told: &'n T,
        #[serde(skip_serializing_if = "Option::is_none")]
        too_late: Option<Instant>,
    }
    let too_late = match event {
        Event::HeadsUp { at, .. } => Some(*at),
        _ => None,
    };
    serde_json::to_string(&Stored { told, too_late })
}

/// From when on a notice is of no use any more, as it was stored; none for most.
pub fn too_late_from(stored: &str) -> Option<Instant> {
    #[derive(Deserialize)]
    struct Late {
        #[serde(default)]
        too_late: Option<Instant>,
    }
    serde_json::from_str::<Late>(stored).ok()?.too_late
}

/// Where the branch was, and where it is or was to be.
fn commits(event: &Event) -> (Option<CommitId>, Option<CommitId>) {
    match event {
        Event::Landed { old, new, .. } | Event::Moved { old, new } | Event::CalledOff { old, new, .. } => {
            (Some(*old), Some(*new))
        }
        Event::Rewound { lost, kept, .. } | Event::Withdrawn { lost, kept } => (Some(*lost), Some(*kept)),
        Event::PutBack { now, .. } | Event::Overtaken { now, .. } => (None, Some(*now)),
        Event::Refused { new, .. } | Event::Proposed { head: new, .. } => (None, Some(*new)),
        Event::HeadsUp { newest: new, .. } | Event::TakenBack { newest: new, .. } => (None, Some(*new)),
        // The commit that waits longest is neither: the branch was never there, and need not go there.
        Event::Behind { .. }
        | Event::CaughtUp { .. }
        | Event::Blocked { .. }
        | Event::Unblocked { .. }
        | Event::EndsSoon { .. } => (None, None),
    }
}

/// A notice of the row's example in which nothing is unusual.
pub fn example(row: &Row) -> Notice {
    let place = Place {
        flow: "checkout".into(),
        environment: "production".into(),
        branch: "master".into(),
        repository: "gitlab:shop/checkout".to_owned(),
    };
    let page = Some("https://towpath.example.com/flows/checkout".to_owned());
    Notice::new("example/sink", place, EXAMPLE_AT, &(row.example)(), row.means.to_owned(), page)
}

/// The same with everything in each text that people or git may put there and that breaks what is put
/// together carelessly: quotes, a backslash, line ends, terminal controls, marks that turn the direction
/// of writing, and what a template engine acts on.
pub fn hostile_example(row: &Row) -> Notice {
    let plain = example(row);
    let worse =
        |text: &str| format!("{text}\"'\\\n\r\t\u{1b}[31m\u{202e}\u{2028}\u{0}{{{{ text }}}}{{% raw %}}</b>&");
    Notice {
        flow: FlowName::new(worse(plain.flow.as_str())),
        environment: EnvName::new(worse(plain.environment.as_str())),
        branch: BranchName::new(worse(plain.branch.as_str())),
        repository: worse(&plain.repository),
        text: worse(&plain.text),
        url: plain.url.as_deref().map(worse),
        ..plain
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::{ROWS, row_of};
    use super::*;

    #[test]
    fn the_fields_are_those_that_are_sent_each_with_its_meaning() {
        let notice = serde_json::to_value(example(&ROWS[0])).unwrap();
        let mut sent: Vec<&str> = notice.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = FIELDS.map(|(name, _)| name);
        sent.sort_unstable();
        known.sort_unstable();
        assert_eq!(sent, known);
    }

    #[test]
    fn a_promotion_reads_like_this() {
        let body = example(row_of("promoted").unwrap()).body().unwrap();
        let wanted = concat!(
            r#"{"schema_version":1,"id":"msg_ID","event":"promoted","severity":"info","flow":"checkout","#,
            r#""environment":"production","branch":"master","repository":"gitlab:shop/checkout","#,
            r#""at":"2026-11-21T10:00:00Z","at_ms":1795255200000,"#,
            r#""old":"1111111111111111111111111111111111111111","new":"2222222222222222222222222222222222222222","#,
            r#""text":"Towpath moved an environment\u0027s branch forward.","#,
            r#""url":"https://towpath.example.com/flows/checkout"}"#
        );
        assert_eq!(body, wanted.replace("msg_ID", &webhook_id("example/sink")));
    }

    #[test]
    fn what_is_hostile_goes_as_inert_json_and_comes_back_whole() {
        for row in &ROWS {
            for notice in [example(row), hostile_example(row)] {
                let body = notice.body().unwrap();
                assert!(!body.chars().any(|c| c.is_control() || "\u{202e}\u{2028}<>&'".contains(c)), "{body}");
                assert_eq!(serde_json::from_str::<Notice>(&body).unwrap(), notice);
            }
        }
    }

    #[test]
    fn commits_are_told_where_the_event_has_them() {
        let told = |word: &str| {
            let notice = example(row_of(word).unwrap());
            (notice.old.is_some(), notice.new.is_some())
        };
        for word in ["promoted", "rolled-back", "moved-by-hand", "rewound", "withdrawn", "called-off"] {
            assert_eq!(told(word), (true, true), "{word}");
        }
        for word in ["put-back", "refused", "proposed", "overtaken", "heads-up", "taken-back"] {
            assert_eq!(told(word), (false, true), "{word}");
        }
        for word in ["behind", "caught-up", "blocked", "unblocked", "pause-ends"] {
            assert_eq!(told(word), (false, false), "{word}");
        }
    }

    #[test]
    fn a_page_is_the_given_one_or_the_requests_and_never_a_script() {
        let event = (row_of("proposed").unwrap().example)();
        let page = |given: Option<&str>| {
            let place =
                Place { flow: "f".into(), environment: "e".into(), branch: "b".into(), repository: String::new() };
            Notice::new("k", place, EXAMPLE_AT, &event, String::new(), given.map(str::to_owned)).url
        };
        assert_eq!(page(None).as_deref(), Some("https://git.example.com/shop/7"));
        assert_eq!(page(Some("http://t/1")).as_deref(), Some("http://t/1"));
        assert_eq!(page(Some("javascript:alert(1)")), None);
    }
}
