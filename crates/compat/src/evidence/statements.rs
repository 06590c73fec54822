//! Whose column a statement of SQL means: the tables that it names, and what stands before the name.
//!
//! Only a statement that is whole in one string (or in a file of SQL) tells: what is put together of
//! several may name any table. Not here: whether those tables have such a column ([`super::grade`]).

use super::around::{Reading, is_word};
use super::language::Language;
use super::text::{Span, span_at};

/// Longer statements are not taken apart.
const LONGEST: usize = 8_000;

/// Words after which a table stands.
const BEFORE_TABLE: &[&str] = &["from", "join", "into", "update"];

/// Words that follow a table and are no alias of it.
pub(super) const NO_ALIAS: &[&str] = &[
    "where",
    "order",
    "join",
    "inner",
    "left",
    "right",
    "on",
    "group",
    "limit",
    "union",
    "cross",
    "full",
    "natural",
    "using",
    "for",
    "having",
    "offset",
    "fetch",
    "window",
    "except",
    "intersect",
    "force",
    "use",
    "ignore",
    "set",
    "values",
    "select",
    "returning",
    "partition",
    "tablesample",
    "with",
    "lateral",
    "default",
    "as",
];

impl Reading<'_> {
    /// The tables of which the column at this place may be one, in lower case; none: it is not known.
    pub(super) fn owners(&mut self, (start, _): Span) -> Vec<String> {
        let Some(span) = self.statement(start) else { return vec![] };
        let Some(text) = self.text.get(span.0..span.1).and_then(|text| std::str::from_utf8(text).ok()) else {
            return vec![];
        };
        let Some(tables) = tables(text) else { return vec![] };
        match qualifier(self.text, start) {
            None => tables.into_iter().map(|(table, _)| table).collect(),
            Some(word) => {
                let means = |(table, alias): &&(String, Option<String>)| {
                    alias.as_deref() == Some(word.as_str()) || alias.is_none() && *table == word
                };
                tables.iter().filter(means).map(|(table, _)| table.clone()).collect()
            }
        }
    }

    /// The whole statement around a byte.
    fn statement(&mut self, at: usize) -> Option<Span> {
        let text = self.text;
        let (start, end) = if self.language == Language::Sql {
            let start = memchr::memrchr(b';', text.get(..at)?).map_or(0, |found| found + 1);
            let end = memchr::memchr(b';', text.get(at..)?).map_or(text.len(), |found| at + found);
            (start, end)
        } else {
            let (from, to) = span_at(&self.scan().strings, at)?;
            let quote = text.get(from)?;
            let marks = if text.get(from..from + 3)? == [*quote; 3] { 3 } else { 1 };
            let closed = to >= from + 2 * marks && text.get(to - marks..to)?.iter().all(|byte| byte == quote);
            if !closed || is_joined(text, (from, to)) {
                return None;
            }
            (from + marks, to - marks)
        };
        (end - start <= LONGEST).then_some((start, end))
    }
}

/// Whether a string is a part of a longer one.
fn is_joined(text: &[u8], (from, to): Span) -> bool {
    let before = text.get(..from).unwrap_or_default().trim_ascii_end();
    let after = text.get(to..).unwrap_or_default().trim_ascii_start();
    let joins = |byte: &u8| b"+.&\\%|\"'`<".contains(byte);
    before.last().is_some_and(|byte| b"+.&\\|\"'`".contains(byte)) || after.first().is_some_and(joins)
}

/// What stands before a name, with a dot: an alias or a table.
fn qualifier(text: &[u8], start: usize) -> Option<String> {
    let head = text.get(..start)?;
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"`")).unwrap_or(head);
    let head = head.strip_suffix(b".")?;
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"`")).unwrap_or(head);
    let length = head.iter().rev().take_while(|byte| is_word(**byte)).count();
    Some(String::from_utf8_lossy(head.get(head.len() - length..)?).to_ascii_lowercase())
}

/// The tables of a statement with their aliases, in lower case; `None`: it is no statement, or one of
/// its tables is not told.
fn tables(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let text = without_comments(text);
    // A value put in by the program may stand anywhere; what stands where a table does is seen below.
    let words: Vec<&str> = words(&text);
    let first = words.first()?;
    if !["select", "insert", "update", "delete", "with"].contains(first) {
        return None;
    }
    let mut found: Vec<(String, Option<String>)> = vec![];
    let mut at = 0;
    while at < words.len() {
        let word = words.get(at).copied().unwrap_or_default();
        let extracts = word == "from" && at >= 2 && words.get(at - 2) == Some(&"(");
        let updates =
            word == "update" && at > 0 && matches!(words.get(at - 1), Some(&("for" | "do" | "key" | "on")));
        if !BEFORE_TABLE.contains(&word) || extracts || updates {
            at += 1;
            continue;
        }
        at += 1;
        loop {
            while matches!(words.get(at), Some(&("only" | "lateral"))) {
                at += 1;
            }
            if words.get(at) == Some(&"(") {
                break;
            }
            let (table, next) = named(&words, at)?;
            at = next;
            if words.get(at) == Some(&"as") {
                at += 1;
            }
            let alias = words.get(at).filter(|word| is_name(word) && !NO_ALIAS.contains(word));
            at += usize::from(alias.is_some());
            found.push((table, alias.map(|alias| (*alias).to_owned())));
            if words.get(at) != Some(&",") || word != "from" {
                break;
            }
            at += 1;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A table's name, the last part of it, and what follows.
fn named(words: &[&str], mut at: usize) -> Option<(String, usize)> {
    let mut name = words.get(at).filter(|word| is_name(word))?;
    while words.get(at + 1) == Some(&".") {
        at += 2;
        name = words.get(at).filter(|word| is_name(word))?;
    }
    Some(((*name).to_owned(), at + 1))
}

fn is_name(word: &str) -> bool {
    word.bytes().all(is_word) && word.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Names and single marks, in the order in which they stand; quotes of names are left out.
fn words(text: &str) -> Vec<&str> {
    let mut found = vec![];
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        if is_word(byte) {
            while bytes.get(at).copied().is_some_and(is_word) {
                at += 1;
            }
        } else if byte.is_ascii_whitespace() || matches!(byte, b'"' | b'`' | b'[' | b']' | b'\\') {
            continue;
        } else if byte == b'\'' {
            at = memchr::memchr(b'\'', bytes.get(at..).unwrap_or_default()).map_or(bytes.len(), |end| at + end + 1);
        } else if byte >= 0x80 {
            while bytes.get(at).copied().is_some_and(|byte| byte & 0xc0 == 0x80) {
                at += 1;
            }
        }
        found.extend(text.get(start..at));
    }
    found
}

/// In lower case, without comments of SQL.
fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = [rest.find("--"), rest.find("/*")].into_iter().flatten().min() {
        let (before, comment) = rest.split_at(at);
        kept.push_str(before);
        kept.push(' ');
        let end =
            if comment.starts_with("--") { comment.find('\n') } else { comment.find("*/").map(|end| end + 2) };
        rest = end.and_then(|end| comment.get(end..)).unwrap_or_default();
    }
    kept.push_str(rest);
    kept.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::around::Reading;
    use super::super::language::Language;

    fn owners(text: &str, language: Language) -> Vec<String> {
        let start = text.find("nick").unwrap();
        Reading::new(text.as_bytes(), language).owners((start, start + 4))
    }

    #[test]
    fn a_statement_tells_whose_column_it_names() {
        let cases: &[(&str, &[&str])] = &[
            ("q = `SELECT p.nick FROM pets p WHERE p.id = $1`", &["pets"]),
            ("q = `SELECT nick FROM pets p JOIN shop.users u ON u.id = p.owner`", &["pets", "users"]),
            ("q = `SELECT u.nick FROM pets p JOIN \"users\" AS u ON u.id = p.owner`", &["users"]),
            ("q = \"select pets.nick from pets, owners o\"", &["pets"]),
            ("q = \"INSERT INTO pets (nick) SELECT name FROM users\"", &["pets", "users"]),
            ("q = \"UPDATE pets SET nick = 'from users' WHERE id = ?\"", &["pets"]),
            ("q = \"SELECT extract(year from born), nick FROM pets FOR UPDATE\"", &["pets"]),
            ("q = \"SELECT x FROM (SELECT nick FROM pets) x\"", &["pets"]),
            // What is put together, cut off, or no statement, tells nothing.
            ("q = \"SELECT nick FROM \" + table", &[]),
            ("q = `SELECT nick FROM ${table}`", &[]),
            ("q = \"SELECT nick FROM %s\"", &[]),
            ("q = \"SELECT nick FROM pets\" . $joins", &[]),
            ("q = \"SELECT nick\n FROM pets\"", &[]),
            ("q = \"nick = ?\"", &[]),
            ("SELECT nick FROM pets", &[]),
            ("q = `SELECT z.nick FROM pets p`", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(owners(text, Language::Go), *expected, "{text}");
        }
        assert_eq!(owners("SELECT 1;\n-- from users\nSELECT nick FROM pets;", Language::Sql), ["pets"]);
    }
}
