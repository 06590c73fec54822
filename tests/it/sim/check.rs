//! The invariants, written a second time and from the truth: what was reported, when commits
//! truly arrived, what was acknowledged. Nothing of the engine's own judgement is used here, apart
//! from the graph primitives.

use towpath_core::model::{
    CiState, CommitId, EnvName, Event, Flow, FlowName, Gate, GateKind, Held, Hold, Instant, IntentId, IntentRow,
    IntentState, MoveKind, OrderId, PauseKind, Until,
};

use super::check_requests;
use super::made;
use super::universe::{Acknowledged, Moved, Universe};

/// What the server does for an intent.
pub struct Served {
    /// Where the branch goes.
    pub to: CommitId,
    /// Where it was.
    pub at: Option<CommitId>,
    /// It reached the server long after its process had gone on.
    pub delayed: bool,
    /// Somebody pushed while the forge made the merge.
    pub raced: bool,
    /// The head that the forge merges.
    pub head: Option<CommitId>,
}

/// At the instant at which a push is marked as begun: nothing acknowledged before forbids it.
pub fn on_begin(it: &mut Universe, flow: &Flow, row: &IntentRow) {
    if row.kind == MoveKind::Rollback {
        // Whoever lifts the hold from here on comes too late to call it off.
        let what = Held::Range { lost: row.old, kept: row.new };
        if !it.book.ledgers[&flow.name].standing.holds.iter().any(|hold| hold.what == what) {
            it.violation(format!(
                "I5: {} is about to be rolled back from {}, and nothing is held",
                row.env, row.old
            ));
        }
        return;
    }
    let known = |order: &Acknowledged| !order.named.contains(&row.id);
    let wall = it.reading().wall;
    if let Some(pause) = forbidden(it, (flow, &row.env), row.promote.is_some(), wall, known) {
        it.violation(format!("I4: {} began on {} after pause {pause} was acknowledged", row.id, row.env));
    }
    check_requests::on_begin(it, flow, row);
}

/// A pause or freeze that forbids an edge to move at that time of the wall, of those that are meant.
pub fn forbidden(
    it: &Universe,
    (flow, env): (&Flow, &EnvName),
    promoted: bool,
    wall: Instant,
    meant: impl Fn(&Acknowledged) -> bool,
) -> Option<OrderId> {
    let stands = |order: &&Acknowledged| {
        let pause = &order.pause;
        // Once it has truly lasted its time, a wall that is set back does not bring it back.
        let lasted = match pause.until {
            // A minute is what the clocks may differ by.
            Until::At(until) => it.truth - order.since + 60_000 >= until.since(pause.at).ms(),
            Until::Resumed => false,
        };
        let ended = it.book.lifted.contains(&pause.id) || (lasted && it.book.expired.contains(&pause.id));
        let passed = pause.kind == PauseKind::Pause && promoted;
        pause.stands_on(&flow.name, env, wall) && !ended && !passed && meant(order)
    };
    it.book.acknowledged.values().find(stands).map(|order| order.pause.id.clone())
}

/// At the instant at which the server moves a branch for us.
pub fn on_move(it: &mut Universe, flow: &FlowName, row: &IntentRow, served: &Served) {
    let (dag, to) = (it.dag(flow), served.to);
    let Some(old) = served.at else {
        it.violation(format!("I1: {} was created by us", row.env));
        return;
    };
    if old != row.old && !served.raced {
        it.violation(format!("I1: {} was at {old}, and was decided on at {}", row.env, row.old));
    }
    // What is on the wire for long no reading can judge again.
    if !served.delayed {
        made::on_move(it, flow, row);
    }
    if row.kind == MoveKind::Rollback {
        rolled_back(it, flow, row);
        return;
    }
    if !dag.contains(to, old) || (row.merge.is_none() && !dag.contains(to, row.new)) {
        it.violation(format!("I1: {} moved from {old} to {to}, which does not contain it", row.env));
    }
    // A push that was on the wire for long may reach the server after its intent was settled; if
    // somebody has put the branch back to `old` meanwhile, it moves it. Nothing but the server
    // could prevent that, so only pushes that arrive at once are held to this.
    let stored = it.book.intents.get(&row.id).map(|r| r.state);
    if !served.delayed && stored != Some(IntentState::Pushing) {
        it.violation(format!("I3: {} moves a branch while its row says {stored:?}", row.id));
    }
    if !served.delayed {
        not_taken_back(it, flow, row);
    }
    check_requests::on_merge(it, flow, row, served);
    earned(it, flow, row);
    not_rolled_back(it, flow, row, old);
}

/// A rollback goes to where the branch was before, where that is allowed.
fn rolled_back(it: &mut Universe, flow: &FlowName, row: &IntentRow) {
    let repository = &it.repositories[flow];
    let was_there = repository.moves.iter().any(|m| m.branch == row.branch && m.new == Some(row.new));
    let allowed = it.flow(flow).environment(&row.env).is_some_and(|env| env.rollback);
    if !was_there || !allowed {
        it.violation(format!("I1: {} is rolled back to {}, where it never was", row.env, row.new));
    }
}

/// Whether an order of a person passes that gate for the intent.
pub fn ordered(it: &Universe, row: &IntentRow, gate: GateKind) -> bool {
    let promoted = row.promote.is_some() && matches!(gate, GateKind::Lag | GateKind::Window);
    // One that was not needed when it was decided on may be when it is judged again.
    let mut standing = it.book.ledgers[&row.flow].standing.overrides.iter();
    let stands = standing.any(|order| (order.gate, &order.env, order.commit) == (gate, &row.env, row.new));
    promoted || stands || row.overrides.iter().any(|id| it.book.overrides.get(id) == Some(&gate))
}

/// I2: every configured gate passes by the truth. CI may have changed after the last reading, so
/// green at any time since the intent was saved counts.
fn earned(it: &mut Universe, name: &FlowName, row: &IntentRow) {
    let flow = it.flow(name).clone();
    let Some(edge) = flow.edge(&row.env) else { return };
    for gate in edge.target.gates.iter().filter(|gate| !ordered(it, row, gate.kind())).collect::<Vec<_>>() {
        match gate {
            Gate::Ci(_) => {
                let since = it.book.reports_at_save.get(&row.id).copied().unwrap_or(0);
                for check in super::REQUIRED {
                    if !was(it, (name, row.new, check), since, CiState::Green) {
                        it.violation(format!("I2: {} entered {} without a green {check}", row.new, row.env));
                    }
                }
            }
            // It is asked once more after the intent was saved.
            Gate::Http(_) => {
                let at_save = it.book.passed_at_save.get(&row.id).copied().unwrap_or(0);
                if !it.gates.passed[at_save..].contains(&row.new) {
                    it.violation(format!("I2: {} entered {} and its gate did not let it pass", row.new, row.env));
                }
            }
            Gate::Lag(lag) => {
                let arrived = it.repositories[name].arrivals.get(&edge.source.branch).and_then(|a| a.get(&row.new));
                // On the source without a break for the lag, or it was when the push began.
                let began = row.saved.trusted.0;
                let long_enough = arrived.is_none_or(|at| it.truth - at >= lag.length.ms());
                if !long_enough && began > 0 {
                    let known = it.book.ledgers[name].arrivals.get(&edge.source.name).and_then(|a| a.get(&row.new));
                    let moves: Vec<_> = it.repositories[name].moves.iter().rev().take(8).collect();
                    let what = format!(
                        "I2: {} entered {} before its lag was over: there since {arrived:?}, now {}, known {known:?}, \
                         {row:?}, last moves {moves:#?}",
                        row.new, row.env, it.truth
                    );
                    it.violation(what);
                }
            }
            _ => {}
        }
    }
}

/// Whether a check of a commit read like that at some time since so many results had been reported.
pub fn was(
    it: &Universe,
    (flow, commit, check): (&FlowName, CommitId, &str),
    since: usize,
    wanted: CiState,
) -> bool {
    let all = it.book.reports.get(flow).map_or(&[][..], Vec::as_slice);
    let of = |r: &&towpath_core::model::Report| r.commit == commit && r.name.as_str() == check;
    let (before, after) = all.split_at(since.min(all.len()));
    let then = before.iter().rev().find(of).is_some_and(|report| report.state == wanted);
    then || after.iter().filter(of).any(|report| report.state == wanted)
}

/// I5: what a person took back right after our push does not come again, seen or not, before a
/// person has lifted what it caused or let Towpath go on. (A push that reached the server after its
/// process had read the branch is excepted: that landed and was taken back between two looks.)
fn not_taken_back(it: &mut Universe, flow: &FlowName, row: &IntentRow) {
    let dag = it.dag(flow);
    let repository = &it.repositories[flow];
    let moves: Vec<_> = repository.moves.iter().enumerate().filter(|(_, m)| m.branch == row.branch).collect();
    let [.., (_, ours), (at, theirs)] = moves[..] else { return };
    // A rollback is no promotion to take back.
    let forward = |id: &IntentId| it.book.intents.get(id).is_some_and(|row| row.kind == MoveKind::FastForward);
    let taken_back =
        ours.by.as_ref().is_some_and(forward) && !ours.delayed && theirs.by.is_none() && theirs.old == ours.new;
    let to_old = theirs.new == Some(row.old) && ours.old == theirs.new;
    // Of a merge the head that it brought: the next one would be another commit.
    let brought = ours.by.as_ref().and_then(|id| it.book.intents.get(id)).map(|ours| ours.new);
    let again = brought.is_some_and(|lost| dag.contains(row.new, lost));
    let let_go = repository.let_go.get(&row.branch).is_some_and(|looked| *looked > at);
    let noted = it.book.events.iter().any(|(name, event)| {
        let rewound = matches!(&event.event, Event::Rewound { lost, kept, .. }
            if Some(*lost) == ours.new && Some(*kept) == theirs.new);
        name == flow && event.env == row.env && rewound
    });
    if taken_back && to_old && again && !let_go && !noted {
        it.violation(format!("I5: {} was taken back from {} and is pushed there again", row.new, row.env));
    }
}

/// I5: nothing that a standing hold of a rewind or rollback covers comes back.
fn not_rolled_back(it: &mut Universe, flow: &FlowName, row: &IntentRow, old: CommitId) {
    // A hold that was placed after the push began does not stop it; its reply said so.
    let known = |hold: &&Hold| row.holds.iter().any(|(id, _)| id == &hold.id);
    let holds: Vec<Hold> = it.book.ledgers[flow].standing.holds.iter().filter(known).cloned().collect();
    if let Some(hold) = held(it, flow, &row.env, &holds, (old, row.new)) {
        it.violation(format!("I5: {} entered {} in spite of hold {hold}", row.new, row.env));
    }
}

/// A hold that covers something that comes between the two commits.
pub fn held(
    it: &Universe,
    flow: &FlowName,
    env: &EnvName,
    holds: &[Hold],
    (old, new): (CommitId, CommitId),
) -> Option<OrderId> {
    let dag = it.dag(flow);
    let there = dag.ancestors([old]);
    let range = dag.ancestors([new]);
    let covers = |hold: &&Hold| {
        if !hold.bears_on(flow, env) || hold.fixed_by.is_some_and(|fix| dag.has(&range, fix)) {
            return false;
        }
        match hold.what {
            Held::Commit(commit) => dag.has(&range, commit) && !dag.has(&there, commit),
            Held::Range { lost, kept } => {
                let (lost, kept) = (dag.ancestors([lost]), dag.ancestors([kept]));
                dag.minus(&range, &there).any(|n| dag.has(&lost, n.id) && !dag.has(&kept, n.id))
            }
        }
    };
    holds.iter().find(covers).map(|hold| hold.id.clone())
}

/// I3, once everything has settled: moves and effects are the same list.
pub fn settled(it: &mut Universe) {
    let mut wrong = Vec::new();
    for (flow, repository) in &it.repositories {
        for moved in &repository.moves {
            let Some(id) = &moved.by else { continue };
            let row = it.book.intents.get(id);
            let recorded = it.book.effects.contains_key(id);
            let passed = row.is_some_and(|r| {
                matches!(r.state, IntentState::Overtaken | IntentState::Superseded | IntentState::Abandoned)
            });
            if !recorded && !passed {
                wrong.push(format!("I3: {flow} moved by {id} without an effect ({:?})", row.map(|r| r.state)));
            }
        }
    }
    for effect in it.book.effects.values() {
        let Some(row) = it.book.intents.get(&effect.intent) else {
            wrong.push(format!("I3: effect {} without an intent", effect.intent));
            continue;
        };
        let moves = &it.repositories[&row.flow].moves;
        // Of a merge that somebody moved away at once nobody can tell which commit it was.
        let moved = |m: &&Moved| m.by.as_ref() == Some(&row.id) && row.merge.is_some() && effect.new == row.new;
        let is = |m: &&Moved| (m.branch == row.branch && m.new == Some(effect.new)) || moved(m);
        let happened = moves.iter().any(|m| is(&m));
        if !happened {
            wrong.push(format!("I3: effect {} of a move that never happened", effect.intent));
        }
        let told = it.sent.iter().filter(|id| id.starts_with(&format!("{}/", effect.intent))).count();
        if told == 0 {
            wrong.push(format!("I7: effect {} was never told", effect.intent));
        }
    }
    for what in wrong {
        it.violation(what);
    }
}
