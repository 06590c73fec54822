//! Moving a branch on real repositories, with real hooks.

use std::time::Duration;

use towpath::git::{Git, Mirror, Remote};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CommitId, MoveKind, UnknownWhy};

use super::{branch, eventually, nowhere, read, runs};
use crate::support::git_fixture::{World, script};

/// develop: a - b - c; master at a; other: a - x.
struct Scene {
    world: World,
    mirror: Mirror,
    a: CommitId,
    b: CommitId,
    c: CommitId,
    x: CommitId,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let repo = &world.repo;
        let a = repo.commit(&[], "develop", &[("f", "a")]);
        let b = repo.commit(&[a], "develop", &[("f", "b")]);
        let c = repo.commit(&[b], "develop", &[("f", "c")]);
        let x = repo.commit(&[a], "other", &[("f", "x")]);
        repo.set("master", a);
        let mirror = world.fetched(&["develop", "master", "other"]).await;
        Self { world, mirror, a, b, c, x }
    }

    async fn push(&self, old: CommitId, new: CommitId, kind: MoveKind) -> PushAnswer {
        self.push_to(&self.world.repo.remote(), old, new, kind).await
    }

    async fn push_to(&self, to: &Remote, old: CommitId, new: CommitId, kind: MoveKind) -> PushAnswer {
        self.world.git.push(&self.mirror, to, &branch("master"), (old, new), kind).await
    }

    async fn forward(&self, old: CommitId, new: CommitId) -> PushAnswer {
        self.push(old, new, MoveKind::FastForward).await
    }

    fn master(&self) -> Option<CommitId> {
        self.world.repo.tip("master")
    }
}

fn words(answer: &PushAnswer) -> &str {
    match answer {
        PushAnswer::Moved | PushAnswer::UpToDate => "",
        PushAnswer::Refused { words }
        | PushAnswer::LostRace { words }
        | PushAnswer::NotSent { words }
        | PushAnswer::NoAnswer { words } => words,
    }
}

#[tokio::test]
async fn a_branch_moves_and_is_then_up_to_date() {
    let s = Scene::new().await;
    assert_eq!(s.forward(s.a, s.b).await, PushAnswer::Moved);
    assert_eq!(s.master(), Some(s.b));
    assert_eq!(s.forward(s.a, s.b).await, PushAnswer::UpToDate, "a retry, its lease false by now");
    assert_eq!(s.forward(s.b, s.c).await, PushAnswer::Moved);
    assert_eq!(s.push(s.c, s.a, MoveKind::Rollback).await, PushAnswer::Moved);
    assert_eq!(s.master(), Some(s.a));
}

#[tokio::test]
async fn a_file_url_is_obeyed_alike() {
    let s = Scene::new().await;
    let url = format!("file://{}", s.world.repo.dir.display());
    let remote = Remote::parse(&url, s.world.dir.path()).unwrap();
    s.world.repo.hook("pre-receive", "echo no; exit 1");
    let answer = s.push_to(&remote, s.a, s.b, MoveKind::FastForward).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.a));
}

#[tokio::test]
async fn a_stale_lease_is_a_lost_race() {
    let s = Scene::new().await;
    s.world.repo.set("master", s.b);
    let answer = s.forward(s.a, s.c).await;
    assert!(matches!(answer, PushAnswer::LostRace { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.b));
    // A person's commit that our mirror does not even know.
    let hotfix = s.world.repo.commit(&[s.a], "master", &[("g", "hotfix")]);
    let answer = s.forward(s.a, s.c).await;
    assert!(matches!(answer, PushAnswer::LostRace { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(hotfix));
}

#[tokio::test]
async fn a_person_who_pushes_during_our_push_wins() {
    let s = Scene::new().await;
    let update = format!("unset GIT_QUARANTINE_PATH; git update-ref refs/heads/master {}", s.x);
    s.world.repo.hook("pre-receive", &update);
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::LostRace { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.x));
}

#[tokio::test]
async fn a_branch_that_was_deleted_is_not_made_again() {
    let s = Scene::new().await;
    s.world.repo.delete("master");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::LostRace { .. }), "{answer:?}");
    assert_eq!(s.master(), None);
}

#[tokio::test]
async fn a_hook_refuses_in_its_own_words() {
    let s = Scene::new().await;
    s.world.repo.hook("pre-receive", "echo 'Friday is no day for this'; echo 'ask Bo' >&2; exit 1");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    for part in ["pre-receive hook declined", "Friday is no day for this", "ask Bo"] {
        assert!(words(&answer).contains(part), "{answer:?}");
    }
    assert_eq!(s.master(), Some(s.a));

    std::fs::remove_file(s.world.repo.dir.join("hooks/pre-receive")).unwrap();
    s.world.repo.hook("update", "echo \"not $1\"; exit 1");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    assert!(words(&answer).contains("not refs/heads/master"), "{answer:?}");

    s.world.repo.hook("update", "yes 'a very long refusal' | head -c 300000; exit 1");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    assert!(words(&answer).chars().count() <= 2_001);
    assert_eq!(s.master(), Some(s.a));
}

#[tokio::test]
async fn a_stale_lock_on_the_server_is_said_by_name() {
    let s = Scene::new().await;
    std::fs::write(s.world.repo.dir.join("refs/heads/master.lock"), "").unwrap();
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    assert!(words(&answer).contains("master.lock"), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_forbids_going_back_is_obeyed() {
    let s = Scene::new().await;
    s.world.repo.set("master", s.b);
    s.world.repo.git(["config", "receive.denyNonFastForwards", "true"]);
    let answer = s.push(s.b, s.a, MoveKind::Rollback).await;
    assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    assert!(words(&answer).contains("non-fast-forward"), "{answer:?}");
    assert_eq!(s.master(), Some(s.b));
}

#[tokio::test]
async fn what_is_not_the_movement_it_claims_to_be_is_never_sent() {
    let s = Scene::new().await;
    s.world.repo.hook("pre-receive", "touch asked");
    s.world.repo.set("master", s.b);
    for (old, new, kind) in [
        (s.b, s.a, MoveKind::FastForward),
        (s.b, s.x, MoveKind::FastForward),
        (s.b, s.b, MoveKind::FastForward),
        (s.b, nowhere(), MoveKind::FastForward),
        (s.b, s.c, MoveKind::Rollback),
        (s.b, s.x, MoveKind::Rollback),
        (s.b, s.b, MoveKind::Rollback),
        (nowhere(), s.a, MoveKind::Rollback),
    ] {
        let answer = s.push(old, new, kind).await;
        assert!(matches!(answer, PushAnswer::NotSent { .. }), "{old} {new} {kind:?} {answer:?}");
    }
    let (remote, name) = (s.world.repo.remote(), branch("master:refs/heads/other"));
    let odd = s.world.git.push(&s.mirror, &remote, &name, (s.b, s.c), MoveKind::FastForward);
    assert!(matches!(odd.await, PushAnswer::NotSent { .. }));
    assert_eq!(s.master(), Some(s.b));
    assert!(!s.world.repo.dir.join("asked").exists());
}

#[tokio::test]
async fn odd_branch_names_move_too() {
    let s = Scene::new().await;
    for name in ["-x", "--force", "$(id)", "a;b", "`x`", "\u{202e}x", "deep/er/one", "+a", "@"] {
        s.world.repo.set(name, s.a);
        let remote = s.world.repo.remote();
        let answer = s.world.git.push(&s.mirror, &remote, &branch(name), (s.a, s.b), MoveKind::FastForward).await;
        assert_eq!(answer, PushAnswer::Moved, "{name}");
        assert_eq!(s.world.repo.tip(name), Some(s.b), "{name}");
    }
    // A tag of the same name is not in the way and is not moved.
    s.world.repo.git(["tag", "master", &s.x.to_string()]);
    assert_eq!(s.forward(s.a, s.b).await, PushAnswer::Moved);
    assert_eq!(s.world.repo.git(["rev-parse", "refs/tags/master"]), s.x.to_string());
}

#[tokio::test]
async fn no_answer_in_time_is_no_answer_though_the_branch_moved() {
    let mut s = Scene::new().await;
    s.world.git.limits.push = Duration::from_secs(2);
    s.world.repo.hook("post-receive", "echo $$ > sleeper; exec sleep 60");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::NoAnswer { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.b));
    let sleeper = read(&s.world.repo.dir.join("sleeper"));
    eventually("the whole group is killed", || !runs(sleeper.trim())).await;
}

#[tokio::test]
async fn a_server_that_dies_after_the_update_gives_no_answer() {
    let s = Scene::new().await;
    s.world.repo.hook("reference-transaction", "[ \"$1\" = committed ] && kill -9 $PPID; exit 0");
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::NoAnswer { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.b));
}

#[tokio::test]
async fn a_pusher_that_is_dropped_leaves_nothing_running() {
    let s = Scene::new().await;
    s.world.repo.hook("pre-receive", "echo $$ > sleeper; exec sleep 60");
    let file = s.world.repo.dir.join("sleeper");
    tokio::select! {
        answer = s.forward(s.a, s.b) => panic!("{answer:?}"),
        () = eventually("the hook runs", || read(&file).ends_with('\n')) => {}
    }
    eventually("the hook is killed", || !runs(read(&file).trim())).await;
    assert_eq!(s.master(), Some(s.a));
}

#[tokio::test]
async fn a_hook_in_the_background_does_not_hold_us_up_and_is_not_killed() {
    let s = Scene::new().await;
    s.world.repo.hook("post-receive", "sleep 30 >/dev/null 2>&1 </dev/null & echo $! > deploy");
    assert_eq!(s.forward(s.a, s.b).await, PushAnswer::Moved);
    let pid = read(&s.world.repo.dir.join("deploy"));
    assert!(runs(pid.trim()), "what the owner's hook started goes on");
    let _ = std::process::Command::new("kill").arg(pid.trim()).status();
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_listens() {
    let s = Scene::new().await;
    for text in ["http://127.0.0.1:9/x.git", "https://127.0.0.1:9/x.git", "ssh://git@127.0.0.1:9/x", "gone.git"] {
        let remote = Remote::parse(text, s.world.dir.path()).unwrap();
        let answer = s.push_to(&remote, s.a, s.b, MoveKind::FastForward).await;
        assert!(matches!(answer, PushAnswer::NotSent { .. }), "{text} {answer:?}");
        assert!(!words(&answer).is_empty());
    }
    std::fs::remove_dir_all(s.mirror.dir()).unwrap();
    let answer = s.forward(s.a, s.b).await;
    assert!(matches!(answer, PushAnswer::NotSent { .. }), "{answer:?}");
}

/// An `ssh` that runs the command here; `$@` ends with it.
async fn with_ssh(s: &mut Scene, body: &str) -> Remote {
    let bin = s.world.dir.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    script(&bin.join("ssh"), body);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let vars = [("PATH".into(), path.into())];
    s.world.git = Git::with_environment(&s.world.dir.path().join("home"), vars).await.unwrap();
    Remote::parse(&format!("host:{}", s.world.repo.dir.display()), s.world.dir.path()).unwrap()
}

#[tokio::test]
async fn over_ssh_the_same_words_count() {
    let mut s = Scene::new().await;
    let remote = with_ssh(&mut s, "for last; do :; done\nexec sh -c \"$last\"").await;
    s.world.repo.hook("pre-receive", "echo not today; exit 1");
    let answer = s.push_to(&remote, s.a, s.b, MoveKind::FastForward).await;
    assert!(matches!(&answer, PushAnswer::Refused { words } if words.contains("not today")), "{answer:?}");
    std::fs::remove_file(s.world.repo.dir.join("hooks/pre-receive")).unwrap();
    assert_eq!(s.push_to(&remote, s.a, s.b, MoveKind::FastForward).await, PushAnswer::Moved);

    let refuse = "echo 'git@host: Permission denied (publickey).' >&2; exit 255";
    let remote = with_ssh(&mut s, refuse).await;
    let answer = s.push_to(&remote, s.b, s.c, MoveKind::FastForward).await;
    assert!(matches!(answer, PushAnswer::NotSent { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_commands_gives_no_answer() {
    let mut s = Scene::new().await;
    // The answer is swallowed: all that the server says after its references goes nowhere.
    let body = "for last; do :; done\nsh -c \"$last\" | { dd bs=1 count=4 2>/dev/null > len; L=$(cat len); cat len; \
        dd bs=1 count=$((0x$L - 4)) 2>/dev/null; while :; do dd bs=1 count=4 2>/dev/null > len; L=$(cat len); cat len; \
        [ \"$L\" = 0000 ] && break; dd bs=1 count=$((0x$L - 4)) 2>/dev/null; done; cat > swallowed; }";
    let remote = with_ssh(&mut s, body).await;
    let answer = s.push_to(&remote, s.a, s.b, MoveKind::FastForward).await;
    assert!(matches!(answer, PushAnswer::NoAnswer { .. }), "{answer:?}");
    assert_eq!(s.master(), Some(s.b));
}

#[tokio::test]
async fn hooks_of_the_mirror_are_not_run() {
    let s = Scene::new().await;
    let hooks = s.mirror.dir().join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for name in ["pre-push", "reference-transaction", "post-index-change"] {
        script(&hooks.join(name), &format!("touch {}/canary", s.world.dir.path().display()));
    }
    assert_eq!(s.forward(s.a, s.b).await, PushAnswer::Moved);
    let remote = s.world.repo.remote();
    s.world.git.fetch(&s.mirror, &remote, &[branch("master")]).await.unwrap();
    assert!(!s.world.dir.path().join("canary").exists());
}

#[tokio::test]
async fn ten_racers_have_one_winner() {
    let s = Scene::new().await;
    let mut news = vec![];
    for at in 0..10 {
        news.push(s.world.repo.commit(&[s.a], &format!("r{at}"), &[("r", &at.to_string())]));
    }
    let names: Vec<_> = (0..10).map(|at| format!("r{at}")).collect();
    let mirror = s.world.fetched(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let racers: Vec<_> = news
        .iter()
        .map(|new| {
            let (git, mirror, remote, new, old) =
                (s.world.git.clone(), mirror.clone(), s.world.repo.remote(), *new, s.a);
            tokio::spawn(async move {
                git.push(&mirror, &remote, &branch("master"), (old, new), MoveKind::FastForward).await
            })
        })
        .collect();
    let mut winners = vec![];
    for (racer, new) in racers.into_iter().zip(&news) {
        match racer.await.unwrap() {
            PushAnswer::Moved => winners.push(*new),
            // A lock that a rival holds at this very moment is a refusal; the reference decides.
            PushAnswer::LostRace { .. } | PushAnswer::Refused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(s.master(), winners.pop());
}

#[tokio::test]
async fn a_dry_run_tells_whether_we_are_let_in() {
    let s = Scene::new().await;
    let (git, remote) = (&s.world.git, s.world.repo.remote());
    s.world.repo.hook("pre-receive", "touch asked; exit 1");
    git.can_push(&s.mirror, &remote, &branch("master"), s.a).await.unwrap();
    git.can_push(&s.mirror, &remote, &branch("master"), s.b).await.unwrap();
    assert_eq!(s.master(), Some(s.a), "nothing moves");
    assert!(!s.world.repo.dir.join("asked").exists(), "hooks are not asked");
    let gone = Remote::parse("gone.git", s.world.dir.path()).unwrap();
    let unknown = git.can_push(&s.mirror, &gone, &branch("master"), s.a).await.unwrap_err();
    assert!(matches!(unknown.why, UnknownWhy::NoRepository { .. }), "{unknown:?}");
    let closed = Remote::parse("http://127.0.0.1:9/x", s.world.dir.path()).unwrap();
    let unknown = git.can_push(&s.mirror, &closed, &branch("master"), s.a).await.unwrap_err();
    assert!(matches!(unknown.why, UnknownWhy::Unreachable { .. }), "{unknown:?}");
}
