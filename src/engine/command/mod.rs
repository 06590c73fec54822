//! The only place that carries out what people order: it authorises, audits and changes standing
//! orders. Every surface builds a [`Command`] and shows the [`Reply`].
//!
//! Not here: the grammar (`towpath_core::command`), prompts and exit codes (`cli`).

mod approve;
mod commits;
mod giving;
mod holds;
mod migrations;
mod moves;
mod orders;
mod promote;
mod stops;

use sha2::{Digest as _, Sha256};
use towpath_core::command::{Command, Problem, Said};
use towpath_core::model::{
    Actor, AuditRow, Change, CommitId, Concerns, IntentRow, Now, OrderId, Promote, Underway,
};
use towpath_core::people::{Identity, Surface};
use towpath_core::text::hex;

pub use giving::may_give;
pub use stops::within;

use giving::Giving;

use super::world::{Fault, World};
use crate::config::{Config, WordFault};

/// Who gives a command, and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What they are known by, for who they are and what they may. What they do is recorded under the name of the
    /// person whose identity it is, else under its text: `os:user@host` for a local command.
    pub identity: Identity,
    /// The e-mail that git knows them by, for telling authors from approvers; beside those of their person.
    pub email: Option<String>,
    /// From where they speak.
    pub surface: Surface,
    /// The channel or the comment in which they do.
    pub place: Option<String>,
    /// What they wrote, where that is kept.
    pub said: Option<String>,
    /// A commit that is known to be of their own making: that they may always hold.
    pub wrote: Option<CommitId>,
    /// Where the branch was when they were shown what they confirm now: a rollback from anywhere else is not what they
    /// saw.
    pub shown: Option<CommitId>,
    /// What they said, where it waits in the store to be done once.
    pub request: Option<Request>,
}

/// Something said in a chat or in a comment, which is done with the command: in its transaction, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub seq: i64,
    /// The how manieth time it was begun.
    pub turn: i64,
}

impl Request {
    /// What stands before all that is done for it.
    const fn begins(self) -> Change {
        Change::Asked { request: self.seq, turn: self.turn }
    }
}

impl Person {
    /// Somebody who gives a command by no text of their own, or by one that is its canonical form.
    pub const fn new(identity: Identity, surface: Surface) -> Self {
        Self { identity, email: None, surface, place: None, said: None, wrote: None, shown: None, request: None }
    }
}

/// Whether a command is carried out or only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dry {
    /// Carried out.
    Real,
    /// Everything is checked, nothing is stored or moved.
    Run,
}

/// The last line of what was only tried out.
pub const DRY_RUN: &str = "This was a dry run: nothing was changed.";

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The id of its audit row.
    pub id: OrderId,
    /// The command as it was understood.
    pub command: String,
    /// What happened and what happens next, a sentence each.
    pub lines: Vec<String>,
    /// Moves in the command's scope that had begun before it and may still land.
    pub pushing: Vec<IntentRow>,
    /// The `promote` orders that stand in the scope of a pause, which they pass, or of a freeze, which stops them.
    pub promotes: Vec<Promote>,
    /// Requests in its scope that were being opened before it, or whose head was being moved, and may still come.
    pub proposing: Vec<Underway>,
    /// The rollback, as far as it came.
    pub moved: Option<IntentRow>,
    /// Whether nothing was done.
    pub dry: bool,
    /// The same command with every choice made that was left to us, for whoever confirms what they were shown.
    pub exact: Option<Exact>,
}

/// A command that leaves no choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    /// The command.
    pub command: Command,
    /// Where the branch was, if it is to be moved from there and from nowhere else.
    pub tip: Option<CommitId>,
}

/// Why a command was not carried out. A refusal is an answer: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A word names no flow or environment.
    #[error("{0}")]
    Word(#[from] WordFault),
    /// The command itself is not sound.
    #[error("{0}")]
    Command(#[from] Problem),
    /// A word names no commit, or several.
    #[error("{}", commits::sentence(word, found, place))]
    Commit {
        /// What was given.
        word: String,
        /// What it could be; empty if nothing.
        found: Vec<CommitId>,
        /// Where it was looked for.
        place: String,
    },
    /// The command makes no sense as things are.
    #[error("{why}")]
    Pointless {
        /// Why, and what to do instead.
        why: String,
    },
    /// What it depends on cannot be read now.
    #[error("{why}")]
    Unread {
        /// What, and why not.
        why: String,
    },
    /// This person may not.
    #[error("{why}")]
    NotPermitted {
        /// Why, and who may.
        why: String,
    },
    /// The store or the remote failed.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// A refusal, and where it is on record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Why it was not carried out.
    pub why: Refusal,
    /// The id of its audit row; none of what is not even a command, of what was only tried out, and where the store failed.
    pub audit: Option<OrderId>,
}

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(why: R) -> Self {
        Self { why: why.into(), audit: None }
    }
}

/// Carries out a command, or says why not.
///
/// It is durable before the reply, and the reply says what may still land. A refused command is
/// audited too.
///
/// # Errors
/// The refusal; then nothing was changed but the audit.
pub async fn carry_out<W: World>(
    world: &W,
    config: &Config,
    command: &Command,
    who: &Person,
    dry: Dry,
) -> Result<Reply, Refused> {
    command.check()?;
    let now = world.now().await?;
    let giving = Giving::new(world, config, command, (who, dry, now));
    let reply = match giving.allowed() {
        // What somebody held as the author of it they may let go again.
        Err(refusal) if giving.lacks_the_role() => holds::unhold_own(&giving, refusal).await,
        Err(refusal) => Err(refusal),
        Ok(()) => given(&giving).await,
    };
    // What is said in a chat or a comment wakes its flows, and is answered without waiting for a remote.
    let at_once = who.request.is_none() && !matches!(command, Command::Report { .. });
    if reply.is_ok() && dry == Dry::Real && at_once {
        show_what_is_so_now(&giving).await;
    }
    if let Err(refusal) = &reply
        && !matches!(refusal, Refusal::Fault(_))
        // Who tried what they may not is on record, also where they only tried it out.
        && (dry == Dry::Real || matches!(refusal, Refusal::NotPermitted { .. }))
    {
        let audit = giving.audit(false, refusal.to_string());
        let mut id = if let Change::Audit(row) = &audit { Some(row.id.clone()) } else { None };
        match world.commit(None, None, &for_request(who, audit)).await {
            // The same refusal at the same instant: it is on record, and the reason is the answer.
            // Of what was said in a chat or a comment it may be another process's turn: then that one records it.
            Err(Fault::Conflict) => id = id.filter(|_| who.request.is_none()),
            done => drop(done?),
        }
        return Err(Refused { why: refusal.clone(), audit: id });
    }
    Ok(reply?)
}

/// The audit's row of a refusal, with which what was said is done.
fn for_request(who: &Person, audit: Change) -> Vec<Change> {
    who.request.map(Request::begins).into_iter().chain([audit]).collect()
}

/// Does what the command says.
async fn given<W: World>(giving: &Giving<'_, W>) -> Result<Reply, Refusal> {
    match giving.command {
        Command::Pause { .. } => stops::pause(giving).await,
        Command::Resume { target } => stops::resume(giving, target).await,
        Command::Hold { commit, place, reason } => holds::hold(giving, commit, place, reason).await,
        Command::Unhold { commit, place, fixed_by } => {
            holds::unhold(giving, commit, place, fixed_by.as_ref()).await
        }
        Command::Approve { flow, env, commit } => approve::approve(giving, flow, env, commit).await,
        Command::Promote { flow, env, to, reason } => {
            promote::promote(giving, flow, env, to.as_ref(), reason).await
        }
        Command::Rollback { flow, env, to, reason } => {
            moves::rollback(giving, flow, env, to.as_ref(), reason).await
        }
        Command::Override { gate, flow, env, commit, reason } => {
            moves::pass_gate(giving, *gate, flow, env, commit, reason).await
        }
        Command::Retry { flow, env } => orders::retry(giving, flow, env).await,
        Command::Report { .. } => orders::report(giving).await,
    }
}

/// How many flows are decided on again at once after an order; more wait for their next look.
const REDECIDED_MAX: usize = 20;

/// Decides the flows that an order concerns again, so that the next `status` is true. The order
/// stands whatever comes of this.
async fn show_what_is_so_now<W: World>(giving: &Giving<'_, W>) {
    let flows = giving.flows();
    for flow in flows.into_iter().take(REDECIDED_MAX) {
        if let Err(error) = super::tick::redecide(giving.world, flow).await {
            tracing::warn!(flow = flow.name.as_str(), %error, "the stored decision is older than the order");
        }
    }
}

/// An id that people can read out: what it is, and sixteen digits.
fn order_id(what: &str, command: &str, by: &Actor, now: Now) -> OrderId {
    let mut hash = Sha256::new();
    hash.update(format!("{what}\0{command}\0{by}\0{}", now.wall.0));
    hash.update(now.trusted.0.to_be_bytes());
    OrderId::new(format!("{what}-{}", hex(&hash.finalize()[..8])))
}

/// Puts a refusal on record that came before the command could be carried out.
///
/// # Errors
/// Those of any write.
pub async fn record_refusal<W: World>(
    world: &W,
    config: &Config,
    who: &Person,
    command: String,
    why: &str,
) -> Result<(), Fault> {
    record_refusal_in(world, config, who, (command, why), Concerns::none()).await
}

/// The same, of what concerns some flow.
///
/// # Errors
/// Those of any write.
pub async fn record_refusal_in<W: World>(
    world: &W,
    config: &Config,
    who: &Person,
    (command, why): (String, &str),
    concerns: Concerns,
) -> Result<(), Fault> {
    let now = world.now().await?;
    let by = Actor::new(config.laws.law().asker(&who.identity).name());
    // What the config itself has against it, where that is a command at all.
    let rule = match Said::parse(&command) {
        Ok(Said::Steer(command)) => giving::refused_by(config, &command, who),
        Ok(Said::Ask(_)) | Err(_) => None,
    };
    let came = giving::came(who, &command, rule);
    let row = audited("refused", now, by, command, (false, why.to_owned()), concerns);
    let audit = Change::Audit(AuditRow { came: Some(came), ..row });
    match world.commit(None, None, &for_request(who, audit)).await {
        // The same refusal at the same instant is on record.
        Ok(_) | Err(Fault::Conflict) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// The audit's row; also for something that is ordered by no [`Command`]: a reload, a token.
pub fn audited(
    what: &str,
    now: Now,
    by: Actor,
    command: String,
    (allowed, effect): (bool, String),
    concerns: Concerns,
) -> AuditRow {
    let id = order_id(what, &command, &by, now);
    AuditRow { id, at: now.wall, by, command, allowed, effect, concerns, came: None }
}
