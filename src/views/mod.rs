//! What can be looked at, as plain values: one file for each.
//!
//! Each view is a struct that holds every sentence and mark ready to show, one function that makes
//! it from a [`Setup`](crate::setup::Setup), and one that lays it out as lines. The command line prints it, the API
//! serves the very same struct, and `--server` fetches it and prints it with the same layout: so
//! all three say the same, by construction.
//!
//! Not here: policy, what is decided, HTTP, and how lines are coloured (`cli::out`).

mod answer;
mod audit;
mod banner;
mod commit;
pub mod compare;
mod cursor;
mod diff;
mod edge;
mod exit;
mod history;
mod mine;
mod page;
mod pass;
mod place;
mod plan;
mod problem;
mod promotions;
mod said;
mod status;
mod text;
mod tokens;
mod who;

pub use answer::{Answer, order};
pub use audit::{Audit, AuditEntry, audit};
pub use banner::{Banner, FlowBanners, banners};
pub use commit::{CommitOnEdge, CommitView, commit, no_commit};
pub use compare::{Compare, compare};
pub use cursor::Cursor;
pub use diff::{ChangedFile, DiffView, diff};
pub use edge::{EdgeView, edge};
pub use exit::Exit;
pub use history::{History, HistoryEntry, history};
pub use mine::mine;
pub use page::{Line, json_text, words};
pub use pass::{FlowPass, Passes, run};
pub use place::{CommitHere, Where, where_is};
pub use plan::{FlowPlan, Plans, Saved, plan, replay};
pub use problem::{CODES, Code, CodeRow, Problem};
pub use promotions::{Promotion, Promotions, Which, promotions};
pub use said::{Spoken, Sure, say};
pub use status::{FlowStatus, Status, status};
pub use text::{Explained, Marked, Step, counted};
pub use tokens::{NewTokenView, TokenView, Tokens, tokens};
pub use who::{May, WhoView, who};

/// The version of the JSON of every view. Fields are added within a version, never changed.
pub const SCHEMA_VERSION: u32 = 1;
