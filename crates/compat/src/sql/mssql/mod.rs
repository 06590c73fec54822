//! SQL Server.

use crate::migration::Limits;
use crate::operation::Step;

/// What a text does, statement by statement.
pub fn read(_text: &str, _limits: Limits) -> Vec<Step> {
    vec![]
}
