//! Blueprint's types, as each database writes them.

use crate::operation::{Maybe, Type};
use crate::sql::Dialect;

use super::super::declared;
use super::super::php::{Call, Value};

/// What a method of Blueprint's makes, if it makes one column.
pub struct Made {
    /// Its type.
    pub ty: Maybe<Type>,
    /// The database counts, and it is the primary key.
    pub counted: bool,
    /// The values of an enum where it is a text with a check.
    pub checked: Vec<String>,
}

/// The type of a column that this method makes; `None`: it makes none.
pub fn made(dialect: Dialect, call: &Call<'_>, name: &str) -> Option<Made> {
    let counted = name == "id" || name.to_ascii_lowercase().ends_with("increments");
    let base = match name {
        "id" | "foreignId" | "bigIncrements" => "unsignedBigInteger",
        "increments" | "integerIncrements" => "unsignedInteger",
        "mediumIncrements" => "unsignedMediumInteger",
        "smallIncrements" => "unsignedSmallInteger",
        "tinyIncrements" => "unsignedTinyInteger",
        "foreignUuid" => "uuid",
        "foreignUlid" => "ulid",
        other => other,
    };
    let (base, mut unsigned) = match base.strip_prefix("unsigned") {
        Some(rest) => (lower_first(rest), true),
        None => (base.to_owned(), false),
    };
    unsigned |=
        call.argument(2, "unsigned") == Some(&Value::Truth(true)) && base.to_lowercase().contains("integer");
    let values = call.texts(1, "allowed").unwrap_or_default();
    if matches!(base.as_str(), "enum" | "set") {
        return Some(enumerated(dialect, &base, values));
    }
    let text = text(dialect, call, &base)?;
    let unsigned = if unsigned && dialect == Dialect::MySql { " unsigned" } else { "" };
    let ty = if text.is_empty() {
        Maybe::Unknown
    } else {
        Maybe::Known(declared::ty(dialect, &format!("{text}{unsigned}")))
    };
    Some(Made { ty, counted, checked: vec![] })
}

fn enumerated(dialect: Dialect, base: &str, values: Vec<String>) -> Made {
    if dialect == Dialect::MySql {
        if values.is_empty() {
            return Made { ty: Maybe::Unknown, counted: false, checked: vec![] };
        }
        let mut ty = Type::named(base);
        ty.values = values;
        return Made { ty: Maybe::Known(ty), counted: false, checked: vec![] };
    }
    let text = match dialect {
        Dialect::Sqlite => "varchar",
        Dialect::MsSql => "nvarchar(255)",
        _ => "varchar(255)",
    };
    Made { ty: Maybe::Known(declared::ty(dialect, text)), counted: false, checked: values }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The type in the database's words; empty where it is not known, `None` where it is no column.
#[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
fn text(dialect: Dialect, call: &Call<'_>, base: &str) -> Option<String> {
    use Dialect::{MsSql, MySql, Oracle, Postgres, Sqlite};
    let number = |at, name, default: u64| match call.argument(at, name) {
        None | Some(Value::Null) => Some(default),
        Some(value) => value.whole(),
    };
    let sized = |name: &str, size: Option<u64>| size.map_or(String::new(), |size| format!("{name}({size})"));
    let precise = |name: &str, behind: &str| match (dialect, call.argument(1, "precision")) {
        (Postgres, None) => format!("{name}(0){behind}"),
        (Postgres, Some(value)) => format!("{name}({}){behind}", value.whole().unwrap_or(0)),
        (_, Some(value)) if value.whole().is_some_and(|digits| digits > 0) && dialect != Sqlite => {
            format!("{name}({})", value.whole().unwrap_or(0))
        }
        _ => name.to_owned(),
    };
    let integer = |mysql: &str, postgres: &str| match dialect {
        MySql => mysql.to_owned(),
        Sqlite => "integer".to_owned(),
        MsSql if mysql == "mediumint" => "int".to_owned(),
        MsSql => mysql.to_owned(),
        Postgres | Oracle => postgres.to_owned(),
    };
    Some(match base {
        "char" => sized(if dialect == MsSql { "nchar" } else { "char" }, number(1, "length", 255)),
        "string" if dialect == Sqlite => "varchar".to_owned(),
        "string" => sized(if dialect == MsSql { "nvarchar" } else { "varchar" }, number(1, "length", 255)),
        "tinyText" => match dialect {
            MySql => "tinytext".to_owned(),
            Sqlite => "text".to_owned(),
            MsSql => "nvarchar(255)".to_owned(),
            _ => "varchar(255)".to_owned(),
        },
        "text" | "mediumText" | "longText" => match dialect {
            MySql => base.to_lowercase(),
            MsSql => "nvarchar(max)".to_owned(),
            _ => "text".to_owned(),
        },
        "integer" => integer("int", "integer"),
        "bigInteger" => integer("bigint", "bigint"),
        "mediumInteger" => integer("mediumint", "integer"),
        "smallInteger" => integer("smallint", "smallint"),
        "tinyInteger" => integer("tinyint", "smallint"),
        "float" | "double" => match dialect {
            Postgres => "double precision".to_owned(),
            MsSql => "float".to_owned(),
            _ => base.to_owned(),
        },
        "decimal" => match (number(1, "total", 8), number(2, "places", 2)) {
            (Some(total), Some(places)) if dialect != Sqlite => format!("decimal({total}, {places})"),
            (Some(_), Some(_)) => "numeric".to_owned(),
            _ => String::new(),
        },
        "boolean" => match dialect {
            Postgres => "boolean",
            MsSql => "bit",
            _ => "tinyint(1)",
        }
        .to_owned(),
        "json" | "jsonb" => match dialect {
            Postgres => base,
            MySql => "json",
            MsSql => "nvarchar(max)",
            _ => "text",
        }
        .to_owned(),
        "date" => "date".to_owned(),
        "dateTime" | "datetime" | "timestamp" | "dateTimeTz" | "timestampTz" => {
            let zone = base.ends_with("Tz");
            match dialect {
                Postgres => precise("timestamp", if zone { " with time zone" } else { " without time zone" }),
                MySql => precise(if base.starts_with("date") { "datetime" } else { "timestamp" }, ""),
                MsSql if zone => precise("datetimeoffset", ""),
                _ => precise("datetime", ""),
            }
        }
        "time" | "timeTz" => {
            precise("time", if base == "timeTz" { " with time zone" } else { " without time zone" })
        }
        "year" if dialect == MySql => "year".to_owned(),
        "year" => integer("int", "integer"),
        "binary" => match dialect {
            Postgres => "bytea",
            MsSql => "varbinary(max)",
            _ => "blob",
        }
        .to_owned(),
        "uuid" => match dialect {
            Postgres => "uuid",
            MsSql => "uniqueidentifier",
            Sqlite => "varchar",
            _ => "char(36)",
        }
        .to_owned(),
        "ulid" => if dialect == Sqlite { "varchar" } else { "char(26)" }.to_owned(),
        "ipAddress" => if dialect == Postgres { "inet" } else { "varchar(45)" }.to_owned(),
        "macAddress" => if dialect == Postgres { "macaddr" } else { "varchar(17)" }.to_owned(),
        "rememberToken" => "varchar(100)".to_owned(),
        "geometry" | "geography" | "point" | "polygon" | "lineString" | "multiPoint" | "multiPolygon"
        | "multiLineString" | "geometryCollection" | "vector" | "computed" | "rawColumn" | "tsvector" => {
            String::new()
        }
        _ => return None,
    })
}
