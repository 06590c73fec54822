//! Text of a span, made harmless for every platform alike: on one line, without controls, turns of direction or
//! characters that show nothing. What a platform's markup would read into it is that platform's own matter.

use towpath_core::text::Shown;

/// The longest span that is looked at, in characters. No platform shows more of a whole message.
pub(super) const SPAN_MAX: usize = 20_000;

/// Shows nothing, joins nothing and is no part of any name: put behind a sign (`@`, `#`, `:`), it keeps what
/// follows from being read as that sign's. Text from outside never holds one: [`inert`] writes it out.
pub(super) const APART: char = '\u{200b}';

/// The text on one line: every run of white space that holds a line end or a tab becomes one space, and what
/// could act is written out, as [`Shown`] does. Unlike `one_line` of the core it keeps a space at either end,
/// since a span is a part of a line.
pub(super) fn inert(text: &str) -> String {
    let mut folded = String::new();
    let mut broken = false;
    for c in text.chars().take(SPAN_MAX) {
        if ends_line(c) {
            if !broken {
                folded.truncate(folded.trim_end().len());
                folded.push(' ');
            }
            broken = true;
        } else if !(broken && c.is_whitespace()) {
            broken = false;
            folded.push(c);
        }
    }
    Shown::new(&folded).to_string()
}

/// The same without white space at its ends, where it stands alone. What stood on that white space (a mark that
/// combines) is written out, too.
pub(super) fn alone(text: &str) -> String {
    Shown::new(inert(text).trim()).to_string()
}

/// Whether anything that shows text could begin a new line here, or a new column.
fn ends_line(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The text, cut to at most `max` characters, the `…` that says so included.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(max.saturating_sub(1)).collect();
    if max > 0 {
        kept.push('…');
    }
    kept
}

/// Whether a name of any kind (a person's, a channel's, an emoji's) could go on or begin with it.
pub(super) fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.')
}

/// Whether the `:` between `before` and `after` is that of a time of day (`14:32`), and so neither an emoji's nor
/// an address's.
pub(super) fn is_of_a_time(before: Option<char>, after: &str) -> bool {
    let digit = |at: usize| after.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let ends = after.get(2..).is_some_and(|rest| !rest.starts_with(|c: char| is_of_a_name(c) || c == ':'));
    before.is_some_and(|c| c.is_ascii_digit()) && digit(0) && digit(1) && ends
}

/// The address, if it is one that may be linked: `https:` or `http:`, with a host, without a user or password
/// (which would show another host than it leads to), and not too long.
pub(super) fn link(url: &str) -> Option<String> {
    let parsed = reqwest::Url::parse(url).ok()?;
    let fits = matches!(parsed.scheme(), "https" | "http")
        && parsed.host_str().is_some_and(|host| !host.is_empty())
        && parsed.username().is_empty()
        && parsed.password().is_none();
    let text = String::from(parsed);
    (fits && text.len() <= URL_MAX).then_some(text)
}

/// The longest address that is linked, in bytes. Slack takes 3000.
const URL_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_one_line_and_keeps_its_ends() {
        for (text, shown) in [
            ("", ""),
            (" by ", " by "),
            ("a\r\n b\tc", "a b c"),
            ("\n\na", " a"),
            ("a \u{2028}", "a "),
            ("a  b", "a  b"),
            ("\u{1b}[31mx\u{202e}\u{200b}", "\\x1b[31mx\\u{202e}\\u{200b}"),
        ] {
            assert_eq!(inert(text), shown, "{text:?}");
        }
    }

    #[test]
    fn what_stands_alone_has_no_ends_and_no_mark_without_a_letter() {
        assert_eq!(alone(" a\n"), "a");
        assert_eq!(alone(" \u{301}a "), "\\u{301}a");
        assert_eq!(alone(" \n "), "");
    }

    #[test]
    fn a_cut_says_so() {
        assert_eq!((cut("abc", 3).as_str(), cut("abcd", 3).as_str()), ("abc", "ab…"));
        assert_eq!((cut("ąęó", 2).as_str(), cut("a", 0).as_str()), ("ą…", ""));
    }

    #[test]
    fn times_of_day_are_told_from_emoji() {
        for (before, after, is) in [
            (Some('4'), "32", true),
            (Some('4'), "32 today", true),
            (Some('4'), "32, then", true),
            (Some('4'), "32:10", false),
            (Some('4'), "32a", false),
            (Some('4'), "3", false),
            (Some('a'), "32", false),
            (None, "32", false),
            (Some('1'), "é2", false),
            (Some('1'), "22é", false),
        ] {
            assert_eq!(is_of_a_time(before, after), is, "{before:?} {after}");
        }
    }

    #[test]
    fn only_plain_web_addresses_are_linked() {
        for (url, linked) in [
            ("https://ci.example/1?a=b#c", Some("https://ci.example/1?a=b#c")),
            ("http://ci.example", Some("http://ci.example/")),
            ("https://bank.example@evil.example/", None),
            ("https://:x@evil.example/", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("mailto:a@b.c", None),
            ("/relative", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(link(url).as_deref(), linked, "{url}");
        }
        assert_eq!(link(&format!("https://a.example/{}", "a".repeat(2_000))), None);
    }
}
