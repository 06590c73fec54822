//! Discovery: the lists of the three forges as their adapters read them, and whole runs of the program.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::discover::{COMMAND_MAX, look};
use towpath::forge::{Aside, Forge as _};
use towpath::setup::{Need, Setup};
use towpath::store::DiscoveredRow;
use towpath_core::model::CommitId;

use super::backend::Other;
use super::gitea::Place;
use super::gitea::faults::Fault;
use super::{github, gitlab};
use crate::support::git_fixture::Repo;

/// Those beside `shop/checkout`: one of each kind.
fn others() -> Vec<Other> {
    let mut all: Vec<Other> = ["shop/search", "shop/Odd.Name", "shop/old", "shop/copy", "tools/ci"]
        .map(|path| Other::new(0, path))
        .into();
    (2..).zip(&mut all).for_each(|(id, other)| other.id = id);
    (all[2].archived, all[3].fork) = (true, true);
    all
}

/// What was seen, by path: the number, and what it is beside.
fn told(mut seen: Vec<towpath::forge::RepoSeen>) -> Vec<(String, String, Option<Aside>)> {
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    seen.into_iter().map(|one| (one.path.to_string(), one.id, one.aside)).collect()
}

fn expected() -> Vec<(String, String, Option<Aside>)> {
    let rows = [
        ("shop/Odd.Name", "3", None),
        ("shop/checkout", "1", None),
        ("shop/copy", "5", Some(Aside::Fork)),
        ("shop/old", "4", Some(Aside::Archived)),
        ("shop/search", "2", None),
        ("tools/ci", "6", None),
    ];
    rows.map(|(path, id, aside)| (path.to_owned(), id.to_owned(), aside)).into()
}

type By = fn(&mut Value);

/// What the first item of a list may be instead, whose path is at that key: in words, the path that is seen of it if
/// that is another one, its number.
fn odd_ones(at: &'static str) -> [(&'static str, Option<&'static str>, &'static str, By); 4] {
    let nameless: By = match at {
        "full_name" => |body| body[0]["full_name"] = json!(7),
        _ => |body| body[0]["path_with_namespace"] = json!(7),
    };
    [
        ("it does not say whether it is archived", None, "1", |body| body[0]["archived"] = Value::Null),
        ("no number", None, "", |body| drop(body[0].as_object_mut().expect("an item").remove("id"))),
        ("no path", Some(""), "1", nameless),
        ("no item at all", Some(""), "", |body| body[0] = json!(7)),
    ]
}

#[tokio::test]
async fn the_list_of_a_gitea_is_read_to_its_last_page_or_not_at_all() {
    let place = Place::new().await;
    (place.state().page_max, place.state().others) = (2, others());
    let forge = place.forge();
    assert_eq!(told(forge.repositories().await.expect("read")), expected());
    assert_eq!(place.calls("/user/repos"), 3);
    place.watch.assert_good(5);
    let changed = |by: fn(&mut Value)| Fault::changed(by);
    for (what, fault, times) in [
        ("another type", changed(|body| *body = json!({ "data": [] })), 1),
        ("cut each time", Fault::Truncated, 3),
        ("500 each time", Fault::Status(500, "x"), 3),
        ("403", Fault::Status(403, "token does not have at least one of required scope(s)"), 1),
    ] {
        place.faults.plan("/user/repos", fault, times);
        assert!(forge.repositories().await.is_err(), "{what}");
        place.faults.clear();
    }
    // One that is odd takes nothing from the others.
    for (odd, path, id, by) in odd_ones("full_name") {
        place.faults.plan("/user/repos", Fault::changed(by), 1);
        let seen = told(forge.repositories().await.expect("read"));
        place.faults.clear();
        assert_eq!(seen.len(), 6, "{odd}: {seen:?}");
        let odd_one = (path.unwrap_or("shop/checkout").to_owned(), id.to_owned(), Some(Aside::Odd));
        assert!(seen.contains(&odd_one), "{odd}: {seen:?}");
    }
    // The last page is empty, and what was counted did not come.
    place.faults.plan("page=3", changed(|body| *body = json!([])), 1);
    let fault = forge.repositories().await.expect_err("a page is missing").to_string();
    assert!(fault.contains("a page is missing"), "{fault}");
}

#[tokio::test]
async fn the_list_of_a_gitlab_is_read_to_its_last_page_or_not_at_all() {
    let place = gitlab::Place::new().await;
    (place.state().page_max, place.state().others) = (2, others());
    place.state().others[4].mirror = true;
    place.state().others[0].doomed = true;
    let forge = place.forge();
    for totals in [true, false] {
        place.state().tells.totals = totals;
        // A fork of what nobody here may see is one, too.
        place.state().others[3].of_hidden = totals;
        let mut expected = expected();
        expected[5].2 = Some(Aside::Mirror);
        expected[4].2 = Some(Aside::Doomed);
        // The project of this forge of the tests is in a group of a group.
        expected[1].0 = "shop/back/checkout".into();
        assert_eq!(told(forge.repositories().await.expect("read")), expected);
    }
    assert_eq!(place.calls("/v4/projects?membership=true"), 6);
    place.watch.assert_good(6);
    let changed = |by: fn(&mut Value)| Fault::changed(by);
    for (what, fault, times) in [
        ("another type", changed(|body| *body = json!(7)), 1),
        ("cut each time", Fault::Truncated, 3),
        ("500 each time", Fault::Status(500, "x"), 3),
    ] {
        place.faults.plan("/v4/projects", fault, times);
        assert!(forge.repositories().await.is_err(), "{what}");
        place.faults.clear();
    }
    // One that is odd takes nothing from the others.
    for (odd, path, id, by) in odd_ones("path_with_namespace") {
        place.faults.plan("/v4/projects", Fault::changed(by), 1);
        let seen = told(forge.repositories().await.expect("read"));
        place.faults.clear();
        assert_eq!(seen.len(), 6, "{odd}: {seen:?}");
        let odd_one = (path.unwrap_or("shop/back/checkout").to_owned(), id.to_owned(), Some(Aside::Odd));
        assert!(seen.contains(&odd_one), "{odd}: {seen:?}");
    }
    place.state().tells.totals = true;
    place.faults.plan("page=3", changed(|body| *body = json!([])), 1);
    let fault = forge.repositories().await.expect_err("a page is missing").to_string();
    assert!(fault.contains("a page is missing"), "{fault}");
}

#[tokio::test]
async fn the_list_of_a_github_is_read_to_its_last_page_or_not_at_all() {
    for app in [false, true] {
        let world = if app { github::World::app().await } else { github::World::new().await };
        (world.server.state().page_max, world.server.state().others) = (2, others());
        let list = if app { "/installation/repositories" } else { "/user/repos" };
        assert_eq!(told(world.forge.repositories().await.expect("read")), expected(), "{list}");
        assert_eq!(world.server.asked(list), 3);
        fn another(body: &mut Value) {
            *body = json!(7);
        }
        fn unsaid(body: &mut Value) {
            let list = if body.is_array() { body } else { &mut body["repositories"] };
            list[0]["archived"] = Value::Null;
        }
        for fault in [
            vec![github::state::Fault::Spoil(another)],
            vec![github::state::Fault::Html],
            vec![github::state::Fault::Truncate; 3],
            vec![github::state::Fault::Say(500, vec![], json!({})); 3],
            vec![github::state::Fault::Say(403, vec![], json!({ "message": "no" }))],
        ] {
            fault.into_iter().for_each(|fault| world.server.fault(list, fault));
            assert!(world.forge.repositories().await.is_err(), "{list}");
        }
        world.server.fault(list, github::state::Fault::Spoil(unsaid));
        let seen = told(world.forge.repositories().await.expect("read"));
        assert_eq!(seen.iter().filter(|one| one.2 == Some(Aside::Odd)).count(), 1, "{list}: {seen:?}");
        assert_eq!(seen.len(), 6, "{list}: {seen:?}");
        world.server.assert_good(3, 0);
    }
}

#[tokio::test]
async fn pages_that_go_in_circles_are_no_list() {
    let world = github::World::new().await;
    let whole = json!([]);
    let link = format!("<{}/api/v3/user/repos?per_page=100&sort=full_name>; rel=\"next\"", world.server.url);
    world.server.fault("/user/repos", github::state::Fault::Say(200, vec![("link", link)], whole));
    let fault = world.forge.repositories().await.expect_err("circles").to_string();
    assert!(fault.contains("go in circles"), "{fault}");
}

/// A Gitea with more repositories, and the program beside it.
struct Town {
    place: Place,
    dir: tempfile::TempDir,
    /// The two commits of each repository: `staging` is at the first, `develop` at the second.
    tips: [CommitId; 2],
}

const ENVIRONMENTS: &str = "[[group]]\nmatch = [\"shop/*\"]\n[[group.environment]]\nname = \"develop\"\n\
                            [[group.environment]]\nname = \"staging\"\n";

impl Town {
    async fn new() -> Self {
        let place = Place::new().await;
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("token"), "token-of-towpath").expect("written");
        let b = place.push("develop", "b");
        let town = Self { tips: [place.root, b], place, dir };
        for (id, path) in [(2, "shop/search"), (3, "shop/lame"), (4, "shop/own"), (5, "shop/old"), (7, "tools/ci")]
        {
            town.repository(id, path);
        }
        town.repo("shop/lame").git(["update-ref", "-d", "refs/heads/staging"]);
        // In the list, and not in git.
        town.place.state().others.push(Other::new(6, "shop/broken"));
        town.place.state().others.push(Other::new(8, "shop/.github"));
        town.change("shop/old", |other| other.archived = true);
        town.config(
            "[[flow]]\nname = \"mine\"\nrepository = \"hub:shop/own.git\"\nmode = \"observe\"\n\
             [[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n",
        );
        town
    }

    /// A repository like the first.
    fn repository(&self, id: u64, path: &str) {
        let from = self.place.state().repo.dir.clone();
        let to = self.folder(path);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        let copied = Command::new("cp").arg("-r").arg(&from).arg(&to).status().expect("cp runs");
        assert!(copied.success());
        self.place.state().others.push(Other::new(id, path));
    }

    fn folder(&self, path: &str) -> std::path::PathBuf {
        let first = self.place.state().repo.dir.clone();
        first.ancestors().nth(2).expect("the root").join(format!("{path}.git"))
    }

    fn repo(&self, path: &str) -> Repo {
        Repo::open(self.folder(path))
    }

    fn change(&self, path: &str, by: impl FnOnce(&mut Other)) {
        let mut state = self.place.state();
        by(state.others.iter_mut().find(|other| other.path == path).expect("it is there"));
    }

    /// Somebody renames it on the forge.
    fn rename(&self, from: &str, to: &str) {
        self.change(from, |other| to.clone_into(&mut other.path));
        std::fs::rename(self.folder(from), self.folder(to)).expect("renamed");
    }

    /// The config with these flows.
    fn config(&self, flows: &str) {
        let url = &self.place.url;
        let text = format!(
            "[service]\nstore = \"sqlite:towpath.db\"\n[forge.hub]\nkind = \"forgejo\"\nurl = \"{url}\"\n\
             token = {{ file = \"token\" }}\ndiscover = true\n{ENVIRONMENTS}{flows}"
        );
        std::fs::write(self.dir.path().join("towpath.toml"), text).expect("written");
    }

    async fn towpath(&self, args: &[&str]) -> Ran {
        let (args, dir) =
            (args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(), self.dir.path().to_owned());
        tokio::task::spawn_blocking(move || towpath(&args, &dir)).await.expect("it ran")
    }

    /// A commit on `develop`.
    fn push(&self, path: &str) -> CommitId {
        let repo = self.repo(path);
        let parent = repo.tip("develop").expect("develop");
        repo.commit(&[parent], "develop", &[("more", "more")])
    }

    fn staging(&self, path: &str) -> Option<CommitId> {
        self.repo(path).tip("staging")
    }
}

#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn towpath(args: &[String], dir: &Path) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
    command.args(args).current_dir(dir).env_remove("TOWPATH_CONFIG").stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// The lines of `doctor` about discovery.
fn of_discovery(ran: &Ran) -> BTreeSet<String> {
    let wanted = |line: &&str| line.contains("not taken") || line.contains("lists") || line.contains("discovered");
    ran.out
        .lines()
        .filter(wanted)
        .map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest).to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matches_and_has_the_branches_moves_and_nothing_else() {
    let town = Town::new().await;
    let [a, b] = town.tips;
    let ran = town.towpath(&["run"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (path, tip) in [
        ("shop/checkout", Some(b)),
        ("shop/search", Some(b)),
        ("shop/lame", None),
        ("shop/old", Some(a)),
        ("tools/ci", Some(a)),
        // Its own flow only observes.
        ("shop/own", Some(a)),
    ] {
        assert_eq!(town.staging(path), tip, "{path}: {ran:?}");
    }
    // What is broken is told by each command that looks; what only lacks something by `doctor`.
    assert!(ran.err.contains("`hub:shop/broken` is not taken: its branches cannot be read"), "{ran:?}");
    assert!(!ran.err.contains("shop/lame"), "{ran:?}");
    let said = town.towpath(&["doctor"]).await;
    let said = of_discovery(&said);
    for line in [
        "`[forge.hub]` lists 8 repositories: 2 are flows by `discover`, 4 match a group and are not taken",
        "`hub:shop/lame`: not taken: lacks branch `staging`",
        "`hub:shop/old`: not taken: it is archived",
    ] {
        assert!(said.contains(line), "{line}: {said:#?}");
    }
    for (path, why) in [
        ("shop/broken", "its branches cannot be read: "),
        ("shop/.github", "the flow would be called `shop/.github` after its repository, which cannot be: "),
    ] {
        let begins = format!("`hub:{path}`: not taken: {why}");
        assert!(said.iter().any(|line| line.starts_with(&begins)), "{begins}: {said:#?}");
    }
    assert_eq!(said.len(), 5, "nothing of what is not meant: {said:#?}");
    let status = town.towpath(&["status"]).await;
    assert!(status.out.contains("; discovered on hub)"), "{status:?}");
    let valid = town.towpath(&["config", "validate"]).await;
    assert!(valid.out.contains("3 flows, of which 2 were discovered"), "{valid:?}");
    let shown = town.towpath(&["config", "show", "shop/search"]).await;
    assert!(shown.out.contains("# discovered by [forge.hub] line 7"), "{shown:?}");
    town.place.watch.assert_good(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_only_forge_is_away_and_nothing_is_known_the_run_says_so_by_its_exit_code() {
    let town = Town::new().await;
    town.config("");
    town.place.faults.plan("/user/repos", Fault::Status(500, "x"), 100);
    for command in ["run", "plan"] {
        let ran = town.towpath(&[command]).await;
        assert_eq!(ran.code, Some(3), "{command}: {ran:?}");
        assert!(ran.err.contains("`[forge.hub]`: its repositories cannot be listed: "), "{command}: {ran:?}");
    }
    town.place.faults.clear();
    assert_eq!(town.towpath(&["run"]).await.code, Some(0));
    // What is known goes on, whatever becomes of the list.
    let tip = town.push("shop/search");
    town.place.faults.plan("/user/repos", Fault::Status(500, "x"), 100);
    let ran = town.towpath(&["run"]).await;
    assert_eq!((ran.code, town.staging("shop/search")), (Some(0), Some(tip)), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_list_says_something_odd_of_is_left_out_and_stays_what_it_was() {
    let town = Town::new().await;
    fn spoil(body: &mut Value) {
        for item in body.as_array_mut().expect("a list") {
            if item["full_name"] == "shop/search" {
                item["archived"] = Value::Null;
            }
        }
    }
    let line = "`hub:shop/search`: not taken: what the forge's list has of it cannot be read";
    town.place.faults.plan("/user/repos", Fault::changed(spoil), 100);
    assert_eq!(town.towpath(&["run"]).await.code, Some(0));
    let [a, b] = town.tips;
    assert_eq!((town.staging("shop/checkout"), town.staging("shop/search")), (Some(b), Some(a)));
    let said = town.towpath(&["doctor"]).await;
    assert!(of_discovery(&said).contains(line), "{said:?}");
    town.place.faults.clear();
    assert_eq!(town.towpath(&["run"]).await.code, Some(0));
    assert_eq!(town.staging("shop/search"), Some(b));
    // What was taken goes on.
    let tip = town.push("shop/search");
    for by in [spoil as By, |body| body[0] = json!(7)] {
        town.place.faults.plan("/user/repos", Fault::changed(by), 100);
        let ran = town.towpath(&["run"]).await;
        assert_eq!((ran.code, town.staging("shop/search")), (Some(0), Some(tip)), "{ran:?}");
        let status = town.towpath(&["status"]).await;
        assert!(!status.out.contains("another repository") && !status.out.contains("does not list"), "{status:?}");
        town.place.faults.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_time_is_over_what_was_known_stays_and_nothing_is_said_of_the_rest() {
    let town = Town::new().await;
    let config = Config::load(&town.dir.path().join("towpath.toml")).expect("a config");
    let setup = Setup::open(config, Clock::System, Need::Create).await.expect("a setup");
    let whole = look(&setup, COMMAND_MAX).await.expect("looked");
    setup.world.store().remember_discovered(&whole.changed).await.expect("remembered");
    let none = look(&setup, Duration::ZERO).await.expect("looked");
    let sorted = |rows: &[DiscoveredRow]| {
        let mut rows = rows.to_vec();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        rows
    };
    assert_eq!((sorted(&none.rows), none.changed.len()), (sorted(&whole.rows), 0));
    assert_eq!(none.forges[0].listed, Err("it took longer than 0 s".to_owned()));
    assert_eq!(whole.forges[0].unlooked, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_discovered_stays_with_what_people_ordered() {
    let town = Town::new().await;
    let [_, b] = town.tips;
    assert_eq!(town.towpath(&["run"]).await.code, Some(0));
    let paused = town.towpath(&["pause", "shop/search", "--reason", "audit"]).await;
    assert_eq!(paused.code, Some(0), "{paused:?}");
    town.push("shop/search");
    // The forge is away: it is told, nothing is forgotten, and the others move.
    town.place.faults.plan("/user/repos", Fault::Status(502, "away"), 30);
    let c = town.push("shop/checkout");
    let ran = town.towpath(&["run"]).await;
    assert!(ran.err.contains("its repositories cannot be listed"), "{ran:?}");
    assert_eq!(town.staging("shop/checkout"), Some(c), "{ran:?}");
    assert_eq!(town.staging("shop/search"), Some(b), "it is paused: {ran:?}");
    town.place.faults.clear();
    // It is renamed: no second flow of it, and the first says so.
    town.rename("shop/search", "shop/find");
    town.towpath(&["run"]).await;
    assert_eq!(town.staging("shop/find"), Some(b), "the pause is not lost");
    let status = town.towpath(&["status"]).await;
    assert!(status.out.contains("it is called `shop/find` now"), "{status:?}");
    let doctor = town.towpath(&["doctor"]).await;
    assert!(doctor.out.contains("`hub:shop/find`: not taken: it is `shop/search`, renamed"), "{doctor:?}");
    // As it advises: the same flow, at its new place, still paused.
    town.config("[[flow]]\nname = \"shop/search\"\nrepository = \"hub:shop/find\"\n");
    town.towpath(&["run"]).await;
    assert_eq!(town.staging("shop/find"), Some(b));
    let status = town.towpath(&["status", "shop/search"]).await;
    assert!(status.out.contains("paused") && !status.out.contains("discovered"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_the_path_of_another_is_not_taken_for_it() {
    let town = Town::new().await;
    let [_, b] = town.tips;
    assert_eq!(town.towpath(&["run"]).await.code, Some(0));
    let paused = town.towpath(&["pause", "shop/search", "--reason", "audit"]).await;
    assert_eq!(paused.code, Some(0), "{paused:?}");
    town.push("shop/search");
    // It is renamed, or moved elsewhere, and a copy of it comes to its old path.
    town.rename("shop/search", "shop/find");
    town.repository(9, "shop/search");
    town.change("shop/search", |other| other.fork = true);
    let new = town.staging("shop/search");
    town.push("shop/search");
    for _ in 0..2 {
        let ran = town.towpath(&["run"]).await;
        assert_eq!(town.staging("shop/find"), Some(b), "it is paused: {ran:?}");
        assert_eq!(town.staging("shop/search"), new, "nobody meant it: {ran:?}");
        assert!(ran.err.contains("another repository is at this path now"), "{ran:?}");
    }
    let doctor = town.towpath(&["doctor"]).await;
    assert!(
        doctor.out.contains("`hub:shop/search`: since ") && doctor.out.contains("another repository"),
        "{doctor:?}"
    );
    assert!(doctor.out.contains("`hub:shop/find`: not taken: it is `shop/search`, renamed"), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_a_flow_names_is_no_second_one_however_it_is_written() {
    let town = Town::new().await;
    let [a, b] = town.tips;
    let written = |repository: &str, name: &str| {
        format!(
            "[[flow]]\nname = \"{name}\"\nrepository = \"{repository}\"\nmode = \"observe\"\n\
             [[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n"
        )
    };
    town.config(&(written("hub:shop/search", "one") + &written("git@other.example.com:Shop/Own.git", "two")));
    let file = town.dir.path().join("towpath.toml");
    let text = std::fs::read_to_string(&file).expect("a config");
    std::fs::write(&file, text.replace("discover = true", "discover = true\nexcept = [\"Shop/Checkout\"]"))
        .expect("written");
    town.towpath(&["run", "one"]).await;
    town.towpath(&["run", "two"]).await;
    for path in ["shop/search", "shop/own", "shop/checkout"] {
        assert_eq!(town.staging(path), Some(a), "{path}");
    }
    let doctor = town.towpath(&["doctor", "one"]).await;
    assert!(
        doctor.out.contains("`hub:shop/own`: not taken: it may be the repository of the flow `two`"),
        "{doctor:?}"
    );
    // Renamed, it is still the one that a flow names.
    town.rename("shop/search", "shop/find");
    town.towpath(&["run", "one"]).await;
    assert_eq!(town.staging("shop/find"), Some(a));
    let doctor = town.towpath(&["doctor", "one"]).await;
    assert!(doctor.out.contains("`hub:shop/find`: not taken: it is `shop/search`, renamed"), "{doctor:?}");
    // Where no flow names it any more it is taken like others.
    town.config("");
    town.towpath(&["run"]).await;
    assert_eq!(town.staging("shop/own"), Some(b));
}

/// `serve` of the town, ended with the test.
struct Service(std::process::Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Town {
    fn serve(&self) -> Service {
        let log = std::fs::File::create(self.dir.path().join("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "text"]).current_dir(self.dir.path());
        command.env_remove("TOWPATH_CONFIG").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Service(command.spawn().expect("it starts"))
    }

    /// Waits until a repository's `staging` is there.
    async fn until(&self, path: &str, tip: CommitId) {
        for _ in 0..300 {
            if self.staging(path) == Some(tip) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        panic!("{path} never came to {tip}:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_takes_what_it_discovers_without_a_restart() {
    let town = Town::new().await;
    let [a, b] = town.tips;
    let service = town.serve();
    town.until("shop/checkout", b).await;
    town.until("shop/search", b).await;
    // Another config, with which more matches, and what was found before goes on.
    town.repository(9, "other/one");
    town.change("shop/search", |other| other.archived = true);
    let config = std::fs::read_to_string(town.dir.path().join("towpath.toml")).expect("read");
    let config = config.replace("match = [\"shop/*\"]", "match = [\"shop/*\", \"other/*\"]");
    std::fs::write(town.dir.path().join("towpath.toml"), config).expect("written");
    town.until("other/one", b).await;
    let mut status = town.towpath(&["status"]).await;
    let whole = |out: &str| out.contains("other/one (as of") && out.contains("it is archived");
    for _ in 0..100 {
        if whole(&status.out) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        status = town.towpath(&["status"]).await;
    }
    assert!(whole(&status.out), "{status:?}");
    let log = std::fs::read_to_string(town.dir.path().join("log")).expect("a log");
    assert_eq!(log.matches("`hub:shop/broken` is not taken").count(), 1, "told once: {log}");
    assert_eq!(town.staging("tools/ci"), Some(a));
    drop(service);
    // What was discovered is there at the next start, whatever the forge says then.
    town.place.faults.plan("/user/repos", Fault::Status(502, "away"), 30);
    let c = town.push("other/one");
    let _service = town.serve();
    town.until("other/one", c).await;
}
