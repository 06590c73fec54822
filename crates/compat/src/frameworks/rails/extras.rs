//! Constraints, enums, views, extensions, and what well-known libraries add to Rails.
//!
//! strong_migrations, online_migrations, scenic, fx, GitLab's helpers. What they do beyond a plain
//! statement (locks, batches) is not compatibility and left out; what is not known is unread.

use super::super::emit;
use super::super::syntax::Value;
use super::columns::filled;
use super::reader::{Reader, Scope};
use super::ruby::Invocation;
use super::schema::{after_table, checked};
use super::words;
use crate::operation::{
    Checked, Column, Constraint, ConstraintKind, Data, Filled, Kind, Maybe, Name, Operation, Signature, TypeBody,
};

/// Statements about constraints, the table's name first.
pub const CONSTRAINTS: &[&str] = &[
    "add_foreign_key",
    "remove_foreign_key",
    "validate_foreign_key",
    "add_check_constraint",
    "remove_check_constraint",
    "validate_check_constraint",
    "validate_constraint",
    "add_exclusion_constraint",
    "remove_exclusion_constraint",
    "add_unique_constraint",
    "remove_unique_constraint",
    "comment",
];

fn dropped(table: Name, constraint: Option<crate::operation::Ident>, said: &str) -> Operation {
    Operation::DropConstraint { table, constraint, said: Some(said.to_owned()), cascade: false }
}

impl<'p> Reader<'p> {
    /// A statement about a constraint of a table.
    pub fn constraint_statement(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let named = call.option("name").and_then(Value::text).map(|name| self.ident(name));
        if call.splat || call.option("name").is_some_and(|name| name.text().is_none()) {
            return self.put_code(call.node, scope);
        }
        let add = |constraint, checked| Operation::AddConstraint { table: table.clone(), constraint, checked };
        let rows =
            if call.given("validate") == Some(&Value::Truth(false)) { Checked::NewRows } else { Checked::All };
        let operation = match call.word.as_str() {
            "add_foreign_key" => {
                let Some(to) = call.text(0) else { return self.put_code(call.node, scope) };
                let columns = match call.option("column") {
                    None => vec![format!("{}_id", words::singular(to.rsplit('.').next().unwrap_or(to)))],
                    Some(value) => match value.texts() {
                        Some(columns) => columns,
                        None => return self.put_code(call.node, scope),
                    },
                };
                add(self.words().foreign_key(to, &columns, &call.names), rows)
            }
            "remove_foreign_key" => dropped(table, named, "foreign-key"),
            "add_check_constraint" => {
                let Some(expression) = call.text(0) else { return self.put_code(call.node, scope) };
                add(self.check(named, expression), rows)
            }
            "remove_check_constraint" => dropped(table, named, "check"),
            "add_exclusion_constraint" => {
                add(Constraint { name: named, kind: ConstraintKind::Exclude }, Checked::All)
            }
            "remove_exclusion_constraint" => dropped(table, named, "exclude"),
            "add_unique_constraint" => {
                let columns = call.places.first().and_then(Value::texts).unwrap_or_default();
                if columns.is_empty() && call.option("using_index").is_none() {
                    return self.put_code(call.node, scope);
                }
                let columns = columns.iter().map(|column| self.ident(column)).collect();
                let nulls_equal = call.is("nulls_not_distinct");
                let kind = ConstraintKind::Unique { columns, partial: None, nulls_equal };
                add(Constraint { name: named, kind }, Checked::All)
            }
            "remove_unique_constraint" => dropped(table, named, "unique"),
            "comment" => Operation::Neutral { what: "comment".to_owned() },
            _ => match named.or_else(|| call.text(0).map(|name| self.ident(name))) {
                Some(constraint) if call.word != "validate_foreign_key" || call.option("name").is_some() => {
                    Operation::ValidateConstraint { table, constraint }
                }
                _ => Operation::Neutral { what: call.word.clone() },
            },
        };
        self.put(operation, call.node, scope);
    }

    fn check(&self, name: Option<crate::operation::Ident>, expression: &str) -> Constraint {
        let words: Vec<&str> = expression.split_whitespace().collect();
        let not_null = match words.as_slice() {
            [column, is, not, null]
                if is.eq_ignore_ascii_case("is")
                    && not.eq_ignore_ascii_case("not")
                    && null.eq_ignore_ascii_case("null") =>
            {
                vec![self.ident(column.trim_matches(['"', '`', '(']))]
            }
            _ => vec![],
        };
        Constraint { name, kind: ConstraintKind::Check { expression: expression.to_owned(), not_null } }
    }

    /// A statement without a table, or of a library. Whether it is one.
    pub fn extra_call(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> bool {
        let guarded =
            Scope { guarded: scope.guarded || call.is("if_exists") || call.is("if_not_exists"), ..scope.clone() };
        let name = |place: usize| call.text(place).map(|text| emit::name(self.dialect, text));
        let operations = match call.word.as_str() {
            "enable_extension" | "disable_extension" | "create_schema" | "drop_schema" => name(0).map(|name| {
                let kind = if call.word.ends_with("schema") { Kind::Schema } else { Kind::Extension };
                vec![if matches!(call.word.as_str(), "enable_extension" | "create_schema") {
                    Operation::Create { kind, name, table: None }
                } else {
                    Operation::Drop { kind, name, table: None, cascade: false }
                }]
            }),
            "create_enum" => name(0)
                .zip(call.places.get(1).and_then(Value::texts))
                .map(|(name, values)| vec![Operation::CreateType { name, body: TypeBody::Enum(values) }]),
            "drop_enum" => name(0).map(|name| vec![drop_object(Kind::Type, name)]),
            "add_enum_value" => name(0)
                .zip(call.text(1))
                .map(|(name, value)| vec![Operation::AddEnumValue { name, value: value.to_owned() }]),
            "rename_enum_value" => {
                let part = |key: &str, place| call.option(key).and_then(Value::text).or_else(|| call.text(place));
                match (name(0), part("from", 1), part("to", 2)) {
                    (Some(name), Some(from), Some(to)) => {
                        Some(vec![Operation::RenameEnumValue { name, from: from.to_owned(), to: to.to_owned() }])
                    }
                    _ => None,
                }
            }
            "rename_enum" => {
                let to = call.option("to").and_then(Value::text).or_else(|| call.text(1));
                name(0).zip(to).map(|(from, to)| {
                    let to = emit::beside(self.dialect, &from, to);
                    vec![Operation::Rename { kind: Some(Kind::Type), from, to }]
                })
            }
            "create_view" | "replace_view" | "update_view" | "drop_view" => self.view(call),
            "create_function" | "update_function" | "drop_function" | "create_trigger" | "update_trigger"
            | "drop_trigger" | "create_aggregate" | "drop_aggregate" => self.routine(call),
            _ => return self.helper_call(call, &guarded),
        };
        match operations {
            Some(operations) => {
                for operation in operations {
                    self.put(operation, call.node, &guarded);
                }
            }
            None => self.put_code(call.node, scope),
        }
        true
    }

    /// scenic.
    fn view(&self, call: &Invocation<'p>) -> Option<Vec<Operation>> {
        let view = emit::name(self.dialect, call.text(0)?);
        let materialized = call.option("materialized").is_some_and(|value| value.truth() != Some(false));
        let kind = if materialized { Kind::MaterializedView } else { Kind::View };
        let create = |replace| Operation::CreateView {
            view: view.clone(),
            columns: Maybe::Unknown,
            replace,
            materialized,
            simple_over: None,
        };
        Some(match call.word.as_str() {
            "create_view" => vec![create(false)],
            "replace_view" => vec![create(true)],
            "update_view" => vec![drop_object(kind, view.clone()), create(false)],
            _ => vec![drop_object(kind, view)],
        })
    }

    /// fx.
    fn routine(&self, call: &Invocation<'p>) -> Option<Vec<Operation>> {
        let routine = emit::name(self.dialect, call.text(0)?);
        let create = |replace| Operation::CreateRoutine {
            kind: Kind::Function,
            routine: routine.clone(),
            signature: Signature { parameters: Maybe::Unknown, returns: None },
            replace,
        };
        let table = call.option("on").and_then(Value::text).map(|table| emit::name(self.dialect, table));
        let trigger = || Operation::Create { kind: Kind::Trigger, name: routine.clone(), table: table.clone() };
        let untrigger =
            || Operation::Drop { kind: Kind::Trigger, name: routine.clone(), table: table.clone(), cascade: false };
        Some(match call.word.as_str() {
            "create_function" => vec![create(true)],
            "update_function" => vec![drop_object(Kind::Function, routine.clone()), create(false)],
            "drop_function" => vec![drop_object(Kind::Function, routine)],
            "create_trigger" => vec![trigger()],
            "update_trigger" => vec![untrigger(), trigger()],
            "drop_trigger" => vec![untrigger()],
            "create_aggregate" => vec![Operation::Create { kind: Kind::Other, name: routine, table: None }],
            _ => vec![drop_object(Kind::Other, routine)],
        })
    }

    /// Helpers that people know by name. Whether it is one.
    fn helper_call(&mut self, call: &Invocation<'p>, scope: &Scope) -> bool {
        let plain = match call.word.as_str() {
            "add_concurrent_index" | "add_index_concurrently" => "add_index",
            "remove_concurrent_index" | "remove_index_concurrently" => "remove_index",
            "add_reference_concurrently" => "add_reference",
            "add_concurrent_foreign_key" => return self.gitlab_key(call, scope),
            "remove_concurrent_index_by_name" => {
                return self.known(call, scope, |reader, call| {
                    let table = emit::name(reader.dialect, call.text(0)?);
                    let name = call.option("name").and_then(Value::text).or_else(|| call.text(1))?;
                    let name = emit::beside(reader.dialect, &table, name);
                    Some(vec![Operation::DropIndex { name, table: Some(table) }])
                });
            }
            "add_column_with_default" => {
                return self.known(call, scope, |reader, call| {
                    let table = emit::name(reader.dialect, call.text(0)?);
                    let mut column = reader.words().column(call.text(1)?, call.text(2)?, &call.names);
                    let null = call.given("null").or_else(|| call.given("allow_null"));
                    let strict = call.given("null") == Some(&Value::Truth(false))
                        || (null.is_none() || call.given("allow_null") == Some(&Value::Truth(false)));
                    column.not_null = Maybe::Known(strict && call.given("null") != Some(&Value::Truth(true)));
                    Some(vec![Operation::AddColumn { table, column }])
                });
            }
            "add_text_limit" | "add_not_null_constraint" => return self.gitlab_check(call, scope),
            "remove_text_limit" | "remove_not_null_constraint" => {
                return self.known(call, scope, |reader, call| {
                    Some(vec![dropped(emit::name(reader.dialect, call.text(0)?), None, "check")])
                });
            }
            "validate_text_limit" | "validate_not_null_constraint" => {
                return self.known(call, scope, |_, call| {
                    call.text(1)?;
                    Some(vec![Operation::Neutral { what: call.word.clone() }])
                });
            }
            "update_column_in_batches"
            | "backfill_column_in_background"
            | "backfill_column_for_type_change"
            | "update_columns_in_batches" => {
                return self.known(call, scope, |reader, call| {
                    let table = Some(emit::name(reader.dialect, call.text(0)?));
                    Some(vec![Operation::Data { data: Data::Update, table, every_row: true }])
                });
            }
            "rename_column_concurrently" => return self.renamed_slowly(call, scope),
            "cleanup_concurrent_column_rename" | "undo_rename_column_concurrently" => {
                return self.known(call, scope, |reader, call| {
                    let table = emit::name(reader.dialect, call.text(0)?);
                    let gone = if call.word.starts_with("cleanup") { call.text(1)? } else { call.text(2)? };
                    Some(vec![Operation::DropColumn { table, column: reader.ident(gone), cascade: false }])
                });
            }
            _ => return false,
        };
        let mut turned = after_table(call);
        turned.word = plain.to_owned();
        turned.places.clone_from(&call.places);
        turned.nodes.clone_from(&call.nodes);
        let mut inner = scope.clone();
        self.schema_call(&turned, &mut inner)
    }

    /// Writes what `read` makes of the call, or that it could not be told.
    fn known(
        &mut self,
        call: &Invocation<'p>,
        scope: &Scope,
        read: impl FnOnce(&Self, &Invocation<'p>) -> Option<Vec<Operation>>,
    ) -> bool {
        match read(self, call).filter(|_| !call.splat) {
            Some(operations) => {
                for operation in operations {
                    self.put(operation, call.node, scope);
                }
            }
            None => self.put_code(call.node, scope),
        }
        true
    }

    fn gitlab_key(&mut self, call: &Invocation<'p>, scope: &Scope) -> bool {
        self.known(call, scope, |reader, call| {
            let table = emit::name(reader.dialect, call.text(0)?);
            let columns = call.option("column")?.texts()?;
            let constraint = reader.words().foreign_key(call.text(1)?, &columns, &call.names);
            let whole = Value::Map(call.names.clone());
            Some(vec![Operation::AddConstraint { table, constraint, checked: checked(Some(&whole)) }])
        })
    }

    fn gitlab_check(&mut self, call: &Invocation<'p>, scope: &Scope) -> bool {
        self.known(call, scope, |reader, call| {
            let table = emit::name(reader.dialect, call.text(0)?);
            let column = call.text(1)?;
            let expression = match call.word.as_str() {
                "add_text_limit" => format!("char_length({column}) <= {}", call.places.get(2)?.whole()?),
                _ => format!("{column} IS NOT NULL"),
            };
            let name = call.option("constraint_name").or_else(|| call.option("name"));
            let name = name.and_then(Value::text).map(|name| reader.ident(name));
            let whole = Value::Map(call.names.clone());
            let constraint = reader.check(name, &expression);
            Some(vec![Operation::AddConstraint { table, constraint, checked: checked(Some(&whole)) }])
        })
    }

    /// A second column that triggers keep equal to the first.
    fn renamed_slowly(&mut self, call: &Invocation<'p>, scope: &Scope) -> bool {
        self.known(call, scope, |reader, call| {
            let table = emit::name(reader.dialect, call.text(0)?);
            let (from, to) = (call.text(1)?, call.text(2)?);
            let mut column = Column {
                name: reader.ident(to),
                ty: Maybe::Unknown,
                not_null: Maybe::Known(false),
                filled: filled(reader.dialect, None),
                constraints: vec![],
            };
            column.filled = Maybe::Known(Filled::Implicit);
            let trigger = emit::beside(reader.dialect, &table, &format!("{from}_{to}"));
            Some(vec![
                Operation::AddColumn { table: table.clone(), column },
                Operation::Create { kind: Kind::Trigger, name: trigger, table: Some(table) },
            ])
        })
    }
}

fn drop_object(kind: Kind, name: Name) -> Operation {
    Operation::Drop { kind, name, table: None, cascade: false }
}
