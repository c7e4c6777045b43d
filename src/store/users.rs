//! People of a seller, and those who were invited. Names and addresses are sealed; a person is found by keyed hash.
//!
//! The hash is made under the instance's key, not the seller's: who signs in tells an e-mail address and no seller.

use super::directory::Listed;
use super::schema::{directory, invitations, users};
use super::types::At;
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{InvitationId, PrincipalId, SellerId};
use crate::domain::order::email_key;
use crate::domain::person::Person;
use diesel::prelude::*;
use jiff::Timestamp;

/// A person who has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: PrincipalId,
    pub person: Person,
    pub role: String,
    pub created_at: At,
    /// From then on no password of this person opens anything.
    pub disabled_at: Option<At>,
}

/// A person who was asked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub person: Person,
    pub role: String,
    pub invited_by: PrincipalId,
    pub created_at: At,
    pub expires_at: At,
    /// It was taken, taken back, or another took its place.
    pub ended_at: Option<At>,
}

/// One of those whose e-mail address it may be who signs in.
#[derive(Debug, Clone, Queryable)]
pub struct Candidate {
    pub seller_id: SellerId,
    pub id: PrincipalId,
    pub password_hash: String,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, primary_key(seller_id, id), treat_none_as_null = true)]
struct UserRow {
    seller_id: SellerId,
    id: PrincipalId,
    sealed: Vec<u8>,
    email_hash: Vec<u8>,
    password_hash: String,
    role: String,
    created_at: At,
    disabled_at: Option<At>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = invitations)]
struct InvitationRow {
    seller_id: SellerId,
    id: InvitationId,
    sealed: Vec<u8>,
    email_hash: Vec<u8>,
    role: String,
    token_hash: Vec<u8>,
    invited_by: PrincipalId,
    created_at: At,
    expires_at: At,
    ended_at: Option<At>,
}

fn user_purpose(id: PrincipalId) -> Vec<u8> {
    [b"user".as_slice(), id.0.as_bytes()].concat()
}

fn invitation_purpose(id: InvitationId) -> Vec<u8> {
    [b"invitation".as_slice(), id.0.as_bytes()].concat()
}

impl PlatformTables<'_> {
    /// Deletes the invitations, with name and address, that ran out before `before`, taken or not.
    pub fn delete_old_invitations(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        let old = invitations::table.filter(invitations::expires_at.lt(At(before)));
        let tokens: Vec<Vec<u8>> = old.select(invitations::token_hash).load(self.connection)?;
        self.remove_from_directory(Listed::Invitation, &tokens)?;
        Ok(diesel::delete(old).execute(self.connection)?)
    }

    /// Those of any seller who sign in with this e-mail address, who joined first first.
    pub fn candidates(&mut self, email: &str, limit: i64) -> Result<Vec<Candidate>, StoreError> {
        let hash = self.vaults.email_hash(email);
        let found = users::table
            .inner_join(directory::table.on(directory::seller_id.eq(users::seller_id)))
            .filter(directory::kind.eq(Listed::User.code()))
            .filter(directory::hash.eq(hash.clone()))
            .filter(users::email_hash.eq(hash))
            .filter(users::disabled_at.is_null())
            .order(users::id)
            .limit(limit)
            .select((users::seller_id, users::id, users::password_hash));
        Ok(found.load(self.connection)?)
    }

    /// The invitation whose link carries the token of this digest, and its seller.
    pub fn invitation_by_token(&mut self, hash: &[u8]) -> Result<Option<(SellerId, InvitationId)>, StoreError> {
        let found = invitations::table
            .inner_join(directory::table.on(directory::seller_id.eq(invitations::seller_id)))
            .filter(directory::kind.eq(Listed::Invitation.code()))
            .filter(directory::hash.eq(hash))
            .filter(invitations::token_hash.eq(hash));
        Ok(found.select((invitations::seller_id, invitations::id)).get_result(self.connection).optional()?)
    }
}

impl SellerTables<'_> {
    /// This seller's people, disabled ones too, who joined first first.
    pub fn users(&mut self) -> Result<Vec<User>, StoreError> {
        let mine = users::table.filter(users::seller_id.eq(self.seller)).order(users::id);
        let rows = mine.select(UserRow::as_select()).load(self.connection)?;
        rows.into_iter().map(|row| self.opened_user(row)).collect()
    }

    pub fn user(&mut self, id: PrincipalId) -> Result<Option<User>, StoreError> {
        let mine = users::table.filter(users::seller_id.eq(self.seller)).filter(users::id.eq(id));
        let row = mine.select(UserRow::as_select()).get_result(self.connection).optional()?;
        row.map(|row| self.opened_user(row)).transpose()
    }

    /// The person of this e-mail address, disabled or not.
    pub fn user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        let hash = self.vaults.email_hash(email);
        let mine = users::table.filter(users::seller_id.eq(self.seller)).filter(users::email_hash.eq(hash));
        let row = mine.select(UserRow::as_select()).get_result(self.connection).optional()?;
        row.map(|row| self.opened_user(row)).transpose()
    }

    pub fn insert_user(&mut self, user: &User, password_hash: String) -> Result<(), StoreError> {
        let row = self.sealed_user(user, password_hash)?;
        self.list_in_directory(Listed::User, &row.email_hash)?;
        diesel::insert_into(users::table).values(&row).execute(self.connection)?;
        Ok(())
    }

    /// Writes a person over what is on file, with a new password.
    pub fn update_user(&mut self, user: &User, password_hash: String) -> Result<(), StoreError> {
        let row = self.sealed_user(user, password_hash)?;
        self.list_in_directory(Listed::User, &row.email_hash)?;
        let mine = users::table.filter(users::seller_id.eq(self.seller)).filter(users::id.eq(user.id));
        diesel::update(mine).set(&row).execute(self.connection)?;
        Ok(())
    }

    /// Shuts a person out; `false` where the seller has none of this id who is not out yet.
    pub fn disable_user(&mut self, id: PrincipalId, now: Timestamp) -> Result<bool, StoreError> {
        let mine = users::table
            .filter(users::seller_id.eq(self.seller))
            .filter(users::id.eq(id))
            .filter(users::disabled_at.is_null());
        Ok(diesel::update(mine).set(users::disabled_at.eq(Some(At(now)))).execute(self.connection)? > 0)
    }

    pub fn insert_invitation(&mut self, invitation: &Invitation, token_hash: Vec<u8>) -> Result<(), StoreError> {
        let row = InvitationRow {
            seller_id: self.seller,
            id: invitation.id,
            sealed: self.seal(&invitation_purpose(invitation.id), &invitation.person)?,
            email_hash: self.vaults.email_hash(&invitation.person.email),
            role: invitation.role.clone(),
            token_hash,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            ended_at: invitation.ended_at,
        };
        self.list_in_directory(Listed::Invitation, &row.token_hash)?;
        diesel::insert_into(invitations::table).values(&row).execute(self.connection)?;
        Ok(())
    }

    pub fn invitation(&mut self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        let mine = invitations::table.filter(invitations::seller_id.eq(self.seller)).filter(invitations::id.eq(id));
        let row = mine.select(InvitationRow::as_select()).get_result(self.connection).optional()?;
        row.map(|row| self.opened_invitation(row)).transpose()
    }

    /// Invitations that can still be taken, oldest first.
    pub fn open_invitations(&mut self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let mine = invitations::table
            .filter(invitations::seller_id.eq(self.seller))
            .filter(invitations::ended_at.is_null())
            .filter(invitations::expires_at.gt(At(now)))
            .order(invitations::id);
        let rows = mine.select(InvitationRow::as_select()).load(self.connection)?;
        rows.into_iter().map(|row| self.opened_invitation(row)).collect()
    }

    /// Ends an invitation; `false` where the seller has none of this id that has not ended yet.
    pub fn end_invitation(&mut self, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
        let mine = invitations::table
            .filter(invitations::seller_id.eq(self.seller))
            .filter(invitations::id.eq(id))
            .filter(invitations::ended_at.is_null());
        Ok(diesel::update(mine).set(invitations::ended_at.eq(Some(At(now)))).execute(self.connection)? > 0)
    }

    /// Ends all invitations of an e-mail address, so that only the next one opens the door.
    pub fn end_invitations_of(&mut self, email: &str, now: Timestamp) -> Result<(), StoreError> {
        let mine = invitations::table
            .filter(invitations::seller_id.eq(self.seller))
            .filter(invitations::email_hash.eq(self.vaults.email_hash(email)))
            .filter(invitations::ended_at.is_null());
        diesel::update(mine).set(invitations::ended_at.eq(Some(At(now)))).execute(self.connection)?;
        Ok(())
    }

    fn sealed_user(&mut self, user: &User, password_hash: String) -> Result<UserRow, StoreError> {
        Ok(UserRow {
            seller_id: self.seller,
            id: user.id,
            sealed: self.seal(&user_purpose(user.id), &user.person)?,
            email_hash: self.vaults.email_hash(&user.person.email),
            password_hash,
            role: user.role.clone(),
            created_at: user.created_at,
            disabled_at: user.disabled_at,
        })
    }

    fn opened_user(&mut self, row: UserRow) -> Result<User, StoreError> {
        let person = self.open(&user_purpose(row.id), &row.sealed)?;
        Ok(User { id: row.id, person, role: row.role, created_at: row.created_at, disabled_at: row.disabled_at })
    }

    fn opened_invitation(&mut self, row: InvitationRow) -> Result<Invitation, StoreError> {
        Ok(Invitation {
            person: self.open(&invitation_purpose(row.id), &row.sealed)?,
            id: row.id,
            role: row.role,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        })
    }
}

/// What an address is found by: as it is compared, or as it is where it is no address at all.
pub(super) fn comparable(email: &str) -> String {
    email_key(email).unwrap_or_else(|| email.to_owned())
}
