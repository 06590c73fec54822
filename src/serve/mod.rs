//! The long-running service: keeps many flows moving.
//!
//! A wake-up only says that a flow is worth looking at; what is done about it is decided by the
//! tick, from a fresh look. `queue` says which flow is next, `due` when one is worth a look by
//! itself, `ticker` is the look schedule, `reload` swaps the config, `discover` asks forges for repositories, `post` brings
//! notices to sinks, `intake` takes up and
//! `talk` answers what people say in chats, in turn (`lanes`), `sockets` keeps the connections
//! by which some of it comes, `watch` reads what other processes wrote, and `run` is the loop that joins them.
//!
//! Not here: what is decided (`towpath_core`), how a pass is made (`engine`), and the web surfaces
//! (`server`).

mod beat;
mod chatter;
pub mod comment;
mod discover;
mod due;
pub mod intake;
mod lanes;
mod late;
mod metrics;
mod news;
mod notify;
mod post;
pub mod pressed;
mod pulse;
mod queue;
mod reload;
mod run;
mod shared;
mod showing;
mod sockets;
mod talk;
mod ticker;
mod watch;

pub use metrics::Metrics;
pub use notify::{notify, watchdog, watchdog_every};
pub use pulse::{Pulse, Refused, Reload};
pub use queue::{Ended, Queue, Row, Wake};
pub use reload::{Fresh, reload};
pub use run::{ServeError, patience, run};
pub use shared::Shared;
