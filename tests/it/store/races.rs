//! Two processes at once.

use towpath::store::{Create, SqliteStore, StoreError};
use towpath_core::model::{
    Change, EnvName, IntentState, Proposed, Reason, Scope, Standing, Trusted, Underway, Until,
};

use super::{Place, at, commit, flow, intent, lease, pause};

/// The reason of the first pause, as `act::may_begin` would give it.
fn unpaused(standing: &Standing) -> Result<(), Reason> {
    match standing.pauses.first() {
        None => Ok(()),
        Some(pause) => Err(Reason::Paused {
            scope: pause.scope.clone(),
            by: pause.by.clone(),
            reason: pause.reason.clone(),
            at: pause.at,
            until: Until::Resumed,
            keeps_back: pause.cause.is_some(),
        }),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_acknowledged_pause_was_seen_or_lists_the_push() {
    let place = Place::new();
    let (serve, command) = (place.open().await, place.open().await);
    let lease = lease(&serve, "web").await;
    let (mut began, mut refused) = (0, 0);
    for round in 0..200_u8 {
        let row = intent(&format!("i-{round}"), "web", 1, 2);
        serve.commit(Some(&lease), None, &[Change::Intent(row.clone())]).await.unwrap();
        let order = pause(&format!("p-{round}"), Scope::All);
        let pushing = tokio::spawn({
            let (serve, lease, id) = (serve.clone(), lease.clone(), row.id.clone());
            async move {
                serve.begin_push(&lease, &id, Trusted(9), &mut |_, standing| unpaused(standing)).await.unwrap()
            }
        });
        let pausing = tokio::spawn({
            let (command, order) = (command.clone(), order.clone());
            async move {
                // Odd rounds let the push go first.
                if round % 2 == 1 {
                    tokio::time::sleep(std::time::Duration::from_micros(u64::from(round) * 5)).await;
                }
                command.commit(None, None, &[Change::Pause(order)]).await.unwrap()
            }
        });
        let (begun, receipt) = (pushing.await.unwrap(), pausing.await.unwrap());
        let listed = receipt.pushing.iter().any(|pushing| pushing.id == row.id);
        match &begun {
            Ok(()) => began += 1,
            Err(why) => {
                refused += 1;
                assert!(matches!(why, Reason::Paused { .. }));
            }
        }
        assert_eq!(listed, begun.is_ok(), "round {round}: never neither, never both");
        let ended = Change::Finish { intent: row.id, state: IntentState::Superseded, words: None };
        serve.commit(Some(&lease), None, &[ended, Change::Lift(vec![order.id])]).await.unwrap();
    }
    assert!(began > 0 && refused > 0, "both orders happened: {began} and {refused}");
}

/// What is to be in the request into production at a round.
fn proposed(round: u8) -> Proposed {
    Proposed {
        pushed: None,
        asked: None,
        head: commit(round),
        before: None,
        at: at(1),
        confirmed: None,
        passed_over: None,
        announced: None,
        until: Some(Trusted(i64::from(round) + 1)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_acknowledged_pause_was_seen_or_lists_the_request() {
    let place = Place::new();
    let (serve, command) = (place.open().await, place.open().await);
    let (lease, env) = (lease(&serve, "web").await, EnvName::from("production"));
    let (mut began, mut refused) = (0, 0);
    for round in 0..200_u8 {
        let (order, row) = (pause(&format!("p-{round}"), Scope::All), proposed(round));
        let proposing = tokio::spawn({
            let (serve, lease, env, row) = (serve.clone(), lease.clone(), env.clone(), row.clone());
            async move {
                let mut check = |standing: &Standing| standing.pauses.is_empty();
                serve.begin_proposal(&lease, std::slice::from_ref(&env), (&env, &row), &mut check).await.unwrap()
            }
        });
        let pausing = tokio::spawn({
            let (command, order) = (command.clone(), order.clone());
            async move {
                if round % 2 == 1 {
                    tokio::time::sleep(std::time::Duration::from_micros(u64::from(round) * 5)).await;
                }
                command.commit(None, None, &[Change::Pause(order)]).await.unwrap()
            }
        });
        let (begun, receipt) = (proposing.await.unwrap(), pausing.await.unwrap());
        let until = row.until.unwrap();
        let one = Underway { flow: flow("web"), env: env.clone(), head: row.head, until };
        assert_eq!(receipt.proposing, if begun { vec![one] } else { vec![] }, "round {round}");
        if begun {
            began += 1;
        } else {
            refused += 1;
        }
        let stored = serve.load(&flow("web"), &[]).await.unwrap().proposed.remove(&env);
        assert_eq!(stored.is_some_and(|stored| stored == row), begun, "round {round}");
        let over = Change::Proposed { env: env.clone(), row: Proposed { until: None, ..row } };
        serve.commit(Some(&lease), Some(&lease.flow), &[over, Change::Lift(vec![order.id])]).await.unwrap();
    }
    assert!(began > 0 && refused > 0, "both orders happened: {began} and {refused}");
}

#[tokio::test]
async fn a_request_is_begun_by_whoever_has_the_lease_and_sees_the_orders_of_its_environments() {
    let place = Place::new();
    let store = place.open().await;
    let (old, env) = (lease(&store, "web").await, EnvName::from("production"));
    store.commit(None, None, &[Change::Pause(pause("p", Scope::Environment("staging".into())))]).await.unwrap();
    let mut seen = Vec::new();
    for targets in [&[env.clone()][..], &["staging".into(), env.clone()]] {
        let mut check = |standing: &Standing| {
            seen.push(standing.pauses.len());
            false
        };
        assert!(!store.begin_proposal(&old, targets, (&env, &proposed(1)), &mut check).await.unwrap());
    }
    assert_eq!(seen, [0, 1]);
    store.release(old.clone()).await.unwrap();
    let new = lease(&store, "web").await;
    let lost = store.begin_proposal(&old, &[], (&env, &proposed(1)), &mut |_| true).await.unwrap_err();
    assert!(matches!(lost, StoreError::LeaseLost { .. }), "{lost}");
    assert!(store.load(&flow("web"), &[]).await.unwrap().proposed.is_empty());
    assert!(store.begin_proposal(&new, &[], (&env, &proposed(1)), &mut |_| true).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_wait_for_each_other_and_lose_nothing() {
    let place = Place::new();
    let mut tasks = Vec::new();
    for writer in 0..4 {
        let store = place.open().await;
        tasks.push(tokio::spawn(async move {
            for n in 0..50 {
                let order = pause(&format!("{writer}-{n}"), Scope::All);
                store.commit(None, None, &[Change::Pause(order)]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let store = place.open().await;
    assert_eq!(store.load(&flow("web"), &[]).await.unwrap().standing.pauses.len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_gets_the_lease() {
    let place = Place::new();
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let store = place.open().await;
        tasks.push(tokio::spawn(async move {
            let holder = towpath::store::Holder::this_process();
            store.lease(&flow("web"), &holder, Trusted(0), towpath_core::model::Span::from_secs(60)).await.unwrap()
        }));
    }
    let mut got = 0;
    for task in tasks {
        got += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!(got, 1);
}

#[tokio::test]
async fn a_lost_lease_stops_every_guarded_write() {
    let place = Place::new();
    let (old, new) = (place.open().await, place.open().await);
    let stale = lease(&old, "web").await;
    let row = intent("i", "web", 1, 2);
    old.commit(Some(&stale), None, &[Change::Intent(row.clone())]).await.unwrap();
    let holder = towpath::store::Holder::this_process();
    let minute = towpath_core::model::Span::from_secs(60);
    assert!(new.lease(&flow("web"), &holder, Trusted(59_999), minute).await.unwrap().is_none());
    let fresh = new.lease(&flow("web"), &holder, Trusted(60_000), minute).await.unwrap().unwrap();
    assert_eq!(fresh.epoch, stale.epoch + 1);

    let lost = |error: StoreError| matches!(error, StoreError::LeaseLost { flow } if flow.as_str() == "web");
    assert!(lost(old.commit(Some(&stale), None, &[]).await.unwrap_err()));
    assert!(lost(old.begin_push(&stale, &row.id, Trusted(1), &mut |_, _| Ok(())).await.unwrap_err()));
    assert!(lost(old.renew(&stale, Trusted(0), minute).await.unwrap_err()));
    old.release(stale).await.unwrap(); // not ours, so nothing happens
    new.commit(Some(&fresh), None, &[]).await.unwrap();
}

/// Twelve processes that find no store make one, and none of them takes a half-made one for
/// another program's.
#[test]
fn twelve_make_one_store() {
    for round in 0..12 {
        let place = Place::new();
        let start = std::sync::Barrier::new(12);
        std::thread::scope(|scope| {
            let open = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                start.wait();
                runtime.block_on(async {
                    let store = SqliteStore::open(&place.path(), Create::Yes).await?;
                    store.commit(None, Some(&flow("web")), &[Change::Looked(super::at(1))]).await?;
                    store.close().await
                })
            };
            let opened: Vec<_> = (0..12).map(|_| scope.spawn(open)).collect();
            for thread in opened {
                thread.join().unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
            }
        });
    }
}

/// Whoever says that a closed request is passed over has read the row before, and a pass may have put another head there since.
#[tokio::test]
async fn to_pass_over_a_closed_request_changes_nothing_else() {
    let place = Place::new();
    let (serve, command) = (place.open().await, place.open().await);
    let (lease, env) = (lease(&serve, "web").await, EnvName::from("production"));
    let over = |row: Proposed| Change::PassOver { env: env.clone(), row: Proposed { passed_over: Some(7), ..row } };
    let stored = async || serve.load(&flow("web"), &[]).await.unwrap().proposed.remove(&env);
    command.commit(None, Some(&flow("web")), &[over(proposed(1))]).await.unwrap();
    assert_eq!(stored().await, Some(Proposed { passed_over: Some(7), ..proposed(1) }), "nothing was known");
    let newer = Proposed { announced: Some(3), confirmed: Some(at(2)), ..proposed(2) };
    let set = Change::Proposed { env: env.clone(), row: newer.clone() };
    serve.commit(Some(&lease), Some(&lease.flow), &[set]).await.unwrap();
    command.commit(None, Some(&flow("web")), &[over(proposed(1))]).await.unwrap();
    assert_eq!(stored().await, Some(Proposed { passed_over: Some(7), ..newer }));
}
