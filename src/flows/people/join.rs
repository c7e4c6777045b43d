//! Takes an invitation: the person tells a name and a password, and is in.

use super::session::{self, Opened, SessionError};
use crate::domain::actor::{Actor, PrincipalKind};
use crate::domain::ids::{InvitationId, PrincipalId, SellerId};
use crate::domain::person::{self, Person, PersonFault};
use crate::secrets::{SecretError, digest, hash_password};
use crate::store::audit::{Deed, Entry};
use crate::store::users::{Invitation, User};
use crate::store::{At, Reason, SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

/// What the holder of an invitation's link is shown.
#[derive(Debug, Clone)]
pub struct Welcome {
    pub seller_name: String,
    pub person: Person,
    pub role: String,
}

/// What a person tells who joins.
pub struct Newcomer {
    pub name: String,
    pub password: String,
    /// The password once more.
    pub again: String,
    pub request_id: Option<String>,
}

/// Why nobody joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("This invitation has run out, was taken back or is used up. Ask for another one.")]
    NoInvitation,
    #[error(transparent)]
    Person(#[from] PersonFault),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SessionError> for JoinError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Secret(error) => Self::Secret(error),
            SessionError::Store(error) => Self::Store(error),
        }
    }
}

/// What an invitation asks to; wrong, old and used ones are told alike.
///
/// # Errors
///
/// [`JoinError::NoInvitation`], or the store's.
pub fn show_invitation(store: &Store, token: &str, now: Timestamp) -> Result<Welcome, JoinError> {
    let (seller, id) = find(store, token)?;
    store.seller(seller).read(|tables| {
        let invitation = open(tables, id, now)?;
        let profile = tables.profile()?.ok_or(JoinError::NoInvitation)?;
        Ok(Welcome { seller_name: profile.name, person: invitation.person, role: invitation.role })
    })
}

/// Makes the person a user and signs the person in. Slow, since a password is hashed.
///
/// A person who was removed and is asked in again is the same principal, with a new password.
///
/// # Errors
///
/// [`JoinError`]; then nothing was written.
pub fn join(store: &Store, token: &str, told: &Newcomer, now: Timestamp) -> Result<Opened, JoinError> {
    let (seller, id) = find(store, token)?;
    store.seller(seller).read(|tables| open(tables, id, now).map(drop))?;
    let name = person::name(&told.name)?;
    person::check_password(&told.password)?;
    if told.password != told.again {
        return Err(PersonFault::OtherPassword.into());
    }
    let password_hash = hash_password(&told.password)?;
    store.seller(seller).write(|tables| {
        let invitation = open(tables, id, now)?;
        tables.end_invitation(id, now)?;
        let person = Person { name: Some(name), ..invitation.person };
        let user = put_user(tables, User { person, ..newcomer(invitation.role, now) }, password_hash, now)?;
        let actor = Actor { id: user, request_id: told.request_id.clone() };
        let entry = Entry { deed: Deed::UserJoined, object: Some(id.to_string()), detail: json!({}) };
        tables.audit(&actor, entry, now)?;
        Ok(session::open(tables, (seller, user), now)?)
    })
}

fn newcomer(role: String, now: Timestamp) -> User {
    let person = Person { name: None, email: String::new() };
    User { id: PrincipalId::new(now), person, role, created_at: At(now), disabled_at: None }
}

fn put_user(
    tables: &mut SellerTables,
    user: User,
    password_hash: String,
    now: Timestamp,
) -> Result<PrincipalId, JoinError> {
    match tables.user_by_email(&user.person.email)? {
        Some(known) if known.disabled_at.is_none() => Err(JoinError::NoInvitation),
        Some(known) => {
            tables.update_user(&User { id: known.id, created_at: known.created_at, ..user }, password_hash)?;
            Ok(known.id)
        }
        None => {
            tables.insert_principal(user.id, PrincipalKind::User, now)?;
            tables.insert_user(&user, password_hash)?;
            Ok(user.id)
        }
    }
}

fn find(store: &Store, token: &str) -> Result<(SellerId, InvitationId), JoinError> {
    let found = store.platform(Reason::SignIn).read(|tables| tables.invitation_by_token(&digest(token)))?;
    found.ok_or(JoinError::NoInvitation)
}

fn open(tables: &mut SellerTables, id: InvitationId, now: Timestamp) -> Result<Invitation, JoinError> {
    let invitation = tables.invitation(id)?.ok_or(JoinError::NoInvitation)?;
    let is_open = invitation.ended_at.is_none() && invitation.expires_at.0 > now;
    if is_open { Ok(invitation) } else { Err(JoinError::NoInvitation) }
}
