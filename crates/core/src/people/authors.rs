//! Who wrote a commit, for mentioning them and for telling authors from approvers.
//!
//! What a commit says of its author is text that anybody can write. It serves to name, to mention and to
//! refuse; nobody is ever allowed anything for it.

use std::collections::BTreeSet;

use super::accounts::Known;
use super::{ForgeHost, Identity, People, PersonCard, is_bot};
use crate::model::CoAuthor;

/// What is known of whoever wrote a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Authorship<'a> {
    /// The name in the commit.
    pub name: &'a str,
    /// The e-mail address in the commit.
    pub email: &'a str,
    /// The account that the forge says it is: the forge's name in the config, and the login.
    pub account: Option<(&'a str, &'a str)>,
    /// What `.mailmap` makes of name and address.
    pub mailmap: Option<(&'a str, &'a str)>,
}

/// Who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author<'p> {
    /// Somebody the config has.
    Person(&'p PersonCard),
    /// A machine: never mentioned.
    Bot {
        /// What it calls itself.
        name: String,
    },
    /// Anybody else.
    Stranger {
        /// Their name, not made inert.
        name: String,
        /// Their account, if one is known.
        account: Option<Identity>,
        /// An address under which a chat system may know them; none where a forge made it up.
        email: Option<String>,
    },
}

/// Who wrote a commit: by the address in it, by the forge's account, by the login in an address that a forge made up, and
/// by what `.mailmap` makes of it. The first that the config has: a `.mailmap` makes nobody of who is somebody, and nobody
/// somebody else.
pub fn author<'p>(people: &'p People, forges: &[ForgeHost], of: &Authorship<'_>) -> Author<'p> {
    let (name, email) = of.mailmap.unwrap_or((of.name, of.email));
    let (own, mapped) = (hidden(forges, of.email), hidden(forges, email));
    let account = of.account.map(|(forge, login)| Identity::forge(forge, login));
    let tries = [Some(mail(of.email)), account.clone(), own.clone(), Some(mail(email)), mapped.clone()];
    let made_up = own.or(mapped);
    if let Some(card) = tries.iter().flatten().find_map(|identity| people.who(identity)) {
        return Author::Person(card);
    }
    let login = of.account.map_or("", |(_, login)| login);
    let name = if name.trim().is_empty() { of.name } else { name };
    if [of.name, of.email, name, email, login].into_iter().any(is_bot) {
        return Author::Bot { name: name.to_owned() };
    }
    let reachable = made_up.is_none() && mail(email).is_sound();
    Author::Stranger {
        name: name.to_owned(),
        account: account.or(made_up),
        email: reachable.then(|| email.to_lowercase()),
    }
}

/// The account in an address that one of the forges made up.
fn hidden(forges: &[ForgeHost], email: &str) -> Option<Identity> {
    forges.iter().find_map(|forge| forge.login_in(email).map(|login| Identity::forge(&forge.name, login)))
}

fn mail(address: &str) -> Identity {
    Identity::Email(address.trim().to_owned())
}

/// The most co-authors of one commit that are read.
pub const CO_AUTHORS_MAX: usize = 100;

/// How many characters of a co-author's name are kept, of an address, and of all of one commit together. Of an
/// address that is longer nothing is: it is none (RFC 3696, erratum 1690), and half of one is another one.
const CO_AUTHOR_MAX: (usize, usize, usize) = (120, 320, 4_000);

/// Name and address of each `Co-authored-by: NAME <ADDRESS>` in a commit's message, each address once.
///
/// Wherever such a line stands: who squashes by hand puts it anywhere, and to take one too many for an author
/// refuses too much, never too little.
pub fn co_authors(message: &str) -> Vec<(&str, &str)> {
    const KEY: &str = "co-authored-by:";
    let mut found: Vec<(&str, &str)> = Vec::new();
    let trailers = message.lines().filter_map(|line| {
        let (key, value) = line.split_at_checked(KEY.len())?;
        key.eq_ignore_ascii_case(KEY).then_some(value)
    });
    for value in trailers {
        let Some((name, rest)) = value.split_once('<') else { continue };
        let Some((email, _)) = rest.split_once('>') else { continue };
        let pair = (name.trim(), email.trim());
        if !pair.1.is_empty() && !found.iter().any(|(_, email)| email.eq_ignore_ascii_case(pair.1)) {
            found.push(pair);
        }
        if found.len() == CO_AUTHORS_MAX {
            break;
        }
    }
    found
}

/// The same as it is kept of a commit whose author has that address: without the author, and no more than people
/// would ever look at, whatever somebody pushed.
pub fn co_authors_in(message: &str, author: &str) -> Vec<CoAuthor> {
    let (name_max, email_max, mut room) = CO_AUTHOR_MAX;
    let mut found = Vec::new();
    for (name, email) in co_authors(message) {
        let length = email.chars().count();
        if length > email_max || email.to_lowercase() == author.trim().to_lowercase() {
            continue;
        }
        let name: String = name.chars().take(name_max).collect();
        let used = length + name.chars().count();
        if used > room {
            break;
        }
        room -= used;
        found.push(CoAuthor { name, email: email.to_lowercase() });
    }
    found
}

/// Addresses in lower case, and with them every address of each person who has one of them: who wrote under
/// one address is the author under all. For `gates.approvals`, which knows an approver by one address.
pub fn every_address(people: &People, forges: &[ForgeHost], of: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = of.iter().map(|address| address.to_lowercase()).collect();
    for address in of {
        let known = people.who(&mail(address)).or_else(|| people.who(&hidden(forges, address)?));
        all.extend(known.into_iter().flat_map(PersonCard::emails));
    }
    all
}

/// Whether somebody wrote one of the commits with these authors' addresses. What a forge says counts of an address that
/// the config gives to nobody.
pub fn is_author(card: &PersonCard, known: &Known<'_>, of: &BTreeSet<String>) -> bool {
    let who = |identity: &Identity| known.people.who(identity);
    let same = |found: Option<&PersonCard>| found.is_some_and(|found| found.name == card.name);
    of.iter().any(|address| {
        let by_mail = who(&mail(address));
        let told = known.accounts.identity(address).filter(|_| by_mail.is_none());
        same(by_mail)
            || hidden(known.forges, address).is_some_and(|account| same(who(&account)))
            || told.is_some_and(|account| same(who(&account)))
    })
}
