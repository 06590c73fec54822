//! What a store refuses, leases, clocks, and what is append-only.

use towpath::clock::{Clock, ManualClock};
use towpath::store::{Conflict, Holder, StoreError};
use towpath_core::model::{
    Change, EnvName, Instant, IntentId, IntentState, Pause, Reason, Scope, Span, Trusted, Until,
};

use super::{Place, at, audit, effect, finish, flow, intent, lease, pause};

fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Conflict {
    match result.unwrap_err() {
        StoreError::Conflict(conflict) => conflict,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_intent_is_saved_once_ends_once_and_has_one_effect() {
    let place = Place::new();
    let store = place.open().await;
    let web = flow("web");
    let row = intent("i", "web", 1, 2);
    let saved = [Change::Intent(row.clone())];
    store.commit(None, None, &saved).await.unwrap();
    assert_eq!(conflict(store.commit(None, None, &saved).await), Conflict::IntentExists(row.id.clone()));

    // With a conflict, what came before it in the same batch is not there either.
    let batch = [Change::Pause(pause("p", Scope::All)), Change::Intent(row.clone())];
    conflict(store.commit(None, None, &batch).await);
    assert!(store.load(&web, &[]).await.unwrap().standing.pauses.is_empty());

    let alone = conflict(store.commit(None, None, &[finish(&row, IntentState::Landed)]).await);
    assert_eq!(alone, Conflict::EffectAndStateDiffer(row.id.clone()));
    let alone = conflict(store.commit(None, None, &[effect(&row, 5, false)]).await);
    assert_eq!(alone, Conflict::EffectAndStateDiffer(row.id.clone()));
    let nobody = intent("nobody", "web", 1, 2);
    let unknown = conflict(store.commit(None, None, &[finish(&nobody, IntentState::Refused)]).await);
    assert_eq!(unknown, Conflict::NoIntent(nobody.id.clone()));

    let landed = [finish(&row, IntentState::Landed), effect(&row, 5, false)];
    store.commit(None, None, &landed).await.unwrap();
    assert_eq!(
        conflict(store.commit(None, None, &[effect(&row, 6, true)]).await),
        Conflict::EffectExists(row.id.clone())
    );
    let again = conflict(store.commit(None, None, &[finish(&row, IntentState::Refused)]).await);
    assert!(matches!(again, Conflict::State { is: IntentState::Landed, wanted: IntentState::Refused, .. }));
    assert_eq!(store.intent(&row.id).await.unwrap().unwrap().state, IntentState::Landed);
    assert_eq!(store.load(&web, &[]).await.unwrap().last_moves[&row.env], Instant(5));
}

#[tokio::test]
async fn an_abandoned_push_may_land_late_and_nothing_else() {
    let place = Place::new();
    let store = place.open().await;
    let row = intent("i", "web", 1, 2);
    store.commit(None, None, &[Change::Intent(row.clone()), finish(&row, IntentState::Abandoned)]).await.unwrap();
    let open = store.load(&flow("web"), &[]).await.unwrap().intents;
    assert_eq!((open.len(), open[0].state), (1, IntentState::Abandoned));
    for state in [IntentState::Overtaken, IntentState::Abandoned, IntentState::Saved, IntentState::Pushing] {
        let refused = conflict(store.commit(None, None, &[finish(&row, state)]).await);
        assert!(matches!(refused, Conflict::State { is: IntentState::Abandoned, .. }));
    }
    store.commit(None, None, &[finish(&row, IntentState::Landed), effect(&row, 9, true)]).await.unwrap();
    assert!(store.load(&flow("web"), &[]).await.unwrap().intents.is_empty());
}

#[tokio::test]
async fn a_push_begins_from_saved_alone_and_only_if_the_check_agrees() {
    let place = Place::new();
    let store = place.open().await;
    let lease = lease(&store, "web").await;
    let (row, other) = (intent("i", "web", 1, 2), intent("o", "api", 1, 2));
    store.commit(None, None, &[Change::Intent(row.clone()), Change::Intent(other.clone())]).await.unwrap();
    let over = Change::Pause(super::Pause {
        until: Until::At(Instant(6)),
        ..pause("over", Scope::Environment("production".into()))
    });
    store.commit(None, None, &[over]).await.unwrap();

    // The check sees the stored row and orders that are over too; its no changes nothing.
    let no = store
        .begin_push(&lease, &row.id, Trusted(9), &mut |found, standing| {
            assert_eq!((found, standing.pauses.len()), (&row, 1));
            Err(Reason::OrderGone)
        })
        .await;
    assert_eq!(no.unwrap(), Err(Reason::OrderGone));
    assert_eq!(store.intent(&row.id).await.unwrap().unwrap().state, IntentState::Saved);

    let mut yes = |_: &_, _: &_| Ok(());
    assert_eq!(store.begin_push(&lease, &row.id, Trusted(9), &mut yes).await.unwrap(), Ok(()));
    let found = store.intent(&row.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.deadline), (IntentState::Pushing, Some(Trusted(9))));
    let twice = conflict(store.begin_push(&lease, &row.id, Trusted(9), &mut yes).await);
    assert!(matches!(twice, Conflict::State { is: IntentState::Pushing, .. }));
    let foreign = conflict(store.begin_push(&lease, &other.id, Trusted(9), &mut yes).await);
    assert_eq!(foreign, Conflict::OtherFlow(other.id));
    let none = conflict(store.begin_push(&lease, &IntentId::from("?"), Trusted(9), &mut yes).await);
    assert!(matches!(none, Conflict::NoIntent(_)));
}

#[tokio::test]
async fn ids_are_used_once_and_changes_of_a_flow_need_one() {
    let place = Place::new();
    let store = place.open().await;
    let twice = [Change::Audit(audit("a")), Change::Audit(audit("a"))];
    assert_eq!(
        conflict(store.commit(None, None, &twice).await),
        Conflict::Exists { table: "audit", id: "a".into() }
    );
    let homeless = store.commit(None, None, &[Change::Looked(at(1))]).await.unwrap_err();
    assert!(matches!(homeless, StoreError::NoFlow { change: "looked" }));
}

#[tokio::test]
async fn the_record_cannot_be_rewritten_by_hand() {
    let place = Place::new();
    let store = place.open().await;
    let row = intent("i", "web", 1, 2);
    let changes = [
        Change::Intent(row.clone()),
        effect(&row, 1, false),
        finish(&row, IntentState::Landed),
        Change::Audit(audit("a")),
    ];
    store.commit(None, None, &changes).await.unwrap();
    let mut raw = place.raw().await;
    for text in [
        "UPDATE effects SET late = TRUE",
        "DELETE FROM effects",
        "UPDATE audit SET allowed = FALSE",
        "DELETE FROM audit",
        "DELETE FROM intents",
        "UPDATE intents SET state = 'saved'",
        "UPDATE intents SET state = 'nonsense'",
    ] {
        let error = sqlx::raw_sql(text).execute(&mut raw).await;
        assert!(error.is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_dead_holder_is_not_waited_for() {
    let place = Place::new();
    let store = place.open().await;
    let (web, minute) = (flow("web"), Span::from_secs(60));
    let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let theirs = Holder::of(i32::try_from(child.id()).unwrap());
    let me = Holder::this_process();
    let first = store.lease(&web, &theirs, Trusted(0), minute).await.unwrap().unwrap();
    assert!(store.lease(&web, &me, Trusted(1), minute).await.unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    let mine = store.lease(&web, &me, Trusted(1), minute).await.unwrap().unwrap();
    assert_eq!(mine.epoch, first.epoch + 1);

    let renewed = store.renew(&mine, Trusted(50_000), minute).await.unwrap();
    assert_eq!(renewed.until, Trusted(110_000));
    assert!(store.lease(&web, &theirs, Trusted(109_999), minute).await.unwrap().is_none());
    store.release(renewed).await.unwrap();
    let third = store.lease(&web, &theirs, Trusted(0), minute).await.unwrap().unwrap();
    assert_eq!(third.epoch, mine.epoch + 1);
}

#[tokio::test]
async fn two_processes_share_one_trusted_clock() {
    let place = Place::new();
    let (a, b) = (place.open().await, place.open().await);
    let manual = ManualClock::new(Instant(1_000_000));
    let clock = Clock::Manual(manual.clone());
    assert_eq!(a.peek_now(&clock.reading()).await.unwrap(), at(1_000_000));
    let stale = clock.reading();
    a.now(|| stale.clone()).await.unwrap();
    manual.advance(Span::from_mins(60));
    let ahead = b.now(|| clock.reading()).await.unwrap();
    assert_eq!(ahead, at(4_600_000));
    a.now(|| stale.clone()).await.unwrap(); // it was stopped for an hour after reading
    manual.advance(Span::from_ms(1));
    assert_eq!(b.now(|| clock.reading()).await.unwrap().trusted, Trusted(4_600_001));
    manual.jump(3_600_000);
    let peeked = b.peek_now(&clock.reading()).await.unwrap();
    assert_eq!((peeked.wall, peeked.trusted), (Instant(8_200_001), Trusted(4_600_001)));
    assert_eq!(b.now(|| clock.reading()).await.unwrap(), peeked);
    manual.reboot();
    manual.advance(Span::from_secs(5));
    assert_eq!(a.now(|| clock.reading()).await.unwrap().trusted, Trusted(4_605_001));
}

/// While another process writes, time passes; the reading is of when it is this one's turn.
#[tokio::test]
async fn the_clocks_are_read_when_the_store_is_ours() {
    let place = Place::new();
    let store = place.open().await;
    let manual = ManualClock::new(Instant(1_000_000));
    let clock = Clock::Manual(manual.clone());
    store.now(|| clock.reading()).await.unwrap();
    let mut other = place.raw().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let others_turn = async {
        manual.advance(Span::from_mins(60));
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    };
    let (now, ()) = tokio::join!(store.now(|| clock.reading()), others_turn);
    assert_eq!(now.unwrap(), at(4_600_000));
}

#[tokio::test]
async fn what_is_long_over_is_left_out() {
    let place = Place::new();
    let store = place.open().await;
    let clock = ManualClock::new(Instant(0));
    store.now(|| clock.reading()).await.unwrap();
    let row = intent("i", "web", 1, 2);
    let until = Until::At(Instant(10));
    let changes = [
        Change::Pause(super::Pause { until, ..pause("p", Scope::All) }),
        Change::Pause(pause("stays", Scope::All)),
        Change::Intent(row.clone()),
        finish(&row, IntentState::Abandoned),
    ];
    store.commit(None, None, &changes).await.unwrap();
    let targets: [EnvName; 0] = [];
    let counts = async || {
        let ledger = store.load(&flow("web"), &targets).await.unwrap();
        (ledger.standing.pauses.len(), ledger.intents.len())
    };
    clock.advance(Span::from_mins(24 * 60));
    store.now(|| clock.reading()).await.unwrap();
    assert_eq!(counts().await, (2, 1));
    clock.advance(Span::from_mins(60));
    store.now(|| clock.reading()).await.unwrap();
    assert_eq!(counts().await, (2, 1), "until it is recorded that it is over");
    clock.advance(Span::from_mins(7 * 24 * 60));
    store.now(|| clock.reading()).await.unwrap();
    assert_eq!(counts().await, (2, 0));
    store.commit(None, None, &[Change::Expire { pause: "p".into(), audit: audit("e") }]).await.unwrap();
    assert_eq!(counts().await, (1, 0));
    // It may still land, for whoever asks.
    assert!(store.intent(&row.id).await.unwrap().is_some());
}

#[tokio::test]
async fn the_data_version_tells_of_others_alone() {
    let place = Place::new();
    let (ours, theirs) = (place.open().await, place.open().await);
    let first = ours.data_version().await.unwrap();
    ours.commit(None, None, &[Change::Pause(pause("mine", Scope::All))]).await.unwrap();
    assert_eq!(ours.data_version().await.unwrap(), first);
    theirs.commit(None, None, &[Change::Pause(pause("theirs", Scope::All))]).await.unwrap();
    assert_ne!(ours.data_version().await.unwrap(), first);
}

#[tokio::test]
async fn a_pause_ends_once_however_many_notice_and_one_says_so() {
    let place = Place::new();
    let store = place.open().await;
    let web = flow("web");
    store.commit(None, None, &[Change::Pause(pause("p", Scope::All))]).await.unwrap();
    let expire = |id: &str| Change::Expire { pause: "p".into(), audit: audit(id) };
    store.commit(None, Some(&web), &[expire("expired-p")]).await.unwrap();
    // Another flow that it covered, in another process.
    store.commit(None, Some(&flow("api")), &[expire("expired-p")]).await.unwrap();
    assert!(store.load(&web, &[]).await.unwrap().standing.pauses.is_empty());
    assert_eq!(store.audit(9).await.unwrap().len(), 1);
    // Somebody resumed it meanwhile: then it did not expire.
    store
        .commit(None, None, &[Change::Pause(pause("q", Scope::All)), Change::Lift(vec!["q".into()])])
        .await
        .unwrap();
    let late = Change::Expire { pause: "q".into(), audit: audit("expired-q") };
    store.commit(None, Some(&web), &[late]).await.unwrap();
    assert_eq!(store.audit(9).await.unwrap().len(), 1);
    // One that was over long ago, while nothing ran, is there until that is recorded.
    let over = Pause { until: Until::At(Instant(0)), ..pause("r", Scope::All) };
    store.commit(None, None, &[Change::Pause(over)]).await.unwrap();
    assert_eq!(store.load(&web, &[]).await.unwrap().standing.pauses.len(), 1);
}
