//! `config show`: what is in effect, each value with where it came from. The TOML is a config
//! itself: loaded again from the same folder it means the same.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::problem::shown;
use super::redact::is_deceptive;
use super::{Config, FlowConfig, Setting};

impl Config {
    /// As TOML, for all flows or one.
    pub fn show_toml(&self, only: Option<&FlowConfig>) -> String {
        let mut out = format!("# What is in effect of {}\n", shown(&self.path.to_string_lossy()));
        block(&mut out, "[service]", "", &self.service.settings);
        for forge in self.forges.values() {
            block(&mut out, &format!("[forge.{}]", forge.name), "", &forge.settings);
        }
        for sink in self.sinks.values() {
            block(&mut out, &format!("[sink.{}]", sink.name), "", &sink.settings);
        }
        for chat in self.chats.values() {
            block(&mut out, &format!("[chat.{}]", chat.name), "", &chat.settings);
        }
        for table in &self.laws.tables {
            block(&mut out, &table.header, "", &table.settings);
        }
        for flow in self.chosen(only) {
            flow_toml(&mut out, flow);
        }
        out
    }

    /// As JSON, for all flows or one.
    pub fn show_json(&self, only: Option<&FlowConfig>) -> Json {
        let forge = |forge: &super::Forge| json!({ "name": forge.name, "values": values(&forge.settings) });
        let sink = |sink: &super::Sink| json!({ "name": sink.name, "values": values(&sink.settings) });
        let chat = |chat: &super::Chat| json!({ "name": chat.name, "values": values(&chat.settings) });
        let law = |law: &super::LawTable| json!({ "name": law.name, "values": values(&law.settings) });
        let flow = |flow: &FlowConfig| {
            json!({
                "name": flow.flow.name,
                "remote": flow.remote,
                "policy": flow.flow.policy,
                "values": values(&flow.settings),
            })
        };
        json!({
            "schema_version": 1,
            "file": self.path.to_string_lossy(),
            "service": { "values": values(&self.service.settings) },
            "forges": self.forges.values().map(forge).collect::<Vec<_>>(),
            "sinks": self.sinks.values().map(sink).collect::<Vec<_>>(),
            "chats": self.chats.values().map(chat).collect::<Vec<_>>(),
            "people_and_rules": self.laws.tables.iter().map(law).collect::<Vec<_>>(),
            "flows": self.chosen(only).map(flow).collect::<Vec<_>>(),
        })
    }

    fn chosen<'a>(&'a self, only: Option<&'a FlowConfig>) -> impl Iterator<Item = &'a FlowConfig> {
        self.flows.iter().filter(move |f| only.is_none_or(|o| o.flow.name == f.flow.name))
    }
}

fn values(settings: &[Setting]) -> Vec<Json> {
    settings.iter().map(|s| json!({ "key": s.key, "value": s.value, "origin": s.origin })).collect()
}

/// The flow's own keys, then each environment as a table of its own.
fn flow_toml(out: &mut String, flow: &FlowConfig) {
    let starts =
        |setting: &Setting, name: &str| setting.key.strip_prefix("environment.") == Some(&format!("{name}.name"));
    let mut rest = &flow.settings[..];
    let mut header = "[[flow]]";
    let mut prefix = String::new();
    for env in &flow.flow.environments {
        let end = rest.iter().position(|s| starts(s, env.name.as_str())).unwrap_or(rest.len());
        block(out, header, &prefix, &rest[..end]);
        rest = &rest[end..];
        header = "[[flow.environment]]";
        prefix = format!("environment.{}.", env.name);
    }
    block(out, header, &prefix, rest);
}

/// One table; origins in one column.
fn block(out: &mut String, header: &str, prefix: &str, settings: &[Setting]) {
    const COLUMN_MOST: usize = 56;
    let lines: Vec<(String, String)> = settings
        .iter()
        .map(|s| {
            let key = s.key.strip_prefix(prefix).unwrap_or(&s.key);
            (format!("{key} = {}", toml(&s.value)), s.origin.to_string())
        })
        .collect();
    let width = |text: &str| text.chars().count();
    let column = lines.iter().map(|(text, _)| width(text)).filter(|w| *w <= COLUMN_MOST).max().unwrap_or(0);
    let _ = writeln!(out, "\n{header}");
    for (text, origin) in lines {
        let pad = column.saturating_sub(width(&text));
        let _ = writeln!(out, "{text}{:pad$}  # {origin}", "");
    }
}

/// A value as TOML on one line.
fn toml(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Json::Null => "false".to_owned(),
        other => other.to_string(),
    }
}

/// A basic string in which nothing deceives a terminal or an eye.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_deceptive(c) => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
