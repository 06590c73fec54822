//! What people say under requests, what they may do, and how we show that we heard.
//!
//! What is said is taken from a verified webhook alone, and only from one that tells of a comment that was just
//! made: whoever edits a comment gives no command, or an old comment that everybody has read could become one.
//! What somebody may do is never taken from a webhook: it is asked of the forge, at the time.
//!
//! Not here: what a comment means (`towpath_core::command::comment`), and what is answered.

use towpath_core::model::Instant;

/// The longest comment that is listened to, in bytes. Forges take more (GitLab a million characters); nobody
/// writes a command at the end of a book.
pub const SAID_MAX: usize = 64 * 1024;

/// The longest name of an account that is taken for one. GitLab's are of 255 characters at most, the others' shorter.
const LOGIN_MAX: usize = 255;

/// A comment that somebody has just made on an open request of the hook's own repository, as a verified hook
/// tells it. Not one by what the forge calls a bot, none that only few may read, none on a line of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentSeen {
    /// The number of the request.
    pub number: u64,
    /// The forge's own number of the comment: never two of one number on one forge. What acts on comments acts on
    /// each number once; a delivery's id is in no signature, so whoever recorded a delivery can give it another.
    pub id: u64,
    /// The login name of whoever wrote it. Nothing is known yet of what they may do: ask `Forge::permission`.
    pub author: String,
    /// The forge's own number of that account, which stays when it is renamed.
    pub author_id: Option<u64>,
    /// The whole comment as it was written, of [`SAID_MAX`] bytes at most. Hostile: control characters,
    /// text that runs the other way, NUL.
    pub body: String,
    /// Its page; empty where the forge does not say. Hostile, too.
    pub url: String,
    /// When it was made, by the forge's clock.
    pub at: Option<Instant>,
}

impl CommentSeen {
    /// The comment, if it can be one.
    pub(super) fn checked(self) -> Option<Self> {
        let numbered = self.number > 0 && self.id > 0 && self.author_id != Some(0);
        let good = numbered && is_login(&self.author) && self.body.len() <= SAID_MAX;
        good.then_some(self)
    }
}

/// What somebody may do in a repository, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Nothing, as far as the forge says: no member, blocked, or there is no such account.
    None,
    /// Look at it, and what goes with that: GitHub's `triage`, GitLab's guest, planner and reporter.
    Read,
    /// Push to branches that no rule protects: GitLab's developer.
    Write,
    /// Look after it: GitHub's `maintain`, GitLab's maintainer. Gitea and Forgejo have no such step.
    Maintain,
    /// Everything: its owners, too.
    Admin,
}

/// How we show on a comment that we heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// It was read, and something will come of it.
    Seen,
    /// It was done.
    Done,
    /// It was not done; the reply says why.
    Refused,
}

/// Whether a text can be the name of an account. What is none has no rights anywhere, and does not go into a URL,
/// where dots alone would be steps.
pub(super) fn is_login(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.len() <= LOGIN_MAX && !text.chars().any(|c| c.is_control() || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment() -> CommentSeen {
        CommentSeen {
            number: 1,
            id: 2,
            author: "ana".to_owned(),
            author_id: Some(3),
            body: "/towpath status".to_owned(),
            url: String::new(),
            at: None,
        }
    }

    #[test]
    fn what_cannot_be_a_comment_is_none() {
        assert_eq!(comment().checked(), Some(comment()));
        assert!(CommentSeen { author_id: None, ..comment() }.checked().is_some());
        assert!(CommentSeen { body: "x".repeat(SAID_MAX), ..comment() }.checked().is_some());
        for wrong in [
            CommentSeen { number: 0, ..comment() },
            CommentSeen { id: 0, ..comment() },
            CommentSeen { author_id: Some(0), ..comment() },
            CommentSeen { body: "x".repeat(SAID_MAX + 1), ..comment() },
            // In bytes, not in characters.
            CommentSeen { body: "ż".repeat(SAID_MAX / 2 + 1), ..comment() },
        ] {
            assert_eq!(wrong.clone().checked(), None, "{wrong:?}");
        }
        for author in ["", ".", "..", "a/b", "a\0b", "a\nb", &"x".repeat(256)] {
            assert_eq!(CommentSeen { author: author.to_owned(), ..comment() }.checked(), None, "{author:?}");
        }
        for author in ["ana", "ana.b_c-d", "a..", "żółw"] {
            assert!(CommentSeen { author: author.to_owned(), ..comment() }.checked().is_some(), "{author}");
        }
    }

    #[test]
    fn rights_are_in_order() {
        let all = [Permission::None, Permission::Read, Permission::Write, Permission::Maintain, Permission::Admin];
        assert!(all.is_sorted_by(|less, more| less < more));
    }
}
