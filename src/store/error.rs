//! What can go wrong at the store, in its own words.

use std::path::PathBuf;

/// A read or a write that did not happen; a write that fails leaves nothing half done. Only of
/// [`StoreError::CommitUnknown`] it is not known whether it happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had, or it broke: worth trying again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The connection was lost while a transaction was being committed: it may have been written, or not.
    #[error("the connection was lost during a commit: {0}")]
    CommitUnknown(String),
    /// The disk has no room; nothing was written.
    #[error("the database has no room left on its disk")]
    Full,
    /// Another row has this key already.
    #[error("a row with this key exists already: {0}")]
    Taken(String),
    /// A text holds a character that the database cannot keep, such as NUL.
    #[error("a text holds a character that cannot be kept")]
    BadText,
    /// Something that the database should never say to us.
    #[error("the database refused: {0}")]
    Refused(String),
}

impl From<diesel::result::Error> for StoreError {
    #[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Taken(info.message().to_owned()),
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::DatabaseError(_, info) if means_full(info.message()) => Self::Full,
            Error::DatabaseError(_, info) if means_bad_text(info.message()) => Self::BadText,
            Error::DatabaseError(_, info) if means_unavailable(info.message()) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::BrokenTransactionManager => Self::Unavailable("the connection broke in a transaction".to_owned()),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// What a failed COMMIT means. The server's refusal rolls back; where the connection is gone, nobody knows.
#[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
pub(super) fn of_commit(error: diesel::result::Error) -> StoreError {
    use diesel::result::{DatabaseErrorKind, Error};
    let error = match error {
        Error::RollbackErrorOnCommit { commit_error, .. } => *commit_error,
        other => other,
    };
    match error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
            StoreError::CommitUnknown(info.message().to_owned())
        }
        other => other.into(),
    }
}

fn means_full(message: &str) -> bool {
    message.contains("database or disk is full") || message.contains("No space left on device")
}

fn means_bad_text(message: &str) -> bool {
    message.contains("invalid byte sequence for encoding") || message.contains("unsupported Unicode escape sequence")
}

fn means_unavailable(message: &str) -> bool {
    [
        "database is locked",
        "deadlock detected",
        "could not serialize access",
        "server closed the connection",
        "terminating connection",
        "starting up",
        "shutting down",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

/// The database cannot be opened as it is named.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "DATABASE_URL names no database that parceltrail knows. Write `sqlite:parceltrail.db` for a file beside the \
         program, or `postgres://user:password@host/database` for PostgreSQL."
    )]
    UnknownUrl,
    #[error("the folder {} does not exist; make it, or name another in DATABASE_URL", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "DATABASE_URL asks for TLS to PostgreSQL, and this program was built without it. Build it with \
         `cargo build --release --features postgres-tls`, or leave `sslmode` out on a network that you trust."
    )]
    NoTls,
    #[error("the database cannot be opened: {0}")]
    Unreachable(String),
    #[error("there is no database at {}; set DATABASE_URL to the database that you mean", .0.display())]
    NoDatabase(PathBuf),
    #[error(
        "row-level security, which keeps sellers apart in PostgreSQL, cannot be set up: {0}. As an administrator of the \
         database run `CREATE ROLE parceltrail_app NOLOGIN; GRANT parceltrail_app TO` that user, and start again. To run \
         without it, set PARCELTRAIL_ALLOW_NO_ROW_SECURITY=true."
    )]
    NoRowSecurity(String),
    #[error(
        "PARCELTRAIL_SECRET_KEY, or the key file beside the database, is not the key that this database was made with; \
         without that key what is sealed in it cannot be read. Start with the key that you kept."
    )]
    OtherKey,
    #[error(
        "bringing the database to this version needs {needed_mib} MiB on its disk, and {free_mib} MiB are free. Nothing was \
         changed. Make room, and start again."
    )]
    NoRoomToMigrate { needed_mib: u64, free_mib: u64 },
    #[error("the database could not be migrated: {0}")]
    Migration(String),
    #[error(
        "the database was made by a build from before 0.1.0 (migration {0}), whose tables are laid out differently; \
         start on a new database and upload the files again"
    )]
    Unreleased(String),
    #[error(
        "the database was migrated by a newer parceltrail (migration {0} is not known here); start that version or a \
         newer one"
    )]
    NewerSchema(String),
}
