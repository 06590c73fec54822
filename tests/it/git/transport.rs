//! Reading remotes: heads, fetches, and what may be wrong with either side.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use towpath::git::{Git, Mirror, Remote, read};
use towpath_core::model::{Fact, Mends, Span, Unknown, UnknownWhy};

use super::{branch, eventually, read as text_of, runs};
use crate::support::git_fixture::{Planned, Repo, World, git_command, script};

const ODD: [&str; 10] =
    ["-x", "--upload-pack=x", "$(id)", "a;b", "`x`", "\u{202e}x", "<script>", "'\"", "a/b/c", "zażółć"];

async fn heads_of(world: &World, text: &str) -> Result<usize, Unknown> {
    let remote = Remote::parse(text, world.dir.path()).unwrap();
    world.git.heads(&remote).await.map(|heads| heads.len())
}

/// A server that answers every connection with these bytes.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.git", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[tokio::test]
async fn heads_are_all_branches_and_nothing_else() {
    let world = World::new().await;
    assert_eq!(world.git.heads(&world.repo.remote()).await.unwrap().len(), 0, "empty is not unknown");
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "master", &[("f", "b")]);
    ODD.iter().for_each(|name| world.repo.set(name, a));
    world.repo.git(["tag", "v1", &a.to_string()]);
    world.repo.git(["update-ref", "refs/pull/1/head", &a.to_string()]);
    let heads = world.git.heads(&world.repo.remote()).await.unwrap();
    assert_eq!(heads.len(), 2 + ODD.len());
    assert_eq!(heads.get(&branch("develop")), Some(&a));
    assert_eq!(heads.get(&branch("master")), Some(&b));
    ODD.iter().for_each(|name| assert_eq!(heads.get(&branch(name)), Some(&a), "{name}"));
    let url = format!("file://{}", world.repo.dir.display());
    assert_eq!(heads_of(&world, &url).await, Ok(2 + ODD.len()));
    assert_eq!(heads_of(&world, "./server.git").await, Ok(2 + ODD.len()), "relative to the config");
}

#[tokio::test]
async fn why_a_remote_did_not_tell() {
    let mut world = World::new().await;
    let unknown = heads_of(&world, "gone.git").await.unwrap_err();
    assert!(matches!(unknown.why, UnknownWhy::NoRepository { .. }), "{unknown:?}");
    assert_eq!(unknown.mends, Mends::Person);
    for text in ["http://127.0.0.1:9/x", "https://127.0.0.1:9/x", "ssh://git@127.0.0.1:9/x"] {
        let unknown = heads_of(&world, text).await.unwrap_err();
        assert!(matches!(unknown.why, UnknownWhy::Unreachable { .. }), "{text} {unknown:?}");
        assert_eq!(unknown.mends, Mends::Itself);
    }
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let unknown = heads_of(&world, &server(answer.leak())).await.unwrap_err();
        assert!(matches!(unknown.why, UnknownWhy::CredentialsRefused { .. }), "{unknown:?}");
    }
    for (answer, lasts) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true),
        // A renamed repository is said, not followed.
        (
            "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            true,
        ),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
    ] {
        let unknown = heads_of(&world, &server(answer)).await.unwrap_err();
        assert_eq!(matches!(unknown.why, UnknownWhy::NoRepository { .. }), lasts, "{unknown:?}");
        assert_eq!(unknown.mends == Mends::Person, lasts, "{unknown:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    world.git.limits.heads = Duration::from_millis(400);
    let unknown = heads_of(&world, &format!("http://{}/x", listener.local_addr().unwrap())).await.unwrap_err();
    assert_eq!(unknown, Unknown::passing(UnknownWhy::TimedOut { after: Span::from_ms(400) }));
}

#[tokio::test]
async fn a_sha256_repository_is_told_from_a_broken_one() {
    let world = World::new().await;
    let repo = Repo::init_with(world.dir.path().join("sha256.git"), &["--object-format=sha256"]);
    let tree = repo.git(["write-tree"]);
    let id = {
        let mut command = git_command(&repo.dir);
        command.args(["-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "-m", "x", &tree]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    repo.git(["update-ref", "refs/heads/develop", id.trim()]);
    let sha256 = Unknown::lasting(UnknownWhy::Sha256);
    assert_eq!(world.git.heads(&repo.remote()).await, Err(sha256.clone()));
    let mirror = Mirror::open_or_create(&world.dir.path().join("m"), &repo.remote()).unwrap();
    assert_eq!(world.git.fetch(&mirror, &repo.remote(), &[branch("develop")]).await, Err(sha256));
}

#[tokio::test]
async fn exactly_what_was_asked_for_is_fetched() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let secret = world.repo.commit(&[a], "secret", &[("f", "s")]);
    ODD.iter().for_each(|name| world.repo.set(name, a));
    world.repo.git(["tag", "v1", &a.to_string()]);
    let names: Vec<&str> = ODD.iter().copied().chain(["develop", "absent", "a..b", "x:y"]).collect();
    let mirror = world.fetched(&names).await;
    let refs = git_command(mirror.dir()).args(["for-each-ref", "--format=%(refname)"]).output().unwrap();
    let refs = String::from_utf8(refs.stdout).unwrap();
    assert_eq!(refs.lines().count(), ODD.len() + 1, "{refs}");
    assert!(read::lacks(&mirror, &[secret]));
    assert!(!read::lacks(&mirror, &[a]));
    assert!(!mirror.dir().join("FETCH_HEAD").exists());
    world.fetched(&["absent", "gone"]).await;
    world.fetched(&[]).await;
    // What was pushed off a branch stays readable.
    let b = world.repo.commit(&[], "develop", &[("f", "b")]);
    let mirror = world.fetched(&["develop"]).await;
    assert!(!read::lacks(&mirror, &[a, b]));
}

#[tokio::test]
async fn more_than_a_thousand_branches_are_fetched() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let long = "x".repeat(120);
    let names: Vec<String> = (0..1_200).map(|at| format!("team/{long}/{at}")).collect();
    let packed: String = names.iter().map(|name| format!("{a} refs/heads/{name}\n")).collect();
    std::fs::write(world.repo.dir.join("packed-refs"), packed).unwrap();
    world.repo.git(["pack-refs", "--all"]);
    let mirror = world.fetched(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let refs = git_command(mirror.dir()).args(["for-each-ref"]).output().unwrap();
    assert_eq!(String::from_utf8(refs.stdout).unwrap().lines().count(), 1_200);
}

#[tokio::test]
async fn names_that_exclude_each_other_and_stale_locks_do_not_last() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    world.repo.set("team", a);
    world.fetched(&["team", "develop"]).await;
    world.repo.delete("team");
    let b = world.repo.commit(&[a], "team/one", &[("f", "b")]);
    let mirror = world.fetched(&["team/one", "develop"]).await;
    assert!(!read::lacks(&mirror, &[b]));
    std::fs::write(mirror.dir().join("refs/heads/develop.lock"), "").unwrap();
    let c = world.repo.commit(&[a], "develop", &[("f", "c")]);
    world.fetched(&["develop"]).await;
    assert!(!read::lacks(&mirror, &[c]));
}

#[tokio::test]
async fn a_shallow_remote_or_mirror_is_refused() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let shallow = world.dir.path().join("shallow.git");
    let url = format!("file://{}", world.repo.dir.display());
    let mut clone = git_command(Path::new("/nonexistent"));
    clone.env_remove("GIT_DIR").args(["clone", "--quiet", "--bare", "--depth=1", &url]).arg(&shallow);
    assert!(clone.status().unwrap().success());
    let remote = Remote::of_path(&shallow).unwrap();
    assert_eq!(world.git.heads(&remote).await.unwrap().len(), 1);
    let mirror = Mirror::open_or_create(&world.dir.path().join("m"), &remote).unwrap();
    let fetched = world.git.fetch(&mirror, &remote, &[branch("develop")]).await;
    assert_eq!(fetched, Err(Unknown::lasting(UnknownWhy::Shallow)));

    let mirror = world.fetched(&["develop"]).await;
    std::fs::write(mirror.dir().join("shallow"), format!("{b}\n")).unwrap();
    assert_eq!(read::load(&mirror, &[b], &[], 10), Fact::Unknown(Unknown::lasting(UnknownWhy::Shallow)));
    assert!(read::is_strict_ancestor(&mirror, a, b).is_err());
}

#[tokio::test]
async fn whatever_breaks_in_the_mirror_is_mended_by_the_next_fetch() {
    let world = World::new().await;
    let planned: Vec<_> = (0..300_usize)
        .map(|at| Planned {
            parents: at.checked_sub(1).into_iter().collect(),
            date: 1_700_000_000 + at as i64,
            text: format!("Change {at}"),
        })
        .collect();
    let tip = *world.repo.import(&planned).last().unwrap();
    let pack_of = |mirror: &Mirror, ext: &str| {
        let entries = std::fs::read_dir(mirror.dir().join("objects/pack")).unwrap();
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == ext)).unwrap()
    };
    let overwrite = |path: &Path, with: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(path).unwrap();
        with(&mut bytes);
        // Git makes its packs read-only.
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    type Harm<'a> = (&'a str, &'a dyn Fn(&Mirror));
    let harms: [Harm; 7] = [
        ("a flipped byte in every page of the pack", &|mirror| {
            overwrite(&pack_of(mirror, "pack"), &|bytes| {
                (64..bytes.len() - 30).step_by(97).for_each(|at| bytes[at] ^= 0x10);
            });
        }),
        ("half a pack", &|mirror| overwrite(&pack_of(mirror, "pack"), &|bytes| bytes.truncate(bytes.len() / 2))),
        ("no index", &|mirror| std::fs::remove_file(pack_of(mirror, "idx")).unwrap()),
        ("an index of zeros", &|mirror| overwrite(&pack_of(mirror, "idx"), &|bytes| bytes.fill(0))),
        ("no objects", &|mirror| std::fs::remove_dir_all(mirror.dir().join("objects")).unwrap()),
        ("no HEAD", &|mirror| std::fs::remove_file(mirror.dir().join("HEAD")).unwrap()),
        ("a foreign config", &|mirror| std::fs::write(mirror.dir().join("config"), "[core\n").unwrap()),
    ];
    for (at, (what, harm)) in harms.into_iter().enumerate() {
        let root = world.dir.path().join(format!("mirrors{at}"));
        let mirror = Mirror::open_or_create(&root, &world.repo.remote()).unwrap();
        let fetch = || async {
            world.git.fetch(&mirror, &world.repo.remote(), &[branch("imported")]).await.unwrap();
        };
        fetch().await;
        let whole = read::load(&mirror, &[tip], &[], 1_000);
        assert!(whole.known().is_some(), "{what}: {whole:?}");
        harm(&mirror);
        // What a tick does: load, and fetch where that fails or something is lacking.
        let all = [tip, mirror_root(&world)];
        let broken = read::load(&mirror, &all, &[], 1_000);
        assert!(broken.known().is_none(), "{what}");
        assert!(read::lacks(&mirror, &[tip]), "{what}");
        fetch().await;
        let mended = read::load(&mirror, &all, &[], 1_000);
        assert_eq!(mended.known().map(towpath_core::dag::Dag::len), Some(300), "{what}: {mended:?}");
    }
}

fn mirror_root(world: &World) -> towpath_core::model::CommitId {
    world.repo.git(["rev-list", "--max-parents=0", "imported"]).parse().unwrap()
}

#[tokio::test]
async fn a_mirror_is_not_made_anew_at_every_look() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let mirror = world.fetched(&["develop"]).await;
    let mark = mirror.dir().join("mark");
    std::fs::write(&mark, "").unwrap();
    mirror.suspect();
    assert!(mirror.is_suspect() && read::lacks(&mirror, &[a]));
    world.fetched(&["develop"]).await;
    assert!(!mark.exists(), "made anew");
    std::fs::write(&mark, "").unwrap();
    mirror.suspect();
    assert!(!mirror.is_suspect() && !read::lacks(&mirror, &[a]));
    world.fetched(&["develop"]).await;
    assert!(mark.exists(), "kept: it did not help a moment ago");
    let hour_ago = std::fs::metadata(&mark).unwrap().modified().unwrap() - Duration::from_secs(3_601);
    let rebuilt = mirror.dir().with_extension("rebuilt");
    std::fs::File::options().write(true).open(rebuilt).unwrap().set_modified(hour_ago).unwrap();
    world.fetched(&["develop"]).await;
    assert!(!mark.exists(), "an hour later it is tried again");
}

#[tokio::test]
async fn a_hole_in_history_is_noticed_and_mended() {
    let world = World::new().await;
    let a = world.repo.commit(&[], "develop", &[("f", "a")]);
    let b = world.repo.commit(&[a], "develop", &[("f", "b")]);
    let c = world.repo.commit(&[b], "develop", &[("f", "c")]);
    let mirror = world.fetched(&["develop"]).await;
    // All objects loose, then one is lost.
    let unpacked = world.dir.path().join("pack");
    for entry in std::fs::read_dir(mirror.dir().join("objects/pack")).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ext| ext == "pack") {
            std::fs::rename(&path, &unpacked).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
    }
    let mut unpack = git_command(mirror.dir());
    unpack.args(["unpack-objects", "-q"]).stdin(std::fs::File::open(&unpacked).unwrap());
    assert!(unpack.status().unwrap().success());
    let id = b.to_string();
    std::fs::remove_file(mirror.dir().join("objects").join(&id[..2]).join(&id[2..])).unwrap();
    let missing = Unknown::passing(UnknownWhy::MissingCommit { commit: b });
    assert_eq!(read::load(&mirror, &[a, c], &[], 10), Fact::Unknown(missing));
    let mirror = world.fetched(&["develop"]).await;
    assert_eq!(read::load(&mirror, &[a, c], &[], 10).known().unwrap().len(), 3);
}

#[tokio::test]
async fn two_who_fetch_at_once_take_turns() {
    let mut world = World::new().await;
    let planned: Vec<_> = (0..2_000_usize)
        .map(|at| Planned { parents: at.checked_sub(1).into_iter().collect(), date: at as i64, text: "x".into() })
        .collect();
    let tip = *world.repo.import(&planned).last().unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            // Each has a lock of its own, as a process of its own would.
            let (git, mirror, remote) = (world.git.clone(), world.mirror(), world.repo.remote());
            tokio::spawn(async move { git.fetch(&mirror, &remote, &[branch("imported")]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mirror = world.mirror();
    assert_eq!(read::load(&mirror, &[tip], &[], 10).known().unwrap().len(), 1);
    let packs = std::fs::read_dir(mirror.dir().join("objects/pack")).unwrap().flatten();
    let packs = packs.filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack")).count();
    assert_eq!(packs, 1, "fetched once");

    let held = mirror.lock(Duration::from_secs(1)).await.unwrap();
    world.git.limits.lock = Duration::from_millis(100);
    let fetched = world.git.fetch(&world.mirror(), &world.repo.remote(), &[branch("imported")]).await;
    assert_eq!(fetched, Err(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_ms(100) })));
    drop(held);
    world.fetched(&["imported"]).await;
}

#[tokio::test]
async fn many_small_fetches_do_not_pile_up() {
    let world = World::new().await;
    let mut tip = world.repo.commit(&[], "develop", &[("f", "0")]);
    let first = tip;
    for at in 1..=60 {
        tip = world.repo.commit(&[tip], "develop", &[("f", &at.to_string())]);
        world.fetched(&["develop"]).await;
        if at == 30 {
            // Pushed off the branch by the next commit, and kept none the less.
            world.repo.set("develop", first);
            tip = first;
        }
    }
    let mirror = world.mirror();
    let packs = std::fs::read_dir(mirror.dir().join("objects/pack")).unwrap().count();
    assert!(packs < 60, "{packs} files");
    let off =
        git_command(mirror.dir()).args(["cat-file", "--batch-all-objects", "--batch-check"]).output().unwrap();
    let commits = String::from_utf8(off.stdout).unwrap().lines().filter(|line| line.contains(" commit ")).count();
    assert_eq!(commits, 61);
}

#[tokio::test]
async fn at_the_deadline_or_when_dropped_every_process_is_killed() {
    let world = World::new().await;
    let bin = world.dir.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let file = world.dir.path().join("pids");
    script(&bin.join("ssh"), &format!("sleep 60 & echo $$ $! > {}; wait", file.display()));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let vars = [("PATH".into(), path.into())];
    let mut git = Git::with_environment(&world.dir.path().join("home"), vars).await.unwrap();
    let remote = Remote::parse("host:path", world.dir.path()).unwrap();
    let running = || text_of(&file).split_whitespace().any(runs);

    git.limits.heads = Duration::from_secs(1);
    let unknown = git.heads(&remote).await.unwrap_err();
    assert!(matches!(unknown.why, UnknownWhy::TimedOut { .. }), "{unknown:?}");
    assert!(text_of(&file).ends_with('\n'));
    eventually("both are killed at the deadline", || !running()).await;

    std::fs::remove_file(&file).unwrap();
    git.limits.heads = Duration::from_secs(60);
    tokio::select! {
        heads = git.heads(&remote) => panic!("{heads:?}"),
        () = eventually("ssh runs", || text_of(&file).ends_with('\n')) => {}
    }
    eventually("both are killed when dropped", || !running()).await;
}

#[tokio::test]
async fn faults_of_old_commits_do_not_keep_a_repository_out() {
    let world = World::new().await;
    let tree = world.repo.git(["write-tree"]);
    let old =
        format!("tree {tree}\nauthor A <a@b> 1313584730 +051800\ncommitter A <a@b> 1313584730 +0000\n\nold\n");
    let old = world.repo.raw_commit(&old, "develop");
    let mirror = world.fetched(&["develop"]).await;
    assert!(!read::lacks(&mirror, &[old]));
    let odd = [
        "author A <a@b>1 +0000\ncommitter A <a@b>1 +0000",
        "author <a@b> 1 +0000\ncommitter <a@b> 1 +0000",
        "author A<a@b> 1 +0000\ncommitter A<a@b> 1 +0000",
        "author A <a@b> 0001 +0000\ncommitter A <a@b> 0001 +0000",
        "author A <a@b>> 1 +0000\ncommitter A> <a@b> 1 +0000",
    ];
    for (at, people) in odd.iter().enumerate() {
        let (name, side) = (format!("odd{at}"), format!("side{at}"));
        let id = world.repo.raw_commit(&format!("tree {tree}\nparent {old}\n{people}\n\nodd\n"), &name);
        let sound = "author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000";
        let commit = |text: &str, branch: &str| {
            world.repo.raw_commit(&format!("tree {tree}\nparent {id}\n{sound}\n\n{text}\n"), branch)
        };
        let (one, two) = (commit("one", &name), commit("two", &side));
        let mirror = world.fetched(&[&name, &side]).await;
        let dag = read::load(&mirror, &[one, two], &[old], 100);
        assert_eq!(dag.known().map(towpath_core::dag::Dag::len), Some(3), "{people}: {dag:?}");
        assert_eq!(read::is_strict_ancestor(&mirror, old, two), Ok(true), "{people}");
        assert!(!mirror.is_suspect());
    }
    // What cannot be read stays out, and is named.
    for people in [
        "author A <a@b> 1 +0000",
        "author A <a@b> 1 +0000\ncommitter A <a@b> 99999999999999999999 +0000",
        "author A a@b 1 +0000\ncommitter A a@b 1 +0000",
    ] {
        let broken = world.repo.raw_commit(&format!("tree {tree}\n{people}\n\nbroken\n"), "broken");
        let fetched = world.git.fetch(&mirror, &world.repo.remote(), &[branch("broken")]).await;
        let Err(Unknown { why: UnknownWhy::Unreadable { words }, .. }) = fetched else { panic!("{fetched:?}") };
        assert!(words.contains(&broken.to_string()), "{words}");
        assert!(!mirror.is_suspect());
    }
    assert!(!read::lacks(&mirror, &[old]), "and the mirror is as it was");
}
