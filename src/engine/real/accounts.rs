//! Whose accounts the addresses in commits are, where nothing but the flow's forge may tell: asked of it, and remembered.
//!
//! It serves to name and to call people, and to let them stop what is theirs. So nothing waits for it: there are few
//! questions, little time for all of them, none to a forge that rests or did not answer a moment ago, and whoever is not
//! told in time is named as the commit has them.
//!
//! Not here: who is somebody by the answer (`people::accounts` of the core), and whose approval counts
//! (`engine::co_authors`, which waits for its answers).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use towpath_core::model::{FlowName, Instant, Mends, Span};
use towpath_core::people::Mailmap;
use towpath_core::people::accounts::{Accounts, Known, Signature};

use super::RealWorld;
use super::within::within;
use crate::clock::Clock;
use crate::engine::forges::OnForge;
use crate::forge::RepoPath;

/// How much a forge is asked at once.
const ASKED_MAX: usize = 10;

/// For how long, altogether.
const ASKING_MAX: Span = Span::from_secs(3);

/// For how long it is remembered whose account an address is.
const FOUND_FOR: Span = Span::from_mins(24 * 60);

/// For how long it is that it is nobody's: people add addresses to their accounts.
const NOT_FOUND_FOR: Span = Span::from_mins(60);

/// For how long a forge is not asked that did not answer.
const SILENT_FOR: Span = Span::from_mins(5);

/// Of how many addresses is remembered whose they are.
const KEPT_MAX: usize = 10_000;

/// What forges told, by the forge's address and the address in commits in lower case; for one process.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    told: BTreeMap<(String, String), Told>,
    /// When a forge had not answered.
    silent: BTreeMap<String, Instant>,
}

#[derive(Debug, Clone)]
struct Told {
    at: Instant,
    login: Option<String>,
    /// Whether it was asked of a commit of theirs, which tells more than what their account shows to everybody.
    as_author: bool,
}

impl Told {
    fn is_fresh(&self, now: Instant) -> bool {
        lately(self.at, now, if self.login.is_some() { FOUND_FOR } else { NOT_FOUND_FOR })
    }
}

/// Not of a time to come either: clocks are put back.
fn lately(at: Instant, now: Instant, span: Span) -> bool {
    (0..span.ms()).contains(&now.0.saturating_sub(at.0))
}

impl Remembered {
    fn with<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was told of it lately: an account, or that there is none.
    fn of(&self, forge: &str, signed: &Signature, now: Instant) -> Option<Option<String>> {
        let key = (forge.to_owned(), address(signed));
        let told = self.with(|memory| memory.told.get(&key).cloned())?;
        let answers = told.login.is_some() || told.as_author || signed.co_author;
        (answers && told.is_fresh(now)).then_some(told.login)
    }

    fn keep(&self, forge: &str, signed: &Signature, login: Option<String>, now: Instant) {
        let told = Told { at: now, login, as_author: !signed.co_author };
        self.with(|memory| {
            if memory.told.len() >= KEPT_MAX {
                memory.told.retain(|_, told| told.is_fresh(now));
            }
            if memory.told.len() >= KEPT_MAX {
                memory.told.clear();
            }
            memory.told.insert((forge.to_owned(), address(signed)), told);
        });
    }

    fn is_silent(&self, forge: &str, now: Instant) -> bool {
        self.with(|memory| memory.silent.get(forge).is_some_and(|at| lately(*at, now, SILENT_FOR)))
    }

    fn is_silent_from(&self, forge: &str, now: Instant) {
        self.with(|memory| memory.silent.insert(forge.to_owned(), now));
    }

    /// Asks the forge for those, one after the other, and remembers what it says.
    async fn ask(&self, (on, forge): (&OnForge, &str), questions: &[&Signature], clock: &Clock) {
        let asking = async {
            for signed in questions {
                let co_author = signed.co_author.then_some(signed.email.trim());
                let login = match on.forge.author(&on.repo, signed.commit, co_author).await {
                    Ok(login) => login.filter(|login| !login.is_empty()),
                    Err(unknown) if unknown.mends == Mends::Person => None,
                    Err(unknown) => return Err(unknown),
                };
                self.keep(forge, signed, login, clock.reading().wall);
            }
            Ok(())
        };
        let failed = match within(clock, ASKING_MAX, asking).await {
            Some(Ok(())) => return,
            Some(Err(unknown)) => format!("{:?}", unknown.why),
            None => "it took too long".to_owned(),
        };
        self.is_silent_from(forge, clock.reading().wall);
        tracing::debug!(repo = %on.repo, failed, "whose some addresses are the forge did not tell; they are nobody's for now");
    }
}

fn address(signed: &Signature) -> String {
    signed.email.trim().to_lowercase()
}

impl RealWorld {
    /// The accounts on the flow's forge of those of whom nothing else tells who they are, as far as it tells in time.
    /// None where nobody of the config has an account there, for then it makes nobody anybody.
    pub async fn accounts(&self, flow: &FlowName, mailmap: &Mailmap, signed: &[Signature]) -> Accounts {
        let (Ok(on), Some(name)) = (self.forge(flow), self.crowd().forge(flow)) else { return Accounts::default() };
        let wanted = strangers(&self.crowd().known(mailmap, &Accounts::default()), signed);
        // A forge of that name may be another one after the config was changed.
        let forge = on.forge.git_url(&RepoPath::new("owner/name"));
        let now = self.clock.reading().wall;
        let unheard = wanted.iter().filter(|signed| self.remembered.of(&forge, signed, now).is_none());
        let questions: Vec<&Signature> = unheard.copied().take(ASKED_MAX).collect();
        if !questions.is_empty() && on.forge.rests().is_none() && !self.remembered.is_silent(&forge, now) {
            self.remembered.ask((on, &forge), &questions, &self.clock).await;
        }
        let now = self.clock.reading().wall;
        let told = wanted.iter().filter_map(|signed| {
            let login = self.remembered.of(&forge, signed, now)??;
            Some((signed.email.clone(), login))
        });
        Accounts::new(name, told)
    }
}

/// Those of whom only a forge may tell who they are, each address once: of authors first, for of them it tells more.
fn strangers<'s>(known: &Known<'_>, signed: &'s [Signature]) -> Vec<&'s Signature> {
    let (mut seen, mut addresses, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for co_author in [false, true] {
        for signed in signed.iter().filter(|signed| signed.co_author == co_author) {
            if seen.insert((&signed.name, &signed.email))
                && known.asks_forge(&signed.name, &signed.email)
                && addresses.insert(address(signed))
            {
                found.push(signed);
            }
        }
    }
    found
}
