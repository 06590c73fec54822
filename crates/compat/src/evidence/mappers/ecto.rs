//! Ecto: a query of a schema selects every field that it declares.

use super::{Field, FieldKind, Mapper, Model, Row, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row =
    Row { mapper: Mapper::Ecto, title: "Ecto", language: Language::Elixir, marks: &["schema \"", "schema("], read };

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = vec![];
    let mut module = "";
    let mut within: Option<usize> = None;
    for (line, number) in text.lines().zip(1_u32..) {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if let Some(name) = code.strip_prefix("defmodule ") {
            module = name.split_whitespace().next().unwrap_or_default();
        } else if let Some(rest) = code.strip_prefix("schema ").or_else(|| code.strip_prefix("schema(")) {
            let Some(table) = literal(rest) else { continue };
            models.push(Model {
                mapper: Mapper::Ecto,
                class: module.rsplit('.').next().unwrap_or(module).to_owned(),
                table: Some(table.to_owned()),
                bases: vec![],
                fields: vec![],
                derived: false,
                open: false,
                part: false,
                line: number,
            });
            within = Some(indent);
        } else if within.is_some_and(|start| indent <= start && code.starts_with("end")) {
            within = None;
        } else if let Some(model) = models.last_mut().filter(|_| within.is_some()) {
            member(model, code, number);
        }
    }
    models
}

fn member(model: &mut Model, code: &str, line: u32) {
    let (head, rest) = code.split_at(word(code).len());
    let rest = rest.trim_start_matches(['(', ' ']);
    let name = || rest.strip_prefix(':').map(word).unwrap_or_default().to_owned();
    let source = rest.split_once("source: :").map(|(_, source)| word(source).to_owned());
    let mut push = |name: String, column, kind| model.fields.push(Field { name, column, kind, line });
    match head {
        "field" | "embeds_one" | "embeds_many" => {
            let kind = if rest.contains("virtual: true") { FieldKind::Ignored } else { FieldKind::Column };
            push(name(), source, kind);
        }
        "belongs_to" => {
            let key = rest.split_once("foreign_key: :").map(|(_, key)| word(key).to_owned());
            push(name(), key.or(source), FieldKind::Association);
        }
        "timestamps" => {
            for stamp in ["inserted_at", "updated_at"] {
                push(stamp.to_owned(), None, FieldKind::Column);
            }
        }
        // What a macro of the project's own declares cannot be seen.
        "has_many" | "has_one" | "many_to_many" | "" | "end" | "do" => {}
        _ => model.open |= rest.is_empty() || !rest.starts_with(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn schemas_are_read() {
        let models = read(
            "defmodule Shop.Person do\n  use Ecto.Schema\n  schema \"people\" do\n    field :nick, :string\n    field :shown, :string, virtual: true\n    field(:age, :integer, source: :years)\n    belongs_to :boss, Person\n    has_many :posts, Post\n    timestamps()\n  end\n  def changeset(p), do: cast(p, [:nick])\nend\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("nick", None, FieldKind::Column),
                ("shown", None, FieldKind::Ignored),
                ("age", Some("years"), FieldKind::Column),
                ("boss", None, FieldKind::Association),
                ("inserted_at", None, FieldKind::Column),
                ("updated_at", None, FieldKind::Column),
            ]
        );
        assert_eq!(
            (models[0].class.as_str(), models[0].table.as_deref(), models[0].open),
            ("Person", Some("people"), false)
        );
    }
}
