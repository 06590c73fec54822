//! Commands that look, and `run`: makes the view and prints it.
//!
//! Not here: what is in a view, and how it is laid out (`views`).

use std::path::Path;
use std::sync::Arc;

use super::Failure;
use super::exit::Exit;
use super::out::{Format, Out};
use super::session::{self, Need};
use crate::config::FlowConfig;
use crate::views::{self, Problem, Saved};

/// `status`.
pub async fn status(path: Option<&Path>, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let view = views::status(&setup, &setup.flows(word)?).await?;
    out.show(&view, view.lines());
    Ok(view.exit)
}

/// `explain FLOW ENV` as stored, or `explain SHA` afresh.
pub async fn explain(path: Option<&Path>, words: &[String], out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    if let [flow, env] = words {
        let view = views::edge(&setup, flow, env).await?;
        out.show(&view, view.lines());
    } else {
        let view = views::commit(&setup, words.first().map_or("", String::as_str)).await?;
        out.show(&view, view.lines());
    }
    Ok(Exit::Done)
}

/// `where`.
pub async fn where_is(path: Option<&Path>, word: &str, out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let view = views::where_is(&setup, word).await?;
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// `diff`.
pub async fn diff(path: Option<&Path>, flow: &str, env: &str, out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let view = views::diff(&setup, flow, env).await?;
    out.show(&view, if out.format == Format::Markdown { view.markdown() } else { view.lines() });
    Ok(Exit::Done)
}

/// `history`.
pub async fn history(path: Option<&Path>, word: Option<&str>, limit: usize, out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let flow = match word {
        Some(word) => vec![setup.config.flow(word)?.flow.name.clone()],
        None => Vec::new(),
    };
    let view = views::history(&setup, &flow, None, limit).await?;
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// `history --export`: the rows themselves.
pub async fn export(path: Option<&Path>, out: Out) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let mut bytes = Vec::new();
    setup.world.store().export(&mut bytes).await?;
    out.line(String::from_utf8_lossy(&bytes).trim_end());
    Ok(Exit::Done)
}

/// `plan`.
pub async fn plan(
    path: Option<&Path>,
    (word, env): (Option<&str>, Option<&str>),
    save: Option<&Path>,
    out: Out,
) -> Result<Exit, Failure> {
    let setup = session::open(path, Need::View).await?;
    let (view, saved) = views::plan(&setup, &setup.flows(word)?, env).await?;
    out.show(&view, view.lines());
    if let Some(file) = save {
        write(file, &saved)?;
        if !out.json() {
            out.line(format!("What was observed is in {}", file.display()));
        }
    }
    Ok(view.exit)
}

fn write(file: &Path, saved: &Saved) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(saved).unwrap_or_default();
    std::fs::write(file, text)
        .map_err(|error| Failure::Plain(Exit::Error, format!("`{}` cannot be written: {error}", file.display())))
}

/// `plan --from`.
pub fn replay(file: &Path, out: Out) -> Result<Exit, Failure> {
    let fail = |what: String| Failure::Plain(Exit::Error, format!("`{}`: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
    let saved: Saved = serde_json::from_str(&text)
        .map_err(|error| fail(format!("this is not what `plan --save` writes: {error}")))?;
    let view = views::replay(saved);
    out.show(&view, view.lines());
    Ok(view.exit)
}

/// `run`.
pub async fn run(path: Option<&Path>, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let setup = Arc::new(session::open(path, Need::Create).await?);
    let flows: Vec<FlowConfig> = setup.flows(word)?.into_iter().cloned().collect();
    let view = views::run(setup, flows).await;
    out.show(&view, view.lines());
    Ok(view.exit)
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
