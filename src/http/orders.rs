//! Orders.

use super::auth::Caller;
use super::paging::{self, Page};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::country::CountryCode;
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::domain::ids::OrderId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Contact, OrderLine, OrderRow, OrderState, Place};
use crate::flows::list_orders::{self, OrderView};
use crate::flows::take_in::Outcome;
use crate::flows::take_in::put::{self, Sender};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An order as the shop system sends it. What is left out stays as it is stored.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderIn {
    /// The name of a shop; `main` where absent.
    shop: Option<String>,
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
#[serde(deny_unknown_fields, default)]
pub struct RecipientIn {
    name: Option<String>,
    company: Option<String>,
    address1: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    note: Option<String>,
}

/// One end of a lane.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaceIn {
    /// ISO 3166-1 alpha-2, or a name.
    country: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
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

/// An order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OrderOut {
    id: Uuid,
    shop: String,
    order_number: String,
    order_ref: Option<String>,
    /// `open` or `cancelled`.
    state: String,
    #[schema(value_type = Option<EventTimeSchema>)]
    ordered: Option<EventTime>,
    recipient: RecipientIn,
    ship_to: PlaceIn,
    ship_from: PlaceIn,
    shipping_method: Option<String>,
    shipping_charged: Option<Money>,
    channel: Option<String>,
    promise: PromiseOut,
    lines: Vec<LineOut>,
    /// Give it to the customer; `null` where the instance's secret key was changed.
    status_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: jiff::Timestamp,
    /// Only in the answer to a write.
    outcome: Option<Outcome>,
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

/// Put an order: make it, or bring it up to date, by shop and order number
#[utoipa::path(
    post, path = "/v1/orders", tag = "Orders", security(("api_key" = [])), request_body = OrderIn,
    responses(
        (status = 200, description = "Brought up to date, or unchanged.", body = OrderOut),
        (status = 201, description = "Made.", body = OrderOut),
        (status = 400, description = "No JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "This key may not write.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not sent as JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_order(app: Data<App>, caller: Caller, told: Json<OrderIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let (shop, rows) = (told.shop.clone(), told.rows()?);
    let put = app::in_background(&app, move |app| {
        let sender = Sender { store: &app.store, secrets: &app.secrets, seller, shop: shop.as_deref(), now: app.now() };
        put::put_order(&sender, &rows)
    });
    let (id, outcome) = put.await.ok_or_else(Problem::internal)??;
    let mut out = find(&app, &caller, id).await?;
    out.outcome = Some(outcome);
    Ok(if outcome == Outcome::Created { HttpResponse::Created().json(out) } else { HttpResponse::Ok().json(out) })
}

const MOST_LINES: usize = 500;

impl OrderIn {
    /// One row a line, as a sheet would tell it.
    fn rows(self) -> Result<Vec<OrderRow>, Problem> {
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
        };
        if self.lines.is_empty() {
            return Ok(vec![head]);
        }
        let lines = self.lines.into_iter().enumerate();
        lines.map(|(n, line)| Ok(OrderRow { line: line.onto(&head.line, n)?, ..head.clone() })).collect()
    }
}

impl LineIn {
    fn onto(self, of_order: &OrderLine, n: usize) -> Result<OrderLine, Problem> {
        let quantity = self.quantity;
        if quantity.is_some_and(|quantity| !(1..=10_000_000).contains(&quantity)) {
            let pointer = format!("/lines/{n}/quantity");
            return Err(Problem::invalid(&pointer, "out_of_range", "A quantity is from 1 to 10,000,000."));
        }
        Ok(OrderLine {
            line_id: self.line_id,
            sku: self.sku,
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

/// A text that must be there, without blanks around it.
pub(super) fn text(pointer: &str, told: &str, longest: usize) -> Result<String, Problem> {
    let bare = told.trim();
    if bare.is_empty() || bare.chars().count() > longest || bare.chars().any(char::is_control) {
        let detail = format!("Write 1 to {longest} characters, without control characters.");
        return Err(Problem::invalid(pointer, "bad_text", detail));
    }
    Ok(bare.to_owned())
}

pub(super) fn country(pointer: &str, told: &str) -> Result<CountryCode, Problem> {
    CountryCode::recognise(told).map_err(|error| Problem::invalid(pointer, "unknown_country", error.to_string()))
}

fn currency(told: &str) -> Result<Currency, Problem> {
    let unknown = || Problem::invalid("/currency", "unknown_currency", "A currency is three letters, such as EUR.");
    Currency::parse(told).ok_or_else(unknown)
}

pub(super) fn time(pointer: &str, told: &str) -> Result<EventTime, Problem> {
    let detail = "Write a time as 2026-09-17T10:04:00, with Z or an offset where you know it.";
    EventTime::parse(told).ok_or_else(|| Problem::invalid(pointer, "invalid_date", detail))
}

/// A time by which something must be done: a bare date is the end of that day.
fn end_time(pointer: &str, told: &str) -> Result<EventTime, Problem> {
    match told.parse::<Date>() {
        Ok(day) if told.len() == 10 => Ok(EventTime::zoneless(day.at(23, 59, 59, 0))),
        _ => time(pointer, told),
    }
}

/// Which orders are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    order_number: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Your orders, newest first
#[utoipa::path(
    get, path = "/v1/orders", tag = "Orders", security(("api_key" = [])), params(OrdersQuery),
    responses(
        (status = 200, description = "A page of orders.", body = Page<OrderOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_orders(
    app: Data<App>,
    caller: Caller,
    query: Query<OrdersQuery>,
) -> Result<Json<Page<OrderOut>>, Problem> {
    let (app, seller, query) = (app.into_inner(), caller.seller()?, query.into_inner());
    let limit = paging::limit(query.limit)?;
    let before: Option<OrderId> = paging::cursor(query.cursor.as_deref())?;
    let fetched = app::read(&app, move |app| {
        let place = (before, query.order_number.as_deref());
        list_orders::list_orders(&app.store, &app.secrets, seller, place, limit + 1)
    });
    let fetched = fetched.await.ok_or_else(Problem::internal)??;
    let public_url = app.public_url();
    Ok(Json(paging::page(fetched, limit, |view| view.order.id.to_string(), |view| shown(view, &public_url))))
}

/// One order, with its lines, recipient and status link
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "Orders", security(("api_key" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The order.", body = OrderOut),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_order(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<OrderOut>, Problem> {
    find(&app.into_inner(), &caller, OrderId(*id)).await.map(Json)
}

async fn find(app: &std::sync::Arc<App>, caller: &Caller, id: OrderId) -> Result<OrderOut, Problem> {
    let seller = caller.seller()?;
    let found = app::read(app, move |app| list_orders::show_order(&app.store, &app.secrets, seller, id)).await;
    let view = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("order"))?;
    Ok(shown(view, &app.public_url()))
}

pub(super) fn shown(view: OrderView, public_url: &str) -> OrderOut {
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
        id: order.id.0,
        shop: view.shop,
        order_number: order.order_number,
        order_ref: order.order_ref,
        state: order.state,
        ordered,
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

pub(super) fn status_url(public_url: &str, token: &str) -> String {
    format!("{}/track/{token}", public_url.trim_end_matches('/'))
}
