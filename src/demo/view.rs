//! From a scene to the lines of one frame: a pure function of the scene, the size and the paint.
//!
//! Everything is cut and wrapped by display width, so that no line is wider than the terminal and
//! the frame can be drawn over itself. Not here: the terminal (`screen`), and any wording of why
//! something moves or waits.

use towpath_core::explain::Mark;

use super::scene::{Commit, Edge, Lane, Past, Scene};
use super::text::{cut, pad, width, wrap};

/// The narrowest terminal that frames are drawn for.
pub const COLUMNS_MIN: usize = 60;

/// The lowest one.
pub const ROWS_MIN: usize = 18;

/// The widest frame: longer lines are hard to read.
const COLUMNS_MAX: usize = 120;

/// The highest frame.
const ROWS_MAX: usize = 34;

/// How many rows the past has at least, before the lanes give up details for it.
const PAST_MIN: usize = 4;

/// How many columns the names of environments take.
const NAME: usize = 12;

/// How many rows what the watcher is told may take, and always takes.
const SAY_ROWS: usize = 2;

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How wide.
    pub columns: usize,
    /// How high.
    pub rows: usize,
}

/// Whether frames have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// No.
    Plain,
    /// The eight that every terminal has.
    Colour,
}

/// What a piece of a line is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Plain,
    Dim,
    Strong,
    Say,
    Of(Mark),
}

/// One line, in pieces.
type Line = Vec<(Ink, String)>;

/// How much of the lanes is drawn.
#[derive(Debug, Clone, Copy)]
struct Detail {
    waiting: usize,
    verdict: usize,
    todo: usize,
    arrows: bool,
}

/// From everything to the least: the first with which the frame fits is taken.
const DETAILS: [Detail; 5] = [
    Detail { waiting: 4, verdict: 3, todo: 4, arrows: true },
    Detail { waiting: 3, verdict: 3, todo: 3, arrows: false },
    Detail { waiting: 2, verdict: 2, todo: 2, arrows: false },
    Detail { waiting: 1, verdict: 2, todo: 1, arrows: false },
    Detail { waiting: 0, verdict: 1, todo: 1, arrows: false },
];

/// The frame: as many lines for every scene, so that nothing jumps.
pub fn frame(scene: &Scene, size: Size, paint: Paint) -> Vec<String> {
    let columns = size.columns.clamp(1, COLUMNS_MAX);
    // The last row is left for the cursor.
    let rows = size.rows.saturating_sub(1).clamp(1, ROWS_MAX);
    let mut lines = head(scene, columns);
    let room = rows.saturating_sub(lines.len() + PAST_MIN + 1);
    let mut drawn = Vec::new();
    for detail in DETAILS {
        drawn = scene.lanes.iter().flat_map(|one| lane(one, columns, detail)).collect();
        if drawn.len() <= room {
            break;
        }
    }
    lines.append(&mut drawn);
    lines.push(rule(columns));
    let left = rows.saturating_sub(lines.len());
    lines.extend(past(&scene.past, columns, left));
    lines.resize(rows, Line::new());
    lines.iter().map(|line| painted(line, paint)).collect()
}

fn head(scene: &Scene, columns: usize) -> Vec<Line> {
    let (minute, of) = scene.minute;
    let plain = format!("Towpath demo   {}   minute {minute} of {of}", scene.clock);
    let right = "q stops";
    let full = if scene.speed.is_empty() { plain.clone() } else { format!("{plain}, {}", scene.speed) };
    let left = if width(&full) + width(right) < columns { full } else { plain };
    let gap = columns.saturating_sub(width(&left) + width(right));
    let top = if gap > 0 { format!("{left}{}{right}", " ".repeat(gap)) } else { cut(&left, columns) };
    let mut lines = vec![vec![(Ink::Strong, top)]];
    let mut said = wrap(&scene.say, columns, SAY_ROWS + usize::from(columns < 80));
    said.resize(SAY_ROWS + usize::from(columns < 80), String::new());
    lines.extend(said.into_iter().map(|line| vec![(Ink::Say, line)]));
    lines.push(rule(columns));
    lines
}

fn rule(columns: usize) -> Line {
    vec![(Ink::Dim, "─".repeat(columns))]
}

fn lane(lane: &Lane, columns: usize, detail: Detail) -> Vec<Line> {
    let mut lines = lane.edge.as_ref().map(|one| edge(one, columns, detail)).unwrap_or_default();
    let mut line = vec![(Ink::Strong, pad(&lane.name, NAME)), (Ink::Plain, " ".to_owned())];
    let room = columns.saturating_sub(NAME + 1);
    match &lane.tip {
        Some(tip) => {
            let branch = lane.branch.as_ref().map_or_else(String::new, |branch| format!("  on {branch}"));
            line.extend(commit(tip, room.saturating_sub(width(&branch))));
            line.push((Ink::Dim, branch));
        }
        None => line.push((Ink::Dim, cut("not known", room))),
    }
    lines.push(line);
    lines
}

/// A commit in at most so many columns: the subject gives way first.
fn commit(commit: &Commit, room: usize) -> Line {
    let author =
        if commit.author.is_empty() { String::new() } else { format!(" ({})", cut(&commit.author, room / 4)) };
    let id = format!("{}  ", commit.id);
    let subject = cut(&commit.subject, room.saturating_sub(width(&id) + width(&author)));
    let all = [(Ink::Dim, id), (Ink::Plain, subject), (Ink::Dim, author)];
    let mut left = room;
    all.into_iter()
        .map(|(ink, text)| {
            let text = cut(&text, left);
            left = left.saturating_sub(width(&text));
            (ink, text)
        })
        .collect()
}

fn edge(edge: &Edge, columns: usize, detail: Detail) -> Vec<Line> {
    const BANK: &str = "  │ ";
    let bank = || (Ink::Dim, BANK.to_owned());
    let room = columns.saturating_sub(width(BANK) + 2);
    let mut lines = Vec::new();
    for (mark, one) in edge.waiting.iter().take(detail.waiting) {
        let mut line = vec![bank(), sign(*mark)];
        line.extend(commit(one, room));
        lines.push(line);
    }
    let more = edge.waiting.len().saturating_sub(detail.waiting);
    if more > 0 && detail.waiting > 0 {
        lines.push(vec![bank(), (Ink::Dim, cut(&format!("  and {more} more"), room))]);
    }
    for (at, text) in wrap(&edge.verdict, room, detail.verdict).into_iter().enumerate() {
        let first = if at == 0 { sign(edge.mark) } else { (Ink::Plain, "  ".to_owned()) };
        lines.push(vec![bank(), first, (Ink::Of(edge.mark), text)]);
    }
    if let Some((say, command)) = &edge.todo {
        for (at, text) in wrap(say, room, detail.todo).into_iter().enumerate() {
            let first = if at == 0 { "> " } else { "  " };
            lines.push(vec![bank(), (Ink::Strong, first.to_owned()), (Ink::Plain, text)]);
        }
        for text in command.iter().flat_map(|command| wrap(command, room.saturating_sub(4), 2)) {
            lines.push(vec![bank(), (Ink::Strong, format!("      {text}"))]);
        }
    }
    if detail.arrows {
        lines.push(vec![(Ink::Dim, "  ▼".to_owned())]);
    }
    lines
}

fn sign(mark: Mark) -> (Ink, String) {
    (Ink::Of(mark), format!("{} ", mark.sign()))
}

/// The newest of the past, in at most so many rows, newest last. What happened is shown before its
/// details: where there is no room for both, the details go.
fn past(past: &[Past], columns: usize, rows: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut rest = past;
    while lines.len() < rows
        && let Some(head) = rest.iter().rposition(|one| !one.told.under)
    {
        let (before, group) = rest.split_at(head);
        let mut block: Vec<Line> = group.iter().flat_map(|one| happened(one, columns)).collect();
        let left = rows - lines.len();
        // Of an older one either everything is shown or nothing.
        if block.len() > left && !lines.is_empty() {
            break;
        }
        block.truncate(left);
        block.append(&mut lines);
        lines = block;
        rest = before;
    }
    lines
}

fn happened(one: &Past, columns: usize) -> Vec<Line> {
    const AT: usize = 6;
    let room = columns.saturating_sub(AT + 2);
    let ink = if one.told.under { Ink::Dim } else { Ink::Plain };
    let mut lines = Vec::new();
    for (at, text) in wrap(&one.told.text, room, 3).into_iter().enumerate() {
        let time = if at == 0 { pad(&one.at, AT) } else { " ".repeat(AT) };
        let mark = if at == 0 { sign(one.told.mark) } else { (Ink::Plain, "  ".to_owned()) };
        lines.push(vec![(Ink::Dim, time), mark, (ink, text)]);
    }
    lines
}

fn painted(line: &Line, paint: Paint) -> String {
    let mut text = String::new();
    for (ink, piece) in line {
        let code = match (paint, ink) {
            (Paint::Plain, _) | (_, Ink::Plain | Ink::Of(Mark::Note)) => None,
            (Paint::Colour, Ink::Dim) => Some("2"),
            (Paint::Colour, Ink::Strong) => Some("1"),
            (Paint::Colour, Ink::Say) => Some("1;36"),
            (Paint::Colour, Ink::Of(Mark::Pass)) => Some("32"),
            (Paint::Colour, Ink::Of(Mark::Wait)) => Some("33"),
            (Paint::Colour, Ink::Of(Mark::Block)) => Some("31"),
        };
        match code {
            Some(code) if !piece.trim().is_empty() => text.push_str(&format!("\u{1b}[{code}m{piece}\u{1b}[0m")),
            _ => text.push_str(piece),
        }
    }
    if paint == Paint::Plain { text.trim_end().to_owned() } else { text }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
