//! A create that is sent again is answered again, and not done again: the memory behind `Idempotency-Key`.
//!
//! The row of a key is the lock: who wrote it works, and all others wait for the answer. It is held for a time that is
//! renewed while the work goes on, so that a process that died does not hold it for ever. Then the request is carried
//! out again, and what makes its effect single is the effect's own key: an order's number, a shipment's carrier and
//! number, a scan's dedupe key, and for an import its id, which is noted with the key in one transaction.

use crate::domain::ids::{ClaimId, ImportId, SellerId};
use crate::secrets::{SecretError, Secrets};
use crate::store::idempotency::KeyUse;
use crate::store::{At, Reason, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::store::idempotency::Hold;

/// An answer is given again for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// So long a silent process holds a key; [`renew`] well before that.
const HELD: SignedDuration = SignedDuration::from_secs(60);

/// The key of a request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub seller: SellerId,
    /// Method and path as in the table of routes.
    pub route: String,
    pub key: String,
}

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn {
    /// Ours: do the work, then [`keep`] the answer, [`let_go`] or [`leave_unknown`].
    Mine(Hold),
    /// It was done.
    Done(Done),
    /// Another request is at it.
    InProgress,
    /// The key was used for another request.
    OtherRequest,
}

/// What was done under a key.
#[derive(Debug, PartialEq)]
pub struct Done {
    fingerprint: Vec<u8>,
    /// `None` where the process died before it could be kept; then there is an import.
    pub answer: Option<Answer>,
    pub import: Option<ImportId>,
}

impl Done {
    /// Whether it was done for this request, and not for another under the same key.
    pub fn is_of(&self, fingerprint: &[u8]) -> bool {
        self.fingerprint == fingerprint
    }
}

/// An answer, to be given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    /// Those that matter, by name.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Why an answer was not kept; the request was carried out all the same.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("the answer could not be written down")]
    Words(#[from] serde_json::Error),
    #[error("the answer could not be sealed")]
    Secret(#[from] SecretError),
    #[error("the answer could not be stored")]
    Store(#[from] StoreError),
}

/// Takes a key, or tells why not. A `fingerprint` that is not known yet, since the body is still to stream in, is
/// compared by the caller.
pub fn begin(
    store: &Store,
    secrets: &Secrets,
    asked: &Asked,
    fingerprint: Option<&[u8]>,
    now: Timestamp,
) -> Result<Turn, StoreError> {
    let tables = store.seller(asked.seller);
    // Most that come again find the answer, and need not wait for their seller's turn to write.
    let seen: Option<KeyUse> = tables.read(|tables| tables.key_use(&asked.route, &asked.key))?;
    if let Some(turn) = turn(secrets, seen, fingerprint, now) {
        return Ok(turn);
    }
    tables.write(|tables| {
        let seen = tables.key_use(&asked.route, &asked.key)?;
        if let Some(turn) = turn(secrets, seen, fingerprint, now) {
            return Ok(turn);
        }
        let claim = ClaimId::new(now);
        tables.put_key_use(&KeyUse {
            seller_id: asked.seller,
            route: asked.route.clone(),
            key: asked.key.clone(),
            claim,
            locked_until: At(now.saturating_add(HELD).unwrap_or(now)),
            fingerprint: fingerprint.map(<[u8]>::to_vec),
            import_id: None,
            answer: None,
            created_at: At(now),
        })?;
        Ok(Turn::Mine(Hold { seller: asked.seller, route: asked.route.clone(), key: asked.key.clone(), claim }))
    })
}

/// What the use of a key so far means for a request; `None` where the key is free.
fn turn(secrets: &Secrets, seen: Option<KeyUse>, fingerprint: Option<&[u8]>, now: Timestamp) -> Option<Turn> {
    let seen = seen.filter(|it| it.created_at.0.saturating_add(KEPT).is_ok_and(|end| now < end))?;
    if let (Some(before), Some(now)) = (seen.fingerprint.as_deref(), fingerprint)
        && before != now
    {
        return Some(Turn::OtherRequest);
    }
    let answer = seen.answer.as_deref().and_then(|sealed| {
        // Under a new secret key the old answers are lost, and the request is carried out again.
        let words = secrets.open(&purpose(seen.seller_id, &seen.route, &seen.key), sealed).ok()?;
        serde_json::from_str(&words).ok()
    });
    match (answer, seen.import_id) {
        (None, _) if now < seen.locked_until.0 => Some(Turn::InProgress),
        (None, None) => None,
        (answer, import) => {
            Some(Turn::Done(Done { fingerprint: seen.fingerprint.unwrap_or_default(), answer, import }))
        }
    }
}

/// What an answer is sealed for: it opens for no other seller, route or key.
fn purpose(seller: SellerId, route: &str, key: &str) -> Vec<u8> {
    format!("answer to {route} of {seller} under {key}").into_bytes()
}

/// Holds a key longer, while the work goes on.
pub fn renew(store: &Store, hold: &Hold, now: Timestamp) -> Result<(), StoreError> {
    let until = now.saturating_add(HELD).unwrap_or(now);
    store.seller(hold.seller).write(|tables| tables.renew_key(hold, until))
}

/// Keeps the answer of work that is done.
///
/// # Errors
///
/// [`KeepError`]; then the request, sent again, is carried out again.
pub fn keep(store: &Store, secrets: &Secrets, hold: &Hold, answer: &Answer) -> Result<(), KeepError> {
    let sealed = secrets.seal(&purpose(hold.seller, &hold.route, &hold.key), &serde_json::to_string(answer)?)?;
    Ok(store.seller(hold.seller).write(|tables| tables.keep_answer(hold, &sealed))?)
}

/// Sets a key free whose request was refused: nothing was done, and it may be sent again, mended.
pub fn let_go(store: &Store, hold: &Hold, now: Timestamp) -> Result<(), StoreError> {
    store.seller(hold.seller).write(|tables| tables.free_key(hold, now))
}

/// Keeps a key of whose request nobody knows whether it was carried out: the same request may be sent again at once, and
/// no other one under this key. Then it is carried out again, or, where its import is known, answered by that.
pub fn leave_unknown(store: &Store, hold: &Hold, now: Timestamp) -> Result<(), StoreError> {
    store.seller(hold.seller).write(|tables| tables.renew_key(hold, now))
}

/// Forgets the keys whose time is over; tells how many.
pub fn forget_old(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let before = now.saturating_sub(KEPT).unwrap_or(now);
    store.platform(Reason::JobClaim).write(|tables| tables.forget_key_uses(before))
}

/// A hash of a request, by which the same one is known again.
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins with the parts that come before the body.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that no part runs into the next.
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash)
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn end(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests;
