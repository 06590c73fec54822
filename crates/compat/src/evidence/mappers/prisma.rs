//! Prisma: the client names every field of the schema file from which it was generated, whether or
//! not any code does.

use super::{Field, FieldKind, Mapper, Model, Row, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Prisma, title: "Prisma", language: Language::Prisma, marks: &["model ", "view "], read };

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = vec![];
    let mut inside = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let code = line.trim();
        if let Some(rest) =
            code.strip_prefix("model ").or_else(|| code.strip_prefix("view ")).filter(|rest| rest.ends_with('{'))
        {
            let class = word(rest).to_owned();
            models.push(Model {
                mapper: Mapper::Prisma,
                table: Some(class.clone()),
                class,
                bases: vec![],
                fields: vec![],
                derived: false,
                open: false,
                part: false,
                line: number,
            });
            inside = true;
        } else if code.starts_with('}') {
            inside = false;
        } else if let Some(model) = models.last_mut().filter(|_| inside) {
            if let Some(map) = code.strip_prefix("@@map(") {
                model.table = literal(map).map(str::to_owned);
            } else if code.starts_with("@@ignore") {
                model.part = true;
            } else if let Some(field) = field(code, number) {
                model.fields.push(field);
            }
        }
    }
    models
}

fn field(code: &str, line: u32) -> Option<Field> {
    let mut words = code.split_whitespace();
    let name = words.next().filter(|name| !name.starts_with('@'))?;
    let ty = words.next()?;
    // The other side of a relation is no column.
    let list_of_models = ty.ends_with("[]") && !is_scalar(ty.trim_end_matches("[]"));
    if code.contains("@relation") || list_of_models {
        return None;
    }
    let column = code.split(" @map(").nth(1).and_then(literal).map(str::to_owned);
    let kind =
        if code.split_whitespace().any(|word| word == "@ignore") { FieldKind::Ignored } else { FieldKind::Column };
    Some(Field { name: name.to_owned(), column: column.or_else(|| Some(name.to_owned())), kind, line })
}

fn is_scalar(ty: &str) -> bool {
    matches!(ty, "String" | "Boolean" | "Int" | "BigInt" | "Float" | "Decimal" | "DateTime" | "Json" | "Bytes")
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn models_and_their_fields_are_read() {
        let models = read(
            "enum Mood {\n  GOOD\n}\nmodel Person {\n  id Int @id\n  nick String? @map(\"nick_name\")\n  old String @ignore\n  words String[]\n  posts Post[]\n  boss Person? @relation(fields: [bossId], references: [id])\n  bossId Int?\n\n  @@map(\"people\")\n  @@index([nick])\n}\nmodel Post {\n  id Int @id\n}\nmodel Gone {\n  id Int\n  @@ignore\n}\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("id", Some("id"), FieldKind::Column),
                ("nick", Some("nick_name"), FieldKind::Column),
                ("old", Some("old"), FieldKind::Ignored),
                ("words", Some("words"), FieldKind::Column),
                ("bossId", Some("bossId"), FieldKind::Column),
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!(models[1].table.as_deref(), Some("Post"));
        assert!(models[2].part);
    }
}
