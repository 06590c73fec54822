//! The forges of the tests as scenarios are played on them: their people and their machines do there what a file
//! says, as far as the forge has it. How the play goes on is no matter of theirs: `scenario/on_forge.rs`.

use serde_json::json;
use towpath_core::model::{CiState, CommitId, Instant, MergeHow, Span, Ways};

use super::gitea::faults::Fault as Broken;
use super::github::state::Fault;
use super::hosts::{GitHub, GitLab, Gitea, Host};
use crate::scenario::server::Trouble;
use crate::support::book::{Deed, TEAMS};

/// What stands before a title while a request is a draft.
const WIP: &str = "WIP: ";
const DRAFT: &str = "Draft: ";

/// A forge on which scenarios are played.
pub trait Scene: Host {
    /// As the config has it.
    const KIND: &str;
    /// See `Hosting::APART`.
    const APART: Span = Span::ZERO;
    /// What the transcripts of all worlds may say otherwise here: what is left out or said in its place, on both
    /// sides, and why. Everything else has to be the same word for word.
    const OTHERWISE: &[(&str, &str, &str)];

    /// It is that time, and later only when it is said; it merges in these ways; it is called by that address.
    fn set(&self, now: Instant, ways: Ways, url: &str);
    /// The flow has these branches.
    fn has(&self, _branches: &[&str], _ways: Ways) {}
    /// Somebody has an account, if they had none.
    fn knows(&self, name: &str);
    /// Whose commit that is.
    fn wrote(&self, commit: CommitId, name: &str);
    /// The newest request into a branch, and whether it is open, or closed without a merge.
    fn newest(&self, base: &str) -> Option<(u64, bool, bool)>;
    /// What a person does to a request that lets them.
    fn does(&self, number: u64, deed: Deed, by: &str) -> Result<(), String>;
    /// A result of CI, if the forge can tell it as it is.
    fn checked(&self, commit: CommitId, check: &str, state: CiState, on: Option<&str>) -> bool;
    /// The next merge in that way, or the next move of a branch by the forge, meets trouble; no where git moves branches.
    fn trouble(&self, trouble: Trouble, how: Option<MergeHow>) -> bool;
    /// The page of a request.
    fn page(&self, number: u64) -> String;
    /// How the pages of results of CI begin.
    fn results(&self) -> String;
    /// The first lines that the forge has written for the commits that it made.
    fn subjects(&self) -> Vec<String>;
    /// Every exchange was as described, and there were at least so many.
    fn all_good(&self, exchanges: usize);
}

/// Why some words differ on Gitea.
const CLOSER: &str = "the API does not tell who closed a request";

/// The trouble that a call of a merge meets.
const fn broken(trouble: Trouble) -> Broken {
    match trouble {
        Trouble::Refuse => Broken::Status(403, "no"),
        Trouble::LosePush => Broken::Status(502, "Bad Gateway"),
        Trouble::LoseAnswer => Broken::DoneAndDropped,
    }
}

/// As a commit status has it.
const fn status_word(state: CiState) -> &'static str {
    match state {
        CiState::Green => "success",
        CiState::Red => "failure",
        CiState::Running => "pending",
    }
}

/// Everybody who is in a team.
fn members() -> impl Iterator<Item = &'static str> {
    TEAMS.iter().flat_map(|(_, members)| members.iter().copied())
}

/// The title with that mark, or without it.
fn marked(title: &str, mark: &str, draft: bool) -> String {
    let bare = title.trim_start_matches(mark);
    if draft { format!("{mark}{bare}") } else { bare.to_owned() }
}

impl Scene for Gitea {
    const KIND: &str = "gitea";
    const OTHERWISE: &[(&str, &str, &str)] = &[
        ("`marek` closed request", "somebody closed request", CLOSER),
        ("`marek` or whoever may `retry` there can lift it", "whoever may `retry` there can lift it", CLOSER),
    ];

    fn set(&self, now: Instant, ways: Ways, url: &str) {
        let mut state = self.0.state();
        (state.step, state.url) = (0, url.to_owned());
        (state.settings.fast_forward, state.settings.merge_commits) = (Some(ways.fast_forward), ways.merge_commit);
        // Who is in a team is told to its members and to the owners.
        state.teams.push((0, "Owners".to_owned(), vec!["towpath".to_owned()]));
        for (team, members) in TEAMS {
            let id = state.id();
            state.teams.push((id, team.to_owned(), members.iter().map(|name| (*name).to_owned()).collect()));
        }
        state.now = now.0;
        drop(state);
        members().for_each(|name| self.knows(name));
    }

    fn knows(&self, name: &str) {
        let mut state = self.0.state();
        if state.person(name).is_none() {
            state.account(name, "write");
        }
    }

    fn wrote(&self, commit: CommitId, name: &str) {
        self.0.state().authors.insert(commit, Some(name.to_owned()));
    }

    fn newest(&self, base: &str) -> Option<(u64, bool, bool)> {
        let mut state = self.0.state();
        state.notice();
        let pull = state.pulls.iter().rev().find(|pull| pull.base == base)?;
        Some((pull.number, !pull.closed, pull.closed && pull.merged.is_none()))
    }

    fn does(&self, number: u64, deed: Deed, by: &str) -> Result<(), String> {
        let mut state = self.0.state();
        match deed {
            Deed::Approve => {
                state.review(by, number, "APPROVED");
            }
            Deed::Object => {
                state.review(by, number, "REQUEST_CHANGES");
            }
            Deed::Close => state.close(number),
            Deed::Reopen => state.reopen(number),
            Deed::Draft | Deed::Ready => {
                let title = marked(&state.pull(number).title, WIP, deed == Deed::Draft);
                state.pull(number).title = title;
            }
            Deed::Merge | Deed::Squash => {
                let style = if deed == Deed::Merge { "merge" } else { "squash" };
                state.merge(by, number, style)?;
            }
        }
        Ok(())
    }

    /// Its statuses bear no branch.
    fn checked(&self, commit: CommitId, check: &str, state: CiState, on: Option<&str>) -> bool {
        if on.is_none() {
            self.0.state().report(Some("ana"), commit, check, status_word(state));
        }
        on.is_none()
    }

    fn trouble(&self, trouble: Trouble, how: Option<MergeHow>) -> bool {
        if how.is_some() {
            self.0.faults.plan("/merge", broken(trouble), 1);
        }
        how.is_some()
    }

    fn page(&self, number: u64) -> String {
        format!("{}/{}/pulls/{number}", self.0.state().url, Self::PATH)
    }

    /// Statuses have the page that was said with them, and ours have none.
    fn results(&self) -> String {
        format!("{}/{}/actions/", self.0.state().url, Self::PATH)
    }

    fn subjects(&self) -> Vec<String> {
        let state = self.0.state();
        let merged = state.pulls.iter().filter(|pull| pull.merged.is_some());
        merged.map(|pull| format!("{} (#{})", pull.title, pull.number)).collect()
    }

    fn all_good(&self, exchanges: usize) {
        self.0.watch.assert_good(exchanges);
    }
}

impl Scene for GitHub {
    const KIND: &str = "github";
    const OTHERWISE: &[(&str, &str, &str)] = &[];

    fn set(&self, now: Instant, ways: Ways, _: &str) {
        let mut state = self.0.state();
        (state.now, state.merge_commits) = (now.0, ways.merge_commit);
        state.teams = TEAMS
            .iter()
            .map(|(team, members)| ((*team).to_owned(), members.iter().map(|name| (*name).to_owned()).collect()))
            .collect();
    }

    /// Without a fast-forward every change wants a pull request.
    fn has(&self, branches: &[&str], ways: Ways) {
        let rules = if ways.fast_forward { Vec::new() } else { vec![json!({ "type": "pull_request" })] };
        let all = branches.iter().map(|branch| ((*branch).to_owned(), rules.clone())).collect();
        self.0.state().rules = all;
    }

    fn knows(&self, name: &str) {
        self.0.state().rights.entry(name.to_owned()).or_insert_with(|| "write".to_owned());
    }

    fn wrote(&self, commit: CommitId, name: &str) {
        self.0.state().authors.insert(commit, vec![Some(name.to_owned())]);
    }

    fn newest(&self, base: &str) -> Option<(u64, bool, bool)> {
        let mut state = self.0.state();
        state.notice();
        let pull = state.pulls.values().rev().find(|pull| pull.base == base)?;
        Some((pull.number, pull.open, !pull.open && pull.merged.is_none()))
    }

    fn does(&self, number: u64, deed: Deed, by: &str) -> Result<(), String> {
        let mut state = self.0.state();
        match deed {
            Deed::Approve => state.review(number, by, "APPROVED"),
            Deed::Object => state.review(number, by, "CHANGES_REQUESTED"),
            Deed::Close => state.close(number, by),
            Deed::Reopen => state.reopen(number),
            Deed::Draft | Deed::Ready => state.drafted(number, deed == Deed::Draft),
            Deed::Merge => {
                state.merge(number, by);
            }
            Deed::Squash => {
                state.squash(number, by);
            }
        }
        Ok(())
    }

    /// A status of no branch, or a check run on one.
    fn checked(&self, commit: CommitId, check: &str, result: CiState, on: Option<&str>) -> bool {
        let mut state = self.0.state();
        let word = status_word(result);
        match on {
            Some(on) => {
                let ended = Some(word).filter(|_| result != CiState::Running);
                let suite = state.suite(commit, Some(on), ended);
                state.run(suite, check, ended);
            }
            None => state.status(commit, check, word, "ana"),
        }
        true
    }

    fn trouble(&self, trouble: Trouble, how: Option<MergeHow>) -> bool {
        let fault = match trouble {
            Trouble::Refuse if how.is_none() => {
                // As git says it, whose words the transcripts have.
                let error = json!({ "type": "UNPROCESSABLE", "message": "pre-receive hook declined" });
                Fault::Say(200, Vec::new(), json!({ "data": { "updateRefs": null }, "errors": [error] }))
            }
            Trouble::Refuse => Fault::Say(403, Vec::new(), json!({ "message": "no" })),
            Trouble::LosePush => Fault::LoseRequest,
            Trouble::LoseAnswer => Fault::LoseAnswer,
        };
        let by_button = how.is_some_and(|how| how != MergeHow::FastForward);
        self.0.fault(if by_button { "/merge" } else { "updateRefs" }, fault);
        true
    }

    fn page(&self, number: u64) -> String {
        format!("https://github.test/pull/{number}")
    }

    fn results(&self) -> String {
        "https://github.test/runs/".to_owned()
    }

    fn subjects(&self) -> Vec<String> {
        let state = self.0.state();
        let merged = state.pulls.values().filter(|pull| pull.merged.is_some());
        merged.map(|pull| state.subject_of(pull)).collect()
    }

    fn all_good(&self, exchanges: usize) {
        self.0.assert_good(exchanges, 0);
    }
}

impl Scene for GitLab {
    const KIND: &str = "gitlab";
    const OTHERWISE: &[(&str, &str, &str)] = &[
        (" on `develop`", "", "every pipeline is of a branch: a result of no branch is told of the first one"),
        (
            "it was given for another head of the request",
            "the forge does not say for which head it was given",
            "an approval is bound by its time alone, and an older one may have been for anything",
        ),
    ];
    /// It tells by the time alone what an approval was given for, and its answers bear whole seconds.
    const APART: Span = Span::from_secs(2);

    fn set(&self, now: Instant, ways: Ways, url: &str) {
        let mut state = self.0.state();
        (state.step, state.url) = (0, url.to_owned());
        state.settings.method = if ways.fast_forward { "ff" } else { "merge" };
        let top = Self::PATH.split('/').next().unwrap_or_default();
        for (team, members) in TEAMS {
            let members = members.iter().map(|name| ((*name).to_owned(), 30, "active")).collect();
            state.groups.insert(format!("{top}/{team}"), members);
        }
        state.now = now.0;
        drop(state);
        members().for_each(|name| self.knows(name));
    }

    fn knows(&self, name: &str) {
        let mut state = self.0.state();
        if state.person(name).is_none() {
            state.account(name, 30);
        }
    }

    fn wrote(&self, commit: CommitId, name: &str) {
        self.0.state().authors.insert(commit, name.to_owned());
    }

    fn newest(&self, base: &str) -> Option<(u64, bool, bool)> {
        let mut state = self.0.state();
        state.notice();
        let request = state.requests.iter().rev().find(|request| request.target == base)?;
        Some((request.iid, request.state == "opened", request.state == "closed"))
    }

    /// Who has approved before takes it back first: a second approval is none.
    fn does(&self, number: u64, deed: Deed, by: &str) -> Result<(), String> {
        let mut state = self.0.state();
        let approved = state.request(number).approvals.iter().any(|(name, _)| name == by);
        match deed {
            Deed::Approve | Deed::Object => {
                if approved {
                    state.unapprove(by, number);
                }
                if deed == Deed::Object {
                    state.review(by, number, "requested_changes");
                } else {
                    state.approve(by, number);
                    // `app/services/merge_requests/approval_service.rb` puts the reviewer's word right.
                    state.review(by, number, "approved");
                }
            }
            Deed::Close => state.close(by, number),
            Deed::Reopen => state.reopen(number),
            Deed::Draft | Deed::Ready => {
                let title = marked(&state.request(number).title, DRAFT, deed == Deed::Draft);
                state.request(number).title = title;
            }
            Deed::Merge | Deed::Squash => return state.merge(by, number, deed == Deed::Squash).map(|_| ()),
        }
        Ok(())
    }

    /// Its pipelines are always of a branch; without one, of the first.
    fn checked(&self, commit: CommitId, check: &str, result: CiState, on: Option<&str>) -> bool {
        let word = match result {
            CiState::Green => "success",
            CiState::Red => "failed",
            CiState::Running => "running",
        };
        let mut state = self.0.state();
        let on = on.unwrap_or("develop");
        let had = state.pipelines.iter().rev().find(|p| p.sha == commit && p.on == on && p.source == "push");
        let pipeline = match had.map(|pipeline| pipeline.id) {
            Some(id) => id,
            None => state.pipeline("push", commit, on, "created"),
        };
        state.job(pipeline, check, word, false);
        true
    }

    fn trouble(&self, trouble: Trouble, how: Option<MergeHow>) -> bool {
        let newest = self.numbers().last().map_or(0, |(number, _)| *number);
        if how.is_some() {
            self.0.faults.plan(&format!("/{newest}/merge"), broken(trouble), 1);
        }
        how.is_some()
    }

    fn page(&self, number: u64) -> String {
        format!("{}/{}/-/merge_requests/{number}", self.0.state().url, Self::PATH)
    }

    fn results(&self) -> String {
        format!("{}/{}/-/jobs/", self.0.state().url, Self::PATH)
    }

    fn subjects(&self) -> Vec<String> {
        let state = self.0.state();
        let merged = state.requests.iter().filter(|request| request.state == "merged");
        merged.map(|request| format!("Merge branch '{}' into '{}'", request.source, request.target)).collect()
    }

    fn all_good(&self, exchanges: usize) {
        self.0.watch.assert_good(exchanges);
    }
}
