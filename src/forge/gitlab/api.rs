//! Calls to a GitLab: how URLs are made and how lists are read.
//!
//! A project, a group and a branch are each one part of a path, slashes in them escaped
//! (`shop%2Fcheckout`); a number works in the same place.
//! <https://docs.gitlab.com/api/rest/#namespaced-paths>
//!
//! Lists are read by `Client::pages`: to where `Link` ends, which is right for pages by number and by
//! key alike, and against `X-Total` where GitLab tells it (not beyond 10,000 items).
//! <https://docs.gitlab.com/api/rest/#pagination>
//!
//! Not here: HTTP itself (`forge::client`), and what the answers mean.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ::http::Method;
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use towpath_core::model::{Instant, Span};

use super::wire;
use crate::clock::Clock;
use crate::forge::RepoPath;
use crate::forge::client::{self, Answer, Auth, Call, Client, Fault, OrOdd, Page, TokenPlace};

/// How many items a page is asked for; GitLab gives no more.
pub(super) const PER_PAGE: usize = 100;

/// One GitLab, as one user.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    token: TokenPlace,
    /// Where it is, without `api/v4`.
    base: Url,
    pub(super) clock: Clock,
}

/// An item of a list.
pub(super) trait Item: DeserializeOwned {
    /// What tells it from the others of its list.
    fn key(&self) -> u64;
}

/// By its number, and where it has none by all of it.
impl<T: Item> Item for OrOdd<T> {
    fn key(&self) -> u64 {
        match self {
            Self::Sound(item) => item.key(),
            Self::Odd(item) => item["id"].as_u64().unwrap_or_else(|| {
                let mut hash = DefaultHasher::new();
                item.to_string().hash(&mut hash);
                hash.finish()
            }),
        }
    }
}

macro_rules! item {
    ($($kind:ident . $($field:ident).+),*) => {
        $(impl Item for wire::$kind {
            fn key(&self) -> u64 {
                self.$($field).+
            }
        })*
    };
}
item!(
    Listed.id,
    Pipeline.id,
    Status.id,
    Request.iid,
    Note.id,
    Member.id,
    Hook.id,
    Reviewer.user.id,
    Version.id,
    Award.id
);

/// The items of a list, and the forge's own time of its first page.
pub(super) struct Listed<T> {
    pub items: Vec<T>,
    pub date: Option<Instant>,
}

impl Api {
    pub(super) fn new(base: &str, token: TokenPlace, client: Client, clock: Clock) -> Result<Self, Fault> {
        let bad = |why: &str| Fault::Credential { words: format!("`{base}` is no URL of a GitLab: {why}") };
        let url = Url::parse(base).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it has to begin with https:// or http://"));
        }
        Ok(Self { client, token, base: url, clock })
    }

    /// What the next call carries.
    fn auth(&self) -> Result<Auth, Fault> {
        self.token.auth(self.base.as_str(), "Bearer")
    }

    /// How long the server wants no reading calls, where it said so.
    pub(super) fn rests(&self) -> Option<Span> {
        self.client.rests(self.base.as_str())
    }

    /// Where the server is, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The URL of `/api/…`; each part is escaped, slashes in it included.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Only URLs without a host have no segments, and `new` has refused those.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads one thing.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
    ) -> Result<T, Fault> {
        self.answer(operation, path, &[]).await?.json()
    }

    /// Reads one thing, for its headers too.
    pub(super) async fn answer(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Fault> {
        self.client.send(&Call::get(operation, self.url(path, query)), &self.auth()?).await
    }

    /// Reads one thing that somebody waits for, for its headers too.
    pub(super) async fn answer_urgent(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Fault> {
        self.client.send(&Call::get(operation, self.url(path, query)).urgent(), &self.auth()?).await
    }

    /// Reads one thing that a move hangs on.
    pub(super) async fn get_urgent<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
    ) -> Result<T, Fault> {
        self.answer_urgent(operation, path, &[]).await?.json()
    }

    /// Changes something; sent once.
    pub(super) async fn act(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, Fault> {
        self.client.send(&Call::act(operation, method, self.url(path, &[]), body), &self.auth()?).await
    }

    /// A query of GraphQL.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        let call = Call::query(operation, self.url(&["graphql"], &[]), body);
        self.client.send(&call, &self.auth()?).await?.json()
    }

    /// Every item of a list, each once, to its last page.
    pub(super) async fn list<T: Item>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Listed<T>, Fault> {
        self.list_up_to(client::PAGES_MAX, operation, path, query).await
    }

    /// The same for a list that may have so many pages.
    pub(super) async fn list_up_to<T: Item>(
        &self,
        pages_max: usize,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Listed<T>, Fault> {
        let per_page = PER_PAGE.to_string();
        let query = [query, &[("per_page", per_page.as_str())]].concat();
        let call = Call::get(operation, self.url(path, &query));
        // Not across an `await`: `take` is called between them.
        let date = FirstDate::default();
        let items = self
            .client
            .pages_up_to(pages_max, &call, &self.auth()?, PER_PAGE, |answer| date.page::<T>(answer))
            .await?;
        let mut had = BTreeSet::new();
        // What is new at the front pushes the last of a page onto the next one.
        let items = items.into_iter().filter(|item| had.insert(item.key())).collect();
        Ok(Listed { items, date: date.get() })
    }

    /// The first items of a list, that many if there are: on as many pages as it takes.
    pub(super) async fn first<T: Item>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        limit: usize,
    ) -> Result<Vec<T>, Fault> {
        let per_page = limit.to_string();
        let mut items: Vec<T> = Vec::new();
        for page in 1..=limit {
            let page = page.to_string();
            let query = [query, &[("per_page", per_page.as_str()), ("page", page.as_str())]].concat();
            let answer = self.answer(operation, path, &query).await?;
            let more: Vec<T> = answer.json()?;
            let (come, total) = (more.len(), total(&answer));
            items.extend(more);
            let all = total.is_some_and(|total| items.len() as u64 >= total);
            let next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            if items.len() >= limit || all || (total.is_none() && !next) {
                break;
            }
            if come == 0 {
                let words = format!("{operation}: only {} came: a page is missing", items.len());
                return Err(Fault::Unreadable { words });
            }
        }
        items.truncate(limit);
        Ok(items)
    }

    /// The name that our token logs in with: a bot user's, for the token of a project or group.
    pub(super) async fn whoami(&self) -> Result<wire::User, Fault> {
        self.get("user", &["v4", "user"]).await
    }

    /// The project's settings.
    pub(super) async fn project(&self, repo: &RepoPath) -> Result<wire::Project, Fault> {
        self.get("project", &path(repo, &[])).await
    }
}

/// The date of the first page: everything later was there when it was asked for, or came since.
#[derive(Default)]
struct FirstDate(std::sync::Mutex<Cell<Option<Instant>>>);

impl FirstDate {
    fn page<T: Item>(&self, answer: &Answer) -> Result<Page<T>, Fault> {
        let cell = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        cell.set(cell.get().or(answer.date));
        Ok(Page { items: answer.json()?, total: total(answer) })
    }

    fn get(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get()
    }
}

/// How many items there are on all pages, where GitLab says so.
fn total(answer: &Answer) -> Option<u64> {
    answer.header("x-total").and_then(|text| text.trim().parse().ok())
}

/// `v4/projects/PROJECT/…`.
pub(super) fn path<'a>(repo: &'a RepoPath, rest: &[&'a str]) -> Vec<&'a str> {
    ["v4", "projects", repo.as_str()].into_iter().chain(rest.iter().copied()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::forge::client::Options;

    fn api(base: &str) -> Result<Api, Fault> {
        let client = Client::new(Options::default(), Clock::System).unwrap();
        Api::new(base, TokenPlace::Nowhere, client, Clock::System)
    }

    #[test]
    fn a_project_is_one_part_of_the_path_wherever_the_server_is() {
        for base in ["https://git.example/lab", "https://git.example/lab/"] {
            let api = api(base).unwrap();
            assert_eq!(api.base(), "https://git.example/lab");
            let (repo, branch) = (RepoPath::new("shop/back end/checkout"), "release/1.0");
            let url = api.url(&path(&repo, &["repository", "branches", branch]), &[("a b", "c/d")]);
            let expected = "https://git.example/lab/api/v4/projects/shop%2Fback%20end%2Fcheckout/repository/branches/\
                            release%2F1.0?a+b=c%2Fd";
            assert_eq!(url.as_str(), expected);
        }
        let numbered = RepoPath::new("278964");
        let url = api("https://gitlab.com").unwrap().url(&path(&numbered, &[]), &[]);
        assert_eq!(url.as_str(), "https://gitlab.com/api/v4/projects/278964");
        assert!(api("ssh://git@git.example").is_err());
        assert!(api("git.example").is_err());
    }
}
