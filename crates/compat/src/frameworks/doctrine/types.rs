//! Doctrine's types, as each platform writes them.

use crate::operation::Type;
use crate::sql::Dialect;

use super::super::declared;

/// What a column's declaration says of its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    /// Doctrine's name of the type; none where only something else of it changes.
    pub name: Option<String>,
    /// The length.
    pub length: Option<u64>,
    /// Digits of a decimal.
    pub precision: Option<u64>,
    /// Digits behind its point.
    pub scale: Option<u64>,
    /// `CHAR`, not `VARCHAR`.
    pub fixed: bool,
    /// Without a sign.
    pub unsigned: bool,
}

impl Spec {
    /// The type in the dialect's words; none where what is said does not tell it.
    pub fn ty(&self, dialect: Dialect) -> Option<Type> {
        let name = match &self.name {
            Some(name) => name.as_str(),
            // Only a string's length is changed alone.
            None if self.length.is_some() => "string",
            None if self.precision.is_some() && self.scale.is_some() => "decimal",
            None => return None,
        };
        let name = name.strip_suffix("_immutable").or_else(|| name.strip_suffix("_mutable")).unwrap_or(name);
        Some(declared::ty(dialect, &self.text(dialect, name)))
    }

    #[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
    fn text(&self, dialect: Dialect, name: &str) -> String {
        use Dialect::{MsSql, MySql, Oracle, Postgres, Sqlite};
        let unsigned = if self.unsigned && dialect == MySql { " UNSIGNED" } else { "" };
        let length = |default: u64| self.length.unwrap_or(default);
        let fixed = match name {
            "string" | "ascii_string" if self.fixed => return format!("CHAR({})", length(255)),
            "string" | "ascii_string" if dialect == Oracle => return format!("VARCHAR2({})", length(255)),
            "string" | "ascii_string" if dialect == MsSql => return format!("NVARCHAR({})", length(255)),
            "string" | "ascii_string" => return format!("VARCHAR({})", length(255)),
            "integer" => match dialect {
                Oracle => "NUMBER(10)",
                Sqlite => "INTEGER",
                _ => return format!("INT{unsigned}"),
            },
            "smallint" if dialect == Oracle => "NUMBER(5)",
            "smallint" => return format!("SMALLINT{unsigned}"),
            "bigint" if dialect == Oracle => "NUMBER(20)",
            "bigint" => return format!("BIGINT{unsigned}"),
            "boolean" => match dialect {
                MySql => "TINYINT(1)",
                MsSql => "BIT",
                Oracle => "NUMBER(1)",
                Postgres | Sqlite => "BOOLEAN",
            },
            "decimal" | "number" => {
                let (precision, scale) = (self.precision.unwrap_or(10), self.scale.unwrap_or(0));
                return format!("NUMERIC({precision}, {scale}){unsigned}");
            }
            "float" => return format!("DOUBLE PRECISION{unsigned}"),
            "smallfloat" => "REAL",
            "text" | "array" | "object" | "simple_array" | "json_array" => return self.long_text(dialect),
            "json" => match dialect {
                Postgres | MySql => "JSON",
                MsSql => "VARCHAR(MAX)",
                Oracle | Sqlite => "CLOB",
            },
            "jsonb" => "JSONB",
            "date" => "DATE",
            "datetime" => match dialect {
                Postgres => "TIMESTAMP(0) WITHOUT TIME ZONE",
                MySql | Sqlite => "DATETIME",
                MsSql => "DATETIME2(6)",
                Oracle => "TIMESTAMP(0)",
            },
            "datetimetz" => match dialect {
                Postgres => "TIMESTAMP(0) WITH TIME ZONE",
                MySql | Sqlite => "DATETIME",
                MsSql => "DATETIMEOFFSET(6)",
                Oracle => "TIMESTAMP(0) WITH TIME ZONE",
            },
            "time" => match dialect {
                Postgres => "TIME(0) WITHOUT TIME ZONE",
                MsSql => "TIME(0)",
                Oracle => "DATE",
                MySql | Sqlite => "TIME",
            },
            "dateinterval" => "VARCHAR(255)",
            "guid" => match dialect {
                Postgres => "UUID",
                MsSql => "UNIQUEIDENTIFIER",
                _ => "CHAR(36)",
            },
            "uuid" | "ulid" => match dialect {
                Postgres => "UUID",
                MsSql => "UNIQUEIDENTIFIER",
                Oracle => "RAW(16)",
                _ => "BINARY(16)",
            },
            "binary" => match dialect {
                Postgres => "BYTEA",
                Sqlite => "BLOB",
                _ if self.fixed => return format!("BINARY({})", length(255)),
                Oracle => return format!("RAW({})", length(255)),
                _ => return format!("VARBINARY({})", length(255)),
            },
            "blob" => match dialect {
                Postgres => "BYTEA",
                MySql => "LONGBLOB",
                MsSql => "VARBINARY(MAX)",
                Oracle | Sqlite => "BLOB",
            },
            other => return other.to_owned(),
        };
        fixed.to_owned()
    }

    fn long_text(&self, dialect: Dialect) -> String {
        let name = match (dialect, self.length) {
            (Dialect::MySql, Some(length)) if length <= 255 => "TINYTEXT",
            (Dialect::MySql, Some(length)) if length <= 65_535 => "TEXT",
            (Dialect::MySql, Some(length)) if length <= 16_777_215 => "MEDIUMTEXT",
            (Dialect::MySql, _) => "LONGTEXT",
            (Dialect::Postgres, _) => "TEXT",
            (Dialect::MsSql, _) => "VARCHAR(MAX)",
            (Dialect::Oracle | Dialect::Sqlite, _) => "CLOB",
        };
        name.to_owned()
    }
}
