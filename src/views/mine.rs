//! "Hold mine": which of the commits that would enter an environment somebody wrote, as a command that holds it.
//!
//! Not here: what a hold does, and whether they may (`engine::command`).

use towpath_core::command::{Command, CommitWord, Place, Verb};
use towpath_core::model::{CommitId, Concerns, EnvName, FlowName, Tip};
use towpath_core::people::Asked;
use towpath_core::people::authors::is_author;

use super::problem::{Code, Problem};
use crate::config::Config;
use crate::engine::command::{Person, record_refusal_in};
use crate::engine::plan as plan_flow;
use crate::setup::Setup;

/// Why it is held, as everybody reads it.
const REASON: &str = "held by its author before it entered";

/// The commands that hold the commits of theirs among those up to `newest` that the environment lacks; who may not is on
/// record.
///
/// # Errors
/// If nobody knows who they are, or none of these commits is theirs.
pub async fn mine(
    setup: &Setup,
    config: &Config,
    at: (&FlowName, &EnvName, CommitId),
    who: &Person,
) -> Result<Vec<(Command, CommitId)>, Problem> {
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

/// The commands that hold the commits of theirs among those up to `newest` that the environment lacks, and the commits:
/// of those that contain one another the oldest alone, for what contains it is held with it.
///
/// # Errors
/// If nobody knows who they are, or none of these commits is theirs.
async fn theirs(
    setup: &Setup,
    config: &Config,
    (flow, env, newest): (&FlowName, &EnvName, CommitId),
    who: &Person,
) -> Result<Vec<(Command, CommitId)>, Problem> {
    let refused = |what: String| Problem::new(Code::Refused, what);
    let people = &config.laws.people;
    let Some(card) = people.who(&who.identity) else {
        let what = format!(
            "`{}` is linked to no person, so nobody knows which commits are yours: have it added to your `identities` in \
             the config",
            who.identity
        );
        return Err(Problem::new(Code::NotPermitted, what));
    };
    let found = config.flow(flow.as_str())?;
    found.environment(env.as_str())?;
    let planned = plan_flow(&setup.world, &found.flow).await?;
    let Some(tip) = planned.look.tips.get(env).and_then(Tip::commit) else {
        return Err(refused(format!("`{env}` of `{flow}` cannot be read now")));
    };
    let dag = planned.look.dag();
    let (there, wanted) = (dag.ancestors([tip]), dag.ancestors([newest]));
    let hosts = config.forge_hosts();
    let mailmap = setup.world.mailmap(flow, tip).await;
    let mailmap = mailmap.map_err(|_| refused(format!("`.mailmap` of `{env}` of `{flow}` cannot be read now")))?;
    let own: Vec<CommitId> = dag
        .minus(&wanted, &there)
        .filter(|node| is_author(card, people, &hosts, &mailmap.addresses(node.wrote())))
        .map(|node| node.id)
        .collect();
    let below = |id: &CommitId| own.iter().any(|other| other != id && dag.contains(*id, *other));
    let oldest: Vec<CommitId> = own.iter().copied().filter(|id| !below(id)).collect();
    if oldest.is_empty() {
        let mut what = format!(
            "none of the commits that would enter `{env}` of `{flow}` is yours as far as their addresses tell"
        );
        // Advice is for who may follow it.
        let reach = config.laws.rules.places(&found.flow, Some(env));
        let law = config.laws.law();
        let asked = Asked { verb: Verb::Hold, reach: &reach, surface: who.surface };
        if law.may(law.asker(&who.identity), &asked).is_allowed() {
            what.push_str(&format!("; `hold SHA {flow} {env} --reason …` holds any"));
        }
        return Err(refused(what));
    }
    let held = oldest.into_iter().filter_map(|id| {
        let commit = CommitWord::prefix(&id.to_string())?;
        let place = Place::Edge(flow.to_string(), env.to_string());
        Some((Command::Hold { commit, place, reason: REASON.to_owned() }, id))
    });
    Ok(held.collect())
}
