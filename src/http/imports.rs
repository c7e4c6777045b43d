//! Imports: files in, row results out.

use super::auth::Caller;
use super::paging::{self, Page, PageQuery};
use super::problem::Problem;
use super::uploads;
use crate::app::{self, App};
use crate::domain::ids::ImportId;
use crate::flows::list_imports;
use crate::flows::take_in::repaired;
use crate::flows::take_in::rows::{self, RowsAsked};
use crate::flows::take_in::undo;
use crate::flows::take_in::upload::{self, ImportOptions, ImportRequest};
use crate::flows::templates;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// How a file is to be read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// `orders`, `tracking`, `combined`, `events` or `legs`; told by the header where absent.
    kind: Option<String>,
    /// The name of a shop; `main` where absent.
    shop: Option<String>,
    /// The same engine, and nothing is written.
    #[serde(default)]
    dry_run: bool,
    /// The form of a shop system, as `GET /v1/presets` names it, or `canonical`; told by the header where absent.
    preset: Option<String>,
    /// In which encoding the file is, such as `windows-1252` or `shift_jis`; told by its bytes where absent.
    encoding: Option<String>,
    /// `dmy`, `mdy` or `ymd`: for dates that the file itself does not settle.
    date_order: Option<String>,
    /// For zone-less times; your own where absent.
    time_zone: Option<String>,
    /// Whether a tracking row for an unknown order makes a bare order.
    #[serde(default)]
    create_orders: bool,
    /// Whether one row that cannot be taken keeps all others out.
    #[serde(default)]
    all_or_nothing: bool,
    /// `normal`, or `strict`: a doubtful tracking number is then an error instead of a warning; your own setting where
    /// absent.
    strictness: Option<Strictness>,
}

/// A file in a form.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only described here: the form is read as it streams in")]
pub struct ImportForm {
    /// A JSON object of headers of the file and names of our columns, such as `{"Beleg": "order_number"}`.
    mapping: Option<String>,
    /// The last part.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

/// How much doubt is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    Normal,
    Strict,
}

impl Strictness {
    pub(super) fn of(strict: bool) -> Self {
        if strict { Self::Strict } else { Self::Normal }
    }

    pub(super) fn is_strict(self) -> bool {
        self == Self::Strict
    }
}

/// An import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportOut {
    id: Uuid,
    /// `null` until the header has been read, where you did not say.
    kind: Option<String>,
    shop: Option<String>,
    /// The form by which the columns were read.
    preset: Option<String>,
    dry_run: bool,
    /// Whether one row that cannot be taken keeps all others out.
    all_or_nothing: bool,
    /// `received`, `running`, `completed`, `failed` or `cancelled`.
    state: String,
    file_name: Option<String>,
    file_bytes: i64,
    /// 0 to 1; `null` until the file was looked through.
    progress: Option<f64>,
    rows_total: i64,
    rows_accepted: i64,
    rows_created: i64,
    rows_updated: i64,
    rows_unchanged: i64,
    rows_rejected: i64,
    rows_warned: i64,
    problems: Vec<ProblemCount>,
    /// What was found out about the file: encoding, delimiter, how each column was read, warnings.
    file: Option<Value>,
    /// Why the file was refused as a whole.
    errors: Vec<Value>,
    /// When the results of its rows were deleted by age; the counts stay.
    #[schema(value_type = Option<String>, format = DateTime)]
    expired_at: Option<jiff::Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<jiff::Timestamp>,
    /// When what it made was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    undone_at: Option<jiff::Timestamp>,
}

/// How often a code came up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemCount {
    code: String,
    count: u64,
}

/// What became of a row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RowOut {
    /// The physical line where the record starts, 1-based, header included.
    line: i64,
    /// `created`, `updated`, `unchanged` or `rejected`.
    outcome: String,
    order_id: Option<Uuid>,
    shipment_id: Option<Uuid>,
    /// Canonical column to value, as read; `{"erased": true}` where the person it named was erased, or the file with
    /// them. Of a row that left nothing to say it is read from the file again, and empty once that is deleted by age.
    read: Value,
    /// `{"column","code","detail","repair"?}`.
    errors: Value,
    warnings: Value,
}

/// Take in a sheet
///
/// Good rows are taken; a bad row is reported with its line and column and does not stop the rest. Sending the same
/// sheet again changes nothing, so mend the bad rows and send the whole sheet. The body is the file itself, or a
/// multipart form with a part `file`; gzip is read as it is. The answer comes once the file is durable, and the work goes
/// on behind it: ask for the import until its state is `completed`. Under an `Idempotency-Key` the same file is taken in
/// once, whatever happens to the answer.
#[utoipa::path(
    post, path = "/v1/imports", tag = "Imports", params(ImportQuery),
    request_body(content((String = "text/csv"), (ImportForm = "multipart/form-data"))),
    responses(
        (status = 202, description = "The file is durable.", body = ImportOut, headers(("Location" = String))),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "No file.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn create_import(
    app: Data<App>,
    caller: Caller,
    query: Query<ImportQuery>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let (app, query) = (app.into_inner(), query.into_inner());
    let asked = ImportRequest {
        kind: query.kind,
        shop: query.shop,
        dry_run: query.dry_run,
        file_name: None,
        options: ImportOptions {
            date_order: query.date_order,
            time_zone: query.time_zone,
            create_orders: query.create_orders,
            strict: query.strictness.map(Strictness::is_strict),
            preset: query.preset,
            encoding: query.encoding,
            all_or_nothing: query.all_or_nothing,
            ..ImportOptions::default()
        },
    };
    let shop = asked.shop.clone().unwrap_or_else(|| "main".to_owned());
    let import = uploads::receive(&app, &caller, asked, &request, body).await?;
    app.ring_for_import();
    Ok(accepted(shown(import, Some(shop))))
}

fn accepted(import: ImportOut) -> HttpResponse {
    let location = format!("/v1/imports/{}", import.id);
    HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(import)
}

/// The answer to an upload that was taken in, while the answer itself was lost: the import as it is now.
pub(super) async fn accepted_before(app: &Arc<App>, caller: &Caller, id: ImportId) -> Result<HttpResponse, Problem> {
    let (import, shop) = find(app, caller, id.0).await?;
    Ok(accepted(shown(import, shop)))
}

pub(super) async fn work_on<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> T + Send + 'static,
) -> Result<T, Problem> {
    app::in_background(app, work).await.ok_or_else(Problem::internal)
}

fn shown(import: list_imports::Import, shop: Option<String>) -> ImportOut {
    let counts = import.problems.0.as_object().cloned().unwrap_or_default();
    let (all_or_nothing, progress) = (list_imports::is_all_or_nothing(&import), list_imports::progress(&import));
    let (accepted, file) = (import.rows_accepted(), import.about.survey);
    let mut problems: Vec<_> =
        counts.into_iter().map(|(code, count)| ProblemCount { code, count: count.as_u64().unwrap_or(0) }).collect();
    problems.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    ImportOut {
        id: import.id.0,
        kind: import.kind,
        shop,
        preset: file.as_ref().and_then(|file| file.get("preset")?.as_str().map(str::to_owned)),
        dry_run: import.dry_run,
        all_or_nothing,
        progress,
        state: import.state,
        file_name: import.about.file_name,
        file_bytes: import.file_bytes,
        rows_total: import.rows_total,
        rows_accepted: accepted,
        rows_created: import.rows_created,
        rows_updated: import.rows_updated,
        rows_unchanged: import.rows_unchanged,
        rows_rejected: import.rows_rejected,
        rows_warned: import.rows_warned,
        problems,
        file,
        errors: import.about.failure.and_then(|it| it.as_array().cloned()).unwrap_or_default(),
        expired_at: import.expired_at.map(|at| at.0),
        created_at: import.created_at.0,
        finished_at: import.finished_at.map(|at| at.0),
        undone_at: import.undone_at.map(|at| at.0),
    }
}

async fn find(app: &Arc<App>, caller: &Caller, id: Uuid) -> Result<(list_imports::Import, Option<String>), Problem> {
    let seller = caller.seller()?;
    let found = app::read(app, move |app| {
        let import = list_imports::show_import(&app.store, seller, ImportId(id))?;
        let shop = import.as_ref().map(|import| list_imports::shop_name(&app.store, import)).transpose()?.flatten();
        Ok::<_, crate::flows::StoreError>(import.map(|import| (import, shop)))
    });
    found.await.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("import"))
}

/// Your imports, newest first
#[utoipa::path(
    get, path = "/v1/imports", tag = "Imports", params(PageQuery),
    responses(
        (status = 200, description = "A page of imports.", body = Page<ImportOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_imports(
    app: Data<App>,
    caller: Caller,
    query: Query<PageQuery>,
) -> Result<Json<Page<ImportOut>>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let limit = paging::limit(query.limit)?;
    let before: Option<ImportId> = paging::cursor(query.cursor.as_deref())?;
    let fetched = app::read(&app, move |app| {
        let imports = list_imports::list_imports(&app.store, seller, before, limit + 1)?;
        imports
            .into_iter()
            .map(|import| list_imports::shop_name(&app.store, &import).map(|shop| (import, shop)))
            .collect::<Result<Vec<_>, crate::flows::StoreError>>()
    });
    let fetched = fetched.await.ok_or_else(Problem::internal)??;
    Ok(Json(paging::page(fetched, limit, |(import, _)| import.id.to_string(), |(import, shop)| shown(import, shop))))
}

/// One import: how far it has come, and what came up
#[utoipa::path(
    get, path = "/v1/imports/{id}", tag = "Imports", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The import.", body = ImportOut),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_import(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<ImportOut>, Problem> {
    let (import, shop) = find(&app.into_inner(), &caller, *id).await?;
    Ok(Json(shown(import, shop)))
}

/// Which rows are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// `created`, `updated`, `unchanged` or `rejected`.
    outcome: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// What became of each row, in the order of the file
#[utoipa::path(
    get, path = "/v1/imports/{id}/rows", tag = "Imports",
    params(("id" = Uuid, Path), RowsQuery),
    responses(
        (status = 200, description = "A page of rows.", body = Page<RowOut>),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Not kept any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_import_rows(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    query: Query<RowsQuery>,
) -> Result<Json<Page<RowOut>>, Problem> {
    let app = app.into_inner();
    let (import, _) = find(&app, &caller, *id).await?;
    let limit = paging::limit(query.limit)?;
    let after: i64 = paging::cursor(query.cursor.as_deref())?.unwrap_or(0);
    let outcome = query.into_inner().outcome;
    let known = ["created", "updated", "unchanged", "rejected"];
    if outcome.as_deref().is_some_and(|outcome| !known.contains(&outcome)) {
        return Err(Problem::bad_parameter("outcome", "outcome is created, updated, unchanged or rejected"));
    }
    let asked = RowsAsked { outcome, after, limit: limit + 1, with_something_to_say: false };
    let fetched = work_on(&app, move |app| rows::list_rows(&app.store, &import, &asked, app.now()));
    let fetched = fetched.await??;
    Ok(Json(paging::page(fetched, limit, |row| row.line.to_string(), row_shown)))
}

pub(super) fn row_shown(row: rows::ImportRow) -> RowOut {
    RowOut {
        line: row.line,
        outcome: row.outcome,
        order_id: row.order_id.map(|id| id.0),
        shipment_id: row.shipment_id.map(|id| id.0),
        read: row.report.cells,
        errors: row.report.errors,
        warnings: row.report.warnings,
    }
}

/// The rejected rows in your own columns, with what is wrong and what can be proved
#[utoipa::path(
    get, path = "/v1/imports/{id}/repaired.csv", tag = "Imports",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "Mend it and send it again.", body = String, content_type = "text/csv"),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No row could be read.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Not kept any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn repaired_file(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let (import, _) = find(&app, &caller, *id).await?;
    if import.about.survey.is_none() && !import.has_lost_its_file() {
        let detail = "There are no rows to repair: the file is not read yet, or was refused as a whole.";
        return Err(Problem::new(StatusCode::CONFLICT, "no_rows", detail));
    }
    let file = work_on(&app, move |app| repaired::repaired_file(&app.store, &import, app.now())).await??;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"repaired.csv\""))
        .body(file))
}

/// Stop an import where it is; rows that were taken in stay
#[utoipa::path(
    post, path = "/v1/imports/{id}/cancel", tag = "Imports", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "Cancelled.", body = ImportOut),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_import(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<ImportOut>, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, *id);
    work_on(&app, move |app| upload::cancel(&app.store, seller, ImportId(id), app.now())).await??;
    let (import, shop) = find(&app, &caller, id).await?;
    Ok(Json(shown(import, shop)))
}

/// Make a dry run real, without a second upload
#[utoipa::path(
    post, path = "/v1/imports/{id}/commit", tag = "Imports", params(("id" = Uuid, Path)),
    responses(
        (status = 202, description = "It runs again, for real.", body = ImportOut, headers(("Location" = String))),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No completed dry run.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Not kept any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn commit_import(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, *id);
    work_on(&app, move |app| upload::commit(&app.store, seller, ImportId(id))).await??;
    app.ring_for_import();
    let (import, shop) = find(&app, &caller, id).await?;
    Ok(accepted(shown(import, shop)))
}

/// Take an import back: what it made goes, as long as nobody has touched any of it since
///
/// All of it goes, or nothing. Events stay on file as they are; the same file may be sent again.
#[utoipa::path(
    post, path = "/v1/imports/{id}/undo", tag = "Imports", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "Taken back.", body = ImportOut),
        (status = 404, description = "No such import.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It cannot be taken back.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Not kept any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn undo_import(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<ImportOut>, Problem> {
    let (app, seller, id, actor) = (app.into_inner(), caller.seller()?, *id, caller.actor());
    work_on(&app, move |app| undo::undo(&app.store, seller, ImportId(id), &actor, app.now())).await??;
    let (import, shop) = find(&app, &caller, id).await?;
    Ok(Json(shown(import, shop)))
}

/// The forms of shop systems, marketplaces and carriers that are read
///
/// A file is known by its header; an upload may name its form by `preset`.
#[utoipa::path(
    get, path = "/v1/presets", tag = "Imports",
    responses((status = 200, description = "All of them.", body = Vec<templates::PresetShown>)),
)]
pub async fn list_presets() -> Json<Vec<templates::PresetShown>> {
    Json(templates::presets().collect())
}

/// A sheet to fill in: the header, and one row as an example
#[utoipa::path(
    get, path = "/v1/import-templates/{kind}.csv", tag = "Imports",
    params(("kind" = String, Path, description = "`orders`, `tracking`, `combined`, `events` or `legs`")),
    responses(
        (status = 200, description = "The sheet.", body = String, content_type = "text/csv"),
        (status = 404, description = "No such sheet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn import_template(kind: Path<String>) -> Result<HttpResponse, Problem> {
    let sheet = templates::template(&kind);
    let no_such = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Ask for orders.csv, tracking.csv, combined.csv or events.csv.",
        )
    };
    Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(sheet.ok_or_else(no_such)?))
}
