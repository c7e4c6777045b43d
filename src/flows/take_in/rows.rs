//! What became of the rows of an import. What plain rows said is not kept apart from the file: it is read there again.

use super::row::line_of;
use super::stored_file::StoredFile;
use super::work::{Context, context, sheet_options};
use crate::sheets;
use crate::store::imports::Import;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub use crate::store::import_rows::ImportRow;

/// Why there are no row results to show.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    #[error("the rows of this import are not kept any more")]
    Expired,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which rows are asked for.
#[derive(Debug, Clone, Default)]
pub struct RowsAsked {
    pub outcome: Option<String>,
    /// The line of the last row that is known already.
    pub after: i64,
    pub limit: i64,
    /// Leaves out the rows that left nothing to say.
    pub with_something_to_say: bool,
}

/// Row results after a line, in the order of the file. What a plain row said is gone with the
/// file.
///
/// # Errors
///
/// [`RowsError::Expired`] once they were deleted by age.
pub fn list_rows(
    store: &Store,
    import: &Import,
    asked: &RowsAsked,
    now: Timestamp,
) -> Result<Vec<ImportRow>, RowsError> {
    if import.expired_at.is_some() {
        return Err(RowsError::Expired);
    }
    let (outcome, limit) = (asked.outcome.as_deref(), usize::try_from(asked.limit).unwrap_or(0));
    let (own, plain) = store.seller(import.seller_id).read(|tables| -> Result<_, StoreError> {
        let own = tables.import_rows_page(import.id, outcome, asked.after, asked.limit)?;
        let limit = if asked.with_something_to_say { 0 } else { limit };
        Ok((own, tables.plain_rows(import.id, outcome, asked.after, limit)?))
    })?;
    let mut rows: BTreeMap<i64, ImportRow> = own.into_iter().map(|row| (row.line, row)).collect();
    rows.extend(plain.iter().map(|row| (row.line, ImportRow::plain(import.id, row))));
    let mut rows: Vec<ImportRow> = rows.into_values().take(limit).collect();
    let is_plain = |row: &ImportRow| row.report.cells == json!({});
    if let Some(last) = rows.iter().rfind(|row| is_plain(row)).map(|row| row.line) {
        let mut said = read_again(store, import, (asked.after, last), now)?;
        for row in rows.iter_mut().filter(|row| is_plain(row)) {
            let gone = || if import.file_erased_at.is_some() { json!({"erased": true}) } else { json!({}) };
            row.report.cells = said.remove(&row.line).map_or_else(gone, Value::Object);
        }
    }
    Ok(rows)
}

/// What the rows between two lines say, by line; nothing where the file is gone, or cannot be read any more.
fn read_again(
    store: &Store,
    import: &Import,
    (after, last): (i64, i64),
    now: Timestamp,
) -> Result<BTreeMap<i64, Map<String, Value>>, StoreError> {
    let mut said = BTreeMap::new();
    if import.has_lost_its_file() {
        return Ok(said);
    }
    let seller_store = store.seller(import.seller_id);
    let Context { seller, known, .. } = seller_store.read(|tables| context(tables, import))?;
    let options = sheet_options(import, &seller, known, now);
    let Ok(survey) = sheets::survey(StoredFile::open(seller_store, import), &options) else { return Ok(said) };
    let Ok(records) = sheets::records(StoredFile::open(seller_store, import), &survey, &options) else {
        return Ok(said);
    };
    for record in records.map_while(Result::ok) {
        let line = line_of(&record);
        if line > last {
            break;
        }
        if line > after {
            let cells = record.read.into_iter().map(|(column, value)| (column.to_owned(), json!(value)));
            said.insert(line, cells.collect());
        }
    }
    Ok(said)
}
