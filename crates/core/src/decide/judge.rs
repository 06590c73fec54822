//! Everything that is checked of one candidate: the only copy of policy.

use crate::decide::candidate::standing_promote;
use crate::decide::gates::migrations::Asks;
use crate::decide::{gates, pause_reason, request};
use crate::model::{
    Actor, Arrival, Backoff, Candidate, Check, CommitId, Edge, EdgeSeen, Fact, Gate, GateKind, Hold, Judged,
    Missing, Now, Observation, OrderId, Override, Pause, PauseKind, Reason, Until, Verdict, Waiting, Who,
};

/// What a judgement looks at, and where it notes the facts that it lacks.
pub struct Look<'a> {
    /// The whole observation.
    pub seen: &'a Observation,
    /// The edge's part of it.
    pub on_edge: &'a EdgeSeen,
    /// Facts that were needed and not given.
    pub missing: Missing,
    /// For how many candidates it was worked out what takes the place of code in their way.
    pub(super) worked_out: u32,
    /// How many candidates stand between the one that is judged and this one, for each of which it was asked
    /// whether it comes.
    pub(super) deep: u32,
}

impl<'a> Look<'a> {
    /// A look that lacks nothing yet.
    pub fn new(seen: &'a Observation, on_edge: &'a EdgeSeen) -> Self {
        Self { seen, on_edge, missing: Missing::default(), worked_out: 0, deep: 0 }
    }

    /// A look at another edge, or another candidate, for the sake of this one.
    pub(super) fn deeper(&self, on_edge: &'a EdgeSeen) -> Self {
        Self { deep: self.deep + 1, ..Self::new(self.seen, on_edge) }
    }

    /// When the source's newest commit arrived.
    pub fn newest_arrival(&self) -> Option<Arrival> {
        self.on_edge.graph.known().and_then(|graph| graph.waiting.first()).and_then(|newest| newest.arrival)
    }

    /// When the tick is.
    pub const fn now(&self) -> Now {
        self.seen.now
    }
}

/// How much of a candidate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only what needs no dear facts. The result is a lower bound: the rest can only delay.
    Cheap,
    /// Everything.
    Whole,
}

/// Judges a candidate; the judgements come in the order of [`Check`]. `None` when facts are
/// missing, which are then in `look.missing`.
pub fn judge(edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>, depth: Depth) -> Option<Vec<Judged>> {
    judge_all(edge, candidate, look, depth, Asking::Everybody)
}

/// The same, whole, for the sake of another candidate that waits for this one: without what is judged last, for
/// nobody outside is asked about a commit because of another. `None` when facts are missing.
pub(super) fn judge_inside(edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Vec<Judged>> {
    judge_all(edge, candidate, look, Depth::Whole, Asking::Inside)
}

/// Whether what is judged last is asked, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Everybody,
    Inside,
}

fn judge_all(
    edge: &Edge<'_>,
    candidate: &Waiting,
    look: &mut Look<'_>,
    depth: Depth,
    asking: Asking,
) -> Option<Vec<Judged>> {
    let promote = standing_promote(edge, look.seen).filter(|p| p.commit == candidate.id);
    let mut judged = Vec::with_capacity(4 + edge.target.gates.len());
    judged.extend([
        Judged { check: Check::Push, verdict: push(edge, candidate, look) },
        Judged { check: Check::Freeze, verdict: paused(edge, look, PauseKind::Freeze) },
        Judged { check: Check::Pause, verdict: paused(edge, look, PauseKind::Pause) },
        Judged { check: Check::Hold, verdict: held(candidate, look) },
    ]);
    let mut complete = true;
    // Whether the candidate is what the open request is for; what is in no request cannot be approved,
    // and nobody is asked yet.
    let mut in_request = true;
    if request::by_request(edge) && depth == Depth::Whole {
        match request::judge(edge, candidate, look) {
            Some(verdict) => {
                in_request = request::is_for(&verdict);
                judged.push(Judged { check: Check::Request, verdict });
            }
            None => complete = false,
        }
    }
    for last in [false, true] {
        // What is outside is not asked about a commit that something else holds up anyway.
        if last && (asking == Asking::Inside || !complete || !worth_asking(edge, &judged)) {
            break;
        }
        for gate in edge.target.gates.iter().filter(|gate| gates::manner(gate.kind()).last == last) {
            if gate.kind() == GateKind::Approvals && !in_request {
                continue;
            }
            match gate_verdict(gate, edge, candidate, look, depth) {
                Asked::Answer(verdict) => judged.push(Judged { check: Check::Gate(gate.kind()), verdict }),
                Asked::NotAtThisDepth => {}
                Asked::FactsMissing => complete = false,
            }
        }
        for item in judged.iter_mut().filter(|item| !item.verdict.passes()) {
            let ordered = promote.filter(|_| promote_passes(item.check));
            if let Some(order) = ordered {
                let why = Reason::Promoted { by: order.by.clone(), until: order.until };
                item.verdict = Verdict::Pass { why };
            } else if let Check::Gate(kind) = item.check
                && let Some(order) = standing_override(edge, candidate, kind, look)
                && covers(order, edge, candidate.id, look)
            {
                let why = Reason::Overridden { by: order.by.clone(), reason: order.reason.clone() };
                item.verdict = Verdict::Pass { why };
            }
        }
    }
    complete.then_some(judged)
}

/// Whether the gates that are judged last decide anything: everything before them lets the candidate
/// enter, or be put into a request.
fn worth_asking(edge: &Edge<'_>, judged: &[Judged]) -> bool {
    let passes = judged.iter().all(|item| item.verdict.passes());
    passes || (request::by_request(edge) && request::proposable(edge, judged))
}

/// What `promote` passes: lag, quiet, window, schedule and pause; never CI, approvals, migrations, http,
/// freeze or holds.
pub const fn promote_passes(check: Check) -> bool {
    match check {
        Check::Pause => true,
        Check::Branches | Check::Push | Check::Freeze | Check::Hold | Check::Request => false,
        Check::Gate(kind) => gates::manner(kind).promote_passes,
    }
}

enum Asked {
    Answer(Verdict),
    NotAtThisDepth,
    FactsMissing,
}

impl From<Option<Verdict>> for Asked {
    fn from(verdict: Option<Verdict>) -> Self {
        verdict.map_or(Self::FactsMissing, Self::Answer)
    }
}

/// The one list of gates: what each needs and who judges it.
fn gate_verdict(gate: &Gate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>, depth: Depth) -> Asked {
    let now = look.now();
    match gate {
        Gate::Lag(lag) if lag.since.is_none() => Asked::Answer(gates::lag::judge(lag, candidate, now)),
        Gate::Quiet(length) => Asked::Answer(gates::quiet::judge(*length, look.newest_arrival(), now)),
        Gate::Window(windows) => Asked::Answer(gates::window::judge(windows, now)),
        Gate::Schedule(schedule) => Asked::Answer(gates::schedule::judge(schedule, look.on_edge, now)),
        Gate::Ci(_) | Gate::Lag(_) | Gate::Approvals(_) | Gate::Migrations(_) | Gate::Http(_)
            if depth == Depth::Cheap =>
        {
            Asked::NotAtThisDepth
        }
        Gate::Ci(ci) => gates::ci::judge(ci, edge, candidate, look).into(),
        Gate::Lag(lag) => gates::lag::judge_since_check(lag, edge, candidate, look).into(),
        Gate::Approvals(approvals) => gates::approvals::judge(approvals, edge, candidate, look).into(),
        Gate::Migrations(migrations) => gates::migrations::judge(migrations, edge, candidate, look).into(),
        Gate::Http(http) => gates::http::judge(http, edge, candidate, look).into(),
    }
}

/// A push under way, or one that the server just refused.
fn push(edge: &Edge<'_>, candidate: &Waiting, look: &Look<'_>) -> Verdict {
    if let Some(row) = &look.on_edge.in_flight {
        let until = row.deadline.map(|deadline| look.now().wall_at(deadline));
        let why = Reason::InFlight { intent: row.id.clone(), to: row.new };
        return Verdict::Wait { why, on: Who::Towpath, until };
    }
    let target = look.on_edge.target.commit();
    let here = |b: &&Backoff| b.flow == edge.flow.name && b.env == edge.target.name && Some(b.old) == target;
    let backoffs = &look.seen.standing.backoffs;
    // Every candidate: one above or below the pushed commit would undo what a person took back, too.
    if let Some(doubt) = backoffs.iter().filter(here).find(|b| b.is_in_doubt()) {
        let why = Reason::PushInDoubt { old: doubt.old, to: doubt.new, words: doubt.words.clone() };
        return Verdict::Block { why, who: Who::Person(Actor::new(crate::see::SOMEBODY)) };
    }
    let waiting = look.on_edge.graph.known().map_or(&[][..], |graph| &graph.waiting);
    let place = |id| waiting.iter().position(|w| w.id == id);
    // What was refused holds back everything older too: only a newer commit is another try.
    let newer = |than| place(than).is_some_and(|than| place(candidate.id).is_some_and(|at| at < than));
    let stands = |b: &&Backoff| b.policy == edge.flow.policy && look.now().wall < b.until && !newer(b.new);
    let refused = backoffs.iter().filter(here).find(stands);
    match refused {
        Some(b) => Verdict::Wait {
            why: Reason::PushRefused { words: b.words.clone(), count: b.count },
            on: Who::Remote,
            until: Some(b.until),
        },
        None => Verdict::Pass { why: Reason::Nothing },
    }
}

/// The pause or freeze that stands longest here.
fn paused(edge: &Edge<'_>, look: &Look<'_>, kind: PauseKind) -> Verdict {
    let (flow, env, wall) = (&edge.flow.name, &edge.target.name, look.now().wall);
    let stands = |p: &&Pause| p.kind == kind && p.stands_on(flow, env, wall);
    let end = |p: &&Pause| match p.until {
        Until::At(at) => (0, at),
        Until::Resumed => (1, p.at),
    };
    match look.seen.standing.pauses.iter().filter(stands).max_by_key(end) {
        None => Verdict::Pass { why: Reason::Nothing },
        Some(pause) => match pause.until {
            Until::At(at) => {
                Verdict::Wait { why: pause_reason(pause), on: Who::Person(pause.by.clone()), until: Some(at) }
            }
            Until::Resumed => Verdict::Block { why: pause_reason(pause), who: Who::Person(pause.by.clone()) },
        },
    }
}

fn held(candidate: &Waiting, look: &Look<'_>) -> Verdict {
    let covering = |hold: &&Hold| candidate.holds.contains(&hold.id);
    match look.seen.standing.holds.iter().find(covering) {
        Some(hold) => Verdict::Block {
            why: Reason::Held {
                hold: hold.id.clone(),
                what: hold.what,
                flow: hold.flow.clone(),
                env: hold.env.clone(),
                by: hold.by.clone(),
                reason: hold.reason.clone(),
                fixed_by: hold.fixed_by,
            },
            who: Who::Person(hold.by.clone()),
        },
        None => Verdict::Pass { why: Reason::Nothing },
    }
}

/// The `override` orders that stand for a candidate now: until their hour is over or, where a request was
/// for their commit before that, as long as that request is.
fn overrides<'a>(edge: &Edge<'_>, commit: CommitId, look: &Look<'a>) -> impl Iterator<Item = &'a Override> {
    let (flow, env, now) = (&edge.flow.name, &edge.target.name, look.now().wall);
    let row = look.on_edge.proposed.as_ref().filter(|_| request::by_request(edge));
    let is_head = row.is_some_and(|row| row.head == commit);
    let requests = look.seen.facts.requests.get(env).and_then(Fact::known).filter(|_| is_head);
    let number = requests.and_then(|requests| requests.open.as_ref()).map(|open| open.number);
    let here = move |order: &&Override| &order.flow == flow && &order.env == env && order.commit == commit;
    let stands = move |order: &&Override| now < order.until || (number.is_some() && order.request == number);
    look.seen.standing.overrides.iter().filter(here).filter(stands)
}

fn standing_override<'a>(
    edge: &Edge<'_>,
    candidate: &Waiting,
    gate: GateKind,
    look: &Look<'a>,
) -> Option<&'a Override> {
    overrides(edge, candidate.id, look).find(|order| order.gate == gate)
}

/// Whether an order passes what stands in the way now: on migrations, only what it was given for.
fn covers(order: &Override, edge: &Edge<'_>, commit: CommitId, look: &mut Look<'_>) -> bool {
    let Some(Gate::Migrations(gate)) = edge.target.gate(order.gate) else { return true };
    let against = gates::migrations::stands_against(gate, edge, commit, Asks::Both, look);
    against.is_some_and(|against| against.iter().all(|(one, _)| order.accepts.contains(one)))
}

/// Whether a target may be put back to a commit that it held: the second question about migrations alone
/// (DESIGN 3.7), and nothing where there is no such gate. What an `override` of that commit was given for
/// passes, and the order is then named. `None` when facts are missing.
pub fn judge_back(edge: &Edge<'_>, to: CommitId, look: &mut Look<'_>) -> Option<Result<Option<OrderId>, Verdict>> {
    let Some(Gate::Migrations(gate)) = edge.target.gate(GateKind::Migrations) else { return Some(Ok(None)) };
    let verdict = gates::migrations::judge_back(gate, edge, to, look)?;
    if verdict.passes() {
        return Some(Ok(None));
    }
    let order = overrides(edge, to, look).find(|order| order.gate == GateKind::Migrations);
    let Some(order) = order else { return Some(Err(verdict)) };
    let against = gates::migrations::stands_against(gate, edge, to, Asks::Back, look)?;
    let covered = against.iter().all(|(one, _)| order.accepts.contains(one));
    Some(if covered { Ok(Some(order.id.clone())) } else { Err(verdict) })
}

/// The `promote` order without which the candidate would not have passed.
pub fn promote_used(edge: &Edge<'_>, lead: &Candidate, seen: &Observation) -> Option<OrderId> {
    let used = lead.judged.iter().any(|j| matches!(j.verdict.why(), Reason::Promoted { .. }));
    standing_promote(edge, seen).filter(|p| used && p.commit == lead.commit).map(|p| p.id.clone())
}

/// The `override` orders without which the candidate would not have passed.
pub fn overrides_used(edge: &Edge<'_>, lead: &Candidate, look: &Look<'_>) -> Vec<OrderId> {
    let passed = |gate| {
        let on = |judged: &Judged| judged.check == Check::Gate(gate);
        lead.judged.iter().any(|j| on(j) && matches!(j.verdict.why(), Reason::Overridden { .. }))
    };
    overrides(edge, lead.commit, look).filter(|order| passed(order.gate)).map(|order| order.id.clone()).collect()
}

/// Whether a person has ordered this very candidate to move, or to pass a gate.
pub fn is_ordered(edge: &Edge<'_>, candidate: &Waiting, seen: &Observation) -> bool {
    standing_promote(edge, seen).is_some_and(|p| p.commit == candidate.id)
        || seen
            .standing
            .overrides
            .iter()
            .any(|o| o.flow == edge.flow.name && o.env == edge.target.name && o.commit == candidate.id)
}
