//! Imports as their seller sees them.

use crate::domain::ids::{ImportId, SellerId};
use crate::store::{Store, StoreError};

pub use crate::store::import_rows::ImportRow;
pub use crate::store::imports::Import;

/// Why there are no row results to show.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    #[error("the rows of this import are not kept any more")]
    Expired,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The names of a seller's shops, for showing.
pub fn shop_name(store: &Store, import: &Import) -> Result<Option<String>, StoreError> {
    let shops = store.seller(import.seller_id).read(|tables| tables.shops())?;
    Ok(shops.into_iter().find(|shop| shop.id == import.shop_id).map(|shop| shop.name))
}

/// One import; `None` where the seller has none of this id, or its file is still on its way in.
pub fn show_import(store: &Store, seller: SellerId, id: ImportId) -> Result<Option<Import>, StoreError> {
    let import = store.seller(seller).read(|tables| tables.import(id))?;
    Ok(import.filter(|import| import.state != "receiving"))
}

/// Imports before the cursor, newest first.
pub fn list_imports(
    store: &Store,
    seller: SellerId,
    before: Option<ImportId>,
    limit: i64,
) -> Result<Vec<Import>, StoreError> {
    store.seller(seller).read(|tables| tables.imports_page(before, limit))
}

/// Row results after a line, in the order of the file.
///
/// # Errors
///
/// [`RowsError::Expired`] once they were deleted by age.
pub fn list_rows(
    store: &Store,
    import: &Import,
    outcome: Option<&str>,
    after_line: i64,
    limit: i64,
) -> Result<Vec<ImportRow>, RowsError> {
    if import.expired_at.is_some() {
        return Err(RowsError::Expired);
    }
    let rows =
        store.seller(import.seller_id).read(|tables| tables.import_rows_page(import.id, outcome, after_line, limit));
    rows.map_err(RowsError::Store)
}
