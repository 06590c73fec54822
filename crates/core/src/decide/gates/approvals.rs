//! `gates.approvals`: enough people approved exactly the candidate.

use std::collections::BTreeSet;

use crate::decide::Look;
use crate::model::{
    Approval, ApprovalsGate, AuthorsMay, Edge, EdgeKey, Fact, NotCounted, NotCountedWhy, Reason, Verdict, Waiting,
    Who,
};

/// Whether enough approvals count. `None` when the authors of the range are not yet known.
pub fn judge(gate: &ApprovalsGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let given: Vec<&Approval> = look
        .seen
        .standing
        .approvals
        .iter()
        .filter(|a| a.flow == edge.flow.name && a.env == edge.target.name && a.commit == candidate.id)
        .collect();
    let nobody = BTreeSet::new();
    let authors = if given.is_empty() || gate.authors == AuthorsMay::Allow {
        &nobody
    } else {
        let key = EdgeKey { env: edge.target.name.clone(), commit: candidate.id };
        match look.seen.facts.authors.get(&key) {
            None => {
                look.missing.authors.insert(key);
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Verdict::unknown(unknown.clone())),
            Some(Fact::Known(authors)) => authors,
        }
    };
    let mut counted = BTreeSet::new();
    let mut not_counted = Vec::new();
    for approval in given {
        match why_not(gate, approval, authors) {
            Some(why) => not_counted.push(NotCounted { by: approval.by.clone(), why }),
            None => {
                counted.insert(approval.by.clone());
            }
        }
    }
    let have = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    if have >= gate.required {
        return Some(Verdict::Pass { why: Reason::Approved { by: counted.into_iter().collect() } });
    }
    let why = Reason::ApprovalsMissing { have, need: gate.required, not_counted };
    let on = Who::Approvers(gate.from.iter().cloned().collect());
    Some(Verdict::Wait { why, on, until: None })
}

/// Whether it hangs on the authors of the range whether an approval counts.
pub fn asks_for_authors(gate: &ApprovalsGate, approval: &Approval) -> bool {
    gate.authors == AuthorsMay::Refuse && approval.email.is_some()
}

/// Why an approval does not count, if it does not; `authors` are the e-mails of whoever wrote a commit of
/// the range, and are not looked at where [`asks_for_authors`] says no.
pub fn why_not(gate: &ApprovalsGate, approval: &Approval, authors: &BTreeSet<String>) -> Option<NotCountedWhy> {
    if !gate.from.is_empty() && !gate.from.contains(approval.by.as_str()) {
        return Some(NotCountedWhy::NotListed);
    }
    if gate.authors == AuthorsMay::Allow {
        return None;
    }
    match &approval.email {
        None => Some(NotCountedWhy::EmailUnknown),
        Some(email) if authors.contains(email) => Some(NotCountedWhy::Author),
        Some(_) => None,
    }
}
