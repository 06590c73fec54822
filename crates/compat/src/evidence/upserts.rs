//! Upserts: statements that need a unique index of exactly these columns.
//!
//! Not here: the names of indexes ([`super::around`]), what an upsert amounts to ([`super::grade`]).

use aho_corasick::AhoCorasick;

use super::around::Reading;
use super::words::compact;

/// What a table and the columns of one of its unique indexes are looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upsert {
    /// The table's subject.
    pub(super) table: usize,
    /// The table's name, in lower case.
    pub(super) name: String,
    /// The columns, without case and separators, sorted.
    pub(super) columns: Vec<String>,
}

/// What names the columns of a unique index right after it.
const TARGETED: &[&str] = &[
    "on conflict",
    "onconflict",
    "on_conflict",
    "conflict_target:",
    "conflict_target =",
    "unique_by:",
    "unique_by =>",
    "unique_fields",
    "index_elements",
    "conflictfields",
    "conflictpaths",
    "conflictcolumns(",
    ".upsert(",
    "->upsert(",
    "::upsert(",
];

/// What changes or passes over a row that is there by any unique key.
const ANY: &[&str] =
    &["on duplicate key", "insert ignore", "replace into", "insert or replace", "insert or ignore"];

/// How many places of a file are looked at.
const LOOKED: usize = 500;

/// How many times an upsert of a file is held against an index.
const PAIRS: usize = 20_000;

/// Words within a target that are no columns.
const NOISE: &[&str] =
    &["name", "clause", "column", "columns", "target", "where", "fields", "conflictpaths", "string"];

/// What finds the marks.
pub(super) fn marks() -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(TARGETED.iter().chain(ANY)).ok()
}

/// Where a file has upserts that need one of these: the upsert and the byte.
pub(super) fn find(reading: &mut Reading<'_>, marks: &AhoCorasick, upserts: &[&Upsert]) -> Vec<(usize, usize)> {
    let mut found = vec![];
    let mut pairs = 0;
    let text = reading.text;
    for hit in marks.find_iter(text).take(LOOKED) {
        if reading.scan().in_comment(hit.start()) {
            continue;
        }
        let targeted = hit.pattern().as_usize() < TARGETED.len();
        for (at, upsert) in upserts.iter().enumerate() {
            pairs += 1;
            if pairs > PAIRS {
                return found;
            }
            let needs = if targeted {
                belongs(text, hit.start(), &upsert.name) && targets(text, hit.end(), upsert)
            } else {
                inserts(text, hit.start(), upsert)
            };
            if needs && !found.iter().any(|(known, _)| *known == at) {
                found.push((at, hit.start()));
            }
        }
    }
    found
}

/// Whether the statement of SQL before a place, if there is one, fills this table. A mapper's call
/// names it elsewhere.
fn belongs(text: &[u8], at: usize, table: &str) -> bool {
    const BACK: usize = 3_000;
    let own = text.get(at..at + 11).is_some_and(|mark| mark.eq_ignore_ascii_case(b"on conflict"));
    if !own {
        return true;
    }
    let head = String::from_utf8_lossy(text.get(at.saturating_sub(BACK)..at).unwrap_or_default()).to_lowercase();
    head.rsplit_once("into ").is_none_or(|(_, rest)| first_name(rest) == table)
}

/// The name at a text's beginning, without its schema and quotes.
fn first_name(text: &str) -> &str {
    let quotes: &[char] = &['"', '`', '[', '\'', '\\', ' ', '\n', '\t'];
    let text = text.trim_start_matches(quotes);
    let end = text.find(|letter: char| letter.is_whitespace() || letter == '(').unwrap_or(text.len());
    let path = text.get(..end).unwrap_or_default();
    let last = path.rsplit('.').next().unwrap_or(path);
    last.trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

/// Whether the columns after a mark are exactly these.
fn targets(text: &[u8], from: usize, upsert: &Upsert) -> bool {
    const AHEAD: usize = 400;
    let rest = String::from_utf8_lossy(text.get(from..(from + AHEAD).min(text.len())).unwrap_or_default());
    let rest = rest.split(';').next().unwrap_or_default();
    // The words up to the line's end or the first bracket that closes: `unique_by: :email`.
    let line = rest.split(['\n', ')', ']', '}']).next().unwrap_or_default();
    let line = line.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
    if is_same(line.trim_start_matches([' ', '(', '[', '{', ':', '=', '>', '|', '%', 'w', 'i']), upsert) {
        return true;
    }
    // `conflict_target: :label, returning: true`, and no list.
    let first = line.trim_start_matches([' ', ':', '=', '>']).split(',').next().unwrap_or_default();
    if upsert.columns.len() == 1 && !first.starts_with(['(', '[', '{', '%']) && is_same(first, upsert) {
        return true;
    }
    // Drizzle: `{ target: users.email, set: … }`.
    if let Some((_, value)) = rest.split_once("target:")
        && is_same(value.split([',', '}', '\n']).next().unwrap_or_default(), upsert)
    {
        return true;
    }
    // GORM: a structure for each column.
    if let Some((_, columns)) = rest.split_once("clause.Column{") {
        let columns = columns.split("}}").next().unwrap_or_default();
        let mut named: Vec<String> =
            columns.split("Name:").skip(1).filter_map(|rest| rest.split('"').nth(1)).map(compact).collect();
        named.sort();
        return named == upsert.columns;
    }
    // The innermost brackets: `index_elements=["email"]`, `target: [users.a, users.b]`.
    let mut open = None;
    for (at, letter) in rest.char_indices() {
        match letter {
            '(' | '[' | '{' => open = Some(at + 1),
            ')' | ']' | '}' => {
                if let Some(list) = open.take().and_then(|open| rest.get(open..at))
                    && !list.contains('?')
                    && is_same(list, upsert)
                {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether a list has exactly these columns, each perhaps behind its table's name or a key.
fn is_same(list: &str, upsert: &Upsert) -> bool {
    let mut found: Vec<String> = vec![];
    let parts =
        if list.contains(',') { list.split(',').collect() } else { list.split_whitespace().collect::<Vec<_>>() };
    for part in parts {
        let words = part
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .filter(|word| !word.is_empty())
            .map(compact)
            .filter(|word| !NOISE.contains(&word.as_str()) || upsert.columns.contains(word));
        // `users.email` and `users::email` end with it, `email: input.email` begins with it.
        let mut words: Vec<String> = words.collect();
        let keyed = part.contains(':') && !part.contains("::") && !part.trim_start().starts_with(':');
        if keyed {
            words.truncate(1);
        }
        match words.pop() {
            Some(word) if !found.contains(&word) => found.push(word),
            _ => {}
        }
    }
    found.sort();
    found == upsert.columns
}

/// Whether an INSERT that minds any unique key fills this table and all these columns.
fn inserts(text: &[u8], at: usize, upsert: &Upsert) -> bool {
    const SIDE: usize = 2_000;
    let back = at.saturating_sub(SIDE);
    let window = text.get(back..(at + SIDE).min(text.len())).unwrap_or_default();
    let window = String::from_utf8_lossy(window).to_lowercase();
    let here = window.get(..at - back).map_or(0, str::len);
    let ahead = window.get(here..).unwrap_or_default();
    let ahead = ahead.split_once("into ").filter(|(verb, _)| verb.len() < 30).map(|(_, rest)| rest);
    let statement = if window.get(here..).is_some_and(|rest| rest.starts_with("on duplicate")) {
        window.get(..here).and_then(|head| head.rsplit_once("into ")).map(|(_, rest)| rest)
    } else {
        ahead
    };
    let Some(statement) = statement.filter(|statement| first_name(statement) == upsert.name) else { return false };
    let list = statement.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(list, _)| list);
    let named: Vec<String> = list.split(',').map(|column| compact(column.trim())).collect();
    upsert.columns.iter().all(|column| named.contains(column))
}
