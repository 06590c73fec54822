//! Commands: the one grammar, and results of checks.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use towpath_core::command::{Command, CommitWord};
use towpath_core::model::{BranchName, CheckName, CiState, FlowName, Scope};
use utoipa::ToSchema;

use super::extract::{Asked, Named, Told};
use super::flows::Nothing;
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::config::Config;
use crate::engine::command::{Dry, Person};
use crate::serve::Wake;
use crate::setup::Setup;
use crate::views::{self, Answer, Code, Problem};

/// A command.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// In the words of the command line.
    #[schema(example = "pause checkout production --for 2h --reason \"database failover\"")]
    pub command: String,
    /// Check everything and change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Go on even if it reaches more than 20 flows.
    #[serde(default)]
    pub yes: bool,
}

/// The result of a check.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The commit that was checked, or at least its first 7 digits.
    #[schema(example = "3f9c2d1a7e5b4c6d8f0a1b2c3d4e5f6071829304")]
    pub commit: String,
    /// The check.
    #[schema(example = "build")]
    pub name: String,
    /// How it went.
    pub state: CheckState,
    /// The branch it ran on.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[schema(example = "develop")]
    pub on: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://ci.example.com/1")]
    pub url: Option<String>,
    /// Check everything and record nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// How a check went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Green.
    Success,
    /// Red.
    Failure,
    /// Running, or not yet begun.
    Pending,
}

impl From<CheckState> for CiState {
    fn from(state: CheckState) -> Self {
        match state {
            CheckState::Success => Self::Green,
            CheckState::Failure => Self::Red,
            CheckState::Pending => Self::Running,
        }
    }
}

impl From<CiState> for CheckState {
    fn from(state: CiState) -> Self {
        match state {
            CiState::Green => Self::Success,
            CiState::Red => Self::Failure,
            CiState::Running => Self::Pending,
        }
    }
}

/// Give a command
///
/// What the command line can order, in the same words. It is durable before this answers, and recorded as
/// `token:NAME`.
#[utoipa::path(post, path = "/api/v1/commands", operation_id = "giveCommand", tag = "steer",
    request_body(content = Order, content_type = "application/json"),
    responses((status = 200, description = "It was carried out, or with `dry_run` would be", body = Answer)))]
pub async fn command(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(Nothing {}): Asked<Nothing>,
    Told(order): Told<Order>,
) -> Answered<Answer> {
    let command =
        Command::parse(&order.command).map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))?;
    let dry = if order.dry_run { Dry::Run } else { Dry::Real };
    let who = Person { said: Some(order.command), ..caller.person()? };
    carry_out(&api, &caller, who, command, (dry, order.yes)).await
}

/// Report the result of a check
///
/// For CI that no forge tells of. The newest result of a name and branch counts.
#[utoipa::path(post, path = "/api/v1/flows/{flow}/checks", operation_id = "reportCheck", tag = "report",
    params(("flow" = String, Path, description = "The flow")),
    request_body(content = CheckResult, content_type = "application/json"),
    responses((status = 200, description = "It is recorded", body = Answer)))]
pub async fn check(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(flow): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Told(result): Told<CheckResult>,
) -> Answered<Answer> {
    let Some(commit) = CommitWord::prefix(&result.commit) else {
        return Err(views::no_commit(&result.commit));
    };
    let branch = |name: String| BranchName::new(name.strip_prefix("refs/heads/").unwrap_or(&name));
    let command = Command::Report {
        flow,
        commit,
        name: CheckName::new(result.name),
        state: result.state.into(),
        on: result.on.map(branch),
        url: result.url,
    };
    let dry = if result.dry_run { Dry::Run } else { Dry::Real };
    carry_out(&api, &caller, caller.person()?, command, (dry, false)).await
}

async fn carry_out(
    api: &Api,
    caller: &Caller,
    who: Person,
    command: Command,
    (dry, yes): (Dry, bool),
) -> Answered<Answer> {
    let setup = api.shared.setup();
    let config = setup.config.only(caller.flows());
    let woken = concerned(&setup, &config, caller, &command)?;
    let why = if matches!(command, Command::Report { .. }) { Wake::Hook } else { Wake::Command };
    // What stops things must not wait for a seat behind looks at a remote that does not answer.
    let waits = matches!(command, Command::Promote { .. } | Command::Rollback { .. } | Command::Override { .. });
    let work = Arc::clone(&setup);
    let order = async move { views::order(&work, &config, &command, &who, (dry, yes)).await };
    let answer = if waits { api.work(caller, order).await? } else { api.at_once(order).await? };
    if dry == Dry::Real {
        for flow in &woken {
            api.shared.wake(flow, why);
        }
    }
    Ok(View(answer))
}

/// The flows that a command concerns; all of them must be the caller's.
fn concerned(setup: &Setup, config: &Config, caller: &Caller, command: &Command) -> Result<Vec<FlowName>, Problem> {
    let words = command.place();
    let scope = match config.target(&words) {
        // The words of the command itself are judged where it is carried out, and audited.
        Err(_) if caller.flows().is_empty() => return Ok(Vec::new()),
        Err(_) if setup.config.target(&words).is_ok() => return Err(caller.other_flow()),
        Err(_) => return Ok(Vec::new()),
        Ok(scope) => scope,
    };
    let wide = matches!(scope, Scope::All | Scope::Environment(_));
    if wide && !caller.flows().is_empty() {
        return Err(caller.other_flow());
    }
    Ok(config.reach(&scope).into_iter().map(|found| found.flow.name.clone()).collect())
}
