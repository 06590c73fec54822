//! `[sink.NAME]`, typed: who is told of what.
//!
//! Not here: telling (`crate::tell`).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use towpath_core::model::{EnvName, FlowName};

use super::chat_sinks::{ChatSink, chat_sink, platform_of};
use super::check::texts;
use super::keys::Place;
use super::problem::{Level, Problem, shown};
use super::regular::open_regular;
use super::service::{secret, secrets, settings, text};
use super::source::Source;
use super::suggest::nearest;
use super::tree::{Node, Table};
use super::{Origin, SecretRef, Setting, glob, remote};
use crate::tell::events::{Row, Severity, not_quiet, row_of};
use crate::tell::presets::{PRESETS, Preset, preset};
use crate::tell::template::{Kind, TEMPLATE_MAX, Template};

/// The event that announces, and the one that takes back what was announced.
const ANNOUNCES: &str = "heads-up";
const TAKES_BACK: &str = "taken-back";

/// `[sink.NAME]`.
#[derive(Debug, Clone)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// The chat that it is; none of a webhook, which all keys down to `template` are about.
    pub chat: Option<ChatSink>,
    /// Where it is called.
    pub url: SinkUrl,
    /// What calls are signed with, each.
    pub secrets: Vec<SecretRef>,
    /// What is sent as `Authorization: Bearer`.
    pub token: Option<SecretRef>,
    /// The form of what is sent where there is no template.
    pub preset: &'static Preset,
    /// What the preset wants to be told besides.
    pub values: BTreeMap<String, String>,
    /// The form of what is sent, from a file.
    pub template: Option<SinkTemplate>,
    /// Which events, by their words; none: those of the preset, of a chat all that are not quiet.
    pub events: Vec<String>,
    /// Of which severity, by their words; none: of every one.
    pub severity: Vec<String>,
    /// In which environments; none: in all.
    pub environments: Vec<String>,
    /// Patterns over the names of flows; none: all.
    pub flows: Vec<String>,
    /// Every key of the table as it is in effect.
    pub settings: Vec<Setting>,
}

/// A form of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkTemplate {
    /// The file.
    pub path: PathBuf,
    /// What it held when the config was read.
    pub text: String,
}

/// Where a sink is called. The addresses of many are secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkUrl {
    /// As written.
    Text(String),
    /// Where it is to be found.
    Secret(SecretRef),
}

impl Sink {
    /// The events that it is told of, by their words.
    pub fn told(&self) -> Vec<&str> {
        let mut told = match &*self.events {
            [] if self.chat.is_some() => not_quiet().collect(),
            [] => self.preset.events.words(),
            events => events.iter().map(String::as_str).collect(),
        };
        told.retain(|word| self.is_of_severity(word));
        // What a message announces must not stand there once it is not true any more.
        if self.chat.is_some() && told.contains(&ANNOUNCES) && !told.contains(&TAKES_BACK) {
            told.push(TAKES_BACK);
        }
        told
    }

    /// Whether it is told of events with that word as far as their severity goes.
    fn is_of_severity(&self, event: &str) -> bool {
        let is = |row: &Row| self.severity.iter().any(|one| one == row.severity.word());
        self.severity.is_empty() || row_of(event).is_some_and(is)
    }

    /// Whether it is told of an event of that place.
    pub fn wants(&self, flow: &FlowName, env: &EnvName, event: &str) -> bool {
        self.told().contains(&event) && self.is_of_environment(env) && self.is_of_flow(flow)
    }

    /// Whether it is told of that environment.
    pub fn is_of_environment(&self, env: &EnvName) -> bool {
        self.environments.is_empty() || self.environments.iter().any(|one| one == env.as_str())
    }

    /// Whether it is told of that flow.
    pub fn is_of_flow(&self, flow: &FlowName) -> bool {
        self.flows.is_empty() || self.flows.iter().any(|one| glob::matches(one, flow.as_str()))
    }
}

/// What sinks name that there is not: one that is told of nothing by a slip of the pen tells nobody that it is.
///
/// `flows` are those of the file. Where a forge discovers, more come later, which may be called anything and have the
/// environments that `[defaults]` and the groups give them (`discovered`): then no flow is missed, and of a name that is
/// no pattern and near one of the file it is said that it may be a slip.
pub(super) fn fits(
    top: &Table,
    sinks: &BTreeMap<String, Sink>,
    flows: &[(&FlowName, Vec<&EnvName>)],
    discovered: Option<&[&str]>,
    problems: &mut Vec<Problem>,
) {
    let names: Vec<&str> = flows.iter().map(|(name, _)| name.as_str()).collect();
    let mut envs: Vec<&str> = flows.iter().flat_map(|(_, envs)| envs).map(|env| env.as_str()).collect();
    envs.extend(discovered.into_iter().flatten());
    for sink in sinks.values() {
        let table = top.get("sink").and_then(Node::table).and_then(|all| all.get(&sink.name)).and_then(Node::table);
        problems.extend(no_such_severity(sink, table));
        let mut missing = |level: Level, key: &str, word: &str, what: &str, known: &[&str]| {
            let node = table.and_then(|table| table.get(key));
            let one = node.and_then(Node::list).and_then(|list| list.iter().find(|one| one.text() == Some(word)));
            let span = one.or(node).map_or(0..0, |node| node.span.clone());
            let fault = format!("there is no {what} `{}` in this config", shown(word));
            let hint = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if key == "flows" => "write the name of a flow; `*` stands for any part of one".to_owned(),
                None => "write the name of an environment of a flow".to_owned(),
            };
            let path = format!("sink.{}.{key}", sink.name);
            let problem = match level {
                Level::Error => Problem::error(span, path, fault),
                Level::Warning => Problem::warning(span, path, fault),
            };
            problems.push(problem.hint(hint));
        };
        for word in sink.environments.iter().filter(|word| !envs.contains(&word.as_str())) {
            missing(Level::Error, "environments", word, "environment", &envs);
        }
        for word in sink.flows.iter().filter(|word| !names.iter().any(|name| glob::matches(word, name))) {
            let may_be_a_slip = !word.contains(['*', '?']) && nearest(word, names.iter().copied()).is_some();
            match discovered {
                None => missing(Level::Error, "flows", word, "flow", &names),
                Some(_) if may_be_a_slip => missing(Level::Warning, "flows", word, "flow", &names),
                Some(_) => {}
            }
        }
    }
}

/// That a sink is told of nothing because no event of its has the severity that it wants; nothing where a word of it is
/// wrong, which has been said.
fn no_such_severity(sink: &Sink, table: Option<&Table>) -> Option<Problem> {
    let known = |word: &String| Severity::WORDS.contains(&word.as_str());
    if sink.severity.is_empty() || !sink.severity.iter().all(known) || !sink.told().is_empty() {
        return None;
    }
    let span = table.and_then(|table| table.get("severity")).map_or(0..0, |node| node.span.clone());
    let what = "of the events that it is told of, none is of that severity";
    let hint = "docs/tell.md has the severity of each; `events` names those that are told, the quiet ones too";
    Some(Problem::error(span, format!("sink.{}.severity", sink.name), what).hint(hint))
}

/// Every `[sink.NAME]`. What is invalid has been reported and gets some value; what is wrong with templates is
/// reported here.
pub(super) fn sinks(
    top: &Table,
    source: &Source,
    base: &Path,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Sink> {
    let tables = top.get("sink").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    let mut sink = |name: &str, table: &Table| {
        let settings = settings(Place::Sink, Some(table), source, |line| Origin::Sink { line });
        let url = table.get("url").and_then(|node| secret(node, base)).map(SinkUrl::Secret);
        let url = url.unwrap_or_else(|| SinkUrl::Text(text(&settings, "url").to_owned()));
        let preset = table.get("preset").and_then(Node::text).and_then(preset).unwrap_or(&PRESETS[0]);
        let value = |key: &str| Some((key.to_owned(), table.get(key)?.text()?.to_owned()));
        let values: BTreeMap<String, String> = ["image", "tag"].into_iter().filter_map(value).collect();
        let events = texts(table.get("events"));
        let told =
            if events.is_empty() { preset.events.words() } else { events.iter().map(String::as_str).collect() };
        let chat = chat_sink(name, top, table, &settings, problems);
        let is_webhook = platform_of(table).is_none();
        let mut fault = |key: &str, what: String, hint: &str| {
            let span = table.entry(key).map_or(0..0, |entry| entry.node.span.clone());
            problems.push(Problem::error(span, format!("sink.{name}.{key}"), what).hint(hint));
        };
        if is_webhook
            && template_path(table).is_none()
            && let Err(error) = preset.body_with(&values)
        {
            fault("preset", error.to_string(), "docs/tell.md has an example of each preset");
        }
        if is_webhook
            && let SinkUrl::Text(text) = &url
            && let Err(error) = check(text, Kind::Url, &told)
        {
            fault("url", error, "docs/tell.md lists what may be put into it");
        }
        let path = template_path(table).filter(|_| is_webhook).map(|path| remote::tidy(&base.join(path)));
        let template = path.and_then(|path| match read(&path) {
            Ok(text) => {
                if let Err(error) = check(&text, Kind::Json, &told) {
                    let what = format!("`{}`: {error}", shown(&path.to_string_lossy()));
                    fault("template", what, "docs/tell.md shows how templates are written");
                }
                Some(SinkTemplate { path, text })
            }
            Err(why) => {
                let what = format!("`{}` cannot be read: {why}", shown(&path.to_string_lossy()));
                fault("template", what, "write the path of the template, relative to the config file");
                None
            }
        });
        Sink {
            name: name.to_owned(),
            chat,
            url,
            secrets: secrets(Some(table), "secrets", base),
            token: table.get("token").and_then(|node| secret(node, base)),
            preset,
            values,
            template,
            events,
            severity: texts(table.get("severity")),
            environments: texts(table.get("environments")),
            flows: texts(table.get("flows")),
            settings,
        }
    };
    tables.filter_map(|entry| Some((entry.key.clone(), sink(&entry.key, entry.node.table()?)))).collect()
}

fn template_path(table: &Table) -> Option<&str> {
    table.get("template").and_then(Node::text)
}

/// Whether a template will do for the events that are told.
fn check(text: &str, kind: Kind, events: &[&str]) -> Result<(), String> {
    let rows = events.iter().filter_map(|word| row_of(word));
    Template::new(text, kind).and_then(|template| template.check(rows)).map_err(|error| error.to_string())
}

/// A regular file, not larger than a template may be (one byte more tells that it is).
fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = open_regular(path).map_err(|error| error.to_string())?;
    let file = file.ok_or_else(|| "it is no file".to_owned())?;
    let most = u64::try_from(TEMPLATE_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
