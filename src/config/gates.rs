//! The gates of an environment: one reader each.

use std::path::Path;

use chrono_tz::Tz;
use serde_json::Value as Json;
use towpath_compat::frameworks;
use towpath_compat::sql::Dialect;
use towpath_core::calendar::{Schedule, Windows};
use towpath_core::model::{
    ApprovalsGate, AuthorsMay, CheckName, CheckRef, Checks, CiGate, Gate, GateKind, HttpGate, LagGate,
    MigrationsGate, NamedCheck, Review,
};

use super::Origin;
use super::SecretRef;
use super::check::{texts, window_problems};
use super::keys::Place;
use super::kinds::gate_url;
use super::merge::{MergedEnvironment, Set};
use super::problem::{Problem, shown};
use super::resolve::{Settings, node_json};
use super::service::{secret, span};
use super::suggest::nearest;
use super::tree::{Node, Table, Value};

/// The gates in their order; what is invalid by itself has been reported.
pub(super) fn read(
    env: &MergedEnvironment<'_>,
    zone: Tz,
    prefix: &str,
    settings: &mut Settings,
    problems: &mut Vec<Problem>,
) -> Vec<Gate> {
    let one = |kind: GateKind| {
        let set = env.gates.get(kind.key())?;
        let mut gate = Reading { set, prefix: format!("{prefix}gates.{}", kind.key()), settings, problems };
        match kind {
            GateKind::Ci => gate.ci().map(Gate::Ci),
            GateKind::Lag => gate.lag().map(Gate::Lag),
            GateKind::Quiet => {
                gate.whole();
                Some(Gate::Quiet(span(gate.set.node.text()?)))
            }
            GateKind::Window => gate.window(zone).map(Gate::Window),
            GateKind::Schedule => gate.schedule(zone).map(Gate::Schedule),
            GateKind::Approvals => gate.approvals().map(Gate::Approvals),
            GateKind::Migrations => gate.migrations().map(Gate::Migrations),
            GateKind::Http => gate.http().map(Gate::Http),
        }
    };
    GateKind::ALL.into_iter().filter_map(one).collect()
}

struct Reading<'a> {
    set: &'a Set<'a>,
    prefix: String,
    settings: &'a mut Settings,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn table(&self) -> Option<&Table> {
        self.set.node.table()
    }

    /// The gate as it was written.
    fn whole(&mut self) {
        self.settings.add(self.prefix.clone(), node_json(self.set.node), self.set.origin.clone());
    }

    /// A key of the gate with the default of its row; null if it has neither.
    fn key(&mut self, place: Place, key: &str) -> Json {
        let (value, origin) = match self.table().and_then(|t| t.get(key)) {
            Some(node) => (node_json(node), self.set.origin.clone()),
            None => match place.row(key).and_then(super::keys::Row::default_value) {
                Some(value) => (value, Origin::Default),
                None => return Json::Null,
            },
        };
        self.settings.add(format!("{}.{key}", self.prefix), value.clone(), origin);
        value
    }

    fn ci(&mut self) -> Option<CiGate> {
        self.table()?;
        self.key(Place::Ci, "checks");
        let missing_after = self.key(Place::Ci, "missing_after");
        let checks = match &self.table()?.get("checks")?.value {
            Value::Text(word) if word == "required" => Checks::Required,
            Value::Text(_) => Checks::All,
            Value::List(list) => Checks::Named(list.iter().filter_map(named_check).collect()),
            _ => return None,
        };
        Some(CiGate { checks, missing_after: missing_after.as_str().filter(|t| *t != "never").map(span) })
    }

    fn lag(&mut self) -> Option<LagGate> {
        if let Some(text) = self.set.node.text() {
            let length = span(text);
            self.whole();
            return Some(LagGate { length, since: None });
        }
        self.table()?;
        let length = self.key(Place::Lag, "for");
        let since = self.key(Place::Lag, "since");
        Some(LagGate { length: span(length.as_str()?), since: since.as_str().map(CheckName::from) })
    }

    fn window(&mut self, zone: Tz) -> Option<Windows> {
        self.table()?;
        self.key(Place::Window, "allow");
        self.key(Place::Window, "deny");
        let table = self.set.node.table()?;
        let (allow, deny) = (texts(table.get("allow")), texts(table.get("deny")));
        let Ok(windows) = Windows::parse(&allow, &deny, zone) else {
            self.problems.extend(window_problems(&allow, &deny, zone, table, "flow.environment.gates.window"));
            return None;
        };
        Some(windows)
    }

    fn schedule(&mut self, zone: Tz) -> Option<Schedule> {
        self.table()?;
        let cron = self.key(Place::Schedule, "cron");
        let catch_up = self.key(Place::Schedule, "catch_up");
        let catch_up = Some(catch_up.as_str().map_or(Schedule::CATCH_UP, span));
        match Schedule::parse(cron.as_str()?, catch_up, zone) {
            Ok(schedule) => Some(schedule),
            Err(why) => {
                // Reported where the key was checked, unless it is only wrong in this zone.
                if Schedule::parse(cron.as_str()?, catch_up, Tz::UTC).is_ok() {
                    let at = self.set.key_span.clone();
                    self.problems.push(Problem::told(at, "flow.environment.gates.schedule", &why));
                }
                None
            }
        }
    }

    fn approvals(&mut self) -> Option<ApprovalsGate> {
        self.table()?;
        let required = self.key(Place::Approvals, "required").as_u64().unwrap_or(1);
        let required = u32::try_from(required).unwrap_or(u32::MAX);
        self.key(Place::Approvals, "from");
        let authors = self.key(Place::Approvals, "authors");
        let from = self.set.node.table().and_then(|t| t.get("from"));
        let gate = ApprovalsGate {
            required,
            from: texts(from).into_iter().collect(),
            authors: if authors == "allow" { AuthorsMay::Allow } else { AuthorsMay::Refuse },
        };
        if let Some(node) = from.filter(|_| !gate.from.is_empty() && gate.from.len() < required as usize) {
            let what = format!("{required} people must approve, and only {} may", gate.from.len());
            let problem = Problem::error(node.span.clone(), "flow.environment.gates.approvals.from", what);
            self.problems.push(problem.hint("name more people in `from`, or lower `required`"));
        }
        Some(gate)
    }

    fn migrations(&mut self) -> Option<MigrationsGate> {
        if self.table().is_none() {
            self.whole();
        }
        let review = match self.key(Place::Migrations, "review").as_str() {
            Some("allow") => Review::Allow,
            Some(_) | None => Review::Block,
        };
        let mut text = |key: &str| self.key(Place::Migrations, key).as_str().map(str::to_owned);
        let (framework, dialect, schema) = (text("framework"), text("dialect"), text("schema"));
        self.key(Place::Migrations, "paths");
        let known = frameworks::rows().map(|row| row.id).collect();
        self.one_of("framework", framework.as_deref(), known, |name| frameworks::rows().any(|row| row.id == name));
        let known = Dialect::ALL.map(Dialect::id).into();
        self.one_of("dialect", dialect.as_deref(), known, |word| Dialect::of_word(word).is_some());
        let paths = self.table().map(|table| texts(table.get("paths"))).unwrap_or_default();
        Some(MigrationsGate { review, framework, dialect, schema, paths })
    }

    /// Tells of a word that is none of those that are known.
    fn one_of(&mut self, key: &str, word: Option<&str>, known: Vec<&str>, is_known: impl Fn(&str) -> bool) {
        let Some(word) = word.filter(|word| !is_known(word)) else { return };
        let Some(node) = self.table().and_then(|table| table.get(key)) else { return };
        let what = format!("no `{key}` is called `{}`; there are {}", shown(word), known.join(", "));
        let problem = Problem::error(node.span.clone(), format!("flow.environment.gates.migrations.{key}"), what);
        self.problems.push(match nearest(word, known) {
            Some(meant) => problem.hint(format!("did you mean `\"{meant}\"`?")),
            None => problem,
        });
    }

    fn http(&mut self) -> Option<HttpGate> {
        self.table()?;
        let url = self.key(Place::Http, "url");
        self.key(Place::Http, "token");
        gate_url(url.as_str()?).ok().map(|url| HttpGate { url: url.into() })
    }
}

/// Where the token of the `http` gate is, if it wants one.
pub(super) fn http_token(env: &MergedEnvironment<'_>, base: &Path) -> Option<SecretRef> {
    secret(env.gates.get(GateKind::Http.key())?.node.table()?.get("token")?, base)
}

fn named_check(node: &Node) -> Option<NamedCheck> {
    let (name, on) = match &node.value {
        Value::Text(name) => (name.as_str(), None),
        Value::Table(table) => (table.get("name")?.text()?, table.get("ref").and_then(Node::text)),
        _ => return None,
    };
    let on = if on == Some("source") { CheckRef::Source } else { CheckRef::Any };
    Some(NamedCheck { name: CheckName::from(name), on })
}

/// The gates that a first environment has been given, for a message.
pub(super) fn listed(env: &MergedEnvironment<'_>) -> String {
    let names: Vec<String> = env.gates.keys().map(|key| format!("`gates.{}`", shown(key))).collect();
    names.join(", ")
}
