//! What a seller decides for all shops.

use super::auth::Caller;
use super::imports::Strictness;
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::edit::Edit;
use crate::flows::manage_settings::{self, Seller, SettingsEdit};
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

/// A change of the settings: what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Edit<String>,
    /// `null` forgets it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "DE")]
    country: Edit<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Edit<String>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 90)]
    upload_days: Edit<i32>,
    /// How much doubt uploads let through where they do not say it themselves.
    #[serde(default)]
    #[schema(value_type = Option<Strictness>)]
    import_strictness: Edit<Strictness>,
}

/// The settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SettingsOut {
    /// As customers see it.
    name: String,
    country: Option<String>,
    /// Reads times that come without one.
    time_zone: String,
    /// So many days after its end an uploaded file is kept.
    upload_days: i32,
    /// How much doubt uploads let through where they do not say it themselves.
    import_strictness: Strictness,
}

impl From<Seller> for SettingsOut {
    fn from(seller: Seller) -> Self {
        let Seller { name, country, time_zone, upload_days, strict_imports, .. } = seller;
        Self { name, country, time_zone, upload_days, import_strictness: Strictness::of(strict_imports) }
    }
}

/// A field that may be absent, but not cleared.
pub(super) fn needed<T>(pointer: &str, told: Edit<T>) -> Result<Option<T>, Problem> {
    match told {
        Edit::Keep => Ok(None),
        Edit::Set(value) => Ok(Some(value)),
        Edit::Clear => {
            Err(Problem::invalid(pointer, "cannot_be_null", "This cannot be cleared; leave it out to keep it."))
        }
    }
}

/// Your settings
#[utoipa::path(
    get, path = "/v1/settings", tag = "Settings",
    responses(
        (status = 200, description = "The settings.", body = SettingsOut),
    ),
)]
pub async fn show_settings(app: Data<App>, caller: Caller) -> Result<Json<SettingsOut>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let settings = app::read(&app, move |app| manage_settings::show_settings(&app.store, seller)).await;
    Ok(Json(settings.ok_or_else(Problem::internal)??.into()))
}

/// Change your settings
///
/// A new time zone reads what comes from then on.
#[utoipa::path(
    patch, path = "/v1/settings", tag = "Settings", request_body = SettingsPatch,
    responses(
        (status = 200, description = "The settings.", body = SettingsOut),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn change_settings(
    app: Data<App>,
    caller: Caller,
    told: Json<SettingsPatch>,
) -> Result<Json<SettingsOut>, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let edit = SettingsEdit {
        name: needed("/name", told.name)?,
        country: told.country,
        time_zone: needed("/time_zone", told.time_zone)?,
        upload_days: needed("/upload_days", told.upload_days)?,
        strict_imports: needed("/import_strictness", told.import_strictness)?.map(Strictness::is_strict),
    };
    let changed = app::in_background(&app, move |app| {
        manage_settings::change_settings(&app.store, seller, &caller.actor(), edit, app.now())
    });
    Ok(Json(changed.await.ok_or_else(Problem::internal)??.into()))
}
