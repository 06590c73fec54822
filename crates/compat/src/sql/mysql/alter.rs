//! ALTER, foremost ALTER TABLE with its many actions.

use super::super::common::columns::{Part, column, default, definition};
use super::super::common::tables::{add, drop_constraint};
use super::super::common::{end, neutral, objects, review};
use super::super::cursor::{Cursor, Read};
use super::create::head;
use crate::operation::{Checked, Column, ColumnChange, Filled, Ident, Name, Operation, Restriction};

/// A statement that begins with ALTER.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    head(&mut cursor);
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, true, false, whole);
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let read_only = cursor.find(&["READ"]).is_some();
        if read_only {
            whole.keep(Operation::Restrict { restriction: Restriction::ReadOnly, table: None });
            return Ok(());
        }
        return neutral(whole, 2);
    }
    if cursor.eat(&["EVENT"]) {
        return review(whole, "an event is changed", None);
    }
    if cursor.eat(&["SEQUENCE"]) {
        return review(whole, "a sequence is changed", None);
    }
    if cursor.is_any(&["FUNCTION", "PROCEDURE", "INSTANCE"]) {
        return neutral(whole, 2);
    }
    if cursor.is_any(&["USER", "ROLE", "SERVER", "LOGFILE", "TABLESPACE", "UNDO", "RESOURCE"]) {
        return review(whole, "something of the server is changed", None);
    }
    while cursor.eat_any(&["ONLINE", "OFFLINE", "IGNORE"]) {}
    if !cursor.eat(&["TABLE"]) {
        return Err(whole.unknown());
    }
    table(cursor, whole)
}

fn table(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_exists();
    let table = cursor.name()?;
    if cursor.eat(&["WAIT"]) {
        cursor.skip(1);
    }
    cursor.eat(&["NOWAIT"]);
    if cursor.done() {
        return neutral(whole, 2);
    }
    let mut renamed = None;
    for part in cursor.commas() {
        let mut action = Action { table: &table, guarded, renamed: &mut renamed };
        let before = part.source.count();
        match action.read(part, whole) {
            // Names after `DROP PARTITION a,` and `ORDER BY a,` are commas of that one action.
            Ok(More::No) => {}
            Ok(More::Rest) => break,
            Err(unread) => {
                part.keep(Operation::Unread(unread));
                continue;
            }
        }
        if part.source.count() == before && renamed.is_none() {
            part.keep(Operation::Unread(part.unknown()));
        }
    }
    // The new name holds after everything else that the statement does.
    if let Some((place, to)) = renamed {
        place.step(Operation::Rename { kind: None, from: table, to }).guarded(guarded).keep();
    }
    Ok(())
}

/// Whether the statement's other commas are this action's.
enum More {
    No,
    Rest,
}

struct Action<'r, 'a> {
    table: &'r Name,
    guarded: bool,
    renamed: &'r mut Option<(Cursor<'a>, Name)>,
}

impl<'a> Action<'_, 'a> {
    fn keep(&self, place: Cursor<'a>, operation: Operation, guarded: bool) {
        place.step(operation).guarded(self.guarded || guarded).keep();
    }

    fn read(&mut self, place: Cursor<'a>, whole: Cursor<'a>) -> Read<More> {
        let mut cursor = place;
        if let Some(what) = partitions(&mut cursor) {
            match what {
                "" => whole.keep(Operation::Neutral { what: "ALTER TABLE".to_owned() }),
                what => review(whole, what, Some(self.table.clone()))?,
            }
            return Ok(More::Rest);
        }
        if cursor.eat(&["ADD"]) {
            self.add(cursor, place)?;
        } else if cursor.eat(&["DROP"]) {
            self.drop(cursor, place)?;
        } else if cursor.eat(&["MODIFY"]) {
            cursor.eat(&["COLUMN"]);
            let guarded = cursor.if_exists();
            let column = column(&mut cursor, Part::Restated)?;
            self.restated(column, place, guarded);
        } else if cursor.eat(&["CHANGE"]) {
            self.change(cursor, place)?;
        } else if cursor.eat(&["ALTER"]) {
            self.alter(cursor, place)?;
        } else if cursor.eat(&["RENAME"]) {
            self.rename(cursor, place)?;
        } else {
            return option(cursor, place, self.table);
        }
        Ok(More::No)
    }

    fn add(&self, mut cursor: Cursor<'a>, place: Cursor<'a>) -> Read<()> {
        if cursor.is(&["SYSTEM", "VERSIONING"]) || cursor.is(&["PERIOD", "FOR"]) {
            return neutral(place, 2);
        }
        let said = cursor.eat(&["COLUMN"]);
        let guarded = self.guarded || cursor.find(&["IF"]).is_some_and(|at| at < 5);
        cursor.if_not_exists();
        if cursor.is_mark(b'(') {
            let group = cursor.group()?;
            end(&cursor)?;
            for part in group.commas() {
                add(part, self.table, false, guarded, part)?;
            }
            return Ok(());
        }
        if said {
            let column = column(&mut cursor, Part::New)?;
            let name = column.name.clone();
            self.keep(place, Operation::AddColumn { table: self.table.clone(), column }, guarded);
            self.placed(name, place, guarded);
            return Ok(());
        }
        let mut ahead = cursor;
        let name = ahead.ident();
        let before = place.source.count();
        add(cursor, self.table, false, guarded, place)?;
        let mut column = false;
        place.source.since(before, |step| column |= matches!(step.operation, Operation::AddColumn { .. }));
        if let (true, Ok(name)) = (column, name) {
            self.placed(name, place, guarded);
        }
        Ok(())
    }

    /// `FIRST`, `AFTER b` at an action's end: the column stands there from now on.
    fn placed(&self, column: Ident, place: Cursor<'a>, guarded: bool) {
        let mut last = place;
        last.skip(place.left().saturating_sub(2));
        let after = if last.eat(&["AFTER"]) { last.ident().ok() } else { None };
        let mut last = place;
        last.skip(place.left().saturating_sub(1));
        if after.is_some() || last.is(&["FIRST"]) {
            let (table, changes) = (self.table.clone(), vec![ColumnChange::Placed(after)]);
            self.keep(place, Operation::AlterColumn { table, column, changes }, guarded);
        }
    }

    fn drop(&self, mut cursor: Cursor<'a>, place: Cursor<'a>) -> Read<()> {
        if cursor.is(&["SYSTEM", "VERSIONING"]) || cursor.is(&["PERIOD", "FOR"]) {
            return review(place, "the history of rows ends", Some(self.table.clone()));
        }
        let drop = |constraint, said| drop_constraint(self.table, constraint, said, false);
        if cursor.eat(&["PRIMARY", "KEY"]) {
            end(&cursor)?;
            self.keep(place, drop(None, Some("primary-key")), false);
            return Ok(());
        }
        let constraints: &[(&[&str], Option<&str>)] =
            &[(&["FOREIGN", "KEY"], Some("foreign-key")), (&["CONSTRAINT"], None), (&["CHECK"], Some("check"))];
        for (words, said) in constraints {
            if cursor.eat(words) {
                let guarded = cursor.if_exists();
                let name = cursor.ident()?;
                end(&cursor)?;
                let primary = said.is_none() && name.key == "primary";
                let operation = if primary { drop(None, Some("primary-key")) } else { drop(Some(name), *said) };
                self.keep(place, operation, guarded);
                return Ok(());
            }
        }
        if cursor.eat_any(&["INDEX", "KEY"]) {
            let guarded = cursor.if_exists();
            let name = cursor.ident()?;
            end(&cursor)?;
            let operation = if name.key == "primary" {
                drop(None, Some("primary-key"))
            } else {
                Operation::DropIndex { name: Name::plain(name), table: Some(self.table.clone()) }
            };
            self.keep(place, operation, guarded);
            return Ok(());
        }
        cursor.eat(&["COLUMN"]);
        let guarded = cursor.if_exists();
        let column = cursor.ident()?;
        cursor.eat_any(&["CASCADE", "RESTRICT"]);
        end(&cursor)?;
        self.keep(place, Operation::DropColumn { table: self.table.clone(), column, cascade: false }, guarded);
        Ok(())
    }

    fn change(&self, mut cursor: Cursor<'a>, place: Cursor<'a>) -> Read<()> {
        cursor.eat(&["COLUMN"]);
        let guarded = cursor.if_exists();
        let from = cursor.ident()?;
        let to = cursor.ident()?;
        let column = definition(&mut cursor, to.clone(), Part::Restated)?;
        if from != to {
            let operation = Operation::RenameColumn { table: self.table.clone(), from, to };
            self.keep(place, operation, guarded);
        }
        self.restated(column, place, guarded);
        Ok(())
    }

    /// A column anew. A key written with it is a new one; those it has stay.
    fn restated(&self, mut column: Column, place: Cursor<'a>, guarded: bool) {
        let constraints = std::mem::take(&mut column.constraints);
        let name = column.name.clone();
        let changes = vec![ColumnChange::Restated(column)];
        let operation = Operation::AlterColumn { table: self.table.clone(), column: name.clone(), changes };
        self.keep(place, operation, guarded);
        self.placed(name, place, guarded);
        for constraint in constraints {
            let checked = Checked::All;
            self.keep(place, Operation::AddConstraint { table: self.table.clone(), constraint, checked }, guarded);
        }
    }

    fn alter(&self, mut cursor: Cursor<'a>, place: Cursor<'a>) -> Read<()> {
        if cursor.is(&["INDEX"]) || cursor.is(&["KEY"]) {
            return neutral(place, 2);
        }
        if cursor.is_any(&["CHECK", "CONSTRAINT"]) {
            return match cursor.find(&["NOT"]) {
                Some(_) => neutral(place, 2),
                None => review(place, "a constraint is enforced", Some(self.table.clone())),
            };
        }
        cursor.eat(&["COLUMN"]);
        let guarded = cursor.if_exists();
        let column = cursor.ident()?;
        if cursor.is(&["SET", "INVISIBLE"]) {
            return review(place, "a column is made invisible", Some(self.table.clone()));
        }
        let change = if cursor.eat(&["SET", "DEFAULT"]) {
            ColumnChange::Filled(default(&mut cursor))
        } else if cursor.eat(&["DROP", "DEFAULT"]) {
            ColumnChange::Filled(Filled::Nothing)
        } else if cursor.eat(&["SET", "VISIBLE"]) {
            ColumnChange::Neutral("VISIBLE".to_owned())
        } else {
            return Err(cursor.surprise("what is done to the column"));
        };
        end(&cursor)?;
        let changes = vec![change];
        self.keep(place, Operation::AlterColumn { table: self.table.clone(), column, changes }, guarded);
        Ok(())
    }

    fn rename(&mut self, mut cursor: Cursor<'a>, place: Cursor<'a>) -> Read<()> {
        // `RENAME column`, without a word before the name, is the table's.
        if cursor.left() > 2 && cursor.eat_any(&["INDEX", "KEY"]) {
            let guarded = cursor.if_exists();
            let from = cursor.ident()?;
            if !cursor.eat(&["TO"]) {
                return Err(cursor.surprise("TO"));
            }
            let to = cursor.ident()?;
            end(&cursor)?;
            self.keep(place, Operation::RenameIndex { table: Some(self.table.clone()), from, to }, guarded);
            return Ok(());
        }
        if cursor.left() > 2 && cursor.eat(&["COLUMN"]) {
            let guarded = cursor.if_exists();
            let from = cursor.ident()?;
            if !cursor.eat(&["TO"]) {
                return Err(cursor.surprise("TO"));
            }
            let to: Ident = cursor.ident()?;
            end(&cursor)?;
            self.keep(place, Operation::RenameColumn { table: self.table.clone(), from, to }, guarded);
            return Ok(());
        }
        if !cursor.eat_any(&["TO", "AS"]) {
            cursor.eat_mark(b'=');
        }
        let to = cursor.name()?;
        end(&cursor)?;
        *self.renamed = Some((place, to));
        Ok(())
    }
}

/// What is done to partitions: an empty text where no row is lost.
fn partitions(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    let harmless: &[&[&str]] = &[
        &["ADD", "PARTITION"],
        &["REORGANIZE", "PARTITION"],
        &["COALESCE", "PARTITION"],
        &["ANALYZE", "PARTITION"],
        &["CHECK", "PARTITION"],
        &["OPTIMIZE", "PARTITION"],
        &["REBUILD", "PARTITION"],
        &["REPAIR", "PARTITION"],
        &["REMOVE", "PARTITIONING"],
        &["PARTITION", "BY"],
        &["ORDER", "BY"],
    ];
    if harmless.iter().any(|words| cursor.is(words)) {
        return Some("");
    }
    let lossy: &[(&[&str], &str)] = &[
        (&["DROP", "PARTITION"], "a partition is dropped with its rows"),
        (&["TRUNCATE", "PARTITION"], "a partition is emptied"),
        (&["EXCHANGE", "PARTITION"], "a partition is exchanged for a table"),
        (&["CONVERT", "PARTITION"], "a partition becomes a table"),
        (&["CONVERT", "TABLE"], "a table becomes a partition"),
        (&["DISCARD", "PARTITION"], "a partition's rows are discarded"),
        (&["IMPORT", "PARTITION"], "a partition's rows are imported"),
    ];
    lossy.iter().find(|(words, _)| cursor.is(words)).map(|(_, what)| *what)
}

/// Options of the table.
fn option(mut cursor: Cursor<'_>, place: Cursor<'_>, table: &Name) -> Read<More> {
    let known: &[&str] = &[
        "ENGINE",
        "TYPE",
        "AUTO_INCREMENT",
        "COMMENT",
        "DEFAULT",
        "CHARSET",
        "CHARACTER",
        "COLLATE",
        "ROW_FORMAT",
        "KEY_BLOCK_SIZE",
        "ALGORITHM",
        "LOCK",
        "FORCE",
        "DISABLE",
        "ENABLE",
        "STATS_PERSISTENT",
        "STATS_AUTO_RECALC",
        "STATS_SAMPLE_PAGES",
        "AVG_ROW_LENGTH",
        "CHECKSUM",
        "COMPRESSION",
        "CONNECTION",
        "DELAY_KEY_WRITE",
        "ENCRYPTION",
        "INSERT_METHOD",
        "MAX_ROWS",
        "MIN_ROWS",
        "PACK_KEYS",
        "WITH",
        "WITHOUT",
        "TABLESPACE",
        "PAGE_COMPRESSED",
        "PAGE_COMPRESSION_LEVEL",
        "AUTOEXTEND_SIZE",
        "DATA",
        "INDEX",
        "UNION",
        "SECONDARY_ENGINE",
        "TRANSACTIONAL",
        "PAGE_CHECKSUM",
    ];
    if cursor.eat(&["CONVERT", "TO"]) {
        // Every letter has a place in utf8mb4; elsewhere some may have none.
        let whole = cursor.find(&["utf8mb4"]).is_some() || place.rest_text().to_lowercase().contains("utf8mb4");
        if whole {
            neutral(place, 2)?;
        } else {
            review(place, "text is converted to another character set", Some(table.clone()))?;
        }
    } else if cursor.is_any(&["DISCARD", "IMPORT"]) {
        review(place, "a tablespace is discarded or imported", Some(table.clone()))?;
    } else if cursor.is_any(known) {
        neutral(place, 1)?;
    } else {
        return Err(cursor.unknown());
    }
    Ok(More::No)
}
