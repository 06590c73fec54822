//! What was observed, and what was decided on it.
//!
//! Most of it is of the flow that the batch is about; [`Batch::flow`] says where one is missing.

use towpath_core::model::{
    Arrival, Behind, Blocked, BranchSeen, CommitId, DecisionRow, EnvName, HandMove, Now, Proposed, TipHow,
};

use super::{Batch, Done, number, text};
use crate::store::rows::{json, word};
use crate::store::sql;

impl Batch<'_> {
    pub(super) async fn looked(&mut self, now: Now) -> Done {
        let flow = self.flow("looked")?;
        self.run(sqlx::query(sql::SET_LOOKED).bind(flow).bind(now.wall.0).bind(now.trusted.0)).await
    }

    pub(super) async fn tip(&mut self, env: &EnvName, seen: &BranchSeen, how: &TipHow) -> Done {
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

    pub(super) async fn forget_branch(&mut self, env: &EnvName) -> Done {
        let flow = self.flow("forget-branch")?;
        for statement in [sql::FORGET_BRANCH, sql::FORGET_ARRIVALS, sql::FORGET_HELD] {
            self.run(sqlx::query(statement).bind(flow.clone()).bind(env.to_string())).await?;
        }
        Ok(())
    }

    pub(super) async fn arrived(&mut self, env: &EnvName, commits: &[(CommitId, Arrival)]) -> Done {
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

    pub(super) async fn left(&mut self, env: &EnvName, commits: &[CommitId]) -> Done {
        let flow = self.flow("left")?;
        for commit in commits {
            let forget = sqlx::query(sql::FORGET_ARRIVAL).bind(flow.clone()).bind(env.to_string());
            self.run(forget.bind(commit.to_string())).await?;
        }
        Ok(())
    }

    pub(super) async fn lost(&mut self, env: &EnvName, commits: &[CommitId], lost: bool) -> Done {
        let flow = self.flow("lost")?;
        for commit in commits {
            let set = sqlx::query(sql::SET_LOST).bind(flow.clone()).bind(env.to_string());
            self.run(set.bind(commit.to_string()).bind(lost)).await?;
        }
        Ok(())
    }

    pub(super) async fn decided(&mut self, env: &EnvName, row: &DecisionRow) -> Done {
        let flow = self.flow("decided")?;
        let set = sqlx::query(sql::SET_DECISION).bind(flow).bind(env.to_string());
        self.run(set.bind(row.since.0).bind(json(&row.decision))).await
    }

    pub(super) async fn would(&mut self, env: &EnvName, (old, new): (CommitId, CommitId), at: Now) -> Done {
        let flow = self.flow("would")?;
        let set = sqlx::query(sql::SET_WOULD)
            .bind(self.next_seq())
            .bind(flow)
            .bind(env.to_string())
            .bind(old.to_string())
            .bind(new.to_string())
            .bind(at.wall.0)
            .bind(at.trusted.0);
        self.run(set).await
    }

    pub(super) async fn would_not(&mut self, env: &EnvName, at: Now) -> Done {
        let flow = self.flow("would-not")?;
        let end = sqlx::query(sql::END_WOULD).bind(flow).bind(env.to_string());
        self.run(end.bind(at.wall.0).bind(at.trusted.0)).await
    }

    pub(super) async fn behind(&mut self, env: &EnvName, row: Behind) -> Done {
        let flow = self.flow("behind")?;
        let set = sqlx::query(sql::SET_BEHIND)
            .bind(flow)
            .bind(env.to_string())
            .bind(row.oldest.to_string())
            .bind(row.since.0)
            .bind(row.at.wall.0)
            .bind(row.at.trusted.0);
        self.run(set).await
    }

    pub(super) async fn blocked(&mut self, env: &EnvName, row: &Blocked) -> Done {
        let flow = self.flow("blocked")?;
        let set = sqlx::query(sql::SET_BLOCKED)
            .bind(flow)
            .bind(env.to_string())
            .bind(row.since.wall.0)
            .bind(row.since.trusted.0)
            .bind(row.told.map(|told| told.0))
            .bind(json(&row.verdict));
        self.run(set).await
    }

    /// By which statement says what becomes of a row that is there.
    pub(super) async fn proposed(&mut self, statement: &'static str, env: &EnvName, row: &Proposed) -> Done {
        let flow = self.flow("proposed")?;
        let set = sqlx::query(statement)
            .bind(flow)
            .bind(env.to_string())
            .bind(row.head.to_string())
            .bind(row.before.map(|before| before.to_string()))
            .bind(row.at.wall.0)
            .bind(row.at.trusted.0)
            .bind(row.confirmed.map(|at| at.wall.0))
            .bind(row.confirmed.map(|at| at.trusted.0))
            .bind(row.passed_over.map(number))
            .bind(row.announced.map(number))
            .bind(row.until.map(|until| until.0))
            .bind(row.pushed.map(|pushed| number(pushed.number)))
            .bind(row.pushed.map(|pushed| pushed.head.to_string()))
            .bind(row.pushed.map(|pushed| pushed.open))
            .bind(row.asked.map(number));
        self.run(set).await
    }

    pub(super) async fn by_hand(&mut self, moved: &HandMove) -> Done {
        let flow = self.flow("by-hand")?;
        let add = sqlx::query(sql::ADD_HAND_MOVE)
            .bind(self.next_seq())
            .bind(flow)
            .bind(text(&moved.env))
            .bind(moved.at.wall.0)
            .bind(moved.at.trusted.0)
            .bind(moved.after.map(|after| after.0))
            .bind(moved.old.to_string())
            .bind(moved.new.to_string())
            .bind(word(&moved.way))
            .bind(json(&moved.would))
            .bind(json(&moved.stood));
        self.run(add).await
    }
}
