//! The proof of a button: what we put into its context, so that nobody else can make one.
//!
//! The code is HMAC-SHA-256 with a secret of the config over version, channel, time and press. A seal that is seen
//! by somebody is good for that press in that channel, for [`LASTS`]. It does not name the post, whose id is known
//! only once the button stands in it.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use towpath_core::model::{Instant, Span};
use towpath_core::text::hex;

use crate::chat::incoming::{Refused, SAID_MAX};
use crate::chat::message::Press;
use crate::secret::Secret;

/// For how long a button can be pressed.
pub const LASTS: Span = Span::from_mins(7 * 24 * 60);

/// How far into the future a seal's time may be: several of us may make and read them.
const SKEW: Span = Span::from_mins(5);

/// The longest press, in bytes.
const PRESS_MAX: usize = 2_000;

/// What stands in the context of a button, under `towpath`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The version of all this.
    v: u32,
    channel: String,
    /// Seconds.
    made: i64,
    /// The press, as JSON: what is sealed are these very characters.
    press: String,
    code: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} for {}, …)", self.made, self.channel)
    }
}

/// Seals a press for a channel; none where it is too long for a button.
pub fn seal(secret: &Secret, press: &Press, channel: &str, wall: Instant) -> Option<Sealed> {
    let press = serde_json::to_string(press).ok().filter(|press| press.len() <= PRESS_MAX)?;
    let made = wall.0.div_euclid(1_000);
    let code = mac(secret, channel, made, &press)?.finalize().into_bytes();
    Some(Sealed { v: 1, channel: channel.to_owned(), made, press, code: hex(&code) })
}

/// What was sealed, if it was by one of the secrets, for this channel, and not too long ago.
///
/// # Errors
/// Why not.
pub fn open(secrets: &[Secret], sealed: &Sealed, channel: &str, wall: Instant) -> Result<Press, Refused> {
    let mut keys = secrets.iter().filter(|secret| !secret.expose().is_empty()).peekable();
    if keys.peek().is_none() {
        return Err(Refused::NoSecrets);
    }
    let code = bytes(&sealed.code).filter(|_| sealed.v == 1).ok_or(Refused::Unsigned)?;
    let fits = |secret: &Secret| {
        mac(secret, &sealed.channel, sealed.made, &sealed.press).is_some_and(|mac| mac.verify_slice(&code).is_ok())
    };
    if !keys.any(fits) {
        return Err(Refused::Forged);
    }
    if sealed.channel != channel {
        return Err(Refused::WrongChannel);
    }
    let made = Instant(sealed.made.saturating_mul(1_000));
    if made.since(wall).ms() > SKEW.ms() {
        return Err(Refused::OutOfTime);
    }
    if wall.since(made).ms() > LASTS.ms() {
        return Err(Refused::Expired);
    }
    match serde_json::from_str(&sealed.press).map_err(|_| Refused::Unreadable)? {
        Press::Say(text) if text.chars().count() > SAID_MAX => Err(Refused::TooLarge),
        press => Ok(press),
    }
}

/// Channel and time hold no line ends, so no two seals are made over the same bytes.
fn mac(secret: &Secret, channel: &str, made: i64, press: &str) -> Option<Hmac<Sha256>> {
    if channel.contains('\n') || secret.expose().is_empty() {
        return None;
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
    Some(mac.chain_update(format!("towpath press v1\n{channel}\n{made}\n{press}")))
}

/// 64 hexadecimal digits.
fn bytes(code: &str) -> Option<[u8; 32]> {
    if code.len() != 64 || !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(code.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_790_000_000_500);

    fn secrets(all: &[&str]) -> Vec<Secret> {
        all.iter().map(|secret| Secret::new(*secret)).collect()
    }

    #[test]
    fn a_seal_is_good_for_its_press_its_channel_and_its_time() {
        let press = Press::Say("explain checkout production".into());
        let [old, new] = [Secret::new("old"), Secret::new("new")];
        let sealed = seal(&old, &press, "chan1", NOW).unwrap();
        let at = |ms: i64| Instant(NOW.0 + ms);
        let open =
            |keys: &[&str], sealed: &Sealed, channel: &str, ms| open(&secrets(keys), sealed, channel, at(ms));
        assert_eq!(open(&["old"], &sealed, "chan1", 0), Ok(press.clone()));
        assert_eq!(open(&["new", "old"], &sealed, "chan1", 0), Ok(press.clone()));
        assert_eq!(open(&["old"], &sealed, "chan1", LASTS.ms() - 1_000), Ok(press.clone()));
        assert_eq!(open(&["old"], &sealed, "chan1", LASTS.ms() + 1), Err(Refused::Expired));
        assert_eq!(open(&["old"], &sealed, "chan1", -SKEW.ms()), Ok(press));
        assert_eq!(open(&["old"], &sealed, "chan1", -SKEW.ms() - 1_000), Err(Refused::OutOfTime));
        assert_eq!(open(&["old"], &sealed, "chan2", 0), Err(Refused::WrongChannel));
        assert_eq!(open(&["new"], &sealed, "chan1", 0), Err(Refused::Forged));
        assert_eq!(open(&[], &sealed, "chan1", 0), Err(Refused::NoSecrets));
        assert_eq!(open(&[""], &sealed, "chan1", 0), Err(Refused::NoSecrets));
        let other = seal(&new, &Press::Say("promote checkout production".into()), "chan1", NOW).unwrap();
        for (why, changed, wanted) in [
            ("its press", Sealed { press: other.press.clone(), ..sealed.clone() }, Refused::Forged),
            ("its code", Sealed { code: other.code.clone(), ..sealed.clone() }, Refused::Forged),
            ("its channel", Sealed { channel: "chan2".into(), ..sealed.clone() }, Refused::Forged),
            ("its time", Sealed { made: sealed.made + 1, ..sealed.clone() }, Refused::Forged),
            ("its version", Sealed { v: 2, ..sealed.clone() }, Refused::Unsigned),
            ("no code", Sealed { code: String::new(), ..sealed.clone() }, Refused::Unsigned),
            ("a short code", Sealed { code: sealed.code[..62].into(), ..sealed.clone() }, Refused::Unsigned),
            ("an odd code", Sealed { code: "+1".repeat(32), ..sealed.clone() }, Refused::Unsigned),
            ("a far time", Sealed { made: i64::MAX, ..sealed.clone() }, Refused::Forged),
        ] {
            assert_eq!(open(&["old"], &changed, "chan1", 0), Err(wanted), "{why}");
        }
    }

    #[test]
    fn what_is_no_press_and_what_is_too_long_are_not_sealed_or_not_read() {
        let secret = Secret::new("k");
        assert_eq!(seal(&secret, &Press::Say("x".repeat(2_000)), "c", NOW), None);
        assert_eq!(seal(&Secret::new(""), &Press::Say("x".into()), "c", NOW), None);
        assert_eq!(seal(&secret, &Press::Say("x".into()), "c\nd", NOW), None);
        let made = NOW.0 / 1_000;
        for (press, wanted) in [
            ("{}".to_owned(), Refused::Unreadable),
            ("null".to_owned(), Refused::Unreadable),
            (serde_json::to_string(&Press::Say("x".repeat(SAID_MAX + 1))).unwrap(), Refused::TooLarge),
        ] {
            let code = hex(&mac(&secret, "c", made, &press).unwrap().finalize().into_bytes());
            let sealed = Sealed { v: 1, channel: "c".into(), made, press, code };
            assert_eq!(open(&[Secret::new("k")], &sealed, "c", NOW), Err(wanted));
        }
    }
}
