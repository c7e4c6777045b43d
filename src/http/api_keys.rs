//! A seller's API keys.

use super::auth::Caller;
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::event_time::instant_from_text;
use crate::domain::ids::PrincipalId;
use crate::domain::role::Role;
use crate::flows::manage_keys::{self, ApiKey, NewKey};
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A key that is wanted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyIn {
    /// Such as the system that will use it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `seller-viewer`, `seller-clerk` or `seller-manager`.
    #[schema(example = "seller-clerk")]
    role: String,
    /// An instant, as `2027-01-01T00:00:00Z`; none where absent.
    expires_at: Option<String>,
}

/// A key. The key itself is shown once, in the answer that makes it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KeyOut {
    id: Uuid,
    name: String,
    role: String,
    /// How the key begins.
    prefix: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<jiff::Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<jiff::Timestamp>,
    /// Only in the answer that makes it: keep it, it is never shown again.
    api_key: Option<String>,
}

/// The keys of a seller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Keys {
    data: Vec<KeyOut>,
    next_cursor: Option<String>,
}

fn shown(key: ApiKey, api_key: Option<String>) -> KeyOut {
    KeyOut {
        id: key.id.0,
        name: key.name,
        role: key.role,
        prefix: key.prefix,
        created_at: key.created_at.0,
        expires_at: key.expires_at.map(|at| at.0),
        revoked_at: key.revoked_at.map(|at| at.0),
        api_key,
    }
}

/// Make an API key; it is shown once
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "Settings", request_body = KeyIn,
    responses(
        (status = 201, description = "The key.", body = KeyOut),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn create_api_key(app: Data<App>, caller: Caller, told: Json<KeyIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, actor) = (app.into_inner(), caller.seller()?, caller.actor());
    let wanted = told.into_inner().read()?;
    let made =
        app::in_background(&app, move |app| manage_keys::create_key(&app.store, seller, &actor, &wanted, app.now()));
    let (key, text) = made.await.ok_or_else(Problem::internal)??;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(shown(key, Some(text))))
}

impl KeyIn {
    fn read(self) -> Result<NewKey, Problem> {
        let unknown = "Write seller-viewer, seller-clerk or seller-manager.";
        let role: Role = self.role.parse().map_err(|_unknown| Problem::invalid("/role", "unknown_role", unknown))?;
        let expires_at = self.expires_at.as_deref().map(|text| {
            let detail = "Write an instant as 2027-01-01T00:00:00Z.";
            instant_from_text(text).ok_or_else(|| Problem::invalid("/expires_at", "invalid_date", detail))
        });
        Ok(NewKey { name: self.name, role, expires_at: expires_at.transpose()? })
    }
}

/// Your API keys, oldest first; revoked ones too
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "Settings",
    responses(
        (status = 200, description = "The keys, never shown in full.", body = Keys),
    ),
)]
pub async fn list_api_keys(app: Data<App>, caller: Caller) -> Result<Json<Keys>, Problem> {
    let seller = caller.seller()?;
    let keys = app::read(&app.into_inner(), move |app| manage_keys::list_keys(&app.store, seller)).await;
    let data = keys.ok_or_else(Problem::internal)??.into_iter().map(|key| shown(key, None)).collect();
    Ok(Json(Keys { data, next_cursor: None }))
}

/// Revoke an API key: from the next request on nobody comes in with it, nor with a token that it was exchanged for
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "Settings", params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "Revoked."),
        (status = 404, description = "No such key that still opens anything.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn revoke_api_key(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, actor, id) = (app.into_inner(), caller.seller()?, caller.actor(), PrincipalId(*id));
    let revoked =
        app::in_background(&app, move |app| manage_keys::revoke_key(&app.store, seller, &actor, id, app.now()));
    if revoked.await.ok_or_else(Problem::internal)?? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::not_found("API key"))
    }
}
