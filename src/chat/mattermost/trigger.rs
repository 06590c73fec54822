//! That a person did something in this moment, in the words of the server.
//!
//! `trigger_id` is Base64 of `ID:USER:MILLISECONDS:SIGNATURE`, where SIGNATURE is Base64 of ECDSA (P-256, SHA-256,
//! ASN.1) over what stands before it, with its colon (`GenerateTriggerId`, server/public/model/integration_action.go).
//! The server tells everybody the public key: `AsymmetricSigningPublicKey` of `GET /api/v4/config/client?format=old`,
//! Base64 of its `SubjectPublicKeyInfo` (`regenerateClientConfig`, server/channels/app/platform/config.go). Neither is
//! promised by the documentation; what cannot be checked proves nothing and is not guessed.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use towpath_core::model::{Instant, Span};

use crate::chat::incoming::Refused;

/// How far the server's time may be from ours.
const WINDOW: Span = Span::from_mins(5);

/// The longest trigger that is looked at, in bytes; real ones have some 250.
const TRIGGER_MAX: usize = 1_000;

/// What stands before the point in the `SubjectPublicKeyInfo` (RFC 5480) of a P-256 key whose point is written whole.
const BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A trigger that can be read. What it says is nobody's word until [`TriggerKey::signed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What is signed.
    signed: String,
    signature: Vec<u8>,
    user: String,
    at: Instant,
}

impl Trigger {
    /// Reads one.
    ///
    /// # Errors
    /// [`Refused::Unsigned`].
    pub fn read(text: &str) -> Result<Self, Refused> {
        let decoded = STANDARD.decode(text).ok().filter(|_| text.len() <= TRIGGER_MAX).ok_or(Refused::Unsigned)?;
        let decoded = String::from_utf8(decoded).map_err(|_| Refused::Unsigned)?;
        let (signed, signature) = decoded.rsplit_once(':').ok_or(Refused::Unsigned)?;
        let signature = STANDARD.decode(signature).map_err(|_| Refused::Unsigned)?;
        let fields: Vec<&str> = signed.split(':').collect();
        let [_, user, at] = fields.as_slice() else { return Err(Refused::Unsigned) };
        let at = Instant(at.parse().map_err(|_| Refused::Unsigned)?);
        Ok(Self { signed: format!("{signed}:"), signature, user: (*user).to_owned(), at })
    }

    /// Whether it says that this user did something just now.
    ///
    /// # Errors
    /// [`Refused::Forged`], [`Refused::OutOfTime`].
    pub fn says(&self, user: &str, wall: Instant) -> Result<(), Refused> {
        if self.user != user {
            return Err(Refused::Forged);
        }
        if wall.since(self.at).ms().max(self.at.since(wall).ms()) > WINDOW.ms() {
            return Err(Refused::OutOfTime);
        }
        Ok(())
    }
}

/// The server's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerKey {
    /// 65 bytes.
    point: Vec<u8>,
}

impl TriggerKey {
    /// Reads the key as the server tells it; none if it is of another kind.
    pub fn read(base64: &str) -> Option<Self> {
        let der = STANDARD.decode(base64.trim()).ok()?;
        let point = der.strip_prefix(&BEFORE_POINT)?;
        (point.len() == 65 && point.first() == Some(&4)).then(|| Self { point: point.to_vec() })
    }

    /// Whether the server signed it.
    pub fn signed(&self, trigger: &Trigger) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point);
        key.verify(trigger.signed.as_bytes(), &trigger.signature).is_ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;

    impl TriggerKey {
        /// All of it together.
        fn verify(&self, trigger: &str, user: &str, wall: Instant) -> Result<(), Refused> {
            let trigger = Trigger::read(trigger)?;
            trigger.says(user, wall)?;
            if self.signed(&trigger) { Ok(()) } else { Err(Refused::Forged) }
        }
    }

    /// A server's key, and triggers made with it.
    pub(in super::super) struct Server(EcdsaKeyPair);

    impl Server {
        pub(in super::super) fn new() -> Self {
            Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
        }

        pub(in super::super) fn told(&self) -> String {
            STANDARD.encode([&BEFORE_POINT, self.0.public_key().as_ref()].concat())
        }

        pub(in super::super) fn trigger(&self, user: &str, at: i64) -> String {
            self.sign(&format!("zyxwvutsrqponmlkjihgfedcba:{user}:{at}:"))
        }

        fn sign(&self, text: &str) -> String {
            let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
            STANDARD.encode(format!("{text}{}", STANDARD.encode(signature.as_ref())))
        }
    }

    /// Made with openssl 3 (`ecparam -name prime256v1 -genkey`, `ec -pubout -outform DER`, `dgst -sha256 -sign`), so
    /// that reader and maker are not one and the same library.
    const TOLD: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGwM02kAh/doVnFtR+hKyG4Q9Ruq2N2EbPjaQMzhE5psxmDjHAGa6o5GN5liXe57np2MfjDW3Gk8gPIC4XRU5DA==";
    const TRIGGER: &str = "YzFjMWMxYzFjMWMxYzFjMWMxYzFjMWMxYzE6dTF1MXUxdTF1MXUxdTF1MXUxdTF1MXUxdTE6MTc5MDAwMDAwMDAwMDpNRVVDSUhQSG9hSm92Y3pJL1IxeGNPelFPWi9WdVZhY1YzYXZleHkyRFBpVmMvQ0dBaUVBeThKOUl4VXdmS0J0MnVuWE1Pd3NTVkRsMHg0a0JJTnRqcUwxQXdweGs5MD0=";

    #[test]
    fn what_another_library_signed_is_taken() {
        let key = TriggerKey::read(TOLD).unwrap();
        let at = Instant(1_790_000_000_000);
        let user = "u1u1u1u1u1u1u1u1u1u1u1u1u1";
        assert_eq!(key.verify(TRIGGER, user, at), Ok(()));
        assert_eq!(key.verify(TRIGGER, "u2u2u2u2u2u2u2u2u2u2u2u2u2", at), Err(Refused::Forged));
    }

    #[test]
    fn a_trigger_is_good_for_its_user_and_its_moment() {
        let server = Server::new();
        let key = TriggerKey::read(&format!(" {}\n", server.told())).unwrap();
        let now = 1_790_000_000_000;
        let good = server.trigger("ana", now);
        let edge = WINDOW.ms();
        assert_eq!(key.verify(&good, "ana", Instant(now + edge)), Ok(()));
        assert_eq!(key.verify(&good, "ana", Instant(now - edge)), Ok(()));
        assert_eq!(key.verify(&good, "ana", Instant(now + edge + 1)), Err(Refused::OutOfTime));
        assert_eq!(key.verify(&good, "ana", Instant(now - edge - 1)), Err(Refused::OutOfTime));
        assert_eq!(key.verify(&good, "bob", Instant(now)), Err(Refused::Forged));
        assert_eq!(key.verify(&Server::new().trigger("ana", now), "ana", Instant(now)), Err(Refused::Forged));
        let decoded = String::from_utf8(STANDARD.decode(&good).unwrap()).unwrap();
        let bob = STANDARD.encode(decoded.replace(":ana:", ":bob:"));
        assert_eq!(key.verify(&bob, "bob", Instant(now)), Err(Refused::Forged));
        let unsigned = STANDARD.encode(format!("x:ana:{now}:"));
        assert_eq!(key.verify(&unsigned, "ana", Instant(now)), Err(Refused::Forged));
        for odd in [
            String::new(),
            "::::".to_owned(),
            STANDARD.encode("a:b:c"),
            STANDARD.encode([0xff, 0xfe]),
            server.sign("x:ana:"),
            server.sign("x:ana:soon:"),
            server.sign(&format!("x:y:ana:{now}:")),
            good[..good.len() - 4].to_owned(),
            "A".repeat(4_000),
        ] {
            let refused = key.verify(&odd, "ana", Instant(now));
            assert!(matches!(refused, Err(Refused::Unsigned | Refused::Forged)), "{odd}: {refused:?}");
        }
    }

    #[test]
    fn only_a_key_of_this_kind_is_one() {
        let told = Server::new().told();
        let der = STANDARD.decode(&told).unwrap();
        let mut compressed = der.clone();
        compressed[26] = 2;
        let cut = &der[..90];
        let mut other = der.clone();
        other[22] = 0x08;
        assert!(TriggerKey::read(&told).is_some());
        for odd in [&compressed[..], cut, &other, b"", &der[26..]] {
            assert_eq!(TriggerKey::read(&STANDARD.encode(odd)), None);
        }
        assert_eq!(TriggerKey::read("no base64!"), None);
    }
}
