//! The invariants, written a second time and from the truth: what was reported, when commits
//! truly arrived, what was acknowledged. Nothing of the engine's own judgement is used here, apart
//! from the graph primitives.

use towpath_core::model::{
    CiState, CommitId, Event, Flow, FlowName, Gate, Held, IntentRow, IntentState, MoveKind, PauseKind, Until,
};

use super::universe::Universe;

/// At the instant at which a push is marked as begun: nothing acknowledged before forbids it.
pub fn on_begin(it: &mut Universe, flow: &Flow, row: &IntentRow) {
    if row.kind == MoveKind::Rollback {
        return;
    }
    let wall = it.reading().wall;
    let pauses: Vec<_> = it.book.acknowledged.values().cloned().collect();
    for (pause, named, since) in pauses {
        // Once it has truly lasted its time, a wall that is set back does not bring it back.
        let lasted = match pause.until {
            // A minute is what the clocks may differ by.
            Until::At(until) => it.truth - since + 60_000 >= until.since(pause.at).ms(),
            Until::Resumed => false,
        };
        let ended = lifted(it, &pause.id) || (lasted && it.book.expired.contains(&pause.id));
        let stands = pause.stands_on(&flow.name, &row.env, wall) && !ended;
        let passed = pause.kind == PauseKind::Pause && row.promote.is_some();
        if stands && !passed && !named.contains(&row.id) {
            it.violation(format!("I4: {} began on {} after pause {} was acknowledged", row.id, row.env, pause.id));
        }
    }
}

fn lifted(it: &Universe, id: &towpath_core::model::OrderId) -> bool {
    it.book.lifted.contains(id)
}

/// At the instant at which the server moves a branch for us.
pub fn on_move(
    it: &mut Universe,
    flow: &FlowName,
    (row, to): (&IntentRow, CommitId),
    at: Option<CommitId>,
    delayed: bool,
) {
    let dag = it.dag(flow);
    let Some(old) = at else {
        it.violation(format!("I1: {} was created by us", row.env));
        return;
    };
    if old != row.old {
        it.violation(format!("I1: {} was at {old}, and was decided on at {}", row.env, row.old));
    }
    if row.kind == MoveKind::Rollback {
        return;
    }
    if !dag.contains(to, old) || !dag.contains(to, row.new) {
        it.violation(format!("I1: {} moved from {old} to {to}, which does not contain it", row.env));
    }
    // A push that was on the wire for long may reach the server after its intent was settled; if
    // somebody has put the branch back to `old` meanwhile, it moves it. Nothing but the server
    // could prevent that, so only pushes that arrive at once are held to this.
    let stored = it.book.intents.get(&row.id).map(|r| r.state);
    if !delayed && stored != Some(IntentState::Pushing) {
        it.violation(format!("I3: {} moves a branch while its row says {stored:?}", row.id));
    }
    if !delayed {
        not_taken_back(it, flow, row);
    }
    earned(it, flow, row);
    not_rolled_back(it, flow, row, old);
}

/// I2: every configured gate passes by the truth. CI may have changed after the last reading, so
/// green at any time since the intent was saved counts.
fn earned(it: &mut Universe, name: &FlowName, row: &IntentRow) {
    let flow = it.flow(name).clone();
    let Some(edge) = flow.edge(&row.env) else { return };
    let order_gone =
        |kind| row.overrides.iter().any(|_| kind != towpath_core::model::GateKind::Ci) || row.promote.is_some();
    for gate in &edge.target.gates {
        match gate {
            Gate::Ci(_) if row.overrides.is_empty() => {
                for check in super::REQUIRED {
                    if !was_green(it, name, row, check) {
                        it.violation(format!("I2: {} entered {} without a green {check}", row.new, row.env));
                    }
                }
            }
            // It is asked once more after the intent was saved.
            Gate::Http(_) if row.overrides.is_empty() => {
                let at_save = it.book.passed_at_save.get(&row.id).copied().unwrap_or(0);
                if !it.gates.passed[at_save..].contains(&row.new) {
                    it.violation(format!("I2: {} entered {} and its gate did not let it pass", row.new, row.env));
                }
            }
            Gate::Lag(lag) if !order_gone(towpath_core::model::GateKind::Lag) => {
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

fn was_green(it: &Universe, flow: &FlowName, row: &IntentRow, check: &str) -> bool {
    let at_save = it.book.reports_at_save.get(&row.id).copied().unwrap_or(0);
    let mut state = None;
    let mut green = false;
    for (at, report) in it.book.reports.get(flow).into_iter().flatten().enumerate() {
        if at == at_save {
            green |= state == Some(CiState::Green);
        }
        if report.commit == row.new && report.name.as_str() == check {
            state = Some(report.state);
            green |= at >= at_save && state == Some(CiState::Green);
        }
    }
    let none_since = it.book.reports.get(flow).map_or(0, Vec::len) <= at_save;
    green || (none_since && state == Some(CiState::Green))
}

/// I5: what a person took back right after our push does not come again, seen or not, before a
/// person has lifted what it caused or let Towpath go on. (A push that reached the server after its
/// process had read the branch is excepted: that landed and was taken back between two looks.)
fn not_taken_back(it: &mut Universe, flow: &FlowName, row: &IntentRow) {
    let dag = it.dag(flow);
    let repository = &it.repositories[flow];
    let moves: Vec<_> = repository.moves.iter().enumerate().filter(|(_, m)| m.branch == row.branch).collect();
    let [.., (_, ours), (at, theirs)] = moves[..] else { return };
    let taken_back = ours.by.is_some() && !ours.delayed && theirs.by.is_none() && theirs.old == ours.new;
    let to_old = theirs.new == Some(row.old) && ours.old == theirs.new;
    let again = ours.new.is_some_and(|lost| dag.contains(row.new, lost));
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
    let dag = it.dag(flow);
    let there = dag.ancestors([old]);
    let range = dag.ancestors([row.new]);
    let holds = it.book.ledgers[flow].standing.holds.clone();
    for hold in holds.iter().filter(|h| h.bears_on(flow, &row.env)) {
        // A hold that was placed after the push began does not stop it; its reply said so.
        if row.holds.iter().all(|(id, _)| id != &hold.id) {
            continue;
        }
        if hold.fixed_by.is_some_and(|fix| dag.has(&range, fix)) {
            continue;
        }
        let covered = match hold.what {
            Held::Commit(commit) => dag.has(&range, commit) && !dag.has(&there, commit),
            Held::Range { lost, kept } => {
                let (lost, kept) = (dag.ancestors([lost]), dag.ancestors([kept]));
                dag.minus(&range, &there).any(|n| dag.has(&lost, n.id) && !dag.has(&kept, n.id))
            }
        };
        if covered {
            it.violation(format!("I5: {} entered {} in spite of hold {}", row.new, row.env, hold.id));
        }
    }
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
        let happened = moves.iter().any(|m| m.branch == row.branch && m.new == Some(effect.new));
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
