//! jOOQ: `selectFrom` and `fetch` into records name every field of the generated table.

use super::{Field, FieldKind, Mapper, Model, Row, line_of, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Jooq, title: "jOOQ", language: Language::Java, marks: &["TableImpl<"], read };

fn read(text: &str) -> Vec<Model> {
    let class = text.split_once("class ").map_or("", |(_, rest)| word(rest));
    let fields = text
        .match_indices("createField(DSL.name(")
        .take(5_000)
        .filter_map(|(at, _)| {
            let name = literal(text.get(at..)?)?.to_owned();
            Some(Field { column: Some(name.clone()), name, kind: FieldKind::Column, line: line_of(text, at) })
        })
        .collect();
    let named = text.find("this(DSL.name(").or_else(|| text.find("super(DSL.name("));
    let table = named.and_then(|at| literal(text.get(at..)?)).map(str::to_owned);
    let line = text.find("TableImpl<").map_or(1, |at| line_of(text, at));
    vec![Model {
        mapper: Mapper::Jooq,
        class: class.to_owned(),
        table,
        bases: vec![],
        fields,
        derived: false,
        open: false,
        part: false,
        line,
    }]
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn generated_tables_are_read() {
        let models = read(
            "public class People extends TableImpl<PeopleRecord> {\n  public final TableField<PeopleRecord, String> NICK = createField(DSL.name(\"nick\"), SQLDataType.CLOB, this, \"\");\n  public People() { this(DSL.name(\"people\"), null); }\n}\n",
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!((models[0].fields[0].name.as_str(), models[0].fields[0].line), ("nick", 2));
    }
}
