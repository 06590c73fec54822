//! What the ledger has to learn from the tips that a look found: arrivals, tips held, movements
//! that were not ours, and a target that moved other than forward.

use std::collections::BTreeSet;

use crate::dag::{Dag, Marks};
use crate::model::{
    Actor, Arrival, ArrivalHow, BranchSeen, Change, CommitId, EffectRow, EnvName, Environment, Event, EventRow,
    Flow, Held, Hold, IntentRow, IntentState, Ledger, MergeHow, Message, Mode, MoveKind, Now, OrderId, Pause,
    PauseKind, Proposed, PushedRequest, Scope, Span, Tip, TipHow, Until,
};
use crate::repository;
use crate::see::Tips;
use crate::see::expire::expired;
use crate::see::remind::reminders;

/// How long an arrival is kept after the next environment has the commit: if that one is rewound,
/// the lag starts anew, which delays and never hastens.
const ARRIVAL_KEPT: Span = Span::from_mins(7 * 24 * 60);

/// Who is named for what somebody did in the repository itself.
pub const SOMEBODY: &str = "git";

/// Whether a hold stands because somebody moved a target other than forward. (A hold of the
/// `rollback` command is lifted by commands only.)
pub fn is_rewind(hold: &OrderId) -> bool {
    hold.as_str().starts_with("rewind-")
}

/// The changes that make the ledger agree with the tips. Nothing for branches that are absent or
/// unknown: what was known of them stays.
pub fn note(flow: &Flow, ledger: &Ledger, tips: &Tips, dag: &Dag, now: Now) -> Vec<Change> {
    let mut changes = former_names(flow, ledger, now);
    changes.extend(reminders(flow, ledger, now));
    changes.extend(expired(ledger, now));
    for (at, environment) in flow.environments.iter().enumerate() {
        let tip = match tips.get(&environment.name) {
            Some(Tip::At(tip)) if dag.node(*tip).is_some() => tip,
            Some(Tip::Absent) => {
                changes.extend(gone(ledger, environment));
                continue;
            }
            _ => continue,
        };
        let mut noting = Noting {
            flow,
            ledger,
            dag,
            now,
            environment,
            tip: *tip,
            is_target: at > 0,
            next_tip: flow.environments.get(at + 1).map(|next| tips.get(&next.name).and_then(Tip::commit)),
            ancestors: dag.ancestors([*tip]),
            changes: &mut changes,
        };
        noting.branch();
    }
    changes
}

/// What people ordered under a name that the flow no longer has stands under the new one, or a
/// rename in the config would let go what they held. `Looked` ends it in the same transaction.
fn former_names(flow: &Flow, ledger: &Ledger, now: Now) -> Vec<Change> {
    let mut changes = Vec::new();
    for former in &ledger.before {
        // By the branch, then by the name; what fits neither is stopped in the whole flow.
        let env_now = |env: &EnvName| {
            let branch = former.branches.get(env);
            let targets = || flow.edges().map(|edge| edge.target);
            let same_branch = targets().find(|target| branch == Some(&target.branch));
            same_branch.or_else(|| targets().find(|target| &target.name == env)).map(|target| target.name.clone())
        };
        let renamed = |id: &OrderId| OrderId::new(format!("{id}-{}", flow.name));
        for hold in &former.holds {
            let env = hold.env.as_ref().and_then(env_now);
            let (id, flow) = (renamed(&hold.id), Some(flow.name.clone()));
            changes.push(Change::Hold(Hold { id, flow, env, ..hold.clone() }));
        }
        for pause in former.pauses.iter().filter(|pause| !pause.until.is_over(now.wall)) {
            let env = match &pause.scope {
                Scope::Edge(_, env) => env_now(env),
                Scope::All | Scope::Flow(_) | Scope::Environment(_) => None,
            };
            let scope = match env {
                Some(env) => Scope::Edge(flow.name.clone(), env),
                None => Scope::Flow(flow.name.clone()),
            };
            let cause = pause.cause.as_ref().map(renamed);
            changes.push(Change::Pause(Pause { id: renamed(&pause.id), scope, cause, ..pause.clone() }));
        }
    }
    if !ledger.before.is_empty() {
        changes.push(Change::Looked(now));
    }
    changes
}

/// A branch that is gone has lost its commits: should they come back, their lag starts anew.
fn gone(ledger: &Ledger, environment: &Environment) -> Option<Change> {
    let arrivals = ledger.arrivals.get(&environment.name).filter(|arrivals| !arrivals.is_empty())?;
    Some(Change::Left { env: environment.name.clone(), commits: arrivals.keys().copied().collect() })
}

struct Noting<'l, 'a> {
    flow: &'a Flow,
    ledger: &'l Ledger,
    dag: &'a Dag,
    now: Now,
    environment: &'a Environment,
    tip: CommitId,
    is_target: bool,
    /// `None` for the last environment; `Some(None)` where the next one's tip is not known.
    next_tip: Option<Option<CommitId>>,
    ancestors: Marks,
    changes: &'a mut Vec<Change>,
}

impl<'l> Noting<'l, '_> {
    fn branch(&mut self) {
        let ledger = self.ledger;
        let last = ledger.branches.get(&self.environment.name).or_else(|| self.renamed());
        let same_branch = |seen: &&BranchSeen| {
            let same_repository =
                repository::same(&seen.repository, &self.flow.repository) || self.knows_what_was_held();
            seen.branch == self.environment.branch && same_repository
        };
        let first_sight = match (last, last.filter(same_branch)) {
            (Some(_), None) => {
                self.changes.push(Change::ForgetBranch(self.environment.name.clone()));
                self.seen(TipHow::FirstSight);
                true
            }
            (None, _) => {
                self.seen(TipHow::FirstSight);
                true
            }
            (_, Some(seen)) if seen.tip == self.tip => {
                self.no_longer_there(|dag, id| dag.node(id).is_some());
                false
            }
            (_, Some(seen)) if self.has(seen.tip) => {
                self.forward(seen.tip);
                false
            }
            (_, Some(seen)) => {
                self.other_than_forward(seen.tip);
                false
            }
        };
        self.arrivals(first_sight);
    }

    /// Whether a repository that is written differently than before is the same one: it has what
    /// was held here.
    fn knows_what_was_held(&self) -> bool {
        let tips = self.ledger.held.get(&self.environment.name).into_iter().flatten();
        tips.filter(|tip| !tip.lost).any(|tip| self.dag.knows(tip.commit))
    }

    /// The row of an environment that is no longer configured and had this very branch: this one
    /// is its new name, and what people ordered under the old one stands here too.
    fn renamed(&mut self) -> Option<&'l BranchSeen> {
        let configured = |name: &EnvName| self.flow.environment(name).is_some();
        let (old, seen) = self.ledger.branches.iter().find(|(name, seen)| {
            !configured(name)
                && seen.branch == self.environment.branch
                && repository::same(&seen.repository, &self.flow.repository)
        })?;
        let (flow, env) = (&self.flow.name, &self.environment.name);
        for hold in self.ledger.standing.holds.iter().filter(|hold| hold.env.as_ref() == Some(old)) {
            let id = OrderId::new(format!("{}-{env}", hold.id));
            self.changes.push(Change::Hold(Hold { id, env: Some(env.clone()), ..hold.clone() }));
        }
        for pause in &self.ledger.standing.pauses {
            if pause.scope == Scope::Edge(flow.clone(), old.clone()) {
                let id = OrderId::new(format!("{}-{env}", pause.id));
                let cause = pause.cause.as_ref().map(|cause| OrderId::new(format!("{cause}-{env}")));
                let scope = Scope::Edge(flow.clone(), env.clone());
                self.changes.push(Change::Pause(Pause { id, scope, cause, ..pause.clone() }));
            }
        }
        self.changes.push(Change::ForgetBranch(old.clone()));
        Some(seen)
    }

    /// Whether the tip contains the commit.
    fn has(&self, commit: CommitId) -> bool {
        self.dag.is_below(commit) || self.dag.has(&self.ancestors, commit)
    }

    fn seen(&mut self, how: TipHow) {
        let seen = BranchSeen {
            branch: self.environment.branch.clone(),
            repository: self.flow.repository.clone(),
            tip: self.tip,
            at: self.now,
        };
        self.changes.push(Change::Tip { env: self.environment.name.clone(), seen, how });
    }

    fn event(&mut self, event: Event) {
        let env = self.environment.name.clone();
        self.changes.push(Change::Event(EventRow { env, at: self.now, event }));
    }

    /// An event that people are told of under that key; where we only observe there is none.
    fn event_told(&mut self, key: Option<String>, event: Event) {
        let env = &self.environment.name;
        self.changes.extend(key.map(|key| tell(&key, env, self.now, event.clone())));
        self.event(event);
    }

    fn forward(&mut self, old: CommitId) {
        let late = self.ledger.intents.iter().find(|row| {
            row.env == self.environment.name
                && row.state == IntentState::Abandoned
                && row.old == old
                && (row.new == self.tip
                    || (row.is_merged_by_forge() && self.dag.merges(self.tip) == [old, row.new]))
        });
        if let Some(row) = late.filter(|_| self.is_target) {
            self.changes.extend(landed(row, self.tip, self.now, true));
            self.changes.extend(left_open(self.ledger, row));
            self.seen(TipHow::Landed(row.id.clone()));
        } else {
            if self.is_target {
                self.event(Event::Moved { old, new: self.tip });
            }
            self.seen(TipHow::Pushed);
        }
        self.found_again();
        if self.is_target {
            self.put_back();
        }
    }

    /// A person put a rewound target back: what the rewind caused is lifted.
    fn put_back(&mut self) {
        let back: Vec<(OrderId, CommitId)> = self
            .ledger
            .standing
            .holds
            .iter()
            .filter(|hold| hold.flow.as_ref() == Some(&self.flow.name))
            .filter(|hold| hold.env.as_ref() == Some(&self.environment.name) && is_rewind(&hold.id))
            .filter_map(|hold| match hold.what {
                Held::Range { lost, .. } if self.has(lost) => Some((hold.id.clone(), lost)),
                _ => None,
            })
            .collect();
        for (hold, lost) in back {
            let pauses = self.ledger.standing.pauses.iter().filter(|p| p.cause.as_ref() == Some(&hold));
            self.changes.push(Change::Lift(pauses.map(|p| p.id.clone()).collect()));
            // What is only observed is not told of.
            let key = (self.environment.mode == Mode::Act).then(|| format!("{hold}-back"));
            self.changes.push(Change::Unhold { hold, fixed_by: None });
            self.event_told(key, Event::PutBack { lost, now: self.tip });
        }
    }

    fn other_than_forward(&mut self, lost: CommitId) {
        let kept = self.tip;
        // A rollback of ours that was given up and landed after all.
        let late = self.ledger.intents.iter().find(|row| {
            row.env == self.environment.name
                && row.kind == MoveKind::Rollback
                && row.state == IntentState::Abandoned
                && (row.old, row.new) == (lost, kept)
        });
        if let Some(row) = late {
            self.changes.extend(landed(row, kept, self.now, true));
            self.seen(TipHow::Landed(row.id.clone()));
        } else {
            if self.is_target {
                let paused = self.environment.mode == Mode::Act;
                let hold = self.hold_what_was_lost(lost, paused);
                // What is only observed is not told of.
                let key = paused.then(|| hold.to_string());
                self.event_told(key, Event::Rewound { lost, kept, hold: Some(hold), paused });
                // From a commit beside the lost tip back to that tip is no way forward either.
                self.put_back();
            } else {
                self.event(Event::Withdrawn { lost, kept });
            }
            self.seen(TipHow::Pushed);
        }
        self.no_longer_there(|_, _| true);
        self.found_again();
    }

    /// Tells apart what happens at one instant in several environments, or in several flows.
    fn unique(&self, env: &EnvName) -> u64 {
        let text = format!("{}\0{env}\0{}\0{}", self.flow.name, self.tip, self.now.wall.0);
        // FNV-1a: for telling apart only, not for keeping anybody out.
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// One hold over everything that was lost, and a pause of the edge that does not expire.
    ///
    /// An edge that is only observed is not paused, for people go on moving it. But what they took
    /// back is held there, too: else the first tick after the switch to `act` would undo it, and
    /// what is shown until then would not be what Towpath would do.
    fn hold_what_was_lost(&mut self, lost: CommitId, paused: bool) -> OrderId {
        let (flow, env) = (self.flow.name.clone(), self.environment.name.clone());
        let id = OrderId::new(format!("rewind-{}-{:016x}", lost.short(), self.unique(&env)));
        let reason = format!("{env} was moved from {} to {} by hand", lost.short(), self.tip.short());
        self.changes.push(Change::Hold(Hold {
            id: id.clone(),
            what: Held::Range { lost, kept: self.tip },
            flow: Some(flow.clone()),
            env: Some(env.clone()),
            by: Actor::new(SOMEBODY),
            reason: reason.clone(),
            at: self.now.wall,
            fixed_by: None,
        }));
        if !paused {
            return id;
        }
        self.changes.push(Change::Pause(Pause {
            id: OrderId::new(format!("pause-{id}")),
            kind: PauseKind::Pause,
            scope: Scope::Edge(flow, env),
            by: Actor::new(SOMEBODY),
            reason,
            at: self.now.wall,
            until: Until::Resumed,
            cause: Some(id.clone()),
            began: Some(self.now.trusted),
        }));
        id
    }

    /// What is not on the branch, of the commits that are meant. After a move it is all of them; where the branch
    /// is as it was, those that are still to be seen elsewhere: a move may have been recorded without a history
    /// that would have told, and what comes again must not find an arrival from before.
    fn no_longer_there(&mut self, meant: impl Fn(&Dag, CommitId) -> bool) {
        let env = &self.environment.name;
        let gone = |id: &CommitId| !self.has(*id) && meant(self.dag, *id);
        let arrivals = self.ledger.arrivals.get(env).into_iter().flatten();
        let left: Vec<CommitId> = arrivals.map(|(id, _)| *id).filter(gone).collect();
        let tips = self.ledger.held.get(env).into_iter().flatten();
        let lost: BTreeSet<CommitId> =
            tips.filter(|tip| !tip.lost && gone(&tip.commit)).map(|tip| tip.commit).collect();
        if !left.is_empty() {
            self.changes.push(Change::Left { env: env.clone(), commits: left });
        }
        if !lost.is_empty() {
            let commits = lost.into_iter().collect();
            self.changes.push(Change::Lost { env: env.clone(), commits, lost: true });
        }
    }

    fn found_again(&mut self) {
        let env = &self.environment.name;
        let tips = self.ledger.held.get(env).into_iter().flatten();
        let again: BTreeSet<CommitId> =
            tips.filter(|tip| tip.lost && self.has(tip.commit)).map(|tip| tip.commit).collect();
        if !again.is_empty() {
            let commits = again.into_iter().collect();
            self.changes.push(Change::Lost { env: env.clone(), commits, lost: false });
        }
    }

    /// What the branch has of candidates and `there` has not: its chain and, where asked for, the tips beside that
    /// it held before. One of those that was pushed off the branch and came again with a merge has lost its arrival,
    /// and would else wait for one for ever.
    fn lacks(&self, there: &Marks, beside: bool) -> Vec<CommitId> {
        let chain = self.dag.chain(self.tip).map(|node| node.id).take_while(|id| !self.dag.has(there, *id));
        let mut lacks: Vec<CommitId> = chain.collect();
        let on_chain: BTreeSet<CommitId> = lacks.iter().copied().collect();
        let held = self.ledger.held.get(&self.environment.name).into_iter().flatten().filter(|_| beside);
        let is_beside = |id: &CommitId| {
            self.dag.has(&self.ancestors, *id) && !self.dag.has(there, *id) && !on_chain.contains(id)
        };
        let beside: BTreeSet<CommitId> = held.map(|tip| tip.commit).filter(is_beside).collect();
        lacks.extend(beside);
        lacks
    }

    /// Arrivals on a source, from its tip down to what the next environment has.
    fn arrivals(&mut self, first_sight: bool) {
        let Some(next_tip) = self.next_tip else { return };
        let env = &self.environment.name;
        let in_next = self.dag.ancestors(next_tip);
        let empty = std::collections::BTreeMap::new();
        // After another branch was configured, nothing known of the old one counts.
        let known = if first_sight { &empty } else { self.ledger.arrivals.get(env).unwrap_or(&empty) };
        let how = if first_sight { ArrivalHow::FirstSight } else { ArrivalHow::Seen };
        let arrival = Arrival { trusted: self.now.trusted, wall: self.now.wall, how };
        let came: Vec<(CommitId, Arrival)> = self
            .lacks(&in_next, !first_sight)
            .into_iter()
            .filter(|id| !known.contains_key(id))
            .map(|id| (id, arrival))
            .collect();
        if !came.is_empty() {
            self.changes.push(Change::Arrived { env: env.clone(), commits: came });
        }
        let old = |arrival: &Arrival| self.now.trusted.since(arrival.trusted) > ARRIVAL_KEPT;
        let past: Vec<CommitId> = known
            .iter()
            .filter(|(id, arrival)| {
                old(arrival)
                    && next_tip.is_some()
                    && (self.dag.node(**id).is_none() || self.dag.has(&in_next, **id))
            })
            .map(|(id, _)| *id)
            .collect();
        if !past.is_empty() {
            self.changes.push(Change::Left { env: env.clone(), commits: past });
        }
    }
}

/// What the ledger learns from a landing besides the landing itself: the tip, and what arrived on
/// or left the branch. `ledger` is as before the landing.
/// `to` is where the branch was moved to: the intent's commit, or the merge that was made of it.
pub fn after_landing(
    flow: &Flow,
    ledger: &Ledger,
    dag: &Dag,
    (row, to): (&IntentRow, CommitId),
    now: Now,
) -> Vec<Change> {
    let Some(at) = flow.environments.iter().position(|e| e.name == row.env) else { return Vec::new() };
    let mut changes = Vec::new();
    let there = dag.node(to).is_some();
    let mut noting = Noting {
        flow,
        ledger,
        dag,
        now,
        environment: &flow.environments[at],
        tip: to,
        is_target: true,
        next_tip: None,
        ancestors: dag.ancestors([to]),
        changes: &mut changes,
    };
    noting.seen(TipHow::Landed(row.id.clone()));
    if !there {
        // The history that would tell what left and what arrived could not be loaded.
        return changes;
    }
    if row.kind == MoveKind::Rollback {
        noting.no_longer_there(|_, _| true);
    } else {
        noting.found_again();
        if at + 1 < flow.environments.len() {
            let before = dag.ancestors([row.old]);
            let arrival = Arrival { trusted: now.trusted, wall: now.wall, how: ArrivalHow::Landed };
            let known = ledger.arrivals.get(&row.env);
            let came: Vec<(CommitId, Arrival)> = noting
                .lacks(&before, true)
                .into_iter()
                .filter(|id| known.is_none_or(|k| !k.contains_key(id)))
                .map(|id| (id, arrival))
                .collect();
            if !came.is_empty() {
                changes.push(Change::Arrived { env: row.env.clone(), commits: came });
            }
        }
    }
    changes
}

/// That the request of an intent is to be closed, where its head was pushed to the target: nothing else ends it.
pub fn left_open(ledger: &Ledger, row: &IntentRow) -> Option<Change> {
    let merge = row.merge.filter(|merge| merge.how == MergeHow::Push)?;
    let known = ledger.proposed.get(&row.env)?;
    let pushed = Some(PushedRequest { number: merge.number, head: row.new, open: true });
    Some(Change::Proposed { env: row.env.clone(), row: Proposed { pushed, ..known.clone() } })
}

/// The changes that record a landing at `to`: final state, effect, event, and what is to be told.
pub fn landed(row: &IntentRow, to: CommitId, now: Now, late: bool) -> Vec<Change> {
    let event = Event::Landed { kind: row.kind, old: row.old, new: to };
    let mut spent: Vec<OrderId> = row.overrides.clone();
    spent.extend(row.promote.clone());
    let mut changes = vec![
        Change::Finish { intent: row.id.clone(), state: IntentState::Landed, words: None },
        Change::Effect(EffectRow {
            intent: row.id.clone(),
            env: row.env.clone(),
            kind: row.kind,
            old: row.old,
            new: to,
            at: now,
            late,
        }),
        Change::Event(EventRow { env: row.env.clone(), at: now, event: event.clone() }),
        Change::ClearBackoff(row.env.clone()),
        tell(row.id.as_str(), &row.env, now, event),
    ];
    if !spent.is_empty() {
        changes.push(Change::Spend(spent));
    }
    changes
}

/// Tells of an event: it is handed out to sinks once it is durable.
pub fn tell(key: &str, env: &EnvName, now: Now, event: Event) -> Change {
    Change::Tell(message(key, env, now, event))
}

/// A message, to be handed out.
pub(super) fn message(key: &str, env: &EnvName, now: Now, event: Event) -> Message {
    // One reader: whoever hands it out knows the sinks, which the core does not.
    let sink = "log".to_owned();
    Message { id: format!("{key}/{sink}"), sink, env: env.clone(), at: now.wall, event }
}
