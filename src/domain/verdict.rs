//! Verdicts: whether a promise is kept, why, on what evidence, and when that may change by the clock alone.

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Actor, Fault, Milestone, SubStatus};
use crate::domain::progress::Progress;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::str::FromStr;

/// How a shipment keeps its promise.
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
}

impl VerdictKind {
    pub const ALL: [Self; 5] = [Self::Undecided, Self::OnTime, Self::Delayed, Self::LateOpen, Self::DeliveredLate];

    pub fn code(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::OnTime => "on_time",
            Self::Delayed => "delayed",
            Self::LateOpen => "late_open",
            Self::DeliveredLate => "delivered_late",
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
    /// Of a delay; `None` where there is none.
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

/// What a shipment is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Docket<'a> {
    pub progress: &'a Progress,
    /// The last promised day, inclusive, in the destination's zone.
    pub deliver_by_on: Option<Date>,
    pub dispatch_by_at: Option<Timestamp>,
    pub shipped: Option<EventTime>,
    /// By the seller.
    pub cancelled: bool,
    /// Of the destination: dates are taken there.
    pub zone: &'a TimeZone,
    /// For the order of the seller's own zone-less times.
    pub seller_zone: &'a TimeZone,
}

/// The dates that decide, moved to the destination's zone where their offset is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub delivered_on: Option<Date>,
    pub first_attempt_on: Option<Date>,
}

impl Docket<'_> {
    pub fn arrival(&self) -> Arrival {
        Arrival {
            delivered_on: self.progress.delivered.map(|time| time.date_in(self.zone)),
            first_attempt_on: self.progress.first_attempt.map(|time| time.date_in(self.zone)),
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "of thirty-six sub-statuses two are a loss")]
    pub fn ending(&self) -> Option<Ending> {
        let progress = self.progress;
        if progress.delivered.is_some() {
            return Some(Ending::Delivered);
        }
        if self.cancelled || progress.sub_status == SubStatus::Cancelled {
            return Some(Ending::Cancelled);
        }
        match progress.sub_status {
            SubStatus::Lost | SubStatus::Destroyed => Some(Ending::Lost),
            _ if progress.milestone == Milestone::Returned && self.carrier_is_at_fault() => {
                Some(Ending::ReturnedByCarrier)
            }
            _ if progress.milestone == Milestone::Returned => Some(Ending::Returned),
            _ => None,
        }
    }

    fn carrier_is_at_fault(&self) -> bool {
        self.progress.trouble.as_ref().is_some_and(|it| it.sub_status.fault() == Fault::Carrier)
    }

    fn left_late(&self) -> bool {
        match (self.shipped, self.dispatch_by_at) {
            (Some(shipped), Some(by)) => shipped.instant_in(self.seller_zone) > by,
            _ => false,
        }
    }

    /// Judges at `now`. This cannot fail: where there is nothing to measure against it is undecided, and says why.
    pub fn judge(&self, now: Timestamp) -> Verdict {
        let kind = timeliness(self.deliver_by_on, self.arrival(), self.ending(), self.zone.to_datetime(now).date());
        let held_up = kind == VerdictKind::Undecided && self.ending().is_none() && self.holds_up().is_some();
        let kind = if held_up { VerdictKind::Delayed } else { kind };
        let bad = matches!(kind, VerdictKind::Delayed | VerdictKind::LateOpen | VerdictKind::DeliveredLate);
        Verdict {
            verdict: kind,
            cause: bad.then(|| self.cause()),
            reason: self.reason(kind),
            threshold: self.deliver_by_on.map(|day| format!("the end of {day} at the destination")),
            evidence: self.evidence(kind),
            reconsider_at: self.reconsider_at(kind, now),
            would_change: self.would_change(kind).to_owned(),
            must_act: if self.cancelled { Actor::None } else { self.progress.sub_status.actor() },
        }
    }

    /// The trouble that the parcel stands in now.
    fn holds_up(&self) -> Option<SubStatus> {
        let stands = self.progress.sub_status;
        matches!(stands.milestone(), Milestone::Exception | Milestone::FailedAttempt).then_some(stands)
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "of thirty-six sub-statuses four name a cause themselves")]
    fn cause(&self) -> Cause {
        if let Some(trouble) = &self.progress.trouble {
            return match trouble.sub_status {
                SubStatus::CustomsProcessing | SubStatus::CustomsHold => Cause::Customs,
                SubStatus::AddressProblem | SubStatus::AttemptAddressProblem => Cause::Address,
                other => match other.fault() {
                    Fault::Carrier => Cause::Carrier,
                    Fault::Seller => Cause::Seller,
                    Fault::Customs => Cause::Customs,
                    Fault::None | Fault::Unknown | Fault::Buyer => Cause::Unknown,
                },
            };
        }
        if self.left_late() {
            return Cause::Seller;
        }
        if self.progress.first_scan.is_some() { Cause::Carrier } else { Cause::Unknown }
    }

    fn reason(&self, kind: VerdictKind) -> String {
        let by = self.deliver_by_on.map(|day| day.to_string()).unwrap_or_default();
        let stands = self.progress.sub_status;
        match kind {
            VerdictKind::OnTime if self.progress.delivered.is_some() => {
                format!("Delivered, or first tried, by the promised {by}.")
            }
            VerdictKind::OnTime => format!("The carrier first tried to deliver by the promised {by}."),
            VerdictKind::DeliveredLate => format!("Delivered after the promised {by}."),
            VerdictKind::LateOpen if self.ending() == Some(Ending::Lost) => "The carrier reports it lost.".to_owned(),
            VerdictKind::LateOpen if self.ending().is_some() => "Sent back after trouble at the carrier.".to_owned(),
            VerdictKind::LateOpen => format!("The promised {by} has passed, and it is not delivered ({stands})."),
            VerdictKind::Delayed => format!("Something on the way holds it up ({stands})."),
            VerdictKind::Undecided => self.why_undecided().to_owned(),
        }
    }

    fn why_undecided(&self) -> &'static str {
        match self.ending() {
            Some(Ending::Cancelled) => "The shipment was cancelled.",
            Some(Ending::Returned | Ending::ReturnedByCarrier) => "It was sent back, so there is no delivery to judge.",
            Some(Ending::Delivered | Ending::Lost) => "No delivery day was promised.",
            None if self.deliver_by_on.is_none() => "No delivery day was promised.",
            None => "It is not due yet.",
        }
    }

    fn would_change(&self, kind: VerdictKind) -> &'static str {
        match kind {
            VerdictKind::OnTime | VerdictKind::DeliveredLate => {
                "Only a withdrawal of the delivery, or another promise."
            }
            VerdictKind::LateOpen => "A delivery, which would make it delivered late.",
            VerdictKind::Delayed => "News that it moves on, its delivery, or the end of the promised day.",
            VerdictKind::Undecided if self.ending().is_some() => "Another promise, or a delivery.",
            VerdictKind::Undecided => "Its delivery, trouble on the way, or the end of the promised day.",
        }
    }

    fn evidence(&self, kind: VerdictKind) -> Vec<Evidence> {
        let fact = |fact, at: Option<EventTime>, sub_status| Evidence { fact, at, on: None, sub_status };
        let mut facts = Vec::new();
        if let Some(shipped) = self.shipped {
            facts.push(fact(if self.left_late() { "shipped_late" } else { "shipped" }, Some(shipped), None));
        }
        if let Some(trouble) = &self.progress.trouble {
            facts.push(fact("trouble", Some(trouble.occurred), Some(trouble.sub_status)));
        }
        if let Some(attempt) = self.progress.first_attempt {
            facts.push(fact("first_attempt", Some(attempt), None));
        }
        if let Some(delivered) = self.progress.delivered {
            facts.push(fact("delivered", Some(delivered), None));
        } else if kind == VerdictKind::LateOpen {
            facts.push(fact("last_event", self.progress.last_event, Some(self.progress.sub_status)));
        }
        facts.push(Evidence { fact: "promised", at: None, on: self.deliver_by_on, sub_status: None });
        facts
    }

    fn reconsider_at(&self, kind: VerdictKind, now: Timestamp) -> Option<Timestamp> {
        let undecided = matches!(kind, VerdictKind::Undecided | VerdictKind::Delayed) && self.ending().is_none();
        let promise_ends = self.deliver_by_on.filter(|_| undecided).and_then(|day| end_of_day(day, self.zone));
        let next = [promise_ends.filter(|end| *end > now), self.progress.next_change_at];
        next.into_iter().flatten().min()
    }
}

/// The first instant of the day after.
pub fn end_of_day(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.checked_add(1.day()).ok()?;
    zone.to_timestamp(next.to_datetime(jiff::civil::Time::midnight())).ok()
}

/// The bare rule, on dates: the same for a verdict and for a report that cuts at another day.
///
/// `today` is the date at the destination. What is [`VerdictKind::Delayed`] needs more than dates and is not told apart
/// from [`VerdictKind::Undecided`] here.
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
