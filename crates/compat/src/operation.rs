//! What a migration does to a schema, in no dialect's words.
//!
//! Readers of SQL and extractors of frameworks write these; the schema model applies them and the
//! rules judge them. Not here: reading, judging, or anything that knows a framework. A reader that
//! cannot tell says [`Operation::Unread`]; it never leaves a statement out.

use serde::{Deserialize, Serialize};

/// A name in a schema. Two names are the same if their keys are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ident {
    /// What the database compares: folded as the dialect folds it (PostgreSQL: lower case unless
    /// quoted; MySQL, SQLite, SQL Server and Oracle: always lower case).
    pub key: String,
    /// As it was written, without its quotes: code may spell it so (`nickName`).
    pub written: String,
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Ident {}
impl PartialOrd for Ident {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ident {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}
impl std::hash::Hash for Ident {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl Ident {
    /// A name that is compared as it is written.
    pub fn exact(written: impl Into<String>) -> Self {
        let written = written.into();
        Self { key: written.clone(), written }
    }

    /// A name that is compared in lower case.
    pub fn folded(written: impl Into<String>) -> Self {
        let written = written.into();
        Self { key: written.to_lowercase(), written }
    }
}

impl std::fmt::Display for Ident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

/// A table, view, type, sequence, index or routine: a name, perhaps within a schema. The dialect's
/// default schema (`public`, `dbo`, `main`) and the database's own name are left out by the reader.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema, where it is not the default one.
    pub schema: Option<Ident>,
    /// The name within it.
    pub name: Ident,
}

impl Name {
    /// A name in the default schema.
    pub fn plain(name: Ident) -> Self {
        Self { schema: None, name }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// What a reader may know or not: a default that is computed by a program is there, and unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Maybe<T> {
    /// It is this.
    Known(T),
    /// It cannot be told from the text.
    Unknown,
}

/// A column's type, in the dialect's canonical words and lower case: `varchar`, not
/// `character varying`; `integer`, not `int4` or `int`; `timestamp with time zone` is `timestamptz`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Type {
    /// The canonical name; of a type of the user's own, its name.
    pub base: String,
    /// Length, precision, scale, in their order: `numeric(10,2)` has `["10","2"]`, `varchar(max)`
    /// has `["max"]`.
    pub arguments: Vec<String>,
    /// The values of MySQL's `enum(…)` and `set(…)`, in order.
    pub values: Vec<String>,
    /// `unsigned`.
    pub unsigned: bool,
    /// An array of it.
    pub array: bool,
    /// Character set and collation, where written.
    pub collation: Option<String>,
}

impl Type {
    /// A type that has only a name.
    pub fn named(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            arguments: vec![],
            values: vec![],
            unsigned: false,
            array: false,
            collation: None,
        }
    }

    /// The same type with arguments.
    #[must_use]
    pub fn with(mut self, arguments: impl IntoIterator<Item = impl ToString>) -> Self {
        self.arguments = arguments.into_iter().map(|argument| argument.to_string()).collect();
        self
    }
}

/// What a column holds where an INSERT does not name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Filled {
    /// NULL, or nothing if the column is NOT NULL. `DEFAULT NULL` is this too.
    Nothing,
    /// The expression of its default, as written.
    Default(String),
    /// The database counts: serial, AUTO_INCREMENT, IDENTITY. `always`: a value given is refused.
    Counted {
        /// GENERATED ALWAYS AS IDENTITY, SQL Server's IDENTITY.
        always: bool,
    },
    /// Computed from other columns; a value given is refused.
    Computed(String),
    /// SQL Server's rowversion, MySQL's first TIMESTAMP without
    /// explicit_defaults_for_timestamp: the database fills it.
    Implicit,
}

/// A column as a statement defines it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type; SQLite allows none.
    pub ty: Maybe<Type>,
    /// Whether NULL is refused: NOT NULL, PRIMARY KEY, or the framework's default.
    pub not_null: Maybe<bool>,
    /// What it holds where an INSERT does not name it.
    pub filled: Maybe<Filled>,
    /// Constraints written with the column: UNIQUE, PRIMARY KEY, REFERENCES, CHECK.
    pub constraints: Vec<Constraint>,
}

impl Column {
    /// A nullable column without default.
    pub fn new(name: Ident, ty: Type) -> Self {
        Self {
            name,
            ty: Maybe::Known(ty),
            not_null: Maybe::Known(false),
            filled: Maybe::Known(Filled::Nothing),
            constraints: vec![],
        }
    }
}

/// A promise about a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Constraint {
    /// Its name, where given.
    pub name: Option<Ident>,
    /// What it promises.
    pub kind: ConstraintKind,
}

/// What a constraint promises.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConstraintKind {
    /// PRIMARY KEY of these columns.
    PrimaryKey(Vec<Ident>),
    /// UNIQUE, as a constraint or an index. Expressions are kept as `Ident::exact` of their text.
    Unique {
        /// Its columns.
        columns: Vec<Ident>,
        /// Of some rows only: which (`WHERE …`).
        partial: Option<String>,
        /// NULLS NOT DISTINCT, or a dialect where one NULL only may be there (SQL Server).
        nulls_equal: bool,
    },
    /// FOREIGN KEY.
    ForeignKey {
        /// The columns that refer.
        columns: Vec<Ident>,
        /// The table referred to.
        table: Name,
        /// The columns referred to; none: its primary key.
        to: Vec<Ident>,
        /// ON DELETE/UPDATE CASCADE or SET NULL: the database itself changes rows.
        cascades: bool,
    },
    /// CHECK.
    Check {
        /// The expression, as written.
        expression: String,
        /// The columns for which it says exactly `IS NOT NULL`.
        not_null: Vec<Ident>,
    },
    /// EXCLUDE.
    Exclude,
}

/// How a constraint comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Checked {
    /// Old rows and new ones.
    All,
    /// New rows only: NOT VALID, WITH NOCHECK. It refuses old code's writes all the same.
    NewRows,
    /// Nothing: NOT ENFORCED, DISABLE.
    Nothing,
}

/// One change of a column that is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColumnChange {
    /// Another type.
    Type(Type),
    /// SET NOT NULL.
    NotNull,
    /// DROP NOT NULL.
    Null,
    /// SET DEFAULT; `Filled::Nothing` is DROP DEFAULT.
    Filled(Filled),
    /// The whole definition anew, what it leaves out is gone: MySQL MODIFY and CHANGE, Laravel's
    /// `change()`. Constraints of the column (keys) stay.
    Restated(Column),
    /// Type and nullability anew, the default stays: SQL Server's ALTER COLUMN.
    RestatedType {
        /// The type.
        ty: Type,
        /// Whether NULL is refused; left out means it is not.
        not_null: bool,
    },
    /// DROP IDENTITY, DROP EXPRESSION: what fills it is gone.
    StopFilling,
    /// Another place among the columns: right after the one named, or first. Only code that goes by
    /// places notices.
    Placed(Option<Ident>),
    /// Statistics, storage, comment, compression: nobody's code notices.
    Neutral(String),
}

/// A view's columns, where the text says them.
pub type ViewColumns = Maybe<Vec<Ident>>;

/// A parameter of a routine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, where it has one.
    pub name: Option<Ident>,
    /// Its type, normalised text.
    pub ty: String,
    /// A caller may leave it out.
    pub optional: bool,
}

/// What a routine is called with and what it gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// In order. Unknown where the text has none that can be read.
    pub parameters: Maybe<Vec<Parameter>>,
    /// Normalised text of what it returns.
    pub returns: Option<String>,
}

/// The kinds of object that have no model of their own beyond a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A sequence.
    Sequence,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// A trigger.
    Trigger,
    /// A view.
    View,
    /// A materialised view.
    MaterializedView,
    /// A user's type: enum, composite, range.
    Type,
    /// A domain.
    Domain,
    /// An extension.
    Extension,
    /// A schema.
    Schema,
    /// A whole database.
    Database,
    /// A synonym.
    Synonym,
    /// A rule, policy.
    Policy,
    /// Anything else that code may name: aggregate, operator, cast, collation, package, event.
    Other,
}

/// What a type of the user's own is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeBody {
    /// Values in order.
    Enum(Vec<String>),
    /// Attributes.
    Composite(Vec<Column>),
    /// A domain over a type.
    Domain {
        /// What it is over.
        over: Type,
        /// Whether it refuses NULL.
        not_null: bool,
        /// Its checks, as written.
        checks: Vec<String>,
    },
    /// Range, base type, shell.
    Other,
}

/// What a statement does to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// INSERT, COPY, MERGE that inserts.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
    /// SELECT and the like that may call anything.
    Select,
}

/// What a copy puts into a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Copied {
    /// `*`: every column, each as it is.
    All,
    /// A column as it is.
    Column(Ident),
    /// A column, cast to a type of this name.
    Cast(Ident, String),
    /// An expression over these columns; none: a literal.
    Of(Vec<Ident>),
}

/// What refuses writes or hides rows that were allowed and seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restriction {
    /// ENABLE or FORCE ROW LEVEL SECURITY.
    RowSecurity,
    /// REVOKE.
    Revoke,
    /// A column becomes GENERATED ALWAYS AS IDENTITY.
    IdentityAlways,
    /// A policy, a rule.
    Policy,
    /// A trigger that is enabled, made or replaced.
    Trigger,
    /// LOCK that outlives the migration, READ ONLY.
    ReadOnly,
}

/// Why a statement could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Unread {
    /// The text is none of the dialect's; what the reader met.
    Syntax {
        /// In the reader's words.
        words: String,
    },
    /// A statement whose head no reader knows.
    UnknownStatement {
        /// Its first words.
        head: String,
    },
    /// SQL that is put together when it runs: EXECUTE format(…), a computed string.
    Dynamic,
    /// A program in the framework's language decides: RunPython, a loop over a query, a custom change.
    Code {
        /// What was met: `RunPython(forwards)`.
        what: String,
    },
    /// The framework was recognised and its reader is not written yet.
    Framework {
        /// Its id.
        framework: String,
    },
    /// Over a limit.
    Limit {
        /// Which one.
        limit: String,
        /// How much is allowed.
        allowed: u64,
    },
    /// No content: too large, a symbolic link, absent where the framework names it.
    NoContent {
        /// What was the matter.
        words: String,
    },
}

/// What one statement, or one call of a framework's language, does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum Operation {
    /// CREATE TABLE.
    CreateTable {
        /// The table.
        table: Name,
        /// Its columns; unknown for CREATE TABLE AS, LIKE and INHERITS.
        columns: Maybe<Vec<Column>>,
        /// The table's constraints. Those written with a column are with it.
        constraints: Vec<Constraint>,
        /// A temporary one: gone with the session.
        temporary: bool,
    },
    /// DROP TABLE.
    DropTable {
        /// The table.
        table: Name,
        /// CASCADE: views and keys that depend on it go too.
        cascade: bool,
    },
    /// A table, view, type, sequence, routine gets another name or schema. A swap is two of them.
    Rename {
        /// What it is; `None`: a table (MySQL and PostgreSQL say TABLE of views too).
        kind: Option<Kind>,
        /// The name so far.
        from: Name,
        /// The name from now on.
        to: Name,
    },
    /// ALTER TABLE … ADD COLUMN.
    AddColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Column,
    },
    /// ALTER TABLE … DROP COLUMN, SET UNUSED.
    DropColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Ident,
        /// CASCADE.
        cascade: bool,
    },
    /// ALTER TABLE … RENAME COLUMN. MySQL's CHANGE a b is this and an `AlterColumn`.
    RenameColumn {
        /// The table.
        table: Name,
        /// The name so far.
        from: Ident,
        /// The name from now on.
        to: Ident,
    },
    /// Changes of one column, at once.
    AlterColumn {
        /// The table.
        table: Name,
        /// The column, by the name it has then.
        column: Ident,
        /// In order.
        changes: Vec<ColumnChange>,
    },
    /// ADD CONSTRAINT, CREATE UNIQUE INDEX.
    AddConstraint {
        /// The table.
        table: Name,
        /// The constraint; a unique index's name is its name.
        constraint: Constraint,
        /// Whether old rows are looked at.
        checked: Checked,
    },
    /// DROP CONSTRAINT, DROP PRIMARY KEY, DROP FOREIGN KEY. What it was, the model knows.
    DropConstraint {
        /// The table.
        table: Name,
        /// Its name; `None` for MySQL's DROP PRIMARY KEY.
        constraint: Option<Ident>,
        /// The kind that the statement says, if it does: "primary-key", "foreign-key", "unique",
        /// "check", "default".
        said: Option<String>,
        /// CASCADE.
        cascade: bool,
    },
    /// VALIDATE CONSTRAINT.
    ValidateConstraint {
        /// The table.
        table: Name,
        /// Its name.
        constraint: Ident,
    },
    /// CREATE INDEX, not unique.
    CreateIndex {
        /// Its name, where given.
        name: Option<Name>,
        /// The table.
        table: Name,
        /// Its columns.
        columns: Vec<Ident>,
    },
    /// DROP INDEX: perhaps a unique one; the model knows.
    DropIndex {
        /// Its name.
        name: Name,
        /// The table, where the dialect says it.
        table: Option<Name>,
    },
    /// ALTER INDEX … RENAME, RENAME INDEX, RENAME CONSTRAINT: an index or a constraint gets another
    /// name.
    RenameIndex {
        /// The table, where the dialect says it.
        table: Option<Name>,
        /// The name so far.
        from: Ident,
        /// The name from now on.
        to: Ident,
    },
    /// CREATE VIEW, CREATE OR REPLACE VIEW, ALTER VIEW … AS.
    CreateView {
        /// The view.
        view: Name,
        /// Its columns, where they can be told.
        columns: ViewColumns,
        /// What it may replace.
        replace: bool,
        /// A materialised one.
        materialized: bool,
        /// `SELECT … FROM one table` without more: an updatable view.
        simple_over: Option<Name>,
    },
    /// CREATE FUNCTION, PROCEDURE, also OR REPLACE and ALTER … AS.
    CreateRoutine {
        /// Function or procedure.
        kind: Kind,
        /// The routine.
        routine: Name,
        /// How it is called.
        signature: Signature,
        /// What it may replace.
        replace: bool,
    },
    /// CREATE TYPE, CREATE DOMAIN.
    CreateType {
        /// The type.
        name: Name,
        /// What it is.
        body: TypeBody,
    },
    /// ALTER TYPE … ADD VALUE.
    AddEnumValue {
        /// The type.
        name: Name,
        /// The value.
        value: String,
    },
    /// ALTER TYPE … RENAME VALUE.
    RenameEnumValue {
        /// The type.
        name: Name,
        /// The value so far.
        from: String,
        /// The value from now on.
        to: String,
    },
    /// DROP ATTRIBUTE, RENAME ATTRIBUTE, ALTER DOMAIN … ADD CONSTRAINT and other changes of a type
    /// that take something away or ask for more.
    NarrowType {
        /// The type.
        name: Name,
        /// What is done, in a few words.
        what: String,
    },
    /// An object without a model: sequence, trigger, extension, schema, synonym.
    Create {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: Name,
        /// The table that it belongs to: of a trigger, a policy.
        table: Option<Name>,
    },
    /// DROP of anything but a table, a column, an index or a constraint.
    Drop {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: Name,
        /// The table that it belongs to.
        table: Option<Name>,
        /// CASCADE.
        cascade: bool,
    },
    /// Something old code did may be refused from now on.
    Restrict {
        /// How.
        restriction: Restriction,
        /// Whose rows, where it is said.
        table: Option<Name>,
    },
    /// Rows change.
    Data {
        /// How.
        data: Data,
        /// The table, where it is said.
        table: Option<Name>,
        /// No WHERE: every row.
        every_row: bool,
    },
    /// Rows of one table go into another: INSERT … SELECT, CREATE TABLE … AS SELECT.
    CopyRows {
        /// The table that takes them.
        table: Name,
        /// The table that has them.
        from: Name,
        /// The columns that are filled; none: those of the table, in its order.
        columns: Vec<Ident>,
        /// What fills them, in the same order.
        values: Vec<Copied>,
        /// No row is left out.
        every_row: bool,
    },
    /// Code cannot notice: SET, COMMENT, GRANT, ANALYZE, BEGIN, PRAGMA, ownership, statistics.
    Neutral {
        /// The statement's head.
        what: String,
    },
    /// A change whose effect the reader knows to be worth a look, without a rule of its own:
    /// ALTER SEQUENCE RESTART, ALTER ROLE, replica identity, a partition detached.
    Review {
        /// What it is, as a noun phrase: `a partition is detached`.
        what: String,
        /// The table, where one is meant.
        table: Option<Name>,
    },
    /// It could not be read. Never compatible.
    Unread(Unread),
}

/// One operation at its place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub operation: Operation,
    /// The line in the migration's file, from 1, on which the operation's own words begin (in a
    /// long ALTER TABLE, the action's line).
    pub line: u32,
    /// The operation's own text, on one line, at most 200 characters: for people.
    pub text: String,
    /// `IF EXISTS` / `IF NOT EXISTS`: it may do nothing.
    pub guarded: bool,
    /// It runs on a condition that the text does not decide (`unless column_exists?`, an `if` of
    /// the language, `preConditions`): both outcomes must be reckoned with.
    pub conditional: bool,
    /// The whole text of what the database keeps and runs later (view, routine, trigger, policy), in
    /// one way of writing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Step {
    /// An operation that is certain to run.
    pub fn new(operation: Operation, line: u32, text: &str) -> Self {
        Self { operation, line, text: one_line(text), guarded: false, conditional: false, body: None }
    }
}

impl Operation {
    /// Whether the database keeps the statement's text and runs it later.
    pub(crate) fn keeps_text(&self) -> bool {
        matches!(
            self,
            Self::CreateView { .. }
                | Self::CreateRoutine { .. }
                | Self::Create { kind: Kind::Trigger | Kind::Policy | Kind::Synonym, .. }
        )
    }
}

/// The longest text of a step, in characters.
const TEXT_LIMIT: usize = 200;

/// The text with its white space folded, cut to what a step keeps.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(TEXT_LIMIT));
    let mut letters = 0;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
            letters += 1;
        }
        line.push_str(word);
        letters += word.chars().count();
        if letters > TEXT_LIMIT {
            return line.chars().take(TEXT_LIMIT - 1).chain(['…']).collect();
        }
    }
    line
}
