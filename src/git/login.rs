//! What a remote is shown to let us in: a token, as the password of HTTP Basic authentication.
//!
//! It reaches git as a setting (`http.URL.extraHeader`) in the environment of that one run
//! (`program`), which only the same user and root can read; a command line can be read by all. Why
//! no credential helper: git would ask without credentials first, so each look would cost a second
//! request, and a helper is a further program that has to be handed the token by some way, which is
//! an environment again, a file, or a pipe that only its first reader gets.
//!
//! The setting names the one repository that is called. Redirects are not followed at all
//! (`http.followRedirects=false`), nor are alternates of the old protocol then, so no other host is
//! ever asked, with the header or without.
//!
//! Not here: where the token is kept and when it is read (`config`, `engine::real`).

use std::fmt;

/// A text that must not be shown: it has no way to be printed.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

/// Shorter is no secret, and taking it out would tear holes into everything.
const SECRET_MIN: usize = 6;

/// What stands where a secret stood.
const REDACTED: &str = "[secret]";

impl Secret {
    /// `text` without it.
    fn redact(&self, text: &str) -> String {
        if self.is_in(text) { text.replace(&self.0, REDACTED) } else { text.to_owned() }
    }

    /// Whether `text` holds it.
    fn is_in(&self, text: &str) -> bool {
        self.0.len() >= SECRET_MIN && text.contains(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Who we are to a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    forge: String,
    token: Secret,
    /// User and token as they are sent.
    basic: Secret,
}

/// Why a text is no token. Nothing of the text is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is not UTF-8.
    #[error("it is not UTF-8; that is hardly a token")]
    NotUtf8,
    /// A line break within, or another control character.
    #[error("it holds a line break or another control character; it must be the token and nothing else")]
    Control,
    /// A blank before or after it.
    #[error("it begins or ends with a blank; it must be the token and nothing else")]
    Blank,
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
}

impl Login {
    /// As `user`, with a token; `forge` is the name that errors give to it: the `X` of `[forge.X]`.
    ///
    /// # Errors
    /// If that can be no token.
    pub fn new(forge: &str, user: &str, token: &[u8]) -> Result<Self, BadToken> {
        let token = std::str::from_utf8(token).map_err(|_| BadToken::NotUtf8)?;
        if token.is_empty() {
            return Err(BadToken::Empty);
        }
        if token.chars().any(char::is_control) {
            return Err(BadToken::Control);
        }
        if token.trim() != token {
            return Err(BadToken::Blank);
        }
        let basic = Secret(base64(format!("{user}:{token}").as_bytes()));
        Ok(Self { forge: forge.to_owned(), token: Secret(token.to_owned()), basic })
    }

    /// Whose token it is.
    pub fn forge(&self) -> &str {
        &self.forge
    }

    /// `text` without the token in any form in which it was sent.
    pub fn redact(&self, text: &str) -> String {
        self.token.redact(&self.basic.redact(text))
    }

    /// Whether `text` holds the token in any form in which it was sent.
    pub(super) fn is_in(&self, text: &str) -> bool {
        [&self.token, &self.basic].into_iter().any(|secret| secret.is_in(text))
    }

    /// The header, for the one place that hands it to git.
    pub(super) fn header(&self) -> String {
        format!("Authorization: Basic {}", self.basic.0)
    }
}

/// Base64 with padding (RFC 4648, 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for at in 0..4 {
            let digit = DIGITS[((bits >> (18 - 6 * at)) & 63) as usize];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfb]), "//77");
    }

    #[test]
    fn what_can_be_no_token_is_refused_without_repeating_it() {
        for (token, why) in [
            (&b"hunt\ner2"[..], BadToken::Control),
            (b"hunter2\r", BadToken::Control),
            (b" hunter2", BadToken::Blank),
            (b"hunter2\xff", BadToken::NotUtf8),
            (b"", BadToken::Empty),
        ] {
            assert_eq!(Login::new("work", "u", token), Err(why));
            assert!(!why.to_string().contains("hunt"));
        }
    }

    #[test]
    fn a_login_cannot_be_printed_and_is_taken_out_of_texts() {
        let login = Login::new("work", "oauth2", b"hunter2-token").unwrap();
        let sent = base64(b"oauth2:hunter2-token");
        assert_eq!(login.header(), format!("Authorization: Basic {sent}"));
        let shown = format!("{login:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&sent), "{shown}");
        assert_eq!(
            login.redact(&format!("you sent {sent} which is hunter2-token")),
            "you sent [secret] which is [secret]"
        );
        assert!(login.is_in(&sent) && !login.is_in("nothing"));
        assert_eq!(Login::new("work", "u", b"abc").unwrap().redact("abcabc"), "abcabc");
    }
}
