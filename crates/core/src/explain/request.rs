//! What stands in a request: title and body, in the Markdown that every forge reads.
//!
//! Names, subjects and reasons from outside are made inert by [`crate::text::markdown`]: nothing in
//! them mentions anybody, closes anything or is markup.

use std::collections::BTreeMap;

use super::{SUBJECT_MAX, Words};
use crate::dag::{Dag, Node};
use crate::model::{CommitId, Decision, Edge, Mode};
use crate::text;

/// The line by which a request of ours is known, whatever else people write into it.
pub const MARKER: &str = "<!-- towpath -->";

/// How many commits are listed one by one.
const COMMITS_MAX: usize = 100;

impl Words<'_> {
    /// Title and body of the request that brings `head` into the target, which is at `target`.
    pub fn request(
        &self,
        edge: &Edge<'_>,
        decision: &Decision,
        head: CommitId,
        target: CommitId,
        dag: &Dag,
    ) -> (String, String) {
        let (there, range) = (dag.ancestors([target]), dag.ancestors([head]));
        let commits: Vec<&Node> = dag.minus(&range, &there).collect();
        (self.request_title(edge, &commits), self.request_body(edge, decision, head, &commits))
    }

    fn request_title(&self, edge: &Edge<'_>, commits: &[&Node]) -> String {
        let env = edge.target.name.as_str();
        if let Some(title) = &edge.target.request.title {
            return text::one_line(title, 200).to_string();
        }
        let from = edge.source.name.as_str();
        match commits {
            [one] => format!("{env}: {}", text::one_line(&one.subject, SUBJECT_MAX)),
            many => format!("{env}: {} commits from {from}", many.len()),
        }
    }

    fn request_body(&self, edge: &Edge<'_>, decision: &Decision, head: CommitId, commits: &[&Node]) -> String {
        let md = |text: &str| text::markdown(text);
        let mut body = vec![
            MARKER.to_owned(),
            format!(
                "Brings {} from {} into {}, up to {}.",
                super::count(u32::try_from(commits.len()).unwrap_or(u32::MAX), "commit", "commits"),
                md(edge.source.branch.as_str()),
                md(edge.target.branch.as_str()),
                head.short(),
            ),
            String::new(),
        ];
        let mut by_author: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for commit in commits.iter().take(COMMITS_MAX) {
            by_author.entry(&commit.author).or_default().push(commit);
        }
        for (author, commits) in by_author {
            body.push(format!("**{}**", md(author)));
            body.push(String::new());
            for commit in commits {
                body.push(format!("- {} {}", commit.id.short(), md(&commit.subject)));
            }
            body.push(String::new());
        }
        if commits.len() > COMMITS_MAX {
            body.push(format!("… and {} more.", commits.len() - COMMITS_MAX));
            body.push(String::new());
        }
        if let Some(lead) = decision.lead.as_ref().filter(|lead| lead.commit == head) {
            body.push("**Gates**".to_owned());
            body.push(String::new());
            for judged in lead.judged.iter().filter(|judged| judged.check != crate::model::Check::Request) {
                let said = self.verdict_on(&judged.verdict, Some(*edge));
                body.push(format!("- {} {}: {}", judged.verdict.word(), judged.check.key(), md(&said)));
            }
            body.push(String::new());
        }
        body.push(self.request_end(edge));
        body.join("\n")
    }

    /// What people have to know before they touch it.
    fn request_end(&self, edge: &Edge<'_>) -> String {
        use crate::model::MergeBy;
        let merge = match (edge.target.mode, edge.target.request.merge) {
            (Mode::Observe, _) => "Towpath only observes here.",
            (Mode::Act, MergeBy::Towpath) => "Towpath merges it when every gate passes.",
            (Mode::Act, MergeBy::Person) => {
                "Merge it when every gate passes: as a merge commit, not squashed or rebased."
            }
        };
        format!(
            "{merge} Its branch is moved by Towpath only; until somebody approves, it follows the newest commit that may enter. \
             Close it to stop it."
        )
    }
}
