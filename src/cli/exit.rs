//! Exit codes: see `views::exit`. Every surface has the same ones.

pub use crate::views::Exit;
