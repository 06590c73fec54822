//! SQLAlchemy and SQLModel: a mapped class selects the columns that it declares.

use super::python::{Class, Entry, classes};
use super::{Field, FieldKind, Mapper, Model, Row, argument, bracketed, line_of, listed, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::SqlAlchemy,
    title: "SQLAlchemy",
    language: Language::Python,
    marks: &["Column(", "mapped_column", "__tablename__", "SQLModel", "Mapped[", "autoload", "automap_base"],
    read,
};

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = classes(text).iter().filter_map(model).collect();
    models.extend(tables(text));
    models.extend(automapped(text));
    models
}

/// `Base.classes.guests`: a class of what automap found in the database.
fn automapped(text: &str) -> Vec<Model> {
    if !text.contains("automap_base(") {
        return vec![];
    }
    let found = text.match_indices(".classes.").take(1_000).map(|(at, mark)| (at, word(&text[at + mark.len()..])));
    let known = found.filter(|(_, table)| !table.is_empty() && *table != "values" && *table != "items");
    known
        .map(|(at, table)| Model {
            mapper: Mapper::SqlAlchemy,
            class: String::new(),
            table: Some(table.to_owned()),
            bases: vec![],
            fields: vec![reflected(line_of(text, at))],
            derived: false,
            open: true,
            part: false,
            line: line_of(text, at),
        })
        .collect()
}

/// All columns that there were when the program started.
fn reflected(line: u32) -> Field {
    Field { name: "*".to_owned(), column: Some("*".to_owned()), kind: FieldKind::Reflected, line }
}

fn model(class: &Class<'_>) -> Option<Model> {
    let entry = |name: &str| class.entries.iter().find(|entry| entry.name == name);
    let table = entry("__tablename__").and_then(|entry| literal(entry.value));
    let sql_model = class.bases.iter().any(|base| base.replace(' ', "") == "table=True");
    let mut fields: Vec<Field> = class.entries.iter().filter_map(|entry| field(entry, sql_model)).collect();
    if let Some(arguments) = entry("__mapper_args__").filter(|entry| entry.value.contains("exclude_properties")) {
        let list =
            arguments.value.split("exclude_properties").nth(1).and_then(bracketed).map_or("", |(list, _)| list);
        fields.extend(listed(list).iter().filter_map(|(_, name)| literal(name)).map(|name| Field {
            name: name.to_owned(),
            column: Some(name.to_owned()),
            kind: FieldKind::Ignored,
            line: arguments.line,
        }));
    }
    if fields.is_empty() && table.is_none() {
        return None;
    }
    let reflected = class.entries.iter().any(|entry| entry.value.contains("autoload") || entry.name == "__table__")
        || class.bases.iter().any(|base| base.contains("DeferredReflection"));
    if reflected && table.is_some() {
        fields.push(self::reflected(class.line));
    }
    let abstracted = entry("__abstract__").is_some_and(|entry| entry.value.starts_with("True"));
    let bases = class.base_names();
    Some(Model {
        mapper: Mapper::SqlAlchemy,
        class: class.name.to_owned(),
        table: table.map(str::to_owned),
        part: abstracted || table.is_none() && !sql_model && !bases.iter().any(|base| is_root(base)),
        bases,
        fields,
        derived: false,
        open: reflected,
        line: class.line,
    })
}

fn is_root(base: &str) -> bool {
    matches!(base, "Base" | "Model" | "DeclarativeBase") || base.ends_with("Base")
}

fn field(entry: &Entry<'_>, sql_model: bool) -> Option<Field> {
    let callee = entry.callee().rsplit('.').next().unwrap_or_default();
    let relation =
        matches!(callee, "relationship" | "backref" | "Relationship" | "association_proxy" | "dynamic_loader");
    let column = matches!(callee, "Column" | "mapped_column" | "deferred" | "column_property" | "MappedColumn")
        || entry.annotation.starts_with("Mapped[")
        || entry.annotation.contains(".Mapped[")
        || sql_model && !entry.annotation.is_empty();
    if relation || !column || entry.name.starts_with("__") {
        return None;
    }
    let inner = entry.value.find("olumn(").and_then(|at| bracketed(&entry.value[at..])).map(|(inner, _)| inner);
    let first = inner.and_then(|inner| listed(inner).first().map(|(_, first)| first.trim()));
    let said = first.filter(|first| first.starts_with(['"', '\''])).and_then(literal);
    let said = said.or_else(|| inner.and_then(|inner| argument(inner, "name")));
    Some(Field {
        name: entry.name.to_owned(),
        column: said.map(str::to_owned),
        kind: FieldKind::Column,
        line: entry.line,
    })
}

/// `Table("users", metadata, Column("id", …), …)`
fn tables(text: &str) -> Vec<Model> {
    let mut models = vec![];
    for (at, _) in text.match_indices("Table(").take(5_000) {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' {
            continue;
        }
        let Some((inner, _)) = bracketed(&text[at..]) else { continue };
        let parts = listed(inner);
        let Some(table) = parts
            .first()
            .filter(|(_, name)| name.trim().starts_with(['"', '\'']))
            .and_then(|(_, name)| literal(name))
        else {
            continue;
        };
        let reflects = inner.contains("autoload").then(|| reflected(line_of(text, at)));
        let fields = parts
            .iter()
            .filter(|(_, part)| part.contains("Column("))
            .filter_map(|(offset, part)| {
                let name = literal(part)?.to_owned();
                let line = line_of(text, at + "Table(".len() + offset + part.len() - part.trim_start().len());
                Some(Field { column: Some(name.clone()), name, kind: FieldKind::Column, line })
            })
            .chain(reflects)
            .collect();
        models.push(Model {
            mapper: Mapper::SqlAlchemy,
            class: String::new(),
            table: Some(table.to_owned()),
            bases: vec![],
            fields,
            derived: false,
            open: inner.contains("autoload") || parts.iter().any(|(_, part)| part.trim_start().starts_with('*')),
            part: false,
            line: line_of(text, at),
        });
    }
    models
}

/// Bases that bring no column.
pub(super) fn known_base(base: &str) -> Option<&'static [&'static str]> {
    matches!(
        base,
        "Base"
            | "Model"
            | "DeclarativeBase"
            | "MappedAsDataclass"
            | "SQLModel"
            | "AsyncAttrs"
            | "object"
            | "UserMixin"
            | "ABC"
            | "Generic"
    )
    .then_some(&[])
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn declared_columns_are_read() {
        let models = read(
            "class Person(Base, Stamped):\n    __tablename__ = \"people\"\n    id = Column(Integer)\n    nick = sa.Column('nickname', String)\n    age: Mapped[int]\n    made: Mapped[str] = mapped_column(\"made_at\", String)\n    posts = relationship('Post')\n    words: Mapped[list['W']] = relationship()\n    __mapper_args__ = {'exclude_properties': ['old']}\n\nclass Hero(SQLModel, table=True):\n    name: str = Field()\n\nt = Table(\n    'things', metadata,\n    Column('a', Integer),\n)\nu = Table('us', m, autoload_with=e)\nclass Plain:\n    x = 1\n",
        );
        let shown: Vec<(&str, Option<&str>, bool)> =
            models.iter().map(|model| (model.class.as_str(), model.table.as_deref(), model.open)).collect();
        assert_eq!(
            shown,
            [
                ("Person", Some("people"), false),
                ("Hero", None, false),
                ("", Some("things"), false),
                ("", Some("us"), true)
            ]
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("id", None, FieldKind::Column),
                ("nick", Some("nickname"), FieldKind::Column),
                ("age", None, FieldKind::Column),
                ("made", Some("made_at"), FieldKind::Column),
                ("old", Some("old"), FieldKind::Ignored),
            ]
        );
        assert_eq!(models[2].fields[0].line, 16);
    }
}
