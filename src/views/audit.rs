//! What people commanded, allowed or not, newest first.

use serde::{Deserialize, Serialize};
use towpath_core::model::{AuditRow, FlowName};
use utoipa::ToSchema;

use super::cursor::Cursor;
use super::problem::Problem;
use crate::setup::Setup;

/// What people commanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    /// Newest first.
    pub audit: Vec<AuditEntry>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the order in which things were recorded.
    pub seq: i64,
    /// The flow; none for a command that was not about a single one.
    #[schema(value_type = Option<String>)]
    pub flow: Option<FlowName>,
    /// `id`, `at` (epoch milliseconds), `by`, `command`, `allowed`, `effect` and `concerns`: `all`, or `flows` with
    /// their names.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub row: AuditRow,
}

/// Makes it: at most `limit` commands behind `before`, of one flow or of everything; `shown` says
/// which of them may be seen.
///
/// # Errors
/// If the store cannot be read.
pub async fn audit(
    setup: &Setup,
    flow: Option<&FlowName>,
    before: Option<i64>,
    limit: usize,
    shown: impl Fn(&AuditEntry) -> bool,
) -> Result<Audit, Problem> {
    let rows = setup.world.store().audit_before(flow, before, limit.saturating_add(1)).await?;
    let mut audit: Vec<AuditEntry> =
        rows.into_iter().map(|(seq, flow, row)| AuditEntry { seq, flow, row }).collect();
    let next = (audit.len() > limit && limit > 0).then(|| Cursor::Row(audit[limit - 1].seq).to_string());
    audit.truncate(limit);
    audit.retain(shown);
    Ok(Audit { audit, next })
}
