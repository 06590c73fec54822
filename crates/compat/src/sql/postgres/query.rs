//! Statements about rows, and queries that may call anything.

use squawk_syntax::ast::{self, AstNode};

use super::column::Tree;
use super::lex::Kind;
use super::source::Words;
use super::{Steps, called, table};
use crate::operation::{Data, Name, Operation};
use crate::sql::common::copy;

/// SELECT, INSERT, UPDATE, DELETE, MERGE, with what they carry in WITH.
pub(super) fn read(tree: Tree<'_>, steps: &mut Steps) {
    let before = steps.list.len();
    if let Some(select) = ast::SelectInto::cast(tree.parsed.node.clone()).filter(|_| !steps.in_block) {
        let into = select.into_clause();
        let name = into.as_ref().and_then(squawk_syntax::ast::IntoClause::table_name);
        if let (Some(into), Some(name)) = (into, tree.name(name.as_ref().map(AstNode::syntax))) {
            let words = tree.of(into.syntax());
            let temporary = words.until(4).has("temp") || words.until(4).has("temporary");
            table::create_from_query(tree.words, name, temporary, false, steps);
        }
    }
    changes_within(tree, steps);
    if steps.list.len() == before {
        calls(tree.words, steps);
    }
}

/// A step for each INSERT, UPDATE, DELETE and MERGE of a statement.
pub(super) fn changes_within(tree: Tree<'_>, steps: &mut Steps) {
    for node in tree.parsed.node.descendants() {
        if let Some(insert) = ast::Insert::cast(node.clone()) {
            let table = tree.name(insert.relation_name_ref().as_ref().map(AstNode::syntax));
            change(tree.of(&node), Data::Insert, table, false, steps);
        } else if let Some(update) = ast::Update::cast(node.clone()) {
            let every_row = update.where_clause_or_current_of().is_none();
            change(tree.of(&node), Data::Update, relation(tree, update.relation_name()), every_row, steps);
        } else if let Some(delete) = ast::Delete::cast(node.clone()) {
            let every_row = delete.where_clause_or_current_of().is_none();
            change(tree.of(&node), Data::Delete, relation(tree, delete.relation_name()), every_row, steps);
        } else if let Some(merge) = ast::Merge::cast(node.clone()) {
            let name = merge.table_relation_name().and_then(|name| name.table_name_ref());
            let table = tree.name(name.as_ref().map(AstNode::syntax));
            for (data, found) in merged(&merge) {
                if found {
                    change(tree.of(&node), data, table.clone(), false, steps);
                }
            }
        }
    }
}

/// Rows change; those of the catalogue are the schema itself.
fn change(words: Words<'_>, data: Data, table: Option<Name>, every_row: bool, steps: &mut Steps) {
    let catalogue = |name: &Name| {
        let schema = name.schema.as_ref().map(|schema| schema.key.as_str());
        schema == Some("pg_catalog") || (schema.is_none() && name.name.key.starts_with("pg_"))
    };
    if table.as_ref().is_some_and(catalogue) {
        return steps.review(words, "the catalogue is changed by hand", None);
    }
    if let (Data::Insert, Some(table)) = (data, &table)
        && words.has("select")
        && let Some(copy) = copy::of_postgres(words.text(), true)
    {
        return steps.add(words, copy.into(table.clone()));
    }
    steps.add(words, Operation::Data { data, table, every_row });
}

/// What a MERGE does.
fn merged(merge: &ast::Merge) -> [(Data, bool); 3] {
    let has = |can_cast: fn(squawk_syntax::SyntaxKind) -> bool| {
        merge.syntax().descendants().any(|node| can_cast(node.kind()))
    };
    [
        (Data::Insert, has(ast::MergeInsert::can_cast)),
        (Data::Update, has(ast::MergeUpdate::can_cast)),
        (Data::Delete, has(ast::MergeDelete::can_cast)),
    ]
}

fn relation(tree: Tree<'_>, name: Option<ast::RelationName>) -> Option<Name> {
    let name = name?.relation_name_ref();
    tree.name(name.as_ref().map(AstNode::syntax))
}

/// An INSERT by its head; whether the rest is certain to be rows.
pub(super) fn by_head(words: Words<'_>, steps: &mut Steps) -> bool {
    const OTHER: &[&str] = &["delete", "merge", "alter", "drop", "create", "truncate", "grant", "revoke", "call"];
    let Some((table, _)) = words.is(1, "into").then(|| words.name(2)).flatten() else { return false };
    let certain = words.has("values") && !OTHER.iter().any(|it| words.has(it)) && !has_unended(words);
    if certain {
        steps.add(words, Operation::Data { data: Data::Insert, table: Some(table), every_row: false });
    }
    certain
}

fn has_unended(words: Words<'_>) -> bool {
    words.tokens.iter().any(|token| token.kind == Kind::Unended)
}

/// A query by the functions that it calls.
pub(super) fn calls(words: Words<'_>, steps: &mut Steps) {
    let before = steps.list.len();
    let (mut known, mut unknown, mut numbered) = (false, None, false);
    for at in 0..words.tokens.len() {
        if !words.sign(at + 1, b'(') {
            continue;
        }
        let Some(name) = words.ident(at) else { continue };
        if ENDS_OTHERS.contains(&name.key.as_str()) {
            return steps.review(words, "it ends other sessions", None);
        }
        // Rules see whether the sequence is an old one.
        numbered |= name.key == "setval" && words.sign(at + 3, b',') && words.kind(at + 4) == Some(Kind::Number);
        let listed = |list: &[&str]| list.binary_search(&name.key.as_str()).is_ok();
        let keyword = words.kind(at) == Some(Kind::Word) && listed(KEYWORDS);
        // WITH name (columns) AS, an alias's columns and a type's length call nothing.
        if keyword || listed(HARMLESS) || defines(words, at) {
            continue;
        }
        let close = words.after_brackets(at + 1).saturating_sub(1);
        if called::call(words, &name, words.until(close).from(at + 2), steps) {
            known = true;
        } else if unknown.is_none() {
            unknown = Some(name);
        }
    }
    let Some(unknown) = unknown else {
        if numbered {
            steps.add(words, Operation::Data { data: Data::Select, table: None, every_row: false });
        } else if !known || steps.list.len() == before {
            steps.neutral(words, &words.head(1));
        }
        return;
    };
    steps.add(words, Operation::Data { data: Data::Select, table: None, every_row: false });
    // What is called must show, however long the query is and however it is spaced.
    let call = format!("{unknown}(");
    if let Some(step) = steps.list.last_mut().filter(|step| !step.text.contains(&call)) {
        let begin: String = step.text.chars().take(80).collect();
        step.text = crate::operation::one_line(&format!("{begin} … {call}…)"));
    }
}

/// Whether a name before a bracket names a query of WITH or an alias.
fn defines(words: Words<'_>, at: usize) -> bool {
    let before = at.wrapping_sub(1);
    words.is(before, "with")
        || words.is(before, "recursive")
        || words.is(before, "as")
        || words.is(words_after(words, at), "as")
}

fn words_after(words: Words<'_>, at: usize) -> usize {
    // Only the nearest bracket is looked through: lists of columns are short.
    (at + 1..(at + 60).min(words.tokens.len())).find(|it| words.sign(*it, b')')).map_or(usize::MAX - 8, |it| it + 1)
}

/// What ends what others do.
const ENDS_OTHERS: &[&str] = &["pg_cancel_backend", "pg_terminate_backend"];

/// Words before a bracket that call nothing, sorted.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "between",
    "bit",
    "by",
    "case",
    "char",
    "character",
    "check",
    "cube",
    "decimal",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "float",
    "from",
    "group",
    "having",
    "in",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "like",
    "limit",
    "materialized",
    "not",
    "numeric",
    "offset",
    "on",
    "or",
    "over",
    "partition",
    "perform",
    "recursive",
    "returning",
    "rollup",
    "row",
    "select",
    "sets",
    "some",
    "then",
    "time",
    "timestamp",
    "timestamptz",
    "union",
    "using",
    "values",
    "varbit",
    "varchar",
    "varying",
    "when",
    "where",
    "with",
];

/// Functions whose call leaves no trace that code could notice, sorted.
const HARMLESS: &[&str] = &[
    "abs",
    "add_compression_policy",
    "add_continuous_aggregate_policy",
    "add_dimension",
    "add_retention_policy",
    "age",
    "array_agg",
    "array_append",
    "array_length",
    "array_position",
    "array_remove",
    "array_to_string",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "cast",
    "ceil",
    "ceiling",
    "char_length",
    "chr",
    "clock_timestamp",
    "coalesce",
    "col_description",
    "concat",
    "concat_ws",
    "convert_from",
    "convert_to",
    "count",
    "create_hypertable",
    "current_database",
    "current_schema",
    "current_setting",
    "currval",
    "date",
    "date_part",
    "date_trunc",
    "decode",
    "dense_rank",
    "digest",
    "encode",
    "every",
    "exp",
    "extract",
    "first_value",
    "floor",
    "format",
    "format_type",
    "gen_random_bytes",
    "gen_random_uuid",
    "generate_series",
    "generate_subscripts",
    "greatest",
    "has_column_privilege",
    "has_database_privilege",
    "has_schema_privilege",
    "has_table_privilege",
    "hashtext",
    "initcap",
    "json_agg",
    "json_array_elements",
    "json_array_elements_text",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_each_text",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_array_length",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_set",
    "jsonb_strip_nulls",
    "jsonb_typeof",
    "lag",
    "last_value",
    "lastval",
    "lead",
    "least",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_interval",
    "max",
    "md5",
    "min",
    "mod",
    "nextval",
    "now",
    "ntile",
    "nullif",
    "obj_description",
    "octet_length",
    "overlay",
    "pg_advisory_lock",
    "pg_advisory_unlock",
    "pg_advisory_xact_lock",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_serial_sequence",
    "pg_get_viewdef",
    "pg_notify",
    "pg_sleep",
    "pg_table_is_visible",
    "pg_total_relation_size",
    "pg_try_advisory_lock",
    "pg_try_advisory_xact_lock",
    "pg_typeof",
    "position",
    "power",
    "quote_ident",
    "quote_literal",
    "quote_nullable",
    "random",
    "rank",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "row_to_json",
    "rpad",
    "rtrim",
    "set_config",
    "set_integer_now_func",
    "setseed",
    "setval",
    "sha256",
    "sign",
    "split_part",
    "sqrt",
    "statement_timestamp",
    "string_agg",
    "string_to_array",
    "strpos",
    "substr",
    "substring",
    "sum",
    "timeofday",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_regproc",
    "to_regtype",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trim",
    "trunc",
    "unaccent",
    "unnest",
    "upper",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuid_generate_v5",
    "uuidv7",
    "version",
];

#[cfg(test)]
mod tests {
    use super::{HARMLESS, KEYWORDS};

    #[test]
    fn lists_that_are_searched_by_halves_are_sorted() {
        assert!(HARMLESS.is_sorted(), "harmless functions");
        assert!(KEYWORDS.is_sorted(), "keywords");
    }
}
