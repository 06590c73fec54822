//! Putting a candidate into the request of its edge.
//!
//! What is wanted there is durable before anything leaves the process, and everything after that is
//! found again by looking: the branch by its name, the request by head and base. So there is no
//! intent, and a crash anywhere only means that the next pass does it again. Nothing here moves an
//! environment's branch.
//!
//! What people ordered is looked at last in the transaction that stores what is wanted, and with it until when that may
//! come: a pause that is given later tells of it, as it does of a push.

use towpath_core::act;
use towpath_core::explain::Words;
use towpath_core::model::{
    Change, CommitId, Decision, EnvName, Event, EventRow, Fact, Ledger, Now, Observation, Proposed, Tip,
};
use towpath_core::see;

use super::observe::Look;
use super::run::Runner;
use super::world::{Fault, Proposal, Proposing, Side, World};

/// Makes a candidate what the request of its edge is for. Answers whether anything may have changed
/// outside.
///
/// # Errors
/// When the store failed; the next pass does it again.
pub async fn propose<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    look: &Look,
    decision: &Decision,
    (head, from): (CommitId, Option<CommitId>),
) -> Result<bool, Fault> {
    let (world, flow, env) = (runner.world, runner.flow, &decision.env);
    let (Some(edge), Some(target)) = (flow.edge(env), decision.target.commit()) else { return Ok(false) };
    let known = ledger.proposed.get(env).cloned();
    let row = wanted(known.as_ref(), head, from, look);
    world.crash_point(Side::Before, "SaveProposal")?;
    let judged = (&ledger.standing, look.now.wall);
    let Some(row) = world.begin_proposal(runner.lease, flow, (env, row), judged).await? else { return Ok(false) };
    ledger.apply(&flow.name, runner.targets, &Change::Proposed { env: env.clone(), row: row.clone() });
    world.crash_point(Side::After, "SaveProposal")?;
    let words = Words { zone: flow.zone, now: look.now.wall, flow, remote_word: "origin", lasting: true };
    let compare = world.compare(flow, target, head);
    let (title, body) = words.request(&edge, head, (target, compare.as_deref()), look.dag());
    let proposal = Proposal { env: env.clone(), head, from, title, body };
    world.crash_point(Side::Before, "Propose")?;
    let answer = if in_time(&row, world.now().await?) {
        world.propose(flow, &proposal).await
    } else {
        Proposing::Unsure { words: "this process was held up".to_owned() }
    };
    world.crash_point(Side::After, "Propose")?;
    let now = world.now().await?;
    // What another process began before, and was taken over from, may come still.
    let until = known.as_ref().and_then(|known| known.until).filter(|until| *until > now.trusted);
    let mut row = Proposed { until, ..row };
    let mut changes = Vec::new();
    match answer {
        Proposing::Done { number, url } => {
            let over = Change::Proposed { env: env.clone(), row };
            runner.commit(ledger, vec![over]).await?;
            announce(runner, ledger, env, head, (number, url), now).await?;
            ask(runner, ledger, env, number).await?;
            return Ok(true);
        }
        Proposing::Refused { words } => changes.push(runner.back_off(ledger, env, (target, head), &words, now)),
        Proposing::NotPut { words } => {
            // What is there is what was there: people's approvals of it go on counting, also where they are told
            // from those of an earlier head by when it was put there.
            row = known.map_or(row, |known| Proposed { until, ..known });
            changes.push(runner.back_off(ledger, env, (target, head), &words, now));
        }
        Proposing::Unsure { words } => {
            tracing::debug!(flow = flow.name.as_str(), env = env.as_str(), words, "a request is looked for again");
        }
    }
    changes.push(Change::Proposed { env: env.clone(), row });
    runner.commit(ledger, changes).await?;
    Ok(true)
}

/// Whether what was begun is over before people were told that it is, however long it may take: this process may have
/// been stopped since.
fn in_time(row: &Proposed, now: Now) -> bool {
    row.until.is_some_and(|until| act::is_in_time(until, now))
}

/// Tells that a request is for a head of ours, once.
async fn announce<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    env: &EnvName,
    head: CommitId,
    (number, url): (u64, String),
    now: Now,
) -> Result<(), Fault> {
    let row = ledger.proposed.get(env).filter(|row| row.head == head && row.announced != Some(number));
    let Some(row) = row else { return Ok(()) };
    // Somebody reopened what we had closed, and it goes on to another head: from now on its closing is a person's.
    let pushed = row.pushed.filter(|pushed| pushed.number != number || pushed.head == head);
    let known =
        Change::Proposed { env: env.clone(), row: Proposed { announced: Some(number), pushed, ..row.clone() } };
    let event = Event::Proposed { number, url, head };
    let key = format!("proposed-{}-{env}-{number}-{}-{}", runner.flow.name, head.short(), now.trusted.0);
    let mut told = vec![known, Change::Event(EventRow { env: env.clone(), at: now, event: event.clone() })];
    let silent = told.clone();
    told.push(see::tell(&key, env, now, event));
    match runner.commit(ledger, told).await {
        // Told in this very instant already: a head that went and came back.
        Err(Fault::Conflict) => runner.commit(ledger, silent).await,
        done => done,
    }
}

/// Asks the reviewers of a request, once: whom people take off it afterwards is not asked again. Until the forge has
/// answered for each of them, every look asks those who are neither asked nor have reviewed.
async fn ask<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    env: &EnvName,
    number: u64,
) -> Result<(), Fault> {
    let wants = runner.flow.edge(env).is_some_and(|edge| !edge.target.request.reviewers.is_empty());
    let asked = ledger.proposed.get(env).is_none_or(|row| row.asked == Some(number));
    if !wants || asked || !runner.world.ask_reviewers(runner.flow, env, number).await {
        return Ok(());
    }
    // The row as it is now: what is asked may take a while.
    let Some(row) = ledger.proposed.get(env) else { return Ok(()) };
    let row = Proposed { asked: Some(number), ..row.clone() };
    runner.commit(ledger, vec![Change::Proposed { env: env.clone(), row }]).await
}

/// Requests for heads of ours that were opened and nobody was told, because the answer was lost or the
/// process ended.
///
/// # Errors
/// When the store failed; the next pass does it.
pub async fn announce_found<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    seen: &Observation,
) -> Result<(), Fault> {
    for (env, fact) in &seen.facts.requests {
        let Fact::Known(requests) = fact else { continue };
        let Some(open) = requests.open.as_ref().filter(|_| runner.acts(env)) else { continue };
        if requests.branch == Tip::At(open.head) {
            announce(runner, ledger, env, open.head, (open.number, open.url.clone()), seen.now).await?;
            ask(runner, ledger, env, open.number).await?;
        }
    }
    Ok(())
}

/// The row to be: what was put there before stays known, for it may still be what is seen.
fn wanted(known: Option<&Proposed>, head: CommitId, from: Option<CommitId>, look: &Look) -> Proposed {
    match known {
        Some(known) if known.head == head && from == Some(head) => known.clone(),
        Some(known) => Proposed {
            head,
            // What is still there from us stays known through any number of pushes that failed.
            before: if known.head == head {
                known.before
            } else {
                from.filter(|from| *from != head && known.put(*from)).or(Some(known.head))
            },
            at: look.now,
            confirmed: None,
            passed_over: known.passed_over,
            // That a head is put back which somebody had moved is news again.
            announced: None,
            asked: known.asked,
            until: known.until,
            pushed: known.pushed,
        },
        None => Proposed {
            pushed: None,
            head,
            before: None,
            at: look.now,
            confirmed: None,
            passed_over: None,
            announced: None,
            asked: None,
            until: None,
        },
    }
}

/// Which overrides a request has, and which are over with it: an override stands for an hour or, where a
/// request was for its commit by then, as long as that request is.
pub fn overrides(ledger: &Ledger, seen: &Observation) -> Vec<Change> {
    let mut changes = Vec::new();
    for order in &ledger.standing.overrides {
        let Some(Fact::Known(requests)) = seen.facts.requests.get(&order.env) else { continue };
        let wanted = ledger.proposed.get(&order.env).is_some_and(|row| row.head == order.commit);
        let open = requests.open.as_ref().filter(|_| wanted);
        let in_its_hour = seen.now.wall < order.until;
        match (open, order.request) {
            // Somebody else's head in the same request is put back, and takes nothing away.
            (Some(open), Some(request)) if open.number == request => {}
            (Some(open), _) if in_its_hour && open.head == order.commit => {
                changes.push(Change::OverrideFor { order: order.id.clone(), request: open.number });
            }
            (_, Some(_)) if !in_its_hour => changes.push(Change::Spend(vec![order.id.clone()])),
            _ => {}
        }
    }
    changes
}

/// Heads of ours that are seen in place for the first time since they were put there. The instant is
/// read after they were seen: an approval that names no commit must not count if it may be older.
///
/// # Errors
/// When the clock cannot be read.
pub async fn confirmed<W: World>(world: &W, ledger: &Ledger, seen: &Observation) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    for (env, fact) in &seen.facts.requests {
        let (Fact::Known(requests), Some(row)) = (fact, ledger.proposed.get(env)) else { continue };
        let there = requests.open.as_ref().is_some_and(|open| open.head == row.head);
        if there && requests.branch == Tip::At(row.head) && row.confirmed.is_none() {
            let row = Proposed { confirmed: Some(world.now().await?), ..row.clone() };
            changes.push(Change::Proposed { env: env.clone(), row });
        }
    }
    Ok(changes)
}
