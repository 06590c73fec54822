//! Cards, identities and their texts.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::{option, prop_oneof, sample};

use super::super::{Identity, Mention, People, PeopleFault, PersonCard, Platform, Role};

fn card(name: &str, identities: &[&str]) -> PersonCard {
    let identities = identities.iter().map(|text| text.parse().unwrap()).collect();
    PersonCard { name: name.to_owned(), role: Role::Developer, identities, mention: None }
}

#[test]
fn identities_are_told_apart_by_kind() {
    let people = People::new(vec![
        card("Ana", &["forge:gl/Ana", "forge:gh/ana", "mail:Ana@Example.COM", "slack:T1/U1", "os:ana@Laptop"]),
        card("Cy", &["mattermost:cyid", "mattermost:T1/dyid"]),
        card("bo", &["oidc:https://id.example/a#s1", "discord:42", "token:bo", "matrix:@bo:example.org"]),
    ])
    .unwrap();
    for (text, who) in [
        ("forge:gl/ANA", Some("Ana")),
        ("forge:gh/ana", Some("Ana")),
        ("forge:other/ana", None),
        ("mail:ana@example.com", Some("Ana")),
        ("mail:ANA@EXAMPLE.COM", Some("Ana")),
        ("slack:T1/U1", Some("Ana")),
        ("slack:T1/u1", None),
        ("slack:T2/U1", None),
        ("slack:U1", None),
        ("mattermost:T1/U1", None),
        ("mattermost:cyid", Some("Cy")),
        ("mattermost:T1/cyid", Some("Cy")),
        ("mattermost:T2/cyid", Some("Cy")),
        ("mattermost:T1/CYID", None),
        ("slack:T1/cyid", None),
        ("discord:T1/cyid", None),
        ("mattermost:T1/dyid", Some("Cy")),
        ("mattermost:T2/dyid", None),
        ("mattermost:dyid", None),
        ("os:ana@laptop", Some("Ana")),
        ("os:ANA@laptop", None),
        ("oidc:https://id.example/a#s1", Some("bo")),
        ("oidc:https://id.example/a/#s1", None),
        ("oidc:https://id.example/a#S1", None),
        ("discord:42", Some("bo")),
        ("discord:guild/42", None),
        ("matrix:@bo:example.org", Some("bo")),
        ("token:bo", Some("bo")),
        ("token:ana", None),
    ] {
        let identity: Identity = text.parse().unwrap();
        assert_eq!(people.who(&identity).map(|card| card.name.as_str()), who, "{text}");
    }
    assert_eq!(people.named("ANA").unwrap().name, "Ana");
    assert_eq!(people.named("ana").unwrap().emails().collect::<Vec<_>>(), ["ana@example.com"]);
    assert_eq!(people.named("ana").unwrap().logins("gl").collect::<Vec<_>>(), ["Ana"]);
    assert_eq!(people.named("dy"), None);
    assert_eq!(people.cards().len(), 3);
}

#[test]
fn what_is_no_identity() {
    for text in [
        "",
        "ana",
        "mail:",
        "mail:ana",
        "mail:@x",
        "mail:a@",
        "mail:a b@x",
        "mail:<a@x>",
        "forge:gl",
        "forge:/ana",
        "forge:gl/",
        "slack:",
        "slack:/U1",
        "slack:T1/",
        "slack:T1/U1/x",
        "oidc:https://id.example",
        "oidc:#s",
        "os:ana",
        "os:@host",
        "os:ana@",
        "token:",
        "token: x",
        "git:ana@host",
        "SLACK:T/U",
        "mail:a@x\n",
        "forge:gl/a\u{1b}",
        "irc:ana",
        ":",
        "mail:a\u{a0}b@x",
    ] {
        let bad = text.parse::<Identity>().expect_err(text).to_string();
        assert!(!bad.chars().any(char::is_control), "{bad:?}");
    }
    let long = format!("token:{}", "x".repeat(600));
    assert!(long.parse::<Identity>().is_err());
}

#[test]
fn an_id_of_mattermost_is_one_persons_with_its_team_and_without() {
    let both = |ana: &[&str], bo: &[&str]| People::new(vec![card("ana", ana), card("bo", bo)]);
    for (ana, bo, told) in [
        (&["mattermost:U"][..], &["mattermost:T/U"][..], Some("mattermost:T/U")),
        (&["mattermost:T/U"], &["mattermost:U"], Some("mattermost:U")),
        (&["mattermost:U"], &["mattermost:U"], Some("mattermost:U")),
        (&["mattermost:U", "mattermost:T/U"], &["mattermost:V"], None),
        (&["mattermost:T/U"], &["mattermost:S/U"], None),
        (&["slack:T/U"], &["mattermost:U"], None),
        (&["discord:U"], &["discord:T/U"], None),
    ] {
        let said = both(ana, bo).err().map(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>());
        let told = told.map(|text| vec![format!("`{text}` is both `ana` and `bo`; leave it with one of them")]);
        assert_eq!(said, told, "{ana:?} {bo:?}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let mut odd = card("Ana", &["mail:ANA@x.example", "forge:gl/cy"]);
    odd.identities.push(Identity::Email("nobody".to_owned()));
    let faults = People::new(vec![
        card("ana", &["mail:ana@x.example", "mail:ANA@X.example"]),
        odd,
        card("a:b", &["forge:gl/CY"]),
        card("@team", &[]),
        card(" x", &[]),
    ])
    .unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "two people are called `Ana`; rename one",
            "`mail:ANA@x.example` is both `ana` and `Ana`; leave it with one of them",
            "`Ana` has an identity that cannot be one: `mail:nobody`",
            "`a:b` is no name of a person; write 1 to 80 characters without `:` and not `@` first",
            "`forge:gl/CY` is both `Ana` and `a:b`; leave it with one of them",
            "`@team` is no name of a person; write 1 to 80 characters without `:` and not `@` first",
            "` x` is no name of a person; write 1 to 80 characters without `:` and not `@` first",
        ]
    );
    assert!(matches!(faults[0], PeopleFault::NameTwice { .. }));
}

#[test]
fn people_are_stored_as_they_are_written() {
    let text = r#"[{"name":"Ana Kowalska","role":"release-manager","identities":["forge:gl/ana","google-chat:7"],"mention":"heads-up"},{"name":"bo"}]"#;
    let people: People = serde_json::from_str(text).unwrap();
    let [ana, bo] = people.cards() else { panic!("{people:?}") };
    assert_eq!((ana.role, ana.mention), (Role::ReleaseManager, Some(Mention::HeadsUp)));
    assert_eq!((bo.role, bo.mention, bo.identities.len()), (Role::Viewer, None, 0));
    let again: People = serde_json::from_str(&serde_json::to_string(&people).unwrap()).unwrap();
    assert_eq!(again, people);
    assert!(serde_json::from_str::<People>(r#"[{"name":"a"},{"name":"A"}]"#).is_err());
    assert!(serde_json::from_str::<People>(r#"[{"name":"a","roll":"admin"}]"#).is_err());
    assert!(
        Role::Viewer < Role::Developer
            && Role::Operator < Role::ReleaseManager
            && Role::ReleaseManager < Role::Admin
    );
    for role in Role::ALL {
        assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{}\"", role.word()));
    }
    for platform in Platform::ALL {
        assert_eq!(serde_json::to_string(&platform).unwrap(), format!("\"{}\"", platform.word()));
    }
}

fn identity() -> impl Strategy<Value = Identity> {
    let word = || "[a-zA-Z0-9é._+-]{1,12}";
    let wild = || "[a-z/#@: é]{0,8}";
    prop_oneof![
        (word(), wild()).prop_map(|(forge, login)| Identity::Forge { forge, login }),
        (wild(), word()).prop_map(|(forge, login)| Identity::Forge { forge, login }),
        (word(), wild()).prop_map(|(local, host)| Identity::Email(format!("{local}@{host}"))),
        (sample::select(&Platform::ALL[..]), option::of(wild()), word())
            .prop_map(|(platform, team, user)| Identity::Chat { platform, team, user }),
        (sample::select(&Platform::ALL[..]), option::of(word()), wild())
            .prop_map(|(platform, team, user)| Identity::Chat { platform, team, user }),
        (word(), wild()).prop_map(|(issuer, subject)| Identity::Oidc { issuer, subject }),
        (wild(), word()).prop_map(|(issuer, subject)| Identity::Oidc { issuer, subject }),
        (wild(), word()).prop_map(|(user, host)| Identity::Os { user, host }),
        wild().prop_map(Identity::Token),
    ]
}

proptest! {
    #[test]
    fn a_sound_identity_reads_back(identity in identity()) {
        let read = identity.to_string().parse::<Identity>();
        if identity.is_sound() {
            prop_assert_eq!(read, Ok(identity.clone()));
            let json = serde_json::to_string(&identity).unwrap();
            prop_assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), identity.clone());
        }
        prop_assert_eq!(identity.key().key(), identity.key());
        prop_assert_eq!(identity.key().is_machine(), identity.is_machine());
    }

    #[test]
    fn no_text_panics(text in ".{0,40}|(mail|os|forge|slack|oidc|token):.{0,20}") {
        match text.parse::<Identity>() {
            Ok(identity) => {
                prop_assert!(identity.is_sound());
                prop_assert_eq!(identity.to_string(), text);
            }
            Err(bad) => prop_assert!(!bad.to_string().chars().any(char::is_control)),
        }
    }
}
