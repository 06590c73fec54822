//! Which process holds a lease, and whether it is certainly gone.
//!
//! Not here: leases themselves, and time.

use std::fs;
use std::io;

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::clock;

/// A process, told apart from any later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The host's name, for people.
    pub host: String,
    /// The boot of the host it runs on.
    pub boot: String,
    /// The namespace in which `pid` counts: containers share a boot but not their numbers.
    pub pids: String,
    /// The process.
    pub pid: i32,
    /// When the process was started, in the kernel's ticks since boot; 0 if unknown.
    pub ticks: u64,
}

impl Holder {
    /// This process.
    pub fn this_process() -> Self {
        Self::of(rustix::process::getpid().as_raw_nonzero().get())
    }

    /// The process of that number on this host.
    pub fn of(pid: i32) -> Self {
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: clock::boot_id().to_owned(),
            pids: fs::read_link("/proc/self/ns/pid")
                .map(|link| link.to_string_lossy().into_owned())
                .unwrap_or_default(),
            pid,
            ticks: stat(pid).map_or(0, |stat| stat.ticks),
        }
    }

    /// Whether the process certainly runs no more, as far as can be told from where `here` runs.
    /// On another host, after a reboot or in another container nothing is certain.
    pub fn is_gone(&self, here: &Self) -> bool {
        if self.boot != here.boot || self.pids != here.pids || self.pids.is_empty() {
            return false;
        }
        let Some(pid) = Pid::from_raw(self.pid) else { return true };
        if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
            return true;
        }
        // The number may be in use again, or the process may be dead and not yet waited for.
        stat(self.pid).is_ok_and(|stat| stat.is_dead || (self.ticks != 0 && stat.ticks != self.ticks))
    }
}

struct Stat {
    is_dead: bool,
    ticks: u64,
}

/// Reads `/proc/PID/stat`. The second field is the program's name in parentheses and may hold
/// spaces and parentheses itself, so fields are counted from the last closing one.
fn stat(pid: i32) -> io::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "unexpected /proc/PID/stat");
    let (_, rest) = text.rsplit_once(')').ok_or_else(bad)?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let state = fields.first().ok_or_else(bad)?;
    let ticks = fields.get(19).and_then(|field| field.parse().ok()).ok_or_else(bad)?;
    Ok(Stat { is_dead: matches!(*state, "Z" | "X" | "x"), ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_gone_and_a_reused_number_is() {
        let me = Holder::this_process();
        assert_ne!(me.ticks, 0);
        assert!(!me.is_gone(&me));
        let earlier = Holder { ticks: me.ticks - 1, ..me.clone() };
        assert!(earlier.is_gone(&me));
        let elsewhere = Holder { boot: "another".to_owned(), ..earlier };
        assert!(!elsewhere.is_gone(&me));
    }
}
