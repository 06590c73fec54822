//! Programs and what they do.

use super::super::brief::brief;
use super::{ROW, history};
use crate::frameworks::Found;
use crate::migration::{Context, History, Limits, Memo};
use crate::operation::{Operation, Unread};
use crate::sql::Dialect::{self, MySql, Postgres};
use crate::tree::MemoryTree;

const BASE: &str = "migrations.CreateModel(name='Person', fields=[
    ('id', models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(name='Boat', fields=[
    ('id', models.AutoField(auto_created=True, primary_key=True)),
    ('name', models.CharField(max_length=50)),
    ('note', models.TextField(blank=True, null=True)),
    ('owner', models.ForeignKey(on_delete=models.CASCADE, to='fleet.Person')),
    ('crew', models.ManyToManyField(to='fleet.Person', related_name='crews')),
    ], options={'unique_together': {('name', 'owner')}})";

fn file(head: &str, operations: &str) -> String {
    format!(
        "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    {head}\n    operations = [\n{operations}\n    ]\n"
    )
}

fn read(dialect: Dialect, files: &[(&str, String)]) -> History {
    let tree = MemoryTree::new(files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())));
    let found: Vec<Found> = (ROW.find)(&tree);
    assert_eq!(found.len(), 1, "{found:?}");
    let memo = Memo::default();
    let context = Context { tree: &tree, dialect, limits: Limits::default(), memo: &memo };
    history(&context, &found[0])
}

/// The steps of operations after the base; their first line is line 5.
fn after(dialect: Dialect, operations: &str) -> Vec<String> {
    let read = read(
        dialect,
        &[
            ("fleet/migrations/0001_initial.py", file("initial = True", BASE)),
            ("fleet/migrations/0002_more.py", file("dependencies = [('fleet', '0001_initial')]", operations)),
        ],
    );
    assert_eq!(read.problems, []);
    brief(&read.migrations[1].steps)
}

#[track_caller]
fn table(rows: &[(&str, &[&str])]) {
    for (operations, expected) in rows {
        assert_eq!(after(Postgres, operations), *expected, "{operations}");
    }
}

#[test]
fn models() {
    let read = read(Postgres, &[("fleet/migrations/0001_initial.py", file("initial = True", BASE))]);
    assert_eq!(
        brief(&read.migrations[0].steps),
        [
            "5 create fleet_person (id bigint!=#{pk id})",
            "7 create fleet_boat (id integer!=#{pk id}, name varchar(50)!, note text, owner_id bigint!{fk owner_id>fleet_person()}){unique name,owner_id}",
            "7 index - fleet_boat(owner_id)",
            "7 create fleet_boat_crew (id integer!=#{pk id}, boat_id integer!{fk boat_id>fleet_boat()}, person_id bigint!{fk person_id>fleet_person()}){unique boat_id,person_id}",
            "7 index - fleet_boat_crew(boat_id)",
            "7 index - fleet_boat_crew(person_id)",
        ]
    );
    table(&[
        (
            "migrations.CreateModel(name='Lock', fields=[('code', models.SlugField(primary_key=True, serialize=False))], options={'db_table': 'gates'})",
            &["5 create gates (code varchar(50)!{pk code})"],
        ),
        (
            "migrations.CreateModel('Lock', [('n', models.IntegerField(default=3))])",
            &["5 create fleet_lock (id integer!=#{pk id}, n integer!)"],
        ),
        ("migrations.CreateModel(name='P', fields=[], options={'proxy': True}, bases=('fleet.boat',))", &[]),
        (
            "migrations.CreateModel(name='P', fields=[('id', models.AutoField(primary_key=True))], options={'managed': False})",
            &[],
        ),
        ("migrations.DeleteModel(name='Boat')", &["5 drop fleet_boat_crew cascade", "5 drop fleet_boat cascade"]),
        (
            "migrations.RenameModel('Boat', 'Ship')",
            &[
                "5 rename fleet_boat fleet_ship",
                "5 rename fleet_boat_crew fleet_ship_crew",
                "5 rename fleet_ship_crew.boat_id ship_id",
            ],
        ),
        (
            "migrations.AlterModelTable('boat', 'ships')",
            &["5 rename fleet_boat ships", "5 rename fleet_boat_crew ships_crew"],
        ),
        ("migrations.AlterModelOptions('boat', options={'ordering': ['name']})", &["5 neutral AlterModelOptions"]),
        (
            "migrations.AlterUniqueTogether('boat', unique_together={('name', 'note')})",
            &["5 unconstrain fleet_boat - unique", "5 constrain fleet_boat {unique name,note} All"],
        ),
    ]);
}

#[test]
fn fields() {
    table(&[
        ("migrations.AddField('boat', 'a', models.IntegerField(null=True))", &["5 add fleet_boat.a integer"]),
        (
            "migrations.AddField(model_name='boat', name='a', field=models.IntegerField(default=3))",
            &["5 add fleet_boat.a integer!=3", "5 alter fleet_boat.a no default"],
        ),
        (
            "migrations.AddField('boat', 'a', models.CharField(max_length=5, blank=True))",
            &["5 add fleet_boat.a varchar(5)!=''", "5 alter fleet_boat.a no default"],
        ),
        (
            "migrations.AddField('boat', 'a', models.BooleanField(db_default=True))",
            &["5 add fleet_boat.a boolean!=true"],
        ),
        (
            "migrations.AddField('boat', 'a', models.BooleanField(db_default=models.Value(False), default=False))",
            &["5 add fleet_boat.a boolean!=false"],
        ),
        (
            "migrations.AddField('boat', 'a', models.UUIDField(unique=True))",
            &["5 add fleet_boat.a uuid!{unique a}"],
        ),
        (
            "migrations.AddField('boat', 'a', models.OneToOneField(null=True, to=settings.AUTH_USER_MODEL, on_delete=models.CASCADE))",
            &["5 add fleet_boat.a_id integer{unique a_id}{fk a_id>auth_user()}"],
        ),
        (
            "migrations.AddField('boat', 'a', models.ManyToManyField(to='fleet.Boat'))",
            &[
                "5 create fleet_boat_a (id integer!=#{pk id}, from_boat_id integer!{fk from_boat_id>fleet_boat()}, to_boat_id integer!{fk to_boat_id>fleet_boat()}){unique from_boat_id,to_boat_id}",
                "5 index - fleet_boat_a(from_boat_id)",
                "5 index - fleet_boat_a(to_boat_id)",
            ],
        ),
        ("migrations.AddField('boat', 'a', models.ManyToManyField(to='fleet.Boat', through='fleet.X'))", &[]),
        ("migrations.AddField('boat', 'a', some.OddField(null=True))", &["5 add fleet_boat.a ?"]),
        ("migrations.RemoveField('boat', 'owner')", &["5 drop fleet_boat.owner_id"]),
        (
            "migrations.AddField('boat', 'a', models.ForeignKey(null=True, db_index=False, to=swapper.get_model_name('fleet', 'Person')))",
            &["5 add fleet_boat.a_id bigint{fk a_id>fleet_person()}"],
        ),
        ("migrations.RemoveField('boat', 'crew')", &["5 drop fleet_boat_crew cascade"]),
        ("migrations.RenameField('boat', 'owner', 'captain')", &["5 rename fleet_boat.owner_id captain_id"]),
        ("migrations.RenameField('boat', 'crew', 'sailors')", &["5 rename fleet_boat_crew fleet_boat_sailors"]),
    ]);
}

#[test]
fn only_differences_of_the_database_count() {
    table(&[
        (
            "migrations.AlterField('boat', 'name', models.CharField(max_length=50, help_text='x', verbose_name='y', choices=[('a', 'b')]))",
            &["5 neutral AlterField"],
        ),
        (
            "migrations.AlterField('boat', 'name', models.CharField(max_length=50, default='x'))",
            &["5 neutral AlterField"],
        ),
        (
            "migrations.AlterField('boat', 'name', models.CharField(max_length=20))",
            &["5 alter fleet_boat.name type varchar(20)"],
        ),
        (
            "migrations.AlterField('boat', 'name', models.CharField(max_length=50, null=True, unique=True))",
            &["5 alter fleet_boat.name null", "5 constrain fleet_boat {unique name} All"],
        ),
        (
            "migrations.AlterField('boat', 'note', models.TextField(default=''))",
            &["5 Update fleet_boat", "5 alter fleet_boat.note not null"],
        ),
        (
            "migrations.AlterField('boat', 'name', models.CharField(max_length=50, db_column='title'))",
            &["5 rename fleet_boat.name title"],
        ),
        (
            "migrations.AlterField('boat', 'owner', models.ForeignKey(null=True, to='fleet.person', on_delete=models.SET_NULL))",
            &["5 alter fleet_boat.owner_id null"],
        ),
        (
            "migrations.AlterField('boat', 'owner', models.ForeignKey(to='auth.User', on_delete=models.CASCADE))",
            &[
                "5 unconstrain fleet_boat - foreign-key",
                "5 alter fleet_boat.owner_id type integer",
                "5 constrain fleet_boat {fk owner_id>auth_user()} All",
            ],
        ),
        (
            "migrations.AlterField('boat', 'crew', models.ManyToManyField(to='fleet.Person', blank=True))",
            &["5 neutral AlterField"],
        ),
    ]);
}

#[test]
fn indexes_and_constraints() {
    table(&[
        (
            "migrations.AddIndex('boat', models.Index(fields=['-name', 'owner'], name='i'))",
            &["5 index i fleet_boat(name,owner_id)"],
        ),
        ("AddIndexConcurrently('boat', models.Index(fields=['name'], name='i'))", &["5 index i fleet_boat(name)"]),
        ("migrations.RemoveIndex('boat', 'i')", &["5 unindex i fleet_boat"]),
        (
            "migrations.AddConstraint('boat', models.UniqueConstraint(fields=('name',), name='u', condition=models.Q(note=None)))",
            &["5 constrain fleet_boat {u unique name partial} All"],
        ),
        (
            "AddConstraintNotValid('boat', models.CheckConstraint(check=models.Q(('note__isnull', False)), name='c'))",
            &["5 constrain fleet_boat {c check models.Q(('note__isnull', False))note} NewRows"],
        ),
        (
            "migrations.AddConstraint('boat', models.UniqueConstraint(Lower('name'), name='u')),\nmigrations.RemoveConstraint('boat', 'u')",
            &["5 constrain fleet_boat {u unique Lower('name')} All", "6 unindex u fleet_boat"],
        ),
        (
            "migrations.AddConstraint('boat', models.UniqueConstraint(fields=['name'], name='u')),\nmigrations.RemoveConstraint('boat', 'u')",
            &["5 constrain fleet_boat {u unique name} All", "6 unconstrain fleet_boat u unique"],
        ),
    ]);
}

#[test]
fn programs() {
    table(&[
        ("migrations.RunPython(forwards, backwards)", &["5 unread Code { what: \"RunPython(forwards)\" }"]),
        ("migrations.RunPython(migrations.RunPython.noop)", &["5 neutral RunPython.noop"]),
        ("migrations.RunSQL(migrations.RunSQL.noop, 'DROP TABLE x')", &[]),
        ("migrations.RunSQL(open('x').read())", &["5 unread Dynamic"]),
        ("Sink('boat')", &["5 unread Code { what: \"Sink('boat')\" }"]),
        (
            "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('boat', 'name')]),\nmigrations.AddField('boat', 'name', models.TextField(null=True))",
            &["6 add fleet_boat.name text"],
        ),
        (
            "migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField('boat', 'name')], state_operations=[])",
            &["5 drop fleet_boat.name"],
        ),
        ("*more", &["4 unread Code { what: \"operations = [ *more ]\" }"]),
    ]);
    assert_eq!(
        after(MySql, "migrations.AddField('boat', 'a', models.DateTimeField(auto_now_add=True))"),
        ["5 add fleet_boat.a datetime(6)!=now()", "5 alter fleet_boat.a no default"]
    );
}

#[test]
fn what_is_no_python_is_unread() {
    for operations in ["migrations.RemoveField('boat' 'name'", "x = = 2", "migrations.RunSQL(("] {
        let steps = read(Postgres, &[("fleet/migrations/0001_a.py", file("initial = True", operations))]);
        let unread = |history: &History| {
            history
                .migrations
                .iter()
                .flat_map(|migration| migration.steps.iter())
                .any(|step| matches!(step.operation, Operation::Unread(_)))
        };
        assert!(unread(&steps), "{operations}");
    }
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let steps = read(Postgres, &[("fleet/migrations/0001_a.py", file("initial = True", &deep))]);
    let limit = |step: &crate::operation::Step| matches!(step.operation, Operation::Unread(Unread::Limit { .. }));
    assert!(steps.migrations[0].steps.iter().any(limit));
}

#[test]
fn migrations_follow_their_dependencies() {
    let needs = |names: &[(&str, &str)]| {
        let list: Vec<String> = names.iter().map(|(app, name)| format!("('{app}', '{name}')")).collect();
        file(&format!("dependencies = [{}]", list.join(", ")), "")
    };
    let order = |more: &[(&str, String)]| {
        let mut files = vec![
            ("fleet/migrations/0001_a.py", needs(&[("ports", "0002_b")])),
            ("fleet/migrations/0002_b.py", needs(&[("fleet", "0001_a")])),
            ("ports/migrations/0001_a.py", needs(&[])),
            ("ports/migrations/0002_b.py", needs(&[("ports", "0001_a")])),
            ("ports/migrations/__init__.py", String::new()),
        ];
        files.extend(more.iter().cloned());
        let read = read(Postgres, &files);
        let keys: Vec<String> = read.migrations.iter().map(|migration| migration.key.clone()).collect();
        (keys.join(" "), read.problems.iter().map(|problem| problem.rule).collect::<Vec<_>>())
    };
    let plain = "ports.0001_a ports.0002_b fleet.0001_a fleet.0002_b";
    assert_eq!(order(&[]), (plain.to_owned(), vec![]));
    let other = ("fleet/migrations/0002_c.py", needs(&[("fleet", "0001_a")]));
    assert_eq!(order(std::slice::from_ref(&other)), (format!("{plain} fleet.0002_c"), vec!["two-heads"]));
    let merge = ("fleet/migrations/0003_d.py", needs(&[("fleet", "0002_b"), ("fleet", "0002_c")]));
    assert_eq!(order(&[other, merge]).1, Vec::<&str>::new());
    let squashed = file("replaces = [('fleet', '0001_a'), ('fleet', '0002_b')]", "migrations.RunPython(x)");
    assert_eq!(
        order(&[("fleet/migrations/0001_squashed.py", squashed)]),
        (format!("{plain} fleet.0001_squashed"), vec![])
    );
}

#[test]
fn a_project_says_its_dialect_and_its_users() {
    let tree = MemoryTree::new([
        ("app/manage.py", String::new()),
        (
            "app/site/settings.py",
            "AUTH_USER_MODEL = 'fleet.Person'\nDATABASES = {'default': {'ENGINE': 'django.db.backends.mysql'}}"
                .to_owned(),
        ),
        ("app/fleet/migrations/0001_initial.py", file("initial = True", BASE)),
        (
            "app/fleet/migrations/0002_a.py",
            file(
                "dependencies = [('fleet', '0001_initial')]",
                "migrations.AddField('boat', 'a', models.ForeignKey(null=True, to=settings.AUTH_USER_MODEL))",
            ),
        ),
    ]);
    let found: Vec<Found> = (ROW.find)(&tree);
    assert_eq!(
        found.iter().map(|found| (found.root.as_str(), found.dialect)).collect::<Vec<_>>(),
        [("app", Some(MySql))]
    );
    let memo = Memo::default();
    let context = Context { tree: &tree, dialect: MySql, limits: Limits::default(), memo: &memo };
    let read = history(&context, &found[0]);
    assert_eq!(
        brief(&read.migrations[1].steps),
        ["5 add fleet_boat.a_id bigint{fk a_id>fleet_person()}", "5 index - fleet_boat(a_id)"]
    );
}
