//! Changelogs and what they do.
