//! The only place where an error gets its words for the outside: problem documents, RFC 9457.

mod people;

use crate::flows::show_status::StatusError;
use crate::flows::take_in::TakeInError;
use crate::flows::take_in::upload::UploadError;
use crate::flows::take_in::work::WorkError;
use crate::flows::{SecretError, StoreError};
use crate::telemetry::chain;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;

/// What went wrong, in a form that programs and people read.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// One sentence that says what to do.
    pub detail: String,
    /// The same as the end of `type`, with underscores.
    #[schema(example = "not_found")]
    pub code: String,
    /// Name it when you ask for help.
    pub request_id: Option<String>,
    /// What is wrong with which part of the request.
    pub errors: Vec<Fault>,
}

/// One part of a request that is wrong.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// A JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{}", code.replace('_', "-")),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            request_id: None,
            errors: Vec::new(),
        }
    }

    /// The answer for what is not there, and for what belongs to somebody else: the two are not told apart.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no {what} with this id."))
    }

    /// A request that could be read but says something that cannot be.
    pub fn invalid(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail.clone());
        problem.errors.push(Fault { pointer: pointer.to_owned(), code: code.to_owned(), detail });
        problem
    }

    /// A query parameter that says something that cannot be.
    pub fn bad_parameter(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "bad_parameter", detail.clone());
        problem.errors.push(Fault { pointer: name.to_owned(), code: "bad_parameter".to_owned(), detail });
        problem
    }

    /// What a page's form sent cannot be read.
    pub fn bad_form() -> Self {
        let detail = "The form could not be read. Open the page again and send it from there.";
        Self::new(StatusCode::BAD_REQUEST, "bad_form", detail)
    }

    pub fn too_large(limit: u64) -> Self {
        let detail =
            format!("The body is larger than the {limit} bytes that are taken here. Split it, or send it as gzip.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// Something broke on our side; the log knows what.
    pub fn internal() -> Self {
        let detail =
            "Something broke on our side, and nothing was half done. Try again, and name the request id if it stays.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("no_such_route", "There is no such route; /docs lists all there are."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method_not_allowed", "This route does not take this method; see /docs.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The body is larger than is taken here."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported_media_type", "This route does not read such a body; see /docs.")
            }
            status if status.is_server_error() => return Self::internal(),
            _ => ("bad_request", "The request cannot be read; see /docs for how it should look."),
        };
        Self::new(status, code, detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((header::RETRY_AFTER, "2"));
            }
            _ => {}
        }
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        let mut response = response.content_type("application/problem+json").json(self);
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// The id of a request, for whoever works on it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives every answer its request id, and makes problem documents of the errors that the framework makes.
///
/// # Errors
///
/// None of its own.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let (request, mut response) = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body().into_parts(),
        Err(error) => return Err(error),
    };
    let status = response.status();
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if (status.is_client_error() || status.is_server_error()) && !is_page {
        let told = response.extensions().get::<Problem>().cloned();
        let mut problem = told.unwrap_or_else(|| Problem::of_status(status));
        problem.request_id = Some(id.clone());
        let headers = response.headers().clone();
        response = problem.error_response();
        if let Some(allow) = headers.get(header::ALLOW) {
            response.headers_mut().insert(header::ALLOW, allow.clone());
        }
    }
    let headers = response.headers_mut();
    if let Ok(id) = header::HeaderValue::from_str(&id) {
        headers.insert(header::HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    Ok(ServiceResponse::new(request, response))
}

/// The id of a request: the caller's own, where it is short and plain, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let told = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    told.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = tracing::field::display(chain(&error)), "the store failed");
        match error {
            StoreError::Unavailable(_) => {
                let detail = "The database cannot be reached just now. Nothing was written; try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
            }
            StoreError::Full => {
                let detail = "The disk is full, and nothing was written. Make room, then send it again.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
            }
            StoreError::Taken(_) => {
                let detail =
                    "Something else wrote the same at the same moment. Read it again, then send your change again.";
                Self::new(StatusCode::CONFLICT, "conflict", detail)
            }
            StoreError::BadText => {
                let detail =
                    "A text holds a character that cannot be kept, such as NUL. Take it out and send it again.";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_text", detail)
            }
            StoreError::Refused(_) => Self::internal(),
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let detail = error.to_string();
        match error {
            UploadError::Kind(_) => Self::bad_parameter("kind", detail),
            UploadError::DateOrder(_) => Self::bad_parameter("date_order", detail),
            UploadError::TimeZone(_) => Self::bad_parameter("time_zone", detail),
            UploadError::Shop(_) => Self::bad_parameter("shop", detail),
            UploadError::NotFound => Self::not_found("import"),
            UploadError::NotADryRun(_) => Self::new(StatusCode::CONFLICT, "not_a_dry_run", detail),
            UploadError::Over(_) => Self::new(StatusCode::CONFLICT, "import_is_over", detail),
            UploadError::Store(error) => error.into(),
        }
    }
}

impl From<TakeInError> for Problem {
    fn from(error: TakeInError) -> Self {
        let detail = error.to_string();
        match error {
            TakeInError::OrderNotFound(_) => Self::invalid("/order_number", "order_not_found", detail),
            TakeInError::TrackingNumberNotFound(_) => {
                Self::invalid("/tracking_number", "tracking_number_not_found", detail)
            }
            TakeInError::Number { code, .. } => Self::invalid("/tracking_number", &code, detail),
            TakeInError::Shop(_) => Self::invalid("/shop", "shop_not_found", detail),
            TakeInError::Secret(error) => error.into(),
            TakeInError::Store(error) => error.into(),
        }
    }
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Store(error) => error.into(),
            WorkError::Row(error) => error.into(),
            WorkError::HoldLost | WorkError::File(_) => {
                tracing::error!(error = tracing::field::display(chain(&error)), "a stored file could not be read");
                Self::internal()
            }
        }
    }
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        let detail = error.to_string();
        match error {
            StatusError::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            StatusError::Gone => Self::new(StatusCode::GONE, "gone", detail),
            StatusError::Store(error) => error.into(),
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        tracing::error!(%error, "a secret could not be made");
        Self::internal()
    }
}

/// Words what the framework found wrong with a JSON body.
#[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
pub fn of_json(error: &actix_web::error::JsonPayloadError) -> Problem {
    use actix_web::error::JsonPayloadError as Json;
    match error {
        Json::OverflowKnownLength { limit, .. } | Json::Overflow { limit } => {
            Problem::too_large(u64::try_from(*limit).unwrap_or(u64::MAX))
        }
        Json::ContentType => {
            let detail = "The body must be JSON, with the header Content-Type: application/json.";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        }
        Json::Deserialize(error) if error.is_data() => {
            Problem::invalid("", "invalid_body", format!("The body is not as documented: {error}."))
        }
        Json::Deserialize(error) => {
            Problem::new(StatusCode::BAD_REQUEST, "bad_json", format!("The body is no JSON: {error}."))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "bad_json", "The body could not be read as JSON."),
    }
}
