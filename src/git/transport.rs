//! Reading a remote: where its branches are, and their history into our mirror.
//!
//! Not here: moving a branch (`push`), and anything about what the history says (`read`).

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{BranchName, CommitId, Unknown, UnknownWhy};

use super::mirror::{Mirror, MirrorLock};
use super::process::{Answer, Call};
use super::program::Git;
use super::remote::Remote;
use super::{read, words};

/// How often one fetch is begun anew because something stood in its way.
const ROUNDS: usize = 5;

impl Git {
    /// Every branch of the remote and the commit it is at. An empty repository has none.
    ///
    /// One process; with protocol 2 the server sends branches only (`ls-remote --heads`; naming
    /// them would make it send every reference: measured).
    ///
    /// Branches whose name is not UTF-8 are left out: no config can name them.
    ///
    /// # Errors
    /// Why the remote did not tell.
    pub async fn heads(&self, remote: &Remote) -> Result<BTreeMap<BranchName, CommitId>, Unknown> {
        let args = ["ls-remote", "--heads", "--quiet", "--", remote.as_str()];
        let call = Call::new(args, self.limits.heads).with(remote);
        let answer = self.run(call).await.map_err(|error| words::no_answer(&error))?;
        if answer.code != Some(0) {
            return Err(words::unknown_of(remote, &answer.stderr));
        }
        parse_heads(&answer.stdout)
    }

    /// Copies exactly these branches, and all that they contain, into the mirror. Those that the
    /// remote does not have (any more) are left out: a branch that vanishes must not keep the
    /// others from being read.
    ///
    /// The mirror is locked meanwhile, and made anew if it proves unreadable.
    ///
    /// # Errors
    /// Why it could not be done; the mirror is then as before, or has some of the branches.
    pub async fn fetch(&self, mirror: &Mirror, remote: &Remote, branches: &[BranchName]) -> Result<(), Unknown> {
        let mut wanted: BTreeSet<&BranchName> = branches.iter().filter(|name| is_branch(name.as_str())).collect();
        let held = mirror.lock(self.limits.lock).await?;
        mirror.mend(&held)?;
        let mut cleared = false;
        for _ in 0..ROUNDS {
            if wanted.is_empty() {
                return Ok(());
            }
            let answer = self.fetch_once(mirror, remote, &wanted).await?;
            let stderr = &answer.stderr;
            if stderr.contains("shallow roots are not allowed") {
                // Said with exit code 0.
                return Err(Unknown::lasting(UnknownWhy::Shallow));
            }
            let fetched = answer.code == Some(0);
            if fetched && (mirror.is_fresh() || read::shows(mirror, wanted.iter().copied())) {
                self.tidy_up(mirror, &held).await;
                return Ok(());
            }
            if words::is_branch_gone(stderr) {
                let heads = self.heads(remote).await?;
                wanted.retain(|name| heads.contains_key(name));
            } else if words::is_ref_in_the_way(stderr) && !cleared {
                mirror.forget_refs(&held)?;
                cleared = true;
            } else if fetched || words::is_mirror_broken(stderr) && !mirror.is_fresh() {
                mirror.suspect();
                if !mirror.mend(&held)? {
                    return Err(words::unknown_of(remote, stderr));
                }
            } else {
                return Err(words::unknown_of(remote, stderr));
            }
        }
        Err(words::unreadable("branches came and went while they were fetched"))
    }

    async fn fetch_once(
        &self,
        mirror: &Mirror,
        remote: &Remote,
        wanted: &BTreeSet<&BranchName>,
    ) -> Result<Answer, Unknown> {
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            // On standard input: a thousand names need not fit into an argument list.
            "--stdin",
            "--",
            remote.as_str(),
        ];
        let mut call = Call::new(args, self.limits.fetch).with(remote).within(mirror.dir());
        let refspec = |name: &&BranchName| format!("+{0}:{0}\n", name.full_ref());
        call.stdin = Some(wanted.iter().map(refspec).collect::<String>().into_bytes());
        self.run(call).await.map_err(|error| words::no_answer(&error))
    }

    /// Joins the packs of many fetches into one. Nothing is dropped from it, and if it fails the
    /// mirror is as good as before.
    async fn tidy_up(&self, mirror: &Mirror, _held: &MirrorLock) {
        const PACKS_MAX: usize = 50;
        let packs = std::fs::read_dir(mirror.dir().join("objects/pack")).map_or(0, |entries| {
            entries.flatten().filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack")).count()
        });
        if packs > PACKS_MAX {
            let args = ["repack", "-a", "-d", "-q", "--keep-unreachable"];
            let _ = self.run(Call::new(args, self.limits.fetch).within(mirror.dir())).await;
        }
    }
}

/// Reads the lines of `ls-remote`: id, tab, full reference.
fn parse_heads(stdout: &[u8]) -> Result<BTreeMap<BranchName, CommitId>, Unknown> {
    let mut heads = BTreeMap::new();
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(2, |byte| *byte == b'\t');
        let (id, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if id.len() == 64 && id.iter().all(u8::is_ascii_hexdigit) {
            return Err(Unknown::lasting(UnknownWhy::Sha256));
        }
        let id = std::str::from_utf8(id).ok().and_then(|id| id.parse::<CommitId>().ok());
        let id = id.ok_or_else(|| words::unreadable("git ls-remote printed a line that is no reference"))?;
        let Some(name) = std::str::from_utf8(name).ok().and_then(|name| name.strip_prefix("refs/heads/")) else {
            continue;
        };
        if is_branch(name) {
            heads.insert(BranchName::new(name), id);
        }
    }
    Ok(heads)
}

/// Whether git could have a branch of this name (`git help check-ref-format`, for `refs/heads/X`).
///
/// It may still begin with a dash or hold quotes, backticks and `$(…)`. What matters here: no
/// character that means something in a refspec or a lease (`: * ^ + ~`), no line break.
pub(super) fn is_branch(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c))
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_are_those_of_check_ref_format() {
        for name in [
            "a",
            "a/b",
            "-x",
            "--upload-pack=x",
            "$(id)",
            "`x`",
            "a;b",
            "'\"",
            "\u{202e}x",
            "@",
            "a@b",
            "+a",
            "a.b",
        ] {
            assert!(is_branch(name), "{name}");
        }
        for name in [
            "", "a b", "a:b", "a*", "a..b", "a.lock", "a.lock/b", ".a", "a/.b", "a//b", "/a", "a/", "a.", "a@{b",
            "a\nb", "a\\b", "a~1", "a^", "a?", "a[b",
        ] {
            assert!(!is_branch(name), "{name}");
        }
    }

    #[test]
    fn what_ls_remote_prints_is_read_strictly() {
        let id = "1234567890123456789012345678901234567890";
        let heads = parse_heads(format!("{id}\trefs/heads/a\n{id}\trefs/tags/b\n").as_bytes()).unwrap();
        assert_eq!(heads.len(), 1);
        assert!(parse_heads(b"nonsense\n").is_err());
        let long = format!("{id}{}\trefs/heads/a\n", &id[..24]);
        assert_eq!(parse_heads(long.as_bytes()), Err(Unknown::lasting(UnknownWhy::Sha256)));
        let odd = [id.as_bytes(), b"\trefs/heads/\xff\n"].concat();
        assert_eq!(parse_heads(&odd), Ok(BTreeMap::new()));
    }
}
