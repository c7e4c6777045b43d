//! Working days: Monday to Friday, less the public holidays on file.
//!
//! Holidays are on file for 2025 to 2027, for Brazil also 2016 to 2018. Outside, weekends alone are left out.

use crate::domain::country::CountryCode;
use jiff::civil::{Date, Weekday};
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

static HOLIDAYS: LazyLock<HashMap<&'static str, BTreeSet<Date>>> = LazyLock::new(|| {
    let mut by_country: HashMap<&str, BTreeSet<Date>> = HashMap::new();
    for row in include_str!("data/holidays.csv").lines().skip(1) {
        if let Some((country, date)) = row.split_once(',')
            && let Ok(date) = date.parse()
        {
            by_country.entry(country).or_default().insert(date);
        }
    }
    by_country
});

/// The working days of one country.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    holidays: Option<&'static BTreeSet<Date>>,
}

impl Calendar {
    pub fn of(country: Option<CountryCode>) -> Self {
        Self { holidays: country.and_then(|code| HOLIDAYS.get(code.as_str())) }
    }

    pub fn is_working_day(self, date: Date) -> bool {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && !self.holidays.is_some_and(|dates| dates.contains(&date))
    }

    /// The date `days` working days after `start`; the start itself is never counted.
    pub fn add_working_days(self, start: Date, days: u16) -> Date {
        let mut date = start;
        let mut left = days;
        while left > 0 {
            let Ok(next) = date.tomorrow() else { return date };
            date = next;
            if self.is_working_day(date) {
                left -= 1;
            }
        }
        date
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn weekends_and_holidays_are_no_working_days() {
        let us = Calendar::of("US".parse().ok());
        for (what, start, days, end) in [
            ("over a weekend", date(2026, 9, 18), 1, date(2026, 9, 21)),
            ("over Thanksgiving", date(2026, 11, 25), 1, date(2026, 11, 27)),
            ("no day at all", date(2026, 9, 19), 0, date(2026, 9, 19)),
            ("two weeks", date(2026, 9, 14), 10, date(2026, 9, 28)),
        ] {
            assert_eq!(us.add_working_days(start, days), end, "{what}");
        }
    }
}
