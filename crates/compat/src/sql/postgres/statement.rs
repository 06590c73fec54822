//! One statement: which family it belongs to.

use squawk_syntax::ast::{self, AstNode};

use super::column::Tree;
use super::lex::Kind;
use super::parse::{Parsed, parse};
use super::source::Words;
use super::{Steps, alter, block, cockroach, create, drop, others, query, routine, table, view};
use crate::operation::{Operation, Unread};
use crate::sql::common::copy;

/// The largest INSERT that is parsed whole, in bytes; of a larger one the head says enough.
const INSERT_BYTES: usize = 64 << 10;

/// What a statement does.
pub(super) fn read(words: Words<'_>, steps: &mut Steps) {
    read_without(words, &[], steps);
}

/// The same, where something at some places of the text is left out.
pub(super) fn read_without(words: Words<'_>, without: &[(usize, usize)], steps: &mut Steps) {
    if words.kind(0) == Some(Kind::Psql) {
        return psql(words, steps);
    }
    if words.tokens.first().is_some_and(|token| words.source.lexed.masked.covers(token.start, token.end)) {
        return steps.unread(words, Unread::Dynamic);
    }
    if words.tokens.iter().any(|token| token.kind == Kind::UnicodeName) && words.has("uescape") {
        return steps.unread(words, Unread::Syntax { words: "a name with an escape of its own".to_owned() });
    }
    if words.is(0, "insert") && words.end() - words.start() > INSERT_BYTES && query::by_head(words, steps) {
        return;
    }
    match parse(words, without, steps.limits) {
        Ok(parsed) => self::parsed(words, &parsed, steps),
        Err(_) if others::harmless_head(words) => others::read(words, steps),
        Err(_) if words.is(0, "insert") && query::by_head(words, steps) => {}
        Err(_) if cockroach::read(words, steps) => {}
        Err(why) => without_additions(words, why, steps),
    }
}

/// A statement that is PostgreSQL's once what only CockroachDB has is left out.
fn without_additions(words: Words<'_>, why: Unread, steps: &mut Steps) {
    let additions = cockroach::additions(words);
    match parse(words, &additions.places, steps.limits) {
        Ok(parsed) if !additions.places.is_empty() => {
            let around = steps.guarded;
            steps.guarded |= additions.guarded;
            self::parsed(words, &parsed, steps);
            steps.guarded = around;
        }
        _ => steps.unread(words, why),
    }
}

/// What a statement does that was parsed.
pub(super) fn parsed(words: Words<'_>, parsed: &Parsed, steps: &mut Steps) {
    let tree = Tree { words, parsed };
    let Some(statement) = ast::Stmt::cast(parsed.node.clone()) else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    match &statement {
        ast::Stmt::CreateTable(_) | ast::Stmt::CreateForeignTable(_) => table::create(tree, steps),
        ast::Stmt::CreateTableAs(_) => match table::named(tree) {
            Some((name, guarded)) => {
                let temporary = table::temporary(words, &name);
                table::create_from_query(words, name.clone(), temporary, guarded, steps);
                if let Some(copy) = copy::of_postgres(words.text(), false) {
                    steps.add_guarded(words, copy.into(name), guarded);
                }
                query::changes_within(tree, steps);
            }
            None => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
        },
        ast::Stmt::CreateIndex(index) => table::index(tree, index, steps),
        ast::Stmt::AlterTable(_) | ast::Stmt::AlterForeignTable(_) => alter::table(tree, steps),
        ast::Stmt::CreateView(view) => view::create(tree, view, steps),
        ast::Stmt::CreateMaterializedView(view) => view::materialized(tree, view, steps),
        ast::Stmt::CreateFunction(_) | ast::Stmt::CreateProcedure(_) => routine::create(tree, steps),
        ast::Stmt::Do(_) => block::read(words, steps),
        ast::Stmt::Select(_)
        | ast::Stmt::SelectInto(_)
        | ast::Stmt::ParenSelect(_)
        | ast::Stmt::CompoundSelect(_)
        | ast::Stmt::Values(_)
        | ast::Stmt::Table(_)
        | ast::Stmt::Insert(_)
        | ast::Stmt::Update(_)
        | ast::Stmt::Delete(_)
        | ast::Stmt::Merge(_) => query::read(tree, steps),
        ast::Stmt::Explain(_) if words.until(8).has("analyze") || words.until(8).has("analyse") => {
            query::read(tree, steps);
        }
        _ if words.is(0, "create") => create::read(tree, steps),
        _ if words.is(0, "alter") => create::alter(words, steps),
        _ if words.is(0, "drop") => drop::read(words, steps),
        _ => others::read(words, steps),
    }
}

/// A line for psql.
fn psql(words: Words<'_>, steps: &mut Steps) {
    let line = words.text();
    let command = line.split_whitespace().next().unwrap_or_default();
    match command.trim_start_matches('\\') {
        "i" | "ir" | "include" | "include_relative" | "!" | "if" | "elif" | "else" | "endif" => {
            let what = line.chars().take(80).collect();
            steps.unread(words, Unread::Code { what });
        }
        "gexec" => steps.unread(words, Unread::Dynamic),
        "copy" => {
            let operation = Operation::Data { data: crate::operation::Data::Insert, table: None, every_row: false };
            steps.add(words, operation);
        }
        _ => steps.neutral(words, command),
    }
}
