//! The wire of chat systems: what they send us, and what we send them. Values in, values out.
//!
//! `incoming.rs` is what any of them may send (a text after the trigger, or a button that was pressed) and why a
//! request is refused; `message.rs` is what we say. Each platform is a folder that knows its own proofs, forms,
//! limits and words: `read` makes an [`incoming::Incoming`] of a request, `render` makes JSON of a
//! [`message::Message`], `api` sends it and says what came of it ([`sent::Sent`]).
//!
//! Text from outside (subjects, names, reasons) enters as [`message::Span`]s and stays text: what each `render`
//! promises is in its module's documentation, and `hostile.rs` is the corpus that holds it to that.
//!
//! Not here: who may do what, what a command means, what is stored, when something is said again. A request that
//! comes twice is told by [`incoming::Incoming::once`], which whoever stores it looks at.

pub mod answer;
mod form;
pub mod incoming;
mod inert;
pub mod look;
pub mod mattermost;
pub mod message;
pub mod sent;
pub mod slack;
pub mod system;

#[cfg(test)]
mod fake;
#[cfg(test)]
pub(crate) mod hostile;
#[cfg(test)]
mod tests;
