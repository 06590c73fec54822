//! Carries out what is to be said in a chat: calls the platform, and has the store remember what stands there.
//!
//! One process at a time tells a chat, so that of two that find no message of a promotion not each posts one. What was
//! posted is remembered with the notices that it says, in one transaction. The first call that fails ends the turn: what
//! comes after it may build on it.
//!
//! Not here: what is said (`plan`, `digest`), and when a notice is tried again (`crate::tell::backoff`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use towpath_core::model::{EnvName, FlowName, Instant, Span};
use towpath_core::text::one_line;

use super::day::day;
use super::digest::{digest, due};
use super::kept::{Body, Kept, Saying, State};
use super::plan::{Due, Step, Why, say};
use super::{Settings, Told};
use crate::chat::incoming::MessageAt;
use crate::chat::sent::Sent;
use crate::clock::Clock;
use crate::store::{MessageRow, NoticeRow, NoticeState, SqliteStore, StoreError};
use crate::tell::post::{AT_ONCE, CLAIMED, Delivered, Failed, LINE_MAX, give_up_late, give_up_old, tried};
use crate::tell::sink::InChat;

/// When a chat that another process tells is looked for again.
const BUSY: Span = Span::from_secs(5);

/// When a digest that was not taken is tried again.
const DIGEST_AGAIN: Span = Span::from_mins(5);

/// Among how many notices that wait those are looked for that were taken back.
const WAITING_MAX: usize = 2_000;

/// The longest text of a failure that is logged, in characters.
const WORDS_MAX: usize = 300;

/// Tells one chat what is due, its digest too. `any` says whether notices of it are due.
pub(in crate::tell) async fn of_chat(store: &SqliteStore, chat: InChat<'_>, clock: &Clock, any: bool) -> Delivered {
    let name = &chat.sink.name;
    let now = clock.reading().wall;
    let since = match digest_due(store, chat, now).await {
        Ok(since) => since,
        Err(error) => return failed(name, &error, now),
    };
    if !any && since.is_none() {
        return Delivered::default();
    }
    let until = now + CLAIMED;
    match store.claim_chat(name, now, until).await {
        Ok(true) => {}
        Ok(false) => return Delivered { next: Some(now + BUSY), ..Delivered::default() },
        Err(error) => return failed(name, &error, now),
    }
    let told = match Turn::begin(store, chat, clock).await {
        Ok(turn) => turn.all().await,
        Err(error) => failed(name, &error, now),
    };
    if let Err(error) = store.release_chat(name, until).await {
        tracing::debug!(sink = name, %error, "a chat is let go of in a minute");
    }
    told
}

fn failed(sink: &str, error: &StoreError, now: Instant) -> Delivered {
    tracing::warn!(sink, %error, "a chat cannot be told: the store failed");
    Delivered { next: Some(now + CLAIMED), ..Delivered::default() }
}

/// Since when a digest is to be told now, if one is.
async fn digest_due(store: &SqliteStore, chat: InChat<'_>, now: Instant) -> Result<Option<Instant>, StoreError> {
    let Some(schedule) = &chat.chat.digest else { return Ok(None) };
    if now.0 < chat.digest_again.load(Ordering::Relaxed) {
        return Ok(None);
    }
    Ok(due(store.last_digest(&chat.sink.name).await?, schedule, now))
}

/// One go at what is due, while the chat is ours.
struct Turn<'t> {
    store: &'t SqliteStore,
    chat: InChat<'t>,
    clock: &'t Clock,
    begun: tokio::time::Instant,
    /// What is due, by id.
    rows: BTreeMap<String, NoticeRow>,
    kept: Vec<Kept>,
    told: Delivered,
}

/// When that is to come which a message announces, if it does.
fn announced_at(saying: &Saying) -> Option<Instant> {
    let Body::One { newest, .. } = &saying.body else { return None };
    let is_to_come = saying.state == State::Open && newest.notice.event == "heads-up";
    newest.announced.as_ref().filter(|_| is_to_come).map(|range| range.at)
}

/// A step that was not carried out.
struct NotSaid {
    words: String,
    after: Option<Span>,
}

impl<'t> Turn<'t> {
    /// Reads what stands and what is due, now that nobody else changes it.
    async fn begin(store: &'t SqliteStore, chat: InChat<'t>, clock: &'t Clock) -> Result<Self, StoreError> {
        let (name, now) = (&chat.sink.name, clock.reading().wall);
        let read = |row: MessageRow| {
            let kept =
                Kept::read((row.sink, row.channel, row.post), (row.posted, row.changed), &row.state, &row.saying);
            kept.inspect_err(|error| tracing::warn!(sink = name, %error, "a message of ours cannot be read")).ok()
        };
        let kept = store.messages(name, now).await?.into_iter().filter_map(read).collect();
        let rows = store.notices_due(now, AT_ONCE).await?.into_iter().filter(|row| row.sink == *name);
        let mut rows: BTreeMap<String, NoticeRow> = rows.map(|row| (row.id.clone(), row)).collect();
        // What is taken back must not be announced after it, only because it was refused once and waits.
        let is_of = |row: &NoticeRow, event: &str| {
            serde_json::from_str::<Told>(&row.notice).is_ok_and(|told| told.notice.event == event)
        };
        let back: BTreeSet<(FlowName, EnvName)> = rows
            .values()
            .filter(|row| is_of(row, "taken-back"))
            .map(|row| (row.flow.clone(), row.env.clone()))
            .collect();
        if !back.is_empty() {
            let waiting = store.notices(Some(NoticeState::Waiting), WAITING_MAX).await?.into_iter();
            let waiting =
                waiting.filter(|row| row.sink == *name && back.contains(&(row.flow.clone(), row.env.clone())));
            rows.extend(waiting.filter(|row| is_of(row, "heads-up")).map(|row| (row.id.clone(), row)));
        }
        let told = Delivered::default();
        Ok(Self { store, chat, clock, begun: tokio::time::Instant::now(), rows, kept, told })
    }

    fn wall(&self) -> Instant {
        self.clock.reading().wall
    }

    /// Everything, until something fails or it takes too long.
    async fn all(mut self) -> Delivered {
        let steps = match self.steps().await {
            Ok(steps) => steps,
            Err(error) => return self.stop(&error),
        };
        for (at, step) in steps.iter().enumerate() {
            if self.begun.elapsed() > LINE_MAX {
                return Delivered { next: Some(self.wall()), ..self.told };
            }
            match self.carry_out(step).await {
                Ok(Ok(())) => {}
                Ok(Err(not_said)) => {
                    // What changes a message beside that of its event is tried again with the event.
                    let covers = steps.iter().skip(at).map(Step::covers).find(|covers| !covers.is_empty());
                    return self.gives_way(covers.unwrap_or_default(), not_said).await;
                }
                Err(error) => return self.stop(&error),
            }
        }
        // Longer than that the chat may not be ours.
        if self.begun.elapsed() <= LINE_MAX {
            self.digest().await;
        }
        self.told
    }

    fn stop(self, error: &StoreError) -> Delivered {
        // What was said without being remembered is said once more.
        tracing::warn!(sink = self.chat.sink.name, %error, "what a chat was told could not be stored");
        let wall = self.wall();
        Delivered { next: Some(wall + CLAIMED), ..self.told }
    }

    /// What is to be said. A notice that cannot be read is put off as any that fails.
    async fn steps(&mut self) -> Result<Vec<Step>, StoreError> {
        let (mut due, mut unreadable) = (Vec::new(), Vec::new());
        for row in self.rows.values() {
            match serde_json::from_str::<Told>(&row.notice) {
                Ok(told) => due.push(Due { id: row.id.clone(), told }),
                Err(error) => unreadable.push((row.clone(), error)),
            }
        }
        for (row, error) in unreadable {
            let words = format!("what is in the store cannot be read: {error}");
            self.fails(row, &Failed::NotMade { words }).await?;
        }
        let (config, of) = (self.chat.chat, self.chat.system.map(|system| &system.config));
        let settings = Settings {
            people: self.chat.people,
            platform: config.platform,
            team: of.and_then(|chat| match &*chat.teams {
                [team] => Some(team.as_str()),
                _ => None,
            }),
            mention: config.mention,
            storm: config.storm,
            zone: config.zone,
        };
        Ok(say(&self.kept, &due, self.wall(), &settings))
    }

    /// Carries a step out, and remembers it.
    async fn carry_out(&mut self, step: &Step) -> Result<Result<(), NotSaid>, StoreError> {
        match step {
            Step::Nothing { covers, why: Why::TooLate { at } } => self.too_late(covers, *at).await,
            Step::Nothing { covers, why } => {
                self.store.pass_over_notices(covers, why.words().unwrap_or_default(), self.wall()).await?;
                Ok(Ok(()))
            }
            Step::Post { saying, covers } => self.post(saying, covers).await,
            Step::Update { channel, post, saying, covers } => {
                let at = MessageAt { channel: channel.clone(), id: post.clone() };
                let sent = match self.chat.system {
                    Some(system) => system.update(&at, &saying.message).await,
                    None => self.no_system(),
                };
                match sent {
                    Sent::Posted(_) | Sent::Answered => self.remember(&at, saying, covers).await,
                    // Nothing new is in it, so nobody misses it.
                    Sent::Gone if covers.is_empty() => self.remember(&at, saying, covers).await,
                    Sent::Never { words } if covers.is_empty() => {
                        let words = one_line(&words, WORDS_MAX);
                        tracing::warn!(sink = self.chat.sink.name, words, "a message cannot be changed any more");
                        self.remember(&at, saying, covers).await
                    }
                    Sent::Gone => self.post(saying, covers).await,
                    Sent::Later { after, words } => Ok(Err(NotSaid { words, after })),
                    Sent::Never { words } => Ok(Err(NotSaid { words, after: None })),
                }
            }
        }
    }

    async fn post(&mut self, saying: &Saying, covers: &[String]) -> Result<Result<(), NotSaid>, StoreError> {
        // What was in time when it was worked out may not be any more, after the calls before it.
        if let Some(late) = announced_at(saying).filter(|at| *at <= self.wall()) {
            return self.too_late(covers, late).await;
        }
        let sent = match self.chat.system {
            Some(system) => system.post(&self.chat.chat.channel, &saying.message).await,
            None => self.no_system(),
        };
        match sent {
            Sent::Posted(at) => self.remember(&at, saying, covers).await,
            Sent::Later { after, words } => Ok(Err(NotSaid { words, after })),
            Sent::Never { words } => Ok(Err(NotSaid { words, after: None })),
            Sent::Answered | Sent::Gone => {
                let words = "the platform did not say where the message is".to_owned();
                Ok(Err(NotSaid { words, after: None }))
            }
        }
    }

    /// Gives up what was to come by now.
    async fn too_late(&mut self, covers: &[String], late: Instant) -> Result<Result<(), NotSaid>, StoreError> {
        let wall = self.wall();
        for id in covers {
            let Some(mut row) = self.rows.get(id).cloned() else { continue };
            give_up_late(&mut row, late, wall, &mut self.told);
            self.store.settle_notice(&row).await?;
        }
        Ok(Ok(()))
    }

    fn no_system(&self) -> Sent {
        let words = format!("`[chat.{}]` cannot be called; the log says why", self.chat.chat.chat);
        Sent::Later { after: None, words }
    }

    /// What stands there is remembered with the notices that it tells.
    async fn remember(
        &mut self,
        at: &MessageAt,
        saying: &Saying,
        covers: &[String],
    ) -> Result<Result<(), NotSaid>, StoreError> {
        let wall = self.wall();
        let before = self.kept.iter().find(|kept| kept.channel == at.channel && kept.post == at.id);
        let text = match serde_json::to_string(saying) {
            Ok(text) => text,
            Err(error) => return Ok(Err(NotSaid { words: error.to_string(), after: None })),
        };
        let row = MessageRow {
            sink: self.chat.sink.name.clone(),
            channel: at.channel.clone(),
            post: at.id.clone(),
            key: saying.key.to_string(),
            state: saying.state.word().to_owned(),
            posted: before.map_or(wall, |kept| kept.posted),
            changed: wall,
            saying: text,
        };
        self.store.keep_message(&row, covers).await?;
        let count = u64::try_from(covers.len()).unwrap_or(u64::MAX);
        if count > 0 {
            *self.told.sent.entry(row.sink).or_default() += count;
        }
        Ok(Ok(()))
    }

    /// A call failed: those notices are tried again later, and all others with them.
    async fn gives_way(mut self, covers: &[String], not_said: NotSaid) -> Delivered {
        let failed = Failed::Chat { words: one_line(&not_said.words, WORDS_MAX), after: not_said.after };
        let (mut next, mut first) = (None, None);
        for id in covers {
            let Some(row) = self.rows.get(id).cloned() else { continue };
            let row = match self.fails(row, &failed).await {
                Ok(row) => row,
                Err(error) => return self.stop(&error),
            };
            if row.state == NoticeState::Waiting {
                next = [next, Some(row.next)].into_iter().flatten().min();
            }
            first.get_or_insert(row);
        }
        let wall = self.wall();
        match &first {
            Some(row) => give_up_old(self.store, row, wall, &mut self.told).await,
            None => tracing::warn!(sink = self.chat.sink.name, %failed, "a message could not be changed"),
        }
        Delivered { next, ..self.told }
    }

    /// Notes that a notice was not taken.
    async fn fails(&mut self, mut row: NoticeRow, failed: &Failed) -> Result<NoticeRow, StoreError> {
        row.attempts = row.attempts.saturating_add(1);
        let wall = self.wall();
        tried(&mut row, &Err(failed.clone()), wall, &mut self.told);
        self.store.settle_notice(&row).await?;
        Ok(row)
    }

    /// The digest, if it is due. One that is not taken stops nothing.
    async fn digest(&mut self) {
        let (sink, now) = (&self.chat.sink.name, self.wall());
        let said = async {
            let Some(from) = digest_due(self.store, self.chat, now).await? else { return Ok(Ok(())) };
            if let Some(message) = digest(&day(self.store, self.chat, from, now).await?) {
                let sent = match self.chat.system {
                    Some(system) => system.post(&self.chat.chat.channel, &message).await,
                    None => self.no_system(),
                };
                match sent {
                    Sent::Posted(_) | Sent::Answered => {}
                    Sent::Later { words, .. } | Sent::Never { words } => return Ok(Err(words)),
                    Sent::Gone => return Ok(Err("the channel is gone".to_owned())),
                }
            }
            self.store.digest_sent(sink, now).await?;
            Ok::<_, StoreError>(Ok(()))
        };
        let words = match said.await {
            Ok(Ok(())) => return,
            Ok(Err(words)) => words,
            Err(error) => error.to_string(),
        };
        let words = one_line(&words, WORDS_MAX);
        tracing::warn!(sink, words, "a digest was not taken; it is tried again in five minutes");
        self.chat.digest_again.store((now + DIGEST_AGAIN).0, Ordering::Relaxed);
    }
}
