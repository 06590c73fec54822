//! CREATE TABLE, CREATE INDEX and what makes a table otherwise.

use squawk_syntax::ast::{self, AstNode};

use super::Steps;
use super::column::{Clause, Tree};
use super::source::Words;
use crate::operation::{Checked, Column, Constraint, ConstraintKind, Ident, Maybe, Name, Operation, Unread};

/// CREATE TABLE and CREATE FOREIGN TABLE with columns.
pub(super) fn create(tree: Tree<'_>, steps: &mut Steps) {
    let node = &tree.parsed.node;
    let Some((table, guarded)) = named(tree) else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    let temporary = temporary(tree.words, &table);
    let list = node.children().find_map(ast::TableArgList::cast);
    let elsewhere = node.children().any(|child| {
        ast::PartitionOf::can_cast(child.kind())
            || ast::OfType::can_cast(child.kind())
            || ast::Inherits::can_cast(child.kind())
    });
    let mut columns = Some(vec![]);
    let mut constraints = vec![];
    for arg in list.iter().flat_map(ast::TableArgList::args) {
        match arg {
            ast::TableArg::Column(column) => {
                let Some(column) = tree.column(column.syntax()) else {
                    return steps.unread(tree.words, Unread::Syntax { words: "a column is not read".to_owned() });
                };
                if let Some(columns) = &mut columns {
                    columns.push(column);
                }
            }
            ast::TableArg::LikeClause(_) => columns = None,
            ast::TableArg::TableConstraint(constraint) => {
                table_constraint(tree, &constraint, columns.as_mut(), &mut constraints);
            }
        }
    }
    let columns = columns.filter(|_| !elsewhere && list.is_some());
    let columns = columns.map_or(Maybe::Unknown, |mut columns| {
        keys_are_not_null(&constraints, &mut columns);
        Maybe::Known(columns)
    });
    steps.add_guarded(tree.words, Operation::CreateTable { table, columns, constraints, temporary }, guarded);
}

/// CREATE TABLE … AS, and SELECT … INTO: columns that only the query knows.
pub(super) fn create_from_query(words: Words<'_>, table: Name, temporary: bool, guarded: bool, steps: &mut Steps) {
    let operation = Operation::CreateTable { table, columns: Maybe::Unknown, constraints: vec![], temporary };
    steps.add_guarded(words, operation, guarded);
}

/// The table's name and whether IF NOT EXISTS stands before it.
pub(super) fn named(tree: Tree<'_>) -> Option<(Name, bool)> {
    let node = &tree.parsed.node;
    let guarded = node.children().any(|child| ast::IfNotExists::can_cast(child.kind()));
    let name = node.children().find_map(ast::TableName::cast)?;
    Some((tree.name(Some(name.syntax()))?, guarded))
}

/// Whether a table is gone with the session.
pub(super) fn temporary(words: Words<'_>, table: &Name) -> bool {
    let said = words.until(4);
    let before_table = (0..4).take_while(|at| !said.is(*at, "table")).count();
    let said = said.until(before_table);
    said.has("temp") || said.has("temporary") || table.schema.as_ref().is_some_and(|schema| schema.key == "pg_temp")
}

fn table_constraint(
    tree: Tree<'_>,
    constraint: &ast::TableConstraint,
    columns: Option<&mut Vec<Column>>,
    constraints: &mut Vec<Constraint>,
) {
    if let ast::TableConstraint::NotNullConstraint(constraint) = constraint {
        let name = tree.ident(constraint.column_name_ref().as_ref().map(AstNode::syntax));
        for column in columns.into_iter().flatten().filter(|column| Some(&column.name) == name.as_ref()) {
            column.not_null = Maybe::Known(true);
        }
        return;
    }
    let constraint = ast::Constraint::cast(constraint.syntax().clone());
    if let Some(Clause::Constraint(constraint)) = constraint.and_then(|constraint| tree.clause(&constraint, None)) {
        constraints.push(constraint);
    }
}

/// The columns of a primary key refuse NULL.
fn keys_are_not_null(constraints: &[Constraint], columns: &mut [Column]) {
    for constraint in constraints {
        if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
            for column in columns.iter_mut().filter(|column| key.contains(&column.name)) {
                column.not_null = Maybe::Known(true);
            }
        }
    }
}

/// CREATE INDEX.
pub(super) fn index(tree: Tree<'_>, index: &ast::CreateIndex, steps: &mut Steps) {
    let guarded = index.if_not_exists().is_some();
    let name = tree.name(index.index().as_ref().map(AstNode::syntax));
    let over = index.table_relation_name().and_then(|name| name.table_name_ref());
    let Some(table) = tree.name(over.as_ref().map(AstNode::syntax)) else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    let items = index.partition_item_list();
    let columns = items.iter().flat_map(ast::PartitionItemList::partition_items);
    let columns: Vec<Ident> = columns.filter_map(|item| indexed(tree, &item)).collect();
    if index.unique_token().is_none() {
        return steps.add_guarded(tree.words, Operation::CreateIndex { name, table, columns }, guarded);
    }
    let nulls = index.nulls_distinct_option();
    let kind = ConstraintKind::Unique {
        columns,
        partial: index.where_clause().map(|only| tree.of(only.syntax()).text().to_owned()),
        nulls_equal: nulls.is_some_and(|nulls| tree.of(nulls.syntax()).has("not")),
    };
    let constraint = Constraint { name: name.map(|name| name.name), kind };
    steps.add_guarded(tree.words, Operation::AddConstraint { table, constraint, checked: Checked::All }, guarded);
}

/// An index's column, or the text of its expression.
fn indexed(tree: Tree<'_>, item: &ast::PartitionItem) -> Option<Ident> {
    let words = tree.of(item.expr()?.syntax());
    let collated = words.is(1, "collate");
    match words.ident(0) {
        Some(name) if words.tokens.len() == 1 || collated => Some(name),
        _ => Some(Ident::exact(words.text())),
    }
}
