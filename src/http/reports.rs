//! Reports of delays, losses, dispatch and numbers, as JSON or CSV.

use super::accept::{self, Offer};
use super::auth::Caller;
use super::problem::Problem;
use super::report_query::{FormatWord, Habits, ReportParams};
use crate::app::{App, slow_reads};
use crate::domain::ids::SellerId;
use crate::flows::StoreError;
use crate::flows::reports::{
    self, AsSheet, Basis, DispatchReport, GroupKey, LossReport, NumbersReport, Report, ReportContext, ReportQuery,
    Scope,
};
use actix_web::http::header;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

const ORDERS: Habits = Habits { groups: &[], basis: Basis::Promised, rows_are_orders: true };

/// How parcels keep their promises
#[utoipa::path(
    get, path = "/v1/reports/delays", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_delays(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&caller, query.into_inner(), &request, Habits::of_shipments(&[]))?;
    answer(app, asked, reports::report_delays).await
}

/// The same by lane: origin and destination, country and region
#[utoipa::path(
    get, path = "/v1/reports/lanes", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_lanes(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    const LANE: [GroupKey; 4] =
        [GroupKey::OriginCountry, GroupKey::OriginRegion, GroupKey::DestinationCountry, GroupKey::DestinationRegion];
    let asked = Asked::of(&caller, query.into_inner(), &request, Habits::of_shipments(&LANE))?;
    answer(app, asked, reports::report_delays).await
}

/// The same by carrier
#[utoipa::path(
    get, path = "/v1/reports/carriers", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((Report = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_carriers(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&caller, query.into_inner(), &request, Habits::of_shipments(&[GroupKey::Carrier]))?;
    answer(app, asked, reports::report_delays).await
}

/// What was shipped and never came
///
/// A shipment counts as *shipped* where it is not cancelled and, by the report's moment, the seller said that it was
/// shipped or delivered, or a carrier had scanned it. *Never delivered* are those of them without a delivery. *Suspected
/// lost* and *lost* go by the verdict at that moment, and exclude each other; what is lost by the carrier's word and what
/// is lost by silence count alike. `rows=shipments` lists the suspected and the lost.
#[utoipa::path(
    get, path = "/v1/reports/lost", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((LossReport = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_lost(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&caller, query.into_inner(), &request, Habits::of_shipments(&[]))?;
    answer(app, asked, reports::report_lost).await
}

/// Which orders left in time
///
/// Orders by their dispatch-by time; cancelled ones are left out. An order is dispatched with the first carrier scan of any
/// of its parcels, else when the seller says that the first was shipped: `dispatched_by` tells which. `basis` is
/// `promised` unless said, which is the day of the dispatch-by time; `shipped` is the day on which it left. `verdict` and
/// `cause` ask for orders with such a parcel. `rows=orders` lists what is overdue or left late.
#[utoipa::path(
    get, path = "/v1/reports/dispatch", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((DispatchReport = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_dispatch(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&caller, query.into_inner(), &request, ORDERS)?;
    answer(app, asked, reports::report_dispatch).await
}

/// How true tracking numbers are
///
/// By shop and carrier unless said. Shipments that are not cancelled count. *Valid* is a number that is right for its
/// carrier by form and check digit; of *ambiguous* ones the carrier was not named, of *suspicious* ones nothing proves or
/// disproves the form, *invalid* ones are wrong or another carrier's, and *unknown* ones were taken in before this was
/// kept. *Scanned* are those that the carrier, not the seller, has scanned at least once.
///
/// The **valid tracking rate** is the share of shipments with a valid number that the carrier scanned at least once, among
/// all that were shipped. Those shipped less than 72 hours before the report's moment and not scanned yet are `undecided`
/// while their number is valid, and those of unknown validity are left out: both are in neither number. `TikTok` Shop asks
/// for 95 % and more.
///
/// `doubts` counts shipments by doubt, as they stood at `known_at`; see `doubts` of a shipment. `rows=shipments` lists what
/// lowers the rate, and what is in doubt.
#[utoipa::path(
    get, path = "/v1/reports/numbers", tag = "Reports", params(ReportParams),
    responses(
        (status = 200, description = "The report; as text/csv where asked.", content((NumbersReport = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn report_numbers(
    app: Data<App>,
    caller: Caller,
    query: Query<ReportParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    const BY: [GroupKey; 2] = [GroupKey::Shop, GroupKey::Carrier];
    let asked = Asked::of(&caller, query.into_inner(), &request, Habits::of_shipments(&BY))?;
    answer(app, asked, reports::report_numbers).await
}

/// A report as it was asked for.
struct Asked {
    scope: Scope,
    query: ReportQuery,
    as_csv: bool,
}

impl Asked {
    fn of(caller: &Caller, params: ReportParams, request: &HttpRequest, habits: Habits) -> Result<Self, Problem> {
        let scope = scope(caller, params.seller_id)?;
        let format = params.format.unwrap_or_else(|| format_by_accept(request));
        let as_csv = format == FormatWord::Csv;
        Ok(Self { scope, query: params.read(habits)?, as_csv })
    }

    /// Whose report it is; none where an admin counts all sellers.
    fn seller(&self) -> Option<Uuid> {
        match self.scope {
            Scope::Seller(seller) => Some(seller.0),
            Scope::Everyone => None,
        }
    }
}

/// One of the reports.
type Count<R> = fn(&ReportContext<'_>, Scope, &ReportQuery) -> Result<R, StoreError>;

async fn answer<R: Serialize + AsSheet + Send + 'static>(
    app: Data<App>,
    asked: Asked,
    count: Count<R>,
) -> Result<HttpResponse, Problem> {
    let (as_csv, keys, rows) = (asked.as_csv, asked.query.group_by.clone(), asked.query.rows.is_some());
    let app = app.into_inner();
    let turn = app.slow_reads.report_turn(asked.seller())?;
    let counted = slow_reads::in_turn(&app, Arc::new(turn), move |app, cancelled| {
        let is_cancelled = || cancelled.is_set();
        let context = ReportContext { store: &app.store, now: app.now(), is_cancelled: &is_cancelled };
        count(&context, asked.scope, &asked.query)
    });
    let report = counted.await.ok_or_else(Problem::internal)??;
    if !as_csv {
        return Ok(HttpResponse::Ok().json(report));
    }
    let sheet = if rows { report.rows_as_csv() } else { report.groups_as_csv(&keys) };
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

fn format_by_accept(request: &HttpRequest) -> FormatWord {
    const OFFERS: [Offer<FormatWord>; 2] = [
        Offer { media_type: "text/csv", form: FormatWord::Csv },
        Offer { media_type: "application/json", form: FormatWord::Json },
    ];
    accept::named(request, &OFFERS).unwrap_or(FormatWord::Json)
}
