//! Forgejo's description of its API, and where it is known not to be what servers send.
//!
//! The description is made from Go's types by go-swagger, which leaves out three things that every
//! answer shows: pointers, lists and maps that are not there are `null`; a struct has no further
//! fields; and some statuses and words that the source sends. Each is put in here, with its source, so
//! that everything else is held against the description as it is.

use serde_json::{Value, json};

use super::super::schema::{Api, spec};

/// Fields that are pointers to texts in Go. Pointers to structs, lists, maps and dates are known by
/// their type.
const TEXT_OR_NULL: [(&str, &str); 1] = [("PullRequest", "merge_commit_sha")];

/// Statuses that the source sends and the description does not have.
const ALSO: [(&str, u16, &str); 3] = [
    ("*", 401, "services/context: no token, or a wrong one"),
    ("GET", 403, "routers/api/v1/api.go: reqAdmin before protections and hooks; reqToken with too few scopes"),
    ("POST", 403, "routers/api/v1/api.go: reqRepoWriter before statuses, labels and merges"),
];

/// The description, or none where that was given up on purpose.
pub fn forgejo() -> Option<Api> {
    let mut document: Value = serde_json::from_str(&spec("forgejo.json")?).expect("a description is JSON");
    as_openapi_3(&mut document);
    as_go_writes(&mut document);
    as_sources_say(&mut document);
    let mut api = Api::new(&document.to_string(), "/api/v1");
    api.also = ALSO.to_vec();
    Some(api)
}

/// In Swagger 2 a parameter of a URL is its own schema; beside its name and whether it is required, which
/// mean something else in a schema.
fn as_openapi_3(document: &mut Value) {
    for item in document["paths"].as_object_mut().expect("paths").values_mut() {
        for operation in item.as_object_mut().expect("a path item").values_mut() {
            let params = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for param in params.into_iter().flatten().filter(|param| param["in"] != json!("body")) {
                let mut schema = param.clone();
                for key in ["name", "in", "required", "description", "collectionFormat"] {
                    schema.as_object_mut().expect("a parameter").remove(key);
                }
                param["schema"] = schema;
            }
        }
    }
}

fn as_go_writes(document: &mut Value) {
    for (name, definition) in document["definitions"].as_object_mut().expect("definitions") {
        let Some(fields) = definition.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for (field, schema) in fields {
            let kind = schema["type"].as_str().unwrap_or_default();
            let is_enum =
                schema["$ref"].as_str().is_some_and(|to| to.ends_with("State") || to.ends_with("StateType"));
            let pointer = schema.get("$ref").is_some() && !is_enum
                || matches!(kind, "array" | "object")
                || schema["format"] == json!("date-time")
                || TEXT_OR_NULL.contains(&(name.as_str(), field.as_str()));
            if pointer {
                schema["x-nullable"] = json!(true);
            }
        }
        definition["additionalProperties"] = json!(false);
    }
}

fn as_sources_say(document: &mut Value) {
    // The combined status of a commit without any has an empty state (services/convert/status.go).
    let states = document["definitions"]["CommitStatusState"]["enum"].as_array_mut().expect("an enum");
    states.push(json!(""));
    // A refused merge says why (routers/api/v1/repo/pull.go), where an empty answer is described.
    let merge = &mut document["paths"]["/repos/{owner}/{repo}/pulls/{index}/merge"]["post"]["responses"];
    merge["405"] = json!({ "$ref": "#/responses/error" });
    merge["422"] = json!({ "$ref": "#/responses/validationError" });
    merge["500"] = json!({ "$ref": "#/responses/error" });
    // Gitea 1.26 moves a branch (go-gitea/gitea#35951), which no Forgejo does: the operation as `UpdateBranch` of Gitea's
    // own routers/api/v1/repo/branch.go describes it. 423 is mustNotBeArchived, 500 a push of its own that failed.
    let (text, flag) = (json!({ "type": "string" }), json!({ "type": "boolean" }));
    let fields = json!({ "new_commit_id": text, "old_commit_id": text, "force": flag });
    let option = json!({
        "type": "object", "additionalProperties": false, "required": ["new_commit_id"], "properties": fields,
    });
    let said = |name: &str| json!({ "$ref": format!("#/responses/{name}") });
    let branch = &mut document["paths"]["/repos/{owner}/{repo}/branches/{branch}"];
    branch["put"] = json!({
        "operationId": "repoUpdateBranch",
        "parameters": branch["get"]["parameters"].as_array().into_iter().flatten().cloned()
            .chain([json!({ "name": "body", "in": "body", "schema": option })]).collect::<Vec<Value>>(),
        "responses": {
            "204": said("empty"), "403": said("forbidden"), "404": said("notFound"), "409": said("conflict"),
            "422": said("validationError"), "423": said("repoArchivedError"), "500": said("error"),
        },
    });
    // Gitea filters by base under another name (its own routers/api/v1/repo/pull.go).
    let pulls = &mut document["paths"]["/repos/{owner}/{repo}/pulls"]["get"]["parameters"];
    pulls
        .as_array_mut()
        .expect("parameters")
        .push(json!({ "name": "base_branch", "in": "query", "type": "string" }));
}
