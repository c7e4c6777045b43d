//! Imports: uploaded files, how far each has come, and what became of each row.

use super::schema::{import_chunks, import_rows, imports};
use super::types::{At, Json, sql};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{ClaimId, ImportId, OrderId, PrincipalId, SellerId, ShipmentId, ShopId};
use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One uploaded file.
#[derive(Debug, Clone, PartialEq, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = imports, treat_none_as_null = true)]
pub struct Import {
    pub seller_id: SellerId,
    pub id: ImportId,
    pub shop_id: ShopId,
    /// `None` until the header has been read, where the caller did not say.
    pub kind: Option<String>,
    /// `receiving`, then `received`, `running`, and `completed`, `failed` or `cancelled`.
    pub state: String,
    pub dry_run: bool,
    pub options: Json,
    pub file_name: Option<String>,
    pub file_bytes: i64,
    /// What was found out about the file.
    pub survey: Option<Json>,
    /// Why the file was refused as a whole.
    pub failure: Option<Json>,
    /// How often each code came up: `{"bad_checksum": 2}`.
    pub problems: Json,
    /// The line of the last record that is done.
    pub cursor_line: i64,
    pub rows_total: i64,
    pub rows_created: i64,
    pub rows_updated: i64,
    pub rows_unchanged: i64,
    pub rows_rejected: i64,
    pub rows_warned: i64,
    pub uploaded_by: PrincipalId,
    pub created_at: At,
    pub finished_at: Option<At>,
    pub claimed_until: Option<At>,
    pub claim: Option<ClaimId>,
    /// The file and what was read of its rows were deleted by age, or in an erasure.
    pub expired_at: Option<At>,
}

impl Import {
    pub fn rows_accepted(&self) -> i64 {
        self.rows_created + self.rows_updated
    }

    pub fn rows_done(&self) -> i64 {
        self.rows_accepted() + self.rows_unchanged + self.rows_rejected
    }
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    pub import_id: ImportId,
    /// The physical line where the record starts, 1-based, header included.
    pub line: i64,
    pub outcome: String,
    pub order_id: Option<OrderId>,
    pub shipment_id: Option<ShipmentId>,
    pub report: RowReport,
}

/// What was read of a row and what is wrong with it: sealed, since it may name people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowReport {
    /// Canonical column to value, as read.
    pub cells: Value,
    pub errors: Value,
    pub warnings: Value,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = import_rows)]
struct StoredRow {
    seller_id: SellerId,
    import_id: ImportId,
    line: i64,
    outcome: String,
    order_id: Option<OrderId>,
    shipment_id: Option<ShipmentId>,
    sealed: Vec<u8>,
}

fn chunk_purpose(import: ImportId, chunk_no: i32) -> Vec<u8> {
    [b"chunk".as_slice(), import.0.as_bytes(), &chunk_no.to_be_bytes()].concat()
}

fn row_purpose(import: ImportId, line: i64) -> Vec<u8> {
    [b"row".as_slice(), import.0.as_bytes(), &line.to_be_bytes()].concat()
}

impl SellerTables<'_> {
    pub fn insert_import(&mut self, import: &Import) -> Result<(), StoreError> {
        diesel::insert_into(imports::table).values(import).execute(self.connection)?;
        Ok(())
    }

    pub fn import(&mut self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(id));
        Ok(mine.select(Import::as_select()).get_result(self.connection).optional()?)
    }

    /// Imports made before `before`, newest first; one whose file is still on its way in is not shown.
    pub fn imports_page(&mut self, before: Option<ImportId>, limit: i64) -> Result<Vec<Import>, StoreError> {
        let mut query = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::state.ne("receiving"))
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(imports::id.lt(before));
        }
        Ok(query.order(imports::id.desc()).limit(limit).select(Import::as_select()).load(self.connection)?)
    }

    pub fn update_import(&mut self, import: &Import) -> Result<(), StoreError> {
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import.id));
        diesel::update(mine).set(import).execute(self.connection)?;
        Ok(())
    }

    /// Writes an import that a worker holds; `false` where the hold was lost, and then nothing is written.
    pub fn update_held_import(&mut self, import: &Import, claim: ClaimId) -> Result<bool, StoreError> {
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(import.id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::state.eq("running"));
        Ok(diesel::update(held).set(import).execute(self.connection)? > 0)
    }

    /// Holds an import longer; `false` where the hold was lost.
    pub fn renew_import(&mut self, id: ImportId, claim: ClaimId, until: Timestamp) -> Result<bool, StoreError> {
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::state.eq("running"));
        Ok(diesel::update(held).set(imports::claimed_until.eq(Some(At(until)))).execute(self.connection)? > 0)
    }

    pub fn insert_chunk(&mut self, import: ImportId, chunk_no: i32, bytes: &[u8]) -> Result<(), StoreError> {
        let sealed = self.vault()?.seal(&chunk_purpose(import, chunk_no), bytes)?;
        diesel::insert_into(import_chunks::table)
            .values((
                import_chunks::seller_id.eq(self.seller),
                import_chunks::import_id.eq(import),
                import_chunks::chunk_no.eq(chunk_no),
                import_chunks::sealed.eq(sealed),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    pub fn chunk(&mut self, import: ImportId, chunk_no: i32) -> Result<Option<Vec<u8>>, StoreError> {
        let mine = import_chunks::table
            .filter(import_chunks::seller_id.eq(self.seller))
            .filter(import_chunks::import_id.eq(import))
            .filter(import_chunks::chunk_no.eq(chunk_no));
        let sealed: Option<Vec<u8>> = mine.select(import_chunks::sealed).get_result(self.connection).optional()?;
        let vault = self.vault()?;
        Ok(sealed.map(|sealed| vault.open(&chunk_purpose(import, chunk_no), &sealed)).transpose()?)
    }

    /// Deletes the pieces of a file, whose import stays.
    pub fn delete_chunks(&mut self, import: ImportId) -> Result<(), StoreError> {
        let chunks = import_chunks::table
            .filter(import_chunks::seller_id.eq(self.seller))
            .filter(import_chunks::import_id.eq(import));
        diesel::delete(chunks).execute(self.connection)?;
        Ok(())
    }

    /// Takes back a file that did not arrive whole.
    pub fn discard_import(&mut self, import: ImportId) -> Result<(), StoreError> {
        self.delete_chunks(import)?;
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import));
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }

    pub fn insert_import_row(&mut self, row: &ImportRow) -> Result<(), StoreError> {
        let stored = StoredRow {
            seller_id: self.seller,
            import_id: row.import_id,
            line: row.line,
            outcome: row.outcome.clone(),
            order_id: row.order_id,
            shipment_id: row.shipment_id,
            sealed: self.seal(&row_purpose(row.import_id, row.line), &row.report)?,
        };
        diesel::insert_into(import_rows::table).values(&stored).execute(self.connection)?;
        Ok(())
    }

    pub fn count_import_rows(&mut self, import: ImportId) -> Result<i64, StoreError> {
        let rows =
            import_rows::table.filter(import_rows::seller_id.eq(self.seller)).filter(import_rows::import_id.eq(import));
        Ok(rows.count().get_result(self.connection)?)
    }

    pub fn delete_import_rows(&mut self, import: ImportId) -> Result<(), StoreError> {
        let rows =
            import_rows::table.filter(import_rows::seller_id.eq(self.seller)).filter(import_rows::import_id.eq(import));
        diesel::delete(rows).execute(self.connection)?;
        Ok(())
    }

    /// Row results after `after`, in the order of the file.
    pub fn import_rows_page(
        &mut self,
        import: ImportId,
        outcome: Option<&str>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ImportRow>, StoreError> {
        let mut query = import_rows::table
            .filter(import_rows::seller_id.eq(self.seller))
            .filter(import_rows::import_id.eq(import))
            .filter(import_rows::line.gt(after))
            .into_boxed();
        if let Some(outcome) = outcome {
            query = query.filter(import_rows::outcome.eq(outcome.to_owned()));
        }
        let page = query.order(import_rows::line).limit(limit).select(StoredRow::as_select());
        let page: Vec<StoredRow> = page.load(self.connection)?;
        page.into_iter().map(|row| self.opened(row)).collect()
    }

    fn opened(&mut self, row: StoredRow) -> Result<ImportRow, StoreError> {
        let StoredRow { seller_id: _, import_id, line, outcome, order_id, shipment_id, sealed } = row;
        let report = self.open(&row_purpose(import_id, line), &sealed)?;
        Ok(ImportRow { import_id, line, outcome, order_id, shipment_id, report })
    }
}

impl PlatformTables<'_> {
    /// Claims the oldest import that waits, or whose worker has gone, for any seller.
    pub fn claim_import(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        claim: ClaimId,
    ) -> Result<Option<Import>, StoreError> {
        let statement = format!(
            "UPDATE imports SET state = 'running', claimed_until = $1, claim = $2 WHERE (seller_id, id) IN \
             (SELECT seller_id, id FROM imports WHERE state IN ('received', 'running') \
             AND (claimed_until IS NULL OR claimed_until <= $3) ORDER BY created_at LIMIT 1{lock}) RETURNING *",
            lock = self.skip_locked
        );
        let mut claimed: Vec<Import> = diesel::sql_query(statement)
            .bind::<sql::Instant, _>(At(until))
            .bind::<sql::Id, _>(claim)
            .bind::<sql::Instant, _>(At(now))
            .load(self.connection)?;
        Ok(claimed.pop())
    }

    /// Lets go of every import: at the start of the one process that works on an embedded database.
    pub fn release_imports(&mut self) -> Result<(), StoreError> {
        let running = imports::table.filter(imports::state.eq("running"));
        diesel::update(running).set(imports::claimed_until.eq(None::<At>)).execute(self.connection)?;
        Ok(())
    }

    /// Uploads that began before `before` and never arrived whole.
    pub fn broken_uploads(&mut self, before: Timestamp) -> Result<Vec<(SellerId, ImportId)>, StoreError> {
        let broken = imports::table.filter(imports::state.eq("receiving")).filter(imports::created_at.lt(At(before)));
        Ok(broken.select((imports::seller_id, imports::id)).load(self.connection)?)
    }
}
