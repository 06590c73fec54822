//! Which candidate leads, and what is said beside it.

use towpath_core::model::{
    ArrivalHow, Candidates, CheckRef, CiItem, CiState, Fact, Flow, Gate, LagGate, OpenWhen, Tip, Unknown,
    UnknownWhy, Via, Waiting,
};

use crate::ci::named;
use crate::given::{Given, check, decided, item};
use crate::kit::{arrived, c, mins, waiting};

use CiState::{Green, Red, Running};

fn build() -> Gate {
    named(&[("build", CheckRef::Any)], None)
}

/// Commits numbered from the newest, each with its state of `build`.
fn states(states: &[Option<CiState>]) -> Given {
    let ids = || (1..).zip(states);
    let commits = ids().map(|(id, _)| waiting(id)).collect();
    ids().fold(Given::new(vec![build()], commits), |given, (id, state)| {
        given.ci(id, state.iter().map(|state| item("build", "", *state)).collect())
    })
}

#[test]
fn the_newest_that_passes_moves() {
    let (g, run, red) = (Some(Green), Some(Running), Some(Red));
    let (is_red, runs) = ("ci block check-red on pushers develop", "ci wait check-running on ci");
    for (name, given, expect) in [
        ("nothing waits", states(&[]), "pass up-to-date".to_owned()),
        ("all pass", states(&[g, g, g]), "1 moves".to_owned()),
        ("a red newest holds nothing back", states(&[red, g, g]), format!("2 moves | beside 1 {is_red}")),
        ("nor does a running one", states(&[run, g]), format!("2 moves | beside 1 {runs}")),
        ("the oldest alone", states(&[red, run, g]), format!("3 moves | beside 1 {is_red} | 2 {runs}")),
        ("the soonest leads", states(&[red, run]), format!("2 {runs} | beside 1 {is_red}")),
        ("the newest of equals leads", states(&[red, red]), format!("1 {is_red}")),
        ("nothing reported", states(&[None, red]), "1 ci wait check-missing on ci".to_owned()),
        (
            "three are named beside",
            states(&[red, red, run, red, g]),
            format!("5 moves | beside 1 {is_red} | 2 {is_red} | 3 {runs}"),
        ),
    ] {
        check(name, &given, &expect);
    }
}

#[test]
fn a_wait_with_a_time_leads_before_one_without() {
    let lag = Gate::Lag(LagGate { length: mins(30), since: None });
    let there = |id: u32, ago: i64| Waiting { arrival: Some(arrived(ago, ArrivalHow::Seen)), ..waiting(id) };
    let green = |id: u32, given: Given| given.ci(id, vec![item("build", "", Green)]);
    let given = || Given::new(vec![build(), lag.clone()], vec![there(1, 0), there(2, 10), there(3, 20)]);
    let (all, young) = (green(3, green(2, green(1, given()))), "lag wait lag-not-over on time until");
    check("the eldest is soonest", &all, &format!("3 {young} +10m | beside 1 {young} +30m | 2 {young} +20m"));
    let missing = "ci wait check-missing on ci";
    let some = green(2, green(1, given()));
    check(
        "unless it waits for something without a time",
        &some,
        &format!("2 {young} +20m | beside 1 {young} +30m"),
    );
    let none = given();
    check("all of them do", &none, &format!("1 {missing}, {young} +30m"));
}

#[test]
fn tips_or_every_commit() {
    let plain = || Waiting { was_tip: false, ..waiting(2) };
    let beside = || Waiting { on_chain: false, ..waiting(2) };
    let neither = || Waiting { on_chain: false, was_tip: false, ..waiting(2) };
    let red_first = |second: Waiting, candidates: Candidates| {
        Given::new(vec![build()], vec![waiting(1), second])
            .ci(1, vec![item("build", "", Red)])
            .ci(2, vec![item("build", "", Green)])
            .but(|given| given.flow.environments[1].candidates = candidates)
    };
    let (second, first) =
        ("2 moves | beside 1 ci block check-red on pushers develop", "1 ci block check-red on pushers develop");
    for (name, commit, candidates, expect) in [
        ("a tip", waiting(2), Candidates::Tips, second),
        ("no tip", plain(), Candidates::Tips, first),
        ("a tip beside the chain", beside(), Candidates::Tips, second),
        ("any commit: a tip", waiting(2), Candidates::Commits, second),
        ("any commit: no tip", plain(), Candidates::Commits, second),
        ("any commit: a tip beside the chain", beside(), Candidates::Commits, second),
        ("any commit: neither", neither(), Candidates::Commits, first),
        ("out of reach", Waiting { reaches: false, ..waiting(2) }, Candidates::Commits, first),
    ] {
        check(name, &red_first(commit, candidates), expect);
    }
}

/// A merge of what lacks something that the target has would be something that was never on the source.
#[test]
fn into_a_request_goes_what_has_all_that_the_target_has() {
    let second = |second: Waiting| {
        Given::new(vec![build()], vec![waiting(1), second])
            .ci(1, vec![item("build", "", Red)])
            .ci(2, vec![item("build", "", Green)])
            .but(|given| given.flow.environments[1].via = Via::MergeRequest)
    };
    let asks = "request wait not-proposed on towpath until +0m";
    let first = format!("1 {asks}, ci block check-red on pushers develop");
    let expect = format!("2 into a new request | 2 {asks} | beside {first}");
    check("contains the target's tip", &second(waiting(2)), &expect);
    check("all but promotion merges", &second(Waiting { reaches: false, ..waiting(2) }), &expect);
    check("not even that", &second(Waiting { carries: false, ..waiting(2) }), &first);
}

/// At once is before CI has ended, but not where it may have said no.
#[test]
fn a_request_is_opened_at_once_unless_something_blocks_or_may() {
    let given = |open: OpenWhen, ci: Fact<Vec<CiItem>>| {
        Given::new(vec![build()], vec![waiting(1)]).but(|given| {
            let target = &mut given.flow.environments[1];
            (target.via, target.request.open) = (Via::MergeRequest, open);
            given.all.ci.insert(c(1), ci);
        })
    };
    let known = |state| Fact::Known(vec![item("build", "", state)]);
    let unknown = || Fact::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
    let asks = "1 request wait not-proposed on towpath until +0m";
    for (name, open, ci, proposed, more) in [
        ("running", OpenWhen::AtOnce, known(Running), true, ", ci wait check-running on ci"),
        ("none yet", OpenWhen::AtOnce, Fact::Known(Vec::new()), true, ", ci wait check-missing on ci"),
        ("red", OpenWhen::AtOnce, known(Red), false, ", ci block check-red on pushers develop"),
        ("not known", OpenWhen::AtOnce, unknown(), false, ", ci wait unknown on towpath"),
        ("running, and not at once", OpenWhen::Ready, known(Running), false, ", ci wait check-running on ci"),
        ("green, and not at once", OpenWhen::Ready, known(Green), true, ""),
    ] {
        let into = if proposed { "1 into a new request | " } else { "" };
        check(name, &given(open, ci), &format!("{into}{asks}{more}"));
    }
}

/// The newest commit that lacks nothing but CI, and never was pushed as a tip, where all newer
/// ones are blocked.
#[test]
fn unproven_commits_are_named() {
    let (red, lone) = ("ci block check-red on pushers develop", "ci block check-missing on pushers develop");
    let no_tip = |id: u32| Waiting { was_tip: false, ..waiting(id) };
    let given = |commits: Vec<Waiting>| {
        Given::new(vec![build()], commits)
            .ci(1, vec![item("build", "", Red)])
            .but(|given| given.flow.environments[1].candidates = Candidates::Commits)
    };
    check("below a red one", &given(vec![waiting(1), no_tip(2)]), &format!("1 {red} | unproven 2"));
    check("the newest of two", &given(vec![waiting(1), no_tip(2), no_tip(3)]), &format!("1 {red} | unproven 2"));
    check("itself", &given(vec![no_tip(2)]), &format!("2 {lone} | unproven 2"));
    let also_held = given(vec![waiting(1), no_tip(2)]).but(|given| {
        given.seen.standing.pauses.push(crate::stops::pause(None));
    });
    check(
        "not where something else fails too",
        &also_held,
        &format!("1 pause block paused on person os:ana@a, {red}"),
    );
    let third_moves = given(vec![waiting(1), no_tip(2), waiting(3)]).ci(3, vec![item("build", "", Green)]);
    check("not where an older one moves", &third_moves, &format!("3 moves | beside 1 {red} | 2 {lone}"));
    let third_waits = given(vec![waiting(1), no_tip(2), waiting(3)]).ci(3, vec![item("build", "", Running)]);
    check(
        "not where an older one will",
        &third_waits,
        &format!("3 ci wait check-running on ci | beside 1 {red} | 2 {lone}"),
    );
}

#[test]
fn no_more_are_looked_at_than_configured() {
    let mut all = vec![Some(Red); 9];
    all.push(Some(Green));
    for (look_back, expect, looked_at) in [
        (50, "10 moves", 10),
        (10, "10 moves", 10),
        (9, "1 ci block", 9),
        (1, "1 ci block", 1),
        (0, "1 ci block", 1),
    ] {
        let given = states(&all).but(|given| given.flow = Flow { look_back, ..given.flow.clone() });
        let decision = decided(&given);
        let told = crate::given::told(&decision);
        assert!(told.starts_with(expect), "look_back {look_back}: {told}");
        assert_eq!((decision.looked_at, decision.waiting), (looked_at, 10), "look_back {look_back}");
    }
}

#[test]
fn branches_that_cannot_be_judged() {
    let with = |source: Tip, target: Tip| {
        Given::new(vec![build()], vec![waiting(1)]).but(|given| {
            given.seen.edges[0].source = source;
            given.seen.edges[0].target = target;
        })
    };
    let at = || Tip::At(c(900));
    let unknown = || Tip::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
    let lasting = || Tip::Unknown(Unknown::lasting(UnknownWhy::NoRepository { words: "404".to_owned() }));
    for (name, source, target, expect) in [
        ("no source", Tip::Absent, at(), "block source-absent on pushers develop"),
        ("no target", at(), Tip::Absent, "block target-absent on pushers staging"),
        ("neither", Tip::Absent, Tip::Absent, "block source-absent on pushers develop"),
        ("source not told", unknown(), at(), "wait unknown on towpath"),
        ("target not told", at(), unknown(), "wait unknown on towpath"),
        ("needs a person", at(), lasting(), "block unknown on operator"),
    ] {
        check(name, &with(source, target), expect);
    }
}
