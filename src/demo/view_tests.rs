//! Frames under snapshot.
