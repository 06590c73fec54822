//! Programs and what they do.
