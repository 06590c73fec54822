//! Answers what people said in chats, from the store, while the service runs.
//!
//! What steers is carried out at most once: where the process died in the middle, the person is told so. Not here:
//! whether a request is genuine (`chat`), what is answered (`views::say`), and how it looks (`chat::answer`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use towpath_core::command::Said;
use towpath_core::model::Span;
use towpath_core::people::{Identity, Platform, Surface};

use super::Shared;
use super::queue::Wake;
use crate::chat::answer::{answered, refused, sentence};
use crate::chat::incoming::{Incoming, Proof, Refused, What};
use crate::chat::message::{Message, Press};
use crate::chat::sent::{Sent, Visible};
use crate::chat::system::System;
use crate::config::Config;
use crate::engine::command::Person;
use crate::setup::Setup;
use crate::store::{AskedRow, StoreError};
use crate::views::{self, Code, Problem, Sure};

/// How many are answered at once.
const AT_ONCE: usize = 4;

/// How long one may be worked on; after that another process may tell that nobody knows what came of it.
const WORK_MAX: Span = Span::from_mins(10);

/// How long to wait at most: what another process left is found then.
const NAP_MAX: Duration = Duration::from_secs(15);

/// The pauses before an answer is sent again that was not taken.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// Takes up what somebody said; whether it is durable, or was before.
pub async fn take(setup: &Setup, chat: &str, asked: &Incoming) -> Result<bool, StoreError> {
    let wall = setup.world.clock().reading().wall;
    let text = serde_json::to_string(asked).unwrap_or_default();
    setup.world.store().take_asked(&format!("chat:{chat}"), &asked.once, wall, &text).await
}

/// Answers, again and again, until `stop`.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    tokio::spawn(async move {
        sockets(&shared, &stop);
        loop {
            let setup = shared.setup();
            if !setup.config.chats.is_empty() {
                work_off(&shared, &seats).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = shared.asked.notified() => {}
                () = tokio::time::sleep(NAP_MAX) => {}
            }
        }
    });
}

/// Opens the connections of Socket Mode. They follow the config of the start: a reload does not change them.
fn sockets(shared: &Arc<Shared>, stop: &CancellationToken) {
    for system in shared.setup().chats.all() {
        let Some(made) = system.socket() else { continue };
        let (shared, stop, name) = (shared.clone(), stop.clone(), system.config.name.clone());
        match made {
            Ok(socket) => {
                tokio::spawn(async move {
                    let heard = |came| heard(shared.clone(), name.clone(), came);
                    socket.run(heard, &stop).await;
                });
            }
            Err(error) => tracing::error!(chat = name, error, "Socket Mode cannot be used"),
        }
    }
}

/// What came through a socket: whether it is durable.
async fn heard(shared: Arc<Shared>, chat: String, came: Result<Incoming, Refused>) -> bool {
    let setup = shared.setup();
    match came {
        Err(why) => {
            shared.metrics.hook("chat", why.word());
            tracing::info!(chat, result = why.word(), "a request of a chat was refused");
            false
        }
        Ok(asked) => match take(&setup, &chat, &asked).await {
            Ok(new) => {
                shared.metrics.hook("chat", if new { "taken" } else { "repeated" });
                shared.asked.notify_one();
                true
            }
            Err(error) => {
                tracing::warn!(%error, chat, "what was said in a chat could not be stored");
                false
            }
        },
    }
}

/// Begins what waits, as far as there are seats.
async fn work_off(shared: &Arc<Shared>, seats: &Arc<Semaphore>) {
    while let Ok(seat) = seats.clone().try_acquire_owned() {
        let setup = shared.setup();
        let wall = setup.world.clock().reading().wall;
        match setup.world.store().claim_asked(wall, wall + WORK_MAX).await {
            Ok(Some(row)) => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let words = work(&shared, &setup, &row).await;
                    if let Err(error) = setup.world.store().end_asked(row.seq, words.as_deref()).await {
                        tracing::warn!(%error, "that something was answered could not be noted");
                    }
                    drop(seat);
                    // There may be more than there were seats.
                    shared.asked.notify_one();
                });
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "what was said in chats cannot be read");
                return;
            }
        }
    }
}

/// Works on one; why it was not answered, if it was not.
async fn work(shared: &Shared, setup: &Setup, row: &AskedRow) -> Option<String> {
    let name = row.place.strip_prefix("chat:")?;
    let Ok(asked) = serde_json::from_str::<Incoming>(&row.asked) else {
        return Some("it cannot be read by this version".to_owned());
    };
    let Some(system) = setup.chats.get(name) else {
        return Some(format!("there is no usable `[chat.{name}]` in the config any more"));
    };
    let (visible, message) = reply(shared, setup, system, &asked, row.begun).await;
    let mut pauses = AGAIN.into_iter();
    loop {
        let (again, words) = match system.answer(&asked, visible, &message).await {
            Sent::Posted(_) | Sent::Answered => return None,
            Sent::Later { after, words } => {
                (after.and_then(|after| u64::try_from(after.ms()).ok()).map(Duration::from_millis), words)
            }
            Sent::Never { words } => return Some(unanswered(name, words)),
            Sent::Gone => return Some(unanswered(name, "there is nowhere to answer any more".to_owned())),
        };
        let Some(pause) = pauses.next() else { return Some(unanswered(name, words)) };
        tokio::time::sleep(again.unwrap_or_default().max(pause)).await;
    }
}

fn unanswered(chat: &str, words: String) -> String {
    tracing::warn!(chat, words, "an answer could not be given");
    words
}

/// What is answered, and to whom.
async fn reply(
    shared: &Shared,
    setup: &Setup,
    system: &System,
    asked: &Incoming,
    begun: bool,
) -> (Visible, Message) {
    let config = &setup.config;
    let who = person(config, system, asked);
    let (said, who, sure) = match read(setup, system, asked, who).await {
        Ok(read) => read,
        Err(problem) => return (Visible::Person, refused(&problem)),
    };
    let steers = matches!(said, Said::Steer(_));
    if steers && begun {
        let words = "Towpath stopped while it was at this, and does not begin it again: `history` says whether it was \
                     carried out. If it was not, say it once more.";
        return (Visible::Person, sentence(words));
    }
    if steers && asked.proof == Proof::Nobody {
        let words = "This chat does not prove who pressed a button, so nothing is done by it: type the command.";
        return (Visible::Person, sentence(words));
    }
    let spoken = views::say(setup, config, &said, &who, sure).await;
    if let (Said::Steer(command), Ok(spoken)) = (&said, &spoken)
        && spoken.audit.is_some()
        && let Ok(scope) = config.target(&command.place())
    {
        for found in config.reach(&scope) {
            shared.wake(&found.flow.name, Wake::Command);
        }
    }
    match spoken {
        // What was done concerns everybody there.
        Ok(spoken) if spoken.audit.is_some() => (Visible::Channel, answered(&spoken)),
        Ok(spoken) => (Visible::Person, answered(&spoken)),
        Err(problem) => (Visible::Person, refused(&problem)),
    }
}

/// What was said, by whom, and whether it was confirmed.
async fn read(
    setup: &Setup,
    system: &System,
    asked: &Incoming,
    who: Person,
) -> Result<(Said, Person, Sure), Problem> {
    let config = &setup.config;
    let parse = |text: &str, context: &_| {
        Said::parse_in(text, context).map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))
    };
    match &asked.what {
        What::Said(text) => {
            let text = if text.trim().is_empty() { "help" } else { text };
            let said = parse(text, &system.config.context(config, &asked.channel))?;
            Ok((said, Person { said: Some(text.to_owned()), ..who }, Sure::Ask))
        }
        What::Pressed(Press::Say(text)) => {
            let said = parse(text, &towpath_core::command::Context::NOWHERE)?;
            Ok((said, Person { said: Some(text.clone()), ..who }, Sure::Yes))
        }
        What::Pressed(Press::HoldMine { flow, env, newest }) => {
            let (command, commit) = views::mine(setup, config, (flow, env, *newest), &who).await?;
            Ok((Said::Steer(command), Person { wrote: Some(commit), ..who }, Sure::Yes))
        }
    }
}

/// Who said it. People of Mattermost have one id on the whole server: whichever of its teams the config knows them by.
fn person(config: &Config, system: &System, asked: &Incoming) -> Person {
    let of = |team: &String| Identity::Chat {
        platform: asked.platform,
        team: Some(team.clone()),
        user: asked.user.clone(),
    };
    let own = asked.identity();
    let teams: &[String] = if asked.platform == Platform::Mattermost { &system.config.teams } else { &[] };
    let linked = |identity: &Identity| config.laws.people.who(identity).is_some();
    let known = own.iter().cloned().chain(teams.iter().map(of)).find(linked);
    let identity = known.or(own).or_else(|| system.config.teams.first().map(of)).unwrap_or(Identity::Chat {
        platform: asked.platform,
        team: None,
        user: asked.user.clone(),
    });
    let place = format!("{}:{}", system.config.name, asked.channel);
    Person { place: Some(place), ..Person::new(identity, Surface::Chat) }
}
