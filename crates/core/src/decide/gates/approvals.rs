//! `gates.approvals`: enough people approved exactly the candidate.
//!
//! Where commits enter by fast-forward, approvals come from `towpath approve`; where they enter by
//! request, from the open request alone.

use std::collections::BTreeSet;

use crate::decide::{Look, request};
use crate::model::{
    AccountHolder, Actor, Approval, ApprovalsGate, AuthorLogins, AuthorsMay, Edge, EdgeKey, Fact, Given,
    NotCounted, NotCountedWhy, Reason, Unknown, Verdict, Waiting, Who,
};

/// Whether enough approvals count. `None` when facts about those who gave them are not yet known.
pub fn judge(gate: &ApprovalsGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let given = given(edge, candidate, look)?;
    let mut about = About { gate, key: EdgeKey { env: edge.target.name.clone(), commit: candidate.id }, look };
    let mut counted = BTreeSet::new();
    let mut addresses: BTreeSet<String> = BTreeSet::new();
    let mut people: BTreeSet<&Actor> = BTreeSet::new();
    let mut not_counted = Vec::new();
    let mut unknown = None;
    let mut complete = true;
    for approval in &given {
        match about.why_not(approval) {
            // Somebody who comes under two names has one address, or is known to have both.
            Some(Ok(None))
                if !addresses.is_disjoint(&approval.addresses())
                    || approval.person.as_ref().is_some_and(|person| people.contains(&person.name)) => {}
            Some(Ok(None)) => {
                addresses.extend(approval.addresses());
                people.extend(approval.person.as_ref().map(|person| &person.name));
                counted.insert(approval.by.clone());
            }
            Some(Ok(Some(why))) => {
                let stranger = (why == NotCountedWhy::AuthorUnknown).then(|| about.stranger()).flatten();
                not_counted.push(NotCounted { by: approval.by.clone(), why, stranger });
            }
            Some(Err(why)) => unknown = Some(why),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let have = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    if have >= gate.required {
        return Some(Verdict::Pass { why: Reason::Approved { by: counted.into_iter().collect() } });
    }
    if let Some(unknown) = unknown {
        return Some(Verdict::unknown(unknown));
    }
    let why = Reason::ApprovalsMissing { have, need: gate.required, not_counted };
    let on = Who::Approvers(gate.from.iter().cloned().collect());
    Some(Verdict::Wait { why, on, until: None })
}

/// Whether it hangs on the authors of the range whether an approval counts.
pub fn asks_for_authors(gate: &ApprovalsGate, approval: &Approval) -> bool {
    gate.authors == AuthorsMay::Refuse && approval.email.is_some()
}

/// Why an approval by command does not count, if it does not; `authors` are the e-mails of whoever wrote a
/// commit of the range, and are not looked at where [`asks_for_authors`] says no.
pub fn why_not(gate: &ApprovalsGate, approval: &Approval, authors: &BTreeSet<String>) -> Option<NotCountedWhy> {
    if !gate.from.is_empty() && !gate.from.contains(approval.by.as_str()) {
        return Some(NotCountedWhy::NotListed);
    }
    if gate.authors == AuthorsMay::Allow {
        return None;
    }
    by_email(approval.email.as_ref(), &approval.also, authors)
}

/// Whether somebody with that e-mail, if it is known, and those others wrote a commit of the range.
fn by_email(email: Option<&String>, also: &BTreeSet<String>, authors: &BTreeSet<String>) -> Option<NotCountedWhy> {
    match email {
        _ if !also.is_disjoint(authors) => Some(NotCountedWhy::Author),
        None => Some(NotCountedWhy::EmailUnknown),
        Some(email) if authors.contains(email) => Some(NotCountedWhy::Author),
        Some(_) => None,
    }
}

/// An approval, from wherever it came.
struct OfCandidate {
    by: Actor,
    email: Option<String>,
    also: BTreeSet<String>,
    person: Option<AccountHolder>,
    /// Whether the forge can say which logins wrote the commits.
    on_forge: bool,
    not_here: Option<NotCountedWhy>,
}

impl OfCandidate {
    /// Every address of whoever gave it, as far as they are known.
    fn addresses(&self) -> BTreeSet<String> {
        self.email.iter().chain(&self.also).cloned().collect()
    }
}

/// The approvals that were given for the candidate, or for something that may be taken for it.
fn given(edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Vec<OfCandidate>> {
    if !request::by_request(edge) {
        let here =
            |a: &&Approval| a.flow == edge.flow.name && a.env == edge.target.name && a.commit == candidate.id;
        let approvals = look.seen.standing.approvals.iter().filter(here);
        let of = |a: &Approval| OfCandidate {
            by: a.by.clone(),
            email: a.email.clone(),
            also: a.also.clone(),
            person: None,
            on_forge: false,
            not_here: None,
        };
        return Some(approvals.map(of).collect());
    }
    let Some(fact) = look.seen.facts.requests.get(&edge.target.name) else {
        look.missing.requests.insert(edge.target.name.clone());
        return None;
    };
    let open = fact.known().and_then(|requests| request::ours(look, requests));
    let Some(open) = open.filter(|open| open.head == candidate.id) else { return Some(Vec::new()) };
    let of = |approval: &crate::model::RequestApproval| OfCandidate {
        by: approval.by.clone(),
        email: approval.email.clone(),
        also: approval.person.iter().flat_map(|person| &person.emails).cloned().collect(),
        person: approval.person.clone(),
        on_forge: true,
        not_here: match approval.given {
            given if request::bound(look, open.head, given) => None,
            Given::For(_) => Some(NotCountedWhy::OtherHead),
            Given::At(_) => Some(NotCountedWhy::TooEarly),
            Given::Unbound => Some(NotCountedWhy::HeadUnknown),
        },
    };
    Some(open.approvals.iter().map(of).collect())
}

struct About<'g, 'l, 'a> {
    gate: &'g ApprovalsGate,
    key: EdgeKey,
    look: &'l mut Look<'a>,
}

impl About<'_, '_, '_> {
    /// Why an approval does not count, if it does not; or what is not known about it. `None` when a
    /// fact was not yet asked for.
    fn why_not(&mut self, approval: &OfCandidate) -> Option<Result<Option<NotCountedWhy>, Unknown>> {
        if let Some(why) = approval.not_here {
            return Some(Ok(Some(why)));
        }
        match self.listed(&approval.by)? {
            Ok(true) => {}
            Ok(false) => return Some(Ok(Some(NotCountedWhy::NotListed))),
            Err(unknown) => return Some(Err(unknown)),
        }
        if self.gate.authors == AuthorsMay::Allow {
            return Some(Ok(None));
        }
        let emails = match self.look.seen.facts.authors.get(&self.key) {
            None => {
                self.look.missing.authors.insert(self.key.clone());
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Err(unknown.clone())),
            Some(Fact::Known(emails)) => emails,
        };
        let by_email = by_email(approval.email.as_ref(), &approval.also, emails);
        if !approval.on_forge || by_email == Some(NotCountedWhy::Author) {
            return Some(Ok(by_email));
        }
        let logins = match self.look.seen.facts.logins.get(&self.key) {
            None => {
                self.look.missing.logins.insert(self.key.clone());
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Err(unknown.clone())),
            Some(Fact::Known(logins)) => logins,
        };
        Some(Ok(is_author(approval, logins)))
    }

    /// The newest commit whose author has no account, as far as that is known.
    fn stranger(&self) -> Option<crate::model::Stranger> {
        self.look.seen.facts.logins.get(&self.key)?.known()?.strangers.first().cloned()
    }

    /// Whether `from` lists somebody: by name, or by a team that has them.
    fn listed(&mut self, by: &Actor) -> Option<Result<bool, Unknown>> {
        if self.gate.from.is_empty() || self.gate.from.contains(by.as_str()) {
            return Some(Ok(true));
        }
        let (mut unknown, mut complete) = (None, true);
        for team in self.gate.from.iter().filter_map(|from| from.strip_prefix('@')) {
            match self.look.seen.facts.teams.get(team) {
                None => {
                    self.look.missing.teams.insert(team.to_owned());
                    complete = false;
                }
                Some(Fact::Known(members)) if members.contains(by) => return Some(Ok(true)),
                Some(Fact::Known(_)) => {}
                Some(Fact::Unknown(why)) => unknown = Some(why.clone()),
            }
        }
        complete.then_some(unknown.map_or(Ok(false), Err))
    }
}

fn is_author(approval: &OfCandidate, authors: &AuthorLogins) -> Option<NotCountedWhy> {
    let theirs = |login: &Actor| {
        approval.person.as_ref().is_some_and(|person| person.logins.contains(&login.as_str().to_lowercase()))
    };
    if authors.logins.contains(&approval.by) || authors.logins.iter().any(theirs) {
        return Some(NotCountedWhy::Author);
    }
    // A commit whose author the forge does not know may be anybody's: people have several addresses, so
    // that one of theirs is another proves nothing.
    authors.unlinked.then_some(NotCountedWhy::AuthorUnknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_cannot_be_told_from_an_author_is_not_counted() {
        let by = |name: &str| OfCandidate {
            by: name.into(),
            email: None,
            also: BTreeSet::new(),
            person: None,
            on_forge: true,
            not_here: None,
        };
        let authors = |unlinked| AuthorLogins { logins: ["ana".into()].into(), unlinked, strangers: Vec::new() };
        assert_eq!(is_author(&by("ana"), &authors(false)), Some(NotCountedWhy::Author));
        assert_eq!(is_author(&by("bo"), &authors(false)), None);
        assert_eq!(is_author(&by("ana"), &authors(true)), Some(NotCountedWhy::Author));
        assert_eq!(is_author(&by("bo"), &authors(true)), Some(NotCountedWhy::AuthorUnknown));
        let second = |logins: &[&str]| OfCandidate {
            person: Some(AccountHolder {
                name: "Ana".into(),
                emails: BTreeSet::new(),
                logins: logins.iter().map(|login| (*login).to_owned()).collect(),
            }),
            ..by("ana-work")
        };
        assert_eq!(is_author(&second(&["ana", "ana-work"]), &authors(false)), Some(NotCountedWhy::Author));
        assert_eq!(is_author(&second(&["ana-work"]), &authors(false)), None);
    }
}
