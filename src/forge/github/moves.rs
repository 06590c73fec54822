//! Moving a branch by compare-and-swap, and merging a request: the base moved to the head, or a merge commit pinned to it.
//!
//! `updateRefs` moves the branches of fast-forward edges, too, unless the config says `moves = "push"`. A GitHub without
//! it (an old Enterprise Server, a proxy without GraphQL) says so before anything is done, and git pushes.
//!
//! GitHub's merge button cannot fast-forward: `merge` makes a merge commit always, `rebase` writes the
//! commits anew always. So the base itself is moved, by GraphQL's `updateRefs`, whose `beforeOid` is
//! the only lease that GitHub's API has; GitHub then finds the head in the base and calls the
//! request merged by itself, a little later.
//!
//! Where a rule wants a pull request for every change, the merge button is the way, and a merge commit is made.
//! A classic protection that wants one shows itself by refusing the move; the next look knows.

use http::Method;
use serde_json::json;
use towpath_core::act::{PUSH_TIMEOUT, PushAnswer};
use towpath_core::model::{BranchName, CommitId, Span};

use super::{GitHub, headed, owner_and_name, wire};
use crate::forge::client::{Call, Fault};
use crate::forge::{MergeHow, RepoPath};

/// How often GitHub is asked whether it has noticed a move of the base; with the pauses between, about
/// eight seconds in all.
const NOTICE_TRIES: u32 = 5;

/// What GitHub says where a rule or a protection refuses a move.
const BY_RULE: [&str; 9] = [
    "through a pull request",
    "repository rule violations",
    "protected branch update failed",
    // Of classic protections, as dependabot knows them (<https://github.com/dependabot/dependabot-core/issues/9454>); the
    // last two from memory, and none of them seen from `updateRefs`.
    "not authorized to push",
    "must not contain merge commits",
    "required status check",
    "cannot force-push",
    "verified signatures",
    "approving review is required",
];

/// For how long it is taken for true that a branch changes by pull requests alone.
const LEARNED: Span = Span::from_mins(24 * 60);

/// The repository's id, which `updateRefs` wants.
pub const REPOSITORY_QUERY: &str = "query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name, followRenames: false) { id }
}";

/// Moves branches, all or none, each from exactly where it has to be.
pub const UPDATE_REFS: &str = "mutation ($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}";

impl GitHub {
    pub(super) async fn merge_request(
        &self,
        repo: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
        how: MergeHow,
    ) -> PushAnswer {
        // What was decided on, looked at once more: GitHub has no lease for the base of a merge, and
        // moving the base needs no request at all.
        match self.stands(repo, number, base, onto, head).await {
            Ok(None) => {}
            Ok(Some(words)) => return PushAnswer::LostRace { words },
            Err(fault) => return not_sent(fault),
        }
        match how {
            MergeHow::FastForward => {
                let answer = self.fast_forward(repo, base, onto, head).await;
                match &answer {
                    PushAnswer::Moved => self.until_merged(repo, number).await,
                    // Classic protections and rules are worded alike.
                    PushAnswer::Refused { words } if words.to_lowercase().contains("through a pull request") => {
                        let (of, until) = ((repo.to_string(), base.clone()), self.client.boottime() + LEARNED.ms());
                        let _ = self.by_request_alone.lock().map(|mut all| all.insert(of, until));
                    }
                    _ => {}
                }
                answer
            }
            MergeHow::MergeCommit => self.merge_commit(repo, number, head).await,
            // Not offered by `ways`.
            MergeHow::Push => PushAnswer::Refused { words: "nothing is merged by a push".to_owned() },
        }
    }

    /// Waits a moment for GitHub to notice that the request is merged: seen open, it would be taken for
    /// one that the next promotion may use. That it is not noticed does no harm to what has moved.
    async fn until_merged(&self, repo: &RepoPath, number: u64) {
        let Ok(url) = self.repo_url(repo, &["pulls", &number.to_string()], &[]) else { return };
        let mut pause = self.pause;
        for _ in 0..NOTICE_TRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
            let seen = self.send(&headed(Call::get("request", url.clone())).urgent()).await;
            match seen.and_then(|answer| answer.json::<wire::Pull>()) {
                Ok(pull) if pull.state == "open" => {}
                Ok(_) | Err(_) => return,
            }
        }
        tracing::warn!(%repo, request = number, "GitHub has not yet noticed that the request is merged");
    }

    /// What is no longer as it was decided on, if anything.
    async fn stands(
        &self,
        repo: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
    ) -> Result<Option<String>, Fault> {
        let url = self.repo_url(repo, &["pulls", &number.to_string()], &[])?;
        let pull: wire::Pull = self.send(&headed(Call::get("request", url)).urgent()).await?.json()?;
        if pull.state != "open" || pull.base.branch != base.as_str() {
            return Ok(Some(format!("the request is {} into `{}`", pull.state, pull.base.branch)));
        }
        if pull.head.sha != head.to_string() {
            return Ok(Some(format!("the head of the request is {}", pull.head.sha)));
        }
        // Its page could not merge a draft; moving the base asks nobody.
        if pull.draft == Some(true) {
            return Ok(Some("somebody marked the request as a draft".to_owned()));
        }
        let tip = self.tip(repo, base).await?;
        Ok((tip != onto).then(|| format!("`{base}` is at {tip}")))
    }

    async fn tip(&self, repo: &RepoPath, branch: &BranchName) -> Result<CommitId, Fault> {
        let url = self.repo_url(repo, &["git", "ref", "heads", branch.as_str()], &[])?;
        let found: wire::GitRef = self.send(&headed(Call::get("ref", url)).urgent()).await?.json()?;
        found.object.sha.parse().map_err(|_| Fault::Unreadable { words: "ref: it is at no commit".to_owned() })
    }

    async fn merge_commit(&self, repo: &RepoPath, number: u64, head: CommitId) -> PushAnswer {
        let url = match self.repo_url(repo, &["pulls", &number.to_string(), "merge"], &[]) {
            Ok(url) => url,
            Err(fault) => return fault.push(),
        };
        let body = json!({ "sha": head.to_string(), "merge_method": "merge" });
        match self.act::<wire::Merged>("merge", Method::PUT, url, &body).await {
            Ok(done) if done.merged => PushAnswer::Moved,
            Ok(done) => {
                PushAnswer::NoAnswer { words: format!("GitHub did not say that it merged: {}", done.message) }
            }
            Err(fault) => not_merged(fault),
        }
    }

    /// See `Forge::advance`.
    pub(super) async fn advance_branch(
        &self,
        repo: &RepoPath,
        branch: &BranchName,
        from: CommitId,
        to: CommitId,
    ) -> Option<PushAnswer> {
        match self.swap(repo, branch, from, to).await {
            Ok(answer) => Some(answer),
            Err(NoSwap { words, .. }) => {
                tracing::debug!(%repo, words, "this GitHub has no `updateRefs`; the branch is pushed");
                None
            }
        }
    }

    async fn fast_forward(&self, repo: &RepoPath, base: &BranchName, from: CommitId, to: CommitId) -> PushAnswer {
        self.swap(repo, base, from, to).await.unwrap_or_else(|NoSwap { words, fault }| match fault {
            Some(fault) => not_sent(fault),
            None => {
                PushAnswer::Refused { words: format!("this GitHub cannot move a branch by `updateRefs`: {words}") }
            }
        })
    }

    /// One branch moved by `updateRefs`, without force.
    async fn swap(
        &self,
        repo: &RepoPath,
        base: &BranchName,
        from: CommitId,
        to: CommitId,
    ) -> Result<PushAnswer, NoSwap> {
        let id = match self.repository_id(repo).await {
            Ok(Ok(id)) => id,
            // What GraphQL itself says of the repository stands; whatever else kept it from saying anything (a proxy that
            // lets REST through alone, its allowance) refused nothing: nothing was asked to change yet.
            Ok(Err(fault)) if fault.status().is_some() => return Ok(not_sent(fault)),
            Ok(Err(fault)) => return Err(NoSwap { words: fault.to_string(), fault: Some(fault) }),
            Err(fault) => {
                let not_yet = |fault: Fault| NoSwap { words: fault.to_string(), fault: Some(fault) };
                return Err(no_graphql(fault).map_or_else(|none| none, not_yet));
            }
        };
        let update = json!({
            "name": base.full_ref(),
            "beforeOid": from.to_string(),
            "afterOid": to.to_string(),
            "force": false,
        });
        let body = json!({
            "query": UPDATE_REFS,
            "variables": { "input": { "repositoryId": id, "refUpdates": [update] } },
        });
        // As long as a push may take: hooks of an Enterprise Server run in it.
        let call = headed(Call::act("update-refs", Method::POST, self.graphql.clone(), &body))
            .resource("graphql")
            .within(std::time::Duration::from_millis(PUSH_TIMEOUT.ms().unsigned_abs()));
        let answer = self.send(&call).await.and_then(|answer| answer.json::<wire::Graph<wire::UpdatedRefs>>());
        match answer {
            Ok(graph) if graph.errors.is_empty() => Ok(match graph.data.and_then(|data| data.update_refs) {
                Some(_) => PushAnswer::Moved,
                None => PushAnswer::NoAnswer { words: "GitHub did not say that it moved the branch".to_owned() },
            }),
            Ok(graph) if graph.data.is_none() && graph.errors.iter().any(is_unknown_call) => {
                Err(NoSwap { words: words_of(&graph.errors), fault: None })
            }
            Ok(graph) => Ok(self.refused(repo, base, from, &graph.errors).await),
            Err(fault) => no_graphql(fault).map(Fault::push),
        }
    }

    /// The repository's id, or what GraphQL says of it; the outer fault is one of the call itself.
    async fn repository_id(&self, repo: &RepoPath) -> Result<Result<String, Fault>, Fault> {
        let (owner, name) = match owner_and_name(repo) {
            Ok(parts) => parts,
            Err(fault) => return Ok(Err(fault)),
        };
        let body = json!({ "query": REPOSITORY_QUERY, "variables": { "owner": owner, "name": name } });
        let call = headed(Call::query("repository-id", self.graphql.clone(), &body)).resource("graphql").urgent();
        let graph: wire::Graph<wire::GraphRepository> = self.send(&call).await?.json()?;
        Ok(match graph.data.and_then(|data| data.repository) {
            Some(repository) => Ok(repository.id),
            None => Err(graph_fault(&graph.errors)),
        })
    }

    /// What errors of GraphQL mean, which come with a status of 200. Its types are words and not in
    /// the schema; one without a type is GitHub's own trouble, and may have come after the move.
    async fn refused(
        &self,
        repo: &RepoPath,
        base: &BranchName,
        from: CommitId,
        errors: &[wire::GraphError],
    ) -> PushAnswer {
        let words = words_of(errors);
        // A rule's own words: whatever type they have, the branch has not moved.
        let by_rule = |error: &wire::GraphError| {
            let said = error.message.to_lowercase();
            BY_RULE.iter().any(|words| said.contains(words))
        };
        if !errors.is_empty() && errors.iter().all(by_rule) {
            return PushAnswer::Refused { words };
        }
        if errors.iter().any(|error| error.kind == "RATE_LIMITED") {
            return PushAnswer::NotSent { words };
        }
        if errors.iter().any(|error| error.kind.is_empty() || error.kind == "INTERNAL") {
            return PushAnswer::NoAnswer { words };
        }
        match self.tip(repo, base).await {
            Ok(tip) if tip != from => PushAnswer::LostRace { words },
            _ => PushAnswer::Refused { words },
        }
    }
}

/// This GitHub has no `updateRefs`, or did not get as far: nothing was asked to change.
struct NoSwap {
    /// What it said.
    words: String,
    /// Of one that may have it: what kept it from saying anything.
    fault: Option<Fault>,
}

/// A fault of a call of GraphQL, unless there is no GraphQL at all: an old Enterprise Server, or a proxy that lets REST
/// through alone.
fn no_graphql(fault: Fault) -> Result<Fault, NoSwap> {
    match fault {
        Fault::Said { status: 404 | 405, words } => Err(NoSwap { words, fault: None }),
        fault => Ok(fault),
    }
}

/// Whether the server does not know `updateRefs`. It judges a document whole before it does any of it, so nothing was
/// done (`graphql-ruby`, which GitHub's is, names the rule in `extensions.code`: `FieldsAreDefinedOnType`).
fn is_unknown_call(error: &wire::GraphError) -> bool {
    error.extensions.code == "undefinedField" && error.extensions.field == "updateRefs"
}

pub(super) fn words_of(errors: &[wire::GraphError]) -> String {
    let all: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    let words = towpath_core::text::one_line(&all.join("; "), 300);
    if words.is_empty() { "GitHub said nothing".to_owned() } else { words }
}

/// Why a query of GraphQL has no answer, though it came with a status of 200. Its types are words and not in the schema:
/// that something is not there, or not for us, is for a person to mend; anything else passes.
pub(super) fn graph_fault(errors: &[wire::GraphError]) -> Fault {
    let words = words_of(errors);
    let lasting =
        |error: &wire::GraphError| matches!(error.kind.as_str(), "NOT_FOUND" | "FORBIDDEN" | "INSUFFICIENT_SCOPES");
    if errors.is_empty() || errors.iter().any(lasting) {
        return Fault::Said { status: 404, words };
    }
    Fault::NoAnswer { words }
}

/// What it means that GitHub did not merge. It says "Base branch was modified. Review and try the merge again." not only of
/// that, but also while it still works out whether the request can be merged: then soon is early enough
/// (<https://github.com/cli/cli/issues/12748>).
fn not_merged(fault: Fault) -> PushAnswer {
    match fault {
        Fault::Said { status: 409, .. } => PushAnswer::LostRace { words: fault.to_string() },
        Fault::Said { status: 405, ref words } if words.to_lowercase().contains("try the merge again") => {
            PushAnswer::NotSent { words: fault.to_string() }
        }
        fault => fault.push(),
    }
}

/// A fault before anything was asked to change: nothing was sent, unless GitHub says that it never will.
fn not_sent(fault: Fault) -> PushAnswer {
    match fault.push() {
        PushAnswer::NoAnswer { words } => PushAnswer::NotSent { words },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_graphql_says_of_itself_is_for_a_person_only_where_a_person_can_mend_it() {
        let errors = |all: &[(&str, &str)]| -> Vec<wire::GraphError> {
            let one = |(kind, message): &(&str, &str)| wire::GraphError {
                kind: (*kind).to_owned(),
                message: (*message).to_owned(),
                extensions: wire::GraphExtensions::default(),
            };
            all.iter().map(one).collect()
        };
        for (all, lasts) in [
            (&[("NOT_FOUND", "Could not resolve to a Repository")][..], true),
            (&[("FORBIDDEN", "Resource not accessible by integration")], true),
            (&[("INSUFFICIENT_SCOPES", "Your token has not been granted")], true),
            (&[("", "Something went wrong"), ("NOT_FOUND", "x")], true),
            (&[], true),
            (&[("RATE_LIMITED", "API rate limit exceeded")], false),
            (&[("", "Something went wrong while executing your query.")], false),
            (&[("INTERNAL", "x")], false),
            (&[("RESOURCE_LIMITS_EXCEEDED", "x")], false),
        ] {
            let fault = graph_fault(&errors(all));
            assert_eq!(fault.status() == Some(404), lasts, "{all:?}: {fault}");
            let answer = not_sent(fault);
            assert_eq!(matches!(answer, PushAnswer::Refused { .. }), lasts, "{all:?}: {answer:?}");
            assert_eq!(matches!(answer, PushAnswer::NotSent { .. }), !lasts, "{all:?}: {answer:?}");
        }
    }

    #[test]
    fn a_merge_that_github_still_works_out_is_tried_soon() {
        for (status, words, is) in [
            (405, "Base branch was modified. Review and try the merge again.", "not sent"),
            (405, "Pull Request is not mergeable", "refused"),
            (405, "Merge commits are not allowed on this repository.", "refused"),
            (409, "Head branch was modified. Review and try the merge again.", "lost race"),
            (403, "Resource not accessible by integration", "refused"),
            (502, "Base branch was modified. Review and try the merge again.", "no answer"),
        ] {
            let answer = not_merged(Fault::Said { status, words: words.to_owned() });
            let word = match &answer {
                PushAnswer::NotSent { .. } => "not sent",
                PushAnswer::Refused { .. } => "refused",
                PushAnswer::LostRace { .. } => "lost race",
                PushAnswer::NoAnswer { .. } => "no answer",
                PushAnswer::Moved | PushAnswer::UpToDate => "moved",
            };
            assert_eq!(word, is, "{status} {words}: {answer:?}");
        }
    }
}
