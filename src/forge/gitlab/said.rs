//! Comments under merge requests: which hook tells of one, what somebody may do, and our reactions.
//!
//! They come as `Note Hook`; those that not everybody may read come as `Confidential Note Hook`. System notes, and
//! notes on lines of code, are not listened to. Since 16.11 `action` says whether the note was made or edited; before, an edit
//! was told in the same way (gitlab-org/gitlab!127169, !147856) or not at all, and is seen by its two times.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#comment-events>
//!
//! Hooks call nobody a bot. Those of access tokens have names of one form
//! (<https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects>), service accounts
//! of another unless somebody chose one.

use ::http::Method;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use serde_json::json;
use towpath_core::model::Instant;

use super::api::{Api, path};
use super::{people, wire};
use crate::forge::client::{Fault, stamp};
use crate::forge::said::is_login;
use crate::forge::{CallFault, CommentSeen, Permission, Reaction, RepoPath};

/// The event that tells of comments which everybody may read, as the header has it.
pub(super) const EVENT: &str = "Note Hook";

#[derive(Deserialize)]
struct Payload {
    object_kind: String,
    #[serde(default)]
    event_type: Option<String>,
    user: User,
    project_id: u64,
    object_attributes: Note,
    merge_request: Request,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    username: String,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    note: String,
    noteable_type: String,
    author_id: u64,
    project_id: u64,
    created_at: String,
    updated_at: String,
    system: bool,
    #[serde(default)]
    internal: Option<bool>,
    #[serde(default)]
    confidential: Option<bool>,
    /// `create` or `update`.
    #[serde(default)]
    action: Option<String>,
    /// `DiscussionNote`, `DiffNote`.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    iid: u64,
    state: String,
    target_project_id: u64,
}

/// What somebody said, if the body of an [`EVENT`] tells of that. One that cannot be read tells of nothing: it has
/// been verified, and still wakes.
pub(super) fn heard(json: &[u8]) -> Option<CommentSeen> {
    let Payload { object_kind, event_type, user, project_id, object_attributes: note, merge_request } =
        serde_json::from_slice(json).ok()?;
    let made = match note.action.as_deref() {
        Some(action) => action == "create",
        None => note.created_at == note.updated_at,
    };
    let of_a_note = object_kind == "note" && event_type.is_none_or(|event| event == "note");
    let on_a_request = note.noteable_type == "MergeRequest" && merge_request.state == "opened";
    let here = note.project_id == project_id && merge_request.target_project_id == project_id;
    let for_all = note.internal != Some(true) && note.confidential != Some(true);
    let plain = !note.system && note.kind.is_none_or(|kind| kind == "DiscussionNote");
    let by_a_person = user.id == note.author_id && !is_bot(&user.username);
    if !(of_a_note && made && on_a_request && here && for_all && plain && by_a_person) {
        return None;
    }
    let seen = CommentSeen {
        number: merge_request.iid,
        id: note.id,
        author: user.username,
        author_id: Some(note.author_id),
        body: note.note,
        url: note.url.unwrap_or_default(),
        at: time(&note.created_at),
    };
    seen.checked()
}

/// `project_7_bot`, `group_7_bot_4ffca2`, `service_account_…`.
fn is_bot(name: &str) -> bool {
    let of_a_token = |kind: &str| {
        let rest = name.strip_prefix(kind).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.is_some_and(|rest| rest.starts_with("_bot"))
    };
    of_a_token("project_") || of_a_token("group_") || name.starts_with("service_account_")
}

/// Hooks have `2026-11-21 10:00:00 UTC` where the API has RFC 3339, and newer ones that.
fn time(text: &str) -> Option<Instant> {
    let old = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").ok();
    stamp(text).or_else(|| old(text).map(|at| Instant(at.and_utc().timestamp_millis())))
}

/// See `Forge::permission`: the role of a member, inherited and invited ones included. Who administrates the whole
/// GitLab and is no member may do nothing here.
/// <https://docs.gitlab.com/api/project_members/>
pub(super) async fn permission(api: &Api, repo: &RepoPath, login: &str) -> Result<Permission, Fault> {
    if !is_login(login) {
        return Ok(Permission::None);
    }
    let users = api.answer_urgent("users", &["v4", "users"], &[("username", login)]).await?;
    let account = people::named(users.json()?, login).filter(is_active);
    let Some(id) = account.and_then(|user| user.id) else { return Ok(Permission::None) };
    let number = id.to_string();
    let answer = match api.answer_urgent("member", &path(repo, &["members", "all", &number]), &[]).await {
        Ok(answer) => answer,
        Err(Fault::Said { status: 404, .. }) => return Ok(Permission::None),
        Err(fault) => return Err(fault),
    };
    let member: wire::Member = answer.json()?;
    if member.id != id {
        return Err(Fault::Unreadable { words: "member: it is somebody else".to_owned() });
    }
    // By GitLab's own day, where it says which that is.
    let now = answer.date.unwrap_or_else(|| api.clock.reading().wall);
    role(&member, now).ok_or_else(|| Fault::Unreadable { words: "member: its role or its end".to_owned() })
}

fn is_active(user: &wire::User) -> bool {
    user.state.as_deref().is_none_or(|state| state == "active")
}

/// What a membership comes to at that time. A membership ends as its last day begins (`app/models/concerns/expirable.rb`),
/// and a job takes away later what has ended. A role of one's own has the level of the one that it was made of.
fn role(member: &wire::Member, now: Instant) -> Option<Permission> {
    let is_active = |word: &Option<String>| word.as_deref().is_none_or(|word| word == "active");
    let ended = match member.expires_at.as_deref() {
        None => false,
        Some(day) => {
            let day: NaiveDate = day.get(..10).unwrap_or(day).parse().ok()?;
            day.and_time(NaiveTime::MIN).and_utc().timestamp_millis() <= now.0
        }
    };
    if ended || !is_active(&member.state) || !is_active(&member.membership_state) {
        return Some(Permission::None);
    }
    // <https://docs.gitlab.com/api/access_requests/#valid-access-levels>; 5 is "minimal access", 15 a planner.
    Some(match member.access_level? {
        0..10 => Permission::None,
        10..30 => Permission::Read,
        30..40 => Permission::Write,
        40..50 => Permission::Maintain,
        _ => Permission::Admin,
    })
}

/// See `Forge::react`. GitLab answers 404 both where there is no such note and where we have given the emoji
/// already, in words that are translated; so it is looked at which.
/// <https://docs.gitlab.com/api/emoji_reactions/>
pub(super) async fn react(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    comment: u64,
    reaction: Reaction,
) -> Result<(), CallFault> {
    let name = match reaction {
        Reaction::Seen => "eyes",
        Reaction::Done => "white_check_mark",
        Reaction::Refused => "no_entry",
    };
    let (number, note) = (number.to_string(), comment.to_string());
    let at = path(repo, &["merge_requests", &number, "notes", &note, "award_emoji"]);
    let fault = match api.act("react", Method::POST, &at, &json!({ "name": name })).await {
        Ok(_) => return Ok(()),
        Err(fault) => fault,
    };
    if fault.status() != Some(404) {
        return Err(fault.call());
    }
    // What was refused stays refused if it cannot be seen that it is there.
    let Ok(given) = api.list::<wire::Award>("reactions", &at, &[]).await else { return Err(fault.call()) };
    let Ok(me) = api.whoami().await else { return Err(fault.call()) };
    let ours = |award: &wire::Award| {
        let by = award.user.as_ref().and_then(|user| user.id);
        award.name == name && by.is_some() && by == me.id
    };
    if given.items.iter().any(ours) { Ok(()) } else { Err(fault.call()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bots_are_known_by_their_names() {
        for name in
            ["project_7_bot", "project_7_bot2", "group_12_bot_4ffca233d8298ea1", "service_account_group_1_a"]
        {
            assert!(is_bot(name), "{name}");
        }
        for name in ["ana", "project_manager", "project_7", "groupie", "bot"] {
            assert!(!is_bot(name), "{name}");
        }
    }

    #[test]
    fn both_forms_of_a_time_are_read() {
        assert_eq!(time("2026-11-21 10:00:00 UTC"), stamp("2026-11-21T10:00:00Z"));
        assert_eq!(time("2026-11-21T10:00:00.000Z"), stamp("2026-11-21T10:00:00Z"));
        assert_eq!(time("2026-11-21"), None);
    }

    #[test]
    fn a_membership_counts_while_it_lasts() {
        let now = stamp("2026-11-21T23:59:59Z").unwrap();
        let of = |more: serde_json::Value| {
            let mut member = json!({ "id": 1, "username": "ana", "state": "active", "access_level": 30 });
            for (key, is) in more.as_object().unwrap() {
                member[key] = is.clone();
            }
            role(&serde_json::from_value(member).unwrap(), now)
        };
        for (level, expected) in [
            (0, Permission::None),
            (5, Permission::None),
            (10, Permission::Read),
            (15, Permission::Read),
            (20, Permission::Read),
            (30, Permission::Write),
            (40, Permission::Maintain),
            (50, Permission::Admin),
        ] {
            assert_eq!(of(json!({ "access_level": level })), Some(expected), "{level}");
        }
        assert_eq!(of(json!({ "access_level": null })), None);
        for (day, expected) in [
            (json!(null), Some(Permission::Write)),
            (json!("2026-11-22"), Some(Permission::Write)),
            (json!("2026-11-21"), Some(Permission::None)),
            (json!("2020-01-01"), Some(Permission::None)),
            (json!("2026-11-22T00:00:00.000Z"), Some(Permission::Write)),
            (json!("soon"), None),
            (json!("żółw żółw żółw"), None),
        ] {
            assert_eq!(of(json!({ "expires_at": day })), expected, "{day}");
        }
        for key in ["state", "membership_state"] {
            assert_eq!(of(json!({ key: "blocked" })), Some(Permission::None), "{key}");
            assert_eq!(of(json!({ key: "active" })), Some(Permission::Write), "{key}");
        }
    }
}
