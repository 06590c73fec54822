//! What people do to merge requests: on the forge, to the branch of one, and by command.

use std::ops::Range;

use towpath_core::command::Command;
use towpath_core::model::{BranchName, CommitId, EnvName, FlowName, Via, request_branch};

use super::swarm::Swarm;
use crate::support::book::Deed;

/// Who may have something to say of a request. The last two write no commits.
pub const PEOPLE: [&str; 6] = ["marek", "ana", "lukasz", "olga", "eva", "filip"];

/// Of a hundred deeds, those by which requests are merged.
const MERGES: Range<usize> = 64..72;

impl Swarm {
    /// The environments of a flow that commits enter by request.
    pub(super) fn by_request(&self, flow: &FlowName) -> Vec<EnvName> {
        let it = self.universe.borrow();
        let edges = it.flow(flow).edges().filter(|edge| edge.target.via == Via::MergeRequest);
        edges.map(|edge| edge.target.name.clone()).collect()
    }

    /// Somebody does something to a request; not where there are none.
    pub(super) fn deed(&mut self, flow: &FlowName) -> bool {
        let envs = self.by_request(flow);
        let (env, by, what) = {
            let mut it = self.universe.borrow_mut();
            let Some(env) = it.rng.pick(&envs).cloned() else { return false };
            let what = it.rng.below(100);
            // Whoever merges may count as having written something, and two must be left who have not.
            let some = if MERGES.contains(&what) { PEOPLE.len() - 2 } else { PEOPLE.len() };
            (env, PEOPLE[it.rng.below(some)], what)
        };
        match what {
            0..50 => self.on_request(flow, &env, (Deed::Approve, by), "person: approves"),
            50..53 => self.on_request(flow, &env, (Deed::Object, by), "person: objects"),
            53..57 => self.on_request(flow, &env, (Deed::Close, by), "person: closes"),
            57..64 => self.on_request(flow, &env, (Deed::Reopen, by), "person: reopens"),
            64..70 => self.on_request(flow, &env, (Deed::Merge, by), "person: merges"),
            70..72 => self.on_request(flow, &env, (Deed::Squash, by), "person: squashes"),
            72..75 => self.on_request(flow, &env, (Deed::Draft, by), "person: makes it a draft"),
            75..82 => self.on_request(flow, &env, (Deed::Ready, by), "person: makes it ready"),
            82..89 => self.foreign_head(flow, &env),
            89..92 => self.without_branch(flow, &env),
            _ => self.retry_by_command(flow, &env),
        }
        true
    }

    pub(super) fn on_request(&self, flow: &FlowName, env: &EnvName, (deed, by): (Deed, &str), name: &'static str) {
        let mut it = self.universe.borrow_mut();
        it.tell_time();
        let Some(base) = it.flow(flow).environment(env).map(|e| e.branch.clone()) else { return };
        if it.person(flow, &base, deed, by).is_ok() {
            it.count(name);
        }
    }

    /// Somebody pushes to the branch that is ours alone: a commit on top of the head, one that has nothing to do
    /// with it, or another one of the source.
    fn foreign_head(&self, flow: &FlowName, env: &EnvName) {
        let mut it = self.universe.borrow_mut();
        let branch = request_branch(flow, env);
        let Some(head) = it.repositories[flow].branches.get(&branch).copied() else { return };
        let pushed = match it.rng.below(4) {
            0 => it.commit(flow, &[head], None, "olga@x"),
            1 => it.commit(flow, &[], None, "olga@x"),
            _ => {
                let source = it.flow(flow).edge(env).map(|edge| edge.source.branch.clone());
                let tip = source.and_then(|branch| it.repositories[flow].branches.get(&branch).copied());
                let Some(tip) = tip else { return };
                let chain: Vec<CommitId> = it.dag(flow).chain(tip).take(4).map(|node| node.id).collect();
                let Some(commit) = it.rng.pick(&chain).copied() else { return };
                commit
            }
        };
        it.set_branch(flow, &branch, Some(pushed), None);
        it.count("person: pushes a head");
    }

    fn without_branch(&self, flow: &FlowName, env: &EnvName) {
        let mut it = self.universe.borrow_mut();
        let branch: BranchName = request_branch(flow, env);
        if it.repositories[flow].branches.contains_key(&branch) {
            it.set_branch(flow, &branch, None, None);
            it.count("person: deletes a head");
        }
    }

    /// Goes on without a request that was closed, or after a refused one.
    fn retry_by_command(&mut self, flow: &FlowName, env: &EnvName) {
        let command = Command::Retry { flow: flow.to_string(), env: env.to_string() };
        self.command(command, "person: retry by command");
    }
}
