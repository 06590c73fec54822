//! Tokens for the API. None of these views holds a token but the one that is shown once, when it
//! is made.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use towpath_core::model::{FlowName, Instant};
use towpath_core::text::one_line;
use utoipa::ToSchema;

use super::page::Line;
use super::problem::Problem;
use crate::engine::World as _;
use crate::setup::Setup;
use crate::store::{TokenRow, TokenScope};

/// Every token there is or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// Oldest first.
    pub tokens: Vec<TokenView>,
}

/// What is known of a token, and never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Names it; `tow_` and this is how the token begins.
    #[schema(example = "5f0c1e2d3a4b")]
    pub id: String,
    /// Its commands are recorded as `token:NAME`.
    #[schema(example = "ci")]
    pub name: String,
    /// `read`, `report`, `steer` or `admin`.
    #[schema(value_type = String, example = "report")]
    pub scope: TokenScope,
    /// The flows it is limited to; none: every flow.
    #[schema(value_type = Vec<String>)]
    pub flows: Vec<FlowName>,
    /// When it was made, in epoch milliseconds.
    #[schema(value_type = i64)]
    pub created: Instant,
    /// By whom.
    pub by: String,
    /// When it ends, if it does.
    #[schema(value_type = Option<i64>)]
    pub expires: Option<Instant>,
    /// When it was revoked, if it was.
    #[schema(value_type = Option<i64>)]
    pub revoked: Option<Instant>,
    /// The day on which it was last used, from midnight UTC.
    #[schema(value_type = Option<i64>)]
    pub used: Option<Instant>,
    /// The e-mail by which git knows whoever holds it, if that is a person.
    #[serde(default)]
    pub email: Option<String>,
    /// `usable`, `expired` or `revoked`.
    #[schema(example = "usable")]
    pub state: String,
}

/// A token that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTokenView {
    /// The token itself: shown now and never again.
    pub token: String,
    /// What is known of it.
    #[serde(flatten)]
    pub view: TokenView,
}

impl TokenView {
    /// What is shown of a row at that instant.
    pub fn new(row: TokenRow, wall: Instant) -> Self {
        let state = match row.revoked {
            Some(_) => "revoked",
            None if row.is_usable(wall) => "usable",
            None => "expired",
        };
        Self {
            id: row.id,
            name: row.name,
            scope: row.scope,
            flows: row.flows,
            created: row.created,
            by: row.by.to_string(),
            expires: row.expires,
            revoked: row.revoked,
            used: row.used,
            email: row.email,
            state: state.to_owned(),
        }
    }
}

/// Makes it.
///
/// # Errors
/// If the store cannot be read.
pub async fn tokens(setup: &Setup) -> Result<Tokens, Problem> {
    let now = setup.world.now().await?;
    let rows = setup.world.store().tokens().await?;
    Ok(Tokens { tokens: rows.into_iter().map(|row| TokenView::new(row, now.wall)).collect() })
}

/// A day, in UTC: tokens belong to no flow and so to no zone.
fn day(at: Instant) -> String {
    at.utc().map_or_else(|| at.to_string(), |utc| utc.with_timezone(&Tz::UTC).format("%Y-%m-%d").to_string())
}

impl Tokens {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        if self.tokens.is_empty() {
            return vec![Line::plain(0, "There is no token; `towpath token create NAME --scope read` makes one.")];
        }
        self.tokens.iter().map(|token| Line::plain(0, token.line())).collect()
    }
}

impl TokenView {
    fn line(&self) -> String {
        let flows: Vec<&str> = self.flows.iter().map(FlowName::as_str).collect();
        let flows = if flows.is_empty() { "every flow".to_owned() } else { flows.join(", ") };
        let ends = match (self.revoked, self.expires) {
            (Some(at), _) => format!("revoked {}", day(at)),
            (None, None) => "never expires".to_owned(),
            (None, Some(at)) if self.state == "expired" => format!("expired {}", day(at)),
            (None, Some(at)) => format!("expires {}", day(at)),
        };
        let used = self.used.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", day(at)));
        let email = self.email.as_ref().map_or_else(String::new, |email| format!(" <{}>", one_line(email, 254)));
        format!(
            "{}  {}{email}  {}  {flows}; {ends}; {used}; made {} by {}",
            self.id,
            one_line(&self.name, 64),
            self.scope.word(),
            day(self.created),
            one_line(&self.by, 80)
        )
    }
}

impl NewTokenView {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let ends = self.view.expires.map_or_else(|| "never".to_owned(), |at| format!("on {}", day(at)));
        vec![
            Line::plain(0, &self.token),
            Line::aside(format!(
                "The token `{}` ({}, ends {ends}) is shown this once. Commands it gives are recorded as `token:{}`; \
                 `towpath token revoke {}` ends it.",
                self.view.name,
                self.view.scope.word(),
                self.view.name,
                self.view.id
            )),
        ]
    }
}
