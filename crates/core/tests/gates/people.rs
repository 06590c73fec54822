//! What people say: approvals, `promote`, `override`.

use towpath_core::model::{
    Approval, ApprovalsGate, ArrivalHow, AuthorsMay, CheckRef, CiState, Fact, Gate, GateKind, LagGate,
    NotCountedWhy, Override, Promote, Reason, Unknown, UnknownWhy, Verdict, Waiting,
};

use crate::ci::named;
use crate::given::{Given, check, decided, item, key};
use crate::kit::{arrived, c, mins, minutes, waiting};
use crate::stops::{freeze, pause};

fn approvals(required: u32, from: &[&str], authors: AuthorsMay) -> Gate {
    let from = from.iter().map(|f| (*f).to_owned()).collect();
    Gate::Approvals(ApprovalsGate { required, from, authors })
}

fn approval(by: &str, email: Option<&str>) -> Approval {
    Approval {
        id: "approve-1".into(),
        flow: "shop".into(),
        env: "staging".into(),
        commit: c(1),
        by: by.into(),
        email: email.map(str::to_owned),
        also: [].into(),
        at: minutes(-1).wall,
    }
}

/// Commit 1, written by ana, with these approvals.
fn approved(gate: Gate, given: Vec<Approval>) -> Given {
    Given::new(vec![gate], vec![waiting(1)]).but(|table| {
        table.seen.standing.approvals = given;
        let authors = ["ana@example.com".to_owned()].into();
        table.all.authors.insert(key("staging", 1), Fact::Known(authors));
    })
}

fn ana() -> Approval {
    approval("ana", Some("ana@example.com"))
}

fn ben() -> Approval {
    approval("ben", Some("ben@example.com"))
}

fn eva() -> Approval {
    approval("eva", None)
}

#[test]
fn approvals_are_counted() {
    use AuthorsMay::{Allow, Refuse};
    let anybody = "1 approvals wait approvals-missing on approvers []";
    let listed = "1 approvals wait approvals-missing on approvers [ben eva]";
    let elsewhere = |change: &dyn Fn(&mut Approval)| {
        let mut given = ben();
        change(&mut given);
        given
    };
    for (name, gate, given, expect) in [
        ("none yet", approvals(1, &[], Refuse), vec![], anybody),
        ("none needed", approvals(0, &[], Refuse), vec![], "1 moves"),
        ("one of one", approvals(1, &[], Refuse), vec![ben()], "1 moves"),
        ("one of two", approvals(2, &[], Refuse), vec![ben()], anybody),
        ("two of two", approvals(2, &[], Allow), vec![ben(), ana()], "1 moves"),
        ("one person twice", approvals(2, &[], Allow), vec![ben(), ben()], anybody),
        ("an author", approvals(1, &[], Refuse), vec![ana()], anybody),
        ("an author, allowed", approvals(1, &[], Allow), vec![ana()], "1 moves"),
        ("an author and another", approvals(1, &[], Refuse), vec![ana(), ben()], "1 moves"),
        ("two, of whom one is the author", approvals(2, &[], Refuse), vec![ana(), ben()], anybody),
        ("no e-mail", approvals(1, &[], Refuse), vec![eva()], anybody),
        ("no e-mail, authors allowed", approvals(1, &[], Allow), vec![eva()], "1 moves"),
        ("not listed", approvals(1, &["ben", "eva"], Allow), vec![ana()], listed),
        ("listed", approvals(1, &["ben", "eva"], Refuse), vec![ben()], "1 moves"),
        ("listed without e-mail", approvals(1, &["ben", "eva"], Refuse), vec![eva()], listed),
        ("of another commit", approvals(1, &[], Refuse), vec![elsewhere(&|a| a.commit = c(2))], anybody),
        (
            "of another environment",
            approvals(1, &[], Refuse),
            vec![elsewhere(&|a| a.env = "production".into())],
            anybody,
        ),
        ("of another flow", approvals(1, &[], Refuse), vec![elsewhere(&|a| a.flow = "blog".into())], anybody),
    ] {
        check(name, &approved(gate, given), expect);
    }
}

#[test]
fn what_does_not_count_is_told() {
    let gate = approvals(3, &["ana", "eva"], AuthorsMay::Refuse);
    let Verdict::Wait { why: Reason::ApprovalsMissing { have, need, not_counted }, .. } =
        decided(&approved(gate, vec![ana(), ben(), eva()])).verdict
    else {
        panic!("it waits");
    };
    assert_eq!((have, need), (0, 3));
    let why: Vec<_> = not_counted.iter().map(|n| (n.by.as_str(), n.why)).collect();
    let expected =
        [("ana", NotCountedWhy::Author), ("ben", NotCountedWhy::NotListed), ("eva", NotCountedWhy::EmailUnknown)];
    assert_eq!(why, expected);
}

#[test]
fn authors_that_cannot_be_learned_refuse() {
    let unknown = |authors: AuthorsMay, given: Vec<Approval>| {
        approved(approvals(1, &[], authors), given).but(|table| {
            let unknown = Unknown::passing(UnknownWhy::NotAnswered);
            table.all.authors.insert(key("staging", 1), Fact::Unknown(unknown));
        })
    };
    check("somebody approved", &unknown(AuthorsMay::Refuse, vec![ben()]), "1 approvals wait unknown on towpath");
    check("authors count", &unknown(AuthorsMay::Allow, vec![ben()]), "1 moves");
    let nobody = "1 approvals wait approvals-missing on approvers []";
    check("nobody approved, nothing is asked", &unknown(AuthorsMay::Refuse, vec![]), nobody);
}

pub fn promote(commit: u32, until: i64) -> Promote {
    Promote {
        id: "promote-1".into(),
        flow: "shop".into(),
        env: "staging".into(),
        commit: c(commit),
        by: "os:ana@a".into(),
        reason: "now".to_owned(),
        at: minutes(-1).wall,
        until: minutes(until).wall,
    }
}

fn over(gate: GateKind, commit: u32) -> Override {
    Override {
        id: format!("override-{}", gate.key()).as_str().into(),
        gate,
        flow: "shop".into(),
        env: "staging".into(),
        commit: c(commit),
        by: "os:ana@a".into(),
        reason: "flaky".to_owned(),
        at: minutes(-1).wall,
        until: minutes(60).wall,
        request: None,
        accepts: Vec::new(),
    }
}

/// Commit 1 with a single thing against it.
fn against(what: &str) -> Given {
    let gate = |gate: Gate| Given::new(vec![gate], vec![waiting(1)]);
    let plain = || Given::new(Vec::new(), vec![waiting(1)]);
    match what {
        "ci" => gate(named(&[("build", CheckRef::Any)], None)).ci(1, vec![item("build", "", CiState::Red)]),
        "lag" => gate(Gate::Lag(LagGate { length: mins(90), since: None })),
        "lag-since" => gate(Gate::Lag(LagGate { length: mins(90), since: Some("deploy".into()) })),
        "quiet" => gate(Gate::Quiet(mins(90))),
        "window" => {
            let closed = towpath_core::calendar::Windows::parse(&["Sun".to_owned()], &[], crate::kit::ZONE);
            gate(Gate::Window(closed.expect("a window")))
        }
        "schedule" => {
            let cron = towpath_core::calendar::Schedule::parse("0 12 * * *", Some(mins(5)), crate::kit::ZONE);
            gate(Gate::Schedule(cron.expect("a cron")))
        }
        "approvals" => gate(approvals(1, &[], AuthorsMay::Refuse)),
        "http" => gate(crate::kit::http()),
        "pause" => plain().but(|given| given.seen.standing.pauses.push(pause(Some(30)))),
        "freeze" => plain().but(|given| given.seen.standing.pauses.push(freeze(Some(30)))),
        "hold" => plain().but(|given| {
            given.seen.standing.holds.push(crate::stops::hold("hold-1", None));
            given.graph().waiting[0].holds.push("hold-1".into());
        }),
        "push" => plain().but(|given| given.seen.standing.backoffs.push(crate::stops::backoff(1))),
        other => panic!("{other} is not in the table"),
    }
}

const AGAINST: [&str; 12] = [
    "ci",
    "lag",
    "lag-since",
    "quiet",
    "window",
    "schedule",
    "approvals",
    "http",
    "pause",
    "freeze",
    "hold",
    "push",
];

#[test]
fn promote_passes_exactly_what_it_says() {
    let passed = ["lag", "lag-since", "quiet", "window", "schedule", "pause"];
    for what in AGAINST {
        let moves = |given: &Given| decided(given).action.is_some();
        assert!(!moves(&against(what)), "{what} alone");
        let ordered = |order: Promote| against(what).but(|given| given.seen.standing.promotes.push(order));
        assert_eq!(moves(&ordered(promote(1, 60))), passed.contains(&what), "{what}, promoted");
        if passed.contains(&what) {
            check(what, &ordered(promote(1, 60)), "1 moves by promote-1");
        }
        assert!(!moves(&ordered(promote(1, 0))), "{what}, promoted until now");
        assert!(!moves(&ordered(promote(2, 60))), "{what}, another commit promoted");
        let elsewhere = Promote { env: "production".into(), ..promote(1, 60) };
        assert!(!moves(&ordered(elsewhere)), "{what}, promoted elsewhere");
        let other_flow = Promote { flow: "blog".into(), ..promote(1, 60) };
        assert!(!moves(&ordered(other_flow)), "{what}, promoted in another flow");
    }
    let idle =
        Given::new(Vec::new(), vec![waiting(1)]).but(|given| given.seen.standing.promotes.push(promote(1, 60)));
    check("an order that is not needed is not spent by name", &idle, "1 moves");
}

#[test]
fn override_passes_exactly_its_gate() {
    for what in AGAINST {
        for kind in GateKind::ALL {
            let its_own = what == kind.key() || (what == "lag-since" && kind == GateKind::Lag);
            let ordered = |order: Override| against(what).but(|given| given.seen.standing.overrides.push(order));
            let decision = decided(&ordered(over(kind, 1)));
            assert_eq!(decision.action.is_some(), its_own, "{what}, {} overridden", kind.key());
            if its_own {
                check(what, &ordered(over(kind, 1)), &format!("1 moves by override-{}", kind.key()));
            }
            for spent in [
                Override { until: minutes(0).wall, ..over(kind, 1) },
                Override { commit: c(2), ..over(kind, 1) },
                Override { env: "production".into(), ..over(kind, 1) },
                Override { flow: "blog".into(), ..over(kind, 1) },
            ] {
                assert!(decided(&ordered(spent)).action.is_none(), "{what}: that is not for here and now");
            }
        }
    }
}

/// Two orders together pass what each passes, and are both named; a third thing stops them.
#[test]
fn orders_add_up() {
    let both = || {
        let gates =
            vec![named(&[("build", CheckRef::Any)], None), Gate::Lag(LagGate { length: mins(90), since: None })];
        Given::new(gates, vec![waiting(1)]).but(|given| {
            given.seen.standing.promotes.push(promote(1, 60));
            given.seen.standing.overrides.extend([over(GateKind::Ci, 1), over(GateKind::Lag, 1)]);
        })
    };
    check("both", &both(), "1 moves by promote-1 by override-ci");
    let frozen = both().but(|given| given.seen.standing.pauses.push(freeze(None)));
    check("and a freeze", &frozen, "1 freeze block frozen on person os:ana@a");
}

/// `promote` may name a commit of the chain that never was a tip.
#[test]
fn promote_of_a_commit_that_was_no_tip() {
    let commits = |on_chain: bool| {
        let young = |id: u32| Waiting { arrival: Some(arrived(1, ArrivalHow::Seen)), ..waiting(id) };
        vec![young(3), Waiting { was_tip: false, on_chain, ..young(2) }, young(1)]
    };
    let lag = || vec![Gate::Lag(LagGate { length: mins(90), since: None })];
    let ordered = |on_chain: bool, reaches: bool| {
        Given::new(lag(), commits(on_chain)).but(|given| {
            given.seen.standing.promotes.push(promote(2, 60));
            given.graph().waiting[1].reaches = reaches;
        })
    };
    let newer = "3 lag wait lag-not-over on time until +89m";
    check("ordered", &ordered(true, true), &format!("2 moves by promote-1 | beside {newer}"));
    check("not on the chain", &ordered(false, true), newer);
    check("out of reach", &ordered(true, false), newer);
    check("not ordered", &Given::new(lag(), commits(true)), newer);
}
