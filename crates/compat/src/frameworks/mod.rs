//! The frameworks that keep migrations in a repository: one file and one row each.
//!
//! A row says how the framework's histories are found in a tree and how one is read. Not here: SQL
//! ([`crate::sql`]), and what the operations amount to.

mod alembic;
#[cfg(test)]
mod brief;
mod dbmate;
mod declared;
mod detect;
mod detected;
mod diesel;
mod django;
mod doctrine;
mod emit;
pub(crate) mod files;
mod flyway;
mod golang_migrate;
mod goose;
mod laravel;
mod liquibase;
mod manifests;
mod php;
mod plain;
mod prisma;
mod python;
pub(crate) mod rails;
mod refinery;
#[cfg(test)]
mod shown;
mod sqlx;
mod supabase;
mod syntax;
pub(crate) mod tidied;

pub use detect::detect;

use crate::migration::{Context, History};
use crate::sql::Dialect;
use crate::tree::Tree;

/// How far a framework is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// To the end.
    Whole,
    /// Recognised only: whatever changes under its root needs review.
    Detected,
}

/// What the framework does with an applied migration that was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// It keeps sums and refuses to run.
    Refused,
    /// It does not notice; databases differ from then on.
    Unnoticed,
}

/// One framework.
pub struct Framework {
    /// Its id, in configs, on the command line and in findings.
    pub id: &'static str,
    /// Its name as people write it.
    pub title: &'static str,
    /// How far it is read.
    pub read: Read,
    /// What an edit of an applied migration does.
    pub edited: Edited,
    /// Its histories in a tree. A framework claims a directory only on marks that are its own.
    pub find: fn(&dyn Tree) -> Vec<Found>,
    /// One history, in the framework's order, up parts only.
    pub history: fn(&Context<'_>, &Found) -> History,
}

/// A history that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The framework's id.
    pub framework: &'static str,
    /// The directory, or the file, that holds it: without a `/` at its end; empty for the root.
    pub root: String,
    /// The dialect, where the framework's own files say it.
    pub dialect: Option<Dialect>,
}

/// Every framework. Where two would claim the same directory the earlier row has it, so those with
/// marks of their own (a plan, a sum, section marks) stand before those known by file names alone.
pub const FRAMEWORKS: &[&Framework] = &[
    &prisma::ROW,
    &supabase::ROW,
    &doctrine::ROW,
    &laravel::ROW,
    &rails::ROW,
    &django::ROW,
    &alembic::ROW,
    &liquibase::ROW,
    &goose::ROW,
    &dbmate::ROW,
    &diesel::ROW,
    &golang_migrate::ROW,
    &flyway::ROW,
    &refinery::ROW,
    &sqlx::ROW,
];

/// Every row: those that are read, those that are only recognised, and plain files of SQL last.
pub fn rows() -> impl Iterator<Item = &'static Framework> {
    FRAMEWORKS.iter().copied().chain(detected::ROWS.iter().copied()).chain([&plain::ROW])
}
