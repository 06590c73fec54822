//! `history`: what happened, newest first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use towpath_core::model::{AuditRow, Concerns, FlowName, Instant, IntentState};
use towpath_core::text::one_line;
use utoipa::ToSchema;

use super::banner::{self, Banner, FlowBanners, banners};
use super::cursor::Cursor;
use super::page::{Line, words};
use super::problem::Problem;
use crate::config::Config;
use crate::engine::World as _;
use crate::setup::Setup;
use crate::store::{HistoryItem, What};

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Newest first.
    pub history: Vec<HistoryEntry>,
    /// The pauses and freezes that stand on the flows that were asked for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<FlowBanners>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// `seq`, `flow`, `at`, `what` (`intent`, `event` or `audit`) and `row`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub item: HistoryItem,
    /// When, in words.
    #[schema(example = "14:02 CET (3m ago)")]
    pub at_text: String,
    /// What, in words.
    pub lines: Vec<String>,
}

/// Makes it: at most `limit` entries behind `before`, of these flows; of everything if none are
/// named.
///
/// # Errors
/// If the store cannot be read.
pub async fn history(
    setup: &Setup,
    flows: &[FlowName],
    before: Option<i64>,
    limit: usize,
) -> Result<History, Problem> {
    let now = setup.world.now().await?;
    let (mut told, mut behind) = (Vec::new(), before);
    loop {
        let page = page(setup, flows, behind, limit.saturating_add(1)).await?;
        let all = page.len() <= limit;
        behind = page.last().map(|item| item.seq);
        told.extend(page.into_iter().filter(tells));
        if all || told.len() > limit {
            break;
        }
    }
    let next = (told.len() > limit && limit > 0).then(|| Cursor::Row(told[limit - 1].seq).to_string());
    told.truncate(limit);
    let entry = |item| entry(&setup.config, now.wall, item);
    let paused = paused(setup, flows, now.wall).await?;
    Ok(History { history: told.into_iter().map(entry).collect(), paused, next })
}

/// What stands on these flows; on every one if none are named.
async fn paused(setup: &Setup, flows: &[FlowName], now: Instant) -> Result<Vec<FlowBanners>, Problem> {
    let mut paused = Vec::new();
    let named = flows.iter().filter_map(|name| setup.config.named(name));
    let all = setup.config.flows.iter().filter(|_| flows.is_empty());
    for found in named.chain(all) {
        let ledger = setup.world.load(&found.flow).await?;
        let stand = banners(&found.flow, &ledger.standing, &words(&found.flow, &found.remote, now), None);
        paused.extend(FlowBanners::of(&found.flow, stand));
    }
    Ok(paused)
}

/// The newest `limit` rows behind `before`.
async fn page(
    setup: &Setup,
    flows: &[FlowName],
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<HistoryItem>, Problem> {
    let store = setup.world.store();
    let mut items = Vec::new();
    if flows.is_empty() {
        items = store.history_before(None, before, limit).await?;
    }
    for flow in flows {
        items.extend(store.history_before(Some(flow), before, limit).await?);
    }
    if flows.len() > 1 {
        items.sort_by_key(|item| std::cmp::Reverse(item.seq));
        // What was ordered of every flow was found in each.
        items.dedup_by_key(|item| item.seq);
        items.truncate(limit);
    }
    Ok(items)
}

/// How many flows are named; of more it is said how many there are.
const NAMED_MAX: usize = 3;

/// The flows that something was about, in words.
fn concerned(item: &HistoryItem) -> String {
    let flows = match (&item.flow, &item.what) {
        (Some(flow), _) => return flow.to_string(),
        (None, What::Audit(AuditRow { concerns: Concerns::Flows(flows), .. })) => flows,
        (None, _) => return "all flows".to_owned(),
    };
    match flows.len() {
        0 => "no flow".to_owned(),
        count if count > NAMED_MAX => format!("{count} flows"),
        _ => flows.iter().map(FlowName::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// The event of a landing says what its effect and its intent would say again.
fn tells(item: &HistoryItem) -> bool {
    match &item.what {
        What::Effect(_) => false,
        What::Intent(row) => row.state != IntentState::Landed,
        What::Event(_) | What::Audit(_) => true,
    }
}

fn entry(config: &Config, now: Instant, item: HistoryItem) -> HistoryEntry {
    // A flow that is no longer configured is told of in the words of the first.
    let Some(found) = item.flow.as_ref().and_then(|name| config.named(name)).or(config.flows.first()) else {
        return HistoryEntry { at_text: item.at.to_string(), lines: Vec::new(), item };
    };
    let words = words(&found.flow, "origin", now);
    let text = match &item.what {
        What::Effect(_) => String::new(),
        What::Intent(row) => words.intent(row),
        What::Event(row) => words.event(&row.env, &row.event),
        What::Audit(row) => {
            let tried = row.came.as_ref().is_some_and(|came| came.dry_run);
            let allowed = match (row.allowed, tried) {
                (true, _) => "",
                (false, true) => " (dry run, refused)",
                (false, false) => " (refused)",
            };
            format!("{}: {}{allowed}", one_line(row.by.as_str(), 80), one_line(&row.command, 300))
        }
    };
    HistoryEntry { at_text: words.at(item.at), lines: text.lines().map(str::to_owned).collect(), item }
}

impl History {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        if self.history.is_empty() {
            return vec![Line::plain(0, "Nothing has happened yet.")];
        }
        let mut lines = Vec::new();
        // What stands on many flows is said once.
        let mut said = BTreeSet::new();
        for of in &self.paused {
            let new: Vec<Banner> = of.paused.iter().filter(|banner| said.insert(&banner.id)).cloned().collect();
            if !new.is_empty() {
                lines.push(Line::plain(0, of.flow.as_str()));
                lines.extend(banner::lay_out(&new));
            }
        }
        for entry in &self.history {
            let flow = concerned(&entry.item);
            if let [first, more @ ..] = &entry.lines[..] {
                lines.push(Line::plain(0, format!("{}  {flow}  {first}", entry.at_text)));
                lines.extend(more.iter().map(|line| Line::plain(4, line)));
            }
        }
        lines
    }
}
