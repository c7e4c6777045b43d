//! Who comes in: an API key is found by its digest.

use crate::domain::ids::{KeyId, SellerId};
use crate::domain::role::Role;
use crate::secrets::{digest, looks_like_api_key};
use crate::store::{Reason, Store, StoreError};

/// Who asks, and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub key_id: KeyId,
    /// `None` for an admin, who belongs to no seller.
    pub seller_id: Option<SellerId>,
    pub role: Role,
}

/// Finds the holder of a key; `None` where there is no such key, or it was revoked.
///
/// A key whose checksum is wrong was mistyped, and the database is not asked.
pub fn sign_in(store: &Store, key: &str) -> Result<Option<Principal>, StoreError> {
    if !looks_like_api_key(key) {
        return Ok(None);
    }
    let stored = store.platform(Reason::SignIn).read(|tables| tables.live_api_key(&digest(key)))?;
    Ok(stored.and_then(|key| {
        let role = key.role.parse().ok()?;
        Some(Principal { key_id: key.id, seller_id: key.seller_id, role })
    }))
}
