//! Makes a backup while the server runs: a copy of one moment, verified, and only then under its name.

use super::files::{checksum, folder_of, require_space, sync, sync_folder};
use super::manifest::DatabaseKind;
use super::{BackupError, Manifest, postgres_tools};
use crate::store::StoreError;
use crate::store::raw_database::{DatabaseFacts, RawDatabase};
use jiff::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct Backup {
    pub manifest: Manifest,
    pub manifest_path: PathBuf,
}

/// Copies the database that the URL names to `out`, and writes a manifest beside it. Both files have mode 0600.
///
/// SQLite is copied by the program itself, PostgreSQL by `pg_dump`. The database is not migrated, and no key is needed.
///
/// # Errors
///
/// [`BackupError`]; then neither file is there.
pub fn take(url: &str, out: &Path, now: Timestamp) -> Result<Backup, BackupError> {
    let (folder, manifest_path) = (folder_of(out), Manifest::path_of(out));
    if !folder.is_dir() {
        return Err(BackupError::NoFolder(folder));
    }
    for path in [out, &manifest_path] {
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(path.to_owned()));
        }
    }
    let mut database = RawDatabase::open(url)?;
    let copy = private_file(&folder)?.into_temp_path();
    let kind = DatabaseKind::of(url);
    let facts = match kind {
        DatabaseKind::Sqlite => copy_sqlite(&mut database, &copy, &folder)?,
        DatabaseKind::Postgresql => {
            let snapshot = database.export_snapshot()?;
            postgres_tools::dump(url, &snapshot, &copy, out)?;
            database.facts()?
        }
    };
    sync(&copy)?;
    let manifest = Manifest::new(kind, facts, checksum(&copy)?, now);
    let described = describe(&manifest, &folder)?;
    put(described, &manifest_path)?;
    if let Err(error) = put(copy, out) {
        // What it describes is not there. Where it cannot be deleted, the next backup says that it is in the way.
        drop(std::fs::remove_file(&manifest_path));
        return Err(error);
    }
    sync_folder(&folder)?;
    Ok(Backup { manifest, manifest_path })
}

/// An empty file that only this user can read; it is deleted unless it is put under its name.
fn private_file(folder: &Path) -> Result<NamedTempFile, BackupError> {
    tempfile::Builder::new().prefix(".parceltrail-backup-").tempfile_in(folder).map_err(BackupError::io(folder))
}

fn copy_sqlite(database: &mut RawDatabase, copy: &Path, folder: &Path) -> Result<DatabaseFacts, BackupError> {
    require_space(folder, database.bytes_of_copy()?)?;
    let name = copy.to_str().ok_or_else(|| BackupError::BadName(copy.to_owned()))?;
    database.copy_into(name).map_err(|error| match error {
        StoreError::Full => BackupError::DiskFull(folder.to_owned()),
        StoreError::Unavailable(_)
        | StoreError::CommitUnknown(_)
        | StoreError::Taken(_)
        | StoreError::BadText
        | StoreError::Refused(_) => error.into(),
    })?;
    let mut copied = RawDatabase::open_file(copy)?;
    if let Some(damage) = copied.damage()?.into_iter().next() {
        return Err(BackupError::DamagedCopy(damage));
    }
    Ok(copied.facts()?)
}

fn describe(manifest: &Manifest, folder: &Path) -> Result<TempPath, BackupError> {
    let mut file = private_file(folder)?;
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|source| BackupError::BadManifest { path: file.path().to_owned(), source })?;
    writeln!(file, "{text}").and_then(|()| file.as_file().sync_all()).map_err(BackupError::io(folder))?;
    Ok(file.into_temp_path())
}

/// Puts a file under its name; one that came there meanwhile stays.
fn put(file: TempPath, name: &Path) -> Result<(), BackupError> {
    file.persist_noclobber(name).map_err(|refused| {
        if refused.error.kind() == std::io::ErrorKind::AlreadyExists {
            BackupError::Exists(name.to_owned())
        } else {
            BackupError::io(name)(refused.error)
        }
    })
}
