//! What people said in chats and in comments, until it is answered.
//!
//! Not here: whether it is genuine (`chat`, `forge`), and answering it (`serve`).

use towpath_core::model::{Instant, Span};

use super::error::{Fault, StoreError};
use super::load::read;
use super::rows::Fields;
use super::sql;
use super::sqlite::{Durability, SqliteStore};

/// For how long what was answered is kept: no platform sends anything again after that.
const KEPT: Span = Span::from_mins(4 * 24 * 60);

/// Something that somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRow {
    /// Its place in the order in which things were taken.
    pub seq: i64,
    /// Where: `chat:NAME`, `forge:NAME`.
    pub place: String,
    /// The same where the platform sends the same thing again.
    pub once: String,
    /// When it was taken.
    pub at: Instant,
    /// What, as JSON.
    pub asked: String,
    /// Whether somebody began to work on it, and then was no more.
    pub begun: bool,
}

impl SqliteStore {
    /// Takes something up, durably; whether it is new.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_asked(&self, place: &str, once: &str, now: Instant, asked: &str) -> Result<bool, StoreError> {
        // It is acknowledged after this, and nobody says it again.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_ASKED).bind(now.0 - KEPT.ms()).execute(&mut *conn).await?;
            let added = sqlx::query(sql::ADD_ASKED)
                .bind(place.to_owned())
                .bind(once.to_owned())
                .bind(now.0)
                .bind(asked.to_owned())
                .execute(&mut *conn)
                .await?;
            Ok::<_, Fault>(added.rows_affected() == 1)
        }
        .await;
        writing.end(done).await
    }

    /// The oldest that is to be answered, which is ours until then; none if there is none.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn claim_asked(&self, now: Instant, until: Instant) -> Result<Option<AskedRow>, StoreError> {
        // To have begun must be known after a power cut: what steers is never begun twice.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            let found = sqlx::query(sql::NEXT_ASKED).bind(now.0).fetch_all(&mut *conn).await?;
            let Some(row) = read(&found, "asked", row)?.pop() else { return Ok(None) };
            sqlx::query(sql::CLAIM_ASKED).bind(row.seq).bind(until.0).execute(&mut *conn).await?;
            Ok::<_, Fault>(Some(row))
        }
        .await;
        writing.end(done).await
    }

    /// It was answered, or will never be, for that reason.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end_asked(&self, seq: i64, words: Option<&str>) -> Result<(), StoreError> {
        // To lose it in a power cut has it told that nobody knows what came of it.
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::END_ASKED).bind(seq).bind(words.map(str::to_owned));
        let done = query.execute(&mut *writing.conn()).await.map(drop).map_err(Fault::from);
        writing.end(done).await
    }
}

fn row(f: &Fields<'_>) -> Result<AskedRow, StoreError> {
    let state: String = f.get("state")?;
    Ok(AskedRow {
        seq: f.get("seq")?,
        place: f.get("place")?,
        once: f.get("once")?,
        at: f.wall("at_wall")?,
        asked: f.get("asked")?,
        begun: state == "working",
    })
}
