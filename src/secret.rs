//! Secrets, read where the config says at the moment they are needed, and never printed.

use std::fmt;

use crate::config::{SecretRef, open_regular};

/// More than this is no secret but the wrong file.
const MOST_BYTES: u64 = 64 * 1024;

/// A secret. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// The variable is not set, or empty.
    #[error("the environment variable `{0}` is not set, or is empty")]
    Variable(String),
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {words}; the user that runs this has to be able to read it")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        words: String,
    },
    /// A pipe, a device or a folder.
    #[error("`{path}` is not a regular file; name a file that holds the secret and nothing else")]
    NotRegular {
        /// What it is not.
        path: String,
    },
    /// The file is empty, or too large to be a secret.
    #[error("`{path}` is empty, or larger than 64 KiB; that is hardly a secret")]
    Unlikely {
        /// The file.
        path: String,
    },
}

impl Secret {
    /// One that was made and not read: a forge's token of an hour.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is not there.
    pub fn read(place: &SecretRef) -> Result<Self, SecretFault> {
        match place {
            SecretRef::Env(name) => match std::env::var_os(name) {
                Some(value) if !value.is_empty() => Ok(Self(value.into_encoded_bytes())),
                _ => Err(SecretFault::Variable(name.clone())),
            },
            SecretRef::File(path) => Self::from_file(path),
        }
    }

    fn from_file(path: &std::path::Path) -> Result<Self, SecretFault> {
        use std::io::Read as _;
        let shown = path.display().to_string();
        let fail = |error: std::io::Error| SecretFault::File { path: shown.clone(), words: error.to_string() };
        // Secrets are read where other work goes on: a pipe would keep that waiting, and gives its content once.
        let file = open_regular(path).map_err(fail)?;
        let Some(file) = file.filter(|file| file.metadata().is_ok_and(|data| data.is_file())) else {
            return Err(SecretFault::NotRegular { path: shown });
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        if bytes.is_empty() || bytes.len() as u64 > MOST_BYTES {
            return Err(SecretFault::Unlikely { path: shown });
        }
        Ok(Self(bytes))
    }

    /// The secret itself, for the one place that uses it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Nothing here waits: a pipe that nobody writes into, also behind a link, is told as what it is not.
    #[test]
    fn what_is_no_file_is_named_with_its_place_and_what_mends_it() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        std::os::unix::fs::symlink(at("pipe"), at("link")).unwrap();
        for path in [at("pipe"), at("link"), "/dev/zero".into(), folder.path().to_owned()] {
            let said = Secret::read(&SecretRef::File(path.clone())).unwrap_err().to_string();
            let wanted = format!("`{}` is not a regular file; name a file that holds the secret", path.display());
            assert!(said.starts_with(&wanted), "{said}");
        }
        let said = Secret::read(&SecretRef::File(at("none"))).unwrap_err().to_string();
        assert!(said.contains("/none` cannot be read: No such file"), "{said}");
        std::fs::write(at("file"), "s3cret\n").unwrap();
        std::os::unix::fs::symlink(at("file"), at("linked")).unwrap();
        assert_eq!(Secret::read(&SecretRef::File(at("linked"))).unwrap().expose(), b"s3cret");
    }
}
