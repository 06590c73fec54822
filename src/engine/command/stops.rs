//! `pause`, `freeze` and `resume`: what stops everything in a scope, and what passes it.

use std::collections::BTreeMap;

use towpath_core::command::{Command, Lasting, Target, Verb};
use towpath_core::model::{Change, EnvName, Flow, IntentRow, OrderId, Pause, PauseKind, Promote, Scope, Until};
use towpath_core::see;
use towpath_core::text::one_line;

use super::orders::REASON_SHOWN;
use super::{Dry, Giving, Refusal, Reply};
use crate::config::FlowConfig;
use crate::engine::tick;
use crate::engine::world::{Fault, World};

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
    let ends = ending(giving, &scope, until);
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
    let mut reply = giving.settle(None, Some(&scope), vec![Change::Pause(row)], vec![line]).await?;
    // Read when the order is durable: what was ordered before it is seen, what is ordered after it knows of it. It
    // stands whatever comes of this.
    match promotes(giving, &scope).await {
        Ok(mut standing) => {
            // Of what is landing already it was said until when that may be.
            let lands = |order: &Promote| {
                let is =
                    |row: &IntentRow| (&row.flow, &row.env, row.new) == (&order.flow, &order.env, order.commit);
                reply.pushing.iter().any(is)
            };
            standing.retain(|(_, order, _)| !lands(order));
            let said =
                standing.iter().map(|(flow, order, frozen)| still_ordered(giving, (flow, order), *kind, *frozen));
            let at = reply.lines.len() - usize::from(reply.dry);
            reply.lines.splice(at..at, said);
            reply.promotes = standing.into_iter().map(|(_, order, _)| order).collect();
        }
        Err(error) => {
            reply.lines.push(format!("Which `promote` orders stand there cannot be told now: {error}."));
        }
    }
    Ok(reply)
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

fn ending<W: World>(giving: &Giving<'_, W>, scope: &Scope, until: Until) -> String {
    match until {
        Until::At(at) => format!("until {}", giving.at(scope, at)),
        Until::Resumed => "until somebody resumes it".to_owned(),
    }
}

/// The `promote` orders that stand in a scope now, in the order of the flows, and whether a freeze stops them.
async fn promotes<'c, W: World>(
    giving: &Giving<'c, W>,
    scope: &Scope,
) -> Result<Vec<(&'c Flow, Promote, bool)>, Fault> {
    let wall = giving.now.wall;
    let mut all = Vec::new();
    for found in giving.config.reach(scope) {
        let flow = &found.flow;
        let standing = giving.world.load(flow).await?.standing;
        let frozen = |env: &EnvName| {
            let stops = |p: &Pause| p.kind == PauseKind::Freeze && p.stands_on(&flow.name, env, wall);
            standing.pauses.iter().any(stops)
        };
        let stands = |order: &&Promote| {
            wall < order.until && order.flow == flow.name && scope.covers(&flow.name, &order.env)
        };
        let orders = standing.promotes.iter().filter(stands);
        all.extend(orders.map(|order| (flow, order.clone(), frozen(&order.env))));
    }
    Ok(all)
}

/// What a pause or a freeze means for a `promote` that stands; where a freeze stands beside the pause, that stops it.
fn still_ordered<W: World>(
    giving: &Giving<'_, W>,
    (flow, order): (&Flow, &Promote),
    kind: PauseKind,
    frozen: bool,
) -> String {
    let Promote { env, commit, by, until, .. } = order;
    let (by, until) = (one_line(by.as_str(), 80), giving.words(flow).at(*until));
    let what = format!("`{by}`'s promote of {} to `{env}` of `{}`", commit.short(), flow.name);
    match (kind, frozen) {
        (PauseKind::Pause, false) => format!(
            "{what} stands until {until} and passes this pause; `towpath freeze {} {env} --reason 'WHY'` stops it, too.",
            flow.name
        ),
        (PauseKind::Pause, true) => {
            format!("{what}, which stands until {until} and passes this pause, is stopped by the freeze there.")
        }
        (PauseKind::Freeze, _) => {
            format!("{what} is stopped by this freeze; it stands until {until}, should the freeze end before.")
        }
    }
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
    let mut standing: Vec<Pause> = standing.into_values().collect();
    // Ids are in no order that means anything.
    standing.sort_by(|one, other| {
        (&one.scope, one.kind, one.at, &one.id).cmp(&(&other.scope, other.kind, other.at, &other.id))
    });
    let (lifted, left): (Vec<Pause>, Vec<Pause>) =
        standing.into_iter().partition(|pause| within(&pause.scope, &scope));
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
    let lifts = if giving.dry == Dry::Run { "Would lift" } else { "Lifted" };
    let mut lines: Vec<String> = lifted.iter().map(|p| format!("{lifts} {}", describe(p))).collect();
    lines.extend(left.iter().map(|p| {
        let lift = match &p.scope {
            Scope::All => "all".to_owned(),
            Scope::Flow(flow) => flow.to_string(),
            Scope::Edge(flow, env) => format!("{flow} {env}"),
            Scope::Environment(env) => env.to_string(),
        };
        format!("Still in force, because it reaches further: {} (`towpath resume {lift}` lifts it)", describe(p))
    }));
    if lifted.is_empty() {
        return Err(Refusal::Pointless { why: lines.join("; ") });
    }
    // One that has a cause keeps what was taken back where it is.
    for (what, is) in [
        ("lifting the freeze of", (|p| p.kind == PauseKind::Freeze) as fn(&Pause) -> bool),
        ("resuming what was taken back in", |p| p.kind == PauseKind::Pause && p.cause.is_some()),
    ] {
        let scopes: Vec<Scope> = lifted.iter().filter(|pause| is(pause)).map(|pause| pause.scope.clone()).collect();
        if !scopes.is_empty() {
            giving.allowed_to(Verb::Freeze, &scopes, what)?;
        }
    }
    let ids = lifted.into_iter().map(|pause| pause.id).collect();
    giving.settle(None, None, vec![Change::Lift(ids)], lines).await
}
