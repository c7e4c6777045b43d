//! What the shop system sends one by one: the same rules as for the rows of a sheet.

use super::draft::Drafts;
use super::{ChangeError, Desk, Outcome, Remark, TakeInError, Taken, shipment};
use crate::domain::carrier::own;
use crate::domain::ids::{OrderId, SellerId, ShipmentId, ShopId};
use crate::domain::order::OrderRow;
use crate::domain::scan::{Scan, Source};
use crate::domain::shipment::{ProvenNumber, TrackingRow};
use crate::domain::tracking_number::{self, Gravity, Hints, NumberCode};
use crate::flows::record_events::{Moment, record_events};
use crate::secrets::Secrets;
use crate::store::sellers::Shop;
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;

/// Who sends, into which shop, and when.
pub struct Sender<'a> {
    pub store: &'a Store,
    pub secrets: &'a Secrets,
    pub seller: SellerId,
    /// A shop's name; `main` where absent.
    pub shop: Option<&'a str>,
    /// Refuses what is there already.
    pub create_only: bool,
    pub now: Timestamp,
}

/// A number proved, and what is doubtful about it.
pub struct Proof {
    pub number: ProvenNumber,
    /// Where the number was let through as suspicious.
    pub doubt: Option<Remark>,
}

impl<'a> Sender<'a> {
    /// Sets up in the shop of this name.
    pub(super) fn desk_in(&self, tables: &mut SellerTables, shop: Option<&str>) -> Result<Desk<'a>, TakeInError> {
        let wanted = shop.unwrap_or("main");
        let shop = tables.shops()?.into_iter().find(|shop| shop.name == wanted);
        let shop = shop.ok_or_else(|| TakeInError::Shop(wanted.to_owned()))?;
        Ok(self.desk(tables, shop)?)
    }

    /// Sets up in the shop of an order.
    pub(super) fn desk_at(&self, tables: &mut SellerTables, shop: ShopId) -> Result<Desk<'a>, StoreError> {
        let shop = tables.shops()?.into_iter().find(|it| it.id == shop);
        let shop = shop.ok_or_else(|| StoreError::Refused("the order's shop is gone".to_owned()))?;
        self.desk(tables, shop)
    }

    fn desk(&self, tables: &mut SellerTables, shop: Shop) -> Result<Desk<'a>, StoreError> {
        let seller = tables.profile()?.ok_or_else(|| StoreError::Refused("the seller is gone".to_owned()))?;
        Desk::set_up(tables, &seller, shop, self.secrets, self.now)
    }

    fn admit(&self, outcome: Outcome) -> Result<(), ChangeError> {
        if self.create_only && outcome != Outcome::Created {
            return Err(ChangeError::ThereAlready);
        }
        Ok(())
    }
}

/// Takes in an order with all of its lines.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn put_order(sender: &Sender<'_>, rows: &[OrderRow]) -> Result<(OrderId, Outcome), ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let desk = sender.desk_in(tables, sender.shop)?;
        let (id, outcome) = take_in_rows(tables, &desk, rows)?;
        sender.admit(outcome)?;
        Ok((id, outcome))
    })
}

pub(super) fn take_in_rows(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    rows: &[OrderRow],
) -> Result<(OrderId, Outcome), TakeInError> {
    let numbers: Vec<&str> = rows.iter().map(|row| row.order_number.as_str()).collect();
    let mut drafts = Drafts::load(tables, desk, &numbers)?;
    let mut repeats: HashMap<Option<&String>, usize> = HashMap::new();
    let mut told = None;
    for row in rows {
        let repeat = repeats.entry(row.line.sku.as_ref()).or_default();
        *repeat += 1;
        let (id, outcome) = drafts.tell(desk, row, *repeat)?;
        told = Some((id, told.map_or(outcome, |(_, before): (_, Outcome)| outcome.max(before))));
    }
    drafts.write(tables, desk)?;
    told.ok_or_else(|| TakeInError::OrderNotFound(String::new()))
}

/// Of which order a parcel is.
#[derive(Debug, Clone)]
pub enum OrderRef {
    Id(OrderId),
    Number(String),
}

/// Takes in a parcel of an order.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn put_shipment(sender: &Sender<'_>, order: &OrderRef, row: TrackingRow) -> Result<Taken, ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let desk = sender.desk_in(tables, sender.shop)?;
        let taken = take_in_parcel(tables, &desk, order, row)?;
        sender.admit(taken.outcome)?;
        Ok(taken)
    })
}

pub(super) fn take_in_parcel(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &OrderRef,
    mut row: TrackingRow,
) -> Result<Taken, TakeInError> {
    let (found, name) = match order {
        OrderRef::Id(id) => (tables.order(*id)?, id.to_string()),
        OrderRef::Number(number) => (tables.order_by_number(desk.shop.id, number)?, number.clone()),
    };
    let order = found.ok_or(TakeInError::OrderNotFound(name))?;
    row.order_number.clone_from(&order.order_number);
    shipment::take_in_shipment(tables, desk, &order, &row)
}

/// Takes scans of a shipment in through the gate, on its first leg; `None` where the seller has no such shipment.
///
/// # Errors
///
/// [`StoreError`]; then nothing was written.
pub fn put_scans(
    store: &Store,
    seller: SellerId,
    id: ShipmentId,
    scans: &[Scan],
    now: Timestamp,
) -> Result<Option<usize>, StoreError> {
    store.seller(seller).write(|tables| {
        let Some(leg) = tables.legs(id)?.into_iter().next() else { return Ok(None) };
        let Some(tracker) = tables.tracker_by_id(leg.tracker_id)? else { return Ok(None) };
        let moment = Moment::of_seller(tables, now)?;
        record_events(tables, &moment, &tracker, scans, Source::Seller).map(Some)
    })
}

/// Proves a number as a sheet's cell is proved: damage is refused, a failed check is let through as suspicious.
///
/// # Errors
///
/// [`TakeInError::Number`] with the code and what to do.
pub fn prove(typed: &str, declared: Option<&str>, hints: &Hints<'_>) -> Result<Proof, TakeInError> {
    let declared = declared.and_then(|it| own::recognise(it, hints.own));
    let binding = declared.as_ref().filter(|it| it.declares());
    let check = tracking_number::check(typed, &Hints { carrier: binding.map(|it| it.slug.as_str()), ..*hints });
    let told = check.code.map(|code| (code.code().to_owned(), check.detail.clone()));
    let doubt = match check.code.map(NumberCode::gravity) {
        None | Some(Gravity::Test) => None,
        Some(Gravity::Damage) => {
            let (code, detail) = told.unwrap_or_default();
            return Err(TakeInError::Number { code, detail });
        }
        Some(Gravity::Doubt) => told.filter(|_| binding.is_some()),
    };
    let number = ProvenNumber::of(&check, declared.map(|it| it.slug), doubt.is_some());
    Ok(Proof { number, doubt })
}
