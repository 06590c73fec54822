//! The rules: a row each, with its reason, its recipe, an accepted and a refused example.
//!
//! Not here: reading and replaying.
