//! Who we are to GitHub: nobody, the owner of a token, or an App's installation.
//!
//! An App signs a JWT with its key and gets a token of an hour for it. That token is made by one
//! caller for all and five minutes before it ends ([`Fresh`]); the JWT lives nine minutes and is
//! used for nothing else.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use reqwest::Url;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use towpath_core::model::{Instant, Span};

use super::wire;
use crate::clock::Clock;
use crate::config::SecretRef;
use crate::forge::client::{Auth, Call, Client, Fault, Fresh, Token, stamp};
use crate::secret::Secret;

/// How long a JWT lives. GitHub takes at most ten minutes, by its clock.
const JWT_LIVES: Span = Span::from_mins(9);

/// How far back its beginning is set, against clocks that run ahead: GitHub's own advice.
const JWT_BACK: Span = Span::from_mins(1);

/// How often at most a token is made anew because git refused it.
const FORGET_EVERY: Span = Span::from_mins(10);

/// The kinds of tokens that stand in a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Personal {
    /// With scopes.
    Classic,
    /// With permissions, of which GitHub tells nothing.
    FineGrained,
    /// None of a person: an installation's token that was made for an hour, or for a job of Actions (`GITHUB_TOKEN`).
    Installation,
}

/// What we have to show.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: public repositories, 60 calls an hour.
    None,
    /// A personal access token, of either kind.
    Token(SecretRef),
    /// An App.
    App {
        /// Its id, or its client id.
        id: String,
        /// The number of its installation on the account that has the repositories.
        installation: u64,
        /// Its private key, PEM.
        key: SecretRef,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nobody"),
            Self::Token(place) => write!(f, "token in {place:?}"),
            Self::App { id, installation, key } => {
                write!(f, "app {id}, installation {installation}, key in {key:?}")
            }
        }
    }
}

/// Makes the credential of each call.
pub(super) struct Auths {
    credential: Credential,
    clock: Clock,
    api: Url,
    account: String,
    fresh: Fresh,
}

impl fmt::Debug for Auths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.credential, f)
    }
}

impl Auths {
    pub(super) fn new(credential: Credential, clock: Clock, api: Url) -> Self {
        let account = match &credential {
            Credential::None => "nobody".to_owned(),
            Credential::Token(_) => "token".to_owned(),
            Credential::App { installation, .. } => format!("installation-{installation}"),
        };
        Self { credential, clock, api, account, fresh: Fresh::default() }
    }

    /// Under which name GitHub's allowance is kept.
    pub(super) fn account(&self) -> &str {
        &self.account
    }

    /// Whether a token that is refused may be followed by a better one.
    pub(super) const fn renews(&self) -> bool {
        matches!(self.credential, Credential::App { .. })
    }

    /// Which kind of token it is, if it can be told.
    /// <https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/>
    pub(super) fn personal(&self) -> Option<Personal> {
        let Credential::Token(place) = &self.credential else { return None };
        let token = read(place).ok()?;
        match token.expose() {
            token if token.starts_with(b"github_pat_") => Some(Personal::FineGrained),
            token if token.starts_with(b"ghp_") => Some(Personal::Classic),
            token if token.starts_with(b"ghs_") => Some(Personal::Installation),
            _ => None,
        }
    }

    /// Whether this is an App.
    pub(super) const fn is_app(&self) -> bool {
        matches!(self.credential, Credential::App { .. })
    }

    /// What the next call carries.
    pub(super) async fn get(&self, client: &Client) -> Result<Auth, Fault> {
        match &self.credential {
            Credential::None => Ok(Auth::none()),
            Credential::Token(place) => Auth::scheme(&self.account, "Bearer", read(place)?.expose()),
            Credential::App { id, installation, key } => {
                let now = || client.boottime();
                self.fresh.get(now, || self.mint(client, id, *installation, key)).await
            }
        }
    }

    /// GitHub does not take it any longer.
    pub(super) async fn refused(&self, auth: &Auth) {
        self.fresh.drop_if(auth).await;
    }

    /// Git was refused with what [`Auths::for_git`] gave.
    pub(super) async fn refused_to_git(&self, client: &Client) {
        if self.renews() {
            self.fresh.forget(client.boottime(), FORGET_EVERY).await;
        }
    }

    /// What git logs in with over https: any name with a personal token, this one with an App's.
    /// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>
    pub(super) async fn for_git(&self, client: &Client) -> Result<(String, Secret), Fault> {
        let name = "x-access-token".to_owned();
        match &self.credential {
            Credential::None => Err(Fault::Credential { words: "there is no token and no app".to_owned() }),
            Credential::Token(place) => Ok((name, read(place)?)),
            Credential::App { .. } => Ok((name, Secret::new(self.get(client).await?.secret()))),
        }
    }

    /// What calls as the App itself carry: of those there are few, and each has a JWT of its own.
    pub(super) fn as_app(&self) -> Result<Auth, Fault> {
        let Credential::App { id, key, .. } = &self.credential else {
            return Err(Fault::Credential { words: "this is no app".to_owned() });
        };
        let jwt = jwt(id, read(key)?.expose(), self.clock.reading().wall)?;
        Auth::scheme("app", "Bearer", jwt.as_bytes())
    }

    async fn mint(&self, client: &Client, id: &str, installation: u64, key: &SecretRef) -> Result<Token, Fault> {
        let wall = self.clock.reading().wall;
        let jwt = jwt(id, read(key)?.expose(), wall)?;
        let auth = Auth::scheme("app", "Bearer", jwt.as_bytes())?;
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["app", "installations", &installation.to_string(), "access_tokens"]);
        }
        let call = super::headed(Call::act("token", Method::POST, url, &json!({}))).quiet();
        let answer = client.send(&call, &auth).await?;
        let made: wire::InstallationToken = answer.json()?;
        let until = stamp(&made.expires_at)
            .ok_or_else(|| Fault::Unreadable { words: "token: `expires_at` is no time".to_owned() })?;
        let lives = until.since(answer.date.unwrap_or(wall));
        Ok(Token { auth: Auth::scheme(&self.account, "Bearer", made.token.as_bytes())?, lives })
    }
}

fn read(place: &SecretRef) -> Result<Secret, Fault> {
    Secret::read(place).map_err(|fault| Fault::Credential { words: fault.to_string() })
}

/// A JWT as GitHub wants it: RS256, issued a minute ago, by the App.
/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
fn jwt(id: &str, pem: &[u8], wall: Instant) -> Result<String, Fault> {
    let unfit = |why: &str| Fault::Credential { words: format!("the app's key cannot be used: {why}") };
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| unfit("it is no private key in PEM"))?;
    let pair = match &der {
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(unfit("it is no RSA key")),
    };
    let pair = pair.map_err(|_| unfit("it is no RSA key"))?;
    let seconds = |at: Instant| at.0.div_euclid(1_000);
    let claims = json!({
        "iat": seconds(Instant(wall.0 - JWT_BACK.ms())),
        "exp": seconds(wall + JWT_LIVES),
        "iss": id,
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(br#"{"alg":"RS256","typ":"JWT"}"#), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| unfit("it does not sign"))?;
    Ok(format!("{signed}.{}", encode(&signature)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;

    fn pem(pair: &KeyPair) -> String {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key");
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    #[test]
    fn what_a_token_begins_with_says_what_it_is() {
        let kind = |text: &str| {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
            let clock = Clock::Manual(crate::clock::ManualClock::new(Instant(0)));
            let api = Url::parse("https://api.github.com/").expect("a URL");
            let place = Credential::Token(SecretRef::File(file.path().to_owned()));
            Auths::new(place, clock, api).personal()
        };
        assert_eq!(kind("ghp_abc\n"), Some(Personal::Classic));
        assert_eq!(kind("github_pat_abc\n"), Some(Personal::FineGrained));
        assert_eq!(kind("ghs_abc\n"), Some(Personal::Installation));
        for other in ["gho_abc", "ghs", "xghs_abc", "0123456789abcdef0123456789abcdef01234567"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn a_jwt_says_who_and_until_when_and_is_signed() {
        let pair = KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
        let made = jwt("Iv1.abc", pem(&pair).as_bytes(), Instant(1_800_000_000_500)).expect("signed");
        let (signed, signature) = made.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
            .verify(signed.as_bytes(), &signature)
            .expect("signed by that key");
        let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).expect("claims")).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims, json!({"iat": 1_799_999_940, "exp": 1_800_000_540, "iss": "Iv1.abc"}));
    }

    #[test]
    fn what_is_no_key_is_said_without_showing_it() {
        for bad in ["", "secret words", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            let fault = jwt("1", bad.as_bytes(), Instant(0)).expect_err("no key").to_string();
            assert!(fault.contains("cannot be used") && !fault.contains("secret"), "{fault}");
        }
    }
}
