//! The loaded piece of history against what git itself says, on random graphs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use towpath::git::read::load;
use towpath_core::dag::Dag;
use towpath_core::model::CommitId;

use crate::support::git_fixture::{Planned, Repo, World};

/// A small generator with a fixed course (SplitMix64), so that a failure names its graph.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

/// A random history: some roots, branches, merges, crossing merges, octopuses; every third seed
/// with dates that lie.
fn history(seed: u64) -> Vec<Planned> {
    let mut dice = Dice(seed);
    let count = 10 + dice.roll(110);
    let (reach, lies, roots) = (1 + dice.roll(12), seed.is_multiple_of(3), seed.is_multiple_of(5));
    (0..count)
        .map(|at| {
            let near = |dice: &mut Dice| at - 1 - dice.roll(reach.min(at));
            let mut parents = Vec::new();
            if at > 0 && !(roots && dice.roll(20) == 0) {
                parents.push(near(&mut dice));
                while dice.roll(4) == 0 && parents.len() < 4 {
                    let other = near(&mut dice);
                    if !parents.contains(&other) {
                        parents.push(other);
                    }
                }
            }
            let date = match lies && dice.roll(4) == 0 {
                true => dice.roll(2_000_000_000) as i64,
                false => 1_700_000_000 + 60 * at as i64,
            };
            Planned { parents, date, text: format!("Change {at}") }
        })
        .collect()
}

/// Everything git says about ancestry: for each commit, itself and all it reaches.
fn closures(repo: &Repo, tips: &[CommitId]) -> HashMap<CommitId, BTreeSet<CommitId>> {
    let mut args =
        vec!["rev-list".to_owned(), "--topo-order".to_owned(), "--reverse".to_owned(), "--parents".to_owned()];
    args.extend(tips.iter().map(ToString::to_string));
    let mut reach: HashMap<CommitId, BTreeSet<CommitId>> = HashMap::new();
    for line in repo.git(args).lines() {
        let mut ids = line.split(' ').map(|id| id.parse::<CommitId>().unwrap());
        let id = ids.next().unwrap();
        let mut all = BTreeSet::from([id]);
        ids.for_each(|parent| all.extend(&reach[&parent]));
        reach.insert(id, all);
    }
    reach
}

fn ids(text: &str) -> BTreeSet<CommitId> {
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn rev_list(repo: &Repo, args: &[String]) -> Vec<CommitId> {
    let all = ["rev-list".to_owned()].into_iter().chain(args.iter().cloned());
    repo.git(all).lines().map(|line| line.parse().unwrap()).collect()
}

/// What must be loaded, and what must be known to be below.
fn expected(
    repo: &Repo,
    reach: &HashMap<CommitId, BTreeSet<CommitId>>,
    tips: &[CommitId],
    wanted: &[CommitId],
) -> (BTreeSet<CommitId>, BTreeSet<CommitId>) {
    let common = tips.iter().map(|tip| reach[tip].clone()).reduce(|a, b| &a & &b).unwrap();
    let best: BTreeSet<CommitId> = common
        .iter()
        .filter(|id| !common.iter().any(|other| other != *id && reach[other].contains(id)))
        .copied()
        .collect();
    if let [one, two] = tips
        && !best.is_empty()
    {
        let said = repo.git(["merge-base", "--all", &one.to_string(), &two.to_string()]);
        assert_eq!(ids(&said), best, "git agrees on what is best");
    }
    let strictly_below: BTreeSet<CommitId> =
        best.iter().flat_map(|base| reach[base].iter().filter(move |id| *id != base)).copied().collect();
    let all: BTreeSet<CommitId> = tips.iter().chain(wanted).flat_map(|tip| &reach[tip]).copied().collect();
    let below = wanted.iter().copied().filter(|id| strictly_below.contains(id)).collect();
    (&all - &strictly_below, below)
}

fn in_order(dag: &Dag) -> bool {
    let place: BTreeMap<_, _> = dag.nodes().iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let before = |parent, at: usize| place.get(parent).is_none_or(|place| *place < at);
    dag.nodes().iter().enumerate().all(|(at, node)| node.parents.iter().all(|parent| before(parent, at)))
}

#[tokio::test]
async fn forty_random_graphs_read_as_git_reads_them() {
    let world = World::new().await;
    for seed in 0..42 {
        let repo = Repo::init(world.dir.path().join(format!("{seed}.git")));
        let made = repo.import(&history(seed));
        let mut dice = Dice(seed ^ 0xabcd);
        let pick = |dice: &mut Dice, last: usize| made[made.len() - 1 - dice.roll(last.min(made.len()))];
        let tips: Vec<_> = (0..1 + dice.roll(4)).map(|_| pick(&mut dice, 12)).collect();
        let wanted: Vec<_> = (0..dice.roll(5)).map(|_| pick(&mut dice, 200)).collect();
        let mut names = Vec::new();
        for (at, id) in made.iter().enumerate() {
            if tips.contains(id) || wanted.contains(id) {
                repo.set(&format!("b{at}"), *id);
                names.push(towpath_core::model::BranchName::new(format!("b{at}")));
            }
        }
        let remote = repo.remote();
        let mirror = towpath::git::Mirror::open_or_create(&world.dir.path().join("mirrors"), &remote).unwrap();
        world.git.fetch(&mirror, &remote, &names).await.unwrap();

        let loaded = load(&mirror, &tips, &wanted, 1_000);
        let dag = loaded.known().unwrap_or_else(|| panic!("seed {seed}: {loaded:?}"));
        let reach = closures(&repo, &made);
        let (nodes, below) = expected(&repo, &reach, &tips, &wanted);
        assert_eq!(dag.nodes().iter().map(|node| node.id).collect::<BTreeSet<_>>(), nodes, "seed {seed}");
        made.iter().for_each(|id| assert_eq!(dag.is_below(*id), below.contains(id), "seed {seed} {id}"));
        assert!(in_order(dag), "seed {seed}");
        questions(&repo, dag, &reach, &tips, seed, &mut dice);
    }
}

#[tokio::test]
async fn promotion_merges_are_read_whole() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let merge = world.repo.promotion_merge(a, b, "master");
    let mirror = world.fetched(&["develop", "master"]).await;
    let loaded = load(&mirror, &[b, merge], &[a], 10);
    let dag = loaded.known().unwrap();
    let node = dag.node(merge).unwrap();
    assert_eq!(node.parents, [a, b]);
    assert_eq!(node.tree, dag.node(b).unwrap().tree);
    assert!(dag.is_below(a), "the floor is b");
}

/// What the core asks of a piece of history, and what git answers.
fn questions(
    repo: &Repo,
    dag: &Dag,
    reach: &HashMap<CommitId, BTreeSet<CommitId>>,
    tips: &[CommitId],
    seed: u64,
    dice: &mut Dice,
) {
    for a in dag.nodes() {
        for b in dag.nodes() {
            assert_eq!(dag.contains(a.id, b.id), reach[&a.id].contains(&b.id), "seed {seed} {} {}", a.id, b.id);
        }
    }
    for _ in 0..6 {
        let (a, b) = (&dag.nodes()[dice.roll(dag.len())].id, &dag.nodes()[dice.roll(dag.len())].id);
        let said = crate::support::git_fixture::git_command(&repo.dir)
            .args(["merge-base", "--is-ancestor", &a.to_string(), &b.to_string()])
            .status()
            .unwrap();
        assert_eq!(dag.contains(*b, *a), said.success(), "seed {seed} {a} {b}");
    }
    for tip in tips {
        let first_parents = rev_list(repo, &["--first-parent".into(), tip.to_string()]);
        let chain: Vec<_> = dag.chain(*tip).map(|node| node.id).collect();
        assert!(first_parents.starts_with(&chain), "seed {seed} {tip}");
        let next = first_parents.get(chain.len());
        assert!(next.is_none_or(|next| dag.node(*next).is_none()), "seed {seed}: the chain ends with the piece");
        for other in tips {
            let said = rev_list(repo, &[tip.to_string(), format!("^{other}")]);
            let (ours, theirs) = (dag.ancestors([*tip]), dag.ancestors([*other]));
            let minus: BTreeSet<_> = dag.minus(&ours, &theirs).map(|node| node.id).collect();
            assert_eq!(minus, said.into_iter().collect(), "seed {seed} {tip} ^{other}");
        }
    }
}
