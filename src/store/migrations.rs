//! Migrations, embedded, applied by one process at a time.

use crate::store::connection::AnyConnection;
use crate::store::error::OpenError;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as every parceltrail asks for the same.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_lock(7270715227)";
const ADVISORY_UNLOCK: &str = "SELECT pg_advisory_unlock(7270715227)";

/// Brings the database to this version's schema, then runs `check`. The caller sees to it that one process does so at a
/// time on SQLite; on PostgreSQL a second one waits here, and then finds nothing to do.
pub fn migrate(
    connection: &mut AnyConnection,
    check: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let failed = |error: diesel::result::Error| OpenError::Migration(error.to_string());
    let is_server = matches!(connection, AnyConnection::Postgres(_));
    if is_server {
        connection.batch_execute(ADVISORY_LOCK).map_err(failed)?;
    }
    let applied = match connection {
        AnyConnection::Sqlite(sqlite) => run(sqlite, SQLITE),
        AnyConnection::Postgres(postgres) => run(postgres, POSTGRES),
    };
    let checked = applied.and_then(|()| check(connection));
    if is_server {
        connection.batch_execute(ADVISORY_UNLOCK).map_err(failed)?;
    }
    checked
}

/// How a schema version relates to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaVersion {
    /// This program's own, or an older one that it can migrate.
    Known,
    Newer,
    /// From before the first release, or of another branch.
    Unknown,
}

/// Whether this program can open a database whose last migration is `version`, such as `20261125000001`.
pub fn schema_version(version: &str) -> SchemaVersion {
    let migrations = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).unwrap_or_default();
    let known: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    if known.iter().any(|one| one == version) {
        SchemaVersion::Known
    } else if known.iter().all(|one| version > one.as_str()) {
        SchemaVersion::Newer
    } else {
        SchemaVersion::Unknown
    }
}

fn run<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<(), OpenError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB> + MigrationConnection + diesel::Connection<Backend = DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migration(error.to_string());
    connection.setup().map_err(|error| failed(Box::new(error)))?;
    let known: Vec<String> = MigrationSource::<DB>::migrations(&source)
        .map_err(failed)?
        .iter()
        .map(|it| Migration::<DB>::name(it).version().to_string())
        .collect();
    let applied = connection.applied_migrations().map_err(failed)?;
    let oldest = known.iter().min().cloned().unwrap_or_default();
    if let Some(unreleased) = applied.iter().map(ToString::to_string).find(|version| *version < oldest) {
        return Err(OpenError::Unreleased(unreleased));
    }
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(OpenError::NewerSchema(unknown));
    }
    connection.run_pending_migrations(source).map(drop).map_err(failed)
}
