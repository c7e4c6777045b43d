//! An order as the shop system tells it, read into rows as a sheet would tell them.

use crate::domain::order::{Contact, OrderLine, OrderRow, OrderState, Place};
use crate::http::fields::{country, currency, end_time, text, time};
use crate::http::problem::Problem;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An order as the shop system sends it. What is left out stays as it is stored.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderIn {
    /// The name of a shop; `main` where absent.
    pub(super) shop: Option<String>,
    /// Text: `000123`, `#1001` and `1001` differ.
    #[schema(min_length = 1, max_length = 128)]
    order_number: String,
    order_ref: Option<String>,
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it.
    ordered_at: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    recipient: Option<RecipientIn>,
    ship_to: Option<PlaceIn>,
    ship_from: Option<PlaceIn>,
    #[schema(value_type = Option<String>, format = Date)]
    deliver_from_on: Option<Date>,
    /// The last promised day, inclusive, at the destination.
    #[schema(value_type = Option<String>, format = Date)]
    deliver_by_on: Option<Date>,
    /// When the parcel must leave; a bare date is the end of that day.
    ship_by: Option<String>,
    shipping_method: Option<String>,
    channel: Option<String>,
    /// 500 at most.
    #[serde(default)]
    lines: Vec<LineIn>,
}

/// Who gets the parcel.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientIn {
    pub(super) name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) address1: Option<String>,
    pub(super) address2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) note: Option<String>,
}

/// One end of a lane.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceIn {
    /// ISO 3166-1 alpha-2, or a name.
    pub(super) country: Option<String>,
    pub(super) region: Option<String>,
    pub(super) postal_code: Option<String>,
}

/// What was bought.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineIn {
    line_id: Option<String>,
    sku: Option<String>,
    item_name: Option<String>,
    /// 1 where nothing was ever said.
    #[schema(minimum = 1, maximum = 10_000_000)]
    quantity: Option<i64>,
    /// In minor units of the order's currency.
    unit_price_minor: Option<i64>,
    weight_g: Option<i64>,
}

const MOST_LINES: usize = 500;

impl OrderIn {
    /// One row a line, as a sheet would tell it.
    pub(super) fn rows(self) -> Result<Vec<OrderRow>, Problem> {
        if self.lines.len() > MOST_LINES {
            let detail = format!("An order has {MOST_LINES} lines at most.");
            return Err(Problem::invalid("/lines", "bad_count", detail));
        }
        let ship_by = self.ship_by.as_deref().map(|text| end_time("/ship_by", text)).transpose()?;
        let head = OrderRow {
            order_number: text("/order_number", &self.order_number, 128)?,
            order_ref: self.order_ref,
            ordered: self.ordered_at.as_deref().map(|text| time("/ordered_at", text)).transpose()?,
            currency: self.currency.as_deref().map(currency).transpose()?,
            contact: self.recipient.map(Contact::from).unwrap_or_default(),
            destination: self.ship_to.map(|it| it.place("/ship_to")).transpose()?.unwrap_or_default(),
            origin: self.ship_from.map(|it| it.place("/ship_from")).transpose()?.unwrap_or_default(),
            deliver_from_on: self.deliver_from_on,
            shipping_method: self.shipping_method,
            shipping_charged_minor: None,
            state: None::<OrderState>,
            channel: self.channel,
            line: OrderLine { ship_by, deliver_by_on: self.deliver_by_on, ..OrderLine::default() },
            more_lines: Vec::new(),
            is_summary: false,
        };
        if self.lines.is_empty() {
            return Ok(vec![head]);
        }
        let lines = self.lines.into_iter().enumerate();
        lines.map(|(n, line)| Ok(OrderRow { line: line.onto(&head.line, n)?, ..head.clone() })).collect()
    }
}

const LONGEST_KEY: usize = 200;

impl LineIn {
    fn onto(self, of_order: &OrderLine, n: usize) -> Result<OrderLine, Problem> {
        let quantity = self.quantity;
        if quantity.is_some_and(|quantity| !(1..=10_000_000).contains(&quantity)) {
            let pointer = format!("/lines/{n}/quantity");
            return Err(Problem::invalid(&pointer, "out_of_range", "A quantity is from 1 to 10,000,000."));
        }
        // They are the line's key, and a key has bounds.
        let part = |name: &str, told: Option<String>| match told {
            Some(told) if told.chars().count() > LONGEST_KEY => {
                let detail = format!("Write {LONGEST_KEY} characters at most.");
                Err(Problem::invalid(&format!("/lines/{n}/{name}"), "bad_text", detail))
            }
            told => Ok(told),
        };
        Ok(OrderLine {
            line_id: part("line_id", self.line_id)?,
            sku: part("sku", self.sku)?,
            item_name: self.item_name,
            quantity,
            unit_price_minor: self.unit_price_minor,
            weight_g: self.weight_g,
            ..of_order.clone()
        })
    }
}

impl From<RecipientIn> for Contact {
    fn from(told: RecipientIn) -> Self {
        Self {
            recipient_name: told.name,
            company: told.company,
            address1: told.address1,
            address2: told.address2,
            city: told.city,
            email: told.email,
            phone: told.phone,
            note: told.note,
        }
    }
}

impl PlaceIn {
    fn place(self, pointer: &str) -> Result<Place, Problem> {
        let country = self.country.as_deref().map(|text| country(&format!("{pointer}/country"), text)).transpose()?;
        Ok(Place { country, region: self.region, postal_code: self.postal_code })
    }
}
