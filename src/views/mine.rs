//! "Hold mine": which of the commits that would enter an environment somebody wrote, as a command that holds it.
//!
//! Not here: what a hold does, and whether they may (`engine::command`).

use std::collections::BTreeSet;

use towpath_core::command::{Command, CommitWord, Place};
use towpath_core::model::{CommitId, EnvName, FlowName, Tip};
use towpath_core::people::authors::is_author;

use super::problem::{Code, Problem};
use crate::config::Config;
use crate::engine::command::Person;
use crate::engine::plan as plan_flow;
use crate::setup::Setup;

/// Why it is held, as everybody reads it.
const REASON: &str = "held by its author before it entered";

/// The command that holds the oldest commit of theirs among those up to `newest` that the environment lacks, and the
/// commit.
///
/// # Errors
/// If nobody knows who they are, or none of these commits is theirs.
pub async fn mine(
    setup: &Setup,
    config: &Config,
    (flow, env, newest): (&FlowName, &EnvName, CommitId),
    who: &Person,
) -> Result<(Command, CommitId), Problem> {
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
    // Newest first, so the last is the oldest: what contains it is held with it.
    let own = dag
        .minus(&wanted, &there)
        .filter(|node| is_author(card, people, &hosts, &BTreeSet::from([node.email.clone()])));
    let Some(oldest) = own.last() else {
        let what = format!(
            "none of the commits that would enter `{env}` of `{flow}` is yours as far as their addresses tell; `hold SHA \
             {flow} {env} --reason …` holds any"
        );
        return Err(refused(what));
    };
    let word = CommitWord::prefix(&oldest.id.to_string());
    let Some(commit) = word else { return Err(refused(format!("{} cannot be named", oldest.id))) };
    let place = Place::Edge(flow.to_string(), env.to_string());
    Ok((Command::Hold { commit, place, reason: REASON.to_owned() }, oldest.id))
}
