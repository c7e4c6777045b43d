//! Counting shipments for reports: exact counts, nearest-rank percentiles, Wilson intervals.

use crate::domain::verdict::{Arrival, Ending, VerdictKind, timeliness};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a report needs to know of one shipment.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    pub promise: Option<Date>,
    pub shipped_on: Option<Date>,
    pub arrival: Arrival,
    pub ending: Option<Ending>,
    /// The date at the destination at the report's moment.
    pub today: Date,
}

/// A rate with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Rate {
    pub num: u64,
    pub den: u64,
    /// Of a rate on time: open and not yet due, and in neither. Of a rate of losses: open, and in the denominator alone. Of
    /// a rate of valid tracking: shipped less than 72 hours ago and not scanned yet, and in neither.
    pub undecided: u64,
    /// `null` where the denominator is 0.
    pub rate: Option<f64>,
    /// Wilson interval, 95 %.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
}

impl Rate {
    pub fn of(num: u64, den: u64, undecided: u64) -> Self {
        let interval = wilson(num, den);
        Self {
            num,
            den,
            undecided,
            rate: (den > 0).then(|| ratio(num, den)),
            ci_low: interval.map(|(low, _)| low),
            ci_high: interval.map(|(_, high)| high),
        }
    }
}

/// Percentiles by nearest rank: `sorted[ceil(p * n) - 1]`, in whole days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Percentiles {
    pub n: u64,
    pub p50: Option<i32>,
    pub p90: Option<i32>,
    pub p95: Option<i32>,
}

/// How many days the late ones were late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Lateness {
    #[serde(flatten)]
    pub percentiles: Percentiles,
    pub max: Option<i32>,
}

/// Counts over a set of shipments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub shipments: u64,
    pub delivered: u64,
    pub on_time: u64,
    pub late: u64,
    pub late_open: u64,
    pub undecided: u64,
    pub without_promise: u64,
    pub returned: u64,
    pub cancelled: u64,
    transit_days: Days,
    lateness_days: Days,
}

/// How often each number of days came up: exact, and as small as the spread of days, not as the number of shipments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Days(BTreeMap<i32, u64>);

impl Days {
    fn add(&mut self, days: i32) {
        *self.0.entry(days).or_default() += 1;
    }

    /// The day at or under which `percent` of all lie.
    fn nearest_rank(&self, percent: u64) -> Option<i32> {
        let n: u64 = self.0.values().sum();
        let rank = (percent * n).div_ceil(100).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(&days, &count)| {
            seen += count;
            (seen >= rank).then_some(days)
        })
    }

    fn percentiles(&self) -> Percentiles {
        let [p50, p90, p95] = [50, 90, 95].map(|percent| self.nearest_rank(percent));
        Percentiles { n: self.0.values().sum(), p50, p90, p95 }
    }
}

impl Tally {
    pub fn add(&mut self, outcome: &Outcome) {
        self.shipments += 1;
        let arrival = outcome.arrival;
        if outcome.ending == Some(Ending::Cancelled) {
            self.cancelled += 1;
            return;
        }
        if let Some(delivered_on) = arrival.delivered_on {
            self.delivered += 1;
            if let Some(shipped_on) = outcome.shipped_on {
                self.transit_days.add(days_between(shipped_on, delivered_on));
            }
        }
        if matches!(outcome.ending, Some(Ending::Returned | Ending::ReturnedByCarrier)) {
            self.returned += 1;
        }
        self.add_timeliness(outcome);
    }

    fn add_timeliness(&mut self, outcome: &Outcome) {
        let Some(promise) = outcome.promise else {
            self.without_promise += 1;
            return;
        };
        match timeliness(outcome.promise, outcome.arrival, outcome.ending, outcome.today) {
            VerdictKind::OnTime => self.on_time += 1,
            VerdictKind::LateOpen => self.late_open += 1,
            VerdictKind::DeliveredLate => {
                self.late += 1;
                if let Some(delivered_on) = outcome.arrival.delivered_on {
                    self.lateness_days.add(days_between(promise, delivered_on));
                }
            }
            VerdictKind::Undecided if outcome.ending.is_none() => self.undecided += 1,
            // Dates alone tell no more words than these.
            VerdictKind::Undecided
            | VerdictKind::Delayed
            | VerdictKind::Stalled
            | VerdictKind::SuspectedLost
            | VerdictKind::Lost
            | VerdictKind::Found => {}
        }
    }

    /// On time among those that are decided.
    pub fn on_time_rate(&self) -> Rate {
        Rate::of(self.on_time, self.on_time + self.late + self.late_open, self.undecided)
    }

    /// Difference of the dates of delivery and shipping; negatives count.
    pub fn transit_days(&self) -> Percentiles {
        self.transit_days.percentiles()
    }

    /// Of late deliveries only.
    pub fn lateness_days(&self) -> Lateness {
        Lateness {
            percentiles: self.lateness_days.percentiles(),
            max: self.lateness_days.0.keys().next_back().copied(),
        }
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Counts stay far below 2^52, where a float holds every whole number.
#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts of shipments are exact in a float")]
fn ratio(num: u64, den: u64) -> f64 {
    num as f64 / den as f64
}

/// The Wilson score interval at 95 %, to five places; `None` of nothing.
///
/// Source: E. B. Wilson, "Probable inference", JASA 22 (1927).
#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts of shipments are exact in a float")]
pub fn wilson(num: u64, den: u64) -> Option<(f64, f64)> {
    if den == 0 {
        return None;
    }
    let (p, n, z) = (ratio(num, den), den as f64, 1.96_f64);
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    Some((rounded((centre - half).max(0.0)), rounded((centre + half).min(1.0))))
}

fn rounded(share: f64) -> f64 {
    (share * 1e5).round() / 1e5
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut days = Days::default();
        assert_eq!(days.nearest_rank(50), None);
        for day in [1, 2, 3, 4, 5, 6, 7, 8, 9, -10] {
            days.add(day);
        }
        assert_eq!(days.percentiles(), Percentiles { n: 10, p50: Some(4), p90: Some(8), p95: Some(9) });
    }

    #[test]
    fn intervals_are_wilson_s() {
        for (num, den, low, high) in [(0, 40, 0.0, 0.08762), (3, 500, 0.00204, 0.01749), (40, 40, 0.91238, 1.0)] {
            assert_eq!(wilson(num, den), Some((low, high)), "{num} of {den}");
        }
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn each_shipment_is_counted_once() {
        let day = |n| date(2026, 9, n);
        let open = Outcome {
            promise: Some(day(10)),
            shipped_on: Some(day(5)),
            arrival: Arrival { delivered_on: None, first_attempt_on: None },
            ending: None,
            today: day(9),
        };
        let delivered = |on| Outcome {
            arrival: Arrival { delivered_on: Some(on), first_attempt_on: Some(on) },
            ending: Some(Ending::Delivered),
            ..open
        };
        let mut tally = Tally::default();
        for outcome in [
            open,
            Outcome { today: day(11), ..open },
            delivered(day(8)),
            delivered(day(13)),
            Outcome { promise: None, ..delivered(day(8)) },
            Outcome { ending: Some(Ending::Cancelled), ..open },
            Outcome { ending: Some(Ending::Returned), ..open },
        ] {
            tally.add(&outcome);
        }
        assert_eq!((tally.shipments, tally.delivered, tally.on_time, tally.late), (7, 3, 1, 1));
        assert_eq!((tally.late_open, tally.undecided, tally.without_promise), (1, 1, 1));
        assert_eq!((tally.returned, tally.cancelled), (1, 1));
        assert_eq!(tally.on_time_rate().den, 3);
        assert_eq!(tally.transit_days().p95, Some(8));
        assert_eq!(tally.lateness_days().max, Some(3));
    }
}
