//! Calls to a Gitea or Forgejo server: how URLs are made, how lists are read, what the server is.
//!
//! Everything about HTTP itself (deadlines, repetitions, limits, redaction) is in `forge::client`.
//! Lists have a rule of their own here instead of `Client::pages`: both servers cut a page to their
//! own limit without a word, older ones count wrongly on every page but the first, and the count of
//! reviews includes those that we may not see.
//!
//! Not here: what the answers mean.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use ::http::Method;
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use towpath_core::model::Span;

use super::version::Version;
use super::wire;
use crate::forge::client::{Answer, Auth, Call, Client, Fault, OrOdd, TokenPlace};

/// How many items of a list are asked for at once: what both servers give at most unless told
/// otherwise (`[api] MAX_RESPONSE_ITEMS`).
pub(super) const PAGE: u64 = 50;

/// More pages than this are not read: 5,000 statuses of one commit are no list but a fault.
const PAGES_MAX: u64 = 100;

/// One server, as one user.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    token: TokenPlace,
    /// Where the server is, without `api/v1`.
    base: Url,
    /// What it said it is. A server is upgraded by restarting it, and nothing that decides hangs on
    /// a page length or a filter, so it is asked once.
    server: Mutex<Option<Server>>,
}

/// What a server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// Its version, where it told one that we can read.
    pub version: Option<Version>,
    /// How long a page is at most.
    pub page: u64,
}

/// A list's items, whether all that are counted must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// The server's count is of what it shows us.
    Exactly,
    /// The count includes what is not shown to us: other people's unfinished reviews.
    WithHidden,
}

/// An item of a list.
pub(super) trait Item: DeserializeOwned {
    /// Whether `null` in place of the list means that there are none.
    const NULL_IS_EMPTY: bool = true;

    /// What tells it from the others of its list.
    fn key(&self) -> String;
}

/// By its number, and where it has none by all of it.
impl<T: Item> Item for OrOdd<T> {
    const NULL_IS_EMPTY: bool = T::NULL_IS_EMPTY;

    fn key(&self) -> String {
        match self {
            Self::Sound(item) => item.key(),
            Self::Odd(item) => item["id"].as_i64().map_or_else(|| item.to_string(), |id| id.to_string()),
        }
    }
}

macro_rules! item {
    ($($kind:ident . $field:ident),*) => {
        $(impl Item for wire::$kind {
            fn key(&self) -> String {
                self.$field.to_string()
            }
        })*
    };
}
item!(Commit.sha, Listed.id, Status.id, Pull.number, Label.id, Review.id, Comment.id, Team.id, Member.id, Hook.id);

impl Item for wire::Branch {
    // Gitea answers so for a moment after a push, while it reads the branches anew.
    const NULL_IS_EMPTY: bool = false;

    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Api {
    pub(super) fn new(base: &str, token: TokenPlace, client: Client) -> Result<Self, Fault> {
        let bad = |why: &str| Fault::Credential { words: format!("`{base}` is no URL of a forge: {why}") };
        let url = Url::parse(base).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it has to begin with https:// or http://"));
        }
        Ok(Self { client, token, base: url, server: Mutex::default() })
    }

    /// What the next call carries.
    fn auth(&self) -> Result<Auth, Fault> {
        self.token.auth(self.base.as_str(), "token")
    }

    /// How long the server wants no reading calls, where it said so.
    pub(super) fn rests(&self) -> Option<Span> {
        self.client.rests(self.base.as_str())
    }

    /// Where the server is, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The URL of `/api/v1/…`; each part is escaped, slashes in it included.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Only URLs without a host have no segments, and `new` has refused those.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads one thing.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Fault> {
        self.client.send(&Call::get(operation, self.url(path, query)), &self.auth()?).await
    }

    /// Reads one thing that a move hangs on.
    pub(super) async fn get_urgent(&self, operation: &'static str, path: &[&str]) -> Result<Answer, Fault> {
        self.client.send(&Call::get(operation, self.url(path, &[])).urgent(), &self.auth()?).await
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

    /// The same of what may take that long.
    pub(super) async fn act_within(
        &self,
        deadline: Span,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, Fault> {
        let call = Call::act(operation, method, self.url(path, &[]), body);
        let call = call.within(std::time::Duration::from_millis(deadline.ms().unsigned_abs()));
        self.client.send(&call, &self.auth()?).await
    }

    /// One page of a list, of at most that many items.
    pub(super) async fn page<T: Item>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        (page, limit): (u64, u64),
    ) -> Result<(Vec<T>, Answer), Fault> {
        let (page, limit) = (page.to_string(), limit.to_string());
        let mut query = query.to_vec();
        query.extend([("page", page.as_str()), ("limit", limit.as_str())]);
        let answer = self.get(operation, path, &query).await?;
        let items = answer.json::<Option<Vec<T>>>()?;
        if items.is_none() && !T::NULL_IS_EMPTY {
            return Err(Fault::Unreadable { words: format!("{operation}: null in place of a list") });
        }
        Ok((items.unwrap_or_default(), answer))
    }

    /// Every item of a list, and the answer that brought the first page.
    ///
    /// A list that ends before the server's own count is reached is unreadable, never shorter.
    pub(super) async fn list<T: Item>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        counted: Counted,
    ) -> Result<(Vec<T>, Answer), Fault> {
        self.list_up_to(PAGES_MAX, operation, path, query, counted).await
    }

    /// The same for a list that may have so many pages.
    pub(super) async fn list_up_to<T: Item>(
        &self,
        pages_max: u64,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        counted: Counted,
    ) -> Result<(Vec<T>, Answer), Fault> {
        let limit = self.server().await.page;
        let (mut items, first) = self.page::<T>(operation, path, query, (1, limit)).await?;
        // On later pages older versions count what is left of the list, or nothing.
        let total = first.total;
        let mut had: BTreeSet<String> = items.iter().map(Item::key).collect();
        let unreadable = |words: String| Fault::Unreadable { words: format!("{operation}: {words}") };
        let mut empty = items.is_empty();
        for page in 2.. {
            let come = had.len() as u64;
            if total.is_some_and(|total| come >= total) || (empty && total.is_none()) {
                break;
            }
            if empty && (counted == Counted::Exactly || total.is_some_and(|total| (page - 2) * limit < total)) {
                return Err(unreadable(format!("only {come} of {} came: a page is missing", total.unwrap_or(0))));
            }
            if empty {
                break;
            }
            if page > pages_max {
                return Err(unreadable(format!("more than {pages_max} pages")));
            }
            let (more, _) = self.page::<T>(operation, path, query, (page, limit)).await?;
            empty = more.is_empty();
            // What is new at the front pushes the last of a page onto the next one.
            items.extend(more.into_iter().filter(|item| had.insert(item.key())));
        }
        Ok((items, first))
    }

    /// What the server says it is; where it does not say, what every server is.
    pub(super) async fn server(&self) -> Server {
        if let Some(server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return server;
        }
        let (version, limits) = (self.version().await, self.limits().await);
        let passing = |fault: Option<&Fault>| fault.is_some_and(|fault| fault.status().is_none_or(|s| s >= 500));
        let again = passing(version.as_ref().err()) || passing(limits.as_ref().err());
        let server = Server { version: version.ok().flatten(), page: limits.unwrap_or(PAGE) };
        // Forgejo tells a token without `read:misc` neither; that stays so until the token changes.
        if !again {
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server.clone());
        }
        server
    }

    /// Its version; none where it cannot be read.
    pub(super) async fn version(&self) -> Result<Option<Version>, Fault> {
        let said: wire::Version = self.get("version", &["version"], &[]).await?.json()?;
        Ok(Version::parse(&said.version))
    }

    async fn limits(&self) -> Result<u64, Fault> {
        let said: wire::Limits = self.get("limits", &["settings", "api"], &[]).await?.json()?;
        let page = said.max_response_items.and_then(|max| u64::try_from(max).ok()).filter(|max| *max > 0);
        Ok(page.map_or(PAGE, |max| max.min(PAGE)))
    }

    /// The name that our token logs in with.
    pub(super) async fn whoami(&self) -> Result<Option<String>, Fault> {
        let user: wire::User = self.get("user", &["user"], &[]).await?.json()?;
        Ok(user.login.filter(|login| !login.is_empty()))
    }
}
