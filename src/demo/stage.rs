//! Plays the story on the real engine: people's git, `report` and orders as every surface gives
//! them, then one pass. What is seen and told of it is a value.
//!
//! The engine is used as the command line uses it: `engine::tick` over a `RealWorld` with a SQLite
//! store, orders through `engine::command::carry_out`. It does not know that this is a demo.
//!
//! Its clock stands still while something is done and is moved between (see `pace`), so that no
//! deadline of the engine depends on how fast the clock of the demo runs.

use std::collections::BTreeMap;

use towpath_core::command::Command;
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{
    CommitId, Decision, EnvName, Event, Flow, Instant, IntentState, MoveKind, Reason, Tip, Verdict,
};
use towpath_core::people::{Identity, Surface};
use towpath_core::text::one_line;

use super::DemoError;
use super::sandbox::Sandbox;
use super::script::{Act, Expect, Row, Who};
use crate::clock::{Clock, ManualClock};
use crate::config::{Config, Store, cache_of};
use crate::engine::command::{Dry, Person, carry_out};
use crate::engine::{Planned, RealWorld, Ticked, plan, tick};
use crate::git::Git;
use crate::store::{Create, SqliteStore, What};

/// How many entries of the history are read for the count at the end: more than the story makes.
const HISTORY_MAX: usize = 1_000;

/// What stands for the repository in commands to copy: they are run in one of the clones.
const REMOTE: &str = "origin";

/// One thing that happened or was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How it bears on a move.
    pub mark: Mark,
    /// Whether it belongs to the one before.
    pub under: bool,
    /// In one line, inert.
    pub text: String,
}

impl Told {
    fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, under: false, text: text.into() }
    }

    fn under(text: impl Into<String>) -> Self {
        Self { mark: Mark::Note, under: true, text: text.into() }
    }
}

/// What a pass came to.
#[derive(Debug, Default)]
pub struct Looked {
    /// What moved, and why it could.
    pub moved: Vec<Told>,
    /// What each edge has come to, where that is another thing than before.
    pub decided: Vec<Told>,
}

/// How often branches moved, by the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moves {
    /// Forward, by Towpath.
    pub forward: usize,
    /// Back, by a person's order.
    pub back: usize,
}

/// The stage.
#[derive(Debug)]
pub struct Stage {
    config: Config,
    world: RealWorld,
    clock: ManualClock,
    sandbox: Sandbox,
    /// What each edge was last told to be: a sentence is told again only when it means another thing.
    told: BTreeMap<EnvName, (Verdict, Option<CommitId>)>,
    planned: Option<Planned>,
}

impl Stage {
    /// Makes repository, config and store in the folder, at that instant.
    ///
    /// # Errors
    /// If git, the disk or the store does not do what it should.
    pub async fn set(folder: &std::path::Path, start: Instant) -> Result<Self, DemoError> {
        let clock = ManualClock::new(start);
        let store_path = folder.join("towpath.db");
        let cache = cache_of(&store_path);
        let git = Git::open(&cache.join("home")).await?;
        let sandbox = Sandbox::set_up(folder, git.clone(), start).await?;
        let config =
            Config::load(&Sandbox::config_path(folder)).map_err(|found| DemoError::Config(found.to_string()))?;
        let Store::Sqlite(path) = &config.service.store;
        let store = SqliteStore::open(path, Create::Yes).await?;
        let world = RealWorld::new(&config, store, Clock::Manual(clock.clone()), git, &cache, false);
        Ok(Self { config, world, clock, sandbox, told: BTreeMap::new(), planned: None })
    }

    /// The flow.
    ///
    /// # Errors
    /// If the config has none, which it has.
    pub fn flow(&self) -> Result<&Flow, DemoError> {
        self.config.flows.first().map(|found| &found.flow).ok_or_else(|| DemoError::Config("no flow".to_owned()))
    }

    /// What was last seen and decided.
    pub const fn planned(&self) -> Option<&Planned> {
        self.planned.as_ref()
    }

    /// What the engine's clock shows.
    pub fn now(&self) -> Instant {
        self.clock.reading().wall
    }

    /// Moves the clock forward to an instant; never back.
    pub fn go_to(&self, at: Instant) {
        self.clock.advance(at.since(self.now()));
    }

    /// When the next verdict changes by time alone.
    pub fn due(&self) -> Option<Instant> {
        let now = self.now();
        let decisions = self.planned.iter().flat_map(|planned| &planned.plan.decisions);
        decisions.filter_map(|decision| decision.next).filter(|at| *at > now).min()
    }

    /// Somebody does what the row says.
    ///
    /// # Errors
    /// If git, the disk or the store fails, or an order is refused.
    pub async fn act(&mut self, row: &Row) -> Result<Vec<Told>, DemoError> {
        let by = (row.who, self.now());
        let name = row.who.name();
        match row.act {
            Act::Watch => Ok(Vec::new()),
            Act::Push { branch, commit, subject, file } => {
                let id = self.sandbox.push(by, branch, commit, (subject, file)).await?;
                let text = format!("{name} pushed `{}` \"{}\" to `{branch}`", id.short(), one_line(subject, 80));
                Ok(vec![Told::new(Mark::Note, text)])
            }
            Act::BackMerge { commit } => {
                let id = self.sandbox.back_merge(by, commit).await?;
                let text = format!("{name} merged `master` back and pushed `{}` to `develop`", id.short());
                Ok(vec![Told::new(Mark::Note, text)])
            }
            Act::Report { commit, results } => {
                let id = self.sandbox.commit_of(commit).ok_or(DemoError::Unmade { commit })?;
                let mut told = Vec::new();
                for (check, state) in results {
                    let order = format!("report demo {id} {check} {state} --ref develop");
                    let lines = self.order(row.who, &order).await?;
                    told.extend(lines.into_iter().map(|line| Told::new(Mark::Note, format!("{name}: {line}"))));
                }
                Ok(told)
            }
            Act::Order(order) => {
                let order = self.sandbox.fill_in(order);
                let lines = self.order(row.who, &order).await?;
                let mut told = vec![Told::new(Mark::Note, format!("{name}: towpath {}", shortened(&order)))];
                told.extend(lines.into_iter().map(Told::under));
                Ok(told)
            }
        }
    }

    /// As every surface does it: the text is parsed, the command carried out.
    async fn order(&self, who: Who, text: &str) -> Result<Vec<String>, DemoError> {
        let refused = |why: String| DemoError::Refused { order: text.to_owned(), why };
        let command = Command::parse(text).map_err(|problem| refused(problem.to_string()))?;
        let email = (who != Who::Ci).then(|| format!("{}@shop.example", who.plain()));
        let identity = Identity::Os { user: who.plain().to_owned(), host: "demo".to_owned() };
        let person = Person { email, ..Person::new(identity, Surface::Cli) };
        let reply = carry_out(&self.world, &self.config, &command, &person, Dry::Real).await;
        let reply = reply.map_err(|refusal| refused(refusal.to_string()))?;
        Ok(reply.lines.iter().flat_map(|line| line.lines()).map(str::to_owned).collect())
    }

    /// One pass, and what is new since the one before.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn look(&mut self) -> Result<Looked, DemoError> {
        let flow = self.flow()?.clone();
        let mut looked = Looked::default();
        let mut moved = Vec::new();
        if let Ticked::Done(pass) = tick(&self.world, &flow).await? {
            let words = words(&flow, pass.plan.now.wall);
            for acted in &pass.acted {
                let decision = pass.plan.decisions.iter().find(|d| d.env == acted.row.env && d.action.is_some());
                match decision {
                    Some(decision) if acted.row.state == IntentState::Landed => {
                        moved.push(decision.env.clone());
                        looked.moved.extend(landed(&words, decision));
                    }
                    Some(_) | None => {
                        let text = words.intent(&acted.row);
                        looked.moved.push(Told::new(Mark::Note, one_line(&text, 400)));
                    }
                }
            }
        }
        let planned = plan(&self.world, &flow).await?;
        let words = words(&flow, planned.plan.now.wall);
        for decision in &planned.plan.decisions {
            let key = (decision.verdict.clone(), decision.lead.as_ref().map(|lead| lead.commit));
            let before = self.told.insert(decision.env.clone(), key.clone());
            let idle = matches!(decision.verdict.why(), Reason::UpToDate);
            // That it is up to date goes without saying at the beginning and after a move.
            if before.as_ref() == Some(&key) || idle && (before.is_none() || moved.contains(&decision.env)) {
                continue;
            }
            looked.decided.extend(changed(&words, decision));
        }
        self.planned = Some(planned);
        Ok(looked)
    }

    /// Which of the expectations do not hold.
    pub fn lacking(&self, expected: &[Expect]) -> Vec<Expect> {
        expected.iter().filter(|expect| !self.holds(**expect)).copied().collect()
    }

    fn holds(&self, expect: Expect) -> bool {
        let Some(planned) = &self.planned else { return false };
        let verdict = |env: &str| planned.plan.decisions.iter().find(|d| d.env.as_str() == env).map(|d| &d.verdict);
        let why = |env: &str| verdict(env).map(Verdict::why);
        let blocked = |env: &str| matches!(verdict(env), Some(Verdict::Block { .. }));
        match expect {
            Expect::At(env, commit) => {
                let tip = planned.look.tips.iter().find(|(name, _)| name.as_str() == env).map(|(_, tip)| tip);
                let id = self.sandbox.commit_of(commit);
                id.is_some() && tip.and_then(Tip::commit) == id
            }
            Expect::Waits(env) => matches!(verdict(env), Some(Verdict::Wait { .. })),
            Expect::Red(env) => blocked(env) && matches!(why(env), Some(Reason::CheckRed { .. })),
            Expect::Paused(env) => matches!(why(env), Some(Reason::Paused { .. })),
            Expect::Stray(env, commit) => {
                let id = self.sandbox.commit_of(commit);
                blocked(env)
                    && matches!(why(env), Some(Reason::Diverged { commits, .. })
                        if commits.iter().any(|stray| Some(stray.commit) == id))
            }
            Expect::Held(env) => {
                let decision = planned.plan.decisions.iter().find(|d| d.env.as_str() == env);
                let judged = decision.and_then(|d| d.lead.as_ref()).into_iter().flat_map(|lead| &lead.judged);
                judged.into_iter().any(|judged| matches!(judged.verdict.why(), Reason::Held { .. }))
            }
        }
    }

    /// How often each target moved, by the ledger.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn moves(&self) -> Result<Vec<(EnvName, Moves)>, DemoError> {
        let mut moves: Vec<(EnvName, Moves)> =
            self.flow()?.edges().map(|edge| (edge.target.name.clone(), Moves::default())).collect();
        for item in self.world.store().history(None, HISTORY_MAX).await? {
            let What::Event(row) = item.what else { continue };
            let Some((_, count)) = moves.iter_mut().find(|(env, _)| *env == row.env) else { continue };
            match row.event {
                Event::Landed { kind: MoveKind::FastForward, .. } => count.forward += 1,
                Event::Landed { kind: MoveKind::Rollback, .. } => count.back += 1,
                _ => {}
            }
        }
        Ok(moves)
    }
}

/// The words of the flow, in the form for somebody who stands in a clone.
pub const fn words(flow: &Flow, now: Instant) -> Words<'_> {
    Words { zone: flow.zone, now, flow, remote_word: REMOTE, lasting: false }
}

/// What moved, and which checks let it.
fn landed(words: &Words<'_>, decision: &Decision) -> Vec<Told> {
    let explanation = words.explain(decision);
    let mut told = vec![Told::new(Mark::Pass, explanation.headline)];
    let judged = decision.lead.iter().flat_map(|lead| &lead.judged);
    let telling = judged.filter(|judged| !matches!(judged.verdict.why(), Reason::Nothing)).count();
    // The first line says that it moves, which the headline has said; after the checks that have
    // something to say comes what else is known of the edge.
    told.extend(explanation.lines.into_iter().skip(1).take(telling).map(|line| Told::under(line.text)));
    told
}

/// What an edge has come to, and the way out of a block.
fn changed(words: &Words<'_>, decision: &Decision) -> Vec<Told> {
    let explanation = words.explain(decision);
    let mark = mark(&decision.verdict);
    let mut told = vec![Told::new(mark, explanation.headline)];
    if mark == Mark::Block
        && let Some(todo) = explanation.todo.into_iter().next()
    {
        told.push(Told::under(todo.say));
        told.extend(todo.commands.iter().map(|command| Told::under(format!("  {}", shortened(command)))));
    }
    told
}

/// The sign for a verdict.
pub const fn mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::Pass { .. } => Mark::Pass,
        Verdict::Wait { .. } => Mark::Wait,
        Verdict::Block { .. } => Mark::Block,
    }
}

/// Ids of forty digits as short as everywhere else, for reading.
pub fn shortened(text: &str) -> String {
    let short = |word: &str| match word.parse::<CommitId>() {
        Ok(id) => id.short(),
        Err(_) => word.to_owned(),
    };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}
