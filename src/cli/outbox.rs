//! `outbox`: what sinks are told, what they did not take, and having it sent again.
//!
//! Not here: sending (`crate::tell::post`).

use std::collections::BTreeMap;

use serde_json::json;
use towpath_core::explain::shell_word;
use towpath_core::model::{Change, Instant};
use towpath_core::text::one_line;

use super::Failure;
use super::args::OutboxVerb;
use super::exit::Exit;
use super::out::Out;
use super::session::{self, Need};
use super::source::{Source, here_alone};
use crate::engine::World as _;
use crate::store::{NoticeRow, NoticeState};
use crate::tell::notice::too_late_from;

/// How many are shown.
const SHOWN: usize = 100;

/// Does one of them.
pub async fn run(source: &Source, all: bool, verb: Option<&OutboxVerb>, out: Out) -> Result<Exit, Failure> {
    let Source::Here(path) = source else { return here_alone("`outbox`") };
    match verb {
        None => {
            let setup = session::open(path.as_deref(), Need::View).await?;
            let wall = setup.world.now().await?.wall;
            let store = setup.world.store();
            let most = if all { usize::MAX } else { SHOWN };
            let (mut rows, mut more) = (Vec::new(), Vec::new());
            for state in [NoticeState::Dead, NoticeState::Waiting] {
                let shown = store.notices(Some(state), most).await?;
                let count = store.count_notices(state).await?;
                more.push((state, count.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX))));
                rows.extend(shown);
            }
            show(&rows, &more, wall, out);
            Ok(Exit::Done)
        }
        Some(OutboxVerb::Again { id, all }) => {
            let setup = session::open(path.as_deref(), Need::Order).await?;
            let now = setup.world.now().await?;
            let id = if *all { None } else { id.as_deref() };
            let what = id.map_or_else(|| "--all".to_owned(), |id| shell_word(&one_line(id, 200)));
            let store = setup.world.store();
            let dead = store.notices(Some(NoticeState::Dead), usize::MAX).await?.into_iter();
            let (late, again): (Vec<_>, Vec<_>) =
                dead.filter(|row| id.is_none_or(|id| row.id == id)).partition(|row| is_too_late(row, now.wall));
            let again: Vec<String> = again.into_iter().map(|row| row.id).collect();
            let count = store.revive_notices(&again, now.wall).await?;
            let (late, left) = (late.len(), left_alone(&late));
            if count == 0 {
                let what = left
                    .unwrap_or_else(|| "nothing of that was given up; `towpath outbox` lists what was".to_owned());
                return Err(Failure::Plain(Exit::Error, what));
            }
            let effect = format!("{count} sent again.");
            let row = session::audit(now, format!("outbox again {what}"), effect);
            setup.world.commit(None, None, &[Change::Audit(row)]).await?;
            if out.json() {
                out.value(json!({ "again": count, "too_late": late }));
            } else {
                let them = if count == 1 { "1 notice".to_owned() } else { format!("{count} notices") };
                out.line(format!(
                    "{them} will be sent again: by a running service at once, else by the next `towpath run`."
                ));
                left.into_iter().for_each(|left| out.line(left));
            }
            Ok(Exit::Done)
        }
    }
}

/// Whether it announces what was to come by now.
fn is_too_late(row: &NoticeRow, wall: Instant) -> bool {
    too_late_from(&row.notice).is_some_and(|late| late <= wall)
}

/// What is said of what is not sent again.
fn left_alone(late: &[NoticeRow]) -> Option<String> {
    match late {
        [] => None,
        [row] => {
            let at = too_late_from(&row.notice).map(|at| format!(" at {at}")).unwrap_or_default();
            Some(format!(
                "1 notice stays given up: what it announces was to come{at}, so it is too late to send it."
            ))
        }
        late => Some(format!(
            "{} notices stay given up: what they announce was to come by now, so it is too late to send them.",
            late.len()
        )),
    }
}

fn show(rows: &[NoticeRow], more: &[(NoticeState, u64)], wall: Instant, out: Out) {
    if out.json() {
        let list: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({ "id": row.id, "sink": row.sink, "flow": row.flow, "environment": row.env, "at": row.at,
                    "state": row.state.word(), "attempts": row.attempts, "next": row.next, "words": row.words })
            })
            .collect();
        let more: BTreeMap<&str, u64> = more.iter().map(|(state, count)| (state.word(), *count)).collect();
        out.value(json!({ "notices": list, "more": more }));
        return;
    }
    if rows.is_empty() {
        out.line("Every sink took what it was told.");
    }
    for row in rows {
        let tries = if row.attempts == 1 { "1 try".to_owned() } else { format!("{} tries", row.attempts) };
        let words = row.words.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
        let (flow, env, sink) = (row.flow.as_str(), row.env.as_str(), one_line(&row.sink, 60));
        let how = match row.state {
            NoticeState::Dead => format!("given up at {} after {tries}{words}", row.next),
            NoticeState::Waiting if row.attempts == 0 => "not tried yet".to_owned(),
            NoticeState::Waiting if row.next <= wall => format!("{tries}{words}; it is tried again now"),
            NoticeState::Waiting => format!("{tries}{words}; tried again at {}", row.next),
            NoticeState::Sent => "taken".to_owned(),
        };
        out.line(format!("{sink}: `{flow}` `{env}` of {}: {how}", row.at));
        if row.state == NoticeState::Dead && !is_too_late(row, wall) {
            out.line(format!("    towpath outbox again {}", shell_word(&row.id)));
        }
    }
    for (state, count) in more.iter().filter(|(_, count)| *count > 0) {
        let what = match state {
            NoticeState::Dead => "that were given up are",
            NoticeState::Waiting | NoticeState::Sent => "that wait are",
        };
        out.line(format!("{count} more {what} not listed: `towpath outbox --all`"));
    }
}
