//! The instance's secret key: from the configuration, or from the key file beside an embedded database.
//!
//! A key and its database belong together. Where one of them is missing, the program does not make a new one on its own:
//! a new key cannot read the old database, and a new database hides that the old one is lost.

use super::StartError;
use crate::config::Config;
use crate::secrets::Secrets;
use crate::store::raw_database::RawDatabase;
use crate::store::{OpenError, Store};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The key to start with. It is made at the first start, when neither the database nor its key file exists.
///
/// The caller holds the lock of the database, so that two first starts at once agree.
pub(super) fn for_start(config: &Config) -> Result<String, StartError> {
    let Some(database) = Store::embedded_file(&config.database_url) else {
        return configured(config).ok_or(StartError::NoSecretKey);
    };
    let path = key_file(&database);
    let on_file = read_key_file(&path)?;
    if on_file.is_some() && !config.new_database && !exists(&database)? {
        return Err(StartError::NoDatabaseForKey { database, key_file: path });
    }
    if let Some(key) = configured(config).or(on_file) {
        return Ok(key);
    }
    if exists(&database)? && was_made_with_key(&config.database_url)? {
        return Err(StartError::NoKeyForDatabase { database, key_file: path });
    }
    make_key_file(&path)
}

/// The key of a database that was there before, such as a backup; never a new one.
pub(super) fn existing(config: &Config) -> Result<String, StartError> {
    if let Some(key) = configured(config) {
        return Ok(key);
    }
    let database = Store::embedded_file(&config.database_url).ok_or(StartError::NoSecretKey)?;
    let path = key_file(&database);
    read_key_file(&path)?.ok_or(StartError::NoKeyFile(path))
}

fn configured(config: &Config) -> Option<String> {
    config.secret_key.clone().filter(|key| !key.is_empty())
}

/// `parceltrail.db.key` for `parceltrail.db`.
fn key_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

fn was_made_with_key(url: &str) -> Result<bool, OpenError> {
    RawDatabase::open(url)?.has_key_check().map_err(|error| OpenError::Unreachable(error.to_string()))
}

/// Whether the file is there and holds anything: an empty file is what SQLite makes of a missing one.
fn exists(database: &Path) -> Result<bool, StartError> {
    match std::fs::metadata(database) {
        Ok(file) => Ok(file.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(StartError::DatabaseFile { path: database.to_owned(), source }),
    }
}

fn read_key_file(path: &Path) -> Result<Option<String>, StartError> {
    match std::fs::read_to_string(path) {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StartError::KeyFile { path: path.to_owned(), source }),
    }
}

fn make_key_file(path: &Path) -> Result<String, StartError> {
    let key = Secrets::fresh_key()?;
    let written = private_file(path).and_then(|mut file| {
        file.write_all(key.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| StartError::KeyFile { path: path.to_owned(), source })?;
    Ok(key)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)
}
