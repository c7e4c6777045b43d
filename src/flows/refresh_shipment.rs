//! Has a carrier asked about a shipment at the next round, before its time.

use crate::domain::ids::{SellerId, ShipmentId};
use crate::store::{Store, StoreError};
use jiff::Timestamp;

/// Why nobody will be asked.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Also where it belongs to another seller.
    #[error("there is no such shipment")]
    NotFound,
    #[error("no carrier is asked about this shipment any more")]
    TrackingEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes every leg that is still followed due at once; one that is due already stays so. Limits on how often a carrier
/// is asked are kept all the same.
///
/// # Errors
///
/// [`RefreshError`]; then nothing was written.
pub fn refresh_shipment(store: &Store, seller: SellerId, id: ShipmentId, now: Timestamp) -> Result<(), RefreshError> {
    store.seller(seller).write(|tables| {
        if tables.shipment(id)?.is_none() {
            return Err(RefreshError::NotFound);
        }
        let legs = tables.legs(id)?;
        let followed = legs.iter().filter_map(|leg| Some((leg.tracker_id, leg.next_check_at?)));
        let followed: Vec<_> = followed.collect();
        if followed.is_empty() {
            return Err(RefreshError::TrackingEnded);
        }
        for (tracker, next) in followed {
            tables.schedule_check(tracker, Some(next.min(now)))?;
        }
        Ok(())
    })
}
