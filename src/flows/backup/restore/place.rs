//! The file of an embedded database: made ready in a folder of its own beside its place, and put there in one step.

use super::{Replaced, Request, contents};
use crate::flows::backup::files::{copy, folder_of, require_space, sync, sync_folder};
use crate::flows::backup::{BackupError, Manifest};
use crate::store::raw_database::RawDatabase;
use crate::store::{OpenError, OpenLock, Store};
use jiff::Timestamp;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A database file that is ready, and not in its place yet. Where it is dropped, nothing was changed.
pub struct Staged {
    target: PathBuf,
    /// In the same folder as the target, so that the file can be renamed.
    folder: TempDir,
    file: PathBuf,
    /// The database that is at the target now.
    pub replaced: Option<Replaced>,
    /// No server opens the target meanwhile.
    _lock: OpenLock,
}

/// Verifies the backup's file and makes its database ready.
pub(super) fn stage(request: &Request, manifest: &Manifest) -> Result<(Staged, Store), BackupError> {
    let target = Store::embedded_file(&request.url).ok_or(OpenError::UnknownUrl)?;
    // Where the name is a link, the file that it leads to is replaced, not the link.
    let target = target.canonicalize().unwrap_or(target);
    let lock = OpenLock::take(&request.url)?;
    require_replaceable(&target, request.replace)?;
    let beside = folder_of(&target);
    // The log of what is migrated and erased again is as large as the database at most.
    require_space(&beside, manifest.file.bytes.saturating_mul(2))?;
    let folder = tempfile::Builder::new().prefix(".parceltrail-restore-").tempdir_in(&beside);
    let folder = folder.map_err(BackupError::io(&beside))?;
    let file = folder.path().join("restored.db");
    manifest.require_file(&copy(&request.backup, &file)?)?;
    verify(&file, manifest)?;
    let replaced = if exists(&target) { Some(release(&target)?) } else { None };
    let store = Store::open(&format!("sqlite:{}", file.display()), request.secrets.clone())?;
    Ok((Staged { target, folder, file, replaced, _lock: lock }, store))
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|file| file.len() > 0)
}

/// A database that cannot be read may hold sellers as well.
fn require_replaceable(target: &Path, replace: bool) -> Result<(), BackupError> {
    if replace || !exists(target) {
        return Ok(());
    }
    let has_sellers = RawDatabase::open_file(target)?.has_sellers();
    if has_sellers.unwrap_or(true) { Err(BackupError::HoldsSellers(target.to_owned())) } else { Ok(()) }
}

fn verify(file: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut database = RawDatabase::open_file(file)?;
    if let Some(damage) = database.damage()?.into_iter().next() {
        return Err(BackupError::Altered(damage));
    }
    manifest.require_facts(&database.facts()?)
}

/// Brings the database at the target into one file, so that it can be put aside whole, and reads what is needed of it.
/// Refuses where a server has it open, since that would go on writing into the file that was put aside. One that is
/// damaged is put aside as it is.
fn release(target: &Path) -> Result<Replaced, BackupError> {
    let contents = match RawDatabase::open_file(target)?.leave_log() {
        Ok(true) => contents(target),
        Ok(false) => return Err(BackupError::InUse(target.to_owned())),
        Err(damaged) => Err(damaged),
    };
    Ok(Replaced { path: target.to_owned(), contents })
}

impl Staged {
    /// The file while it is not in its place.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Puts the database in its place, when its store is closed. Gives the name under which the one before is kept.
    ///
    /// # Errors
    ///
    /// [`BackupError`]; the place then holds the database that was there, or, after a crash between two renames, none.
    pub fn place(self, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
        sync(&self.file)?;
        let kept = name_after(&self.target, &format!(".replaced-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        put_logs_aside(&self.target, &kept)?;
        let kept = match &self.replaced {
            Some(replaced) => Some(put_aside(&replaced.path, &self.file, kept)?),
            None => None,
        };
        std::fs::rename(&self.file, &self.target).map_err(BackupError::io(&self.target))?;
        sync_folder(&folder_of(&self.target))?;
        drop(self.folder.close());
        Ok(kept)
    }
}

/// Gives a log that lies beside the target another name. SQLite would take it for the log of the restored database, and
/// damage that, also where the database it belonged to is gone.
fn put_logs_aside(target: &Path, kept: &Path) -> Result<(), BackupError> {
    for log in ["-wal", "-shm", "-journal"] {
        match std::fs::rename(name_after(target, log), name_after(kept, log)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::io(target)(error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Gives the old file another name beside its own. The new file gets the mode of the old.
fn put_aside(old: &Path, new: &Path, kept: PathBuf) -> Result<PathBuf, BackupError> {
    let permissions = old.metadata().map_err(BackupError::io(old))?.permissions();
    std::fs::set_permissions(new, permissions).map_err(BackupError::io(new))?;
    if kept.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(kept));
    }
    // With a second name the old file stays in its place until the new one takes it.
    if std::fs::hard_link(old, &kept).is_err() {
        std::fs::rename(old, &kept).map_err(BackupError::io(old))?;
    }
    Ok(kept)
}

fn name_after(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
