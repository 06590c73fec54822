//! What browsers could be made to do, refused: a page that calls us by a name of its own (DNS
//! rebinding), and a page of another site that posts to us.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use towpath_core::text::one_line;

use crate::config::Service;
use crate::serve::Shared;
use crate::views::{Code, Problem};

/// The host that a request asks for, without its port, in lower case; none if there is none, or
/// several.
pub fn asked_host(request: &Request) -> Option<String> {
    let authority = authority(request)?;
    host_of(&authority).map(str::to_owned)
}

/// Host and port as they were sent.
fn authority(request: &Request) -> Option<String> {
    let mut given = request.headers().get_all(HOST).iter();
    let text = match (given.next(), given.next()) {
        (Some(host), None) => host.to_str().ok()?.to_owned(),
        // An address in absolute form names it.
        (None, None) => request.uri().authority()?.to_string(),
        _ => return None,
    };
    Some(text.to_ascii_lowercase())
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_of(authority: &str) -> Option<&str> {
    let port = |rest: &str| rest.strip_prefix(':').is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return ((rest.is_empty() || rest.starts_with(':')) && port(rest)).then_some(host);
    }
    let end = authority.find(':').unwrap_or(authority.len());
    let (host, rest) = authority.split_at(end);
    (!host.is_empty() && port(rest)).then_some(host)
}

/// Whether it is this machine by a name that no web page can give itself.
pub fn is_loopback_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn is_allowed(service: &Service, host: &str) -> bool {
    let public = service.public_url.as_deref().and_then(url_authority);
    is_loopback_host(host)
        || service.hosts.iter().any(|allowed| allowed == host)
        || public.is_some_and(|authority| host_of(&authority) == Some(host))
        // Who asks for an address uses no name at all, and only a name can be made to lead elsewhere. Listening on every
        // address, we do not know which are ours.
        || host.parse().is_ok_and(|ip: IpAddr| service.listen.ip().is_unspecified() || ip == service.listen.ip())
}

/// Host and port of a URL, in lower case.
fn url_authority(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    (!authority.is_empty()).then(|| authority.to_ascii_lowercase())
}

/// Whether a browser says that another site sent it. Programs send neither header.
fn is_cross_site(service: &Service, headers: &HeaderMap, authority: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return false };
    let from = url_authority(origin);
    let public = service.public_url.as_deref().and_then(url_authority);
    from.is_none() || (from.as_deref() != Some(authority) && from != public)
}

/// Refuses what no honest client sends.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let setup = shared.setup();
    match refusal(&setup.config.service, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(service: &Service, request: &Request) -> Option<Problem> {
    let authority = authority(request).unwrap_or_default();
    let host = host_of(&authority).unwrap_or_default();
    if !is_allowed(service, host) {
        let shown = one_line(&authority, 100);
        let what = format!("the host `{shown}` is not one that this service answers for");
        let hint = "ask for 127.0.0.1 or localhost, or name it in `[service] hosts` or `public_url`";
        return Some(Problem::new(Code::HostNotAllowed, what).hint(hint));
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    (!safe && is_cross_site(service, request.headers(), &authority))
        .then(|| Problem::new(Code::CrossSite, "a browser sent this from another site; it is refused"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_every_form() {
        for (authority, host) in [
            ("localhost", Some("localhost")),
            ("localhost:8080", Some("localhost")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]:8080", Some("::1")),
            ("[::1]", Some("::1")),
            ("", None),
            (":80", None),
            ("a:b", None),
            ("[::1", None),
            ("[::1]x", None),
            ("localhost:80@evil.example", None),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
        for host in ["localhost", "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "10.0.0.1", "", "2130706433"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
