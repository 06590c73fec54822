//! Drizzle: a bare `select()` and every insert name all columns of the declared table.

use super::{Field, FieldKind, Mapper, Model, Row, bracketed, bracketed_within, line_of, listed, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Drizzle, title: "Drizzle", language: Language::Script, marks: &["drizzle-orm"], read };

/// The longest table that is read.
const LONGEST: usize = 64 << 10;

fn read(text: &str) -> Vec<Model> {
    let mut models = vec![];
    for (at, _) in text.match_indices("able(").take(2_000) {
        let head = &text[..at + 4];
        let callee = &head[head
            .rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .map_or(0, |before| before + 1)..];
        if !callee.ends_with("Table") && callee != "table" {
            continue;
        }
        let Some((inner, _)) = bracketed_within(&text[at..], LONGEST) else { continue };
        let parts = listed(inner);
        let Some((_, name)) = parts.first().filter(|(_, name)| name.trim().starts_with(['"', '\'', '`'])) else {
            continue;
        };
        let Some(table) = literal(name) else { continue };
        let Some((offset, columns)) = parts.get(1) else { continue };
        let offset = at + "able(".len() + offset;
        let class = declared(text, at).to_owned();
        models.push(Model {
            mapper: Mapper::Drizzle,
            class,
            table: Some(table.to_owned()),
            bases: vec![],
            fields: fields(text, offset, columns),
            // Columns that are spread into the object come from elsewhere.
            derived: false,
            open: columns.contains("...") || !columns.contains('{'),
            part: false,
            line: line_of(text, at),
        });
    }
    models
}

/// The constant that holds what is called here.
fn declared(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at];
    line.split_once("const ").map_or("", |(_, rest)| word(rest))
}

fn fields(text: &str, offset: usize, columns: &str) -> Vec<Field> {
    let Some((inner, end)) = bracketed_within(columns, LONGEST) else { return vec![] };
    let start = offset + end - 1 - inner.len();
    listed(inner)
        .into_iter()
        .filter_map(|(at, piece)| {
            let lead = piece.len() - piece.trim_start().len();
            let (name, value) = piece.trim_start().split_once(':')?;
            let name = word(name.trim_matches(['"', '\'', ' '])).to_owned();
            // `text("nick_name")`; the call's first string only, not a default's.
            let said = bracketed(value)
                .and_then(|(inner, _)| inner.trim().starts_with(['"', '\'', '`']).then(|| literal(inner))?);
            Some(Field {
                name,
                column: said.map(str::to_owned),
                kind: FieldKind::Column,
                line: line_of(text, start + at + lead),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn tables_and_their_columns_are_read() {
        let models = read(
            "import { pgTable } from 'drizzle-orm/pg-core';\nexport const people = pgTable('people', {\n  id: serial().primaryKey(),\n  nickName: text('nick_name').default('x'),\n  kind: text({ enum: ['a', 'b'] }),\n}, (t) => [index('x').on(t.id)]);\nexport const more = mySchema.table(\"more\", { ...stamps, a: integer('a') });\nconst t = useTable(x);\n",
        );
        assert_eq!(models.len(), 2);
        let fields: Vec<(&str, Option<&str>, u32)> = models[0]
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.column.as_deref(), field.line))
            .collect();
        assert_eq!(fields, [("id", None, 3), ("nickName", Some("nick_name"), 4), ("kind", None, 5)]);
        assert_eq!(models[0].class, "people");
        assert!(!models[0].open && models[1].open);
    }
}
