//! Views: their columns, and whether they are one table under another name.

use squawk_syntax::ast::{self, AstNode};

use super::Steps;
use super::column::Tree;
use crate::operation::{Ident, Maybe, Name, Operation, Unread, ViewColumns};

/// CREATE VIEW.
pub(super) fn create(tree: Tree<'_>, view: &ast::CreateView, steps: &mut Steps) {
    let name = tree.name(view.view().as_ref().map(AstNode::syntax));
    let Some(name) = name else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    if matches!(view.persistence(), Some(ast::Persistence::Temp(_))) {
        // It goes with the session, and a view of the same name stays what it is.
        return steps.neutral(tree.words, "CREATE TEMPORARY VIEW");
    }
    let query = view.query();
    let simple_over = query.as_ref().and_then(|query| one_table(tree, query));
    let operation = Operation::CreateView {
        view: name,
        columns: columns(tree, view.column_list().as_ref(), query.as_ref()),
        replace: view.or_replace().is_some(),
        materialized: false,
        simple_over,
    };
    steps.add(tree.words, operation);
}

/// CREATE MATERIALIZED VIEW.
pub(super) fn materialized(tree: Tree<'_>, view: &ast::CreateMaterializedView, steps: &mut Steps) {
    let name = tree.name(view.view().as_ref().map(AstNode::syntax));
    let Some(name) = name else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    let operation = Operation::CreateView {
        view: name,
        columns: columns(tree, view.column_list().as_ref(), view.query().as_ref()),
        replace: false,
        materialized: true,
        simple_over: None,
    };
    steps.add_guarded(tree.words, operation, view.if_not_exists().is_some());
}

fn columns(tree: Tree<'_>, list: Option<&ast::ColumnList>, query: Option<&ast::SelectVariant>) -> ViewColumns {
    if let Some(list) = list {
        return Maybe::Known(tree.listed(Some(list.syntax())));
    }
    query.and_then(|query| selected(tree, query)).map_or(Maybe::Unknown, Maybe::Known)
}

/// The names of what a query selects; a UNION has those of its first part.
fn selected(tree: Tree<'_>, query: &ast::SelectVariant) -> Option<Vec<Ident>> {
    let select = leftmost(query)?;
    let targets = select.select_clause()?.target_list()?;
    targets.targets().map(|target| target_name(tree, &target)).collect()
}

fn leftmost(query: &ast::SelectVariant) -> Option<ast::Select> {
    let mut query = query.clone();
    loop {
        query = match query {
            ast::SelectVariant::Select(select) => return Some(select),
            ast::SelectVariant::CompoundSelect(compound) => compound.lhs()?,
            ast::SelectVariant::ParenSelect(inner) => inner.select()?,
            _ => return None,
        };
    }
}

/// The name that a selected expression goes by.
fn target_name(tree: Tree<'_>, target: &ast::Target) -> Option<Ident> {
    if let Some(name) = target.as_name() {
        return tree.ident(name.name().as_ref().map(AstNode::syntax));
    }
    let expression = target.expr()?;
    let words = tree.of(expression.syntax());
    match expression {
        ast::Expr::NameRef(_) => words.ident(0),
        ast::Expr::FieldExpr(_) => {
            let last = words.tokens.len().checked_sub(1)?;
            (words.sign(last.checked_sub(1)?, b'.')).then(|| words.ident(last)).flatten()
        }
        // A call goes by its function's name, a cast column by the column's.
        ast::Expr::CallExpr(_) | ast::Expr::CastExpr(_) => {
            let (name, next) = words.name(0)?;
            (words.sign(next, b'(') || words.sign(next, b':')).then_some(name.name)
        }
        _ => None,
    }
}

/// The table of which a query selects columns, and nothing more.
fn one_table(tree: Tree<'_>, query: &ast::SelectVariant) -> Option<Name> {
    let ast::SelectVariant::Select(select) = query else { return None };
    let more = select.with_clause().is_some()
        || select.where_clause().is_some()
        || select.group_by_clause().is_some()
        || select.having_clause().is_some()
        || select.window_clause().is_some()
        || select.tail_clauses().next().is_some();
    let clause = select.select_clause()?;
    if more || clause.select_quantifier().is_some() {
        return None;
    }
    let plain = clause.target_list()?.targets().all(|target| {
        target.star_token().is_some()
            || matches!(target.expr(), Some(ast::Expr::NameRef(_) | ast::Expr::FieldExpr(_)))
    });
    let from = select.from_clause()?;
    let mut items = from.syntax().children();
    let (item, None) = (items.next()?, items.next()) else { return None };
    let item = ast::RelationFromItem::cast(item)?;
    plain.then(|| tree.name(item.relation_name_ref().as_ref().map(AstNode::syntax))).flatten()
}
