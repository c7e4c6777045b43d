//! Meters: what is counted and measured, under which name, and how it is read. Names and labels are few and known.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

const REQUESTS: &str = "parceltrail_http_requests_total";
const REQUEST_SECONDS: &str = "parceltrail_http_request_duration_seconds";
const LIMITED: &str = "parceltrail_rate_limited_total";
const JOB_FAILURES: &str = "parceltrail_job_failures_total";
const IMPORTS: &str = "parceltrail_imports";
const OLDEST_IMPORT: &str = "parceltrail_oldest_waiting_import_seconds";
const STANDINGS_DUE: &str = "parceltrail_standings_due";
const TRACKERS_DUE: &str = "parceltrail_trackers_due";
const DATABASE_UP: &str = "parceltrail_database_up";
const STARTED: &str = "process_start_time_seconds";

/// Counted where they happen, in layers that do not import this one.
const COUNTED_ELSEWHERE: [(&str, &str); 3] = [
    ("parceltrail_database_statements_total", "Statements sent to the database."),
    ("parceltrail_import_rows_total", "Rows of imports that are written, by outcome; those of dry runs too."),
    ("parceltrail_carrier_errors_total", "Requests to sources that came to nothing, by source and kind."),
];
const DATABASE_WAIT: &str = "parceltrail_database_wait_seconds";

const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Reads the meters.
#[derive(Clone)]
pub struct Meters(PrometheusHandle);

/// What waits for the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub imports_waiting: i64,
    pub imports_running: i64,
    pub oldest_import: Duration,
    pub standings_due: i64,
    pub trackers_due: i64,
}

impl Meters {
    /// Starts measuring; before that nothing is kept. Once in a process.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where somebody measures already.
    pub fn install(started_at_s: f64) -> Result<Self, BuildError> {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?;
        let handle = builder.install_recorder()?;
        describe();
        gauge!(STARTED).set(started_at_s);
        Ok(Self(handle))
    }

    /// All meters as Prometheus text.
    pub fn text(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    /// Folds what was measured into the buckets, so that it does not pile up while nobody reads.
    pub fn fold(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by method, route and class of status.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From a request's head to its answer's, by method and route.");
    describe_counter!(LIMITED, "Requests refused because a limit was used up, by limit.");
    describe_counter!(JOB_FAILURES, "Rounds of jobs that failed, by job.");
    describe_gauge!(IMPORTS, "Imports by state: waiting or running.");
    describe_gauge!(OLDEST_IMPORT, Unit::Seconds, "How long the oldest waiting import has waited.");
    describe_gauge!(STANDINGS_DUE, "Shipments that are to be judged again by now.");
    describe_gauge!(TRACKERS_DUE, "Numbers that carriers are to be asked about by now.");
    describe_gauge!(DATABASE_UP, "1 where the database answered when the meters were read.");
    describe_gauge!(STARTED, Unit::Seconds, "When the process started, since 1970.");
    describe_histogram!(
        DATABASE_WAIT,
        Unit::Seconds,
        "Waits for the database: for the one writer, or for a connection."
    );
    for (name, meaning) in COUNTED_ELSEWHERE {
        describe_counter!(name, meaning);
    }
}

/// Notes an answer. `route` is the template, never the path.
pub fn answered(method: &'static str, route: String, status: u16, took: Duration) {
    let class = match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route.clone()).record(took);
    counter!(REQUESTS, "method" => method, "route" => route, "status" => class).increment(1);
}

/// Notes a request that a limit refused.
pub fn limited(limit: &'static str) {
    counter!(LIMITED, "limit" => limit).increment(1);
}

/// Notes a job's round that failed.
pub fn job_failed(job: &'static str) {
    counter!(JOB_FAILURES, "job" => job).increment(1);
}

/// Notes what waits; `None` where the database did not say.
pub fn waiting(waiting: Option<Waiting>) {
    gauge!(DATABASE_UP).set(if waiting.is_some() { 1.0 } else { 0.0 });
    let Some(waiting) = waiting else { return };
    gauge!(IMPORTS, "state" => "waiting").set(count(waiting.imports_waiting));
    gauge!(IMPORTS, "state" => "running").set(count(waiting.imports_running));
    gauge!(OLDEST_IMPORT).set(waiting.oldest_import.as_secs_f64());
    gauge!(STANDINGS_DUE).set(count(waiting.standings_due));
    gauge!(TRACKERS_DUE).set(count(waiting.trackers_due));
}

/// More than four thousand million of anything show as just that.
fn count(of: i64) -> f64 {
    f64::from(u32::try_from(of.max(0)).unwrap_or(u32::MAX))
}
