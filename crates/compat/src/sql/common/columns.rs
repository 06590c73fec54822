//! A column as CREATE TABLE, ADD, MODIFY and CHANGE write it.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read, unquoted};
use super::super::lex::Kind;
use super::constraints::{check, key_columns, keys_tail, references, state};
use super::types::{collation, ty};
use crate::operation::{Column, Constraint, ConstraintKind, Filled, Ident, Maybe, Type};

/// What a definition is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// CREATE TABLE, ADD.
    New,
    /// MODIFY, CHANGE.
    Restated,
}

/// Words that begin an attribute: a type or a default ends before them.
const ATTRIBUTES: &[&str] = &[
    "NOT",
    "NULL",
    "DEFAULT",
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "CHECK",
    "REFERENCES",
    "COLLATE",
    "CHARACTER",
    "CHARSET",
    "COMMENT",
    "AUTO_INCREMENT",
    "AUTOINCREMENT",
    "IDENTITY",
    "GENERATED",
    "AS",
    "ON",
    "FIRST",
    "AFTER",
    "VISIBLE",
    "INVISIBLE",
    "COLUMN_FORMAT",
    "STORAGE",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "SPARSE",
    "ROWGUIDCOL",
    "ENABLE",
    "DISABLE",
    "DEFERRABLE",
    "INITIALLY",
    "VIRTUAL",
    "STORED",
    "PERSISTED",
    "PERSISTENT",
    "HIDDEN",
    "MASKED",
    "WITH",
    "WITHOUT",
    "ENCRYPT",
    "SRID",
    "REF_SYSTEM_ID",
    "COMPRESSED",
    "SORT",
    "FOREIGN",
    "ENFORCED",
    "RELY",
    "NORELY",
    "VALIDATE",
    "NOVALIDATE",
    "FOR",
];

/// Whether an attribute begins here.
pub fn is_attribute(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(ATTRIBUTES)
}

/// The column that a cursor holds, to its end.
pub fn column(cursor: &mut Cursor<'_>, part: Part) -> Read<Column> {
    let name = cursor.ident()?;
    definition(cursor, name, part)
}

/// The rest of a column after its name.
pub fn definition(cursor: &mut Cursor<'_>, name: Ident, part: Part) -> Read<Column> {
    let mut reader = Reader::new(name);
    if !cursor.done() && !is_attribute(cursor) {
        if cursor.mysql() && cursor.eat(&["SERIAL"]) {
            reader.serial();
        } else {
            reader.ty = Maybe::Known(ty(cursor)?);
        }
    }
    while !cursor.done() {
        if !reader.attribute(cursor)? && !reader.bystander(cursor)? {
            return Err(cursor.surprise("an attribute of a column"));
        }
    }
    Ok(reader.finish(cursor, part))
}

/// What is known of a column so far.
struct Reader {
    name: Ident,
    ty: Maybe<Type>,
    not_null: bool,
    filled: Filled,
    primary: bool,
    constraints: Vec<Constraint>,
    /// The name after CONSTRAINT, for what follows it.
    label: Option<Ident>,
}

impl Reader {
    fn new(name: Ident) -> Self {
        Self {
            name,
            ty: Maybe::Unknown,
            not_null: false,
            filled: Filled::Nothing,
            primary: false,
            constraints: vec![],
            label: None,
        }
    }

    /// MySQL's SERIAL: BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE.
    fn serial(&mut self) {
        let mut ty = Type::named("bigint");
        ty.unsigned = true;
        self.ty = Maybe::Known(ty);
        self.not_null = true;
        self.filled = Filled::Counted { always: false };
        self.unique();
    }

    fn constrain(&mut self, kind: ConstraintKind) {
        let name = self.label.take();
        self.constraints.push(Constraint { name, kind });
    }

    fn unique(&mut self) {
        let columns = vec![self.name.clone()];
        self.constrain(ConstraintKind::Unique { columns, partial: None, nulls_equal: false });
    }

    /// An attribute that says something of what may be written.
    fn attribute(&mut self, cursor: &mut Cursor<'_>) -> Read<bool> {
        if cursor.eat(&["NOT", "NULL"]) {
            self.not_null = true;
            conflict(cursor);
        } else if cursor.eat(&["NULL"]) {
            conflict(cursor);
        } else if cursor.eat(&["DEFAULT"]) {
            self.label = None;
            self.default(cursor);
        } else if cursor.eat(&["CONSTRAINT"]) {
            self.label = if is_attribute(cursor) { None } else { Some(cursor.ident()?) };
        } else if cursor.eat(&["PRIMARY", "KEY"]) || cursor.mysql() && cursor.eat(&["KEY"]) {
            self.primary = true;
            let descending = cursor.is(&["DESC"]);
            let columns = self.keyed(cursor)?;
            self.constrain(ConstraintKind::PrimaryKey(columns));
            self.rowid(cursor, descending);
        } else if cursor.eat(&["UNIQUE"]) {
            cursor.eat(&["KEY"]);
            let columns = self.keyed(cursor)?;
            self.constrain(ConstraintKind::Unique { columns, partial: None, nulls_equal: false });
            if cursor.dialect() == Dialect::MsSql {
                self.nulls_equal();
            }
        } else if cursor.is(&["REFERENCES"]) || cursor.eat(&["FOREIGN", "KEY"]) {
            let columns = self.keyed(cursor)?;
            let kind = references(cursor, columns)?;
            let enforced = state(cursor);
            if enforced != crate::operation::Checked::Nothing {
                self.constrain(kind);
            }
        } else if cursor.is(&["CHECK"]) {
            let kind = check(cursor)?;
            if state(cursor) == crate::operation::Checked::Nothing {
                self.label = None;
            } else {
                self.constrain(kind);
            }
        } else {
            return self.filling(cursor);
        }
        Ok(true)
    }

    /// The columns of a key that is written with a column. SQL Server takes a list there too: the
    /// comma before a table's constraint may be missing.
    fn keyed(&self, cursor: &mut Cursor<'_>) -> Read<Vec<Ident>> {
        keys_tail(cursor)?;
        if cursor.dialect() != Dialect::MsSql || !cursor.is_mark(b'(') {
            return Ok(vec![self.name.clone()]);
        }
        let columns = key_columns(&cursor.group()?);
        keys_tail(cursor)?;
        Ok(columns)
    }

    fn nulls_equal(&mut self) {
        if let Some(Constraint { kind: ConstraintKind::Unique { nulls_equal, .. }, .. }) =
            self.constraints.last_mut()
        {
            *nulls_equal = true;
        }
    }

    /// SQLite's INTEGER PRIMARY KEY is the rowid and fills itself.
    fn rowid(&mut self, cursor: &Cursor<'_>, descending: bool) {
        let integer = matches!(&self.ty, Maybe::Known(ty) if ty.base == "integer");
        if cursor.dialect() == Dialect::Sqlite && integer && !descending {
            self.filled = Filled::Counted { always: false };
        }
    }

    /// An attribute that fills the column.
    fn filling(&mut self, cursor: &mut Cursor<'_>) -> Read<bool> {
        if cursor.eat_any(&["AUTO_INCREMENT", "AUTOINCREMENT"]) {
            self.filled = Filled::Counted { always: false };
            if cursor.mysql() {
                self.not_null = true;
            }
        } else if cursor.eat(&["IDENTITY"]) {
            if cursor.is_mark(b'(') {
                cursor.group()?;
            }
            self.filled = Filled::Counted { always: true };
            self.not_null = true;
            cursor.eat(&["NOT", "FOR", "REPLICATION"]);
        } else if cursor.is(&["GENERATED"]) || cursor.is(&["AS"]) {
            return self.generated(cursor);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn generated(&mut self, cursor: &mut Cursor<'_>) -> Read<bool> {
        cursor.eat(&["GENERATED"]);
        let by_default = cursor.eat(&["BY", "DEFAULT"]);
        if by_default {
            cursor.eat(&["ON", "NULL"]);
        }
        cursor.eat(&["ALWAYS"]);
        if !cursor.eat(&["AS"]) {
            return Err(cursor.surprise("AS"));
        }
        if cursor.eat(&["IDENTITY"]) {
            if cursor.is_mark(b'(') {
                cursor.group()?;
            }
            self.not_null = true;
            self.filled = Filled::Counted { always: !by_default };
        } else if cursor.eat(&["ROW"]) || cursor.eat_any(&["TRANSACTION_ID", "SEQUENCE_NUMBER"]) {
            cursor.eat_any(&["START", "END"]);
            self.filled = Filled::Computed("the row's period".to_owned());
        } else {
            let from = cursor.at();
            cursor.pass();
            while !cursor.done() && !is_attribute(cursor) {
                cursor.pass();
            }
            self.filled = Filled::Computed(cursor.since(from).to_owned());
        }
        cursor.eat_any(&["VIRTUAL", "STORED", "PERSISTED", "PERSISTENT"]);
        Ok(true)
    }

    fn default(&mut self, cursor: &mut Cursor<'_>) {
        if cursor.eat(&["ON", "NULL"]) {
            self.not_null = true;
            cursor.eat(&["FOR", "INSERT", "ONLY"]);
        }
        self.filled = default(cursor);
    }

    /// An attribute that nobody's code notices.
    fn bystander(&mut self, cursor: &mut Cursor<'_>) -> Read<bool> {
        if cursor.eat(&["COMMENT"]) {
            cursor.eat_mark(b'=');
            while matches!(cursor.kind(), Some(Kind::Text | Kind::Double)) {
                cursor.skip(1);
            }
        } else if cursor.eat(&["COLLATE"]) || cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHARSET"]) {
            let mut unknown = Type::named("");
            let ty = if let Maybe::Known(ty) = &mut self.ty { ty } else { &mut unknown };
            collation(cursor, ty)?;
        } else if cursor.is(&["ON", "UPDATE"]) {
            let from = cursor.at();
            cursor.skip(2);
            cursor.pass();
            if cursor.is_mark(b'(') {
                cursor.group()?;
            }
            if let Filled::Default(text) = &mut self.filled {
                *text = format!("{text} {}", cursor.since(from));
            }
        } else if cursor.eat(&["AFTER"]) {
            cursor.ident()?;
        } else if cursor.eat_any(&["COLUMN_FORMAT", "STORAGE", "SRID", "REF_SYSTEM_ID"])
            || cursor.eat_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"])
        {
            cursor.eat_mark(b'=');
            cursor.pass();
        } else if cursor.eat(&["MASKED", "WITH"]) || cursor.eat(&["ENCRYPTED", "WITH"]) {
            cursor.group()?;
        } else {
            return Ok(cursor.eat(&["WITH", "SYSTEM", "VERSIONING"])
                || cursor.eat(&["WITHOUT", "SYSTEM", "VERSIONING"])
                || cursor.eat(&["WITH", "VALUES"])
                || cursor.eat(&["NOT", "DEFERRABLE"])
                || cursor.eat(&["INITIALLY", "DEFERRED"])
                || cursor.eat(&["INITIALLY", "IMMEDIATE"])
                || cursor.eat(&["NOT", "FOR", "REPLICATION"])
                || cursor.eat_any(&[
                    "FIRST",
                    "VISIBLE",
                    "INVISIBLE",
                    "SPARSE",
                    "ROWGUIDCOL",
                    "ENABLE",
                    "DISABLE",
                ])
                || cursor.eat_any(&[
                    "DEFERRABLE",
                    "HIDDEN",
                    "ENCRYPT",
                    "COMPRESSED",
                    "SORT",
                    "VIRTUAL",
                    "STORED",
                ])
                || cursor.eat_any(&["PERSISTED", "PERSISTENT", "RELY", "NORELY", "VALIDATE", "NOVALIDATE"]));
        }
        Ok(true)
    }

    fn finish(mut self, cursor: &Cursor<'_>, part: Part) -> Column {
        let base = match &self.ty {
            Maybe::Known(ty) => ty.base.as_str(),
            Maybe::Unknown => "",
        };
        let unfilled = self.filled == Filled::Nothing;
        let mysql = cursor.mysql() && self.not_null && unfilled;
        // In strict mode too an ENUM that is left out holds its first value.
        let by_database = mysql && base == "enum" || cursor.dialect() == Dialect::MsSql && base == "rowversion";
        // Whether a new TIMESTAMP that is NOT NULL fills itself is the server's setting, and no text
        // says it: explicit_defaults_for_timestamp, off before MySQL 8 and MariaDB 10.10. What MODIFY
        // leaves out is gone with both.
        let setting = mysql && base == "timestamp" && part == Part::New;
        let filled = match self.filled {
            _ if setting => Maybe::Unknown,
            Filled::Nothing if by_database => Maybe::Known(Filled::Implicit),
            filled => Maybe::Known(filled),
        };
        if cursor.mysql() {
            name_after(&mut self.constraints, &self.name);
        }
        Column {
            not_null: Maybe::Known(self.not_null || self.primary),
            name: self.name,
            ty: self.ty,
            filled,
            constraints: self.constraints,
        }
    }
}

/// MySQL names a unique index after its first column.
fn name_after(constraints: &mut [Constraint], column: &Ident) {
    for constraint in constraints {
        if constraint.name.is_none() && matches!(constraint.kind, ConstraintKind::Unique { .. }) {
            constraint.name = Some(column.clone());
        }
    }
}

/// SQLite's `ON CONFLICT …`.
fn conflict(cursor: &mut Cursor<'_>) {
    if cursor.eat(&["ON", "CONFLICT"]) {
        cursor.skip(1);
    }
}

/// The expression after DEFAULT.
pub fn default(cursor: &mut Cursor<'_>) -> Filled {
    let from = cursor.at();
    cursor.pass();
    while !cursor.done() && !is_attribute(cursor) {
        cursor.pass();
    }
    let text = cursor.since(from).trim();
    let mut bare = text;
    while let Some(inside) = bare.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        bare = inside.trim();
    }
    // In Oracle an empty string is NULL.
    let empty = cursor.dialect() == Dialect::Oracle && bare.starts_with('\'') && unquoted(bare).is_empty();
    if bare.eq_ignore_ascii_case("null") || empty { Filled::Nothing } else { Filled::Default(text.to_owned()) }
}
