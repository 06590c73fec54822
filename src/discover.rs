//! Discovery: which repositories of a forge become flows because a `[forge.NAME]` says `discover = true`.
//!
//! A forge is asked for the list of what its credential sees. Of that, what a `[[group]]` matches and no `[[flow]]`
//! names is looked at once by git, for its branches; what has them all is a flow from then on, and is remembered in the
//! store. What was a flow once stays one, whatever a later list says: pauses, holds and history hang on it. Why it is not
//! there any more is shown beside it.
//!
//! A fault of one repository leaves that one out and is told; a fault of a list leaves everything as it was.
//! Not here: what a flow of a repository would be (`config`), and how it is shown (`views`, `cli`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use towpath_core::model::Instant as Wall;
use towpath_core::text::one_line;

use crate::config::{ANOTHER, FlowConfig, Left, Listed};
use crate::engine::in_words;
use crate::forge::{Aside, RepoSeen};
use crate::setup::{Setup, listed};
use crate::store::{DiscoveredRow, StoreError};
use crate::views::words;

/// How many repositories of one forge are flows at most.
pub const FLOWS_MAX: usize = 1_000;

/// How many repositories of one forge are looked at for their branches in one discovery.
const LOOKS_MAX: usize = 2 * FLOWS_MAX;

/// How long the list of one forge may take: 200 pages, each in its time, and not for ever.
const LIST_MAX: Duration = Duration::from_secs(300);

/// How long a command waits for all of discovery; what it did not come to, another time does.
pub const COMMAND_MAX: Duration = Duration::from_secs(120);

/// How long a service does: an hour passes between one discovery and the next.
pub const SERVICE_MAX: Duration = Duration::from_secs(30 * 60);

/// How much of a reason is kept.
const WHY_MAX: usize = 400;

/// What came of a discovery.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Of each forge that discovers.
    pub forges: Vec<OfForge>,
    /// What is to be remembered: what was, brought up to date, and what is new.
    pub rows: Vec<DiscoveredRow>,
    /// Those of them that were not remembered so.
    pub changed: Vec<DiscoveredRow>,
}

/// What came of it on one forge.
#[derive(Debug, Clone)]
pub struct OfForge {
    /// Its name in the config.
    pub forge: String,
    /// How many repositories its list has, or why there is no list.
    pub listed: Result<usize, String>,
    /// How many of its repositories are flows that nobody wrote.
    pub flows: usize,
    /// What a group matches, and is no flow.
    pub left: Vec<NotTaken>,
    /// How many were not even looked at, because there are too many.
    pub over: usize,
    /// How many were not, because the time was over: another time begins with others.
    pub unlooked: usize,
}

/// A repository that a group matches, and that is no flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotTaken {
    /// Its path.
    pub path: String,
    /// Why not.
    pub why: String,
    /// Whether something is broken; else it only is not what is taken.
    pub broken: bool,
}

impl NotTaken {
    fn new(path: impl Into<String>, why: &(impl ToString + ?Sized), broken: bool) -> Self {
        Self { path: path.into(), why: one_line(&why.to_string(), WHY_MAX), broken }
    }
}

impl Found {
    /// Whether no forge could be asked for its repositories.
    pub fn knows_none(&self) -> bool {
        !self.forges.is_empty() && self.forges.iter().all(|of| of.listed.is_err())
    }
}

/// Asks every forge that discovers, for so long altogether: of what is left then, what was known stays. Remembers
/// nothing.
///
/// # Errors
/// If what is remembered cannot be read.
pub async fn look(setup: &Setup, at_most: Duration) -> Result<Found, StoreError> {
    let until = Instant::now() + at_most;
    let before = setup.world.store().discovered().await?;
    let mut found = Found { rows: before.clone(), ..Found::default() };
    for forge in setup.config.forges.values().filter(|forge| forge.discover) {
        let of = of_forge(setup, &forge.name, &mut found.rows, until).await;
        found.forges.push(of);
    }
    let (config, left) = setup.config.with(&listed(&found.rows));
    for of in &mut found.forges {
        let here = |flow: &&FlowConfig| flow.discovered.as_ref().is_some_and(|one| one.forge == of.forge);
        of.flows = config.flows.iter().filter(here).count();
        // Of those that were taken before: what the config says of the others is meant.
        let broken = left
            .iter()
            .filter(|(one, why)| one.forge == of.forge && one.gone.is_none() && matches!(why, Left::Fault(_)));
        of.left.extend(broken.map(|(one, why)| NotTaken::new(&one.path, why, true)));
        of.left.sort();
        of.left.dedup_by(|a, b| a.path == b.path);
    }
    found.changed = found.rows.iter().filter(|row| !before.contains(row)).cloned().collect();
    Ok(found)
}

/// The setup with what was found; remembered, unless it only looks. Without `discover` nothing is asked. It takes
/// [`COMMAND_MAX`] at most.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn discovered(setup: Setup, remember: bool) -> Result<(Setup, Found), StoreError> {
    if !setup.config.discovers() {
        return Ok((setup, Found::default()));
    }
    let found = look(&setup, COMMAND_MAX).await?;
    if remember && !found.changed.is_empty() {
        setup.world.store().remember_discovered(&found.changed).await?;
    }
    Ok((setup.with(&listed(&found.rows)).0, found))
}

/// One forge: `rows` learns what became of its repositories.
async fn of_forge(setup: &Setup, forge: &str, rows: &mut Vec<DiscoveredRow>, until: Instant) -> OfForge {
    let mut of =
        OfForge { forge: forge.to_owned(), listed: Ok(0), flows: 0, left: Vec::new(), over: 0, unlooked: 0 };
    let list = match list(setup, forge, until).await {
        Ok(list) => list,
        Err(why) => {
            of.listed = Err(one_line(&why, WHY_MAX));
            return of;
        }
    };
    of.listed = Ok(list.len());
    let nameless = list.get("").map(|odd| NotTaken::new("?", &odd.aside.unwrap_or(Aside::Odd), true));
    of.left.extend(nameless);
    let now = setup.world.clock().reading().wall;
    remember_written(setup, forge, &list, rows, now);
    for row in rows.iter_mut().filter(|row| row.forge == forge && !is_written(row)) {
        follow(row, &list, now);
    }
    let known = |seen: &RepoSeen, row: &DiscoveredRow| {
        row.forge == forge && (row.path == seen.path.as_str() || row.repo == seen.id)
    };
    let named = list.into_values().filter(|seen| !seen.path.as_str().is_empty());
    let (old, new): (Vec<_>, Vec<_>) = named.partition(|seen| rows.iter().any(|row| known(seen, row)));
    let renamed = old.iter().filter(|seen| seen.aside != Some(Aside::Odd)).filter_map(|seen| {
        let row = rows.iter().find(|row| row.forge == forge && row.repo == seen.id)?;
        let one = Listed { forge: forge.to_owned(), path: seen.path.as_str().to_owned(), gone: None };
        (row.path.to_lowercase() != one.path.to_lowercase()).then(|| (one, row.path.clone()))
    });
    // Of the same path as a repository that a flow names, and perhaps another one: somebody has to say.
    for row in rows.iter().filter(|row| row.forge == forge && is_written(row)) {
        let one = Listed { forge: forge.to_owned(), path: row.path.clone(), gone: None };
        let (_, left) = setup.config.with(std::slice::from_ref(&one));
        let doubtful = left.into_iter().filter(|(_, why)| matches!(why, Left::Fault(_)));
        of.left.extend(doubtful.map(|(one, why)| NotTaken::new(one.path, &why, false)));
    }
    for (one, before) in renamed {
        // With a `[[flow]]` of its own, or where nobody wants it, there is nothing to say.
        let (config, _) = setup.config.with(std::slice::from_ref(&one));
        if config.discovered() > 0 {
            of.left.push(NotTaken::new(one.path, &format!("it is `{before}`, renamed"), false));
        }
    }
    take(setup, &mut of, &new, rows, (now, until)).await;
    of
}

/// How the reason begins where a `[[flow]]` names a repository: remembered for its number, by which it is known when it
/// is renamed, and no flow because of that.
const WRITTEN: &str = "a `[[flow]]` names it";

fn is_written(row: &DiscoveredRow) -> bool {
    row.gone.as_ref().is_some_and(|(_, why)| why.starts_with(WRITTEN))
}

/// Remembers the repositories that flows name, and lets go of those that none names any more.
fn remember_written(
    setup: &Setup,
    forge: &str,
    list: &BTreeMap<String, RepoSeen>,
    rows: &mut Vec<DiscoveredRow>,
    now: Wall,
) {
    let by_flow = setup.config.written();
    let sound = list.values().filter(|seen| seen.aside != Some(Aside::Odd));
    let written: Vec<&RepoSeen> = sound.filter(|seen| by_flow.flow(seen.path.as_str()).is_some()).collect();
    let still = |row: &DiscoveredRow| {
        let odd = list.get(&row.path).is_none_or(|seen| seen.aside == Some(Aside::Odd));
        odd || written.iter().any(|seen| seen.path.as_str() == row.path)
    };
    rows.retain(|row| row.forge != forge || !is_written(row) || still(row));
    for seen in written {
        let path = seen.path.as_str();
        if rows.iter().any(|row| row.forge == forge && (row.path == path || row.repo == seen.id)) {
            continue;
        }
        let gone = Some((now, WRITTEN.to_owned()));
        let (forge, path, repo) = (forge.to_owned(), path.to_owned(), seen.id.clone());
        rows.push(DiscoveredRow { forge, path, repo, since: now, gone });
    }
}

/// The list of a forge, by path.
async fn list(setup: &Setup, forge: &str, until: Instant) -> Result<BTreeMap<String, RepoSeen>, String> {
    let adapter = setup.adapter(forge).map_err(|unknown| in_words(unknown.why))?;
    let limit = LIST_MAX.min(until.saturating_duration_since(Instant::now()));
    let too_long = || format!("it took longer than {} s", limit.as_secs());
    // A timer asks the call first, and may let it through.
    if limit.is_zero() {
        return Err(too_long());
    }
    let list = tokio::time::timeout(limit, adapter.repositories()).await.map_err(|_| too_long())?;
    let list = list.map_err(|fault| fault.to_string())?;
    // Pages shift while they are read: one may come twice.
    Ok(list.into_iter().map(|seen| (seen.path.as_str().to_owned(), seen)).collect())
}

/// What a new list says of a repository that is a flow.
fn follow(row: &mut DiscoveredRow, list: &BTreeMap<String, RepoSeen>, now: Wall) {
    // Of what is odd nothing is known, not even that it is another one; and where it has no name it may be any.
    let odd = |seen: &RepoSeen| {
        let (path, nameless) = (seen.path.as_str(), seen.path.as_str().is_empty());
        seen.aside == Some(Aside::Odd) && (nameless || path == row.path || seen.id == row.repo)
    };
    if list.values().any(odd) && !list.get(&row.path).is_some_and(|seen| seen.aside != Some(Aside::Odd)) {
        return;
    }
    let same =
        |seen: &&RepoSeen| seen.id == row.repo && seen.path.as_str().to_lowercase() == row.path.to_lowercase();
    let why = match list.get(&row.path).or_else(|| list.values().find(same)) {
        Some(seen) if seen.id != row.repo => Some(format!(
            "{ANOTHER}, a new one or a copy; what is here is no flow until a `[[flow]]` names it, with a `name` of its \
             own unless the pauses, holds and history of `{}` are its own",
            row.path.to_lowercase(),
        )),
        Some(seen) => {
            // A copy of another one is what it was when it was taken; only what stops moves is told.
            seen.aside.filter(|aside| *aside != Aside::Fork).map(|aside| aside.to_string())
        }
        None => Some(match list.values().find(|seen| seen.id == row.repo) {
            Some(seen) => format!(
                "it is called `{0}` now; write `[[flow]]` with `repository = \"{1}:{0}\"` and `name = \"{2}\"`, which keeps its pauses, holds and history",
                seen.path,
                row.forge,
                row.path.to_lowercase(),
            ),
            None => "the forge does not list it any more: it was deleted, or Towpath may not see it".to_owned(),
        }),
    };
    row.gone = match (why.map(|why| one_line(&why, WHY_MAX)), row.gone.take()) {
        (None, _) => None,
        (Some(why), Some((since, had))) if had == why => Some((since, why)),
        (Some(why), _) => Some((now, why)),
    };
}

/// Takes of the new ones what can be a flow, in the order of their paths.
async fn take(
    setup: &Setup,
    of: &mut OfForge,
    new: &[RepoSeen],
    rows: &mut Vec<DiscoveredRow>,
    (now, until): (Wall, Instant),
) {
    let one = |seen: &RepoSeen| Listed { forge: of.forge.clone(), path: seen.path.as_str().to_owned(), gone: None };
    let all: Vec<Listed> = listed(rows).into_iter().chain(new.iter().map(one)).collect();
    let (tried, left) = setup.with(&all);
    let new: BTreeMap<&str, &RepoSeen> = new.iter().map(|seen| (seen.path.as_str(), seen)).collect();
    let of_new = |one: &Listed| new.get(one.path.as_str()).copied().filter(|_| one.forge == of.forge);
    let (mut not, mut ready, mut flows) = (Vec::new(), Vec::new(), 0);
    for (one, why) in &left {
        if matches!(why, Left::Fault(_)) && of_new(one).is_some() {
            not.push(NotTaken::new(&one.path, why, true));
        }
    }
    for found in &tried.config.flows {
        let Some(one) = found.discovered.as_ref().filter(|one| one.forge == of.forge) else { continue };
        match of_new(one) {
            None => flows += 1,
            Some(RepoSeen { aside: Some(aside), .. }) => {
                not.push(NotTaken::new(&one.path, aside, *aside == Aside::Odd));
            }
            Some(seen) => ready.push((found.clone(), seen.id.clone())),
        }
    }
    ready.sort_by(|a, b| a.0.flow.repository.cmp(&b.0.flow.repository));
    let mut room = FLOWS_MAX.saturating_sub(flows);
    let looked = if room == 0 { 0 } else { ready.len().min(LOOKS_MAX) };
    of.over = ready.len() - looked;
    turn(&mut ready, now);
    ready.truncate(looked);
    of.left.append(&mut not);
    let mut looked = branches(Arc::new(tried), ready, until).await;
    looked.sort_by(|a, b| a.0.flow.repository.cmp(&b.0.flow.repository));
    for (found, repo, lacks) in looked {
        let path = found.flow.repository;
        match lacks {
            Looked::Not => of.unlooked += 1,
            Looked::Lacks(mut lacks) => {
                lacks.path = path;
                of.left.push(lacks);
            }
            Looked::Whole if room == 0 => of.over += 1,
            Looked::Whole => {
                room -= 1;
                rows.push(DiscoveredRow { forge: of.forge.clone(), path, repo, since: now, gone: None });
            }
        }
    }
}

/// Begins the row at another place each time: where not all can be looked at, none is always among those that are
/// not. Nothing is remembered for it, so that it holds for one-shot runs as well.
fn turn<T>(all: &mut [T], now: Wall) {
    if let Some(most) = u64::try_from(all.len()).ok().filter(|most| *most > 0) {
        // The instants of a timer are multiples of something; what is hashed of them is not.
        let mixed = now.0.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = (mixed ^ (mixed >> 32)) % most;
        all.rotate_left(usize::try_from(at).unwrap_or_default());
    }
}

/// What came of looking at a repository's branches.
#[derive(Debug)]
enum Looked {
    /// It has all of them.
    Whole,
    /// It has not, or they cannot be read.
    Lacks(NotTaken),
    /// The time was over.
    Not,
}

/// Whether each has all the branches of its environments. One call of git a repository, so many at once as flows are
/// worked on, and none that is not over in time.
async fn branches(
    setup: Arc<Setup>,
    flows: Vec<(FlowConfig, String)>,
    until: Instant,
) -> Vec<(FlowConfig, String, Looked)> {
    let mut tasks = JoinSet::new();
    let mut results: Vec<Looked> = flows.iter().map(|_| Looked::Not).collect();
    let mut running = BTreeSet::new();
    let mut next = flows.iter().enumerate();
    loop {
        while tasks.len() < setup.config.service.at_once
            && let Some((at, (found, _))) = next.next()
        {
            let (setup, found) = (setup.clone(), found.clone());
            results[at] = Looked::Lacks(NotTaken::new("", "it was not looked at, by a mistake in Towpath", true));
            tasks.spawn(async move { (at, lacks(&setup, &found).await) });
            running.insert(at);
        }
        match tokio::time::timeout_at(until, tasks.join_next()).await {
            Ok(None) => break,
            Ok(Some(Ok((at, lacks)))) => {
                running.remove(&at);
                results[at] = lacks.map_or(Looked::Whole, Looked::Lacks);
            }
            Ok(Some(Err(_))) => {}
            // With the tasks git ends, too.
            Err(_) => {
                running.iter().for_each(|at| results[*at] = Looked::Not);
                break;
            }
        }
    }
    flows.into_iter().zip(results).map(|((found, repo), lacks)| (found, repo, lacks)).collect()
}

/// What a repository lacks to be a flow.
async fn lacks(setup: &Setup, found: &FlowConfig) -> Option<NotTaken> {
    let flow = &found.flow;
    let heads = match setup.world.remote(&flow.name).await {
        Ok(remote) => setup.world.git().heads(&remote).await,
        Err(unknown) => Err(unknown),
    };
    let heads = match heads {
        Ok(heads) => heads,
        Err(unknown) => {
            let words = words(flow, &found.remote, setup.world.clock().reading().wall);
            let why = format!("its branches cannot be read: {}", words.unknown(&unknown));
            return Some(NotTaken::new(&flow.repository, &why, true));
        }
    };
    let missing: Vec<String> = flow
        .environments
        .iter()
        .filter(|env| !heads.contains_key(&env.branch))
        .map(|env| format!("`{}`", one_line(env.branch.as_str(), 100)))
        .collect();
    let es = if missing.len() == 1 { "" } else { "es" };
    let why = || format!("lacks branch{es} {}", missing.join(", "));
    (!missing.is_empty()).then(|| NotTaken::new(&flow.repository, &why(), false))
}

/// What was told of a discovery already, so that a service says it once and not every hour.
#[derive(Debug, Default)]
pub struct Told(BTreeSet<(bool, String)>);

impl Told {
    /// Logs what was not told yet, or was not so any more: what is broken as a warning.
    pub fn tell(&mut self, found: &Found) {
        let mut lines = BTreeSet::new();
        for of in &found.forges {
            let forge = &of.forge;
            if let Err(why) = &of.listed {
                lines.insert((true, format!("{}. What was discovered before stays", no_list(forge, why))));
            }
            if of.over > 0 {
                lines.insert((true, format!("`[forge.{forge}]`: {}", too_many(of.over))));
            }
            if of.unlooked > 0 {
                lines.insert((true, format!("`[forge.{forge}]`: {}", too_slow(of.unlooked))));
            }
            for NotTaken { path, why, broken } in &of.left {
                lines.insert((*broken, format!("`{forge}:{}` is not taken: {why}", one_line(path, 200))));
            }
        }
        for row in found.rows.iter().filter(|row| !is_written(row)) {
            let Some((_, why)) = &row.gone else { continue };
            lines.insert((
                true,
                format!("`{}:{}` was discovered, and now: {why}", row.forge, one_line(&row.path, 200)),
            ));
        }
        for (broken, line) in lines.difference(&self.0) {
            if *broken {
                tracing::warn!("discovery: {line}");
            } else {
                tracing::info!("discovery: {line}");
            }
        }
        self.0 = lines;
    }
}

/// That there is no list.
pub fn no_list(forge: &str, why: &str) -> String {
    format!("`[forge.{forge}]`: its repositories cannot be listed: {why}")
}

/// That the time was over.
pub fn too_slow(unlooked: usize) -> String {
    format!(
        "{unlooked} repositories that match were not looked at, for the time was over; another time begins with others"
    )
}

/// That there are more than are taken.
pub fn too_many(over: usize) -> String {
    format!(
        "{over} more repositories match than are taken: {FLOWS_MAX} at most. Match fewer, or write a `[[flow]]` for those that count"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever looks each minute, each hour, or whenever: nobody is always among those that are not looked at.
    #[test]
    fn where_not_all_can_be_looked_at_each_has_its_turn() {
        for (every, count, looks) in
            [(60_000, 300, 20), (3_600_000, 3_000, 2_000), (86_400_000, 2_500, 1_000), (7, 9, 1)]
        {
            let mut looked = BTreeSet::new();
            for time in 0..1_000 {
                let mut all: Vec<usize> = (0..count).collect();
                turn(&mut all, Wall(1_800_000_000_000 + time * every));
                looked.extend(all.into_iter().take(looks));
            }
            assert_eq!(looked.len(), count, "{looks} of {count} every {every} ms");
        }
        turn::<usize>(&mut [], Wall(7));
    }
}
