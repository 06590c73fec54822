//! Liquibase's types, as each database writes them.

use crate::operation::Type;
use crate::sql::Dialect;

use super::super::declared;

/// The type that a changelog names, in the dialect's canonical words.
pub fn ty(dialect: Dialect, written: &str) -> Type {
    declared::ty(dialect, &text(dialect, written))
}

/// What Liquibase writes for a type; an unknown one stays as it is.
#[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
fn text(dialect: Dialect, written: &str) -> String {
    use Dialect::{MsSql, MySql, Oracle, Postgres, Sqlite};
    let written = written.trim();
    let plain = written.strip_prefix("java.sql.Types.").unwrap_or(written).to_lowercase();
    let plain = plain.replace("autoincrement", " ");
    let plain = plain.trim();
    let (base, rest) = plain.split_once('(').map_or((plain, ""), |(base, rest)| (base.trim(), rest));
    let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
    let arguments = if rest.is_empty() { String::new() } else { format!("({inner})") };
    // Oracle's `varchar2(50 char)`.
    let length = arguments.replace(" char)", ")").replace(" byte)", ")");
    let fixed = match base {
        "boolean" | "bool" | "bit" => match dialect {
            Postgres if base == "bit" && !inner.is_empty() => return format!("bit{arguments}"),
            Postgres | Sqlite => "boolean",
            MySql => "bit(1)",
            MsSql => "bit",
            Oracle => "number(1)",
        },
        "tinyint" if dialect == Postgres => "smallint",
        "tinyint" if dialect == Oracle => "number(3)",
        "smallint" | "int2" if dialect == Oracle => "number(5)",
        "int" | "integer" | "int4" | "serial" if dialect == Oracle => "integer",
        "int" | "integer" | "int4" | "serial" | "serial4" if dialect != MySql => "integer",
        "int" | "integer" => return format!("int{arguments}{after}"),
        "bigint" | "int8" | "bigserial" | "serial8" if dialect == Oracle => "number(38,0)",
        "bigint" | "int8" | "bigserial" | "serial8" if dialect == MySql => {
            return format!("bigint{arguments}{after}");
        }
        "bigint" | "int8" | "bigserial" | "serial8" => "bigint",
        "number" | "numeric" | "decimal" | "dec" if dialect == Oracle => return format!("number{arguments}"),
        "number" | "numeric" => return format!("numeric{arguments}"),
        "currency" => match dialect {
            MsSql => "money",
            Oracle => "number(15,2)",
            _ => "decimal",
        },
        "double" | "double precision" => match dialect {
            Postgres => "double precision",
            MySql | Sqlite => return format!("double{arguments}"),
            MsSql => "float",
            Oracle => "float(24)",
        },
        "varchar" | "varchar2" | "character varying" | "nvarchar" | "nvarchar2" => {
            let name = match (dialect, base.starts_with('n')) {
                (Oracle, false) => "varchar2",
                (Oracle, true) => "nvarchar2",
                (MsSql, true) => "nvarchar",
                _ => "varchar",
            };
            return format!("{name}{length}");
        }
        "nchar" if !matches!(dialect, Oracle | MsSql) => return format!("char{length}"),
        "clob" | "nclob" | "longvarchar" | "longnvarchar" | "longtext" | "text" | "mediumtext" | "tinytext"
        | "ntext" => match dialect {
            Postgres | Sqlite => "text",
            MySql if matches!(base, "clob" | "nclob" | "longvarchar" | "longnvarchar" | "ntext") => "longtext",
            MySql => base,
            MsSql => "varchar(max)",
            Oracle if base.starts_with('n') => "nclob",
            Oracle => "clob",
        },
        "blob" | "longblob" | "longvarbinary" | "mediumblob" | "tinyblob" | "image" | "bytea" | "varbinary"
        | "binary" => match dialect {
            Postgres if base == "blob" => "oid",
            Postgres => "bytea",
            MySql if matches!(base, "varbinary" | "binary") && !inner.is_empty() => {
                return format!("{base}{arguments}");
            }
            MySql if matches!(base, "mediumblob" | "tinyblob") => base,
            MySql => "longblob",
            MsSql if matches!(base, "varbinary" | "binary") && !inner.is_empty() => {
                return format!("{base}{arguments}");
            }
            MsSql => "varbinary(max)",
            Oracle | Sqlite => "blob",
        },
        "datetime" | "timestamp" | "timestamp without time zone" | "datetime2" => {
            let zone = after.contains("with time zone");
            return match dialect {
                Postgres if zone => format!("timestamp{arguments} with time zone"),
                Postgres => format!("timestamp{arguments} without time zone"),
                MySql if base == "timestamp" => format!("timestamp{arguments}"),
                MySql => format!("datetime{arguments}"),
                Oracle if zone => format!("timestamp{arguments} with time zone"),
                Oracle => format!("timestamp{arguments}"),
                MsSql if base == "datetime2" => format!("datetime2{arguments}"),
                MsSql | Sqlite => "datetime".to_owned(),
            };
        }
        "timestamp with time zone" | "timestamptz" => match dialect {
            Postgres => return format!("timestamp{arguments} with time zone"),
            Oracle => return format!("timestamp{arguments} with time zone"),
            MySql => return format!("timestamp{arguments}"),
            MsSql => "datetimeoffset",
            Sqlite => "datetime",
        },
        "time" if dialect == Oracle => "date",
        "uuid" | "uniqueidentifier" => match dialect {
            Postgres => "uuid",
            MySql => "char(36)",
            MsSql => "uniqueidentifier",
            Oracle => "raw(16)",
            Sqlite => "text",
        },
        _ => return plain.to_owned(),
    };
    fixed.to_owned()
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::sql::Dialect;

    #[test]
    fn generic_types_are_the_dialects() {
        let cases = [
            ("java.sql.Types.VARCHAR(20)", "varchar(20)", "varchar(20)"),
            ("VARCHAR2(20 CHAR)", "varchar(20)", "varchar(20)"),
            ("CLOB", "text", "longtext"),
            ("text", "text", "text"),
            ("BOOLEAN", "boolean", "bit(1)"),
            ("DATETIME", "timestamp without time zone", "datetime"),
            ("timestamp(6) with time zone", "timestamp(6) with time zone", "timestamp(6)"),
            ("NUMBER(10,2)", "numeric(10,2)", "numeric(10,2)"),
            ("INT", "integer", "int"),
            ("BIGINT UNSIGNED", "bigint unsigned", "bigint unsigned"),
            ("BLOB", "oid", "longblob"),
            ("uuid", "uuid", "char(36)"),
            ("jsonb", "jsonb", "jsonb"),
        ];
        for (written, postgres, mysql) in cases {
            assert_eq!(text(Dialect::Postgres, written), postgres, "{written}");
            assert_eq!(text(Dialect::MySql, written), mysql, "{written}");
        }
    }
}
