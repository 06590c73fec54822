//! Webhooks that were taken, by the number that the forge gives each delivery.
//!
//! Not here: whether one is genuine (`forge`), and what it wakes (`server`).

use towpath_core::model::{Instant, Span};

use super::error::{Fault, StoreError};
use super::sql;
use super::sqlite::{Durability, SqliteStore};

/// How long a delivery is remembered. GitHub sends one again on demand for three days.
const KEPT: Span = Span::from_mins(4 * 24 * 60);

impl SqliteStore {
    /// Notes a delivery; whether it is new. Older ones than four days are forgotten by the way.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_delivery(&self, forge: &str, id: &str, now: Instant) -> Result<bool, StoreError> {
        self.take_delivery_as(forge, (id, None), now).await
    }

    /// The same; where it is new, another id of the same place is noted with it or not at all.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_delivery_as(
        &self,
        forge: &str,
        (id, also): (&str, Option<&str>),
        now: Instant,
    ) -> Result<bool, StoreError> {
        // To lose the last few in a power cut costs a look too many, and nothing else.
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_DELIVERIES).bind(now.0 - KEPT.ms()).execute(&mut *conn).await?;
            let add =
                |id: &str| sqlx::query(sql::ADD_DELIVERY).bind(forge.to_owned()).bind(id.to_owned()).bind(now.0);
            let is_new = add(id).execute(&mut *conn).await?.rows_affected() == 1;
            if let (true, Some(also)) = (is_new, also) {
                add(also).execute(&mut *conn).await?;
            }
            Ok::<_, Fault>(is_new)
        }
        .await;
        writing.end(done).await
    }

    /// Whether it was taken and is remembered.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn has_delivery(&self, forge: &str, id: &str) -> Result<bool, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query(sql::HAS_DELIVERY).bind(forge.to_owned()).bind(id.to_owned());
        let found = query.fetch_optional(&mut looking.conn).await.map_err(Fault::from);
        looking.end(found.map(|found| found.is_some())).await
    }

    /// When the last delivery of a forge was taken, as far as it is remembered.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn last_delivery(&self, forge: &str) -> Result<Option<Instant>, StoreError> {
        let mut looking = self.look().await?;
        let newest = sqlx::query_scalar::<_, Option<i64>>(sql::LAST_DELIVERY).bind(forge.to_owned());
        let at = newest.fetch_one(&mut looking.conn).await.map_err(Fault::from);
        looking.end(at.map(|at| at.map(Instant))).await
    }
}
