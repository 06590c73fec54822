//! Merge requests: finding ours, opening, bringing up to date.
//!
//! Open ones are read to the last page, oldest first, so that new ones come at the end of the list, whoever
//! opened them; those of every state newest first, as many as are wanted, of those alone that we opened
//! ourselves: anybody with a fork can make many of these names, and would push ours out of sight. The open
//! list is read first: a request that is closed in between is then on both, and never on neither, which
//! would look as if one had to be opened. GitLab filters by branch; what comes is compared all the same.
//!
//! Before one is opened the project's merge method is read: where it lets no commit stay as it is, none is
//! opened.
//!
//! Not here: merging, what our titles and bodies say.

use ::http::Method;
use serde::Serialize;
use towpath_core::model::{BranchName, CommitId};

use super::api::{Api, path};
use super::{approvals, merge, people, wire};
use crate::forge::client::Fault;
use crate::forge::{CallFault, Proposal, RepoPath, RequestSeen, RequestState, keeps_mark};

/// How many of the newest requests are looked at whatever their state: the ten closed ones that are wanted,
/// and some that are open.
const NEWEST: usize = 20;

/// What marks a draft. <https://docs.gitlab.com/user/project/merge_requests/drafts/>
const NOT_READY: [&str; 3] = ["Draft:", "[Draft]", "(Draft)"];

/// See `Forge::requests`. Approvals are read of open requests only.
pub(super) async fn find(
    api: &Api,
    repo: &RepoPath,
    head: &BranchName,
    base: &BranchName,
) -> Result<Vec<RequestSeen>, Fault> {
    let at = path(repo, &["merge_requests"]);
    let query = |more: &[(&'static str, &'static str)]| {
        let mut query = vec![("source_branch", head.as_str()), ("target_branch", base.as_str())];
        query.extend([("order_by", "created_at"), ("scope", "all")]);
        query.extend(more);
        query
    };
    let open = query(&[("state", "opened"), ("sort", "asc")]);
    let mut requests = api.list::<wire::Request>("open-requests", &at, &open).await?.items;
    let me = api.whoami().await?.username.filter(|name| !name.is_empty());
    let me = me.ok_or_else(|| Fault::Unreadable { words: "user: it has no name".to_owned() })?;
    let newest = [query(&[("state", "all"), ("sort", "desc")]), vec![("author_username", me.as_str())]].concat();
    for request in api.first::<wire::Request>("newest-requests", &at, &newest, NEWEST).await? {
        // Of what changed since the open ones were read the later word counts.
        requests.retain(|had| had.iid != request.iid);
        requests.push(request);
    }
    requests.retain(|request| is_ours(request, head, base));
    requests.sort_by_key(|request| std::cmp::Reverse(request.iid));
    let mut all = Vec::with_capacity(requests.len());
    for request in requests {
        let mut seen = seen(request)?;
        if seen.state == RequestState::Open {
            let words = approvals::read(api, repo, seen.number, seen.head).await?;
            (seen.approvals, seen.objections) = (words.approvals, words.objections);
        }
        all.push(seen);
    }
    Ok(all)
}

/// Whether it goes from that branch to that branch of the same project. A branch of the same name in
/// somebody's fork is another branch.
fn is_ours(request: &wire::Request, head: &BranchName, base: &BranchName) -> bool {
    let is = |text: &Option<String>, name: &BranchName| text.as_deref() == Some(name.as_str());
    let same = request.source_project_id.is_some() && request.source_project_id == request.target_project_id;
    same && is(&request.source_branch, head) && is(&request.target_branch, base)
}

fn seen(request: wire::Request) -> Result<RequestSeen, Fault> {
    let number = request.iid;
    let unreadable = |words: &str| Fault::Unreadable { words: format!("request {number}: {words}") };
    let state = match request.state.as_str() {
        // Locked: for the moment in which it is merged.
        "opened" | "locked" => RequestState::Open,
        "merged" => RequestState::Merged,
        "closed" => RequestState::Closed,
        _ => return Err(unreadable("its state is neither opened, closed nor merged")),
    };
    let id = |text: Option<String>| text.and_then(|text| text.parse::<CommitId>().ok());
    let head = id(request.sha).ok_or_else(|| unreadable("its head is no commit"))?;
    let ended_by = match state {
        RequestState::Open => None,
        RequestState::Merged => request.merge_user.or(request.merged_by),
        RequestState::Closed => request.closed_by,
    };
    // A fast-forward makes nothing: the target is the head itself then.
    let made = id(request.merge_commit_sha).or_else(|| id(request.squash_commit_sha)).unwrap_or(head);
    Ok(RequestSeen {
        number,
        url: request.web_url.unwrap_or_default(),
        state,
        draft: request.draft == Some(true) || request.work_in_progress == Some(true),
        head,
        title: request.title.unwrap_or_default(),
        body: request.description.unwrap_or_default(),
        approvals: Vec::new(),
        objections: Vec::new(),
        ended_by: ended_by.and_then(|user| user.username).filter(|name| !name.is_empty()),
        merged_as: (state == RequestState::Merged).then_some(made),
    })
}

#[derive(Serialize)]
struct Open<'a> {
    source_branch: &'a str,
    target_branch: &'a str,
    title: &'a str,
    description: &'a str,
    /// With commas between.
    #[serde(skip_serializing_if = "String::is_empty")]
    labels: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviewer_ids: Vec<u64>,
    /// Both said, because a project's settings may say otherwise.
    remove_source_branch: bool,
    squash: bool,
}

/// See `Forge::open`.
pub(super) async fn open(api: &Api, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault> {
    let project = api.project(repo).await.map_err(Fault::before)?;
    if let Err(words) = merge::method(&project) {
        return Err(CallFault::Refused { words });
    }
    let body = Open {
        source_branch: proposal.head.as_str(),
        target_branch: proposal.base.as_str(),
        title: &proposal.title,
        description: &proposal.body,
        labels: proposal.labels.join(","),
        // Who cannot be looked up now is asked later, by a call of its own.
        reviewer_ids: people::reviewers(api, repo, &proposal.reviewers).await.ids,
        remove_source_branch: false,
        squash: false,
    };
    let answer = api.act("open-request", Method::POST, &path(repo, &["merge_requests"]), &body).await;
    let made: wire::Request = answer.and_then(|answer| answer.json()).map_err(|fault| match fault {
        Fault::Said { status: 409, words } => CallFault::Exists { words },
        fault => fault.call(),
    })?;
    Ok(made.iid)
}

#[derive(Serialize)]
struct Edit<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    add_labels: String,
}

/// See `Forge::describe`.
pub(super) async fn describe(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    proposal: &Proposal,
) -> Result<(), CallFault> {
    let number = number.to_string();
    let at = path(repo, &["merge_requests", &number]);
    let had: wire::Request = api.get("request", &at).await.map_err(Fault::before)?;
    // Browsers send their own line ends when somebody edits.
    let differs = |had: Option<&str>, wanted: &str| {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        plain(had.unwrap_or_default()) != plain(wanted)
    };
    let title = keeps_mark(had.title.as_deref(), &proposal.title, &NOT_READY);
    let labels = had.labels.unwrap_or_default();
    let missing = proposal.labels.iter().filter(|name| !labels.contains(name));
    let edit = Edit {
        title: Some(title.as_str()).filter(|title| differs(had.title.as_deref(), title)),
        description: Some(proposal.body.as_str()).filter(|body| differs(had.description.as_deref(), body)),
        add_labels: missing.map(String::as_str).collect::<Vec<_>>().join(","),
    };
    if edit.title.is_none() && edit.description.is_none() && edit.add_labels.is_empty() {
        return Ok(());
    }
    api.act("edit-request", Method::PUT, &at, &edit).await.map(|_| ()).map_err(Fault::call)
}

#[derive(Serialize)]
struct Asked {
    /// All of them: the list takes the place of the one that was there.
    reviewer_ids: Vec<u64>,
}

/// See `Forge::ask_reviewers`: whoever could not be looked up when the request was opened.
pub(super) async fn ask_reviewers(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    names: &[String],
) -> Result<(), CallFault> {
    let number = number.to_string();
    let (at, of) =
        (path(repo, &["merge_requests", &number]), path(repo, &["merge_requests", &number, "reviewers"]));
    let had = api.list::<wire::Reviewer>("reviewers", &of, &[]).await.map_err(Fault::before)?.items;
    let mut all: Vec<u64> = had.iter().map(|reviewer| reviewer.user.id).collect();
    let people::Reviewers { ids, unheard } = people::reviewers(api, repo, names).await;
    if ids.iter().any(|id| !all.contains(id)) {
        // Those who are there come first: a GitLab that takes one reviewer alone keeps the first.
        all.extend(ids.into_iter().filter(|id| !had.iter().any(|reviewer| reviewer.user.id == *id)));
        let body = Asked { reviewer_ids: all };
        let answer = api.act("edit-request", Method::PUT, &at, &body).await.map(|_| ()).map_err(Fault::call);
        // Not everybody may review here, or not so many: the others were asked when it was opened.
        match answer {
            Err(fault @ CallFault::Refused { .. }) => {
                tracing::warn!(%repo, request = number, %fault, "somebody could not be asked for a review");
            }
            answer => answer?,
        }
    }
    match unheard {
        Some(unknown) => Err(CallFault::NotSent { words: format!("{:?}", unknown.why), retry_after: None }),
        None => Ok(()),
    }
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SHA: &str = "1111111111111111111111111111111111111111";
    const MADE: &str = "2222222222222222222222222222222222222222";

    fn request(more: Value) -> wire::Request {
        let mut value = json!({
            "iid": 7, "state": "opened", "sha": SHA, "source_branch": "towpath/shop/staging",
            "target_branch": "staging", "source_project_id": 3, "target_project_id": 3, "description": null,
        });
        for (key, is) in more.as_object().unwrap() {
            value[key] = is.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_branch_of_the_same_name_in_a_fork_is_another_branch() {
        let (head, base) = (BranchName::new("towpath/shop/staging"), BranchName::new("staging"));
        let ours = |more: Value| is_ours(&request(more), &head, &base);
        assert!(ours(json!({})));
        assert!(!ours(json!({"source_project_id": 4})));
        assert!(!ours(json!({"source_project_id": null})));
        assert!(!ours(json!({"source_project_id": null, "target_project_id": null})));
        assert!(!ours(json!({"source_branch": "develop"})));
        assert!(!ours(json!({"target_branch": "master"})));
    }

    #[test]
    fn states_are_read_and_what_is_not_understood_is_not_known() {
        let state = |word: &str| seen(request(json!({"state": word}))).map(|seen| seen.state).ok();
        assert_eq!(state("opened"), Some(RequestState::Open));
        assert_eq!(state("locked"), Some(RequestState::Open));
        assert_eq!(state("closed"), Some(RequestState::Closed));
        assert_eq!(state("merged"), Some(RequestState::Merged));
        assert_eq!(state("frozen"), None);
        assert!(seen(request(json!({"sha": null}))).is_err());
        let draft = |more: Value| seen(request(more)).unwrap().draft;
        assert!(draft(json!({"draft": true})) && draft(json!({"work_in_progress": true})));
        assert!(!draft(json!({})) && !draft(json!({"draft": false, "work_in_progress": null})));
    }

    #[test]
    fn who_ended_it_and_what_it_made_are_read() {
        let by = |name: &str| json!({"username": name});
        let of = |more: Value| {
            let seen = seen(request(more)).unwrap();
            (seen.ended_by, seen.merged_as.map(|id| id.to_string()))
        };
        let named = |name: &str| Some(name.to_owned());
        let merged = |more: Value| {
            let mut all = json!({"state": "merged", "merge_user": by("ana"), "merged_by": by("bo")});
            for (key, is) in more.as_object().unwrap() {
                all[key] = is.clone();
            }
            of(all)
        };
        assert_eq!(merged(json!({})), (named("ana"), named(SHA)), "a fast-forward");
        assert_eq!(merged(json!({"merge_commit_sha": MADE})), (named("ana"), named(MADE)));
        assert_eq!(merged(json!({"squash_commit_sha": MADE})), (named("ana"), named(MADE)));
        assert_eq!(merged(json!({"merge_user": null})), (named("bo"), named(SHA)));
        assert_eq!(of(json!({"state": "closed", "closed_by": by("ana")})), (named("ana"), None));
        assert_eq!(of(json!({"closed_by": by("ana")})), (None, None), "reopened");
    }
}
