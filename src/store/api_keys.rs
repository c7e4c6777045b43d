//! API keys: only a digest is stored.

use super::directory::{Listed, PLATFORM};
use super::schema::{api_keys, directory};
use super::types::{At, Owner};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{PrincipalId, SellerId};
use diesel::prelude::*;
use jiff::Timestamp;

/// A key as it is stored. The key itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    pub id: PrincipalId,
    /// `None` for an admin's key.
    #[diesel(serialize_as = Owner, deserialize_as = Owner)]
    pub seller_id: Option<SellerId>,
    pub role: String,
    /// What its owner calls it.
    pub name: String,
    /// The first characters, by which people tell keys apart.
    pub prefix: String,
    /// SHA-256 of the whole key: fast is right for 256 random bits.
    pub hash: Vec<u8>,
    pub created_by: PrincipalId,
    pub created_at: At,
    pub expires_at: Option<At>,
    pub revoked_at: Option<At>,
}

impl ApiKey {
    /// Whether it opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at.0 > now)
    }
}

impl PlatformTables<'_> {
    pub fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let owner = key.seller_id.unwrap_or(PLATFORM);
        self.list_in_directory(Listed::ApiKey, &key.hash, owner)?;
        self.list_in_directory(Listed::ApiKeyId, key.id.0.as_bytes(), owner)?;
        diesel::insert_into(api_keys::table).values(key.clone()).execute(self.connection)?;
        Ok(())
    }

    /// The key of this digest, live or not.
    pub fn api_key_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiKey>, StoreError> {
        let found = api_keys::table
            .inner_join(directory::table.on(directory::seller_id.eq(api_keys::seller_id)))
            .filter(directory::kind.eq(Listed::ApiKey.code()))
            .filter(directory::hash.eq(hash))
            .filter(api_keys::hash.eq(hash));
        Ok(found.select(ApiKey::as_select()).get_result(self.connection).optional()?)
    }

    /// The key of this id, live or not.
    pub fn api_key(&mut self, id: PrincipalId) -> Result<Option<ApiKey>, StoreError> {
        let found = api_keys::table
            .inner_join(directory::table.on(directory::seller_id.eq(api_keys::seller_id)))
            .filter(directory::kind.eq(Listed::ApiKeyId.code()))
            .filter(directory::hash.eq(id.0.as_bytes().as_slice()))
            .filter(api_keys::id.eq(id));
        Ok(found.select(ApiKey::as_select()).get_result(self.connection).optional()?)
    }
}

impl SellerTables<'_> {
    pub fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        self.list_in_directory(Listed::ApiKey, &key.hash)?;
        self.list_in_directory(Listed::ApiKeyId, key.id.0.as_bytes())?;
        diesel::insert_into(api_keys::table).values(key.clone()).execute(self.connection)?;
        Ok(())
    }

    /// This seller's keys, revoked ones too, oldest first.
    pub fn api_keys(&mut self) -> Result<Vec<ApiKey>, StoreError> {
        let mine = api_keys::table.filter(api_keys::seller_id.eq(self.seller)).order(api_keys::id);
        Ok(mine.select(ApiKey::as_select()).load(self.connection)?)
    }

    /// Ends a key; `false` where the seller has no such key that is not revoked yet.
    pub fn revoke_api_key(&mut self, id: PrincipalId, now: Timestamp) -> Result<bool, StoreError> {
        let mine = api_keys::table
            .filter(api_keys::seller_id.eq(self.seller))
            .filter(api_keys::id.eq(id))
            .filter(api_keys::revoked_at.is_null());
        Ok(diesel::update(mine).set(api_keys::revoked_at.eq(Some(At(now)))).execute(self.connection)? > 0)
    }
}
