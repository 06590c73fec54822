//! Steps in a few words, for the tables of tests.

use crate::operation::{
    Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Operation, Step, Type,
};

/// All steps, one a line: `4 drop t.c`. `?` after the line: conditional; `~`: guarded.
pub fn brief(steps: &[Step]) -> Vec<String> {
    steps.iter().map(step).collect()
}

fn step(step: &Step) -> String {
    let marks = format!("{}{}", if step.guarded { "~" } else { "" }, if step.conditional { "?" } else { "" });
    format!("{}{marks} {}", step.line, operation(&step.operation))
}

fn names(idents: &[Ident]) -> String {
    idents.iter().map(|ident| ident.written.as_str()).collect::<Vec<_>>().join(",")
}

fn ty(ty: &Maybe<Type>) -> String {
    match ty {
        Maybe::Unknown => "?".to_owned(),
        Maybe::Known(ty) => {
            let arguments =
                if ty.arguments.is_empty() { String::new() } else { format!("({})", ty.arguments.join(",")) };
            format!(
                "{}{arguments}{}{}",
                ty.base,
                if ty.array { "[]" } else { "" },
                if ty.unsigned { "+" } else { "" }
            )
        }
    }
}

fn filled(filled: &Filled) -> String {
    match filled {
        Filled::Nothing => String::new(),
        Filled::Default(expression) => format!("={expression}"),
        Filled::Counted { .. } => "=#".to_owned(),
        Filled::Computed(expression) => format!("=>{expression}"),
        Filled::Implicit => "=*".to_owned(),
    }
}

/// A column: `name type!=default {constraint}`.
pub fn column(column: &Column) -> String {
    let not_null = match column.not_null {
        Maybe::Known(true) => "!",
        Maybe::Known(false) => "",
        Maybe::Unknown => "!?",
    };
    let fill = match &column.filled {
        Maybe::Known(known) => filled(known),
        Maybe::Unknown => "=?".to_owned(),
    };
    let constraints: String = column.constraints.iter().map(constraint).collect();
    format!("{} {}{not_null}{fill}{constraints}", column.name.written, ty(&column.ty))
}

fn constraint(constraint: &Constraint) -> String {
    let name = constraint.name.as_ref().map_or_else(String::new, |name| format!("{} ", name.written));
    let kind = match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => format!("pk {}", names(columns)),
        ConstraintKind::Unique { columns, partial, nulls_equal } => format!(
            "unique {}{}{}",
            names(columns),
            if partial.is_some() { " partial" } else { "" },
            if *nulls_equal { " nulls" } else { "" }
        ),
        ConstraintKind::ForeignKey { columns, table, to, cascades } => {
            format!("fk {}>{table}({}){}", names(columns), names(to), if *cascades { " cascades" } else { "" })
        }
        ConstraintKind::Check { expression, not_null } => format!("check {expression}{}", names(not_null)),
        ConstraintKind::Exclude => "exclude".to_owned(),
    };
    format!("{{{name}{kind}}}")
}

fn change(change: &ColumnChange) -> String {
    match change {
        ColumnChange::Type(to) => format!("type {}", ty(&Maybe::Known(to.clone()))),
        ColumnChange::NotNull => "not null".to_owned(),
        ColumnChange::Null => "null".to_owned(),
        ColumnChange::Filled(Filled::Nothing) => "no default".to_owned(),
        ColumnChange::Filled(to) => format!("default {}", filled(to)),
        ColumnChange::Restated(to) => format!("restated {}", column(to)),
        other => format!("{other:?}"),
    }
}

fn operation(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { table, columns, constraints, .. } => {
            let columns = match columns {
                Maybe::Known(columns) => columns.iter().map(column).collect::<Vec<_>>().join(", "),
                Maybe::Unknown => "?".to_owned(),
            };
            format!("create {table} ({columns}){}", constraints.iter().map(constraint).collect::<String>())
        }
        Operation::DropTable { table, cascade } => {
            format!("drop {table}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::Rename { kind, from, to } => {
            format!("rename {}{from} {to}", kind.map_or_else(String::new, |kind| format!("{kind:?} ")))
        }
        Operation::AddColumn { table, column: added } => format!("add {table}.{}", column(added)),
        Operation::DropColumn { table, column, .. } => format!("drop {table}.{column}"),
        Operation::RenameColumn { table, from, to } => format!("rename {table}.{from} {to}"),
        Operation::AlterColumn { table, column, changes } => {
            format!("alter {table}.{column} {}", changes.iter().map(change).collect::<Vec<_>>().join(", "))
        }
        Operation::AddConstraint { table, constraint: added, checked } => {
            format!("constrain {table} {} {checked:?}", constraint(added))
        }
        Operation::DropConstraint { table, constraint, said, .. } => format!(
            "unconstrain {table} {} {}",
            constraint.as_ref().map_or("-", |name| &name.written),
            said.as_deref().unwrap_or("-")
        ),
        Operation::CreateIndex { name, table, columns } => {
            format!(
                "index {} {table}({})",
                name.as_ref().map_or("-".to_owned(), ToString::to_string),
                names(columns)
            )
        }
        Operation::DropIndex { name, table } => {
            format!("unindex {name} {}", table.as_ref().map_or("-".to_owned(), ToString::to_string))
        }
        Operation::Data { data, table, every_row } => format!(
            "{data:?} {}{}",
            table.as_ref().map_or("-".to_owned(), ToString::to_string),
            if *every_row { " all" } else { "" }
        ),
        Operation::Neutral { what } => format!("neutral {what}"),
        Operation::Unread(unread) => format!("unread {unread:?}"),
        other => format!("{other:?}"),
    }
}
