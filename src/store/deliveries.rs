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
        // To lose the last few in a power cut costs a look too many, and nothing else.
        let mut writing = self.write(Durability::Light).await?;
        let done = async {
            let conn = writing.conn();
            sqlx::query(sql::FORGET_DELIVERIES).bind(now.0 - KEPT.ms()).execute(&mut *conn).await?;
            let added = sqlx::query(sql::ADD_DELIVERY)
                .bind(forge.to_owned())
                .bind(id.to_owned())
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
            Ok::<_, Fault>(added.rows_affected() == 1)
        }
        .await;
        writing.end(done).await
    }
}
