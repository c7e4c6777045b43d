//! The directory: which seller a digest belongs to, for what is looked up before the seller is known. All other keys are led
//! by the seller, so that tables can be distributed by it.

use super::schema::{directory, sellers};
use super::types::sql;
use super::{AnyConnection, PlatformTables, SellerTables, Store, StoreError};
use crate::domain::ids::SellerId;
use crate::secrets::seller_in_tokens;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use uuid::Uuid;

/// More sellers than this are not remembered at once.
const MOST_REMEMBERED: usize = 10_000;

/// The seller that owns the platform's own rows: admins' keys, the program itself.
pub const PLATFORM: SellerId = SellerId(Uuid::nil());

/// What a digest is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The first bytes of a status link's token, which name its seller.
    StatusLinks,
    /// A shop's handle, as it is.
    Shop,
    /// An API key.
    ApiKey,
    /// The id of an API key, as access tokens name it.
    ApiKeyId,
    /// A user's e-mail address. Several sellers may have a user of one address.
    User,
    /// The token of a session.
    Session,
    /// The token of an invitation.
    Invitation,
}

impl Listed {
    /// The word in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::StatusLinks => "status_links",
            Self::Shop => "shop",
            Self::ApiKey => "api_key",
            Self::ApiKeyId => "api_key_id",
            Self::User => "user",
            Self::Session => "session",
            Self::Invitation => "invitation",
        }
    }
}

/// Sellers by the bytes that name them in status links. A link never changes hands, so nothing here grows old.
#[derive(Debug, Default)]
pub struct SellersOfLinks(RwLock<HashMap<Vec<u8>, SellerId>>);

impl Store {
    /// The seller named by the first bytes of a status link's token; read once.
    pub fn seller_of_links(&self, name: &[u8]) -> Result<Option<SellerId>, StoreError> {
        let known = self.sellers_of_links.0.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if known.is_some() {
            return Ok(known);
        }
        let found = self
            .platform(super::Reason::StatusToken)
            .read(|tables| tables.seller_in_directory(Listed::StatusLinks, name))?;
        if let Some(seller) = found {
            let mut known = self.sellers_of_links.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST_REMEMBERED {
                known.clear();
            }
            known.insert(name.to_vec(), seller);
        }
        Ok(found)
    }
}

impl PlatformTables<'_> {
    /// The seller that a digest belongs to.
    pub fn seller_in_directory(&mut self, kind: Listed, hash: &[u8]) -> Result<Option<SellerId>, StoreError> {
        let found = directory::table.filter(directory::kind.eq(kind.code())).filter(directory::hash.eq(hash));
        Ok(found.select(directory::seller_id).get_result(self.connection).optional()?)
    }

    pub(super) fn list_in_directory(&mut self, kind: Listed, hash: &[u8], seller: SellerId) -> Result<(), StoreError> {
        insert(self.connection, kind, hash, seller)
    }

    pub(super) fn remove_from_directory(&mut self, kind: Listed, hashes: &[Vec<u8>]) -> Result<(), StoreError> {
        remove(self.connection, kind, hashes)
    }
}

impl SellerTables<'_> {
    pub(super) fn list_in_directory(&mut self, kind: Listed, hash: &[u8]) -> Result<(), StoreError> {
        insert(self.connection, kind, hash, self.seller)
    }

    pub(super) fn remove_from_directory(&mut self, kind: Listed, hashes: &[Vec<u8>]) -> Result<(), StoreError> {
        remove(self.connection, kind, hashes)
    }
}

/// A user who comes back is listed already.
fn insert(connection: &mut AnyConnection, kind: Listed, hash: &[u8], seller: SellerId) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO directory (kind, hash, seller_id) VALUES ($1, $2, $3) ON CONFLICT (kind, hash, seller_id) DO NOTHING",
    )
    .bind::<sql::Text, _>(kind.code())
    .bind::<sql::Binary, _>(hash)
    .bind::<sql::Id, _>(seller)
    .execute(connection)?;
    Ok(())
}

fn remove(connection: &mut AnyConnection, kind: Listed, hashes: &[Vec<u8>]) -> Result<(), StoreError> {
    let listed = directory::table.filter(directory::kind.eq(kind.code())).filter(directory::hash.eq_any(hashes));
    diesel::delete(listed).execute(connection)?;
    Ok(())
}

/// Lists the sellers of before the directory by the names in their status links, which no SQL can make.
pub fn list_sellers(connection: &mut AnyConnection) -> QueryResult<()> {
    let listed = directory::table
        .filter(directory::kind.eq(Listed::StatusLinks.code()))
        .filter(directory::seller_id.eq(sellers::id));
    let missing: Vec<SellerId> = sellers::table.filter(not(exists(listed))).select(sellers::id).load(connection)?;
    for seller in missing {
        diesel::insert_into(directory::table)
            .values((
                directory::kind.eq(Listed::StatusLinks.code()),
                directory::hash.eq(seller_in_tokens(seller.0.as_bytes())),
                directory::seller_id.eq(seller),
            ))
            .execute(connection)?;
    }
    Ok(())
}
