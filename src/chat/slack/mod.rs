//! Slack.
//!
//! `verify` is the proof of a request over HTTP, `read` what it says, `socket` the same without an open port;
//! `render` what we say in Block Kit, `api` the calls and `answers` what their errors mean; `look` asks what is in the way; `manifest` describes the
//! app that an administrator creates. All of it after docs.slack.dev; each module names its pages.

mod answers;
mod api;
mod look;
mod manifest;
mod read;
mod render;
pub mod socket;
mod verify;

#[cfg(test)]
mod tests;

pub use api::{Slack, reply};
pub use manifest::manifest;
pub use read::{Place, Read, read};
pub use render::render;
pub use verify::{Signature, sign};
