//! Many flows at once: what a summary is made from.
//!
//! Not here: when there is one (`plan`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use towpath_core::model::{EnvName, FlowName, Instant};

use super::told::Told;
use crate::tell::events::Severity;

/// How many different things are remembered of a storm.
const ROWS_MAX: usize = 500;

/// What happened in a storm: each thing once, with how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    rows: Vec<Row>,
    /// How many there were beside those rows.
    dropped: u32,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Where.
    pub flow: FlowName,
    /// Where in it.
    pub env: EnvName,
    /// The event's word.
    pub word: String,
    /// How much it concerns people.
    pub severity: Severity,
    /// When it happened last.
    pub at: Instant,
    /// How often.
    pub times: u32,
}

/// Problems first.
const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Problem => 0,
        Severity::Info => 1,
        Severity::Quiet => 2,
    }
}

impl Summary {
    /// Takes one in.
    pub(super) fn add(&mut self, told: &Told, times: u32) {
        let notice = &told.notice;
        let same =
            |row: &&mut Row| (&row.flow, &row.env, &row.word) == (&notice.flow, &notice.environment, &notice.event);
        if let Some(row) = self.rows.iter_mut().find(same) {
            row.times = row.times.saturating_add(times);
            row.at = row.at.max(told.at());
        } else if self.rows.len() < ROWS_MAX {
            self.rows.push(Row {
                flow: notice.flow.clone(),
                env: notice.environment.clone(),
                word: notice.event.clone(),
                severity: notice.severity,
                at: told.at(),
                times,
            });
        } else {
            self.dropped = self.dropped.saturating_add(times);
        }
    }

    /// Every flow in it.
    pub fn flows(&self) -> BTreeSet<&FlowName> {
        self.rows.iter().map(|row| &row.flow).collect()
    }

    /// How many there were that it does not name.
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// How often something happened that somebody should look at.
    pub fn problems(&self) -> u32 {
        let problems = self.rows.iter().filter(|row| row.severity == Severity::Problem);
        problems.fold(0, |sum, row| sum.saturating_add(row.times))
    }

    /// Each flow with what happened in it, worst first, by name among equals.
    pub fn by_flow(&self) -> Vec<(&FlowName, Vec<&Row>)> {
        let of = |flow: &'_ FlowName| {
            let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.flow == *flow).collect();
            rows.sort_by_key(|row| (rank(row.severity), row.at, &row.env, &row.word));
            rows
        };
        let mut flows: Vec<(&FlowName, Vec<&Row>)> =
            self.flows().into_iter().map(|flow| (flow, of(flow))).collect();
        flows.sort_by_key(|(_, rows)| rows.first().map_or(u8::MAX, |row| rank(row.severity)));
        flows
    }
}
