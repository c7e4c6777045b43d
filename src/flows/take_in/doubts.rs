//! Doubts about a number that the seller's own word reveals, or takes away: it stands on another order, or was used before.
//!
//! What a sheet says again, and what has no part in a doubt, is not looked at.

use super::Desk;
use crate::domain::doubt::{self, Doubt, DoubtCode, Finding};
use crate::domain::ids::{ShipmentId, TrackerId};
use crate::flows::record_events::doubts::{is_live, look_at_destination};
use crate::store::doubts::{DoubtRow, Mate};
use crate::store::orders::Order;
use crate::store::shipments::Shipment;
use crate::store::trackers::Tracker;
use crate::store::{SellerTables, StoreError};

/// So many orders under one number are held against each other; whoever comes later is held against these.
const MOST_MATES: i64 = 50;

/// Whether an order changed in what a doubt may rest on.
pub(super) fn bears_on_order(before: &Order, order: &Order) -> bool {
    let grounds = |it: &Order| {
        let date = (it.ordered_local.clone(), it.ordered_offset.clone());
        (it.state.clone(), it.country.clone(), it.postal_code.clone(), date)
    };
    grounds(before) != grounds(order)
}

/// Whether a shipment is new, or changed, in what a doubt may rest on; `others` are those under its number besides.
pub(super) fn bears_on_shipment(
    before: Option<&Shipment>,
    shipment: &Shipment,
    tracker: &Tracker,
    others: &[ShipmentId],
) -> bool {
    let Some(before) = before else {
        // Of a number that nobody heard of before there is nothing to doubt yet.
        return tracker.generation > 1 || tracker.last_event_at.is_some() || !others.is_empty();
    };
    let known_as = |it: &Shipment| (it.state.clone(), it.carrier.clone(), it.tracking_number.clone());
    known_as(before) != known_as(shipment) || (before.shipped_on != shipment.shipped_on && !others.is_empty())
}

/// Looks again at all shipments of an order that changed.
pub(super) fn look_at_order(tables: &mut SellerTables, desk: &Desk<'_>, order: &Order) -> Result<(), StoreError> {
    for shipment in tables.shipments_of_order(order.id)? {
        for leg in tables.legs(shipment.id)? {
            if let Some(tracker) = tables.tracker_by_id(leg.tracker_id)? {
                look_at_shipment(tables, desk, order, (&shipment, &tracker))?;
            }
        }
    }
    Ok(())
}

/// Looks again at a shipment that is new under a number, or changed, and at what else stands, or stood, under its numbers.
pub(super) fn look_at_shipment(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    (shipment, tracker): (&Shipment, &Tracker),
) -> Result<(), StoreError> {
    let now = desk.moment.now;
    let corrections = tables.corrections_of(&[shipment.id])?.remove(&shipment.id).unwrap_or_default();
    let corrected_at = corrections.iter().map(|it| it.corrected_at.0).max();
    let is_live = is_live(shipment, order);
    let stored = tables.doubts(&[shipment.id])?;
    // What was found under a number that it does not go under any more is gone with it.
    let is_gone = |row: &&DoubtRow| !is_live || corrected_at.is_some_and(|at| row.found_at.0 < at);
    for row in stored.iter().filter(is_gone) {
        if let Ok(code) = row.code.parse() {
            tables.note_doubt(shipment.id, &stored, (code, &Finding::Clear), now)?;
        }
    }
    if is_live {
        let stored = tables.doubts(&[shipment.id])?;
        look_alone(tables, desk, (order, shipment, tracker), &stored)?;
    }
    for left in corrections.iter().filter(|it| it.tracker_id != tracker.id) {
        look_at_mates(tables, desk, left.tracker_id, None)?;
    }
    look_at_mates(tables, desk, tracker.id, Some(shipment.id))
}

/// What can be told without the other orders under the number.
fn look_alone(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    (order, shipment, tracker): (&Order, &Shipment, &Tracker),
    stored: &[DoubtRow],
) -> Result<(), StoreError> {
    let (zone, now) = (&desk.moment.seller_zone, desk.moment.now);
    let standing = tables.standing(shipment.id)?;
    let first_scan = standing.as_ref().and_then(|it| it.first_scan());
    let early = Finding::from(doubt::scan_before_order(first_scan, order.ordered(), zone));
    tables.note_doubt(shipment.id, stored, (DoubtCode::ScanBeforeOrder, &early), now)?;

    let ended_on = standing.and_then(|it| it.ended()).map(|at| at.date_in(zone));
    let began_on = order.ordered().map(|at| at.date_in(zone)).or_else(|| shipment.shipped_on());
    let reused = match before(tables, tracker)? {
        Some(before) => {
            Some(Doubt::NumberReused { ended_on: before.last_event_at.map(|at| zone.to_datetime(at.0).date()) })
        }
        None if came_later(tables, tracker.id, shipment.id)? => doubt::number_reused(ended_on, began_on),
        None => None,
    };
    tables.note_doubt(shipment.id, stored, (DoubtCode::NumberReused, &reused.into()), now)?;

    if tracker.last_event_at.is_some() {
        look_at_destination(tables, (shipment, order), stored, now)?;
    }
    Ok(())
}

/// What a number was followed as before it came back.
fn before(tables: &mut SellerTables, tracker: &Tracker) -> Result<Option<Tracker>, StoreError> {
    if tracker.generation == 1 {
        return Ok(None);
    }
    let all = tables.trackers_by_number(&tracker.number)?.into_iter();
    Ok(all
        .filter(|it| it.carrier == tracker.carrier && it.generation < tracker.generation)
        .max_by_key(|it| it.generation))
}

/// Whether another shipment stood under the number before this one.
fn came_later(tables: &mut SellerTables, tracker: TrackerId, shipment: ShipmentId) -> Result<bool, StoreError> {
    Ok(tables.shipments_under(tracker)?.iter().any(|other| *other < shipment))
}

/// Holds the orders under a number against each other; one more, where the number is crowded.
fn look_at_mates(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    tracker: TrackerId,
    one_more: Option<ShipmentId>,
) -> Result<(), StoreError> {
    let mut mates = tables.mates(tracker, MOST_MATES)?;
    if let Some(id) = one_more.filter(|id| mates.iter().all(|mate| mate.shipment != *id)) {
        mates.extend(tables.mate(tracker, id)?);
    }
    let ids: Vec<ShipmentId> = mates.iter().map(|mate| mate.shipment).collect();
    let stored = tables.doubts(&ids)?;
    for mate in &mates {
        let others = mates.iter().filter(|other| other.shipment != mate.shipment).map(|Mate { order, .. }| order);
        let finding = doubt::number_on_another_order(&mate.order, others);
        tables.note_doubt(mate.shipment, &stored, (DoubtCode::NumberOnAnotherOrder, &finding), desk.moment.now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
