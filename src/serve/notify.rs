//! What is said to the service manager (`sd_notify`): ready, stopping, and a line of status.

use std::os::unix::net::UnixDatagram;

/// Says it, if a service manager asked to be told. That it cannot be told is no reason to stop.
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    // A name that begins with `@` is in Linux' abstract namespace; systemd uses paths.
    if path.as_encoded_bytes().starts_with(b"@") {
        return;
    }
    if let Err(error) = UnixDatagram::unbound().and_then(|socket| socket.send_to(state.as_bytes(), &path)) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
