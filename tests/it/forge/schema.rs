//! An official description of an API (OpenAPI 3.0 or Swagger 2), and exchanges held against it.
//!
//! Every request that an adapter sends and every answer that a test's forge gives is checked: path,
//! parameters, body, status, content type, answer. What the description does not name is wrong, in
//! the adapter or in the forge of the test, and both are ours.
//!
//! The descriptions are fetched by `scripts/forge-specs`, which `scripts/test` calls. Where they could
//! not be had, `TOWPATH_FORGE_SPECS=none` says so on purpose; the tests then run without them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Router, http};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// The header by which a test's forge marks an answer that is wrong on purpose. It is taken off, and
/// the answer is not held against the description.
pub const ON_PURPOSE: &str = "x-on-purpose";

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    /// As sent, still escaped, without the query.
    pub path: String,
    pub query: String,
    pub request: Bytes,
    pub status: u16,
    pub content_type: String,
    pub response: Bytes,
}

/// A description, ready to be asked.
pub struct Api {
    document: Value,
    /// Before every path of the description.
    base: String,
    routes: Vec<Route>,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
    /// Statuses that are no part of the description although the forge sends them, each `METHOD status`
    /// (`*` for any method), with the source.
    pub also: Vec<(&'static str, u16, &'static str)>,
}

struct Route {
    method: String,
    template: String,
    operation: Value,
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    /// Name, and whether it may hold slashes.
    Param(String, bool),
}

/// The file that `scripts/forge-specs` made, or none where that was given up on purpose.
///
/// # Panics
/// If it is not there and nobody said that this is on purpose: nothing is skipped in silence.
pub fn spec(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/forge-specs").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(_) if std::env::var("TOWPATH_FORGE_SPECS").is_ok_and(|said| said == "none") => {
            eprintln!("NOT CHECKED against the official description: {} is not there", path.display());
            None
        }
        Err(why) => panic!(
            "{}: {why}\nrun scripts/forge-specs, or set TOWPATH_FORGE_SPECS=none to go without: NOT CHECKED then",
            path.display()
        ),
    }
}

impl Api {
    /// Reads a description. `base` is what stands before its paths on the server.
    pub fn new(text: &str, base: &str) -> Self {
        let mut document: Value = serde_json::from_str(text).expect("a description is JSON");
        widen(&mut document);
        let mut routes = Vec::new();
        for (template, item) in document["paths"].as_object().expect("paths") {
            let shared = item.get("parameters").cloned();
            for (method, operation) in item.as_object().expect("a path item") {
                if !["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                    continue;
                }
                let mut operation = operation.clone();
                if let Some(shared) = shared.as_ref().and_then(Value::as_array) {
                    let own = operation["parameters"].as_array().cloned().unwrap_or_default();
                    operation["parameters"] = Value::Array(shared.iter().cloned().chain(own).collect());
                }
                let mut route = Route {
                    method: method.to_uppercase(),
                    template: template.clone(),
                    operation,
                    parts: Vec::new(),
                };
                route.parts = parts(template, &params(&document, &route.operation));
                routes.push(route);
            }
        }
        // The most literal first: `/pulls/comments` before `/pulls/{pull_number}`, and `/commits/{ref}/status`
        // before `/commits/{ref}`, whose parameter may hold slashes.
        let literals = |route: &Route| route.parts.iter().filter(|part| matches!(part, Part::Literal(_))).count();
        routes.sort_by_key(|route| std::cmp::Reverse(literals(route)));
        Self { document, base: base.to_owned(), routes, validators: Mutex::default(), also: Vec::new() }
    }

    /// What is wrong with an exchange; nothing if it is as described. Also the operation, as
    /// `METHOD /template`.
    pub fn check(&self, exchange: &Exchange) -> (String, Vec<String>) {
        let Some((route, found)) = self.route(exchange) else {
            let what = format!("{} {}", exchange.method, exchange.path);
            return (what.clone(), vec![format!("{what}: there is no such operation")]);
        };
        let mut wrong = Vec::new();
        self.check_parameters(route, &found, exchange, &mut wrong);
        self.check_request(route, exchange, &mut wrong);
        self.check_response(route, exchange, &mut wrong);
        let name = format!("{} {}", route.method, route.template);
        (name.clone(), wrong.into_iter().map(|what| format!("{name}: {what}")).collect())
    }

    fn route(&self, exchange: &Exchange) -> Option<(&Route, BTreeMap<String, String>)> {
        let path = exchange.path.strip_prefix(&self.base)?;
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.routes
            .iter()
            .filter(|route| route.method == exchange.method)
            .find_map(|route| Some((route, fits(&route.parts, &segments)?)))
    }

    fn check_parameters(
        &self,
        route: &Route,
        path: &BTreeMap<String, String>,
        exchange: &Exchange,
        wrong: &mut Vec<String>,
    ) {
        let query: Vec<(String, String)> = exchange
            .query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').map_or((decode(part), String::new()), |(k, v)| (decode(k), decode(v))))
            .collect();
        let described = params(&self.document, &route.operation);
        for param in &described {
            let (name, place) =
                (param["name"].as_str().unwrap_or_default(), param["in"].as_str().unwrap_or_default());
            let given: Vec<&String> = match place {
                "path" => path.get(name).into_iter().collect(),
                "query" => query.iter().filter(|(had, _)| had == name).map(|(_, value)| value).collect(),
                _ => continue,
            };
            if given.is_empty() && param["required"] == json!(true) {
                wrong.push(format!("parameter `{name}` is missing"));
            }
            let schema = param.get("schema").unwrap_or(param);
            for text in given {
                let value = self.coerced(schema, text);
                let schema = if schema["type"] == json!("array") {
                    schema.get("items").unwrap_or(&Value::Null)
                } else {
                    schema
                };
                wrong.extend(
                    self.against(schema, &value).into_iter().map(|what| format!("parameter `{name}`: {what}")),
                );
            }
        }
        for (name, _) in &query {
            if !described.iter().any(|param| param["in"] == json!("query") && param["name"] == json!(name)) {
                wrong.push(format!("there is no query parameter `{name}`"));
            }
        }
    }

    fn check_request(&self, route: &Route, exchange: &Exchange, wrong: &mut Vec<String>) {
        let in_body =
            params(&self.document, &route.operation).into_iter().find(|param| param["in"] == json!("body"));
        let body = self.resolved(route.operation.get("requestBody").unwrap_or(&Value::Null)).clone();
        let schema = body
            .pointer("/content/application~1json/schema")
            .cloned()
            .or_else(|| in_body.as_ref()?.get("schema").cloned());
        let required = body["required"] == json!(true)
            || in_body.as_ref().is_some_and(|param| param["required"] == json!(true));
        let sent: Option<Value> = if exchange.request.is_empty() {
            None
        } else {
            match serde_json::from_slice(&exchange.request) {
                Ok(value) => Some(value),
                Err(why) => return wrong.push(format!("the request is no JSON: {why}")),
            }
        };
        match (sent, schema) {
            (None, Some(_)) if required => wrong.push("the request has no body".to_owned()),
            (Some(value), None) if value != json!({}) => {
                wrong.push("the request has a body, and none is described".to_owned());
            }
            (Some(value), Some(schema)) => {
                wrong.extend(self.against(&schema, &value).into_iter().map(|what| format!("request: {what}")));
                let known = self.properties(&schema);
                if let Some(fields) = value.as_object().filter(|_| !known.is_empty()) {
                    let unknown = fields.keys().filter(|name| !known.contains(*name));
                    wrong.extend(unknown.map(|name| format!("request: there is no field `{name}`")));
                }
            }
            _ => {}
        }
    }

    fn check_response(&self, route: &Route, exchange: &Exchange, wrong: &mut Vec<String>) {
        let status = exchange.status;
        let Some(described) = route.operation["responses"].get(status.to_string()) else {
            let also = self
                .also
                .iter()
                .any(|(method, code, _)| *code == status && (*method == "*" || *method == exchange.method));
            if !also {
                wrong.push(format!("status {status} is not described"));
            }
            return;
        };
        let described = self.resolved(described).clone();
        let json = exchange.content_type.starts_with("application/json");
        let schema = described.pointer("/content/application~1json/schema").or_else(|| described.get("schema"));
        match schema {
            None if exchange.response.is_empty() => {}
            // Of what it refuses GitHub often describes the reason only; words come all the same.
            None if status == 304 || status >= 400 || described.get("content").is_some() => {}
            None => wrong.push(format!("status {status} is described without a body, and one came")),
            Some(_) if !json => wrong.push(format!("the answer is `{}`", exchange.content_type)),
            Some(schema) => match serde_json::from_slice::<Value>(&exchange.response) {
                Ok(value) => wrong.extend(
                    self.against(schema, &value).into_iter().map(|what| format!("answer {status}: {what}")),
                ),
                Err(why) => wrong.push(format!("answer {status}: no JSON: {why}")),
            },
        }
    }

    /// What is wrong with a value by the schema that a reference leads to (`#/definitions/Comment`): with what comes
    /// by a hook, which is no answer to anything.
    pub fn check_value(&self, reference: &str, value: &Value) -> Vec<String> {
        self.against(&json!({ "$ref": reference }), value)
    }

    /// What is wrong with a value by a schema of the document.
    fn against(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = {
            let key = schema.to_string();
            let mut validators = self.validators.lock().expect("validators");
            Arc::clone(validators.entry(key).or_insert_with(|| Arc::new(self.compiled(schema))))
        };
        let shown = |error: jsonschema::ValidationError<'_>| {
            let text: String = error.to_string().chars().take(300).collect();
            format!("at `{}`: {text}", error.instance_path())
        };
        validator.iter_errors(value).take(5).map(shown).collect()
    }

    fn compiled(&self, schema: &Value) -> Validator {
        let mut whole = schema.clone();
        // Only what it refers to goes along: the whole document would be compiled again and again.
        let (mut todo, mut had) = (refs(schema), BTreeSet::new());
        while let Some(reference) = todo.pop() {
            if had.insert(reference.clone()) {
                let target = self.document.pointer(reference.trim_start_matches('#'));
                let target = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
                todo.extend(refs(target));
                put(&mut whole, reference.trim_start_matches("#/"), target.clone());
            }
        }
        let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
        options.build(&whole).unwrap_or_else(|why| panic!("a schema of the description: {why}"))
    }

    /// The schema of an answer in JSON.
    pub fn answer_schema(&self, method: &str, template: &str, status: u16) -> Option<Value> {
        let route = self.routes.iter().find(|route| route.method == method && route.template == template)?;
        let described = self.resolved(route.operation["responses"].get(status.to_string())?);
        described.pointer("/content/application~1json/schema").or_else(|| described.get("schema")).cloned()
    }

    /// What a reference leads to; anything else is itself.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap_or(value),
            None => value,
        }
    }

    fn properties(&self, schema: &Value) -> BTreeSet<String> {
        let schema = self.resolved(schema);
        let mut names: BTreeSet<String> =
            schema["properties"].as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
        for key in ["oneOf", "anyOf", "allOf"] {
            let parts = schema[key].as_array().into_iter().flatten();
            names.extend(parts.flat_map(|part| self.properties(part)));
        }
        names
    }

    /// A text of a URL as the type that the schema wants.
    fn coerced(&self, schema: &Value, text: &str) -> Value {
        let schema = self.resolved(schema);
        let schema = if schema["type"] == json!("array") { self.resolved(&schema["items"]) } else { schema };
        let kinds = schema["oneOf"].as_array().into_iter().flatten().chain([schema]);
        let wants = |kind: &str| kinds.clone().any(|s| s["type"] == json!(kind));
        match text.parse::<i64>() {
            Ok(number) if wants("integer") || wants("number") => json!(number),
            _ if wants("boolean") && (text == "true" || text == "false") => json!(text == "true"),
            _ => json!(text),
        }
    }
}

/// OpenAPI's `nullable` and Swagger's `x-nullable` as JSON Schema knows them.
fn widen(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(widen),
        Value::Object(fields) => {
            fields.values_mut().for_each(widen);
            let nullable = ["nullable", "x-nullable"].iter().any(|key| fields.get(*key) == Some(&json!(true)));
            if nullable {
                fields.remove("nullable");
                fields.remove("x-nullable");
                let schema = std::mem::replace(fields, Map::new());
                fields.insert("anyOf".to_owned(), json!([schema, { "enum": [null] }]));
            }
        }
        _ => {}
    }
}

fn refs(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(refs).collect(),
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(refs)).collect()
        }
        _ => Vec::new(),
    }
}

fn put(whole: &mut Value, path: &str, value: Value) {
    let mut at = whole;
    for part in path.split('/') {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[part.replace("~1", "/").replace("~0", "~")];
    }
    *at = value;
}

fn params(document: &Value, operation: &Value) -> Vec<Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|param| match param["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).cloned().expect("a parameter"),
        None => param.clone(),
    })
    .collect()
}

fn parts(template: &str, params: &[Value]) -> Vec<Part> {
    let part = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => {
            let param = params.iter().find(|param| param["name"] == json!(name));
            Part::Param(name.to_owned(), param.is_some_and(|param| param["x-multi-segment"] == json!(true)))
        }
        None => Part::Literal(text.to_owned()),
    };
    template.trim_start_matches('/').split('/').map(part).collect()
}

fn fits(parts: &[Part], segments: &[&str]) -> Option<BTreeMap<String, String>> {
    match (parts, segments) {
        ([], []) => Some(BTreeMap::new()),
        ([Part::Literal(literal), parts @ ..], [first, segments @ ..]) if literal == first => fits(parts, segments),
        ([Part::Param(name, multi), parts @ ..], [_, ..]) => {
            let most = if *multi { segments.len() } else { 1 };
            (1..=most).find_map(|count| {
                let mut found = fits(parts, &segments[count..])?;
                found.insert(name.clone(), decode(&segments[..count].join("/")));
                Some(found)
            })
        }
        _ => None,
    }
}

/// Percent-decoding.
pub fn decode(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (bytes[at], hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What was exchanged with a test's forge, and what was wrong with it.
#[derive(Clone, Default)]
pub struct Watch(Arc<Watched>);

#[derive(Default)]
struct Watched {
    api: Option<Api>,
    seen: Mutex<Seen>,
}

/// The log of a [`Watch`].
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// What was not as described.
    pub wrong: Vec<String>,
    /// The operations, and how often each was held against the description.
    pub checked: BTreeMap<String, usize>,
    /// How many answers were wrong on purpose.
    pub on_purpose: usize,
    /// A good exchange of each operation and status, for controls that spoil them.
    pub samples: BTreeMap<(String, u16), Exchange>,
}

impl Watch {
    /// Watches by that description, or only lets through where there is none.
    pub fn new(api: Option<Api>) -> Self {
        Self(Arc::new(Watched { api, seen: Mutex::default() }))
    }

    /// Whether there is a description.
    pub fn checks(&self) -> bool {
        self.0.api.is_some()
    }

    /// The description.
    pub fn api(&self) -> Option<&Api> {
        self.0.api.as_ref()
    }

    /// Everything that passes through this router is held against the description.
    pub fn over(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), watched))
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.0.seen.lock().expect("seen").clone()
    }

    /// All was as described, and at least that many exchanges were looked at (or there is no
    /// description, which was said).
    pub fn assert_good(&self, at_least: usize) {
        let seen = self.seen();
        assert!(seen.wrong.is_empty(), "not as described:\n{}", seen.wrong.join("\n"));
        let count: usize = seen.checked.values().sum();
        assert!(!self.checks() || count >= at_least, "only {count} exchanges were checked, of {at_least}");
    }
}

async fn watched(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    const MOST: usize = 64 * 1024 * 1024;
    let Some(api) = &watch.0.api else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, MOST).await.expect("a request's body");
    let (method, uri) = (parts.method.to_string(), parts.uri.clone());
    let conditional = parts.headers.contains_key(http::header::IF_NONE_MATCH);
    let mut response = next.run(Request::from_parts(parts, Body::from(sent.clone()))).await;
    if response.headers_mut().remove(ON_PURPOSE).is_some() {
        watch.0.seen.lock().expect("seen").on_purpose += 1;
        return response;
    }
    let (head, body) = response.into_parts();
    let came = to_bytes(body, MOST).await.expect("an answer's body");
    let content_type =
        head.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let exchange = Exchange {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        request: sent,
        status: head.status.as_u16(),
        content_type: content_type.to_owned(),
        response: came.clone(),
    };
    let (operation, mut wrong) = api.check(&exchange);
    if exchange.status == 304 && !conditional {
        wrong.push(format!("{operation}: 304 without having been asked"));
    }
    let mut seen = watch.0.seen.lock().expect("seen");
    *seen.checked.entry(operation.clone()).or_default() += 1;
    if wrong.is_empty() {
        // The richest: an empty list has nothing that could be spoiled.
        let key = (operation, exchange.status);
        if seen.samples.get(&key).is_none_or(|had| had.response.len() < exchange.response.len()) {
            seen.samples.insert(key, exchange);
        }
    }
    seen.wrong.extend(wrong);
    drop(seen);
    Response::from_parts(head, Body::from(came))
}
