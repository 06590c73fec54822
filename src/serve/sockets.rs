//! The connections of Socket Mode: one for each chat of the config that has an app token, following every reload.
//!
//! Not here: what a connection says (`chat::slack::socket`), and what is done with what comes (`intake`).

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Shared, intake};
use crate::chat::slack::socket::Socket;
use crate::chat::system::System;
use crate::config::SecretRef;
use crate::secret::Secret;
use crate::setup::Setup;

/// What a connection was opened with: with anything else it is another one.
#[derive(Debug, PartialEq, Eq)]
struct Under {
    url: String,
    teams: Vec<String>,
    /// Of the bot and of the app, as they are now and not only where they stand: a file may hold another one since.
    tokens: [Option<Secret>; 2],
}

impl Under {
    fn of(system: &System) -> Self {
        let config = &system.config;
        let read = |place: &Option<SecretRef>| place.as_ref().and_then(|place| Secret::read(place).ok());
        Self {
            url: config.url.clone(),
            teams: config.teams.clone(),
            tokens: [read(&config.token), read(&config.app_token)],
        }
    }
}

/// A connection that is held, or opened again and again.
#[derive(Debug)]
struct Open {
    under: Under,
    stop: CancellationToken,
}

/// Those that are open, by the name of the chat.
#[derive(Debug, Default)]
struct Sockets(BTreeMap<String, Open>);

/// Opens and closes connections as the config says, until `stop`.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    tokio::spawn(async move {
        let mut sockets = Sockets::default();
        loop {
            sockets.follow(&shared, &shared.setup(), &stop);
            tokio::select! {
                () = stop.cancelled() => return,
                () = shared.reloaded.notified() => {}
            }
        }
    });
}

impl Sockets {
    /// Closes what is no longer so, then opens what is missing; everything else is left alone.
    fn follow(&mut self, shared: &Arc<Shared>, setup: &Setup, stop: &CancellationToken) {
        let mut wanted: BTreeMap<&str, (Under, Result<Socket, String>)> = BTreeMap::new();
        for system in setup.chats.all() {
            if let Some(made) = system.socket() {
                wanted.insert(&system.config.name, (Under::of(system), made));
            }
        }
        self.0.retain(|name, open| {
            let stays = wanted.get(name.as_str()).is_some_and(|(under, _)| *under == open.under);
            if !stays {
                tracing::info!(chat = name, "Socket Mode: the connection is closed");
                open.stop.cancel();
            }
            stays
        });
        for (name, (under, made)) in wanted {
            if self.0.contains_key(name) {
                continue;
            }
            match made {
                Ok(socket) => {
                    let stop = stop.child_token();
                    open(shared.clone(), name.to_owned(), socket, stop.clone());
                    self.0.insert(name.to_owned(), Open { under, stop });
                }
                Err(error) => tracing::error!(chat = name, error, "Socket Mode cannot be used"),
            }
        }
    }
}

fn open(shared: Arc<Shared>, name: String, socket: Socket, stop: CancellationToken) {
    tokio::spawn(async move {
        let heard = |came| intake::heard(shared.clone(), name.clone(), came);
        socket.run(heard, &stop).await;
    });
}
