//! How a request is carried out where the forge can merge in some ways and not in others, and what
//! becomes of a request whose head was pushed.

use std::collections::BTreeSet;

use towpath_core::dag::{Dag, Node};
use towpath_core::decide::request::{AfterPush, after_push};
use towpath_core::model::{
    Action, Change, ClosedRequest, CommitId, Decision, Fact, IntentRow, Ledger, MergeHow, Merging, OpenRequest,
    Proposed, PushedRequest, Reason, Requests, Tip, TreeId, Unknown, UnknownWhy, Verdict, Via, Waiting, Ways,
};
use towpath_core::see;

use crate::given::{Given, decided, told};
use crate::kit::{c, minutes, waiting};

const NUMBER: u64 = 7;

fn ways((fast_forward, merge_commit, push): (bool, bool, bool)) -> Ways {
    Ways { fast_forward, merge_commit, push }
}

fn put(pushed: Option<PushedRequest>) -> Proposed {
    Proposed {
        head: c(1),
        before: None,
        at: minutes(-9),
        confirmed: Some(minutes(-9)),
        passed_over: None,
        announced: Some(NUMBER),
        until: None,
        pushed,
        asked: None,
    }
}

fn open(number: u64, head: u32) -> OpenRequest {
    OpenRequest {
        number,
        url: String::new(),
        head: c(head),
        draft: false,
        objections: Vec::new(),
        approvals: Vec::new(),
    }
}

/// Commit 1 is in request 7; nothing else stands in its way.
fn given(reaches: bool, ways: Ways) -> Given {
    Given::new(Vec::new(), vec![Waiting { reaches, ..waiting(1) }]).but(|given| {
        let target = &mut given.flow.environments[1];
        target.via = Via::MergeRequest;
        given.seen.edges[0].proposed = Some(put(None));
        let requests = Requests { branch: Tip::At(c(1)), open: Some(open(NUMBER, 1)), closed: None, ways };
        given.all.requests.insert("staging".into(), Fact::Known(requests));
    })
}

fn how(decision: &Decision) -> Option<MergeHow> {
    match &decision.action {
        Some(Action::FastForward { merge, .. }) => merge.map(|Merging { number, how }| {
            assert_eq!(number, NUMBER);
            how
        }),
        _ => None,
    }
}

#[test]
fn the_commit_itself_goes_in_wherever_it_can_and_a_merge_of_it_only_else() {
    use MergeHow::{FastForward as Forward, MergeCommit as Merge, Push};
    for (reaches, can, expect) in [
        (true, (true, true, true), Some(Forward)),
        (true, (true, false, false), Some(Forward)),
        (true, (false, true, true), Some(Push)),
        (true, (false, false, true), Some(Push)),
        (true, (false, true, false), Some(Merge)),
        (true, (false, false, false), None),
        (false, (true, true, true), Some(Merge)),
        (false, (false, true, true), Some(Merge)),
        (false, (true, false, false), None),
        (false, (false, false, true), None),
    ] {
        let decision = decided(&given(reaches, ways(can)));
        assert_eq!(how(&decision), expect, "{reaches} {can:?}: {}", told(&decision));
        let by_forward_alone = can.0 || can.2;
        let said = matches!(decision.verdict.why(), Reason::NoWayToMerge { fast_forward } if *fast_forward == by_forward_alone);
        assert!(expect.is_some() || said, "{reaches} {can:?}: {}", told(&decision));
        assert!(expect.is_some() || matches!(decision.verdict, Verdict::Block { .. }));
    }
}

/// What we closed ourselves is nobody's word, also when what was pushed is taken back and waits again.
#[test]
fn a_request_that_we_closed_after_a_push_was_closed_by_nobody() {
    let closed = |number, pushed| {
        let closed = ClosedRequest { number, url: String::new(), head: c(1), by: None };
        decided(&given(true, ways((false, true, true))).but(|given| {
            given.seen.edges[0].proposed = Some(put(pushed));
            let requests = Requests {
                branch: Tip::At(c(1)),
                open: None,
                closed: Some(closed.clone()),
                ways: ways((false, true, true)),
            };
            given.all.requests.insert("staging".into(), Fact::Known(requests));
        }))
    };
    let ours = |number| Some(PushedRequest { number, head: c(1), open: false });
    let is_a_persons = |decision: &Decision| matches!(decision.verdict.why(), Reason::RequestClosed { .. });
    assert!(is_a_persons(&closed(NUMBER, None)));
    assert!(is_a_persons(&closed(NUMBER, ours(6))), "that was the one before");
    for open in [true, false] {
        let decision = closed(NUMBER, Some(PushedRequest { number: NUMBER, head: c(9), open }));
        assert!(!is_a_persons(&decision), "{}", told(&decision));
        assert!(matches!(decision.action, Some(Action::Propose { request: None, .. })), "{}", told(&decision));
    }
}

/// 900 is the target's first commit, 1 is on it, and 2 on that; 3 is beside.
fn dag() -> Dag {
    let node = |n: u32, parents: &[u32]| Node {
        id: c(n),
        tree: TreeId::from_bytes([1; 20]),
        parents: parents.iter().map(|n| c(*n)).collect(),
        merged: None,
        author: String::new(),
        email: String::new(),
        subject: String::new(),
        co_authors: Vec::new(),
    };
    Dag::new(vec![node(900, &[]), node(1, &[900]), node(2, &[1]), node(3, &[900])], BTreeSet::new())
}

#[test]
fn a_request_is_closed_while_its_head_is_in_the_target_and_it_is_for_that_head() {
    let pushed = PushedRequest { number: NUMBER, head: c(1), open: true };
    let requests = |open: Option<OpenRequest>| {
        Fact::Known(Requests { branch: Tip::At(c(1)), open, closed: None, ways: ways((false, true, true)) })
    };
    let unknown = || Unknown::passing(UnknownWhy::NotAnswered);
    let ours = requests(Some(open(NUMBER, 1)));
    for (name, requests, target, expect) in [
        ("it is open", &ours, Tip::At(c(1)), AfterPush::Close),
        ("the target has moved on", &ours, Tip::At(c(2)), AfterPush::Close),
        ("it was taken back", &ours, Tip::At(c(900)), AfterPush::Over),
        ("it was moved elsewhere", &ours, Tip::At(c(3)), AfterPush::Over),
        ("where the target is nobody knows", &ours, Tip::Unknown(unknown()), AfterPush::Wait),
        ("what is there is not known", &ours, Tip::At(c(55)), AfterPush::Wait),
        ("the target is gone", &ours, Tip::Absent, AfterPush::Over),
        ("it is closed or merged", &requests(None), Tip::At(c(1)), AfterPush::Over),
        ("another is open", &requests(Some(open(8, 1))), Tip::At(c(1)), AfterPush::Over),
        ("it is for another head", &requests(Some(open(NUMBER, 2))), Tip::At(c(2)), AfterPush::Over),
        ("the forge does not tell", &Fact::Unknown(unknown()), Tip::At(c(1)), AfterPush::Wait),
    ] {
        assert_eq!(after_push(&pushed, requests, &target, &dag()), expect, "{name}");
    }
}

#[test]
fn what_was_pushed_is_remembered_with_its_request() {
    let row = |how: Option<MergeHow>| -> IntentRow {
        let mut row = crate::kit::intent("staging", 1, None);
        (row.new, row.merge) = (c(1), how.map(|how| Merging { number: NUMBER, how }));
        row
    };
    let mut ledger = Ledger::default();
    assert_eq!(see::left_open(&ledger, &row(Some(MergeHow::Push))), None, "nothing is known of a request");
    ledger.proposed.insert("staging".into(), put(None));
    let expect = put(Some(PushedRequest { number: NUMBER, head: c(1), open: true }));
    let change = see::left_open(&ledger, &row(Some(MergeHow::Push)));
    assert_eq!(change, Some(Change::Proposed { env: "staging".into(), row: expect }));
    for other in [None, Some(MergeHow::FastForward), Some(MergeHow::MergeCommit)] {
        assert_eq!(see::left_open(&ledger, &row(other)), None);
    }
}

#[test]
fn nobody_merges_what_is_pushed() {
    let merged = |how| {
        let mut row = crate::kit::intent("staging", 1, None);
        row.merge = Some(Merging { number: NUMBER, how });
        towpath_core::act::Place::of(&row, &Tip::At(c(77)), |_, _| true, |_: CommitId| vec![row.old, row.new])
    };
    use towpath_core::act::Place;
    assert_eq!(merged(MergeHow::MergeCommit), Place::Merged(c(77)));
    assert_eq!(merged(MergeHow::Push), Place::Beyond(c(77)), "somebody else's merge, with ours in it");
}
