//! The GitHub adapter against a GitHub of the tests, whose every exchange is held against GitHub's
//! own description.

mod answers;
mod controls;
mod examples;
mod pages;
mod pulls;
mod reads;
pub mod server;
pub mod state;
mod talk;
mod writes;

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::NamedTempFile;
use towpath::clock::{Clock, ManualClock};
use towpath::config::SecretRef;
use towpath::forge::client::{Client, Options, stamp};
use towpath::forge::github::{Credential, GitHub};
use towpath::forge::{Forge as _, MergeHow, Proposal, RepoPath};
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId};

use server::Server;

/// The App's key, made once in each process.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).expect("a key"))
}

/// The public part of the App's key.
pub fn key_of_the_app() -> &'static [u8] {
    key().public_key().as_ref()
}

/// The App's private key, as GitHub gives it.
pub fn key_of_the_app_in_pem() -> String {
    let der: Pkcs8V1Der<'_> = key().as_der().expect("a key");
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

/// A file that holds a secret.
fn secret(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

/// A GitHub of the tests with a repository in it, and the adapter beside it.
pub struct World {
    pub server: Server,
    pub forge: GitHub,
    clock: ManualClock,
    pub repo: RepoPath,
    /// `develop`: a, then b on top; `staging`: at a; the request branch: at b.
    a: CommitId,
    pub b: CommitId,
    _secret: NamedTempFile,
}

const REQUEST: &str = "towpath/checkout/staging";

impl World {
    /// With a personal token.
    pub async fn new() -> Self {
        let file = secret("ghp_test\n");
        let credential = Credential::Token(SecretRef::File(file.path().to_owned()));
        Self::with(credential, file).await
    }

    /// As an App.
    pub async fn app() -> Self {
        let file = secret(&key_of_the_app_in_pem());
        let place = SecretRef::File(file.path().to_owned());
        Self::with(Credential::App { id: "7".to_owned(), installation: 9, key: place }, file).await
    }

    async fn with(credential: Credential, file: NamedTempFile) -> Self {
        let server = Server::new(key().public_key().as_ref()).await;
        let (a, b) = {
            let state = server.state();
            let a = state.repo.commit(&[], "develop", &[("f", "a")]);
            let b = state.repo.commit(&[a], "develop", &[("f", "b")]);
            state.repo.set("staging", a);
            state.repo.set(REQUEST, b);
            (a, b)
        };
        let clock = ManualClock::new(stamp(state::BEGIN).expect("a time"));
        let options =
            Options { deadline: Duration::from_secs(20), backoff: Duration::from_millis(5), ..Options::default() };
        let client = Client::new(options, Clock::Manual(clock.clone())).expect("a client");
        let forge = GitHub::new(&server.url, credential, client, Clock::Manual(clock.clone())).expect("a forge");
        Self { server, forge, clock, repo: RepoPath::new("shop/checkout"), a, b, _secret: file }
    }

    /// Time passes, for both.
    fn pass(&self, secs: i64) {
        self.clock.advance(towpath_core::model::Span::from_secs(secs));
        self.server.state().now += secs * 1_000;
    }

    fn proposal(&self) -> Proposal {
        Proposal {
            head: BranchName::new(REQUEST),
            base: BranchName::new("staging"),
            title: "Promote b to staging".to_owned(),
            body: "<!-- towpath checkout/staging -->\nOne commit.".to_owned(),
            labels: vec!["promotion".to_owned()],
            reviewers: vec!["ana".to_owned(), "@shop/release".to_owned()],
        }
    }

    /// Merges into `staging`.
    async fn merge(&self, number: u64, onto: CommitId, head: CommitId, how: MergeHow) -> PushAnswer {
        self.forge.merge(&self.repo, number, &branch("staging"), onto, head, how).await
    }

    fn tip(&self, branch: &str) -> CommitId {
        self.server.state().repo.tip(branch).expect("a branch")
    }
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name)
}
