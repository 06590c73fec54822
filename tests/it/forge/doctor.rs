//! What `doctor` says of a flow on each forge.

use serde_json::json;
use towpath_core::model::{BranchName, Via, request_branch};

use super::e2e::{Day, EXAMPLES};
use super::gitea::state::Rule;
use super::hosts::{GitHub, GitLab, Gitea, Host};

/// What `doctor` says, line by line, and how it ends.
pub(super) fn doctor<H>(day: &Day<H>) -> (Vec<String>, Option<i32>) {
    towpath(day, &["doctor"])
}

/// What the program says, line by line, and how it ends.
fn towpath<H>(day: &Day<H>, words: &[&str]) -> (Vec<String>, Option<i32>) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_towpath"));
    let out =
        command.arg("--config").arg(day.dir.path().join("towpath.toml")).args(words).output().expect("it runs");
    let text = String::from_utf8(out.stdout).expect("text");
    (text.lines().map(str::to_owned).collect(), out.status.code())
}

async fn asks_the_forge<H: Host>(example: &str) {
    let day = Day::<H>::new(example, |text| text).await;
    let says = |lines: &[String], words: &str| {
        assert!(lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
    };
    let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
    says(&lines, "`test`, which none of the newest commits of its branches has; they have none at all");
    let tip = day.host.tip(H::BRANCHES[0]).to_string();
    let flow = day.setup.config.flows[0].flow.name.to_string();
    let (reported, code) =
        tokio::task::block_in_place(|| towpath(&day, &["report", &flow, &tip, "test", "success"]));
    assert_eq!(code, Some(0), "{reported:#?}");
    let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
    says(&lines, "which none of the newest commits of its branches has; they have `test`");
    assert!(!lines.iter().any(|line| line.contains("`test`, which none")), "it was reported: {lines:#?}");
    day.green(day.host.tip(H::BRANCHES[0]));
    day.host.archive();
    let (lines, code) = tokio::task::block_in_place(|| doctor(&day));
    says(&lines, "+ ");
    says(&lines, "every check that its gates name has run on one of the 1 newest commits");
    says(&lines, "archived");
    assert_eq!(code, Some(1), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_asks_each_forge() {
    asks_the_forge::<GitHub>(EXAMPLES[0]).await;
    asks_the_forge::<Gitea>(EXAMPLES[1]).await;
    asks_the_forge::<GitLab>(EXAMPLES[2]).await;
}

/// Where the config allows rollbacks, and what the forge says to that.
async fn rollbacks<H: Host>(example: &str, env: &str, words: &str, protect: impl Fn(&H)) {
    for allowed in [true, false] {
        let day =
            Day::<H>::new(example, |text| text.replace("rollback = true", &format!("rollback = {allowed}"))).await;
        protect(&day.host);
        let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
        let about: Vec<&String> = lines.iter().filter(|line| line.contains("`rollback` of")).collect();
        assert_eq!(about.len(), usize::from(allowed), "of one branch alone: {lines:#?}");
        assert!(
            about.iter().all(|line| line.contains(&format!("`{env}`: ")) && line.contains(words)),
            "{about:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_where_a_rollback_would_be_refused() {
    let rules = |host: &GitHub| {
        let rule = vec![json!({ "type": "non_fast_forward" })];
        host.0.state().rules.insert("master".to_owned(), rule);
    };
    rollbacks::<GitHub>(EXAMPLES[0], "production", "refuses force pushes", rules).await;
    let rule = |host: &Gitea| {
        let (branch, pushers) = ("staging".to_owned(), vec!["towpath".to_owned()]);
        let mergers = pushers.clone();
        host.0.state().protect(Rule { branch, pushers, mergers, checks: None, approvals: 0, up_to_date: false });
    };
    rollbacks::<Gitea>(EXAMPLES[1], "staging", "refuses to let it go back", rule).await;
    let rule = |host: &GitLab| host.0.state().protect("pre-production", &["towpath"], &[]);
    rollbacks::<GitLab>(EXAMPLES[2], "pre-production", "Allowed to force push", rule).await;
}

/// The teams of `from` are read before the first approval is missed. `set` puts them there: `ops` and, if told, `release`.
async fn reads_teams<H: Host>(example: &str, untold: &str, set: impl Fn(&H, bool)) {
    let day = Day::<H>::new(example, |text| {
        let lines = text.lines().filter(|line| !line.starts_with("gates.approvals"));
        let lines = lines.map(|line| match line.starts_with("request = ") {
            true => {
                "request = { open = \"at-once\", reviewers = [\"@gone\", \"@ops\"] }\n\
                     gates.approvals = { required = 1, from = [\"ana\", \"@release\", \"@ops\"] }"
            }
            false => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    })
    .await;
    for told in [false, true] {
        set(&day.host, told);
        let (lines, code) = tokio::task::block_in_place(|| doctor(&day));
        let says = |words: &str| lines.iter().any(|line| line.contains(words));
        assert!(says("the forge tells who is in `@ops`"), "{lines:#?}");
        assert!(says("`@gone` is to be asked for reviews, and may not be found"), "{lines:#?}");
        assert_eq!(says("the forge tells who is in `@release`, 2 member(s)"), told, "{lines:#?}");
        let unknown = lines.iter().find(|line| line.contains("who is in `@release` is not known, so none"));
        assert_eq!(unknown.is_none(), told, "{lines:#?}");
        assert!(unknown.is_none_or(|line| line.contains(untold)), "{lines:#?}");
        assert!(told || code == Some(1), "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_reads_the_teams_that_the_config_names_on_each_forge() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let github = |host: &GitHub, told: bool| {
        let teams = &mut host.0.state().teams;
        teams.clear();
        teams.insert("ops".to_owned(), names(&["bo"]));
        if told {
            teams.insert("release".to_owned(), names(&["ana", "bo"]));
        }
    };
    reads_teams::<GitHub>(EXAMPLES[0], "404", github).await;
    // The right to write is there; a place in the team is not.
    let gitea = |host: &Gitea, told: bool| {
        let release: &[&str] = if told { &["ana", "towpath"] } else { &["ana"] };
        host.0.state().teams =
            vec![(1, "release".to_owned(), names(release)), (2, "ops".to_owned(), names(&["bo", "towpath"]))];
    };
    let untold = "Must be a team member: Towpath's user has to be in the team `@shop/release`, or an owner of the organisation";
    reads_teams::<Gitea>(EXAMPLES[1], untold, gitea).await;
    let gitlab = |host: &GitLab, told: bool| {
        let groups = &mut host.0.state().groups;
        groups.clear();
        let member = |name: &str| (name.to_owned(), 30, "active");
        groups.insert("shop/ops".to_owned(), vec![member("bo")]);
        if told {
            groups.insert("shop/release".to_owned(), vec![member("ana"), member("bo")]);
        }
    };
    reads_teams::<GitLab>(EXAMPLES[2], "there is no group `shop/release`", gitlab).await;
}

/// What the forge requires though no gate names it, and a rule that covers the branches of requests, too.
async fn minds<H: Host>(example: &str, required: Option<&str>, set: impl Fn(&H, &BranchName)) {
    let day = Day::<H>::new(example, |text| text).await;
    let flow = &day.setup.config.flows[0].flow;
    let target = flow.environments.iter().find(|env| env.via == Via::MergeRequest).expect("one by request");
    let head = request_branch(&flow.name, &target.name);
    let of_heads = format!("a protection covers `{head}`, the branch of the requests into `{}`", target.name);
    let of_checks = "`, which none of the newest commits of the flow's branches has: it refuses";
    let says = |lines: &[String], words: &str| lines.iter().filter(|line| line.contains(words)).count();
    let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
    assert_eq!((says(&lines, &of_heads), says(&lines, of_checks)), (0, 0), "{lines:#?}");
    set(&day.host, &head);
    let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
    assert_eq!(says(&lines, &of_heads), 1, "{lines:#?}");
    assert_eq!(says(&lines, of_checks), usize::from(required.is_some()), "{lines:#?}");
    let Some(required) = required else { return };
    assert_eq!(says(&lines, &format!("the forge requires `legacy` on `{required}{of_checks}")), 1, "{lines:#?}");
    // With `checks = "required"` that is what the gate waits for.
    let path = day.dir.path().join("towpath.toml");
    let text = std::fs::read_to_string(&path).expect("a config");
    std::fs::write(&path, text.replace("checks = [\"build\", \"test\"]", "checks = \"required\""))
        .expect("written");
    let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
    assert_eq!(says(&lines, "has: `gates.ci` waits for it; they have"), 1, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_a_forge_requires_that_nobody_runs_and_what_covers_request_branches() {
    let github = |host: &GitHub, head: &BranchName| {
        let checks = json!([{ "context": "legacy" }, { "context": "test" }]);
        let required = json!({
            "type": "required_status_checks",
            "parameters": { "strict_required_status_checks_policy": false, "required_status_checks": checks },
            "ruleset_source_type": "Repository", "ruleset_source": "shop/checkout", "ruleset_id": 1,
        });
        let mut state = host.0.state();
        state.rules.insert("master".to_owned(), vec![required]);
        state.rules.insert(head.to_string(), vec![json!({ "type": "non_fast_forward" })]);
        drop(state);
        host.green(host.tip(GitHub::BRANCHES[0]), GitHub::BRANCHES[0], &["build", "test"]);
    };
    minds::<GitHub>(EXAMPLES[0], Some("master"), github).await;
    let gitea = |host: &Gitea, head: &BranchName| {
        let rule = |branch: &str, checks| Rule {
            branch: branch.to_owned(),
            pushers: vec!["towpath".to_owned()],
            mergers: vec!["towpath".to_owned()],
            checks,
            approvals: 0,
            up_to_date: false,
        };
        let tip = host.tip(Gitea::BRANCHES[0]);
        let mut state = host.0.state();
        // A pattern is nobody's name.
        let checks = ["legacy", "test", "e2e / *"].map(str::to_owned).to_vec();
        state.protect(rule("master", Some(checks)));
        state.protect(rule(head.as_str(), None));
        state.repo.set(head.as_str(), tip);
        drop(state);
        host.green(tip, Gitea::BRANCHES[0], &["build", "test"]);
    };
    minds::<Gitea>(EXAMPLES[1], Some("master"), gitea).await;
    let gitlab = |host: &GitLab, head: &BranchName| {
        let tip = host.tip(GitLab::BRANCHES[0]);
        let mut state = host.0.state();
        state.protect(head.as_str(), &["towpath"], &["towpath"]);
        state.repo.set(head.as_str(), tip);
    };
    minds::<GitLab>(EXAMPLES[2], None, gitlab).await;
}
