//! What runs in an environment whose `deployed` names a check: the tip on which it last turned green, those
//! that came since and are still to be deployed, and for a while what was deployed before.
//!
//! Not here: what code that runs means for a candidate (`gates/migrations.rs`).

use super::ci;
use crate::decide::Look;
use crate::model::{
    CheckRef, CiItem, CiState, CodeRunning, Deployed, Fact, NamedCheck, Trusted, Unknown, UnknownWhy,
};

/// The code that may be running there. `None` when something was not yet asked.
///
/// Deployments are put in order by when the check turned green, not by the order of the tips: an old one may
/// have been deployed once more.
pub fn running(deployed: &Deployed, look: &mut Look<'_>) -> Option<Result<Vec<CodeRunning>, Unknown>> {
    // Only on the environment's own branch: the same check on another says nothing of this place.
    let check = NamedCheck { name: deployed.check.clone(), on: CheckRef::Source };
    let (mut greens, mut others, mut whole) = (Vec::new(), Vec::new(), true);
    for (at, tip) in deployed.tips.iter().enumerate() {
        match look.seen.facts.ci.get(tip) {
            None => {
                look.missing.ci.insert(*tip);
                whole = false;
            }
            Some(Fact::Unknown(unknown)) => return Some(Err(unknown.clone())),
            Some(Fact::Known(items)) => match ci::turned_green(&check, items, &deployed.branch) {
                Some(since) => greens.push((since, at)),
                None => others.push((at, items.iter().any(|item| is_under_way(item, deployed)))),
            },
        }
    }
    if !whole {
        return None;
    }
    greens.sort_by_key(|(since, at)| (*since, std::cmp::Reverse(*at)));
    let Some((_, last)) = greens.last().copied() else {
        // What is being deployed will be green, or a person has to say what runs.
        let comes = others.iter().any(|(_, deploys)| *deploys);
        let why = none_is_green(deployed);
        return Some(Err(if comes { Unknown::passing(why) } else { Unknown::lasting(why) }));
    };
    let now = look.now();
    let row = |at: usize, until: Option<Trusted>| CodeRunning {
        env: deployed.env.clone(),
        commit: deployed.tips[at],
        until: until.map(|until| now.wall_at(until)),
        next: deployed.tips.first().copied().filter(|_| at != 0 && until.is_none()),
    };
    let mut rows = vec![row(last, None)];
    for pair in greens.windows(2) {
        let [(_, at), (replaced, _)] = pair else { continue };
        let over = *replaced + deployed.settle;
        if now.trusted < over {
            rows.push(row(*at, Some(over)));
        }
    }
    // Being deployed now, or still to be: every tip above the newest that ever was.
    let newest = greens.iter().map(|(_, at)| *at).min().unwrap_or(last);
    rows.extend(others.into_iter().filter(|(at, deploys)| *deploys || *at < newest).map(|(at, _)| row(at, None)));
    Some(Ok(rows))
}

fn is_under_way(item: &CiItem, deployed: &Deployed) -> bool {
    let here = item.on.as_ref().is_none_or(|on| on == &deployed.branch);
    here && item.name == deployed.check && item.state == CiState::Running
}

fn none_is_green(deployed: &Deployed) -> UnknownWhy {
    let words = format!(
        "none of the last {} tips of `{}` has a green check `{}` on its branch, so it is not known what runs there",
        deployed.tips.len(),
        deployed.env,
        deployed.check
    );
    UnknownWhy::Migrations { words }
}
