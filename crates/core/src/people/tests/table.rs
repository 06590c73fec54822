//! Surface by verb by environment by role.

use super::super::{
    AllowRule, Asked, Asker, Denial, DenyRule, Grant, Identity, Law, On, People, Permit, PersonCard, Place, Role,
    RuleFault, Rules, Surface, VerbWord,
};
use crate::command::{VERBS, Verb};
use crate::model::{Candidates, EnvName, Environment, Flow, Mode, Span, Via};

pub(super) fn place(env: &str) -> Place {
    Place { flow: "shop/checkout".into(), env: env.into(), production: env == "production" }
}

pub(super) fn card(name: &str, role: Role) -> PersonCard {
    PersonCard { name: name.to_owned(), role, identities: Vec::new(), mention: None }
}

/// One of each role, by the role's word.
fn people() -> People {
    People::new(Role::ALL.into_iter().map(|role| card(role.word(), role)).collect()).unwrap()
}

/// The least role for staging and for production.
const HOUSE: &[(&str, Role, Role)] = &[
    ("pause", Role::Developer, Role::Operator),
    ("freeze", Role::Operator, Role::Operator),
    ("resume", Role::Developer, Role::Operator),
    ("hold", Role::Developer, Role::Operator),
    ("unhold", Role::Developer, Role::Operator),
    ("approve", Role::Developer, Role::Operator),
    ("promote", Role::Developer, Role::Operator),
    ("rollback", Role::Operator, Role::Operator),
    ("override", Role::Operator, Role::Operator),
    ("retry", Role::Developer, Role::Operator),
    ("report", Role::Developer, Role::Operator),
    ("status", Role::Viewer, Role::Viewer),
    ("explain", Role::Viewer, Role::Viewer),
    ("where", Role::Viewer, Role::Viewer),
    ("diff", Role::Viewer, Role::Viewer),
    ("history", Role::Viewer, Role::Viewer),
    ("whoami", Role::Viewer, Role::Viewer),
    ("help", Role::Viewer, Role::Viewer),
];

#[test]
fn the_rules_of_the_house() {
    let (people, rules) = (people(), Rules::default());
    let law = Law { people: &people, rules: &rules };
    assert_eq!(HOUSE.len(), VERBS.len());
    let (staging, production) = ([place("staging")], [place("production")]);
    let both = [place("staging"), place("production")];
    for (word, in_staging, in_production) in HOUSE {
        let verb = Verb::from_word(word).unwrap();
        for surface in Surface::ALL {
            for (reach, needs) in [
                (&staging[..], in_staging),
                (&production[..], in_production),
                (&both[..], in_production),
                (&[][..], in_production),
            ] {
                let asked = Asked { verb, reach, surface };
                for card in people.cards() {
                    let permit = law.may(Asker::Person(card), &asked);
                    assert_eq!(permit.is_allowed(), card.role >= *needs, "{word} {reach:?} {}", card.name);
                    if let Permit::Denied { who_may, .. } = permit {
                        let may: Vec<&str> =
                            Role::ALL.iter().filter(|role| *role >= needs).map(|r| r.word()).collect();
                        assert_eq!(who_may, may);
                    }
                }
                machines_may_everything(&law, &asked);
                strangers_may_ask(&law, &asked);
            }
        }
    }
}

fn machines_may_everything(law: &Law<'_>, asked: &Asked<'_>) {
    for text in ["os:ana@laptop", "token:ci"] {
        let identity: Identity = text.parse().unwrap();
        let asker = law.asker(&identity);
        assert_eq!(asker, Asker::Machine(&identity));
        assert_eq!(law.may(asker, asked), Permit::Allowed { by: [Grant::Machine].into() });
    }
}

fn strangers_may_ask(law: &Law<'_>, asked: &Asked<'_>) {
    for text in ["slack:T1/U1", "forge:gl/ana", "oidc:https://id.example#1", "mail:a@x.example"] {
        let identity: Identity = text.parse().unwrap();
        let asker = law.asker(&identity);
        assert_eq!(asker, Asker::Unlinked(&identity));
        let may_ask = asked.surface != Surface::Comment;
        match law.may(asker, asked) {
            Permit::Allowed { by } => {
                assert!(asked.verb.reads() && may_ask);
                assert_eq!(by, [Grant::Open].into());
            }
            Permit::Denied { why, .. } => {
                assert!(!asked.verb.reads() || !may_ask);
                assert_eq!(why, Denial::Unlinked { identity: identity.clone(), verb: asked.verb, may_ask });
            }
        }
    }
}

#[test]
fn a_machine_that_is_somebody_has_their_role() {
    let mut ana = card("ana", Role::Developer);
    ana.identities = vec!["os:ana@laptop".parse().unwrap(), "token:ana".parse().unwrap()];
    let people = People::new(vec![ana]).unwrap();
    let rules = Rules::default();
    let law = Law { people: &people, rules: &rules };
    let reach = [place("production")];
    for text in ["os:ana@LAPTOP", "token:ana"] {
        let identity = text.parse().unwrap();
        let permit =
            law.may(law.asker(&identity), &Asked { verb: Verb::Pause, reach: &reach, surface: Surface::Cli });
        let why = Denial::RoleTooLow {
            who: "ana".to_owned(),
            has: Role::Developer,
            needs: Role::Operator,
            verb: Verb::Pause,
            place: Some(place("production")),
            more: 0,
        };
        assert_eq!(permit, Permit::Denied { why, who_may: Vec::new() });
    }
}

#[test]
fn rules_add_and_take_away() {
    let people = people();
    let rules: Rules = serde_json::from_str(
        r#"{
            "allow": [
                {"name": "hotline", "verbs": ["pause", "resume"], "environments": ["prod*"], "role": "developer"},
                {"name": "night", "verbs": ["rollback"], "flows": ["shop/*"], "surfaces": ["chat"], "people": ["Viewer"]}
            ],
            "deny": [
                {"name": "four eyes", "verbs": ["promote"], "environments": ["production"], "below": "release-manager"},
                {"name": "no comments", "surfaces": ["comment"]},
                {"name": "quiet", "verbs": ["history"], "people": ["developer"]}
            ]
        }"#,
    )
    .unwrap();
    assert_eq!(rules.faults(&people), []);
    assert_eq!(serde_json::from_str::<Rules>(&serde_json::to_string(&rules).unwrap()).unwrap(), rules);
    let law = Law { people: &people, rules: &rules };
    let by = |who: &str, verb, surface, envs: &[&str]| {
        let reach: Vec<Place> = envs.iter().map(|env| place(env)).collect();
        match law.may(Asker::Person(people.named(who).unwrap()), &Asked { verb, reach: &reach, surface }) {
            Permit::Allowed { by } => format!("{:?}", by.into_iter().collect::<Vec<_>>()),
            Permit::Denied { why: Denial::RoleTooLow { needs, place, more, .. }, .. } => {
                format!(
                    "needs {} in {} +{more}",
                    needs.word(),
                    place.map_or("-".to_owned(), |place| place.env.to_string())
                )
            }
            Permit::Denied { why: Denial::Rule { rule, more, .. }, .. } => format!("rule {rule} +{more}"),
            Permit::Denied { why: Denial::Unlinked { .. }, .. } => panic!(),
        }
    };
    use Surface::{Chat, Cli, Comment};
    for (who, verb, surface, envs, said) in [
        ("developer", Verb::Pause, Chat, &["production"][..], r#"[Rule("hotline")]"#),
        ("developer", Verb::Pause, Chat, &["staging", "production"], r#"[Role(Developer), Rule("hotline")]"#),
        ("operator", Verb::Pause, Chat, &["production"], "[Role(Operator)]"),
        // What is named is enough in each of them.
        ("viewer", Verb::Pause, Chat, &["staging", "production"], "needs operator in production +1"),
        ("viewer", Verb::Report, Chat, &["staging", "production", "qa"], "needs operator in production +2"),
        ("viewer", Verb::Hold, Chat, &["staging", "qa"], "needs developer in staging +1"),
        ("viewer", Verb::Promote, Chat, &["staging", "production"], "rule four eyes +1"),
        ("developer", Verb::Freeze, Chat, &["production"], "needs operator in production +0"),
        ("developer", Verb::Pause, Chat, &[], "needs operator in - +0"),
        ("viewer", Verb::Rollback, Chat, &["staging"], r#"[Rule("night")]"#),
        ("viewer", Verb::Rollback, Cli, &["staging"], "needs operator in staging +0"),
        ("operator", Verb::Promote, Cli, &["staging"], "[Role(Developer)]"),
        ("operator", Verb::Promote, Cli, &["staging", "production"], "rule four eyes +0"),
        ("release-manager", Verb::Promote, Cli, &["production"], "[Role(Operator)]"),
        ("admin", Verb::Pause, Comment, &["staging", "production"], "rule no comments +1"),
        ("admin", Verb::Status, Comment, &[], "[Role(Viewer)]"),
        ("developer", Verb::History, Cli, &[], "rule quiet +0"),
        ("operator", Verb::History, Cli, &[], "[Role(Viewer)]"),
    ] {
        assert_eq!(by(who, verb, surface, envs), said, "{who} {verb} {envs:?}");
    }
    // A rule for everybody is one for machines, too.
    let identity = "token:ci".parse().unwrap();
    let asked = |surface| Asked { verb: Verb::Promote, reach: &[], surface };
    assert!(!law.may(law.asker(&identity), &asked(Comment)).is_allowed());
    assert!(law.may(law.asker(&identity), &asked(Surface::Api)).is_allowed());
    let verbs = law.verbs(Asker::Person(people.named("viewer").unwrap()), &[place("production")], Chat);
    let words: Vec<&str> = verbs.into_iter().map(Verb::word).collect();
    assert_eq!(words, ["rollback", "status", "explain", "where", "diff", "history", "whoami", "help"]);
}

#[test]
fn rules_that_cannot_be_meant() {
    let rule = |name: &str| AllowRule { name: name.to_owned(), ..AllowRule::default() };
    let rules = Rules {
        allow: vec![rule("a"), AllowRule { people: ["Zoe".to_owned(), "ADMIN".to_owned()].into(), ..rule("b") }],
        deny: vec![DenyRule { name: "c".to_owned(), people: ["yan".to_owned()].into(), ..DenyRule::default() }],
        ..Rules::default()
    };
    let faults = rules.faults(&people());
    assert_eq!(faults[0], RuleFault::ForNobody { rule: "a".to_owned() });
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the rule `a` is for nobody; give it `role = \"developer\"` or `people`",
            "the rule `b` is for `Zoe`, and no person is called so; name one of `[people.NAME]`",
            "the rule `c` is for `yan`, and no person is called so; name one of `[people.NAME]`",
        ]
    );
    for text in ["\"deploy\"", "\"\"", "1"] {
        assert!(serde_json::from_str::<VerbWord>(text).is_err());
    }
    let words: Vec<VerbWord> = serde_json::from_str(r#"["all", "steer", "read", "pause"]"#).unwrap();
    assert_eq!(words, [VerbWord::All, VerbWord::Steer, VerbWord::Read, VerbWord::One(Verb::Pause)]);
    assert_eq!(On::default().verbs, []);
}

#[test]
fn production_is_the_last_environment_unless_the_config_names_others() {
    let flow = flow(&["develop", "staging", "production", "archive"]);
    let is = |named: &[&str]| -> Vec<bool> {
        let rules = Rules { production: named.iter().map(|env| EnvName::from(*env)).collect(), ..Rules::default() };
        rules.places(&flow, None).iter().map(|place| place.production).collect()
    };
    assert_eq!(is(&[]), [false, false, true]);
    assert_eq!(is(&["production"]), [false, true, false]);
    assert_eq!(is(&["production", "archive", "live"]), [false, true, true]);
    // Names of other flows' environments leave this one as it is.
    assert_eq!(is(&["live"]), [false, false, true]);
    let one = Rules::default().places(&flow, Some(&"staging".into()));
    assert_eq!(one, [Place { flow: flow.name.clone(), env: "staging".into(), production: false }]);
}

fn flow(envs: &[&str]) -> Flow {
    let environment = |name: &&str| Environment {
        name: (*name).into(),
        branch: (*name).into(),
        via: Via::FastForward,
        request: Default::default(),
        candidates: Candidates::Commits,
        mode: Mode::Act,
        database: None,
        settle: Span::from_mins(15),
        deployed: None,
        rollback: false,
        behind_alarm: None,
        blocked_alarm: None,
        heads_up: None,
        gates: Vec::new(),
    };
    Flow {
        name: "shop/checkout".into(),
        repository: "gitlab:shop/checkout".to_owned(),
        zone: chrono_tz::UTC,
        look_back: 50,
        environments: envs.iter().map(environment).collect(),
        policy: "p".into(),
    }
}
