//! Cells that hold times, days, amounts, weights and counts.

use super::amounts::{self, NoCount};
use super::cells::Cells;
use super::dates::{self, Moment, Unreadable};
use crate::domain::country::CountryCode;
use crate::domain::event_time::EventTime;
use crate::domain::money::{self, Currency};
use jiff::ToSpan;
use jiff::civil::{Date, Time};

/// A time that a cell told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) time: EventTime,
    /// Whether only the day was written.
    pub(super) date_only: bool,
}

/// 23:59:59, the end of a day by which something is to be done.
pub(super) const END_OF_DAY: Time = Time::constant(23, 59, 59, 0);

impl Cells<'_> {
    /// A time; where only a day is written, `or` is the time of that day.
    pub(super) fn time(&mut self, column: &'static str, or: Time) -> Option<Told> {
        let moment = self.moment(column)?;
        let local = moment.local(or);
        let date_only = moment.time.is_none();
        let Some(offset) = moment.offset else {
            let time = EventTime::zoneless(local);
            self.note(column, if date_only { moment.date.to_string() } else { time.local_text() });
            return Some(Told { time, date_only });
        };
        let time = EventTime::with_offset(local, offset);
        self.note(column, format!("{}{}", time.local_text(), time.offset_text().unwrap_or_default()));
        if let (Some(name), Some(utc)) = (in_utc(column), time.utc()) {
            self.note(name, utc.to_string());
        }
        Some(Told { time, date_only })
    }

    /// A day; a time with an offset is first moved to where the parcel goes, if that is known.
    pub(super) fn day(
        &mut self,
        column: &'static str,
        country: Option<CountryCode>,
        region: Option<&str>,
    ) -> Option<Date> {
        let moment = self.moment(column)?;
        let written = moment.local(Time::midnight());
        let day = match (moment.offset, country) {
            (Some(offset), Some(country)) => {
                EventTime::with_offset(written, offset).date_in(&country.time_zone(region))
            }
            _ => moment.date,
        };
        self.note(column, day.to_string());
        Some(day)
    }

    fn moment(&mut self, column: &'static str) -> Option<Moment> {
        let text = self.take_unless_placeholder(column)?;
        let order = self.survey.date_orders.get(column).copied();
        match dates::read(&text, order) {
            Ok(moment) => {
                let last = self.options.today.checked_add(1.year()).unwrap_or(Date::MAX);
                if moment.date > last || moment.date.year() < 1990 {
                    let detail = format!("{} lies far from today; look whether the year is right.", moment.date);
                    self.warn(column, "implausible_date", detail);
                }
                Some(moment)
            }
            Err(why) => {
                let (code, detail) = match why {
                    Unreadable::Ambiguous => (
                        "ambiguous_date",
                        format!(
                            "`{text}` may be day first or month first, and no other date of this column tells. Send the file \
                             again with the date order dmy or mdy, or write dates like 2026-12-31."
                        ),
                    ),
                    Unreadable::Invalid => (
                        "invalid_date",
                        format!("`{text}` is no date. Write it like 2026-12-31 or 2026-12-31T18:30:00Z."),
                    ),
                };
                self.note(column, text);
                self.error(column, code, detail);
                None
            }
        }
    }

    /// An amount in minor units of its currency, or in hundredths where the row names none.
    pub(super) fn amount(&mut self, column: &'static str, currency: Option<Currency>) -> Option<i64> {
        let decimal = self.decimal(column)?;
        let exponent = currency.map_or(2, |it| it.exponent());
        let amount = money::minor_units(&decimal, exponent);
        if amount.is_none() {
            let name = currency.map_or_else(|| "most currencies".to_owned(), |it| it.to_string());
            let (code, detail) = if decimal.len() > 17 {
                ("out_of_range", format!("`{decimal}` is too large for an amount."))
            } else {
                ("too_many_decimals", format!("`{decimal}` has more decimals than {name} has ({exponent}). Round it."))
            };
            self.error(column, code, detail);
        }
        amount
    }

    fn decimal(&mut self, column: &'static str) -> Option<String> {
        let text = self.take_unless_placeholder(column)?;
        let mark = self.survey.decimal_marks.get(column).copied().unwrap_or('.');
        let Some(decimal) = amounts::decimal(&text, mark) else {
            let detail = format!(
                "`{text}` is no number, with `{mark}` as the decimal mark of this column. Write it like 1234{mark}50."
            );
            self.note(column, text);
            self.error(column, "not_a_number", detail);
            return None;
        };
        self.note(column, decimal.clone());
        Some(decimal)
    }

    /// The weight in grams, from the first of the four columns that is filled.
    pub(super) fn weight(&mut self) -> Option<i64> {
        const UNITS: [(&str, i128); 4] = [
            ("weight_g", 1_000_000_000),
            ("weight_kg", 1_000_000_000_000),
            ("weight_oz", 28_349_523_125),
            ("weight_lb", 453_592_370_000),
        ];
        let mut weight = None;
        for (column, nanograms) in UNITS {
            let Some(decimal) = self.decimal(column) else { continue };
            let grams = amounts::grams(&decimal, nanograms).filter(|grams| (0..=1_000_000_000_000).contains(grams));
            if grams.is_none() {
                self.error(column, "out_of_range", format!("`{decimal}` is no weight of a parcel."));
            }
            weight = weight.or(grams);
        }
        weight
    }

    pub(super) fn quantity(&mut self) -> Option<i64> {
        const COLUMN: &str = "quantity";
        let text = self.take_unless_placeholder(COLUMN)?;
        let count = amounts::count(&text);
        self.note(COLUMN, count.map_or_else(|_| text.clone(), |it| it.to_string()));
        match count {
            Ok(count) => Some(count),
            Err(NoCount::NotWhole) => {
                self.error(
                    COLUMN,
                    "not_an_integer",
                    format!("`{text}` is no whole number of pieces. Write it like 2 or 1000."),
                );
                None
            }
            Err(NoCount::OutOfRange) => {
                self.error(COLUMN, "out_of_range", format!("`{text}` pieces are not between 1 and 10,000,000."));
                None
            }
        }
    }

    /// Warns where a later thing is said to have happened before an earlier one.
    pub(super) fn in_sequence(&mut self, earlier: (&str, Option<Told>), later: (&'static str, Option<Told>)) {
        let ((before, Some(first)), (column, Some(second))) = (earlier, later) else { return };
        let zone = &self.options.time_zone;
        let reversed = if first.date_only || second.date_only {
            second.time.local.date() < first.time.local.date()
        } else if first.time.offset.is_none() && second.time.offset.is_none() {
            second.time.local < first.time.local
        } else {
            second.time.instant_in(zone) < first.time.instant_in(zone)
        };
        if reversed {
            self.warn(
                column,
                "impossible_sequence",
                format!("{column} lies before {before}; one of the two is wrong."),
            );
        }
    }
}

/// The name under which a time with an offset is shown in UTC besides.
fn in_utc(column: &str) -> Option<&'static str> {
    const SHOWN: [&str; 5] = ["order_date_utc", "ship_by_utc", "shipped_at_utc", "delivered_at_utc", "event_at_utc"];
    SHOWN.into_iter().find(|it| it.strip_suffix("_utc") == Some(column))
}
