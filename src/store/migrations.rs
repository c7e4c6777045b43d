//! Migrations, embedded, applied by one process at a time.

use crate::store::connection::AnyConnection;
use crate::store::error::OpenError;
use crate::store::sqlite_file::require_room_to_migrate;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the database to this version's schema, then runs `check`. The caller sees to it that one process does so at a
/// time.
pub fn migrate(
    connection: &mut AnyConnection,
    check: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    match connection {
        AnyConnection::Sqlite(sqlite) => migrate_file(sqlite)?,
        AnyConnection::Postgres(postgres) => {
            for migration in pending(postgres, POSTGRES)?.steps {
                apply(postgres, migration.as_ref())?;
            }
        }
    }
    check(connection)
}

/// Tables that are written anew lose their foreign keys on the way, so keys are not looked at meanwhile, and all of them
/// afterwards.
fn migrate_file(sqlite: &mut SqliteConnection) -> Result<(), OpenError> {
    let Pending { steps, is_new } = pending(sqlite, SQLITE)?;
    if steps.is_empty() {
        return Ok(());
    }
    if !is_new {
        require_room_to_migrate(sqlite)?;
    }
    sqlite.batch_execute("PRAGMA foreign_keys = OFF").map_err(failed)?;
    let applied = steps.iter().try_for_each(|migration| apply(sqlite, migration.as_ref()));
    let checked = applied.and_then(|()| require_whole_foreign_keys(sqlite));
    sqlite.batch_execute("PRAGMA foreign_keys = ON").map_err(failed)?;
    checked
}

fn require_whole_foreign_keys(sqlite: &mut SqliteConnection) -> Result<(), OpenError> {
    #[derive(QueryableByName)]
    struct Broken {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let count = diesel::sql_query("SELECT count(*) AS rows FROM pragma_foreign_key_check");
    let broken: Broken = count.get_result(sqlite).map_err(failed)?;
    if broken.rows > 0 {
        let detail = format!("{} rows refer to others that are not there; restore a backup", broken.rows);
        return Err(OpenError::Migration(detail));
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn failed(error: impl std::fmt::Display) -> OpenError {
    OpenError::Migration(error.to_string())
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

/// What is to be done to a database.
struct Pending<DB: Backend> {
    steps: Vec<Box<dyn Migration<DB>>>,
    /// Nothing was ever done to it.
    is_new: bool,
}

fn pending<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<Pending<DB>, OpenError>
where
    DB: Backend,
    C: MigrationHarness<DB> + MigrationConnection + diesel::Connection<Backend = DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    connection.setup().map_err(failed)?;
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
    let steps = connection.pending_migrations(source).map_err(failed)?;
    if !applied.is_empty() && !steps.is_empty() {
        tracing::info!(steps = steps.len(), "bringing the database to this version; a large one takes some minutes");
    }
    Ok(Pending { steps, is_new: applied.is_empty() })
}

fn apply<C, DB>(connection: &mut C, migration: &dyn Migration<DB>) -> Result<(), OpenError>
where
    DB: Backend,
    C: MigrationHarness<DB>,
{
    tracing::info!(migration = %migration.name(), "migrating the database");
    connection.run_migration(migration).map(drop).map_err(failed)
}
