//! One shipment of a report: what is known of it at the report's moments, and how it is shown.

use super::counting::{Key, Whose};
use super::query::{AsOf, Basis, GroupKey, ReportQuery, RowId};
use crate::domain::country::CountryCode;
use crate::domain::dispatch::Leaving;
use crate::domain::doubt::GRACE;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::losses::Fate;
use crate::domain::report::Outcome;
use crate::domain::scan::TrackingEvent;
use crate::domain::standing::{ShipmentFacts, Standing};
use crate::domain::valid_tracking::{NumberClass, NumberFate};
use crate::domain::verdict::{Arrival, Ending, VerdictKind, end_of_day, timeliness};
use crate::store::report_rows::ReportRow;
use crate::store::sellers::Seller;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

/// The two moments of a report, in one seller's terms.
pub(super) struct Moments {
    pub as_of: Timestamp,
    pub known_at: Timestamp,
    /// Neither was asked for, so what is stored will do.
    pub is_now: bool,
    pub zone: TimeZone,
}

impl Moments {
    pub(super) fn of(query: &ReportQuery, seller: &Seller, now: Timestamp) -> Self {
        let zone = seller.zone();
        let as_of = match query.as_of {
            None => now,
            Some(AsOf::At(at)) => at,
            Some(AsOf::Day(day)) => {
                let next = end_of_day(day, &zone).unwrap_or(now);
                next.checked_sub(jiff::SignedDuration::from_micros(1)).unwrap_or(next)
            }
        };
        let is_now = query.as_of.is_none() && query.known_at.is_none();
        Self { as_of, known_at: query.known_at.unwrap_or(now), is_now, zone }
    }
}

/// What a report knows of one shipment.
pub(super) struct Fact {
    pub row: ReportRow,
    pub outcome: Outcome,
    told: Told,
    ordered_on: Option<Date>,
    /// It was shipped, or ordered, only after the report's moment.
    later: bool,
}

/// What a standing tells, stored or derived.
struct Told {
    verdict: String,
    cause: Option<String>,
    milestone: String,
    first_scan: Option<EventTime>,
    /// The verdict in full.
    detail: Value,
}

impl Fact {
    /// From the stored standing: as of now.
    pub(super) fn as_stored(row: ReportRow, moments: &Moments) -> Self {
        let (verdict, cause, delivered_on, first_attempt_on, ending, milestone) = row.standing.clone();
        let arrival = Arrival {
            delivered_on: date(delivered_on.as_deref()),
            first_attempt_on: date(first_attempt_on.as_deref()),
        };
        let ending = ending.and_then(|code| code.parse().ok());
        let detail = row.detail.0.get("verdict").cloned().unwrap_or_default();
        let scan = row.detail.0.pointer("/progress/first_scan");
        let text = |field| scan.and_then(|it| it.get(field)).and_then(Value::as_str);
        let first_scan = time(text("local"), text("offset"));
        let told = Told { verdict, cause, milestone, first_scan, detail };
        Self::new(row, moments, (arrival, ending), told)
    }

    /// From the events that had happened, and were known, at the report's moments.
    pub(super) fn derived(row: ReportRow, events: &[TrackingEvent], moments: &Moments) -> Self {
        let events = events.iter().filter(|event| event.sort_at <= moments.as_of);
        let standing = Standing::at(&facts(&row, moments), events, moments.as_of);
        let verdict = &standing.verdict;
        let told = Told {
            verdict: verdict.verdict.code().to_owned(),
            cause: verdict.cause.map(|cause| cause.code().to_owned()),
            milestone: standing.progress.milestone.code().to_owned(),
            first_scan: standing.progress.first_scan,
            detail: json!(verdict),
        };
        Self::new(row, moments, (standing.arrival, standing.ending), told)
    }

    fn new(row: ReportRow, moments: &Moments, (arrival, ending): (Arrival, Option<Ending>), told: Told) -> Self {
        let (country, region) = (country(row.destination.0.as_deref()), row.destination.1.as_deref());
        let zone = country.map_or_else(|| moments.zone.clone(), |it| it.time_zone(region));
        let ordered = time(row.ordered.0.as_deref(), row.ordered.1.as_deref());
        let shipped = time(row.shipped.0.as_deref(), row.shipped.1.as_deref());
        let later = |time: Option<EventTime>| time.is_some_and(|it| it.instant_in(&moments.zone) > moments.as_of);
        Self {
            outcome: Outcome {
                promise: date(row.deliver_by_on.as_deref()),
                shipped_on: date(row.shipped.2.as_deref()),
                arrival,
                ending,
                today: zone.to_datetime(moments.as_of).date(),
            },
            ordered_on: ordered.map(|it| it.date_in(&moments.zone)),
            later: later(shipped) || (shipped.is_none() && later(ordered)),
            row,
            told,
        }
    }

    pub(super) fn id(&self, whose: &Whose<'_>) -> RowId {
        (whose.seller.id, self.row.shipment_id.0)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.outcome.ending == Some(Ending::Cancelled)
    }

    pub(super) fn fate(&self) -> Fate {
        let is_delivered = self.outcome.arrival.delivered_on.is_some();
        Fate {
            is_shipped: self.outcome.shipped_on.is_some() || self.told.first_scan.is_some() || is_delivered,
            is_delivered,
            ending: self.outcome.ending,
            verdict: self.told.verdict.parse().ok(),
        }
    }

    /// How far its number is to be trusted, whatever is thought of it besides.
    pub(super) fn number_fate(&self, moments: &Moments) -> NumberFate {
        let shipped = time(self.row.shipped.0.as_deref(), self.row.shipped.1.as_deref());
        let (validity, code) = &self.row.number;
        NumberFate {
            class: NumberClass::of(validity.as_deref(), code.as_deref()),
            is_scanned: self.told.first_scan.is_some(),
            is_shipped: self.fate().is_shipped,
            is_fresh: shipped.is_some_and(|at| moments.as_of.duration_since(at.instant_in(&moments.zone)) < GRACE),
        }
    }

    pub(super) fn leaving(&self, moments: &Moments) -> Leaving {
        let shipped = time(self.row.shipped.0.as_deref(), self.row.shipped.1.as_deref());
        let happened = |it: &EventTime| it.instant_in(&moments.zone) <= moments.as_of;
        Leaving { first_scan: self.told.first_scan, shipped: shipped.filter(happened) }
    }

    /// The asked word. `late_open` is asked of the dates, so that a silence does not hide what is late.
    pub(super) fn has_verdict(&self, query: &ReportQuery) -> bool {
        let it = &self.outcome;
        match query.verdict.as_deref() {
            None => true,
            Some("late_open") => timeliness(it.promise, it.arrival, it.ending, it.today) == VerdictKind::LateOpen,
            Some(asked) => asked == self.told.verdict,
        }
    }

    pub(super) fn has_cause(&self, query: &ReportQuery) -> bool {
        query.cause.is_none() || query.cause == self.told.cause
    }

    fn basis_date(&self, basis: Basis) -> Option<Date> {
        match basis {
            Basis::Shipped => self.outcome.shipped_on,
            Basis::Ordered => self.ordered_on,
            Basis::Promised => self.outcome.promise,
            Basis::Delivered => self.outcome.arrival.delivered_on,
        }
    }

    pub(super) fn is_asked_for(&self, query: &ReportQuery, shop: Option<&str>) -> bool {
        let same = |asked: &Option<String>, is: Option<&str>| asked.as_deref().is_none_or(|asked| is == Some(asked));
        !self.later
            && query.covers(self.basis_date(query.basis))
            && same(&query.shop, shop)
            && same(&query.carrier, self.row.carrier.as_deref())
            && same(&query.service, self.row.service.as_deref())
            && same(&query.origin_country, self.value(GroupKey::OriginCountry, query.basis).as_deref())
            && same(&query.destination_country, self.row.destination.0.as_deref())
            && self.has_verdict(query)
            && self.has_cause(query)
    }

    /// The group that it is counted in.
    pub(super) fn key(&self, whose: &Whose<'_>, query: &ReportQuery) -> Key {
        let value = |key: &GroupKey| match key {
            GroupKey::Seller => Some(whose.seller.id.to_string()),
            GroupKey::Shop => whose.shop.map(str::to_owned),
            GroupKey::Carrier
            | GroupKey::Service
            | GroupKey::OriginCountry
            | GroupKey::OriginRegion
            | GroupKey::DestinationCountry
            | GroupKey::DestinationRegion
            | GroupKey::Month => self.value(*key, query.basis),
        };
        query.group_by.iter().map(value).collect()
    }

    /// What the shipment is grouped under; seller and shop are the caller's to tell.
    pub(super) fn value(&self, key: GroupKey, basis: Basis) -> Option<String> {
        let region = |region: &Option<String>| region.as_deref().map(|it| it.trim().to_uppercase());
        match key {
            GroupKey::Carrier => self.row.carrier.clone(),
            GroupKey::Service => self.row.service.clone(),
            GroupKey::OriginCountry => self.row.origin.0.clone().or_else(|| self.row.order_origin.0.clone()),
            GroupKey::OriginRegion => region(&self.row.origin.1).or_else(|| region(&self.row.order_origin.1)),
            GroupKey::DestinationCountry => self.row.destination.0.clone(),
            GroupKey::DestinationRegion => region(&self.row.destination.1),
            GroupKey::Month => self.basis_date(basis).map(|day| day.strftime("%Y-%m").to_string()),
            GroupKey::Shop | GroupKey::Seller => None,
        }
    }
}

fn facts(row: &ReportRow, moments: &Moments) -> ShipmentFacts {
    ShipmentFacts {
        deliver_by_on: date(row.deliver_by_on.as_deref()),
        dispatch_by_at: row.dispatch_by_at.map(Timestamp::from),
        shipped: time(row.shipped.0.as_deref(), row.shipped.1.as_deref()),
        cancelled: row.state == "cancelled" || row.order_state == "cancelled",
        carrier: row.carrier.clone(),
        service: row.service.clone(),
        origin: country(row.origin.0.as_deref()).or_else(|| country(row.order_origin.0.as_deref())),
        destination: country(row.destination.0.as_deref()),
        destination_region: row.destination.1.clone(),
        seller_zone: moments.zone.clone(),
    }
}

fn date(text: Option<&str>) -> Option<Date> {
    text.and_then(|day| day.parse().ok())
}

pub(super) fn time(local: Option<&str>, offset: Option<&str>) -> Option<EventTime> {
    EventTime::from_texts(local?, offset)
}

fn country(code: Option<&str>) -> Option<CountryCode> {
    code.and_then(|code| code.parse().ok())
}

/// One shipment as a report shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShipmentOut {
    #[schema(value_type = uuid::Uuid)]
    pub seller_id: SellerId,
    #[schema(value_type = uuid::Uuid)]
    pub shipment_id: ShipmentId,
    pub shop: Option<String>,
    pub order_number: String,
    pub tracking_number: String,
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub origin_country: Option<String>,
    pub origin_region: Option<String>,
    pub destination_country: Option<String>,
    pub destination_region: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    pub shipped_on: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    pub deliver_by_on: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    pub first_attempt_on: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    pub delivered_on: Option<Date>,
    pub milestone: String,
    /// The verdict with cause, reason, threshold, evidence, what would change it and who must act.
    #[serde(flatten)]
    #[schema(value_type = crate::domain::verdict::VerdictSchema)]
    pub verdict: Value,
}

impl ShipmentOut {
    pub(super) fn of(whose: &Whose<'_>, fact: &Fact) -> Self {
        let value = |key| fact.value(key, Basis::Shipped);
        Self {
            seller_id: whose.seller.id,
            shipment_id: fact.row.shipment_id,
            shop: whose.shop.map(str::to_owned),
            order_number: fact.row.order_number.clone(),
            tracking_number: fact.row.tracking_number.clone(),
            carrier: value(GroupKey::Carrier),
            service: value(GroupKey::Service),
            origin_country: value(GroupKey::OriginCountry),
            origin_region: value(GroupKey::OriginRegion),
            destination_country: value(GroupKey::DestinationCountry),
            destination_region: value(GroupKey::DestinationRegion),
            shipped_on: fact.outcome.shipped_on,
            deliver_by_on: fact.outcome.promise,
            first_attempt_on: fact.outcome.arrival.first_attempt_on,
            delivered_on: fact.outcome.arrival.delivered_on,
            milestone: fact.told.milestone.clone(),
            verdict: fact.told.detail.clone(),
        }
    }
}
