//! Observes the statements that are sent to the database: counts them, and logs each distinct one once, without values,
//! where the log asks for the target `parceltrail::statements`.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};
use tracing::Level;

/// The log target of statements; the name is part of the operator's guide.
const TARGET: &str = "parceltrail::statements";
const STATEMENTS: &str = "parceltrail_database_statements_total";

/// Statements that were logged already, by hash.
static LOGGED: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Put on every connection.
#[derive(Debug, Clone, Copy)]
pub struct StatementObserver {
    /// `sqlite` or `postgres`, so that a reader of the log knows where a statement can be explained.
    pub database: &'static str,
}

impl Instrumentation for StatementObserver {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            metrics::counter!(STATEMENTS).increment(1);
            if tracing::enabled!(target: TARGET, Level::TRACE) {
                self.log_once(&query.to_string());
            }
        }
    }
}

impl StatementObserver {
    fn log_once(self, debugged: &str) {
        let text = without_values(debugged);
        let is_new = LOGGED.lock().unwrap_or_else(PoisonError::into_inner).insert(HASHER.hash_one(text));
        if is_new && reads_or_writes_rows(text) {
            tracing::trace!(target: TARGET, "{}: {text}", self.database);
        }
    }
}

/// Values are personal data: diesel prints them behind the statement.
fn without_values(debugged: &str) -> &str {
    debugged.split(" -- binds: ").next().unwrap_or_default()
}

/// Settings and transactions have no plan.
fn reads_or_writes_rows(statement: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| statement.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_off() {
        let debugged = "SELECT `name` FROM `shops` WHERE `handle` = ? -- binds: [\"lantern\"]";
        assert_eq!(without_values(debugged), "SELECT `name` FROM `shops` WHERE `handle` = ?");
    }

    #[test]
    fn settings_are_no_rows() {
        assert!(reads_or_writes_rows("SELECT 1"));
        assert!(!reads_or_writes_rows("SET parceltrail.seller = 'x'"));
        assert!(!reads_or_writes_rows("BEGIN IMMEDIATE"));
    }
}
