//! What extractors of programs share when they write steps: names as an object mapper quotes them,
//! SQL inside a program, what could not be told.
//!
//! Not here: the grammar of a language ([`super::syntax`]) and what a call means.

use crate::migration::Limits;
use crate::operation::{Constraint, ConstraintKind, Ident, Name, Operation, Step, Unread};
use crate::sql::{self, Dialect};

/// A name that the mapper quotes: PostgreSQL then compares it as written.
pub fn ident(dialect: Dialect, written: &str) -> Ident {
    match dialect {
        Dialect::Postgres => Ident::exact(written),
        _ => Ident::folded(written),
    }
}

/// A table's name, perhaps with its schema; the default schema is left out.
pub fn name(dialect: Dialect, written: &str) -> Name {
    let bare = |part: &str| part.trim_matches(['"', '`', '[', ']']).to_owned();
    match written.rsplit_once('.') {
        Some((schema, name)) => {
            let schema = bare(schema);
            let default = matches!(schema.as_str(), "public" | "dbo" | "main" | "");
            Name { schema: (!default).then(|| ident(dialect, &schema)), name: ident(dialect, &bare(name)) }
        }
        None => Name::plain(ident(dialect, &bare(written))),
    }
}

/// Another name in the same schema.
pub fn beside(dialect: Dialect, table: &Name, written: &str) -> Name {
    Name { schema: table.schema.clone(), name: ident(dialect, written) }
}

/// What a text of SQL inside a program does; `line` is where the text begins in the file.
pub fn sql_steps(dialect: Dialect, text: &str, line: u32, limits: Limits) -> Vec<Step> {
    let mut steps = sql::read(dialect, text, limits);
    for step in &mut steps {
        step.line = step.line.saturating_add(line).saturating_sub(1).max(1);
    }
    steps
}

/// What a program decides.
pub fn code(what: impl Into<String>) -> Operation {
    let what: String = what.into();
    Operation::Unread(Unread::Code { what: crate::operation::one_line(&what) })
}

/// Words as a literal of SQL.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An index as an operation: a unique one is a promise.
pub fn index(
    dialect: Dialect,
    table: &Name,
    named: Option<&str>,
    columns: Vec<Ident>,
    unique: Option<Unique>,
) -> Operation {
    match unique {
        Some(unique) => Operation::AddConstraint {
            table: table.clone(),
            constraint: Constraint {
                name: named.map(|written| ident(dialect, written)),
                kind: ConstraintKind::Unique {
                    columns,
                    partial: unique.partial,
                    nulls_equal: unique.nulls_equal || dialect == Dialect::MsSql,
                },
            },
            checked: crate::operation::Checked::All,
        },
        None => Operation::CreateIndex {
            name: named.map(|written| beside(dialect, table, written)),
            table: table.clone(),
            columns,
        },
    }
}

/// What is special of a unique index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unique {
    /// Of some rows only: which.
    pub partial: Option<String>,
    /// Two rows of NULL are two of the same.
    pub nulls_equal: bool,
}
