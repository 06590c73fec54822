//! By what races are counted: the order, the move, where it was, who died, and how it ended.

use std::collections::BTreeMap;

use towpath_core::model::{CommitId, EnvName, FlowName, IntentId, IntentRow, IntentState, PauseKind};

use super::races_check::{Reach, Said, is_automatic};
use super::universe::Universe;

/// One race.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Race {
    pub order: &'static str,
    /// How the commit was to enter.
    pub how: &'static str,
    /// Where it was on its way when the order was written, or when whoever gave it died.
    pub place: &'static str,
    pub crash: &'static str,
    pub end: &'static str,
}

/// How many there were of each.
pub type Races = BTreeMap<Race, u64>;

/// One part of a race.
type Part = fn(&Race) -> &'static str;

/// The parts of a race in their order.
pub const PARTS: [(&str, Part); 5] = [
    ("order", |race| race.order),
    ("move", |race| race.how),
    ("where the move was", |race| race.place),
    ("who died", |race| race.crash),
    ("how it ended", |race| race.end),
];

pub const NO_CRASH: &str = "nobody";

pub const ORDERS: [&str; 13] = [
    "pause all",
    "pause FLOW",
    "pause ENV",
    "pause FLOW ENV",
    "freeze all",
    "freeze FLOW",
    "freeze ENV",
    "freeze FLOW ENV",
    "hold the commit that moves",
    "hold another that comes with it",
    "hold one that does not come",
    "resume",
    "unhold",
];

/// What a move was at, when an order raced with it.
#[derive(Debug, Clone)]
pub struct Found {
    pub order: &'static str,
    pub how: &'static str,
    pub place: &'static str,
    pub what: What,
    /// Whether the order is against it.
    pub covered: bool,
    /// Whether it was on the branch already.
    pub landed: bool,
}

/// What raced.
#[derive(Debug, Clone)]
pub enum What {
    Move(IntentId),
    /// Something that is to be put into a request; how much had begun to be by then.
    Request(FlowName, EnvName, usize),
    /// Nothing did: that is no race.
    Nothing,
}

/// What came of an order.
#[derive(Debug, Clone)]
pub enum Came {
    /// It was answered; with the intents that the answer names.
    Answered(Vec<IntentId>),
    Refused,
    /// The store failed, and whether it was written they were not told.
    Failed,
    Killed,
}

/// An order of which is not yet known how its race ended.
#[derive(Debug, Clone)]
pub struct Raced {
    pub found: Found,
    pub came: Came,
    pub written: bool,
    pub stops: bool,
    pub crash: &'static str,
}

/// Where the moves are that an order races with, as it is written.
pub fn snapshot(it: &Universe, said: &Said) -> Found {
    let log = it.races.as_ref().expect("races are played");
    let automatic = log.open.values().filter(|row| is_automatic(row));
    let covered =
        |row: &IntentRow| said.covers((&row.flow, &row.env), (Some(row.old), row.new), &it.dag(&row.flow));
    // The newest of those that the order is against, else the newest of all.
    let row = automatic.max_by_key(|row| (covered(row), row.saved.trusted, row.attempt));
    if let Some(row) = row {
        let how = if row.merge.is_some() { "merge" } else { "fast-forward" };
        return Found {
            order: order(said, Some((it, row))),
            how,
            place: place(it, row),
            what: What::Move(row.id.clone()),
            covered: covered(row),
            landed: log.landed.contains_key(&row.id),
        };
    }
    let found = Found {
        order: order(said, None),
        how: "request",
        place: "",
        what: What::Nothing,
        covered: false,
        landed: false,
    };
    proposal(it, said, found)
}

/// The same where something is only being put into a request.
fn proposal(it: &Universe, said: &Said, found: Found) -> Found {
    let log = it.races.as_ref().expect("races are played");
    for (flow, lease) in it.book.leases.iter().filter(|(_, lease)| it.lives[lease.replica] == lease.life) {
        let place = match log.at.get(&lease.replica) {
            Some(("SaveProposal", _)) => "a request, to be saved",
            Some(("Propose", _)) => "a request, being opened",
            _ => continue,
        };
        let newest = it.book.ledgers[flow].proposed.iter().max_by_key(|(_, row)| row.at.trusted);
        let Some((env, row)) = newest else { continue };
        let old = it.repositories[flow].branches.get(&env.as_str().into()).copied();
        let begun = log.proposals.get(&(flow.clone(), env.clone())).copied().unwrap_or(0);
        let covered = said.covers((flow, env), (old, row.head), &it.dag(flow));
        return Found { place, what: What::Request(flow.clone(), env.clone(), begun), covered, ..found };
    }
    found
}

fn order(said: &Said, raced: Option<(&Universe, &IntentRow)>) -> &'static str {
    match said {
        Said::Pause { kind, reach, .. } => {
            let at = match reach {
                Reach::All => 0,
                Reach::Flow(_) => 1,
                Reach::Env(_) => 2,
                Reach::Edge(..) => 3,
            };
            ORDERS[at + if *kind == PauseKind::Freeze { 4 } else { 0 }]
        }
        Said::Hold { commit, .. } => held(*commit, raced),
        Said::Resume { .. } => "resume",
        Said::Unhold { .. } => "unhold",
    }
}

fn held(commit: CommitId, raced: Option<(&Universe, &IntentRow)>) -> &'static str {
    match raced {
        Some((_, row)) if row.new == commit => ORDERS[8],
        Some((it, row))
            if it.dag(&row.flow).contains(row.new, commit) && !it.dag(&row.flow).contains(row.old, commit) =>
        {
            ORDERS[9]
        }
        _ => ORDERS[10],
    }
}

/// Where a move is on its way: what is stored of it, and what its process is at.
pub fn place(it: &Universe, row: &IntentRow) -> &'static str {
    let log = it.races.as_ref().expect("races are played");
    let lease = it.book.leases.get(&row.flow).filter(|lease| it.lives[lease.replica] == lease.life);
    let at = lease.and_then(|lease| log.at.get(&lease.replica));
    let effect = at.filter(|(_, on)| on.as_ref() == Some(&row.id)).map(|(effect, _)| *effect);
    let landed = log.landed.contains_key(&row.id);
    let on_the_wire = it.wire.iter().any(|push| push.row.id == row.id);
    match (row.state, effect) {
        (IntentState::Saved, Some("SaveIntent")) => "saved, which is not answered",
        (IntentState::Saved, Some("Reread")) => "saved, being judged again",
        (IntentState::Saved, Some("MarkPushing")) => "saved, to be marked",
        (IntentState::Saved, _) => "saved, left to the next pass",
        (_, Some("Push")) if landed => "landed, which is not answered",
        (_, Some("Push")) => "marked, to be pushed",
        (_, Some("ReadRef")) => "pushed, the branch to be read",
        (_, Some("Record")) => "pushed, to be recorded",
        _ if on_the_wire => "on the wire, left to the next pass",
        _ if landed => "landed, left to the next pass",
        _ => "marked, left to the next pass",
    }
}

/// How a race ended, once everything has.
pub fn count(it: &mut Universe, raced: &Raced) {
    let Found { order, how, place, what, covered, landed: before } = &raced.found;
    let Some(log) = &mut it.races else { return };
    let (landed, named) = match what {
        What::Nothing => return,
        What::Move(id) => {
            let named = match &raced.came {
                Came::Answered(named) => named.contains(id),
                Came::Refused | Came::Failed | Came::Killed => false,
            };
            (log.landed.contains_key(id), named)
        }
        What::Request(flow, env, begun) => {
            let now = log.proposals.get(&(flow.clone(), env.clone())).copied().unwrap_or(0);
            (now > *begun, *place != "a request, to be saved")
        }
    };
    let end = match (&raced.came, raced.written) {
        (Came::Refused, _) => "refused: nothing to lift there",
        (Came::Killed, false) => "never answered, not written",
        (Came::Killed, true) => "never answered, and stands",
        (Came::Failed, false) => "the store failed, not written",
        (Came::Failed, true) => "the store failed, and it stands",
        (Came::Answered(_), _) if !raced.stops => "lifted",
        (Came::Answered(_), _) if !covered && landed => "not meant, and it landed",
        (Came::Answered(_), _) if !covered => "not meant, and it did not land",
        (Came::Answered(_), _) if named && *before => "named, had landed and was not recorded",
        (Came::Answered(_), _) if named && matches!(what, What::Request(..)) => "a request, which had begun before",
        (Came::Answered(_), _) if named && landed => "named, and landed later",
        (Came::Answered(_), _) if named => "named, and did not land",
        (Came::Answered(_), _) if landed => "stopped, and went on once it was lifted",
        (Came::Answered(_), _) => "stopped before the push",
    };
    let race = Race { order, how, place, crash: raced.crash, end };
    *log.races.entry(race).or_default() += 1;
}

/// A table of races by two of their parts.
pub fn table(races: &Races, (down, across): (usize, usize)) -> String {
    let mut cells: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut columns: Vec<&str> = Vec::new();
    for (race, count) in races {
        let (row, column) = ((PARTS[down].1)(race), (PARTS[across].1)(race));
        *cells.entry((row, column)).or_default() += count;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.sort_unstable();
    let mut text = format!("| {} \\ {} | {} | all |\n", PARTS[down].0, PARTS[across].0, columns.join(" | "));
    text.push_str(&format!("|---|{}--:|\n", "--:|".repeat(columns.len())));
    let rows: std::collections::BTreeSet<&str> = cells.keys().map(|(row, _)| *row).collect();
    for row in rows {
        let counts: Vec<u64> =
            columns.iter().map(|column| cells.get(&(row, column)).copied().unwrap_or(0)).collect();
        let shown: Vec<String> = counts.iter().map(u64::to_string).collect();
        text.push_str(&format!("| {row} | {} | {} |\n", shown.join(" | "), counts.iter().sum::<u64>()));
    }
    text
}
