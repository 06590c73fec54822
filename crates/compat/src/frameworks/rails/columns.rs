//! Columns as Rails' words define them: types, defaults, keys.
//!
//! After ActiveRecord's adapters and the compatibility of old migrations
//! (activerecord/lib/active_record/migration/compatibility.rb). Not here: the calls around them.

use super::super::emit;
use super::super::syntax::Value;
use super::ruby::Invocation;
use super::words;
use crate::operation::{Column, Constraint, ConstraintKind, Filled, Ident, Maybe, Name, Type};
use crate::sql::Dialect;

/// Options of a column, by name.
pub type Options = [(String, Value)];

/// An option as it is given.
pub fn given<'o>(options: &'o Options, name: &str) -> Option<&'o Value> {
    options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// What writes columns: the dialect and the version that a migration was written for.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The dialect.
    pub dialect: Dialect,
    /// The version.
    pub version: (u32, u32),
}

impl Words {
    /// A column.
    pub fn column(self, name: &str, kind: &str, options: &Options) -> Column {
        let mut column = Column {
            name: emit::ident(self.dialect, name),
            ty: self.kind(kind, options),
            not_null: match given(options, "null") {
                None | Some(Value::Nothing | Value::Truth(true)) => Maybe::Known(false),
                Some(Value::Truth(false)) => Maybe::Known(true),
                Some(_) => Maybe::Unknown,
            },
            filled: filled(self.dialect, given(options, "default")),
            constraints: vec![],
        };
        if matches!(kind, "primary_key" | "serial" | "bigserial" | "smallserial") {
            column.filled = Maybe::Known(Filled::Counted { always: false });
            column.not_null = Maybe::Known(true);
        }
        if kind == "primary_key" || given(options, "primary_key") == Some(&Value::Truth(true)) {
            column.not_null = Maybe::Known(true);
            let kind = ConstraintKind::PrimaryKey(vec![column.name.clone()]);
            column.constraints.push(Constraint { name: None, kind });
        }
        if given(options, "auto_increment") == Some(&Value::Truth(true)) {
            column.filled = Maybe::Known(Filled::Counted { always: false });
        }
        if let Some(expression) = given(options, "as").and_then(Value::text) {
            column.filled = Maybe::Known(Filled::Computed(expression.to_owned()));
        }
        column
    }

    /// A type.
    pub fn kind(self, kind: &str, options: &Options) -> Maybe<Type> {
        let number = |name: &str| given(options, name).and_then(Value::whole);
        let unclear = ["limit", "precision", "scale"]
            .iter()
            .any(|name| given(options, name).is_some_and(|value| !value.literal()));
        if unclear {
            return Maybe::Unknown;
        }
        let mut ty = match kind {
            "enum" => match given(options, "enum_type").and_then(Value::text) {
                Some(named) => Type::named(named),
                None => return Maybe::Unknown,
            },
            "virtual" => match given(options, "type").and_then(Value::text) {
                Some(kind) => return self.kind(kind, options),
                None => return Maybe::Unknown,
            },
            "datetime" | "timestamp" | "timestamptz" | "time" => self.moment(kind, options),
            "decimal" | "numeric" => {
                let base = if self.dialect == Dialect::Postgres { "numeric" } else { "decimal" };
                let arguments: Vec<u64> = number("precision").into_iter().chain(number("scale")).collect();
                Type::named(base).with(arguments)
            }
            _ => match self.dialect {
                Dialect::MySql => mysql(kind, number("limit"), given(options, "size").and_then(Value::text)),
                Dialect::Sqlite => sqlite(kind, number("limit")),
                _ => postgres(kind, number("limit")),
            },
        };
        ty.array = ty.array || given(options, "array") == Some(&Value::Truth(true));
        ty.unsigned = ty.unsigned || given(options, "unsigned") == Some(&Value::Truth(true));
        Maybe::Known(ty)
    }

    /// A time: with six digits since Rails 7.0 unless said otherwise.
    fn moment(self, kind: &str, options: &Options) -> Type {
        let base = match (kind, self.dialect) {
            ("timestamptz", _) => "timestamptz",
            ("datetime", Dialect::Postgres) => "timestamp",
            (kind, _) => kind,
        };
        let usual = (matches!(kind, "datetime") && self.version >= (7, 0)).then_some(6);
        let digits = match given(options, "precision") {
            None => usual,
            Some(value) => value.whole(),
        };
        match digits {
            Some(6) if self.dialect == Dialect::Postgres => Type::named(base),
            Some(0) if self.dialect == Dialect::MySql => Type::named(base),
            Some(digits) => Type::named(base).with([digits]),
            None => Type::named(base),
        }
    }

    /// `created_at` and `updated_at`.
    pub fn timestamps(self, options: &Options) -> Vec<Column> {
        let mut all = options.to_vec();
        if given(options, "null").is_none() {
            all.push(("null".to_owned(), Value::Truth(self.version < (5, 0))));
        }
        if given(options, "precision").is_none() {
            let digits = if self.version >= (6, 0) { Value::Number("6".to_owned()) } else { Value::Nothing };
            all.push(("precision".to_owned(), digits));
        }
        ["created_at", "updated_at"].iter().map(|name| self.column(name, "datetime", &all)).collect()
    }

    /// The column of a primary key that nobody wrote down, if there is one; unknown where a program says.
    pub fn primary_key(self, call: &Invocation<'_>) -> Maybe<Option<Column>> {
        let mut options: Vec<(String, Value)> =
            call.names.iter().filter(|(key, _)| matches!(key.as_str(), "default" | "limit")).cloned().collect();
        let name = match call.option("primary_key") {
            None => "id",
            Some(Value::Text(name)) => name,
            Some(Value::List(_)) => return Maybe::Known(None),
            Some(_) => return Maybe::Unknown,
        };
        let usual = if self.version >= (5, 1) { "bigint" } else { "integer" };
        let kind = match call.given("id") {
            None | Some(Value::Truth(true)) => usual,
            Some(Value::Truth(false) | Value::Nothing) => return Maybe::Known(None),
            Some(Value::Text(kind)) if kind == "primary_key" => usual,
            Some(Value::Text(kind)) => kind,
            Some(Value::Map(pairs)) => {
                options.extend(pairs.iter().cloned());
                given(pairs, "type").and_then(Value::text).unwrap_or(usual)
            }
            // Active Storage asks the application's configuration.
            Some(_) => "",
        };
        let mut column = self.column(name, kind, &options);
        if kind.is_empty() {
            column.ty = Maybe::Unknown;
            column.filled = Maybe::Known(Filled::Implicit);
        }
        if self.dialect == Dialect::Sqlite && matches!(kind, "bigint" | "integer") {
            column.ty = Maybe::Known(Type::named("integer"));
        }
        column.not_null = Maybe::Known(true);
        if matches!(kind, "bigint" | "integer" | "serial" | "bigserial") && given(&options, "default").is_none() {
            column.filled = Maybe::Known(Filled::Counted { always: false });
        }
        if kind == "uuid" && given(&options, "default").is_none() {
            let by = if self.version >= (5, 1) { "gen_random_uuid()" } else { "uuid_generate_v4()" };
            column.filled = Maybe::Known(Filled::Default(by.to_owned()));
        }
        let key = ConstraintKind::PrimaryKey(vec![column.name.clone()]);
        column.constraints = vec![Constraint { name: None, kind: key }];
        Maybe::Known(Some(column))
    }

    /// The columns of `references`.
    pub fn references(self, name: &str, options: &Options) -> Vec<Column> {
        let usual = if self.version >= (5, 1) { "bigint" } else { "integer" };
        let kind = given(options, "type").and_then(Value::text).unwrap_or(usual);
        let kept = |options: &Options| -> Vec<(String, Value)> {
            let gone = ["index", "foreign_key", "polymorphic", "type", "if_not_exists"];
            options.iter().filter(|(key, _)| !gone.contains(&key.as_str())).cloned().collect()
        };
        let mut columns = vec![];
        if let Some(polymorphic) = given(options, "polymorphic").filter(|value| value.truth() != Some(false)) {
            let mut own = match polymorphic {
                Value::Map(pairs) => pairs.clone(),
                _ => vec![],
            };
            let null = given(options, "null").filter(|_| given(&own, "null").is_none()).cloned();
            own.extend(null.map(|value| ("null".to_owned(), value)));
            columns.push(self.column(&format!("{name}_type"), "string", &own));
        }
        let mut column = self.column(&format!("{name}_id"), kind, &kept(options));
        if given(options, "type").is_some_and(|kind| kind.text().is_none()) {
            column.ty = Maybe::Unknown;
        }
        columns.push(column);
        columns
    }

    /// The key of `references … foreign_key:`.
    pub fn reference_key(self, name: &str, options: &Options) -> Option<Constraint> {
        let own: &[(String, Value)] = match given(options, "foreign_key")? {
            Value::Truth(true) => &[],
            Value::Map(pairs) => pairs,
            Value::Truth(false) | Value::Nothing => return None,
            _ => &[],
        };
        let to = given(own, "to_table").and_then(Value::text).map_or_else(|| words::plural(name), str::to_owned);
        let column = given(own, "column").and_then(Value::text).map_or_else(|| format!("{name}_id"), str::to_owned);
        Some(self.foreign_key(&to, &[column], own))
    }

    /// A foreign key.
    pub fn foreign_key(self, to: &str, columns: &[String], options: &Options) -> Constraint {
        let rows = |name: &str| {
            given(options, name)
                .and_then(Value::text)
                .is_some_and(|what| matches!(what, "cascade" | "nullify" | "default"))
        };
        let referred = given(options, "primary_key").and_then(Value::texts).unwrap_or_default();
        Constraint {
            name: given(options, "name").and_then(Value::text).map(|name| emit::ident(self.dialect, name)),
            kind: ConstraintKind::ForeignKey {
                columns: columns.iter().map(|column| emit::ident(self.dialect, column)).collect(),
                table: emit::name(self.dialect, to),
                to: referred.iter().map(|column| emit::ident(self.dialect, column)).collect(),
                cascades: rows("on_delete") || rows("on_update"),
            },
        }
    }

    /// An index by its columns and options.
    pub fn index(self, table: &Name, columns: &[String], options: &Options) -> crate::operation::Operation {
        let written = table.schema.as_ref().map_or_else(|| table.name.written.clone(), |_| table.to_string());
        let named = match given(options, "name") {
            Some(Value::Text(name)) => Some(name.clone()),
            Some(Value::Nothing) | None => words::index_name(&written, columns, self.version),
            Some(_) => None,
        };
        let unique =
            given(options, "unique").is_some_and(|value| value.truth() != Some(false)).then(|| emit::Unique {
                partial: given(options, "where").filter(|value| **value != Value::Nothing).map(Value::told),
                nulls_equal: given(options, "nulls_not_distinct") == Some(&Value::Truth(true)),
            });
        let columns: Vec<Ident> = columns
            .iter()
            .map(|column| {
                let plain = column.chars().all(|char| char.is_alphanumeric() || char == '_');
                if plain { emit::ident(self.dialect, column) } else { Ident::exact(column.clone()) }
            })
            .collect();
        emit::index(self.dialect, table, named.as_deref(), columns, unique)
    }
}

/// What a default says.
pub fn filled(dialect: Dialect, value: Option<&Value>) -> Maybe<Filled> {
    Maybe::Known(match value {
        None | Some(Value::Nothing) => Filled::Nothing,
        Some(Value::Text(text)) => Filled::Default(emit::quoted(text)),
        Some(Value::Number(digits)) => Filled::Default(digits.clone()),
        Some(Value::Truth(truth)) => Filled::Default(match (dialect, truth) {
            (Dialect::Postgres, _) => truth.to_string(),
            (_, true) => "1".to_owned(),
            (_, false) => "0".to_owned(),
        }),
        Some(Value::List(values)) if values.is_empty() => Filled::Default("'{}'".to_owned()),
        Some(Value::Map(pairs)) if pairs.is_empty() => Filled::Default("'{}'".to_owned()),
        Some(Value::List(_) | Value::Map(_)) => Filled::Default("'…'".to_owned()),
        Some(Value::Call(call)) => match call.places.as_slice() {
            [Value::Text(expression)] => Filled::Default(expression.clone()),
            _ => return Maybe::Unknown,
        },
        Some(Value::Code(text)) if text.contains(['.', ':']) => Filled::Default(text.clone()),
        Some(Value::Code(_)) => return Maybe::Unknown,
    })
}

fn postgres(kind: &str, limit: Option<u64>) -> Type {
    let sized = |base: &str| match limit {
        Some(limit) => Type::named(base).with([limit]),
        None => Type::named(base),
    };
    match kind {
        "string" => sized("varchar"),
        "integer" => Type::named(match limit {
            Some(1 | 2) => "smallint",
            Some(5..=8) => "bigint",
            _ => "integer",
        }),
        "primary_key" | "bigserial" => Type::named("bigint"),
        "serial" => Type::named("integer"),
        "smallserial" => Type::named("smallint"),
        "float" => Type::named("double precision"),
        "binary" | "blob" => Type::named("bytea"),
        "bit_varying" => sized("bit varying"),
        "text" | "bigint" | "boolean" | "date" | "json" | "jsonb" | "uuid" => Type::named(kind),
        _ => written(kind, Dialect::Postgres),
    }
}

fn mysql(kind: &str, limit: Option<u64>, size: Option<&str>) -> Type {
    let by_size = |base: &str| match (size, limit) {
        (Some("tiny"), _) | (None, Some(0..=0xff)) => format!("tiny{base}"),
        (Some("medium"), _) | (None, Some(0x1_0000..=0xff_ffff)) => format!("medium{base}"),
        (Some("long"), _) | (None, Some(0x100_0000..)) => format!("long{base}"),
        _ => base.to_owned(),
    };
    match kind {
        "string" => Type::named("varchar").with([limit.unwrap_or(255)]),
        "integer" | "unsigned_integer" => {
            let mut ty = Type::named(match limit {
                Some(1) => "tinyint",
                Some(2) => "smallint",
                Some(3) => "mediumint",
                Some(5..=8) => "bigint",
                _ => "int",
            });
            ty.unsigned = kind == "unsigned_integer";
            ty
        }
        "unsigned_bigint" => Type { unsigned: true, ..Type::named("bigint") },
        "primary_key" | "bigint" => Type::named("bigint"),
        "boolean" => Type::named("tinyint").with([1]),
        "text" => Type::named(by_size("text")),
        "binary" | "blob" => match (size, limit) {
            (None, Some(limit @ 1..=0xfff)) => Type::named("varbinary").with([limit]),
            _ => Type::named(by_size("blob")),
        },
        "tinytext" | "mediumtext" | "longtext" | "tinyblob" | "mediumblob" | "longblob" | "float" | "date"
        | "json" => Type::named(kind),
        _ => written(kind, Dialect::MySql),
    }
}

fn sqlite(kind: &str, limit: Option<u64>) -> Type {
    match kind {
        "string" => match limit {
            Some(limit) => Type::named("varchar").with([limit]),
            None => Type::named("varchar"),
        },
        "primary_key" => Type::named("integer"),
        "binary" => Type::named("blob"),
        _ => written(kind, Dialect::Sqlite),
    }
}

/// A type as SQL writes it: `character varying(20)`, `integer[]`.
pub fn written(text: &str, dialect: Dialect) -> Type {
    let whole = text;
    let text = text.trim().to_lowercase();
    let (text, array) = match text.strip_suffix("[]") {
        Some(text) => (text.to_owned(), true),
        None => (text, false),
    };
    let (text, unsigned) = match text.strip_suffix(" unsigned") {
        Some(text) => (text.to_owned(), true),
        None => (text, false),
    };
    let (base, arguments) = match text.split_once('(') {
        Some((base, rest)) => {
            let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
            let arguments: Vec<String> = inner.split(',').map(|part| part.trim().to_owned()).collect();
            (format!("{}{after}", base.trim_end()), arguments)
        }
        None => (text.clone(), vec![]),
    };
    let base = match (dialect, base.as_str()) {
        (Dialect::Postgres, "character varying" | "string") => "varchar",
        (Dialect::Postgres, "int" | "int4") => "integer",
        (Dialect::Postgres, "int8") => "bigint",
        (Dialect::Postgres, "int2") => "smallint",
        (Dialect::Postgres, "float8" | "float") => "double precision",
        (Dialect::Postgres, "float4") => "real",
        (Dialect::Postgres, "bool") => "boolean",
        (Dialect::Postgres, "decimal") => "numeric",
        (Dialect::Postgres, "character" | "bpchar") => "char",
        (Dialect::Postgres, "timestamp without time zone" | "datetime") => "timestamp",
        (Dialect::Postgres, "timestamp with time zone") => "timestamptz",
        (Dialect::MySql, "integer") => "int",
        (Dialect::MySql, "bool" | "boolean") => "tinyint",
        (_, other) => other,
    };
    if dialect == Dialect::MySql && matches!(base, "enum" | "set") {
        let inner =
            whole.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(inner, _)| inner);
        let values = inner.split(',').map(|value| value.trim().trim_matches(['\'', '"']).to_owned()).collect();
        return Type { values, ..Type::named(base) };
    }
    Type { array, unsigned, ..Type::named(base).with(arguments) }
}
