//! Rows as values of the core, and values as what is bound.
//!
//! Not here: statements (`sql.rs`) and what a change means (`apply.rs`).

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use towpath_core::model::{
    Actor, Approval, Arrival, AuditRow, Backoff, Behind, Blocked, BranchName, BranchSeen, CheckName, ClockRow,
    CommitId, Concerns, DecisionRow, EffectRow, EnvName, EventRow, FlowName, GateKind, HandMove, HeadsUpTold, Held,
    Hold, Instant, IntentId, IntentRow, IntentState, Message, Now, OrderId, Override, Pause, PolicyDigest, Promote,
    Proposed, PushedRequest, Reading, Report, Scope, TipHeld, Trusted, Underway, Until, WouldMove,
};

use super::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A value as JSON text. Values of the core have string keys only, so this does not fail; if one
/// ever did, the empty text is refused by the column's check instead of being stored.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The word of a unit variant, as serde writes it.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}

/// A row with the name of its table, for errors that say where.
pub(super) struct Fields<'r> {
    row: &'r SqliteRow,
    table: &'static str,
}

impl<'r> Fields<'r> {
    pub(super) const fn new(row: &'r SqliteRow, table: &'static str) -> Self {
        Self { row, table }
    }

    fn bad(&self, column: &'static str, words: &impl ToString) -> StoreError {
        StoreError::Unreadable { table: self.table, column, words: words.to_string() }
    }

    pub(super) fn get<T>(&self, column: &'static str) -> Result<T>
    where
        T: for<'a> Decode<'a, Sqlite> + Type<Sqlite>,
    {
        self.row.try_get(column).map_err(|error| self.bad(column, &error))
    }

    fn text(&self, column: &'static str) -> Result<String> {
        self.get(column)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.bad(column, &error))
    }

    fn json_or_none<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.bad(column, &error))).transpose()
    }

    pub(super) fn parsed<T: FromStr<Err = String>>(&self, column: &'static str) -> Result<T> {
        self.text(column)?.parse().map_err(|error: String| self.bad(column, &error))
    }

    fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        let value = serde_json::Value::String(self.text(column)?);
        serde_json::from_value(value).map_err(|error| self.bad(column, &error))
    }

    pub(super) fn commit(&self, column: &'static str) -> Result<CommitId> {
        CommitId::from_str(&self.text(column)?).map_err(|error| self.bad(column, &error))
    }

    fn commit_or_none(&self, column: &'static str) -> Result<Option<CommitId>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| CommitId::from_str(&text).map_err(|error| self.bad(column, &error))).transpose()
    }

    /// The number of a request, if there is one.
    fn number(&self, column: &'static str) -> Result<Option<u64>> {
        Ok(self.get::<Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()))
    }

    fn count(&self, column: &'static str) -> Result<u32> {
        u32::try_from(self.get::<i64>(column)?).map_err(|error| self.bad(column, &error))
    }

    pub(super) fn wall(&self, column: &'static str) -> Result<Instant> {
        self.get(column).map(Instant)
    }

    fn both(&self, wall: &'static str, trusted: &'static str) -> Result<Now> {
        Ok(Now { wall: self.wall(wall)?, trusted: Trusted(self.get(trusted)?) })
    }

    pub(super) fn env(&self) -> Result<EnvName> {
        self.text("env").map(EnvName::new)
    }

    pub(super) fn flow(&self) -> Result<FlowName> {
        self.text("flow").map(FlowName::new)
    }

    pub(super) fn flow_or_none(&self) -> Result<Option<FlowName>> {
        Ok(self.get::<Option<String>>("flow")?.map(FlowName::new))
    }

    fn env_or_none(&self) -> Result<Option<EnvName>> {
        Ok(self.get::<Option<String>>("env")?.map(EnvName::new))
    }

    fn actor(&self) -> Result<Actor> {
        self.text("by_actor").map(Actor::new)
    }

    fn order(&self) -> Result<OrderId> {
        self.text("id").map(OrderId::new)
    }
}

pub(super) fn clock(f: &Fields<'_>) -> Result<ClockRow> {
    Ok(ClockRow {
        trusted: Trusted(f.get("trusted")?),
        reading: Reading { wall: f.wall("wall")?, boottime_ms: f.get("boottime")?, boot: f.get("boot")? },
        boots: f.json("boots")?,
    })
}

pub(super) fn looked(f: &Fields<'_>) -> Result<Now> {
    f.both("looked_wall", "looked_trusted")
}

pub(super) fn branch(f: &Fields<'_>) -> Result<BranchSeen> {
    Ok(BranchSeen {
        branch: BranchName::new(f.text("branch")?),
        repository: f.get("repository")?,
        tip: f.commit("tip")?,
        at: f.both("at_wall", "at_trusted")?,
    })
}

pub(super) fn arrival(f: &Fields<'_>) -> Result<Arrival> {
    Ok(Arrival { trusted: Trusted(f.get("trusted")?), wall: f.wall("wall")?, how: f.word("how")? })
}

pub(super) fn held(f: &Fields<'_>) -> Result<TipHeld> {
    let until: (Option<i64>, Option<i64>) = (f.get("until_wall")?, f.get("until_trusted")?);
    Ok(TipHeld {
        commit: f.commit("commit_id")?,
        from: f.both("from_wall", "from_trusted")?,
        until: match until {
            (Some(wall), Some(trusted)) => Some(Now { wall: Instant(wall), trusted: Trusted(trusted) }),
            _ => None,
        },
        lost: f.get("lost")?,
        how: f.json("how")?,
    })
}

/// A scope as the columns `flow` and `env`.
pub(super) fn scope_columns(scope: &Scope) -> (Option<&str>, Option<&str>) {
    match scope {
        Scope::All => (None, None),
        Scope::Flow(flow) => (Some(flow.as_str()), None),
        Scope::Edge(flow, env) => (Some(flow.as_str()), Some(env.as_str())),
        Scope::Environment(env) => (None, Some(env.as_str())),
    }
}

pub(super) fn pause(f: &Fields<'_>) -> Result<Pause> {
    let scope = match (f.flow_or_none()?, f.env_or_none()?) {
        (None, None) => Scope::All,
        (Some(flow), None) => Scope::Flow(flow),
        (Some(flow), Some(env)) => Scope::Edge(flow, env),
        (None, Some(env)) => Scope::Environment(env),
    };
    let until: Option<i64> = f.get("until_wall")?;
    Ok(Pause {
        id: f.order()?,
        kind: f.word("kind")?,
        scope,
        by: f.actor()?,
        reason: f.get("reason")?,
        at: f.wall("at_wall")?,
        until: until.map_or(Until::Resumed, |at| Until::At(Instant(at))),
        cause: f.get::<Option<String>>("cause")?.map(OrderId::new),
        began: f.get::<Option<i64>>("at_trusted")?.map(Trusted),
    })
}

/// What is held, as the columns `commit_id` and `kept`.
pub(super) fn held_columns(held: &Held) -> (String, Option<String>) {
    match held {
        Held::Commit(commit) => (commit.to_string(), None),
        Held::Range { lost, kept } => (lost.to_string(), Some(kept.to_string())),
    }
}

pub(super) fn hold(f: &Fields<'_>) -> Result<Hold> {
    let lost = f.commit("commit_id")?;
    Ok(Hold {
        id: f.order()?,
        what: f.commit_or_none("kept")?.map_or(Held::Commit(lost), |kept| Held::Range { lost, kept }),
        flow: f.flow_or_none()?,
        env: f.env_or_none()?,
        by: f.actor()?,
        reason: f.get("reason")?,
        at: f.wall("at_wall")?,
        fixed_by: f.commit_or_none("fixed_by")?,
    })
}

/// A row of an order about one commit: what `promote` and `override` have in common, and the rest.
macro_rules! order_on_commit {
    ($f:ident, $row:ident { $($rest:tt)* }) => {
        Ok($row {
            id: $f.order()?,
            flow: $f.flow()?,
            env: $f.env()?,
            commit: $f.commit("commit_id")?,
            by: $f.actor()?,
            reason: $f.get("reason")?,
            at: $f.wall("at_wall")?,
            until: $f.wall("until_wall")?,
            $($rest)*
        })
    };
}

pub(super) fn promote(f: &Fields<'_>) -> Result<Promote> {
    order_on_commit!(f, Promote {})
}

pub(super) fn override_(f: &Fields<'_>) -> Result<Override> {
    let gate = f.text("gate")?;
    let gate = GateKind::from_key(&gate).ok_or_else(|| f.bad("gate", &format!("`{gate}` is no gate")))?;
    let request = f.number("request")?;
    let accepts: Option<String> = f.get("accepts")?;
    let accepts = accepts.map(|text| serde_json::from_str(&text).map_err(|error| f.bad("accepts", &error)));
    let accepts = accepts.transpose()?.unwrap_or_default();
    order_on_commit!(f, Override { gate, request, accepts })
}

pub(super) fn approval(f: &Fields<'_>) -> Result<Approval> {
    Ok(Approval {
        id: f.order()?,
        flow: f.flow()?,
        env: f.env()?,
        commit: f.commit("commit_id")?,
        by: f.actor()?,
        email: f.get("email")?,
        also: f.json_or_none("also")?.unwrap_or_default(),
        at: f.wall("at_wall")?,
    })
}

pub(super) fn backoff(f: &Fields<'_>) -> Result<Backoff> {
    Ok(Backoff {
        flow: f.flow()?,
        env: f.env()?,
        words: f.get("words")?,
        count: f.count("refusals")?,
        until: f.wall("until_wall")?,
        old: f.commit("old_commit")?,
        new: f.commit("new_commit")?,
        policy: PolicyDigest::new(f.text("policy")?),
    })
}

pub(super) fn state(f: &Fields<'_>) -> Result<IntentState> {
    let state = f.text("state")?;
    IntentState::from_word(&state).ok_or_else(|| f.bad("state", &format!("`{state}` is no state")))
}

pub(super) fn intent(f: &Fields<'_>) -> Result<IntentRow> {
    Ok(IntentRow {
        id: IntentId::new(f.text("id")?),
        flow: f.flow()?,
        env: f.env()?,
        branch: BranchName::new(f.text("branch")?),
        kind: f.word("kind")?,
        old: f.commit("old_commit")?,
        new: f.commit("new_commit")?,
        policy: PolicyDigest::new(f.text("policy")?),
        attempt: f.count("attempt")?,
        by: f.actor()?,
        reason: f.get("reason")?,
        promote: f.get::<Option<String>>("promote")?.map(OrderId::new),
        overrides: f.json("overrides")?,
        holds: f.json("holds")?,
        state: state(f)?,
        saved: f.both("saved_wall", "saved_trusted")?,
        deadline: f.get::<Option<i64>>("deadline_trusted")?.map(Trusted),
        words: f.get("words")?,
        merge: match f.get::<Option<String>>("merge")? {
            Some(_) => Some(f.json("merge")?),
            None => None,
        },
    })
}

pub(super) fn effect(f: &Fields<'_>) -> Result<EffectRow> {
    Ok(EffectRow {
        intent: IntentId::new(f.text("intent")?),
        env: f.env()?,
        kind: f.word("kind")?,
        old: f.commit("old_commit")?,
        new: f.commit("new_commit")?,
        at: f.both("at_wall", "at_trusted")?,
        late: f.get("late")?,
    })
}

pub(super) fn event(f: &Fields<'_>) -> Result<EventRow> {
    Ok(EventRow { env: f.env()?, at: f.both("at_wall", "at_trusted")?, event: f.json("event")? })
}

pub(super) fn message(f: &Fields<'_>) -> Result<Message> {
    Ok(Message {
        id: f.get("id")?,
        sink: f.get("sink")?,
        env: f.env()?,
        at: f.wall("at_wall")?,
        event: f.json("event")?,
    })
}

pub(super) fn decision(f: &Fields<'_>) -> Result<DecisionRow> {
    Ok(DecisionRow { decision: f.json("decision")?, since: f.wall("since_wall")? })
}

pub(super) fn would(f: &Fields<'_>) -> Result<WouldMove> {
    let ended: (Option<i64>, Option<i64>) = (f.get("ended_wall")?, f.get("ended_trusted")?);
    Ok(WouldMove {
        old: f.commit("old_commit")?,
        new: f.commit("new_commit")?,
        began: f.both("began_wall", "began_trusted")?,
        ended: match ended {
            (Some(wall), Some(trusted)) => Some(Now { wall: Instant(wall), trusted: Trusted(trusted) }),
            _ => None,
        },
        times: f.count("times")?,
    })
}

pub(super) fn behind(f: &Fields<'_>) -> Result<Behind> {
    Ok(Behind {
        oldest: f.commit("commit_id")?,
        since: f.wall("since_wall")?,
        at: f.both("at_wall", "at_trusted")?,
    })
}

pub(super) fn blocked(f: &Fields<'_>) -> Result<Blocked> {
    let told: Option<i64> = f.get("told")?;
    let since = f.both("since_wall", "since_trusted")?;
    Ok(Blocked { since, told: told.map(Trusted), verdict: f.json("verdict")? })
}

pub(super) fn heads_up(f: &Fields<'_>) -> Result<HeadsUpTold> {
    Ok(HeadsUpTold {
        newest: f.commit("newest")?,
        at: f.wall("at_wall")?,
        told: f.both("told_wall", "told_trusted")?,
    })
}

pub(super) fn proposed(f: &Fields<'_>) -> Result<Proposed> {
    let confirmed: (Option<i64>, Option<i64>) = (f.get("confirmed_wall")?, f.get("confirmed_trusted")?);
    Ok(Proposed {
        head: f.commit("head")?,
        before: f.commit_or_none("before")?,
        at: f.both("at_wall", "at_trusted")?,
        confirmed: match confirmed {
            (Some(wall), Some(trusted)) => Some(Now { wall: Instant(wall), trusted: Trusted(trusted) }),
            _ => None,
        },
        passed_over: f.number("passed_over")?,
        announced: f.number("announced")?,
        asked: f.number("asked")?,
        until: f.get::<Option<i64>>("until_trusted")?.map(Trusted),
        pushed: match (f.number("pushed_number")?, f.commit_or_none("pushed_head")?) {
            (Some(number), Some(head)) => {
                Some(PushedRequest { number, head, open: f.get::<Option<bool>>("pushed_open")? == Some(true) })
            }
            _ => None,
        },
    })
}

pub(super) fn underway(f: &Fields<'_>) -> Result<Underway> {
    Ok(Underway {
        flow: FlowName::new(f.text("flow")?),
        env: f.env()?,
        head: f.commit("head")?,
        until: Trusted(f.get("until_trusted")?),
    })
}

pub(super) fn hand_move(f: &Fields<'_>) -> Result<HandMove> {
    Ok(HandMove {
        env: f.env()?,
        at: f.both("at_wall", "at_trusted")?,
        after: f.get::<Option<i64>>("after_wall")?.map(Instant),
        old: f.commit("old_commit")?,
        new: f.commit("new_commit")?,
        way: f.word("way")?,
        would: f.json("would")?,
        stood: f.json("stood")?,
    })
}

pub(super) fn report(f: &Fields<'_>) -> Result<Report> {
    Ok(Report {
        commit: f.commit("commit_id")?,
        name: CheckName::new(f.text("name")?),
        on: f.get::<Option<String>>("on_branch")?.map(BranchName::new),
        state: f.word("state")?,
        url: f.get("url")?,
        by: f.actor()?,
        at: f.both("at_wall", "at_trusted")?,
    })
}

pub(super) fn audit(f: &Fields<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: f.order()?,
        at: f.wall("at_wall")?,
        by: f.actor()?,
        command: f.get("command")?,
        allowed: f.get("allowed")?,
        effect: f.get("effect")?,
        concerns: concerns(f)?,
        came: f.json_or_none("came")?,
    })
}

/// Which flows a row of the audit concerns, from the columns `flow` and `flows`.
pub(super) fn concerns(f: &Fields<'_>) -> Result<Concerns> {
    let list: Option<String> = f.get("flows")?;
    Ok(match (f.flow_or_none()?, list) {
        (Some(flow), _) => Concerns::one(flow),
        (None, Some(_)) => Concerns::Flows(f.json("flows")?),
        (None, None) => Concerns::All,
    })
}

/// The same as those columns.
pub(super) fn concerns_columns(concerns: &Concerns) -> (Option<String>, Option<String>) {
    match (concerns, concerns.single()) {
        (_, Some(flow)) => (Some(flow.to_string()), None),
        (Concerns::Flows(flows), None) => (None, Some(json(flows))),
        (Concerns::All, None) => (None, None),
    }
}
