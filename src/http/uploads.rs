//! Uploads: the file in a request's body, taken in as it streams and never held in memory.

use super::auth::Caller;
use super::imports::work_on;
use super::problem::Problem;
use crate::app::App;
use crate::domain::ids::{ImportId, SellerId};
use crate::flows::answer_once::{Fingerprint, Hold};
use crate::flows::list_imports::Import;
use crate::flows::take_in::upload::{self, ImportRequest, Incoming, UnpackedSize, UploadError};
use crate::telemetry::chain;
use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{Stream, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

/// A file that somebody sends: the body itself, or the part `file` of a form.
struct Sent {
    name: Option<String>,
    /// The parts of the form that stand before the file.
    fields: BTreeMap<String, String>,
    bytes: Pin<Box<dyn Stream<Item = Result<Bytes, Problem>>>>,
    fingerprint: Fingerprint,
    /// A part can be read only as long as its form is there.
    _form: Option<Multipart>,
}

impl Sent {
    async fn find(request: &HttpRequest, body: Payload) -> Result<Self, Problem> {
        let media_type = media_type(request);
        match media_type.as_str() {
            "multipart/form-data" => Self::find_in_form(request, Multipart::new(request.headers(), body)).await,
            "application/json" | "application/x-www-form-urlencoded" | "application/xml" => {
                let detail = "Send the file itself as text/csv, or as the part `file` of a multipart form.";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
            }
            _ => {
                let bytes = Box::pin(body.map_err(|_broken| broken_upload()));
                let fingerprint = begin(request, &media_type, &[""]);
                Ok(Self { name: None, fields: BTreeMap::new(), bytes, fingerprint, _form: None })
            }
        }
    }

    async fn find_in_form(request: &HttpRequest, mut form: Multipart) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        while let Some(mut part) = form.try_next().await.map_err(|_broken| broken_upload())? {
            if let Some(name) = part.name().filter(|name| *name != "file").map(str::to_owned) {
                if fields.len() >= FIELDS {
                    return Err(Problem::invalid("/file", "too_many_parts", "The form has too many parts."));
                }
                fields.insert(name, text_of(&mut part).await?);
            } else if part.name() == Some("file") {
                let disposition = part.content_disposition();
                let name = disposition.and_then(|it| it.get_filename());
                let name: Option<String> = name.map(|name| name.chars().take(255).collect());
                let told: Vec<&str> =
                    name.as_deref().into_iter().chain(fields.get("mapping").map(String::as_str)).collect();
                let fingerprint = begin(request, "multipart/form-data", &told);
                let bytes = Box::pin(part.map_err(|_broken| broken_upload()));
                return Ok(Self { name, fields, bytes, fingerprint, _form: Some(form) });
            }
        }
        Err(Problem::invalid("/file", "missing_file", "The form has no part `file`."))
    }
}

/// A form's boundary is another one each time it is sent, so the file alone counts, and how it is to be read.
fn begin(request: &HttpRequest, media_type: &str, told: &[&str]) -> Fingerprint {
    let (method, path, query) = (request.method().as_str(), request.path(), request.query_string());
    Fingerprint::of(&[&[method, path, query, media_type], told].concat())
}

/// So long a part before the file may be, and so many there may be.
const FIELD_BYTES: usize = 64 * 1024;
const FIELDS: usize = 20;

async fn text_of(part: &mut Field) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(more) = part.try_next().await.map_err(|_broken| broken_upload())? {
        bytes.extend_from_slice(&more);
        if bytes.len() > FIELD_BYTES {
            return Err(Problem::invalid("/file", "too_long", "A part before the file is longer than 64 KiB."));
        }
    }
    String::from_utf8(bytes).map_err(|_not_text| broken_upload())
}

fn mapping_in(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(text).map_err(|_other_form| bad_mapping())
}

fn bad_mapping() -> Problem {
    let detail = "The part `mapping` is no JSON object of headers and column names, such as \
                  {\"Beleg\": \"order_number\"}. It comes before the part `file`.";
    Problem::invalid("/mapping", "bad_mapping", detail)
}

fn media_type(request: &HttpRequest) -> String {
    let told = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("text/csv");
    told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn broken_upload() -> Problem {
    let detail = "The upload broke off, and nothing of it was kept. Send the file again.";
    Problem::new(StatusCode::BAD_REQUEST, "broken_upload", detail)
}

/// Takes a file in; it is durable when this returns.
pub async fn receive(
    app: &Arc<App>,
    caller: &Caller,
    mut asked: ImportRequest,
    request: &HttpRequest,
    body: Payload,
) -> Result<Import, Problem> {
    let mut sent = Sent::find(request, body).await?;
    asked.options.mapping = mapping_in(sent.fields.get("mapping").map_or("", |it| it))?;
    receive_sent(app, caller, asked, (request, &mut sent)).await
}

/// Takes the file of a form in; what the form says before the file tells how it is to be read.
pub async fn receive_form(
    app: &Arc<App>,
    caller: &Caller,
    asked: impl FnOnce(BTreeMap<String, String>) -> ImportRequest,
    request: &HttpRequest,
    body: Payload,
) -> Result<Import, Problem> {
    let mut sent = Sent::find(request, body).await?;
    let asked = asked(std::mem::take(&mut sent.fields));
    receive_sent(app, caller, asked, (request, &mut sent)).await
}

async fn receive_sent(
    app: &Arc<App>,
    caller: &Caller,
    mut asked: ImportRequest,
    (request, sent): (&HttpRequest, &mut Sent),
) -> Result<Import, Problem> {
    let (seller, key) = (caller.seller()?, caller.0.id);
    let hold: Option<Hold> = request.extensions().get().cloned();
    asked.file_name = sent.name.take();
    let shared = Arc::clone(app);
    // The guard is made with the import: this request may end while its first row is being written.
    let begin = move |app: &App| {
        let incoming = upload::begin(&app.store, seller, &asked, key, app.now())?;
        let unfinished = Unfinished { upload: Some(UploadRef { app: shared, seller, import: incoming.id() }) };
        Ok::<_, UploadError>((incoming, unfinished))
    };
    let (incoming, unfinished) = work_on(app, begin).await??;
    let incoming = match receive_bytes(app, incoming, sent).await {
        Ok(incoming) => incoming,
        Err(problem) => {
            unfinished.discard().await?;
            return Err(problem);
        }
    };
    let fingerprint = std::mem::replace(&mut sent.fingerprint, Fingerprint::of(&[])).end();
    let complete = move |app: &App| {
        let sent_as = hold.as_ref().map(|hold| (hold, fingerprint.as_slice()));
        let import = incoming.complete(&app.store, sent_as)?;
        unfinished.keep();
        Ok::<_, UploadError>(import)
    };
    Ok(work_on(app, complete).await??)
}

/// Deletes what has arrived of a file when its request ends before the file is whole: also where the client is gone, and
/// the server drops the request without another word.
struct Unfinished {
    /// `None` once the file is whole, or deleted.
    upload: Option<UploadRef>,
}

struct UploadRef {
    app: Arc<App>,
    seller: SellerId,
    import: ImportId,
}

impl Unfinished {
    fn keep(mut self) {
        self.upload = None;
    }

    async fn discard(mut self) -> Result<(), Problem> {
        let Some(UploadRef { app, seller, import }) = self.upload.take() else { return Ok(()) };
        Ok(work_on(&app, move |app| upload::discard(&app.store, seller, import)).await??)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(UploadRef { app, seller, import }) = self.upload.take() else { return };
        let discard = move || {
            if let Err(error) = upload::discard(&app.store, seller, import) {
                tracing::warn!(error = tracing::field::display(chain(&error)), "a cut upload could not be deleted");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(discard)),
            Err(_none) => discard(),
        }
    }
}

async fn receive_bytes(app: &Arc<App>, mut incoming: Incoming, sent: &mut Sent) -> Result<Incoming, Problem> {
    let limit = app.config.max_upload_bytes;
    let mut unpacked = UnpackedSize::default();
    while let Some(bytes) = sent.bytes.next().await {
        let bytes = bytes?;
        sent.fingerprint.take(&bytes);
        let full = incoming.take(&bytes);
        if incoming.bytes() > limit {
            return Err(Problem::too_large(limit));
        }
        let see = move |_: &App| {
            unpacked.see(&bytes);
            unpacked
        };
        unpacked = work_on(app, see).await?;
        if unpacked.is_too_large() {
            return Err(Problem::too_large_unpacked(upload::UNPACKED_BYTES));
        }
        if full {
            incoming = work_on(app, move |app| incoming.keep(&app.store).map(|()| incoming)).await??;
        }
    }
    incoming.note_unpacked(unpacked.total());
    Ok(incoming)
}

/// Reads a file to its end for its fingerprint alone.
pub async fn fingerprint(app: &Arc<App>, request: &HttpRequest, body: Payload) -> Result<Vec<u8>, Problem> {
    let limit = app.config.max_upload_bytes;
    let (mut sent, mut read) = (Sent::find(request, body).await?, 0_u64);
    while let Some(bytes) = sent.bytes.next().await {
        let bytes = bytes?;
        read += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if read > limit {
            return Err(Problem::too_large(limit));
        }
        sent.fingerprint.take(&bytes);
    }
    Ok(sent.fingerprint.end())
}
