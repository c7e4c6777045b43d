//! Judges again what the clock alone may have changed: most delays are silence.

use crate::flows::record_events::{Moment, judge};
use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;

const BATCH: i64 = 200;

/// Judges the shipments that are due; tells how many there were.
///
/// # Errors
///
/// [`StoreError`]; what is not done stays due.
pub fn judge_shipments(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let due = store.platform(Reason::JobClaim).read(|tables| tables.due_standings(now, BATCH))?;
    let mut judged = 0;
    for (seller, shipment) in &due {
        let done = store.seller(*seller).write(|tables| -> Result<(), StoreError> {
            let moment = Moment::of_seller(tables, now)?;
            judge(tables, &moment, *shipment)
        });
        match done {
            Ok(()) => judged += 1,
            // One that cannot be judged must not keep the others waiting.
            Err(error) => tracing::error!(%shipment, %error, "a shipment could not be judged"),
        }
    }
    Ok(judged)
}
