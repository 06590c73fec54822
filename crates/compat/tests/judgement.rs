//! The labelled cases, judged: figures for both parts, and each case of the part that may be looked at.
//!
//! `tests/cases/tune` may be looked at while the gate is mended. `tests/cases/kept` may not: of it
//! only figures are shown, unless `TOWPATH_SHOW_KEPT=1`.

#[allow(dead_code, reason = "the engines' part of a case is not used here")]
mod case;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use case::{Case, Part};
use towpath_compat::check::{Question, Running, Settings, check};
use towpath_compat::tree::Tree;
use towpath_compat::{CompatReport, Verdict};

/// A case and what the gate said of it.
struct Judged {
    case: Case,
    /// `None`: it panicked.
    report: Option<CompatReport>,
}

impl Judged {
    fn verdict(&self) -> Option<Verdict> {
        self.report.as_ref().map(CompatReport::verdict)
    }

    fn right(&self) -> bool {
        self.verdict().is_some_and(|verdict| self.case.allows(verdict))
    }

    /// For a person who wants to mend it.
    fn words(&self) -> String {
        let mut words = format!(
            "{} ({}): {:?} where {:?} is true. {}\n",
            self.case.id(),
            self.case.rule,
            self.verdict(),
            self.case.verdict,
            self.case.about
        );
        for finding in self.report.iter().flat_map(|report| &report.findings) {
            words += &format!(
                "    {} {:?} {:?} {}:{} {}\n",
                finding.rule, finding.verdict, finding.grade, finding.at.path, finding.at.line, finding.message
            );
        }
        words
    }
}

fn judge(case: Case) -> Judged {
    let (base, head, running) = (case.base(), case.head(), case.running());
    let question = Question {
        base: vec![&base as &dyn Tree],
        head: &head,
        running: vec![Running { name: "running".to_owned(), tree: &running }],
        settings: Settings {
            framework: case.framework.clone(),
            dialect: case.dialect,
            schema: case.schema_text(),
            ..Settings::default()
        },
    };
    let report = catch_unwind(AssertUnwindSafe(|| check(&question))).ok();
    Judged { case, report }
}

fn judged() -> Vec<Judged> {
    case::all().into_iter().map(judge).collect()
}

/// What is counted of some cases.
#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    cases: u32,
    traps: u32,
    strict: u32,
    incompatible: u32,
    caught: u32,
    compatible: u32,
    blocked: u32,
    unreadable_passed: u32,
    panicked: u32,
}

impl Figures {
    fn add(&mut self, judged: &Judged) {
        let (label, verdict) = (judged.case.verdict, judged.verdict());
        let passed = verdict == Some(Verdict::Compatible);
        self.cases += 1;
        self.traps += u32::from(judged.case.trap);
        self.strict += u32::from(verdict == Some(label));
        self.incompatible += u32::from(label == Verdict::Incompatible);
        self.caught += u32::from(label == Verdict::Incompatible && !passed);
        self.compatible += u32::from(label == Verdict::Compatible);
        self.blocked += u32::from(label == Verdict::Compatible && !passed);
        self.unreadable_passed += u32::from(judged.case.rule == "unreadable" && passed);
        self.panicked += u32::from(judged.report.is_none());
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<22} {:>5} {:>5}  {:>7}  {:>7} {:>9}  {:>7} {:>9}  {:>6} {:>6}",
            self.cases,
            self.traps,
            percent(self.strict, self.cases),
            percent(self.caught, self.incompatible),
            format!("{}/{}", self.caught, self.incompatible),
            percent(self.blocked, self.compatible),
            format!("{}/{}", self.blocked, self.compatible),
            self.unreadable_passed,
            self.panicked,
        )
    }
}

fn percent(part: u32, whole: u32) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", hundredfold(part, whole)) }
}

fn hundredfold(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * f64::from(part) / f64::from(whole) }
}

/// The total of each part.
fn figures_of(all: &[Judged], part: Part) -> Figures {
    let mut figures = Figures::default();
    all.iter().filter(|judged| judged.case.part == part).for_each(|judged| figures.add(judged));
    figures
}

fn table(all: &[Judged]) -> String {
    let mut lines = vec![];
    for (part, title) in [(Part::Tune, "looked at"), (Part::Kept, "kept aside")] {
        let mut families: BTreeMap<&str, Figures> = BTreeMap::new();
        for judged in all.iter().filter(|judged| judged.case.part == part) {
            families.entry(&judged.case.family).or_default().add(judged);
        }
        lines.push(format!(
            "{title:<22} {:>5} {:>5}  {:>7}  {:>17}  {:>17}  {:>6} {:>6}",
            "cases", "traps", "strict", "incompatible not", "compatible", "unread", "panic"
        ));
        lines.push(format!("{:<44} {:>17}  {:>17}  {:>6}", "", "passed", "blocked", "passed"));
        lines.extend(families.iter().map(|(family, figures)| figures.line(family)));
        lines.push(figures_of(all, part).line("total"));
        lines.push(String::new());
    }
    lines.join("\n")
}

/// `scripts/judgement` shows what this prints.
#[test]
fn figures() {
    let all = judged();
    println!("{}", table(&all));
    if std::env::var_os("TOWPATH_SHOW_KEPT").is_some_and(|value| value == "1") {
        for judged in all.iter().filter(|judged| judged.case.part == Part::Kept && !judged.right()) {
            println!("{}", judged.words());
        }
    }
}

#[test]
fn there_are_enough_cases_and_most_are_traps() {
    let all = case::all();
    let (kept, traps) =
        (all.iter().filter(|case| case.part == Part::Kept).count(), all.iter().filter(|case| case.trap).count());
    assert!(all.len() >= 330, "{} cases", all.len());
    assert!(traps * 2 > all.len(), "{traps} traps of {}", all.len());
    // A third of those that there were when it was set aside: what is mended later adds to the other part.
    assert!(kept >= 200, "{kept} of {} are kept aside", all.len());
}

#[test]
fn every_case_that_may_be_looked_at_is_judged_as_labelled() {
    let listed = std::fs::read_to_string(case::directory_of_cases().join("expected_failures.txt"))
        .expect("expected_failures.txt");
    let expected: Vec<&str> =
        listed.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let all = judged();
    let mut wrong = String::new();
    for judged in all.iter().filter(|judged| judged.case.part == Part::Tune) {
        match (judged.right(), expected.contains(&judged.case.id().as_str())) {
            (false, false) => wrong += &judged.words(),
            (true, true) => {
                wrong += &format!("{} is right now: take it off the list\n", judged.case.id());
            }
            _ => {}
        }
    }
    for id in &expected {
        if !all.iter().any(|judged| judged.case.part == Part::Tune && judged.case.id() == *id) {
            wrong += &format!("{id} is on the list and is no case\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What no sentence for people may have: two relative clauses in a row, a wrong number, a name of Rust's.
fn unplain(sentence: &str) -> Option<&'static str> {
    const RUST: &[&str] = &["Some(", "None", "NotAFile", "TooLarge", "Unread", "Unknown", "Maybe", "_KW", "IDENT"];
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let plural = |word: &str| {
        let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        ["files", "places", "migrations", "steps", "columns", "rows", "heads", "statements", "bytes"]
            .contains(&word)
    };
    let wrong_number = |pair: &[&str]| pair[0] == "1" && plural(pair[1]);
    if words.windows(2).any(wrong_number) || words.windows(3).any(|three| wrong_number(&[three[0], three[2]])) {
        Some("one of a plural")
    } else if sentence.matches(", which ").count() > 1 {
        Some("two relative clauses")
    } else if RUST.iter().any(|name| sentence.contains(name)) {
        Some("a name of Rust's")
    } else if sentence.contains("  ")
        || sentence.contains(" ,")
        || sentence.contains("..") && !sentence.contains('/')
    {
        Some("blanks or full stops")
    } else {
        None
    }
}

#[test]
fn every_sentence_is_plain_english() {
    let mut wrong = String::new();
    for judged in judged().iter().filter(|judged| judged.case.part == Part::Tune) {
        for finding in judged.report.iter().flat_map(|report| &report.findings) {
            // What code says itself is its own.
            let own = finding.message.split('`').step_by(2).collect::<Vec<_>>().join("it");
            let advice = finding.advice.split('`').step_by(2).collect::<Vec<_>>().join("it");
            let mappers = finding.evidence.iter().filter_map(|evidence| evidence.mapper.clone());
            for sentence in [own, advice].into_iter().chain(mappers) {
                if let Some(why) = unplain(&sentence) {
                    wrong += &format!("{}: {why}: {sentence}\n", judged.case.id());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    for sentence in ["a, which b, which c", "Change 1 files", "and 1 more places", "it is NotAFile"] {
        assert!(unplain(sentence).is_some(), "{sentence}");
    }
}

#[test]
fn what_was_kept_aside_is_judged_as_well_as_was_reached() {
    let kept = figures_of(&judged(), Part::Kept);
    let thresholds = thresholds();
    let at_least = |name: &str, reached: f64| {
        let wanted = thresholds.get(name).copied().unwrap_or_else(|| panic!("thresholds.toml has no {name}"));
        assert!(reached >= wanted, "{name}: {reached:.1} of {wanted:.1} %");
    };
    at_least("incompatible_not_passed", hundredfold(kept.caught, kept.incompatible));
    at_least("compatible_not_blocked", 100.0 - hundredfold(kept.blocked, kept.compatible));
    at_least("strict", hundredfold(kept.strict, kept.cases));
    assert_eq!((kept.unreadable_passed, kept.panicked), (0, 0), "unreadable ones passed, panics");
}

fn thresholds() -> BTreeMap<String, f64> {
    std::fs::read_to_string(case::directory_of_cases().join("thresholds.toml"))
        .expect("thresholds.toml")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
        .collect()
}
