//! `check-migrations`: judges migrations of a repository here; needs no config, no store and no service.
//!
//! Not here: what is judged (`towpath-compat`), and how it is laid out (`migrations`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use git2::Repository;
use towpath_compat::check::Settings;
use towpath_compat::frameworks::{detect, rows};
use towpath_compat::rules::{Family, list_rules};
use towpath_compat::sql::Dialect;
use towpath_compat::tree::Tree as _;
use towpath_compat::{CompatReport, Verdict};
use towpath_core::model::{Instant, Span};
use towpath_core::text::one_line;

use super::Failure;
use super::exit::Exit;
use super::out::{Format, Out, complain};
use crate::clock::Clock;
use crate::migrations::{self, ACCEPTED_PATH, Accepted, Asked, Cannot, GitTree, HistoryOf, Shown, Steps};

/// `check-migrations`.
#[derive(Debug, ClapArgs)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["base", "head", "history", "list_rules", "questions"])))]
pub struct CheckMigrations {
    /// Answers the questions of a service, which come in as lines of JSON
    #[arg(long, hide = true, conflicts_with_all = ["base", "head", "history", "list_rules"])]
    pub questions: bool,
    /// The commit whose migrations the database has; more than one where several were applied
    #[arg(long, value_name = "REV", requires = "head", conflicts_with_all = ["history", "list_rules"])]
    pub base: Vec<String>,
    /// The commit whose migrations will be applied
    #[arg(long, value_name = "REV", requires = "base", conflicts_with_all = ["history", "list_rules"])]
    pub head: Option<String>,
    /// A commit whose code runs meanwhile; more than one where several do [default: the base]
    #[arg(long, value_name = "REV", requires = "head")]
    pub running: Vec<String>,
    /// Judges every step that a branch took, each against the commit before it [default: HEAD]
    #[arg(long, value_name = "BRANCH", num_args = 0..=1, default_missing_value = "HEAD", conflicts_with = "list_rules")]
    pub history: Option<String>,
    /// How far back, such as 90d
    #[arg(long, value_name = "90d", requires = "history", value_parser = Span::parse)]
    pub since: Option<Span>,
    /// Prints the entries of `.towpath/accepted.toml` that would accept what is found, instead of the findings
    #[arg(long, requires = "base")]
    pub acceptances: bool,
    /// Prints the rules, each with its reason and the way out
    #[arg(long)]
    pub list_rules: bool,
    /// The repository, or a folder in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// The schema of the base as a file, where the migrations do not tell it whole
    #[arg(long, value_name = "FILE", conflicts_with = "list_rules")]
    pub schema: Option<PathBuf>,
    /// Only migrations of this framework; `sql` for plain files
    #[arg(long, value_name = "NAME", conflicts_with = "list_rules")]
    pub framework: Option<String>,
    /// The database's dialect of SQL, whatever the files say
    #[arg(long, value_name = "NAME", conflicts_with = "list_rules")]
    pub dialect: Option<String>,
    /// Only migrations under this path; may be given more than once
    #[arg(long, value_name = "PATH", conflicts_with = "list_rules")]
    pub path: Vec<String>,
}

impl From<Cannot> for Failure {
    fn from(cannot: Cannot) -> Self {
        let hint = cannot.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
        Self::Plain(Exit::Error, format!("{cannot}{hint}"))
    }
}

/// `check-migrations`.
pub fn run(args: &CheckMigrations, out: Out) -> Result<Exit, Failure> {
    if args.list_rules {
        return rules(out);
    }
    if args.questions {
        migrations::answer_all(&args.repo, std::io::stdin().lock(), std::io::stdout().lock())?;
        return Ok(Exit::Done);
    }
    let settings = settings(args)?;
    let repository = migrations::open(&args.repo)?;
    if let Some(branch) = &args.history {
        let tip = migrations::commit_of(&repository, branch)?;
        let since = args.since.map(before);
        let steps = migrations::of_history(&repository, &HistoryOf { tip, since, settings })?;
        return history(&repository, &steps, out);
    }
    let commits = |words: &[String]| {
        words.iter().map(|words| migrations::commit_of(&repository, words)).collect::<Result<Vec<_>, _>>()
    };
    let head = migrations::commit_of(&repository, args.head.as_deref().unwrap_or_default())?;
    let running = if args.running.is_empty() { &args.base } else { &args.running };
    let asked = Asked { base: commits(&args.base)?, head, running: commits(running)?, settings };
    found(&repository, &asked, args)?;
    let mut report = migrations::ask(&repository, &asked)?;
    let tree = asked.head.tree().map_err(Cannot::from)?;
    let accepted = Accepted::of(&repository, &tree);
    accepted.apply(&mut report, Clock::System.reading().wall);
    if let Some((line, what)) = &accepted.problem {
        complain(format!("{ACCEPTED_PATH}:{line}: nothing in it is accepted: {what}"));
    }
    if args.acceptances {
        out.raw(migrations::entries(&report).as_bytes());
        return Ok(exit(&report));
    }
    show(&repository, &asked, &report, out)?;
    Ok(exit(&report))
}

/// Whoever names a framework or a path means something that is there: a slip would switch the check off.
fn found(repository: &Repository, asked: &Asked<'_>, args: &CheckMigrations) -> Result<(), Failure> {
    if args.framework.is_none() && args.path.is_empty() {
        return Ok(());
    }
    for commit in asked.base.iter().chain([&asked.head]) {
        let tree = GitTree::read(repository, &commit.tree().map_err(Cannot::from)?).map_err(Cannot::from)?;
        if !detect(&tree, args.framework.as_deref(), &args.path).is_empty() {
            return Ok(());
        }
    }
    let named = |what: &str, words: &str| format!("`{what} {}`", one_line(words, 100));
    let framework = args.framework.iter().map(|name| named("--framework", name));
    let words: Vec<_> = framework.chain(args.path.iter().map(|path| named("--path", path))).collect();
    let what = format!("{} finds no migrations in either commit", words.join(" with "));
    Err(Failure::Plain(Exit::Error, what))
}

fn before(since: Span) -> Instant {
    Instant(Clock::System.reading().wall.0.saturating_sub(since.ms()))
}

fn settings(args: &CheckMigrations) -> Result<Settings, Failure> {
    let usage = |what: String| Failure::Plain(Exit::Usage, what);
    if let Some(name) = &args.framework
        && !rows().any(|row| row.id == name)
    {
        let known = rows().map(|row| row.id).collect::<Vec<_>>().join(", ");
        return Err(usage(format!(
            "`--framework {}` is none that is known; there are {known}",
            one_line(name, 60)
        )));
    }
    let dialect = match &args.dialect {
        None => None,
        Some(word) => Some(Dialect::of_word(word).ok_or_else(|| {
            let known = Dialect::ALL.map(Dialect::id).join(", ");
            usage(format!("`--dialect {}` is none that is known; there are {known}", one_line(word, 60)))
        })?),
    };
    let schema = match &args.schema {
        None => None,
        Some(file) => {
            let path = file.to_string_lossy().into_owned();
            let bytes = std::fs::read(file).map_err(|error| Cannot::File { path: one_line(&path, 200), error })?;
            Some((path, String::from_utf8_lossy(&bytes).into_owned()))
        }
    };
    Ok(Settings {
        framework: args.framework.clone(),
        dialect,
        paths: args.path.clone(),
        schema,
        ..Settings::default()
    })
}

/// 0 compatible, 11 incompatible, 14 could not read, 12 needs review: in that order where mixed.
fn exit(report: &CompatReport) -> Exit {
    match report.verdict() {
        Verdict::Incompatible => Exit::Blocked,
        _ if report.unreadable() => Exit::CannotTell,
        Verdict::NeedsReview => Exit::WaitsForPerson,
        Verdict::Compatible => Exit::Done,
    }
}

fn show(repository: &Repository, asked: &Asked<'_>, report: &CompatReport, out: Out) -> Result<(), Failure> {
    match out.format {
        Format::Sarif => out.line(migrations::sarif(report).to_string()),
        Format::Gitlab => out.line(migrations::gitlab(report).to_string()),
        Format::Github => out.raw(migrations::github(report).as_bytes()),
        Format::Text | Format::Markdown => {
            let tree = asked.head.tree().map_err(Cannot::from)?;
            let head = GitTree::read(repository, &tree).map_err(Cannot::from)?;
            out.raw(text(&head, report, out).as_bytes());
            let running: Vec<_> = asked.running.iter().map(migrations::short).collect();
            out.line(summary(report, &running.join(" and ")));
        }
        Format::Json => out.line(serde_json::to_string(report).unwrap_or_default()),
    }
    Ok(())
}

fn text(head: &GitTree<'_>, report: &CompatReport, out: Out) -> String {
    let files: RefCell<BTreeMap<String, Option<String>>> = RefCell::default();
    let line = |path: &str, line: u32| {
        let mut files = files.borrow_mut();
        let text = files.entry(path.to_owned()).or_insert_with(|| head.text(path).ok());
        text.as_ref()?.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?).map(str::to_owned)
    };
    Shown { styled: out.colour, line: &line }.text(report)
}

fn summary(report: &CompatReport, running: &str) -> String {
    let many = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    let count = |verdict| report.findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (breaks, review) = (count(Verdict::Incompatible), count(Verdict::NeedsReview));
    let brought = match report.migrations {
        0 => "no new migrations".to_owned(),
        count => many(count, "new migration"),
    };
    match report.verdict() {
        Verdict::Compatible => format!("compatible: {brought}; the code of {running} goes on working"),
        Verdict::Incompatible => {
            format!(
                "incompatible: {brought}, {}, {} to review; the code of {running} would break",
                many(breaks, "error"),
                review
            )
        }
        Verdict::NeedsReview => {
            format!("needs review: {brought}, {} for a person to look at", many(review, "finding"))
        }
    }
}

fn history(repository: &Repository, steps: &Steps, out: Out) -> Result<Exit, Failure> {
    match out.format {
        Format::Json => out.value(steps),
        Format::Sarif | Format::Gitlab | Format::Github => {
            let what = "`--history` prints text or JSON: findings of the past are on no diff".to_owned();
            return Err(Failure::Plain(Exit::Usage, what));
        }
        Format::Text | Format::Markdown => {
            for step in steps.steps.iter().filter(|step| step.report.verdict() != Verdict::Compatible) {
                let word = if step.report.verdict() == Verdict::Incompatible { "refused" } else { "review" };
                let day = step.at.utc().map(|utc| utc.format("%Y-%m-%d").to_string()).unwrap_or_default();
                out.line(format!("{word}: {} {day} {}", step.commit, step.subject));
                let commit = migrations::commit_of(repository, &step.commit)?;
                let tree = commit.tree().map_err(Cannot::from)?;
                let head = GitTree::read(repository, &tree).map_err(Cannot::from)?;
                out.raw(text(&head, &step.report, out).as_bytes());
            }
            out.line(format!(
                "{} of {} steps changed migrations; {} would have been refused, {} would have needed review",
                steps.with_migrations, steps.looked_at, steps.refused, steps.needed_review
            ));
        }
    }
    Ok(Exit::Done)
}

fn rules(out: Out) -> Result<Exit, Failure> {
    if out.json() {
        let rules: Vec<_> = list_rules()
            .iter()
            .map(|rule| {
                serde_json::json!({ "id": rule.id, "what": rule.what, "why": rule.why, "recipe": rule.recipe,
                "family": match rule.family { Family::Schema => "schema", Family::History => "history" } })
            })
            .collect();
        out.value(serde_json::json!({ "rules": rules }));
        return Ok(Exit::Done);
    }
    for rule in list_rules() {
        out.line(format!("{}: {}", rule.id, rule.what));
        out.line(format!("    {}", rule.why));
        for line in rule.recipe {
            out.line(format!("    > {line}"));
        }
    }
    Ok(Exit::Done)
}
