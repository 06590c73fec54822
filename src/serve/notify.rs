//! What is said to the service manager (`sd_notify`): ready, stopping, and that the service lives.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Says it, if a service manager asked to be told. That it cannot be told is no reason to stop.
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    // A name that begins with `@` is in Linux' abstract namespace; systemd uses paths.
    if path.as_encoded_bytes().starts_with(b"@") {
        return;
    }
    let say = |socket: UnixDatagram| {
        // A manager that does not listen keeps nobody waiting.
        socket.set_nonblocking(true)?;
        socket.send_to(state.as_bytes(), &path)
    };
    if let Err(error) = UnixDatagram::unbound().and_then(say) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

/// Within what time the service manager wants to hear that we live, if it does (`WatchdogSec`).
pub fn watchdog_every() -> Option<Duration> {
    let variable = |name| std::env::var(name).ok();
    within(variable("WATCHDOG_USEC").as_deref(), variable("WATCHDOG_PID").as_deref(), std::process::id())
}

fn within(micros: Option<&str>, of: Option<&str>, own: u32) -> Option<Duration> {
    let ours = of.is_none_or(|of| of.parse() == Ok(own));
    let micros: u64 = micros?.parse().ok().filter(|micros| *micros > 0)?;
    ours.then(|| Duration::from_micros(micros))
}

/// Says twice in that time that the service lives, for as long as it does: by the rule of `/livez`, so that what a probe
/// would have restarted is restarted without one.
pub async fn watchdog(every: Duration, is_alive: impl Fn() -> bool, say: impl Fn(&str)) {
    let mut due = tokio::time::interval((every / 2).max(Duration::from_millis(1)));
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if is_alive() {
            say("WATCHDOG=1");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let second = Some(Duration::from_secs(1));
        for (micros, of, is) in [
            (Some("1000000"), Some("7"), second),
            (Some("1000000"), None, second),
            (Some("1000000"), Some("8"), None),
            (Some("0"), None, None),
            (Some("soon"), None, None),
            (None, Some("7"), None),
        ] {
            assert_eq!(within(micros, of, 7), is, "{micros:?} {of:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_alive_is_not_said_to_be() {
        let (alive, said) = (RefCell::new(true), RefCell::new(Vec::new()));
        let saying =
            watchdog(Duration::from_secs(60), || *alive.borrow(), |what| said.borrow_mut().push(what.to_owned()));
        let mut saying = std::pin::pin!(saying);
        // At once, and every half of that time.
        let minutes = |n: u64| Duration::from_secs(60 * n - 15);
        assert!(tokio::time::timeout(minutes(2), &mut saying).await.is_err());
        assert_eq!(*said.borrow(), ["WATCHDOG=1"; 4]);
        *alive.borrow_mut() = false;
        assert!(tokio::time::timeout(minutes(10), &mut saying).await.is_err());
        assert_eq!(said.borrow().len(), 4);
    }
}
