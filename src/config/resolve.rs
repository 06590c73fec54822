//! From merged layers to [`Flow`]s: each key of a flow and an environment has its reader here
//! (those of gates in [`super::gates`]).
//!
//! What is invalid by itself has been reported before and gets some value, so that the rest can
//! still be judged; nothing built here leaves this module while there is an error.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use towpath_core::model::{
    BranchName, Candidates, CheckName, EnvName, Environment, Flow, FlowName, MergeBy, Mode, OpenWhen, PolicyDigest,
    RequestRules, Via,
};

use super::keys::Place;
use super::merge::{self, Keys, MergedEnvironment, MergedFlow, Set};
use super::problem::{Problem, Problems, shown};
use super::service::span;
use super::source::Source;
use super::tree::{self, Node, Table, Value};
use super::{
    Config, FlowConfig, Origin, Setting, chats, check, gates, names, people, remote, rules, service, sinks,
};

/// What a config needs at least, as a hint.
pub(super) const SMALLEST: &str = "the smallest config is:
[[flow]]
repository = \"ssh://git@git.example.com/shop/checkout.git\"
environment = [{ name = \"develop\" }, { name = \"staging\" }]";

/// A flow with the places that rules point at.
#[derive(Debug)]
pub(super) struct Draft {
    pub config: FlowConfig,
    pub identity: String,
    pub repository: Option<Range<usize>>,
    pub name: Range<usize>,
    pub header: Range<usize>,
    pub environments: Vec<EnvSpans>,
}

/// Where an environment's name and branch stand.
#[derive(Debug)]
pub(super) struct EnvSpans {
    pub name: Range<usize>,
    pub branch: Range<usize>,
}

/// The whole file.
pub(super) fn config(source: Source) -> Result<Config, Problems> {
    let source = Arc::new(source);
    let (top, syntax) = tree::parse(&source.text);
    if !syntax.is_empty() {
        // Half a file gives false findings: what is judged is judged on the whole.
        let mut problems = source.problems(&[]);
        problems.list = syntax;
        problems.tidy();
        if let Some(last) = problems.list.last_mut() {
            let between = if last.hint.is_empty() { "" } else { "; " };
            last.hint.push_str(between);
            last.hint.push_str("what the keys say is judged once the file is TOML");
        }
        return Err(problems);
    }
    let found = check::file(&top);
    let mut all = source.problems(&found.secrets);
    all.list = found.problems;
    let base_dir = base_dir(&source.path);
    let service = service::service(&top, &source, &base_dir, &mut all.list);
    let forges = service::forges(&top, &source, &base_dir);
    let sinks = sinks::sinks(&top, &source, &base_dir, &mut all.list);
    let chats = chats::chats(&top, &source, &base_dir, &mut all.list);
    let laws = people::laws(&top, &source, &mut all.list);
    let reader = Reader::new(&top, &source, &base_dir, service.as_ref(), &forges);
    let drafts = reader.flows(&mut all.list);
    rules::judge(&drafts, &forges, &laws.people, &mut all.list);
    let named = drafts.iter().map(|draft| &draft.config.flow);
    let named: Vec<_> =
        named.map(|flow| (&flow.name, flow.environments.iter().map(|env| &env.name).collect())).collect();
    people::fits(&top, &laws, &named, &forges, &mut all.list);
    let given = forges.values().any(|forge| forge.discover).then(|| given_environments(&top));
    sinks::fits(&top, &sinks, &named, given.as_deref(), &mut all.list);
    all.tidy();
    let config = match service {
        Some(service) if all.errors() == 0 => Config {
            path: source.path.clone(),
            print: source.print,
            base_dir,
            service,
            forges,
            chats,
            laws,
            sinks,
            flows: drafts.into_iter().map(|draft| draft.config).collect(),
            warnings: all,
            source,
        },
        _ => return Err(all),
    };
    // Channels name flows as people do, which takes the whole config.
    let mut misfits = Vec::new();
    chats::fits(&top, &config, &mut misfits);
    if misfits.is_empty() {
        return Ok(config);
    }
    let mut all = config.warnings;
    all.list.extend(misfits);
    all.tidy();
    Err(all)
}

/// The folder of a file, absolute where the working directory is known.
fn base_dir(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// What flows are read with.
pub(super) struct Reader<'a> {
    top: &'a Table,
    source: &'a Source,
    urls: Vec<remote::Known>,
    base: &'a Path,
    mode: (Mode, Origin),
    discovers: bool,
}

impl<'a> Reader<'a> {
    /// For one file.
    pub fn new(
        top: &'a Table,
        source: &'a Source,
        base: &'a Path,
        service: Option<&super::Service>,
        forges: &BTreeMap<String, super::Forge>,
    ) -> Self {
        let urls = forges.values().map(|f| (f.name.clone(), f.url.clone(), f.kind)).collect();
        let discovers = forges.values().any(|forge| forge.discover);
        Self { top, source, urls, base, mode: service::mode(service), discovers }
    }

    fn flows(&self, problems: &mut Vec<Problem>) -> Vec<Draft> {
        let flows: Vec<_> = self.top.get("flow").into_iter().flat_map(Node::tables).collect();
        let none = self.top.get("flow").is_none_or(|node| node.list().is_some_and(<[Node]>::is_empty));
        if none && !self.discovers {
            problems.push(Problem::error(0..0, "flow", "there is no `[[flow]]` in this file").hint(SMALLEST));
        }
        let groups: Vec<_> = self.top.get("group").into_iter().flat_map(Node::tables).collect();
        if groups.is_empty() {
            self.nothing_to_discover(problems);
        }
        // What is discovered may match any of them.
        let mut matched = vec![self.discovers; groups.len()];
        let drafts: Vec<_> =
            flows.iter().map(|(node, table)| self.flow(node, table, &mut matched, problems)).collect();
        for ((_, table), _) in groups.iter().zip(&matched).filter(|(_, matched)| !**matched) {
            let Some(entry) = table.entry("match") else { continue };
            let problem = Problem::warning(entry.node.span.clone(), "group.match", "this group matches no flow");
            problems.push(
                problem.hint("patterns are held against the names of flows; `*` stops at a slash, `**` does not"),
            );
        }
        drafts
    }

    /// `discover` takes what a group matches.
    fn nothing_to_discover(&self, problems: &mut Vec<Problem>) {
        let forges = self.top.get("forge").and_then(Node::table).into_iter().flat_map(|table| &table.0);
        for entry in forges.filter_map(|forge| forge.node.table()?.entry("discover")) {
            if matches!(entry.node.value, Value::Bool(true)) {
                let what = "`discover` takes the repositories that a `[[group]]` matches, and there is none";
                let hint = "add one, as in `[[group]]` with `match = [\"shop/*\"]`";
                problems.push(Problem::error(entry.key_span.clone(), "forge.discover", what).hint(hint));
            }
        }
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.top.get("group").into_iter().flat_map(Node::tables).count()
    }

    /// Whether a group matches a flow of that name.
    pub fn has_group_for(&self, name: &str) -> bool {
        let mut groups = self.top.get("group").into_iter().flat_map(Node::tables);
        groups.any(|(_, group)| merge::matching(group, name).is_some())
    }

    /// One flow. `matched` learns which groups were of use.
    pub fn flow(&self, node: &Node, table: &'a Table, matched: &mut [bool], problems: &mut Vec<Problem>) -> Draft {
        let repository = table.get("repository").filter(|n| n.text().is_some());
        let remote = repository.and_then(|node| self.remote(node, problems));
        let name_node = table.get("name").filter(|n| n.text().is_some());
        let name = self.name(name_node, remote.as_ref(), repository, problems);
        let merged = merge::flow(self.top, table, &name, self.source, matched, problems);
        let mut settings = Settings::default();
        let written = |key: &str| merged.keys.get(key).map(|s| s.origin.clone()).unwrap_or(Origin::Default);
        settings.add("repository", repository.map_or(Json::Null, node_json), written("repository"));
        settings.add("name", name.clone().into(), written("name"));
        let zone = settings.read(Place::Flow, "zone", "", &merged.keys).as_str().and_then(|z| z.parse().ok());
        let zone = zone.unwrap_or(Tz::UTC);
        let mode = settings.mode("", &merged.keys, Place::Flow, &self.mode);
        let look_back = settings.read(Place::Flow, "look_back", "", &merged.keys).as_u64().unwrap_or(50);
        let environments = self.environments(&merged, zone, &mode, &mut settings, problems);
        let mut flow = Flow {
            name: FlowName::new(name),
            repository: remote.as_ref().map(|r| r.repository.clone()).unwrap_or_default(),
            zone,
            look_back: u32::try_from(look_back).unwrap_or(u32::MAX),
            environments,
            policy: PolicyDigest::new(""),
        };
        flow.policy = policy(&flow);
        let header = node.span.clone();
        Draft {
            name: name_node.or(repository).map_or(header.clone(), |n| n.span.clone()),
            repository: repository.map(|n| n.span.clone()),
            identity: remote.as_ref().map(|r| r.identity.clone()).unwrap_or_default(),
            environments: merged.environments.iter().map(|env| spans(env, &header)).collect(),
            config: FlowConfig {
                flow,
                remote: remote.as_ref().map(|r| r.remote.clone()).unwrap_or_default(),
                forge: remote.and_then(|r| r.forge),
                discovered: None,
                gate_tokens: merged
                    .environments
                    .iter()
                    .filter_map(|env| Some((EnvName::new(env.name), gates::http_token(env, self.base)?)))
                    .collect(),
                origins: settings.0.iter().map(|s| (s.key.clone(), s.origin.clone())).collect(),
                settings: settings.0,
                line: self.source.line(header.start),
            },
            header,
        }
    }

    fn remote(&self, node: &Node, problems: &mut Vec<Problem>) -> Option<remote::Remote> {
        match remote::read(node.text()?, &self.urls, self.base) {
            Ok(remote) => Some(remote),
            Err((what, hint)) => {
                problems.push(Problem::error(node.span.clone(), "flow.repository", what).hint(hint));
                None
            }
        }
    }

    fn name(
        &self,
        written: Option<&Node>,
        remote: Option<&remote::Remote>,
        repository: Option<&Node>,
        problems: &mut Vec<Problem>,
    ) -> String {
        if let Some(name) = written.and_then(Node::text) {
            return name.to_owned();
        }
        let (Some(remote), Some(node)) = (remote, repository) else { return String::new() };
        if let Some(why) = names::name_fault(&remote.default_name) {
            let name = shown(&remote.default_name);
            let what = format!("the flow would be called `{name}` after its repository, which cannot be: {why}");
            let problem = Problem::error(node.span.clone(), "flow.name", what);
            problems.push(problem.hint("give it a name of its own, for example `name = \"checkout\"`"));
        }
        remote.default_name.clone()
    }

    fn environments(
        &self,
        merged: &MergedFlow<'_>,
        zone: Tz,
        mode: &(Mode, Origin),
        settings: &mut Settings,
        problems: &mut Vec<Problem>,
    ) -> Vec<Environment> {
        let one = |(at, env): (usize, &MergedEnvironment<'_>)| {
            rules::environment(at, env, problems);
            let prefix = format!("environment.{}.", env.name);
            let keys = &env.keys;
            let name_origin = keys.get("name").map_or(Origin::Default, |s| s.origin.clone());
            settings.add(format!("{prefix}name"), env.name.into(), name_origin);
            let branch = settings.read_or(Place::Environment, "branch", &prefix, keys, Some(env.name.into()));
            let via = settings.read(Place::Environment, "via", &prefix, keys);
            let request = settings.request(&prefix, keys);
            let usual = (at > 0).then(|| Json::from(if at == 1 { "commits" } else { "tips" }));
            let candidates = settings.read_or(Place::Environment, "candidates", &prefix, keys, usual);
            let (mode, _) = settings.mode(&prefix, keys, Place::Environment, mode);
            let mut optional = |key: &str| settings.read(Place::Environment, key, &prefix, keys);
            let settle = optional("settle");
            let deployed = optional("deployed");
            let rollback = optional("rollback");
            let behind_alarm = optional("behind_alarm");
            let blocked_alarm = optional("blocked_alarm");
            let heads_up = optional("heads_up");
            let database = optional("database");
            Environment {
                name: EnvName::new(env.name),
                branch: BranchName::new(branch.as_str().unwrap_or(env.name)),
                via: if via == "merge-request" { Via::MergeRequest } else { Via::FastForward },
                request,
                candidates: if candidates == "tips" { Candidates::Tips } else { Candidates::Commits },
                mode,
                database: database.as_str().map(str::to_owned),
                settle: span(settle.as_str().unwrap_or_default()),
                deployed: deployed.as_str().map(CheckName::from),
                rollback: rollback.as_bool().unwrap_or(false),
                behind_alarm: behind_alarm.as_str().map(span),
                blocked_alarm: blocked_alarm.as_str().map(span),
                heads_up: heads_up.as_str().map(span),
                gates: gates::read(env, zone, &prefix, settings, problems),
            }
        };
        merged.environments.iter().enumerate().map(one).collect()
    }
}

fn spans(env: &MergedEnvironment<'_>, header: &Range<usize>) -> EnvSpans {
    let at = |key: &str| env.keys.get(key).map(|set| set.node.span.clone());
    let name = at("name").unwrap_or_else(|| header.clone());
    EnvSpans { branch: at("branch").unwrap_or_else(|| name.clone()), name }
}

/// The environments that `[defaults]` and the groups give flows that are discovered.
fn given_environments(top: &Table) -> Vec<&str> {
    let groups = top.get("group").into_iter().flat_map(Node::tables).map(|(_, group)| group);
    let layers = top.get("defaults").and_then(Node::table).into_iter().chain(groups);
    let environments = layers.filter_map(|layer| layer.get("environment")).flat_map(Node::tables);
    environments.filter_map(|(_, environment)| environment.get("name")?.text()).collect()
}

/// The settings of one flow as they come to be read.
#[derive(Debug, Default)]
pub(super) struct Settings(Vec<Setting>);

impl Settings {
    /// Adds one.
    pub fn add(&mut self, key: impl Into<String>, value: Json, origin: Origin) {
        self.0.push(Setting { key: key.into(), value, origin });
    }

    /// Reads a key with the default of its row; null if it has neither.
    pub fn read(&mut self, place: Place, key: &str, prefix: &str, keys: &Keys<'_>) -> Json {
        self.read_or(place, key, prefix, keys, place.row(key).and_then(super::keys::Row::default_value))
    }

    /// Reads a key with a default that follows from something else.
    fn read_or(&mut self, place: Place, key: &str, prefix: &str, keys: &Keys<'_>, default: Option<Json>) -> Json {
        debug_assert!(place.row(key).is_some(), "`{key}` is in no row");
        let (value, origin) = match (keys.get(key), default) {
            (Some(set), _) => (node_json(set.node), set.origin.clone()),
            (None, Some(value)) => (value, Origin::Default),
            (None, None) => return Json::Null,
        };
        self.add(format!("{prefix}{key}"), value.clone(), origin);
        value
    }

    /// `request`, with the defaults of its rows.
    fn request(&mut self, prefix: &str, keys: &Keys<'_>) -> RequestRules {
        let set = keys.get("request");
        let table = set.and_then(|set| set.node.table());
        let mut read = |key: &str| {
            let (value, origin) = match (table.and_then(|t| t.get(key)), set) {
                (Some(node), Some(set)) => (node_json(node), set.origin.clone()),
                _ => return Place::Request.row(key).and_then(super::keys::Row::default_value),
            };
            self.add(format!("{prefix}request.{key}"), value.clone(), origin);
            Some(value)
        };
        let (open, merge, title) = (read("open"), read("merge"), read("title"));
        read("reviewers");
        read("labels");
        let list = |key: &str| check::texts(table.and_then(|t| t.get(key)));
        RequestRules {
            open: if open.is_some_and(|word| word == "at-once") { OpenWhen::AtOnce } else { OpenWhen::Ready },
            merge: if merge.is_some_and(|word| word == "person") { MergeBy::Person } else { MergeBy::Towpath },
            reviewers: list("reviewers"),
            labels: list("labels"),
            title: title.and_then(|title| title.as_str().map(str::to_owned)),
        }
    }

    /// The mode in effect: `observe` of what is above rules.
    fn mode(&mut self, prefix: &str, keys: &Keys<'_>, place: Place, above: &(Mode, Origin)) -> (Mode, Origin) {
        debug_assert!(place.row("mode").is_some(), "no mode there");
        let own = keys
            .get("mode")
            .map(|Set { node, origin, .. }| (mode_of(node.text().unwrap_or_default()), origin.clone()));
        let (mode, origin) = match own {
            Some(own) if above.0 == Mode::Act => own,
            _ => above.clone(),
        };
        let word = if mode == Mode::Act { "act" } else { "observe" };
        self.add(format!("{prefix}mode"), word.into(), origin.clone());
        (mode, origin)
    }
}

/// The mode of that word.
pub(super) fn mode_of(word: &str) -> Mode {
    if word == "observe" { Mode::Observe } else { Mode::Act }
}

/// A value as JSON, as it was written.
pub(super) fn node_json(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Whole(number) => Json::from(*number),
        Value::Bool(yes) => Json::from(*yes),
        Value::Other(_) => Json::Null,
        Value::List(list) => list.iter().map(node_json).collect(),
        Value::Table(table) => Json::Object(table.0.iter().map(|e| (e.key.clone(), node_json(&e.node))).collect()),
    }
}

/// The digest of everything in a flow but the digest itself.
fn policy(flow: &Flow) -> PolicyDigest {
    let bare = Flow { policy: PolicyDigest::new(""), ..flow.clone() };
    let text = serde_json::to_value(&bare).map(|value| canonical(&value).to_string()).unwrap_or_default();
    let hash = Sha256::digest(text.as_bytes());
    PolicyDigest::new(towpath_core::text::hex(&hash[..16]))
}

/// Objects in the order of their keys, whatever features another crate turns on.
fn canonical(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            Json::Object(sorted.into_iter().collect())
        }
        Json::Array(list) => list.iter().map(canonical).collect(),
        other => other.clone(),
    }
}
