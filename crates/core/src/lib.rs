//! What moves, when and why: the pure core of Towpath.
//!
//! No I/O, no clock, no async; and policy that cannot fail.

pub mod act;
pub mod calendar;
pub mod command;
pub mod compare;
pub mod dag;
pub mod decide;
pub mod explain;
pub mod model;
pub mod people;
pub mod repository;
pub mod see;
pub mod text;
