//! What people said: orders, approvals, reports, and the audit of it all.

use towpath_core::model::{Approval, AuditRow, Backoff, Hold, OrderId, Override, Pause, Promote, Report, Until};

use super::{Batch, Done, exists, number, text};
use crate::store::error::Conflict;
use crate::store::rows::{self, json, word};
use crate::store::sql;

/// Binds what `promote` and `override` have in common, in the order of their columns.
macro_rules! bind_order {
    ($query:ident, $order:ident) => {
        $query
            .bind(text(&$order.flow))
            .bind(text(&$order.env))
            .bind($order.commit.to_string())
            .bind(text(&$order.by))
            .bind($order.reason.clone())
            .bind($order.at.0)
            .bind($order.until.0)
    };
}

impl Batch<'_> {
    pub(super) async fn pause(&mut self, pause: &Pause) -> Done {
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
            .bind(pause.cause.as_ref().map(ToString::to_string))
            .bind(pause.began.map(|at| at.0));
        self.add(add, || exists("pauses", &pause.id)).await
    }

    pub(super) async fn hold(&mut self, hold: &Hold) -> Done {
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

    pub(super) async fn promote(&mut self, order: &Promote) -> Done {
        let replace = sqlx::query(sql::REPLACE_PROMOTE).bind(text(&order.flow)).bind(text(&order.env));
        self.run(replace).await?;
        let add = sqlx::query(sql::ADD_PROMOTE).bind(self.next_seq()).bind(text(&order.id));
        let add = bind_order!(add, order);
        self.add(add, || exists("promotes", &order.id)).await
    }

    pub(super) async fn override_(&mut self, order: &Override) -> Done {
        let replace = sqlx::query(sql::REPLACE_OVERRIDE)
            .bind(text(&order.flow))
            .bind(text(&order.env))
            .bind(order.commit.to_string())
            .bind(order.gate.key());
        self.run(replace).await?;
        let add = sqlx::query(sql::ADD_OVERRIDE).bind(self.next_seq()).bind(text(&order.id)).bind(order.gate.key());
        let add = bind_order!(add, order).bind(order.request.map(number)).bind(json(&order.accepts));
        self.add(add, || exists("overrides", &order.id)).await
    }

    pub(super) async fn approve(&mut self, approval: &Approval) -> Done {
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
            .bind(approval.at.0)
            .bind((!approval.also.is_empty()).then(|| rows::json(&approval.also)));
        self.add(add, || exists("approvals", &approval.id)).await
    }

    pub(super) async fn end_orders(&mut self, statements: &[&'static str], ids: &[OrderId]) -> Done {
        for statement in statements {
            for id in ids {
                self.run(sqlx::query(*statement).bind(text(id))).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn backoff(&mut self, backoff: &Backoff) -> Done {
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

    pub(super) async fn report(&mut self, report: &Report) -> Done {
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

    /// Ends it and says so; nothing if somebody was faster.
    pub(super) async fn expire(&mut self, pause: &OrderId, audit: &AuditRow) -> Done {
        let end = sqlx::query(sql::EXPIRE_PAUSE).bind(text(pause));
        match end.execute(&mut *self.conn).await?.rows_affected() {
            0 => Ok(()),
            _ => self.audit(audit).await,
        }
    }

    /// What follows is done for what somebody said, which thereby is done: once, and by whoever's turn it is.
    pub(super) async fn asked(&mut self, request: i64, turn: i64) -> Done {
        let done = sqlx::query(sql::DO_ASKED).bind(request).bind(turn).execute(&mut *self.conn).await?;
        if done.rows_affected() == 0 {
            return Err(Conflict::NotOurTurn(request).into());
        }
        self.request = Some(request);
        Ok(())
    }

    pub(super) async fn audit(&mut self, row: &AuditRow) -> Done {
        let (flow, flows) = rows::concerns_columns(&row.concerns);
        let add = sqlx::query(sql::ADD_AUDIT)
            .bind(self.next_seq())
            .bind(text(&row.id))
            .bind(flow)
            .bind(flows)
            .bind(row.at.0)
            .bind(text(&row.by))
            .bind(row.command.clone())
            .bind(row.allowed)
            .bind(row.effect.clone())
            .bind(row.came.as_ref().map(rows::json))
            .bind(self.request);
        self.add(add, || exists("audit", &row.id)).await
    }
}
