//! Committing changes: one call, one transaction.
//!
//! What each change means is `Ledger::apply`; here it is written as rows. Conflicts are found in
//! the transaction and roll all of it back. Not here: whether a change is allowed.

use std::collections::BTreeSet;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Row, Sqlite};
use towpath_core::model::{
    Approval, Arrival, AuditRow, Backoff, BranchSeen, Change, CommitId, DecisionRow, EffectRow, EnvName, EventRow,
    FlowName, Hold, IntentId, IntentRow, IntentState, Message, Now, OrderId, Override, Pause, Promote, Report,
    TipHow, Until,
};

use super::error::{Conflict, Fault, StoreError};
use super::lease::Lease;
use super::load::read;
use super::rows::{self, Fields, json, word};
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
    let mut batch = Batch { conn, flow, seq, ended: BTreeSet::new() };
    for change in changes {
        batch.apply(change).await?;
    }
    batch.check_effects().await?;
    if batch.seq != seq {
        sqlx::query(sql::SET_SEQ).bind(batch.seq).execute(&mut *batch.conn).await?;
    }
    let pushing = sqlx::query(sql::INTENTS_PUSHING).fetch_all(&mut *batch.conn).await?;
    Ok(Receipt { pushing: read(&pushing, "intents", rows::intent)? })
}

/// The changes of one transaction on their way into rows.
struct Batch<'c> {
    conn: &'c mut SqliteConnection,
    flow: Option<&'c FlowName>,
    /// The last number given to a row.
    seq: i64,
    /// Intents that got a final state or an effect here.
    ended: BTreeSet<IntentId>,
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
            Change::Told { message } => self.run(sqlx::query(sql::SENT_MESSAGE).bind(message.clone())).await,
            Change::Decided { env, row } => self.decided(env, row).await,
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

    async fn looked(&mut self, now: Now) -> Done {
        let flow = self.flow("looked")?;
        self.run(sqlx::query(sql::SET_LOOKED).bind(flow).bind(now.wall.0).bind(now.trusted.0)).await
    }

    async fn tip(&mut self, env: &EnvName, seen: &BranchSeen, how: &TipHow) -> Done {
        let (flow, env, at) = (self.flow("tip")?, env.to_string(), seen.at);
        let end = sqlx::query(sql::END_HELD).bind(flow.clone()).bind(env.clone());
        self.run(end.bind(at.wall.0).bind(at.trusted.0)).await?;
        let add = sqlx::query(sql::ADD_HELD)
            .bind(self.next_seq())
            .bind(flow.clone())
            .bind(env.clone())
            .bind(seen.tip.to_string())
            .bind(at.wall.0)
            .bind(at.trusted.0)
            .bind(json(how));
        self.run(add).await?;
        let set = sqlx::query(sql::SET_BRANCH)
            .bind(flow)
            .bind(env)
            .bind(text(&seen.branch))
            .bind(seen.repository.clone())
            .bind(seen.tip.to_string())
            .bind(at.wall.0)
            .bind(at.trusted.0);
        self.run(set).await
    }

    async fn forget_branch(&mut self, env: &EnvName) -> Done {
        let flow = self.flow("forget-branch")?;
        for statement in [sql::FORGET_BRANCH, sql::FORGET_ARRIVALS, sql::FORGET_HELD] {
            self.run(sqlx::query(statement).bind(flow.clone()).bind(env.to_string())).await?;
        }
        Ok(())
    }

    async fn arrived(&mut self, env: &EnvName, commits: &[(CommitId, Arrival)]) -> Done {
        let flow = self.flow("arrived")?;
        for (commit, arrival) in commits {
            let set = sqlx::query(sql::SET_ARRIVAL)
                .bind(flow.clone())
                .bind(env.to_string())
                .bind(commit.to_string())
                .bind(arrival.wall.0)
                .bind(arrival.trusted.0)
                .bind(word(&arrival.how));
            self.run(set).await?;
        }
        Ok(())
    }

    async fn left(&mut self, env: &EnvName, commits: &[CommitId]) -> Done {
        let flow = self.flow("left")?;
        for commit in commits {
            let forget = sqlx::query(sql::FORGET_ARRIVAL).bind(flow.clone()).bind(env.to_string());
            self.run(forget.bind(commit.to_string())).await?;
        }
        Ok(())
    }

    async fn lost(&mut self, env: &EnvName, commits: &[CommitId], lost: bool) -> Done {
        let flow = self.flow("lost")?;
        for commit in commits {
            let set = sqlx::query(sql::SET_LOST).bind(flow.clone()).bind(env.to_string());
            self.run(set.bind(commit.to_string()).bind(lost)).await?;
        }
        Ok(())
    }

    async fn pause(&mut self, pause: &Pause) -> Done {
        let (flow, env) = rows::scope_columns(&pause.scope);
        let until = match pause.until {
            Until::At(at) => Some(at.0),
            Until::Resumed => None,
        };
        let add = sqlx::query(sql::ADD_PAUSE)
            .bind(self.next_seq())
            .bind(text(&pause.id))
            .bind(word(&pause.kind))
            .bind(flow.map(str::to_owned))
            .bind(env.map(str::to_owned))
            .bind(text(&pause.by))
            .bind(pause.reason.clone())
            .bind(pause.at.0)
            .bind(until)
            .bind(pause.cause.as_ref().map(ToString::to_string));
        self.add(add, || exists("pauses", &pause.id)).await
    }

    async fn hold(&mut self, hold: &Hold) -> Done {
        let (commit, kept) = rows::held_columns(&hold.what);
        let add = sqlx::query(sql::ADD_HOLD)
            .bind(self.next_seq())
            .bind(text(&hold.id))
            .bind(commit)
            .bind(kept)
            .bind(hold.flow.as_ref().map(ToString::to_string))
            .bind(hold.env.as_ref().map(ToString::to_string))
            .bind(text(&hold.by))
            .bind(hold.reason.clone())
            .bind(hold.at.0)
            .bind(hold.fixed_by.map(|fix| fix.to_string()));
        self.add(add, || exists("holds", &hold.id)).await
    }

    async fn promote(&mut self, order: &Promote) -> Done {
        let replace = sqlx::query(sql::REPLACE_PROMOTE).bind(text(&order.flow)).bind(text(&order.env));
        self.run(replace).await?;
        let add = sqlx::query(sql::ADD_PROMOTE)
            .bind(self.next_seq())
            .bind(text(&order.id))
            .bind(text(&order.flow))
            .bind(text(&order.env))
            .bind(order.commit.to_string())
            .bind(text(&order.by))
            .bind(order.reason.clone())
            .bind(order.at.0)
            .bind(order.until.0);
        self.add(add, || exists("promotes", &order.id)).await
    }

    async fn override_(&mut self, order: &Override) -> Done {
        let replace = sqlx::query(sql::REPLACE_OVERRIDE)
            .bind(text(&order.flow))
            .bind(text(&order.env))
            .bind(order.commit.to_string())
            .bind(order.gate.key());
        self.run(replace).await?;
        let add = sqlx::query(sql::ADD_OVERRIDE)
            .bind(self.next_seq())
            .bind(text(&order.id))
            .bind(order.gate.key())
            .bind(text(&order.flow))
            .bind(text(&order.env))
            .bind(order.commit.to_string())
            .bind(text(&order.by))
            .bind(order.reason.clone())
            .bind(order.at.0)
            .bind(order.until.0);
        self.add(add, || exists("overrides", &order.id)).await
    }

    async fn approve(&mut self, approval: &Approval) -> Done {
        let replace = sqlx::query(sql::REPLACE_APPROVAL)
            .bind(text(&approval.flow))
            .bind(text(&approval.env))
            .bind(approval.commit.to_string())
            .bind(text(&approval.by));
        self.run(replace).await?;
        let add = sqlx::query(sql::ADD_APPROVAL)
            .bind(self.next_seq())
            .bind(text(&approval.id))
            .bind(text(&approval.flow))
            .bind(text(&approval.env))
            .bind(approval.commit.to_string())
            .bind(text(&approval.by))
            .bind(approval.email.clone())
            .bind(approval.at.0);
        self.add(add, || exists("approvals", &approval.id)).await
    }

    async fn end_orders(&mut self, statements: &[&'static str], ids: &[OrderId]) -> Done {
        for statement in statements {
            for id in ids {
                self.run(sqlx::query(*statement).bind(text(id))).await?;
            }
        }
        Ok(())
    }

    async fn backoff(&mut self, backoff: &Backoff) -> Done {
        let set = sqlx::query(sql::SET_BACKOFF)
            .bind(self.next_seq())
            .bind(text(&backoff.flow))
            .bind(text(&backoff.env))
            .bind(backoff.words.clone())
            .bind(i64::from(backoff.count))
            .bind(backoff.until.0)
            .bind(backoff.old.to_string())
            .bind(backoff.new.to_string())
            .bind(text(&backoff.policy));
        self.run(set).await
    }

    async fn intent(&mut self, row: &IntentRow) -> Done {
        let add = sqlx::query(sql::ADD_INTENT)
            .bind(self.next_seq())
            .bind(text(&row.id))
            .bind(text(&row.flow))
            .bind(text(&row.env))
            .bind(text(&row.branch))
            .bind(word(&row.kind))
            .bind(row.old.to_string())
            .bind(row.new.to_string())
            .bind(text(&row.policy))
            .bind(i64::from(row.attempt))
            .bind(text(&row.by))
            .bind(row.reason.clone())
            .bind(row.promote.as_ref().map(ToString::to_string))
            .bind(json(&row.overrides))
            .bind(json(&row.holds))
            .bind(row.state.word())
            .bind(row.saved.wall.0)
            .bind(row.saved.trusted.0)
            .bind(row.deadline.map(|at| at.0))
            .bind(row.words.clone());
        self.add(add, || Conflict::IntentExists(row.id.clone())).await
    }

    async fn flow_and_state(&mut self, id: &IntentId) -> Result<(FlowName, IntentState), Fault> {
        let row = sqlx::query(sql::INTENT_STATE).bind(text(id)).fetch_optional(&mut *self.conn).await?;
        let row = row.ok_or_else(|| Conflict::NoIntent(id.clone()))?;
        let fields = Fields::new(&row, "intents");
        Ok((fields.flow()?, rows::state(&fields)?))
    }

    async fn finish(&mut self, id: &IntentId, wanted: IntentState, words: Option<&String>) -> Done {
        let (_, is) = self.flow_and_state(id).await?;
        let late = is == IntentState::Abandoned && wanted == IntentState::Landed;
        if !wanted.is_final() || (is.is_final() && !late) {
            return Err(Conflict::State { intent: id.clone(), is, wanted }.into());
        }
        self.ended.insert(id.clone());
        let finish = sqlx::query(sql::FINISH_INTENT)
            .bind(text(id))
            .bind(wanted.word())
            .bind(words.cloned())
            .bind(self.next_seq());
        self.run(finish).await
    }

    async fn effect(&mut self, effect: &EffectRow) -> Done {
        let (flow, _) = self.flow_and_state(&effect.intent).await?;
        self.ended.insert(effect.intent.clone());
        let add = sqlx::query(sql::ADD_EFFECT)
            .bind(self.next_seq())
            .bind(text(&effect.intent))
            .bind(text(&flow))
            .bind(text(&effect.env))
            .bind(word(&effect.kind))
            .bind(effect.old.to_string())
            .bind(effect.new.to_string())
            .bind(effect.at.wall.0)
            .bind(effect.at.trusted.0)
            .bind(effect.late);
        self.add(add, || Conflict::EffectExists(effect.intent.clone())).await
    }

    /// Every landed intent has its effect and every effect a landed intent: they are made in one
    /// transaction or not at all.
    async fn check_effects(&mut self) -> Done {
        for id in std::mem::take(&mut self.ended) {
            let (_, state) = self.flow_and_state(&id).await?;
            let count = sqlx::query(sql::EFFECT_COUNT).bind(text(&id)).fetch_one(&mut *self.conn).await?;
            let effects: i64 = count.try_get("effects")?;
            if (state == IntentState::Landed) != (effects == 1) {
                return Err(Conflict::EffectAndStateDiffer(id).into());
            }
        }
        Ok(())
    }

    async fn event(&mut self, row: &EventRow) -> Done {
        let flow = self.flow("event")?;
        let add = sqlx::query(sql::ADD_EVENT)
            .bind(self.next_seq())
            .bind(flow)
            .bind(text(&row.env))
            .bind(row.at.wall.0)
            .bind(row.at.trusted.0)
            .bind(json(&row.event));
        self.run(add).await
    }

    async fn tell(&mut self, message: &Message) -> Done {
        let flow = self.flow("tell")?;
        let add = sqlx::query(sql::ADD_MESSAGE)
            .bind(self.next_seq())
            .bind(message.id.clone())
            .bind(flow)
            .bind(message.sink.clone())
            .bind(text(&message.env))
            .bind(message.at.0)
            .bind(json(&message.event));
        self.add(add, || exists("outbox", &message.id)).await
    }

    async fn decided(&mut self, env: &EnvName, row: &DecisionRow) -> Done {
        let flow = self.flow("decided")?;
        let set = sqlx::query(sql::SET_DECISION).bind(flow).bind(env.to_string());
        self.run(set.bind(row.since.0).bind(json(&row.decision))).await
    }

    async fn report(&mut self, report: &Report) -> Done {
        let flow = self.flow("report")?;
        let add = sqlx::query(sql::ADD_REPORT)
            .bind(self.next_seq())
            .bind(flow)
            .bind(report.commit.to_string())
            .bind(text(&report.name))
            .bind(report.on.as_ref().map(ToString::to_string))
            .bind(word(&report.state))
            .bind(report.url.clone())
            .bind(text(&report.by))
            .bind(report.at.wall.0)
            .bind(report.at.trusted.0);
        self.run(add).await
    }

    async fn audit(&mut self, row: &AuditRow) -> Done {
        let add = sqlx::query(sql::ADD_AUDIT)
            .bind(self.next_seq())
            .bind(text(&row.id))
            .bind(self.flow.map(ToString::to_string))
            .bind(row.at.0)
            .bind(text(&row.by))
            .bind(row.command.clone())
            .bind(row.allowed)
            .bind(row.effect.clone());
        self.add(add, || exists("audit", &row.id)).await
    }
}

fn text(name: &impl ToString) -> String {
    name.to_string()
}

fn exists(table: &'static str, id: &impl ToString) -> Conflict {
    Conflict::Exists { table, id: id.to_string() }
}
