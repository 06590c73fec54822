//! EF Core: every query and insert names all mapped properties of an entity.

use super::braces::{Class, classes};
use super::{Field, FieldKind, Mapper, Model, Row, bracketed, line_of, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::EfCore,
    title: "EF Core",
    language: Language::CSharp,
    marks: &["get;", "DbSet<", ".Property(", ".Ignore("],
    read,
};

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = classes(text, false).iter().filter_map(model).collect();
    models.extend(configured(text));
    models.extend(sets(text));
    models
}

/// `DbSet<Person> Staff`: the table has the set's name.
fn sets(text: &str) -> Vec<Model> {
    text.match_indices("DbSet<")
        .take(2_000)
        .filter_map(|(at, open)| {
            let (class, rest) = text.get(at + open.len()..)?.split_once('>')?;
            let class = word(class.rsplit('.').next().unwrap_or(class));
            let table = word(rest.trim_start_matches([' ', '?']));
            (!class.is_empty() && !table.is_empty()).then(|| Model {
                mapper: Mapper::EfCore,
                class: class.to_owned(),
                table: Some(table.to_owned()),
                bases: vec![class.to_owned()],
                fields: vec![],
                derived: false,
                open: false,
                part: false,
                line: line_of(text, at),
            })
        })
        .collect()
}

fn model(class: &Class<'_>) -> Option<Model> {
    let fields: Vec<Field> = class
        .members
        .iter()
        .filter(|member| {
            member.block
                && !member.code.contains('(')
                && !member.code.contains(" static ")
                && !member.code.contains("DbSet<")
        })
        .flat_map(|member| {
            let mut words = member.code.split_whitespace().rev();
            let name = words.next().map(word).unwrap_or_default().to_owned();
            let said = member.marks.split("Column(").nth(1).filter(|rest| rest.starts_with('"')).and_then(literal);
            let kind = if member.marks.contains("NotMapped") { FieldKind::Ignored } else { FieldKind::Column };
            // A class may be owned, and `ShipTo_Street` a column of its.
            let class = words.next().map(word).filter(|class| class.starts_with(char::is_uppercase));
            let owned = class.filter(|_| kind == FieldKind::Column).map(|class| Field {
                name: name.clone(),
                column: Some(class.to_owned()),
                kind: FieldKind::Embedded,
                line: member.line,
            });
            let own = Field { name, column: said.map(str::to_owned), kind, line: member.line };
            std::iter::once(own).chain(owned)
        })
        .filter(|field| !field.name.is_empty())
        .collect();
    if fields.is_empty() {
        return None;
    }
    let table = class.before.split("Table(").nth(1).and_then(literal).map(str::to_owned);
    let bases = class.bases.iter().filter(|base| !is_interface(base)).cloned().collect();
    Some(Model {
        mapper: Mapper::EfCore,
        class: class.name.to_owned(),
        table,
        bases,
        fields,
        derived: false,
        open: false,
        part: false,
        line: class.line,
    })
}

fn is_interface(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next() == Some('I') && letters.next().is_some_and(char::is_uppercase)
}

/// `modelBuilder.Entity<Person>(…)` and `IEntityTypeConfiguration<Person>`: the table, renamed and
/// ignored properties.
fn configured(text: &str) -> Vec<Model> {
    let mut models = vec![];
    for open in ["Entity<", "IEntityTypeConfiguration<"] {
        for (at, _) in text.match_indices(open).take(500) {
            let rest = &text[at + open.len()..];
            let class = word(rest.rsplit_once('.').map_or(rest, |_| rest));
            let after = &rest[class.len()..];
            let body = if open == "Entity<" {
                bracketed(after).map_or("", |(_, end)| after.get(..end).unwrap_or_default())
            } else {
                after.get(..after.len().min(16 << 10)).unwrap_or_default()
            };
            // `Entity<X>().ToTable("y")` goes on after the bracket.
            let tail = after.get(body.len()..).unwrap_or_default();
            let statement = &tail[..tail.find(';').unwrap_or(0)];
            let table =
                body.split("ToTable(").nth(1).or_else(|| statement.split("ToTable(").nth(1)).and_then(literal);
            let mut fields = vec![];
            for part in [body, statement] {
                for (offset, _) in part.match_indices(".Ignore(").take(200) {
                    if let Some(name) = property(&part[offset..]) {
                        fields.push(Field {
                            name,
                            column: None,
                            kind: FieldKind::Ignored,
                            line: line_of(text, at),
                        });
                    }
                }
                for (offset, _) in part.match_indices(".Property(").take(500) {
                    let chain = &part[offset..];
                    let chain = &chain[..chain.find(';').unwrap_or(chain.len())];
                    let said = chain.split("HasColumnName(").nth(1).and_then(literal);
                    if let (Some(name), Some(said)) = (property(chain), said) {
                        fields.push(Field {
                            name,
                            column: Some(said.to_owned()),
                            kind: FieldKind::Column,
                            line: line_of(text, at),
                        });
                    }
                }
            }
            if table.is_some() || !fields.is_empty() {
                models.push(Model {
                    mapper: Mapper::EfCore,
                    class: class.to_owned(),
                    table: table.map(str::to_owned),
                    bases: vec![class.to_owned()],
                    fields,
                    derived: false,
                    open: false,
                    part: false,
                    line: line_of(text, at),
                });
            }
        }
    }
    models
}

/// The property in `(x => x.NickName)`, `(nameof(Person.NickName))`, `("NickName")`.
fn property(call: &str) -> Option<String> {
    let (inner, _) = bracketed(call)?;
    let name = match literal(inner) {
        Some(name) => name,
        None => inner.trim_end_matches(')').rsplit('.').next()?,
    };
    Some(word(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn entities_are_read() {
        let models = read(
            "[Table(\"people\")]\npublic class Person : Base, IThing\n{\n    public int Id { get; set; }\n    [Column(\"nick\")]\n    public string NickName { get; set; } = \"\";\n    [NotMapped] public string Old { get; set; }\n    public string Full() { return \"\"; }\n}\nclass C : DbContext {\n  protected override void OnModelCreating(ModelBuilder b) {\n    b.Entity<Team>().ToTable(\"teams\").Ignore(t => t.Gone);\n    b.Entity<Post>(e => { e.ToTable(\"blog_posts\"); e.Property(p => p.Title).HasColumnName(\"head\"); });\n  }\n}\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("Id", None, FieldKind::Column),
                ("NickName", Some("nick"), FieldKind::Column),
                ("Old", None, FieldKind::Ignored)
            ]
        );
        assert_eq!(
            (models[0].table.as_deref(), models[0].bases.as_slice()),
            (Some("people"), &["Base".to_owned()][..])
        );
        let team = models.iter().find(|model| model.class == "Team").unwrap();
        assert_eq!((team.table.as_deref(), team.fields[0].name.as_str()), (Some("teams"), "Gone"));
        let post = models.iter().find(|model| model.class == "Post").unwrap();
        assert_eq!((post.table.as_deref(), post.fields[0].column.as_deref()), (Some("blog_posts"), Some("head")));
    }
}
