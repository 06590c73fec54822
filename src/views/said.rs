//! What somebody said in a chat or in a comment, answered: the same views and the same words as on the command line.
//!
//! Not here: who said it and where (`chat`, `server`), and how the answer looks there.

use towpath_core::command::{Command, Query, Said, Target, VERBS, Verb};
use towpath_core::explain::refused;
use towpath_core::model::{OrderId, Scope};
use towpath_core::people::{Asked, Permit};

use super::page::Line;
use super::problem::{Code, Problem};
use crate::config::Config;
use crate::engine::command::{DRY_RUN, Dry, Exact, Person};
use crate::setup::Setup;

/// How many entries `history` shows where a whole page is too much.
const HISTORY: usize = 15;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub lines: Vec<Line>,
    /// Where they are those of a command that was tried and not carried out, for it has to be confirmed: exactly what was
    /// shown.
    pub confirm: Option<Exact>,
    /// The row of the audit, where something was carried out.
    pub audit: Option<OrderId>,
}

impl Spoken {
    fn words(lines: Vec<Line>) -> Self {
        Self { lines, confirm: None, audit: None }
    }
}

/// Whether a command is carried out as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// What is hard to take back, or reaches far, is shown first.
    Ask,
    /// It was confirmed.
    Yes,
}

/// Answers what was said: a question from what is stored, a command by carrying it out.
///
/// # Errors
/// The refusal; then nothing was changed but the audit.
pub async fn say(setup: &Setup, config: &Config, said: &Said, who: &Person, sure: Sure) -> Result<Spoken, Problem> {
    match said {
        Said::Ask(query) => {
            may_ask(config, query, who)?;
            Ok(Spoken::words(answer(setup, config, query, who).await?))
        }
        Said::Steer(command) => {
            let ask = sure == Sure::Ask && is_weighty(config, command);
            let dry = if ask { Dry::Run } else { Dry::Real };
            let mut answer = super::order(setup, config, command, who, (dry, true)).await?;
            let exact = answer.exact.take().unwrap_or_else(|| Exact { command: command.clone(), tip: None });
            let confirm = ask.then_some(exact);
            if ask {
                // Whoever has to confirm it is told so, and until when.
                answer.lines.retain(|line| line != DRY_RUN);
            }
            let audit = (!ask).then(|| answer.audit.clone());
            Ok(Spoken { lines: answer.lines(), confirm, audit })
        }
    }
}

/// Whether it is shown before it is done: what moves a branch, passes a gate, or sets more than one flow going. What
/// stops things is done at once.
fn is_weighty(config: &Config, command: &Command) -> bool {
    match command.verb() {
        Verb::Promote | Verb::Rollback | Verb::Override => true,
        Verb::Resume | Verb::Unhold => {
            config.target(&command.place()).is_ok_and(|scope| config.reach(&scope).len() > 1)
        }
        _ => false,
    }
}

fn may_ask(config: &Config, query: &Query, who: &Person) -> Result<(), Problem> {
    let law = config.laws.law();
    let asked = Asked { verb: query.verb(), reach: &[], surface: who.surface };
    match law.may(law.asker(&who.identity), &asked) {
        Permit::Allowed { .. } => Ok(()),
        Permit::Denied { why, who_may } => Err(Problem::new(Code::NotPermitted, refused(&why, &who_may))),
    }
}

async fn answer(setup: &Setup, config: &Config, query: &Query, who: &Person) -> Result<Vec<Line>, Problem> {
    Ok(match query {
        Query::Status { target: None | Some(Target::All) } => {
            super::status(setup, &config.flows.iter().collect::<Vec<_>>()).await?.lines()
        }
        Query::Status { target: Some(Target::Edge(flow, env)) } => super::edge(setup, flow, env).await?.lines(),
        Query::Status { target: Some(Target::One(word)) } => match config.target(&[word])? {
            Scope::Environment(env) => {
                let flows = config.reach(&Scope::Environment(env.clone()));
                super::status(setup, &flows).await?.only(&env).lines()
            }
            scope => super::status(setup, &config.reach(&scope)).await?.lines(),
        },
        Query::Explain { flow, env } => super::edge(setup, flow, env).await?.lines(),
        Query::ExplainCommit { commit } => super::commit(setup, &commit.to_string()).await?.lines(),
        Query::Where { commit } => super::where_is(setup, &commit.to_string()).await?.lines(),
        Query::Diff { flow, env } => super::diff(setup, flow, env).await?.lines(),
        Query::History { flow } => {
            let flows = match flow {
                Some(word) => vec![config.flow(word)?.flow.name.clone()],
                None => Vec::new(),
            };
            super::history(setup, &flows, None, HISTORY).await?.lines()
        }
        Query::Whoami => super::who(config, who).lines(),
        Query::Help { about } => help(*about),
    })
}

/// What can be said.
fn help(about: Option<Verb>) -> Vec<Line> {
    let Some(verb) = about else {
        return VERBS.iter().map(|row| Line::plain(0, format!("{} - {}", row.usage, row.help))).collect();
    };
    let row = verb.row();
    vec![
        Line::plain(0, row.help),
        Line::plain(2, row.usage),
        Line::plain(2, format!("for example: {}", row.example)),
    ]
}
