//! An order as its seller sees it.

use super::told::{PlaceIn, RecipientIn};
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::domain::money::Money;
use crate::flows::list_orders::OrderView;
use crate::flows::take_in::Outcome;
use serde::Serialize;
use uuid::Uuid;

/// An order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OrderOut {
    /// The first half of its tag.
    #[serde(skip)]
    pub(super) version: i64,
    id: Uuid,
    shop: String,
    order_number: String,
    order_ref: Option<String>,
    /// `open` or `cancelled`.
    state: String,
    #[schema(value_type = Option<EventTimeSchema>)]
    ordered: Option<EventTime>,
    /// ISO 4217.
    currency: Option<String>,
    recipient: RecipientIn,
    ship_to: PlaceIn,
    ship_from: PlaceIn,
    shipping_method: Option<String>,
    shipping_charged: Option<Money>,
    channel: Option<String>,
    #[schema(format = Date)]
    deliver_from_on: Option<String>,
    promise: PromiseOut,
    lines: Vec<LineOut>,
    /// Give it to the customer; `null` where the instance's secret key was changed.
    status_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: jiff::Timestamp,
    /// Only in the answer to a write.
    pub(super) outcome: Option<Outcome>,
}

/// What was promised.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PromiseOut {
    #[schema(format = Date)]
    pub deliver_by_on: Option<String>,
    /// `order`, `marketplace`, `policy` or `service_standard`.
    pub source: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dispatch_by_at: Option<jiff::Timestamp>,
}

/// One line of an order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LineOut {
    line_id: Option<String>,
    sku: Option<String>,
    item_name: Option<String>,
    quantity: i64,
    unit_price: Option<Money>,
    weight_g: Option<i64>,
}

pub fn shown(view: OrderView, public_url: &str) -> OrderOut {
    let (ordered, order) = (view.order.ordered(), view.order);
    let currency = order.currency.clone();
    let money = |minor: Option<i64>| minor.map(|amount_minor| Money { amount_minor, currency: currency.clone() });
    let lines = view.lines.into_iter().map(|line| LineOut {
        line_id: line.line_id,
        sku: line.sku,
        item_name: line.item_name,
        quantity: line.quantity,
        unit_price: money(line.unit_price_minor),
        weight_g: line.weight_g,
    });
    let lines = lines.collect();
    let recipient = view.contact.map(|it| RecipientIn {
        name: it.recipient_name,
        company: it.company,
        address1: it.address1,
        address2: it.address2,
        city: it.city,
        email: it.email,
        phone: it.phone,
        note: it.note,
    });
    OrderOut {
        version: order.version,
        id: order.id.0,
        shop: view.shop,
        order_number: order.order_number,
        order_ref: order.order_ref,
        state: order.state,
        ordered,
        currency: order.currency,
        recipient: recipient.unwrap_or_default(),
        ship_to: PlaceIn { country: order.country, region: order.region, postal_code: order.postal_code },
        ship_from: PlaceIn {
            country: order.origin_country,
            region: order.origin_region,
            postal_code: order.origin_postal_code,
        },
        shipping_method: order.shipping_method,
        shipping_charged: money(order.shipping_charged_minor),
        channel: order.channel,
        deliver_from_on: order.deliver_from_on,
        promise: PromiseOut {
            source: order.deliver_by_on.is_some().then(|| "order".to_owned()),
            deliver_by_on: order.deliver_by_on,
            dispatch_by_at: order.dispatch_by_at.map(|at| at.0),
        },
        lines,
        status_url: view.token.map(|token| status_url(public_url, &token)),
        created_at: order.created_at.0,
        updated_at: order.updated_at.0,
        outcome: None,
    }
}

pub fn status_url(public_url: &str, token: &str) -> String {
    format!("{}/track/{token}", public_url.trim_end_matches('/'))
}
