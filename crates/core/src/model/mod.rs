//! The words of Towpath as types: see `ARCHITECTURE.md` for the map and README for the words.
//!
//! Plain data with public fields; no policy (that is `decide`), no text for people (`explain`).

pub mod audit;
pub mod beside;
pub mod co_author;
mod event_word;
pub mod flow;
pub mod heads_up;
pub mod http;
pub mod id;
pub mod ledger;
pub mod migrations;
pub mod plan;
pub mod request;
pub mod seen;
pub mod standing;
pub mod time;
pub mod verdict;

pub use audit::*;
pub use beside::*;
pub use co_author::*;
pub use flow::*;
pub use heads_up::*;
pub use http::*;
pub use id::*;
pub use ledger::*;
pub use migrations::*;
pub use plan::*;
pub use request::*;
pub use seen::*;
pub use standing::*;
pub use time::{ClockRow, Instant, Now, Reading, Span, Trusted};
pub use verdict::*;
