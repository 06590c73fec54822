//! The last day of the flows that a sink is told of, as the store has it.
//!
//! How many commits came with a promotion is told by when they came onto the branch before: the ledger has no other
//! record of them.
//!
//! Not here: what is said of it (`digest`).

use std::collections::BTreeMap;

use towpath_core::calendar::Schedule;
use towpath_core::explain::Words;
use towpath_core::model::{
    Arrival, ArrivalHow, CommitId, EffectRow, EnvName, EventRow, Flow, Instant, Ledger, MoveKind, OrderId, Pause,
};

use super::digest::{Day, Landed, Standing, troubles};
use crate::store::{SqliteStore, StoreError, What};
use crate::tell::sink::InChat;

/// How much of the history is read at once, and how much of one flow at most.
const PAGE: usize = 500;
const READ_MAX: usize = 10_000;

/// Everything since then.
///
/// # Errors
/// If the store cannot be read.
pub(super) async fn day(
    store: &SqliteStore,
    chat: InChat<'_>,
    from: Instant,
    now: Instant,
) -> Result<Day, StoreError> {
    let sink = chat.sink;
    let is_told = |env: &EnvName| sink.is_of_environment(env);
    let zone = chat.chat.zone;
    let mut day =
        Day { from, zone, landed: Vec::new(), troubles: Vec::new(), standing: Vec::new(), pauses: Vec::new() };
    let mut standing: Vec<(Instant, Standing)> = Vec::new();
    let mut pauses: BTreeMap<OrderId, Pause> = BTreeMap::new();
    for flow in chat.flows.iter().filter(|flow| sink.is_of_flow(&flow.name)) {
        let targets: Vec<EnvName> = flow.edges().map(|edge| edge.target.name.clone()).collect();
        let ledger = store.load(&flow.name, &targets).await?;
        let (effects, events) = since(store, flow, from).await?;
        let landed = effects.iter().filter(|effect| effect.kind == MoveKind::FastForward && is_told(&effect.env));
        day.landed.extend(landed.filter_map(|effect| came(flow, &ledger, effect)));
        let events: Vec<EventRow> = events.into_iter().filter(|event| is_told(&event.env)).collect();
        day.troubles.extend(troubles(&flow.name, &events));
        let words = Words { zone, now, flow, remote_word: "origin", lasting: true };
        for row in targets.iter().filter(|env| is_told(env)).filter_map(|env| ledger.decisions.get(env)) {
            let found = Standing::of(&flow.name, &row.decision, words.headline(&row.decision));
            let as_of = ledger.looked.filter(|looked| is_old(looked.wall, chat.look, now));
            let as_of = as_of.map(|looked| format!("as of {}", Words { lasting: false, ..words }.at(looked.wall)));
            standing.extend(found.map(|found| (row.since, Standing { as_of, ..found })));
        }
        let in_force = ledger.standing.pauses.iter().filter(|pause| !pause.until.is_over(now));
        pauses.extend(in_force.map(|pause| (pause.id.clone(), pause.clone())));
    }
    // What stands for longest is most urgent.
    standing.sort_by_key(|(since, _)| *since);
    day.standing = standing.into_iter().map(|(_, standing)| standing).collect();
    day.pauses = pauses.into_values().collect();
    Ok(day)
}

/// Whether two looks should have been since: what was decided then may not be so any more.
fn is_old(looked: Instant, look: &Schedule, now: Instant) -> bool {
    let second = look.next_slot(looked).and_then(|next| look.next_slot(next));
    second.is_some_and(|second| second <= now)
}

/// Moves of ours, and events, of a flow since then, oldest first.
async fn since(
    store: &SqliteStore,
    flow: &Flow,
    from: Instant,
) -> Result<(Vec<EffectRow>, Vec<EventRow>), StoreError> {
    let (mut effects, mut events) = (Vec::new(), Vec::new());
    let (mut before, mut read) = (None, 0);
    while read < READ_MAX {
        let items = store.history_before(Some(&flow.name), before, PAGE).await?;
        let is_last = items.len() < PAGE || items.last().is_none_or(|item| item.at < from);
        read += items.len();
        before = items.last().map(|item| item.seq);
        for item in items.into_iter().filter(|item| item.at >= from) {
            match item.what {
                What::Effect(effect) => effects.push(effect),
                What::Event(event) => events.push(event),
                What::Intent(_) | What::Audit(_) => {}
            }
        }
        if is_last {
            break;
        }
    }
    effects.reverse();
    events.reverse();
    Ok((effects, events))
}

/// What came with a promotion.
fn came(flow: &Flow, ledger: &Ledger, effect: &EffectRow) -> Option<Landed> {
    let edge = flow.edge(&effect.env)?;
    let none = BTreeMap::new();
    let before = ledger.arrivals.get(&edge.source.name).unwrap_or(&none);
    let came = between(before, effect.old, effect.new);
    let is_last = flow.environments.last().is_some_and(|last| last.name == effect.env);
    let first = flow.environments.first().and_then(|first| ledger.arrivals.get(&first.name)).unwrap_or(&none);
    let lead = |commit: &CommitId| {
        // When what was there at the first look came nobody knows.
        let arrival = first.get(commit).filter(|arrival| arrival.how != ArrivalHow::FirstSight)?;
        (arrival.wall <= effect.at.wall).then(|| effect.at.wall.since(arrival.wall))
    };
    Some(Landed {
        flow: flow.name.clone(),
        env: effect.env.clone(),
        commits: u32::try_from(came.len()).unwrap_or(u32::MAX).max(1),
        leads: if is_last { came.iter().filter_map(lead).collect() } else { Vec::new() },
    })
}

/// The commits that came onto the branch before after `old`, up to `new`. An arrival is forgotten long after the commit
/// moved on: where that of `old` is, all that are left came after it.
fn between(before: &BTreeMap<CommitId, Arrival>, old: CommitId, new: CommitId) -> Vec<CommitId> {
    let Some(newest) = before.get(&new) else { return Vec::new() };
    let after = before.get(&old).map(|arrival| arrival.wall);
    let came = before
        .iter()
        .filter(|(_, arrival)| arrival.wall <= newest.wall && after.is_none_or(|after| arrival.wall > after));
    came.map(|(commit, _)| *commit).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use towpath_core::model::Trusted;

    use super::*;

    fn commit(n: u8) -> CommitId {
        CommitId::from_bytes([n; 20])
    }

    /// Commits that came at these times, numbered from 1.
    fn arrivals(at: &[i64]) -> BTreeMap<CommitId, Arrival> {
        let one = |(n, at): (u8, &i64)| {
            let arrival = Arrival { trusted: Trusted(*at), wall: Instant(*at), how: ArrivalHow::Seen };
            (commit(n), arrival)
        };
        (1..).zip(at).map(one).collect()
    }

    #[test]
    fn what_is_older_than_a_look_or_two_is_old() {
        let look = Schedule::parse("*/5 * * * *", None, chrono_tz::Tz::UTC).unwrap();
        let at = |seconds: i64| Instant(1_795_255_200_000 + seconds * 1_000);
        let old = |looked, now| is_old(at(looked), &look, at(now));
        // Looked at the whole hour, and a second after: the next slots are five and ten minutes later.
        for looked in [0, 1, 299] {
            assert_eq!(
                [0, 299, 300, 599, 600, 86_400].map(|now| old(looked, now)),
                [false, false, false, false, true, true]
            );
        }
        // A wall that went back.
        assert!(!old(900, 0));
        // Who looks once a year is not late.
        let rare = Schedule::parse("0 0 1 1 *", None, chrono_tz::Tz::UTC).unwrap();
        assert!(!is_old(at(0), &rare, at(300 * 86_400)));
    }

    #[test]
    fn what_came_with_a_promotion_is_what_came_after_the_last_one() {
        let at = arrivals(&[10, 20, 20, 30, 40]);
        for (old, new, wanted) in [
            (1, 3, vec![2, 3]),
            (1, 5, vec![2, 3, 4, 5]),
            (3, 4, vec![4]),
            // Forgotten, as it moved on long ago.
            (9, 3, vec![1, 2, 3]),
            // Came together.
            (2, 3, vec![]),
            // Never seen there.
            (1, 9, vec![]),
        ] {
            let wanted: Vec<CommitId> = wanted.into_iter().map(commit).collect();
            assert_eq!(between(&at, commit(old), commit(new)), wanted, "{old} to {new}");
        }
    }

    proptest! {
        #[test]
        fn promotions_after_one_another_share_no_commit(at in prop::collection::vec(0..50_i64, 2..30)) {
            let mut at = at;
            at.sort_unstable();
            let known = arrivals(&at);
            let last = u8::try_from(at.len()).unwrap();
            for middle in 1..=last {
                let first = between(&known, commit(1), commit(middle));
                let second = between(&known, commit(middle), commit(last));
                let all = between(&known, commit(1), commit(last));
                prop_assert!(first.iter().all(|one| !second.contains(one)));
                prop_assert_eq!(first.len() + second.len(), all.len());
            }
        }
    }
}
