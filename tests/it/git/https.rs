//! Git over https with the token of a forge: a real server with TLS, and the real program.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::engine::World as _;
use towpath::git::{Git, Login, Remote};
use towpath::setup::{Need, Setup};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CommitId, MoveKind, Tip, UnknownWhy};

use super::branch;
use crate::support::git_fixture::{Repo, World, script};
use crate::support::https::{Https, Rule, authority};

/// A token, and how it is sent: `x-access-token:TOKEN`, coded.
const TOKEN: &str = "tow-test-7c1f0a2e";
const SENT: &str = "eC1hY2Nlc3MtdG9rZW46dG93LXRlc3QtN2MxZjBhMmU=";
/// A second one.
const OTHER: &str = "tow-test-93bd41c8";
const OTHER_SENT: &str = "eC1hY2Nlc3MtdG9rZW46dG93LXRlc3QtOTNiZDQxYzg=";

fn right() -> Rule {
    Rule::Asks(SENT.to_owned())
}

/// A repository behind a server with `staging` one commit behind `develop`, a config and a token file.
struct Place {
    folder: TempDir,
    server: Https,
    repo: Repo,
    a: CommitId,
    b: CommitId,
}

struct Ran {
    code: Option<i32>,
    all: String,
}

impl Place {
    fn new(rule: Rule) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::init(folder.path().join("served/shop.git"));
        let a = repo.commit(&[], "develop", &[("f", "a")]);
        let b = repo.commit(&[a], "develop", &[("f", "b")]);
        repo.set("staging", a);
        let server = Https::start(&folder.path().join("served"), rule);
        server.watch(&[TOKEN, SENT]);
        let place = Self { folder, server, repo, a, b };
        place.token(TOKEN);
        place.config(&format!("token = {{ file = \"token\" }}\nca = {:?}", authority("ca.pem")));
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn token(&self, text: &str) {
        fs::write(self.path().join("token"), text).unwrap();
    }

    /// `[forge.work]` with these lines.
    fn config(&self, lines: &str) {
        let url = self.server.url();
        let text = format!(
            "[service]\nstore = \"sqlite:towpath.db\"\n[forge.work]\nkind = \"git\"\nurl = \"{url}\"\n{lines}\n\
             [[flow]]\nrepository = \"work:shop.git\"\nname = \"shop\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"staging\"\n"
        );
        fs::write(self.path().join("towpath.toml"), text).unwrap();
    }

    /// Runs the program; everything that it says, the log included.
    fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in ["TOWPATH_CONFIG", "TOWPATH_SERVER", "TOWPATH_TOKEN", "TOWPATH_CRASH_AT", "GIT_SSL_CAINFO"] {
            command.env_remove(name);
        }
        command.env("TOWPATH_LOG", "trace").envs(env.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), all: text(&output.stdout) + &text(&output.stderr) }
    }

    /// The reason that one pass gives for not moving `staging`, which stays where it was.
    #[track_caller]
    fn stays(&self, env: &[(&str, &str)]) -> String {
        let ran = self.run(&["run"], env);
        assert_eq!(self.repo.tip("staging"), Some(self.a), "{}", ran.all);
        hidden(&ran.all);
        ran.all
    }
}

/// Nothing of the token is in there.
#[track_caller]
fn hidden(text: &str) {
    for secret in [TOKEN, SENT, OTHER, OTHER_SENT] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[track_caller]
fn says(text: &str, what: &str) {
    assert!(text.contains(what), "{what:?} is not in:\n{text}");
}

#[test]
fn the_right_token_moves_a_commit_and_nobody_sees_it() {
    let place = Place::new(right());
    let bin = place.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("git"))
        .find(|path| path.is_file())
        .unwrap();
    let (calls, real) = (place.path().join("calls"), real.display());
    // As the system shows it to everybody, while git runs.
    let spy = format!("tr '\\0' ' ' < /proc/$$/cmdline >> {0}; echo >> {0}; exec {real} \"$@\"", calls.display());
    script(&bin.join("git"), &spy);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let ran = place.run(&["run"], &[("PATH", &path)]);
    assert_eq!((ran.code, place.repo.tip("staging")), (Some(0), Some(place.b)), "{}", ran.all);
    hidden(&ran.all);
    let calls = fs::read_to_string(calls).unwrap();
    assert!(calls.contains("push --porcelain") && calls.contains("ls-remote"), "{calls}");
    hidden(&calls);
    let asked = place.server.asked();
    assert!(asked.iter().any(|one| one.line.contains("POST /shop.git/git-receive-pack")), "{asked:?}");
    for one in &asked {
        // Never asked without it first, so each look is one request.
        assert_eq!(one.authorization.as_deref(), Some(format!("Basic {SENT}").as_str()), "{one:?}");
        assert_eq!(one.showing, [""; 0], "{one:?}");
    }
    for args in [
        &["status", "-o", "json"][..],
        &["plan"],
        &["config", "show"],
        &["config", "show", "-o", "json"],
        &["history", "--export"],
        &["doctor"],
    ] {
        hidden(&place.run(args, &[]).all);
    }
    for file in fs::read_dir(place.path()).unwrap().flatten() {
        if file.file_name() != "token" && file.path().is_file() {
            hidden(&String::from_utf8_lossy(&fs::read(file.path()).unwrap()));
        }
    }
}

#[test]
fn a_wrong_token_is_told_by_the_name_of_its_forge_and_never_repeated() {
    let place = Place::new(right());
    place.token(OTHER);
    let said = place.stays(&[]);
    says(&said, "`shop.git` refuses the token of `[forge.work]`");
    says(&said, "whoever runs Towpath can mend it");
    assert_eq!(place.run(&["run", "--detailed-exitcode"], &[]).code, Some(3));
    let doctor = place.run(&["doctor"], &[]);
    assert_eq!(doctor.code, Some(3), "{}", doctor.all);
    says(&doctor.all, "refuses the token of `[forge.work]`");
    says(&doctor.all, "Replace the token, or give it the right to read and write the repository");
    hidden(&doctor.all);
    says(
        &place.run(&["explain", "shop", "staging"], &[]).all,
        "A new one in its file counts from the next look on",
    );
}

#[test]
fn a_token_that_may_only_read_is_named_when_the_push_is_refused() {
    let place = Place::new(Rule::ReadOnly(SENT.to_owned()));
    let said = place.stays(&[]);
    says(&said, "the remote refuses the token of [forge.work]");
    // The server repeats what it was sent, in words that git hands on.
    says(&said, "this token may only read: Basic [secret]");
    let doctor = place.run(&["doctor"], &[]);
    says(&doctor.all, "the remote answers with the token of `[forge.work]`");
    says(&doctor.all, "a push to `staging` would fail");
    hidden(&doctor.all);
}

#[test]
fn the_doctor_says_that_a_token_is_accepted_or_lacking() {
    let place = Place::new(right());
    place.run(&["run"], &[]);
    let doctor = place.run(&["doctor"], &[]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.all);
    says(&doctor.all, "`shop`: the remote answers with the token of `[forge.work]`, with 2 branch(es)");
    says(&doctor.all, "a push to `staging` would be let in with the token of `[forge.work]`");
    place.config(&format!("ca = {:?}", authority("ca.pem")));
    let said = place.run(&["run"], &[]).all;
    says(&said, "`shop.git` does not accept Towpath's credentials");
    let doctor = place.run(&["doctor"], &[]);
    assert_eq!(doctor.code, Some(3), "{}", doctor.all);
    says(&doctor.all, "`[forge.work]` has no `token`");
}

#[test]
fn the_user_name_is_that_of_the_config() {
    // `oauth2:TOKEN`
    let place = Place::new(Rule::Asks("b2F1dGgyOnRvdy10ZXN0LTdjMWYwYTJl".to_owned()));
    says(&place.stays(&[]), "refuses the token");
    place.config(&format!("token = {{ file = \"token\" }}\nuser = \"oauth2\"\nca = {:?}", authority("ca.pem")));
    place.run(&["run"], &[]);
    assert_eq!(place.repo.tip("staging"), Some(place.b));
}

#[test]
fn another_host_is_never_asked() {
    let place = Place::new(right());
    let thief = Https::start(&place.path().join("served"), right());
    // Another name, and another port.
    let elsewhere = thief.url().replace("127.0.0.1", "localhost");
    place.server.rule(Rule::Elsewhere(elsewhere));
    let said = place.stays(&[]);
    says(&said, "there is no repository `shop.git`, or Towpath may not see it");
    assert_eq!(thief.asked().len(), 0, "{:?}", thief.asked());
    assert!(!place.server.asked().is_empty());
}

#[test]
fn a_server_that_is_not_trusted_never_sees_the_token() {
    let place = Place::new(right());
    let missing = place.path().join("none.pem");
    let stranger = authority("stranger.pem");
    let token = "token = { file = \"token\" }";
    for ca in [String::new(), format!("ca = {stranger:?}"), format!("ca = {missing:?}")] {
        place.config(&format!("{token}\n{ca}"));
        let said = place.stays(&[]);
        says(&said, "the certificate of the server of `shop.git` is not trusted");
        says(&place.run(&["doctor"], &[]).all, "name its certificate as `ca` in `[forge.work]`");
    }
    assert_eq!(place.server.asked().len(), 0, "{:?}", place.server.asked());
    // The config's word goes before the environment's, which counts where the config says nothing.
    let (ours, stranger) = (authority("ca.pem"), stranger.display().to_string());
    place.config(&format!("{token}\nca = {ours:?}"));
    assert!(!place.run(&["plan"], &[("GIT_SSL_CAINFO", &stranger)]).all.contains("not trusted"));
    place.config(token);
    place.run(&["run"], &[("GIT_SSL_CAINFO", &ours.display().to_string())]);
    assert_eq!(place.repo.tip("staging"), Some(place.b));
}

#[test]
fn a_token_that_cannot_be_read_is_told_with_its_place() {
    let place = Place::new(right());
    let file = place.path().join("token");
    let cases: [(&dyn Fn(), &str); 5] = [
        (&|| place.token(""), "token' is empty"),
        (&|| place.token("\n"), "token' is empty"),
        (&|| place.token(&format!("{TOKEN}\n{OTHER}\n")), "it holds a line break"),
        (&|| place.token(&format!(" {TOKEN}")), "begins or ends with a blank"),
        (&|| fs::remove_file(&file).unwrap(), "token' cannot be read: No such file"),
    ];
    for (make, why) in cases {
        make();
        let said = place.stays(&[]);
        says(&said, "the token of `[forge.work]` cannot be used: ");
        says(&said, why);
        let doctor = place.run(&["doctor"], &[]);
        assert_ne!(doctor.code, Some(0), "{}", doctor.all);
        says(&doctor.all, why);
    }
    // A pipe that nobody writes into must not keep anybody waiting.
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    says(&place.stays(&[]), "token' is not a regular file; name a file that holds the secret");
    fs::remove_file(&file).unwrap();
    let ca = authority("ca.pem");
    place.config(&format!("token = {{ env = \"A_TOKEN\" }}\nca = {ca:?}"));
    says(&place.stays(&[]), "the environment variable 'A_TOKEN' is not set, or is empty");
    says(&place.stays(&[("A_TOKEN", "")]), "the environment variable 'A_TOKEN' is not set, or is empty");
    assert_eq!(place.server.asked().len(), 0, "{:?}", place.server.asked());
    // A line break at the end is how editors leave files.
    place.config(&format!("token = {{ file = \"token\" }}\nca = {ca:?}"));
    place.token(&format!("{TOKEN}\r\n"));
    place.run(&["run"], &[]);
    assert_eq!(place.repo.tip("staging"), Some(place.b));
}

#[test]
fn a_token_in_the_environment_moves_a_commit_too() {
    const OF_ENV: &str = "tow-test-e5526f10";
    let place = Place::new(Rule::Asks("eC1hY2Nlc3MtdG9rZW46dG93LXRlc3QtZTU1MjZmMTA=".to_owned()));
    place.config(&format!("token = {{ env = \"A_TOKEN\" }}\nca = {:?}", authority("ca.pem")));
    let ran = place.run(&["run"], &[("A_TOKEN", OF_ENV)]);
    assert_eq!(place.repo.tip("staging"), Some(place.b));
    assert!(!ran.all.contains(OF_ENV), "{}", ran.all);
}

#[tokio::test]
async fn a_token_that_was_replaced_counts_from_the_next_call_on() {
    let place = Place::new(right());
    place.token(OTHER);
    let config = Config::load(&place.path().join("towpath.toml")).unwrap();
    let setup = Setup::open(config, Clock::System, Need::Create).await.unwrap();
    let flow = &setup.config.flows[0].flow;
    let before = setup.world.tips(flow).await;
    assert!(before.values().all(|tip| matches!(tip, Tip::Unknown(_))), "{before:?}");
    place.token(TOKEN);
    let after = setup.world.tips(flow).await;
    assert!(after.values().all(|tip| matches!(tip, Tip::At(_))), "{after:?}");
}

/// What a `git` of ours sees: the variables it was started with, on standard error; then it hangs.
async fn hanging_git(folder: &Path) -> Git {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    script(
        &bin.join("git"),
        "if [ \"$1\" = version ]; then echo git version 2.47.3; exit; fi; env | grep Authorization: >&2; exec sleep 600",
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut git = Git::with_environment(&folder.join("hanging"), [("PATH".into(), path.into())]).await.unwrap();
    git.limits.push = std::time::Duration::from_secs(1);
    git
}

#[tokio::test]
async fn a_git_that_is_killed_does_not_tell_the_token_either() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let mirror = world.fetched(&["develop"]).await;
    let git = hanging_git(world.dir.path()).await;
    let remote = Remote::parse("https://git.example.com/shop.git", world.dir.path()).unwrap();
    let remote = remote.with_login(Login::new("work", "x-access-token", TOKEN.as_bytes()).unwrap());
    let answer = git.push(&mirror, &remote, &branch("master"), (a, b), MoveKind::FastForward).await;
    let PushAnswer::NoAnswer { words } = answer else { panic!("{answer:?}") };
    says(&words, "Authorization: Basic [secret]");
    hidden(&words);
}

#[tokio::test]
async fn what_goes_to_this_machine_takes_no_proxy() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}/shop.git", server.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = server.accept().unwrap();
        let mut request = vec![0; 8192];
        let count = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..count]).into_owned()
    });
    let folder = tempfile::tempdir().unwrap();
    let by_proxy = format!("http://{}", proxy.local_addr().unwrap());
    let path = std::env::var("PATH").unwrap();
    let caller = [("PATH", &path), ("http_proxy", &by_proxy), ("all_proxy", &by_proxy)];
    let mut git =
        Git::with_environment(folder.path(), caller.map(|(key, value)| (key.into(), value.into()))).await.unwrap();
    git.limits.heads = std::time::Duration::from_secs(20);
    let remote = Remote::parse(&url, folder.path()).unwrap();
    let remote = remote.with_login(Login::new("work", "x-access-token", TOKEN.as_bytes()).unwrap());
    let unknown = git.heads(&remote).await.unwrap_err();
    assert!(proxy.accept().is_err(), "the proxy was asked");
    assert!(matches!(unknown.why, UnknownWhy::NoRepository { .. }), "{unknown:?}");
    says(&answering.join().unwrap(), SENT);
}
