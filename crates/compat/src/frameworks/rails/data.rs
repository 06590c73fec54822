//! Rows that a migration changes through models, and what else a program may do.
//!
//! Not here: schema statements.

use tree_sitter::Node;

use super::super::emit;
use super::super::syntax::{field, find_all};
use super::reader::{Reader, Scope};
use super::ruby::Invocation;
use super::words;
use crate::operation::{Data, Operation};

/// Methods that only look, build or format. Whatever is not here may act.
const PURE: &[&str] = &[
    "where",
    "not",
    "all",
    "find",
    "find_by",
    "find_by!",
    "first",
    "last",
    "take",
    "pluck",
    "ids",
    "select",
    "count",
    "exists?",
    "any?",
    "none?",
    "empty?",
    "present?",
    "blank?",
    "nil?",
    "size",
    "length",
    "order",
    "limit",
    "joins",
    "left_joins",
    "left_outer_joins",
    "includes",
    "preload",
    "eager_load",
    "group",
    "having",
    "distinct",
    "unscoped",
    "references",
    "in_batches",
    "find_each",
    "find_in_batches",
    "each",
    "map",
    "flat_map",
    "each_slice",
    "to_a",
    "to_s",
    "to_i",
    "to_sym",
    "to_h",
    "to_json",
    "compact",
    "uniq",
    "sort",
    "sort_by",
    "reject",
    "filter",
    "flatten",
    "first!",
    "merge",
    "slice",
    "except",
    "keys",
    "values",
    "dig",
    "fetch",
    "key?",
    "include?",
    "join",
    "split",
    "gsub",
    "sub",
    "strip",
    "downcase",
    "upcase",
    "freeze",
    "squish",
    "strip_heredoc",
    "new",
    "now",
    "current",
    "today",
    "ago",
    "zone",
    "env",
    "production?",
    "test?",
    "development?",
    "root",
    "table_exists?",
    "column_exists?",
    "index_exists?",
    "foreign_key_exists?",
    "data_source_exists?",
    "view_exists?",
    "index_name_exists?",
    "check_constraint_exists?",
    "constraint_exists?",
    "extension_enabled?",
    "extension_available?",
    "column_names",
    "columns",
    "columns_hash",
    "indexes",
    "foreign_keys",
    "tables",
    "primary_key",
    "table_name",
    "connection",
    "adapter_name",
    "quote",
    "quote_table_name",
    "quote_column_name",
    "quote_string",
    "name",
    "id",
    "maximum",
    "minimum",
    "sum",
    "with_index",
    "index",
    "zip",
    "dup",
    "is_a?",
    "respond_to?",
    "class",
    "constantize",
    "safe_constantize",
    "defined?",
    "database_version",
    "supports_json?",
    "days",
    "day",
    "hours",
    "hour",
    "minutes",
    "minute",
    "seconds",
    "second",
    "month",
    "months",
    "year",
    "years",
    "arel_table",
    "eq",
    "lt",
    "gt",
    "and",
    "or",
    "rewhere",
    "reorder",
    "unscope",
    "readonly",
    "lock",
    "config",
    "configuration",
    "generators",
    "options",
    "orm",
    "then",
    "uuid",
    "hex",
    "parse",
    "raise",
    "block_given?",
    "reverting?",
    "postgresql?",
    "mysql?",
    "puts",
    "say",
    "p",
    "warn",
    "reset_column_information",
    "info",
    "debug",
    "logger",
    "with_deleted",
    "with_discarded",
    "rows",
    "column_for",
    "find_sole_by",
    "index_by",
    "group_by",
    "reduce",
    "inject",
    "max",
    "min",
    "zero?",
    "positive?",
    "even?",
    "odd?",
    "succ",
    "times",
    "lambda",
    "proc",
    "limits",
    "data_source_sql",
    "base_class",
    "sanitize_sql",
    "sanitize_sql_array",
    "human_attribute_name",
    "t",
    "l",
    "select_values",
    "select_value",
    "select_all",
    "select_one",
    "select_rows",
    "enum",
    "belongs_to",
    "has_many",
    "has_one",
    "scope",
    "validates",
    "serialize",
    "attribute",
    "store",
    "default_scope",
    "match?",
    "start_with?",
    "end_with?",
    "positive_or_zero?",
    "load",
    "reload",
    "pick",
    "sole",
    "tr",
    "titleize",
    "humanize",
    "parameterize",
    "camelize",
    "classify",
    "tableize",
    "underscore",
    "pluralize",
    "singularize",
    "capitalize",
    "delete_suffix",
    "delete_prefix",
    "chomp",
    "ljust",
    "rjust",
    "center",
    "presence",
    "try",
    "sample",
    "rand",
    "shuffle",
    "deep_dup",
    "with_indifferent_access",
    "symbolize_keys",
    "stringify_keys",
    "transform_keys",
    "transform_values",
    "each_with_object",
    "each_with_index",
    "each_value",
    "each_key",
    "each_pair",
    "lazy",
    "in_groups_of",
    "progress_increment",
    "attributes",
    "read_attribute",
    "changed?",
    "valid?",
    "persisted?",
    "new_record?",
    "utc",
    "beginning_of_day",
    "end_of_day",
    "from_now",
    "since",
    "to_date",
    "to_time",
    "to_datetime",
    "strftime",
    "iso8601",
    "round",
    "floor",
    "ceil",
    "abs",
];

/// Methods by which a model changes rows.
const CHANGES: &[(&str, Data)] = &[
    ("update_all", Data::Update),
    ("update", Data::Update),
    ("update!", Data::Update),
    ("update_columns", Data::Update),
    ("update_column", Data::Update),
    ("update_attribute", Data::Update),
    ("update_attribute!", Data::Update),
    ("update_attributes", Data::Update),
    ("update_attributes!", Data::Update),
    ("update_counters", Data::Update),
    ("reset_counters", Data::Update),
    ("increment!", Data::Update),
    ("decrement!", Data::Update),
    ("toggle!", Data::Update),
    ("touch", Data::Update),
    ("touch_all", Data::Update),
    ("save", Data::Update),
    ("save!", Data::Update),
    ("upsert", Data::Update),
    ("upsert_all", Data::Update),
    ("create", Data::Insert),
    ("create!", Data::Insert),
    ("insert", Data::Insert),
    ("insert!", Data::Insert),
    ("insert_all", Data::Insert),
    ("insert_all!", Data::Insert),
    ("find_or_create_by", Data::Insert),
    ("find_or_create_by!", Data::Insert),
    ("first_or_create", Data::Insert),
    ("first_or_create!", Data::Insert),
    ("create_or_find_by", Data::Insert),
    ("create_or_find_by!", Data::Insert),
    ("delete_all", Data::Delete),
    ("destroy_all", Data::Delete),
    ("delete_by", Data::Delete),
    ("destroy_by", Data::Delete),
    ("destroy", Data::Delete),
    ("destroy!", Data::Delete),
    ("delete", Data::Delete),
];

fn change(word: &str) -> Option<Data> {
    CHANGES.iter().find(|(name, _)| *name == word).map(|(_, data)| *data)
}

/// Whether something in an expression may act: any call that is not known to look only.
pub fn acts(reader: &Reader<'_>, node: Node<'_>) -> bool {
    find_all(node, &["call", "yield", "subshell", "ERROR", "super"]).into_iter().any(|call| {
        let Some(method) = field(call, "method") else { return true };
        let word = reader.ruby.text_of(method);
        // What is handed to a pure call is looked at by itself.
        let bare = word.trim_start_matches(|char: char| !char.is_alphabetic());
        method.kind() != "constant" && !PURE.contains(&bare)
    }) || (node.kind() == "identifier" && !PURE.contains(&reader.ruby.text_of(node)))
}

/// Whether a condition does more than ask. A question's own method may be called anything.
pub fn changes(reader: &Reader<'_>, node: Node<'_>) -> bool {
    const STARTS: &[&str] = &["add_", "remove_", "drop_", "create_", "rename_", "change_", "execute", "exec_"];
    find_all(node, &["call"]).into_iter().any(|call| {
        let word = field(call, "method").map(|method| reader.ruby.text_of(method)).unwrap_or_default();
        change(word).is_some() || STARTS.iter().any(|start| word.starts_with(start))
    })
}

/// `boat.name` as a part of something: an attribute, not an act.
fn reads_attribute(call: Node<'_>, word: &str) -> bool {
    let part =
        call.parent().is_some_and(|parent| !matches!(parent.kind(), "body_statement" | "block_body" | "then"));
    part && field(call, "receiver").is_some()
        && field(call, "arguments").is_none()
        && field(call, "block").is_none()
        && !word.ends_with('!')
}

/// The model at the head of a chain of calls: `User.where(…).in_batches`.
fn head<'p>(mut node: Node<'p>) -> (Node<'p>, usize) {
    let mut links = 0;
    while node.kind() == "call" {
        let Some(receiver) = field(node, "receiver") else { break };
        node = receiver;
        links += 1;
    }
    (node, links)
}

/// A call on something that is neither the migration nor a table's block.
pub fn call<'p>(reader: &mut Reader<'p>, call: &Invocation<'p>, scope: &Scope) {
    let Some(receiver) = call.receiver else { return };
    let (model, links) = head(receiver);
    let text = reader.ruby.text_of(model).to_owned();
    let table = words::constant(&text).map(|model| emit::name(reader.dialect, &reader.ruby.table_of(model)));
    let logs = ["Rails.logger", "logger", "$stdout", "STDOUT", "$stderr"]
        .iter()
        .any(|log| reader.ruby.text_of(receiver).starts_with(log));
    if logs {
        return;
    }
    if let (Some(data), Some(table)) = (change(&call.word), &table)
        && !inner_acts(reader, call.node)
    {
        let narrowed = links > 0 && reader.ruby.text_of(receiver).contains("where")
            || matches!(call.word.as_str(), "delete_by" | "destroy_by" | "delete" | "destroy" | "update");
        let every_row = !narrowed && matches!(data, Data::Update | Data::Delete);
        reader.put(Operation::Data { data, table: Some(table.clone()), every_row }, call.node, scope);
        return;
    }
    let looping = call.block.filter(|_| words::constant(&text).is_some());
    if let Some(block) = looping {
        let mut found = vec![];
        for inner in find_all(block, &["call"]) {
            let word = field(inner, "method").map(|method| reader.ruby.text_of(method)).unwrap_or_default();
            match change(word) {
                Some(data) => found.push(data),
                None if PURE.contains(&word) => {}
                None if word.ends_with('=') || reads_attribute(inner, word) => {}
                None => return reader.put_code(call.node, scope),
            }
        }
        if let Some(data) = found.into_iter().max_by_key(|data| matches!(data, Data::Delete)) {
            let every_row = !reader.ruby.text_of(receiver).contains("where");
            reader.put(Operation::Data { data, table, every_row }, call.node, scope);
        }
        return;
    }
    if acts(reader, call.node) {
        reader.put_code(call.node, scope);
    }
}

/// Whether anything but the change itself may act.
fn inner_acts(reader: &Reader<'_>, node: Node<'_>) -> bool {
    find_all(node, &["call"]).into_iter().any(|call| {
        let word = field(call, "method").map(|method| reader.ruby.text_of(method)).unwrap_or_default();
        !PURE.contains(&word) && change(word).is_none()
    })
}
