//! Changes what is stored, member by member, with all that follows from it as when a sheet tells the same.
//!
//! Unlike a sheet a change can clear.

use super::correct::{correct, move_claims, resume};
use super::put::{OrderRef, Sender};
use super::shipment::{self, note_shipped, tell_claims};
use super::{ChangeError, Desk, Outcome, Taken, order};
use crate::domain::carrier;
use crate::domain::edit::Edit;
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::order::{OrderEdit, PlaceEdit};
use crate::domain::shipment::ShipmentEdit;
use crate::store::orders::Order;
use crate::store::shipments::Shipment;
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables, StoreError};

/// For which versions a change was made; it is stale for any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Any,
    /// Empty where what was named can be no version.
    Versions(Vec<i64>),
}

impl Expected {
    fn check(&self, version: i64) -> Result<(), ChangeError> {
        match self {
            Self::Versions(versions) if !versions.contains(&version) => Err(ChangeError::Stale),
            Self::Any | Self::Versions(_) => Ok(()),
        }
    }
}

/// Changes an order. A day that is said of the order is said of each of its lines.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn edit_order(
    sender: &Sender<'_>,
    which: &OrderRef,
    edit: OrderEdit,
    expected: &Expected,
) -> Result<(OrderId, Outcome), ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let (desk, before) = find_order(tables, sender, which, expected)?;
        let mut order = before.clone();
        let contact_changed = order::edit_contact(tables, &order, edit.contact.clone())?;
        let line = edit_days(tables, &desk, &mut order, &edit)?;
        edit_head(&mut order, edit);
        Ok(order::finish(tables, &desk, (&before, order), line.max(order::changed(contact_changed)))?)
    })
}

/// Changes a shipment. A time that is cleared takes the seller's own word back; a number that is corrected is followed from
/// now on, and what was heard under the old one is of this parcel no more.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn edit_shipment(
    sender: &Sender<'_>,
    id: ShipmentId,
    edit: &ShipmentEdit,
    expected: &Expected,
) -> Result<Taken, ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let parcel = find_parcel(tables, sender, id, expected)?;
        let mut shipment = parcel.before.clone();
        edit_parcel(&mut shipment, &parcel.desk, edit);
        let (tracker, remark) = correct(tables, &parcel, &mut shipment, &edit.number)?;
        let Parcel { desk, order, tracker: left, before, .. } = parcel;
        let moved = tracker.id != left.id;
        let news = if moved {
            move_claims(tables, &desk, (&left, &tracker), &before, (&mut shipment, &edit.claims))?
        } else {
            tell_claims(tables, &desk, &tracker, &before, (&mut shipment, &edit.claims))?
        };
        let written = shipment::Written { before, shipment, is_new: false, news };
        let (id, outcome) = shipment::finish(tables, &desk, &order, &tracker, written)?;
        if moved {
            resume(tables, &desk, &left, &tracker)?;
        }
        Ok(Taken { id, outcome, remark })
    })
}

fn edit_parcel(shipment: &mut Shipment, desk: &Desk<'_>, edit: &ShipmentEdit) {
    if !edit.claims.shipped.is_kept() {
        note_shipped(shipment, desk, edit.claims.shipped.value());
    }
    // The name of a carrier may tell a service along, as when a parcel is taken in.
    let named = edit.number.carrier.clone().value().and_then(|word| carrier::recognise(&word)?.service);
    let service = if edit.service.is_kept() { named.into() } else { edit.service.clone() };
    service.apply(&mut shipment.service);
    edit.parcel_ref.clone().apply(&mut shipment.parcel_ref);
    edit.deliver_by_on.map(|day| day.to_string()).apply(&mut shipment.own_deliver_by_on);
    edit.origin_country.map(|country| country.to_string()).apply(&mut shipment.origin_country);
    edit.origin_region.clone().apply(&mut shipment.origin_region);
}

pub(super) fn find_order<'a>(
    tables: &mut SellerTables,
    sender: &Sender<'a>,
    which: &OrderRef,
    expected: &Expected,
) -> Result<(Desk<'a>, Order), ChangeError> {
    let found = match which {
        OrderRef::Id(id) => tables.order(*id)?,
        OrderRef::Number(number) => {
            let wanted = sender.shop.unwrap_or("main");
            match tables.shops()?.into_iter().find(|shop| shop.name == wanted) {
                Some(shop) => tables.order_by_number(shop.id, number)?,
                None => None,
            }
        }
    };
    let order = found.ok_or(ChangeError::NotFound("order"))?;
    expected.check(order.version)?;
    Ok((sender.desk_at(tables, order.shop_id)?, order))
}

/// A shipment, and what it takes to change it.
pub(super) struct Parcel<'a> {
    pub desk: Desk<'a>,
    pub order: Order,
    /// The first leg.
    pub leg_no: i32,
    /// Of the first leg: it holds the seller's own word.
    pub tracker: Tracker,
    pub before: Shipment,
}

pub(super) fn find_parcel<'a>(
    tables: &mut SellerTables,
    sender: &Sender<'a>,
    id: ShipmentId,
    expected: &Expected,
) -> Result<Parcel<'a>, ChangeError> {
    let before = tables.shipment(id)?.ok_or(ChangeError::NotFound("shipment"))?;
    expected.check(before.version)?;
    let gone = |what: &str| StoreError::Refused(format!("shipment {id} has no {what}"));
    let order = tables.order(before.order_id)?.ok_or_else(|| gone("order"))?;
    let leg = tables.legs(id)?.into_iter().next().ok_or_else(|| gone("leg"))?;
    let tracker = tables.tracker_by_id(leg.tracker_id)?.ok_or_else(|| gone("tracker"))?;
    Ok(Parcel { desk: sender.desk_at(tables, order.shop_id)?, order, leg_no: leg.leg_no, tracker, before })
}

fn edit_head(order: &mut Order, edit: OrderEdit) {
    edit.order_ref.apply(&mut order.order_ref);
    if !edit.ordered.is_kept() {
        let ordered = edit.ordered.value();
        order.ordered_local = ordered.map(|it| it.local_text());
        order.ordered_offset = ordered.and_then(|it| it.offset_text());
    }
    edit.currency.map(|it| it.to_string()).apply(&mut order.currency);
    let mut destination = edit.destination;
    if order.contact_erased_at.is_some() {
        destination.postal_code = Edit::Keep;
    }
    let Order { country, region, postal_code, .. } = order;
    edit_place(destination, country, region, postal_code);
    let Order { origin_country, origin_region, origin_postal_code, .. } = order;
    edit_place(edit.origin, origin_country, origin_region, origin_postal_code);
    edit.deliver_from_on.map(|it| it.to_string()).apply(&mut order.deliver_from_on);
    edit.shipping_method.apply(&mut order.shipping_method);
    edit.channel.apply(&mut order.channel);
}

fn edit_place(
    edit: PlaceEdit,
    country: &mut Option<String>,
    region: &mut Option<String>,
    postal_code: &mut Option<String>,
) {
    edit.country.map(|it| it.to_string()).apply(country);
    edit.region.apply(region);
    edit.postal_code.apply(postal_code);
}

/// Says the order's days of each of its lines, since an order is due when its first line is.
fn edit_days(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &mut Order,
    edit: &OrderEdit,
) -> Result<Outcome, StoreError> {
    if edit.ship_by.is_kept() && edit.deliver_by_on.is_kept() {
        return Ok(Outcome::Unchanged);
    }
    let due = edit.ship_by.map(|it| At(it.instant_in(&desk.moment.seller_zone)));
    due.apply(&mut order.dispatch_by_at);
    let day = edit.deliver_by_on.map(|it| it.to_string());
    day.clone().apply(&mut order.deliver_by_on);
    let mut outcome = Outcome::Unchanged;
    for stored in tables.order_lines(order.id)? {
        let mut line = stored.clone();
        edit.ship_by.map(|it| it.local_text()).apply(&mut line.ship_by_local);
        if !edit.ship_by.is_kept() {
            line.ship_by_offset = edit.ship_by.value().and_then(|it| it.offset_text());
        }
        day.clone().apply(&mut line.deliver_by_on);
        if line != stored {
            tables.update_line(&line)?;
            outcome = Outcome::Updated;
        }
    }
    Ok(outcome)
}
