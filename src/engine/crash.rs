//! Where the tests kill the process: `TOWPATH_CRASH_AT=after:Push:1` ends it by SIGKILL after its
//! first push. Compiled only with the feature `crash-points`; without it there is nothing here.

use super::world::Side;

/// A planned death.
#[derive(Debug, Default)]
pub struct Crash {
    #[cfg(feature = "crash-points")]
    at: Option<(String, std::sync::atomic::AtomicU32)>,
}

impl Crash {
    /// What `TOWPATH_CRASH_AT` says.
    pub fn from_environment() -> Self {
        #[cfg(feature = "crash-points")]
        {
            let at = std::env::var("TOWPATH_CRASH_AT").ok().and_then(|text| {
                let (at, count) = text.rsplit_once(':')?;
                Some((at.to_owned(), std::sync::atomic::AtomicU32::new(count.parse().ok()?)))
            });
            Self { at }
        }
        #[cfg(not(feature = "crash-points"))]
        Self::default()
    }

    /// Dies here if this is the place.
    pub fn at(&self, side: Side, effect: &str) {
        #[cfg(feature = "crash-points")]
        if let Some((at, left)) = &self.at {
            let side = match side {
                Side::Before => "before",
                Side::After => "after",
            };
            let here = format!("{side}:{effect}") == *at;
            if here && left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
                // SIGKILL, so that nothing is tidied up.
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            }
        }
        #[cfg(not(feature = "crash-points"))]
        let _ = (side, effect);
    }
}
