//! Many parcels at once.

use super::Warning;
use super::shown::DoubtOut;
use super::told::ShipmentIn;
use crate::app::{self, App};
use crate::domain::tracking_number::Known;
use crate::flows::take_in::batch::{self as flow, ParcelItem};
use crate::http::auth::Caller;
use crate::http::batch::{self, BatchOut};
use crate::http::carriers::known_numbers;
use crate::http::fields;
use crate::http::problem::Problem;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::Value;

/// Parcels, each for itself.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentsIn {
    /// 1 to 500.
    #[schema(value_type = Vec<ShipmentIn>, min_items = 1, max_items = 500)]
    shipments: Vec<Value>,
}

/// Put many parcels, each for itself: a bad one does not stop the rest
#[utoipa::path(
    post, path = "/v1/shipments/batch", tag = "Shipments", request_body = ShipmentsIn,
    responses(
        (status = 200, description = "What became of each.", body = BatchOut),
        (status = 422, description = "Not as documented: no item was taken in.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_shipments(app: Data<App>, caller: Caller, told: Json<ShipmentsIn>) -> Result<Json<BatchOut>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let known = known_numbers(&app, seller).await?;
    let (parcels, read) = batch::read("shipments", told.into_inner().shipments, |item| item_of(item, &known))?;
    let put = app::in_background(&app, move |app| flow::put_shipments(&app.sender(seller, None), &parcels));
    let (done, mut doubts) = put.await.ok_or_else(Problem::internal)??;
    Ok(Json(read.answer(done, |taken| {
        let doubts = doubts.remove(&taken.id).into_iter().flatten().map(|it| Warning::from(&DoubtOut::from(it)));
        let remark = taken.remark.map(Warning::of_number);
        (taken.id.0, taken.outcome, remark.into_iter().chain(doubts).collect())
    })))
}

fn item_of(item: Value, known: &Known) -> Result<(ParcelItem, Vec<Warning>), Problem> {
    let told: ShipmentIn = fields::object(item)?;
    let (shop, order) = (told.shop.clone(), told.order()?);
    let (row, warnings) = told.row(known)?;
    Ok((ParcelItem { shop, order, row }, warnings))
}
