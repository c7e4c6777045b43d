//! Log lines, to the standard error stream; secrets never get into them.

use tracing_subscriber::EnvFilter;

/// Sets logging up once, with so much as `log` asks for; a second call changes nothing.
pub fn set_up(log: &str, json: bool) {
    let filter = EnvFilter::try_new(log).unwrap_or_else(|_unreadable| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if json { lines.json().try_init() } else { lines.try_init() };
    drop(set);
}
