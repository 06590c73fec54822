//! What the engine has the real world do: one method of [`World`] each.
//!
//! No policy and no words for people. What a remote or the store says becomes a value here.
//!
//! Not here: what the world is made of (`real`), and what only a forge can tell (`forges`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use towpath_core::act::{self, PushAnswer};
use towpath_core::dag::Dag;
use towpath_core::model::{
    BranchName, BranchSeen, Change, CommitId, DecisionRow, EdgeKey, EnvName, Environment, Event, Fact, Facts, Flow,
    FlowName, FormerName, Instant, IntentId, IntentRow, Ledger, Message, Missing, MoveKind, Now, Pause, Proposed,
    PushedRequest, Reason, Span, Standing, Tip, Unknown, UnknownWhy, request_branch,
};
use towpath_core::people::Mailmap;
use towpath_core::people::accounts::{Accounts, Signature};
use towpath_core::repository;
use towpath_core::see::{PushSeen, Tips};

use super::within::within;
use super::{RealWorld, blocking, wrote};
use crate::config::Moves;
use crate::engine::say::Saying;
use crate::engine::world::{Closing, Committed, Fault, Proposal, Proposing, Side, World};
use crate::engine::{compat, reach, tick};
use crate::git::{Mirror, read};
use crate::store::{KnownFlow, Lease, StoreError};
use crate::tell::Besides;

/// How long a lease lasts without being renewed.
const LEASE: Span = Span::from_secs(60);

/// For how long a pass speaks to a forge at most; the lease on the flow lasts longer.
const SPEAKING_MAX: Duration = Duration::from_secs(20);

/// How many commits a tick is willing to load.
const NODES_MAX: usize = 500_000;

/// How many source commits are compared with a commit of the target to find what it was picked from.
const PICKS_MAX: usize = 1_000;

impl RealWorld {
    /// Every branch of the flow's repository.
    async fn branches(&self, flow: &Flow) -> Result<BTreeMap<BranchName, CommitId>, Unknown> {
        let heads = self.git.heads(&self.remote(&flow.name).await?).await;
        self.heard(&flow.name, heads).await
    }

    async fn heads(&self, flow: &Flow) -> Tips {
        let heads = self.branches(flow).await;
        let at = |branch: &BranchName| match &heads {
            Ok(heads) => heads.get(branch).map_or(Tip::Absent, |id| Tip::At(*id)),
            Err(unknown) => Tip::Unknown(unknown.clone()),
        };
        flow.environments.iter().map(|e| (e.name.clone(), at(&e.branch))).collect()
    }

    /// Makes sure that the mirror has the tips.
    async fn fetched(&self, flow: &Flow, tips: &[CommitId]) -> Result<Mirror, Unknown> {
        let mirror = self.mirror(&flow.name)?;
        let (looked_at, wanted) = (mirror.clone(), tips.to_vec());
        let lacks = blocking(move || Ok(read::lacks(&looked_at, &wanted))).await?;
        if lacks {
            let branches: Vec<BranchName> = flow.environments.iter().map(|e| e.branch.clone()).collect();
            let fetched = self.git.fetch(&mirror, &self.remote(&flow.name).await?, &branches).await;
            self.heard(&flow.name, fetched).await?;
        }
        Ok(mirror)
    }

    /// What stands under names that the flow had before: those of flows that are configured no more,
    /// had one of its branches in its repository, and were looked at later than it was.
    async fn former_names(&self, flow: &Flow, looked: Option<Now>) -> Result<Vec<FormerName>, Fault> {
        // The config of a process does not change, so what it leaves out is read once.
        let gone = self.gone.get_or_try_init(async || {
            let known = self.store.flows_known().await?;
            let configured = |known: &KnownFlow| self.remotes.iter().any(|reach| reach.flow == known.flow);
            Ok::<_, StoreError>(known.into_iter().filter(|known| !configured(known)).collect::<Vec<_>>())
        });
        let had = |env: &Environment, seen: &BranchSeen| {
            env.branch == seen.branch && repository::same(&seen.repository, &flow.repository)
        };
        let mut former = Vec::new();
        for known in gone.await? {
            let later = looked.is_none_or(|looked| known.looked.trusted > looked.trusted);
            let here = known.branches.values().any(|seen| flow.environments.iter().any(|env| had(env, seen)));
            if later && here {
                let ledger = self.store.load(&known.flow, &[]).await?;
                let branches =
                    known.branches.iter().map(|(env, seen)| (env.clone(), seen.branch.clone())).collect();
                former.push(FormerName::of(known.flow.clone(), branches, ledger.standing));
            }
        }
        Ok(former)
    }

    async fn pick(&self, flow: &Flow, dag: &Dag, tips: &Tips, key: &EdgeKey) -> Fact<Option<CommitId>> {
        let Some(edge) = flow.edge(&key.env) else { return Fact::Known(None) };
        let tip = |env: &EnvName| tips.get(env).and_then(Tip::commit);
        let (Some(source), Some(target)) = (tip(&edge.source.name), tip(&edge.target.name)) else {
            return Fact::Known(None);
        };
        let (source, target) = (dag.ancestors([source]), dag.ancestors([target]));
        let among: Vec<CommitId> = dag.minus(&source, &target).take(PICKS_MAX).map(|node| node.id).collect();
        let mirror = match self.mirror(&flow.name) {
            Ok(mirror) => mirror,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        let own = key.commit;
        blocking(move || Ok(crate::git::patch::pick_of(&mirror, own, &among))).await.unwrap_or_else(Fact::Unknown)
    }

    /// Moves the request branch, and opens the request or brings it up to date.
    async fn put_and_open(&self, flow: &Flow, proposal: &Proposal) -> Proposing {
        let (forge, edge) = match (self.forge(&flow.name), flow.edge(&proposal.env)) {
            (Ok(forge), Some(edge)) => (forge, edge),
            (Err(unknown), _) => return Proposing::Unsure { words: format!("{:?}", unknown.why) },
            (_, None) => return Proposing::Unsure { words: "the config changed".to_owned() },
        };
        let (remote, mirror) = match (self.remote(&flow.name).await, self.mirror(&flow.name)) {
            (Ok(remote), Ok(mirror)) => (remote, mirror),
            (Err(unknown), _) | (_, Err(unknown)) => {
                return Proposing::Unsure { words: format!("{:?}", unknown.why) };
            }
        };
        if proposal.from != Some(proposal.head) {
            let branch = request_branch(&flow.name, &proposal.env);
            match self.git.put(&mirror, &remote, &branch, proposal.from, proposal.head).await {
                PushAnswer::Moved | PushAnswer::UpToDate => {}
                PushAnswer::Refused { words } => return Proposing::NotPut { words },
                PushAnswer::LostRace { words } | PushAnswer::NotSent { words } | PushAnswer::NoAnswer { words } => {
                    return Proposing::Unsure { words };
                }
            }
        }
        forge.propose(&edge, proposal).await
    }
}

/// What stands on an edge while something is told of it.
#[derive(Debug, Default)]
struct Stands {
    /// Pauses and freezes of the flow.
    pauses: Vec<Pause>,
    /// Whether `retry` may help what stands against the edge.
    retry: bool,
    /// The `.mailmap` of its target, where that was last seen.
    mailmap: Mailmap,
}

impl RealWorld {
    /// What chats are told of an edge besides an event. Nothing where the store cannot tell: what happened is told all
    /// the same.
    async fn stands(&self, flow: &Flow, env: &EnvName) -> Stands {
        let Ok(ledger) = self.store.load(&flow.name, &tick::targets(flow)).await else { return Stands::default() };
        let closed = |row: &DecisionRow| matches!(row.decision.verdict.why(), Reason::RequestClosed { .. });
        let retry = ledger.standing.backoffs.iter().any(|backoff| backoff.env == *env)
            || ledger.decisions.get(env).is_some_and(closed);
        let mailmap = match ledger.branches.get(env) {
            // Whom it makes of them is for naming them: without it they are named as they wrote themselves.
            Some(seen) => self.mailmap(&flow.name, seen.tip).await.unwrap_or_default(),
            None => Mailmap::default(),
        };
        Stands { pauses: ledger.standing.pauses, retry, mailmap }
    }

    /// Whose accounts the addresses are that are in what a chat is told; not asked where none is told of it.
    async fn accounts_in(
        &self,
        flow: &Flow,
        message: &Message,
        mailmap: &Mailmap,
        wrote: &[Signature],
    ) -> Accounts {
        if !self.sinks.tells_chats_of(flow, message) {
            return Accounts::default();
        }
        match &message.event {
            Event::HeadsUp { commits, .. } => {
                let signed: Vec<Signature> = commits.iter().flat_map(Signature::of_coming).collect();
                self.accounts(&flow.name, mailmap, &signed).await
            }
            _ => self.accounts(&flow.name, mailmap, wrote).await,
        }
    }
}

impl RealWorld {
    /// Moves the branch by the forge's own compare-and-swap: forward alone, and no branch that belongs to a request. None
    /// where the forge or the config has it done by git, and nothing was asked to change.
    async fn advance(&self, flow: &Flow, row: &IntentRow, mirror: &Mirror) -> Option<PushAnswer> {
        let forward = row.kind == MoveKind::FastForward && row.merge.is_none();
        let on = self.forge(&flow.name).ok().filter(|on| forward && on.moves == Moves::Api)?;
        // The same as before a push: a forge is told no more than what was proven here.
        if let Err(words) = crate::git::push::prove(mirror, &row.branch, (row.old, row.new), row.kind).await {
            return Some(PushAnswer::NotSent { words });
        }
        if let Err(words) = self.in_time(row).await {
            return Some(PushAnswer::NotSent { words });
        }
        // Getting a token is part of it: what is sent is sent in time, or not at all.
        match within(&self.clock, act::PUSH_TIMEOUT, on.advance(row)).await {
            Some(answer) => answer.map(asked_by_api),
            None => {
                Some(asked_by_api(PushAnswer::NoAnswer { words: "the forge had not answered in time".to_owned() }))
            }
        }
    }

    /// Whether what begins now is over by the time that people were told.
    ///
    /// # Errors
    /// Why it would not be.
    async fn in_time(&self, row: &IntentRow) -> Result<(), String> {
        match self.store.peek_now(&self.clock.reading()).await {
            Ok(now) if act::in_time(row, now) => Ok(()),
            Ok(_) => Err("signing in took too long".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What a forge's call came to, with the other way named where nothing was answered: what a proxy or a version makes
/// impossible would be tried in vain for ever. A refusal is told in the server's words alone.
fn asked_by_api(answer: PushAnswer) -> PushAnswer {
    match answer {
        PushAnswer::NoAnswer { words } => {
            let words = format!("{words} (of the forge's API; with `moves` of the forge git pushes instead)");
            PushAnswer::NoAnswer { words }
        }
        other => other,
    }
}

impl World for RealWorld {
    type Lease = Lease;

    async fn now(&self) -> Result<Now, Fault> {
        if self.views_only {
            return Ok(self.store.peek_now(&self.clock.reading()).await?);
        }
        Ok(self.store.now(|| self.clock.reading()).await?)
    }

    async fn lease(&self, flow: &FlowName) -> Result<Option<Lease>, Fault> {
        let now = self.now().await?;
        Ok(self.store.lease(flow, &self.holder, now.trusted, LEASE).await?)
    }

    async fn release(&self, lease: Lease) {
        if let Err(error) = self.store.release(lease).await {
            // It expires by itself, and a dead holder's is taken at once.
            tracing::warn!(%error, "a lease could not be given back");
        }
    }

    async fn load(&self, flow: &Flow) -> Result<Ledger, Fault> {
        let mut ledger = self.store.load(&flow.name, &tick::targets(flow)).await?;
        ledger.before = self.former_names(flow, ledger.looked).await?;
        Ok(ledger)
    }

    async fn commit(
        &self,
        lease: Option<&Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> Result<Committed, Fault> {
        let receipt = self.store.commit(lease, flow, changes).await?;
        Ok(Committed { pushing: receipt.pushing, proposing: receipt.proposing })
    }

    async fn begin_push(
        &self,
        lease: &Lease,
        flow: &Flow,
        intent: &IntentId,
    ) -> Result<Result<IntentRow, Reason>, Fault> {
        let now = self.now().await?;
        let lease = self.store.renew(lease, now.trusted, LEASE).await?;
        let deadline = now.trusted + act::PUSH_DEADLINE;
        let mut check = |row: &IntentRow, standing: &towpath_core::model::Standing| match flow.edge(&row.env) {
            Some(edge) if !self.retired.load(Ordering::SeqCst) => {
                act::may_begin(row, &edge, &flow.policy, standing, now)
            }
            Some(_) | None => Err(Reason::ConfigChanged),
        };
        match self.store.begin_push(&lease, intent, deadline, &mut check).await? {
            Err(why) => Ok(Err(why)),
            Ok(()) => self.store.intent(intent).await?.map(Ok).ok_or(Fault::Conflict),
        }
    }

    async fn begin_proposal(
        &self,
        lease: &Lease,
        flow: &Flow,
        (env, row): (&EnvName, Proposed),
        judged: (&Standing, Instant),
    ) -> Result<Option<Proposed>, Fault> {
        let now = self.now().await?;
        let lease = self.store.renew(lease, now.trusted, LEASE).await?;
        let row = Proposed { until: Some(now.trusted + act::PUSH_DEADLINE), ..row };
        let mut check =
            |standing: &Standing| !self.retired.load(Ordering::SeqCst) && act::may_propose(judged, standing, now);
        let begun = self.store.begin_proposal(&lease, &tick::targets(flow), (env, &row), &mut check).await?;
        Ok(begun.then_some(row))
    }

    async fn tips(&self, flow: &Flow) -> Tips {
        self.gates.look_begins(&flow.name);
        self.heads(flow).await
    }

    async fn history(&self, flow: &Flow, tips: &Tips, wanted: &BTreeSet<CommitId>) -> Fact<Dag> {
        let mut at: Vec<CommitId> = tips.values().filter_map(Tip::commit).collect();
        at.dedup();
        let mirror = match self.fetched(flow, &at).await {
            Ok(mirror) => mirror,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        let wanted: Vec<CommitId> = wanted.iter().copied().collect();
        blocking(move || Ok(read::load(&mirror, &at, &wanted, NODES_MAX))).await.unwrap_or_else(Fact::Unknown)
    }

    async fn pushes(&self, flow: &Flow, env: &EnvName) -> Vec<PushSeen> {
        self.pushes_of_forge(flow, env).await
    }

    async fn answer(&self, flow: &Flow, dag: &Dag, tips: &Tips, missing: &Missing) -> Facts {
        let mut facts = Facts::default();
        if !missing.ci.is_empty() {
            let commits: Vec<CommitId> = missing.ci.iter().copied().collect();
            match self.store.checks(&flow.name, &commits).await {
                Ok(mut checks) => {
                    for commit in commits {
                        facts.ci.insert(commit, Fact::Known(checks.remove(&commit).unwrap_or_default()));
                    }
                }
                Err(error) => {
                    let unknown = Unknown::passing(UnknownWhy::Unreadable { words: error.to_string() });
                    facts.give_up_on(&Missing { ci: missing.ci.clone(), ..Missing::default() }, &unknown);
                }
            }
        }
        self.answer_of_forge(flow, dag, tips, missing, &mut facts).await;
        facts.http = self.gates.ask(flow, dag, tips, &missing.http).await;
        if !missing.compat.is_empty() {
            let (mirror, now) = (self.mirror(&flow.name), self.clock.reading());
            facts.compat = compat::answer(&self.checker, flow, mirror, tips, &missing.compat, now).await;
        }
        for key in &missing.picks {
            facts.picks.insert(key.clone(), self.pick(flow, dag, tips, key).await);
        }
        facts
    }

    async fn addresses(
        &self,
        flow: &Flow,
        target: CommitId,
        of: BTreeSet<(String, String)>,
    ) -> Fact<BTreeSet<String>> {
        match self.mailmap(&flow.name, target).await {
            Ok(mailmap) => Fact::Known(self.crowd().addresses(&mailmap, &of)),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    async fn accounts(&self, flow: &Flow, target: Option<CommitId>, signed: Vec<Signature>) -> Accounts {
        let mailmap = match target {
            Some(target) => self.mailmap(&flow.name, target).await.unwrap_or_default(),
            None => Mailmap::default(),
        };
        Self::accounts(self, &flow.name, &mailmap, &signed).await
    }

    async fn commits(&self, flow: &Flow, word: &str) -> Result<Vec<CommitId>, Fault> {
        let prefix = word.to_owned();
        let in_mirror = match self.mirror(&flow.name) {
            Ok(mirror) => blocking(move || read::resolve_prefix(&mirror, &prefix)).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        if in_mirror.is_empty() {
            // A commit that was rolled back may be gone from the repository and still be held.
            return Ok(self.store.commits_known(word).await?);
        }
        Ok(in_mirror)
    }

    async fn push(&self, flow: &Flow, row: &IntentRow) -> PushAnswer {
        if let Some(merge) = row.merge.filter(|_| row.is_merged_by_forge()) {
            return match self.forge(&flow.name) {
                // No longer than a push: until when it may land has been told to people.
                Ok(forge) => match within(&self.clock, act::PUSH_TIMEOUT, forge.merge(row, merge)).await {
                    Some(answer) => answer,
                    None => PushAnswer::NoAnswer { words: "the forge had not answered in time".to_owned() },
                },
                Err(unknown) => PushAnswer::NotSent { words: reach::in_words(unknown.why) },
            };
        }
        let mirror = match self.mirror(&flow.name) {
            Ok(mirror) => mirror,
            Err(unknown) => return PushAnswer::NotSent { words: reach::in_words(unknown.why) },
        };
        if let Some(answer) = self.advance(flow, row, &mirror).await {
            return answer;
        }
        let remote = match self.remote(&flow.name).await {
            Ok(remote) => remote,
            Err(unknown) => return PushAnswer::NotSent { words: reach::in_words(unknown.why) },
        };
        // Getting a token may have taken its time, and so may a forge that cannot move branches.
        match self.in_time(row).await {
            Ok(()) => self.git.push(&mirror, &remote, &row.branch, (row.old, row.new), row.kind).await,
            Err(words) => PushAnswer::NotSent { words },
        }
    }

    async fn propose(&self, flow: &Flow, proposal: &Proposal) -> Proposing {
        // No longer than a push: until when it may come has been told to people.
        match within(&self.clock, act::PUSH_TIMEOUT, self.put_and_open(flow, proposal)).await {
            Some(answer) => answer,
            None => Proposing::Unsure { words: "the forge had not answered in time".to_owned() },
        }
    }

    async fn ask_reviewers(&self, flow: &Flow, env: &EnvName, number: u64) -> bool {
        let (Ok(forge), Some(edge)) = (self.forge(&flow.name), flow.edge(env)) else { return false };
        within(&self.clock, act::PUSH_TIMEOUT, forge.ask_reviewers(&edge, number)).await.unwrap_or(false)
    }

    async fn close(&self, flow: &Flow, _: &EnvName, pushed: PushedRequest) -> Closing {
        let Ok(forge) = self.forge(&flow.name) else {
            return Closing::Unsure { words: "the forge cannot be asked".to_owned() };
        };
        match within(&self.clock, act::PUSH_TIMEOUT, forge.close(pushed)).await {
            Some(answer) => answer,
            None => Closing::Unsure { words: "the forge had not answered in time".to_owned() },
        }
    }

    fn compare(&self, flow: &Flow, from: CommitId, to: CommitId) -> Option<String> {
        let on = self.forge(&flow.name).ok()?;
        Some(on.forge.compare_url(&on.repo, from, to))
    }

    async fn say(&self, flow: &Flow, sayings: &[Saying], dag: &Dag) {
        let Ok(on) = self.forge(&flow.name) else { return };
        let speaking = self.voice.speak(on, &flow.name, sayings, dag);
        if tokio::time::timeout(SPEAKING_MAX, speaking).await.is_err() {
            tracing::debug!(flow = flow.name.as_str(), "the forge is slow; the rest is said after the next pass");
        }
    }

    async fn read_ref(&self, flow: &Flow, branch: &BranchName) -> Tip {
        match self.branches(flow).await {
            Ok(heads) => heads.get(branch).map_or(Tip::Absent, |id| Tip::At(*id)),
            Err(unknown) => Tip::Unknown(unknown),
        }
    }

    async fn send(&self, flow: &Flow, message: &Message) -> bool {
        let compare = match &message.event {
            Event::Landed { old, new, .. }
            | Event::Moved { old, new }
            | Event::HeadsUp { old, newest: new, .. } => self.compare(flow, *old, *new),
            _ => None,
        };
        let signed = match (wrote::about(&message.event), self.mirror(&flow.name)) {
            (Some(range), Ok(mirror)) if self.sinks.tells_chats() => wrote::wrote(mirror, range).await,
            _ => Vec::new(),
        };
        let stands =
            if self.sinks.tells_chats() { self.stands(flow, &message.env).await } else { Stands::default() };
        let Stands { pauses, retry, mailmap } = stands;
        let accounts = self.accounts_in(flow, message, &mailmap, &signed).await;
        let wrote = signed.into_iter().map(|signed| (signed.name, signed.email)).collect();
        let rows = self.sinks.rows(flow, message, &Besides { compare, wrote, mailmap, accounts, pauses, retry });
        if !rows.is_empty() {
            if let Err(error) = self.store.add_notices(&rows).await {
                tracing::warn!(id = message.id, %error, "who is to be told of it could not be noted; the next pass tries again");
                return false;
            }
            self.told.notify_one();
        }
        let event = serde_json::to_string(&message.event).unwrap_or_default();
        tracing::info!(id = message.id, flow = flow.name.as_str(), env = message.env.as_str(), event, "told");
        true
    }

    fn crash_point(&self, side: Side, effect: &'static str) -> Result<(), Fault> {
        self.crash.at(side, effect);
        Ok(())
    }
}
