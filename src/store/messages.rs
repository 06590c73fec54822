//! Messages of ours that stand in chats, and how far each chat was told.
//!
//! A message and the notices that it says are remembered in one transaction: after a crash both are there or neither, and
//! what was sent without being remembered is sent once more.
//!
//! Not here: what is said, and what its JSON holds (`crate::tell::chat`).

use towpath_core::model::{Instant, Span};

use super::error::{Fault, StoreError};
use super::load::read;
use super::rows::Fields;
use super::sql;
use super::sqlite::{Durability, SqliteStore};

/// For how long a message that ended is loaded: what is told late has to find what was said after it, and sinks are
/// told nothing that is older.
const LOADED: Span = Span::from_mins(48 * 60);

/// For how long a message is kept after it was last changed.
const KEPT: Span = Span::from_mins(30 * 24 * 60);

/// The most messages of a sink that are loaded, those that were changed last.
const LOADED_MAX: i64 = 5_000;

/// Longer than this nobody claims a chat.
const CLAIM_MAX: Span = Span::from_mins(60);

/// A message that stands in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Whose it is.
    pub sink: String,
    /// The channel, as the platform's answer named it.
    pub channel: String,
    /// The platform's id of the message.
    pub post: String,
    /// What it is about.
    pub key: String,
    /// `open`, `closed` or `superseded`.
    pub state: String,
    /// When it was posted.
    pub posted: Instant,
    /// When it was last changed.
    pub changed: Instant,
    /// What it says and what that was made from, as JSON.
    pub saying: String,
}

impl SqliteStore {
    /// The messages of a sink that may still be changed: those that are open, and those that ended lately; oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn messages(&self, sink: &str, now: Instant) -> Result<Vec<MessageRow>, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query(sql::MESSAGES).bind(sink.to_owned()).bind(now.0 - LOADED.ms()).bind(LOADED_MAX);
        let rows = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        let mut rows = looking.end(rows.and_then(|rows| Ok(read(&rows, "messages", row)?))).await?;
        rows.reverse();
        Ok(rows)
    }

    /// Remembers a message that was posted or changed, and that these notices are told. Whatever else of the sink is
    /// open under its key was overtaken by it.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn keep_message(&self, row: &MessageRow, covers: &[String]) -> Result<(), StoreError> {
        // Lost in a power cut, it would be posted a second time, and never changed again.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_MESSAGES).bind(row.changed.0 - KEPT.ms()).execute(&mut *conn).await?;
            sqlx::query(sql::OVERTAKE_MESSAGES)
                .bind(row.sink.clone())
                .bind(row.key.clone())
                .bind(row.channel.clone())
                .bind(row.post.clone())
                .execute(&mut *conn)
                .await?;
            sqlx::query(sql::KEEP_MESSAGE)
                .bind(row.sink.clone())
                .bind(row.channel.clone())
                .bind(row.post.clone())
                .bind(row.key.clone())
                .bind(row.state.clone())
                .bind(row.posted.0)
                .bind(row.changed.0)
                .bind(row.saying.clone())
                .execute(&mut *conn)
                .await?;
            for id in covers {
                let query = sqlx::query(sql::TOLD_NOTICE).bind(id.clone()).bind(row.changed.0).bind(None::<String>);
                query.execute(&mut *conn).await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    /// Remembers that notices are done without anything being said, and why.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn pass_over_notices(&self, ids: &[String], why: &str, now: Instant) -> Result<(), StoreError> {
        // Lost, it is worked out anew.
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            for id in ids {
                let query = sqlx::query(sql::TOLD_NOTICE).bind(id.clone()).bind(now.0).bind(why.to_owned());
                query.execute(&mut *writing.conn()).await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }

    /// Whether a chat is this process's to tell until then: of two that find no message of a promotion each would post
    /// one. It is let go of by [`SqliteStore::release_chat`], or by then.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn claim_chat(&self, sink: &str, now: Instant, until: Instant) -> Result<bool, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        // No claim is that long: the wall was wrong when it was written down.
        let odd = now.0.saturating_add(CLAIM_MAX.ms());
        let query = sqlx::query(sql::CLAIM_CHAT).bind(sink.to_owned()).bind(until.0).bind(now.0).bind(odd);
        let done = query.execute(&mut *writing.conn()).await;
        writing.end(done.map(|done| done.rows_affected() == 1).map_err(Fault::from)).await
    }

    /// Lets go of a chat that was claimed until then.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn release_chat(&self, sink: &str, until: Instant) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::RELEASE_CHAT).bind(sink.to_owned()).bind(until.0);
        let done = query.execute(&mut *writing.conn()).await.map(|_| ()).map_err(Fault::from);
        writing.end(done).await
    }

    /// When the last digest of a sink was sent, or was not because there was nothing to say.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn last_digest(&self, sink: &str) -> Result<Option<Instant>, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query_scalar::<_, Option<i64>>(sql::LAST_DIGEST).bind(sink.to_owned());
        let last = query.fetch_optional(&mut looking.conn).await.map_err(Fault::from);
        looking.end(last.map(|last| last.flatten().map(Instant))).await
    }

    /// Remembers that a digest was sent.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn digest_sent(&self, sink: &str, at: Instant) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Full).await?;
        let query = sqlx::query(sql::DIGEST_SENT).bind(sink.to_owned()).bind(at.0);
        let done = query.execute(&mut *writing.conn()).await.map(|_| ()).map_err(Fault::from);
        writing.end(done).await
    }
}

fn row(f: &Fields<'_>) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        sink: f.get("sink")?,
        channel: f.get("channel")?,
        post: f.get("post")?,
        key: f.get("key")?,
        state: f.get("state")?,
        posted: f.wall("posted_wall")?,
        changed: f.wall("changed_wall")?,
        saying: f.get("saying")?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Create, NoticeRow, NoticeState};
    use super::*;

    const NOW: Instant = Instant(1_795_255_200_000);

    async fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db"), Create::Yes).await.unwrap();
        (folder, store)
    }

    fn message(post: &str, key: &str, state: &str, changed: Instant) -> MessageRow {
        MessageRow {
            sink: "chat".to_owned(),
            channel: "C1".to_owned(),
            post: post.to_owned(),
            key: key.to_owned(),
            state: state.to_owned(),
            posted: NOW,
            changed,
            saying: "{}".to_owned(),
        }
    }

    fn notice(id: &str) -> NoticeRow {
        NoticeRow {
            id: id.to_owned(),
            sink: "chat".to_owned(),
            flow: "shop".into(),
            env: "production".into(),
            at: NOW,
            notice: "{}".to_owned(),
            state: NoticeState::Waiting,
            attempts: 0,
            next: NOW,
            words: None,
        }
    }

    #[tokio::test]
    async fn a_message_and_what_it_says_are_remembered_together_and_changed_in_place() {
        let (_folder, store) = store().await;
        store.add_notices(&[notice("a"), notice("b"), notice("c")]).await.unwrap();
        let first = message("1", "promotion shop production", "open", NOW);
        store.keep_message(&first, &["a".to_owned()]).await.unwrap();
        assert_eq!(store.messages("chat", NOW).await.unwrap(), std::slice::from_ref(&first));
        assert!(store.messages("other", NOW).await.unwrap().is_empty());
        let changed = MessageRow { saying: "{\"n\":2}".to_owned(), changed: Instant(NOW.0 + 5), ..first };
        store.keep_message(&changed, &["b".to_owned()]).await.unwrap();
        assert_eq!(store.messages("chat", NOW).await.unwrap(), [changed]);
        store.pass_over_notices(&["c".to_owned(), "none".to_owned()], "older", NOW).await.unwrap();
        assert_eq!(store.notices(Some(NoticeState::Sent), 10).await.unwrap().len(), 3);
        let words: Vec<_> = store.notices(None, 10).await.unwrap().into_iter().map(|row| row.words).collect();
        assert_eq!(words, [Some("older".to_owned()), None, None]);
        assert!(store.notices_due(Instant(NOW.0 + 60_000), 10).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn one_message_is_open_for_each_key_and_the_old_are_forgotten() {
        let (_folder, store) = store().await;
        let old = Instant(NOW.0 - LOADED.ms() - 1);
        for row in [message("1", "k", "open", old), message("2", "k", "open", NOW), message("3", "l", "open", old)]
        {
            store.keep_message(&row, &[]).await.unwrap();
        }
        let posts =
            |rows: Vec<MessageRow>| rows.into_iter().map(|row| row.post + " " + &row.state).collect::<Vec<_>>();
        // The first was overtaken, and ended too long ago; the third is as old and open.
        assert_eq!(posts(store.messages("chat", NOW).await.unwrap()), ["3 open", "2 open"]);
        assert_eq!(posts(store.messages("chat", old).await.unwrap()).len(), 3);
        let later = Instant(NOW.0 + KEPT.ms() + 1);
        store.keep_message(&message("4", "m", "closed", later), &[]).await.unwrap();
        assert_eq!(posts(store.messages("chat", Instant(0)).await.unwrap()), ["4 closed"]);
        let bad = store.keep_message(&message("5", "m", "ajar", later), &[]).await;
        assert!(bad.is_err());
    }

    #[tokio::test]
    async fn a_chat_is_told_by_one_process_at_a_time() {
        let (_folder, store) = store().await;
        let (until, then) = (Instant(NOW.0 + 60_000), Instant(NOW.0 + 60_001));
        assert!(store.claim_chat("chat", NOW, until).await.unwrap());
        assert!(!store.claim_chat("chat", NOW, until).await.unwrap());
        assert!(store.claim_chat("other", NOW, until).await.unwrap());
        assert!(store.claim_chat("chat", then, Instant(then.0 + 60_000)).await.unwrap());
        // What another one has since is not let go of.
        store.release_chat("chat", until).await.unwrap();
        assert!(!store.claim_chat("chat", then, until).await.unwrap());
        store.release_chat("chat", Instant(then.0 + 60_000)).await.unwrap();
        assert!(store.claim_chat("chat", NOW, until).await.unwrap());
        // A wall that went back a day.
        assert!(store.claim_chat("chat", Instant(NOW.0 - 86_400_000), NOW).await.unwrap());
    }

    #[tokio::test]
    async fn the_last_digest_outlives_a_claim() {
        let (_folder, store) = store().await;
        assert_eq!(store.last_digest("chat").await.unwrap(), None);
        assert!(store.claim_chat("chat", NOW, Instant(NOW.0 + 1)).await.unwrap());
        assert_eq!(store.last_digest("chat").await.unwrap(), None);
        store.digest_sent("chat", NOW).await.unwrap();
        assert_eq!(store.last_digest("chat").await.unwrap(), Some(NOW));
        assert!(!store.claim_chat("chat", NOW, Instant(NOW.0 + 1)).await.unwrap());
        store.digest_sent("fresh", NOW).await.unwrap();
        assert!(store.claim_chat("fresh", NOW, Instant(NOW.0 + 1)).await.unwrap());
        assert_eq!(store.last_digest("fresh").await.unwrap(), Some(NOW));
    }
}
