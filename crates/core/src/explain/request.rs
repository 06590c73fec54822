//! What stands in a request: title and body, in the Markdown that every forge reads.
//!
//! Names, subjects and reasons from outside are made inert by [`crate::text::markdown`]: nothing in
//! them mentions anybody, closes anything or is markup; and by [`crate::text::title`] in a title, which is no Markdown.

use std::collections::BTreeMap;

use super::{SUBJECT_MAX, Words};
use crate::dag::{Dag, Node};
use crate::model::{CommitId, Edge, Mode};
use crate::text;

/// The line by which a request of ours is known, whatever else people write into it.
pub const MARKER: &str = "<!-- towpath -->";

/// How many commits are listed one by one.
const COMMITS_MAX: usize = 100;

/// How long the list of commits gets, in bytes: GitHub takes a body of 65,536 characters, and refuses
/// a longer one.
const LIST_MAX: usize = 40_000;

impl Words<'_> {
    /// Title and body of the request that brings `head` into the target, which is at `target`; with the
    /// page on which the forge compares the two.
    pub fn request(
        &self,
        edge: &Edge<'_>,
        head: CommitId,
        (target, compare): (CommitId, Option<&str>),
        dag: &Dag,
    ) -> (String, String) {
        let (there, range) = (dag.ancestors([target]), dag.ancestors([head]));
        let commits: Vec<&Node> = dag.minus(&range, &there).collect();
        (self.request_title(edge, &commits), self.request_body(edge, head, &commits, compare))
    }

    fn request_title(&self, edge: &Edge<'_>, commits: &[&Node]) -> String {
        let env = edge.target.name.as_str();
        if let Some(title) = &edge.target.request.title {
            return text::one_line(title, 200).to_string();
        }
        let from = edge.source.name.as_str();
        match commits {
            [one] => format!("{env}: {}", text::title(&text::one_line(&one.subject, SUBJECT_MAX))),
            many => format!("{env}: {} commits from {from}", many.len()),
        }
    }

    fn request_body(&self, edge: &Edge<'_>, head: CommitId, commits: &[&Node], compare: Option<&str>) -> String {
        let md = |text: &str| text::markdown(text);
        let mut body = vec![
            MARKER.to_owned(),
            format!(
                "Brings {} from {} into {}, up to {}.{}",
                super::count(u32::try_from(commits.len()).unwrap_or(u32::MAX), "commit", "commits"),
                md(edge.source.branch.as_str()),
                md(edge.target.branch.as_str()),
                head.short(),
                compare.map(|url| format!(" [What changes](<{url}>)")).unwrap_or_default(),
            ),
            String::new(),
        ];
        let (mut by_author, mut length, mut listed): (BTreeMap<&str, Vec<String>>, usize, usize) =
            Default::default();
        for commit in commits.iter().take(COMMITS_MAX) {
            let line = format!(
                "- {} {}",
                commit.id.short(),
                md(&text::one_line(&commit.subject, SUBJECT_MAX).to_string())
            );
            length += line.len() + 2 * commit.author.len();
            if length > LIST_MAX {
                break;
            }
            listed += 1;
            by_author.entry(&commit.author).or_default().push(line);
        }
        for (author, lines) in by_author {
            body.extend([format!("**{}**", md(&text::one_line(author, SUBJECT_MAX).to_string())), String::new()]);
            body.extend(lines);
            body.push(String::new());
        }
        if commits.len() > listed {
            body.push(format!("… and {} more.", commits.len() - listed));
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
            "{merge} How far that is, Towpath says in a comment below. Its branch is moved by Towpath only; until somebody approves, it follows the newest commit that may enter. \
             Close it to stop it."
        )
    }
}
