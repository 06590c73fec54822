//! The words of the command line. What they mean is elsewhere.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use towpath_core::model::Span;

use super::check_migrations::CheckMigrations;
use super::out::Format;
use crate::store::TokenScope;
use crate::views::compare;

/// Moves commits along a repository's environment branches, one careful step at a time.
#[derive(Debug, Parser)]
#[command(name = "towpath", version, propagate_version = true, arg_required_else_help = true)]
pub struct Args {
    /// The config [default: $TOWPATH_CONFIG, else ./towpath.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A running service to ask instead of the store here [default: $TOWPATH_SERVER]
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// The file that holds the token for it [default: the token is $TOWPATH_TOKEN]
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How to print
    #[arg(short, long, global = true, value_enum, default_value = "text")]
    pub output: Format,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Shows the main job on a made-up repository, in about a minute; needs git and nothing else
    Demo(Demo),
    /// Writes a config for the repository you stand in, and its store
    Init(Init),
    /// Checks, shows or describes the config
    Config {
        /// Which.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Looks for what would keep Towpath from working, and says how to mend it
    Doctor {
        /// Only this flow
        flow: Option<String>,
    },
    /// Decides afresh and shows it; stores and moves nothing
    Plan {
        /// Only this flow
        flow: Option<String>,
        /// Only this environment
        env: Option<String>,
        /// Writes what was observed to a file, for a bug report
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// Decides on a saved observation instead of a fresh one
        #[arg(long, value_name = "FILE", conflicts_with = "save")]
        from: Option<PathBuf>,
        /// 10 ready, 11 blocked, 12 waits for a person, 13 waits for time, 14 cannot tell
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Keeps every flow moving until it is stopped, and answers hooks, probes and metrics
    Serve {
        /// Listens here instead of where the config says; port 0 takes any that is free
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<std::net::SocketAddr>,
        /// How to write the log: `text` or `json` [default: text on a terminal, else json]
        #[arg(long, value_enum, value_name = "FORM")]
        log: Option<LogForm>,
    },
    /// One pass: looks, decides, moves, records
    Run {
        /// Only this flow
        flow: Option<String>,
        /// 10 ready, 11 blocked, 12 waits for a person, 13 waits for time, 14 cannot tell
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Where everything is, as of the last pass
    Status {
        /// Only this flow
        flow: Option<String>,
        /// 10 ready, 11 blocked, 12 waits for a person, 13 waits for time, 14 cannot tell
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Why something has not moved: FLOW ENV as of the last pass, or a commit, looked at afresh
    Explain {
        /// FLOW ENV, or a commit
        #[arg(num_args = 1..=2, required = true, value_names = ["FLOW", "ENV"])]
        words: Vec<String>,
    },
    /// Which environments have a commit, and since when
    Where {
        /// A commit, at least 7 digits
        commit: String,
    },
    /// Where people moved a branch earlier than Towpath would have, later, or against it
    Compare {
        /// The flow
        flow: String,
        /// How far back to look, such as 12h
        #[arg(long, value_name = "7d", default_value = compare::SINCE, value_parser = Span::parse)]
        since: Span,
        /// How far apart two moves may be and still agree
        #[arg(long, value_name = "10m", default_value = compare::WITHIN, value_parser = Span::parse)]
        within: Span,
    },
    /// Whether a range of commits would break the code that runs now; needs no config and no service
    CheckMigrations(CheckMigrations),
    /// What an environment lacks of its source
    Diff {
        /// The flow
        flow: String,
        /// The environment
        env: String,
    },
    /// What happened, newest first
    History {
        /// Only this flow
        flow: Option<String>,
        /// How many entries
        #[arg(short = 'n', long, default_value_t = 30)]
        limit: usize,
        /// Goes on where an earlier answer said `next`
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
        /// Prints intents, effects and events oldest first as JSON lines, for an auditor
        #[arg(long, conflicts_with_all = ["flow", "limit", "after"])]
        export: bool,
    },
    /// Who you are here, and what you may do where
    Whoami,
    /// What a chat system needs, so that people can talk to Towpath there
    Chat {
        /// What to do.
        #[command(subcommand)]
        verb: ChatVerb,
    },
    /// What sinks were not told yet, and what was given up
    #[command(args_conflicts_with_subcommands = true)]
    Outbox {
        /// Everything, instead of the newest hundred that wait and the newest hundred that were given up
        #[arg(long)]
        all: bool,
        /// What to do.
        #[command(subcommand)]
        verb: Option<OutboxVerb>,
    },
    /// Tokens with which others use the API of `serve`
    Token {
        /// What to do.
        #[command(subcommand)]
        verb: TokenVerb,
    },
    /// Prints completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual: `towpath.1`, and a page for each command
    #[command(hide = true)]
    Man {
        /// Where to
        folder: PathBuf,
    },
    /// Asks the service on this machine whether it is alive; for health checks
    #[command(hide = true)]
    Probe {
        /// Where it listens [default: what the config says]
        #[arg(long, value_name = "ADDRESS:PORT")]
        address: Option<std::net::SocketAddr>,
        /// Whether it is ready, instead
        #[arg(long)]
        ready: bool,
    },
    /// Commands that steer.
    #[command(flatten)]
    Steer(Steer),
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `demo`.
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// Leaves the sandbox, in DIR or among the temporary files, to go on with real commands
    #[arg(long, value_name = "DIR")]
    #[expect(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
    pub keep: Option<Option<PathBuf>>,
    /// Waits for nothing: the same story in a few seconds, as lines
    #[arg(long)]
    pub fast: bool,
    /// How many times as fast as it would really go: at 60 a minute takes a second
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=600), conflicts_with = "fast")]
    pub speed: u32,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Says whether the config is valid: every fault at once, with its line
    Validate,
    /// Prints the config as it is in effect, each value with where it came from
    Show {
        /// Only this flow
        flow: Option<String>,
    },
    /// Prints the JSON Schema of the config
    Schema,
}

/// `chat`.
#[derive(Debug, Subcommand)]
pub enum ChatVerb {
    /// Prints the app to create in Slack, or the steps to take in Mattermost
    Manifest {
        /// Which
        platform: ChatPlatform,
        /// Where the chat system reaches this service, such as `https://towpath.example.com/chat/work`; without it an app of
        /// Slack uses Socket Mode
        #[arg(long)]
        url: Option<String>,
    },
}

/// A chat system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ChatPlatform {
    /// Slack.
    Slack,
    /// Mattermost.
    Mattermost,
}

/// `outbox`.
#[derive(Debug, Subcommand)]
pub enum OutboxVerb {
    /// Has what was given up sent again
    Again {
        /// Its id, as `outbox` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Everything that was given up
        #[arg(long)]
        all: bool,
    },
}

/// `token`.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Makes a token and prints it, this once
    Create(NewToken),
    /// Shows which tokens there are, and never the tokens themselves
    List,
    /// Ends a token at once and for good
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
    },
}

/// `token create`.
#[derive(Debug, ClapArgs)]
pub struct NewToken {
    /// What its commands are recorded as: `token:NAME`
    pub name: String,
    /// read: look | report: results of checks alone | steer: look, report, command | admin: all
    #[arg(long, value_enum)]
    pub scope: TokenScope,
    /// Only for this flow; may be given several times
    #[arg(long, value_name = "FLOW")]
    pub flow: Vec<String>,
    /// For how long it can be used, such as 90d, or `never`
    #[arg(long, value_name = "90d", default_value = "90d")]
    pub expires: String,
    /// The e-mail by which git knows whoever holds it, so that what they approve can be told from an author's
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
}

/// `init`.
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Writes without asking
    #[arg(short, long)]
    pub yes: bool,
    /// The repository [default: the remote `origin` of the clone you stand in]
    #[arg(long, value_name = "URL")]
    pub repository: Option<String>,
    /// The branches in the order in which commits move, separated by commas
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub branches: Vec<String>,
}

/// What every command that steers takes.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct How {
    /// Checks everything and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Does not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Commands that steer: each becomes the text of one grammar.
#[derive(Debug, Subcommand)]
pub enum Steer {
    /// Stops automation; people may still `promote`
    Pause(Stop),
    /// Stops everything, people's `promote` and `override` too
    Freeze(Stop),
    /// Lifts pauses and freezes
    Resume {
        /// all | FLOW | FLOW ENV | ENV
        #[arg(num_args = 1..=2, required = true, value_name = "TARGET")]
        target: Vec<String>,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Holds back a commit and everything that contains it
    Hold {
        /// The commit, and the flow and environment if not everywhere
        #[arg(num_args = 1..=3, required = true, value_names = ["SHA", "FLOW", "ENV"])]
        words: Vec<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Lifts a hold, or says which commit mends what was held
    Unhold {
        /// The commit, and the flow and environment if not everywhere
        #[arg(num_args = 1..=3, required = true, value_names = ["SHA", "FLOW", "ENV"])]
        words: Vec<String>,
        /// Only candidates that contain this commit pass
        #[arg(long, value_name = "FIX")]
        fixed_by: Option<String>,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Approves exactly one commit for one environment
    Approve {
        /// The flow
        flow: String,
        /// The environment it may enter
        env: String,
        /// The commit
        commit: String,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Lets one candidate pass lag, quiet, window, schedule and pause
    Promote(Order),
    /// Puts an environment back to a commit that it held before
    Rollback(Order),
    /// Lets one candidate pass one gate
    Override {
        /// ci | lag | quiet | window | schedule | approvals
        gate: String,
        /// The flow
        flow: String,
        /// The environment
        env: String,
        /// The candidate
        commit: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Tries a refused push again at the next look
    Retry {
        /// The flow
        flow: String,
        /// The environment
        env: String,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Reports a CI result, where no forge has it
    Report {
        /// The flow
        flow: String,
        /// The commit that was checked
        commit: String,
        /// The check
        name: String,
        /// success | failure | pending
        state: String,
        /// The branch it ran on
        #[arg(long = "ref", value_name = "BRANCH")]
        on: Option<String>,
        /// Where to read more
        #[arg(long)]
        url: Option<String>,
        /// How.
        #[command(flatten)]
        how: How,
    },
}

/// `pause` and `freeze`.
#[derive(Debug, ClapArgs)]
pub struct Stop {
    /// all | FLOW | FLOW ENV | ENV
    #[arg(num_args = 1..=2, required = true, value_name = "TARGET")]
    pub target: Vec<String>,
    /// For how long, such as 2h [default: 24h]
    #[arg(long = "for", value_name = "2h", conflicts_with = "until")]
    pub span: Option<String>,
    /// Until when: 18:00, `mon 09:00`, 2026-12-24, or `resumed`
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `promote` and `rollback`.
#[derive(Debug, ClapArgs)]
pub struct Order {
    /// FLOW ENV [to SHA]
    #[arg(num_args = 2..=4, required = true, value_names = ["FLOW", "ENV", "to", "SHA"])]
    pub words: Vec<String>,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}
