//! The command line: parses words, calls the engine, prints. No policy.
//!
//! Every command that steers becomes a `towpath_core::command::Command` and goes through
//! `engine::command::carry_out`.

mod args;
mod check_migrations;
mod demo;
mod doctor;
mod exit;
mod init;
mod log;
mod man;
mod out;

mod outbox;
mod probe;
mod remote;
mod serve;
mod session;
mod show;
mod source;
mod steer;
mod token;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Args, ChatPlatform, ChatVerb, ConfigVerb, TokenVerb, Verb};
use exit::Exit;
use out::{Format, Out, complain};
use source::{Source, here_alone};

use crate::config::{self, Problems, WordFault};
use crate::engine::Fault;
use crate::setup::SetupError;
use crate::store::StoreError;
use crate::views::Problem;

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The config is wrong or not there.
    Config(Problems),
    /// The same, for what could be asked of a running service instead.
    ConfigHere(Problems),
    /// Anything else that a person can do something about.
    Plain(Exit, String),
    /// What the views and commands say, with its code.
    Problem(Problem),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<WordFault> for Failure {
    fn from(fault: WordFault) -> Self {
        Self::Problem(fault.into())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Problem(fault.into())
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
    let out = Out::new(args.output);
    if let Err(failure) = logging(&args.verb) {
        return report(failure, out);
    }
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

/// Commands log what went wrong; the service what happens.
fn logging(verb: &Verb) -> Result<(), Failure> {
    let terminal = std::io::stderr().is_terminal();
    let (level, json) = match verb {
        Verb::Serve { log, .. } => ("info", log.map_or(!terminal, |form| form == args::LogForm::Json)),
        _ => ("warn", false),
    };
    let filter = match std::env::var_os(log::VARIABLE) {
        Some(text) if !text.is_empty() => log::filter(&text.to_string_lossy())?,
        _ => tracing_subscriber::EnvFilter::new(format!("{level},tokio_cron_scheduler=warn")),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ =
        if json { builder.json().flatten_event(true).try_init() } else { builder.with_ansi(terminal).try_init() };
    Ok(())
}

/// Whoever has to stop things must not have to mend a config first.
const AT_A_SERVER: &str = "A service that is running goes on under its last good config, and takes this command without \
    one: add `--server http://127.0.0.1:8080`, or where it listens; what changes something needs a token, in \
    `TOWPATH_TOKEN` or `--token-file`";

/// Says what is wrong with the config, and what works without it.
fn refused(problems: &Problems, way: Option<&str>, out: Out) {
    if out.json() {
        let mut value = config::to_json(problems);
        if let Some(map) = value.as_object_mut() {
            // Every value that is printed gets one.
            map.remove("schema_version");
            map.extend(way.map(|way| ("hint".to_owned(), way.into())));
        }
        out.value(value);
    } else {
        let style = if std::io::stderr().is_terminal() { config::Style::Styled } else { config::Style::Plain };
        complain(config::to_text(problems, style).trim_end());
        if let Some(way) = way {
            complain(format!("\n{way}."));
        }
    }
}

fn report(failure: Failure, out: Out) -> Exit {
    match failure {
        Failure::Config(problems) => {
            refused(&problems, None, out);
            Exit::Error
        }
        Failure::ConfigHere(problems) => {
            refused(&problems, Some(AT_A_SERVER), out);
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
        Failure::Problem(problem) => {
            let exit = problem.exit();
            if out.json() {
                let mut told = serde_json::json!({ "message": problem.message, "hint": problem.hint,
                    "code": problem.code, "exit": exit });
                if let (Some(audit), Some(told)) = (problem.audit, told.as_object_mut()) {
                    told.insert("audit".to_owned(), audit.into());
                }
                out.value(told);
            } else {
                complain(format!("towpath: {}", problem.message));
                let recorded = problem.recorded();
                for line in problem.hint.into_iter().chain(recorded) {
                    complain(format!("  {line}"));
                }
            }
            exit
        }
    }
}

/// Refuses a format that the command does not have.
fn takes(format: Format, verb: &Verb) -> Result<(), Failure> {
    let only = match (format, verb) {
        (Format::Markdown, Verb::Diff { .. })
        | (Format::Sarif | Format::Gitlab | Format::Github, Verb::CheckMigrations(_))
        | (Format::Text | Format::Json, _) => return Ok(()),
        (Format::Markdown, _) => "`-o markdown` is for `diff` only",
        _ => "`-o sarif`, `-o gitlab` and `-o github` are for `check-migrations` only",
    };
    Err(Failure::Plain(Exit::Usage, only.to_owned()))
}

async fn run(args: Args, out: Out) -> Result<Exit, Failure> {
    let path = args.config.as_deref();
    takes(out.format, &args.verb)?;
    // The variable may stand in a shell's profile; only who writes the flag means it here.
    let here = |what: &str| if args.server.is_some() { here_alone(what) } else { Ok(()) };
    match &args.verb {
        Verb::Demo(demo) => {
            here("`demo`")?;
            return demo::run(demo, out).await;
        }
        Verb::Serve { listen, .. } => {
            here("`serve`")?;
            return serve::run(path, *listen).await;
        }
        Verb::Man { folder } => {
            here("`man`")?;
            return man::run(folder, out);
        }
        Verb::Probe { address, ready } => {
            here("`probe`")?;
            return probe::run(path, *address, *ready, out).await;
        }
        Verb::Init(init) => {
            here("`init`")?;
            return init::run(init, path, out).await;
        }
        Verb::Config { verb } => {
            here("`config`")?;
            return config_verb(verb, path, out).await;
        }
        Verb::CheckMigrations(asked) => {
            here("`check-migrations`")?;
            return check_migrations::run(asked, out);
        }
        Verb::Doctor { flow } => {
            here("`doctor`")?;
            return doctor::run(path, flow.as_deref(), out).await;
        }
        Verb::Chat { verb: ChatVerb::Manifest { platform, url } } => {
            here("`chat`")?;
            return manifest(*platform, url.as_deref(), out);
        }
        Verb::Completions { shell } => {
            here("`completions`")?;
            // Into memory first: a writer that fails makes it panic.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "towpath", &mut script);
            out.raw(&script);
            return Ok(Exit::Done);
        }
        Verb::Plan { flow, env, from: Some(file), detailed_exitcode, .. } => {
            here("`plan --from`")?;
            return show::replay(file, (flow.as_deref(), env.as_deref()), out)
                .map(|exit| coarse(exit, *detailed_exitcode));
        }
        _ => {}
    }
    let source = Source::new(path, args.server.as_deref(), args.token_file.as_deref())?;
    // What a server is never asked for is not helped by one.
    let here_only = matches!(
        &args.verb,
        Verb::History { export: true, .. }
            | Verb::Plan { save: Some(_), .. }
            | Verb::Token { verb: TokenVerb::Create(_) | TokenVerb::Revoke { .. } }
    );
    anywhere(&source, args.verb, out).await.map_err(|failure| match failure {
        Failure::Config(problems) if !here_only => Failure::ConfigHere(problems),
        other => other,
    })
}

/// What works here and at a server alike.
async fn anywhere(source: &Source, verb: Verb, out: Out) -> Result<Exit, Failure> {
    match verb {
        Verb::Run { flow, detailed_exitcode } => {
            show::run(source, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Plan { flow, env, save, detailed_exitcode, .. } => {
            let exit = show::plan(source, (flow.as_deref(), env.as_deref()), save.as_deref(), out).await?;
            Ok(coarse(exit, detailed_exitcode))
        }
        Verb::Status { flow, detailed_exitcode } => {
            show::status(source, flow.as_deref(), out).await.map(|exit| coarse(exit, detailed_exitcode))
        }
        Verb::Explain { words } => show::explain(source, &words, out).await,
        Verb::Where { commit } => show::where_is(source, &commit, out).await,
        Verb::Compare { flow, since, within } => show::compare(source, &flow, since, within, out).await,
        Verb::Diff { flow, env } => show::diff(source, &flow, &env, out).await,
        Verb::History { export: true, .. } => show::export(source, out).await,
        Verb::History { flow, limit, after, export: false } => {
            show::history(source, flow.as_deref(), after.as_deref(), limit, out).await
        }
        Verb::Whoami => show::whoami(source, out).await,
        Verb::Outbox { all, verb } => outbox::run(source, all, verb.as_ref(), out).await,
        Verb::Token { verb } => token::run(source, &verb, out).await,
        Verb::Steer(steer) => steer::run(source, &steer, out).await,
        // Done before: these know this machine alone.
        Verb::Demo(_)
        | Verb::Serve { .. }
        | Verb::Man { .. }
        | Verb::Probe { .. }
        | Verb::Init(_)
        | Verb::Config { .. }
        | Verb::CheckMigrations(_)
        | Verb::Doctor { .. }
        | Verb::Chat { .. }
        | Verb::Completions { .. } => Ok(Exit::Done),
    }
}

const fn coarse(exit: Exit, detailed: bool) -> Exit {
    if detailed { exit } else { exit.coarse() }
}

/// `chat manifest`.
fn manifest(platform: ChatPlatform, url: Option<&str>, out: Out) -> Result<Exit, Failure> {
    if let Some(url) = url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        let shown = towpath_core::text::one_line(url, 100);
        let what = format!("`{shown}` is no address; write it as `--url https://towpath.example.com/chat/NAME`");
        return Err(Failure::Plain(Exit::Usage, what));
    }
    let text = match (platform, url) {
        (ChatPlatform::Slack, url) => crate::chat::slack::manifest(url),
        (ChatPlatform::Mattermost, Some(url)) => crate::chat::mattermost::manifest(url),
        (ChatPlatform::Mattermost, None) => {
            let what = "Mattermost calls this service, so it has to be told where: add `--url \
                        https://towpath.example.com/chat/NAME`";
            return Err(Failure::Plain(Exit::Usage, what.to_owned()));
        }
    };
    if out.json() {
        out.value(serde_json::json!({ "manifest": text }));
    } else {
        out.line(text.trim_end());
    }
    Ok(Exit::Done)
}

async fn config_verb(verb: &ConfigVerb, path: Option<&std::path::Path>, out: Out) -> Result<Exit, Failure> {
    match verb {
        ConfigVerb::Schema => out.line(serde_json::to_string_pretty(&config::schema()).unwrap_or_default()),
        ConfigVerb::Validate => {
            let config = session::config_as_known(path).await?;
            if out.json() {
                out.value(serde_json::json!({ "valid": true, "flows": config.flows.len(),
                    "discovered": config.discovered(), "warnings": config::to_json(&config.warnings) }));
            } else {
                if !config.warnings.is_empty() {
                    complain(config::to_text(&config.warnings, config::Style::Plain).trim_end());
                }
                let s = if config.flows.len() == 1 { "" } else { "s" };
                let file = towpath_core::text::one_line(&config.path.to_string_lossy(), 200);
                let found = match (config.discovers(), config.discovered()) {
                    (false, _) => String::new(),
                    (true, found) => format!(", of which {found} were discovered"),
                };
                out.line(format!("`{file}` is valid: {} flow{s}{found}", config.flows.len()));
            }
        }
        ConfigVerb::Show { flow } => {
            let config = session::config_as_known(path).await?;
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
