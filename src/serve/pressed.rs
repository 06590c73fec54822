//! Who still waits, over HTTP, for the answer to a button that they pressed: it is shown in that very response.
//!
//! Each answer is given here or in another way, never both: whoever gives it takes the place of whoever waits, or finds
//! none and sends it. It counts as given when the response has taken its bytes; where the process dies before that it is
//! owed as every other one. Not here: what is answered (`chatter`), and which platform shows it (`chat`).

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::Stream;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many wait at most; more are told nothing at once, and answered beside.
const WAITING_MAX: usize = 100;

/// The chat, and what was pressed there ([`Incoming::once`](crate::chat::incoming::Incoming::once)).
type Key = (String, String);

/// All who wait.
#[derive(Debug, Default)]
pub struct Pressed(Mutex<Seats>);

#[derive(Debug, Default)]
struct Seats {
    /// Each with a number of its own: an old one ends no newer one of the same key.
    by_key: HashMap<Key, (u64, oneshot::Sender<Given>)>,
    next: u64,
}

/// One who waits; no more when dropped.
#[derive(Debug)]
pub struct Waits<'p> {
    all: &'p Pressed,
    key: Key,
    number: u64,
    given: oneshot::Receiver<Given>,
}

/// An answer for the response.
#[derive(Debug)]
pub struct Given {
    body: Bytes,
    /// Told when the bytes are gone.
    gone: oneshot::Sender<()>,
}

impl Pressed {
    fn seats<T>(&self, work: impl FnOnce(&mut Seats) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the answer to that can be given to whoever has this. None where somebody else waits for it, or too
    /// many wait.
    pub fn wait(&self, chat: &str, once: &str) -> Option<Waits<'_>> {
        let key = (chat.to_owned(), once.to_owned());
        self.seats(|seats| {
            if seats.by_key.len() >= WAITING_MAX || seats.by_key.contains_key(&key) {
                return None;
            }
            let (to, given) = oneshot::channel();
            let number = seats.next;
            seats.next = number.wrapping_add(1);
            seats.by_key.insert(key.clone(), (number, to));
            Some(Waits { all: self, key, number, given })
        })
    }

    fn take(&self, chat: &str, once: &str) -> Option<oneshot::Sender<Given>> {
        let key = (chat.to_owned(), once.to_owned());
        self.seats(|seats| seats.by_key.remove(&key)).map(|(_, to)| to)
    }

    /// Gives the answer to whoever waits for it. False where nobody does (any more): then it is still to be given.
    pub(super) async fn give(&self, chat: &str, once: &str, body: &Value) -> bool {
        let Some(to) = self.take(chat, once) else { return false };
        let (gone, is_gone) = oneshot::channel();
        to.send(Given { body: body.to_string().into(), gone }).is_ok() && is_gone.await.is_ok()
    }

    /// Nothing will be given to whoever waits for that.
    pub(super) fn release(&self, chat: &str, once: &str) {
        drop(self.take(chat, once));
    }
}

impl Waits<'_> {
    /// The answer, if it comes in time.
    pub async fn given(mut self, patience: Duration) -> Option<Given> {
        if let Ok(given) = timeout(patience, &mut self.given).await {
            return given.ok();
        }
        // Whoever took the seat in this moment gives it at once.
        if self.leave() { None } else { (&mut self.given).await.ok() }
    }

    /// Whether the seat was still ours.
    fn leave(&self) -> bool {
        self.all.seats(|seats| {
            let ours = seats.by_key.get(&self.key).is_some_and(|(number, _)| *number == self.number);
            if ours {
                seats.by_key.remove(&self.key);
            }
            ours
        })
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Given {
    /// The response that holds it.
    pub fn into_response(self) -> Response {
        let length = self.body.len();
        let bytes = Leaving { body: Some(self.body), gone: Some(self.gone) };
        let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_LENGTH, length.to_string())];
        (headers, Body::from_stream(bytes)).into_response()
    }
}

/// Bytes that tell when they are gone: once they were taken, and whoever took them needs no more.
struct Leaving {
    body: Option<Bytes>,
    gone: Option<oneshot::Sender<()>>,
}

impl Stream for Leaving {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.body.take().map(Ok))
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // A connection that went before has taken nothing: then the other side finds this dropped.
        if let Some(gone) = self.gone.take().filter(|_| self.body.is_none()) {
            let _ = gone.send(());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    const SOON: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    async fn read(given: Given) -> Value {
        let bytes = axum::body::to_bytes(given.into_response().into_body(), 1_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn it_is_given_to_whoever_waits_for_it_and_to_nobody_else() {
        let all = Pressed::default();
        let [one, two] = [all.wait("a", "1").unwrap(), all.wait("a", "2").unwrap()];
        assert!(all.wait("a", "1").is_none(), "one waits for it already");
        let three = all.wait("b", "1").unwrap();
        let answer = json!({ "n": 2 });
        let (given, read) =
            tokio::join!(all.give("a", "2", &answer), async { read(two.given(LONG).await.unwrap()).await });
        assert!(given && read == json!({ "n": 2 }));
        assert!(!all.give("a", "2", &json!({})).await, "once");
        assert!(!all.give("c", "1", &json!({})).await);
        all.release("b", "1");
        assert!(three.given(LONG).await.is_none(), "at once");
        assert!(one.given(SOON).await.is_none());
        assert!(!all.give("a", "1", &json!({})).await, "nobody waits any more");
        let many: Vec<_> = (0..WAITING_MAX).filter_map(|n| all.wait("a", &n.to_string())).collect();
        assert!(many.len() == WAITING_MAX && all.wait("a", "more").is_none());
        drop(many);
        assert!(all.wait("a", "more").is_some());
    }

    #[tokio::test]
    async fn what_went_before_it_had_the_bytes_has_been_given_nothing() {
        let all = Pressed::default();
        let answer = json!({});
        // The request goes away; the response is dropped; and its body is.
        drop(all.wait("a", "1").unwrap());
        assert!(!all.give("a", "1", &answer).await);
        let two = all.wait("a", "2").unwrap();
        let (given, ()) = tokio::join!(all.give("a", "2", &answer), async { drop(two.given(LONG).await) });
        assert!(!given);
        let three = all.wait("a", "3").unwrap();
        let (given, ()) = tokio::join!(all.give("a", "3", &answer), async {
            drop(three.given(LONG).await.unwrap().into_response());
        });
        assert!(!given);
        // An old one that ends does not end a new one of the same key.
        let old = all.wait("a", "4").unwrap();
        all.release("a", "4");
        let new = all.wait("a", "4").unwrap();
        drop(old);
        let (given, _) =
            tokio::join!(all.give("a", "4", &answer), async { read(new.given(LONG).await.unwrap()).await });
        assert!(given);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_is_first_gives_it_and_never_both() {
        let all = Arc::new(Pressed::default());
        let (mut here, mut beside) = (0, 0);
        for round in 0_u64..2_000 {
            let (once, giving) = (round.to_string(), all.clone());
            let waits = all.wait("a", &once).unwrap();
            let lane = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_micros(round % 7 * 300)).await;
                giving.give("a", &once, &json!({ "round": round })).await
            });
            let came = match waits.given(SOON).await {
                Some(given) => Some(read(given).await),
                None => None,
            };
            let given = lane.await.unwrap();
            assert_eq!(came.is_some(), given, "round {round}");
            assert!(came.is_none_or(|came| came == json!({ "round": round })));
            if given { here += 1 } else { beside += 1 }
        }
        assert!(here > 0 && beside > 0, "{here} {beside}");
    }
}
