//! How the runner behaves, as the operator sets it.

use crate::carriers::pace::Limits;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How the runner behaves; the defaults are meant for the internet.
#[derive(Clone)]
pub struct RunnerConfig {
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// For one attempt, the body included.
    pub total_timeout: Duration,
    /// Bytes of a body, after which we stop reading.
    pub body_limit: usize,
    /// How often one request is tried, at least once. Only failures that may pass at once are tried again.
    pub attempts: u32,
    /// The longest pause before the second attempt; it doubles with each further one, and each pause is drawn at
    /// random between nothing and its longest.
    pub retry_pause: Duration,
    /// Failures in a row after which an account is left alone.
    pub circuit_failures: u32,
    /// For how long.
    pub circuit_pause: Duration,
    /// How long a request waits for its turn before it is told to come back later.
    pub patience: Duration,
    /// Limits that the operator sets in place of the adapter's own, by source name.
    pub limits: HashMap<String, Limits>,
    /// Sources, by name, whose addresses may lie inside our own network: the simulator, say.
    pub private_sources: HashSet<String>,
    /// Our time, for `Retry-After` dates and for the time at which an answer was heard.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl RunnerConfig {
    /// The defaults, with this clock.
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            body_limit: 2 * 1024 * 1024,
            attempts: 3,
            retry_pause: Duration::from_millis(500),
            circuit_failures: 5,
            circuit_pause: Duration::from_mins(1),
            patience: Duration::from_secs(10),
            limits: HashMap::new(),
            private_sources: HashSet::new(),
            clock,
        }
    }
}
