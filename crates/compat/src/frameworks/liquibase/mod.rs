//! Liquibase: changelogs in XML, YAML, JSON and formatted SQL; each change set is a migration.
//!
//! `find` says which changelogs stand at the top, `changelog` walks them, `node` and `formatted` make
//! trees of files, `conditions` says what runs, `changes` what a change does, `types` what its types
//! are. Not here: SQL ([`crate::sql`]).

mod changelog;
mod changes;
mod conditions;
mod files;
mod find;
mod formatted;
mod node;
#[cfg(test)]
mod tests;
mod types;

use super::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};

/// The row.
pub const ROW: Framework = Framework {
    id: "liquibase",
    title: "Liquibase",
    read: Read::Whole,
    edited: Edited::Refused,
    find: find::find,
    history,
};

fn history(context: &Context<'_>, found: &Found) -> History {
    changelog::Walk::new(context).history(&found.root)
}
