//! Who comes in: an API key is found by its digest.

use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::role::Role;
use crate::secrets::{digest, looks_like_api_key};
use crate::store::api_keys::ApiKey;
use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;

/// Who asks, and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub id: PrincipalId,
    /// `None` for an admin, who belongs to no seller.
    pub seller_id: Option<SellerId>,
    pub role: Role,
}

/// Finds the holder of a key; `None` where there is no such key, or it was revoked or has run out.
///
/// A key whose checksum is wrong was mistyped, and the database is not asked.
pub fn sign_in(store: &Store, key: &str, now: Timestamp) -> Result<Option<Principal>, StoreError> {
    if !looks_like_api_key(key) {
        return Ok(None);
    }
    let stored = store.platform(Reason::SignIn).read(|tables| tables.api_key_by_hash(&digest(key)))?;
    Ok(stored.and_then(|key| holder(&key, now)))
}

fn holder(key: &ApiKey, now: Timestamp) -> Option<Principal> {
    let role = key.role.parse().ok().filter(|_| key.is_live(now))?;
    Some(Principal { id: key.id, seller_id: key.seller_id, role })
}
