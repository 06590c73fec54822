//! Pull requests: finding ours, opening, bringing up to date.
//!
//! Open ones are read to the last page, oldest first, so that new ones come at the end of the list.
//! Closed ones are read newest change first, until ten of ours are found or, in a list that has others too, until no newer
//! one of ours can follow: of the closed ones the newest alone decides anything. The open list is read
//! before the closed one: a request that is closed in between is then on both, and never on neither,
//! which would look as if one had to be opened.
//!
//! Forgejo and newer Gitea find requests by branch themselves; what comes is compared all the same,
//! because a server that does not know a filter ignores it.
//!
//! Not here: merging, asking for reviews (`asking`), what our titles and bodies say.

use ::http::Method;
use serde::Serialize;
use towpath_core::model::{BranchName, CommitId, Instant};

use super::api::{Api, Counted};
use super::reviews::{self, Word};
use super::version::Maker;
use super::{path, wire};
use crate::forge::client::{Fault, stamp};
use crate::forge::{CallFault, Proposal, RepoPath, RequestSeen, RequestState, keeps_mark, not_ready};

/// How many closed requests are wanted.
const CLOSED: usize = 10;

/// How many pages of closed requests are looked through where the server does not filter: 500
/// requests. One that was ours and open a moment ago is among the newest changes.
const CLOSED_PAGES: u64 = 10;

/// What marks a request as not ready, by the server's defaults (`WORK_IN_PROGRESS_PREFIXES`); newer ones say `draft`
/// themselves.
const NOT_READY: [&str; 2] = ["WIP:", "[WIP]"];

/// See `Forge::requests`. Reviews are read of open requests only.
pub(super) async fn find(
    api: &Api,
    repo: &RepoPath,
    head: &BranchName,
    base: &BranchName,
) -> Result<Vec<RequestSeen>, Fault> {
    let by_forgejo = [("base", base.as_str()), ("head", head.as_str())];
    let by_gitea = [("base_branch", base.as_str())];
    let filter: &[(&str, &str)] = match api.server().await.version.map(|version| version.maker) {
        Some(Maker::Forgejo) => &by_forgejo,
        Some(Maker::Gitea) => &by_gitea,
        None => &[],
    };
    let query = |of: &[(&'static str, &'static str)]| [of, filter].concat();
    let at = path(repo, &["pulls"]);
    let open = query(&[("state", "open"), ("sort", "oldest")]);
    let (mut pulls, _) = api.list::<wire::Pull>("open-requests", &at, &open, Counted::Exactly).await?;
    pulls.retain(|pull| is_ours(pull, head, base));
    let closed = query(&[("state", "closed"), ("sort", "recentupdate")]);
    let opened = pulls.iter().filter_map(opened_at).max();
    for pull in closed_ones(api, &at, &closed, (head, base), opened).await? {
        // Closed since the open ones were read: the later word counts.
        pulls.retain(|had| had.number != pull.number);
        pulls.push(pull);
    }
    pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
    let mut all = Vec::with_capacity(pulls.len());
    for pull in pulls {
        let mut seen = seen(pull)?;
        if seen.state == RequestState::Open {
            let words = standing(api, repo, seen.number).await?;
            seen.approvals = words.approvals.into_iter().map(|word| word.seen).collect();
            seen.objections = words.objections.into_iter().map(|word| word.seen.by).collect();
        }
        all.push(seen);
    }
    Ok(all)
}

async fn closed_ones(
    api: &Api,
    at: &[&str],
    query: &[(&str, &str)],
    (head, base): (&BranchName, &BranchName),
    mut newest: Option<Instant>,
) -> Result<Vec<wire::Pull>, Fault> {
    let mut ours: Vec<wire::Pull> = Vec::new();
    let (mut come, mut total) = (0, None);
    let limit = api.server().await.page;
    for page in 1..=CLOSED_PAGES {
        let (pulls, answer) = api.page::<wire::Pull>("closed-requests", at, query, (page, limit)).await?;
        total = if page == 1 { answer.total } else { total };
        if pulls.is_empty() {
            // Some may have been reopened meanwhile, but not a whole page of them.
            return match total.filter(|total| (page - 1).saturating_mul(limit) < *total) {
                Some(total) => Err(Fault::Unreadable {
                    words: format!("closed-requests: only {come} of {total} came: a page is missing"),
                }),
                None => Ok(ours),
            };
        }
        come += pulls.len() as u64;
        // Of where the server filters by base only, or by nothing.
        let mixed = pulls.iter().any(|pull| !is_ours(pull, head, base));
        let changed = pulls.last().and_then(|pull| stamp(pull.updated_at.as_deref()?));
        newest = newest.max(pulls.iter().filter(|pull| is_ours(pull, head, base)).filter_map(opened_at).max());
        for pull in pulls {
            if is_ours(&pull, head, base) && !ours.iter().any(|had| had.number == pull.number) {
                ours.push(pull);
            }
        }
        // What follows changed last before the newest of ours was opened, so it is older than that.
        let done = mixed && newest.zip(changed).is_some_and(|(newest, changed)| changed < newest);
        if done || ours.len() >= CLOSED || total.is_some_and(|total| come >= total) {
            break;
        }
    }
    Ok(ours)
}

fn opened_at(pull: &wire::Pull) -> Option<Instant> {
    stamp(pull.created_at.as_deref()?)
}

/// Whether it goes from that branch to that branch of the same repository. A branch of the same name
/// in somebody's copy of the repository is another branch.
fn is_ours(pull: &wire::Pull, head: &BranchName, base: &BranchName) -> bool {
    let named = |end: &wire::PullEnd, name: &BranchName| {
        let is = |text: &Option<String>| text.as_deref() == Some(name.as_str());
        // The label stays when the branch is deleted; the reference is `refs/pull/N/head` then.
        is(&end.label) || is(&end.reference)
    };
    let same = match (pull.head.repo_id, pull.base.repo_id) {
        (Some(head), Some(base)) => head == base,
        _ => false,
    };
    same && named(&pull.head, head) && named(&pull.base, base)
}

fn seen(pull: wire::Pull) -> Result<RequestSeen, Fault> {
    let number = pull.number;
    let unreadable = |words: &str| Fault::Unreadable { words: format!("request {number}: {words}") };
    let state = match (pull.merged, pull.state.as_str()) {
        (Some(true), _) => RequestState::Merged,
        (_, "open") => RequestState::Open,
        (_, "closed") => RequestState::Closed,
        _ => return Err(unreadable("its state is neither open nor closed")),
    };
    let id = |text: Option<String>| text.and_then(|text| text.parse::<CommitId>().ok());
    let title = pull.title.unwrap_or_default();
    let merged = state == RequestState::Merged;
    Ok(RequestSeen {
        number,
        url: pull.html_url.unwrap_or_default(),
        state,
        head: id(pull.head.sha).ok_or_else(|| unreadable("its head is no commit"))?,
        draft: pull.draft == Some(true) || not_ready(&title, &NOT_READY).is_some(),
        title,
        body: pull.body.unwrap_or_default(),
        approvals: Vec::new(),
        objections: Vec::new(),
        ended_by: pull.merged_by.and_then(|user| user.login).filter(|login| merged && !login.is_empty()),
        merged_as: id(pull.merge_commit_sha).filter(|_| merged),
    })
}

/// What the reviews of an open request come to, without the words of people who have no say.
async fn standing(api: &Api, repo: &RepoPath, number: u64) -> Result<reviews::Words, Fault> {
    let number = number.to_string();
    let at = path(repo, &["pulls", &number, "reviews"]);
    let (all, _) = api.list::<wire::Review>("reviews", &at, &[], Counted::WithHidden).await?;
    let mut words = reviews::fold(all);
    // Where we may not ask who they are, an approval that cannot be shown to have weight has none, and an
    // objection stands.
    for (words, unasked) in [(&mut words.approvals, false), (&mut words.objections, true)] {
        let mut kept = Vec::new();
        for word in words.drain(..) {
            if word.official || may_write(api, repo, &word).await?.unwrap_or(unasked) {
                kept.push(word);
            }
        }
        *words = kept;
    }
    Ok(words)
}

/// Whether the person may write to the repository; `None` where we may not ask.
async fn may_write(api: &Api, repo: &RepoPath, word: &Word) -> Result<Option<bool>, Fault> {
    let at = path(repo, &["collaborators", &word.seen.by, "permission"]);
    match api.get("permission", &at, &[]).await {
        Ok(answer) => {
            let said: wire::Permission = answer.json()?;
            Ok(Some(matches!(said.permission.as_deref(), Some("write" | "admin" | "owner"))))
        }
        Err(Fault::Said { status: 403, .. }) => Ok(None),
        Err(Fault::Said { status: 404, .. }) => Ok(Some(false)),
        Err(fault) => Err(fault),
    }
}

#[derive(Serialize)]
struct Open<'a> {
    head: &'a str,
    base: &'a str,
    title: &'a str,
    body: &'a str,
    labels: Vec<i64>,
}

/// See `Forge::open`.
pub(super) async fn open(api: &Api, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault> {
    let labels = labels(api, repo, &proposal.labels).await?;
    let (head, base) = (proposal.head.as_str(), proposal.base.as_str());
    let body = Open { head, base, title: &proposal.title, body: &proposal.body, labels };
    let answer = api.act("open-request", Method::POST, &path(repo, &["pulls"]), &body).await;
    let pull: wire::Pull = answer.and_then(|answer| answer.json()).map_err(|fault| match fault {
        Fault::Said { status: 409, words } => CallFault::Exists { words },
        fault => fault.call(),
    })?;
    Ok(pull.number)
}

/// See `Forge::close`. The server takes a push of the head for a merge only where the repository has
/// `autodetect_manual_merge`; then it says 412 of one that it has marked meanwhile (`EditPullRequest` in
/// `routers/api/v1/repo/pull.go`).
pub(super) async fn close(api: &Api, repo: &RepoPath, number: u64, head: CommitId) -> Result<(), CallFault> {
    let number = number.to_string();
    let at = path(repo, &["pulls", &number]);
    let answer = api.get("request", &at, &[]).await;
    let pull: wire::Pull = answer.and_then(|answer| answer.json()).map_err(Fault::before)?;
    if pull.merged == Some(true) || pull.state == "closed" {
        return Ok(());
    }
    if pull.head.sha.as_deref().and_then(|sha| sha.parse().ok()) != Some(head) {
        return Err(CallFault::NotSent {
            words: "the head of the request has moved".to_owned(),
            retry_after: None,
        });
    }
    let body = serde_json::json!({ "state": "closed" });
    match api.act("close-request", Method::PATCH, &at, &body).await {
        Ok(_) | Err(Fault::Said { status: 412, .. }) => Ok(()),
        Err(fault) => Err(fault.call()),
    }
}

#[derive(Serialize)]
struct Edit<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
}

/// See `Forge::describe`.
pub(super) async fn describe(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    proposal: &Proposal,
) -> Result<(), CallFault> {
    let number = number.to_string();
    let at = path(repo, &["pulls", &number]);
    let answer = api.get("request", &at, &[]).await;
    let pull: wire::Pull = answer.and_then(|answer| answer.json()).map_err(Fault::before)?;
    // The server trims, and browsers send their own line ends when somebody edits.
    let title = keeps_mark(pull.title.as_deref(), &proposal.title, &NOT_READY);
    let differs = |had: Option<&str>, wanted: &str| {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        plain(had.unwrap_or_default()) != plain(wanted)
    };
    let edit = Edit {
        title: Some(title.as_str()).filter(|title| differs(pull.title.as_deref(), title)),
        body: Some(proposal.body.as_str()).filter(|body| differs(pull.body.as_deref(), body)),
    };
    if edit.title.is_some() || edit.body.is_some() {
        api.act("edit-request", Method::PATCH, &at, &edit).await.map_err(Fault::call)?;
    }
    let had = pull.labels.unwrap_or_default();
    let is_there = |name: &&String| had.iter().any(|label| label.name.eq_ignore_ascii_case(name));
    let missing: Vec<String> = proposal.labels.iter().filter(|name| !is_there(name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let labels = labels(api, repo, &missing).await?;
    let at = path(repo, &["issues", &number, "labels"]);
    let body = serde_json::json!({ "labels": labels });
    api.act("add-labels", Method::POST, &at, &body).await.map_err(Fault::call)?;
    Ok(())
}

/// The ids of labels, by which alone every version takes them. One that neither the repository nor
/// its organisation has is made.
async fn labels(api: &Api, repo: &RepoPath, names: &[String]) -> Result<Vec<i64>, CallFault> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let at = path(repo, &["labels"]);
    let (mut known, _) =
        api.list::<wire::Label>("labels", &at, &[], Counted::Exactly).await.map_err(Fault::before)?;
    let of = |known: &[wire::Label], name: &str| {
        known.iter().find(|label| label.name.eq_ignore_ascii_case(name)).map(|label| label.id)
    };
    if names.iter().any(|name| of(&known, name).is_none()) {
        let owner = repo.parts().next().unwrap_or_default();
        match api
            .list::<wire::Label>("organisation-labels", &["orgs", owner, "labels"], &[], Counted::Exactly)
            .await
        {
            Ok((more, _)) => known.extend(more),
            // The owner is a person, or the token may not look: the repository's own labels do.
            Err(Fault::Said { status: 403 | 404, .. }) => {}
            Err(fault) => return Err(fault.before()),
        }
    }
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let id = match of(&known, name) {
            Some(id) => id,
            None => {
                // Grey: whoever cares gives it a colour.
                let body = serde_json::json!({ "name": name, "color": "#cccccc" });
                let answer = api.act("make-label", Method::POST, &at, &body).await;
                answer.and_then(|answer| answer.json::<wire::Label>()).map_err(Fault::before)?.id
            }
        };
        ids.push(id);
    }
    Ok(ids)
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SHA: &str = "1111111111111111111111111111111111111111";

    fn pull(head: Value, more: Value) -> wire::Pull {
        let mut value = json!({
            "number": 7, "state": "open", "merged": false, "mergeable": false, "title": "t", "body": null,
            "head": head, "base": {"label": "staging", "ref": "staging", "sha": SHA, "repo_id": 3},
        });
        for (key, is) in more.as_object().unwrap() {
            value[key] = is.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_branch_of_the_same_name_elsewhere_is_another_branch() {
        let (head, base) = (BranchName::new("towpath/shop/staging"), BranchName::new("staging"));
        let ours = |end: Value| is_ours(&pull(end, json!({})), &head, &base);
        let name = "towpath/shop/staging";
        assert!(ours(json!({"label": name, "ref": name, "sha": SHA, "repo_id": 3})));
        // Its branch was deleted.
        assert!(ours(json!({"label": name, "ref": "refs/pull/7/head", "sha": SHA, "repo_id": 3})));
        assert!(!ours(json!({"label": name, "ref": name, "sha": SHA, "repo_id": 4})));
        assert!(!ours(json!({"label": name, "ref": name, "sha": SHA, "repo_id": -1})));
        assert!(!ours(json!({"label": name, "ref": name, "sha": SHA})));
        assert!(!ours(json!({"label": "develop", "ref": "develop", "sha": SHA, "repo_id": 3})));
        let other = BranchName::new("master");
        assert!(!is_ours(&pull(json!({"label": name, "ref": name, "repo_id": 3}), json!({})), &head, &other));
    }

    #[test]
    fn states_are_read_and_what_is_not_understood_is_not_known() {
        let head = json!({"label": "h", "sha": SHA, "repo_id": 3});
        let state = |more: Value| seen(pull(head.clone(), more)).map(|seen| seen.state).ok();
        assert_eq!(state(json!({})), Some(RequestState::Open));
        assert_eq!(state(json!({"state": "closed"})), Some(RequestState::Closed));
        assert_eq!(state(json!({"state": "closed", "merged": null})), Some(RequestState::Closed));
        assert_eq!(state(json!({"state": "frozen"})), None);
        let by = json!({"state": "closed", "merged": true, "merge_commit_sha": SHA, "merged_by": {"login": "ana"}});
        let merged = seen(pull(head.clone(), by)).unwrap();
        assert_eq!(merged.state, RequestState::Merged);
        assert_eq!((merged.merged_as, merged.ended_by), (SHA.parse().ok(), Some("ana".to_owned())));
        assert!(seen(pull(json!({"label": "h", "sha": "", "repo_id": 3}), json!({}))).is_err());
    }
}
