//! Why a backup was not made, or not restored.

use crate::store::{OpenError, StoreError};
use std::io;
use std::path::{Path, PathBuf};

/// Why nothing was backed up or restored. Nothing was changed, unless the sentence says so.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{} exists already. Name another file, or delete that one first.", .0.display())]
    Exists(PathBuf),
    #[error("the folder {} does not exist. Make it, or name another.", .0.display())]
    NoFolder(PathBuf),
    #[error("the name {} is not valid Unicode. Name another file.", .0.display())]
    BadName(PathBuf),
    #[error(
        "there is not enough space in {}: {needed} bytes are needed, and {free} are free. Free some space, or use a folder on \
         another disk.",
        .folder.display()
    )]
    NoRoom { folder: PathBuf, needed: u64, free: u64 },
    #[error("the disk of {} is full. Free some space, or use a folder on another disk.", .0.display())]
    DiskFull(PathBuf),
    #[error("{} cannot be read or written", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the copy is damaged, so it was not kept ({0}). Check the disk, and the database with `check-invariants`.")]
    DamagedCopy(String),
    #[error("{program} is not on the PATH. Install PostgreSQL's client programs, or run where they are: {command}")]
    NoProgram { program: &'static str, command: String },
    #[error("{program} failed: {said}")]
    Program { program: &'static str, said: String },
    #[error("the backup has no manifest: {} is missing. Put it beside the backup, where `backup` wrote it.", .0.display())]
    NoManifest(PathBuf),
    #[error("the manifest {} cannot be read", .path.display())]
    BadManifest {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the backup was made by a newer parceltrail ({0}). Restore it with that version or a newer one.")]
    NewerBackup(String),
    #[error(
        "the backup has the schema {0}, which this version does not know. Restore it with the version that made it."
    )]
    UnknownSchema(String),
    #[error(
        "this is a backup of {backup}, and DATABASE_URL names {target}. Set DATABASE_URL to a database of that kind."
    )]
    OtherKind { backup: &'static str, target: &'static str },
    #[error("the backup was changed or damaged after it was made: {0}. Use another backup.")]
    Altered(String),
    #[error(
        "the secret key is not the one that the backup was made with. Restore the key file, or set PARCELTRAIL_SECRET_KEY to \
         the key of that time."
    )]
    OtherKey,
    #[error(
        "there is a database with sellers at {}. To put the backup in its place, run again with --replace; the present file \
         is kept under another name.",
        .0.display()
    )]
    HoldsSellers(PathBuf),
    #[error("another process uses {}. Stop the server, then restore again.", .0.display())]
    InUse(PathBuf),
    #[error(
        "the database that DATABASE_URL names is not empty. Make an empty one, for example with `createdb`, and set \
         DATABASE_URL to it."
    )]
    NotEmpty,
    #[error("--replace works with SQLite only. Make an empty PostgreSQL database, and set DATABASE_URL to it.")]
    NoReplace,
    #[error(
        "the backup is in the database, but its numbers of rows are not those of the manifest ({0}). Delete the database, and \
         use another backup."
    )]
    OtherRows(String),
}

impl BackupError {
    /// For `map_err` on what is done with a file.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| {
            if source.kind() == io::ErrorKind::StorageFull { Self::DiskFull(path) } else { Self::Io { path, source } }
        }
    }
}
