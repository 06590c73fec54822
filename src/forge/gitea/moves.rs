//! Moving a branch forward, and what the server's answers to it mean.
//!
//! `PUT /repos/OWNER/NAME/branches/BRANCH` with the commit that the branch must be at (`old_commit_id`): Gitea 1.26 and
//! newer. The server compares that with its own record of the branch, refuses what is no fast-forward, and then makes a
//! `git push --force-with-lease=BRANCH:OLD` to its own repository: its hooks run, so that protections, webhooks and
//! Actions are those of a push.
//!
//! What it answers (`UpdateBranch` in `routers/api/v1/repo/branch.go` and `services/repository/branch.go` of
//! go-gitea/gitea), none of which is believed without the branch:
//!
//! | answer | what it is |
//! |---|---|
//! | 204 | moved, or there already |
//! | 403 | no right to write, a mirror, or what the pre-receive hook said: a protection, a hook of the server, a reference that moved |
//! | 404 | no such branch or repository; where the branch cannot be read either, perhaps a proxy that takes no slash in a name, so git says what is so |
//! | 405 | no such call: a build before it |
//! | 409 | described, and never sent |
//! | 422 `branch commit does not match` | its record is elsewhere: a lost race, or a record that lags behind git |
//! | 422 `Force push … need a confirm force parameter` | not a fast-forward |
//! | 423 | the repository is archived |
//! | 408, 5xx | may have been done; of a 500 with git's words for a reference that moved, a lost race. In production the words of a fault are shown to administrators only |
//!
//! Not here: merging (`merge`), going back (git pushes), and the proof that `to` contains `from`.

use ::http::Method;
use serde::Serialize;
use towpath_core::act::{PUSH_TIMEOUT, PushAnswer};
use towpath_core::model::{BranchName, CommitId};

use super::api::Api;
use super::merge::is_race;
use super::{path, wire};
use crate::forge::RepoPath;
use crate::forge::client::Fault;

/// What the server says where its record of the branch is not at the commit that was named.
const ELSEWHERE: &str = "branch commit does not match";

#[derive(Serialize)]
struct Update {
    new_commit_id: String,
    old_commit_id: String,
    force: bool,
}

/// See `Forge::advance`.
pub(super) async fn advance(
    api: &Api,
    repo: &RepoPath,
    branch: &BranchName,
    from: CommitId,
    to: CommitId,
) -> Option<PushAnswer> {
    if !api.server().await.version.is_some_and(|version| version.moves_branches()) {
        return None;
    }
    let body = Update { new_commit_id: to.to_string(), old_commit_id: from.to_string(), force: false };
    let at = path(repo, &["branches", branch.as_str()]);
    let fault = match api.act_within(PUSH_TIMEOUT, "move", Method::PUT, &at, &body).await {
        Ok(answer) if answer.status == 204 => return Some(PushAnswer::Moved),
        Ok(answer) => {
            return Some(PushAnswer::NoAnswer { words: format!("the forge answered {}", answer.status) });
        }
        Err(fault) => fault,
    };
    let Fault::Said { status, words } = &fault else { return Some(fault.push()) };
    match status {
        405 => None,
        500 if is_race(words) => Some(PushAnswer::LostRace { words: words.clone() }),
        // A proxy's: by then it may have been done.
        408 => Some(PushAnswer::NoAnswer { words: fault.to_string() }),
        500.. => Some(fault.push()),
        _ => {
            let tip = tip(api, repo, branch).await;
            refused(tip, from, *status == 422 && words.contains(ELSEWHERE), fault)
        }
    }
}

/// What a refusal comes to, for which nothing has moved, by where the branch is in git.
fn refused(tip: Option<CommitId>, from: CommitId, elsewhere: bool, fault: Fault) -> Option<PushAnswer> {
    match tip {
        // Neither can be asked of it by that name: a proxy that takes no slash in a part of an address.
        None if fault.status() == Some(404) => None,
        Some(tip) if tip != from => Some(PushAnswer::LostRace { words: fault.to_string() }),
        // Git has it where it has to be: the record lags, and a push brings it up to date.
        Some(_) if elsewhere => None,
        None if elsewhere => Some(PushAnswer::LostRace { words: fault.to_string() }),
        _ => Some(fault.push()),
    }
}

/// Where the branch is, which the server reads from git.
async fn tip(api: &Api, repo: &RepoPath, branch: &BranchName) -> Option<CommitId> {
    let answer = api.get_urgent("branch", &path(repo, &["branches", branch.as_str()])).await.ok()?;
    answer.json::<wire::Branch>().ok()?.commit?.id?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_apart_by_where_the_branch_is() {
        let (from, other) = (CommitId::from_bytes([1; 20]), CommitId::from_bytes([2; 20]));
        for (tip, status, words, is) in [
            (Some(from), 403, "Not allowed to push to protected branch staging", "refused"),
            (Some(from), 403, "", "refused"),
            (Some(other), 403, "", "lost race"),
            (Some(other), 403, "Not allowed to push to protected branch staging", "lost race"),
            (None, 403, "Git Repository is a mirror.", "refused"),
            (None, 404, "The target couldn't be found.", "push"),
            (Some(from), 404, "The target couldn't be found.", "refused"),
            (Some(from), 423, "Repo is archived", "refused"),
            (Some(from), 422, "Force push staging need a confirm force parameter", "refused"),
            (Some(other), 422, "branch commit does not match [expected: 1, given: 2]", "lost race"),
            (None, 422, "branch commit does not match [expected: 1, given: 2]", "lost race"),
            (Some(from), 422, "branch commit does not match [expected: 1, given: 2]", "push"),
            (Some(from), 429, "slow down", "refused"),
        ] {
            let fault = Fault::Said { status, words: words.to_owned() };
            let answer = refused(tip, from, words.contains(ELSEWHERE), fault);
            let word = match &answer {
                None => "push",
                Some(PushAnswer::Refused { .. }) => "refused",
                Some(PushAnswer::LostRace { .. }) => "lost race",
                Some(_) => "other",
            };
            assert_eq!(word, is, "{tip:?} {status} {words}: {answer:?}");
        }
    }
}
