//! The settings page, with its forms for shops and what holds for all of them. For managers.

use super::guard::Visitor;
use super::{Frame, page, see_other, words};
use crate::app::{self, App};
use crate::domain::carrier::own::OwnCarrier;
use crate::domain::edit::Edit;
use crate::domain::ids::{PrincipalId, ShopId};
use crate::flows::manage_carriers;
use crate::flows::manage_keys::{self, ApiKey};
use crate::flows::manage_settings::{self, Seller, SettingsEdit};
use crate::flows::manage_shops::{self, Shop, ShopEdit};
use crate::flows::people::invite::{self, People};
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "pages/settings.html")]
struct SettingsPage {
    frame: Frame,
    me: PrincipalId,
    settings: Seller,
    shops: Vec<Shop>,
    keys: Vec<ApiKey>,
    people: People,
    carriers: Vec<OwnCarrier>,
    now: Timestamp,
    done: Option<&'static str>,
    fault: Option<String>,
}

impl SettingsPage {
    /// The day of an instant where the seller is.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the template passes references")]
    fn day(&self, at: &Timestamp) -> String {
        words::day(&self.settings.zone().to_datetime(*at).date().to_string())
    }

    /// What has become of a key; `None` where it opens doors.
    fn end_of(&self, key: &ApiKey) -> Option<String> {
        let revoked = key.revoked_at.map(|at| format!("revoked {}", self.day(&at.0)));
        let expired = key.expires_at.filter(|at| at.0 <= self.now).map(|at| format!("ran out {}", self.day(&at.0)));
        revoked.or(expired)
    }
}

/// What was done before the page is shown.
#[derive(Debug, Deserialize)]
pub struct SettingsQuery {
    done: Option<String>,
}

/// What was done, in the address of the page that tells it, and in words.
const DONE: [(&str, &str); 6] = [
    ("settings", "The settings are saved."),
    ("shop", "The shop is saved."),
    ("key", "The key is revoked. It opens nothing any more."),
    ("person", "Done. That person can no longer come in."),
    ("carrier", "The carrier is added. Sheets and programs may name it from now on."),
    ("carrier-gone", "The carrier is removed. Parcels that went under it stay."),
];

/// The settings
#[utoipa::path(get, path = "/settings")]
pub async fn show_settings(
    app: Data<App>,
    visitor: Visitor,
    query: Query<SettingsQuery>,
) -> Result<HttpResponse, Problem> {
    let done = DONE.iter().find(|(code, _)| Some(*code) == query.done.as_deref()).map(|(_, words)| *words);
    settings_page(&app.into_inner(), &visitor, (StatusCode::OK, done, None)).await
}

async fn settings_page(
    app: &Arc<App>,
    visitor: &Visitor,
    (status, done, fault): (StatusCode, Option<&'static str>, Option<String>),
) -> Result<HttpResponse, Problem> {
    let (seller, frame, me) = (visitor.seller, Frame::of(app, visitor, "Settings"), visitor.user);
    let found = app::read(app, move |app| {
        let (store, now) = (&app.store, app.now());
        Ok::<_, crate::flows::StoreError>(SettingsPage {
            frame,
            me,
            settings: manage_settings::show_settings(store, seller)?,
            shops: manage_shops::list_shops(store, seller)?,
            keys: manage_keys::list_keys(store, seller)?,
            people: invite::list_people(store, seller, now)?,
            carriers: manage_carriers::list_carriers(store, seller)?,
            now,
            done,
            fault,
        })
    });
    page(status, &found.await.ok_or_else(Problem::internal)??)
}

/// Back to the settings: with what was done, or with what is wrong.
pub(super) async fn back(
    app: &Arc<App>,
    visitor: &Visitor,
    outcome: Result<&'static str, Problem>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(done) => Ok(see_other(&format!("/settings?done={done}"))),
        Err(problem) if problem.status == 422 || problem.status == 409 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            settings_page(app, visitor, (status, None, Some(problem.detail))).await
        }
        Err(problem) => Err(problem),
    }
}

/// What holds for the whole seller.
#[derive(Deserialize)]
pub struct SettingsForm {
    name: String,
    country: String,
    time_zone: String,
    upload_days: String,
    /// Any text where the box is ticked.
    strict_imports: Option<String>,
}

/// Save what holds for the whole seller
#[utoipa::path(post, path = "/settings")]
pub async fn save_settings(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    told: Form<SettingsForm>,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let outcome = save(&app, &visitor, caller, told.into_inner()).await;
    back(&app, &visitor, outcome.map(|()| "settings")).await
}

async fn save(app: &Arc<App>, visitor: &Visitor, caller: Caller, told: SettingsForm) -> Result<(), Problem> {
    let edit = SettingsEdit {
        name: Some(told.name),
        country: if told.country.trim().is_empty() { Edit::Clear } else { Edit::Set(told.country) },
        time_zone: Some(told.time_zone),
        upload_days: Some(days(&told.upload_days)?.unwrap_or(0)),
        strict_imports: Some(told.strict_imports.is_some()),
    };
    let seller = visitor.seller;
    let saved = app::in_background(app, move |app| {
        manage_settings::change_settings(&app.store, seller, &caller.actor(), edit, app.now())
    });
    Ok(saved.await.ok_or_else(Problem::internal)?.map(drop)?)
}

/// A shop.
#[derive(Deserialize)]
pub struct ShopForm {
    name: String,
    contact_days: String,
}

impl ShopForm {
    fn edit(self) -> Result<ShopEdit, Problem> {
        Ok(ShopEdit { name: Some(self.name), contact_days: days(&self.contact_days)?.map_or(Edit::Clear, Edit::Set) })
    }
}

/// Make a shop
#[utoipa::path(post, path = "/settings/shops")]
pub async fn make_shop(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    told: Form<ShopForm>,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let outcome = save_shop(&app, &visitor, caller, (None, told.into_inner())).await;
    back(&app, &visitor, outcome.map(|()| "shop")).await
}

/// Change a shop
#[utoipa::path(post, path = "/settings/shops/{id}")]
pub async fn save_shop_form(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    id: Path<Uuid>,
    told: Form<ShopForm>,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let outcome = save_shop(&app, &visitor, caller, (Some(ShopId(*id)), told.into_inner())).await;
    back(&app, &visitor, outcome.map(|()| "shop")).await
}

async fn save_shop(
    app: &Arc<App>,
    visitor: &Visitor,
    caller: Caller,
    (id, told): (Option<ShopId>, ShopForm),
) -> Result<(), Problem> {
    let (seller, edit) = (visitor.seller, told.edit()?);
    let saved = app::in_background(app, move |app| match id {
        Some(id) => manage_shops::change_shop(&app.store, seller, &caller.actor(), (id, edit), app.now()),
        None => manage_shops::create_shop(&app.store, seller, &caller.actor(), edit, app.now()),
    });
    Ok(saved.await.ok_or_else(Problem::internal)?.map(drop)?)
}

/// Whole days as somebody typed them; nothing where the field is blank.
fn days(text: &str) -> Result<Option<i32>, Problem> {
    let text = text.trim();
    let no_number = |_| Problem::invalid("/days", "no_number", format!("`{text}` is no number of days."));
    (!text.is_empty()).then(|| text.parse().map_err(no_number)).transpose()
}
