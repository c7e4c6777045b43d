//! Who comes in: an API key is found by its digest, an access token by the key that signed it and the key it was given for.

use crate::domain::access_token::Claims;
use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::role::Role;
use crate::secrets::{digest, key_name, looks_like_api_key, verified};
use crate::store::api_keys::ApiKey;
use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;

/// Who asks, and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub id: PrincipalId,
    /// `None` for an admin, who belongs to no seller.
    pub seller_id: Option<SellerId>,
    pub role: Role,
    pub came_with: Credential,
}

/// What somebody came in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    ApiKey,
    AccessToken,
    /// The cookie of a browser; it opens pages alone.
    Session,
}

/// Finds who holds an API key or an access token; `None` where it is none of ours, or the key was revoked or has run out.
///
/// A key whose checksum is wrong was mistyped, and the database is not asked. Role and revocation are read from the
/// key's row each time, also for a token.
pub fn sign_in(store: &Store, issuer: &str, token: &str, now: Timestamp) -> Result<Option<Principal>, StoreError> {
    if looks_like_api_key(token) {
        let key = store.platform(Reason::SignIn).read(|tables| tables.api_key_by_hash(&digest(token)))?;
        return Ok(key.and_then(|key| holder(&key, now)));
    }
    let Some(kid) = key_name(token) else { return Ok(None) };
    store.platform(Reason::SignIn).read(|tables| {
        let Some(signer) = tables.signing_key(&kid)? else { return Ok(None) };
        let claims: Option<Claims> = verified(&kid, &signer.public_key, token);
        let Some(claims) = claims.filter(|claims| claims.hold(issuer, now)) else { return Ok(None) };
        let Ok(id) = claims.sub.parse() else { return Ok(None) };
        let holder = tables.api_key(id)?.and_then(|key| holder(&key, now));
        Ok(holder.and_then(|holder| {
            let role = claims.role(holder.role)?;
            Some(Principal { role, came_with: Credential::AccessToken, ..holder })
        }))
    })
}

fn holder(key: &ApiKey, now: Timestamp) -> Option<Principal> {
    let role = key.role.parse().ok().filter(|_| key.is_live(now))?;
    Some(Principal { id: key.id, seller_id: key.seller_id, role, came_with: Credential::ApiKey })
}
