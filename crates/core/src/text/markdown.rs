//! Text inside the markdown of a request, a comment or a status.

use super::{Shown, fold};

/// Splits what a forge would read as a reference in two pieces of text, and shows nothing.
///
/// Neither `\@name` nor `&#64;name` is enough on GitHub, which looks for mentions in the rendered
/// text (github/cmark-gfm#181), and a character without width would be copied along.
const SPLIT: &str = "<!-- -->";

/// The text as one line of markdown that renders as exactly that text: in a paragraph, a list item
/// or the cell of a table, at its start or inside.
///
/// First made inert as by [`one_line`](super::one_line), without a limit. Then nothing in it is
/// markup, HTML, a table's border, a link, a mention, a reference (`#12`, `!7`, `~label`), an emoji
/// code or, at the start, a heading, list, quotation or quick action (`/close`).
///
/// Relies on two things that GitHub, GitLab, Gitea and Forgejo do: backslashes escape ASCII
/// punctuation, HTML comments disappear. Bitbucket Cloud shows the comments.
pub fn markdown(text: &str) -> String {
    let inert = Shown::new(&fold(text)).to_string();
    let mut out = String::with_capacity(inert.len() + 16);
    let digits = inert.bytes().take_while(u8::is_ascii_digit).count();
    let mut before = ' ';
    for (at, c) in inert.char_indices() {
        let next = inert[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        match c {
            '/' if at == 0 => out.push_str("&#47;"),
            '-' | '+' | '=' if at == 0 => out.extend(['\\', c]),
            // `12.` would begin a list; `12)` is escaped anyway.
            '.' if at == digits => out.push_str("\\."),
            _ => push(&mut out, c),
        }
        if splits(before, c, next) || is_www(&inert[..at], c, next) {
            out.push_str(SPLIT);
        }
        before = c;
    }
    out
}

/// One character, as itself. Those on which parsers of tables and HTML disagree about backslashes
/// become entities; those in plain prose that mean nothing stay readable in the source.
fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '|' => out.push_str("&#124;"),
        '`' => out.push_str("&#96;"),
        '\\' => out.push_str("&#92;"),
        '*' | '_' | '[' | ']' | '(' | ')' | '{' | '}' | '!' | '#' | '@' | '~' | '$' | '%' | '^' => {
            out.extend(['\\', c]);
        }
        _ => out.push(c),
    }
}

/// Whether a forge could read `c` and what follows as a reference, an emoji or the scheme of a URL.
fn splits(before: char, c: char, next: char) -> bool {
    let names = next.is_alphanumeric() || matches!(next, '_' | '-' | '+' | '.' | '"' | '{' | '[');
    match c {
        '@' | '#' | '!' | '~' | '%' | '$' | '^' | '&' | '*' => names,
        ':' => next.is_alphabetic() || matches!(next, '/' | '+' | '-' | '_'),
        // GitLab's `{+ added +}` and `[- removed -]`.
        '{' | '[' => matches!(next, '+' | '-'),
        // `GH-12`, and `ABC-12` of an issue tracker beside the forge.
        '-' => before.is_ascii_alphabetic() && next.is_ascii_digit(),
        _ => false,
    }
}

/// Whether `www.` ends with `c`, but for its point: where a link without a scheme begins.
fn is_www(before: &str, c: char, next: char) -> bool {
    let ends_ww = before.as_bytes().last_chunk().is_some_and(|ww: &[u8; 2]| ww.eq_ignore_ascii_case(b"ww"));
    next == '.' && c.eq_ignore_ascii_case(&'w') && ends_ww
}
