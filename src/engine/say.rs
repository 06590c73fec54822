//! What is said on a forge about where commits are: values here, for every world to put where people look.
//!
//! Nothing rests on it. A pass works out what should stand there from what it decided; who puts it there
//! ([`super::voice`]) remembers what stands. Not here: the sentences (`explain`), and requests themselves.

use towpath_core::dag::Dag;
use towpath_core::explain::Words;
use towpath_core::model::{
    Action, CommitId, Decision, EnvName, Fact, Flow, Ledger, Mode, Observation, Plan, Requests, Span, Tip, Verdict,
};

/// For how long after an arrival it is said. Later it has been, or a person has moved the branch while
/// nobody looked; a service that starts does not go through all that ever arrived.
const FRESH: Span = Span::from_mins(60);

/// What should stand on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// About the commit that can enter an environment soonest.
    Candidate {
        /// The environment.
        env: EnvName,
        /// The commit.
        commit: CommitId,
        /// Whether something has to be mended, or it only waits.
        blocked: bool,
        /// One plain line.
        text: String,
        /// Where to read more.
        url: Option<String>,
    },
    /// That an environment has come to a commit.
    Arrived {
        /// The environment.
        env: EnvName,
        /// Where its branch is.
        tip: CommitId,
        /// What a merge at its tip brought, if it is one.
        brought: Option<CommitId>,
        /// One plain line.
        text: String,
    },
    /// The one comment on a request.
    Comment {
        /// The environment.
        env: EnvName,
        /// The request.
        number: u64,
        /// Markdown that begins with the comment's marker.
        body: String,
    },
}

/// Everything that should stand there after a pass.
pub fn sayings(flow: &Flow, plan: &Plan, seen: &Observation, ledger: &Ledger, dag: &Dag) -> Vec<Saying> {
    let words = Words { zone: flow.zone, now: plan.now.wall, flow, remote_word: "origin", lasting: true };
    let mut all = Vec::new();
    for decision in &plan.decisions {
        // Where Towpath only observes, nobody is to see it.
        if flow.environment(&decision.env).is_none_or(|env| env.mode == Mode::Observe) {
            continue;
        }
        let requests = seen.facts.requests.get(&decision.env).and_then(Fact::known);
        all.extend(candidate(&words, decision, requests));
        all.extend(arrived(&words, decision, plan, ledger, dag));
        all.extend(comments(&words, decision, requests, plan, ledger));
    }
    all
}

fn candidate(words: &Words<'_>, decision: &Decision, requests: Option<&Requests>) -> Option<Saying> {
    let lead = decision.lead.as_ref()?;
    if matches!(decision.action, Some(Action::FastForward { .. })) {
        // It moves at once; what it has come to is said then.
        return None;
    }
    Some(Saying::Candidate {
        env: decision.env.clone(),
        commit: lead.commit,
        blocked: matches!(decision.verdict, Verdict::Block { .. }),
        text: words.status(decision),
        url: requests.and_then(|requests| requests.open.as_ref()).map(|open| open.url.clone()),
    })
}

fn arrived(words: &Words<'_>, decision: &Decision, plan: &Plan, ledger: &Ledger, dag: &Dag) -> Option<Saying> {
    let Tip::At(tip) = decision.target else { return None };
    let since = ledger.branches.get(&decision.env).filter(|branch| branch.tip == tip)?.at.wall;
    if plan.now.wall.since(since) > FRESH {
        return None;
    }
    let merge = dag.node(tip).filter(|node| dag.takes_the_second(node));
    let brought = merge.and_then(|node| node.parents.get(1).copied());
    Some(Saying::Arrived { env: decision.env.clone(), tip, brought, text: words.arrived(decision, since) })
}

fn comments(
    words: &Words<'_>,
    decision: &Decision,
    requests: Option<&Requests>,
    plan: &Plan,
    ledger: &Ledger,
) -> Option<Saying> {
    let env = &decision.env;
    let saying = |number: u64, body: String| Some(Saying::Comment { env: env.clone(), number, body });
    if let Some(open) = requests.and_then(|requests| requests.open.as_ref()) {
        return saying(open.number, words.comment(decision, open.head));
    }
    let row = ledger.proposed.get(env);
    let pushed = |number: u64| row.and_then(|row| row.pushed).filter(|pushed| pushed.number == number);
    if let Some(closed) = requests.and_then(|requests| requests.closed.as_ref()) {
        let of_a_push = pushed(closed.number).map(|pushed| words.pushed_comment(decision, pushed.head));
        return saying(closed.number, of_a_push.unwrap_or_else(|| words.comment(decision, closed.head)));
    }
    // None is open: the one that we told of has been merged, by Towpath or a person.
    let ours = row.and_then(|row| row.announced)?;
    let branch = ledger.branches.get(env).filter(|branch| Tip::At(branch.tip) == decision.target)?;
    let fresh = plan.now.wall.since(branch.at.wall) <= FRESH;
    if !fresh {
        return None;
    }
    let of_a_push = pushed(ours).map(|pushed| words.pushed_comment(decision, pushed.head));
    saying(ours, of_a_push.unwrap_or_else(|| words.last_comment(decision)))
}
