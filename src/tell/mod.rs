//! What other systems are told of what happens: `[sink.NAME]` of the config.
//!
//! An event stands in the outbox of its flow, durable in the transaction that records it. A pass hands it out: one
//! [notice](notice::Notice) for each sink that wants it, in the store ([`sink`]). From there it is sent, outside of
//! passes, until the sink took it or it is given up ([`post`]).
//!
//! | file | what it is about |
//! |---|---|
//! | [`events`] | the table of events: word, severity, example |
//! | [`notice`] | what is told, and the default body |
//! | [`presets`] | the forms that known receivers want, a row each |
//! | [`template`] | forms of people's own |
//! | [`sign`] | Standard Webhooks |
//! | [`backoff`] | when something is tried again, and when it is given up |
//! | [`chat`] | messages in Slack and Mattermost, one for each promotion and problem |
//!
//! Not here: sentences (`explain` of the core), what is said on forges (`engine::voice`), and the rows (`store`).

pub mod backoff;
pub mod chat;
pub mod events;
mod json;
pub mod notice;
pub mod post;
pub mod presets;
pub mod sign;
pub mod sink;
pub mod template;

pub use sink::{Besides, Sinks};
pub use template::without_expressions;
