//! A token that is made when it is needed, by one caller for all, and made anew before it ends.

use std::fmt;
use std::future::Future;

use tokio::sync::Mutex;
use towpath_core::model::Span;

use super::call::Auth;
use super::fault::Fault;

/// How long before its end a token is no longer used: calls under way should still find it valid.
const MARGIN: Span = Span::from_mins(5);

/// A token, ready to be used.
#[derive(Debug, Clone)]
pub struct Token {
    /// How calls carry it.
    pub auth: Auth,
    /// How long it is valid from now.
    pub lives: Span,
}

/// Holds a token. However many ask at once, one makes it and the others get the same, or the same
/// fault: a forge that is down is asked once, not once by each.
pub struct Fresh(Mutex<State>);

#[derive(Default)]
struct State {
    token: Option<(Auth, i64)>,
    /// The last attempt: its number, and its fault if it failed.
    attempt: (u64, Option<Fault>),
    /// When one was forgotten last that somebody else had refused.
    forgotten: Option<i64>,
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh(…)")
    }
}

impl Default for Fresh {
    fn default() -> Self {
        Self(Mutex::new(State::default()))
    }
}

impl Fresh {
    /// The token; `make` is called where there is none that is still good. `now` is boottime.
    ///
    /// # Errors
    /// The fault of making one.
    pub async fn get<F>(&self, now: impl Fn() -> i64, make: impl FnOnce() -> F) -> Result<Auth, Fault>
    where
        F: Future<Output = Result<Token, Fault>>,
    {
        // Whoever comes while one is being made waits in the lock; it then finds a newer attempt.
        let seen = self.0.try_lock().ok().map(|state| state.attempt.0);
        let mut state = self.0.lock().await;
        if let Some((auth, until)) = &state.token
            && now() < *until
        {
            return Ok(auth.clone());
        }
        if seen != Some(state.attempt.0)
            && let Some(fault) = &state.attempt.1
        {
            return Err(fault.clone());
        }
        state.token = None;
        let made = make().await;
        state.attempt.0 += 1;
        match made {
            Ok(token) => {
                // One that lives for less than two margins is used for half of its life.
                let margin = MARGIN.ms().min(token.lives.ms() / 2);
                state.token = Some((token.auth.clone(), now() + token.lives.ms() - margin));
                state.attempt.1 = None;
                Ok(token.auth)
            }
            Err(fault) => {
                state.attempt.1 = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// The forge did not take this token: it is not used again.
    pub async fn drop_if(&self, auth: &Auth) {
        let mut state = self.0.lock().await;
        if state.token.as_ref().is_some_and(|(held, _)| held.fingerprint == auth.fingerprint) {
            state.token = None;
        }
    }

    /// Somebody else than the API did not take the token, and may not have known it yet or not know it any more: it is
    /// made anew by the next who asks. Not more often than `every`: what is refused for another reason stays so.
    /// `now` is boottime.
    pub async fn forget(&self, now: i64, every: Span) {
        let mut state = self.0.lock().await;
        if state.forgotten.is_none_or(|at| now - at >= every.ms()) {
            (state.token, state.forgotten) = (None, Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    fn token(number: u32, lives: Span) -> Token {
        let auth = Auth::scheme("app", "Bearer", format!("token-{number}").as_bytes()).expect("a header");
        Token { auth, lives }
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_one_is_made_and_again_before_its_end() {
        let (fresh, made) = (Arc::new(Fresh::default()), Arc::new(AtomicU32::new(0)));
        let clock = Arc::new(AtomicI64::new(0));
        let ask = || {
            let (fresh, made, clock) = (Arc::clone(&fresh), Arc::clone(&made), Arc::clone(&clock));
            tokio::spawn(async move {
                let make = || async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok(token(made.fetch_add(1, Ordering::SeqCst), Span::from_mins(60)))
                };
                fresh.get(|| clock.load(Ordering::SeqCst), make).await.map(|auth| auth.fingerprint)
            })
        };
        let all: Vec<_> = (0..20).map(|_| ask()).collect();
        let mut got = Vec::new();
        for one in all {
            got.push(one.await.expect("ran").expect("made"));
        }
        got.dedup();
        assert_eq!((got.len(), made.load(Ordering::SeqCst)), (1, 1));
        clock.store(54 * 60_000, Ordering::SeqCst);
        assert_eq!(ask().await.expect("ran").expect("held"), got[0]);
        clock.store(56 * 60_000, Ordering::SeqCst);
        assert_ne!(ask().await.expect("ran").expect("made"), got[0]);
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_a_fault_and_the_next_tries_again() {
        let (fresh, tried) = (Arc::new(Fresh::default()), Arc::new(AtomicU32::new(0)));
        let ask = || {
            let (fresh, tried) = (Arc::clone(&fresh), Arc::clone(&tried));
            tokio::spawn(async move {
                let make = || async {
                    tried.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    Err(Fault::NotSent { words: "down".to_owned() })
                };
                fresh.get(|| 0, make).await.is_err()
            })
        };
        let all: Vec<_> = (0..10).map(|_| ask()).collect();
        for one in all {
            assert!(one.await.expect("ran"));
        }
        assert_eq!(tried.load(Ordering::SeqCst), 1);
        assert!(ask().await.expect("ran"));
        assert_eq!(tried.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_git_refused_is_made_anew_and_not_again_and_again() {
        let (fresh, made) = (Fresh::default(), AtomicU32::new(0));
        let ask = async |now: i64| {
            let make = || async { Ok(token(made.fetch_add(1, Ordering::SeqCst), Span::from_mins(60))) };
            fresh.get(|| now, make).await.expect("made");
            made.load(Ordering::SeqCst)
        };
        assert_eq!(ask(0).await, 1);
        for (now, expect) in [(1_000, 2), (2_000, 2), (600_999, 2), (601_000, 3), (602_000, 3)] {
            fresh.forget(now, Span::from_mins(10)).await;
            assert_eq!(ask(now).await, expect, "refused at {now}");
        }
    }

    #[tokio::test]
    async fn a_token_that_was_refused_is_dropped_and_no_other() {
        let fresh = Fresh::default();
        let one = fresh.get(|| 0, || async { Ok(token(1, Span::from_mins(60))) }).await.expect("made");
        fresh.drop_if(&token(2, Span::ZERO).auth).await;
        let same = fresh.get(|| 0, || async { Ok(token(3, Span::from_mins(60))) }).await.expect("held");
        assert_eq!(one.fingerprint, same.fingerprint);
        fresh.drop_if(&one).await;
        let other = fresh.get(|| 0, || async { Ok(token(3, Span::from_mins(60))) }).await.expect("made");
        assert_ne!(one.fingerprint, other.fingerprint);
    }
}
