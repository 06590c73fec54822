//! Mattermost.
//!
//! `read` is what a slash command or a button says and what proves it, with `seal` for the buttons and `trigger` for
//! the person; `render` is what we say, `escape` how texts become Markdown that shows them; `api` the calls, `direct` what one person is told,
//! `look` what is in the way, `manifest` what an administrator does. After developers.mattermost.com and the server's own source
//! (github.com/mattermost/mattermost); each module names its places.
//!
//! # What a stranger could forge who reaches our address
//!
//! A slash command carries a token that only the server and we know, and the same `trigger_id` as a button
//! (`ExecuteCommand`, `tryExecuteCustomCommand`, server/channels/app/command.go): the token opens the door for
//! questions, and only a trigger of the same user lets an order through. A button carries nothing of the server's: the
//! request is plain JSON, in which `user_id` is whatever its sender wrote. So:
//!
//! * Knowing nothing, nothing: every button holds a [`seal`] of ours (HMAC over press, channel and time), without
//!   which no press is read.
//! * Members of a channel do not see seals. The server takes `integration`, with the context in it, out of posts
//!   before clients get them (`Post.StripActionIntegrations`, server/public/model/integration_action.go; the comment
//!   at `PostAction.Integration` there; those of ephemeral posts are encrypted into a cookie). Whoever reads the
//!   server's database, a plugin's, or an unencrypted line between the server and us does see them.
//! * Who saw one can press that button, in that channel, for [`seal::LASTS`], in anybody's name. Against the last the
//!   server's signature in `trigger_id` helps ([`trigger`]): it names the user and the moment, and is checked with
//!   the public key that the server tells everybody. Where that key is known a press whose trigger does not fit is
//!   refused; where it is not, the press is [`Proof::Nobody`](super::incoming::Proof::Nobody), and nothing may be
//!   done in the person's name.
//! * What is left: who has a seal and makes the person use another integration of his own (which is sent a trigger of
//!   that person's) can press within five minutes of it. A trigger is taken once, by
//!   [`Incoming::once`](super::incoming::Incoming::once).

mod api;
mod direct;
mod escape;
mod keys;
mod look;
mod manifest;
mod read;
mod render;
pub mod seal;
pub mod trigger;

#[cfg(test)]
mod tests;

pub use api::Mattermost;
pub use keys::Keys;
pub(super) use look::OfButtons;
pub use manifest::manifest;
pub use read::{Claim, Place, pressed, typed};
pub use render::{Buttons, People, ephemeral, people_of, render, reply};
