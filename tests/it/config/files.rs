//! Every way in which a file can fail to be a config.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;
use towpath::config::{Config, Store};

fn dir() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// What loading says, with the folder's name taken out.
fn said(dir: &Path, file: &str) -> String {
    let problems = Config::load(&dir.join(file)).expect_err("no config");
    problems.to_string().replace(&*dir.to_string_lossy(), "DIR")
}

#[test]
fn a_missing_file_says_where_configs_are_looked_for() {
    let dir = dir();
    insta::assert_snapshot!(said(dir.path(), "towpath.toml"));
}

#[test]
fn a_folder_is_no_config() {
    let dir = dir();
    insta::assert_snapshot!(said(dir.path(), "."));
}

#[test]
fn an_empty_file_shows_the_smallest_config() {
    let dir = dir();
    std::fs::write(dir.path().join("towpath.toml"), " \n\t\n").expect("written");
    insta::assert_snapshot!(said(dir.path(), "towpath.toml"));
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_line() {
    let dir = dir();
    std::fs::write(dir.path().join("towpath.toml"), b"[service]\nstore = \"\xff\"\n").expect("written");
    insta::assert_snapshot!(said(dir.path(), "towpath.toml"));
}

#[test]
fn a_huge_file_is_refused_before_it_is_parsed() {
    let dir = dir();
    std::fs::write(dir.path().join("towpath.toml"), vec![b'#'; (1 << 20) + 1]).expect("written");
    insta::assert_snapshot!(said(dir.path(), "towpath.toml"));
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let text = format!("\u{feff}{}", super::FLOW);
    super::valid(&text);
}

#[test]
fn windows_line_ends_are_no_fault() {
    super::valid(&super::FLOW.replace('\n', "\r\n"));
}

#[test]
fn the_flag_goes_before_the_variable_and_that_before_the_folder() {
    let dir = dir();
    for file in ["flag.toml", "variable.toml", "towpath.toml"] {
        std::fs::write(dir.path().join(file), super::FLOW).expect("written");
    }
    let find = |flag: Option<&str>, variable: Option<&str>| {
        let found =
            Config::find_with(flag.map(Path::new), variable.map(OsString::from), dir.path()).expect("found");
        found.file_name().map(|n| n.to_string_lossy().into_owned())
    };
    assert_eq!(find(Some("flag.toml"), Some("variable.toml")).as_deref(), Some("flag.toml"));
    assert_eq!(find(None, Some("variable.toml")).as_deref(), Some("variable.toml"));
    assert_eq!(find(None, Some("")).as_deref(), Some("towpath.toml"));
    assert_eq!(find(None, None).as_deref(), Some("towpath.toml"));
}

#[test]
fn a_config_that_is_not_found_says_who_named_it() {
    let dir = dir();
    let find = |flag: Option<&str>, variable: Option<&str>| {
        let problems = Config::find_with(flag.map(Path::new), variable.map(OsString::from), dir.path());
        problems.expect_err("not there").list[0].what.clone()
    };
    assert_eq!(find(Some("a.toml"), None), "there is no file `a.toml`, which `--config` names");
    assert_eq!(find(None, Some("b.toml")), "there is no file `b.toml`, which `TOWPATH_CONFIG` names");
    assert_eq!(
        find(None, None),
        "there is no config: neither `--config` nor `TOWPATH_CONFIG` names one, and there is no `./towpath.toml`"
    );
}

#[test]
fn relative_paths_start_from_the_folder_of_the_config() {
    let config = super::valid(&super::FLOW.replace("/srv/git/shop.git", "../git/./shop.git"));
    assert_eq!(super::only(&config).remote, "/etc/towpath/../git/shop.git");
    assert_eq!(super::only(&config).flow.repository, "../git/./shop.git");
    assert_eq!(config.service.store, Store::Sqlite("/etc/towpath/towpath.db".into()));
    assert_eq!(config.base_dir, Path::new("/etc/towpath"));
}

#[test]
fn a_config_named_without_a_folder_starts_from_here() {
    let config = Config::from_text(super::FLOW, Path::new("towpath.toml")).expect("valid");
    assert_eq!(config.base_dir, std::env::current_dir().expect("a working directory"));
}

/// A branch is the target of one edge, however its repository is written.
#[test]
fn one_repository_in_other_words_is_one_repository() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("shop.git")).unwrap();
    std::os::unix::fs::symlink(at("shop.git"), at("link")).unwrap();
    let config = |one: &str, other: &str| {
        let flow = |name: &str, repository: &str| {
            let env = "[[flow.environment]]\nname = ";
            format!(
                "[[flow]]\nname = \"{name}\"\nrepository = \"{repository}\"\n{env}\"develop\"\n{env}\"staging\"\n"
            )
        };
        let text = format!("{}{}", flow("one", one), flow("two", other));
        Config::from_text(&text, &folder.path().join("towpath.toml"))
    };
    for (one, other) in [
        (at("shop.git"), format!("file://{}", at("shop.git"))),
        (at("shop.git"), "shop".to_owned()),
        (at("shop.git"), at("link")),
        ("git@git.example.com:a/b.git".to_owned(), "ssh://git@GIT.example.com:22/a/b/".to_owned()),
        ("https://git.example.com/a/b".to_owned(), "https://git.example.com:443/a/b.git".to_owned()),
    ] {
        let problems = config(&one, &other).expect_err(&format!("{one} and {other}")).to_string();
        assert!(problems.contains("is moved by two flows"), "{one} and {other}: {problems}");
    }
    assert!(config(&at("shop.git"), &at("other.git")).is_ok());
}
