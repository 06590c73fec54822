//! `status`: the stored decisions with their age, and what people ordered.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{
    BranchSeen, Decision, DecisionRow, EnvName, FlowName, Held, Instant, Ledger, Now, Standing,
};
use towpath_core::text::one_line;
use utoipa::ToSchema;

use super::banner::{self, Banner, banners};
use super::exit::Exit;
use super::page::{Line, words};
use super::problem::Problem;
use super::text::Marked;
use crate::config::FlowConfig;
use crate::engine::World as _;
use crate::setup::Setup;

/// Where everything is, as of the last pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// One for each flow, in the order of the config.
    pub flows: Vec<FlowStatus>,
    /// How many messages to sinks were given up within the last day and not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub given_up: Option<NonZeroU64>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What `--detailed-exitcode` would end with.
    #[schema(value_type = u8, example = 13)]
    pub exit: Exit,
}

/// Where one flow is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowStatus {
    /// Its name.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// When a pass last finished looking.
    #[schema(value_type = Option<Object>)]
    pub looked: Option<Now>,
    /// The same in words.
    #[schema(example = "as of 14:02 CET (3m ago)")]
    pub looked_text: String,
    /// The forge in the config that it was discovered on; none where somebody wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "work")]
    pub discovered: Option<String>,
    /// Where it was discovered and is not there to be moved any more: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// Where each environment's branch was last seen.
    #[schema(value_type = Object)]
    pub branches: BTreeMap<EnvName, BranchSeen>,
    /// What was decided for each environment that commits enter.
    pub decisions: Vec<Decided>,
    /// What people ordered and what stands.
    #[schema(value_type = Object)]
    pub standing: Standing,
    /// The pauses and freezes that stand on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Banner>,
    /// Everything that people ordered, a sentence each; those of `paused` first.
    pub orders: Vec<String>,
    /// One sentence for each environment, in their order.
    pub environments: Vec<EnvironmentLine>,
}

/// A stored decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    /// The environment.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// Since when it reads like this, in epoch milliseconds.
    #[schema(value_type = i64)]
    pub since: Instant,
    /// What was decided.
    #[schema(value_type = Object)]
    pub decision: Decision,
    /// The same in one line.
    pub sentence: String,
}

/// An environment in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentLine {
    /// Which.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// How it stands.
    #[serde(flatten)]
    pub line: Marked,
}

/// Makes it for these flows.
///
/// # Errors
/// If the store cannot be read.
pub async fn status(setup: &Setup, flows: &[&FlowConfig]) -> Result<Status, Problem> {
    let now = setup.world.now().await?;
    let mut exits = Vec::new();
    let mut shown = Vec::new();
    for found in flows {
        let mut ledger = setup.world.load(&found.flow).await?;
        // Environments that are no longer configured have no say.
        ledger.decisions.retain(|env, _| found.flow.edge(env).is_some());
        ledger.branches.retain(|env, _| found.flow.environment(env).is_some());
        exits.extend(ledger.decisions.values().map(|row| Exit::of(&row.decision)));
        exits.extend(ledger.looked.is_none().then_some(Exit::CannotTell));
        shown.push(of_flow(found, ledger, now));
    }
    let given_up = NonZeroU64::new(setup.world.store().given_up(now.wall).await?.values().sum());
    Ok(Status { flows: shown, given_up, next: None, exit: Exit::worst(exits) })
}

fn of_flow(found: &FlowConfig, ledger: Ledger, now: Now) -> FlowStatus {
    let words = words(&found.flow, &found.remote, now.wall);
    let looked_text = ledger.looked.map_or("never looked at; `towpath run` does".to_owned(), |looked| {
        format!("as of {}", words.at(looked.wall))
    });
    let environments = found.flow.environments.iter().enumerate().map(|(at, environment)| {
        let name = &environment.name;
        let tip = ledger.branches.get(name).map_or_else(|| "?".to_owned(), |seen| seen.tip.short());
        // Looked at, and not there.
        let absent = ledger.looked.is_some() && !ledger.branches.contains_key(name);
        let line = match ledger.decisions.get(name) {
            _ if at == 0 && absent => {
                let branch = one_line(environment.branch.as_str(), 100);
                Marked::new(Mark::Note, format!("{name}: the branch `{branch}` was not seen yet"))
            }
            _ if at == 0 => Marked::new(Mark::Note, format!("{name} at {tip}")),
            Some(row) => Marked::new(Mark::of(&row.decision.verdict), words.headline(&row.decision)),
            None => Marked::new(Mark::Note, format!("{name} at {tip}, nothing decided yet")),
        };
        EnvironmentLine { env: name.clone(), line }
    });
    let environments = environments.collect();
    let decided = |(env, row): (&EnvName, &DecisionRow)| Decided {
        env: env.clone(),
        since: row.since,
        decision: row.decision.clone(),
        sentence: words.headline(&row.decision),
    };
    let paused = banners(&found.flow, &ledger.standing, &words, None);
    FlowStatus {
        flow: found.flow.name.clone(),
        looked: ledger.looked,
        looked_text,
        discovered: found.discovered.as_ref().map(|one| one.forge.clone()),
        gone: found
            .discovered
            .as_ref()
            .and_then(|one| one.gone.as_ref())
            .map(|(since, why)| format!("discovered, and since {}: {}", words.at(*since), one_line(why, 400))),
        decisions: ledger.decisions.iter().map(decided).collect(),
        orders: paused.iter().map(|banner| banner.text.clone()).chain(standing(&ledger, &words, now)).collect(),
        paused,
        environments,
        branches: ledger.branches,
        standing: ledger.standing,
    }
}

/// What people ordered and what stands besides pauses and freezes, a line each.
fn standing(ledger: &Ledger, words: &Words<'_>, now: Now) -> Vec<String> {
    let mut lines = Vec::new();
    for hold in &ledger.standing.holds {
        let what = match hold.what {
            Held::Commit(commit) => format!("{} is held", commit.short()),
            Held::Range { lost, kept } => {
                format!("what {} has and {} has not is held", lost.short(), kept.short())
            }
        };
        let place = hold.env.as_ref().map_or_else(String::new, |env| format!(" back from `{env}`"));
        let fix = hold.fixed_by.map_or_else(String::new, |fix| format!("; candidates with {} pass", fix.short()));
        let (by, reason) = (one_line(hold.by.as_str(), 80), one_line(&hold.reason, 200));
        lines.push(format!("{what}{place} by `{by}`{fix}: {reason}"));
    }
    for order in ledger.standing.promotes.iter().filter(|order| now.wall < order.until) {
        lines.push(format!(
            "{} is ordered into `{}` by `{}` until {}",
            order.commit.short(),
            order.env,
            one_line(order.by.as_str(), 80),
            words.at(order.until)
        ));
    }
    banner::folded(lines)
}

/// More flows than this are not listed one by one: those that need nobody are only counted.
const LISTED: usize = 20;

impl Status {
    /// The same of one environment of each flow.
    #[must_use]
    pub fn only(mut self, env: &EnvName) -> Self {
        for flow in &mut self.flows {
            flow.environments.retain(|line| line.env == *env);
            flow.decisions.retain(|decided| decided.env == *env);
            let elsewhere = |banner: &Banner| !banner.environments.contains(env);
            let texts: Vec<String> =
                flow.paused.iter().filter(|one| elsewhere(one)).map(|one| one.text.clone()).collect();
            flow.orders.retain(|order| !texts.contains(order));
            flow.paused.retain(|banner| !elsewhere(banner));
        }
        self
    }

    /// For people: flow by flow; where there are many, how they stand, and those that are blocked.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = self.of_all();
        lines.extend(self.given_up.map(|count| {
            let messages = if count.get() == 1 { "1 message".to_owned() } else { format!("{count} messages") };
            let what = format!("{messages} could not be delivered in the last day: `towpath outbox`");
            Line::marked(0, Mark::Block, what)
        }));
        lines
    }

    fn of_all(&self) -> Vec<Line> {
        if self.flows.len() <= LISTED {
            return Self::of_flows(self.flows.iter());
        }
        let stuck: Vec<&FlowStatus> = self.flows.iter().filter(|flow| flow.mark() == Some(Mark::Block)).collect();
        let count = |mark| self.flows.iter().filter(|flow| flow.mark() == mark).count();
        let mut lines = vec![Line::plain(
            0,
            format!(
                "{} flows: {} blocked or stopped, {} waiting, {} up to date or about to move, {} not looked at yet",
                self.flows.len(),
                stuck.len(),
                count(Some(Mark::Wait)),
                count(Some(Mark::Pass)),
                count(None)
            ),
        )];
        let rest = self.flows.len() - stuck.len();
        for flow in stuck {
            // Whoever asks which is stuck is told of what is: a chat shows forty lines.
            let of_flow = Self::of_flows(std::iter::once(flow)).into_iter();
            lines.extend(of_flow.filter(|line| !matches!(line.mark, Some(Mark::Pass | Mark::Note))));
        }
        if rest > 0 {
            lines.push(Line::plain(0, format!("The other {rest} are not listed: `status FLOW` shows one")));
        }
        lines
    }

    fn of_flows<'a>(flows: impl Iterator<Item = &'a FlowStatus>) -> Vec<Line> {
        let mut lines = Vec::new();
        for flow in flows {
            let found =
                flow.discovered.as_ref().map_or_else(String::new, |forge| format!("; discovered on {forge}"));
            lines.push(Line::plain(0, format!("{} ({}{found})", flow.flow, flow.looked_text)));
            lines.extend(flow.gone.iter().map(|gone| Line::marked(2, Mark::Block, gone)));
            lines.extend(banner::lay_out(&flow.paused));
            let others = flow.orders.iter().skip(flow.paused.len());
            lines.extend(others.map(|order| Line::marked(2, Mark::Block, order)));
            lines.extend(flow.environments.iter().map(|env| Line::marked(2, env.line.mark, &env.line.text)));
        }
        lines
    }
}

impl FlowStatus {
    /// The worst of what is shown of it; none if nothing was decided yet.
    fn mark(&self) -> Option<Mark> {
        if self.gone.is_some() || !self.paused.is_empty() {
            return Some(Mark::Block);
        }
        let marks: Vec<Mark> = self.environments.iter().map(|env| env.line.mark).collect();
        [Mark::Block, Mark::Wait, Mark::Pass].into_iter().find(|mark| marks.contains(mark))
    }
}
