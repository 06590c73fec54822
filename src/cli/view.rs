//! What can be looked at: status, explain, where, diff, history. They record nothing.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use towpath_core::command::CommitWord;
use towpath_core::dag::Dag;
use towpath_core::explain::{Explanation, Mark, Words};
use towpath_core::model::{CommitId, EnvName, Fact, Flow, Ledger, Now, PauseKind, Tip, Until, Verdict};
use towpath_core::text::{markdown, one_line};

use super::Failure;
use super::exit::Exit;
use super::out::{Format, Out};
use super::session::{Session, words};
use crate::config::FlowConfig;
use crate::engine::{World as _, observe, plan as plan_flow};
use crate::git::diff;
use crate::store::{HistoryItem, What};

/// The sign for a verdict.
pub const fn mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::Pass { .. } => Mark::Pass,
        Verdict::Wait { .. } => Mark::Wait,
        Verdict::Block { .. } => Mark::Block,
    }
}

fn plain(what: impl Into<String>) -> Failure {
    Failure::Plain(Exit::Error, what.into())
}

/// `status`: the stored decisions with their age, and what people ordered.
pub async fn status(session: &Session, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let now = session.world.now().await?;
    let mut exits = Vec::new();
    let mut shown = Vec::new();
    for found in session.flows(word)? {
        let ledger = session.world.load(&found.flow).await?;
        let words = words(&found.flow, &found.remote, now.wall);
        let mut ledger = ledger;
        // Environments that are no longer configured have no say.
        ledger.decisions.retain(|env, _| found.flow.edge(env).is_some());
        ledger.branches.retain(|env, _| found.flow.environment(env).is_some());
        exits.extend(ledger.decisions.values().map(|row| Exit::of(&row.decision)));
        exits.extend(ledger.looked.is_none().then_some(Exit::CannotTell));
        if out.json() {
            let sentence = |row: &towpath_core::model::DecisionRow| words.headline(&row.decision);
            let rows: Vec<Json> = ledger
                .decisions
                .iter()
                .map(|(env, row)| json!({ "env": env, "since": row.since, "decision": row.decision, "sentence": sentence(row) }))
                .collect();
            shown.push(json!({ "flow": found.flow.name, "looked": ledger.looked, "branches": ledger.branches,
                "decisions": rows, "standing": ledger.standing }));
            continue;
        }
        status_of(found, &ledger, &words, now, out);
    }
    if out.json() {
        out.value(json!({ "flows": shown }));
    }
    Ok(Exit::worst(exits))
}

fn status_of(found: &FlowConfig, ledger: &Ledger, words: &Words<'_>, now: Now, out: Out) {
    let looked = ledger.looked.map_or("never looked at; `towpath run` does".to_owned(), |looked| {
        format!("as of {}", words.at(looked.wall))
    });
    out.line(format!("{} ({looked})", found.flow.name));
    for order in standing(ledger, words, now) {
        out.line(format!("  {} {order}", out.sign(Mark::Block)));
    }
    for (at, environment) in found.flow.environments.iter().enumerate() {
        let tip = ledger.branches.get(&environment.name).map_or_else(|| "?".to_owned(), |seen| seen.tip.short());
        if at == 0 {
            out.line(format!("    {} at {tip}", environment.name));
            continue;
        }
        match ledger.decisions.get(&environment.name) {
            Some(row) => {
                let sign = out.sign(mark(&row.decision.verdict));
                out.line(format!("  {sign} {}", words.headline(&row.decision)));
            }
            None => out.line(format!("    {} at {tip}, nothing decided yet", environment.name)),
        }
    }
}

/// What people ordered and what stands, a line each.
fn standing(ledger: &Ledger, words: &Words<'_>, now: Now) -> Vec<String> {
    let mut lines = Vec::new();
    for pause in ledger.standing.pauses.iter().filter(|pause| !pause.until.is_over(now.wall)) {
        let kind = match pause.kind {
            PauseKind::Pause => "paused",
            PauseKind::Freeze => "frozen",
        };
        let scope = match &pause.scope {
            towpath_core::model::Scope::All => "everything".to_owned(),
            towpath_core::model::Scope::Flow(flow) => format!("`{flow}`"),
            towpath_core::model::Scope::Edge(_, env) | towpath_core::model::Scope::Environment(env) => {
                format!("`{env}`")
            }
        };
        let until = match pause.until {
            Until::At(at) => format!("until {}", words.at(at)),
            Until::Resumed => "until resumed".to_owned(),
        };
        let (by, reason) = (one_line(pause.by.as_str(), 80), one_line(&pause.reason, 200));
        lines.push(format!("{scope} is {kind} {until} by `{by}`: {reason}"));
    }
    for hold in &ledger.standing.holds {
        let what = match hold.what {
            towpath_core::model::Held::Commit(commit) => format!("{} is held", commit.short()),
            towpath_core::model::Held::Range { lost, kept } => {
                format!("what {} has and {} has not is held", lost.short(), kept.short())
            }
        };
        let place = hold.env.as_ref().map_or_else(String::new, |env| format!(" back from `{env}`"));
        let fix = hold.fixed_by.map_or_else(String::new, |fix| format!("; candidates with {} pass", fix.short()));
        let (by, reason) = (one_line(hold.by.as_str(), 80), one_line(&hold.reason, 200));
        lines.push(format!("{what}{place} by `{by}`{fix}: {reason}"));
    }
    for order in ledger.standing.promotes.iter().filter(|order| now.wall < order.until) {
        lines.push(format!(
            "{} is ordered into `{}` by `{}` until {}",
            order.commit.short(),
            order.env,
            one_line(order.by.as_str(), 80),
            words.at(order.until)
        ));
    }
    lines
}

/// `explain FLOW ENV` as stored, or `explain SHA` afresh.
pub async fn explain(session: &Session, given: &[String], out: Out) -> Result<Exit, Failure> {
    let [flow, env] = given else {
        return explain_commit(session, given.first().map_or("", String::as_str), out).await;
    };
    let found = session.config.flow(flow)?;
    let env = &found.environment(env)?.name;
    if found.flow.edge(env).is_none() {
        return Err(plain(format!("`{env}` is the first environment: people push there, and nothing guards it")));
    }
    let now = session.world.now().await?;
    let ledger = session.world.load(&found.flow).await?;
    let Some(row) = ledger.decisions.get(env) else {
        return Err(plain(format!(
            "`{env}` of `{}` has not been decided on yet; `towpath run` does",
            found.flow.name
        )));
    };
    let words = words(&found.flow, &found.remote, now.wall);
    let explanation = words.explain(&row.decision);
    if out.json() {
        out.value(json!({ "flow": found.flow.name, "env": env, "since": row.since, "looked": ledger.looked,
            "decision": row.decision, "explanation": explanation }));
        return Ok(Exit::Done);
    }
    let looked = ledger.looked.map_or_else(String::new, |looked| format!(" (as of {})", words.at(looked.wall)));
    out.line(format!("{}{looked}", found.flow.name));
    print(&explanation, mark(&row.decision.verdict), out);
    Ok(Exit::Done)
}

fn print(explanation: &Explanation, sign: Mark, out: Out) {
    out.line(format!("  {} {}", out.sign(sign), explanation.headline));
    for line in &explanation.lines {
        out.line(format!("      {} {}", out.sign(line.mark), line.text));
    }
    for todo in &explanation.todo {
        out.line(format!("      > {}", todo.say));
        for command in &todo.commands {
            out.line(format!("          {command}"));
        }
    }
}

/// The flows that have the commit, with it.
async fn commits<'s>(session: &'s Session, word: &str) -> Result<(CommitId, Vec<&'s FlowConfig>), Failure> {
    let Some(prefix) = CommitWord::prefix(word) else {
        return Err(Failure::Plain(
            Exit::Usage,
            format!("`{}` is no commit; write at least 7 hexadecimal digits", one_line(word, 60)),
        ));
    };
    let mut ids = BTreeSet::new();
    let mut flows = Vec::new();
    for found in &session.config.flows {
        let here = session.world.commits(&found.flow, prefix.as_str()).await?;
        if !here.is_empty() {
            flows.push(found);
        }
        ids.extend(here);
    }
    let ids: Vec<CommitId> = ids.into_iter().collect();
    match ids[..] {
        [one] => Ok((one, flows)),
        [] => Err(plain(format!(
            "no commit that begins with `{prefix}` is known; it was looked for in the mirrors of {} flow(s) and in \
             the ledger. A commit that was just pushed is known after the next `towpath run` or `plan`",
            session.config.flows.len()
        ))),
        _ => {
            let list: Vec<String> = ids.iter().take(10).map(ToString::to_string).collect();
            Err(plain(format!("`{prefix}` could be any of {}; write more digits", list.join(", "))))
        }
    }
}

async fn explain_commit(session: &Session, word: &str, out: Out) -> Result<Exit, Failure> {
    let (commit, flows) = commits(session, word).await?;
    let mut shown = Vec::new();
    for found in flows {
        let mut planned = plan_flow(&session.world, &found.flow).await?;
        let dag = history_of(session, found, &planned.look, commit).await?;
        let words = words(&found.flow, &found.remote, planned.look.now.wall);
        if !out.json() {
            out.line(found.flow.name.as_str());
        }
        for edge in found.flow.edges() {
            let has = has(&planned.look, &dag, &edge.target.name, commit);
            let source_has = self::has(&planned.look, &dag, &edge.source.name, commit);
            let (sign, text) = if has {
                (Mark::Pass, format!("`{}` has {}", edge.target.name, commit.short()))
            } else if source_has {
                let judged =
                    observe::judge(&session.world, &found.flow, &planned.look, &mut planned.seen, &edge, commit)
                        .await;
                why(&planned.plan, &words, &edge, commit, judged)
            } else {
                let env = &edge.target.name;
                (Mark::Note, format!("`{env}`: {} is not on `{}` yet", commit.short(), edge.source.branch))
            };
            if out.json() {
                shown.push(json!({ "flow": found.flow.name, "env": edge.target.name, "has": has, "text": text }));
            } else {
                out.line(format!("  {} {text}", out.sign(sign)));
            }
        }
    }
    if out.json() {
        out.value(json!({ "commit": commit, "edges": shown }));
    }
    Ok(Exit::Done)
}

fn why(
    plan: &towpath_core::model::Plan,
    words: &Words<'_>,
    edge: &towpath_core::model::Edge<'_>,
    commit: CommitId,
    judged: Result<(), Verdict>,
) -> (Mark, String) {
    let env = &edge.target.name;
    match judged {
        Ok(()) => (Mark::Pass, format!("`{env}`: {} passes everything and may enter now", commit.short())),
        Err(verdict) if matches!(verdict.why(), towpath_core::model::Reason::BranchesMoved) => {
            let decision = plan.decisions.iter().find(|d| &d.env == env);
            let by = decision.map_or_else(String::new, |d| format!(" {}", words.headline(d)));
            (Mark::Note, format!("`{env}`: {} comes with a later commit.{by}", commit.short()))
        }
        Err(verdict) => (mark(&verdict), format!("`{env}`: {}: {}", commit.short(), words.verdict(&verdict))),
    }
}

/// A history in which the commit's place can be told.
async fn history_of(
    session: &Session,
    found: &FlowConfig,
    look: &observe::Look,
    commit: CommitId,
) -> Result<Dag, Failure> {
    let history = session.world.history(&found.flow, &look.tips, &[commit].into()).await;
    match history {
        Fact::Known(dag) => Ok(dag),
        Fact::Unknown(unknown) => {
            let words = words(&found.flow, &found.remote, look.now.wall);
            Err(Failure::Plain(Exit::CannotTell, words.unknown(&unknown)))
        }
    }
}

fn has(look: &observe::Look, dag: &Dag, env: &EnvName, commit: CommitId) -> bool {
    let Some(Tip::At(tip)) = look.tips.get(env) else { return false };
    // Below the loaded history: contained in every environment.
    dag.is_below(commit) || dag.contains(*tip, commit)
}

/// `where`: which environments have a commit, and since when.
pub async fn where_is(session: &Session, word: &str, out: Out) -> Result<Exit, Failure> {
    let (commit, flows) = commits(session, word).await?;
    let mut shown = Vec::new();
    for found in flows {
        let planned = plan_flow(&session.world, &found.flow).await?;
        let dag = history_of(session, found, &planned.look, commit).await?;
        let words = words(&found.flow, &found.remote, planned.look.now.wall);
        if !out.json() {
            out.line(found.flow.name.as_str());
        }
        for environment in &found.flow.environments {
            let here = has(&planned.look, &dag, &environment.name, commit);
            let since = since(&planned.ledger, environment, commit);
            if out.json() {
                shown
                    .push(json!({ "flow": found.flow.name, "env": environment.name, "has": here, "since": since }));
                continue;
            }
            let text = match (here, since) {
                (true, Some(at)) => format!("`{}` has it since {}", environment.name, words.at(at)),
                (true, None) => format!("`{}` has it", environment.name),
                (false, _) => format!("`{}` does not have it", environment.name),
            };
            out.line(format!("  {} {text}", out.sign(if here { Mark::Pass } else { Mark::Note })));
        }
    }
    if out.json() {
        out.value(json!({ "commit": commit, "environments": shown }));
    }
    Ok(Exit::Done)
}

fn since(
    ledger: &Ledger,
    environment: &towpath_core::model::Environment,
    commit: CommitId,
) -> Option<towpath_core::model::Instant> {
    let arrived = ledger.arrivals.get(&environment.name).and_then(|a| a.get(&commit)).map(|a| a.wall);
    let held = ledger.held.get(&environment.name).into_iter().flatten().find(|t| t.commit == commit);
    arrived.or(held.map(|tip| tip.from.wall))
}

/// `diff`: what an environment lacks of its source.
pub async fn diff(session: &Session, flow: &str, env: &str, out: Out) -> Result<Exit, Failure> {
    let found = session.config.flow(flow)?;
    let env = &found.environment(env)?.name;
    let Some(edge) = found.flow.edge(env) else {
        return Err(plain(format!("`{env}` is the first environment; it has no source to compare with")));
    };
    let planned = plan_flow(&session.world, &found.flow).await?;
    let tip = |env| planned.look.tips.get(env).and_then(Tip::commit);
    let (Some(from), Some(to)) = (tip(&edge.target.name), tip(&edge.source.name)) else {
        let decision = planned.plan.decisions.iter().find(|d| &d.env == env);
        let words = words(&found.flow, &found.remote, planned.look.now.wall);
        return Err(plain(decision.map_or_else(|| "a branch cannot be read".to_owned(), |d| words.headline(d))));
    };
    let mirror = session.world.mirror(&found.flow.name).map_err(|unknown| plain(format!("{:?}", unknown.why)))?;
    let between = tokio::task::spawn_blocking(move || diff::between(&mirror, from, to, 200, 500)).await;
    let between = match between {
        Ok(towpath_core::model::Fact::Known(between)) => between,
        Ok(towpath_core::model::Fact::Unknown(unknown)) => return Err(plain(format!("{:?}", unknown.why))),
        Err(_) => return Err(plain("reading the mirror failed unexpectedly")),
    };
    print_diff(&found.flow, &edge, &between, out);
    Ok(Exit::Done)
}

fn print_diff(flow: &Flow, edge: &towpath_core::model::Edge<'_>, between: &diff::Between, out: Out) {
    let (env, source) = (&edge.target.name, &edge.source.name);
    if out.json() {
        let files: Vec<Json> = between
            .files
            .iter()
            .map(|f| json!({ "path": f.path, "added": f.added, "removed": f.removed }))
            .collect();
        out.value(json!({ "flow": flow.name, "env": env, "commits": between.commits,
            "commits_total": between.commits_total, "files": files, "files_total": between.files_total }));
        return;
    }
    let head = format!(
        "{} commit(s) of {source} are not in {env} of {}: {} file(s), +{} -{}",
        between.commits_total, flow.name, between.files_total, between.added, between.removed
    );
    let md = out.format == Format::Markdown;
    out.line(if md { format!("**{}**\n", markdown(&head)) } else { head });
    for node in &between.commits {
        let (subject, author) = (one_line(&node.subject, 100), one_line(&node.author, 60));
        out.line(if md {
            format!("- `{}` {} ({})", node.id.short(), markdown(&subject), markdown(&author))
        } else {
            format!("  {} {subject} ({author})", node.id.short())
        });
    }
    for file in &between.files {
        let path = one_line(&file.path, 160);
        out.line(if md {
            format!("- {} +{} -{}", markdown(&path), file.added, file.removed)
        } else {
            format!("  {path} +{} -{}", file.added, file.removed)
        });
    }
}

/// The newest items that are told, so many of them. The event of a landing says what its effect
/// and its intent would say again.
async fn told(
    session: &Session,
    flow: Option<&towpath_core::model::FlowName>,
    limit: usize,
) -> Result<Vec<HistoryItem>, Failure> {
    let tells = |item: &HistoryItem| match &item.what {
        What::Effect(_) => false,
        What::Intent(row) => row.state != towpath_core::model::IntentState::Landed,
        What::Event(_) | What::Audit(_) => true,
    };
    let mut asked = limit;
    loop {
        let mut items = session.world.store().history(flow, asked).await?;
        let all = items.len() < asked;
        items.retain(tells);
        if all || items.len() >= limit {
            items.truncate(limit);
            return Ok(items);
        }
        asked = asked.saturating_mul(2).max(16);
    }
}

/// `history`.
pub async fn history(
    session: &Session,
    word: Option<&str>,
    limit: usize,
    export: bool,
    out: Out,
) -> Result<Exit, Failure> {
    if export {
        let mut bytes = Vec::new();
        session.world.store().export(&mut bytes).await?;
        out.line(String::from_utf8_lossy(&bytes).trim_end());
        return Ok(Exit::Done);
    }
    let name = match word {
        Some(word) => Some(&session.config.flow(word)?.flow.name),
        None => None,
    };
    if out.json() {
        out.value(json!({ "history": session.world.store().history(name, limit).await? }));
        return Ok(Exit::Done);
    }
    let items = told(session, name, limit).await?;
    let now = session.world.now().await?;
    for item in &items {
        let Some(flow) = item.flow.as_ref().and_then(|name| session.flow(name)).or(session
            .config
            .flows
            .first()
            .map(|f| &f.flow))
        else {
            continue;
        };
        let words = words(flow, "origin", now.wall);
        let text = match &item.what {
            What::Effect(_) => continue,
            What::Intent(row) => words.intent(row),
            What::Event(row) => words.event(&row.env, &row.event),
            What::Audit(row) => {
                let allowed = if row.allowed { "" } else { " (refused)" };
                format!("{}: {}{allowed}", one_line(row.by.as_str(), 80), one_line(&row.command, 300))
            }
        };
        let flow = item.flow.as_ref().map_or("all flows", |name| name.as_str());
        let mut lines = text.lines();
        out.line(format!("{}  {flow}  {}", words.at(item.at), lines.next().unwrap_or_default()));
        for more in lines {
            out.line(format!("    {more}"));
        }
    }
    if items.is_empty() {
        out.line("Nothing has happened yet.");
    }
    Ok(Exit::Done)
}
