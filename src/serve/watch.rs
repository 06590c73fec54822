//! What other processes wrote into the store: a `pause`, a `report`, an order.
//!
//! `PRAGMA data_version` says that something changed, the audit says which flows it concerns.

use towpath_core::model::FlowName;

use crate::engine::RealWorld;
use crate::store::StoreError;

/// How far the store was read.
#[derive(Debug, Default)]
pub struct Watch {
    version: Option<i64>,
    seq: Option<i64>,
}

/// Which flows others ordered something of.
#[derive(Debug, PartialEq, Eq)]
pub enum Touched {
    /// These, perhaps none.
    Flows(Vec<FlowName>),
    /// Every flow.
    All,
}

/// How many orders are told apart in one look; beyond it every flow is woken.
const ORDERS_MAX: usize = 500;

impl Watch {
    /// What was ordered since the last call; the first call only takes note.
    ///
    /// # Errors
    /// Those of any read of the store.
    pub async fn look(&mut self, world: &RealWorld) -> Result<Touched, StoreError> {
        let version = world.store().data_version().await?;
        if self.version == Some(version) {
            return Ok(Touched::Flows(Vec::new()));
        }
        let orders = world.store().ordered_since(self.seq, ORDERS_MAX).await?;
        let first = self.seq.is_none();
        (self.version, self.seq) = (Some(version), Some(orders.newest));
        if first {
            return Ok(Touched::Flows(Vec::new()));
        }
        if orders.flows.len() >= ORDERS_MAX || orders.flows.iter().any(Option::is_none) {
            return Ok(Touched::All);
        }
        let mut flows: Vec<FlowName> = orders.flows.into_iter().flatten().collect();
        flows.sort();
        flows.dedup();
        Ok(Touched::Flows(flows))
    }
}
