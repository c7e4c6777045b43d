//! A shipment's standing: its progress and its verdict together, as they are kept for reading.

use crate::domain::country::CountryCode;
use crate::domain::docket::Docket;
use crate::domain::event_time::EventTime;
use crate::domain::patience::Patience;
use crate::domain::progress::Progress;
use crate::domain::scan::TrackingEvent;
use crate::domain::silence::Silence;
use crate::domain::verdict::{Arrival, Ending, Verdict};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What is known of a shipment apart from its events.
#[derive(Debug, Clone)]
pub struct ShipmentFacts {
    pub deliver_by_on: Option<Date>,
    pub dispatch_by_at: Option<Timestamp>,
    pub shipped: Option<EventTime>,
    pub cancelled: bool,
    /// What reports group by.
    pub carrier: Option<String>,
    pub service: Option<String>,
    /// The shipment's own, else the order's.
    pub origin: Option<CountryCode>,
    pub destination: Option<CountryCode>,
    pub destination_region: Option<String>,
    pub seller_zone: TimeZone,
}

/// Progress and verdict at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub progress: Progress,
    pub verdict: Verdict,
    pub arrival: Arrival,
    pub ending: Option<Ending>,
    pub judged_at: Timestamp,
}

impl Standing {
    /// Derives progress from the events of all legs, and judges it.
    pub fn at<'e>(facts: &ShipmentFacts, events: impl IntoIterator<Item = &'e TrackingEvent>, now: Timestamp) -> Self {
        let events: Vec<_> = events.into_iter().collect();
        let progress = Progress::derived_from(events.iter().copied(), now);
        let zone = match facts.destination {
            Some(country) => country.time_zone(facts.destination_region.as_deref()),
            None => facts.seller_zone.clone(),
        };
        let patience = Patience {
            carrier: facts.carrier.as_deref(),
            service: facts.service.as_deref(),
            origin: facts.origin,
            destination: facts.destination,
            deliver_by_on: facts.deliver_by_on,
        };
        let shipped_on = facts.shipped.map(|time| time.date_in(&zone));
        let silence = Silence::in_events(events, &patience, shipped_on, &zone, now);
        let docket = Docket {
            progress: &progress,
            silence: &silence,
            deliver_by_on: facts.deliver_by_on,
            dispatch_by_at: facts.dispatch_by_at,
            shipped: facts.shipped,
            cancelled: facts.cancelled,
            zone: &zone,
            seller_zone: &facts.seller_zone,
        };
        let (verdict, arrival, ending) = (docket.judge(now), docket.arrival(), docket.ending());
        Self { progress, verdict, arrival, ending, judged_at: now }
    }

    /// Whether more is to be expected of it.
    pub fn is_open(&self) -> bool {
        self.progress.is_open() && !matches!(self.ending, Some(Ending::Cancelled | Ending::Delivered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventId, TrackerId};
    use crate::domain::milestone::{Actor, SubStatus as S};
    use crate::domain::scan::{DedupeKey, Source};
    use crate::domain::verdict::{Cause, VerdictKind as V};
    use jiff::civil::date;
    use jiff::{SignedDuration, ToSpan};

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

    #[test]
    fn silence_stands_in_front_of_what_the_dates_say_until_it_is_broken_or_ended() {
        let no_promise = ShipmentFacts { deliver_by_on: None, ..facts() };
        let cancelled = ShipmentFacts { cancelled: true, ..facts() };
        let patient = ShipmentFacts { carrier: Some("fedex".to_owned()), ..facts() };
        let moving = [(10, S::Accepted)];
        let facts = facts();
        for (what, facts, story, day, verdict, timeliness, must_act) in [
            ("on the way", &facts, &moving[..], 11, V::Undecided, V::Undecided, Actor::None),
            ("late", &facts, &[(16, S::Moving)], 19, V::LateOpen, V::LateOpen, Actor::None),
            ("stalled in time", &facts, &moving, 17, V::Stalled, V::Undecided, Actor::None),
            ("stalled and late", &patient, &[(13, S::Moving)], 19, V::Stalled, V::LateOpen, Actor::None),
            (
                "stalled with a buyer away",
                &patient,
                &[(11, S::RecipientUnavailable)],
                19,
                V::Stalled,
                V::OnTime,
                Actor::Buyer,
            ),
            (
                "stalled in trouble",
                &facts,
                &[(11, S::Moving), (12, S::Held)],
                18,
                V::Stalled,
                V::Undecided,
                Actor::None,
            ),
            ("never scanned", &facts, &[], 17, V::Stalled, V::Undecided, Actor::Seller),
            ("suspected", &facts, &moving, 19, V::SuspectedLost, V::LateOpen, Actor::Seller),
            (
                "suspected, and nothing promised",
                &no_promise,
                &moving,
                31,
                V::SuspectedLost,
                V::Undecided,
                Actor::Seller,
            ),
            ("lost by silence", &facts, &moving, 40, V::Lost, V::LateOpen, Actor::Seller),
            ("lost by word", &facts, &[(11, S::Lost)], 11, V::Lost, V::LateOpen, Actor::Seller),
            (
                "lost, and nothing promised",
                &no_promise,
                &[(11, S::Destroyed)],
                60,
                V::Lost,
                V::Undecided,
                Actor::Seller,
            ),
            ("found", &facts, &[(10, S::Accepted), (24, S::Moving)], 25, V::Found, V::LateOpen, Actor::None),
            (
                "silent again",
                &facts,
                &[(10, S::Accepted), (24, S::Moving)],
                32,
                V::SuspectedLost,
                V::LateOpen,
                Actor::Seller,
            ),
            ("held up", &facts, &[(10, S::Accepted), (14, S::Held)], 15, V::Delayed, V::Undecided, Actor::None),
            (
                "delivered after all",
                &facts,
                &[(10, S::Accepted), (24, S::Moving), (25, S::DeliveredToRecipient)],
                26,
                V::DeliveredLate,
                V::DeliveredLate,
                Actor::None,
            ),
            ("on its way back", &facts, &[(10, S::Returning)], 60, V::Undecided, V::Undecided, Actor::None),
            ("cancelled", &cancelled, &moving, 60, V::Undecided, V::Undecided, Actor::None),
        ] {
            let told = at(facts, story, day).verdict;
            assert_eq!(
                (told.verdict, told.timeliness, told.must_act),
                (verdict, timeliness, must_act),
                "{what}: {told:?}"
            );
        }
    }

    #[test]
    fn a_silence_is_told_in_numbers() {
        let moving = [(10, S::Accepted)];
        let lane = ShipmentFacts { origin: None, carrier: None, ..facts() };
        for (what, facts, story, day, reason, threshold) in [
            (
                "stalled",
                facts(),
                &moving[..],
                17,
                "No carrier has scanned it for 5 working days or more, since 2026-09-10 (in_transit.accepted).",
                "5 working days without a scan, reached on 2026-09-17",
            ),
            (
                "never scanned",
                facts(),
                &[],
                17,
                "Its label was made, but no carrier has scanned it for 5 working days or more, since 2026-09-10.",
                "5 working days without a scan, reached on 2026-09-17",
            ),
            (
                "suspected by the carrier's rule",
                facts(),
                &moving,
                20,
                "No carrier has scanned it for 9 days or more, since 2026-09-10 (in_transit.accepted).",
                "the carrier's own rule (1 day after it was due) and 5 working days without a scan, reached on 2026-09-19",
            ),
            (
                "suspected by silence",
                lane,
                &moving,
                40,
                "No carrier has scanned it for 29 days or more, since 2026-09-10 (in_transit.accepted).",
                "21 working days without a scan, across a border, reached on 2026-10-09",
            ),
            (
                "lost by silence",
                facts(),
                &moving,
                45,
                "No carrier has scanned it for 30 days or more, since 2026-09-10 (in_transit.accepted).",
                "30 days without a scan, reached on 2026-10-10",
            ),
            ("lost by word", facts(), &[(11, S::Lost)], 45, "The carrier reports it lost.", "the carrier's word"),
            (
                "found",
                facts(),
                &[(10, S::Accepted), (24, S::Moving)],
                25,
                "It moves again: scanned on 2026-09-24 after 14 days, when it had been taken as lost.",
                "the end of 2026-09-18 at the destination",
            ),
        ] {
            let told = at(&facts, story, day).verdict;
            assert_eq!((told.reason.as_str(), told.threshold.as_deref()), (reason, Some(threshold)), "{what}");
            let known = ["last_sign_of_life", "label_made", "reported_lost", "found"];
            assert!(told.evidence.iter().any(|it| known.contains(&it.fact)), "{what}: {:?}", told.evidence);
        }
        assert_eq!(at(&facts(), &[(12, S::CustomsHold), (13, S::Held)], 20).verdict.cause, Some(Cause::Carrier));
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
}
