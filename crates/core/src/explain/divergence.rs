//! Commits that a target has and its source lacks: what each is, and the advice that works.
//!
//! Three facts are behind all of it. A fast-forward needs the very commits to be contained in the
//! source: the same change in another commit does not help, so what is merged back must not be
//! squashed or rebased. A merge back goes into the first branch: into a later one it would only
//! make that one diverge. And what was withdrawn must not come back by such a merge.

use super::inert::{name, shell_word, shown};
use super::reason::{source, target};
use super::{Line, Mark, Todo, Words, count, id};
use crate::model::{CommitId, Decision, Edge, Reason, Stray, StrayKind, Via};

/// How many strays are named in one line.
const IN_ONE_LINE: usize = 3;

/// How many lines of a server's words are quoted.
const QUOTED_LINES: usize = 20;

impl Words<'_> {
    /// The reason as a clause of one line.
    pub(super) fn diverged(&self, commits: &[Stray], total: u32, edge: Option<Edge<'_>>) -> String {
        let mut text = self.has_strays(total, edge);
        let named: Vec<String> = commits.iter().take(IN_ONE_LINE).map(|stray| self.stray(stray, edge)).collect();
        if !named.is_empty() {
            text.push_str(&format!(": {}", named.join("; ")));
        }
        let left = (total as usize).saturating_sub(named.len());
        if left > 0 && !named.is_empty() {
            text.push_str(&format!("; and {left} more"));
        }
        text
    }

    pub(super) fn has_strays(&self, total: u32, edge: Option<Edge<'_>>) -> String {
        format!("{} has {} that {} lacks", target(edge), count(total, "commit", "commits"), source(edge))
    }

    /// A stray with its kind.
    fn stray(&self, stray: &Stray, edge: Option<Edge<'_>>) -> String {
        let (source, target) = (source(edge), target(edge));
        let kind = match &stray.kind {
            StrayKind::PromotionMerge => format!("a merge of {source} with no change of its own"),
            StrayKind::Squash { of } => {
                format!("a squashed promotion, with the files of {} in another commit", id(*of))
            }
            StrayKind::EmptyMerge => "a merge that changes no file".to_owned(),
            StrayKind::CherryPick { of } => {
                format!("a cherry-pick, with the change of {} in another commit", id(*of))
            }
            StrayKind::Withdrawn => format!("withdrawn, since {source} no longer has it"),
            StrayKind::HeldBack { env } => format!("held back, although {} has it", name(env.as_str())),
            StrayKind::OnItsWay { env, brought_by } => {
                format!("on its way, since {} has it in {}", name(env.as_str()), id(*brought_by))
            }
            StrayKind::Content => format!("a change made on {target} itself"),
        };
        format!("{}, {kind}", self.commit(stray.commit, &stray.subject, &stray.author))
    }

    /// What a stray of this kind asks for, in one line.
    pub fn stray_advice(&self, kind: &StrayKind, edge: Edge<'_>) -> String {
        let (source, target) = (name(edge.source.branch.as_str()), name(edge.target.branch.as_str()));
        let first = self.first();
        match kind {
            StrayKind::PromotionMerge => format!(
                "a fast-forward needs this very merge: merge {target} back into {first}, \
                 or let merge requests be the way into {} (`via = \"merge-request\"`)",
                name(edge.target.name.as_str())
            ),
            StrayKind::Squash { .. } => format!(
                "its files are on {source}, but a fast-forward needs this very commit: merge {target} back into \
                 {first} with a merge commit, and do not squash promotions"
            ),
            StrayKind::EmptyMerge => format!(
                "it changes nothing, but a fast-forward needs this very commit: merge {target} back into {first} \
                 with a merge commit"
            ),
            StrayKind::CherryPick { .. } => format!(
                "a cherry-pick never makes a fast-forward possible: although {source} has the change, {target} still \
                 has to be merged back into {first} with a merge commit"
            ),
            StrayKind::Content => format!(
                "merge {target} back into {first} with a merge commit, neither squashed nor rebased, so that this very \
                 commit comes along the flow"
            ),
            StrayKind::Withdrawn => {
                format!(
                    "do not merge it back: restore it on {source}, or roll {target} back to a commit without it"
                )
            }
            StrayKind::HeldBack { env } => format!(
                "do not merge it back: let it come from {} (`unhold`), or roll {target} back to a commit without it",
                name(env.as_str())
            ),
            StrayKind::OnItsWay { env, brought_by } => format!(
                "nothing to do: it comes to {source} with {}, which is in {}",
                id(*brought_by),
                name(env.as_str())
            ),
        }
    }

    /// Lines that belong under a check's line: each stray with its advice, or what a server said.
    pub(super) fn details(&self, why: &Reason, edge: Option<Edge<'_>>) -> Vec<Line> {
        if let Reason::PushRefused { words, .. } = why
            && words.trim().lines().count() > 1
        {
            return quoted(words).map(|text| Line { mark: Mark::Note, text }).collect();
        }
        let Reason::Diverged { commits, total } = why else { return Vec::new() };
        let mut lines: Vec<Line> = commits.iter().map(|stray| self.stray_line(stray, edge)).collect();
        let left = (*total as usize).saturating_sub(commits.len());
        if left > 0 {
            lines.push(Line { mark: Mark::Note, text: format!("and {left} more that are not listed") });
        }
        lines
    }

    fn stray_line(&self, stray: &Stray, edge: Option<Edge<'_>>) -> Line {
        let mark = match stray.kind {
            StrayKind::OnItsWay { .. } => Mark::Wait,
            StrayKind::PromotionMerge
            | StrayKind::Squash { .. }
            | StrayKind::EmptyMerge
            | StrayKind::CherryPick { .. }
            | StrayKind::Withdrawn
            | StrayKind::HeldBack { .. }
            | StrayKind::Content => Mark::Block,
        };
        let text = match edge {
            Some(known) => format!("{}: {}", self.stray(stray, edge), self.stray_advice(&stray.kind, known)),
            None => self.stray(stray, edge),
        };
        Line { mark, text }
    }

    /// What to do about the strays of an edge.
    pub(super) fn todo_diverged(
        &self,
        strays: &[Stray],
        total: u32,
        decision: &Decision,
        edge: Edge<'_>,
    ) -> Vec<Todo> {
        let taken_back = |stray: &&Stray| matches!(stray.kind, StrayKind::Withdrawn | StrayKind::HeldBack { .. });
        let withdrawn = strays.iter().find(taken_back);
        if let Some(stray) = withdrawn {
            return self.todo_withdrawn(stray, edge);
        }
        if strays.iter().all(|stray| matches!(stray.kind, StrayKind::OnItsWay { .. }))
            && strays.len() == total as usize
        {
            let say = format!(
                "Nothing to do: what {} has beyond {} is on its way there.",
                target(Some(edge)),
                source(Some(edge))
            );
            return vec![Todo { say, commands: Vec::new() }];
        }
        let Some(tip) = decision.target.commit() else { return Vec::new() };
        let mut todo = Vec::new();
        if strays.len() < total as usize && edge.target.via == Via::FastForward {
            let say = format!(
                "First look at all {total} commits: what was withdrawn from {} on purpose must not be merged back.",
                source(Some(edge))
            );
            let (theirs, ours) = (decision.target.commit(), decision.source.commit());
            let range = theirs.zip(ours).map(|(theirs, ours)| format!("git log --oneline {ours}..{theirs}"));
            let commands = self.fetch(edge).into_iter().take(2).chain(range).collect();
            todo.push(Todo { say, commands });
        }
        todo.push(self.back_merge(strays, tip, edge));
        if strays.iter().all(|stray| stray.kind == StrayKind::PromotionMerge) {
            let say = format!(
                "Or, if the repository's forge has merge requests and they are meant to be the way into {}, \
                 set `via = \"merge-request\"` there.",
                name(edge.target.name.as_str())
            );
            todo.push(Todo { say, commands: Vec::new() });
        }
        todo
    }

    /// The merge that lets the first branch contain the target's tip.
    fn back_merge(&self, strays: &[Stray], tip: CommitId, edge: Edge<'_>) -> Todo {
        let target = &edge.target.branch;
        let first = self.flow.environments.first().map_or(&edge.source.branch, |first| &first.branch);
        let message = shell_word(&format!("Merge {target} back into {first}"));
        let merge = |what: &str| format!("git merge --no-ff -m {message} {what}");
        let push = format!("git push {} {}", self.remote(), shell_word(&format!("HEAD:{}", first.full_ref())));
        let mut commands = self.fetch(edge);
        // A squash on top has the files of a commit that the first branch has too. Merged there, it
        // changes nothing; merged at the tip, it meets every later change of the same lines.
        let squashed = match strays.first() {
            Some(Stray { commit, kind: StrayKind::Squash { of }, .. }) if *commit == tip => Some(*of),
            Some(_) | None => None,
        };
        match squashed {
            Some(of) => commands.extend([
                format!("git switch --detach {of}"),
                merge(&tip.to_string()),
                "git switch --detach FETCH_HEAD".to_owned(),
                merge("'@{-1}'"),
            ]),
            None => commands.extend(["git switch --detach FETCH_HEAD".to_owned(), merge(&tip.to_string())]),
        }
        commands.push(push);
        let first = self.first();
        let then = match edge.at {
            0 => String::new(),
            _ => format!(" The edge is free when that merge has come to {}.", source(Some(edge))),
        };
        let say = format!(
            "Merge {} back into {first} with a merge commit, neither squashed nor rebased. If {first} takes merge \
             requests only, push the result to another branch and merge that one with a merge commit.{then}",
            name(target.as_str())
        );
        Todo { say, commands }
    }

    fn todo_withdrawn(&self, stray: &Stray, edge: Edge<'_>) -> Vec<Todo> {
        let (flow, env) = (self.flow.name.as_str(), edge.target.name.as_str());
        let (source, target) = (name(edge.source.branch.as_str()), name(edge.target.branch.as_str()));
        let stray_id = id(stray.commit);
        let restore = if edge.at == 0 {
            let mut commands = self.fetch(edge);
            commands.extend([
                "git switch --detach FETCH_HEAD".to_owned(),
                format!("git merge --no-ff --no-edit {}", stray.commit),
                format!(
                    "git push {} {}",
                    self.remote(),
                    shell_word(&format!("HEAD:{}", edge.source.branch.full_ref()))
                ),
            ]);
            let say = format!(
                "{stray_id} was on {source} and was taken off it, so {target} is not merged back. \
                 Either restore it on {source}, if it was lost by mistake:"
            );
            Todo { say, commands }
        } else {
            let what = match stray.kind {
                StrayKind::HeldBack { .. } => "is held back",
                _ => "was withdrawn",
            };
            let say = format!(
                "{stray_id} {what} before {source}, so {target} is not merged back. Either let it come to {source} \
                 again; what holds it up there is told by:"
            );
            let explain = format!("towpath explain {} {}", shell_word(flow), shell_word(edge.source.name.as_str()));
            Todo { say, commands: vec![explain] }
        };
        let rollback = format!("towpath rollback {} {} to SHA --reason 'WHY'", shell_word(flow), shell_word(env));
        let roll_back = if edge.target.rollback {
            let say = format!("Or roll {target} back to a commit SHA that it held before and that is without it:");
            Todo { say, commands: vec![rollback] }
        } else {
            let say = format!(
                "Or take {target} back to a commit that it held before and that is without it. Towpath does that \
                 only where `rollback = true` is set, which it is not for {}; a person who may do so can push it.",
                name(env)
            );
            Todo { say, commands: Vec::new() }
        };
        vec![restore, roll_back]
    }

    /// Fetches the target's branch, then the first one, which is `FETCH_HEAD` from then on.
    fn fetch(&self, edge: Edge<'_>) -> Vec<String> {
        let fetch = |full: &str| format!("git fetch {} {}", self.remote(), shell_word(full));
        let first = self.flow.environments.first().map(|first| &first.branch);
        [Some(&edge.target.branch), first].into_iter().flatten().map(|branch| fetch(&branch.full_ref())).collect()
    }

    /// The repository as a word of a git command.
    pub(super) fn remote(&self) -> String {
        shell_word(self.remote_word)
    }

    /// The branch of the flow's first environment, where every change begins.
    pub(super) fn first(&self) -> String {
        self.flow.environments.first().map_or_else(String::new, |first| name(first.branch.as_str()))
    }
}

/// What a server said, each line quoted.
pub(super) fn quoted(words: &str) -> impl Iterator<Item = String> + '_ {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty()).take(QUOTED_LINES);
    lines.map(|line| format!("> {}", shown(line, 300)))
}
