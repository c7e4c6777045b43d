//! Shipments and their events.

mod batch;
mod events;
mod patch;
mod scans;
mod shown;
mod told;

pub use batch::{__path_put_shipments, put_shipments};
pub use events::{__path_list_events, EventOut, list_events, told as event_told};
pub use patch::{__path_patch_shipment, patch_shipment};
pub use scans::{__path_add_scans, __path_put_scans, add_scans, put_scans};
pub use shown::{ShipmentOut, Warning, shown};

use super::auth::Caller;
use super::carriers::known_numbers;
use super::conditions::{self, Conditions};
use super::paging::{self, Page};
use super::problem::Problem;
use crate::app::{self, App, slow_reads};
use crate::domain::doubt::{DoubtAsked, DoubtCode};
use crate::domain::ids::{SellerId, ShipmentId};
use crate::flows::list_shipments::{self, ShipmentDetail, ShipmentFilter};
use crate::flows::refresh_shipment;
use crate::flows::take_in::put::{self, Sender};
use crate::flows::take_in::{Outcome, Taken, cancel};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use std::sync::Arc;
use told::ShipmentIn;
use uuid::Uuid;

/// Put a parcel of an order: the same order, carrier and number again is the same shipment
#[utoipa::path(
    post, path = "/v1/shipments", tag = "Shipments", request_body = ShipmentIn,
    params(
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one; what is there already is a 412."),
    ),
    responses(
        (status = 200, description = "Brought up to date, or unchanged.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 201, description = "Made, and followed from now on.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 412, description = "It is there already.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented, no such order, or a number that cannot be.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_shipment(
    app: Data<App>,
    caller: Caller,
    conditions: Conditions,
    told: Json<ShipmentIn>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let (shop, order, create_only) = (told.shop.clone(), told.order()?, conditions.create_only());
    let (row, warnings) = told.row(&known_numbers(&app, seller).await?)?;
    let put = app::in_background(&app, move |app| {
        put::put_shipment(&Sender { create_only, ..app.sender(seller, shop.as_deref()) }, &order, row)
    });
    let taken = put.await.ok_or_else(Problem::internal)??;
    let out = find(&app, seller, taken.id).await?;
    let status = if taken.outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    conditions::written(status, out.version, out, |out| {
        out.warnings = warnings;
        out.tell(taken);
    })
}

/// Which shipments are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShipmentsQuery {
    order_number: Option<String>,
    tracking_number: Option<String>,
    shop: Option<String>,
    /// One word. `late_open` finds all that are past their promise, also where their word is about silence.
    verdict: Option<String>,
    milestone: Option<String>,
    carrier: Option<String>,
    destination_country: Option<String>,
    open: Option<bool>,
    /// An instant, as `2026-09-17T10:04:00Z`.
    updated_since: Option<String>,
    /// Those in doubt now: a code of `doubts`, or `any`.
    #[param(example = "any")]
    doubt: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Your shipments, newest first
#[utoipa::path(
    get, path = "/v1/shipments", tag = "Shipments", params(ShipmentsQuery),
    responses(
        (status = 200, description = "A page of shipments.", body = Page<ShipmentOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_shipments(
    app: Data<App>,
    caller: Caller,
    query: Query<ShipmentsQuery>,
) -> Result<Json<Page<ShipmentOut>>, Problem> {
    let (app, seller, query) = (app.into_inner(), caller.seller()?, query.into_inner());
    let limit = paging::limit(query.limit)?;
    let before: Option<ShipmentId> = paging::cursor(query.cursor.as_deref())?;
    let since = query.updated_since.as_deref().map(|text| {
        crate::domain::event_time::instant_from_text(text)
            .ok_or_else(|| Problem::bad_parameter("updated_since", "Write an instant as 2026-09-17T10:04:00Z."))
    });
    let filter = ShipmentFilter {
        order_id: None,
        order_number: query.order_number,
        tracking_number: query.tracking_number,
        shop: None,
        verdict: query.verdict,
        milestone: query.milestone,
        carrier: query.carrier,
        destination_country: query.destination_country,
        open: query.open,
        updated_since: since.transpose()?,
        doubt: query.doubt.as_deref().map(doubt_asked).transpose()?,
        search: None,
    };
    let shop = query.shop;
    let fetched = fetch(&app, seller, (filter, shop), (before, limit + 1)).await?;
    let public_url = app.public_url();
    let place = |detail: &ShipmentDetail| detail.view.shipment.id.to_string();
    Ok(Json(paging::page(fetched, limit, place, |detail| shown(detail, &public_url))))
}

/// A page of shipments, read where it holds up nobody: where no index leads to it, on the threads for slow reads.
pub async fn fetch(
    app: &Arc<App>,
    seller: SellerId,
    (filter, shop): (ShipmentFilter, Option<String>),
    place: (Option<ShipmentId>, i64),
) -> Result<Vec<ShipmentDetail>, Problem> {
    let is_indexed = filter.is_indexed() && shop.is_none();
    let list = move |app: &App| {
        list_shipments::list_shipments(&app.store, &app.secrets, seller, (filter, shop.as_deref()), place)
    };
    let fetched = if is_indexed { app::read(app, list).await } else { slow_reads::scan(app, seller.0, list).await? };
    Ok(fetched.ok_or_else(Problem::internal)??)
}

/// One shipment, with promise and verdict
#[utoipa::path(
    get, path = "/v1/shipments/{id}", tag = "Shipments",
    params(
        ("id" = Uuid, Path),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you hold: 304 where nothing changed."),
    ),
    responses(
        (status = 200, description = "The shipment.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 304, description = "You hold just this.", headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_shipment(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let out = find(&app.into_inner(), caller.seller()?, ShipmentId(*id)).await?;
    conditions.answer(out.version, &out)
}

/// Cancel a shipment: nothing more is expected of it, and no carrier is asked any more
///
/// A delivered shipment stays delivered. A second time changes nothing.
#[utoipa::path(
    post, path = "/v1/shipments/{id}/cancel", tag = "Shipments",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "An ETag, or `*`: only its version is compared; stale is a 412."),
    ),
    responses(
        (status = 200, description = "Cancelled, now or before: see `outcome`.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since you read it.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_shipment(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    let expected = conditions.expected();
    let cancelled =
        app::in_background(&app, move |app| cancel::cancel_shipment(&app.sender(seller, None), id, &expected));
    let (id, outcome) = cancelled.await.ok_or_else(Problem::internal)??;
    written(find(&app, seller, id).await?, Taken { id, outcome, remark: None })
}

/// Have the carrier asked at the next round, before its time
///
/// Limits on how often a carrier is asked are kept all the same.
#[utoipa::path(
    post, path = "/v1/shipments/{id}/refresh", tag = "Shipments",
    params(("id" = Uuid, Path)),
    responses(
        (status = 202, description = "It is due: see `next_check_at`.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has come to its end: nobody is asked any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn refresh_shipment(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    let due =
        app::in_background(&app, move |app| refresh_shipment::refresh_shipment(&app.store, seller, id, app.now()));
    due.await.ok_or_else(Problem::internal)??;
    let out = find(&app, seller, id).await?;
    conditions::written(StatusCode::ACCEPTED, out.version, out, |_| ())
}

fn doubt_asked(word: &str) -> Result<DoubtAsked, Problem> {
    let known = || DoubtCode::ALL.map(DoubtCode::code).join(", ");
    let unknown = |_| Problem::bad_parameter("doubt", format!("`{word}` is none of any, {}.", known()));
    word.parse().map_err(unknown)
}

async fn find(app: &Arc<App>, seller: SellerId, id: ShipmentId) -> Result<ShipmentOut, Problem> {
    let found = app::read(app, move |app| list_shipments::show_shipment(&app.store, &app.secrets, seller, id)).await;
    let detail = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    Ok(shown(detail, &app.public_url()))
}

fn written(out: ShipmentOut, taken: Taken) -> Result<HttpResponse, Problem> {
    conditions::written(StatusCode::OK, out.version, out, |out| out.tell(taken))
}
