//! What the GitLab of the tests writes: its state as JSON, in the form of `openapi.json`.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::state::{Job, Note, PATH, Person, Pipeline, Push, Request, Rule, State};

pub fn stamp(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).expect("a time").to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn user(state: &State, name: &str) -> Value {
    let Some(person) = state.person(name) else { return Value::Null };
    json!({
        "id": person.id, "username": name, "name": name, "state": person.state, "locked": false,
        "public_email": state.shown.get(name), "avatar_url": null, "web_url": format!("{}/{name}", state.url),
    })
}

pub fn me(state: &State, name: &str) -> Value {
    let mut value = user(state, name);
    for (key, is) in [("created_at", json!(stamp(0))), ("bot", json!(false)), ("email", json!("x@example.com"))] {
        value[key] = is;
    }
    value
}

pub fn token(state: &State, name: &str) -> Value {
    json!({
        "id": 1, "name": "towpath", "revoked": false, "created_at": stamp(0), "description": null,
        "scopes": state.scopes, "user_id": state.person(name).map(|p| p.id), "active": true, "expires_at": null,
    })
}

/// As hooks have it.
pub fn hook_project(state: &State) -> Value {
    json!({ "id": 1, "name": "checkout", "path_with_namespace": PATH, "web_url": format!("{}/{PATH}", state.url) })
}

pub fn project(state: &State, name: &str) -> Value {
    let settings = &state.settings;
    let access = |level: u64| json!({ "access_level": level, "notification_level": 3 });
    let role = state.role(name);
    json!({
        "id": 1, "path_with_namespace": PATH, "default_branch": "develop", "web_url": format!("{}/{PATH}", state.url),
        "archived": settings.archived, "merge_method": settings.method, "squash_option": settings.squash,
        "permissions": { "project_access": (role > 0).then(|| access(role)), "group_access": null },
        "only_allow_merge_if_pipeline_succeeds": settings.must_succeed, "allow_merge_on_skipped_pipeline": null,
        "only_allow_merge_if_all_discussions_are_resolved": false, "remove_source_branch_after_merge": true,
        "merge_requests_enabled": true, "mirror": false,
    })
}

/// One of the others, in a list.
pub fn other(state: &State, other: &crate::forge::backend::Other, name: &str) -> Value {
    let mut value = project(state, name);
    let says = [
        ("id", json!(other.id)),
        ("path_with_namespace", json!(other.path)),
        ("archived", json!(other.archived)),
        ("mirror", json!(other.mirror)),
        ("web_url", json!(format!("{}/{}", state.url, other.path))),
    ];
    says.into_iter().for_each(|(key, is)| value[key] = is);
    if other.doomed {
        value["marked_for_deletion_on"] = json!("2026-11-30");
    }
    if other.fork {
        value["mr_default_target_self"] = json!(false);
        // Only to whoever may see that one.
        if !other.of_hidden {
            value["forked_from_project"] = json!({ "id": 900, "path_with_namespace": "others/origin" });
        }
    }
    value
}

pub fn pipeline(state: &State, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id, "iid": pipeline.id, "project_id": 1, "sha": pipeline.sha.to_string(), "ref": pipeline.on,
        "status": state.status_of(pipeline), "source": pipeline.source, "created_at": stamp(state.now),
        "updated_at": stamp(state.now), "name": null,
        "web_url": format!("{}/{PATH}/-/pipelines/{}", state.url, pipeline.id),
    })
}

pub fn status(state: &State, job: &Job) -> Value {
    let of = state.pipelines.iter().find(|pipeline| pipeline.id == job.pipeline).expect("its pipeline");
    let finished = matches!(job.status.as_str(), "success" | "failed" | "canceled");
    let mut value = json!({
        "id": job.id, "sha": of.sha.to_string(), "ref": of.on, "status": job.status, "name": job.name,
        "target_url": job.url, "description": job.description, "created_at": stamp(job.at),
        "started_at": finished.then(|| stamp(job.at)), "finished_at": finished.then(|| stamp(job.at)),
        "allow_failure": job.may_fail, "coverage": null, "author": job.by.as_deref().map(|by| user(state, by)),
    });
    if state.tells.pipeline_of_status {
        value["pipeline_id"] = json!(job.pipeline);
    }
    value
}

pub fn branch(state: &State, name: &str, tip: CommitId, who: &str) -> Value {
    let rule = state.rule(name);
    let may = rule.map_or(state.role(who) >= 30, |rule| rule.pushers.iter().any(|had| had == who));
    json!({
        "name": name, "merged": false, "protected": rule.is_some(), "default": name == "develop",
        "developers_can_push": false, "developers_can_merge": false, "can_push": may, "web_url": state.url,
        "commit": {
            "id": tip.to_string(), "short_id": &tip.to_string()[..8], "title": "t", "created_at": stamp(0),
            "parent_ids": [],
        },
    })
}

pub fn push(state: &State, push: &Push) -> Value {
    let (word, action) = match (push.before, push.after) {
        (None, Some(_)) => ("pushed new", "created"),
        (Some(_), None) => ("deleted", "removed"),
        _ => ("pushed to", "pushed"),
    };
    let several = push.on.is_none();
    json!({
        "id": push.at, "project_id": 1, "action_name": word, "target_id": null, "target_iid": null, "target_type": null,
        "author_id": 2, "target_title": null, "created_at": stamp(push.at), "author": user(state, "ana"),
        "author_username": "ana", "imported": false, "imported_from": "none",
        "push_data": {
            "commit_count": i64::from(!several), "action": action, "ref_type": push.kind,
            "commit_from": push.before.map(|id| id.to_string()), "commit_to": push.after.map(|id| id.to_string()),
            "ref": push.on, "commit_title": (!several).then_some("t"), "ref_count": several.then_some(5),
        },
    })
}

pub fn protection(state: &State, rule: &Rule) -> Value {
    let level = |name: &String| {
        let id = state.person(name).map(|person| person.id);
        json!({ "id": 1, "access_level": 40, "access_level_description": name, "user_id": id, "group_id": null })
    };
    let levels = |names: &[String]| names.iter().map(level).collect::<Vec<_>>();
    json!({
        "id": 1, "name": rule.branch, "push_access_levels": levels(&rule.pushers),
        "merge_access_levels": levels(&rule.mergers), "allow_force_push": false, "code_owner_approval_required": false,
    })
}

pub fn request(state: &State, request: &Request) -> Value {
    let by = request.ended_by.as_deref().map(|by| user(state, by));
    let ended = |word: &str| (request.state == word).then(|| stamp(request.updated));
    let who =
        |id: &u64| state.people.iter().find(|person| person.id == *id).map(|person| user(state, &person.name));
    let says = state.mergeable(request);
    let coarse = match says {
        "mergeable" => "can_be_merged",
        "checking" => "checking",
        "unchecked" | "preparing" => "unchecked",
        "conflict" => "cannot_be_merged",
        // What is wrong with approvals or CI the coarse word does not know.
        _ => "can_be_merged",
    };
    let squashed = request.made.filter(|_| request.squashed);
    let mut value = json!({
        "id": 100 + request.iid, "iid": request.iid, "project_id": 1, "title": request.title,
        "description": request.body, "state": request.state, "created_at": stamp(0),
        "updated_at": stamp(request.updated), "merged_at": ended("merged"), "closed_at": ended("closed"),
        "merge_user": by.clone().filter(|_| request.state == "merged"),
        "merged_by": by.clone().filter(|_| request.state == "merged"),
        "closed_by": by.filter(|_| request.state == "closed"), "target_branch": request.target,
        "source_branch": request.source, "author": user(state, &request.by),
        "reviewers": request.reviewers.iter().filter_map(|(id, _)| who(id)).collect::<Vec<_>>(),
        "source_project_id": request.source_project, "target_project_id": 1, "labels": request.labels,
        "draft": request.title.starts_with("Draft:"), "merge_status": coarse,
        "sha": request.head_seen.to_string(),
        "merge_commit_sha": request.made.filter(|_| !request.squashed).map(|id| id.to_string()),
        "squash_commit_sha": squashed.map(|id| id.to_string()), "squash": request.squash,
        "squash_on_merge": state.squashes(request),
        "should_remove_source_branch": null, "force_remove_source_branch": null, "has_conflicts": says == "conflict",
        "web_url": format!("{}/{PATH}/-/merge_requests/{}", state.url, request.iid), "merge_error": request.error,
    });
    if state.tells.detailed_merge_status {
        value["detailed_merge_status"] = json!(says);
    }
    value
}

pub fn approvals(state: &State, request: &Request) -> Value {
    let by = |(name, at): &(String, i64)| {
        let mut value = json!({ "user": user(state, name) });
        if state.tells.approved_at {
            value["approved_at"] = json!(stamp(*at));
        }
        value
    };
    json!({
        "id": 100 + request.iid, "iid": request.iid, "project_id": 1, "title": request.title,
        "description": request.body, "state": request.state, "created_at": stamp(0),
        "updated_at": stamp(request.updated), "merge_status": "can_be_merged", "approved": true,
        "approvals_required": 0, "approvals_left": 0, "user_has_approved": false, "user_can_approve": true,
        "approved_by": request.approvals.iter().map(by).collect::<Vec<_>>(),
    })
}

pub fn reviewers(state: &State, request: &Request) -> Vec<Value> {
    let of = |(id, word): &(u64, &str)| {
        let name = state.people.iter().find(|person| person.id == *id).map(|person| person.name.clone());
        json!({ "user": user(state, &name.unwrap_or_default()), "state": word, "created_at": stamp(0) })
    };
    request.reviewers.iter().map(of).collect()
}

pub fn version(request: &Request, (id, head, at): &(u64, CommitId, i64)) -> Value {
    json!({
        "id": id, "head_commit_sha": head.to_string(), "base_commit_sha": null, "start_commit_sha": null,
        "created_at": stamp(*at), "merge_request_id": 100 + request.iid, "state": "collected", "real_size": "1",
        "patch_id_sha": null,
    })
}

pub fn note(state: &State, request: u64, note: &Note) -> Value {
    json!({
        "id": note.id, "body": note.body, "author": user(state, &note.by), "created_at": stamp(note.at),
        "updated_at": stamp(note.at), "system": note.system, "noteable_id": 100 + request, "noteable_iid": request,
        "noteable_type": "MergeRequest", "project_id": 1, "resolvable": false, "type": note.kind,
        "internal": note.internal,
    })
}

/// Somebody's membership of the project; none of who has no role in it.
pub fn membership(state: &State, person: &Person) -> Value {
    let mut value = member(state, &(person.name.clone(), person.role, "active"));
    value["expires_at"] = json!(person.ends);
    value
}

pub fn award(state: &State, note: u64, (id, by, name): &(u64, String, String)) -> Value {
    json!({
        "id": id, "name": name, "user": user(state, by), "created_at": stamp(state.now), "updated_at": stamp(state.now),
        "awardable_id": note, "awardable_type": "Note", "url": null,
    })
}

pub fn member(state: &State, of: &(String, u64, &'static str)) -> Value {
    let mut value = user(state, &of.0);
    value.as_object_mut().expect("a person").remove("public_email");
    for (key, is) in [("access_level", json!(of.1)), ("expires_at", Value::Null), ("membership_state", json!(of.2))]
    {
        value[key] = is;
    }
    value
}
