//! Which accounts on a forge have the addresses in commits, as that forge says.
//!
//! A commit's text may name anybody, and a forge goes by the address in it: what is said here serves to name, to mention
//! and to let people stop what is theirs, as an address does. Nobody is allowed anything else for it.
//!
//! Not here: asking the forge, and for how long its answers hold (the root package's `engine::real`).

use std::collections::BTreeMap;

use super::Identity;
use super::authors::{Author, Authorship, author};
use super::{ForgeHost, Mailmap, People};
use crate::dag::Node;
use crate::model::{Coming, CommitId};

/// Name and address by which a commit says who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The commit.
    pub commit: CommitId,
    /// The name in it.
    pub name: String,
    /// The address in it.
    pub email: String,
    /// Whether it is that of a `Co-authored-by:`, not of git's author.
    pub co_author: bool,
}

impl Signature {
    /// Those of a commit of the history: the author's, then those of co-authors.
    pub fn of_node(node: &Node) -> Vec<Self> {
        let others = node.co_authors.iter().map(|other| (&*other.name, &*other.email));
        Self::all(node.id, (&node.author, &node.email), others)
    }

    /// The same of an announced commit.
    pub fn of_coming(commit: &Coming) -> Vec<Self> {
        let others = commit.co_authors.iter().map(|other| (&*other.name, &*other.email));
        Self::all(commit.id, (&commit.author, &commit.email), others)
    }

    fn all<'a>(
        commit: CommitId,
        author: (&'a str, &'a str),
        others: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Self> {
        let one = |co_author: bool, (name, email): (&str, &str)| Self {
            commit,
            name: name.to_owned(),
            email: email.to_owned(),
            co_author,
        };
        std::iter::once(one(false, author)).chain(others.map(|other| one(true, other))).collect()
    }
}

/// Accounts on one forge by the addresses in commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    forge: String,
    /// By the address in lower case.
    logins: BTreeMap<String, String>,
}

impl Accounts {
    /// Those that the forge of that name in the config told: addresses and login names.
    pub fn new(forge: &str, told: impl IntoIterator<Item = (String, String)>) -> Self {
        let logins = told.into_iter().map(|(email, login)| (email.trim().to_lowercase(), login)).collect();
        Self { forge: forge.to_owned(), logins }
    }

    /// The forge's name in the config and the login name of whoever has that address.
    pub fn of(&self, email: &str) -> Option<(&str, &str)> {
        let login = self.logins.get(&email.trim().to_lowercase())?;
        Some((&self.forge, login))
    }

    pub(super) fn identity(&self, email: &str) -> Option<Identity> {
        self.of(email).map(|(forge, login)| Identity::forge(forge, login))
    }
}

/// By what whoever wrote a commit is known.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// Everybody that the config has.
    pub people: &'k People,
    /// Its forges, of which each makes up addresses of its own.
    pub forges: &'k [ForgeHost],
    /// What the `.mailmap` of the branch says that it is about.
    pub mailmap: &'k Mailmap,
    /// What the forge said.
    pub accounts: &'k Accounts,
}

impl<'k> Known<'k> {
    /// Who that is: the author of a commit, or whom it names as another one.
    pub fn author(&self, name: &str, email: &str) -> Author<'k> {
        let (account, mailmap) = (self.accounts.of(email), self.mailmap.of(name, email));
        author(self.people, self.forges, &Authorship { name, email, account, mailmap })
    }

    /// Whether nothing tells who that is, but perhaps the forge: neither the config, nor `.mailmap`, nor a login name in
    /// an address that a forge made up. Of machines nothing is asked.
    pub fn asks_forge(&self, name: &str, email: &str) -> bool {
        let is_address = Identity::Email(email.trim().to_owned()).is_sound();
        is_address && matches!(self.author(name, email), Author::Stranger { account: None, .. })
    }
}
