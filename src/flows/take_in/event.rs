//! Events: a row of a sheet of events is a scan of a number that is followed already.

use super::{Desk, Outcome, TakeInError};
use crate::domain::carrier::CarrierSlug;
use crate::domain::ids::ShipmentId;
use crate::domain::scan::Source;
use crate::domain::shipment::{EventRow, ProvenNumber};
use crate::flows::record_events::record_events;
use crate::store::trackers::Tracker;
use crate::store::{SellerTables, StoreError};

/// Takes in one event; the shipment told is the first under the number.
///
/// # Errors
///
/// [`TakeInError::TrackingNumberNotFound`] where nothing goes under the number.
pub fn take_in_event(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    row: &EventRow,
) -> Result<(Option<ShipmentId>, Outcome), TakeInError> {
    let tracker = tracker_of(tables, &row.number)?
        .ok_or_else(|| TakeInError::TrackingNumberNotFound(row.number.number.clone()))?;
    let news = record_events(tables, &desk.moment, &tracker, std::slice::from_ref(&row.scan), Source::Csv)?;
    let shipment = tables.shipments_under(tracker.id)?.first().copied();
    Ok((shipment, if news > 0 { Outcome::Created } else { Outcome::Unchanged }))
}

pub(super) fn tracker_of(tables: &mut SellerTables, number: &ProvenNumber) -> Result<Option<Tracker>, StoreError> {
    let carrier = number.followed_as();
    if let Some(tracker) = tables.tracker(carrier.as_ref(), &number.number)? {
        return Ok(Some(tracker));
    }
    let declared = number.declared.as_ref().is_some_and(|slug| slug.as_ref() != CarrierSlug::OTHER);
    if declared { Ok(None) } else { Ok(tables.trackers_by_number(&number.number)?.pop()) }
}
