//! The last check before a push, and marking it as begun: one transaction.
//!
//! A pause is written in a transaction too, and they come one after the other: either this one is
//! first, and the pause's receipt lists the push, or the pause is, and the check sees it. Not here:
//! the check itself (`act::may_begin`).

use sqlx::sqlite::SqliteConnection;
use towpath_core::model::{IntentId, IntentRow, IntentState, Reason, Standing, Trusted};

use super::error::{Conflict, Fault, StoreError};
use super::lease::{self, Lease};
use super::load::standing;
use super::sqlite::{Durability, SqliteStore};
use super::{sql, views};

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
