//! Finding, making and refusing files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::AssertSqlSafe;
use towpath::store::{Create, NewToken, SqliteStore, StoreError, TokenScope};
use towpath_core::model::Change;

use super::Place;

/// Each migration after the first, and what takes it back.
const BACK: [(i64, &str); 20] = [
    (21, "DROP TABLE blocked"),
    (20, "ALTER TABLE proposed DROP COLUMN asked"),
    (
        19,
        "ALTER TABLE proposed DROP COLUMN pushed_number; ALTER TABLE proposed DROP COLUMN pushed_head; \
         ALTER TABLE proposed DROP COLUMN pushed_open",
    ),
    (
        18,
        "DROP INDEX asked_by_lane; DROP INDEX audit_asked; ALTER TABLE audit DROP COLUMN asked; \
         ALTER TABLE asked DROP COLUMN lane; ALTER TABLE asked DROP COLUMN holder; ALTER TABLE asked DROP COLUMN turn; \
         ALTER TABLE asked DROP COLUMN done; ALTER TABLE asked DROP COLUMN after_seq",
    ),
    (17, "ALTER TABLE proposed DROP COLUMN until_trusted"),
    (16, "DROP TABLE messages; DROP TABLE chats"),
    (15, "DROP TABLE asked"),
    (14, "DROP TABLE heads_up"),
    (13, "ALTER TABLE audit DROP COLUMN came; ALTER TABLE approvals DROP COLUMN also"),
    (12, "DROP TABLE notices"),
    (11, "DROP TABLE discovered"),
    (10, "ALTER TABLE overrides DROP COLUMN accepts"),
    (9, "ALTER TABLE overrides DROP COLUMN request"),
    (8, "ALTER TABLE proposed DROP COLUMN announced"),
    (7, "DROP TABLE deliveries"),
    (6, "ALTER TABLE audit DROP COLUMN flows; ALTER TABLE pauses DROP COLUMN at_trusted"),
    (5, "DROP TABLE proposed; ALTER TABLE intents DROP COLUMN merge"),
    (4, "DROP TRIGGER tokens_keep_their_email; ALTER TABLE tokens DROP COLUMN email"),
    (3, "DROP TABLE would_moves; DROP TABLE hand_moves; DROP TABLE behind"),
    (2, "DROP TABLE tokens"),
];

/// Makes a store one of that version.
fn back_to(version: i64) -> String {
    let undone = BACK.iter().filter(|(made, _)| *made > version).map(|(_, sql)| format!("{sql};\n"));
    format!("{}DELETE FROM _sqlx_migrations WHERE version > {version}", undone.collect::<String>())
}

#[tokio::test]
async fn a_missing_store_is_named_by_its_absolute_path_and_not_made() {
    let place = Place::new();
    let error = SqliteStore::open(&place.path(), Create::No).await.unwrap_err();
    assert!(matches!(&error, StoreError::Absent { looked_at } if *looked_at == place.path()), "{error}");
    assert!(error.to_string().contains("towpath init"), "{error}");
    assert!(!place.path().exists());
    let relative = SqliteStore::open(Path::new("no/such.db"), Create::No).await.unwrap_err();
    assert!(matches!(relative, StoreError::Absent { looked_at } if looked_at.is_absolute()));
}

#[tokio::test]
async fn an_empty_file_is_no_store_until_one_may_be_made() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    let error = SqliteStore::open(&place.path(), Create::No).await.unwrap_err();
    assert!(matches!(error, StoreError::Absent { .. }), "{error}");
    place.open().await.close().await.unwrap();
    SqliteStore::open(&place.path(), Create::No).await.unwrap();
}

#[tokio::test]
async fn a_new_store_is_its_owners_alone_whatever_the_umask() {
    let place = Place::new();
    let path = place.folder.path().join("deep/er/store.db");
    let before = rustix::process::umask(rustix::fs::Mode::empty());
    let store = SqliteStore::open(&path, Create::Yes).await.unwrap();
    store.now(|| towpath::clock::Clock::System.reading()).await.unwrap();
    rustix::process::umask(before);
    for name in ["store.db", "store.db-wal", "store.db-shm", "store.db.lock"] {
        let mode = fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_store_from_before_the_record_of_would_moves_is_brought_up_to_date() {
    let place = Place::new();
    let (web, targets) = (super::flow("web"), ["production".into()]);
    let store = place.open().await;
    store.commit(None, Some(&web), &[Change::Looked(super::at(7))]).await.unwrap();
    store.close().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(back_to(2))).execute(&mut place.raw().await).await.unwrap();
    let store = place.open().await;
    let (old, new) = (super::commit(1), super::commit(2));
    let would = Change::Would { env: "production".into(), old, new, at: super::at(8) };
    store.commit(None, Some(&web), &[would]).await.unwrap();
    let ledger = store.load(&web, &targets).await.unwrap();
    assert_eq!(ledger.looked, Some(super::at(7)));
    assert_eq!(ledger.would.len(), 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_both_numbers() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99, 'future', TRUE, x'00', 1)";
    sqlx::raw_sql(newer).execute(&mut place.raw().await).await.unwrap();
    let error = SqliteStore::open(&place.path(), Create::Yes).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known: 21, .. }), "{error}");
    assert!(!error.retry());
}

#[tokio::test]
async fn tokens_of_a_store_from_before_e_mails_stay_and_have_none() {
    let place = Place::new();
    let store = place.open().await;
    let token = NewToken {
        name: "ci".to_owned(),
        scope: TokenScope::Report,
        flows: Vec::new(),
        expires: None,
        email: Some("ci@example.com".to_owned()),
    };
    let (token, _) = store.create_token(token, super::audit("a")).await.unwrap();
    store.close().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(back_to(3))).execute(&mut place.raw().await).await.unwrap();
    let found = place.open().await.find_token(&token).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.email), ("ci", None));
    let changed = sqlx::raw_sql("UPDATE tokens SET email = 'x@y'").execute(&mut place.raw().await).await;
    assert!(changed.is_err());
}

/// What a store of the first release holds is there after the upgrade.
#[tokio::test]
async fn a_store_of_the_version_before_is_brought_up_to_date() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(back_to(1))).execute(&mut place.raw().await).await.unwrap();
    sqlx::raw_sql("UPDATE counter SET seq = 41").execute(&mut place.raw().await).await.unwrap();
    let store = SqliteStore::open(&place.path(), Create::No).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), []);
    let seq: i64 = sqlx::query_scalar("SELECT seq FROM counter").fetch_one(&mut place.raw().await).await.unwrap();
    assert_eq!(seq, 41);
}

#[tokio::test]
async fn a_schema_made_by_other_migrations_is_refused() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    sqlx::raw_sql("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut place.raw().await).await.unwrap();
    let error = SqliteStore::open(&place.path(), Create::Yes).await.unwrap_err();
    assert!(matches!(error, StoreError::Altered { version: 1, .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_a_store_is_refused_by_name_and_left_alone() {
    let place = Place::new();
    let garbage = "this is not a database at all. ".repeat(200);
    fs::write(place.path(), &garbage).unwrap();
    let error = SqliteStore::open(&place.path(), Create::Yes).await.unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert!(error.to_string().contains(place.path().to_str().unwrap()), "{error}");
    assert_eq!(fs::read_to_string(place.path()).unwrap(), garbage);

    let other = Place::new();
    fs::write(other.path(), "").unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (x)").execute(&mut other.raw().await).await.unwrap();
    let error = SqliteStore::open(&other.path(), Create::Yes).await.unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");

    let folder = SqliteStore::open(place.folder.path(), Create::Yes).await.unwrap_err();
    assert!(matches!(folder, StoreError::NotAStore { .. }), "{folder}");
}

/// A header that is right before pages that are not.
#[tokio::test]
async fn a_damaged_store_is_found_and_named() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    for byte in &mut bytes[4_096..] {
        *byte ^= 0x5a;
    }
    fs::write(place.path(), &bytes).unwrap();
    let error = match SqliteStore::open(&place.path(), Create::No).await {
        Ok(store) => store.verify().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains(place.path().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let folder = if rustix::process::geteuid().is_root() {
        // Root may write everywhere, but nobody may make files here.
        Path::new("/proc/self").to_owned()
    } else {
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        place.folder.path().to_owned()
    };
    let error = SqliteStore::open(&folder.join("store.db"), Create::Yes).await.unwrap_err();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("store.db"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_make_the_same_store_at_once() {
    let place = Place::new();
    let opened: Vec<_> = (0..12)
        .map(|_| {
            let path = place.path();
            tokio::spawn(async move { SqliteStore::open(&path, Create::Yes).await.map(|_| ()) })
        })
        .collect();
    for store in opened {
        store.await.unwrap().unwrap();
    }
}
