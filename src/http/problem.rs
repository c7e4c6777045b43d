//! The only place where an error gets its words for the outside: problem documents, RFC 9457.

mod carriers;
mod people;

use crate::app::slow_reads::TooMany;
use crate::flows::access_tokens::TokenError;
use crate::flows::list_changes::FeedError;
use crate::flows::privacy::PrivacyError;
use crate::flows::refresh_shipment::RefreshError;
use crate::flows::show_status::StatusError;
use crate::flows::take_in::rows::RowsError;
use crate::flows::take_in::undo::UndoError;
use crate::flows::take_in::upload::UploadError;
use crate::flows::take_in::work::WorkError;
use crate::flows::take_in::{ChangeError, TakeInError};
use crate::flows::{SecretError, StoreError};
use crate::limits::Spent;
use crate::telemetry::chain;
use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The code of an answer that is not there yet, and will be.
const IN_PROGRESS: &str = "idempotency_in_progress";

/// The code of an answer to a write of which nobody knows whether it happened.
pub(super) const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// A seller's waiting imports are fewer after some seconds at the earliest.
const WAITING_S: u64 = 30;

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
    /// When it is worth trying again, in seconds.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
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
            retry_after_s: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(2),
        }
    }

    /// The answer for what is not there, and for what belongs to somebody else: the two are not told apart.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// A request that could be read but says something that cannot be.
    pub fn invalid(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail.clone());
        problem.errors.push(Fault { pointer: pointer.to_owned(), code: code.to_owned(), detail });
        problem
    }

    /// The same problem of a part of a greater body.
    pub fn within(mut self, pointer: &str) -> Self {
        for fault in &mut self.errors {
            fault.pointer.insert_str(0, pointer);
        }
        self
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

    pub fn too_large_unpacked(limit: u64) -> Self {
        let megabytes = limit / (1024 * 1024);
        let detail =
            format!("The file holds more than {megabytes} MiB when it is unpacked. Split it into several files.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub fn too_large(limit: u64) -> Self {
        let detail =
            format!("The body is larger than the {limit} bytes that are taken here. Split it, or send it as gzip.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub fn broken_body() -> Self {
        let detail = "The body broke off before its end, and nothing was done. Send it again.";
        Self::new(StatusCode::BAD_REQUEST, "broken_body", detail)
    }

    pub fn bad_idempotency_key() -> Self {
        let detail = "An Idempotency-Key is sent once, and has 1 to 255 visible ASCII characters, without blanks.";
        Self::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", detail)
    }

    pub fn idempotency_in_progress() -> Self {
        let detail = "A request with this Idempotency-Key is being worked on. Ask again in a moment for its answer.";
        Self { retry_after_s: Some(1), ..Self::new(StatusCode::CONFLICT, IN_PROGRESS, detail) }
    }

    pub fn idempotency_key_reused() -> Self {
        let detail = "This Idempotency-Key was used for another request in the last 24 hours. Use a new one.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
    }

    /// Something broke on our side; the log knows what.
    pub fn internal() -> Self {
        let detail =
            "Something broke on our side, and nothing was half done. Try again, and name the request id if it stays.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The one answer to every look-up that shows nothing.
    pub fn nothing_to_show() -> Self {
        let detail = "No order was found for this. Look at the shop, the number, and the e-mail address or postal code, or \
                      ask the seller.";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    fn import_expired() -> Self {
        let detail = "This upload is not kept any more: it has grown old, or somebody in it was erased. Its counts stay; \
                      upload the file again if you need its rows.";
        Self::new(StatusCode::GONE, "import_expired", detail)
    }

    /// A request line or headers beyond what is read; `limit` in bytes.
    pub fn too_long(status: StatusCode, what: &str, limit: usize) -> Self {
        let code = if status == StatusCode::URI_TOO_LONG { "uri_too_long" } else { "headers_too_large" };
        Self::new(status, code, format!("The {what} longer than the {limit} bytes that are read here. Send less."))
    }

    /// The answer where the framework gave a status and no words.
    pub fn of_status(status: StatusCode) -> Self {
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
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        let mut response = response.content_type("application/problem+json").json(self);
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = tracing::field::display(chain(&error)), "the store failed");
        match error {
            StoreError::Unavailable(_) => {
                let detail = "The database cannot be reached just now. Nothing was written; try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
            }
            StoreError::CommitUnknown(_) => {
                let detail = "The connection to the database was lost at the end of the write. It may have been written. Send \
                              it again with the same Idempotency-Key, or look first whether it is there.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, OUTCOME_UNKNOWN, detail)
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

impl From<Spent> for Problem {
    fn from(spent: Spent) -> Self {
        let wait_s = seconds_begun(spent.allowance.wait).max(1);
        let detail = format!("That was too often. Wait {wait_s} s, then go on more slowly.");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self { retry_after_s: Some(wait_s), ..problem }
    }
}

impl From<TooMany> for Problem {
    fn from(error: TooMany) -> Self {
        let mut detail = error.to_string();
        if let Some(first) = detail.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let code = match error {
            TooMany::Reports => "too_many_reports",
            TooMany::Scans => "too_many_slow_lists",
        };
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail + ".");
        Self { retry_after_s: Some(5), ..problem }
    }
}

/// Whole seconds, the last one begun.
pub fn seconds_begun(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let detail = error.to_string();
        match error {
            UploadError::Kind(_) => Self::bad_parameter("kind", detail),
            UploadError::Preset(_) => Self::bad_parameter("preset", detail),
            UploadError::Encoding(_) => Self::bad_parameter("encoding", detail),
            UploadError::DateOrder(_) => Self::bad_parameter("date_order", detail),
            UploadError::TimeZone(_) => Self::bad_parameter("time_zone", detail),
            UploadError::Shop(_) => Self::bad_parameter("shop", detail),
            UploadError::NotFound => Self::not_found("import"),
            UploadError::Expired => Self::import_expired(),
            UploadError::NotADryRun(_) => Self::new(StatusCode::CONFLICT, "not_a_dry_run", detail),
            UploadError::Over(_) => Self::new(StatusCode::CONFLICT, "import_is_over", detail),
            UploadError::TooManyWaiting => Self {
                retry_after_s: Some(WAITING_S),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_imports_waiting", format!("{detail}."))
            },
            UploadError::TakenOver => Self::idempotency_in_progress(),
            UploadError::Store(error) => error.into(),
        }
    }
}

impl From<UndoError> for Problem {
    fn from(error: UndoError) -> Self {
        let detail = error.to_string();
        match error {
            UndoError::NotFound => Self::not_found("import"),
            UndoError::Expired => Self::import_expired(),
            UndoError::NotCompleted(_) => Self::new(StatusCode::CONFLICT, "import_not_completed", detail),
            UndoError::Undone => Self::new(StatusCode::CONFLICT, "import_undone", detail),
            UndoError::ChangedOthers(_) => Self::new(StatusCode::CONFLICT, "import_changed_others", detail),
            UndoError::Touched { .. } => Self::new(StatusCode::CONFLICT, "import_was_touched", detail),
            UndoError::Store(error) => error.into(),
        }
    }
}

impl From<RowsError> for Problem {
    fn from(error: RowsError) -> Self {
        match error {
            RowsError::Expired => Self::import_expired(),
            RowsError::Store(error) => error.into(),
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
            TakeInError::Leg { column, code, .. } => Self::invalid(&format!("/{column}"), code, detail),
            TakeInError::Shop(_) => Self::invalid("/shop", "shop_not_found", detail),
            TakeInError::Secret(error) => error.into(),
            TakeInError::Store(error) => error.into(),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::Seconds => Self::invalid("/expires_in_s", "out_of_range", detail),
            TokenError::NoScope => Self::invalid("/scopes", "no_scope", detail),
            TokenError::Secret(error) => error.into(),
            TokenError::Store(error) => error.into(),
        }
    }
}

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Self {
        let detail = error.to_string();
        match error {
            PrivacyError::Shop(_) => Self::invalid("/shop", "shop_not_found", detail),
            PrivacyError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let failed = |detail: &str| Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail);
        match error {
            ChangeError::NotFound(what) => Self::not_found(what),
            ChangeError::Stale => failed(
                "It was changed since you read it, or If-Match names no version of it. Read it again, then send your \
                 change with its ETag.",
            ),
            ChangeError::ThereAlready => failed(
                "It is there already, and If-None-Match: * asks to make a new one. Leave the header out to bring it up \
                 to date.",
            ),
            ChangeError::NumberTaken { other, number } => {
                let detail = format!(
                    "Shipment {other} of this order goes under {number} already. If the two are one parcel, cancel this one; \
                     else correct the other first."
                );
                Self::new(StatusCode::CONFLICT, "number_taken", detail)
            }
            ChangeError::TakeIn(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::NotFound => Self::not_found("shipment"),
            RefreshError::TrackingEnded => {
                let detail = "No carrier is asked about this shipment any more: it has come to its end.";
                Self::new(StatusCode::CONFLICT, "tracking_ended", detail)
            }
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        tracing::error!(%error, "a secret could not be made or opened");
        Self::internal()
    }
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Store(error) => error.into(),
            WorkError::Row(error) => error.into(),
            WorkError::Expired => Self::import_expired(),
            WorkError::HoldLost | WorkError::File(_) => {
                tracing::error!(error = tracing::field::display(chain(&error)), "a stored file could not be read");
                Self::internal()
            }
        }
    }
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        let detail = error.to_string();
        match error {
            FeedError::Cursor | FeedError::Ahead => Self::bad_parameter("after", detail),
            FeedError::TooOld => Self::new(StatusCode::GONE, "changes_deleted", detail),
            FeedError::Type { .. } => Self::bad_parameter("types", detail),
            FeedError::Store(error) => error.into(),
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

/// Words what the framework found wrong with a JSON body.
#[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
pub fn of_json(error: &actix_web::error::JsonPayloadError) -> Problem {
    use actix_web::error::JsonPayloadError as Json;
    match error {
        Json::OverflowKnownLength { limit, .. } | Json::Overflow { limit } => {
            Problem::too_large(u64::try_from(*limit).unwrap_or(u64::MAX))
        }
        Json::ContentType => {
            unsupported_media_type("The body must be JSON, with the header Content-Type: application/json.")
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

pub fn unsupported_media_type(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}
