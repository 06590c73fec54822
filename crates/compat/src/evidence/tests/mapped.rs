//! Trees of object mappers: the name is absent and the drop still breaks, and where it is safe.

use super::{all_of, ask, column, table};
use crate::Grade;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn rails_caches_columns_until_they_are_ignored() {
    let model = "class User < ApplicationRecord\nend\n";
    let ignoring = "class User < ApplicationRecord\n  self.ignored_columns += %w[nick_name]\nend\n";
    all_of(&[
        ("absent, and cached", &[("app/models/user.rb", model)], Grade::E3),
        ("ignored", &[("app/models/user.rb", ignoring)], Grade::E1),
        (
            "ignored by GitLab's list",
            &[(
                "app/models/user.rb",
                "class User < ApplicationRecord\n  ignore_column :nick_name, remove_with: '1', remove_after: '2'\nend\n",
            )],
            Grade::E1,
        ),
        (
            "another column ignored",
            &[("app/models/user.rb", "class User < ApplicationRecord\n  self.ignored_columns += %w[nick]\nend\n")],
            Grade::E3,
        ),
        (
            "ignored by another model",
            &[
                ("app/models/user.rb", model),
                (
                    "app/models/pet.rb",
                    "class Pet < ApplicationRecord\n  self.ignored_columns += %w[nick_name]\nend\n",
                ),
            ],
            Grade::E3,
        ),
        (
            "ignored by the base",
            &[
                ("app/models/user.rb", "class User < Base\nend\n"),
                (
                    "app/models/base.rb",
                    "class Base < ApplicationRecord\n  self.abstract_class = true\n  self.ignored_columns = [:nick_name]\nend\n",
                ),
            ],
            Grade::E1,
        ),
        (
            "ignored by a concern",
            &[
                ("app/models/user.rb", "class User < ApplicationRecord\n  include Old\nend\n"),
                (
                    "app/models/concerns/old.rb",
                    "module Old\n  extend ActiveSupport::Concern\n  included do\n    self.ignored_columns += ['nick_name']\n  end\nend\n",
                ),
            ],
            Grade::E1,
        ),
        (
            "the model has another name",
            &[("app/models/person.rb", "class Person < ApplicationRecord\n  self.table_name = 'users'\nend\n")],
            Grade::E3,
        ),
        (
            "ignored, another table has it",
            &[
                ("app/models/user.rb", ignoring),
                ("app/models/pet.rb", "class Pet < ApplicationRecord\n  validates :nick_name\nend\n"),
            ],
            Grade::E1,
        ),
        (
            "ignored, SQL names it",
            &[("app/models/user.rb", ignoring), ("app/a.rb", "execute(\"SELECT nick_name FROM users\")\n")],
            Grade::E3,
        ),
        (
            "ignored, a condition names it",
            &[("app/models/user.rb", ignoring), ("app/a.rb", "User.where(nick_name: 1)\n")],
            Grade::E2,
        ),
        (
            "ignored, named far from the class",
            &[("app/models/user.rb", ignoring), ("app/a.rb", "User.first\n\n\n\n\n\npet.where(nick_name: 1)\n")],
            Grade::E1,
        ),
        (
            "ignored, named in its own file",
            &[(
                "app/models/user.rb",
                "class User < ApplicationRecord\n  self.ignored_columns = [:nick_name]\n\n\n\n\n  scope :x, -> { where(nick_name: 1) }\nend\n",
            )],
            Grade::E2,
        ),
        ("a table without a model", &[("app/models/pet.rb", "class Pet < ApplicationRecord\nend\n")], Grade::E0),
        ("a class that is no record", &[("app/user.rb", "class User < Struct\nend\n")], Grade::E0),
        (
            "commented out",
            &[(
                "app/models/user.rb",
                "class User < ApplicationRecord\n  # self.ignored_columns += %w[nick_name]\nend\n",
            )],
            Grade::E3,
        ),
    ]);
}

#[test]
fn django_names_what_the_model_declares() {
    let asked = || column("shop_user", "nick_name");
    let with = |files: &[(&str, &str)]| ask(files, asked()).grade;
    let gone = "class User(models.Model):\n    age = models.IntegerField()\n";
    let declared = "class User(models.Model):\n    nick_name = models.CharField()\n";
    assert_eq!(with(&[("shop/models.py", declared)]), Grade::E3);
    assert_eq!(with(&[("shop/models.py", gone)]), Grade::E0);
    let other = format!("{gone}\nclass Pet(models.Model):\n    nick_name = models.CharField()\n");
    assert_eq!(with(&[("shop/models.py", &other)]), Grade::E1);
    let base = "class Base(models.Model):\n    nick_name = models.CharField()\n    class Meta:\n        abstract = True\nclass User(Base):\n    pass\n";
    assert_eq!(with(&[("shop/models.py", base)]), Grade::E3);
    let unseen = "class User(SomeMixin, models.Model):\n    age = models.IntegerField()\n";
    assert_eq!(with(&[("shop/models.py", unseen), ("shop/views.py", "x.nick_name\n")]), Grade::E2);
    let deprecated = "class User(models.Model):\n    nick_name = deprecate_field(models.CharField(null=True))\n";
    assert_eq!(with(&[("shop/models.py", deprecated)]), Grade::E1);
    assert_eq!(
        with(&[("shop/models.py", gone), ("shop/q.py", "c.execute('SELECT nick_name FROM shop_user')\n")]),
        Grade::E3
    );
    let interface =
        ("api/shop/types.py", "class User(ContextType[models.User]):\n    nick_name = PermissionsField()\n");
    assert_eq!(with(&[("shop/models.py", gone), interface]), Grade::E1);
    let key = "class User(models.Model):\n    team = models.ForeignKey(Team)\n";
    assert_eq!(ask(&[("shop/models.py", key)], column("shop_user", "team_id")).grade, Grade::E3);
    assert_eq!(ask(&[("shop/models.py", gone)], column("shop_user", "team_id")).grade, Grade::E0);
    assert_eq!(ask(&[("shop/models.py", gone)], table("shop_user")).grade, Grade::E3);
    assert_eq!(ask(&[("shop/models.py", gone)], table("shop_pet")).grade, Grade::E0);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn declared_columns_are_named_whether_or_not_code_names_them() {
    all_of(&[
        (
            "Prisma",
            &[(
                "prisma/schema.prisma",
                "model User {\n  id Int @id\n  nick String? @map(\"nick_name\")\n  @@map(\"users\")\n}\n",
            )],
            Grade::E3,
        ),
        (
            "Prisma, ignored",
            &[(
                "prisma/schema.prisma",
                "model User {\n  id Int @id\n  nick_name String? @ignore\n  @@map(\"users\")\n}\n",
            )],
            Grade::E1,
        ),
        (
            "Prisma, gone",
            &[("prisma/schema.prisma", "model User {\n  id Int @id\n  @@map(\"users\")\n}\n")],
            Grade::E0,
        ),
        (
            "Prisma, another model has it",
            &[
                (
                    "prisma/schema.prisma",
                    "model User {\n  id Int @id\n  @@map(\"users\")\n}\nmodel Pet {\n  nick_name String\n}\n",
                ),
                ("src/a.ts", "pet.nick_name; user.id\n"),
            ],
            Grade::E1,
        ),
        (
            "Drizzle",
            &[(
                "src/schema.ts",
                "import { pgTable } from 'drizzle-orm/pg-core'\nexport const users = pgTable('users', { id: serial('id'), nick: text('nick_name') })\n",
            )],
            Grade::E3,
        ),
        (
            "Drizzle, gone",
            &[(
                "src/schema.ts",
                "import { pgTable } from 'drizzle-orm/pg-core'\nexport const users = pgTable('users', { id: serial('id') })\n",
            )],
            Grade::E0,
        ),
        (
            "TypeORM",
            &[("src/user.ts", "@Entity('users')\nexport class User {\n  @Column()\n  nickName: string\n}\n")],
            Grade::E3,
        ),
        (
            "TypeORM, gone",
            &[("src/user.ts", "@Entity('users')\nexport class User {\n  @Column()\n  age: number\n}\n")],
            Grade::E0,
        ),
        (
            "Sequelize",
            &[(
                "src/user.js",
                "const { Sequelize } = require('sequelize')\nmodule.exports = sequelize.define('User', { nick: { type: S, field: 'nick_name' } })\n",
            )],
            Grade::E3,
        ),
        (
            "Sequelize, gone",
            &[(
                "src/user.js",
                "const { Sequelize } = require('sequelize')\nmodule.exports = sequelize.define('User', { age: S })\n",
            )],
            Grade::E0,
        ),
        (
            "JPA",
            &[("src/User.java", "@Entity @Table(name = \"users\")\nclass User {\n  private String nickName;\n}\n")],
            Grade::E3,
        ),
        (
            "JPA, transient",
            &[(
                "src/User.java",
                "@Entity @Table(name = \"users\")\nclass User {\n  @Transient\n  private String nickName;\n}\n",
            )],
            Grade::E1,
        ),
        (
            "JPA, gone",
            &[("src/User.java", "@Entity @Table(name = \"users\")\nclass User {\n  private int age;\n}\n")],
            Grade::E0,
        ),
        (
            "JPA, of the base",
            &[
                ("src/User.java", "@Entity class User extends Base {\n}\n"),
                ("src/Base.java", "@MappedSuperclass class Base {\n  String nickName;\n}\n"),
            ],
            Grade::E3,
        ),
        ("EF Core", &[("src/User.cs", "public class User { public string NickName { get; set; } }\n")], Grade::E3),
        (
            "EF Core, not mapped",
            &[("src/User.cs", "public class User {\n [NotMapped] public string NickName { get; set; } }\n")],
            Grade::E1,
        ),
        (
            "EF Core, ignored",
            &[
                ("src/User.cs", "public class User {\n public string NickName { get; set; } }\n"),
                ("src/C.cs", "b.Entity<User>().ToTable(\"users\").Ignore(u => u.NickName);\n"),
            ],
            Grade::E1,
        ),
        ("EF Core, gone", &[("src/User.cs", "public class User { public int Age { get; set; } }\n")], Grade::E0),
        (
            "EF Core, in the snapshot",
            &[
                ("src/User.cs", "public class User { public int Age { get; set; } }\n"),
                ("src/Migrations/CModelSnapshot.cs", "b.Property<string>(\"NickName\"); users\n"),
            ],
            Grade::E0,
        ),
        (
            "Doctrine",
            &[(
                "src/User.php",
                "<?php #[ORM\\Entity] #[ORM\\Table(name: 'users')] class User {\n #[ORM\\Column] private $nickName;\n}\n",
            )],
            Grade::E3,
        ),
        (
            "Doctrine, gone",
            &[(
                "src/User.php",
                "<?php #[ORM\\Entity] #[ORM\\Table(name: 'users')] class User {\n #[ORM\\Column] private $age;\n}\n",
            )],
            Grade::E0,
        ),
        (
            "Doctrine, of a trait",
            &[
                ("src/User.php", "<?php #[ORM\\Entity] class User {\n use Nick;\n}\n"),
                ("src/Nick.php", "<?php trait Nick {\n #[ORM\\Column] private $nickName;\n}\n"),
            ],
            Grade::E3,
        ),
        ("Diesel", &[("src/schema.rs", "table! { users (id) { id -> Int4, nick_name -> Text, } }\n")], Grade::E3),
        (
            "Diesel, gone",
            &[(
                "src/schema.rs",
                "table! { users (id) { id -> Int4, } }\ntable! { pets (id) { id -> Int4, nick_name -> Text, } }\n",
            )],
            Grade::E1,
        ),
        (
            "SQLAlchemy",
            &[(
                "a/m.py",
                "class User(Base):\n    __tablename__ = 'users'\n    nick = Column('nick_name', String)\n",
            )],
            Grade::E3,
        ),
        (
            "SQLAlchemy, gone",
            &[("a/m.py", "class User(Base):\n    __tablename__ = 'users'\n    age = Column(Integer)\n")],
            Grade::E0,
        ),
        (
            "GORM",
            &[("a.go", "import \"gorm.io/gorm\"\ntype User struct {\n\tgorm.Model\n\tNickName string\n}\n")],
            Grade::E3,
        ),
        (
            "GORM, gone",
            &[("a.go", "import \"gorm.io/gorm\"\ntype User struct {\n\tgorm.Model\n\tAge int\n}\n")],
            Grade::E0,
        ),
        (
            "GORM, gone, a condition names it",
            &[(
                "a.go",
                "import \"gorm.io/gorm\"\ntype User struct {\n\tgorm.Model\n\tAge int\n}\nfunc f() { db.Model(&User{}).Where(\"nick_name = ?\", 1) }\n",
            )],
            Grade::E2,
        ),
        (
            "Ecto",
            &[(
                "lib/user.ex",
                "defmodule A.User do\n  schema \"users\" do\n    field :nick_name, :string\n  end\nend\n",
            )],
            Grade::E3,
        ),
        (
            "Ecto, gone",
            &[("lib/user.ex", "defmodule A.User do\n  schema \"users\" do\n    field :age, :string\n  end\nend\n")],
            Grade::E0,
        ),
        (
            "jOOQ",
            &[(
                "src/Users.java",
                "// This class is generated by jOOQ.\nclass Users extends TableImpl<R> {\n F f = createField(DSL.name(\"nick_name\"), X);\n Users() { this(DSL.name(\"users\"), null); }\n}\n",
            )],
            Grade::E3,
        ),
        (
            "Laravel, gone",
            &[("app/Models/User.php", "<?php class User extends Model { protected $fillable = ['age']; }\n")],
            Grade::E0,
        ),
        (
            "Laravel",
            &[("app/Models/User.php", "<?php class User extends Model { protected $fillable = ['nick_name']; }\n")],
            Grade::E3,
        ),
    ]);
}

#[test]
fn a_table_between_two_is_used_without_a_model() {
    for (path, text, name) in [
        (
            "app/models/post.rb",
            "class Post < ApplicationRecord\n  has_and_belongs_to_many :tags\nend\n",
            "posts_tags",
        ),
        ("blog/models.py", "class Post(models.Model):\n    tags = models.ManyToManyField(Tag)\n", "blog_post_tags"),
        (
            "app/Models/Post.php",
            "<?php class Post extends Model {\n function tags() { return $this->belongsToMany(Tag::class); } }\n",
            "post_tag",
        ),
    ] {
        let found = ask(&[(path, text)], table(name));
        assert_eq!(found.grade, Grade::E3, "{found:#?}");
        assert_eq!(ask(&[(path, text)], table("post_word")).grade, Grade::E0, "{name}");
    }
}

#[test]
fn a_table_with_a_model_joins_nothing() {
    let found = ask(
        &[(
            "shop/models.py",
            "class Item(models.Model):\n    age = models.IntegerField()\nclass Sale(models.Model):\n    items = models.ManyToManyField(Item)\n",
        )],
        column("shop_item", "nick_name"),
    );
    assert_eq!(found.grade, Grade::E0, "{found:#?}");
}

#[test]
fn eloquent_fills_some_columns_by_itself() {
    let model = [("app/Models/User.php", "<?php class User extends Authenticatable { use SoftDeletes; }\n")];
    for name in ["updated_at", "deleted_at", "remember_token"] {
        assert_eq!(ask(&model, column("users", name)).grade, Grade::E3, "{name}");
    }
    assert_eq!(ask(&model, column("users", "team_key")).grade, Grade::E0);
}
