//! `gates.lag`: the candidate has been on the source for a time, or its check green for a time.

use crate::decide::Look;
use crate::decide::gates::ci;
use crate::model::{
    ArrivalHow, Edge, Fact, Instant, LagFrom, LagGate, Now, Reason, Trusted, Unknown, UnknownWhy, Verdict, Waiting,
    Who,
};

/// The lag from arrival, counted on the trusted clock.
pub fn judge(lag: &LagGate, candidate: &Waiting, now: Now) -> Verdict {
    let Some(arrival) = candidate.arrival else {
        return Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered));
    };
    let from = match arrival.how {
        ArrivalHow::Landed | ArrivalHow::Seen | ArrivalHow::Pushed => LagFrom::Arrival,
        ArrivalHow::FirstSight => LagFrom::FirstSight,
    };
    counted(lag, arrival.trusted, arrival.wall, from, now)
}

/// The lag from the later of arrival and the named check turning green, by the rule that `gates.ci`
/// has for that check (`ref`; any where it names it not). A check that was not green in between
/// turned green when it last did: whatever the lag lets a check watch over has to be green for the
/// whole of it.
pub fn judge_since_check(
    lag: &LagGate,
    edge: &Edge<'_>,
    candidate: &Waiting,
    look: &mut Look<'_>,
) -> Option<Verdict> {
    let Some(check) = &lag.since else { return Some(judge(lag, candidate, look.now())) };
    let items = match look.seen.facts.ci.get(&candidate.id) {
        None => {
            look.missing.ci.insert(candidate.id);
            return None;
        }
        Some(Fact::Unknown(unknown)) => return Some(Verdict::unknown(unknown.clone())),
        Some(Fact::Known(items)) => items,
    };
    let Some(arrival) = candidate.arrival else {
        return Some(Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered)));
    };
    let Some(green) = ci::turned_green(&ci::rule_of(edge, check), items, &edge.source.branch) else {
        let why = Reason::LagNotBegun { check: check.clone() };
        return Some(Verdict::Wait { why, on: Who::Ci, until: None });
    };
    let since = green.max(arrival.trusted);
    let wall = look.now().wall_at(since);
    Some(counted(lag, since, wall, LagFrom::Check(check.clone()), look.now()))
}

fn counted(lag: &LagGate, since: Trusted, wall: Instant, from: LagFrom, now: Now) -> Verdict {
    let over = since + lag.length;
    if now.trusted >= over {
        return Verdict::Pass { why: Reason::LagOver { since: wall } };
    }
    let why = Reason::LagNotOver { length: lag.length, since: wall, from };
    Verdict::Wait { why, on: Who::Time, until: Some(now.wall_at(over)) }
}
