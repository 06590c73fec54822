//! Sequelize: every SELECT names the attributes of the definition.

use super::{Field, FieldKind, Mapper, Model, Row, argument, bracketed_within, line_of, listed, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Sequelize, title: "Sequelize", language: Language::Script, marks: &["equelize"], read };

/// The longest definition that is read.
const LONGEST: usize = 64 << 10;

fn read(text: &str) -> Vec<Model> {
    let mut models = vec![];
    for call in [".define(", ".init("] {
        for (at, _) in text.match_indices(call).take(1_000) {
            let Some((inner, _)) = bracketed_within(&text[at..], LONGEST) else { continue };
            let parts = listed(inner);
            let (name, attributes) = if call == ".define(" {
                let name = parts.first().and_then(|(_, name)| literal(name)).unwrap_or_default();
                (name, parts.get(1))
            } else {
                let before = &text[..at];
                let start = before
                    .rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                    .map_or(0, |start| start + 1);
                (&before[start..], parts.first())
            };
            let Some((offset, attributes)) = attributes.filter(|(_, part)| part.trim_start().starts_with('{'))
            else {
                continue;
            };
            let options = parts.last().map_or("", |(_, options)| options);
            let fields = fields(text, at + call.len() + offset, attributes);
            let stamps = !options.contains("timestamps: false");
            models.push(Model {
                mapper: Mapper::Sequelize,
                class: argument(options, "modelName").unwrap_or(name).to_owned(),
                table: argument(options, "tableName").map(str::to_owned),
                bases: vec![],
                fields: fields.into_iter().chain(stamps.then(|| stamp(text, at)).into_iter().flatten()).collect(),
                derived: false,
                open: attributes.contains("..."),
                part: false,
                line: line_of(text, at),
            });
        }
    }
    models
}

/// What Sequelize adds by itself.
fn stamp(text: &str, at: usize) -> Vec<Field> {
    ["createdAt", "updatedAt"]
        .map(|name| Field { name: name.to_owned(), column: None, kind: FieldKind::Column, line: line_of(text, at) })
        .into()
}

fn fields(text: &str, offset: usize, attributes: &str) -> Vec<Field> {
    let Some((inner, end)) = bracketed_within(attributes, LONGEST) else { return vec![] };
    let start = offset + end - 1 - inner.len();
    listed(inner)
        .into_iter()
        .filter_map(|(at, piece)| {
            let lead = piece.len() - piece.trim_start().len();
            let (name, value) = piece.trim_start().split_once(':')?;
            let virtual_ = value.contains("DataTypes.VIRTUAL") || value.contains("Sequelize.VIRTUAL");
            Some(Field {
                name: word(name.trim_matches(['"', '\'', ' '])).to_owned(),
                column: argument(value, "field").map(str::to_owned),
                kind: if virtual_ { FieldKind::Ignored } else { FieldKind::Column },
                line: line_of(text, start + at + lead),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn definitions_are_read() {
        let models = read(
            "const { Sequelize } = require('sequelize');\nconst P = sequelize.define('person', {\n  nick: { type: DataTypes.STRING, field: 'nick_name' },\n  age: DataTypes.INTEGER,\n}, { tableName: 'people', timestamps: false });\nUser.init({\n  email: DataTypes.STRING,\n}, { sequelize, modelName: 'User' });\n",
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        let fields: Vec<(&str, Option<&str>, u32)> = models[0]
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.column.as_deref(), field.line))
            .collect();
        assert_eq!(fields, [("nick", Some("nick_name"), 3), ("age", None, 4)]);
        assert_eq!(models[1].class, "User");
        assert_eq!(models[1].fields.len(), 3);
    }
}
