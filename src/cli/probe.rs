//! `probe`: asks a service on this machine whether it is alive or ready, for what cannot ask by
//! itself: a container without curl, a script.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::Failure;
use super::exit::Exit;
use super::out::Out;
use super::session;

/// How long the answer may take. Docker's own limit is 30 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks `/livez`, or `/readyz`, where the config or the caller says.
pub async fn run(path: Option<&Path>, address: Option<SocketAddr>, ready: bool, out: Out) -> Result<Exit, Failure> {
    let address = match address {
        Some(address) => address,
        None => reachable(session::config(path)?.service.listen),
    };
    let page = if ready { "readyz" } else { "livez" };
    let unreachable = |error: reqwest::Error| {
        let why = error.without_url();
        Failure::Plain(Exit::Unreachable, format!("nobody answers on {address}: {why}"))
    };
    // No proxy: it is this machine that is asked.
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().map_err(unreachable)?;
    let answer = client.get(format!("http://{address}/{page}")).send().await.map_err(unreachable)?;
    let good = answer.status().is_success();
    let body = answer.text().await.map_err(unreachable)?;
    out.line(towpath_core::text::one_line(&body, 2_000));
    Ok(if good { Exit::Done } else { Exit::Error })
}

/// Where a service that listens on every address is met from this machine.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        let own = if listen.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { IpAddr::V6(Ipv6Addr::LOCALHOST) };
        listen.set_ip(own);
    }
    listen
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_met_on_the_loopback() {
        let at = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(at("[::]:80"), "[::1]:80");
        assert_eq!(at("127.0.0.2:80"), "127.0.0.2:80");
    }
}
