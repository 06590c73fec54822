//! That a request over HTTP comes from Slack (docs.slack.dev/authentication/verifying-requests-from-slack).
//!
//! `X-Slack-Signature: v0=HEX`, where HEX is HMAC-SHA-256 with the app's signing secret over
//! `v0:TIMESTAMP:BODY`, the body byte for byte as sent and TIMESTAMP the text of `X-Slack-Request-Timestamp`
//! (seconds). The older `token` field of a body proves nothing and is not looked at.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
use towpath_core::model::{Instant, Span};
use towpath_core::text::hex;

use crate::chat::incoming::{BODY_MAX, Refused};
use crate::secret::Secret;

/// How far the signature's time may be from ours, either way; what Slack's documentation asks for.
const WINDOW: Span = Span::from_mins(5);

/// A signature of the right form and time. It has proven nothing yet.
#[derive(Clone)]
pub struct Signature {
    /// As it was sent: it is what was signed.
    stamp: String,
    code: [u8; 32],
}

impl Signature {
    /// Reads it from the headers, so that no body is read for somebody who has not even its form.
    ///
    /// # Errors
    /// [`Refused::Unsigned`], [`Refused::OutOfTime`].
    pub fn read(headers: &HeaderMap, wall: Instant) -> Result<Self, Refused> {
        let stamp = one(headers, "x-slack-request-timestamp").ok_or(Refused::Unsigned)?;
        let code = one(headers, "x-slack-signature").and_then(code).ok_or(Refused::Unsigned)?;
        // Rust's parser takes a sign, and Slack sends none.
        let digits = stamp.len() <= 12 && stamp.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: i64 = stamp.parse().ok().filter(|_| digits).ok_or(Refused::Unsigned)?;
        let at = Instant(seconds.saturating_mul(1_000));
        if wall.since(at).ms().max(at.since(wall).ms()) > WINDOW.ms() {
            return Err(Refused::OutOfTime);
        }
        Ok(Self { stamp: stamp.to_owned(), code })
    }

    /// Whether the body was signed with one of the secrets (several while one is replaced by another), in a time
    /// that says nothing of how far it was right.
    ///
    /// # Errors
    /// [`Refused::NoSecrets`], [`Refused::TooLarge`], [`Refused::Forged`].
    pub fn verify(&self, secrets: &[Secret], body: &[u8]) -> Result<(), Refused> {
        // With an empty key everybody can sign.
        let mut keys = secrets.iter().map(Secret::expose).filter(|key| !key.is_empty()).peekable();
        if keys.peek().is_none() {
            return Err(Refused::NoSecrets);
        }
        if body.len() > BODY_MAX {
            return Err(Refused::TooLarge);
        }
        let fits = |key: &[u8]| mac(key, &self.stamp, body).is_some_and(|mac| mac.verify_slice(&self.code).is_ok());
        if keys.any(fits) { Ok(()) } else { Err(Refused::Forged) }
    }
}

/// The one value of a header; none where it stands there twice, since a proxy may have looked at the other.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value.trim())
}

/// `v0=` and 64 hexadecimal digits.
fn code(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("v0=")?;
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn mac(key: &[u8], stamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(b"v0:");
    mac.update(stamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    Some(mac)
}

/// The value of `X-Slack-Signature`, as Slack makes it: for tests and for trying a server out.
pub fn sign(key: &[u8], stamp: &str, body: &[u8]) -> String {
    let code = mac(key, stamp, body).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("v0={}", hex(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's page, with the signature that it prints.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const STAMP: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const AT: i64 = 1_531_420_618_000;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn verify(secrets: &[&str], pairs: &[(&'static str, &str)], body: &[u8], wall: i64) -> Result<(), Refused> {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        Signature::read(&headers(pairs), Instant(wall))?.verify(&secrets, body)
    }

    #[test]
    fn the_documented_vector_is_taken_and_nothing_near_it() {
        assert_eq!(sign(SECRET.as_bytes(), STAMP, BODY.as_bytes()), SIGNED);
        let stamp = ("x-slack-request-timestamp", STAMP);
        let signed = ("X-Slack-Signature", SIGNED);
        let body = BODY.as_bytes();
        let good = [stamp, signed];
        let upper = SIGNED.to_uppercase().replace("V0=", "v0=");
        let padded = format!("  {SIGNED} ");
        let edge = 5 * 60 * 1_000;
        for (why, secrets, pairs, body, wall, wanted) in [
            ("as documented", &[SECRET][..], good.as_slice(), body, AT, Ok(())),
            ("being replaced", &["new", SECRET], &good, body, AT, Ok(())),
            ("being replaced", &[SECRET, "old"], &good, body, AT, Ok(())),
            ("the edge", &[SECRET], &good, body, AT + edge, Ok(())),
            ("our clock is behind", &[SECRET], &good, body, AT - edge, Ok(())),
            ("upper-case digits", &[SECRET], &[stamp, ("x-slack-signature", &upper)], body, AT, Ok(())),
            ("spaces", &[SECRET], &[stamp, ("x-slack-signature", &padded)], body, AT, Ok(())),
            ("no secrets", &[], &good, body, AT, Err(Refused::NoSecrets)),
            ("an empty secret", &[""], &good, body, AT, Err(Refused::NoSecrets)),
            ("another secret", &["other"], &good, body, AT, Err(Refused::Forged)),
            ("an empty one beside", &["", "other"], &good, body, AT, Err(Refused::Forged)),
            ("another body", &[SECRET], &good, &body[1..], AT, Err(Refused::Forged)),
            ("too old", &[SECRET], &good, body, AT + edge + 1, Err(Refused::OutOfTime)),
            ("from the future", &[SECRET], &good, body, AT - edge - 1, Err(Refused::OutOfTime)),
            ("no signature", &[SECRET], &[stamp], body, AT, Err(Refused::Unsigned)),
            ("no time", &[SECRET], &[signed], body, AT, Err(Refused::Unsigned)),
            ("twice", &[SECRET], &[stamp, signed, signed], body, AT, Err(Refused::Unsigned)),
            ("two times", &[SECRET], &[stamp, stamp, signed], body, AT, Err(Refused::Unsigned)),
        ] {
            assert_eq!(verify(secrets, pairs, body, wall), wanted, "{why}");
        }
        // Another time is another message.
        let later = [("x-slack-request-timestamp", "1531420619"), signed];
        assert_eq!(verify(&[SECRET], &later, body, AT), Err(Refused::Forged));
        let large = vec![b'a'; BODY_MAX + 1];
        assert_eq!(verify(&[SECRET], &good, &large, AT), Err(Refused::TooLarge));
    }

    #[test]
    fn an_odd_header_is_no_signature() {
        let digits = &SIGNED[3..];
        for odd in [
            "",
            "v0=",
            "v1=00",
            digits,
            &format!("v0={digits}0"),
            &SIGNED[..SIGNED.len() - 1],
            &format!("v0={}", "+1".repeat(32)),
            &format!("V0={digits}"),
            &format!("v0= {}", &digits[1..]),
            &format!("{SIGNED},{SIGNED}"),
        ] {
            let pairs = [("x-slack-request-timestamp", STAMP), ("x-slack-signature", odd)];
            assert_eq!(verify(&[SECRET], &pairs, BODY.as_bytes(), AT), Err(Refused::Unsigned), "{odd}");
        }
        for odd in ["", "now", "+1531420618", "-1", "1531420618.0", "0x1", "9999999999999", "99999999999999999999"]
        {
            let pairs = [("x-slack-request-timestamp", odd), ("x-slack-signature", SIGNED)];
            assert_eq!(verify(&[SECRET], &pairs, BODY.as_bytes(), AT), Err(Refused::Unsigned), "{odd}");
        }
        let bytes = http::HeaderValue::from_bytes(b"v0=\xff").unwrap();
        let mut map = headers(&[("x-slack-request-timestamp", STAMP)]);
        map.insert("x-slack-signature", bytes);
        assert_eq!(Signature::read(&map, Instant(AT)).map(|_| ()), Err(Refused::Unsigned));
    }
}
