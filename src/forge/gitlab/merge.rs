//! Merging a request, and what GitLab's answers to it mean.
//!
//! GitLab is always told the head that it may merge (`sha`), and told to leave the branch. **Squashing** is a
//! mark of the request that anybody who may edit it can tick, and `squash: false` in the call that merges
//! takes nothing off it: GitLab looks at that word only where it is true (`merge_request.update(squash:
//! params[:squash]) if params[:squash]`, `lib/api/merge_requests.rb`). So the mark (`squash`, and
//! `squash_on_merge`, which is what the project's settings make of it) is read before, taken off by an edit
//! of its own and read again; a request that keeps it is refused. Who ticks it between that read and the merge still
//! gets a squash; it is seen on the branch afterwards.
//!
//! How it merges is a setting of the whole project, not of a request:
//!
//! | `merge_method` | what a merge does | here |
//! |---|---|---|
//! | `merge` | always a merge commit | merge commit |
//! | `rebase_merge` (semi-linear) | a merge commit, if the head contains the target | merge commit; refused by GitLab after the target has one of its own |
//! | `ff` | the target becomes the head, if it contains the target | fast-forward |
//! | any, with `squash_option: always` | a new commit | neither: refused before anything is sent |
//! | another word, or none | not known | neither |
//!
//! `/rebase` is never called: it writes the commits anew. That the target has to be where it was is not
//! something that GitLab can be told: it is looked at just before, and the branch afterwards.
//!
//! Whether it can be merged GitLab computes on its own time; `detailed_merge_status` (15.6) says so, before that
//! `merge_status`. While it computes (`checking`, `unchecked`, `preparing`, `approvals_syncing`), while CI
//! runs (`ci_still_running`) and at words that we do not know nothing is sent, and the next look asks again; other
//! words are the reason of a refusal.
//! <https://docs.gitlab.com/api/merge_requests/#merge-status>
//!
//! What a merge is answered. 405, 406, 409 and 422 are used for each other (#364102), so the words count
//! where they say more, and none of it is believed without the branch:
//!
//! | answer | what it is |
//! |---|---|
//! | 200, `state` is `merged` | merged |
//! | 200 or 202, any other `state` | not known: GitLab may answer so and leave it open (#299188), or merge a moment later |
//! | 400 | refused: a rule of the group (19.2 may want a `sha`, which we send) |
//! | 401, 403 | refused: Towpath's user may not merge there |
//! | 404 | refused: not there, or not to be seen |
//! | 405, 406, 422 | refused: a draft, a failed pipeline, conflicts, merged or closed meanwhile |
//! | 409 `SHA does not match HEAD …` | a lost race: the head moved |
//! | 409 other words | not done: somebody else is merging just now |
//! | 5xx | may have been done |

use ::http::Method;
use serde::Serialize;
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId, Unknown, UnknownWhy};

use super::api::{Api, path};
use super::wire;
use crate::forge::client::Fault;
use crate::forge::{MergeHow, RepoPath, Ways};

#[derive(Serialize)]
struct Merge {
    sha: String,
    should_remove_source_branch: bool,
}

/// What is merged into what.
pub(super) struct Ends<'a> {
    /// The target branch.
    pub base: &'a BranchName,
    /// Where it has to be.
    pub onto: CommitId,
    /// Where the head has to be.
    pub head: CommitId,
}

/// How the project merges, so that commits stay what they are; or why it does not.
pub(super) fn method(project: &wire::Project) -> Result<MergeHow, String> {
    match (project.squash_option.as_deref(), project.merge_method.as_deref()) {
        (Some("always"), _) => {
            Err("the project squashes every merge request (`squash_option: always`): a squash is another commit, \
                 which can never be recognised as the promoted one"
                .to_owned())
        }
        (_, Some("ff")) => Ok(MergeHow::FastForward),
        (_, Some("merge" | "rebase_merge")) => Ok(MergeHow::MergeCommit),
        (_, Some(other)) => Err(format!("the project's merge method `{}` is not known", other.escape_debug())),
        (_, None) => {
            Err("the project does not tell its merge method; the token may not see its settings".to_owned())
        }
    }
}

/// See `Forge::ways`.
pub(super) async fn ways(api: &Api, repo: &RepoPath) -> Result<Ways, Unknown> {
    let project = api.project(repo).await.map_err(Fault::unknown)?;
    if project.merge_method.is_none() {
        let words = method(&project).err().unwrap_or_default();
        return Err(Unknown::lasting(UnknownWhy::Unreadable { words }));
    }
    let how = method(&project).ok();
    Ok(Ways {
        push: false,
        fast_forward: how == Some(MergeHow::FastForward),
        merge_commit: how == Some(MergeHow::MergeCommit),
    })
}

/// See `Forge::merge`.
pub(super) async fn merge(api: &Api, repo: &RepoPath, number: u64, ends: &Ends<'_>, how: MergeHow) -> PushAnswer {
    let number = number.to_string();
    if let Err(answer) = prepared(api, repo, &number, ends, how).await {
        return answer;
    }
    let body = Merge { sha: ends.head.to_string(), should_remove_source_branch: false };
    let at = path(repo, &["merge_requests", &number, "merge"]);
    let answer = match api.act("merge", Method::PUT, &at, &body).await {
        Ok(answer) => answer,
        Err(fault) => return meaning(fault),
    };
    match answer.json::<wire::Request>() {
        Ok(request) if answer.status == 200 && request.state == "merged" => PushAnswer::Moved,
        Ok(request) => {
            let why = request.merge_error.unwrap_or_default();
            let words = format!("{}, and the request is {} {why}", answer.status, request.state.escape_debug());
            PushAnswer::NoAnswer { words: words.trim_end().to_owned() }
        }
        Err(fault) => fault.push(),
    }
}

/// What can be known before: nothing has been changed where it says no.
async fn prepared(
    api: &Api,
    repo: &RepoPath,
    number: &str,
    ends: &Ends<'_>,
    how: MergeHow,
) -> Result<(), PushAnswer> {
    // A read that fails has changed nothing, whatever the fault.
    let not_sent = |fault: Fault| PushAnswer::NotSent { words: fault.to_string() };
    let refused = |words: String| Err(PushAnswer::Refused { words });
    let at = path(repo, &["merge_requests", number]);
    let request: wire::Request = api.get_urgent("request", &at).await.map_err(not_sent)?;
    as_wanted(&request, ends)?;
    let project: wire::Project = api.get_urgent("project", &path(repo, &[])).await.map_err(not_sent)?;
    match method(&project) {
        Ok(is) if is == how => {}
        Ok(_) => return refused("the project's merge method was changed; the next look decides anew".to_owned()),
        Err(words) => return refused(words),
    }
    if squashes(&request) {
        let no = serde_json::json!({ "squash": false });
        api.act("edit-request", Method::PUT, &at, &no).await.map_err(kept_mark)?;
        let request: wire::Request = api.get_urgent("request", &at).await.map_err(not_sent)?;
        as_wanted(&request, ends)?;
        if squashes(&request) {
            return refused(format!(
                "GitLab would squash the request, and left it so when told not to: {MEND_SQUASH}"
            ));
        }
    }
    // The target last: GitLab cannot be told where it has to be.
    let at = path(repo, &["repository", "branches", ends.base.as_str()]);
    let branch: wire::Branch = api.get_urgent("branch", &at).await.map_err(not_sent)?;
    let tip = branch.commit.and_then(|tip| tip.id);
    if commit(tip.as_deref()) != Some(ends.onto) {
        return Err(PushAnswer::LostRace { words: "the target has moved".to_owned() });
    }
    Ok(())
}

/// Who can take a mark off that Towpath cannot, and how.
const MEND_SQUASH: &str = "somebody who may edit it (its author, or a developer) has to edit it and untick \"Squash commits\", or \
                           a maintainer has to set the project's \"Squash commits when merging\" to \"Do not allow\"";

/// Whether a merge would make another commit of it.
fn squashes(request: &wire::Request) -> bool {
    request.squash == Some(true) || request.squash_on_merge == Some(true)
}

/// What it comes to that the mark could not be taken off: nothing was merged.
fn kept_mark(fault: Fault) -> PushAnswer {
    match fault.push() {
        PushAnswer::Refused { words } => {
            let words = format!(
                "the request is marked to be squashed, and Towpath may not change that ({words}): {MEND_SQUASH}"
            );
            PushAnswer::Refused { words }
        }
        PushAnswer::NoAnswer { words } => PushAnswer::NotSent { words },
        other => other,
    }
}

fn commit(text: Option<&str>) -> Option<CommitId> {
    text.and_then(|text| text.parse().ok())
}

/// Whether it is open, goes where it should from where it should, and can be merged.
fn as_wanted(request: &wire::Request, ends: &Ends<'_>) -> Result<(), PushAnswer> {
    let refused = |words: String| Err(PushAnswer::Refused { words });
    match request.state.as_str() {
        "opened" => {}
        "merged" => return Err(PushAnswer::UpToDate),
        "locked" => return Err(PushAnswer::NotSent { words: "somebody is merging it just now".to_owned() }),
        other => return refused(format!("the request is {}", other.escape_debug())),
    }
    if request.target_branch.as_deref() != Some(ends.base.as_str()) {
        return refused("somebody pointed the request at another branch".to_owned());
    }
    if commit(request.sha.as_deref()) != Some(ends.head) {
        return Err(PushAnswer::LostRace { words: "the head of the request has moved".to_owned() });
    }
    mergeable(request)
}

/// Whether GitLab says that it can be merged; see the module's words.
fn mergeable(request: &wire::Request) -> Result<(), PushAnswer> {
    let later = |word: &str| {
        let words = format!("GitLab says `{}`; it is asked again at the next look", word.escape_debug());
        Err(PushAnswer::NotSent { words })
    };
    let refused = |word: &str| {
        Err(PushAnswer::Refused {
            words: format!("GitLab says that it cannot be merged: `{}`", word.escape_debug()),
        })
    };
    match (request.detailed_merge_status.as_deref(), request.merge_status.as_deref()) {
        (Some("mergeable"), _) | (None, Some("can_be_merged")) => Ok(()),
        (
            Some(
                word @ ("conflict"
                | "broken_status"
                | "need_rebase"
                | "not_open"
                | "draft_status"
                | "ci_must_pass"
                | "discussions_not_resolved"
                | "not_approved"
                | "requested_changes"
                | "blocked_status"
                | "merge_request_blocked"
                | "policies_denied"
                | "external_status_checks"
                | "status_checks_must_pass"
                | "jira_association_missing"
                | "security_policy_violations"
                | "security_policy_pipeline_check"
                | "commits_status"
                | "locked_paths"
                | "locked_lfs_files"
                | "merge_time"
                | "title_regex"),
            ),
            _,
        )
        | (None, Some(word @ "cannot_be_merged")) => refused(word),
        (Some(word), _) | (None, Some(word)) => later(word),
        (None, None) => later("nothing"),
    }
}

/// What a refused or unanswered merge comes to; see the module's table.
fn meaning(fault: Fault) -> PushAnswer {
    match &fault {
        Fault::Said { status: 409, words } if words.to_ascii_lowercase().contains("sha does not match") => {
            PushAnswer::LostRace { words: words.clone() }
        }
        Fault::Said { status: 409, words } => PushAnswer::NotSent { words: words.clone() },
        _ => fault.push(),
    }
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn word(answer: &PushAnswer) -> &'static str {
        match answer {
            PushAnswer::Moved => "moved",
            PushAnswer::UpToDate => "up to date",
            PushAnswer::Refused { .. } => "refused",
            PushAnswer::LostRace { .. } => "lost race",
            PushAnswer::NotSent { .. } => "not sent",
            PushAnswer::NoAnswer { .. } => "no answer",
        }
    }

    #[test]
    fn the_method_is_one_that_keeps_commits_or_none() {
        let of = |settings: Value| method(&serde_json::from_value(settings).unwrap()).ok();
        use MergeHow::{FastForward, MergeCommit};
        for (method, how) in [("ff", FastForward), ("merge", MergeCommit), ("rebase_merge", MergeCommit)] {
            for squash in [json!("never"), json!("default_on"), json!("default_off"), json!(null)] {
                assert_eq!(of(json!({"merge_method": method, "squash_option": squash})), Some(how));
            }
            assert_eq!(of(json!({"merge_method": method, "squash_option": "always"})), None);
        }
        assert_eq!(of(json!({"merge_method": "octopus"})), None);
        assert_eq!(of(json!({})), None, "settings that we may not see");
    }

    #[test]
    fn what_is_not_mergeable_is_refused_and_what_is_not_known_is_asked_again() {
        let of = |request: Value| {
            let mut value = json!({"iid": 1, "state": "opened"});
            for (key, is) in request.as_object().unwrap() {
                value[key] = is.clone();
            }
            mergeable(&serde_json::from_value(value).unwrap()).err().map(|answer| word(&answer))
        };
        let detailed = |word: &str| of(json!({"detailed_merge_status": word, "merge_status": "can_be_merged"}));
        assert_eq!(detailed("mergeable"), None);
        for later in ["checking", "unchecked", "preparing", "approvals_syncing", "ci_still_running", "new word"] {
            assert_eq!(detailed(later), Some("not sent"), "{later}");
        }
        for no in ["conflict", "need_rebase", "draft_status", "not_approved", "ci_must_pass", "requested_changes"] {
            assert_eq!(detailed(no), Some("refused"), "{no}");
        }
        let old = |word: &str| of(json!({"merge_status": word}));
        assert_eq!(old("can_be_merged"), None);
        assert_eq!(old("cannot_be_merged"), Some("refused"));
        for later in ["unchecked", "checking", "cannot_be_merged_recheck", "new word"] {
            assert_eq!(old(later), Some("not sent"), "{later}");
        }
        assert_eq!(of(json!({})), Some("not sent"));
    }

    #[test]
    fn answers_are_told_apart() {
        let table = [
            (400, "SHA must be provided when merging", "refused"),
            (401, "401 Unauthorized", "refused"),
            (403, "403 Forbidden", "refused"),
            (404, "404 Not found", "refused"),
            (405, "405 Method Not Allowed", "refused"),
            (406, "Branch cannot be merged", "refused"),
            (409, "SHA does not match HEAD of source branch: 1111", "lost race"),
            (409, "Merge request is locked", "not sent"),
            (422, "Branch cannot be merged", "refused"),
            (500, "500 Internal Server Error", "no answer"),
            (502, "Bad Gateway", "no answer"),
        ];
        for (status, words, expected) in table {
            let fault = Fault::Said { status, words: words.to_owned() };
            assert_eq!(word(&meaning(fault)), expected, "{status} {words}");
        }
        assert_eq!(word(&meaning(Fault::NoAnswer { words: "reset".to_owned() })), "no answer");
    }
}
