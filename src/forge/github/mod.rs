//! GitHub: github.com, Enterprise Cloud with its own host, and Enterprise Server.
//!
//! One file for each thing that is asked: [`checks`] with the tables of what GitHub's words mean, [`suites`] (which of two results of one name counts),
//! [`requests`], [`people`] (reviews, teams), [`moves`], [`activity`] (who moved a branch when), [`repositories`], [`doctor`], [`hooks`], [`said`] (comments, rights, reactions); [`auth`] has tokens
//! and Apps, [`wire`] the few fields that are read of GitHub's answers.
//!
//! **Why not octocrab.** It would carry none of this: its cache and retry were measured unsafe
//! (`reference/spike.md` 2), its tokens are not made by one for all, its models lack what decides
//! (`status`, `app` and `check_suite` of a check run) or are closed enums. What would be left of it
//! is the signature of a JWT and of a hook: three calls of `aws-lc-rs`, which TLS needs anyway, and
//! one of `hmac`. It would cost 30 s of each cold build, and 137 s of a release.
//!
//! Facts about GitHub are from its REST description (`@octokit/openapi` 23.0.2), its GraphQL schema
//! (`@octokit/graphql-schema` 15.26.1) and docs.github.com; where one is from neither it says so.

mod activity;
mod auth;
mod checks;
mod doctor;
mod hooks;
mod moves;
mod people;
mod repositories;
mod requests;
mod said;
mod suites;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use towpath_core::act::PushAnswer;
use towpath_core::model::{AuthorLogins, BranchName, CommitId, Span, Unknown};

use super::client::{self, Answer, Call, Client, Fault, Page};
use super::{
    CallFault, CheckSeen, Finding, Forge, HookRefused, HookSeen, MergeHow, Permission, Proposal, Pushed, Reaction,
    RepoPath, RepoSeen, RequestSeen, Required, StatusLine, Ways, carries,
};
use crate::clock::Clock;
use crate::secret::Secret;

pub use auth::Credential;
pub use moves::{REPOSITORY_QUERY, UPDATE_REFS};
pub use people::authors_query;

/// The version of the REST API that this is written for. GitHub keeps one for two years and more.
/// <https://docs.github.com/en/rest/about-the-rest-api/api-versions>
const API_VERSION: &str = "2022-11-28";

/// How many items a page is asked for; GitHub gives no more.
const PER_PAGE: usize = 100;

/// One GitHub, in one credential's name.
pub struct GitHub {
    client: Client,
    auth: auth::Auths,
    web: Url,
    api: Url,
    graphql: Url,
    /// Our own login, once it is known.
    login: tokio::sync::OnceCell<String>,
    /// Before GitHub is asked a second time for what it does by itself, a little later.
    pause: std::time::Duration,
    /// Branches of which GitHub said, when we moved them, that they change by pull requests alone. That of a
    /// classic protection only administrators may read, so it is learned, and tried again a day later: by when, by the time since boot.
    by_request_alone: Mutex<BTreeMap<(String, BranchName), i64>>,
    /// The ids of Apps by their names; none of those that we may not see.
    apps: Mutex<BTreeMap<String, Option<u64>>>,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub({}, {:?})", self.web, self.auth)
    }
}

impl GitHub {
    /// The GitHub at `url`: `https://github.com`, or where an Enterprise Server is. Calls nothing yet.
    ///
    /// # Errors
    /// If `url` is none.
    pub fn new(url: &str, credential: Credential, client: Client, clock: Clock) -> Result<Self, Fault> {
        Self::with_api(url, None, credential, client, clock)
    }

    /// The same, whose REST API is at `api` where that is not where `url` has it.
    ///
    /// # Errors
    /// If one of the two is no address.
    pub fn with_api(
        url: &str,
        api: Option<&str>,
        credential: Credential,
        client: Client,
        clock: Clock,
    ) -> Result<Self, Fault> {
        let web = folder(url)?;
        let (api, graphql) = match api {
            Some(api) => beside(folder(api)?),
            None => addresses(&web),
        }
        .ok_or_else(|| no_address(url, "it has no host"))?;
        let pause = client.pause();
        let auth = auth::Auths::new(credential, clock, api.clone());
        let (login, by_request_alone) = (tokio::sync::OnceCell::new(), Mutex::default());
        Ok(Self { client, auth, web, api, graphql, login, pause, by_request_alone, apps: Mutex::default() })
    }

    /// A URL of the REST API. Each part is escaped: a branch with a slash is one part.
    fn url(&self, parts: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A URL below a repository.
    fn repo_url(&self, repo: &RepoPath, parts: &[&str], query: &[(&str, &str)]) -> Result<Url, Fault> {
        let (owner, name) = owner_and_name(repo)?;
        let all: Vec<&str> = ["repos", owner, name].into_iter().chain(parts.iter().copied()).collect();
        Ok(self.url(&all, query))
    }

    /// Sends a call in our name. A token that GitHub no longer takes is made anew, once: a call that
    /// was answered with 401 has done nothing.
    async fn send(&self, call: &Call) -> Result<Answer, Fault> {
        let auth = self.auth.get(&self.client).await?;
        match self.client.send(call, &auth).await {
            Err(Fault::Said { status: 401, .. }) if self.auth.renews() => {
                self.auth.refused(&auth).await;
                self.client.send(call, &self.auth.get(&self.client).await?).await
            }
            result => result,
        }
    }

    async fn get<T: DeserializeOwned>(&self, operation: &'static str, url: Url) -> Result<T, Fault> {
        self.send(&headed(Call::get(operation, url))).await?.json()
    }

    async fn act<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        self.send(&headed(Call::act(operation, method, url, body))).await?.json()
    }

    /// Every page of a list.
    async fn all<T>(
        &self,
        operation: &'static str,
        url: Url,
        take: impl Fn(&Answer) -> Result<Page<T>, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.all_up_to(client::PAGES_MAX, operation, url, take).await
    }

    /// Every page of a list that may have so many.
    async fn all_up_to<T>(
        &self,
        pages_max: usize,
        operation: &'static str,
        url: Url,
        take: impl Fn(&Answer) -> Result<Page<T>, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let auth = self.auth.get(&self.client).await?;
        let call = headed(Call::get(operation, url));
        match self.client.pages_up_to(pages_max, &call, &auth, PER_PAGE, &take).await {
            Err(Fault::Said { status: 401, .. }) if self.auth.renews() => {
                self.auth.refused(&auth).await;
                let auth = self.auth.get(&self.client).await?;
                self.client.pages_up_to(pages_max, &call, &auth, PER_PAGE, &take).await
            }
            result => result,
        }
    }

    /// Every page of a list that is nothing but its items.
    async fn list<T: DeserializeOwned>(&self, operation: &'static str, url: Url) -> Result<Vec<T>, Fault> {
        self.all(operation, url, |answer| Ok(Page { items: answer.json()?, total: None })).await
    }
}

fn no_address(url: &str, why: &str) -> Fault {
    Fault::NotSent { words: format!("`{url}` is no address of a GitHub: {why}") }
}

/// An address below which there are others.
fn folder(url: &str) -> Result<Url, Fault> {
    let mut parsed = Url::parse(url).map_err(|error| no_address(url, &error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(no_address(url, "it is not http or https"));
    }
    if !parsed.path().ends_with('/') {
        parsed.set_path(&format!("{}/", parsed.path()));
    }
    Ok(parsed)
}

/// Where REST and GraphQL are, by where REST is: `…/api/v3/` and `…/api/graphql` as on an Enterprise Server, elsewhere
/// `…/graphql` below it as on `api.github.com`.
fn beside(api: Url) -> Option<(Url, Url)> {
    let graphql = api.join(if api.path().ends_with("/api/v3/") { "../graphql" } else { "graphql" }).ok()?;
    Some((api, graphql))
}

/// Where REST and GraphQL are, by where people go.
/// <https://docs.github.com/en/enterprise-server/rest/quickstart>,
/// <https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency>
fn addresses(web: &Url) -> Option<(Url, Url)> {
    let host = web.host_str()?;
    if host == "github.com" || host == "www.github.com" {
        return Some((
            Url::parse("https://api.github.com/").ok()?,
            Url::parse("https://api.github.com/graphql").ok()?,
        ));
    }
    if host.ends_with(".ghe.com") {
        let api = Url::parse(&format!("https://api.{host}/")).ok()?;
        let graphql = api.join("graphql").ok()?;
        return Some((api, graphql));
    }
    Some((web.join("api/v3/").ok()?, web.join("api/graphql").ok()?))
}

fn headed(call: Call) -> Call {
    call.header(http::header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"))
        .header(HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION))
}

/// The two parts of a repository's name. Dots alone would be taken for steps in a path.
fn owner_and_name(repo: &RepoPath) -> Result<(&str, &str), Fault> {
    let mut parts = repo.parts();
    let good = |part: &&str| !part.is_empty() && *part != "." && *part != "..";
    match (parts.next().filter(good), parts.next().filter(good), parts.next()) {
        (Some(owner), Some(name), None) => Ok((owner, name)),
        _ => Err(Fault::Said { status: 404, words: format!("`{repo}` is not `owner/name`") }),
    }
}

#[async_trait]
impl Forge for GitHub {
    fn git_url(&self, repo: &RepoPath) -> String {
        format!("{}{repo}.git", self.web)
    }

    async fn git_login(&self) -> Result<(String, Secret), Fault> {
        self.auth.for_git(&self.client).await
    }

    async fn git_refused(&self) {
        self.auth.refused_to_git(&self.client).await;
    }

    async fn checks(&self, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Unknown> {
        self.checks_of(repo, commit).await.map_err(Fault::unknown)
    }

    async fn required(&self, repo: &RepoPath, branch: &BranchName) -> Result<Required, Unknown> {
        self.required_on(repo, branch).await.map_err(Fault::unknown)
    }

    async fn requests(
        &self,
        repo: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Unknown> {
        self.requests_between(repo, head, base).await.map_err(Fault::unknown)
    }

    async fn open(&self, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault> {
        self.open_request(repo, proposal).await
    }

    async fn ask_reviewers(&self, repo: &RepoPath, number: u64, reviewers: &[String]) -> Result<(), CallFault> {
        self.ask_for_reviews(repo, number, reviewers).await
    }

    async fn describe(&self, repo: &RepoPath, number: u64, proposal: &Proposal) -> Result<(), CallFault> {
        self.describe_request(repo, number, proposal).await.map_err(Fault::call)
    }

    async fn ways(&self, repo: &RepoPath, base: &BranchName) -> Result<Ways, Unknown> {
        self.ways_into(repo, base).await.map_err(Fault::unknown)
    }

    async fn pushes(&self, repo: &RepoPath, branch: &BranchName) -> Result<Vec<Pushed>, Unknown> {
        self.activity_of(repo, branch).await.map_err(Fault::unknown)
    }

    fn tells_co_authors(&self) -> bool {
        true
    }

    async fn authors(&self, repo: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Unknown> {
        self.authors_of(repo, commits).await.map_err(Fault::unknown)
    }

    async fn author(
        &self,
        repo: &RepoPath,
        commit: CommitId,
        co_author: Option<&str>,
    ) -> Result<Option<String>, Unknown> {
        self.author_of(repo, commit, co_author).await.map_err(Fault::unknown)
    }

    async fn merge(
        &self,
        repo: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
        how: MergeHow,
    ) -> PushAnswer {
        self.merge_request(repo, number, base, onto, head, how).await
    }

    async fn advance(
        &self,
        repo: &RepoPath,
        branch: &BranchName,
        from: CommitId,
        to: CommitId,
    ) -> Option<PushAnswer> {
        self.advance_branch(repo, branch, from, to).await
    }

    async fn comment(&self, repo: &RepoPath, number: u64, marker: &str, body: &str) -> Result<(), CallFault> {
        self.put_comment(repo, number, marker, body).await.map_err(Fault::call)
    }

    async fn permission(&self, repo: &RepoPath, login: &str) -> Result<Permission, Unknown> {
        self.permission_of(repo, login).await.map_err(Fault::unknown)
    }

    async fn react(&self, repo: &RepoPath, _: u64, comment: u64, reaction: Reaction) -> Result<(), CallFault> {
        self.put_reaction(repo, comment, reaction).await.map_err(Fault::call)
    }

    async fn whoami(&self) -> Result<String, Unknown> {
        self.login().await.map_err(Fault::unknown)
    }

    async fn status(&self, repo: &RepoPath, commit: CommitId, line: &StatusLine) -> Result<(), CallFault> {
        self.put_status(repo, commit, line).await.map_err(Fault::call)
    }

    async fn members(&self, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
        self.members_of(repo, team).await.map_err(Fault::unknown)
    }

    async fn findings(&self, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
        self.find(repo, targets).await
    }

    async fn against_rollback(&self, repo: &RepoPath, branch: &BranchName) -> Option<Finding> {
        let (rules, classic) = match self.rules_of(repo, branch).await {
            Ok(found) => found,
            // The branch of a request that was never opened.
            Err(fault) if fault.status() == Some(404) => (self.rulesets_of(repo, branch).await.ok()?, None),
            Err(_) => return None,
        };
        let rules = self.binding(repo, rules).await.ok()?;
        doctor::of_force(branch, &rules, classic.is_some_and(|classic| classic.enabled))
    }

    async fn repositories(&self) -> Result<Vec<RepoSeen>, Fault> {
        self.listed().await
    }

    fn rests(&self) -> Option<Span> {
        self.client.rests(self.auth.account())
    }

    fn is_signed(&self, headers: &http::HeaderMap) -> bool {
        carries(headers, &["x-hub-signature-256"])
    }

    fn hook(&self, headers: &http::HeaderMap, body: &[u8], secrets: &[String]) -> Result<HookSeen, HookRefused> {
        hooks::verify(headers, body, secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::client::Options;

    #[test]
    fn where_the_api_is() {
        for (web, api, graphql) in [
            ("https://github.com/", "https://api.github.com/", "https://api.github.com/graphql"),
            ("https://shop.ghe.com/", "https://api.shop.ghe.com/", "https://api.shop.ghe.com/graphql"),
            ("https://git.shop.test/", "https://git.shop.test/api/v3/", "https://git.shop.test/api/graphql"),
            ("http://127.0.0.1:99/x/", "http://127.0.0.1:99/x/api/v3/", "http://127.0.0.1:99/x/api/graphql"),
        ] {
            let found = addresses(&Url::parse(web).expect("a URL")).expect("a host");
            assert_eq!((found.0.as_str(), found.1.as_str()), (api, graphql));
        }
    }

    #[test]
    fn where_the_api_is_behind_a_proxy() {
        for (api, rest, graphql) in [
            (
                "https://in.shop.test/github/api/v3",
                "https://in.shop.test/github/api/v3/",
                "https://in.shop.test/github/api/graphql",
            ),
            ("https://in.shop.test/gh/", "https://in.shop.test/gh/", "https://in.shop.test/gh/graphql"),
            ("https://api.shop.test", "https://api.shop.test/", "https://api.shop.test/graphql"),
            ("https://in.shop.test/v3", "https://in.shop.test/v3/", "https://in.shop.test/v3/graphql"),
        ] {
            let found = beside(folder(api).expect("a URL")).expect("both");
            assert_eq!((found.0.as_str(), found.1.as_str()), (rest, graphql));
        }
        for bad in ["in.shop.test", "ftp://in.shop.test/", "", "https://"] {
            assert!(folder(bad).is_err(), "{bad}");
        }
        let clock = Clock::Manual(crate::clock::ManualClock::new(towpath_core::model::Instant(0)));
        let client = Client::new(Options::default(), clock.clone()).expect("a client");
        let (web, api) = ("https://git.shop.test", Some("https://in.shop.test/gh"));
        let forge = GitHub::with_api(web, api, Credential::None, client, clock).expect("a forge");
        let repo = RepoPath::new("shop/checkout");
        assert_eq!(forge.git_url(&repo), "https://git.shop.test/shop/checkout.git");
        let url = forge.repo_url(&repo, &[], &[]).expect("a URL");
        assert_eq!(url.as_str(), "https://in.shop.test/gh/repos/shop/checkout");
    }

    #[test]
    fn parts_of_urls_are_escaped_and_steps_are_refused() {
        let clock = Clock::Manual(crate::clock::ManualClock::new(towpath_core::model::Instant(0)));
        let client = Client::new(Options::default(), clock.clone()).expect("a client");
        let forge = GitHub::new("https://github.com", Credential::None, client, clock).expect("a forge");
        let repo = RepoPath::new("shop/checkout");
        let url = forge.repo_url(&repo, &["rules", "branches", "a/b?c#d%"], &[("per_page", "100")]).expect("a URL");
        assert_eq!(
            url.as_str(),
            "https://api.github.com/repos/shop/checkout/rules/branches/a%2Fb%3Fc%23d%25?per_page=100"
        );
        assert_eq!(forge.git_url(&repo), "https://github.com/shop/checkout.git");
        for bad in ["shop", "a/b/c", "../x", "x/.."] {
            assert!(forge.repo_url(&RepoPath::new(bad), &[], &[]).is_err(), "{bad}");
        }
    }
}
