//! Finding a commit that makes the same change as another: what `git cherry-pick` leaves behind.
//!
//! Used to name what a stray commit is, never to let anything move.

use std::collections::{BTreeSet, HashMap};
use std::sync::{MutexGuard, PoisonError};

use git2::{Diff, DiffOptions, ErrorCode, Oid, Patch, Repository};
use towpath_core::model::{CommitId, Fact, Unknown, UnknownWhy};

use super::mirror::Mirror;
use super::read::{failed, note};
use super::walk::oid;

/// How many commits one question compares.
pub const COMPARED_MAX: usize = 1_000;

/// How many answers a mirror remembers; beyond it forgets all and begins anew.
const REMEMBERED_MAX: usize = 20_000;

/// Files larger than this, in bytes, are compared by their ids instead of their lines.
const FILE_MAX: i64 = 1024 * 1024;

/// What makes two changes the same: the patch id (`git patch-id`: changed lines without their
/// numbers and blanks), and for files without lines, the ids of their new contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchKey {
    patch: Oid,
    opaque: BTreeSet<Oid>,
}

/// The first of `among` that makes the same change as `own`. A merge and a commit without any
/// change are like no other.
///
/// Unknown if a commit is missing, the mirror cannot be read, or none is found among the first
/// [`COMPARED_MAX`] and there are more.
pub fn pick_of(mirror: &Mirror, own: CommitId, among: &[CommitId]) -> Fact<Option<CommitId>> {
    match pick(mirror, own, among) {
        Ok(found) => Fact::Known(found),
        Err(unknown) => {
            let asked: Vec<_> = among.iter().copied().chain([own]).collect();
            note(mirror, &unknown, &asked);
            Fact::Unknown(unknown)
        }
    }
}

fn pick(mirror: &Mirror, own: CommitId, among: &[CommitId]) -> Result<Option<CommitId>, Unknown> {
    let repository = mirror.open()?;
    let Some(change) = change_of(&repository, own)? else { return Ok(None) };
    let Some(key) = key_of(mirror, own, &change)? else { return Ok(None) };
    let paths = paths_of(&change);
    for other in among.iter().take(COMPARED_MAX).filter(|other| **other != own) {
        let Some(change) = change_of(&repository, *other)? else { continue };
        // Comparing trees is cheap, reading files is not: most commits are ruled out here.
        if paths_of(&change) != paths {
            continue;
        }
        if key_of(mirror, *other, &change)?.as_ref() == Some(&key) {
            return Ok(Some(*other));
        }
    }
    if among.len() > COMPARED_MAX {
        return Err(Unknown::lasting(UnknownWhy::TooLarge { commits_max: COMPARED_MAX as u64 }));
    }
    Ok(None)
}

/// What a commit changes; none for a merge.
fn change_of(repository: &Repository, id: CommitId) -> Result<Option<Diff<'_>>, Unknown> {
    let missing = |error: git2::Error| match error.code() {
        ErrorCode::NotFound => Unknown::passing(UnknownWhy::MissingCommit { commit: id }),
        _ => failed(error),
    };
    let commit = repository.find_commit(oid(id)).map_err(missing)?;
    if commit.parent_count() > 1 {
        return Ok(None);
    }
    let before = match commit.parent(0) {
        Ok(parent) => Some(parent.tree().map_err(failed)?),
        Err(_) if commit.parent_count() == 0 => None,
        Err(error) => return Err(failed(error)),
    };
    let after = commit.tree().map_err(failed)?;
    let mut options = DiffOptions::new();
    options.max_size(FILE_MAX).ignore_submodules(true);
    repository.diff_tree_to_tree(before.as_ref(), Some(&after), Some(&mut options)).map(Some).map_err(failed)
}

/// Which files, and what happens to each: equal for equal changes.
fn paths_of(change: &Diff<'_>) -> BTreeSet<(u8, Vec<u8>)> {
    let path = |file: git2::DiffFile<'_>| file.path_bytes().map(<[u8]>::to_vec).unwrap_or_default();
    change.deltas().map(|delta| (delta.status() as u8, path(delta.new_file()))).collect()
}

fn key_of(mirror: &Mirror, id: CommitId, change: &Diff<'_>) -> Result<Option<PatchKey>, Unknown> {
    if let Some(known) = remembered(mirror).get(&id) {
        return Ok(known.clone());
    }
    let key = work_out(change)?;
    let mut patches = remembered(mirror);
    if patches.len() >= REMEMBERED_MAX {
        patches.clear();
    }
    patches.insert(id, key.clone());
    Ok(key)
}

/// A panic while the map was locked left it whole: entries are put in one by one.
fn remembered(mirror: &Mirror) -> MutexGuard<'_, HashMap<CommitId, Option<PatchKey>>> {
    mirror.patches.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work_out(change: &Diff<'_>) -> Result<Option<PatchKey>, Unknown> {
    if change.deltas().len() == 0 {
        return Ok(None);
    }
    let mut opaque = BTreeSet::new();
    for (at, delta) in change.deltas().enumerate() {
        // libgit2 gives every change of a file without lines the same patch id.
        let lines = Patch::from_diff(change, at).map_err(failed)?;
        if lines.is_none_or(|patch| patch.num_hunks() == 0) {
            opaque.insert(delta.new_file().id());
            opaque.insert(delta.old_file().id());
        }
    }
    let patch = change.patchid(None).map_err(failed)?;
    Ok(Some(PatchKey { patch, opaque }))
}
