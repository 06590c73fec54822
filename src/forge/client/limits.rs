//! What the forge allows us, and when it wants us back.
//!
//! Two things are known of an account (a token's user, an installation) and a resource (GitHub counts
//! REST and GraphQL apart): how many calls are left until when, from the headers of every answer;
//! and a time before which none is wanted, after an answer that said so. Times are kept on the
//! boottime clock, by the difference of the forge's own stamps, so that neither clock has to be right.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use towpath_core::model::{Instant, Span};

use super::stamp::http_date;

/// No forge has a window that is longer; a header that says more is wrong or hostile.
const WAIT_MAX: Span = Span::from_mins(61);

/// How long to stay away after GitHub's "secondary" limit where it does not say: its documentation
/// asks for at least a minute.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
const WAIT_UNSAID: Span = Span::from_mins(1);

/// What is left of an allowance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetSeen {
    /// Whose.
    pub account: String,
    /// Which of the forge's counts.
    pub resource: String,
    /// How many calls it allows in a window.
    pub limit: u64,
    /// How many are left of this one.
    pub left: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Budget {
    limit: u64,
    left: u64,
    /// When the window ends, on boottime.
    ends: i64,
    /// Whether the forge ever told.
    known: bool,
    /// No call before this, on boottime.
    not_before: i64,
    /// Calls whose answers will say what is then left. What is left is not lowered by guessing: an
    /// answer of 304 costs nothing.
    under_way: u64,
}

/// A call that is under way; dropped when it has ended in whatever way.
#[derive(Debug)]
pub(super) struct UnderWay<'a> {
    limits: &'a Limits,
    key: (String, String),
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut budgets = self.limits.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = budgets.get_mut(&self.key) {
            budget.under_way = budget.under_way.saturating_sub(1);
        }
    }
}

/// The count that stands for all of an account's.
const EVERY: &str = "*";

#[derive(Debug)]
pub(super) struct Limits {
    reserve_percent: u32,
    budgets: Mutex<HashMap<(String, String), Budget>>,
}

impl Limits {
    pub(super) fn new(reserve_percent: u32) -> Self {
        Self { reserve_percent, budgets: Mutex::default() }
    }

    /// Whether a call may go out now; else how long not.
    pub(super) fn take(&self, account: &str, resource: &str, urgent: bool, now: i64) -> Result<UnderWay<'_>, Span> {
        let key = (account.to_owned(), resource.to_owned());
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let whole =
            budgets.get(&(account.to_owned(), EVERY.to_owned())).and_then(|all| self.wait(all, urgent, now));
        let budget = budgets.entry(key.clone()).or_default();
        match self.wait(budget, urgent, now).max(whole) {
            Some(wait) => Err(wait),
            None => {
                budget.under_way += 1;
                Ok(UnderWay { limits: self, key })
            }
        }
    }

    /// How long reading calls of the account have to wait, if they have to: the longest of its counts.
    pub(super) fn rests(&self, account: &str, now: i64) -> Option<Span> {
        let budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let of = budgets.iter().filter(|((whose, _), _)| whose == account);
        of.filter_map(|(_, budget)| self.wait(budget, false, now)).max()
    }

    pub(super) fn read(&self) -> Vec<BudgetSeen> {
        let budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<BudgetSeen> = budgets
            .iter()
            .filter(|(_, budget)| budget.known)
            .map(|((account, resource), budget)| BudgetSeen {
                account: account.clone(),
                resource: resource.clone(),
                limit: budget.limit,
                left: budget.left,
            })
            .collect();
        all.sort_by(|a, b| (&a.account, &a.resource).cmp(&(&b.account, &b.resource)));
        all
    }

    fn wait(&self, budget: &Budget, urgent: bool, now: i64) -> Option<Span> {
        let reserve = if urgent { 0 } else { budget.limit.saturating_mul(self.reserve_percent.into()) / 100 };
        let left = budget.left.saturating_sub(budget.under_way);
        let spent = budget.known && left <= reserve && now < budget.ends;
        let until = budget.not_before.max(if spent { budget.ends } else { 0 });
        (now < until).then(|| Span::from_ms(until - now))
    }

    /// Reads the headers of an answer; answers how long to stay away, if it says so.
    ///
    /// `limited` is whether status and body say that this very call was over a limit.
    pub(super) fn learn(
        &self,
        account: &str,
        resource: &str,
        headers: &HeaderMap,
        limited: bool,
        now: i64,
        wall: Instant,
    ) -> Option<Span> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |names: [&str; 2]| names.iter().find_map(|name| text(name)?.parse::<u64>().ok());
        let date = text("date").and_then(http_date).unwrap_or(wall);
        let resource = text("x-ratelimit-resource").unwrap_or(resource);
        // Bounded: resources are the forge's words.
        let resource: String = resource.chars().take(40).collect();
        let until_reset = number(["x-ratelimit-reset", "ratelimit-reset"]).map(|at| {
            let at = i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(1_000);
            Span::from_ms(at.saturating_sub(date.0)).min(WAIT_MAX)
        });
        let left = number(["x-ratelimit-remaining", "ratelimit-remaining"]);
        let limit = number(["x-ratelimit-limit", "ratelimit-limit"]);
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budgets.entry((account.to_owned(), resource)).or_default();
        if let (Some(limit), Some(left), Some(until)) = (limit, left, until_reset) {
            let ends = now.saturating_add(until.ms());
            // Answers may overtake each other. Within a window what is left only falls; the ends of
            // one window differ by a second or two, because all stamps are whole seconds.
            let same = budget.known && (budget.ends - ends).abs() <= 5_000 && now < budget.ends;
            budget.left = if same { budget.left.min(left) } else { left };
            (budget.limit, budget.ends, budget.known) = (limit, ends, true);
        }
        let after = text("retry-after").and_then(|text| match text.parse::<i64>() {
            Ok(seconds) => Some(Span::from_secs(seconds)),
            Err(_) => http_date(text).map(|at| at.since(date)),
        });
        if !limited {
            return None;
        }
        let used_up = left == Some(0);
        let wait = after.or(if used_up { until_reset } else { None }).unwrap_or(WAIT_UNSAID).min(WAIT_MAX);
        // A limit by which this count is not used up is one of the account: whoever goes on with another count is kept away
        // the longer (GitHub's secondary limits,
        // <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
        let stopped =
            if used_up { budget } else { budgets.entry((account.to_owned(), EVERY.to_owned())).or_default() };
        stopped.not_before = stopped.not_before.max(now.saturating_add(wait.ms()));
        Some(wait)
    }
}

/// Whether an answer says that we are over a limit: 429 always; 403 and 503 where they say when to come
/// back, that nothing is left, or (GitHub's secondary limit, which may say neither) in words.
pub(super) fn limited(status: u16, headers: &HeaderMap, words: &str) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|had| had.as_bytes() == value.as_bytes());
    match status {
        429 => true,
        503 => headers.contains_key("retry-after"),
        403 => {
            let words = words.to_ascii_lowercase();
            headers.contains_key("retry-after")
                || is("x-ratelimit-remaining", "0")
                || is("ratelimit-remaining", "0")
                || words.contains("secondary rate limit")
                || words.contains("rate limit exceeded")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
    const WALL: Instant = Instant(0);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(*name, value.parse().expect("a header"));
        }
        map
    }

    /// What is left, and in how many seconds the window ends.
    fn told(left: u64, secs: i64) -> HeaderMap {
        let reset = http_date(DATE).expect("a date").0 / 1_000 + secs;
        let (left, reset) = (left.to_string(), reset.to_string());
        headers(&[
            ("date", DATE),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", &left),
            ("x-ratelimit-reset", &reset),
        ])
    }

    #[test]
    fn reading_stops_at_the_reserve_and_acting_at_nothing() {
        let limits = Limits::new(10);
        drop(limits.take("a", "core", false, 0).expect("nothing is known"));
        limits.learn("a", "core", &told(502, 600), false, 1_000, WALL);
        let one = limits.take("a", "core", false, 1_000).expect("502 are left");
        let two = limits.take("a", "core", false, 1_000).expect("501 are left");
        assert_eq!(limits.take("a", "core", false, 1_000).map(|_| ()), Err(Span::from_secs(600)));
        drop((one, two));
        for _ in 0..1_000 {
            // Answers of 304 cost nothing, and the forge says so.
            let one = limits.take("a", "core", false, 1_000).expect("502 are left");
            limits.learn("a", "core", &told(502, 600), false, 1_000, WALL);
            drop(one);
        }
        limits.learn("a", "core", &told(500, 600), false, 1_000, WALL);
        assert_eq!(limits.rests("a", 1_000), Some(Span::from_secs(600)));
        assert_eq!(limits.rests("b", 1_000), None);
        for (account, resource, urgent, now, why) in [
            ("a", "core", true, 1_000, "acting may"),
            ("a", "graphql", false, 1_000, "counted apart"),
            ("b", "core", false, 1_000, "another account"),
            ("a", "core", false, 601_000, "the window is over"),
        ] {
            drop(limits.take(account, resource, urgent, now).expect(why));
        }
        limits.learn("a", "core", &told(0, 600), false, 700_000, WALL);
        assert!(limits.take("a", "core", true, 700_000).is_err());
    }

    #[test]
    fn an_answer_that_was_overtaken_gives_nothing_back() {
        let limits = Limits::new(10);
        limits.learn("a", "core", &told(600, 600), false, 0, WALL);
        limits.learn("a", "core", &told(900, 601), false, 900, WALL);
        assert_eq!(limits.read()[0].left, 600);
        limits.learn("a", "core", &told(4_999, 3_600), false, 600_001, WALL);
        assert_eq!(limits.read()[0].left, 4_999);
    }

    #[test]
    fn it_is_obeyed_when_to_come_back_but_not_for_ever() {
        let limits = Limits::new(10);
        let wait = |map: &HeaderMap| limits.learn("a", "core", map, true, 0, WALL);
        assert_eq!(wait(&headers(&[("retry-after", "30")])), Some(Span::from_secs(30)));
        let at = headers(&[("date", DATE), ("retry-after", "Sat, 21 Nov 2026 10:02:00 GMT")]);
        assert_eq!(wait(&at), Some(Span::from_secs(120)));
        assert_eq!(wait(&headers(&[("retry-after", "99999999999999")])), Some(WAIT_MAX));
        assert_eq!(wait(&headers(&[("retry-after", "-5")])), Some(Span::ZERO));
        assert_eq!(wait(&headers(&[])), Some(WAIT_UNSAID));
        assert_eq!(wait(&told(0, 300)), Some(Span::from_secs(300)));
        assert_eq!(limits.take("a", "core", true, 0).map(|_| ()), Err(WAIT_MAX), "the longest holds, for all");
    }

    #[test]
    fn limits_are_told_from_missing_rights() {
        let none = HeaderMap::new();
        assert!(limited(429, &none, ""));
        assert!(!limited(403, &none, "Resource not accessible by integration"));
        assert!(limited(403, &none, "You have exceeded a secondary rate limit."));
        assert!(limited(403, &headers(&[("x-ratelimit-remaining", "0")]), ""));
        assert!(!limited(503, &none, ""));
        assert!(limited(503, &headers(&[("retry-after", "1")]), ""));
        assert!(!limited(200, &headers(&[("x-ratelimit-remaining", "0")]), ""));
    }

    /// One of the account keeps every count waiting, urgent or not; one that is used up only itself.
    #[test]
    fn a_limit_of_the_account_stops_all_that_it_asks() {
        let wall = Instant(0);
        for (headers, waits) in [
            (headers(&[("date", DATE), ("retry-after", "90"), ("x-ratelimit-resource", "core")]), Some(90)),
            (headers(&[("date", DATE), ("x-ratelimit-resource", "core")]), Some(WAIT_UNSAID.ms() / 1_000)),
            (told(0, 300), None),
        ] {
            let limits = Limits::new(10);
            limits.learn("ana", "core", &headers, true, 0, wall).expect("it says how long");
            assert!(limits.take("ana", "core", true, 1_000).is_err());
            let other = limits.take("ana", "graphql", true, 0).err();
            assert_eq!(other.map(|wait| wait.ms() / 1_000), waits, "{headers:?}");
            assert!(limits.take("bo", "graphql", true, 0).is_ok(), "it is another account");
            assert!(limits.read().iter().all(|budget| budget.resource == "core"), "it is no count to be shown");
            assert!(limits.take("ana", "graphql", true, 3_600_000).is_ok());
        }
    }
}
