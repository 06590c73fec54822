//! Reading our mirror: the piece of history that a tick needs, and which commits are there.
//!
//! All of it blocks; call it in `spawn_blocking`. What cannot be read is noted on the mirror, so
//! that the next fetch makes it anew.
//!
//! Not here: contents of files (`diff`, `patch`), and what any of it means for a move.

use std::collections::{BTreeMap, BTreeSet};

use git2::{ErrorClass, ErrorCode, ObjectType, Oid, Repository};
use towpath_core::dag::Dag;
use towpath_core::model::{BranchName, CommitId, Fact, Unknown, UnknownWhy};

use super::mirror::Mirror;
use super::walk::{Walk, commit_id, oid};
use super::words;

/// How many commits [`resolve_prefix`] lists at most.
pub const RESOLVED_MAX: usize = 20;

/// The shortest prefix of an id that names a commit.
pub const PREFIX_MIN: usize = 7;

/// Loads the history that `env_tips` and `wanted` reach, down to the floor (see [`Dag`]): the best
/// common ancestors of all `env_tips`. Without a common ancestor everything is loaded.
///
/// A wanted commit that the repository does not have is left out; a tip must be there.
///
/// Unknown if more than `nodes_max` commits would be loaded, the mirror is shallow, a commit is
/// missing, or the files cannot be read. 10,000 commits take 0.2 s in an
/// unoptimised build.
pub fn load(mirror: &Mirror, env_tips: &[CommitId], wanted: &[CommitId], nodes_max: usize) -> Fact<Dag> {
    let loaded = mirror.open().and_then(|repository| load_from(&repository, env_tips, wanted, nodes_max));
    match loaded {
        Ok(dag) => Fact::Known(dag),
        Err(unknown) => {
            note(mirror, &unknown, env_tips);
            Fact::Unknown(unknown)
        }
    }
}

/// Whether a fetch is needed before these commits can be read.
pub fn lacks(mirror: &Mirror, commits: &[CommitId]) -> bool {
    let have = |repository: &Repository, id: &CommitId| repository.odb().is_ok_and(|odb| odb.exists(oid(*id)));
    mirror.is_suspect() || mirror.open().map_or(true, |repository| !commits.iter().all(|id| have(&repository, id)))
}

/// The commits whose id begins with `prefix` (at least [`PREFIX_MIN`] hexadecimal digits, else
/// none), at most [`RESOLVED_MAX`], in order.
///
/// # Errors
/// If the mirror cannot be read.
pub fn resolve_prefix(mirror: &Mirror, prefix: &str) -> Result<Vec<CommitId>, Unknown> {
    let digits = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits || !(PREFIX_MIN..=40).contains(&prefix.len()) {
        return Ok(Vec::new());
    }
    let repository = mirror.open()?;
    let odb = repository.odb().map_err(failed)?;
    let short = Oid::from_str(prefix).map_err(failed)?;
    let mut found = BTreeSet::new();
    match odb.exists_prefix(short, prefix.len()) {
        Ok(id) => {
            found.insert(id);
        }
        Err(error) if error.code() == ErrorCode::NotFound => {}
        Err(error) if error.code() == ErrorCode::Ambiguous => {
            // Rare, and the only way to name them all: a look at every object's id.
            let prefix = prefix.to_ascii_lowercase();
            odb.foreach(|id| {
                if id.to_string().starts_with(&prefix) {
                    found.insert(*id);
                }
                true
            })
            .map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    let is_commit = |id: &Oid| odb.read_header(*id).is_ok_and(|(_, kind)| kind == ObjectType::Commit);
    Ok(found.into_iter().filter(is_commit).filter_map(commit_id).take(RESOLVED_MAX).collect())
}

/// Whether libgit2 sees what git says it has fetched. The two read packs with different leniency;
/// without this a mirror that only git can read would never be mended.
pub(super) fn shows<'a>(mirror: &Mirror, references: impl IntoIterator<Item = &'a BranchName>) -> bool {
    let Ok(repository) = mirror.open() else { return false };
    let Ok(odb) = repository.odb() else { return false };
    let is_there = |name: &BranchName| repository.refname_to_id(&name.full_ref()).is_ok_and(|id| odb.exists(id));
    references.into_iter().all(is_there)
}

/// Whether `tip` descends from `base` and is not the same. `true` is a proof.
///
/// # Errors
/// If one of them is missing or the mirror cannot be read.
pub fn is_strict_ancestor(mirror: &Mirror, base: CommitId, tip: CommitId) -> Result<bool, Unknown> {
    let repository = mirror.open()?;
    let answer = [base, tip]
        .into_iter()
        .try_for_each(|id| require(&repository, id))
        .and_then(|()| repository.graph_descendant_of(oid(tip), oid(base)).map_err(failed));
    if let Err(unknown) = &answer {
        note(mirror, unknown, &[base, tip]);
    }
    answer
}

fn load_from(
    repository: &Repository,
    env_tips: &[CommitId],
    wanted: &[CommitId],
    nodes_max: usize,
) -> Result<Dag, Unknown> {
    let odb = repository.odb().map_err(failed)?;
    let mut walk = Walk::new(&odb);
    for tip in env_tips {
        walk.start(*tip)?;
    }
    for base in floor(repository, env_tips)? {
        walk.floor(base)?;
    }
    let mut there = Vec::new();
    for id in wanted {
        match walk.start(*id) {
            Ok(()) => there.push(*id),
            Err(unknown) if unknown.why == (UnknownWhy::MissingCommit { commit: *id }) => {}
            Err(unknown) => return Err(unknown),
        }
    }
    walk.run(nodes_max)?;
    let below = there.into_iter().filter(|id| walk.is_below(*id)).collect();
    Ok(Dag::new(walk.into_nodes(), below))
}

/// The best common ancestors of all tips: none that is an ancestor of another.
fn floor(repository: &Repository, tips: &[CommitId]) -> Result<BTreeSet<CommitId>, Unknown> {
    let mut tips = tips.iter().copied();
    let mut floor: BTreeSet<CommitId> = tips.next().into_iter().collect();
    for tip in tips {
        // Common to all so far and to this one is what is common to some base and to this one.
        let mut next = BTreeSet::new();
        for base in &floor {
            next.extend(merge_bases(repository, *base, tip)?);
        }
        floor = best(repository, &next)?;
    }
    Ok(floor)
}

fn merge_bases(repository: &Repository, one: CommitId, two: CommitId) -> Result<Vec<CommitId>, Unknown> {
    if one == two {
        return Ok(vec![one]);
    }
    match repository.merge_bases(oid(one), oid(two)) {
        Ok(found) => Ok(found.iter().copied().filter_map(commit_id).collect()),
        // They share nothing. (A hole in history has the same code and another class.)
        Err(error) if error.code() == ErrorCode::NotFound && error.class() == ErrorClass::Merge => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Those of `commits` that no other of them contains.
fn best(repository: &Repository, commits: &BTreeSet<CommitId>) -> Result<BTreeSet<CommitId>, Unknown> {
    let mut covered: BTreeMap<CommitId, bool> = commits.iter().map(|id| (*id, false)).collect();
    for one in commits {
        for other in commits {
            if one != other && repository.graph_descendant_of(oid(*other), oid(*one)).map_err(failed)? {
                covered.insert(*one, true);
            }
        }
    }
    Ok(covered.into_iter().filter(|(_, covered)| !covered).map(|(id, _)| id).collect())
}

fn require(repository: &Repository, id: CommitId) -> Result<(), Unknown> {
    let odb = repository.odb().map_err(failed)?;
    match odb.read_header(oid(id)) {
        Ok((_, ObjectType::Commit)) => Ok(()),
        Ok(_) => Err(words::unreadable(format!("{id} is no commit"))),
        Err(error) if error.code() == ErrorCode::NotFound => {
            Err(Unknown::passing(UnknownWhy::MissingCommit { commit: id }))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Notes a mirror that has a hole or cannot be read. A commit that was asked for and is missing is
/// no hole: it was pushed after our last fetch.
pub(super) fn note(mirror: &Mirror, unknown: &Unknown, asked: &[CommitId]) {
    match &unknown.why {
        UnknownWhy::Unreadable { .. } => mirror.suspect(),
        UnknownWhy::MissingCommit { commit } if !asked.contains(commit) => mirror.suspect(),
        _ => {}
    }
}

/// What an error of libgit2 means. It reports a hole in history by words only ("object not found -
/// no match for id (…)", with varying codes).
#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
pub(super) fn failed(error: git2::Error) -> Unknown {
    let named = error.message().split_once("no match for id (").and_then(|(_, rest)| rest.get(..40));
    match named.and_then(|id| id.parse().ok()) {
        Some(commit) => Unknown::passing(UnknownWhy::MissingCommit { commit }),
        None => words::unreadable(error.message()),
    }
}
