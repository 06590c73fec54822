//! One command while it is being given: by whom, whether they may, what it reaches, and how it is settled.
//!
//! Not here: what each command does (`orders`, `moves`, `promote`).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use towpath_core::command::{Command, Verb};
use towpath_core::explain::{Words, refused, refused_for};
use towpath_core::model::{
    Actor, AuditRow, Came, Change, Concerns, Flow, FlowName, Instant, IntentRow, MoveKind, Now, OrderId, SAID_MAX,
    Scope, Underway,
};
use towpath_core::people::{Asked, Denial, Grant, Permit, PersonCard, Place};

use super::super::world::World;
use super::{DRY_RUN, Dry, Person, Refusal, Reply, Request, audited, order_id};
use crate::config::{Config, WordFault};

/// One command being given.
pub(super) struct Giving<'a, W: World> {
    pub(super) world: &'a W,
    pub(super) config: &'a Config,
    pub(super) command: &'a Command,
    pub(super) who: &'a Person,
    /// Under whose name it is recorded.
    pub(super) by: Actor,
    pub(super) dry: Dry,
    pub(super) now: Now,
    permit: Result<Permit, WordFault>,
    /// Whether it turned out to be allowed as what concerns nothing but a commit of their own.
    own: AtomicBool,
}

/// Whether somebody may give a command, as far as the config alone tells: nothing is asked, stored or recorded.
///
/// # Errors
/// Why not.
pub fn may_give(config: &Config, command: &Command, who: &Person) -> Result<(), Refusal> {
    command.check()?;
    allowed(&permit(config, command, who)?)
}

/// By what rule the config refuses it, for the audit; none if it does not, or cannot tell.
pub(super) fn refused_by(config: &Config, command: &Command, who: &Person) -> Option<String> {
    permit(config, command, who).ok().filter(|permit| matches!(permit, Permit::Denied { .. })).map(|it| it.rule())
}

fn allowed(permit: &Permit) -> Result<(), Refusal> {
    match permit {
        Permit::Allowed { .. } => Ok(()),
        Permit::Denied { why, who_may } => Err(Refusal::NotPermitted { why: refused(why, who_may) }),
    }
}

/// Whether they may, in every environment that it reaches.
fn permit(config: &Config, command: &Command, who: &Person) -> Result<Permit, WordFault> {
    let reach = places(config, command)?;
    let asked = Asked { verb: command.verb(), reach: &reach, surface: who.surface };
    let law = config.laws.law();
    let permit = law.may(law.asker(&who.identity), &asked);
    // Only their role stands against it, and it only stops what is theirs.
    let own = match (command, &permit) {
        (Command::Hold { commit, .. }, Permit::Denied { why: Denial::RoleTooLow { .. }, .. }) => {
            who.wrote.is_some_and(|wrote| wrote.to_string() == commit.to_string())
        }
        _ => false,
    };
    Ok(if own { Permit::Allowed { by: [Grant::Author].into() } } else { permit })
}

/// The environments that a command reaches.
fn places(config: &Config, command: &Command) -> Result<Vec<Place>, WordFault> {
    let (words, env) = (command.place(), command.env());
    let scope = match (&words[..], env) {
        (["all"], None) => Scope::All,
        ([flow], Some(env)) => config.target(&[flow, env])?,
        ([flow], None) if !command.is_targeted() => Scope::Flow(config.flow(flow)?.flow.name.clone()),
        (words, _) => config.target(words)?,
    };
    Ok(places_in(config, &scope))
}

/// The environments that a scope reaches.
fn places_in(config: &Config, scope: &Scope) -> Vec<Place> {
    let only = match scope {
        Scope::Edge(_, env) | Scope::Environment(env) => Some(env),
        Scope::All | Scope::Flow(_) => None,
    };
    let rules = &config.laws.rules;
    config.reach(scope).into_iter().flat_map(|found| rules.places(&found.flow, only)).collect()
}

impl<'a, W: World> Giving<'a, W> {
    /// One, with whether whoever gives it may.
    pub(super) fn new(
        world: &'a W,
        config: &'a Config,
        command: &'a Command,
        (who, dry, now): (&'a Person, Dry, Now),
    ) -> Self {
        let by = Actor::new(config.laws.law().asker(&who.identity).name());
        let mut giving = Self {
            world,
            config,
            command,
            who,
            by,
            dry,
            now,
            permit: Err(WordFault::Words),
            own: AtomicBool::new(false),
        };
        giving.permit = permit(config, command, who);
        giving
    }

    /// Whether whoever gives it may; what its words name has to be known for that.
    pub(super) fn allowed(&self) -> Result<(), Refusal> {
        allowed(self.permit.as_ref().map_err(WordFault::clone)?)
    }

    /// Whether nothing but their role stands against it.
    pub(super) fn lacks_the_role(&self) -> bool {
        matches!(self.permit, Ok(Permit::Denied { why: Denial::RoleTooLow { .. }, .. }))
    }

    /// Whether it is allowed as what stops a commit of their own.
    pub(super) fn is_by_the_author(&self) -> bool {
        matches!(&self.permit, Ok(Permit::Allowed { by }) if by.contains(&Grant::Author))
    }

    /// It concerns nothing but what they wrote and held themselves, as the audit says.
    pub(super) fn is_their_own(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether whoever gives it may also do what takes the right of another verb, there: to lift something takes what
    /// it took to order it. `what` says what it is: `lifting the freeze of`.
    pub(super) fn allowed_to(&self, verb: Verb, scopes: &[Scope], what: &str) -> Result<(), Refusal> {
        let reach: BTreeSet<Place> = scopes.iter().flat_map(|scope| places_in(self.config, scope)).collect();
        let reach: Vec<Place> = reach.into_iter().collect();
        let law = self.config.laws.law();
        match law.may(law.asker(&self.who.identity), &Asked { verb, reach: &reach, surface: self.who.surface }) {
            Permit::Allowed { .. } => Ok(()),
            Permit::Denied { why, who_may } => {
                Err(Refusal::NotPermitted { why: refused_for(&why, &who_may, Some(what)) })
            }
        }
    }

    /// The person who gives it, if the config has them.
    pub(super) fn card(&self) -> Option<&'a PersonCard> {
        self.config.laws.people.who(&self.who.identity)
    }

    /// Their addresses in lower case: the one that they came with first.
    pub(super) fn emails(&self) -> Vec<String> {
        let came = self.who.email.iter().map(|email| email.to_lowercase());
        let mut all: Vec<String> = Vec::new();
        for email in came.chain(self.card().into_iter().flat_map(PersonCard::emails)) {
            if !all.contains(&email) {
                all.push(email);
            }
        }
        all
    }

    /// An id of what this command makes.
    pub(super) fn id(&self, what: &str) -> OrderId {
        order_id(what, &self.command.to_string(), &self.by, self.now)
    }

    /// The flows that the command concerns.
    pub(super) fn flows(&self) -> Vec<&Flow> {
        let reached = self.scope().map(|scope| self.config.reach(&scope)).unwrap_or_default();
        reached.into_iter().map(|found| &found.flow).collect()
    }

    /// Where the command reaches, if its words name something.
    pub(super) fn scope(&self) -> Option<Scope> {
        let words = self.command.place();
        match (self.command, words.as_slice()) {
            (Command::Pause { .. } | Command::Resume { .. }, _) | (_, ["all"]) => self.config.target(&words).ok(),
            // A flow, also where an environment of another one ends in the same word.
            (_, [flow]) => self.config.flow(flow).ok().map(|found| Scope::Flow(found.flow.name.clone())),
            _ => None,
        }
    }

    /// The same as the audit keeps it: by name, for the config may change.
    pub(super) fn concerns(&self) -> Concerns {
        match self.scope() {
            Some(Scope::All) => Concerns::All,
            Some(_) => Concerns::Flows(self.flows().into_iter().map(|flow| flow.name.clone()).collect()),
            None => Concerns::none(),
        }
    }

    pub(super) fn audit(&self, allowed: bool, effect: String) -> Change {
        // A command that was carried out and then refused within a millisecond is two rows.
        let what = if allowed { "command" } else { "refused" };
        let command = self.command.to_string();
        let row = audited(what, self.now, self.by.clone(), command, (allowed, effect), self.concerns());
        Change::Audit(AuditRow { came: Some(self.came()), ..row })
    }

    /// How it came, for the audit.
    fn came(&self) -> Came {
        let own = Permit::Allowed { by: [Grant::Author].into() };
        let permit = if self.own.load(Ordering::Relaxed) { Ok(&own) } else { self.permit.as_ref() };
        let came = came(self.who, &self.command.to_string(), permit.ok().map(Permit::rule));
        Came { dry_run: self.dry == Dry::Run, ..came }
    }

    /// The words for people, in the zone of a flow.
    pub(super) fn words<'f>(&self, flow: &'f Flow) -> Words<'f> {
        Words { zone: flow.zone, now: self.now.wall, flow, remote_word: "origin", lasting: false }
    }

    /// An instant in the zone of the first flow that a scope reaches.
    pub(super) fn at(&self, scope: &Scope, at: Instant) -> String {
        match self.config.reach(scope).first() {
            Some(found) => self.words(&found.flow).at(at),
            None => at.to_string(),
        }
    }

    /// Stores the changes with their audit row, and says what may still land in the scope.
    pub(super) async fn settle(
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
            promotes: Vec::new(),
            proposing: Vec::new(),
            moved: None,
            dry: self.dry == Dry::Run,
            exact: None,
        };
        if self.dry == Dry::Real {
            changes.push(self.audit(true, effect));
            changes.splice(0..0, self.who.request.map(Request::begins));
            let committed = self.world.commit(None, flow, &changes).await?;
            let covered = |row: &IntentRow| scope.is_some_and(|scope| scope.covers(&row.flow, &row.env));
            reply.pushing = committed.pushing.into_iter().filter(covered).collect();
            lines.extend(reply.pushing.iter().map(|row| self.may_still_land(row)));
            let covered = |row: &Underway| {
                row.until > self.now.trusted && scope.is_some_and(|scope| scope.covers(&row.flow, &row.env))
            };
            reply.proposing = committed.proposing.into_iter().filter(covered).collect();
            lines.extend(reply.proposing.iter().map(|row| self.may_still_come(row)));
        } else {
            lines.push(DRY_RUN.to_owned());
        }
        reply.lines = lines;
        Ok(reply)
    }

    fn may_still_come(&self, row: &Underway) -> String {
        let scope = Scope::Edge(row.flow.clone(), row.env.clone());
        let (flow, env, head, until) =
            (&row.flow, &row.env, row.head.short(), self.at(&scope, self.now.wall_at(row.until)));
        format!(
            "Putting {head} into the request into `{env}` of `{flow}` had begun before and may still come to be until \
             {until}; it moves no environment."
        )
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

/// How a command came, for the audit.
pub(super) fn came(who: &Person, command: &str, rule: Option<String>) -> Came {
    let Person { identity, surface, place, said, .. } = who;
    Came {
        surface: *surface,
        identity: identity.to_string(),
        place: place.clone(),
        // The canonical form stands beside it.
        said: said.as_ref().filter(|said| *said != command).map(|said| said.chars().take(SAID_MAX).collect()),
        rule,
        dry_run: false,
    }
}
