//! Secrets, read where the config says at the moment they are needed, and never printed.

use std::fmt;

use crate::config::SecretRef;

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
    #[error("`{path}` cannot be read: {words}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        words: String,
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
        let mut bytes = Vec::new();
        std::fs::File::open(path).map_err(fail)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
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
