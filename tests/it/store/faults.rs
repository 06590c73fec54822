//! A full disk, a lock that is not given back, a caller that goes away: all or nothing, and the
//! store works on.

use std::time::Duration;

use towpath::store::StoreError;
use towpath_core::model::{Change, Scope};

use super::{Place, audit, flow, intent, pause};

#[tokio::test]
async fn a_full_disk_changes_nothing_and_passes() {
    let place = Place::new();
    let store = place.open().await;
    store.commit(None, None, &[Change::Pause(pause("before", Scope::All))]).await.unwrap();
    let before = store.load(&flow("web"), &[]).await.unwrap();

    store.limit_pages(Some(1)).await.unwrap(); // SQLite takes the file's present size
    let mut big = audit("big");
    big.effect = "x".repeat(1_000_000);
    let changes =
        [Change::Intent(intent("i", "web", 1, 2)), Change::Audit(big), Change::Pause(pause("p", Scope::All))];
    for _ in 0..3 {
        let error = store.commit(None, Some(&flow("web")), &changes).await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(store.load(&flow("web"), &[]).await.unwrap(), before);
    }

    store.limit_pages(None).await.unwrap();
    store.commit(None, Some(&flow("web")), &changes).await.unwrap();
    assert_eq!(store.load(&flow("web"), &[]).await.unwrap().standing.pauses.len(), 2);
    store.verify().await.unwrap();
}

/// Takes the busy timeout: five seconds.
#[tokio::test]
async fn a_locked_store_says_so_and_can_be_read_meanwhile() {
    let place = Place::new();
    let store = place.open().await;
    let mut other = place.raw().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let changes = [Change::Pause(pause("p", Scope::All))];
    let (refused, loaded) = tokio::join!(store.commit(None, None, &changes), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.load(&flow("web"), &[]).await
    });
    let error = refused.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.retry());
    assert!(loaded.unwrap().standing.pauses.is_empty());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.commit(None, None, &changes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_all_or_nothing() {
    let place = Place::new();
    let store = place.open().await;
    for round in 0..150_u64 {
        let id = format!("r-{round}");
        let changes = [Change::Pause(pause(&id, Scope::All)), Change::Audit(audit(&id))];
        let limit = Duration::from_micros(round * 20);
        let _ = tokio::time::timeout(limit, store.commit(None, None, &changes)).await;
    }
    store.commit(None, None, &[]).await.unwrap();
    let pauses: Vec<_> = store.load(&flow("web"), &[]).await.unwrap().standing.pauses;
    let pauses: Vec<_> = pauses.into_iter().map(|pause| pause.id).collect();
    let mut audited: Vec<_> = store.audit(1_000).await.unwrap().into_iter().map(|row| row.id).collect();
    audited.reverse();
    assert_eq!(pauses, audited);
}
