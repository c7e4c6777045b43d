//! For those who operate the server: whether it lives, whether it can work, and its specification.

use super::problem::Problem;
use crate::app::{self, App};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

/// Whether the process lives; the database is not asked
#[utoipa::path(
    get, path = "/healthz", tag = "Operation",
    responses((status = 200, description = "It lives.", content_type = "application/json")),
)]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// Whether requests can be served: the database answers, and the server is not on its way down
#[utoipa::path(
    get, path = "/readyz", tag = "Operation",
    responses(
        (status = 200, description = "Send requests.", content_type = "application/json"),
        (status = 503, description = "Send none now.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn readyz(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    if app.is_stopping() {
        let detail = "The server is on its way down; send requests to another.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail));
    }
    app::read(&app.into_inner(), |app| app.store.is_ready()).await.ok_or_else(Problem::internal)??;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

/// This specification
#[utoipa::path(
    get, path = "/openapi.json", tag = "Operation",
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json")),
)]
pub async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok().json(super::specification())
}
