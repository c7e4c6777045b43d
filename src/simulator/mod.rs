//! A carrier that we play ourselves: scripted journeys, told over real HTTP on a clock that may run fast.
//!
//! It stores nothing and reads no clock of its own, so one script and one time always give one answer.

mod journeys;
mod registry;
mod server;

pub use journeys::Journey;
pub use registry::Script;
pub use server::{SimulatorConfig, serve};
