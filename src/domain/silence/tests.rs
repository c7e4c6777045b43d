//! Silence by stories, and by any order of receipt.

use super::*;
use crate::domain::ids::{EventId, TrackerId};
use crate::domain::scan::DedupeKey;
use crate::domain::scan::Source;
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

/// The seller's own word, in the code of one.
fn claim(day: i64, told: S) -> TrackingEvent {
    TrackingEvent { raw_code: crate::domain::scan::SHIPPED.to_owned(), ..event(day, told, Source::Seller) }
}

#[test]
fn a_scan_that_the_seller_passes_on_is_a_sign_of_life() {
    let passed_on = [event(0, S::Accepted, Source::Poll), event(22, S::Moving, Source::Seller)];
    assert_eq!(listen(&passed_on, None, 23).found.map(|it| it.sign.on), Some(on(22)));
}

#[test]
fn a_parcel_that_was_never_scanned_is_silent_since_its_label() {
    let own_word = [claim(4, S::Moving)];
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
        ("customs took it when it was feared for", &[(0, S::Moving), (22, S::CustomsHold), (24, S::Moving)], Some(24)),
    ] {
        let events: Vec<_> = story.iter().map(|&(day, told)| event(day, told, Source::Csv)).collect();
        assert_eq!(listen(&events, None, 61).found.map(|it| it.sign.on), found_on.map(on), "{what}");
    }
    let own_word = [event(0, S::Accepted, Source::Poll), claim(22, S::Moving)];
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
