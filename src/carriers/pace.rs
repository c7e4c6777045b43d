//! When one account of a source may be asked: its rate, what it told us to wait, and its circuit breaker.

use crate::carriers::error::{AskError, RestReason};
use std::time::{Duration, Instant};

/// How often an account may be asked: `requests` in `per`, of which `burst` may go at once, `at_once` in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many requests, at least 1.
    pub requests: u32,
    /// In which time.
    pub per: Duration,
    /// How many of them without a pause between them, at least 1.
    pub burst: u32,
    /// How many may wait for their answers at the same time, at least 1.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 5, per: Duration::from_secs(1), burst: 5, at_once: 4 }
    }
}

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breaker {
    pub(crate) failures: u32,
    pub(crate) pause: Duration,
}

/// What we remember of one account. It reads no clock.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    slack: Duration,
    breaker: Breaker,
    /// When the next request is due if all went evenly (the generic cell rate algorithm).
    due: Option<Instant>,
    rest: Option<(Instant, RestReason)>,
    failures: u32,
}

impl Pace {
    pub(crate) fn new(limits: Limits, breaker: Breaker) -> Self {
        let interval = limits.per / limits.requests.max(1);
        let slack = interval * limits.burst.max(1).saturating_sub(1);
        Self { interval, slack, breaker, due: None, rest: None, failures: 0 }
    }

    /// Takes a place in the queue and says how long to wait for it, at most `patience`.
    ///
    /// After failures in a row one request is let through when the pause has passed, and the next only after another
    /// pause, until one succeeds; so an attempt that is given up half-way blocks nothing.
    pub(crate) fn take_place(&mut self, now: Instant, patience: Duration) -> Result<Duration, AskError> {
        if let Some((until, because)) = self.rest {
            let wait = until.saturating_duration_since(now);
            if !wait.is_zero() {
                return Err(AskError::Resting { wait, because });
            }
            self.rest = match because {
                RestReason::Failures | RestReason::Credentials => Some((now + self.breaker.pause, because)),
                RestReason::ToldToWait | RestReason::OwnLimit => None,
            };
        }
        let due = self.due.map_or(now, |due| due.max(now));
        let wait = due.saturating_duration_since(now).saturating_sub(self.slack);
        if wait > patience {
            return Err(AskError::Resting { wait, because: RestReason::OwnLimit });
        }
        self.due = Some(due + self.interval);
        Ok(wait)
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        if matches!(self.rest, Some((_, RestReason::Failures | RestReason::Credentials))) {
            self.rest = None;
        }
    }

    /// Notes what went wrong. Being told to wait is no failure, and bad credentials open the circuit at once.
    pub(crate) fn failed(&mut self, error: &AskError, now: Instant) {
        match error {
            AskError::RateLimited { retry_after } | AskError::Failed { retry_after: Some(retry_after), .. } => {
                self.rest_until(now + *retry_after, RestReason::ToldToWait);
            }
            AskError::Unauthorized => self.rest_until(now + self.breaker.pause, RestReason::Credentials),
            AskError::Forbidden(_) | AskError::Unsendable(_) | AskError::Resting { .. } | AskError::Client(_) => {}
            AskError::Unreachable(_)
            | AskError::TimedOut
            | AskError::Failed { retry_after: None, .. }
            | AskError::Redirected { .. }
            | AskError::TooLong { .. }
            | AskError::BrokeOff(_)
            | AskError::Unreadable(_) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures >= self.breaker.failures.max(1) {
                    self.rest_until(now + self.breaker.pause, RestReason::Failures);
                }
            }
        }
    }

    /// A rest is never made shorter by another.
    fn rest_until(&mut self, until: Instant, because: RestReason) {
        if self.rest.is_none_or(|(present, _)| present <= until) {
            self.rest = Some((until, because));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace() -> Pace {
        let limits = Limits { requests: 2, per: SECOND, burst: 3, at_once: 1 };
        Pace::new(limits, Breaker { failures: 5, pause: 30 * SECOND })
    }

    fn rest(pace: &mut Pace, now: Instant) -> Option<(u64, RestReason)> {
        match pace.take_place(now, 2 * SECOND) {
            Err(AskError::Resting { wait, because }) => Some((wait.as_secs(), because)),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_evenly() {
        let (mut pace, start) = (pace(), Instant::now());
        let waits: Vec<_> = (0..8).map(|_| pace.take_place(start, 2 * SECOND).ok().map(|it| it.as_millis())).collect();
        let expected = [Some(0), Some(0), Some(0), Some(500), Some(1000), Some(1500), Some(2000), None];
        assert_eq!(waits, expected, "whoever would wait longer than the patience is told so and takes no place");
        assert_eq!(pace.take_place(start + 10 * SECOND, SECOND).ok(), Some(Duration::ZERO), "rested");
    }

    #[test]
    fn the_circuit_opens_after_five_failures_and_closes_after_a_good_answer() {
        let (mut pace, start) = (pace(), Instant::now());
        for _ in 0..4 {
            pace.failed(&AskError::TimedOut, start);
        }
        assert_eq!(rest(&mut pace, start), None, "four are not enough");
        pace.failed(&AskError::TimedOut, start);
        assert_eq!(rest(&mut pace, start + SECOND), Some((29, RestReason::Failures)));
        let later = start + 31 * SECOND;
        assert_eq!(rest(&mut pace, later), None, "one is let through");
        assert_eq!(rest(&mut pace, later), Some((30, RestReason::Failures)), "and no other");
        pace.succeeded();
        assert_eq!(rest(&mut pace, later), None, "closed again");
    }

    #[test]
    fn being_told_to_wait_is_no_failure() {
        let (mut pace, start) = (pace(), Instant::now());
        for _ in 0..9 {
            pace.failed(&AskError::RateLimited { retry_after: 7 * SECOND }, start);
        }
        assert_eq!(rest(&mut pace, start), Some((7, RestReason::ToldToWait)));
        assert_eq!(rest(&mut pace, start + 7 * SECOND), None);
    }

    #[test]
    fn refused_credentials_open_the_circuit_at_once() {
        let (mut pace, start) = (pace(), Instant::now());
        pace.failed(&AskError::Unauthorized, start);
        assert_eq!(rest(&mut pace, start), Some((30, RestReason::Credentials)));
    }
}
