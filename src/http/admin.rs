//! For the platform's admins.

use super::problem::Problem;
use crate::app::{self, App};
use crate::flows;
use actix_web::web::{Data, Json};
use serde::Serialize;

/// A seller as admins see it: no contacts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SellerOut {
    id: uuid::Uuid,
    name: String,
    country: Option<String>,
    time_zone: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
}

/// All sellers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Sellers {
    data: Vec<SellerOut>,
    next_cursor: Option<String>,
}

/// All sellers, oldest first
#[utoipa::path(
    get, path = "/v1/admin/sellers", tag = "Admin", security(("api_key" = [])),
    responses(
        (status = 200, description = "The sellers.", body = Sellers),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin's key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_sellers(app: Data<App>) -> Result<Json<Sellers>, Problem> {
    let app = app.into_inner();
    let sellers = app::read(&app, |app| flows::list_sellers::list_sellers(&app.store)).await;
    let sellers = sellers.ok_or_else(Problem::internal)??;
    let data = sellers.into_iter().map(|it| SellerOut {
        id: it.id.0,
        name: it.name,
        country: it.country,
        time_zone: it.time_zone,
        created_at: it.created_at.0,
    });
    Ok(Json(Sellers { data: data.collect(), next_cursor: None }))
}
