//! The order of migrations: by their dependencies, as Django's executor goes through them.
//!
//! After django/db/migrations/graph.py. Not here: files.

use std::collections::{BTreeMap, BTreeSet};

/// A migration's app and name.
pub type Key = (String, String);

/// What the order is made of.
#[derive(Debug, Default)]
pub struct Graph {
    parents: BTreeMap<Key, BTreeSet<Key>>,
}

impl Graph {
    /// Adds a migration.
    pub fn add(&mut self, key: Key) {
        self.parents.entry(key).or_default();
    }

    /// One migration needs another. What is not there is left out.
    pub fn needs(&mut self, key: &Key, parent: &Key) {
        let Some(parent) = self.meant(parent, key) else { return };
        if parent != *key
            && let Some(parents) = self.parents.get_mut(key)
        {
            parents.insert(parent);
        }
    }

    /// Whether a migration is there.
    pub fn has(&self, key: &Key) -> bool {
        self.parents.contains_key(key)
    }

    fn meant(&self, key: &Key, by: &Key) -> Option<Key> {
        let mut of_app = self.parents.keys().filter(|(app, _)| *app == key.0 && *app != by.0);
        match key.1.as_str() {
            "__first__" => of_app.next().cloned(),
            "__latest__" => of_app.next_back().cloned(),
            _ => self.has(key).then(|| key.clone()),
        }
    }

    /// All migrations, each after what it needs; what turns in a circle is cut somewhere.
    pub fn order(&self) -> Vec<Key> {
        let mut done: BTreeSet<&Key> = BTreeSet::new();
        let mut order = vec![];
        for start in self.leaves().into_iter().chain(self.parents.keys()) {
            let mut stack = vec![(start, false)];
            let mut open: BTreeSet<&Key> = BTreeSet::new();
            while let Some((key, ready)) = stack.pop() {
                if ready {
                    if done.insert(key) {
                        order.push(key.clone());
                    }
                    continue;
                }
                if done.contains(key) || !open.insert(key) {
                    continue;
                }
                stack.push((key, true));
                stack.extend(self.parents.get(key).into_iter().flatten().map(|parent| (parent, false)));
            }
        }
        order
    }

    /// Migrations that none of their own app needs.
    pub fn leaves(&self) -> Vec<&Key> {
        let mut needed: BTreeSet<&Key> = BTreeSet::new();
        for (key, parents) in &self.parents {
            needed.extend(parents.iter().filter(|parent| parent.0 == key.0));
        }
        self.parents.keys().filter(|key| !needed.contains(key)).collect()
    }
}
