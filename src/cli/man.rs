//! `man`: the manual, made from the same words as `--help`.

use std::path::Path;

use clap::CommandFactory as _;

use super::Failure;
use super::args::Args;
use super::exit::Exit;
use super::out::Out;

/// Writes `towpath.1` and one page for each command into a folder.
pub fn run(folder: &Path, out: Out) -> Result<Exit, Failure> {
    let fail = |error: std::io::Error| {
        Failure::Plain(Exit::Error, format!("the manual cannot be written into `{}`: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(fail)?;
    clap_mangen::generate_to(Args::command(), folder).map_err(fail)?;
    out.line(format!("the manual is in `{}`; read it with `man -l {0}/towpath.1`", folder.display()));
    Ok(Exit::Done)
}
