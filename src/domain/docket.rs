//! The docket: all that a shipment is judged by, and the judgement.

#[cfg(test)]
mod tests;
mod words;

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Actor, Fault, Milestone, SubStatus};
use crate::domain::progress::Progress;
use crate::domain::silence::{Alarm, Silence, Since};
use crate::domain::verdict::{Arrival, Cause, Ending, Verdict, VerdictKind, end_of_day, timeliness};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// What a shipment is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Docket<'a> {
    pub progress: &'a Progress,
    pub silence: &'a Silence,
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
    ///
    /// Nothing in the answer counts on from day to day, so that it stays true until `reconsider_at`.
    pub fn judge(&self, now: Timestamp) -> Verdict {
        let today = self.zone.to_datetime(now).date();
        let by_dates = timeliness(self.deliver_by_on, self.arrival(), self.ending(), today);
        let kind = self.by_silence(today).unwrap_or_else(|| self.or_delayed(by_dates));
        Verdict {
            verdict: kind,
            timeliness: by_dates,
            cause: is_bad(kind, by_dates).then(|| self.cause()),
            reason: self.reason(kind),
            threshold: self.threshold(kind),
            evidence: self.evidence(kind, by_dates),
            reconsider_at: self.reconsider_at(by_dates, now),
            would_change: self.would_change(kind),
            must_act: self.must_act(kind),
        }
    }

    /// What silence makes of it, in front of what the dates say. What has come to an end keeps its word, save a loss.
    fn by_silence(&self, today: Date) -> Option<VerdictKind> {
        match self.ending() {
            Some(Ending::Lost) => return Some(VerdictKind::Lost),
            Some(Ending::Delivered | Ending::Returned | Ending::ReturnedByCarrier | Ending::Cancelled) => return None,
            None => {}
        }
        let alarm = self.silence.alarm(today).map(|alarm| match alarm {
            Alarm::Stalled => VerdictKind::Stalled,
            Alarm::SuspectedLost => VerdictKind::SuspectedLost,
            Alarm::Lost => VerdictKind::Lost,
        });
        alarm.or_else(|| self.silence.found.map(|_| VerdictKind::Found))
    }

    fn or_delayed(&self, by_dates: VerdictKind) -> VerdictKind {
        let held_up = by_dates == VerdictKind::Undecided && self.ending().is_none() && self.is_held_up();
        if held_up { VerdictKind::Delayed } else { by_dates }
    }

    /// It stands in trouble now.
    fn is_held_up(&self) -> bool {
        matches!(self.progress.sub_status.milestone(), Milestone::Exception | Milestone::FailedAttempt)
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

    /// A label that nobody scanned, and a loss, are the seller's to look into; else the standing says who must act.
    fn must_act(&self, kind: VerdictKind) -> Actor {
        let unscanned = kind == VerdictKind::Stalled && matches!(self.silence.since, Some(Since::Label(_)));
        match kind {
            _ if self.cancelled => Actor::None,
            VerdictKind::SuspectedLost | VerdictKind::Lost => Actor::Seller,
            VerdictKind::Stalled if unscanned => Actor::Seller,
            VerdictKind::Undecided
            | VerdictKind::OnTime
            | VerdictKind::Delayed
            | VerdictKind::LateOpen
            | VerdictKind::DeliveredLate
            | VerdictKind::Stalled
            | VerdictKind::Found => self.progress.sub_status.actor(),
        }
    }

    fn reconsider_at(&self, by_dates: VerdictKind, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.ending().is_none();
        let undecided = is_open && by_dates == VerdictKind::Undecided;
        let promise_ends = self.deliver_by_on.filter(|_| undecided).and_then(|day| end_of_day(day, self.zone));
        let limit_on = self.silence.next_limit_on(self.zone.to_datetime(now).date()).filter(|_| is_open);
        let limit = limit_on.and_then(|day| end_of_day(day.checked_sub(1.day()).ok()?, self.zone));
        let next = [promise_ends, limit].map(|end| end.filter(|end| *end > now));
        next.into_iter().flatten().chain(self.progress.next_change_at).min()
    }
}

/// Whether somebody should know why.
fn is_bad(kind: VerdictKind, by_dates: VerdictKind) -> bool {
    match kind {
        VerdictKind::Delayed
        | VerdictKind::LateOpen
        | VerdictKind::DeliveredLate
        | VerdictKind::Stalled
        | VerdictKind::SuspectedLost
        | VerdictKind::Lost => true,
        VerdictKind::Found => by_dates == VerdictKind::LateOpen,
        VerdictKind::Undecided | VerdictKind::OnTime => false,
    }
}
