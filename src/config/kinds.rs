//! Whether one written value is what its row asks for. Each [`Kind`] says so here, once.
//!
//! Not here: tables and lists ([`super::check`]), and rules that need a second key.

use std::net::SocketAddr;

use reqwest::Url;
use towpath_core::calendar::Schedule;
use towpath_core::model::Span;
use towpath_core::repository;

use super::keys::Kind;
use super::problem::shown;
use super::tree::{Node, Value};
use super::{names, remote, suggest};

/// What is wrong, and what to write instead.
pub(super) type Fault = (String, String);

/// Whether the kind takes a value of this TOML type at all.
pub(super) fn fits(kind: &Kind, node: &Node) -> bool {
    match (&node.value, kind) {
        (_, Kind::OneOf(kinds)) => kinds.iter().any(|k| fits(k, node)),
        (Value::Bool(false), Kind::False)
        | (Value::Bool(_), Kind::Bool)
        | (Value::Whole(_), Kind::Count { .. }) => true,
        (Value::List(_), Kind::ListOf(_)) => true,
        (Value::List(list), Kind::Tables(_)) => list.iter().all(|n| n.table().is_some()),
        (Value::Table(_), Kind::Table(_) | Kind::Named(_) | Kind::Secret) => true,
        (Value::Text(_), kind) => !matches!(
            kind,
            Kind::False
                | Kind::Bool
                | Kind::Count { .. }
                | Kind::ListOf(_)
                | Kind::Tables(_)
                | Kind::Table(_)
                | Kind::Named(_)
                | Kind::Secret
        ),
        _ => false,
    }
}

/// Judges a value of the right type that is neither table nor list.
pub(super) fn leaf(kind: &Kind, node: &Node) -> Result<(), Fault> {
    match &node.value {
        Value::Whole(number) => count(kind, *number),
        Value::Text(text) => match kind {
            Kind::Word { words, later } => word(words, later, text),
            _ => text_of(kind, text),
        },
        _ => Ok(()),
    }
}

fn fault(what: impl Into<String>, hint: impl Into<String>) -> Result<(), Fault> {
    Err((what.into(), hint.into()))
}

fn count(kind: &Kind, number: i64) -> Result<(), Fault> {
    match kind {
        Kind::Count { least, most } if !(*least..=*most).contains(&number) => {
            fault(format!("{number} is out of bounds"), format!("write a whole number from {least} to {most}"))
        }
        _ => Ok(()),
    }
}

fn word(words: &[&str], later: &[(&str, &str, &str)], text: &str) -> Result<(), Fault> {
    if words.contains(&text) {
        return Ok(());
    }
    if let Some((_, why, hint)) = later.iter().find(|(word, _, _)| *word == text) {
        return fault(*why, *hint);
    }
    let all = words.iter().copied().chain(later.iter().map(|(word, _, _)| *word));
    let hint = match suggest::nearest(text, all) {
        Some(meant) if !words.contains(&meant) => {
            let why = later.iter().find(|(word, _, _)| *word == meant).map_or("", |(_, why, _)| *why);
            format!("did you mean `\"{meant}\"`? But {why}")
        }
        Some(meant) => format!("did you mean `\"{meant}\"`?"),
        None => format!("write {}", Kind::Word { words: &[], later: &[] }.phrase_of(words)),
    };
    fault(format!("`{}` is not known here", shown(text)), hint)
}

impl Kind {
    fn phrase_of(self, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|w| format!("`\"{w}\"`")).collect();
        words.join(" or ")
    }
}

fn text_of(kind: &Kind, text: &str) -> Result<(), Fault> {
    match kind {
        Kind::Name => name(text),
        Kind::Branch => match names::branch_fault(text) {
            Some(why) => fault(
                format!("`{}` is no branch: {why}", shown(text)),
                "write the branch as `git branch` lists it, for example `branch = \"master\"`",
            ),
            None => Ok(()),
        },
        Kind::Zone => zone(text),
        Kind::Cron => cron(text),
        Kind::Duration { zero } => duration(text, *zero),
        Kind::DurationOr(word) if text == *word => Ok(()),
        Kind::DurationOr(_) => duration(text, false),
        Kind::Listen => listen(text),
        Kind::Host => host(text),
        Kind::Store => store(text),
        Kind::Url => url(text),
        Kind::GateUrl => gate_url(text).map(drop),
        Kind::SinkUrl => sink_url(text),
        Kind::EnvVar => env_var(text),
        Kind::User => user(text),
        Kind::Approver => approver(text),
        Kind::Repository => Ok(()),
        _ => plain(text),
    }
}

fn plain(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return fault("this text is empty", "write something, or remove the key");
    }
    if text.chars().any(char::is_control) {
        return fault(format!("`{}` holds control characters", shown(text)), "write it on one line, without them");
    }
    if text.len() > 1_000 {
        return fault("this text is longer than 1,000 bytes", "shorten it");
    }
    Ok(())
}

fn name(text: &str) -> Result<(), Fault> {
    match names::name_fault(text) {
        None => Ok(()),
        Some(why) => {
            let better: String = text
                .to_lowercase()
                .chars()
                .map(|c| if matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '/' | '-') { c } else { '-' })
                .collect();
            let hint = match names::name_fault(&better) {
                None => format!("write for example `\"{better}\"`"),
                Some(_) => "write a name such as `\"shop/checkout\"` or `\"staging\"`".to_owned(),
            };
            fault(format!("`{}` cannot be a name: {why}", shown(text)), hint)
        }
    }
}

fn zone(text: &str) -> Result<(), Fault> {
    if text.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(());
    }
    let hint = match suggest::zone(text) {
        Some(meant) => format!("did you mean `\"{meant}\"`?"),
        None => "write a name of the IANA list, such as `\"Europe/Warsaw\"` or `\"UTC\"`".to_owned(),
    };
    fault(format!("`{}` is no time zone", shown(text)), hint)
}

fn cron(text: &str) -> Result<(), Fault> {
    const HINT: &str =
        "write minute, hour, day of the month, month and day of the week, as in `\"0 9,13,15 * * Mon-Fri\"`";
    let fields = text.split_whitespace().count();
    if fields != 5 {
        let fields = if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") };
        return fault(format!("`{}` has {fields}, and a cron expression has five", shown(text)), HINT);
    }
    match Schedule::parse(text, None, chrono_tz::UTC) {
        Ok(_) => Ok(()),
        Err(why) => {
            let (what, hint) = why.split_once("; ").unwrap_or((why.as_str(), HINT));
            fault(what, hint)
        }
    }
}

fn duration(text: &str, zero: bool) -> Result<(), Fault> {
    match Span::parse(text) {
        Err(why) => {
            let (what, hint) =
                why.split_once("; ").unwrap_or((why.as_str(), "write one such as `30m`, `2h` or `1d`"));
            fault(what, hint)
        }
        Ok(Span::ZERO) if !zero => {
            fault("no time at all has no effect here", "write a longer time, or remove the key")
        }
        Ok(_) => Ok(()),
    }
}

fn listen(text: &str) -> Result<(), Fault> {
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).or_else(|| text.parse().ok());
    let hint = match port {
        Some(port) => {
            format!("write `\"127.0.0.1:{port}\"` for this machine alone, or `\"0.0.0.0:{port}\"` for all")
        }
        None => "write an IP address and a port, as in `\"127.0.0.1:8080\"`".to_owned(),
    };
    fault(format!("`{}` is no IP address with a port", shown(text)), hint)
}

fn host(text: &str) -> Result<(), Fault> {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    let address = text.parse::<std::net::IpAddr>().is_ok();
    if !address && (text.is_empty() || text.len() > 253 || !text.chars().all(ok)) {
        return fault(
            format!("`{}` is no name of a host", shown(text)),
            "write it in lower case, without scheme and port, as in `\"towpath.internal\"`",
        );
    }
    Ok(())
}

fn store(text: &str) -> Result<(), Fault> {
    const HINT: &str = "write `\"sqlite:towpath.db\"`, or another path after `sqlite:`";
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return fault("this build keeps its ledger in SQLite only, not in PostgreSQL yet", HINT);
    }
    let Some(path) = text.strip_prefix("sqlite:") else {
        return fault("a store begins with `sqlite:`", HINT);
    };
    if path.starts_with("//") {
        return fault("after `sqlite:` comes a path, not a URL", HINT);
    }
    if path.is_empty() || path.starts_with(':') || path.ends_with('/') {
        return fault("after `sqlite:` comes the path of a file", HINT);
    }
    plain(path)
}

fn url(text: &str) -> Result<(), Fault> {
    plain(text)?;
    match text.split_once("://") {
        Some((scheme, rest)) => remote::url_fault(scheme, rest),
        None => fault(format!("`{}` is no URL", shown(text)), "write it as `\"https://git.example.com\"`"),
    }
}

/// What an `http` gate asks, understood as it will be when it is asked.
pub(super) fn gate_url(text: &str) -> Result<Url, Fault> {
    plain(text)?;
    let fault = |what: String, hint: &str| Err((what, hint.to_owned()));
    let whole = "write it as `\"https://gate.example.com/towpath\"`";
    let url = match Url::parse(text) {
        Ok(url) if !text.contains(char::is_whitespace) => url,
        Ok(_) | Err(_) => return fault("this is no URL".to_owned(), whole),
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return fault(format!("`{}:` is no way to ask a gate", shown(url.scheme())), whole);
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return fault(
            "the URL of a gate may not hold a user, a password or a query, which may be a secret".to_owned(),
            "put the secret into a variable or a file and name it beside the URL, as in `token = { env = \"GATE_TOKEN\" }`",
        );
    }
    if url.scheme() == "http" && !repository::is_loopback(url.authority()) {
        return fault(
            "what a gate says over `http://` can be read and changed by anybody on the way".to_owned(),
            "write the URL with `https://`; `http://` is for this machine itself, as in `http://127.0.0.1:3000`",
        );
    }
    Ok(url)
}

/// What a sink is called at, with what is put into it for each event taken for a word.
fn sink_url(text: &str) -> Result<(), Fault> {
    plain(text)?;
    let whole =
        "write it as `\"https://hooks.example.com/deploys\"`, or say where it is: `url = { env = \"HOOK_URL\" }`";
    let bare = crate::tell::without_expressions(text);
    let url = match Url::parse(&bare) {
        Ok(url) if !bare.contains(char::is_whitespace) => url,
        Ok(_) | Err(_) => return fault("this is no URL", whole),
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return fault(format!("`{}:` is no way to call a sink", shown(url.scheme())), whole);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fault(
            "the URL of a sink may not hold a user or a password",
            "write `token`, or the URL where secrets are",
        );
    }
    Ok(())
}

fn env_var(text: &str) -> Result<(), Fault> {
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let bad = text.is_empty() || !text.chars().all(ok) || text.starts_with(|c: char| c.is_ascii_digit());
    if bad || super::redact::looks_like_token(text) {
        return fault(
            "this is not the name of an environment variable",
            "put the secret into a variable and write the variable's name, as in `{ env = \"GIT_TOKEN\" }`",
        );
    }
    Ok(())
}

fn user(text: &str) -> Result<(), Fault> {
    plain(text)?;
    if text.contains(':') || super::redact::looks_like_token(text) {
        return fault("this is not the name of a user", "write the name alone; the token is named by `token`");
    }
    Ok(())
}

/// Why a text cannot name a token, if it cannot.
pub fn token_name_fault(name: &str) -> Option<&'static str> {
    let ok = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    match name.as_bytes() {
        [] => Some("it is empty"),
        bytes if bytes.len() > 64 => Some("it is longer than 64 characters"),
        [b'a'..=b'z' | b'0'..=b'9', rest @ ..] if rest.iter().all(|b| ok(*b)) => None,
        _ => Some("it begins with a small letter or digit and holds these, dots, dashes and underscores only"),
    }
}

fn approver(text: &str) -> Result<(), Fault> {
    let login = text.strip_prefix('@').unwrap_or(text);
    let login_like = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if !login.is_empty() && login.chars().all(login_like) {
        return Ok(());
    }
    let parts = text.strip_prefix("os:").and_then(|rest| rest.rsplit_once('@'));
    let person = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    let ok = person || text.strip_prefix("token:").is_some_and(|name| token_name_fault(name).is_none());
    if !ok || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return fault(
            format!("`{}` is neither a login name nor a name under which a command is recorded", shown(text)),
            "write a login or `@` and a team, or `os:`, the user, `@` and the host, as in `\"os:ana@build1\"`, or `token:` and the token's name",
        );
    }
    Ok(())
}
