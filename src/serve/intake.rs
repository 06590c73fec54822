//! Takes up what people say, before it is acknowledged: into the store, if there is room for it.
//!
//! Whoever asks has a share of the room, so that nobody fills it alone, and those whom no person of the config is known
//! by have half of it between them. What only stops things is never refused because others asked much. Not here:
//! whether it is genuine (`chat`, `forge`), and working on it (`talk`).

use std::sync::Arc;

use towpath_core::text::one_line;

use super::{Shared, chatter, lanes, showing};
use crate::chat::answer::sentence;
use crate::chat::incoming::{Incoming, Refused};
use crate::chat::message::Message;
use crate::chat::sent::Visible;
use crate::chat::slack::socket::Told;
use crate::setup::Setup;
use crate::store::{NewAsked, Room, Taken};

/// How many of everybody's wait or are at work at most: fewer than [`lanes`] has at work at once, so that what stops
/// things never waits for a seat.
pub(super) const ALL_MAX: u32 = 400;

/// How many there may be for one of somebody who is linked to no person to be taken.
const STRANGERS_MAX: u32 = ALL_MAX / 2;

/// How many of one identity's; as many again where it only stops things.
const OWN_MAX: u32 = 20;

/// What came of what somebody said.
#[derive(Debug)]
pub enum Intake {
    /// It is stored.
    Taken {
        /// Whether it was not before.
        new: bool,
    },
    /// It is not: what the person is to be told at once.
    Full(Message),
    /// It could not be.
    NotStored,
}

/// The room for one, by whoever says it.
pub(super) const fn room(is_linked: bool, only_stops: bool) -> Room {
    match (is_linked, only_stops) {
        (true, true) => Room { all: None, own: 2 * OWN_MAX },
        (true, false) => Room { all: Some(ALL_MAX), own: OWN_MAX },
        (false, _) => Room { all: Some(STRANGERS_MAX), own: OWN_MAX },
    }
}

/// Takes up what somebody said in a chat. It is counted, and answered by `talk`.
pub async fn take(shared: &Shared, setup: &Setup, chat: &str, asked: &Incoming) -> Intake {
    let meant = match showing::meant(setup, chat, asked).await {
        Ok(meant) => meant,
        Err(error) => {
            tracing::warn!(%error, chat, "what somebody was shown could not be read");
            return Intake::NotStored;
        }
    };
    let asked = meant.as_ref().unwrap_or(asked);
    let wall = setup.world.clock().reading().wall;
    let text = serde_json::to_string(asked).unwrap_or_default();
    let place = format!("chat:{chat}");
    let lane = chatter::lane_of(setup, chat, asked).word();
    let new = NewAsked { place: &place, once: &asked.once, who: &asked.user, asked: &text, lane };
    let (is_linked, only_stops) = chatter::weight(setup, chat, asked);
    match setup.world.store().take_asked(&new, wall, room(is_linked, only_stops)).await {
        Ok(taken @ (Taken::New | Taken::Before)) => {
            let new = taken == Taken::New;
            shared.metrics.hook("chat", if new { "taken" } else { "repeated" });
            shared.asked.notify_one();
            Intake::Taken { new }
        }
        Ok(taken) => {
            shared.metrics.hook("chat", "too-many");
            tracing::warn!(
                chat,
                user = one_line(&asked.user, 100),
                ?taken,
                "too much waits; what was said is not taken"
            );
            Intake::Full(sentence(&words(taken)))
        }
        Err(error) => {
            tracing::warn!(%error, chat, "what was said in a chat could not be stored");
            Intake::NotStored
        }
    }
}

/// Why there is no room, and what to do.
fn words(taken: Taken) -> String {
    let still = "`pause`, `freeze` and `hold` by people whom the config knows are taken all the same.";
    match taken {
        Taken::FullOfAll(all) => {
            format!(
                "Nothing was done: {all} requests of everybody's wait to be answered. Say it again in a minute. {still}"
            )
        }
        Taken::FullOfTheirs(own) => {
            format!(
                "Nothing was done: you have {own} requests waiting. Say it again when some are answered. {still}"
            )
        }
        Taken::New | Taken::Before => "It was taken.".to_owned(),
    }
}

/// Says something at once to a person whom the platform's own response does not reach; where much is said so already,
/// nothing.
pub fn tell_beside(shared: &Shared, setup: Arc<Setup>, chat: &str, asked: &Incoming, message: Message) {
    let Ok(seat) = shared.beside.clone().try_acquire_owned() else { return };
    let (chat, asked) = (chat.to_owned(), asked.clone());
    tokio::spawn(async move {
        if let Some(system) = setup.chats.get(&chat) {
            drop(system.answer(&asked, Visible::Person, false, &message).await);
        }
        drop(seat);
    });
}

/// What came through a socket: what Slack is told.
pub(super) async fn heard(shared: Arc<Shared>, chat: String, came: Result<Incoming, Refused>) -> Told {
    let setup = shared.setup();
    let asked = match came {
        Ok(asked) => asked,
        Err(why) => {
            shared.metrics.hook("chat", why.word());
            tracing::info!(chat, result = why.word(), "a request of a chat was refused");
            return Told::Nothing;
        }
    };
    // It may have been taken out of the config while this was on its way.
    let Some(system) = setup.chats.get(&chat) else { return Told::Nothing };
    match take(&shared, &setup, &chat, &asked).await {
        Intake::Taken { .. } => Told::Taken,
        Intake::NotStored => Told::Nothing,
        Intake::Full(message) => match system.at_once(&asked.what, &message) {
            Some(words) => Told::Words(words),
            None => {
                tell_beside(&shared, setup.clone(), &chat, &asked, message);
                Told::Taken
            }
        },
    }
}

// What stops things has a seat whatever else waits.
const _: () = assert!((ALL_MAX as usize) < lanes::AT_WORK_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_waits_for_nobody_and_strangers_have_half() {
        let [known, stranger] = [room(true, false), room(false, false)];
        assert_eq!(room(true, true).all, None, "others do not matter");
        assert!(room(true, true).own > known.own, "nor what they asked themselves");
        assert_eq!(room(false, true), stranger, "a stranger's `pause` is refused anyway");
        assert!(stranger.all < known.all && stranger.own <= known.own);
        for taken in [Taken::FullOfTheirs(20), Taken::FullOfAll(400)] {
            let words = words(taken);
            assert!(
                words.contains("Nothing was done") && words.contains("again") && words.contains("`pause`"),
                "{words}"
            );
        }
    }
}
