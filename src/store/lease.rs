//! Leases: who works on a flow now.
//!
//! A lease saves work, it is not what makes moves safe: that is the epoch, checked in every
//! transaction that names the lease as its guard, and git's compare-and-swap. So a lease may
//! expire while its holder still pushes, and nothing is lost but effort.
//!
//! Expiry is measured on the trusted clock, which all users of a store share and which never runs
//! fast: a jump of the wall takes a lease from nobody. A holder that is certainly dead (same boot,
//! same process namespace, no such process) is not waited for.

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use towpath_core::model::{FlowName, Span, Trusted};

use super::error::{Fault, StoreError};
use super::holder::Holder;
use super::rows::json;
use super::sql;
use super::sqlite::{Durability, SqliteStore, clock};

/// The right to work on a flow for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The flow.
    pub flow: FlowName,
    /// Higher with each lease of the flow that is given out.
    pub epoch: i64,
    /// Who has it.
    pub holder: Holder,
    /// Until when, unless renewed.
    pub until: Trusted,
}

impl SqliteStore {
    /// Leases `flow` to `holder` for `length` (a minute is usual); none if somebody has it. A
    /// holder who has it already gets none either: leases are not re-entrant.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn lease(
        &self,
        flow: &FlowName,
        holder: &Holder,
        now: Trusted,
        length: Span,
    ) -> Result<Option<Lease>, StoreError> {
        // Not synced: a power cut ends every process that could hold one.
        let mut writing = self.write(Durability::Light).await?;
        let lease = acquire(writing.conn(), flow, holder, now, length).await;
        writing.end(lease).await
    }

    /// Makes the lease last until `length` from `now`; also after it expired, if nobody took it.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], and those of any write.
    pub async fn renew(&self, lease: &Lease, now: Trusted, length: Span) -> Result<Lease, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let until = now + length;
        let done = sqlx::query(sql::EXTEND_LEASE)
            .bind(lease.flow.as_str())
            .bind(lease.epoch)
            .bind(json(&lease.holder))
            .bind(until.0)
            .execute(writing.conn())
            .await;
        let done = match done {
            Ok(done) if done.rows_affected() == 0 => Err(lost(lease)),
            Ok(_) => Ok(Lease { until, ..lease.clone() }),
            Err(error) => Err(error.into()),
        };
        writing.end(done).await
    }

    /// Gives the lease back, if it is still ours.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let done = sqlx::query(sql::RELEASE_LEASE)
            .bind(lease.flow.to_string())
            .bind(lease.epoch)
            .bind(json(&lease.holder))
            .execute(writing.conn())
            .await;
        writing.end(done.map(|_| ()).map_err(Fault::from)).await
    }
}

fn lost(lease: &Lease) -> Fault {
    StoreError::LeaseLost { flow: lease.flow.clone() }.into()
}

/// Whether the lease is still the holder's; expired and not taken by another is still theirs.
pub(super) async fn check(conn: &mut SqliteConnection, lease: &Lease) -> Result<(), Fault> {
    let row = sqlx::query(sql::LEASE).bind(lease.flow.as_str()).fetch_optional(conn).await?;
    let row = row.ok_or_else(|| lost(lease))?;
    let (epoch, holder): (i64, String) = (row.try_get("epoch")?, row.try_get("holder")?);
    if epoch == lease.epoch && holder == json(&lease.holder) { Ok(()) } else { Err(lost(lease)) }
}

async fn acquire(
    conn: &mut SqliteConnection,
    flow: &FlowName,
    holder: &Holder,
    now: Trusted,
    length: Span,
) -> Result<Option<Lease>, Fault> {
    // Others may have moved the clock on since `now` was read.
    let now = clock(conn).await?.map_or(now, |row| row.trusted.max(now));
    let mut epoch = 1;
    if let Some(row) = sqlx::query(sql::LEASE).bind(flow.as_str()).fetch_optional(&mut *conn).await? {
        let (last, by, until): (i64, String, i64) =
            (row.try_get("epoch")?, row.try_get("holder")?, row.try_get("until_trusted")?);
        if now < Trusted(until) && !is_gone(&by, holder) {
            return Ok(None);
        }
        epoch = last + 1;
    }
    let until = now + length;
    sqlx::query(sql::SET_LEASE)
        .bind(flow.as_str())
        .bind(epoch)
        .bind(json(holder))
        .bind(until.0)
        .execute(conn)
        .await?;
    Ok(Some(Lease { flow: flow.clone(), epoch, holder: holder.clone(), until }))
}

/// A holder that cannot be read is waited for: the lease runs out.
fn is_gone(by: &str, here: &Holder) -> bool {
    serde_json::from_str::<Holder>(by).is_ok_and(|by| by.is_gone(here))
}
