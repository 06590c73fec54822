//! The command line: parses words, calls the engine, prints. No policy.
//!
//! Every command that steers becomes a `towpath_core::command::Command` and goes through
//! `engine::command::carry_out`.

mod args;
mod doctor;
mod exit;
mod init;
mod man;
mod out;
mod pass;
mod probe;
mod serve;
mod session;
mod steer;
mod view;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Args, ConfigVerb, Verb};
use exit::Exit;
use out::{Format, Out, complain};
use session::Need;

use crate::config::{self, Problems, WordFault};
use crate::engine::Fault;
use crate::engine::command::Refusal;
use crate::setup::SetupError;
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

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Store(error) => error.into(),
            SetupError::Git(error) => Self::Plain(Exit::Error, error.to_string()),
        }
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
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    logging(&args.verb);
    let out = Out::new(args.output);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("towpath: the runtime cannot start: {error}"));
            return Exit::Error.into();
        }
    };
    match runtime.block_on(run(args, out)) {
        Ok(exit) => exit.into(),
        Err(failure) => report(failure, out).into(),
    }
}

/// Commands log what went wrong; the service what happens.
fn logging(verb: &Verb) {
    let terminal = std::io::stderr().is_terminal();
    let (level, json) = match verb {
        Verb::Serve { log, .. } => ("info", log.map_or(!terminal, |form| form == args::LogForm::Json)),
        _ => ("warn", false),
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("TOWPATH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("{level},tokio_cron_scheduler=warn")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ =
        if json { builder.json().flatten_event(true).try_init() } else { builder.with_ansi(terminal).try_init() };
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
                out.value(serde_json::json!({ "error": what, "exit": exit as u8 }));
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
            clap_complete::generate(shell, &mut Args::command(), "towpath", &mut std::io::stdout());
            Ok(Exit::Done)
        }
        Verb::Man { folder } => man::run(&folder, out),
        Verb::Probe { address, ready } => probe::run(path, address, ready, out).await,
        Verb::Serve { listen, .. } => serve::run(path, listen).await,
        Verb::Run { flow, detailed_exitcode } => {
            let session = session::open(path, Need::Create).await?;
            pass::run(session, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Plan { flow, env, save, from, detailed_exitcode } => {
            let exit = match from {
                Some(file) => pass::replay(&file, out)?,
                None => {
                    let session = session::open(path, Need::View).await?;
                    pass::plan(&session, flow.as_deref(), env.as_deref(), save.as_deref(), out).await?
                }
            };
            Ok(coarse(exit, detailed_exitcode))
        }
        Verb::Status { flow, detailed_exitcode } => {
            let session = session::open(path, Need::View).await?;
            view::status(&session, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Explain { words } => view::explain(&session::open(path, Need::View).await?, &words, out).await,
        Verb::Where { commit } => view::where_is(&session::open(path, Need::View).await?, &commit, out).await,
        Verb::Diff { flow, env } => view::diff(&session::open(path, Need::View).await?, &flow, &env, out).await,
        Verb::History { flow, limit, export } => {
            view::history(&session::open(path, Need::View).await?, flow.as_deref(), limit, export, out).await
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
