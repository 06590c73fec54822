//! Committing changes: one call, one transaction.
//!
//! What each change means is `Ledger::apply`; here it is written as rows. Conflicts are found in
//! the transaction and roll all of it back. This file is the way through and the one list of changes;
//! the rows are written in `seen` (what was observed and decided), `orders` (what people said) and
//! `moves` (what we did, and what is told of it).
//!
//! Not here: whether a change is allowed.

mod moves;
mod orders;
mod seen;

use std::collections::BTreeSet;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Row, Sqlite};
use towpath_core::model::{Change, FlowName, IntentId};

use super::error::{Conflict, Fault, StoreError};
use super::lease::Lease;
use super::load::read;
use super::rows;
use super::sqlite::{Durability, SqliteStore};
use super::{Receipt, lease, sql};

type Done = Result<(), Fault>;
type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl SqliteStore {
    /// Makes `changes`, all or none of them, in order, and tells which pushes were under way then.
    ///
    /// With a `guard`, only if that lease is still ours. `flow` is the flow of those changes that
    /// do not name theirs; orders, reports of commands and the ends of intents go without. The
    /// transaction is synced to disk if any of them [must be](Change::must_be_durable).
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::Conflict`] for an intent, order, message or audit
    /// row that exists already, the end of an intent that has ended (but an abandoned one may land
    /// late), a second effect of an intent, and a landed intent without effect or the reverse;
    /// [`StoreError::NoFlow`]; and those of any write. Nothing is changed then.
    pub async fn commit(
        &self,
        guard: Option<&Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> Result<Receipt, StoreError> {
        let durable = changes.iter().any(Change::must_be_durable);
        let mut writing = self.write(if durable { Durability::Full } else { Durability::Light }).await?;
        let done = commit(writing.conn(), guard, flow, changes).await;
        writing.end(done).await
    }
}

/// The same inside a transaction of another kind.
pub(super) async fn commit(
    conn: &mut SqliteConnection,
    guard: Option<&Lease>,
    flow: Option<&FlowName>,
    changes: &[Change],
) -> Result<Receipt, Fault> {
    if let Some(lease) = guard {
        lease::check(conn, lease).await?;
    }
    let seq: i64 = sqlx::query(sql::SEQ).fetch_one(&mut *conn).await?.try_get("seq")?;
    let mut batch = Batch { conn, flow, seq, ended: BTreeSet::new(), request: None };
    for change in changes {
        batch.apply(change).await?;
    }
    batch.check_effects().await?;
    if batch.seq != seq {
        sqlx::query(sql::SET_SEQ).bind(batch.seq).execute(&mut *batch.conn).await?;
    }
    let pushing = sqlx::query(sql::INTENTS_PUSHING).fetch_all(&mut *batch.conn).await?;
    let proposing = sqlx::query(sql::PROPOSING).fetch_all(&mut *batch.conn).await?;
    Ok(Receipt {
        pushing: read(&pushing, "intents", rows::intent)?,
        proposing: read(&proposing, "proposed", rows::underway)?,
    })
}

/// The changes of one transaction on their way into rows.
struct Batch<'c> {
    conn: &'c mut SqliteConnection,
    flow: Option<&'c FlowName>,
    /// The last number given to a row.
    seq: i64,
    /// Intents that got a final state or an effect here.
    ended: BTreeSet<IntentId>,
    /// The number of what somebody said that all this is done for.
    request: Option<i64>,
}

impl Batch<'_> {
    async fn apply(&mut self, change: &Change) -> Done {
        match change {
            Change::Looked(now) => self.looked(*now).await,
            Change::Tip { env, seen, how } => self.tip(env, seen, how).await,
            Change::ForgetBranch(env) => self.forget_branch(env).await,
            Change::Arrived { env, commits } => self.arrived(env, commits).await,
            Change::Left { env, commits } => self.left(env, commits).await,
            Change::Lost { env, commits, lost } => self.lost(env, commits, *lost).await,
            Change::Pause(pause) => self.pause(pause).await,
            Change::Lift(ids) => self.end_orders(&[sql::END_PAUSE], ids).await,
            Change::Hold(hold) => self.hold(hold).await,
            Change::Unhold { hold, fixed_by: None } => {
                self.end_orders(&[sql::END_HOLD], std::slice::from_ref(hold)).await
            }
            Change::Unhold { hold, fixed_by: Some(fix) } => {
                self.run(sqlx::query(sql::FIX_HOLD).bind(text(hold)).bind(fix.to_string())).await
            }
            Change::Promote(order) => self.promote(order).await,
            Change::Override(order) => self.override_(order).await,
            Change::OverrideFor { order, request } => {
                self.run(sqlx::query(sql::OVERRIDE_FOR).bind(text(order)).bind(number(*request))).await
            }
            Change::Approve(approval) => self.approve(approval).await,
            Change::Spend(ids) => self.end_orders(&[sql::END_PROMOTE, sql::END_OVERRIDE], ids).await,
            Change::Report(report) => self.report(report).await,
            Change::Backoff(backoff) => self.backoff(backoff).await,
            Change::ClearBackoff(env) => {
                let flow = self.flow("clear-backoff")?;
                self.run(sqlx::query(sql::CLEAR_BACKOFF).bind(flow).bind(env.to_string())).await
            }
            Change::Intent(row) => self.intent(row).await,
            Change::Finish { intent, state, words } => self.finish(intent, *state, words.as_ref()).await,
            Change::Effect(effect) => self.effect(effect).await,
            Change::Event(event) => self.event(event).await,
            Change::Tell(message) => self.tell(message).await,
            Change::Remind { flow, message, .. } => {
                let add = self.message(flow.to_string(), message);
                // Nothing if somebody was faster.
                self.run(add).await
            }
            Change::Expire { pause, audit } => self.expire(pause, audit).await,
            Change::Told { message } => self.run(sqlx::query(sql::SENT_MESSAGE).bind(message.clone())).await,
            Change::Decided { env, row } => self.decided(env, row).await,
            Change::Would { env, old, new, at } => self.would(env, (*old, *new), *at).await,
            Change::WouldNot { env, at } => self.would_not(env, *at).await,
            Change::WouldBeOver { env, at } => {
                self.would_not(env, *at).await?;
                let flow = self.flow("would-be-over")?;
                self.run(sqlx::query(sql::SETTLE_WOULD).bind(flow).bind(env.to_string())).await
            }
            Change::ByHand(moved) => self.by_hand(moved).await,
            Change::Behind { env, row } => self.behind(env, *row).await,
            Change::CaughtUp(env) => {
                let flow = self.flow("caught-up")?;
                self.run(sqlx::query(sql::END_BEHIND).bind(flow).bind(env.to_string())).await
            }
            Change::Blocked { env, row } => self.blocked(env, row).await,
            Change::Unblocked(env) => {
                let flow = self.flow("unblocked")?;
                self.run(sqlx::query(sql::END_BLOCKED).bind(flow).bind(env.to_string())).await
            }
            Change::HeadsUp { env, row, message } => self.heads_up(env, *row, message).await,
            Change::TakeBack { env, row, at, message } => self.take_back(env, *row, *at, message).await,
            Change::Proposed { env, row } => self.proposed(sql::SET_PROPOSED, env, row).await,
            Change::PassOver { env, row } => self.proposed(sql::PASS_OVER, env, row).await,
            Change::Asked { request, turn } => self.asked(*request, *turn).await,
            Change::Audit(row) => self.audit(row).await,
        }
    }

    fn flow(&self, change: &'static str) -> Result<String, StoreError> {
        self.flow.map(ToString::to_string).ok_or(StoreError::NoFlow { change })
    }

    fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    async fn run(&mut self, query: Query) -> Done {
        query.execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Runs an insert that does nothing where the id is taken.
    async fn add(&mut self, query: Query, taken: impl FnOnce() -> Conflict) -> Done {
        match query.execute(&mut *self.conn).await?.rows_affected() {
            0 => Err(taken().into()),
            _ => Ok(()),
        }
    }
}

/// The number of a request.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn text(name: &impl ToString) -> String {
    name.to_string()
}

fn exists(table: &'static str, id: &impl ToString) -> Conflict {
    Conflict::Exists { table, id: id.to_string() }
}
