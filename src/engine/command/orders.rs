//! Orders that only change what stands: pause, resume, hold, unhold, retry, report (`approve` is in `super::approve`).

use std::collections::BTreeMap;

use towpath_core::command::{Command, CommitWord, Lasting, Place, Target, Verb};
use towpath_core::model::{
    Change, CommitId, EnvName, Fact, Flow, Held, Hold, OrderId, Pause, PauseKind, Proposed, Report, Scope, Tip,
    Until, Via,
};
use towpath_core::see;
use towpath_core::text::one_line;

use super::{Giving, Refusal, Reply, commits};
use crate::config::FlowConfig;
use crate::engine::observe;
use crate::engine::tick::{self, Planned};
use crate::engine::world::World;

/// How much of a reason is repeated.
const REASON_SHOWN: usize = 200;

fn scope<W: World>(giving: &Giving<'_, W>, target: &Target) -> Result<Scope, Refusal> {
    let scope = giving.config.target(&target.words())?;
    if giving.config.reach(&scope).is_empty() {
        return Err(Refusal::Pointless { why: "no flow is configured that this would reach".to_owned() });
    }
    Ok(scope)
}

fn scope_words(scope: &Scope, flows: usize) -> String {
    let s = if flows == 1 { "" } else { "s" };
    match scope {
        Scope::All => format!("every flow ({flows} flow{s})"),
        Scope::Flow(flow) => format!("`{flow}`"),
        Scope::Edge(flow, env) => format!("`{env}` of `{flow}`"),
        Scope::Environment(env) => format!("`{env}` of {flows} flow{s}"),
    }
}

/// `pause` and `freeze`.
pub async fn pause<W: World>(giving: &Giving<'_, W>) -> Result<Reply, Refusal> {
    let Command::Pause { kind, target, until, reason } = giving.command else {
        return Err(Refusal::Pointless { why: "this is no pause".to_owned() });
    };
    let scope = scope(giving, target)?;
    let reached = where_something_enters(giving, &scope, *kind)?;
    let zone = reached.first().map_or(chrono_tz::Tz::UTC, |found| found.flow.zone);
    let until = match until {
        Lasting::Default => Until::At(giving.now.wall + Lasting::DEFAULT),
        Lasting::For(span) => Until::At(giving.now.wall + *span),
        Lasting::Until(when) => Until::At(when.resolve(giving.now.wall, zone)?),
        Lasting::UntilResumed => Until::Resumed,
    };
    let what = scope_words(&scope, reached.len());
    let done = match kind {
        PauseKind::Pause => "paused",
        PauseKind::Freeze => "frozen",
    };
    let ends = match until {
        Until::At(at) => format!("until {}", giving.at(&scope, at)),
        Until::Resumed => "until somebody resumes it".to_owned(),
    };
    let line = format!("{} is {done} {ends}: {}", capital(&what), one_line(reason, REASON_SHOWN));
    let row = Pause {
        id: giving.id(match kind {
            PauseKind::Pause => "pause",
            PauseKind::Freeze => "freeze",
        }),
        kind: *kind,
        scope: scope.clone(),
        by: giving.by.clone(),
        reason: reason.clone(),
        at: giving.now.wall,
        until,
        cause: None,
        began: Some(giving.now.trusted),
    };
    giving.settle(None, Some(&scope), vec![Change::Pause(row)], vec![line]).await
}

/// The flows that a pause or freeze reaches. Into the first environment of a flow nothing is moved: to say that it is
/// paused would leave somebody believing that something has stopped.
fn where_something_enters<'c, W: World>(
    giving: &Giving<'c, W>,
    scope: &Scope,
    kind: PauseKind,
) -> Result<Vec<&'c FlowConfig>, Refusal> {
    let reached = giving.config.reach(scope);
    let (Scope::Edge(_, env) | Scope::Environment(env)) = scope else { return Ok(reached) };
    let (enters, first): (Vec<_>, Vec<_>) = reached.into_iter().partition(|found| found.flow.edge(env).is_some());
    let verb = match kind {
        PauseKind::Pause => "pause",
        PauseKind::Freeze => "freeze",
    };
    let [found, more @ ..] = &first[..] else { return Ok(enters) };
    if !enters.is_empty() {
        return Ok(enters);
    }
    let flow = &found.flow;
    let of = if more.is_empty() {
        format!("`{}`", flow.name)
    } else {
        format!("all {} flows that have it", first.len())
    };
    let mut why = format!(
        "`{env}` is the first environment of {of}: people push there and nothing is moved into it, so there is nothing \
         to {verb}"
    );
    let next = flow.environments.iter().find(|next| flow.edge(&next.name).is_some());
    if let Some(next) = next.filter(|_| more.is_empty()) {
        why += &format!(
            "; to keep what is there from going on, {verb} where it enters next: `{verb} {} {}`",
            flow.name, next.name
        );
    }
    Err(Refusal::Pointless { why })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether `inner` lies wholly within `outer`.
pub fn within(inner: &Scope, outer: &Scope) -> bool {
    match (inner, outer) {
        (_, Scope::All) => true,
        (Scope::Flow(a) | Scope::Edge(a, _), Scope::Flow(b)) => a == b,
        (Scope::Environment(a) | Scope::Edge(_, a), Scope::Environment(b)) => a == b,
        (a, b) => a == b,
    }
}

/// `resume`: lifts pauses and freezes that lie within the target, and names those that do not.
pub async fn resume<W: World>(giving: &Giving<'_, W>, target: &Target) -> Result<Reply, Refusal> {
    let scope = scope(giving, target)?;
    let mut standing: BTreeMap<OrderId, Pause> = BTreeMap::new();
    for found in giving.config.reach(&scope) {
        let ledger = giving.world.load(&found.flow).await?;
        let targets = tick::targets(&found.flow);
        let bears = |p: &Pause| {
            !p.until.is_over(giving.now.wall)
                && targets
                    .iter()
                    .any(|env| p.scope.covers(&found.flow.name, env) && scope.covers(&found.flow.name, env))
        };
        standing.extend(ledger.standing.pauses.into_iter().filter(bears).map(|p| (p.id.clone(), p)));
    }
    let (lifted, left): (Vec<Pause>, Vec<Pause>) =
        standing.into_values().partition(|pause| within(&pause.scope, &scope));
    if lifted.is_empty() && left.is_empty() {
        let what = scope_words(&scope, giving.config.reach(&scope).len());
        return Err(Refusal::Pointless { why: format!("nothing is paused or frozen on {what}") });
    }
    let describe = |pause: &Pause| {
        let kind = match pause.kind {
            PauseKind::Pause => "pause",
            PauseKind::Freeze => "freeze",
        };
        let what = scope_words(&pause.scope, giving.config.reach(&pause.scope).len());
        let by = match pause.by.as_str() {
            see::SOMEBODY => "that a push from outside caused".to_owned(),
            by => format!("by `{}`", one_line(by, 80)),
        };
        format!("the {kind} of {what} {by}: {}", one_line(&pause.reason, REASON_SHOWN))
    };
    let mut lines: Vec<String> = lifted.iter().map(|p| format!("Lifted {}", describe(p))).collect();
    lines.extend(left.iter().map(|p| format!("Still in force, because it reaches further: {}", describe(p))));
    if lifted.is_empty() {
        return Err(Refusal::Pointless { why: lines.join("; ") });
    }
    // One that has a cause keeps what was taken back where it is.
    if lifted.iter().any(|pause| pause.kind == PauseKind::Freeze || pause.cause.is_some()) {
        giving.allowed_to(Verb::Freeze)?;
    }
    let ids = lifted.into_iter().map(|pause| pause.id).collect();
    giving.settle(None, None, vec![Change::Lift(ids)], lines).await
}

/// The flow and environment that a place names, and the flows to look in.
fn place<'c, W: World>(
    giving: &Giving<'c, W>,
    place: &Place,
) -> Result<(Vec<&'c Flow>, Option<Scope>, String), Refusal> {
    match place {
        Place::Everywhere => {
            let flows = giving.config.flows.iter().map(|found| &found.flow).collect();
            Ok((flows, None, "any flow".to_owned()))
        }
        Place::Flow(flow) => {
            let flow = &giving.config.flow(flow)?.flow;
            Ok((vec![flow], Some(Scope::Flow(flow.name.clone())), format!("flow `{}`", flow.name)))
        }
        Place::Edge(flow, env) => {
            let (flow, env) = edge(giving, flow, env)?;
            let words = format!("flow `{}`", flow.name);
            Ok((vec![flow], Some(Scope::Edge(flow.name.clone(), env)), words))
        }
    }
}

/// A flow and one of its target environments.
pub fn edge<'c, W: World>(
    giving: &Giving<'c, W>,
    flow: &str,
    env: &str,
) -> Result<(&'c Flow, towpath_core::model::EnvName), Refusal> {
    let found = giving.config.flow(flow)?;
    let environment = found.environment(env)?;
    if found.flow.edge(&environment.name).is_none() {
        let why = format!(
            "`{}` is the first environment of `{}`: people push there, and nothing is moved into it",
            environment.name, found.flow.name
        );
        return Err(Refusal::Pointless { why });
    }
    Ok((&found.flow, environment.name.clone()))
}

/// `hold`.
pub async fn hold<W: World>(
    giving: &Giving<'_, W>,
    word: &CommitWord,
    at: &Place,
    reason: &str,
) -> Result<Reply, Refusal> {
    let (flows, scope, place) = place(giving, at)?;
    let commit = commits::find_in(giving, &flows, word, &place).await?;
    let (flow, env) = match &scope {
        Some(Scope::Edge(flow, env)) => (Some(flow.clone()), Some(env.clone())),
        Some(Scope::Flow(flow)) => (Some(flow.clone()), None),
        _ => (None, None),
    };
    let where_ = env.as_ref().map_or_else(|| place.clone(), |env| format!("`{env}` of {place}"));
    let line = format!(
        "{} and everything that contains it is held back from {where_} until `unhold`: {}",
        commit.short(),
        one_line(reason, REASON_SHOWN)
    );
    let row = Hold {
        id: giving.id("hold"),
        what: Held::Commit(commit),
        flow: flow.clone(),
        env,
        by: giving.by.clone(),
        reason: reason.to_owned(),
        at: giving.now.wall,
        fixed_by: None,
    };
    let mut lines = vec![line];
    lines.extend(what_it_stops(giving, &flows, &row).await?);
    let scope = scope.unwrap_or(Scope::All);
    giving.settle(flow.as_ref(), Some(&scope), vec![Change::Hold(row)], lines).await
}

/// How many flows are looked at for what a hold stops in them.
const LOOKED_AT_MAX: usize = 20;

/// What a hold does not do: it takes nothing back, and it cannot bear on what nobody knows.
async fn what_it_stops<W: World>(
    giving: &Giving<'_, W>,
    flows: &[&Flow],
    hold: &Hold,
) -> Result<Vec<String>, Refusal> {
    let Held::Commit(commit) = hold.what else { return Ok(Vec::new()) };
    let (mut lines, mut known, mut stops, mut unread) =
        (Vec::new(), false, flows.len() > LOOKED_AT_MAX, Vec::new());
    for flow in flows.iter().take(LOOKED_AT_MAX) {
        let mut ledger = giving.world.load(flow).await?;
        // So that the history that is loaded has the commit, if there is one.
        ledger.standing.holds.push(hold.clone());
        let look = observe::look(giving.world, flow, &ledger).await?;
        let dag = look.dag();
        if dag.is_empty() {
            unread.push(format!("`{}`", flow.name));
            continue;
        }
        known |= dag.knows(commit);
        let has = |env: &EnvName| match look.tips.get(env) {
            Some(Tip::At(tip)) => dag.is_below(commit) || dag.contains(*tip, commit),
            _ => false,
        };
        let (there, ahead): (Vec<EnvName>, Vec<EnvName>) =
            tick::targets(flow).into_iter().filter(|env| hold.bears_on(&flow.name, env)).partition(has);
        stops |= !ahead.is_empty();
        if !there.is_empty() {
            let there: Vec<String> = there.iter().map(|env| format!("`{env}`")).collect();
            let it = if there.len() == 1 { "has" } else { "have" };
            lines.push(format!(
                "{} of `{}` {it} it already: a hold takes nothing back (`towpath rollback` does).",
                there.join(", "),
                flow.name
            ));
        }
    }
    let short = commit.short();
    if !unread.is_empty() {
        lines.push(format!(
            "What has {short} already cannot be told now: the branches of {} cannot be read.",
            unread.join(", ")
        ));
    } else if !known {
        lines.push(format!("Nobody knows {short} here yet; the hold counts from when it appears."));
    } else if !stops {
        lines.push("So this hold stops nothing now; it counts again where the commit is taken back.".to_owned());
    }
    Ok(lines)
}

/// `unhold`: ends the holds that cover the commit, or lets candidates with the fix pass.
pub async fn unhold<W: World>(
    giving: &Giving<'_, W>,
    word: &CommitWord,
    at: &Place,
    fixed_by: Option<&CommitWord>,
) -> Result<Reply, Refusal> {
    let (flows, scope, place) = place(giving, at)?;
    let commit = commits::find_in(giving, &flows, word, &place).await?;
    let fix = match fixed_by {
        Some(fix) => Some(commits::find_in(giving, &flows, fix, &place).await?),
        None => None,
    };
    let mut holds: BTreeMap<OrderId, Hold> = BTreeMap::new();
    let mut wider = Vec::new();
    for flow in flows {
        let planned = tick::plan(giving.world, flow).await?;
        let dag = planned.look.dag();
        let covers = |hold: &Hold| match hold.what {
            Held::Commit(held) => held == commit,
            Held::Range { lost, kept } => {
                lost == commit || (dag.contains(lost, commit) && !dag.contains(kept, commit))
            }
        };
        if let Some(fix) = fix {
            mends(dag, commit, fix)?;
        }
        let here = |hold: &Hold| match &scope {
            Some(Scope::Edge(flow, env)) => hold.flow.as_ref() == Some(flow) && hold.env.as_ref() == Some(env),
            Some(Scope::Flow(flow)) => hold.flow.as_ref() == Some(flow),
            _ => true,
        };
        for hold in planned.ledger.standing.holds.iter().filter(|hold| covers(hold)).cloned() {
            if here(&hold) {
                holds.insert(hold.id.clone(), hold);
            } else {
                let (id, reason) = (&hold.id, one_line(&hold.reason, REASON_SHOWN));
                wider.push(format!("Hold `{id}` ({reason}) stays: it reaches further or elsewhere."));
            }
        }
    }
    if holds.is_empty() {
        let mut why = format!("no hold on {place} covers {}; `towpath status` lists the holds", commit.short());
        for line in wider {
            why.push_str(". ");
            why.push_str(&line);
        }
        return Err(Refusal::Pointless { why });
    }
    // What a rollback or a push from outside took back stays back until somebody may order that.
    if holds.values().any(|hold| matches!(hold.what, Held::Range { .. })) {
        giving.allowed_to(Verb::Freeze)?;
    }
    let mut changes = Vec::new();
    let mut lines = Vec::new();
    for (id, hold) in holds {
        let reason = one_line(&hold.reason, REASON_SHOWN);
        lines.push(match fix {
            Some(fix) => {
                format!("Hold `{id}` ({reason}) now lets candidates pass that contain {}.", fix.short())
            }
            None => format!("Hold `{id}` ({reason}) is lifted."),
        });
        changes.push(Change::Unhold { hold: id, fixed_by: fix });
    }
    lines.append(&mut wider);
    giving.settle(None, None, changes, lines).await
}

/// A fix is made after what it mends: one that the held commit contains, or that every environment
/// has already, would let everything pass.
fn mends(dag: &towpath_core::dag::Dag, held: CommitId, fix: CommitId) -> Result<(), Refusal> {
    if dag.node(fix).is_some() && !dag.contains(held, fix) {
        return Ok(());
    }
    let (held, fix) = (held.short(), fix.short());
    let why = format!("{fix} cannot be the fix of {held}: it is older. Push the fix first, then name its commit");
    Err(Refusal::Pointless { why })
}

/// `retry`: ends the wait after a refused push, and goes on without a request that somebody closed.
pub async fn retry<W: World>(giving: &Giving<'_, W>, flow: &str, env: &str) -> Result<Reply, Refusal> {
    let (flow, env) = edge(giving, flow, env)?;
    let ledger = giving.world.load(flow).await?;
    let mut changes = Vec::new();
    if ledger.standing.backoffs.iter().any(|backoff| backoff.env == env) {
        changes.push(Change::ClearBackoff(env.clone()));
    }
    if flow.environment(&env).is_some_and(|e| e.via == Via::MergeRequest) {
        let planned = tick::plan(giving.world, flow).await?;
        changes.extend(without_closed(giving, flow, &planned, &env));
    }
    if changes.is_empty() {
        let why = format!("no push to `{env}` of `{}` was refused lately; there is nothing to retry", flow.name);
        return Err(Refusal::Pointless { why });
    }
    let line = format!("The next look tries `{env}` of `{}` again at once.", flow.name);
    giving.settle(Some(&flow.name), None, changes, vec![line]).await
}

/// Where a closed request blocks the edge: that it is passed over from now on.
pub(super) fn without_closed<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    planned: &Planned,
    env: &EnvName,
) -> Option<Change> {
    flow.environment(env).filter(|e| e.via == Via::MergeRequest)?;
    let requests = planned.seen.facts.requests.get(env).and_then(Fact::known);
    let closed = requests.filter(|requests| requests.open.is_none())?.closed.as_ref()?;
    let row = planned.ledger.proposed.get(env).cloned().unwrap_or(Proposed {
        head: closed.head,
        before: None,
        at: giving.now,
        confirmed: None,
        passed_over: None,
        announced: None,
        until: None,
    });
    let row = Proposed { passed_over: Some(closed.number), ..row };
    Some(Change::PassOver { env: env.clone(), row })
}

/// `report`.
pub async fn report<W: World>(giving: &Giving<'_, W>) -> Result<Reply, Refusal> {
    let Command::Report { flow, commit, name, state, on, url } = giving.command else {
        return Err(Refusal::Pointless { why: "this is no report".to_owned() });
    };
    let flow = &giving.config.flow(flow)?.flow;
    let commit: CommitId = commits::find(giving, flow, commit).await?;
    let word = towpath_core::command::state_word(*state);
    let line = format!("`{}` of {} is recorded as {word}.", one_line(name.as_str(), 100), commit.short());
    let row = Report {
        commit,
        name: name.clone(),
        on: on.clone(),
        state: *state,
        url: url.clone(),
        by: giving.by.clone(),
        at: giving.now,
    };
    giving.settle(Some(&flow.name), None, vec![Change::Report(row)], vec![line]).await
}
