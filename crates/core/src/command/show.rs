//! The canonical text of a command: one line, and what [`Command::parse`] reads back.

use std::fmt::{self, Write};

use super::words::state_word;
use super::{Command, Flag, Lasting, Place, Target};
use crate::model::Span;
use crate::text;

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Pause { target, until, .. } => write!(f, "{verb} {target}{}", Lasts(*until)),
            Self::Resume { target } => write!(f, "{verb} {target}"),
            Self::Hold { commit, place, .. } => write!(f, "{verb} {commit}{}", At(place)),
            Self::Unhold { commit, place, fixed_by } => {
                write!(f, "{verb} {commit}{}", At(place))?;
                fixed_by.as_ref().map_or(Ok(()), |fix| write!(f, " {} {fix}", Flag::FixedBy))
            }
            Self::Approve { flow, env, commit } => write!(f, "{verb} {flow} {env} {commit}"),
            Self::Promote { flow, env, to, .. } | Self::Rollback { flow, env, to, .. } => {
                write!(f, "{verb} {flow} {env}")?;
                to.as_ref().map_or(Ok(()), |to| write!(f, " to {to}"))
            }
            Self::Override { gate, flow, env, commit, .. } => {
                write!(f, "{verb} {} {flow} {env} {commit}", gate.key())
            }
            Self::Retry { flow, env } => write!(f, "{verb} {flow} {env}"),
            Self::Report { flow, commit, name, state, on, url } => {
                write!(f, "{verb} {flow} {commit} {} {}", Word(name.as_str()), state_word(*state))?;
                if let Some(on) = on {
                    write!(f, " {} {}", Flag::Ref, Word(on.as_str()))?;
                }
                url.as_ref().map_or(Ok(()), |url| write!(f, " {} {}", Flag::Url, Word(url)))
            }
        }?;
        self.reason().map_or(Ok(()), |reason| write!(f, " {} {}", Flag::Reason, Quoted(reason)))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One(word) => f.write_str(word),
            Self::Edge(flow, env) => write!(f, "{flow} {env}"),
        }
    }
}

/// A place as it follows the commit.
struct At<'a>(&'a Place);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Everywhere => Ok(()),
            Place::Flow(flow) => write!(f, " {flow}"),
            Place::Edge(flow, env) => write!(f, " {flow} {env}"),
        }
    }
}

/// How long, as it follows the target.
struct Lasts(Lasting);

impl fmt::Display for Lasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Lasting::Default => Ok(()),
            Lasting::For(span) => write!(f, " {} {}", Flag::For, Exact(span)),
            Lasting::Until(when) => write!(f, " {} {}", Flag::Until, Word(&when.to_string())),
            Lasting::UntilResumed => write!(f, " {} resumed", Flag::Until),
        }
    }
}

/// A span to the millisecond: its own text is rounded, for people.
struct Exact(Span);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.ms();
        if left == 0 {
            return f.write_str("0s");
        }
        for (ms_per, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
            if left >= ms_per {
                write!(f, "{}{unit}", left / ms_per)?;
                left %= ms_per;
            }
        }
        Ok(())
    }
}

/// A word that is quoted only where it would otherwise be read as something else.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing that a shell would take for more than text.
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/:@%+=,-".contains(c);
        let bare = !self.0.is_empty() && !self.0.starts_with('-') && self.0.chars().all(plain);
        if bare { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

/// A text in double quotes, on one line and with nothing in it that a terminal would obey.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                // `$` and the back quote because the text may be pasted into a shell.
                '"' | '\\' | '$' | '`' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if is_inert(c) => f.write_char(c)?,
                c => write!(f, "{}", c.escape_unicode())?,
            }
        }
        f.write_char('"')
    }
}

/// A piece of somebody's text in a message: in back quotes, short, inert.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", text::Shown::new(self.0).at_most(60))
    }
}

/// Whether it shows itself, as [`text::Shown`] judges it behind a letter: an accent does, an
/// escape or a mark that turns the direction of writing does not.
fn is_inert(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_control();
    }
    let pair = String::from_iter(['a', c]);
    text::Shown::new(&pair).to_string() == pair
}
