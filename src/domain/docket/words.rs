//! How a verdict puts it: the reason, the line that was crossed, the evidence, and what would change it.

use super::Docket;
use crate::domain::event_time::EventTime;
use crate::domain::milestone::SubStatus;
use crate::domain::silence::{Sign, Since};
use crate::domain::verdict::{Ending, Evidence, VerdictKind};

impl Docket<'_> {
    /// By the carrier's own word, or the seller's.
    pub(super) fn is_given_up(&self) -> bool {
        self.ending() == Some(Ending::Lost) || self.silence.given_up.is_some()
    }

    pub(super) fn reason(&self, kind: VerdictKind) -> String {
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
        let long = if kind == VerdictKind::Stalled {
            format!("{} working days", limits.stalled_after)
        } else if kind == VerdictKind::Lost {
            format!("{} days", limits.lost_after)
        } else {
            format!("{} days", (limits.suspected_on - since.on()).get_days())
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

    pub(super) fn threshold(&self, kind: VerdictKind) -> Option<String> {
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

    pub(super) fn would_change(&self, kind: VerdictKind) -> String {
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

    pub(super) fn evidence(&self, kind: VerdictKind, by_dates: VerdictKind) -> Vec<Evidence> {
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
        let heard = |fact, sign: &Sign| Evidence {
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
}
