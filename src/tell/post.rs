//! Brings notices to their sinks: outside of passes, so that a sink that is slow or gone keeps no flow waiting.
//!
//! Every notice is in the store before it is sent, and is sent again until the sink took it: at least once, each time
//! under the same id. Two processes that deliver at once claim what they send; one that dies in the middle lets go of
//! it a minute later. The notices of one sink go one after the other, those of several side by side.
//!
//! Not here: what is told (`notice`), and when a notice is tried again (`backoff`).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use towpath_core::model::{Instant, Span};
use towpath_core::text::one_line;

use super::backoff::{self, Answer, Next};
use super::chat;
use super::notice::too_late_from;
use super::sink::Sinks;
use crate::clock::Clock;
use crate::forge::client::Fault;
use crate::store::{NoticeRow, NoticeState, SqliteStore, StoreError};

/// How many notices of a sink are sent in one go.
pub(super) const AT_ONCE: usize = 50;

/// For how long what is being sent is let alone by others: longer than a call may take.
pub(super) const CLAIMED: Span = Span::from_secs(60);

/// For how long the notices of one sink are sent before those of the others are looked for again.
pub(super) const LINE_MAX: Duration = Duration::from_secs(15);

/// What happened longer ago than this is given up once its sink takes nothing: nobody wants last week's promotions when
/// it comes back.
const OLD: Span = Span::from_mins(26 * 60);

/// The longest text kept of a failure, in characters.
const WORDS_MAX: usize = 300;

/// What a delivery came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many notices sinks took, by sink.
    pub sent: BTreeMap<String, u64>,
    /// How many tries failed, by sink; of them some were given up.
    pub failed: BTreeMap<String, u64>,
    /// How many were given up, by sink.
    pub dead: BTreeMap<String, u64>,
    /// When the next one is due, if any waits.
    pub next: Option<Instant>,
}

/// Sends what is due.
///
/// # Errors
/// If the store cannot be read.
pub async fn deliver(store: &SqliteStore, sinks: &Sinks, clock: &Clock) -> Result<Delivered, StoreError> {
    let mut by_sink: BTreeMap<String, Vec<NoticeRow>> = BTreeMap::new();
    // A chat may have a digest to be told without any notice.
    by_sink.extend(sinks.in_chats().map(|sink| (sink.name.clone(), Vec::new())));
    for row in store.notices_due(clock.reading().wall, AT_ONCE).await? {
        by_sink.entry(row.sink.clone()).or_default().push(row);
    }
    let lines = by_sink.into_iter().map(|(sink, rows)| async move {
        match sinks.in_chat(&sink) {
            Some(chat) => chat::deliver::of_chat(store, chat, clock, !rows.is_empty()).await,
            None => of_sink(store, sinks, clock, sink, rows).await,
        }
    });
    let mut all = Delivered::default();
    let mut rests = None;
    for one in join_all(lines).await {
        all.sent.extend(one.sent);
        all.failed.extend(one.failed);
        all.dead.extend(one.dead);
        rests = [rests, one.next].into_iter().flatten().min();
    }
    // A sink that takes nothing has others that are due: one is tried each time, until it is there again.
    all.next = if rests.is_some() { rests } else { store.next_notice().await? };
    Ok(all)
}

/// The notices of one sink, oldest first, until there are no more or it is not there. Then `next` is when it is tried
/// again.
async fn of_sink(
    store: &SqliteStore,
    sinks: &Sinks,
    clock: &Clock,
    sink: String,
    rows: Vec<NoticeRow>,
) -> Delivered {
    let mut told = Delivered::default();
    let begun = tokio::time::Instant::now();
    for mut row in rows {
        let wall = clock.reading().wall;
        if begun.elapsed() > LINE_MAX {
            return Delivered { next: Some(wall), ..told };
        }
        match store.claim_notice(&row, wall + CLAIMED).await {
            Ok(true) => {}
            // Another process has it.
            Ok(false) => continue,
            Err(error) => {
                tracing::warn!(sink, %error, "a notice cannot be sent: the store failed");
                return Delivered { next: Some(wall + CLAIMED), ..told };
            }
        }
        if let Some(late) = too_late_from(&row.notice).filter(|late| *late <= wall) {
            give_up_late(&mut row, late, wall, &mut told);
            if let Err(error) = store.settle_notice(&row).await {
                tracing::warn!(sink, id = row.id, %error, "what became of a notice could not be stored");
                return Delivered { next: Some(wall + CLAIMED), ..told };
            }
            continue;
        }
        row.attempts = row.attempts.saturating_add(1);
        let came = sinks.send(&row, wall).await;
        let wall = clock.reading().wall;
        let gone = tried(&mut row, &came, wall, &mut told);
        if let Err(error) = store.settle_notice(&row).await {
            // It is sent again, under the same id.
            tracing::warn!(sink, id = row.id, %error, "what became of a notice could not be stored");
            return Delivered { next: Some(wall + CLAIMED), ..told };
        }
        if gone {
            give_up_old(store, &row, wall, &mut told).await;
            return Delivered { next: Some(row.next).filter(|_| row.state == NoticeState::Waiting), ..told };
        }
    }
    told
}

/// Gives up, in the row, what is of no use from `late` on.
pub(super) fn give_up_late(row: &mut NoticeRow, late: Instant, wall: Instant, told: &mut Delivered) {
    let tried = row.words.take().filter(|_| row.attempts > 0);
    let before = tried.map(|words| format!("; before that: {words}")).unwrap_or_default();
    let words = format!("it is too late: what it announces was to come at {late}{before}");
    (row.state, row.next, row.words) = (NoticeState::Dead, wall, Some(one_line(&words, WORDS_MAX)));
    *told.dead.entry(row.sink.clone()).or_default() += 1;
    tracing::warn!(sink = row.sink, id = row.id, "a heads-up came too late to be of use and was given up");
}

/// Gives up what the sink of a failed notice was to be told long ago.
pub(super) async fn give_up_old(store: &SqliteStore, row: &NoticeRow, wall: Instant, told: &mut Delivered) {
    let words = row.words.as_deref().unwrap_or_default();
    match store.give_up_notices(&row.sink, Instant(wall.0 - OLD.ms()), wall, words).await {
        Ok(0) => {}
        Ok(count) => {
            tracing::error!(sink = row.sink, count, "notices are too old and were given up; see `towpath outbox`");
            *told.dead.entry(row.sink.clone()).or_default() += count;
        }
        Err(error) => tracing::warn!(sink = row.sink, %error, "what is too old to be told could not be given up"),
    }
}

/// What a try came to, in the row; whether the sink is not there, so that the others need not be tried now.
pub(super) fn tried(row: &mut NoticeRow, came: &Result<(), Failed>, wall: Instant, told: &mut Delivered) -> bool {
    let sink = &row.sink;
    let failed = match came {
        Ok(()) => {
            *told.sent.entry(sink.clone()).or_default() += 1;
            (row.state, row.next, row.words) = (NoticeState::Sent, wall, None);
            return false;
        }
        Err(failed) => failed,
    };
    let words = one_line(&failed.to_string(), WORDS_MAX);
    tracing::warn!(sink, id = row.id, attempt = row.attempts, words, "a notice was not taken");
    row.words = Some(words);
    if matches!(failed, Failed::NoSink { .. }) {
        // Nothing is the matter with any sink.
        (row.state, row.next) = (NoticeState::Dead, wall);
        return false;
    }
    *told.failed.entry(row.sink.clone()).or_default() += 1;
    match next(row, failed) {
        Next::Again(span) => row.next = wall + span,
        // Only what was taken is done, and this was not.
        Next::Dead(_) | Next::Done => {
            *told.dead.entry(row.sink.clone()).or_default() += 1;
            (row.state, row.next) = (NoticeState::Dead, wall);
            tracing::error!(sink = row.sink, id = row.id, "a notice was given up; see `towpath outbox`");
        }
    }
    // What it says no to is this one; whatever else is the matter is the matter with all.
    !matches!(failed, Failed::NotMade { .. })
        && !matches!(failed, Failed::Call(Fault::Said { status: 400 | 409 | 410 | 413 | 415 | 422, .. }))
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// There is no such sink in the config.
    #[error(
        "there is no `[sink.{name}]` in the config any more; what it was to be told is sent by `towpath outbox again` once there is"
    )]
    NoSink {
        /// Its name.
        name: String,
    },
    /// What is to be sent cannot be made.
    #[error("{words}")]
    NotMade {
        /// Why, and how to mend it.
        words: String,
    },
    /// A chat did not take it.
    #[error("{words}")]
    Chat {
        /// Why, without secrets.
        words: String,
        /// Not before that long from now, where the platform said so.
        after: Option<Span>,
    },
    /// It was sent, or was to be.
    #[error("{}", said(.0))]
    Call(#[from] Fault),
}

/// The fault of a call in the words of a sink.
fn said(fault: &Fault) -> String {
    match fault {
        Fault::Said { status: status @ 300..=399, .. } => {
            format!("it answered {status}: redirects are not followed; write the final address in `url`")
        }
        Fault::Limited { again_in, .. } => format!("it wants no calls for {again_in}"),
        Fault::Said { status, words } if words.is_empty() => format!("it answered {status}"),
        Fault::Said { status, words } => format!("it answered {status}: {words}"),
        other => other.to_string(),
    }
}

/// What becomes of a notice that was not taken.
fn next(row: &NoticeRow, failed: &Failed) -> Next {
    let answer = match failed {
        Failed::Call(Fault::Said { status, .. }) => Answer::Status { status: *status, retry_after: None },
        Failed::Call(Fault::Limited { again_in, .. }) => {
            Answer::Status { status: 429, retry_after: Some(*again_in) }
        }
        Failed::Chat { after: Some(after), .. } => Answer::Status { status: 429, retry_after: Some(*after) },
        // A config that is mended, and a secret that comes late, are worth waiting for.
        Failed::Call(_) | Failed::Chat { after: None, .. } | Failed::NoSink { .. } | Failed::NotMade { .. } => {
            Answer::Nothing
        }
    };
    backoff::after(row.attempts, &row.id, answer)
}
