//! The way down: requests are still taken for a moment, then the door is closed, and whoever is inside is served.
//!
//! Closing a listening socket resets the connections that stand in its queue, though their requests may be on the wire.
//! So newcomers are kept out of the queue first, and the door is closed when the queue is empty.

use actix_web::dev::ServerHandle;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So long after the first signal the process ends, come what may.
const LAST_CALL: Duration = Duration::from_secs(33);
/// A client whose greeting was not heard repeats it after a second, so this costs nobody anything.
const QUEUE_EMPTIES: Duration = Duration::from_millis(500);
const PAUSE_TAKES: Duration = Duration::from_millis(50);
/// Connections that are kept open without a request are closed after this.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A connection that was just accepted is counted a moment later.
const QUIET_LOOKS: u32 = 5;

/// How many connections are open.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<AtomicUsize>);

/// One open connection; it is counted as long as this lives.
pub struct Open(Connections);

impl Connections {
    pub fn open(&self) -> Open {
        self.0.fetch_add(1, Ordering::Relaxed);
        Open(self.clone())
    }

    /// Waits until none is open, or `patience` has run out.
    async fn quiet(&self, patience: Duration) {
        let began = Instant::now();
        let mut quiet = 0;
        while quiet < QUIET_LOOKS && began.elapsed() < patience {
            quiet = if self.0.load(Ordering::Relaxed) == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes requests for `delay` longer, then no new connections, and waits for the open ones to come to their end.
///
/// `door` is the socket that the server listens on.
pub async fn drain(handle: ServerHandle, door: TcpListener, connections: &Connections, delay: Duration) {
    tokio::time::sleep(delay).await;
    match close_to_newcomers(&door) {
        Ok(()) => {
            tokio::time::sleep(QUEUE_EMPTIES).await;
            handle.pause().await;
            tokio::time::sleep(PAUSE_TAKES).await;
            refuse(&door);
        }
        Err(error) => tracing::debug!(%error, "the door cannot be closed to newcomers alone"),
    }
    drop(door);
    connections.quiet(PATIENCE).await;
    handle.stop(true).await;
}

/// Lets the kernel drop what asks for a new connection, while handshakes that have begun come to their end.
#[cfg(target_os = "linux")]
fn close_to_newcomers(door: &TcpListener) -> std::io::Result<()> {
    use socket2::{SockFilter, SockRef};
    /// A classic packet filter, run on each TCP header that comes to the socket. Drops what has SYN set.
    const NO_SYN: [(u16, u8, u8, u32); 4] = [
        (0x30, 0, 0, 13),       // load the byte of flags
        (0x45, 0, 1, 0x02),     // is SYN set?
        (0x06, 0, 0, 0),        // yes: drop
        (0x06, 0, 0, u32::MAX), // no: take all of it
    ];
    let filter = NO_SYN.map(|(code, jump_true, jump_false, value)| SockFilter::new(code, jump_true, jump_false, value));
    SockRef::from(door).attach_filter(&filter)
}

#[cfg(not(target_os = "linux"))]
fn close_to_newcomers(_door: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Ends listening: from here on newcomers are told so at once.
fn refuse(door: &TcpListener) {
    if let Err(error) = socket2::SockRef::from(door).shutdown(std::net::Shutdown::Both) {
        tracing::debug!(%error, "the door cannot be closed before the server ends");
    }
}

/// Sees that the process ends even if something hangs.
pub fn watch() {
    std::thread::spawn(|| {
        std::thread::sleep(LAST_CALL);
        tracing::error!("something does not come to its end; the process ends now");
        std::process::exit(1);
    });
}
