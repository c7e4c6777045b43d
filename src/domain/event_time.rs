//! A time as its source wrote it: local, with an offset only where the source gave one.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, fmt::temporal};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// A carrier's or seller's time. An offset is never invented: without one, [`EventTime::utc`] is `None`.
///
/// Serialised as `{"local","offset","utc"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventTime {
    /// The clock on the wall where it happened, to the microsecond.
    pub local: DateTime,
    /// East of UTC, where the source said so.
    pub offset: Option<Offset>,
}

/// How an [`EventTime`] looks in an answer; only its description is used.
#[derive(utoipa::ToSchema)]
#[schema(as = EventTime)]
#[allow(dead_code, reason = "describes what EventTime serialises to")]
pub struct EventTimeSchema {
    /// The clock on the wall where it happened.
    #[schema(example = "2026-09-17T10:04:00")]
    local: String,
    /// `null` where the source gave none; it is never invented.
    #[schema(example = "+01:00")]
    offset: Option<String>,
    /// `null` where no offset is known.
    #[schema(format = DateTime, example = "2026-09-17T09:04:00Z")]
    utc: Option<String>,
}

/// How long before its written local time a thing may really have happened, where no offset is known: UTC+14.
const EASTERNMOST_SECONDS: i64 = 14 * 3600;

impl EventTime {
    /// A time of unknown place.
    pub fn zoneless(local: DateTime) -> Self {
        Self { local, offset: None }
    }

    /// A time whose offset from UTC its source gave.
    pub fn with_offset(local: DateTime, offset: Offset) -> Self {
        Self { local, offset: Some(offset) }
    }

    /// An instant, written in UTC.
    pub fn at(instant: Timestamp) -> Self {
        Self::with_offset(Offset::UTC.to_datetime(instant), Offset::UTC)
    }

    /// The instant, where the offset is known.
    pub fn utc(&self) -> Option<Timestamp> {
        self.offset.and_then(|offset| offset.to_timestamp(self.local).ok())
    }

    /// The instant, reading a zone-less local time in `zone`: for order and `as_of` only, never to be shown.
    pub fn instant_in(&self, zone: &TimeZone) -> Timestamp {
        self.utc().or_else(|| zone.to_timestamp(self.local).ok()).unwrap_or_else(|| self.sort_instant())
    }

    /// The instant, or the local time read as if it were UTC, so that events of any source can be put in one order.
    pub fn sort_instant(&self) -> Timestamp {
        self.utc().or_else(|| Offset::UTC.to_timestamp(self.local).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The earliest instant at which this can have happened anywhere on earth.
    pub fn earliest_instant(&self) -> Timestamp {
        let told = self.sort_instant();
        if self.offset.is_some() {
            return told;
        }
        told.checked_sub(jiff::SignedDuration::from_secs(EASTERNMOST_SECONDS)).unwrap_or(told)
    }

    /// The date: as written where no offset is known, else moved to the destination's zone.
    pub fn date_in(&self, destination: &TimeZone) -> Date {
        match self.utc() {
            Some(instant) => destination.to_datetime(instant).date(),
            None => self.local.date(),
        }
    }

    /// Reads `2026-09-17T10:04:00`, with `Z` or an offset where the writer knows one, or a bare date, which is its
    /// midnight.
    pub fn parse(text: &str) -> Option<Self> {
        let pieces = temporal::Pieces::parse(text).ok()?;
        let local = pieces.date().to_datetime(pieces.time().unwrap_or(jiff::civil::Time::midnight()));
        let offset = pieces.to_numeric_offset();
        // What no database keeps, and nobody means.
        let is_odd = offset.is_some_and(|it| it.seconds() % 60 != 0) || !(1900..=2200).contains(&local.year());
        (!is_odd).then_some(Self { local, offset })
    }

    /// `2026-09-17T10:04:00`, fractions only where there are some.
    pub fn local_text(&self) -> String {
        self.local.to_string()
    }

    /// `+01:00`, or `None`.
    pub fn offset_text(&self) -> Option<String> {
        self.offset.map(offset_text)
    }

    /// Reads back what [`EventTime::local_text`] and [`EventTime::offset_text`] wrote.
    pub fn from_texts(local: &str, offset: Option<&str>) -> Option<Self> {
        let local = local.parse().ok()?;
        let Some(text) = offset else { return Some(Self::zoneless(local)) };
        Some(Self::with_offset(local, offset_from_text(text)?))
    }
}

/// In order of happening; where only one side knows its offset, the other is read as UTC.
impl Ord for EventTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sort_instant().cmp(&other.sort_instant()).then_with(|| self.local.cmp(&other.local))
    }
}

impl PartialOrd for EventTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = serializer.serialize_struct("EventTime", 3)?;
        text.serialize_field("local", &self.local_text())?;
        text.serialize_field("offset", &self.offset_text())?;
        text.serialize_field("utc", &self.utc())?;
        text.end()
    }
}

fn offset_text(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn offset_from_text(text: &str) -> Option<Offset> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Reads an RFC 3339 instant such as `2026-09-17T10:04:00Z`.
pub fn instant_from_text(text: &str) -> Option<Timestamp> {
    static PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    #[test]
    fn a_date_is_moved_only_where_the_offset_is_known() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let late = datetime(2026, 9, 17, 23, 30, 0, 0);
        for (what, time, date) in [
            ("zone-less: as written", EventTime::zoneless(late), late.date()),
            (
                "in UTC: the next day in Tokyo",
                EventTime::with_offset(late, Offset::UTC),
                late.date().tomorrow().unwrap(),
            ),
        ] {
            assert_eq!(time.date_in(&tokyo), date, "{what}");
        }
    }

    #[test]
    fn a_time_survives_being_written() {
        for offset in [None, Some(Offset::UTC), Some(Offset::constant(-3)), Some(Offset::from_seconds(19_800).unwrap())]
        {
            let time = EventTime { local: datetime(2026, 2, 28, 1, 2, 3, 456_000), offset };
            assert_eq!(EventTime::from_texts(&time.local_text(), time.offset_text().as_deref()), Some(time));
        }
    }

    #[test]
    fn an_offset_is_never_invented() {
        let time = serde_json::to_value(EventTime::zoneless(datetime(2026, 9, 17, 10, 4, 0, 0))).unwrap();
        assert_eq!(time, serde_json::json!({"local": "2026-09-17T10:04:00", "offset": null, "utc": null}));
    }
}
