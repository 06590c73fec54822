//! What lies between two commits, for people: the commits and the files.
//!
//! Blocks; call it in `spawn_blocking`. Not here: contents, and anything that a verdict rests on.

use git2::{Delta, DiffOptions, Patch};
use towpath_core::dag::Node;
use towpath_core::model::{CommitId, Fact, Unknown};

use super::mirror::Mirror;
use super::read::{failed, note};
use super::walk::{Walk, oid};

/// The commits that `to` contains and `from` does not, and how the files differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// The commits, newest first, at most as many as were asked for.
    pub commits: Vec<Node>,
    /// How many there are.
    pub commits_total: usize,
    /// The files that differ between the two trees, in order of their paths, at most as many as
    /// were asked for.
    pub files: Vec<Changed>,
    /// How many differ.
    pub files_total: usize,
    /// Lines added in [`Between::files`].
    pub added: usize,
    /// Lines removed in [`Between::files`].
    pub removed: usize,
}

/// How many commits are counted at most: far more than anybody reads; a limit on memory.
pub const WALKED_MAX: usize = 200_000;

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its contents, its mode or its kind changed.
    Modified,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path: hostile until shown through `towpath_core::text::Shown`. Not UTF-8: replaced.
    pub path: String,
    /// How.
    pub how: How,
    /// Lines added; 0 for a file without lines.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// What `to` has that `from` lacks: `git log from..to` and `git diff from to`.
///
/// Unknown if a commit is missing, there are more than [`WALKED_MAX`] commits, or the mirror cannot
/// be read.
pub fn between(
    mirror: &Mirror,
    from: CommitId,
    to: CommitId,
    commits_max: usize,
    files_max: usize,
) -> Fact<Between> {
    match look(mirror, (from, to), commits_max, files_max) {
        Ok(between) => Fact::Known(between),
        Err(unknown) => {
            note(mirror, &unknown, &[from, to]);
            Fact::Unknown(unknown)
        }
    }
}

fn look(
    mirror: &Mirror,
    (from, to): (CommitId, CommitId),
    commits_max: usize,
    files_max: usize,
) -> Result<Between, Unknown> {
    let repository = mirror.open()?;
    let odb = repository.odb().map_err(failed)?;
    let mut walk = Walk::new(&odb);
    walk.start(to)?;
    // What `from` contains is what lies below it, and itself.
    walk.floor(from)?;
    walk.run(WALKED_MAX)?;
    let mut commits = walk.into_nodes();
    commits.retain(|node| node.id != from);
    commits.reverse();
    let commits_total = commits.len();
    commits.truncate(commits_max);

    let tree = |id| repository.find_commit(oid(id)).and_then(|commit| commit.tree()).map_err(failed);
    let mut options = DiffOptions::new();
    options.ignore_submodules(true);
    let diff =
        repository.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), Some(&mut options)).map_err(failed)?;
    let files_total = diff.deltas().len();
    let mut files = Vec::new();
    for at in 0..files_total.min(files_max) {
        files.extend(changed(&diff, at)?);
    }
    let added = files.iter().map(|file| file.added).sum();
    let removed = files.iter().map(|file| file.removed).sum();
    Ok(Between { commits, commits_total, files, files_total, added, removed })
}

fn changed(diff: &git2::Diff<'_>, at: usize) -> Result<Option<Changed>, Unknown> {
    let Some(delta) = diff.get_delta(at) else { return Ok(None) };
    let (how, file) = match delta.status() {
        Delta::Added => (How::Added, delta.new_file()),
        Delta::Deleted => (How::Deleted, delta.old_file()),
        _ => (How::Modified, delta.new_file()),
    };
    let path = String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned();
    let lines = match Patch::from_diff(diff, at).map_err(failed)? {
        Some(patch) => patch.line_stats().map_err(failed)?,
        None => (0, 0, 0),
    };
    Ok(Some(Changed { path, how, added: lines.1, removed: lines.2 }))
}
