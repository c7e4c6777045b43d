//! The docket: all that a shipment is judged by, and the judgement.

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Actor, Fault, Milestone, SubStatus};
use crate::domain::progress::Progress;
use crate::domain::silence::{Alarm, Silence, Since};
use crate::domain::verdict::{Arrival, Cause, Ending, Evidence, Verdict, VerdictKind, end_of_day, timeliness};
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

    /// By the carrier's own word, or the seller's.
    fn is_given_up(&self) -> bool {
        self.ending() == Some(Ending::Lost) || self.silence.given_up.is_some()
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
            VerdictKind::LateOpen if self.ending().is_some() => "Sent back after trouble at the carrier.".to_owned(),
            VerdictKind::LateOpen => format!("The promised {by} has passed, and it is not delivered ({stands})."),
            VerdictKind::Delayed => format!("Something on the way holds it up ({stands})."),
            VerdictKind::Undecided => self.why_undecided().to_owned(),
            VerdictKind::Lost if stands == SubStatus::Destroyed => "The carrier has disposed of it.".to_owned(),
            VerdictKind::Lost if self.is_given_up() => "The carrier reports it lost.".to_owned(),
            VerdictKind::Stalled | VerdictKind::SuspectedLost | VerdictKind::Lost => self.why_silent(kind),
            VerdictKind::Found => self.why_found(),
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

    fn why_silent(&self, kind: VerdictKind) -> String {
        let (Some(since), Some(limits)) = (self.silence.since, self.silence.limits) else { return String::new() };
        let long = match kind {
            VerdictKind::Stalled => format!("{} working days", limits.stalled_after),
            VerdictKind::Lost => format!("{} days", limits.lost_after),
            VerdictKind::SuspectedLost
            | VerdictKind::Undecided
            | VerdictKind::OnTime
            | VerdictKind::Delayed
            | VerdictKind::LateOpen
            | VerdictKind::DeliveredLate
            | VerdictKind::Found => format!("{} days", (limits.suspected_on - since.on()).get_days()),
        };
        match since {
            Since::LastScan(sign) => {
                format!("No carrier has scanned it for {long} or more, since {} ({}).", sign.on, sign.sub_status)
            }
            Since::Label(on) => {
                format!("Its label was made, but no carrier has scanned it for {long} or more, since {on}.")
            }
        }
    }

    fn why_found(&self) -> String {
        let Some(found) = self.silence.found else { return String::new() };
        let silent = (found.sign.on - found.silent_since).get_days();
        format!("It moves again: scanned on {} after {silent} days, when it had been taken as lost.", found.sign.on)
    }

    fn threshold(&self, kind: VerdictKind) -> Option<String> {
        let limits = self.silence.limits;
        match kind {
            VerdictKind::Stalled => limits
                .map(|it| format!("{} working days without a scan, reached on {}", it.stalled_after, it.stalled_on)),
            VerdictKind::SuspectedLost => {
                limits.map(|it| format!("{}, reached on {}", it.suspected_by, it.suspected_on))
            }
            VerdictKind::Lost if self.is_given_up() => Some("the carrier's word".to_owned()),
            VerdictKind::Lost => {
                limits.map(|it| format!("{} days without a scan, reached on {}", it.lost_after, it.lost_on))
            }
            VerdictKind::Undecided
            | VerdictKind::OnTime
            | VerdictKind::Delayed
            | VerdictKind::LateOpen
            | VerdictKind::DeliveredLate
            | VerdictKind::Found => self.deliver_by_on.map(|day| format!("the end of {day} at the destination")),
        }
    }

    fn would_change(&self, kind: VerdictKind) -> String {
        let limits = self.silence.limits;
        let fixed = match kind {
            VerdictKind::OnTime | VerdictKind::DeliveredLate => {
                "Only a withdrawal of the delivery, or another promise."
            }
            VerdictKind::LateOpen => "A delivery, which would make it delivered late; or longer silence.",
            VerdictKind::Delayed => "News that it moves on, its delivery, or the end of the promised day.",
            VerdictKind::Undecided if self.ending().is_some() => "Another promise, or a delivery.",
            VerdictKind::Undecided => "Its delivery, trouble on the way, silence, or the end of the promised day.",
            VerdictKind::Found => "Its delivery, or silence again.",
            VerdictKind::Lost => "A movement scan, by which it would be found, or its delivery.",
            VerdictKind::Stalled => "A movement scan or its delivery",
            VerdictKind::SuspectedLost => "A movement scan, by which it would be found, or its delivery",
        };
        match (kind, limits) {
            (VerdictKind::Stalled, Some(limits)) => {
                format!("{fixed}; without them it is suspected lost from {}.", limits.suspected_on)
            }
            (VerdictKind::SuspectedLost, Some(limits)) => {
                format!("{fixed}; without them it counts as lost from {}.", limits.lost_on)
            }
            _ => fixed.to_owned(),
        }
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

    fn evidence(&self, kind: VerdictKind, by_dates: VerdictKind) -> Vec<Evidence> {
        let fact = |fact, at: Option<EventTime>, sub_status| Evidence { fact, at, on: None, sub_status };
        let mut facts = Vec::new();
        if let Some(shipped) = self.shipped {
            facts.push(fact(if self.left_late() { "shipped_late" } else { "shipped" }, Some(shipped), None));
        }
        facts.extend(self.evidence_of_silence(kind));
        if let Some(trouble) = &self.progress.trouble {
            facts.push(fact("trouble", Some(trouble.occurred), Some(trouble.sub_status)));
        }
        if let Some(attempt) = self.progress.first_attempt {
            facts.push(fact("first_attempt", Some(attempt), None));
        }
        if let Some(delivered) = self.progress.delivered {
            facts.push(fact("delivered", Some(delivered), None));
        } else if by_dates == VerdictKind::LateOpen {
            facts.push(fact("last_event", self.progress.last_event, Some(self.progress.sub_status)));
        }
        facts.push(Evidence { fact: "promised", at: None, on: self.deliver_by_on, sub_status: None });
        facts
    }

    fn evidence_of_silence(&self, kind: VerdictKind) -> Option<Evidence> {
        let heard = |fact, sign: &crate::domain::silence::Sign| Evidence {
            fact,
            at: Some(sign.occurred),
            on: Some(sign.on),
            sub_status: Some(sign.sub_status),
        };
        match kind {
            VerdictKind::Lost if self.is_given_up() => {
                self.silence.given_up.as_ref().map(|sign| heard("reported_lost", sign))
            }
            VerdictKind::Stalled | VerdictKind::SuspectedLost | VerdictKind::Lost => {
                Some(match &self.silence.since? {
                    Since::LastScan(sign) => heard("last_sign_of_life", sign),
                    Since::Label(on) => Evidence { fact: "label_made", at: None, on: Some(*on), sub_status: None },
                })
            }
            VerdictKind::Found => self.silence.found.as_ref().map(|found| heard("found", &found.sign)),
            VerdictKind::Undecided
            | VerdictKind::OnTime
            | VerdictKind::Delayed
            | VerdictKind::LateOpen
            | VerdictKind::DeliveredLate => None,
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
