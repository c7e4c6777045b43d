//! Migrations, embedded, applied by one process at a time.

use crate::store::connection::{AnyConnection, Engine};
use crate::store::error::{OpenError, StoreError};
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::fs::File;
use std::path::Path;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as every parceltrail asks for the same.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_lock(7270715227)";
const ADVISORY_UNLOCK: &str = "SELECT pg_advisory_unlock(7270715227)";

/// Brings the database to this version's schema, then runs `check`; a second process waits and finds nothing to do.
pub fn migrate(
    engine: &Engine,
    check: impl Fn(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<usize, OpenError> {
    let lock = match engine {
        Engine::Sqlite { path, .. } => Some(lock_beside(path)?),
        Engine::Postgres { .. } => None,
    };
    let applied = engine.with_writer(|connection| Ok::<_, StoreError>(apply(connection, &check)));
    drop(lock);
    applied.map_err(|error| OpenError::Unreachable(error.to_string()))?
}

fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let failed = |error: std::io::Error| OpenError::Migration(error.to_string());
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(Path::new(&name)).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

fn apply(
    connection: &mut AnyConnection,
    check: &impl Fn(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<usize, OpenError> {
    let failed = |error: diesel::result::Error| OpenError::Migration(error.to_string());
    let is_server = matches!(connection, AnyConnection::Postgres(_));
    if is_server {
        connection.batch_execute(ADVISORY_LOCK).map_err(failed)?;
    }
    let applied = match connection {
        AnyConnection::Sqlite(sqlite) => run(sqlite, SQLITE),
        AnyConnection::Postgres(postgres) => run(postgres, POSTGRES),
    };
    let checked = applied.and_then(|applied| check(connection).map(|()| applied));
    if is_server {
        connection.batch_execute(ADVISORY_UNLOCK).map_err(failed)?;
    }
    checked
}

fn run<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<usize, OpenError>
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
    connection.run_pending_migrations(source).map(|done| done.len()).map_err(failed)
}
