//! Merging a request, and what the server's answers to it mean.
//!
//! The server is always told the head that it may merge (`head_commit_id`), and asked for a
//! fast-forward where it has that merge style and the repository allows it (Gitea 1.22, Forgejo 7),
//! else for a merge commit. Squash and rebase are never asked for. A server that has no such style (it then does not tell
//! of `allow_fast_forward_only_merge`) is not asked to merge what can be pushed, where Towpath may push and the server
//! wants no approvals of its own: the request is closed afterwards. That the base has to be where it was is
//! not something that the server can be told: it is looked at just before, and the branch afterwards.
//!
//! What it answers (`routers/api/v1/repo/pull.go` of go-gitea/gitea), none of which is believed without
//! the branch:
//!
//! | answer | what it is |
//! |---|---|
//! | 200 | merged |
//! | 404 | closed, or not there |
//! | 405 `Please try again later` | still computing whether it can be merged, or conflicts |
//! | 405 words of [`NOT_YET`] | a rule is not met, which may be any moment: asked again soon |
//! | 405 other words | no right to, another rule is not met, merge style switched off |
//! | 405 without words | merged already |
//! | 409 `head out of date`, `merge push out of date` | head or base moved: a lost race |
//! | 409 `PushRejected with remote message: …` | the base's protection, or a hook of the server |
//! | 409 `PushRejected without remote error message` | git's `failed to update ref`, which the server drops: a lost race |
//! | 409 without words | conflicts |
//! | 423 | the repository is archived |
//! | 500 `… failed to update ref …` | a lost race |
//! | 5xx | may have been done; also a fast-forward that was none |

use ::http::Method;
use serde::Serialize;
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId};

use super::api::Api;
use super::{path, wire};
use crate::forge::client::Fault;
use crate::forge::{MergeHow, RepoPath, Ways};

#[derive(Serialize)]
struct Merge {
    #[serde(rename = "Do")]
    style: &'static str,
    head_commit_id: String,
    /// Said, because newer versions do otherwise what the repository's settings say.
    delete_branch_after_merge: bool,
}

/// What git says when a reference was not where it had to be.
const RACES: [&str; 7] = [
    // The words of a hook or a protection stand after this; of a reference that moved there are none.
    "without remote error message",
    "failed to update ref",
    "cannot lock ref",
    "out of date",
    "stale info",
    "non-fast-forward",
    "fetch first",
];

/// What a rule of the base says of a request that lacks what people or CI may give at any moment
/// (`CheckPullBranchProtections` in `services/pull/check.go` and `merge.go`).
const NOT_YET: [&str; 4] = [
    "does not have enough approvals",
    "there are requested changes",
    "there are official review requests",
    "not all required status checks successful",
];

/// What is merged into what.
pub(super) struct Ends<'a> {
    /// The target branch.
    pub base: &'a BranchName,
    /// Where it has to be.
    pub onto: CommitId,
    /// Where the head has to be.
    pub head: CommitId,
}

/// See `Forge::merge`.
pub(super) async fn merge(api: &Api, repo: &RepoPath, number: u64, ends: &Ends<'_>, how: MergeHow) -> PushAnswer {
    match prepared(api, repo, number, ends, how).await {
        Err(answer) => answer,
        Ok(style) => {
            let body = Merge { style, head_commit_id: ends.head.to_string(), delete_branch_after_merge: false };
            let number = number.to_string();
            let at = path(repo, &["pulls", &number, "merge"]);
            match api.act("merge", Method::POST, &at, &body).await {
                Ok(answer) if answer.status == 200 => PushAnswer::Moved,
                // 201: taken for later, which we never ask for.
                Ok(answer) => PushAnswer::NoAnswer { words: format!("the forge answered {}", answer.status) },
                Err(fault) => meaning(fault),
            }
        }
    }
}

/// The merge style, after what can be known before: nothing has been changed where there is none.
async fn prepared(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    ends: &Ends<'_>,
    how: MergeHow,
) -> Result<&'static str, PushAnswer> {
    if let Some(version) = api.server().await.version.filter(|version| !version.pins_heads()) {
        let words = format!("{version} merges whatever the head is by then; Towpath needs Gitea 1.17 or newer");
        return Err(PushAnswer::Refused { words });
    }
    // A read that fails has changed nothing, whatever the fault.
    let not_sent = |fault: Fault| PushAnswer::NotSent { words: fault.to_string() };
    let number = number.to_string();
    let answer = api.get_urgent("request", &path(repo, &["pulls", &number])).await;
    let pull: wire::Pull = answer.and_then(|answer| answer.json()).map_err(not_sent)?;
    if pull.merged == Some(true) {
        return Err(PushAnswer::UpToDate);
    }
    if pull.state != "open" {
        return Err(PushAnswer::Refused { words: format!("the request is {}", pull.state.escape_debug()) });
    }
    if pull.base.reference.as_deref() != Some(ends.base.as_str()) {
        return Err(PushAnswer::Refused { words: "somebody pointed the request at another branch".to_owned() });
    }
    let at = |end: &wire::PullEnd| end.sha.as_deref().and_then(|sha| sha.parse::<CommitId>().ok());
    if at(&pull.head) != Some(ends.head) {
        return Err(PushAnswer::LostRace { words: "the head of the request has moved".to_owned() });
    }
    if at(&pull.base) != Some(ends.onto) {
        return Err(PushAnswer::LostRace { words: "the target has moved".to_owned() });
    }
    let answer = api.get_urgent("repository", &path(repo, &[])).await;
    let settings: wire::Repository = answer.and_then(|answer| answer.json()).map_err(not_sent)?;
    style(how, &settings).ok_or_else(|| PushAnswer::Refused {
        words: "the repository allows no merge that keeps commits".to_owned(),
    })
}

/// See `Forge::ways`.
pub(super) async fn ways(api: &Api, repo: &RepoPath, base: &BranchName) -> Result<Ways, Fault> {
    let settings: wire::Repository = api.get("repository", &path(repo, &[]), &[]).await?.json()?;
    let fast_forward = settings.allow_fast_forward_only_merge == Some(true);
    Ok(Ways {
        fast_forward,
        push: !can_fast_forward(&settings) && may_push(api, repo, base).await?,
        // Absent where we may not see the settings; the server then says what it thinks of it.
        merge_commit: settings.allow_merge_commits != Some(false),
    })
}

/// Whether the server has the merge style at all; whether the repository allows it is another matter, and its
/// administrator's. A server that shows no settings says nothing of it.
fn can_fast_forward(settings: &wire::Repository) -> bool {
    settings.allow_fast_forward_only_merge.is_some() || settings.allow_merge_commits.is_none()
}

/// Whether our user may push to the branch, and goes around no approvals that the server itself wants.
async fn may_push(api: &Api, repo: &RepoPath, base: &BranchName) -> Result<bool, Fault> {
    let answer = api.get("branch", &path(repo, &["branches", base.as_str()]), &[]).await;
    match answer.and_then(|answer| answer.json::<wire::Branch>()) {
        Ok(branch) => Ok(branch.user_can_push == Some(true) && branch.required_approvals.unwrap_or(0) <= 0),
        Err(Fault::Said { status: 404, .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The merge style to ask for, if the repository allows one that keeps the commits as they are.
fn style(how: MergeHow, settings: &wire::Repository) -> Option<&'static str> {
    let fast_forward = settings.allow_fast_forward_only_merge == Some(true);
    // Absent where we may not see the settings; the server then says what it thinks of it.
    let merge_commit = settings.allow_merge_commits != Some(false);
    match how {
        MergeHow::FastForward if fast_forward => Some("fast-forward-only"),
        // Nothing that the server does.
        MergeHow::Push => None,
        MergeHow::FastForward | MergeHow::MergeCommit => merge_commit.then_some("merge"),
    }
}

/// Whether those are git's words for a reference that was not where it had to be.
pub(super) fn is_race(words: &str) -> bool {
    let said = words.to_ascii_lowercase();
    RACES.iter().any(|words| said.contains(words))
}

/// What a refused or unanswered merge comes to; see the module's table.
fn meaning(fault: Fault) -> PushAnswer {
    let Fault::Said { status, words } = &fault else { return fault.push() };
    let said = words.to_ascii_lowercase();
    let race = is_race(words);
    match status {
        405 if said.contains("try again later") => PushAnswer::NotSent {
            words: format!("{words} (the forge is still computing whether it can be merged, or it conflicts)"),
        },
        405 if NOT_YET.iter().any(|lacks| said.contains(lacks)) => PushAnswer::NotSent { words: words.clone() },
        409 | 500 if race => PushAnswer::LostRace { words: words.clone() },
        409 if said == "conflict" => PushAnswer::Refused { words: "the merge conflicts".to_owned() },
        _ => fault.push(),
    }
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_style_is_one_that_keeps_commits_or_none() {
        let of = |how, settings: Value| style(how, &serde_json::from_value(settings).unwrap());
        let (ff, merge) = ("allow_fast_forward_only_merge", "allow_merge_commits");
        use MergeHow::{FastForward, MergeCommit};
        assert_eq!(of(FastForward, json!({ff: true, merge: true})), Some("fast-forward-only"));
        assert_eq!(of(FastForward, json!({ff: false, merge: true})), Some("merge"));
        assert_eq!(of(FastForward, json!({merge: true})), Some("merge"), "an older version");
        assert_eq!(of(FastForward, json!({})), Some("merge"), "settings that we may not see");
        assert_eq!(of(MergeCommit, json!({ff: true, merge: true})), Some("merge"));
        assert_eq!(of(MergeCommit, json!({ff: true, merge: false})), None);
        assert_eq!(of(FastForward, json!({merge: false, "allow_squash_merge": true})), None);
    }

    #[test]
    fn answers_are_told_apart() {
        let word = |status: u16, words: &str| match meaning(Fault::Said { status, words: words.to_owned() }) {
            PushAnswer::Moved => "moved",
            PushAnswer::UpToDate => "up to date",
            PushAnswer::Refused { .. } => "refused",
            PushAnswer::LostRace { .. } => "lost race",
            PushAnswer::NotSent { .. } => "not sent",
            PushAnswer::NoAnswer { .. } => "no answer",
        };
        let table = [
            (404, "The target couldn't be found.", "refused"),
            (405, "Please try again later", "not sent"),
            (405, "User not allowed to merge PR", "refused"),
            (405, "Does not have enough approvals", "not sent"),
            (405, "not ready to be merged: Does not have enough approvals", "not sent"),
            (405, "There are requested changes", "not sent"),
            (405, "There are official review requests", "not sent"),
            (405, "Not all required status checks successful", "not sent"),
            (405, "The head branch is behind the base branch", "refused"),
            (405, "Changed protected files", "refused"),
            (403, "Does not have enough approvals", "refused"),
            (405, "merge is not allowed an allowed merge style for this repository", "refused"),
            (405, "Method Not Allowed", "refused"),
            (409, "head out of date", "lost race"),
            (409, "merge push out of date", "lost race"),
            (409, "PushRejected with remote message: remote: protected branch", "refused"),
            (409, "PushRejected with remote message: failed to update ref", "lost race"),
            (409, "PushRejected without remote error message", "lost race"),
            (409, "Conflict", "refused"),
            (423, "Repo is archived", "refused"),
            (422, "[Do]: Required", "refused"),
            (500, "exit status 1: error: failed to update ref", "lost race"),
            (500, "Internal Server Error", "no answer"),
            (502, "Bad Gateway", "no answer"),
        ];
        for (status, words, expected) in table {
            assert_eq!(word(status, words), expected, "{status} {words}");
        }
        let lost = meaning(Fault::NoAnswer { words: "reset".to_owned() });
        assert!(matches!(lost, PushAnswer::NoAnswer { .. }));
    }
}
