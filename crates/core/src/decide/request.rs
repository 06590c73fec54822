//! Requests: whether a candidate is what the open request is for, which candidate is to be put into
//! it, and when it is merged.
//!
//! A candidate is *proposed* when every gate but those that people and the calendar open passes, and
//! *merged* when all pass. Until somebody approves, the head follows the newest candidate that may be
//! proposed; then it stays until it is merged, closed, or a gate blocks it. With `open = "at-once"`, where nobody has to
//! approve, one that may enter goes before newer ones that still wait. A candidate that somebody
//! ordered with `promote` is proposed before all others, and nothing follows it while the order stands.
//!
//! Not here: how a request is opened (`engine`), and what is said in it (`explain`).

use super::candidate::standing_promote;
use super::{Look, Tried, choose_among, look_whole, soonest};
use crate::dag::Dag;
use crate::model::{
    Action, Actor, Check, Checks, Decision, Distance, Edge, Fact, Gate, GateKind, Given, Judged, MergeBy, MergeHow,
    Merging, OpenRequest, OpenWhen, PushedRequest, Reason, Requests, Tip, Verdict, Via, Waiting, Who,
};

/// The requests of the edge; `None` where they are not yet known, which is noted.
pub fn seen<'a>(edge: &Edge<'_>, look: &mut Look<'a>) -> Option<&'a Fact<Requests>> {
    let seen = look.seen;
    let fact = seen.facts.requests.get(&edge.target.name);
    if fact.is_none() {
        look.missing.requests.insert(edge.target.name.clone());
    }
    fact
}

/// The open request, if its head is what we put there and the branch is still at it.
pub fn ours<'a>(look: &Look<'_>, requests: &'a Requests) -> Option<&'a OpenRequest> {
    let open = requests.open.as_ref()?;
    let put = look.on_edge.proposed.as_ref().is_some_and(|row| row.put(open.head));
    (put && requests.branch == Tip::At(open.head)).then_some(open)
}

/// Whether the candidate is what the open request is for, and nobody objects. `None` when the
/// requests are not yet known.
pub fn judge(edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let requests = match seen(edge, look)? {
        Fact::Unknown(unknown) => return Some(Verdict::unknown(unknown.clone())),
        Fact::Known(requests) => requests,
    };
    if let Some(closed) = closed(look, requests) {
        return Some(closed);
    }
    let Some(open) = &requests.open else {
        return Some(waits_for_us(look, Reason::NotProposed { open: None }));
    };
    if let Some(head) = foreign(look, requests) {
        return Some(waits_for_us(look, Reason::ForeignHead { number: open.number, head }));
    }
    if open.head != candidate.id || requests.branch != Tip::At(candidate.id) {
        return Some(waits_for_us(look, Reason::NotProposed { open: Some(open.number) }));
    }
    if open.draft {
        let (why, on) = (Reason::RequestDraft { number: open.number }, Who::Pushers(edge.target.branch.clone()));
        return Some(Verdict::Wait { why, on, until: None });
    }
    if let Some(first) = open.objections.first() {
        let why = Reason::ChangesRequested { number: open.number, by: open.objections.clone() };
        return Some(Verdict::Wait { why, on: Who::Person(first.clone()), until: None });
    }
    if edge.target.request.merge == MergeBy::Towpath && how(candidate, requests).is_none() {
        let why = Reason::NoWayToMerge { fast_forward: requests.ways.fast_forward || requests.ways.push };
        return Some(Verdict::Block { why, who: Who::Operator });
    }
    Some(Verdict::Pass { why: Reason::RequestOpen { number: open.number, url: open.url.clone() } })
}

/// What Towpath does by itself as soon as everything else allows it: nearer than any other wait, so
/// that it is never what is said of a candidate that something else holds up.
fn waits_for_us(look: &Look<'_>, why: Reason) -> Verdict {
    Verdict::Wait { why, on: Who::Towpath, until: Some(look.now().wall) }
}

/// Whether the open request is for the candidate that this verdict is on.
pub fn is_for(verdict: &Verdict) -> bool {
    matches!(
        verdict.why(),
        Reason::RequestOpen { .. }
            | Reason::RequestDraft { .. }
            | Reason::ChangesRequested { .. }
            | Reason::NoWayToMerge { .. }
    )
}

/// A request that a person closed, unless another one is open, its head is no longer waiting, or
/// somebody said to go on without it.
fn closed(look: &Look<'_>, requests: &Requests) -> Option<Verdict> {
    let closed = requests.closed.as_ref().filter(|_| requests.open.is_none())?;
    let passed_over = look.on_edge.proposed.as_ref().and_then(|row| row.passed_over);
    // What we pushed we close ourselves: that is nobody's word, even after a rollback.
    let by_us = look.on_edge.proposed.as_ref().and_then(|row| row.pushed).map(|pushed| pushed.number);
    // What somebody else had put there before it was closed is no candidate; what we had is.
    // A request that we never told of for this head was closed about an earlier one.
    let row = look.on_edge.proposed.as_ref().filter(|row| row.announced == Some(closed.number));
    let about = row.filter(|row| !row.put(closed.head)).map_or(closed.head, |row| row.head);
    let waits = look.on_edge.graph.known().is_some_and(|g| g.waiting.iter().any(|w| w.id == about));
    if passed_over == Some(closed.number) || by_us == Some(closed.number) || !waits {
        return None;
    }
    let by = closed.by.clone().unwrap_or_else(|| Actor::new(crate::see::SOMEBODY));
    let why = Reason::RequestClosed { number: closed.number, url: closed.url.clone(), by: closed.by.clone() };
    Some(Verdict::Block { why, who: Who::Person(by) })
}

/// Where somebody else moved the request branch to.
fn foreign(look: &Look<'_>, requests: &Requests) -> Option<crate::model::CommitId> {
    let put = |head| look.on_edge.proposed.as_ref().is_some_and(|row| row.put(head));
    let heads = [requests.branch.commit(), requests.open.as_ref().map(|open| open.head)];
    heads.into_iter().flatten().find(|head| !put(*head))
}

/// How the candidate can be merged here so that it stays the same commit.
fn how(candidate: &Waiting, requests: &Requests) -> Option<MergeHow> {
    let ways = requests.ways;
    match candidate.reaches {
        true if ways.fast_forward => Some(MergeHow::FastForward),
        true if ways.push => Some(MergeHow::Push),
        _ => ways.merge_commit.then_some(MergeHow::MergeCommit),
    }
}

/// What is to be done about a request whose head we pushed to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPush {
    /// Nothing yet: it is not known how it stands.
    Wait,
    /// It is open, and its head is in the target: it is to be closed.
    Close,
    /// Nothing any more: it was merged or closed, goes on to another head, or what was pushed was taken back.
    Over,
}

/// What is to be done about a request whose head we pushed to the target, which is at `target` now.
pub fn after_push(pushed: &PushedRequest, requests: &Fact<Requests>, target: &Tip, dag: &Dag) -> AfterPush {
    let Fact::Known(requests) = requests else { return AfterPush::Wait };
    let is_it = |open: &&OpenRequest| open.number == pushed.number && open.head == pushed.head;
    if requests.open.as_ref().filter(is_it).is_none() {
        return AfterPush::Over;
    }
    match target {
        Tip::Unknown(_) => AfterPush::Wait,
        Tip::At(tip) if *tip == pushed.head || dag.contains(*tip, pushed.head) => AfterPush::Close,
        Tip::At(tip) if dag.node(*tip).is_none() => AfterPush::Wait,
        Tip::At(_) | Tip::Absent => AfterPush::Over,
    }
}

/// Whether an approval is bound to that head, as far as it is ours.
pub fn bound(look: &Look<'_>, head: crate::model::CommitId, given: Given) -> bool {
    match given {
        Given::For(commit) => commit == head,
        Given::At(at) => {
            let row = look.on_edge.proposed.as_ref().filter(|row| row.head == head);
            row.and_then(|row| row.confirmed).is_some_and(|confirmed| at > confirmed.trusted)
        }
        Given::Unbound => false,
    }
}

/// Whether somebody has approved exactly this head.
fn approved(look: &Look<'_>, open: &OpenRequest) -> bool {
    open.approvals.iter().any(|approval| bound(look, open.head, approval.given))
}

/// Whether a head that was judged like this stays whatever comes after it: it is approved, and nothing
/// that only people can mend stands against it.
pub fn is_firm(edge: &Edge<'_>, judged: &[Judged], open: &OpenRequest, look: &Look<'_>) -> bool {
    approved(look, open) && !blocked(edge, judged) && !red_at_the_merge(edge, judged)
}

/// Whether a candidate that was judged like this may be put into a request: of the gates only those that people and the
/// calendar open may be shut, and those that are judged at the merge.
pub fn proposable(edge: &Edge<'_>, judged: &[Judged]) -> bool {
    judged.iter().all(|one| match one.check {
        Check::Request => matches!(
            one.verdict.why(),
            Reason::NotProposed { .. } | Reason::ForeignHead { .. } | Reason::RequestOpen { .. }
        ),
        Check::Gate(kind) => at_the_merge(edge, kind) || may_be_shut(edge, &one.verdict),
        Check::Branches | Check::Push | Check::Freeze | Check::Pause | Check::Hold => one.verdict.passes(),
    })
}

/// What is not known may be what blocks.
fn may_be_shut(edge: &Edge<'_>, verdict: &Verdict) -> bool {
    let known = !matches!(verdict.why(), Reason::Unknown(_));
    match edge.target.request.open {
        OpenWhen::Ready => verdict.passes(),
        OpenWhen::AtOnce => known && verdict.distance() != Distance::Blocked,
    }
}

/// Gates that are opened by people or the calendar, and what the forge requires: they are judged at
/// the merge and not for proposing.
fn at_the_merge(edge: &Edge<'_>, kind: GateKind) -> bool {
    let required = |gate: Option<&Gate>| matches!(gate, Some(Gate::Ci(ci)) if ci.checks == Checks::Required);
    super::gates::manner(kind).at_the_merge || (kind == GateKind::Ci && required(edge.target.gate(GateKind::Ci)))
}

/// Whether something that only people can mend keeps the candidate out of a request, so that the head
/// goes on to another one. What does not keep one out of a request does not take it away from there.
fn blocked(edge: &Edge<'_>, judged: &[Judged]) -> bool {
    judged.iter().any(|one| {
        let counts = match one.check {
            Check::Hold => true,
            Check::Gate(kind) => !at_the_merge(edge, kind),
            _ => false,
        };
        counts && one.verdict.distance() == Distance::Blocked
    })
}

/// Whether checks that the forge requires keep the head from being merged: newer commits may then take
/// its place, although it was approved.
pub fn red_at_the_merge(edge: &Edge<'_>, judged: &[Judged]) -> bool {
    let ci = Check::Gate(GateKind::Ci);
    at_the_merge(edge, GateKind::Ci)
        && judged.iter().any(|one| one.check == ci && one.verdict.distance() == Distance::Blocked)
}

/// Picks what is merged or proposed, and fills the decision.
pub(super) fn choose(
    edge: &Edge<'_>,
    candidates: &[&Waiting],
    look: &mut Look<'_>,
    decision: &mut Decision,
) -> Option<()> {
    let requests = match seen(edge, look)? {
        // Without a request to look at, every candidate is judged as far as it goes.
        Fact::Unknown(_) => &Requests {
            branch: Tip::Absent,
            open: None,
            closed: None,
            ways: crate::model::Ways { fast_forward: false, merge_commit: false, push: false },
        },
        Fact::Known(requests) => requests,
    };
    let mut tried = super::tried_cheaply(edge, candidates, look);
    let (look_back, mut looked_at) = (super::look_back(edge), 0);
    let place = |id| candidates.iter().position(|candidate| candidate.id == id);
    let open = ours(look, requests);
    let head = open.and_then(|open| place(open.head));
    let ordered = standing_promote(edge, look.seen).and_then(|promote| place(promote.commit));

    if let Some(at) = head {
        look_whole(edge, &mut tried, &[at], look, look_back, &mut looked_at, |_| true)?;
    }
    let ready = head.filter(|at| tried[*at].distance == Distance::Now);
    let merges = ready.is_some() && edge.target.request.merge == MergeBy::Towpath;
    let mut next = None;
    // What a person ordered goes in before what is newer, and takes the place of what is approved.
    if let Some(at) = ordered.filter(|_| ordered != head && !merges) {
        let fit = |one: &Tried<'_>| proposable(edge, &one.judged) && !red_at_the_merge(edge, &one.judged);
        next = look_whole(edge, &mut tried, &[at], look, look_back, &mut looked_at, fit)?;
    }
    if let Some(at) = ready.filter(|_| next.is_none()) {
        choose_among(edge, &tried, Some(at), look, looked_at, decision);
        merge(edge, candidates[at], open, requests, decision);
        return Some(());
    }
    let stays = head.filter(|at| !blocked(edge, &tried[*at].judged));
    let firm = stays.is_some_and(|at| {
        let red = red_at_the_merge(edge, &tried[at].judged);
        !red && (ordered == stays || open.is_some_and(|open| approved(look, open)))
    });
    // Where the request itself is in the way (a draft, an objection), nothing that is put there enters: it would only be
    // put there and taken away in turn.
    let in_the_way =
        |judged: &[Judged]| judged.iter().any(|one| one.check == Check::Request && !one.verdict.passes());
    let stuck = head.is_some_and(|at| in_the_way(&tried[at].judged));
    if next.is_none() && !firm && !stuck && foreign(look, requests).is_none() {
        let ripe = before_newer(edge, &tried, head, look_back.saturating_sub(looked_at));
        next = look_whole(edge, &mut tried, &ripe, look, look_back, &mut looked_at, |one| enters(&one.judged))?;
    }
    if next.is_none() && !firm {
        let mut order = order(&tried, look, requests, stays, place);
        order.retain(|at| Some(*at) != ordered || ordered == head);
        let fit = |one: &Tried<'_>| proposable(edge, &one.judged);
        next = look_whole(edge, &mut tried, &order, look, look_back, &mut looked_at, fit)?;
    }
    let next = next.or_else(|| stays.filter(|at| is_to_be_wanted(edge, &tried[*at], look)));
    let lead = match next.or(stays) {
        Some(at) => Some(at),
        None => soonest(edge, &mut tried, look, look_back, &mut looked_at)?,
    };
    choose_among(edge, &tried, lead, look, looked_at, decision);
    decision.ahead = super::ahead::of_request(edge, lead.map(|at| &tried[at]), look);
    if let Some(at) = next {
        decision.action = Some(Action::Propose {
            head: candidates[at].id,
            from: requests.branch.commit(),
            request: requests.open.as_ref().map(|open| open.number),
        });
    }
    Some(())
}

/// Whether the head that is there is not what was wanted there last: that never came, and the head stays after all. It is
/// then wanted anew, or an approval that names no commit could never count for it.
fn is_to_be_wanted(edge: &Edge<'_>, head: &Tried<'_>, look: &Look<'_>) -> bool {
    let wanted = look.on_edge.proposed.as_ref().map(|row| row.head);
    wanted != Some(head.commit.id) && proposable(edge, &head.judged)
}

/// Where a request is opened before its commit may enter and nobody has to approve it: the candidates that time holds
/// up no more, newest first. What follows every newer commit would never be merged while they keep coming; of a
/// head that has to be approved, people say themselves that it stays. Some of the look-back is left for the newest.
fn before_newer(edge: &Edge<'_>, tried: &[Tried<'_>], head: Option<usize>, left: usize) -> Vec<usize> {
    let asks = matches!(edge.target.gate(GateKind::Approvals), Some(Gate::Approvals(gate)) if gate.required > 0);
    if edge.target.request.open == OpenWhen::Ready || asks {
        return Vec::new();
    }
    let ripe = (0..tried.len()).filter(|at| Some(*at) != head && tried[*at].distance == Distance::Now);
    ripe.take(left.saturating_sub((left / 10).max(1))).collect()
}

/// Whether a candidate that was judged like this enters as soon as the request is for it.
fn enters(judged: &[Judged]) -> bool {
    let ours = |why: &Reason| matches!(why, Reason::NotProposed { .. });
    judged.iter().all(|one| one.verdict.passes() || (one.check == Check::Request && ours(one.verdict.why())))
}

/// Which candidates are tried for the request, in that order: newest first, above the head where that
/// stays. What somebody pushed over is put back first.
fn order(
    tried: &[Tried<'_>],
    look: &Look<'_>,
    requests: &Requests,
    head: Option<usize>,
    place: impl Fn(crate::model::CommitId) -> Option<usize>,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..head.unwrap_or(tried.len())).collect();
    let pushed_over = foreign(look, requests).and(look.on_edge.proposed.as_ref());
    if let Some(at) = pushed_over.and_then(|row| place(row.head)) {
        order.retain(|other| *other != at);
        order.insert(0, at);
    }
    order
}

/// The merge of a request all of whose gates pass.
fn merge(
    edge: &Edge<'_>,
    candidate: &Waiting,
    open: Option<&OpenRequest>,
    requests: &Requests,
    decision: &mut Decision,
) {
    let Some(open) = open else { return };
    if edge.target.request.merge == MergeBy::Person {
        let why = Reason::ForPeopleToMerge { number: open.number, url: open.url.clone() };
        let on = Who::Pushers(edge.target.branch.clone());
        decision.verdict = Verdict::Wait { why, on, until: None };
        decision.action = None;
        return;
    }
    if let Some(Action::FastForward { merge, .. }) = &mut decision.action
        && let Some(how) = how(candidate, requests)
    {
        *merge = Some(Merging { number: open.number, how });
    }
}

/// Whether commits enter by request here.
pub fn by_request(edge: &Edge<'_>) -> bool {
    edge.target.via == Via::MergeRequest
}
