//! Who is in a group, who wrote commits, and the numbers that people have.
//!
//! **Groups.** A team is a group: its members and those that it inherits from the groups above or that were
//! invited with a group, whose account and membership are active. Written with a slash it is a full path
//! (`@shop/release`). Without one it is the project's top group itself, or the group of that name directly
//! in it: never a stranger's group that happens to bear the name, of which gitlab.com has many.
//! <https://docs.gitlab.com/api/group_members/#list-all-members-of-a-group-including-inherited-and-invited-members>
//!
//! **Authors.** REST tells a commit's author by name and e-mail only, and shows other people's e-mails to
//! nobody but administrators. GraphQL tells whose confirmed e-mail it is (`Commit.author`), null where it is
//! nobody's: such a commit is by somebody unknown. That is another thing than an error, of which nothing is
//! known: GraphQL answers those with 200 as well, and GitLabs before 17.10 with one to every such query, because
//! they have no `Repository.commit` (gitlab-org/gitlab!179542).
//! <https://docs.gitlab.com/api/graphql/reference/#commit>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use towpath_core::model::{Actor, AuthorLogins, CommitId, Instant, Mends, Span, Stranger, Unknown, UnknownWhy};
use towpath_core::text::one_line;

use super::api::Api;
use super::wire;
use crate::forge::client::Fault;
use crate::forge::{RepoPath, few_enough};

/// Of how many commits the authors are asked for: a hundred queries, the first time.
const AUTHORS_MAX: usize = 1_000;

/// Of how many commits the authors are kept in memory.
const KEPT_MAX: usize = 20_000;

/// For how long. People rename their accounts, and an approval bears the new name.
const KEPT_FOR: Span = Span::from_mins(60);

/// How many commits one query asks for. GitLab allows a query a complexity of 250, and a commit costs a handful.
const AUTHORS_AT_ONCE: usize = 10;

/// How many members of a team are asked for a review.
const REVIEWERS_MAX: usize = 20;

/// Below this a member may do nothing: 5 is "minimal access".
const GUEST: u64 = 10;

/// See `Forge::members`.
pub(super) async fn members(api: &Api, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
    let all = group(api, repo, team).await?;
    Ok(all.into_iter().map(|member| member.username).collect())
}

async fn group(api: &Api, repo: &RepoPath, team: &str) -> Result<Vec<wire::Member>, Unknown> {
    let top = repo.parts().next().unwrap_or_default();
    let full = if team.contains('/') || team.eq_ignore_ascii_case(top) {
        team.to_owned()
    } else {
        format!("{top}/{team}")
    };
    let listed = api.list::<wire::Member>("members", &["v4", "groups", &full, "members", "all"], &[]).await;
    let counts = |member: &wire::Member| {
        let is_active = |word: &Option<String>| word.as_deref().is_none_or(|word| word == "active");
        let active = is_active(&member.state) && is_active(&member.membership_state);
        active && member.access_level.is_none_or(|level| level >= GUEST)
    };
    match listed {
        Ok(listed) => Ok(listed.items.into_iter().filter(counts).collect()),
        Err(Fault::Said { status: 404, .. }) => {
            let full = full.escape_debug();
            let words = format!("there is no group `{full}`, or Towpath's user may not see it");
            Err(Unknown::lasting(UnknownWhy::NoRepository { words }))
        }
        Err(fault) => Err(fault.unknown()),
    }
}

/// Those who are to be asked for a review, teams by their members.
pub(super) struct Reviewers {
    /// Their numbers.
    pub ids: Vec<u64>,
    /// Why some could not be looked up now, where asking again may help.
    pub unheard: Option<Unknown>,
}

/// Looks them up. Whoever there is not, or may not be seen, is logged and left out: nothing hangs on it.
pub(super) async fn reviewers(api: &Api, repo: &RepoPath, names: &[String]) -> Reviewers {
    let (mut ids, mut unheard) = (Vec::new(), None);
    for name in names {
        let found = match name.strip_prefix('@') {
            Some(team) => group(api, repo, team)
                .await
                .map(|members| members.iter().take(REVIEWERS_MAX).map(|member| member.id).collect::<Vec<_>>()),
            None => person(api, name).await.map(|id| id.into_iter().collect()).map_err(Fault::unknown),
        };
        match found {
            Ok(found) if found.is_empty() => tracing::warn!(%repo, name, "there is no such reviewer"),
            Ok(found) => ids.extend(found),
            Err(unknown) => {
                tracing::warn!(%repo, name, ?unknown, "a reviewer could not be looked up");
                unheard = Some(unknown).filter(|unknown| unknown.mends == Mends::Itself).or(unheard);
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Reviewers { ids, unheard }
}

async fn person(api: &Api, name: &str) -> Result<Option<u64>, Fault> {
    let found: Vec<wire::User> = api.answer("users", &["v4", "users"], &[("username", name)]).await?.json()?;
    Ok(named(found, name).and_then(|user| user.id))
}

/// The account of exactly that name, whatever else was found.
pub(super) fn named(found: Vec<wire::User>, name: &str) -> Option<wire::User> {
    let is = |user: &wire::User| user.username.as_deref().is_some_and(|had| had.eq_ignore_ascii_case(name));
    found.into_iter().find(is)
}

/// See `Forge::account`. Only an address that somebody shows to everybody can be asked about; to administrators GitLab
/// would tell the hidden ones, too. What came is compared, for a GitLab that does not know the filter lists everybody.
/// <https://docs.gitlab.com/api/users/#list-all-users> (`public_email`)
pub(super) async fn account(api: &Api, address: &str) -> Result<Option<String>, Fault> {
    if !address.contains('@') {
        return Ok(None);
    }
    let found: Vec<wire::User> =
        api.answer("users", &["v4", "users"], &[("public_email", address)]).await?.json()?;
    let is = |user: &wire::User| user.public_email.as_deref().is_some_and(|had| had.eq_ignore_ascii_case(address));
    Ok(found.into_iter().find(is).and_then(|user| user.username).filter(|name| !name.is_empty()))
}

/// The query for the authors of that many commits.
fn query(count: usize) -> String {
    let names: String = (0..count).map(|at| format!(", $c{at}: String!")).collect();
    let commits: String =
        (0..count).map(|at| format!(" c{at}: commit(ref: $c{at}) {{ author {{ username }} }}")).collect();
    format!("query ($project: ID!{names}) {{ project(fullPath: $project) {{ repository {{{commits} }} }} }}")
}

/// The authors that GitLab told, by commit; of none whose author it does not know, which somebody may mend.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<BTreeMap<CommitId, (Instant, Actor)>>);

impl Kept {
    /// The author of a commit, if it was told lately.
    fn of(&self, commit: CommitId, now: Instant) -> Option<Actor> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&commit).filter(|(at, _)| is_fresh(*at, now)).map(|(_, author)| author.clone())
    }

    fn keep(&self, told: impl IntoIterator<Item = (CommitId, Actor)>, now: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (at, _)| is_fresh(*at, now));
        }
        for (commit, author) in told {
            if kept.len() < KEPT_MAX || kept.contains_key(&commit) {
                kept.insert(commit, (now, author));
            }
        }
    }
}

/// Not of a time to come either: clocks are put back.
fn is_fresh(at: Instant, now: Instant) -> bool {
    (0..KEPT_FOR.ms()).contains(&now.0.saturating_sub(at.0))
}

/// See `Forge::authors`.
pub(super) async fn authors(
    api: &Api,
    kept: &Kept,
    repo: &RepoPath,
    commits: &[CommitId],
) -> Result<AuthorLogins, Unknown> {
    few_enough(commits, AUTHORS_MAX)?;
    let now = api.clock.reading().wall;
    let (mut found, mut unheard) = (AuthorLogins::default(), Vec::new());
    for commit in commits {
        match kept.of(*commit, now) {
            Some(author) => drop(found.logins.insert(author)),
            None => unheard.push(*commit),
        }
    }
    for commits in unheard.chunks(AUTHORS_AT_ONCE) {
        let told = told(api, repo, commits).await?;
        // At once: what breaks off later need not ask for these again.
        let linked = commits.iter().zip(&told).filter_map(|(commit, author)| Some((*commit, author.clone()?)));
        kept.keep(linked, now);
        for (commit, author) in commits.iter().zip(told) {
            match author {
                Some(author) => drop(found.logins.insert(author)),
                None => {
                    found.unlinked = true;
                    found.strangers.push(Stranger { commit: *commit, email: None, co_author: false });
                }
            }
        }
    }
    Ok(found)
}

/// The authors of that many commits, in their order; none of those whom GitLab does not know.
async fn told(api: &Api, repo: &RepoPath, commits: &[CommitId]) -> Result<Vec<Option<Actor>>, Unknown> {
    let mut variables = json!({ "project": repo.as_str() });
    for (at, commit) in commits.iter().enumerate() {
        variables[format!("c{at}")] = json!(commit.to_string());
    }
    let body = json!({ "query": query(commits.len()), "variables": variables });
    let graph: wire::Graph = api.graphql("authors", &body).await.map_err(Fault::unknown)?;
    let errors = graph.errors.unwrap_or_default();
    let told = graph.data.and_then(|data| data.project?.repository);
    // Half an answer beside an error says of nobody that they are no author.
    let Some(mut told) = told.filter(|told| errors.is_empty() && told.len() == commits.len()) else {
        return Err(unsaid(repo, &errors));
    };
    let author = |at| told.remove(&format!("c{at}")).flatten().and_then(|commit| commit.author?.username);
    let named = (0..commits.len()).map(author).map(|author| author.filter(|name| !name.is_empty()).map(Actor::new));
    Ok(named.collect())
}

/// What it comes to that GraphQL does not tell the authors.
fn unsaid(repo: &RepoPath, errors: &[wire::GraphError]) -> Unknown {
    let all: Vec<&str> = errors.iter().filter_map(|error| error.message.as_deref()).collect();
    let said = one_line(&all.join("; "), 300);
    let said = if said.is_empty() { "said nothing of the commits; may Towpath's user see them?" } else { &said };
    let words = format!(
        "GraphQL, of the authors in `{repo}`: {said} (it takes GitLab 17.10 or newer; for an older one say \
         `authors = \"allow\"`)"
    );
    Unknown::lasting(UnknownWhy::Unreadable { words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_asks_for_each_commit_by_a_variable() {
        let expected = "query ($project: ID!, $c0: String!, $c1: String!) { project(fullPath: $project) { repository { \
                        c0: commit(ref: $c0) { author { username } } c1: commit(ref: $c1) { author { username } } } } }";
        assert_eq!(query(2), expected);
    }
}
