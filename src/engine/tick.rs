//! One pass over one flow: lease, recover, observe, decide, act, record, tell.
//!
//! `plan` stops before acting and stores nothing; everything else that moves a branch comes
//! through [`tick`]. Nothing here is policy.

use towpath_core::act::Input;
use towpath_core::model::{
    Action, Change, Decision, DecisionRow, EnvName, Flow, IntentRow, IntentState, Ledger, Mode, MoveKind, Now,
    Observation, Plan,
};
use towpath_core::see;

use super::beside;
use super::closing;
use super::observe::{self, Look};
use super::propose;
use super::run::{self, Runner};
use super::say;
use super::world::{Fault, World};

/// What came of a tick.
#[derive(Debug, Clone)]
pub enum Ticked {
    /// Another live process is at work on the flow; nothing was looked at.
    Leased,
    /// Looked, decided, and acted where something was to be done.
    Done(Box<Pass>),
}

/// What a whole pass found and did.
#[derive(Debug, Clone)]
pub struct Pass {
    /// What was decided.
    pub plan: Plan,
    /// What it was decided on.
    pub seen: Observation,
    /// What came of each intent that was run, those recovered from an earlier process included.
    pub acted: Vec<Acted>,
    /// Where something was run: what was decided after it, and is stored.
    pub after: Option<Plan>,
    /// The ledger as the pass leaves it.
    pub ledger: Ledger,
}

/// What came of one intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The intent as it stands now.
    pub row: IntentRow,
    /// Whether it was begun by an earlier tick or process.
    pub recovered: bool,
}

/// What `plan` shows, with what it was decided on.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What was decided.
    pub plan: Plan,
    /// What it was decided on.
    pub seen: Observation,
    /// The look.
    pub look: Look,
    /// The ledger, which has noted the look in memory only.
    pub ledger: Ledger,
}

/// One pass over one flow.
///
/// # Errors
/// Only when the store fails; everything else is part of what was decided.
pub async fn tick<W: World>(world: &W, flow: &Flow) -> Result<Ticked, Fault> {
    let Some(lease) = world.lease(&flow.name).await? else { return Ok(Ticked::Leased) };
    let pass = pass(world, flow, &lease).await;
    world.release(lease).await;
    pass.map(|pass| Ticked::Done(Box::new(pass)))
}

async fn pass<W: World>(world: &W, flow: &Flow, lease: &W::Lease) -> Result<Pass, Fault> {
    let targets = targets(flow);
    let mut ledger = world.load(flow).await?;
    let look = observe::look(world, flow, &ledger).await?;

    let mut runner = Runner { world, flow, lease, targets: &targets };
    let mut acted = recover(&mut runner, &mut ledger, &look).await?;
    // What was recovered may have moved a branch since the look, and the ledger knows; against the
    // older look that would read as somebody having moved it back.
    let look = if acted.is_empty() { look } else { observe::look(world, flow, &ledger).await? };

    let (plan, mut seen) = note_and_decide(&mut runner, &mut ledger, &look).await?;
    let closing = closing::close(&mut runner, &mut ledger, &look, &mut seen).await?;

    let mut proposed = false;
    // Target-most first: a commit crosses at most one border a tick.
    for decision in plan.decisions.iter().rev() {
        let observe_only = flow.environment(&decision.env).is_none_or(|e| e.mode == Mode::Observe);
        // What was decided while the last request was open is decided anew without it.
        let stays = observe_only || closing.contains(&decision.env);
        let Some(action) = decision.action.as_ref().filter(|_| !stays) else { continue };
        match action {
            Action::FastForward { .. } => {
                let row = intent(flow, &ledger, &decision.env, action, look.now);
                let Some(row) = row else { continue };
                let row = runner.run(&mut ledger, &look, row, Input::New).await?;
                acted.push(Acted { row, recovered: false });
            }
            Action::Propose { head, from, .. } => {
                proposed |= propose::propose(&mut runner, &mut ledger, &look, decision, (*head, *from)).await?;
            }
        }
    }
    let mut after = None;
    let mut last = look;
    if !acted.is_empty() || proposed {
        // What is stored and shown has to be true after the move too. Nothing is acted on: a
        // commit crosses one border a tick. The ledger is read again, for people may have ordered
        // something meanwhile.
        ledger = world.load(flow).await?;
        last = observe::look(world, flow, &ledger).await?;
        let (plan, then) = note_and_decide(&mut runner, &mut ledger, &last).await?;
        (after, seen) = (Some(plan), then);
        closing::close(&mut runner, &mut ledger, &last, &mut seen).await?;
    }
    run::deliver(&mut runner, &mut ledger).await?;
    let sayings = say::sayings(flow, after.as_ref().unwrap_or(&plan), &seen, &ledger, last.dag());
    world.say(flow, &sayings, last.dag()).await;
    Ok(Pass { plan, seen, acted, after, ledger })
}

/// Lets the ledger learn what the look shows, decides, and records the decisions.
async fn note_and_decide<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    look: &Look,
) -> Result<(Plan, Observation), Fault> {
    let (world, flow) = (runner.world, runner.flow);
    let mut changes = observe::note_dated(world, flow, ledger, look).await;
    let hands = beside::hands(world, flow, ledger, look, &changes).await;
    changes.extend(hands);
    let reminds = changes.iter().any(|change| matches!(change, Change::Remind { .. }));
    runner.commit(ledger, changes).await?;
    if reminds {
        // Another flow that the same order covers may have been faster: only the store knows.
        *ledger = world.load(flow).await?;
    }
    let mut seen = observe::observation(flow, ledger, look);
    let plan = observe::decide(world, flow, look, &mut seen).await;
    let mut changes = decided(ledger, &plan);
    changes.extend(propose::confirmed(world, ledger, &seen).await?);
    changes.extend(propose::overrides(ledger, &seen));
    changes.extend(see::would(ledger, &plan));
    changes.extend(see::behind(flow, ledger, &plan));
    changes.extend(see::blocked(flow, ledger, &plan));
    changes.extend(see::heads_up(flow, ledger, &plan, look.dag()));
    changes.push(Change::Looked(look.now));
    runner.commit(ledger, changes).await?;
    propose::announce_found(runner, ledger, &seen).await?;
    Ok((plan, seen))
}

/// Decides afresh and stores only that, so that what is shown after an order is true. Nothing is
/// acted on.
///
/// # Errors
/// When the store failed.
pub async fn redecide<W: World>(world: &W, flow: &Flow) -> Result<(), Fault> {
    let planned = plan(world, flow).await?;
    let changes = decided(&planned.ledger, &planned.plan);
    if !changes.is_empty() {
        world.commit(None, Some(&flow.name), &changes).await?;
    }
    Ok(())
}

/// Observes and decides afresh and stores nothing: what `plan` shows.
///
/// # Errors
/// Only when the store cannot be read.
pub async fn plan<W: World>(world: &W, flow: &Flow) -> Result<Planned, Fault> {
    let targets = targets(flow);
    let mut ledger = world.load(flow).await?;
    let look = observe::look(world, flow, &ledger).await?;
    for change in observe::note_dated(world, flow, &ledger, &look).await {
        ledger.apply(&flow.name, &targets, &change);
    }
    let mut seen = observe::observation(flow, &ledger, &look);
    let plan = observe::decide(world, flow, &look, &mut seen).await;
    Ok(Planned { plan, seen, look, ledger })
}

/// The environments that commits enter.
pub fn targets(flow: &Flow) -> Vec<EnvName> {
    flow.edges().map(|edge| edge.target.name.clone()).collect()
}

/// Brings intents of earlier ticks and dead processes to their end, as far as that is known yet.
async fn recover<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    look: &Look,
) -> Result<Vec<Acted>, Fault> {
    let open: Vec<IntentRow> = ledger.intents.iter().filter(|row| !row.state.is_final()).cloned().collect();
    let mut acted = Vec::new();
    for row in open {
        let row = runner.run(ledger, look, row, Input::Found).await?;
        acted.push(Acted { row, recovered: true });
    }
    Ok(acted)
}

/// Decisions that differ from the stored ones. What comes to be near is no other decision: it reads as before.
fn decided(ledger: &Ledger, plan: &Plan) -> Vec<Change> {
    let changed = plan.decisions.iter().filter_map(|decision| {
        let stored = ledger.decisions.get(&decision.env);
        if stored.is_some_and(|row| row.decision == *decision) {
            return None;
        }
        let as_before =
            |row: &&DecisionRow| Decision { ahead: decision.ahead.clone(), ..row.decision.clone() } == *decision;
        let since = stored.filter(as_before).map_or(plan.now.wall, |row| row.since);
        let row = Box::new(DecisionRow { decision: decision.clone(), since });
        Some(Change::Decided { env: decision.env.clone(), row })
    });
    changed.collect()
}

/// The intent for an action, or `None` while an earlier one on the edge is not settled.
fn intent(flow: &Flow, ledger: &Ledger, env: &EnvName, action: &Action, now: Now) -> Option<IntentRow> {
    let edge = flow.edge(env)?;
    if ledger.intents.iter().any(|row| &row.env == env && !row.state.is_final()) {
        return None;
    }
    let Action::FastForward { old, new, promote, overrides, merge } = action else { return None };
    let order = promote.as_ref().and_then(|id| ledger.standing.promotes.iter().find(|p| &p.id == id));
    let mut row = IntentRow {
        id: towpath_core::model::IntentId::new(""),
        flow: flow.name.clone(),
        env: env.clone(),
        branch: edge.target.branch.clone(),
        kind: MoveKind::FastForward,
        old: *old,
        new: *new,
        policy: flow.policy.clone(),
        // The instant tells intents apart whose other values are the same.
        attempt: run::attempt(now),
        by: order.map_or_else(|| towpath_core::model::Actor::new(run::US), |order| order.by.clone()),
        reason: order.map(|order| order.reason.clone()),
        promote: promote.clone(),
        overrides: overrides.clone(),
        holds: towpath_core::act::holds_on(&ledger.standing, &edge),
        state: IntentState::Saved,
        saved: now,
        deadline: None,
        words: None,
        merge: *merge,
    };
    row.id = run::intent_id(&row);
    Some(row)
}
