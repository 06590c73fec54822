//! Arrivals that are dated by a forge's record of pushes, against where the branch truly was.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use towpath_core::model::{
    Arrival, ArrivalHow, Change, CommitId, EnvName, Gate, Instant, LagGate, Ledger, Now, Span, Tip, Trusted,
};
use towpath_core::see::{PushSeen, Tips, date_by_pushes, pushes_wanted};

use crate::history::{any_history, dag, id, reach};
use crate::kit::{environment, flow};

/// Where a branch was put, or that it was deleted; a minute apart.
fn any_moves() -> impl Strategy<Value = Vec<Option<Index>>> {
    prop::collection::vec(prop::option::weighted(0.9, any::<Index>()), 1..12)
}

proptest! {
    #[test]
    fn nothing_is_dated_before_it_came(
        parents in any_history(14),
        moves in any_moves(),
        late in 0..2usize,
        most in 0..12usize,
        looked in 0..5usize,
    ) {
        let (dag, env) = (dag(&parents), EnvName::new("develop"));
        let minute = |n: usize| Trusted(i64::try_from(n).expect("small") * 60_000);
        let mut since: BTreeMap<CommitId, Trusted> = BTreeMap::new();
        let (mut tip, mut record) = (None, Vec::new());
        for (n, to) in moves.iter().enumerate() {
            let to = to.map(|to| to.index(parents.len()));
            let after = to.map(id);
            if tip == after {
                continue;
            }
            record.insert(0, PushSeen { before: tip, after, at: minute(n) });
            let has: Vec<CommitId> = to.map_or_else(Vec::new, |to| reach(&parents, to).into_iter().map(id).collect());
            since.retain(|id, _| has.contains(id));
            for id in has {
                since.entry(id).or_insert(minute(n));
            }
            tip = after;
        }
        let Some(tip) = tip else { return Ok(()) };
        let now = Now { trusted: minute(moves.len() + 5), wall: Instant(minute(moves.len() + 5).0) };
        let seen = Arrival { trusted: now.trusted, wall: now.wall, how: ArrivalHow::Seen };
        let commits = since.keys().map(|id| (*id, seen)).collect();
        let mut changes = vec![Change::Arrived { env: env.clone(), commits }];
        let looked = Now { trusted: minute(looked), wall: Instant(minute(looked).0) };
        let whole = late == 0 && most >= record.len();
        let told: Vec<PushSeen> = record.into_iter().skip(late).take(most).collect();
        let tips: Tips = [(env.clone(), Tip::At(tip))].into();
        let ledger = Ledger { looked: Some(looked), ..Ledger::default() };
        date_by_pushes(&mut changes, &[(env, told)].into(), (&ledger, &tips), &dag, now);
        let Change::Arrived { commits, .. } = &changes[0] else { unreachable!("it was one") };
        for (id, arrival) in commits {
            prop_assert!(arrival.trusted >= since[id], "{id} is dated {:?}, came {:?}", arrival.trusted, since[id]);
            prop_assert!(arrival.trusted >= looked.trusted, "{id} was not there at the last look");
            prop_assert_eq!(arrival.how == ArrivalHow::Seen, arrival.trusted == now.trusted);
            if whole {
                prop_assert_eq!(arrival.trusted, since[id].max(looked.trusted));
            }
        }
    }
}

#[test]
fn only_what_was_seen_late_is_dated() {
    let parents = vec![vec![], vec![0]];
    let (dag, env) = (dag(&parents), EnvName::new("develop"));
    let now = Now { trusted: Trusted(900_000), wall: Instant(5_900_000) };
    let told = vec![PushSeen { before: Some(id(0)), after: Some(id(1)), at: Trusted(300_000) }];
    let dated = |how: ArrivalHow, trusted: i64, looked: i64| {
        let arrival = Arrival { trusted: Trusted(trusted), wall: Instant(5_000_000 + trusted), how };
        let mut changes = vec![Change::Arrived { env: env.clone(), commits: vec![(id(1), arrival)] }];
        let tips: Tips = [(env.clone(), Tip::At(id(1)))].into();
        let looked = Now { trusted: Trusted(looked), wall: Instant(5_000_000 + looked) };
        let ledger = Ledger { looked: Some(looked), ..Ledger::default() };
        date_by_pushes(&mut changes, &[(env.clone(), told.clone())].into(), (&ledger, &tips), &dag, now);
        let Change::Arrived { commits, .. } = &changes[0] else { unreachable!("it was one") };
        (commits[0].1.how, commits[0].1.trusted.0, commits[0].1.wall.0)
    };
    assert_eq!(dated(ArrivalHow::Seen, 900_000, 0), (ArrivalHow::Pushed, 300_000, 5_300_000));
    // It was not there at the last look, and what was there at the first look ever is not dated.
    assert_eq!(dated(ArrivalHow::Seen, 900_000, 700_000), (ArrivalHow::Pushed, 700_000, 5_700_000));
    assert_eq!(dated(ArrivalHow::FirstSight, 900_000, 0), (ArrivalHow::FirstSight, 900_000, 5_900_000));
    assert_eq!(dated(ArrivalHow::Landed, 900_000, 0), (ArrivalHow::Landed, 900_000, 5_900_000));
    assert_eq!(dated(ArrivalHow::Seen, 200_000, 0), (ArrivalHow::Seen, 200_000, 5_200_000));
}

#[test]
fn a_record_is_asked_for_where_time_matters() {
    let lag = Gate::Lag(LagGate { length: Span::from_mins(30), since: None });
    let quiet = Gate::Quiet(Span::from_mins(10));
    let arrival = |how| Arrival { trusted: Trusted(0), wall: Instant(0), how };
    let came = |env: &str, how| Change::Arrived { env: EnvName::new(env), commits: vec![(id(0), arrival(how))] };
    for (gates, how, wanted) in [
        (vec![lag.clone()], ArrivalHow::Seen, 1),
        (vec![quiet], ArrivalHow::Seen, 1),
        (vec![lag.clone()], ArrivalHow::FirstSight, 0),
        (vec![], ArrivalHow::Seen, 0),
        (vec![lag.clone()], ArrivalHow::Landed, 0),
    ] {
        let environments = vec![environment("develop", Vec::new()), environment("staging", gates)];
        let flow = flow(environments);
        let found = pushes_wanted(&flow, &[came("develop", how), came("staging", ArrivalHow::Seen)]);
        assert_eq!(found.len(), wanted);
        assert!(found.iter().all(|env| env.as_str() == "develop"), "no edge begins at the last");
    }
}
