//! `Idempotency-Key`: a create that is sent again under its key is answered again, and not done again.
//!
//! A route says in the table of routes whether it heeds the header. Routes that answer a secret never do: a secret is
//! shown once.

use super::auth::{self, Caller};
use super::problem::{OUTCOME_UNKNOWN, Problem};
use super::{imports, uploads};
use crate::app::{self, App};
use crate::flows::answer_once::{self, Answer, Asked, Done, Fingerprint, Hold, Turn};
use crate::telemetry::chain;
use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest as _, HttpMessage as _, HttpResponse, ResponseError as _};
use futures_util::StreamExt as _;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotent-replayed";
const LONGEST_KEY: usize = 255;
/// A key is held for a minute; a slow upload takes longer.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// What is given again besides status and body.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// Whether a route heeds an `Idempotency-Key`, and what its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It does not: each request is carried out.
    CarriedOut,
    /// It does, and holds a body of so many bytes at most to know it again.
    AnsweredOnce { most_bytes: usize },
    /// It does, and its body is a file, which is known again as it streams.
    FileAnsweredOnce,
}

/// A route that heeds the header.
pub struct Door {
    pub repeats: Repeats,
    /// Method and path, as in the table of routes.
    pub route: String,
}

/// Carries a request out, once for each key of a seller; a request without a key is carried out as it comes.
///
/// # Errors
///
/// None of its own.
pub async fn answer_once(
    door: Rc<Door>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let key = match key_in(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    // A task of its own goes on when the client is gone, who may come back for the answer.
    let asked = request.request().clone();
    let work = async move { under_key(&door, key, request, next).await };
    actix_web::rt::spawn(work.in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request under a key broke off; the key is free again when its time is up");
        Ok(ServiceResponse::new(asked, Problem::internal().error_response()))
    })
}

async fn under_key(
    door: &Door,
    key: String,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match open(door, key, &mut request).await {
        Ok(Opened::Mine(app, hold)) => {
            let answered = while_held(&app, &hold, next.call(request)).await;
            settle(&app, hold, answered).await
        }
        Ok(Opened::Again(answer)) => Ok(request.into_response(answer)),
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

enum Opened {
    /// Nobody has done it.
    Mine(Arc<App>, Hold),
    /// It was done, and answered so.
    Again(HttpResponse),
}

async fn open(door: &Door, key: String, request: &mut ServiceRequest) -> Result<Opened, Problem> {
    let app = auth::app_of(request.request())?.into_inner();
    let caller = Caller::from_request(request.request(), &mut Payload::None).await?;
    let asked = Asked { seller: caller.seller()?, route: door.route.clone(), key };
    let told = match door.repeats {
        Repeats::AnsweredOnce { most_bytes } => Some(fingerprint(request, most_bytes).await?),
        Repeats::FileAnsweredOnce | Repeats::CarriedOut => None,
    };
    let still_to_come = told.is_none();
    let begin = move |app: &App| answer_once::begin(&app.store, &app.secrets, &asked, told.as_deref(), app.now());
    match app::in_background(&app, begin).await.ok_or_else(Problem::internal)?? {
        Turn::Mine(hold) => {
            // An upload notes its import under the hold.
            request.extensions_mut().insert(hold.clone());
            Ok(Opened::Mine(app, hold))
        }
        Turn::Done(done) => {
            if still_to_come && !done.is_of(&fingerprint_of_file(&app, request).await?) {
                return Err(Problem::idempotency_key_reused());
            }
            again(&app, &caller, done).await.map(Opened::Again)
        }
        Turn::InProgress => Err(Problem::idempotency_in_progress()),
        Turn::OtherRequest => Err(Problem::idempotency_key_reused()),
    }
}

async fn fingerprint_of_file(app: &Arc<App>, request: &mut ServiceRequest) -> Result<Vec<u8>, Problem> {
    let body = request.extract::<web::Payload>().await.map_err(|_never| Problem::internal())?;
    uploads::fingerprint(app, request.request(), body).await
}

fn key_in(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut told = headers.get_all(KEY);
    let Some(key) = told.next() else { return Ok(None) };
    let fits = (1..=LONGEST_KEY).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(key) if fits && told.next().is_none() => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => Err(Problem::bad_idempotency_key()),
    }
}

/// Reads the body for its fingerprint, and gives it back for the handler.
async fn fingerprint(request: &mut ServiceRequest, most_bytes: usize) -> Result<Vec<u8>, Problem> {
    let (mut payload, mut body) = (request.take_payload(), BytesMut::new());
    while let Some(bytes) = payload.next().await {
        let bytes = bytes.map_err(|_broken| Problem::broken_body())?;
        if body.len() + bytes.len() > most_bytes {
            return Err(Problem::too_large(u64::try_from(most_bytes).unwrap_or(u64::MAX)));
        }
        body.extend_from_slice(&bytes);
    }
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (method, path, query) = (request.method().as_str(), request.path(), request.query_string());
    let mut fingerprint = Fingerprint::of(&[method, path, query, media_type]);
    fingerprint.take(&body);
    request.set_payload(Payload::from(body.freeze()));
    Ok(fingerprint.end())
}

/// Gives what was answered before.
async fn again(app: &Arc<App>, caller: &Caller, done: Done) -> Result<HttpResponse, Problem> {
    let mut response = match (done.answer, done.import) {
        (Some(answer), _) => {
            let status = StatusCode::from_u16(answer.status).map_err(|_never| Problem::internal())?;
            let mut response = HttpResponse::build(status);
            for header in answer.headers {
                response.insert_header(header);
            }
            response.body(answer.body)
        }
        (None, Some(import)) => imports::accepted_before(app, caller, import).await?,
        (None, None) => return Err(Problem::internal()),
    };
    response.headers_mut().insert(HeaderName::from_static(REPLAYED), header::HeaderValue::from_static("true"));
    Ok(response)
}

async fn while_held<T>(app: &Arc<App>, hold: &Hold, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(RENEW_EVERY, &mut work).await {
            return done;
        }
        let hold = hold.clone();
        let renewed = app::in_background(app, move |app| answer_once::renew(&app.store, &hold, app.now())).await;
        if let Some(Err(error)) = renewed {
            tracing::warn!(error = tracing::field::display(chain(&error)), "a key could not be held longer");
        }
    }
}

/// Keeps the answer to what was done; a request that was refused leaves its key free.
async fn settle(
    app: &Arc<App>,
    hold: Hold,
    answered: Result<ServiceResponse<impl MessageBody + 'static>, actix_web::Error>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answered = answered.map(ServiceResponse::map_into_boxed_body);
    let (request, response) = match answered {
        Ok(answered) if answered.status().is_success() => answered.into_parts(),
        Ok(_) | Err(_) => {
            if is_unknown(&answered) {
                leave_unknown(app, hold).await;
            } else {
                let_go(app, hold).await;
            }
            return answered;
        }
    };
    let (head, body) = response.into_parts();
    let Ok(body) = body::to_bytes(body).await else {
        let_go(app, hold).await;
        return Ok(ServiceResponse::new(request, Problem::internal().error_response()));
    };
    match answer_of(&head, &body) {
        Some(answer) => keep(app, hold, answer).await,
        None => let_go(app, hold).await,
    }
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

/// Whether nobody knows if the request was carried out.
fn is_unknown(answered: &Result<ServiceResponse<BoxBody>, actix_web::Error>) -> bool {
    let says_so = |response: &HttpResponse| {
        response.extensions().get::<Problem>().is_some_and(|problem| problem.code == OUTCOME_UNKNOWN)
    };
    match answered {
        Ok(answered) => says_so(answered.response()),
        Err(error) => says_so(&error.error_response()),
    }
}

async fn leave_unknown(app: &Arc<App>, hold: Hold) {
    let left = app::in_background(app, move |app| answer_once::leave_unknown(&app.store, &hold, app.now())).await;
    if let Some(Err(error)) = left {
        tracing::error!(error = tracing::field::display(chain(&error)), "a key stays held until its time is up");
    }
}

/// An answer as it is kept; `None` for one that is no text, which no marked route gives.
fn answer_of(head: &HttpResponse<()>, body: &Bytes) -> Option<Answer> {
    let told = |name: &HeaderName| Some((name.to_string(), head.headers().get(name)?.to_str().ok()?.to_owned()));
    let headers = HEADERS.iter().filter_map(told).collect();
    Some(Answer { status: head.status().as_u16(), headers, body: String::from_utf8(body.to_vec()).ok()? })
}

async fn keep(app: &Arc<App>, hold: Hold, answer: Answer) {
    let keep = move |app: &App| answer_once::keep(&app.store, &app.secrets, &hold, &answer);
    if let Some(Err(error)) = app::in_background(app, keep).await {
        tracing::error!(error = tracing::field::display(chain(&error)), "an answer could not be kept");
    }
}

async fn let_go(app: &Arc<App>, hold: Hold) {
    let freed = app::in_background(app, move |app| answer_once::let_go(&app.store, &hold, app.now())).await;
    if let Some(Err(error)) = freed {
        tracing::error!(error = tracing::field::display(chain(&error)), "a key could not be set free");
    }
}

/// Writes the header, and what it may be answered with, into the specification of every route that heeds it.
pub struct KeyHeader;

impl utoipa::Modify for KeyHeader {
    fn modify(&self, openapi: &mut OpenApi) {
        for route in super::routes().iter().filter(|route| route.manner.repeats != Repeats::CarriedOut) {
            let operation = openapi.paths.paths.get_mut(&route.path).and_then(|item| item.post.as_mut());
            if let Some(operation) = operation {
                describe(operation);
            }
        }
    }
}

fn describe(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "1 to 255 visible ASCII characters of your choice, such as a UUID. The same request sent again under it \
             within 24 hours is answered as the first one was, with `Idempotent-Replayed: true`, and not done again.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(LONGEST_KEY))))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
    let answers = &mut operation.responses.responses;
    for answer in answers.iter_mut().filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer) {
        if let RefOr::T(answer) = answer {
            let replayed = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
            answer.headers.insert("Idempotent-Replayed".to_owned(), replayed.into());
        }
    }
    for (status, description) in [
        ("400", "A bad `Idempotency-Key`."),
        ("409", "A request with this `Idempotency-Key` is being worked on."),
        ("422", "The `Idempotency-Key` was used for another request."),
    ] {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let answer = ResponseBuilder::new().description(description).content("application/problem+json", problem);
        answers.entry(status.to_owned()).or_insert_with(|| answer.build().into());
    }
}
