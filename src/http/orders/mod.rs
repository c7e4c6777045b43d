//! Orders.

mod batch;
mod patch;
mod shown;
mod told;

pub use batch::{__path_put_orders, put_orders};
pub use patch::{__path_patch_order, __path_patch_order_by_number, patch_order, patch_order_by_number};
pub use shown::{OrderOut, PromiseOut, shown, status_url};

use super::auth::Caller;
use super::conditions::{self, Conditions};
use super::paging::{self, Page};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::ids::{OrderId, SellerId};
use crate::flows::list_orders;
use crate::flows::take_in::put::{self, Sender};
use crate::flows::take_in::{Outcome, cancel};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use std::sync::Arc;
use told::OrderIn;
use uuid::Uuid;

/// Put an order: make it, or bring it up to date, by shop and order number
#[utoipa::path(
    post, path = "/v1/orders", tag = "Orders", request_body = OrderIn,
    params(
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one; what is there already is a 412."),
    ),
    responses(
        (status = 200, description = "Brought up to date, or unchanged.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 201, description = "Made.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 412, description = "It is there already.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_order(
    app: Data<App>,
    caller: Caller,
    conditions: Conditions,
    told: Json<OrderIn>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let (shop, rows, create_only) = (told.shop.clone(), told.rows()?, conditions.create_only());
    let put = app::in_background(&app, move |app| {
        put::put_order(&Sender { create_only, ..app.sender(seller, shop.as_deref()) }, &rows)
    });
    let (id, outcome) = put.await.ok_or_else(Problem::internal)??;
    written(find(&app, seller, id).await?, outcome)
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
    get, path = "/v1/orders", tag = "Orders", params(OrdersQuery),
    responses(
        (status = 200, description = "A page of orders.", body = Page<OrderOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
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
    get, path = "/v1/orders/{id}", tag = "Orders",
    params(
        ("id" = Uuid, Path),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you hold: 304 where nothing changed."),
    ),
    responses(
        (status = 200, description = "The order.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 304, description = "You hold just this.", headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such order.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_order(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let out = find(&app.into_inner(), caller.seller()?, OrderId(*id)).await?;
    conditions.answer(out.version, &out)
}

/// One order, by the name of its shop and its number
///
/// Percent-encode the number: `#1001` is `%231001`, and a `/` in it is `%2F`.
#[utoipa::path(
    get, path = "/v1/orders/by-number/{shop}/{number}", tag = "Orders",
    params(
        ("shop" = String, Path, description = "A shop's name, such as `main`."),
        ("number" = String, Path),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you hold: 304 where nothing changed."),
    ),
    responses(
        (status = 200, description = "The order.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 304, description = "You hold just this.", headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shop, or no such order in it.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_order_by_number(
    app: Data<App>,
    caller: Caller,
    place: Path<(String, String)>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let (app, seller, (shop, number)) = (app.into_inner(), caller.seller()?, place.into_inner());
    let found = app::read(&app, move |app| {
        list_orders::show_order_by_number(&app.store, &app.secrets, seller, (&shop, &number))
    });
    let view = found.await.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("order"))?;
    let out = shown(view, &app.public_url());
    conditions.answer(out.version, &out)
}

/// Cancel an order, and with it each of its shipments that is not delivered
///
/// A delivered shipment stays delivered. No carrier is asked any more about what was cancelled. A second time changes
/// nothing.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", tag = "Orders",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "An ETag, or `*`: only its version is compared; stale is a 412."),
    ),
    responses(
        (status = 200, description = "Cancelled, now or before: see `outcome`.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such order.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since you read it.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_order(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, OrderId(*id));
    let expected = conditions.expected();
    let cancelled = app::in_background(&app, move |app| cancel::cancel_order(&app.sender(seller, None), id, &expected));
    let (id, outcome) = cancelled.await.ok_or_else(Problem::internal)??;
    written(find(&app, seller, id).await?, outcome)
}

async fn find(app: &Arc<App>, seller: SellerId, id: OrderId) -> Result<OrderOut, Problem> {
    let found = app::read(app, move |app| list_orders::show_order(&app.store, &app.secrets, seller, id)).await;
    let view = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("order"))?;
    Ok(shown(view, &app.public_url()))
}

fn written(out: OrderOut, outcome: Outcome) -> Result<HttpResponse, Problem> {
    let status = if outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    conditions::written(status, out.version, out, |out| out.outcome = Some(outcome))
}
