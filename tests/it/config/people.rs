//! Who is who and who may what: what is read, and what is refused.

use towpath_core::command::Verb;
use towpath_core::people::{Asked, Identity, Mention, Place, Role, Surface};

use super::{load, root, sentences, valid};

const FLOW: &str = r#"
[forge.hub]
kind = "gitea"
url = "https://git.example.com"
token = { env = "T" }
[[flow]]
repository = "/srv/checkout.git"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
"#;

/// The first block of the page.
fn of_the_page() -> String {
    let page = std::fs::read_to_string(root().join("docs/people.md")).expect("the page");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("a block of the config").to_owned()
}

#[test]
fn what_the_page_shows_is_read_as_it_says() {
    let config = valid(&format!("{}{FLOW}", of_the_page()));
    let laws = &config.laws;
    let names: Vec<(&str, Role)> = laws.people.cards().iter().map(|card| (card.name.as_str(), card.role)).collect();
    assert_eq!(names, [("ana", Role::Operator), ("marek", Role::Developer)]);
    let who = |text: &str| laws.people.who(&text.parse::<Identity>().unwrap()).map(|card| card.name.clone());
    assert_eq!(who("forge:hub/ANA").as_deref(), Some("ana"));
    assert_eq!(who("mail:Marek@Example.com").as_deref(), Some("marek"));
    assert_eq!(who("token:marek"), None);
    let may = |who: &str, verb, env: &str, surface| {
        let identity: Identity = who.parse().unwrap();
        let place = Place { flow: "checkout".into(), env: env.into(), production: env == "production" };
        let law = laws.law();
        let asked = Asked { verb, reach: &[place], surface };
        law.may(law.asker(&identity), &asked).is_allowed()
    };
    assert!(may("forge:hub/marek", Verb::Promote, "production", Surface::Comment), "the rule of the release day");
    assert!(!may("forge:hub/marek", Verb::Pause, "production", Surface::Comment));
    assert!(may("os:ana@desk", Verb::Rollback, "production", Surface::Cli));
    assert!(!may("forge:hub/ana", Verb::Rollback, "production", Surface::Chat), "the rule that denies");
}

#[test]
fn from_takes_the_identities_that_the_page_says() {
    let with = |from: &str| {
        let gate = format!("gates.approvals = {{ required = 1, from = [\"{from}\"] }}\n");
        load(&format!("[people.ana]\n{FLOW}{gate}")).is_ok()
    };
    for from in ["ana", "os:ana@desk", "token:ana-laptop"] {
        assert!(with(from), "{from}");
    }
    let others =
        ["mail:ana@example.com", "slack:T1/U1", "mattermost:u1", "forge:hub/ana", "oidc:https://id.example#s"];
    for from in others {
        assert!(!with(from), "{from}");
    }
    let without_forge = FLOW.split("[[flow]]").skip(1).map(|rest| format!("[[flow]]{rest}")).collect::<String>();
    assert!(load(&format!("{}{without_forge}", of_the_page())).is_err(), "the page says that it takes a forge");
}

#[test]
fn a_person_may_be_called_anything_that_can_be_told_apart() {
    let config = valid(&format!(
        "[people.\"Łukasz Nowak\"]\nidentities = [\"slack:T1/U1\"]\nmention = \"heads-up\"\n\
         [people.\"o'neil\"]\n[people.ana_2]\nrole = \"admin\"\n{FLOW}"
    ));
    let cards = config.laws.people.cards();
    assert_eq!(cards[0].mention, Some(Mention::HeadsUp));
    assert_eq!(cards[0].role, Role::Viewer, "without a role nobody steers");
    assert_eq!(cards[1].mention, None);
    assert_eq!(cards.len(), 3);
}

#[test]
fn what_makes_no_sense_is_refused_in_so_many_words() {
    let all: Vec<(&str, Vec<String>)> = [
        "[people.ana]\nrole = \"boss\"",
        "[people.ana]\nidentities = [\"ana\"]",
        "[people.ana]\nidentities = [\"slack:T1/U1\", \"slack:\"]",
        "[people.ana]\nidentities = [\"mail:a@x.io\"]\n[people.ben]\nidentities = [\"mail:A@X.io\"]",
        "[people.ana]\n[people.Ana]",
        "[people.\"@ana\"]",
        "[people.git]",
        "[[deny]]\nverbs = [\"read\"]",
        "[people.\"token:x\"]",
        "[people.ana]\nmention = \"sometimes\"",
        "[people.ana]\nmail = \"ana@example.com\"",
        "[[allow]]\nverbs = [\"pause\"]",
        "[[allow]]\nverbs = [\"deploy\"]\nrole = \"developer\"",
        "[[allow]]\npeople = [\"nobody\"]",
        "[[allow]]\nrole = \"developer\"\nsurfaces = [\"telephone\"]",
        "[[deny]]\nbelow = \"chief\"",
        "[[deny]]\nrole = \"viewer\"",
        "[[deny]]\nverbs = [\"rollback\"]\nenvironments = [\"prodution\"]",
        "[[deny]]\nverbs = [\"rollback\"]\nflows = [\"shop/*\"]",
        "[people.ana]\nidentities = [\"forge:hob/ana\"]",
        "[service]\nproduction = [\"live\"]",
        "[service]\nproduction = \"production\"",
    ]
    .into_iter()
    .map(|text| (text, sentences(&format!("{text}\n{FLOW}"))))
    .collect();
    assert!(all.iter().all(|(_, said)| !said.is_empty()), "{all:#?}");
    insta::assert_debug_snapshot!(all);
}

/// What is said, each with its line.
fn told(text: &str) -> Vec<(usize, String)> {
    let problems = match load(text) {
        Ok(config) => config.warnings,
        Err(problems) => problems,
    };
    let line = |problem| problems.position(problem).map_or(0, |(line, _)| line);
    problems.list.iter().map(|problem| (line(problem), problem.what.clone())).collect()
}

#[test]
fn what_is_wrong_with_people_is_told_at_their_table() {
    for (text, line, what) in [
        (
            "[people.cy]\n[people.ana]\nidentities = [\"token:ana\"]\n[people.bad]\nidentities = [\"token:ana\"]",
            4,
            "`token:ana` is both `ana` and `bad`",
        ),
        ("[people.cy]\n[people.ana]\n[people.Ana]", 3, "two people are called `Ana`"),
        ("[people.cy]\n[people.git]", 2, "nobody can be called `git`"),
        ("[people.cy]\n[people.\"@x\"]", 2, "`@x` is no name of a person"),
        ("[people.cy]\n[people.ana]\nidentities = [\"token:a\",\n  \"slack:U1\"]", 4, "`slack:U1` is nobody's"),
        ("[people.cy]\n[people.ana]\nidentities = [\"forge:hob/ana\"]", 2, "`forge:hob/ana` is on a forge"),
        ("[[allow]]\nrole = \"admin\"\n[[allow]]\npeople = [\"bo\"]", 4, "the rule `allow 2` is for `bo`"),
        ("[[allow]]\nrole = \"admin\"\n[[deny]]\npeople = [\"bo\"]", 4, "the rule `deny 1` is for `bo`"),
        ("[[allow]]\nrole = \"admin\"\n[[allow]]\nverbs = [\"pause\"]", 3, "the rule `allow 2` is for nobody"),
        ("[[deny]]\nbelow = \"admin\"\n[[deny]]\nflows = [\"x\"]", 3, "`x` in `flows` names no flow"),
        ("[people.cy]\n[[deny]]\nname = \"x\"", 2, "this `[[deny]]` names neither"),
    ] {
        let said = told(&format!("{text}\n{FLOW}"));
        let [(at, sentence)] = said.as_slice() else { panic!("{text}: {said:?}") };
        assert!(*at == line && sentence.starts_with(what), "{text}: {said:?}");
    }
}

#[test]
fn one_fault_of_a_person_makes_no_other() {
    let rule = "[[allow]]\nname = \"release day\"\npeople = [\"marek\"]";
    for text in [
        "[people.marek]\nrole = \"boss\"",
        "[people.marek]\n[people.ana]\nrole = \"boss\"",
        "[people.ana]\nidentities = [\"token:a\"]\n[people.marek]\nidentities = [\"token:a\"]",
        "[people.marek]\nidentities = [\"ana\"]",
        "[people.marek]\n[people.\"@x\"]",
        "[people.marek]\n[people.Marek]",
    ] {
        let said = told(&format!("{text}\n{rule}\n{FLOW}"));
        assert_eq!(said.len(), 1, "{text}: {said:?}");
    }
    let said = told(&format!("[[allow]]\nrole = \"boss\"\n{FLOW}"));
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn a_rule_that_denies_everything_is_warned_of() {
    for (rule, warned) in [
        ("[[deny]]", true),
        ("[[deny]]\nname = \"oops\"", true),
        ("[[deny]]\nverbs = [\"steer\"]", false),
        ("[[deny]]\nbelow = \"admin\"", false),
    ] {
        let config = valid(&format!("{rule}\n{FLOW}"));
        assert_eq!(config.warnings.warnings(), usize::from(warned), "{rule}: {}", config.warnings);
    }
}

#[test]
fn the_chats_of_the_page_are_read() {
    let page = std::fs::read_to_string(root().join("docs/chat.md")).expect("the page");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2, "of Slack, and of Mattermost");
    for (block, secrets) in blocks.iter().zip([0, 1]) {
        let config = valid(&format!("{block}{FLOW}"));
        let chat = &config.chats["work"];
        assert_eq!((chat.teams.len(), chat.button_secrets.len()), (1, secrets), "{block}");
    }
}

#[test]
fn what_does_not_fit_of_a_chat_is_refused_in_so_many_words() {
    const SLACK: &str = "[chat.a]\nkind = \"slack\"\nteams = [\"T1\"]\nsecrets = [{ env = \"S\" }]\n";
    let all: Vec<(String, Vec<String>)> = [
        "[chat.a]\nkind = \"slack\"\nteams = [\"T1\"]".to_owned(),
        "[chat.a]\nkind = \"irc\"\nteams = [\"T1\"]".to_owned(),
        "[chat.a]\nkind = \"slack\"\nsecrets = [\"abc\"]".to_owned(),
        "[chat.a]\nkind = \"mattermost\"\nteams = [\"M1\"]".to_owned(),
        "[chat.a]\nkind = \"mattermost\"\nteams = [\"M1\"]\nurl = \"http://mm.example.com\"\nsecrets = [{ env = \"S\" }]".to_owned(),
        format!("{SLACK}channels = [{{ id = \"C1\" }}]"),
        format!("{SLACK}channels = [{{ id = \"C1\", flow = \"nothing\" }}]"),
        format!("{SLACK}channels = [{{ id = \"C1\", flow = \"checkout\", environment = \"live\" }}]"),
        format!("{SLACK}channels = [{{ id = \"C1\", environment = \"live\" }}]"),
        format!("{SLACK}button_secrets = [{{ env = \"B\" }}]"),
        format!("{SLACK}{}", SLACK.replace("chat.a", "chat.b")),
        SLACK.replace("chat.a", "chat.A"),
    ]
    .into_iter()
    .map(|text| {
        let said = sentences(&format!("{text}\n{FLOW}"));
        (text, said)
    })
    .collect();
    assert!(all.iter().all(|(_, said)| !said.is_empty()), "{all:#?}");
    insta::assert_debug_snapshot!(all);
}
