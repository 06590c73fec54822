//! Who wrote a commit by the `.mailmap` of the branch that it is on its way to: whoever wrote it under another address
//! approves nothing of their own, whatever the commit brings.

use std::process::Command;

use towpath::git::mailmap::{MAILMAP_MAX, mailmap};
use towpath_core::people::Mailmap;

use crate::serve::place::{Place, Service};
use crate::support::git_fixture::{World, git_command};

const CONFIG: &str = r#"
[service]
look = "0 0 1 1 *"
[people.ana]
role = "operator"
identities = ["token:ana", "mail:ana@new.example"]
[people.olga]
role = "operator"
identities = ["token:olga", "mail:olga@example.com"]
[[flow]]
repository = "checkout.git"
name = "shop/checkout"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "production"
branch = "master"
gates.approvals = { required = 1 }
"#;

const FILE: &str = "Ana <ana@new.example> <ana@old.example>\n<ana@new.example> <ana@older.example>\n";
const NEW: &str = "Ana <ana@new.example>";
const OLD: &str = "A. N. <Ana@OLD.example>";

/// What an approval of theirs is answered.
fn approve(place: &Place, service: &Service, token: &str, sha: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args([
            "approve",
            "checkout",
            "production",
            sha,
            "--server",
            &format!("http://127.0.0.1:{}", service.port()),
        ])
        .env("TOWPATH_TOKEN", token)
        .current_dir(place.path())
        .output()
        .unwrap();
    [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

fn token(place: &Place, name: &str, more: &[&str]) -> String {
    place.ok(&[&["token", "create", name, "--scope", "steer"], more].concat()).trim().to_owned()
}

#[test]
fn whoever_wrote_it_under_another_address_does_not_approve_it() {
    let huge = format!("{FILE}{}", "#".repeat(MAILMAP_MAX));
    let near = format!("{FILE}{}", "#".repeat(MAILMAP_MAX - FILE.len()));
    let odd = format!("<<<>>>\n\0\u{1b}[2J <\n> <a@b> <c@d\r\n{FILE}\u{202e} <@> <@>");
    let turned = "Eve <eve@example.com> <ana@new.example>\nEve <eve@example.com> <ana@old.example>\n";
    // The file of the target, who wrote the commit, the file that the commit brings, and whether they may approve it.
    for (of_target, author, brings, may) in [
        (Some(FILE), OLD, None, false),
        (Some(FILE), "x <ana@older.example>", None, false),
        (Some(FILE), NEW, None, false),
        (Some(FILE), "Zoe <zoe@example.com>", None, true),
        // What the commit brings makes its author nobody else.
        (Some(FILE), OLD, Some(""), false),
        (Some(FILE), OLD, Some(turned), false),
        (None, NEW, Some(turned), false),
        // Nor does what the target has, of who is somebody already.
        (Some(turned), NEW, None, false),
        // And it makes nobody an author.
        (None, "Zoe <zoe@example.com>", Some("Ana <ana@new.example> <zoe@example.com>\n"), true),
        (Some(&*odd), OLD, None, false),
        (Some(&*near), OLD, None, false),
        // Too large: it is not read, and the log says so.
        (Some(&*huge), OLD, None, true),
    ] {
        let about = format!("{:.60} {author} {brings:?}", of_target.unwrap_or("none"));
        let place = Place::new(&["checkout"], CONFIG);
        let repo = place.repo("checkout");
        let first = repo.tip("develop").unwrap();
        if let Some(text) = of_target {
            let at = repo.commit_as(&[first], "develop", &[(".mailmap", text)], "Names", "Zoe <zoe@example.com>");
            repo.set("master", at);
        }
        let zero = repo.tip("develop").unwrap();
        let mut files = vec![("b", "1")];
        files.extend(brings.map(|text| (".mailmap", text)));
        let commit = repo.commit_as(&[zero], "develop", &files, "Theirs", author);
        let service = place.serve();
        let said = approve(&place, &service, &token(&place, "ana", &[]), &commit.to_string());
        place.ok(&["run"]);
        assert_eq!(said.contains("you wrote one of the commits"), !may, "{about}: {said}");
        if may {
            // The service may be at it, and a pass beside it leaves the flow to it.
            place.arrives("checkout", "master", commit);
        }
        assert_eq!(repo.tip("master"), Some(if may { commit } else { zero }), "{about}");
        let warned = service.log().iter().any(|line| line.contains("`.mailmap` is larger than 1 MiB"));
        assert_eq!(warned, of_target == Some(&*huge), "{about}");
        if !may && brings == Some(turned) {
            approve(&place, &service, &token(&place, "olga", &[]), &commit.to_string());
            place.ok(&["run"]);
            // Somebody else approves it.
            place.arrives("checkout", "master", commit);
        }
    }
}

#[test]
fn without_any_people_two_addresses_of_one_person_are_found_by_the_file_alone() {
    for (wrote, approves) in [
        ("ana@old.example", "ana@new.example"),
        ("ana@new.example", "ana@old.example"),
        ("ana@old.example", "ana@older.example"),
    ] {
        let config = CONFIG.lines().filter(|line| {
            !line.starts_with("[people") && !line.starts_with("role") && !line.starts_with("identities")
        });
        let place = Place::new(&["checkout"], &config.collect::<Vec<_>>().join("\n"));
        let repo = place.repo("checkout");
        let zero =
            repo.commit_as(&[repo.tip("develop").unwrap()], "develop", &[(".mailmap", FILE)], "Names", "Z <z@z>");
        repo.set("master", zero);
        let commit = repo.commit_as(&[zero], "develop", &[("b", "1")], "Theirs", &format!("A <{wrote}>"));
        let service = place.serve();
        let said = approve(&place, &service, &token(&place, "robot", &["--email", approves]), &commit.to_string());
        place.ok(&["run"]);
        assert!(said.contains("you wrote one of the commits"), "{wrote} {approves}: {said}");
        assert_eq!(repo.tip("master"), Some(zero), "{wrote} {approves}");
    }
}

#[tokio::test]
async fn the_file_is_read_as_git_reads_it() {
    let text = "# Zoe <no@x> <zoe@x>\nAna Nowak <ana@x>\nAna <ana@X> <OLD@y>\n<ana@x> <older@y>\nBo <bo@x> Bo B <shared@x>\n\
        Cy <cy@x> CY <shared@x>\nnothing\n<> <nobody@x>\nOpen <open@x\nZoe <zoe@x> <later@x>\nEve <eve@x> <later@x>\n\
        \t Tab  <tab@x>\t Tab T <tab@y> rest <rest@x>\n<only@x>\n";
    let mirrored = World::new().await;
    let repo = &mirrored.repo;
    let at = repo.commit(&[], "develop", &[(".mailmap", text)]);
    let folder = repo.commit(&[], "folder", &[(".mailmap/x", text)]);
    let none = repo.commit(&[], "none", &[("x", text)]);
    let mirror = mirrored.fetched(&["develop", "folder", "none"]).await;
    let read = mailmap(&mirror, at).expect("it is read");
    for commit in [folder, none] {
        assert_eq!(mailmap(&mirror, commit), Ok(Mailmap::default()));
    }
    assert!(mailmap(&mirror, "1".repeat(40).parse().unwrap()).is_err(), "nobody knows what it says");
    for (name, email) in [
        ("a", "ana@x"),
        ("a", "ANA@x"),
        ("a", "old@y"),
        ("a", "Older@y"),
        ("bo b", "shared@x"),
        ("Cy", "SHARED@x"),
        ("dan", "shared@x"),
        ("a", "zoe@x"),
        ("a", "nobody@x"),
        ("a", "open@x"),
        ("a", "later@x"),
        ("tab t", "tab@y"),
        ("t", "tab@y"),
        ("a", "rest@x"),
        ("a", "only@x"),
    ] {
        let of_git = git_command(&repo.dir).args(["check-mailmap", &format!("{name} <{email}>")]).output().unwrap();
        let (name, email) = read.of(name, email).unwrap_or((name, email));
        assert_eq!(String::from_utf8_lossy(&of_git.stdout).trim(), format!("{name} <{email}>"));
    }
}
