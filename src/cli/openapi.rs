//! `openapi`: the specification of the API, printed or compared.

use super::{complain, say};
use crate::http;
use std::io;
use std::path::PathBuf;

/// Print the specification of the API, or compare it with a file
#[derive(Debug, clap::Args)]
pub struct OpenapiArgs {
    /// Compare with this file instead; exit code 1 where they differ
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OpenapiError {
    #[error("the specification cannot be written")]
    Json(#[from] serde_json::Error),
    #[error("the specification cannot be read or written")]
    Io(#[from] io::Error),
}

pub fn run(arguments: &OpenapiArgs) -> Result<u8, OpenapiError> {
    let specification = serde_json::to_string_pretty(&http::specification())?;
    let Some(file) = &arguments.check else {
        say(&specification)?;
        return Ok(0);
    };
    if std::fs::read_to_string(file)?.trim_end() == specification {
        return Ok(0);
    }
    let file = file.display();
    complain(&format!("{file} is not what this program serves; write it anew: `parceltrail openapi > {file}`"));
    Ok(1)
}
