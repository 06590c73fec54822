//! `Dag` against an oracle that walks parents one by one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use towpath_core::dag::{Dag, Node};
use towpath_core::model::{CommitId, TreeId};

use crate::kit::c;

/// Parents of commit `n`, which come before it.
pub type Parents = Vec<Vec<usize>>;

/// Histories of up to `max` commits: chains, branches, merges, several roots.
pub fn any_history(max: usize) -> impl Strategy<Value = Parents> {
    prop::collection::vec(prop::collection::vec((any::<prop::sample::Index>(), 0..10u8), 0..3), 1..max).prop_map(
        |picks| {
            picks
                .iter()
                .enumerate()
                .map(|(n, picks)| {
                    let mut parents: Vec<usize> = Vec::new();
                    for (pick, near) in picks.iter().take(if n == 0 { 0 } else { 3 }) {
                        // Mostly one of the three before it, so that chains get long.
                        let among = if *near < 8 { n.min(3) } else { n };
                        let parent = n - 1 - pick.index(among);
                        if !parents.contains(&parent) {
                            parents.push(parent);
                        }
                    }
                    if parents.is_empty() && n % 7 != 0 {
                        parents.push(n - 1);
                    }
                    parents
                })
                .collect()
        },
    )
}

pub fn id(n: usize) -> CommitId {
    c(u32::try_from(n).expect("small"))
}

pub fn node(n: usize, parents: &[usize]) -> Node {
    Node {
        id: id(n),
        tree: TreeId::from_bytes([u8::try_from(n % 5).expect("small"); 20]),
        parents: parents.iter().map(|p| id(*p)).collect(),
        merged: None,
        author: "Ana".to_owned(),
        email: "ana@example.com".to_owned(),
        co_authors: Vec::new(),
        subject: format!("change {n}"),
    }
}

/// The whole history, loaded.
pub fn dag(parents: &Parents) -> Dag {
    Dag::new(parents.iter().enumerate().map(|(n, p)| node(n, p)).collect(), BTreeSet::new())
}

/// Everything that `n` reaches, itself too.
pub fn reach(parents: &Parents, n: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([n]);
    let mut todo = vec![n];
    while let Some(n) = todo.pop() {
        todo.extend(parents[n].iter().copied().filter(|p| found.insert(*p)));
    }
    found
}

proptest! {
    #![proptest_config(crate::cases::times(200))]

    #[test]
    fn a_whole_history_agrees_with_walking_it(
        parents in any_history(18),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let dag = dag(&parents);
        let all = 0..parents.len();
        let reaches: Vec<BTreeSet<usize>> = all.clone().map(|n| reach(&parents, n)).collect();
        let stranger = c(7_777);
        for a in all.clone() {
            for b in all.clone() {
                prop_assert_eq!(dag.contains(id(a), id(b)), reaches[a].contains(&b), "{} contains {}", a, b);
            }
            prop_assert!(!dag.contains(id(a), stranger) && !dag.contains(stranger, id(a)));
            let chain: Vec<CommitId> = dag.chain(id(a)).map(|n| n.id).collect();
            let walked: Vec<CommitId> =
                std::iter::successors(Some(a), |n| parents[*n].first().copied()).map(id).collect();
            prop_assert_eq!(chain, walked);
        }
        prop_assert!(!dag.contains(stranger, stranger));
        prop_assert_eq!(dag.chain(stranger).count(), 0);

        let tips: Vec<usize> = picks.iter().map(|p| p.index(parents.len())).collect();
        let up: BTreeSet<usize> = tips[..2].iter().flat_map(|t| reaches[*t].clone()).collect();
        let less = &reaches[tips[2]];
        let marks = dag.ancestors([id(tips[0]), id(tips[1]), stranger]);
        let less_marks = dag.ancestors([id(tips[2])]);
        let over = dag.descendants_of_any([id(tips[2]), id(tips[3]), stranger]);
        for n in all.clone() {
            prop_assert_eq!(dag.has(&marks, id(n)), up.contains(&n));
            let contains_any = reaches[n].contains(&tips[2]) || reaches[n].contains(&tips[3]);
            prop_assert_eq!(dag.has(&over, id(n)), contains_any);
            prop_assert_eq!(dag.has(&dag.descendants(id(tips[2])), id(n)), reaches[n].contains(&tips[2]));
        }
        prop_assert!(!dag.has(&marks, stranger));
        let minus: Vec<CommitId> = dag.minus(&marks, &less_marks).map(|n| n.id).collect();
        let expected: Vec<CommitId> = up.iter().rev().filter(|n| !less.contains(n)).map(|n| id(*n)).collect();
        prop_assert_eq!(minus, expected);

        let mut by_tree: BTreeMap<TreeId, Vec<CommitId>> = BTreeMap::new();
        for n in all {
            by_tree.entry(node(n, &[]).tree).or_default().push(id(n));
        }
        prop_assert_eq!(dag.by_tree(), by_tree);
    }

    /// A piece without what lies strictly below a floor answers as the whole does, for commits
    /// that contain the floor.
    #[test]
    fn a_floor_changes_no_answer_above_it(
        parents in any_history(18),
        floor in any::<prop::sample::Index>(),
    ) {
        let floor = floor.index(parents.len());
        let below: BTreeSet<usize> = reach(&parents, floor).into_iter().filter(|n| *n != floor).collect();
        let loaded = (0..parents.len()).filter(|n| !below.contains(n));
        let piece = Dag::new(
            loaded.clone().map(|n| node(n, &parents[n])).collect(),
            below.iter().map(|n| id(*n)).collect(),
        );
        prop_assert_eq!(piece.len(), parents.len() - below.len());
        for a in loaded.clone().filter(|n| reach(&parents, *n).contains(&floor)) {
            let reach = reach(&parents, a);
            for b in 0..parents.len() {
                prop_assert_eq!(piece.contains(id(a), id(b)), reach.contains(&b), "{} contains {}", a, b);
            }
            let marks = piece.ancestors([id(a)]);
            for b in loaded.clone() {
                prop_assert_eq!(piece.has(&marks, id(b)), reach.contains(&b));
            }
            let whole = std::iter::successors(Some(a), |n| parents[*n].first().copied());
            let chain: Vec<CommitId> = whole.take_while(|n| !below.contains(n)).map(id).collect();
            prop_assert_eq!(piece.chain(id(a)).map(|n| n.id).collect::<Vec<_>>(), chain);
        }
        for n in 0..parents.len() {
            prop_assert_eq!(piece.is_below(id(n)), below.contains(&n));
            prop_assert!(piece.knows(id(n)));
            prop_assert_eq!(piece.node(id(n)).is_some(), !below.contains(&n));
        }
        let text = serde_json::to_string(&piece).expect("it can be written");
        prop_assert_eq!(serde_json::from_str::<Dag>(&text).expect("it can be read"), piece);
    }
}
