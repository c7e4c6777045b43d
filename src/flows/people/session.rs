//! Sessions of the pages: opened by a password, found by the cookie's token, ended by signing out.

use crate::domain::actor::Actor;
use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::order::email_key;
use crate::domain::role::Role;
use crate::secrets::{SecretError, digest, fresh_token, is_password, nobody_s_password};
use crate::store::audit::{Deed, Entry};
use crate::store::sessions::Session;
use crate::store::users::Candidate;
use crate::store::{At, Reason, SellerTables, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// So long a session lasts at most.
pub const SESSION: SignedDuration = SignedDuration::from_hours(14 * 24);
/// So long it lasts without a request.
const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// A request is noted at most so often.
const NOTED: SignedDuration = SignedDuration::from_mins(5);
/// So many people of one e-mail address are tried.
const CANDIDATES: i64 = 5;

/// What the form of somebody who is not signed in yet is bound to.
///
/// # Errors
///
/// [`SecretError::NoRandom`].
pub fn fresh_form_cookie() -> Result<String, SecretError> {
    fresh_token()
}

/// A session that was just opened, with its token, which the browser alone keeps.
pub struct Opened {
    pub token: String,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: PrincipalId,
    pub seller: SellerId,
    pub role: Role,
    pub name: String,
    pub seller_name: String,
    /// It is time to note that the session is in use.
    pub is_due: bool,
}

/// What somebody tells who wants to come in.
pub struct Attempt {
    pub email: String,
    pub password: String,
    /// The token of a session that the browser has already; it ends.
    pub before: Option<String>,
    pub request_id: Option<String>,
}

/// Why a session could not be opened, apart from a wrong password.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a session; `None` for a wrong password and an unknown address alike, after the same time. Slow, since passwords
/// are checked.
///
/// A person may belong to several sellers under one address: then the password decides which door opens, and where it is
/// the same, the oldest does.
///
/// # Errors
///
/// [`SessionError`].
pub fn sign_in(store: &Store, attempt: &Attempt, now: Timestamp) -> Result<Option<Opened>, SessionError> {
    let candidates = match email_key(&attempt.email) {
        Some(email) => store.platform(Reason::SignIn).read(|tables| tables.candidates(&email, CANDIDATES))?,
        None => Vec::new(),
    };
    if candidates.is_empty() {
        is_password(&attempt.password, nobody_s_password());
    }
    match candidates.iter().find(|it| is_password(&attempt.password, &it.password_hash)) {
        Some(found) => admit(store, found, attempt, now).map(Some),
        None => note_failure(store, &candidates, attempt, now).map(|()| None),
    }
}

fn admit(store: &Store, found: &Candidate, attempt: &Attempt, now: Timestamp) -> Result<Opened, SessionError> {
    if let Some(before) = &attempt.before {
        end(store, before)?;
    }
    store.seller(found.seller_id).reserved().write(|tables| {
        tables.delete_sessions_over(now, now.checked_sub(IDLE).unwrap_or(now))?;
        let actor = Actor { id: found.id, request_id: attempt.request_id.clone() };
        let entry = Entry { deed: Deed::UserSignedIn, object: Some(found.id.to_string()), detail: json!({}) };
        tables.audit(&actor, entry, now)?;
        open(tables, (found.seller_id, found.id), now)
    })
}

/// Each seller that it may concern reads of it; where nobody is known, the platform does.
fn note_failure(
    store: &Store,
    candidates: &[Candidate],
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), SessionError> {
    let actor = Actor { request_id: attempt.request_id.clone(), ..Actor::system() };
    let entry = |object| Entry { deed: Deed::UserSignInFailed, object, detail: json!({}) };
    store.platform(Reason::SignIn).write(|tables| {
        if candidates.is_empty() {
            tables.audit(None, &actor, entry(None), now)?;
        }
        // In one order everywhere, so that two failures at once do not wait for each other.
        let mut candidates: Vec<_> = candidates.iter().collect();
        candidates.sort_by_key(|candidate| candidate.seller_id);
        for candidate in candidates {
            tables.audit(Some(candidate.seller_id), &actor, entry(Some(candidate.id.to_string())), now)?;
        }
        Ok(())
    })
}

/// Opens a session with a token that nobody had before.
pub(super) fn open(
    tables: &mut SellerTables,
    (seller_id, user_id): (SellerId, PrincipalId),
    now: Timestamp,
) -> Result<Opened, SessionError> {
    let token = fresh_token()?;
    tables.insert_session(&Session {
        seller_id,
        user_id,
        token_hash: digest(&token),
        created_at: At(now),
        seen_at: At(now),
        expires_at: At(now.checked_add(SESSION).unwrap_or(now)),
    })?;
    Ok(Opened { token })
}

/// Who holds this token; `None` where the session is over, or its holder was shut out.
pub fn find(store: &Store, token: &str, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
    let found = store.platform(Reason::SignIn).read(|tables| tables.session_by_token(&digest(token)))?;
    let Some(session) = found.filter(|session| is_live(session, now)) else { return Ok(None) };
    store.seller(session.seller_id).reserved().read(|tables| {
        let (Some(user), Some(seller)) = (tables.user(session.user_id)?, tables.profile()?) else { return Ok(None) };
        let Ok(role) = user.role.parse() else { return Ok(None) };
        Ok(Some(SignedIn {
            user: user.id,
            seller: seller.id,
            role,
            name: user.person.name.unwrap_or(user.person.email),
            seller_name: seller.name,
            is_due: now.duration_since(session.seen_at.0) >= NOTED,
        }))
    })
}

fn is_live(session: &Session, now: Timestamp) -> bool {
    session.expires_at.0 > now && now.duration_since(session.seen_at.0) < IDLE
}

/// Notes that a session is in use.
pub fn note_seen(store: &Store, seller: SellerId, token: &str, now: Timestamp) -> Result<(), StoreError> {
    store.seller(seller).reserved().write(|tables| tables.note_session_seen(&digest(token), now))
}

/// Ends a session; one that is over already stays so.
pub fn end(store: &Store, token: &str) -> Result<(), StoreError> {
    let hash = digest(token);
    match store.platform(Reason::SignIn).read(|tables| tables.session_by_token(&hash))? {
        Some(session) => store.seller(session.seller_id).reserved().write(|tables| tables.delete_session(&hash)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_its_age_and_by_silence() {
        let at = |hours: i64| -> Timestamp {
            let start: Timestamp = "2026-09-17T10:00:00Z".parse().unwrap();
            start.checked_add(SignedDuration::from_hours(hours)).unwrap()
        };
        let session = |seen: i64| Session {
            seller_id: SellerId::new(at(0)),
            user_id: PrincipalId::new(at(0)),
            token_hash: Vec::new(),
            created_at: At(at(0)),
            seen_at: At(at(seen)),
            expires_at: At(at(0).checked_add(SESSION).unwrap()),
        };
        for (what, seen, now, live) in [
            ("just opened", 0, 0, true),
            ("eleven hours of silence", 0, 11, true),
            ("twelve hours of silence", 0, 12, false),
            ("in use, on the last day", 14 * 24 - 1, 14 * 24 - 1, true),
            ("in use, but two weeks old", 14 * 24 - 1, 14 * 24, false),
        ] {
            assert_eq!(is_live(&session(seen), at(now)), live, "{what}");
        }
    }
}
