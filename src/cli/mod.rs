//! The command line: parses words, calls the engine, prints. No policy.
//!
//! Every command that steers becomes a `towpath_core::command::Command` and goes through
//! `engine::command::carry_out`.

mod args;
mod doctor;
mod exit;
mod init;
mod out;
mod pass;
mod session;
mod steer;
mod view;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Args, ConfigVerb, Verb};
use exit::Exit;
use out::{Format, Out, complain};
use session::{Need, Session};

use crate::config::{self, Problems, WordFault};
use crate::engine::Fault;
use crate::engine::command::Refusal;
use crate::store::StoreError;

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The config is wrong or not there.
    Config(Problems),
    /// Anything else that a person can do something about.
    Plain(Exit, String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = if matches!(error, StoreError::Busy { .. }) { Exit::Unreachable } else { Exit::Error };
        Self::Plain(exit, error.to_string())
    }
}

impl From<WordFault> for Failure {
    fn from(fault: WordFault) -> Self {
        Self::Plain(Exit::Error, fault.to_string())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let exit = if matches!(fault, Fault::Store { retry: true, .. }) { Exit::Unreachable } else { Exit::Error };
        Self::Plain(exit, fault.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fault(fault) => fault.into(),
            Refusal::NotPermitted { why } => Self::Plain(Exit::NotPermitted, why),
            Refusal::Command(problem) => Self::Plain(Exit::Usage, problem.to_string()),
            other => Self::Plain(Exit::Error, other.to_string()),
        }
    }
}

/// The program.
pub fn main() -> ExitCode {
    let exit = parsed();
    match out::lost() {
        Some(why) => {
            complain(format!("towpath: not everything could be printed: {why}"));
            // What was wrong before says more than that it could not be printed.
            if exit.coarse() == Exit::Done { Exit::Error.into() } else { exit.into() }
        }
        None => exit.into(),
    }
}

fn parsed() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() && json_wanted(std::env::args_os().skip(1)) => {
            let said = error.render().to_string();
            let what = said.trim_start_matches("error: ").trim_end().to_owned();
            return report(Failure::Plain(Exit::Usage, what), Out::new(Format::Json));
        }
        Err(error) => {
            out::note(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    logging();
    let out = Out::new(args.output);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("towpath: the runtime cannot start: {error}"));
            return Exit::Error;
        }
    };
    match runtime.block_on(run(args, out)) {
        Ok(exit) => exit,
        Err(failure) => report(failure, out),
    }
}

/// Whether these words ask for JSON, although they were not understood.
fn json_wanted(words: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let pair = |pair: &[String]| matches!(&pair[0][..], "-o" | "--output") && pair[1] == "json";
    let one = |word: &String| matches!(&word[..], "-ojson" | "-o=json" | "--output=json");
    words.windows(2).any(pair) || words.iter().any(one)
}

fn logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TOWPATH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

fn report(failure: Failure, out: Out) -> Exit {
    match failure {
        Failure::Config(problems) => {
            if out.json() {
                out.value(config::to_json(&problems));
            } else {
                let style =
                    if std::io::stderr().is_terminal() { config::Style::Styled } else { config::Style::Plain };
                complain(config::to_text(&problems, style).trim_end());
            }
            Exit::Error
        }
        Failure::Plain(exit, what) => {
            if out.json() {
                out.value(serde_json::json!({ "code": exit.code(), "message": what, "exit": exit as u8 }));
            } else {
                complain(format!("towpath: {what}"));
            }
            exit
        }
    }
}

async fn run(args: Args, out: Out) -> Result<Exit, Failure> {
    let path = args.config.as_deref();
    if out.format == Format::Markdown && !matches!(args.verb, Verb::Diff { .. }) {
        return Err(Failure::Plain(Exit::Usage, "`-o markdown` is for `diff` only".to_owned()));
    }
    match args.verb {
        Verb::Init(init) => init::run(&init, path, out).await,
        Verb::Config { verb } => config_verb(&verb, path, out),
        Verb::Doctor { flow } => doctor::run(path, flow.as_deref(), out).await,
        Verb::Completions { shell } => {
            // Into memory first: a writer that fails makes it panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "towpath", &mut script);
            out.raw(&script);
            Ok(Exit::Done)
        }
        Verb::Run { flow, detailed_exitcode } => {
            let session = Session::open(path, Need::Create).await?;
            pass::run(session, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Plan { flow, env, save, from, detailed_exitcode } => {
            let exit = match from {
                Some(file) => pass::replay(&file, flow.as_deref(), env.as_deref(), out)?,
                None => {
                    let session = Session::open(path, Need::View).await?;
                    pass::plan(&session, flow.as_deref(), env.as_deref(), save.as_deref(), out).await?
                }
            };
            Ok(coarse(exit, detailed_exitcode))
        }
        Verb::Status { flow, detailed_exitcode } => {
            let session = Session::open(path, Need::View).await?;
            view::status(&session, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Explain { words } => view::explain(&Session::open(path, Need::View).await?, &words, out).await,
        Verb::Where { commit } => view::where_is(&Session::open(path, Need::View).await?, &commit, out).await,
        Verb::Diff { flow, env } => view::diff(&Session::open(path, Need::View).await?, &flow, &env, out).await,
        Verb::History { flow, limit, export } => {
            view::history(&Session::open(path, Need::View).await?, flow.as_deref(), limit, export, out).await
        }
        Verb::Steer(steer) => steer::run(path, &steer, out).await,
    }
}

const fn coarse(exit: Exit, detailed: bool) -> Exit {
    if detailed { exit } else { exit.coarse() }
}

fn config_verb(verb: &ConfigVerb, path: Option<&std::path::Path>, out: Out) -> Result<Exit, Failure> {
    match verb {
        ConfigVerb::Schema => out.line(serde_json::to_string_pretty(&config::schema()).unwrap_or_default()),
        ConfigVerb::Validate => {
            let config = session::config(path)?;
            if out.json() {
                out.value(serde_json::json!({ "valid": true, "flows": config.flows.len(),
                    "warnings": config::to_json(&config.warnings) }));
            } else {
                if !config.warnings.is_empty() {
                    complain(config::to_text(&config.warnings, config::Style::Plain).trim_end());
                }
                let s = if config.flows.len() == 1 { "" } else { "s" };
                let file = towpath_core::text::one_line(&config.path.to_string_lossy(), 200);
                out.line(format!("`{file}` is valid: {} flow{s}", config.flows.len()));
            }
        }
        ConfigVerb::Show { flow } => {
            let config = session::config(path)?;
            let only = match flow {
                Some(word) => Some(config.flow(word)?),
                None => None,
            };
            if out.json() {
                out.value(serde_json::json!({ "config": config.show_json(only) }));
            } else {
                out.line(config.show_toml(only).trim_end());
            }
        }
    }
    Ok(Exit::Done)
}
