//! What the migration gate rests on: whose migrations a database has, whose code runs on it, and what
//! was found of bringing others.
//!
//! "Migration" is the user's schema migration. Not here: reading them (`towpath-compat`, which this crate
//! does not know), and what a finding means for a move (`decide/gates/migrations.rs`).

use serde::{Deserialize, Serialize};

use super::id::{BranchName, CheckName, CommitId, EnvName};
use super::time::{Instant, Now, Span};
use super::verdict::Reason;

/// `gates.migrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationsGate {
    /// What is done about what a person has to look at.
    pub review: Review,
    /// Only this framework; else what is found.
    pub framework: Option<String>,
    /// This dialect of SQL, whatever the files say.
    pub dialect: Option<String>,
    /// The file that holds the schema, where the migrations do not tell it whole.
    pub schema: Option<String>,
    /// Only migrations under these paths.
    pub paths: Vec<String>,
}

/// What is done about findings that need a person's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Review {
    /// They block until somebody accepts them.
    Block,
    /// They are shown and pass.
    Allow,
}

/// The code and the migrations on an environment's database, as far as the ledger knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSeen {
    /// The commits whose code may be running, in the order of the flow's environments, the newest of
    /// each first.
    pub running: Vec<CodeRunning>,
    /// Environments where a check says what runs.
    #[serde(default)]
    pub deployed: Vec<Deployed>,
    /// Commits whose migrations the database has; what they contain is not named beside them.
    pub has: Vec<CommitId>,
    /// Commits that are being moved into other environments, so that the database may have their migrations
    /// before anybody sees them.
    #[serde(default)]
    pub coming: Vec<CommitId>,
    /// An environment that was first seen so recently that what it held before may still run.
    pub unseen: Option<Unseen>,
    /// An environment of which it is not known where it stands.
    pub unknown: Option<EnvName>,
}

/// Code that may be running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRunning {
    /// Where.
    pub env: EnvName,
    /// The commit.
    pub commit: CommitId,
    /// When it can run no longer, if its place was taken; else nothing is known to end it.
    pub until: Option<Instant>,
    /// The tip that is still to be deployed in its place, where a check says what is deployed.
    #[serde(default)]
    pub next: Option<CommitId>,
}

/// An environment whose `deployed` names the check that turns green when a commit runs there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// Where.
    pub env: EnvName,
    /// Its branch.
    pub branch: BranchName,
    /// The check.
    pub check: CheckName,
    /// For how long what was deployed before may still run.
    pub settle: Span,
    /// The tips that it held, the newest first, at most [`Deployed::TIPS_MAX`].
    pub tips: Vec<CommitId>,
}

impl Deployed {
    /// How many tips are looked through for the one that was deployed last.
    pub const TIPS_MAX: usize = 10;
}

/// An environment whose former tip nobody saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Which.
    pub env: EnvName,
    /// When what it may have held can run no longer.
    pub until: Instant,
}

/// A question about migrations: does bringing those of one commit to a database break one commit's code?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompatKey {
    /// The environment whose gate says how migrations are read.
    pub env: EnvName,
    /// The commits whose migrations the database has; in order, none twice.
    pub has: Vec<CommitId>,
    /// The commit whose migrations are brought.
    pub brings: CommitId,
    /// The commit whose code runs.
    pub running: CommitId,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatSaid {
    /// What stands against it, the worst first, at most [`CompatSaid::FINDINGS_MAX`].
    pub findings: Vec<CompatFinding>,
    /// How many more there are.
    pub more: u32,
    /// Names that are taken away and that this code does not use.
    pub unused: u32,
    /// How many migrations are brought.
    pub migrations: u32,
}

impl CompatSaid {
    /// How many findings are kept.
    pub const FINDINGS_MAX: usize = 20;

    /// The longest text kept of a finding, in characters.
    pub const WORDS_MAX: usize = 300;
}

/// One thing that stands against bringing a migration. Its texts come from the repository and are hostile
/// until shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatFinding {
    /// Whether code breaks; else a person has to look.
    pub breaks: bool,
    /// Whether it rests on the code's use of a name: other code may not use it.
    pub by_use: bool,
    /// Whether it is about the history of migrations (one that was edited, renumbered, deleted) and not
    /// about what they do to the schema.
    #[serde(default)]
    pub history: bool,
    /// The rule's id.
    pub rule: String,
    /// What it concerns: `users.nick_name`.
    pub object: String,
    /// The migration's file.
    pub path: String,
    /// The line in it.
    pub line: u32,
    /// What was found, in a clause.
    pub message: String,
    /// Where the code uses the name: `app/models/user.rb:12`.
    pub used_at: Option<String>,
}

/// Code that stands in a migration's way, and what comes in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillUsed {
    /// Where it runs.
    pub env: EnvName,
    /// The commit.
    pub commit: CommitId,
    /// What takes its place; none where its place was taken and it only has to end.
    pub by: Option<CommitId>,
    /// When it can run no longer, where that is known.
    pub until: Option<Instant>,
}

/// A commit that would take the place of code that stands in the way, and does not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOut {
    /// The commit.
    pub commit: CommitId,
    /// What keeps it out.
    pub why: Box<Reason>,
}

/// Whether what was replaced then may still be running now.
pub(crate) fn settles(replaced: Now, settle: Span, now: Now) -> Option<Instant> {
    let over = replaced.trusted + settle;
    (now.trusted < over).then(|| now.wall_at(over))
}
