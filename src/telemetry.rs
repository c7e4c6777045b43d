//! Log lines, to the standard error stream; secrets never get into them.

use tracing_subscriber::EnvFilter;

/// Sets logging up once, with so much as `log` asks for; a second call changes nothing.
pub fn set_up(log: &str, json: bool) {
    let filter = EnvFilter::try_new(log).unwrap_or_else(|_unreadable| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if json { lines.json().try_init() } else { lines.try_init() };
    drop(set);
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
