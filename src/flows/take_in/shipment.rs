//! Shipments: a proven number of a known order is followed from here on.

use super::correct::left_alone;
use super::{Desk, Outcome, TakeInError, Taken, doubts, settle, take};
use crate::domain::carrier::CarrierSlug;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{ShipmentId, TrackerId};
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::scan::{DELIVERED, DedupeKey, SHIPPED, Scan, ScanDetails, Source};
use crate::domain::shipment::{Claims, ProvenNumber, TrackingRow};
use crate::domain::tracking_number::{NumberCode, formats_version};
use crate::flows::record_events::{append, judge, withdraw};
use crate::store::orders::Order;
use crate::store::shipments::Shipment;
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables, StoreError};
use jiff::ToSpan;

/// A number that rested so long and comes back with a later label is another parcel.
const REST_DAYS: i64 = 90;

/// Takes in one parcel of an order.
///
/// # Errors
///
/// [`TakeInError`]; then the caller's transaction must not be kept.
pub fn take_in_shipment(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    row: &TrackingRow,
) -> Result<Taken, TakeInError> {
    if let Some(corrected) = left_alone(tables, order, &row.number)? {
        return Ok(corrected);
    }
    let tracker = tracker_for(tables, desk, order, row)?;
    let stored = tables.shipment_under(order.id, tracker.id)?;
    let before = stored.clone().unwrap_or_else(|| bare_shipment(desk, order, row));
    let mut shipment = before.clone();
    tell_shipment(&mut shipment, desk, row);
    if stored.is_none() {
        tables.insert_shipment(&shipment, tracker.id)?;
    }
    let claims = Claims { shipped: row.shipped.into(), delivered: row.delivered.into(), status: row.status };
    let news = tell_claims(tables, desk, &tracker, &before, (&mut shipment, &claims))?;
    let written = Written { before, shipment, is_new: stored.is_none(), news };
    let (id, outcome) = finish(tables, desk, order, &tracker, written)?;
    Ok(Taken { id, outcome, remark: None })
}

/// A shipment as it was and as it is to be, and how much of the seller's word on it was new.
pub(super) struct Written {
    pub before: Shipment,
    pub shipment: Shipment,
    pub is_new: bool,
    pub news: usize,
}

/// Writes the shipment where anything changed, and what follows from it.
pub(super) fn finish(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    tracker: &Tracker,
    written: Written,
) -> Result<(ShipmentId, Outcome), TakeInError> {
    let Written { before, mut shipment, is_new, news } = written;
    if !is_new && shipment == before && news == 0 {
        return Ok((shipment.id, Outcome::Unchanged));
    }
    if !is_new || shipment.delivery_claim.is_some() {
        shipment.updated_at = At(desk.moment.now);
        shipment.version += i64::from(!is_new);
        tables.update_shipment(&shipment)?;
    }
    settle(tables, desk, order, &mut shipment)?;
    // One parcel may hold several orders: what was said of it holds for each.
    let mut others = tables.shipments_under(tracker.id)?;
    others.retain(|other| *other != shipment.id);
    for other in others.iter().filter(|_| news > 0) {
        judge(tables, &desk.moment, *other)?;
    }
    if doubts::bears_on_shipment((!is_new).then_some(&before), &shipment, tracker, &others) {
        doubts::look_at_shipment(tables, desk, order, (&shipment, tracker))?;
    }
    Ok((shipment.id, if is_new { Outcome::Created } else { Outcome::Updated }))
}

/// The tracker that follows the row's number; a new one, or a new generation, where there is none.
///
/// What this order was sent under stays what it was sent under, also where the number has come back since, and where the
/// carrier is named on one upload and left blank on another.
fn tracker_for(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    row: &TrackingRow,
) -> Result<Tracker, StoreError> {
    let carrier = row.number.followed_as();
    let mut of_order = tables.trackers_of_order(order.id, &row.number.number)?.into_iter();
    match of_order.find(|it| may_be_one(&it.carrier, carrier.as_ref())) {
        Some(tracker) => Ok(tracker),
        None => tracker_of(tables, desk, order, (&row.number, row.shipped), &[]),
    }
}

/// Whether two words may name one carrier: the word that declares nothing contradicts none.
pub(super) fn may_be_one(one: &str, other: &str) -> bool {
    one == other || [one, other].contains(&CarrierSlug::OTHER)
}

/// The tracker that follows a number, whoever was sent under it; where no carrier is named, none of `but` is taken.
pub(super) fn tracker_of(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    (proven, shipped): (&ProvenNumber, Option<EventTime>),
    but: &[TrackerId],
) -> Result<Tracker, StoreError> {
    let (carrier, number) = (proven.followed_as(), &proven.number);
    let latest = match tables.tracker(carrier.as_ref(), number)? {
        Some(tracker) => Some(tracker),
        None if carrier.as_ref() == CarrierSlug::OTHER => {
            tables.trackers_by_number(number)?.into_iter().rfind(|it| !but.contains(&it.id))
        }
        None => None,
    };
    let generation = match latest {
        Some(tracker) if !is_another_parcel(desk, &tracker, shipped) => return Ok(tracker),
        Some(tracker) => tracker.generation + 1,
        None => 1,
    };
    let tracker = bare_tracker(desk, order, proven, generation);
    tables.insert_tracker(&tracker)?;
    Ok(tracker)
}

/// A tracker that nothing was heard of.
pub(super) fn bare_tracker(desk: &Desk<'_>, order: &Order, proven: &ProvenNumber, generation: i32) -> Tracker {
    let now = desk.moment.now;
    Tracker {
        seller_id: desk.shop.seller_id,
        id: TrackerId::new(now),
        carrier: proven.followed_as().to_string(),
        number: proven.number.clone(),
        generation,
        created_at: At(now),
        last_event_at: None,
        last_checked_at: None,
        next_check_at: Some(At(now)),
        failed_checks: 0,
        claimed_until: None,
        details_erased_at: order.contact_erased_at,
    }
}

fn is_another_parcel(desk: &Desk<'_>, tracker: &Tracker, shipped: Option<EventTime>) -> bool {
    let (Some(last), Some(label)) = (tracker.last_event_at, shipped) else { return false };
    let rested = last.0.checked_add((REST_DAYS * 24).hours());
    rested.is_ok_and(|end| label.instant_in(&desk.moment.seller_zone) > end)
}

pub(super) fn bare_shipment(desk: &Desk<'_>, order: &Order, row: &TrackingRow) -> Shipment {
    let now = desk.moment.now;
    Shipment {
        seller_id: order.seller_id,
        id: ShipmentId::new(now),
        order_id: order.id,
        state: "open".to_owned(),
        carrier: None,
        service: None,
        tracking_number: row.number.number.clone(),
        typed_number: row.number.typed.clone(),
        suspicious: row.number.suspicious,
        parcel_ref: None,
        shipped_local: None,
        shipped_offset: None,
        shipped_on: None,
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        own_deliver_by_on: None,
        delivery_claim: None,
        deliver_by_on: None,
        promise_source: None,
        created_at: At(now),
        updated_at: At(now),
        version: 1,
        number_validity: None,
        number_code: None,
        formats_version: None,
        declared_carrier: None,
    }
}

/// Keeps what the number proved to be, and by which formats.
///
/// What is known of other numbers grows from upload to upload, and so does what is guessed of this one; a row that says
/// the same again must change nothing all the same. So only another finding counts, and of a declared carrier.
pub(super) fn note_proof(shipment: &mut Shipment, number: &ProvenNumber) {
    let code = number.code.map(NumberCode::code);
    let is_new = shipment.number_validity.is_none();
    if is_new || (number.declared.is_some() && shipment.number_code.as_deref() != code) {
        set_proof(shipment, number);
    }
}

/// Writes what a number proved to be over what another did.
pub(super) fn set_proof(shipment: &mut Shipment, number: &ProvenNumber) {
    shipment.number_validity = Some(number.validity.code().to_owned());
    shipment.number_code = number.code.map(|it| it.code().to_owned());
    shipment.formats_version = Some(formats_version().to_owned());
}

pub(super) fn tell_shipment(shipment: &mut Shipment, desk: &Desk<'_>, row: &TrackingRow) {
    let detected = row.number.reported_as().filter(|_| shipment.number_validity.is_none());
    note_proof(shipment, &row.number);
    take(&mut shipment.declared_carrier, row.number.declared.as_ref().map(ToString::to_string));
    take(&mut shipment.carrier, row.number.declared.clone().or(detected).map(|slug| slug.to_string()));
    take(&mut shipment.service, row.service.clone());
    take(&mut shipment.parcel_ref, row.parcel_ref.clone());
    if row.shipped.is_some() {
        note_shipped(shipment, desk, row.shipped);
    }
    take(&mut shipment.origin_country, row.origin.country.map(|it| it.to_string()));
    take(&mut shipment.origin_region, row.origin.region.clone());
    take(&mut shipment.origin_postal_code, row.origin.postal_code.clone());
    take(&mut shipment.own_deliver_by_on, row.deliver_by_on.map(|it| it.to_string()));
    if row.status == Some(SubStatus::Cancelled) {
        "cancelled".clone_into(&mut shipment.state);
    }
}

/// Keeps when it was shipped by the seller's own word.
pub(super) fn note_shipped(shipment: &mut Shipment, desk: &Desk<'_>, shipped: Option<EventTime>) {
    shipment.shipped_local = shipped.map(|it| it.local_text());
    shipment.shipped_offset = shipped.and_then(|it| it.offset_text());
    shipment.shipped_on = shipped.map(|it| it.date_in(&desk.moment.seller_zone).to_string());
}

/// The seller's own word on shipping and delivery passes the gate like any scan; a corrected time takes the old one
/// back, and so does a cleared one.
pub(super) fn tell_claims(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    tracker: &Tracker,
    before: &Shipment,
    (shipment, told): (&mut Shipment, &Claims),
) -> Result<usize, StoreError> {
    let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
    let key_of = |scan: &Scan| scan.dedupe_key(&carrier, &tracker.number);
    let (mut scans, mut taken_back) = (Vec::new(), 0);
    if !told.shipped.is_kept() {
        let shipped = told.shipped.value();
        if let Some(old) = before.shipped().filter(|old| Some(*old) != shipped) {
            withdraw(
                tables,
                &desk.moment,
                tracker.id,
                &key_of(&said_by_seller(old, SubStatus::LabelCreated, SHIPPED)),
            )?;
            taken_back += 1;
        }
        scans.extend(shipped.map(|it| said_by_seller(it, SubStatus::LabelCreated, SHIPPED)));
    }
    if !told.delivered.is_kept() {
        let scan = delivery(told);
        let key = scan.as_ref().map(|scan| key_of(scan).0);
        if let Some(old) = before.delivery_claim.as_ref().filter(|old| Some(*old) != key.as_ref()) {
            withdraw(tables, &desk.moment, tracker.id, &DedupeKey(old.clone()))?;
            taken_back += 1;
        }
        shipment.delivery_claim = key;
        scans.extend(scan);
    }
    append(tables, &desk.moment, tracker, &scans, Source::Seller).map(|news| news + taken_back)
}

/// The seller's word on shipping and delivery of a parcel that nothing was told of; the shipment keeps the key of the latter.
pub(super) fn claims_of(tracker: &Tracker, shipment: &mut Shipment, told: &Claims) -> Vec<Scan> {
    let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
    let shipped = told.shipped.value().map(|it| said_by_seller(it, SubStatus::LabelCreated, SHIPPED));
    let delivered = delivery(told);
    shipment.delivery_claim = delivered.as_ref().map(|scan| scan.dedupe_key(&carrier, &tracker.number).0);
    shipped.into_iter().chain(delivered).collect()
}

/// The seller's word on the delivery, as exactly as it was given.
fn delivery(told: &Claims) -> Option<Scan> {
    let said = told.status.filter(|status| status.milestone() == Milestone::Delivered);
    told.delivered.value().map(|it| said_by_seller(it, said.unwrap_or(SubStatus::DeliveredToRecipient), DELIVERED))
}

/// The keys of what the seller says of a parcel, as they are on this tracker.
pub(super) fn keys_of_claims(tracker: &Tracker, shipment: &Shipment) -> Vec<DedupeKey> {
    let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
    let shipped = shipment.shipped().map(|it| said_by_seller(it, SubStatus::LabelCreated, SHIPPED));
    let shipped = shipped.map(|scan| scan.dedupe_key(&carrier, &tracker.number));
    shipped.into_iter().chain(shipment.delivery_claim.clone().map(DedupeKey)).collect()
}

/// A scan of which the seller knows no more than the time and what it was.
pub(super) fn said_by_seller(occurred: EventTime, sub_status: SubStatus, word: &str) -> Scan {
    Scan {
        occurred,
        sub_status: Some(sub_status),
        raw_code: word.to_owned(),
        source_event_id: None,
        piece: None,
        details: ScanDetails::default(),
    }
}
