//! Lays `[defaults]`, the groups that match and the flow itself over one another: for each key the
//! node that counts and where it came from.
//!
//! Later layers go before earlier ones, key by key; environments are merged by name; a gate is
//! replaced whole and removed by `false`. Not here: what the values mean.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Origin;
use super::glob;
use super::names;
use super::problem::{Problem, shown};
use super::source::Source;
use super::tree::{Entry, Node, Table};

/// One table that contributes to a flow.
struct Layer<'a> {
    table: &'a Table,
    from: From,
}

/// Which kind of layer.
#[derive(Clone)]
enum From {
    Defaults,
    Group(String),
    Flow,
}

/// A value that counts, and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Set<'a> {
    pub node: &'a Node,
    pub key_span: Range<usize>,
    pub origin: Origin,
}

/// Keys with the values that count.
pub(super) type Keys<'a> = BTreeMap<&'a str, Set<'a>>;

/// A flow with its layers merged.
#[derive(Debug)]
pub(super) struct MergedFlow<'a> {
    pub keys: Keys<'a>,
    pub environments: Vec<MergedEnvironment<'a>>,
}

/// An environment with its layers merged.
#[derive(Debug)]
pub(super) struct MergedEnvironment<'a> {
    pub name: &'a str,
    pub keys: Keys<'a>,
    pub gates: Keys<'a>,
}

/// The layers of one flow, merged. `matched` learns which groups were of use.
pub(super) fn flow<'a>(
    top: &'a Table,
    flow: &'a Table,
    name: &str,
    source: &Source,
    matched: &mut [bool],
    problems: &mut Vec<Problem>,
) -> MergedFlow<'a> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    layers.extend(top.get("defaults").and_then(Node::table).map(|table| Layer { table, from: From::Defaults }));
    for (at, (_, table)) in top.get("group").into_iter().flat_map(Node::tables).enumerate() {
        if let Some(pattern) = matching(table, name) {
            matched[at] = true;
            layers.push(Layer { table, from: From::Group(pattern.to_owned()) });
        }
    }
    layers.push(Layer { table: flow, from: From::Flow });
    let mut merged = MergedFlow { keys: Keys::new(), environments: Vec::new() };
    for layer in &layers {
        for entry in layer.table.0.iter().filter(|e| e.key != "environment" && e.key != "match") {
            merged.keys.insert(&entry.key, layer.set(entry, source));
        }
        layer.environments(&mut merged, source, problems);
    }
    merged
}

/// The pattern of a group that covers the name.
pub(super) fn matching<'a>(group: &'a Table, name: &str) -> Option<&'a str> {
    let patterns = group.get("match")?.list()?;
    patterns.iter().filter_map(Node::text).find(|pattern| glob::matches(pattern, name))
}

impl<'a> Layer<'a> {
    fn set(&self, entry: &'a Entry, source: &Source) -> Set<'a> {
        let line = source.line(entry.key_span.start);
        let origin = match &self.from {
            From::Defaults => Origin::Defaults { line },
            From::Group(pattern) => Origin::Group { pattern: pattern.clone(), line },
            From::Flow => Origin::Flow { line },
        };
        Set { node: &entry.node, key_span: entry.key_span.clone(), origin }
    }

    fn environments(&self, merged: &mut MergedFlow<'a>, source: &Source, problems: &mut Vec<Problem>) {
        let first_layer = merged.environments.is_empty();
        let mut here: BTreeMap<&str, usize> = BTreeMap::new();
        for (node, table) in self.table.get("environment").into_iter().flat_map(Node::tables) {
            let Some(name_entry) = table.entry("name") else { continue };
            let Some(name) = name_entry.node.text().filter(|name| names::name_fault(name).is_none()) else {
                continue;
            };
            let span = name_entry.node.span.clone();
            if let Some(line) = here.insert(name, source.line(node.span.start)) {
                let what = format!("the environment `{name}` stands here twice; the first is on line {line}");
                problems.push(
                    Problem::error(span, "environment.name", what).hint("join the two, or rename one of them"),
                );
                continue;
            }
            let at = match merged.environments.iter().position(|e| e.name == name) {
                Some(at) => {
                    misplaced(table, name, problems);
                    at
                }
                None => {
                    let at = place(table, name, &span, merged, first_layer, problems);
                    let new = MergedEnvironment { name, keys: Keys::new(), gates: Keys::new() };
                    merged.environments.insert(at, new);
                    at
                }
            };
            self.one(&mut merged.environments[at], table, source);
        }
    }

    fn one(&self, into: &mut MergedEnvironment<'a>, table: &'a Table, source: &Source) {
        for entry in table.0.iter().filter(|e| e.key != "gates" && e.key != "after") {
            // The name's origin is the layer that brought the environment in.
            if entry.key != "name" || !into.keys.contains_key("name") {
                into.keys.insert(&entry.key, self.set(entry, source));
            }
        }
        for gate in table.get("gates").and_then(Node::table).into_iter().flat_map(|t| &t.0) {
            if gate.node.is_false() {
                into.gates.remove(gate.key.as_str());
            } else {
                into.gates.insert(&gate.key, self.set(gate, source));
            }
        }
    }
}

/// `after` on an environment that is there already.
fn misplaced(table: &Table, name: &str, problems: &mut Vec<Problem>) {
    if let Some(after) = table.entry("after") {
        let what = format!("`after` places new environments, and an earlier layer has `{name}` already");
        problems.push(Problem::error(after.key_span.clone(), "environment.after", what).hint("remove `after`"));
    }
}

/// Where a new environment goes.
fn place(
    table: &Table,
    name: &str,
    span: &Range<usize>,
    merged: &MergedFlow<'_>,
    first_layer: bool,
    problems: &mut Vec<Problem>,
) -> usize {
    let end = merged.environments.len();
    let names: Vec<&str> = merged.environments.iter().map(|e| e.name).collect();
    let list = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match table.get("after") {
        Some(after) => {
            let Some(wanted) = after.text() else { return end };
            if let Some(at) = names.iter().position(|n| *n == wanted) {
                return at + 1;
            }
            let what = format!("`{name}` is to come after `{}`, which is not there", shown(wanted));
            let hint = match super::suggest::nearest(wanted, names.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if names.is_empty() => "remove `after`: the order in the file counts".to_owned(),
                None => format!("there are {list}"),
            };
            problems.push(Problem::error(after.span.clone(), "environment.after", what).hint(hint));
            end
        }
        None if first_layer => end,
        None => {
            let what = format!("`{name}` is new here, and earlier layers have {list}: its place is not known");
            let hint = match super::suggest::nearest(name, names.iter().copied()) {
                Some(meant) => format!("write `after = \"{}\"`, or `{meant}` if that was meant", names[end - 1]),
                None => format!("write `after = \"{}\"` in it", names[end - 1]),
            };
            problems.push(Problem::error(span.clone(), "environment.after", what).hint(hint));
            end
        }
    }
}
