//! The one HTTP layer under every forge, and under `http` gates ([`crate::gate`]).
//!
//! A [`Call`] goes out with an [`Auth`] and comes back as an [`Answer`] or as a [`Fault`], within one
//! deadline that counts everything: waiting for a free place, every try, the last byte of the body.
//! What is true of all forges is here and nowhere else: bounded bodies, few and only harmless
//! repetitions, limits obeyed, answers kept for `If-None-Match`, pages read to the last, redirects
//! that carry no credential away, secrets kept out of words, and what is counted.
//!
//! **A limit is never slept out.** Where the forge says when to come back, or what is left of its
//! allowance is the reserve for acting, the answer is [`Fault::Limited`] with a time; who called
//! comes back then ([`Client::rests`]).
//!
//! **What acts is sent once.** Only a [`Call`] that changes nothing is repeated; one that acts and
//! got no answer is [`Fault::NoAnswer`], and its caller looks for the effect.
//!
//! Not here: what any forge's words mean, which header carries its token, and JSON of any forge. An
//! adapter has those. Not here either: sleeping longer than a moment, and TLS settings but for an
//! authority of the user's own (reqwest's: the system's roots, one provider).

mod call;
mod count;
mod etag;
mod fault;
mod fresh;
mod limits;
mod page;
pub mod read;
mod send;
mod stamp;
mod urgent;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use towpath_core::model::{Instant, Span};

use crate::clock::Clock;

pub use call::{Answer, Auth, Call, TokenPlace};
pub use count::{Counted, Ended};
pub use fault::Fault;
pub use fresh::{Fresh, Token};
pub use limits::BudgetSeen;
pub use page::{PAGES_MAX, Page};
pub use read::OrOdd;
pub use stamp::{ago, http_date, stamp};
pub use urgent::urgently;

/// What bounds a call. The defaults are for forges; tests set smaller ones.
#[derive(Debug, Clone)]
pub struct Options {
    /// From asking to the last byte of the body, every try included.
    pub deadline: Duration,
    /// The part of it for connecting and TLS.
    pub connect: Duration,
    /// The largest body that is read. A page of a hundred check runs may carry 128 KiB of report
    /// each: 13 MiB.
    pub body_max: usize,
    /// How many calls are under way at once. GitHub allows 100, Gitea's small machines like 4.
    pub at_once: usize,
    /// How often a call that changes nothing is tried in all.
    pub tries: u32,
    /// The pause before the second try; each further one is four times as long.
    pub backoff: Duration,
    /// What part of the forge's allowance is kept for calls that act, in percent. Some hundred an
    /// hour do for the busiest service, and the allowances are 5,000 and more.
    pub reserve_percent: u32,
    /// The certificates (PEM) that are trusted instead of the system's.
    pub ca: Option<PathBuf>,
    /// The bytes of bodies that are kept for `If-None-Match`.
    pub kept_bytes: usize,
    /// How often one call is sent on within the same host. With none, an answer that sends on is one
    /// that says no.
    pub redirects: usize,
    /// For how long a connection that nobody uses is kept.
    pub idle: Duration,
    /// Whether the proxy that the environment names is used.
    pub proxy: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            body_max: 16 * 1024 * 1024,
            at_once: 8,
            tries: 3,
            backoff: Duration::from_millis(250),
            reserve_percent: 10,
            ca: None,
            kept_bytes: 32 * 1024 * 1024,
            redirects: 3,
            idle: Duration::from_secs(90),
            proxy: true,
        }
    }
}

/// Sends calls to one forge. Clones share everything.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    options: Options,
    clock: Clock,
    places: Semaphore,
    kept: etag::Kept,
    limits: limits::Limits,
    counts: count::Counts,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it holds are answers, some of them of private repositories.
        f.debug_struct("Client").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// The certificates of a file.
fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Fault> {
    let unfit = |why: String| Fault::NotSent { words: format!("the certificates in `{}`: {why}", path.display()) };
    let pem = std::fs::read(path).map_err(|error| unfit(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unfit(fault::chain(&error)))?;
    if found.is_empty() { Err(unfit("there is none in PEM".to_owned())) } else { Ok(found) }
}

impl Client {
    /// A client that has called nothing yet.
    ///
    /// # Errors
    /// If TLS cannot be set up, or the certificates cannot be read.
    pub fn new(options: Options, clock: Clock) -> Result<Self, Fault> {
        let mut builder = reqwest::Client::builder();
        if let Some(ca) = &options.ca {
            builder = builder.tls_certs_only(certificates(ca)?);
        }
        if !options.proxy {
            builder = builder.no_proxy();
        }
        let http = builder
            .user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // Also not what HTTP/2 lets repeat: what is repeated is decided in `send`, and counted.
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect)
            .pool_idle_timeout(options.idle)
            .referer(false)
            .build()
            .map_err(|error| Fault::NotSent { words: fault::chain(&error) })?;
        Ok(Self(Arc::new(Inner {
            http,
            places: Semaphore::new(options.at_once),
            kept: etag::Kept::new(options.kept_bytes),
            limits: limits::Limits::new(options.reserve_percent),
            counts: count::Counts::default(),
            options,
            clock,
        })))
    }

    /// How long the forge wants no reading calls of this account, where that is so.
    pub fn rests(&self, account: &str) -> Option<Span> {
        self.0.limits.rests(account, self.boottime())
    }

    /// Every call so far, by operation and how it ended.
    pub fn counted(&self) -> Vec<Counted> {
        self.0.counts.read()
    }

    /// What is left of each allowance that the forge told of.
    pub fn budgets(&self) -> Vec<BudgetSeen> {
        self.0.limits.read()
    }

    /// How long it waits before the second try of a call.
    pub(super) fn pause(&self) -> Duration {
        self.0.options.backoff
    }

    /// The forge wants no calls for so long. The end is said in whole seconds, never too early: looks that are
    /// a moment apart say the same, and whoever comes back then is let in.
    fn limited(&self, again_in: Span, words: String) -> Fault {
        let until = (self.0.clock.reading().wall + again_in).0.saturating_add(999);
        Fault::Limited { again_in, until: Instant(until - until.rem_euclid(1_000)), words }
    }

    /// The clock that all its waiting times are measured on: milliseconds since boot.
    pub fn boottime(&self) -> i64 {
        self.0.clock.reading().boottime_ms
    }
}
