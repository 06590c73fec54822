//! Running code is asked about the names that go away, and what it says is put into words.

use std::collections::BTreeMap;

use super::Question;
use crate::Verdict::{Compatible, Incompatible, NeedsReview};
use crate::evidence::{Asked, Evidence, Known, Searcher};
use crate::rules::{Change, rule};
use crate::{Finding, Grade, Place, RunningEvidence, Verdict};

/// A finding before running code was asked.
pub struct Draft {
    /// What was found.
    pub change: Change,
    /// Where.
    pub at: Place,
    /// The migration's key.
    pub migration: String,
    /// The content's id.
    pub blob: String,
    /// The statement.
    pub statement: String,
    /// Where this history's migrations lie.
    pub migrations: Vec<String>,
}

/// Asks every running tree once for all names.
pub fn settle(question: &Question<'_>, drafts: Vec<Draft>) -> Vec<Finding> {
    let mut asked: Vec<(Asked, Known)> = drafts.iter().filter_map(|draft| draft.change.asked.clone()).collect();
    asked.extend(drafts.iter().flat_map(|draft| siblings(&draft.change)).map(|asked| (asked, Known::default())));
    asked.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.required.cmp(&other.1.required)));
    asked.dedup_by(|one, other| one.0 == other.0 && one.1.required == other.1.required);
    let mut migrations: Vec<String> = drafts.iter().flat_map(|draft| draft.migrations.iter().cloned()).collect();
    migrations.sort();
    migrations.dedup();
    let mut answers: BTreeMap<(Asked, bool), Vec<RunningEvidence>> = BTreeMap::new();
    if !asked.is_empty() {
        // Commits that run at the same time share most of their files.
        let searcher = Searcher::default();
        for running in &question.running {
            let found = searcher.search(running.tree, &migrations, &asked);
            for (at, (asked, known)) in asked.iter().enumerate() {
                let answer = said(&running.name, found.get(at));
                answers.entry((asked.clone(), known.required)).or_default().push(answer);
            }
        }
    }
    drafts
        .into_iter()
        .filter_map(|draft| {
            let mut evidence = draft
                .change
                .asked
                .as_ref()
                .and_then(|(asked, known)| answers.get(&(asked.clone(), known.required)))
                .cloned()
                .unwrap_or_default();
            let spoken = |of: &Asked, at: usize| {
                answers
                    .get(&(of.clone(), false))
                    .and_then(|said| said.get(at))
                    .is_some_and(|said| !said.hits.is_empty())
            };
            let siblings = siblings(&draft.change);
            for (at, said) in evidence.iter_mut().enumerate() {
                if !siblings.is_empty() && said.grade < Some(Grade::E2) && !siblings.iter().any(|of| spoken(of, at))
                {
                    from_outside(said);
                }
            }
            let quiet = is_quiet(&draft.change) && evidence.iter().all(|said| said.grade < Some(Grade::E2));
            (!quiet).then(|| finding(draft, evidence))
        })
        .collect()
}

/// The other values of an enum that loses one, as questions of their own.
fn siblings(change: &Change) -> Vec<Asked> {
    match &change.asked {
        Some((Asked::Value(_, tables), known)) => {
            known.siblings.iter().map(|value| Asked::Value(value.clone(), tables.clone())).collect()
        }
        _ => vec![],
    }
}

/// Code that says no value of an enum at all writes what it is given.
fn from_outside(said: &mut RunningEvidence) {
    if said.grade.is_some() {
        said.grade = Some(Grade::E2);
        said.mapper = Some("the code says none of the enum's values, so they come from outside of it".to_owned());
    }
}

/// Whether only code that is found makes it worth a word: nearly every range adds a column.
fn is_quiet(change: &Change) -> bool {
    matches!(&change.asked, Some((Asked::Positions(..) | Asked::Index(..), _)))
}

fn said(commit: &str, evidence: Option<&Evidence>) -> RunningEvidence {
    let files = evidence.map_or(0, |evidence| evidence.files);
    RunningEvidence {
        commit: commit.to_owned(),
        grade: evidence.filter(|_| files > 0).map(|evidence| evidence.grade),
        forms: evidence.map(|evidence| evidence.forms.clone()).unwrap_or_default(),
        hits: evidence.map(|evidence| evidence.hits.clone()).unwrap_or_default(),
        files,
        mapper: evidence.and_then(|evidence| evidence.mapper.clone()),
    }
}

/// An upsert that is found makes it certain; that none is proves nothing.
fn settle_upsert(change: &mut Change, evidence: &mut Vec<RunningEvidence>) {
    if evidence.iter().any(|said| said.grade == Some(Grade::E3)) {
        change.verdict = Incompatible;
    } else {
        change.asked = None;
        evidence.clear();
    }
}

fn finding(draft: Draft, mut evidence: Vec<RunningEvidence>) -> Finding {
    let mut change = draft.change;
    if matches!(change.asked, Some((Asked::Upsert(..), _))) {
        settle_upsert(&mut change, &mut evidence);
    }
    let proved = !evidence.is_empty() && evidence.iter().all(|said| said.grade.is_some());
    let grade = evidence.iter().filter_map(|said| said.grade).max();
    let verdict = match grade.filter(|_| proved) {
        Some(Grade::E0 | Grade::E1) => Compatible,
        Some(Grade::E2) => NeedsReview,
        Some(Grade::E3) if !says(change.apart.as_deref(), &evidence) => NeedsReview,
        Some(Grade::E3) | None => change.verdict,
    };
    let (message, hint) = words(&change, &evidence, verdict);
    let mut advice: Vec<String> =
        rule(change.rule).map(|rule| rule.recipe.iter().map(|&line| line.to_owned()).collect()).unwrap_or_default();
    advice.splice(0..0, hint);
    Finding {
        rule: change.rule.to_owned(),
        verdict,
        at: draft.at,
        migration: draft.migration,
        blob: draft.blob,
        object: change.object,
        statement: draft.statement,
        message,
        before: change.before,
        after: change.after,
        evidence,
        grade,
        advice: advice.join(" "),
        accepted_by: None,
    }
}

/// Whether some place says what tells the name from another one, where that is needed. In a text within
/// quotes a quote has a stroke before it.
fn says(apart: Option<&str>, evidence: &[RunningEvidence]) -> bool {
    let Some(apart) = apart else { return true };
    let quoted = apart.strip_suffix('"').map(|name| format!("{name}\\\""));
    evidence
        .iter()
        .flat_map(|said| &said.hits)
        .any(|hit| hit.text.contains(apart) || quoted.as_deref().is_some_and(|quoted| hit.text.contains(quoted)))
}

/// The sentence, and where the code is that has to change first.
fn words(change: &Change, evidence: &[RunningEvidence], verdict: Verdict) -> (String, Option<String>) {
    if change.asked.is_none() || evidence.is_empty() {
        return (change.words.clone(), None);
    }
    if verdict == Compatible {
        let commits: Vec<&str> = evidence.iter().map(|said| said.commit.as_str()).collect();
        let uses = if commits.len() == 1 { "no longer uses" } else { "no longer use" };
        return (joined(&change.words, &listed(&commits), uses), None);
    }
    if let Some(silent) = evidence.iter().find(|said| said.grade.is_none()) {
        let words =
            format!("{}, and no code was found in {} that would show it is unused", change.words, silent.commit);
        return (words, None);
    }
    let Some(worst) = evidence.iter().max_by_key(|said| said.grade) else { return (change.words.clone(), None) };
    let uses =
        if verdict == Incompatible || worst.grade == Some(Grade::E3) { "still uses" } else { "may still use" };
    let message = joined(&change.words, &worst.commit, uses);
    let hint = worst.hits.first().map(|hit| {
        let more = others(worst.hits.len());
        format!("Change {}:{}{more} first (`{}`).", hit.at.path, hit.at.line, hit.text)
    });
    let mapper = worst.mapper.as_ref().map(|rule| format!("{}.", capital(rule)));
    (message, hint.or(mapper))
}

/// What is done, and who uses what it is done to.
fn joined(words: &str, commit: &str, uses: &str) -> String {
    // One relative clause is enough.
    if words.contains(", which ") || words.contains(';') {
        format!("{words}; {commit} {uses} it")
    } else {
        format!("{words}, which {commit} {uses}")
    }
}

/// How many places there are besides the first.
fn others(places: usize) -> String {
    match places {
        0 | 1 => String::new(),
        2 => " and 1 more place".to_owned(),
        more => format!(" and {} more places", more - 1),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// The first letter a capital, where that is a word's and not a name's.
fn capital(text: &str) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{capital, joined, listed, others};

    #[test]
    fn sentences_have_one_relative_clause_and_the_right_number() {
        let cases = [
            ("drops table a", "drops table a, which c0ffee still uses"),
            ("breaks view v, which uses a.b", "breaks view v, which uses a.b; c0ffee still uses it"),
            (
                "renames a to b; a step after 2 mends it",
                "renames a to b; a step after 2 mends it; c0ffee still uses it",
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(joined(words, "c0ffee", "still uses"), expected);
        }
        assert_eq!(["", "a", "a and b", "a, b and c"], [0, 1, 2, 3].map(|count| listed(&["a", "b", "c"][..count])));
        assert_eq!(["", "", " and 1 more place", " and 2 more places"], [0, 1, 2, 3].map(others));
        assert_eq!(capital("the column refuses NULL"), "The column refuses NULL");
        assert_eq!(capital("app/models.py joins a to b"), "app/models.py joins a to b");
    }
}
