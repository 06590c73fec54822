//! What is read besides the ledger: history, audit, reports, single rows, and the export.
//!
//! Nothing here writes.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use towpath_core::model::{
    AuditRow, BranchSeen, CiItem, CommitId, Concerns, EffectRow, EnvName, EventRow, FlowName, HandMove, Instant,
    IntentId, IntentRow, IntentState, Message, MoveKind, Now, PolicyDigest, Report, TipHeld,
};
use towpath_core::see::{HEADS_UP, US};

use super::error::{Fault, StoreError};
use super::load::read;
use super::rows::{self, Fields, word};
use super::sql;
use super::sqlite::SqliteStore;

/// How many commits [`SqliteStore::commits_known`] returns at most.
pub const COMMITS_KNOWN_MAX: i64 = 100;

/// How many rows of each table the export reads at once.
const EXPORT_PAGE: i64 = 500;

/// Something that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// Its place in the order in which things were recorded.
    pub seq: i64,
    /// The flow; none for a command that was not about a single one.
    pub flow: Option<FlowName>,
    /// When, by the wall clock.
    pub at: Instant,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", content = "row", rename_all = "kebab-case")]
pub enum What {
    /// In the history: an intent that has ended. In the export: any intent, where it was saved.
    Intent(Box<IntentRow>),
    /// A move by our hand.
    Effect(EffectRow),
    /// An event.
    Event(EventRow),
    /// A command.
    Audit(AuditRow),
}

/// Which flows commands were about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orders {
    /// How far the record goes that was read.
    pub newest: i64,
    /// Which flows each command concerned.
    pub concerns: Vec<Concerns>,
}

/// A flow that was looked at, whether or not it is configured now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFlow {
    /// The flow.
    pub flow: FlowName,
    /// When it was last looked at.
    pub looked: Now,
    /// Where its branches were.
    pub branches: BTreeMap<EnvName, BranchSeen>,
}

/// Who moved the branches of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// Moves that were not ours, oldest first.
    pub by_hand: Vec<HandMove>,
    /// For each environment, how many were.
    pub own: Vec<(EnvName, u64)>,
}

impl SqliteStore {
    /// Every flow that was ever looked at, with where its branches were.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn flows_known(&self) -> Result<Vec<KnownFlow>, StoreError> {
        let mut looking = self.look().await?;
        let rows = sqlx::query(sql::BRANCHES_OF_ALL).fetch_all(&mut looking.conn).await;
        looking.end(rows.map_err(Fault::from).and_then(|rows| flows_known(&rows))).await
    }

    /// The newest `limit` of ended intents, effects, events and commands, newest first; of one
    /// flow with what was commanded of all flows, or of everything.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn history(&self, flow: Option<&FlowName>, limit: usize) -> Result<Vec<HistoryItem>, StoreError> {
        self.history_before(flow, None, limit).await
    }

    /// The same of what was recorded before the row `before`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn history_before(
        &self,
        flow: Option<&FlowName>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HistoryItem>, StoreError> {
        let mut looking = self.look().await?;
        let items = history(&mut looking.conn, flow, before, limit).await;
        looking.end(items).await
    }

    /// The heads-ups that were told of an environment, newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn heads_ups(
        &self,
        flow: &FlowName,
        env: &EnvName,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let mut looking = self.look().await?;
        let first = format!("{HEADS_UP}{flow}-{env}-");
        // The first text that does not begin with that ends in `.`, which follows `-`.
        let behind = format!("{HEADS_UP}{flow}-{env}.");
        let query = sqlx::query(sql::HEADS_UPS)
            .bind(flow.to_string())
            .bind(env.to_string())
            .bind(first)
            .bind(behind)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(rows.and_then(|rows| Ok(read(&rows, "outbox", rows::message)?))).await
    }

    /// Commands with their places and flows, newest first, before the row `before`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn audit_before(
        &self,
        flow: Option<&FlowName>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Option<FlowName>, AuditRow)>, StoreError> {
        let mut looking = self.look().await?;
        let rows = page(&mut looking.conn, sql::AUDIT, flow, before, limit).await;
        let placed = |f: &Fields<'_>| Ok((f.get("seq")?, f.flow_or_none()?, rows::audit(f)?));
        looking.end(rows.and_then(|rows| Ok(read(&rows, "audit", placed)?))).await
    }

    /// Intents with their places, newest first, before the row `before`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn intents_before(
        &self,
        flow: Option<&FlowName>,
        env: Option<&EnvName>,
        state: Option<IntentState>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, IntentRow)>, StoreError> {
        let mut looking = self.look().await?;
        let rows = sqlx::query(sql::INTENTS_BEFORE)
            .bind(flow.map(ToString::to_string))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(before.unwrap_or(i64::MAX))
            .bind(env.map(ToString::to_string))
            .bind(state.map(IntentState::word))
            .fetch_all(&mut looking.conn)
            .await;
        let placed = |f: &Fields<'_>| Ok((f.get("seq")?, rows::intent(f)?));
        looking.end(rows.map_err(Fault::from).and_then(|rows| Ok(read(&rows, "intents", placed)?))).await
    }

    /// The newest `limit` commands, newest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let mut looking = self.look().await?;
        let rows = page(&mut looking.conn, sql::AUDIT, None, None, limit).await;
        looking.end(rows.and_then(|rows| Ok(read(&rows, "audit", rows::audit)?))).await
    }

    /// Which flows the orders concerned that people gave after `seq`, oldest first, at most `limit`;
    /// without a `seq` none, only how far the record goes. What was refused is no order.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn ordered_since(&self, seq: Option<i64>, limit: usize) -> Result<Orders, StoreError> {
        let mut looking = self.look().await?;
        let orders = ordered_since(&mut looking.conn, seq, limit).await;
        looking.end(orders).await
    }

    /// The reported check results of each of `commits`: the newest for each name and branch.
    /// Commits without any have no entry.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn checks(
        &self,
        flow: &FlowName,
        commits: &[CommitId],
    ) -> Result<BTreeMap<CommitId, Vec<CiItem>>, StoreError> {
        let mut looking = self.look().await?;
        let checks = checks(&mut looking.conn, flow, commits).await;
        looking.end(checks).await
    }

    /// When `env` last held `commit` as its tip, if it ever did.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn held_before(
        &self,
        flow: &FlowName,
        env: &EnvName,
        commit: CommitId,
    ) -> Result<Option<TipHeld>, StoreError> {
        let mut looking = self.look().await?;
        let query = sqlx::query(sql::HELD_COMMIT).bind(flow.as_str()).bind(env.as_str()).bind(commit.to_string());
        let row = query.fetch_optional(&mut looking.conn).await;
        let tip = row.map_err(Fault::from).and_then(|row| one(row, "held", rows::held));
        looking.end(tip).await
    }

    /// What people moved since then, oldest first, and how many moves of each environment were
    /// our own.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn moves_since(&self, flow: &FlowName, since: Instant) -> Result<Moves, StoreError> {
        let mut looking = self.look().await?;
        let moves = moves_since(&mut looking.conn, flow, since).await;
        looking.end(moves).await
    }

    /// Every commit in the ledger whose id begins with `prefix`, at most [`COMMITS_KNOWN_MAX`], in
    /// order; none for a prefix that is not of hexadecimal digits. Case does not matter.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn commits_known(&self, prefix: &str) -> Result<Vec<CommitId>, StoreError> {
        if prefix.is_empty() || prefix.len() > 40 || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let prefix = prefix.to_ascii_lowercase();
        let mut looking = self.look().await?;
        let query = sqlx::query(sql::COMMITS_KNOWN).bind(prefix.clone()).bind(format!("{prefix}g"));
        let rows = query.bind(COMMITS_KNOWN_MAX).fetch_all(&mut looking.conn).await;
        let commits = rows.map_err(Fault::from);
        let commits = commits.and_then(|rows| Ok(read(&rows, "commits", |fields| fields.commit("commit_id"))?));
        looking.end(commits).await
    }

    /// An intent, whatever its state.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn intent(&self, id: &IntentId) -> Result<Option<IntentRow>, StoreError> {
        let mut looking = self.look().await?;
        let row = intent(&mut looking.conn, id).await;
        looking.end(row).await
    }

    /// The number of the next attempt at a move: 0 if there was none with these values.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn attempts(
        &self,
        flow: &FlowName,
        env: &EnvName,
        old: CommitId,
        new: CommitId,
        kind: MoveKind,
        policy: &PolicyDigest,
    ) -> Result<u32, StoreError> {
        let mut looking = self.look().await?;
        let row = sqlx::query(sql::ATTEMPTS)
            .bind(flow.as_str())
            .bind(env.as_str())
            .bind(old.to_string())
            .bind(new.to_string())
            .bind(word(&kind))
            .bind(policy.as_str())
            .fetch_one(&mut looking.conn)
            .await;
        let count = row.and_then(|row| row.try_get::<i64, _>("attempts")).map_err(Fault::from);
        looking.end(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX))).await
    }

    /// Writes every intent, effect, event and command as one line of JSON each, in the order in
    /// which they were recorded, and returns how many. For an auditor who trusts no view of ours.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails, and those of any read.
    pub async fn export(&self, out: &mut (dyn Write + Send)) -> Result<u64, StoreError> {
        let mut looking = self.look().await?;
        let count = export(&mut looking.conn, out).await;
        looking.end(count).await
    }
}

/// An intent, inside a transaction.
pub(super) async fn intent(conn: &mut SqliteConnection, id: &IntentId) -> Result<Option<IntentRow>, Fault> {
    let row = sqlx::query(sql::INTENT).bind(id.as_str()).fetch_optional(conn).await?;
    one(row, "intents", rows::intent)
}

fn one<T>(
    row: Option<SqliteRow>,
    table: &'static str,
    to_value: fn(&Fields<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, Fault> {
    Ok(row.map(|row| to_value(&Fields::new(&row, table))).transpose()?)
}

async fn page(
    conn: &mut SqliteConnection,
    text: &'static str,
    flow: Option<&FlowName>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<SqliteRow>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = sqlx::query(text).bind(flow.map(ToString::to_string)).bind(limit).bind(before.unwrap_or(i64::MAX));
    Ok(query.fetch_all(conn).await?)
}

fn flows_known(rows: &[SqliteRow]) -> Result<Vec<KnownFlow>, Fault> {
    let mut known: Vec<KnownFlow> = Vec::new();
    for row in rows {
        let fields = Fields::new(row, "branches");
        let (flow, env, seen) = (fields.flow()?, fields.env()?, rows::branch(&fields)?);
        match known.last_mut().filter(|last| last.flow == flow) {
            Some(last) => drop(last.branches.insert(env, seen)),
            None => {
                known.push(KnownFlow {
                    flow,
                    looked: rows::looked(&fields)?,
                    branches: BTreeMap::from([(env, seen)]),
                });
            }
        }
    }
    Ok(known)
}

async fn history(
    conn: &mut SqliteConnection,
    flow: Option<&FlowName>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<HistoryItem>, Fault> {
    let intents = page(conn, sql::INTENTS_FINISHED, flow, before, limit).await?;
    let mut items = read(&intents, "intents", finished_intent)?;
    items.extend(read(&page(conn, sql::EFFECTS, flow, before, limit).await?, "effects", effect)?);
    items.extend(read(&page(conn, sql::EVENTS, flow, before, limit).await?, "events", event)?);
    items.extend(read(&page(conn, sql::AUDIT, flow, before, limit).await?, "audit", audit)?);
    items.sort_by_key(|item| std::cmp::Reverse(item.seq));
    items.truncate(limit);
    Ok(items)
}

fn finished_intent(f: &Fields<'_>) -> Result<HistoryItem, StoreError> {
    let row = rows::intent(f)?;
    let at = f.get::<Option<i64>>("finished_wall")?.map_or(row.saved.wall, Instant);
    Ok(HistoryItem {
        seq: f.get("finished_seq")?,
        flow: Some(row.flow.clone()),
        at,
        what: What::Intent(Box::new(row)),
    })
}

fn saved_intent(f: &Fields<'_>) -> Result<HistoryItem, StoreError> {
    let row = rows::intent(f)?;
    let (flow, at) = (Some(row.flow.clone()), row.saved.wall);
    Ok(HistoryItem { seq: f.get("seq")?, flow, at, what: What::Intent(Box::new(row)) })
}

fn effect(f: &Fields<'_>) -> Result<HistoryItem, StoreError> {
    let row = rows::effect(f)?;
    Ok(HistoryItem { seq: f.get("seq")?, flow: f.flow_or_none()?, at: row.at.wall, what: What::Effect(row) })
}

fn event(f: &Fields<'_>) -> Result<HistoryItem, StoreError> {
    let row = rows::event(f)?;
    Ok(HistoryItem { seq: f.get("seq")?, flow: f.flow_or_none()?, at: row.at.wall, what: What::Event(row) })
}

fn audit(f: &Fields<'_>) -> Result<HistoryItem, StoreError> {
    let row = rows::audit(f)?;
    Ok(HistoryItem { seq: f.get("seq")?, flow: f.flow_or_none()?, at: row.at, what: What::Audit(row) })
}

async fn checks(
    conn: &mut SqliteConnection,
    flow: &FlowName,
    commits: &[CommitId],
) -> Result<BTreeMap<CommitId, Vec<CiItem>>, Fault> {
    let mut checks = BTreeMap::new();
    for commit in commits {
        let query = sqlx::query(sql::REPORTS).bind(flow.as_str()).bind(commit.to_string());
        let reports = read(&query.fetch_all(&mut *conn).await?, "reports", rows::report)?;
        if !reports.is_empty() {
            checks.insert(*commit, Report::fold(&reports));
        }
    }
    Ok(checks)
}

/// Each page holds the next rows of every table, so the first of all of them are the next ones.
async fn export(conn: &mut SqliteConnection, out: &mut (dyn Write + Send)) -> Result<u64, Fault> {
    let tables: [(_, _, fn(&Fields<'_>) -> _); 4] = [
        (sql::INTENTS_AFTER, "intents", saved_intent),
        (sql::EFFECTS_AFTER, "effects", effect),
        (sql::EVENTS_AFTER, "events", event),
        (sql::AUDIT_AFTER, "audit", audit),
    ];
    let (mut after, mut count) = (0_i64, 0_u64);
    loop {
        let mut items = Vec::new();
        for (text, table, to_item) in tables {
            let rows = sqlx::query(text).bind(after).bind(EXPORT_PAGE).fetch_all(&mut *conn).await?;
            items.extend(read(&rows, table, to_item)?);
        }
        items.sort_by_key(|item| item.seq);
        items.truncate(usize::try_from(EXPORT_PAGE).unwrap_or(usize::MAX));
        let Some(last) = items.last() else { break };
        after = last.seq;
        for item in &items {
            writeln!(out, "{}", rows::json(item)).map_err(StoreError::Export)?;
            count += 1;
        }
    }
    out.flush().map_err(StoreError::Export)?;
    Ok(count)
}

async fn moves_since(conn: &mut SqliteConnection, flow: &FlowName, since: Instant) -> Result<Moves, Fault> {
    let query = sqlx::query(sql::HAND_MOVES).bind(flow.as_str()).bind(since.0);
    let by_hand = read(&query.fetch_all(&mut *conn).await?, "hand_moves", rows::hand_move)?;
    let query = sqlx::query(sql::OWN_MOVES).bind(flow.as_str()).bind(since.0);
    let counted = |fields: &Fields<'_>| Ok((fields.env()?, fields.get::<i64>("moves")?.unsigned_abs()));
    let own = read(&query.fetch_all(conn).await?, "effects", counted)?;
    Ok(Moves { by_hand, own })
}

async fn ordered_since(conn: &mut SqliteConnection, seq: Option<i64>, limit: usize) -> Result<Orders, Fault> {
    let newest: Option<i64> = sqlx::query_scalar(sql::AUDIT_NEWEST).fetch_one(&mut *conn).await?;
    let newest = newest.unwrap_or(0);
    let Some(seq) = seq else { return Ok(Orders { newest, concerns: Vec::new() }) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query(sql::ORDERED_AFTER).bind(seq).bind(limit).bind(US).fetch_all(conn).await?;
    Ok(Orders { newest, concerns: read(&rows, "audit", rows::concerns)? })
}
