//! Branches that a forge moves by its API, or git where it cannot or is not to: whole passes of the engine, and what each
//! adapter makes of the answers. What counts is where the branches are, how many pushes of git came, and what is on record.

use serde_json::{Value, json};
use towpath::engine::tick::Pass;
use towpath::forge::Forge as _;
use towpath_core::act::PushAnswer;
use towpath_core::explain::Words;
use towpath_core::model::CommitId;

use super::e2e::Day;
use super::gitea::faults::Fault as Broken;
use super::gitea::state::Rule;
use super::gitea::{self, branch, repo};
use super::github::state::Fault;
use super::hosts::{GitHub, Gitea, Host};

/// Three environments by fast-forward and nothing that holds a commit back, with those lines in the forge's table.
fn config(kind: &str, lines: &str) -> String {
    format!(
        "[service]\nstore = \"sqlite:towpath.db\"\n\n[forge.it]\nkind = \"{kind}\"\ntoken = {{ env = \"TOKEN\" }}\n{lines}\n\n\
         [[flow]]\nrepository = \"it:shop/checkout\"\nname = \"monolith\"\n\n\
         [[flow.environment]]\nname = \"develop\"\n\n\
         [[flow.environment]]\nname = \"staging\"\nrollback = true\n\n\
         [[flow.environment]]\nname = \"production\"\nbranch = \"master\"\n"
    )
}

async fn on_github(lines: &str) -> Day<GitHub> {
    Day::<GitHub>::new("docplanner.toml", |_| config("github", lines)).await
}

async fn on_gitea(version: &str, lines: &str) -> Day<Gitea> {
    let day = Day::<Gitea>::new("docplanner-gitea.toml", |_| config("gitea", lines)).await;
    day.host.0.state().version = version.to_owned();
    day
}

/// How often the branch was asked to move by the API, and how many pushes of git came.
trait Counts: Host {
    fn counts(&self) -> (usize, usize);
}

impl Counts for GitHub {
    fn counts(&self) -> (usize, usize) {
        (self.0.asked("updateRefs("), self.0.pushes())
    }
}

impl Counts for Gitea {
    fn counts(&self) -> (usize, usize) {
        (self.0.calls("PUT /api/v1/repos/shop/checkout/branches/"), self.0.pushes())
    }
}

/// How many effects of ours are on record: one for each move.
async fn effects<H: Host>(day: &Day<H>) -> usize {
    let all = day.setup.world.store().history(None, usize::MAX).await.expect("the history");
    all.iter().filter(|item| format!("{:?}", item.what).starts_with("Effect")).count()
}

/// What is said of an environment.
fn said<H: Host>(day: &Day<H>, pass: &Pass, env: &str) -> String {
    let flow = &day.setup.config.flows[0].flow;
    let words = Words { zone: flow.zone, now: pass.seen.now.wall, flow, remote_word: "origin", lasting: false };
    let plan = pass.after.as_ref().unwrap_or(&pass.plan);
    let decision = plan.decisions.iter().find(|decision| decision.env.as_str() == env).expect("a decision");
    format!("{} {:?}", words.headline(decision), words.explain(decision).todo)
}

/// Three commits, one after the other, go all the way.
async fn three<H: Counts>(day: &Day<H>) {
    for (nth, file) in ["one", "two", "three"].into_iter().enumerate() {
        let commit = day.push(file);
        let pass = day.looks(15).await;
        for branch in ["staging", "master"] {
            assert_eq!(day.host.tip(branch), commit, "{branch} {file}: {}", said(day, &pass, "staging"));
        }
        assert_eq!(effects(day).await, 2 * (nth + 1), "each move is on record, once");
    }
}

#[tokio::test]
async fn github_moves_branches_by_update_refs_and_git_pushes_nothing() {
    let day = on_github("").await;
    three(&day).await;
    assert_eq!(day.host.counts(), (6, 0));
    day.host.0.assert_good(3, 12);
}

#[tokio::test]
async fn gitea_moves_branches_by_its_call_since_it_has_one() {
    for (version, moves, calls, pushes) in [
        ("1.26.0", "", 0, 6),
        ("1.26.0", "moves = \"api\"", 6, 0),
        ("1.27.3", "moves = \"api\"", 6, 0),
        ("1.26.2", "moves = \"push\"", 0, 6),
        ("1.25.9", "moves = \"api\"", 0, 6),
        ("13.0.2+gitea-1.26.0", "moves = \"api\"", 0, 6),
        ("no version", "moves = \"api\"", 0, 6),
    ] {
        let day = on_gitea(version, moves).await;
        three(&day).await;
        assert_eq!(day.host.counts(), (calls, pushes), "{version} {moves}");
        day.host.0.watch.assert_good(calls);
    }
}

#[tokio::test]
async fn the_config_has_git_push_on_github_too() {
    let day = on_github("moves = \"push\"").await;
    three(&day).await;
    assert_eq!(day.host.counts(), (0, 6));
}

/// As `graphql-ruby` refuses a document, whole and before any of it is done.
fn undefined() -> Value {
    json!({ "errors": [
        { "message": "UpdateRefsInput isn't a defined input type (on $input)", "path": ["mutation"],
          "extensions": { "code": "variableRequiresValidType", "typeName": "UpdateRefsInput", "variableName": "input" } },
        { "message": "Field 'updateRefs' doesn't exist on type 'Mutation'", "path": ["mutation", "updateRefs"],
          "extensions": { "code": "undefinedField", "typeName": "Mutation", "fieldName": "updateRefs" } },
        { "message": "Variable $input is declared by anonymous mutation but not used", "path": ["mutation"],
          "extensions": { "code": "variableNotUsed", "variableName": "input" } },
    ] })
}

#[tokio::test]
async fn a_github_without_update_refs_is_pushed_to() {
    let missing = || json!({ "message": "Not Found", "documentation_url": "", "status": "404" });
    for (operation, status, body) in [
        ("updateRefs(", 200, undefined()),
        ("updateRefs(", 404, missing()),
        // No GraphQL at all: it is not even asked for the repository's id.
        ("repository(", 404, missing()),
        ("repository(", 405, missing()),
    ] {
        let day = on_github("").await;
        day.host.0.fault(operation, Fault::Say(status, vec![], body));
        let one = day.push("one");
        let pass = day.look().await;
        assert_eq!(day.host.tip("staging"), one, "{operation} {status}: {}", said(&day, &pass, "staging"));
        assert_eq!(day.host.0.pushes(), 1, "{operation} {status}");
        assert_eq!(effects(&day).await, 1, "{operation} {status}");
    }
}

/// An answer that leaves a doubt is not followed by a push: by then the branch may have moved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubtful_answer_of_github_is_waited_out_and_nothing_is_pushed() {
    let graph = |error: Value| json!({ "data": { "updateRefs": null }, "errors": [error] });
    let other =
        json!({ "message": "x", "type": "INTERNAL", "extensions": { "code": "undefinedField", "fieldName": "x" } });
    for (fault, moves) in [
        (Fault::LoseAnswer, true),
        (Fault::Truncate, true),
        (Fault::Html, true),
        (Fault::LoseRequest, false),
        (Fault::Say(502, vec![], json!({ "message": "Server Error" })), false),
        (Fault::Say(200, vec![], graph(json!({ "message": "Something went wrong" }))), false),
        (Fault::Say(200, vec![], graph(json!({ "message": "timeout", "type": "INTERNAL" }))), false),
        (Fault::Say(200, vec![], graph(other)), false),
        (Fault::Say(200, vec![], json!({ "data": null })), false),
    ] {
        let day = on_github("").await;
        let root = day.host.tip("staging");
        day.host.0.fault("updateRefs(", fault);
        let one = day.push("one");
        let pass = day.look().await;
        let at = if moves { one } else { root };
        assert_eq!(day.host.tip("staging"), at, "{}", said(&day, &pass, "staging"));
        assert_eq!(day.host.counts(), (1, 0), "{}", said(&day, &pass, "staging"));
        assert_eq!(effects(&day).await, usize::from(moves));
        after_doubt(&day, one, moves).await;
        assert_eq!(day.host.0.pushes(), 0);
    }
}

/// What nobody knows the end of is not repeated by itself; `retry` has it tried again, and every move is on record once.
async fn after_doubt<H: Counts>(day: &Day<H>, one: CommitId, moved: bool) {
    if !moved {
        let asked = day.host.counts();
        let pass = day.looks(15).await;
        assert_eq!(day.host.counts(), asked, "{}", said(day, &pass, "staging"));
        towpath(day, &["retry", "monolith", "staging"]);
    }
    let pass = day.looks(15).await;
    assert_eq!(day.host.tip("master"), one, "{}", said(day, &pass, "production"));
    assert_eq!(effects(day).await, 2);
}

/// Runs the program on the config of the day.
fn towpath<H: Host>(day: &Day<H>, args: &[&str]) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_towpath"));
    let out = command.arg("--config").arg(day.dir.path().join("towpath.toml")).args(args).output();
    let out = out.expect("it runs");
    assert!(out.status.success(), "{args:?}: {out:?}");
}

/// A rule is a rule: git is no second way around it.
#[tokio::test]
async fn what_a_rule_of_github_refuses_is_not_pushed() {
    let day = on_github("").await;
    let root = day.host.tip("staging");
    {
        let mut state = day.host.0.state();
        state.rules.insert("staging".to_owned(), vec![json!({ "type": "pull_request" })]);
        state.bypass = false;
    }
    let one = day.push("one");
    let pass = day.look().await;
    let words = said(&day, &pass, "staging");
    assert!(words.contains("Changes must be made through a pull request"), "{words}");
    assert_eq!((day.host.tip("staging"), day.host.counts()), (root, (1, 0)));
    day.looks(15).await;
    assert_eq!((day.host.tip("staging"), day.host.0.pushes(), effects(&day).await), (root, 0, 0));
    day.host.0.state().bypass = true;
    let pass = day.looks(60).await;
    assert_eq!(day.host.tip("staging"), one, "{}", said(&day, &pass, "staging"));
}

/// Somebody moves the branch between the last look and the call.
async fn loses_races<H: Counts>(day: Day<H>, race: impl Fn(&H, CommitId)) {
    let root = day.host.tip("staging");
    let hotfix = day.host.with(|repo| repo.commit(&[root], "hotfix", &[("fix", "fix")]));
    day.push("one");
    race(&day.host, hotfix);
    let pass = day.look().await;
    assert_eq!(day.host.tip("staging"), hotfix, "{}", said(&day, &pass, "staging"));
    assert_eq!((effects(&day).await, day.host.counts()), (0, (1, 0)));
    let pass = day.looks(15).await;
    let words = said(&day, &pass, "staging");
    assert_eq!(day.host.tip("staging"), hotfix, "{words}");
    assert!(words.contains("a change made on `staging` itself"), "{words}");
}

#[tokio::test]
async fn a_race_is_lost_and_nobody_is_overwritten() {
    loses_races(on_github("").await, |host, to| host.0.state().race = Some(to)).await;
    loses_races(on_gitea("1.26.0", "moves = \"api\"").await, |host, to| host.0.state().race = Some(to)).await;
}

/// Back it goes by git, with a lease, whatever moves it forward.
async fn rolls_back<H: Counts>(day: Day<H>) {
    let root = day.host.tip("staging");
    let one = day.push("one");
    day.looks(10).await;
    assert_eq!((day.host.tip("staging"), day.host.counts()), (one, (2, 0)));
    let root_text = root.to_string();
    let args = ["rollback", "monolith", "staging", "to", &root_text, "--reason", "it burns"];
    towpath(&day, &args);
    let pass = day.look().await;
    assert_eq!(day.host.tip("staging"), root, "{}", said(&day, &pass, "staging"));
    assert_eq!(day.host.counts(), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_pushed() {
    rolls_back(on_github("").await).await;
    rolls_back(on_gitea("1.26.0", "moves = \"api\"").await).await;
}

#[tokio::test]
async fn what_gitea_answers_to_a_move_is_told_apart() {
    let place = gitea::Place::new().await;
    place.state().version = "1.26.0".to_owned();
    let (root, next) = (place.root, place.push("develop", "a"));
    let forge = place.forge();
    let advance = async |from, to| forge.advance(&repo(), &branch("staging"), from, to).await;
    let path = "PUT /api/v1/repos/shop/checkout/branches/staging";
    // Where it is not, by its own record; and to what is no descendant, which is nothing that we would ask for.
    let stale = advance(next, next).await;
    assert!(
        matches!(&stale, Some(PushAnswer::LostRace { words }) if words.contains("does not match")),
        "{stale:?}"
    );
    let aside = place.state().repo.commit(&[], "other", &[("f", "z")]);
    let forced = advance(root, aside).await;
    assert!(matches!(&forced, Some(PushAnswer::Refused { words }) if words.contains("Force push")), "{forced:?}");
    let rule = |pushers: &[&str]| Rule {
        branch: "staging".to_owned(),
        pushers: pushers.iter().map(|name| (*name).to_owned()).collect(),
        mergers: Vec::new(),
        checks: None,
        approvals: 0,
        up_to_date: false,
    };
    place.state().protect(rule(&["ana"]));
    let protected = advance(root, next).await;
    assert!(
        matches!(&protected, Some(PushAnswer::Refused { words }) if words.contains("protected branch")),
        "{protected:?}"
    );
    place.state().protect(rule(&["towpath"]));
    place.state().settings.archived = true;
    let archived = advance(root, next).await;
    assert!(matches!(&archived, Some(PushAnswer::Refused { words }) if words.contains("archived")), "{archived:?}");
    place.state().settings.archived = false;
    let eve = place.forge_as("eve").advance(&repo(), &branch("staging"), root, next).await;
    assert!(matches!(&eve, Some(PushAnswer::Refused { words }) if words.contains("permission")), "{eve:?}");
    let gone = forge.advance(&repo(), &branch("gone"), root, next).await;
    assert!(gone.is_none(), "nor can it be read: git says what is so, with its lease: {gone:?}");
    for (fault, is) in [
        (Broken::Status(422, "branch commit does not match [expected: 1, given: 2]"), "push"),
        (Broken::Status(405, ""), "push"),
        (Broken::Status(500, "exit status 1 - ! [rejected] (stale info)"), "lost race"),
        (Broken::Status(500, ""), "no answer"),
        (Broken::Status(502, "Bad Gateway"), "no answer"),
        (Broken::Status(503, "down"), "no answer"),
        (Broken::Status(408, "Request Timeout"), "no answer"),
        (Broken::Status(200, "{}"), "no answer"),
        (Broken::TooMany(1), "not sent"),
    ] {
        place.faults.plan(path, fault, 1);
        let (answer, calls) =
            (place.forge().advance(&repo(), &branch("staging"), root, next).await, place.calls(path));
        let word = match &answer {
            None => "push",
            Some(PushAnswer::LostRace { .. }) => "lost race",
            Some(PushAnswer::NoAnswer { .. }) => "no answer",
            Some(PushAnswer::NotSent { .. }) => "not sent",
            Some(_) => "other",
        };
        assert_eq!((word, place.tip("staging")), (is, Some(root)), "{answer:?}");
        assert!(calls <= 6, "a fault is not followed by another try: {calls}");
    }
    assert_eq!(place.pushes(), 0);
    place.watch.assert_good(6);
}

/// What happens while the server does it: somebody moves the branch, or the line breaks.
#[tokio::test]
async fn what_nobody_is_told_of_a_move_on_gitea_is_no_answer() {
    let place = gitea::Place::new().await;
    place.state().version = "1.26.0".to_owned();
    let (root, next) = (place.root, place.push("develop", "a"));
    let aside = place.state().repo.commit(&[], "other", &[("f", "z")]);
    place.state().race = Some(aside);
    let raced = place.forge().advance(&repo(), &branch("staging"), root, next).await;
    assert!(matches!(raced, Some(PushAnswer::NoAnswer { .. })), "its words are kept from us: {raced:?}");
    assert_eq!(place.tip("staging"), Some(aside), "and nobody is overwritten");
    place.set("staging", root);
    place.faults.plan("PUT /api/v1/repos/shop/checkout/branches/staging", Broken::DoneAndDropped, 1);
    let lost = place.forge().advance(&repo(), &branch("staging"), root, next).await;
    assert!(matches!(lost, Some(PushAnswer::NoAnswer { .. })), "{lost:?}");
    assert_eq!((place.tip("staging"), place.pushes()), (Some(next), 0));
    place.watch.assert_good(3);
}

/// After an answer that was lost the branch itself is read, and counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_of_gitea_is_on_record_once() {
    for (fault, moves) in [(Broken::DoneAndDropped, true), (Broken::Status(502, "Bad Gateway"), false)] {
        let day = on_gitea("1.26.0", "moves = \"api\"").await;
        let root = day.host.tip("staging");
        day.host.0.faults.plan("PUT /api/v1/repos/shop/checkout/branches/staging", fault, 1);
        let one = day.push("one");
        let pass = day.look().await;
        let at = if moves { one } else { root };
        assert_eq!(day.host.tip("staging"), at, "{}", said(&day, &pass, "staging"));
        assert_eq!((effects(&day).await, day.host.0.pushes()), (usize::from(moves), 0));
        after_doubt(&day, one, moves).await;
        assert_eq!(day.host.0.pushes(), 0);
    }
}
