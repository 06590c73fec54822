//! What the text of a view, routine, trigger or policy uses.
//!
//! Such a text is read as words, not as a grammar: what it surely uses and what it perhaps uses are
//! told apart. Not here: what follows from it.

use std::collections::HashSet;
use std::sync::Arc;

use super::Schema;
use crate::operation::{Ident, Name};
use crate::sql::body::{string, words};

/// Whether something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It is not.
    No,
    /// The words are there, and may mean something else.
    Perhaps,
    /// It is.
    Sure,
}

/// The text of what the database keeps and runs later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// In one way of writing it, without `CREATE OR REPLACE` and the `;` at its end.
    text: String,
    /// Its words.
    words: HashSet<String>,
    /// Words of its strings, if it may run one.
    executed: HashSet<String>,
}

/// Words after which a table's name stands.
const BEFORE_TABLE: &[&str] =
    &["from", "join", "update", "into", "only", "table", "truncate", "using", "setof", "insert"];

/// Words that are no alias.
const NO_ALIAS: &[&str] = &[
    "where",
    "set",
    "on",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "cross",
    "full",
    "group",
    "order",
    "limit",
    "returning",
    "values",
    "select",
    "using",
    "union",
    "natural",
    "for",
    "when",
    "then",
    "loop",
    "default",
    "having",
    "window",
    "offset",
    "fetch",
    "with",
    "end",
    "begin",
    "as",
    "except",
    "intersect",
    "is",
    "force",
    "use",
    "ignore",
    "partition",
    "tablesample",
    "do",
    "lateral",
];

/// At so many places a name is looked at; beyond them it is perhaps used.
const PLACES: usize = 64;

/// Words that begin or end a statement of a body.
const BETWEEN: &[&str] = &[";", "$", "begin", "then", "else", "loop", "declare"];

impl Body {
    /// The body of a folded text.
    pub fn new(folded: &str) -> Arc<Self> {
        let text = folded.trim_end_matches([';', ' ']);
        let text = text.strip_prefix("create ").unwrap_or(text);
        let text = text.strip_prefix("or replace ").or_else(|| text.strip_prefix("or alter ")).unwrap_or(text);
        let text = text.replacen("if not exists ", "", 1);
        let known: HashSet<String> =
            words(&text).filter(|word| !word.starts_with('\'')).map(str::to_owned).collect();
        let runs = ["execute", "prepare", "exec", "nextval", "sp_executesql", "regclass"];
        let executed = if runs.iter().any(|word| known.contains(*word)) {
            words(&text).filter_map(string).flat_map(|said| names_in(&said)).collect()
        } else {
            HashSet::new()
        };
        Arc::new(Self { text, words: known, executed })
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(word) || self.executed.contains(word)
    }

    fn tokens(&self) -> Vec<&str> {
        words(&self.text).collect()
    }

    /// Whether it names a table where a table is named.
    pub fn uses_table(&self, table: &Name) -> Use {
        let name = table.name.key.to_lowercase();
        if !self.has(&name) {
            return Use::No;
        }
        let tokens = self.tokens();
        let found = (0..tokens.len()).map(|at| table_at(&tokens, at, table, &name)).max().unwrap_or(Use::No);
        if found == Use::No && self.executed.contains(&name) { Use::Perhaps } else { found }
    }

    /// Whether it uses a table's column. `own`: the tables whose rows are NEW and OLD in it.
    pub fn uses_column(&self, table: &Name, column: &Ident, own: &[&Name], schema: &Schema) -> Use {
        let name = column.key.to_lowercase();
        if !self.has(&name) {
            return Use::No;
        }
        let tokens = self.tokens();
        let scope = Scope::new(&tokens, table, own, schema);
        let mut found = Use::No;
        let places = (0..tokens.len()).filter(|at| tokens.get(*at) == Some(&name.as_str()));
        for (count, at) in places.take(PLACES + 1).enumerate() {
            let used = if count < PLACES { scope.column_at(at, column) } else { Use::Perhaps };
            found = found.max(used);
        }
        let named = scope.named || own.iter().any(|own| own.name == table.name);
        let said =
            self.executed.contains(&name) && (named || self.executed.contains(&table.name.key.to_lowercase()));
        if found == Use::No && said { Use::Perhaps } else { found }
    }

    /// Whether it calls a routine.
    pub fn calls(&self, routine: &Name) -> bool {
        let name = routine.name.key.to_lowercase();
        if !self.words.contains(&name) {
            return false;
        }
        let tokens = self.tokens();
        (0..tokens.len()).filter(|at| tokens.get(*at) == Some(&name.as_str())).any(|at| {
            let before = before_name(&tokens, at);
            let defined = matches!(before, Some("function" | "procedure"))
                && !matches!(word(&tokens, start_of_name(&tokens, at).wrapping_sub(2)), Some("execute"));
            let called = word(&tokens, at + 1) == Some("(") || matches!(before, Some("call" | "exec" | "execute"));
            called && !defined
        })
    }

    /// Whether it names an object in a string or as a word: a sequence, a type.
    pub fn names(&self, object: &Name) -> bool {
        self.has(&object.name.key.to_lowercase())
    }

    /// Tables into which rows are put without a list of columns, each with the words that follow up to
    /// the statement's end.
    pub fn unlisted_inserts(&self) -> Vec<(String, Vec<&str>)> {
        if !self.words.contains("into") {
            return vec![];
        }
        let tokens = self.tokens();
        let mut found = vec![];
        for at in 1..tokens.len() {
            if word(&tokens, at) != Some("into")
                || !matches!(word(&tokens, at - 1), Some("insert" | "replace" | "ignore"))
            {
                continue;
            }
            let mut name = at + 1;
            while word(&tokens, name + 1) == Some(".") {
                name += 2;
            }
            if word(&tokens, name + 1) == Some("(") && word(&tokens, name + 2) != Some("select") {
                continue;
            }
            let rest = tokens.get(name + 1..(name + 1_000).min(tokens.len())).unwrap_or_default();
            let end = rest.iter().position(|token| BETWEEN.contains(token)).unwrap_or(rest.len());
            found.extend(
                word(&tokens, name).map(|table| (table.to_owned(), rest.iter().take(end).copied().collect())),
            );
        }
        found
    }

    /// Whether it selects all columns of a table by `*`, as a function's result.
    pub fn returns_all_of(&self, table: &Name) -> bool {
        let name = table.name.key.to_lowercase();
        if !self.words.contains("*") || !self.words.contains(&name) {
            return false;
        }
        let tokens = self.tokens();
        (0..tokens.len()).any(|at| {
            let select = word(&tokens, at) == Some("select")
                && matches!(word(&tokens, at.wrapping_sub(1)), Some("query" | "$" | "as" | "atomic"));
            let rest = tokens.get(at..(at + 1_000).min(tokens.len())).unwrap_or_default();
            let end = rest.iter().position(|token| *token == ";" || *token == "$").unwrap_or(rest.len());
            let from = rest.iter().position(|token| *token == "from").filter(|from| *from < end);
            let starred = |from: usize| word(rest, 1) == Some("*") || word(rest, from - 1) == Some("*");
            select
                && from.is_some_and(|from| {
                    starred(from) && (from..end).any(|at| table_at(rest, at, table, &name) != Use::No)
                })
        })
    }

    /// The expressions of what it selects first, each without its alias.
    pub fn selected(&self) -> Vec<String> {
        let tokens = self.tokens();
        let Some(select) = tokens.iter().position(|token| *token == "select") else { return vec![] };
        let mut items = vec![vec![]];
        let mut depth = 0_usize;
        for token in tokens.iter().skip(select + 1) {
            match *token {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "from" | "union" | ";" | "where" if depth == 0 => break,
                "," if depth == 0 => {
                    items.push(vec![]);
                    continue;
                }
                _ => {}
            }
            if let Some(last) = items.last_mut() {
                last.push(*token);
            }
        }
        items
            .into_iter()
            .map(|mut item| {
                if item.len() > 2 && item.get(item.len() - 2) == Some(&"as") {
                    item.truncate(item.len() - 2);
                }
                item.join(" ")
            })
            .collect()
    }
}

fn word<'a>(tokens: &[&'a str], at: usize) -> Option<&'a str> {
    tokens.get(at).copied()
}

/// Where a name begins that may have a schema before it.
fn start_of_name(tokens: &[&str], at: usize) -> usize {
    let mut start = at;
    while start >= 2 && word(tokens, start - 1) == Some(".") {
        start -= 2;
    }
    start
}

fn before_name<'a>(tokens: &[&'a str], at: usize) -> Option<&'a str> {
    word(tokens, start_of_name(tokens, at).checked_sub(1)?)
}

/// Whether the word there is this table's name where a table's name stands.
fn table_at(tokens: &[&str], at: usize, table: &Name, name: &str) -> Use {
    if word(tokens, at) != Some(name) || matches!(word(tokens, at + 1), Some("." | "(")) && !inserted(tokens, at) {
        return Use::No;
    }
    let start = start_of_name(tokens, at);
    if start < at {
        let schema = word(tokens, at - 2);
        let same = match &table.schema {
            Some(known) => schema == Some(known.key.to_lowercase().as_str()),
            None => matches!(schema, Some("public" | "dbo" | "main")),
        };
        if !same {
            return Use::No;
        }
    }
    match start.checked_sub(1).and_then(|before| word(tokens, before)) {
        Some(before) if BEFORE_TABLE.contains(&before) => Use::Sure,
        _ if word(tokens, at + 1) == Some("%") => Use::Sure,
        Some(",") if listed(tokens, start) => Use::Perhaps,
        _ => Use::No,
    }
}

/// `INTO table (`.
fn inserted(tokens: &[&str], at: usize) -> bool {
    word(tokens, at + 1) == Some("(") && matches!(before_name(tokens, at), Some("into" | "insert"))
}

/// Whether a comma there stands in a list after FROM.
fn listed(tokens: &[&str], at: usize) -> bool {
    const ENDS: &[&str] = &["select", "where", "set", "values", "(", ")", ";", "group", "order", "$"];
    let before = tokens.get(..at).unwrap_or_default();
    before.iter().rev().take(40).find(|token| **token == "from" || ENDS.contains(token)) == Some(&"from")
}

/// The names in a text, in lower case.
fn names_in(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// What names mean in a body.
struct Scope<'a> {
    tokens: &'a [&'a str],
    table: &'a Name,
    own: &'a [&'a Name],
    schema: &'a Schema,
    /// Another name and the table that it stands for.
    aliases: Vec<(&'a str, &'a str)>,
    /// Where tables are named, and which.
    tables: Vec<(usize, &'a str)>,
    /// The table in question is among them.
    named: bool,
}

impl<'a> Scope<'a> {
    fn new(tokens: &'a [&'a str], table: &'a Name, own: &'a [&'a Name], schema: &'a Schema) -> Self {
        let (mut aliases, mut tables) = (vec![], vec![]);
        for at in 1..tokens.len() {
            let Some(name) = word(tokens, at).filter(|name| is_name(name)) else { continue };
            let after = word(tokens, at + 1);
            if after == Some(".") {
                continue;
            }
            let start = start_of_name(tokens, at);
            let before = start.checked_sub(1).and_then(|before| word(tokens, before));
            let stands = before.is_some_and(|before| BEFORE_TABLE.contains(&before))
                || (before == Some(",") && listed(tokens, start));
            if !stands || NO_ALIAS.contains(&name) || BEFORE_TABLE.contains(&name) {
                continue;
            }
            tables.push((at, name));
            let alias = if after == Some("as") { word(tokens, at + 2) } else { after };
            let plain = |alias: &&str| is_name(alias) && !NO_ALIAS.contains(alias) && !BEFORE_TABLE.contains(alias);
            if let Some(alias) = alias.filter(plain) {
                aliases.push((alias, name));
            }
        }
        let key = table.name.key.to_lowercase();
        let named = tables.iter().any(|(_, name)| *name == key);
        Self { tokens, table, own, schema, aliases, tables, named }
    }

    fn is_table(&self, name: &str) -> bool {
        self.table.name.key.to_lowercase() == name
    }

    fn is_own(&self) -> bool {
        self.own.iter().any(|own| own.name == self.table.name)
    }

    fn column_at(&self, at: usize, column: &Ident) -> Use {
        let before = at.checked_sub(1).and_then(|before| word(self.tokens, before));
        let after = word(self.tokens, at + 1);
        if after == Some("(") || before == Some("as") || before == Some(":") && self.is_cast(at) {
            return Use::No;
        }
        if before == Some(".") {
            return at.checked_sub(2).and_then(|at| word(self.tokens, at)).map_or(Use::No, |of| self.of(of));
        }
        let (first, last) = self.statement(at);
        let here = self.tables.iter().filter(|(at, _)| (first..last).contains(at)).map(|(_, name)| *name);
        let here: Vec<&str> = here.collect();
        let row = |name: &&str| matches!(*name, "inserted" | "deleted" | "new" | "old") && self.is_own();
        if !here.iter().any(|name| self.is_table(name) || row(name)) {
            return Use::No;
        }
        let others = here.iter().filter(|name| !self.is_table(name) && !row(name));
        let ambiguous = others.copied().any(|name| self.has_column(name, column)) || self.parameter(at);
        if ambiguous { Use::Perhaps } else { Use::Sure }
    }

    fn is_cast(&self, at: usize) -> bool {
        at >= 2 && word(self.tokens, at - 2) == Some(":")
    }

    /// What a column's qualifier makes of it.
    fn of(&self, qualifier: &str) -> Use {
        if matches!(qualifier, "new" | "old" | "inserted" | "deleted") {
            return if self.is_own() { Use::Sure } else { Use::No };
        }
        if self.is_table(qualifier) {
            return Use::Sure;
        }
        let mut known = self.aliases.iter().filter(|(alias, _)| *alias == qualifier).peekable();
        if known.peek().is_some() {
            let row = |name: &str| matches!(name, "inserted" | "deleted" | "new" | "old") && self.is_own();
            return if known.any(|(_, name)| self.is_table(name) || row(name)) { Use::Sure } else { Use::No };
        }
        let other = Name::plain(Ident::folded(qualifier));
        if self.schema.tables.contains_key(&other) || !self.named {
            return Use::No;
        }
        if qualifier == "excluded" { Use::Sure } else { Use::Perhaps }
    }

    fn has_column(&self, table: &str, column: &Ident) -> bool {
        let name = Name::plain(Ident::folded(table));
        match self.schema.tables.get(&name) {
            Some(table) => !table.whole || table.columns.contains_key(column),
            // A view, a query of WITH, a table that nobody made.
            None => true,
        }
    }

    /// Whether the routine has a parameter of the word there.
    fn parameter(&self, at: usize) -> bool {
        let head = self.tokens.iter().position(|token| *token == "$" || *token == "begin").unwrap_or(0);
        let name = word(self.tokens, at);
        let routine = self.tokens.iter().take(3).any(|token| matches!(*token, "function" | "procedure"));
        routine && self.tokens.iter().take(head).any(|token| Some(*token) == name)
    }

    /// The statement around a place.
    fn statement(&self, at: usize) -> (usize, usize) {
        let ends = |token: &&str| BETWEEN.contains(token);
        let first = self.tokens.iter().take(at).rposition(ends).map_or(0, |before| before + 1);
        let last = self.tokens.iter().skip(at).position(ends).map_or(self.tokens.len(), |after| at + after);
        (first, last)
    }
}

fn is_name(word: &str) -> bool {
    word.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '@')
}

#[cfg(test)]
mod tests {
    use super::{Body, Use};
    use crate::operation::{Column, Ident, Maybe, Name, Operation, Step, Type};
    use crate::schema::Schema;
    use crate::sql::Dialect;
    use crate::sql::body::fold;

    fn name(text: &str) -> Name {
        Name::plain(Ident::folded(text))
    }

    /// `users` with `email` and `code`, `orders` with `code`.
    fn schema() -> Schema {
        let mut schema = Schema::empty();
        for (table, columns) in [("users", &["email", "code"][..]), ("orders", &["code", "total"])] {
            let columns =
                columns.iter().map(|column| Column::new(Ident::folded(*column), Type::named("text"))).collect();
            let operation = Operation::CreateTable {
                table: name(table),
                columns: Maybe::Known(columns),
                constraints: vec![],
                temporary: false,
            };
            schema.apply(&Step::new(operation, 1, ""), None);
        }
        schema
    }

    #[test]
    fn columns_that_a_body_uses() {
        let (users, orders) = (name("users"), name("orders"));
        for (text, own, used) in [
            ("SELECT code FROM users", None, Use::Sure),
            ("SELECT u.code FROM users u", None, Use::Sure),
            ("SELECT o.code FROM users u JOIN orders AS o ON true", None, Use::No),
            ("SELECT code FROM users u JOIN orders AS o ON true", None, Use::Perhaps),
            ("SELECT code FROM orders; SELECT email FROM users", None, Use::No),
            ("SELECT email AS code FROM users", None, Use::No),
            ("SELECT code(email) FROM users", None, Use::No),
            ("SELECT email::code FROM users", None, Use::No),
            ("SELECT users.code FROM users", None, Use::Sure),
            ("NEW.code := 1", Some(&users), Use::Sure),
            ("NEW.code := 1", Some(&orders), Use::No),
            ("NEW.code := 1", None, Use::No),
            ("INSERT INTO users (email, code) VALUES (NEW.email, 'x')", Some(&orders), Use::Sure),
            ("INSERT INTO users (email) VALUES ('code')", None, Use::No),
            (
                "INSERT INTO users (email) VALUES (1) ON CONFLICT DO UPDATE SET email = EXCLUDED.code",
                None,
                Use::Sure,
            ),
            ("FOR r IN SELECT * FROM users LOOP PERFORM r.code; END LOOP", None, Use::Perhaps),
            ("EXECUTE 'UPDATE users SET code = 1'", None, Use::Perhaps),
            ("RAISE 'no code of users'", None, Use::No),
            ("SELECT i.code FROM inserted i", Some(&users), Use::Sure),
            ("SELECT i.code FROM inserted i", Some(&orders), Use::No),
            ("UPDATE users SET email = 1 -- code", None, Use::No),
        ] {
            let body = Body::new(&fold(text, Dialect::Postgres));
            let own: Vec<&Name> = own.into_iter().collect();
            assert_eq!(body.uses_column(&users, &Ident::folded("code"), &own, &schema()), used, "{text}");
        }
    }

    #[test]
    fn tables_that_a_body_uses() {
        for (text, used) in [
            ("SELECT 1 FROM users", Use::Sure),
            ("SELECT 1 FROM orders, users", Use::Perhaps),
            ("SELECT 1 FROM public.users", Use::Sure),
            ("SELECT 1 FROM other.users", Use::No),
            ("INSERT INTO users (email) SELECT 1", Use::Sure),
            ("SELECT users FROM orders", Use::No),
            ("SELECT users(1)", Use::No),
            ("DECLARE r users%ROWTYPE", Use::Sure),
            ("EXECUTE format('DELETE FROM users')", Use::Perhaps),
            ("RAISE 'users'", Use::No),
        ] {
            assert_eq!(Body::new(&fold(text, Dialect::Postgres)).uses_table(&name("users")), used, "{text}");
        }
    }

    #[test]
    fn routines_that_a_body_calls() {
        for (text, calls) in [
            ("SELECT f(1)", true),
            ("SELECT f FROM t", false),
            ("CREATE FUNCTION f(a int)", false),
            ("CREATE TRIGGER t BEFORE INSERT ON x EXECUTE FUNCTION f()", true),
            ("CREATE TRIGGER t BEFORE INSERT ON x EXECUTE PROCEDURE public.f()", true),
            ("CALL f", true),
            ("SELECT ff(1)", false),
        ] {
            assert_eq!(Body::new(&fold(text, Dialect::Postgres)).calls(&name("f")), calls, "{text}");
        }
    }
}
