//! What `doctor` says of discovery: how many repositories there are, what was not taken, and what is not there any more.

use towpath_core::text::one_line;

use super::{Finding, bad, good, note};
use crate::cli::session::Session;
use crate::config::ANOTHER;
use crate::discover::{Found, NotTaken, no_list, too_many, too_slow};

/// How many repositories that were not taken are named of one forge.
const NAMED_MAX: usize = 200;

pub(super) fn all(session: &Session, found: &Found, findings: &mut Vec<Finding>) {
    for of in &found.forges {
        let forge = &of.forge;
        match &of.listed {
            Ok(listed) => findings.push(good(format!(
                "`[forge.{forge}]` lists {listed} repositories: {} are flows by `discover`, {} match a group and are not taken",
                of.flows,
                of.left.len() + of.over + of.unlooked
            ))),
            Err(why) => findings.push(bad(format!(
                "{}. The {} flows that were discovered before stay",
                no_list(forge, why),
                of.flows
            ))),
        }
        for NotTaken { path, why, broken } in of.left.iter().take(NAMED_MAX) {
            let text = format!("`{forge}:{}`: not taken: {why}", one_line(path, 200));
            findings.push(if *broken { bad(text) } else { note(text) });
        }
        let more = of.left.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            findings.push(note(format!(
                "`[forge.{forge}]`: and {more} more are not taken, which the log of `serve` names"
            )));
        }
        if of.over > 0 {
            findings.push(bad(format!("`[forge.{forge}]`: {}", too_many(of.over))));
        }
        if of.unlooked > 0 {
            findings.push(note(format!("`[forge.{forge}]`: {}", too_slow(of.unlooked))));
        }
    }
    for row in &found.rows {
        let Some((since, why)) = row.gone.as_ref().filter(|(_, why)| why.starts_with(ANOTHER)) else { continue };
        let (path, why) = (one_line(&row.path, 200), one_line(why, 400));
        findings.push(bad(format!("`{}:{path}`: since {since}: {why}", row.forge)));
    }
    for flow in &session.config.flows {
        let Some(one) = &flow.discovered else { continue };
        if let Some((since, why)) = &one.gone {
            findings.push(note(format!(
                "`{}`: discovered, and since {since}: {}",
                flow.flow.name,
                one_line(why, 400)
            )));
        }
    }
}
