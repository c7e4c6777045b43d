//! Reports of delays, over all or by lane or carrier, as JSON or CSV.

use super::auth::Caller;
use super::paging;
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::event_time::instant_from_text;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::verdict::{Cause, VerdictKind};
use crate::flows::reports::{self, AsOf, Basis, GroupKey, Report, ReportQuery, Scope, ShipmentPage};
use actix_web::http::header;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

/// What a report is asked for. Dates and instants are in the seller's zone unless they say more.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DelaysQuery {
    /// The first day, by the basis.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The day after the last, by the basis.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// `shipped` unless said; or `ordered`, `promised`, `delivered`.
    basis: Option<BasisWord>,
    /// Cuts by when a thing happened: an instant, or a date, which is the end of that day.
    as_of: Option<String>,
    /// Cuts by when we heard of it: an instant, or a date, which is the end of that day in UTC.
    known_at: Option<String>,
    shop: Option<String>,
    carrier: Option<String>,
    service: Option<String>,
    origin_country: Option<String>,
    destination_country: Option<String>,
    verdict: Option<String>,
    cause: Option<String>,
    /// Admins only.
    seller_id: Option<Uuid>,
    /// A comma list of `carrier`, `service`, `origin_country`, `origin_region`, `destination_country`,
    /// `destination_region`, `shop`, `seller`, `month`.
    group_by: Option<String>,
    /// `groups` unless said, or `shipments`.
    rows: Option<Rows>,
    /// `json` unless said here or by Accept, or `csv`.
    format: Option<FormatWord>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Which date a report cuts by.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BasisWord {
    Shipped,
    Ordered,
    Promised,
    Delivered,
}

/// What the rows of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    Groups,
    Shipments,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatWord {
    Json,
    Csv,
}

/// How parcels keep their promises
#[utoipa::path(
    get, path = "/v1/reports/delays", tag = "Reports", security(("api_key" = [])), params(DelaysQuery),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_delays(
    app: Data<App>,
    caller: Caller,
    query: Query<DelaysQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    answer(app, caller, query.into_inner(), &[], &request).await
}

/// The same by lane: origin and destination, country and region
#[utoipa::path(
    get, path = "/v1/reports/lanes", tag = "Reports", security(("api_key" = [])), params(DelaysQuery),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_lanes(
    app: Data<App>,
    caller: Caller,
    query: Query<DelaysQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    const LANE: [GroupKey; 4] =
        [GroupKey::OriginCountry, GroupKey::OriginRegion, GroupKey::DestinationCountry, GroupKey::DestinationRegion];
    answer(app, caller, query.into_inner(), &LANE, &request).await
}

/// The same by carrier
#[utoipa::path(
    get, path = "/v1/reports/carriers", tag = "Reports", security(("api_key" = [])), params(DelaysQuery),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_carriers(
    app: Data<App>,
    caller: Caller,
    query: Query<DelaysQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    answer(app, caller, query.into_inner(), &[GroupKey::Carrier], &request).await
}

async fn answer(
    app: Data<App>,
    caller: Caller,
    query: DelaysQuery,
    usual_groups: &[GroupKey],
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = scope(&caller, query.seller_id)?;
    let as_csv = query.format.map_or_else(|| prefers_csv(request), |format| format == FormatWord::Csv);
    let asked = query.read(usual_groups)?;
    let keys = asked.group_by.clone();
    let shipments = asked.shipments.is_some();
    let app = app.into_inner();
    let counted =
        app::in_background(&app, move |app| reports::report_delays(&app.store, scope, &asked, app.now()));
    let report = counted.await.ok_or_else(Problem::internal)??;
    if !as_csv {
        return Ok(HttpResponse::Ok().json(report));
    }
    let sheet =
        if shipments { reports::shipments_as_csv(&report) } else { reports::groups_as_csv(&report, &keys) };
    let sheet = sheet.map_err(|error| {
        tracing::error!(%error, "a report could not be written");
        Problem::internal()
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"report.csv\""))
        .body(sheet))
}

/// A seller's key counts its seller alone; an admin's counts all, or the one that is named.
fn scope(caller: &Caller, named: Option<Uuid>) -> Result<Scope, Problem> {
    match (caller.0.seller_id, named) {
        (Some(_), Some(_)) => {
            Err(Problem::bad_parameter("seller_id", "Only an admin's key names a seller; yours counts your own."))
        }
        (Some(seller), None) => Ok(Scope::Seller(seller)),
        (None, Some(seller)) => Ok(Scope::Seller(SellerId(seller))),
        (None, None) => Ok(Scope::Everyone),
    }
}

fn prefers_csv(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.trim_start().starts_with("text/csv")
}

impl DelaysQuery {
    fn read(self, usual_groups: &[GroupKey]) -> Result<ReportQuery, Problem> {
        let shipments = (self.rows == Some(Rows::Shipments)).then(|| self.page()).transpose()?;
        Ok(ReportQuery {
            from: self.from,
            to: self.to,
            basis: match self.basis {
                None | Some(BasisWord::Shipped) => Basis::Shipped,
                Some(BasisWord::Ordered) => Basis::Ordered,
                Some(BasisWord::Promised) => Basis::Promised,
                Some(BasisWord::Delivered) => Basis::Delivered,
            },
            as_of: self.as_of.as_deref().map(|text| moment("as_of", text)).transpose()?,
            known_at: self.known_at.as_deref().map(known_at).transpose()?,
            shop: self.shop,
            carrier: self.carrier,
            service: self.service,
            origin_country: self.origin_country,
            destination_country: self.destination_country,
            verdict: known("verdict", self.verdict, |it| it.parse::<VerdictKind>().is_ok())?,
            cause: known("cause", self.cause, |it| it.parse::<Cause>().is_ok())?,
            group_by: groups(self.group_by.as_deref(), usual_groups)?,
            shipments,
        })
    }

    fn page(&self) -> Result<ShipmentPage, Problem> {
        let limit = usize::try_from(paging::limit(self.limit)?).unwrap_or(50);
        let Some(text) = &self.cursor else { return Ok(ShipmentPage { limit, after: None }) };
        let bad =
            || Problem::bad_parameter("cursor", "This is no cursor of ours; send the next_cursor of the page before.");
        let (seller, shipment) = text.split_once('.').ok_or_else(bad)?;
        let seller: SellerId = seller.parse().map_err(|_unreadable| bad())?;
        let shipment: ShipmentId = shipment.parse().map_err(|_unreadable| bad())?;
        Ok(ShipmentPage { limit, after: Some((seller, shipment)) })
    }
}

fn groups(asked: Option<&str>, usual: &[GroupKey]) -> Result<Vec<GroupKey>, Problem> {
    let Some(asked) = asked else { return Ok(usual.to_vec()) };
    let mut keys = Vec::new();
    for word in asked.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let known: Vec<&str> = GroupKey::ALL.iter().map(|key| key.code()).collect();
        let unknown = |_| Problem::bad_parameter("group_by", format!("`{word}` is none of {}.", known.join(", ")));
        let key: GroupKey = word.parse().map_err(unknown)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn moment(name: &str, text: &str) -> Result<AsOf, Problem> {
    if let (10, Ok(day)) = (text.len(), text.parse::<Date>()) {
        return Ok(AsOf::Day(day));
    }
    let detail = "Write a date as 2026-09-17, or an instant as 2026-09-17T10:04:00Z.";
    instant_from_text(text).map(AsOf::At).ok_or_else(|| Problem::bad_parameter(name, detail))
}

fn known_at(text: &str) -> Result<jiff::Timestamp, Problem> {
    match moment("known_at", text)? {
        AsOf::At(at) => Ok(at),
        AsOf::Day(day) => crate::domain::verdict::end_of_day(day, &jiff::tz::TimeZone::UTC)
            .ok_or_else(|| Problem::bad_parameter("known_at", "This day is too far ahead.")),
    }
}

fn known(name: &str, word: Option<String>, is_known: impl Fn(&str) -> bool) -> Result<Option<String>, Problem> {
    match word {
        Some(word) if !is_known(&word) => {
            Err(Problem::bad_parameter(name, format!("`{word}` is no {name}; see /docs.")))
        }
        word => Ok(word),
    }
}
