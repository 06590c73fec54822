//! Laws of the core, as properties over generated inputs that have several of everything.

mod acting;
mod blocked;
mod cases;
mod clock;
mod compat;
mod deciding;
mod heads_up;
mod history;
#[path = "../kit/mod.rs"]
mod kit;
mod noting;
mod pushed;
mod requests;
mod served;
