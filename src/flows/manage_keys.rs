//! A seller's API keys: make, list and revoke them. A key is shown once.

use crate::domain::actor::{Actor, PrincipalKind};
use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::role::Role;
use crate::secrets::{SecretError, api_key_prefix, digest, fresh_api_key};
use crate::store::audit::{Deed, Entry};
use crate::store::{At, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

pub use crate::store::api_keys::ApiKey;

const LONGEST_NAME: usize = 100;

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub name: String,
    pub role: Role,
    pub expires_at: Option<Timestamp>,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("A key's name has 1 to {LONGEST_NAME} characters.")]
    Name,
    #[error("A seller's key is seller-viewer, seller-clerk or seller-manager.")]
    Role,
    #[error("A key cannot run out before it is made.")]
    Expiry,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key; the text beside it is the key itself, and nobody can read it again.
///
/// # Errors
///
/// [`KeyError`]; then nothing was written.
pub fn create_key(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    told: NewKey,
    now: Timestamp,
) -> Result<(ApiKey, String), KeyError> {
    let NewKey { name, role, expires_at } = told;
    let name = name.trim();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(KeyError::Name);
    }
    if !Role::OF_SELLERS.contains(&role) {
        return Err(KeyError::Role);
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(KeyError::Expiry);
    }
    let text = fresh_api_key()?;
    let key = ApiKey {
        id: PrincipalId::new(now),
        seller_id: Some(seller),
        role: role.code().to_owned(),
        name: name.to_owned(),
        prefix: api_key_prefix(&text),
        hash: digest(&text),
        created_by: actor.id,
        created_at: At(now),
        expires_at: expires_at.map(At),
        revoked_at: None,
    };
    store.seller(seller).write(|tables| {
        tables.insert_principal(key.id, PrincipalKind::ApiKey, now)?;
        tables.insert_api_key(&key)?;
        let detail = json!({"role": key.role});
        tables.audit(actor, Entry { deed: Deed::KeyCreated, object: Some(key.id.to_string()), detail }, now)
    })?;
    Ok((key, text))
}

/// Ends a key; `false` where the seller has no such key that is not revoked yet.
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

/// A seller's keys, revoked ones too, oldest first.
pub fn list_keys(store: &Store, seller: SellerId) -> Result<Vec<ApiKey>, StoreError> {
    store.seller(seller).read(|tables| tables.api_keys())
}
