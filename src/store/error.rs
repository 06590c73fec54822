//! What can go wrong with a store, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use towpath_core::model::{FlowName, IntentId, IntentState};

/// Why the store did not do what it was asked.
///
/// After any of these nothing of the call is in the store, with one exception that no database can
/// avoid: an [`StoreError::Io`] at the very end of a transaction leaves open whether it is. Callers
/// then read again, as after a crash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store, and it was not to be created.
    #[error("there is no store at {}: `towpath init` makes it, and leaves your config as it is, and the first `towpath run` makes it, too; if it is elsewhere, pass `--config`", .looked_at.display())]
    Absent {
        /// The absolute path.
        looked_at: PathBuf,
    },
    /// The file belongs to something else.
    #[error("{} is not a Towpath store ({words}); name another file as `store`, or move this one away", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        words: String,
    },
    /// The file's content is damaged.
    #[error(
        "the store {} is damaged ({words}); stop Towpath, keep a copy of it with its -wal file, and restore a \
         backup or try `sqlite3 FILE .recover`. Without it Towpath forgets orders and waits longer, but \
         moves nothing earlier", .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        words: String,
    },
    /// A newer build has changed the schema.
    #[error(
        "the store {} was written by a newer Towpath (schema {found}; this build knows up to {known}); \
         run that version or a later one", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// Its schema was made by other migrations than this build's.
    #[error(
        "the schema of the store {} is not this build's (migration {version} differs); \
         run the build that made it, or restore a backup", .path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// The first migration that differs.
        version: i64,
    },
    /// The place or the library cannot carry a store.
    #[error("no store can be kept at {}: {words}", .path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is missing and what to do.
        words: String,
    },
    /// The file or its folder cannot be written.
    #[error(
        "the store {} cannot be opened for writing ({words}); Towpath needs to write the file and its folder \
         (SQLite keeps two files beside it)", .path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        words: String,
    },
    /// No space is left. Nothing was written.
    #[error("no space is left for the store {}; nothing was written. Make room and try again", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another process kept it locked for longer than the busy timeout. Nothing was written.
    #[error("the store {} is locked by another process; nothing was written. Try again", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("reading or writing the store {} failed: {words}; look at the disk and the system's log", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        words: String,
    },
    /// Somebody else works on the flow now. Nothing was written.
    #[error("another process has taken over flow {flow}")]
    LeaseLost {
        /// The flow.
        flow: FlowName,
    },
    /// The change contradicts what is stored. Nothing was written.
    #[error("the store refuses a change: {0}")]
    Conflict(Conflict),
    /// A change needs a flow, and none was named. A mistake in the caller.
    #[error("the change `{change}` belongs to a flow, and none was named")]
    NoFlow {
        /// Which change.
        change: &'static str,
    },
    /// A row could not be understood.
    #[error("a row of `{table}` cannot be read: {column}: {words}; was it written by hand, or by another version?")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What was wrong.
        words: String,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes, so no token can be made: {0}")]
    NoChance(#[source] io::Error),
    /// The export could not be written out.
    #[error("the export could not be written: {0}")]
    Export(#[source] io::Error),
    /// Anything else that the database said.
    #[error("the store {} failed: {source}", .path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: sqlx::Error,
    },
}

/// How a change contradicts what is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// An intent of that id is stored already.
    #[error("intent {0} exists already")]
    IntentExists(IntentId),
    /// What was said is done already, or is carried out by another process now.
    #[error("request {0} is no longer this process's to carry out")]
    NotOurTurn(i64),
    /// There is no such intent.
    #[error("there is no intent {0}")]
    NoIntent(IntentId),
    /// The intent is not in the state that the change needs.
    #[error("intent {intent} is {} and cannot become {}", .is.word(), .wanted.word())]
    State {
        /// The intent.
        intent: IntentId,
        /// Its state.
        is: IntentState,
        /// The state asked for.
        wanted: IntentState,
    },
    /// The intent has its effect already.
    #[error("intent {0} has its effect already")]
    EffectExists(IntentId),
    /// An intent would be landed without an effect, or have one without being landed.
    #[error("intent {0} would be landed without an effect, or have an effect without being landed")]
    EffectAndStateDiffer(IntentId),
    /// An order, message or audit row of that id is stored already.
    #[error("`{table}` has a row `{id}` already")]
    Exists {
        /// The table.
        table: &'static str,
        /// The id.
        id: String,
    },
    /// The lease is for another flow than the intent's.
    #[error("intent {0} is of another flow than the lease")]
    OtherFlow(IntentId),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether it is the store as a whole that fails, and not one row or one call.
    pub const fn is_of_the_whole(&self) -> bool {
        match self {
            Self::Absent { .. }
            | Self::NotAStore { .. }
            | Self::Corrupt { .. }
            | Self::Newer { .. }
            | Self::Altered { .. }
            | Self::Unfit { .. }
            | Self::Unwritable { .. }
            | Self::Full { .. }
            | Self::Io { .. }
            | Self::Sql { .. } => true,
            Self::Busy { .. }
            | Self::LeaseLost { .. }
            | Self::Conflict(_)
            | Self::NoFlow { .. }
            | Self::Unreadable { .. }
            | Self::NoChance(_)
            | Self::Export(_) => false,
        }
    }

    /// The database's error as ours.
    pub(super) fn from_sql(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        let (code, words) = match &error {
            sqlx::Error::Database(db) => {
                (db.code().and_then(|code| code.parse::<i32>().ok()), db.message().to_owned())
            }
            sqlx::Error::PoolTimedOut => return Self::Busy { path },
            _ => (None, String::new()),
        };
        // Primary codes are the low byte of SQLite's extended ones: https://sqlite.org/rescode.html
        const SHMSIZE: i32 = 4874; // no room to enlarge the -shm file
        match code.map(|code| (code, code & 0xff)) {
            Some((SHMSIZE, _) | (_, 13)) => Self::Full { path },
            Some((_, 5 | 6)) => Self::Busy { path },
            Some((_, 3 | 8 | 14)) => Self::Unwritable { path, words },
            Some((_, 11)) => Self::Corrupt { path, words },
            Some((_, 26)) => Self::NotAStore { path, words },
            Some((_, 10)) => Self::Io { path, words },
            _ => Self::Sql { path, source: error },
        }
    }
}

/// An error inside a transaction, before it is known for which file.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database said so.
    Sql(sqlx::Error),
    /// We say so.
    Ours(StoreError),
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::from_sql(path, error),
            Self::Ours(error) => error,
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Ours(error)
    }
}

impl From<Conflict> for Fault {
    fn from(conflict: Conflict) -> Self {
        Self::Ours(StoreError::Conflict(conflict))
    }
}
