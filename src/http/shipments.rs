//! Shipments and their events.

use super::auth::Caller;
use super::orders::{PromiseOut, country, status_url, text, time};
use super::paging::{self, Page};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::carrier;
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::order::Place;
use crate::domain::scan::{Scan, ScanDetails, Source};
use crate::domain::shipment::TrackingRow;
use crate::domain::tracking_number::Hints;
use crate::flows::list_shipments::{self, ShipmentDetail, ShipmentFilter};
use crate::flows::take_in::Outcome;
use crate::flows::take_in::put::{self, OrderRef, Sender};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// A parcel of an order: name the order by its id, or by shop and number.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentIn {
    order_id: Option<Uuid>,
    shop: Option<String>,
    order_number: Option<String>,
    #[schema(example = "1Z999AA10123456784")]
    tracking_number: String,
    /// A slug, or a name as people write it; told by the number where absent.
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

/// A shipment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShipmentOut {
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
    parcel_ref: Option<String>,
    #[schema(value_type = Option<EventTimeSchema>)]
    shipped: Option<EventTime>,
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
    outcome: Option<Outcome>,
    /// Only in the answer to a write: what is doubtful about the number.
    warnings: Vec<Warning>,
}

/// Something doubtful that was let through.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Warning {
    pointer: String,
    code: String,
    detail: String,
}

/// Part of the way under one tracker.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LegOut {
    leg: i32,
    carrier: String,
    tracking_number: String,
}

/// Put a parcel of an order: the same order, carrier and number again is the same shipment
#[utoipa::path(
    post, path = "/v1/shipments", tag = "Shipments", security(("api_key" = [])), request_body = ShipmentIn,
    responses(
        (status = 200, description = "Brought up to date, or unchanged.", body = ShipmentOut),
        (status = 201, description = "Made, and followed from now on.", body = ShipmentOut),
        (status = 400, description = "No JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "This key may not write.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not sent as JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented, no such order, or a number that cannot be.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_shipment(app: Data<App>, caller: Caller, told: Json<ShipmentIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let (shop, order) = (told.shop.clone(), told.order()?);
    let (row, warnings) = told.row()?;
    let put = app::in_background(&app, move |app| {
        let sender = Sender { store: &app.store, secrets: &app.secrets, seller, shop: shop.as_deref(), now: app.now() };
        put::put_shipment(&sender, &order, row)
    });
    let (id, outcome) = put.await.ok_or_else(Problem::internal)??;
    let mut out = find(&app, &caller, id).await?;
    (out.outcome, out.warnings) = (Some(outcome), warnings);
    Ok(if outcome == Outcome::Created { HttpResponse::Created().json(out) } else { HttpResponse::Ok().json(out) })
}

impl ShipmentIn {
    fn order(&self) -> Result<OrderRef, Problem> {
        match (self.order_id, &self.order_number) {
            (Some(id), None) => Ok(OrderRef::Id(OrderId(id))),
            (None, Some(number)) => text("/order_number", number, 128).map(OrderRef::Number),
            _ => {
                let detail = "Name the order by order_id, or by order_number with the shop, not by both.";
                Err(Problem::invalid("/order_id", "which_order", detail))
            }
        }
    }

    fn row(self) -> Result<(TrackingRow, Vec<Warning>), Problem> {
        let typed = text("/tracking_number", &self.tracking_number, 200)?;
        let from = self.ship_from_country.as_deref().map(|it| country("/ship_from_country", it)).transpose()?;
        let origin = from.map(|it| it.to_string());
        let hints = Hints { carrier: None, origin_country: origin.as_deref(), destination_country: None };
        let proof = put::prove(&typed, self.carrier.as_deref(), &hints)?;
        let named = self.carrier.as_deref().and_then(carrier::recognise).and_then(|it| it.service);
        let warning = |(code, detail)| Warning { pointer: "/tracking_number".to_owned(), code, detail };
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
        Ok((row, proof.doubt.map(warning).into_iter().collect()))
    }
}

/// Which shipments are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShipmentsQuery {
    order_number: Option<String>,
    tracking_number: Option<String>,
    shop: Option<String>,
    verdict: Option<String>,
    milestone: Option<String>,
    carrier: Option<String>,
    destination_country: Option<String>,
    open: Option<bool>,
    /// An instant, as `2026-09-17T10:04:00Z`.
    updated_since: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Your shipments, newest first
#[utoipa::path(
    get, path = "/v1/shipments", tag = "Shipments", security(("api_key" = [])), params(ShipmentsQuery),
    responses(
        (status = 200, description = "A page of shipments.", body = Page<ShipmentOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
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
        search: None,
    };
    let shop = query.shop;
    let fetched = app::read(&app, move |app| {
        let asked = (filter, shop.as_deref());
        list_shipments::list_shipments(&app.store, &app.secrets, seller, asked, (before, limit + 1))
    });
    let fetched = fetched.await.ok_or_else(Problem::internal)??;
    let public_url = app.public_url();
    let place = |detail: &ShipmentDetail| detail.view.shipment.id.to_string();
    Ok(Json(paging::page(fetched, limit, place, |detail| shown(detail, &public_url))))
}

/// One shipment, with promise and verdict
#[utoipa::path(
    get, path = "/v1/shipments/{id}", tag = "Shipments", security(("api_key" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The shipment.", body = ShipmentOut),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_shipment(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<ShipmentOut>, Problem> {
    find(&app.into_inner(), &caller, ShipmentId(*id)).await.map(Json)
}

async fn find(app: &Arc<App>, caller: &Caller, id: ShipmentId) -> Result<ShipmentOut, Problem> {
    let seller = caller.seller()?;
    let found = app::read(app, move |app| list_shipments::show_shipment(&app.store, &app.secrets, seller, id)).await;
    let detail = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    Ok(shown(detail, &app.public_url()))
}

fn shown(detail: ShipmentDetail, public_url: &str) -> ShipmentOut {
    let ShipmentDetail { view, shop, legs, token } = detail;
    let (shipment, order, standing) = (view.shipment, view.order, view.standing);
    let known = shipment.carrier.as_deref().and_then(carrier::by_slug);
    ShipmentOut {
        id: shipment.id.0,
        order_id: order.id.0,
        shop,
        order_number: order.order_number,
        tracking_url: known.and_then(|it| it.url_for(&shipment.tracking_number)),
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
        parcel_ref: shipment.parcel_ref,
        destination_country: order.country,
        milestone: standing.milestone,
        sub_status: standing.sub_status,
        open: standing.is_open,
        delivered_on: standing.delivered_on,
        verdict: standing.detail.0.get("verdict").cloned().unwrap_or_default(),
        last_checked_at: legs.iter().filter_map(|leg| leg.last_checked_at).max(),
        next_check_at: legs.iter().filter_map(|leg| leg.next_check_at).min(),
        legs: legs
            .into_iter()
            .map(|leg| LegOut { leg: leg.leg_no, carrier: leg.carrier, tracking_number: leg.number })
            .collect(),
        status_url: token.map(|token| status_url(public_url, &token)),
        created_at: shipment.created_at.0,
        updated_at: shipment.updated_at.0,
        outcome: None,
        warnings: Vec::new(),
    }
}

/// A tracking event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventOut {
    id: Uuid,
    #[schema(value_type = EventTimeSchema)]
    occurred: EventTime,
    #[schema(value_type = String, format = DateTime)]
    heard_at: jiff::Timestamp,
    /// `null` where the source's code is not on our map.
    #[schema(value_type = Option<String>)]
    milestone: Option<Milestone>,
    #[schema(value_type = Option<String>)]
    sub_status: Option<SubStatus>,
    raw_code: String,
    source: Source,
    place: Option<String>,
    description: Option<String>,
}

/// The events of a shipment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Events {
    data: Vec<EventOut>,
    next_cursor: Option<String>,
}

/// What happened to a shipment, oldest first
#[utoipa::path(
    get, path = "/v1/shipments/{id}/events", tag = "Shipments", security(("api_key" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The events.", body = Events),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_events(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<Events>, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    let found = app::read(&app, move |app| list_shipments::list_events(&app.store, seller, id, app.now())).await;
    let events = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    let data = events.into_iter().map(|(event, details)| EventOut {
        id: event.id.0,
        occurred: event.occurred,
        heard_at: event.heard_at,
        milestone: event.sub_status.map(SubStatus::milestone),
        sub_status: event.sub_status,
        raw_code: event.raw_code,
        source: event.source,
        place: details.place,
        description: details.description,
    });
    Ok(Json(Events { data: data.collect(), next_cursor: None }))
}

/// Scans that the shop tells.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScansIn {
    /// 1 to 500.
    scans: Vec<ScanIn>,
}

/// One scan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanIn {
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it.
    occurred_at: String,
    /// `in_transit.customs_processing` and the like.
    #[schema(example = "in_transit.moving")]
    sub_status: String,
    place: Option<String>,
    description: Option<String>,
}

/// How many scans were new.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ScansOut {
    recorded: usize,
    repeated: usize,
}

/// Tell what happened to a shipment; the same scan again changes nothing
#[utoipa::path(
    post, path = "/v1/shipments/{id}/scans", tag = "Shipments", security(("api_key" = [])),
    params(("id" = Uuid, Path)), request_body = ScansIn,
    responses(
        (status = 200, description = "Recorded.", body = ScansOut),
        (status = 400, description = "No JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "This key may not write.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not sent as JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn add_scans(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    told: Json<ScansIn>,
) -> Result<Json<ScansOut>, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    if told.scans.is_empty() || told.scans.len() > 500 {
        return Err(Problem::invalid("/scans", "bad_count", "Send 1 to 500 scans."));
    }
    let scans = told.into_inner().scans.into_iter().enumerate().map(|(n, scan)| scan.read(n));
    let scans: Vec<Scan> = scans.collect::<Result<_, Problem>>()?;
    let count = scans.len();
    let put = app::in_background(&app, move |app| put::put_scans(&app.store, seller, id, &scans, app.now())).await;
    let recorded = put.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    Ok(Json(ScansOut { recorded, repeated: count - recorded }))
}

impl ScanIn {
    fn read(self, n: usize) -> Result<Scan, Problem> {
        let unknown = |_| {
            let detail = "Write a sub-status such as in_transit.moving or delivered.to_recipient.";
            Problem::invalid(&format!("/scans/{n}/sub_status"), "unknown_status", detail)
        };
        let sub_status: SubStatus = self.sub_status.parse().map_err(unknown)?;
        Ok(Scan {
            occurred: time(&format!("/scans/{n}/occurred_at"), &self.occurred_at)?,
            sub_status: Some(sub_status),
            raw_code: self.sub_status,
            source_event_id: None,
            piece: None,
            details: ScanDetails { place: self.place, description: self.description, signed_by: None },
        })
    }
}
