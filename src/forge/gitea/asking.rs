//! Asking people and teams for a review of a request.
//!
//! A call of its own for each: not every version takes reviewers when a request is opened, none says that it ignored them,
//! and one that the server does not know has all of a call refused. Who is asked is seen among the reviews, as
//! `REQUEST_REVIEW` of a person or a team; somebody who has said something is not asked, because that would take an
//! approval back (`AddReviewRequest` in `models/issues/review.go`).

use ::http::Method;
use serde::Serialize;
use towpath_core::text::one_line;

use super::api::{Api, Counted};
use super::{path, wire};
use crate::forge::client::Fault;
use crate::forge::{CallFault, RepoPath};

#[derive(Serialize)]
struct Ask<'a> {
    reviewers: &'a [&'a str],
    team_reviewers: &'a [&'a str],
}

/// See `Forge::ask_reviewers`.
pub(super) async fn ask(api: &Api, repo: &RepoPath, number: u64, reviewers: &[String]) -> Result<(), CallFault> {
    let number = number.to_string();
    let at = path(repo, &["pulls", &number, "reviews"]);
    let (had, _) =
        api.list::<wire::Review>("reviews", &at, &[], Counted::WithHidden).await.map_err(Fault::before)?;
    let at = path(repo, &["pulls", &number, "requested_reviewers"]);
    for reviewer in reviewers {
        // The organisation is the repository's own; only the team's name is sent.
        let team = reviewer.strip_prefix('@').map(|team| team.rsplit('/').next().unwrap_or(team));
        let is = |name: Option<&str>, wanted: &str| name.is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let known = had.iter().any(|review| match team {
            Some(team) => is(review.team.as_ref().and_then(|team| team.name.as_deref()), team),
            None => is(review.user.as_ref().and_then(|user| user.login.as_deref()), reviewer),
        });
        if known {
            continue;
        }
        let one = [team.unwrap_or(reviewer)];
        let body = match team {
            Some(_) => Ask { reviewers: &[], team_reviewers: &one },
            None => Ask { reviewers: &one, team_reviewers: &[] },
        };
        match api.act("ask-reviewers", Method::POST, &at, &body).await.map_err(Fault::call) {
            Ok(_) => {}
            Err(fault @ CallFault::Refused { .. }) => {
                let reviewer = one_line(reviewer, 100);
                tracing::warn!(%repo, request = number, reviewer, %fault, "somebody could not be asked for a review");
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
