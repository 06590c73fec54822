//! "Hold mine": which of the commits that would enter an environment somebody wrote, as a command that holds it.
//!
//! What the branches have now goes before what was announced. Where they cannot be read, which is when people want to
//! stop things, what the heads-up said counts: its commits and the addresses in them are stored with it.
//!
//! Not here: what a hold does, and whether they may (`engine::command`).

use towpath_core::command::{Command, CommitWord, Place, Verb};
use towpath_core::dag::{Dag, Node};
use towpath_core::explain::refused as denied;
use towpath_core::model::{CommitId, Concerns, EnvName, Environment, Event, FlowName, Instant, Tip, TipHow};
use towpath_core::people::accounts::{Accounts, Known, Signature};
use towpath_core::people::authors::is_author;
use towpath_core::people::coming::theirs as announced_theirs;
use towpath_core::people::{Asked, Mailmap, Permit, PersonCard};

use super::page::words;
use super::problem::{Code, Problem};
use crate::config::{Config, FlowConfig};
use crate::engine::command::{Person, record_refusal_in};
use crate::engine::{Planned, plan as plan_flow};
use crate::setup::Setup;

/// Why it is held, as everybody reads it.
const REASON: &str = "held by its author before it entered";

/// Among how many heads-ups of an environment, the newest, that one is looked for which was pressed.
const HEADS_UPS_MAX: usize = 200;

/// What is to be held for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    /// The commands, and the commit that each is about.
    pub holds: Vec<(Command, CommitId)>,
    /// What they have to know of how those were found, if anything.
    pub note: Option<String>,
}

/// What was pressed, where, and by whom.
struct Press<'p> {
    setup: &'p Setup,
    config: &'p Config,
    found: &'p FlowConfig,
    target: &'p Environment,
    newest: CommitId,
    who: &'p Person,
    card: &'p PersonCard,
}

/// The commands that hold the commits of theirs among those up to `newest` that the environment lacks; who may not is on
/// record.
///
/// # Errors
/// If nobody knows who they are, if none of these commits is theirs, or if the environment has them already.
pub async fn mine(
    setup: &Setup,
    config: &Config,
    at: (&FlowName, &EnvName, CommitId),
    who: &Person,
) -> Result<Mine, Problem> {
    let held = theirs(setup, config, at, who).await;
    if let Err(problem) = &held
        && matches!(problem.code, Code::NotPermitted | Code::Refused)
    {
        let (flow, env, newest) = at;
        let command = format!("hold mine {flow} {env} up to {}", newest.short());
        let concerns = Concerns::one(flow.clone());
        record_refusal_in(&setup.world, config, who, (command, &problem.message), concerns).await?;
    }
    held
}

async fn theirs(
    setup: &Setup,
    config: &Config,
    (flow, env, newest): (&FlowName, &EnvName, CommitId),
    who: &Person,
) -> Result<Mine, Problem> {
    let Some(card) = config.laws.people.who(&who.identity) else {
        let what = format!(
            "`{}` is linked to no person, so nobody knows which commits are yours: have it added to your `identities` in \
             the config",
            who.identity
        );
        return Err(Problem::new(Code::NotPermitted, what));
    };
    let found = config.flow(flow.as_str())?;
    let target = found.environment(env.as_str())?;
    let press = Press { setup, config, found, target, newest, who, card };
    let planned = plan_flow(&setup.world, &found.flow).await?;
    let tip = match planned.look.tips.get(env) {
        Some(Tip::At(tip)) if planned.look.history.known().is_some() => *tip,
        Some(Tip::Absent) => return Err(refused(format!("`{env}` of `{flow}` has no branch now"))),
        _ => return press.as_announced().await,
    };
    if let Some(already) = press.is_there(&planned, tip).await {
        return Err(refused(already));
    }
    let Ok(mailmap) = setup.world.mailmap(flow, tip).await else { return press.as_announced().await };
    let dag = planned.look.dag();
    let (there, wanted) = (dag.ancestors([tip]), dag.ancestors([newest]));
    let coming: Vec<&Node> = dag.minus(&wanted, &there).collect();
    let signed = coming.iter().flat_map(|node| Signature::of_node(node));
    let (hosts, accounts) = (config.forge_hosts(), press.accounts(&mailmap, signed).await);
    let known = Known { people: &config.laws.people, forges: &hosts, mailmap: &mailmap, accounts: &accounts };
    let is_own = |node: &&&Node| is_author(card, &known, &mailmap.addresses(node.wrote()));
    let own: Vec<CommitId> = coming.iter().filter(is_own).map(|node| node.id).collect();
    if own.is_empty() {
        let what = format!(
            "none of the commits that would enter `{env}` of `{flow}` is yours as far as their addresses tell"
        );
        return Err(refused(press.or_hold_any(what)));
    }
    Ok(Mine { holds: holds(dag, &own, flow, env), note: None })
}

/// The commands that hold these: of those that contain one another the oldest alone, for what contains it is held with
/// it. What the history does not tell is held by itself.
fn holds(dag: &Dag, own: &[CommitId], flow: &FlowName, env: &EnvName) -> Vec<(Command, CommitId)> {
    let below = |id: &CommitId| own.iter().any(|other| other != id && dag.contains(*id, *other));
    let held = own.iter().filter(|id| !below(id)).filter_map(|id| {
        let commit = CommitWord::prefix(&id.to_string())?;
        let place = Place::Edge(flow.to_string(), env.to_string());
        Some((Command::Hold { commit, place, reason: REASON.to_owned() }, *id))
    });
    held.collect()
}

impl Press<'_> {
    /// What was announced is theirs, where nobody can tell how things stand now.
    async fn as_announced(&self) -> Result<Mine, Problem> {
        let (flow, env) = (&self.found.flow.name, &self.target.name);
        let world = &self.setup.world;
        let told = world.store().heads_ups(flow, env, HEADS_UPS_MAX).await?;
        let heads_up = told.into_iter().find_map(|message| match message.event {
            Event::HeadsUp { newest, old, commits, more, .. } if newest == self.newest => {
                Some((message.at, old, commits, more))
            }
            _ => None,
        });
        let cannot = format!("`{env}` of `{flow}` cannot be read now");
        let Some((at, old, commits, more)) = heads_up else {
            let what = format!("{cannot}, and of {} no heads-up is on record", self.newest.short());
            return Err(refused(self.or_hold_any(what)));
        };
        // It only adds to whose an address is: without it fewer of theirs are found, and nobody else's.
        let mailmap = world.mailmap(flow, old).await.unwrap_or_default();
        let signed = commits.iter().flat_map(Signature::of_coming);
        let (hosts, accounts) = (self.config.forge_hosts(), self.accounts(&mailmap, signed).await);
        let known =
            Known { people: &self.config.laws.people, forges: &hosts, mailmap: &mailmap, accounts: &accounts };
        let own = announced_theirs(self.card, &known, &commits);
        let own: Vec<CommitId> = own.into_iter().map(|commit| commit.id).collect();
        let at = self.at(at);
        let named = match more {
            0 => String::new(),
            more => format!(", which did not name the {more} oldest"),
        };
        if own.is_empty() {
            let what = format!(
                "{cannot}, and none of the commits that were announced at {at}{named} is yours as far as their \
                 addresses tell"
            );
            return Err(refused(self.or_hold_any(what)));
        }
        // Without history each is held by itself, so that none of theirs comes by another way.
        let dag = world.between(flow, (old, self.newest)).await.unwrap_or_default();
        let note = format!("{cannot}, so this was done from what was announced at {at}{named}.");
        Ok(Mine { holds: holds(&dag, &own, flow, env), note: Some(note) })
    }

    /// That the environment has what was announced, since when, and what can be done about it; none if it lacks that.
    async fn is_there(&self, planned: &Planned, tip: CommitId) -> Option<String> {
        let (flow, env, newest) = (&self.found.flow.name, &self.target.name, self.newest);
        // What was loaded for the look need not reach down to it.
        let dag = self.setup.world.between(flow, (newest, tip)).await.unwrap_or_default();
        if !dag.contains(tip, newest) {
            return None;
        }
        let held = planned.ledger.held.get(env).into_iter().flatten().rev();
        let since = held.take_while(|held| !held.lost && dag.contains(held.commit, newest)).last();
        // Of what was there at the first look nobody knows when it came.
        let since = since.filter(|held| held.how != TipHow::FirstSight).map(|held| self.at(held.from.wall));
        let since = since.map(|at| format!(", since {at}")).unwrap_or_default();
        let there =
            format!("{} is in `{env}` of `{flow}` already{since}; a hold takes nothing back", newest.short());
        if !self.target.rollback {
            let branch = &self.target.branch;
            return Some(format!(
                "{there}, and `rollback` is not set up there: ask whoever may push to `{branch}`"
            ));
        }
        let does = format!("{there}, `rollback {flow} {env} --reason …` does");
        Some(match self.may(Verb::Rollback) {
            Permit::Allowed { .. } => does,
            Permit::Denied { why, who_may } => format!("{does}: {}", denied(&why, &who_may)),
        })
    }

    /// What the flow's forge says of those of whom nothing else tells who they are. Not asked for whoever has no account
    /// there.
    async fn accounts(&self, mailmap: &Mailmap, signed: impl Iterator<Item = Signature>) -> Accounts {
        let has_one = |forge: &str| self.card.logins(forge).next().is_some();
        if !self.found.forge.as_deref().is_some_and(has_one) {
            return Accounts::default();
        }
        let signed: Vec<Signature> = signed.collect();
        self.setup.world.accounts(&self.found.flow.name, mailmap, &signed).await
    }

    fn at(&self, at: Instant) -> String {
        words(&self.found.flow, &self.found.remote, self.setup.world.clock().reading().wall).at(at)
    }

    fn may(&self, verb: Verb) -> Permit {
        let reach = self.config.laws.rules.places(&self.found.flow, Some(&self.target.name));
        let law = self.config.laws.law();
        law.may(law.asker(&self.who.identity), &Asked { verb, reach: &reach, surface: self.who.surface })
    }

    /// With how to hold any commit, for who may do that.
    fn or_hold_any(&self, what: String) -> String {
        let (flow, env) = (&self.found.flow.name, &self.target.name);
        match self.may(Verb::Hold) {
            Permit::Allowed { .. } => format!("{what}; `hold SHA {flow} {env} --reason …` holds any"),
            Permit::Denied { .. } => what,
        }
    }
}

fn refused(what: String) -> Problem {
    Problem::new(Code::Refused, what)
}
