//! Tokens of sources that want a sign-in, fetched once however many requests wait for one.

use crate::carriers::wire::{Secret, Token};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// A token is renewed this long before its end, so that it does not end on the way.
const MARGIN: Duration = Duration::from_mins(1);

/// The token of one account.
#[derive(Debug, Default)]
pub(crate) struct TokenShelf(Mutex<Option<(Secret, Instant)>>);

impl TokenShelf {
    /// Waits for whoever is fetching a token just now.
    pub(crate) async fn open(&self) -> Shelf<'_> {
        Shelf(self.0.lock().await)
    }
}

/// The shelf in the hands of one request; others wait until it is let go.
pub(crate) struct Shelf<'a>(MutexGuard<'a, Option<(Secret, Instant)>>);

impl Shelf<'_> {
    /// The token, where it is still good.
    pub(crate) fn good(&self, now: Instant) -> Option<Secret> {
        self.0.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret.clone())
    }

    /// Keeps a fresh one. A life shorter than the margin is taken at half, so that it serves at least once.
    pub(crate) fn keep(&mut self, token: Token, now: Instant) -> Secret {
        let life = token.lives.saturating_sub(MARGIN).max(token.lives / 2);
        *self.0 = Some((token.secret.clone(), now + life));
        token.secret
    }

    /// Forgets a token that was refused, unless somebody has already fetched another.
    pub(crate) fn forget(&mut self, refused: &Secret) {
        if self.0.as_ref().is_some_and(|(kept, _)| kept == refused) {
            *self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_serves_until_shortly_before_its_end() {
        let (shelf, start) = (TokenShelf::default(), Instant::now());
        let mut shelf = shelf.open().await;
        let second = Duration::from_secs(1);
        let token = |text: &str, lives| Token { secret: Secret(text.to_owned()), lives };
        let first = shelf.keep(token("a", 3600 * second), start);
        assert_eq!(shelf.good(start + 3539 * second), Some(first.clone()));
        assert_eq!(shelf.good(start + 3540 * second), None);
        let next = shelf.keep(token("b", 10 * second), start);
        shelf.forget(&first);
        assert_eq!(shelf.good(start + second), Some(next.clone()), "another was fetched meanwhile");
        shelf.forget(&next);
        assert_eq!(shelf.good(start), None);
    }
}
