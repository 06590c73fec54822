//! Texts from outside made harmless: for reading, and as one word of a shell command.

use crate::text::{self, Shown};

/// The longest name shown: branches, checks, people.
const NAME_MAX: usize = 120;

/// One line of at most `max` characters that no terminal acts on, and no back quote in it: what
/// stands between back quotes in our sentences stays there.
///
/// The only place in `explain` that a text from outside passes on its way to people.
pub(super) fn shown(text: &str, max: usize) -> String {
    text::one_line(text, max).replace('`', "'")
}

/// A name in backticks.
pub(super) fn name(text: impl AsRef<str>) -> String {
    format!("`{}`", shown(text.as_ref(), NAME_MAX))
}

/// What somebody wrote, in double quotes that it cannot close.
pub(super) fn quote(text: &str, max: usize) -> String {
    format!("\"{}\"", shown(text, max).replace('"', "'"))
}

/// A text as one word for a POSIX shell, which is also harmless to look at.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    if !text.chars().any(acts) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            c if acts(c) => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    word.push_str(&format!("\\{byte:03o}"));
                }
            }
            c => word.push(c),
        }
    }
    word.push('\'');
    word
}

/// Whether a character standing alone is anything but seen.
pub(super) fn acts(c: char) -> bool {
    let mut bytes = [0; 4];
    let alone: &str = c.encode_utf8(&mut bytes);
    Shown::new(alone).to_string() != alone
}
