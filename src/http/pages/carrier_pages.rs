//! The forms of the settings page for a seller's own carriers. For managers.

use super::guard::Visitor;
use super::settings_pages::back;
use crate::app::{self, App};
use crate::domain::carrier::own::Told;
use crate::flows::manage_carriers;
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::web::{Data, Form, Path};
use serde::Deserialize;

/// A carrier to be added. What is blank is not told.
#[derive(Deserialize)]
pub struct CarrierForm {
    name: String,
    /// Apart by commas.
    aliases: String,
    country: String,
    tracking_url: String,
    /// One a line.
    patterns: String,
}

impl CarrierForm {
    fn told(self) -> Told {
        let some = |text: String| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
        let each = |text: &str, between: char| -> Vec<String> {
            text.split(between).map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
        };
        Told {
            aliases: each(&self.aliases, ','),
            patterns: each(&self.patterns, '\n'),
            name: self.name,
            country: some(self.country),
            tracking_url: some(self.tracking_url),
        }
    }
}

/// Add a carrier of your own; its slug is made from its name
#[utoipa::path(post, path = "/settings/carriers")]
pub async fn add_carrier(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    told: Form<CarrierForm>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), visitor.seller, told.into_inner().told());
    let added = app::in_background(&app, move |app| {
        manage_carriers::add_carrier(&app.store, seller, &caller.actor(), told, app.now())
    });
    let added = added.await.ok_or_else(Problem::internal)?;
    back(&app, &visitor, added.map(|_| "carrier").map_err(Problem::from)).await
}

/// Remove a carrier of your own
#[utoipa::path(post, path = "/settings/carriers/{slug}/remove")]
pub async fn remove_carrier(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    slug: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (app, seller) = (app.into_inner(), visitor.seller);
    let removed = app::in_background(&app, move |app| {
        manage_carriers::remove_carrier(&app.store, seller, &caller.actor(), &slug, app.now())
    });
    let removed = removed.await.ok_or_else(Problem::internal)?;
    back(&app, &visitor, removed.map(|()| "carrier-gone").map_err(Problem::from)).await
}
