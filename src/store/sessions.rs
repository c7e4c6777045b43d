//! Sessions: who is signed in to the pages. Only a digest of the token is stored.

use super::directory::Listed;
use super::schema::{directory, sessions, users};
use super::types::At;
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{PrincipalId, SellerId};
use diesel::prelude::*;
use jiff::Timestamp;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub seller_id: SellerId,
    pub user_id: PrincipalId,
    /// SHA-256 of the token: fast is right for 256 random bits.
    pub token_hash: Vec<u8>,
    pub created_at: At,
    /// Not of every request: see who writes it.
    pub seen_at: At,
    /// It ends then, whatever happens in between.
    pub expires_at: At,
}

impl PlatformTables<'_> {
    /// The session of this digest, over or not; of somebody who is not shut out.
    pub fn session_by_token(&mut self, hash: &[u8]) -> Result<Option<Session>, StoreError> {
        let found = sessions::table
            .inner_join(users::table.on(users::seller_id.eq(sessions::seller_id).and(users::id.eq(sessions::user_id))))
            .inner_join(directory::table.on(directory::seller_id.eq(sessions::seller_id)))
            .filter(directory::kind.eq(Listed::Session.code()))
            .filter(directory::hash.eq(hash))
            .filter(sessions::token_hash.eq(hash))
            .filter(users::disabled_at.is_null());
        Ok(found.select(Session::as_select()).get_result(self.connection).optional()?)
    }
}

impl SellerTables<'_> {
    pub fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.list_in_directory(Listed::Session, &session.token_hash)?;
        diesel::insert_into(sessions::table).values(session).execute(self.connection)?;
        Ok(())
    }

    pub fn note_session_seen(&mut self, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let mine = sessions::table.filter(sessions::seller_id.eq(self.seller)).filter(sessions::token_hash.eq(hash));
        diesel::update(mine).set(sessions::seen_at.eq(At(now))).execute(self.connection)?;
        Ok(())
    }

    pub fn delete_session(&mut self, hash: &[u8]) -> Result<(), StoreError> {
        let mine = sessions::table.filter(sessions::seller_id.eq(self.seller)).filter(sessions::token_hash.eq(hash));
        self.remove_from_directory(Listed::Session, &[hash.to_vec()])?;
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }

    pub fn delete_sessions_of(&mut self, user: PrincipalId) -> Result<(), StoreError> {
        let mine = sessions::table.filter(sessions::seller_id.eq(self.seller)).filter(sessions::user_id.eq(user));
        let tokens: Vec<Vec<u8>> = mine.select(sessions::token_hash).load(self.connection)?;
        self.remove_from_directory(Listed::Session, &tokens)?;
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }

    /// Deletes the sessions that expired by `now`, or were last seen before `idle_since`.
    pub fn delete_sessions_over(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError> {
        let mine = sessions::table
            .filter(sessions::seller_id.eq(self.seller))
            .filter(sessions::expires_at.le(At(now)).or(sessions::seen_at.lt(At(idle_since))));
        let tokens: Vec<Vec<u8>> = mine.select(sessions::token_hash).load(self.connection)?;
        self.remove_from_directory(Listed::Session, &tokens)?;
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }
}
