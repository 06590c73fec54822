//! Programs and what they do.

use super::super::brief::brief;
use super::{ROW, history, steps};
use crate::frameworks::Found;
use crate::migration::{Context, Limits, Memo};
use crate::operation::Operation;
use crate::sql::Dialect::{self, MySql, Postgres, Sqlite};
use crate::tree::MemoryTree;

/// The steps of `upgrade()` with this body; its first line is line 2.
fn upgrade(dialect: Dialect, body: &str) -> Vec<String> {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("def upgrade():\n{body}\n\ndef downgrade():\n    op.drop_table('boats')\n");
    brief(&steps(&text, dialect, Limits::default()))
}

#[track_caller]
fn table(rows: &[(Dialect, &str, &[&str])]) {
    for (dialect, body, expected) in rows {
        assert_eq!(upgrade(*dialect, body), *expected, "{body}");
    }
}

#[test]
fn tables_and_columns() {
    table(&[
        (
            Postgres,
            "op.create_table('boats', sa.Column('id', sa.Integer(), nullable=False), sa.Column('name', sa.String(length=50), nullable=False, server_default='x'), sa.Column('owner_id', sa.Integer(), sa.ForeignKey('people.id', ondelete='CASCADE')), sa.Column('code', sa.Text, unique=True, index=True), sa.PrimaryKeyConstraint('id'), sa.UniqueConstraint('name', name='uq'))",
            &[
                "2 create boats (id integer!=#, name varchar(50)!='x', owner_id integer{fk owner_id>people(id) cascades}, code text{unique code}){pk id}{uq unique name}",
                "2 index - boats(code)",
            ],
        ),
        (
            Postgres,
            "op.create_table('t', sa.Column('id', sa.Uuid(), primary_key=True), schema='s')",
            &["2 create s.t (id uuid!{pk id})"],
        ),
        (
            Postgres,
            "op.create_table('t', sa.Column('mood', sa.Enum('a', 'b', name='mood'), nullable=False))",
            &[
                "2~ CreateType { name: Name { schema: None, name: Ident { key: \"mood\", written: \"mood\" } }, body: Enum([\"a\", \"b\"]) }",
                "2 create t (mood mood!)",
            ],
        ),
        (
            Postgres,
            "op.create_table('t', *columns)",
            &["2 unread Code { what: \"op.create_table('t', *columns)\" }"],
        ),
        (Postgres, "op.drop_table('boats')", &["2 drop boats"]),
        (Postgres, "op.rename_table('boats', 'ships')", &["2 rename boats ships"]),
        (
            Postgres,
            "op.add_column('boats', sa.Column('a', sa.Boolean(), nullable=False, default=False))",
            &["2 add boats.a boolean!"],
        ),
        (
            Postgres,
            "op.add_column('boats', sa.Column('a', sa.Boolean(), server_default=sa.text('false'), nullable=False))",
            &["2 add boats.a boolean!=false"],
        ),
        (
            Postgres,
            "op.add_column('boats', sa.Column('a', sa.DateTime(timezone=True), server_default=sa.func.now()))",
            &["2 add boats.a timestamptz=now()"],
        ),
        (
            Postgres,
            "op.add_column('boats', sa.Column('a', postgresql.ARRAY(sa.String())))",
            &["2 add boats.a varchar[]"],
        ),
        (MySql, "op.add_column('boats', sa.Column('a', mysql.INTEGER(unsigned=True)))", &["2 add boats.a int+"]),
        (Postgres, "op.drop_column('boats', 'a')", &["2 drop boats.a"]),
        (
            Postgres,
            "with op.batch_alter_table('boats', schema=None) as batch_op:\n    batch_op.drop_column('a')\n    batch_op.add_column(sa.Column('b', sa.Text()))\n    batch_op.alter_column('c', nullable=False)\n    batch_op.create_index(batch_op.f('ix'), ['b'], unique=True)\n    batch_op.drop_constraint('k', type_='unique')",
            &[
                "3 drop boats.a",
                "4 add boats.b text",
                "5 alter boats.c not null",
                "6 constrain boats {ix unique b} All",
                "7 unconstrain boats k unique",
            ],
        ),
    ]);
}

#[test]
fn alter_column_says_only_what_is_given_but_mysql_restates() {
    table(&[
        (
            Postgres,
            "op.alter_column('b', 'a', existing_type=sa.Integer(), nullable=False)",
            &["2 alter b.a not null"],
        ),
        (Postgres, "op.alter_column('b', 'a', nullable=True)", &["2 alter b.a null"]),
        (
            Postgres,
            "op.alter_column('b', 'a', type_=sa.BigInteger(), existing_type=sa.Integer())",
            &["2 alter b.a type bigint"],
        ),
        (Postgres, "op.alter_column('b', 'a', server_default=None)", &["2 alter b.a no default"]),
        (Postgres, "op.alter_column('b', 'a', new_column_name='c')", &["2 rename b.a c"]),
        (
            Postgres,
            "op.alter_column('b', 'a', new_column_name='c', nullable=False, existing_type=sa.Text())",
            &["2 alter b.a not null", "2 rename b.a c"],
        ),
        (Postgres, "op.alter_column('b', 'a', comment='x')", &["2 neutral alter_column"]),
        (
            MySql,
            "op.alter_column('b', 'a', existing_type=sa.String(20), nullable=False)",
            &["2 alter b.a restated a varchar(20)!"],
        ),
        (
            MySql,
            "op.alter_column('b', 'a', existing_type=sa.Integer(), existing_nullable=False, new_column_name='c')",
            &["2 rename b.a c", "2 alter b.c restated c int!"],
        ),
        (MySql, "op.alter_column('b', 'a', server_default='1')", &["2 alter b.a default ='1'"]),
    ]);
}

#[test]
fn indexes_and_constraints() {
    table(&[
        (
            Postgres,
            "op.create_index(op.f('ix'), 'b', ['a', sa.text('lower(c)')], unique=False)",
            &["2 index ix b(a,lower(c))"],
        ),
        (
            Postgres,
            "op.create_index('ix', 'b', ['a'], unique=True, postgresql_where=sa.text('x'), postgresql_concurrently=True)",
            &["2 constrain b {ix unique a partial} All"],
        ),
        (Postgres, "op.drop_index('ix', table_name='b', if_exists=True)", &["2~ unindex ix b"]),
        (
            Postgres,
            "op.create_foreign_key('fk', 'b', 'p', ['p_id'], ['id'], ondelete='SET NULL', postgresql_not_valid=True)",
            &["2 constrain b {fk fk p_id>p(id) cascades} NewRows"],
        ),
        (
            Postgres,
            "op.create_foreign_key(None, 'b', 'p', ['p_id'], ['id'])",
            &["2 constrain b {fk p_id>p(id)} All"],
        ),
        (Postgres, "op.create_unique_constraint('u', 'b', ['a'])", &["2 constrain b {u unique a} All"]),
        (
            Postgres,
            "op.create_check_constraint('c', 'b', 'a IS NOT NULL')",
            &["2 constrain b {c check a IS NOT NULLa} All"],
        ),
        (Postgres, "op.drop_constraint('fk', 'b', type_='foreignkey')", &["2 unconstrain b fk foreign-key"]),
        (Postgres, "op.bulk_insert(sa.table('b', sa.column('a')), [{'a': 1}])", &["2 Insert b"]),
    ]);
}

#[test]
fn programs() {
    let drop: &[&str] = &["3 drop b.a"];
    table(&[
        (Postgres, "if op.get_bind().dialect.name == 'postgresql':\n    op.drop_column('b', 'a')", drop),
        (Sqlite, "if op.get_bind().dialect.name == 'postgresql':\n    op.drop_column('b', 'a')", &[]),
        (
            MySql,
            "bind = op.get_bind()\nif bind.dialect.name != 'sqlite':\n    op.drop_column('b', 'a')",
            &["4 drop b.a"],
        ),
        (Postgres, "if not inspector.has_table('b'):\n    op.drop_column('b', 'a')", &["3~? drop b.a"]),
        (Postgres, "if 'a' not in columns:\n    return\nop.drop_column('b', 'a')", &["4~? drop b.a"]),
        (Postgres, "for t in ('b', 'c'):\n    op.drop_column(t, 'a')", &["3 drop b.a", "3 drop c.a"]),
        (
            Postgres,
            "for t in tables:\n    op.drop_column(t, 'a')",
            &["3? unread Code { what: \"op.drop_column(t, 'a')\" }"],
        ),
        (Postgres, "op.execute(f'DROP TABLE {name}')", &["2 unread Dynamic"]),
        (
            Postgres,
            "b = sa.table('b')\nop.execute(b.update().values(a=1))\nop.execute(sa.delete(b).where(b.c.a == 1))",
            &["3 Update b all", "4 Delete b"],
        ),
        (Postgres, "sink_the_fleet()", &["2 unread Code { what: \"sink_the_fleet()\" }"]),
        (
            Postgres,
            "mood = sa.Enum('a', name='m')\nmood.drop(op.get_bind(), checkfirst=True)",
            &[
                "3~ Drop { kind: Type, name: Name { schema: None, name: Ident { key: \"m\", written: \"m\" } }, table: None, cascade: false }",
            ],
        ),
        (Postgres, "pass", &[]),
    ]);
}

#[test]
fn helpers_of_the_file_are_followed_and_downgrade_is_not_read() {
    let text = "
revision = 'a'
TABLE = 'boats'
def drop(name, table=TABLE):
    op.drop_column(table, name)
def upgrade():
    drop('a')
    drop('b', table='locks')
def downgrade():
    x = = 1
";
    let found = steps(text, Postgres, Limits::default());
    assert_eq!(brief(&found), ["5 drop boats.a", "5 drop locks.b"]);
}

#[test]
fn what_is_no_python_is_unread() {
    for text in ["", "def upgrade(:\n  op.drop", "def upgrade():\n    op.drop_column('a' 'b'\n", "class A: pass"] {
        let found = steps(text, Postgres, Limits::default());
        assert!(found.iter().any(|step| matches!(step.operation, Operation::Unread(_))), "{text:?}");
    }
    let again = "def upgrade():\n    upgrade()\n    upgrade()\n";
    assert!(steps(again, Postgres, Limits::default()).len() < 1000);
}

fn revision(id: &str, down: &str) -> String {
    format!("revision = '{id}'\ndown_revision = {down}\ndef upgrade():\n    op.drop_table('{id}')\n")
}

#[test]
fn revisions_follow_their_graph() {
    let files = |more: &[(&str, &str, &str)]| {
        let mut files = vec![
            ("app/alembic.ini".to_owned(), "[alembic]\nsqlalchemy.url = mysql+pymysql://x\n".to_owned()),
            ("app/m/env.py".to_owned(), String::new()),
            ("app/m/versions/z.py".to_owned(), revision("z", "None")),
            ("app/m/versions/b.py".to_owned(), revision("b", "'z'")),
            ("app/m/versions/a.py".to_owned(), revision("a", "'b'")),
            ("app/m/versions/__init__.py".to_owned(), String::new()),
        ];
        files.extend(more.iter().map(|(name, id, down)| (format!("app/m/versions/{name}.py"), revision(id, down))));
        MemoryTree::new(files)
    };
    let read = |tree: &MemoryTree| {
        let found: Vec<Found> = (ROW.find)(tree);
        assert_eq!(
            found.iter().map(|found| (found.root.as_str(), found.dialect)).collect::<Vec<_>>(),
            [("app/m/versions", Some(MySql))]
        );
        let memo = Memo::default();
        let context = Context { tree, dialect: MySql, limits: Limits::default(), memo: &memo };
        let history = history(&context, &found[0]);
        let keys: Vec<String> = history.migrations.iter().map(|migration| migration.key.clone()).collect();
        (keys.join(" "), history.problems.iter().map(|problem| problem.rule).collect::<Vec<_>>())
    };
    assert_eq!(read(&files(&[])), ("z b a".to_owned(), vec![]));
    assert_eq!(read(&files(&[("c", "c", "'z'")])), ("z b a c".to_owned(), vec!["two-heads"]));
    assert_eq!(read(&files(&[("c", "c", "'z'"), ("d", "d", "('a', 'c')")])), ("z b a c d".to_owned(), vec![]));
    assert_eq!(read(&files(&[("c", "a", "'b'")])).1, ["duplicate-version"]);
}
