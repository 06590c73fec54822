//! Git: what a remote says, what moves there, and what history holds.
//!
//! Two tools, each for what it does well. The `git` program talks to remotes (`ls-remote`, `fetch`,
//! `push`), because it obeys hooks, protections and leases everywhere and can be killed; libgit2
//! (crate `git2`, built without its network features) reads our mirror, because it answers in
//! process. Why libgit2 never pushes: on a local path it skips the hooks of the repository and
//! overwrites what moved meanwhile, and its `push` returns `Ok` when the server refused.
//!
//! Not here: policy. Nothing in here decides whether a commit may move; but a push that is not the
//! kind of movement it claims to be is never sent.

pub mod author;
pub mod diff;
pub mod login;
pub mod mailmap;
pub mod mirror;
pub mod patch;
pub mod program;
pub mod push;
pub mod read;
pub mod remote;
pub mod transport;

mod process;
mod walk;
mod words;

pub use author::{Author, AuthorError};
pub use login::{BadToken, Login};
pub use mirror::Mirror;
pub use program::{Git, GitError, Limits, Version};
pub use remote::{BadRemote, Remote};
