//! `towpath serve` as a process, on a port of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often it is asked whether something is so, and how long in between: longer altogether than
/// anything here takes on a busy machine, and reached only by a failure.
const PATIENCE: (u32, Duration) = (3_000, Duration::from_millis(20));

/// A running service; it is stopped at the end of the test.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
}

impl Service {
    /// Starts it and waits until it listens.
    pub fn start(config: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "json", "--config"]).arg(config);
        let mut child =
            command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            said.push_str(&line);
            let (_, rest) = line.split_once("serving on http://")?;
            rest.split('"').next()?.parse().ok()
        });
        let Some(address) = address else { panic!("it did not start: {said}") };
        // Read on, so that it never waits for us.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, address }
    }

    /// What a page says: everything, head and body.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of a series in `/metrics`, as it is written there.
    pub fn metric(&self, series: &str) -> Option<String> {
        let page = self.get("/metrics");
        page.lines().find_map(|line| Some(line.strip_prefix(series)?.trim().to_owned()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.0 {
        if so() {
            return;
        }
        std::thread::sleep(PATIENCE.1);
    }
    panic!("in vain waited for: {what}");
}
