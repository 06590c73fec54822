//! Changelogs and what they do; small trees and their order.

use crate::frameworks::shown::shown;
use crate::migration::{Context, History, Limits, Memo, Runs};
use crate::operation::Operation;
use crate::sql::Dialect;
use crate::tree::MemoryTree;

fn history(dialect: Dialect, files: &[(&str, &str)], root: &str) -> History {
    let tree = MemoryTree::new(files.iter().map(|(path, text)| (*path, *text)));
    let memo = Memo::default();
    let context = Context { tree: &tree, dialect, limits: Limits::default(), memo: &memo };
    let found = super::find::find(&tree);
    let found = found.into_iter().find(|found| found.root == root).expect("the root is found");
    super::history(&context, &found)
}

fn all(history: &History) -> String {
    let steps: Vec<_> = history.migrations.iter().map(|migration| shown(&migration.steps)).collect();
    steps.join("\n")
}

/// The steps of changes in one change set; the first stands on line 1.
fn changes_in(dialect: Dialect, xml: &str) -> String {
    let text = format!("<databaseChangeLog><changeSet id=\"1\" author=\"a\">{xml}</changeSet></databaseChangeLog>");
    all(&history(dialect, &[("db/changelog.xml", text.as_str())], "db/changelog.xml"))
}

fn changes(xml: &str) -> String {
    changes_in(Dialect::Postgres, xml)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
fn every_change_is_an_operation() {
    let cases = [
        (
            r#"<createTable tableName="users"><column name="id" type="BIGINT" autoIncrement="true"><constraints primaryKey="true" nullable="false"/></column><column name="nick" type="VARCHAR(40)"/><column name="state" type="varchar(9)" defaultValue="on"><constraints nullable="false" unique="true"/></column></createTable>"#,
            "1 create users [id bigint ! counted; nick varchar(40); state varchar(9) ! ='on' unique(state); pk(id)]",
        ),
        (
            r#"<addColumn tableName="users"><column name="n" type="int"><constraints nullable="false"/></column></addColumn>"#,
            "1 add users.n integer !",
        ),
        (
            r#"<addColumn tableName="users"><column name="n" type="int" valueNumeric="3"><constraints nullable="false"/></column></addColumn>"#,
            "1 add users.n integer !\n1 update users all",
        ),
        (
            r#"<addColumn tableName="users"><column name="n" type="boolean" defaultValueBoolean="false"><constraints nullable="false"/></column></addColumn>"#,
            "1 add users.n boolean ! =false",
        ),
        (
            r#"<addColumn tableName="users"><column name="t" type="timestamp" defaultValueComputed="CURRENT_TIMESTAMP"/></addColumn>"#,
            "1 add users.t timestamp =CURRENT_TIMESTAMP",
        ),
        (
            r#"<addColumn tableName="users"><column name="team" type="int"><constraints references="teams(id)" foreignKeyName="fk"/></column></addColumn>"#,
            "1 add users.team integer fk:fk(team) teams(id)",
        ),
        (r#"<dropColumn tableName="users" columnName="nick"/>"#, "1 drop users.nick"),
        (
            r#"<dropColumn tableName="users"><column name="a"/><column name="b"/></dropColumn>"#,
            "1 drop users.a\n1 drop users.b",
        ),
        (r#"<dropTable tableName="users" cascadeConstraints="true"/>"#, "1 drop users cascade"),
        (r#"<renameTable oldTableName="a" newTableName="b"/>"#, "1 rename a -> b"),
        (
            r#"<renameColumn tableName="t" oldColumnName="a" newColumnName="b" columnDataType="int"/>"#,
            "1 rename t.a -> b",
        ),
        (r#"<modifyDataType tableName="t" columnName="a" newDataType="varchar(80)"/>"#, "1 alter t.a varchar(80)"),
        (r#"<addNotNullConstraint tableName="t" columnName="a"/>"#, "1 alter t.a !"),
        (
            r#"<addNotNullConstraint tableName="t" columnName="a" defaultNullValue="x"/>"#,
            "1 update t\n1 alter t.a !",
        ),
        (r#"<dropNotNullConstraint tableName="t" columnName="a"/>"#, "1 alter t.a null"),
        (r#"<addDefaultValue tableName="t" columnName="a" defaultValue="x"/>"#, "1 alter t.a ='x'"),
        (r#"<dropDefaultValue tableName="t" columnName="a"/>"#, "1 alter t.a no default"),
        (
            r#"<addUniqueConstraint tableName="t" columnNames="a, b" constraintName="uq"/>"#,
            "1 add t uq:unique(a,b)",
        ),
        (r#"<addPrimaryKey tableName="t" columnNames="a" constraintName="pk"/>"#, "1 add t pk:pk(a)"),
        (
            r#"<addForeignKeyConstraint baseTableName="t" baseColumnNames="a" referencedTableName="u" referencedColumnNames="id" constraintName="fk" onDelete="CASCADE"/>"#,
            "1 add t fk:fk(a) u(id) cascades",
        ),
        (r#"<dropUniqueConstraint tableName="t" constraintName="uq"/>"#, "1 drop t unique uq"),
        (r#"<dropForeignKeyConstraint baseTableName="t" constraintName="fk"/>"#, "1 drop t foreign-key fk"),
        (r#"<createIndex tableName="t" indexName="ix"><column name="a"/></createIndex>"#, "1 index t ix:a"),
        (
            r#"<createIndex tableName="t" indexName="ix" unique="true"><column name="a"/></createIndex>"#,
            "1 add t ix:unique(a)",
        ),
        (r#"<dropIndex tableName="t" indexName="ix"/>"#, "1 drop index t.ix"),
        (r#"<insert tableName="t"><column name="a" value="1"/></insert>"#, "1 insert t"),
        (r#"<update tableName="t"><column name="a" value="1"/><where>b = 1</where></update>"#, "1 update t"),
        (r#"<delete tableName="t"/>"#, "1 delete t all"),
        (
            r#"<mergeColumns tableName="t" column1Name="a" column2Name="b" finalColumnName="c" finalColumnType="varchar(9)" joinString=" "/>"#,
            "1 add t.c varchar(9)\n1 update t all\n1 drop t.a\n1 drop t.b",
        ),
        (r#"<customChange class="org.example.Fix"/>"#, "1 code"),
        (r#"<dropColumn tableName="${unknown}" columnName="a"/>"#, "1 dynamic"),
        (r#"<dropColumn columnName="a"/>"#, "1 syntax"),
        ("<sql>ALTER TABLE t\n DROP COLUMN a;\nDROP TABLE u</sql>", "2 drop t.a\n3 drop u"),
        ("<sql dbms=\"oracle\">DROP TABLE u</sql>", ""),
        ("<rollback><dropTable tableName=\"t\"/></rollback><comment>x</comment>", ""),
    ];
    for (xml, expected) in cases {
        assert_eq!(changes(xml), expected, "{xml}");
    }
    assert!(changes("<frobnicate/>").contains("UnknownStatement"));
    assert!(changes("<modifySql><replace replace=\"a\" with=\"b\"/></modifySql>").contains("Review"));
    assert_eq!(changes("<modifySql dbms=\"mysql\"><append value=\" engine innodb\"/></modifySql>"), "");
}

#[test]
fn mysql_restates_what_it_changes() {
    let cases = [
        (
            r#"<modifyDataType tableName="t" columnName="a" newDataType="varchar(80)"/>"#,
            "1 alter t.a restated a varchar(80)",
        ),
        (
            r#"<addNotNullConstraint tableName="t" columnName="a" columnDataType="int"/>"#,
            "1 alter t.a restated a integer !",
        ),
        (
            r#"<dropNotNullConstraint tableName="t" columnName="a" columnDataType="int"/>"#,
            "1 alter t.a restated a integer",
        ),
    ];
    for (xml, expected) in cases {
        assert_eq!(
            changes_in(Dialect::MySql, xml).replace(" int", " integer").replace("integereger", "integer"),
            expected
        );
    }
}

#[test]
fn names_in_mixed_case_are_quoted_for_postgresql_only() {
    let xml = r#"<dropColumn tableName="Users" columnName="NICK"/>"#;
    assert_eq!(changes(xml), "1 drop Users.nick");
    let text = format!("<databaseChangeLog><changeSet id=\"1\" author=\"a\">{xml}</changeSet></databaseChangeLog>");
    for (dialect, key) in [(Dialect::Postgres, "Users"), (Dialect::MySql, "users")] {
        let history = history(dialect, &[("db/changelog.xml", text.as_str())], "db/changelog.xml");
        let Operation::DropColumn { table, .. } = &history.migrations[0].steps[0].operation else {
            panic!("no drop")
        };
        assert_eq!(table.name.key, key);
    }
}

#[test]
fn whether_a_change_set_runs_is_told() {
    let cases = [
        (r#"dbms="postgresql""#, "", "1 drop t"),
        (r#"dbms="mysql""#, "", ""),
        (r#"context="test""#, "", "1? drop t"),
        (r#"context="prod and !test""#, "", "1 drop t"),
        (r#"labels="test""#, "", "1? drop t"),
        ("", r#"<preConditions onFail="MARK_RAN"><tableExists tableName="t"/></preConditions>"#, "1~ drop t"),
        (
            "",
            r#"<preConditions onFail="MARK_RAN"><not><tableExists tableName="t"/></not></preConditions>"#,
            "1~ drop t",
        ),
        (
            "",
            r#"<preConditions onFail="MARK_RAN"><sqlCheck expectedResult="0">select 1</sqlCheck></preConditions>"#,
            "1? drop t",
        ),
        ("", r#"<preConditions onFail="MARK_RAN"><dbms type="mysql"/></preConditions>"#, ""),
        ("", r#"<preConditions><sqlCheck expectedResult="0">select 1</sqlCheck></preConditions>"#, "1 drop t"),
    ];
    for (attributes, before, expected) in cases {
        let text = format!(
            "<databaseChangeLog><changeSet id=\"1\" author=\"a\" {attributes}>{before}<dropTable tableName=\"t\"/></changeSet></databaseChangeLog>"
        );
        let history = history(Dialect::Postgres, &[("db/changelog.xml", text.as_str())], "db/changelog.xml");
        assert_eq!(all(&history), expected, "{attributes} {before}");
    }
}

#[test]
fn yaml_and_json_say_what_xml_says() {
    let yaml = "databaseChangeLog:
  - property:
      name: table
      value: users
  - changeSet:
      id: 1
      author: ann
      runOnChange: true
      preConditions:
        - onFail: MARK_RAN
        - not:
            - tableExists:
                tableName: users
      changes:
        - createTable:
            tableName: ${table}
            columns:
              - column:
                  name: id
                  type: bigint
                  autoIncrement: true
                  constraints:
                    primaryKey: true
              - column: {name: nick, type: varchar(40), constraints: {nullable: false}}
        - sql:
            sql: |
              ALTER TABLE a
                DROP COLUMN b
        - sql: DROP TABLE c
      rollback:
        - dropTable:
            tableName: users
";
    let history_of = |path: &str, text: &str| history(Dialect::Postgres, &[(path, text)], path);
    let history = history_of("db/changelog.yaml", yaml);
    let expected = "15~ create users [id bigint ! counted; nick varchar(40) !; pk(id)]\n28~ drop a.b\n29~ drop c";
    assert_eq!(all(&history), expected);
    assert_eq!(history.migrations[0].key, "db/changelog.yaml::ann::1");
    assert_eq!(history.migrations[0].runs, Runs::WhenChanged);
    let json = r#"{ "databaseChangeLog": [
 { "changeSet": { "id": "1", "author": "a", "changes": [
   { "addColumn": { "tableName": "t", "columns": [ { "column": { "name": "a", "type": "int", "constraints": { "nullable": false } } } ] } },
   { "dropColumn": { "tableName": "t", "columnName": "b" } } ] } } ] }"#;
    assert_eq!(all(&history_of("db/changelog.json", json)), "3 add t.a integer !\n4 drop t.b");
}

#[test]
fn formatted_sql_is_cut_at_its_comments() {
    let sql = "--liquibase formatted sql
--property name:t value:users

--changeset ann:1 dbms:postgresql
--comment: away with it
ALTER TABLE ${t}
  DROP COLUMN nick;
--rollback ALTER TABLE users ADD COLUMN nick text;
/* liquibase rollback
DROP TABLE never;
*/
--changeset ann:2 dbms:mysql
DROP TABLE never;
-- changeset bob:3 runOnChange:true splitStatements:false
--preconditions onFail:MARK_RAN onError:HALT
--precondition-sql-check expectedResult:0 SELECT 1
DROP TABLE a;
--ignoreLines:1
DROP TABLE never;
DROP TABLE b;
";
    let history = history(Dialect::Postgres, &[("db/changelog/1.sql", sql)], "db/changelog/1.sql");
    assert_eq!(all(&history), "7 drop users.nick\n17? drop a\n20? drop b");
    let keys: Vec<_> = history.migrations.iter().map(|migration| migration.key.as_str()).collect();
    assert_eq!(keys, ["db/changelog/1.sql::ann::1", "db/changelog/1.sql::bob::3"]);
}

#[test]
fn includes_are_followed_in_their_order() {
    let set = |id: &str| {
        format!(
            "<databaseChangeLog><changeSet id=\"{id}\" author=\"a\"><dropTable tableName=\"{id}\"/></changeSet></databaseChangeLog>"
        )
    };
    let (one, two, three, nine) = (set("one"), set("two"), set("three"), set("nine"));
    let master = r#"<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
      <include file="classpath:db/changelog/two.xml"/>
      <include file="sub/one.xml" relativeToChangelogFile="true" context="test"/>
      <includeAll path="db/changelog/all"/>
      <include file="db/changelog/absent.xml"/>
      <changeSet id="sql" author="a"><sqlFile path="x.sql" relativeToChangelogFile="true"/></changeSet>
    </databaseChangeLog>"#;
    let files = [
        ("app/src/main/resources/db/changelog/master.xml", master),
        ("app/src/main/resources/db/changelog/two.xml", two.as_str()),
        ("app/src/main/resources/db/changelog/sub/one.xml", one.as_str()),
        ("app/src/main/resources/db/changelog/all/b.xml", nine.as_str()),
        ("app/src/main/resources/db/changelog/all/a.xml", three.as_str()),
        ("app/src/main/resources/db/changelog/all/c.sql", "DROP TABLE plain;"),
        ("app/src/main/resources/db/changelog/x.sql", "\n\nDROP TABLE filed;"),
        ("app/src/test/resources/db/changelog/t.xml", one.as_str()),
        ("pom.xml", "<artifactId>postgresql</artifactId><groupId>org.postgresql</groupId>"),
    ];
    let tree = MemoryTree::new(files);
    let found = super::find::find(&tree);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].dialect, Some(Dialect::Postgres));
    let history = history(Dialect::Postgres, &files, "app/src/main/resources/db/changelog/master.xml");
    let steps = all(&history);
    let expected =
        ["1 drop two", "1? drop one", "1 drop three", "1 drop nine", "1 drop plain", "5 Unread", "6 drop filed"];
    for (line, expected) in steps.lines().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}\n{steps}");
    }
    assert_eq!(steps.lines().count(), expected.len());
}

#[test]
fn the_content_of_a_change_set_is_that_of_its_changes() {
    let of = |inner: &str| {
        let text =
            format!("<databaseChangeLog><changeSet id=\"1\" author=\"a\">{inner}</changeSet></databaseChangeLog>");
        history(Dialect::Postgres, &[("db/changelog.xml", text.as_str())], "db/changelog.xml").migrations[0]
            .content
            .clone()
    };
    let drop = "<dropTable tableName=\"t\"/>";
    assert_eq!(of(drop), of(&format!("\n  <comment>x</comment>\n {drop}\n")));
    assert_eq!(of("<sql>DROP  TABLE t</sql>"), of("<sql>\n DROP TABLE\n t </sql>"));
    assert_ne!(of(drop), of("<dropTable tableName=\"u\"/>"));
    let valid = "<validCheckSum>ANY</validCheckSum>";
    assert_eq!(of(&format!("{valid}{drop}")), of(&format!("{valid}<dropTable tableName=\"u\"/>")));
}

#[test]
fn what_is_no_changelog_is_unread() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><databaseChangeLog>&a;</databaseChangeLog>";
    let deep = format!("<databaseChangeLog>{}{}</databaseChangeLog>", "<a>".repeat(500), "</a>".repeat(500));
    let cut = "<databaseChangeLog>\n<changeSet id=\"1\">";
    let unknown = "<databaseChangeLog><frobnicate/></databaseChangeLog>";
    let aliases = format!(
        "databaseChangeLog:\n - a: &a [x, x, x, x, x, x, x, x, x]\n{}",
        (b'a'..=b'y')
            .map(|c| format!(" - b: &{} [{}]\n", (c + 1) as char, format!("*{},", c as char).repeat(9)))
            .collect::<String>()
    );
    let files = [
        ("db/a.xml", bomb),
        ("db/b.xml", deep.as_str()),
        ("db/c.xml", cut),
        ("db/d.xml", unknown),
        ("db/e.yaml", aliases.as_str()),
        ("db/f.yaml", "databaseChangeLog:\n - [: x"),
    ];
    for (path, text) in files {
        let history = history(Dialect::Postgres, &[(path, text)], path);
        let unread = history.migrations.iter().flat_map(|migration| migration.steps.iter());
        assert!(unread.into_iter().any(|step| matches!(step.operation, Operation::Unread(_))), "{path}");
    }
    let circle =
        "<databaseChangeLog><include file=\"b.xml\" relativeToChangelogFile=\"true\"/></databaseChangeLog>";
    let back = "<databaseChangeLog><include file=\"b.xml\" relativeToChangelogFile=\"true\"/></databaseChangeLog>";
    let history = history(Dialect::Postgres, &[("db/a.xml", circle), ("db/b.xml", back)], "db/a.xml");
    assert_eq!(history.problems.len(), 1);
}
