//! `backup`: a consistent copy of the database while the server runs, with a manifest beside it.

use super::say;
use crate::app::system_now;
use crate::config::Config;
use crate::flows::backup::manifest::DatabaseKind;
use crate::flows::backup::{BackupError, take};
use std::io;
use std::path::PathBuf;

/// Copy the database to a file while the server runs, and write a manifest beside it
///
/// The secret key is not in the backup: keep the key file, or the key, in another safe place. PostgreSQL is copied by
/// `pg_dump`, which must be on the PATH.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to make; it must not exist
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

/// Why no backup was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupCommandError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("the backup was made, but that could not be written")]
    Io(#[from] io::Error),
}

pub fn run(arguments: &BackupArgs, config: &Config) -> Result<u8, BackupCommandError> {
    let backup = take::take(&config.database_url, &arguments.out, system_now())?;
    let manifest = &backup.manifest;
    let rows = |table: &str| manifest.rows.get(table).copied().unwrap_or_default();
    let (out, kind, bytes) = (arguments.out.display(), manifest.database.name(), manifest.file.bytes);
    say(&format!(
        "Backed up the {kind} database to {out}: {bytes} bytes; sellers: {}, orders: {}, tracking events: {}.",
        rows("sellers"),
        rows("orders"),
        rows("tracking_events")
    ))?;
    say(&format!("Keep {} beside it: `restore` verifies the backup with it.", backup.manifest_path.display()))?;
    if manifest.key.needed {
        let key = match manifest.database {
            DatabaseKind::Sqlite => "the key file beside the database, or PARCELTRAIL_SECRET_KEY",
            DatabaseKind::Postgresql => "PARCELTRAIL_SECRET_KEY",
        };
        say(&format!("The secret key is not in it. Keep {key} in another safe place: without it nobody can restore."))?;
    }
    Ok(0)
}
