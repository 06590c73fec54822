//! Steps as short lines, for tests.

use crate::operation::{
    Column, ColumnChange, Constraint, ConstraintKind, Copied, Filled, Ident, Maybe, Name, Operation, Signature,
    Step, Type,
};

/// One line for each step: its line in the file, what it does, `?` if guarded, `~` if conditional.
pub fn shown(steps: &[Step]) -> Vec<String> {
    let mark = |on: bool, mark: &'static str| if on { mark } else { "" };
    steps
        .iter()
        .map(|step| {
            let (guarded, conditional) = (mark(step.guarded, " ?"), mark(step.conditional, " ~"));
            format!("{}: {}{guarded}{conditional}", step.line, operation(&step.operation))
        })
        .collect()
}

fn list(idents: &[Ident]) -> String {
    idents.iter().map(|ident| ident.key.clone()).collect::<Vec<_>>().join(",")
}

fn ty(ty: &Type) -> String {
    let mut text = super::types::words(ty);
    if let Some(collation) = &ty.collation {
        text.push_str(&format!(" <{collation}>"));
    }
    text
}

fn filled(filled: &Filled) -> String {
    match filled {
        Filled::Nothing => "nothing".to_owned(),
        Filled::Default(text) => format!("={text}"),
        Filled::Counted { always } => format!("counted{}", if *always { "!" } else { "" }),
        Filled::Computed(_) => "computed".to_owned(),
        Filled::Implicit => "implicit".to_owned(),
    }
}

fn constraint(constraint: &Constraint) -> String {
    let name = constraint.name.as_ref().map_or(String::new(), |name| format!("{} ", name.key));
    match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => format!("{name}pk({})", list(columns)),
        ConstraintKind::Unique { columns, partial, nulls_equal } => {
            let marks = [(partial.is_some(), " partial"), (*nulls_equal, " one-null")];
            let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
            format!("{name}unique({}){marks}", list(columns))
        }
        ConstraintKind::ForeignKey { columns, table, to, cascades } => {
            let cascades = if *cascades { " cascades" } else { "" };
            format!("{name}fk({})->{table}({}){cascades}", list(columns), list(to))
        }
        ConstraintKind::Check { not_null, .. } => format!("{name}check[{}]", list(not_null)),
        ConstraintKind::Exclude => format!("{name}exclude"),
    }
}

fn column(column: &Column) -> String {
    let mut text = column.name.key.clone();
    if let Maybe::Known(known) = &column.ty {
        text.push_str(&format!(" {}", ty(known)));
    }
    if column.not_null == Maybe::Known(true) {
        text.push_str(" not-null");
    }
    match &column.filled {
        Maybe::Known(Filled::Nothing) => {}
        Maybe::Known(known) => text.push_str(&format!(" {}", filled(known))),
        Maybe::Unknown => text.push_str(" filled?"),
    }
    for held in &column.constraints {
        text.push_str(&format!(" +{}", constraint(held)));
    }
    text
}

fn change(change: &ColumnChange) -> String {
    match change {
        ColumnChange::Type(known) => format!("type {}", ty(known)),
        ColumnChange::NotNull => "not-null".to_owned(),
        ColumnChange::Null => "null".to_owned(),
        ColumnChange::Filled(known) => filled(known),
        ColumnChange::Restated(known) => format!("restated({})", column(known)),
        ColumnChange::RestatedType { ty: known, not_null } => {
            format!("restated-type({}{})", ty(known), if *not_null { " not-null" } else { "" })
        }
        ColumnChange::StopFilling => "stop-filling".to_owned(),
        ColumnChange::Placed(None) => "first".to_owned(),
        ColumnChange::Placed(Some(column)) => format!("after {column}"),
        ColumnChange::Neutral(_) => "neutral".to_owned(),
    }
}

fn signature(signature: &Signature) -> String {
    let parameters = match &signature.parameters {
        Maybe::Known(parameters) => parameters
            .iter()
            .map(|known| {
                let name = known.name.as_ref().map_or(String::new(), |name| format!("{} ", name.key));
                format!("{name}{}{}", known.ty, if known.optional { "?" } else { "" })
            })
            .collect::<Vec<_>>()
            .join(", "),
        Maybe::Unknown => "?".to_owned(),
    };
    let returns = signature.returns.as_ref().map_or(String::new(), |text| format!(" -> {text}"));
    format!("({parameters}){returns}")
}

fn copied(value: &Copied) -> String {
    match value {
        Copied::All => "*".to_owned(),
        Copied::Column(column) => column.key.clone(),
        Copied::Cast(column, ty) => format!("{}::{ty}", column.key),
        Copied::Of(columns) => format!("[{}]", list(columns)),
    }
}

fn on(table: Option<&Name>) -> String {
    table.map_or(String::new(), |table| format!(" on {table}"))
}

fn operation(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { table, columns, constraints, temporary } => {
            let mut parts: Vec<String> = match columns {
                Maybe::Known(columns) => columns.iter().map(column).collect(),
                Maybe::Unknown => vec!["?".to_owned()],
            };
            parts.extend(constraints.iter().map(|held| format!("+{}", constraint(held))));
            format!("create{} {table} [{}]", if *temporary { " temp" } else { "" }, parts.join(" | "))
        }
        Operation::DropTable { table, cascade } => {
            format!("drop-table {table}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::Rename { kind, from, to } => format!("rename {kind:?} {from} -> {to}").replace("None ", ""),
        Operation::AddColumn { table, column: added } => format!("add {table}.{}", column(added)),
        Operation::DropColumn { table, column, .. } => format!("drop {table}.{column}"),
        Operation::RenameColumn { table, from, to } => format!("rename {table}.{from} -> {to}"),
        Operation::AlterColumn { table, column, changes } => {
            format!("alter {table}.{column}: {}", changes.iter().map(change).collect::<Vec<_>>().join(", "))
        }
        Operation::AddConstraint { table, constraint: added, checked } => {
            format!("add {table} +{} {checked:?}", constraint(added))
        }
        Operation::DropConstraint { table, constraint, said, .. } => {
            let name = constraint.as_ref().map_or("-", |name| name.key.as_str());
            format!("drop {table} -{name} {}", said.as_deref().unwrap_or("?"))
        }
        Operation::CreateIndex { name, table, columns } => {
            let name = name.as_ref().map_or(String::new(), ToString::to_string);
            format!("index {name} on {table}({})", list(columns))
        }
        Operation::DropIndex { name, table } => {
            format!("drop-index {name}{}", on(table.as_ref()))
        }
        Operation::RenameIndex { table, from, to } => {
            format!("rename-index {from} -> {to}{}", on(table.as_ref()))
        }
        Operation::CreateView { view, columns, replace, simple_over, .. } => {
            let columns = match columns {
                Maybe::Known(columns) => list(columns),
                Maybe::Unknown => "?".to_owned(),
            };
            let over = simple_over.as_ref().map_or(String::new(), |table| format!(" over {table}"));
            format!("view {view}({columns}){over}{}", if *replace { " replace" } else { "" })
        }
        Operation::CreateRoutine { kind, routine, signature: held, replace } => {
            let replace = if *replace { " replace" } else { "" };
            format!("{kind:?} {routine}{}{replace}", signature(held))
        }
        Operation::Create { kind, name, table } => {
            format!("create {kind:?} {name}{}", on(table.as_ref()))
        }
        Operation::Drop { kind, name, .. } => format!("drop {kind:?} {name}"),
        Operation::Data { data, table, every_row } => {
            let table = table.as_ref().map_or("?".to_owned(), ToString::to_string);
            format!("{data:?} {table}{}", if *every_row { " all" } else { "" })
        }
        Operation::CopyRows { table, from, columns, values, every_row } => {
            let values: Vec<String> = values.iter().map(copied).collect();
            let columns = list(columns);
            let rows = if *every_row { "" } else { " some rows" };
            format!("copy {table}({columns}) <- {from}({}){rows}", values.join(","))
        }
        Operation::Neutral { what } => format!("neutral {what}"),
        Operation::Review { what, .. } => format!("review {what}"),
        Operation::Unread(unread) => format!("UNREAD {unread:?}"),
        other => format!("{other:?}"),
    }
}

/// Asserts what texts are read as: rows of (text, expected lines without the line numbers).
pub fn assert_read(read: impl Fn(&str) -> Vec<Step>, rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        let found: Vec<String> = shown(&read(text))
            .into_iter()
            .map(|line| line.split_once(": ").map_or("", |(_, rest)| rest).to_owned())
            .collect();
        assert_eq!(found, *expected, "of {text}");
    }
}
