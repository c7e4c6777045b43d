//! The manifest beside a backup: what the backup is, how it is verified, and which key it needs. Never the key.

use super::BackupError;
use super::files::Checksum;
use crate::secrets::Secrets;
use crate::store::raw_database::DatabaseFacts;
use crate::store::{SchemaVersion, is_key_of, is_postgres, schema_version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The form of the manifest; it grows only where an older program could not restore the backup.
const FORMAT: u32 = 1;

/// A description of a backup, written beside it as `<backup>.manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of parceltrail that made the backup.
    pub program: String,
    /// Not later than the moment that the backup shows.
    pub made_at: Timestamp,
    pub database: DatabaseKind,
    /// The last migration.
    pub schema_version: String,
    /// The number of rows by table.
    pub rows: BTreeMap<String, i64>,
    pub file: BackupFile,
    pub key: KeyNeed,
}

/// The backup's own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// Which secret key the backup needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNeed {
    pub needed: bool,
    /// A known text sealed under the key, in base64: the right key opens it, and it says nothing about the key.
    pub check: Option<String>,
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    Sqlite,
    Postgresql,
}

impl DatabaseKind {
    /// The kind that a URL names.
    pub fn of(url: &str) -> Self {
        if is_postgres(url) { Self::Postgresql } else { Self::Sqlite }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
        }
    }
}

impl Manifest {
    /// The manifest of a backup made at `made_at`.
    pub(super) fn new(database: DatabaseKind, facts: DatabaseFacts, file: Checksum, made_at: Timestamp) -> Self {
        let check = facts.key_check.map(|sealed| STANDARD.encode(sealed));
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            database,
            schema_version: facts.schema_version,
            rows: facts.rows,
            file: BackupFile { bytes: file.bytes, sha256: file.sha256 },
            key: KeyNeed { needed: check.is_some(), check },
        }
    }

    /// `backup.db.manifest.json` for `backup.db`.
    pub fn path_of(backup: &Path) -> PathBuf {
        let mut name = backup.as_os_str().to_owned();
        name.push(".manifest.json");
        PathBuf::from(name)
    }

    /// Reads the manifest beside a backup.
    pub(super) fn read(backup: &Path) -> Result<Self, BackupError> {
        /// Read first: a newer form may have other members.
        #[derive(Deserialize)]
        struct Header {
            format: u32,
            program: String,
        }
        let path = Self::path_of(backup);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(BackupError::NoManifest(path)),
            Err(error) => return Err(BackupError::io(&path)(error)),
        };
        let unreadable = |source| BackupError::BadManifest { path: path.clone(), source };
        let header: Header = serde_json::from_slice(&text).map_err(unreadable)?;
        if header.format > FORMAT {
            return Err(BackupError::NewerBackup(header.program));
        }
        serde_json::from_slice(&text).map_err(unreadable)
    }

    /// Refuses a backup that this program, this database and this key cannot take.
    pub(super) fn require_fit(&self, url: &str, secrets: &Secrets) -> Result<(), BackupError> {
        let target = DatabaseKind::of(url);
        if self.database != target {
            return Err(BackupError::OtherKind { backup: self.database.name(), target: target.name() });
        }
        match schema_version(&self.schema_version) {
            SchemaVersion::Known => {}
            SchemaVersion::Newer => return Err(BackupError::NewerBackup(self.program.clone())),
            SchemaVersion::Unknown => return Err(BackupError::UnknownSchema(self.schema_version.clone())),
        }
        match self.key_check()? {
            Some(check) if !is_key_of(secrets, &check) => Err(BackupError::OtherKey),
            Some(_) | None => Ok(()),
        }
    }

    fn key_check(&self) -> Result<Option<Vec<u8>>, BackupError> {
        let altered = |_base64| BackupError::Altered("the key check in the manifest is not base64".to_owned());
        self.key.check.as_deref().map(|check| STANDARD.decode(check).map_err(altered)).transpose()
    }

    /// Compares the backup's file with what the manifest says.
    pub(super) fn require_file(&self, found: &Checksum) -> Result<(), BackupError> {
        if found.bytes != self.file.bytes {
            let sizes = format!("it has {} bytes, and had {}", found.bytes, self.file.bytes);
            return Err(BackupError::Altered(sizes));
        }
        if found.sha256 != self.file.sha256.to_ascii_lowercase() {
            return Err(BackupError::Altered("its SHA-256 is another".to_owned()));
        }
        Ok(())
    }

    /// Compares what is in the backup with what the manifest says.
    pub(super) fn require_facts(&self, found: &DatabaseFacts) -> Result<(), BackupError> {
        if found.schema_version != self.schema_version {
            return Err(BackupError::Altered("its schema is not that of the manifest".to_owned()));
        }
        if found.key_check != self.key_check()? {
            return Err(BackupError::Altered("its key check is not that of the manifest".to_owned()));
        }
        match self.other_rows(&found.rows) {
            Some(other) => Err(BackupError::Altered(other)),
            None => Ok(()),
        }
    }

    /// The first table that has another number of rows than the manifest says.
    pub(super) fn other_rows(&self, found: &BTreeMap<String, i64>) -> Option<String> {
        let tables = self.rows.keys().chain(found.keys());
        let mut other = tables.filter(|table| self.rows.get(*table) != found.get(*table));
        let count = |rows: &BTreeMap<String, i64>, table: &str| rows.get(table).copied().unwrap_or_default();
        other.next().map(|table| {
            format!("{table} has {} rows, and the manifest says {}", count(found, table), count(&self.rows, table))
        })
    }
}
