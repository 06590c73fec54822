//! The list of gates; one rule a file.

pub mod window;
