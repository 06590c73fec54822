//! What runs in an environment whose `deployed` names a check: the tip on which it last turned green, those
//! that came since and are still to be deployed, and for a while what was deployed before.
//!
//! Not here: what code that runs means for a candidate (`gates/migrations.rs`).

use super::ci;
use crate::decide::Look;
use crate::model::{CheckRef, CodeRunning, Deployed, Fact, NamedCheck, Trusted, Unknown, UnknownWhy};

/// The code that may be running there. `None` when something was not yet asked.
pub fn running(deployed: &Deployed, look: &mut Look<'_>) -> Option<Result<Vec<CodeRunning>, Unknown>> {
    let mut greens: Vec<(usize, Trusted)> = Vec::new();
    let mut looked_at = 0;
    let check = NamedCheck { name: deployed.check.clone(), on: CheckRef::Any };
    for (at, tip) in deployed.tips.iter().enumerate() {
        looked_at = at + 1;
        let items = match look.seen.facts.ci.get(tip) {
            None => {
                look.missing.ci.insert(*tip);
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Err(unknown.clone())),
            Some(Fact::Known(items)) => items,
        };
        if let Some(since) = ci::turned_green(&check, items, &deployed.branch) {
            greens.push((at, since));
            if greens.len() == 2 {
                break;
            }
        }
    }
    let Some((last, since)) = greens.first().copied() else {
        let words = format!(
            "none of the last {} tips of `{}` has a green check `{}`, so it is not known what runs there",
            deployed.tips.len(),
            deployed.env,
            deployed.check
        );
        return Some(Err(Unknown::passing(UnknownWhy::Migrations { words })));
    };
    let now = look.now();
    let over = since + deployed.settle;
    let before = if now.trusted < over { looked_at } else { last + 1 };
    let rows = deployed.tips.iter().take(before).enumerate().map(|(at, commit)| CodeRunning {
        env: deployed.env.clone(),
        commit: *commit,
        until: (at > last).then(|| now.wall_at(over)),
        next: deployed.tips.first().copied().filter(|_| (1..=last).contains(&at)),
    });
    Some(Ok(rows.collect()))
}
