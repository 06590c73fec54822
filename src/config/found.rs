//! Repositories that a forge listed, made into flows as if a `[[flow]]` named each of them.
//!
//! What is written goes first: a repository that a `[[flow]]` names, however it is spelled, is that flow. Each of the
//! others is read and judged alone, so that a fault of one stops that one and nothing else. Not here: asking a forge,
//! and whether a repository has the branches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use towpath_core::model::Instant;

use super::problem::{Level, Problem, shown};
use super::resolve::{Draft, Reader};
use super::tree::{self, Entry, Node, Table, Value};
use super::{Config, FlowConfig, Origin, glob, remote, rules};

/// How the reason begins where the path of a repository that was discovered is another one's now. What is there is no
/// flow then: the pauses and holds under its name are of the one that was there.
pub const ANOTHER: &str = "another repository is at this path now";

/// A repository that the list of a forge had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The `[forge.NAME]`.
    pub forge: String,
    /// Its path there.
    pub path: String,
    /// Since when it is not there to be taken any more, and why; none while it is.
    pub gone: Option<(Instant, String)>,
}

/// Why a repository that was listed is no flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The forge is in the config no more, or its `discover` is off.
    Off,
    /// No group matches.
    NoGroup,
    /// This pattern of `except` matches.
    Except(String),
    /// This flow is of the same repository.
    Taken(String),
    /// It cannot be a flow.
    Fault(String),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("its forge does not discover"),
            Self::NoGroup => f.write_str("no `[[group]]` matches"),
            Self::Except(pattern) => write!(f, "`except` has \"{}\"", shown(pattern)),
            Self::Taken(flow) => write!(f, "it is the flow `{}` already", shown(flow)),
            Self::Fault(why) => f.write_str(why),
        }
    }
}

impl Config {
    /// Whether any forge discovers.
    pub fn discovers(&self) -> bool {
        self.forges.values().any(|forge| forge.discover)
    }

    /// Where the repositories of written flows are.
    pub fn written(&self) -> Written {
        Written::of(self)
    }

    /// How many of its flows nobody wrote.
    pub fn discovered(&self) -> usize {
        self.flows.iter().filter(|found| found.discovered.is_some()).count()
    }

    /// The same config with these repositories instead of those that it was made with before, and those that are no
    /// flows, with why. Earlier ones go before later ones: a name that is taken stays whose it is.
    #[must_use]
    pub fn with(&self, listed: &[Listed]) -> (Self, Vec<(Listed, Left)>) {
        let mut config = self.clone();
        config.flows.retain(|found| found.discovered.is_none());
        let (top, _) = tree::parse(&self.source.text);
        let nodes: Vec<_> = listed.iter().map(|one| self.node(&top, one)).collect();
        let reader = Reader::new(&top, &self.source, &self.base_dir, Some(&self.service), &self.forges);
        let mut taken = Taken::of(&config);
        let mut left = Vec::new();
        for (one, node) in listed.iter().zip(&nodes) {
            let made = match node {
                Some(node) => taken.judged(self, &reader, one, node),
                None => Err(Left::Off),
            };
            match made {
                Ok(found) => config.flows.push(found),
                Err(why) => left.push((one.clone(), why)),
            }
        }
        (config, left)
    }

    /// `[[flow]] repository = "NAME:PATH"`, standing where `discover` does; none if that does not.
    fn node(&self, top: &Table, one: &Listed) -> Option<Node> {
        self.forges.get(&one.forge).filter(|forge| forge.discover)?;
        let forges = top.get("forge").and_then(Node::table)?;
        let at = forges.get(&one.forge)?.table()?.entry("discover")?.key_span.clone();
        let text = format!("{}:{}", one.forge, one.path);
        let repository = Entry {
            key: "repository".to_owned(),
            key_span: at.clone(),
            node: Node { span: at.clone(), value: Value::Text(text) },
        };
        Some(Node { span: at, value: Value::Table(Table(vec![repository])) })
    }
}

/// The paths of the repositories that written flows name, for many to be looked up in.
#[derive(Debug)]
pub struct Written(BTreeMap<String, String>);

impl Written {
    fn of(config: &Config) -> Self {
        let mut flows = BTreeMap::new();
        for found in config.flows.iter().filter(|found| found.discovered.is_none()) {
            let path = path_of(&found.remote);
            // A forge below a path of its host: `lab/shop/checkout` may be `shop/checkout` there.
            let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
            for end in std::iter::once(path.as_str()).chain(ends).filter(|end| !end.is_empty()) {
                flows.entry(end.to_owned()).or_insert_with(|| found.flow.name.to_string());
            }
        }
        Self(flows)
    }

    /// The flow whose repository may be the one at that path of a forge, however it is reached: by another scheme,
    /// user or name of the host, or in other letters. Paths are compared, and not hosts.
    pub fn flow(&self, path: &str) -> Option<&str> {
        self.0.get(&path.to_lowercase()).map(String::as_str)
    }
}

/// The path of a repository where it is reached, in lower case and without `.git`; of a path on this machine, that.
fn path_of(remote: &str) -> String {
    let path = match (remote.split_once("://"), remote.split_once(':')) {
        (Some((_, rest)), _) => rest.split_once('/').map_or("", |(_, path)| path),
        // `user@host:path`.
        (None, Some((host, path))) if !host.contains('/') => path,
        _ => remote,
    };
    let path = path.trim_end_matches('/').to_lowercase();
    path.strip_suffix(".git").unwrap_or(&path).trim_matches('/').to_owned()
}

/// What the flows so far have taken.
struct Taken {
    /// By what tells repositories apart.
    repositories: BTreeMap<String, String>,
    written: Written,
    flows: BTreeSet<String>,
    environments: BTreeSet<String>,
}

impl Taken {
    fn of(config: &Config) -> Self {
        let mut taken = Self {
            repositories: BTreeMap::new(),
            written: config.written(),
            flows: BTreeSet::new(),
            environments: BTreeSet::new(),
        };
        for found in &config.flows {
            taken.add(remote::identity(&found.remote), found);
        }
        taken
    }

    fn add(&mut self, identity: String, found: &FlowConfig) {
        let name = found.flow.name.to_string();
        self.environments.extend(found.flow.environments.iter().map(|env| env.name.to_string()));
        self.repositories.entry(identity).or_insert_with(|| name.clone());
        self.flows.insert(name);
    }

    /// The flow of a repository, or why there is none.
    fn judged<'a>(
        &mut self,
        config: &Config,
        reader: &Reader<'a>,
        one: &Listed,
        node: &'a Node,
    ) -> Result<FlowConfig, Left> {
        let forge = config.forges.get(&one.forge).ok_or(Left::Off)?;
        let table = node.table().ok_or(Left::Off)?;
        // Of ten thousand repositories most match nothing: that is known by their paths alone.
        if !reader.has_group_for(&remote::plain_name(&one.path)) {
            return Err(Left::NoGroup);
        }
        let (mut matched, mut problems) = (vec![false; reader.groups()], Vec::new());
        let draft = reader.flow(node, table, &mut matched, &mut problems);
        let name = draft.config.flow.name.as_str();
        if let Some(flow) = self.repositories.get(&draft.identity) {
            return Err(Left::Taken(flow.clone()));
        }
        // Names are in lower case, whatever the forge writes.
        if let Some(pattern) = forge.except.iter().find(|pattern| glob::matches(&pattern.to_lowercase(), name)) {
            return Err(Left::Except(pattern.clone()));
        }
        if let Some(flow) = self.written.flow(&one.path) {
            return Err(Left::Fault(format!(
                "it may be the repository of the flow `{}`, which has the same path; write a `[[flow]]` for it if it is \
                 another one, or `except`",
                shown(flow)
            )));
        }
        if let Some((_, why)) = one.gone.as_ref().filter(|(_, why)| why.starts_with(ANOTHER)) {
            return Err(Left::Fault(why.clone()));
        }
        rules::judge(std::slice::from_ref(&draft), &config.forges, &config.laws.people, &mut problems);
        self.names(&draft, &mut problems);
        if let Some(problem) = problems.into_iter().find(|problem| problem.level == Level::Error) {
            let hint = if problem.hint.is_empty() { String::new() } else { format!("; {}", problem.hint) };
            return Err(Left::Fault(format!("{}{hint}", problem.what)));
        }
        let mut found = draft.config;
        let origin = Origin::Discovered { forge: one.forge.clone(), line: found.line };
        for setting in found.settings.iter_mut().filter(|setting| setting.key == "repository") {
            setting.origin = origin.clone();
        }
        found.origins.insert("repository".to_owned(), origin);
        found.discovered = Some(one.clone());
        self.add(draft.identity, &found);
        Ok(found)
    }

    /// Names that other flows have: theirs stay.
    fn names(&self, draft: &Draft, problems: &mut Vec<Problem>) {
        let (flow, at) = (&draft.config.flow, draft.header.clone());
        let name = flow.name.as_str();
        let mut problem = |what: String| {
            let hint = "write a `[[flow]]` for this repository, with a `name` of its own";
            problems.push(Problem::error(at.clone(), "flow.name", what).hint(hint));
        };
        if self.flows.contains(name) {
            problem(format!("another flow is called `{}`", shown(name)));
        }
        if self.environments.contains(name) {
            problem(format!("an environment is called `{}`", shown(name)));
        }
        if let Some(env) = flow.environments.iter().find(|env| self.flows.contains(env.name.as_str())) {
            problem(format!("a flow and its environment are both called `{}`", env.name));
        }
    }
}
