//! The repaired file of an import: what its seller has to mend, in the seller's own columns.

use super::row::line_of;
use super::stored_file::StoredFile;
use super::work::{Context, WorkError, context, sheet_options};
use crate::sheets::{self, Fault, SheetError};
use crate::store::imports::Import;
use crate::store::{SellerStore, Store, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io;

/// The rejected rows of an import in the seller's own columns, with what is wrong and what can be proved.
///
/// # Errors
///
/// [`WorkError::Expired`] where the file is not kept any more, [`WorkError::File`] where it cannot be read.
pub fn repaired_file(store: &Store, import: &Import, now: Timestamp) -> Result<Vec<u8>, WorkError> {
    let seller_store = store.seller(import.seller_id);
    let Context { seller, known, .. } = seller_store.read(|tables| context(tables, import))?;
    let options = sheet_options(import, &seller, known, now);
    if import.has_lost_its_file() {
        return Err(WorkError::Expired);
    }
    // What the sheet says of itself may quote its cells, and this ends in a log.
    let unreadable = |error: SheetError| match error {
        SheetError::Io(error) => WorkError::File(error),
        SheetError::Rejected(_) => WorkError::File(io::Error::other("it was read before, and is refused now")),
    };
    let survey = sheets::survey(StoredFile::open(seller_store, import), &options).map_err(unreadable)?;
    let mut rejected = rejected_rows(seller_store, import)?;
    let mut file = Vec::new();
    let mut writer = sheets::RepairedWriter::new(&mut file, &survey).map_err(WorkError::File)?;
    for record in sheets::records(StoredFile::open(seller_store, import), &survey, &options).map_err(unreadable)? {
        let mut record = record.map_err(unreadable)?;
        if let Some(errors) = rejected.remove(&line_of(&record)) {
            record.errors = errors;
            writer.write(&record).map_err(WorkError::File)?;
        }
    }
    writer.finish().map_err(WorkError::File)?;
    Ok(file)
}

fn rejected_rows(store: SellerStore<'_>, import: &Import) -> Result<HashMap<i64, Vec<Fault>>, StoreError> {
    let mut rejected = HashMap::new();
    let mut after = 0;
    loop {
        let page = store.read(|tables| tables.import_rows_page(import.id, Some("rejected"), after, 1000))?;
        let Some(last) = page.last() else { return Ok(rejected) };
        after = last.line;
        for row in page {
            let errors: Vec<Fault> = serde_json::from_value(row.report.errors).unwrap_or_default();
            // A rejected row without an error is one whose person was erased.
            if !errors.is_empty() {
                rejected.insert(row.line, errors);
            }
        }
    }
}
