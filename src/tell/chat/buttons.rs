//! What can be pressed below a message.
//!
//! A button says what a person could say, in the words of the grammar, and is there only where they are sound: names
//! come from the config, commits are whole ids. Nothing that stands in a repository becomes part of one.
//!
//! Not here: who may press it (whoever may say it), and what a platform makes of it.

use towpath_core::command::{Command, CommitWord, Query, Said, Target};
use towpath_core::model::{CommitId, Scope};
use towpath_core::text::one_line;

use super::kept::{Saying, State};
use super::told::Told;
use crate::chat::message::{Button, ButtonStyle, Press};
use crate::tell::events::Severity;

/// The reason under which a promotion by a button is recorded.
pub const REASON: &str = "pressed Promote now in a chat";

/// The longest name in a question, in characters.
const NAME_MAX: usize = 120;

/// Those of a message about one thing.
pub fn buttons(saying: &Saying, newest: &Told) -> Vec<Button> {
    let open = saying.state == State::Open;
    let found = match newest.notice.event.as_str() {
        "heads-up" if open => vec![hold_mine(newest), promote_now(newest), why(newest)],
        "pause-ends" => vec![resume_now(newest)],
        // It is over, and told anew if it comes after all; what stopped it can be looked at, and a push tried again.
        "taken-back" => vec![why(newest), retry(newest)],
        // The first environment has no edge to explain.
        "withdrawn" => Vec::new(),
        "rolled-back" => vec![why(newest)],
        _ if open && newest.notice.severity == Severity::Problem => vec![why(newest), retry(newest)],
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// Below a summary.
pub fn status() -> Vec<Button> {
    let said = say(&Said::Ask(Query::Status { target: None }));
    said.map(|press| plain("Status", press)).into_iter().collect()
}

fn hold_mine(told: &Told) -> Option<Button> {
    let press = Press::HoldMine {
        flow: told.notice.flow.clone(),
        env: told.notice.environment.clone(),
        newest: newest(told)?,
    };
    // It names the edge by itself, and is as sound as what names the edge in words.
    why(told)?;
    let confirm = format!(
        "Holds the oldest commit that you wrote among those that are to enter {}, and everything after it, until \
         somebody lifts that with `unhold`.",
        place(told)
    );
    Some(Button { confirm: Some(confirm), ..plain("Hold mine", press) })
}

fn promote_now(told: &Told) -> Option<Button> {
    let (flow, env) = edge(told);
    let commit = newest(told)?;
    let to = Some(CommitWord::prefix(&commit.to_string())?);
    let press = say(&Said::Steer(Command::Promote { flow, env, to, reason: REASON.to_owned() }))?;
    let confirm = format!(
        "Moves {} into {} now. Lag, quiet time, window, schedule and pauses do not stop it; CI, approvals, migrations, \
         freezes and holds do.",
        commit.short(),
        place(told)
    );
    Some(Button { label: "Promote now".to_owned(), press, style: ButtonStyle::Primary, confirm: Some(confirm) })
}

fn why(told: &Told) -> Option<Button> {
    let (flow, env) = edge(told);
    say(&Said::Ask(Query::Explain { flow, env })).map(|press| plain("Why?", press))
}

fn retry(told: &Told) -> Option<Button> {
    let (flow, env) = edge(told);
    let press = told.retry.then(|| say(&Said::Steer(Command::Retry { flow, env })))??;
    let confirm = format!("Tries the push to {} again now.", place(told));
    Some(Button { confirm: Some(confirm), ..plain("Retry", press) })
}

fn resume_now(told: &Told) -> Option<Button> {
    let lower = |name: &str| name.to_lowercase();
    let (target, place) = match told.resume.as_ref()? {
        Scope::All => (Target::All, "every flow".to_owned()),
        Scope::Flow(flow) => (Target::One(lower(flow.as_str())), shown(flow.as_str())),
        Scope::Environment(env) => {
            (Target::One(lower(env.as_str())), format!("{} of every flow", shown(env.as_str())))
        }
        Scope::Edge(flow, env) => {
            let place = format!("{} of {}", shown(env.as_str()), shown(flow.as_str()));
            (Target::Edge(lower(flow.as_str()), lower(env.as_str())), place)
        }
    };
    let press = say(&Said::Steer(Command::Resume { target }))?;
    let confirm = format!("Lifts every pause and freeze of {place} now.");
    Some(Button { confirm: Some(confirm), ..plain("Resume now", press) })
}

/// What is said by pressing, if its words are sound and mean what they are to.
fn say(said: &Said) -> Option<Press> {
    let text = said.to_string();
    (said.check().is_ok() && Said::parse(&text).as_ref() == Ok(said)).then_some(Press::Say(text))
}

/// Where it is to move to.
fn newest(told: &Told) -> Option<CommitId> {
    told.announced.as_ref().map(|range| range.newest).or(told.notice.new)
}

/// Flow and environment as the words of a command, which are in lower case.
fn edge(told: &Told) -> (String, String) {
    (told.notice.flow.as_str().to_lowercase(), told.notice.environment.as_str().to_lowercase())
}

fn place(told: &Told) -> String {
    format!("{} of {}", shown(told.notice.environment.as_str()), shown(told.notice.flow.as_str()))
}

fn shown(name: &str) -> String {
    one_line(name, NAME_MAX)
}

fn plain(label: &str, press: Press) -> Button {
    Button { label: label.to_owned(), press, style: ButtonStyle::Plain, confirm: None }
}
