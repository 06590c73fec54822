//! What other systems are told, until they took it or it was given up.
//!
//! Not here: who is told of what and how (`crate::tell`), and what happened (the outbox of the ledger).

use std::collections::BTreeMap;

use towpath_core::model::{EnvName, FlowName, Instant, Span};

use super::error::{Fault, StoreError};
use super::load::read;
use super::rows::Fields;
use super::sql;
use super::sqlite::{Durability, SqliteStore};

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Longer than this nothing waits for its next try.
const WAIT_MAX: Span = Span::from_mins(28 * 60);

/// For how long what was taken is kept, and what was given up.
const KEPT: Span = Span::from_mins(30 * 24 * 60);

/// For how long people are pointed to what was given up: then who wanted to has had it sent again.
pub const NEWLY: Span = Span::from_mins(24 * 60);

/// One thing that one sink is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Unique, and the idempotency key at the sink.
    pub id: String,
    /// The sink.
    pub sink: String,
    /// What it is about.
    pub flow: FlowName,
    /// Where.
    pub env: EnvName,
    /// When it happened.
    pub at: Instant,
    /// What, as JSON.
    pub notice: String,
    /// How far it has come.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// While it waits: when it is tried next; else when it was ended.
    pub next: Instant,
    /// What the last try came to, if it failed.
    pub words: Option<String>,
}

/// How far a notice has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeState {
    /// It is to be tried.
    Waiting,
    /// The sink took it.
    Sent,
    /// It was given up; a person may have it sent again.
    Dead,
}

impl NoticeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Dead];

    /// As it is stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl SqliteStore {
    /// Takes notices up, in one transaction. What is there already is left as it is.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn add_notices(&self, rows: &[NoticeRow]) -> Result<(), StoreError> {
        // What is marked as handed out must not be lost in a power cut.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            for row in rows {
                sqlx::query(sql::ADD_NOTICE)
                    .bind(row.id.clone())
                    .bind(row.sink.clone())
                    .bind(row.flow.to_string())
                    .bind(row.env.to_string())
                    .bind(row.at.0)
                    .bind(row.notice.clone())
                    .bind(row.next.0)
                    .execute(&mut *writing.conn())
                    .await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    /// Notices in a state, or in any, the newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn notices(&self, state: Option<NoticeState>, limit: usize) -> Result<Vec<NoticeRow>, StoreError> {
        let query = sqlx::query(sql::NOTICES).bind(state.map(NoticeState::word)).bind(rows_of(limit));
        self.notices_of(query).await
    }

    /// How many are in a state.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn count_notices(&self, state: NoticeState) -> Result<u64, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query_scalar::<_, i64>(sql::COUNT_NOTICES).bind(state.word());
        let count = query.fetch_one(&mut looking.conn).await.map_err(Fault::from);
        looking.end(count.map(|count| u64::try_from(count).unwrap_or(0))).await
    }

    /// How many were given up within the last [`NEWLY`] and not sent again since, by sink; none of a sink that has none.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn given_up(&self, now: Instant) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query_as::<_, (String, i64)>(sql::GIVEN_UP).bind(now.0.saturating_sub(NEWLY.ms()));
        let rows = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        let count = |(sink, times)| (sink, u64::try_from(times).unwrap_or(0));
        looking.end(rows.map(|rows| rows.into_iter().map(count).collect())).await
    }

    /// Those that are to be tried by now, those that were tried least first, then the oldest, at most `limit` of each sink.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn notices_due(&self, now: Instant, limit: usize) -> Result<Vec<NoticeRow>, StoreError> {
        // No wait is that long: the wall was wrong when it was written down.
        let odd = now.0.saturating_add(WAIT_MAX.ms());
        self.notices_of(sqlx::query(sql::NOTICES_DUE).bind(now.0).bind(rows_of(limit)).bind(odd)).await
    }

    /// Gives up what a sink was to be told of what happened before that. How many there were.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn give_up_notices(
        &self,
        sink: &str,
        before: Instant,
        now: Instant,
        words: &str,
    ) -> Result<u64, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::GIVE_UP_NOTICES)
            .bind(sink.to_owned())
            .bind(before.0)
            .bind(now.0)
            .bind(words.to_owned());
        let done = query.execute(&mut *writing.conn()).await.map(|done| done.rows_affected()).map_err(Fault::from);
        writing.end(done).await
    }

    /// When the next one is to be tried, if any waits.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn next_notice(&self) -> Result<Option<Instant>, StoreError> {
        let mut looking = self.look().await?;
        let next = sqlx::query_scalar::<_, Option<i64>>(sql::NEXT_NOTICE).fetch_one(&mut looking.conn).await;
        looking.end(next.map(|at| at.map(Instant)).map_err(Fault::from)).await
    }

    async fn notices_of(&self, query: Query) -> Result<Vec<NoticeRow>, StoreError> {
        let mut looking = self.look().await?;
        let rows = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(rows.and_then(|rows| Ok(read(&rows, "notices", row)?))).await
    }

    /// Notes that it is being sent, which counts as a try, and is let alone until then; whether it is ours to send.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn claim_notice(&self, row: &NoticeRow, until: Instant) -> Result<bool, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::CLAIM_NOTICE).bind(row.id.clone()).bind(row.next.0).bind(until.0);
        let done = query.execute(&mut *writing.conn()).await;
        writing.end(done.map(|done| done.rows_affected() == 1).map_err(Fault::from)).await
    }

    /// What a try came to: the row as it is then. One that was ended meanwhile stays as it is.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn settle_notice(&self, row: &NoticeRow) -> Result<(), StoreError> {
        // To lose it in a power cut has it sent again under the same id.
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_NOTICES).bind(row.next.0 - KEPT.ms()).execute(&mut *conn).await?;
            sqlx::query(sql::SETTLE_NOTICE)
                .bind(row.id.clone())
                .bind(row.state.word())
                .bind(i64::from(row.attempts))
                .bind(row.next.0)
                .bind(row.words.clone())
                .execute(&mut *conn)
                .await?;
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    /// Has those of these notices that were given up tried anew. How many there were.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn revive_notices(&self, ids: &[String], now: Instant) -> Result<u64, StoreError> {
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let mut count = 0;
            for id in ids {
                let query = sqlx::query(sql::REVIVE_NOTICES).bind(id.clone()).bind(now.0);
                count += query.execute(&mut *writing.conn()).await?.rows_affected();
            }
            Ok::<_, Fault>(count)
        }
        .await;
        writing.end(done).await
    }
}

fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn row(f: &Fields<'_>) -> Result<NoticeRow, StoreError> {
    let state: String = f.get("state")?;
    Ok(NoticeRow {
        id: f.get("id")?,
        sink: f.get("sink")?,
        flow: FlowName::new(f.get::<String>("flow")?),
        env: EnvName::new(f.get::<String>("env")?),
        at: f.wall("at_wall")?,
        notice: f.get("notice")?,
        // The column's own check lets no other word in.
        state: NoticeState::of_word(&state).unwrap_or(NoticeState::Dead),
        attempts: u32::try_from(f.get::<i64>("attempts")?).unwrap_or(u32::MAX),
        next: f.wall("next_wall")?,
        words: f.get("words")?,
    })
}
