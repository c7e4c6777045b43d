//! A seller's shops.

use super::auth::Caller;
use super::problem::Problem;
use super::settings::needed;
use crate::app::{self, App};
use crate::domain::edit::Edit;
use crate::domain::ids::ShopId;
use crate::flows::manage_shops::{self, Shop, ShopEdit};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A shop to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopIn {
    /// Unique among your shops, 1 to 64 characters.
    name: String,
    /// So many days after the end of an order its contact is erased, 1 to 3650; `null` keeps it until somebody asks.
    contact_days: Option<i32>,
}

/// A change of a shop: what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Edit<String>,
    /// `null` keeps contacts until somebody asks.
    #[serde(default)]
    #[schema(value_type = Option<i32>)]
    contact_days: Edit<i32>,
}

/// One account of one sales channel.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShopOut {
    id: Uuid,
    name: String,
    /// Unique on the platform: customers look up by it.
    handle: String,
    contact_days: Option<i32>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
}

/// All shops of a seller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Shops {
    data: Vec<ShopOut>,
    next_cursor: Option<String>,
}

impl From<Shop> for ShopOut {
    fn from(shop: Shop) -> Self {
        Self {
            id: shop.id.0,
            name: shop.name,
            handle: shop.handle,
            contact_days: shop.contact_days,
            created_at: shop.created_at.0,
        }
    }
}

/// Your shops, oldest first
#[utoipa::path(
    get, path = "/v1/shops", tag = "Settings",
    responses(
        (status = 200, description = "The shops.", body = Shops),
    ),
)]
pub async fn list_shops(app: Data<App>, caller: Caller) -> Result<Json<Shops>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let shops = app::read(&app, move |app| manage_shops::list_shops(&app.store, seller)).await;
    let data = shops.ok_or_else(Problem::internal)??.into_iter().map(ShopOut::from).collect();
    Ok(Json(Shops { data, next_cursor: None }))
}

/// Make a shop; it gets a handle that is unique on the platform
#[utoipa::path(
    post, path = "/v1/shops", tag = "Settings", request_body = ShopIn,
    responses(
        (status = 201, description = "The shop.", body = ShopOut),
        (status = 409, description = "You have a shop of this name.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn create_shop(app: Data<App>, caller: Caller, told: Json<ShopIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let edit = ShopEdit { name: Some(told.name), contact_days: told.contact_days.map_or(Edit::Clear, Edit::Set) };
    let made = app::in_background(&app, move |app| {
        manage_shops::create_shop(&app.store, seller, &caller.actor(), edit, app.now())
    });
    Ok(HttpResponse::Created().json(ShopOut::from(made.await.ok_or_else(Problem::internal)??)))
}

/// Change a shop
#[utoipa::path(
    patch, path = "/v1/shops/{id}", tag = "Settings", params(("id" = Uuid, Path)),
    request_body = ShopPatch,
    responses(
        (status = 200, description = "The shop.", body = ShopOut),
        (status = 404, description = "No such shop.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "You have a shop of this name.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn change_shop(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    told: Json<ShopPatch>,
) -> Result<Json<ShopOut>, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let edit = ShopEdit { name: needed("/name", told.name)?, contact_days: told.contact_days };
    let change = (ShopId(*id), edit);
    let changed = app::in_background(&app, move |app| {
        manage_shops::change_shop(&app.store, seller, &caller.actor(), change, app.now())
    });
    Ok(Json(changed.await.ok_or_else(Problem::internal)??.into()))
}
