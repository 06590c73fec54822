//! Commands that look, and `run`: gets the view, here or from a server, and prints it.
//!
//! Not here: what is in a view, and how it is laid out (`views`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use towpath_core::model::Span;

use super::Failure;
use super::exit::Exit;
use super::out::{Format, Out};
use super::session::{self, Need, Session};
use super::source::{Source, here_alone};
use crate::config::FlowConfig;
use crate::tell::post::deliver;
use crate::views::{self, Code, CommitView, Compare, Cursor, DiffView, EdgeView, Problem, Saved, Where, WhoView};

/// `status`.
pub async fn status(source: &Source, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let view = match source {
        Source::There(server) => server.status(word).await?,
        Source::Here(path) => {
            let setup = session::open(path.as_deref(), Need::View).await?;
            views::status(&setup, &setup.flows(word)?).await?
        }
    };
    out.show(&view, view.lines());
    Ok(view.exit)
}

/// `explain FLOW ENV` as stored, or `explain SHA` afresh.
pub async fn explain(source: &Source, words: &[String], out: Out) -> Result<Exit, Failure> {
    if let [flow, env] = words {
        let view: EdgeView = match source {
            Source::There(server) => server.get(&["flows", flow, "edges", env], &[]).await?,
            Source::Here(path) => {
                views::edge(&session::open(path.as_deref(), Need::View).await?, flow, env).await?
            }
        };
        out.show(&view, view.lines());
        return Ok(Exit::Done);
    }
    let word = words.first().map_or("", String::as_str);
    let view: CommitView = match source {
        Source::There(server) => server.get(&["commits", &digits(word)?], &[]).await?,
        Source::Here(path) => views::commit(&session::open(path.as_deref(), Need::View).await?, word).await?,
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// A commit as it may stand in an address.
fn digits(word: &str) -> Result<String, Problem> {
    match towpath_core::command::CommitWord::prefix(word) {
        Some(prefix) => Ok(prefix.to_string()),
        None => Err(views::no_commit(word)),
    }
}

/// `whoami`.
pub async fn whoami(source: &Source, out: Out) -> Result<Exit, Failure> {
    let view: WhoView = match source {
        Source::There(server) => server.get(&["whoami"], &[]).await?,
        Source::Here(path) => views::who(&session::config_as_known(path.as_deref()).await?, &session::person()),
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// `where`.
pub async fn where_is(source: &Source, word: &str, out: Out) -> Result<Exit, Failure> {
    let view: Where = match source {
        Source::There(server) => server.get(&["commits", &digits(word)?, "environments"], &[]).await?,
        Source::Here(path) => views::where_is(&session::open(path.as_deref(), Need::View).await?, word).await?,
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// `diff`.
pub async fn diff(source: &Source, flow: &str, env: &str, out: Out) -> Result<Exit, Failure> {
    let view: DiffView = match source {
        Source::There(server) => server.get(&["flows", flow, "edges", env, "diff"], &[]).await?,
        Source::Here(path) => views::diff(&session::open(path.as_deref(), Need::View).await?, flow, env).await?,
    };
    out.show(&view, if out.format == Format::Markdown { view.markdown() } else { view.lines() });
    Ok(Exit::Done)
}

/// `compare`.
pub async fn compare(source: &Source, flow: &str, since: Span, within: Span, out: Out) -> Result<Exit, Failure> {
    let view: Compare = match source {
        Source::There(server) => {
            // To the millisecond: what people read of a span is rounded.
            let (since, within) = (format!("{}ms", since.ms()), format!("{}ms", within.ms()));
            server.get(&["flows", flow, "compare"], &[("since", &since), ("within", &within)]).await?
        }
        Source::Here(path) => {
            views::compare(&session::open(path.as_deref(), Need::View).await?, flow, since, within).await?
        }
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// `history`.
pub async fn history(
    source: &Source,
    word: Option<&str>,
    after: Option<&str>,
    limit: usize,
    out: Out,
) -> Result<Exit, Failure> {
    let view = match source {
        Source::There(server) => server.history(word, after, limit).await?,
        Source::Here(path) => {
            let setup = session::open(path.as_deref(), Need::View).await?;
            let flow = match word {
                Some(word) => vec![setup.config.flow(word)?.flow.name.clone()],
                None => Vec::new(),
            };
            views::history(&setup, &flow, row(after)?, limit).await?
        }
    };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// The row behind which history goes on.
fn row(after: Option<&str>) -> Result<Option<i64>, Problem> {
    let bad = || Problem::new(Code::BadCursor, "`after` is not what this list gave out as `next`");
    let read = |text: &str| text.parse::<Cursor>().ok().and_then(|cursor| cursor.row()).ok_or_else(bad);
    after.map(read).transpose()
}

/// `history --export`: the rows themselves.
pub async fn export(source: &Source, out: Out) -> Result<Exit, Failure> {
    let Source::Here(path) = source else { return here_alone("`history --export`") };
    let setup = session::open(path.as_deref(), Need::View).await?;
    let mut bytes = Vec::new();
    setup.world.store().export(&mut bytes).await?;
    // An empty line would be no line of JSON.
    if !bytes.is_empty() {
        out.line(String::from_utf8_lossy(&bytes).trim_end());
    }
    Ok(Exit::Done)
}

/// `plan`.
pub async fn plan(
    source: &Source,
    (word, env): (Option<&str>, Option<&str>),
    save: Option<&Path>,
    out: Out,
) -> Result<Exit, Failure> {
    let (view, saved) = match source {
        Source::There(_) if save.is_some() => return here_alone("`plan --save`"),
        Source::There(server) => (server.plan(word, env).await?, None),
        Source::Here(path) => {
            let setup = session::open_afresh(path.as_deref(), Need::View).await?;
            let (view, saved) = views::plan(&setup, &setup.flows(word)?, env).await?;
            (view, Some(saved))
        }
    };
    out.show(&view, view.lines());
    if let (Some(file), Some(saved)) = (save, saved) {
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
pub fn replay(file: &Path, (word, env): (Option<&str>, Option<&str>), out: Out) -> Result<Exit, Failure> {
    let fail = |what: String| Failure::Plain(Exit::Error, format!("`{}`: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
    let saved: Saved = serde_json::from_str(&text)
        .map_err(|error| fail(format!("this is not what `plan --save` writes: {error}")))?;
    let view = views::replay(saved, word, env).map_err(fail)?;
    out.show(&view, view.lines());
    Ok(view.exit)
}

/// `run`.
pub async fn run(source: &Source, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let view = match source {
        Source::There(server) => server.run(word).await?,
        Source::Here(path) => {
            let setup = Arc::new(session::open_afresh(path.as_deref(), Need::Create).await?);
            let flows: Vec<FlowConfig> = setup.flows(word)?.into_iter().cloned().collect();
            let view = views::run(Arc::clone(&setup), flows).await;
            // What moved is said before a sink that is slow is waited for.
            out.show(&view, view.lines());
            tell(&setup).await;
            return Ok(view.exit);
        }
    };
    out.show(&view, view.lines());
    Ok(view.exit)
}

/// For how long sinks are waited for. What they did not take by then is told by the next run.
const TELLING_MAX: Duration = Duration::from_secs(20);

/// Tells sinks what is due. What they do not take is logged, and is no fault of the run.
async fn tell(setup: &Session) {
    let world = &setup.world;
    match tokio::time::timeout(TELLING_MAX, deliver(world.store(), world.sinks(), world.clock())).await {
        Ok(Ok(_)) | Err(_) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what sinks are to be told cannot be read"),
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
