//! The runner: performs the effects that the act machine asks for, one by one.
//!
//! It, and only it, has crash points, before and after each effect. What comes next is never
//! decided here.

use sha2::{Digest as _, Sha256};
use towpath_core::act::{self, Effect, Input, Outcome, Place, Why};
use towpath_core::dag::Dag;
use towpath_core::explain::Words;
use towpath_core::model::{
    Backoff, Change, CommitId, EnvName, Event, EventRow, Flow, IntentId, IntentRow, IntentState, Ledger, Mode,
    MoveKind, Now, Reason, Span, Tip,
};
use towpath_core::see;
use towpath_core::text::hex;

use super::observe::{self, Look};
use super::world::{Fault, Side, World};
use crate::forge::client::urgently;

pub use towpath_core::see::US;

/// The first and the longest wait after a refused push.
const BACKOFF: (Span, Span) = (Span::from_mins(5), Span::from_mins(60));

/// The wait before a merge is asked for again that the forge was not ready for.
const SOON: Span = Span::from_mins(1);

/// Runs intents of one flow under one lease.
pub struct Runner<'a, W: World> {
    /// The world.
    pub world: &'a W,
    /// The flow.
    pub flow: &'a Flow,
    /// Its lease.
    pub lease: &'a W::Lease,
    /// Its target environments.
    pub targets: &'a [EnvName],
}

impl<W: World> Runner<'_, W> {
    /// Whether Towpath acts on an environment, and does not only observe it.
    pub fn acts(&self, env: &EnvName) -> bool {
        self.flow.environment(env).is_some_and(|environment| environment.mode == Mode::Act)
    }

    /// Commits changes and applies them to the loaded ledger; nothing where there are none.
    ///
    /// # Errors
    /// When the store did not take them; the loaded ledger is then as before.
    pub async fn commit(&mut self, ledger: &mut Ledger, changes: Vec<Change>) -> Result<(), Fault> {
        if changes.is_empty() {
            return Ok(());
        }
        self.world.commit(Some(self.lease), Some(&self.flow.name), &changes).await?;
        for change in &changes {
            ledger.apply(&self.flow.name, self.targets, change);
        }
        Ok(())
    }

    /// Takes an intent as far as it goes, and answers the row as it stands then.
    ///
    /// # Errors
    /// When the store failed. The stored row says how far it came; a later tick goes on from it.
    pub async fn run(
        &mut self,
        ledger: &mut Ledger,
        look: &Look,
        mut row: IntentRow,
        first: Input,
    ) -> Result<IntentRow, Fault> {
        let mut answer = None;
        let mut unanswered = None;
        let mut effect = act::next(&row, first);
        loop {
            let name = name(&effect);
            if matches!(effect, Effect::Leave | Effect::Done) {
                self.keep_words(ledger, &row, unanswered.take()).await?;
                return Ok(row);
            }
            self.world.crash_point(Side::Before, name)?;
            let input = match effect {
                Effect::SaveIntent => {
                    self.save(ledger, &mut row).await?;
                    Input::Saved
                }
                // A move hangs on it: what a forge keeps for acting is for this, too.
                Effect::Reread => Input::Reread(urgently(self.reread(&row)).await?),
                Effect::MarkPushing => match self.world.begin_push(self.lease, self.flow, &row.id).await? {
                    Ok(pushing) => {
                        row = pushing;
                        replace(ledger, &row);
                        Input::Marked(Ok(()))
                    }
                    Err(why) => Input::Marked(Err(why)),
                },
                Effect::Push => {
                    let pushed = self.push(&row).await?;
                    if let act::PushAnswer::NoAnswer { words } = &pushed {
                        unanswered = Some(words.clone());
                    }
                    answer = Some(pushed.clone());
                    Input::Pushed(pushed)
                }
                Effect::ReadRef => self.read(&row, look, answer.take()).await?,
                Effect::Record(outcome) => {
                    match self.record(ledger, look, &mut row, &outcome).await {
                        // Another process has settled it; what it recorded stands.
                        Err(Fault::Conflict) => return Ok(row),
                        done => done?,
                    }
                    Input::Recorded
                }
                Effect::Leave | Effect::Done => return Ok(row),
            };
            self.world.crash_point(Side::After, name)?;
            effect = act::next(&row, input);
        }
    }

    /// Pushes, unless this process was held up since the intent was marked (a stopped process, a
    /// suspended machine): then others may have given the intent up, and people may have been told
    /// that nothing is under way.
    async fn push(&self, row: &IntentRow) -> Result<act::PushAnswer, Fault> {
        let now = self.world.now().await?;
        if !act::in_time(row, now) {
            let words = "the process was held up between its decision and the push, and did not push".to_owned();
            return Ok(act::PushAnswer::NotSent { words });
        }
        Ok(self.world.push(self.flow, row).await)
    }

    /// Keeps what was said of a push without an answer, for people and for when it is given up.
    async fn keep_words(
        &mut self,
        ledger: &mut Ledger,
        row: &IntentRow,
        words: Option<String>,
    ) -> Result<(), Fault> {
        let Some(words) = words.filter(|_| row.state == IntentState::Pushing) else { return Ok(()) };
        let now = self.world.now().await?;
        let Some(Change::Backoff(mut backoff)) = self.backoff(ledger, row, &words, now) else { return Ok(()) };
        // Only the words, no delay: the deadline of the push is delay enough the first time.
        backoff.until = now.wall;
        self.commit(ledger, vec![Change::Backoff(backoff)]).await
    }

    async fn save(&mut self, ledger: &mut Ledger, row: &mut IntentRow) -> Result<(), Fault> {
        let mut attempt = self.commit(ledger, vec![Change::Intent(row.clone())]).await;
        // The same move was tried before under this config; the store says so by a conflict.
        for _ in 0..ATTEMPTS_MAX {
            if attempt != Err(Fault::Conflict) {
                break;
            }
            row.attempt = row.attempt.wrapping_add(1);
            row.id = intent_id(row);
            attempt = self.commit(ledger, vec![Change::Intent(row.clone())]).await;
        }
        attempt
    }

    /// Reads again, from outside, everything that the intent rests on, and judges once more.
    async fn reread(&self, row: &IntentRow) -> Result<Result<(), Reason>, Fault> {
        let edge = self.flow.edge(&row.env).filter(|edge| edge.target.mode == Mode::Act);
        let Some(edge) = edge else { return Ok(Err(Reason::ConfigChanged)) };
        let mut ledger = self.world.load(self.flow).await?;
        let look = observe::look(self.world, self.flow, &ledger).await?;
        if look.tips.get(&row.env) != Some(&Tip::At(row.old)) {
            return Ok(Err(Reason::BranchesMoved));
        }
        if edge.target.branch != row.branch {
            return Ok(Err(Reason::ConfigChanged));
        }
        if row.kind == MoveKind::Rollback && !edge.target.rollback {
            return Ok(Err(Reason::ConfigChanged));
        }
        for change in observe::note(self.flow, &ledger, &look) {
            ledger.apply(&self.flow.name, self.targets, &change);
        }
        let mut seen = observe::observation(self.flow, &ledger, &look);
        let judged = match row.kind {
            MoveKind::FastForward => observe::judge(self.world, self.flow, &look, &mut seen, &edge, row.new).await,
            MoveKind::Rollback => {
                let back = observe::judge_back(self.world, self.flow, &look, &mut seen, &edge, row.new).await;
                back.map(|_| ())
            }
        };
        Ok(judged.map_err(|verdict| verdict.why().clone()))
    }

    async fn read(&self, row: &IntentRow, look: &Look, answer: Option<act::PushAnswer>) -> Result<Input, Fault> {
        // The intent's own branch: its environment may have been renamed or dropped meanwhile.
        let tip = self.world.read_ref(self.flow, &row.branch).await;
        let now = self.world.now().await?;
        let at_end = |tip: &Tip| tip.commit().is_none_or(|at| at == row.old || at == row.new);
        let place = if at_end(&tip) {
            Place::of(row, &tip, |_, _| false, |_| Vec::new())
        } else {
            let mut tips = look.tips.clone();
            tips.insert(row.env.clone(), tip.clone());
            let wanted = [row.old, row.new].into();
            match self.world.history(self.flow, &tips, &wanted).await.known() {
                Some(dag) => Place::of(row, &tip, |a, b| dag.contains(a, b), |a| dag.merges(a)),
                None => Place::Unknown,
            }
        };
        Ok(Input::Read { place, answer, now })
    }

    async fn record(
        &mut self,
        ledger: &mut Ledger,
        look: &Look,
        row: &mut IntentRow,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        let now = self.world.now().await?;
        let back = row.kind == MoveKind::Rollback && outcome.state() == IntentState::Landed;
        let merged = row.is_merged_by_forge() && outcome.state() == IntentState::Landed;
        let changes = if back || merged {
            // What is still on the branch, or came with a new merge, can only be told from a history
            // that was loaded with the branch where it is now.
            let look = observe::look(self.world, self.flow, ledger).await?;
            self.changes_of(ledger, &look, row, outcome, now)
        } else {
            self.changes_of(ledger, look, row, outcome, now)
        };
        self.commit(ledger, changes).await?;
        row.state = outcome.state();
        row.words = self.words(row, outcome, now);
        Ok(())
    }

    fn changes_of(
        &self,
        ledger: &Ledger,
        look: &Look,
        row: &IntentRow,
        outcome: &Outcome,
        now: Now,
    ) -> Vec<Change> {
        let words = self.words(row, outcome, now);
        let finish = Change::Finish { intent: row.id.clone(), state: outcome.state(), words };
        let event = |event: Event| Change::Event(EventRow { env: row.env.clone(), at: now, event });
        match outcome {
            Outcome::Landed | Outcome::LandedAs { .. } | Outcome::LandedAndPassed { .. } => {
                let to = match outcome {
                    Outcome::LandedAs { at } => *at,
                    Outcome::LandedAndPassed { now } => merged_as(row, look.dag(), *now).unwrap_or(row.new),
                    _ => row.new,
                };
                let mut changes = see::landed(row, to, now, false);
                changes.extend(see::after_landing(self.flow, ledger, look.dag(), (row, to), now));
                changes.extend(fulfilled(ledger, look, row));
                changes.extend(see::left_open(ledger, row));
                changes
            }
            Outcome::Overtaken { now: tip } => {
                let overtaken = Event::Overtaken { new: row.new, now: *tip };
                let mut changes =
                    vec![finish, event(overtaken.clone()), see::tell(row.id.as_str(), &row.env, now, overtaken)];
                changes.extend(see::left_open(ledger, row));
                changes
            }
            // A rollback is a person's word: given up is only this push of it. The next pass finds
            // the new intent and carries it through, if the branch is still there.
            Outcome::Abandoned if row.kind == MoveKind::Rollback => vec![finish, Change::Intent(again(row, now))],
            Outcome::Superseded(Why::Judged(why)) if row.kind == MoveKind::Rollback => {
                let off = Event::CalledOff { old: row.old, new: row.new, why: Box::new(why.clone()) };
                vec![finish, event(off.clone()), see::tell(row.id.as_str(), &row.env, now, off)]
            }
            Outcome::Superseded(_) => vec![finish],
            // It may have landed and been taken back by a person, who must not see it come again.
            Outcome::Abandoned => vec![finish, Change::Backoff(in_doubt(ledger, row))],
            Outcome::Refused { words } => {
                let refused = Event::Refused { kind: row.kind, new: row.new, words: words.clone() };
                let mut changes = vec![finish];
                changes.extend(self.backoff(ledger, row, words, now));
                changes.extend([event(refused.clone()), see::tell(row.id.as_str(), &row.env, now, refused)]);
                changes
            }
            Outcome::NotSent { words } => {
                let mut changes = vec![finish];
                changes.extend(self.backoff(ledger, row, words, now).map(|change| soon(row, change, now)));
                changes
            }
        }
    }

    /// What the history shows of an intent that did not land.
    fn words(&self, row: &IntentRow, outcome: &Outcome, now: Now) -> Option<String> {
        match outcome {
            Outcome::Refused { words } | Outcome::NotSent { words } => Some(words.clone()),
            Outcome::Superseded(why) => {
                // It stays where it is put: no "in 12m".
                let flow = self.flow;
                let words = Words { zone: flow.zone, now: now.wall, flow, remote_word: "origin", lasting: true };
                Some(words.superseded(&row.env, why))
            }
            Outcome::Landed
            | Outcome::LandedAs { .. }
            | Outcome::LandedAndPassed { .. }
            | Outcome::Overtaken { .. }
            | Outcome::Abandoned => None,
        }
    }

    /// When a move is tried again that failed; none for a rollback, which is not: a person orders it
    /// anew, and nothing else on the edge is to wait for it.
    fn backoff(&self, ledger: &Ledger, row: &IntentRow, words: &str, now: Now) -> Option<Change> {
        (row.kind != MoveKind::Rollback).then(|| self.back_off(ledger, &row.env, (row.old, row.new), words, now))
    }

    /// When something is tried again on an edge: what was refused for that target tip and candidate.
    pub(super) fn back_off(
        &self,
        ledger: &Ledger,
        env: &EnvName,
        (old, new): (CommitId, CommitId),
        words: &str,
        now: Now,
    ) -> Change {
        let before = ledger.standing.backoffs.iter().find(|b| &b.env == env && b.old == old);
        let count = before.map_or(0, |b| b.count).saturating_add(1);
        Change::Backoff(Backoff {
            flow: self.flow.name.clone(),
            env: env.clone(),
            words: words.to_owned(),
            count,
            until: now.wall + wait(count),
            old,
            new,
            policy: self.flow.policy.clone(),
        })
    }
}

/// How many numbers are tried after the instant's own: several processes may hit upon one.
const ATTEMPTS_MAX: u32 = 31;

/// Orders that a landing has fulfilled although they were not needed for it: left standing, they
/// would pass a later pause.
fn fulfilled(ledger: &Ledger, look: &Look, row: &IntentRow) -> Option<Change> {
    let dag = look.dag();
    let over = |commit| commit == row.new || dag.contains(row.new, commit);
    let mut spent = Vec::new();
    for order in ledger.standing.promotes.iter().filter(|o| o.env == row.env && over(o.commit)) {
        spent.push(order.id.clone());
    }
    for order in ledger.standing.overrides.iter().filter(|o| o.env == row.env && over(o.commit)) {
        spent.push(order.id.clone());
    }
    spent.retain(|id| row.promote.as_ref() != Some(id) && !row.overrides.contains(id));
    (!spent.is_empty()).then_some(Change::Spend(spent))
}

/// The merge by which a request landed that somebody has pushed onto since, or while the forge made it.
fn merged_as(row: &IntentRow, dag: &Dag, tip: CommitId) -> Option<CommitId> {
    row.merge.filter(|_| row.is_merged_by_forge())?;
    dag.chain(tip).find(|node| matches!(node.parents[..], [_, head] if head == row.new)).map(|node| node.id)
}

/// What is known of a push of which nobody knows what it did.
fn in_doubt(ledger: &Ledger, row: &IntentRow) -> Backoff {
    let said = ledger.standing.backoffs.iter().find(|b| b.env == row.env && (b.old, b.new) == (row.old, row.new));
    Backoff::in_doubt(row, said.map_or_else(String::new, |b| b.words.clone()))
}

/// A merge that was not asked for, because the forge has not yet worked out whether it can be made or is at
/// another one, is tried soon, however often.
fn soon(row: &IntentRow, change: Change, now: Now) -> Change {
    match change {
        Change::Backoff(backoff) if row.is_merged_by_forge() => {
            Change::Backoff(Backoff { count: backoff.count.min(1), until: now.wall + SOON, ..backoff })
        }
        change => change,
    }
}

/// How long to wait after so many refusals in a row.
fn wait(count: u32) -> Span {
    let doubled = BACKOFF.0.ms().saturating_mul(1_i64 << count.saturating_sub(1).min(20));
    Span::from_ms(doubled).min(BACKOFF.1)
}

/// The same move, to be begun anew.
fn again(row: &IntentRow, now: Now) -> IntentRow {
    let attempt = row.attempt.wrapping_add(1);
    let mut new =
        IntentRow { attempt, state: IntentState::Saved, saved: now, deadline: None, words: None, ..row.clone() };
    new.id = intent_id(&new);
    new
}

fn replace(ledger: &mut Ledger, row: &IntentRow) {
    if let Some(stored) = ledger.intents.iter_mut().find(|stored| stored.id == row.id) {
        *stored = row.clone();
    }
}

/// The name of an effect for crash points.
const fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::SaveIntent => "SaveIntent",
        Effect::Reread => "Reread",
        Effect::MarkPushing => "MarkPushing",
        Effect::Push => "Push",
        Effect::ReadRef => "ReadRef",
        Effect::Record(_) => "Record",
        Effect::Leave => "Leave",
        Effect::Done => "Done",
    }
}

/// The names of all effects at which a process can be killed, for the crash matrix: those of a move, those of
/// putting a candidate into a request and of closing that, and those of telling.
pub const CRASH_POINTS: [&str; 11] = [
    "SaveIntent",
    "Reread",
    "MarkPushing",
    "Push",
    "ReadRef",
    "Record",
    "SaveProposal",
    "Propose",
    "Close",
    "Send",
    "MarkSent",
];

/// The number that tells an intent made now from earlier ones with the same values.
pub fn attempt(now: Now) -> u32 {
    u32::try_from(now.trusted.0.rem_euclid(i64::from(u32::MAX))).unwrap_or(0)
}

/// Hash over flow, edge, old, new, kind, policy and attempt.
pub fn intent_id(row: &IntentRow) -> IntentId {
    let mut hash = Sha256::new();
    for part in [
        row.flow.as_str(),
        row.env.as_str(),
        &row.old.to_string(),
        &row.new.to_string(),
        &format!("{:?}", row.kind),
        row.policy.as_str(),
        &row.attempt.to_string(),
    ] {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    IntentId::new(hex(&hash.finalize()[..12]))
}

/// Delivers what is in the outbox, oldest first. A message that its sink does not take stays for
/// the next tick; a crash between sending and marking sends it twice with the same id.
///
/// # Errors
/// When the store failed.
pub async fn deliver<W: World>(runner: &mut Runner<'_, W>, ledger: &mut Ledger) -> Result<(), Fault> {
    for message in ledger.outbox.clone() {
        runner.world.crash_point(Side::Before, "Send")?;
        if !runner.world.send(runner.flow, &message).await {
            continue;
        }
        runner.world.crash_point(Side::After, "Send")?;
        runner.world.crash_point(Side::Before, "MarkSent")?;
        runner.commit(ledger, vec![Change::Told { message: message.id.clone() }]).await?;
        runner.world.crash_point(Side::After, "MarkSent")?;
    }
    Ok(())
}
