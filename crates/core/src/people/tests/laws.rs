//! What holds for every law.

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::{collection, option, prop_oneof, sample};

use super::super::{
    AllowRule, Asked, Asker, DenyRule, Identity, Law, On, People, PersonCard, Place, Role, Rules, Surface, VerbWord,
};
use super::table::{card, place};
use crate::command::VERBS;

fn role() -> impl Strategy<Value = Role> {
    sample::select(&Role::ALL[..])
}

fn names() -> impl Strategy<Value = std::collections::BTreeSet<String>> {
    collection::btree_set(sample::select(&["ana", "bo", "cy"][..]).prop_map(str::to_owned), 0..3)
}

fn on() -> impl Strategy<Value = On> {
    let verb = prop_oneof![
        Just(VerbWord::All),
        Just(VerbWord::Steer),
        Just(VerbWord::Read),
        sample::select(VERBS).prop_map(|row| VerbWord::One(row.verb)),
    ];
    let env = sample::select(&["staging", "production", "*", "p*"][..]).prop_map(str::to_owned);
    let flow = sample::select(&["shop/*", "shop/checkout", "other"][..]).prop_map(str::to_owned);
    (
        collection::vec(verb, 0..3),
        collection::vec(env, 0..2),
        collection::vec(flow, 0..2),
        collection::vec(sample::select(&Surface::ALL[..]), 0..3),
    )
        .prop_map(|(verbs, environments, flows, surfaces)| On { verbs, environments, flows, surfaces })
}

fn allow() -> impl Strategy<Value = AllowRule> {
    (on(), option::of(role()), names()).prop_map(|(on, role, people)| AllowRule {
        name: "allow".to_owned(),
        on,
        role,
        people,
    })
}

fn deny() -> impl Strategy<Value = DenyRule> {
    (on(), option::of(role()), names()).prop_map(|(on, below, people)| DenyRule {
        name: "deny".to_owned(),
        on,
        below,
        people,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    (collection::vec(allow(), 0..4), collection::vec(deny(), 0..3)).prop_map(|(allow, deny)| Rules {
        allow,
        deny,
        ..Rules::default()
    })
}

fn reach() -> impl Strategy<Value = Vec<Place>> {
    collection::vec(sample::select(&["staging", "production"][..]).prop_map(place), 0..3)
}

#[derive(Debug, Clone)]
struct Question {
    at: usize,
    reach: Vec<Place>,
    surface: Surface,
}

impl Question {
    fn asked(&self) -> Asked<'_> {
        Asked { verb: VERBS[self.at].verb, reach: &self.reach, surface: self.surface }
    }
}

fn question() -> impl Strategy<Value = Question> {
    (0..VERBS.len(), reach(), sample::select(&Surface::ALL[..])).prop_map(|(at, reach, surface)| Question {
        at,
        reach,
        surface,
    })
}

fn team() -> People {
    People::new(vec![card("ana", Role::Viewer), card("bo", Role::Developer), card("cy", Role::Operator)]).unwrap()
}

fn may(rules: &Rules, asker: Asker<'_>, question: &Question) -> bool {
    let people = team();
    Law { people: &people, rules }.may(asker, &question.asked()).is_allowed()
}

fn askers(cards: &[PersonCard]) -> Vec<Asker<'_>> {
    cards.iter().map(Asker::Person).collect()
}

proptest! {
    #[test]
    fn a_higher_role_never_may_less(rules in rules(), question in question()) {
        for name in ["ana", "zoe"] {
            let may: Vec<bool> = Role::ALL
                .into_iter()
                .map(|role| may(&rules, Asker::Person(&card(name, role)), &question))
                .collect();
            prop_assert!(may.is_sorted(), "{may:?}");
        }
    }

    #[test]
    fn to_allow_more_denies_nothing(rules in rules(), more in allow(), at in 0..5usize, question in question()) {
        let mut longer = rules.clone();
        longer.allow.insert(at.min(rules.allow.len()), more);
        let strange = Identity::forge("gl", "zoe");
        let machine = Identity::Token("ci".to_owned());
        let people = team();
        let mut askers = askers(people.cards());
        askers.extend([Asker::Unlinked(&strange), Asker::Machine(&machine)]);
        for asker in askers {
            prop_assert!(!may(&rules, asker, &question) || may(&longer, asker, &question));
        }
    }

    #[test]
    fn to_deny_more_allows_nothing(rules in rules(), more in deny(), at in 0..5usize, question in question()) {
        let mut longer = rules.clone();
        longer.deny.insert(at.min(rules.deny.len()), more);
        for asker in askers(team().cards()) {
            prop_assert!(may(&rules, asker, &question) || !may(&longer, asker, &question));
        }
    }

    #[test]
    fn several_places_take_the_right_in_each(rules in rules(), question in question()) {
        let people = team();
        for asker in askers(people.cards()) {
            let each = question.reach.iter().all(|place| {
                may(&rules, asker, &Question { reach: vec![place.clone()], ..question.clone() })
            });
            if !question.reach.is_empty() {
                prop_assert_eq!(may(&rules, asker, &question), each);
            }
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(rules in rules(), question in question()) {
        let mut turned = rules.clone();
        turned.allow.reverse();
        turned.deny.reverse();
        for asker in askers(team().cards()) {
            prop_assert_eq!(may(&rules, asker, &question), may(&turned, asker, &question));
        }
    }

    /// Whoever is named to be asked may indeed; and a stranger steers nothing, whatever the rules.
    #[test]
    fn who_is_named_may(rules in rules(), question in question()) {
        let (people, strange) = (team(), Identity::forge("gl", "zoe"));
        let law = Law { people: &people, rules: &rules };
        let permit = law.may(Asker::Unlinked(&strange), &question.asked());
        prop_assert!(question.asked().verb.reads() || !permit.is_allowed());
        if let super::super::Permit::Denied { who_may, .. } = permit {
            for card in people.cards() {
                prop_assert_eq!(may(&rules, Asker::Person(card), &question), who_may.contains(&card.name));
            }
        }
    }
}
