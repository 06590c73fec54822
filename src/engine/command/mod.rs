//! The only place that carries out what people order: it authorises, audits and changes standing
//! orders. Every surface builds a [`Command`] and shows the [`Reply`].
//!
//! Not here: the grammar (`towpath_core::command`), prompts and exit codes (`cli`).

mod commits;
mod migrations;
mod moves;
mod orders;
mod promote;

use sha2::{Digest as _, Sha256};
use towpath_core::command::{Command, Problem};
use towpath_core::explain::{Words, refused};
use towpath_core::model::{
    Actor, AuditRow, Change, CommitId, Concerns, Flow, FlowName, Instant, IntentRow, MoveKind, Now, OrderId, Scope,
};
use towpath_core::people::{Asked, Identity, Permit, Place, Surface};
use towpath_core::text::hex;

use super::world::{Fault, World};
use crate::config::{Config, WordFault};

/// Who gives a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name it is recorded under: `os:user@host` for a local command.
    pub name: Actor,
    /// The e-mail that git knows them by, for telling authors from approvers.
    pub email: Option<String>,
    /// What they are known by, for who they are and what they may.
    pub identity: Identity,
    /// From where they speak.
    pub surface: Surface,
}

/// Whether a command is carried out or only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dry {
    /// Carried out.
    Real,
    /// Everything is checked, nothing is stored or moved.
    Run,
}

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
    /// The rollback, as far as it came.
    pub moved: Option<IntentRow>,
    /// Whether nothing was done.
    pub dry: bool,
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
) -> Result<Reply, Refusal> {
    command.check()?;
    let now = world.now().await?;
    let giving = Giving { world, config, command, who, dry, now };
    let reply = match giving.permit() {
        Err(refusal) => Err(refusal),
        Ok(()) => given(&giving).await,
    };
    if reply.is_ok() && dry == Dry::Real && !matches!(command, Command::Report { .. }) {
        show_what_is_so_now(&giving).await;
    }
    if let Err(refusal) = &reply
        && !matches!(refusal, Refusal::Fault(_))
        && dry == Dry::Real
    {
        let audit = giving.audit(false, refusal.to_string());
        match world.commit(None, None, &[audit]).await {
            // The same refusal at the same instant: it is on record, and the reason is the answer.
            Err(Fault::Conflict) => {}
            done => drop(done?),
        }
    }
    reply
}

/// Does what the command says.
async fn given<W: World>(giving: &Giving<'_, W>) -> Result<Reply, Refusal> {
    match giving.command {
        Command::Pause { .. } => orders::pause(giving).await,
        Command::Resume { target } => orders::resume(giving, target).await,
        Command::Hold { commit, place, reason } => orders::hold(giving, commit, place, reason).await,
        Command::Unhold { commit, place, fixed_by } => {
            orders::unhold(giving, commit, place, fixed_by.as_ref()).await
        }
        Command::Approve { flow, env, commit } => orders::approve(giving, flow, env, commit).await,
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

/// The audit's row; also for something that is ordered by no [`Command`]: a reload, a token.
pub fn audited(
    what: &str,
    now: Now,
    by: Actor,
    command: String,
    (allowed, effect): (bool, String),
    concerns: Concerns,
) -> AuditRow {
    AuditRow { id: order_id(what, &command, &by, now), at: now.wall, by, command, allowed, effect, concerns }
}

/// One command being given.
struct Giving<'a, W: World> {
    world: &'a W,
    config: &'a Config,
    command: &'a Command,
    who: &'a Person,
    dry: Dry,
    now: Now,
}

impl<W: World> Giving<'_, W> {
    /// Whether whoever gives it may, in every environment that it reaches. Words that name nothing are told where they
    /// are looked up.
    fn permit(&self) -> Result<(), Refusal> {
        let Ok(reach) = self.places() else { return Ok(()) };
        let asked = Asked { verb: self.command.verb(), reach: &reach, surface: self.who.surface };
        let law = self.config.laws.law();
        match law.may(law.asker(&self.who.identity), &asked) {
            Permit::Allowed { .. } => Ok(()),
            Permit::Denied { why, who_may } => Err(Refusal::NotPermitted { why: refused(&why, &who_may) }),
        }
    }

    /// The environments that the command reaches.
    fn places(&self) -> Result<Vec<Place>, WordFault> {
        let (words, env) = (self.command.place(), self.command.env());
        let scope = match (&words[..], env) {
            (["all"], None) => Scope::All,
            ([flow], Some(env)) => self.config.target(&[flow, env])?,
            ([flow], None) if !self.command.is_targeted() => Scope::Flow(self.config.flow(flow)?.flow.name.clone()),
            (words, _) => self.config.target(words)?,
        };
        let only = match &scope {
            Scope::Edge(_, env) | Scope::Environment(env) => Some(env),
            Scope::All | Scope::Flow(_) => None,
        };
        let rules = &self.config.laws.rules;
        Ok(self.config.reach(&scope).into_iter().flat_map(|found| rules.places(&found.flow, only)).collect())
    }

    /// An id of what this command makes.
    fn id(&self, what: &str) -> OrderId {
        order_id(what, &self.command.to_string(), &self.who.name, self.now)
    }

    /// The flows that the command concerns.
    fn flows(&self) -> Vec<&Flow> {
        let reached = self.scope().map(|scope| self.config.reach(&scope)).unwrap_or_default();
        reached.into_iter().map(|found| &found.flow).collect()
    }

    /// Where the command reaches, if its words name something.
    fn scope(&self) -> Option<Scope> {
        let words = self.command.place();
        match (self.command, words.as_slice()) {
            (Command::Pause { .. } | Command::Resume { .. }, _) | (_, ["all"]) => self.config.target(&words).ok(),
            // A flow, also where an environment of another one ends in the same word.
            (_, [flow]) => self.config.flow(flow).ok().map(|found| Scope::Flow(found.flow.name.clone())),
            _ => None,
        }
    }

    /// The same as the audit keeps it: by name, for the config may change.
    fn concerns(&self) -> Concerns {
        match self.scope() {
            Some(Scope::All) => Concerns::All,
            Some(_) => Concerns::Flows(self.flows().into_iter().map(|flow| flow.name.clone()).collect()),
            None => Concerns::none(),
        }
    }

    fn audit(&self, allowed: bool, effect: String) -> Change {
        // A command that was carried out and then refused within a millisecond is two rows.
        let what = if allowed { "command" } else { "refused" };
        let command = self.command.to_string();
        Change::Audit(audited(what, self.now, self.who.name.clone(), command, (allowed, effect), self.concerns()))
    }

    /// The words for people, in the zone of a flow.
    fn words<'f>(&self, flow: &'f Flow) -> Words<'f> {
        Words { zone: flow.zone, now: self.now.wall, flow, remote_word: "origin", lasting: false }
    }

    /// An instant in the zone of the first flow that a scope reaches.
    fn at(&self, scope: &Scope, at: Instant) -> String {
        match self.config.reach(scope).first() {
            Some(found) => self.words(&found.flow).at(at),
            None => at.to_string(),
        }
    }

    /// Stores the changes with their audit row, and says what may still land in the scope.
    async fn settle(
        &self,
        flow: Option<&FlowName>,
        scope: Option<&Scope>,
        mut changes: Vec<Change>,
        mut lines: Vec<String>,
    ) -> Result<Reply, Refusal> {
        let effect = lines.join(" ");
        let mut reply = Reply {
            id: self.id("command"),
            command: self.command.to_string(),
            lines: Vec::new(),
            pushing: Vec::new(),
            moved: None,
            dry: self.dry == Dry::Run,
        };
        if self.dry == Dry::Real {
            changes.push(self.audit(true, effect));
            let committed = self.world.commit(None, flow, &changes).await?;
            let covered = |row: &IntentRow| scope.is_some_and(|scope| scope.covers(&row.flow, &row.env));
            reply.pushing = committed.pushing.into_iter().filter(covered).collect();
            lines.extend(reply.pushing.iter().map(|row| self.may_still_land(row)));
        } else {
            lines.push("This was a dry run: nothing was changed.".to_owned());
        }
        reply.lines = lines;
        Ok(reply)
    }

    fn may_still_land(&self, row: &IntentRow) -> String {
        let until = row.deadline.map_or(self.now.wall, |deadline| self.now.wall_at(deadline));
        let scope = Scope::Edge(row.flow.clone(), row.env.clone());
        let what = match row.kind {
            MoveKind::FastForward => "move",
            MoveKind::Rollback => "rollback",
        };
        let (flow, env, to, until) = (&row.flow, &row.env, row.new.short(), self.at(&scope, until));
        format!("A {what} of `{flow}` `{env}` to {to} had begun before and may still land until {until}.")
    }
}
