//! Exports: what goes back to shops and marketplaces.

use super::auth::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::app::slow_reads::{self, Cancelled};
use crate::domain::ids::ShipmentId;
use crate::flows::export_tracking::{self, ExportAsked};
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Query};
use actix_web::{Error, HttpResponse};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// Which tracking numbers are wanted, and in which form.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Whose upload file it is to be: `amazon/ship_confirm`, `tiktok/bulk_ship`, `ebay/tracking_upload`, ...
    preset: String,
    /// Shipments made or changed since this instant.
    since: Option<String>,
    /// The name of a shop; all of yours where absent.
    shop: Option<String>,
    /// `suspicious`: also those whose number failed a check.
    include: Option<Include>,
}

/// What is left out unless it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    Suspicious,
}

/// Where an export stands.
enum Place {
    Header,
    After(Option<ShipmentId>),
    End,
}

/// Tracking numbers as the shop's own upload file
///
/// Newest first. Cancelled shipments are left out, and those whose number failed a check unless they are asked for.
#[utoipa::path(
    get, path = "/v1/exports/tracking", tag = "Imports", params(ExportQuery),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/csv"),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn export_tracking(
    app: Data<App>,
    caller: Caller,
    query: Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, query) = (app.into_inner(), caller.seller()?, query.into_inner());
    let form = export_tracking::form(&query.preset).ok_or_else(|| no_such_form(&query.preset))?;
    let since: Option<Timestamp> =
        query.since.as_deref().map(|text| text.parse().map_err(|_unreadable| no_instant(text))).transpose()?;
    let with_suspicious = query.include == Some(Include::Suspicious);
    let asked = ExportAsked { shop: query.shop, since, with_suspicious };
    // Held until the last page is written, or the client hangs up.
    let turn = Arc::new(app.slow_reads.report_turn(Some(seller.0))?);
    let pages = stream::try_unfold((app, asked, turn, Place::Header), move |(app, asked, turn, place)| async move {
        let before = match place {
            Place::Header => {
                let header = Bytes::from(form.header());
                return Ok::<_, Error>(Some((header, (app, asked, turn, Place::After(None)))));
            }
            Place::After(before) => before,
            Place::End => return Ok(None),
        };
        let page = asked.clone();
        let read = move |app: &App, _: &Cancelled| export_tracking::lines(&app.store, seller, (form, &page), before);
        let lines = slow_reads::in_turn(&app, Arc::clone(&turn), read).await.ok_or_else(Problem::internal)?;
        let (lines, next) = lines.map_err(Problem::from)?;
        let place = next.map_or(Place::End, |id| Place::After(Some(id)));
        Ok(Some((Bytes::from(lines), (app, asked, turn, place))))
    });
    let name = query.preset.replace('/', "-");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .streaming(pages))
}

fn no_such_form(preset: &str) -> Problem {
    let written: Vec<&str> = export_tracking::written().collect();
    let preset: String = preset.chars().take(64).collect();
    Problem::bad_parameter("preset", format!("`{preset}` is not written; ask for one of {}", written.join(", ")))
}

fn no_instant(text: &str) -> Problem {
    let text: String = text.chars().take(64).collect();
    Problem::bad_parameter("since", format!("`{text}` is no instant; write one such as 2026-09-17T10:00:00Z"))
}
