//! The environment of the git program: nothing gets in, and no secret gets out.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use towpath::git::{Git, GitError, Login, Remote};
use towpath_core::act::PushAnswer;
use towpath_core::model::{MoveKind, UnknownWhy};

use super::{branch, read};
use crate::support::git_fixture::{Repo, World, git_command, script};

fn vars(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(key, value)| (OsString::from(key), OsString::from(value))).collect()
}

fn path_with(bin: &Path) -> String {
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// A `git` before the real one that writes down how it was called.
fn spying_git(world: &World) -> std::path::PathBuf {
    let bin = world.dir.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|dir| dir.join("git"))
        .find(|path| path.is_file())
        .unwrap();
    let dir = world.dir.path().display();
    script(
        &bin.join("git"),
        &format!(
            "env -0 | tr '\\0' '\\n' >> {dir}/env; printf '%s\\n' \"$@\" >> {dir}/argv; exec {} \"$@\"",
            real.display()
        ),
    );
    bin
}

#[tokio::test]
async fn nothing_of_a_hostile_caller_gets_in() {
    let world = World::new().await;
    let dir = world.dir.path();
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    world.repo.set("master", a);
    let decoy = Repo::init(dir.join("decoy.git"));
    decoy.commit(&[], "decoy", &[("f", "d")]);
    let hostile = dir.join("hostile");
    std::fs::create_dir_all(hostile.join("hooks")).unwrap();
    for hook in ["pre-push", "reference-transaction", "pre-receive", "post-receive"] {
        script(&hostile.join("hooks").join(hook), &format!("touch {}/canary; exit 1", dir.display()));
    }
    let (server, decoy) = (world.repo.dir.display(), decoy.dir.display());
    std::fs::write(
        hostile.join(".gitconfig"),
        format!(
            "[url \"{decoy}\"]\n\tinsteadOf = {server}\n[core]\n\thooksPath = {0}/hooks\n\tsshCommand = touch {1}/canary\n\
             [alias]\n\tls-remote = !touch {1}/canary\n[credential]\n\thelper = !touch {1}/canary\n\
             [push]\n\tfollowTags = true\n[http]\n\tproxy = 127.0.0.1:9\n",
            hostile.display(),
            dir.display()
        ),
    )
    .unwrap();
    let touch = format!("touch {}/canary", dir.display());
    let (home, trace) = (hostile.display().to_string(), dir.join("canary").display().to_string());
    let path = std::env::var("PATH").unwrap();
    let config = hostile.join(".gitconfig").display().to_string();
    let caller = vars(&[
        ("PATH", &path),
        ("HOME", &home),
        ("XDG_CONFIG_HOME", &home),
        ("GIT_CONFIG_GLOBAL", &config),
        ("GIT_CONFIG_SYSTEM", &config),
        ("GIT_CONFIG", &config),
        ("GIT_CONFIG_PARAMETERS", "'core.hooksPath=/nonexistent'"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.bare"),
        ("GIT_CONFIG_VALUE_0", "nonsense"),
        ("GIT_DIR", "/nonexistent"),
        ("GIT_WORK_TREE", "/nonexistent"),
        ("GIT_INDEX_FILE", "/nonexistent"),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent"),
        ("GIT_NAMESPACE", "elsewhere"),
        ("GIT_SSH_COMMAND", &touch),
        ("GIT_SSH", &touch),
        ("GIT_ASKPASS", &touch),
        ("SSH_ASKPASS", &touch),
        ("GIT_PROXY_COMMAND", &touch),
        ("GIT_EXTERNAL_DIFF", &touch),
        ("GIT_TRACE", &trace),
        ("GIT_TRACE_CURL", &trace),
        ("GIT_EXEC_PATH", "/nonexistent"),
        ("GIT_TEMPLATE_DIR", &home),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
    ]);
    let git = Git::with_environment(&dir.join("closed"), caller).await.unwrap();
    let heads = git.heads(&world.repo.remote()).await.unwrap();
    assert_eq!(heads.len(), 2);
    let mirror = world.mirror();
    git.fetch(&mirror, &world.repo.remote(), &[branch("develop"), branch("master")]).await.unwrap();
    let pushed = git.push(&mirror, &world.repo.remote(), &branch("master"), (a, b), MoveKind::FastForward).await;
    assert_eq!(pushed, PushAnswer::Moved);
    let ssh = Remote::parse("ssh://git@127.0.0.1:9/x", dir).unwrap();
    assert!(git.heads(&ssh).await.is_err());
    assert!(!dir.join("canary").exists());
}

#[tokio::test]
async fn a_child_sees_only_what_is_listed() {
    let world = World::new().await;
    let bin = spying_git(&world);
    let path = path_with(&bin);
    let caller =
        vars(&[("PATH", &path), ("SSH_AUTH_SOCK", "/s"), ("GITLAB_TOKEN", "hunter2"), ("LD_PRELOAD", "/x.so")]);
    let git = Git::with_environment(&world.dir.path().join("home"), caller).await.unwrap();
    git.heads(&world.repo.remote()).await.unwrap();
    let seen = read(&world.dir.path().join("env"));
    assert!(seen.contains("SSH_AUTH_SOCK=/s") && seen.contains("LC_ALL=C\n"), "{seen}");
    assert!(!seen.contains("hunter2") && !seen.contains("LD_PRELOAD"), "{seen}");
    let known = ["PATH=", "HOME=", "LC_ALL=", "SSH_AUTH_SOCK=", "GIT_", "PWD=", "_=", "SHLVL=", "OLDPWD="];
    for line in seen.lines() {
        assert!(known.iter().any(|prefix| line.starts_with(prefix)), "{line}");
    }
}

#[tokio::test]
async fn the_repository_around_the_home_folder_is_not_found() {
    let world = World::new().await;
    let outer = world.dir.path().join("outer");
    let mut init = git_command(&outer.join(".git"));
    assert!(init.args(["init", "--quiet"]).arg(&outer).status().unwrap().success());
    let config = format!("[url \"{}\"]\n\tinsteadOf = /zzz\n", world.repo.dir.display());
    std::fs::write(outer.join(".git/config"), config).unwrap();
    let git = Git::open(&outer.join("state/home")).await.unwrap();
    let unknown = git.heads(&Remote::of_path(Path::new("/zzz")).unwrap()).await.unwrap_err();
    assert!(matches!(unknown.why, UnknownWhy::NoRepository { .. }), "{unknown:?}");
}

#[tokio::test]
async fn transports_that_run_programs_are_shut() {
    // Also where the text got past `Remote::parse`: by a redirect in the repository's own files.
    let world = World::new().await;
    let git = &world.git;
    let canary = world.dir.path().join("canary");
    for text in [format!("ext::touch {}", canary.display()), "git://127.0.0.1/x".into(), "fd::0".into()] {
        assert!(Remote::parse(&text, world.dir.path()).is_err());
    }
    // A folder of such a name is a folder.
    let odd = world.dir.path().join("ext::touch canary");
    let repo = Repo::init(&odd);
    repo.commit(&[], "develop", &[("f", "a")]);
    assert_eq!(git.heads(&repo.remote()).await.unwrap().len(), 1);
    assert!(!canary.exists());
}

#[tokio::test]
async fn a_repository_of_another_user_is_read_and_its_hooks_obeyed() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    world.repo.set("master", a);
    world.repo.hook("pre-receive", "echo not today; exit 1");
    // Only root may give files away; elsewhere this shows no less than the tests of hooks.
    let _ = std::process::Command::new("chown").args(["-R", "65534"]).arg(&world.repo.dir).output();
    assert_eq!(world.git.heads(&world.repo.remote()).await.unwrap().len(), 2);
    let mirror = world.fetched(&["develop"]).await;
    let answer =
        world.git.push(&mirror, &world.repo.remote(), &branch("master"), (a, b), MoveKind::FastForward).await;
    assert!(matches!(&answer, PushAnswer::Refused { words } if words.contains("not today")), "{answer:?}");
}

#[tokio::test]
async fn a_git_that_is_too_old_or_missing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (home, bin) = (dir.path().join("home"), dir.path().join("bin"));
    std::fs::create_dir_all(&bin).unwrap();
    let path = bin.display().to_string();
    let missing = Git::with_environment(&home, vars(&[("PATH", &path)])).await.unwrap_err();
    assert!(matches!(missing, GitError::NotStarted(_)), "{missing}");
    for said in ["git version 2.30.9", "git version 1.99.0", "hello"] {
        script(&bin.join("git"), &format!("echo '{said}'"));
        let old = Git::with_environment(&home, vars(&[("PATH", &path)])).await.unwrap_err();
        assert!(matches!(old, GitError::TooOld { .. }), "{old}");
        assert!(old.to_string().contains("2.31"), "{old}");
    }
    script(&bin.join("git"), "echo 'git version 2.31.0'");
    let git = Git::with_environment(&home, vars(&[("PATH", &path)])).await.unwrap();
    assert_eq!(git.version().to_string(), "2.31");
}

/// Whether any process of this machine shows `text` in its command line.
fn some_argv_holds(text: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let argv = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        argv.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

#[tokio::test]
async fn a_secret_reaches_the_server_and_no_command_line() {
    // `hunter2:hunter2`
    const SECRET: &str = "aHVudGVyMjpodW50ZXIy";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.git", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 8192];
        let count = stream.read(&mut request).unwrap();
        // While git waits for us, nobody who lists processes may see it.
        let shown = some_argv_holds(SECRET);
        let body = format!("you sent {SECRET}");
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
        (String::from_utf8_lossy(&request[..count]).into_owned(), shown)
    });
    let world = World::new().await;
    let remote = Remote::parse(&url, world.dir.path()).unwrap();
    let remote = remote.with_login(Login::new("work", "hunter2", b"hunter2").unwrap());
    let unknown = world.git.heads(&remote).await.unwrap_err();
    let (request, shown) = server.join().unwrap();
    assert!(request.contains(SECRET), "{request}");
    assert!(!shown);
    let UnknownWhy::TokenRefused { forge, words } = unknown.why else { panic!("{unknown:?}") };
    assert_eq!(forge, "work");
    assert!(words.contains("you sent [secret]"), "{words}");
    assert!(!format!("{remote:?} {remote}").contains(SECRET));
}

#[tokio::test]
async fn names_reach_git_only_after_a_full_reference_or_two_dashes() {
    let world = World::new().await;
    let bin = spying_git(&world);
    let git = Git::with_environment(&world.dir.path().join("home"), vars(&[("PATH", &path_with(&bin))])).await;
    let git = git.unwrap();
    let a = world.repo.commit(&[], "--evil", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let mirror = world.mirror();
    let remote = world.repo.remote();
    git.heads(&remote).await.unwrap();
    git.fetch(&mirror, &remote, &[branch("--evil"), branch("develop")]).await.unwrap();
    assert_eq!(
        git.push(&mirror, &remote, &branch("--evil"), (a, b), MoveKind::FastForward).await,
        PushAnswer::Moved
    );
    for line in read(&world.dir.path().join("argv")).lines().filter(|line| line.contains("evil")) {
        assert!(line.contains("refs/heads/--evil"), "{line}");
    }
}
