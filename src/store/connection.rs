//! Connections: one writer and read-only readers on SQLite, a pool on PostgreSQL, one code path over both.

use crate::domain::ids::SellerId;
use crate::store::error::{OpenError, StoreError};
use crate::store::pool_turns::{POOL_SIZE, PoolTurn, PoolTurns, Use};
use crate::store::reader_pool::ReaderPool;
use crate::store::row_security::{APPLICATION_ROLE, use_application_role};
use crate::store::sqlite_file::{OpenLock, open_sqlite, open_sqlite_reader, settle, sqlite_path};
use crate::store::statements::StatementObserver;
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection as _, PgConnection, SqliteConnection};
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
    Sqlite {
        path: PathBuf,
        /// `None` once the database is closed.
        writer: Arc<Mutex<Option<AnyConnection>>>,
        readers: ReaderPool,
        turns: PoolTurns,
    },
    Postgres {
        pool: Pool<PostgresManager>,
        turns: PoolTurns,
    },
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
/// One process at a time migrates and grants; any number will do, as long as every parceltrail asks for the same. The turn ends
/// with the connection.
const TURN_TO_OPEN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7270715227)";

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
        lock: OpenLock,
        allow_no_row_security: bool,
        prepare: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        if let Some(path) = sqlite_path(url) {
            let mut writer = open_sqlite(&path)?;
            prepare(&mut writer)?;
            drop(lock);
            let readers = ReaderPool::new(path.clone(), open_sqlite_reader);
            return Ok(Self::Sqlite {
                path,
                writer: Arc::new(Mutex::new(Some(writer))),
                readers,
                turns: PoolTurns::default(),
            });
        }
        open_postgres(url, allow_no_row_security, prepare)
    }

    /// Writes the log of an embedded database into its file and closes the writer, and all readers at rest: nothing is
    /// written from here on. `false` where the file alone is not whole, because another process still reads the log.
    pub fn close(&self) -> Result<bool, StoreError> {
        let Self::Sqlite { path, writer, readers, .. } = self else { return Ok(true) };
        readers.clear();
        match usable_writer(path, writer)?.take() {
            Some(mut connection) => settle(&mut connection),
            None => Ok(true),
        }
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
            Self::Sqlite { path, writer, turns, .. } => {
                // One write of a seller waits for the writer at a time, so that a crowd of them does not keep others from it.
                let _turn = work.turn(turns, Use::Write)?;
                let mut writer = usable_writer(path, writer)?;
                match writer.as_mut() {
                    Some(connection) => write(connection),
                    None => Err(StoreError::Unavailable("it is closed".to_owned()).into()),
                }
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
    writer: &'w Mutex<Option<AnyConnection>>,
) -> Result<MutexGuard<'w, Option<AnyConnection>>, StoreError> {
    let is_poisoned = writer.is_poisoned();
    let mut guard = timed("writer", || writer.lock().unwrap_or_else(PoisonError::into_inner));
    let is_broken = <AnyConnection as diesel::Connection>::TransactionManager::is_broken_transaction_manager;
    if let Some(connection) = guard.as_mut()
        && (is_poisoned || is_broken(connection))
    {
        *connection = open_sqlite(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
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

fn open_postgres(
    url: &str,
    allow_no_row_security: bool,
    prepare: impl FnOnce(&mut AnyConnection) -> Result<(), OpenError>,
) -> Result<Engine, OpenError> {
    // Held by a transaction of its own, which an engine that distributes tables understands too.
    let mut turn = connect_postgres(url)?;
    turn.batch_execute(TURN_TO_OPEN).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let mut owner = connect_postgres(url)?;
    prepare(&mut owner)?;
    let bound = match use_application_role(&mut owner) {
        Ok(()) => true,
        Err(reason) if allow_no_row_security => {
            tracing::warn!(%reason, "row-level security is off: only the program's own queries keep sellers apart");
            false
        }
        Err(reason) => return Err(OpenError::NoRowSecurity(reason.to_string())),
    };
    drop(turn);
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

/// Connects as the user of the URL, who owns the tables.
pub fn connect_postgres(url: &str) -> Result<AnyConnection, OpenError> {
    if cfg!(not(feature = "postgres-tls")) && asks_for_tls(url) {
        return Err(OpenError::NoTls);
    }
    Ok(AnyConnection::Postgres(PgConnection::establish(url).map_err(unreachable_database)?))
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(super) fn unreachable_database(error: diesel::ConnectionError) -> OpenError {
    OpenError::Unreachable(error.to_string())
}
