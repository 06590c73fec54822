//! PostgreSQL's types by their canonical names.

use super::lex::Kind;
use super::source::Words;
use crate::operation::Type;

/// A type that was read.
pub(super) struct Read {
    pub ty: Type,
    /// `serial`: an integer that the database counts.
    pub counted: bool,
}

/// The types that go by several names, by the one that is used here.
const CANONICAL: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("bpchar", "bpchar"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    // CockroachDB's.
    ("bytes", "bytea"),
    ("int64", "bigint"),
    ("string", "text"),
];

/// `serial` and its kin: what is stored.
const SERIAL: &[(&str, &str)] = &[
    ("bigserial", "bigint"),
    ("serial", "integer"),
    ("serial2", "smallint"),
    ("serial4", "integer"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
];

/// The type that these words are.
pub(super) fn read(words: Words<'_>) -> Read {
    let words = if words.is(0, "setof") { words.from(1) } else { words };
    let (mut ty, rest) = base(words);
    let rest = words.from(rest);
    ty.array = rest.has("array") || (0..rest.tokens.len()).any(|at| rest.sign(at, b'['));
    normalise(&mut ty);
    let counted = SERIAL.iter().find(|(name, _)| *name == ty.base);
    if let Some((_, stored)) = counted {
        ty.base = (*stored).to_owned();
    }
    Read { counted: counted.is_some(), ty }
}

/// A type in one line, for signatures.
pub(super) fn line(words: Words<'_>) -> String {
    let ty = read(words).ty;
    let mut line = if words.is(0, "setof") { format!("setof {}", ty.base) } else { ty.base };
    // A parameter's length is not part of a routine's signature.
    if ty.array {
        line.push_str("[]");
    }
    line
}

/// The name with its arguments, and the token after them.
fn base(words: Words<'_>) -> (Type, usize) {
    let national = usize::from(words.is(0, "national"));
    if words.are(0, &["double", "precision"]) {
        return (Type::named("double precision"), 2);
    }
    if ["character", "char", "nchar"].iter().any(|name| words.is(national, name)) {
        let varying = words.is(national + 1, "varying");
        let name = if varying { "varchar" } else { "char" };
        return arguments(words, Type::named(name), national + 1 + usize::from(varying));
    }
    if words.is(0, "bit") {
        let varying = words.is(1, "varying");
        return arguments(words, Type::named(if varying { "varbit" } else { "bit" }), 1 + usize::from(varying));
    }
    if words.is(0, "timestamp") || words.is(0, "time") {
        let (mut ty, next) = arguments(words, Type::named(words.token(0).to_lowercase()), 1);
        if words.are(next, &["with", "time", "zone"]) {
            ty.base.push_str("tz");
            return (ty, next + 3);
        }
        return (ty, if words.is(next, "without") { next + 3 } else { next });
    }
    named(words)
}

/// A type by its name, perhaps within a schema.
fn named(words: Words<'_>) -> (Type, usize) {
    let Some((name, mut next)) = words.name(0) else {
        return (Type::named(words.text().to_lowercase()), words.tokens.len());
    };
    let schema = name.schema.filter(|schema| schema.key != "pg_catalog" && schema.key != "public");
    let quoted_char = words.kind(0) == Some(Kind::Quoted) && name.name.key == "char";
    let base = match schema {
        Some(schema) => format!("{}.{}", schema.key, name.name.key),
        None if quoted_char => "\"char\"".to_owned(),
        None => name.name.key,
    };
    if words.sign(next, b'%') {
        return (Type::named(words.text().to_lowercase()), words.tokens.len());
    }
    while base == "interval" && matches!(words.kind(next), Some(Kind::Word)) && !words.is(next, "array") {
        next += 1;
    }
    arguments(words, Type::named(base), next)
}

/// The arguments in brackets that may stand there.
fn arguments(words: Words<'_>, ty: Type, at: usize) -> (Type, usize) {
    if !words.sign(at, b'(') {
        return (ty, at);
    }
    let next = words.after_brackets(at);
    let inner = words.until(next.saturating_sub(1)).from(at + 1);
    let arguments = inner.parts().into_iter().map(|part| part.text().trim().to_lowercase());
    (ty.with(arguments.filter(|argument| !argument.is_empty()).collect::<Vec<_>>()), next)
}

/// One name and one way of writing its arguments for what is the same type.
fn normalise(ty: &mut Type) {
    if let Some((_, canonical)) = CANONICAL.iter().find(|(name, _)| *name == ty.base) {
        ty.base = (*canonical).to_owned();
    }
    match ty.base.as_str() {
        "float" => {
            let single =
                ty.arguments.first().and_then(|bits| bits.parse::<u32>().ok()).is_some_and(|bits| bits <= 24);
            ty.base = if single { "real" } else { "double precision" }.to_owned();
            ty.arguments.clear();
        }
        "char" | "bit" if ty.arguments.is_empty() => ty.arguments = vec!["1".to_owned()],
        "bpchar" if !ty.arguments.is_empty() => ty.base = "char".to_owned(),
        "numeric" if ty.arguments.len() == 1 => ty.arguments.push("0".to_owned()),
        "timestamp" | "timestamptz" | "time" | "timetz" | "interval" if ty.arguments == ["6"] => {
            ty.arguments.clear();
        }
        _ => {}
    }
}
