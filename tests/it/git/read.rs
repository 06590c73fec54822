//! Reading the mirror: limits, prefixes, cherry-picks, differences.

use std::collections::BTreeSet;

use towpath::git::diff::{How, between};
use towpath::git::patch::pick_of;
use towpath::git::read::{is_strict_ancestor, lacks, load, resolve_prefix};
use towpath_core::model::{Fact, Unknown, UnknownWhy};

use super::nowhere;
use crate::support::git_fixture::{Planned, World};

#[tokio::test]
async fn a_missing_tip_is_unknown_and_a_missing_wish_is_left_out() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let mirror = world.fetched(&["develop"]).await;
    let missing = Unknown::passing(UnknownWhy::MissingCommit { commit: nowhere() });
    assert_eq!(load(&mirror, &[b, nowhere()], &[], 10), Fact::Unknown(missing));
    assert!(!mirror.is_suspect(), "not fetched yet is not broken");
    let dag = load(&mirror, &[b], &[nowhere(), a], 10);
    let dag = dag.known().unwrap();
    assert_eq!(dag.nodes().iter().map(|node| node.id).collect::<Vec<_>>(), [b]);
    assert!(dag.is_below(a) && !dag.knows(nowhere()));
    let too_large = Unknown::lasting(UnknownWhy::TooLarge { commits_max: 1 });
    assert_eq!(load(&mirror, &[a, b], &[], 1), Fact::Unknown(too_large));
    assert_eq!(load(&mirror, &[], &[], 1).known().unwrap().len(), 0);
    assert!(lacks(&mirror, &[a, nowhere()]) && !lacks(&mirror, &[a, b]));
    assert_eq!(is_strict_ancestor(&mirror, a, b), Ok(true));
    assert_eq!(is_strict_ancestor(&mirror, b, a), Ok(false));
    assert_eq!(is_strict_ancestor(&mirror, a, a), Ok(false));
    assert!(is_strict_ancestor(&mirror, a, nowhere()).is_err());
}

#[tokio::test]
async fn texts_are_taken_as_written() {
    let world = World::new().await;
    let message = format!("\u{1b}[31mFirst {}\nsecond", "ä".repeat(300));
    let id = world.repo.commit_as(&[], "develop", &[("f", "a")], &message, "Zoë & Co <ZOË@Example.COM>");
    let mirror = world.fetched(&["develop"]).await;
    let dag = load(&mirror, &[id], &[], 10);
    let node = dag.known().unwrap().node(id).unwrap().clone();
    assert_eq!(node.subject.chars().count(), 200);
    assert!(node.subject.starts_with("\u{1b}[31mFirst ä"));
    assert_eq!((node.author.as_str(), node.email.as_str()), ("Zoë & Co", "zoë@example.com"));
    assert_eq!(node.tree.to_string(), world.repo.git(["rev-parse", "develop^{tree}"]));
}

#[tokio::test]
async fn unrelated_tips_load_everything() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let x = world.repo.commit(&[], "master", &[("g", "x")]);
    let mirror = world.fetched(&["develop", "master"]).await;
    let dag = load(&mirror, &[b, x], &[a], 10);
    let dag = dag.known().unwrap();
    assert_eq!(dag.len(), 3);
    assert!(!dag.is_below(a) && dag.contains(b, a) && !dag.contains(b, x) && !dag.contains(x, a));
}

#[tokio::test]
async fn ten_thousand_commits_are_loaded() {
    let world = World::new().await;
    let planned: Vec<_> = (0..12_000_usize)
        .map(|at| Planned {
            parents: at.checked_sub(1).into_iter().collect(),
            date: 1_700_000_000 + at as i64,
            text: format!("Change {at}"),
        })
        .collect();
    let ids = world.repo.import(&planned);
    let tip = ids[11_999];
    let mirror = world.fetched(&["imported"]).await;
    let dag = load(&mirror, &[ids[2_000], tip], &[ids[0]], 20_000);
    let dag = dag.known().unwrap();
    assert_eq!(dag.len(), 10_000);
    assert_eq!(dag.chain(tip).count(), 10_000);
    assert!(dag.is_below(ids[0]));
}

#[tokio::test]
async fn a_prefix_names_every_commit_that_begins_so() {
    let world = World::new().await;
    let tree = world.repo.git(["hash-object", "-t", "tree", "-w", "/dev/null"]);
    // Found by trying: their ids share seven digits.
    let twins = [4903, 7697].map(|number| {
        let who = "A <a@b> 1700000000 +0000";
        let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\ntwin {number}\n");
        world.repo.raw_commit(&text, &format!("twin{number}"))
    });
    let mirror = world.fetched(&["twin4903", "twin7697"]).await;
    let of = |prefix: &str| resolve_prefix(&mirror, prefix).unwrap();
    assert_eq!(of("4d3e890").into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(twins));
    assert_eq!(of(&twins[0].to_string()), [twins[0]]);
    assert_eq!(of(&twins[1].to_string().to_uppercase()[..12]), [twins[1]]);
    let none: [&str; 7] = ["", "abc", "4d3e89", "zzzzzzz", "--help-me", "012345670123456", &"0".repeat(41)];
    none.iter().for_each(|prefix| assert_eq!(of(prefix), [], "{prefix}"));
    assert_eq!(of(&tree), [], "a tree is no commit");
}

#[tokio::test]
async fn a_cherry_pick_is_recognised_and_a_likeness_is_not() {
    let world = World::new().await;
    let repo = &world.repo;
    let lines = |changed: &str| format!("{}\n{changed}\n{}", "above\n".repeat(20), "below\n".repeat(20));
    let base = repo.commit(&[], "develop", &[("f", &lines("old")), ("bin", "\0one")]);
    let fix = repo.commit(&[base], "develop", &[("f", &lines("new"))]);
    let other = repo.commit(&[fix], "develop", &[("f", &lines("newer"))]);
    let image = repo.commit(&[other], "develop", &[("bin", "\0two")]);
    let empty = repo.commit(&[image], "develop", &[]);
    // On master: an unrelated change first, so that the trees differ, then the picks.
    let ours = repo.commit(&[base], "master", &[("g", "ours")]);
    let picked = repo.commit(&[ours], "master", &[("f", &lines("new"))]);
    let unlike = repo.commit(&[picked], "master", &[("f", &lines("otherwise"))]);
    let picture = repo.commit(&[unlike], "master", &[("bin", "\0two")]);
    let poster = repo.commit(&[picture], "master", &[("bin", "\0three")]);
    let nothing = repo.commit(&[poster], "master", &[]);
    let merge = repo.commit(&[nothing, empty], "master", &[("f", &lines("new"))]);
    let mirror = world.fetched(&["develop", "master"]).await;
    let source = [empty, image, other, fix, base];
    for _ in 0..2 {
        for (own, found) in [
            (picked, Some(fix)),
            (picture, Some(image)),
            (ours, None),
            (unlike, None),
            (poster, None),
            (nothing, None),
            (merge, None),
        ] {
            assert_eq!(pick_of(&mirror, own, &source), Fact::Known(found));
        }
    }
    assert_eq!(pick_of(&mirror, picked, &[merge, picked]), Fact::Known(None), "neither itself nor a merge");
    let missing = Unknown::passing(UnknownWhy::MissingCommit { commit: nowhere() });
    assert_eq!(pick_of(&mirror, nowhere(), &source), Fact::Unknown(missing.clone()));
    assert_eq!(pick_of(&mirror, picked, &[nowhere()]), Fact::Unknown(missing));
    let many = vec![other; 1_001];
    let too_large = Unknown::lasting(UnknownWhy::TooLarge { commits_max: 1_000 });
    assert_eq!(pick_of(&mirror, picked, &many), Fact::Unknown(too_large));
}

#[tokio::test]
async fn what_lies_between_two_commits() {
    let world = World::new().await;
    let repo = &world.repo;
    let a = repo.commit(&[], "develop", &[("kept", "1\n2\n3\n"), ("gone", "1\n"), ("bin", "\0")]);
    let side = repo.commit(&[a], "side", &[("side", "1\n2\n")]);
    let b = repo.commit(&[a], "develop", &[("kept", "1\n2\nx\ny\n"), ("bin", "\0\0")]);
    let c = repo.commit(&[b, side], "develop", &[("side", "1\n2\n")]);
    let mirror = world.fetched(&["develop"]).await;
    let found = between(&mirror, a, c, 10, 10);
    let found = found.known().unwrap();
    assert_eq!(found.commits.iter().map(|node| node.id).collect::<Vec<_>>(), [c, b, side]);
    assert_eq!((found.commits_total, found.files_total), (3, 3));
    let files: Vec<_> = found.files.iter().map(|f| (f.path.as_str(), f.how, f.added, f.removed)).collect();
    assert_eq!(files, [("bin", How::Modified, 0, 0), ("kept", How::Modified, 2, 1), ("side", How::Added, 2, 0)]);
    assert_eq!((found.added, found.removed), (4, 1));
    let cut = between(&mirror, a, c, 1, 1);
    let cut = cut.known().unwrap();
    assert_eq!((cut.commits.len(), cut.commits_total, cut.files.len(), cut.files_total), (1, 3, 1, 3));
    let back = between(&mirror, c, a, 10, 10);
    assert_eq!(back.known().unwrap().commits_total, 0);
    assert_eq!(back.known().unwrap().files[2].how, How::Deleted);
}
