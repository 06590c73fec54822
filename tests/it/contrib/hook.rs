//! `contrib/post-receive` in a real bare repository, called by real pushes.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use towpath::server::hooks;
use towpath_core::model::{CommitId, Instant};

use super::service::{Service, until};
use crate::support::git_fixture::{Repo, git_command};

/// A server's repository with the hook, a clone that pushes to it, and a config.
struct Place {
    folder: tempfile::TempDir,
    server: Repo,
    clone: Repo,
    tip: CommitId,
}

impl Place {
    fn new(secret: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Repo::init(folder.path().join("shop.git"));
        let clone = Repo::init(folder.path().join("clone.git"));
        let tip = clone.commit(&[], "develop", &[("a", "1")]);
        let place = Self { folder, server, clone, tip };
        place.push("develop:develop");
        place.push("develop:staging");
        std::fs::write(place.secret(), secret).unwrap();
        std::fs::copy(super::file("post-receive"), place.server.dir.join("hooks/post-receive")).unwrap();
        place.server.git(["config", "towpath.flow", "team/shop"]);
        place.server.git(["config", "towpath.secretFile", place.secret().to_str().unwrap()]);
        place
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    fn url(&self, url: &str) {
        self.server.git(["config", "towpath.url", url]);
    }

    /// Looks once at the start and then in winter.
    fn config(&self, secret: &str) -> PathBuf {
        let path = self.folder.path().join("towpath.toml");
        std::fs::write(self.folder.path().join("its-secret"), secret).unwrap();
        let text = r#"
[service]
look = "0 0 1 1 *"
webhook_secrets = [{ file = "its-secret" }]

[[flow]]
name = "team/shop"
repository = "shop.git"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
"#;
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Pushes as a person does, and gives back what that person saw.
    #[track_caller]
    fn push(&self, what: &str) -> String {
        self.push_with(what, false)
    }

    #[track_caller]
    fn push_with(&self, what: &str, debug: bool) -> String {
        let mut command = git_command(&self.clone.dir);
        if debug {
            command.env("TOWPATH_HOOK_DEBUG", "1");
        }
        let Output { status, stderr, .. } =
            command.args(["push", "--quiet"]).arg(&self.server.dir).arg(what).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert!(status.success(), "{said}");
        said
    }

    fn commit(&mut self) -> CommitId {
        self.tip = self.clone.commit(&[self.tip], "develop", &[("a", "2")]);
        self.tip
    }
}

const SECRET: &str = "correct horse battery staple";

#[test]
fn a_push_moves_the_flow_long_before_the_next_look() {
    let mut place = Place::new(format!("{SECRET}\n").as_bytes());
    let service = Service::start(&place.config(SECRET));
    place.url(&format!("http://{}/", service.address));
    until("the look at the start", || service.metric("towpath_ticks_total{result=\"good\"}").is_some());
    // Two in one second: neither may be taken for a repetition of the other.
    for _ in 0..2 {
        let tip = place.commit();
        assert_eq!(place.push("develop:develop"), "", "nothing is printed");
        until("staging has what was pushed", || place.server.tip("staging") == Some(tip));
    }
    assert!(service.metric("towpath_hooks_total{source=\"git\",result=\"taken\"}").is_some());
    assert!(service.metric("towpath_hooks_total{source=\"git\",result=\"repeated\"}").is_none());
}

#[test]
fn another_secret_is_refused_and_a_curious_person_is_told() {
    let mut place = Place::new(b"something else");
    let service = Service::start(&place.config(SECRET));
    place.url(&format!("http://{}", service.address));
    place.commit();
    let said = place.push_with("develop:develop", true);
    assert!(said.contains("the signature does not fit 401"), "{said}");
    assert!(!said.contains("something else"), "{said}");
    assert_eq!(service.metric("towpath_hooks_total{source=\"git\",result=\"forged\"}").as_deref(), Some("1"));
}

#[test]
fn a_towpath_that_is_dead_silent_or_not_configured_harms_no_push() {
    let mut place = Place::new(SECRET.as_bytes());
    place.commit();
    assert_eq!(place.push("develop:develop"), "", "no url");
    assert!(place.push_with("develop:one", true).contains("towpath.url is not set"));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    place.url(&format!("http://{address}"));
    place.commit();
    // Accepted by nobody: the call is under way for as long as curl is patient.
    assert_eq!(place.push("develop:develop"), "", "silent");
    let (silent, _) = listener.accept().unwrap();
    silent.set_nonblocking(true).unwrap();
    // The push is over and the call is not: had git waited for it, its end would be here.
    let open = loop {
        match (&silent).read(&mut [0; 4096]) {
            Ok(0) => break false,
            Ok(_) => {}
            Err(error) => break error.kind() == std::io::ErrorKind::WouldBlock,
        }
    };
    assert!(open, "the push waited for the call");

    drop((silent, listener));
    place.commit();
    assert_eq!(place.push("develop:develop"), "", "dead");

    std::fs::remove_file(place.secret()).unwrap();
    assert!(place.push_with("develop:two", true).contains("cannot be read"));
    assert_eq!(place.push("develop:three"), "", "no secret");
    std::fs::write(place.secret(), "\n").unwrap();
    assert!(place.push_with("develop:four", true).contains("is empty"));
    place.server.git(["config", "towpath.flow", "../readyz?"]);
    assert!(place.push_with("develop:five", true).contains("not the name of a flow"));
}

/// What the hook sends: the header's value and the body.
fn sent(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        let count = stream.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "half a request");
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let field = |name: &str| {
            let found = head.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        let length: usize = field("Content-Length:").parse().unwrap();
        if field("Expect:").is_empty() && bytes.len() < end + 4 + length {
            continue;
        }
        if bytes.len() < end + 4 + length {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
            let mut rest = vec![0; end + 4 + length - bytes.len()];
            stream.read_exact(&mut rest).unwrap();
            bytes.extend(rest);
        }
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
        return (field("Towpath-Signature:"), bytes[end + 4..].to_vec());
    }
}

#[test]
fn secrets_of_every_length_sign_as_the_service_does() {
    for length in [1, 63, 64, 65, 300] {
        // Every byte but those that end a line may be in a secret; at its end those are cut off.
        let mut secret: Vec<u8> = (0..length).map(|at| u8::try_from(255 - at % 256).unwrap()).collect();
        secret.retain(|byte| !matches!(byte, b'\n' | b'\r'));
        let place = Place::new(&[&secret[..], b"\r\n"].concat());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        place.url(&format!("http://{}", listener.local_addr().unwrap()));
        place.push("develop:develop");
        place.push("develop:more");
        let (header, body) = sent(&listener);
        let (at, _) = header.strip_prefix("t=").unwrap().split_once(',').unwrap();
        let at = Instant(at.parse::<i64>().unwrap() * 1000);
        assert_eq!(header, hooks::sign(&secret, at, &body), "{length} bytes");
        assert!(String::from_utf8(body).unwrap().contains(" refs/heads/more\n"));
    }
}

#[test]
fn a_push_of_very_many_branches_fits_into_what_the_service_reads() {
    let place = Place::new(SECRET.as_bytes());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    place.url(&format!("http://{}", listener.local_addr().unwrap()));
    let mut script = String::new();
    for number in 0..700 {
        script.push_str(&format!("create refs/heads/{}-{number} {}\n", "x".repeat(40), place.tip));
    }
    let file = place.folder.path().join("refs");
    std::fs::write(&file, script).unwrap();
    let mut command = git_command(&place.clone.dir);
    command.args(["update-ref", "--stdin"]).stdin(std::fs::File::open(&file).unwrap());
    assert!(command.status().unwrap().success());
    place.push("refs/heads/*:refs/heads/*");
    let (header, body) = sent(&listener);
    assert!(header.starts_with("t="));
    assert!((50_000..64 * 1024).contains(&body.len()), "{}", body.len());
}

#[test]
fn the_hook_can_be_run() {
    let mode = std::fs::metadata(super::file("post-receive")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
}
