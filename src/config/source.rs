//! The config file as text, with every way in which a file can fail to be one.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{Problems, position, shown};
use super::redact;
use super::regular::open_regular;

/// More than this is no config.
const MOST_BYTES: u64 = 1 << 20;

/// A text and where it came from.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
    /// The file that was read; none for a text that came without.
    pub print: Option<Print>,
    /// Where each line but the first begins.
    lines: Vec<usize>,
}

/// By what a file that was written or replaced can be told from what it was before: where it is, how long, and when it
/// and its entry were last written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print([i128; 5]);

impl Print {
    /// That of the file at `path`, of whatever kind; none if there is none or it cannot be told.
    pub fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&std::fs::metadata(path).ok()?))
    }

    fn of(data: &Metadata) -> Self {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let (written, entered) = (nanos(data.mtime(), data.mtime_nsec()), nanos(data.ctime(), data.ctime_nsec()));
        Self([data.dev().into(), data.ino().into(), data.len().into(), written, entered])
    }
}

impl Source {
    /// Reads the file, or the pipe that a shell made for `<(…)`.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        Self::read_all(path, File::open(path))
    }

    /// Reads the file and nothing else: what waits for somebody to write, or does something when it is read, is refused
    /// before it is opened.
    pub fn read_regular(path: &Path) -> Result<Self, Problems> {
        let other = || {
            let what = format!("`{}` is not a regular file", shown(&path.to_string_lossy()));
            Problems::whole_file(path, what, "a config that is read again while the service runs has to be one")
        };
        match open_regular(path) {
            Ok(None) => Err(other()),
            Ok(Some(file)) => Self::read_all(path, Ok(file)),
            Err(error) => Self::read_all(path, Err(error)),
        }
    }

    fn read_all(path: &Path, file: std::io::Result<File>) -> Result<Self, Problems> {
        let refuse = |what: String, hint: &str| Problems::whole_file(path, what, hint);
        let name = shown(&path.to_string_lossy());
        let file = file.map_err(|e| match e.kind() {
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
        let data = file.metadata().ok();
        if data.as_ref().is_some_and(Metadata::is_dir) {
            return Err(refuse(
                format!("`{name}` is a folder, not a config file"),
                "name the file in it, for example with `--config FOLDER/towpath.toml`",
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| refuse(format!("`{name}` cannot be read: {e}"), ""))?;
        // What is written from now on differs from what was taken before the first byte.
        Ok(Self { print: data.as_ref().map(Print::of), ..Self::new(path, &bytes)? })
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
        let lines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1).collect();
        Ok(Self { path: path.to_owned(), text: text.to_owned(), print: None, lines })
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at) + 1
    }

    /// No problems yet, with the text as it may be shown.
    pub fn problems(&self, secrets: &[Range<usize>]) -> Problems {
        Problems::none(&self.path, Arc::from(redact::redact(&self.text, secrets)))
    }
}
