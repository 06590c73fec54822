//! What a new config changes, and what of that lets more through than before.
//!
//! For the log and the audit of a reload. A change whose direction cannot be told counts as one
//! that loosens: better one too many is looked at.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;
use towpath_core::model::{ApprovalsGate, AuthorsMay, Candidates, Checks, Environment, Flow, Gate, GateKind, Mode};

use super::{Config, FlowConfig, Setting};

/// One change between two configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The flow; none for `[service]`.
    pub flow: Option<String>,
    /// What changed, as a clause.
    pub what: String,
    /// Whether more may move than before, or something is no longer looked after.
    pub loosens: bool,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(flow) = &self.flow {
            write!(f, "{flow}: ")?;
        }
        f.write_str(&self.what)?;
        if self.loosens { f.write_str(" (loosens)") } else { Ok(()) }
    }
}

/// Every change, flows in the order of the old config, new ones last.
pub fn changes(old: &Config, new: &Config) -> Vec<Changed> {
    let mut list = Vec::new();
    for (key, before, after) in differing(&old.service.settings, &new.service.settings) {
        let loosens = key == "mode";
        let key = format!("service.{key}");
        // Who knows that URL can call it; the audit is for more eyes than the config.
        let what =
            if key == "service.heartbeat" { format!("`{key}` has changed") } else { said(&key, before, after) };
        list.push(Changed { flow: None, what, loosens });
    }
    for before in old.forges.values() {
        let Some(after) = new.forges.get(&before.name) else { continue };
        for (key, one, other) in differing(&before.settings, &after.settings) {
            // Another server, or others who may pass for it.
            let loosens = matches!(key, "url" | "api" | "ca");
            let what = said(&format!("forge.{}.{key}", before.name), one, other);
            list.push(Changed { flow: None, what, loosens });
        }
    }
    for gone in old.sinks.keys().filter(|name| !new.sinks.contains_key(*name)) {
        let what = format!("`sink.{gone}` is no longer in the config; it is told nothing");
        list.push(Changed { flow: None, what, loosens: true });
    }
    for after in new.sinks.values() {
        let Some(before) = old.sinks.get(&after.name) else {
            list.push(Changed { flow: None, what: format!("`sink.{}` is new", after.name), loosens: false });
            continue;
        };
        if before.template.as_ref().zip(after.template.as_ref()).is_some_and(|(one, other)| one.text != other.text)
        {
            let what = format!("what is in the file of `sink.{}.template` has changed", after.name);
            list.push(Changed { flow: None, what, loosens: false });
        }
        for (key, one, other) in differing(&before.settings, &after.settings) {
            // Who knows an address can call it; the audit is for more eyes than the config.
            let key_said = format!("sink.{}.{key}", after.name);
            let what = if key == "url" { format!("`{key_said}` has changed") } else { said(&key_said, one, other) };
            list.push(Changed { flow: None, what, loosens: false });
        }
    }
    for (key, one, other) in chats_differing(old, new) {
        list.push(Changed { flow: None, what: said(&key, one, other), loosens: true });
    }
    list.extend(laws(old, new));
    let find = |config: &'_ Config, name: &str| config.flows.iter().find(|f| f.flow.name.as_str() == name).cloned();
    for before in &old.flows {
        let name = before.flow.name.as_str();
        match find(new, name) {
            Some(after) => of_flow(before, &after, &mut list),
            None => list.push(Changed {
                flow: Some(name.to_owned()),
                what: "is no longer in the config; nothing looks after it".to_owned(),
                loosens: true,
            }),
        }
    }
    for after in &new.flows {
        let name = after.flow.name.as_str();
        if find(old, name).is_none() {
            list.push(Changed { flow: Some(name.to_owned()), what: "is new".to_owned(), loosens: false });
        }
    }
    list
}

fn of_flow(before: &FlowConfig, after: &FlowConfig, list: &mut Vec<Changed>) {
    let flow = before.flow.name.to_string();
    let looser = looser(&before.flow, &after.flow);
    for (key, old, new) in differing(&before.settings, &after.settings) {
        let loosens = looser.iter().any(|prefix| key == prefix.as_str() || key.starts_with(&format!("{prefix}.")));
        // As with the heartbeat: whoever knows that URL can call it.
        let what = match (old, new) {
            _ if !key.ends_with(".gates.http.url") => said(key, old, new),
            (None, _) => format!("`{key}` is new"),
            (_, None) => format!("`{key}` is gone"),
            (Some(_), Some(_)) => format!("`{key}` has changed"),
        };
        list.push(Changed { flow: Some(flow.clone()), what, loosens });
    }
}

/// Keys whose value differs, with both values.
fn differing<'a>(old: &'a [Setting], new: &'a [Setting]) -> Vec<(&'a str, Option<&'a Json>, Option<&'a Json>)> {
    let map = |list: &'a [Setting]| list.iter().map(|s| (s.key.as_str(), &s.value)).collect::<BTreeMap<_, _>>();
    let (old, new) = (map(old), map(new));
    let mut keys: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let all = keys.into_iter().map(|key| (key, old.get(key).copied(), new.get(key).copied()));
    all.filter(|(_, before, after)| before != after).collect()
}

/// What differs between the chats, by key.
fn chats_differing<'a>(old: &'a Config, new: &'a Config) -> Vec<(String, Option<&'a Json>, Option<&'a Json>)> {
    let mut names: Vec<&String> = old.chats.keys().chain(new.chats.keys()).collect();
    names.sort();
    names.dedup();
    let of = |config: &'a Config, name: &str| config.chats.get(name).map_or(&[][..], |chat| &chat.settings);
    let all = names.into_iter().flat_map(|name| {
        let keys = differing(of(old, name), of(new, name)).into_iter();
        keys.map(move |(key, one, other)| (format!("chat.{name}.{key}"), one, other))
    });
    all.collect()
}

/// Who may what, as far as that has changed. Only a new or a stricter refusal loosens nothing.
fn laws(old: &Config, new: &Config) -> Vec<Changed> {
    let mut list = Vec::new();
    let mut names: Vec<&str> =
        old.laws.tables.iter().chain(&new.laws.tables).map(|table| table.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = |config: &'_ Config| config.laws.tables.iter().find(|table| table.name == name).cloned();
        let (before, after) = (of(old), of(new));
        match (&before, &after) {
            (Some(before), Some(after)) => {
                for (key, one, other) in differing(&before.settings, &after.settings) {
                    list.push(Changed {
                        flow: None,
                        what: said(&format!("{name}.{key}"), one, other),
                        loosens: true,
                    });
                }
            }
            (None, Some(_)) => {
                let loosens = !name.starts_with("deny");
                list.push(Changed { flow: None, what: format!("`{name}` is new"), loosens });
            }
            (Some(_), None) => {
                let loosens = name.starts_with("deny");
                list.push(Changed { flow: None, what: format!("`{name}` is no longer in the config"), loosens });
            }
            (None, None) => {}
        }
    }
    list
}

fn said(key: &str, before: Option<&Json>, after: Option<&Json>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("`{key}` {before} -> {after}"),
        (Some(before), None) => format!("`{key}` {before} is gone"),
        (None, Some(after)) => format!("`{key}` {after} is new"),
        (None, None) => format!("`{key}`"),
    }
}

/// The keys, or beginnings of keys, under which the new flow lets more through.
fn looser(old: &Flow, new: &Flow) -> Vec<String> {
    let mut keys = Vec::new();
    if old.repository != new.repository {
        keys.push("repository".to_owned());
    }
    if old.zone != new.zone {
        keys.push("zone".to_owned());
    }
    for before in &old.environments {
        let prefix = format!("environment.{}", before.name);
        let Some(after) = new.environment(&before.name) else {
            keys.push(prefix);
            continue;
        };
        keys.extend(looser_at(before, after).into_iter().map(|key| format!("{prefix}.{key}")));
        for kind in GateKind::ALL {
            let loosens = match (before.gate(kind), after.gate(kind)) {
                (Some(before), Some(after)) => before != after && gate_loosens(before, after),
                (Some(_), None) => true,
                (None, _) => false,
            };
            if loosens {
                keys.push(format!("{prefix}.gates.{}", kind.key()));
            }
        }
    }
    keys
}

fn looser_at(before: &Environment, after: &Environment) -> Vec<&'static str> {
    let table = [
        ("branch", before.branch != after.branch),
        ("via", before.via != after.via),
        ("candidates", (before.candidates, after.candidates) == (Candidates::Tips, Candidates::Commits)),
        ("mode", (before.mode, after.mode) == (Mode::Observe, Mode::Act)),
        ("rollback", !before.rollback && after.rollback),
        ("settle", after.settle < before.settle),
        ("deployed", before.deployed != after.deployed),
        ("database", before.database != after.database),
    ];
    table.into_iter().filter(|(_, looser)| *looser).map(|(key, _)| key).collect()
}

/// Whether a gate that differs may let through what the old one did not.
fn gate_loosens(before: &Gate, after: &Gate) -> bool {
    match (before, after) {
        (Gate::Ci(before), Gate::Ci(after)) => match (&before.checks, &after.checks) {
            (Checks::Named(before), Checks::Named(after)) => before.iter().any(|check| !after.contains(check)),
            (Checks::All, Checks::All) => false,
            _ => true,
        },
        (Gate::Lag(before), Gate::Lag(after)) => after.length < before.length || after.since != before.since,
        (Gate::Quiet(before), Gate::Quiet(after)) => after < before,
        (Gate::Approvals(before), Gate::Approvals(after)) => approvals_loosen(before, after),
        _ => true,
    }
}

fn approvals_loosen(before: &ApprovalsGate, after: &ApprovalsGate) -> bool {
    let wider = !before.from.is_empty() && (after.from.is_empty() || !after.from.is_subset(&before.from));
    after.required < before.required
        || wider
        || (before.authors, after.authors) == (AuthorsMay::Refuse, AuthorsMay::Allow)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(body: &str) -> Config {
        let text = format!(
            "[[flow]]\nrepository = \"/srv/a.git\"\nname = \"a\"\n{body}\n[[flow]]\nrepository = \"/srv/b.git\"\nname = \"b\"\n\
             [[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n"
        );
        Config::from_text(&text, Path::new("/etc/towpath.toml")).unwrap()
    }

    fn with(gates: &str) -> Config {
        config(&format!(
            "[[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n{gates}"
        ))
    }

    const GATE: &str = "gates.http = { url = \"https://a.example\" }";

    #[test]
    fn what_lets_more_through_is_named() {
        let table = [
            ("gates.lag = \"30m\"", "gates.lag = \"5m\"", true),
            ("gates.lag = \"5m\"", "gates.lag = \"30m\"", false),
            ("gates.lag = \"5m\"", "", true),
            ("", "gates.lag = \"5m\"", false),
            ("gates.ci = { checks = [\"a\", \"b\"] }", "gates.ci = { checks = [\"a\"] }", true),
            ("gates.ci = { checks = [\"a\"] }", "gates.ci = { checks = [\"a\", \"b\"] }", false),
            ("gates.ci = { checks = \"all\" }", "gates.ci = { checks = [\"a\"] }", true),
            ("gates.approvals = { required = 2 }", "gates.approvals = { required = 1 }", true),
            (
                "gates.approvals = { from = [\"os:a@h\"] }",
                "gates.approvals = { from = [\"os:a@h\", \"os:b@h\"] }",
                true,
            ),
            ("gates.approvals = { authors = \"allow\" }", "gates.approvals = { authors = \"refuse\" }", false),
            (
                "gates.window = { allow = [\"Mon 09:00-10:00\"] }",
                "gates.window = { allow = [\"Mon 09:00-11:00\"] }",
                true,
            ),
            (GATE, "gates.http = { url = \"https://b.example\" }", true),
            (GATE, "gates.http = { url = \"https://a.example\", token = { env = \"T\" } }", false),
            (GATE, "", true),
            ("", GATE, false),
            ("rollback = false", "rollback = true", true),
            ("mode = \"observe\"", "mode = \"act\"", true),
            ("mode = \"act\"", "mode = \"observe\"", false),
            ("settle = \"1h\"", "settle = \"1m\"", true),
            ("candidates = \"tips\"", "candidates = \"commits\"", true),
        ];
        for (before, after, loosens) in table {
            let list = changes(&with(before), &with(after));
            assert!(!list.is_empty(), "{before} -> {after}");
            assert_eq!(list.iter().any(|c| c.loosens), loosens, "{before} -> {after}: {list:?}");
        }
        assert_eq!(changes(&with(""), &with("")), []);
    }

    #[test]
    fn what_changes_of_a_forge_is_named() {
        let with = |lines: &str| {
            let forge = format!("[forge.work]\nkind = \"git\"\nurl = \"https://git.example.com\"\n{lines}\n");
            let mut config = with("");
            let text = format!(
                "{forge}[[flow]]\nrepository = \"work:a\"\n[[flow.environment]]\nname = \"develop\"\n\
                 [[flow.environment]]\nname = \"staging\"\n"
            );
            config.forges = Config::from_text(&text, Path::new("/etc/towpath.toml")).unwrap().forges;
            config
        };
        let list = |old: &str, new: &str| -> Vec<String> {
            changes(&with(old), &with(new)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(list("", "token = { env = \"T\" }"), ["`forge.work.token` {\"env\":\"T\"} is new"]);
        assert_eq!(list("ca = \"/a\"", "ca = \"/b\""), ["`forge.work.ca` \"/a\" -> \"/b\" (loosens)"]);
        assert_eq!(list("", ""), [""; 0]);
    }

    #[test]
    fn the_url_of_the_heartbeat_is_not_repeated() {
        let with =
            |url: &str| Config::from_text(&format!("[service]\n{url}\n{FLOW}"), Path::new("/etc/t.toml")).unwrap();
        const FLOW: &str = "[[flow]]\nrepository = \"/srv/a.git\"\n[[flow.environment]]\nname = \"develop\"\n\
                            [[flow.environment]]\nname = \"staging\"\n";
        let list: Vec<String> = changes(&with(""), &with("heartbeat = \"https://hc.example/0000\""))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(list, ["`service.heartbeat` has changed"]);
    }

    #[test]
    fn the_url_of_a_gate_is_not_repeated() {
        let other = GATE.replace("a.example", "b.example");
        let list = |old: &str, new: &str| -> Vec<String> {
            changes(&with(old), &with(new)).iter().map(ToString::to_string).collect()
        };
        let key = "a: `environment.staging.gates.http.url`";
        assert_eq!(list(GATE, &other), [format!("{key} has changed (loosens)")]);
        assert_eq!(list("", GATE), [format!("{key} is new")]);
        assert_eq!(list(GATE, ""), [format!("{key} is gone (loosens)")]);
    }

    #[test]
    fn a_flow_that_goes_is_named() {
        let old = with("");
        let mut new = old.clone();
        new.flows.remove(1);
        let list: Vec<String> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(list, ["b: is no longer in the config; nothing looks after it (loosens)"]);
        let list: Vec<String> = changes(&new, &old).iter().map(ToString::to_string).collect();
        assert_eq!(list, ["b: is new"]);
        let list: Vec<String> = changes(&with("gates.lag = \"30m\""), &with("gates.lag = \"5m\""))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(list, ["a: `environment.staging.gates.lag` \"30m\" -> \"5m\" (loosens)"]);
    }
}
