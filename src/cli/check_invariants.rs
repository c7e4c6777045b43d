//! `check-invariants`: the whole database, after whatever happened.

use super::{open, say};
use crate::app::StartError;
use crate::config::Config;
use crate::flows::{StoreError, check_invariants};
use serde_json::json;
use std::io;

/// Why the check came to no end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the findings cannot be written")]
    Io(#[from] io::Error),
}

/// Prints the findings as JSON; exit code 1 where something does not hold.
pub fn run(config: Config) -> Result<u8, CheckError> {
    let app = open(config)?;
    let findings = check_invariants::check_invariants(&app.store, app.now())?;
    say(&json!(findings))?;
    Ok(u8::from(!findings.breaks.is_empty()))
}
