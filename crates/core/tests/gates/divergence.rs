//! The target's own commits: what they are, and which reading wins.

use towpath_core::model::{Fact, Own, Unknown, UnknownWhy, Via};

use crate::given::{Given, check, key};
use crate::kit::{c, waiting};

/// A commit of the target with one parent and nothing else to tell of it.
pub(crate) fn own(id: u32) -> Own {
    Own {
        id: c(id),
        author: "Ben".to_owned(),
        subject: "hotfix".to_owned(),
        parents: 1,
        promotion_merge: false,
        empty_merge: false,
        same_tree: None,
        lost_by_source: false,
        earlier: None,
        held: false,
    }
}

fn merge(id: u32) -> Own {
    Own { parents: 2, ..own(id) }
}

fn given(own: Vec<Own>) -> Given {
    Given::new(Vec::new(), vec![waiting(1)]).own(own).but(|given| {
        given.all.picks.insert(key("staging", 805), Fact::Known(Some(c(7))));
        let unknown = Unknown::passing(UnknownWhy::NotAnswered);
        given.all.picks.insert(key("staging", 806), Fact::Unknown(unknown));
    })
}

fn earlier() -> Option<(towpath_core::model::EnvName, towpath_core::model::CommitId)> {
    Some(("develop".into(), c(5)))
}

/// Each row has everything that the rows below it have, so that the order of the readings shows.
#[test]
fn the_first_reading_that_fits_wins() {
    let everything = || Own {
        promotion_merge: true,
        empty_merge: true,
        same_tree: Some(c(2)),
        lost_by_source: true,
        earlier: earlier(),
        ..merge(805)
    };
    let stuck = |kind: &str| {
        let who = if matches!(kind, "withdrawn" | "held-back") { "staging" } else { "develop" };
        format!("block diverged [805 {kind}] of 1 on pushers {who}")
    };
    for (name, commit, expect) in [
        ("withdrawn", everything(), stuck("withdrawn")),
        ("withdrawn, and held", Own { held: true, ..everything() }, stuck("withdrawn")),
        ("held back earlier", Own { lost_by_source: false, held: true, ..everything() }, stuck("held-back")),
        (
            "on its way",
            Own { lost_by_source: false, ..everything() },
            "wait diverged [805 on-its-way from develop by 5] of 1 on environment develop".to_owned(),
        ),
        (
            "a promotion merge",
            Own { lost_by_source: false, earlier: None, ..everything() },
            stuck("promotion-merge"),
        ),
        (
            "an empty merge",
            Own { lost_by_source: false, earlier: None, promotion_merge: false, ..everything() },
            stuck("empty-merge"),
        ),
        ("a merge with content", Own { same_tree: Some(c(2)), ..merge(805) }, stuck("content")),
        ("a squash", Own { same_tree: Some(c(2)), ..own(805) }, stuck("squash of 2")),
        ("a cherry-pick", own(805), stuck("cherry-pick of 7")),
    ] {
        check(name, &given(vec![commit]), &expect);
    }
    check("content", &given(vec![own(801)]), "block diverged [801 content] of 1 on pushers develop");
    check(
        "what cannot be told is content",
        &given(vec![own(806)]),
        "block diverged [806 content] of 1 on pushers develop",
    );
    let held_alone = Own { held: true, ..own(805) };
    check("a hold alone says nothing", &given(vec![held_alone]), &stuck("cherry-pick of 7"));
}

#[test]
fn all_have_to_be_on_their_way() {
    let coming = |id: u32| Own { earlier: earlier(), ..own(id) };
    check(
        "two",
        &given(vec![coming(801), coming(802)]),
        "wait diverged [801 on-its-way from develop by 5, 802 on-its-way from develop by 5] of 2 on environment develop",
    );
    check(
        "one is not",
        &given(vec![coming(801), own(802)]),
        "block diverged [801 on-its-way from develop by 5, 802 content] of 2 on pushers develop",
    );
    let more = given(vec![coming(801)]).but(|given| given.graph().own_total = 60);
    check(
        "more than are described",
        &more,
        "block diverged [801 on-its-way from develop by 5] of 60 on pushers develop",
    );
}

/// With nothing waiting the target's own commits are told all the same.
#[test]
fn divergence_is_told_before_up_to_date() {
    let idle = |own: Vec<Own>| Given::new(Vec::new(), Vec::new()).own(own);
    check("a hotfix", &idle(vec![own(801)]), "block diverged [801 content] of 1 on pushers develop");
    check("nothing", &idle(Vec::new()), "pass up-to-date");
}

#[test]
fn a_promotion_merge_is_no_divergence_by_merge_request() {
    let by_request = |own: Vec<Own>, waits: bool| {
        let commits = if waits { vec![waiting(1)] } else { Vec::new() };
        Given::new(Vec::new(), commits).own(own).but(|given| given.flow.environments[1].via = Via::MergeRequest)
    };
    let promotion = || Own { promotion_merge: true, empty_merge: true, ..merge(801) };
    check("nothing else", &by_request(vec![promotion()], false), "pass up-to-date");
    check(
        "something waits",
        &by_request(vec![promotion()], true),
        "1 into a new request | 1 request wait not-proposed on towpath until +0m",
    );
    check(
        "a hotfix beside it",
        &by_request(vec![promotion(), own(802)], true),
        "block diverged [802 content] of 1 on pushers develop",
    );
    let withdrawn = Own { lost_by_source: true, ..promotion() };
    check(
        "withdrawn",
        &by_request(vec![withdrawn], true),
        "block diverged [801 withdrawn] of 1 on pushers staging",
    );
}

#[test]
fn a_graph_that_cannot_be_read() {
    let with = |unknown: Unknown| given(Vec::new()).but(|given| given.seen.edges[0].graph = Fact::Unknown(unknown));
    check("no common ancestor", &with(Unknown::lasting(UnknownWhy::NoCommonAncestor)), "block unknown on operator");
    check("shallow", &with(Unknown::lasting(UnknownWhy::Shallow)), "block unknown on remote");
    let missing = UnknownWhy::MissingCommit { commit: c(3) };
    check("not loaded yet", &with(Unknown::passing(missing)), "wait unknown on towpath");
}
