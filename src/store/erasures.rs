//! What was erased in one database, so that it can be erased again in another that was restored from an older backup.

use super::import_rows::RowReport;
use super::raw_database::RawDatabase;
use super::schema::{import_row_names, imports, orders, sellers, trackers};
use super::{SellerTables, StoreError};
use crate::domain::ids::{ImportId, OrderId, SellerId, TrackerId};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// The marks of erasure of one seller.
#[derive(Debug, Clone)]
pub struct SellerErasures {
    pub seller: SellerId,
    /// Orders whose contacts were erased.
    pub orders: Vec<OrderId>,
    /// Trackers whose details were erased.
    pub trackers: Vec<TrackerId>,
    pub imports: Vec<ImportErasures>,
}

/// What was erased of one import.
#[derive(Debug, Clone)]
pub struct ImportErasures {
    pub id: ImportId,
    pub state: String,
    pub dry_run: bool,
    pub is_file_erased: bool,
    /// File and row results were deleted.
    pub is_expired: bool,
    /// Lines that led to no order and still name somebody. An erasure takes lines away from here.
    pub named_lines: BTreeSet<i64>,
}

impl RawDatabase {
    /// Everything that was erased, by seller.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database is damaged, or is none of parceltrail.
    pub fn erasures(&mut self) -> Result<Vec<SellerErasures>, StoreError> {
        let all: Vec<SellerId> = sellers::table.order(sellers::id).select(sellers::id).load(&mut self.connection)?;
        all.into_iter().map(|seller| self.erasures_of(seller)).collect()
    }

    fn erasures_of(&mut self, seller: SellerId) -> Result<SellerErasures, StoreError> {
        let orders = orders::table
            .filter(orders::seller_id.eq(seller))
            .filter(orders::contact_erased_at.is_not_null())
            .order(orders::id)
            .select(orders::id);
        let trackers = trackers::table
            .filter(trackers::seller_id.eq(seller))
            .filter(trackers::details_erased_at.is_not_null())
            .order(trackers::id)
            .select(trackers::id);
        Ok(SellerErasures {
            seller,
            orders: orders.load(&mut self.connection)?,
            trackers: trackers.load(&mut self.connection)?,
            imports: self.import_erasures(seller)?,
        })
    }

    fn import_erasures(&mut self, seller: SellerId) -> Result<Vec<ImportErasures>, StoreError> {
        let names = import_row_names::table
            .filter(import_row_names::seller_id.eq(seller))
            .select((import_row_names::import_id, import_row_names::line));
        let mut lines: HashMap<ImportId, BTreeSet<i64>> = HashMap::new();
        for (import, line) in names.load::<(ImportId, i64)>(&mut self.connection)? {
            lines.entry(import).or_default().insert(line);
        }
        let columns = (
            imports::id,
            imports::state,
            imports::dry_run,
            imports::file_erased_at.is_not_null(),
            imports::expired_at.is_not_null(),
        );
        let found: Vec<(ImportId, String, bool, bool, bool)> = imports::table
            .filter(imports::seller_id.eq(seller))
            .order(imports::id)
            .select(columns)
            .load(&mut self.connection)?;
        let import = |(id, state, dry_run, is_file_erased, is_expired)| {
            let named_lines = lines.remove(&id).unwrap_or_default();
            ImportErasures { id, state, dry_run, is_file_erased, is_expired, named_lines }
        };
        Ok(found.into_iter().map(import).collect())
    }
}

impl SellerTables<'_> {
    /// Those of these orders that are here, with whether their contacts are erased.
    pub fn erased_contacts(&mut self, of: &[OrderId]) -> Result<Vec<(OrderId, bool)>, StoreError> {
        let found = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::id.eq_any(of))
            .select((orders::id, orders::contact_erased_at.is_not_null()));
        Ok(found.load(self.connection)?)
    }

    /// Those of these trackers that are here and whose details are not erased.
    pub fn trackers_with_details(&mut self, of: &[TrackerId]) -> Result<Vec<TrackerId>, StoreError> {
        let found = trackers::table
            .filter(trackers::seller_id.eq(self.seller))
            .filter(trackers::id.eq_any(of))
            .filter(trackers::details_erased_at.is_null())
            .select(trackers::id);
        Ok(found.load(self.connection)?)
    }

    /// Lines of an import that led to no order and name somebody.
    pub fn named_lines(&mut self, import: ImportId) -> Result<BTreeSet<i64>, StoreError> {
        let names = import_row_names::table
            .filter(import_row_names::seller_id.eq(self.seller))
            .filter(import_row_names::import_id.eq(import))
            .select(import_row_names::line);
        let lines: Vec<i64> = names.load(self.connection)?;
        Ok(lines.into_iter().collect())
    }

    /// Empties the report of one row, whose outcome stays, and forgets whom it names.
    pub fn erase_row_report(&mut self, import: ImportId, line: i64) -> Result<(), StoreError> {
        self.write_row_report(import, line, &RowReport::erased())?;
        let names = import_row_names::table
            .filter(import_row_names::seller_id.eq(self.seller))
            .filter(import_row_names::import_id.eq(import))
            .filter(import_row_names::line.eq(line));
        diesel::delete(names).execute(self.connection)?;
        Ok(())
    }
}
