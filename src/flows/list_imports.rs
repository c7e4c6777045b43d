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
