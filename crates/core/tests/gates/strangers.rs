//! Approvals of a request whose range has commits by authors that the forge does not know.

use serde_json::json;
use towpath_core::model::{
    ApprovalsGate, AuthorLogins, AuthorsMay, Fact, Gate, MergeBy, NotCountedWhy, OpenRequest, Proposed, Reason,
    RequestApproval, Requests, Stranger, Tip, Unknown, UnknownWhy, Verdict, Via, Ways,
};

use crate::given::{Given, decided, key, told};
use crate::kit::{c, minutes, waiting};

/// Commit 1 in request 7, which Bo approved, and whom the forge knows of its authors.
fn approved(authors: AuthorsMay, known: Fact<AuthorLogins>) -> Given {
    let gate = Gate::Approvals(ApprovalsGate { required: 1, from: ["bo".to_owned()].into(), authors });
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
        let approval: RequestApproval =
            serde_json::from_value(json!({ "by": "bo", "email": "bo@example.com", "given": { "for": c(1) } }))
                .expect("an approval");
        let open = OpenRequest {
            number: 7,
            url: String::new(),
            head: c(1),
            draft: false,
            objections: Vec::new(),
            approvals: vec![approval],
        };
        let ways = Ways { push: false, fast_forward: true, merge_commit: true };
        let requests = Requests { branch: Tip::At(c(1)), open: Some(open), closed: None, ways };
        given.all.requests.insert("staging".into(), Fact::Known(requests));
        given.all.authors.insert(key("staging", 1), Fact::Known(["jan@home.example".to_owned()].into()));
        given.all.logins.insert(key("staging", 1), known);
    })
}

fn logins(of: &[&str], strangers: Option<&[Stranger]>) -> Fact<AuthorLogins> {
    Fact::Known(AuthorLogins {
        logins: of.iter().map(|login| (*login).into()).collect(),
        unlinked: strangers.is_some(),
        strangers: strangers.unwrap_or_default().to_vec(),
    })
}

#[test]
fn the_commit_that_keeps_an_approval_from_counting_is_named() {
    let jan = Stranger { commit: c(1), email: Some("jan@home.example".to_owned()), co_author: false };
    let eva = Stranger { commit: c(2), email: None, co_author: false };
    for (name, known, expect) in [
        (
            "one",
            logins(&["ana"], Some(std::slice::from_ref(&jan))),
            Some((NotCountedWhy::AuthorUnknown, Some(&jan))),
        ),
        (
            "the first of two",
            logins(&[], Some(&[eva.clone(), jan.clone()])),
            Some((NotCountedWhy::AuthorUnknown, Some(&eva))),
        ),
        ("which, is not told", logins(&["ana"], Some(&[])), Some((NotCountedWhy::AuthorUnknown, None))),
        (
            "an author is one first",
            logins(&["bo"], Some(std::slice::from_ref(&jan))),
            Some((NotCountedWhy::Author, None)),
        ),
        ("everybody is known", logins(&["ana"], None), None),
    ] {
        let decision = decided(&approved(AuthorsMay::Refuse, known));
        let why = match &decision.verdict {
            Verdict::Wait { why: Reason::ApprovalsMissing { not_counted, .. }, .. } => {
                not_counted.first().map(|one| (one.why, one.stranger.as_ref()))
            }
            _ => None,
        };
        assert_eq!(why, expect, "{name}: {}", told(&decision));
        assert_eq!(decision.action.is_some(), expect.is_none(), "{name}");
    }
    let allowed = decided(&approved(AuthorsMay::Allow, logins(&["bo"], Some(&[jan]))));
    assert!(allowed.action.is_some(), "{}", told(&allowed));
}

/// Of more commits than the forge is asked for nothing is known: a person has to mend it, and the number is said.
#[test]
fn too_many_commits_to_ask_about_block_in_their_own_words() {
    let many = UnknownWhy::ManyAuthors { commits: 2_500, most: 2_000 };
    let decision = decided(&approved(AuthorsMay::Refuse, Fact::Unknown(Unknown::lasting(many.clone()))));
    let Verdict::Block { why: Reason::Unknown(unknown), .. } = &decision.verdict else {
        panic!("it blocks: {}", told(&decision));
    };
    assert_eq!(unknown.why, many);
    assert!(decision.action.is_none());
    let known = decided(&approved(AuthorsMay::Allow, Fact::Unknown(Unknown::lasting(many))));
    assert!(known.action.is_some(), "nothing hangs on the authors: {}", told(&known));
}
