//! Log lines, to the standard error stream; secrets never get into them.

use crate::config::Config;
use tracing_subscriber::EnvFilter;

/// Sets logging up once; a second call changes nothing.
pub fn set_up(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_unreadable| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if config.log_json { lines.json().try_init() } else { lines.try_init() };
    drop(set);
}
