//! What concerns several keys, environments or flows at once.

use std::collections::BTreeMap;

use towpath_core::model::{
    Checks, Environment, Gate, GateKind, MigrationsGate, REQUEST_BRANCHES, Via, request_branch,
};

use towpath_core::people::{Identity, People};

use super::gates;
use super::merge::MergedEnvironment;
use super::names;
use super::problem::{Problem, shown};
use super::resolve::{Draft, EnvSpans};
use super::{Forge, ForgeKind};

/// The rules for one environment at its place in the flow.
pub(super) fn environment(at: usize, env: &MergedEnvironment<'_>, problems: &mut Vec<Problem>) {
    if at == 0 {
        for set in env.gates.values() {
            let what = format!(
                "`{}` is the first environment: nothing enters it by Towpath, so it has no gates",
                env.name
            );
            let hint = format!("move {} to the environment that the commits are to enter", gates::listed(env));
            problems.push(Problem::error(set.key_span.clone(), "flow.environment.gates", what).hint(hint));
        }
    }
    let Some(database) = env.keys.get("database") else { return };
    let at_key = database.key_span.clone();
    if at == 0 {
        let what = format!(
            "`database` on the first environment, `{}`, guards nothing: it only says whose code runs on the database",
            env.name
        );
        let problem = Problem::warning(at_key, "flow.environment.database", what);
        problems.push(problem.hint("this is allowed; remove it if it was meant as a check"));
    } else if !env.gates.contains_key("migrations") {
        let what = format!(
            "`{}` has a `database` but no `gates.migrations`, so nothing would check what enters it",
            env.name
        );
        let problem = Problem::error(at_key, "flow.environment.database", what);
        problems.push(problem.hint("add `gates.migrations = true`, or remove `database`"));
    }
}

/// The rules for all flows together.
pub(super) fn judge(
    drafts: &[Draft],
    forges: &BTreeMap<String, Forge>,
    people: &People,
    problems: &mut Vec<Problem>,
) {
    for draft in drafts {
        enough_environments(draft, problems);
        branches_within(draft, problems);
        one_reading(draft, problems);
        own_branches(draft, problems);
        let kind = draft.config.forge.as_ref().and_then(|name| forges.get(name)).map_or(ForgeKind::Git, |f| f.kind);
        for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments).skip(1) {
            needs_a_forge(kind, env, spans, problems);
            approvers(env, spans, people, problems);
        }
    }
    request_branches(drafts, problems);
    flow_names(drafts, problems);
    flow_against_environment(drafts, problems);
    targets(drafts, problems);
}

fn name(draft: &Draft) -> &str {
    draft.config.flow.name.as_str()
}

/// The flow as it stands in a sentence, also while its name is not known.
fn called(draft: &Draft) -> String {
    if name(draft).is_empty() { "this flow".to_owned() } else { format!("the flow `{}`", shown(name(draft))) }
}

/// What is brought to a database is brought to all who use it, so it is read in one way.
fn one_reading(draft: &Draft, problems: &mut Vec<Problem>) {
    let gate = |env: &Environment| match env.gate(GateKind::Migrations) {
        Some(Gate::Migrations(gate)) => Some((env.database.clone()?, gate.clone())),
        _ => None,
    };
    let mut first = BTreeMap::new();
    for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments) {
        let Some((database, gate)) = gate(env) else { continue };
        let (other, known) = first.entry(database).or_insert_with(|| (env.name.clone(), gate.clone()));
        // What is done about a finding may differ; what is found may not.
        if *known != (MigrationsGate { review: known.review, ..gate }) {
            let what = format!(
                "`{}` and `{other}` share a database, and their `gates.migrations` read its migrations differently",
                env.name
            );
            let problem = Problem::error(spans.name.clone(), "flow.environment.gates.migrations", what);
            problems.push(problem.hint("write the same `framework`, `dialect`, `schema` and `paths` in both"));
        }
    }
}

/// What only a forge can do or tell.
fn needs_a_forge(kind: ForgeKind, env: &Environment, spans: &EnvSpans, problems: &mut Vec<Problem>) {
    if kind.is_forge() {
        return;
    }
    let mut refuse = |key: &str, what: &str, hint: &str| {
        let what = format!("`{}`: {what}, and this repository is on a plain git remote", env.name);
        problems.push(Problem::error(spans.name.clone(), key, what).hint(hint));
    };
    if env.via == Via::MergeRequest {
        refuse(
            "flow.environment.via",
            "`via = \"merge-request\"` needs a forge",
            "name the repository by a `[forge.X]` of another kind; or leave `via` out: with `gates.approvals` people approve by `towpath approve` before a fast-forward",
        );
    }
    if matches!(env.gate(GateKind::Ci), Some(Gate::Ci(ci)) if ci.checks == Checks::Required) {
        refuse(
            "flow.environment.gates.ci.checks",
            "only a forge can say which checks are required",
            "name the checks, as in `checks = [\"build\", \"test\"]`, or write `checks = \"all\"`",
        );
    }
}

/// Names in `from` are those of the place where people approve.
fn approvers(env: &Environment, spans: &EnvSpans, people: &People, problems: &mut Vec<Problem>) {
    let Some(Gate::Approvals(gate)) = env.gate(GateKind::Approvals) else { return };
    let identity = |name: &&String| name.parse::<Identity>().is_ok();
    let person = |name: &&String| people.cards().iter().any(|card| card.name == **name);
    let (what, hint) = match env.via {
        Via::FastForward => match gate.from.iter().find(|name| !identity(name) && !person(name)) {
            Some(name) => (
                format!("`{}`: `{}` is no name under which `towpath approve` is recorded", env.name, shown(name)),
                "name people as their commands are recorded: by their `[people.NAME]`, or as in `\"os:ana@build1\"`",
            ),
            None => return,
        },
        Via::MergeRequest => match gate.from.iter().find(identity) {
            Some(name) => (
                format!("`{}`: requests are approved on the forge, where there is no `{}`", env.name, shown(name)),
                "name people by their logins and teams with an `@`, as in `\"@release\"`",
            ),
            None => return,
        },
    };
    let key = "flow.environment.gates.approvals.from";
    problems.push(Problem::error(spans.name.clone(), key, what).hint(hint));
}

/// In one repository no request branch may be a path prefix of another: git has files and folders.
fn request_branches(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let mut seen: Vec<(&str, String, &Draft)> = Vec::new();
    for draft in drafts.iter().filter(|draft| !draft.identity.is_empty()) {
        let by_request = |(env, _): &(&Environment, &EnvSpans)| env.via == Via::MergeRequest;
        let environments = draft.config.flow.environments.iter().zip(&draft.environments).skip(1);
        for (env, spans) in environments.filter(by_request) {
            let branch = request_branch(&draft.config.flow.name, &env.name).to_string();
            let under = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            let clash = seen.iter().find(|(identity, other, _)| {
                *identity == draft.identity && (*other == branch || under(other, &branch) || under(&branch, other))
            });
            if let Some((_, other, _)) = clash {
                let what = if *other == branch {
                    format!("its request branch would be `{}`, which another environment has", shown(&branch))
                } else {
                    let (branch, other) = (shown(&branch), shown(other));
                    format!(
                        "its request branch `{branch}` and `{other}` cannot both exist: one is a folder of the other"
                    )
                };
                let problem = Problem::error(spans.name.clone(), "flow.environment.name", what);
                problems.push(problem.hint("give the flow or the environment another name"));
            }
            seen.push((&draft.identity, branch, draft));
        }
    }
}

fn enough_environments(draft: &Draft, problems: &mut Vec<Problem>) {
    let count = draft.config.flow.environments.len();
    if count < 2 {
        let has = if count == 0 { "no environment" } else { "one environment" };
        let problem = Problem::error(
            draft.header.clone(),
            "flow.environment",
            format!("{} has {has}, and commits move from one to another", called(draft)),
        );
        problems.push(problem.hint("add at least two `[[flow.environment]]`, in the order in which commits move"));
    }
}

fn branches_within(draft: &Draft, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments) {
        if let Some(first) = seen.insert(env.branch.as_str(), env.name.as_str()) {
            let what =
                format!("`{first}` and `{}` are on the same branch, `{}`", env.name, shown(env.branch.as_str()));
            let problem = Problem::error(spans.branch.clone(), "flow.environment.branch", what);
            problems.push(problem.hint("give each environment a branch of its own"));
        }
    }
}

/// Branches under `towpath/` are Towpath's own: it puts them where a request wants them, whoever is there.
fn own_branches(draft: &Draft, problems: &mut Vec<Problem>) {
    for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments) {
        if env.branch.as_str().starts_with(REQUEST_BRANCHES) {
            let what = format!(
                "`{}` is under `{REQUEST_BRANCHES}`, where Towpath moves the branches of requests",
                shown(env.branch.as_str())
            );
            let problem = Problem::error(spans.branch.clone(), "flow.environment.branch", what);
            problems.push(problem.hint("give the environment's branch another name"));
        }
    }
}

fn flow_names(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for draft in drafts.iter().filter(|d| !name(d).is_empty()) {
        let line = draft.config.line;
        if let Some(first) = seen.insert(name(draft), line) {
            let what = format!("two flows are called `{}`; the first is on line {first}", shown(name(draft)));
            let problem = Problem::error(draft.name.clone(), "flow.name", what);
            problems.push(problem.hint("give one of them another `name`"));
        }
    }
}

/// One word must say which of the two is meant.
fn flow_against_environment(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let flows: BTreeMap<&str, usize> = drafts.iter().map(|d| (name(d), d.config.line)).collect();
    for draft in drafts {
        for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments) {
            if let Some(line) = flows.get(env.name.as_str()) {
                let what = format!("a flow (line {line}) and an environment are both called `{}`", env.name);
                let problem = Problem::error(spans.name.clone(), "flow.environment.name", what);
                problems.push(problem.hint("rename one of them: commands take a single word for either"));
            }
        }
    }
}

/// In one repository a branch is the target of one edge.
fn targets(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<(&str, &str), (&Draft, &str)> = BTreeMap::new();
    for draft in drafts.iter().filter(|d| d.repository.is_some() && !d.identity.is_empty()) {
        for (env, spans) in draft.config.flow.environments.iter().zip(&draft.environments).skip(1) {
            let key = (draft.identity.as_str(), env.branch.as_str());
            let Some((other, other_env)) = seen.insert(key, (draft, env.name.as_str())) else { continue };
            if std::ptr::eq(other, draft) || names::branch_fault(env.branch.as_str()).is_some() {
                continue;
            }
            let what = format!(
                "the branch `{}` of this repository is moved by two flows: as `{other_env}` of `{}` and as `{}` of `{}`",
                shown(env.branch.as_str()),
                shown(name(other)),
                env.name,
                shown(name(draft)),
            );
            let problem = Problem::error(spans.branch.clone(), "flow.environment.branch", what);
            problems.push(problem.hint("let one flow move it"));
        }
    }
}
