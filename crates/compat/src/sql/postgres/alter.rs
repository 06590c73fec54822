//! ALTER TABLE, action by action.

use squawk_syntax::ast::{self, AstNode};

use super::Steps;
use super::column::{Clause, Tree};
use super::source::Words;
use super::types;
use crate::operation::{
    ColumnChange, Constraint, ConstraintKind, Filled, Ident, Name, Operation, Restriction, Unread,
};

/// ALTER TABLE, ALTER FOREIGN TABLE, and the actions that views share with tables.
pub(super) fn table(tree: Tree<'_>, steps: &mut Steps) {
    let node = &tree.parsed.node;
    let words = tree.words;
    if node.children().any(|child| ast::AllInTablespace::can_cast(child.kind())) {
        return steps.neutral(words, "ALTER TABLE ALL IN TABLESPACE");
    }
    let name = node.children().find_map(ast::TableRelationName::cast).and_then(|name| name.table_name_ref());
    let Some(table) = tree.name(name.as_ref().map(AstNode::syntax)) else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    let guarded = node.children().any(|child| ast::IfExists::can_cast(child.kind()));
    let mut any = false;
    for action in node.children().filter_map(ast::AlterTableAction::cast) {
        any = true;
        let action_words = tree.of(action.syntax());
        Action { tree, table: &table, words: action_words, guarded }.read(&action, steps);
    }
    if !any {
        steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    }
}

/// One action of ALTER TABLE.
struct Action<'a> {
    tree: Tree<'a>,
    table: &'a Name,
    words: Words<'a>,
    /// ALTER TABLE IF EXISTS.
    guarded: bool,
}

impl Action<'_> {
    fn read(&self, action: &ast::AlterTableAction, steps: &mut Steps) {
        match action {
            ast::AlterTableAction::AddColumn(add) => self.add_column(add, steps),
            ast::AlterTableAction::AddConstraint(add) => match add.constraint() {
                Some(constraint) => self.add_constraint(&constraint, steps),
                None => self.unknown(steps),
            },
            ast::AlterTableAction::AlterColumn(alter) => self.alter_column(alter, steps),
            _ => self.by_words(steps),
        }
    }

    fn add(&self, steps: &mut Steps, operation: Operation) {
        steps.add_guarded(self.words, operation, self.guarded);
    }

    fn neutral(&self, steps: &mut Steps, what: &str) {
        self.add(steps, Operation::Neutral { what: what.to_owned() });
    }

    fn review(&self, steps: &mut Steps, what: &str) {
        self.add(steps, Operation::Review { what: what.to_owned(), table: Some(self.table.clone()) });
    }

    fn restrict(&self, steps: &mut Steps, restriction: Restriction) {
        self.add(steps, Operation::Restrict { restriction, table: Some(self.table.clone()) });
    }

    fn unknown(&self, steps: &mut Steps) {
        let head = format!("ALTER TABLE … {}", self.words.head(3));
        self.add(steps, Operation::Unread(Unread::UnknownStatement { head }));
    }

    fn add_column(&self, add: &ast::AddColumn, steps: &mut Steps) {
        let Some(column) = self.tree.column(add.syntax()) else { return self.unknown(steps) };
        let guarded = self.guarded || add.if_not_exists().is_some();
        steps.add_guarded(self.words, Operation::AddColumn { table: self.table.clone(), column }, guarded);
    }

    fn add_constraint(&self, constraint: &ast::Constraint, steps: &mut Steps) {
        let table = self.table.clone();
        let checked = self.tree.checked(constraint);
        match self.tree.clause(constraint, None) {
            Some(Clause::Constraint(constraint)) => {
                self.add(steps, Operation::AddConstraint { table, constraint, checked });
            }
            // The index refuses already what the constraint will.
            Some(Clause::UsingIndex { primary: false }) => self.neutral(steps, "ADD CONSTRAINT … USING INDEX"),
            Some(Clause::UsingIndex { primary: true }) => {
                let constraint =
                    Constraint { name: self.constraint_name(constraint), kind: ConstraintKind::PrimaryKey(vec![]) };
                self.add(steps, Operation::AddConstraint { table, constraint, checked });
            }
            Some(Clause::NotNull) => {
                let node = constraint.syntax().children().find_map(ast::ColumnNameRef::cast);
                match self.tree.ident(node.as_ref().map(AstNode::syntax)) {
                    Some(column) => self.change(steps, column, ColumnChange::NotNull),
                    None => self.unknown(steps),
                }
            }
            _ => self.unknown(steps),
        }
    }

    fn constraint_name(&self, constraint: &ast::Constraint) -> Option<Ident> {
        self.tree.ident(constraint.constraint_name().as_ref().map(AstNode::syntax))
    }

    fn change(&self, steps: &mut Steps, column: Ident, change: ColumnChange) {
        self.add(steps, Operation::AlterColumn { table: self.table.clone(), column, changes: vec![change] });
    }

    fn alter_column(&self, alter: &ast::AlterColumn, steps: &mut Steps) {
        let column = self.tree.ident(alter.column_name_ref().as_ref().map(AstNode::syntax));
        let (Some(column), Some(option)) = (column, alter.option()) else { return self.by_words(steps) };
        let words = self.tree.of(option.syntax());
        let change = match &option {
            ast::AlterColumnOption::SetType(set) => match set.ty() {
                Some(ty) => {
                    let mut read = types::read(self.tree.of(ty.syntax())).ty;
                    let collation = set.collate().and_then(|collate| collate.collation_ref());
                    read.collation =
                        self.tree.name(collation.as_ref().map(AstNode::syntax)).map(|name| name.name.key);
                    ColumnChange::Type(read)
                }
                None => return self.unknown(steps),
            },
            ast::AlterColumnOption::SetDefault(set) => match set.expr() {
                Some(default) => ColumnChange::Filled(super::column::default_of(self.tree.of(default.syntax()))),
                None => return self.unknown(steps),
            },
            ast::AlterColumnOption::SetNotNull(_) => ColumnChange::NotNull,
            ast::AlterColumnOption::DropNotNull(_) => ColumnChange::Null,
            ast::AlterColumnOption::DropDefault(_) => ColumnChange::Filled(Filled::Nothing),
            ast::AlterColumnOption::DropIdentity(_) | ast::AlterColumnOption::DropExpression(_) => {
                ColumnChange::StopFilling
            }
            ast::AlterColumnOption::AddGenerated(add) => {
                return self.filled(steps, column, self.tree.generated(add.syntax()));
            }
            _ if words.are(0, &["set", "generated"]) => {
                return self.filled(steps, column, Filled::Counted { always: words.is(2, "always") });
            }
            _ if words.are(0, &["set", "expression"]) => {
                return self.filled(steps, column, self.tree.generated(option.syntax()));
            }
            _ if super::create::counts_otherwise(self.words.from(1)) => {
                return self.review(steps, "a column counts otherwise");
            }
            _ => ColumnChange::Neutral(words.head(2)),
        };
        if let ast::AlterColumnOption::SetType(_) = &option
            && let Some(using) = (0..words.tokens.len()).find(|at| words.is(*at, "using"))
            && !only_cast(words.from(using + 1), &column)
        {
            self.review(steps, "USING puts other values into a column");
        }
        self.change(steps, column, change);
    }

    /// Something else fills a column; where it always does, a value that is given is refused.
    fn filled(&self, steps: &mut Steps, column: Ident, filled: Filled) {
        let always = filled == Filled::Counted { always: true };
        self.change(steps, column, ColumnChange::Filled(filled));
        if always {
            self.restrict(steps, Restriction::IdentityAlways);
        }
    }

    /// The actions that a few words tell.
    fn by_words(&self, steps: &mut Steps) {
        let words = self.words;
        match words.token(0).to_ascii_lowercase().as_str() {
            "drop" => self.drop(steps),
            "rename" => self.rename(steps),
            "validate" => match words.ident(2) {
                Some(constraint) => {
                    self.add(steps, Operation::ValidateConstraint { table: self.table.clone(), constraint });
                }
                None => self.unknown(steps),
            },
            "enable" | "disable" | "force" | "no" => self.enable(steps),
            "set" => self.set(steps),
            "owner" | "cluster" | "reset" | "options" => {
                self.neutral(steps, &format!("ALTER TABLE {}", words.head(2)));
            }
            "alter" if words.is(1, "constraint") => {
                let again = words.has("enforced") && !words.has("not");
                if again {
                    self.review(steps, "a constraint is enforced");
                } else if at_once(words) {
                    self.review(steps, "a constraint is no longer deferred");
                } else {
                    self.neutral(steps, "ALTER CONSTRAINT");
                }
            }
            "alter" => self.statistics(steps),
            "replica" if words.is(2, "full") => self.neutral(steps, "REPLICA IDENTITY FULL"),
            "replica" => self.review(steps, "another replica identity"),
            "attach" => {
                let partition = words.name(2).map(|(name, _)| name);
                let what = "a partition is attached".to_owned();
                self.add(steps, Operation::Review { what, table: partition.or_else(|| Some(self.table.clone())) });
            }
            "detach" => self.review(steps, "a partition is detached"),
            "split" | "merge" => self.review(steps, "partitions are split or merged"),
            "inherit" => self.review(steps, "the table inherits from another"),
            "of" | "not" => self.review(steps, "the table gets or leaves a type"),
            _ => self.unknown(steps),
        }
    }

    /// SET STATISTICS, SET (…), SET STORAGE of a column.
    fn statistics(&self, steps: &mut Steps) {
        let at = 1 + usize::from(self.words.is(1, "column"));
        match self.words.ident(at) {
            Some(column) => self.change(steps, column, ColumnChange::Neutral(self.words.from(at + 1).head(2))),
            None => self.neutral(steps, "ALTER TABLE ALTER COLUMN SET STATISTICS"),
        }
    }

    fn drop(&self, steps: &mut Steps) {
        let words = self.words;
        let constraint = words.is(1, "constraint") && words.tokens.len() > 2;
        let mut at = 1 + usize::from(constraint || words.is(1, "column"));
        let guarded = words.are(at, &["if", "exists"]);
        if guarded {
            at += 2;
        }
        let Some(name) = words.ident(at) else { return self.unknown(steps) };
        let (table, cascade) = (self.table.clone(), words.from(at + 1).has("cascade"));
        let operation = if constraint {
            Operation::DropConstraint { table, constraint: Some(name), said: None, cascade }
        } else {
            Operation::DropColumn { table, column: name, cascade }
        };
        steps.add_guarded(words, operation, guarded || self.guarded);
    }

    fn rename(&self, steps: &mut Steps) {
        let words = self.words;
        if words.is(1, "constraint") {
            let (Some(from), true, Some(to)) = (words.ident(2), words.is(3, "to"), words.ident(4)) else {
                return self.unknown(steps);
            };
            return self.add(steps, Operation::RenameIndex { table: Some(self.table.clone()), from, to });
        }
        if words.is(1, "to") {
            let Some(to) = words.ident(2) else { return self.unknown(steps) };
            let to = Name { schema: self.table.schema.clone(), name: to };
            return self.add(steps, Operation::Rename { kind: None, from: self.table.clone(), to });
        }
        let at = 1 + usize::from(words.is(1, "column") && !words.is(2, "to"));
        match (words.ident(at), words.is(at + 1, "to"), words.ident(at + 2)) {
            (Some(from), true, Some(to)) => {
                self.add(steps, Operation::RenameColumn { table: self.table.clone(), from, to });
            }
            _ => self.unknown(steps),
        }
    }

    fn enable(&self, steps: &mut Steps) {
        let words = self.words;
        let off = words.is(0, "disable") || words.is(0, "no");
        if words.has("security") {
            return match off {
                true => self.neutral(steps, &words.head(5)),
                false => self.restrict(steps, Restriction::RowSecurity),
            };
        }
        if words.is(1, "inherit") {
            return self.review(steps, "the table no longer inherits");
        }
        match (off, words.until(3).has("trigger"), words.until(3).has("rule")) {
            (false, true, _) => self.restrict(steps, Restriction::Trigger),
            (false, _, true) => self.restrict(steps, Restriction::Policy),
            (true, true, _) => self.review(steps, "a trigger is disabled"),
            (true, _, true) => self.review(steps, "a rule is disabled"),
            _ => self.unknown(steps),
        }
    }

    fn set(&self, steps: &mut Steps) {
        let words = self.words;
        if words.is(1, "schema") {
            let Some(schema) = words.ident(2) else { return self.unknown(steps) };
            let to = Name { schema: Some(schema).filter(|it| it.key != "public"), name: self.table.name.clone() };
            return self.add(steps, Operation::Rename { kind: None, from: self.table.clone(), to });
        }
        let known = ["tablespace", "logged", "unlogged", "access", "without"].iter().any(|it| words.is(1, it));
        if known || words.sign(1, b'(') {
            return self.neutral(steps, &format!("ALTER TABLE {}", words.head(2)));
        }
        self.unknown(steps);
    }
}

/// NOT DEFERRABLE, or INITIALLY IMMEDIATE of what is said to be deferrable already.
fn at_once(words: Words<'_>) -> bool {
    let deferrable = (0..words.tokens.len()).find(|at| words.is(*at, "deferrable"));
    match deferrable {
        Some(at) => words.is(at.wrapping_sub(1), "not"),
        None => words.has("immediate"),
    }
}

/// Whether an expression is a column itself, cast perhaps.
fn only_cast(words: Words<'_>, column: &Ident) -> bool {
    let all = words.tokens.len();
    if words.sign(0, b'(') && words.after_brackets(0) == all {
        return only_cast(words.until(all - 1).from(1), column);
    }
    let (inner, rest) = if words.is(0, "cast") && words.sign(1, b'(') {
        let close = words.after_brackets(1);
        let inside = words.until(close.saturating_sub(1)).from(2);
        let end = (0..inside.tokens.len()).rev().find(|at| inside.is(*at, "as")).unwrap_or(0);
        (inside.until(end), words.from(close))
    } else if words.sign(0, b'(') {
        let close = words.after_brackets(0);
        (words.until(close.saturating_sub(1)).from(1), words.from(close))
    } else {
        return words.ident(0).as_ref() == Some(column)
            && (all == 1 || words.sign(1, b':') && casts(words.from(1)));
    };
    inner.tokens.len() < all && only_cast(inner, column) && (rest.tokens.is_empty() || casts(rest))
}

/// `::type` as often as it stands there, and nothing else.
fn casts(words: Words<'_>) -> bool {
    const OTHER: &[&str] = &["at", "and", "or", "collate", "is", "in", "like", "case"];
    (0..words.tokens.len()).all(|at| {
        let sign = matches!(words.kind(at), Some(super::lex::Kind::Sign(sign)) if !b":.(),[]".contains(&sign));
        !sign && !OTHER.iter().any(|it| words.is(at, it))
    })
}
