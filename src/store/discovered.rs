//! Repositories that were discovered, and are flows since.
//!
//! Not here: asking forges, and what is taken (`crate::discover`).

use towpath_core::model::Instant;

use super::error::{Fault, StoreError};
use super::load::read;
use super::rows::Fields;
use super::sql;
use super::sqlite::{Durability, SqliteStore};

/// A repository that was discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredRow {
    /// The name of the forge in the config.
    pub forge: String,
    /// Its path when it was found.
    pub path: String,
    /// The forge's own number of it, which it keeps when it is renamed.
    pub repo: String,
    /// When it was found.
    pub since: Instant,
    /// Since when it is not there to be taken any more, and why.
    pub gone: Option<(Instant, String)>,
}

impl SqliteStore {
    /// Every one, oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn discovered(&self) -> Result<Vec<DiscoveredRow>, StoreError> {
        let mut looking = self.look().await?;
        let rows = sqlx::query(sql::DISCOVERED).fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(rows.and_then(|rows| Ok(read(&rows, "discovered", row)?))).await
    }

    /// Remembers these, over what was remembered of the same repositories, in one transaction. Nothing is forgotten.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn remember_discovered(&self, rows: &[DiscoveredRow]) -> Result<(), StoreError> {
        // A flow that was there has to be there after a power cut: people may have paused it.
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            for row in rows {
                let (at, why) = row.gone.clone().map(|(at, why)| (at.0, why)).unzip();
                sqlx::query(sql::DISCOVER)
                    .bind(row.forge.clone())
                    .bind(row.path.clone())
                    .bind(row.repo.clone())
                    .bind(row.since.0)
                    .bind(at)
                    .bind(why)
                    .execute(&mut *writing.conn())
                    .await?;
            }
            Ok::<_, Fault>(())
        }
        .await;
        writing.end(done).await
    }
}

fn row(f: &Fields<'_>) -> Result<DiscoveredRow, StoreError> {
    let gone = f.get::<Option<i64>>("gone_wall")?.map(Instant);
    let why = f.get::<Option<String>>("gone_why")?.unwrap_or_default();
    Ok(DiscoveredRow {
        forge: f.get("forge")?,
        path: f.get("path")?,
        repo: f.get("repo")?,
        since: f.wall("since_wall")?,
        gone: gone.map(|at| (at, why)),
    })
}
