//! Moving a branch: one compare-and-swap, believed only as far as the server's status line says.
//!
//! `--force-with-lease=REF:OLD` makes git refuse unless the branch is at OLD, both in what the
//! server advertised and, under the server's lock, at the update itself. But a lease *switches off*
//! the check for fast-forwards (measured: "forced update" to an ancestor). So before anything is
//! sent, the kind of movement is proven on object ids, which cannot change their ancestry. Whoever moves a branch by
//! other means than this has [`prove`] do the same.
//!
//! Not `--atomic`: it joins several references, there is only one here, every server makes that
//! one update whole, and servers without the capability refuse the flag outright (send-pack.c).
//! It would also hide the reason of a lost race behind "atomic transaction failed".
//!
//! Exit codes are not read: 0 also means "was there already", 1 says nothing about why.
//!
//! Not here: whether the move is wanted; waiting for and reading the outcome (`act`).

use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId, MoveKind, Unknown, UnknownWhy};

use super::mirror::Mirror;
use super::process::{Answer, Call};
use super::program::{Git, GitError};
use super::remote::Remote;
use super::transport::is_branch;
use super::{read, words};

impl Git {
    /// Moves `branch` from exactly `old` to `new`, if that is a movement of this kind.
    ///
    /// Takes at most [`super::Limits::push`]; then the processes are killed and nobody knows.
    pub async fn push(
        &self,
        mirror: &Mirror,
        remote: &Remote,
        branch: &BranchName,
        (old, new): (CommitId, CommitId),
        kind: MoveKind,
    ) -> PushAnswer {
        if let Err(words) = prove(mirror, branch, (old, new), kind).await {
            return PushAnswer::NotSent { words };
        }
        let name = branch.full_ref();
        match self.send(mirror, remote, &name, Some(old), new).await {
            Ok(answer) => told(remote, &answer, classify(&answer, &name, old, new)),
            Err(error) => not_answered(&error),
        }
    }

    /// Puts `to` onto a branch of our own, from exactly `from` (none: the branch does not exist), in
    /// whatever direction. Branches that do not begin with `towpath/` are refused.
    pub async fn put(
        &self,
        mirror: &Mirror,
        remote: &Remote,
        branch: &BranchName,
        from: Option<CommitId>,
        to: CommitId,
    ) -> PushAnswer {
        if !is_branch(branch.as_str()) || !branch.as_str().starts_with(OURS) {
            return PushAnswer::NotSent { words: "this is no branch of Towpath's own".into() };
        }
        let name = branch.full_ref();
        match self.send(mirror, remote, &name, from, to).await {
            Ok(answer) => match (from, status_line(&answer, &name)) {
                (None, Some((b'*', _))) => PushAnswer::Moved,
                (from, _) => told(remote, &answer, classify(&answer, &name, from.unwrap_or(to), to)),
            },
            Err(error) => not_answered(&error),
        }
    }

    /// One update, under the lease that the branch is at `old`, or does not exist.
    async fn send(
        &self,
        mirror: &Mirror,
        remote: &Remote,
        name: &str,
        old: Option<CommitId>,
        new: CommitId,
    ) -> Result<Answer, GitError> {
        let expected = old.map_or_else(String::new, |old| old.to_string());
        let args = [
            "push",
            "--porcelain",
            // Our own hooks; those of the server are not ours to skip.
            "--no-verify",
            "--no-progress",
            &format!("--force-with-lease={name}:{expected}"),
            "--",
            remote.as_str(),
            &format!("{new}:{name}"),
        ];
        self.run(Call::new(args, self.limits.push).with(remote).within(mirror.dir())).await
    }

    /// Whether the server lets us in for writing: `git push --dry-run` of `branch` to where it is.
    ///
    /// What it does not prove: that hooks and branch protections would let the push through, for
    /// these are asked only when something is really sent; nor, for a local path, that the files
    /// may be written.
    ///
    /// # Errors
    /// Why we are not let in.
    pub async fn can_push(
        &self,
        mirror: &Mirror,
        remote: &Remote,
        branch: &BranchName,
        at: CommitId,
    ) -> Result<(), Unknown> {
        if !is_branch(branch.as_str()) {
            return Err(words::unreadable("git allows no branch of that name"));
        }
        let name = branch.full_ref();
        let refspec = format!("{at}:{name}");
        let args =
            ["push", "--dry-run", "--porcelain", "--no-verify", "--no-progress", "--", remote.as_str(), &refspec];
        let call = Call::new(args, self.limits.push).with(remote).within(mirror.dir());
        let answer = self.run(call).await.map_err(|error| words::no_answer(&error))?;
        // Any status line, even "rejected", came after the server had let us in.
        match status_line(&answer, &name) {
            Some(_) => Ok(()),
            None => Err(words::unknown_of(remote, &answer.stderr)),
        }
    }
}

/// What branches of our own begin with.
const OURS: &str = "towpath/";

/// The answer, with what nothing was sent for in words that name what refused.
fn told(remote: &Remote, answer: &Answer, said: PushAnswer) -> PushAnswer {
    match said {
        PushAnswer::NotSent { words } => {
            PushAnswer::NotSent { words: words::unsent(remote, words, &answer.stderr) }
        }
        other => other,
    }
}

/// What is known of a push whose program gave no answer.
fn not_answered(error: &GitError) -> PushAnswer {
    if let GitError::NotStarted(_) | GitError::TooOld { .. } | GitError::Home { .. } = error {
        return PushAnswer::NotSent { words: error.to_string() };
    }
    let said = if let GitError::TimedOut { said, .. } = error { words::tidy(said) } else { String::new() };
    let words = [error.to_string(), said].join("\n");
    PushAnswer::NoAnswer { words: words.trim_end().to_owned() }
}

/// Proves on object ids that old -> new is a movement of this kind.
///
/// # Errors
/// Why it is none, or cannot be proven: then nothing may be sent, by git or by a forge.
pub async fn prove(
    mirror: &Mirror,
    branch: &BranchName,
    (old, new): (CommitId, CommitId),
    kind: MoveKind,
) -> Result<(), String> {
    if !is_branch(branch.as_str()) {
        return Err("git allows no branch of that name".to_owned());
    }
    let (base, tip, lacking) = match kind {
        MoveKind::FastForward => (old, new, "is not a descendant of"),
        MoveKind::Rollback => (new, old, "is not an ancestor of"),
    };
    let mirror = mirror.clone();
    let proof = tokio::task::spawn_blocking(move || read::is_strict_ancestor(&mirror, base, tip)).await;
    match proof {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(format!("not sent: {new} {lacking} {old}")),
        Ok(Err(unknown)) => Err(match unknown.why {
            UnknownWhy::MissingCommit { commit } => format!("not sent: our mirror lacks {commit}"),
            why => format!("not sent: cannot tell how {old} and {new} are related: {why:?}"),
        }),
        Err(_) => Err("not sent: the proof of ancestry broke off".to_owned()),
    }
}

/// The status line for `name`: flag and summary (`git help push`, "OUTPUT").
fn status_line(answer: &Answer, name: &str) -> Option<(u8, String)> {
    let stdout = String::from_utf8_lossy(&answer.stdout);
    let mut found = stdout.lines().filter_map(|line| {
        let mut parts = line.splitn(3, '\t');
        let (flag, refs, summary) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, to) = refs.split_once(':')?;
        let flag = flag.as_bytes();
        (flag.len() == 1 && to == name).then(|| (flag[0], summary.to_owned()))
    });
    found.next()
}

fn classify(answer: &Answer, name: &str, old: CommitId, new: CommitId) -> PushAnswer {
    let Some((flag, summary)) = status_line(answer, name) else {
        let said = words::tidy(&answer.stderr);
        // A git that was killed from outside says nothing; people have to be told something.
        let words = if said.is_empty() { "git ended without a word".to_owned() } else { said };
        // 128 is git's own refusal; a signal or anything else may have come at any time.
        return if answer.code == Some(128) && words::is_before_sending(&answer.stderr) {
            PushAnswer::NotSent { words }
        } else {
            PushAnswer::NoAnswer { words }
        };
    };
    let summary = summary.trim();
    match flag {
        b' ' | b'+' if summary.starts_with(&format!("{old}..")) && summary.contains(&format!("..{new}")) => {
            PushAnswer::Moved
        }
        b'=' => PushAnswer::UpToDate,
        b'!' => rejected(summary, &answer.stderr),
        _ => PushAnswer::NoAnswer { words: words::cut(&format!("git said: {} {summary}", char::from(flag))) },
    }
}

fn rejected(summary: &str, stderr: &str) -> PushAnswer {
    let inside =
        |head: &str| Some(summary.strip_prefix(head)?.trim().trim_start_matches('(').trim_end_matches(')'));
    let server = words::of_server(stderr);
    let join = |reason: &str| words::cut(if server.is_empty() { reason } else { &server });
    if let Some(reason) = inside("[remote rejected]") {
        let words = words::cut(format!("{reason}\n{server}").trim_end());
        return if is_lost_race(reason, &server) {
            PushAnswer::LostRace { words }
        } else {
            PushAnswer::Refused { words }
        };
    }
    if let Some(reason) = inside("[rejected]") {
        // Decided by git on what the server advertised; nothing was asked for.
        return PushAnswer::LostRace { words: words::cut(reason) };
    }
    // `[remote failure] (remote failed to report status)`, `[no match]`, and what may come.
    PushAnswer::NoAnswer { words: join(summary) }
}

/// Whether the server found the reference elsewhere than where it must be, at the update itself.
///
/// Git says "failed to update ref" for this *and* for a lock that a crashed process left or a disk
/// that is full; only the words beside it tell. Those are refusals: they last until somebody acts,
/// and whoever does needs the words.
///
/// `reason` is git's; `server` holds what hooks printed too, and so only counts where the reason
/// is one of git's vague ones.
fn is_lost_race(reason: &str, server: &str) -> bool {
    let any = |text: &str, marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let elsewhere = |text: &str| text.contains("cannot lock ref") && text.contains("but expected");
    let vague = [
        "failed to update ref",
        "failed to lock",
        "reference already exists",
        "incorrect old value",
        "atomic transaction failed",
    ];
    let lasts = ["Unable to create", "unable to create", "ermission denied", "No space left", "nable to write"];
    elsewhere(reason) || any(reason, &vague) && (elsewhere(server) || !any(server, &lasts))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "refs/heads/m";

    fn ids() -> (CommitId, CommitId) {
        (CommitId::from_bytes([0xaa; 20]), CommitId::from_bytes([0xbb; 20]))
    }

    fn answer(code: i32, line: &str, stderr: &str) -> PushAnswer {
        let (old, new) = ids();
        let line = line.replace("OLD", &old.to_string()).replace("NEW", &new.to_string());
        let stdout = format!("To /srv/r.git\n{line}\nDone\n").into_bytes();
        classify(&Answer { code: Some(code), stdout, stderr: stderr.to_owned() }, NAME, old, new)
    }

    #[test]
    fn only_the_exact_movement_counts_as_ours() {
        assert_eq!(answer(0, " \tNEW:refs/heads/m\tOLD..NEW", ""), PushAnswer::Moved);
        assert_eq!(answer(0, "+\tNEW:refs/heads/m\tOLD...NEW (forced update)", ""), PushAnswer::Moved);
        assert_eq!(answer(0, "=\tNEW:refs/heads/m\t[up to date]", ""), PushAnswer::UpToDate);
        for line in [
            " \tNEW:refs/heads/m\tNEW..OLD",
            " \tNEW:refs/heads/other\tOLD..NEW",
            "*\tNEW:refs/heads/m\t[new branch]",
            "-\t:refs/heads/m\t[deleted]",
            "!\tNEW:refs/heads/m\t[remote failure] (remote failed to report status)",
            "",
        ] {
            assert!(matches!(answer(0, line, ""), PushAnswer::NoAnswer { .. }), "{line}");
        }
    }

    #[test]
    fn refusals_and_lost_races_are_told_apart() {
        let line = "!\tNEW:refs/heads/m\t[remote rejected] (failed to update ref)";
        let moved = "remote: error: cannot lock ref 'refs/heads/m': is at 11 but expected 22        \n";
        assert!(matches!(answer(1, line, moved), PushAnswer::LostRace { .. }));
        assert!(matches!(answer(1, line, ""), PushAnswer::LostRace { .. }));
        let stuck = "remote: error: cannot lock ref 'refs/heads/m': Unable to create '/srv/m.lock': File exists.\n";
        let PushAnswer::Refused { words } = answer(1, line, stuck) else { panic!("a stale lock lasts") };
        assert!(words.contains("/srv/m.lock"), "{words}");
        let line = "!\tNEW:refs/heads/m\t[remote rejected] (pre-receive hook declined)";
        let chatty = "remote: cannot lock ref: version is at 3 but expected 4\n";
        assert!(matches!(answer(1, line, chatty), PushAnswer::Refused { .. }));
        let stderr = "remote: Friday is no day for this        \nerror: failed to push some refs to 'x'\n";
        let words = "pre-receive hook declined\nFriday is no day for this".to_owned();
        assert_eq!(answer(1, line, stderr), PushAnswer::Refused { words });
        for reason in ["stale info", "fetch first", "non-fast-forward", "needs force"] {
            let line = format!("!\tNEW:refs/heads/m\t[rejected] ({reason})");
            assert_eq!(answer(1, &line, ""), PushAnswer::LostRace { words: reason.to_owned() });
        }
    }

    #[test]
    fn without_a_status_line_only_a_failed_contact_is_unsent() {
        let (old, new) = ids();
        let of = |code, stderr: &str| {
            classify(&Answer { code, stdout: Vec::new(), stderr: stderr.to_owned() }, NAME, old, new)
        };
        let contact = "fatal: Could not read from remote repository.\n";
        assert!(matches!(of(Some(128), contact), PushAnswer::NotSent { .. }));
        assert!(matches!(of(None, contact), PushAnswer::NoAnswer { .. }));
        assert!(matches!(of(Some(1), "error: RPC failed; HTTP 502\n"), PushAnswer::NoAnswer { .. }));
        assert_eq!(of(None, ""), PushAnswer::NoAnswer { words: "git ended without a word".to_owned() });
        assert!(matches!(of(Some(0), ""), PushAnswer::NoAnswer { .. }));
    }
}
