//! Columns and constraints, as CREATE TABLE and ALTER TABLE write them.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::lex::Kind;
use super::parse::Parsed;
use super::source::Words;
use super::types;
use crate::operation::{Checked, Column, Constraint, ConstraintKind, Filled, Ident, Maybe, Name};

/// A statement's words and its tree: what reads a part of it.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub words: Words<'a>,
    pub parsed: &'a Parsed,
}

/// What a constraint clause amounts to.
pub(super) enum Clause {
    NotNull,
    Null,
    Filled(Filled),
    Constraint(Constraint),
    /// Of an index that is there already.
    UsingIndex {
        primary: bool,
    },
}

impl<'a> Tree<'a> {
    /// The words of a node.
    pub(super) fn of(self, node: &SyntaxNode) -> Words<'a> {
        self.parsed.words(self.words, node)
    }

    /// The name that a node is.
    pub(super) fn ident(self, node: Option<&SyntaxNode>) -> Option<Ident> {
        self.of(node?).ident(0)
    }

    /// The qualified name that a node is.
    pub(super) fn name(self, node: Option<&SyntaxNode>) -> Option<Name> {
        self.of(node?).name(0).map(|(name, _)| name)
    }

    /// A column of CREATE TABLE or ADD COLUMN.
    pub(super) fn column(self, node: &SyntaxNode) -> Option<Column> {
        let name = node.children().find_map(ast::ColumnName::cast);
        let name = self.ident(name.as_ref().map(AstNode::syntax))?;
        let mut column = Column {
            name,
            ty: Maybe::Unknown,
            not_null: Maybe::Known(false),
            filled: Maybe::Known(Filled::Nothing),
            constraints: vec![],
        };
        if let Some(ty) = node.children().find_map(ast::Type::cast) {
            let mut read = types::read(self.of(ty.syntax()));
            if read.counted {
                column.filled = Maybe::Known(Filled::Counted { always: false });
                column.not_null = Maybe::Known(true);
            }
            let collation =
                node.children().find_map(ast::Collate::cast).and_then(|collate| collate.collation_ref());
            read.ty.collation = self.name(collation.as_ref().map(AstNode::syntax)).map(|name| name.name.key);
            column.ty = Maybe::Known(read.ty);
        }
        for constraint in node.children().filter_map(ast::Constraint::cast) {
            match self.clause(&constraint, Some(&column.name)) {
                Some(Clause::NotNull) => column.not_null = Maybe::Known(true),
                Some(Clause::Null | Clause::UsingIndex { .. }) => {}
                Some(Clause::Filled(filled)) => {
                    if matches!(filled, Filled::Counted { .. }) {
                        column.not_null = Maybe::Known(true);
                    }
                    column.filled = Maybe::Known(filled);
                }
                Some(Clause::Constraint(constraint)) => {
                    if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
                        column.not_null = Maybe::Known(true);
                    }
                    column.constraints.push(constraint);
                }
                None => return None,
            }
        }
        Some(column)
    }

    /// One constraint; `column` is the one it is written with.
    pub(super) fn clause(self, constraint: &ast::Constraint, column: Option<&Ident>) -> Option<Clause> {
        let own = |names: Vec<Ident>| if names.is_empty() { column.cloned().into_iter().collect() } else { names };
        let kind = match constraint {
            ast::Constraint::NotNullConstraint(_) => return Some(Clause::NotNull),
            ast::Constraint::NullConstraint(_) => return Some(Clause::Null),
            ast::Constraint::DefaultConstraint(default) => {
                let words = self.of(default.expr()?.syntax());
                return Some(Clause::Filled(default_of(words)));
            }
            ast::Constraint::GeneratedConstraint(generated) => {
                return Some(Clause::Filled(self.generated(generated.syntax())));
            }
            ast::Constraint::PrimaryKeyConstraint(key) => {
                if key.using_index().is_some() {
                    return Some(Clause::UsingIndex { primary: true });
                }
                let columns = key.index_parameters().and_then(|it| it.column_list());
                ConstraintKind::PrimaryKey(own(self.listed(columns.as_ref().map(AstNode::syntax))))
            }
            ast::Constraint::UniqueConstraint(unique) => {
                if unique.using_index().is_some() {
                    return Some(Clause::UsingIndex { primary: false });
                }
                let parameters = unique.index_parameters();
                let columns = parameters.as_ref().and_then(squawk_syntax::ast::IndexParameters::column_list);
                let nulls = parameters.and_then(|it| it.nulls_distinct_option());
                ConstraintKind::Unique {
                    columns: own(self.listed(columns.as_ref().map(AstNode::syntax))),
                    partial: None,
                    nulls_equal: nulls.is_some_and(|nulls| self.of(nulls.syntax()).has("not")),
                }
            }
            ast::Constraint::ReferencesConstraint(references) => ConstraintKind::ForeignKey {
                columns: column.cloned().into_iter().collect(),
                table: self.name(references.table().as_ref().map(AstNode::syntax))?,
                to: self.ident(references.column().as_ref().map(AstNode::syntax)).into_iter().collect(),
                cascades: references.referential_actions().any(|action| self.cascades(action.syntax())),
            },
            ast::Constraint::ForeignKeyConstraint(key) => ConstraintKind::ForeignKey {
                columns: self.listed(key.from_columns().as_ref().map(AstNode::syntax)),
                table: self.name(key.table_name_ref().as_ref().map(AstNode::syntax))?,
                to: self.listed(key.to_columns().as_ref().map(AstNode::syntax)),
                cascades: key.referential_actions().any(|action| self.cascades(action.syntax())),
            },
            ast::Constraint::CheckConstraint(check) => {
                let words = self.of(check.expr()?.syntax());
                ConstraintKind::Check { expression: words.text().to_owned(), not_null: never_null(words) }
            }
            ast::Constraint::ExcludeConstraint(_) => ConstraintKind::Exclude,
        };
        let name = constraint.constraint_name();
        Some(Clause::Constraint(Constraint { name: self.ident(name.as_ref().map(AstNode::syntax)), kind }))
    }

    /// How a constraint comes.
    pub(super) fn checked(self, constraint: &ast::Constraint) -> Checked {
        let mut checked = Checked::All;
        for option in constraint.constraint_options() {
            match option {
                ast::ConstraintOption::NotValid(_) => checked = Checked::NewRows,
                ast::ConstraintOption::NotEnforced(_) => return Checked::Nothing,
                _ => {}
            }
        }
        checked
    }

    /// The names of a list in brackets.
    pub(super) fn listed(self, list: Option<&SyntaxNode>) -> Vec<Ident> {
        let Some(list) = list else { return vec![] };
        let words = self.of(list);
        let inner = words.until(words.tokens.len().saturating_sub(1)).from(1);
        inner.parts().into_iter().filter_map(|part| part.ident(usize::from(part.is(0, "period")))).collect()
    }

    /// What GENERATED … says.
    pub(super) fn generated(self, node: &SyntaxNode) -> Filled {
        let words = self.of(node);
        if let Some(at) = (0..words.tokens.len()).find(|at| words.are(*at, &["as", "identity"])) {
            return Filled::Counted { always: words.until(at).has("always") };
        }
        let open = (0..words.tokens.len()).find(|at| words.sign(*at, b'(')).unwrap_or(0);
        let inner = words.until(words.after_brackets(open).saturating_sub(1)).from(open + 1);
        Filled::Computed(inner.text().to_owned())
    }

    fn cascades(self, action: &SyntaxNode) -> bool {
        let words = self.of(action);
        words.has("cascade") || words.has("set")
    }
}

/// What `DEFAULT` with these words fills in.
pub(super) fn default_of(words: Words<'_>) -> Filled {
    // NULL, also as NULL::text.
    if words.is(0, "null") && (words.tokens.len() == 1 || words.sign(1, b':')) {
        return Filled::Nothing;
    }
    Filled::Default(words.text().to_owned())
}

/// The columns of which a condition says exactly that they are not null, alone or AND-ed with others.
pub(super) fn never_null(words: Words<'_>) -> Vec<Ident> {
    let mut found = vec![];
    let mut open = vec![words];
    while let Some(words) = open.pop() {
        if words.sign(0, b'(') && words.after_brackets(0) == words.tokens.len() {
            open.push(words.until(words.tokens.len() - 1).from(1));
            continue;
        }
        if words.has("between") {
            continue;
        }
        if let Some((at, or)) = first_junction(words) {
            if !or {
                open.push(words.from(at + 1));
                open.push(words.until(at));
            }
            continue;
        }
        if words.are(1, &["is", "not", "null"]) && words.tokens.len() == 4 {
            found.extend(words.ident(0));
        }
        let bracketed = words.sign(0, b'(') && words.sign(2, b')') && words.tokens.len() == 6;
        if bracketed && words.are(3, &["is", "not", "null"]) {
            found.extend(words.ident(1));
        }
    }
    found.sort();
    found
}

/// The first AND, or whether an OR, which binds less, stands beside it in no brackets.
fn first_junction(words: Words<'_>) -> Option<(usize, bool)> {
    let mut depth = 0_usize;
    let mut and = None;
    for (at, token) in words.tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(' | b'[') => depth += 1,
            Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && words.is(at, "or") => return Some((at, true)),
            Kind::Word if depth == 0 && and.is_none() && words.is(at, "and") => and = Some((at, false)),
            _ => {}
        }
    }
    and
}
