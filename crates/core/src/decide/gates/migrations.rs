//! `gates.migrations`: what the candidate brings breaks no code that runs on the database, and its own
//! code can live with what the database has.
//!
//! Two questions (DESIGN 3.6). What is found is a fact; here is what follows of it: a name that running
//! code still uses is waited for where that code will be replaced by code that does not, and blocks else.
//!
//! Not here: reading migrations, and whose code runs (`see/code.rs`).

use super::deployed;
use crate::decide::judge::judge_inside;
use crate::decide::{Look, candidates};
use crate::model::{
    Check, CodeRunning, CodeSeen, CommitId, CompatFinding, CompatKey, CompatSaid, Edge, EnvName, Fact, Graph,
    Judged, KeptOut, MigrationsGate, Observation, Reason, Review, StillUsed, Unknown, UnknownWhy, Verdict, Waiting,
    Who,
};

/// How many commits are asked about at once that may take the place of code that stands in the way: among
/// sixty-four, which is more than the usual `look_back`, one is found in two rounds.
const PROBES: usize = 8;

/// How many commits of an edge that would take the place of code, and are kept out by something else, are
/// tried before nothing is said to come. Each takes rounds.
const SUCCESSORS_MAX: u32 = 2;

/// For how many candidates of an edge it is worked out in one look what takes the place of code in their way,
/// the newest first. Of the others it is only told what code that is: none of them moves either way, and what is
/// shown is the one that can move soonest.
const WORKED_OUT_MAX: u32 = 6;

/// How far it is followed that one commit waits for another, which waits for another in turn.
const DEEP_MAX: u32 = 2;

/// The verdict, or `None` when something was not yet asked.
pub fn judge(gate: &MigrationsGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let Some(question) = Question::of(gate, edge, candidate.id, look.seen) else {
        return Some(Verdict::unknown(what_runs(edge, look.seen)));
    };
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

/// The verdict on going back to a commit: the second question alone. `None` when something was not yet asked.
pub fn judge_back(gate: &MigrationsGate, edge: &Edge<'_>, to: CommitId, look: &mut Look<'_>) -> Option<Verdict> {
    let Some(question) = Question::of(gate, edge, to, look.seen) else {
        return Some(Verdict::unknown(what_runs(edge, look.seen)));
    };
    Some(match question.lacked(look)? {
        Err(unknown) => Verdict::unknown(unknown),
        Ok(None) => Verdict::Pass { why: Reason::MigrationsPass { brought: 0 } },
        Ok(Some(lacked)) => lacked,
    })
}

/// Why it is not known what runs.
fn what_runs(edge: &Edge<'_>, seen: &Observation) -> Unknown {
    let env = seen.code.get(&edge.target.name).and_then(|code| code.unknown.as_ref());
    let Some(env) = env else { return Unknown::passing(UnknownWhy::NotAnswered) };
    let words = format!("there is no branch of `{env}` to be seen, so it is not known what runs there");
    Unknown::passing(UnknownWhy::Migrations { words })
}

/// Which of the two questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Both, of a commit that is to enter.
    Both,
    /// The second alone, of one that is gone back to.
    Back,
}

/// One thing that stands against a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// This was found.
    Found(CompatFinding),
    /// More was found than is kept: so much more.
    More(u32),
    /// What an environment held before it was first seen may still run.
    Unseen(EnvName),
    /// Something is not known that would have to be.
    NotKnown,
}

/// Everything that stands against a commit now, each under words that are equal exactly where the same was
/// found of the same commits: those are what an `override` accepts. `None` when something was not yet asked.
pub fn stands_against(
    gate: &MigrationsGate,
    edge: &Edge<'_>,
    commit: CommitId,
    asks: Asks,
    look: &mut Look<'_>,
) -> Option<Vec<(String, Against)>> {
    let not_known = |words: &str| Some(vec![(words.to_owned(), Against::NotKnown)]);
    let Some(question) = Question::of(gate, edge, commit, look.seen) else {
        return not_known("what runs is not known");
    };
    let running = match asks {
        Asks::Back => Vec::new(),
        Asks::Both => match question.running(look)? {
            Ok(running) => running,
            Err(_) => return not_known("what is deployed is not known"),
        },
    };
    let brought =
        running.iter().map(|running| (question.key(question.code.has.clone(), commit, running.commit), false));
    let lacked = question.had().map(|had| (question.key(vec![commit], had, commit), true));
    let mut against = Vec::new();
    if let Some(unseen) = question.code.unseen.as_ref().filter(|_| asks == Asks::Both) {
        against.push((format!("{} was not seen before", unseen.env), Against::Unseen(unseen.env.clone())));
    }
    for (key, back) in brought.chain(lacked) {
        let has: Vec<String> = key.has.iter().map(ToString::to_string).collect();
        let on = format!("{} onto {} under {}", key.brings, has.join("+"), key.running);
        match asked(key, look)? {
            Fact::Unknown(_) => against.push((format!("{on}: not known"), Against::NotKnown)),
            Fact::Known(said) => {
                let findings = said.findings.iter().filter(|finding| question.stands(finding));
                let bears = findings.filter(|finding| !(back && finding.history));
                against.extend(bears.map(|f| {
                    (format!("{on}: {} {} {}:{}", f.rule, f.object, f.path, f.line), Against::Found(f.clone()))
                }));
                if said.more > 0 && question.more_stands(&said) {
                    against.push((format!("{on}: {} more", said.more), Against::More(said.more)));
                }
            }
        }
    }
    Some(against)
}

/// The commits whose coming a candidate waits for, or would wait for if they were not kept out.
pub(crate) fn awaits(judged: &[Judged]) -> impl Iterator<Item = CommitId> {
    judged.iter().flat_map(|one| match one.verdict.why() {
        Reason::MigrationsWait { still, .. } => still.iter().filter_map(|one| one.by).collect(),
        Reason::MigrationsBreak { kept_out: Some(out), .. } => vec![out.commit],
        _ => Vec::new(),
    })
}

struct Question<'a> {
    gate: &'a MigrationsGate,
    edge: &'a Edge<'a>,
    candidate: CommitId,
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

impl<'a> Question<'a> {
    /// None where it is not known what runs.
    fn of(
        gate: &'a MigrationsGate,
        edge: &'a Edge<'_>,
        candidate: CommitId,
        seen: &'a Observation,
    ) -> Option<Self> {
        let code = seen.code.get(&edge.target.name).filter(|code| code.unknown.is_none())?;
        Some(Self { gate, edge, candidate, code })
    }

    fn key(&self, mut has: Vec<CommitId>, brings: CommitId, running: CommitId) -> CompatKey {
        has.sort_unstable();
        CompatKey { env: self.edge.target.name.clone(), has, brings, running }
    }

    /// The commits whose migrations the candidate's own code has to live with: those that the database has,
    /// and those that it may get at any moment.
    fn had(&self) -> impl Iterator<Item = CommitId> + use<'a> {
        let (code, candidate) = (self.code, self.candidate);
        code.has.iter().chain(&code.coming).copied().filter(move |had| *had != candidate)
    }

    /// Whether a finding stands in the way.
    fn stands(&self, finding: &CompatFinding) -> bool {
        finding.breaks || self.gate.review == Review::Block
    }

    /// Whether what is not kept stands in the way: what breaks is kept first.
    fn more_stands(&self, said: &CompatSaid) -> bool {
        self.gate.review == Review::Block || said.findings.last().is_none_or(|last| last.breaks)
    }

    fn against(&self, said: &CompatSaid) -> bool {
        said.findings.iter().any(|finding| self.stands(finding)) || (said.more > 0 && self.more_stands(said))
    }

    /// The code that may be running everywhere on the database.
    fn running(&self, look: &mut Look<'_>) -> Option<Result<Vec<CodeRunning>, Unknown>> {
        let (mut running, mut whole) = (self.code.running.clone(), true);
        for deployed in &self.code.deployed {
            match deployed::running(deployed, look) {
                Some(Ok(more)) => running.extend(more),
                Some(Err(unknown)) => return Some(Err(unknown)),
                None => whole = false,
            }
        }
        whole.then_some(Ok(running))
    }

    /// The first question: the migrations that the candidate brings, against the code that runs.
    fn brought(&self, look: &mut Look<'_>) -> Option<Result<Brought, Unknown>> {
        let mut brought = Brought { against: Vec::new(), contracts: false, migrations: 0 };
        let (mut whole, mut unknown) = (true, None);
        let running = match self.running(look)? {
            Ok(running) => running,
            Err(unknown) => return Some(Err(unknown)),
        };
        for running in &running {
            let key = self.key(self.code.has.clone(), self.candidate, running.commit);
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
        for had in self.had() {
            match asked(self.key(vec![self.candidate], had, self.candidate), look) {
                None => whole = false,
                Some(Fact::Unknown(why)) => unknown = unknown.or(Some(why)),
                Some(Fact::Known(mut said)) => {
                    // What the candidate has besides is no history gone astray.
                    said.findings.retain(|finding| !finding.history);
                    if !self.against(&said) || blocks.is_some() {
                        continue;
                    }
                    let finding = said.findings.iter().find(|f| self.stands(f)).cloned();
                    let more = rest(&said);
                    blocks = Some(Verdict::Block {
                        why: Reason::MigrationsLacked { had, finding, more },
                        who: self.pushers(),
                    });
                }
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
        let (mut shown, mut on) = (None, None);
        let mut worked_out = false;
        for (running, said) in &brought.against {
            let hard = said.findings.iter().find(|finding| self.stands(finding) && !finding.by_use);
            if hard.is_some() || said.findings.is_empty() {
                let finding = hard.or(said.findings.first()).cloned();
                return Some(self.block(running, finding, said, None));
            }
            let finding = said.findings.iter().find(|finding| self.stands(finding)).cloned();
            if !worked_out && look.worked_out >= WORKED_OUT_MAX {
                return Some(self.block(running, finding, said, None));
            }
            if look.deep >= DEEP_MAX {
                // Better told to people than waited for in vain; it may come all the same, by itself.
                return Some(self.block(running, finding, said, None));
            }
            look.worked_out += u32::from(!worked_out);
            worked_out = true;
            match self.replaced(running, look) {
                None => whole = false,
                Some(Err(unknown)) => return Some(Verdict::unknown(unknown)),
                Some(Ok(Replaced::Stays(kept_out))) => {
                    return Some(self.block(running, finding, said, kept_out));
                }
                Some(Ok(Replaced::Comes(one, waits_on))) => {
                    shown = shown.or(finding);
                    on = on.or_else(|| one.by.map(|_| self.waits_on(&one.env, waits_on)));
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
            let behind = waiting.iter().position(|other| other.id == self.candidate).unwrap_or(0);
            let behind = u32::try_from(behind).unwrap_or(u32::MAX);
            let why = Reason::MigrationsWait { finding, still, behind };
            return Some(Verdict::Wait { why, on: on.unwrap_or(Who::Time), until });
        }
        if let Some(unseen) = self.code.unseen.as_ref().filter(|_| brought.contracts) {
            let why = Reason::MigrationsUnseen { env: unseen.env.clone() };
            return Some(Verdict::Wait { why, on: Who::Time, until: Some(unseen.until) });
        }
        Some(Verdict::Pass { why: Reason::MigrationsPass { brought: brought.migrations } })
    }

    /// On whom a wait for the replacement of an environment's code is; `waits_on` is whom what replaces it
    /// waits for itself.
    fn waits_on(&self, env: &EnvName, waits_on: Option<Who>) -> Who {
        if env == &self.edge.target.name { waits_on.unwrap_or(Who::Towpath) } else { Who::Environment(env.clone()) }
    }

    fn block(
        &self,
        running: &CodeRunning,
        finding: Option<CompatFinding>,
        said: &CompatSaid,
        kept_out: Option<KeptOut>,
    ) -> Verdict {
        let (env, running) = (running.env.clone(), running.commit);
        let why = Reason::MigrationsBreak {
            env,
            running,
            finding,
            more: rest(said),
            has: self.code.has.clone(),
            kept_out,
        };
        Verdict::Block { why, who: self.pushers() }
    }

    /// What takes the place of code that uses a name: itself over by then, or a commit that comes and does
    /// not use it.
    fn replaced(&self, running: &CodeRunning, look: &mut Look<'_>) -> Option<Result<Replaced, Unknown>> {
        let still = |by| StillUsed { env: running.env.clone(), commit: running.commit, by, until: running.until };
        if running.until.is_some() {
            return Some(Ok(Replaced::Comes(still(None), None)));
        }
        let (mut whole, mut unknown, mut kept_out) = (true, None, None);
        for (edge, mut list) in self.successors(&running.env, look) {
            // One that is kept out is passed over: another may come in its place.
            let tries = if look.deep == 0 { SUCCESSORS_MAX } else { 1 };
            for _ in 0..tries {
                let next = match self.first_to_come(&list, running.commit, look) {
                    None => {
                        whole = false;
                        break;
                    }
                    Some(Err(why)) => {
                        unknown = unknown.or(Some(why));
                        break;
                    }
                    Some(Ok(None)) => break,
                    Some(Ok(Some(next))) => next,
                };
                match stands_in_its_way(&edge, next, look) {
                    None => {
                        whole = false;
                        break;
                    }
                    Some(Coming::Waits(on)) => return Some(Ok(Replaced::Comes(still(Some(next)), on))),
                    Some(Coming::KeptOut(why)) => {
                        kept_out = kept_out.or(Some(KeptOut { commit: next, why: Box::new(why) }));
                        list.retain(|other| *other != next);
                    }
                }
            }
        }
        // What is in the branch already only has to be deployed.
        if let Some(next) = running.next {
            match self.first_to_come(&[next], running.commit, look) {
                None => whole = false,
                Some(Err(why)) => unknown = unknown.or(Some(why)),
                Some(Ok(None)) => {}
                Some(Ok(Some(next))) => return Some(Ok(Replaced::Comes(still(Some(next)), None))),
            }
        }
        whole.then(|| unknown.map_or(Ok(Replaced::Stays(kept_out)), Err))
    }

    /// One of these that is let in while the code runs, and does not use the name itself. The newest are first;
    /// those that are not let in are above those that are, and those that use the name below those that do
    /// not, as far as histories go: so a few are asked about and not all.
    fn first_to_come(
        &self,
        list: &[CommitId],
        running: CommitId,
        look: &mut Look<'_>,
    ) -> Option<Result<Option<CommitId>, Unknown>> {
        let (mut above, mut below) = (0, list.len());
        while above < below {
            let step = (below - above).div_ceil(PROBES);
            let (mut whole, mut found) = (true, None);
            let (first, last) = (above, below);
            for at in (first..last).step_by(step) {
                let comes = asked(self.key(self.code.has.clone(), list[at], running), look);
                let free = asked(self.key(self.code.has.clone(), self.candidate, list[at]), look);
                match (comes, free) {
                    (None, _) | (_, None) => whole = false,
                    (Some(Fact::Unknown(why)), _) | (_, Some(Fact::Unknown(why))) => return Some(Err(why)),
                    (Some(Fact::Known(comes)), Some(Fact::Known(free))) => match () {
                        () if self.against(&comes) => above = at + 1,
                        () if self.against(&free) => below = below.min(at),
                        () => found = found.or(Some(list[at])),
                    },
                }
            }
            if !whole {
                return None;
            }
            if found.is_some() {
                return Some(Ok(found));
            }
        }
        Some(Ok(None))
    }

    /// The commits that may come to an environment before the candidate does, with the edge that they wait
    /// on, the nearest to the candidate first: on its own edge those below it, further on those that wait
    /// there or have passed an edge on the way there.
    fn successors(&self, env: &EnvName, look: &Look<'_>) -> Vec<(Edge<'a>, Vec<CommitId>)> {
        let on = |edge: &Edge<'_>| look.seen.edges.iter().find(|seen| seen.env == edge.target.name);
        let path: Vec<Edge<'a>> = self.edge.flow.edges().filter(|edge| edge.at >= self.edge.at).collect();
        // An earlier environment: whatever it has now is above the candidate, and stays.
        let Some(end) = path.iter().position(|edge| &edge.target.name == env) else { return Vec::new() };
        let mut found = Vec::new();
        for at in 0..=end {
            let edge = path[at];
            let candidates = on(&edge).map_or_else(Vec::new, |seen| candidates(&edge, seen, look.seen));
            let below = match candidates.iter().position(|other| other.id == self.candidate) {
                Some(at) => &candidates[at + 1..],
                None => &candidates[..],
            };
            // Where an environment further on is ahead, what it has already takes nobody's place there.
            let ahead = path[at + 1..=end].iter().filter_map(on).filter_map(|seen| seen.graph.known());
            let ahead: Vec<&Graph> = ahead.filter(|graph| graph.own_total > 0).collect();
            let below =
                below.iter().map(|commit| commit.id).filter(|id| !ahead.iter().any(|graph| may_have(graph, *id)));
            found.push((edge, below.collect()));
        }
        found
    }
}

/// Whether a commit may be one of those that a target has and its source lacks: of many not all are told.
fn may_have(graph: &Graph, commit: CommitId) -> bool {
    graph.own.iter().any(|own| own.id == commit) || graph.own_total as usize > graph.own.len()
}

/// What becomes of code that stands in the way.
enum Replaced {
    /// It ends, or this comes in its place, and first waits for somebody itself.
    Comes(StillUsed, Option<Who>),
    /// Nothing comes; where something would and is kept out, that is named.
    Stays(Option<KeptOut>),
}

/// What becomes of a commit that would take the place of code that runs.
enum Coming {
    /// It comes sooner or later, and waits for this one until then.
    Waits(Option<Who>),
    /// This blocks it.
    KeptOut(Reason),
}

/// What stands in the way of a commit that would take the place of code that runs, besides what stops a whole
/// edge: that stops the candidate, too. `None` when facts are missing.
fn stands_in_its_way(edge: &Edge<'_>, commit: CommitId, look: &mut Look<'_>) -> Option<Coming> {
    let on_edge = look.seen.edges.iter().find(|seen| seen.env == edge.target.name)?;
    let candidate = candidates(edge, on_edge, look.seen).into_iter().find(|other| other.id == commit)?;
    let mut there = look.deeper(on_edge);
    let judged = judge_inside(edge, candidate, &mut there);
    look.missing.absorb(there.missing);
    let mut waits_on = None;
    for one in judged?.into_iter().filter(|one| matches!(one.check, Check::Hold | Check::Gate(_))) {
        match one.verdict {
            Verdict::Block { why, .. } => return Some(Coming::KeptOut(why)),
            Verdict::Wait { on, .. } => waits_on = waits_on.or(Some(on)),
            Verdict::Pass { .. } => {}
        }
    }
    Some(Coming::Waits(waits_on))
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
