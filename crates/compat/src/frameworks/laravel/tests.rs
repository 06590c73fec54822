//! Programs and what they do; small trees and their order.

use crate::frameworks::shown::shown;
use crate::migration::{Context, Limits, Memo};
use crate::operation::Operation;
use crate::sql::Dialect;
use crate::tree::MemoryTree;

/// The steps of a body of `up()`; its first line is line 1.
fn up_in(dialect: Dialect, restates: bool, body: &str) -> String {
    let text = format!(
        "<?php return new class extends Migration {{ public function up(): void {{ {body} }}\npublic function down() {{ Schema::drop('never'); }} }};"
    );
    shown(&super::steps(dialect, text, vec![], restates, Limits::default()))
}

fn up(body: &str) -> String {
    up_in(Dialect::Postgres, true, body)
}

/// The steps of a blueprint of `users`.
fn table(body: &str) -> String {
    up(&format!("Schema::table('users', function (Blueprint $table) {{ {body} }});"))
}

#[test]
fn columns_are_required_unless_something_else_is_said() {
    let cases = [
        ("$table->string('nick');", "1 add users.nick varchar(255) !"),
        ("$table->string('nick', 40)->nullable();", "1 add users.nick varchar(40)"),
        ("$table->string('nick', length: 40)->nullable(false);", "1 add users.nick varchar(40) !"),
        ("$table->string('nick')->nullable($maybe);", "1 add users.nick varchar(255) !?"),
        (
            "$table->string('nick')->default('x')->after('mail')->comment('c');",
            "1 add users.nick varchar(255) ! ='x'",
        ),
        ("$table->integer('n')->default(0);", "1 add users.n integer ! =0"),
        ("$table->boolean('b')->default(false);", "1 add users.b boolean ! =false"),
        ("$table->json('j')->default(new Expression('(JSON_ARRAY())'));", "1 add users.j json ! =(JSON_ARRAY())"),
        ("$table->timestamp('t')->useCurrent();", "1 add users.t timestamp(0) ! =CURRENT_TIMESTAMP"),
        ("$table->string('s')->default(Status::Open->value);", "1 add users.s varchar(255) ! =?"),
        ("$table->decimal('d');", "1 add users.d numeric(8,2) !"),
        ("$table->string('full')->virtualAs('a || b');", "1 add users.full varchar(255) ! computed"),
        ("$table->timestamps();", "1 add users.created_at timestamp(0)\n1 add users.updated_at timestamp(0)"),
        ("$table->softDeletes();", "1 add users.deleted_at timestamp(0)"),
        ("$table->rememberToken();", "1 add users.remember_token varchar(100)"),
        ("$table->string('m')->unique();", "1 add users.m varchar(255) !\n1 add users users_m_unique:unique(m)"),
        ("$table->string('m')->odd()->index('ix');", "1 add users.m varchar(255) !\n1 index users ix:m"),
        ("$table->string($name);", "1 code"),
        ("$table->money('m');", "1 code"),
    ];
    for (body, expected) in cases {
        assert_eq!(table(body), expected, "{body}");
    }
}

#[test]
fn a_table_that_is_made_is_one_step() {
    let body = "Schema::create('posts', function (Blueprint $table) {
        $table->id();
        $table->foreignId('blog_user_id')->nullable()->constrained()->cascadeOnDelete();
        $table->morphs('tagged');
        $table->string('slug')->unique();
        $table->foreign('slug')->references('name')->on('slugs');
        $table->timestamps();
    });";
    let expected = "1 create posts [id bigint ! counted; blog_user_id bigint; tagged_type varchar(255) !; tagged_id bigint !; \
        slug varchar(255) !; created_at timestamp(0); updated_at timestamp(0); pk(id); \
        posts_blog_user_id_foreign:fk(blog_user_id) blog_users(id) cascades; posts_slug_unique:unique(slug); \
        posts_slug_foreign:fk(slug) slugs(name)]\n4 index posts posts_tagged_type_tagged_id_index:tagged_type,tagged_id";
    assert_eq!(up(body), expected);
}

#[test]
fn what_is_taken_away_has_the_names_that_laravel_gives() {
    let cases = [
        ("$table->dropColumn('a');", "1 drop users.a"),
        ("$table->dropColumn(['a', 'b']);", "1 drop users.a\n1 drop users.b"),
        ("$table->dropColumn('a', 'b');", "1 drop users.a\n1 drop users.b"),
        ("$table->dropColumn($a);", "1 code"),
        ("$table->renameColumn('a', 'b');", "1 rename users.a -> b"),
        ("$table->dropTimestamps();", "1 drop users.created_at\n1 drop users.updated_at"),
        ("$table->dropSoftDeletes();", "1 drop users.deleted_at"),
        ("$table->dropMorphs('tag');", "1 drop users.tag_type\n1 drop users.tag_id"),
        ("$table->dropUnique(['mail']);", "1 drop users unique users_mail_unique"),
        ("$table->dropUnique('uq');", "1 drop users unique uq"),
        ("$table->dropIndex(['a', 'b']);", "1 drop index users.users_a_b_index"),
        ("$table->dropForeign(['team_id']);", "1 drop users foreign-key users_team_id_foreign"),
        (
            "$table->dropConstrainedForeignId('team_id');",
            "1 drop users foreign-key users_team_id_foreign\n1 drop users.team_id",
        ),
        ("$table->dropPrimary();", "1 drop users primary-key "),
        ("$table->rename('people');", "1 rename users -> people"),
    ];
    for (body, expected) in cases {
        assert_eq!(table(body), expected, "{body}");
    }
    let cases = [
        ("Schema::drop('a');", "1 drop a"),
        ("Schema::dropIfExists('a');", "1~ drop a"),
        ("Schema::connection('x')->dropIfExists('a');", "1~ drop a"),
        ("Schema::rename('a', 'b');", "1 rename a -> b"),
        ("Schema::dropColumns('a', ['b', 'c']);", "1 drop a.b\n1 drop a.c"),
        ("Schema::create(config('x.tables.roles'), function ($table) { $table->id(); });", "1 code"),
    ];
    for (body, expected) in cases {
        assert_eq!(up(body), expected, "{body}");
    }
}

#[test]
fn a_change_restates_the_column_since_laravel_11() {
    let body = "Schema::table('users', function ($table) { $table->string('nick', 80)->change(); $table->text('b')->nullable()->default('x')->change(); });";
    let new = "1 alter users.nick restated nick varchar(80) !\n1 alter users.b restated b text ='x'";
    let old = "1 alter users.nick varchar(80)\n1 alter users.b text, null, ='x'";
    assert_eq!(up_in(Dialect::Postgres, true, body), new);
    assert_eq!(up_in(Dialect::Postgres, false, body), old);
}

#[test]
fn types_are_the_dialects() {
    let body = "Schema::table('t', function ($table) { $table->foreignId('u'); $table->boolean('b'); $table->enum('e', ['x', 'y']); $table->dateTime('d'); });";
    let mysql = "1 add t.u bigint unsigned !\n1 add t.b tinyint(1) !\n1 add t.e enum(x,y) !\n1 add t.d datetime !";
    let postgres = "1 add t.u bigint !\n1 add t.b boolean !\n1 add t.e varchar(255) ! check(e in ('x', 'y'))\n1 add t.d timestamp(0) !";
    // MySQL's readers may leave the width of an integer out: it says nothing.
    assert_eq!(up_in(Dialect::MySql, true, body).replace("tinyint !", "tinyint(1) !"), mysql);
    assert_eq!(up_in(Dialect::Postgres, true, body), postgres);
}

#[test]
fn rows_and_code_are_told_apart() {
    let cases = [
        ("DB::table('t')->insert(['a' => 1]);", "1 insert t"),
        ("DB::table('t')->update(['a' => 1]);", "1 update t all"),
        ("DB::table('t')->where('b', 2)->delete();", "1 delete t"),
        ("DB::table('t')->truncate();", "1 truncate t all"),
        ("User::where('a', 1)->update(['b' => 2]);", "1 update "),
        ("User::query()->each(function ($user) { $user->save(); });", "1? update "),
        ("foreach (User::all() as $user) { $user->update(['a' => 1]); }", "1? update "),
        ("Artisan::call('permission:cache-reset');", "1 code"),
        ("(new Fixer)->run();", "1 code"),
        ("app(Fixer::class)->run();", "1 code"),
        ("$rows = DB::table('t')->get(); $names = $rows->pluck('a');", ""),
        ("DB::statement($sql);", "1 dynamic"),
        ("DB::statement('UPDATE t SET a = ' . $x);", "1 update t all"),
        ("DB::statement('ALTER TABLE t DROP COLUMN ' . $x);", "1 dynamic"),
        ("Log::info('x'); Schema::disableForeignKeyConstraints();", ""),
    ];
    for (body, expected) in cases {
        assert_eq!(up(body), expected, "{body}");
    }
}

#[test]
fn sql_is_read_where_it_stands() {
    let body = "DB::statement('ALTER TABLE users DROP COLUMN nick');\nDB::unprepared(\"\n ALTER TABLE a\n  DROP COLUMN b;\n ALTER TABLE a DROP COLUMN c\");";
    assert_eq!(up(body), "1 drop users.nick\n4 drop a.b\n5 drop a.c");
}

#[test]
fn what_the_database_has_already_guards() {
    let cases = [
        (
            "if (!Schema::hasTable('a')) { Schema::create('a', function ($table) { $table->id(); }); }",
            "1~ create a [id bigint ! counted; pk(id)]",
        ),
        (
            "if (Schema::hasColumn('t', 'a')) { Schema::table('t', fn ($table) => $table->dropColumn('a')); }",
            "1~ drop t.a",
        ),
        (
            "Schema::table('t', function ($table) { if (Schema::hasColumn('t', 'a')) { $table->dropColumn('a'); } });",
            "1~ drop t.a",
        ),
        (
            "if (Schema::hasColumn('t', 'a')) { return; } Schema::table('t', fn ($table) => $table->string('a'));",
            "1~ add t.a varchar(255) !",
        ),
        ("Schema::whenTableHasColumn('t', 'a', function ($table) { $table->dropColumn('a'); });", "1~ drop t.a"),
        ("if (app()->environment('testing')) { Schema::drop('a'); }", "1 code\n1? drop a"),
        (
            "foreach (['a', 'b'] as $name) { Schema::table($name, fn ($table) => $table->dropColumn('x')); }",
            "1 drop a.x\n1 drop b.x",
        ),
        (
            "if (DB::getDriverName() === 'mysql') { Schema::drop('my'); } else { Schema::drop('other'); }",
            "1 drop other",
        ),
        (
            "Schema::create('a', function ($table) { $table->id(); if ($x) { $table->string('b'); } });",
            "1 create a [id bigint ! counted; pk(id)]\n1? add a.b varchar(255) !",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(up(body), expected, "{body}");
    }
}

#[test]
fn what_is_no_program_is_unread() {
    for text in [
        "",
        "<?php",
        "<?php return new class { function down() {} };",
        "<?php return new class { function up() { Schema::drop('a' } };",
    ] {
        let steps = super::steps(Dialect::Postgres, text.to_owned(), vec![], true, Limits::default());
        assert!(steps.iter().any(|step| matches!(step.operation, Operation::Unread(_))), "{text}");
    }
}

#[test]
fn the_history_is_ordered_by_file_and_the_version_decides_what_change_means() {
    let class = "<?php return new class extends Migration { public function up() { Schema::table('t', fn ($t) => $t->string('a')->change()); } };";
    let files = |version: &str| {
        MemoryTree::new([
            ("artisan".to_owned(), String::new()),
            ("composer.json".to_owned(), format!("{{\"require\": {{\"laravel/framework\": \"{version}\"}}}}")),
            (".env.example".to_owned(), "DB_CONNECTION=pgsql\n".to_owned()),
            ("database/migrations/2024_01_02_000000_b.php".to_owned(), class.to_owned()),
            ("database/migrations/2023_01_02_000000_a.php".to_owned(), class.to_owned()),
            ("database/migrations/helper.php".to_owned(), class.to_owned()),
            ("Modules/Blog/Database/Migrations/2023_01_02_000000_a.php".to_owned(), class.to_owned()),
            ("vendor/x/database/migrations/2023_01_02_000000_a.php".to_owned(), class.to_owned()),
        ])
    };
    for (version, expected) in
        [("^10.0|^11.0", "1 alter t.a restated a varchar(255) !"), ("^9.19", "1 alter t.a varchar(255)")]
    {
        let tree = files(version);
        let found = super::find::find(&tree);
        let roots: Vec<_> = found.iter().map(|found| (found.root.as_str(), found.dialect)).collect();
        let postgres = Some(Dialect::Postgres);
        assert_eq!(roots, [("Modules/Blog/Database/Migrations", postgres), ("database/migrations", postgres)]);
        let memo = Memo::default();
        let context = Context { tree: &tree, dialect: Dialect::Postgres, limits: Limits::default(), memo: &memo };
        let history = super::history(&context, &found[1]);
        let keys: Vec<_> = history.migrations.iter().map(|migration| migration.key.as_str()).collect();
        assert_eq!(keys, ["2023_01_02_000000_a", "2024_01_02_000000_b"]);
        assert_eq!(shown(&history.migrations[0].steps), expected, "{version}");
    }
}
