//! What people said in chats and in comments, until it is answered.
//!
//! Something said waits in a lane, is begun by one process when its turn comes, is done in the transaction of the command
//! itself (`Change::Asked`), and is ended once it was answered. What a process had begun and not done waits again when the
//! process is gone; what was done then is only answered. Each beginning has a number, its turn: a process that was taken
//! for gone and is not can neither do nor end what another one has begun since.
//!
//! Not here: whether it is genuine (`chat`, `forge`), and answering it (`serve`).

use std::collections::BTreeSet;

use towpath_core::model::{AuditRow, Instant, Span};

use super::error::{Fault, StoreError};
use super::holder::Holder;
use super::load::read;
use super::rows::{self, Fields, json};
use super::sql;
use super::sqlite::{Durability, SqliteStore};

/// For how long what was answered is kept: no platform sends anything again after that.
const KEPT: Span = Span::from_mins(4 * 24 * 60);

/// A claim that is this far in the future was made before the clock was set back.
const FAR: Span = Span::from_mins(10);

/// How many questions of one chat, or comments of one forge, are at work side by side: where one does not answer, the
/// others are not kept waiting.
const OF_A_PLACE: i64 = 4;

/// Added to the turns of what a version began that did not note whether it was done.
pub const UNSURE: i64 = 1_000;

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
    /// The how manieth time it was begun: 1 for the first, above [`UNSURE`] where it is not known whether it was done.
    pub turn: i64,
    /// Whether it was carried out, or refused on record; then only its answer is owed.
    pub done: bool,
    /// The last row of the store when it was taken; none of a version that did not note that.
    pub after: Option<i64>,
}

/// How the lanes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedState {
    /// In which something waits for its turn.
    pub waiting: Vec<String>,
    /// Whether something waits whose lane is not known.
    pub laneless: bool,
    /// Who has begun something and is gone, or has not said for long enough that they are at it.
    lapsed: Vec<(String, i64)>,
    /// How many we have begun and not ended.
    pub own: usize,
}

impl AskedState {
    /// Whether somebody has to give back what they began.
    pub const fn has_lapsed(&self) -> bool {
        !self.lapsed.is_empty()
    }
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
    /// In which lane it waits for its turn; empty if that is not known yet.
    pub lane: &'a str,
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
                .bind(new.lane.to_owned())
                .execute(&mut *conn)
                .await?;
            Ok::<_, Fault>(Taken::New)
        }
        .await;
        writing.end(done).await
    }

    /// How the lanes are, for a process that could begin something.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn asked_state(&self, me: &Holder, now: Instant) -> Result<AskedState, StoreError> {
        let mut looking = self.look().await?;
        let found = sqlx::query(sql::ASKED_STATES).fetch_all(&mut looking.conn).await.map_err(Fault::from);
        let found = looking.end(found).await?;
        let groups = read(&found, "asked", |f: &Fields<'_>| {
            Ok((
                f.get::<String>("lane")?,
                f.get::<String>("state")?,
                f.get::<String>("holder")?,
                f.wall("until_wall")?,
                f.get::<i64>("many")?,
            ))
        })?;
        let mut state = AskedState::default();
        for (lane, what, holder, until, many) in groups {
            state.laneless |= lane.is_empty();
            if what == "working" && holder == json(me) {
                state.own += usize::try_from(many).unwrap_or(0);
            }
            if what == "waiting" {
                state.waiting.push(lane);
            } else if let Some(before) = lapsed(&holder, until, me, now) {
                state.lapsed.push((holder, before.0));
            }
        }
        Ok(state)
    }

    /// Has what those have begun, who have lapsed, wait again.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn free_asked(&self, state: &AskedState) -> Result<(), StoreError> {
        self.free(&state.lapsed).await
    }

    /// Gives everything back that we have begun.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn release_asked(&self, me: &Holder) -> Result<(), StoreError> {
        self.free(&[(json(me), i64::MAX)]).await
    }

    /// Has what we have begun wait again, but for that which is at work: the store failed us where it was begun or was
    /// to be ended.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn disown_asked(&self, me: &Holder, at_work: &BTreeSet<i64>) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            let conn = writing.conn();
            let own = sqlx::query_as::<_, (i64,)>(sql::OWN_ASKED).bind(json(me)).fetch_all(&mut *conn).await?;
            for (seq,) in own.into_iter().filter(|(seq,)| !at_work.contains(seq)) {
                sqlx::query(sql::DISOWN_ASKED).bind(seq).bind(json(me)).execute(&mut *conn).await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    async fn free(&self, holders: &[(String, i64)]) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            for (holder, before) in holders {
                let turns = if holder.is_empty() { UNSURE } else { 0 };
                let query = sqlx::query(sql::FREE_ASKED).bind(holder.clone()).bind(*before).bind(turns);
                query.execute(&mut *writing.conn()).await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    /// Some of what waits in no known lane.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn laneless_asked(&self, limit: usize) -> Result<Vec<AskedRow>, StoreError> {
        let mut looking = self.look().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = sqlx::query(sql::ASKED_LANELESS).bind(limit).fetch_all(&mut looking.conn).await;
        looking.end(found.map_err(Fault::from).and_then(|found| Ok(read(&found, "asked", row)?))).await
    }

    /// Puts something into a lane.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn set_lane(&self, seq: i64, lane: &str) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::SET_LANE).bind(seq).bind(lane.to_owned());
        let done = query.execute(&mut *writing.conn()).await.map(drop).map_err(Fault::from);
        writing.end(done).await
    }

    /// Begins what is next in a lane, which is ours until then; none if nothing waits there. Unless the lane is worked
    /// on `side_by_side`, also none while something of it was begun and is not done, by whomever. Side by side, comments
    /// of one author (their `author`) still come one after the other.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn begin_asked(
        &self,
        lane: &str,
        side_by_side: bool,
        me: &Holder,
        until: Instant,
    ) -> Result<Option<AskedRow>, StoreError> {
        // To have begun must be known after a power cut: how often, at least.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            let query = sqlx::query(sql::NEXT_ASKED).bind(lane.to_owned()).bind(side_by_side).bind(OF_A_PLACE);
            let found = query.fetch_all(&mut *conn).await?;
            let Some(row) = read(&found, "asked", row)?.pop() else { return Ok(None) };
            sqlx::query(sql::BEGIN_ASKED).bind(row.seq).bind(json(me)).bind(until.0).execute(&mut *conn).await?;
            Ok::<_, Fault>(Some(AskedRow { turn: row.turn + 1, ..row }))
        }
        .await;
        writing.end(done).await
    }

    /// Everything that we have begun is ours until then.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn keep_asked(&self, me: &Holder, until: Instant) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::KEEP_ASKED).bind(json(me)).bind(until.0);
        let done = query.execute(&mut *writing.conn()).await.map(drop).map_err(Fault::from);
        writing.end(done).await
    }

    /// From now on only its answer is owed: what comes after it need not wait. Whether it is still ours.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn answer_asked(&self, row: &AskedRow) -> Result<bool, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::ANSWER_ASKED).bind(row.seq).bind(row.turn);
        let done = query.execute(&mut *writing.conn()).await;
        writing.end(done.map(|done| done.rows_affected() == 1).map_err(Fault::from)).await
    }

    /// Keeps something more with what was said; nothing if it is another's by now.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn set_asked(&self, row: &AskedRow, asked: &str) -> Result<(), StoreError> {
        // To lose it in a power cut has it said again.
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::SET_ASKED).bind(row.seq).bind(row.turn).bind(asked.to_owned());
        let done = query.execute(&mut *writing.conn()).await.map(drop).map_err(Fault::from);
        writing.end(done).await
    }

    /// What somebody said at a place since then, newest first, at most so much; `who` as it stands in `asked` under
    /// `user`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn asked_of(
        &self,
        place: &str,
        who: &str,
        since: Instant,
        limit: usize,
    ) -> Result<Vec<AskedRow>, StoreError> {
        let mut looking = self.look().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query =
            sqlx::query(sql::ASKED_OF).bind(place.to_owned()).bind(who.to_owned()).bind(since.0).bind(limit);
        let found = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(found.and_then(|found| Ok(read(&found, "asked", row)?))).await
    }

    /// It was answered, or will never be, for that reason; nothing if it is another's by now, or was given back undone.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end_asked(&self, row: &AskedRow, words: Option<&str>) -> Result<(), StoreError> {
        // To lose it in a power cut has it answered once more.
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::END_ASKED).bind(row.seq).bind(row.turn).bind(words.map(str::to_owned));
        let done = query.execute(&mut *writing.conn()).await.map(drop).map_err(Fault::from);
        writing.end(done).await
    }

    /// What the audit says of it, oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn done_for(&self, row: &AskedRow) -> Result<Vec<AuditRow>, StoreError> {
        // Numbers are given again once everything before is forgotten.
        let after = row.after.unwrap_or(0);
        let mut looking = self.look().await?;
        let found = sqlx::query(sql::AUDIT_ASKED).bind(row.seq).bind(after).fetch_all(&mut looking.conn).await;
        looking.end(found.map_err(Fault::from).and_then(|found| Ok(read(&found, "audit", rows::audit)?))).await
    }

    /// What was carried out after it was said, was not said before it, and has one of these verbs; newest first, at most
    /// so much.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn done_since(
        &self,
        row: &AskedRow,
        verbs: [&str; 3],
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let Some(after) = row.after else { return Ok(Vec::new()) };
        let [one, other, third] = verbs.map(|verb| format!("{verb} %"));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut looking = self.look().await?;
        let query =
            sqlx::query(sql::AUDIT_LATER).bind(after).bind(row.seq).bind(one).bind(other).bind(limit).bind(third);
        let found = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(found.and_then(|found| Ok(read(&found, "audit", rows::audit)?))).await
    }
}

/// Before which instant a holder's claims have to end to be theirs no more; none if they are at work.
fn lapsed(holder: &str, until: Instant, me: &Holder, now: Instant) -> Option<Instant> {
    if holder == json(me) {
        return None;
    }
    let gone = serde_json::from_str::<Holder>(holder).is_ok_and(|holder| holder.is_gone(me));
    if gone || until > now + FAR {
        return Some(Instant(i64::MAX));
    }
    (until <= now).then_some(now)
}

fn row(f: &Fields<'_>) -> Result<AskedRow, StoreError> {
    Ok(AskedRow {
        seq: f.get("seq")?,
        place: f.get("place")?,
        once: f.get("once")?,
        at: f.wall("at_wall")?,
        asked: f.get("asked")?,
        turn: f.get("turn")?,
        done: f.get::<i64>("done")? == 1,
        after: f.get("after_seq")?,
    })
}
