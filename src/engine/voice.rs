//! Puts onto a forge what should stand there, and remembers what stands.
//!
//! Nobody's decision waits for it: what cannot be said is said after the next pass, or not at all. What
//! was said is kept for as long as the process lives; after that the adapters compare before they write.

use std::collections::BTreeMap;
use std::sync::Mutex;

use towpath_core::dag::Dag;
use towpath_core::explain::COMMENT_MARKER;
use towpath_core::model::{CommitId, EnvName, FlowName};

use super::forges::OnForge;
use super::say::Saying;
use crate::forge::{CallFault, StatusLine, StatusState};

/// How many passed-over candidates of an edge are remembered, to be told when they have arrived.
const WAITING_MAX: usize = 50;

/// What stands on the forges, as far as this process put it there.
#[derive(Debug, Default)]
pub struct Voice {
    said: Mutex<BTreeMap<(FlowName, EnvName), Said>>,
}

#[derive(Debug, Clone, Default)]
struct Said {
    /// Commits that wait or are blocked, and how that reads.
    waiting: BTreeMap<CommitId, StatusLine>,
    arrived: Option<CommitId>,
    comment: Option<(u64, String)>,
}

impl Voice {
    /// Says what is not yet said.
    pub async fn speak(&self, on: &OnForge, flow: &FlowName, sayings: &[Saying], dag: &Dag) {
        if on.forge.rests().is_some() {
            return;
        }
        for saying in sayings {
            if let Err(fault) = self.say(on, flow, saying, dag).await {
                tracing::debug!(flow = flow.as_str(), ?saying, %fault, "could not be said");
                return;
            }
        }
    }

    async fn say(&self, on: &OnForge, flow: &FlowName, saying: &Saying, dag: &Dag) -> Result<(), CallFault> {
        let (Saying::Candidate { env, .. } | Saying::Arrived { env, .. } | Saying::Comment { env, .. }) = saying;
        let key = (flow.clone(), env.clone());
        let mut said = self.said.lock().ok().and_then(|all| all.get(&key).cloned()).unwrap_or_default();
        let context = format!("towpath/{flow}/{env}");
        let done = match saying {
            Saying::Candidate { commit, blocked, text, url, .. } => {
                let state = if *blocked { StatusState::Failure } else { StatusState::Pending };
                let line = StatusLine { context, state, description: text.clone(), url: url.clone() };
                said.candidate(on, *commit, line).await
            }
            Saying::Arrived { tip, brought, text, .. } => {
                let line =
                    StatusLine { context, state: StatusState::Success, description: text.clone(), url: None };
                said.arrive(on, (*tip, *brought), &line, dag).await
            }
            Saying::Comment { number, body, .. } => said.comment(on, *number, body).await,
        };
        if let Ok(mut all) = self.said.lock() {
            all.insert(key, said);
        }
        done
    }
}

impl Said {
    async fn candidate(&mut self, on: &OnForge, commit: CommitId, line: StatusLine) -> Result<(), CallFault> {
        if self.waiting.get(&commit) == Some(&line) {
            return Ok(());
        }
        heard(on.forge.status(&on.repo, commit, &line).await, "status")?;
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_first();
        }
        self.waiting.insert(commit, line);
        Ok(())
    }

    async fn arrive(
        &mut self,
        on: &OnForge,
        (tip, brought): (CommitId, Option<CommitId>),
        line: &StatusLine,
        dag: &Dag,
    ) -> Result<(), CallFault> {
        if self.arrived == Some(tip) {
            return Ok(());
        }
        let there: Vec<CommitId> =
            self.waiting.keys().copied().filter(|commit| dag.contains(tip, *commit)).collect();
        for commit in [tip]
            .into_iter()
            .chain(brought)
            .chain(there.iter().copied().filter(|c| *c != tip && Some(*c) != brought))
        {
            heard(on.forge.status(&on.repo, commit, line).await, "status")?;
            self.waiting.remove(&commit);
        }
        self.arrived = Some(tip);
        Ok(())
    }

    async fn comment(&mut self, on: &OnForge, number: u64, body: &str) -> Result<(), CallFault> {
        if self.comment.as_ref().is_some_and(|(on, had)| *on == number && had == body) {
            return Ok(());
        }
        heard(on.forge.comment(&on.repo, number, COMMENT_MARKER, body).await, "comment")?;
        self.comment = Some((number, body.to_owned()));
        Ok(())
    }
}

/// A refusal is the forge's last word: it is logged, and not asked for again until there is something else to say.
fn heard(answer: Result<(), CallFault>, what: &str) -> Result<(), CallFault> {
    match answer {
        Err(CallFault::Refused { words }) => {
            tracing::warn!(what, words, "the forge does not let Towpath say where commits are");
            Ok(())
        }
        answer => answer,
    }
}
