//! Making the file, recognising it, and bringing its schema up to date.
//!
//! The rules for changing the schema are in `migrations/README.md`. Not here: what is in the rows.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, SqlSafeStr};

use super::Create;
use super::error::{Fault, StoreError};

/// What `PRAGMA application_id` says of a store: "Towp".
const APPLICATION_ID: i64 = 0x546f_7770;

/// The oldest SQLite that has what the schema uses (JSON functions built in). The bundled one is
/// newer; the check is for builds that link another.
const SQLITE_MIN: (u32, u32) = (3, 38);

const LOCK_TRIES: u32 = 300;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The migrations, oldest first.
pub(super) fn migrations() -> Vec<Migration> {
    let texts = [
        (1, "ledger", include_str!("../../migrations/sqlite/0001_ledger.sql")),
        (2, "tokens", include_str!("../../migrations/sqlite/0002_tokens.sql")),
        (3, "would moves", include_str!("../../migrations/sqlite/0003_would_moves.sql")),
        (4, "token email", include_str!("../../migrations/sqlite/0004_token_email.sql")),
        (5, "requests", include_str!("../../migrations/sqlite/0005_requests.sql")),
        (6, "audit and pauses", include_str!("../../migrations/sqlite/0006_audit_and_pauses.sql")),
        (7, "deliveries", include_str!("../../migrations/sqlite/0007_deliveries.sql")),
        (8, "announced", include_str!("../../migrations/sqlite/0008_announced.sql")),
        (9, "override_of_a_request", include_str!("../../migrations/sqlite/0009_override_of_a_request.sql")),
        (10, "override_of_findings", include_str!("../../migrations/sqlite/0010_override_of_findings.sql")),
        (11, "discovered", include_str!("../../migrations/sqlite/0011_discovered.sql")),
        (12, "notices", include_str!("../../migrations/sqlite/0012_notices.sql")),
        (13, "who", include_str!("../../migrations/sqlite/0013_who.sql")),
        (14, "heads_up", include_str!("../../migrations/sqlite/0014_heads_up.sql")),
        (15, "asked", include_str!("../../migrations/sqlite/0015_asked.sql")),
        (16, "messages", include_str!("../../migrations/sqlite/0016_messages.sql")),
        (17, "proposing", include_str!("../../migrations/sqlite/0017_proposing.sql")),
        (18, "turns", include_str!("../../migrations/sqlite/0018_turns.sql")),
        (19, "pushed", include_str!("../../migrations/sqlite/0019_pushed.sql")),
        (20, "reviewers", include_str!("../../migrations/sqlite/0020_reviewers.sql")),
        (21, "blocked", include_str!("../../migrations/sqlite/0021_blocked.sql")),
    ];
    texts
        .into_iter()
        .map(|(version, name, text)| {
            Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
        })
        .collect()
}

/// Sees that there is a file at `path`, making it (0600) and its folder (0700) if that is wanted.
///
/// An existing file is never opened here: closing it would drop the locks that SQLite holds on it
/// elsewhere in this process.
pub(super) fn place(path: &Path, create: Create) -> Result<(), StoreError> {
    let unwritable = |error: io::Error| StoreError::Unwritable { path: path.to_owned(), words: error.to_string() };
    match (fs::metadata(path), create) {
        (Ok(meta), _) if meta.is_file() => return Ok(()),
        (Ok(_), _) => {
            return Err(StoreError::NotAStore { path: path.to_owned(), words: "it is not a file".to_owned() });
        }
        (Err(error), _) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(unwritable(error));
        }
        (Err(_), Create::No) => return Err(StoreError::Absent { looked_at: path.to_owned() }),
        (Err(_), Create::Yes) => {}
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unwritable(error)),
    }
}

/// What is in the file.
enum Found {
    /// Nothing.
    Nothing,
    /// A store of ours, with these migrations.
    Ours(Vec<(i64, Vec<u8>)>),
    /// Something else.
    Foreign,
}

/// Checks that the file is a store that this build can work with, and brings an older one, or an
/// empty file, up to date.
pub(super) async fn prepare(path: &Path, conn: &mut SqliteConnection, create: Create) -> Result<(), StoreError> {
    let at = |fault: Fault| fault.at(path);
    library(path, conn).await?;
    if is_current(path, find(conn).await.map_err(at)?, create)? {
        return wal(path, conn).await;
    }
    // sqlx's own lock for SQLite does nothing, so processes that start together are kept apart here.
    let _lock = lock(path).await?;
    if is_current(path, find(conn).await.map_err(at)?, create)? {
        return wal(path, conn).await;
    }
    wal(path, conn).await?;
    let migrator = Migrator::with_migrations(migrations());
    // Not `run`: its future is not `Send` for a borrowed connection, and then neither is `open`'s.
    migrator.run_direct(None, conn, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            StoreError::from_sql(path, error)
        }
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
            StoreError::Altered { path: path.to_owned(), version }
        }
        other => StoreError::Sql { path: path.to_owned(), source: other.into() },
    })
}

/// Whether nothing is to be done to the schema.
fn is_current(path: &Path, found: Found, create: Create) -> Result<bool, StoreError> {
    let path = || path.to_owned();
    let applied = match found {
        // An empty file is a store that was about to be made.
        Found::Nothing if create == Create::No => return Err(StoreError::Absent { looked_at: path() }),
        Found::Nothing => return Ok(false),
        Found::Foreign => {
            return Err(StoreError::NotAStore { path: path(), words: "another program's database".to_owned() });
        }
        Found::Ours(applied) => applied,
    };
    let known = migrations();
    let newest = known.last().map_or(0, |migration| migration.version);
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > newest) {
        return Err(StoreError::Newer { path: path(), found: *found, known: newest });
    }
    for (migration, (version, checksum)) in known.iter().zip(&applied) {
        if migration.version != *version || *migration.checksum != **checksum {
            return Err(StoreError::Altered { path: path(), version: migration.version });
        }
    }
    Ok(applied.len() == known.len())
}

/// Looks into the file as it is at one instant: between two statements another process may make
/// the store, and half of what was before and half of what is after would read as a foreign one.
async fn find(conn: &mut SqliteConnection) -> Result<Found, Fault> {
    sqlx::raw_sql("BEGIN").execute(&mut *conn).await?;
    // After an error the connection is closed, and that ends the transaction.
    let found = look(conn).await?;
    sqlx::raw_sql("ROLLBACK").execute(conn).await?;
    Ok(found)
}

async fn look(conn: &mut SqliteConnection) -> Result<Found, Fault> {
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *conn).await?;
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'";
    let others: i64 = sqlx::query_scalar(tables).fetch_one(&mut *conn).await?;
    match (id, others) {
        (APPLICATION_ID, _) => {}
        (0, 0) => return Ok(Found::Nothing),
        _ => return Ok(Found::Foreign),
    }
    let rows =
        sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version").fetch_all(conn).await?;
    let mut applied = Vec::with_capacity(rows.len());
    for row in rows {
        applied.push((row.try_get("version")?, row.try_get("checksum")?));
    }
    Ok(Found::Ours(applied))
}

/// Refuses an SQLite that is too old.
async fn library(path: &Path, conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::from_sql(path, error))?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= SQLITE_MIN {
        return Ok(());
    }
    let words = format!("SQLite {version} is too old; build with 3.38 or later (the bundled one is)");
    Err(StoreError::Unfit { path: path.to_owned(), words })
}

/// Sees that the write-ahead log is on. Once set it is a property of the file.
async fn wal(path: &Path, conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let at = |error| StoreError::from_sql(path, error);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *conn).await.map_err(at)?;
    if mode == "wal" {
        return Ok(());
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(conn).await.map_err(at)?;
    if mode == "wal" {
        return Ok(());
    }
    let words = format!(
        "SQLite cannot keep a write-ahead log there (it stays in mode `{mode}`); put the store on a local disk"
    );
    Err(StoreError::Unfit { path: path.to_owned(), words })
}

/// Locks `PATH.lock` until the file is dropped. It stays behind: removing it would let two
/// processes lock two files of that name.
async fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let unwritable = |error: io::Error| StoreError::Unwritable { path: name.clone(), words: error.to_string() };
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name).map_err(unwritable)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
    }
    Err(StoreError::Busy { path: path.to_owned() })
}

/// The first thing that is wrong with the file, if anything is.
pub(super) async fn finding(conn: &mut SqliteConnection) -> Result<Option<String>, Fault> {
    let words: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *conn).await?;
    if words != "ok" {
        return Ok(Some(words));
    }
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_optional(conn).await?;
    Ok(broken.map(|_| "an effect has no intent".to_owned()))
}
