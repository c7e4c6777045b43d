//! The keys that sign access tokens: the platform's own, their private halves sealed.

use super::schema::signing_keys;
use super::types::At;
use super::{PlatformTables, StoreError};
use diesel::prelude::*;
use jiff::Timestamp;

/// One pair of keys, with the time in which it signs.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
pub struct SigningKey {
    pub kid: String,
    pub public_key: Vec<u8>,
    pub private_sealed: Vec<u8>,
    pub created_at: At,
    /// Published before it signs, so that whoever keeps a copy of the published keys has it in time.
    pub signs_from: At,
    pub signs_until: At,
}

impl PlatformTables<'_> {
    pub fn insert_signing_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        diesel::insert_into(signing_keys::table).values(key).execute(self.connection)?;
        Ok(())
    }

    /// All on file, the one that signs last, last.
    pub fn signing_keys(&mut self) -> Result<Vec<SigningKey>, StoreError> {
        let all = signing_keys::table.order((signing_keys::signs_from, signing_keys::kid));
        Ok(all.select(SigningKey::as_select()).load(self.connection)?)
    }

    pub fn signing_key(&mut self, kid: &str) -> Result<Option<SigningKey>, StoreError> {
        let found = signing_keys::table.filter(signing_keys::kid.eq(kid)).select(SigningKey::as_select());
        Ok(found.get_result(self.connection).optional()?)
    }

    /// Forgets the keys that stopped signing before `before`.
    pub fn delete_signing_keys(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        let over = signing_keys::table.filter(signing_keys::signs_until.lt(At(before)));
        Ok(diesel::delete(over).execute(self.connection)?)
    }
}
