//! A seller's API keys: made, listed, revoked. A key is shown once.

use crate::domain::actor::{Actor, PrincipalKind};
use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::name;
use crate::domain::role::Role;
use crate::secrets::{SecretError, api_key_prefix, digest, fresh_api_key};
use crate::store::audit::{Deed, Entry};
use crate::store::{At, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

pub use crate::store::api_keys::ApiKey;

/// A key that somebody wants.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: String,
    /// One of a seller's.
    pub role: Role,
    pub expires_at: Option<Timestamp>,
}

const LONGEST_NAME: usize = 64;

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("Call the key something of 1 to {LONGEST_NAME} characters, such as the system that uses it.")]
    Name,
    #[error("A seller's key is a seller-viewer, a seller-clerk or a seller-manager.")]
    Role,
    #[error("The key would have run out already; name a later time, or none.")]
    Expired,
    #[error("There is no such seller.")]
    NoSeller,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key; the text is the key itself, and is kept nowhere.
///
/// # Errors
///
/// [`KeyError`]; then nothing was made.
pub fn create_key(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    wanted: &NewKey,
    now: Timestamp,
) -> Result<(ApiKey, String), KeyError> {
    let name = name::plain(&wanted.name, LONGEST_NAME).ok_or(KeyError::Name)?;
    if wanted.role == Role::Admin {
        return Err(KeyError::Role);
    }
    if wanted.expires_at.is_some_and(|at| at <= now) {
        return Err(KeyError::Expired);
    }
    let text = fresh_api_key()?;
    let key = ApiKey {
        id: PrincipalId::new(now),
        seller_id: Some(seller),
        role: wanted.role.code().to_owned(),
        name: name.to_owned(),
        prefix: api_key_prefix(&text),
        hash: digest(&text),
        created_by: actor.id,
        created_at: At(now),
        expires_at: wanted.expires_at.map(At),
        revoked_at: None,
    };
    store.seller(seller).write(|tables| {
        tables.profile()?.ok_or(KeyError::NoSeller)?;
        tables.insert_principal(key.id, PrincipalKind::ApiKey, now)?;
        tables.insert_api_key(&key)?;
        let detail = json!({"role": key.role, "prefix": key.prefix});
        tables.audit(actor, Entry { deed: Deed::KeyCreated, object: Some(key.id.to_string()), detail }, now)?;
        Ok::<_, KeyError>(())
    })?;
    Ok((key, text))
}

/// The seller's keys, revoked ones too, oldest first.
///
/// # Errors
///
/// [`StoreError`].
pub fn list_keys(store: &Store, seller: SellerId) -> Result<Vec<ApiKey>, StoreError> {
    store.seller(seller).read(|tables| tables.api_keys())
}

/// Ends a key; nobody comes in with it any more from the next request on. `false` where the seller has no such key, or
/// it was revoked before.
///
/// # Errors
///
/// [`StoreError`]; then it is not revoked.
pub fn revoke_key(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    id: PrincipalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    store.seller(seller).write(|tables| {
        let revoked = tables.revoke_api_key(id, now)?;
        if revoked {
            let entry = Entry { deed: Deed::KeyRevoked, object: Some(id.to_string()), detail: json!({}) };
            tables.audit(actor, entry, now)?;
        }
        Ok(revoked)
    })
}
