//! Fields of models as columns.
//!
//! After django/db/backends/*/base.py (data types) and django/db/models/fields. Not here: what a
//! migration does with them.

use super::super::emit;
use super::super::syntax::{Call, Value};
use super::state::{Model, State};
use crate::operation::{Constraint, ConstraintKind, Filled, Maybe, Name, Type};
use crate::sql::Dialect;

/// What a field is in the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Nothing: a generic relation, tags, a many-to-many through a model of its own.
    Nothing,
    /// A column.
    Column(Box<Held>),
    /// A table that joins two.
    Join(Box<Join>),
}

/// A column of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The column's name.
    pub column: String,
    /// Its type.
    pub ty: Maybe<Type>,
    /// NULL is refused.
    pub not_null: Maybe<bool>,
    /// The primary key.
    pub primary: bool,
    /// Unique by itself.
    pub unique: bool,
    /// An index of its own.
    pub index: bool,
    /// The table that it refers to, and the column there.
    pub refers: Option<Name>,
    /// What the database fills in.
    pub filled: Filled,
    /// What the program fills in while the column is added.
    pub default: Option<String>,
    /// PositiveIntegerField: `>= 0`.
    pub positive: bool,
}

/// The table of a many-to-many field.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Its name.
    pub table: Name,
    /// The column to the model that has the field.
    pub from: String,
    /// The column to the other one.
    pub to: String,
    /// The other one's table.
    pub other: Option<Name>,
    /// The types of the two columns.
    pub types: (Maybe<Type>, Maybe<Type>),
}

const MANY: &[&str] =
    &["ManyToManyField", "ParentalManyToManyField", "TreeManyToManyField", "SortedManyToManyField"];
const ONE: &[&str] =
    &["ForeignKey", "ParentalKey", "OneToOneField", "TreeForeignKey", "TreeOneToOneField", "FlexibleForeignKey"];
const NONE: &[&str] = &[
    "GenericForeignKey",
    "GenericRelation",
    "TaggableManager",
    "ClusterTaggableManager",
    "CompositePrimaryKey",
    "ForeignObject",
];

/// What a field is worth in the database.
pub fn shape(state: &State, model: &Model, name: &str, call: &Call) -> Shape {
    let word = call.word();
    let dialect = state.dialect;
    if NONE.contains(&word) {
        return Shape::Nothing;
    }
    if MANY.contains(&word) {
        if call.argument("through", 10).is_some_and(|through| *through != Value::Nothing) {
            return Shape::Nothing;
        }
        return Shape::Join(Box::new(join(state, model, name, call)));
    }
    let relation = ONE.contains(&word);
    let is = |option: &str| call.named(option).and_then(Value::truth);
    let usual = if relation { format!("{name}_id") } else { name.to_owned() };
    let column = call.named("db_column").and_then(Value::text).map_or(usual, str::to_owned);
    let primary = is("primary_key") == Some(true);
    let counted = word.ends_with("AutoField");
    let null = call.named("null");
    let mut held = Held {
        column,
        ty: match ty(state, call) {
            Maybe::Unknown if relation => match call.argument("to", 0).and_then(|to| state.key(model, to)) {
                Some(key) if key == (model.app.clone(), model.name.to_lowercase()) => own_key(state, model),
                Some(key) => state.key_type_at(&key, 0),
                None => Maybe::Unknown,
            },
            known => known,
        },
        not_null: match null {
            _ if primary => Maybe::Known(true),
            None => Maybe::Known(!matches!(word, "NullBooleanField")),
            Some(value) => value.truth().map_or(Maybe::Unknown, |null| Maybe::Known(!null)),
        },
        primary,
        unique: is("unique") == Some(true) || matches!(word, "OneToOneField" | "TreeOneToOneField"),
        index: is("db_index").unwrap_or(relation || matches!(word, "SlugField" | "AutoSlugField")),
        refers: None,
        filled: Filled::Nothing,
        default: default(call),
        positive: word.starts_with("Positive") && word.ends_with("IntegerField"),
    };
    if counted {
        held.filled = Filled::Counted { always: false };
        held.not_null = Maybe::Known(true);
    }
    if let Some(value) = call.named("db_default") {
        held.filled = Filled::Default(sql_of(dialect, value));
    }
    if word == "GeneratedField" {
        let expression = call.named("expression").map(|value| sql_of(dialect, value)).unwrap_or_default();
        held.filled = Filled::Computed(expression);
        held.not_null = Maybe::Known(false);
    }
    if relation {
        held.unique = held.unique || (primary && word != "OneToOneField");
        if call.named("db_constraint").and_then(Value::truth) != Some(false) {
            held.refers = call.argument("to", 0).and_then(|to| state.table_of(model, to));
        }
    }
    if held.unique || held.primary {
        held.index = false;
    }
    Shape::Column(Box::new(held))
}

/// The default with which Django fills old rows, if there is one: also the empty text of a field that
/// may be blank, and the present for `auto_now`.
fn default(call: &Call) -> Option<String> {
    match call.named("default") {
        Some(Value::Nothing) => return None,
        Some(Value::Text(text)) => return Some(emit::quoted(text)),
        Some(Value::Number(digits)) => return Some(digits.clone()),
        Some(Value::Truth(truth)) => return Some(truth.to_string()),
        Some(Value::Code(text)) => return Some(text.clone()),
        Some(Value::Call(call)) => return Some(call.text.clone()),
        Some(Value::List(_) | Value::Map(_)) => return Some("'…'".to_owned()),
        None => {}
    }
    let is = |option: &str| call.named(option).and_then(Value::truth) == Some(true);
    if is("auto_now") || is("auto_now_add") {
        return Some("now()".to_owned());
    }
    let text =
        ["Char", "Text", "Slug", "Email", "URL", "File", "Image"].iter().any(|kind| call.word().contains(kind));
    (!is("null") && is("blank") && text).then(|| "''".to_owned())
}

/// An expression of a program as a database would be told it.
pub fn sql_of(dialect: Dialect, value: &Value) -> String {
    match value {
        Value::Nothing => "NULL".to_owned(),
        Value::Truth(truth) if dialect == Dialect::Postgres => truth.to_string(),
        Value::Truth(truth) => u8::from(*truth).to_string(),
        Value::Number(digits) => digits.clone(),
        Value::Text(text) => emit::quoted(text),
        Value::List(_) | Value::Map(_) => "'…'".to_owned(),
        Value::Call(call) => match (call.word(), call.places.first()) {
            ("Value", Some(inner)) => sql_of(dialect, inner),
            ("Now", None) => "now()".to_owned(),
            _ => call.text.clone(),
        },
        Value::Code(text) => text.clone(),
    }
}

fn join(state: &State, model: &Model, name: &str, call: &Call) -> Join {
    let table = match call.named("db_table").and_then(Value::text) {
        Some(table) => state.name(table),
        None => state.name(&format!("{}_{name}", model.table)),
    };
    let to = call.argument("to", 0);
    let other = to.and_then(|to| state.table_of(model, to));
    let other_model = to.and_then(|to| state.model_name(model, to)).unwrap_or_else(|| "?".to_owned());
    let own = model.name.to_lowercase();
    let (from, to) = if other_model == own {
        (format!("from_{own}_id"), format!("to_{own}_id"))
    } else {
        (format!("{own}_id"), format!("{other_model}_id"))
    };
    let own_type = state.key_type_at(&(model.app.clone(), own), 0);
    let own_type = match own_type {
        Maybe::Unknown => own_key(state, model),
        known => known,
    };
    let other_type = match call.argument("to", 0).and_then(|to| state.key(model, to)) {
        Some(key) if key == (model.app.clone(), model.name.to_lowercase()) => own_type.clone(),
        Some(key) => state.key_type_at(&key, 0),
        None => Maybe::Unknown,
    };
    Join { table, from, to, other, types: (own_type, other_type) }
}

/// The type of the primary key of a model that is being made.
fn own_key(state: &State, model: &Model) -> Maybe<Type> {
    let primary =
        model.fields.iter().find(|(_, field)| field.named("primary_key").and_then(Value::truth) == Some(true));
    primary.map_or(Maybe::Unknown, |(_, field)| ty(state, field))
}

/// The column's constraints beyond NOT NULL.
pub fn constraints(dialect: Dialect, held: &Held) -> Vec<Constraint> {
    let column = emit::ident(dialect, &held.column);
    let mut all = vec![];
    if held.primary {
        all.push(ConstraintKind::PrimaryKey(vec![column.clone()]));
    } else if held.unique {
        let nulls_equal = dialect == Dialect::MsSql;
        all.push(ConstraintKind::Unique { columns: vec![column.clone()], partial: None, nulls_equal });
    }
    if let Some(table) = held.refers.clone() {
        all.push(ConstraintKind::ForeignKey { columns: vec![column], table, to: vec![], cascades: false });
    }
    if held.positive && dialect != Dialect::MySql {
        let expression = format!("{} >= 0", held.column);
        all.push(ConstraintKind::Check { expression, not_null: vec![] });
    }
    all.into_iter().map(|kind| Constraint { name: None, kind }).collect()
}

/// A field's type.
pub fn ty(state: &State, call: &Call) -> Maybe<Type> {
    let dialect = state.dialect;
    let word = call.word();
    let number = |name: &str, usual: Option<u64>| match call.named(name) {
        None => Some(usual),
        Some(Value::Number(digits)) => digits.parse().ok().map(Some),
        Some(Value::Nothing) => Some(None),
        Some(_) => None,
    };
    let sized = |usual: Option<u64>| match number("max_length", usual) {
        Some(Some(length)) => Maybe::Known(Type::named("varchar").with([length])),
        Some(None) => Maybe::Known(Type::named("varchar")),
        None => Maybe::Unknown,
    };
    match word {
        "CharField" => return sized(None),
        "SlugField" => return sized(Some(50)),
        "EmailField" => return sized(Some(254)),
        "URLField" => return sized(Some(200)),
        "FileField" | "ImageField" | "FilePathField" => return sized(Some(100)),
        "TimeZoneField" => return sized(Some(63)),
        "CountryField" => return sized(Some(2)),
        "PhoneNumberField" => return sized(Some(128)),
        "AutoSlugField" => return sized(Some(50)),
        "DecimalField" => {
            let base = if dialect == Dialect::Postgres { "numeric" } else { "decimal" };
            let parts = [number("max_digits", None), number("decimal_places", None)];
            if parts.contains(&None) {
                return Maybe::Unknown;
            }
            let arguments: Vec<u64> = parts.into_iter().flatten().flatten().collect();
            let ty = Type::named(base);
            return Maybe::Known(if dialect == Dialect::Sqlite { ty } else { ty.with(arguments) });
        }
        "ArrayField" => {
            let Some(Value::Call(inner)) = call.argument("base_field", 0) else { return Maybe::Unknown };
            return match ty(state, inner) {
                Maybe::Known(inner) => Maybe::Known(Type { array: true, ..inner }),
                Maybe::Unknown => Maybe::Unknown,
            };
        }
        "GeneratedField" => {
            let Some(Value::Call(inner)) = call.named("output_field") else { return Maybe::Unknown };
            return ty(state, inner);
        }
        _ if ONE.contains(&word) => return state.key_type(call.argument("to", 0)),
        _ => {}
    }
    match dialect {
        Dialect::MySql => mysql(word),
        Dialect::Sqlite => sqlite(word),
        _ => postgres(word),
    }
    .map_or(Maybe::Unknown, Maybe::Known)
}

fn postgres(word: &str) -> Option<Type> {
    Some(Type::named(match word {
        "AutoField" | "IntegerField" | "PositiveIntegerField" => "integer",
        "BigAutoField" | "BigIntegerField" | "PositiveBigIntegerField" => "bigint",
        "SmallAutoField" | "SmallIntegerField" | "PositiveSmallIntegerField" => "smallint",
        "BinaryField" => "bytea",
        "BooleanField" | "NullBooleanField" => "boolean",
        "DateField" => "date",
        "DateTimeField" => "timestamptz",
        "DurationField" => "interval",
        "FloatField" => "double precision",
        "IPAddressField" | "GenericIPAddressField" => "inet",
        "JSONField" => "jsonb",
        "TextField" | "RichTextField" => "text",
        "TimeField" => "time",
        "UUIDField" => "uuid",
        "HStoreField" => "hstore",
        "SearchVectorField" => "tsvector",
        "CITextField" | "CICharField" | "CIEmailField" => "citext",
        "IntegerRangeField" => "int4range",
        "BigIntegerRangeField" => "int8range",
        "DecimalRangeField" => "numrange",
        "DateTimeRangeField" => "tstzrange",
        "DateRangeField" => "daterange",
        _ => return None,
    }))
}

fn mysql(word: &str) -> Option<Type> {
    let unsigned = |base: &str| Type { unsigned: true, ..Type::named(base) };
    Some(match word {
        "AutoField" | "IntegerField" => Type::named("int"),
        "BigAutoField" | "BigIntegerField" | "DurationField" => Type::named("bigint"),
        "SmallAutoField" | "SmallIntegerField" => Type::named("smallint"),
        "PositiveIntegerField" => unsigned("int"),
        "PositiveBigIntegerField" => unsigned("bigint"),
        "PositiveSmallIntegerField" => unsigned("smallint"),
        "BinaryField" => Type::named("longblob"),
        "BooleanField" | "NullBooleanField" => Type::named("tinyint").with([1]),
        "DateField" => Type::named("date"),
        "DateTimeField" => Type::named("datetime").with([6]),
        "TimeField" => Type::named("time").with([6]),
        "FloatField" => Type::named("double"),
        "IPAddressField" => Type::named("char").with([15]),
        "GenericIPAddressField" => Type::named("char").with([39]),
        "JSONField" => Type::named("json"),
        "TextField" | "RichTextField" => Type::named("longtext"),
        "UUIDField" => Type::named("char").with([32]),
        _ => return None,
    })
}

fn sqlite(word: &str) -> Option<Type> {
    let unsigned = |base: &str| Type { unsigned: true, ..Type::named(base) };
    Some(match word {
        "AutoField" | "BigAutoField" | "SmallAutoField" | "IntegerField" => Type::named("integer"),
        "BigIntegerField" | "DurationField" => Type::named("bigint"),
        "SmallIntegerField" => Type::named("smallint"),
        "PositiveIntegerField" => unsigned("integer"),
        "PositiveBigIntegerField" => unsigned("bigint"),
        "PositiveSmallIntegerField" => unsigned("smallint"),
        "BinaryField" => Type::named("blob"),
        "BooleanField" | "NullBooleanField" => Type::named("bool"),
        "DateField" => Type::named("date"),
        "DateTimeField" => Type::named("datetime"),
        "TimeField" => Type::named("time"),
        "FloatField" => Type::named("real"),
        "IPAddressField" => Type::named("char").with([15]),
        "GenericIPAddressField" => Type::named("char").with([39]),
        "JSONField" | "TextField" | "RichTextField" => Type::named("text"),
        "UUIDField" => Type::named("char").with([32]),
        _ => return None,
    })
}
