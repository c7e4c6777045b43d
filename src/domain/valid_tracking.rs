//! Counting how true tracking numbers are: right in form, and scanned by their carrier.

use crate::domain::doubt::DoubtCode;
use crate::domain::report::Rate;
use std::collections::BTreeMap;

/// What a number proved to be, as the report counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberClass {
    Valid,
    Ambiguous,
    Suspicious,
    /// Wrong as it stands, or right and another carrier's.
    Invalid,
    /// Taken in before this was kept.
    Unknown,
}

impl NumberClass {
    /// From the words of a number check.
    pub fn of(validity: Option<&str>, code: Option<&str>) -> Self {
        match (validity, code) {
            (_, Some("carrier_mismatch")) | (Some("invalid" | "repairable"), _) => Self::Invalid,
            (Some("valid"), _) => Self::Valid,
            (Some("ambiguous"), _) => Self::Ambiguous,
            (Some("suspicious"), _) => Self::Suspicious,
            (Some(_) | None, _) => Self::Unknown,
        }
    }
}

/// What the count needs to know of one shipment that is not cancelled, as of the report's moment.
#[derive(Debug, Clone, Copy)]
pub struct NumberFate {
    pub class: NumberClass,
    /// By the carrier, not by the seller's word.
    pub is_scanned: bool,
    /// By the seller's word, or by a scan of the carrier.
    pub is_shipped: bool,
    /// Shipped so short a time ago that the carrier need not have scanned it.
    pub is_fresh: bool,
}

impl NumberFate {
    /// Whether it may yet be scanned, which would settle it.
    fn is_undecided(self) -> bool {
        self.class == NumberClass::Valid && self.is_fresh && !self.is_scanned
    }

    /// Whether it counts for the rate, and is decided.
    fn is_decided(self) -> bool {
        self.is_shipped && self.class != NumberClass::Unknown && !self.is_undecided()
    }

    fn is_good(self) -> bool {
        self.class == NumberClass::Valid && self.is_scanned
    }

    /// Whether it lowers the rate.
    pub fn spoils(self) -> bool {
        self.is_decided() && !self.is_good()
    }
}

/// Counts over a set of shipments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberTally {
    /// The sum of the five that follow.
    pub shipments: u64,
    pub valid: u64,
    pub ambiguous: u64,
    pub suspicious: u64,
    pub invalid: u64,
    pub unknown: u64,
    pub scanned: u64,
    pub doubts: BTreeMap<DoubtCode, u64>,
    good: u64,
    decided: u64,
    undecided: u64,
}

impl NumberTally {
    pub fn add(&mut self, fate: NumberFate, doubts: &[DoubtCode]) {
        self.shipments += 1;
        *match fate.class {
            NumberClass::Valid => &mut self.valid,
            NumberClass::Ambiguous => &mut self.ambiguous,
            NumberClass::Suspicious => &mut self.suspicious,
            NumberClass::Invalid => &mut self.invalid,
            NumberClass::Unknown => &mut self.unknown,
        } += 1;
        self.scanned += u64::from(fate.is_scanned);
        for code in doubts {
            *self.doubts.entry(*code).or_default() += 1;
        }
        self.decided += u64::from(fate.is_decided());
        self.good += u64::from(fate.is_decided() && fate.is_good());
        self.undecided += u64::from(fate.is_shipped && fate.is_undecided());
    }

    /// The valid and scanned among the shipped.
    pub fn valid_tracking_rate(&self) -> Rate {
        Rate::of(self.good, self.decided, self.undecided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_classed_by_the_words_of_its_check() {
        for (validity, code, class) in [
            (Some("valid"), None, NumberClass::Valid),
            (Some("valid"), Some("sandbox_number"), NumberClass::Valid),
            (Some("invalid"), Some("bad_checksum"), NumberClass::Invalid),
            (Some("suspicious"), Some("carrier_mismatch"), NumberClass::Invalid),
            (Some("repairable"), Some("lost_leading_zero"), NumberClass::Invalid),
            (Some("ambiguous"), None, NumberClass::Ambiguous),
            (Some("suspicious"), None, NumberClass::Suspicious),
            (None, None, NumberClass::Unknown),
        ] {
            assert_eq!(NumberClass::of(validity, code), class, "{validity:?} {code:?}");
        }
    }

    #[test]
    fn the_rate_is_of_valid_and_scanned_among_the_shipped() {
        let good = NumberFate { class: NumberClass::Valid, is_scanned: true, is_shipped: true, is_fresh: false };
        let unscanned = NumberFate { is_scanned: false, ..good };
        let of = |class| NumberFate { class, ..good };
        for (what, fate, num, den, undecided, spoils) in [
            ("valid and scanned", good, 1, 1, 0, false),
            ("scanned at once", NumberFate { is_fresh: true, ..good }, 1, 1, 0, false),
            ("not scanned", unscanned, 0, 1, 0, true),
            ("not scanned yet", NumberFate { is_fresh: true, ..unscanned }, 0, 0, 1, false),
            ("not shipped yet", NumberFate { is_shipped: false, ..unscanned }, 0, 0, 0, false),
            ("wrong, and scanned all the same", of(NumberClass::Invalid), 0, 1, 0, true),
            ("wrong, shipped just now", NumberFate { is_fresh: true, ..of(NumberClass::Invalid) }, 0, 1, 0, true),
            ("proved by nothing", of(NumberClass::Suspicious), 0, 1, 0, true),
            ("of a carrier that nobody named", of(NumberClass::Ambiguous), 0, 1, 0, true),
            ("of before", of(NumberClass::Unknown), 0, 0, 0, false),
        ] {
            let mut tally = NumberTally::default();
            tally.add(fate, &[DoubtCode::NumberReused]);
            let rate = tally.valid_tracking_rate();
            assert_eq!((rate.num, rate.den, rate.undecided, fate.spoils()), (num, den, undecided, spoils), "{what}");
            let classes = [tally.valid, tally.ambiguous, tally.suspicious, tally.invalid, tally.unknown];
            assert_eq!((classes.iter().sum::<u64>(), tally.doubts[&DoubtCode::NumberReused]), (1, 1), "{what}");
        }
    }
}
