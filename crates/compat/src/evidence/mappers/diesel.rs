//! Diesel: a query of a whole row selects every column that `table!` declares.

use super::{Field, FieldKind, Mapper, Model, Row, bracketed_within, line_of, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Diesel, title: "Diesel", language: Language::Rust, marks: &["table!"], read };

/// The longest table that is read.
const LONGEST: usize = 64 << 10;

fn read(text: &str) -> Vec<Model> {
    text.match_indices("table!").take(2_000).filter_map(|(at, _)| table(text, at)).collect()
}

fn table(text: &str, at: usize) -> Option<Model> {
    let (inner, end) = bracketed_within(&text[at..], LONGEST)?;
    let start = at + end - 1 - inner.len();
    // `use …;`, attributes and doc comments stand before `name (keys) {`.
    let open = inner.find('{').and_then(|_| body(inner))?;
    let head = &inner[..open];
    let named = head.rfind(';').map_or(head, |semicolon| &head[semicolon + 1..]);
    let said = named.contains("sql_name").then(|| literal(named.split("sql_name").nth(1)?)).flatten();
    let name = named.rsplit(']').next().unwrap_or(named).trim_start();
    let name = name.split(['(', ' ', '{']).next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
    let (columns, _) = bracketed_within(&inner[open..], LONGEST)?;
    let offset = start + open + 1;
    let mut fields = vec![];
    let mut renamed = None;
    let mut byte = 0;
    for line in columns.split_inclusive('\n') {
        for piece in line.split(',') {
            let code = piece.trim();
            if code.starts_with("#[sql_name") {
                renamed = literal(code).map(str::to_owned);
            } else if let Some((name, _)) = code.split_once("->") {
                let name = name.rsplit(']').next().unwrap_or(name).trim();
                fields.push(Field {
                    name: word(name).to_owned(),
                    column: Some(renamed.take().unwrap_or_else(|| word(name).to_owned())),
                    kind: FieldKind::Column,
                    line: line_of(text, offset + byte),
                });
            }
        }
        byte += line.len();
    }
    let table = said.unwrap_or(name).to_owned();
    Some(Model {
        mapper: Mapper::Diesel,
        class: name.to_owned(),
        table: Some(table),
        bases: vec![],
        fields,
        derived: false,
        open: false,
        part: false,
        line: line_of(text, at),
    })
}

/// Where the columns begin: the brace that no `use a::{b, c};` owns.
fn body(inner: &str) -> Option<usize> {
    let after_use = inner.rfind(';').map_or(0, |semicolon| semicolon + 1);
    inner.get(after_use..)?.find('{').map(|open| after_use + open)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn tables_are_read() {
        let models = read(
            "diesel::table! {\n    use diesel::sql_types::*;\n    use crate::Mood;\n\n    people (id) {\n        id -> Int4,\n        #[sql_name = \"nick\"]\n        nick_name -> Nullable<Text>,\n    }\n}\ntable! { more.posts (id) { id -> Int4, title -> Text, } }\n",
        );
        let fields: Vec<(&str, Option<&str>, u32)> = models[0]
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.column.as_deref(), field.line))
            .collect();
        assert_eq!(fields, [("id", Some("id"), 6), ("nick_name", Some("nick"), 8)]);
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!(models[1].table.as_deref(), Some("posts"));
        assert_eq!(models[1].fields.len(), 2);
    }
}
