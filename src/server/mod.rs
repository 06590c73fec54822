//! The web surfaces of a running service.

pub mod api;
