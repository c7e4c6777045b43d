//! Results of rows that left nothing to say, many packed into one run: a line, an outcome, an order, a shipment.
//!
//! A run holds nothing of what the file said; whoever wants to see that reads the file again.

use super::schema::{import_runs, imports};
use super::{SellerTables, StoreError};
use crate::domain::ids::{ImportId, OrderId, SellerId, ShipmentId};
use diesel::prelude::*;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What became of a row that left nothing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRow {
    /// The physical line where the record starts, 1-based, header included.
    pub line: i64,
    /// `created`, `updated` or `unchanged`.
    pub outcome: &'static str,
    /// None in dry runs, whose orders lead nowhere.
    pub order_id: Option<OrderId>,
    pub shipment_id: Option<ShipmentId>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = import_runs, treat_none_as_default_value = false)]
struct Run {
    seller_id: SellerId,
    import_id: ImportId,
    last_line: i64,
    first_line: i64,
    /// The least and the greatest of the orders that it names, as their ids sort.
    first_order: OrderId,
    last_order: OrderId,
    packed: Vec<u8>,
}

/// Line, outcome, order, shipment; no id is all zeros.
const PACKED_BYTES: usize = 8 + 1 + 16 + 16;
const OUTCOMES: [&str; 3] = ["created", "updated", "unchanged"];

fn pack(row: &PlainRow, into: &mut Vec<u8>) {
    let outcome = OUTCOMES.iter().position(|it| *it == row.outcome).and_then(|it| u8::try_from(it).ok());
    into.extend(row.line.to_be_bytes());
    into.push(outcome.unwrap_or(u8::MAX));
    into.extend(row.order_id.map_or(Uuid::nil(), |id| id.0).as_bytes());
    into.extend(row.shipment_id.map_or(Uuid::nil(), |id| id.0).as_bytes());
}

fn unpack(mut packed: &[u8]) -> Option<PlainRow> {
    let line = i64::from_be_bytes(take(&mut packed)?);
    let [outcome] = take(&mut packed)?;
    let id = |bytes: [u8; 16]| Some(Uuid::from_bytes(bytes)).filter(|id| !id.is_nil());
    let order_id = id(take(&mut packed)?).map(OrderId);
    let shipment_id = id(take(&mut packed)?).map(ShipmentId);
    Some(PlainRow { line, outcome: OUTCOMES.get(usize::from(outcome))?, order_id, shipment_id })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

impl Run {
    fn rows(&self) -> impl Iterator<Item = PlainRow> + '_ {
        self.packed.chunks_exact(PACKED_BYTES).filter_map(unpack)
    }
}

/// Runs read at a time.
const RUNS_A_PAGE: i64 = 8;

impl SellerTables<'_> {
    /// Keeps the results of such rows of one import, in the order of their lines, as one run.
    pub fn insert_import_run(&mut self, import: ImportId, rows: &[PlainRow]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let orders = || rows.iter().map(|row| row.order_id.unwrap_or(OrderId(Uuid::nil())));
        let mut packed = Vec::with_capacity(rows.len() * PACKED_BYTES);
        for row in rows {
            pack(row, &mut packed);
        }
        let nobody = OrderId(Uuid::nil());
        let run = Run {
            seller_id: self.seller,
            import_id: import,
            last_line: last.line,
            first_line: first.line,
            first_order: orders().min().unwrap_or(nobody),
            last_order: orders().max().unwrap_or(nobody),
            packed,
        };
        diesel::insert_into(import_runs::table).values(&run).execute(self.connection)?;
        Ok(())
    }

    /// Such rows after a line, in the order of the file.
    pub fn plain_rows(
        &mut self,
        import: ImportId,
        outcome: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PlainRow>, StoreError> {
        let (mut found, mut after_run) = (Vec::new(), after);
        if limit == 0 {
            return Ok(found);
        }
        loop {
            let runs: Vec<Run> = self
                .runs_of(import)
                .filter(import_runs::last_line.gt(after_run))
                .order(import_runs::last_line)
                .limit(RUNS_A_PAGE)
                .select(Run::as_select())
                .load(self.connection)?;
            let Some(last) = runs.last() else { return Ok(found) };
            after_run = last.last_line;
            let wanted = |row: &PlainRow| row.line > after && outcome.is_none_or(|outcome| outcome == row.outcome);
            found.extend(runs.iter().flat_map(Run::rows).filter(wanted));
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    fn runs_of(&self, import: ImportId) -> import_runs::BoxedQuery<'static, super::connection::MultiBackend> {
        import_runs::table
            .filter(import_runs::seller_id.eq(self.seller))
            .filter(import_runs::import_id.eq(import))
            .into_boxed()
    }

    pub(super) fn count_plain_rows(&mut self, import: ImportId) -> Result<i64, StoreError> {
        let (mut rows, mut after) = (0, 0);
        loop {
            let page = self.plain_rows(import, None, after, 10_000)?;
            let Some(last) = page.last() else { return Ok(rows) };
            after = last.line;
            rows += i64::try_from(page.len()).unwrap_or(i64::MAX);
        }
    }

    pub(super) fn delete_import_runs(&mut self, import: ImportId) -> Result<(), StoreError> {
        let runs =
            import_runs::table.filter(import_runs::seller_id.eq(self.seller)).filter(import_runs::import_id.eq(import));
        diesel::delete(runs).execute(self.connection)?;
        Ok(())
    }

    /// The plain rows that tell of these orders, of any import.
    pub(super) fn plain_rows_of(&mut self, orders: &[OrderId]) -> Result<Vec<(ImportId, PlainRow)>, StoreError> {
        let orders: BTreeSet<OrderId> = orders.iter().copied().collect();
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut after: Option<(ImportId, i64)> = None;
        loop {
            let mut query = import_runs::table
                .filter(import_runs::seller_id.eq(self.seller))
                .filter(import_runs::last_order.ge(*first))
                .filter(import_runs::first_order.le(*last))
                .into_boxed();
            if let Some((import, line)) = after {
                let later = import_runs::import_id.eq(import).and(import_runs::last_line.gt(line));
                query = query.filter(import_runs::import_id.gt(import).or(later));
            }
            let page = query.order((import_runs::import_id, import_runs::last_line)).limit(RUNS_A_PAGE);
            let runs: Vec<Run> = page.select(Run::as_select()).load(self.connection)?;
            let Some(last_run) = runs.last() else { return Ok(found) };
            after = Some((last_run.import_id, last_run.last_line));
            for run in &runs {
                let told = run.rows().filter(|row| row.order_id.is_some_and(|id| orders.contains(&id)));
                found.extend(told.map(|row| (run.import_id, row)));
            }
        }
    }

    /// Uploads of which only dry runs were made, with rows that left nothing to say: whom they name is not on file apart
    /// from the upload itself.
    pub(super) fn unnamed_dry_runs(&mut self) -> Result<Vec<ImportId>, StoreError> {
        let nobody = OrderId(Uuid::nil());
        let of = imports::seller_id.eq(import_runs::seller_id).and(imports::id.eq(import_runs::import_id));
        let runs = import_runs::table
            .inner_join(imports::table.on(of))
            .filter(import_runs::seller_id.eq(self.seller))
            .filter(import_runs::last_order.eq(nobody))
            .filter(imports::file_erased_at.is_null())
            .select(import_runs::import_id)
            .distinct();
        Ok(runs.load(self.connection)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let order_id = Some(OrderId(Uuid::from_u128(7)));
        for row in [
            PlainRow { line: 2, outcome: "created", order_id, shipment_id: Some(ShipmentId(Uuid::from_u128(8))) },
            PlainRow { line: i64::MAX, outcome: "unchanged", order_id, shipment_id: None },
            PlainRow { line: 3, outcome: "updated", order_id: None, shipment_id: None },
        ] {
            let mut packed = Vec::new();
            pack(&row, &mut packed);
            assert_eq!((packed.len(), unpack(&packed)), (PACKED_BYTES, Some(row)));
        }
    }
}
