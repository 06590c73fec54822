//! Where a command looks and acts: on the store of this machine, or at a running service.

use std::path::{Path, PathBuf};

use super::Failure;
use super::exit::Exit;
use super::remote::{Client, SERVER};
use crate::views::{History, HistoryEntry, Passes, Plans, Problem, Status};

/// Here or there.
#[derive(Debug)]
pub enum Source {
    /// The config, if one was named.
    Here(Option<PathBuf>),
    /// A running service.
    There(Box<Client>),
}

impl Source {
    /// What was asked for: the flag, else the environment, else here.
    pub fn new(config: Option<&Path>, server: Option<&str>, token: Option<&Path>) -> Result<Self, Failure> {
        let variable = std::env::var(SERVER).ok().filter(|server| !server.is_empty());
        match server.map(str::to_owned).or(variable) {
            Some(server) => Ok(Self::There(Box::new(Client::new(&server, token)?))),
            None => Ok(Self::Here(config.map(Path::to_owned))),
        }
    }
}

/// What cannot be asked of a server.
pub fn here_alone<T>(what: &str) -> Result<T, Failure> {
    let what = format!("{what} works on this machine alone; leave `--server` (or `{SERVER}`) out");
    Err(Failure::Plain(Exit::Usage, what))
}

impl Client {
    /// The status of one flow, or of all, piece by piece.
    pub async fn status(&self, word: Option<&str>) -> Result<Status, Problem> {
        if let Some(flow) = word {
            return self.get(&["flows", flow], &[]).await;
        }
        let mut all: Status = self.get(&["flows"], &[]).await?;
        while let Some(after) = all.next.take() {
            let more: Status = self.get(&["flows"], &[("after", &after)]).await?;
            all.flows.extend(more.flows);
            (all.next, all.exit) = (more.next, Exit::worst([all.exit, more.exit]));
        }
        Ok(all)
    }

    /// Plans.
    pub async fn plan(&self, word: Option<&str>, env: Option<&str>) -> Result<Plans, Problem> {
        let query: Vec<(&str, &str)> =
            [("flow", word), ("env", env)].into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let mut all: Plans = self.get(&["plan"], &query).await?;
        while let Some(after) = all.next.take() {
            let more: Plans = self.get(&["plan"], &[("after", &after)]).await?;
            all.plans.extend(more.plans);
            (all.next, all.exit) = (more.next, Exit::worst([all.exit, more.exit]));
        }
        Ok(all)
    }

    /// A pass.
    pub async fn run(&self, word: Option<&str>) -> Result<Passes, Problem> {
        let nothing = None::<&()>;
        if let Some(flow) = word {
            return self.post(&["flows", flow, "look"], &[], nothing).await;
        }
        let mut all: Passes = self.post(&["look"], &[], nothing).await?;
        while let Some(after) = all.next.take() {
            let more: Passes = self.post(&["look"], &[("after", &after)], nothing).await?;
            all.flows.extend(more.flows);
            (all.next, all.exit) = (more.next, Exit::worst([all.exit, more.exit]));
        }
        Ok(all)
    }

    /// History, as much as is wanted.
    pub async fn history(&self, word: Option<&str>, after: Option<&str>, limit: usize) -> Result<History, Problem> {
        const PIECE: usize = 200;
        let mut entries: Vec<HistoryEntry> = Vec::new();
        let mut next = after.map(str::to_owned);
        loop {
            // Asked even if nothing is wanted, so that a word that names no flow is told.
            let count = (limit - entries.len()).clamp(1, PIECE).to_string();
            let mut query = vec![("limit", count.as_str())];
            query.extend(word.map(|flow| ("flow", flow)));
            query.extend(next.as_deref().map(|after| ("after", after)));
            let piece: History = self.get(&["history"], &query).await?;
            next = piece.next;
            entries.extend(piece.history);
            if limit == 0 {
                return Ok(History { history: Vec::new(), paused: piece.paused, next: None });
            }
            if entries.len() >= limit || next.is_none() {
                return Ok(History { history: entries, paused: piece.paused, next });
            }
        }
    }
}
