//! Commands that steer: words become a `Command`, and `carry_out` does the rest.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use towpath_core::command::Command;

use super::Failure;
use super::args::{How, Steer, Stop};
use super::exit::Exit;
use super::out::Out;
use super::session::{self, Need};
use super::source::Source;
use crate::engine::command::Dry;
use crate::views::{self, Code, Problem};

/// Carries out one.
pub async fn run(source: &Source, steer: &Steer, out: Out) -> Result<Exit, Failure> {
    let (text, how) = text(steer);
    let command = Command::parse(&text).map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))?;
    let dry = if how.dry_run { Dry::Run } else { Dry::Real };
    let view = match source {
        Source::There(server) => {
            let give = |yes| server.order(&command, how.dry_run, yes);
            match give(how.yes).await {
                Err(problem) if agreed(&problem)? => give(true).await?,
                answer => answer?,
            }
        }
        Source::Here(path) => {
            let need = if how.dry_run { Need::View } else { Need::Order };
            let setup = session::open(path.as_deref(), need).await?;
            let who = session::person();
            let give = |yes| views::order(&setup, &setup.config, &command, &who, (dry, yes));
            match give(how.yes).await {
                Err(problem) if agreed(&problem)? => give(true).await?,
                answer => answer?,
            }
        }
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// Whether somebody at the terminal wants a command that reaches many flows.
fn agreed(problem: &Problem) -> Result<bool, Failure> {
    if problem.code != Code::NeedsYes || !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let what = problem.message.split(';').next().unwrap_or_default();
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{what}. Go on? [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(true);
    }
    Err(Failure::Plain(Exit::Error, "nothing was done".to_owned()))
}

/// The command's text in the one grammar, each word quoted.
fn text(steer: &Steer) -> (String, How) {
    let mut line = Line::default();
    let how = match steer {
        Steer::Pause(stop) => line.stop("pause", stop),
        Steer::Freeze(stop) => line.stop("freeze", stop),
        Steer::Resume { target, how } => line.verb("resume").words(target).done(*how),
        Steer::Hold { words, reason, how } => {
            line.verb("hold").words(words).flag("reason", Some(reason)).done(*how)
        }
        Steer::Unhold { words, fixed_by, how } => {
            line.verb("unhold").words(words).flag("fixed-by", fixed_by.as_ref()).done(*how)
        }
        Steer::Approve { flow, env, commit, how } => line.verb("approve").words([flow, env, commit]).done(*how),
        Steer::Promote(order) => {
            line.verb("promote").words(&order.words).flag("reason", Some(&order.reason)).done(order.how)
        }
        Steer::Rollback(order) => {
            line.verb("rollback").words(&order.words).flag("reason", Some(&order.reason)).done(order.how)
        }
        Steer::Override { gate, flow, env, commit, reason, how } => {
            line.verb("override").words([gate, flow, env, commit]).flag("reason", Some(reason)).done(*how)
        }
        Steer::Retry { flow, env, how } => line.verb("retry").words([flow, env]).done(*how),
        Steer::Report { flow, commit, name, state, on, url, how } => line
            .verb("report")
            .words([flow, commit, name, state])
            .flag("ref", on.as_ref())
            .flag("url", url.as_ref())
            .done(*how),
    };
    (line.0, how)
}

#[derive(Default)]
struct Line(String);

impl Line {
    fn verb(&mut self, verb: &str) -> &mut Self {
        self.0.push_str(verb);
        self
    }

    fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a String>) -> &mut Self {
        for word in words {
            self.0.push(' ');
            self.0.push_str(&quoted(word));
        }
        self
    }

    fn flag(&mut self, name: &str, value: Option<&String>) -> &mut Self {
        if let Some(value) = value {
            self.0.push_str(&format!(" --{name} {}", quoted(value)));
        }
        self
    }

    fn stop(&mut self, verb: &str, stop: &Stop) -> How {
        self.verb(verb)
            .words(&stop.target)
            .flag("for", stop.span.as_ref())
            .flag("until", stop.until.as_ref())
            .flag("reason", Some(&stop.reason))
            .done(stop.how)
    }

    fn done(&mut self, how: How) -> How {
        how
    }
}

/// A word as the grammar reads it back; plain words stay as they are.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/:@+-".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
