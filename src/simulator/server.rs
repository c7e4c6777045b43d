//! The simulator's HTTP server: `GET /v1/parcels`, `POST /v1/scripts`, `GET /healthz`.

use crate::simulator::registry::{Registry, Script};
use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, PayloadConfig, Query, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem};
use subtle::ConstantTimeEq;

/// The simulator's time, which may run faster than ours.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the simulator behaves.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Parcels known from the start.
    pub scripts: Vec<Script>,
    /// The bearer that callers must send; anyone may call where there is none.
    pub token: Option<String>,
    /// Above this, callers get 429 with `Retry-After`. It counts real time, not the simulator's.
    pub limit: Option<Limit>,
    /// Whether numbers without a script get a journey of their own, or are not found.
    pub make_up: bool,
    /// Threads.
    pub workers: usize,
    /// Whether Ctrl-C ends the server; off where a larger program owns the signals.
    pub handle_signals: bool,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self { scripts: Vec::new(), token: None, limit: None, make_up: true, workers: 1, handle_signals: false }
    }
}

/// So many requests in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub requests: u32,
    /// Counted anew after this time.
    pub per: Duration,
}

/// Numbers in one question at most.
const MOST_NUMBERS: usize = 40;

/// Bytes of a list of scripts at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;

struct Simulator {
    clock: Clock,
    registry: Mutex<Registry>,
    token: Option<String>,
    limit: Option<Limit>,
    make_up: bool,
    /// When the present count began, and the count.
    asked: Mutex<Option<(Instant, u32)>>,
}

/// Serves on this listener until the server is stopped; the caller awaits it on an actix or tokio runtime.
///
/// # Errors
///
/// Where the listener cannot be used.
pub fn serve(listener: TcpListener, clock: Clock, mut config: SimulatorConfig) -> io::Result<Server> {
    let mut registry = Registry::default();
    if !registry.add(mem::take(&mut config.scripts)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there are too many scripts"));
    }
    let simulator = Data::new(Simulator {
        clock,
        registry: Mutex::new(registry),
        token: config.token,
        limit: config.limit,
        make_up: config.make_up,
        asked: Mutex::default(),
    });
    let app = move || App::new().app_data(simulator.clone()).configure(routes);
    let mut server = HttpServer::new(app).workers(config.workers.max(1)).shutdown_timeout(1);
    if !config.handle_signals {
        server = server.disable_signals();
    }
    Ok(server.listen(listener)?.run())
}

fn routes(config: &mut ServiceConfig) {
    config.app_data(PayloadConfig::new(MOST_BYTES)).service(healthz).service(parcels).service(scripts);
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    numbers: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripts {
    scripts: Vec<Script>,
}

#[get("/healthz")]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

#[get("/v1/parcels")]
async fn parcels(request: HttpRequest, question: Query<Question>, simulator: Data<Simulator>) -> HttpResponse {
    if let Some(refusal) = simulator.refuses(&request) {
        return refusal;
    }
    let numbers: Vec<_> = question.numbers.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if numbers.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "no_numbers", "Write ?numbers=A,B,C.");
    }
    if numbers.len() > MOST_NUMBERS {
        return refusal(StatusCode::BAD_REQUEST, "too_many_numbers", "Ask about at most 40 numbers at once.");
    }
    let now = (simulator.clock)();
    let mut registry = simulator.registry();
    let parcels: Vec<_> = numbers.iter().map(|it| registry.parcel(it, now, simulator.make_up)).collect();
    HttpResponse::Ok().json(json!({ "parcels": parcels }))
}

#[post("/v1/scripts")]
async fn scripts(request: HttpRequest, body: Bytes, simulator: Data<Simulator>) -> HttpResponse {
    if let Some(refusal) = simulator.refuses(&request) {
        return refusal;
    }
    let scripts: Scripts = match serde_json::from_slice(&body) {
        Ok(scripts) => scripts,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, "no_scripts", &error.to_string()),
    };
    let registered = scripts.scripts.len();
    if !simulator.registry().add(scripts.scripts) {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_many_scripts", "No more parcels can be remembered.");
    }
    HttpResponse::Created().json(json!({ "registered": registered }))
}

fn refusal(status: StatusCode, code: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"error": {"code": code, "detail": detail}}))
}

impl Simulator {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the token first, so that strangers use up nobody's limit.
    fn refuses(&self, request: &HttpRequest) -> Option<HttpResponse> {
        if let Some(token) = &self.token {
            let header = request.headers().get("authorization").map_or(&b""[..], |it| it.as_bytes());
            if !bool::from(header.ct_eq(format!("Bearer {token}").as_bytes())) {
                let detail = "Send the simulator's token as bearer.";
                return Some(refusal(StatusCode::UNAUTHORIZED, "unauthorized", detail));
            }
        }
        let wait = self.limit.and_then(|limit| self.wait(limit, Instant::now()))?;
        let mut refusal = refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "You ask too often.");
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        refusal.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds.into());
        Some(refusal)
    }

    /// Counts a request; how long its sender has to wait where it is one too many.
    fn wait(&self, limit: Limit, now: Instant) -> Option<Duration> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = asked.filter(|(since, _)| now.duration_since(*since) < limit.per).unwrap_or((now, 0));
        *asked = Some((since, count.saturating_add(1)));
        (count >= limit.requests).then(|| limit.per.saturating_sub(now.duration_since(since)))
    }
}

#[cfg(test)]
mod tests;
