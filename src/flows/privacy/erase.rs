//! Forgets a person: contact, what carriers wrote, what uploads said. Orders, events and counts stay as they are.

use super::{Person, PrivacyError, rows_of};
use crate::domain::actor::Actor;
use crate::domain::ids::{ErasureId, ImportId, OrderId, SellerId};
use crate::store::audit::{Deed, Entry};
use crate::store::import_rows::RowName;
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;

/// So many orders are forgotten in one transaction.
pub(super) const ORDERS_A_BATCH: i64 = 50;

/// What was forgotten.
#[derive(Debug, Clone)]
pub struct Erasure {
    pub id: ErasureId,
    pub orders: usize,
    pub parcels: usize,
    /// Uploads that named the person; their files are gone.
    pub imports: usize,
    pub erased_at: Timestamp,
}

/// What one transaction forgot.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) orders: Vec<OrderId>,
    pub(super) parcels: usize,
    pub(super) imports: BTreeSet<ImportId>,
}

/// Forgets a person, some orders a transaction. A person whom nobody knows is forgotten already.
///
/// # Errors
///
/// [`PrivacyError`]; then the batches before the one that failed are forgotten, and the same call again does the rest.
pub fn erase(
    store: &Store,
    seller: SellerId,
    person: &Person,
    actor: &Actor,
    now: Timestamp,
) -> Result<Erasure, PrivacyError> {
    let id = ErasureId::new(now);
    let mut erasure = Erasure { id, orders: 0, parcels: 0, imports: 0, erased_at: now };
    let (mut imports, mut place, mut more) = (BTreeSet::new(), None, true);
    while more {
        let (batch, next) = store.seller(seller).write(|tables| -> Result<_, PrivacyError> {
            let (orders, next) = person.orders(tables, place, ORDERS_A_BATCH)?;
            let names = person.row_names(tables)?;
            let batch = erase_orders(tables, orders, names, now)?;
            let detail = json!({
                "by": person.way(),
                "orders": batch.orders,
                "parcels": batch.parcels,
                "imports": batch.imports,
            });
            tables.audit(actor, Entry { deed: Deed::PrivacyErased, object: Some(id.to_string()), detail }, now)?;
            Ok((batch, next))
        })?;
        erasure.orders += batch.orders.len();
        erasure.parcels += batch.parcels;
        imports.extend(batch.imports);
        (place, more) = (next, next.is_some());
    }
    erasure.imports = imports.len();
    Ok(erasure)
}

/// Forgets whoever gets these orders, in the caller's transaction; `names` are of rows that led to no order.
pub(super) fn erase_orders(
    tables: &mut SellerTables,
    orders: Vec<OrderId>,
    names: Vec<RowName>,
    now: Timestamp,
) -> Result<Batch, StoreError> {
    let mut batch = Batch::default();
    let mut rows = crate::store::import_rows::RowsOf { names, ..Default::default() };
    for order in orders {
        let of = rows_of(tables, order)?;
        rows.orders.extend(of.orders);
        rows.shipments.extend(of.shipments);
        rows.names.extend(of.names);
        batch.parcels += erase_order(tables, order, now)?;
        batch.orders.push(order);
    }
    batch.imports = tables.erase_rows_of(&rows)?;
    for import in &batch.imports {
        tables.erase_import_file(*import, now)?;
    }
    // Answers that are kept to be given again may quote a contact; without them each request is answered anew.
    tables.forget_answers(now)?;
    Ok(batch)
}

/// Tells how many parcels the order has.
fn erase_order(tables: &mut SellerTables, order: OrderId, now: Timestamp) -> Result<usize, StoreError> {
    tables.delete_contact(order)?;
    tables.note_contact_erased(order, now)?;
    let shipments = tables.shipments_of_order(order)?;
    for shipment in &shipments {
        for leg in tables.legs(shipment.id)? {
            tables.erase_event_details(leg.tracker_id, now)?;
        }
    }
    let ids: Vec<_> = shipments.iter().map(|shipment| shipment.id).collect();
    for was in tables.corrections_of(&ids)?.into_values().flatten() {
        // A number that was wrong here may be right elsewhere: what is told under it is of another parcel then.
        if tables.shipments_under(was.tracker_id)?.is_empty() {
            tables.erase_event_details(was.tracker_id, now)?;
        }
    }
    Ok(shipments.len())
}
