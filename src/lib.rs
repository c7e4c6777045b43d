//! parceltrail: orders and tracking numbers in, one honest status out, delays found and explained.
//!
//! The house, from the doors down: `cli` and `http` open, `flows` do, one verb a file; `sheets`, `carriers` and `store`
//! are leaves that know the `domain` alone; the `domain` knows nobody. `jobs` is the clockwork, `app` wires all of it.
//! Only [`cli`] is public, so that the compiler finds what nobody uses; besides it the engine of tracking numbers, which
//! benches and fuzzers call, and the list of pages, each of which is tested.

mod app;
mod carriers;
pub mod cli;
mod config;
mod domain;
mod flows;
mod http;
mod jobs;
mod limits;
mod secrets;
mod sheets;
mod simulator;
mod store;
mod telemetry;

pub use http::{PageRoute, pages};

/// The engine that proves tracking numbers: pure, without I/O.
pub mod tracking_number {
    pub use crate::domain::tracking_number::{
        Candidate, CheckOutcome, Habits, Hints, NumberCheck, NumberCode, Repair, RepairCode, Validity, check, normalise,
    };
}
