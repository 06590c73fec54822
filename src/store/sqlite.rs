//! The connections: one that writes, a few that read, and how a transaction begins and ends.
//!
//! * One writing connection for each process, taken by one transaction at a time; `BEGIN
//!   IMMEDIATE`, because a deferred one that reads and then writes fails under contention in spite
//!   of the busy timeout.
//! * A transaction that holds anything that must survive a power cut is synced (`synchronous =
//!   FULL`), others are not (`NORMAL`): losing them means looking again. The pragma is set between
//!   transactions; inside one it has no effect. A synced transaction also syncs every one before it.
//! * A connection is put back only after a clean end. After an error, or when the caller's future
//!   was dropped, it is closed, which rolls back, and the next transaction opens another. So BEGIN
//!   and COMMIT are plain statements here: sqlx's `Transaction` keeps a depth of its own that is
//!   wrong after SQLite rolled back by itself, as it does when the disk is full.
//!
//! Not here: what is read and written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};
use towpath_core::model::{ClockRow, Now, Reading};

use super::error::{Fault, StoreError};
use super::rows::{self, Fields};
use super::{Create, schema, sql};

/// How long a transaction waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many connections read at once.
const READERS: usize = 4;

/// Whether a transaction has to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It need not: it holds only what can be observed again.
    Light,
    /// It must.
    Full,
}

/// A store in one SQLite file. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Which file it is: device and number.
    file: Option<(u64, u64)>,
    pen: Mutex<Slot>,
    readers: std::sync::Mutex<Vec<SqliteConnection>>,
    seats: Semaphore,
}

#[derive(Debug)]
struct Slot {
    pen: Option<Pen>,
    pages_max: Option<u32>,
}

/// The writing connection and what its `synchronous` is set to.
#[derive(Debug)]
struct Pen {
    conn: SqliteConnection,
    set_to: Durability,
}

/// A write transaction under way. Dropped without [`Writing::end`], it is rolled back.
pub(super) struct Writing<'s> {
    slot: MutexGuard<'s, Slot>,
    pen: Pen,
    path: &'s Path,
}

/// A read transaction under way: everything read in it is of one instant.
pub(super) struct Looking<'s> {
    pub(super) conn: SqliteConnection,
    shared: &'s Shared,
    _seat: Option<SemaphorePermit<'s>>,
}

impl SqliteStore {
    /// Opens the store at `path`, and makes it first if that is wanted and it is not there.
    ///
    /// A new file and any folder made for it are readable by their owner alone. An older schema is
    /// brought up to date under a file lock (`PATH.lock`), so that processes starting together do
    /// it once.
    ///
    /// # Errors
    /// [`StoreError::Absent`] without a store and with [`Create::No`]; [`StoreError::Newer`],
    /// [`StoreError::Altered`], [`StoreError::NotAStore`], [`StoreError::Corrupt`],
    /// [`StoreError::Unwritable`], [`StoreError::Unfit`], [`StoreError::Busy`] or
    /// [`StoreError::Full`] where the file cannot serve.
    pub async fn open(path: &Path, create: Create) -> Result<Self, StoreError> {
        let unfit = |error: std::io::Error| StoreError::Unfit { path: path.to_owned(), words: error.to_string() };
        let path = std::path::absolute(path).map_err(unfit)?;
        schema::place(&path, create)?;
        let mut conn = connect(&path, None).await.map_err(|error| StoreError::from_sql(&path, error))?;
        schema::prepare(&path, &mut conn, create).await?;
        let pen = Some(Pen { conn, set_to: Durability::Full });
        let shared = Shared {
            file: file_at(&path),
            path,
            pen: Mutex::new(Slot { pen, pages_max: None }),
            readers: std::sync::Mutex::default(),
            seats: Semaphore::new(READERS),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where the file is, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Advances the trusted clock by what has certainly passed, and returns both clocks.
    ///
    /// The clocks are read inside the transaction. A reading from before it may be older than what
    /// another process has stored meanwhile, and then the time between the two would count twice.
    ///
    /// Not synced: after a power cut the trusted clock may be behind, never ahead.
    ///
    /// # Errors
    /// Those of any write: [`StoreError::Busy`], [`StoreError::Full`], [`StoreError::Io`], ….
    pub async fn now(&self, read: impl FnOnce() -> Reading + Send) -> Result<Now, StoreError> {
        let mut writing = self.write(Durability::Light).await?;
        let reading = read();
        let done = advance(writing.conn(), &reading).await;
        writing.end(done).await
    }

    /// What [`SqliteStore::now`] would return, without writing it: for views.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn peek_now(&self, reading: &Reading) -> Result<Now, StoreError> {
        let mut looking = self.look().await?;
        let row = clock(&mut looking.conn).await;
        looking.end(row.map(|row| next_clock(row, reading).now())).await
    }

    /// A number that changes when another connection or process has changed the store, and not
    /// when this store has. It means nothing across processes.
    ///
    /// After an error it may change without a reason, because the connection is another.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn data_version(&self) -> Result<i64, StoreError> {
        let mut slot = self.shared.pen.lock().await;
        let mut pen = self.shared.pen(&mut slot).await?;
        let row = sqlx::query("PRAGMA data_version").fetch_one(&mut pen.conn).await;
        let version = row.and_then(|row| row.try_get(0)).map_err(|error| self.shared.error(error))?;
        slot.pen = Some(pen);
        Ok(version)
    }

    /// Lets SQLite check the whole file, and our references in it: at the start of a service and
    /// in `doctor`. Takes time in proportion to the file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first finding.
    pub async fn verify(&self) -> Result<(), StoreError> {
        let mut looking = self.look().await?;
        let finding = schema::finding(&mut looking.conn).await;
        match looking.end(finding).await? {
            None => Ok(()),
            Some(words) => Err(StoreError::Corrupt { path: self.shared.path.clone(), words }),
        }
    }

    /// Caps the file at so many pages (of 4,096 bytes), for this process. What is written beyond
    /// it fails as on a full disk, which is what tests use it for.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn limit_pages(&self, pages_max: Option<u32>) -> Result<(), StoreError> {
        let mut slot = self.shared.pen.lock().await;
        slot.pages_max = pages_max;
        slot.pen = None;
        let pen = self.shared.pen(&mut slot).await?;
        slot.pen = Some(pen);
        Ok(())
    }

    /// Closes every connection. The last process to close moves the write-ahead log into the file.
    ///
    /// # Errors
    /// What the database says of closing; everything committed is durable all the same.
    pub async fn close(self) -> Result<(), StoreError> {
        let readers = self.shared.take_readers();
        for conn in readers {
            conn.close().await.map_err(|error| self.shared.error(error))?;
        }
        if let Some(pen) = self.shared.pen.lock().await.pen.take() {
            pen.conn.close().await.map_err(|error| self.shared.error(error))?;
        }
        Ok(())
    }

    /// Begins a write transaction.
    pub(super) async fn write(&self, durability: Durability) -> Result<Writing<'_>, StoreError> {
        let shared = &*self.shared;
        shared.in_place()?;
        let mut slot = shared.pen.lock().await;
        let mut pen = shared.pen(&mut slot).await?;
        if pen.set_to != durability {
            let pragma = match durability {
                Durability::Light => "PRAGMA synchronous = NORMAL",
                Durability::Full => "PRAGMA synchronous = FULL",
            };
            sqlx::raw_sql(pragma).execute(&mut pen.conn).await.map_err(|error| shared.error(error))?;
            pen.set_to = durability;
        }
        match sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut pen.conn).await {
            Ok(_) => Ok(Writing { slot, pen, path: &shared.path }),
            Err(error) => {
                let error = shared.error(error);
                if matches!(error, StoreError::Busy { .. }) {
                    slot.pen = Some(pen);
                }
                Err(error)
            }
        }
    }

    /// Begins a read transaction.
    pub(super) async fn look(&self) -> Result<Looking<'_>, StoreError> {
        let shared = &*self.shared;
        shared.in_place()?;
        // The semaphore is never closed, so there is always a seat in the end.
        let seat = shared.seats.acquire().await.ok();
        let idle = shared.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => {
                let options = options(&shared.path).read_only(true);
                options.connect().await.map_err(|error| shared.error(error))?
            }
        };
        sqlx::raw_sql("BEGIN").execute(&mut conn).await.map_err(|error| shared.error(error))?;
        Ok(Looking { conn, shared, _seat: seat })
    }
}

/// Which file is at a path; none if there is none.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|data| (data.dev(), data.ino()))
}

impl Shared {
    /// Whether the file is still the one that was opened. SQLite goes on with a file that was removed
    /// or replaced: what people order then is in another one, and a pause there would stop nothing.
    fn in_place(&self) -> Result<(), StoreError> {
        if self.file == file_at(&self.path) {
            return Ok(());
        }
        let words =
            "the file was removed or replaced while this process had it open; end this process and start it anew";
        Err(StoreError::Unfit { path: self.path.clone(), words: words.to_owned() })
    }

    fn error(&self, error: sqlx::Error) -> StoreError {
        StoreError::from_sql(&self.path, error)
    }

    fn take_readers(&self) -> Vec<SqliteConnection> {
        std::mem::take(&mut self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Takes the writing connection out of its slot, or opens one.
    async fn pen(&self, slot: &mut Slot) -> Result<Pen, StoreError> {
        match slot.pen.take() {
            Some(pen) => Ok(pen),
            None => {
                let conn = connect(&self.path, slot.pages_max).await.map_err(|error| self.error(error))?;
                Ok(Pen { conn, set_to: Durability::Full })
            }
        }
    }
}

impl Writing<'_> {
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.pen.conn
    }

    /// Commits what succeeded, rolls back what did not.
    pub(super) async fn end<T>(mut self, done: Result<T, Fault>) -> Result<T, StoreError> {
        let conn = &mut self.pen.conn;
        match done {
            Ok(value) => {
                let committed = sqlx::raw_sql("COMMIT").execute(conn).await;
                committed.map_err(|error| StoreError::from_sql(self.path, error))?;
                self.slot.pen = Some(self.pen);
                Ok(value)
            }
            Err(fault) => {
                // Fails where SQLite has rolled back by itself; the connection is closed then.
                if sqlx::raw_sql("ROLLBACK").execute(conn).await.is_ok() {
                    self.slot.pen = Some(self.pen);
                }
                Err(fault.at(self.path))
            }
        }
    }
}

impl Looking<'_> {
    /// Ends the transaction and makes the connection free again.
    pub(super) async fn end<T>(mut self, done: Result<T, Fault>) -> Result<T, StoreError> {
        let value = done.map_err(|fault| fault.at(&self.shared.path))?;
        if sqlx::raw_sql("ROLLBACK").execute(&mut self.conn).await.is_ok() {
            self.shared.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(self.conn);
        }
        Ok(value)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

async fn connect(path: &Path, pages_max: Option<u32>) -> Result<SqliteConnection, sqlx::Error> {
    let mut options = options(path).pragma("synchronous", "FULL");
    if let Some(pages_max) = pages_max {
        options = options.pragma("max_page_count", pages_max.to_string());
    }
    options.connect().await
}

/// The stored clock; none in a new store.
pub(super) async fn clock(conn: &mut SqliteConnection) -> Result<Option<ClockRow>, Fault> {
    let row = sqlx::query(sql::CLOCK).fetch_optional(conn).await?;
    Ok(row.map(|row| rows::clock(&Fields::new(&row, "clock"))).transpose()?)
}

fn next_clock(row: Option<ClockRow>, reading: &Reading) -> ClockRow {
    match row {
        Some(row) => row.advance(reading.clone()),
        None => ClockRow::start(reading.clone()),
    }
}

async fn advance(conn: &mut SqliteConnection, reading: &Reading) -> Result<Now, Fault> {
    let row = next_clock(clock(conn).await?, reading);
    sqlx::query(sql::SET_CLOCK)
        .bind(row.trusted.0)
        .bind(row.reading.wall.0)
        .bind(row.reading.boottime_ms)
        .bind(&row.reading.boot)
        .bind(rows::json(&row.boots))
        .execute(conn)
        .await?;
    Ok(row.now())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_is_synced_exactly_if_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db"), Create::Yes).await.unwrap();
        for (durability, synchronous) in
            [(Durability::Full, 2_i64), (Durability::Light, 1), (Durability::Light, 1), (Durability::Full, 2)]
        {
            let mut writing = store.write(durability).await.unwrap();
            let found: Result<i64, _> = sqlx::query_scalar("PRAGMA synchronous").fetch_one(writing.conn()).await;
            assert_eq!(writing.end(found.map_err(Fault::from)).await.unwrap(), synchronous);
        }
    }
}
