//! Row results of imports: what became of each row. What was read of it is sealed, and erased with the person it names.

use super::bulk;
use super::import_runs::PlainRow;
use super::schema::{import_row_names, import_rows, orders, shipments};
use super::{SellerTables, StoreError};
use crate::domain::ids::{ImportId, OrderId, SellerId, ShipmentId, ShopId};
use crate::domain::order::{is_same_phone, phone_key};
use crate::secrets::Vault;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

impl ImportRow {
    /// The result of a row that left nothing to say; what it said is in the file alone.
    pub fn plain(import_id: ImportId, row: &PlainRow) -> Self {
        Self {
            import_id,
            line: row.line,
            outcome: row.outcome.to_owned(),
            order_id: row.order_id,
            shipment_id: row.shipment_id,
            report: RowReport { cells: json!({}), errors: json!([]), warnings: json!([]) },
        }
    }
}

impl RowReport {
    /// What is left of a row whose person was erased.
    pub fn erased() -> Self {
        Self { cells: json!({"erased": true}), errors: json!([]), warnings: json!([]) }
    }
}

/// By what a row that led to no order of its own is found when a person is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowName {
    /// An e-mail address, as it is compared.
    Email(String),
    /// A telephone number, as it is written.
    Phone(String),
    Order(ShopId, String),
    TrackingNumber(String),
}

impl RowName {
    fn hash(&self, vault: &Vault) -> Vec<u8> {
        match self {
            Self::Email(key) => vault.find_by("row email", key),
            Self::Phone(phone) => vault.find_by("row phone", &phone_key(phone).unwrap_or_default()),
            Self::Order(shop, number) => vault.find_by("row order", &format!("{shop} {number}")),
            Self::TrackingNumber(number) => vault.find_by("row number", number),
        }
    }
}

/// Whose rows are meant.
#[derive(Debug, Clone, Default)]
pub struct RowsOf {
    pub orders: Vec<OrderId>,
    pub shipments: Vec<ShipmentId>,
    /// For the rows that led to no order: rejected ones, repeats, and those of dry runs.
    pub names: Vec<RowName>,
}

/// A row of an import by its line.
type RowKey = (ImportId, i64);

/// A row as it lies in the database.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = import_rows, treat_none_as_default_value = false)]
pub(super) struct StoredRow {
    pub(super) seller_id: SellerId,
    pub(super) import_id: ImportId,
    pub(super) line: i64,
    pub(super) outcome: String,
    pub(super) order_id: Option<OrderId>,
    pub(super) shipment_id: Option<ShipmentId>,
    pub(super) sealed: Vec<u8>,
}

fn row_purpose(import: ImportId, line: i64) -> Vec<u8> {
    [b"row".as_slice(), import.0.as_bytes(), &line.to_be_bytes()].concat()
}

impl SellerTables<'_> {
    pub fn insert_import_rows(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let (vault, seller_id) = (self.vault()?, self.seller);
        let stored = |row: ImportRow| -> Result<StoredRow, StoreError> {
            Ok(StoredRow {
                seller_id,
                import_id: row.import_id,
                line: row.line,
                sealed: vault.seal_document(&row_purpose(row.import_id, row.line), &row.report)?,
                outcome: row.outcome,
                order_id: row.order_id,
                shipment_id: row.shipment_id,
            })
        };
        let stored = rows.into_iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        Ok(bulk::insert_import_rows(self.connection, &stored)?)
    }

    /// How many rows have results, alone or in runs.
    pub fn count_import_rows(&mut self, import: ImportId) -> Result<i64, StoreError> {
        let rows =
            import_rows::table.filter(import_rows::seller_id.eq(self.seller)).filter(import_rows::import_id.eq(import));
        let of_their_own: i64 = rows.count().get_result(self.connection)?;
        Ok(of_their_own + self.count_plain_rows(import)?)
    }

    pub fn delete_import_rows(&mut self, import: ImportId) -> Result<(), StoreError> {
        self.delete_import_runs(import)?;
        let names = import_row_names::table
            .filter(import_row_names::seller_id.eq(self.seller))
            .filter(import_row_names::import_id.eq(import));
        diesel::delete(names).execute(self.connection)?;
        let rows =
            import_rows::table.filter(import_rows::seller_id.eq(self.seller)).filter(import_rows::import_id.eq(import));
        diesel::delete(rows).execute(self.connection)?;
        Ok(())
    }

    /// Results of rows after `after` that have one of their own, in the order of the file.
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

    /// Notes whom and what a row names that led to no order.
    pub fn name_import_row(&mut self, import: ImportId, line: i64, names: &[RowName]) -> Result<(), StoreError> {
        let vault = self.vault()?;
        let hashes: BTreeSet<Vec<u8>> = names.iter().map(|name| name.hash(&vault)).collect();
        for hash in hashes {
            diesel::insert_into(import_row_names::table)
                .values((
                    import_row_names::seller_id.eq(self.seller),
                    import_row_names::name_hash.eq(hash),
                    import_row_names::import_id.eq(import),
                    import_row_names::line.eq(line),
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }

    /// The rows that tell of these orders and parcels, and those that name them in vain; oldest import first.
    pub fn rows_of(&mut self, of: &RowsOf) -> Result<Vec<ImportRow>, StoreError> {
        let mut rows = Vec::new();
        for key in self.row_keys(of)? {
            rows.push(self.import_row(key)?);
        }
        rows.extend(self.plain_rows_of(&of.orders)?.into_iter().map(|(import, row)| ImportRow::plain(import, &row)));
        rows.sort_by_key(|row| (row.import_id, row.line));
        Ok(rows)
    }

    fn import_row(&mut self, (import, line): RowKey) -> Result<ImportRow, StoreError> {
        let row = import_rows::table
            .filter(import_rows::seller_id.eq(self.seller))
            .filter(import_rows::import_id.eq(import))
            .filter(import_rows::line.eq(line));
        let row: StoredRow = row.select(StoredRow::as_select()).get_result(self.connection)?;
        self.opened(row)
    }

    /// Empties the reports of those rows, whose outcomes stay; tells which imports hold them, or may hold them: the plain
    /// rows of a dry run are found by nothing.
    pub fn erase_rows_of(&mut self, of: &RowsOf) -> Result<BTreeSet<ImportId>, StoreError> {
        let keys = self.row_keys(of)?;
        for (import, line) in &keys {
            self.erase_row_report(*import, *line)?;
        }
        let mut imports: BTreeSet<ImportId> = keys.into_iter().map(|(import, _)| import).collect();
        imports.extend(self.plain_rows_of(&of.orders)?.into_iter().map(|(import, _)| import));
        imports.extend(self.unnamed_dry_runs()?);
        Ok(imports)
    }

    /// Writes the report of one row over the one that is there.
    pub(super) fn write_row_report(
        &mut self,
        import: ImportId,
        line: i64,
        report: &RowReport,
    ) -> Result<(), StoreError> {
        let sealed = self.seal(&row_purpose(import, line), report)?;
        let row = import_rows::table
            .filter(import_rows::seller_id.eq(self.seller))
            .filter(import_rows::import_id.eq(import))
            .filter(import_rows::line.eq(line));
        diesel::update(row).set(import_rows::sealed.eq(sealed)).execute(self.connection)?;
        Ok(())
    }

    fn row_keys(&mut self, of: &RowsOf) -> Result<BTreeSet<RowKey>, StoreError> {
        let vault = self.vault()?;
        let whole = |name: &&RowName| !matches!(name, RowName::Phone(_));
        let hashes: Vec<Vec<u8>> = of.names.iter().filter(whole).map(|name| name.hash(&vault)).collect();
        let key = (import_rows::import_id, import_rows::line);
        let mine = || import_rows::table.filter(import_rows::seller_id.eq(self.seller));
        let by_order = mine().filter(import_rows::order_id.eq_any(&of.orders)).select(key);
        let by_shipment = mine()
            .filter(import_rows::order_id.is_null())
            .filter(import_rows::shipment_id.eq_any(&of.shipments))
            .select(key);
        let by_name = import_row_names::table
            .filter(import_row_names::seller_id.eq(self.seller))
            .filter(import_row_names::name_hash.eq_any(hashes))
            .select((import_row_names::import_id, import_row_names::line));
        let mut keys: Vec<RowKey> = by_order.load(self.connection)?;
        keys.extend(by_shipment.load::<RowKey>(self.connection)?);
        keys.extend(by_name.load::<RowKey>(self.connection)?);
        for name in &of.names {
            keys.extend(self.row_keys_of_phone(name)?);
        }
        Ok(keys.into_iter().collect())
    }

    /// The end of a telephone number may be another's in another country: the rows found by it are looked at whole.
    fn row_keys_of_phone(&mut self, name: &RowName) -> Result<Vec<RowKey>, StoreError> {
        let RowName::Phone(phone) = name else { return Ok(Vec::new()) };
        let by_end = import_row_names::table
            .filter(import_row_names::seller_id.eq(self.seller))
            .filter(import_row_names::name_hash.eq(name.hash(&*self.vault()?)))
            .select((import_row_names::import_id, import_row_names::line));
        let mut keys = Vec::new();
        for key in by_end.load::<RowKey>(self.connection)? {
            let row = self.import_row(key)?;
            if row
                .report
                .cells
                .get("phone")
                .and_then(Value::as_str)
                .is_some_and(|written| is_same_phone(written, phone))
            {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Those of these order numbers of a shop whose contacts were erased.
    pub fn erased_numbers(&mut self, shop: ShopId, numbers: &[&str]) -> Result<BTreeSet<String>, StoreError> {
        let erased = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::shop_id.eq(shop))
            .filter(orders::order_number.eq_any(numbers))
            .filter(orders::contact_erased_at.is_not_null());
        let erased: Vec<String> = erased.select(orders::order_number).load(self.connection)?;
        Ok(erased.into_iter().collect())
    }

    /// Those of these shipments whose orders' contacts were erased.
    pub fn erased_shipments(&mut self, of: &[ShipmentId]) -> Result<BTreeSet<ShipmentId>, StoreError> {
        // The version is read so that no index holds all that is wanted: SQLite would walk over one that does.
        let orders_of: Vec<(ShipmentId, OrderId, i64)> = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::id.eq_any(of))
            .select((shipments::id, shipments::order_id, shipments::version))
            .load(self.connection)?;
        let orders: Vec<OrderId> = orders_of.iter().map(|(_, order, _)| *order).collect();
        let erased: Vec<OrderId> = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::id.eq_any(orders))
            .filter(orders::contact_erased_at.is_not_null())
            .select(orders::id)
            .load(self.connection)?;
        let is_erased = |order: &OrderId| erased.contains(order);
        Ok(orders_of.into_iter().filter(|(_, order, _)| is_erased(order)).map(|(shipment, ..)| shipment).collect())
    }
}
