//! Approvals of a request by people whose accounts the config knows.

use std::collections::BTreeSet;

use towpath_core::model::{
    AccountHolder, ApprovalsGate, AuthorLogins, AuthorsMay, Fact, Gate, Given as Bound, MergeBy, OpenRequest,
    Proposed, Reason, RequestApproval, Requests, Tip, Verdict, Via, Ways,
};

use crate::given::{Given, decided, key, told};
use crate::kit::{c, minutes, waiting};

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|one| (*one).to_owned()).collect()
}

fn by(login: &str, email: Option<&str>, person: Option<AccountHolder>) -> RequestApproval {
    RequestApproval { by: login.into(), email: email.map(str::to_owned), given: Bound::For(c(1)), person }
}

fn ana() -> Option<AccountHolder> {
    Some(AccountHolder {
        name: "Ana".into(),
        emails: set(&["ana@example.com", "a@example.org"]),
        logins: set(&["ana", "ana-work"]),
    })
}

fn bo() -> Option<AccountHolder> {
    Some(AccountHolder { name: "Bo".into(), emails: set(&[]), logins: set(&["bo", "bo-work"]) })
}

/// Commit 1 in request 7, which asks for so many; by these authors.
fn approved(
    required: u32,
    authors: AuthorsMay,
    (emails, logins): (&[&str], &[&str]),
    approvals: &[RequestApproval],
) -> Given {
    let gate = Gate::Approvals(ApprovalsGate { required, from: BTreeSet::new(), authors });
    Given::new(vec![gate], vec![waiting(1)]).but(|given| {
        let target = &mut given.flow.environments[1];
        (target.via, target.request.merge) = (Via::MergeRequest, MergeBy::Towpath);
        given.seen.edges[0].proposed = Some(Proposed {
            pushed: None,
            asked: None,
            head: c(1),
            before: None,
            at: minutes(-9),
            confirmed: Some(minutes(-9)),
            passed_over: None,
            announced: Some(7),
            until: None,
        });
        let open = OpenRequest {
            number: 7,
            url: String::new(),
            head: c(1),
            draft: false,
            objections: Vec::new(),
            approvals: approvals.to_vec(),
        };
        let ways = Ways { push: false, fast_forward: true, merge_commit: true };
        let requests = Requests { branch: Tip::At(c(1)), open: Some(open), closed: None, ways };
        given.all.requests.insert("staging".into(), Fact::Known(requests));
        given.all.authors.insert(key("staging", 1), Fact::Known(set(emails)));
        let logins = logins.iter().map(|login| (*login).into()).collect();
        given.all.logins.insert(key("staging", 1), Fact::Known(AuthorLogins { logins, ..AuthorLogins::default() }));
    })
}

#[test]
fn one_person_counts_once_and_is_an_author_under_every_account_and_address() {
    use AuthorsMay::{Allow, Refuse};
    let eva = (&["eva@example.com"][..], &["eva"][..]);
    for (name, given, moves) in [
        ("two people", approved(2, Allow, eva, &[by("ana", None, ana()), by("bo", None, bo())]), true),
        (
            "two accounts of nobody known",
            approved(2, Allow, eva, &[by("x", None, None), by("y", None, None)]),
            true,
        ),
        ("two accounts of one", approved(2, Allow, eva, &[by("bo", None, bo()), by("bo-work", None, bo())]), false),
        (
            "and a second person",
            approved(2, Allow, eva, &[by("bo", None, bo()), by("bo-work", None, bo()), by("x", None, None)]),
            true,
        ),
        (
            "one is known by the address alone",
            approved(2, Allow, eva, &[by("ana", None, ana()), by("z", Some("a@example.org"), None)]),
            false,
        ),
        ("no author", approved(1, Refuse, eva, &[by("ana", None, ana())]), true),
        ("author by another account", approved(1, Refuse, (&[], &["Ana"]), &[by("ana-work", None, ana())]), false),
        (
            "author by another address, the account shows none",
            approved(1, Refuse, (&["a@example.org"], &["ci"]), &[by("ana-work", None, ana())]),
            false,
        ),
        (
            "author by another address than the account shows",
            approved(1, Refuse, (&["a@example.org"], &["ci"]), &[by("ana", Some("ana@example.com"), ana())]),
            false,
        ),
        ("authors may", approved(1, Allow, (&["a@example.org"], &["ana"]), &[by("ana-work", None, ana())]), true),
    ] {
        let decision = decided(&given);
        let line = told(&decision);
        assert_eq!(decision.action.is_some(), moves, "{name}: {line}");
        let missing = matches!(&decision.verdict, Verdict::Wait { why: Reason::ApprovalsMissing { .. }, .. });
        assert_eq!(missing, !moves, "{name}: {line}");
    }
}

/// On a forge that tells of an approval only when it was given. Another head was wanted that never came; then this one
/// stays after all, and is wanted anew: from then on approvals count again.
#[test]
fn a_head_that_stays_after_all_is_wanted_anew_so_that_it_can_be_approved() {
    use towpath_core::model::{OrderId, Pause, PauseKind, Scope, Until};
    let given = |wanted: u32, confirmed: Option<i64>, at: i64| {
        let late = RequestApproval {
            by: "bo".into(),
            email: None,
            given: Bound::At(towpath_core::model::Trusted(minutes(at).trusted.0)),
            person: None,
        };
        approved(1, AuthorsMay::Allow, (&[], &[]), &[late]).but(|given| {
            given.seen.edges[0].proposed = Some(Proposed {
                pushed: None,
                asked: None,
                head: c(wanted),
                before: (wanted != 1).then(|| c(1)),
                at: minutes(-9),
                confirmed: confirmed.map(minutes),
                passed_over: None,
                announced: Some(7),
                until: None,
            });
        })
    };
    for (name, given, expect) in [
        ("it was wanted last", given(1, Some(-5), -4), "1 moves by request 7"),
        ("approved before it was there", given(1, Some(-5), -6), "1 approvals"),
        ("another was wanted last", given(2, None, -1), "1 into request 7"),
        ("and is approved later once it is wanted", given(1, Some(-1), 0), "1 moves by request 7"),
    ] {
        let line = told(&decided(&given));
        assert!(line.starts_with(expect), "{name}: {line}");
    }
    let stopped = given(2, None, -1).but(|given| {
        given.seen.standing.pauses.push(Pause {
            id: OrderId::from("p"),
            kind: PauseKind::Pause,
            scope: Scope::All,
            by: "olga".into(),
            reason: "audit".to_owned(),
            at: minutes(-1).wall,
            until: Until::Resumed,
            cause: None,
            began: None,
        });
    });
    assert!(decided(&stopped).action.is_none(), "nothing is done while it is paused");
}
