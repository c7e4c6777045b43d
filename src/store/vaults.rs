//! Sellers' keys, opened: what names people passes through here on its way into the database and out of it.

use super::schema::{instance, seller_keys};
use super::{AnyConnection, OpenError, SellerTables, StoreError};
use crate::domain::ids::SellerId;
use crate::secrets::{SecretError, Secrets, Vault};
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// More sellers than this are not kept open at once.
const MOST_OPEN: usize = 10_000;

/// The purpose of the text by which the right secret key is known.
const KEY_CHECK: &[u8] = b"key check";

/// Whether this is the secret key that a database's key check was sealed under.
pub fn is_key_of(secrets: &Secrets, key_check: &[u8]) -> bool {
    secrets.open(KEY_CHECK, key_check).is_ok()
}

/// The instance's secret key, and the sellers' keys that were opened with it.
pub struct Vaults {
    secrets: Secrets,
    open: RwLock<HashMap<SellerId, Arc<Vault>>>,
}

impl Vaults {
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, open: RwLock::default() }
    }

    /// Makes a seller's key.
    pub fn make(&self, connection: &mut AnyConnection, seller: SellerId) -> Result<(), StoreError> {
        let wrapped = self.secrets.fresh_vault(seller.0.as_bytes())?;
        diesel::insert_into(seller_keys::table)
            .values((seller_keys::seller_id.eq(seller), seller_keys::wrapped.eq(wrapped)))
            .execute(connection)?;
        Ok(())
    }

    /// The seller's key; read and opened once.
    pub fn of(&self, connection: &mut AnyConnection, seller: SellerId) -> Result<Arc<Vault>, StoreError> {
        if let Some(vault) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(&seller) {
            return Ok(Arc::clone(vault));
        }
        let mine = seller_keys::table.filter(seller_keys::seller_id.eq(seller)).select(seller_keys::wrapped);
        let wrapped: Vec<u8> = mine.get_result(connection)?;
        let vault = Arc::new(self.secrets.open_vault(seller.0.as_bytes(), &wrapped)?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_OPEN {
            open.clear();
        }
        open.insert(seller, Arc::clone(&vault));
        Ok(vault)
    }

    /// What a person who signs in is found by, whose seller is not known yet.
    pub fn email_hash(&self, email: &str) -> Vec<u8> {
        self.secrets.find_by("e-mail of a user", &super::users::comparable(email))
    }

    /// Whether this is the secret key that the database was made with; the first one ever seen is.
    pub fn check(&self, connection: &mut AnyConnection) -> Result<(), OpenError> {
        let unreachable = |error: diesel::result::Error| OpenError::Unreachable(error.to_string());
        let on_file: Option<Vec<u8>> =
            instance::table.select(instance::key_check).get_result(connection).optional().map_err(unreachable)?;
        if let Some(sealed) = on_file {
            return if is_key_of(&self.secrets, &sealed) { Ok(()) } else { Err(OpenError::OtherKey) };
        }
        let sealed =
            self.secrets.seal(KEY_CHECK, "parceltrail").map_err(|error| OpenError::Unreachable(error.to_string()))?;
        let made = diesel::insert_into(instance::table)
            .values((instance::id.eq(1), instance::key_check.eq(sealed)))
            .execute(connection);
        made.map(drop).map_err(unreachable)
    }
}

impl SellerTables<'_> {
    pub(super) fn vault(&mut self) -> Result<Arc<Vault>, StoreError> {
        self.vaults.of(self.connection, self.seller)
    }

    /// Seals a document for a row.
    pub(super) fn seal(&mut self, purpose: &[u8], document: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        self.vault()?.seal_document(purpose, document)
    }

    /// Opens the document of a row.
    pub(super) fn open<T: DeserializeOwned>(&mut self, purpose: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
        self.vault()?.open_document(purpose, sealed)
    }
}

impl Vault {
    pub(super) fn seal_document(&self, purpose: &[u8], document: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        Ok(self.seal(purpose, &serde_json::to_vec(document).map_err(unreadable)?)?)
    }

    pub(super) fn open_document<T: DeserializeOwned>(&self, purpose: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(&self.open(purpose, sealed)?).map_err(unreadable)
    }
}

/// The error itself may quote what was sealed, and it ends in a log.
#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(error: serde_json::Error) -> StoreError {
    let (line, column) = (error.line(), error.column());
    StoreError::Refused(format!("a sealed document has another form than is read, at {line}:{column}"))
}

impl From<SecretError> for StoreError {
    fn from(error: SecretError) -> Self {
        Self::Refused(error.to_string())
    }
}
