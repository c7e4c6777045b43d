//! Verdicts: whether a promise is kept, why, on what evidence, and when that may change by the clock alone.

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Actor, SubStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::str::FromStr;

/// How a shipment keeps its promise, and whether it still moves.
///
/// The first five are by dates, and reports count by them alone. The last four are about silence, and stand in front of
/// them while a parcel is open, the gravest first: lost, suspected lost, stalled, found. What the dates say meanwhile
/// stands in [`Verdict::timeliness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Not due yet, or nothing to measure against: no promise, cancelled, or sent back through no fault of the carrier.
    Undecided,
    /// Delivered, or first tried, by the promised day.
    OnTime,
    /// Not due yet, but something on the way holds it up.
    Delayed,
    /// Past its promise and still open, lost, or sent back by the carrier's fault.
    LateOpen,
    /// Delivered after the promised day.
    DeliveredLate,
    /// Silent for longer than its service should be.
    Stalled,
    /// Silent past the carrier's own rule of loss, or for three to four weeks.
    SuspectedLost,
    /// By the carrier's word, or silent for one month within a country and two across a border.
    Lost,
    /// It moves again after it was lost, or suspected lost.
    Found,
}

impl VerdictKind {
    pub const ALL: [Self; 9] = [
        Self::Undecided,
        Self::OnTime,
        Self::Delayed,
        Self::LateOpen,
        Self::DeliveredLate,
        Self::Stalled,
        Self::SuspectedLost,
        Self::Lost,
        Self::Found,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::OnTime => "on_time",
            Self::Delayed => "delayed",
            Self::LateOpen => "late_open",
            Self::DeliveredLate => "delivered_late",
            Self::Stalled => "stalled",
            Self::SuspectedLost => "suspected_lost",
            Self::Lost => "lost",
            Self::Found => "found",
        }
    }
}

/// Why a parcel is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Customs,
    Weather,
    Address,
    Capacity,
    Carrier,
    Seller,
    Unknown,
}

impl Cause {
    pub const ALL: [Self; 7] =
        [Self::Customs, Self::Weather, Self::Address, Self::Capacity, Self::Carrier, Self::Seller, Self::Unknown];

    pub fn code(self) -> &'static str {
        match self {
            Self::Customs => "customs",
            Self::Weather => "weather",
            Self::Address => "address",
            Self::Capacity => "capacity",
            Self::Carrier => "carrier",
            Self::Seller => "seller",
            Self::Unknown => "unknown",
        }
    }
}

macro_rules! found_by_code {
    ($($kind:ty),*) => {$(
        impl FromStr for $kind {
            type Err = crate::domain::milestone::UnknownCode;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
            }
        }
    )*};
}
found_by_code!(VerdictKind, Cause);

/// How a shipment ended, where it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Delivered,
    Returned,
    /// Sent back after trouble that is the carrier's fault.
    ReturnedByCarrier,
    /// By the carrier's own word: lost or destroyed.
    Lost,
    Cancelled,
}

impl Ending {
    pub const ALL: [Self; 5] = [Self::Delivered, Self::Returned, Self::ReturnedByCarrier, Self::Lost, Self::Cancelled];

    pub fn code(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::ReturnedByCarrier => "returned_by_carrier",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}
found_by_code!(Ending);

/// A verdict with all that somebody needs who doubts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub verdict: VerdictKind,
    /// What the dates alone say: reports count by it, and it is never about silence.
    pub timeliness: VerdictKind,
    /// Of a delay or a silence; `None` where there is none.
    pub cause: Option<Cause>,
    /// One sentence.
    pub reason: String,
    /// The line that was or will be crossed.
    pub threshold: Option<String>,
    /// What it rests on, oldest first.
    pub evidence: Vec<Evidence>,
    /// When it may change by the clock alone.
    pub reconsider_at: Option<Timestamp>,
    pub would_change: String,
    pub must_act: Actor,
}

/// How a [`Verdict`] looks in an answer; only its description is used.
#[derive(utoipa::ToSchema)]
#[schema(as = Verdict)]
#[allow(dead_code, reason = "describes what Verdict serialises to")]
pub struct VerdictSchema {
    verdict: VerdictKind,
    /// What the dates alone say: reports count by it, and it is never about silence.
    timeliness: VerdictKind,
    cause: Option<Cause>,
    /// One sentence.
    reason: String,
    threshold: Option<String>,
    evidence: Vec<EvidenceSchema>,
    /// When it may change by the clock alone.
    #[schema(format = DateTime)]
    reconsider_at: Option<String>,
    would_change: String,
    /// `none`, `seller` or `buyer`.
    must_act: String,
}

/// How an [`Evidence`] looks in an answer; only its description is used.
#[derive(utoipa::ToSchema)]
#[schema(as = Evidence)]
#[allow(dead_code, reason = "describes what Evidence serialises to")]
pub struct EvidenceSchema {
    fact: String,
    at: Option<crate::domain::event_time::EventTimeSchema>,
    #[schema(format = Date)]
    on: Option<String>,
    sub_status: Option<String>,
}

/// One fact under a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    pub fact: &'static str,
    pub at: Option<EventTime>,
    pub on: Option<Date>,
    pub sub_status: Option<SubStatus>,
}

/// The dates that decide, moved to the destination's zone where their offset is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub delivered_on: Option<Date>,
    pub first_attempt_on: Option<Date>,
}

/// The first instant of the day after.
pub fn end_of_day(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.checked_add(1.day()).ok()?;
    zone.to_timestamp(next.to_datetime(jiff::civil::Time::midnight())).ok()
}

/// The bare rule, on dates: the same for a verdict and for a report that cuts at another day.
///
/// `today` is the date at the destination. What is [`VerdictKind::Delayed`] needs more than dates and is not told apart
/// from [`VerdictKind::Undecided`] here; nor is silence, which these counts leave alone.
pub fn timeliness(promise: Option<Date>, arrival: Arrival, ending: Option<Ending>, today: Date) -> VerdictKind {
    let Some(promise) = promise else { return VerdictKind::Undecided };
    let on_time = [arrival.first_attempt_on, arrival.delivered_on].into_iter().flatten().any(|day| day <= promise);
    match ending {
        Some(Ending::Cancelled) => VerdictKind::Undecided,
        _ if on_time => VerdictKind::OnTime,
        Some(Ending::Delivered) => VerdictKind::DeliveredLate,
        Some(Ending::Lost | Ending::ReturnedByCarrier) => VerdictKind::LateOpen,
        None if today > promise => VerdictKind::LateOpen,
        Some(Ending::Returned) | None => VerdictKind::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_promise_is_kept_by_dates() {
        let promise = Some(date(2026, 9, 10));
        let arrived = |day| Arrival { delivered_on: Some(day), first_attempt_on: Some(day) };
        let nothing = Arrival { delivered_on: None, first_attempt_on: None };
        let tried = Arrival { delivered_on: None, first_attempt_on: Some(date(2026, 9, 10)) };
        let tried_then_late = Arrival { delivered_on: Some(date(2026, 9, 12)), ..tried };
        for (what, promise, arrival, ending, today, kind) in [
            ("on the day", promise, arrived(date(2026, 9, 10)), Some(Ending::Delivered), 20, VerdictKind::OnTime),
            (
                "a day late",
                promise,
                arrived(date(2026, 9, 11)),
                Some(Ending::Delivered),
                20,
                VerdictKind::DeliveredLate,
            ),
            ("tried in time", promise, tried_then_late, Some(Ending::Delivered), 20, VerdictKind::OnTime),
            ("tried in time, still open", promise, tried, None, 20, VerdictKind::OnTime),
            ("open on the day", promise, nothing, None, 10, VerdictKind::Undecided),
            ("open the day after", promise, nothing, None, 11, VerdictKind::LateOpen),
            ("lost before the day", promise, nothing, Some(Ending::Lost), 5, VerdictKind::LateOpen),
            ("sent back by the buyer", promise, nothing, Some(Ending::Returned), 20, VerdictKind::Undecided),
            ("sent back by the carrier", promise, nothing, Some(Ending::ReturnedByCarrier), 9, VerdictKind::LateOpen),
            ("cancelled", promise, nothing, Some(Ending::Cancelled), 20, VerdictKind::Undecided),
            ("nothing promised", None, arrived(date(2026, 9, 10)), Some(Ending::Delivered), 20, VerdictKind::Undecided),
        ] {
            assert_eq!(timeliness(promise, arrival, ending, date(2026, 9, today)), kind, "{what}");
        }
    }
}
