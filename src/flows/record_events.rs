//! THE GATE: scans of every source become tracking events here, and nowhere else.
//!
//! Repeats are dropped, the rest is appended; the shipments under the tracker are judged again; projection and outbox are
//! written in the caller's transaction. With no scans it still judges, since most delays are silence. What scans reveal
//! about a number is in [`doubts`].

pub mod doubts;

use crate::domain::carrier::CarrierSlug;
use crate::domain::ids::{EventId, ShipmentId, TrackerId};
use crate::domain::scan::{DedupeKey, Scan, ScanDetails, Source, TrackingEvent};
use crate::domain::standing::{ShipmentFacts, Standing};
use crate::store::orders::Order;
use crate::store::outbox::Change;
use crate::store::shipments::Shipment;
use crate::store::standings::StandingRow;
use crate::store::trackers::Tracker;
use crate::store::{SellerTables, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// When it is, and where the seller is.
#[derive(Debug, Clone)]
pub struct Moment {
    pub now: Timestamp,
    /// Makes an instant of the seller's own zone-less times.
    pub seller_zone: TimeZone,
}

impl Moment {
    /// Now, for the seller of these tables.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn of_seller(tables: &mut SellerTables, now: Timestamp) -> Result<Self, StoreError> {
        let seller_zone = tables.profile()?.map_or(TimeZone::UTC, |seller| seller.zone());
        Ok(Self { now, seller_zone })
    }
}

/// Takes the scans of one tracker in and judges every shipment under it; tells how many were new.
///
/// # Errors
///
/// [`StoreError`]; then the caller's transaction must not be kept.
pub fn record_events(
    tables: &mut SellerTables,
    moment: &Moment,
    tracker: &Tracker,
    scans: &[Scan],
    source: Source,
) -> Result<usize, StoreError> {
    let news = append(tables, moment, tracker, scans, source)?;
    let shipments = tables.shipments_under(tracker.id)?;
    for shipment in &shipments {
        judge(tables, moment, *shipment)?;
    }
    if news > 0 {
        doubts::hear_places(tables, moment, (&shipments, scans), source)?;
    }
    Ok(news)
}

/// Takes scans in without judging: for a caller that judges when it is done.
pub fn append(
    tables: &mut SellerTables,
    moment: &Moment,
    tracker: &Tracker,
    scans: &[Scan],
    source: Source,
) -> Result<usize, StoreError> {
    let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
    let mut news = 0;
    let mut latest = tracker.last_event_at.map(Timestamp::from);
    let (keeps_details, nothing) = (keeps_details(tables, tracker, source)?, ScanDetails::default());
    for scan in scans {
        let event = event_of(moment, tracker.id, scan, source, scan.dedupe_key(&carrier, &tracker.number));
        let details = if keeps_details { &scan.details } else { &nothing };
        if tables.append_event(&event, details)? {
            news += 1;
            latest = latest.max(Some(event.sort_at));
        } else if source == Source::Seller {
            news += usize::from(told_again(tables, moment, tracker.id, &event.key)?);
        }
    }
    if let Some(latest) = latest.filter(|_| news > 0) {
        tables.note_event(tracker.id, latest)?;
    }
    Ok(news)
}

/// Not where the parcel's person was erased. A tracker that went to a carrier and back may have been read before that.
fn keeps_details(tables: &mut SellerTables, tracker: &Tracker, source: Source) -> Result<bool, StoreError> {
    match source {
        Source::Csv | Source::Seller => Ok(tracker.details_erased_at.is_none()),
        Source::Poll | Source::Push => {
            Ok(tables.tracker_by_id(tracker.id)?.is_some_and(|it| it.details_erased_at.is_none()))
        }
    }
}

/// What becomes of scans as events of a tracker, before any of them is on file.
pub fn events_of(moment: &Moment, tracker: &Tracker, scans: &[Scan], source: Source) -> Vec<TrackingEvent> {
    let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
    let key = |scan: &Scan| scan.dedupe_key(&carrier, &tracker.number);
    scans.iter().map(|scan| event_of(moment, tracker.id, scan, source, key(scan))).collect()
}

fn event_of(moment: &Moment, tracker_id: TrackerId, scan: &Scan, source: Source, key: DedupeKey) -> TrackingEvent {
    let sort_at = match source {
        Source::Csv | Source::Seller => scan.occurred.instant_in(&moment.seller_zone),
        Source::Poll | Source::Push => scan.occurred.sort_instant(),
    };
    TrackingEvent {
        id: EventId::new(moment.now),
        tracker_id,
        key,
        occurred: scan.occurred,
        sort_at,
        heard_at: moment.now,
        sub_status: scan.sub_status,
        raw_code: scan.raw_code.clone(),
        source,
    }
}

/// A seller who withdrew a word and says it again means it.
fn told_again(
    tables: &mut SellerTables,
    moment: &Moment,
    tracker: TrackerId,
    key: &DedupeKey,
) -> Result<bool, StoreError> {
    let withdrawn = tables.withdrawn(&[tracker], moment.now)?.contains(&(tracker, key.clone()));
    if withdrawn {
        tables.note_withdrawal(tracker, key, false, moment.now)?;
    }
    Ok(withdrawn)
}

/// Takes back what a source said; the event stays on file. The caller judges when it is done.
pub fn withdraw(
    tables: &mut SellerTables,
    moment: &Moment,
    tracker: TrackerId,
    key: &DedupeKey,
) -> Result<(), StoreError> {
    tables.note_withdrawal(tracker, key, true, moment.now)
}

/// Derives a shipment's standing anew and writes it, with the outbox, where it says something else than before.
///
/// # Errors
///
/// [`StoreError`]; then the caller's transaction must not be kept.
pub fn judge(tables: &mut SellerTables, moment: &Moment, shipment: ShipmentId) -> Result<(), StoreError> {
    let Some(shipment) = tables.shipment(shipment)? else { return Ok(()) };
    let Some(order) = tables.order(shipment.order_id)? else { return Ok(()) };
    let before = tables.standing(shipment.id)?;
    // Who waited for its turn to write may have an older clock than who wrote before: what is known is not forgotten.
    let now = before.as_ref().map_or(moment.now, |it| it.judged_at.0.max(moment.now));
    let moment = &Moment { now, ..moment.clone() };
    let standing = derive(tables, moment, &shipment, &order)?;
    doubts::hear_first_scan(tables, moment, (&shipment, &order), &standing, before.as_ref())?;
    let row = StandingRow::of(shipment.seller_id, shipment.id, &standing);
    match &before {
        Some(before) if before.says_the_same_as(&row) => return Ok(()),
        Some(_) => tables.update_standing(&row)?,
        None => tables.insert_standing(&row)?,
    }
    tell(tables, moment, before.as_ref(), &row)?;
    follow(tables, moment, &row)
}

/// What all events on file say of a shipment at the moment, whenever we heard of them.
pub fn derive(
    tables: &mut SellerTables,
    moment: &Moment,
    shipment: &Shipment,
    order: &Order,
) -> Result<Standing, StoreError> {
    let trackers: Vec<TrackerId> = tables.legs(shipment.id)?.iter().map(|leg| leg.tracker_id).collect();
    let events = tables.standing_events(&trackers, Timestamp::MAX)?;
    Ok(Standing::at(&facts(shipment, order, &moment.seller_zone), &events, moment.now))
}

/// What is known of a shipment apart from its events.
pub fn facts(shipment: &Shipment, order: &Order, seller_zone: &TimeZone) -> ShipmentFacts {
    let destination = order.destination();
    ShipmentFacts {
        deliver_by_on: shipment.deliver_by_on(),
        dispatch_by_at: order.dispatch_by_at.map(Timestamp::from),
        shipped: shipment.shipped(),
        cancelled: shipment.is_cancelled() || order.state == "cancelled",
        carrier: shipment.carrier.clone(),
        service: shipment.service.clone(),
        origin: shipment.origin().country.or(order.origin().country),
        destination: destination.country,
        destination_region: destination.region,
        seller_zone: seller_zone.clone(),
    }
}

fn tell(
    tables: &mut SellerTables,
    moment: &Moment,
    before: Option<&StandingRow>,
    now: &StandingRow,
) -> Result<(), StoreError> {
    for (change, body) in news_of(before, now) {
        tables.tell(change, now.shipment_id.0, body, moment.now)?;
    }
    Ok(())
}

/// What a standing says that the one before did not, as it is told.
pub fn news_of(before: Option<&StandingRow>, now: &StandingRow) -> Vec<(Change, Value)> {
    let mut news = Vec::new();
    let (milestone, verdict) = before.map_or(("pending", "undecided"), |it| (&it.milestone, &it.verdict));
    let sub_status = before.and_then(|it| it.sub_status.as_deref());
    if milestone != now.milestone || (before.is_some() && sub_status != now.sub_status.as_deref()) {
        let body = json!({"from": milestone, "to": now.milestone, "sub_status": now.sub_status});
        news.push((Change::MilestoneChanged, body));
    }
    if verdict != now.verdict {
        let body = json!({"from": verdict, "to": now.verdict, "cause": now.cause});
        news.push((Change::VerdictChanged, body));
    }
    news
}

/// Ends the asking about trackers whose parcel needs no more news, and takes it up again where it does.
fn follow(tables: &mut SellerTables, moment: &Moment, row: &StandingRow) -> Result<(), StoreError> {
    for leg in tables.legs(row.shipment_id)? {
        match (row.is_open, leg.next_check_at) {
            (true, None) => tables.schedule_check(leg.tracker_id, Some(moment.now))?,
            (false, Some(_)) if !is_awaited(tables, leg.tracker_id)? => {
                tables.schedule_check(leg.tracker_id, None)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether more is to be expected of any shipment under a tracker, as they stand.
pub fn is_awaited(tables: &mut SellerTables, tracker: TrackerId) -> Result<bool, StoreError> {
    for shipment in tables.shipments_under(tracker)? {
        if tables.standing(shipment)?.is_some_and(|standing| standing.is_open) {
            return Ok(true);
        }
    }
    Ok(false)
}
