//! Steps as short lines, for the tests of extractors.

use crate::operation::{
    Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Operation, Step, Type, Unread,
};

/// Every step on a line: its line, `?` conditional, `~` guarded, and what it does.
pub fn shown(steps: &[Step]) -> String {
    let lines: Vec<String> = steps
        .iter()
        .map(|step| {
            let mark = [(step.conditional, "?"), (step.guarded, "~")];
            let mark: String = mark.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            format!("{}{mark} {}", step.line, operation(&step.operation))
        })
        .collect();
    lines.join("\n")
}

fn names(idents: &[Ident]) -> String {
    idents.iter().map(|ident| ident.key.clone()).collect::<Vec<_>>().join(",")
}

fn ty(ty: &Type) -> String {
    let mut text = ty.base.clone();
    let inner = if ty.values.is_empty() { &ty.arguments } else { &ty.values };
    if !inner.is_empty() {
        text += &format!("({})", inner.join(","));
    }
    if ty.unsigned {
        text += " unsigned";
    }
    text
}

fn filled(filled: &Filled) -> String {
    match filled {
        Filled::Nothing => String::new(),
        Filled::Default(text) => format!(" ={text}"),
        Filled::Counted { .. } => " counted".to_owned(),
        Filled::Computed(_) => " computed".to_owned(),
        Filled::Implicit => " implicit".to_owned(),
    }
}

fn column(column: &Column) -> String {
    let ty = match &column.ty {
        Maybe::Known(known) => ty(known),
        Maybe::Unknown => "?".to_owned(),
    };
    let null = match column.not_null {
        Maybe::Known(true) => " !",
        Maybe::Known(false) => "",
        Maybe::Unknown => " !?",
    };
    let fills = match &column.filled {
        Maybe::Known(known) => filled(known),
        Maybe::Unknown => " =?".to_owned(),
    };
    let constraints: String = column.constraints.iter().map(|one| format!(" {}", constraint(one))).collect();
    format!("{} {ty}{null}{fills}{constraints}", column.name.key)
}

fn constraint(constraint: &Constraint) -> String {
    let name = constraint.name.as_ref().map(|name| format!("{}:", name.key)).unwrap_or_default();
    match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => format!("{name}pk({})", names(columns)),
        ConstraintKind::Unique { columns, partial, .. } => {
            format!("{name}unique({}){}", names(columns), if partial.is_some() { " partial" } else { "" })
        }
        ConstraintKind::ForeignKey { columns, table, to, cascades } => {
            let cascade = if *cascades { " cascades" } else { "" };
            format!("{name}fk({}) {}({}){cascade}", names(columns), table.name.key, names(to))
        }
        ConstraintKind::Check { expression, .. } => format!("{name}check({expression})"),
        ConstraintKind::Exclude => format!("{name}exclude"),
    }
}

fn change(change: &ColumnChange) -> String {
    match change {
        ColumnChange::Type(to) => ty(to),
        ColumnChange::NotNull => "!".to_owned(),
        ColumnChange::Null => "null".to_owned(),
        ColumnChange::Filled(Filled::Nothing) => "no default".to_owned(),
        ColumnChange::Filled(to) => filled(to).trim().to_owned(),
        ColumnChange::Restated(to) => format!("restated {}", column(to)),
        other => format!("{other:?}"),
    }
}

fn operation(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { table, columns, constraints, .. } => {
            let columns = match columns {
                Maybe::Known(columns) => columns.iter().map(column).collect(),
                Maybe::Unknown => vec!["?".to_owned()],
            };
            let all: Vec<_> = columns.into_iter().chain(constraints.iter().map(constraint)).collect();
            format!("create {table} [{}]", all.join("; "))
        }
        Operation::DropTable { table, cascade } => {
            format!("drop {table}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::Rename { kind, from, to } => {
            format!("rename {}{from} -> {to}", kind.map(|kind| format!("{kind:?} ")).unwrap_or_default())
        }
        Operation::AddColumn { table, column: added } => format!("add {table}.{}", column(added)),
        Operation::DropColumn { table, column, .. } => format!("drop {table}.{}", column.key),
        Operation::RenameColumn { table, from, to } => format!("rename {table}.{} -> {}", from.key, to.key),
        Operation::AlterColumn { table, column, changes } => {
            let changes: Vec<_> = changes.iter().map(change).collect();
            format!("alter {table}.{} {}", column.key, changes.join(", "))
        }
        Operation::AddConstraint { table, constraint: added, .. } => format!("add {table} {}", constraint(added)),
        Operation::DropConstraint { table, constraint, said, .. } => {
            let name = constraint.as_ref().map_or("", |name| name.key.as_str());
            format!("drop {table} {} {name}", said.clone().unwrap_or_default())
        }
        Operation::CreateIndex { name, table, columns } => {
            let name = name.as_ref().map(|name| format!("{}:", name.name.key)).unwrap_or_default();
            format!("index {table} {name}{}", names(columns))
        }
        Operation::DropIndex { name, table } => {
            format!(
                "drop index {}{}",
                table.as_ref().map(|table| format!("{table}.")).unwrap_or_default(),
                name.name.key
            )
        }
        Operation::Data { data, table, every_row } => {
            let table = table.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{data:?} {table}{}", if *every_row { " all" } else { "" }).to_lowercase()
        }
        Operation::Unread(Unread::Code { .. }) => "code".to_owned(),
        Operation::Unread(Unread::Syntax { .. }) => "syntax".to_owned(),
        Operation::Unread(Unread::Dynamic) => "dynamic".to_owned(),
        Operation::Unread(Unread::Limit { .. }) => "limit".to_owned(),
        other => format!("{other:?}"),
    }
}
