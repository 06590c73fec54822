//! Texts and what they do.
