//! Types of columns, in each dialect's canonical words.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read, unquoted};
use super::super::lex::Kind;
use super::columns::is_attribute;
use crate::operation::Type;

/// The type that is next.
pub fn ty(cursor: &mut Cursor<'_>) -> Read<Type> {
    let mut base = base(cursor)?;
    let mut ty = Type::named(String::new());
    if cursor.is_mark(b'(') {
        arguments(&mut cursor.group()?, &base, &mut ty);
    }
    tail(cursor, &mut base, &mut ty)?;
    ty.base = base;
    canonical(&mut ty, cursor.dialect());
    Ok(ty)
}

/// A type as a text of one line, for signatures.
pub fn words(ty: &Type) -> String {
    let mut words = ty.base.clone();
    if !ty.arguments.is_empty() {
        words.push_str(&format!("({})", ty.arguments.join(",")));
    }
    if !ty.values.is_empty() {
        words.push_str(&format!("({})", ty.values.join(",")));
    }
    if ty.unsigned {
        words.push_str(" unsigned");
    }
    words
}

/// The most words of a type's name.
const WORDS: usize = 8;

/// Words that continue a type's name, by the word before.
const PAIRS: &[(&str, &[&str])] = &[
    ("double", &["precision"]),
    ("character", &["varying", "large"]),
    ("char", &["varying", "large", "byte"]),
    ("binary", &["varying", "large"]),
    ("bit", &["varying"]),
    ("large", &["object"]),
    ("national", &["character", "char", "varchar", "text"]),
    ("nchar", &["varying", "varchar"]),
    ("long", &["varchar", "varbinary", "raw", "text"]),
];

fn base(cursor: &mut Cursor<'_>) -> Read<String> {
    let mut word = cursor.ident()?.key;
    while cursor.eat_mark(b'.') {
        let next = cursor.ident()?.key;
        word = if matches!(word.as_str(), "dbo" | "sys" | "pg_catalog") { next } else { format!("{word}.{next}") };
    }
    let mut base = word.clone();
    let mut words = 1;
    while let Some(next) = cursor.word(0).map(str::to_lowercase) {
        let known = PAIRS.iter().any(|(first, seconds)| *first == word && seconds.contains(&next.as_str()));
        // SQLite takes any words for a type.
        if words > WORDS || !known && (cursor.dialect() != Dialect::Sqlite || is_attribute(cursor)) {
            break;
        }
        base = format!("{base} {next}");
        word = next;
        words += 1;
        cursor.skip(1);
    }
    Ok(base)
}

fn arguments(group: &mut Cursor<'_>, base: &str, ty: &mut Type) {
    if matches!(base, "enum" | "set") {
        while !group.done() {
            match group.literal() {
                Some(value) => ty.values.push(value),
                None => group.skip(1),
            }
        }
        return;
    }
    for part in group.commas() {
        let mut text = String::new();
        for token in part.rest() {
            // Oracle's `20 byte` is `20`; `20 char` says how it is counted.
            let word = part.text(token).to_lowercase();
            if word == "char" {
                ty.arguments.push(std::mem::take(&mut text));
                text = word;
            } else if word != "byte" {
                text.push_str(&word);
            }
        }
        if !text.is_empty() {
            ty.arguments.push(text);
        }
    }
}

/// What stands after a type's length.
fn tail(cursor: &mut Cursor<'_>, base: &mut String, ty: &mut Type) -> Read<()> {
    loop {
        if cursor.eat(&["WITH", "LOCAL", "TIME", "ZONE"]) {
            base.push_str(" with local time zone");
        } else if cursor.eat(&["WITH", "TIME", "ZONE"]) {
            base.push_str(" with time zone");
        } else if cursor.eat(&["WITHOUT", "TIME", "ZONE"])
            || cursor.eat_any(&["SIGNED", "ZEROFILL"]) && cursor.mysql()
        {
        } else if cursor.eat(&["UNSIGNED"]) {
            ty.unsigned = true;
        } else if base.starts_with("interval") && cursor.eat_any(&["TO", "YEAR", "MONTH", "DAY", "SECOND"]) {
            if cursor.is_mark(b'(') {
                cursor.group()?;
            }
        } else if cursor.eat(&["CHARACTER", "SET"]) || cursor.eat_any(&["CHARSET", "COLLATE"]) {
            collation(cursor, ty)?;
        } else if cursor.mysql() && cursor.is_any(&["BINARY", "ASCII", "UNICODE", "BYTE"]) {
            ty.collation = cursor.word(0).map(str::to_lowercase);
            cursor.skip(1);
        } else {
            return Ok(());
        }
    }
}

/// A character set or collation after its keyword.
pub fn collation(cursor: &mut Cursor<'_>, ty: &mut Type) -> Read<()> {
    cursor.eat_mark(b'=');
    let word = match cursor.ahead(0) {
        Some(token) if token.kind == Kind::Text => unquoted(cursor.text(token)),
        _ => cursor.name()?.to_string(),
    };
    if matches!(cursor.ahead(0), Some(token) if token.kind == Kind::Text) || word.is_empty() {
        cursor.skip(1);
    }
    let word = word.to_lowercase();
    ty.collation = Some(match ty.collation.take() {
        Some(before) => format!("{before} {word}"),
        None => word,
    });
    Ok(())
}

/// Other words for the same type.
const MYSQL: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int1", "tinyint"),
    ("int2", "smallint"),
    ("int3", "mediumint"),
    ("middleint", "mediumint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("bool", "tinyint"),
    ("boolean", "tinyint"),
    ("dec", "numeric"),
    ("fixed", "numeric"),
    ("decimal", "numeric"),
    ("double precision", "double"),
    ("real", "double"),
    ("float8", "double"),
    ("float4", "float"),
    ("character", "char"),
    ("nchar", "char"),
    ("national char", "char"),
    ("national character", "char"),
    ("nvarchar", "varchar"),
    ("varcharacter", "varchar"),
    ("char varying", "varchar"),
    ("character varying", "varchar"),
    ("national varchar", "varchar"),
    ("nchar varchar", "varchar"),
    ("long", "mediumtext"),
    ("long varchar", "mediumtext"),
    ("long varbinary", "mediumblob"),
];

const MSSQL: &[(&str, &str)] = &[
    ("int", "integer"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("timestamp", "rowversion"),
    ("character", "char"),
    ("char varying", "varchar"),
    ("character varying", "varchar"),
    ("national char", "nchar"),
    ("national character", "nchar"),
    ("national char varying", "nvarchar"),
    ("national character varying", "nvarchar"),
    ("double precision", "float"),
    ("binary varying", "varbinary"),
];

const ORACLE: &[(&str, &str)] = &[
    ("varchar", "varchar2"),
    ("int", "integer"),
    ("dec", "number"),
    ("decimal", "number"),
    ("numeric", "number"),
    ("character", "char"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp with local time zone", "timestampltz"),
];

/// Not `int`: only of a column whose type is the word INTEGER does SQLite make the rowid.
const SQLITE: &[(&str, &str)] = &[("decimal", "numeric")];

/// What a type has that names no length or precision.
const UNSAID: &[(Dialect, &str, &[&str])] = &[
    (Dialect::MySql, "char", &["1"]),
    (Dialect::MySql, "binary", &["1"]),
    (Dialect::MySql, "bit", &["1"]),
    (Dialect::MySql, "numeric", &["10", "0"]),
    (Dialect::MsSql, "char", &["1"]),
    (Dialect::MsSql, "nchar", &["1"]),
    (Dialect::MsSql, "varchar", &["1"]),
    (Dialect::MsSql, "nvarchar", &["1"]),
    (Dialect::MsSql, "binary", &["1"]),
    (Dialect::MsSql, "varbinary", &["1"]),
    (Dialect::MsSql, "numeric", &["18", "0"]),
];

fn canonical(ty: &mut Type, dialect: Dialect) {
    let rows = match dialect {
        Dialect::MySql => MYSQL,
        Dialect::MsSql => MSSQL,
        Dialect::Oracle => ORACLE,
        Dialect::Sqlite | Dialect::Postgres => SQLITE,
    };
    if let Some((_, known)) = rows.iter().find(|(word, _)| *word == ty.base) {
        ty.base = (*known).to_owned();
    }
    let integer = ["tinyint", "smallint", "mediumint", "integer", "bigint"].contains(&ty.base.as_str());
    // `int(11)` is as wide as `int`; so is `year(4)`.
    if dialect == Dialect::MySql && (integer || ty.base == "year") {
        ty.arguments.clear();
    }
    let unsaid = UNSAID.iter().find(|(of, base, _)| *of == dialect && *base == ty.base);
    if let Some((_, _, arguments)) = unsaid {
        for argument in arguments.iter().skip(ty.arguments.len()) {
            ty.arguments.push((*argument).to_owned());
        }
    }
    if dialect == Dialect::Oracle && ty.base == "number" && ty.arguments.len() == 1 {
        ty.arguments.push("0".to_owned());
    }
}
