//! What the gate reveals about a number, in the transaction of the scans: one that is older than its order, one at a door
//! in another country, and the first of a block of labels that nobody had scanned.

use super::Moment;
use crate::domain::doubt::{self, Doubt, DoubtCode, Finding, GRACE, is_at_the_door};
use crate::domain::ids::{ShipmentId, TrackerId};
use crate::domain::scan::{DedupeKey, Scan, ScanDetails, Source};
use crate::domain::standing::Standing;
use crate::store::doubts::DoubtRow;
use crate::store::orders::Order;
use crate::store::shipments::Shipment;
use crate::store::standings::StandingRow;
use crate::store::{SellerTables, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;

/// Whether anything is expected of a shipment; of one that is cancelled no number is doubted.
pub fn is_live(shipment: &Shipment, order: &Order) -> bool {
    !shipment.is_cancelled() && order.state != "cancelled"
}

/// Looks at the first scan of a shipment that is judged. Asks the database nothing where there is nothing to say, nearly
/// always; what is gone again, only the seller's own word can have changed.
pub(super) fn hear_first_scan(
    tables: &mut SellerTables,
    moment: &Moment,
    (shipment, order): (&Shipment, &Order),
    standing: &Standing,
    before: Option<&StandingRow>,
) -> Result<(), StoreError> {
    if !is_live(shipment, order) {
        return Ok(());
    }
    let first_scan = standing.progress.first_scan;
    if let Some(doubt) = doubt::scan_before_order(first_scan, order.ordered(), &moment.seller_zone) {
        note(tables, shipment.id, (DoubtCode::ScanBeforeOrder, Finding::Doubted(doubt)), moment.now)?;
    }
    let is_first = first_scan.is_some() && before.is_some_and(|it| it.first_scan().is_none());
    // A block is told of after this long; most parcels are scanned before.
    if is_first && moment.now.duration_since(shipment.created_at.0) >= GRACE {
        settle_block(tables, shipment.id, moment.now)?;
    }
    Ok(())
}

/// Looks at where a parcel was brought, where one of the scans was made at a door.
pub(super) fn hear_places(
    tables: &mut SellerTables,
    moment: &Moment,
    (shipments, scans): (&[ShipmentId], &[Scan]),
    source: Source,
) -> Result<(), StoreError> {
    let tells = |scan: &Scan| is_at_the_door(scan.sub_status) && scan.details.place.is_some();
    if source == Source::Seller || !scans.iter().any(tells) {
        return Ok(());
    }
    for id in shipments {
        let Some(shipment) = tables.shipment(*id)? else { continue };
        let Some(order) = tables.order(shipment.order_id)? else { continue };
        if is_live(&shipment, &order) {
            let stored = tables.doubts(&[*id])?;
            look_at_destination(tables, (&shipment, &order), &stored, moment.now)?;
        }
    }
    Ok(())
}

/// Compares where a parcel was brought, by all that is on file, with where its order goes.
///
/// # Errors
///
/// [`StoreError`]; then the caller's transaction must not be kept.
pub fn look_at_destination(
    tables: &mut SellerTables,
    (shipment, order): (&Shipment, &Order),
    stored: &[DoubtRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let trackers: Vec<TrackerId> = tables.legs(shipment.id)?.iter().map(|leg| leg.tracker_id).collect();
    let events = tables.standing_events(&trackers, Timestamp::MAX)?;
    let details: HashMap<(TrackerId, DedupeKey), ScanDetails> = tables.event_details(&trackers)?;
    let destination = order.destination().country;
    let place = |key: &(TrackerId, DedupeKey)| details.get(key).and_then(|it| it.place.as_deref());
    let told = doubt::destination_differs(&events, |it| place(&(it.tracker_id, it.key.clone())), destination);
    let before = stored.iter().find(|row| row.is_open() && row.code == DoubtCode::DestinationDiffers.code());
    let finding = match (told, before.and_then(DoubtRow::doubt)) {
        // What was read once stays true when the places are erased.
        (Finding::Untold, Some(Doubt::DestinationDiffers { seen_in, .. })) => {
            doubt::destination_changed(&seen_in, destination)
        }
        (told, _) => told,
    };
    tables.note_doubt(shipment.id, stored, (DoubtCode::DestinationDiffers, &finding), now)
}

/// One label of a block was scanned after all: the block was not made up. What is left of it may be found again.
fn settle_block(tables: &mut SellerTables, shipment: ShipmentId, now: Timestamp) -> Result<(), StoreError> {
    let code = DoubtCode::BlockNeverScanned;
    let stored = tables.doubts(&[shipment])?;
    let Some(own) = stored.iter().find(|row| row.is_open() && row.code == code.code()) else { return Ok(()) };
    let block: Vec<DoubtRow> =
        tables.open_doubts_of(code)?.into_iter().filter(|row| row.detail == own.detail).collect();
    for row in &block {
        tables.note_doubt(row.shipment_id, &block, (code, &Finding::Clear), now)?;
    }
    Ok(())
}

/// Writes down what was found about a shipment, where it is news.
///
/// # Errors
///
/// [`StoreError`]; then the caller's transaction must not be kept.
pub fn note(
    tables: &mut SellerTables,
    shipment: ShipmentId,
    (code, finding): (DoubtCode, Finding),
    now: Timestamp,
) -> Result<(), StoreError> {
    let stored = tables.doubts(&[shipment])?;
    tables.note_doubt(shipment, &stored, (code, &finding), now)
}
