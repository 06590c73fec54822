//! Which file is the config.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Config;
use super::problem::{Problems, shown};

/// The environment variable that names the config.
pub const ENV_VAR: &str = "TOWPATH_CONFIG";

/// The file that is taken if nobody names one.
pub const DEFAULT_FILE: &str = "towpath.toml";

impl Config {
    /// The config's path: what `--config` says, else `TOWPATH_CONFIG`, else `./towpath.toml`.
    ///
    /// # Errors
    /// What was looked for, and where.
    pub fn find(explicit: Option<&Path>) -> Result<PathBuf, Problems> {
        Self::find_with(explicit, std::env::var_os(ENV_VAR), Path::new("."))
    }

    /// The same with the variable's value and the working directory given.
    ///
    /// # Errors
    /// What was looked for, and where.
    pub fn find_with(
        explicit: Option<&Path>,
        variable: Option<OsString>,
        here: &Path,
    ) -> Result<PathBuf, Problems> {
        let variable = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
        let (path, said_by) = match (explicit, variable) {
            (Some(path), _) => (path.to_owned(), "--config"),
            (None, Some(path)) => (path, ENV_VAR),
            (None, None) => return default_file(here),
        };
        let whole = here.join(&path);
        if whole.exists() {
            return Ok(if here == Path::new(".") { path } else { whole });
        }
        let what = format!("there is no file `{}`, which `{said_by}` names", shown(&path.to_string_lossy()));
        Err(Problems::whole_file(&path, what, "correct the path, or make the file with `towpath init`"))
    }
}

fn default_file(here: &Path) -> Result<PathBuf, Problems> {
    let path = here.join(DEFAULT_FILE);
    if path.exists() {
        return Ok(path);
    }
    let what = format!(
        "there is no config: neither `--config` nor `{ENV_VAR}` names one, and there is no `./{DEFAULT_FILE}`"
    );
    Err(Problems::whole_file(&path, what, "name one with `--config FILE`, or make one with `towpath init`"))
}
