//! Texts as Mattermost's Markdown that shows exactly them.
//!
//! Three readers have to agree: the web client (a fork of marked, whose backslash escapes only some signs), the
//! phones' (a fork of commonmark.js), and the server, which looks for mentions in what its own reader found to be
//! text. All of them read decimal entities, and take none for markup. So every ASCII sign that may mean anything is
//! written as one. That does not hide it from those who look through the *rendered* text: against mentions,
//! channels, hashtags, emoji and addresses a space without width ([`APART`]) stands behind the sign, which ends every
//! name. (Entities stay out of the way of hashtags: `#38;` begins with a digit.)
//!
//! Sources, of github.com/mattermost: marked/lib/marked.js (`inline.escape`, `url`, `inlinelatex`),
//! mattermost/webapp/channels/src/utils/text_formatting.tsx (mentions, hashtags, channels, e-mail),
//! mattermost/server/channels/app/mention_parser_standard.go.

use towpath_core::people::Identity;

use crate::chat::inert::{APART, is_of_a_name, is_of_a_time};

/// Markdown of at most so many characters.
#[derive(Debug)]
pub(super) struct Markdown {
    pub(super) text: String,
    room: usize,
}

impl Markdown {
    pub(super) const fn new(room: usize) -> Self {
        Self { text: String::new(), room }
    }

    /// Adds markup of ours, whole or not at all; whether there was room.
    pub(super) fn markup(&mut self, markup: &str) -> bool {
        let length = markup.chars().count();
        if length > self.room {
            return false;
        }
        self.room -= length;
        self.text.push_str(markup);
        true
    }

    /// Adds a text that has been made inert, and keeps `kept` characters for what has to follow it. Whether it
    /// fitted; if not it ends with `…`, never inside an entity.
    pub(super) fn escaped(&mut self, text: &str, kept: usize) -> bool {
        let mut before = self.text.chars().next_back().filter(|_| !self.at_start());
        for (at, c) in text.char_indices() {
            let rest = &text[at + c.len_utf8()..];
            let written = escape(before, c, rest);
            if written.chars().count() + 1 + kept > self.room {
                return self.end();
            }
            self.markup(&written);
            before = Some(c);
        }
        true
    }

    /// Says that something is left out; never whole.
    pub(super) fn end(&mut self) -> bool {
        self.markup("…");
        false
    }

    /// Whether nothing stands on this line yet.
    fn at_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    pub(super) const fn room(&self) -> usize {
        self.room
    }
}

/// One character as it is written.
fn escape(before: Option<char>, c: char, rest: &str) -> String {
    let next = rest.chars().next();
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    // In prose these mean nothing where they stand between words.
    let plain = match c {
        ' ' => before.is_some_and(|c| c != ' '),
        ',' | ';' | '?' | '"' | '\'' | '%' => true,
        '-' | '/' => word(before) && word(next),
        _ => c.is_alphanumeric() || !c.is_ascii(),
    };
    let mut written = match c {
        // White space at the start of a line could make code of it, at its end a line end.
        ' ' if !plain => "&#32;".to_owned(),
        _ if plain => c.to_string(),
        _ => format!("&#{};", u32::from(c)),
    };
    // What comes next may be that of another span.
    let apart = match c {
        '@' | '#' | '~' => next.is_none_or(is_of_a_name),
        ':' => next.is_none_or(|c| is_of_a_name(c) || c == '/') && !is_of_a_time(before, rest),
        'w' | 'W' => next.is_none_or(|c| c == '.') && matches!(before, Some('w' | 'W')),
        _ => false,
    };
    if apart {
        written.push(APART);
    }
    written
}

/// A text where nothing of Markdown is read but mentions, channels and emoji might be: labels of buttons, fallbacks.
pub(super) fn quiet(text: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        out.push(c);
        let next = rest.chars().next().is_some_and(|c| is_of_a_name(c) || c == '/');
        if next && (matches!(c, '@' | '#' | '~') || c == ':' && !is_of_a_time(before, rest)) {
            out.push(APART);
        }
        before = Some(c);
    }
    out
}

/// An address within the parentheses of a link: what could end it, or be read in it, percent-encoded.
pub(super) fn address(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        let kept = c.is_ascii_alphanumeric()
            || matches!(c, '-' | '.' | '_' | ':' | '/' | '?' | '#' | '&' | '=' | '%' | '+' | ',' | ';' | '~');
        if kept {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

/// Whether a text can stand in a code span, where nothing can be escaped: no sign that ends it or that a reader of
/// the unread Markdown would take for something.
pub(super) fn is_code(text: &str) -> bool {
    let plain = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '.' | '_' | '/' | '-' | '+' | '=' | ',' | '(' | ')' | '{' | '}' | '^' | '\'' | '"' | '%'
            )
    };
    let inert = |text: &str| !text.trim().is_empty() && text == text.trim() && text.chars().all(plain);
    inert(text) || is_plain_identity(text)
}

/// Whether it is an identity that people copy into the config, with one colon and no sign but those of ids: no
/// address (`scheme://`), no emoji (`:name:`), no mention. Outside code [`APART`] would stand in it, and go along.
fn is_plain_identity(text: &str) -> bool {
    let Some((_, rest)) = text.split_once(':') else { return false };
    let of_an_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        && rest.chars().all(of_an_id)
        && text.parse::<Identity>().is_ok()
}

/// Whether it can be the name by which somebody is called (`IsValidUsername`, server/public/model/user.go), and is not
/// one of those that call everybody.
pub(super) fn is_username(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_'))
        && !matches!(name.trim_end_matches(['.', '-', '_']), "all" | "channel" | "here")
}

#[cfg(test)]
mod tests {
    use super::{APART, is_code};

    #[test]
    fn an_identity_can_be_copied_and_nothing_else_with_a_colon_is_code() {
        for text in [
            "mattermost:9x5zc3jq7tbyzp1m8rw4nk6aso/an4tq1y8ojd5uf7bpx3wzrkmce",
            "mattermost:an4tq1y8ojd5uf7bpx3wzrkmce",
            "slack:T024BE7LD/U012AB3CD",
            "token:ana-laptop",
            "forge:hub/ana.b_c",
        ] {
            assert!(is_code(text), "{text}");
        }
        for text in [
            ":smile:",
            "token::smile:",
            "token:a:smile:",
            "a:b",
            "https://x.example",
            "token://x",
            "token:@all",
            "token:a@all",
            "mail:a@x.example",
            "oidc:https://id.example#s",
            "token:a b",
            "token:a`b",
            "token:a#b",
            "token:",
            "mattermost:",
            " token:a",
            "token:a ",
            &format!("token:a{APART}"),
        ] {
            assert!(!is_code(text), "{text}");
        }
    }
}
