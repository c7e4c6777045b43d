//! Connections: one writer and read-only readers on SQLite, a pool on PostgreSQL, one code path over both.

use crate::store::error::{OpenError, StoreError};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool};
use diesel::{Connection as _, PgConnection, SqliteConnection};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A connection to either database; every query is written once, against this.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Which database stands behind the store, and how its connections are had.
pub enum Engine {
    Sqlite { path: PathBuf, writer: Arc<Mutex<AnyConnection>> },
    Postgres { pool: Pool<PostgresManager> },
}

const POOL_SIZE: u32 = 12;
const POOL_WAIT: Duration = Duration::from_secs(5);
const WRITER_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";
const READER_SETTINGS: &str =
    "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";

thread_local! {
    /// This thread's read-only connections, by file: a point read costs no hand-over to another thread.
    static READERS: RefCell<HashMap<PathBuf, AnyConnection>> = RefCell::new(HashMap::new());
}

impl Engine {
    /// Opens the database that the URL names.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownUrl`] where the URL is of neither database, others where it cannot be reached.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = sqlite_path(url) {
            let writer = open_sqlite(&path)?;
            return Ok(Self::Sqlite { path, writer: Arc::new(Mutex::new(writer)) });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url);
        }
        Err(OpenError::UnknownUrl)
    }

    /// Whether a read may run on the thread that asks, because it waits for no other machine.
    pub fn reads_inline(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    pub fn with_reader<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite { path, .. } => READERS.with_borrow_mut(|readers| {
                if !readers.contains_key(path) {
                    let reader =
                        open_sqlite_reader(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
                    readers.insert(path.clone(), reader);
                }
                match readers.get_mut(path) {
                    Some(reader) => read(reader),
                    None => Err(StoreError::Unavailable("the reader could not be kept".to_owned()).into()),
                }
            }),
            Self::Postgres { pool, .. } => with_pooled(pool, read),
        }
    }

    pub fn with_writer<T, E: From<StoreError>>(
        &self,
        write: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite { path, writer } => {
                let mut writer = usable_writer(path, writer)?;
                write(&mut writer)
            }
            Self::Postgres { pool, .. } => with_pooled(pool, write),
        }
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
    run: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    let mut pooled = timed("pool", || pool.get()).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    run(&mut pooled)
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
}

impl ManageConnection for PostgresManager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        Ok(AnyConnection::Postgres(PgConnection::establish(&self.url)?))
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        connection.batch_execute("SELECT 1").map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        <AnyConnection as diesel::Connection>::TransactionManager::is_broken_transaction_manager(connection)
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
    writer.batch_execute(WRITER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(writer))
}

fn open_sqlite_reader(path: &Path) -> Result<AnyConnection, OpenError> {
    let mut reader = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreachable_database)?;
    reader.batch_execute(READER_SETTINGS).map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(AnyConnection::Sqlite(reader))
}

fn open_postgres(url: &str) -> Result<Engine, OpenError> {
    if cfg!(not(feature = "postgres-tls")) && asks_for_tls(url) {
        return Err(OpenError::NoTls);
    }
    let manager = PostgresManager { url: url.to_owned() };
    let pool = Pool::builder()
        .max_size(POOL_SIZE)
        .min_idle(Some(1))
        .connection_timeout(POOL_WAIT)
        .build(manager)
        .map_err(|error| OpenError::Unreachable(error.to_string()))?;
    Ok(Engine::Postgres { pool })
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreachable_database(error: diesel::ConnectionError) -> OpenError {
    OpenError::Unreachable(error.to_string())
}
