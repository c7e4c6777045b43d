//! Many at once, each for itself: one transaction, and a savepoint an item, so that a bad item never stops the rest.

use super::put::{OrderRef, Sender, take_in_parcel, take_in_rows};
use super::{ChangeError, Desk, Outcome, TakeInError, Taken, event, is_refusal};
use crate::domain::ids::{OrderId, SellerId, ShipmentId, TrackerId};
use crate::domain::order::OrderRow;
use crate::domain::scan::{Scan, Source};
use crate::domain::shipment::{ProvenNumber, TrackingRow};
use crate::flows::record_events::{Moment, append, judge};
use crate::store::doubts::OpenDoubts;
use crate::store::trackers::Tracker;
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// An order of a batch, with all of its lines.
pub struct OrderItem {
    /// A shop's name; `main` where absent.
    pub shop: Option<String>,
    pub rows: Vec<OrderRow>,
}

/// A parcel of a batch.
pub struct ParcelItem {
    /// A shop's name; `main` where absent.
    pub shop: Option<String>,
    pub order: OrderRef,
    pub row: TrackingRow,
}

/// A scan of a batch.
pub struct ScanItem {
    pub of: ScanOf,
    pub scan: Scan,
}

/// Of which parcel a scan is.
pub enum ScanOf {
    Shipment(ShipmentId),
    Number(ProvenNumber),
}

/// What became of one item.
pub type Done<I> = Result<(I, Outcome), ChangeError>;

/// Takes in orders; one answer an item, in order.
///
/// # Errors
///
/// [`StoreError`] where the database takes nothing at all; then nothing was written.
pub fn put_orders(sender: &Sender<'_>, items: &[OrderItem]) -> Result<Vec<Done<OrderId>>, StoreError> {
    sender.store.seller(sender.seller).write(|tables| {
        let mut desks = Desks { sender, by_shop: HashMap::new() };
        each(tables, items, |tables, item| {
            let desk = desks.of(tables, item.shop.as_deref())?;
            Ok(take_in_rows(tables, desk, &item.rows)?)
        })
    })
}

/// Takes in parcels; one answer an item, in order, and what is doubtful about the numbers of those that were taken in.
///
/// # Errors
///
/// [`StoreError`] where the database takes nothing at all; then nothing was written.
pub fn put_shipments(
    sender: &Sender<'_>,
    items: &[ParcelItem],
) -> Result<(Vec<Result<Taken, ChangeError>>, OpenDoubts), StoreError> {
    sender.store.seller(sender.seller).write(|tables| {
        let mut desks = Desks { sender, by_shop: HashMap::new() };
        let done = each(tables, items, |tables, item| {
            let desk = desks.of(tables, item.shop.as_deref())?;
            Ok(take_in_parcel(tables, desk, &item.order, item.row.clone())?)
        })?;
        let ids: Vec<ShipmentId> = done.iter().flatten().map(|taken| taken.id).collect();
        let doubts = tables.open_doubts(&ids)?;
        Ok((done, doubts))
    })
}

/// Takes in scans, of any shipments; one answer an item, in order: created, or unchanged where it was told before. Each
/// shipment is judged once, when all of them are in.
///
/// # Errors
///
/// [`StoreError`] where the database takes nothing at all; then nothing was written.
pub fn put_scans(
    store: &Store,
    seller: SellerId,
    items: &[ScanItem],
    now: Timestamp,
) -> Result<Vec<Done<ShipmentId>>, StoreError> {
    store.seller(seller).write(|tables| {
        let moment = Moment::of_seller(tables, now)?;
        let mut heard_of: BTreeSet<TrackerId> = BTreeSet::new();
        let done = each(tables, items, |tables, item| {
            let (shipment, tracker) = find_tracker(tables, &item.of)?;
            let news = append(tables, &moment, &tracker, std::slice::from_ref(&item.scan), Source::Seller)?;
            if news == 0 {
                return Ok((shipment, Outcome::Unchanged));
            }
            heard_of.insert(tracker.id);
            Ok((shipment, Outcome::Created))
        })?;
        for tracker in heard_of {
            for shipment in tables.shipments_under(tracker)? {
                judge(tables, &moment, shipment)?;
            }
        }
        Ok(done)
    })
}

/// The tracker that holds the seller's own word on a parcel, and the first shipment under it.
fn find_tracker(tables: &mut SellerTables, of: &ScanOf) -> Result<(ShipmentId, Tracker), ChangeError> {
    match of {
        ScanOf::Shipment(id) => {
            let leg = tables.legs(*id)?.into_iter().next();
            let tracker = leg.map(|leg| tables.tracker_by_id(leg.tracker_id)).transpose()?.flatten();
            Ok((*id, tracker.ok_or(ChangeError::NotFound("shipment"))?))
        }
        ScanOf::Number(number) => {
            let unknown = || TakeInError::TrackingNumberNotFound(number.number.clone());
            let tracker = event::tracker_of(tables, number)?.ok_or_else(unknown)?;
            let shipment = tables.shipments_under(tracker.id)?.first().copied();
            Ok((shipment.ok_or_else(unknown)?, tracker))
        }
    }
}

fn each<I, D>(
    tables: &mut SellerTables,
    items: &[I],
    mut take_in: impl FnMut(&mut SellerTables, &I) -> Result<D, ChangeError>,
) -> Result<Vec<Result<D, ChangeError>>, StoreError> {
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        match tables.savepoint(|tables| take_in(tables, item)) {
            Err(ChangeError::Store(error) | ChangeError::TakeIn(TakeInError::Store(error))) if !is_refusal(&error) => {
                return Err(error);
            }
            of_item => done.push(of_item),
        }
    }
    Ok(done)
}

/// One desk a shop, set up when its first item comes.
struct Desks<'a> {
    sender: &'a Sender<'a>,
    by_shop: HashMap<Option<String>, Desk<'a>>,
}

impl<'a> Desks<'a> {
    fn of(&mut self, tables: &mut SellerTables, shop: Option<&str>) -> Result<&Desk<'a>, TakeInError> {
        use std::collections::hash_map::Entry;
        match self.by_shop.entry(shop.map(str::to_owned)) {
            Entry::Occupied(desk) => Ok(desk.into_mut()),
            Entry::Vacant(free) => Ok(free.insert(self.sender.desk_in(tables, shop)?)),
        }
    }
}
