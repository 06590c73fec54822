//! Which of 800 is stuck, asked in a chat: a dozen are, and all twelve are named in what each platform is given to show.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use towpath::chat::answer::answered;
use towpath::chat::{mattermost, slack};
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::engine::World as _;
use towpath::engine::command::Person;
use towpath::engine::tick::tick;
use towpath::setup::{Need, Setup};
use towpath::views::{Sure, say};
use towpath_core::command::Said;
use towpath_core::model::{Change, Instant};
use towpath_core::people::Surface;

use crate::support::git_fixture::Repo;

const FLOWS: usize = 800;
/// Every so many is stuck: twelve of them.
const EVERY: usize = 67;

fn is_stuck(n: usize) -> bool {
    n % EVERY == EVERY / 2
}

fn name(n: usize) -> String {
    format!("team{}/service-{n:03}", n % 7)
}

/// All flows stand in one repository, and move a branch of their own.
fn config() -> String {
    let flow = |n: usize| {
        let branch = if is_stuck(n) { format!("hot{n}") } else { format!("p{n}") };
        format!(
            "[[flow]]\nrepository = \"all.git\"\nname = \"{}\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"staging\"\nbranch = \"s{n}\"\n[[flow.environment]]\n\
             name = \"production\"\nbranch = \"{branch}\"\n",
            name(n)
        )
    };
    (0..FLOWS).map(flow).collect()
}

/// Every text in it.
fn texts(value: &Json, out: &mut String) {
    match value {
        Json::String(text) => out.push_str(text),
        Json::Array(list) => list.iter().for_each(|one| texts(one, out)),
        Json::Object(table) => table.values().for_each(|one| texts(one, out)),
        _ => {}
    }
}

#[tokio::test]
async fn twelve_that_are_stuck_of_800_are_all_named_in_a_chat() {
    let dir = tempfile::tempdir().unwrap();
    let repo = Repo::init(dir.path().join("all.git"));
    let zero = repo.commit(&[], "develop", &[("a", "1")]);
    let stuck: Vec<usize> = (0..FLOWS).filter(|n| is_stuck(*n)).collect();
    assert_eq!(stuck.len(), 12);
    for n in &stuck {
        repo.set(&format!("s{n}"), zero);
        // Somebody pushed to its production.
        repo.commit(&[zero], &format!("hot{n}"), &[("hot", &n.to_string())]);
    }
    repo.set("s0", zero);
    repo.set("p0", zero);
    repo.commit(&[zero], "develop", &[("a", "2")]);
    std::fs::write(dir.path().join("towpath.toml"), config()).unwrap();
    let config = Config::load(&dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let clock = ManualClock::new(Instant(1_795_255_200_000));
    let setup = Setup::open(config, Clock::Manual(clock), Need::Create).await.unwrap();
    // The stuck ones and one of the others are looked at, twice: what moved moves on. The rest is as that one is.
    for n in stuck.iter().copied().chain([0]) {
        for _ in 0..3 {
            tick(&setup.world, &setup.config.flows[n].flow).await.unwrap();
        }
    }
    let quiet = setup.world.load(&setup.config.flows[0].flow).await.unwrap();
    for n in (1..FLOWS).filter(|n| !is_stuck(*n)) {
        let flow = &setup.config.flows[n].flow;
        let decided = quiet
            .decisions
            .iter()
            .map(|(env, row)| Change::Decided { env: env.clone(), row: Box::new(row.clone()) });
        let changes: Vec<Change> = decided.chain([Change::Looked(quiet.looked.unwrap())]).collect();
        setup.world.commit(None, Some(&flow.name), &changes).await.unwrap();
    }
    for identity in ["slack:T1/UANY", "mattermost:uany"] {
        let who = Person::new(identity.parse().unwrap(), Surface::Chat);
        let said = Said::parse("status").unwrap();
        let spoken = say(&setup, &setup.config, &said, &who, Sure::Ask).await.unwrap();
        let message = answered(&spoken, None);
        let made = if identity.starts_with("slack") {
            slack::render(&message)["blocks"].clone()
        } else {
            mattermost::render(&message, &mattermost::People::new(), None)
        };
        let mut shown = String::new();
        texts(&made, &mut shown);
        // Signs of names are entities in Mattermost's.
        let shown: String = shown.replace("&#45;", "-").replace("&#47;", "/").replace(['\\', '\u{200b}'], "");
        assert!(shown.contains("800 flows") && shown.contains("12 blocked or stopped"), "{shown}");
        let named: BTreeSet<usize> = (0..FLOWS).filter(|n| shown.contains(&format!("service-{n:03}"))).collect();
        assert_eq!(named, stuck.iter().copied().collect(), "{identity}: {shown}");
        assert!(!shown.contains("more lines"), "{shown}");
    }
}
