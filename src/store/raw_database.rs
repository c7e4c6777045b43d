//! A database as it lies there: opened without its key, and without migrating it.
//!
//! A backup must not migrate the database of a server that runs an older version, and a restore looks into databases that
//! may be of any version, or damaged.

use super::connection::{AnyConnection, connect_postgres};
use super::sqlite_file::{is_postgres, sqlite_path};
use super::{OpenError, StoreError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Text};
use std::collections::BTreeMap;
use std::path::Path;

/// What a database is, without what it says: compared with the manifest of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// The last migration.
    pub schema_version: String,
    /// The number of rows by table.
    pub rows: BTreeMap<String, i64>,
    /// A text sealed under the secret key: who can open it has the right key.
    pub key_check: Option<Vec<u8>>,
}

/// A database that is neither migrated nor unlocked.
pub struct RawDatabase {
    pub(super) connection: AnyConnection,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct KeyCheck {
    #[diesel(sql_type = Binary)]
    key_check: Vec<u8>,
}

const MIGRATIONS: &str = "__diesel_schema_migrations";
/// A file that another process has open is not waited for long: a server does not end by itself.
const LEAVE_LOG: &str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = DELETE";

impl RawDatabase {
    /// Opens a database that exists.
    ///
    /// # Errors
    ///
    /// [`OpenError::NoDatabase`] where there is no file, or an empty one; none is made.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = sqlite_path(url) {
            return Self::open_file(&path);
        }
        if !is_postgres(url) {
            return Err(OpenError::UnknownUrl);
        }
        Ok(Self { connection: connect_postgres(url)? })
    }

    /// Opens the file of an embedded database that exists.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_file(path: &Path) -> Result<Self, OpenError> {
        if !path.metadata().is_ok_and(|file| file.len() > 0) {
            return Err(OpenError::NoDatabase(path.to_owned()));
        }
        let unreachable = |error: String| OpenError::Unreachable(error);
        let mut connection =
            SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| unreachable(error.to_string()))?;
        connection.batch_execute("PRAGMA busy_timeout = 10000").map_err(|error| unreachable(error.to_string()))?;
        Ok(Self { connection: AnyConnection::Sqlite(connection) })
    }

    /// Schema, number of rows by table, and key check. On PostgreSQL all of one moment, where a snapshot is held.
    pub fn facts(&mut self) -> Result<DatabaseFacts, StoreError> {
        let mut rows = BTreeMap::new();
        for table in self.tables()?.into_iter().filter(|table| table != MIGRATIONS) {
            let counted: Number =
                sql_query(format!("SELECT count(*) AS n FROM \"{table}\"")).get_result(&mut self.connection)?;
            rows.insert(table, counted.n);
        }
        let last = format!("SELECT CAST(coalesce(max(version), '') AS TEXT) AS name FROM {MIGRATIONS}");
        let last: Name = sql_query(last).get_result(&mut self.connection)?;
        Ok(DatabaseFacts { schema_version: last.name, rows, key_check: self.key_check()? })
    }

    /// Whether the database was ever started with a key.
    pub fn has_key_check(&mut self) -> Result<bool, StoreError> {
        Ok(self.key_check()?.is_some())
    }

    fn key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.tables()?.iter().any(|table| table == "instance") {
            return Ok(None);
        }
        let found: Option<KeyCheck> =
            sql_query("SELECT key_check FROM instance").get_result(&mut self.connection).optional()?;
        Ok(found.map(|row| row.key_check))
    }

    /// Whether any seller is in the database.
    pub fn has_sellers(&mut self) -> Result<bool, StoreError> {
        if !self.tables()?.iter().any(|table| table == "sellers") {
            return Ok(false);
        }
        let counted: Number = sql_query("SELECT count(*) AS n FROM (SELECT 1 FROM sellers LIMIT 1) AS one")
            .get_result(&mut self.connection)?;
        Ok(counted.n > 0)
    }

    /// The names of all tables, those of SQLite itself left out.
    pub fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let statement = match &self.connection {
            AnyConnection::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
            }
            AnyConnection::Postgres(_) => {
                "SELECT CAST(relname AS TEXT) AS name FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') \
                 AND relnamespace = current_schema()::regnamespace"
            }
        };
        let names: Vec<Name> = sql_query(statement).load(&mut self.connection)?;
        Ok(names.into_iter().map(|table| table.name).collect())
    }

    /// What SQLite finds wrong with the file; nothing where it is sound.
    pub fn damage(&mut self) -> Result<Vec<String>, StoreError> {
        let found: Vec<Name> =
            sql_query("SELECT integrity_check AS name FROM pragma_integrity_check").load(&mut self.connection)?;
        Ok(found.into_iter().map(|line| line.name).filter(|line| line != "ok").collect())
    }

    /// How many bytes a copy of an embedded database takes at most.
    pub fn bytes_of_copy(&mut self) -> Result<u64, StoreError> {
        let size = "SELECT (page_count - freelist_count) * page_size AS n \
                    FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let size: Number = sql_query(size).get_result(&mut self.connection)?;
        Ok(u64::try_from(size.n).unwrap_or_default())
    }

    /// Writes an embedded database as it is at this moment into a new or empty file, while others read and write it. What
    /// was deleted is not in the copy.
    pub fn copy_into(&mut self, path: &str) -> Result<(), StoreError> {
        sql_query("VACUUM INTO $1").bind::<Text, _>(path).execute(&mut self.connection)?;
        Ok(())
    }

    /// Brings an embedded database out of its log into one file. `false` where another process has the file open.
    pub fn leave_log(&mut self) -> Result<bool, StoreError> {
        match self.connection.batch_execute(LEAVE_LOG).map_err(StoreError::from) {
            Ok(()) => {}
            Err(StoreError::Unavailable(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        let mode: Name =
            sql_query("SELECT journal_mode AS name FROM pragma_journal_mode").get_result(&mut self.connection)?;
        Ok(mode.name == "delete")
    }

    /// On PostgreSQL begins a transaction that sees the database as it is now, and gives the name under which `pg_dump`
    /// sees the same; it lasts as long as this connection.
    pub fn export_snapshot(&mut self) -> Result<String, StoreError> {
        self.connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let snapshot: Name = sql_query("SELECT pg_export_snapshot() AS name").get_result(&mut self.connection)?;
        Ok(snapshot.name)
    }
}
