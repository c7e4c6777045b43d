//! Erases again, in a database that was restored from a backup, what was erased after the backup was made.

use super::erase::{ORDERS_A_BATCH, erase_orders};
use crate::domain::actor::Actor;
use crate::domain::ids::{ImportId, OrderId, SellerId, TrackerId};
use crate::store::audit::{Deed, Entry};
use crate::store::erasures::{ImportErasures, SellerErasures};
use crate::store::imports::Import;
use crate::store::{At, SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

/// What was erased again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reapplied {
    pub orders: usize,
    pub trackers: usize,
    /// Uploads whose files, or whose files and rows, were deleted.
    pub imports: usize,
    /// Rows of uploads that led to no order.
    pub rows: usize,
    /// Uploads that were still at work in the backup, and were cancelled, because their files were erased since.
    pub cancelled_imports: usize,
    /// Orders that were made and erased after the backup: they are not in it, and nothing marks them as erased.
    pub missing_orders: usize,
}

/// Applies `erasures` to the sellers that are in the store. What is erased there already stays as it is, so the same call
/// again changes nothing.
///
/// # Errors
///
/// [`StoreError`]; then a part is erased, and the same call again does the rest.
pub fn reapply(store: &Store, erasures: &[SellerErasures], now: Timestamp) -> Result<Reapplied, StoreError> {
    let mut done = Reapplied::default();
    for erased in erasures {
        let seller = Restored { store, seller: erased.seller, now };
        if store.seller(erased.seller).read(|tables| tables.profile())?.is_none() {
            done.missing_orders += erased.orders.len();
            continue;
        }
        let batch = usize::try_from(ORDERS_A_BATCH).unwrap_or(1);
        for orders in erased.orders.chunks(batch) {
            seller.erase_orders(orders, &mut done)?;
        }
        for trackers in erased.trackers.chunks(batch) {
            seller.erase_trackers(trackers, &mut done)?;
        }
        for import in &erased.imports {
            seller.erase_import(import, &mut done)?;
        }
    }
    Ok(done)
}

/// One seller of the restored database.
struct Restored<'s> {
    store: &'s Store,
    seller: SellerId,
    now: Timestamp,
}

/// What one transaction erases again, for the audit log.
#[derive(Default)]
struct ErasedAgain {
    orders: Vec<OrderId>,
    trackers: Vec<TrackerId>,
    imports: Vec<ImportId>,
    rows: usize,
}

impl Restored<'_> {
    fn erase_orders(&self, of: &[OrderId], done: &mut Reapplied) -> Result<(), StoreError> {
        self.store.seller(self.seller).write(|tables| {
            let found = tables.erased_contacts(of)?;
            done.missing_orders += of.len() - found.len();
            let orders: Vec<OrderId> = found.into_iter().filter(|(_, erased)| !erased).map(|(id, _)| id).collect();
            if orders.is_empty() {
                return Ok(());
            }
            let batch = erase_orders(tables, orders, Vec::new(), self.now)?;
            done.orders += batch.orders.len();
            let imports = batch.imports.into_iter().collect();
            self.audit(tables, ErasedAgain { orders: batch.orders, imports, ..ErasedAgain::default() })
        })
    }

    fn erase_trackers(&self, of: &[TrackerId], done: &mut Reapplied) -> Result<(), StoreError> {
        self.store.seller(self.seller).write(|tables| {
            let trackers = tables.trackers_with_details(of)?;
            if trackers.is_empty() {
                return Ok(());
            }
            for tracker in &trackers {
                tables.erase_event_details(*tracker, self.now)?;
            }
            done.trackers += trackers.len();
            self.audit(tables, ErasedAgain { trackers, ..ErasedAgain::default() })
        })
    }

    fn erase_import(&self, erased: &ImportErasures, done: &mut Reapplied) -> Result<(), StoreError> {
        self.store.seller(self.seller).write(|tables| {
            let Some(import) = tables.import(erased.id)?.filter(|import| import.expired_at.is_none()) else {
                return Ok(());
            };
            let loses_file = erased.is_file_erased && import.file_erased_at.is_none();
            if erased.is_expired || loses_file {
                done.cancelled_imports += usize::from(cancel_unfinished(tables, &import, self.now)?);
                done.imports += 1;
            }
            let mut rows = 0;
            if erased.is_expired {
                tables.expire_import(import.id, self.now)?;
            } else {
                if loses_file {
                    tables.erase_import_file(import.id, self.now)?;
                }
                rows = erase_rows(tables, &import, erased)?;
            }
            done.rows += rows;
            if erased.is_expired || loses_file || rows > 0 {
                let imports = vec![import.id];
                self.audit(tables, ErasedAgain { imports, rows, ..ErasedAgain::default() })?;
            }
            Ok(())
        })
    }

    fn audit(&self, tables: &mut SellerTables, erased: ErasedAgain) -> Result<(), StoreError> {
        // Answers that are kept to be given again may quote what was erased.
        tables.forget_answers(self.now)?;
        let ErasedAgain { orders, trackers, imports, rows } = erased;
        let detail = json!({"by": "restore", "orders": orders, "trackers": trackers, "imports": imports, "rows": rows});
        tables.audit(&Actor::system(), Entry { deed: Deed::PrivacyErased, object: None, detail }, self.now)
    }
}

/// An import that was at work would read its file on, and bring back people who were erased since.
fn cancel_unfinished(tables: &mut SellerTables, import: &Import, now: Timestamp) -> Result<bool, StoreError> {
    if import.is_over() {
        return Ok(false);
    }
    let mut cancelled = import.clone();
    "cancelled".clone_into(&mut cancelled.state);
    (cancelled.finished_at, cancelled.claim, cancelled.claimed_until) = (Some(At(now)), None, None);
    tables.update_import(&cancelled)?;
    Ok(true)
}

/// Rows that named somebody in the backup and do not any more. An import that was run again since has other rows.
fn erase_rows(tables: &mut SellerTables, import: &Import, erased: &ImportErasures) -> Result<usize, StoreError> {
    if (import.dry_run, import.state.as_str()) != (erased.dry_run, erased.state.as_str()) {
        return Ok(0);
    }
    let named = tables.named_lines(import.id)?;
    let lines: Vec<i64> = named.difference(&erased.named_lines).copied().collect();
    for line in &lines {
        tables.erase_row_report(import.id, *line)?;
    }
    Ok(lines.len())
}
