//! For the platform's admins.

use super::paging::{self, Page, PageQuery};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::ids::SellerId;
use crate::flows;
use crate::flows::list_shared_numbers::{self, SharedNumber, SharedPlace, Sharer};
use crate::flows::read_audit::{self, AuditRow};
use actix_web::web::{Data, Json, Query};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A seller as admins see it: no contacts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SellerOut {
    id: Uuid,
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
    get, path = "/v1/admin/sellers", tag = "Admin",
    responses(
        (status = 200, description = "The sellers.", body = Sellers),
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

/// Which rows of the audit log are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Of this seller alone; all sellers' and the platform's own where absent.
    seller_id: Option<Uuid>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Who did what. No row names a person: people are ids here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditOut {
    id: Uuid,
    /// `null` for what concerns the platform itself.
    seller_id: Option<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    at: jiff::Timestamp,
    /// A key, a user, or the program itself.
    actor_id: Uuid,
    #[schema(example = "user.invited")]
    action: String,
    /// What it was done to.
    object: Option<String>,
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    request_id: Option<String>,
}

/// The audit log, newest first
#[utoipa::path(
    get, path = "/v1/admin/audit", tag = "Admin", params(AuditQuery),
    responses(
        (status = 200, description = "A page of the log.", body = Page<AuditOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn read_audit(app: Data<App>, query: Query<AuditQuery>) -> Result<Json<Page<AuditOut>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before = paging::cursor(query.cursor.as_deref())?;
    let seller = query.seller_id.map(SellerId);
    let app = app.into_inner();
    let rows = app::read(&app, move |app| read_audit::read_audit(&app.store, seller, before, limit + 1)).await;
    let rows = rows.ok_or_else(Problem::internal)??;
    Ok(Json(paging::page(rows, limit, |row| row.id.to_string(), AuditOut::from)))
}

impl From<AuditRow> for AuditOut {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id.0,
            seller_id: row.seller_id.map(|id| id.0),
            at: row.at.0,
            actor_id: row.actor_id.0,
            action: row.action,
            object: row.object,
            detail: row.detail.0,
            request_id: row.request_id,
        }
    }
}

/// A number that several sellers use.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SharedNumberOut {
    carrier: String,
    tracking_number: String,
    /// Whoever came first is first.
    sellers: Vec<SharerOut>,
    /// When the first of them took it in.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: jiff::Timestamp,
}

/// One of the sellers that use a number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SharerOut {
    id: Uuid,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: jiff::Timestamp,
}

/// Numbers that stand on shipments of more than one seller, by carrier and number
///
/// One of them may have copied it, or both may belong to one business. No seller is told of another.
#[utoipa::path(
    get, path = "/v1/admin/shared-numbers", tag = "Admin", params(PageQuery),
    responses(
        (status = 200, description = "A page of numbers.", body = Page<SharedNumberOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_shared_numbers(
    app: Data<App>,
    query: Query<PageQuery>,
) -> Result<Json<Page<SharedNumberOut>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: Option<SharedPlace> = paging::cursor(query.cursor.as_deref())?;
    let app = app.into_inner();
    let shared = app::in_background(&app, move |app| {
        list_shared_numbers::list_shared_numbers(&app.store, after.as_ref(), limit + 1)
    });
    let shared = shared.await.ok_or_else(Problem::internal)??;
    Ok(Json(paging::page(shared, limit, |it| it.place().to_string(), SharedNumberOut::from)))
}

impl From<SharedNumber> for SharedNumberOut {
    fn from(shared: SharedNumber) -> Self {
        Self {
            carrier: shared.carrier,
            tracking_number: shared.number,
            first_seen_at: shared.first_seen_at,
            sellers: shared.sellers.into_iter().map(SharerOut::from).collect(),
        }
    }
}

impl From<Sharer> for SharerOut {
    fn from(sharer: Sharer) -> Self {
        Self { id: sharer.id.0, name: sharer.name, first_seen_at: sharer.first_seen_at }
    }
}
