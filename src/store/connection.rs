//! Connections: one writer and read-only readers on SQLite, a pool on PostgreSQL, one code path over both.

use crate::domain::ids::SellerId;
use crate::store::error::{OpenError, StoreError};
use crate::store::pool_turns::{POOL_SIZE, PoolTurn, PoolTurns, Use};
use crate::store::reader_pool::ReaderPool;
use crate::store::row_security::{APPLICATION_ROLE, application_role};
use crate::store::statements::StatementObserver;
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection as _, PgConnection, SqliteConnection};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A connection to either database; every query is written once, against this.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Which database stands behind the store, and how its connections are had.
pub enum Engine {
    Sqlite { path: PathBuf, writer: Arc<Mutex<AnyConnection>>, readers: ReaderPool },
    Postgres { pool: Pool<PostgresManager>, turns: PoolTurns },
}

/// Whose rows a piece of work may touch. PostgreSQL holds it to that by row-level security; on SQLite our own queries do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Seller(SellerId),
    Platform,
}

/// Whose connections a piece of work uses, where they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Those of sellers, a few of each.
    Sellers,
    /// Those kept for what must not wait for sellers: sign-in, customers' pages, jobs over all sellers.
    Reserved,
}

/// A piece of work at the database.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub scope: Scope,
    pub lane: Lane,
}

impl Work {
    pub const PLATFORM: Self = Self { scope: Scope::Platform, lane: Lane::Reserved };

    fn turn(self, turns: &PoolTurns, wanted: Use) -> Result<Option<PoolTurn<'_>>, StoreError> {
        match (self.scope, self.lane) {
            (Scope::Seller(seller), Lane::Sellers) => turns.take(seller, wanted).map(Some),
            (Scope::Seller(_), Lane::Reserved) | (Scope::Platform, _) => Ok(None),
        }
    }
}

impl Scope {
    fn statement(self) -> String {
        let (seller, platform) = match self {
            Self::Seller(seller) => (seller.0, "off"),
            Self::Platform => (Uuid::nil(), "on"),
        };
        format!("SET parceltrail.seller = '{seller}'; SET parceltrail.platform = '{platform}'")
    }
}

const POOL_WAIT: Duration = Duration::from_secs(5);
/// `secure_delete` writes zeros over what is deleted, free pages too, so that nothing erased is left in the file. Rows are
/// seldom deleted here, and inserting costs nothing more; an upload that is deleted is written once more, a second for
/// each 100 MiB. What is deleted was sealed besides.
const WRITER_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; \
     PRAGMA secure_delete = ON;";
const READER_SETTINGS: &str =
    "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;";

/// What imports fill.
const GROWING: &str = "ANALYZE orders, order_lines, order_contacts, shipments, trackers, legs, tracking_events, standings, \
     promise_changes, outbox, import_rows";

impl Engine {
    /// Opens the database that the URL names; `prepare` brings it to this version's schema, one process at a time.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownUrl`] where the URL is of neither database, others where it cannot be reached.
    pub fn open(
        url: &str,
        prepare: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        if let Some(path) = sqlite_path(url) {
            let mut writer = open_sqlite(&path)?;
            let lock = lock_beside(&path)?;
            prepare(&mut writer)?;
            drop(lock);
            let readers = ReaderPool::new(path.clone(), open_sqlite_reader);
            return Ok(Self::Sqlite { path, writer: Arc::new(Mutex::new(writer)), readers });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url, prepare);
        }
        Err(OpenError::UnknownUrl)
    }

    /// Whether a read may run on the thread that asks, because it waits for no other machine.
    pub fn reads_inline(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    pub fn with_reader<T, E: From<StoreError>>(
        &self,
        work: Work,
        read: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite { readers, .. } => readers.with(read),
            Self::Postgres { pool, turns } => {
                let _turn = work.turn(turns, Use::Read)?;
                with_pooled(pool, work.scope, read)
            }
        }
    }

    pub fn with_writer<T, E: From<StoreError>>(
        &self,
        work: Work,
        write: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite { path, writer, .. } => {
                let mut writer = usable_writer(path, writer)?;
                write(&mut writer)
            }
            Self::Postgres { pool, turns } => {
                let _turn = work.turn(turns, Use::Write)?;
                with_pooled(pool, work.scope, write)
            }
        }
    }

    /// Has PostgreSQL look at tables that grow fast, where it does not know how large they are by now. A plan that was made
    /// while a table was empty, and is kept, reads all rows of a seller for each row that is written: above all those
    /// behind foreign keys, which nobody else can see to.
    pub fn look_at_sizes(&self) -> Result<(), StoreError> {
        let Self::Postgres { pool, .. } = self else { return Ok(()) };
        with_pooled(pool, Scope::Platform, |connection| {
            let known =
                diesel::sql_query("SELECT 1 FROM pg_class WHERE oid = 'orders'::regclass AND reltuples >= 50000");
            if diesel::RunQueryDsl::execute(known, connection)? > 0 {
                return Ok(());
            }
            // Only who owns a table may look at it so.
            let role = format!("SELECT 1 WHERE current_user = '{APPLICATION_ROLE}'");
            let bound = diesel::RunQueryDsl::execute(diesel::sql_query(role), connection)? > 0;
            connection.batch_execute("RESET ROLE")?;
            let looked = connection.batch_execute(GROWING);
            if bound {
                connection.batch_execute(&format!("SET ROLE {APPLICATION_ROLE}"))?;
            }
            looked.map_err(StoreError::from)
        })
    }

    /// The SQL that keeps a claimed row from being claimed twice at once.
    pub fn skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "",
            Self::Postgres { .. } => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// The one writer. One that a panic or the database itself left in an unknown state is opened anew: what it had not
/// committed is gone, as it should be.
fn usable_writer<'w>(
    path: &Path,
    writer: &'w Mutex<AnyConnection>,
) -> Result<MutexGuard<'w, AnyConnection>, StoreError> {
    let is_poisoned = writer.is_poisoned();
    let mut guard = timed("writer", || writer.lock().unwrap_or_else(PoisonError::into_inner));
    let broken = <AnyConnection as diesel::Connection>::TransactionManager::is_broken_transaction_manager(&mut guard);
    if is_poisoned || broken {
        *guard = open_sqlite(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        writer.clear_poison();
    }
    Ok(guard)
}

fn with_pooled<T, E: From<StoreError>>(
    pool: &Pool<PostgresManager>,
    scope: Scope,
    run: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    let mut pooled = living(pool, scope)?;
    run(&mut pooled.connection)
}

/// A connection that works for a scope. Setting the scope also shows whether the connection still lives; one that does not
/// is closed when it goes back, and another is taken.
fn living(pool: &Pool<PostgresManager>, scope: Scope) -> Result<PooledConnection<PostgresManager>, StoreError> {
    let mut refused = None;
    for _ in 0..=POOL_SIZE {
        let mut pooled = timed("pool", || pool.get()).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        match pooled.connection.batch_execute(&scope.statement()) {
            Ok(()) => return Ok(pooled),
            Err(error) => {
                pooled.is_dead = true;
                refused = Some(error);
            }
        }
    }
    let refusal = refused.map_or_else(|| "no connection could be had".to_owned(), |error| error.to_string());
    Err(StoreError::Unavailable(refusal))
}

/// Measures how long a connection was waited for.
fn timed<T>(whom: &'static str, wait: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let had = wait();
    metrics::histogram!("parceltrail_database_wait_seconds", "for" => whom).record(began.elapsed());
    had
}

/// Makes the pool's connections, already wrapped as either database's.
#[derive(Debug)]
pub struct PostgresManager {
    url: String,
    /// Whether connections put on the role that row-level security binds.
    bound: bool,
}

/// A connection of the pool.
pub struct PostgresConnection {
    connection: AnyConnection,
    /// It failed outside of a transaction, so diesel does not know that it is no use any more.
    is_dead: bool,
}

impl ManageConnection for PostgresManager {
    type Connection = PostgresConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<PostgresConnection, Self::Error> {
        let mut connection = PgConnection::establish(&self.url)?;
        connection.set_instrumentation(StatementObserver { database: "postgres" });
        if self.bound {
            let role = format!("SET ROLE {APPLICATION_ROLE}");
            connection.batch_execute(&role).map_err(diesel::r2d2::Error::QueryError)?;
        }
        Ok(PostgresConnection { connection: AnyConnection::Postgres(connection), is_dead: false })
    }

    fn is_valid(&self, pooled: &mut PostgresConnection) -> Result<(), Self::Error> {
        pooled.connection.batch_execute("SELECT 1").map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut PostgresConnection) -> bool {
        type Transactions = <AnyConnection as diesel::Connection>::TransactionManager;
        pooled.is_dead || Transactions::is_broken_transaction_manager(&mut pooled.connection)
    }
}

/// The file of `sqlite:path`, `sqlite://path` or `sqlite:///path`.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    (!path.is_empty() && !path.contains('?')).then(|| PathBuf::from(path))
}

fn open_sqlite(path: &Path) -> Result<AnyConnection, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(OpenError::NoFolder(folder.to_owned()));
    }
    let mut writer = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreachable_database)?;
    writer.set_instrumentation(StatementObserver { database: "sqlite" });
    writer.batch_execute(WRITER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(writer))
}

pub(super) fn open_sqlite_reader(path: &Path) -> Result<AnyConnection, OpenError> {
    let mut reader = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreachable_database)?;
    reader.set_instrumentation(StatementObserver { database: "sqlite" });
    reader.batch_execute(READER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(reader))
}

fn open_postgres(
    url: &str,
    prepare: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<Engine, OpenError> {
    if cfg!(not(feature = "postgres-tls")) && asks_for_tls(url) {
        return Err(OpenError::NoTls);
    }
    let mut owner = AnyConnection::Postgres(PgConnection::establish(url).map_err(unreachable_database)?);
    prepare(&mut owner)?;
    let bound = application_role(&mut owner);
    let manager = PostgresManager { url: url.to_owned(), bound };
    let pool = Pool::builder()
        .max_size(POOL_SIZE)
        .min_idle(Some(1))
        .connection_timeout(POOL_WAIT)
        // `living` finds out itself, without a round trip more.
        .test_on_check_out(false)
        .build(manager)
        .map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(Engine::Postgres { pool, turns: PoolTurns::default() })
}

/// One process at a time opens the file: a second one waits here.
fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let failed = |error: std::io::Error| OpenError::Migration(error.to_string());
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(Path::new(&name)).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreachable_database(error: diesel::ConnectionError) -> OpenError {
    OpenError::Unreachable(error.to_string())
}
