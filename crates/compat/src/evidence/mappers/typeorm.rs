//! TypeORM, MikroORM and sequelize-typescript: decorated properties are named in every SELECT and
//! INSERT.

use super::braces::{Class, Member, classes};
use super::{Field, FieldKind, Mapper, Model, Row, argument, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::TypeOrm,
    title: "TypeORM",
    language: Language::Script,
    marks: &["@Entity", "@Table", "@Column", "@Property("],
    read,
};

fn read(text: &str) -> Vec<Model> {
    classes(text, true).iter().filter_map(model).collect()
}

fn model(class: &Class<'_>) -> Option<Model> {
    let fields: Vec<Field> = class.members.iter().filter_map(field).collect();
    let mark = ["@Entity", "@Table", "@ViewEntity", "@ChildEntity"]
        .iter()
        .find_map(|mark| class.before.split(mark).nth(1));
    if mark.is_none() && fields.is_empty() {
        return None;
    }
    let table = mark.and_then(|mark| {
        let said = ["name", "tableName"].iter().find_map(|name| argument(mark, name));
        said.or_else(|| {
            mark.trim_start()
                .strip_prefix('(')
                .filter(|rest| rest.trim_start().starts_with(['"', '\'']))
                .and_then(literal)
        })
    });
    Some(Model {
        mapper: Mapper::TypeOrm,
        class: class.name.to_owned(),
        table: table.map(str::to_owned),
        bases: class
            .bases
            .iter()
            .filter(|base| !matches!(base.as_str(), "BaseEntity" | "Model"))
            .cloned()
            .collect(),
        fields,
        derived: false,
        open: false,
        part: mark.is_none(),
        line: class.line,
    })
}

/// The class in `@Column(() => Address)` and `@Embedded(() => Address)`.
fn class_embedded(marks: &str) -> Option<&str> {
    let rest = ["@Column(", "@Embedded("].iter().find_map(|mark| marks.split(mark).nth(1))?.trim_start();
    let (head, class) = rest.split_once("=>")?;
    let argument = head.trim().trim_start_matches('(').trim_end_matches(')').trim();
    (argument.is_empty() || word(argument) == argument).then(|| word(class.trim_start()))
}

fn field(member: &Member<'_>) -> Option<Field> {
    let marks = member.marks;
    if ["@OneToMany", "@ManyToMany", "@HasMany", "@HasOne", "@BelongsToMany"]
        .iter()
        .any(|mark| marks.contains(mark))
    {
        return None;
    }
    let kind = if ["@ManyToOne", "@OneToOne", "@BelongsTo"].iter().any(|mark| marks.contains(mark)) {
        FieldKind::Association
    } else if marks.contains("persist: false") {
        FieldKind::Ignored
    } else if marks.contains("Column")
        || marks.contains("@Property")
        || marks.contains("@PrimaryKey")
        || marks.contains("@Embedded(")
        || marks.contains("@Enum")
        || marks.contains("@ForeignKey")
    {
        FieldKind::Column
    } else {
        return None;
    };
    let code = member.code;
    let code = ["public ", "private ", "protected ", "readonly ", "declare "]
        .iter()
        .fold(code, |code, modifier| code.trim_start().strip_prefix(modifier).unwrap_or(code));
    let name = word(code.trim_start());
    if let Some(class) = class_embedded(marks) {
        let unprefixed = marks.contains("prefix: false");
        let prefix = if unprefixed { "" } else { argument(marks, "prefix").unwrap_or(name) };
        let (name, kind) = (prefix.to_owned(), FieldKind::Embedded);
        return Some(Field { name, column: Some(class.to_owned()), kind, line: member.line });
    }
    let column = ["name", "fieldName", "field", "joinColumn"].iter().find_map(|name| argument(marks, name));
    let column = column.or_else(|| {
        let rest = marks.split("Column(").nth(1)?.trim_start();
        // `@Column("varchar")` is a type: only MikroORM and sequelize name the column so, in an object.
        (kind == FieldKind::Association && rest.starts_with(['"', '\''])).then(|| literal(rest)).flatten()
    });
    (!name.is_empty()).then(|| Field {
        name: name.to_owned(),
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
            "@Entity({ name: 'people' })\nexport class Person extends Stamped {\n  @PrimaryGeneratedColumn()\n  id: number\n  @Column('varchar', { name: 'nick', nullable: true })\n  public nickName?: string;\n  @Column('text')\n  words: string\n  @ManyToOne(() => Team, (team) => team.people)\n  @JoinColumn({ name: 'team_key' })\n  team: Team\n  @ManyToOne(() => Person)\n  boss: Person\n  @OneToMany(() => Post, (post) => post.person)\n  posts: Post[]\n  plain: string\n}\n@Entity('teams')\nclass Team {}\nabstract class Stamped {\n  @CreateDateColumn()\n  madeAt: Date\n}\n",
        );
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("id", None, FieldKind::Column),
                ("nickName", Some("nick"), FieldKind::Column),
                ("words", None, FieldKind::Column),
                ("team", Some("team_key"), FieldKind::Association),
                ("boss", None, FieldKind::Association),
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!(models[1].table.as_deref(), Some("teams"));
        assert!(models[2].part);
    }
}
