//! Every step that a branch took: would it have been let in?
//!
//! A step is a commit on the branch's first-parent chain: what it brought is judged against the commit
//! before it, whose code ran until then. Needs no config, no token and no service.

use git2::{Commit, Repository, Sort};
use serde::Serialize;
use towpath_compat::check::{Question, Running, Settings, check_with};
use towpath_compat::migration::Memo;
use towpath_compat::{CompatReport, Verdict};
use towpath_core::model::Instant;
use towpath_core::text::one_line;

use super::{Cannot, GitTree, short};

/// How many steps are judged at most.
const STEPS_MAX: usize = 100_000;

/// Which steps.
pub struct HistoryOf<'a> {
    /// The newest one.
    pub tip: Commit<'a>,
    /// None that was committed before that.
    pub since: Option<Instant>,
    /// What the owner said of the migrations.
    pub settings: Settings,
}

/// One step that changed migrations.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The commit.
    pub commit: String,
    /// The one before it.
    pub before: String,
    /// Its first line.
    pub subject: String,
    /// When it was committed.
    pub at: Instant,
    /// What was found.
    #[serde(flatten)]
    pub report: CompatReport,
}

/// What a branch's steps came to.
#[derive(Debug, Clone, Serialize)]
pub struct Steps {
    /// How many steps were looked at.
    pub looked_at: usize,
    /// How many of them changed migrations.
    pub with_migrations: usize,
    /// How many of them would have been refused.
    pub refused: usize,
    /// How many would have needed a person's look.
    pub needed_review: usize,
    /// Those in which something was found, newest first.
    pub steps: Vec<Step>,
}

/// Judges every step.
///
/// # Errors
/// If git's objects cannot be read.
pub fn of_history(repository: &Repository, of: &HistoryOf<'_>) -> Result<Steps, Cannot> {
    let mut walk = repository.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.simplify_first_parent()?;
    walk.push(of.tip.id())?;
    let memo = Memo::default();
    let mut older: Option<(git2::Oid, GitTree<'_>)> = None;
    let mut steps = Steps { looked_at: 0, with_migrations: 0, refused: 0, needed_review: 0, steps: Vec::new() };
    for id in walk.take(STEPS_MAX) {
        let commit = repository.find_commit(id?)?;
        let at = Instant(commit.time().seconds().saturating_mul(1_000));
        if of.since.is_some_and(|since| at < since) {
            break;
        }
        // The first commit of all has nothing that ran before it; a shallow clone lacks the parent.
        let Ok(before) = commit.parent(0) else { break };
        steps.looked_at += 1;
        let head = match older.take() {
            Some((id, tree)) if id == commit.id() => tree,
            _ => GitTree::read(repository, &commit.tree()?)?,
        };
        let base = GitTree::read(repository, &before.tree()?)?;
        let running = vec![Running { name: short(&before), tree: &base }];
        let question = Question { base: vec![&base], head: &head, running, settings: of.settings.clone() };
        let report = check_with(&question, &memo);
        drop(question);
        // It is the head of the next step.
        older = Some((before.id(), base));
        if report.migrations == 0 && report.findings.is_empty() {
            continue;
        }
        steps.with_migrations += 1;
        match report.verdict() {
            Verdict::Incompatible => steps.refused += 1,
            Verdict::NeedsReview => steps.needed_review += 1,
            Verdict::Compatible => {}
        }
        if !report.findings.is_empty() {
            let subject = one_line(commit.summary().ok().flatten().unwrap_or_default(), 100);
            steps.steps.push(Step { commit: short(&commit), before: short(&before), subject, at, report });
        }
    }
    Ok(steps)
}
