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

/// Something that is to be taken up.
#[derive(Debug, Clone, Copy)]
pub struct NewAsked<'a> {
    /// Where: `chat:NAME`, `forge:NAME`.
    pub place: &'a str,
    /// The same where the platform sends the same thing again.
    pub once: &'a str,
    /// Whose it is there, as it stands in `asked` under `user` or `author`.
    pub who: &'a str,
    /// What, as JSON.
    pub asked: &'a str,
}

/// How many may wait or be at work for another one to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of everybody's; none where it does not matter how much others asked.
    pub all: Option<u32>,
    /// Of whoever asks.
    pub own: u32,
}

/// What came of taking something up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and durable.
    New,
    /// It was taken before.
    Before,
    /// It is not taken: so many of theirs wait.
    FullOfTheirs(u32),
    /// It is not taken: so many of everybody's wait.
    FullOfAll(u32),
}

impl SqliteStore {
    /// Takes something up, durably, if there is room for it.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_asked(&self, new: &NewAsked<'_>, now: Instant, room: Room) -> Result<Taken, StoreError> {
        // It is acknowledged after this, and nobody says it again.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_ASKED).bind(now.0 - KEPT.ms()).execute(&mut *conn).await?;
            let (before, own, all) = sqlx::query_as::<_, (i64, i64, i64)>(sql::WAITING_ASKED)
                .bind(new.place.to_owned())
                .bind(new.once.to_owned())
                .bind(new.who.to_owned())
                .fetch_one(&mut *conn)
                .await?;
            let count = |of: i64| u32::try_from(of).unwrap_or(u32::MAX);
            if before > 0 {
                return Ok(Taken::Before);
            }
            if count(own) >= room.own {
                return Ok(Taken::FullOfTheirs(count(own)));
            }
            if room.all.is_some_and(|most| count(all) >= most) {
                return Ok(Taken::FullOfAll(count(all)));
            }
            sqlx::query(sql::ADD_ASKED)
                .bind(new.place.to_owned())
                .bind(new.once.to_owned())
                .bind(now.0)
                .bind(new.asked.to_owned())
                .execute(&mut *conn)
                .await?;
            Ok::<_, Fault>(Taken::New)
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
