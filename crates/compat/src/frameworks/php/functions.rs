//! PHP's own functions: those whose value a text decides, and those that touch nothing.

use super::value::{Call, HOLE, Value};

/// What a function of PHP's gives; `None`: it is none of those that are known to touch nothing.
pub fn call<'t>(call: &Call<'t>) -> Option<Value<'t>> {
    let name = call.name.trim_start_matches('\\').to_ascii_lowercase();
    let first = call.arguments.first().map(|argument| &argument.value);
    let value = match name.as_str() {
        "sprintf" => {
            let values: Vec<_> = call.values().skip(1).collect();
            format(first?, &values)
        }
        "vsprintf" => match call.arguments.get(1).and_then(|list| list.value.values()) {
            Some(values) => format(first?, &values),
            None => holed(first?),
        },
        "implode" | "join" => implode(first?, call.arguments.get(1).map(|argument| &argument.value)),
        "strtolower" | "mb_strtolower" => mapped(first?, str::to_lowercase),
        "strtoupper" | "mb_strtoupper" => mapped(first?, str::to_uppercase),
        "trim" | "ltrim" | "rtrim" if call.arguments.len() == 1 => mapped(first?, |text| text.trim().to_owned()),
        "count" | "sizeof" => {
            first?.values().map_or(Value::Unknown, |values| Value::Number(values.len().to_string()))
        }
        "array_keys" => match first? {
            Value::Array(pairs) => numbered(pairs.iter().map(|(key, _)| key.clone())),
            _ => Value::Unknown,
        },
        "array_values" => match first? {
            Value::Array(pairs) => numbered(pairs.iter().map(|(_, value)| value.clone())),
            _ => Value::Unknown,
        },
        "array_merge" => merged(call),
        _ if touches_nothing(&name) => Value::Unknown,
        _ => return None,
    };
    Some(value)
}

/// An array of values with keys from 0.
pub fn numbered<'t>(values: impl Iterator<Item = Value<'t>>) -> Value<'t> {
    Value::Array(values.enumerate().map(|(at, value)| (Value::Number(at.to_string()), value)).collect())
}

#[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
fn touches_nothing(name: &str) -> bool {
    const BEGINNINGS: [&str; 13] = [
        "str", "array_", "json_", "preg_", "mb_", "is_", "date", "ctype_", "hash", "base64_", "url", "iconv", "uc",
    ];
    const NAMES: [&str; 52] = [
        "trim",
        "ltrim",
        "rtrim",
        "substr",
        "explode",
        "in_array",
        "range",
        "min",
        "max",
        "time",
        "microtime",
        "mktime",
        "gmdate",
        "md5",
        "sha1",
        "uniqid",
        "random_int",
        "random_bytes",
        "rand",
        "mt_rand",
        "bin2hex",
        "intval",
        "floatval",
        "boolval",
        "number_format",
        "round",
        "floor",
        "ceil",
        "abs",
        "key",
        "current",
        "end",
        "reset",
        "sort",
        "ksort",
        "usort",
        "asort",
        "rsort",
        "compact",
        "function_exists",
        "class_exists",
        "method_exists",
        "property_exists",
        "get_class",
        "defined",
        "constant",
        "getenv",
        "ini_set",
        "set_time_limit",
        "serialize",
        "unserialize",
        "printf",
    ];
    const MORE: [&str; 23] = [
        "addslashes",
        "isset",
        "empty",
        "spl_object_id",
        "gettype",
        "array",
        "filter_var",
        "lcfirst",
        "nl2br",
        "var_export",
        "print_r",
        "error_log",
        "trigger_error",
        "memory_get_usage",
        "file_exists",
        "file_get_contents",
        "dirname",
        "basename",
        "realpath",
        "implode",
        "iterator_to_array",
        "version_compare",
        "gc_collect_cycles",
    ];
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || NAMES.contains(&name) || MORE.contains(&name)
}

fn mapped<'t>(value: &Value<'t>, map: impl Fn(&str) -> String) -> Value<'t> {
    match value {
        Value::Text { text, line } => Value::Text { text: map(text), line: *line },
        _ => Value::Unknown,
    }
}

/// A text of which nothing is certain but that it is one.
fn holed<'t>(value: &Value<'t>) -> Value<'t> {
    match value {
        Value::Text { line, .. } => Value::Text { text: HOLE.to_string(), line: *line },
        _ => Value::Unknown,
    }
}

fn implode<'t>(glue: &Value<'t>, list: Option<&Value<'t>>) -> Value<'t> {
    let (glue, list) = match (glue, list) {
        (Value::Array(_), Some(other)) => (other, glue),
        (Value::Array(_), None) => (&Value::Null, glue),
        (glue, Some(list)) => (glue, list),
        _ => return Value::Unknown,
    };
    let Some(values) = list.values() else { return Value::Unknown };
    let line = values
        .iter()
        .find_map(|value| match value {
            Value::Text { line, .. } => Some(*line),
            _ => None,
        })
        .unwrap_or(0);
    let pieces: Vec<String> = values.into_iter().map(Value::in_text).collect();
    Value::Text { text: pieces.join(&glue.in_text()), line }
}

fn merged<'t>(call: &Call<'t>) -> Value<'t> {
    let mut pairs = vec![];
    for value in call.values() {
        let Value::Array(more) = value else { return Value::Unknown };
        pairs.extend(more.iter().cloned());
    }
    let numbers = pairs.iter().all(|(key, _)| matches!(key, Value::Number(_)));
    if numbers { numbered(pairs.into_iter().map(|(_, value)| value)) } else { Value::Array(pairs) }
}

/// `sprintf`: `%s`, `%d`, `%1$s`, `%%`; other marks leave a hole.
fn format<'t>(pattern: &Value<'t>, values: &[&Value<'t>]) -> Value<'t> {
    let Value::Text { text: pattern, line } = pattern else { return Value::Unknown };
    let mut text = String::with_capacity(pattern.len());
    let mut next = 0_usize;
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '%' {
            text.push(char);
            continue;
        }
        let mut mark = String::new();
        while let Some(char) = chars.peek().copied() {
            if char.is_ascii_digit() || matches!(char, '$' | '-' | '+' | '.' | '\'') {
                mark.push(char);
                chars.next();
            } else {
                break;
            }
        }
        match chars.next() {
            Some('%') => text.push('%'),
            Some('s' | 'd' | 'u' | 'i') if mark.is_empty() || mark.ends_with('$') => {
                let at = match mark.trim_end_matches('$').parse::<usize>() {
                    Ok(place) => place.saturating_sub(1),
                    Err(_) => {
                        next += 1;
                        next - 1
                    }
                };
                text.push_str(&values.get(at).map_or(HOLE.to_string(), |value| value.in_text()));
            }
            _ => text.push(HOLE),
        }
    }
    Value::Text { text, line: *line }
}
