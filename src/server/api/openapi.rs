//! The OpenAPI document: made from the routes and from the table of codes, so that it cannot say
//! anything else than they do.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value as Json, json};
use utoipa::OpenApi;

use crate::views::{
    Answer, Audit, CODES, Code, CommitView, Compare, DiffView, EdgeView, History, Passes, Plans, Problem,
    Promotions, SCHEMA_VERSION, Status, Tokens, Where,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Towpath",
        description = "Moves commits along a repository's environment branches. Every answer is what the command \
                       of the same name prints with `-o json`. Times are epoch milliseconds. Fields are added \
                       within a version, never changed or removed.",
    ),
    paths(
        super::flows::list, super::flows::one, super::flows::edge, super::flows::diff, super::flows::compare, super::commits::explain,
        super::commits::environments, super::look::plan, super::look::one, super::look::all,
        super::records::history, super::records::promotions, super::records::audit, super::tokens::whoami, super::commands::command,
        super::commands::check, super::tokens::list,
    ),
    components(schemas(
        Answer, Audit, CommitView, Compare, DiffView, EdgeView, History, Passes, Plans, Problem, Promotions, Status, Tokens,
        Where,
    )),
    tags(
        (name = "look", description = "Needs the scope `read`; or no token, from this machine"),
        (name = "report", description = "Needs the scope `report`"),
        (name = "steer", description = "Needs the scope `steer`"),
        (name = "admin", description = "Needs the scope `admin`"),
    ),
)]
struct Document;

/// What any route may answer.
const EVERYWHERE: &[Code] = &[
    Code::BadQuery,
    Code::BadPath,
    Code::TokenMissing,
    Code::TokenUnknown,
    Code::TokenExpired,
    Code::TokenRevoked,
    Code::ScopeTooSmall,
    Code::OtherFlow,
    Code::MethodNotAllowed,
    Code::HostNotAllowed,
    Code::Internal,
    Code::Store,
    Code::StoreBusy,
];

/// What each operation may answer besides.
fn besides(operation: &str) -> &'static [Code] {
    use Code::*;
    match operation {
        "listFlows" | "history" | "promotions" | "audit" => &[BadCursor, UnknownName, AmbiguousName],
        "getFlow" | "compareFlow" => &[UnknownName, AmbiguousName],
        "explainEdge" => &[UnknownName, AmbiguousName, FirstEnvironment, NotDecided],
        "diffEdge" => &[UnknownName, AmbiguousName, FirstEnvironment, Unreadable, Busy, TookTooLong],
        "explainCommit" | "whereIsCommit" => {
            &[BadCommit, UnknownCommit, AmbiguousCommit, CannotTell, Busy, TookTooLong]
        }
        "plan" => &[BadCursor, UnknownName, AmbiguousName, FirstEnvironment, Busy, TookTooLong],
        "lookAtFlow" => &[CrossSite, UnknownName, AmbiguousName, Busy, TookTooLong],
        "lookAtAll" => &[CrossSite, BadCursor, Busy, TookTooLong],
        "giveCommand" => &[
            BadRequest,
            BadCommand,
            CrossSite,
            NotPermitted,
            UnknownName,
            UnknownCommit,
            AmbiguousName,
            AmbiguousCommit,
            Refused,
            Conflict,
            NeedsYes,
            BodyTooLarge,
            NotJson,
            Busy,
            TookTooLong,
        ],
        "reportCheck" => &[
            NotPermitted,
            BadRequest,
            BadCommand,
            BadCommit,
            CrossSite,
            UnknownName,
            UnknownCommit,
            AmbiguousName,
            AmbiguousCommit,
            Conflict,
            BodyTooLarge,
            NotJson,
            Busy,
            TookTooLong,
        ],
        _ => &[],
    }
}

/// The whole document.
pub fn document() -> Json {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["info"]["version"] = json!("1");
    document["servers"] = json!([{ "url": "/" }]);
    document["components"]["securitySchemes"] = json!({ "token": {
        "type": "http", "scheme": "bearer", "bearerFormat": "tow_…",
        "description": "Made by `towpath token create NAME --scope read|report|steer|admin`.",
    }});
    let paths = document["paths"].as_object_mut();
    for operation in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        for (method, operation) in operation.as_object_mut().into_iter().flatten() {
            complete(method, operation);
        }
    }
    let views = [
        "Answer",
        "Audit",
        "CommitView",
        "DiffView",
        "EdgeView",
        "History",
        "Passes",
        "Plans",
        "Promotions",
        "Status",
        "Tokens",
        "Where",
    ];
    for view in views.into_iter().chain(["Problem"]) {
        let schema = &mut document["components"]["schemas"][view];
        schema["properties"]["schema_version"] = json!({ "type": "integer", "const": SCHEMA_VERSION });
        if let Some(required) = schema["required"].as_array_mut() {
            required.insert(0, json!("schema_version"));
        }
    }
    document
}

/// The form of words in an address or query, with an example.
fn shape(operation: &str, parameter: &str) -> Option<(&'static str, &'static str)> {
    Some(match parameter {
        "flow" => ("^[a-z0-9][a-z0-9._/-]{0,254}$", "checkout"),
        "env" => ("^[a-z0-9][a-z0-9._/-]{0,254}$", "staging"),
        "sha" => ("^[0-9A-Fa-f]{7,40}$", "3f9c2d1a7"),
        "after" if matches!(operation, "listFlows" | "plan" | "lookAtAll") => {
            ("^f([2-7][0-9a-f]){1,255}$", "f73686f702f636865636b6f7574")
        }
        "after" => ("^r[0-7]?[0-9a-f]{1,15}$", "r1f"),
        "state" => ("^(saved|pushing|landed|overtaken|superseded|refused|abandoned)$", "landed"),
        _ => return None,
    })
}

/// Who may, and what is answered where it does not work.
fn complete(method: &str, operation: &mut Json) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let open = method == "get" && name != "listTokens";
    operation["security"] = if open { json!([{}, { "token": [] }]) } else { json!([{ "token": [] }]) };
    let parameters = operation.get_mut("parameters").and_then(Json::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if let Some((pattern, example)) = shape(&name, parameter["name"].as_str().unwrap_or_default()) {
            parameter["schema"]["pattern"] = json!(pattern);
            parameter["example"] = json!(example);
        }
    }
    let mut codes: Vec<Code> = EVERYWHERE.iter().chain(besides(&name)).copied().collect();
    codes.sort_unstable();
    for row in CODES.iter().filter(|row| codes.contains(&row.code)) {
        let response = &mut operation["responses"][row.status.to_string()];
        let said = response["description"].as_str().unwrap_or_default().to_owned();
        let between = if said.is_empty() { "" } else { " " };
        response["description"] = json!(format!("{said}{between}`{}`: {}", row.word, row.meaning));
        let content = &mut response["content"]["application/problem+json"];
        content["schema"] = json!({ "$ref": "#/components/schemas/Problem" });
        content["examples"][row.word] = json!({
            "value": { "schema_version": SCHEMA_VERSION, "code": row.word, "message": row.meaning },
        });
    }
}

/// The same as a file: `docs/openapi.json`.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// Serves it, to everybody who may ask at all.
pub async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text())
}
