//! A line to a server on this machine that can be cut: whoever calls then is hung up on.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line. It works as long as its runtime does.
pub struct Line {
    /// Where to call.
    pub url: String,
    down: watch::Sender<bool>,
}

impl Line {
    /// A line to that server, which is up.
    pub async fn to(server: &str) -> Self {
        let far = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (down, state) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, far.clone(), state.clone()));
            }
        });
        Self { url, down }
    }

    /// Cuts it, or mends it. What was open is closed.
    pub fn cut(&self, down: bool) {
        self.down.send_replace(down);
    }
}

async fn carry(mut near: TcpStream, far: String, mut down: watch::Receiver<bool>) {
    if *down.borrow_and_update() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(far).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = down.wait_for(|down| *down) => {}
    }
}
