//! What happened, and how far an intent has come.

use super::divergence::quoted;
use super::inert::{name, quote, shell_word};
use super::{REASON_MAX, Words, id, writer};
use crate::act::{Place, Why};
use crate::model::{
    CoAuthor, Coming, EnvName, Event, Gate, GateKind, Instant, IntentRow, IntentState, MoveKind, PauseKind, Reason,
};
use crate::people::is_bot;

/// How many of those who wrote a commit as well are named.
const CO_AUTHORS_MAX: usize = 3;

impl Words<'_> {
    /// What happened in an environment: a sentence, then, where a server said something, its words
    /// line by line after `> `.
    #[expect(clippy::too_many_lines, reason = "the one table of events")]
    pub fn event(&self, env: &EnvName, event: &Event) -> String {
        let branch = self.branch(env);
        match event {
            Event::Landed { kind: MoveKind::FastForward, old, new } => {
                format!("Towpath moved {branch} from {} to {}", id(*old), id(*new))
            }
            Event::Landed { kind: MoveKind::Rollback, old, new } => format!(
                "{branch} was rolled back from {} to {}; what was taken back is held and the edge is paused. {}",
                id(*old),
                id(*new),
                self.go_again(env, &old.to_string())
            ),
            Event::Moved { old, new } => {
                format!("Somebody moved {branch} forward from {} to {}", id(*old), id(*new))
            }
            Event::Rewound { lost, kept, paused: true, .. } => format!(
                "Somebody moved {branch} from {} to {}, which does not contain it; Towpath holds what was lost and paused \
                 the edge. {}",
                id(*lost),
                id(*kept),
                self.go_again(env, &lost.to_string())
            ),
            Event::Rewound { lost, kept, paused: false, .. } => format!(
                "Somebody moved {branch} from {} to {}, which does not contain it; Towpath only observes here, so it pauses \
                 nothing, but it holds what was lost",
                id(*lost),
                id(*kept)
            ),
            Event::PutBack { lost, now } => format!(
                "{branch} is at {}, which contains {} again: what its loss had stopped is no longer held or paused",
                id(*now),
                id(*lost)
            ),
            Event::Withdrawn { lost, kept } => format!(
                "Somebody moved {branch} from {} to {}; the commits that it no longer has count as withdrawn, \
                 and those that are in a later environment are reported there",
                id(*lost),
                id(*kept)
            ),
            Event::EndsSoon { kind, scope, by, reason, until } => {
                let kind = match kind {
                    PauseKind::Pause => "pause",
                    PauseKind::Freeze => "freeze",
                };
                format!(
                    "The {kind} of {} by {} ends by itself at {}: {}. To keep it, order it again with `--for` or `--until`",
                    self.scope(scope),
                    self.actor(by),
                    self.at(*until),
                    quote(reason, REASON_MAX)
                )
            }
            Event::Refused { kind, new, words } => {
                let mut text = match kind {
                    MoveKind::FastForward => {
                        format!("The push of {} to {branch} was refused; Towpath tries again by itself", id(*new))
                    }
                    MoveKind::Rollback => format!(
                        "The rollback of {branch} to {} was refused; Towpath does not try again, what it was to take back \
                         is held, and the edge stays paused",
                        id(*new)
                    ),
                };
                let mut lines = quoted(words).peekable();
                if lines.peek().is_some() {
                    text.push_str(". The server said:");
                }
                lines.for_each(|line| text.extend(["\n", &line]));
                text
            }
            Event::CalledOff { old, new, why } => {
                let (flow, lost) = (shell_word(self.flow.name.as_str()), old.to_string());
                let (why, env) = (self.clause(why, self.flow.edge(env)), shell_word(env.as_str()));
                format!(
                    "The rollback of {branch} to {} was not begun; Towpath does not try again, what it was to take back \
                     is held, and the edge stays paused. {}. To leave the branch where it is: `towpath unhold {lost} \
                     {flow} {env}` and then `towpath resume {flow} {env}`",
                    id(*new),
                    super::capital(why)
                )
            }
            Event::Proposed { number, url, head } => {
                format!("Request {number} into {branch} is for {}{}", id(*head), super::reason::page(url))
            }
            Event::Behind { oldest, since } => {
                format!("{branch} is behind: {} has waited for it since {}", id(*oldest), self.at(*since))
            }
            Event::CaughtUp { oldest, since } => {
                format!("{branch} is no longer behind: {} had waited since {}", id(*oldest), self.at(*since))
            }
            Event::Blocked { commit, verdict, since } => {
                let why = self.verdict_on(verdict, self.flow.edge(env));
                // What is only on the target is named by the reason.
                let next = commit.filter(|_| !matches!(verdict.why(), Reason::Diverged { .. }));
                let next = next.map(|next| format!(". Next would be {}", id(next))).unwrap_or_default();
                let edge = format!("{} {}", shell_word(self.flow.name.as_str()), shell_word(env.as_str()));
                format!(
                    "{branch} has been blocked since {}: {why}{next}. What to do: `towpath explain {edge}`",
                    self.at(*since)
                )
            }
            Event::Unblocked { since } => {
                format!("{branch} is no longer blocked: it had been since {}", self.at(*since))
            }
            Event::HeadsUp { commits, more, at, .. } => self.heads_up(env, commits, *more, *at),
            Event::TakenBack { newest, at, why } => {
                let why = self.clause(why, self.flow.edge(env));
                let (at, env) = (self.at(*at), name(env.as_str()));
                format!(
                    "What was to go to {env} ({branch}) at {at}, up to {}, does not go then: {why}",
                    id(*newest)
                )
            }
            Event::Overtaken { new, now } => format!(
                "{branch} is at {}, which contains {}: somebody else moved it, so Towpath counts no move of its own",
                id(*now),
                id(*new)
            ),
        }
    }

    /// How far an intent has come, in the same form.
    pub fn intent(&self, row: &IntentRow) -> String {
        let branch = name(row.branch.as_str());
        let (old, new) = (id(row.old), id(row.new));
        let what = match row.kind {
            MoveKind::FastForward => match &row.merge {
                Some(merge) => format!("merge of request {} into {branch} ({new} onto {old})", merge.number),
                None => format!("move of {branch} from {old} to {new}"),
            },
            MoveKind::Rollback => {
                format!("rollback of {branch} from {old} to {new}, ordered by {},", self.actor(&row.by))
            }
        };
        let at = self.at(row.saved.wall);
        let said = match row.state {
            IntentState::Saved => format!("The {what} was decided at {at} and is about to begin"),
            IntentState::Pushing => format!("The {what} began at {at} and may still land"),
            IntentState::Landed => format!("The {what} landed"),
            IntentState::Overtaken => format!("The {what} was overtaken: the branch was already further"),
            // A person's word is not decided again.
            IntentState::Superseded if row.kind == MoveKind::Rollback => {
                format!("The {what} was not begun or has no effect")
            }
            IntentState::Superseded => format!("The {what} was not begun or has no effect; it is decided afresh"),
            IntentState::Refused => format!("The {what} was refused"),
            IntentState::Abandoned => {
                format!("The {what} was given up, because there was no answer and the branch had not moved in time")
            }
        };
        let quoted = row.words.iter().flat_map(|words| quoted(words));
        quoted.fold(said, |text, line| text + "\n" + &line)
    }

    /// Why an intent was superseded, in one line.
    pub fn superseded(&self, env: &EnvName, why: &Why) -> String {
        let branch = self.branch(env);
        match why {
            Why::Judged(reason) => super::capital(self.clause(reason, self.flow.edge(env))),
            Why::Forgotten => "The process that decided on it ended before the push began".to_owned(),
            Why::Moved(place) => match place {
                Place::Old => format!("{branch} was moved by somebody else while it was pushed, and is back"),
                Place::New => format!("{branch} is there already"),
                Place::Merged(at) | Place::Beyond(at) | Place::Aside(at) => {
                    format!("{branch} has moved on to {}", id(*at))
                }
                Place::Elsewhere(at) => {
                    format!("{branch} was moved to {}, which does not contain where it was", id(*at))
                }
                Place::Absent => format!("{branch} no longer exists"),
                Place::Unknown => format!("It cannot be told where {branch} is"),
            },
        }
    }

    /// What enters by time alone, when, and how to stop it.
    fn heads_up(&self, env: &EnvName, commits: &[Coming], more: u32, at: Instant) -> String {
        let mut parts: Vec<String> =
            commits.iter().map(|one| self.commit_by(one.id, &one.subject, &writers(one))).collect();
        if more > 0 {
            parts.push(format!("and {more} more"));
        }
        let total = total(commits, more);
        let announced = self.announced(env, &super::count(total, "commit", "commits"), total, at);
        format!("{announced}: {}. {}", parts.join(" · "), self.how_to_stop(env))
    }

    /// A heads-up for whoever names its commits below: when, how many, of which flow and where to; then how to stop
    /// them. None of another event.
    pub fn announcement(&self, env: &EnvName, event: &Event) -> Option<(String, String)> {
        let Event::HeadsUp { commits, more, at, .. } = event else { return None };
        let total = total(commits, *more);
        let what = format!("{} of {}", super::count(total, "commit", "commits"), name(self.flow.name.as_str()));
        Some((self.announced(env, &what, total, *at), self.how_to_stop(env)))
    }

    /// `what` goes to the environment, when, and who may still refuse.
    fn announced(&self, env: &EnvName, what: &str, total: u32, at: Instant) -> String {
        let asked = self.flow.environment(env).and_then(|environment| environment.gate(GateKind::Http));
        let unless = match asked {
            Some(Gate::Http(http)) => format!(" unless {} refuses", name(http.host())),
            _ => String::new(),
        };
        let (go, at) = (if total == 1 { "goes" } else { "go" }, self.at(at));
        format!("At {at}, {what} {go} to {} ({}){unless}", name(env.as_str()), self.branch(env))
    }

    fn how_to_stop(&self, env: &EnvName) -> String {
        let (flow, env) = (shell_word(self.flow.name.as_str()), shell_word(env.as_str()));
        format!("To stop one and all that contain it: `towpath hold SHA {flow} {env} --reason 'WHY'`")
    }

    /// How to go on after a rollback, with the full id of a commit that was taken back.
    fn go_again(&self, env: &EnvName, lost: &str) -> String {
        let (flow, env) = (shell_word(self.flow.name.as_str()), shell_word(env.as_str()));
        format!(
            "To go again: `towpath unhold {lost} {flow} {env} --fixed-by FIX` (FIX is the commit that mends it) \
             and then `towpath resume {flow} {env}`"
        )
    }

    /// An environment's branch.
    fn branch(&self, env: &EnvName) -> String {
        match self.flow.environment(env) {
            Some(environment) => name(environment.branch.as_str()),
            None => name(env.as_str()),
        }
    }
}

/// How many commits enter.
fn total(commits: &[Coming], more: u32) -> u32 {
    u32::try_from(commits.len()).unwrap_or(u32::MAX).saturating_add(more)
}

/// Who wrote a commit, the author first: `Marek with Ana, Bo and 2 more`. By names alone, each once; machines only as
/// authors.
fn writers(one: &Coming) -> String {
    let author = writer(&one.author);
    let mut others: Vec<String> = Vec::new();
    for CoAuthor { name, email } in &one.co_authors {
        let (shown, is_machine) = (writer(name), is_bot(name) || is_bot(email));
        let is_known = |known: &String| known.to_lowercase() == shown.to_lowercase();
        if !shown.is_empty() && !is_machine && !is_known(&author) && !others.iter().any(is_known) {
            others.push(shown);
        }
    }
    let more = others.len().saturating_sub(CO_AUTHORS_MAX);
    others.truncate(CO_AUTHORS_MAX);
    let mut others = others.join(", ");
    if more > 0 {
        others.push_str(&format!(" and {more} more"));
    }
    match (author.is_empty(), others.is_empty()) {
        (_, true) => author,
        (true, false) => others,
        (false, false) => format!("{author} with {others}"),
    }
}
