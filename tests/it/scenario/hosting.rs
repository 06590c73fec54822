//! What a scenario on real parts stands on: a server with the repository, and a forge where there is one.

use std::rc::Rc;

use tokio::runtime::Runtime;
use towpath::clock::ManualClock;
use towpath::config::Config;
use towpath::engine::RealWorld;
use towpath_core::model::{CiState, CommitId, Instant, MergeHow, Span, Ways};

use super::server::{Server, Trouble};
use crate::support::book::Deed;

/// What makes trouble for the next merge of a request in that way, or for the next move of a branch by the forge; it says
/// no where that is a push of git.
pub type OnCall = Rc<dyn Fn(Trouble, Option<MergeHow>) -> bool>;

/// Where a repository is, and what there is beside git.
pub trait Hosting: Sized {
    /// How long what people do is apart from what happens before and after it.
    const APART: Span = Span::ZERO;

    /// A fresh one, whose forge merges in these ways, if there is a choice.
    fn begin(runtime: &Runtime, start: Instant, ways: Ways) -> (Server, Self);

    /// A config with the names of this place in it.
    fn named(&self, server: &Server, toml: &str) -> String;

    /// Another config is in force.
    fn configured(&self, _: &Config) {}

    /// The program's own world, as a process of its own has it.
    fn world(&self, runtime: &Runtime, server: &Server, config: &Config, clock: &ManualClock) -> RealWorld;

    /// Somebody committed.
    fn committed(&self, _: CommitId, _: &str) {}

    /// What a person does to the newest request into a branch.
    fn person(&self, server: &Server, base: &str, deed: Deed, by: &str) -> Result<(), String>;

    /// See `Stage::checked`.
    fn checked(&self, _commit: CommitId, _check: &str, _state: CiState, _on: Option<&str>) -> bool {
        false
    }

    /// What makes trouble for calls of the forge that move a branch.
    fn on_call(&self) -> OnCall {
        Rc::new(|_, how| how.is_some())
    }

    /// Time passes.
    fn pass(&self, _: Span) {}

    /// Cuts the line to all of it, or mends it.
    fn cut(&self, server: &Server, down: bool);

    /// What was wrong with what the forge was asked and what it answered, which was at least so much.
    fn wrong(&self, _exchanges: usize) -> Vec<String> {
        Vec::new()
    }

    /// See `Stage::plain`.
    fn plain(&self, server: &Server, text: String) -> String;
}

/// What reads migrations: the program itself. These tests are not it.
pub fn checker() -> std::sync::Arc<towpath::migrations::Checker> {
    std::sync::Arc::new(towpath::migrations::Checker::of(env!("CARGO_BIN_EXE_towpath").into()))
}
