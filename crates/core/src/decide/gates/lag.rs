//! `gates.lag`: the candidate has been on the source for a time, or its check green for a time.

use crate::decide::Look;
use crate::model::{
    ArrivalHow, Fact, Instant, LagFrom, LagGate, Now, Reason, Trusted, Unknown, UnknownWhy, Verdict, Waiting, Who,
};

/// The lag from arrival, counted on the trusted clock.
pub fn judge(lag: &LagGate, candidate: &Waiting, now: Now) -> Verdict {
    let Some(arrival) = candidate.arrival else {
        return Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered));
    };
    let from = match arrival.how {
        ArrivalHow::Landed | ArrivalHow::Seen => LagFrom::Arrival,
        ArrivalHow::FirstSight => LagFrom::FirstSight,
    };
    counted(lag, arrival.trusted, arrival.wall, from, now)
}

/// The lag from the later of arrival and the named check turning green.
pub fn judge_since_check(lag: &LagGate, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
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
    let green = items.iter().filter(|item| &item.name == check).filter_map(|item| item.green_since).min();
    let Some(green) = green else {
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
