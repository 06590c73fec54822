//! Whose accounts the co-authors of commits have, where the forge tells the authors' alone.
//!
//! A co-author is an address in a commit's message. It is known whose it is where the forge knows it as the address of an
//! author (a commit that bears it is looked for in the loaded history, and the forge is asked for its author), where
//! `[people]` has somebody with that address and an account there, where the forge made it up from a login, or where the
//! forge tells whose it is. Of any other nobody knows whether they are the one who approves.
//!
//! Not here: GitHub, which tells co-authors itself, and what follows from it (`decide::gates::approvals` of the core).

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::dag::{Dag, Node};
use towpath_core::model::{Actor, AuthorLogins, CommitId, Fact, FlowName, Stranger, Unknown};

use super::crowd::Crowd;
use super::forges::OnForge;

/// Of how many addresses the forge is asked whose they are; those of more count as not known.
const ASKED_MAX: usize = 50;

impl OnForge {
    /// The authors of some commits, and their co-authors.
    pub(super) async fn with_co_authors(
        &self,
        authors: Fact<AuthorLogins>,
        written: &[&Node],
        at: (&Dag, &Crowd, &FlowName),
    ) -> Fact<AuthorLogins> {
        match authors {
            Fact::Known(authors) if !self.forge.tells_co_authors() => {
                self.resolved(authors, written, at).await.map_or_else(Fact::Unknown, Fact::Known)
            }
            other => other,
        }
    }

    async fn resolved(
        &self,
        mut found: AuthorLogins,
        written: &[&Node],
        (dag, crowd, flow): (&Dag, &Crowd, &FlowName),
    ) -> Result<AuthorLogins, Unknown> {
        let mut left = named(written);
        if left.is_empty() {
            return Ok(found);
        }
        // What was said of the authors of the range holds for co-authors of the same address.
        let unknown: BTreeSet<CommitId> = found.strangers.iter().map(|stranger| stranger.commit).collect();
        let all_told = !found.unlinked || !unknown.is_empty();
        for node in written.iter().filter(|node| all_told && !unknown.contains(&node.id)) {
            left.remove(&node.email);
        }
        self.by_witnesses(&mut found, &mut left, dag).await?;
        let mut asked = 0;
        for (address, commit) in left {
            let mut logins = crowd.logins(flow, &address);
            if logins.is_empty() && !address.is_empty() && asked < ASKED_MAX {
                asked += 1;
                logins.extend(self.forge.account(&address).await?);
            }
            if logins.is_empty() {
                found.unlinked = true;
                found.strangers.push(Stranger { commit, email: Some(address), co_author: true });
            }
            found.logins.extend(logins.into_iter().map(Actor::new));
        }
        Ok(found)
    }

    /// Asks for the authors of commits that bear the same addresses and are not of the range.
    async fn by_witnesses(
        &self,
        found: &mut AuthorLogins,
        left: &mut BTreeMap<String, CommitId>,
        dag: &Dag,
    ) -> Result<(), Unknown> {
        let mut witnesses: BTreeMap<CommitId, String> = BTreeMap::new();
        let mut sought: BTreeSet<&String> = left.keys().filter(|address| !address.is_empty()).collect();
        for node in dag.nodes().iter().rev() {
            if sought.remove(&node.email) {
                witnesses.insert(node.id, node.email.clone());
            }
        }
        if witnesses.is_empty() {
            return Ok(());
        }
        let commits: Vec<CommitId> = witnesses.keys().copied().collect();
        let told = match self.authors(&commits).await {
            Fact::Known(told) => told,
            Fact::Unknown(unknown) => return Err(unknown),
        };
        // They wrote nothing here but as co-authors, which is what they are counted for.
        found.logins.extend(told.logins);
        if told.unlinked && told.strangers.is_empty() {
            return Ok(());
        }
        for stranger in told.strangers {
            witnesses.remove(&stranger.commit);
        }
        for address in witnesses.values() {
            left.remove(address);
        }
        Ok(())
    }
}

/// The addresses of co-authors, each with the newest commit that names it.
fn named(written: &[&Node]) -> BTreeMap<String, CommitId> {
    let mut named = BTreeMap::new();
    for node in written {
        for other in &node.co_authors {
            named.entry(other.email.clone()).or_insert(node.id);
        }
    }
    named
}
