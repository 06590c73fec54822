//! `[service]` and `[forge.NAME]`, typed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use chrono_tz::Tz;
use towpath_core::calendar::Schedule;
use towpath_core::model::{Mode, Span};

use super::keys::{Place, Row};
use super::problem::Problem;
use super::resolve::{mode_of, node_json};
use super::source::Source;
use super::tree::{Node, Table, Value};
use super::{AppRef, Forge, ForgeKind, Moves, Origin, SecretRef, Service, Setting, Store, remote};

/// The user name beside a token: GitHub wants exactly this one for the tokens of its apps, and every
/// other forge that takes a token as a password takes any name with it (measured nowhere; it is what
/// their manuals say).
const USER: &str = "x-access-token";

/// Every key of a table that is written or has a default, in the order of the table of keys.
pub(super) fn settings(
    place: Place,
    table: Option<&Table>,
    source: &Source,
    origin: fn(usize) -> Origin,
) -> Vec<Setting> {
    let one = |row: &Row| {
        let (value, origin) = match table.and_then(|t| t.entry(row.key)) {
            Some(entry) => (node_json(&entry.node), origin(source.line(entry.key_span.start))),
            None => (row.default_value()?, Origin::Default),
        };
        Some(Setting { key: row.key.to_owned(), value, origin })
    };
    place.rows().filter(|row| row.later.is_none()).filter_map(one).collect()
}

pub(super) fn text<'a>(settings: &'a [Setting], key: &str) -> &'a str {
    settings.iter().find(|s| s.key == key).and_then(|s| s.value.as_str()).unwrap_or_default()
}

pub(super) fn whole(settings: &[Setting], key: &str) -> Option<usize> {
    settings.iter().find(|s| s.key == key)?.value.as_u64()?.try_into().ok()
}

pub(super) fn secrets(table: Option<&Table>, key: &str, base: &Path) -> Vec<SecretRef> {
    let list = table.and_then(|table| table.get(key)).map(|node| &node.value);
    let Some(Value::List(list)) = list else { return Vec::new() };
    list.iter().filter_map(|node| secret(node, base)).collect()
}

/// `[service]`. What is invalid has been reported and gets some value.
pub(super) fn service(top: &Table, source: &Source, base: &Path, problems: &mut Vec<Problem>) -> Option<Service> {
    let node = top.get("service");
    let settings = settings(Place::Service, node.and_then(Node::table), source, |line| Origin::Service { line });
    let look = text(&settings, "look").to_owned();
    let look_schedule = match Schedule::parse(&look, None, Tz::UTC) {
        Ok(schedule) => schedule,
        Err(why) => {
            let span = node.map_or(0..0, |n| n.span.clone());
            // The check of the key itself has said so already; this is for a default gone bad.
            if problems.is_empty() {
                problems.push(Problem::told(span, "service.look", &why));
            }
            return None;
        }
    };
    let path = text(&settings, "store").strip_prefix("sqlite:").unwrap_or_default().to_owned();
    let listen = text(&settings, "listen").parse().unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
    Some(Service {
        store: Store::Sqlite(remote::tidy(&base.join(path))),
        look,
        look_schedule,
        mode: mode_of(text(&settings, "mode")),
        listen,
        at_once: whole(&settings, "at_once").unwrap_or(4),
        heartbeat: Some(text(&settings, "heartbeat")).filter(|url| !url.is_empty()).map(str::to_owned),
        webhook_secrets: secrets(node.and_then(Node::table), "webhook_secrets", base),
        public_url: Some(text(&settings, "public_url").trim_end_matches('/'))
            .filter(|url| !url.is_empty())
            .map(str::to_owned),
        hosts: super::check::texts(node.and_then(Node::table).and_then(|table| table.get("hosts"))),
        anonymous_read: settings.iter().find(|s| s.key == "anonymous_read").and_then(|s| s.value.as_bool()),
        settings,
    })
}

/// The service's mode and where it came from.
pub(super) fn mode(service: Option<&Service>) -> (Mode, Origin) {
    let setting = service.and_then(|s| s.settings.iter().find(|s| s.key == "mode"));
    setting
        .map_or((Mode::Act, Origin::Default), |s| (mode_of(s.value.as_str().unwrap_or_default()), s.origin.clone()))
}

/// Every `[forge.NAME]`.
pub(super) fn forges(top: &Table, source: &Source, base: &Path) -> BTreeMap<String, Forge> {
    let tables = top.get("forge").and_then(Node::table).into_iter().flat_map(|t| &t.0);
    let forge = |name: &str, table: &Table| {
        let settings = settings(Place::Forge, Some(table), source, |line| Origin::Forge { line });
        Forge {
            name: name.to_owned(),
            kind: ForgeKind::of_table(table),
            url: Some(text(&settings, "url").trim_end_matches('/'))
                .filter(|url| !url.is_empty())
                .or_else(|| ForgeKind::of_table(table).home())
                .unwrap_or_default()
                .to_owned(),
            api: Some(text(&settings, "api").trim_end_matches('/'))
                .filter(|url| !url.is_empty())
                .map(str::to_owned),
            token: table.get("token").and_then(|node| secret(node, base)),
            app: table.get("app").and_then(|node| app(node, base)),
            user: Some(text(&settings, "user")).filter(|user| !user.is_empty()).unwrap_or(USER).to_owned(),
            webhook_secrets: secrets(Some(table), "webhook_secrets", base),
            discover: settings.iter().any(|s| s.key == "discover" && s.value == true),
            except: super::check::texts(table.get("except")),
            moves: Moves::of_table(table),
            ca: table.get("ca").and_then(Node::text).map(|path| remote::tidy(&base.join(path))),
            settings,
        }
    };
    tables.filter_map(|e| Some((e.key.clone(), forge(&e.key, e.node.table()?)))).collect()
}

fn app(node: &Node, base: &Path) -> Option<AppRef> {
    let table = node.table()?;
    let id = match &table.get("id")?.value {
        Value::Text(id) => id.clone(),
        Value::Whole(id) => id.to_string(),
        _ => return None,
    };
    let Value::Whole(installation) = table.get("installation")?.value else { return None };
    Some(AppRef { id, installation: u64::try_from(installation).ok()?, key: secret(table.get("key")?, base)? })
}

/// Where a secret is.
pub(super) fn secret(node: &Node, base: &Path) -> Option<SecretRef> {
    let table = node.table()?;
    let env = table.get("env").and_then(Node::text).map(|name| SecretRef::Env(name.to_owned()));
    env.or_else(|| {
        table.get("file").and_then(Node::text).map(|path| SecretRef::File(remote::tidy(&base.join(path))))
    })
}

/// A span that is valid, or none at all: what is invalid has been reported.
pub(super) fn span(text: &str) -> Span {
    Span::parse(text).unwrap_or(Span::ZERO)
}
