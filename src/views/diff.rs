//! `diff FLOW ENV`: what an environment lacks of its source.

use serde::{Deserialize, Serialize};
use towpath_core::dag::Node;
use towpath_core::model::{EnvName, Fact, FlowName, Tip};
use towpath_core::text::{markdown, one_line};
use utoipa::ToSchema;

use super::banner::{self, Banner, banners};
use super::counted;
use super::edge::target;
use super::page::{Line, words};
use super::problem::{Code, Problem};
use crate::engine::plan as plan_flow;
use crate::git::diff::{self as git_diff, Between};
use crate::setup::Setup;

/// How many commits and files are listed.
const LISTED: (usize, usize) = (200, 500);

/// What an environment lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffView {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The environment that lacks it.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// The environment that has it.
    #[schema(value_type = String, example = "staging")]
    pub source: EnvName,
    /// What goes there next, and when, in one sentence.
    #[serde(default)]
    #[schema(
        example = "production: waits until 14:32 CET, when the lag of 30m is over: `3f9c2d1a7` \"Fix rounding\" (Marek)"
    )]
    pub when: String,
    /// The pauses and freezes that stand on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Banner>,
    /// The commits, newest first, at most 200.
    #[schema(value_type = Vec<Object>)]
    pub commits: Vec<Node>,
    /// How many there are.
    pub commits_total: usize,
    /// The files that differ, at most 500.
    pub files: Vec<ChangedFile>,
    /// How many differ.
    pub files_total: usize,
    /// Lines added in the listed files.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedFile {
    /// Its path, as it is in the repository.
    pub path: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// Makes it.
///
/// # Errors
/// Without such an edge, or if a branch or the mirror cannot be read.
pub async fn diff(setup: &Setup, flow: &str, env: &str) -> Result<DiffView, Problem> {
    let (found, env) = target(setup, flow, env, "; it has no source to compare with")?;
    let unreadable = |what: String| Problem::new(Code::Unreadable, what);
    let planned = plan_flow(&setup.world, &found.flow).await?;
    let Some(edge) = found.flow.edge(&env) else { return Err(unreadable(format!("`{env}` has no source"))) };
    let words = words(&found.flow, &found.remote, planned.look.now.wall);
    let tip = |env| planned.look.tips.get(env).and_then(Tip::commit);
    let (Some(from), Some(to)) = (tip(&edge.target.name), tip(&edge.source.name)) else {
        let decision = planned.plan.decisions.iter().find(|d| d.env == env);
        let what = decision.map_or_else(|| "a branch cannot be read".to_owned(), |d| words.headline(d));
        return Err(unreadable(what));
    };
    let mirror = setup.world.mirror(&found.flow.name).map_err(|unknown| unreadable(words.unknown(&unknown)))?;
    let between =
        tokio::task::spawn_blocking(move || git_diff::between(&mirror, from, to, LISTED.0, LISTED.1)).await;
    match between {
        Ok(Fact::Known(between)) => {
            let decision = planned.plan.decisions.iter().find(|decision| decision.env == env);
            let when = decision.map_or_else(String::new, |decision| words.headline(decision));
            let paused = banners(&found.flow, &planned.ledger.standing, &words, Some(&env));
            let view = view(found.flow.name.clone(), env, edge.source.name.clone(), between);
            Ok(DiffView { when, paused, ..view })
        }
        Ok(Fact::Unknown(unknown)) => Err(unreadable(words.unknown(&unknown))),
        Err(_) => Err(Problem::new(Code::Internal, "reading the mirror failed unexpectedly")),
    }
}

fn view(flow: FlowName, env: EnvName, source: EnvName, between: Between) -> DiffView {
    let files = between.files.into_iter().map(|f| ChangedFile { path: f.path, added: f.added, removed: f.removed });
    DiffView {
        flow,
        env,
        source,
        when: String::new(),
        paused: Vec::new(),
        commits: between.commits,
        commits_total: between.commits_total,
        files: files.collect(),
        files_total: between.files_total,
        added: between.added,
        removed: between.removed,
    }
}

impl DiffView {
    fn head(&self) -> String {
        format!(
            "{} of {} {} not in {} of {}: {}, +{} -{}",
            counted(self.commits_total, "commit"),
            self.source,
            if self.commits_total == 1 { "is" } else { "are" },
            self.env,
            self.flow,
            counted(self.files_total, "file"),
            self.added,
            self.removed
        )
    }

    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::plain(0, self.head())];
        lines.extend(banner::lay_out(&self.paused));
        lines.extend((!self.when.is_empty()).then(|| Line::plain(0, &self.when)));
        lines.extend(self.commits.iter().map(|node| {
            let (subject, author) = (one_line(&node.subject, 100), one_line(&node.author, 60));
            Line::plain(2, format!("{} {subject} ({author})", node.id.short()))
        }));
        lines.extend(self.files.iter().map(|file| {
            Line::plain(2, format!("{} +{} -{}", one_line(&file.path, 160), file.added, file.removed))
        }));
        lines
    }

    /// For a comment or a wiki.
    pub fn markdown(&self) -> Vec<Line> {
        let mut lines = vec![Line::plain(0, format!("**{}**", markdown(&self.head()))), Line::plain(0, "")];
        for line in banner::lay_out(&self.paused) {
            lines.extend([Line::plain(0, markdown(&line.text)), Line::plain(0, "")]);
        }
        lines.extend(self.commits.iter().map(|node| {
            let (subject, author) = (one_line(&node.subject, 100), one_line(&node.author, 60));
            Line::plain(0, format!("- `{}` {} ({})", node.id.short(), markdown(&subject), markdown(&author)))
        }));
        lines.extend(self.files.iter().map(|file| {
            let path = one_line(&file.path, 160);
            Line::plain(0, format!("- {} +{} -{}", markdown(&path), file.added, file.removed))
        }));
        lines
    }
}
