//! `doctor`: what would keep Towpath from working, each with its fix.
//!
//! Here is what this machine and git can say; what a forge says is in `forge.rs`, what a chat says in `chat.rs`.

mod chat;
mod checks;
mod discovered;
mod forge;

use std::path::Path;

use serde_json::json;
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{Unknown, UnknownWhy, Verdict};

use super::Failure;
use super::exit::Exit;
use super::out::Out;
use super::session::{self, Need, Session, words};
use crate::config::FlowConfig;
use crate::engine::World as _;

struct Finding {
    sign: Mark,
    text: String,
}

fn good(text: impl Into<String>) -> Finding {
    Finding { sign: Mark::Pass, text: text.into() }
}

fn bad(text: impl Into<String>) -> Finding {
    Finding { sign: Mark::Block, text: text.into() }
}

/// What is worth knowing, and stops nothing.
fn note(text: impl Into<String>) -> Finding {
    Finding { sign: Mark::Wait, text: text.into() }
}

/// Looks at everything; 1 if anything has to be mended, 3 if a remote cannot be reached.
pub async fn run(path: Option<&Path>, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let session = session::open(path, Need::View).await?;
    let (session, found) = crate::discover::discovered(session, false).await?;
    let mut findings = vec![good(format!(
        "The config `{}` is valid: {}",
        towpath_core::text::one_line(&session.config.path.to_string_lossy(), 200),
        crate::views::counted(session.config.flows.len(), "flow")
    ))];
    let version = session.world.git().version();
    findings.push(good(format!("git {}.{} (2.31 or later is needed)", version.major, version.minor)));
    match session.world.store().verify().await {
        Ok(()) => findings.push(good(format!("The store {} is sound", session.world.store().path().display()))),
        Err(error) => findings.push(bad(error.to_string())),
    }
    let now = session.world.now().await?;
    findings.push(clock(&session, now.wall).await);
    forge::hooks(&session, now.wall, &mut findings).await;
    chat::all(&session, &mut findings).await;
    discovered::all(&session, &found, &mut findings);
    let mut exit = Exit::Done;
    for found in session.flows(word)? {
        exit = Exit::worst([exit, flow(&session, found, &mut findings).await]);
    }
    if findings.iter().any(|finding| finding.sign == Mark::Block) {
        exit = Exit::worst([exit, Exit::Error]);
    }
    if out.json() {
        let list: Vec<_> = findings
            .iter()
            .map(|f| json!({ "ok": f.sign != Mark::Block, "note": f.sign == Mark::Wait, "text": f.text }))
            .collect();
        out.value(json!({ "findings": list }));
    } else {
        for finding in &findings {
            out.line(format!("{} {}", out.sign(finding.sign), finding.text));
        }
    }
    Ok(exit)
}

/// A wall clock behind what the ledger has already seen was put back, or is wrong.
async fn clock(session: &Session, wall: towpath_core::model::Instant) -> Finding {
    for found in &session.config.flows {
        if let Ok(ledger) = session.world.load(&found.flow).await
            && let Some(looked) = ledger.looked
            && looked.wall > wall
        {
            return bad(format!(
                "The clock says {wall}, but a pass was recorded at {}: set the clock (`timedatectl`). Windows and \
                 expiries follow it; lags do not",
                looked.wall
            ));
        }
    }
    good(format!("The clock says {wall}"))
}

async fn flow(session: &Session, found: &FlowConfig, findings: &mut Vec<Finding>) -> Exit {
    let flow = &found.flow;
    let now = session.world.now().await.map_or(towpath_core::model::Instant(0), |now| now.wall);
    let words = words(flow, &found.remote, now);
    let remote = match session.world.remote(&flow.name).await {
        Ok(remote) => remote,
        Err(unknown) => {
            findings.push(unread(session, found, &words, &unknown));
            return Exit::Error;
        }
    };
    let heads = match session.world.git().heads(&remote).await {
        Ok(heads) => heads,
        Err(unknown) => {
            findings.push(unread(session, found, &words, &unknown));
            return Exit::Unreachable;
        }
    };
    let token = match token_of(session, found) {
        Some(forge) => format!(" with the token of `[forge.{forge}]`"),
        None => String::new(),
    };
    findings.push(good(format!("`{}`: the remote answers{token}, with {} branch(es)", flow.name, heads.len())));
    forge::flow(session, found, &heads, findings).await;
    let mirror = session.world.mirror(&flow.name);
    for (at, environment) in flow.environments.iter().enumerate() {
        let branch = towpath_core::text::one_line(environment.branch.as_str(), 100);
        let Some(tip) = heads.get(&environment.branch).copied() else {
            findings.push(bad(format!(
                "`{}`: the branch `{branch}` of `{}` does not exist; create it, or correct `branch`",
                flow.name, environment.name
            )));
            continue;
        };
        if at == 0 {
            continue;
        }
        let allowed = match &mirror {
            Ok(mirror) => {
                let branches = [environment.branch.clone()];
                match session.world.git().fetch(mirror, &remote, &branches).await {
                    Ok(()) => session.world.git().can_push(mirror, &remote, &environment.branch, tip).await,
                    Err(unknown) => Err(unknown),
                }
            }
            Err(unknown) => Err(unknown.clone()),
        };
        findings.push(match allowed {
            Ok(()) => good(format!(
                "`{}`: a push to `{branch}` would be let in{token} (a dry run: hooks and protections are asked only for real)",
                flow.name
            )),
            Err(unknown) => {
                bad(format!("`{}`: a push to `{branch}` would fail: {}", flow.name, words.unknown(&unknown)))
            }
        });
    }
    Exit::Done
}

/// The forge whose token is sent for that flow.
fn token_of<'a>(session: &'a Session, found: &'a FlowConfig) -> Option<&'a str> {
    let forge = session.config.forges.get(found.forge.as_deref()?)?;
    (forge.token.is_some() || forge.app.is_some()).then_some(forge.name.as_str())
}

/// Why nothing could be read, and what mends it where that is the config's.
fn unread(session: &Session, found: &FlowConfig, words: &Words<'_>, unknown: &Unknown) -> Finding {
    let fix = match (&unknown.why, &found.forge) {
        (UnknownWhy::TokenRefused { .. }, _) => {
            ". Replace the token, or give it the right to read and write the repository".to_owned()
        }
        (UnknownWhy::CredentialsRefused { .. }, Some(forge)) if token_of(session, found).is_none() => {
            format!(". `[forge.{forge}]` has no `token`")
        }
        (UnknownWhy::NotTrusted { .. }, Some(forge)) => {
            format!(". If the authority is your own, name its certificate as `ca` in `[forge.{forge}]`")
        }
        _ => String::new(),
    };
    bad(format!("`{}`: {}{fix}", found.flow.name, words.verdict(&Verdict::unknown(unknown.clone()))))
}
