//! Programs and what they do; small trees and their order.

use crate::frameworks::shown::shown;
use crate::migration::{Context, Limits, Memo};
use crate::operation::{Operation, Unread};
use crate::sql::Dialect;
use crate::tree::MemoryTree;

/// The steps of a body of `up()`; its first line is line 1.
fn up_in(dialect: Dialect, body: &str) -> String {
    let before = "<?php final class Version20240101000000 extends AbstractMigration { public function up(Schema $schema): void {";
    let text = format!(
        "{before} {body} }}\npublic function down(Schema $schema): void {{ $schema->dropTable('never'); }} }}"
    );
    shown(&super::steps(dialect, text, vec![], Limits::default()))
}

fn up(body: &str) -> String {
    up_in(Dialect::Postgres, body)
}

#[test]
fn the_schema_api_is_read() {
    let cases = [
        ("$schema->dropTable('old');", "1 drop old"),
        ("$t = $schema->getTable('users'); $t->dropColumn('nick');", "1 drop users.nick"),
        (
            "$schema->getTable('users')\n->dropColumn('nick')\n->dropColumn('mail');",
            "2 drop users.nick\n3 drop users.mail",
        ),
        ("$schema->getTable('users')->addColumn('nick', 'string');", "1 add users.nick varchar(255) !"),
        (
            "$schema->getTable('users')->addColumn('nick', 'string', ['length' => 40, 'notnull' => false]);",
            "1 add users.nick varchar(40)",
        ),
        (
            "$schema->getTable('users')->addColumn('nick', Types::STRING, ['default' => 'x', 'length' => 40]);",
            "1 add users.nick varchar(40) ! ='x'",
        ),
        (
            "$schema->getTable('users')->addColumn('nick', 'text')->setNotnull(false)->setComment('c');",
            "1 add users.nick text",
        ),
        ("$schema->getTable('users')->addColumn('nick', 'text', $options);", "1 add users.nick text !? =?"),
        ("$schema->getTable('users')->getColumn('nick')->setNotnull(true);", "1 alter users.nick !"),
        (
            "$schema->getTable('users')->getColumn('nick')->setNotnull(false)->setLength(30);",
            "1 alter users.nick null, varchar(30)",
        ),
        (
            "$schema->getTable('users')->modifyColumn('nick', ['notnull' => true, 'default' => 1]);",
            "1 alter users.nick !, =1",
        ),
        ("$schema->getTable('users')->changeColumn('nick', ['default' => null]);", "1 alter users.nick no default"),
        (
            "$schema->getTable('users')->changeColumn('nick', ['type' => Type::getType('text')]);",
            "1 alter users.nick text",
        ),
        ("$schema->getTable('users')->changeColumn('nick', ['length' => $n]);", "1 code"),
        ("$schema->getTable('users')->addUniqueIndex(['mail'], 'UQ');", "1 add users uq:unique(mail)"),
        ("$schema->getTable('users')->addIndex(['mail'], 'IX');", "1 index users ix:mail"),
        ("$schema->getTable('users')->dropIndex('IX');", "1 drop index users.ix"),
        ("$schema->getTable('users')->setPrimaryKey(['a', 'b']);", "1 add users pk(a,b)"),
        ("$schema->getTable('users')->dropPrimaryKey();", "1 drop users primary-key "),
        ("$schema->getTable('users')->removeForeignKey('FK_1');", "1 drop users foreign-key fk_1"),
        (
            "$schema->getTable('users')->addForeignKeyConstraint($schema->getTable('teams'), ['team_id'], ['id'], ['onDelete' => 'CASCADE'], 'FK_1');",
            "1 add users fk_1:fk(team_id) teams(id) cascades",
        ),
        ("$schema->renameTable('a', 'b');", "1 rename a -> b"),
        ("$schema->getTable($this->prefix . 'x')->dropColumn('a');", "1 code"),
        ("$schema->getTable('users')->frobnicate();", "1 code"),
        ("$schema->dropTable($name);", "1 code"),
    ];
    for (body, expected) in cases {
        assert_eq!(up(body), expected, "{body}");
    }
}

#[test]
fn a_table_made_here_is_one_step_with_all_its_columns() {
    let body = "$t = $schema->createTable('tags');
        $t->addColumn('id', 'integer', ['autoincrement' => true]);
        $t->addColumn('name', 'string', ['length' => 40])->setNotnull(false);
        $t->setPrimaryKey(['id']);
        $t->addUniqueIndex(['name'], 'uq');
        $t->getColumn('name')->setDefault('x');
        $schema->getTable('tags')->addColumn('late', 'boolean', ['default' => false]);";
    let expected = "1 create tags [id integer ! counted; name varchar(40) ='x'; late boolean ! =false; pk(id); uq:unique(name)]";
    assert_eq!(up(body).replace(" int ", " integer "), expected);
}

#[test]
fn what_the_text_does_not_decide_is_followed_on_a_condition() {
    let cases = [
        ("if ($schema->hasTable('old')) { $schema->dropTable('old'); }", "1~ drop old"),
        ("if (!$schema->hasTable('old')) { return; } $schema->dropTable('old');", "1~ drop old"),
        ("if ($schema->hasTable('a')) { $schema->dropTable('b'); }", "1? drop b"),
        (
            "$this->skipIf($schema->hasTable('t') === false, 'x'); $schema->getTable('t')->dropColumn('a');",
            "1~ drop t.a",
        ),
        ("$this->skipIf(true, 'x'); $schema->dropTable('a');", ""),
        (
            "$this->skipIf(!is_a($this->platform, PostgreSQLPlatform::class), 'x'); $schema->dropTable('a');",
            "1 drop a",
        ),
        (
            "(function () { $this->skipIf(is_a($this->platform, PostgreSQLPlatform::class), 'x'); })(); $schema->dropTable('a');",
            "",
        ),
        ("$this->abortIf($this->odd(), 'x'); $schema->dropTable('a');", "1 code\n1 drop a"),
        (
            "if ($x) { $schema->dropTable('a'); } else { $schema->dropTable('b'); } $schema->dropTable('c');",
            "1? drop a\n1? drop b\n1 drop c",
        ),
        ("if ($x) { return; } $schema->dropTable('a');", "1? drop a"),
        ("foreach (['a', 'b'] as $t) { $schema->dropTable($t); }", "1 drop a\n1 drop b"),
        (
            "foreach (['a' => 'x', 'b' => 'y'] as $t => $c) { $schema->getTable($t)->dropColumn($c); }",
            "1 drop a.x\n1 drop b.y",
        ),
        ("foreach ($rows as $row) { $schema->dropTable('a'); }", "1? drop a"),
        ("foreach ($rows as $row) { $schema->dropTable($row); }", "1? code"),
        ("while ($x) { $schema->dropTable('a'); }", "1? drop a"),
        ("$t = 'a'; if ($x) { $t = 'b'; } $schema->dropTable($t);", "1 code"),
        ("try { $schema->dropTable('a'); } catch (E $e) { $schema->dropTable('b'); }", "1 drop a\n1? drop b"),
    ];
    for (body, expected) in cases {
        assert_eq!(up(body), expected, "{body}");
    }
}

#[test]
fn the_dialect_decides_what_asks_for_the_platform() {
    let bodies = [
        "if ($this->connection->getDatabasePlatform() instanceof PostgreSQLPlatform) { $schema->dropTable('pg'); } else { $schema->dropTable('my'); }",
        "if ($this->connection->getDatabasePlatform()->getName() === 'postgresql') { $schema->dropTable('pg'); } else { $schema->dropTable('my'); }",
        "$p = $this->connection->getDatabasePlatform()->getName(); switch ($p) { case 'postgresql': $schema->dropTable('pg'); break; case 'mysql': $schema->dropTable('my'); break; }",
        "$p = $this->platform; switch (true) { case $p instanceof MySQLPlatform: $schema->dropTable('my'); break; case $p instanceof PostgreSQLPlatform: $schema->dropTable('pg'); break; }",
        "$schema->dropTable(match (true) { $this->platform instanceof PostgreSQLPlatform => 'pg', default => 'my' });",
        "$schema->dropTable($this->platform instanceof PostgreSQLPlatform ? 'pg' : 'my');",
        "if (!$this->platform instanceof PostgreSQLPlatform) { $schema->dropTable('my'); return; } $schema->dropTable('pg');",
    ];
    for body in bodies {
        assert_eq!(up_in(Dialect::Postgres, body), "1 drop pg", "{body}");
        assert_eq!(up_in(Dialect::MySql, body), "1 drop my", "{body}");
    }
}

#[test]
fn helpers_constants_and_properties_of_the_class_are_followed() {
    let text = "<?php
class Version20240101000000 extends AbstractMigration {
    private const TABLE = 'users';
    private string $column = 'nick';
    public function up(Schema $schema): void {
        $this->remove($schema, self::TABLE);
        $this->gone($schema);
    }
    private function remove(Schema $schema, string $table, string $suffix = '_old'): void {
        $schema->getTable($table)->dropColumn($this->column . $suffix);
    }
    public function down(Schema $schema): void { $schema->dropTable('x'); }
}";
    let steps = super::steps(Dialect::Postgres, text.to_owned(), vec![], Limits::default());
    assert_eq!(shown(&steps), "7 code\n10 drop users.nick_old");
    let parent = "<?php abstract class Base extends AbstractMigration {\n function gone($schema) { $schema->dropTable('gone'); } }";
    let steps = super::steps(Dialect::Postgres, text.to_owned(), vec![parent.to_owned()], Limits::default());
    assert_eq!(shown(&steps), "10 drop users.nick_old\n2 drop gone");
}

#[test]
fn a_program_that_is_none_is_unread_at_its_line() {
    let text = "<?php\nclass Version20240101000000 {\n public function up($schema) {\n  $schema->dropTable('a');\n  $schema->->x(;\n }\n}";
    let steps = super::steps(Dialect::Postgres, text.to_owned(), vec![], Limits::default());
    assert!(
        steps
            .iter()
            .any(|step| step.line == 5 && matches!(step.operation, Operation::Unread(Unread::Syntax { .. }))),
        "{}",
        shown(&steps)
    );
    for text in ["", "<?php", "<?php class A {}", "<?php class A { function up( }"] {
        let steps = super::steps(Dialect::Postgres, text.to_owned(), vec![], Limits::default());
        assert!(steps.iter().any(|step| matches!(step.operation, Operation::Unread(_))), "{text}");
    }
}

#[test]
fn hostile_programs_end() {
    let few = Limits { statements: 3_000, ..Limits::default() };
    let up = |body: &str| {
        let text = format!("<?php class Version20240101000000 {{ function up(Schema $schema) {{ {body} }} }}");
        shown(&super::steps(Dialect::Postgres, text, vec![], few))
    };
    let deep = format!("$x = {}1{};", "(".repeat(2_000), ")".repeat(2_000));
    assert_eq!(up(&deep), "1 limit");
    let wide = format!("$schema->dropTable('a'); $x = [{}];", "1,".repeat(10_000));
    assert_eq!(up(&wide), "1 limit\n1 drop a");
    assert!(up("$this->up($schema); $this->up($schema); $this->up($schema);").contains("limit"));
    let nested = "foreach ([1,2,3,4,5,6,7,8,9] as $a) ".repeat(12) + "{ $schema->dropTable('a'); }";
    assert!(up(&nested).contains("limit"));
}

#[test]
fn the_history_is_ordered_by_class_and_the_dialect_is_found() {
    let class = "<?php class X extends AbstractMigration { public function up(Schema $s): void { } }";
    let tree = MemoryTree::new([
        ("composer.json", "{\"require\": {\"ext-pdo_mysql\": \"*\"}}"),
        ("migrations/Version20240201000000.php", class),
        ("migrations/2023/11/Version20231101000000.php", class),
        ("migrations/README.php", class),
        ("vendor/a/migrations/Version20240101000000.php", class),
        ("other/Version20240101000000.php", "<?php class Nothing {}"),
    ]);
    let found = super::find::find(&tree);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].root.as_str(), found[0].dialect), ("migrations", Some(Dialect::MySql)));
    let memo = Memo::default();
    let context = Context { tree: &tree, dialect: Dialect::MySql, limits: Limits::default(), memo: &memo };
    let history = super::history(&context, &found[0]);
    let keys: Vec<_> = history.migrations.iter().map(|migration| migration.key.as_str()).collect();
    assert_eq!(keys, ["Version20231101000000", "Version20240201000000"]);
}
