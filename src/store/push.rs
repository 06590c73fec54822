//! The last check before a push, and before a request is opened or its head moved, and marking it as begun: one
//! transaction.
//!
//! A pause is written in a transaction too, and they come one after the other: either this one is
//! first, and the pause's receipt lists the push, or the pause is, and the check sees it. Not here:
//! the check itself (`act::may_begin`, `act::may_propose`).

use sqlx::sqlite::SqliteConnection;
use towpath_core::model::{Change, EnvName, IntentId, IntentRow, IntentState, Proposed, Reason, Standing, Trusted};

use super::error::{Conflict, Fault, StoreError};
use super::lease::{self, Lease};
use super::load::{leave_out_old, standing};
use super::sqlite::{Durability, SqliteStore, clock};
use super::{apply, sql, views};

/// Judges whether a push may begin, from the stored intent and everything that stands now.
pub type Check<'a> = dyn FnMut(&IntentRow, &Standing) -> Result<(), Reason> + Send + 'a;

impl SqliteStore {
    /// Marks a saved intent as `pushing` with that deadline if `check` agrees; otherwise changes
    /// nothing and returns the check's reason. The standing orders it is given are those of this
    /// instant, also ones that are over.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::Conflict`] if there is no such intent in the
    /// lease's flow or it is not `saved`; and those of any write.
    pub async fn begin_push(
        &self,
        guard: &Lease,
        intent: &IntentId,
        deadline: Trusted,
        check: &mut Check<'_>,
    ) -> Result<Result<(), Reason>, StoreError> {
        // Synced: a push that is forgotten would land as somebody else's.
        let mut writing = self.write(Durability::Full).await?;
        let done = begin(writing.conn(), guard, intent, deadline, check).await;
        writing.end(done).await
    }
}

/// Judges whether a request may be opened, or its head moved, from everything that stands now.
pub type ProposalCheck<'a> = dyn FnMut(&Standing) -> bool + Send + 'a;

impl SqliteStore {
    /// Stores what is to be in the request into `env`, with until when that may be under way, if `check` agrees;
    /// otherwise changes nothing. `targets` are the flow's target environments: the orders that the check is given
    /// are those that [`SqliteStore::load`] would tell of at this instant.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], and those of any write.
    pub async fn begin_proposal(
        &self,
        guard: &Lease,
        targets: &[EnvName],
        (env, row): (&EnvName, &Proposed),
        check: &mut ProposalCheck<'_>,
    ) -> Result<bool, StoreError> {
        // Synced: what is pushed there and is not known would be taken for somebody else's.
        let mut writing = self.write(Durability::Full).await?;
        let done = propose(writing.conn(), guard, targets, (env, row), check).await;
        writing.end(done).await
    }
}

async fn propose(
    conn: &mut SqliteConnection,
    guard: &Lease,
    targets: &[EnvName],
    (env, row): (&EnvName, &Proposed),
    check: &mut ProposalCheck<'_>,
) -> Result<bool, Fault> {
    lease::check(conn, guard).await?;
    let mut standing = standing(conn, &guard.flow, targets).await?;
    if let Some(clock) = clock(conn).await? {
        leave_out_old(&mut standing, clock.now().wall);
    }
    if !check(&standing) {
        return Ok(false);
    }
    let change = Change::Proposed { env: env.clone(), row: row.clone() };
    apply::commit(conn, Some(guard), Some(&guard.flow), std::slice::from_ref(&change)).await?;
    Ok(true)
}

async fn begin(
    conn: &mut SqliteConnection,
    guard: &Lease,
    intent: &IntentId,
    deadline: Trusted,
    check: &mut Check<'_>,
) -> Result<Result<(), Reason>, Fault> {
    lease::check(conn, guard).await?;
    let row = views::intent(conn, intent).await?.ok_or_else(|| Conflict::NoIntent(intent.clone()))?;
    if row.flow != guard.flow {
        return Err(Conflict::OtherFlow(intent.clone()).into());
    }
    if row.state != IntentState::Saved {
        let wanted = IntentState::Pushing;
        return Err(Conflict::State { intent: intent.clone(), is: row.state, wanted }.into());
    }
    let standing = standing(conn, &row.flow, std::slice::from_ref(&row.env)).await?;
    if let Err(why) = check(&row, &standing) {
        return Ok(Err(why));
    }
    sqlx::query(sql::PUSH_INTENT).bind(intent.as_str()).bind(deadline.0).execute(conn).await?;
    Ok(Ok(()))
}
