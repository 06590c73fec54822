//! Who wrote a commit.

use proptest::prelude::{prop_assert, proptest};

use super::super::accounts::{Accounts, Known, Signature};
use super::super::authors::{Author, Authorship, author, co_authors, co_authors_in, every_address, is_author};
use super::super::{ForgeHost, ForgeKind, Mailmap, People, PersonCard, Role, is_bot};
use crate::model::{CoAuthor, Coming, CommitId};

fn forge(name: &str, host: &str, kind: ForgeKind) -> ForgeHost {
    ForgeHost { name: name.to_owned(), host: host.to_owned(), kind }
}

fn forges() -> Vec<ForgeHost> {
    vec![
        forge("gh", "github.com", ForgeKind::GitHub),
        forge("gl", "GitLab.example.com:8443", ForgeKind::GitLab),
        forge("cb", "codeberg.org", ForgeKind::Gitea),
    ]
}

fn people() -> People {
    let card = |name: &str, identities: &[&str]| PersonCard {
        name: name.to_owned(),
        role: Role::Developer,
        identities: identities.iter().map(|text| text.parse().unwrap()).collect(),
        mention: None,
    };
    People::new(vec![
        card("ana", &["mail:ana@x.example", "mail:ana@home.example", "forge:gh/Ana-K", "forge:gl/ana"]),
        card("bo", &["forge:cb/bo"]),
        card("helper", &["forge:gh/helper[bot]"]),
    ])
    .unwrap()
}

#[test]
fn addresses_that_forges_make_up() {
    for (email, login) in [
        ("123+Ana-K@users.noreply.github.com", Some("Ana-K")),
        ("Ana-K@Users.NoReply.GitHub.com", Some("Ana-K")),
        ("123@users.noreply.github.com", Some("123")),
        ("49699333+dependabot[bot]@users.noreply.github.com", Some("dependabot[bot]")),
        ("12-x@users.noreply.github.com", Some("12-x")),
        ("a_corp@users.noreply.github.com", Some("a_corp")),
        ("7-ana@users.noreply.gitlab.example.com", Some("ana")),
        ("7-a-b.c@users.noreply.gitlab.example.com", Some("a-b.c")),
        ("7@users.noreply.gitlab.example.com", None),
        ("ana@users.noreply.gitlab.example.com", None),
        ("7-@users.noreply.gitlab.example.com", None),
        ("bo@noreply.codeberg.org", Some("bo")),
        ("31+bo@noreply.codeberg.org", Some("bo")),
        // Somebody else's forge, or none.
        ("bo@noreply.evil.example", None),
        ("ana@github.com", None),
        ("ana@users.noreply.github.com.evil.example", None),
        ("ana@evil.users.noreply.github.com", None),
        ("+x@users.noreply.github.com", None),
        ("1+@users.noreply.github.com", None),
        ("1+a/b@users.noreply.github.com", None),
        ("@users.noreply.github.com", None),
        ("noreply", None),
        ("", None),
    ] {
        let found = forges().iter().find_map(|forge| forge.login_in(email));
        assert_eq!(found.as_deref(), login, "{email}");
    }
    assert_eq!(forge("x", "", ForgeKind::Other).login_in("a@noreply."), None);
}

#[test]
fn machines_say_so() {
    for name in [
        "dependabot[bot]",
        "Renovate[bot]",
        "29139614+renovate[bot]@users.noreply.github.com",
        "project_7_bot_a1b2",
        "group_12_bot",
        "7-project_7_bot_a1@users.noreply.gitlab.com",
        "project_7_bot_a1@noreply.gitlab.example.com",
        "service_account_group_1_x",
        "deploy-bot",
        "release_bot@x.example",
        "noreply@github.com",
        "no-reply@x.example",
        "GitHub",
        "web-flow",
        "github-actions",
    ] {
        assert!(is_bot(name), "{name}");
    }
    for name in [
        "",
        "ana",
        "Ana Abbot",
        "talbot",
        "bot",
        "project_x_boat",
        "project_7_botany_",
        "robot@x.example",
        "ana@bot.example",
        "7+ana@users.noreply.github.com",
        "noreply",
        "[bot] ana",
    ] {
        // What begins like the name of a GitLab token is one.
        assert_eq!(is_bot(name), name == "project_7_botany_", "{name}");
    }
}

#[test]
fn the_config_knows_best() {
    let (people, forges) = (people(), forges());
    let who = |of: Authorship<'_>| match author(&people, &forges, &of) {
        Author::Person(card) => format!("person {}", card.name),
        Author::Bot { name } => format!("bot {name}"),
        Author::Stranger { name, account, email } => {
            let account = account.map(|account| account.to_string());
            format!("{name} {} {}", account.as_deref().unwrap_or("-"), email.as_deref().unwrap_or("-"))
        }
    };
    let commit = |name, email| Authorship { name, email, account: None, mailmap: None };
    for (of, is) in [
        (commit("A", "ANA@x.example"), "person ana"),
        (commit("A", "9+ana-k@users.noreply.github.com"), "person ana"),
        (commit("A", "7-ana@users.noreply.gitlab.example.com"), "person ana"),
        (commit("B", "bo@noreply.codeberg.org"), "person bo"),
        (Authorship { account: Some(("cb", "BO")), ..commit("B", "b@y.example") }, "person bo"),
        (Authorship { mailmap: Some(("Ana", "ana@home.example")), ..commit("A", "old@y.example") }, "person ana"),
        // Who is somebody by what the commit says is nobody else by what a file says.
        (
            Authorship { mailmap: Some(("Bo", "bo@noreply.codeberg.org")), ..commit("A", "ana@x.example") },
            "person ana",
        ),
        (
            Authorship {
                mailmap: Some(("Bo", "bo@noreply.codeberg.org")),
                ..commit("A", "9+ana-k@users.noreply.github.com")
            },
            "person ana",
        ),
        // The address in the commit, before what the forge makes of it.
        (Authorship { account: Some(("cb", "bo")), ..commit("A", "ana@x.example") }, "person ana"),
        // A machine that is somebody here.
        (Authorship { account: Some(("gh", "helper[bot]")), ..commit("h", "h@y.example") }, "person helper"),
        (commit("renovate[bot]", "r@y.example"), "bot renovate[bot]"),
        (Authorship { account: Some(("gh", "x[bot]")), ..commit("X", "x@y.example") }, "bot X"),
        (commit("GitHub", "noreply@github.com"), "bot GitHub"),
        // Strangers.
        (commit("Cy", "Cy@y.example"), "Cy - cy@y.example"),
        (commit("Cy", "1+cy@users.noreply.github.com"), "Cy forge:gh/cy -"),
        (Authorship { account: Some(("gl", "cy")), ..commit("Cy", "cy@y.example") }, "Cy forge:gl/cy cy@y.example"),
        (
            Authorship { mailmap: Some(("Cyril", "c@z.example")), ..commit("Cy", "cy@y.example") },
            "Cyril - c@z.example",
        ),
        (commit("Cy", "root"), "Cy - -"),
        (commit("", ""), " - -"),
    ] {
        assert_eq!(who(of), is, "{of:?}");
    }
}

#[test]
fn co_authors_wherever_they_stand() {
    let message = "Fix rounding (#12)\n\n* one\r\n\r\nCo-authored-by: Bo B <bo@x.example>\r\nsomething\n\
        co-authored-BY:Ana <ANA@x.example> and more\n\
        Co-authored-by: Bo B <bo@x.example>\n\
        Co-authored-by: nobody\n Co-authored-by: Indented <i@x.example>\nCo-authored-by: <>\nCo-authored-by: X <x@y";
    assert_eq!(co_authors(message), [("Bo B", "bo@x.example"), ("Ana", "ANA@x.example")]);
    assert_eq!(co_authors(&"Co-authored-by: A <a@x>\n".repeat(500)), [("A", "a@x")]);
    let many: String = (0..500).map(|n| format!("Co-authored-by: A <a{n}@x>\n")).collect();
    assert_eq!(co_authors(&many).len(), 100);
    assert!(co_authors("").is_empty());
}

#[test]
fn co_authors_are_kept_without_the_author_and_within_bounds() {
    let kept = |message: &str| -> Vec<(String, String)> {
        co_authors_in(message, "bo@x.example").into_iter().map(|one| (one.name, one.email)).collect()
    };
    let pair = |name: &str, email: &str| (name.to_owned(), email.to_owned());
    let message = "Fix (#12)\n\nCo-authored-by: Bo <BO@x.example>\nCo-authored-by: Ana <ANA@x.example>\n\
        Co-authored-by: Ana K <ana@X.example>\nCo-authored-by: \u{1b}[31m<!channel> <evil@x.example>\n\
        Co-authored-by: *_`<@U1>` <b <c@x.example>>\nCo-authored-by: \u{202e}oB <d@x.example>";
    // One address is one co-author; texts are kept as they came, for whoever shows them makes them inert.
    assert_eq!(
        kept(message),
        [
            pair("Ana", "ana@x.example"),
            pair("\u{1b}[31m", "!channel"),
            pair("*_`", "@u1"),
            pair("\u{202e}oB", "d@x.example"),
        ]
    );
    // Half of an address is another one, half of a name is a name.
    let long = format!("{}@x.example", "a".repeat(320));
    assert_eq!(
        kept(&format!("Co-authored-by: A <{long}>\nCo-authored-by: {} <b@x.example>", "ż".repeat(500))),
        [pair(&"ż".repeat(120), "b@x.example"),]
    );
    let all = |message: &str| kept(message).iter().map(|(name, email)| name.len() + email.len()).sum::<usize>();
    for width in [1, 50, 110] {
        let many = |n| format!("Co-authored-by: {} <a{n}@x.example>\n", "n".repeat(width));
        let many: String = (0..5_000).map(many).collect();
        assert!(kept(&many).len() <= 100 && all(&many) <= 4_000, "{width}: {}", kept(&many).len());
        assert!(kept(&many).len() >= 30, "{width}");
    }
    assert_eq!(kept("no trailers at all, co-authored-by: x <y@z>\n"), []);
}

#[test]
fn one_address_stands_for_all_of_a_person() {
    let (people, forges) = (people(), forges());
    let of = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect();
    let all = |addresses: &[&str]| every_address(&people, &forges, &of(addresses));
    assert_eq!(all(&["Ana@home.example"]), of(&["ana@home.example", "ana@x.example"]));
    let hidden = "9+ana-k@users.noreply.github.com";
    assert_eq!(all(&[hidden]), of(&[hidden, "ana@home.example", "ana@x.example"]));
    assert_eq!(all(&["cy@y.example"]), of(&["cy@y.example"]));
    let [ana, bo, _] = people.cards() else { panic!() };
    let told = [("private@y.example", "BO"), ("ana@x.example", "bo")];
    let told = told.map(|(email, login)| (email.to_owned(), login.to_owned()));
    let mailmap = Mailmap::default();
    for (card, address, without, with) in [
        (ana, "ANA@home.example", true, true),
        (bo, "bo@noreply.codeberg.org", true, true),
        (bo, "Private@y.example", false, true),
        (ana, "private@y.example", false, false),
        // Whatever a forge says: the config has it as somebody else's.
        (bo, "ana@x.example", false, false),
        (ana, "ana@x.example", true, true),
        (bo, "", false, false),
    ] {
        for (accounts, is) in [
            (Accounts::default(), without),
            (Accounts::new("cb", told.clone()), with),
            (Accounts::new("gh", told.clone()), without),
        ] {
            let known = Known { people: &people, forges: &forges, mailmap: &mailmap, accounts: &accounts };
            let of = of(&["cy@y.example", address]);
            assert_eq!(is_author(card, &known, &of), is, "{} {address} {accounts:?}", card.name);
        }
    }
}

#[test]
fn only_whom_nothing_else_tells_a_forge_is_asked_for() {
    let (people, forges) = (people(), forges());
    let mailmap = Mailmap::parse("Ana <ana@x.example> <old@y.example>\nCyril <c@z.example> <cy@y.example>\n");
    let accounts = Accounts::default();
    let known = Known { people: &people, forges: &forges, mailmap: &mailmap, accounts: &accounts };
    for (name, email, asks) in [
        ("A", "ANA@x.example", false),
        ("A", "old@y.example", false),
        ("Cy", "cy@y.example", true),
        ("Zoe", " zoe@y.example", true),
        ("Zoe", "1+zoe@users.noreply.github.com", false),
        ("Zoe", "7-zoe@users.noreply.gitlab.example.com", false),
        // Of a forge that is none of ours nobody knows more.
        ("Zoe", "zoe@noreply.evil.example", true),
        ("renovate[bot]", "r@y.example", false),
        ("R", "release_bot@y.example", false),
        ("root", "root", false),
        ("", "", false),
        ("x", "a b@y.example", false),
    ] {
        assert_eq!(known.asks_forge(name, email), asks, "{name} {email}");
    }
    let accounts = Accounts::new("gl", [("cy@y.example".to_owned(), "cy".to_owned())]);
    assert!(!Known { accounts: &accounts, ..known }.asks_forge("Cy", "CY@y.example"), "it is known");
}

#[test]
fn signatures_are_the_author_and_then_the_others() {
    let id = CommitId::from_bytes([7; 20]);
    let co_authors = vec![CoAuthor { name: "Bo".to_owned(), email: "bo@x.example".to_owned() }];
    let (author, email) = ("Ana".to_owned(), "ana@x.example".to_owned());
    let coming = Coming { id, author, email, co_authors, subject: String::new() };
    let one = |name: &str, email: &str, co_author| Signature {
        commit: id,
        name: name.to_owned(),
        email: email.to_owned(),
        co_author,
    };
    assert_eq!(
        Signature::of_coming(&coming),
        [one("Ana", "ana@x.example", false), one("Bo", "bo@x.example", true)]
    );
}

proptest! {
    #[test]
    fn no_commit_panics(name in ".{0,20}", email in "[a-z0-9+@.\\[\\]-]{0,40}|.{0,20}", message in "(?s).{0,80}") {
        let (people, forges) = (people(), forges());
        let of = Authorship { name: &name, email: &email, account: Some(("gh", &name)), mailmap: Some((&email, &name)) };
        author(&people, &forges, &of);
        is_bot(&email);
        let trailer = format!("Co-authored-by:{message}");
        prop_assert!(co_authors(&trailer).len() <= 100);
        let kept = co_authors_in(&trailer, &email);
        prop_assert!(kept.iter().all(|one| one.email != email.trim().to_lowercase() && one.name.chars().count() <= 120));
        prop_assert!(every_address(&people, &forges, &[email.clone()].into()).contains(&email.to_lowercase()));
    }
}
