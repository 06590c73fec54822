//! What the real world asks of a forge, in the words of the core.
//!
//! Adapters answer with the values of [`crate::forge`]; here they become facts. Not here: HTTP, and
//! which forge a flow is on (`real.rs` is told).

use std::collections::BTreeSet;
use std::sync::Arc;

use towpath_core::act::PushAnswer;
use towpath_core::dag::{Dag, Node};
use towpath_core::model::{
    Actor, AuthorLogins, BranchName, CiItem, ClosedRequest, CommitId, Edge, EnvName, Fact, Facts, Flow, FlowName,
    Given, IntentRow, Merging, Missing, Now, OpenRequest, PushedRequest, RequestApproval, Requests, RequiredChecks,
    Tip, Trusted, Unknown, UnknownWhy, Ways, request_branch,
};
use towpath_core::see::{PushSeen, Tips};

use super::RealWorld;
use super::world::{Closing, Proposal, Proposing, World as _};
use crate::config::Moves;
use crate::forge::{
    AUTHORS_MAX, ApprovalSeen, CallFault, CheckSeen, Forge, HeadBound, Pushed, RepoPath, RequestSeen, RequestState,
    Required, few_enough,
};

/// For each flow on a forge: its repository there, or why the forge cannot be asked.
pub type OfFlows = Vec<(FlowName, Result<OnForge, Unknown>)>;

/// A repository on a forge.
#[derive(Debug, Clone)]
pub struct OnForge {
    /// The forge.
    pub forge: Arc<dyn Forge>,
    /// The repository as it names it.
    pub repo: RepoPath,
    /// How its branches are moved forward.
    pub moves: Moves,
}

impl OnForge {
    /// The checks of a commit, dated by `now` and the forge's own clock.
    pub async fn checks(&self, commit: CommitId, now: Now) -> Fact<Vec<CiItem>> {
        match self.forge.checks(&self.repo, commit).await {
            Ok(checks) => Fact::Known(checks.into_iter().map(|check| item(check, now)).collect()),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    /// The checks that the forge requires on a branch.
    pub async fn required(&self, branch: &BranchName) -> Fact<RequiredChecks> {
        match self.forge.required(&self.repo, branch).await {
            Ok(Required::Checks(rules)) => Fact::Known(RequiredChecks::Named(rules.into_iter().collect())),
            Ok(Required::Everything) => Fact::Known(RequiredChecks::All),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    /// The members of a team. A forge that lets us read everything else may still not tell them: then it is the team
    /// that is named, not the repository.
    pub async fn team(&self, team: &str) -> Fact<BTreeSet<Actor>> {
        match self.forge.members(&self.repo, team).await {
            Ok(members) => Fact::Known(members.into_iter().map(Actor::new).collect()),
            Err(Unknown {
                why: UnknownWhy::CredentialsRefused { words } | UnknownWhy::NoRepository { words },
                ..
            }) => Fact::Unknown(Unknown::lasting(UnknownWhy::NoTeam { team: team.to_owned(), words })),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    /// Which logins wrote these commits.
    pub async fn authors(&self, commits: &[CommitId]) -> Fact<AuthorLogins> {
        if let Err(unknown) = few_enough(commits, AUTHORS_MAX) {
            return Fact::Unknown(unknown);
        }
        match self.forge.authors(&self.repo, commits).await {
            Ok(authors) => Fact::Known(authors),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    /// The requests of an edge, whose request branch is at `branch`. `now` was read before the
    /// forge was asked: an approval is never dated later than it was given. Where the branch cannot be
    /// read nothing is known: taken for absent, it would be put there anew.
    pub async fn requests(&self, edge: &Edge<'_>, branch: Tip, now: Now) -> Fact<Requests> {
        if let Tip::Unknown(unknown) = branch {
            return Fact::Unknown(unknown);
        }
        let head = request_branch(&edge.flow.name, &edge.target.name);
        let base = &edge.target.branch;
        let found = match self.forge.requests(&self.repo, &head, base).await {
            Ok(found) => found,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        let ways = match self.forge.ways(&self.repo, base).await {
            Ok(ways) => ways,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        Fact::Known(as_facts(&found, branch, ways, now))
    }

    /// Finds the open request, or opens one, and brings its words up to date.
    pub async fn propose(&self, edge: &Edge<'_>, proposal: &Proposal) -> Proposing {
        let rules = &edge.target.request;
        let wanted = crate::forge::Proposal {
            head: request_branch(&edge.flow.name, &edge.target.name),
            base: edge.target.branch.clone(),
            title: proposal.title.clone(),
            body: proposal.body.clone(),
            labels: rules.labels.clone(),
            reviewers: rules.reviewers.clone(),
        };
        let found = match self.open_one(&wanted).await {
            Ok(found) => found,
            Err(unknown) => return Proposing::Unsure { words: format!("{:?}", unknown.why) },
        };
        let Some(request) = found else { return self.open_new(&wanted).await };
        match self.forge.describe(&self.repo, request.number, &wanted).await {
            Ok(()) => Proposing::Done { number: request.number, url: request.url },
            Err(CallFault::Refused { words }) => Proposing::Refused { words },
            Err(fault) => Proposing::Unsure { words: fault.to_string() },
        }
    }

    async fn open_one(&self, wanted: &crate::forge::Proposal) -> Result<Option<RequestSeen>, Unknown> {
        let found = self.forge.requests(&self.repo, &wanted.head, &wanted.base).await?;
        Ok(found.into_iter().filter(|r| r.state == RequestState::Open).min_by_key(|r| r.number))
    }

    async fn open_new(&self, wanted: &crate::forge::Proposal) -> Proposing {
        match self.forge.open(&self.repo, wanted).await {
            Ok(number) => {
                let seen = self.open_one(wanted).await.ok().flatten();
                let url = seen.filter(|r| r.number == number).map(|r| r.url).unwrap_or_default();
                Proposing::Done { number, url }
            }
            Err(CallFault::Refused { words }) => Proposing::Refused { words },
            Err(fault) => Proposing::Unsure { words: fault.to_string() },
        }
    }

    /// Asks the reviewers of the edge's request; whether the forge has answered for each.
    pub async fn ask_reviewers(&self, edge: &Edge<'_>, number: u64) -> bool {
        match self.forge.ask_reviewers(&self.repo, number, &edge.target.request.reviewers).await {
            Ok(()) => true,
            Err(fault) => {
                tracing::warn!(repo = %self.repo, request = number, %fault, "reviewers are asked at the next look");
                false
            }
        }
    }

    /// Closes a request whose head was pushed to its target.
    pub async fn close(&self, pushed: PushedRequest) -> Closing {
        match self.forge.close(&self.repo, pushed.number, pushed.head).await {
            Ok(()) => Closing::Done,
            Err(CallFault::Refused { words }) => Closing::Refused { words },
            Err(fault) => Closing::Unsure { words: fault.to_string() },
        }
    }

    /// Moves the branch of an intent forward, if the forge can. None: git pushes.
    pub async fn advance(&self, row: &IntentRow) -> Option<PushAnswer> {
        self.forge.advance(&self.repo, &row.branch, row.old, row.new).await
    }

    /// Merges the request of an intent.
    pub async fn merge(&self, row: &IntentRow, merge: Merging) -> PushAnswer {
        self.forge.merge(&self.repo, merge.number, &row.branch, row.old, row.new, merge.how).await
    }
}

impl RealWorld {
    /// The record of pushes to an environment's branch. A forge that is not reached, keeps none, or does not
    /// show us its own, tells of none.
    pub(super) async fn pushes_of_forge(&self, flow: &Flow, env: &EnvName) -> Vec<PushSeen> {
        let (Ok(forge), Some(environment)) = (self.forge(&flow.name), flow.environment(env)) else {
            return Vec::new();
        };
        let pushes = match forge.forge.pushes(&forge.repo, &environment.branch).await {
            Ok(pushes) => pushes,
            Err(unknown) => {
                tracing::debug!(flow = flow.name.as_str(), ?unknown, "when its branches moved is not known");
                return Vec::new();
            }
        };
        // Read after the forge answered: by then a push is older than it said, and must not seem older still.
        let Ok(now) = self.store().peek_now(&self.clock().reading()).await else { return Vec::new() };
        let seen = |push: Pushed| PushSeen {
            before: push.before,
            after: push.after,
            at: Trusted(now.trusted.0.saturating_sub(push.ago.ms().max(0))),
        };
        pushes.into_iter().map(seen).collect()
    }

    /// What only a forge can tell. CI results add to those that were reported to us.
    pub(super) async fn answer_of_forge(
        &self,
        flow: &Flow,
        dag: &Dag,
        tips: &Tips,
        missing: &Missing,
        facts: &mut Facts,
    ) {
        let forge = match self.forge(&flow.name) {
            Ok(forge) => forge,
            Err(unknown) => {
                // On plain git only what was reported counts; a forge that cannot be asked may know more.
                let plain = unknown.why == UnknownWhy::NoForge;
                let ci = if plain { BTreeSet::new() } else { missing.ci.clone() };
                let rest = Missing {
                    ci,
                    logins: missing.logins.clone(),
                    requests: missing.requests.clone(),
                    required: missing.required.clone(),
                    teams: missing.teams.clone(),
                    ..Missing::default()
                };
                if !plain {
                    facts.ci.retain(|commit, _| !rest.ci.contains(commit));
                }
                facts.give_up_on(&rest, &unknown);
                return;
            }
        };
        let now = match self.store().peek_now(&self.clock().reading()).await {
            Ok(now) => now,
            Err(error) => {
                // What was reported to us is not all that there is: alone it must not pass for it.
                facts.ci.retain(|commit, _| !missing.ci.contains(commit));
                facts.give_up_on(missing, &Unknown::passing(UnknownWhy::Unreadable { words: error.to_string() }));
                return;
            }
        };
        for commit in &missing.ci {
            let seen = forge.checks(*commit, now).await;
            match (facts.ci.get_mut(commit), seen) {
                (Some(Fact::Known(reported)), Fact::Known(seen)) => reported.extend(seen),
                (Some(Fact::Unknown(_)), _) => {}
                (_, seen) => {
                    facts.ci.insert(*commit, seen);
                }
            }
        }
        for env in &missing.required {
            let Some(edge) = flow.edge(env) else { continue };
            facts.required.insert(env.clone(), forge.required(&edge.target.branch).await);
        }
        for team in &missing.teams {
            facts.teams.insert(team.clone(), forge.team(team).await);
        }
        for key in &missing.logins {
            let tip = tips.get(&key.env).and_then(Tip::commit);
            let (there, range) = (dag.ancestors(tip), dag.ancestors([key.commit]));
            let written: Vec<&Node> =
                if tip.is_some() { dag.written(&range, &there).collect() } else { Vec::new() };
            let range: Vec<CommitId> = written.iter().map(|node| node.id).collect();
            let authors = forge.authors(&range).await;
            let authors = forge.with_co_authors(authors, &written, (dag, self.crowd(), &flow.name)).await;
            facts.logins.insert(key.clone(), with_addresses(authors, dag));
        }
        for env in &missing.requests {
            let Some(edge) = flow.edge(env) else { continue };
            let branch = self.read_ref(flow, &request_branch(&flow.name, env)).await;
            // After the branch was read and before the forge is asked: an approval that was given
            // meanwhile must not seem younger than it is.
            let Ok(now) = self.store().peek_now(&self.clock().reading()).await else { continue };
            let mut requests = forge.requests(&edge, branch, now).await;
            self.crowd().told(&flow.name, &mut requests);
            facts.requests.insert(env.clone(), requests);
        }
    }
}

/// Authors, and of those whom the forge does not know the newest commit of each address that they bear by git.
fn with_addresses(mut authors: Fact<AuthorLogins>, dag: &Dag) -> Fact<AuthorLogins> {
    if let Fact::Known(known) = &mut authors {
        let mut had: BTreeSet<Option<String>> = BTreeSet::new();
        known.strangers.retain_mut(|stranger| {
            if !stranger.co_author {
                stranger.email = dag.node(stranger.commit).map(|node| node.email.clone());
            }
            had.insert(stranger.email.clone())
        });
    }
    authors
}

/// What was found of the requests of an edge, as facts.
pub fn as_facts(found: &[RequestSeen], branch: Tip, ways: Ways, now: Now) -> Requests {
    // Of several open ones (a lost answer) the oldest is ours to go on with.
    let open = found.iter().filter(|r| r.state == RequestState::Open).min_by_key(|r| r.number);
    let newest = found.iter().max_by_key(|r| r.number);
    let closed = newest.filter(|r| r.state == RequestState::Closed);
    Requests {
        branch,
        open: open.map(|request| OpenRequest {
            number: request.number,
            url: request.url.clone(),
            head: request.head,
            approvals: request.approvals.iter().map(|approval| given(approval, now)).collect(),
            draft: request.draft,
            objections: request.objections.iter().map(|by| Actor::new(by.as_str())).collect(),
        }),
        closed: closed.map(|request| ClosedRequest {
            number: request.number,
            url: request.url.clone(),
            head: request.head,
            by: request.ended_by.as_deref().map(Actor::new),
        }),
        ways,
    }
}

fn item(check: CheckSeen, now: Now) -> CiItem {
    let ago = check.finished_ago.map_or(0, |ago| ago.ms().max(0));
    CiItem {
        name: check.name,
        origin: check.origin,
        on: check.on,
        state: check.state,
        green_since: check.finished_ago.map(|_| Trusted(now.trusted.0 - ago)),
        at: towpath_core::model::Instant(now.wall.0 - ago),
        url: check.url,
    }
}

fn given(approval: &ApprovalSeen, now: Now) -> RequestApproval {
    RequestApproval {
        by: Actor::new(approval.by.as_str()),
        email: approval.email.as_ref().map(|email| email.to_lowercase()),
        given: match approval.head {
            HeadBound::Commit(commit) => Given::For(commit),
            HeadBound::Ago { ago, .. } => Given::At(Trusted(now.trusted.0 - ago.ms())),
            HeadBound::Unbound => Given::Unbound,
        },
        person: None,
    }
}
