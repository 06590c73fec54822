//! `towpath demo`: a made-up team's repository, and Towpath at work on it, told in about a minute.
//!
//! | file | what |
//! |---|---|
//! | `script` | the story, as a value |
//! | `sandbox` | the folder with repository, clones and config; the authors' git |
//! | `stage` | plays a row of the story on the real engine |
//! | `pace` | when the next row is due |
//! | `scene`, `view`, `text` | what is seen, as a value, and its frame |
//! | `screen` | the terminal |
//!
//! Nothing is pretended but the people, the CI and the time: commits are made and pushed by git,
//! passes are those of `towpath run`, orders those of the command line, and after each row it is
//! checked that what the watcher is told is so. So the demo is an end-to-end test, too.
//!
//! Nothing outside the demo's folder is read or written, no network is used, and the engine knows
//! nothing of this module.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};
use towpath_core::model::{EnvName, Instant, Span};

mod pace;
mod sandbox;
mod scene;
mod screen;
mod script;
mod stage;
mod text;
mod view;

pub use pace::Speed;
pub use sandbox::Keep;
pub use stage::Moves;

use pace::Pace;
use sandbox::Folder;
use scene::{Scene, clock};
use screen::Screen;
use script::{Expect, Row, STORY};
use stage::Stage;

use crate::engine::Fault;
use crate::git::{AuthorError, GitError};
use crate::store::StoreError;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What becomes of the folder.
    pub keep: Keep,
    /// How fast.
    pub speed: Speed,
}

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder, or a file in it.
    #[error("`{}`: {why}", towpath_core::text::one_line(&path.to_string_lossy(), 300))]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// Somebody else's folder.
    #[error("`{}` is not empty; name a folder that is, or one that is not there yet", towpath_core::text::one_line(&path.to_string_lossy(), 300))]
    NotEmpty {
        /// Which.
        path: PathBuf,
    },
    /// Git cannot be run.
    #[error(transparent)]
    Git(#[from] GitError),
    /// An author's git said no.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// Git named no commit.
    #[error("git named `{}` for a commit", said.escape_debug())]
    NoCommit {
        /// What it said.
        said: String,
    },
    /// The config that the demo wrote is wrong.
    #[error("the demo's own config is wrong: {0}")]
    Config(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// An order of the story was refused.
    #[error("`towpath {order}` was refused: {why}")]
    Refused {
        /// The order.
        order: String,
        /// Why.
        why: String,
    },
    /// The story names a commit that is not made yet.
    #[error("the story has no commit `{commit}` yet")]
    Unmade {
        /// Its name.
        commit: &'static str,
    },
    /// Signals cannot be waited for, or nobody is there to see anything any more.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// How the demo ended.
#[derive(Debug)]
pub enum Ended {
    /// The story was told.
    Told(Summary),
    /// Somebody stopped it.
    Stopped {
        /// The folder, if it stays.
        kept: Option<PathBuf>,
    },
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Summary {
    /// What was seen, and when; each was checked.
    pub seen: Vec<(String, &'static str)>,
    /// What should have been so and was not.
    pub lacking: Vec<String>,
    /// How often each target moved.
    pub moves: Vec<(EnvName, Moves)>,
    /// The folder, if it stays.
    pub kept: Option<PathBuf>,
}

/// Tells the story.
///
/// # Errors
/// If git, the disk or the store does not do what it should. The folder is removed all the same,
/// unless it is to stay.
pub async fn run(options: &Options) -> Result<Ended, DemoError> {
    // First of all, so that nobody can stop us between making the folder and knowing of it.
    let (mut interrupt, mut terminate, mut hang_up) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let folder = Folder::make(&options.keep)?;
    let kept = folder.stays().then(|| folder.path().to_owned());
    // Dropped in any case before the folder is: a git that is under way is ended with it, and the
    // terminal is put back.
    let played = {
        let screen = Screen::open(options.speed != Speed::Fast);
        let q = screen::q_pressed(&screen);
        tokio::select! {
            played = play(options, folder.path(), screen) => Some(played),
            _ = interrupt.recv() => None,
            _ = terminate.recv() => None,
            _ = hang_up.recv() => None,
            () = q.notified() => None,
        }
    };
    folder.remove()?;
    match played {
        None => Ok(Ended::Stopped { kept }),
        // Whoever was reading has gone away: as good as `q`.
        Some(Err(DemoError::Io(_))) => Ok(Ended::Stopped { kept }),
        Some(Err(error)) => Err(error),
        Some(Ok(summary)) => Ok(Ended::Told(Summary { kept, ..summary })),
    }
}

async fn play(options: &Options, folder: &Path, screen: Screen) -> Result<Summary, DemoError> {
    let start = Pace::start(options.speed, Span::from_mins(i64::from(script::length())));
    let stage = Stage::set(folder, start).await?;
    let mut telling =
        Telling { stage, screen, scene: Scene::begin(options.speed), start, summary: Summary::default() };
    let pace = Pace::new(options.speed, start);
    for row in STORY {
        let at = start + Span::from_mins(i64::from(row.minute));
        // What time alone changes before the row.
        while let Some(due) = telling.stage.due().filter(|due| *due < at) {
            telling.until(&pace, due).await?;
            telling.pass(None).await?;
        }
        telling.until(&pace, at).await?;
        telling.pass(Some(row)).await?;
    }
    telling.summary.moves = telling.stage.moves().await?;
    Ok(telling.summary)
}

/// The story being told.
struct Telling {
    stage: Stage,
    screen: Screen,
    scene: Scene,
    start: Instant,
    summary: Summary,
}

impl Telling {
    /// Shows how time passes until then, and sets the engine's clock to it.
    async fn until(&mut self, pace: &Pace, at: Instant) -> Result<(), DemoError> {
        loop {
            let (now, come) = pace.towards(at).await;
            self.show(now)?;
            if come {
                break;
            }
        }
        self.stage.go_to(at);
        Ok(())
    }

    /// What the row says, one pass, and what came of it.
    async fn pass(&mut self, row: Option<&Row>) -> Result<(), DemoError> {
        let now = self.stage.now();
        let at = clock(self.stage.flow()?, now);
        if let Some(row) = row {
            if !row.say.is_empty() {
                self.scene.say = row.say.to_owned();
            }
            self.screen.say(&at, row.say)?;
            let told = self.stage.act(row).await?;
            self.screen.tell(&told)?;
            self.scene.remember(&at, &told);
        }
        let looked = self.stage.look().await?;
        self.screen.tell(&looked.moved)?;
        self.screen.tell(&looked.decided)?;
        // What was decided stands in the lanes of a frame already.
        self.scene.remember(&at, &looked.moved);
        self.show(now)?;
        if let Some(row) = row {
            self.check(row, &at);
        }
        Ok(())
    }

    fn show(&mut self, now: Instant) -> Result<(), DemoError> {
        let minute = now.since(self.start).ms() / 60_000;
        self.scene.minute = (u32::try_from(minute).unwrap_or(0), script::length());
        if let Some(planned) = self.stage.planned() {
            self.scene.show(self.stage.flow()?, planned, now);
        }
        Ok(self.screen.draw(&self.scene)?)
    }

    fn check(&mut self, row: &Row, at: &str) {
        let lacking: Vec<Expect> = self.stage.lacking(row.then);
        if lacking.is_empty() && !row.seen.is_empty() {
            self.summary.seen.push((at.to_owned(), row.seen));
        }
        self.summary.lacking.extend(lacking.iter().map(|expect| format!("{at}: expected that {expect}")));
    }
}
