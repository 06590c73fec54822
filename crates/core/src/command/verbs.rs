//! The table of verbs, from which the parser, help texts and tests are made.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Command;
use crate::model::PauseKind;

/// The first word of a command or a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `pause`
    Pause,
    /// `freeze`
    Freeze,
    /// `resume`
    Resume,
    /// `hold`
    Hold,
    /// `unhold`
    Unhold,
    /// `approve`
    Approve,
    /// `promote`
    Promote,
    /// `rollback`
    Rollback,
    /// `override`
    Override,
    /// `retry`
    Retry,
    /// `report`
    Report,
    /// `status`
    Status,
    /// `explain`
    Explain,
    /// `where`
    Where,
    /// `diff`
    Diff,
    /// `history`
    History,
    /// `whoami`
    Whoami,
    /// `help`
    Help,
}

/// What of its places a verb may leave to the [`Context`](super::Context).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fills {
    /// Nothing.
    Nothing,
    /// FLOW and ENV, or FLOW alone.
    Edge,
    /// The whole TARGET, or the FLOW before an ENV of the context's flow.
    Target,
    /// FLOW alone: what is said of one environment in passing shall bear on the flow.
    Flow,
}

/// What a verb may be followed by `--name VALUE` with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `--reason`
    Reason,
    /// `--for`
    For,
    /// `--until`
    Until,
    /// `--fixed-by`
    FixedBy,
    /// `--ref`
    Ref,
    /// `--url`
    Url,
}

/// What is to be known of a verb.
#[derive(Debug, Clone, Copy)]
pub struct VerbRow {
    /// Which.
    pub verb: Verb,
    /// The word itself.
    pub word: &'static str,
    /// The whole form, as in the command's help.
    pub usage: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Whether it only looks: such a verb begins a [`Query`](super::Query), every other a [`Command`].
    pub reads: bool,
    /// What of its places the context may give.
    pub fills: Fills,
    /// Whether it changes what moves, so that somebody has to have given it by name.
    pub steers: bool,
    /// Whether it says why.
    pub needs_reason: bool,
    /// What may follow.
    pub flags: &'static [Flag],
    /// A command or question that parses, in its canonical form.
    pub example: &'static str,
}

/// One row for each [`Verb`], in its order.
pub const VERBS: &[VerbRow] = &[
    VerbRow {
        verb: Verb::Pause,
        word: "pause",
        usage: "pause TARGET [--for 2h | --until WHEN] --reason R",
        help: "Stop automation in a scope; people may still promote",
        reads: false,
        fills: Fills::Target,
        steers: true,
        needs_reason: true,
        flags: &[Flag::For, Flag::Until, Flag::Reason],
        example: r#"pause production --for 2h --reason "database failover""#,
    },
    VerbRow {
        verb: Verb::Freeze,
        word: "freeze",
        usage: "freeze TARGET [--for 2h | --until WHEN] --reason R",
        help: "Stop everything in a scope; promote and override are refused too",
        reads: false,
        fills: Fills::Target,
        steers: true,
        needs_reason: true,
        flags: &[Flag::For, Flag::Until, Flag::Reason],
        example: r#"freeze checkout production --until "mon 09:00" --reason "audit weekend""#,
    },
    VerbRow {
        verb: Verb::Resume,
        word: "resume",
        usage: "resume TARGET",
        help: "Lift the pauses and freezes of a scope",
        reads: false,
        fills: Fills::Target,
        steers: true,
        needs_reason: false,
        flags: &[],
        example: "resume production",
    },
    VerbRow {
        verb: Verb::Hold,
        word: "hold",
        usage: "hold SHA [FLOW [ENV]] --reason R",
        help: "Stop one commit and everything that contains it",
        reads: false,
        fills: Fills::Flow,
        steers: true,
        needs_reason: true,
        flags: &[Flag::Reason],
        example: r#"hold 3f9c2d1a checkout production --reason "breaks refunds""#,
    },
    VerbRow {
        verb: Verb::Unhold,
        word: "unhold",
        usage: "unhold SHA [FLOW [ENV]] [--fixed-by FIX]",
        help: "Lift a hold, or let only candidates with the fix pass it",
        reads: false,
        fills: Fills::Flow,
        steers: true,
        needs_reason: false,
        flags: &[Flag::FixedBy],
        example: "unhold 3f9c2d1a checkout production --fixed-by 81b0e6c4",
    },
    VerbRow {
        verb: Verb::Approve,
        word: "approve",
        usage: "approve FLOW ENV SHA",
        help: "Approve exactly this commit for an environment",
        reads: false,
        fills: Fills::Edge,
        steers: true,
        needs_reason: false,
        flags: &[],
        example: "approve checkout production 3f9c2d1a",
    },
    VerbRow {
        verb: Verb::Promote,
        word: "promote",
        usage: "promote FLOW ENV [to SHA] --reason R",
        help: "Move one candidate without lag, quiet, window, schedule or pause",
        reads: false,
        fills: Fills::Edge,
        steers: true,
        needs_reason: true,
        flags: &[Flag::Reason],
        example: r#"promote checkout production to 3f9c2d1a --reason "fixes the outage""#,
    },
    VerbRow {
        verb: Verb::Rollback,
        word: "rollback",
        usage: "rollback FLOW ENV [to SHA] --reason R",
        help: "Put an environment back to a commit it held before",
        reads: false,
        fills: Fills::Edge,
        steers: true,
        needs_reason: true,
        flags: &[Flag::Reason],
        example: r#"rollback checkout production to 3f9c2d1a --reason "errors since 14:00""#,
    },
    VerbRow {
        verb: Verb::Override,
        word: "override",
        usage: "override GATE FLOW ENV SHA --reason R",
        help: "Let one candidate pass one gate",
        reads: false,
        fills: Fills::Edge,
        steers: true,
        needs_reason: true,
        flags: &[Flag::Reason],
        example: r#"override ci checkout production 3f9c2d1a --reason "runner is down""#,
    },
    VerbRow {
        verb: Verb::Retry,
        word: "retry",
        usage: "retry FLOW ENV",
        help: "Try a refused push or a closed request again now",
        reads: false,
        fills: Fills::Edge,
        steers: true,
        needs_reason: false,
        flags: &[],
        example: "retry checkout production",
    },
    VerbRow {
        verb: Verb::Report,
        word: "report",
        usage: "report FLOW SHA NAME success|failure|pending [--ref BRANCH] [--url U]",
        help: "Report a CI result, where no forge has it",
        reads: false,
        fills: Fills::Nothing,
        steers: false,
        needs_reason: false,
        flags: &[Flag::Ref, Flag::Url],
        example: "report checkout 3f9c2d1a build success --ref develop --url https://ci.example.com/1",
    },
    VerbRow {
        verb: Verb::Status,
        word: "status",
        usage: "status [TARGET]",
        help: "Where everything is, as of the last look",
        reads: true,
        fills: Fills::Target,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "status checkout production",
    },
    VerbRow {
        verb: Verb::Explain,
        word: "explain",
        usage: "explain SHA | explain FLOW ENV",
        help: "Why a commit, or an environment, has not moved",
        reads: true,
        fills: Fills::Edge,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "explain checkout production",
    },
    VerbRow {
        verb: Verb::Where,
        word: "where",
        usage: "where SHA",
        help: "Which environments have a commit, and since when",
        reads: true,
        fills: Fills::Nothing,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "where 3f9c2d1a",
    },
    VerbRow {
        verb: Verb::Diff,
        word: "diff",
        usage: "diff FLOW ENV",
        help: "What an environment lacks of its source",
        reads: true,
        fills: Fills::Edge,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "diff checkout production",
    },
    VerbRow {
        verb: Verb::History,
        word: "history",
        usage: "history [FLOW]",
        help: "What happened, newest first",
        reads: true,
        fills: Fills::Flow,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "history checkout",
    },
    VerbRow {
        verb: Verb::Whoami,
        word: "whoami",
        usage: "whoami",
        help: "Who you are here, and what you may do",
        reads: true,
        fills: Fills::Nothing,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "whoami",
    },
    VerbRow {
        verb: Verb::Help,
        word: "help",
        usage: "help [VERB]",
        help: "What can be said, or how one command is written",
        reads: true,
        fills: Fills::Nothing,
        steers: false,
        needs_reason: false,
        flags: &[],
        example: "help promote",
    },
];

impl Verb {
    /// What is to be known of it.
    pub fn row(self) -> &'static VerbRow {
        // The order of the table is that of the enum; a test holds it to that.
        &VERBS[self as usize]
    }

    /// The word itself.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The verb with this word, in upper or lower case: telephones capitalise first words.
    pub fn from_word(word: &str) -> Option<Self> {
        VERBS.iter().find(|row| row.word.eq_ignore_ascii_case(word)).map(|row| row.verb)
    }

    /// Whether it only looks.
    pub fn reads(self) -> bool {
        self.row().reads
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Verb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Verb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word)
            .ok_or_else(|| serde::de::Error::custom(format!("`{}` is no verb", word.escape_debug())))
    }
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 6] = [Self::Reason, Self::For, Self::Until, Self::FixedBy, Self::Ref, Self::Url];

    /// Its name, without the dashes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::For => "for",
            Self::Until => "until",
            Self::FixedBy => "fixed-by",
            Self::Ref => "ref",
            Self::Url => "url",
        }
    }

    /// A value to show in messages.
    pub const fn sample(self) -> &'static str {
        match self {
            Self::Reason => "\"…\"",
            Self::For => "2h",
            Self::Until => "18:00",
            Self::FixedBy => "SHA",
            Self::Ref => "BRANCH",
            Self::Url => "https://…",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.name())
    }
}

impl Command {
    /// Its verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Pause { kind: PauseKind::Pause, .. } => Verb::Pause,
            Self::Pause { kind: PauseKind::Freeze, .. } => Verb::Freeze,
            Self::Resume { .. } => Verb::Resume,
            Self::Hold { .. } => Verb::Hold,
            Self::Unhold { .. } => Verb::Unhold,
            Self::Approve { .. } => Verb::Approve,
            Self::Promote { .. } => Verb::Promote,
            Self::Rollback { .. } => Verb::Rollback,
            Self::Override { .. } => Verb::Override,
            Self::Retry { .. } => Verb::Retry,
            Self::Report { .. } => Verb::Report,
        }
    }

    /// Why it is given, where its verb says why.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pause { reason, .. }
            | Self::Hold { reason, .. }
            | Self::Promote { reason, .. }
            | Self::Rollback { reason, .. }
            | Self::Override { reason, .. } => Some(reason),
            Self::Resume { .. }
            | Self::Unhold { .. }
            | Self::Approve { .. }
            | Self::Retry { .. }
            | Self::Report { .. } => None,
        }
    }
}
