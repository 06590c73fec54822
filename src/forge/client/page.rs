//! Lists of several pages, read to the last or not at all.
//!
//! The next page is where `Link` says, or one further where a page was full and `Link` says nothing:
//! proxies drop headers, and a list that was cut off unnoticed could hide the one red check. Only
//! the query of a `Link` is believed, never its host: behind a proxy it names a machine that we may
//! not reach, and a hostile one would be handed the credential.

use std::collections::BTreeSet;

use super::Client;
use super::call::{Answer, Auth, Call};
use super::fault::Fault;

/// More pages than this are not read. At 100 a page it is more than any forge reports of a commit.
pub const PAGES_MAX: usize = 50;

/// What one page held.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many there are on all pages, where the forge says so.
    pub total: Option<u64>,
}

impl Client {
    /// Every item of every page. `per_page` is what the URL asks for; `take` reads one page.
    ///
    /// # Errors
    /// The first fault; [`Fault::Unreadable`] where pages end before the forge's own total is
    /// reached, go in circles, or are too many.
    pub async fn pages<T>(
        &self,
        call: &Call,
        auth: &Auth,
        per_page: usize,
        take: impl Fn(&Answer) -> Result<Page<T>, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.pages_up_to(PAGES_MAX, call, auth, per_page, take).await
    }

    /// The same for a list that may have more pages, or fewer, than others.
    ///
    /// # Errors
    /// As of [`Client::pages`].
    pub async fn pages_up_to<T>(
        &self,
        pages_max: usize,
        call: &Call,
        auth: &Auth,
        per_page: usize,
        take: impl Fn(&Answer) -> Result<Page<T>, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(call.url.query().unwrap_or_default().to_owned());
        let unreadable = |words: String| Fault::Unreadable { words: format!("{}: {words}", call.operation) };
        let mut total = None;
        while let Some(query) = next {
            if seen.len() >= pages_max {
                return Err(unreadable(format!("more than {pages_max} pages")));
            }
            if !seen.insert(query.clone()) {
                return Err(unreadable("its pages go in circles".to_owned()));
            }
            let answer = self.send(&call.clone().with_query(&query), auth).await?;
            let page = take(&answer)?;
            let full = page.items.len() >= per_page;
            items.extend(page.items);
            total = page.total.or(total);
            let enough = total.is_some_and(|total| items.len() as u64 >= total);
            next = answer.link.as_deref().and_then(next_query);
            if next.is_none() && full && !enough {
                next = Some(one_further(&query));
            }
        }
        match total {
            Some(total) if (items.len() as u64) < total => {
                Err(unreadable(format!("only {} of {total} came: a page is missing", items.len())))
            }
            _ => Ok(items),
        }
    }
}

/// The query of the URL that `Link` calls `next`.
fn next_query(link: &str) -> Option<String> {
    // URLs in it hold commas and semicolons in escapes only, if their makers follow RFC 8288; the
    // angle brackets are what can be relied on.
    link.split('<').skip(1).find_map(|part| {
        let (url, params) = part.split_once('>')?;
        let params = params.to_ascii_lowercase().replace(' ', "");
        let rel = params
            .split(';')
            .find_map(|param| param.trim_end_matches(',').strip_prefix("rel=").map(str::to_owned))?;
        let is_next = rel.trim_matches('"').split(',').any(|word| word.trim_matches('"') == "next");
        let query = url.split_once('?')?.1;
        (is_next && !query.is_empty()).then(|| query.split('#').next().unwrap_or(query).to_owned())
    })
}

/// The query for the next page by number.
fn one_further(query: &str) -> String {
    let page = |part: &&str| part.strip_prefix("page=").and_then(|n| n.parse::<u64>().ok());
    let at = query.split('&').find_map(|part| page(&part)).unwrap_or(1);
    let others = query.split('&').filter(|part| !part.is_empty() && page(part).is_none());
    let mut parts: Vec<String> = others.map(str::to_owned).collect();
    parts.push(format!("page={}", at.saturating_add(1)));
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_forges_are_read() {
        let github = r#"<https://api.github.com/repositories/1/x?per_page=100&page=2>; rel="next", <https://api.github.com/repositories/1/x?per_page=100&page=5>; rel="last""#;
        assert_eq!(next_query(github).as_deref(), Some("per_page=100&page=2"));
        let last = r#"<https://h/x?page=4>; rel="prev", <https://h/x?page=1>; rel="first""#;
        assert_eq!(next_query(last), None);
        // Gitea has its commas without spaces.
        let gitea = r#"<http://h/x?limit=2&page=3>; rel="next",<http://h/x?limit=2&page=9>; rel="last""#;
        assert_eq!(next_query(gitea).as_deref(), Some("limit=2&page=3"));
        let prev_first = r#"<http://h/x?page=1>; rel="prev", <http://h/x?page=3>; rel="next""#;
        assert_eq!(next_query(prev_first).as_deref(), Some("page=3"));
        assert_eq!(next_query("<http://evil/>; rel=\"next\""), None);
        assert_eq!(next_query("nonsense"), None);
    }

    #[test]
    fn one_further_keeps_the_rest() {
        assert_eq!(one_further(""), "page=2");
        assert_eq!(one_further("per_page=100"), "per_page=100&page=2");
        assert_eq!(one_further("page=7&per_page=100"), "per_page=100&page=8");
    }
}
