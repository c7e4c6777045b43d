//! Shipments as a sheet or the shop system tells them: one consignment of one order under a carrier's number.

use crate::domain::carrier::CarrierSlug;
use crate::domain::country::CountryCode;
use crate::domain::edit::Edit;
use crate::domain::event_time::EventTime;
use crate::domain::milestone::SubStatus;
use crate::domain::order::{OrderRow, Place};
use crate::domain::scan::Scan;
use crate::domain::tracking_number::{CheckOutcome, NumberCheck, NumberCode, Validity};
use jiff::civil::Date;

/// A tracking number that was proved as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProvenNumber {
    /// Normalised: what is followed.
    pub number: String,
    /// As the seller wrote it.
    pub typed: String,
    /// The declared carrier, `other` included; `None` where the seller declared nothing.
    pub declared: Option<CarrierSlug>,
    /// The carrier that the number itself names, where it names one.
    pub detected: Option<CarrierSlug>,
    /// A failed check or a mismatch that was let through as a warning.
    pub suspicious: bool,
    pub validity: Validity,
    pub code: Option<NumberCode>,
}

/// From here on no other carrier's check passes on the number.
const ALONE: f64 = 0.8;

impl ProvenNumber {
    /// What a check proved of a number as typed; a doubt that was let through makes it suspicious.
    pub fn of(check: &NumberCheck, declared: Option<CarrierSlug>, suspicious: bool) -> Self {
        Self {
            number: check.tracked_number().unwrap_or(&check.input).to_owned(),
            typed: check.input.clone(),
            declared,
            detected: Self::detected_in(check),
            suspicious,
            validity: check.validity,
            code: check.code,
        }
    }

    /// The carrier whose number it can only be, by what the check found.
    fn detected_in(check: &NumberCheck) -> Option<CarrierSlug> {
        let first = check.candidates.first()?;
        let passed_alone = first.check == CheckOutcome::Passed && first.confidence >= ALONE;
        (passed_alone || check.validity == Validity::Valid).then(|| first.carrier.clone())
    }

    /// Under which carrier it is followed: the declared one, else the detected one, else `other`.
    pub fn followed_as(&self) -> CarrierSlug {
        let declared = self.declared.clone().filter(|slug| slug.as_ref() != CarrierSlug::OTHER);
        declared
            .or_else(|| self.detected.clone())
            .unwrap_or_else(|| CarrierSlug::from_stored(CarrierSlug::OTHER.to_owned()))
    }

    /// What reports group by: the declared word, else the detected carrier.
    pub fn reported_as(&self) -> Option<CarrierSlug> {
        self.declared.clone().or_else(|| self.detected.clone())
    }
}

/// One row of a sheet of tracking numbers. Blank cells leave what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrackingRow {
    pub order_number: String,
    pub number: ProvenNumber,
    pub service: Option<String>,
    pub shipped: Option<EventTime>,
    pub delivered: Option<EventTime>,
    /// The seller's status word; it moves nothing unless the row says when.
    pub status: Option<SubStatus>,
    pub deliver_by_on: Option<Date>,
    pub line_id: Option<String>,
    pub sku: Option<String>,
    pub quantity: Option<i64>,
    pub parcel_ref: Option<String>,
    pub destination: Place,
    /// Wins over the order's own.
    pub origin: Place,
}

impl TrackingRow {
    /// A row that says no more than under which number a parcel of an order goes.
    pub fn bare(order_number: &str, number: ProvenNumber) -> Self {
        Self {
            order_number: order_number.to_owned(),
            number,
            service: None,
            shipped: None,
            delivered: None,
            status: None,
            deliver_by_on: None,
            line_id: None,
            sku: None,
            quantity: None,
            parcel_ref: None,
            destination: Place::default(),
            origin: Place::default(),
        }
    }
}

/// What a change says of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShipmentEdit {
    pub service: Edit<String>,
    pub parcel_ref: Edit<String>,
    pub claims: Claims,
    pub deliver_by_on: Edit<Date>,
    pub origin_country: Edit<CountryCode>,
    pub origin_region: Edit<String>,
    pub number: NumberEdit,
}

/// What a change says of the number that a parcel goes under, and of whose number it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberEdit {
    /// As it was typed; a number cannot be cleared.
    pub typed: Option<String>,
    /// As people write it. Cleared, it declares nothing, and the carrier that the number names counts.
    pub carrier: Edit<String>,
}

impl NumberEdit {
    pub fn is_kept(&self) -> bool {
        self.typed.is_none() && self.carrier.is_kept()
    }
}

/// The seller's own word on when a parcel was shipped and delivered. What is cleared is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    pub shipped: Edit<EventTime>,
    pub delivered: Edit<EventTime>,
    /// How it was delivered, where the seller says so.
    pub status: Option<SubStatus>,
}

/// One row of a sheet that tells orders and their tracking numbers together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CombinedRow {
    pub order: OrderRow,
    /// `None` where the line is not shipped yet.
    pub tracking: Option<TrackingRow>,
}

/// One row of a sheet of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub number: ProvenNumber,
    pub scan: Scan,
}

/// One row of a sheet of legs: who delivers a parcel in the end, and under which number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegRow {
    /// One of this and `first_mile` is told.
    pub order_number: Option<String>,
    /// The number under which the forwarder took it.
    pub first_mile: Option<ProvenNumber>,
    pub last_mile: ProvenNumber,
    /// When the forwarder handed it over to the carrier of the last mile.
    pub handed_over: Option<EventTime>,
}
