//! Whose commits a heads-up is about: whom to name and to call, and what "hold mine" holds.
//!
//! Goes by names and addresses in the commit, by `.mailmap` and by what the forge said of them where these are given: the author's, and
//! those of a `Co-authored-by:`, who are as much its authors (after a squash the author is only who opened the request).
//! And only the commits that the heads-up names are looked at, which are the newest ten.

use super::PersonCard;
use super::accounts::Known;
use super::authors::Author;
use crate::model::Coming;

/// Who wrote a commit: its author, then who wrote it as well, those whom the config has first, each once under however
/// many addresses. A machine is named as an author; one that only helped is nobody whom people would ask.
pub fn writers<'k>(known: &Known<'k>, commit: &Coming) -> Vec<Author<'k>> {
    let mut all = vec![known.author(&commit.author, &commit.email)];
    for other in &commit.co_authors {
        let found = known.author(&other.name, &other.email);
        if !matches!(found, Author::Bot { .. }) && !all.iter().any(|known| is_same(known, &found)) {
            all.push(found);
        }
    }
    // However many strangers somebody writes below a commit, those whom the config has are not behind them.
    all[1..].sort_by_key(|other| !matches!(other, Author::Person(_)));
    all
}

/// The commits of a heads-up that somebody wrote, in its order. Where histories were merged the newer ones need not contain
/// the oldest.
pub fn theirs<'c>(card: &PersonCard, known: &Known<'_>, commits: &'c [Coming]) -> Vec<&'c Coming> {
    let is_card = |found: &Author<'_>| matches!(found, Author::Person(found) if found.name == card.name);
    commits.iter().filter(|commit| writers(known, commit).iter().any(is_card)).collect()
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
            if let (Some(account), Some(its_account)) = (account, its_account) {
                return account.key() == its_account.key();
            }
            let neither = account.is_none() && email.is_none();
            (account, email) == (its_account, its_email) && (!neither || name == its_name)
        }
        _ => false,
    }
}
