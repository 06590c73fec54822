//! The gates, one rule a file. Which gate is judged when, and with what, is listed once, in
//! `judge::gate_verdict`; how orders, requests and the order of judging treat it, in [`manner`]. A new
//! gate is a file here, a row there, a variant of `Gate`, and what the compiler then asks for.

pub mod approvals;
pub mod ci;
mod deployed;
pub mod http;
pub mod lag;
pub mod migrations;
pub mod quiet;
pub mod schedule;
pub mod window;

use crate::model::GateKind;

/// How a kind of gate is treated.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether `promote` passes it.
    pub promote_passes: bool,
    /// Whether people or the calendar open it, so that it is judged when a request is merged and not
    /// for proposing. (`ci` is, too, where it is the forge that requires the checks.)
    pub at_the_merge: bool,
    /// Whether it is judged when everything else is, and only of what that lets move: somebody's server
    /// is asked about each commit. Such gates stand last in [`GateKind::ALL`], so that judgements keep
    /// their order.
    pub last: bool,
}

/// The table of how gates are treated: one row a gate.
pub const fn manner(kind: GateKind) -> Manner {
    const PLAIN: Manner = Manner { promote_passes: false, at_the_merge: false, last: false };
    match kind {
        GateKind::Ci | GateKind::Migrations => PLAIN,
        GateKind::Lag | GateKind::Quiet => Manner { promote_passes: true, ..PLAIN },
        GateKind::Window | GateKind::Schedule => Manner { promote_passes: true, at_the_merge: true, ..PLAIN },
        GateKind::Approvals => Manner { at_the_merge: true, ..PLAIN },
        GateKind::Http => Manner { last: true, ..PLAIN },
    }
}
