//! The heartbeat: a URL that is called after each good look at every flow.
//!
//! Good means that each flow had its pass, none ended by a fault of ours, and at least one remote
//! answered. A dead remote among living ones is an alert of its own, not a dead Towpath.

use std::collections::BTreeSet;
use std::time::Duration;

use towpath_core::model::FlowName;

use super::Metrics;

/// How long the other side may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One look at every flow, as far as it has come.
#[derive(Debug, Default)]
pub struct Round {
    open: BTreeSet<FlowName>,
    good: u32,
    faults: u32,
}

impl Round {
    /// A look begins. One that is still open is given up: it took longer than the schedule.
    pub fn begin(&mut self, flows: impl IntoIterator<Item = FlowName>) {
        *self = Self { open: flows.into_iter().collect(), good: 0, faults: 0 };
    }

    /// A pass over a flow ended; answers whether that completes a good look.
    pub fn ended(&mut self, flow: &FlowName, good: bool, fault: bool) -> bool {
        self.good += u32::from(good);
        self.faults += u32::from(fault);
        self.open.remove(flow) && self.open.is_empty() && self.good > 0 && self.faults == 0
    }

    /// A flow that rests after failures is not waited for.
    pub fn leave_out(&mut self, flow: &FlowName) {
        if self.open.len() > 1 {
            self.open.remove(flow);
        }
    }
}

/// Calls it, once, and counts what came of it.
pub async fn call(client: &reqwest::Client, url: &str, metrics: &Metrics) {
    let answer = client.get(url).timeout(TIMEOUT).send().await;
    match answer.and_then(reqwest::Response::error_for_status) {
        Ok(_) => metrics.heartbeat("good"),
        Err(error) => {
            metrics.heartbeat("failed");
            // The URL is a secret to some services: it is not in the message.
            tracing::warn!(error = %error.without_url(), "the heartbeat was not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_good_once_all_had_their_pass_without_a_fault() {
        let (a, b) = (FlowName::new("a"), FlowName::new("b"));
        let mut round = Round::default();
        round.begin([a.clone(), b.clone()]);
        assert!(!round.ended(&a, true, false));
        assert!(!round.ended(&a, true, false), "twice the same is not all");
        assert!(round.ended(&b, false, false), "one remote is dead, Towpath is not");
        assert!(!round.ended(&b, true, false), "told once");
        round.begin([a.clone(), b.clone()]);
        assert!(!round.ended(&a, true, false));
        assert!(!round.ended(&b, false, true), "a fault of ours");
        round.begin([a.clone(), b.clone()]);
        assert!(!round.ended(&a, false, false));
        assert!(!round.ended(&b, false, false), "no remote answered");
    }
}
