//! `explain SHA`: what keeps one commit from each environment, looked at afresh.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use towpath_core::command::CommitWord;
use towpath_core::dag::Dag;
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{CommitId, Edge, EnvName, Fact, FlowName, Plan, Reason, Tip, Unknown, Verdict};
use towpath_core::text::one_line;
use utoipa::ToSchema;

use super::banner::{self, FlowBanners, banners};
use super::counted;
use super::page::{Line, words};
use super::problem::{Code, Problem};
use super::text::Marked;
use crate::config::FlowConfig;
use crate::engine::{World as _, observe, plan as plan_flow};
use crate::setup::Setup;

/// One commit on every edge of the flows that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommitView {
    /// The whole id.
    #[schema(value_type = String, example = "3f9c2d1a7e5b4c6d8f0a1b2c3d4e5f6071829304")]
    pub commit: CommitId,
    /// One for each edge, flow by flow.
    pub edges: Vec<CommitOnEdge>,
    /// The pauses and freezes that stand on these flows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<FlowBanners>,
}

/// A commit on one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommitOnEdge {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The environment it enters or does not.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// Whether the environment has it.
    pub has: bool,
    /// Why, or why not.
    #[serde(flatten)]
    pub line: Marked,
}

/// What is said of a word that is no commit.
pub fn no_commit(word: &str) -> Problem {
    let what = format!("`{}` is no commit; write at least 7 hexadecimal digits", one_line(word, 60));
    Problem::new(Code::BadCommit, what)
}

/// The commit that a word names, and the flows that know it.
pub(super) async fn find<'s>(setup: &'s Setup, word: &str) -> Result<(CommitId, Vec<&'s FlowConfig>), Problem> {
    let Some(prefix) = CommitWord::prefix(word) else {
        return Err(no_commit(word));
    };
    let mut ids = BTreeSet::new();
    let mut flows = Vec::new();
    for found in &setup.config.flows {
        let here = setup.world.commits(&found.flow, prefix.as_str()).await?;
        if !here.is_empty() {
            flows.push(found);
        }
        ids.extend(here);
    }
    let ids: Vec<CommitId> = ids.into_iter().collect();
    match ids[..] {
        [one] => Ok((one, flows)),
        [] => Err(Problem::new(
            Code::UnknownCommit,
            format!(
                "no commit that begins with `{prefix}` is known; it was looked for in the mirrors of {} and \
                 in the ledger. A commit that was just pushed is known after the next `towpath run` or `plan`",
                counted(setup.config.flows.len(), "flow")
            ),
        )),
        _ => {
            let list: Vec<String> = ids.iter().take(10).map(ToString::to_string).collect();
            let what = format!("`{prefix}` could be any of {}; write more digits", list.join(", "));
            Err(Problem::new(Code::AmbiguousCommit, what))
        }
    }
}

/// A history in which the commit's place can be told.
pub(super) async fn history_of(
    setup: &Setup,
    found: &FlowConfig,
    look: &observe::Look,
    commit: CommitId,
) -> Result<Dag, Problem> {
    match setup.world.history(&found.flow, &look.tips, &[commit].into()).await {
        Fact::Known(dag) => Ok(dag),
        Fact::Unknown(unknown) => {
            let words = words(&found.flow, &found.remote, look.now.wall);
            Err(Problem::new(Code::CannotTell, words.unknown(&unknown)))
        }
    }
}

pub(super) fn has(look: &observe::Look, dag: &Dag, env: &EnvName, commit: CommitId) -> bool {
    let Some(Tip::At(tip)) = look.tips.get(env) else { return false };
    // Below the loaded history: contained in every environment.
    dag.is_below(commit) || dag.contains(*tip, commit)
}

/// Why nobody can tell where a branch is, if so.
fn unread<'l>(look: &'l observe::Look, env: &EnvName) -> Option<&'l Unknown> {
    match look.tips.get(env) {
        Some(Tip::Unknown(unknown)) => Some(unknown),
        Some(Tip::At(_) | Tip::Absent) | None => None,
    }
}

/// Makes it.
///
/// # Errors
/// If no single commit is meant, or the store or the mirror cannot be read.
pub async fn commit(setup: &Setup, word: &str) -> Result<CommitView, Problem> {
    let (commit, flows) = find(setup, word).await?;
    let (mut edges, mut paused) = (Vec::new(), Vec::new());
    let mut having = BTreeSet::new();
    for found in flows {
        let mut planned = plan_flow(&setup.world, &found.flow).await?;
        let dag = history_of(setup, found, &planned.look, commit).await?;
        let words = words(&found.flow, &found.remote, planned.look.now.wall);
        // What cannot be read may have it.
        let unsure = found.flow.environments.iter().any(|env| unread(&planned.look, &env.name).is_some());
        let stand = banners(&found.flow, &planned.ledger.standing, &words, None);
        paused.extend(FlowBanners::of(&found.flow, stand));
        if unsure
            || found.flow.environments.iter().any(|environment| has(&planned.look, &dag, &environment.name, commit))
        {
            having.insert(found.flow.name.clone());
        }
        for edge in found.flow.edges() {
            let env = &edge.target.name;
            let has_it = has(&planned.look, &dag, env, commit);
            let line = if has_it {
                Marked::new(Mark::Pass, format!("`{env}` has {}", commit.short()))
            } else if has(&planned.look, &dag, &edge.source.name, commit) {
                let judged =
                    observe::judge(&setup.world, &found.flow, &planned.look, &mut planned.seen, &edge, commit)
                        .await;
                why(&planned.plan, &words, &edge, commit, judged)
            } else if let Some(unknown) =
                [env, &edge.source.name].into_iter().find_map(|of| unread(&planned.look, of))
            {
                let (short, why) = (commit.short(), words.unknown(unknown));
                Marked::new(Mark::Note, format!("`{env}`: whether {short} is there cannot be told now: {why}"))
            } else {
                let short = commit.short();
                Marked::new(Mark::Note, format!("`{env}`: {short} is not on `{}` yet", edge.source.branch))
            };
            edges.push(CommitOnEdge { flow: found.flow.name.clone(), env: env.clone(), has: has_it, line });
        }
    }
    Ok(CommitView { commit, edges, paused }.only(&having))
}

fn why(plan: &Plan, words: &Words<'_>, edge: &Edge<'_>, commit: CommitId, judged: Result<(), Verdict>) -> Marked {
    let (env, short) = (&edge.target.name, commit.short());
    match judged {
        Ok(()) => Marked::new(Mark::Pass, format!("`{env}`: {short} passes everything and may enter now")),
        Err(verdict) if matches!(verdict.why(), Reason::BranchesMoved) => {
            let decision = plan.decisions.iter().find(|d| &d.env == env);
            let by = decision.map_or_else(String::new, |d| format!(" {}", words.headline(d)));
            Marked::new(Mark::Note, format!("`{env}`: {short} comes with a later commit.{by}"))
        }
        Err(verdict) => Marked::new(Mark::of(&verdict), format!("`{env}`: {short}: {}", words.verdict(&verdict))),
    }
}

impl CommitView {
    /// Without the flows that never had it: a whole id is a commit's wherever one asks, and there are hundreds.
    fn only(mut self, having: &BTreeSet<FlowName>) -> Self {
        self.edges.retain(|edge| having.contains(&edge.flow));
        self.paused.retain(|of| having.contains(&of.flow));
        self
    }

    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.edges.is_empty() {
            lines.push(Line::plain(0, format!("no environment of any flow has {}", self.commit.short())));
        }
        for flow in self.edges.chunk_by(|a, b| a.flow == b.flow) {
            lines.extend(flow.first().map(|edge| Line::plain(0, edge.flow.as_str())));
            let of_flow = self.paused.iter().filter(|of| flow.first().is_some_and(|edge| edge.flow == of.flow));
            lines.extend(of_flow.flat_map(|of| banner::lay_out(&of.paused)));
            lines.extend(flow.iter().map(|edge| Line::marked(2, edge.line.mark, &edge.line.text)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(flows: usize) -> CommitView {
        let edge = |at: usize| CommitOnEdge {
            flow: FlowName::new(format!("flow-{at}")),
            env: EnvName::new("staging"),
            has: false,
            line: Marked::new(Mark::Note, "`staging`: not yet".to_owned()),
        };
        let commit = "53dd202e253dd202e253dd202e253dd202e253dd".parse().unwrap();
        CommitView { commit, edges: (0..flows).map(edge).collect(), paused: Vec::new() }
    }

    #[test]
    fn flows_that_never_had_it_are_not_listed() {
        let having = [FlowName::new("flow-3"), FlowName::new("flow-700")].into();
        let lines: Vec<String> = view(800).only(&having).lines().into_iter().map(|line| line.text).collect();
        assert_eq!(lines, ["flow-3", "`staging`: not yet", "flow-700", "`staging`: not yet"]);
    }

    #[test]
    fn a_commit_that_no_flow_has_is_one_sentence() {
        for flows in [0, 1, 800] {
            let lines = view(flows).only(&BTreeSet::new()).lines();
            assert_eq!(lines.len(), 1, "{flows}");
            assert_eq!(lines[0].text, "no environment of any flow has 53dd202e2");
        }
    }
}
