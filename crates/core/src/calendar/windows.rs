//! `gates.window`: when entry is open.

use std::fmt;

use chrono::{NaiveDateTime, Offset, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::local;
use super::span::Span;
use crate::model::{self, Instant};
use crate::text::Shown;

/// `gates.window` of an environment: the spans in which entry is open and those in which it is
/// not, read in the flow's zone.
///
/// Open means: `allow` is empty or one of its spans covers the local time, and no span of `deny`
/// does. Spans are closed at their start and open at their end.
///
/// Written by serde as the texts and the zone; read back by parsing them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Windows {
    allow: Vec<Entry>,
    deny: Vec<Entry>,
    zone: Tz,
}

/// Which of the two lists of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The spans in which entry is open.
    Allow,
    /// The spans in which it is not, whatever `allow` says.
    Deny,
}

/// One text of a list, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    text: String,
    span: Span,
}

/// How serde sees [`Windows`].
#[derive(Serialize, Deserialize)]
struct Written {
    allow: Vec<String>,
    deny: Vec<String>,
    zone: Tz,
}

/// How far ahead a change is looked for: two years. A window that does not open within that is a
/// mistake to be shown, not a time to be waited for.
const HORIZON: model::Span = model::Span::from_mins(731 * 1_440);

/// Between two looks at the zone's offset. No zone changes its clock twice within this.
const STRIDE: model::Span = model::Span::from_mins(12 * 60);

impl Which {
    /// The key in config.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Windows {
    /// Parses both lists. An empty `allow` means always, but for `deny`.
    ///
    /// Each text is a weekly span (`Mon-Fri 09:00-16:00`, `Mon,Wed 09:00-12:00`, `Sat`,
    /// `09:00-16:00`, `Fri 22:00-02:00`, `Fri 13:00-Mon 09:00`) or dates (`2026-12-24`,
    /// `2026-12-23/2027-01-02` with both days included, `2026-12-24T12:00/2026-12-26T08:00`).
    ///
    /// # Errors
    /// Every problem of both lists: the list, the index in it, and a sentence that says what is
    /// wrong and how to mend it.
    pub fn parse(allow: &[String], deny: &[String], zone: Tz) -> Result<Self, Vec<(Which, usize, String)>> {
        let mut problems = Vec::new();
        let mut list = |which, texts: &[String]| {
            let mut entries = Vec::with_capacity(texts.len());
            for (index, text) in texts.iter().enumerate() {
                match Span::parse(text) {
                    Ok(span) => entries.push(Entry { text: text.trim().to_owned(), span }),
                    Err(why) => problems.push((which, index, why)),
                }
            }
            entries
        };
        let (allow, deny) = (list(Which::Allow, allow), list(Which::Deny, deny));
        if problems.is_empty() { Ok(Self { allow, deny, zone }) } else { Err(problems) }
    }

    /// The texts of one list, as they were written.
    pub fn texts(&self, which: Which) -> impl ExactSizeIterator<Item = &str> {
        let entries = match which {
            Which::Allow => &self.allow,
            Which::Deny => &self.deny,
        };
        entries.iter().map(|entry| entry.text.as_str())
    }

    /// The zone in which the texts are read.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Whether entry is open at this instant. Never before 1900 or after 4899, where only a broken
    /// clock can be.
    pub fn is_open(&self, at: Instant) -> bool {
        local(at, self.zone).is_some_and(|local| self.covers(local.naive_local()))
    }

    /// The smallest instant after `at` at which entry becomes open: if it is open now, the opening
    /// after the next closing. None if there is none within two years.
    pub fn next_opening(&self, at: Instant) -> Option<Instant> {
        let closed = if self.is_open(at) { self.next_change(at)? } else { at };
        self.next_change(closed).filter(|opening| *opening <= at + HORIZON)
    }

    /// The smallest instant after `at` at which entry becomes closed. None if it is closed now, or
    /// stays open for two years.
    pub fn next_closing(&self, at: Instant) -> Option<Instant> {
        if self.is_open(at) { self.next_change(at) } else { None }
    }

    /// The smallest instant after `at` at which entry opens or closes; [`Self::is_open`] of it says
    /// which. None if nothing changes within two years.
    ///
    /// Exact, and quick: between two changes of the zone's offset only the starts and ends of
    /// spans are looked at.
    pub fn next_change(&self, at: Instant) -> Option<Instant> {
        let open = self.is_open(at);
        let limit = at + HORIZON;
        let mut from = at;
        while from < limit {
            let offset = self.offset(from)?;
            let until = self.same_offset_until(from, offset)?.min(limit);
            let mut moment = from.utc()?.naive_utc().checked_add_signed(offset)?;
            let end = until.utc()?.naive_utc().checked_add_signed(offset)?;
            while let Some(edge) = self.edge_after(moment).filter(|edge| *edge < end) {
                if self.covers(edge) != open {
                    return Some(Instant(edge.checked_sub_signed(offset)?.and_utc().timestamp_millis()));
                }
                moment = edge;
            }
            // Where the offset changes, local time jumps: into a span or out of it.
            if self.is_open(until) != open {
                return Some(until);
            }
            from = until;
        }
        None
    }

    fn covers(&self, local: NaiveDateTime) -> bool {
        let any = |entries: &[Entry]| entries.iter().any(|entry| entry.span.covers(local));
        (self.allow.is_empty() || any(&self.allow)) && !any(&self.deny)
    }

    /// The first start or end of any span after a local time.
    fn edge_after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        self.allow.iter().chain(&self.deny).filter_map(|entry| entry.span.boundary_after(local)).min()
    }

    /// What the zone adds to UTC at an instant.
    fn offset(&self, at: Instant) -> Option<TimeDelta> {
        let seconds = local(at, self.zone)?.offset().fix().local_minus_utc();
        Some(TimeDelta::seconds(seconds.into()))
    }

    /// An instant after `from` up to which (exclusive) the offset stays: the change of the clock if
    /// one comes within [`STRIDE`], found by bisection, or that far ahead.
    fn same_offset_until(&self, from: Instant, offset: TimeDelta) -> Option<Instant> {
        let far = from + STRIDE;
        if self.offset(far)? == offset {
            return Some(far);
        }
        let (mut same, mut other) = (from.0, far.0);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if self.offset(Instant(middle))? == offset {
                same = middle;
            } else {
                other = middle;
            }
        }
        Some(Instant(other))
    }
}

impl From<Windows> for Written {
    fn from(windows: Windows) -> Self {
        let texts = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.text).collect();
        Self { allow: texts(windows.allow), deny: texts(windows.deny), zone: windows.zone }
    }
}

impl TryFrom<Written> for Windows {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Self::parse(&written.allow, &written.deny, written.zone).map_err(|problems| {
            let lines: Vec<String> =
                problems.iter().map(|(which, index, why)| format!("{which}[{index}]: {why}")).collect();
            lines.join("; ")
        })
    }
}

/// `Mon-Fri 09:00-16:00, but not 2026-12-23/2027-01-02 (Europe/Warsaw)`.
impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, entries: &[Entry]| {
            entries.iter().enumerate().try_for_each(|(at, entry)| {
                let comma = if at == 0 { "" } else { ", " };
                write!(f, "{comma}{}", Shown::new(&entry.text))
            })
        };
        if self.allow.is_empty() {
            f.write_str("always")?;
        }
        list(f, &self.allow)?;
        if !self.deny.is_empty() {
            f.write_str(", but not ")?;
            list(f, &self.deny)?;
        }
        write!(f, " ({})", self.zone)
    }
}
