//! Who is asking, and whether they may.
//!
//! A token is looked up in the store for every request, so one that was revoked or has expired is
//! refused at once. Without a token only GETs go through, and only for somebody on this machine:
//! while the config listens on loopback, from a loopback peer, under a loopback host.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use towpath_core::model::FlowName;
use towpath_core::people::{Identity, Surface};

use super::Api;
use super::origin::{asked_host, is_loopback_host};
use crate::engine::World as _;
use crate::engine::command::Person;
use crate::setup::Setup;
use crate::store::{TokenRow, TokenScope};
use crate::views::{Code, Problem};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Somebody on this machine, who may look.
    Nobody,
    /// Whoever holds this token.
    Token(Box<TokenRow>),
}

impl Caller {
    /// The flows that the caller is limited to; none: every flow.
    pub fn flows(&self) -> &[FlowName] {
        match self {
            Self::Nobody => &[],
            Self::Token(row) => &row.flows,
        }
    }

    /// Under which name commands are recorded.
    pub fn person(&self) -> Result<Person, Problem> {
        match self {
            Self::Nobody => Err(missing()),
            Self::Token(row) => {
                let identity = Identity::Token(row.name.clone());
                Ok(Person { email: row.email.clone(), ..Person::new(identity, Surface::Api) })
            }
        }
    }

    /// The refusal to reach beyond its flows.
    pub fn other_flow(&self) -> Problem {
        let flows: Vec<String> = self.flows().iter().map(|flow| format!("`{flow}`")).collect();
        Problem::new(Code::OtherFlow, format!("this token is limited to {}", flows.join(", ")))
    }

    /// Whether the caller's scope reaches that far.
    fn may(&self, needed: TokenScope) -> Result<(), Problem> {
        let Self::Token(row) = self else { return Ok(()) };
        let allowed = match row.scope {
            TokenScope::Read => needed == TokenScope::Read,
            TokenScope::Report => needed == TokenScope::Report,
            TokenScope::Steer => needed != TokenScope::Admin,
            TokenScope::Admin => true,
        };
        if allowed {
            return Ok(());
        }
        let (has, needed) = (row.scope.word(), needed.word());
        let what = format!("the token `{}` has the scope `{has}`, and this needs `{needed}`", row.name);
        Err(Problem::new(Code::ScopeTooSmall, what))
    }
}

fn missing() -> Problem {
    Problem::new(Code::TokenMissing, "send a token as `Authorization: Bearer tow_…`")
        .hint("`towpath token create NAME --scope read` makes one, where the service runs")
}

/// Says who sent this, if they may do what needs that scope: for routes of the API and for hooks.
///
/// # Errors
/// Without a usable token, or if its scope does not reach.
pub async fn authenticate(
    setup: &Setup,
    headers: &HeaderMap,
    needed: TokenScope,
) -> Result<Option<Caller>, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(Problem::new(Code::TokenUnknown, "there are two `Authorization` headers"));
    }
    let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
    let Some((_, presented)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(missing());
    };
    let store = setup.world.store();
    let Some(row) = store.find_token(presented.trim()).await? else {
        return Err(Problem::new(Code::TokenUnknown, "there is no such token"));
    };
    let now = setup.world.now().await?;
    if row.revoked.is_some() {
        return Err(Problem::new(Code::TokenRevoked, format!("the token `{}` was revoked", row.name)));
    }
    if !row.is_usable(now.wall) {
        return Err(Problem::new(Code::TokenExpired, format!("the token `{}` has expired", row.name))
            .hint("`towpath token create` makes another"));
    }
    let caller = Caller::Token(Box::new(row.clone()));
    caller.may(needed)?;
    if let Err(error) = store.token_used(&row, now.wall).await {
        // When a token was last used is nice to know; it is no reason to refuse.
        tracing::warn!(%error, token = row.name, "the use of a token could not be noted");
    }
    Ok(Some(caller))
}

/// Whether somebody without a token may look.
fn may_look_unnamed(setup: &Setup, request: &Request) -> bool {
    let service = &setup.config.service;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    matches!(*request.method(), Method::GET | Method::HEAD)
        && service.listen.ip().to_canonical().is_loopback()
        && service.anonymous_read.unwrap_or(true)
        && peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
        && asked_host(request).is_some_and(|host| is_loopback_host(&host))
        && !is_for_another(request.headers())
}

/// What proxies say of those they speak for, and nobody else does.
const PROXIED: [&str; 19] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-for",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-proto",
    "x-original-url",
    "x-envoy-external-address",
    "x-proxyuser-ip",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-fdid",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "cdn-loop",
];

/// The same as beginnings: `X-Forwarded-For`, `-Host`, `-Proto` …, and what Cloudflare adds.
const PROXIED_BEGINS: [&str; 2] = ["x-forwarded", "cf-"];

/// Whether a proxy on this machine sent it on: that speaks for others, who may be anywhere.
fn is_for_another(headers: &HeaderMap) -> bool {
    let is_said =
        |name: &str| PROXIED.contains(&name) || PROXIED_BEGINS.iter().any(|begin| name.starts_with(begin));
    headers.keys().any(|name| is_said(name.as_str()))
}

/// Lets through whoever may use the routes behind it.
pub async fn guard(State((api, needed)): State<(Api, TokenScope)>, mut request: Request, next: Next) -> Response {
    let setup = api.view(&Caller::Nobody);
    let caller = match authenticate(&setup, request.headers(), needed).await {
        Ok(Some(caller)) => caller,
        Ok(None) if needed == TokenScope::Read && may_look_unnamed(&setup, &request) => Caller::Nobody,
        Ok(None) => return missing().into_response(),
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}
