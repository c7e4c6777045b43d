//! What is written down of a row: its result, and what an erasure finds it by. Of people who were erased, nothing is.

use super::row::{Done, Judged, line_of};
use super::work::WorkError;
use crate::domain::ids::{ShipmentId, ShopId};
use crate::domain::order::{email_key, phone_key};
use crate::sheets::{Fault, Record, Row};
use crate::store::doubts::OpenDoubt;
use crate::store::import_rows::{ImportRow, RowName, RowReport};
use crate::store::import_runs::PlainRow;
use crate::store::imports::Import;
use crate::store::{SellerTables, StoreError};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Who of a chunk's rows was erased before: the seller sends them again, and what the rows say is not kept.
pub(super) struct Erased {
    numbers: BTreeSet<String>,
    shipments: BTreeSet<ShipmentId>,
}

impl Erased {
    pub(super) fn among(
        tables: &mut SellerTables,
        shop: ShopId,
        chunk: &[Judged],
        done: &[Done],
    ) -> Result<Self, StoreError> {
        let numbers: BTreeSet<&str> = chunk.iter().filter_map(|it| order_number(&it.record)).collect();
        let numbers: Vec<&str> = numbers.into_iter().collect();
        let shipments: Vec<ShipmentId> = done.iter().filter_map(|it| it.shipment_id).collect();
        Ok(Self {
            numbers: if numbers.is_empty() { BTreeSet::new() } else { tables.erased_numbers(shop, &numbers)? },
            shipments: if shipments.is_empty() { BTreeSet::new() } else { tables.erased_shipments(&shipments)? },
        })
    }

    fn tells_of(&self, record: &Record, done: &Done) -> bool {
        order_number(record).is_some_and(|number| self.numbers.contains(number))
            || done.shipment_id.is_some_and(|shipment| self.shipments.contains(&shipment))
    }
}

/// Warns of what is doubtful about the numbers of a chunk's rows, by all that is known when the chunk is written. Rows of
/// events tell of parcels that are there already, and are not warned.
pub(super) fn note_doubts(tables: &mut SellerTables, chunk: &[Judged], done: &mut [Done]) -> Result<(), WorkError> {
    let told = |judged: &Judged, done: &Done| {
        let tells = judged.record.row.as_ref().is_some_and(|row| row.tracking().is_some());
        done.shipment_id.filter(|_| tells)
    };
    let ids: Vec<ShipmentId> = chunk.iter().zip(done.iter()).filter_map(|(judged, done)| told(judged, done)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let doubts = tables.open_doubts(&ids)?;
    for (judged, done) in chunk.iter().zip(done) {
        let about = told(judged, done).and_then(|id| doubts.get(&id)).into_iter().flatten();
        let warning = |it: &OpenDoubt| Fault::of_cell("tracking_number", it.doubt.code().code(), it.doubt.sentence());
        done.warnings.extend(about.map(warning));
    }
    Ok(())
}

/// Writes the results of rows: together where they left nothing to say, else each for itself.
pub(super) fn note_rows(
    tables: &mut SellerTables,
    import: &Import,
    (chunk, done): (&[Judged], &[Done]),
    (erased, is_trial): (&Erased, bool),
) -> Result<(), StoreError> {
    let (mut plain, mut own, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for (Judged { record, .. }, done) in chunk.iter().zip(done) {
        let is_erased = erased.tells_of(record, done);
        if is_plain(record, done) && !is_erased {
            // What a trial made is taken back, and its ids lead nowhere.
            let order_id = done.order_id.filter(|_| !is_trial);
            let shipment_id = done.shipment_id.filter(|_| !is_trial);
            plain.push(PlainRow { line: line_of(record), outcome: done.outcome, order_id, shipment_id });
            continue;
        }
        own.push(ImportRow {
            import_id: import.id,
            line: line_of(record),
            outcome: done.outcome.to_owned(),
            order_id: done.order_id,
            shipment_id: done.shipment_id,
            report: if is_erased { RowReport::erased() } else { report(record, done) },
        });
        let leads_nowhere = is_trial || (done.order_id.is_none() && done.shipment_id.is_none());
        if leads_nowhere && !is_erased {
            named.push((line_of(record), names(record, import.shop_id)));
        }
    }
    tables.insert_import_run(import.id, &plain)?;
    tables.insert_import_rows(own)?;
    for (line, names) in named {
        tables.name_import_row(import.id, line, &names)?;
    }
    Ok(())
}

/// Whether there is nothing to say of a row but what became of it, and of which order.
fn is_plain(record: &Record, done: &Done) -> bool {
    done.order_id.is_some() && done.errors.is_empty() && record.warnings.is_empty() && done.warnings.is_empty()
}

fn report(record: &Record, done: &Done) -> RowReport {
    let cells: Map<String, Value> =
        record.read.iter().map(|(column, value)| ((*column).to_owned(), json!(value))).collect();
    let warnings: Vec<&Fault> = record.warnings.iter().chain(&done.warnings).collect();
    RowReport { cells: Value::Object(cells), errors: json!(done.errors), warnings: json!(warnings) }
}

fn names(record: &Record, shop: ShopId) -> Vec<RowName> {
    let names = record.read.iter().filter_map(|(column, value)| match *column {
        "email" => email_key(value).map(RowName::Email),
        "phone" => phone_key(value).map(|_| RowName::Phone(value.clone())),
        "order_number" => Some(RowName::Order(shop, value.clone())),
        "tracking_number" | "forwarder_number" | "last_mile_number" => Some(RowName::TrackingNumber(value.clone())),
        _ => None,
    });
    names.collect()
}

/// Also of a row that cannot be taken.
fn order_number(record: &Record) -> Option<&str> {
    let read = || record.read.iter().find(|(name, _)| *name == "order_number").map(|(_, value)| value.as_str());
    record.row.as_ref().and_then(Row::order_number).or_else(read)
}
