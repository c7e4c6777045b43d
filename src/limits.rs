//! Limits on how often something may be done: named quotas, counted in this process, by key.
//!
//! A quota fills up again bit by bit (GCRA): who has used it up may go on once after a quota's part of its window. Keys
//! are kept as hashes only, and no more of them than fit; newcomers beyond that share marks.

pub mod turns;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is limited, each with a quota of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Requests with a key, by key.
    Key,
    /// Requests without a valid one, by the client's address.
    Address,
    /// A customer looks an order up, by the client's address.
    LookUp,
    /// A customer looks this order or parcel up, whoever it is, right or wrong: counted before it is known which, so that
    /// no crowd of guesses slips through at once.
    LookUpOf,
    /// Somebody signs in, by account and the client's address.
    SignIn,
}

impl Limit {
    pub fn code(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Address => "address",
            Self::LookUp => "look_up",
            Self::LookUpOf => "look_up_of",
            Self::SignIn => "sign_in",
        }
    }
}

const MINUTE: Duration = Duration::from_mins(1);

/// The quotas that operators do not set: how many in how long.
const FIXED: [(Limit, u32, Duration); 3] = [
    (Limit::LookUp, 20, MINUTE),
    (Limit::LookUpOf, 10, Duration::from_hours(1)),
    (Limit::SignIn, 10, Duration::from_mins(15)),
];

/// So many keys are remembered under a limit.
const MOST_KEYS: usize = 100_000;
/// When there are more, newcomers share so many marks.
const SHARED_MARKS: u64 = 4_096;
/// So many checks lie between two sweeps.
const CHECKS_A_SWEEP: u32 = 4_096;

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub quota: u32,
    pub window: Duration,
    pub left: u32,
    /// Until the whole quota is there again; where nothing is left, until one more is.
    pub wait: Duration,
}

/// A quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit {} is used up for another {} s", .limit.code(), .allowance.wait.as_secs())]
pub struct Spent {
    pub limit: Limit,
    pub allowance: Allowance,
}

/// All limits of this process.
pub struct Limits<C: Clock = DefaultClock> {
    clock: C,
    hasher: RandomState,
    kept: BTreeMap<Limit, Kept<C>>,
}

impl Limits {
    /// `per_key` and `per_address` are requests a minute; 0 sets no limit.
    pub fn new(per_key: u32, per_address: u32) -> Self {
        let minutely = [(Limit::Key, per_key, MINUTE), (Limit::Address, per_address, MINUTE)];
        Self::with_clock(DefaultClock::default(), minutely.into_iter().chain(FIXED), MOST_KEYS)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(clock: C, quotas: impl IntoIterator<Item = (Limit, u32, Duration)>, most_keys: usize) -> Self {
        let kept = quotas.into_iter().filter_map(|(limit, quota, window)| {
            Some((limit, Kept::new(NonZeroU32::new(quota)?, window, &clock, most_keys)?))
        });
        Self { kept: kept.collect(), hasher: RandomState::new(), clock }
    }

    /// Takes one from the quota of a key; `None` where nothing is limited.
    ///
    /// # Errors
    ///
    /// [`Spent`] where none is left; then nothing is taken.
    pub fn check(&self, limit: Limit, key: impl Hash) -> Result<Option<Allowance>, Spent> {
        let Some(kept) = self.kept.get(&limit) else { return Ok(None) };
        kept.check(self.hasher.hash_one(key), &self.clock).map(Some).map_err(|allowance| Spent { limit, allowance })
    }
}

/// One limit with the marks of its keys.
struct Kept<C: Clock> {
    quota: NonZeroU32,
    window: Duration,
    /// One of the quota comes back after this time.
    period: Duration,
    marks: Marks,
    limiter: RateLimiter<u64, Marks, C, StateInformationMiddleware>,
    checks: AtomicU32,
    most_keys: usize,
}

impl<C: Clock + Clone> Kept<C> {
    /// `None` for a window of no length.
    fn new(quota: NonZeroU32, window: Duration, clock: &C, most_keys: usize) -> Option<Self> {
        let period = window / quota.get();
        let marks = Marks::default();
        let gcra = Quota::with_period(period)?.allow_burst(quota);
        let limiter = RateLimiter::new(gcra, marks.clone(), clock.clone());
        Some(Self { quota, window, period, marks, limiter, checks: AtomicU32::new(0), most_keys })
    }

    fn check(&self, key: u64, clock: &C) -> Result<Allowance, Allowance> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_A_SWEEP == CHECKS_A_SWEEP - 1 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&self.mark_of(key)) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                Ok(self.allowance(left, self.period * self.quota.get().saturating_sub(left)))
            }
            Err(until) => Err(self.allowance(0, until.wait_time_from(clock.now()))),
        }
    }
    fn allowance(&self, left: u32, wait: Duration) -> Allowance {
        Allowance { quota: self.quota.get(), window: self.window, left, wait }
    }

    /// Where a key is marked: by itself, as long as there is room.
    fn mark_of(&self, key: u64) -> u64 {
        let is_full = |marks: &MutexGuard<'_, HashMap<u64, Nanos>>| marks.len() >= self.most_keys;
        let marks = self.marks.open();
        if !is_full(&marks) || marks.contains_key(&key) {
            return key;
        }
        drop(marks);
        self.limiter.retain_recent();
        if is_full(&self.marks.open()) { key % SHARED_MARKS } else { key }
    }
}

/// When the quota of each key will be whole again.
#[derive(Debug, Clone, Default)]
struct Marks(Arc<Mutex<HashMap<u64, Nanos>>>);

impl Marks {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Marks {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, judge: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut marks = self.open();
        let (outcome, mark) = judge(marks.get(key).copied())?;
        marks.insert(*key, mark);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<u64> for Marks {
    fn retain_recent(&self, drop_below: Nanos) {
        self.open().retain(|_, mark| *mark > drop_below);
    }

    fn len(&self) -> usize {
        self.open().len()
    }

    fn is_empty(&self) -> bool {
        self.open().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(clock: &FakeRelativeClock, most_keys: usize) -> Limits<FakeRelativeClock> {
        let minutely = [(Limit::Key, 60, MINUTE), (Limit::Address, 0, MINUTE)];
        Limits::with_clock(clock.clone(), minutely.into_iter().chain(FIXED), most_keys)
    }

    #[test]
    fn exactly_the_quota_passes_and_what_is_left_falls_to_nothing() {
        for (limit, quota, window) in [
            (Limit::Key, 60, MINUTE),
            (Limit::LookUp, 20, MINUTE),
            (Limit::LookUpOf, 10, MINUTE * 60),
            (Limit::SignIn, 10, MINUTE * 15),
        ] {
            let clock = FakeRelativeClock::default();
            let limits = limits(&clock, MOST_KEYS);
            for sent in 1..=quota {
                let allowance = limits.check(limit, "one").unwrap().unwrap();
                assert_eq!((allowance.left, allowance.quota), (quota - sent, quota), "{limit:?}");
                assert_eq!(allowance.wait, window / quota * sent, "{limit:?}");
            }
            let spent = limits.check(limit, "one").unwrap_err();
            assert_eq!((spent.limit, spent.allowance.left, spent.allowance.wait), (limit, 0, window / quota));
            assert!(limits.check(limit, "two").is_ok(), "{limit:?}: another key has its own");

            clock.advance((window / quota).saturating_sub(Duration::from_nanos(1)));
            assert!(limits.check(limit, "one").is_err(), "{limit:?}: a moment too early");
            clock.advance(Duration::from_nanos(1));
            assert_eq!(limits.check(limit, "one").unwrap().unwrap().left, 0, "{limit:?}: one more");
            clock.advance(window);
            assert_eq!(limits.check(limit, "one").unwrap().unwrap().left, quota - 1, "{limit:?}: whole again");
        }
    }

    #[test]
    fn a_quota_of_nothing_limits_nothing() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock, MOST_KEYS);
        assert!((0..1_000).all(|_| limits.check(Limit::Address, "one") == Ok(None)));
    }

    #[test]
    fn keys_are_bounded_and_newcomers_beyond_share() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock, 100);
        for key in 0..50_000 {
            let _spent = limits.check(Limit::Key, key);
        }
        let kept = &limits.kept[&Limit::Key];
        assert!(kept.marks.len() <= 100 + usize::try_from(SHARED_MARKS).unwrap(), "{}", kept.marks.len());
        assert_eq!(limits.check(Limit::Key, 0).unwrap().unwrap().left, 58, "who was there first keeps its own");

        clock.advance(MINUTE + SECOND);
        limits.check(Limit::Key, "newcomer").unwrap();
        assert!(kept.marks.len() <= 2, "marks that are whole again are swept: {}", kept.marks.len());
    }
}
