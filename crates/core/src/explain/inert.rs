//! Texts from outside made harmless: for reading, and as one word of a shell command.

/// The longest name shown: branches, checks, people.
const NAME_MAX: usize = 120;

/// One line of at most `max` characters that no terminal and no backtick acts on.
///
/// The only place in `explain` that a text from outside passes on its way to people.
pub(super) fn shown(text: &str, max: usize) -> String {
    // A stand-in for `crate::text::one_line(text, max)`, until that is here.
    let mut line = String::new();
    for c in text.trim().chars() {
        match c {
            '\t' | '\n' | '\r' => line.push(' '),
            // Whatever is between backticks in our sentences must stay there.
            '`' => line.push('\''),
            c if acts(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    if line.chars().count() > max {
        line = line.chars().take(max.saturating_sub(1)).chain(['…']).collect();
    }
    line
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

/// Whether a character does something other than being seen: control characters, directions,
/// invisible ones, line and paragraph separators, tags and variation selectors.
pub(super) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
