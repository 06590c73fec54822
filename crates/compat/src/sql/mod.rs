//! SQL text to operations: one reader per dialect behind one function.
//!
//! Not here: what a framework puts around its SQL (section marks, rollback parts). An extractor
//! blanks those out with spaces and keeps the line breaks, so that lines stay true.

pub(crate) mod body;
mod common;
mod cursor;
pub mod guess;
mod lex;
mod lex_split;
#[cfg(test)]
mod lex_tests;
mod mssql;
mod mysql;
mod oracle;
mod postgres;
mod sqlite;
pub(crate) mod undone;

use serde::{Deserialize, Serialize};

use crate::migration::Limits;
use crate::operation::Step;

/// The SQL that a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL, and what speaks it: CockroachDB, Supabase.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
    /// SQL Server.
    MsSql,
    /// Oracle.
    Oracle,
}

impl Dialect {
    /// Every dialect, the most thoroughly read first.
    pub const ALL: [Self; 5] = [Self::Postgres, Self::MySql, Self::Sqlite, Self::MsSql, Self::Oracle];

    /// The word for it in configs and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
            Self::MsSql => "mssql",
            Self::Oracle => "oracle",
        }
    }

    /// The dialect of a word that people and tools use: `postgresql`, `mariadb`, `sqlserver`.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" | "pgsql" | "psql" | "postgis" | "cockroach" | "cockroachdb"
            | "crdb" | "supabase" => Self::Postgres,
            "mysql" | "mysql2" | "trilogy" | "mariadb" | "maria" | "tidb" | "percona" => Self::MySql,
            "sqlite" | "sqlite3" | "libsql" | "turso" | "d1" => Self::Sqlite,
            "mssql" | "sqlserver" | "sql_server" | "sql-server" | "ms_sql" | "sqlsrv" | "dblib" | "azuresql" => {
                Self::MsSql
            }
            "oracle" | "oracle_enhanced" | "oci8" => Self::Oracle,
            _ => return None,
        })
    }
}

/// The words of a text, each as written: its remarks and white space apart.
pub(crate) fn words(dialect: Dialect, text: &str) -> Vec<&str> {
    match dialect {
        Dialect::Postgres => postgres::words(text),
        _ => lex::tokens(text, dialect).iter().filter_map(|token| text.get(token.start..token.end)).collect(),
    }
}

/// What a text of SQL does, statement by statement, in order. Every statement gives at least one
/// step; what cannot be read gives [`crate::operation::Operation::Unread`]. Never panics, whatever
/// the text.
pub fn read(dialect: Dialect, text: &str, limits: Limits) -> Vec<Step> {
    match dialect {
        Dialect::Postgres => postgres::read(text, limits),
        Dialect::MySql => mysql::read(text, limits),
        Dialect::Sqlite => sqlite::read(text, limits),
        Dialect::MsSql => mssql::read(text, limits),
        Dialect::Oracle => oracle::read(text, limits),
    }
}
