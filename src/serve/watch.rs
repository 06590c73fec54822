//! What other processes wrote into the store: a `pause`, a `report`, an order.
//!
//! `PRAGMA data_version` says that something changed, the audit says which flows it concerns.

use std::collections::BTreeSet;

use towpath_core::model::{Concerns, FlowName};

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
        if orders.concerns.len() >= ORDERS_MAX {
            return Ok(Touched::All);
        }
        let mut touched = BTreeSet::new();
        for concerns in orders.concerns {
            match concerns {
                Concerns::All => return Ok(Touched::All),
                Concerns::Flows(flows) => touched.extend(flows),
            }
        }
        Ok(Touched::Flows(touched.into_iter().collect()))
    }
}
