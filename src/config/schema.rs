//! The JSON Schema of the config, from the table of keys: editors complete and check with it.
//!
//! It knows what the table knows; rules over several keys are judged by `config validate` alone.

use serde_json::{Map, Value as Json, json};

use super::keys::{Default, Kind, Place, Row};
use super::resolve::node_json;
use super::tree;

/// The schema, draft 2020-12.
pub fn schema() -> Json {
    let mut top = object(Place::Top);
    let defs: Map<String, Json> =
        Place::ALL.into_iter().filter(|p| *p != Place::Top).map(|p| (def_name(p), object(p))).collect();
    if let Some(top) = top.as_object_mut() {
        top.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        top.insert("title".into(), json!("Towpath's config"));
        top.insert("$defs".into(), Json::Object(defs));
    }
    top
}

fn def_name(place: Place) -> String {
    format!("{place:?}").to_lowercase()
}

fn object(place: Place) -> Json {
    let rows = || place.rows().filter(|row| row.later.is_none());
    let required: Vec<&str> = rows().filter(|row| row.default == Default::Required).map(|row| row.key).collect();
    let properties: Map<String, Json> = rows().map(|row| (row.key.to_owned(), property(row))).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if place == Place::Secret {
        object["minProperties"] = json!(1);
        object["maxProperties"] = json!(1);
    }
    object
}

fn property(row: &Row) -> Json {
    let mut property = kind(&row.kind);
    let described = match row.default {
        Default::From(what) => format!("{} Default: {what}.", row.meaning),
        _ => row.meaning.to_owned(),
    };
    property["description"] = json!(described);
    if let Some(default) = row.default_value() {
        property["default"] = default;
    }
    if let Some(example) = example(row) {
        property["examples"] = json!([example]);
    }
    property
}

/// The example's value; none where it is only a table's header.
fn example(row: &Row) -> Option<Json> {
    let (table, _) = tree::parse(row.example);
    let node = table.get(row.key).or_else(|| table.get("gates")?.table()?.get(row.key))?;
    Some(node_json(node))
}

fn kind(kind_of: &Kind) -> Json {
    const DURATION: &str = "^\\s*([0-9]+(ms|min|[smhdw])\\s*)+$";
    match kind_of {
        Kind::Name => json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._/-]*$", "not": { "const": "all" } }),
        Kind::Duration { .. } => json!({ "type": "string", "pattern": DURATION }),
        Kind::DurationOr(word) => {
            json!({ "anyOf": [{ "type": "string", "pattern": DURATION }, { "const": word }] })
        }
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::False => json!({ "const": false }),
        Kind::Count { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Word { words: [word], .. } => json!({ "const": word }),
        Kind::Word { words, .. } => json!({ "enum": words }),
        Kind::Store => json!({ "type": "string", "pattern": "^sqlite:[^/:]|^sqlite:/[^/]" }),
        Kind::SinkUrl => json!({ "type": "string", "pattern": "^https?://[^\\s/?#@]+\\S*$" }),
        Kind::GateUrl => json!({ "type": "string", "pattern": "^https?://[^\\s/?#@]+[^\\s?#]*$" }),
        Kind::EnvVar => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
        Kind::Approver => {
            json!({ "type": "string", "pattern": "^(os:[^\\s]+@[^\\s@]+|token:[a-z0-9][a-z0-9._-]*)$" })
        }
        Kind::Secret => json!({ "$ref": format!("#/$defs/{}", def_name(Place::Secret)) }),
        Kind::ListOf(one) => json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": kind(one) }),
        Kind::Table(place) => json!({ "$ref": format!("#/$defs/{}", def_name(*place)) }),
        Kind::Tables(place) => {
            json!({ "type": "array", "items": { "$ref": format!("#/$defs/{}", def_name(*place)) } })
        }
        Kind::Named(place) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9][a-z0-9_-]*$" },
            "additionalProperties": { "$ref": format!("#/$defs/{}", def_name(*place)) },
        }),
        Kind::OneOf(kinds) => json!({ "anyOf": kinds.iter().map(kind).collect::<Vec<_>>() }),
        Kind::Text
        | Kind::Branch
        | Kind::Zone
        | Kind::Cron
        | Kind::Listen
        | Kind::Host
        | Kind::Url
        | Kind::Repository
        | Kind::File
        | Kind::User
        | Kind::Glob
        | Kind::Times => json!({ "type": "string", "minLength": 1 }),
    }
}
