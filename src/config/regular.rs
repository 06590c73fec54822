//! Files that are opened only if they are files: for what is read while other work goes on beside it.
//!
//! A pipe would keep its reader waiting for a writer, and a device may do something when it is opened. Not here:
//! what the bytes mean.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a regular file, or a folder, which whoever reads it is told; none for anything else, which is not waited for.
///
/// # Errors
/// What the system says if there is nothing, or it may not be opened.
pub fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let is_other = |data: &Metadata| !data.is_file() && !data.is_dir();
    if is_other(&std::fs::metadata(path)?) {
        return Ok(None);
    }
    // Should it be replaced by a pipe at this very moment, it is not waited for either.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let other = is_other(&file.metadata()?);
    Ok((!other).then_some(file))
}
