//! Imports as clerks see them: upload a file, try it, look at its rows by problem, take it in, take it back.

use super::guard::Visitor;
use super::{Frame, page, see_other, words};
use crate::app::{self, App};
use crate::domain::ids::ImportId;
use crate::flows::list_imports::{self, Import};
use crate::flows::manage_settings;
use crate::flows::manage_shops::{self, Shop};
use crate::flows::take_in::rows::{self, ImportRow, RowsAsked};
use crate::flows::take_in::upload::{self, ImportOptions, ImportRequest};
use crate::flows::take_in::{repaired, undo};
use crate::flows::templates::{self, PresetShown};
use crate::http::auth::Caller;
use crate::http::imports::work_on;
use crate::http::problem::Problem;
use crate::http::{paging, uploads};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const ROWS: i64 = 50;
/// So many rows are looked through for those of one problem before a page is shown.
const LOOKED_THROUGH: i64 = 20_000;
const KINDS: [(&str, &str); 5] = [
    ("orders", "Orders"),
    ("tracking", "Tracking numbers"),
    ("combined", "Orders with tracking numbers"),
    ("events", "Tracking events"),
    ("legs", "Legs of a forwarder"),
];

/// An import in one line.
struct Line {
    id: Uuid,
    name: String,
    state: String,
    mood: &'static str,
    total: i64,
    told: String,
    uploaded: String,
}

impl Line {
    fn of(import: &Import, zone: &TimeZone) -> Self {
        let state = match import.state.as_str() {
            _ if import.undone_at.is_some() => "Taken back".to_owned(),
            "completed" if import.dry_run => "Tried".to_owned(),
            "completed" => "Done".to_owned(),
            other => words::plain(other),
        };
        let mood = match import.state.as_str() {
            "failed" => "bad",
            "completed" if import.rows_rejected > 0 => "warn",
            "completed" if import.undone_at.is_none() => "good",
            _ => "calm",
        };
        let counts = Part::all(import).into_iter().map(|part| format!("{} {}", part.count, part.words));
        Self {
            id: import.id.0,
            name: import.about.file_name.clone().unwrap_or_else(|| "A file without a name".to_owned()),
            state,
            mood,
            total: import.rows_total,
            told: counts.collect::<Vec<_>>().join(", "),
            uploaded: words::moment(zone.to_datetime(import.created_at.0)),
        }
    }
}

/// One part of the picture: so many rows of one outcome.
struct Part {
    class: &'static str,
    words: &'static str,
    count: i64,
    from: i64,
    width: i64,
}

impl Part {
    fn all(import: &Import) -> Vec<Self> {
        let total = import.rows_total.max(import.rows_done()).max(1);
        let mut from = 0;
        let counts = [
            ("created", if import.dry_run { "would be new" } else { "new" }, import.rows_created),
            ("updated", if import.dry_run { "would be changed" } else { "changed" }, import.rows_updated),
            ("unchanged", "known already", import.rows_unchanged),
            ("rejected", "rejected", import.rows_rejected),
        ];
        let mut parts = Vec::new();
        for (class, words, count) in counts.into_iter().filter(|(_, _, count)| *count > 0) {
            // A few rows among many are still to be seen.
            let width = (count.saturating_mul(1000) / total).max(6);
            parts.push(Self { class, words, count, from, width });
            from += width;
        }
        parts
    }
}

#[derive(Template)]
#[template(path = "pages/imports.html")]
struct ImportsPage {
    frame: Frame,
    rows: Vec<Line>,
    next_cursor: Option<String>,
    kinds: &'static [(&'static str, &'static str)],
    presets: Vec<PresetShown>,
    shops: Vec<Shop>,
    may_upload: bool,
    /// Whether the seller has doubtful numbers kept out.
    is_strict: bool,
    fault: Option<String>,
}

/// Which page of the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct ImportsPageQuery {
    /// The place in the list, from the link to the next page.
    #[serde(default)]
    cursor: String,
}

/// The imports, and the form to upload a file
#[utoipa::path(get, path = "/imports")]
pub async fn list_imports(
    app: Data<App>,
    visitor: Visitor,
    query: Query<ImportsPageQuery>,
) -> Result<HttpResponse, Problem> {
    imports_page(&app.into_inner(), &visitor, &query.cursor, (StatusCode::OK, None)).await
}

async fn imports_page(
    app: &Arc<App>,
    visitor: &Visitor,
    cursor: &str,
    (status, fault): (StatusCode, Option<String>),
) -> Result<HttpResponse, Problem> {
    let before: Option<ImportId> = paging::cursor(Some(cursor).filter(|cursor| !cursor.is_empty()))?;
    let (seller, frame, may_upload) = (visitor.seller, Frame::of(app, visitor, "Imports"), visitor.is_clerk());
    let found = app::read(app, move |app| {
        let settings = manage_settings::show_settings(&app.store, seller)?;
        let zone = settings.zone();
        let imports = list_imports::list_imports(&app.store, seller, before, ROWS + 1)?;
        let listed = paging::page(imports, ROWS, |it| it.id.to_string(), |it| Line::of(&it, &zone));
        Ok::<_, crate::flows::StoreError>(ImportsPage {
            frame,
            rows: listed.data,
            next_cursor: listed.next_cursor,
            kinds: &KINDS,
            presets: templates::presets().collect(),
            shops: manage_shops::list_shops(&app.store, seller)?,
            may_upload,
            is_strict: settings.strict_imports,
            fault,
        })
    });
    page(status, &found.await.ok_or_else(Problem::internal)??)
}

/// Upload a file
#[utoipa::path(post, path = "/imports")]
pub async fn upload_import(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    match uploads::receive_form(&app, &caller, asked, &request, body).await {
        Ok(import) => {
            app.ring_for_import();
            Ok(see_other(&format!("/imports/{}", import.id)))
        }
        Err(problem) if (400..500).contains(&problem.status) => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            imports_page(&app, &visitor, "", (status, Some(problem.detail))).await
        }
        Err(problem) => Err(problem),
    }
}

fn asked(mut fields: BTreeMap<String, String>) -> ImportRequest {
    let mut field = |name: &str| fields.remove(name).filter(|text| !text.trim().is_empty());
    ImportRequest {
        kind: field("kind"),
        shop: field("shop"),
        dry_run: field("dry_run").is_some(),
        file_name: None,
        options: ImportOptions {
            date_order: field("date_order"),
            time_zone: None,
            create_orders: field("create_orders").is_some(),
            strict: Some(field("strict").is_some()),
            preset: field("preset"),
            encoding: field("encoding"),
            mapping: BTreeMap::new(),
            all_or_nothing: field("all_or_nothing").is_some(),
        },
    }
}

/// What was wrong with a file or a row, in words.
#[derive(Debug, Clone, Deserialize)]
struct FaultShown {
    line: Option<u64>,
    #[serde(default)]
    detail: String,
}

struct RowFault {
    class: &'static str,
    column: String,
    detail: String,
    repair: Option<String>,
}

struct RowShown {
    line: i64,
    outcome: String,
    mood: &'static str,
    read: Vec<(String, String)>,
    faults: Vec<RowFault>,
}

impl RowShown {
    fn of(row: &ImportRow) -> Self {
        let mut faults = faults_in(&row.report.errors, "bad");
        faults.extend(faults_in(&row.report.warnings, "warn"));
        let cells = row.report.cells.as_object().into_iter().flatten();
        let read = cells.filter_map(|(name, value)| Some((words::plain(name), value.as_str()?.to_owned())));
        let mood = match row.outcome.as_str() {
            "rejected" => "bad",
            _ if !faults.is_empty() => "warn",
            "unchanged" => "calm",
            _ => "good",
        };
        Self { line: row.line, outcome: row.outcome.clone(), mood, read: read.collect(), faults }
    }
}

fn faults_in(faults: &Value, class: &'static str) -> Vec<RowFault> {
    let text = |fault: &Value, member: &str| fault.get(member).and_then(Value::as_str).map(str::to_owned);
    let fault = |it: &Value| RowFault {
        class,
        column: text(it, "column").unwrap_or_default(),
        detail: text(it, "detail").unwrap_or_default(),
        repair: text(it, "repair"),
    };
    faults.as_array().into_iter().flatten().map(fault).collect()
}

struct ProblemShown {
    code: String,
    words: String,
    count: u64,
}

#[derive(Template)]
#[template(path = "pages/import.html")]
#[allow(clippy::struct_excessive_bools, reason = "what may be done is asked one by one")]
struct ImportPage {
    frame: Frame,
    it: Line,
    parts: Vec<Part>,
    errors: Vec<FaultShown>,
    problems: Vec<ProblemShown>,
    rows: Vec<RowShown>,
    next_cursor: Option<String>,
    code: String,
    columns: Vec<(String, Option<String>)>,
    warnings: Vec<FaultShown>,
    form: String,
    dry_run: bool,
    is_over: bool,
    has_rejected: bool,
    may_act: bool,
    may_commit: bool,
    may_undo: bool,
    fault: Option<String>,
    done: Option<&'static str>,
}

/// Which rows of an import are shown.
#[derive(Debug, Default, Deserialize)]
pub struct ImportPageQuery {
    /// Only rows with this problem.
    #[serde(default)]
    code: String,
    /// The place among the rows, from the link to the next page.
    #[serde(default)]
    cursor: String,
}

/// One import, with its rows by problem
#[utoipa::path(get, path = "/imports/{id}")]
pub async fn show_import(
    app: Data<App>,
    visitor: Visitor,
    id: Path<Uuid>,
    query: Query<ImportPageQuery>,
) -> Result<HttpResponse, Problem> {
    import_page(&app.into_inner(), &visitor, (*id, query.into_inner()), (StatusCode::OK, None)).await
}

async fn import_page(
    app: &Arc<App>,
    visitor: &Visitor,
    (id, query): (Uuid, ImportPageQuery),
    (status, fault): (StatusCode, Option<String>),
) -> Result<HttpResponse, Problem> {
    let after: i64 = paging::cursor(Some(query.cursor.as_str()).filter(|it| !it.is_empty()))?.unwrap_or(0);
    let (visitor, code) = (visitor.clone(), query.code);
    let shown = work_on(app, move |app| -> Result<_, Problem> {
        let import = found(app, &visitor, id)?;
        let zone = manage_settings::show_settings(&app.store, visitor.seller)?.zone();
        let (rows, next_cursor) = rows_of(app, &import, &code, after)?;
        let title = if import.is_over() { "Import".to_owned() } else { "Import at work…".to_owned() };
        let survey = import.about.survey.clone().unwrap_or_default();
        Ok(ImportPage {
            frame: Frame::of(app, &visitor, title),
            it: Line::of(&import, &zone),
            parts: Part::all(&import),
            errors: told(import.about.failure.clone().unwrap_or_default()),
            problems: problems(&import),
            rows: rows.iter().map(RowShown::of).collect(),
            next_cursor,
            code,
            columns: columns(&survey),
            warnings: told(survey.get("warnings").cloned().unwrap_or_default()),
            form: survey.get("preset").and_then(Value::as_str).unwrap_or_default().to_owned(),
            dry_run: import.dry_run,
            is_over: import.is_over(),
            has_rejected: import.rows_rejected > 0 && !import.has_lost_its_file(),
            may_act: visitor.is_clerk(),
            may_commit: import.dry_run && import.state == "completed" && !import.has_lost_its_file(),
            may_undo: !import.dry_run
                && import.state == "completed"
                && import.undone_at.is_none()
                && import.rows_created > 0,
            fault,
            done: import.undone_at.map(|_| "This import was taken back. The file may be uploaded again."),
        })
    });
    page(status, &shown.await??)
}

fn found(app: &App, visitor: &Visitor, id: Uuid) -> Result<Import, Problem> {
    let import = list_imports::show_import(&app.store, visitor.seller, ImportId(id))?;
    import.ok_or_else(|| Problem::not_found("import"))
}

/// Rejected rows come first to mind, so a problem is looked for among the rows that have something to say.
fn rows_of(app: &App, import: &Import, code: &str, after: i64) -> Result<(Vec<ImportRow>, Option<String>), Problem> {
    if import.expired_at.is_some() {
        return Ok((Vec::new(), None));
    }
    let mut asked = RowsAsked { outcome: None, after, limit: ROWS + 1, with_something_to_say: !code.is_empty() };
    let (mut rows, mut looked) = (Vec::new(), 0);
    loop {
        let more = rows::list_rows(&app.store, import, &asked, app.now())?;
        let Some(last) = more.last().map(|row| row.line) else { break };
        looked += asked.limit;
        rows.extend(more.into_iter().filter(|row| code.is_empty() || has(row, code)));
        if i64::try_from(rows.len()).is_ok_and(|found| found > ROWS) || looked >= LOOKED_THROUGH {
            break;
        }
        (asked.after, asked.limit) = (last, 1000);
    }
    let listed = paging::page(rows, ROWS, |row| row.line.to_string(), |row| row);
    Ok((listed.data, listed.next_cursor))
}

fn has(row: &ImportRow, code: &str) -> bool {
    let faults = [&row.report.errors, &row.report.warnings].into_iter().filter_map(Value::as_array).flatten();
    faults.filter_map(|it| it.get("code")?.as_str()).any(|it| it == code)
}

fn told(faults: Value) -> Vec<FaultShown> {
    serde_json::from_value(faults).unwrap_or_default()
}

fn problems(import: &Import) -> Vec<ProblemShown> {
    let counts = import.problems.0.as_object().into_iter().flatten();
    let shown = |(code, count): (&String, &Value)| ProblemShown {
        code: code.clone(),
        words: words::plain(code),
        count: count.as_u64().unwrap_or(0),
    };
    let mut problems: Vec<ProblemShown> = counts.map(shown).collect();
    problems.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    problems
}

fn columns(survey: &Value) -> Vec<(String, Option<String>)> {
    let columns = survey.get("columns").and_then(Value::as_object).into_iter().flatten();
    columns.map(|(header, name)| (header.clone(), name.as_str().map(words::plain))).collect()
}

/// The rejected rows, to mend and send again
#[utoipa::path(get, path = "/imports/{id}/repaired.csv")]
pub async fn repaired_import(app: Data<App>, visitor: Visitor, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, id) = (app.into_inner(), *id);
    let file = work_on(&app, move |app| -> Result<_, Problem> {
        let import = found(app, &visitor, id)?;
        Ok(repaired::repaired_file(&app.store, &import, app.now())?)
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"repaired.csv\""))
        .body(file.await??))
}

/// Back to the import: with what it is now, or with what is wrong.
async fn back(
    app: &Arc<App>,
    visitor: &Visitor,
    id: Uuid,
    outcome: Result<(), Problem>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(()) => {
            app.ring_for_import();
            Ok(see_other(&format!("/imports/{id}")))
        }
        Err(problem) if problem.status == 409 || problem.status == 410 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::CONFLICT);
            let query = ImportPageQuery::default();
            import_page(app, visitor, (id, query), (status, Some(problem.detail))).await
        }
        Err(problem) => Err(problem),
    }
}

/// Take in for real what was tried
#[utoipa::path(post, path = "/imports/{id}/commit")]
pub async fn commit_import(app: Data<App>, visitor: Visitor, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), visitor.seller, *id);
    let done = work_on(&app, move |app| upload::commit(&app.store, seller, ImportId(id)).map(drop)).await?;
    back(&app, &visitor, id, done.map_err(Problem::from)).await
}

/// Stop an import where it is
#[utoipa::path(post, path = "/imports/{id}/cancel")]
pub async fn cancel_import(app: Data<App>, visitor: Visitor, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), visitor.seller, *id);
    let done = work_on(&app, move |app| upload::cancel(&app.store, seller, ImportId(id), app.now()).map(drop)).await?;
    back(&app, &visitor, id, done.map_err(Problem::from)).await
}

/// Take an import back
#[utoipa::path(post, path = "/imports/{id}/undo")]
pub async fn undo_import(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id, actor) = (app.into_inner(), visitor.seller, *id, caller.actor());
    let undone = move |app: &App| undo::undo(&app.store, seller, ImportId(id), &actor, app.now()).map(drop);
    let done = work_on(&app, undone).await?;
    back(&app, &visitor, id, done.map_err(Problem::from)).await
}
