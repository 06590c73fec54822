//! What a repository's `.mailmap` says: which addresses are one person's.
//!
//! The format is git's (gitmailmap(5), and `mailmap.c` for what is not said there). What is read here only ever adds an
//! address to those that a commit has: it makes nobody less of an author, whoever wrote the file.
//!
//! Not here: where the file comes from and how large it may be (the root package's `git::mailmap`), and which person has
//! an address (`people`).

use std::collections::{BTreeMap, BTreeSet};

/// A `.mailmap`, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailmap {
    /// By the address in a commit, in lower case.
    by_address: BTreeMap<String, Mapped>,
    /// By the address that commits are mapped to, in lower case: those in commits.
    back: BTreeMap<String, BTreeSet<String>>,
}

/// What an address in commits is mapped to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Mapped {
    /// Whatever name stands beside it.
    any: To,
    /// Only beside these names, in lower case.
    named: BTreeMap<String, To>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct To {
    name: Option<String>,
    email: Option<String>,
}

impl To {
    const fn is_none(&self) -> bool {
        self.name.is_none() && self.email.is_none()
    }
}

impl Mailmap {
    /// Reads a file. Lines that are none are passed over, as git does; of two about the same, the later one holds.
    pub fn parse(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            read.line(line);
        }
        read
    }

    fn line(&mut self, line: &str) {
        if line.starts_with('#') {
            return;
        }
        let Some((name, email, rest)) = name_and_email(line).filter(|(_, email, _)| !email.is_empty()) else {
            return;
        };
        let to_name = name.map(str::to_owned);
        let Some((old_name, old_email, _)) = name_and_email(rest) else {
            if to_name.is_some() {
                self.by_address.entry(email.to_lowercase()).or_default().any.name = to_name;
            }
            return;
        };
        let (old, new) = (old_email.to_lowercase(), email.to_lowercase());
        self.back.entry(new).or_default().insert(old.clone());
        let mapped = self.by_address.entry(old).or_default();
        let to_email = Some(email.to_owned());
        match old_name {
            Some(old_name) => {
                mapped.named.insert(old_name.to_lowercase(), To { name: to_name, email: to_email });
            }
            None => mapped.any = To { name: to_name.or_else(|| mapped.any.name.take()), email: to_email },
        }
    }

    /// What git makes of name and address of a commit; none where the file says nothing of them.
    pub fn of<'a>(&'a self, name: &'a str, email: &'a str) -> Option<(&'a str, &'a str)> {
        let mapped = self.by_address.get(&email.to_lowercase())?;
        let to = mapped.named.get(&name.to_lowercase()).unwrap_or(&mapped.any);
        (!to.is_none()).then(|| (to.name.as_deref().unwrap_or(name), to.email.as_deref().unwrap_or(email)))
    }

    /// The addresses of whoever wrote under these names and addresses, in lower case: those themselves, those that they
    /// are mapped to, and every other one that is mapped to one of these. (Beside which name that one would have to
    /// stand is not asked: to take one too many for an author refuses too much, never too little.)
    pub fn addresses<'a>(&'a self, of: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (name, email) in of {
            all.insert(email.to_lowercase());
            all.extend(self.of(name, email).map(|(_, email)| email.to_lowercase()));
        }
        let others: Vec<&String> = all.iter().filter_map(|email| self.back.get(email)).flatten().collect();
        let others: Vec<String> = others.into_iter().cloned().collect();
        all.extend(others);
        all
    }
}

/// `NAME <EMAIL>` at the beginning, and what is behind it.
fn name_and_email(text: &str) -> Option<(Option<&str>, &str, &str)> {
    let (name, rest) = text.split_once('<')?;
    let (email, rest) = rest.split_once('>')?;
    let name = name.trim();
    Some(((!name.is_empty()).then_some(name), email, rest))
}
