//! Where names without a schema live.
//!
//! Readers keep every schema that is written. Here `public` is left out, and what has no schema gets
//! that of a `SET search_path` before it.

use super::source::Words;
use crate::operation::{Constraint, ConstraintKind, Ident, Kind, Maybe, Name, Operation};

/// The schema that `SET search_path` puts first; `None` where the statement is none. The inner `None`
/// is the default schema.
pub(super) fn search_path(words: Words<'_>) -> Option<Option<Ident>> {
    if words.are(0, &["reset", "search_path"]) || words.are(0, &["reset", "all"]) {
        return Some(None);
    }
    let scope = usize::from(words.is(1, "local") || words.is(1, "session"));
    if !words.is(0, "set") || !words.is(1 + scope, "search_path") {
        return None;
    }
    let first = 3 + scope;
    let schema = words.ident(first).or_else(|| words.literal(first).map(Ident::exact));
    let elsewhere =
        |schema: &Ident| !matches!(schema.key.as_str(), "public" | "$user" | "pg_catalog" | "default" | "");
    Some(schema.filter(elsewhere))
}

/// Gives the names of an operation the schema they live in.
pub(super) fn settle(operation: &mut Operation, schema: Option<&Ident>) {
    match operation {
        Operation::CreateTable { table, columns, constraints, temporary } => {
            settled(table, schema.filter(|_| !*temporary));
            if let Maybe::Known(columns) = columns {
                columns.iter_mut().for_each(|column| referred(&mut column.constraints, schema));
            }
            referred(constraints, schema);
        }
        Operation::CopyRows { table, from, .. } => {
            settled(table, schema);
            settled(from, schema);
        }
        Operation::AddColumn { table, column } => {
            settled(table, schema);
            referred(&mut column.constraints, schema);
        }
        Operation::AddConstraint { table, constraint, .. } => {
            settled(table, schema);
            referred(std::slice::from_mut(constraint), schema);
        }
        Operation::DropTable { table, .. }
        | Operation::DropColumn { table, .. }
        | Operation::RenameColumn { table, .. }
        | Operation::AlterColumn { table, .. }
        | Operation::DropConstraint { table, .. }
        | Operation::ValidateConstraint { table, .. } => settled(table, schema),
        // An index lives with its table.
        Operation::CreateIndex { name, table, .. } => {
            name.iter_mut().for_each(|name| settled(name, None));
            settled(table, schema);
        }
        Operation::DropIndex { name, table } => {
            settled(name, None);
            table.iter_mut().for_each(|table| settled(table, schema));
        }
        Operation::RenameIndex { table, .. } => table.iter_mut().for_each(|table| settled(table, schema)),
        Operation::Rename { kind, from, to } => {
            let schema = schema.filter(|_| kind.is_none_or(lives_in_schema));
            let moved = from.name == to.name;
            settled(from, schema);
            settled(to, schema.filter(|_| !moved));
        }
        Operation::CreateView { view, simple_over, .. } => {
            settled(view, schema);
            simple_over.iter_mut().for_each(|table| settled(table, schema));
        }
        Operation::CreateRoutine { routine: name, .. }
        | Operation::CreateType { name, .. }
        | Operation::AddEnumValue { name, .. }
        | Operation::RenameEnumValue { name, .. }
        | Operation::NarrowType { name, .. } => settled(name, schema),
        Operation::Create { kind, name, table } | Operation::Drop { kind, name, table, .. } => {
            settled(name, schema.filter(|_| lives_in_schema(*kind)));
            table.iter_mut().for_each(|table| settled(table, schema));
        }
        Operation::Restrict { table, .. } | Operation::Data { table, .. } | Operation::Review { table, .. } => {
            table.iter_mut().for_each(|table| settled(table, schema));
        }
        Operation::Neutral { .. } | Operation::Unread(_) => {}
    }
}

/// Leaves `public` out, and puts in the schema of names that have none.
fn settled(name: &mut Name, schema: Option<&Ident>) {
    match &name.schema {
        Some(written) if written.key == "public" => name.schema = None,
        Some(_) => {}
        None => name.schema = schema.cloned(),
    }
}

fn referred(constraints: &mut [Constraint], schema: Option<&Ident>) {
    for constraint in constraints {
        if let ConstraintKind::ForeignKey { table, .. } = &mut constraint.kind {
            settled(table, schema);
        }
    }
}

fn lives_in_schema(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Trigger
            | Kind::Policy
            | Kind::Extension
            | Kind::Schema
            | Kind::Database
            | Kind::Other
            | Kind::Synonym
    )
}
