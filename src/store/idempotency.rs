//! Idempotency keys: what was asked under a key, who works on it, and how it was answered.

use super::schema::idempotency_keys;
use super::types::At;
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{ClaimId, ImportId, SellerId};
use diesel::prelude::*;
use jiff::Timestamp;

/// The use of a key.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
pub struct KeyUse {
    pub seller_id: SellerId,
    /// Method and path as in the table of routes: the same key elsewhere is another key.
    pub route: String,
    pub key: String,
    /// Who works on it, or did: nobody else writes the answer.
    pub claim: ClaimId,
    /// A silent worker is taken for dead from then on.
    pub locked_until: At,
    /// A hash of the request; `None` until a body that streams has come in.
    pub fingerprint: Option<Vec<u8>>,
    /// The import that was made of it.
    pub import_id: Option<ImportId>,
    /// Sealed; `None` until the work is done.
    pub answer: Option<Vec<u8>>,
    pub created_at: At,
}

/// One request's hold on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub seller: SellerId,
    pub route: String,
    pub key: String,
    pub claim: ClaimId,
}

/// The row that a hold holds, in a seller's table.
macro_rules! held {
    ($tables:expr, $hold:expr) => {
        idempotency_keys::table
            .filter(idempotency_keys::seller_id.eq($tables.seller))
            .filter(idempotency_keys::route.eq(&$hold.route))
            .filter(idempotency_keys::key.eq(&$hold.key))
            .filter(idempotency_keys::claim.eq($hold.claim))
    };
}

impl SellerTables<'_> {
    /// Forgets every answer that is kept for this seller, and keeps none of those at work. Under which key an import was
    /// made stays known: it is told of as it is now.
    pub fn forget_answers(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mine = || idempotency_keys::table.filter(idempotency_keys::seller_id.eq(self.seller));
        let imports = mine().filter(idempotency_keys::import_id.is_not_null());
        let forgotten = (idempotency_keys::answer.eq(None::<Vec<u8>>), idempotency_keys::locked_until.eq(At(now)));
        diesel::update(imports.filter(idempotency_keys::answer.is_not_null()))
            .set(forgotten)
            .execute(self.connection)?;
        let others = mine().filter(idempotency_keys::import_id.is_null());
        diesel::delete(others.filter(idempotency_keys::answer.is_not_null())).execute(self.connection)?;
        // Of an upload that is still coming in nothing but its place is told, and it must not be taken over.
        let at_work =
            mine().filter(idempotency_keys::import_id.is_null()).filter(idempotency_keys::fingerprint.is_not_null());
        diesel::update(at_work).set(idempotency_keys::claim.eq(ClaimId::new(now))).execute(self.connection)?;
        Ok(())
    }

    pub fn key_use(&mut self, route: &str, key: &str) -> Result<Option<KeyUse>, StoreError> {
        let mine = idempotency_keys::table
            .filter(idempotency_keys::seller_id.eq(self.seller))
            .filter(idempotency_keys::route.eq(route))
            .filter(idempotency_keys::key.eq(key));
        Ok(mine.select(KeyUse::as_select()).get_result(self.connection).optional()?)
    }

    /// Writes a new use of a key over an old one.
    pub fn put_key_use(&mut self, used: &KeyUse) -> Result<(), StoreError> {
        let mine = idempotency_keys::table
            .filter(idempotency_keys::seller_id.eq(self.seller))
            .filter(idempotency_keys::route.eq(&used.route))
            .filter(idempotency_keys::key.eq(&used.key));
        diesel::delete(mine).execute(self.connection)?;
        diesel::insert_into(idempotency_keys::table).values(used).execute(self.connection)?;
        Ok(())
    }

    /// Holds a key longer; nothing happens where the hold was lost.
    pub fn renew_key(&mut self, hold: &Hold, until: Timestamp) -> Result<(), StoreError> {
        diesel::update(held!(self, hold)).set(idempotency_keys::locked_until.eq(At(until))).execute(self.connection)?;
        Ok(())
    }

    /// Notes what was made under a key; `false` where the hold was lost.
    pub fn note_import(&mut self, hold: &Hold, fingerprint: &[u8], import: ImportId) -> Result<bool, StoreError> {
        let noted = diesel::update(held!(self, hold))
            .set((idempotency_keys::fingerprint.eq(Some(fingerprint)), idempotency_keys::import_id.eq(Some(import))))
            .execute(self.connection)?;
        Ok(noted > 0)
    }

    /// Keeps the sealed answer; nothing happens where the hold was lost.
    pub fn keep_answer(&mut self, hold: &Hold, sealed: &[u8]) -> Result<(), StoreError> {
        diesel::update(held!(self, hold)).set(idempotency_keys::answer.eq(Some(sealed))).execute(self.connection)?;
        Ok(())
    }

    /// Sets a key free, as if it had never been used; one under which an import was made is left to tell of it, and no
    /// longer held.
    pub fn free_key(&mut self, hold: &Hold, now: Timestamp) -> Result<(), StoreError> {
        diesel::delete(held!(self, hold).filter(idempotency_keys::import_id.is_null())).execute(self.connection)?;
        self.renew_key(hold, now)
    }
}

impl PlatformTables<'_> {
    /// Forgets the uses of keys that began before `before`.
    pub fn forget_key_uses(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        let old = idempotency_keys::table.filter(idempotency_keys::created_at.le(At(before)));
        Ok(diesel::delete(old).execute(self.connection)?)
    }
}
