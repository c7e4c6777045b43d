//! Silence: since when no carrier has moved a parcel, what that means by now, and whether it was found again.
//!
//! A *sign of life* is a movement scan that a carrier made, by whichever source but the seller: silence is judged by what
//! others saw. An exception is none, the carrier's word that it is lost least of all, and an unknown code is none. A
//! parcel that nobody has scanned yet is silent since it was said to be shipped, or else since its label was made. A
//! parcel that waits for pickup or in customs is not stalling and is not suspected lost, however long it takes; only the
//! hard cap holds for it.

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::patience::{Limits, Patience};
use crate::domain::scan::{Source, TrackingEvent};
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
                listener.hear(Sign { sub_status, occurred: event.occurred, on }, event.source);
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

    fn hear(&mut self, sign: Sign, source: Source) {
        if let Some(limits) = self.limits() {
            self.feared = self.feared.max(meaning(&limits, self.is_waiting, sign.on));
        }
        if matches!(sign.sub_status, SubStatus::Lost | SubStatus::Destroyed) {
            self.given_up = Some(sign);
            self.feared = Some(Alarm::Lost);
        } else if is_movement(sign.sub_status) {
            self.given_up = None;
            if source != Source::Seller {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventId, TrackerId};
    use crate::domain::scan::DedupeKey;
    use SubStatus as S;
    use jiff::civil::date;
    use jiff::{SignedDuration, ToSpan};
    use proptest::prelude::*;

    /// Thursday; within one country, and no rule of a carrier: stalled after 5 working days, on the 17th, suspected after
    /// 15, on 1 October, lost after 30 days, on 10 October.
    const START: Date = date(2026, 9, 10);

    fn noon(day: i64) -> Timestamp {
        let date = START.checked_add(day.days()).unwrap();
        TimeZone::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap()
    }

    fn event(day: i64, sub_status: SubStatus, source: Source) -> TrackingEvent {
        TrackingEvent {
            id: EventId::new(noon(day)),
            tracker_id: TrackerId::new(noon(day)),
            key: DedupeKey(format!("{day}-{sub_status}")),
            occurred: EventTime::at(noon(day)),
            sort_at: noon(day),
            heard_at: noon(day),
            sub_status: Some(sub_status),
            raw_code: sub_status.code().to_owned(),
            source,
        }
    }

    fn listen(events: &[TrackingEvent], shipped_on: Option<Date>, day: i64) -> Silence {
        let us = "US".parse().ok();
        let patience = Patience { origin: us, destination: us, ..Patience::default() };
        Silence::in_events(events, &patience, shipped_on, &TimeZone::UTC, noon(day))
    }

    fn on(day: i64) -> Date {
        START.checked_add(day.days()).unwrap()
    }

    fn alarm(story: &[(i64, SubStatus)], day: i64) -> Option<Alarm> {
        let events: Vec<_> = story.iter().map(|&(day, told)| event(day, told, Source::Poll)).collect();
        listen(&events, None, day).alarm(on(day))
    }

    #[test]
    fn silence_grows_from_a_stall_to_a_loss() {
        let scanned = [(0, S::Accepted)];
        for (what, story, day, meaning) in [
            ("the day of the scan", &scanned[..], 0, None),
            ("four working days and a weekend", &scanned, 6, None),
            ("five working days", &scanned, 7, Some(Alarm::Stalled)),
            ("fourteen working days", &scanned, 20, Some(Alarm::Stalled)),
            ("fifteen working days", &scanned, 21, Some(Alarm::SuspectedLost)),
            ("a month less a day", &scanned, 29, Some(Alarm::SuspectedLost)),
            ("a month", &scanned, 30, Some(Alarm::Lost)),
            ("a scan lifts the stall", &[(0, S::Accepted), (8, S::FacilityScan)], 9, None),
            ("a scan lifts the suspicion", &[(0, S::Accepted), (22, S::FacilityScan)], 23, None),
            ("a scan lifts the loss", &[(0, S::Accepted), (40, S::FacilityScan)], 41, None),
            ("silent again", &[(0, S::Accepted), (40, S::FacilityScan)], 50, Some(Alarm::Stalled)),
            ("an exception is no sign of life", &[(0, S::Accepted), (6, S::Delayed)], 7, Some(Alarm::Stalled)),
            ("a failed attempt is one", &[(0, S::Accepted), (6, S::AttemptFailed)], 7, None),
            ("the carrier's word", &[(0, S::Accepted), (2, S::Lost)], 2, Some(Alarm::Lost)),
            ("the word stands after trouble", &[(2, S::Lost), (3, S::OtherException)], 4, Some(Alarm::Lost)),
            ("a scan takes the word back", &[(2, S::Lost), (3, S::Moving)], 4, None),
            ("waiting for pickup", &[(0, S::ReadyForPickup)], 25, None),
            ("held by customs", &[(0, S::Accepted), (3, S::CustomsHold)], 25, None),
            ("in customs beyond the cap", &[(0, S::CustomsProcessing)], 30, Some(Alarm::Lost)),
            ("let go by customs, but not scanned", &[(0, S::CustomsHold), (9, S::Held)], 10, Some(Alarm::Stalled)),
            ("only a label", &[(0, S::LabelCreated)], 7, Some(Alarm::Stalled)),
            ("nothing told", &[], 60, None),
        ] {
            assert_eq!(alarm(story, day), meaning, "{what}");
        }
    }

    #[test]
    fn the_next_limit_is_where_the_meaning_changes_by_the_clock() {
        let accepted = [event(0, S::Accepted, Source::Poll)];
        let ready = [event(0, S::ReadyForPickup, Source::Poll)];
        let lost = [event(0, S::Lost, Source::Poll)];
        for (what, events, day, next) in [
            ("before the stall", &accepted, 1, Some(7)),
            ("stalled", &accepted, 7, Some(21)),
            ("suspected", &accepted, 21, Some(30)),
            ("lost", &accepted, 30, None),
            ("waiting", &ready, 1, Some(30)),
            ("given up", &lost, 1, None),
        ] {
            assert_eq!(listen(events, None, day).next_limit_on(on(day)), next.map(on), "{what}");
        }
    }

    #[test]
    fn a_parcel_that_was_never_scanned_is_silent_since_its_label() {
        let own_word = [event(4, S::Moving, Source::Seller)];
        let label = [event(0, S::LabelCreated, Source::Poll)];
        for (what, events, shipped_on, since) in [
            ("the seller's word counts for nothing", &own_word[..], Some(on(0)), Some(Since::Label(on(0)))),
            ("unless nothing else is known", &own_word, None, Some(Since::Label(on(4)))),
            ("shipped after the label", &label, Some(on(2)), Some(Since::Label(on(2)))),
            ("a label alone", &label, None, Some(Since::Label(on(0)))),
            ("nothing at all", &[], None, None),
        ] {
            assert_eq!(listen(events, shipped_on, 9).since, since, "{what}");
        }
    }

    #[test]
    fn a_scan_dated_ahead_counts_from_when_we_heard_of_it() {
        let mut dated_ahead = event(8, S::Accepted, Source::Poll);
        dated_ahead.heard_at = noon(1);
        let silence = listen(&[dated_ahead], None, 8);
        assert_eq!((silence.since.map(|it| it.on()), silence.alarm(on(8))), (Some(on(1)), Some(Alarm::Stalled)));
    }

    #[test]
    fn found_is_a_movement_after_a_loss_until_it_stalls_again() {
        for (what, story, found_on) in [
            ("after a stall", &[(0, S::Accepted), (10, S::Moving)][..], None),
            ("after a suspicion", &[(0, S::Accepted), (22, S::Moving)], Some(22)),
            ("after the cap", &[(0, S::Accepted), (40, S::Moving)], Some(40)),
            ("after the word", &[(0, S::Accepted), (2, S::Lost), (3, S::Moving)], Some(3)),
            ("never scanned before", &[(0, S::LabelCreated), (22, S::Accepted)], Some(22)),
            ("it goes on", &[(0, S::Accepted), (22, S::Moving), (24, S::OnVehicle)], Some(22)),
            ("it stalled again", &[(0, S::Accepted), (22, S::Moving), (32, S::OnVehicle)], None),
            ("it was lost again", &[(0, S::Accepted), (22, S::Moving), (60, S::OnVehicle)], Some(60)),
            ("customs let it go", &[(0, S::CustomsHold), (22, S::Moving)], None),
            (
                "customs took it when it was feared for",
                &[(0, S::Moving), (22, S::CustomsHold), (24, S::Moving)],
                Some(24),
            ),
        ] {
            let events: Vec<_> = story.iter().map(|&(day, told)| event(day, told, Source::Csv)).collect();
            assert_eq!(listen(&events, None, 61).found.map(|it| it.sign.on), found_on.map(on), "{what}");
        }
        let own_word = [event(0, S::Accepted, Source::Poll), event(22, S::Moving, Source::Seller)];
        assert_eq!(listen(&own_word, None, 23).found, None, "the seller's word finds nothing");
    }

    proptest! {
        #[test]
        fn any_order_of_receipt_means_the_same(
            story in prop::collection::vec((0_i64..90, 0_usize..36, 0_i64..5), 0..12).prop_flat_map(|story| {
                (Just(story.clone()), Just(story).prop_shuffle())
            }),
            day in 0_i64..120,
        ) {
            let (told, shuffled) = story;
            let event_of = |&(day, kind, late): &(i64, usize, i64)| {
                let happened = event(day, SubStatus::ALL[kind], Source::Poll);
                TrackingEvent { heard_at: happened.heard_at + SignedDuration::from_hours(24 * late), ..happened }
            };
            let in_order: Vec<_> = told.iter().map(event_of).collect();
            let any_order: Vec<_> = shuffled.iter().map(event_of).collect();
            prop_assert_eq!(listen(&in_order, None, day), listen(&any_order, None, day));
        }

        #[test]
        fn silence_only_ever_means_more(story in prop::collection::vec((0_i64..30, 0_usize..36), 0..8)) {
            let events: Vec<_> = story.iter().map(|&(day, kind)| event(day, SubStatus::ALL[kind], Source::Poll)).collect();
            let silence = listen(&events, None, 30);
            for day in 30..120 {
                prop_assert!(silence.alarm(on(day)) <= silence.alarm(on(day + 1)));
                let changes = silence.alarm(on(day)) != silence.alarm(on(day + 1));
                prop_assert!(!changes || silence.next_limit_on(on(day)) == Some(on(day + 1)));
            }
        }
    }
}
