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
