//! A scenario's repository on one of the forges of the tests: everything goes over HTTP, git and the program's own
//! adapter, by way of a line that can be cut. Every exchange is held against the forge's description.

use std::rc::Rc;

use tokio::runtime::Runtime;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::engine::RealWorld;
use towpath::setup::{Need, Setup};
use towpath_core::model::{CiState, CommitId, Instant, Span, Ways};

use super::hosting::{Hosting, OnCall, checker};
use super::line::Line;
use super::run::{FORGE, HOSTED, PLAIN, REPOSITORY};
use super::server::Server;
use crate::forge::scenes::Scene;
use crate::support::book::Deed;

/// A forge, and the line to it.
pub struct OnForge<S> {
    scene: Rc<S>,
    line: Line,
    ways: Ways,
}

impl<S: Scene + 'static> Hosting for OnForge<S> {
    const APART: Span = S::APART;

    fn begin(runtime: &Runtime, start: Instant, ways: Ways) -> (Server, Self) {
        let scene = runtime.block_on(S::new());
        let line = runtime.block_on(Line::to(scene.url()));
        let server = Server::over(&scene.with(|repo| repo.dir.clone()));
        std::fs::write(server.folder().join("token"), scene.token()).expect("a token");
        scene.set(start, ways, &line.url);
        (server, Self { scene: Rc::new(scene), line, ways })
    }

    fn named(&self, server: &Server, toml: &str) -> String {
        let (kind, url, token) = (S::KIND, &self.line.url, server.folder().join("token"));
        let place = format!(
            "[forge.hub]\nkind = \"{kind}\"\nurl = \"{url}\"\ntoken = {{ file = \"{}\" }}\n\n[[flow]]\n\
             repository = \"hub:{}\"\n",
            token.display(),
            S::PATH
        );
        toml.replace(HOSTED, &place).replace(PLAIN, &place)
    }

    fn configured(&self, config: &Config) {
        let flow = &config.flows[0].flow;
        let branches: Vec<&str> = flow.environments.iter().map(|env| env.branch.as_str()).collect();
        self.scene.has(&branches, self.ways);
    }

    /// As every surface of the program has it.
    fn world(&self, runtime: &Runtime, _: &Server, config: &Config, clock: &ManualClock) -> RealWorld {
        let setup = Setup::open(config.clone(), Clock::Manual(clock.clone()), Need::Order);
        runtime.block_on(setup).expect("a setup").world.checked_by(checker())
    }

    fn committed(&self, commit: CommitId, by: &str) {
        self.scene.knows(by);
        self.scene.wrote(commit, by);
    }

    fn person(&self, server: &Server, base: &str, deed: Deed, by: &str) -> Result<(), String> {
        let (number, open, closed) = self.scene.newest(base).ok_or("there is no request")?;
        if !(if deed == Deed::Reopen { closed } else { open }) {
            return Err(format!("request {number} does not let anybody do that"));
        }
        self.scene.knows(by);
        server.by_hand(|| self.scene.does(number, deed, by))
    }

    fn checked(&self, commit: CommitId, check: &str, state: CiState, on: Option<&str>) -> bool {
        self.scene.checked(commit, check, state, on)
    }

    fn on_call(&self) -> OnCall {
        let scene = self.scene.clone();
        Rc::new(move |trouble, how| scene.trouble(trouble, how))
    }

    fn pass(&self, by: Span) {
        self.scene.pass(by);
    }

    fn cut(&self, _: &Server, down: bool) {
        self.line.cut(down);
    }

    /// A pass that looks asks for something.
    fn wrong(&self, looks: usize) -> Vec<String> {
        self.scene.all_good(looks);
        Vec::new()
    }

    /// Addresses, numbers of requests and what a forge writes into its commits are its own.
    fn plain(&self, _: &Server, text: String) -> String {
        let mut text = without(&text, &format!(" <{}", self.scene.results()), ">");
        for (at, (number, _)) in self.scene.numbers().into_iter().enumerate() {
            let nth = at + 1;
            let page = format!("<{}>", self.scene.page(number));
            text = text.replace(&page, &format!("<https://forge.test/shop/{nth}>"));
            for word in ["request", "Request"] {
                text = renumbered(&text, &format!("{word} {number}"), &format!("{word} {nth}"));
            }
        }
        for subject in self.scene.subjects() {
            text = text.replace(&format!("\"{subject}\""), "\"promotion\"");
        }
        text =
            text.replace(&format!("{}/{}.git", self.line.url, S::PATH), REPOSITORY).replace(&self.line.url, FORGE);
        text = text.replace(&format!("`{}`", S::PATH), &format!("`{REPOSITORY}`"));
        match text.split_once(HUNG_UP_ON) {
            Some((before, rest)) => {
                let after = rest.find('"').map_or("", |end| &rest[end..]);
                format!("{before}no route to host{after}")
            }
            None => text,
        }
    }
}

/// How git begins to say that nobody answers.
const HUNG_UP_ON: &str = "fatal: unable to access ";

/// Without what begins and ends so.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(end).map_or("", |(_, rest)| rest))
}

/// With another number in the place of that one, where it stands alone.
fn renumbered(text: &str, had: &str, new: &str) -> String {
    let mut parts = text.split(had);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let longer = part.starts_with(|c: char| c.is_ascii_digit());
        text + if longer { had } else { new } + part
    })
}
