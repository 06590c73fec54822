//! `hold` and `unhold`: what stops one commit and everything that contains it.

use std::collections::BTreeMap;

use towpath_core::command::{Command, CommitWord, Place, Verb};
use towpath_core::model::{Change, CommitId, EnvName, Flow, Held, Hold, OrderId, Scope, Tip};
use towpath_core::people::Mailmap;
use towpath_core::people::accounts::{Accounts, Known, Signature};
use towpath_core::people::authors::is_author;
use towpath_core::text::one_line;

use super::orders::{REASON_SHOWN, edge};
use super::{Giving, Refusal, Reply, commits};
use crate::engine::observe;
use crate::engine::tick::{self, Planned};
use crate::engine::world::World;

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
        "{} and everything that contains it are held back from {where_} until `unhold`: {}",
        commit.short(),
        one_line(reason, REASON_SHOWN)
    );
    let row = Hold {
        id: giving.id("hold"),
        what: Held::Commit(commit),
        flow: flow.clone(),
        env: env.clone(),
        by: giving.by.clone(),
        reason: reason.to_owned(),
        at: giving.now.wall,
        fixed_by: None,
    };
    let mut lines = vec![line];
    if let (true, Some(flow), Some(env)) = (giving.is_by_the_author(), &flow, &env) {
        lines.push(format!("You can lift it yourself: `towpath unhold {} {flow} {env}`.", commit.short()));
    }
    let scope = scope.unwrap_or(Scope::All);
    let mut reply = giving.settle(flow.as_ref(), Some(&scope), vec![Change::Hold(row.clone())], lines).await?;
    // It stands before a remote is asked, and whatever comes of that.
    let said = match what_it_stops(giving, &flows, &row).await {
        Ok(said) => said,
        Err(error) => vec![format!("What it stops cannot be told now: {error}.")],
    };
    let at = reply.lines.len() - usize::from(reply.dry);
    reply.lines.splice(at..at, said);
    Ok(reply)
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
        // So that the history that is loaded has the commit, if there is one, also where nothing is done.
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
    lift(giving, word, at, fixed_by, Which::All).await
}

/// `unhold` by somebody whose role is too low for it: of what they held themselves, for they wrote it. Any other
/// command, and any other hold, is refused as it was.
pub async fn unhold_own<W: World>(giving: &Giving<'_, W>, refusal: Refusal) -> Result<Reply, Refusal> {
    let Command::Unhold { commit, place: at @ Place::Edge(..), fixed_by } = giving.command else {
        return Err(refusal);
    };
    match lift(giving, commit, at, fixed_by.as_ref(), Which::Own).await {
        Err(Refusal::Fault(fault)) => Err(fault.into()),
        // What else stands against it is no matter of theirs.
        Err(_) => Err(refusal),
        Ok(reply) => Ok(reply),
    }
}

/// Which holds may be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those of one commit in one environment that whoever gives the command wrote, and held themselves.
    Own,
}

impl Which {
    /// Whether this one may be, if the commit is or is not theirs.
    fn may<W: World>(self, giving: &Giving<'_, W>, hold: &Hold, is_theirs: bool) -> bool {
        let of_a_commit = matches!(hold.what, Held::Commit(_));
        match self {
            Self::All => true,
            Self::Own => {
                is_theirs && of_a_commit && hold.by == giving.by && hold.flow.is_some() && hold.env.is_some()
            }
        }
    }
}

/// Whether whoever gives the command wrote that commit, under any address that the environment's `.mailmap` or the forge
/// says is theirs.
async fn is_theirs<W: World>(
    giving: &Giving<'_, W>,
    (flow, planned): (&Flow, &Planned),
    scope: Option<&Scope>,
    commit: CommitId,
) -> bool {
    let Some((card, Scope::Edge(_, env))) = giving.card().zip(scope) else { return false };
    let Some(node) = planned.look.dag().node(commit) else { return false };
    let target = planned.look.tips.get(env).and_then(Tip::commit);
    let of = match target {
        Some(target) => {
            let wrote = node.wrote().map(|(name, email)| (name.to_owned(), email.to_owned())).collect();
            giving.world.addresses(flow, target, wrote).await.known().cloned()
        }
        None => None,
    };
    // Where the file cannot be read the commit's own addresses are known all the same.
    let of = of.unwrap_or_else(|| node.addresses());
    let (mailmap, forges) = (Mailmap::default(), giving.config.forge_hosts());
    let people = &giving.config.laws.people;
    let known = Known { people, forges: &forges, mailmap: &mailmap, accounts: &Accounts::default() };
    let forge = giving.config.named(&flow.name).and_then(|found| found.forge.as_deref());
    let has_account = forge.is_some_and(|forge| card.logins(forge).next().is_some());
    let is_known = is_author(card, &known, &of);
    if is_known || !has_account {
        return is_known;
    }
    let accounts = giving.world.accounts(flow, target, Signature::of_node(node)).await;
    is_author(card, &Known { accounts: &accounts, ..known }, &of)
}

async fn lift<W: World>(
    giving: &Giving<'_, W>,
    word: &CommitWord,
    at: &Place,
    fixed_by: Option<&CommitWord>,
    which: Which,
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
        let is_theirs = which == Which::Own && is_theirs(giving, (flow, &planned), scope.as_ref(), commit).await;
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
            if here(&hold) && which.may(giving, &hold, is_theirs) {
                holds.insert(hold.id.clone(), hold);
            } else {
                wider.push(stays(&hold, here(&hold), commit));
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
    let range = |hold: &&Hold| matches!(hold.what, Held::Range { .. });
    let scopes: Vec<Scope> = holds.values().filter(range).map(reach).collect();
    if !scopes.is_empty() {
        giving.allowed_to(Verb::Freeze, &scopes, "letting go what was taken back in")?;
    }
    if which == Which::Own {
        giving.is_their_own();
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

/// Why a hold stays: it is another's, if it is one that they could lift there; else it is out of what they named.
fn stays(hold: &Hold, is_anothers: bool, commit: CommitId) -> String {
    let (id, reason) = (&hold.id, one_line(&hold.reason, REASON_SHOWN));
    if is_anothers {
        let by = one_line(hold.by.as_str(), 80);
        return format!("Hold `{id}` ({reason}) by `{by}` stays: you may lift your own only.");
    }
    format!(
        "Hold `{id}` ({reason}) stays, for it reaches further or elsewhere; `towpath unhold {}{}` lifts it.",
        commit.short(),
        place_words(hold)
    )
}

/// The same as the words of a command.
fn place_words(hold: &Hold) -> String {
    match (&hold.flow, &hold.env) {
        (Some(flow), Some(env)) => format!(" {flow} {env}"),
        (Some(flow), None) => format!(" {flow}"),
        (None, _) => String::new(),
    }
}

/// Where a hold bears.
fn reach(hold: &Hold) -> Scope {
    match (&hold.flow, &hold.env) {
        (Some(flow), Some(env)) => Scope::Edge(flow.clone(), env.clone()),
        (Some(flow), None) => Scope::Flow(flow.clone()),
        (None, Some(env)) => Scope::Environment(env.clone()),
        (None, None) => Scope::All,
    }
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
