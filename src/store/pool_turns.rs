//! Turns at PostgreSQL's connections: so that no seller holds all of them, and some are always left for sign-in, customers'
//! pages and the check of readiness.
//!
//! A seller's work waits here, without a connection, until it is its turn. The writes of one seller go one after the other
//! anyway: on PostgreSQL a second one that waited for the row lock would only hold a connection meanwhile, and on SQLite a crowd
//! of them would keep other sellers from the one writer.

use crate::domain::ids::SellerId;
use crate::store::error::StoreError;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections in the pool.
pub const POOL_SIZE: u32 = 16;
/// Of these, so many may work for sellers; the others are for everything else.
const FOR_SELLERS: u32 = 12;
/// One seller's reads at once.
const READS_OF_A_SELLER: u32 = 4;
/// One seller's writes at once.
const WRITES_OF_A_SELLER: u32 = 1;
/// Who waits longer is refused, to try again later. A chunk of an import takes a second or so.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Read,
    Write,
}

/// Who has how many connections.
#[derive(Debug, Default)]
pub struct PoolTurns {
    taken: Mutex<Taken>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: u32,
    by_seller: HashMap<SellerId, Counts>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    reads: u32,
    writes: u32,
}

impl Taken {
    fn has_room(&self, seller: SellerId, wanted: Use) -> bool {
        let own = self.by_seller.get(&seller).copied().unwrap_or_default();
        let own_room = match wanted {
            Use::Read => own.reads < READS_OF_A_SELLER,
            Use::Write => own.writes < WRITES_OF_A_SELLER,
        };
        own_room && self.in_all < FOR_SELLERS
    }

    fn count(&mut self, seller: SellerId, wanted: Use) -> &mut u32 {
        let own = self.by_seller.entry(seller).or_default();
        match wanted {
            Use::Read => &mut own.reads,
            Use::Write => &mut own.writes,
        }
    }
}

/// A turn of a seller; it ends when this is dropped.
#[derive(Debug)]
pub struct PoolTurn<'t> {
    turns: &'t PoolTurns,
    seller: SellerId,
    wanted: Use,
}

impl PoolTurns {
    /// Waits until the seller may have one more connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] after twenty seconds.
    pub fn take(&self, seller: SellerId, wanted: Use) -> Result<PoolTurn<'_>, StoreError> {
        self.take_within(seller, wanted, LONGEST_WAIT)
    }

    fn take_within(&self, seller: SellerId, wanted: Use, wait: Duration) -> Result<PoolTurn<'_>, StoreError> {
        let until = Instant::now() + wait;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while !taken.has_room(seller, wanted) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Unavailable("too much of this seller's work is under way".to_owned()));
            }
            taken = self.given_back.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        taken.in_all += 1;
        *taken.count(seller, wanted) += 1;
        Ok(PoolTurn { turns: self, seller, wanted })
    }
}

impl Drop for PoolTurn<'_> {
    fn drop(&mut self) {
        let mut taken = self.turns.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all -= 1;
        *taken.count(self.seller, self.wanted) -= 1;
        if taken.by_seller.get(&self.seller) == Some(&Counts::default()) {
            taken.by_seller.remove(&self.seller);
        }
        drop(taken);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    const AT_ONCE: Duration = Duration::ZERO;

    fn seller() -> SellerId {
        SellerId::new(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_seller_reads_four_times_and_writes_once_at_a_time() {
        let (turns, one) = (PoolTurns::default(), seller());
        let mut reads: Vec<_> = (0..4).map(|_| turns.take_within(one, Use::Read, AT_ONCE).unwrap()).collect();
        assert!(turns.take_within(one, Use::Read, AT_ONCE).is_err());
        let write = turns.take_within(one, Use::Write, AT_ONCE).unwrap();
        assert!(turns.take_within(one, Use::Write, AT_ONCE).is_err());
        reads.pop();
        reads.push(turns.take_within(one, Use::Read, AT_ONCE).unwrap());
        drop(write);
        drop(turns.take_within(one, Use::Write, AT_ONCE).unwrap());
    }

    #[test]
    fn another_seller_is_not_held_up_and_all_sellers_leave_some() {
        let turns = PoolTurns::default();
        let mut held = Vec::new();
        for seller in [seller(), seller(), seller()] {
            held.extend((0..4).map(|_| turns.take_within(seller, Use::Read, AT_ONCE).unwrap()));
        }
        assert_eq!(held.len(), usize::try_from(FOR_SELLERS).unwrap());
        assert!(turns.take_within(seller(), Use::Read, AT_ONCE).is_err(), "the others are for sign-in and customers");
        drop(held);
        assert!(turns.taken.lock().unwrap().by_seller.is_empty(), "nothing is kept of who is done");
    }

    #[test]
    fn who_waits_goes_on_when_a_turn_ends() {
        let (turns, one) = (PoolTurns::default(), seller());
        let held = turns.take_within(one, Use::Write, AT_ONCE).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.take(one, Use::Write).is_ok());
            drop(held);
            assert!(waiting.join().unwrap());
        });
    }
}
