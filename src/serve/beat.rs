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

/// One pass over every flow, as far as it has come.
#[derive(Debug, Default)]
pub struct Round {
    open: BTreeSet<FlowName>,
    good: u32,
    faults: u32,
}

impl Round {
    /// A look begins: a round over these flows, but for those that rest after failures. A round that is still open goes
    /// on instead, without the flows that are no longer there: on many slow flows it takes longer than from look to look,
    /// and would otherwise never end.
    pub fn begin(&mut self, flows: &BTreeSet<FlowName>, resting: &BTreeSet<FlowName>) {
        self.open.retain(|flow| flows.contains(flow));
        if !self.open.is_empty() {
            return;
        }
        let awake: BTreeSet<FlowName> = flows.difference(resting).cloned().collect();
        // If all rest, they are what is waited for.
        let open = if awake.is_empty() { flows.clone() } else { awake };
        *self = Self { open, good: 0, faults: 0 };
    }

    /// A pass over a flow ended; answers whether that completes a good round.
    pub fn ended(&mut self, flow: &FlowName, good: bool, fault: bool) -> bool {
        self.good += u32::from(good);
        self.faults += u32::from(fault);
        self.open.remove(flow) && self.open.is_empty() && self.good > 0 && self.faults == 0
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

    fn names(names: &str) -> BTreeSet<FlowName> {
        names.split_whitespace().map(FlowName::new).collect()
    }

    #[test]
    fn a_round_is_good_once_all_had_their_pass_without_a_fault() {
        let (a, b) = (FlowName::new("a"), FlowName::new("b"));
        let mut round = Round::default();
        let begin = |round: &mut Round| round.begin(&names("a b"), &names(""));
        begin(&mut round);
        assert!(!round.ended(&a, true, false));
        assert!(!round.ended(&a, true, false), "twice the same is not all");
        assert!(round.ended(&b, false, false), "one remote is dead, Towpath is not");
        assert!(!round.ended(&b, true, false), "told once");
        begin(&mut round);
        assert!(!round.ended(&a, true, false));
        assert!(!round.ended(&b, false, true), "a fault of ours");
        begin(&mut round);
        assert!(!round.ended(&a, false, false));
        assert!(!round.ended(&b, false, false), "no remote answered");
    }

    #[test]
    fn a_round_ends_whatever_looks_come_between() {
        let (a, b, c) = (FlowName::new("a"), FlowName::new("b"), FlowName::new("c"));
        let mut round = Round::default();
        round.begin(&names("a b c"), &names(""));
        assert!(!round.ended(&a, true, false));
        round.begin(&names("a b c"), &names(""));
        assert!(!round.ended(&b, true, false));
        round.begin(&names("a b c"), &names("b"));
        assert!(round.ended(&c, true, false));
        // A fault is not forgotten by a look.
        round.begin(&names("a b"), &names(""));
        assert!(!round.ended(&a, false, true));
        round.begin(&names("a b"), &names(""));
        assert!(!round.ended(&b, true, false));
    }

    #[test]
    fn what_rests_or_is_gone_is_not_waited_for() {
        let (a, b) = (FlowName::new("a"), FlowName::new("b"));
        let mut round = Round::default();
        round.begin(&names("a b"), &names("b"));
        assert!(round.ended(&a, true, false));
        round.begin(&names("a b"), &names("a b"));
        assert!(!round.ended(&b, true, false));
        assert!(round.ended(&a, true, false), "if all rest, all are waited for");
        // `c` is dropped by a reload; with it the round would never end.
        round.begin(&names("c"), &names(""));
        round.begin(&names("a"), &names(""));
        assert!(round.ended(&a, true, false));
    }
}
