//! The config file as text, with every way in which a file can fail to be one.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{Problems, position, shown};
use super::redact;

/// More than this is no config.
const MOST_BYTES: u64 = 1 << 20;

/// A text and where it came from.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let refuse = |what: String, hint: &str| Problems::whole_file(path, what, hint);
        let name = shown(&path.to_string_lossy());
        let file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => refuse(
                format!("there is no file `{name}`"),
                "name the config with `--config FILE` or `TOWPATH_CONFIG`, or put it in `./towpath.toml`",
            ),
            ErrorKind::PermissionDenied => refuse(
                format!("`{name}` may not be read by the user that runs this"),
                "give that user the right to read the file",
            ),
            _ => refuse(format!("`{name}` cannot be read: {e}"), ""),
        })?;
        if file.metadata().is_ok_and(|m| m.is_dir()) {
            return Err(refuse(
                format!("`{name}` is a folder, not a config file"),
                "name the file in it, for example with `--config FOLDER/towpath.toml`",
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| refuse(format!("`{name}` cannot be read: {e}"), ""))?;
        Self::new(path, &bytes)
    }

    /// The same for bytes that are already here.
    pub fn new(path: &Path, bytes: &[u8]) -> Result<Self, Problems> {
        let refuse = |what: String, hint: &str| Problems::whole_file(path, what, hint);
        let name = shown(&path.to_string_lossy());
        if bytes.len() as u64 > MOST_BYTES {
            return Err(refuse(
                format!("`{name}` is larger than 1 MiB, so it is hardly a config"),
                "repeat less: `[defaults]` and `[[group]]` give many flows the same keys",
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let (line, _) = position(&String::from_utf8_lossy(&bytes[..e.valid_up_to()]), e.valid_up_to());
            refuse(
                format!("`{name}` is not UTF-8: line {line} holds the byte 0x{:02x}", bytes[e.valid_up_to()]),
                "save the file as UTF-8",
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(refuse(format!("`{name}` is empty"), super::resolve::SMALLEST));
        }
        Ok(Self { path: path.to_owned(), text: text.to_owned() })
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        position(&self.text, at).0
    }

    /// No problems yet, with the text as it may be shown.
    pub fn problems(&self, secrets: &[Range<usize>]) -> Problems {
        Problems::none(&self.path, Arc::from(redact::redact(&self.text, secrets)))
    }
}
