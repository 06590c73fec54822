//! `gates.http`: what a server says of exactly the candidate, and what it is asked about at all.

use std::collections::BTreeSet;

use towpath_core::model::{
    ApprovalsGate, ArrivalHow, AuthorsMay, CheckRef, CiState, Fact, Gate, HttpInstead, HttpVerdict, Instant,
    LagGate, OpenRequest, OpenWhen, Proposed, Requests, Tip, Unknown, UnknownWhy, Via, Waiting, Ways,
};

use crate::ci::named;
use crate::given::{Given, asked, check, item, key};
use crate::kit::{arrived, c, http, mins, minutes, number, said, waiting};

use HttpVerdict::{Block, Pass, Wait};

/// Commits numbered from the newest, each with what the server says of it.
fn server(verdicts: &[HttpVerdict]) -> Given {
    let ids = || (1..).zip(verdicts);
    let given = Given::new(vec![http()], ids().map(|(id, _)| waiting(id)).collect());
    ids().fold(given, |given, (id, verdict)| says(given, id, *verdict))
}

fn says(given: Given, commit: u32, verdict: HttpVerdict) -> Given {
    given.but(|given| drop(given.all.http.insert(key("staging", commit), Fact::Known(said(verdict)))))
}

fn unknown(given: Given, commit: u32, instead: HttpInstead) -> Given {
    let why = UnknownWhy::HttpGate { host: "gate.example.com".to_owned(), instead };
    let unknown = Fact::Unknown(Unknown::passing(why));
    given.but(|given| drop(given.all.http.insert(key("staging", commit), unknown)))
}

/// About which commits the server was asked.
fn asked_about(given: &Given) -> BTreeSet<u32> {
    asked(given).asked.http.iter().map(|key| number(key.commit)).collect()
}

#[test]
fn the_servers_verdict_is_that_of_the_gate() {
    let until = |at: i64| Wait { until: Some(minutes(at).wall) };
    let soon = Wait { until: Some(Instant(minutes(0).wall.0 + 1)) };
    let (who, wait, block) = ("on service gate.example.com", "http wait http-waits", "http block http-blocks");
    let instead = HttpInstead::Status { status: 500 };
    for (name, given, expect) in [
        ("passes", server(&[Pass]), "1 moves".to_owned()),
        ("waits", server(&[Wait { until: None }]), format!("1 {wait} {who}")),
        ("waits until then", server(&[until(5)]), format!("1 {wait} {who} until +5m")),
        ("it is not asked without end", server(&[soon]), format!("1 {wait} {who} until +1m")),
        ("a time that has come is none", server(&[until(0)]), format!("1 {wait} {who}")),
        ("a time that is over is none", server(&[until(-5)]), format!("1 {wait} {who}")),
        ("blocks", server(&[Block]), format!("1 {block} {who}")),
        ("no verdict", unknown(server(&[Pass]), 1, instead.clone()), "1 http wait unknown on towpath".to_owned()),
        ("an older one that passes moves", server(&[Block, Pass]), format!("2 moves | beside 1 {block} {who}")),
        (
            "also past one without a verdict",
            unknown(server(&[Pass, Pass]), 1, instead),
            "2 moves | beside 1 http wait unknown on towpath".to_owned(),
        ),
        (
            "the soonest leads",
            server(&[Block, until(20), until(10), Wait { until: None }]),
            format!("3 {wait} {who} until +10m | beside 1 {block} {who} | 2 {wait} {who} until +20m"),
        ),
    ] {
        check(name, &given, &expect);
    }
}

#[test]
fn the_server_is_asked_about_what_everything_else_lets_move() {
    let build = || named(&[("build", CheckRef::Any)], None);
    let lag = || Gate::Lag(LagGate { length: mins(30), since: None });
    let young = |id: u32| Waiting { arrival: Some(arrived(5, ArrivalHow::Seen)), ..waiting(id) };
    let given = |gates: Vec<Gate>, commits: Vec<Waiting>| {
        let given = Given::new([gates, vec![http()]].concat(), commits);
        (1..=9).fold(given, |given, id| says(given, id, Pass))
    };
    let ci = |given: Given, id: u32, state: CiState| given.ci(id, vec![item("build", "", state)]);
    let red_then_green =
        ci(ci(given(vec![build()], vec![waiting(1), waiting(2)]), 1, CiState::Red), 2, CiState::Green);
    let paused =
        given(vec![], vec![waiting(1)]).but(|given| given.seen.standing.pauses.push(crate::stops::pause(Some(30))));
    let promoted = given(vec![lag()], vec![young(1)])
        .but(|given| given.seen.standing.promotes.push(crate::people::promote(1, 60)));
    for (name, given, expect, about) in [
        ("nothing else", given(vec![], vec![waiting(1)]), "1 moves", vec![1]),
        ("lag", given(vec![lag()], vec![young(1)]), "1 lag wait lag-not-over on time until +25m", vec![]),
        ("lag, promoted", promoted, "1 moves by promote-1", vec![1]),
        ("pause", paused, "1 pause wait paused on person os:ana@a until +30m", vec![]),
        ("a red check", red_then_green, "2 moves | beside 1 ci block check-red on pushers develop", vec![2]),
    ] {
        check(name, &given, expect);
        assert_eq!(asked_about(&given), about.into_iter().collect(), "{name}");
    }
}

/// Where commits enter by request the gate is one of those that decide what is proposed: it is asked
/// while people have still to approve, and a `block` takes the head out of its request.
#[test]
fn what_is_proposed_has_passed_it() {
    let by_request = |given: Given| given.but(|given| given.flow.environments[1].via = Via::MergeRequest);
    let open = |given: Given, head: u32| {
        given.but(|given| {
            let open = OpenRequest {
                number: 7,
                url: String::new(),
                head: c(head),
                approvals: Vec::new(),
                draft: false,
                objections: Vec::new(),
            };
            let ways = Ways { push: false, fast_forward: false, merge_commit: true };
            let requests = Requests { branch: Tip::At(c(head)), open: Some(open), closed: None, ways };
            given.all.requests.insert("staging".into(), Fact::Known(requests));
            given.seen.edges[0].proposed = Some(put(head));
        })
    };
    let approved = |given: Given| given.but(|given| given.flow.environments[1].gates.insert(0, approval()));
    let at_once = |given: Given| given.but(|given| given.flow.environments[1].request.open = OpenWhen::AtOnce);
    let who = "on service gate.example.com";
    let waits = Wait { until: None };
    for (name, given, expect) in [
        (
            "passes",
            by_request(server(&[Pass])),
            "1 into a new request | 1 request wait not-proposed on towpath until +0m".to_owned(),
        ),
        (
            "waits",
            by_request(server(&[waits])),
            format!("1 request wait not-proposed on towpath until +0m, http wait http-waits {who}"),
        ),
        (
            "waits, where requests are opened at once",
            at_once(by_request(server(&[waits]))),
            format!(
                "1 into a new request | 1 request wait not-proposed on towpath until +0m, http wait http-waits {who}"
            ),
        ),
        (
            "blocks, where requests are opened at once",
            at_once(by_request(server(&[Block]))),
            format!("1 request wait not-proposed on towpath until +0m, http block http-blocks {who}"),
        ),
        (
            "is asked while approvals are missing",
            approved(by_request(server(&[Pass]))),
            "1 into a new request | 1 request wait not-proposed on towpath until +0m".to_owned(),
        ),
        ("merges", open(by_request(server(&[Pass])), 1), "1 moves by request 7".to_owned()),
        (
            "a head stays while it waits",
            approved(open(by_request(server(&[waits, Pass])), 1)),
            format!("1 approvals wait approvals-missing on approvers [], http wait http-waits {who}"),
        ),
        (
            "a head that is blocked goes",
            approved(open(by_request(server(&[Block, Pass])), 1)),
            format!(
                "2 into request 7 | 2 request wait not-proposed on towpath until +0m | beside 1 approvals wait \
                 approvals-missing on approvers [], http block http-blocks {who}"
            ),
        ),
    ] {
        check(name, &given, &expect);
    }
}

fn put(head: u32) -> Proposed {
    let (at, confirmed) = (minutes(-10), Some(minutes(-10)));
    Proposed {
        pushed: None,
        asked: None,
        head: c(head),
        before: None,
        at,
        confirmed,
        passed_over: None,
        announced: Some(7),
        until: None,
    }
}

fn approval() -> Gate {
    Gate::Approvals(ApprovalsGate { required: 1, from: BTreeSet::new(), authors: AuthorsMay::Allow })
}

/// The host alone is shown of a URL.
#[test]
fn the_host_of_a_url() {
    let host = |url: &str| towpath_core::model::HttpGate { url: url.to_owned() }.host().to_owned();
    assert_eq!(host("https://gate.example.com/a/b"), "gate.example.com");
    assert_eq!(host("http://127.0.0.1:8080"), "127.0.0.1:8080");
    assert_eq!(host("http://[::1]:80/x"), "[::1]:80");
    // The config refuses these; what is shown would still hold no secret.
    assert_eq!(host("https://me:secret@gate.example.com?key=secret#secret"), "gate.example.com");
}
