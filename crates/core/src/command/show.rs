//! The canonical text of a command: one line, and what [`Command::parse`] reads back.

use std::fmt::{self, Write};

use super::words::state_word;
use super::{Command, Flag, Lasting, Place, Target};
use crate::model::Span;

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Pause { target, until, .. } => write!(f, "{verb} {target}{until}"),
            Self::Resume { target } => write!(f, "{verb} {target}"),
            Self::Hold { commit, place, .. } => write!(f, "{verb} {commit}{place}"),
            Self::Unhold { commit, place, fixed_by } => {
                write!(f, "{verb} {commit}{place}")?;
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

/// With a space before it, unless it is empty.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => Ok(()),
            Self::Flow(flow) => write!(f, " {flow}"),
            Self::Edge(flow, env) => write!(f, " {flow} {env}"),
        }
    }
}

/// With a space before it, unless it is empty.
impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => Ok(()),
            Self::For(span) => write!(f, " {} {}", Flag::For, Exact(*span)),
            Self::Until(when) => write!(f, " {} {}", Flag::Until, Word(&when.to_string())),
            Self::UntilResumed => write!(f, " {} resumed", Flag::Until),
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
                c if is_hidden(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// A piece of somebody's text in a message: in back quotes, short, harmless.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Shown<'_> {
    const CHARS_MAX: usize = 60;
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        for c in self.0.chars().take(Self::CHARS_MAX) {
            match c {
                c if is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        let cut = self.0.chars().nth(Self::CHARS_MAX).is_some();
        f.write_str(if cut { "…`" } else { "`" })
    }
}

/// Characters that cannot be seen, break the line, or change the direction of those around them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
