//! What a server does: git with pushes, and the forge with merges, by us and by people.

use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId, FlowName, IntentRow, MergeHow, Merging, TreeId, request_branch};

use super::universe::Universe;
use super::{Plant, check, races_check};
use crate::support::book::Deed;

impl Universe {
    /// What the server does with a push, or the forge with a merge: compare, refuse, swap.
    pub fn serve_push(&mut self, flow: &FlowName, row: &IntentRow, delayed: bool) -> PushAnswer {
        let repository = &self.repositories[flow];
        let at = repository.branches.get(&row.branch).copied();
        if at == Some(row.new) {
            return PushAnswer::UpToDate;
        }
        let drop_the_lease = self.plant == Some(Plant::DropTheLease);
        if at != Some(row.old) && !drop_the_lease {
            return PushAnswer::LostRace { words: "stale info".into() };
        }
        if let Some(words) = &repository.refuses {
            return PushAnswer::Refused { words: words.clone() };
        }
        let mut served = check::Served { to: row.new, at, delayed, raced: false, head: None };
        if let (Some(merge), Some(base)) = (row.merge, at)
            && let Err(words) = self.serve_merge(flow, row, (merge, base), &mut served)
        {
            return PushAnswer::LostRace { words };
        }
        check::on_move(self, flow, row, &served);
        races_check::on_land(self, row);
        self.repositories.get_mut(flow).expect("the flow exists").delayed = delayed;
        self.set_branch(flow, &row.branch, Some(served.to), Some(row.id.clone()));
        if let Some(merge) = row.merge.filter(|_| row.is_merged_by_forge()) {
            self.repositories[flow].forge.merged(merge.number, served.to);
            self.without_its_branch(flow, row);
        }
        PushAnswer::Moved
    }

    /// Makes what merging the request of an intent comes to, which is not put anywhere yet.
    fn serve_merge(
        &mut self,
        flow: &FlowName,
        row: &IntentRow,
        (merge, base): (Merging, CommitId),
        served: &mut check::Served,
    ) -> Result<(), String> {
        if merge.how == MergeHow::Push {
            // Git knows of no requests.
            served.head = Some(row.new);
            return Ok(());
        }
        let state = self.repositories[flow].forge.state();
        let open = state.open_request(merge.number, &row.branch).ok_or("the request is not open")?;
        let (head, draft) = (open.head, open.draft);
        drop(state);
        if draft {
            return Err("the request is a draft".to_owned());
        }
        if head != row.new && self.plant != Some(Plant::MergeWithoutThePin) {
            return Err("the head has moved".to_owned());
        }
        served.head = Some(head);
        if merge.how == MergeHow::FastForward {
            served.to = head;
            return Ok(());
        }
        let percent = self.faults.merge_raced;
        let mut base = base;
        if self.rng.percent(percent) {
            // No forge compares the base of a merge commit with anything.
            self.count("request fault: pushed while it is merged");
            let fix = self.commit(flow, &[base], None, "olga@x");
            self.set_branch(flow, &row.branch, Some(fix), None);
            (base, served.at, served.raced) = (fix, Some(fix), true);
        }
        served.to = self.join(flow, &row.branch, (base, head), false, "towpath");
        Ok(())
    }

    /// Some forges delete the branch of a request that is merged.
    fn without_its_branch(&mut self, flow: &FlowName, row: &IntentRow) {
        if self.repositories[flow].forge.state().manners.deletes_merged {
            self.set_branch(flow, &request_branch(flow, &row.env), None, None);
        }
    }

    /// A commit on `base` that brings `head`: a merge, or a squash. Where the target has nothing of its own, it
    /// has the head's tree.
    fn join(
        &mut self,
        flow: &FlowName,
        branch: &BranchName,
        (base, head): (CommitId, CommitId),
        squash: bool,
        by: &str,
    ) -> CommitId {
        let dag = self.dag(flow);
        let (there, comes) = (dag.ancestors([base]), dag.ancestors([head]));
        let promotions = &self.repositories[flow].promotions;
        let nothing_own = dag.minus(&there, &comes).all(|node| promotions.contains_key(&node.id));
        let tree: Option<TreeId> = dag.node(head).map(|node| node.tree).filter(|_| nothing_own);
        let parents = if squash { vec![base] } else { vec![base, head] };
        let id = self.commit(flow, &parents, tree, &format!("{by}@example.com"));
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        repository.nodes.last_mut().expect("it was just made").subject = "promotion".to_owned();
        if nothing_own && !squash {
            repository.promotions.insert(id, (branch.clone(), head));
        }
        id
    }

    /// Moves a request branch by compare-and-swap, for us.
    pub fn put(
        &mut self,
        flow: &FlowName,
        branch: &BranchName,
        from: Option<CommitId>,
        head: CommitId,
    ) -> Result<(), String> {
        let repository = &self.repositories[flow];
        let at = repository.branches.get(branch).copied();
        // A lease on what is there already is not looked at.
        if at != from && at != Some(head) {
            return Err("stale info".to_owned());
        }
        let proposed = &self.book.ledgers[flow].proposed;
        let wanted = proposed.iter().any(|(env, row)| request_branch(flow, env) == *branch && row.put(head));
        self.ours(flow, branch, head);
        if !wanted {
            let repository = self.repositories.get_mut(flow).expect("the flow exists");
            repository.late.entry(branch.clone()).or_default().insert(head);
        }
        self.set_branch(flow, branch, Some(head), None);
        Ok(())
    }

    /// That head is there because we want it.
    pub fn ours(&mut self, flow: &FlowName, branch: &BranchName, head: CommitId) {
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        repository.puts.entry(branch.clone()).or_default().insert(head);
        repository.late.entry(branch.clone()).or_default().remove(&head);
    }

    /// What a person does on the forge with the newest request into a branch.
    pub fn person(&mut self, flow: &FlowName, base: &BranchName, deed: Deed, by: &str) -> Result<(), String> {
        let forge = self.repositories[flow].forge.clone();
        let ways = forge.state().manners.ways;
        let old = self.repositories[flow].branches.get(base).copied().ok_or("the base is gone")?;
        if deed == Deed::Merge && !ways.merge_commit {
            let head = forge.head(base).ok_or("there is no request")?;
            if !self.dag(flow).contains(head, old) {
                return Err("it cannot be fast-forwarded".to_owned());
            }
            forge.does(base, deed, by)?;
            self.set_branch(flow, base, Some(head), None);
            return Ok(());
        }
        let request = forge.does(base, deed, by)?;
        if let Deed::Merge | Deed::Squash = deed {
            let made = self.join(flow, base, (old, request.seen.head), deed == Deed::Squash, by);
            self.set_branch(flow, base, Some(made), None);
            if forge.state().manners.deletes_merged {
                self.set_branch(flow, &request.branch, None, None);
            }
        }
        Ok(())
    }
}
