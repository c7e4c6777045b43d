//! Parcels under numbers that nobody has told of: nothing is on file that could bear on them, so they are made up in memory
//! by the rules of [`super::shipment`] and written many at once.

use super::order::bare_order;
use super::row::{Judged, Terms};
use super::shipment::{bare_shipment, bare_tracker, claims_of, tell_shipment};
use super::{Desk, TakeInError, promise};
use crate::domain::doubt;
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::scan::Source;
use crate::domain::scan::TrackingEvent;
use crate::domain::shipment::{Claims, TrackingRow};
use crate::domain::standing::Standing;
use crate::flows::record_events::{events_of, facts, news_of};
use crate::sheets::{Neighbour, Row};
use crate::store::orders::Order;
use crate::store::outbox::Change;
use crate::store::shipments::{PromiseRow, Shipment};
use crate::store::standings::StandingRow;
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Which rows of a chunk made a parcel here, by their place: of which order, and which parcel.
pub(super) type Made = HashMap<usize, (OrderId, ShipmentId)>;

/// A parcel with all that follows from it.
struct Fresh {
    tracker: Tracker,
    shipment: Shipment,
    events: Vec<TrackingEvent>,
    standing: StandingRow,
    promise: Option<Value>,
}

/// Takes in the rows of a chunk whose numbers are new to the seller; a number that comes twice is made by its first row, and
/// the others find it on file.
///
/// # Errors
///
/// [`TakeInError`]; then the caller's transaction must not be kept.
pub(super) fn take_in_fresh(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    chunk: &[Judged],
    terms: Terms,
) -> Result<Made, TakeInError> {
    let rows: Vec<(usize, &TrackingRow)> = chunk.iter().enumerate().filter_map(told).collect();
    if rows.len() < 2 {
        return Ok(Made::new());
    }
    let numbers: Vec<&str> = rows.iter().map(|(_, row)| row.number.number.as_str()).collect();
    let mut known = tables.followed_numbers(&numbers)?;
    known.extend(tables.corrected_numbers(&numbers)?);
    let order_numbers: HashSet<&str> = rows.iter().map(|(_, row)| row.order_number.as_str()).collect();
    let order_numbers: Vec<&str> = order_numbers.into_iter().collect();
    let orders = tables.orders_by_numbers(desk.shop.id, &order_numbers)?;
    let mut orders: HashMap<String, Order> = orders.into_iter().map(|it| (it.order_number.clone(), it)).collect();
    let (mut made, mut fresh, mut bare) = (Made::new(), Vec::new(), Vec::new());
    for (place, row) in rows {
        if !known.insert(row.number.number.clone()) {
            continue;
        }
        if !orders.contains_key(&row.order_number) && makes_order(chunk, place, terms) {
            let order = order_of(desk, row)?;
            bare.push(order.clone());
            orders.insert(order.order_number.clone(), order);
        }
        let Some(order) = orders.get(&row.order_number) else { continue };
        if let Some(parcel) = Fresh::of(desk, order, row) {
            made.insert(place, (order.id, parcel.shipment.id));
            fresh.push(parcel);
        }
    }
    write(tables, desk, &bare, fresh)?;
    Ok(made)
}

fn told((place, judged): (usize, &Judged)) -> Option<(usize, &TrackingRow)> {
    let row = judged.record.row.as_ref().filter(|_| judged.neighbour == Neighbour::Fresh)?;
    row.tracking().map(|row| (place, row))
}

/// Rows of orders with their parcels have their order on file already.
fn makes_order(chunk: &[Judged], place: usize, terms: Terms) -> bool {
    let is_tracking = |judged: &Judged| matches!(judged.record.row, Some(Row::Tracking(_)));
    terms.create_orders && chunk.get(place).is_some_and(is_tracking)
}

/// An order of which a sheet of tracking numbers tells alone.
pub(super) fn order_of(desk: &Desk<'_>, row: &TrackingRow) -> Result<Order, TakeInError> {
    let mut bare = bare_order(desk, &row.order_number)?;
    bare.country = row.destination.country.map(|it| it.to_string());
    bare.region.clone_from(&row.destination.region);
    bare.postal_code.clone_from(&row.destination.postal_code);
    Ok(bare)
}

impl Fresh {
    /// `None` where there is something to doubt: then all is looked at, one by one.
    fn of(desk: &Desk<'_>, order: &Order, row: &TrackingRow) -> Option<Self> {
        let now = desk.moment.now;
        let mut tracker = bare_tracker(desk, order, &row.number, 1);
        let mut shipment = bare_shipment(desk, order, row);
        tell_shipment(&mut shipment, desk, row);
        let claims = Claims { shipped: row.shipped.into(), delivered: row.delivered.into(), status: row.status };
        let scans = claims_of(&tracker, &mut shipment, &claims);
        let events = events_of(&desk.moment, &tracker, &scans, Source::Seller);
        tracker.last_event_at = events.iter().map(|event| event.sort_at).max().map(At);
        let promise = promise(desk, order, &mut shipment);
        let standing = Standing::at(&facts(&shipment, order, &desk.moment.seller_zone), &events, now);
        let first_scan = standing.progress.first_scan;
        if doubt::scan_before_order(first_scan, order.ordered(), &desk.moment.seller_zone).is_some() {
            return None;
        }
        let standing = StandingRow::of(shipment.seller_id, shipment.id, &standing);
        if !standing.is_open {
            tracker.next_check_at = None;
        }
        Some(Self { tracker, shipment, events, standing, promise })
    }
}

fn write(tables: &mut SellerTables, desk: &Desk<'_>, bare: &[Order], fresh: Vec<Fresh>) -> Result<(), TakeInError> {
    let now = desk.moment.now;
    tables.insert_orders(bare)?;
    let created = bare.iter().map(|it| (it.id.0, json!({"order_number": it.order_number, "shop": desk.shop.name})));
    tables.tell_all(Change::OrderCreated, created.collect(), now)?;
    let (mut trackers, mut shipments, mut events) = (Vec::new(), Vec::new(), Vec::new());
    let (mut standings, mut promises, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for it in fresh {
        if let Some(body) = it.promise {
            promises.push(PromiseRow {
                seller_id: it.shipment.seller_id,
                shipment_id: it.shipment.id,
                changed_at: At(now),
                deliver_by_on: it.shipment.deliver_by_on.clone(),
                source: it.shipment.promise_source.clone(),
            });
            changes.push((Change::PromiseChanged, it.shipment.id.0, body));
        }
        changes.extend(news_of(None, &it.standing).into_iter().map(|(change, body)| (change, it.shipment.id.0, body)));
        trackers.push(it.tracker);
        shipments.push(it.shipment);
        events.extend(it.events);
        standings.push(it.standing);
    }
    let ids: Vec<_> = trackers.iter().map(|tracker| tracker.id).collect();
    tables.insert_trackers(&trackers)?;
    tables.insert_shipments(&shipments, &ids)?;
    tables.begin_chains(&events)?;
    tables.insert_promises(&promises)?;
    tables.insert_standings(&standings)?;
    Ok(tables.tell_each(changes, now)?)
}
