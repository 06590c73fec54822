//! Who wrote what a problem is about, or what moved, as the mirror has it: chats name them, and call those who want it.
//!
//! Not here: which person that is (`people::authors` of the core), and who is called (`crate::tell::chat`).

use towpath_core::model::{CommitId, Event, Fact, MoveKind, Verdict, Who};
use towpath_core::people::accounts::Signature;
use towpath_core::people::is_bot;

use super::blocking;
use crate::git::{Mirror, read};

/// The most commits that are looked through, and the most people that are told.
const NODES_MAX: usize = 1_000;
const WROTE_MAX: usize = 30;

/// The commits that an event is about: down to where, and the newest. One commit where both are the same.
pub(super) const fn about(event: &Event) -> Option<(CommitId, CommitId)> {
    match event {
        Event::Rewound { lost, kept, .. } | Event::Withdrawn { lost, kept } => Some((*kept, *lost)),
        Event::Landed { kind: MoveKind::Rollback, old, new } => Some((*new, *old)),
        Event::Landed { kind: MoveKind::FastForward, old, new } | Event::Moved { old, new } => Some((*old, *new)),
        Event::Refused { kind: MoveKind::FastForward, new: one, .. } | Event::Behind { oldest: one, .. } => {
            Some((*one, *one))
        }
        // Who wrote it has nothing to mend where the server, or whoever runs something, has to.
        Event::Blocked { commit: Some(one), verdict, .. } if is_of_the_code(verdict) => Some((*one, *one)),
        Event::Refused { .. }
        | Event::PutBack { .. }
        | Event::CalledOff { .. }
        | Event::Proposed { .. }
        | Event::Overtaken { .. }
        | Event::CaughtUp { .. }
        | Event::Blocked { .. }
        | Event::Unblocked { .. }
        | Event::EndsSoon { .. }
        | Event::HeadsUp { .. }
        | Event::TakenBack { .. } => None,
    }
}

/// Whether whoever pushes can mend it.
const fn is_of_the_code(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Block { who: Who::Pushers(_), .. })
}

/// Names and addresses of who wrote these commits, each address once, newest first, as an author's where it is one's;
/// nobody where the mirror cannot tell.
pub(super) async fn wrote(mirror: Mirror, (base, newest): (CommitId, CommitId)) -> Vec<Signature> {
    let look = move || {
        let dag = match read::load(&mirror, &[base], &[newest], NODES_MAX) {
            Fact::Known(dag) => dag,
            Fact::Unknown(unknown) => return Err(unknown),
        };
        let mut found: Vec<Signature> = Vec::new();
        let (range, there) = (dag.ancestors([newest]), dag.ancestors([base]));
        let one = dag.node(newest).filter(|_| base == newest);
        for node in dag.written(&range, &there).chain(one) {
            // A machine that only helped has nothing to mend.
            let has_something_to = |signed: &Signature| {
                !signed.co_author || !(signed.email.is_empty() || is_bot(&signed.name) || is_bot(&signed.email))
            };
            for signed in Signature::of_node(node).into_iter().filter(has_something_to) {
                let known = found.iter_mut().find(|known| known.email == signed.email);
                // Of an author a forge tells more.
                if let Some(known) = known {
                    if known.co_author && !signed.co_author {
                        (known.commit, known.co_author) = (signed.commit, false);
                    }
                } else if found.len() < WROTE_MAX {
                    found.push(signed);
                }
            }
        }
        Ok(found)
    };
    blocking(look).await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::events::ROWS;

    #[test]
    fn people_are_told_of_problems_and_moves_whose_commits_are_known() {
        let found: Vec<&str> =
            ROWS.iter().filter(|row| about(&(row.example)()).is_some()).map(|row| row.word).collect();
        assert_eq!(
            found,
            ["promoted", "rolled-back", "moved-by-hand", "rewound", "withdrawn", "refused", "behind", "blocked"]
        );
    }
}
