//! The walk through history behind [`super::read::load`].
//!
//! Our own and not libgit2's revwalk, for three reasons. Commits are parsed from their bytes, so
//! that an odd author line that some importer wrote years ago does not stop a flow. A commit is
//! read once, for the walk and for its texts. And committer dates, by which every such walk is
//! ordered, may be wrong by decades: where libgit2 and git look at five commits more than they
//! need to, this looks at [`SLACK`].
//!
//! Not here: which commits to start from and to stop at.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use git2::{ErrorCode, ObjectType, Odb, Oid};
use towpath_core::dag::Node;
use towpath_core::model::CoAuthor;
use towpath_core::model::{CommitId, TreeId, Unknown, UnknownWhy};
use towpath_core::people::authors::{self, co_authors_in};

use super::words;

/// How many commits below the floor are looked at, beyond those that are newer than anything above
/// it, in case a wrong date hides a way back up.
const SLACK: usize = 256;

/// How many characters of an author's name and of a subject are kept.
const TEXT_MAX: usize = 200;
/// How many characters of an e-mail address are kept (RFC 5321 allows 254).
const EMAIL_MAX: usize = 320;

pub(super) fn oid(id: CommitId) -> Oid {
    // Twenty bytes are always an id; the error is for other lengths.
    Oid::from_bytes(id.as_bytes()).unwrap_or(Oid::ZERO_SHA1)
}

pub(super) fn commit_id(oid: Oid) -> Option<CommitId> {
    oid.as_bytes().try_into().ok().map(CommitId::from_bytes)
}

/// A commit that the walk has met.
struct Met {
    node: Node,
    time: i64,
    /// Strictly below the floor.
    below: bool,
    /// Still in the queue.
    queued: bool,
}

/// A walk from some commits downwards, everything above some others.
pub(super) struct Walk<'repo> {
    odb: &'repo Odb<'repo>,
    met: HashMap<CommitId, Met>,
    queue: BinaryHeap<(i64, CommitId)>,
    /// How many in the queue are not below the floor.
    open: usize,
    /// How many met are not below the floor.
    above: usize,
}

impl<'repo> Walk<'repo> {
    pub(super) fn new(odb: &'repo Odb<'repo>) -> Self {
        Self { odb, met: HashMap::new(), queue: BinaryHeap::new(), open: 0, above: 0 }
    }

    /// Adds a commit to start from.
    pub(super) fn start(&mut self, id: CommitId) -> Result<(), Unknown> {
        self.meet(id, false)
    }

    /// Declares everything strictly below `base` to be below the floor.
    pub(super) fn floor(&mut self, base: CommitId) -> Result<(), Unknown> {
        self.meet(base, false)?;
        for parent in self.parents(base) {
            self.meet(parent, true)?;
        }
        Ok(())
    }

    /// Walks. Gives up when more than `nodes_max` commits are above the floor.
    pub(super) fn run(&mut self, nodes_max: usize) -> Result<(), Unknown> {
        let mut oldest = i64::MAX;
        let mut slack = SLACK;
        // What turns out to be below later still counts until then.
        let met_max = nodes_max.saturating_mul(4);
        while let Some((time, id)) = self.queue.pop() {
            let Some(met) = self.met.get_mut(&id) else { continue };
            met.queued = false;
            let below = met.below;
            if below && self.open == 0 {
                slack = if time < oldest { slack - 1 } else { SLACK };
                if slack == 0 {
                    break;
                }
            }
            if !below {
                self.open -= 1;
                oldest = oldest.min(time);
            }
            for parent in self.parents(id) {
                self.meet(parent, below)?;
            }
            if self.above > met_max {
                return Err(too_large(nodes_max));
            }
        }
        if self.above > nodes_max { Err(too_large(nodes_max)) } else { Ok(()) }
    }

    /// Whether that commit was met, and below the floor.
    pub(super) fn is_below(&self, id: CommitId) -> bool {
        self.met.get(&id).is_some_and(|met| met.below)
    }

    /// The commits above the floor, parents before children; older first where there is a choice.
    pub(super) fn into_nodes(mut self) -> Vec<Node> {
        self.note_merged();
        self.met.retain(|_, met| !met.below);
        let mut lacking: HashMap<CommitId, usize> = HashMap::with_capacity(self.met.len());
        let mut children: HashMap<CommitId, Vec<CommitId>> = HashMap::new();
        let mut ready = BinaryHeap::new();
        for (id, met) in &self.met {
            let parents: Vec<_> = met.node.parents.iter().filter(|p| self.met.contains_key(p)).collect();
            for parent in &parents {
                children.entry(**parent).or_default().push(*id);
            }
            lacking.insert(*id, parents.len());
            if parents.is_empty() {
                ready.push(Reverse((met.time, *id)));
            }
        }
        let mut nodes = Vec::with_capacity(self.met.len());
        while let Some(Reverse((_, id))) = ready.pop() {
            for child in children.remove(&id).unwrap_or_default() {
                if let Some(count) = lacking.get_mut(&child) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse((self.met.get(&child).map_or(0, |met| met.time), child)));
                    }
                }
            }
            nodes.extend(self.met.remove(&id).map(|met| met.node));
        }
        nodes
    }

    /// Notes the trees of what was merged: promotion merges stay above the floor when what they brought
    /// has long sunk below it. One that cannot be read is not known, and then it is no promotion.
    fn note_merged(&mut self) {
        let merges = self.met.values().filter(|met| !met.below && met.node.parents.len() == 2);
        let pairs: Vec<(CommitId, CommitId)> = merges.map(|met| (met.node.id, met.node.parents[1])).collect();
        for (id, second) in pairs {
            let known = self.met.get(&second).map(|met| met.node.tree);
            let tree = known.or_else(|| read_commit(self.odb, second).ok().map(|(node, _)| node.tree));
            if let Some(met) = self.met.get_mut(&id) {
                met.node.merged = tree;
            }
        }
    }

    fn parents(&self, id: CommitId) -> Vec<CommitId> {
        self.met.get(&id).map(|met| met.node.parents.clone()).unwrap_or_default()
    }

    fn meet(&mut self, id: CommitId, below: bool) -> Result<(), Unknown> {
        if self.met.contains_key(&id) {
            if below {
                self.sink(id);
            }
            return Ok(());
        }
        let (node, time) = read_commit(self.odb, id)?;
        self.met.insert(id, Met { node, time, below, queued: true });
        self.queue.push((time, id));
        if !below {
            self.open += 1;
            self.above += 1;
        }
        Ok(())
    }

    /// Marks a commit and everything met under it as below the floor.
    fn sink(&mut self, id: CommitId) {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            if let Some(met) = self.met.get_mut(&id)
                && !met.below
            {
                met.below = true;
                self.above -= 1;
                self.open -= usize::from(met.queued);
                stack.extend(&met.node.parents);
            }
        }
    }
}

fn too_large(nodes_max: usize) -> Unknown {
    Unknown::lasting(UnknownWhy::TooLarge { commits_max: nodes_max as u64 })
}

/// Reads one commit and its committer date in seconds.
pub(super) fn read_commit(odb: &Odb<'_>, id: CommitId) -> Result<(Node, i64), Unknown> {
    let object = odb.read(oid(id)).map_err(|error| match error.code() {
        ErrorCode::NotFound => Unknown::passing(UnknownWhy::MissingCommit { commit: id }),
        _ => words::unreadable(format!("{id}: {}", error.message())),
    })?;
    let parsed = if object.kind() == ObjectType::Commit { parse(id, object.data()) } else { None };
    parsed.ok_or_else(|| words::unreadable(format!("{id} is no commit")))
}

/// Reads a commit's bytes (`git cat-file commit`): header lines, an empty line, the message.
fn parse(id: CommitId, data: &[u8]) -> Option<(Node, i64)> {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let mut tree: Option<TreeId> = None;
    let mut parents = Vec::new();
    let (mut author, mut time) = ((String::new(), String::new()), 0);
    for line in data[..end].split(|byte| *byte == b'\n') {
        let split = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (key, value) = (&line[..split], line.get(split + 1..).unwrap_or_default());
        match key {
            b"tree" if tree.is_none() => tree = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            b"parent" => parents.push(std::str::from_utf8(value).ok()?.parse().ok()?),
            b"author" => author = person(value),
            // The last header that is read: a signature's text may hold anything.
            b"committer" => {
                time = stamp(value);
                break;
            }
            _ => {}
        }
    }
    let message = data.get(end + 2..).unwrap_or_default();
    let first = message.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let subject = cut(first.unwrap_or_default(), TEXT_MAX);
    let (author, email) = author;
    let text = String::from_utf8_lossy(message);
    let mut co_authors = co_authors_in(&text, &email);
    if authors::co_authors(&text).len() >= authors::CO_AUTHORS_MAX {
        // Who else there may be nobody read.
        co_authors.push(CoAuthor { name: String::new(), email: String::new() });
    }
    Some((Node { id, tree: tree?, parents, merged: None, author, email, co_authors, subject }, time))
}

/// Name and lower-cased address of `Ana <Ana@example.com> 1700000000 +0100`.
fn person(value: &[u8]) -> (String, String) {
    let open = value.iter().position(|byte| *byte == b'<').unwrap_or(value.len());
    let rest = value.get(open + 1..).unwrap_or_default();
    let close = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
    (cut(&value[..open], TEXT_MAX), cut(&rest[..close], EMAIL_MAX).to_lowercase())
}

/// The seconds in the same text; 0 where there are none.
fn stamp(value: &[u8]) -> i64 {
    let after = value.iter().rposition(|byte| *byte == b'>').map_or(0, |at| at + 1);
    let text = std::str::from_utf8(&value[after..]).unwrap_or_default();
    text.split_ascii_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn cut(bytes: &[u8], chars_max: usize) -> String {
    String::from_utf8_lossy(bytes).trim().chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Option<(Node, i64)> {
        let tree = b"tree 1111111111111111111111111111111111111111\n";
        parse(CommitId::from_bytes([1; 20]), &[tree, text].concat())
    }

    #[test]
    fn a_commit_is_read_as_written() {
        let text = b"parent 2222222222222222222222222222222222222222\nparent 3333333333333333333333333333333333333333\n\
            author \xc5\x81ukasz <L@Example.COM> 1 +0100\ncommitter Bot <b@x> 1700000000 +0000\ngpgsig -----BEGIN\n tree x\n\nFirst\n\nrest";
        let (node, time) = read(text).unwrap();
        assert_eq!(node.parents.len(), 2);
        assert_eq!((node.author.as_str(), node.email.as_str()), ("Łukasz", "l@example.com"));
        assert_eq!((node.subject.as_str(), time), ("First", 1_700_000_000));
    }

    #[test]
    fn co_authors_are_read_of_the_message_alone() {
        let text = b"author Ana <ana@x> 1 +0000\ncommitter Co <c@x> 1 +0000\ngpgsig -----BEGIN\n Co-authored-by: No <no@x>\n\n\
            Squash (#7)\n\nCo-Authored-By: Bo \xff <BO@x>\r\nco-authored-by: Ana <ANA@x>\nCo-authored-by: Eva <eva@x>";
        let co_authors: Vec<_> =
            read(text).unwrap().0.co_authors.into_iter().map(|one| (one.name, one.email)).collect();
        let pair = |name: &str, email: &str| (name.to_owned(), email.to_owned());
        assert_eq!(co_authors, [pair("Bo \u{fffd}", "bo@x"), pair("Eva", "eva@x")]);
        let head = "author A <a@x> 1 +0000\ncommitter B <b@x> 1 +0000\n\n";
        let many: String = (0..150).map(|n| format!("Co-authored-by: P <p{n}@x>\n")).collect();
        let found = read(format!("{head}{many}").as_bytes()).unwrap().0.co_authors;
        assert!(found.len() > 1 && found.iter().filter(|one| one.email.is_empty()).count() == 1, "{found:?}");
        assert_eq!(found.last().unwrap().email, "", "there are some that nobody read");
    }

    #[test]
    fn odd_commits_are_read_too() {
        for text in [
            &b"author nobody\ncommitter nobody\n\n"[..],
            b"author <> \ncommitter <",
            b"author \xff <\xfe> x y\ncommitter a <b>> 99999999999999999999 +0000\n\n\n\n",
            b"",
        ] {
            assert_eq!(read(text).unwrap().1, 0);
        }
        let long = [b"\n\n".as_slice(), "é".repeat(500).as_bytes()].concat();
        assert_eq!(read(&long).unwrap().0.subject.chars().count(), TEXT_MAX);
        assert!(parse(CommitId::from_bytes([1; 20]), b"parent x\n\n").is_none());
    }
}
