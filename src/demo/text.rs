//! Texts measured by how wide they are shown. What comes in is inert already (`towpath_core::text`).

use unicode_width::UnicodeWidthStr as _;

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns, with `…` where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, _) = split(text, columns.saturating_sub(1));
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// The text in exactly so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let gap = columns.saturating_sub(width(&text));
    text + &" ".repeat(gap)
}

/// The text in lines of at most so many columns, broken between words, in at most so many lines;
/// `…` where something is missing.
pub fn wrap(text: &str, columns: usize, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&joined) <= columns {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut rest = word.to_owned();
        while width(&rest) > columns {
            let (head, tail) = split(&rest, columns);
            if head.is_empty() {
                break;
            }
            lines.push(head);
            rest = tail;
        }
        line = rest;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), columns);
        }
    }
    lines
}

/// What fits into so many columns, and the rest. Marks stay with their letter.
fn split(text: &str, columns: usize) -> (String, String) {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        if width(&text[..next]) > columns {
            break;
        }
        end = next;
    }
    (text[..end].to_owned(), text[end..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_what_is_seen() {
        assert_eq!(cut("Łukasz", 6), "Łukasz");
        assert_eq!(cut("Łukasz", 4), "Łuk…");
        assert_eq!(cut("東京大阪", 5), "東京…");
        assert_eq!(cut("東京大阪", 4), "東…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(pad("東", 4), "東  ");
    }

    #[test]
    fn wrapping_never_goes_over_and_says_what_is_missing() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("one two three four", 7, 2), ["one two", "three …"]);
        assert_eq!(wrap("0123456789", 4, 9), ["0123", "4567", "89"]);
        assert!(wrap("", 4, 2).is_empty());
        for columns in 1..20 {
            for line in wrap("staging: waits 東京 for `0123456789abcdef` é̂ 🎉", columns, 3) {
                assert!(width(&line) <= columns.max(2), "{columns}: {line}");
            }
        }
    }
}
