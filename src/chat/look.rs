//! What `doctor` finds out about a chat: asked, never changed. Nothing is posted, and no connection is opened.
//!
//! Each platform has a `look.rs` that asks and says ([`Found`]); here is what they share. What could not be asked is
//! said, never taken for good.
//!
//! Not here: how it is shown, and what the config alone tells (`cli::doctor`).

use std::collections::BTreeMap;

use crate::forge::client::Fault;

/// How many channels are asked about. Slack takes fifty such questions a minute (docs.slack.dev: "Rate limits", tier 3).
pub(super) const ROOMS_MAX: usize = 30;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is as it has to be.
    Good,
    /// It is worth knowing, and stops nothing.
    Note,
    /// Something does not work until somebody mends it.
    Stops,
}

/// One thing that was found: what and where, and how it is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How much it weighs.
    pub weight: Weight,
    /// What, in words that may hold words of the platform's.
    pub what: String,
    /// What mends it; empty where nothing has to be.
    pub mend: String,
}

impl Found {
    pub(super) fn good(what: String) -> Self {
        Self { weight: Weight::Good, what, mend: String::new() }
    }

    pub(super) fn note(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { weight: Weight::Note, what: what.into(), mend: mend.into() }
    }

    pub(super) fn stops(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { weight: Weight::Stops, what: what.into(), mend: mend.into() }
    }
}

/// The channels that the config names of a chat, by their ids: for what, and whether something is posted there
/// unasked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rooms(BTreeMap<String, (String, bool)>);

impl Rooms {
    /// The channel is named there (`[sink.NAME]`, `channels`), and `posts` is whether something is to be posted.
    pub fn add(&mut self, channel: &str, named: &str, posts: bool) {
        let (names, any) = self.0.entry(channel.to_owned()).or_default();
        if !names.is_empty() {
            names.push_str(" and ");
        }
        names.push_str(named);
        *any |= posts;
    }

    /// Those that are asked about, and how many are not.
    pub(super) fn asked(&self) -> (impl Iterator<Item = Room<'_>>, usize) {
        let rooms = self.0.iter().map(|(id, (named, posts))| Room { id, named, posts: *posts });
        (rooms.take(ROOMS_MAX), self.0.len().saturating_sub(ROOMS_MAX))
    }
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) id: &'a str,
    named: &'a str,
    posts: bool,
}

impl Room<'_> {
    /// Something is not as it has to be there: where something is posted it stops that.
    pub(super) fn fault(&self, what: &str, mend: &str) -> Found {
        let weight = if self.posts { Weight::Stops } else { Weight::Note };
        Found { weight, what: format!("the channel {self} {what}"), mend: mend.to_owned() }
    }

    pub(super) fn good(&self, what: &str) -> Found {
        Found::good(format!("the channel {self} {what}"))
    }
}

impl std::fmt::Display for Room<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` of {}", self.id, self.named)
    }
}

/// That more channels are named than are asked about.
pub(super) fn left_out(more: usize) -> Option<Found> {
    let mend = "write one to each, or see the log of `serve` for what is not taken";
    (more > 0).then(|| Found::note(format!("{more} more channels were not asked about"), mend))
}

/// Why there is no answer: what passes by itself is a note.
pub(super) fn unanswered(of: &str, fault: &Fault) -> Found {
    match fault {
        Fault::Limited { again_in, .. } => {
            Found::note(format!("{of} wants no questions now"), format!("ask again in {again_in}"))
        }
        Fault::Said { status, words } => Found::stops(
            format!("{of} cannot be asked: it answered {status}: {words}"),
            "see that `url` is its address and not that of a proxy or a login page",
        ),
        Fault::Credential { words } => Found::stops(words.clone(), "put it where the config says"),
        fault => Found::stops(
            format!("{of} cannot be asked: {fault}"),
            "see that `url` is right, and that this machine may reach it",
        ),
    }
}
