//! Types that a framework declares in its own words, as the dialect's reader would name them.
//!
//! Not here: which words of a framework mean which type.

use crate::migration::Limits;
use crate::operation::{Maybe, Operation, Type};
use crate::sql::{self, Dialect};

/// The type that this text of SQL says, in the dialect's canonical words.
pub fn ty(dialect: Dialect, text: &str) -> Type {
    let probe = format!("CREATE TABLE t (c {text})");
    let read = sql::read(dialect, &probe, Limits::default());
    let first = read.into_iter().next().map(|step| step.operation);
    if let Some(Operation::CreateTable { columns: Maybe::Known(columns), .. }) = first
        && let Some(Maybe::Known(ty)) = columns.into_iter().next().map(|column| column.ty)
    {
        return ty;
    }
    plain(text)
}

/// A type by its text alone: name, arguments, `unsigned`.
fn plain(text: &str) -> Type {
    let lower = text.trim().to_lowercase();
    let unsigned = lower.contains(" unsigned");
    let lower = lower.replace(" unsigned", "");
    let (base, rest) = lower.split_once('(').unwrap_or((lower.as_str(), ""));
    let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
    let arguments: Vec<&str> = inner.split(',').map(str::trim).filter(|piece| !piece.is_empty()).collect();
    let mut ty = Type::named(format!("{}{after}", base.trim_end())).with(arguments);
    ty.unsigned = unsigned;
    ty
}

/// A text as a literal of SQL.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
