//! Corrects what a parcel goes under. What it went under until then stays on file, with all that was heard of it.

use super::edit::Parcel;
use super::put::{Proof, prove};
use super::shipment::{keys_of_claims, may_be_one, note_proof, set_proof, tell_claims, tracker_of};
use super::{ChangeError, Desk, Outcome, Remark, TakeInError, Taken};
use crate::domain::carrier::CarrierSlug;
use crate::domain::edit::Edit;
use crate::domain::ids::TrackerId;
use crate::domain::scan::{DedupeKey, TrackingEvent};
use crate::domain::shipment::{Claims, NumberEdit, ProvenNumber};
use crate::domain::tracking_number::{Hints, Known};
use crate::flows::record_events::{is_awaited, judge, withdraw};
use crate::store::corrections::Correction;
use crate::store::orders::Order;
use crate::store::outbox::Change;
use crate::store::shipments::Shipment;
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables, StoreError};
use serde_json::json;

/// Proves what a parcel goes under from now on, and has its first leg follow that; tells the tracker, and what is doubtful
/// about the number.
///
/// # Errors
///
/// [`TakeInError::Number`] where there is no number to follow, [`ChangeError::NumberTaken`] where another parcel of the order
/// goes under it.
pub(super) fn correct(
    tables: &mut SellerTables,
    parcel: &Parcel<'_>,
    shipment: &mut Shipment,
    edit: &NumberEdit,
) -> Result<(Tracker, Option<Remark>), ChangeError> {
    if edit.is_kept() {
        return Ok((parcel.tracker.clone(), None));
    }
    let known = tables.known_before(TrackerId::new(parcel.desk.moment.now))?;
    let Proof { number, doubt } = prove_anew(parcel, shipment, edit, &known)?;
    let tracker = tracker_under(tables, parcel, shipment, &number)?;
    note_number(shipment, &number);
    let before = &parcel.before;
    if (&shipment.carrier, &shipment.tracking_number) != (&before.carrier, &before.tracking_number) {
        keep_history(tables, parcel, shipment)?;
    }
    if tracker.id != parcel.tracker.id {
        keep_forgotten(tables, parcel, &tracker)?;
        tables.point_leg(shipment.id, parcel.leg_no, tracker.id)?;
    }
    Ok((tracker, doubt))
}

/// Whoever was erased stays so under another number too, unless what is told of that is of somebody else's parcel.
fn keep_forgotten(tables: &mut SellerTables, parcel: &Parcel<'_>, tracker: &Tracker) -> Result<(), StoreError> {
    let is_erased = parcel.order.contact_erased_at.is_some() && tracker.details_erased_at.is_none();
    if is_erased && tables.shipments_under(tracker.id)?.is_empty() {
        tables.erase_event_details(tracker.id, parcel.desk.moment.now)?;
    }
    Ok(())
}

/// By the same engine as any number; what the edit does not say is as it was said before.
fn prove_anew(
    parcel: &Parcel<'_>,
    shipment: &Shipment,
    edit: &NumberEdit,
    known: &Known,
) -> Result<Proof, TakeInError> {
    let typed = edit.typed.as_deref().unwrap_or(&shipment.typed_number);
    let declared = match &edit.carrier {
        Edit::Keep => shipment.declared_carrier.as_deref(),
        Edit::Clear => None,
        Edit::Set(word) => Some(word.as_str()),
    };
    let origin = shipment.origin().country.or(parcel.order.origin().country).map(|it| it.to_string());
    let destination = parcel.order.destination().country.map(|it| it.to_string());
    let hints =
        Hints { origin_country: origin.as_deref(), destination_country: destination.as_deref(), ..known.hints() };
    prove(typed, declared, &hints)
}

/// The tracker of a number by the rules of taking in; what the order was sent under before is found again.
fn tracker_under(
    tables: &mut SellerTables,
    parcel: &Parcel<'_>,
    shipment: &Shipment,
    number: &ProvenNumber,
) -> Result<Tracker, ChangeError> {
    let (order, current, carrier) = (&parcel.order, &parcel.tracker, number.followed_as());
    let is_bound_as_before = binding(number.declared.as_ref().map(CarrierSlug::as_str))
        == binding(parcel.before.declared_carrier.as_deref());
    if number.number == current.number && (is_bound_as_before || carrier.as_ref() == current.carrier) {
        return Ok(current.clone());
    }
    let mut of_order = tables.trackers_of_order(order.id, &number.number)?.into_iter();
    let taken = of_order.find(|it| it.id != current.id && may_be_one(&it.carrier, carrier.as_ref()));
    if let Some(taken) = taken
        && let Some(other) = tables.shipment_under(order.id, taken.id)?
    {
        return Err(ChangeError::NumberTaken { other: other.id, number: other.tracking_number });
    }
    let left = tables.corrected_away(order.id, &number.number)?;
    for (was, _) in left.iter().filter(|(_, of)| of == carrier.as_ref()) {
        if let Some(tracker) = tables.tracker_by_id(was.tracker_id)? {
            return Ok(tracker);
        }
    }
    // Whose carriers were taken back is followed at none of them.
    let but: Vec<TrackerId> = left.iter().map(|(was, _)| was.tracker_id).chain([current.id]).collect();
    Ok(tracker_of(tables, &parcel.desk, order, (number, shipment.shipped()), &but)?)
}

/// The carrier that was declared, where the word declares one.
fn binding(declared: Option<&str>) -> Option<&str> {
    declared.filter(|slug| *slug != CarrierSlug::OTHER)
}

fn note_number(shipment: &mut Shipment, number: &ProvenNumber) {
    let declared = number.declared.as_ref().map(ToString::to_string);
    shipment.typed_number.clone_from(&number.typed);
    shipment.suspicious = number.suspicious;
    if shipment.tracking_number == number.number && shipment.declared_carrier == declared {
        // Formats of today may name another carrier than when it was taken in, and nobody asked for that.
        note_proof(shipment, number);
        return;
    }
    shipment.tracking_number.clone_from(&number.number);
    shipment.declared_carrier = declared;
    shipment.carrier = number.reported_as().map(|slug| slug.to_string());
    set_proof(shipment, number);
}

fn keep_history(tables: &mut SellerTables, parcel: &Parcel<'_>, shipment: &Shipment) -> Result<(), StoreError> {
    let (before, now) = (&parcel.before, parcel.desk.moment.now);
    tables.note_correction(&Correction {
        seller_id: before.seller_id,
        shipment_id: before.id,
        version: before.version + 1,
        tracker_id: parcel.tracker.id,
        carrier: before.carrier.clone(),
        tracking_number: before.tracking_number.clone(),
        typed_number: before.typed_number.clone(),
        corrected_at: At(now),
    })?;
    let under = |it: &Shipment| json!({"carrier": it.carrier, "tracking_number": it.tracking_number});
    let body = json!({"from": under(before), "to": under(shipment)});
    tables.tell(Change::NumberCorrected, shipment.id.0, body, now)
}

/// The seller's own word goes with the parcel. On the tracker that was left it is taken back, unless somebody else who was
/// sent under it says the same. Tells how much is new on the other.
pub(super) fn move_claims(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    (left, tracker): (&Tracker, &Tracker),
    before: &Shipment,
    (shipment, told): (&mut Shipment, &Claims),
) -> Result<usize, StoreError> {
    let on_file = tables.events(&[left.id])?;
    take_back(tables, desk, left, (before, &on_file))?;
    let mut told = told.clone();
    if told.shipped.is_kept() {
        told.shipped = before.shipped().into();
    }
    if told.delivered.is_kept() {
        let said = on_file.iter().find(|event| Some(&event.key.0) == before.delivery_claim.as_ref());
        told.delivered = said.map(|event| event.occurred).into();
        told.status = said.and_then(|event| event.sub_status);
    }
    shipment.delivery_claim = None;
    let unsaid = Shipment { shipped_local: None, shipped_offset: None, delivery_claim: None, ..before.clone() };
    tell_claims(tables, desk, tracker, &unsaid, (shipment, &told))
}

fn take_back(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    left: &Tracker,
    (before, on_file): (&Shipment, &[TrackingEvent]),
) -> Result<(), StoreError> {
    let mut said: Vec<DedupeKey> = keys_of_claims(left, before);
    said.retain(|key| on_file.iter().any(|event| event.key == *key));
    for other in tables.shipments_under(left.id)? {
        let theirs = tables.shipment(other)?.map(|other| keys_of_claims(left, &other)).unwrap_or_default();
        said.retain(|key| !theirs.contains(key));
    }
    for key in &said {
        withdraw(tables, &desk.moment, left.id, key)?;
    }
    Ok(())
}

/// Has the new number asked about at once, and the one that was left no more, each where an open parcel goes under it; who
/// shares the old one is judged without the seller's word on the other parcel.
pub(super) fn resume(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    left: &Tracker,
    tracker: &Tracker,
) -> Result<(), StoreError> {
    for other in tables.shipments_under(left.id)? {
        judge(tables, &desk.moment, other)?;
    }
    if !is_awaited(tables, left.id)? {
        tables.schedule_check(left.id, None)?;
    }
    let due = is_awaited(tables, tracker.id)?.then_some(desk.moment.now);
    tables.schedule_check(tracker.id, due)
}

/// A parcel that is told under a number from which its order's shipment was corrected away. It is left as it is: the sheet
/// with the slip comes again, and must neither bring the slip back nor make a second parcel of one.
pub(super) fn left_alone(
    tables: &mut SellerTables,
    order: &Order,
    number: &ProvenNumber,
) -> Result<Option<Taken>, StoreError> {
    let left = tables.corrected_away(order.id, &number.number)?;
    if left.is_empty() {
        return Ok(None);
    }
    let followed = number.followed_as();
    let reported = number.reported_as().map(|slug| slug.to_string());
    let parcels = tables.shipments_of_order(order.id)?;
    let stands = |it: &Shipment| it.tracking_number == number.number && (reported.is_none() || it.carrier == reported);
    if parcels.iter().any(stands) {
        return Ok(None);
    }
    let was = left.iter().find(|(was, of)| may_be_one(of, followed.as_ref()) || was.carrier == reported);
    let parcel = was.and_then(|(was, _)| parcels.iter().find(|it| it.id == was.shipment_id));
    Ok(parcel.map(|parcel| {
        let remark = ("number_was_corrected".to_owned(), corrected_words(order, number, parcel));
        Taken { id: parcel.id, outcome: Outcome::Unchanged, remark: Some(remark) }
    }))
}

fn corrected_words(order: &Order, told: &ProvenNumber, parcel: &Shipment) -> String {
    let carrier = parcel.carrier.as_deref().unwrap_or("an unknown carrier");
    format!(
        "The number {} of order {} was corrected: the parcel goes under {} of {carrier} now, and nothing was changed. Put \
         that into your file, or correct the shipment itself where it is wrong.",
        told.number, order.order_number, parcel.tracking_number
    )
}

#[cfg(test)]
mod tests;
