//! What is read of GitHub's answers, and nothing else of them. Words stay words: what they mean is
//! said where it is decided.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::forge::client::OrOdd;
use crate::forge::client::read::or_default;

/// `POST /app/installations/{id}/access_tokens`. No `Debug`: it holds the token.
#[derive(Deserialize)]
pub(super) struct InstallationToken {
    pub(super) token: String,
    pub(super) expires_at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRuns {
    pub(super) total_count: u64,
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) head_sha: String,
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) completed_at: Option<String>,
    #[serde(default)]
    pub(super) html_url: Option<String>,
    #[serde(default)]
    pub(super) app: Option<App>,
    #[serde(default)]
    pub(super) check_suite: Option<Id>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Id {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct App {
    pub(super) id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) slug: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckSuites {
    pub(super) total_count: u64,
    pub(super) check_suites: Vec<CheckSuite>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckSuite {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) head_branch: Option<String>,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) app: Option<App>,
}

/// `GET /repos/{o}/{r}/actions/runs`.
#[derive(Debug, Deserialize)]
pub(super) struct WorkflowRuns {
    pub(super) total_count: u64,
    pub(super) workflow_runs: Vec<WorkflowRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WorkflowRun {
    #[serde(default)]
    pub(super) check_suite_id: Option<u64>,
    pub(super) workflow_id: u64,
    pub(super) event: String,
    pub(super) head_sha: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) html_url: Option<String>,
}

/// `GET /apps/{slug}`.
#[derive(Debug, Deserialize)]
pub(super) struct AppSeen {
    pub(super) id: u64,
}

/// One of `GET /repos/{o}/{r}/commits/{ref}/statuses`, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) context: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) target_url: Option<String>,
    #[serde(default)]
    pub(super) updated_at: Option<String>,
    #[serde(default)]
    pub(super) creator: Option<User>,
}

#[derive(Debug, Deserialize, Clone)]
pub(super) struct User {
    pub(super) login: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
}

/// One of `GET /repos/{owner}/{repo}/activity`: a push, a merge, a branch that was made or deleted.
#[derive(Debug, Deserialize)]
pub(super) struct Activity {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) before: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) after: String,
    #[serde(default, rename = "ref", deserialize_with = "or_default")]
    pub(super) of: String,
    #[serde(default)]
    pub(super) timestamp: Option<String>,
}

/// One of `GET /repos/{o}/{r}/rules/branches/{branch}`.
#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub(super) kind: String,
    /// The ruleset that it is from.
    #[serde(default)]
    pub(super) ruleset_id: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parameters: RuleParameters,
}

/// `GET /repos/{o}/{r}/rulesets/{ruleset_id}`.
#[derive(Debug, Deserialize)]
pub(super) struct Ruleset {
    /// `always`, `exempt`, `pull_requests_only` or `never`.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) current_user_can_bypass: String,
}

#[derive(Debug, Deserialize, Default)]
pub(super) struct RuleParameters {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) required_status_checks: Vec<RequiredCheck>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) strict_required_status_checks_policy: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) allowed_merge_methods: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RequiredCheck {
    pub(super) context: String,
    /// The App whose results count alone, in a ruleset.
    #[serde(default)]
    pub(super) integration_id: Option<i64>,
    /// The same in a classic protection, where -1 is any.
    #[serde(default)]
    pub(super) app_id: Option<i64>,
}

/// `GET /repos/{o}/{r}/branches/{branch}`.
#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    #[serde(default)]
    pub(super) protection: Option<Protection>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Protection {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) required_status_checks: Option<Classic>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Classic {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) contexts: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) checks: Vec<RequiredCheck>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) enforcement_level: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) strict: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) html_url: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) state: String,
    /// Not told by a server without drafts.
    #[serde(default)]
    pub(super) draft: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) title: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) body: String,
    pub(super) head: PullEnd,
    pub(super) base: PullEnd,
    #[serde(default)]
    pub(super) merged_at: Option<String>,
    #[serde(default)]
    pub(super) merge_commit_sha: Option<String>,
    /// Only of a single one.
    #[serde(default)]
    pub(super) merged_by: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: Vec<Label>,
    /// Who is asked for a review and has given none.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) requested_reviewers: Vec<User>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) requested_teams: Vec<Team>,
}

/// A team that is asked for a review.
#[derive(Debug, Deserialize)]
pub(super) struct Team {
    pub(super) slug: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullEnd {
    #[serde(rename = "ref")]
    pub(super) branch: String,
    pub(super) sha: String,
    #[serde(default)]
    pub(super) repo: Option<FullName>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FullName {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Number {
    pub(super) number: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    #[serde(default)]
    pub(super) closed_by: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Review {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) state: String,
    #[serde(default)]
    pub(super) commit_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) permission: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) role_name: String,
    #[serde(default)]
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) body: String,
    #[serde(default)]
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GitRef {
    pub(super) object: Object,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Merged {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) merged: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) private: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) archived: bool,
    #[serde(default)]
    pub(super) allow_merge_commit: Option<bool>,
    #[serde(default)]
    pub(super) permissions: Option<Rights>,
}

/// `GET /installation/repositories`.
#[derive(Debug, Deserialize)]
pub(super) struct Repositories {
    pub(super) total_count: u64,
    pub(super) repositories: Vec<OrOdd<Listed>>,
}

/// A repository in a list. What keeps one from being taken has to be there: what is not said is not "no".
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) full_name: String,
    pub(super) archived: bool,
    pub(super) disabled: bool,
    pub(super) fork: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rights {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) push: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Installation {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) permissions: std::collections::BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) suspended_at: Option<String>,
}

/// A webhook of a repository.
#[derive(Debug, Deserialize)]
pub(super) struct Hook {
    #[serde(default)]
    pub(super) active: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) events: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) config: HookConfig,
}

/// See [`Hook`].
#[derive(Debug, Default, Deserialize)]
pub(super) struct HookConfig {
    #[serde(default)]
    pub(super) url: Option<String>,
}

/// The envelope of every GraphQL answer.
#[derive(Debug, Deserialize)]
pub(super) struct Graph<T> {
    pub(super) data: Option<T>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) errors: Vec<GraphError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphError {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) message: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) extensions: GraphExtensions,
}

/// What a document that is refused whole is refused for. In no schema: read as far as it has these forms.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GraphExtensions {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) code: String,
    #[serde(default, rename = "fieldName", deserialize_with = "or_default")]
    pub(super) field: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphRepository {
    pub(super) repository: Option<GraphId>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphId {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdatedRefs {
    pub(super) update_refs: Option<serde::de::IgnoredAny>,
}

/// What `authors_query` is answered: null where there is no such commit.
#[derive(Debug, Deserialize)]
pub(super) struct GraphCommits {
    pub(super) repository: Option<BTreeMap<String, Option<GraphCommit>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphCommit {
    pub(super) authors: GraphAuthors,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphAuthors {
    pub(super) total_count: usize,
    pub(super) nodes: Vec<GraphAuthor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphAuthor {
    /// The address in the commit.
    #[serde(default)]
    pub(super) email: Option<String>,
    /// Null where no account has that address.
    pub(super) user: Option<GraphUser>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphUser {
    pub(super) login: String,
}
