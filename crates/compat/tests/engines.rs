//! Labels proven on real engines: base applied, old code's statements run, the range applied, the
//! same statements run again.
//!
//! A label that an engine contradicts is wrong. Incompatible cases must fail the second time,
//! compatible ones must not; nothing is asked of those that need review. SQL Server and Oracle cannot
//! be had here: their labels rest on their documentation.
//!
//! `TOWPATH_SKIP_ENGINES=1` leaves it out where the engines are not installed.

#[allow(dead_code, reason = "the judgement's part of a case is not used here")]
mod case;
#[path = "engines/mariadb.rs"]
mod mariadb;
#[path = "engines/postgres.rs"]
mod postgres;
#[path = "engines/server.rs"]
mod server;
#[path = "engines/sqlite.rs"]
mod sqlite;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::Case;
use towpath_compat::Verdict;
use towpath_compat::sql::Dialect;

/// A database system that was started for this test.
trait Engine: Sync {
    /// Begins a script: an empty database of this name, and into it.
    fn begin_in(&self, database: &str) -> String;

    /// A line of a script that prints a word.
    fn print(&self, word: &str) -> String;

    /// Statements in one transaction that is rolled back.
    fn rolled_back(&self, sql: &str) -> String;

    /// Runs a script up to the first statement that fails: what it printed, and what was wrong.
    fn run(&self, database: &str, script: &str) -> (String, Result<(), String>);
}

/// At least this many cases are proven on each engine. Only ever raised.
const PROVEN_POSTGRES: usize = 554;
const PROVEN_MARIADB: usize = 143;
const PROVEN_SQLITE: usize = 104;

#[test]
fn labels_of_postgres_are_true() {
    if skipped() {
        return;
    }
    let engine = postgres::Postgres::start().unwrap_or_else(|why| panic!("{why}"));
    prove_all(&engine, Dialect::Postgres, PROVEN_POSTGRES);
}

#[test]
fn labels_of_mysql_are_true_on_mariadb() {
    if skipped() {
        return;
    }
    let engine = mariadb::MariaDb::start().unwrap_or_else(|why| panic!("{why}"));
    prove_all(&engine, Dialect::MySql, PROVEN_MARIADB);
}

#[test]
fn labels_of_sqlite_are_true() {
    if skipped() {
        return;
    }
    let engine = sqlite::Sqlite::start().unwrap_or_else(|why| panic!("{why}"));
    prove_all(&engine, Dialect::Sqlite, PROVEN_SQLITE);
}

fn skipped() -> bool {
    std::env::var_os("TOWPATH_SKIP_ENGINES").is_some_and(|value| value == "1")
}

#[allow(clippy::print_stdout, reason = "how many were proven is what people want to know")]
fn prove_all(engine: &dyn Engine, dialect: Dialect, at_least: usize) {
    let cases: Vec<Case> = case::all()
        .into_iter()
        .filter(|case| case.dialect == Some(dialect) && case.client().is_some())
        .filter(|case| case.verdict != Verdict::NeedsReview)
        .collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    if let Err(why) = prove(engine, case, &format!("case_{at}")) {
                        wrong.lock().expect("no thread panicked").push(format!("{}: {why}", case.id()));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no thread panicked");
    wrong.sort();
    println!("{} of {} cases proven on {}", cases.len() - wrong.len(), cases.len(), dialect.id());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases.len() >= at_least, "{} cases, {at_least} were proven before", cases.len());
}

/// The steps of a proof, as they are printed by its script.
const DATABASE: &str = "step-database";
const BASE: &str = "step-base";
const BEFORE: &str = "step-before";
const HEAD: &str = "step-head";
const AFTER: &str = "step-after";

fn prove(engine: &dyn Engine, case: &Case, database: &str) -> Result<(), String> {
    let client = engine.rolled_back(case.client().unwrap_or_default());
    let head = case.head_sql();
    if head.is_empty() {
        return Err("no SQL to apply".to_owned());
    }
    let steps = [
        (DATABASE, engine.begin_in(database)),
        (BASE, case.base_sql().join("\n;\n")),
        (BEFORE, client.clone()),
        (HEAD, head.join("\n;\n")),
        (AFTER, client),
    ];
    let script: String = steps.iter().map(|(step, sql)| format!("{}\n{sql}\n;\n", engine.print(step))).collect();
    let (printed, outcome) = engine.run(database, &script);
    let begun = [AFTER, HEAD, BEFORE, BASE, DATABASE].into_iter().find(|step| printed.contains(step));
    match (begun, outcome, case.verdict) {
        (Some(AFTER), Ok(()), Verdict::Incompatible) => Err("incompatible, and old code goes on".to_owned()),
        (Some(AFTER), Err(error), Verdict::Compatible) => Err(format!("compatible, and old code fails: {error}")),
        (Some(AFTER), _, _) => Ok(()),
        (step, outcome, _) => Err(format!("{}: {}", step.unwrap_or("nothing"), outcome.err().unwrap_or_default())),
    }
}
