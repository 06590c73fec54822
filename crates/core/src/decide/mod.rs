//! The whole policy: what may move and why, from facts alone. See the types in `model`.

pub mod gates;

use crate::model::{Pause, PauseKind, Reason};

/// The reason that a pause or freeze gives.
pub fn pause_reason(pause: &Pause) -> Reason {
    let (by, reason, at, until) = (pause.by.clone(), pause.reason.clone(), pause.at, pause.until);
    match pause.kind {
        PauseKind::Pause => Reason::Paused { by, reason, at, until },
        PauseKind::Freeze => Reason::Frozen { by, reason, at, until },
    }
}
