//! What the commits of a swarm do to their database: migrations that make and take away names, and code that
//! uses some of them. Reading files has tests of its own; here it is made up, and what moves is judged a second
//! time by what truly runs.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{
    CommitId, CompatFinding, CompatKey, CompatSaid, EnvName, FlowName, GateKind, IntentRow, Tip,
};
use towpath_core::see::Tips;

use super::Plant;
use super::rng::Rng;
use super::universe::Universe;

/// The environments on the database.
const ON_DATABASE: [&str; 2] = ["staging", "production"];

/// For how long code that was replaced truly goes on, in milliseconds: less than the `settle` of a swarm's
/// environments by what clocks may differ.
const GOES_ON: i64 = 14 * 60_000;

/// A step that a migration takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Adds(u32),
    Drops(u32),
}

/// What a commit's tree says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// All migrations up to here.
    pub steps: BTreeSet<Step>,
    /// The names that the code uses.
    pub uses: BTreeSet<u32>,
}

impl Made {
    fn drops(&self) -> BTreeSet<u32> {
        self.steps.iter().filter_map(|step| if let Step::Drops(name) = step { Some(*name) } else { None }).collect()
    }

    /// Names that are there.
    fn names(&self) -> Vec<u32> {
        let gone = self.drops();
        let there =
            self.steps.iter().filter_map(|step| if let Step::Adds(name) = step { Some(*name) } else { None });
        there.filter(|name| !gone.contains(name)).collect()
    }

    /// What a new commit on top of others makes of theirs. Each does one thing; a few do what breaks.
    pub fn next(parents: &[&Self], rng: &mut Rng, next_name: &mut u32) -> Self {
        let mut made = Self::default();
        for parent in parents {
            made.steps.extend(&parent.steps);
            made.uses.extend(&parent.uses);
        }
        // What one side has dropped the other may still use: whoever merges mends it.
        let gone = made.drops();
        made.uses.retain(|name| !gone.contains(name));
        let names = made.names();
        let unused: Vec<u32> = names.iter().copied().filter(|name| !made.uses.contains(name)).collect();
        let used: Vec<u32> = made.uses.iter().copied().collect();
        match rng.below(100) {
            0..20 => {
                *next_name += 1;
                made.steps.insert(Step::Adds(*next_name));
            }
            20..40 => made.uses.extend(rng.pick(&unused)),
            40..60 => {
                rng.pick(&used).map(|name| made.uses.remove(name));
            }
            60..75 => made.steps.extend(rng.pick(&unused).map(|name| Step::Drops(*name))),
            // Stops using it and takes it away in one step.
            75..80 => {
                if let Some(name) = rng.pick(&used) {
                    made.uses.remove(name);
                    made.steps.insert(Step::Drops(*name));
                }
            }
            _ => {}
        }
        made
    }
}

fn finding(breaks: bool, history: bool, rule: &str, name: u32) -> CompatFinding {
    CompatFinding {
        breaks,
        by_use: !history,
        history,
        rule: rule.to_owned(),
        object: format!("n{name}"),
        path: format!("{name}.sql"),
        line: 1,
        message: format!("{rule} n{name}"),
        used_at: None,
    }
}

/// What the check says of a question.
pub fn said(made: &BTreeMap<CommitId, Made>, key: &CompatKey) -> CompatSaid {
    let of = |commit: &CommitId| &made[commit];
    let had: BTreeSet<Step> = key.has.iter().flat_map(|commit| of(commit).steps.iter().copied()).collect();
    let brings = &of(&key.brings).steps;
    let mut said = CompatSaid::default();
    for step in brings.difference(&had) {
        said.migrations += 1;
        match step {
            Step::Drops(name) if of(&key.running).uses.contains(name) => {
                said.findings.push(finding(true, false, "drop", *name));
            }
            Step::Drops(_) => said.unused += 1,
            Step::Adds(_) => {}
        }
    }
    let everywhere = |step: &&Step| key.has.iter().all(|commit| of(commit).steps.contains(*step));
    for step in had.iter().filter(everywhere).filter(|step| !brings.contains(step)) {
        let (Step::Adds(name) | Step::Drops(name)) = step;
        said.findings.push(finding(false, true, "deleted-migration", *name));
    }
    said
}

/// The planted bugs of the check: what it does not look at.
pub fn planted(plant: Option<Plant>, tips: &Tips, key: &CompatKey) -> bool {
    match plant {
        Some(Plant::JudgeOnlyItsOwnCode) => {
            let beside = ON_DATABASE.iter().map(|env| EnvName::new(*env)).filter(|env| *env != key.env);
            let at = |env: EnvName| tips.get(&env).and_then(Tip::commit);
            key.running != key.brings && beside.filter_map(at).any(|commit| commit == key.running)
        }
        Some(Plant::ForgetWhatTheDatabaseLost) => key.has == [key.running],
        _ => false,
    }
}

/// When an intent is saved: which tips the store knows of.
pub fn on_save(it: &mut Universe, row: &IntentRow) {
    if it.made.is_none() {
        return;
    }
    let held = &it.book.ledgers[&row.flow].held;
    let of = |env: &&str| {
        let env = EnvName::new(*env);
        held.get(&env).into_iter().flatten().map(move |tip| (env.clone(), tip.commit)).collect::<Vec<_>>()
    };
    let known = ON_DATABASE.iter().flat_map(of).collect();
    it.book.held_at_save.insert(row.id.clone(), known);
}

/// I12, at the instant at which the server moves a branch for us: no code that runs on the database loses a name
/// that it uses, and what comes uses none that is lost; as far as the store knew of it when this was decided.
pub fn on_move(it: &mut Universe, flow: &FlowName, row: &IntentRow) {
    let passed = row.overrides.iter().any(|id| it.book.overrides.get(id) == Some(&GateKind::Migrations));
    if it.made.is_none() || passed {
        return;
    }
    let Some(known) = it.book.held_at_save.get(&row.id).cloned() else { return };
    let repository = &it.repositories[flow];
    let made = &repository.made;
    let new = &made[&row.new];
    let had: BTreeSet<Step> = known.iter().flat_map(|(_, commit)| made[commit].steps.iter().copied()).collect();
    let lost = |steps: &mut dyn Iterator<Item = &Step>| -> BTreeSet<u32> {
        steps.filter_map(|step| if let Step::Drops(name) = step { Some(*name) } else { None }).collect()
    };
    let mut wrong = Vec::new();
    let takes = lost(&mut new.steps.difference(&had));
    for env in ON_DATABASE {
        let since = it.truth - GOES_ON;
        let replaced = repository.moves.iter().filter(|m| m.branch.as_str() == env && m.at >= since);
        let running = replaced.filter_map(|m| m.old).chain(repository.branches.get(&env.into()).copied());
        for commit in running.filter(|commit| known.contains(&(env.into(), *commit))) {
            if let Some(name) = made[&commit].uses.intersection(&takes).next() {
                wrong.push(format!("I12: {} takes n{name} from {commit}, which runs in {env}: {row:?}", row.new));
            }
        }
    }
    let lacks = lost(&mut had.difference(&new.steps));
    if let Some(name) = new.uses.intersection(&lacks).next() {
        wrong.push(format!("I12: {} enters {} and uses n{name}, which is gone: {row:?}", row.new, row.env));
    }
    for what in wrong {
        it.violation(what);
    }
}
