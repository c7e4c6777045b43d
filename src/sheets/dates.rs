//! Dates and times as people and programs write them, and the order of day and month settled over a column.

use super::clock;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use std::str::FromStr;

/// In which order a date of bare numbers is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2026.
    Dmy,
    /// 12/31/2026.
    Mdy,
    /// 26/12/31; four digits of a year in front need no such help.
    Ymd,
}

impl DateOrder {
    /// The word of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Self::Dmy => "dmy",
            Self::Mdy => "mdy",
            Self::Ymd => "ymd",
        }
    }
}

impl FromStr for DateOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Dmy, Self::Mdy, Self::Ymd];
        let found = all.into_iter().find(|it| it.code() == text.to_ascii_lowercase());
        found.ok_or_else(|| format!("`{text}` is no order of dates; write dmy, mdy or ymd"))
    }
}

/// What the dates of one column say about their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// A first number over 12 was seen.
    day_first: bool,
    /// A second number over 12 was seen.
    month_first: bool,
}

impl Evidence {
    pub(super) fn see(&mut self, text: &str) {
        let (date, _) = split(text);
        if let Some(Numbers { first, second, .. }) = Numbers::of(date) {
            self.day_first |= first > 12 && first <= 31 && second <= 12;
            self.month_first |= second > 12 && second <= 31 && first <= 12;
        }
    }

    /// The order of the column: what its values show, else what the caller says.
    pub(super) fn settled(self, told: Option<DateOrder>) -> Option<DateOrder> {
        match (self.day_first, self.month_first) {
            (true, false) => Some(DateOrder::Dmy),
            (false, true) => Some(DateOrder::Mdy),
            (true, true) | (false, false) => told,
        }
    }
}

/// A time as written; the offset only where it was written, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Date,
    /// `None` where only a date was written.
    pub(super) time: Option<Time>,
    pub(super) offset: Option<Offset>,
}

impl Moment {
    /// The local time, where `or` stands in for a time that was not written.
    pub(super) fn local(&self, or: Time) -> DateTime {
        self.date.to_datetime(self.time.unwrap_or(or))
    }
}

/// Why a date is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Day and month could be either way about.
    Ambiguous,
    /// No such day or time, or no date at all.
    Invalid,
}

/// Reads a date with or without a time.
pub(super) fn read(text: &str, order: Option<DateOrder>) -> Result<Moment, Unreadable> {
    let (date, clock) = split(text);
    if let Some(moment) = in_fourteen_digits(date) {
        return Ok(moment);
    }
    let date = read_date(date, order)?;
    if clock.is_empty() {
        return Ok(Moment { date, time: None, offset: None });
    }
    let (time, offset) = clock::read(clock).ok_or(Unreadable::Invalid)?;
    Ok(Moment { date, time: Some(time), offset })
}

/// Splits before the hour: the digits in front of the first colon.
fn split(text: &str) -> (&str, &str) {
    let Some((before, _)) = text.split_once(':') else { return (text.trim(), "") };
    let date = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let clock = text.get(date.len()..).unwrap_or_default();
    (date.trim_end_matches(['T', 't', ',', ' ', '\u{a0}']).trim(), clock.trim())
}

fn read_date(text: &str, order: Option<DateOrder>) -> Result<Date, Unreadable> {
    let parts: Vec<&str> = text.split(is_separator).filter(|it| !it.is_empty()).collect();
    let (year, month, day) = match parts.as_slice() {
        [compact] => in_eight_digits(compact).ok_or(Unreadable::Invalid)?,
        [year, month, day] if year.len() == 4 && is_number(year) => {
            (number(year)?, month_named(month).map_or_else(|| number(month), Ok)?, number(day)?)
        }
        [.., first, second, year] if parts.len() == 3 || is_weekday(parts.first()) => {
            match (month_named(first), month_named(second)) {
                (None, Some(month)) => (in_full(year)?, month, number(first)?),
                (Some(month), None) => (in_full(year)?, month, number(second)?),
                _ => Numbers::of(text).ok_or(Unreadable::Invalid)?.ordered(order)?,
            }
        }
        _ => return Err(Unreadable::Invalid),
    };
    if !(1900..=2200).contains(&year) {
        return Err(Unreadable::Invalid);
    }
    let small = |number: i16| i8::try_from(number).ok().ok_or(Unreadable::Invalid);
    Date::new(year, small(month)?, small(day)?).ok().ok_or(Unreadable::Invalid)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '/' | '.' | ',' | ' ' | '\u{a0}')
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Result<i16, Unreadable> {
    if is_number(text) { text.parse().ok().ok_or(Unreadable::Invalid) } else { Err(Unreadable::Invalid) }
}

/// A year of two digits is one of this century.
fn in_full(year: &str) -> Result<i16, Unreadable> {
    match year.len() {
        4 => number(year),
        2 => number(year).map(|year| 2000 + year),
        _ => Err(Unreadable::Invalid),
    }
}

/// `20260917101500`.
fn in_fourteen_digits(text: &str) -> Option<Moment> {
    let (day, clock) = text.split_at_checked(8).filter(|_| text.len() == 14 && is_number(text))?;
    let (year, month, day) = in_eight_digits(day)?;
    let part = |from: usize| clock.get(from..from + 2).and_then(|digits| digits.parse::<i8>().ok());
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let time = Time::new(part(0)?, part(2)?, part(4)?, 0).ok()?;
    Some(Moment { date, time: Some(time), offset: None })
}

/// `20260917`.
fn in_eight_digits(text: &str) -> Option<(i16, i16, i16)> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    let plausible = text.len() == 8 && is_number(text) && (text.starts_with("19") || text.starts_with("20"));
    plausible.then_some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

fn month_named(text: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    // Where they differ from the English ones, as marketplaces of other countries shorten them.
    const OTHERS: [(&str, i16); 16] = [
        ("mär", 3),
        ("mrz", 3),
        ("mai", 5),
        ("okt", 10),
        ("dez", 12),
        ("janv", 1),
        ("févr", 2),
        ("mars", 3),
        ("avr", 4),
        ("juin", 6),
        ("juil", 7),
        ("août", 8),
        ("déc", 12),
        ("ene", 1),
        ("abr", 4),
        ("dic", 12),
    ];
    let text = text.to_lowercase();
    if let Some((_, month)) = OTHERS.iter().find(|(name, _)| *name == text) {
        return Some(*month);
    }
    let fits =
        |month: &&str| text.len() >= 3 && (month.starts_with(&text) || text == "sept" && **month == *"september");
    MONTHS.iter().position(fits).and_then(|place| i16::try_from(place + 1).ok())
}

fn is_weekday(text: Option<&&str>) -> bool {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    text.is_some_and(|text| DAYS.iter().any(|day| text.to_ascii_lowercase().starts_with(day)))
}

/// A date of three bare numbers whose year does not stand in front with four digits.
struct Numbers {
    first: i16,
    second: i16,
    third: i16,
    year_in_full: bool,
}

impl Numbers {
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(is_separator).filter(|it| !it.is_empty());
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
        let short = |text: &str| text.len() <= 2 && is_number(text);
        let fits = parts.next().is_none() && short(first) && short(second) && is_number(third);
        let year_in_full = third.len() == 4;
        if !fits || !(year_in_full || third.len() == 2) {
            return None;
        }
        let [first, second, third] = [first, second, third].map(|it| it.parse().ok());
        Some(Self { first: first?, second: second?, third: third?, year_in_full })
    }

    fn ordered(&self, order: Option<DateOrder>) -> Result<(i16, i16, i16), Unreadable> {
        let Self { first, second, third, year_in_full } = *self;
        let year = if year_in_full { third } else { 2000 + third };
        match order {
            Some(DateOrder::Dmy) => Ok((year, second, first)),
            Some(DateOrder::Mdy) => Ok((year, first, second)),
            Some(DateOrder::Ymd) if !year_in_full => Ok((2000 + first, second, third)),
            Some(DateOrder::Ymd) | None if first > 12 || first == second => Ok((year, second, first)),
            Some(DateOrder::Ymd) | None if second > 12 => Ok((year, first, second)),
            Some(DateOrder::Ymd) | None => Err(Unreadable::Ambiguous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, order: Option<DateOrder>) -> String {
        match read(text, order) {
            Err(why) => format!("{why:?}"),
            Ok(Moment { date, time, offset }) => {
                let time = time.map(|it| format!(" {it}")).unwrap_or_default();
                let offset = offset.map(|it| format!(" {it}")).unwrap_or_default();
                format!("{date}{time}{offset}")
            }
        }
    }

    #[test]
    fn a_date_needs_no_help_where_it_can_be_read_in_one_way() {
        for (text, expected) in [
            ("2026-09-17", "2026-09-17"),
            ("2026/9/7", "2026-09-07"),
            ("20260917", "2026-09-17"),
            ("17 Sep 2026", "2026-09-17"),
            ("Sep 17, 2026", "2026-09-17"),
            ("17-Sep-26", "2026-09-17"),
            ("10-Dez-25", "2025-12-10"),
            ("20260917101500", "2026-09-17 10:15:00"),
            ("20260917106100", "Invalid"),
            ("Thu, 17 Sep 2026 10:00:00 +0000", "2026-09-17 10:00:00 +00"),
            ("31/05/2026", "2026-05-31"),
            ("05/31/2026", "2026-05-31"),
            ("04/04/2026", "2026-04-04"),
            ("03/04/2026", "Ambiguous"),
            ("2026-02-30", "Invalid"),
            ("2025-02-29", "Invalid"),
            ("2026-13-01", "Invalid"),
            ("0000-00-00", "Invalid"),
            ("32/13/2026", "Invalid"),
            ("46282", "Invalid"),
            ("soon", "Invalid"),
            ("", "Invalid"),
        ] {
            assert_eq!(written(text, None), expected, "{text}");
        }
    }

    #[test]
    fn times_and_offsets_are_read_as_written() {
        for (text, expected) in [
            ("2026-09-16T23:30:00-05:00", "2026-09-16 23:30:00 -05"),
            ("2026-09-17 00:30:00 +0200", "2026-09-17 00:30:00 +02"),
            ("2026-09-17T00:00:00Z", "2026-09-17 00:00:00 +00"),
            ("2026-09-17 10:15:45 AM", "2026-09-17 10:15:45"),
            ("2026-09-17 12:05 a.m.", "2026-09-17 00:05:00"),
            ("2026-09-17 12:05 pm", "2026-09-17 12:05:00"),
            ("2026-09-17T10:04:00.123456", "2026-09-17 10:04:00.123456"),
            ("2026-09-17 13:05 PM", "Invalid"),
            ("2026-09-17 25:00", "Invalid"),
            ("2026-09-17 10:00 somewhere", "Invalid"),
        ] {
            assert_eq!(written(text, None), expected, "{text}");
        }
    }

    #[test]
    fn a_column_is_settled_by_a_value_over_twelve_before_the_caller_is_asked() {
        let seen = |texts: &[&str]| {
            let mut evidence = Evidence::default();
            for text in texts {
                evidence.see(text);
            }
            evidence
        };
        for (what, texts, told, order) in [
            ("a day in front", &["03/04/2026", "31/05/2026"][..], None, Some(DateOrder::Dmy)),
            ("a day in second place", &["05/31/2026 10:00"], Some(DateOrder::Dmy), Some(DateOrder::Mdy)),
            ("nothing to see", &["03/04/2026"], None, None),
            ("nothing to see, but told", &["03/04/2026"], Some(DateOrder::Dmy), Some(DateOrder::Dmy)),
            ("both", &["31/05/2026", "05/31/2026"], None, None),
        ] {
            assert_eq!(seen(texts).settled(told), order, "{what}");
        }
        assert_eq!(written("03/04/2026", Some(DateOrder::Dmy)), "2026-04-03");
        assert_eq!(written("26/04/03", Some(DateOrder::Ymd)), "2026-04-03");
    }
}
