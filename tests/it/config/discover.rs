//! What a config makes of repositories that a forge lists.

use towpath::config::{Config, Left, Listed, Origin};

use super::{sentences, valid};

const HEAD: &str = r#"
[forge.hub]
kind = "gitea"
url = "https://git.example.com"
token = { env = "T" }
discover = true
"#;

const GROUP: &str = r#"
[[group]]
match = ["shop/*"]
zone = "Europe/Warsaw"
[[group.environment]]
name = "develop"
[[group.environment]]
name = "staging"
"#;

fn listed(path: &str) -> Listed {
    Listed { forge: "hub".to_owned(), path: path.to_owned(), gone: None }
}

/// The names of the flows, and why each of the others is none.
fn made(config: &Config, paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let all: Vec<Listed> = paths.iter().map(|path| listed(path)).collect();
    let (config, left) = config.with(&all);
    let names = config.flows.iter().map(|found| found.flow.name.to_string()).collect();
    (names, left.iter().map(|(one, why)| format!("{}: {why}", one.path.escape_debug())).collect())
}

#[test]
fn a_repository_that_a_group_matches_is_a_flow_as_if_it_were_written() {
    let config = valid(&format!("{HEAD}{GROUP}"));
    assert_eq!((config.flows.len(), config.discovers()), (0, true), "no `[[flow]]` is needed");
    let (with, left) = config.with(&[listed("shop/Check-Out")]);
    assert_eq!(left, []);
    let written = valid(&format!("{HEAD}{GROUP}[[flow]]\nrepository = \"hub:shop/Check-Out\"\n"));
    assert_eq!(with.flows[0].flow, written.flows[0].flow, "the policy digest, too");
    assert_eq!(with.flows[0].remote, written.flows[0].remote);
    assert_eq!(with.discovered(), 1);
    assert_eq!(with.flows[0].discovered, Some(listed("shop/Check-Out")));
    assert_eq!(with.flows[0].origins["repository"], Origin::Discovered { forge: "hub".to_owned(), line: 6 });
    assert!(matches!(with.flows[0].origins["zone"], Origin::Group { .. }));
    assert!(with.show_toml(None).contains("# discovered by [forge.hub] line 6"));
    // Others instead of them, not more of them.
    assert_eq!(made(&with, &["shop/other"]).0, ["shop/other"]);
    assert_eq!(with.with(&[]).0.flows.len(), 0);
}

#[test]
fn what_is_written_goes_first_however_it_is_spelled() {
    for repository in [
        "hub:shop/a",
        "hub:shop/a.git",
        "https://git.example.com/shop/a.git",
        "https://git.example.com:443/shop/a/",
    ] {
        let flow = format!("[[flow]]\nname = \"shop/mine\"\nrepository = \"{repository}\"\n");
        let config = valid(&format!("{HEAD}{GROUP}{flow}"));
        let said = made(&config, &["shop/a", "shop/b"]);
        assert_eq!(said.0, ["shop/mine", "shop/b"], "{repository}");
        assert_eq!(said.1, ["shop/a: it is the flow `shop/mine` already"], "{repository}");
    }
    // A name that a flow or an environment has stays whose it is.
    let flow = "[[flow]]\nname = \"shop/b\"\nrepository = \"/srv/b.git\"\n[[flow.environment]]\nname = \"shop/c\"\n\
                after = \"staging\"\n";
    let said = made(&valid(&format!("{HEAD}{GROUP}{flow}")), &["shop/b", "shop/c", "shop/d"]);
    assert_eq!(said.0, ["shop/b", "shop/d"]);
    assert!(said.1[0].starts_with("shop/b: another flow is called `shop/b`; write a `[[flow]]`"), "{said:?}");
    assert!(said.1[1].starts_with("shop/c: an environment is called `shop/c`"), "{said:?}");
}

#[test]
fn each_is_judged_alone_and_odd_names_harm_nobody() {
    let config = valid(&format!("{HEAD}{GROUP}"));
    let odd = [
        "shop/.github",
        "shop/a b",
        "shop/ä",
        "shop/../x",
        "shop/--upload-pack=x",
        "shop/x.lock",
        "../shop/x",
        "shop/",
        "shop/a\u{202e}b",
        "shop/a\nb",
        "shop/$(x)",
        "all",
        "",
        "shop/a?b",
        "good/no",
        "shop/fine",
        "Shop/Fine",
    ];
    let said = made(&config, &odd);
    assert_eq!(said.0, ["shop/fine"]);
    assert_eq!(said.1.len(), odd.len() - 1);
    for (line, why) in [
        ("shop/.github: ", "give it a name of its own"),
        ("shop/a b: ", "has the character ` `"),
        ("shop/x.lock: ", "a part that ends in `.lock`"),
        ("shop/: ", "no `[[group]]` matches"),
        ("shop/../x: ", "no `[[group]]` matches"),
        ("all: ", "no `[[group]]` matches"),
        ("good/no: ", "no `[[group]]` matches"),
        ("Shop/Fine: ", "another flow is called `shop/fine`"),
    ] {
        let said = said.1.iter().find(|said| said.starts_with(line)).unwrap_or_else(|| panic!("{line}: {said:#?}"));
        assert!(said.contains(why), "{said}");
    }
    // Nothing in what is said acts on a terminal.
    assert!(said.1.iter().all(|said| !said.contains(['\n', '\u{202e}'])), "{said:#?}");
}

#[test]
fn two_groups_are_laid_over_one_another_and_except_takes_out() {
    let more = "[[group]]\nmatch = [\"**/legacy-*\"]\nmode = \"observe\"\n";
    let except = HEAD.replace("discover = true", "discover = true\nexcept = [\"shop/legacy-old\"]");
    let config = valid(&format!("{except}{GROUP}{more}"));
    let (with, left) = config.with(&[listed("shop/legacy-a"), listed("shop/legacy-old"), listed("x/legacy-b")]);
    assert_eq!(with.flows.len(), 1);
    assert!(with.flows[0].flow.environments.iter().all(|env| env.mode == towpath_core::model::Mode::Observe));
    assert_eq!(left[0].1, Left::Except("shop/legacy-old".to_owned()));
    // Only the second group matches it, and that one has no environments.
    assert!(left[1].1.to_string().contains("has no environment"), "{}", left[1].1);
}

#[test]
fn a_forge_that_does_not_discover_has_none() {
    let off = HEAD.replace("discover = true", "discover = false");
    let flow = "[[flow]]\nrepository = \"hub:shop/a\"\n";
    let config = valid(&format!("{off}{GROUP}{flow}"));
    let (_, left) = config.with(&[listed("shop/b"), Listed { forge: "gone".to_owned(), ..listed("shop/c") }]);
    assert!(left.iter().all(|(_, why)| *why == Left::Off), "{left:?}");
}

#[test]
fn ten_thousand_repositories_are_soon_told_apart() {
    let config = valid(&format!("{HEAD}{GROUP}"));
    let all: Vec<Listed> =
        (0..10_000).map(|n| listed(&format!("{}/r{n}", if n % 20 == 0 { "shop" } else { "x" }))).collect();
    let (with, left) = config.with(&all);
    assert_eq!((with.flows.len(), left.len()), (500, 9_500));
}

#[test]
fn what_discover_needs_is_said() {
    let cases = [
        format!(
            "{HEAD}[[flow]]\nrepository = \"/srv/a.git\"\nenvironment = [{{ name = \"a\" }}, {{ name = \"b\" }}]\n"
        ),
        format!("{}{GROUP}", HEAD.replace("token = { env = \"T\" }\n", "")),
        format!("{}{GROUP}", HEAD.replace("gitea", "git")),
        format!("{}{GROUP}", HEAD.replace("discover = true", "discover = \"yes\"")),
        format!(
            "{}{GROUP}[[flow]]\nrepository = \"hub:shop/a\"\n",
            HEAD.replace("discover = true", "except = [\"a\"]")
        ),
    ];
    let said: Vec<String> = cases.iter().map(|text| sentences(text).join("\n")).collect();
    for (said, why) in said.iter().zip([
        "that a `[[group]]` matches, and there is none",
        "takes what a token sees, and this forge has none",
        "a forge of kind `git` has no list of repositories",
        "`discover` must be ",
        "`except` does nothing without `discover = true`",
    ]) {
        assert!(said.contains(why), "{why}: {said}");
    }
}
