//! JSON that does nothing to whoever looks at it on the way: in a log, a terminal or a page.
//!
//! Not here: what is said (`notice`), and where it is put (`template`).

use serde::Serialize;
use towpath_core::text::Shown;

/// A value as JSON on one line, in which every character that acts on anything is written as an
/// escape (`\u202e`): controls, marks that turn the direction of writing, characters without width,
/// and `<`, `>`, `&` and `'`, as Jinja's own `tojson` does. Whoever parses it gets exactly the value.
///
/// # Errors
/// Where the value is no JSON, such as a map whose keys are no texts.
pub fn inert<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let plain = serde_json::to_string(value)?;
    let mut text = String::with_capacity(plain.len());
    for c in plain.chars() {
        // What is escaped stands inside a text: JSON's own signs are none of these.
        if acts(c) { escape(c, &mut text) } else { text.push(c) }
    }
    Ok(text)
}

/// Whether a character is more than seen. (Accents, which have no letter to stand on here, count too;
/// an escape does them no harm.)
fn acts(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() || matches!(c, '<' | '>' | '&' | '\'');
    }
    let mut bytes = [0; 4];
    let alone: &str = c.encode_utf8(&mut bytes);
    Shown::new(alone).to_string() != alone
}

/// As RFC 8259, section 7, writes a character: one or two UTF-16 units of four digits.
fn escape(c: char, text: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped_and_nothing_is_lost() {
        for text in [
            "plain é 東京 🚀",
            "\"quoted\" \\ back",
            "line\nend\ttab\u{1b}[31mred\u{7f}",
            "bidi \u{202e}txt\u{2066} zero\u{200b}\u{feff} sep\u{2028}",
            "{{ text }} {% raw %} <b>&amp;'</b>",
            "\u{e0041}tag e\u{301}",
        ] {
            let json = inert(text).unwrap();
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.chars().any(acts), "{json}");
        }
        assert_eq!(inert("é \u{202e}<").unwrap(), "\"é \\u202e\\u003c\"");
        assert_eq!(inert("\u{e0041}").unwrap(), "\"\\udb40\\udc41\"");
        assert_eq!(inert(&Some(1)).unwrap(), "1");
    }
}
