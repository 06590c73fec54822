//! Who is called by a message, and who is only named.
//!
//! A person is called for what they want to be called for, by the id that the config gives them on this platform. A
//! machine is never called, nor is anybody whom the config does not have: the name in a commit is text that anybody can
//! write.
//!
//! Not here: who wrote a commit (`people::authors` of the core).

use std::collections::BTreeSet;

use towpath_core::people::{Identity, Mention, PersonCard};
use towpath_core::text::one_line;

use super::Settings;
use super::told::Wrote;
use crate::chat::message::Span;

/// The most people that one message calls.
pub const MENTIONS_MAX: usize = 10;

/// The longest name that is shown, in characters.
const NAME_MAX: usize = 60;

/// What is shown of somebody without a name.
const NAMELESS: &str = "somebody";

/// Why somebody would be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// What they wrote is in the way, was refused or was taken back.
    Problem,
    /// What they wrote is about to move.
    HeadsUp,
    /// It has moved.
    Landed,
    /// A pause or freeze of theirs is about to end.
    Ordered,
}

impl Cause {
    /// What somebody has to want at least.
    const fn needs(self) -> Mention {
        match self {
            Self::Problem | Self::Ordered => Mention::Problems,
            Self::HeadsUp => Mention::HeadsUp,
            Self::Landed => Mention::All,
        }
    }
}

/// The calls of one message: each person once, [`MENTIONS_MAX`] at most.
#[derive(Debug)]
pub struct Calls<'s> {
    settings: &'s Settings<'s>,
    /// None: nobody is called.
    cause: Option<Cause>,
    /// Who was told before that it is about to move.
    known: &'s [Wrote],
    called: BTreeSet<&'s str>,
}

impl<'s> Calls<'s> {
    /// Nobody called yet.
    pub const fn new(settings: &'s Settings<'s>, cause: Option<Cause>) -> Self {
        Self { settings, cause, known: &[], called: BTreeSet::new() }
    }

    /// But these, who were told before: nobody is called a second time to what is about to move.
    #[must_use]
    pub fn but(mut self, known: &'s [Wrote]) -> Self {
        self.known = known;
        self
    }

    /// Somebody, called if they are to be.
    pub fn span(&mut self, wrote: &Wrote) -> Span {
        let name = one_line(wrote.name(), NAME_MAX);
        let name = if name.is_empty() { NAMELESS.to_owned() } else { name };
        match wrote {
            Wrote::Bot(_) => Span::Text(name),
            Wrote::Stranger(_) => Span::Person { name, id: None },
            Wrote::Person(card) => {
                let card = self.settings.people.named(card);
                Span::Person { name, id: card.and_then(|card| self.call(card)) }
            }
        }
    }

    /// The id by which they are called; none if they are not.
    fn call(&mut self, card: &'s PersonCard) -> Option<String> {
        let wants = card.mention.unwrap_or(self.settings.mention);
        if wants < self.cause?.needs() || self.called.len() >= MENTIONS_MAX {
            return None;
        }
        let is_known = |known: &Wrote| matches!(known, Wrote::Person(name) if *name == card.name);
        if self.cause == Some(Cause::HeadsUp) && self.known.iter().any(is_known) {
            return None;
        }
        let id = id_of(card, self.settings)?.to_owned();
        self.called.insert(&card.name).then_some(id)
    }
}

/// Their id on the platform, in the team that is told. Where the team is not known: the only one that they have.
fn id_of<'c>(card: &'c PersonCard, settings: &Settings<'_>) -> Option<&'c str> {
    let mut ids = card.identities.iter().filter_map(|identity| match identity {
        Identity::Chat { platform, team, user } if *platform == settings.platform => {
            Some((team.as_deref(), user.as_str()))
        }
        _ => None,
    });
    match settings.team {
        Some(here) => ids.find(|(team, _)| team.is_none_or(|team| team == here)).map(|(_, user)| user),
        None => {
            let (_, user) = ids.next()?;
            ids.next().is_none().then_some(user)
        }
    }
}
