//! Doctrine: every SELECT and INSERT names all mapped properties of an entity.

use super::braces::{Class, Member, classes};
use super::{Field, FieldKind, Mapper, Model, Row, argument, bracketed, listed, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::Doctrine,
    title: "Doctrine",
    language: Language::Php,
    marks: &["ORM\\", "Doctrine\\ORM\\Mapping", "@Column", "@Entity"],
    read,
};

fn read(text: &str) -> Vec<Model> {
    classes(text, false).iter().filter_map(model).collect()
}

fn model(class: &Class<'_>) -> Option<Model> {
    let has = |mark: &str| class.before.contains(mark);
    let entity = has("Entity");
    let fields: Vec<Field> = class.members.iter().flat_map(fields).collect();
    if !entity && fields.is_empty() && !has("MappedSuperclass") && !has("Embeddable") {
        return None;
    }
    let table =
        class.before.split("Table").nth(1).and_then(|table| argument(table, "name").or_else(|| positional(table)));
    let mut bases: Vec<String> = class.bases.iter().filter(|base| !base.ends_with("Interface")).cloned().collect();
    // Traits bring properties.
    for member in &class.members {
        if let Some(names) = member.code.strip_prefix("use ") {
            bases.extend(
                names
                    .split(',')
                    .filter_map(|name| name.trim().rsplit('\\').next())
                    .map(|name| word(name).to_owned()),
            );
        }
    }
    bases.retain(|base| {
        !matches!(base.as_str(), "JsonSerializable" | "Serializable" | "Stringable" | "Countable" | "ArrayAccess")
    });
    Some(Model {
        mapper: Mapper::Doctrine,
        class: class.name.to_owned(),
        table: table.map(str::to_owned),
        bases,
        fields,
        derived: false,
        open: false,
        part: !entity,
        line: class.line,
    })
}

/// `#[ORM\Table('people')]`
fn positional(after: &str) -> Option<&str> {
    after
        .starts_with("('")
        .then(|| super::literal(after))
        .flatten()
        .or_else(|| after.starts_with("(\"").then(|| super::literal(after)).flatten())
}

fn fields(member: &Member<'_>) -> Vec<Field> {
    if member.code.contains("__construct") {
        // Promoted parameters carry their own attributes.
        let inner = bracketed(member.code).map_or("", |(inner, _)| inner);
        return listed(inner).into_iter().filter_map(|(_, piece)| field(piece, piece, member.line)).collect();
    }
    field(member.text, member.code, member.line).into_iter().collect()
}

fn field(text: &str, code: &str, line: u32) -> Option<Field> {
    let marks = text.get(..text.len() - code.len().min(text.len()))?;
    let marks = if marks.trim().is_empty() { text } else { marks };
    let name = word(code.split('$').nth(1)?).to_owned();
    if marks.contains("mappedBy") || marks.contains("OneToMany") || marks.contains("ManyToMany") {
        return None;
    }
    let mapped = |mark: &str| {
        marks.contains(&format!("ORM\\{mark}"))
            || marks.contains(&format!("@{mark}"))
            || marks.contains(&format!("#[{mark}"))
    };
    let kind = if mapped("ManyToOne") || mapped("OneToOne") {
        FieldKind::Association
    } else if mapped("Embedded") {
        FieldKind::Embedded
    } else if mapped("Column") || mapped("Id") || mapped("Version") {
        FieldKind::Column
    } else {
        return None;
    };
    if kind == FieldKind::Embedded {
        let unprefixed = marks.contains("columnPrefix: false") || marks.contains("columnPrefix=false");
        let prefix = if unprefixed { "" } else { argument(marks, "columnPrefix").unwrap_or(&name) };
        let said = marks.split("::class").next().filter(|_| marks.contains("::class"));
        let class = said.or_else(|| argument(marks, "class")).or_else(|| code.split('$').next());
        let class = class.and_then(|class| {
            class.trim_end().rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next()
        });
        return Some(Field { name: prefix.to_owned(), column: class.map(str::to_owned), kind, line });
    }
    let column = marks.split("Column").nth(1).and_then(|column| {
        let own = bracketed(column).filter(|_| column.starts_with('(')).map(|(inner, _)| inner)?;
        argument(own, "name")
    });
    Some(Field { name, column: column.map(str::to_owned), kind, line })
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn entities_are_read() {
        let models = read(
            "<?php\nuse Doctrine\\ORM\\Mapping as ORM;\n#[ORM\\Entity(repositoryClass: X::class)]\n#[ORM\\Table(name: 'app_people')]\nclass Person extends Base implements PersonInterface\n{\n    use Stamped;\n    #[ORM\\Id]\n    #[ORM\\Column(type: 'integer')]\n    private ?int $id = null;\n    #[ORM\\Column(name: 'nick', type: 'string')]\n    private ?string $nickName = null;\n    #[ORM\\ManyToOne(targetEntity: Team::class)]\n    #[ORM\\JoinColumn(name: 'team_key')]\n    private Team $team;\n    #[ORM\\ManyToOne]\n    private ?Person $boss;\n    #[ORM\\OneToMany(mappedBy: 'x')]\n    private $posts;\n    private $plain;\n    public function getX() { return $this->x; }\n}\n/** @ORM\\Entity @ORM\\Table(name=\"old\") */\nclass Old {\n    /**\n     * @ORM\\Column(type=\"string\")\n     */\n    private $nickName;\n}\ntrait Stamped { #[ORM\\Column] private $madeAt; }\nclass Dto { private $x; }\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("id", None, FieldKind::Column),
                ("nickName", Some("nick"), FieldKind::Column),
                ("team", Some("team_key"), FieldKind::Association),
                ("boss", None, FieldKind::Association),
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("app_people"));
        assert_eq!(models[0].bases, ["Base", "Stamped"]);
        assert_eq!((models[1].table.as_deref(), models[1].fields[0].name.as_str()), (Some("old"), "nickName"));
        assert!(models[2].part);
        assert_eq!(models.len(), 3);
    }
}
