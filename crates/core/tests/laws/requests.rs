//! Requests: what is merged was proposed by us, is there, and is approved for exactly that head; what
//! is proposed is stopped by nobody.

use proptest::prelude::*;
use towpath_core::decide::{Depth, Look, candidates, judge};
use towpath_core::model::{
    Action, AuthorsMay, Check, Fact, Flow, Gate, GateKind, Given, MergeBy, MergeHow, Observation, OpenRequest,
    Reason, Requests, Tip, Via,
};

use crate::cases::{Case, case};
use crate::kit::knowing;

/// The case with every edge by request.
fn by_request(case: &Case) -> Flow {
    let mut flow = case.flow.clone();
    flow.environments.iter_mut().for_each(|environment| environment.via = Via::MergeRequest);
    flow
}

fn open<'a>(
    all: &'a towpath_core::model::Facts,
    env: &towpath_core::model::EnvName,
) -> (&'a Requests, &'a OpenRequest) {
    let Some(Fact::Known(requests)) = all.requests.get(env) else { panic!("merged without knowing its request") };
    (requests, requests.open.as_ref().expect("merged without an open request"))
}

proptest! {
    #![proptest_config(crate::cases::times(300))]

    /// The merged head is the one that we put there, that the branch is at, that passes every check,
    /// and whose counted approvals were given for it.
    #[test]
    fn the_merged_head_is_the_approved_head(case in case()) {
        let flow = by_request(&case);
        let plan = knowing(&flow, &case.seen, &case.all);
        for decision in &plan.decisions {
            let Some(Action::FastForward { new, merge, .. }) = &decision.action else { continue };
            let merge = merge.expect("on such an edge nothing is pushed");
            let (requests, open) = open(&case.all, &decision.env);
            prop_assert_eq!((open.head, open.number, &requests.branch), (*new, merge.number, &Tip::At(*new)));
            let on_edge = case.seen.edges.iter().find(|e| e.env == decision.env).expect("the edge");
            let row = on_edge.proposed.as_ref().expect("what we put there is known");
            prop_assert!(row.put(*new));
            prop_assert!(open.objections.is_empty());
            prop_assert!(decision.lead.iter().flat_map(|lead| &lead.judged).all(|judged| judged.verdict.passes()));
            let ways = requests.ways;
            let permitted = match merge.how {
                MergeHow::FastForward => ways.fast_forward,
                MergeHow::MergeCommit => ways.merge_commit,
                MergeHow::Push => ways.push && !ways.fast_forward,
            };
            prop_assert!(permitted);
            let edge = flow.edge(&decision.env).expect("the edge");
            let Some(Gate::Approvals(gate)) = edge.target.gate(GateKind::Approvals) else { continue };
            let overridden = decision.lead.iter().flat_map(|l| &l.judged).any(|j| {
                j.check == Check::Gate(GateKind::Approvals) && matches!(j.verdict.why(), Reason::Overridden { .. })
            });
            let counts = |given: Given| match given {
                Given::For(commit) => commit == *new,
                Given::At(at) => row.head == *new && row.confirmed.is_some_and(|there| at > there.trusted),
                Given::Unbound => false,
            };
            let people: std::collections::BTreeSet<_> =
                open.approvals.iter().filter(|a| counts(a.given)).map(|a| &a.by).collect();
            prop_assert!(overridden || people.len() >= gate.required as usize, "{:?}", open.approvals);
        }
    }

    /// Nobody's pause, freeze or hold, and no gate but those that are opened later, stands against what
    /// is proposed; and it is a candidate that is not in the request already.
    #[test]
    fn what_is_proposed_is_stopped_by_nobody(case in case()) {
        let flow = by_request(&case);
        let plan = knowing(&flow, &case.seen, &case.all);
        let seen = Observation { facts: case.all.clone(), ..case.seen.clone() };
        for decision in &plan.decisions {
            let Some(Action::Propose { head, from, request }) = &decision.action else { continue };
            let edge = flow.edge(&decision.env).expect("the edge");
            let on_edge = seen.edges.iter().find(|e| e.env == decision.env).expect("the edge");
            let candidate = candidates(&edge, on_edge, &seen).into_iter().find(|c| c.id == *head);
            let mut look = Look::new(&seen, on_edge);
            let judged = judge(&edge, candidate.expect("a candidate"), &mut look, Depth::Whole).expect("all is known");
            for one in judged {
                let later = match one.check {
                    Check::Request => true,
                    Check::Gate(kind) => !matches!(kind, GateKind::Lag | GateKind::Quiet | GateKind::Http),
                    _ => false,
                };
                prop_assert!(one.verdict.passes() || later, "{one:?}");
            }
            let Some(Fact::Known(requests)) = case.all.requests.get(&decision.env) else { panic!("unknown") };
            prop_assert_eq!(from, &requests.branch.commit());
            prop_assert_eq!(request, &requests.open.as_ref().map(|open| open.number));
            // One that we do not know to have put there is taken for our own first, and one that stays after another was
            // wanted is wanted anew.
            let known = on_edge.proposed.as_ref().is_some_and(|row| row.head == *head);
            let there = requests.open.as_ref().is_some_and(|open| open.head == *head);
            prop_assert!(!known || !there || requests.branch != Tip::At(*head), "it is there already");
        }
    }

    /// Where people merge, Towpath does not.
    #[test]
    fn people_merge_where_they_want_to(case in case()) {
        let mut flow = by_request(&case);
        flow.environments.iter_mut().for_each(|environment| environment.request.merge = MergeBy::Person);
        let plan = knowing(&flow, &case.seen, &case.all);
        let merges = |action: &Action| matches!(action, Action::FastForward { .. });
        prop_assert!(!plan.decisions.iter().filter_map(|d| d.action.as_ref()).any(merges));
    }
}

/// The laws above would hold of a policy that never does anything.
#[test]
fn cases_merge_and_propose() {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut merged, mut proposed, mut approved) = (0, 0, 0);
    let enough = |merged: usize, proposed: usize, approved: usize| merged >= 10 && proposed >= 10 && approved >= 1;
    for _ in 0..2_000 {
        if enough(merged, proposed, approved) {
            break;
        }
        let case = case().new_tree(&mut runner).expect("a case").current();
        let flow = by_request(&case);
        for decision in &knowing(&flow, &case.seen, &case.all).decisions {
            match &decision.action {
                Some(Action::FastForward { .. }) => {
                    merged += 1;
                    let gate =
                        flow.edge(&decision.env).and_then(|edge| edge.target.gate(GateKind::Approvals).cloned());
                    approved += usize::from(matches!(
                        gate,
                        Some(Gate::Approvals(gate)) if gate.required > 0 && gate.authors == AuthorsMay::Allow
                    ));
                }
                Some(Action::Propose { .. }) => proposed += 1,
                None => {}
            }
        }
    }
    assert!(
        enough(merged, proposed, approved),
        "{merged} merged, {approved} of them approved, {proposed} proposed"
    );
}
