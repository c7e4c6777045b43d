//! Legs: a parcel that its forwarder handed over is followed under the number of the last mile besides.

use super::event::tracker_of as known_tracker_of;
use super::shipment::{may_be_one, said_by_seller, take_in_shipment, tracker_of};
use super::{Desk, Outcome, TakeInError, doubts};
use crate::domain::carrier::CarrierSlug;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::milestone::SubStatus;
use crate::domain::scan::{Scan, Source};
use crate::domain::shipment::{LegRow, ProvenNumber, TrackingRow};
use crate::flows::record_events::{append, judge, withdraw};
use crate::store::orders::Order;
use crate::store::shipments::{Leg, Shipment};
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables, StoreError};

/// The raw code of a hand-over.
const HANDED_OVER: &str = "handed_over";

/// Takes in who delivers a parcel in the end; what is told is the first parcel that the row is about.
///
/// The parcel is that of the forwarder's number, else the only one of the order. One that was not told of before is made:
/// the forwarder's sheet may well come first.
///
/// # Errors
///
/// [`TakeInError::Leg`] where it cannot be told which parcel is meant, and as for any parcel.
pub(super) fn take_in_leg(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    row: &LegRow,
) -> Result<(OrderId, ShipmentId, Outcome), TakeInError> {
    let order = match &row.order_number {
        Some(number) => Some(
            tables.order_by_number(desk.shop.id, number)?.ok_or_else(|| TakeInError::OrderNotFound(number.clone()))?,
        ),
        None => None,
    };
    let parcels = parcels(tables, row, order.as_ref())?;
    if let (Some(order), []) = (&order, parcels.as_slice()) {
        return make(tables, desk, order, row);
    }
    let mut told = None;
    for shipment in parcels {
        let of = tables.order(shipment.order_id)?.ok_or_else(|| StoreError::Refused("its order is gone".to_owned()))?;
        let (order_id, id) = (of.id, shipment.id);
        let outcome = hand_over(tables, desk, &of, (shipment, row))?;
        let (first, sum) = told.unwrap_or(((order_id, id), outcome));
        told = Some((first, sum.max(outcome)));
    }
    let ((order, shipment), outcome) = told.ok_or_else(|| unknown_parcel(row))?;
    Ok((order, shipment, outcome))
}

/// The parcels that a row is about: several where one parcel of the forwarder's holds several orders.
fn parcels(tables: &mut SellerTables, row: &LegRow, order: Option<&Order>) -> Result<Vec<Shipment>, TakeInError> {
    if let Some(number) = &row.first_mile {
        let Some(tracker) = known_tracker_of(tables, number)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in tables.shipments_under(tracker.id)? {
            found.extend(tables.shipment(id)?.filter(|it| order.is_none_or(|order| order.id == it.order_id)));
        }
        return Ok(found);
    }
    let Some(order) = order else { return Ok(Vec::new()) };
    let mut found = tables.shipments_of_order(order.id)?;
    found.retain(|it| it.state == "open");
    if found.len() < 2 {
        return Ok(found);
    }
    let count = found.len();
    for shipment in found {
        if leg_under(tables, &shipment, &row.last_mile)?.is_some() {
            return Ok(vec![shipment]);
        }
    }
    Err(TakeInError::Leg {
        column: "forwarder_number",
        code: "which_parcel",
        detail: format!(
            "Order {} has {count} parcels, and the row does not say which of them it is about. Fill in the forwarder's number.",
            order.order_number
        ),
    })
}

fn unknown_parcel(row: &LegRow) -> TakeInError {
    let number = row.first_mile.as_ref().map_or("", |it| it.number.as_str());
    TakeInError::Leg {
        column: "forwarder_number",
        code: "tracking_number_not_found",
        detail: format!(
            "No shipment goes under the forwarder's number {number}. Fill in the order number too, or upload the tracking row \
             first."
        ),
    }
}

/// Makes a parcel that the sheet is the first to tell of.
fn make(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    row: &LegRow,
) -> Result<(OrderId, ShipmentId, Outcome), TakeInError> {
    let number = row.first_mile.as_ref().unwrap_or(&row.last_mile);
    let taken = take_in_shipment(tables, desk, order, &TrackingRow::bare(&order.order_number, number.clone()))?;
    if let Some(shipment) = tables.shipment(taken.id)?.filter(|_| row.first_mile.is_some()) {
        hand_over(tables, desk, order, (shipment, row))?;
    }
    Ok((order.id, taken.id, taken.outcome))
}

/// The leg of a shipment that goes under a number already, and when it began.
fn leg_under(tables: &mut SellerTables, shipment: &Shipment, number: &ProvenNumber) -> Result<Option<Leg>, StoreError> {
    let carrier = number.followed_as();
    let mut legs = tables.legs(shipment.id)?.into_iter();
    Ok(legs.find(|leg| leg.number == number.number && may_be_one(&leg.carrier, carrier.as_ref())))
}

/// Has a parcel followed under the number of its last mile, from where it was handed over. A blank time leaves what is
/// stored.
fn hand_over(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    (mut shipment, row): (Shipment, &LegRow),
) -> Result<Outcome, TakeInError> {
    let (tracker, before) = match leg_under(tables, &shipment, &row.last_mile)? {
        Some(leg) if row.handed_over.is_none() || row.handed_over == leg.handed_over => return Ok(Outcome::Unchanged),
        Some(leg) => {
            tables.note_handover(shipment.id, leg.leg_no, row.handed_over)?;
            let gone = || StoreError::Refused("the tracker of a leg is gone".to_owned());
            (tables.tracker_by_id(leg.tracker_id)?.ok_or_else(gone)?, leg.handed_over)
        }
        None => (add_leg(tables, desk, order, (&shipment, row))?, None),
    };
    tell_handover(tables, desk, &tracker, (before, row.handed_over))?;
    shipment.updated_at = At(desk.moment.now);
    shipment.version += 1;
    tables.update_shipment(&shipment)?;
    let under = tables.shipments_under(tracker.id)?;
    for id in &under {
        judge(tables, &desk.moment, *id)?;
    }
    if tracker.generation > 1 || tracker.last_event_at.is_some() || under.len() > 1 {
        doubts::look_at_shipment(tables, desk, order, (&shipment, &tracker))?;
    }
    Ok(Outcome::Updated)
}

fn add_leg(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    (shipment, row): (&Shipment, &LegRow),
) -> Result<Tracker, TakeInError> {
    let tracker = tracker_of(tables, desk, order, (&row.last_mile, row.handed_over), &[])?;
    if let Some(other) = tables.shipment_under(order.id, tracker.id)? {
        let detail = format!(
            "Order {} has another parcel under {} already, the shipment {}. Cancel that one, or correct its number, and send \
             the row again.",
            order.order_number, row.last_mile.number, other.id
        );
        return Err(TakeInError::Leg { column: "last_mile_number", code: "number_taken", detail });
    }
    tables.insert_leg(shipment.id, tracker.id, row.handed_over)?;
    Ok(tracker)
}

/// That a parcel was handed over passes the gate like any scan; a corrected time takes the old one back.
fn tell_handover(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    tracker: &Tracker,
    (before, now): (Option<EventTime>, Option<EventTime>),
) -> Result<(), StoreError> {
    let scan = |occurred| said_by_seller(occurred, SubStatus::HandedOver, HANDED_OVER);
    if let Some(before) = before {
        let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
        withdraw(tables, &desk.moment, tracker.id, &scan(before).dedupe_key(&carrier, &tracker.number))?;
    }
    let scans: Vec<Scan> = now.map(scan).into_iter().collect();
    append(tables, &desk.moment, tracker, &scans, Source::Seller).map(drop)
}
