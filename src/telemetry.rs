//! Log lines, to the standard error stream, with all secrets masked; and meters.

mod mask;
pub mod meters;

use mask::Masking;
use std::io;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Sets logging up once, with so much as `log` asks for; a second call changes nothing.
///
/// A panic is a line of the log too. There are no colours: they would stand between a name and its value, where masks are
/// looked for.
pub fn set_up(log: &str, json: bool) {
    let filter = EnvFilter::try_new(log).unwrap_or_else(|_unreadable| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_timer(SystemTime)
        .with_writer(|| Masking(io::stderr()));
    let set = if json { lines.json().try_init() } else { lines.try_init() };
    if set.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let (place, message) = (panic.location().map(ToString::to_string), panic.payload_as_str());
            tracing::error!(place, message, "something broke that should not");
        }));
    }
}

/// An error with all of its causes in one line: logged once, at the door.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        line = format!("{line}: {inner}");
        cause = inner.source();
    }
    line
}
