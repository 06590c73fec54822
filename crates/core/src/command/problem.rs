//! What can be wrong with a command, as values; their text says what, where, and what to write
//! instead.

use std::fmt;

use chrono_tz::Tz;

use super::show::Shown;
use super::{CommitWord, Flag, NAME_MAX, REASON_MAX, TEXT_MAX, URL_MAX, VERBS, Verb, When};
use crate::model::GateKind;

/// Why a text is no command, or a command not sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing was written.
    Empty,
    /// The text, or what it would be shown as, is longer than [`TEXT_MAX`].
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// A quote is opened and never closed.
    QuoteOpen {
        /// The quote.
        quote: char,
        /// The character it is, from 1.
        at: usize,
    },
    /// Text sticks to a closing quote.
    QuoteStuck {
        /// The character after the quote, from 1.
        at: usize,
    },
    /// The first word is no verb.
    UnknownVerb {
        /// The word.
        word: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// A question where only a command is taken.
    OnlyReads {
        /// The verb.
        verb: Verb,
    },
    /// A command where only a question is taken.
    OnlySteers {
        /// The verb.
        verb: Verb,
    },
    /// Several commands in one comment.
    ManyCommands {
        /// How many.
        count: usize,
    },
    /// A flag that the verb does not have.
    UnknownFlag {
        /// The verb.
        verb: Verb,
        /// The flag, without dashes.
        flag: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// A flag is there twice.
    FlagTwice {
        /// Which.
        flag: Flag,
    },
    /// A flag has no value.
    FlagEmpty {
        /// Which.
        flag: Flag,
    },
    /// `--for` and `--until` together.
    ForAndUntil,
    /// A word follows a reason without quotes: part of the reason, or not?
    ReasonNotQuoted {
        /// The reason as read so far.
        reason: String,
        /// The word.
        word: String,
    },
    /// A word that has to be there is not.
    Missing {
        /// The verb.
        verb: Verb,
        /// What is missing.
        slot: Slot,
    },
    /// A word too many, or in the wrong place.
    Unexpected {
        /// The verb.
        verb: Verb,
        /// The word.
        word: String,
    },
    /// A commit stands where `to` has to come first.
    ToMissing {
        /// The verb.
        verb: Verb,
        /// The commit.
        commit: CommitWord,
    },
    /// The verb has to say why.
    ReasonMissing {
        /// The verb.
        verb: Verb,
    },
    /// The reason is longer than [`REASON_MAX`].
    ReasonTooLong {
        /// How long it is.
        chars: usize,
    },
    /// A character that may not be stored or shown.
    ControlCharacter {
        /// Where.
        slot: Slot,
        /// The character.
        character: char,
    },
    /// No name of a flow or environment.
    BadName {
        /// What it stands for.
        slot: Slot,
        /// The word.
        word: String,
    },
    /// `all` as the name of one flow or environment.
    AllAlone,
    /// No commit.
    BadCommit {
        /// The word.
        word: String,
    },
    /// No gate.
    UnknownGate {
        /// The word.
        word: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// No state of a check.
    UnknownState {
        /// The word.
        word: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// No name of a check.
    BadCheckName {
        /// The word.
        word: String,
    },
    /// No name of a branch.
    BadBranch {
        /// The word.
        word: String,
    },
    /// No link of the web. The link is not repeated: it may hold a secret.
    BadUrl,
    /// A link with a user name or password in it.
    UrlWithPassword,
    /// No length of time.
    BadDuration {
        /// What is wrong with it.
        why: String,
    },
    /// A pause of no length.
    NoTime,
    /// No point in time.
    BadTime {
        /// The word.
        word: String,
    },
    /// A point in time that is over.
    Past {
        /// Which.
        when: When,
        /// The zone it was read in.
        zone: Tz,
        /// The present, in that zone.
        now: String,
    },
    /// A point in time that is further off than ten years, as far as a length of time may reach.
    TooFar {
        /// Which.
        when: When,
        /// The zone it was read in.
        zone: Tz,
        /// The present, in that zone.
        now: String,
    },
    /// A point in time that cannot be computed with.
    OutOfCalendar {
        /// Which.
        when: When,
    },
}

/// A place in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// TARGET
    Target,
    /// FLOW
    Flow,
    /// ENV
    Env,
    /// SHA
    Commit,
    /// GATE
    Gate,
    /// NAME, of a check
    Check,
    /// `success|failure|pending`
    State,
    /// `--reason`
    Reason,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Target => "target",
            Self::Flow => "flow",
            Self::Env => "environment",
            Self::Commit => "commit",
            Self::Gate => "gate",
            Self::Check => "check",
            Self::State => "state",
            Self::Reason => "reason",
        })
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    #[expect(clippy::too_many_lines, reason = "one arm for each problem, so that none is without a sentence")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there is no command; {Verbs}"),
            Self::TooLong { chars } => write!(f, "the command has {chars} characters; {TEXT_MAX} is the most"),
            Self::QuoteOpen { quote, at } => {
                write!(f, "the quote {quote} at character {at} is never closed; close it")
            }
            Self::QuoteStuck { at } => write!(
                f,
                "text follows a closing quote at character {at}; put a space between them, or `\\\"` for a quote inside quotes"
            ),
            Self::UnknownVerb { word, near: Some(near) } => {
                write!(f, "{} is no command; did you mean `{near}`?", Shown(word))
            }
            Self::UnknownVerb { word, near: None } => write!(f, "{} is no command; {Verbs}", Shown(word)),
            Self::OnlyReads { verb } => write!(f, "`{verb}` only looks and changes nothing; {Commands}"),
            Self::OnlySteers { verb } => write!(f, "`{verb}` changes something, and here is only looked"),
            Self::ManyCommands { count } => {
                write!(f, "there are {count} commands in this comment; write each in a comment of its own")
            }
            Self::UnknownFlag { verb, flag, near: Some(near) } => {
                write!(f, "`{verb}` has no flag {}; did you mean `--{near}`?", Shown(&format!("--{flag}")))
            }
            Self::UnknownFlag { verb, flag, near: None } => {
                write!(f, "`{verb}` has no flag {}; {}", Shown(&format!("--{flag}")), Usage(*verb))
            }
            Self::FlagTwice { flag } => write!(f, "`{flag}` is there twice; keep one"),
            Self::FlagEmpty { flag } => write!(f, "`{flag}` needs a value; write `{flag} {}`", flag.sample()),
            Self::ForAndUntil => f.write_str("`--for` and `--until` are both there; keep one"),
            Self::ReasonNotQuoted { reason, word } => write!(
                f,
                "is {} part of the reason? Then put quotes around all of it, `--reason \"… …\"`; if not, around {}",
                Shown(word),
                Shown(reason)
            ),
            Self::Missing { verb, slot } => write!(f, "`{verb}` needs {} {slot}; {}", slot.article(), Usage(*verb)),
            Self::Unexpected { verb, word } => {
                write!(f, "`{verb}` does not know what to do with {}; {}", Shown(word), Usage(*verb))
            }
            Self::ToMissing { verb, commit } => {
                write!(f, "`{verb}` wants `to` before the commit; write `… to {commit}`")
            }
            Self::ReasonMissing { verb } => {
                write!(f, "`{verb}` needs a reason; add `--reason \"…\"` for those who will wonder why")
            }
            Self::ReasonTooLong { chars } => {
                write!(f, "the reason has {chars} characters; {REASON_MAX} is the most: put the rest behind a link")
            }
            Self::ControlCharacter { slot, character } => {
                write!(f, "the {slot} holds the control character U+{:04X}; leave it out", u32::from(*character))
            }
            Self::BadName { slot, word } => write!(
                f,
                "{} names no {slot}; names have up to {NAME_MAX} of `a-z 0-9 . _ / -`, begin with no dash and end with no point",
                Shown(word)
            ),
            Self::AllAlone => f.write_str(
                "`all` is no name; `pause`, `freeze` and `resume` take it alone, for every flow, and `hold` and `unhold` after the commit",
            ),
            Self::BadCommit { word } => write!(
                f,
                "{} is no commit; write {} to {} hexadecimal digits of its id, such as `3f9c2d1a`",
                Shown(word),
                CommitWord::DIGITS_MIN,
                CommitWord::DIGITS_MAX
            ),
            Self::UnknownGate { word, near: Some(near) } => {
                write!(f, "{} is no gate; did you mean `{near}`?", Shown(word))
            }
            Self::UnknownGate { word, near: None } => match no_gate(word) {
                Some(advice) => write!(f, "{} is no gate: {advice}", Shown(word)),
                None => write!(f, "{} is no gate; {Gates}", Shown(word)),
            },
            Self::UnknownState { word, near: Some(near) } => {
                write!(f, "{} is no state of a check; did you mean `{near}`?", Shown(word))
            }
            Self::UnknownState { word, near: None } => {
                write!(f, "{} is no state of a check; write `success`, `failure` or `pending`", Shown(word))
            }
            Self::BadCheckName { word } => {
                write!(f, "{} is no name of a check; write 1 to {NAME_MAX} characters, not all spaces", Shown(word))
            }
            Self::BadBranch { word } => {
                write!(f, "`--ref`: {} is no name of a branch; write one such as `develop`", Shown(word))
            }
            Self::BadUrl => {
                write!(f, "`--url` is no link; write one that begins with `https://` or `http://`, without spaces, of at most {URL_MAX} characters")
            }
            Self::UrlWithPassword => f.write_str(
                "`--url` has a user name or password in it, which everybody would see; leave out what stands before the `@`",
            ),
            Self::BadDuration { why } => write!(f, "`--for`: {why}"),
            Self::NoTime => f.write_str("`--for` is no time at all; write one such as `30m`, `2h` or `1d`, or use `resume`"),
            Self::BadTime { word } => write!(
                f,
                "`--until`: {} is no time; write `18:00`, `tomorrow 09:00`, `mon 09:00`, `2026-12-24`, `2026-12-24T09:00` or `resumed`; it is read in the zone of the flow (`zone`)",
                Shown(word)
            ),
            Self::Past { when, zone, now } => {
                write!(f, "`--until`: `{when}` is over; it is {now} in {zone}: write a time to come")
            }
            Self::TooFar { when, zone, now } => write!(
                f,
                "`--until`: `{when}` in {zone} is more than ten years from now, which is {now}; write an earlier date, or `resumed`"
            ),
            Self::OutOfCalendar { when } => {
                write!(f, "`--until`: `{when}` is beyond the calendar; write a date from 1970 to 9999")
            }
        }
    }
}

impl Slot {
    const fn article(self) -> &'static str {
        match self {
            Self::Env => "an",
            Self::Target | Self::Flow | Self::Commit | Self::Gate | Self::Check | Self::State | Self::Reason => "a",
        }
    }
}

/// What does bear on a move but is no gate, and what to do about it.
fn no_gate(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "hold" | "holds" | "held" => "a hold is lifted by `unhold`",
        "freeze" | "freezes" | "frozen" => "a freeze is lifted by `resume`",
        "pause" | "pauses" | "paused" => "a pause is lifted by `resume`, and `promote` passes it",
        "divergence" | "diverged" => "commits that only the target has must first be brought to the source",
        _ => return None,
    })
}

/// Every verb, in a sentence.
struct Verbs;

impl fmt::Display for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{Commands}; to look: {}", words(true))
    }
}

/// Every verb that changes something, in a sentence.
struct Commands;

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the commands are: {}", words(false))
    }
}

fn words(reads: bool) -> String {
    let words: Vec<&str> = VERBS.iter().filter(|row| row.reads == reads).map(|row| row.word).collect();
    words.join(", ")
}

/// Every gate, in a sentence.
struct Gates;

impl fmt::Display for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gates are: {}", GateKind::ALL.map(GateKind::key).join(", "))
    }
}

/// The whole form of a verb, in a sentence.
struct Usage(Verb);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write `{}`", self.0.row().usage)
    }
}
