//! All sellers, for admins.

use crate::store::sellers::Seller;
use crate::store::{Reason, Store, StoreError};

/// All sellers, oldest first.
pub fn list_sellers(store: &Store) -> Result<Vec<Seller>, StoreError> {
    store.platform(Reason::Admin).read(|tables| tables.sellers())
}
