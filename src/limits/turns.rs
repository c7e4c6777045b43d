//! How many pieces of one kind of work run at once: in all, and for one owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Beyond so many owners, those with nothing under way are forgotten.
const MOST_IDLE_OWNERS: usize = 1_000;

/// Turns at one kind of work. An owner waits for its own turn first, so that a crowd of one owner's requests does not stand
/// in the way of another's.
#[derive(Debug)]
pub struct Turns {
    in_all: Arc<Semaphore>,
    of_an_owner: usize,
    owners: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _in_all: OwnedSemaphorePermit,
}

impl Turns {
    pub fn new(in_all: usize, of_an_owner: usize) -> Self {
        Self { in_all: Arc::new(Semaphore::new(in_all)), of_an_owner, owners: Mutex::default() }
    }

    /// A turn now; `None` where all are taken.
    pub fn try_take(&self, owner: Uuid) -> Option<Turn> {
        let own = self.own(owner).try_acquire_owned().ok()?;
        let in_all = Arc::clone(&self.in_all).try_acquire_owned().ok()?;
        Some(Turn { _own: own, _in_all: in_all })
    }

    /// A turn as soon as one is free; `None` where that takes longer than `wait`.
    pub async fn take(&self, owner: Uuid, wait: Duration) -> Option<Turn> {
        let own = self.own(owner);
        let both = async {
            let own = own.acquire_owned().await.ok()?;
            let in_all = Arc::clone(&self.in_all).acquire_owned().await.ok()?;
            Some(Turn { _own: own, _in_all: in_all })
        };
        tokio::time::timeout(wait, both).await.ok().flatten()
    }

    fn own(&self, owner: Uuid) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() > MOST_IDLE_OWNERS {
            // Whoever holds a turn, or waits for one, holds the semaphore too.
            owners.retain(|_, own| Arc::strong_count(own) > 1 || own.available_permits() < self.of_an_owner);
        }
        Arc::clone(owners.entry(owner).or_insert_with(|| Arc::new(Semaphore::new(self.of_an_owner))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(5);

    #[test]
    fn an_owner_has_its_share_and_all_together_theirs() {
        let turns = Turns::new(3, 2);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let held = [turns.try_take(one).unwrap(), turns.try_take(one).unwrap()];
        assert!(turns.try_take(one).is_none(), "two of an owner");
        let last = turns.try_take(other).unwrap();
        assert!(turns.try_take(other).is_none(), "three in all");
        drop(held);
        assert!(turns.try_take(other).is_some());
        drop(last);
    }

    #[tokio::test]
    async fn who_waits_is_served_or_sent_away() {
        let turns = Arc::new(Turns::new(4, 1));
        let owner = Uuid::from_u128(1);
        let held = turns.try_take(owner).unwrap();
        assert!(turns.take(owner, SOON).await.is_none());
        assert!(turns.take(Uuid::from_u128(2), SOON).await.is_some(), "another owner does not wait");
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(owner, Duration::from_mins(1)).await.is_some() }
        });
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn owners_at_rest_are_forgotten() {
        let turns = Turns::new(10, 1);
        let busy = turns.try_take(Uuid::from_u128(0)).unwrap();
        for owner in 1..=2_000 {
            drop(turns.try_take(Uuid::from_u128(owner)));
        }
        assert!(turns.owners.lock().unwrap().len() <= MOST_IDLE_OWNERS + 1);
        assert!(turns.try_take(Uuid::from_u128(0)).is_none(), "who is at work is not forgotten");
        drop(busy);
    }
}
