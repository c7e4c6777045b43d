//! Imports as their seller sees them.

use crate::domain::ids::{ImportId, SellerId};
use crate::store::{Store, StoreError};

pub use crate::store::imports::Import;

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

/// Whether one row that cannot be taken keeps all others out.
pub fn is_all_or_nothing(import: &Import) -> bool {
    import.options.0.get("all_or_nothing").and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// How far an import has come, from 0 to 1; `None` until its file was looked through.
pub fn progress(import: &Import) -> Option<f64> {
    let rows = |rows: i64| i32::try_from(rows).map_or(f64::from(i32::MAX), f64::from);
    match (import.is_over(), import.rows_total) {
        (true, _) => Some(1.0),
        (false, 0) => None,
        (false, total) => Some((rows(import.rows_done()) / rows(total)).min(1.0)),
    }
}
