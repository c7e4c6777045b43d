//! API keys: only a digest is stored.

use super::schema::api_keys;
use super::types::At;
use super::{PlatformTables, StoreError};
use crate::domain::ids::{KeyId, SellerId};
use diesel::prelude::*;

/// A key as it is stored. The key itself is shown once, when it is made.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    pub id: KeyId,
    /// `None` for an admin's key.
    pub seller_id: Option<SellerId>,
    pub role: String,
    /// The first characters, by which people tell keys apart.
    pub prefix: String,
    /// SHA-256 of the whole key: fast is right for 256 random bits.
    pub hash: Vec<u8>,
    pub created_at: At,
    pub revoked_at: Option<At>,
}

impl PlatformTables<'_> {
    pub fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        diesel::insert_into(api_keys::table).values(key).execute(self.connection)?;
        Ok(())
    }

    /// The key of this digest, unless it was revoked.
    pub fn live_api_key(&mut self, hash: &[u8]) -> Result<Option<ApiKey>, StoreError> {
        let live = api_keys::table.filter(api_keys::hash.eq(hash)).filter(api_keys::revoked_at.is_null());
        Ok(live.select(ApiKey::as_select()).get_result(self.connection).optional()?)
    }
}
