//! `gates.http`: a server of the user's says that exactly the candidate may pass.
//!
//! It is asked about what everything else lets move, and about nothing else (`judge::judge`). Whatever
//! it says that is no verdict is unknown, which waits and never passes.

use crate::decide::Look;
use crate::model::{
    Edge, EdgeKey, Fact, HttpGate, HttpSaid, HttpVerdict, Now, Reason, Span, Verdict, Waiting, Who,
};

/// What the server says of the candidate. `None` when it was not yet asked.
pub fn judge(gate: &HttpGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let key = EdgeKey { env: edge.target.name.clone(), commit: candidate.id };
    match look.seen.facts.http.get(&key) {
        None => {
            look.missing.http.insert(key);
            None
        }
        Some(Fact::Unknown(unknown)) => Some(Verdict::unknown(unknown.clone())),
        Some(Fact::Known(said)) => Some(verdict(gate, said, look.now())),
    }
}

/// The least time after which a server is asked again because it said when: none is to have itself
/// asked without end.
const AGAIN_LEAST: Span = Span::from_mins(1);

/// The server's verdict as one of ours. An `until` that is over says nothing of when it will be.
fn verdict(gate: &HttpGate, said: &HttpSaid, now: Now) -> Verdict {
    let (host, words) = (gate.host().to_owned(), said.words.clone());
    let who = || Who::Service(gate.host().to_owned());
    match said.verdict {
        HttpVerdict::Pass => Verdict::Pass { why: Reason::HttpPasses { host, words } },
        HttpVerdict::Wait { until } => Verdict::Wait {
            why: Reason::HttpWaits { host, words },
            on: who(),
            until: until.filter(|at| *at > now.wall).map(|at| at.max(now.wall + AGAIN_LEAST)),
        },
        HttpVerdict::Block => Verdict::Block { why: Reason::HttpBlocks { host, words }, who: who() },
    }
}
