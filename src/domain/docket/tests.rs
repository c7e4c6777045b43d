//! What verdicts say of a parcel's silence, by whole stories.

use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, TrackerId};
use crate::domain::milestone::{Actor, SubStatus as S};
use crate::domain::scan::{DedupeKey, Source, TrackingEvent};
use crate::domain::standing::{ShipmentFacts, Standing};
use crate::domain::verdict::{Cause, VerdictKind as V};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Noon of a day of September 2026; the 10th is a Thursday.
fn noon(day: i64) -> Timestamp {
    let date = date(2026, 8, 31).checked_add(day.days()).unwrap();
    TimeZone::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap()
}

fn event(day: i64, sub_status: S) -> TrackingEvent {
    TrackingEvent {
        id: EventId::new(noon(day)),
        tracker_id: TrackerId::new(noon(day)),
        key: DedupeKey(format!("{day}-{sub_status}")),
        occurred: EventTime::at(noon(day)),
        sort_at: noon(day),
        heard_at: noon(day),
        sub_status: Some(sub_status),
        raw_code: sub_status.code().to_owned(),
        source: Source::Poll,
    }
}

/// By UPS within the United States, shipped on the 10th, promised for the 18th.
fn facts() -> ShipmentFacts {
    ShipmentFacts {
        deliver_by_on: Some(date(2026, 9, 18)),
        dispatch_by_at: None,
        shipped: Some(EventTime::zoneless(date(2026, 9, 10).at(9, 0, 0, 0))),
        cancelled: false,
        carrier: Some("ups".to_owned()),
        service: None,
        origin: "US".parse().ok(),
        destination: "US".parse().ok(),
        destination_region: None,
        seller_zone: TimeZone::UTC,
    }
}

fn at(facts: &ShipmentFacts, story: &[(i64, S)], day: i64) -> Standing {
    let events: Vec<_> = story.iter().map(|&(day, told)| event(day, told)).collect();
    Standing::at(facts, &events, noon(day))
}

/// Verdict, what the dates say, who must act.
type Told = (V, V, Actor);

#[track_caller]
fn tells(what: &str, facts: &ShipmentFacts, (story, day): (&[(i64, S)], i64), expected: Told) {
    let told = at(facts, story, day).verdict;
    assert_eq!((told.verdict, told.timeliness, told.must_act), expected, "{what}: {told:?}");
}

#[test]
fn silence_stands_in_front_of_what_the_dates_say() {
    let moving = [(10, S::Accepted)];
    let (again, away) = ([(10, S::Accepted), (24, S::Moving)], [(11, S::RecipientUnavailable)]);
    let (held, trouble) = ([(10, S::Accepted), (14, S::Held)], [(11, S::Moving), (12, S::Held)]);
    let patient = ShipmentFacts { carrier: Some("fedex".to_owned()), ..facts() };
    let no_promise = ShipmentFacts { deliver_by_on: None, ..facts() };
    let (none, seller, buyer) = (Actor::None, Actor::Seller, Actor::Buyer);
    let facts = &facts();
    for (what, facts, heard, expected) in [
        ("on the way", facts, (&moving[..], 11), (V::Undecided, V::Undecided, none)),
        ("late", facts, (&[(16, S::Moving)], 19), (V::LateOpen, V::LateOpen, none)),
        ("held up", facts, (&held, 15), (V::Delayed, V::Undecided, none)),
        ("stalled in time", facts, (&moving, 17), (V::Stalled, V::Undecided, none)),
        ("stalled and late", &patient, (&[(13, S::Moving)], 19), (V::Stalled, V::LateOpen, none)),
        ("stalled with a buyer away", &patient, (&away, 19), (V::Stalled, V::OnTime, buyer)),
        ("stalled in trouble", facts, (&trouble, 18), (V::Stalled, V::Undecided, none)),
        ("never scanned", facts, (&[], 17), (V::Stalled, V::Undecided, seller)),
        ("suspected", facts, (&moving, 19), (V::SuspectedLost, V::LateOpen, seller)),
        ("suspected without a promise", &no_promise, (&moving, 31), (V::SuspectedLost, V::Undecided, seller)),
        ("lost by silence", facts, (&moving, 40), (V::Lost, V::LateOpen, seller)),
        ("lost by word", facts, (&[(11, S::Lost)], 11), (V::Lost, V::LateOpen, seller)),
        ("lost without a promise", &no_promise, (&[(11, S::Destroyed)], 60), (V::Lost, V::Undecided, seller)),
        ("found", facts, (&again, 25), (V::Found, V::LateOpen, none)),
        ("silent again", facts, (&again, 32), (V::SuspectedLost, V::LateOpen, seller)),
    ] {
        tells(what, facts, heard, expected);
    }
}

#[test]
fn what_has_come_to_an_end_keeps_its_word() {
    let delivered = [(10, S::Accepted), (24, S::Moving), (25, S::DeliveredToRecipient)];
    let cancelled = ShipmentFacts { cancelled: true, ..facts() };
    let facts = &facts();
    for (what, facts, heard, expected) in [
        ("delivered after all", facts, (&delivered[..], 60), (V::DeliveredLate, V::DeliveredLate, Actor::None)),
        ("on its way back", facts, (&[(10, S::Returning)], 60), (V::Undecided, V::Undecided, Actor::None)),
        ("cancelled", &cancelled, (&[(10, S::Accepted)], 60), (V::Undecided, V::Undecided, Actor::None)),
    ] {
        tells(what, facts, heard, expected);
    }
}

#[test]
fn a_silence_is_told_in_numbers() {
    const SINCE: &str = "or more, since 2026-09-10 (in_transit.accepted).";
    let moving = [(10, S::Accepted)];
    let again = [(10, S::Accepted), (24, S::Moving)];
    let lane = ShipmentFacts { origin: None, carrier: None, ..facts() };
    let facts = &facts();
    for (what, facts, story, day, reason, threshold) in [
        ("stalled", facts, &moving[..], 17, "5 working days", "5 working days without a scan, reached on 2026-09-17"),
        (
            "suspected by the carrier's rule",
            facts,
            &moving,
            20,
            "9 days",
            "the carrier's own rule (1 day after it was due) and 5 working days without a scan, reached on 2026-09-19",
        ),
        (
            "suspected by silence",
            &lane,
            &moving,
            40,
            "29 days",
            "21 working days without a scan, across a border, reached on 2026-10-09",
        ),
        ("lost by silence", facts, &moving, 45, "30 days", "30 days without a scan, reached on 2026-10-10"),
    ] {
        let told = at(facts, story, day).verdict;
        let reason = format!("No carrier has scanned it for {reason} {SINCE}");
        assert_eq!((told.reason, told.threshold.as_deref()), (reason, Some(threshold)), "{what}");
        assert!(told.evidence.iter().any(|it| it.fact == "last_sign_of_life"), "{what}: {:?}", told.evidence);
    }
    for (what, story, day, reason, evidence) in [
        (
            "never scanned",
            &[][..],
            17,
            "Its label was made, but no carrier has scanned it for 5 working days or more, since 2026-09-10.",
            "label_made",
        ),
        ("lost by word", &[(11, S::Lost)], 45, "The carrier reports it lost.", "reported_lost"),
        (
            "found",
            &again,
            25,
            "It moves again: scanned on 2026-09-24 after 14 days, when it had been taken as lost.",
            "found",
        ),
    ] {
        let told = at(facts, story, day).verdict;
        assert_eq!(told.reason, reason, "{what}");
        assert!(told.evidence.iter().any(|it| it.fact == evidence), "{what}: {:?}", told.evidence);
    }
}

#[test]
fn a_silence_has_the_cause_of_the_trouble_before_it() {
    for (what, told, cause) in [
        ("customs", S::CustomsHold, Cause::Customs),
        ("the carrier", S::Held, Cause::Carrier),
        ("the address", S::AddressProblem, Cause::Address),
    ] {
        let standing = at(&facts(), &[(10, S::Accepted), (11, told), (12, S::Moving)], 25);
        assert_eq!((standing.verdict.verdict, standing.verdict.cause), (V::SuspectedLost, Some(cause)), "{what}");
    }
}

#[test]
fn a_standing_holds_until_the_moment_at_which_it_says_that_it_may_change() {
    let stories: [&[(i64, S)]; 6] = [
        &[],
        &[(10, S::Accepted)],
        &[(10, S::Accepted), (12, S::ReadyForPickup)],
        &[(10, S::Accepted), (12, S::Lost)],
        &[(10, S::Accepted), (13, S::CustomsHold), (21, S::Moving)],
        &[(10, S::Accepted), (24, S::Moving)],
    ];
    for story in stories {
        let mut standing = at(&facts(), story, 24);
        for hour in 0..24 * 60 {
            let now = noon(24) + SignedDuration::from_hours(hour);
            let events: Vec<_> = story.iter().map(|&(day, told)| event(day, told)).collect();
            let fresh = Standing::at(&facts(), &events, now);
            if standing.verdict.reconsider_at.is_some_and(|at| at <= now) {
                standing = fresh;
            } else {
                assert_eq!(Standing { judged_at: standing.judged_at, ..fresh }, standing, "{story:?} at {now}");
            }
        }
    }
}
