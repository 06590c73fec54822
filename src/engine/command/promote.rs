//! `promote`: which candidate is meant where none is named, and what the order means where commits
//! enter by request.

use towpath_core::command::{Command, CommitWord};
use towpath_core::decide;
use towpath_core::model::{
    Change, Check, CommitId, Distance, Edge, EdgeSeen, EnvName, Fact, Flow, GateKind, Judged, Mode, Observation,
    Promote, Verdict, Via,
};

use super::moves::{STANDS, can_be_read, not_frozen, pointless, waiting};
use super::{Exact, Giving, Refusal, Reply, commits, orders};
use crate::engine::observe;
use crate::engine::tick::{self, Planned};
use crate::engine::world::World;

/// `promote`: a standing order for one candidate.
pub async fn promote<W: World>(
    giving: &Giving<'_, W>,
    flow: &str,
    env: &str,
    to: Option<&CommitWord>,
    reason: &str,
) -> Result<Reply, Refusal> {
    let (flow, env) = orders::edge(giving, flow, env)?;
    if flow.environment(&env).is_some_and(|e| e.mode == Mode::Observe) {
        return pointless(format!("`{env}` of `{}` is only observed (`mode = \"observe\"`)", flow.name));
    }
    let mut planned = tick::plan(giving.world, flow).await?;
    not_frozen(giving, flow, &env, &planned)?;
    // The order is the answer to whoever closed the last request; to whoever closes the next it is none.
    let goes_on = orders::without_closed(giving, flow, &planned, &env);
    if let Some(Change::PassOver { row, .. }) = &goes_on {
        for on_edge in planned.seen.edges.iter_mut().filter(|on_edge| on_edge.env == env) {
            on_edge.proposed = Some(row.clone());
        }
    }
    let mut order = Promote {
        id: giving.id("promote"),
        flow: flow.name.clone(),
        env: env.clone(),
        // Replaced below; an order needs a candidate.
        commit: CommitId::from_bytes([0; 20]),
        by: giving.by.clone(),
        reason: reason.to_owned(),
        at: giving.now.wall,
        until: giving.now.wall + STANDS,
    };
    let against = match to {
        Some(word) => {
            order.commit = commits::find(giving, flow, word).await?;
            against(giving, flow, &planned, &order).await?
        }
        None => {
            order.commit = newest_that_passes_all_else(giving, flow, &env, &planned, &order).await?;
            Vec::new()
        }
    };
    let until = giving.words(flow).at(order.until);
    let then = match against.is_empty() {
        true => "and moves at the next look if nothing new comes in its way.",
        false => "and moves as soon as nothing else stands against it. Now there does:",
    };
    let mut lines = vec![format!(
        "{} is ordered into `{env}` of `{}`: it passes lag, quiet, window, schedule and pause until {until}, {then}",
        order.commit.short(),
        flow.name
    )];
    lines.extend(against);
    lines.extend(by_way_of_a_request(flow, &planned, &order));
    let exact = CommitWord::prefix(&order.commit.to_string()).map(|to| Exact {
        command: Command::Promote {
            flow: flow.name.to_string(),
            env: env.to_string(),
            to: Some(to),
            reason: reason.to_owned(),
        },
        tip: None,
    });
    let mut changes = vec![Change::Promote(order)];
    changes.extend(goes_on);
    let reply = giving.settle(Some(&flow.name), None, changes, lines).await?;
    Ok(Reply { exact, ..reply })
}

/// What stands now against the candidate that somebody named, a line each, the furthest from passing first: what may
/// be over within the hour, as CI, an approval, a gate that can be overridden. What the order itself passes is not
/// among it.
///
/// # Errors
/// If it is no candidate, and if it is held or the branches are in its way: no order passes that, and nothing but
/// another order or another commit ends it.
async fn against<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    planned: &Planned,
    order: &Promote,
) -> Result<Vec<String>, Refusal> {
    let (env, short, words) = (&order.env, order.commit.short(), giving.words(flow));
    let Some(edge) = flow.edge(env) else { return pointless(format!("`{env}` is no target")) };
    let cannot = format!("{short} cannot be promoted to `{env}`");
    can_be_read(giving, flow, env, planned)?;
    let Some(named) = waiting(planned, env, order.commit) else {
        return pointless(format!("{cannot}: it is not on the source branch above what `{env}` has"));
    };
    let reached = match edge.target.via {
        Via::FastForward => named.reaches,
        Via::MergeRequest => named.carries,
    };
    let mut seen = planned.seen.clone();
    seen.standing.promotes = vec![order.clone()];
    let mut judged = match observe::judged(giving.world, flow, &planned.look, &mut seen, &edge, order.commit).await
    {
        Ok(judged) => judged,
        Err(verdict @ Verdict::Block { .. }) => {
            return pointless(format!("{cannot} now: {}", words.verdict(&verdict)));
        }
        Err(_) if !reached => {
            return pointless(format!("{cannot}: it does not contain everything that `{env}` has"));
        }
        Err(verdict) => return Ok(vec![words.verdict(&verdict)]),
    };
    // That it first goes into the request is said of its own.
    let enters = |one: &Judged| one.check == Check::Request && one.verdict.distance() <= soon(&seen);
    judged.retain(|one| !(one.verdict.passes() || enters(one)));
    let stops = |one: &&Judged| matches!(one.check, Check::Hold | Check::Freeze);
    if let Some(stops) = judged.iter().find(stops) {
        return pointless(format!("{cannot} now: {}", words.verdict(&stops.verdict)));
    }
    judged.sort_by_key(|one| std::cmp::Reverse(one.verdict.distance()));
    Ok(judged.iter().map(|one| format!("{}: {}", one.check.key(), words.verdict(&one.verdict))).collect())
}

/// As near as what Towpath does by itself at its next look.
fn soon(seen: &Observation) -> Distance {
    Distance::At(seen.now.wall)
}

/// What an order means for the request that its edge moves by, where the request is not for it yet.
fn by_way_of_a_request(flow: &Flow, planned: &Planned, order: &Promote) -> Option<String> {
    let target = flow.environment(&order.env).filter(|env| env.via == Via::MergeRequest)?;
    let requests = planned.seen.facts.requests.get(&order.env).and_then(Fact::known)?;
    let approvals =
        if target.gate(GateKind::Approvals).is_some() { ", and needs its own approvals there" } else { "" };
    match &requests.open {
        Some(open) if open.head == order.commit => None,
        Some(open) => {
            Some(format!("It first takes the place of {} in the open request{approvals}.", open.head.short()))
        }
        None => Some(format!("It first goes into a request{approvals}.")),
    }
}

async fn newest_that_passes_all_else<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    env: &EnvName,
    planned: &Planned,
    order: &Promote,
) -> Result<CommitId, Refusal> {
    let Some(edge) = flow.edge(env) else { return pointless(format!("`{env}` is no target")) };
    let mut seen = planned.seen.clone();
    seen.standing.promotes.clear();
    let on_edge = seen.edges.iter().find(|e| &e.env == env).cloned();
    let Some(on_edge) = on_edge else { return pointless(format!("`{env}` was not seen")) };
    let mut commits: Vec<CommitId> = decide::candidates(&edge, &on_edge, &seen).into_iter().map(|c| c.id).collect();
    let look_back = usize::try_from(flow.look_back).unwrap_or(usize::MAX);
    commits.truncate(look_back);
    let by_request = decide::request::by_request(&edge);
    if by_request && let Some(head) = head_of_request(&planned.seen, &on_edge) {
        // Nothing older takes the place of what is there; and what is there, if it passes all, is it.
        commits.truncate(commits.iter().position(|commit| *commit == head).map_or(look_back, |at| at + 1));
        seen.standing.promotes = vec![Promote { commit: head, ..order.clone() }];
        if let Ok(judged) = observe::judged(giving.world, flow, &planned.look, &mut seen, &edge, head).await {
            let firm = is_firm(&edge, &on_edge, &seen, &judged);
            match observe::worst(judged) {
                None => return Ok(head),
                Some(verdict) if firm => {
                    let why = giving.words(flow).verdict(&verdict);
                    return pointless(format!(
                        "{} is in the request of `{env}` and approved; another one takes its place only if it is \
                         named (`to SHA`). {}: {why}",
                        head.short(),
                        head.short()
                    ));
                }
                Some(_) => {}
            }
        }
    }
    let mut first_no = None;
    for commit in commits {
        seen.standing.promotes = vec![Promote { commit, ..order.clone() }];
        let judged = observe::judged(giving.world, flow, &planned.look, &mut seen, &edge, commit).await;
        // Into the request it may go; whether people approve it there is not for `promote` to say.
        let fit = |judged: &Vec<Judged>| {
            decide::request::proposable(&edge, judged) && !decide::request::red_at_the_merge(&edge, judged)
        };
        if by_request && judged.as_ref().is_ok_and(fit) {
            return Ok(commit);
        }
        match judged.map_or_else(Some, observe::worst) {
            None => return Ok(commit),
            Some(verdict) => first_no = first_no.or(Some((commit, verdict))),
        }
    }
    match first_no {
        Some((commit, verdict)) => {
            let why = giving.words(flow).verdict(&verdict);
            pointless(format!(
                "nothing can be promoted to `{env}` now. The newest candidate, {}: {why}",
                commit.short()
            ))
        }
        None => {
            let decision = planned.plan.decisions.iter().find(|d| &d.env == env);
            let why = decision.map_or_else(String::new, |d| giving.words(flow).headline(d));
            pointless(format!("nothing waits for `{env}`: {why}"))
        }
    }
}

/// The commit that the open request is for, if we put it there.
fn head_of_request(seen: &Observation, on_edge: &EdgeSeen) -> Option<CommitId> {
    let requests = seen.facts.requests.get(&on_edge.env).and_then(Fact::known)?;
    let look = decide::Look::new(seen, on_edge);
    decide::request::ours(&look, requests).map(|open| open.head)
}

/// Whether the head of the request stays there whatever comes after it.
fn is_firm(edge: &Edge<'_>, on_edge: &EdgeSeen, seen: &Observation, judged: &[Judged]) -> bool {
    let requests = seen.facts.requests.get(&on_edge.env).and_then(Fact::known);
    let look = decide::Look::new(seen, on_edge);
    let open = requests.and_then(|requests| decide::request::ours(&look, requests));
    open.is_some_and(|open| decide::request::is_firm(edge, judged, open, &look))
}
