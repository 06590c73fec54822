//! Why somebody may not, and whom to ask.

use super::inert::name;
use crate::command::Verb;
use crate::people::{Denial, Place, Role, Surface};

/// The most people who are named.
const NAMED_MAX: usize = 3;

/// A refusal in one line: who may not what, what it would take, and who may.
pub fn refused(why: &Denial, who_may: &[String]) -> String {
    refused_for(why, who_may, None)
}

/// The same of something that takes the right of a verb and is another: `what` says what, as the beginning of "… takes
/// an operator": `lifting a freeze of`.
pub fn refused_for(why: &Denial, who_may: &[String], what: Option<&str>) -> String {
    let doing = |verb, place, more| doing(what.unwrap_or_else(|| gerund(verb)), place, more);
    match why {
        Denial::Unlinked { identity, verb, may_ask } => {
            let may = match (may_ask, verb.reads()) {
                (true, _) => "may only ask",
                (false, true) => "may not even ask, where anybody can write",
                (false, false) => "may do nothing, where anybody can write",
            };
            let identity = name(identity.to_string());
            format!(
                "{identity} is linked to no person here and so {may}: have it added to your identities in the config{}",
                ask(", or ask ", who_may, "")
            )
        }
        Denial::RoleTooLow { who, has, needs, verb, place, more } => format!(
            "{} is {} here; {} takes {}{}",
            name(who),
            a_role(*has),
            doing(*verb, place.as_ref(), *more),
            a_role(*needs),
            ask(": ask ", who_may, ", and there is none who may: whoever keeps the config can change that")
        ),
        Denial::Rule { who, rule, verb, surface, place, more } => format!(
            "the rule {} does not let {} do that: {} {}{}",
            name(rule),
            name(who),
            doing(*verb, place.as_ref(), *more),
            from(*surface),
            ask("; ask ", who_may, " is open to nobody")
        ),
    }
}

/// Whom to ask, or what to say where there is nobody.
fn ask(lead: &str, who_may: &[String], else_say: &str) -> String {
    let shown: Vec<String> = who_may.iter().take(NAMED_MAX).map(name).collect();
    let rest = who_may.len() - shown.len();
    match (shown.as_slice(), rest) {
        ([], _) => else_say.to_owned(),
        ([one], 0) => format!("{lead}{one}"),
        ([firsts @ .., last], 0) => format!("{lead}{} or {last}", firsts.join(", ")),
        (some, 1) => format!("{lead}{} or one other", some.join(", ")),
        (some, rest) => format!("{lead}{} or one of {rest} others", some.join(", ")),
    }
}

fn a_role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Developer => "a developer",
        Role::Operator => "an operator",
        Role::ReleaseManager => "a release manager",
        Role::Admin => "an admin",
    }
}

fn from(surface: Surface) -> &'static str {
    match surface {
        Surface::Cli => "on the command line",
        Surface::Api => "by the API",
        Surface::Chat => "from chat",
        Surface::Comment => "by a comment",
        Surface::Page => "on the pages",
    }
}

/// What is done, where: ``pausing `checkout` `production` ``.
fn doing(what: &str, place: Option<&Place>, more: usize) -> String {
    let at = match place {
        None => String::new(),
        Some(place) => format!(" {} {}", name(place.flow.as_str()), name(place.env.as_str())),
    };
    let others = match more {
        0 => String::new(),
        1 => " and one other environment".to_owned(),
        more => format!(" and {more} other environments"),
    };
    format!("{what}{at}{others}")
}

fn gerund(verb: Verb) -> &'static str {
    match verb {
        Verb::Pause => "pausing",
        Verb::Freeze => "freezing",
        Verb::Resume => "resuming",
        Verb::Hold => "holding a commit in",
        Verb::Unhold => "lifting a hold in",
        Verb::Approve => "approving for",
        Verb::Promote => "promoting to",
        Verb::Rollback => "rolling back",
        Verb::Override => "overriding a gate of",
        Verb::Retry => "trying again in",
        Verb::Report => "reporting a check for",
        Verb::Status => "seeing the status of",
        Verb::Explain => "asking about",
        Verb::Where => "looking for a commit in",
        Verb::Diff => "comparing",
        Verb::History => "seeing the history of",
        Verb::Whoami => "asking who one is",
        Verb::Help => "asking for help",
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::people::Identity;

    fn people(count: usize) -> Vec<String> {
        ["marek", "ola", "zoe", "yan", "xi"].into_iter().take(count).map(str::to_owned).collect()
    }

    /// The snapshot is for reading.
    #[test]
    fn a_refusal_says_who_may() {
        let place = |env: &str| Some(Place { flow: "shop/checkout".into(), env: env.into(), production: true });
        let low = |verb, place, more| Denial::RoleTooLow {
            who: "ana".to_owned(),
            has: Role::Developer,
            needs: Role::Operator,
            verb,
            place,
            more,
        };
        let rule = |who: &str, verb, surface, more| Denial::Rule {
            who: who.to_owned(),
            rule: "no rollback".to_owned(),
            verb,
            surface,
            place: place("production"),
            more,
        };
        let unlinked =
            |verb, may_ask| Denial::Unlinked { identity: Identity::forge("gl", "x`\u{1b}y"), verb, may_ask };
        let mut said = String::new();
        for (why, who_may) in [
            (low(Verb::Pause, place("production"), 0), 2),
            (low(Verb::Promote, place("production"), 0), 1),
            (low(Verb::Freeze, place("staging"), 1), 3),
            (low(Verb::Hold, place("staging"), 7), 4),
            (low(Verb::Resume, None, 0), 5),
            (low(Verb::Rollback, place("production"), 0), 0),
            (rule("ana", Verb::Rollback, Surface::Chat, 0), 2),
            (rule("os:ci@host", Verb::Pause, Surface::Cli, 2), 0),
            (unlinked(Verb::Pause, true), 2),
            (unlinked(Verb::Pause, false), 0),
            (unlinked(Verb::Status, false), 1),
        ] {
            writeln!(said, "{}", refused(&why, &people(who_may))).unwrap();
        }
        insta::assert_snapshot!(said);
    }

    #[test]
    fn every_refusal_is_one_harmless_line() {
        for row in crate::command::VERBS {
            for surface in Surface::ALL {
                let (who, rule) = ("a\nb".to_owned(), "`\u{202e}".to_owned());
                let why = Denial::Rule { who, rule, verb: row.verb, surface, place: None, more: 0 };
                let said = refused(&why, &["\u{1b}[31m".to_owned()]);
                assert!(!said.chars().any(char::is_control) && !said.contains('\u{202e}'), "{said:?}");
            }
        }
    }
}
