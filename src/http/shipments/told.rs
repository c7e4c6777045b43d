//! A parcel as the shop system tells it, its number proved.

use super::shown::Warning;
use crate::domain::carrier::own;
use crate::domain::ids::OrderId;
use crate::domain::order::Place;
use crate::domain::shipment::TrackingRow;
use crate::domain::tracking_number::{Hints, Known};
use crate::flows::take_in::put::{self, OrderRef};
use crate::http::fields::{country, text, time};
use crate::http::problem::Problem;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

/// A parcel of an order: name the order by its id, or by shop and number.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentIn {
    order_id: Option<Uuid>,
    pub(super) shop: Option<String>,
    order_number: Option<String>,
    #[schema(example = "1Z999AA10123456784")]
    tracking_number: String,
    /// A slug, or a name as people write it, one of your own too; told by the number where absent.
    carrier: Option<String>,
    service: Option<String>,
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it.
    shipped_at: Option<String>,
    delivered_at: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    deliver_by_on: Option<Date>,
    parcel_ref: Option<String>,
    ship_from_country: Option<String>,
    ship_from_region: Option<String>,
}

impl ShipmentIn {
    pub(super) fn order(&self) -> Result<OrderRef, Problem> {
        match (self.order_id, &self.order_number) {
            (Some(id), None) => Ok(OrderRef::Id(OrderId(id))),
            (None, Some(number)) => text("/order_number", number, 128).map(OrderRef::Number),
            _ => {
                let detail = "Name the order by order_id, or by order_number with the shop, not by both.";
                Err(Problem::invalid("/order_id", "which_order", detail))
            }
        }
    }

    pub(super) fn row(self, known: &Known) -> Result<(TrackingRow, Vec<Warning>), Problem> {
        let typed = text("/tracking_number", &self.tracking_number, 200)?;
        let from = self.ship_from_country.as_deref().map(|it| country("/ship_from_country", it)).transpose()?;
        let origin = from.map(|it| it.to_string());
        let hints = Hints { origin_country: origin.as_deref(), ..known.hints() };
        let proof = put::prove(&typed, self.carrier.as_deref(), &hints)?;
        let declared = self.carrier.as_deref().and_then(|it| own::recognise(it, &known.own));
        let named = declared.and_then(|it| it.service);
        let row = TrackingRow {
            order_number: String::new(),
            number: proof.number,
            service: self.service.or(named),
            shipped: self.shipped_at.as_deref().map(|it| time("/shipped_at", it)).transpose()?,
            delivered: self.delivered_at.as_deref().map(|it| time("/delivered_at", it)).transpose()?,
            status: None,
            deliver_by_on: self.deliver_by_on,
            line_id: None,
            sku: None,
            quantity: None,
            parcel_ref: self.parcel_ref,
            destination: Place::default(),
            origin: Place { country: from, region: self.ship_from_region, postal_code: None },
        };
        Ok((row, proof.doubt.map(Warning::of_number).into_iter().collect()))
    }
}
