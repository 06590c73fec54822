//! Whether something that was said a while ago is still to be carried out, and what is answered where it was already.
//!
//! Not here: when its turn comes (`lanes`).

use towpath_core::command::{Command, CommitWord, Said};
use towpath_core::model::{AuditRow, Span};
use towpath_core::text::one_line;

use super::talk::only_stops;
use crate::config::Config;
use crate::engine::command::within;
use crate::setup::Setup;
use crate::store::{AskedRow, StoreError, UNSURE};
use crate::views::Line;

/// After that long nothing is set going any more: whoever said it has given up, or done something else.
pub(super) const STALE: Span = Span::from_mins(10);

/// How often something is begun that the process did not outlive.
const TURNS_MAX: i64 = 3;

/// The same of what only stops things, and of questions.
const STOPS_MAX: i64 = 10;

const NOT_AGAIN: &str = "Towpath stopped while it was at this, and does not begin it again: `history` says whether it was \
                         carried out. If it was not, say it once more.";

/// How many later orders are looked at.
const LATER_MAX: usize = 200;

/// Why an order is not carried out now, if it is not.
///
/// # Errors
/// Those of any read of the store.
pub(super) async fn not_now(
    setup: &Setup,
    config: &Config,
    said: &Said,
    row: &AskedRow,
) -> Result<Option<String>, StoreError> {
    let Said::Steer(command) = said else { return Ok(None) };
    if let Some(later) = overtaken(setup, config, command, row).await? {
        return Ok(Some(format!(
            "This was said before `{}` by {}, which was carried out: say it again if it still holds.",
            one_line(&later.command, 200),
            one_line(later.by.as_str(), 80)
        )));
    }
    if only_stops(said) {
        return Ok((row.turn % UNSURE > STOPS_MAX).then(|| NOT_AGAIN.to_owned()));
    }
    if row.turn > TURNS_MAX {
        return Ok(Some(NOT_AGAIN.to_owned()));
    }
    let late = setup.world.clock().reading().wall.since(row.at);
    Ok((late.ms() > STALE.ms()).then(|| {
        format!(
            "This was said {late} ago, before Towpath could do it, and is not done any more: say it again if it still holds."
        )
    }))
}

/// Why a question is not looked into again, if it is not.
pub(super) fn too_often(row: &AskedRow) -> Option<String> {
    (row.turn % UNSURE > STOPS_MAX)
        .then(|| "Towpath stopped each time it looked into this: ask for less.".to_owned())
}

/// What was said after it, was carried out before it, and is against it.
async fn overtaken(
    setup: &Setup,
    config: &Config,
    command: &Command,
    row: &AskedRow,
) -> Result<Option<AuditRow>, StoreError> {
    let against = match command {
        Command::Pause { .. } => ["resume"; 3],
        // A rollback pauses, and holds what it took back.
        Command::Resume { .. } => ["pause", "freeze", "rollback"],
        Command::Hold { .. } => ["unhold"; 3],
        Command::Unhold { .. } => ["hold", "hold", "rollback"],
        _ => return Ok(None),
    };
    let later = setup.world.store().done_since(row, against, LATER_MAX).await?;
    Ok(later
        .into_iter()
        .find(|later| Command::parse(&later.command).is_ok_and(|later| undoes(config, command, &later))))
}

/// Whether one of the two lifts what the other one stops.
fn undoes(config: &Config, one: &Command, other: &Command) -> bool {
    let (stop, lift) = match (one, other) {
        (Command::Pause { .. } | Command::Hold { .. } | Command::Rollback { .. }, _) => (one, other),
        _ => (other, one),
    };
    let same = match (stop, lift) {
        (Command::Pause { .. }, Command::Resume { .. }) => true,
        (Command::Rollback { .. }, Command::Resume { .. } | Command::Unhold { .. }) => true,
        (Command::Hold { commit, .. }, Command::Unhold { commit: lifted, .. }) => may_be_one(commit, lifted),
        _ => false,
    };
    let scope = |command: &Command| {
        let words: Vec<&str> = command.place().into_iter().chain(command.env()).collect();
        config.target(&words).ok()
    };
    same && match (scope(stop), scope(lift)) {
        (Some(stopped), Some(lifted)) => within(&stopped, &lifted),
        // What named something then may name nothing now; then the words have to be the same.
        _ => stop.place() == lift.place() && stop.env() == lift.env(),
    }
}

fn may_be_one(one: &CommitWord, other: &CommitWord) -> bool {
    one.as_str().starts_with(other.as_str()) || other.as_str().starts_with(one.as_str())
}

/// What is answered where it was done before and the answer was lost, and whether any of it was carried out.
pub(super) async fn done(setup: &Setup, row: &AskedRow) -> (bool, Vec<Line>) {
    let rows = setup.world.store().done_for(row).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what came of something that was said cannot be read");
        Vec::new()
    });
    let lines = rows.iter().flat_map(|row| {
        let recorded = row.allowed.then(|| Line::plain(0, format!("Recorded as {}", row.id)));
        [Line::plain(0, row.effect.clone())].into_iter().chain(recorded)
    });
    let mut lines: Vec<Line> = lines.collect();
    let stops = |row: &AuditRow| {
        row.allowed && matches!(Command::parse(&row.command), Ok(Command::Pause { .. } | Command::Hold { .. }))
    };
    if rows.iter().any(stops) {
        lines.push(Line::plain(
            0,
            "What had begun before it may have landed since, and what somebody promoted passes a pause: look at `status`.",
        ));
    }
    lines.push(Line::plain(0, "Towpath was stopped before it could answer; `history` has what came of it since."));
    (rows.iter().any(|row| row.allowed), lines)
}
