//! What a GitHub of the tests answers about requests.

use serde_json::{Value, json};

use super::answers::{Pulls, Reply, person, pull};
use super::state::{Pull, State};

/// `rest` is what stands behind `/pulls`.
pub fn answer(state: &mut State, with: &Pulls<'_>, rest: &[&str]) -> Reply {
    match (with.call.method, rest) {
        ("GET", []) => list(state, with),
        ("POST", []) => open(state, with),
        (_, [number, rest @ ..]) => match number.parse().ok().filter(|number| state.pulls.contains_key(number)) {
            Some(number) => one(state, with, number, rest),
            None => with.refuses(404, "Not Found"),
        },
        _ => with.refuses(404, "Not Found"),
    }
}

fn list(state: &State, with: &Pulls<'_>) -> Reply {
    let head = with.asked("head").and_then(|head| head.split_once(':').map(|(_, branch)| branch.to_owned()));
    let (base, wanted) = (with.asked("base"), with.asked("state").unwrap_or_else(|| "open".to_owned()));
    let fits = |pull: &&Pull| {
        head.as_ref().is_none_or(|head| pull.head == *head)
            && base.as_ref().is_none_or(|base| pull.base == *base)
            && (wanted == "all" || (wanted == "open") == pull.open)
    };
    let found = state.pulls.values().rev().filter(fits).map(|found| pull(state, found, false)).collect();
    with.page(state, "", found)
}

fn open(state: &mut State, with: &Pulls<'_>) -> Reply {
    let (head, base) = (with.word("head"), with.word("base"));
    let (Some(from), Some(to)) = (state.repo.tip(&head), state.repo.tip(&base)) else {
        return with.refuses(422, "Validation Failed: head or base is invalid");
    };
    if state.pulls.values().any(|pull| pull.open && pull.head == head && pull.base == base) {
        let message = format!("A pull request already exists for {}:{head}.", state.owner);
        let error = json!({ "resource": "PullRequest", "code": "custom", "message": message });
        let body = json!({ "message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.com/rest" });
        return Reply { status: 422, body: Some(body), headers: Vec::new() };
    }
    if state.contains(to, from) {
        return with.refuses(422, &format!("Validation Failed: No commits between {base} and {head}"));
    }
    let number = state.id();
    let made = Pull {
        number,
        head,
        base,
        title: with.word("title"),
        body: with.word("body"),
        by: with.user.to_owned(),
        labels: Vec::new(),
        reviewers: Vec::new(),
        open: true,
        draft: false,
        head_at_end: None,
        merged: None,
        closed_by: None,
    };
    state.pulls.insert(number, made.clone());
    state.events.push("pull_request");
    with.says("", 201, &pull(state, &made, true))
}

fn one(state: &mut State, with: &Pulls<'_>, number: u64, rest: &[&str]) -> Reply {
    match (with.call.method, rest) {
        ("GET", []) => with.says("/{pull_number}", 200, &pull(state, &state.pulls[&number], true)),
        ("PATCH", []) => {
            let (title, body) = (with.word("title"), with.word("body"));
            let had = state.pulls.get_mut(&number).expect("it is there");
            (had.title, had.body) = (title, body);
            with.says("/{pull_number}", 200, &pull(state, &state.pulls[&number], true))
        }
        ("GET", ["reviews"]) => {
            let of = state.reviews.iter().filter(|review| review.pull == number);
            let of = of
                .map(|r| json!({ "id": r.id, "user": person(&r.by), "state": r.state, "commit_id": r.commit.to_string() }))
                .collect();
            with.page(state, "/{pull_number}/reviews", of)
        }
        ("POST", ["requested_reviewers"]) => {
            let names = |key: &str| {
                let all = with.call.body[key].as_array().cloned().unwrap_or_default();
                all.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<String>>()
            };
            let (people, teams) = (names("reviewers"), names("team_reviewers"));
            let known = people.iter().all(|name| state.rights.contains_key(name))
                && teams.iter().all(|name| state.teams.contains_key(name));
            if !known {
                return with.refuses(422, "Reviews may only be requested from collaborators.");
            }
            let had = state.pulls.get_mut(&number).expect("it is there");
            had.reviewers.extend(people.into_iter().chain(teams.into_iter().map(|team| format!("@{team}"))));
            let says = pull(state, &state.pulls[&number], false);
            with.says("/{pull_number}/requested_reviewers", 201, &says)
        }
        ("PUT", ["merge"]) => merge(state, with, number),
        _ => with.refuses(404, "Not Found"),
    }
}

fn merge(state: &mut State, with: &Pulls<'_>, number: u64) -> Reply {
    let had = state.pulls[&number].clone();
    if !had.open {
        return with.refuses(405, "Pull Request is not mergeable");
    }
    if had.draft {
        return with.refuses(405, "Pull Request is still a draft");
    }
    if with.call.body["sha"] != json!(state.head(&had).to_string()) {
        return with.refuses(409, "Head branch was modified. Review and try the merge again.");
    }
    if !state.merge_commits || with.call.body["merge_method"] != json!("merge") {
        return with.refuses(405, "Merge commits are not allowed on this repository.");
    }
    let merged = state.merge(number, with.user);
    let says: Value =
        json!({ "sha": merged.to_string(), "merged": true, "message": "Pull Request successfully merged" });
    with.says("/{pull_number}/merge", 200, &says)
}
