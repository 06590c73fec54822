//! What we did: intents, their ends and effects; and what is recorded and told of it.

use sqlx::Row;
use towpath_core::model::{
    EffectRow, EnvName, EventRow, FlowName, HeadsUpTold, IntentId, IntentRow, IntentState, Message, Now,
};

use super::{Batch, Done, Query, exists, text};
use crate::store::error::{Conflict, Fault};
use crate::store::rows::{self, Fields, json, word};
use crate::store::sql;

impl Batch<'_> {
    pub(super) async fn intent(&mut self, row: &IntentRow) -> Done {
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
            .bind(row.words.clone())
            .bind(row.merge.as_ref().map(json));
        self.add(add, || Conflict::IntentExists(row.id.clone())).await
    }

    async fn flow_and_state(&mut self, id: &IntentId) -> Result<(FlowName, IntentState), Fault> {
        let row = sqlx::query(sql::INTENT_STATE).bind(text(id)).fetch_optional(&mut *self.conn).await?;
        let row = row.ok_or_else(|| Conflict::NoIntent(id.clone()))?;
        let fields = Fields::new(&row, "intents");
        Ok((fields.flow()?, rows::state(&fields)?))
    }

    pub(super) async fn finish(&mut self, id: &IntentId, wanted: IntentState, words: Option<&String>) -> Done {
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

    pub(super) async fn effect(&mut self, effect: &EffectRow) -> Done {
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
    pub(super) async fn check_effects(&mut self) -> Done {
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

    pub(super) async fn event(&mut self, row: &EventRow) -> Done {
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

    pub(super) async fn tell(&mut self, message: &Message) -> Done {
        let flow = self.flow("tell")?;
        let add = self.message(flow, message);
        self.add(add, || exists("outbox", &message.id)).await
    }

    /// Tells what is about to enter, in the history, too; nothing if a later one was told of.
    pub(super) async fn heads_up(&mut self, env: &EnvName, row: HeadsUpTold, message: &Message) -> Done {
        let flow = self.flow("heads-up")?;
        let set = sqlx::query(sql::SET_HEADS_UP)
            .bind(flow)
            .bind(text(env))
            .bind(row.newest.to_string())
            .bind(row.at.0)
            .bind(row.told.wall.0)
            .bind(row.told.trusted.0);
        if set.execute(&mut *self.conn).await?.rows_affected() == 0 {
            return Ok(());
        }
        self.event(&EventRow { env: env.clone(), at: row.told, event: message.event.clone() }).await?;
        self.tell(message).await
    }

    /// Tells that what was announced does not come, in the history, too; nothing if it is not what was told last.
    pub(super) async fn take_back(&mut self, env: &EnvName, row: HeadsUpTold, at: Now, message: &Message) -> Done {
        let flow = self.flow("take-back")?;
        let done = sqlx::query(sql::TAKE_BACK)
            .bind(flow)
            .bind(text(env))
            .bind(row.newest.to_string())
            .bind(row.at.0)
            .bind(row.told.wall.0)
            .bind(row.told.trusted.0)
            .execute(&mut *self.conn)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        self.event(&EventRow { env: env.clone(), at, event: message.event.clone() }).await?;
        self.tell(message).await
    }

    /// Puts a message into the outbox, unless its id is there.
    pub(super) fn message(&mut self, flow: String, message: &Message) -> Query {
        sqlx::query(sql::ADD_MESSAGE)
            .bind(self.next_seq())
            .bind(message.id.clone())
            .bind(flow)
            .bind(message.sink.clone())
            .bind(text(&message.env))
            .bind(message.at.0)
            .bind(json(&message.event))
    }
}
