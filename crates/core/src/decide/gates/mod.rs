//! The gates, one rule a file. Which gate is judged when, and with what, is listed once, in
//! `judge::gate_verdict`: a new gate is a file here, a variant of `Gate`, and what the compiler
//! then asks for.

pub mod approvals;
pub mod ci;
pub mod http;
pub mod lag;
pub mod quiet;
pub mod schedule;
pub mod window;
