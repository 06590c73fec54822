//! JPA and Hibernate: every SELECT and INSERT names all mapped fields of an entity.

use super::braces::{Class, Member, classes};
use super::{Field, FieldKind, Mapper, Model, Row, argument, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::Jpa,
    title: "JPA",
    language: Language::Java,
    marks: &["@Entity", "@MappedSuperclass", "@Embeddable", "@Table"],
    read,
};

fn read(text: &str) -> Vec<Model> {
    // Kotlin's members end with their lines.
    let kotlin = text.contains("fun ") || text.contains(" val ") || text.contains(" var ");
    classes(text, kotlin).iter().filter_map(|class| model(class)).collect()
}

fn model(class: &Class<'_>) -> Option<Model> {
    let has = |mark: &str| class.before.contains(mark);
    let entity = has("@Entity") || has("@Table");
    if !entity && !has("@MappedSuperclass") && !has("@Embeddable") {
        return None;
    }
    let table = class.before.split("@Table").nth(1).and_then(|table| {
        argument(table, "name")
            .or_else(|| argument(table, "value"))
            .or_else(|| table.trim_start().strip_prefix("(\"").and_then(|_| literal(table)))
    });
    Some(Model {
        mapper: Mapper::Jpa,
        class: class.name.to_owned(),
        table: table.map(str::to_owned),
        bases: class
            .bases
            .iter()
            .filter(|base| {
                !matches!(
                    base.as_str(),
                    "Serializable" | "Comparable" | "Cloneable" | "Persistable" | "UserDetails"
                )
            })
            .cloned()
            .collect(),
        fields: class
            .members
            .iter()
            .flat_map(|member| overrides(member).into_iter().chain(field(member)))
            .collect(),
        derived: false,
        open: false,
        part: !entity,
        line: class.line,
    })
}

/// `@AttributeOverride(…, column = @Column(name = "x"))`: columns of a class that is embedded, by name.
fn overrides(member: &Member<'_>) -> Vec<Field> {
    if !member.marks.contains("@Embedded") {
        return vec![];
    }
    let said = member.marks.split("Column(").skip(1).filter_map(|column| argument(column, "name"));
    said.map(|name| Field {
        name: name.to_owned(),
        column: Some(name.to_owned()),
        kind: FieldKind::Column,
        line: member.line,
    })
    .collect()
}

/// The class of a declaration: `private Address ship`, `val ship: Address?`.
fn class_of<'a>(declared: &'a str, name: &str) -> Option<&'a str> {
    let (before, after) = declared.rsplit_once(name)?;
    let ty = match after.trim_start().strip_prefix(':') {
        Some(after) => after.trim_start(),
        None => before.split_whitespace().next_back()?,
    };
    Some(word(ty.rsplit('.').next().unwrap_or(ty)))
}

fn field(member: &Member<'_>) -> Option<Field> {
    let code = member.code;
    let declared = code.split('=').next().unwrap_or(code).trim();
    let modifier = |word: &str| declared.split_whitespace().any(|part| part == word);
    if member.block && !declared.contains("val ") && !declared.contains("var ") && !member.marks.contains("@Column")
        || modifier("static")
        || modifier("return")
    {
        return None;
    }
    let name = if let Some((_, rest)) = declared.split_once("val ").or_else(|| declared.split_once("var ")) {
        word(rest.trim_start())
    } else if let Some((head, _)) = declared.split_once('(') {
        // An annotated getter.
        let getter = head.split_whitespace().next_back()?;
        if !member.marks.contains("Column") {
            return None;
        };
        getter.strip_prefix("get").or_else(|| getter.strip_prefix("is"))?
    } else {
        declared.split_whitespace().next_back()?
    };
    let marks = member.marks;
    if marks.contains("@OneToMany") || marks.contains("@ManyToMany") || marks.contains("mappedBy") {
        return None;
    }
    let kind = if marks.contains("@Transient") || modifier("transient") || marks.contains("@Formula") {
        FieldKind::Ignored
    } else if marks.contains("@ManyToOne") || marks.contains("@OneToOne") {
        FieldKind::Association
    } else if marks.contains("@Embedded") || marks.contains("@EmbeddedId") {
        FieldKind::Embedded
    } else {
        FieldKind::Column
    };
    if kind == FieldKind::Embedded {
        return Some(Field {
            name: argument(marks, "prefix").unwrap_or(name).trim_end_matches(';').to_owned(),
            column: class_of(declared, name).map(str::to_owned),
            kind,
            line: member.line,
        });
    }
    let column = marks.split("Column").nth(1).and_then(|column| {
        argument(column, "name").or_else(|| column.strip_prefix("(\"").and_then(|_| literal(column)))
    });
    Some(Field {
        name: name.trim_end_matches(';').to_owned(),
        column: column.map(str::to_owned),
        kind,
        line: member.line,
    })
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn entities_are_read() {
        let models = read(
            "@Entity\n@Table(name = \"people\", schema = \"x\")\npublic class Person extends Base {\n  @Id private Long id;\n  @Column(name = \"nick\", length = 9)\n  private String nickName = \"x\";\n  @Transient private String old;\n  @ManyToOne(fetch = LAZY) @JoinColumn(name = \"boss_key\")\n  private Person boss;\n  @ManyToOne private Team team;\n  @OneToMany(mappedBy = \"person\") private List<Post> posts;\n  private static final int X = 1;\n  public Long getId() { return id; }\n}\n@MappedSuperclass class Base { Instant madeAt; }\nclass Dto { String nickName; }\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("id", None, FieldKind::Column),
                ("nickName", Some("nick"), FieldKind::Column),
                ("old", None, FieldKind::Ignored),
                ("boss", Some("boss_key"), FieldKind::Association),
                ("team", None, FieldKind::Association),
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!(models.len(), 2);
        assert!(models[1].part);
        let kotlin = read(
            "@Entity\ndata class Person(\n  @Id val id: Long,\n  @Column(name = \"nick\") var nickName: String?\n)\n",
        );
        assert_eq!(kotlin[0].fields[1].column.as_deref(), Some("nick"));
    }
}
