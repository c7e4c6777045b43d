//! Access tokens: a key is exchanged for a token that holds for minutes; the keys that sign are made and replaced here.

use crate::domain::access_token::{AUDIENCE, Claims, LONGEST_SECONDS, Scope};
use crate::domain::ids::{PrincipalId, uuid_at};
use crate::domain::role::Role;
use crate::secrets::{SecretError, Secrets, fresh_signing_pair, sign};
use crate::store::signing_keys::SigningKey;
use crate::store::{At, PlatformTables, Reason, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// A key signs for so long, and its successor is published so long before it takes over.
const SIGNS_DAYS: i64 = 30;
const PUBLISHED_AHEAD_DAYS: i64 = 2;
/// Kept after its end until the last token that it signed has run out, and a little.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// 1 to [`LONGEST_SECONDS`], which it is where absent.
    pub seconds: Option<i64>,
    /// All that the key may do where absent.
    pub scopes: Option<Vec<Scope>>,
}

/// A token, and when it runs out.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("a token holds for 1 to {LONGEST_SECONDS} seconds")]
    Seconds,
    #[error("name at least one of the scopes read, write and manage, or leave scopes out for all that the key may do")]
    NoScope,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks for a token: a key, not another token.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    pub key: PrincipalId,
    pub role: Role,
}

/// Gives the holder of a key a token.
///
/// # Errors
///
/// [`TokenError`].
pub fn issue(
    store: &Store,
    (secrets, issuer): (&Secrets, &str),
    holder: Holder,
    asked: &TokenRequest,
    now: Timestamp,
) -> Result<AccessToken, TokenError> {
    let seconds = asked.seconds.unwrap_or(LONGEST_SECONDS);
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        return Err(TokenError::Seconds);
    }
    let scopes = asked.scopes.clone().unwrap_or_else(|| Scope::ALL.to_vec());
    Scope::reach(&scopes, holder.role).ok_or(TokenError::NoScope)?;
    let words: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    let from = now.as_second();
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: holder.key.to_string(),
        iat: from,
        nbf: from,
        exp: from + seconds,
        jti: uuid_at(now).to_string(),
        scope: words.join(" "),
    };
    let key = store.platform(Reason::SignIn).write(|tables| signing_now(tables, secrets, now))?;
    let private = secrets.open_bytes(key.kid.as_bytes(), &key.private_sealed)?;
    let expires_at = Timestamp::from_second(claims.exp).unwrap_or(now);
    Ok(AccessToken { token: sign(&key.kid, &private, &claims)?, expires_at })
}

/// The keys that a token may be signed with now, or will be soon.
///
/// # Errors
///
/// [`StoreError`].
pub fn published(store: &Store, now: Timestamp) -> Result<Vec<SigningKey>, StoreError> {
    let keys = store.platform(Reason::SignIn).read(|tables| tables.signing_keys())?;
    let kept = |key: &SigningKey| key.signs_until.0.checked_add(KEPT_AFTER).is_ok_and(|end| now < end);
    Ok(keys.into_iter().filter(kept).collect())
}

/// Makes the next key in time, and forgets those that signed last long ago.
///
/// # Errors
///
/// [`StoreError`]; then nothing was changed.
pub fn rotate(store: &Store, secrets: &Secrets, now: Timestamp) -> Result<(), StoreError> {
    store.platform(Reason::SignIn).write(|tables| {
        tables.delete_signing_keys(now.saturating_sub(KEPT_AFTER).unwrap_or(now))?;
        let current = signing_now(tables, secrets, now)?;
        let ahead = days(PUBLISHED_AHEAD_DAYS);
        let ends_soon = current.signs_until.0 <= now.saturating_add(ahead).unwrap_or(now);
        let has_next = tables.signing_keys()?.iter().any(|key| key.signs_until > current.signs_until);
        if ends_soon && !has_next {
            make(tables, secrets, current.signs_until.0, now)?;
        }
        Ok(())
    })
}

/// The key that signs now; made where there is none.
fn signing_now(tables: &mut PlatformTables, secrets: &Secrets, now: Timestamp) -> Result<SigningKey, StoreError> {
    let keys = tables.signing_keys()?;
    let signs = |key: &SigningKey| key.signs_from.0 <= now && now < key.signs_until.0;
    match keys.into_iter().rev().find(signs) {
        Some(key) => Ok(key),
        None => make(tables, secrets, now, now),
    }
}

fn make(
    tables: &mut PlatformTables,
    secrets: &Secrets,
    from: Timestamp,
    now: Timestamp,
) -> Result<SigningKey, StoreError> {
    let pair = fresh_signing_pair()?;
    let kid = uuid_at(now).simple().to_string();
    let key = SigningKey {
        private_sealed: secrets.seal_bytes(kid.as_bytes(), &pair.private)?,
        kid,
        public_key: pair.public,
        created_at: At(now),
        signs_from: At(from),
        signs_until: At(from.saturating_add(days(SIGNS_DAYS)).unwrap_or(from)),
    };
    tables.insert_signing_key(&key)?;
    Ok(key)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}
