//! A shipment as its seller sees it.

use crate::domain::doubt::DoubtCode;
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::flows::list_shipments::{Correction, Leg, OpenDoubt, ShipmentDetail};
use crate::flows::take_in::{Outcome, Remark, Taken};
use crate::http::orders::{PromiseOut, status_url};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A shipment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShipmentOut {
    /// The first half of its tag.
    #[serde(skip)]
    pub(super) version: i64,
    id: Uuid,
    order_id: Uuid,
    shop: String,
    order_number: String,
    /// The declared word, else the carrier that the number names.
    carrier: Option<String>,
    service: Option<String>,
    tracking_number: String,
    /// As you wrote it.
    typed_number: String,
    /// The number failed a check, or belongs to another carrier.
    suspicious: bool,
    /// What the number proved to be for its carrier: `valid`, `ambiguous`, `suspicious`, `repairable` or `invalid`; `null`
    /// where it was taken in before this was kept.
    number_validity: Option<String>,
    /// What is wrong with the number, such as `bad_checksum`.
    number_code: Option<String>,
    /// By which table of formats the number was proved; see `GET /v1/carriers`.
    formats_version: Option<String>,
    /// What it went under before its number or carrier was corrected, newest first; empty where it never was. Lists
    /// tell it too.
    number_history: Vec<FormerNumber>,
    parcel_ref: Option<String>,
    #[schema(value_type = Option<EventTimeSchema>)]
    shipped: Option<EventTime>,
    /// Wins over the order's own.
    ship_from_country: Option<String>,
    ship_from_region: Option<String>,
    destination_country: Option<String>,
    milestone: String,
    sub_status: Option<String>,
    /// Whether more is expected of it.
    open: bool,
    #[schema(format = Date)]
    delivered_on: Option<String>,
    promise: PromiseOut,
    /// With cause, reason, threshold, evidence, what would change it and who must act.
    #[schema(value_type = crate::domain::verdict::VerdictSchema)]
    verdict: Value,
    /// Whether the number is true, though it is right in form: doubts that stand now.
    doubts: Vec<DoubtOut>,
    legs: Vec<LegOut>,
    status_url: Option<String>,
    /// The carrier's own page.
    tracking_url: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_checked_at: Option<jiff::Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_check_at: Option<jiff::Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: jiff::Timestamp,
    /// Only in the answer to a write.
    pub(super) outcome: Option<Outcome>,
    /// Only in the answer to a write: what is doubtful about the number, `doubts` included.
    pub(super) warnings: Vec<Warning>,
}

/// Something doubtful that was let through.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Warning {
    pub(super) pointer: String,
    pub(super) code: String,
    pub(super) detail: String,
}

impl Warning {
    /// What the seller should know of the number that was sent.
    pub fn of_number((code, detail): Remark) -> Self {
        Self { pointer: "/tracking_number".to_owned(), code, detail }
    }
}

/// A doubt about a number. It is no error, and is gone when its ground is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DoubtOut {
    /// There may be more codes one day.
    code: DoubtCode,
    /// What is doubtful and what to do, in one sentence.
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: jiff::Timestamp,
}

impl From<OpenDoubt> for DoubtOut {
    fn from(open: OpenDoubt) -> Self {
        Self { code: open.doubt.code(), detail: open.doubt.sentence(), since: open.found_at }
    }
}

impl From<&DoubtOut> for Warning {
    fn from(doubt: &DoubtOut) -> Self {
        Self {
            pointer: "/tracking_number".to_owned(),
            code: doubt.code.code().to_owned(),
            detail: doubt.detail.clone(),
        }
    }
}

/// Part of the way under one tracker.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LegOut {
    leg: i32,
    carrier: String,
    tracking_number: String,
    /// When this carrier took the parcel over from the one before, as a sheet of legs tells it.
    #[schema(value_type = Option<EventTimeSchema>)]
    handed_over: Option<EventTime>,
}

/// What a shipment went under until it was corrected.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FormerNumber {
    carrier: Option<String>,
    tracking_number: String,
    /// As you wrote it.
    typed_number: String,
    #[schema(value_type = String, format = DateTime)]
    until: jiff::Timestamp,
}

impl From<Correction> for FormerNumber {
    fn from(was: Correction) -> Self {
        Self {
            carrier: was.carrier,
            tracking_number: was.tracking_number,
            typed_number: was.typed_number,
            until: was.corrected_at.0,
        }
    }
}

impl ShipmentOut {
    /// Adds what only its writer is told: the outcome, what was doubtful about what was sent, and what is doubtful by all
    /// that is known.
    pub(super) fn tell(&mut self, taken: Taken) {
        self.outcome = Some(taken.outcome);
        self.warnings.extend(taken.remark.map(Warning::of_number));
        self.warnings.extend(self.doubts.iter().map(Warning::from));
    }
}

pub fn shown(detail: ShipmentDetail, public_url: &str) -> ShipmentOut {
    let ShipmentDetail { view, shop, legs, doubts, token, tracking_url, history, .. } = detail;
    let (shipment, order, standing) = (view.shipment, view.order, view.standing);
    ShipmentOut {
        version: shipment.version,
        id: shipment.id.0,
        order_id: order.id.0,
        shop,
        order_number: order.order_number,
        tracking_url,
        shipped: shipment.shipped(),
        promise: PromiseOut {
            deliver_by_on: shipment.deliver_by_on,
            source: shipment.promise_source,
            dispatch_by_at: order.dispatch_by_at.map(|at| at.0),
        },
        carrier: shipment.carrier,
        service: shipment.service,
        tracking_number: shipment.tracking_number,
        typed_number: shipment.typed_number,
        suspicious: shipment.suspicious,
        number_validity: shipment.number_validity,
        number_code: shipment.number_code,
        formats_version: shipment.formats_version,
        number_history: history.into_iter().map(FormerNumber::from).collect(),
        parcel_ref: shipment.parcel_ref,
        ship_from_country: shipment.origin_country,
        ship_from_region: shipment.origin_region,
        destination_country: order.country,
        milestone: standing.milestone,
        sub_status: standing.sub_status,
        open: standing.is_open,
        delivered_on: standing.delivered_on,
        verdict: standing.detail.0.get("verdict").cloned().unwrap_or_default(),
        last_checked_at: legs.iter().filter_map(|leg| leg.last_checked_at).max(),
        next_check_at: legs.iter().filter_map(|leg| leg.next_check_at).min(),
        doubts: doubts.into_iter().map(DoubtOut::from).collect(),
        legs: legs
            .into_iter()
            .map(|Leg { leg_no: leg, carrier, number: tracking_number, handed_over, .. }| LegOut {
                leg,
                carrier,
                tracking_number,
                handed_over,
            })
            .collect(),
        status_url: token.map(|token| status_url(public_url, &token)),
        created_at: shipment.created_at.0,
        updated_at: shipment.updated_at.0,
        outcome: None,
        warnings: Vec::new(),
    }
}
