//! Where a parcel stands, derived from all that its sources have told us, and never typed in.

use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::scan::{Source, TrackingEvent};
use jiff::Timestamp;
use serde::Serialize;

/// Where a parcel stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub milestone: Milestone,
    pub sub_status: SubStatus,
    /// When it came to stand so.
    pub since: Option<EventTime>,
    /// The first delivery, also where the parcel came back later.
    pub delivered: Option<EventTime>,
    /// The first attempt at the door, successful or not; it ends the carrier's clock.
    pub first_attempt: Option<EventTime>,
    /// The first proof that the carrier had the parcel; the seller's own word is no proof.
    pub first_scan: Option<EventTime>,
    pub last_event: Option<EventTime>,
    /// The latest trouble on the way: an exception, a failed attempt or a stay in customs.
    pub trouble: Option<Trouble>,
    /// It is on its way back, or back.
    #[serde(skip)]
    returning: bool,
    /// Something is on file for a later time, and will count then.
    #[serde(skip)]
    pub next_change_at: Option<Timestamp>,
}

/// Something that went wrong on the way, whether or not the parcel has moved on since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub sub_status: SubStatus,
    pub occurred: EventTime,
}

impl Progress {
    fn unknown() -> Self {
        Self {
            milestone: Milestone::Pending,
            sub_status: SubStatus::NotFound,
            since: None,
            delivered: None,
            first_attempt: None,
            first_scan: None,
            last_event: None,
            trouble: None,
            returning: false,
            next_change_at: None,
        }
    }

    /// Derives it from events in any order of receipt.
    ///
    /// Only what can have happened by `now` counts; withdrawn events must be left out by the caller. An event of an
    /// unknown code is news of the parcel, but moves nothing. This cannot fail: a parcel of which nothing is known is
    /// `pending.not_found`.
    pub fn derived_from<'e>(events: impl IntoIterator<Item = &'e TrackingEvent>, now: Timestamp) -> Self {
        let (mut happened, to_come): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event.may_have_happened_by(now));
        happened.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut progress = Self::unknown();
        for event in happened {
            progress.take(event);
        }
        progress.next_change_at =
            to_come.iter().map(|event| event.occurred.earliest_instant().min(event.sort_at)).min();
        progress
    }

    fn take(&mut self, event: &TrackingEvent) {
        self.last_event = Some(event.occurred);
        let Some(told) = event.sub_status else { return };
        if told.is_carrier_scan() && event.source != Source::Seller {
            self.first_scan.get_or_insert(event.occurred);
        }
        if is_trouble(told) && self.delivered.is_none() {
            self.trouble = Some(Trouble { sub_status: told, occurred: event.occurred });
        }
        let Some(next) = moved(self.sub_status, told, self.returning) else { return };
        self.returning |= next.milestone() == Milestone::Returned;
        if next != self.sub_status {
            self.since = Some(event.occurred);
        }
        self.since.get_or_insert(event.occurred);
        self.sub_status = next;
        self.milestone = next.milestone();
        if matches!(self.milestone, Milestone::FailedAttempt | Milestone::Delivered) {
            self.first_attempt.get_or_insert(event.occurred);
        }
        if self.milestone == Milestone::Delivered {
            self.delivered.get_or_insert(event.occurred);
        }
    }

    /// Whether more is to be expected.
    pub fn is_open(&self) -> bool {
        !self.sub_status.ends()
    }
}

/// Where the next word of a source leads from here; `None` where it changes nothing.
///
/// An end is left by a return alone. The carrier's having the data does not take back its having the parcel. On its way
/// back a parcel is scanned like any other: it stays on its way back, and its delivery is the delivery to the sender.
fn moved(from: SubStatus, told: SubStatus, returning: bool) -> Option<SubStatus> {
    if from == SubStatus::ReturnedToSender {
        return None;
    }
    if told.milestone() == Milestone::Returned {
        return Some(told);
    }
    if from.ends() {
        return None;
    }
    if returning {
        return match told.milestone() {
            Milestone::Delivered => Some(SubStatus::ReturnedToSender),
            Milestone::Exception => Some(told),
            Milestone::Pending
            | Milestone::InfoReceived
            | Milestone::InTransit
            | Milestone::OutForDelivery
            | Milestone::FailedAttempt
            | Milestone::AvailableForPickup
            | Milestone::Returned => Some(SubStatus::Returning),
        };
    }
    let only_data = !told.milestone().carrier_had_parcel();
    (!only_data || !from.milestone().carrier_had_parcel()).then_some(told)
}

fn is_trouble(told: SubStatus) -> bool {
    matches!(told.milestone(), Milestone::Exception | Milestone::FailedAttempt) || told == SubStatus::CustomsProcessing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventId, TrackerId};
    use crate::domain::scan::DedupeKey;
    use jiff::ToSpan;
    use proptest::prelude::*;

    fn start() -> Timestamp {
        "2026-09-01T00:00:00Z".parse().unwrap()
    }

    fn event(hour: i64, sub_status: SubStatus) -> TrackingEvent {
        let at = start() + hour.hours();
        TrackingEvent {
            id: EventId::new(at),
            tracker_id: TrackerId::new(at),
            key: DedupeKey(format!("{hour}-{sub_status}")),
            occurred: EventTime::at(at),
            sort_at: at,
            heard_at: at,
            sub_status: Some(sub_status),
            raw_code: sub_status.code().to_owned(),
            source: Source::Poll,
        }
    }

    fn told(story: &[(i64, SubStatus)]) -> Progress {
        let events: Vec<_> = story.iter().map(|&(hour, sub_status)| event(hour, sub_status)).collect();
        Progress::derived_from(&events, start() + 1000.hours())
    }

    #[test]
    fn a_parcel_stands_where_its_events_left_it() {
        use SubStatus as S;
        for (what, story, stands) in [
            ("nothing heard", &[][..], S::NotFound),
            ("on the way", &[(1, S::LabelCreated), (5, S::Accepted)], S::Accepted),
            ("a label printed again", &[(5, S::Accepted), (6, S::LabelCreated)], S::Accepted),
            ("moving on after a failed attempt", &[(5, S::AttemptFailed), (9, S::OnVehicle)], S::OnVehicle),
            ("a scan after delivery", &[(5, S::DeliveredToRecipient), (9, S::FacilityScan)], S::DeliveredToRecipient),
            ("sent back after delivery", &[(5, S::DeliveredToRecipient), (9, S::Returning)], S::Returning),
            ("scanned on the way back", &[(5, S::Returning), (9, S::FacilityScan)], S::Returning),
            ("delivered on the way back", &[(5, S::Returning), (9, S::DeliveredToRecipient)], S::ReturnedToSender),
            (
                "held on the way back",
                &[(5, S::Returning), (7, S::CustomsHold), (9, S::DeliveredToRecipient)],
                S::ReturnedToSender,
            ),
            ("found again", &[(5, S::Lost), (9, S::Moving)], S::Moving),
            ("cancelled, then scanned", &[(5, S::Cancelled), (9, S::Moving)], S::Cancelled),
        ] {
            assert_eq!(told(story).sub_status, stands, "{what}");
        }
    }

    #[test]
    fn a_scan_of_tomorrow_counts_tomorrow() {
        let events = [event(1, SubStatus::Accepted), event(30, SubStatus::DeliveredToRecipient)];
        let today = Progress::derived_from(&events, start() + 2.hours());
        assert_eq!((today.milestone, today.next_change_at), (Milestone::InTransit, Some(start() + 30.hours())));
        assert_eq!(Progress::derived_from(&events, start() + 30.hours()).milestone, Milestone::Delivered);
    }

    #[test]
    fn the_seller_s_word_is_no_carrier_scan() {
        let mut own_word = event(1, SubStatus::DeliveredToRecipient);
        own_word.source = Source::Seller;
        let progress = Progress::derived_from([&own_word], start() + 2.hours());
        assert_eq!((progress.milestone, progress.first_scan), (Milestone::Delivered, None));
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_ends_in_the_same_state(
            story in prop::collection::vec((0_i64..60, 0_usize..36), 0..14).prop_flat_map(|story| {
                let repeated = prop::collection::vec(0..story.len().max(1), 0..8);
                (Just(story.clone()), repeated, Just(story).prop_shuffle())
            })
        ) {
            let (told, repeats, shuffled) = story;
            let event_of = |&(hour, kind): &(i64, usize)| event(hour, SubStatus::ALL[kind]);
            let in_order: Vec<_> = told.iter().map(event_of).collect();
            let mut any_order: Vec<_> = shuffled.iter().map(event_of).collect();
            any_order.extend(repeats.iter().filter_map(|&n| told.get(n)).map(event_of));
            let now = start() + 50.hours();
            prop_assert_eq!(Progress::derived_from(&in_order, now), Progress::derived_from(&any_order, now));
        }
    }
}
