//! The piece of a repository's history that a tick needs, as a plain value.
//!
//! The git adapter loads it once per tick; everything the core wants to know of the commit graph
//! (first-parent chains, containment, what is between two commits) is answered from it by the same
//! code in the service and in the simulator.
//!
//! Not here: trees' contents and diffs, which are dear and asked for by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::model::{CoAuthor, CommitId, TreeId};

/// A commit as the graph needs it. The texts are whatever somebody pushed: hostile until shown
/// through [`crate::text::Shown`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The commit.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, first parent first, including those outside the loaded piece.
    pub parents: Vec<CommitId>,
    /// Of a merge of two: the tree of the second, which may lie outside the loaded piece.
    #[serde(default)]
    pub merged: Option<TreeId>,
    /// The author's name as written in the commit (never trusted for policy).
    pub author: String,
    /// The author's e-mail as written in the commit, lower-cased.
    pub email: String,
    /// Who the message says wrote it as well ([`co_authors_in`](crate::people::authors::co_authors_in)): after a
    /// squash, that is who wrote it. One without an address stands for those of a commit that has more than are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_authors: Vec<CoAuthor>,
    /// The first line of the message, cut at 200 characters.
    pub subject: String,
}

impl Node {
    /// The names and addresses of whoever wrote it, as written in it: the author and the co-authors.
    pub fn wrote(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.co_authors.iter().map(|other| (other.name.as_str(), other.email.as_str()));
        others.chain([(self.author.as_str(), self.email.as_str())])
    }

    /// The addresses of whoever wrote it, as written in it: the author's and those of co-authors.
    pub fn addresses(&self) -> BTreeSet<String> {
        self.co_authors.iter().map(|other| &other.email).chain([&self.email]).cloned().collect()
    }
}

/// A loaded piece of history.
///
/// It holds every commit that some wanted commit reaches, except those strictly below the *floor*:
/// the best common ancestors of all environment tips, which it still holds. So whatever is below
/// the floor is contained in every environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Dag {
    nodes: Vec<Node>,
    below: BTreeSet<CommitId>,
    index: HashMap<CommitId, usize>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    nodes: Vec<Node>,
    below: BTreeSet<CommitId>,
}

impl From<Wire> for Dag {
    fn from(wire: Wire) -> Self {
        Self::new(wire.nodes, wire.below)
    }
}

impl From<Dag> for Wire {
    fn from(dag: Dag) -> Self {
        Self { nodes: dag.nodes, below: dag.below }
    }
}

/// One bit per commit of a [`Dag`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks(Vec<bool>);

impl Dag {
    /// Builds the piece from nodes **in topological order, parents before children**, and those
    /// wanted commits that exist in the repository but lie below the floor.
    pub fn new(nodes: Vec<Node>, below: BTreeSet<CommitId>) -> Self {
        let index = nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
        Self { nodes, below, index }
    }

    /// How many commits are loaded.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is loaded.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The loaded commits, parents before children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The commit, if loaded.
    pub fn node(&self, id: CommitId) -> Option<&Node> {
        self.index.get(&id).map(|at| &self.nodes[*at])
    }

    /// The commits of a range that somebody has written something with: all but merges that are just what
    /// their second parent was, as a promotion's are, where that parent is of the range itself. Whoever pressed
    /// that button wrote nothing; but a merge of what the target has already takes back what came since.
    pub fn written<'a>(&'a self, range: &'a Marks, there: &'a Marks) -> impl Iterator<Item = &'a Node> {
        let of_range = |id: CommitId| self.has(range, id) && !self.has(there, id);
        let brought =
            move |node: &Node| self.takes_the_second(node) && node.parents.get(1).copied().is_some_and(of_range);
        self.minus(range, there).filter(move |node| !brought(node))
    }

    /// Whether it is a merge that is just what its second parent was.
    pub fn takes_the_second(&self, node: &Node) -> bool {
        let [_, second] = node.parents[..] else { return false };
        // What is outside the loaded piece was noted at the merge, if it could be read.
        let tree = self.node(second).map(|merged| merged.tree).or(node.merged);
        tree == Some(node.tree)
    }

    /// Whether the commit exists but lies below the floor, and so in every environment.
    pub fn is_below(&self, id: CommitId) -> bool {
        self.below.contains(&id)
    }

    /// Whether the repository has the commit, as far as this piece can tell.
    pub fn knows(&self, id: CommitId) -> bool {
        self.index.contains_key(&id) || self.is_below(id)
    }

    /// Marks `tips` and all their loaded ancestors.
    pub fn ancestors(&self, tips: impl IntoIterator<Item = CommitId>) -> Marks {
        let mut marks = vec![false; self.nodes.len()];
        for tip in tips {
            if let Some(at) = self.index.get(&tip) {
                marks[*at] = true;
            }
        }
        for at in (0..self.nodes.len()).rev() {
            if marks[at] {
                for parent in &self.nodes[at].parents {
                    if let Some(parent) = self.index.get(parent) {
                        marks[*parent] = true;
                    }
                }
            }
        }
        Marks(marks)
    }

    /// Marks `base` and every loaded commit that contains it. All of them if it is below the floor.
    pub fn descendants(&self, base: CommitId) -> Marks {
        self.descendants_of_any([base])
    }

    /// Marks every loaded commit that contains at least one of `bases`.
    pub fn descendants_of_any(&self, bases: impl IntoIterator<Item = CommitId>) -> Marks {
        let mut marks = vec![false; self.nodes.len()];
        for base in bases {
            if self.is_below(base) {
                marks.fill(true);
                return Marks(marks);
            }
            if let Some(at) = self.index.get(&base) {
                marks[*at] = true;
            }
        }
        for at in 0..self.nodes.len() {
            if !marks[at] {
                marks[at] =
                    self.nodes[at].parents.iter().any(|parent| self.index.get(parent).is_some_and(|p| marks[*p]));
            }
        }
        Marks(marks)
    }

    /// Whether `commit` contains `base` (is it, or descends from it). `false` where either is not
    /// known: absence of knowledge never proves a fast-forward.
    pub fn contains(&self, commit: CommitId, base: CommitId) -> bool {
        if commit == base {
            return self.knows(commit);
        }
        self.has(&self.descendants(base), commit)
    }

    /// Whether the commit is marked.
    pub fn has(&self, marks: &Marks, id: CommitId) -> bool {
        self.index.get(&id).is_some_and(|at| marks.0[*at])
    }

    /// The marked commits that are not also marked in `less`, newest (children) first.
    pub fn minus<'a>(&'a self, marks: &'a Marks, less: &'a Marks) -> impl Iterator<Item = &'a Node> {
        (0..self.nodes.len()).rev().filter(|at| marks.0[*at] && !less.0[*at]).map(|at| &self.nodes[at])
    }

    /// Of marked commits and all their ancestors the newest: whoever contains these contains all that are marked.
    /// Commits to pass over count only where another one that counts contains them.
    pub fn newest(&self, marks: &Marks, pass_over: impl Fn(&Node) -> bool) -> Vec<CommitId> {
        let mut contained = vec![false; self.nodes.len()];
        let mut newest = Vec::new();
        for at in (0..self.nodes.len()).rev().filter(|at| marks.0[*at]) {
            if !contained[at] {
                if pass_over(&self.nodes[at]) {
                    continue;
                }
                newest.push(self.nodes[at].id);
            }
            for parent in self.nodes[at].parents.iter().filter_map(|parent| self.index.get(parent)) {
                contained[*parent] = true;
            }
        }
        newest
    }

    /// The parents of a merge, in order; nothing for any other commit, or one that is not loaded.
    pub fn merges(&self, id: CommitId) -> Vec<CommitId> {
        let parents = self.node(id).map_or(&[][..], |node| &node.parents);
        if parents.len() > 1 { parents.to_vec() } else { Vec::new() }
    }

    /// The first-parent chain from `tip` down, newest first, as far as it is loaded.
    pub fn chain(&self, tip: CommitId) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.node(tip), |node| node.parents.first().and_then(|p| self.node(*p)))
    }

    /// For each tree, the loaded commits that have it, oldest first.
    pub fn by_tree(&self) -> BTreeMap<TreeId, Vec<CommitId>> {
        let mut map: BTreeMap<TreeId, Vec<CommitId>> = BTreeMap::new();
        for node in &self.nodes {
            map.entry(node.tree).or_default().push(node.id);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> CommitId {
        format!("{number:040x}").parse().expect("an id")
    }

    fn node(number: u8, tree: u8, parents: &[u8]) -> Node {
        let tree = format!("{tree:040x}").parse().expect("an id");
        let parents = parents.iter().map(|parent| id(*parent)).collect();
        let text = String::new;
        Node {
            id: id(number),
            tree,
            parents,
            merged: None,
            author: text(),
            email: text(),
            co_authors: Vec::new(),
            subject: text(),
        }
    }

    #[test]
    fn the_newest_of_a_target_that_was_promoted_to_is_what_was_brought_and_what_is_its_own() {
        // 2 was brought by the merge 3, 4 was made on top of it, 6 brought 5, which contains 2 and not 4.
        let nodes = [
            node(1, 1, &[]),
            node(2, 2, &[1]),
            node(3, 2, &[1, 2]),
            node(4, 4, &[3]),
            node(5, 5, &[2]),
            node(6, 5, &[4, 5]),
        ];
        let dag = Dag::new(nodes.to_vec(), BTreeSet::new());
        let newest = |tip, over: &[u8]| {
            let over: Vec<CommitId> = over.iter().map(|n| id(*n)).collect();
            dag.newest(&dag.ancestors([id(tip)]), |node| over.contains(&node.id))
        };
        assert_eq!(newest(3, &[3]), [id(2)]);
        assert_eq!(newest(3, &[]), [id(3)]);
        // 3 is in 4, which is not passed over.
        assert_eq!(newest(6, &[3, 6]), [id(5), id(4)]);
        assert_eq!(newest(6, &[]), [id(6)]);
    }

    #[test]
    fn who_merges_what_comes_wrote_nothing_and_who_merges_what_is_there_took_the_rest_back() {
        // 1 is where the target is; 2 and 3 came after it; 4 is a promotion of 3, 5 brings 1 back.
        let nodes = vec![
            node(1, 1, &[]),
            node(2, 2, &[1]),
            node(3, 3, &[2]),
            node(4, 3, &[1, 3]),
            node(5, 1, &[3, 1]),
            node(6, 6, &[2, 3]),
        ];
        let dag = Dag::new(nodes, BTreeSet::new());
        let written = |of: u8| -> Vec<CommitId> {
            let (there, range) = (dag.ancestors([id(1)]), dag.ancestors([id(of)]));
            let mut all: Vec<CommitId> = dag.written(&range, &there).map(|node| node.id).collect();
            all.sort();
            all
        };
        assert_eq!(written(4), [id(2), id(3)]);
        assert_eq!(written(5), [id(2), id(3), id(5)]);
        assert_eq!(written(6), [id(2), id(3), id(6)], "a merge with work of its own");
    }
}
