//! Who people are by the config, for counting approvals: one person's accounts and addresses are one person.
//!
//! Not here: what follows from it (`decide::gates::approvals` of the core).

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{AccountHolder, Fact, FlowName, RequestApproval, Requests};
use towpath_core::people::accounts::{Accounts, Known};
use towpath_core::people::authors::every_address;
use towpath_core::people::{ForgeHost, Identity, Mailmap, People, PersonCard};

use crate::config::{Config, FlowConfig};

/// The people of a config, and which forge each flow is on.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    people: People,
    hosts: Vec<ForgeHost>,
    forges: BTreeMap<FlowName, String>,
}

impl Crowd {
    /// Those of a config.
    pub fn of(config: &Config) -> Self {
        let on = |found: &FlowConfig| Some((found.flow.name.clone(), found.forge.clone()?));
        Self {
            people: config.laws.people.clone(),
            hosts: config.forge_hosts(),
            forges: config.flows.iter().filter_map(on).collect(),
        }
    }

    /// The addresses of these names and addresses, and every other one of whoever has one of them, by the config and by
    /// `.mailmap`; those that forges made up are known by the login in them.
    pub fn addresses(&self, mailmap: &Mailmap, of: &BTreeSet<(String, String)>) -> BTreeSet<String> {
        let of = mailmap.addresses(of.iter().map(|(name, email)| (name.as_str(), email.as_str())));
        every_address(&self.people, &self.hosts, &of)
    }

    /// The name of a flow's forge, where anybody here has an account there.
    pub fn forge(&self, flow: &FlowName) -> Option<&str> {
        let forge = self.forges.get(flow)?;
        let has_one = |card: &PersonCard| card.logins(forge).next().is_some();
        self.people.cards().iter().any(has_one).then_some(forge)
    }

    /// By what whoever wrote a commit is known, with what a file and a forge tell of them.
    pub fn known<'k>(&'k self, mailmap: &'k Mailmap, accounts: &'k Accounts) -> Known<'k> {
        Known { people: &self.people, forges: &self.hosts, mailmap, accounts }
    }

    /// The accounts on a flow's forge of whoever has this address: those that the config has of that person, or the one in
    /// an address that the forge made up. None where that is not known.
    pub fn logins(&self, flow: &FlowName, address: &str) -> BTreeSet<String> {
        let Some(forge) = self.forges.get(flow) else { return BTreeSet::new() };
        let host = self.hosts.iter().find(|host| &host.name == forge);
        let made_up = host.and_then(|host| host.login_in(address));
        let account = made_up.as_ref().map(|login| Identity::forge(forge, login));
        let by_mail = self.people.who(&Identity::Email(address.to_owned()));
        let card = by_mail.or_else(|| self.people.who(&account?));
        let known = card.into_iter().flat_map(|card| card.logins(forge)).map(str::to_owned);
        known.chain(made_up).collect()
    }

    /// Says of the approvals of a flow's request whose accounts they are.
    pub fn told(&self, flow: &FlowName, requests: &mut Fact<Requests>) {
        let (Fact::Known(requests), Some(forge)) = (requests, self.forges.get(flow)) else { return };
        for approval in requests.open.iter_mut().flat_map(|open| &mut open.approvals) {
            approval.person = self.holder(forge, approval);
        }
    }

    /// Whose account it is: by the login, else by the address that the forge shows of it.
    fn holder(&self, forge: &str, approval: &RequestApproval) -> Option<AccountHolder> {
        let account = Identity::forge(forge, approval.by.as_str());
        let by_mail = || self.people.who(&Identity::Email(approval.email.clone()?));
        let card: &PersonCard = self.people.who(&account).or_else(by_mail)?;
        Some(AccountHolder {
            name: card.actor(),
            emails: card.emails().collect(),
            logins: card.logins(forge).map(str::to_lowercase).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use towpath_core::model::{CommitId, Given, OpenRequest, Tip, Ways};

    use super::*;

    const CONFIG: &str = r#"
        [forge.hub]
        kind = "gitea"
        url = "https://git.example.com"
        token = { env = "T" }
        [forge.lab]
        kind = "gitlab"
        token = { env = "T" }
        [people.Ana]
        identities = ["forge:hub/Ana", "forge:hub/ana-work", "forge:lab/ana-lab", "mail:Ana@example.com", "mail:a@example.org"]
        [people.Bo]
        identities = ["mail:bo@example.com"]
        [[flow]]
        repository = "hub:shop/web"
        [[flow.environment]]
        name = "develop"
        [[flow.environment]]
        name = "staging"
        via = "merge-request"
    "#;

    fn crowd() -> Crowd {
        let path = std::path::Path::new("/nowhere/towpath.toml");
        Crowd::of(&Config::from_text(CONFIG, path).expect("a config"))
    }

    fn set(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|one| (*one).to_owned()).collect()
    }

    /// The name, addresses and logins that an approval is told to be of.
    fn whose(flow: &str, by: &str, email: Option<&str>) -> Option<(String, BTreeSet<String>, BTreeSet<String>)> {
        let head: CommitId = "1".repeat(40).parse().expect("an id");
        let approval = RequestApproval {
            by: by.into(),
            email: email.map(str::to_owned),
            given: Given::For(head),
            person: None,
        };
        let open = OpenRequest {
            number: 1,
            url: String::new(),
            head,
            approvals: vec![approval],
            objections: Vec::new(),
            draft: false,
        };
        let ways = Ways { push: false, fast_forward: true, merge_commit: true };
        let mut fact = Fact::Known(Requests { branch: Tip::At(head), open: Some(open), closed: None, ways });
        crowd().told(&flow.into(), &mut fact);
        let open = fact.known().and_then(|requests| requests.open.clone()).expect("an open one");
        let person = open.approvals.into_iter().next().and_then(|approval| approval.person)?;
        Some((person.name.to_string(), person.emails, person.logins))
    }

    #[test]
    fn an_account_is_known_by_its_login_and_else_by_its_address() {
        let ana = Some(("Ana".to_owned(), set(&["ana@example.com", "a@example.org"]), set(&["ana", "ana-work"])));
        let bo = Some(("Bo".to_owned(), set(&["bo@example.com"]), set(&[])));
        for (by, email, expect) in [
            ("ana", None, &ana),
            ("ANA-work", None, &ana),
            ("somebody", Some("a@example.org"), &ana),
            ("ana", Some("bo@example.com"), &ana),
            ("bo", Some("bo@example.com"), &bo),
            ("ana-lab", None, &None),
            ("bo", None, &None),
        ] {
            assert_eq!(&whose("shop/web", by, email), expect, "{by} {email:?}");
        }
        assert_eq!(whose("elsewhere", "ana", None), None);
    }

    #[test]
    fn who_wrote_under_one_address_wrote_under_all() {
        let mailmap = Mailmap::parse(
            "Ana <ANA@example.com> <old@example.com>\nBo <bo@example.com> Bo <shared@example.com>\n",
        );
        let all = |of: &[&str]| {
            let of = of.iter().map(|email| ("X".to_owned(), (*email).to_owned()));
            crowd().addresses(&mailmap, &of.collect())
        };
        let ana = set(&["a@example.org", "ana@example.com"]);
        assert_eq!(all(&["a@example.org"]), ana);
        assert!(all(&["ana-work@noreply.git.example.com"]).is_superset(&ana));
        assert_eq!(all(&["eva@example.com"]), set(&["eva@example.com"]));
        // By `.mailmap`, which adds and takes nothing away.
        let ana = set(&["a@example.org", "ana@example.com", "old@example.com"]);
        assert_eq!(all(&["OLD@example.com"]), ana);
        assert_eq!(all(&["ana@example.com"]), ana);
        assert_eq!(all(&["shared@example.com"]), set(&["shared@example.com"]));
        assert_eq!(all(&["bo@example.com"]), set(&["bo@example.com", "shared@example.com"]));
    }

    #[test]
    fn the_accounts_of_an_address_are_those_on_the_forge_of_the_flow() {
        let of = |flow: &str, address: &str| crowd().logins(&flow.into(), address);
        for address in ["a@example.org", "ana@example.com", "ANA@Example.com", "Ana@noreply.git.example.com"] {
            assert!(of("shop/web", address).is_superset(&set(&["Ana", "ana-work"])), "{address}");
        }
        assert_eq!(of("shop/web", "zoe@noreply.git.example.com"), set(&["zoe"]), "nobody of the config");
        for (flow, address) in [
            // Somebody of whom no account there is known may have any.
            ("shop/web", "bo@example.com"),
            ("shop/web", "eva@example.com"),
            ("shop/web", "7-zoe@users.noreply.gitlab.com"),
            ("shop/web", ""),
            ("elsewhere", "ana@example.com"),
        ] {
            assert_eq!(of(flow, address), set(&[]), "{flow} {address}");
        }
    }
}
