//! Placeholders of templates: covered by a name of the same length.
//!
//! What they stand for is not known. As a name, or part of one, they are kept as they are written:
//! the same placeholder is the same name. Not here: placeholders within quotes, which the quotes
//! make a text or a name already.

use std::borrow::Cow;

/// The longest placeholder, in bytes: a `{{` without an end soon is something else.
const LONGEST: usize = 300;

/// Where the placeholder that begins here ends: `{{…}}` or `${…}` on one line.
pub(super) fn placeholder(text: &str, start: usize) -> Option<usize> {
    let rest = text.as_bytes().get(start..)?;
    let (open, close) = if rest.starts_with(b"{{") { (2, &b"}}"[..]) } else { (2, &b"}"[..]) };
    if !rest.starts_with(b"{{") && !rest.starts_with(b"${") {
        return None;
    }
    let rest = rest.get(open..)?;
    let rest = rest.get(..LONGEST.min(rest.len()))?;
    let end = memchr::memmem::find(rest, close)?;
    if memchr::memchr2(b'\n', b';', &rest[..end]).is_some() {
        return None;
    }
    Some(start + open + end + close.len())
}

/// A text, and the same text with parts of it covered.
pub(super) struct Masked<'a> {
    original: &'a str,
    /// What is covered, in order, and by what.
    covers: Vec<(usize, usize, String)>,
}

impl<'a> Masked<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        Self { original, covers: vec![] }
    }

    /// Puts these bytes over those at a place.
    pub(super) fn put(&mut self, at: usize, bytes: &str) {
        self.covers.push((at, at + bytes.len(), bytes.to_owned()));
    }

    /// Covers a placeholder by what can stand within a name.
    pub(super) fn cover(&mut self, start: usize, end: usize) {
        self.covers.push((start, end, "_".repeat(end.saturating_sub(start))));
    }

    /// Whether any of this is covered.
    pub(super) fn covers(&self, start: usize, end: usize) -> bool {
        let first = self.covers.partition_point(|cover| cover.1 <= start);
        self.covers.get(first).is_some_and(|cover| cover.0 < end)
    }

    /// A part of the text, with what is covered covered.
    pub(super) fn part(&self, start: usize, end: usize) -> Cow<'a, str> {
        let part = self.original.get(start..end).unwrap_or_default();
        if !self.covers(start, end) {
            return Cow::Borrowed(part);
        }
        let mut text = String::with_capacity(part.len());
        let mut at = start;
        let first = self.covers.partition_point(|cover| cover.1 <= start);
        for (from, to, with) in self.covers.iter().skip(first).take_while(|cover| cover.1 <= end) {
            text.push_str(self.original.get(at..*from).unwrap_or_default());
            text.push_str(with);
            at = *to;
        }
        text.push_str(self.original.get(at..end).unwrap_or_default());
        Cow::Owned(text)
    }
}
