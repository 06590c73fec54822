//! One type in place of another: what code that knows the old one meets.
//!
//! Not here: types of the user's own, which the schema knows.

use crate::operation::{Ident, Maybe, Type};
use crate::schema::Table;
use crate::sql::Dialect;

/// What a change of type amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeChange {
    /// None.
    Same,
    /// Everything that was written and read still is.
    Wider,
    /// It depends; on what.
    Review(&'static str),
    /// Something that was written or read no longer is; what.
    Narrower(&'static str),
}

use TypeChange::{Narrower, Review, Same, Wider};

/// What it amounts to that a column's type changes.
pub fn change(dialect: Dialect, before: &Type, after: &Type) -> TypeChange {
    let (old, new) = (canonical(before), canonical(after));
    if dialect == Dialect::Sqlite {
        return match sqlite(&old, &new) {
            Same if compares(before) != compares(after) => {
                Review("the collation changes: order and equality may differ")
            }
            changed => changed,
        };
    }
    if before.array != after.array {
        return Narrower("an array is not a single value");
    }
    let changed = if !before.values.is_empty() && !after.values.is_empty() {
        listed(&before.values, &after.values)
    } else {
        families(dialect, before, after, &old, &new)
    };
    let said = |ty: &Type| ty.collation.as_deref().is_some_and(|name| !name.eq_ignore_ascii_case("default"));
    if dialect == Dialect::Postgres
        && matches!(changed, Same | Wider)
        && said(before) != said(after)
        && (text(dialect, before, &old).is_some() || text(dialect, after, &new).is_some())
    {
        return Review("the collation changes: order and equality may differ");
    }
    match (changed, &before.collation, &after.collation) {
        (Same | Wider, Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
            if dialect == Dialect::MySql && narrow_charset(other) && one.to_lowercase().starts_with("utf8") {
                Narrower("the character set holds fewer letters")
            } else if wider_charset(one, other) {
                Wider
            } else {
                Review("the collation changes: order and equality may differ")
            }
        }
        (Same | Wider, None, Some(other)) if dialect == Dialect::MySql && narrow_charset(other) => {
            Review("the character set may hold fewer letters")
        }
        (Same | Wider, None, Some(_)) if dialect == Dialect::MsSql => {
            Review("the collation may change: order and equality may differ")
        }
        _ => changed,
    }
}

/// The column of text that an expression casts to what not every text is: `(nick::integer)`.
pub(super) fn cast_text<'a>(expression: &str, table: &'a Table) -> Option<&'a Ident> {
    const TEXTS: &[&str] = &["text", "varchar", "character", "char", "citext", "bpchar", "name", "nvarchar"];
    const ASKS: &[&str] =
        &["integer", "int", "bigint", "smallint", "numeric", "decimal", "date", "uuid", "json", "jsonb", "boolean"];
    let lower = expression.to_lowercase().replace(['"', '`'], "");
    let word = |c: char| c.is_alphanumeric() || c == '_';
    lower.match_indices("::").find_map(|(at, _)| {
        let (before, after) = (lower.get(..at)?.trim_end(), lower.get(at + 2..)?.trim_start());
        let to = after.get(..after.find(|c| !word(c)).unwrap_or(after.len()))?;
        let from = before.get(before.rfind(|c| !word(c)).map_or(0, |end| end + 1)..)?;
        let (name, state) = table.columns.iter().find(|(name, _)| name.key.to_lowercase() == from)?;
        let text = matches!(&state.ty, Maybe::Known(ty) if TEXTS.contains(&ty.base.as_str()) && !ty.array);
        (text && (ASKS.contains(&to) || to.starts_with("timestamp") || to.starts_with("int"))).then_some(name)
    })
}

/// SQLite's collation of a column; BINARY is what it has if nothing is said.
fn compares(ty: &Type) -> Option<String> {
    ty.collation.as_deref().map(str::to_lowercase).filter(|name| name != "binary")
}

/// Whether a character set of MySQL's holds the letters of a few languages only.
fn narrow_charset(name: &str) -> bool {
    let name = name.to_lowercase();
    ["ascii", "latin", "cp", "koi8", "greek", "hebrew", "macroman", "macce"].iter().any(|set| name.starts_with(set))
}

/// utf8mb4 holds everything that MySQL's older character sets hold.
fn wider_charset(one: &str, other: &str) -> bool {
    let old = one.to_ascii_lowercase();
    let new = other.to_ascii_lowercase();
    new.starts_with("utf8mb4")
        && ["utf8", "latin1", "ascii"].iter().any(|set| old.starts_with(set))
        && !(old.contains("_bin") ^ new.contains("_bin"))
}

fn canonical(ty: &Type) -> String {
    let base = ty.base.trim().to_ascii_lowercase();
    match base.as_str() {
        "int" | "int4" | "serial" | "serial4" => "integer",
        "int8" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallserial" | "serial2" => "smallint",
        "bool" => "boolean",
        "decimal" | "dec" => "numeric",
        "character varying" => "varchar",
        "character" | "bpchar" => "char",
        "double precision" | "float8" => "double",
        "float4" => "real",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        other => other,
    }
    .to_owned()
}

fn listed(before: &[String], after: &[String]) -> TypeChange {
    if before == after {
        Same
    } else if after.starts_with(before) {
        Wider
    } else if before.iter().all(|value| after.contains(value)) {
        Narrower("values are put between others or in another order: numbers that are stored mean others")
    } else {
        Narrower("a value is taken away")
    }
}

fn families(dialect: Dialect, before: &Type, after: &Type, old: &str, new: &str) -> TypeChange {
    if let (Some(one), Some(other)) = (whole_numbers(dialect, before, old), whole_numbers(dialect, after, new)) {
        return numbers_of(dialect, one, other);
    }
    if let (Some(one), Some(other)) = (text(dialect, before, old), text(dialect, after, new)) {
        return texts(dialect, one, other);
    }
    if !before.values.is_empty() {
        let longest = before.values.iter().map(|value| value.chars().count() as u64).max().unwrap_or(0);
        let room = text(dialect, after, new).filter(|text| !text.padded).map(|text| text.room);
        return match room {
            Some(room) if room >= longest => Wider,
            _ => Narrower("it is another kind of value"),
        };
    }
    if old == "numeric" && new == "numeric" || old == "number" && new == "number" {
        return decimals(dialect, before, after);
    }
    match (old, new) {
        ("real", "double") | ("float", "double") => match dialect {
            Dialect::Postgres => Review("clients that read the binary form expect four bytes"),
            _ => Wider,
        },
        ("double", "real") | ("double", "float") if dialect != Dialect::MySql || old != new => {
            Narrower("digits are lost")
        }
        ("timestamp" | "datetime", "timestamptz") | ("timestamptz", "timestamp" | "datetime") => {
            Narrower("the same text means another instant")
        }
        ("timestamp", "datetime") if dialect == Dialect::MySql => Review("it no longer follows the session's zone"),
        ("datetime", "datetime2") | ("smalldatetime", "datetime" | "datetime2") => {
            Review("times are kept and compared with more digits")
        }
        ("json", "jsonb") | ("jsonb", "json") => Review("order of keys, doubled keys and operators differ"),
        ("json", "longtext") | ("longtext", "json") if dialect == Dialect::MySql => {
            Review("the database no longer treats it the same")
        }
        _ if old == new => arguments(old, before, after),
        _ => Narrower("it is another kind of value"),
    }
}

/// From what to what a whole number goes.
fn whole_numbers(dialect: Dialect, ty: &Type, name: &str) -> Option<(i128, i128)> {
    let bits = match name {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "integer" => 32,
        "bigint" => 64,
        "boolean" if dialect == Dialect::MySql => 8,
        "bit" if dialect == Dialect::MsSql => return Some((0, 1)),
        _ => return None,
    };
    let unsigned = ty.unsigned || (name == "tinyint" && dialect == Dialect::MsSql);
    let all = 1_i128 << bits;
    Some(if unsigned { (0, all - 1) } else { (-all / 2, all / 2 - 1) })
}

fn numbers_of(dialect: Dialect, one: (i128, i128), other: (i128, i128)) -> TypeChange {
    if one == other {
        Same
    } else if other.0 > one.0 || other.1 < one.1 {
        Narrower("numbers that fitted no longer do")
    } else if one == (0, 1) {
        Narrower("it is another kind of value")
    } else if dialect == Dialect::Postgres {
        Review("clients that read the binary form expect fewer bytes")
    } else {
        Wider
    }
}

/// A type of text or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Text {
    /// How much fits, in characters or bytes.
    room: u64,
    /// Filled up with blanks.
    padded: bool,
    /// SQL Server's and Oracle's national characters.
    national: bool,
    /// Compared without case.
    caseless: bool,
    /// The room is counted in letters: always but in Oracle, where CHAR says so.
    letters: bool,
    bytes: bool,
}

fn text(dialect: Dialect, ty: &Type, name: &str) -> Option<Text> {
    let given = ty.arguments.first().map(|argument| {
        let argument = argument.to_ascii_lowercase();
        let digits = argument.split_whitespace().next().unwrap_or_default();
        if digits == "max" { u64::MAX } else { digits.parse().unwrap_or(u64::MAX) }
    });
    let default = match (dialect, name) {
        (Dialect::Postgres, "varchar") => u64::MAX,
        _ => 1,
    };
    let room = match name {
        "char" | "nchar" | "varchar" | "nvarchar" | "varchar2" | "nvarchar2" | "binary" | "varbinary" | "raw"
        | "bit varying" | "varbit" => given.unwrap_or(if name.ends_with("varbit") { u64::MAX } else { default }),
        "tinytext" | "tinyblob" => 255,
        "text" | "blob" if dialect == Dialect::MySql => 65_535,
        "mediumtext" | "mediumblob" => 16_777_215,
        "longtext" | "longblob" => 4_294_967_295,
        "text" | "ntext" | "citext" | "clob" | "nclob" | "bytea" | "blob" | "image" | "string" | "long"
        | "long raw" => u64::MAX,
        _ => return None,
    };
    Some(Text {
        room,
        padded: matches!(name, "char" | "nchar" | "binary"),
        national: matches!(name, "nchar" | "nvarchar" | "ntext" | "nvarchar2" | "nclob"),
        caseless: name == "citext",
        letters: dialect != Dialect::Oracle
            || name.starts_with('n')
            || given.is_none()
            || ty.arguments.iter().any(|argument| argument.to_ascii_lowercase().ends_with("char")),
        bytes: matches!(
            name,
            "binary" | "varbinary" | "raw" | "bytea" | "image" | "long raw" | "varbit" | "bit varying"
        ) || name.ends_with("blob"),
    })
}

fn texts(dialect: Dialect, one: Text, other: Text) -> TypeChange {
    if one == other {
        return Same;
    }
    if one.bytes != other.bytes {
        return Narrower("bytes are not text");
    }
    if other.room < one.room {
        return Narrower("texts that fitted no longer do");
    }
    // A letter has up to four bytes.
    if one.letters && !other.letters && other.room / 4 < one.room {
        return Narrower("texts that fitted no longer do: the same number counts bytes");
    }
    if one.caseless != other.caseless {
        return Review("whether case counts changes");
    }
    if one.national != other.national {
        return Review("parameters are converted, and indexes may no longer serve");
    }
    if one.padded || other.padded {
        // MySQL gives the blanks of CHAR to nobody.
        return if dialect == Dialect::MySql && !one.bytes {
            Wider
        } else {
            Review("blanks at the end come or go")
        };
    }
    Wider
}

fn decimals(dialect: Dialect, before: &Type, after: &Type) -> TypeChange {
    let of = |ty: &Type| -> Option<(i64, i64)> {
        let mut digits = ty.arguments.iter().map(|argument| argument.trim().parse::<i64>());
        match (digits.next(), digits.next()) {
            (None, _) => match dialect {
                Dialect::MySql => Some((10, 0)),
                Dialect::MsSql => Some((18, 0)),
                _ => None,
            },
            (Some(precision), scale) => Some((precision.ok()?, scale.and_then(Result::ok).unwrap_or(0))),
        }
    };
    if after.unsigned && !before.unsigned {
        return Narrower("negative numbers no longer fit");
    }
    match (of(before), of(after)) {
        (one, other) if one == other => Same,
        (_, None) => Wider,
        (None, Some(_)) => Narrower("numbers that fitted no longer do"),
        (Some((precision, scale)), Some((wider, finer))) => {
            if finer < scale {
                Narrower("digits after the point are lost")
            } else if wider - finer < precision - scale {
                Narrower("numbers that fitted no longer do")
            } else if finer > scale {
                Review("numbers are given with more digits after the point")
            } else {
                Wider
            }
        }
    }
}

/// The same name with other arguments.
fn arguments(name: &str, before: &Type, after: &Type) -> TypeChange {
    if before.arguments == after.arguments {
        return Same;
    }
    if name == "vector" || name == "halfvec" {
        return Narrower("values have another number of dimensions");
    }
    let sized = |ty: &Type, default: u64| match ty.arguments.as_slice() {
        [] => Some(default),
        [one] => one.trim().parse::<u64>().ok(),
        _ => None,
    };
    // Left out, PostgreSQL keeps six digits of a second and MySQL none: the larger is the careful guess
    // for what was, the smaller for what will be.
    let time = matches!(name, "timestamp" | "timestamptz" | "time" | "timetz" | "interval");
    match (sized(before, if time { 6 } else { 0 }), sized(after, if time { 6 } else { 0 })) {
        (Some(one), Some(other)) if other < one => Narrower("digits or places are lost"),
        (Some(_), Some(_)) => Wider,
        _ => Review("its size or kind changes"),
    }
}

/// Whether a cast to the one type leaves whole what a column of the other holds; elsewhere than in
/// SQLite, whose columns hold anything, the column's own type decides.
pub fn same_kind(dialect: Dialect, cast: &str, column: &str) -> bool {
    dialect != Dialect::Sqlite || affinity(cast) == affinity(column)
}

fn affinity(name: &str) -> &'static str {
    if name.contains("int") {
        "integer"
    } else if ["char", "clob", "text"].iter().any(|word| name.contains(word)) {
        "text"
    } else if name.contains("blob") || name.is_empty() {
        "blob"
    } else if ["real", "floa", "doub"].iter().any(|word| name.contains(word)) {
        "real"
    } else {
        "numeric"
    }
}

/// SQLite keeps what it is given; only the affinity of the type's name counts.
fn sqlite(old: &str, new: &str) -> TypeChange {
    match (affinity(old), affinity(new)) {
        (one, other) if one == other => Same,
        // Dates, booleans and decimals are kept as what they look like either way.
        ("numeric", "integer") | ("integer", "numeric" | "real") | ("numeric", "real") | ("real", "numeric") => {
            Review("numbers are kept in another way")
        }
        _ => Narrower("values are converted to another kind"),
    }
}
