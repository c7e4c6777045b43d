//! Restores a backup: it is verified and made ready where nobody reads it, and then put in place in one step.

mod place;

pub use place::Staged;

use super::files::checksum;
use super::manifest::DatabaseKind;
use super::{BackupError, Manifest, postgres_tools};
use crate::secrets::Secrets;
use crate::store::erasures::SellerErasures;
use crate::store::raw_database::RawDatabase;
use crate::store::{OpenLock, Store, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is restored, and where.
#[derive(Clone)]
pub struct Request {
    pub backup: PathBuf,
    pub url: String,
    pub secrets: Secrets,
    /// Whether a database with sellers may be put aside.
    pub replace: bool,
    pub allow_no_row_security: bool,
}

/// A restored database that nobody else reads yet.
pub struct Restored {
    pub manifest: Manifest,
    pub store: Store,
    /// Of an embedded database, which is still to be put in place.
    pub staged: Option<Staged>,
}

/// Verifies a backup, and makes its database ready: an embedded one beside its place, one of PostgreSQL in the empty
/// database that the URL names. It is brought to this version's schema.
///
/// # Errors
///
/// [`BackupError`]; then nothing was changed, save by [`BackupError::OtherRows`], and by an error of the store after
/// `pg_restore` was done.
pub fn restore(request: &Request) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(&request.backup)?;
    manifest.require_fit(&request.url, &request.secrets)?;
    match DatabaseKind::of(&request.url) {
        DatabaseKind::Sqlite => {
            let (staged, store) = place::stage(request, &manifest)?;
            Ok(Restored { manifest, store, staged: Some(staged) })
        }
        DatabaseKind::Postgresql => {
            let store = restore_postgres(request, &manifest)?;
            Ok(Restored { manifest, store, staged: None })
        }
    }
}

fn restore_postgres(request: &Request, manifest: &Manifest) -> Result<Store, BackupError> {
    if request.replace {
        return Err(BackupError::NoReplace);
    }
    manifest.require_file(&checksum(&request.backup)?)?;
    if !RawDatabase::open(&request.url)?.tables()?.is_empty() {
        return Err(BackupError::NotEmpty);
    }
    postgres_tools::restore(&request.url, &request.backup)?;
    let restored = RawDatabase::open(&request.url)?.facts()?;
    if let Some(other) = manifest.other_rows(&restored.rows) {
        return Err(BackupError::OtherRows(other));
    }
    let lock = OpenLock::take(&request.url)?;
    Ok(Store::open_locked(&request.url, lock, request.secrets.clone(), request.allow_no_row_security)?)
}

/// Number of rows by table in the restored database.
pub fn rows_in(restored: &Restored, url: &str) -> Result<BTreeMap<String, i64>, BackupError> {
    let mut database = match &restored.staged {
        Some(staged) => RawDatabase::open_file(staged.file())?,
        None => RawDatabase::open(url)?,
    };
    Ok(database.facts()?.rows)
}

/// What was erased in another database.
///
/// # Errors
///
/// [`BackupError`] where there is no such database, or it cannot be read.
pub fn erasures_of(url: &str) -> Result<Vec<SellerErasures>, BackupError> {
    Ok(RawDatabase::open(url)?.erasures()?)
}

/// What is known of the database that a restored one replaces.
pub struct Replaced {
    pub path: PathBuf,
    pub contents: Result<Contents, StoreError>,
}

/// What the restore needs of a database that it replaces.
pub struct Contents {
    pub rows: BTreeMap<String, i64>,
    pub erasures: Vec<SellerErasures>,
}

fn contents(path: &Path) -> Result<Contents, StoreError> {
    let mut database = RawDatabase::open_file(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(Contents { rows: database.facts()?.rows, erasures: database.erasures()? })
}
