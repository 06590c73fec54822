//! `.mailmap`, out of the tree of a commit.
//!
//! Not here: its format and what follows from it ([`towpath_core::people::Mailmap`]), and at which commit it is read: at
//! the tip of a *target*, for what is on its way there could bring one that makes its author somebody else.

use git2::ObjectType;
use towpath_core::model::{CommitId, Unknown};
use towpath_core::people::Mailmap;

use super::mirror::Mirror;
use super::read::{failed, note};
use super::walk::oid;

/// A larger file, in bytes, is left alone. The largest known ones are below 100 KiB.
pub const MAILMAP_MAX: usize = 1024 * 1024;

/// The modes of git for plain files: a link's text is no `.mailmap`, and git follows none there either.
const PLAIN: [i32; 3] = [0o100_644, 0o100_755, 0o100_664];

/// The `.mailmap` at a commit; an empty one where there is none, or where it is too large, which the log says.
///
/// Blocks. Whatever is no UTF-8 in it reads as the replacement character.
///
/// # Errors
/// If the mirror lacks the commit, or cannot be read: then nobody knows what the file would have said.
pub fn mailmap(mirror: &Mirror, at: CommitId) -> Result<Mailmap, Unknown> {
    let read = look(mirror, at);
    if let Err(unknown) = &read {
        note(mirror, unknown, &[at]);
    }
    read
}

fn look(mirror: &Mirror, at: CommitId) -> Result<Mailmap, Unknown> {
    let repository = mirror.open()?;
    let tree = repository.find_commit(oid(at)).and_then(|commit| commit.tree()).map_err(failed)?;
    let file = tree.get_name(".mailmap");
    let plain =
        |entry: &git2::TreeEntry<'_>| entry.kind() == Some(ObjectType::Blob) && PLAIN.contains(&entry.filemode());
    let Some(id) = file.filter(plain).map(|entry| entry.id()) else { return Ok(Mailmap::default()) };
    let (bytes, _) = repository.odb().and_then(|odb| odb.read_header(id)).map_err(failed)?;
    if bytes > MAILMAP_MAX {
        tracing::warn!(
            mirror = %mirror.dir().display(),
            commit = %at,
            bytes,
            "`.mailmap` is larger than 1 MiB and is not read: who wrote a commit goes by the addresses in it alone"
        );
        return Ok(Mailmap::default());
    }
    let blob = repository.find_blob(id).map_err(failed)?;
    Ok(Mailmap::parse(&String::from_utf8_lossy(blob.content())))
}
