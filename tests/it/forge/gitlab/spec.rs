//! The description that every exchange is held against: `openapi.json` beside this file.
//!
//! GitLab's own is made from its code, CC BY-SA, and in no package registry, so this one is ours, written from
//! GitLab's documentation; each operation names its page. That is weaker than what the two other forges have: where
//! the documentation was misread, the adapter, the forge of these tests and the description are wrong
//! together. `scripts/forge-specs-gitlab` holds the fields and words against the types of `@gitbeaker/core`,
//! which somebody else wrote.

use super::super::schema::Api;

/// Sent on any call, which the pages of the single calls do not repeat.
const ALSO: [(&str, u16, &str); 1] = [("*", 401, "rest/authentication: no token, or a wrong one")];

/// The description.
pub fn gitlab() -> Api {
    let mut api = Api::new(include_str!("openapi.json"), "/api");
    api.also = ALSO.to_vec();
    api
}
