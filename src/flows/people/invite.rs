//! Asks people in, lists them, and shuts them out.

use crate::domain::actor::Actor;
use crate::domain::ids::{InvitationId, PrincipalId, SellerId};
use crate::domain::person::{self, Person, PersonFault};
use crate::domain::role::Role;
use crate::secrets::{SecretError, digest, fresh_token};
use crate::store::audit::{Deed, Entry};
use crate::store::users::{Invitation, User};
use crate::store::{At, Reason, SellerTables, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// So long an invitation can be taken.
const INVITATION_DAYS: i64 = 7;

/// Who is to be asked in.
#[derive(Debug, Clone)]
pub struct Invitee {
    pub email: String,
    pub name: Option<String>,
    pub role: Role,
}

/// An invitation with the token of its link, which is shown once.
pub struct Invited {
    pub invitation: Invitation,
    pub token: String,
}

/// Everybody of a seller.
pub struct People {
    /// Who can sign in, or could once.
    pub users: Vec<User>,
    /// Who was asked in and has not come yet.
    pub invitations: Vec<Invitation>,
}

/// Why nobody was asked in.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error(transparent)]
    Person(#[from] PersonFault),
    #[error("A person's role is seller-viewer, seller-clerk or seller-manager.")]
    Role,
    #[error("Somebody with this e-mail address is in already. Remove that person first, to start over.")]
    InAlready,
    #[error("There is no seller with this id.")]
    NoSeller,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks a person in. A later invitation of the same address takes the place of an earlier one.
///
/// # Errors
///
/// [`InviteError`]; then nothing was written.
pub fn invite(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    told: &Invitee,
    now: Timestamp,
) -> Result<Invited, InviteError> {
    if !Role::OF_SELLERS.contains(&told.role) {
        return Err(InviteError::Role);
    }
    let name = told.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let person = Person { email: person::email(&told.email)?, name: name.map(person::name).transpose()? };
    let token = fresh_token()?;
    let invitation = Invitation {
        id: InvitationId::new(now),
        person,
        role: told.role.code().to_owned(),
        invited_by: actor.id,
        created_at: At(now),
        expires_at: At(now.checked_add(SignedDuration::from_hours(24 * INVITATION_DAYS)).unwrap_or(now)),
        ended_at: None,
    };
    store.seller(seller).write(|tables| {
        tables.profile()?.ok_or(InviteError::NoSeller)?;
        let known = tables.user_by_email(&invitation.person.email)?;
        if known.is_some_and(|user| user.disabled_at.is_none()) {
            return Err(InviteError::InAlready);
        }
        tables.end_invitations_of(&invitation.person.email, now)?;
        tables.insert_invitation(&invitation, digest(&token))?;
        let object = Some(invitation.id.to_string());
        let entry = Entry { deed: Deed::UserInvited, object, detail: json!({"role": invitation.role}) };
        Ok(tables.audit(actor, entry, now)?)
    })?;
    Ok(Invited { invitation, token })
}

/// Everybody who is in or was asked in.
pub fn list_people(store: &Store, seller: SellerId, now: Timestamp) -> Result<People, StoreError> {
    store.seller(seller).read(|tables| {
        let users = tables.users()?;
        Ok(People { users, invitations: tables.open_invitations(now)? })
    })
}

/// Shuts a person out and ends the sessions, or takes an invitation back; `false` where the seller has neither of this
/// id. The last manager may go too: keys remain, and so does the command line.
pub fn remove(store: &Store, seller: SellerId, actor: &Actor, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    store.seller(seller).write(|tables| {
        let Some(deed) = removed(tables, id, now)? else { return Ok(false) };
        tables.audit(actor, Entry { deed, object: Some(id.to_string()), detail: json!({}) }, now)?;
        Ok(true)
    })
}

fn removed(tables: &mut SellerTables, id: Uuid, now: Timestamp) -> Result<Option<Deed>, StoreError> {
    if tables.disable_user(PrincipalId(id), now)? {
        tables.delete_sessions_of(PrincipalId(id))?;
        return Ok(Some(Deed::UserRemoved));
    }
    let ended = tables.end_invitation(InvitationId(id), now)?;
    Ok(ended.then_some(Deed::UserUninvited))
}

/// So long after it ran out an invitation is kept, so that its link says what became of it.
const KEPT_DAYS: i64 = 30;

/// Deletes old invitations, with the names and addresses in them.
///
/// # Errors
///
/// [`StoreError`]; then all are kept.
pub fn forget_old(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let before = now.saturating_sub(SignedDuration::from_hours(24 * KEPT_DAYS)).unwrap_or(now);
    store.platform(Reason::Retention).write(|tables| tables.delete_old_invitations(before))
}
