//! Scans that the shop tells, of one shipment or of many.

use super::Warning;
use crate::app::{self, App};
use crate::domain::ids::ShipmentId;
use crate::domain::milestone::SubStatus;
use crate::domain::scan::{Scan, ScanDetails};
use crate::domain::tracking_number::Known;
use crate::flows::take_in::batch::{self as flow, ScanItem, ScanOf};
use crate::flows::take_in::put;
use crate::http::auth::Caller;
use crate::http::batch::{self, BatchOut};
use crate::http::carriers::known_numbers;
use crate::http::fields::{self, text, time};
use crate::http::problem::Problem;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

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
    post, path = "/v1/shipments/{id}/scans", tag = "Shipments",
    params(("id" = Uuid, Path)), request_body = ScansIn,
    responses(
        (status = 200, description = "Recorded.", body = ScansOut),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
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
    let read = |(n, scan): (usize, ScanIn)| scan.read().map_err(|problem| problem.within(&format!("/scans/{n}")));
    let scans = told.into_inner().scans.into_iter().enumerate().map(read);
    let scans: Vec<Scan> = scans.collect::<Result<_, Problem>>()?;
    let count = scans.len();
    let put = app::in_background(&app, move |app| put::put_scans(&app.store, seller, id, &scans, app.now())).await;
    let recorded = put.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    Ok(Json(ScansOut { recorded, repeated: count - recorded }))
}

impl ScanIn {
    fn read(self) -> Result<Scan, Problem> {
        let unknown = |_| {
            let detail = "Write a sub-status such as in_transit.moving or delivered.to_recipient.";
            Problem::invalid("/sub_status", "unknown_status", detail)
        };
        let sub_status: SubStatus = self.sub_status.parse().map_err(unknown)?;
        Ok(Scan {
            occurred: time("/occurred_at", &self.occurred_at)?,
            sub_status: Some(sub_status),
            raw_code: self.sub_status,
            source_event_id: None,
            piece: None,
            details: ScanDetails { place: self.place, description: self.description, signed_by: None },
        })
    }
}

/// Scans of any shipments, each for itself.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScansOfManyIn {
    /// 1 to 500.
    #[schema(value_type = Vec<ScanOfOneIn>, min_items = 1, max_items = 500)]
    scans: Vec<Value>,
}

/// One scan: name the parcel by its shipment, or by its tracking number.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanOfOneIn {
    shipment_id: Option<Uuid>,
    #[schema(example = "1Z999AA10123456784")]
    tracking_number: Option<String>,
    /// Of the tracking number; told by the number where absent.
    carrier: Option<String>,
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it.
    occurred_at: String,
    /// `in_transit.customs_processing` and the like.
    #[schema(example = "in_transit.moving")]
    sub_status: String,
    place: Option<String>,
    description: Option<String>,
}

/// Tell what happened to many shipments, each scan for itself: a bad one does not stop the rest
///
/// A new scan is `created`, one that was told before is `unchanged`; `id` is that of the shipment.
#[utoipa::path(
    post, path = "/v1/scans/batch", tag = "Shipments", request_body = ScansOfManyIn,
    responses(
        (status = 200, description = "What became of each.", body = BatchOut),
        (status = 422, description = "Not as documented: no item was taken in.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_scans(app: Data<App>, caller: Caller, told: Json<ScansOfManyIn>) -> Result<Json<BatchOut>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let known = known_numbers(&app, seller).await?;
    let (scans, read) = batch::read("scans", told.into_inner().scans, |item| item_of(item, &known))?;
    let put = app::in_background(&app, move |app| flow::put_scans(&app.store, seller, &scans, app.now()));
    Ok(Json(read.answer(put.await.ok_or_else(Problem::internal)??, |(id, outcome)| (id.0, outcome, Vec::new()))))
}

fn item_of(item: Value, known: &Known) -> Result<(ScanItem, Vec<Warning>), Problem> {
    let told: ScanOfOneIn = fields::object(item)?;
    let of = told.parcel(known)?;
    let ScanOfOneIn { occurred_at, sub_status, place, description, .. } = told;
    let scan = ScanIn { occurred_at, sub_status, place, description }.read()?;
    Ok((ScanItem { of, scan }, Vec::new()))
}

impl ScanOfOneIn {
    fn parcel(&self, known: &Known) -> Result<ScanOf, Problem> {
        match (self.shipment_id, &self.tracking_number) {
            (Some(id), None) if self.carrier.is_none() => Ok(ScanOf::Shipment(ShipmentId(id))),
            (None, Some(number)) => {
                let typed = text("/tracking_number", number, 200)?;
                let hints = known.hints();
                Ok(ScanOf::Number(put::prove(&typed, self.carrier.as_deref(), &hints)?.number))
            }
            _ => {
                let detail = "Name the parcel by shipment_id, or by tracking_number with its carrier, not by both.";
                Err(Problem::invalid("/shipment_id", "which_shipment", detail))
            }
        }
    }
}
