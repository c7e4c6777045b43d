//! How much waits for the jobs, over all sellers.

use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;

pub use crate::store::waiting::Waiting;

/// Counts what waits by now.
///
/// # Errors
///
/// [`StoreError`] where the database cannot be asked.
pub fn count_waiting(store: &Store, now: Timestamp) -> Result<Waiting, StoreError> {
    store.platform(Reason::Admin).read(|tables| tables.waiting(now))
}
