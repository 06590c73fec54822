//! The only file that reads time.
//!
//! A [`Clock`] gives [`Reading`]s; what they mean for the trusted clock is `ClockRow::advance` of
//! the core, and the store keeps it. Not here: sleeping, deadlines, anything that decides.

use std::fs;
use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::time::{ClockId, clock_gettime};
use towpath_core::model::{Instant, Reading, Span};

/// Where readings come from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's own clocks.
    System,
    /// A clock that moves only when it is told to. Clones share it.
    Manual(ManualClock),
    /// The machine's clocks, running faster since `start`: for the demo.
    Scaled {
        /// The machine's clocks when this one was started.
        start: Reading,
        /// How many times faster; 1 is as fast.
        by: u32,
    },
}

impl Clock {
    /// A clock that runs `by` times as fast as the machine's, starting now.
    ///
    /// It counts as a boot of its own, so a store that has seen it never takes its readings for
    /// those of the machine.
    pub fn scaled(by: u32) -> Self {
        let mut start = system();
        start.boot = format!("{}-x{by}-from-{}", start.boot, start.boottime_ms);
        Self::Scaled { start, by }
    }

    /// One look at wall, boottime (suspended time included) and boot id.
    pub fn reading(&self) -> Reading {
        match self {
            Self::System => system(),
            Self::Manual(manual) => manual.reading(),
            Self::Scaled { start, by } => {
                let passed = Span::from_ms(system().boottime_ms.saturating_sub(start.boottime_ms));
                let passed = Span::from_ms(passed.ms().saturating_mul(i64::from(*by)));
                Reading {
                    wall: start.wall + passed,
                    boottime_ms: start.boottime_ms.saturating_add(passed.ms()),
                    boot: start.boot.clone(),
                }
            }
        }
    }
}

/// A clock that moves only when it is told to. Clones share it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Reading>>);

impl ManualClock {
    /// A clock standing at `wall`, an hour after a first boot.
    pub fn new(wall: Instant) -> Self {
        let reading = Reading { wall, boottime_ms: 3_600_000, boot: "manual-boot-1".to_owned() };
        Self(Arc::new(Mutex::new(reading)))
    }

    /// Lets time pass: wall and boottime both.
    pub fn advance(&self, by: Span) {
        self.change(|reading| {
            reading.wall = reading.wall + by;
            reading.boottime_ms = reading.boottime_ms.saturating_add(by.ms());
        });
    }

    /// Sets the wall `by_ms` milliseconds forward or back, while no time passes.
    pub fn jump(&self, by_ms: i64) {
        self.change(|reading| reading.wall = Instant(reading.wall.0.saturating_add(by_ms)));
    }

    /// Restarts the machine: another boot id, boottime from 0. The wall stays; `advance` it for
    /// the time that the machine was off.
    pub fn reboot(&self) {
        self.change(|reading| {
            let count = reading.boot.rsplit('-').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
            reading.boot = format!("manual-boot-{}", count + 1);
            reading.boottime_ms = 0;
        });
    }

    /// What it shows.
    pub fn reading(&self) -> Reading {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn system() -> Reading {
    let ms = |id| {
        let time = clock_gettime(id);
        time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000)
    };
    Reading { wall: Instant(ms(ClockId::Realtime)), boottime_ms: ms(ClockId::Boottime), boot: boot_id().to_owned() }
}

/// Which boot of which host this is.
///
/// Where the kernel does not tell, every process counts as a boot of its own: the trusted clock
/// then goes by the wall alone, as after a reboot.
pub fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| match fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => format!("unknown-boot-{}-{}", process::id(), clock_gettime(ClockId::Boottime).tv_sec),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_clock_moves_as_it_is_told() {
        let clock = ManualClock::new(Instant(1_000_000));
        let before = clock.reading();
        clock.advance(Span::from_secs(2));
        clock.jump(-500);
        let after = Clock::Manual(clock.clone()).reading();
        assert_eq!(after.wall, Instant(1_001_500));
        assert_eq!(after.boottime_ms - before.boottime_ms, 2_000);
        clock.reboot();
        assert_eq!((clock.reading().boottime_ms, clock.reading().wall), (0, after.wall));
        assert_ne!(clock.reading().boot, before.boot);
    }

    #[test]
    fn a_scaled_clock_is_never_behind_and_is_another_boot() {
        let clock = Clock::scaled(60);
        let (first, second) = (clock.reading(), clock.reading());
        assert!(second.wall >= first.wall);
        assert_eq!(first.boot, second.boot);
        assert_ne!(first.boot, Clock::System.reading().boot);
    }
}
