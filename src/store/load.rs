//! Reading the ledger of one flow.
//!
//! What is loaded equals what `Ledger::apply` of every committed change yields, up to this:
//!
//! * an environment without arrivals has no entry instead of an empty one;
//! * promotes and overrides that have been over for [`SHOWN_AFTER_OVER`] are left out,
//!   as are abandoned intents older than [`MAY_LAND_WITHIN`] and approvals beyond the newest
//!   [`APPROVALS_MAX`] of the flow.
//!
//! Not here: what other views want (`views.rs`).

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use towpath_core::model::{EnvName, FlowName, Instant, IntentRow, Ledger, Now, OrderId, Span, Standing};
use towpath_core::see;

use super::error::{Fault, StoreError};
use super::rows::{self, Fields};
use super::sql;
use super::sqlite::{SqliteStore, clock};

/// For how long an order that is over is still loaded, so that people see that it was there. By
/// the store's wall clock.
pub const SHOWN_AFTER_OVER: Span = Span::from_mins(24 * 60);

/// For how long after it was saved an abandoned intent is loaded, because its push may land late.
/// By the trusted clock.
pub const MAY_LAND_WITHIN: Span = Span::from_mins(7 * 24 * 60);

/// How many approvals of a flow are loaded.
pub const APPROVALS_MAX: usize = 1_000;

impl SqliteStore {
    /// Everything durable that a tick of `flow` needs, of one instant. `targets` are the flow's
    /// target environments.
    ///
    /// # Errors
    /// Those of any read; [`StoreError::Unreadable`] for a row that was not written by this build.
    pub async fn load(&self, flow: &FlowName, targets: &[EnvName]) -> Result<Ledger, StoreError> {
        let mut looking = self.look().await?;
        let ledger = ledger(&mut looking.conn, flow, targets).await;
        looking.end(ledger).await
    }
}

async fn ledger(conn: &mut SqliteConnection, flow: &FlowName, targets: &[EnvName]) -> Result<Ledger, Fault> {
    let now = clock(conn).await?.map(|row| row.now());
    let mut standing = standing(conn, flow, targets).await?;
    if let Some(now) = now {
        leave_out_old(&mut standing, now.wall);
    }
    let looked = sqlx::query(sql::LOOKED).bind(flow.as_str()).fetch_optional(&mut *conn).await?;
    Ok(Ledger {
        branches: by_env(conn, sql::BRANCHES, "branches", flow, rows::branch).await?,
        arrivals: arrivals(conn, flow).await?,
        held: newest(conn, (sql::HELD_ENVS, sql::HELD), "held", flow, Ledger::HELD_MAX, rows::held).await?,
        standing,
        intents: intents(conn, flow, now).await?,
        last_moves: by_env(conn, sql::LAST_MOVES, "effects", flow, |f| f.wall("at_wall")).await?,
        reminded: reminded(conn).await?,
        outbox: all(conn, sql::OUTBOX, "outbox", flow, rows::message).await?,
        decisions: by_env(conn, sql::DECISIONS, "decisions", flow, rows::decision).await?,
        would: newest(conn, (sql::WOULD_ENVS, sql::WOULD), "would_moves", flow, Ledger::WOULD_MAX, rows::would)
            .await?,
        behind: by_env(conn, sql::BEHIND, "behind", flow, rows::behind).await?,
        blocked: by_env(conn, sql::BLOCKED, "blocked", flow, rows::blocked).await?,
        heads_up: by_env(conn, sql::HEADS_UP, "heads_up", flow, rows::heads_up).await?,
        proposed: by_env(conn, sql::PROPOSED, "proposed", flow, rows::proposed).await?,
        looked: looked.map(|row| rows::looked(&Fields::new(&row, "flows"))).transpose()?,
        before: Vec::new(),
    })
}

/// What stands and bears on the flow, with everything that is over: whether an order is over is
/// judged by whoever asks, by the clock it goes by.
pub(super) async fn standing(
    conn: &mut SqliteConnection,
    flow: &FlowName,
    targets: &[EnvName],
) -> Result<Standing, Fault> {
    let found = sqlx::query(sql::PAUSES).fetch_all(&mut *conn).await?;
    let mut pauses = read(&found, "pauses", rows::pause)?;
    pauses.retain(|pause| pause.scope.touches(flow, targets.iter()));
    let limit = i64::try_from(APPROVALS_MAX).unwrap_or(i64::MAX);
    let found = sqlx::query(sql::APPROVALS).bind(flow.as_str()).bind(limit).fetch_all(&mut *conn).await?;
    let mut approvals = read(&found, "approvals", rows::approval)?;
    approvals.reverse();
    Ok(Standing {
        pauses,
        holds: all(conn, sql::HOLDS, "holds", flow, rows::hold).await?,
        promotes: all(conn, sql::PROMOTES, "promotes", flow, rows::promote).await?,
        overrides: all(conn, sql::OVERRIDES, "overrides", flow, rows::override_).await?,
        approvals,
        backoffs: all(conn, sql::BACKOFFS, "backoffs", flow, rows::backoff).await?,
    })
}

pub(super) fn leave_out_old(standing: &mut Standing, wall: Instant) {
    let shown = |until: Instant| wall <= until + SHOWN_AFTER_OVER;
    // Pauses stay until it is recorded that they are over, which takes them out of the store's answer.
    standing.promotes.retain(|order| shown(order.until));
    // One that a request had stands as long as that, and is spent when it is over.
    standing.overrides.retain(|order| shown(order.until) || order.request.is_some());
}

async fn arrivals(
    conn: &mut SqliteConnection,
    flow: &FlowName,
) -> Result<BTreeMap<EnvName, BTreeMap<towpath_core::model::CommitId, towpath_core::model::Arrival>>, Fault> {
    let mut arrivals: BTreeMap<EnvName, BTreeMap<_, _>> = BTreeMap::new();
    for row in sqlx::query(sql::ARRIVALS).bind(flow.as_str()).fetch_all(conn).await? {
        let fields = Fields::new(&row, "arrivals");
        let arrival = rows::arrival(&fields)?;
        arrivals.entry(fields.env()?).or_default().insert(fields.commit("commit_id")?, arrival);
    }
    Ok(arrivals)
}

/// The newest rows of each environment, oldest first. Of the two statements one finds the
/// environments that have any, the other the rows of one.
async fn newest<T>(
    conn: &mut SqliteConnection,
    (envs, of_env): (&'static str, &'static str),
    table: &'static str,
    flow: &FlowName,
    limit: usize,
    to_value: Read<T>,
) -> Result<BTreeMap<EnvName, Vec<T>>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = BTreeMap::new();
    for row in sqlx::query(envs).bind(flow.as_str()).fetch_all(&mut *conn).await? {
        let env = Fields::new(&row, table).env()?;
        let query = sqlx::query(of_env).bind(flow.as_str()).bind(env.as_str()).bind(limit);
        let mut rows = read(&query.fetch_all(&mut *conn).await?, table, to_value)?;
        rows.reverse();
        found.insert(env, rows);
    }
    Ok(found)
}

/// The pauses and freezes of which reminders were written: what stands between prefix and sink.
async fn reminded(conn: &mut SqliteConnection) -> Result<BTreeSet<OrderId>, Fault> {
    // The first text that does not begin with the prefix ends in `.`, which follows `-`.
    let behind = see::REMINDER.replace('-', ".");
    let mut orders = BTreeSet::new();
    for row in sqlx::query(sql::REMINDED).bind(see::REMINDER).bind(behind).fetch_all(conn).await? {
        let (id, sink): (String, String) = (row.try_get("id")?, row.try_get("sink")?);
        let order = id.strip_prefix(see::REMINDER).and_then(|id| id.strip_suffix(&format!("/{sink}")));
        orders.extend(order.map(OrderId::from));
    }
    Ok(orders)
}

async fn intents(conn: &mut SqliteConnection, flow: &FlowName, now: Option<Now>) -> Result<Vec<IntentRow>, Fault> {
    let since = now.map_or(i64::MIN, |now| now.trusted.0.saturating_sub(MAY_LAND_WITHIN.ms()));
    let found = sqlx::query(sql::INTENTS_OPEN).bind(flow.as_str()).bind(since).fetch_all(conn).await?;
    Ok(read(&found, "intents", rows::intent)?)
}

type Read<T> = fn(&Fields<'_>) -> Result<T, StoreError>;

/// Every row as a value.
pub(super) fn read<T>(rows: &[SqliteRow], table: &'static str, read: Read<T>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&Fields::new(row, table))).collect()
}

async fn all<T>(
    conn: &mut SqliteConnection,
    text: &'static str,
    table: &'static str,
    flow: &FlowName,
    to_value: Read<T>,
) -> Result<Vec<T>, Fault> {
    let found = sqlx::query(text).bind(flow.as_str()).fetch_all(conn).await?;
    Ok(read(&found, table, to_value)?)
}

async fn by_env<T>(
    conn: &mut SqliteConnection,
    text: &'static str,
    table: &'static str,
    flow: &FlowName,
    to_value: Read<T>,
) -> Result<BTreeMap<EnvName, T>, Fault> {
    let mut map = BTreeMap::new();
    for row in sqlx::query(text).bind(flow.as_str()).fetch_all(conn).await? {
        let fields = Fields::new(&row, table);
        map.insert(fields.env()?, to_value(&fields)?);
    }
    Ok(map)
}
