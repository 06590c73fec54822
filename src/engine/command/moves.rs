//! Orders that make something move: override and rollback; `promote` is in `super::promote`.

use std::collections::BTreeSet;

use towpath_core::act::Input;
use towpath_core::command::{Command, CommitWord};
use towpath_core::decide;
use towpath_core::decide::gates::migrations::Asks;
use towpath_core::model::{
    Change, CommitId, Edge, EnvName, Fact, Flow, GateKind, Held, Hold, IntentRow, IntentState, Mode, MoveKind,
    OrderId, Override, Pause, PauseKind, Reason, Scope, Span, Standing, Tip, Until, Via, Waiting,
};

use super::{Dry, Exact, Giving, Refusal, Reply, commits, migrations, orders};
use crate::engine::run::{self, Runner};
use crate::engine::tick::{self, Planned};
use crate::engine::world::{Fault, World};

/// How long `promote` and `override` stand.
pub(super) const STANDS: Span = Span::from_mins(60);

pub(super) fn pointless<T>(why: String) -> Result<T, Refusal> {
    Err(Refusal::Pointless { why })
}

/// Freeze refuses people too.
pub(super) fn not_frozen<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    env: &EnvName,
    planned: &Planned,
) -> Result<(), Refusal> {
    let frozen = planned
        .ledger
        .standing
        .pauses
        .iter()
        .find(|pause| pause.kind == PauseKind::Freeze && pause.stands_on(&flow.name, env, giving.now.wall));
    match frozen {
        Some(freeze) => {
            let why = giving.words(flow).reason(&decide::pause_reason(freeze));
            pointless(format!("{}. `resume` lifts it", why.trim_end_matches('.')))
        }
        None => Ok(()),
    }
}

/// That the branches of an edge can be read: else nobody knows what could enter.
pub(super) fn can_be_read<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    env: &EnvName,
    planned: &Planned,
) -> Result<(), Refusal> {
    let seen = planned.seen.edges.iter().find(|edge| &edge.env == env);
    let unknown = seen.and_then(|seen| match (&seen.source, &seen.target, &seen.graph) {
        (Tip::Unknown(unknown), ..) | (_, Tip::Unknown(unknown), _) | (.., Fact::Unknown(unknown)) => Some(unknown),
        _ => None,
    });
    match unknown {
        Some(unknown) => {
            let because = giving.words(flow).reason(&Reason::Unknown(unknown.clone()));
            Err(Refusal::Unread { why: format!("What could enter `{env}` cannot be told now: {because}") })
        }
        None => Ok(()),
    }
}

/// The commit of the source that somebody named, if the target lacks it and could get it.
pub(super) fn waiting<'p>(planned: &'p Planned, env: &EnvName, commit: CommitId) -> Option<&'p Waiting> {
    let seen = planned.seen.edges.iter().find(|edge| &edge.env == env)?;
    seen.graph.known()?.waiting.iter().find(|waiting| waiting.id == commit && waiting.on_chain)
}

/// `override`: passes one gate for one candidate.
pub async fn pass_gate<W: World>(
    giving: &Giving<'_, W>,
    gate: GateKind,
    flow: &str,
    env: &str,
    word: &CommitWord,
    reason: &str,
) -> Result<Reply, Refusal> {
    let (flow, env) = orders::edge(giving, flow, env)?;
    if flow.environment(&env).and_then(|e| e.gate(gate)).is_none() {
        return pointless(format!("`{env}` of `{}` has no gate `{}`", flow.name, gate.key()));
    }
    let planned = tick::plan(giving.world, flow).await?;
    not_frozen(giving, flow, &env, &planned)?;
    can_be_read(giving, flow, &env, &planned)?;
    let commit = commits::find(giving, flow, word).await?;
    let Some(edge) = flow.edge(&env) else { return pointless(format!("`{env}` is no target")) };
    // What a rollback goes back to can be let through, too: nothing but this gate stops one.
    let held = || planned.ledger.held.get(&env).into_iter().flatten().any(|tip| tip.commit == commit && !tip.lost);
    let back = gate == GateKind::Migrations && edge.target.rollback && held();
    if waiting(&planned, &env, commit).is_none() && !back {
        let commit = commit.short();
        return pointless(format!("{commit} is not on the source branch above what `{env}` has"));
    }
    let accepts = match gate {
        GateKind::Migrations => migrations::against(giving, &edge, &planned, commit, Asks::Both).await,
        _ => Vec::new(),
    };
    let until = giving.now.wall + STANDS;
    let order = Override {
        id: giving.id("override"),
        gate,
        flow: flow.name.clone(),
        env: env.clone(),
        commit,
        by: giving.by.clone(),
        reason: reason.to_owned(),
        at: giving.now.wall,
        until,
        request: None,
        // Two environments may run the same code.
        accepts: accepts.iter().map(|(one, _)| one.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
    };
    let line = format!(
        "{} passes the gate `{}` of `{env}` until {} or until it lands.",
        commit.short(),
        gate.key(),
        giving.words(flow).at(until)
    );
    let mut lines = vec![line];
    if gate == GateKind::Migrations {
        lines.extend(migrations::receipt(&giving.words(flow), &accepts));
    }
    if flow.environment(&env).is_some_and(|e| e.via == Via::MergeRequest) {
        lines.push("If it is in the request by then, it passes as long as the request is for it.".to_owned());
    }
    giving.settle(Some(&flow.name), None, vec![Change::Override(order)], lines).await
}

/// `rollback`: one hold over what is removed, the edge paused, and the branch put back.
pub async fn rollback<W: World>(
    giving: &Giving<'_, W>,
    flow: &str,
    env: &str,
    to: Option<&CommitWord>,
    reason: &str,
) -> Result<Reply, Refusal> {
    let (flow, env) = orders::edge(giving, flow, env)?;
    let Some(edge) = flow.edge(&env) else { return pointless(format!("`{env}` is no target")) };
    if !edge.target.rollback {
        let why = format!(
            "`{env}` of `{}` may not be rolled back by command; set `rollback = true` there, or push it back by hand \
             (Towpath holds what was removed then too)",
            flow.name
        );
        return Err(Refusal::NotPermitted { why });
    }
    if edge.target.mode == Mode::Observe {
        let why =
            format!("`{env}` of `{}` is only observed (`mode = \"observe\"`): nothing is pushed there", flow.name);
        return pointless(why);
    }
    let planned = tick::plan(giving.world, flow).await?;
    let Some(Tip::At(old)) = planned.look.tips.get(&env).cloned() else {
        return pointless(format!("where `{env}` is cannot be read now"));
    };
    if let Some(shown) = giving.who.shown
        && shown != old
    {
        let (shown, old) = (shown.short(), old.short());
        return pointless(format!("`{env}` was at {shown} when this was shown and is at {old} now; say it again"));
    }
    let to = match to {
        Some(word) => Some(commits::find(giving, flow, word).await?),
        None => None,
    };
    let new = rollback_to(&planned, &env, old, to)?;
    let passes = migrations::lets_back(giving, &edge, &planned, new).await?;
    let (row, changes, lines) =
        rollback_order(giving, &edge, &planned.ledger.standing, (old, new), passes.as_ref(), reason);
    if giving.dry == Dry::Run {
        let reply = giving.settle(Some(&flow.name), None, Vec::new(), lines).await?;
        let exact = CommitWord::prefix(&new.to_string()).map(|to| Exact {
            command: Command::Rollback {
                flow: flow.name.to_string(),
                env: env.to_string(),
                to: Some(to),
                reason: reason.to_owned(),
            },
            tip: Some(old),
        });
        return Ok(Reply { exact, ..reply });
    }
    let scope = Scope::Edge(flow.name.clone(), env.clone());
    let mut reply = giving.settle(Some(&flow.name), Some(&scope), changes, lines).await?;
    let (moved, lines) = carry_through(giving, flow, &planned, row).await?;
    reply.lines.extend(lines);
    reply.moved = moved;
    Ok(reply)
}

/// The commit to go back to: one that the environment held, and that its tip contains.
fn rollback_to(planned: &Planned, env: &EnvName, old: CommitId, to: Option<CommitId>) -> Result<CommitId, Refusal> {
    let dag = planned.look.dag();
    if dag.node(old).is_none() {
        // Without history nothing is known to be behind: what was held last may well be ahead.
        return pointless(format!(
            "the history of `{env}` cannot be read now, so what is behind it cannot be told"
        ));
    }
    let held: Vec<CommitId> =
        planned.ledger.held.get(env).into_iter().flatten().filter(|t| !t.lost).map(|t| t.commit).collect();
    let behind = |commit: CommitId| commit != old && dag.contains(old, commit);
    match to {
        None => match held.iter().rev().find(|commit| behind(**commit)) {
            Some(commit) => Ok(*commit),
            None => pointless(format!("no earlier tip of `{env}` is recorded; there is nothing to go back to")),
        },
        Some(commit) if commit == old => pointless(format!("`{env}` is at {} already", commit.short())),
        Some(commit) if !held.contains(&commit) => {
            let list: Vec<String> =
                held.iter().rev().filter(|c| behind(**c)).take(5).map(CommitId::short).collect();
            pointless(format!(
                "`{env}` never held {} as its tip; it held {}",
                commit.short(),
                if list.is_empty() { "nothing else that is recorded".to_owned() } else { list.join(", ") }
            ))
        }
        Some(commit) if !behind(commit) => {
            pointless(format!("{} is not behind where `{env}` is; a rollback goes back only", commit.short()))
        }
        Some(commit) => Ok(commit),
    }
}

fn rollback_order<W: World>(
    giving: &Giving<'_, W>,
    edge: &Edge<'_>,
    standing: &Standing,
    (old, new): (CommitId, CommitId),
    passes: Option<&OrderId>,
    reason: &str,
) -> (IntentRow, Vec<Change>, Vec<String>) {
    let (flow, env) = (edge.flow.name.clone(), edge.target.name.clone());
    let (hold, by, at) = (giving.id("rollback"), giving.by.clone(), giving.now.wall);
    let mut row = IntentRow {
        id: towpath_core::model::IntentId::new(""),
        flow: flow.clone(),
        env: env.clone(),
        branch: edge.target.branch.clone(),
        kind: MoveKind::Rollback,
        old,
        new,
        policy: edge.flow.policy.clone(),
        // The instant tells rollbacks between the same two commits apart.
        attempt: run::attempt(giving.now),
        by: by.clone(),
        reason: Some(reason.to_owned()),
        promote: None,
        // It is judged once more right before the push, and the order is spent when it lands.
        overrides: passes.into_iter().cloned().collect(),
        holds: Vec::new(),
        state: IntentState::Saved,
        saved: giving.now,
        deadline: None,
        words: None,
        merge: None,
    };
    row.id = run::intent_id(&row);
    let held = Hold {
        id: hold.clone(),
        what: Held::Range { lost: old, kept: new },
        flow: Some(flow.clone()),
        env: Some(env.clone()),
        by: by.clone(),
        reason: reason.to_owned(),
        at,
        fixed_by: None,
    };
    let pause = Pause {
        id: giving.id("pause"),
        kind: PauseKind::Pause,
        scope: Scope::Edge(flow.clone(), env.clone()),
        by,
        reason: reason.to_owned(),
        at,
        until: Until::Resumed,
        cause: Some(hold),
        began: Some(giving.now.trusted),
    };
    let mut changes = vec![Change::Intent(row.clone()), Change::Hold(held), Change::Pause(pause)];
    // No order from before may bring back what is taken away now. What lets the rollback itself pass is for
    // a commit that the target contains then.
    let promotes = standing.promotes.iter().filter(|o| o.env == env).map(|o| o.id.clone());
    let spent = |o: &&Override| o.env == env && passes != Some(&o.id);
    let overrides = standing.overrides.iter().filter(spent).map(|o| o.id.clone());
    changes.push(Change::Spend(promotes.chain(overrides).collect()));
    let lines = vec![
        format!("`{env}` of `{flow}` goes back from {} to {}.", old.short(), new.short()),
        format!(
            "What it loses is held and `{env}` is paused. To go again: `towpath unhold {} {flow} {env}` (with \
             `--fixed-by FIX` to let only candidates with the fix pass), then `towpath resume {flow} {env}`.",
            old.short()
        ),
    ];
    (row, changes, lines)
}

/// Runs the saved rollback, unless another process is at work: then that one does.
async fn carry_through<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    planned: &Planned,
    row: IntentRow,
) -> Result<(Option<IntentRow>, Vec<String>), Refusal> {
    let lease = match giving.world.lease(&flow.name).await {
        Ok(Some(lease)) => lease,
        Ok(None) => {
            let line = "Another process is at work on this flow; it carries the rollback out at its next look.";
            return Ok((None, vec![line.to_owned()]));
        }
        Err(fault) => return broke_off(fault),
    };
    let targets = tick::targets(flow);
    let mut runner = Runner { world: giving.world, flow, lease: &lease, targets: &targets };
    let done: Result<IntentRow, Fault> = async {
        let mut ledger = giving.world.load(flow).await?;
        let row = runner.run(&mut ledger, &planned.look, row, Input::Saved).await?;
        match run::deliver(&mut runner, &mut ledger).await {
            Err(Fault::Crashed) => Err(Fault::Crashed),
            Err(fault) => {
                tracing::warn!(flow = flow.name.as_str(), %fault, "what is to be told of it is told at the next look");
                Ok(row)
            }
            Ok(()) => Ok(row),
        }
    }
    .await;
    giving.world.release(lease).await;
    let row = match done {
        Ok(row) => row,
        Err(fault) => return broke_off(fault),
    };
    let mut lines = vec![giving.words(flow).intent(&row)];
    if row.state != IntentState::Landed {
        lines.push("The hold and the pause stay.".to_owned());
    }
    Ok((Some(row), lines))
}

/// What was ordered stands: who is told of the fault alone would think that it does not.
fn broke_off(fault: Fault) -> Result<(Option<IntentRow>, Vec<String>), Refusal> {
    if fault == Fault::Crashed {
        return Err(fault.into());
    }
    let lines = vec![
        format!("Carrying it out broke off: {}.", fault.to_string().trim_end_matches('.')),
        "The rollback, the hold and the pause stand all the same: `towpath serve` goes on with it at its next look, or \
         `towpath run`. Whether the branch has moved, `towpath status` says then."
            .to_owned(),
    ];
    Ok((None, lines))
}
