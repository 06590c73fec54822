//! Whether a change set runs: `dbms`, contexts and labels, preconditions.
//!
//! Contexts: which are given at run time is not in the repository. A context that sounds like tests
//! (`test`, `dev`, `demo`, …) is taken to be absent in what matters: what asks for it may run or not.
//! One that names a database is decided by the dialect. Any other, also a negated one, is taken to
//! be as the change set asks.

use crate::sql::Dialect;

use super::node::Node;

/// Whether something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// It does.
    Yes,
    /// It does not, in this dialect.
    No,
    /// It may.
    Maybe,
    /// It does if what it makes is not there, or what it takes away is.
    Guarded,
}

impl Runs {
    /// Both have to hold.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            (Self::Guarded, _) | (_, Self::Guarded) => Self::Guarded,
            _ => Self::Yes,
        }
    }
}

/// The database of a word, as Liquibase names databases.
fn database(word: &str) -> Option<Option<Dialect>> {
    let dialect = match word {
        "postgresql" | "postgres" => Some(Dialect::Postgres),
        "mysql" | "mariadb" => Some(Dialect::MySql),
        "sqlite" => Some(Dialect::Sqlite),
        "mssql" | "sqlserver" => Some(Dialect::MsSql),
        "oracle" => Some(Dialect::Oracle),
        "h2" | "hsqldb" | "derby" | "db2" | "cockroachdb" | "edb" | "sybase" | "informix" | "firebird"
        | "asany" | "snowflake" | "db2z" | "hana" => None,
        _ => return None,
    };
    Some(dialect)
}

/// `dbms="postgresql, !h2"`.
pub fn dbms(dialect: Dialect, list: Option<&str>) -> Runs {
    let Some(list) = list else { return Runs::Yes };
    let (mut asked, mut met) = (false, false);
    for word in list.split(',').map(|word| word.trim().to_ascii_lowercase()) {
        match word.strip_prefix('!') {
            Some(not) if database(not.trim()) == Some(Some(dialect)) => return Runs::No,
            Some(_) => {}
            None if word == "all" => return Runs::Yes,
            None if word == "none" => return Runs::No,
            None if word.is_empty() => {}
            None => {
                asked = true;
                met |= database(&word) == Some(Some(dialect));
            }
        }
    }
    if asked && !met { Runs::No } else { Runs::Yes }
}

/// What a context is worth: given, not given, or given in tests.
fn context_word(dialect: Dialect, word: &str, negated: bool) -> (bool, bool) {
    let lower = word.to_ascii_lowercase();
    if let Some(of) = database(&lower) {
        let holds = of == Some(dialect);
        return (holds != negated, holds != negated);
    }
    let tests = ["test", "dev", "demo", "local", "sample", "fake", "ci", "it", "e2e", "mock", "seed", "sandbox"];
    let is_test = tests
        .iter()
        .any(|mark| lower == *mark || mark.len() > 2 && (lower.starts_with(mark) || lower.ends_with(mark)));
    // In production; anywhere at all.
    if is_test { (negated, true) } else { (true, true) }
}

/// A context expression: `test`, `a and !b`, `a, b`.
pub fn context(dialect: Dialect, expression: Option<&str>) -> Runs {
    let Some(expression) = expression.filter(|text| !text.trim().is_empty()) else { return Runs::Yes };
    let mut parser = Words { words: words(expression), at: 0, dialect };
    let (production, anywhere) = parser.either(0);
    match (production, anywhere) {
        (true, _) => Runs::Yes,
        (false, true) => Runs::Maybe,
        (false, false) => Runs::No,
    }
}

fn words(expression: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    let mut word = String::new();
    for char in expression.chars().take(2_000) {
        if matches!(char, '(' | ')' | '!' | ',') || char.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if !char.is_whitespace() {
                words.push(char.to_string());
            }
        } else {
            word.push(char);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

struct Words {
    words: Vec<String>,
    at: usize,
    dialect: Dialect,
}

impl Words {
    fn peek(&self) -> Option<String> {
        self.words.get(self.at).map(|word| word.to_ascii_lowercase())
    }

    fn either(&mut self, depth: usize) -> (bool, bool) {
        let mut value = self.all(depth);
        while matches!(self.peek().as_deref(), Some("or" | ",")) {
            self.at += 1;
            let other = self.all(depth);
            value = (value.0 || other.0, value.1 || other.1);
        }
        value
    }

    fn all(&mut self, depth: usize) -> (bool, bool) {
        let mut value = self.one(depth, false);
        while self.peek().as_deref() == Some("and") {
            self.at += 1;
            let other = self.one(depth, false);
            value = (value.0 && other.0, value.1 && other.1);
        }
        value
    }

    fn one(&mut self, depth: usize, negated: bool) -> (bool, bool) {
        let word = self.peek();
        let written = self.words.get(self.at).cloned();
        self.at += 1;
        match word.as_deref() {
            Some("!" | "not") if depth < 50 => self.one(depth + 1, !negated),
            Some("(") if depth < 50 => {
                let value = self.either(depth + 1);
                self.at += 1;
                // A negated group is not decided: it may be either.
                if negated { (!value.0, true) } else { value }
            }
            Some(_) => context_word(self.dialect, &written.unwrap_or_default(), negated),
            None => (true, true),
        }
    }
}

/// A change set's preconditions.
pub fn preconditions(dialect: Dialect, node: Option<&Node>) -> Runs {
    let Some(node) = node else { return Runs::Yes };
    let fail = node.get("onFail").unwrap_or("HALT").to_ascii_uppercase();
    if !matches!(fail.as_str(), "MARK_RAN" | "CONTINUE") {
        return Runs::Yes;
    }
    match all(dialect, node, 0) {
        Truth::Yes => Runs::Yes,
        Truth::No => Runs::No,
        Truth::There => Runs::Guarded,
        Truth::Unknown => Runs::Maybe,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    There,
    Unknown,
}

fn all(dialect: Dialect, node: &Node, depth: usize) -> Truth {
    let mut truth = Truth::Yes;
    for child in &node.children {
        truth = match (truth, one(dialect, child, depth)) {
            (Truth::No, _) | (_, Truth::No) => return Truth::No,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::There, _) | (_, Truth::There) => Truth::There,
            _ => Truth::Yes,
        };
    }
    truth
}

fn one(dialect: Dialect, node: &Node, depth: usize) -> Truth {
    if depth > 50 {
        return Truth::Unknown;
    }
    match node.name.as_str() {
        "and" => all(dialect, node, depth + 1),
        "not" => match all(dialect, node, depth + 1) {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            other => other,
        },
        "or" => {
            let mut truth = Truth::No;
            for child in &node.children {
                truth = match (truth, one(dialect, child, depth + 1)) {
                    (Truth::Yes, _) | (_, Truth::Yes) => return Truth::Yes,
                    (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
                    (Truth::There, _) | (_, Truth::There) => Truth::There,
                    _ => Truth::No,
                };
            }
            truth
        }
        "dbms" => match dbms(dialect, node.get("type")) {
            Runs::No => Truth::No,
            _ => Truth::Yes,
        },
        "tableExists"
        | "columnExists"
        | "indexExists"
        | "foreignKeyConstraintExists"
        | "primaryKeyExists"
        | "uniqueConstraintExists"
        | "sequenceExists"
        | "viewExists" => Truth::There,
        "onFail" | "onError" | "onFailMessage" | "onErrorMessage" | "onSqlOutput" | "onUpdateSQL" | "runningAs" => {
            Truth::Yes
        }
        _ => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Runs, context, dbms};
    use crate::sql::Dialect;

    #[test]
    fn a_list_of_databases_is_decided_by_the_dialect() {
        let cases = [
            (None, Runs::Yes),
            (Some("postgresql"), Runs::Yes),
            (Some("mysql, postgresql"), Runs::Yes),
            (Some("mysql,mariadb"), Runs::No),
            (Some("!h2"), Runs::Yes),
            (Some("!postgresql"), Runs::No),
            (Some("all"), Runs::Yes),
            (Some("h2"), Runs::No),
        ];
        for (list, expected) in cases {
            assert_eq!(dbms(Dialect::Postgres, list), expected, "{list:?}");
        }
        assert_eq!(dbms(Dialect::MySql, Some("mariadb")), Runs::Yes);
    }

    #[test]
    fn contexts_of_tests_may_run_and_others_do() {
        let cases = [
            ("", Runs::Yes),
            ("prod", Runs::Yes),
            ("test", Runs::Maybe),
            ("!test", Runs::Yes),
            ("tenant_db AND !initial_switch", Runs::Yes),
            ("tenant AND dev", Runs::Maybe),
            ("prod, dev", Runs::Yes),
            ("postgresql", Runs::Yes),
            ("mysql", Runs::No),
            ("!mysql", Runs::Yes),
            ("prod and (mysql or oracle)", Runs::No),
            ("not (test)", Runs::Yes),
            ("testing or ci", Runs::Maybe),
        ];
        for (expression, expected) in cases {
            assert_eq!(context(Dialect::Postgres, Some(expression)), expected, "{expression}");
        }
    }
}
