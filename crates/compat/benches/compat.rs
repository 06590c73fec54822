//! How fast migrations are read, and how long a range takes on a repository of realistic size.
//!
//! A plain program without a framework: each case runs in rounds, and the table has the fastest and
//! the median round. The files are made here, the same each time: `--write DIR` writes them out, for
//! another program to be measured on.
//!
//! `cargo bench -p towpath-compat --bench compat`; `scripts/bench compat` runs it with squawk beside it.
#![allow(missing_docs, clippy::print_stdout)]

#[path = "compat/made.rs"]
mod made;

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant as Stopwatch};

use towpath_compat::CompatReport;
use towpath_compat::check::{Question, Running, Settings, check, check_with};
use towpath_compat::migration::{Limits, Memo};
use towpath_compat::sql::{Dialect, read};
use towpath_compat::tree::{MemoryTree, Tree};

const ROUNDS: usize = 9;

/// Of how many files of history, and how many of the range.
const HISTORY: usize = 1_000;
const RANGE: usize = 5;

/// How much code runs.
const SOURCES: usize = 3_000;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time, and decides nothing by it")]
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Stopwatch::now();
    black_box(work());
    start.elapsed()
}

/// The fastest and the median of some rounds, in milliseconds.
fn rounds(mut round: impl FnMut() -> Duration) -> (f64, f64) {
    round();
    let mut took: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    took.sort();
    (took[0].as_secs_f64() * 1e3, took[ROUNDS / 2].as_secs_f64() * 1e3)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [] => {}
        [flag, directory] if flag == "--write" => return write(Path::new(directory)),
        _ => {
            println!("usage: compat [--write DIR]");
            return ExitCode::from(2);
        }
    }
    reading();
    println!();
    asking();
    ExitCode::SUCCESS
}

/// The dialects of (a), each with its file names' ending.
const READ: [Dialect; 2] = [Dialect::Postgres, Dialect::MySql];

fn write(directory: &Path) -> ExitCode {
    for dialect in READ {
        let to = directory.join(dialect.id());
        let written = std::fs::create_dir_all(&to).and_then(|()| {
            made::migrations(dialect, HISTORY + RANGE).into_iter().try_for_each(|(path, text)| {
                std::fs::write(to.join(path.rsplit('/').next().unwrap_or_default()), text)
            })
        });
        if let Err(error) = written {
            println!("{}: {error}", to.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn reading() {
    println!("| SQL to operations | files | bytes | steps | unread | ms (least / median) | MB/s (most / median) |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for dialect in READ {
        let texts: Vec<String> =
            made::migrations(dialect, HISTORY + RANGE).into_iter().map(|file| file.1).collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        let all = || texts.iter().map(|text| read(dialect, text, Limits::default())).collect::<Vec<_>>();
        let steps = all().concat();
        let unread = steps.iter().filter(|step| format!("{:?}", step.operation).starts_with("Unread")).count();
        let (least, median) = rounds(|| timed(all));
        let speed = |ms: f64| bytes as f64 / 1e6 / (ms / 1e3);
        println!(
            "| {} | {} | {bytes} | {} | {unread} | {least:.1} / {median:.1} | {:.1} / {:.1} |",
            dialect.id(),
            texts.len(),
            steps.len(),
            speed(least),
            speed(median)
        );
    }
}

/// A repository: what it was, what it will be, and what runs.
struct Repository {
    base: MemoryTree,
    head: MemoryTree,
    dialect: Dialect,
}

impl Repository {
    fn new(dialect: Dialect) -> Self {
        let (all, code) = (made::migrations(dialect, HISTORY + RANGE), made::sources(SOURCES));
        let base = MemoryTree::new(all.iter().take(HISTORY).chain(&code).cloned());
        let head = MemoryTree::new(all.iter().chain(&code).cloned());
        Self { base, head, dialect }
    }

    fn question(&self) -> Question<'_> {
        Question {
            base: vec![&self.base as &dyn Tree],
            head: &self.head,
            running: vec![Running { name: "c0ffee12".to_owned(), tree: &self.base }],
            settings: Settings { dialect: Some(self.dialect), ..Settings::default() },
        }
    }
}

fn asking() {
    let code: usize = made::sources(SOURCES).iter().map(|(_, text)| text.len()).sum();
    println!("{HISTORY} files of history and {RANGE} that come; {SOURCES} files of code, {code} bytes, that run.");
    println!();
    println!("| check | dialect | ms (least / median) | migrations | findings | verdict |");
    println!("|---|---|--:|--:|--:|---|");
    for dialect in READ {
        let repository = Repository::new(dialect);
        let question = repository.question();
        let cold = rounds(|| timed(|| check(&question)));
        row("first look", dialect, cold, &check(&question));
        // Another commit runs, so that the files are known and the answer is not.
        let memo = Memo::default();
        let other = |name: usize| {
            let running = vec![Running { name: format!("{name:08}"), tree: &repository.base as &dyn Tree }];
            Question { running, ..repository.question() }
        };
        let mut name = 0;
        let known = rounds(|| {
            name += 1;
            let question = other(name);
            timed(|| check_with(&question, &memo))
        });
        row("first look, its migrations were read", dialect, known, &check_with(&question, &memo));
        let again = rounds(|| timed(|| check_with(&question, &memo)));
        row("second look at the same trees", dialect, again, &check_with(&question, &memo));
        assert_eq!(check_with(&question, &memo), check(&question), "what is remembered changes no answer");
        let same = Question { head: &repository.base, ..repository.question() };
        row("nothing comes", dialect, rounds(|| timed(|| check(&same))), &check(&same));
    }
}

fn row(name: &str, dialect: Dialect, (least, median): (f64, f64), report: &CompatReport) {
    println!(
        "| {name} | {} | {least:.1} / {median:.1} | {} | {} | {:?} |",
        dialect.id(),
        report.migrations,
        report.findings.len(),
        report.verdict()
    );
}
