//! Commits, looked at afresh.

use axum::Extension;
use axum::extract::State;

use super::extract::{Asked, Named};
use super::flows::Nothing;
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::views::{self, CommitView, Where};

/// `explain SHA`
///
/// What keeps a commit from each environment of the flows that have it.
#[utoipa::path(get, path = "/api/v1/commits/{sha}", operation_id = "explainCommit", tag = "look",
    params(("sha" = String, Path, description = "A commit, or at least its first 7 digits")),
    responses((status = 200, description = "The commit on every edge", body = CommitView)))]
pub async fn explain(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(sha): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<CommitView> {
    let setup = api.view(&caller);
    Ok(View(api.work(&caller, async move { views::commit(&setup, &sha).await }).await?))
}

/// `where SHA`
///
/// Which environments have a commit, and since when.
#[utoipa::path(get, path = "/api/v1/commits/{sha}/environments", operation_id = "whereIsCommit", tag = "look",
    params(("sha" = String, Path, description = "A commit, or at least its first 7 digits")),
    responses((status = 200, description = "The commit in every environment", body = Where)))]
pub async fn environments(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(sha): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<Where> {
    let setup = api.view(&caller);
    Ok(View(api.work(&caller, async move { views::where_is(&setup, &sha).await }).await?))
}
