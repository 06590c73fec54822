//! The connections: how many there are at once, and which one gives way to a newcomer.
//!
//! A connection is at work while a request of it is being answered. Otherwise it waits for its client: for the head of
//! a request, for more of a body, or for the answer to be taken. A client that is slow on purpose costs a seat and
//! nothing else; and once every seat is taken, the connection that has waited longest is closed for whoever comes. So
//! neither slow nor idle clients keep out a hook or a probe, and nothing that is at work is cut off. Where every
//! connection is at work, newcomers wait until one is not.
//!
//! HTTP/1.1 alone: a request has its connection to itself, so that it is known what a connection waits for. A proxy
//! speaks it to us whatever its own clients speak.
//!
//! Not here: routes, and how long an answer may take (`super`, `api`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::{BoxError, Router};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long to wait where the system has no more files or memory for a connection.
const SHORTAGE: Duration = Duration::from_secs(1);

/// What there is to sit on.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    taken: Mutex<Taken>,
    /// A seat was given back, or its connection waits for its client now.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    /// Counts beginnings, and so tells which of two was earlier.
    count: u64,
    seats: BTreeMap<u64, Seat>,
    /// Whether it was said that there are no more seats.
    said: bool,
}

#[derive(Debug)]
struct Seat {
    /// When its present request began, or its wait for one.
    since: u64,
    at_work: bool,
    leave: CancellationToken,
}

impl Taken {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// The seat of one connection; given back when dropped.
#[derive(Debug)]
struct Sitting {
    handle: Handle,
    leave: CancellationToken,
}

/// What the parts of a connection say of its seat.
#[derive(Debug, Clone)]
struct Handle {
    id: u64,
    seats: Arc<Seats>,
}

impl Seats {
    /// So many; at least one.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), taken: Mutex::default(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat, from whoever waits longest for its client if need be; `gave_way` is called if so.
    async fn sit(self: &Arc<Self>, gave_way: impl Fn()) -> Sitting {
        loop {
            let changed = self.changed.notified();
            if let Some(sitting) = self.try_sit(&gave_way) {
                return sitting;
            }
            changed.await;
        }
    }

    fn try_sit(self: &Arc<Self>, gave_way: impl Fn()) -> Option<Sitting> {
        let mut taken = self.lock();
        if taken.seats.len() >= self.most {
            if !std::mem::replace(&mut taken.said, true) {
                let seats = self.most;
                tracing::warn!(
                    seats,
                    "there are no more connections; those that wait longest for their clients make room"
                );
            }
            let waiting = taken.seats.iter().filter(|(_, seat)| !seat.at_work);
            let longest = waiting.min_by_key(|(_, seat)| seat.since).map(|(id, _)| *id)?;
            if let Some(seat) = taken.seats.remove(&longest) {
                seat.leave.cancel();
                gave_way();
            }
        } else if taken.seats.len() < self.most / 2 {
            taken.said = false;
        }
        let id = taken.next();
        let leave = CancellationToken::new();
        taken.seats.insert(id, Seat { since: id, at_work: false, leave: leave.clone() });
        Some(Sitting { handle: Handle { id, seats: Arc::clone(self) }, leave })
    }
}

impl Handle {
    /// Whether the seat is still ours; notes whether it is at work, and if `anew`, that something begins.
    fn note(&self, at_work: bool, anew: bool) -> bool {
        let mut taken = self.seats.lock();
        let now = taken.next();
        let Some(seat) = taken.seats.get_mut(&self.id) else { return false };
        seat.at_work = at_work;
        if anew {
            seat.since = now;
        }
        if !at_work {
            self.seats.changed.notify_one();
        }
        true
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        self.handle.seats.lock().seats.remove(&self.handle.id);
        self.handle.seats.changed.notify_one();
    }
}

/// A body on its way. While more of it is awaited, the connection is not at work.
struct Coming {
    body: Incoming,
    handle: Handle,
    awaited: bool,
}

impl hyper::body::Body for Coming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.awaited != polled.is_pending() {
            self.awaited = polled.is_pending();
            if !self.handle.note(!self.awaited, false) {
                return Poll::Ready(Some(Err("the connection had to make room".into())));
            }
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection had to make room between two requests.
#[derive(Debug, thiserror::Error)]
#[error("it had to make room for another")]
struct Gone;

/// Takes connections until `stop`. Those that are open then end once what they are at is answered; the last one gives
/// back the last clone of `seats`.
///
/// # Errors
/// If there can be no connection any more.
pub async fn take(
    listener: TcpListener,
    app: Router,
    (seats, head): (Arc<Seats>, Duration),
    gave_way: impl Fn(),
    stop: CancellationToken,
) -> io::Result<tokio_util::task::TaskTracker> {
    let open = tokio_util::task::TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener) => accepted?,
        };
        let sitting = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            sitting = seats.sit(&gave_way) => sitting,
        };
        open.spawn(attend(stream, peer, sitting, (app.clone(), head), stop.clone()));
    }
    open.close();
    Ok(open)
}

/// The next connection. What goes wrong with one of them is no matter for the others.
async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(error) => error,
        };
        match Errno::from_io_error(&error) {
            // It is no listening socket (any more); everything else is the network's or passes.
            Some(Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP) => return Err(error),
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                tracing::warn!(%error, "no connection can be taken for the moment");
                tokio::time::sleep(SHORTAGE).await;
            }
            _ => tracing::debug!(%error, "a connection was lost before it was taken"),
        }
    }
}

/// Answers the requests of one connection.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    sitting: Sitting,
    (app, head): (Router, Duration),
    stop: CancellationToken,
) {
    let app = TowerToHyperService::new(app);
    let handle = sitting.handle.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let handle = handle.clone();
        let ours = handle.note(true, true);
        request.extensions_mut().insert(ConnectInfo(peer));
        let body = handle.clone();
        let answer =
            app.call(request.map(|coming| Body::new(Coming { body: coming, handle: body, awaited: false })));
        async move {
            if !ours {
                return Err(Gone);
            }
            let answer: Result<_, Infallible> = answer.await;
            handle.note(false, true);
            answer.map_err(|never| match never {})
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = sitting.leave.cancelled() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn sit(seats: &Arc<Seats>) -> Option<Sitting> {
        seats.try_sit(|| {})
    }

    #[test]
    fn who_waits_longest_for_its_client_makes_room_and_who_is_at_work_does_not() {
        let seats = Arc::new(Seats::new(3));
        let (first, second, third) = (sit(&seats).unwrap(), sit(&seats).unwrap(), sit(&seats).unwrap());
        assert!(first.handle.note(true, true));
        // An answer given is a new beginning.
        assert!(second.handle.note(true, true) && second.handle.note(false, true));
        let made_room = Cell::new(0);
        let fourth = seats.try_sit(|| made_room.set(made_room.get() + 1)).unwrap();
        assert_eq!(made_room.get(), 1);
        assert!(third.leave.is_cancelled() && !first.leave.is_cancelled() && !second.leave.is_cancelled());
        assert!(!third.handle.note(true, true), "what comes too late is not begun");
        let fifth = sit(&seats).unwrap();
        assert!(second.leave.is_cancelled() && !fourth.leave.is_cancelled());
        for busy in [&fourth, &fifth] {
            assert!(busy.handle.note(true, true));
        }
        assert!(sit(&seats).is_none(), "all are at work");
        // A body that trickles in is as old as its request.
        assert!(first.handle.note(false, false));
        assert!(sit(&seats).is_some() && first.leave.is_cancelled());
        drop((first, second, third));
        drop(fourth);
        assert!(sit(&seats).is_some());
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_are_at_work() {
        let seats = Arc::new(Seats::new(1));
        let first = seats.sit(|| {}).await;
        first.handle.note(true, true);
        let mut second = std::pin::pin!(seats.sit(|| {}));
        assert!(std::future::poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx))).await.is_pending());
        first.handle.note(false, true);
        second.await;
        assert!(first.leave.is_cancelled());
    }
}
