//! Dispatch: whether an order left in time, and by whose word.

use crate::domain::event_time::EventTime;
use crate::domain::report::Rate;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// By whose word an order has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DispatchedBy {
    /// A carrier scanned one of its parcels.
    CarrierScan,
    /// No carrier has; the seller says that it was shipped.
    Seller,
}

/// What is known of the leaving of one parcel, as of the report's moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leaving {
    pub first_scan: Option<EventTime>,
    pub shipped: Option<EventTime>,
}

/// How an order keeps its dispatch-by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dispatching {
    DispatchedOnTime,
    DispatchedLate,
    /// Not dispatched, and the time has passed.
    Overdue,
    /// Not dispatched, and the time has not come.
    Undecided,
    WithoutDispatchBy,
}

/// When an order was dispatched: with the first carrier scan of any of its parcels, else with the first that the seller
/// says was shipped.
pub fn dispatched(parcels: &[Leaving], seller_zone: &TimeZone) -> Option<(EventTime, DispatchedBy)> {
    let first = |times: &mut dyn Iterator<Item = EventTime>| times.min_by_key(|time| time.instant_in(seller_zone));
    let scan = first(&mut parcels.iter().filter_map(|it| it.first_scan));
    let told = || first(&mut parcels.iter().filter_map(|it| it.shipped));
    scan.map(|at| (at, DispatchedBy::CarrierScan)).or_else(|| told().map(|at| (at, DispatchedBy::Seller)))
}

impl Dispatching {
    /// Judges at `as_of`; the dispatch-by time itself is still in time.
    pub fn of(dispatch_by_at: Option<Timestamp>, dispatched_at: Option<Timestamp>, as_of: Timestamp) -> Self {
        match (dispatch_by_at, dispatched_at) {
            (None, _) => Self::WithoutDispatchBy,
            (Some(by), Some(at)) if at <= by => Self::DispatchedOnTime,
            (Some(_), Some(_)) => Self::DispatchedLate,
            (Some(by), None) if as_of > by => Self::Overdue,
            (Some(_), None) => Self::Undecided,
        }
    }

    /// Whether it missed its time.
    pub fn is_missed(self) -> bool {
        matches!(self, Self::DispatchedLate | Self::Overdue)
    }
}

/// Counts over a set of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispatchTally {
    pub orders: u64,
    pub dispatched_on_time: u64,
    pub dispatched_late: u64,
    pub overdue: u64,
    pub undecided: u64,
    pub without_dispatch_by: u64,
}

impl DispatchTally {
    pub fn add(&mut self, dispatching: Dispatching) {
        self.orders += 1;
        let count = match dispatching {
            Dispatching::DispatchedOnTime => &mut self.dispatched_on_time,
            Dispatching::DispatchedLate => &mut self.dispatched_late,
            Dispatching::Overdue => &mut self.overdue,
            Dispatching::Undecided => &mut self.undecided,
            Dispatching::WithoutDispatchBy => &mut self.without_dispatch_by,
        };
        *count += 1;
    }

    /// On time among those that are decided.
    pub fn on_time_rate(&self) -> Rate {
        let decided = self.dispatched_on_time + self.dispatched_late + self.overdue;
        Rate::of(self.dispatched_on_time, decided, self.undecided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i8) -> EventTime {
        EventTime::zoneless(jiff::civil::date(2026, 9, 17).at(hour, 0, 0, 0))
    }

    #[test]
    fn an_order_leaves_with_the_first_scan_of_a_carrier_else_by_the_seller_s_word() {
        let scanned = |hour| Leaving { first_scan: Some(at(hour)), shipped: Some(at(1)) };
        let told = |hour| Leaving { first_scan: None, shipped: Some(at(hour)) };
        for (what, parcels, expected) in [
            ("nothing known", vec![Leaving::default()], None),
            ("the seller's word", vec![told(9), told(7)], Some((at(7), DispatchedBy::Seller))),
            ("a scan counts more", vec![told(7), scanned(9)], Some((at(9), DispatchedBy::CarrierScan))),
            ("the first of two scans", vec![scanned(9), scanned(8)], Some((at(8), DispatchedBy::CarrierScan))),
        ] {
            assert_eq!(dispatched(&parcels, &TimeZone::UTC), expected, "{what}");
        }
    }

    #[test]
    fn each_order_is_counted_once() {
        let hour = |hour| Some(at(hour).sort_instant());
        let mut tally = DispatchTally::default();
        for (what, by, left, as_of, expected) in [
            ("in time", hour(9), hour(8), 20, Dispatching::DispatchedOnTime),
            ("on the stroke", hour(9), hour(9), 20, Dispatching::DispatchedOnTime),
            ("late", hour(9), hour(10), 20, Dispatching::DispatchedLate),
            ("still here", hour(9), None, 10, Dispatching::Overdue),
            ("time enough", hour(9), None, 9, Dispatching::Undecided),
            ("no time set", None, hour(8), 20, Dispatching::WithoutDispatchBy),
        ] {
            let dispatching = Dispatching::of(by, left, at(as_of).sort_instant());
            assert_eq!(dispatching, expected, "{what}");
            tally.add(dispatching);
        }
        assert_eq!((tally.orders, tally.dispatched_on_time, tally.dispatched_late), (6, 2, 1));
        assert_eq!((tally.overdue, tally.undecided, tally.without_dispatch_by), (1, 1, 1));
        let rate = tally.on_time_rate();
        assert_eq!((rate.num, rate.den, rate.undecided), (2, 4, 1));
    }
}
