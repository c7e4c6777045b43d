//! How often one may ask: requests with a valid key are counted by key, all others by the client's address.

use super::client;
use super::problem::{Problem, seconds_begun};
use crate::app::App;
use crate::flows::sign_in::Principal;
use crate::limits::{Allowance, Limit};
use crate::telemetry::meters;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, web};

/// Those who watch the server may ask as often as they like.
pub const UNCOUNTED: [&str; 2] = ["/healthz", "/readyz"];

/// Counts a request that was admitted or refused; a refusal stays one, and becomes a 429 where there are too many.
///
/// # Errors
///
/// The refusal, or that the limit is used up.
pub fn charged(request: &HttpRequest, admitted: Result<(), Problem>) -> Result<(), Problem> {
    if UNCOUNTED.contains(&request.path()) {
        return admitted;
    }
    let app = request.app_data::<web::Data<App>>().ok_or_else(Problem::internal)?;
    let key = request.extensions().get::<Principal>().map(|principal| principal.id);
    let checked = match key {
        Some(key) => app.limits.check(Limit::Key, key),
        None => app.limits.check(Limit::Address, client::of(request)?.address.key()),
    };
    let allowance = match &checked {
        Ok(allowance) => *allowance,
        Err(spent) => {
            meters::limited(spent.limit.code());
            Some(spent.allowance)
        }
    };
    if let Some(allowance) = allowance {
        request.extensions_mut().insert(allowance);
    }
    checked?;
    admitted
}

/// Tells what is left, where the request was counted.
pub fn tell(request: &HttpRequest, headers: &mut HeaderMap) {
    let Some(Allowance { quota, window, left, wait }) = request.extensions().get::<Allowance>().copied() else {
        return;
    };
    let policy = format!("\"default\";q={quota};w={}", window.as_secs());
    let standing = format!("\"default\";r={left};t={}", seconds_begun(wait));
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", standing)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
