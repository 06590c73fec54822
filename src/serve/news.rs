//! One line of log for each change of a verdict, and none for each look.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use towpath_core::model::{CommitId, Decision, EnvName, FlowName, Plan};

use crate::config::FlowConfig;
use crate::views::words;

/// What was last said of each edge.
#[derive(Debug, Default)]
pub struct News(Mutex<BTreeMap<(FlowName, EnvName), Gist>>);

/// What makes a verdict another one. The numbers in it change with every minute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gist {
    verdict: &'static str,
    reason: String,
    lead: Option<CommitId>,
}

impl News {
    /// Logs what reads differently from before.
    pub fn tell(&self, found: &FlowConfig, plan: &Plan) {
        let words = words(&found.flow, &found.remote, plan.now.wall);
        for decision in &plan.decisions {
            let gist = gist(decision);
            let key = (plan.flow.clone(), decision.env.clone());
            let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, gist.clone());
            if before.as_ref() == Some(&gist) {
                continue;
            }
            tracing::info!(
                flow = plan.flow.as_str(),
                environment = decision.env.as_str(),
                verdict = gist.verdict,
                reason = gist.reason,
                commit = gist.lead.map(|lead| lead.to_string()),
                waiting = decision.waiting,
                "{}",
                words.headline(decision)
            );
        }
    }

    /// Forgets flows that are no longer configured.
    pub fn retain(&self, keep: impl Fn(&FlowName) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(flow, _), _| keep(flow));
    }
}

fn gist(decision: &Decision) -> Gist {
    let reason = match serde_json::to_value(decision.verdict.why()) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    Gist { verdict: decision.verdict.word(), reason, lead: decision.lead.as_ref().map(|lead| lead.commit) }
}
