//! What people say: reviews, and who is in a team.

use std::collections::BTreeMap;

use serde_json::json;
use towpath_core::model::{Actor, AuthorLogins, CommitId};

use super::moves::graph_fault;
use super::{GitHub, PER_PAGE, headed, owner_and_name, wire};
use crate::forge::client::{Call, Fault};
use crate::forge::{ApprovalSeen, HeadBound, RepoPath};

/// Of how many commits the authors are asked for; those of more count as not known.
const AUTHORS_MAX: usize = 2_000;

/// How many commits one query asks for.
const AUTHORS_AT_ONCE: usize = 100;

/// What GitHub itself calls an account that is gone.
const GHOST: &str = "ghost";

/// What stands of a request's reviews.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) approvals: Vec<ApprovalSeen>,
    /// Whose, and whether it is an App's.
    pub(super) objections: Vec<(String, bool)>,
}

impl GitHub {
    /// The newest word of each person. On a public repository anybody may approve or object; as on
    /// GitHub's own count, only those count who may write. An objection stands where that cannot be told:
    /// of an account that is gone, of an App, which GitHub lists as no collaborator, and of whoever it does not know.
    pub(super) async fn reviews_of(
        &self,
        repo: &RepoPath,
        number: u64,
    ) -> Result<(Vec<ApprovalSeen>, Vec<String>), Fault> {
        let parts = ["pulls", &number.to_string(), "reviews"];
        let url = self.repo_url(repo, &parts, &[("per_page", &PER_PAGE.to_string())])?;
        let said = newest(self.list("reviews", url).await?);
        let (mut approvals, mut objections) = (Vec::new(), Vec::new());
        for approval in said.approvals {
            if self.may_write(repo, &approval.by).await? == Some(true) {
                approvals.push(approval);
            }
        }
        for (login, is_app) in said.objections {
            if is_app || login == GHOST || self.may_write(repo, &login).await? != Some(false) {
                objections.push(login);
            }
        }
        Ok((approvals, objections))
    }

    /// None of an account that is none of a person here.
    async fn may_write(&self, repo: &RepoPath, login: &str) -> Result<Option<bool>, Fault> {
        let url = self.repo_url(repo, &["collaborators", login, "permission"], &[])?;
        match self.get::<wire::Permission>("permission", url).await {
            Ok(found) => Ok(Some(matches!(found.permission.as_str(), "admin" | "write"))),
            Err(Fault::Said { status: 404, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Whose accounts the authors of these commits have, those of `Co-authored-by` too.
    pub(super) async fn authors_of(&self, repo: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Fault> {
        let mut found = AuthorLogins { unlinked: commits.len() > AUTHORS_MAX, ..AuthorLogins::default() };
        for some in commits[..commits.len().min(AUTHORS_MAX)].chunks(AUTHORS_AT_ONCE) {
            for commit in self.authors_of_some(repo, some).await? {
                // A commit that GitHub does not have may be anybody's.
                found.unlinked |=
                    commit.as_ref().is_none_or(|commit| commit.authors.total_count > commit.authors.nodes.len());
                for author in commit.into_iter().flat_map(|commit| commit.authors.nodes) {
                    match author.user {
                        Some(user) => drop(found.logins.insert(Actor::new(user.login))),
                        None => found.unlinked = true,
                    }
                }
            }
        }
        Ok(found)
    }

    /// See `Forge::author`. "The git author will always be first" of `authors`, and others are told apart by address.
    /// <https://docs.github.com/en/graphql/reference/objects#commit>
    pub(super) async fn author_of(
        &self,
        repo: &RepoPath,
        commit: CommitId,
        co_author: Option<&str>,
    ) -> Result<Option<String>, Fault> {
        let told = self.authors_of_some(repo, &[commit]).await?.into_iter().flatten();
        let mut nodes = told.flat_map(|commit| commit.authors.nodes);
        let found = match co_author {
            None => nodes.next(),
            Some(address) => nodes
                .find(|node| node.email.as_deref().is_some_and(|email| email.trim().eq_ignore_ascii_case(address))),
        };
        Ok(found.and_then(|node| node.user).map(|user| user.login))
    }

    async fn authors_of_some(
        &self,
        repo: &RepoPath,
        commits: &[CommitId],
    ) -> Result<Vec<Option<wire::GraphCommit>>, Fault> {
        let (owner, name) = owner_and_name(repo)?;
        let body = json!({ "query": authors_query(commits), "variables": { "owner": owner, "name": name } });
        let call = headed(Call::query("authors", self.graphql.clone(), &body)).resource("graphql");
        let graph: wire::Graph<wire::GraphCommits> = self.send(&call).await?.json()?;
        // Half an answer beside an error says of nobody that they are no author.
        match graph.data.and_then(|data| data.repository).filter(|_| graph.errors.is_empty()) {
            Some(mut found) => Ok((0..commits.len()).map(|at| found.remove(&format!("c{at}")).flatten()).collect()),
            None => Err(graph_fault(&graph.errors)),
        }
    }

    /// The members of a team, of those below it too. `team` is `name`, of the repository's owner, or
    /// `organisation/name`; GitHub's URLs have its slug.
    pub(super) async fn members_of(&self, repo: &RepoPath, team: &str) -> Result<Vec<String>, Fault> {
        let (owner, _) = owner_and_name(repo)?;
        let (org, slug) = team.split_once('/').unwrap_or((owner, team));
        let url = self
            .url(&["orgs", org, "teams", &slug.to_lowercase(), "members"], &[("per_page", &PER_PAGE.to_string())]);
        let members: Vec<wire::User> = self.list("members", url).await?;
        Ok(members.into_iter().map(|user| user.login).collect())
    }
}

/// Folds reviews to what stands. A comment takes nothing back; a dismissal changes the word of the
/// review itself. A word that is not known takes an approval back, and is none.
fn newest(mut reviews: Vec<wire::Review>) -> Said {
    reviews.sort_by_key(|review| review.id);
    let mut last: BTreeMap<String, wire::Review> = BTreeMap::new();
    for review in reviews {
        if matches!(review.state.as_str(), "COMMENTED" | "PENDING") {
            continue;
        }
        // Of accounts that are gone nobody can tell one from another.
        let who = review.user.as_ref().map_or_else(|| format!(" gone {}", review.id), |user| user.login.clone());
        last.insert(who, review);
    }
    let mut said = Said::default();
    for review in last.into_values() {
        let user = review.user.as_ref();
        match (review.state.as_str(), user) {
            // A bot's word is no person's.
            ("APPROVED", Some(user)) if user.kind != "Bot" => said.approvals.push(ApprovalSeen {
                by: user.login.clone(),
                email: None,
                head: bound(review.commit_id.as_deref()),
            }),
            ("CHANGES_REQUESTED", user) => {
                let is_app = user.is_some_and(|user| user.kind == "Bot");
                said.objections.push((user.map_or_else(|| GHOST.to_owned(), |user| user.login.clone()), is_app));
            }
            _ => {}
        }
    }
    said
}

/// Asks for the authors of each of these commits under `c0`, `c1` and so on.
pub fn authors_query(commits: &[CommitId]) -> String {
    let one = |(at, commit): (usize, &CommitId)| {
        format!(
            "    c{at}: object(oid: \"{commit}\") {{ ... on Commit {{ authors(first: 20) {{ totalCount nodes {{ email user {{ login }} }} }} }} }}\n"
        )
    };
    let objects: String = commits.iter().enumerate().map(one).collect();
    format!(
        "query ($owner: String!, $name: String!) {{\n  repository(owner: $owner, name: $name, followRenames: false) {{\n{objects}  }}\n}}"
    )
}

fn bound(commit: Option<&str>) -> HeadBound {
    commit.and_then(|sha| sha.parse::<CommitId>().ok()).map_or(HeadBound::Unbound, HeadBound::Commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "1111111111111111111111111111111111111111";

    fn said(reviews: &[(u64, Option<&str>, &str)]) -> (Vec<String>, Vec<String>) {
        let review = |(id, login, state): &(u64, Option<&str>, &str)| wire::Review {
            id: *id,
            user: login.map(|login| {
                let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
                wire::User { login: login.to_owned(), kind: kind.to_owned() }
            }),
            state: (*state).to_owned(),
            commit_id: Some(HEAD.to_owned()),
        };
        let said = newest(reviews.iter().map(review).collect());
        assert!(said.approvals.iter().all(|a| a.head == HeadBound::Commit(HEAD.parse().expect("an id"))));
        (
            said.approvals.into_iter().map(|a| a.by).collect(),
            said.objections.into_iter().map(|(by, _)| by).collect(),
        )
    }

    #[test]
    fn the_newest_word_of_each_person_stands() {
        let none: [&str; 0] = [];
        let is = |reviews: &[(u64, Option<&str>, &str)], approvals: &[&str], objections: &[&str]| {
            let (a, o) = said(reviews);
            assert_eq!(
                (a, o),
                (
                    approvals.iter().map(|s| (*s).to_owned()).collect(),
                    objections.iter().map(|s| (*s).to_owned()).collect()
                ),
                "{reviews:?}"
            );
        };
        is(&[(1, Some("ana"), "APPROVED"), (2, Some("ana"), "COMMENTED")], &["ana"], &none);
        is(&[(1, Some("ana"), "APPROVED"), (2, Some("ana"), "CHANGES_REQUESTED")], &none, &["ana"]);
        is(&[(2, Some("ana"), "APPROVED"), (1, Some("ana"), "CHANGES_REQUESTED")], &["ana"], &none);
        is(&[(1, Some("ana"), "DISMISSED"), (2, Some("bo"), "APPROVED")], &["bo"], &none);
        is(&[(1, Some("ana"), "APPROVED"), (2, Some("ana"), "DISMISSED")], &none, &none);
        is(&[(1, Some("ana"), "APPROVED"), (2, Some("ana"), "BLESSED")], &none, &none);
        is(&[(1, Some("ci[bot]"), "APPROVED"), (2, Some("ci[bot]"), "PENDING")], &none, &none);
        is(&[(1, None, "APPROVED"), (2, None, "CHANGES_REQUESTED")], &none, &["ghost"]);
        assert_eq!(bound(None), HeadBound::Unbound);
        assert_eq!(bound(Some("abc")), HeadBound::Unbound);
    }
}
