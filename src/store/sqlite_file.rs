//! The file of an embedded database: its name, its connections, and who may open it.

use crate::store::connection::{AnyConnection, unreachable_database};
use crate::store::error::{OpenError, StoreError};
use crate::store::statements::StatementObserver;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::fs::File;
use std::path::{Path, PathBuf};

/// `secure_delete` writes zeros over what is deleted, free pages too, so that nothing erased is left in the file. Rows are
/// seldom deleted here, and inserting costs nothing more; an upload that is deleted is written once more, a second for
/// each 100 MiB. What is deleted was sealed besides. `journal_size_limit` cuts a log that grew, while a long read kept it
/// from being written into the file, back to 64 MiB.
const WRITER_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; \
     PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864;";
const READER_SETTINGS: &str =
    "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;";

/// The file of `sqlite:path`, `sqlite://path` or `sqlite:///path`.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    (!path.is_empty() && !path.contains('?')).then(|| PathBuf::from(path))
}

pub fn open_sqlite(path: &Path) -> Result<AnyConnection, OpenError> {
    require_folder(path)?;
    let mut writer = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreachable_database)?;
    writer.set_instrumentation(StatementObserver { database: "sqlite" });
    writer.batch_execute(WRITER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(writer))
}

pub fn open_sqlite_reader(path: &Path) -> Result<AnyConnection, OpenError> {
    let mut reader = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreachable_database)?;
    reader.set_instrumentation(StatementObserver { database: "sqlite" });
    reader.batch_execute(READER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(reader))
}

/// Keeps other processes from opening the same embedded database; on PostgreSQL it holds nothing.
#[derive(Debug)]
pub struct OpenLock(#[allow(dead_code, reason = "the lock is released when the file is closed")] Option<File>);

impl OpenLock {
    /// Waits until no other process is opening this database.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownUrl`], [`OpenError::NoFolder`], or what the system says about the lock file.
    pub fn take(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = sqlite_path(url) {
            return lock_beside(&path).map(|file| Self(Some(file)));
        }
        if is_postgres(url) { Ok(Self(None)) } else { Err(OpenError::UnknownUrl) }
    }
}

/// Whether the URL names a PostgreSQL database.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn lock_beside(path: &Path) -> Result<File, OpenError> {
    require_folder(path)?;
    let failed = |error: std::io::Error| OpenError::Migration(error.to_string());
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(Path::new(&name)).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

fn require_folder(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(OpenError::NoFolder(folder.to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}

/// The room left on the disk of a file or folder, in bytes; `None` where the system does not say.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// The room left on the disk of a file or folder, in bytes; `None` where the system does not say.
#[cfg(not(unix))]
pub fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// # Errors
///
/// [`OpenError::NoRoomToMigrate`] where the disk cannot hold tables that are written anew, and the log of that.
pub fn require_room_to_migrate(sqlite: &mut SqliteConnection) -> Result<(), OpenError> {
    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = BigInt)]
        bytes: i64,
        #[diesel(sql_type = Text)]
        file: String,
    }
    let failed = |error: diesel::result::Error| OpenError::Migration(error.to_string());
    let database: Database = diesel::sql_query(
        "SELECT page_count * page_size AS bytes, (SELECT file FROM pragma_database_list WHERE name = 'main') AS file \
         FROM pragma_page_count, pragma_page_size",
    )
    .get_result(sqlite)
    .map_err(failed)?;
    let needed = u64::try_from(database.bytes).unwrap_or(0).saturating_mul(2);
    // Where the system does not say, the migration itself finds out.
    if let Some(free) = free_bytes(Path::new(&database.file)).filter(|free| *free < needed) {
        return Err(OpenError::NoRoomToMigrate { needed_mib: needed >> 20, free_mib: free >> 20 });
    }
    Ok(())
}

/// Updates the planner's statistics of tables that changed much since. It looks at no more than 400 rows of an index, so it
/// takes milliseconds whatever there is. Statements do not depend on it: each has its index.
pub fn update_statistics(writer: &mut AnyConnection) -> Result<(), StoreError> {
    Ok(writer.batch_execute("PRAGMA analysis_limit = 400; PRAGMA optimize")?)
}

/// Updates the planner's statistics, then writes the whole log into the file and empties it. `false` where another
/// process still reads the log, and the file alone is not whole.
pub fn settle(writer: &mut AnyConnection) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct Checkpoint {
        #[diesel(sql_type = BigInt)]
        busy: i64,
    }
    if let Err(error) = update_statistics(writer) {
        tracing::warn!(%error, "the planner's statistics could not be updated");
    }
    let checkpoint: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(writer)?;
    Ok(checkpoint.busy == 0)
}
