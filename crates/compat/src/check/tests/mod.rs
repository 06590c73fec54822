//! The whole question, asked of small trees.

mod columns;
mod examples;
mod histories;
mod limits;
mod objects;
mod running;
mod tables;

use super::{Question, Running, Settings, check};
use crate::sql::Dialect;
use crate::tree::{MemoryTree, Tree};
use crate::{CompatReport, Verdict};

/// Files of golang-migrate, numbered from 1.
fn files(texts: &[&str]) -> Vec<(String, String)> {
    texts
        .iter()
        .enumerate()
        .map(|(number, text)| (format!("migrations/{:06}_x.up.sql", number + 1), (*text).to_owned()))
        .collect()
}

/// What is found where the base has the first texts and the head has all.
fn report(dialect: Dialect, base: &[&str], range: &[&str]) -> CompatReport {
    let mut all = base.to_vec();
    all.extend_from_slice(range);
    let (base, head) = (MemoryTree::new(files(base)), MemoryTree::new(files(&all)));
    asked(dialect, &base, &head, &[])
}

fn asked(dialect: Dialect, base: &MemoryTree, head: &MemoryTree, running: &[&MemoryTree]) -> CompatReport {
    check(&Question {
        base: vec![base as &dyn Tree],
        head,
        running: running
            .iter()
            .enumerate()
            .map(|(number, tree)| Running { name: format!("run{number}"), tree: *tree })
            .collect(),
        settings: Settings { dialect: Some(dialect), ..Settings::default() },
    })
}

/// `rule! object` for what is incompatible, `rule? object` for what needs review, `rule object` else.
fn told(report: &CompatReport) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let mark = match finding.verdict {
                Verdict::Incompatible => "!",
                Verdict::NeedsReview => "?",
                Verdict::Compatible => "",
            };
            format!("{}{mark} {}", finding.rule, finding.object)
        })
        .collect()
}

/// Base, range (`=====` between files), and what is told, joined by `; `.
type Row = (&'static str, &'static str, &'static str);

fn table(dialect: Dialect, rows: &[Row]) {
    let mut wrong = String::new();
    for (base, range, wanted) in rows {
        let range: Vec<&str> = range.split("=====").collect();
        // Nothing at all is no history, and what was there before is not known.
        let base: &[&str] = if base.is_empty() { &[] } else { &[base] };
        let found = report(dialect, base, &range);
        let told = told(&found).join("; ");
        if told != *wanted {
            wrong += &format!("\n{base:?}\n  {range:?}\n  wanted {wanted:?}\n  found  {told:?}\n");
            for finding in &found.findings {
                wrong += &format!("    {}\n", finding.message);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
