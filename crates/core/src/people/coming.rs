//! Whose commits a heads-up is about: whom to name and to call, and what "hold mine" holds.
//!
//! Goes by names and addresses in the commit, and by `.mailmap` where it is given: the author's, and those of a `Co-authored-by:`, who are as
//! much its authors (after a squash the author is only who opened the request). And only the commits that the
//! heads-up names are looked at, which are the newest ten.

use super::authors::{Author, Authorship, author};
use super::{ForgeHost, Mailmap, Mention, People, PersonCard};
use crate::model::{Coming, CommitId};

/// Somebody whose commits are about to enter an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concerned<'p> {
    /// Who.
    pub author: Author<'p>,
    /// Their commits, in the order of the heads-up.
    pub commits: Vec<CommitId>,
    /// Whether they are called (mentioned, so that they are notified) and not only named.
    pub called: bool,
}

/// Who wrote a commit: its author, then who wrote it as well, those whom the config has first, each once under however
/// many addresses. A machine is named as an author; one that only helped is nobody whom people would ask.
pub fn writers<'p>(
    people: &'p People,
    forges: &[ForgeHost],
    mailmap: &Mailmap,
    commit: &Coming,
) -> Vec<Author<'p>> {
    let by = |name: &str, email: &str| {
        author(people, forges, &Authorship { name, email, account: None, mailmap: mailmap.of(name, email) })
    };
    let mut all = vec![by(&commit.author, &commit.email)];
    for other in &commit.co_authors {
        let found = by(&other.name, &other.email);
        if !matches!(found, Author::Bot { .. }) && !all.iter().any(|known| is_same(known, &found)) {
            all.push(found);
        }
    }
    // However many strangers somebody writes below a commit, those whom the config has are not behind them.
    all[1..].sort_by_key(|other| !matches!(other, Author::Person(_)));
    all
}

/// Everybody who wrote something of it, each once, in the order of the heads-up; `usual` is for whom the config
/// says nothing of mentions. Machines are named, as authors, and never called.
pub fn concerned<'p>(
    people: &'p People,
    forges: &[ForgeHost],
    usual: Mention,
    commits: &[Coming],
) -> Vec<Concerned<'p>> {
    let mut all: Vec<Concerned<'p>> = Vec::new();
    let wrote = commits
        .iter()
        .flat_map(|one| writers(people, forges, &Mailmap::default(), one).into_iter().map(move |who| (one, who)));
    for (commit, author) in wrote {
        if let Some(known) = all.iter_mut().find(|known| is_same(&known.author, &author)) {
            known.commits.push(commit.id);
            continue;
        }
        let mention = match &author {
            Author::Person(card) => card.mention.unwrap_or(usual),
            Author::Bot { .. } => Mention::Never,
            Author::Stranger { .. } => usual,
        };
        all.push(Concerned { author, commits: vec![commit.id], called: mention >= Mention::HeadsUp });
    }
    all
}

/// The oldest commit of a heads-up that somebody wrote: a hold of it stops everything of theirs, for what came
/// later contains it. (Where histories were merged a later one of theirs may not: `concerned` has them all.)
pub fn oldest_of<'c>(
    card: &PersonCard,
    people: &People,
    forges: &[ForgeHost],
    commits: &'c [Coming],
) -> Option<&'c Coming> {
    let is_card = |found: &Author<'_>| matches!(found, Author::Person(found) if found.name == card.name);
    commits.iter().rev().find(|commit| writers(people, forges, &Mailmap::default(), commit).iter().any(is_card))
}

/// Strangers are the same by account or address, and by name only where they have neither.
fn is_same(one: &Author<'_>, other: &Author<'_>) -> bool {
    match (one, other) {
        (Author::Person(one), Author::Person(other)) => one.name == other.name,
        (Author::Bot { name: one }, Author::Bot { name: other }) => one == other,
        (
            Author::Stranger { name, account, email },
            Author::Stranger { name: its_name, account: its_account, email: its_email },
        ) => {
            let neither = account.is_none() && email.is_none();
            (account, email) == (its_account, its_email) && (!neither || name == its_name)
        }
        _ => false,
    }
}
