//! `gates.ci`.

use towpath_core::model::{
    Check, CheckRef, Checks, CiGate, CiItem, CiState, Fact, Gate, GateKind, NamedCheck, Span, Unknown, UnknownWhy,
    Waiting,
};

use crate::given::{Given, check, item, lead_says};
use crate::kit::{arrived, c, mins, waiting};

use CheckRef::{Any, Source};
use CiState::{Green, Red, Running};

pub fn named(checks: &[(&str, CheckRef)], missing_after: Option<Span>) -> Gate {
    let checks = checks.iter().map(|(name, on)| NamedCheck { name: (*name).into(), on: *on });
    Gate::Ci(CiGate { checks: Checks::Named(checks.collect()), missing_after })
}

fn all(missing_after: Option<Span>) -> Gate {
    Gate::Ci(CiGate { checks: Checks::All, missing_after })
}

/// The places where a result may be: no reference, the source, another branch, one of ours.
const PLACES: [&str; 4] = ["", "develop", "feature", "towpath/shop/staging"];
const ON_SOURCE: [bool; 4] = [true, true, false, false];

/// What the design says of one check with a result, or none, in each place.
fn by_the_book(results: [Option<CiState>; 4], on: CheckRef) -> &'static str {
    let counts = |at: &usize| on == Any || ON_SOURCE[*at];
    let found: Vec<(usize, CiState)> =
        (0..4).filter(counts).filter_map(|at| results[at].map(|state| (at, state))).collect();
    if found.is_empty() {
        return "wait check-missing on ci";
    }
    let source_is_well = found.iter().all(|(at, state)| !ON_SOURCE[*at] || *state == Green);
    let some_green = found.iter().any(|(_, state)| *state == Green);
    let some_red = found.iter().any(|(_, state)| *state == Red);
    if source_is_well && some_green {
        "pass checks-green"
    } else if some_red {
        "block check-red on pushers develop"
    } else {
        "wait check-running on ci"
    }
}

/// Every combination of a result in each place, for both ways of counting, named and as part of
/// everything.
#[test]
fn every_combination_of_states_and_references() {
    let states = [None, Some(Green), Some(Running), Some(Red)];
    for number in 0..256usize {
        let results = [0, 1, 2, 3].map(|at| states[number >> (2 * at) & 3]);
        let items: Vec<CiItem> =
            (0..4).filter_map(|at| results[at].map(|state| item("build", PLACES[at], state))).collect();
        for reversed in [false, true] {
            let mut items = items.clone();
            if reversed {
                items.reverse();
            }
            for on in [Any, Source] {
                let given = Given::new(vec![named(&[("build", on)], None)], vec![waiting(1)]).ci(1, items.clone());
                let expect = by_the_book(results, on);
                assert_eq!(lead_says(&given, Check::Gate(GateKind::Ci)), expect, "{results:?} {on:?}");
                // Another check's results are no business of this one.
                let mut more = items.clone();
                more.extend([item("test", "", Red), item("Build", "develop", Red)]);
                let given = given.ci(1, more);
                assert_eq!(lead_says(&given, Check::Gate(GateKind::Ci)), expect, "{results:?} {on:?} and others");
            }
            // Our own branches count as references, but name no check.
            let given = Given::new(vec![all(None)], vec![waiting(1)]).ci(1, items);
            let only_ours = results[..3].iter().all(Option::is_none);
            let expect = if only_ours { "wait check-missing on ci" } else { by_the_book(results, Any) };
            assert_eq!(lead_says(&given, Check::Gate(GateKind::Ci)), expect, "{results:?} all");
        }
    }
}

/// A check by hand, so that no oracle is believed alone.
#[test]
fn the_cases_people_ask_about() {
    let build = |on: CheckRef| vec![named(&[("build", on)], None)];
    let table: [(&str, CheckRef, Vec<CiItem>, &str); 9] = [
        ("green on the source", Any, vec![item("build", "develop", Green)], "1 moves"),
        ("green without a reference", Source, vec![item("build", "", Green)], "1 moves"),
        ("green on a branch", Any, vec![item("build", "feature", Green)], "1 moves"),
        (
            "green on a branch, asked on the source",
            Source,
            vec![item("build", "feature", Green)],
            "1 ci wait check-missing on ci",
        ),
        (
            "green on a branch, red on the source",
            Any,
            vec![item("build", "feature", Green), item("build", "develop", Red)],
            "1 ci block check-red on pushers develop",
        ),
        (
            "green on a branch, running on the source",
            Any,
            vec![item("build", "feature", Green), item("build", "develop", Running)],
            "1 ci wait check-running on ci",
        ),
        (
            "red on a branch, green on the source",
            Any,
            vec![item("build", "feature", Red), item("build", "develop", Green)],
            "1 moves",
        ),
        (
            "red on a branch alone",
            Any,
            vec![item("build", "feature", Red)],
            "1 ci block check-red on pushers develop",
        ),
        (
            "green in one job on the source, red in another",
            Source,
            vec![item("build", "develop", Green), item("build", "", Red)],
            "1 ci block check-red on pushers develop",
        ),
    ];
    for (name, on, items, expect) in table {
        check(name, &Given::new(build(on), vec![waiting(1)]).ci(1, items), expect);
    }
}

#[test]
fn several_checks_give_the_worst() {
    let gates = || vec![named(&[("build", Any), ("test", Source), ("deploy", Any)], None)];
    let of = |states: [Option<CiState>; 3]| {
        let names = ["build", "test", "deploy"];
        let items = names.iter().zip(states).filter_map(|(name, state)| Some(item(name, "develop", state?)));
        Given::new(gates(), vec![waiting(1)]).ci(1, items.collect())
    };
    let (g, run, red) = (Some(Green), Some(Running), Some(Red));
    let table = [
        ("all green", [g, g, g], "1 moves"),
        ("one is missing", [g, g, None], "1 ci wait check-missing on ci"),
        ("red beats running", [run, red, g], "1 ci block check-red on pushers develop"),
        ("red beats missing", [None, g, red], "1 ci block check-red on pushers develop"),
        ("running is named before a later missing one", [g, run, None], "1 ci wait check-running on ci"),
        ("missing is named before a later running one", [None, run, g], "1 ci wait check-missing on ci"),
        ("nothing at all", [None, None, None], "1 ci wait check-missing on ci"),
    ];
    for (name, states, expect) in table {
        check(name, &of(states), expect);
    }
    let everything = |items: Vec<CiItem>| Given::new(vec![all(None)], vec![waiting(1)]).ci(1, items);
    check(
        "all: one red",
        &everything(vec![item("a", "", Green), item("b", "x", Red)]),
        "1 ci block check-red on pushers develop",
    );
    check("all: green", &everything(vec![item("a", "", Green), item("b", "x", Green)]), "1 moves");
    check("all: nothing is not green", &everything(Vec::new()), "1 ci wait check-missing on ci");
}

#[test]
fn ci_that_never_comes() {
    let was = |minutes_ago: i64, was_tip: bool| Waiting {
        was_tip,
        arrival: Some(arrived(minutes_ago, towpath_core::model::ArrivalHow::Seen)),
        ..waiting(1)
    };
    let after = Some(mins(30));
    let never = "1 ci block no-ci-came on pushers develop";
    let waits = "1 ci wait check-missing on ci";
    let no_tip = "1 ci block check-missing on pushers develop | unproven 1";
    for (name, missing_after, commit, expect) in [
        ("a tip, just there", after, was(0, true), waits),
        ("a tip, one minute before", after, was(29, true), waits),
        ("a tip, at the minute", after, was(30, true), never),
        ("a tip, long after", after, was(500, true), never),
        ("a tip, no limit", None, was(500, true), waits),
        ("a tip, arrival not known", after, Waiting { arrival: None, ..was(0, true) }, waits),
        ("never a tip, just there", after, was(0, false), no_tip),
        ("never a tip, no limit", None, was(500, false), no_tip),
    ] {
        for gate in [named(&[("build", Any)], missing_after), all(missing_after)] {
            let given = Given::new(vec![gate], vec![commit.clone()]).but(|given| {
                given.flow.environments[1].candidates = towpath_core::model::Candidates::Commits;
            });
            check(name, &given, expect);
        }
    }
    // One check came and the other did not: that is said of the other alone.
    let gates = vec![named(&[("build", Any), ("test", Any)], after)];
    check("half", &Given::new(gates, vec![was(31, true)]).ci(1, vec![item("build", "", Green)]), never);
}

#[test]
fn ci_that_cannot_be_learned() {
    let given = |unknown: Unknown| {
        let given = Given::new(vec![named(&[("build", Any)], None)], vec![waiting(1)]);
        given.but(|given| {
            given.all.ci.insert(c(1), Fact::Unknown(unknown));
        })
    };
    let refused = UnknownWhy::CredentialsRefused { words: "401".to_owned() };
    check("mends itself", &given(Unknown::passing(UnknownWhy::NotAnswered)), "1 ci wait unknown on towpath");
    check("needs a person", &given(Unknown::lasting(refused)), "1 ci block unknown on operator");
    check("needs the remote", &given(Unknown::lasting(UnknownWhy::Shallow)), "1 ci block unknown on remote");
}
