//! Changes of a shipment, as a merge patch.

use super::shown::ShipmentOut;
use super::{find, written};
use crate::app::{self, App};
use crate::domain::edit::Edit;
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::{Claims, NumberEdit, ShipmentEdit};
use crate::flows::take_in::edit;
use crate::http::auth::Caller;
use crate::http::conditions::Conditions;
use crate::http::fields::{country, text, time};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

/// Changes of a shipment: what is absent stays, `null` clears.
///
/// The order is what the shipment is known by, and does not change. Carrier and number are corrected: what the shipment
/// went under stays in `number_history`, and what was heard under it is not told of this shipment any more.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentPatch {
    /// The right number; it is proved as by `POST /v1/shipments`. It cannot be cleared.
    #[schema(value_type = String, example = "1Z999AA10123456784")]
    #[serde(default)]
    tracking_number: Edit<String>,
    /// A slug, or a name as people write it. `null` declares nothing: then the number tells the carrier. Where it is absent,
    /// what you declared stays declared.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    carrier: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    service: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    parcel_ref: Edit<String>,
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it. `null` takes your own word back.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    shipped_at: Edit<String>,
    /// `null` takes your own word back; what the carrier says stays.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    delivered_at: Edit<String>,
    /// Wins over the order's; `null` leaves that one.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    deliver_by_on: Edit<Date>,
    /// ISO 3166-1 alpha-2, or a name.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    ship_from_country: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    ship_from_region: Edit<String>,
}

/// Change a shipment
///
/// A merge patch (RFC 7396). It is judged again, as when a sheet tells the same. What changes nothing answers
/// `unchanged`.
///
/// Another number or carrier is a correction: the shipment is followed under it at once, its standing comes from what is heard
/// under it alone, your own `shipped_at` and `delivered_at` go with it, and the promise stays. A sheet that tells the old number
/// of this order again changes nothing, with the warning `number_was_corrected`.
#[utoipa::path(
    patch, path = "/v1/shipments/{id}", tag = "Shipments",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "An ETag, or `*`: only its version is compared; stale is a 412."),
    ),
    request_body(content((ShipmentPatch = "application/merge-patch+json"), (ShipmentPatch = "application/json"))),
    responses(
        (status = 200, description = "Changed, or unchanged: see `outcome`.", body = ShipmentOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another shipment of the order goes under this number.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since you read it.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "No merge patch.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented, or a number that cannot be.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn patch_shipment(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
    told: MergePatch<ShipmentPatch>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    let told = told.0.edit()?;
    let edited = app::in_background(&app, move |app| {
        edit::edit_shipment(&app.sender(seller, None), id, &told, &conditions.expected())
    });
    let taken = edited.await.ok_or_else(Problem::internal)??;
    written(find(&app, seller, taken.id).await?, taken)
}

impl ShipmentPatch {
    fn edit(self) -> Result<ShipmentEdit, Problem> {
        let number = NumberEdit { typed: typed(self.tracking_number)?, carrier: self.carrier };
        let claims = Claims {
            shipped: self.shipped_at.try_map(|text| time("/shipped_at", &text))?,
            delivered: self.delivered_at.try_map(|text| time("/delivered_at", &text))?,
            status: None,
        };
        Ok(ShipmentEdit {
            service: self.service,
            parcel_ref: self.parcel_ref,
            claims,
            deliver_by_on: self.deliver_by_on,
            origin_country: self.ship_from_country.try_map(|text| country("/ship_from_country", &text))?,
            origin_region: self.ship_from_region,
            number,
        })
    }
}

fn typed(told: Edit<String>) -> Result<Option<String>, Problem> {
    match told {
        Edit::Keep => Ok(None),
        Edit::Set(number) => text("/tracking_number", &number, 200).map(Some),
        Edit::Clear => {
            let detail = "A shipment goes under a number: send the right one, or cancel the shipment.";
            Err(Problem::invalid("/tracking_number", "not_clearable", detail))
        }
    }
}
