//! `restore`: a backup is verified, made ready, and put in place, without what was erased since it was made.

use super::say;
use crate::app::{StartError, existing_secrets, system_now};
use crate::config::Config;
use crate::flows::backup::restore::{self, Replaced, Request, Restored};
use crate::flows::backup::{BackupError, Manifest};
use crate::flows::privacy::reapply::{Reapplied, reapply};
use crate::flows::{StoreError, check_invariants};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

/// Verify a backup and put it in the place of the database; exit code 1 where an invariant does not hold
///
/// Stop the server first. The backup's manifest and the secret key of that time are needed. What was erased after the
/// backup was made is erased again, as far as the database that was there before shows it. PostgreSQL is restored by
/// `pg_restore`, into an empty database.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The file that `backup` made, with its manifest beside it
    #[arg(value_name = "IN")]
    backup: PathBuf,
    /// Put the backup in the place of a database that holds sellers; the present file is kept under another name
    #[arg(long)]
    replace: bool,
    /// A database that shows what was erased since, such as the one that was lost: sqlite:FILE or postgres://...
    #[arg(long, value_name = "URL")]
    erasures_from: Option<String>,
}

/// Why nothing was restored, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum RestoreCommandError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the restored database is still in use, so it was not put in place; nothing was changed")]
    StillInUse,
    #[error("the outcome could not be written")]
    Io(#[from] io::Error),
}

pub fn run(arguments: &RestoreArgs, config: &Config) -> Result<u8, RestoreCommandError> {
    let now = system_now();
    let request = Request {
        backup: arguments.backup.clone(),
        url: config.database_url.clone(),
        secrets: existing_secrets(config)?,
        replace: arguments.replace,
        allow_no_row_security: config.allow_no_row_security,
    };
    // Read first: an address that is wrong must not be found out when the database is in place.
    let named = arguments.erasures_from.as_deref().map(restore::erasures_of).transpose()?;
    let restored = restore::restore(&request)?;
    say(&verified(&arguments.backup, &restored.manifest))?;
    let replaced = restored.staged.as_ref().and_then(|staged| staged.replaced.as_ref());
    let erased = match (&named, replaced.and_then(known_contents)) {
        (None, None) => None,
        (named, known) => {
            let known = known.into_iter().flat_map(|contents| &contents.erasures);
            let all: Vec<_> = named.iter().flatten().chain(known).cloned().collect();
            Some(reapply(&restored.store, &all, now)?)
        }
    };
    say_rows(&restored, replaced, &request.url)?;
    match erased {
        Some(erased) => say_erased(&erased)?,
        None => say(&erasures_to_repeat(&restored.manifest, replaced))?,
    }
    say(&"API keys, users and sessions are those of the backup: revoke again what was revoked since.")?;
    let breaks = check_invariants::check_invariants(&restored.store, now)?.breaks;
    place(restored, now)?;
    for broken in &breaks {
        say(&format!("This does not hold: {broken}."))?;
    }
    say(&if breaks.is_empty() {
        "All invariants hold."
    } else {
        "The database is in place, but not all invariants hold."
    })?;
    Ok(u8::from(!breaks.is_empty()))
}

fn verified(backup: &std::path::Path, manifest: &Manifest) -> String {
    format!(
        "Verified {}: made at {} by parceltrail {}, schema {}.",
        backup.display(),
        readable_time(manifest.made_at),
        manifest.program,
        manifest.schema_version
    )
}

/// `1 December 2026, 16:02:22 UTC`
fn readable_time(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M:%S UTC").to_string()
}

fn known_contents(replaced: &Replaced) -> Option<&restore::Contents> {
    replaced.contents.as_ref().ok()
}

/// Number of rows by table in the database that was there, and in the restored one; tables without rows are left out.
fn say_rows(restored: &Restored, replaced: Option<&Replaced>, url: &str) -> Result<(), RestoreCommandError> {
    let after = restore::rows_in(restored, url)?;
    let before = replaced.and_then(known_contents).map(|contents| &contents.rows);
    let none = BTreeMap::new();
    let tables: BTreeSet<&String> = before.unwrap_or(&none).keys().chain(after.keys()).collect();
    say(&format!("{:24}{:>14}{:>14}", "Rows", "before", "after"))?;
    let is_empty = |rows: &BTreeMap<String, i64>, table: &str| rows.get(table).is_none_or(|rows| *rows == 0);
    for table in
        tables.into_iter().filter(|table| !is_empty(before.unwrap_or(&none), table) || !is_empty(&after, table))
    {
        let number = |rows: Option<&BTreeMap<String, i64>>| {
            rows.and_then(|rows| rows.get(table)).map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        say(&format!("{table:24}{:>14}{:>14}", number(before), number(Some(&after))))?;
    }
    Ok(())
}

fn say_erased(erased: &Reapplied) -> io::Result<()> {
    say(&format!(
        "Erased again what was erased after the backup was made: contacts of orders: {}, details of tracking numbers: {}, \
         uploaded files: {}, rows of uploads: {}.",
        erased.orders, erased.trackers, erased.imports, erased.rows
    ))?;
    if erased.cancelled_imports > 0 {
        say(&format!(
            "Uploads that were cancelled, because they were at work in the backup and their files were erased since: {}.",
            erased.cancelled_imports
        ))?;
    }
    if erased.missing_orders > 0 {
        say(&format!(
            "Erased orders that are not in the backup: {}. If they are uploaded again, erase them again.",
            erased.missing_orders
        ))?;
    }
    Ok(())
}

fn erasures_to_repeat(manifest: &Manifest, replaced: Option<&Replaced>) -> String {
    let why = match replaced.map(|replaced| &replaced.contents) {
        Some(Err(error)) => format!("The database that was here cannot be read ({error})"),
        Some(Ok(_)) | None => "No database was here before".to_owned(),
    };
    format!(
        "{why}, so nothing shows what was erased since the backup. Repeat every erasure made after {} before you start the \
         server. If you have a later copy of the database, restore again with --erasures-from.",
        readable_time(manifest.made_at)
    )
}

/// Closes the restored database, and puts an embedded one in its place.
fn place(restored: Restored, now: Timestamp) -> Result<(), RestoreCommandError> {
    let Some(staged) = restored.staged else { return Ok(()) };
    if !restored.store.close()? {
        return Err(RestoreCommandError::StillInUse);
    }
    drop(restored.store);
    if let Some(kept) = staged.place(now)? {
        say(&format!(
            "The database that was here is kept as {}. Delete it when you do not need it any more: it may hold personal \
             data that was erased here.",
            kept.display()
        ))?;
    }
    Ok(())
}
