//! Changes of an order, as a merge patch.

use super::shown::OrderOut;
use super::{find, written};
use crate::app::{self, App};
use crate::domain::edit::Edit;
use crate::domain::ids::{OrderId, SellerId};
use crate::domain::order::{ContactEdit, OrderEdit, PlaceEdit};
use crate::flows::take_in::edit;
use crate::flows::take_in::put::OrderRef;
use crate::http::auth::Caller;
use crate::http::conditions::Conditions;
use crate::http::fields::{country, currency, end_time, time};
use crate::http::merge_patch::{Members, MergePatch};
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::sync::Arc;
use uuid::Uuid;

/// Changes of an order: what is absent stays, `null` clears.
///
/// Shop and order number are what the order is known by, and do not change. Lines are no part of it: send the order with
/// its lines by `POST /v1/orders`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPatch {
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    order_ref: Edit<String>,
    /// `2026-09-17T10:04:00`, with `Z` or an offset where you know it.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    ordered_at: Edit<String>,
    /// ISO 4217.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    currency: Edit<String>,
    #[schema(value_type = Option<RecipientPatch>)]
    #[serde(default)]
    recipient: Edit<Members<RecipientPatch>>,
    #[schema(value_type = Option<PlacePatch>)]
    #[serde(default)]
    ship_to: Edit<Members<PlacePatch>>,
    #[schema(value_type = Option<PlacePatch>)]
    #[serde(default)]
    ship_from: Edit<Members<PlacePatch>>,
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    deliver_from_on: Edit<Date>,
    /// The last promised day, inclusive, at the destination; it is then that of every line.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    deliver_by_on: Edit<Date>,
    /// When the parcel must leave; a bare date is the end of that day. It is then that of every line.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    ship_by: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    shipping_method: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    channel: Edit<String>,
    /// Read only to say where it belongs.
    #[schema(ignore)]
    #[serde(default)]
    lines: Edit<IgnoredAny>,
}

/// Changes of who gets the parcel; `null` in its place clears all of it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientPatch {
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    name: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    company: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    address1: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    address2: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    city: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    email: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    phone: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    note: Edit<String>,
}

/// Changes of one end of a lane; `null` in its place clears all of it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacePatch {
    /// ISO 3166-1 alpha-2, or a name.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    country: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    region: Edit<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    postal_code: Edit<String>,
}

/// Change an order
///
/// A merge patch (RFC 7396). Its shipments are judged again, as when a sheet tells the same. What changes nothing answers
/// `unchanged`.
#[utoipa::path(
    patch, path = "/v1/orders/{id}", tag = "Orders",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "An ETag, or `*`: only its version is compared; stale is a 412."),
    ),
    request_body(content((OrderPatch = "application/merge-patch+json"), (OrderPatch = "application/json"))),
    responses(
        (status = 200, description = "Changed, or unchanged: see `outcome`.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such order.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since you read it.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "No merge patch.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn patch_order(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    conditions: Conditions,
    told: MergePatch<OrderPatch>,
) -> Result<HttpResponse, Problem> {
    let which = (None, OrderRef::Id(OrderId(*id)));
    patched(&app.into_inner(), caller.seller()?, which, conditions, told.0.edit()?).await
}

/// Change an order, by the name of its shop and its number
///
/// A merge patch (RFC 7396). Its shipments are judged again, as when a sheet tells the same. What changes nothing answers
/// `unchanged`.
#[utoipa::path(
    patch, path = "/v1/orders/by-number/{shop}/{number}", tag = "Orders",
    params(
        ("shop" = String, Path, description = "A shop's name, such as `main`."),
        ("number" = String, Path),
        ("If-Match" = Option<String>, Header, description = "An ETag, or `*`: only its version is compared; stale is a 412."),
    ),
    request_body(content((OrderPatch = "application/merge-patch+json"), (OrderPatch = "application/json"))),
    responses(
        (status = 200, description = "Changed, or unchanged: see `outcome`.", body = OrderOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "No such shop, or no such order in it.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since you read it.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "No merge patch.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn patch_order_by_number(
    app: Data<App>,
    caller: Caller,
    place: Path<(String, String)>,
    conditions: Conditions,
    told: MergePatch<OrderPatch>,
) -> Result<HttpResponse, Problem> {
    let (shop, number) = place.into_inner();
    let which = (Some(shop), OrderRef::Number(number));
    patched(&app.into_inner(), caller.seller()?, which, conditions, told.0.edit()?).await
}

async fn patched(
    app: &Arc<App>,
    seller: SellerId,
    (shop, which): (Option<String>, OrderRef),
    conditions: Conditions,
    told: OrderEdit,
) -> Result<HttpResponse, Problem> {
    let edited = app::in_background(app, move |app| {
        edit::edit_order(&app.sender(seller, shop.as_deref()), &which, told, &conditions.expected())
    });
    let (id, outcome) = edited.await.ok_or_else(Problem::internal)??;
    written(find(app, seller, id).await?, outcome)
}

impl OrderPatch {
    fn edit(self) -> Result<OrderEdit, Problem> {
        if !self.lines.is_kept() {
            let detail = "Lines are not patched: send the order with its lines by POST /v1/orders.";
            return Err(Problem::invalid("/lines", "not_patchable", detail));
        }
        Ok(OrderEdit {
            order_ref: self.order_ref,
            ordered: self.ordered_at.try_map(|text| time("/ordered_at", &text))?,
            currency: self.currency.try_map(|text| currency(&text))?,
            contact: self.recipient.map(|it| ContactEdit::from(it.0)).members(ContactEdit::clear),
            destination: self.ship_to.try_map(|it| it.0.edit("/ship_to"))?.members(PlaceEdit::clear),
            origin: self.ship_from.try_map(|it| it.0.edit("/ship_from"))?.members(PlaceEdit::clear),
            deliver_from_on: self.deliver_from_on,
            deliver_by_on: self.deliver_by_on,
            ship_by: self.ship_by.try_map(|text| end_time("/ship_by", &text))?,
            shipping_method: self.shipping_method,
            channel: self.channel,
        })
    }
}

impl From<RecipientPatch> for ContactEdit {
    fn from(told: RecipientPatch) -> Self {
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

impl PlacePatch {
    fn edit(self, pointer: &str) -> Result<PlaceEdit, Problem> {
        let country = self.country.try_map(|text| country(&format!("{pointer}/country"), &text))?;
        Ok(PlaceEdit { country, region: self.region, postal_code: self.postal_code })
    }
}
