//! What every request and every answer has: an id, a line in the log, bounds, a problem document where it failed, and
//! the headers that keep browsers from doing what nobody asked for.

use super::client::Client;
use super::problem::Problem;
use super::throttle;
use crate::app::App;
use crate::flows::sign_in::Principal;
use crate::telemetry::meters;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

/// The longest path and query that are read, in bytes.
const LONGEST_URI: usize = 8 << 10;
/// All headers together, in bytes.
const LONGEST_HEADERS: usize = 16 << 10;

/// The id of a request, for whoever works on it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Wraps every request: see the head of this file.
///
/// # Errors
///
/// An answer in the form of an error where there was no other way: the handler broke.
pub async fn finish(
    app: Arc<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let id = request_id(&request);
    let client = Client::of(request.peer_addr(), request.headers(), &app);
    let method = request.method().clone();
    let path = request.path().to_owned();
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request_id = id);
    let answer = async {
        let answered = match oversized(&request) {
            Some(problem) => Ok(request.into_response(problem.error_response())),
            None => whole(async { next.call(request).await }).await,
        };
        let dress = Dress { app: &app, id: &id, client: &client, path: &path };
        let answered = match answered {
            Ok(response) => Ok(dress.answer(response)),
            Err(error) => Err(dress.error(&error)),
        };
        note(&method, &client, began, &answered);
        answered
    };
    answer.instrument(span).await.map_err(|(error, _status)| error)
}

/// The answer of a handler, also of one that panics: that is in the log already, and the process lives on.
async fn whole<B: MessageBody + 'static>(
    handler: impl Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(answered) => answered.map(ServiceResponse::map_into_boxed_body),
        Err(_panic) => Err(Problem::internal().into()),
    }
}

fn oversized(request: &ServiceRequest) -> Option<Problem> {
    let uri = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if uri > LONGEST_URI {
        return Some(Problem::too_long(StatusCode::URI_TOO_LONG, "path and query are", LONGEST_URI));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    (headers > LONGEST_HEADERS).then(|| Problem::too_long(status, "headers together are", LONGEST_HEADERS))
}

/// What an answer gets on its way out.
struct Dress<'a> {
    app: &'a App,
    id: &'a str,
    client: &'a Client,
    path: &'a str,
}

impl Dress<'_> {
    fn answer(&self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let (request, response) = response.into_parts();
        let mut response = self.worded(response);
        throttle::tell(&request, response.headers_mut());
        self.finish_headers(&mut response);
        ServiceResponse::new(request, response)
    }

    /// The answer that goes out in place of an error that came up to here.
    fn error(&self, error: &actix_web::Error) -> (actix_web::Error, StatusCode) {
        let mut response = self.worded(error.error_response());
        self.finish_headers(&mut response);
        let status = response.status();
        (InternalError::from_response("a request failed", response).into(), status)
    }

    /// A problem document in place of an error without one; pages have words of their own.
    fn worded(&self, response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        let status = response.status();
        let is_page =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if is_page || !(status.is_client_error() || status.is_server_error()) {
            return response;
        }
        let told = response.extensions().get::<Problem>().cloned();
        let mut problem = told.unwrap_or_else(|| Problem::of_status(status));
        problem.request_id = Some(self.id.to_owned());
        let mut worded = problem.error_response();
        // What the handler said besides stays said; of the body, what is told here.
        for name in
            response.headers().keys().filter(|name| ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name))
        {
            worded.headers_mut().remove(name);
            for value in response.headers().get_all(name) {
                worded.headers_mut().append(name.clone(), value.clone());
            }
        }
        worded
    }

    fn finish_headers(&self, response: &mut HttpResponse<BoxBody>) {
        if self.app.is_stopping() {
            // Who keeps a connection is to open the next one elsewhere.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(self.id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        for (name, value) in POLICY {
            set_if_absent(headers, name, value);
        }
        set_if_absent(headers, header::CONTENT_SECURITY_POLICY, content_policy(self.path));
        if self.path.starts_with("/v1/") {
            set_if_absent(headers, header::CACHE_CONTROL, "no-store");
        }
        if self.client.by_tls {
            set_if_absent(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
    }
}

const POLICY: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The page of documentation runs its own script and asks for the specification. Everything else is data; a page that
/// says more says so itself.
fn content_policy(path: &str) -> &'static str {
    if path.starts_with("/docs/") {
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }
}

fn set_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// One line and one count for each answer: the route's template, and neither path nor query.
fn note(
    method: &Method,
    client: &Client,
    began: Instant,
    answered: &Result<ServiceResponse<BoxBody>, (actix_web::Error, StatusCode)>,
) {
    let request = answered.as_ref().ok().map(ServiceResponse::request);
    let route = request.and_then(HttpRequest::match_pattern).unwrap_or_else(|| "unmatched".to_owned());
    let principal = request.and_then(|it| it.extensions().get::<Principal>().map(|it| it.id.to_string()));
    let status = answered.as_ref().map_or_else(|(_error, status)| *status, ServiceResponse::status).as_u16();
    let (method, took) = (method_name(method), began.elapsed());
    let (duration_ms, client) = (u64::try_from(took.as_millis()).unwrap_or(u64::MAX), client.address.to_string());
    if matches!(route.as_str(), "/healthz" | "/readyz") {
        tracing::debug!(method, route, status, duration_ms, client, "answered");
    } else {
        tracing::info!(method, route, status, duration_ms, principal, client, "answered");
    }
    meters::answered(method, route, status, took);
}

/// Methods are made up at will; names of meters must not be.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The id of a request: the caller's own, where it is short and plain, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let told = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    told.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
