//! Which tokens there are, and whose one is. They are made and revoked where the service runs, by `towpath token`:
//! a token that leaks cannot make another.

use axum::Extension;
use axum::extract::State;

use super::extract::Asked;
use super::flows::Nothing;
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::views::{self, Code, Problem, Tokens, WhoView};

/// `token list`
///
/// Every token there is or was, and never the token itself.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "listTokens", tag = "admin",
    responses((status = 200, description = "Tokens", body = Tokens)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<Tokens> {
    if !caller.flows().is_empty() {
        let what = "a token that is limited to some flows does not see which tokens there are";
        return Err(Problem::new(Code::OtherFlow, what));
    }
    Ok(View(views::tokens(&api.view(&caller)).await?))
}

/// Who am I
///
/// Who the token's holder is here, and what they may do where; a token's scope holds beside it.
#[utoipa::path(get, path = "/api/v1/whoami", operation_id = "whoami", tag = "look",
    responses((status = 200, description = "Who that is", body = WhoView)))]
pub async fn whoami(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<WhoView> {
    let who = caller.person()?;
    Ok(View(views::who(&api.view(&caller).config, &who)))
}
