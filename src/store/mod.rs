//! SQLite or PostgreSQL behind one set of queries; the only folder that knows diesel.
//!
//! [`Store::seller`] is the only handle on sellers' tables, [`Store::platform`] serves the named exceptions. A closure
//! given to `read` runs on this thread with a read-only connection of its own on SQLite, with a pooled one on PostgreSQL;
//! one given to `write` runs in a transaction, on SQLite's one writer or on a pooled connection.

pub mod api_keys;
pub mod audit;
mod bulk;
mod connection;
pub mod contacts;
pub mod corrections;
pub mod directory;
pub mod doubts;
pub mod erasures;
mod error;
pub mod events;
pub mod idempotency;
mod import_claims;
pub mod import_rows;
pub mod import_runs;
pub mod imports;
mod migrations;
pub mod orders;
pub mod outbox;
mod pool_turns;
pub mod raw_database;
mod reader_pool;
pub mod report_rows;
mod row_security;
mod schema;
pub mod seller_carriers;
pub mod sellers;
pub mod sessions;
pub mod shared_numbers;
pub mod shipment_lists;
pub mod shipments;
pub mod signing_keys;
mod sqlite_file;
pub mod standings;
mod statements;
pub mod trackers;
mod types;
pub mod undo;
pub mod users;
mod vaults;
pub mod waiting;

pub use connection::AnyConnection;
pub use error::{OpenError, StoreError};
pub use migrations::{SchemaVersion, schema_version};
pub use sqlite_file::free_bytes;
pub use sqlite_file::{OpenLock, is_postgres};
pub use types::{At, Json};
pub use vaults::is_key_of;

use crate::domain::ids::SellerId;
use crate::secrets::Secrets;
use connection::{Engine, Lane, Scope, Work};
use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use directory::SellersOfLinks;
use vaults::Vaults;

/// The database.
pub struct Store {
    engine: Engine,
    vaults: Vaults,
    sellers_of_links: SellersOfLinks,
}

/// Why a query may look over sellers' borders: each reason is named where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A key is looked up before its seller is known.
    SignIn,
    /// A customer's link is looked up before its seller is known.
    StatusToken,
    /// A customer without a link names the shop and proves to be the customer.
    StatusLookUp,
    /// What has been kept long enough is deleted, whosesoever it is.
    Retention,
    /// What is due is claimed for all sellers at once.
    JobClaim,
    /// An admin asks, or the operator at the command line.
    Admin,
}

/// A seller's tables on one connection. Every query in it names the seller.
pub struct SellerTables<'c> {
    connection: &'c mut AnyConnection,
    vaults: &'c Vaults,
    seller: SellerId,
    /// The number of this seller's last change, once this transaction has asked for it.
    last_seq: Option<i64>,
}

impl<'c> SellerTables<'c> {
    fn new(connection: &'c mut AnyConnection, vaults: &'c Vaults, seller: SellerId) -> Self {
        Self { connection, vaults, seller, last_seq: None }
    }
}

/// The platform's tables on one connection.
pub struct PlatformTables<'c> {
    connection: &'c mut AnyConnection,
    vaults: &'c Vaults,
    skip_locked: &'static str,
}

/// The handle on one seller's tables.
#[derive(Clone, Copy)]
pub struct SellerStore<'s> {
    engine: &'s Engine,
    vaults: &'s Vaults,
    seller: SellerId,
    lane: Lane,
}

/// The handle for the named exceptions.
pub struct PlatformStore<'s> {
    engine: &'s Engine,
    vaults: &'s Vaults,
    _reason: Reason,
}

impl Store {
    /// Opens the database and brings it to this version's schema.
    ///
    /// # Errors
    ///
    /// [`OpenError`], whose sentence says what to write or do; [`OpenError::OtherKey`] where the database was made with
    /// another secret key.
    pub fn open(url: &str, secrets: Secrets) -> Result<Self, OpenError> {
        Self::open_locked(url, OpenLock::take(url)?, secrets, false)
    }

    /// The same, for a caller that holds the lock already, and may allow PostgreSQL to run without row-level security.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open_locked(
        url: &str,
        lock: OpenLock,
        secrets: Secrets,
        allow_no_row_security: bool,
    ) -> Result<Self, OpenError> {
        let vaults = Vaults::new(secrets);
        let check = |connection: &mut AnyConnection| {
            vaults.check(connection)?;
            directory::list_sellers(connection).map_err(|error| OpenError::Migration(error.to_string()))
        };
        let prepare = |connection: &mut AnyConnection| migrations::migrate(connection, check);
        let engine = Engine::open(url, lock, allow_no_row_security, prepare)?;
        Ok(Self { engine, vaults, sellers_of_links: SellersOfLinks::default() })
    }

    /// Closes an embedded database, so that its file alone is whole: every write fails from here on. `false` where
    /// another process still reads the log, and the file alone is not whole.
    pub fn close(&self) -> Result<bool, StoreError> {
        self.engine.close()
    }

    /// The file of an embedded database; `None` where the URL names a server.
    pub fn embedded_file(url: &str) -> Option<std::path::PathBuf> {
        sqlite_file::sqlite_path(url)
    }

    /// Lets go of what a process that died was holding: only for an embedded database, which one process works on.
    pub fn take_over(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite { .. } => self.platform(Reason::JobClaim).write(|tables| {
                tables.release_imports()?;
                tables.release_trackers()
            }),
            Engine::Postgres { .. } => Ok(()),
        }
    }

    /// Whether the database answers.
    pub fn is_ready(&self) -> Result<(), StoreError> {
        self.engine.with_reader(Work::PLATFORM, |connection| Ok(connection.batch_execute("SELECT 1")?))
    }

    /// Brings the statistics of an embedded database's planner up to date, where it is worth it; PostgreSQL does so itself.
    pub fn update_statistics(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite { .. } => self.engine.with_writer(Work::PLATFORM, sqlite_file::update_statistics),
            Engine::Postgres { .. } => Ok(()),
        }
    }

    /// Sees to it that the database knows how large its tables are by now, while they grow fast.
    pub fn look_at_sizes(&self) -> Result<(), StoreError> {
        self.engine.look_at_sizes()
    }

    /// Whether a read may run on the thread that asks, because it waits for no other machine.
    pub fn reads_inline(&self) -> bool {
        self.engine.reads_inline()
    }

    pub fn seller(&self, seller: SellerId) -> SellerStore<'_> {
        SellerStore { engine: &self.engine, vaults: &self.vaults, seller, lane: Lane::Sellers }
    }

    pub fn platform(&self, reason: Reason) -> PlatformStore<'_> {
        PlatformStore { engine: &self.engine, vaults: &self.vaults, _reason: reason }
    }
}

impl SellerStore<'_> {
    /// The same handle for work that must not wait for what the seller itself is doing: a customer's page, a sign-in.
    #[must_use]
    pub fn reserved(self) -> Self {
        Self { lane: Lane::Reserved, ..self }
    }

    fn work(&self) -> Work {
        Work { scope: Scope::Seller(self.seller), lane: self.lane }
    }

    pub fn read<T, E: From<StoreError>>(&self, run: impl FnOnce(&mut SellerTables) -> Result<T, E>) -> Result<T, E> {
        let (vaults, seller) = (self.vaults, self.seller);
        self.engine.with_reader(self.work(), |connection| run(&mut SellerTables::new(connection, vaults, seller)))
    }

    /// All that the closure writes is kept, or, where it fails, nothing.
    pub fn write<T, E: From<StoreError>>(&self, run: impl FnOnce(&mut SellerTables) -> Result<T, E>) -> Result<T, E> {
        self.engine.with_writer(self.work(), |connection| {
            in_transaction(connection, |connection| {
                let (vaults, seller) = (self.vaults, self.seller);
                take_turn(connection, seller)?;
                run(&mut SellerTables::new(connection, vaults, seller))
            })
        })
    }
}

impl PlatformStore<'_> {
    pub fn read<T, E: From<StoreError>>(&self, run: impl FnOnce(&mut PlatformTables) -> Result<T, E>) -> Result<T, E> {
        let (vaults, skip_locked) = (self.vaults, self.engine.skip_locked());
        self.engine
            .with_reader(Work::PLATFORM, |connection| run(&mut PlatformTables { connection, vaults, skip_locked }))
    }

    /// All that the closure writes is kept, or, where it fails, nothing.
    pub fn write<T, E: From<StoreError>>(&self, run: impl FnOnce(&mut PlatformTables) -> Result<T, E>) -> Result<T, E> {
        let (vaults, skip_locked) = (self.vaults, self.engine.skip_locked());
        self.engine.with_writer(Work::PLATFORM, |connection| {
            in_transaction(connection, |connection| run(&mut PlatformTables { connection, vaults, skip_locked }))
        })
    }
}

impl SellerTables<'_> {
    /// Runs a part whose writes are undone where it fails, while the rest of the transaction goes on.
    pub fn savepoint<T, E: From<StoreError>>(
        &mut self,
        run: impl FnOnce(&mut SellerTables) -> Result<T, E>,
    ) -> Result<T, E> {
        let (vaults, seller, mut last_seq) = (self.vaults, self.seller, self.last_seq);
        let done = in_transaction(self.connection, |connection| {
            let mut tables = SellerTables { connection, vaults, seller, last_seq };
            let done = run(&mut tables)?;
            last_seq = tables.last_seq;
            Ok(done)
        });
        // What was taken back has told of nothing.
        if done.is_ok() {
            self.last_seq = last_seq;
        }
        done
    }
}

type Transactions = <AnyConnection as diesel::Connection>::TransactionManager;

fn in_transaction<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    run: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection).map_err(StoreError::from)?;
    match run(connection) {
        Ok(done) => {
            commit(connection)?;
            Ok(done)
        }
        Err(error) => {
            // A database that rolled back by itself says so here; what went wrong first is what counts.
            if let Err(rollback) = Transactions::rollback_transaction(connection) {
                tracing::warn!(%rollback, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}

/// Within a transaction only a savepoint ends, and its outcome is known: without the transaction there is nothing.
fn commit(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let depth = Transactions::transaction_manager_status_mut(connection).transaction_depth().ok().flatten();
    let outermost = depth.is_none_or(|depth| depth.get() == 1);
    let committed = Transactions::commit_transaction(connection);
    committed.map_err(|error| if outermost { error::of_commit(error) } else { error.into() })
}

/// On SQLite the write lock is taken at the start: a read that then wants to write would be refused if another process
/// had written in between. Within a transaction this is a savepoint.
fn begin(connection: &mut AnyConnection) -> diesel::QueryResult<()> {
    let outermost = Transactions::transaction_manager_status_mut(connection).transaction_depth()?.is_none();
    match connection {
        AnyConnection::Sqlite(sqlite) if outermost => {
            AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")
        }
        AnyConnection::Sqlite(_) | AnyConnection::Postgres(_) => Transactions::begin_transaction(connection),
    }
}

/// On PostgreSQL the writes of one seller go one after the other, as all do on SQLite: so what a transaction has read of
/// a seller stays true until it has written. A row lock is understood by every engine that speaks PostgreSQL.
fn take_turn(connection: &mut AnyConnection, seller: SellerId) -> Result<(), StoreError> {
    if matches!(connection, AnyConnection::Postgres(_)) {
        diesel::sql_query("SELECT id FROM sellers WHERE id = $1 FOR UPDATE")
            .bind::<types::sql::Id, _>(seller)
            .execute(connection)?;
    }
    Ok(())
}

#[cfg(test)]
pub mod on_both;
#[cfg(test)]
mod tests;
