//! What came of a command.

use serde::{Deserialize, Serialize};
use towpath_core::command::Command;
use towpath_core::model::{IntentRow, OrderId, Promote};
use utoipa::ToSchema;

use super::page::Line;
use super::problem::{Code, Problem};
use crate::config::Config;
use crate::engine::command::{Dry, Exact, Person, Reply, carry_out};
use crate::setup::Setup;

/// Reaching more flows than this wants to be confirmed.
const FLOWS_UNASKED: usize = 20;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The id of its row in the audit.
    #[schema(value_type = String, example = "command-5f0c1e2d3a4b5c6d")]
    pub audit: OrderId,
    /// The command as it was understood.
    #[schema(example = "pause checkout production --for 2h --reason \"database failover\"")]
    pub command: String,
    /// What happened and what happens next, a sentence each.
    pub lines: Vec<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Moves in the command's scope that had begun before it and may still land.
    #[schema(value_type = Vec<Object>)]
    pub may_still_land: Vec<IntentRow>,
    /// The `promote` orders that stand in the scope of a pause, which they pass, or of a freeze, which stops them.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub promotes: Vec<Promote>,
    /// The rollback, as far as it came.
    #[schema(value_type = Option<Object>)]
    pub moved: Option<IntentRow>,
    /// Of what was tried out: the same without a choice left.
    #[serde(skip)]
    pub exact: Option<Exact>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            audit: reply.id,
            command: reply.command,
            lines: reply.lines,
            dry_run: reply.dry,
            may_still_land: reply.pushing,
            promotes: reply.promotes,
            moved: reply.moved,
            exact: reply.exact,
        }
    }
}

/// Carries out a command; one that reaches many flows only if that is wanted (`yes`).
///
/// # Errors
/// The refusal; then nothing was changed but the audit.
pub async fn order(
    setup: &Setup,
    config: &Config,
    command: &Command,
    who: &Person,
    (dry, yes): (Dry, bool),
) -> Result<Answer, Problem> {
    if dry == Dry::Real && !yes {
        let count = reach(config, command)?;
        if count > FLOWS_UNASKED {
            let what = format!("this reaches {count} flows; add `--yes` to do it without being asked");
            return Err(Problem::new(Code::NeedsYes, what));
        }
    }
    Ok(carry_out(&setup.world, config, command, who, dry).await?.into())
}

/// How many flows a command stops or sets going.
fn reach(config: &Config, command: &Command) -> Result<usize, Problem> {
    match command {
        Command::Pause { .. } | Command::Resume { .. } => Ok(config.reach(&config.target(&command.place())?).len()),
        _ => Ok(1),
    }
}

impl Answer {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.lines.iter().map(|line| Line::plain(0, line)).collect();
        if !self.dry_run {
            lines.push(Line::plain(0, format!("Recorded as {}", self.audit)));
        }
        lines
    }
}
