//! SQLAlchemy's columns, types and constraints.
//!
//! Not here: the operations around them.

use super::super::emit;
use super::super::syntax::{Call, Value};
use crate::operation::{Column, Constraint, ConstraintKind, Filled, Ident, Maybe, Name, Type};
use crate::sql::Dialect;

/// The text of `"…"` or `sa.text("…")`.
pub fn sql_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Call(call) if matches!(call.word(), "text" | "TextClause" | "DDL" | "literal_column") => {
            call.places.first().and_then(Value::text)
        }
        _ => None,
    }
}

/// A table's name in a schema that is given beside it.
pub fn table_name(dialect: Dialect, name: &str, schema: Option<&Value>) -> Name {
    match schema.and_then(Value::text) {
        Some(schema) => emit::name(dialect, &format!("{schema}.{name}")),
        None => Name::plain(emit::ident(dialect, name)),
    }
}

/// Names of columns; an expression is kept as its text.
pub fn idents(dialect: Dialect, value: Option<&Value>) -> Option<Vec<Ident>> {
    let one = |value: &Value| match value {
        Value::Text(text) => Some(emit::ident(dialect, text)),
        Value::Call(_) => Some(Ident::exact(sql_text(value).map_or_else(String::new, str::to_owned))),
        _ => None,
    };
    match value? {
        Value::List(values) => values.iter().map(one).collect(),
        value => one(value).map(|ident| vec![ident]),
    }
}

/// What `server_default` says.
pub fn filled(value: Option<&Value>) -> Maybe<Filled> {
    Maybe::Known(match value {
        None | Some(Value::Nothing | Value::Truth(false)) => Filled::Nothing,
        Some(Value::Text(text)) => Filled::Default(emit::quoted(text)),
        Some(Value::Number(digits)) => Filled::Default(digits.clone()),
        Some(Value::Truth(true)) => Filled::Default("true".to_owned()),
        Some(Value::Call(call)) => match call.word() {
            "FetchedValue" => return Maybe::Unknown,
            "Identity" => Filled::Counted { always: call.named("always").and_then(Value::truth) == Some(true) },
            "Computed" => Filled::Computed(call.places.first().and_then(sql_text).unwrap_or_default().to_owned()),
            "true" | "false" => Filled::Default(call.word().to_owned()),
            "now" | "current_timestamp" => Filled::Default("now()".to_owned()),
            _ => Filled::Default(sql_text(&Value::Call(call.clone())).unwrap_or(&call.text).to_owned()),
        },
        Some(Value::Code(text)) if text.contains('.') => Filled::Default(text.clone()),
        Some(_) => return Maybe::Unknown,
    })
}

/// A column and what else its definition brings.
pub struct Defined {
    /// The column.
    pub column: Column,
    /// `index=True`.
    pub index: bool,
    /// It counts unless told not to.
    pub counts: bool,
}

/// `sa.Column(…)`.
pub fn column(dialect: Dialect, call: &Call) -> Option<Defined> {
    let mut places = call.places.iter();
    let name = match call.named("name") {
        Some(name) => name.text()?,
        None => places.next()?.text()?,
    };
    let mut ty = call.named("type_").map_or(Maybe::Unknown, |value| kind(dialect, value));
    let is = |option: &str| call.named(option).and_then(Value::truth);
    let primary = is("primary_key") == Some(true);
    let mut made = Column {
        name: emit::ident(dialect, name),
        ty: Maybe::Unknown,
        not_null: match call.named("nullable") {
            _ if primary => Maybe::Known(true),
            None => Maybe::Known(false),
            Some(value) => value.truth().map_or(Maybe::Unknown, |null| Maybe::Known(!null)),
        },
        filled: filled(call.named("server_default")),
        constraints: vec![],
    };
    for (at, place) in places.enumerate() {
        match place {
            Value::Call(part) => match part.word() {
                "ForeignKey" => made.constraints.extend(foreign_key(dialect, name, part)),
                "Computed" | "Identity" | "FetchedValue" => {
                    made.filled = filled(Some(place));
                    if part.word() == "Identity" && call.named("nullable").is_none() {
                        made.not_null = Maybe::Known(true);
                    }
                }
                "Sequence" => made.filled = Maybe::Known(Filled::Counted { always: false }),
                "CheckConstraint" => made.constraints.extend(constraint(dialect, part)),
                _ if at == 0 => ty = kind(dialect, place),
                _ => {}
            },
            _ if at == 0 => ty = kind(dialect, place),
            _ => {}
        }
    }
    made.ty = ty;
    if primary {
        let kind = ConstraintKind::PrimaryKey(vec![made.name.clone()]);
        made.constraints.insert(0, Constraint { name: None, kind });
    }
    if is("unique") == Some(true) {
        let nulls_equal = dialect == Dialect::MsSql;
        let kind = ConstraintKind::Unique { columns: vec![made.name.clone()], partial: None, nulls_equal };
        made.constraints.push(Constraint { name: None, kind });
    }
    let counts = call.named("autoincrement").and_then(Value::truth) != Some(false);
    Some(Defined { column: made, index: is("index") == Some(true), counts })
}

/// A single whole-number key counts by itself unless it refers to another table or has a default.
pub fn count(column: &mut Column, counts: bool) {
    let whole = matches!(&column.ty, Maybe::Known(ty) if matches!(ty.base.as_str(), "integer" | "int" | "bigint" | "smallint"));
    let refers =
        column.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { .. }));
    if whole && counts && !refers && column.filled == Maybe::Known(Filled::Nothing) {
        column.filled = Maybe::Known(Filled::Counted { always: false });
    }
    column.not_null = Maybe::Known(true);
}

fn cascades(call: &Call) -> bool {
    ["ondelete", "onupdate"].iter().any(|option| {
        let what = call.named(option).and_then(Value::text).unwrap_or_default().to_uppercase();
        matches!(what.as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT")
    })
}

fn named(dialect: Dialect, call: &Call) -> Option<Ident> {
    call.named("name").and_then(Value::text).map(|name| emit::ident(dialect, name))
}

/// `sa.ForeignKey("t.id")`.
fn foreign_key(dialect: Dialect, column: &str, call: &Call) -> Option<Constraint> {
    let (table, to) = referred(dialect, call.places.first()?.text()?);
    let columns = vec![emit::ident(dialect, column)];
    let kind = ConstraintKind::ForeignKey { columns, table, to: vec![to], cascades: cascades(call) };
    Some(Constraint { name: named(dialect, call), kind })
}

fn referred(dialect: Dialect, text: &str) -> (Name, Ident) {
    let (table, column) = text.rsplit_once('.').unwrap_or((text, "id"));
    (emit::name(dialect, table), emit::ident(dialect, column))
}

/// A constraint of a table.
pub fn constraint(dialect: Dialect, call: &Call) -> Option<Constraint> {
    let name = named(dialect, call);
    let places = Value::List(call.places.clone());
    let kind = match call.word() {
        "PrimaryKeyConstraint" => ConstraintKind::PrimaryKey(idents(dialect, Some(&places))?),
        "UniqueConstraint" => ConstraintKind::Unique {
            columns: idents(dialect, Some(&places))?,
            partial: None,
            nulls_equal: dialect == Dialect::MsSql
                || call.named("postgresql_nulls_not_distinct").and_then(Value::truth) == Some(true),
        },
        "ForeignKeyConstraint" => {
            let Value::List(to) = call.argument("refcolumns", 1)? else { return None };
            let to: Option<Vec<(Name, Ident)>> =
                to.iter().map(|to| to.text().map(|text| referred(dialect, text))).collect();
            let to = to?;
            let columns = idents(dialect, call.argument("columns", 0))?;
            let table = to.first()?.0.clone();
            let to = to.into_iter().map(|(_, column)| column).collect();
            ConstraintKind::ForeignKey { columns, table, to, cascades: cascades(call) }
        }
        "CheckConstraint" => check(dialect, call.argument("sqltext", 0)?),
        "ExcludeConstraint" => ConstraintKind::Exclude,
        _ => return None,
    };
    Some(Constraint { name, kind })
}

/// A CHECK of an expression.
pub fn check(dialect: Dialect, value: &Value) -> ConstraintKind {
    let expression = match value {
        Value::Code(text) => text.clone(),
        Value::Call(call) => sql_text(value).unwrap_or(&call.text).to_owned(),
        _ => sql_text(value).unwrap_or_default().to_owned(),
    };
    let words: Vec<String> = expression.split_whitespace().map(str::to_lowercase).collect();
    let not_null = match words.as_slice() {
        [column, is, not, null] if is == "is" && not == "not" && null == "null" => {
            vec![emit::ident(dialect, column.trim_matches(['"', '`']))]
        }
        _ => vec![],
    };
    ConstraintKind::Check { expression, not_null }
}

/// A named enum type: its name and values.
pub fn enum_type(call: &Call) -> Option<(&str, Vec<String>)> {
    if !matches!(call.word(), "Enum" | "ENUM") {
        return None;
    }
    let name = call.named("name")?.text()?;
    let values = call.places.iter().map(|value| value.text().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    Some((name, values))
}

/// A type.
pub fn kind(dialect: Dialect, value: &Value) -> Maybe<Type> {
    let bare;
    let call = match value {
        Value::Call(call) => call.as_ref(),
        Value::Code(text) => {
            bare = Call { path: text.clone(), places: vec![], names: vec![], line: 1, text: text.clone() };
            &bare
        }
        _ => return Maybe::Unknown,
    };
    kind_of(dialect, call).map_or(Maybe::Unknown, Maybe::Known)
}

fn kind_of(dialect: Dialect, call: &Call) -> Option<Type> {
    let postgres = dialect == Dialect::Postgres;
    let mysql = dialect == Dialect::MySql;
    let number = |name: &str, place: usize| match call.argument(name, place) {
        Some(Value::Number(digits)) => Some(digits.clone()),
        _ => None,
    };
    if call.places.iter().any(|place| matches!(place, Value::Code(_))) && !matches!(call.word(), "ARRAY" | "Enum") {
        return None;
    }
    let sized = |base: &str| Type::named(base).with(number("length", 0));
    let mut ty = match call.word() {
        "Integer" | "INTEGER" | "INT" => Type::named(if mysql { "int" } else { "integer" }),
        "BigInteger" | "BIGINT" => Type::named("bigint"),
        "SmallInteger" | "SMALLINT" => Type::named("smallint"),
        "TINYINT" => Type::named("tinyint").with(number("display_width", 0)),
        "MEDIUMINT" => Type::named("mediumint"),
        "String" | "VARCHAR" | "Unicode" | "NVARCHAR" | "AutoString" => sized("varchar"),
        "CHAR" => sized("char"),
        "Text" | "TEXT" | "UnicodeText" if mysql => text_by_length(number("length", 0)),
        "Text" | "TEXT" | "UnicodeText" => Type::named("text"),
        "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "LONGBLOB" | "MEDIUMBLOB" | "TINYBLOB" | "BLOB" | "JSONB"
        | "INET" | "CIDR" | "TSVECTOR" | "HSTORE" | "MACADDR" | "OID" | "MONEY" | "CITEXT" | "INT4RANGE"
        | "INT8RANGE" | "NUMRANGE" | "DATERANGE" | "TSRANGE" | "TSTZRANGE" | "YEAR" | "LTREE" => {
            Type::named(call.word().to_lowercase())
        }
        "Boolean" | "BOOLEAN" if mysql => Type::named("tinyint").with([1]),
        "Boolean" | "BOOLEAN" => Type::named("boolean"),
        "DateTime" | "TIMESTAMP" | "DATETIME" => moment(dialect, call),
        "Date" | "DATE" => Type::named("date"),
        "Time" | "TIME" => Type::named("time"),
        "Interval" | "INTERVAL" if postgres => Type::named("interval"),
        "Interval" => Type::named("datetime"),
        "Float" | "FLOAT" | "Double" | "DOUBLE" | "DOUBLE_PRECISION" if postgres => Type::named("double precision"),
        "Float" | "FLOAT" | "REAL" => Type::named(if call.word() == "REAL" { "real" } else { "float" }),
        "Double" | "DOUBLE" | "DOUBLE_PRECISION" => Type::named("double"),
        "Numeric" | "NUMERIC" | "DECIMAL" => {
            let arguments: Vec<String> = number("precision", 0).into_iter().chain(number("scale", 1)).collect();
            Type::named(if mysql { "decimal" } else { "numeric" }).with(arguments)
        }
        "LargeBinary" | "BYTEA" | "BINARY" if postgres => Type::named("bytea"),
        "LargeBinary" => Type::named("blob"),
        "VARBINARY" => sized("varbinary"),
        "BINARY" => sized("binary"),
        "TSVectorType" if postgres => Type::named("tsvector"),
        "JSON" | "JSONType" => Type::named("json"),
        "UUID" | "Uuid" | "GUID" if postgres => Type::named("uuid"),
        "Uuid" => Type::named("char").with([32]),
        "BIT" => sized("bit"),
        "Enum" | "ENUM" => return enum_kind(dialect, call),
        "ARRAY" => match kind(dialect, call.argument("item_type", 0)?) {
            Maybe::Known(inner) => Type { array: true, ..inner },
            Maybe::Unknown => return None,
        },
        _ => return None,
    };
    ty.unsigned = call.named("unsigned").and_then(Value::truth) == Some(true);
    Some(ty)
}

fn text_by_length(length: Option<String>) -> Type {
    match length.and_then(|digits| digits.parse::<u64>().ok()) {
        Some(0..=255) => Type::named("tinytext"),
        Some(65_536..=16_777_215) => Type::named("mediumtext"),
        Some(16_777_216..) => Type::named("longtext"),
        _ => Type::named("text"),
    }
}

fn moment(dialect: Dialect, call: &Call) -> Type {
    let zone = call.argument("timezone", 0).and_then(Value::truth) == Some(true);
    match (dialect, call.word()) {
        (Dialect::Postgres, _) => Type::named(if zone { "timestamptz" } else { "timestamp" }),
        (_, word) => {
            let digits = match call.named("fsp") {
                Some(Value::Number(digits)) => Some(digits.clone()),
                _ => None,
            };
            Type::named(if word == "TIMESTAMP" { "timestamp" } else { "datetime" }).with(digits)
        }
    }
}

fn enum_kind(dialect: Dialect, call: &Call) -> Option<Type> {
    let native = call.named("native_enum").and_then(Value::truth) != Some(false);
    let values: Option<Vec<String>> = call.places.iter().map(|value| value.text().map(str::to_owned)).collect();
    match dialect {
        Dialect::Postgres if native => Some(Type::named(call.named("name")?.text()?)),
        Dialect::MySql if native => Some(Type { values: values?, ..Type::named("enum") }),
        _ => {
            let longest = values?.iter().map(String::len).max()?;
            Some(Type::named("varchar").with([longest]))
        }
    }
}
