//! A batch to statements: conditions, blocks, and where a statement without `;` ends.

use std::collections::{HashMap, HashSet};

use super::super::common::{GROWTH, neutral, one};
use super::super::cursor::{Cursor, string};
use super::super::lex::Kind;
use super::statement;
use crate::operation::{Operation, Unread};

/// What a batch's variables hold, and under which conditions it is.
#[derive(Default)]
pub struct Flow {
    /// Literal text by variable; `None`: unknown.
    values: HashMap<String, Option<String>>,
    /// Variables that hold the name of a default constraint.
    defaults: HashSet<String>,
    guarded: bool,
    conditional: bool,
    depth: usize,
}

/// Reads a batch.
pub fn read(mut cursor: Cursor<'_>) {
    let mut flow = Flow::default();
    while !cursor.done() {
        let before = cursor.at();
        if cursor.is(&["END"]) || cursor.is(&["ELSE"]) {
            // What it belongs to was not understood.
            cursor.take(1).keep(Operation::Unread(cursor.unknown()));
            cursor.skip(1);
        }
        flow.next(&mut cursor);
        if cursor.at() == before {
            cursor.skip(1);
        }
    }
}

impl Flow {
    /// Reads the next statement, whatever it is, and passes it.
    fn next(&mut self, cursor: &mut Cursor<'_>) {
        while cursor.kind() == Some(Kind::Semicolon) {
            cursor.skip(1);
        }
        if cursor.done() || cursor.is(&["END"]) || cursor.is(&["ELSE"]) {
            return;
        }
        if self.depth > cursor.source.limits.nesting {
            let allowed = cursor.source.limits.nesting as u64;
            let limit = "blocks within blocks".to_owned();
            cursor.keep(Operation::Unread(Unread::Limit { limit, allowed }));
            return cursor.skip(cursor.left());
        }
        self.depth += 1;
        if cursor.is(&["IF"]) {
            self.condition(cursor);
        } else if cursor.is(&["WHILE"]) {
            cursor.skip(1);
            cursor.skip(extent(cursor, Head::Condition));
            self.branch(cursor, false);
        } else if begins_block(cursor) {
            self.block(cursor);
        } else {
            self.plain(cursor);
        }
        self.depth -= 1;
    }

    fn condition(&mut self, cursor: &mut Cursor<'_>) {
        cursor.skip(1);
        let length = extent(cursor, Head::Condition);
        let guard = is_guard(&cursor.take(length));
        cursor.skip(length);
        self.branch(cursor, guard);
        let mut after = *cursor;
        if after.kind() == Some(Kind::Semicolon) {
            after.skip(1);
        }
        if after.eat(&["ELSE"]) {
            *cursor = after;
            self.branch(cursor, false);
        }
    }

    /// A statement that may not run.
    fn branch(&mut self, cursor: &mut Cursor<'_>, guard: bool) {
        let outer = (self.guarded, self.conditional);
        self.guarded |= guard;
        self.conditional |= !guard;
        self.next(cursor);
        (self.guarded, self.conditional) = outer;
    }

    fn block(&mut self, cursor: &mut Cursor<'_>) {
        let caught = cursor.is(&["BEGIN", "CATCH"]);
        cursor.skip(1);
        cursor.eat_any(&["TRY", "CATCH", "ATOMIC"]);
        let outer = self.conditional;
        self.conditional |= caught;
        while !cursor.done() && !cursor.is(&["END"]) {
            let before = cursor.at();
            self.next(cursor);
            if cursor.at() == before {
                cursor.take(1).keep(Operation::Unread(cursor.unknown()));
                cursor.skip(1);
            }
        }
        self.conditional = outer;
        if cursor.eat(&["END"]) {
            cursor.eat_any(&["TRY", "CATCH"]);
        } else {
            cursor.keep(Operation::Unread(Unread::Syntax { words: "a block never ends".to_owned() }));
        }
    }

    fn plain(&mut self, cursor: &mut Cursor<'_>) {
        let length = if is_module(cursor) { cursor.left() } else { extent(cursor, Head::of(cursor)).max(1) };
        let whole = cursor.take(length);
        cursor.skip(length);
        let before = whole.source.count();
        one(whole, &mut |cursor| {
            if cursor.is(&["BEGIN"]) { neutral(cursor, 2) } else { statement(cursor, self) }
        });
        let (guarded, conditional) = (self.guarded, self.conditional);
        whole.source.since(before, |step| {
            step.guarded |= guarded;
            step.conditional |= conditional;
        });
    }

    /// Remembers what DECLARE, SET and SELECT put into variables.
    pub fn assign(&mut self, mut cursor: Cursor<'_>) {
        let selected = cursor.is(&["SELECT"]);
        let text = cursor.rest_text();
        cursor.skip(1);
        let of_defaults = selected && text.to_lowercase().contains("default_constraints");
        let end = if selected { cursor.find(&["FROM"]).unwrap_or(usize::MAX) } else { usize::MAX };
        for mut part in cursor.take(end).commas() {
            let Some(token) = part.ahead(0).filter(|token| token.kind == Kind::Variable) else { continue };
            let name = part.text(token).to_lowercase();
            let Some(equals) = part.rest().iter().position(|token| token.kind == Kind::Mark(b'=')) else {
                continue;
            };
            let adds = part.ahead(equals.saturating_sub(1)).is_some_and(|token| token.kind == Kind::Mark(b'+'));
            part.skip(equals + 1);
            if of_defaults {
                self.defaults.insert(name.clone());
            }
            let known = end == usize::MAX || end >= cursor.left();
            let before = if adds { self.values.get(&name).cloned().flatten() } else { Some(String::new()) };
            let value = match (before, self.text(&part)) {
                (Some(before), Some((text, true)))
                    if known && !self.conditional && before.len() <= part.rest_text().len() + GROWTH =>
                {
                    Some(before + &text)
                }
                _ => None,
            };
            self.values.insert(name, value);
        }
    }

    /// A sum of strings and variables as text, and whether all of it is literal. A variable that is
    /// not known stands in it as a placeholder.
    pub fn text(&self, expression: &Cursor<'_>) -> Option<(String, bool)> {
        let (mut whole, mut literal, mut wants) = (String::new(), true, true);
        let longest = expression.rest_text().len() + GROWTH;
        for token in expression.rest() {
            let text = expression.text(token);
            match token.kind {
                Kind::Mark(b'+') if !wants => {
                    wants = true;
                    continue;
                }
                Kind::Text if wants => whole.push_str(&string(text, expression.dialect())),
                Kind::Variable if wants => match self.values.get(&text.to_lowercase()).cloned().flatten() {
                    Some(value) => whole.push_str(&value),
                    None => {
                        literal = false;
                        whole.push_str(&format!("${{{text}}}"));
                    }
                },
                _ => return None,
            }
            wants = false;
            if whole.len() > longest {
                return None;
            }
        }
        (!wants).then_some((whole, literal))
    }

    /// Whether an expression uses a variable that holds the name of a default constraint.
    pub fn names_default(&self, expression: &Cursor<'_>) -> bool {
        let mut tokens = expression.rest().iter();
        tokens.any(|token| self.defaults.contains(&expression.text(token).to_lowercase()))
    }
}

/// A condition that only asks whether the change is there already.
fn is_guard(condition: &Cursor<'_>) -> bool {
    let asks: &[&str] = &[
        "object_id",
        "col_length",
        "columnproperty",
        "indexproperty",
        "type_id",
        "schema_id",
        "sys",
        "sysobjects",
        "syscolumns",
        "sysindexes",
        "information_schema",
        "objectproperty",
        "database_principal_id",
        "__efmigrationshistory",
    ];
    condition.rest().iter().any(|token| {
        matches!(token.kind, Kind::Word | Kind::Quoted)
            && asks.contains(&condition.text(token).trim_matches(['[', ']']).to_lowercase().as_str())
    })
}

fn begins_block(cursor: &Cursor<'_>) -> bool {
    cursor.is(&["BEGIN"])
        && !cursor.is_any_after(1, &["TRAN", "TRANSACTION", "DISTRIBUTED", "DIALOG", "CONVERSATION"])
}

/// A routine, trigger or view: it takes the rest of its batch.
fn is_module(cursor: &Cursor<'_>) -> bool {
    let mut head = *cursor;
    if !head.eat_any(&["CREATE", "ALTER"]) {
        return false;
    }
    head.eat(&["OR", "ALTER"]);
    head.is_any(&["PROC", "PROCEDURE", "FUNCTION", "TRIGGER", "VIEW"])
}

/// What a statement is, as far as its end depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Condition,
    Insert,
    Update,
    Merge,
    With,
    AlterTable,
    Alter,
    Grant,
    Bulk,
    Other,
}

impl Head {
    fn of(cursor: &Cursor<'_>) -> Self {
        match cursor.word(0).map(str::to_uppercase).as_deref() {
            Some("INSERT") => Self::Insert,
            Some("UPDATE") => Self::Update,
            Some("MERGE") => Self::Merge,
            Some("WITH") => Self::With,
            Some("ALTER") if cursor.word_is(1, "TABLE") => Self::AlterTable,
            Some("ALTER") => Self::Alter,
            Some("GRANT" | "REVOKE" | "DENY") => Self::Grant,
            Some("BULK") => Self::Bulk,
            _ => Self::Other,
        }
    }
}

/// Words that begin a statement.
const HEADS: &[&str] = &[
    "CREATE",
    "ALTER",
    "DROP",
    "EXEC",
    "EXECUTE",
    "IF",
    "BEGIN",
    "END",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "SELECT",
    "SET",
    "DECLARE",
    "PRINT",
    "USE",
    "TRUNCATE",
    "GRANT",
    "REVOKE",
    "DENY",
    "WHILE",
    "RAISERROR",
    "THROW",
    "RETURN",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "GOTO",
    "DISABLE",
    "ENABLE",
    "WAITFOR",
    "BACKUP",
    "RESTORE",
    "ELSE",
    "OPEN",
    "FETCH",
    "CLOSE",
    "DEALLOCATE",
    "BREAK",
    "CONTINUE",
    "DBCC",
    "BULK",
];

/// How many tokens the statement has that begins here.
fn extent(cursor: &Cursor<'_>, mut head: Head) -> usize {
    let rest = cursor.rest();
    let first = usize::from(head != Head::Condition);
    let (mut depth, mut cases, mut verb) = (0usize, 0usize, false);
    for (at, token) in rest.iter().enumerate().skip(first) {
        match token.kind {
            Kind::Mark(b'(') => depth += 1,
            Kind::Mark(b')') => depth = depth.saturating_sub(1),
            Kind::Semicolon => return at,
            Kind::Word if depth == 0 => {
                let word = cursor.text(token);
                if word.eq_ignore_ascii_case("case") {
                    cases += 1;
                    continue;
                }
                if cases > 0 {
                    cases -= usize::from(word.eq_ignore_ascii_case("end"));
                    continue;
                }
                if head == Head::Grant && (word.eq_ignore_ascii_case("to") || word.eq_ignore_ascii_case("from")) {
                    head = Head::Other;
                }
                if HEADS.iter().any(|known| known.eq_ignore_ascii_case(word))
                    && !continues(cursor, at, word, &mut head, &mut verb)
                {
                    return at;
                }
                let checks = cursor.word_is(at + 1, "CONSTRAINT")
                    && (word.eq_ignore_ascii_case("check") || word.eq_ignore_ascii_case("nocheck"));
                verb |= checks || ["ADD", "SWITCH", "REBUILD"].iter().any(|known| known.eq_ignore_ascii_case(word));
            }
            _ => {}
        }
    }
    rest.len()
}

/// Whether a word that may begin a statement is part of this one.
fn continues(cursor: &Cursor<'_>, at: usize, word: &str, head: &mut Head, verb: &mut bool) -> bool {
    let word = word.to_ascii_uppercase();
    let word = word.as_str();
    let before = at.checked_sub(1).and_then(|at| cursor.ahead(at));
    let after_mark = before.is_some_and(|token| {
        matches!(token.kind, Kind::Mark(b'.' | b',' | b'=' | b'+' | b'-' | b'<' | b'>' | b'*' | b'/'))
    });
    // `SELECT * SELECT` is no statement, but `*` may end a list of columns: only a name may not follow.
    if after_mark && !before.is_some_and(|token| token.kind == Kind::Mark(b'*')) {
        return true;
    }
    let previous = at.checked_sub(1).and_then(|at| cursor.word(at)).unwrap_or_default().to_ascii_uppercase();
    let previous = previous.as_str();
    let next = |words: &[&str]| cursor.is_any_after(at + 1, words);
    match word {
        "SELECT" if matches!(previous, "UNION" | "ALL" | "EXCEPT" | "INTERSECT" | "FOR") => return true,
        "UPDATE" | "DELETE" if matches!(previous, "ON" | "FOR") => return true,
        "SET" if matches!(previous, "UPDATE" | "DELETE") && next(&["NULL", "DEFAULT"]) => return true,
        "FETCH" if matches!(previous, "ROWS" | "ROW") => return true,
        // `GENERATED ALWAYS AS ROW END`
        "END" if matches!(previous, "ROW" | "TRANSACTION_ID" | "SEQUENCE_NUMBER") => return true,
        "IF" if cursor.word_is(at + 1, "EXISTS")
            && cursor.ahead(at + 2).is_some_and(|token| token.kind != Kind::Mark(b'(')) =>
        {
            return true;
        }
        "ENABLE" | "DISABLE" if !next(&["TRIGGER"]) => return true,
        "OPEN" | "CLOSE" | "SAVE" | "USE" | "BREAK" | "CONTINUE" | "THROW" if previous == "AS" => return true,
        _ => {}
    }
    match *head {
        Head::Insert if matches!(word, "SELECT" | "EXEC" | "EXECUTE" | "WITH") => {
            *head = Head::Other;
            true
        }
        Head::Update if word == "SET" => {
            *head = Head::Other;
            true
        }
        Head::Merge => !matches!(word, "BEGIN" | "END" | "IF" | "CREATE" | "ALTER" | "DROP"),
        Head::With if matches!(word, "SELECT" | "DELETE" | "INSERT" | "UPDATE" | "MERGE") => {
            *head = match word {
                "INSERT" => Head::Insert,
                "UPDATE" => Head::Update,
                "MERGE" => Head::Merge,
                _ => Head::Other,
            };
            true
        }
        Head::AlterTable if !*verb && matches!(word, "ALTER" | "DROP" | "SET" | "ENABLE" | "DISABLE") => {
            *verb = true;
            true
        }
        Head::AlterTable => word == "DROP" && next(&["SPARSE", "PERSISTED", "MASKED", "ROWGUIDCOL", "HIDDEN"]),
        Head::Alter => {
            matches!(word, "SET" | "ADD" | "DROP") && at <= 6 && !*verb && {
                *verb = true;
                !matches!(word, "DROP") || next(&["MEMBER"])
            }
        }
        Head::Grant => true,
        Head::Bulk => word == "INSERT",
        _ => false,
    }
}
