//! Pull requests: found, opened, described, and our one comment on each.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use towpath_core::model::{BranchName, CommitId};

use super::{GitHub, PER_PAGE, headed, owner_and_name, wire};
use crate::forge::client::{Answer, Call, Fault};
use crate::forge::{CallFault, Proposal, RepoPath, RequestSeen, RequestState, Ways};

/// Of how many requests that have ended all is told; of older ones nothing is.
const ENDED_MAX: usize = 10;

impl GitHub {
    /// Which ways of merging there are into a branch. Where a rule asks for pull requests that we may not go around, moving
    /// the branch itself would be refused. Of several rules each has to be kept.
    pub(super) async fn ways_into(&self, repo: &RepoPath, base: &BranchName) -> Result<Ways, Fault> {
        let is: wire::Repository = self.get("repository", self.repo_url(repo, &[], &[])?).await?;
        let (rules, _) = self.rules_of(repo, base).await?;
        let on_merging =
            |rule: &wire::Rule| matches!(rule.kind.as_str(), "pull_request" | "required_linear_history");
        let binding = self.binding(repo, rules.into_iter().filter(on_merging).collect()).await?;
        let by_rule = binding.iter().all(|rule| {
            let methods = &rule.parameters.allowed_merge_methods;
            rule.kind == "pull_request" && (methods.is_empty() || methods.iter().any(|method| method == "merge"))
        });
        let learned = self.by_request_alone.lock().is_ok_and(|all| {
            all.get(&(repo.to_string(), base.clone())).is_some_and(|until| self.client.boottime() < *until)
        });
        let fast_forward = !learned && binding.iter().all(|rule| rule.kind != "pull_request");
        // Moving the branch ends the request by itself.
        Ok(Ways { fast_forward, merge_commit: is.allow_merge_commit != Some(false) && by_rule, push: false })
    }

    /// Those of the rules that we may not go around.
    pub(super) async fn binding(&self, repo: &RepoPath, rules: Vec<wire::Rule>) -> Result<Vec<wire::Rule>, Fault> {
        let rulesets: BTreeSet<Option<u64>> = rules.iter().map(|rule| rule.ruleset_id).collect();
        let mut bypassed = BTreeSet::new();
        for ruleset in rulesets {
            if self.may_bypass(repo, ruleset).await? {
                bypassed.insert(ruleset);
            }
        }
        Ok(rules.into_iter().filter(|rule| !bypassed.contains(&rule.ruleset_id)).collect())
    }

    /// Whether we may go around the rules of a ruleset whenever we like. One that is not shown to us binds.
    /// <https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset>
    async fn may_bypass(&self, repo: &RepoPath, ruleset: Option<u64>) -> Result<bool, Fault> {
        let Some(ruleset) = ruleset else { return Ok(false) };
        let url = self.repo_url(repo, &["rulesets", &ruleset.to_string()], &[])?;
        match self.get::<wire::Ruleset>("ruleset", url).await {
            Ok(found) => Ok(matches!(found.current_user_can_bypass.as_str(), "always" | "exempt")),
            Err(Fault::Said { status: 403 | 404, .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn requests_between(
        &self,
        repo: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Fault> {
        let (owner, _) = owner_and_name(repo)?;
        let from = format!("{owner}:{head}");
        let asked = |state: &'static str, count: String| {
            let query = [
                ("state", state),
                ("head", &*from),
                ("base", base.as_str()),
                ("sort", "created"),
                ("direction", "desc"),
                ("per_page", &*count),
            ];
            self.repo_url(repo, &["pulls"], &query)
        };
        let open: Vec<wire::Pull> = self.list("requests", asked("open", PER_PAGE.to_string())?).await?;
        // One page is all that is wanted of these.
        let ended: Vec<wire::Pull> = self.get("requests", asked("closed", ENDED_MAX.to_string())?).await?;
        let mut all = Vec::new();
        // Ended since the open ones were read: the later word counts.
        let has_ended = |pull: &wire::Pull| ended.iter().any(|other| other.number == pull.number);
        let open: Vec<wire::Pull> = open.into_iter().filter(|pull| !has_ended(pull)).collect();
        // GitHub filters, but ignores a filter that it does not understand.
        let found = open.into_iter().chain(ended).filter(|pull| ours(pull, repo, head, base));
        let found: Vec<wire::Pull> = found.collect();
        let newest = found.iter().map(|pull| pull.number).max();
        for pull in found {
            let state = state_of(&pull);
            let mut ended_by = None;
            let (mut approvals, mut objections) = (Vec::new(), Vec::new());
            if state == RequestState::Open {
                (approvals, objections) = self.reviews_of(repo, pull.number).await?;
            } else if newest == Some(pull.number) {
                // Who ended the others is asked of none: each is a call, and nothing depends on it.
                ended_by = self.ended_by(repo, pull.number, state).await?;
            }
            all.push(RequestSeen { approvals, objections, ..seen(pull, state, ended_by)? });
        }
        all.sort_by_key(|request| std::cmp::Reverse(request.number));
        Ok(all)
    }

    /// Who ended it, for the words alone: where GitHub no longer has that to tell, the rest is true all the same.
    async fn ended_by(&self, repo: &RepoPath, number: u64, state: RequestState) -> Result<Option<String>, Fault> {
        let number = number.to_string();
        let found = if state == RequestState::Merged {
            let url = self.repo_url(repo, &["pulls", &number], &[])?;
            self.get::<wire::Pull>("request", url).await.map(|pull| pull.merged_by)
        } else {
            let url = self.repo_url(repo, &["issues", &number], &[])?;
            self.get::<wire::Issue>("issue", url).await.map(|issue| issue.closed_by)
        };
        match found {
            Ok(user) => Ok(user.map(|user| user.login)),
            Err(Fault::Said { status: 404 | 410, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn open_request(&self, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault> {
        let body = json!({
            "head": proposal.head.as_str(),
            "base": proposal.base.as_str(),
            "title": proposal.title,
            "body": proposal.body,
            "maintainer_can_modify": false,
        });
        let url = self.repo_url(repo, &["pulls"], &[]).map_err(Fault::call)?;
        let made = self.act::<wire::Number>("open", Method::POST, url, &body).await;
        let number = made.map_err(|fault| match &fault {
            Fault::Said { status: 422, words } if words.to_lowercase().contains("already exists") => {
                CallFault::Exists { words: fault.to_string() }
            }
            _ => fault.call(),
        })?;
        // It is open now, whatever becomes of these: without its number nobody could go on.
        let number = number.number;
        if let Err(fault) = self.add_labels(repo, number, &proposal.labels).await {
            tracing::warn!(request = number, %fault, "labels could not be put on a request");
        }
        Ok(number)
    }

    /// Asks for each by itself: GitHub refuses all for the sake of one who may not see the repository. Who is asked is
    /// listed with the request, until they have reviewed.
    pub(super) async fn ask_for_reviews(
        &self,
        repo: &RepoPath,
        number: u64,
        reviewers: &[String],
    ) -> Result<(), CallFault> {
        let number = number.to_string();
        let read = async {
            let had: wire::Pull = self.get("request", self.repo_url(repo, &["pulls", &number], &[])?).await?;
            let url =
                self.repo_url(repo, &["pulls", &number, "reviews"], &[("per_page", &PER_PAGE.to_string())])?;
            let said: Vec<wire::Review> = self.list("reviews", url).await?;
            Ok::<_, Fault>((had, said))
        };
        let (had, said) = read.await.map_err(Fault::before)?;
        let said = said.into_iter().filter_map(|review| review.user);
        let people: Vec<String> = had.requested_reviewers.into_iter().chain(said).map(|user| user.login).collect();
        for reviewer in reviewers {
            let team = reviewer.strip_prefix('@').map(|team| team.rsplit('/').next().unwrap_or(team));
            let known = match team {
                Some(team) => had.requested_teams.iter().any(|had| had.slug.eq_ignore_ascii_case(team)),
                None => people.iter().any(|login| login.eq_ignore_ascii_case(reviewer)),
            };
            if known {
                continue;
            }
            let body = match team {
                Some(team) => json!({ "team_reviewers": [team] }),
                None => json!({ "reviewers": [reviewer] }),
            };
            let url =
                self.repo_url(repo, &["pulls", &number, "requested_reviewers"], &[]).map_err(Fault::before)?;
            match self.done("reviewers", Method::POST, url, &body).await.map_err(Fault::call) {
                Ok(()) => {}
                Err(fault @ CallFault::Refused { .. }) => {
                    let reviewer = towpath_core::text::one_line(reviewer, 100);
                    tracing::warn!(request = number, reviewer, %fault, "somebody could not be asked for a review");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    pub(super) async fn describe_request(
        &self,
        repo: &RepoPath,
        number: u64,
        proposal: &Proposal,
    ) -> Result<(), Fault> {
        let url = self.repo_url(repo, &["pulls", &number.to_string()], &[])?;
        let had: wire::Pull = self.get("request", url.clone()).await?;
        if had.title.trim() != proposal.title.trim() || !same_text(&had.body, &proposal.body) {
            let body = json!({ "title": proposal.title, "body": proposal.body });
            self.done("describe", Method::PATCH, url, &body).await?;
        }
        // GitHub's labels are one whatever their case.
        let has = |label: &String| had.labels.iter().any(|had| had.name.to_lowercase() == label.to_lowercase());
        let missing: Vec<String> = proposal.labels.iter().filter(|label| !has(label)).cloned().collect();
        self.add_labels(repo, number, &missing).await
    }

    async fn add_labels(&self, repo: &RepoPath, number: u64, labels: &[String]) -> Result<(), Fault> {
        if labels.is_empty() {
            return Ok(());
        }
        let url = self.repo_url(repo, &["issues", &number.to_string(), "labels"], &[])?;
        self.done("label", Method::POST, url, &json!({ "labels": labels })).await
    }

    pub(super) async fn put_comment(
        &self,
        repo: &RepoPath,
        number: u64,
        marker: &str,
        body: &str,
    ) -> Result<(), Fault> {
        let of_request = ["issues", &number.to_string(), "comments"].map(str::to_owned);
        let of_request: Vec<&str> = of_request.iter().map(String::as_str).collect();
        let url = self.repo_url(repo, &of_request, &[("per_page", &PER_PAGE.to_string())])?;
        let comments: Vec<wire::Comment> = self.list("comments", url).await?;
        let marked: Vec<wire::Comment> =
            comments.into_iter().filter(|comment| comment.body.trim_start().starts_with(marker)).collect();
        // Anybody may write a comment with our marker; only our own is ours.
        let login = if marked.is_empty() { None } else { Some(self.login().await?) };
        let own =
            marked.into_iter().find(|comment| comment.user.as_ref().map(|user| &user.login) == login.as_ref());
        match own {
            Some(own) if same_text(&own.body, body) => Ok(()),
            Some(own) => {
                let url = self.repo_url(repo, &["issues", "comments", &own.id.to_string()], &[])?;
                self.done("edit-comment", Method::PATCH, url, &json!({ "body": body })).await
            }
            None => {
                let url = self.repo_url(repo, &of_request, &[])?;
                self.done("comment", Method::POST, url, &json!({ "body": body })).await
            }
        }
    }

    /// Our own login: that of the token's owner, or the App's with `[bot]` behind its slug.
    pub(super) async fn login(&self) -> Result<String, Fault> {
        let find = || async {
            if self.auth.is_app() {
                let call = headed(Call::get("app", self.url(&["app"], &[])));
                let app: wire::App = self.client.send(&call, &self.auth.as_app()?).await?.json()?;
                Ok(format!("{}[bot]", app.slug))
            } else {
                Ok(self.get::<wire::User>("user", self.url(&["user"], &[])).await?.login)
            }
        };
        self.login.get_or_try_init(find).await.cloned()
    }

    /// A call that changes something, and of whose answer nothing is wanted but that it says yes.
    pub(super) async fn done(
        &self,
        operation: &'static str,
        method: Method,
        url: reqwest::Url,
        body: &serde_json::Value,
    ) -> Result<(), Fault> {
        let _: Answer = self.send(&headed(Call::act(operation, method, url, body))).await?;
        Ok(())
    }
}

/// Whether it goes from that branch of this very repository (not of a fork) to that one.
fn ours(pull: &wire::Pull, repo: &RepoPath, head: &BranchName, base: &BranchName) -> bool {
    let from = pull.head.repo.as_ref().map(|repo| repo.full_name.to_lowercase());
    from.as_deref() == Some(&repo.as_str().to_lowercase())
        && pull.head.branch == head.as_str()
        && pull.base.branch == base.as_str()
}

fn state_of(pull: &wire::Pull) -> RequestState {
    match (pull.state.as_str(), &pull.merged_at) {
        (_, Some(_)) => RequestState::Merged,
        ("open", None) => RequestState::Open,
        (_, None) => RequestState::Closed,
    }
}

fn seen(pull: wire::Pull, state: RequestState, ended_by: Option<String>) -> Result<RequestSeen, Fault> {
    let head: CommitId =
        pull.head.sha.parse().map_err(|_| Fault::Unreadable {
            words: format!("requests: the head of {} is no commit", pull.number),
        })?;
    // Of an open one this is a merge that GitHub only tried.
    let merged_as = pull.merge_commit_sha.filter(|_| state == RequestState::Merged);
    Ok(RequestSeen {
        number: pull.number,
        url: pull.html_url,
        state,
        head,
        title: pull.title,
        body: pull.body,
        approvals: Vec::new(),
        objections: Vec::new(),
        draft: pull.draft == Some(true),
        ended_by,
        merged_as: merged_as.and_then(|sha| sha.parse().ok()),
    })
}

/// Whether two texts are one: forms on the web send line ends of their own.
fn same_text(a: &str, b: &str) -> bool {
    a.replace("\r\n", "\n").trim_end() == b.replace("\r\n", "\n").trim_end()
}
