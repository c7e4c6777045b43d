//! Forgets what has been kept for as long as its seller keeps it: uploads, and whoever got an order that is long over.

use super::erase::{ORDERS_A_BATCH, erase_orders};
use crate::domain::actor::Actor;
use crate::domain::ids::SellerId;
use crate::store::audit::{Deed, Entry};
use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

const IMPORTS_A_ROUND: i64 = 100;

/// Deletes the files of old imports and the results of their rows; tells of how many imports.
///
/// # Errors
///
/// [`StoreError`]; the next call does the rest.
pub fn expire_imports(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut expired = 0;
    loop {
        let overdue = store.platform(Reason::Retention).read(|tables| tables.overdue_imports(now, IMPORTS_A_ROUND))?;
        if overdue.is_empty() {
            return Ok(expired);
        }
        for (seller, import) in overdue {
            store.seller(seller).write(|tables| tables.expire_import(import, now))?;
            expired += 1;
        }
    }
}

/// Forgets who got orders that ended longer ago than their shops keep contacts; tells how many orders.
///
/// # Errors
///
/// [`StoreError`]; the next call does the rest.
pub fn expire_contacts(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut expired = 0;
    for seller in store.platform(Reason::Retention).read(|tables| tables.sellers_that_forget())? {
        // Looked for on a reader: it goes over all orders of the seller, and writes of others would wait for it.
        while !store.seller(seller).read(|tables| tables.overdue_contacts(now, 1))?.is_empty() {
            let orders = expire_batch(store, seller, now)?;
            expired += orders;
            if orders == 0 {
                break;
            }
        }
    }
    Ok(expired)
}

fn expire_batch(store: &Store, seller: SellerId, now: Timestamp) -> Result<usize, StoreError> {
    store.seller(seller).write(|tables| {
        let overdue = tables.overdue_contacts(now, ORDERS_A_BATCH)?;
        if overdue.is_empty() {
            return Ok(0);
        }
        let batch = erase_orders(tables, overdue, Vec::new(), now)?;
        let detail = json!({"orders": batch.orders, "parcels": batch.parcels, "imports": batch.imports});
        tables.audit(&Actor::system(), Entry { deed: Deed::PrivacyExpired, object: None, detail }, now)?;
        Ok(batch.orders.len())
    })
}
