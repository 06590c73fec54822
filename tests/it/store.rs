//! The store against real files: the contract with `Ledger::apply`, conflicts, leases, faults and
//! races. Two [`SqliteStore`]s on one file stand for two processes: they share nothing but the file.

// In tests a surprise is a failure with a line number, which is what `unwrap` gives.
#![allow(clippy::unwrap_used)]

mod contract;
mod faults;
mod opening;
mod races;
mod rules;
mod views;

use std::path::PathBuf;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use towpath::store::{Create, Holder, Lease, SqliteStore};
use towpath_core::model::{
    Actor, AuditRow, BranchName, Change, CommitId, Concerns, EffectRow, FlowName, Instant, IntentId, IntentRow,
    IntentState, MoveKind, Now, OrderId, Pause, PauseKind, PolicyDigest, Scope, Span, Trusted, Until,
};

/// A folder of its own for a store.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), Create::Yes).await.unwrap()
    }

    /// A connection that knows nothing of Towpath.
    async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).connect().await.unwrap()
    }
}

fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n; 20])
}

fn flow(name: &str) -> FlowName {
    FlowName::from(name)
}

fn at(ms: i64) -> Now {
    Now { wall: Instant(ms), trusted: Trusted(ms) }
}

async fn lease(store: &SqliteStore, name: &str) -> Lease {
    let lease = store.lease(&flow(name), &Holder::this_process(), Trusted(0), Span::from_secs(60)).await;
    lease.unwrap().expect("nobody has it")
}

fn intent(id: &str, name: &str, old: u8, new: u8) -> IntentRow {
    IntentRow {
        id: IntentId::from(id),
        flow: flow(name),
        env: "production".into(),
        branch: BranchName::from("main"),
        kind: MoveKind::FastForward,
        old: commit(old),
        new: commit(new),
        policy: PolicyDigest::from("p"),
        attempt: 0,
        by: Actor::from("towpath"),
        reason: None,
        promote: Some(OrderId::from("o-1")),
        overrides: vec![OrderId::from("o-2")],
        holds: vec![(OrderId::from("h-1"), Some(commit(9))), (OrderId::from("h-2"), None)],
        state: IntentState::Saved,
        saved: at(1_000),
        deadline: None,
        words: None,
        merge: None,
    }
}

fn effect(row: &IntentRow, ms: i64, late: bool) -> Change {
    Change::Effect(EffectRow {
        intent: row.id.clone(),
        env: row.env.clone(),
        kind: row.kind,
        old: row.old,
        new: row.new,
        at: at(ms),
        late,
    })
}

fn finish(row: &IntentRow, state: IntentState) -> Change {
    Change::Finish { intent: row.id.clone(), state, words: Some("because".to_owned()) }
}

fn pause(id: &str, scope: Scope) -> Pause {
    Pause {
        id: OrderId::from(id),
        kind: PauseKind::Pause,
        scope,
        by: Actor::from("os:mia@desk"),
        reason: "it's \"late\"; -- ünïcode".to_owned(),
        at: Instant(5),
        until: Until::Resumed,
        cause: None,
        began: None,
    }
}

fn audit(id: &str) -> AuditRow {
    AuditRow {
        id: OrderId::from(id),
        at: Instant(7),
        by: Actor::from("os:mia@desk"),
        command: "pause web".to_owned(),
        allowed: true,
        effect: "paused".to_owned(),
        concerns: Concerns::All,
        came: None,
    }
}
