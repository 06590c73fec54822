//! Git as people use it, in a work tree, for the made-up authors of the demo.
//!
//! It runs in the same closed environment as everything else here, so neither the config nor the
//! hooks of whoever watches the demo have a say. Nothing of the service uses this: Towpath itself
//! makes no commits.

use std::path::Path;
use std::time::Duration;

use towpath_core::model::Instant;

use super::process::Call;
use super::program::{Git, GitError};

/// How long one call may take: everything is on the local disk.
const DEADLINE: Duration = Duration::from_secs(30);

/// Who commits, and when.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The name, as it will stand in the commit.
    pub name: &'a str,
    /// The e-mail.
    pub email: &'a str,
    /// The date of what is committed now.
    pub at: Instant,
}

/// Why a call of an author's git did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// Git gave no answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git said no.
    #[error("`git {command}` failed: {said}")]
    Failed {
        /// Its arguments.
        command: String,
        /// What it said.
        said: String,
    },
}

impl Git {
    /// Runs git in that folder as that author, and returns what it printed, trimmed.
    ///
    /// # Errors
    /// When git cannot be run or does not succeed.
    pub async fn as_author(
        &self,
        author: &Author<'_>,
        folder: &Path,
        args: &[&str],
    ) -> Result<String, AuthorError> {
        let mut call = Call::new(["-C"], DEADLINE);
        call.args.push(folder.into());
        call.args.extend(args.iter().map(Into::into));
        let date = format!("{} +0000", author.at.0.div_euclid(1_000));
        for role in ["AUTHOR", "COMMITTER"] {
            for (what, value) in [("NAME", author.name), ("EMAIL", author.email), ("DATE", &date)] {
                call.identity.push((format!("GIT_{role}_{what}"), value.to_owned()));
            }
        }
        let answer = self.run(call).await?;
        if answer.code == Some(0) {
            return Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned());
        }
        let said = towpath_core::text::one_line(&answer.stderr, 300);
        Err(AuthorError::Failed { command: args.join(" "), said })
    }
}
