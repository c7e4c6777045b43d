//! Silence: since when no carrier has moved a parcel, what that means by now, and whether it was found again.
//!
//! A *sign of life* is a movement scan, by whichever source; the seller's own word that a parcel was shipped or delivered is
//! none, though a scan that the seller passes on is. An exception is none, the carrier's word that it is lost least of all, and an unknown code is none. A
//! parcel that nobody has scanned yet is silent since it was said to be shipped, or else since its label was made. A
//! parcel that waits for pickup or in customs is not stalling and is not suspected lost, however long it takes; only the
//! hard cap holds for it.

#[cfg(test)]
mod tests;

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::patience::{Limits, Patience};
use crate::domain::scan::TrackingEvent;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What has been heard of a parcel, as far as it says that it still moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// `None` where nobody has said yet that it left.
    pub since: Option<Since>,
    pub limits: Option<Limits>,
    /// By a word that no later movement has taken back: lost or destroyed.
    pub given_up: Option<Sign>,
    /// Moved after it was lost, or suspected lost, and not stalled since.
    pub found: Option<Found>,
    is_waiting: bool,
}

/// From when a silence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    LastScan(Sign),
    /// It was said to be shipped, or its label was made, and no carrier has scanned it.
    Label(Date),
}

/// One thing that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    pub sub_status: SubStatus,
    pub occurred: EventTime,
    /// The day on which it is known to have happened: when it did, or when we heard of it, whichever is earlier.
    pub on: Date,
}

/// A movement after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub sign: Sign,
    /// The day of the sign of life before it.
    pub silent_since: Date,
}

/// What a silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    Stalled,
    SuspectedLost,
    Lost,
}

impl Since {
    pub fn on(&self) -> Date {
        match self {
            Self::LastScan(sign) => sign.on,
            Self::Label(on) => *on,
        }
    }
}

impl Silence {
    /// Listens to all that was told, in any order of receipt. `shipped_on` is the seller's word, `zone` the destination's.
    pub fn in_events<'e>(
        events: impl IntoIterator<Item = &'e TrackingEvent>,
        patience: &Patience<'_>,
        shipped_on: Option<Date>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Self {
        let mut happened: Vec<_> = events.into_iter().filter(|event| event.may_have_happened_by(now)).collect();
        happened.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut listener = Listener::new(patience, shipped_on);
        for event in happened {
            if let Some(sub_status) = event.sub_status {
                let on = event.occurred.date_in(zone).min(zone.to_datetime(event.heard_at).date());
                listener.hear(Sign { sub_status, occurred: event.occurred, on }, event.is_claim());
            }
        }
        listener.finish()
    }

    /// What the silence means on `today`, at the destination.
    pub fn alarm(&self, today: Date) -> Option<Alarm> {
        if self.given_up.is_some() {
            return Some(Alarm::Lost);
        }
        meaning(self.limits.as_ref()?, self.is_waiting, today)
    }

    /// The next day on which it will mean more, unless something is heard.
    pub fn next_limit_on(&self, today: Date) -> Option<Date> {
        let limits = self.limits.filter(|_| self.given_up.is_none())?;
        let days = [limits.stalled_on, limits.suspected_on].into_iter().filter(|_| !self.is_waiting);
        days.chain([limits.lost_on]).filter(|day| *day > today).min()
    }
}

fn meaning(limits: &Limits, is_waiting: bool, today: Date) -> Option<Alarm> {
    match today {
        day if day >= limits.lost_on => Some(Alarm::Lost),
        _ if is_waiting => None,
        day if day >= limits.suspected_on => Some(Alarm::SuspectedLost),
        day if day >= limits.stalled_on => Some(Alarm::Stalled),
        _ => None,
    }
}

/// Hears one thing after another, in the order of happening.
struct Listener<'p> {
    patience: &'p Patience<'p>,
    since: Option<Since>,
    posted_on: Option<Date>,
    is_waiting: bool,
    given_up: Option<Sign>,
    /// The worst that this silence has meant until now.
    feared: Option<Alarm>,
    found: Option<Found>,
}

impl<'p> Listener<'p> {
    fn new(patience: &'p Patience<'p>, shipped_on: Option<Date>) -> Self {
        Self {
            patience,
            since: shipped_on.map(Since::Label),
            posted_on: None,
            is_waiting: false,
            given_up: None,
            feared: None,
            found: None,
        }
    }

    fn limits(&self) -> Option<Limits> {
        let since = self.since?.on();
        Some(self.patience.limits(since, self.posted_on.unwrap_or(since)))
    }

    fn hear(&mut self, sign: Sign, is_claim: bool) {
        if let Some(limits) = self.limits() {
            self.feared = self.feared.max(meaning(&limits, self.is_waiting, sign.on));
        }
        if matches!(sign.sub_status, SubStatus::Lost | SubStatus::Destroyed) {
            self.given_up = Some(sign);
            self.feared = Some(Alarm::Lost);
        } else if is_movement(sign.sub_status) {
            self.given_up = None;
            if !is_claim {
                self.revive(sign);
            }
        }
        match sign.sub_status.milestone() {
            // Data alone says nothing of where the parcel is.
            Milestone::Pending => {}
            Milestone::InfoReceived => _ = self.since.get_or_insert(Since::Label(sign.on)),
            Milestone::InTransit
            | Milestone::OutForDelivery
            | Milestone::FailedAttempt
            | Milestone::AvailableForPickup
            | Milestone::Exception
            | Milestone::Returned
            | Milestone::Delivered => {
                self.since.get_or_insert(Since::Label(sign.on));
                self.is_waiting = waits(sign.sub_status);
            }
        }
    }

    fn revive(&mut self, sign: Sign) {
        let silent_since = self.since.map_or(sign.on, |since| since.on());
        match self.feared.take() {
            Some(Alarm::SuspectedLost | Alarm::Lost) => self.found = Some(Found { sign, silent_since }),
            Some(Alarm::Stalled) => self.found = None,
            None => {}
        }
        self.posted_on.get_or_insert(sign.on);
        // Of two scans out of order the later day is the sign of life.
        if !matches!(self.since, Some(Since::LastScan(last)) if last.on > sign.on) {
            self.since = Some(Since::LastScan(sign));
        }
    }

    fn finish(self) -> Silence {
        let limits = self.limits();
        let Self { since, given_up, found, is_waiting, .. } = self;
        Silence { since, limits, given_up, found, is_waiting }
    }
}

/// The carrier had it in hand and did something with it.
fn is_movement(told: SubStatus) -> bool {
    told.is_carrier_scan() && told.milestone() != Milestone::Exception
}

/// It lies where it should lie, until somebody else acts.
fn waits(told: SubStatus) -> bool {
    matches!(told, SubStatus::ReadyForPickup | SubStatus::CustomsHold | SubStatus::CustomsProcessing)
}
