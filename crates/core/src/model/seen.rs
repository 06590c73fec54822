//! What was observed: the whole input of a decision, as a value that can be saved and replayed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::http::HttpSaid;
use super::id::{Actor, BranchName, CheckName, CommitId, EnvName, OrderId};
use super::ledger::IntentRow;
use super::migrations::{CodeSeen, CompatKey, CompatSaid};
use super::request::{AuthorLogins, Proposed, Requests, RequiredChecks};
use super::standing::Standing;
use super::time::{Instant, Now, Trusted};
use super::verdict::Unknown;

/// Everything that one decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When; fixed for the whole tick.
    pub now: Now,
    /// One for each edge of the flow, source-most first.
    pub edges: Vec<EdgeSeen>,
    /// What people have ordered.
    pub standing: Standing,
    /// Dear facts, as far as they were asked for.
    pub facts: Facts,
    /// The code and the migrations on the database of each environment that has a gate on migrations.
    #[serde(default)]
    pub code: BTreeMap<EnvName, CodeSeen>,
}

/// Where a branch stands. Absent is not unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tip {
    /// At that commit.
    At(CommitId),
    /// The remote answered, and has no such branch.
    Absent,
    /// The remote did not tell.
    Unknown(Unknown),
}

impl Tip {
    /// The commit, if the branch is known to be at one.
    pub const fn commit(&self) -> Option<CommitId> {
        match self {
            Self::At(id) => Some(*id),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}

/// Something learned, or why it could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// This is so.
    Known(T),
    /// This could not be learned.
    Unknown(Unknown),
}

impl<T> Fact<T> {
    /// The value, if known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// What was seen of one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeSeen {
    /// The target environment.
    pub env: EnvName,
    /// The source branch.
    pub source: Tip,
    /// The target branch.
    pub target: Tip,
    /// How the two relate; meaningful only where both are at a commit.
    pub graph: Fact<Graph>,
    /// An intent of an earlier tick whose push may still land.
    pub in_flight: Option<IntentRow>,
    /// When something last entered the target: by our hand, or as far as we saw it.
    pub last_move: Option<Instant>,
    /// What we put onto the request branch of this edge, where we did.
    #[serde(default)]
    pub proposed: Option<Proposed>,
}

/// How source and target of an edge relate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// The newest commit on the source's first-parent chain that the target contains.
    pub promoted: Option<CommitId>,
    /// Commits of the source above the promoted point that may be candidates, newest first.
    pub waiting: Vec<Waiting>,
    /// Commits of the target that the source lacks, newest first, at most [`Graph::OWN_MAX`].
    pub own: Vec<Own>,
    /// How many the target has that the source lacks.
    pub own_total: u32,
}

impl Graph {
    /// How many of the target's own commits are described.
    pub const OWN_MAX: usize = 50;
}

/// A commit of the source that the target lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The commit.
    pub id: CommitId,
    /// Its author's name, as written in it.
    pub author: String,
    /// Its first line.
    pub subject: String,
    /// Whether it is on the source's first-parent chain.
    pub on_chain: bool,
    /// Whether the source held it as its tip, as far as we saw.
    pub was_tip: bool,
    /// Whether it contains the target's tip, so that a fast-forward reaches it.
    pub reaches: bool,
    /// Whether it contains everything that the target has but promotion merges: only then a merge of the two
    /// is just what it brings.
    #[serde(default = "yes")]
    pub carries: bool,
    /// When it came onto the source.
    pub arrival: Option<Arrival>,
    /// Holds that cover `target..id` and that no fix lifts.
    pub holds: Vec<OrderId>,
}

/// What is meant where an older version did not say.
const fn yes() -> bool {
    true
}

/// When and how a commit came onto a branch, as observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// On the trusted clock; the lag counts from here.
    pub trusted: Trusted,
    /// On the wall, for people.
    pub wall: Instant,
    /// How we know.
    pub how: ArrivalHow,
}

/// How an arrival is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalHow {
    /// Our own push put it there.
    Landed,
    /// It was there at a look and had not been at the look before.
    Seen,
    /// It was there at our first look ever; it may be older.
    FirstSight,
    /// The forge's record of pushes tells when, earlier than we saw it.
    Pushed,
}

/// A commit of the target that the source lacks, with what the graph tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The commit.
    pub id: CommitId,
    /// Its author's name, as written in it.
    pub author: String,
    /// Its first line.
    pub subject: String,
    /// How many parents it has.
    pub parents: u32,
    /// First parent on the target's chain, second parent in the source, tree equal to the second's.
    pub promotion_merge: bool,
    /// A merge whose tree is one of its parents'.
    pub empty_merge: bool,
    /// The newest source commit that has the same tree.
    pub same_tree: Option<CommitId>,
    /// The source once held a tip that contains it.
    pub lost_by_source: bool,
    /// The nearest earlier environment that has it, and the oldest commit on that one's chain that
    /// contains it.
    pub earlier: Option<(EnvName, CommitId)>,
    /// A hold on this edge or an earlier one covers it.
    pub held: bool,
}

/// Dear facts: each is asked for by its key and answered, known or unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// CI results of a commit: the newest for each name, origin and reference.
    #[serde(with = "pairs")]
    pub ci: BTreeMap<CommitId, Fact<Vec<CiItem>>>,
    /// E-mails of the authors of `target..candidate`, lower-cased.
    #[serde(with = "pairs")]
    pub authors: BTreeMap<EdgeKey, Fact<BTreeSet<String>>>,
    /// The source commit that makes the same change as a commit of the target, if one does.
    #[serde(with = "pairs")]
    pub picks: BTreeMap<EdgeKey, Fact<Option<CommitId>>>,
    /// Which of the forge's people wrote `target..candidate`.
    #[serde(default, with = "pairs")]
    pub logins: BTreeMap<EdgeKey, Fact<AuthorLogins>>,
    /// The requests of an edge.
    #[serde(default)]
    pub requests: BTreeMap<EnvName, Fact<Requests>>,
    /// The checks that the forge requires on a target.
    #[serde(default)]
    pub required: BTreeMap<EnvName, Fact<RequiredChecks>>,
    /// The members of a team, by its name without the `@`.
    #[serde(default)]
    pub teams: BTreeMap<String, Fact<BTreeSet<Actor>>>,
    /// What the server of an edge's `http` gate said of a candidate.
    #[serde(default, with = "pairs")]
    pub http: BTreeMap<EdgeKey, Fact<HttpSaid>>,
    /// What bringing one commit's migrations to a database does to another's code.
    #[serde(default, with = "pairs")]
    pub compat: BTreeMap<CompatKey, Fact<CompatSaid>>,
}

/// What a decision lacks: the keys of [`Facts`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Keys of [`Facts::ci`].
    pub ci: BTreeSet<CommitId>,
    /// Keys of [`Facts::authors`].
    pub authors: BTreeSet<EdgeKey>,
    /// Keys of [`Facts::picks`].
    pub picks: BTreeSet<EdgeKey>,
    /// Keys of [`Facts::logins`].
    #[serde(default)]
    pub logins: BTreeSet<EdgeKey>,
    /// Keys of [`Facts::requests`].
    #[serde(default)]
    pub requests: BTreeSet<EnvName>,
    /// Keys of [`Facts::required`].
    #[serde(default)]
    pub required: BTreeSet<EnvName>,
    /// Keys of [`Facts::teams`].
    #[serde(default)]
    pub teams: BTreeSet<String>,
    /// Keys of [`Facts::http`].
    #[serde(default)]
    pub http: BTreeSet<EdgeKey>,
    /// Keys of [`Facts::compat`].
    #[serde(default)]
    pub compat: BTreeSet<CompatKey>,
}

/// A commit on an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EdgeKey {
    /// The target environment.
    pub env: EnvName,
    /// The commit.
    pub commit: CommitId,
}

/// Runs a macro over every kind of fact: the one list of them.
macro_rules! every_kind {
    ($of:ident) => {
        $of!(ci, authors, picks, logins, requests, required, teams, http, compat)
    };
}

impl Missing {
    /// Whether nothing is lacking.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many keys are lacking.
    pub fn len(&self) -> usize {
        macro_rules! sum {
            ($($kind:ident),*) => { 0 $(+ self.$kind.len())* };
        }
        every_kind!(sum)
    }

    /// Adds the keys of `other`.
    pub fn absorb(&mut self, other: Self) {
        macro_rules! extend {
            ($($kind:ident),*) => { $(self.$kind.extend(other.$kind);)* };
        }
        every_kind!(extend);
    }
}

impl Facts {
    /// Adds the facts of `other`; what was known already stays.
    pub fn absorb(&mut self, other: Self) {
        macro_rules! add {
            ($($kind:ident),*) => { $(
                for (key, fact) in other.$kind {
                    self.$kind.entry(key).or_insert(fact);
                }
            )* };
        }
        every_kind!(add);
    }

    /// Answers everything in `missing` that is not yet answered with `unknown`.
    pub fn give_up_on(&mut self, missing: &Missing, unknown: &Unknown) {
        macro_rules! give_up {
            ($($kind:ident),*) => { $(
                for key in &missing.$kind {
                    self.$kind.entry(key.clone()).or_insert_with(|| Fact::Unknown(unknown.clone()));
                }
            )* };
        }
        every_kind!(give_up);
    }
}

/// The newest result of one check of one commit, from one origin, on one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiItem {
    /// The check.
    pub name: CheckName,
    /// Who reported it: `app 15368 …`, a pipeline, a person; `report` for `towpath report`. Tells equal names apart.
    pub origin: String,
    /// The branch it ran on; none counts as the source.
    pub on: Option<BranchName>,
    /// The result.
    pub state: CiState,
    /// When it turned green without having left green since, if it is green.
    pub green_since: Option<Trusted>,
    /// When it was reported.
    pub at: Instant,
    /// Where to read more.
    pub url: Option<String>,
}

/// The result of a check, after the table of its forge has been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CiState {
    /// It succeeded.
    Green,
    /// It has not finished, or its state is not understood.
    Running,
    /// It did not succeed.
    Red,
}

/// Maps with structured keys, written as lists of pairs because JSON's keys are strings.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, K: Deserialize<'de> + Ord, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
