//! `POST /chat/NAME`: what people say in the chat `[chat.NAME]`, and at `/chat/NAME/press` which buttons they press.
//!
//! A request is proven, stored and acknowledged; it is answered from the store (`serve::talk`), a press of Mattermost's in
//! the response itself if that comes in time (`serve::pressed`). Without that name in the config there is no such
//! address. Not here: proofs and forms (`chat`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use towpath_core::text::one_line;

use super::forge_hooks::{ROOM, whole};
use crate::chat::incoming::{BODY_MAX, Refused};
use crate::chat::system::Heard;
use crate::serve::Shared;
use crate::serve::intake::{self, Intake};
use crate::serve::pressed::Waits;

/// For how long a body is read: the platforms give up after three seconds.
const READING_TIME: Duration = Duration::from_millis(2_500);

/// Until when after a press its answer may come in the response. Mattermost waits for 30 seconds unless it was told
/// otherwise (`OutgoingIntegrationRequestsTimeout`, docs.mattermost.com), and whoever pressed sees nothing until then.
const PRESSED_TIME: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Chats {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

/// What is answered at once.
enum Came<'s> {
    /// It is stored, now or before. Whoever pressed a button may wait for the answer.
    Taken(Option<Waits<'s>>),
    /// There is no room for it: what the platform shows the person, as JSON.
    Full(String),
    /// The platform only looked.
    Probe,
    /// There is no such chat. Which there are, strangers are not told.
    Nothing,
    /// It was refused.
    Refused(Refused),
    /// It could not be stored: the platform tells the person that nobody answered.
    NotStored,
}

/// The routes under `/chat`.
pub fn router(shared: Arc<Shared>) -> Router {
    let chats = Chats { shared, room: Arc::new(Semaphore::new(ROOM)) };
    Router::new().route("/{name}", post(said)).route("/{name}/press", post(pressed)).with_state(chats)
}

async fn said(state: State<Chats>, name: Path<String>, headers: HeaderMap, body: Body) -> Response {
    answer(state, name, &headers, body, false).await
}

async fn pressed(state: State<Chats>, name: Path<String>, headers: HeaderMap, body: Body) -> Response {
    answer(state, name, &headers, body, true).await
}

async fn answer(
    State(chats): State<Chats>,
    Path(name): Path<String>,
    headers: &HeaderMap,
    body: Body,
    pressed: bool,
) -> Response {
    let begun = tokio::time::Instant::now();
    match take(&chats, &name, headers, body, pressed).await {
        // Nothing yet: the answer follows. Mattermost wants JSON, and Slack shows no empty message.
        Came::Taken(waits) => {
            if let Some(waits) = waits
                && let Some(given) = waits.given(PRESSED_TIME.saturating_sub(begun.elapsed())).await
            {
                return given.into_response();
            }
            if pressed || is_mattermost(&chats, &name) {
                return ([(header::CONTENT_TYPE, "application/json")], "{}").into_response();
            }
            StatusCode::OK.into_response()
        }
        Came::Full(words) => ([(header::CONTENT_TYPE, "application/json")], words).into_response(),
        Came::Probe => StatusCode::OK.into_response(),
        Came::Nothing => (StatusCode::NOT_FOUND, "there is nothing here\n").into_response(),
        Came::NotStored => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Came::Refused(why) => {
            chats.shared.metrics.hook("chat", why.word());
            tracing::info!(chat = one_line(&name, 100), result = why.word(), "a request of a chat was refused");
            let status = match why {
                Refused::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Refused::TooSlow => StatusCode::REQUEST_TIMEOUT,
                Refused::Unreadable | Refused::NotOurs | Refused::Elsewhere => StatusCode::BAD_REQUEST,
                Refused::WrongTeam | Refused::WrongChannel => StatusCode::FORBIDDEN,
                Refused::NoSecrets
                | Refused::Unsigned
                | Refused::Forged
                | Refused::OutOfTime
                | Refused::Expired => StatusCode::UNAUTHORIZED,
            };
            (status, format!("{why}\n")).into_response()
        }
    }
}

fn is_mattermost(chats: &Chats, name: &str) -> bool {
    let setup = chats.shared.setup();
    setup.chats.get(name).is_some_and(|system| system.config.platform == towpath_core::people::Platform::Mattermost)
}

async fn take<'s>(chats: &'s Chats, name: &str, headers: &HeaderMap, body: Body, pressed: bool) -> Came<'s> {
    let setup = chats.shared.setup();
    let Some(system) = setup.chats.get(name) else { return Came::Nothing };
    if let Err(why) = system.may_be_proven(headers) {
        return Came::Refused(why);
    }
    // Anybody may send one: room is taken as bytes come, so whoever sends none keeps none from others.
    let Ok(read) = timeout(READING_TIME, whole(&chats.room, body, BODY_MAX)).await else {
        return Came::Refused(Refused::TooSlow);
    };
    let Some((body, _room)) = read else { return Came::Refused(Refused::TooLarge) };
    let asked = match system.read(headers, &body, pressed).await {
        Ok(Heard::Probe) => return Came::Probe,
        Ok(Heard::Asked(asked)) => asked,
        Err(why) => return Came::Refused(why),
    };
    // Before it is stored: the answer may be there as soon as it is.
    let waits =
        if system.answers_in_response(&asked) { chats.shared.pressed.wait(name, &asked.once) } else { None };
    match intake::take(&chats.shared, &setup, name, &asked).await {
        Intake::Taken { new } => Came::Taken(waits.filter(|_| new)),
        Intake::NotStored => Came::NotStored,
        Intake::Full(message) => match system.at_once(&asked.what, &message) {
            Some(words) => Came::Full(words.to_string()),
            None => {
                intake::tell_beside(&chats.shared, setup.clone(), name, &asked, message);
                Came::Taken(None)
            }
        },
    }
}
