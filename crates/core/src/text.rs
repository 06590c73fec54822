//! Text that others wrote, made safe to show: commit subjects, names of authors and branches, the
//! words of servers. All of it is hostile until it has passed through here.
//!
//! Not here: HTML pages (their templates escape), and texts of our own (`explain`).

mod markdown;
#[cfg(test)]
mod tests;
mod title;

use std::fmt;

pub use markdown::markdown;
pub use title::title;

/// A text that does nothing to a terminal but show itself, on one line.
///
/// Letters of every script, accents, emoji and spaces stay as they are. Controls, line ends,
/// tabs, marks that turn the direction of writing, characters without width, private and unassigned
/// ones are written as escapes (`\n`, `\x1b`, `\u{202e}`), and so is what stands after the fourth
/// combining mark of a run, or a mark that has no letter to stand on.
///
/// Showing what has been shown changes nothing more, but for the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    text: &'a str,
    at_most: usize,
}

/// How many combining marks one letter may carry: Vietnamese and pointed Hebrew need three.
const MARKS_MAX: usize = 4;

impl<'a> Shown<'a> {
    /// The whole text, however long.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at_most: usize::MAX }
    }

    /// Cut after `limit` characters, the `…` that says so included. An escape counts as long as it
    /// is written, and is never cut in two.
    #[must_use]
    pub const fn at_most(self, limit: usize) -> Self {
        Self { at_most: limit, ..self }
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + use<'a> {
        let (mut letter, mut marks) = (false, 0);
        self.text.chars().map(move |c| {
            let kind = kind(c);
            match kind {
                Kind::Plain => (letter, marks) = (true, 0),
                Kind::Mark if letter && marks < MARKS_MAX => marks += 1,
                Kind::Mark => return Piece::Escaped(c),
                Kind::Unsafe => {
                    letter = false;
                    return Piece::Escaped(c);
                }
            }
            Piece::Kept(c)
        })
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = self.at_most;
        let mut pieces = self.pieces().peekable();
        while let Some(piece) = pieces.next() {
            let width = piece.width();
            // Room for the `…` is kept until the last piece, which needs none after it.
            let fits = if pieces.peek().is_some() { width < room } else { width <= room };
            if !fits {
                return if room == 0 { Ok(()) } else { f.write_str("…") };
            }
            room -= width;
            piece.write(f)?;
        }
        Ok(())
    }
}

/// The text on one line and inert, of at most `max` characters: as [`Shown`], but a line end or a
/// tab, with the white space around it, becomes one space, and none is left at the ends. For the
/// words of servers and other texts of several lines.
pub fn one_line(text: &str, max: usize) -> String {
    Shown::new(&fold(text)).at_most(max).to_string()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first line that is not blank, without the white space around it; empty if there is none.
/// Not made inert: show it through [`Shown`].
pub fn first_line(text: &str) -> &str {
    text.split(ends_line).map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
}

/// Whether anything that shows text could begin a new line here.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Every run of white space that holds a line end or a tab becomes one space.
fn fold(text: &str) -> String {
    let breaks = |c: char| c == '\t' || ends_line(c);
    let mut folded = String::with_capacity(text.len());
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || breaks(c));
    while let Some(at) = rest.find(breaks) {
        let (line, tail) = rest.split_at(at);
        folded.push_str(line.trim_end());
        folded.push(' ');
        rest = tail.trim_start_matches(|c: char| c.is_whitespace() || breaks(c));
    }
    folded.push_str(rest);
    folded
}

/// One character of the text, as it will be written.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Kept(char),
    Escaped(char),
}

impl Piece {
    /// Characters written.
    fn width(self) -> usize {
        match self {
            Self::Kept(_) => 1,
            Self::Escaped('\n' | '\r' | '\t') => 2,
            Self::Escaped(c) if c.is_ascii() => 4,
            Self::Escaped(c) => c.escape_unicode().len(),
        }
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        match self {
            Self::Kept(c) => f.write_char(c),
            Self::Escaped(c @ ('\n' | '\r' | '\t')) => write!(f, "{}", c.escape_default()),
            Self::Escaped(c) if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c)),
            Self::Escaped(c) => write!(f, "{}", c.escape_unicode()),
        }
    }
}

/// What a character may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Shows itself.
    Plain,
    /// Changes the letter before it.
    Mark,
    /// Anything else.
    Unsafe,
}

/// The standard library holds the table that is needed, in what `escape_debug` escapes: controls,
/// format characters, surrogates, private and unassigned ones, separators; and, when a character
/// stands alone but not after another, the marks (`Grapheme_Extend`).
fn kind(c: char) -> Kind {
    if matches!(c, ' '..='~') {
        return Kind::Plain;
    }
    if is_blank(c) || ends_line(c) {
        return Kind::Unsafe;
    }
    // Spaces of other widths are separators too, and as plain as ours: `« oui »`, `東京　大阪`.
    if c.is_whitespace() && !c.is_control() {
        return Kind::Plain;
    }
    let mut pair = [0; 8];
    pair[0] = b'a';
    let length = 1 + c.encode_utf8(&mut pair[1..]).len();
    let after_a_letter = std::str::from_utf8(&pair[..length]).ok().and_then(|pair| pair.escape_debug().nth(1));
    if after_a_letter != Some(c) {
        return Kind::Unsafe;
    }
    if c.escape_debug().next() == Some(c) { Kind::Plain } else { Kind::Mark }
}

/// Characters that show nothing and are no format characters by their category: fillers, variation
/// selectors other than those of emoji, the empty Braille cell.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
