//! Signatures as Standard Webhooks has them, so that receivers check them with a library.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks>,
//! `spec/standard-webhooks.md` (read at commit b2fa7b87 of 2026-08-17), "Signature scheme" and "Webhook
//! headers": three headers, HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`. Its
//! asymmetric scheme (`v1a`, ed25519) is not made.
//!
//! Not here: calls and their headers beside these, where secrets are read, and what the service
//! itself is called with (`server::hooks`, which has a header of its own).

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use towpath_core::model::Instant;
use towpath_core::text::hex;

/// The header with the id of what is told; the same at every try.
pub const ID: &str = "webhook-id";
/// The header with the time of the try, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, with spaces between them.
pub const SIGNATURE: &str = "webhook-signature";

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// The scheme of a signature.
const SCHEME: &str = "v1,";
/// How many bytes a key may have (the table "Symmetric" of the specification).
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Some of the specification's own libraries print keys without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that signs. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

/// Why a text is no key. Says nothing of the text, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It begins with something else.
    #[error("a secret that signs begins with `whsec_`; {MAKE}")]
    Prefix,
    /// A key of the asymmetric scheme.
    #[error(
        "this is a key for ed25519 signatures, which are not made; a secret that signs begins with `whsec_`; {MAKE}"
    )]
    Asymmetric,
    /// No base64 after the prefix.
    #[error("what follows `whsec_` is not base64; {MAKE}")]
    Base64,
    /// Too short or too long.
    #[error("the secret has {0} bytes, and Standard Webhooks wants 24 to 64; {MAKE}")]
    Length(usize),
}

/// How to make a secret.
const MAKE: &str = "make one with `echo \"whsec_$(openssl rand -base64 32)\"`";

impl Key {
    /// Reads `whsec_` and base64 of 24 to 64 bytes. White space around it does not count.
    ///
    /// # Errors
    /// What is wrong with it, and how to make one.
    pub fn parse(secret: &[u8]) -> Result<Self, KeyFault> {
        let text = str::from_utf8(secret).map_err(|_| KeyFault::Prefix)?.trim();
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(KeyFault::Asymmetric);
        }
        let key =
            LENIENT.decode(text.strip_prefix(PREFIX).ok_or(KeyFault::Prefix)?).map_err(|_| KeyFault::Base64)?;
        if BYTES.contains(&key.len()) { Ok(Self(key)) } else { Err(KeyFault::Length(key.len())) }
    }

    /// The code over what is signed. A key of any length will do for HMAC (RFC 2104, section 2); ours
    /// were measured before.
    fn mac(&self, id: &str, seconds: i64, body: &[u8]) -> Result<Hmac<Sha256>, SignFault> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| SignFault::Key)?;
        Ok(mac.chain_update(format!("{id}.{seconds}.")).chain_update(body))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Why something cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    /// An id that could be taken for another one, as `.` is what stands behind it.
    #[error("`{}` is no id of a webhook: only letters, digits, `_` and `-`", .0.escape_debug())]
    Id(String),
    /// HMAC did not take the key; it takes every one.
    #[error("the key cannot be used for HMAC-SHA256")]
    Key,
}

/// The three headers of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// [`ID`].
    pub id: String,
    /// [`TIMESTAMP`].
    pub timestamp: String,
    /// [`SIGNATURE`]; empty without keys, and then not to be sent.
    pub signature: String,
}

impl Headers {
    /// Those that are to be sent, with their names. Id and time are sent unsigned, too: they tell a
    /// receiver what it has had already.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [(ID, &*self.id), (TIMESTAMP, &*self.timestamp), (SIGNATURE, &*self.signature)];
        all.into_iter().filter(|(_, value)| !value.is_empty())
    }
}

/// Signs a try at `at` with every key: while one takes over from another, the receiver may know
/// either.
///
/// # Errors
/// If the id could be taken for another one: see [`webhook_id`].
pub fn sign(keys: &[Key], id: &str, at: Instant, body: &[u8]) -> Result<Headers, SignFault> {
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(SignFault::Id(id.chars().take(80).collect()));
    }
    let seconds = at.0.div_euclid(1_000);
    let mut signatures = Vec::with_capacity(keys.len());
    for key in keys {
        let code = key.mac(id, seconds, body)?.finalize().into_bytes();
        signatures.push(format!("{SCHEME}{}", STANDARD.encode(code)));
    }
    Ok(Headers { id: id.to_owned(), timestamp: seconds.to_string(), signature: signatures.join(" ") })
}

/// Whether one of the signatures is by `key`, compared in constant time: what a receiver does. It
/// also has to look at the time.
pub fn verify(key: &Key, headers: &Headers, body: &[u8]) -> bool {
    let Ok(seconds) = headers.timestamp.parse() else { return false };
    headers.signature.split(' ').any(|signature| {
        let code = signature.strip_prefix(SCHEME).and_then(|code| STANDARD.decode(code).ok());
        let mac = key.mac(&headers.id, seconds, body).ok();
        code.zip(mac).is_some_and(|(code, mac)| mac.verify_slice(&code).is_ok())
    })
}

/// The id under which something is told: opaque, the same for the same key, and without the `.`, which
/// the specification warns of. (Ids of messages hold names of sinks and flows.)
pub fn webhook_id(key: &str) -> String {
    format!("msg_{}", hex(&Sha256::digest(key.as_bytes())[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `test_sign` of the specification's Rust library, `libraries/rust/src/lib.rs`.
    const RUST: (&str, &str, i64, &str, &str) = (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    );

    /// `test_sign_function` of its Python library, `libraries/python/tests/test_webhooks.py`; the
    /// same stands in those for C#, Go, Java, JavaScript, PHP and Ruby.
    const OTHERS: (&str, &str, i64, &str, &str) = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );

    fn key(secret: &str) -> Key {
        Key::parse(secret.as_bytes()).unwrap()
    }

    #[test]
    fn the_published_signatures_come_out() {
        for (secret, id, seconds, body, wanted) in [RUST, OTHERS] {
            let headers = sign(&[key(secret)], id, Instant(seconds * 1_000 + 999), body.as_bytes()).unwrap();
            assert_eq!(headers.signature, wanted);
            let seconds = seconds.to_string();
            let pairs: Vec<_> = headers.pairs().collect();
            assert_eq!(pairs, [(ID, id), (TIMESTAMP, seconds.as_str()), (SIGNATURE, wanted)]);
        }
    }

    #[test]
    fn each_key_signs_and_each_receiver_finds_its_own() {
        let (old, new, other) = (key(RUST.0), key(OTHERS.0), key(&format!("whsec_{}", STANDARD.encode([7; 32]))));
        let headers = sign(&[new.clone(), old.clone()], "msg_1", Instant(1_000), b"body").unwrap();
        assert_eq!(headers.signature.split(' ').count(), 2);
        assert!(verify(&old, &headers, b"body") && verify(&new, &headers, b"body"));
        assert!(!verify(&other, &headers, b"body") && !verify(&new, &headers, b"bodz"));
        let changed = |change: fn(&mut Headers)| {
            let mut headers = headers.clone();
            change(&mut headers);
            verify(&new, &headers, b"body")
        };
        assert!(!changed(|h| h.id.push('2')));
        assert!(!changed(|h| h.timestamp = "2".to_owned()));
        assert!(!changed(|h| h.timestamp = "now".to_owned()));
        assert!(!changed(|h| h.signature = String::new()));
        assert!(!changed(|h| h.signature = "v1,".to_owned()));
        assert!(!changed(|h| h.signature.truncate(20)));
        assert!(!changed(|h| h.signature = h.signature.replace("v1,", "v1a,")));
    }

    #[test]
    fn what_is_no_secret_says_how_to_make_one_and_shows_nothing() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        for (text, wanted) in [
            (String::new(), KeyFault::Prefix),
            ("hunter2".to_owned(), KeyFault::Prefix),
            ("whsk_AAAA".to_owned(), KeyFault::Asymmetric),
            ("whsec_".to_owned(), KeyFault::Length(0)),
            ("whsec_hunter2!".to_owned(), KeyFault::Base64),
            (of(23), KeyFault::Length(23)),
            (of(65), KeyFault::Length(65)),
        ] {
            let fault = Key::parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault, wanted);
            let said = fault.to_string();
            assert!(said.contains("openssl rand -base64 32") && !said.contains("hunter2"), "{said}");
        }
        assert_eq!(Key::parse(&[0xff]), Err(KeyFault::Prefix));
        for bytes in [24, 25, 26, 64] {
            let (padded, line) = (of(bytes), format!("{}\n", of(bytes)));
            let bare = padded.trim_end_matches('=');
            assert!(Key::parse(bare.as_bytes()) == Key::parse(line.as_bytes()) && key(bare) == key(&padded));
        }
        assert_eq!(format!("{:?}", key(RUST.0)), "Key(…)");
    }

    #[test]
    fn without_keys_nothing_is_signed_and_ids_hold_no_dot() {
        let headers = sign(&[], "msg_1", Instant(1_999), b"").unwrap();
        assert_eq!(headers.pairs().collect::<Vec<_>>(), [(ID, "msg_1"), (TIMESTAMP, "1")]);
        for bad in ["", "a.b", "a b", "a\r\nx: y", "é"] {
            assert_eq!(sign(&[], bad, Instant(0), b""), Err(SignFault::Id(bad.to_owned())));
        }
        let id = webhook_id("i1/my.sink");
        assert!(sign(&[], &id, Instant(0), b"").is_ok() && id.len() == 36);
        assert_eq!(id, webhook_id("i1/my.sink"));
        assert_ne!(id, webhook_id("i1/my.sinl"));
    }
}
