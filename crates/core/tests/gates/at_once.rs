//! `open = "at-once"`: what the request is for while commits keep coming.

use towpath_core::model::{
    ApprovalsGate, ArrivalHow, AuthorsMay, CheckRef, Checks, CiGate, CiState, Fact, Gate, LagGate, MergeBy,
    NamedCheck, OpenRequest, OpenWhen, Proposed, Requests, Tip, Via, Waiting, Ways,
};

use crate::given::{Given, decided, green, item, told};
use crate::kit::{arrived, c, mins, minutes, waiting};

fn lag() -> Gate {
    Gate::Lag(LagGate { length: mins(30), since: None })
}

fn ci() -> Gate {
    let build = NamedCheck { name: "build".into(), on: CheckRef::Any };
    Gate::Ci(CiGate { checks: Checks::Named(vec![build]), missing_after: None })
}

fn approvals() -> Gate {
    Gate::Approvals(ApprovalsGate { required: 1, from: Default::default(), authors: AuthorsMay::Allow })
}

/// Commit 1 is the oldest; each came that many minutes ago.
fn came(minutes_ago: &[i64]) -> Vec<Waiting> {
    let all = minutes_ago.iter().enumerate().map(|(at, ago)| {
        let id = u32::try_from(at + 1).expect("few");
        Waiting { arrival: Some(arrived(*ago, ArrivalHow::Seen)), ..waiting(id) }
    });
    let mut all: Vec<Waiting> = all.collect();
    all.reverse();
    all
}

fn requests(head: u32) -> Requests {
    let open = OpenRequest {
        number: 7,
        url: String::new(),
        head: c(head),
        draft: false,
        objections: Vec::new(),
        approvals: Vec::new(),
    };
    let ways = Ways { push: false, fast_forward: true, merge_commit: true };
    Requests { branch: Tip::At(c(head)), open: Some(open), closed: None, ways }
}

/// The request is for `head`.
fn at_once(gates: Vec<Gate>, minutes_ago: &[i64], head: u32) -> Given {
    Given::new(gates, came(minutes_ago)).but(|given| {
        let target = &mut given.flow.environments[1];
        (target.via, target.request.open) = (Via::MergeRequest, OpenWhen::AtOnce);
        given.seen.edges[0].proposed = Some(Proposed {
            pushed: None,
            asked: None,
            head: c(head),
            before: None,
            at: minutes(-9),
            confirmed: Some(minutes(-9)),
            passed_over: None,
            announced: Some(7),
            until: None,
        });
        given.all.requests.insert("staging".into(), Fact::Known(requests(head)));
    })
}

/// What comes of it, without what is said of it.
fn check(name: &str, given: &Given, expect: &str) {
    let told = told(&decided(given));
    assert_eq!(told.split(" | ").next(), Some(expect), "{name}: {told}");
}

#[test]
fn a_commit_that_may_enter_goes_before_newer_ones_that_still_wait() {
    for (name, came, head, expect) in [
        ("none may enter yet: the newest", &[29, 2, 1][..], 2, "3 into request 7"),
        ("the oldest may", &[30, 2, 1], 3, "1 into request 7"),
        ("of those that may, the newest", &[33, 32, 31, 1], 4, "3 into request 7"),
        ("it is what the request is for", &[31, 2, 1], 1, "1 moves by request 7"),
        ("what the request is for may, and a newer one, too", &[32, 31, 1], 1, "1 moves by request 7"),
    ] {
        check(name, &at_once(vec![lag()], came, head), expect);
    }
}

#[test]
fn the_head_follows_where_nothing_may_enter_or_people_say_when_it_stays() {
    let none = at_once(vec![ci(), lag()], &[31, 2, 1], 2).ci(3, vec![green("build", 1)]);
    let red = none.clone().ci(1, vec![item("build", "", CiState::Red)]);
    check("red", &red, "3 into request 7");
    check("no result", &none, "3 into request 7");
    check("green", &none.ci(1, vec![green("build", 1)]), "1 into request 7");
    let asked = at_once(vec![lag(), approvals()], &[31, 2, 1], 2);
    check("people have to approve", &asked, "3 into request 7");
    let person = at_once(vec![lag()], &[31, 2, 1], 2).but(|given| {
        given.flow.environments[1].request.merge = MergeBy::Person;
    });
    check("people merge", &person, "1 into request 7");
    let foreign = at_once(vec![lag()], &[31, 2, 1], 2).but(|given| {
        given.all.requests.insert("staging".into(), Fact::Known(requests(9)));
    });
    check("what somebody pushed over is put back first", &foreign, "2 into request 7");
    let ready = at_once(vec![lag()], &[31, 2, 1], 2).but(|given| {
        given.flow.environments[1].request.open = OpenWhen::Ready;
    });
    check("put there when it may enter, a head stays", &ready, "2 lag wait lag-not-over on time until +28m");
}

/// What is put there and does not enter would be taken away for the newest again, and so on for ever.
#[test]
fn a_request_that_is_itself_in_the_way_has_one_head_and_keeps_it() {
    let by: [fn(&mut OpenRequest); 2] = [|open| open.draft = true, |open| open.objections = vec!["bo".into()]];
    for stands in by {
        let given = |head: u32| {
            at_once(vec![lag()], &[40, 31, 2, 1], head).but(|given| {
                let mut requests = requests(head);
                requests.open.iter_mut().for_each(stands);
                given.all.requests.insert("staging".into(), Fact::Known(requests));
            })
        };
        for head in 1..=3 {
            check("the newest", &given(head), "4 into request 7");
        }
        let told = told(&decided(&given(4)));
        assert!(!told.contains("into request"), "{told}");
    }
}

#[test]
fn old_ones_that_stay_out_leave_room_for_the_newest() {
    let came: Vec<i64> = (0..80).map(|at| if at < 70 { 200 - at } else { 80 - at }).collect();
    let mut given = at_once(vec![ci(), lag()], &came, 75);
    for at in 1..=70 {
        given = given.ci(at, vec![item("build", "", CiState::Red)]);
    }
    check("the newest", &given.ci(80, vec![green("build", 1)]), "80 into request 7");
}
