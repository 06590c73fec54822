//! `gates.migrations`: what the candidate brings breaks no code that runs on the database, and its own
//! code can live with what the database has.
//!
//! Two questions (DESIGN 3.6). What is found is a fact; here is what follows of it: a name that running
//! code still uses is waited for where that code will be replaced by code that does not, and blocks else.
//!
//! Not here: reading migrations, and whose code runs (`see/code.rs`).

use crate::decide::Look;
use crate::model::{
    CodeRunning, CodeSeen, CommitId, CompatFinding, CompatKey, CompatSaid, Edge, EnvName, Fact, MigrationsGate,
    Reason, Review, StillUsed, Unknown, UnknownWhy, Verdict, Waiting, Who,
};

/// How many commits are asked about that may take the place of code that stands in the way.
const SUCCESSORS_MAX: usize = 10;

/// The verdict, or `None` when something was not yet asked.
pub fn judge(gate: &MigrationsGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let Some(code) = look.seen.code.get(&edge.target.name) else {
        return Some(Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered)));
    };
    if code.unknown.is_some() {
        return Some(Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered)));
    }
    let question = Question { gate, edge, candidate, code };
    let forth = question.brought(look);
    let back = question.lacked(look);
    // Both are asked for in one round.
    let (forth, back) = (forth?, back?);
    Some(match (forth, back) {
        (Err(unknown), _) | (_, Err(unknown)) => Verdict::unknown(unknown),
        (Ok(brought), Ok(None)) => question.verdict(&brought, look)?,
        (Ok(_), Ok(Some(lacked))) => lacked,
    })
}

struct Question<'a> {
    gate: &'a MigrationsGate,
    edge: &'a Edge<'a>,
    candidate: &'a Waiting,
    code: &'a CodeSeen,
}

/// What bringing the candidate's migrations does to code that runs.
struct Brought {
    /// Code that it breaks or may break, with what was found of it.
    against: Vec<(CodeRunning, CompatSaid)>,
    /// Whether a name is taken away that no known code uses.
    contracts: bool,
    migrations: u32,
}

impl Question<'_> {
    fn key(&self, has: Vec<CommitId>, brings: CommitId, running: CommitId) -> CompatKey {
        CompatKey { env: self.edge.target.name.clone(), has, brings, running }
    }

    /// Whether a finding stands in the way.
    fn stands(&self, finding: &CompatFinding) -> bool {
        finding.breaks || self.gate.review == Review::Block
    }

    fn against(&self, said: &CompatSaid) -> bool {
        said.findings.iter().any(|finding| self.stands(finding)) || said.more > 0
    }

    /// The first question: the migrations that the candidate brings, against the code that runs.
    fn brought(&self, look: &mut Look<'_>) -> Option<Result<Brought, Unknown>> {
        let mut brought = Brought { against: Vec::new(), contracts: false, migrations: 0 };
        let (mut whole, mut unknown) = (true, None);
        for running in &self.code.running {
            let key = self.key(self.code.has.clone(), self.candidate.id, running.commit);
            match asked(key, look) {
                None => whole = false,
                Some(Fact::Unknown(why)) => unknown = unknown.or(Some(why)),
                Some(Fact::Known(said)) => {
                    brought.contracts |= said.unused > 0;
                    brought.migrations = brought.migrations.max(said.migrations);
                    if self.against(&said) {
                        brought.against.push((running.clone(), said));
                    }
                }
            }
        }
        whole.then(|| unknown.map_or(Ok(brought), Err))
    }

    /// The second: the candidate's own code, against migrations that the database has and it lacks.
    fn lacked(&self, look: &mut Look<'_>) -> Option<Result<Option<Verdict>, Unknown>> {
        let (mut whole, mut unknown, mut blocks) = (true, None, None);
        for had in self.code.has.iter().filter(|had| **had != self.candidate.id) {
            match asked(self.key(vec![self.candidate.id], *had, self.candidate.id), look) {
                None => whole = false,
                Some(Fact::Unknown(why)) => unknown = unknown.or(Some(why)),
                Some(Fact::Known(said)) if self.against(&said) && blocks.is_none() => {
                    let finding = said.findings.iter().find(|f| self.stands(f)).cloned();
                    let more = rest(&said);
                    blocks = Some(Verdict::Block {
                        why: Reason::MigrationsLacked { had: *had, finding, more },
                        who: self.pushers(),
                    });
                }
                Some(Fact::Known(_)) => {}
            }
        }
        whole.then_some(match (blocks, unknown) {
            (Some(blocks), _) => Ok(Some(blocks)),
            (None, Some(why)) => Err(why),
            (None, None) => Ok(None),
        })
    }

    fn pushers(&self) -> Who {
        Who::Pushers(self.edge.flow.environments[0].branch.clone())
    }

    fn verdict(&self, brought: &Brought, look: &mut Look<'_>) -> Option<Verdict> {
        let mut still = Vec::new();
        let mut whole = true;
        let mut shown = None;
        for (running, said) in &brought.against {
            let hard = said.findings.iter().find(|finding| self.stands(finding) && !finding.by_use);
            if hard.is_some() || said.findings.is_empty() {
                let finding = hard.or(said.findings.first()).cloned();
                return Some(self.block(running, finding, said));
            }
            let finding = said.findings.iter().find(|finding| self.stands(finding)).cloned();
            match self.replaced(running, look) {
                None => whole = false,
                Some(Err(unknown)) => return Some(Verdict::unknown(unknown)),
                Some(Ok(None)) => return Some(self.block(running, finding, said)),
                Some(Ok(Some(one))) => {
                    shown = shown.or(finding);
                    still.push(one);
                }
            }
        }
        if !whole {
            return None;
        }
        if let Some(finding) = shown {
            // None knows when everything that has to be replaced will be.
            let until = still.iter().map(|one| one.until).collect::<Option<Vec<_>>>();
            let until = until.and_then(|all| all.into_iter().max());
            let waiting = look.on_edge.graph.known().map_or(&[][..], |graph| &graph.waiting);
            let behind = waiting.iter().position(|other| other.id == self.candidate.id).unwrap_or(0);
            let behind = u32::try_from(behind).unwrap_or(u32::MAX);
            let on = still.iter().find(|one| one.by.is_some()).map_or(Who::Time, |one| self.waits_on(&one.env));
            return Some(Verdict::Wait { why: Reason::MigrationsWait { finding, still, behind }, on, until });
        }
        if let Some(unseen) = self.code.unseen.as_ref().filter(|_| brought.contracts) {
            let why = Reason::MigrationsUnseen { env: unseen.env.clone() };
            return Some(Verdict::Wait { why, on: Who::Time, until: Some(unseen.until) });
        }
        Some(Verdict::Pass { why: Reason::MigrationsPass { brought: brought.migrations } })
    }

    /// On whom a wait for the replacement of an environment's code is.
    fn waits_on(&self, env: &EnvName) -> Who {
        if env == &self.edge.target.name { Who::Towpath } else { Who::Environment(env.clone()) }
    }

    fn block(&self, running: &CodeRunning, finding: Option<CompatFinding>, said: &CompatSaid) -> Verdict {
        let (env, running) = (running.env.clone(), running.commit);
        let why = Reason::MigrationsBreak { env, running, finding, more: rest(said) };
        Verdict::Block { why, who: self.pushers() }
    }

    /// What takes the place of code that uses a name: itself over by then, or a commit that comes and does
    /// not use it. `None` inside where nothing does.
    fn replaced(&self, running: &CodeRunning, look: &mut Look<'_>) -> Option<Result<Option<StillUsed>, Unknown>> {
        let still = |by| StillUsed { env: running.env.clone(), commit: running.commit, by, until: running.until };
        if running.until.is_some() {
            return Some(Ok(Some(still(None))));
        }
        let (mut whole, mut unknown) = (true, None);
        for next in self.successors(&running.env, look) {
            match asked(self.key(self.code.has.clone(), self.candidate.id, next), look) {
                None => whole = false,
                Some(Fact::Known(said)) if !self.against(&said) => return Some(Ok(Some(still(Some(next))))),
                Some(Fact::Known(_)) => {}
                Some(Fact::Unknown(why)) => unknown = unknown.or(Some(why)),
            }
        }
        whole.then(|| unknown.map_or(Ok(None), Err))
    }

    /// The commits that may come to an environment before the candidate does, the nearest to the candidate
    /// first: on its own edge those below it, further on those that wait there or have passed an edge on
    /// the way there.
    fn successors(&self, env: &EnvName, look: &Look<'_>) -> Vec<CommitId> {
        let free = |commit: &&Waiting| commit.holds.is_empty() && (commit.was_tip || commit.on_chain);
        let mut found = Vec::new();
        for edge in self.edge.flow.edges().filter(|edge| edge.at >= self.edge.at) {
            let seen = look.seen.edges.iter().find(|seen| seen.env == edge.target.name);
            let waiting = seen.and_then(|seen| seen.graph.known()).map_or(&[][..], |graph| &graph.waiting);
            let below = match waiting.iter().position(|other| other.id == self.candidate.id) {
                Some(at) => &waiting[at + 1..],
                None => waiting,
            };
            found.extend(below.iter().filter(free).map(|commit| commit.id));
            if &edge.target.name == env {
                found.dedup();
                found.truncate(SUCCESSORS_MAX);
                return found;
            }
        }
        // An earlier environment: whatever it has now is above the candidate, and stays.
        Vec::new()
    }
}

/// How many findings are not named where one is.
fn rest(said: &CompatSaid) -> u32 {
    u32::try_from(said.findings.len().saturating_sub(1)).unwrap_or(u32::MAX).saturating_add(said.more)
}

fn asked(key: CompatKey, look: &mut Look<'_>) -> Option<Fact<CompatSaid>> {
    let fact = look.seen.facts.compat.get(&key).cloned();
    if fact.is_none() {
        look.missing.compat.insert(key);
    }
    fact
}
