//! Invariant 4 from outside: what people were answered, and what reached the remote after that.
//!
//! An order counts by the words that it was given in, from its answer on, until an order is written whose own words
//! reach it. What the engine stored, which pauses it lifted and which intents it takes for begun is not asked, but
//! for what its answer promises. Not here: how races are brought about (`races`) and counted (`races_count`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use towpath::engine::command::Reply;
use towpath::engine::{Proposal, Side};
use towpath_core::command::{Command, CommitWord, Lasting, Place, Target};
use towpath_core::dag::Dag;
use towpath_core::model::{
    Change, CommitId, Edge, EnvName, FlowName, IntentId, IntentRow, IntentState, MoveKind, OrderId, PauseKind,
    Proposed, Span, Standing, Trusted, Underway,
};

use super::Plant;
use super::races_count::{Found, Races, snapshot};
use super::universe::{Faults, Universe};

/// For how long a server goes on with a push whose client is gone, at most, in milliseconds: `act::PUSH_DEADLINE`
/// counts on as much as a push itself may take.
pub const GOES_ON: usize = 59_000;

/// Where an order bears, as people say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    Flow(FlowName),
    Env(EnvName),
    Edge(FlowName, EnvName),
}

impl Reach {
    pub fn covers(&self, flow: &FlowName, env: &EnvName) -> bool {
        match self {
            Self::All => true,
            Self::Flow(of) => of == flow,
            Self::Env(into) => into == env,
            Self::Edge(of, into) => of == flow && into == env,
        }
    }

    /// Whether everything that this one covers is covered by another one.
    fn within(&self, other: &Self) -> bool {
        match self {
            Self::All => *other == Self::All,
            Self::Flow(flow) => *other == Self::All || *other == Self::Flow(flow.clone()),
            Self::Env(env) => *other == Self::All || *other == Self::Env(env.clone()),
            Self::Edge(flow, env) => other.covers(flow, env),
        }
    }

    fn target(&self) -> Target {
        match self {
            Self::All => Target::All,
            Self::Flow(flow) => Target::One(flow.to_string()),
            Self::Env(env) => Target::One(env.to_string()),
            Self::Edge(flow, env) => Target::Edge(flow.to_string(), env.to_string()),
        }
    }

    /// Holds bear on flows.
    fn place(&self) -> Place {
        match self {
            Self::All | Self::Env(_) => Place::Everywhere,
            Self::Flow(flow) => Place::Flow(flow.to_string()),
            Self::Edge(flow, env) => Place::Edge(flow.to_string(), env.to_string()),
        }
    }
}

/// An order, as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Pause { kind: PauseKind, reach: Reach, lasts: Lasting },
    Hold { commit: CommitId, reach: Reach },
    Resume { reach: Reach },
    Unhold { commit: CommitId, reach: Reach },
}

impl Said {
    pub const fn reach(&self) -> &Reach {
        match self {
            Self::Pause { reach, .. }
            | Self::Hold { reach, .. }
            | Self::Resume { reach }
            | Self::Unhold { reach, .. } => reach,
        }
    }

    pub const fn stops(&self) -> bool {
        matches!(self, Self::Pause { .. } | Self::Hold { .. })
    }

    pub fn command(&self) -> Command {
        let word = |commit: &CommitId| CommitWord::prefix(&commit.to_string()).expect("an id");
        match self {
            Self::Pause { kind, reach, lasts } => {
                Command::Pause { kind: *kind, target: reach.target(), until: *lasts, reason: "a race".to_owned() }
            }
            Self::Hold { commit, reach } => {
                Command::Hold { commit: word(commit), place: reach.place(), reason: "a race".to_owned() }
            }
            Self::Resume { reach } => Command::Resume { target: reach.target() },
            Self::Unhold { commit, reach } => {
                Command::Unhold { commit: word(commit), place: reach.place(), fixed_by: None }
            }
        }
    }

    /// Whether it lifts an order, if all goes well.
    fn lifts(&self, stop: &Self) -> bool {
        let alike = match (self, stop) {
            (Self::Resume { .. }, Self::Pause { .. }) => true,
            (Self::Unhold { commit, .. }, Self::Hold { commit: held, .. }) => commit == held,
            _ => false,
        };
        alike && stop.reach().within(self.reach())
    }

    /// Whether it stands against bringing a commit from where a branch is into that environment.
    pub fn covers(
        &self,
        (flow, env): (&FlowName, &EnvName),
        (old, new): (Option<CommitId>, CommitId),
        dag: &Dag,
    ) -> bool {
        let comes = match self {
            Self::Pause { .. } | Self::Resume { .. } => true,
            Self::Hold { commit, .. } | Self::Unhold { commit, .. } => {
                dag.contains(new, *commit) && !old.is_some_and(|old| dag.contains(old, *commit))
            }
        };
        comes && self.reach().covers(flow, env)
    }
}

/// An order to stop that was answered.
#[derive(Debug, Clone)]
struct Stop {
    said: Said,
    /// True time at which it is over by itself, at the earliest.
    ends: Option<i64>,
    /// What the answer said may still land, and until which true time.
    named: BTreeMap<IntentId, i64>,
    /// What the answer said may still be put into a request, and until which true time.
    proposing: BTreeMap<(FlowName, EnvName, CommitId), i64>,
    /// How many proposals had been marked when it was written: of later ones the answer says nothing.
    marked: usize,
    /// The rows in which it was stored.
    rows: BTreeSet<OrderId>,
    lifted: bool,
}

impl Stop {
    fn stands(&self, truth: i64) -> bool {
        !self.lifted && self.ends.is_none_or(|ends| truth < ends)
    }

    /// What is wrong with something that it is against, and that its answer allows until then, if at all.
    fn against(&self, until: Option<i64>, truth: i64) -> Option<String> {
        let said = self.said.command();
        match until {
            None => Some(format!("after `{said}` was answered, and the answer did not name it")),
            Some(until) if truth > until => {
                Some(format!("{} ms after it could, as the answer to `{said}` said", truth - until))
            }
            Some(_) => None,
        }
    }
}

/// That something may be under way into a request, as it was stored.
#[derive(Debug, Clone)]
struct Mark {
    replica: usize,
    flow: FlowName,
    env: EnvName,
    head: CommitId,
    until: Option<Trusted>,
    /// Whether what it was stored for has begun at the forge.
    used: bool,
}

/// An order that is being given.
#[derive(Debug, Clone)]
pub struct Given {
    pub said: Said,
    /// True time.
    pub since: i64,
    /// Where the moves were when it was written; none before.
    pub written: Option<Found>,
    /// What had begun in its reach when it was written.
    begun: BTreeSet<IntentId>,
    /// How many proposals had been marked when it was written.
    marked: usize,
    rows: BTreeSet<OrderId>,
}

/// What happened, as somebody saw it who sits at the store and the remote.
#[derive(Debug, Clone, Default)]
pub struct RaceLog {
    /// Which effect each replica is at, and for which intent.
    pub at: BTreeMap<usize, (&'static str, Option<IntentId>)>,
    /// Intents that have not ended, as they stood last.
    pub open: BTreeMap<IntentId, IntentRow>,
    pub ended: BTreeMap<IntentId, IntentState>,
    /// When each landed, in true time.
    pub landed: BTreeMap<IntentId, i64>,
    /// How often something began to be put into a request of that environment.
    pub proposals: BTreeMap<(FlowName, EnvName), usize>,
    /// Every proposal that was marked, in the order of the marks.
    marks: Vec<Mark>,
    stops: Vec<Stop>,
    pub given: Option<Given>,
    pub races: Races,
    /// The faults of this seed, while none strike.
    pub faults: Faults,
}

impl RaceLog {
    pub fn on_change(&mut self, change: &Change) {
        match change {
            Change::Intent(row) => drop(self.open.insert(row.id.clone(), row.clone())),
            Change::Finish { intent, state, .. } => {
                self.open.remove(intent);
                self.ended.insert(intent.clone(), *state);
            }
            _ => {}
        }
    }

    pub fn on_mark(&mut self, row: &IntentRow) {
        self.open.insert(row.id.clone(), row.clone());
    }

    pub fn give(&mut self, said: Said, since: i64) {
        let (begun, rows) = (BTreeSet::new(), BTreeSet::new());
        self.given = Some(Given { said, since, written: None, begun, marked: 0, rows });
    }

    /// Forgets what is over.
    pub fn tidy(&mut self) {
        self.stops.clear();
        self.ended.clear();
        self.landed.clear();
        self.proposals.clear();
    }
}

/// Whether nobody ordered just that move.
pub fn is_automatic(row: &IntentRow) -> bool {
    row.kind == MoveKind::FastForward && row.promote.is_none()
}

pub fn on_lease(it: &mut Universe, replica: usize, taken: bool) {
    let Some(log) = &mut it.races else { return };
    if taken {
        log.at.insert(replica, ("Look", None));
    } else {
        log.at.remove(&replica);
    }
}

pub fn on_effect(it: &mut Universe, replica: usize, side: Side, effect: &'static str) {
    let Some(log) = &mut it.races else { return };
    let on = log.at.get(&replica).and_then(|(_, on)| on.clone()).filter(|_| effect != "SaveIntent");
    if side == Side::Before {
        log.at.insert(replica, (effect, on));
    }
}

/// What a process wrote: an intent that it goes on with, or somebody's order. Answers the pushes that have begun, as
/// the store tells them.
pub fn on_written(
    it: &mut Universe,
    (replica, leased): (usize, bool),
    changes: &[Change],
    mut begun: Vec<IntentRow>,
) -> Vec<IntentRow> {
    if it.races.is_none() {
        return begun;
    }
    for change in changes {
        if let (Change::Intent(row), true, Some(log)) = (change, leased, &mut it.races)
            && let Some((_, on)) = log.at.get_mut(&replica)
        {
            *on = Some(row.id.clone());
        }
        if !leased {
            on_order(it, change);
        }
    }
    match it.plant {
        Some(Plant::AnswerWithoutPushes) if !leased => begun.clear(),
        Some(Plant::NameTooSoon) if !leased => {
            for deadline in begun.iter_mut().filter_map(|row| row.deadline.as_mut()) {
                deadline.0 -= Span::from_secs(115).ms();
            }
        }
        _ => {}
    }
    begun
}

fn on_order(it: &mut Universe, change: &Change) {
    let row = match change {
        Change::Pause(pause) => Some(pause.id.clone()),
        Change::Hold(hold) => Some(hold.id.clone()),
        Change::Lift(_) | Change::Unhold { .. } => None,
        _ => return,
    };
    let Some(said) = it.races.as_ref().and_then(|log| log.given.as_ref()).map(|given| given.said.clone()) else {
        return;
    };
    let found = snapshot(it, &said);
    let Some(log) = &mut it.races else { return };
    let begun = |row: &&IntentRow| row.state == IntentState::Pushing && said.reach().covers(&row.flow, &row.env);
    let begun: BTreeSet<IntentId> = log.open.values().filter(begun).map(|row| row.id.clone()).collect();
    for stop in log.stops.iter_mut().filter(|stop| said.lifts(&stop.said)) {
        stop.lifted = true;
    }
    if let Some(given) = &mut log.given {
        given.rows.extend(row);
        given.begun = begun;
        given.marked = log.marks.len();
        given.written.get_or_insert(found);
    }
}

/// Somebody has the answer to an order: it counts from now on.
pub fn on_answer(it: &mut Universe, given: &Given, reply: &Reply) {
    if !given.said.stops() {
        return;
    }
    let now = it.now();
    let until = |row: &IntentRow| row.deadline.map_or(it.truth, |at| it.truth + (at.0 - now.trusted.0));
    let named: BTreeMap<IntentId, i64> = reply.pushing.iter().map(|row| (row.id.clone(), until(row))).collect();
    let until = |at: Trusted| it.truth + (at.0 - now.trusted.0);
    let one = |row: &Underway| (row.flow.clone(), row.env.clone(), row.head);
    let proposing = reply.proposing.iter().map(|row| (one(row), until(row.until))).collect();
    let mut wrong = Vec::new();
    let said = given.said.command();
    let marks = it.races.as_ref().map_or(&[][..], |log| &log.marks[..given.marked]);
    for row in &reply.proposing {
        let (flow, env, head) = (&row.flow, &row.env, row.head.short());
        let of = |mark: &Mark| mark.flow == *flow && mark.env == *env && mark.until >= Some(row.until);
        if !given.said.reach().covers(flow, env) || !marks.iter().any(of) {
            wrong.push(format!(
                "I4: the answer to `{said}` names {head} into {env} of {flow}, which had not begun in its reach"
            ));
        }
        let words = [flow.as_str(), env.as_str(), &head, "may still come to be until"];
        if !reply.lines.iter().any(|line| words.iter().all(|word| line.contains(word))) {
            wrong.push(format!("I4: the answer to `{said}` does not say that {head} may still come into {env}"));
        }
    }
    for row in &reply.pushing {
        // That one is missing shows in what lands.
        if !given.begun.contains(&row.id) {
            wrong.push(format!("I4: the answer to `{said}` names {}, which had not begun in its reach", row.id));
        }
        let words = [row.flow.as_str(), row.env.as_str(), &row.new.short(), "may still land until"];
        if !reply.lines.iter().any(|line| words.iter().all(|word| line.contains(word))) {
            wrong.push(format!("I4: the answer to `{said}` does not say that {} may still land", row.id));
        }
    }
    let lasts = match given.said {
        Said::Pause { lasts: Lasting::For(span), .. } => Some(given.since + span.ms()),
        Said::Pause { lasts: Lasting::Default, .. } => Some(given.since + Lasting::DEFAULT.ms()),
        _ => None,
    };
    let (said, rows, marked) = (given.said.clone(), given.rows.clone(), given.marked);
    let stop = Stop { said, ends: lasts, named, proposing, marked, rows, lifted: false };
    if let Some(log) = &mut it.races {
        log.stops.push(stop);
    }
    for what in wrong {
        it.violation(what);
    }
}

/// At the instant at which a push leaves a process for the remote.
pub fn on_push(it: &mut Universe, row: &IntentRow) {
    against(it, row, "began to move");
}

/// At the instant at which the remote moves a branch for us.
pub fn on_land(it: &mut Universe, row: &IntentRow) {
    against(it, row, "moved");
    let truth = it.truth;
    if let Some(log) = &mut it.races {
        log.landed.insert(row.id.clone(), truth);
    }
}

fn against(it: &mut Universe, row: &IntentRow, does: &str) {
    let (Some(log), true) = (&it.races, is_automatic(row)) else { return };
    let (dag, truth) = (it.dag(&row.flow), it.truth);
    let forbids = |stop: &&Stop| {
        stop.stands(truth) && stop.said.covers((&row.flow, &row.env), (Some(row.old), row.new), &dag)
    };
    let wrong =
        log.stops.iter().filter(forbids).find_map(|stop| stop.against(stop.named.get(&row.id).copied(), truth));
    if let Some(wrong) = wrong {
        it.violation(format!("I4: {} {does} {} of {} to {} {wrong}", row.id, row.env, row.flow, row.new));
    }
}

/// At the instant at which it is stored that a candidate may be under way into a request.
pub fn on_proposal_marked(it: &mut Universe, replica: usize, flow: &FlowName, (env, row): (&EnvName, &Proposed)) {
    let Some(log) = &mut it.races else { return };
    let (flow, env) = (flow.clone(), env.clone());
    log.marks.push(Mark { replica, flow, env, head: row.head, until: row.until, used: false });
    if let Some((effect, _)) = log.at.get_mut(&replica) {
        *effect = "Propose";
    }
}

/// At the instant at which a candidate begins to be put into a request.
pub fn on_propose(it: &mut Universe, replica: usize, edge: &Edge<'_>, proposal: &Proposal) {
    let (flow, env, head) = (&edge.flow.name, &proposal.env, proposal.head);
    let (dag, truth) = (it.dag(flow), it.truth);
    let old = it.repositories[flow].branches.get(&edge.target.branch).copied();
    let Some(log) = &mut it.races else { return };
    let one = (flow.clone(), env.clone(), head);
    *log.proposals.entry((flow.clone(), env.clone())).or_default() += 1;
    // Each mark is for one call of the process that stored it.
    let newest = log.marks.iter_mut().enumerate().rfind(|(_, mark)| mark.replica == replica);
    let of = |mark: &Mark| !mark.used && (&mark.flow, &mark.env, mark.head) == (flow, env, head);
    let mark = newest.filter(|(_, mark)| of(mark)).map(|(nth, mark)| {
        mark.used = true;
        nth
    });
    let forbids = |stop: &&Stop| stop.stands(truth) && stop.said.covers((flow, env), (old, head), &dag);
    let wrong = log.stops.iter().filter(forbids).find_map(|stop| {
        let before = mark.is_some_and(|nth| nth < stop.marked);
        stop.against(stop.proposing.get(&one).copied().filter(|_| before), truth)
    });
    if let Some(wrong) = wrong {
        it.violation(format!("I4: {head} begins to be put into a request into {env} of {flow} {wrong}"));
    }
}

/// What was answered and what nobody lifted is still there, once everybody has been killed and started again.
pub fn kept(it: &mut Universe) {
    let Some(log) = &it.races else { return };
    let rows = |ledger: &towpath_core::model::Ledger| {
        let (pauses, holds) = (&ledger.standing.pauses, &ledger.standing.holds);
        pauses.iter().map(|p| p.id.clone()).chain(holds.iter().map(|h| h.id.clone())).collect::<Vec<_>>()
    };
    let stored: BTreeSet<OrderId> = it.book.ledgers.values().flat_map(rows).collect();
    let lost = |stop: &&Stop| stop.stands(it.truth) && (stop.rows.is_empty() || !stop.rows.is_subset(&stored));
    let wrong =
        log.stops.iter().find(lost).map(|stop| format!("I4: `{}` was answered and is lost", stop.said.command()));
    if let Some(wrong) = wrong {
        it.violation(wrong);
    }
}

// Planted bugs.

/// A planted bug: what is looked at in the last check.
pub fn blind_mark(plant: Option<Plant>, row: &IntentRow, standing: &mut Standing) {
    match plant {
        Some(Plant::MarkInAPause) => standing.pauses.clear(),
        Some(Plant::HoldOnlyWhenDeciding) => as_decided(row, standing),
        _ => {}
    }
}

/// A planted bug: what is looked at when an intent is judged again.
pub fn blind_reread(it: &Universe, replica: usize, standing: &mut Standing) {
    let (Some(log), Some(Plant::HoldOnlyWhenDeciding)) = (&it.races, it.plant) else { return };
    if let Some(("Reread", Some(on))) = log.at.get(&replica)
        && let Some(row) = log.open.get(on)
    {
        as_decided(row, standing);
    }
}

fn as_decided(row: &IntentRow, standing: &mut Standing) {
    standing.holds.retain(|hold| row.holds.iter().any(|(id, _)| *id == hold.id));
}

/// A planted bug: what else a lifting order lifts.
pub fn lifted_too_much<'c>(it: &Universe, leased: bool, changes: &'c [Change]) -> Cow<'c, [Change]> {
    let mut more = Vec::new();
    let lifts = |wanted: fn(&Change) -> bool| !leased && changes.iter().any(wanted);
    for standing in it.book.ledgers.values().map(|ledger| &ledger.standing) {
        if it.plant == Some(Plant::LiftEveryFreeze) && lifts(|change| matches!(change, Change::Lift(_))) {
            let freezes = standing.pauses.iter().filter(|pause| pause.kind == PauseKind::Freeze);
            more.push(Change::Lift(freezes.map(|pause| pause.id.clone()).collect()));
        }
        if it.plant == Some(Plant::LiftEveryHold) && lifts(|change| matches!(change, Change::Unhold { .. })) {
            let all = standing.holds.iter();
            more.extend(all.map(|hold| Change::Unhold { hold: hold.id.clone(), fixed_by: None }));
        }
    }
    if more.is_empty() { Cow::Borrowed(changes) } else { changes.iter().cloned().chain(more).collect() }
}

/// A planted bug: a process dies, and the newest order that was answered with it.
pub fn on_death(it: &mut Universe) {
    let truth = it.truth;
    let (Some(log), Some(Plant::LoseTheOrder)) = (&it.races, it.plant) else { return };
    let Some(stop) = log.stops.iter().rev().find(|stop| stop.stands(truth)) else { return };
    for ledger in it.book.ledgers.values_mut() {
        ledger.standing.pauses.retain(|pause| !stop.rows.contains(&pause.id));
        ledger.standing.holds.retain(|hold| !stop.rows.contains(&hold.id));
    }
}
