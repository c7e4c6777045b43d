//! The audit log: who did what to the doors and to people's data, written in the transaction of the deed.

use super::directory::PLATFORM;
use super::schema::{audit_log, principals};
use super::types::{At, Json, Owner, sql};
use super::{AnyConnection, PlatformTables, SellerTables, StoreError};
use crate::domain::actor::{Actor, PrincipalKind};
use crate::domain::chain::{Hash, digest};
use crate::domain::ids::{AuditId, PrincipalId, SellerId};
use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was done. The words are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    SellerCreated,
    KeyCreated,
    KeyRevoked,
    /// A person asked to be forgotten.
    PrivacyErased,
    /// A person asked what is kept.
    PrivacyExported,
    /// Contacts had been kept for as long as their shop keeps them.
    PrivacyExpired,
    UserInvited,
    /// An invitation was taken back before anybody took it.
    UserUninvited,
    UserJoined,
    UserRemoved,
    UserSignedIn,
    /// Without the e-mail address: what was mistyped there may be a password.
    UserSignInFailed,
    ShopCreated,
    ShopChanged,
    SettingsChanged,
    CarrierDefined,
    CarrierChanged,
    CarrierRemoved,
    ImportUndone,
}

impl Deed {
    pub fn code(self) -> &'static str {
        match self {
            Self::SellerCreated => "seller.created",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::PrivacyErased => "privacy.erased",
            Self::PrivacyExported => "privacy.exported",
            Self::PrivacyExpired => "privacy.expired",
            Self::UserInvited => "user.invited",
            Self::UserUninvited => "user.uninvited",
            Self::UserJoined => "user.joined",
            Self::UserRemoved => "user.removed",
            Self::UserSignedIn => "user.signed_in",
            Self::UserSignInFailed => "user.sign_in_failed",
            Self::ShopCreated => "shop.created",
            Self::ShopChanged => "shop.changed",
            Self::SettingsChanged => "settings.changed",
            Self::CarrierDefined => "carrier.defined",
            Self::CarrierChanged => "carrier.changed",
            Self::CarrierRemoved => "carrier.removed",
            Self::ImportUndone => "import.undone",
        }
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log)]
pub struct AuditRow {
    pub id: AuditId,
    /// `None` for what the platform did to itself.
    #[diesel(serialize_as = Owner, deserialize_as = Owner)]
    pub seller_id: Option<SellerId>,
    /// 1 for the first of this seller.
    pub chain_no: i64,
    pub at: At,
    pub actor_id: PrincipalId,
    pub action: String,
    /// What it was done to: an id.
    pub object: Option<String>,
    /// Never anybody's name or address.
    pub detail: Json,
    pub request_id: Option<String>,
    pub chain_hash: Vec<u8>,
}

impl AuditRow {
    /// What its hash must be, behind the row before it.
    pub fn link(&self, before: Option<&[u8]>) -> Hash {
        let at = self.at.0.as_microsecond().to_be_bytes();
        let (actor, detail) = (self.actor_id.0.as_bytes(), canonical(&self.detail.0));
        let seller = self.seller_id.as_ref().map(|it| it.0.as_bytes().as_slice());
        digest([
            before,
            Some(self.id.0.as_bytes()),
            seller,
            Some(&self.chain_no.to_be_bytes()),
            Some(&at),
            Some(actor),
            Some(self.action.as_bytes()),
            self.object.as_deref().map(str::as_bytes),
            Some(detail.as_bytes()),
            self.request_id.as_deref().map(str::as_bytes),
        ])
    }
}

/// The members in the order of their names, since a database may keep them in an order of its own.
fn canonical(detail: &Value) -> String {
    let members: BTreeMap<_, _> = detail.as_object().into_iter().flatten().collect();
    serde_json::json!(members).to_string()
}

/// A deed with what it was done to.
#[derive(Debug, Clone)]
pub struct Entry {
    pub deed: Deed,
    pub object: Option<String>,
    /// An object of plain values.
    pub detail: Value,
}

impl SellerTables<'_> {
    /// Writes a deed down. Keep names and addresses out of it.
    pub fn audit(&mut self, actor: &Actor, entry: Entry, now: Timestamp) -> Result<(), StoreError> {
        append(self.connection, Some(self.seller), actor, entry, now)
    }

    /// The rows of this seller after `after`, in the order of the chain.
    pub fn audit_page(&mut self, after: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let mine = audit_log::table
            .filter(audit_log::seller_id.eq(self.seller))
            .filter(audit_log::chain_no.gt(after))
            .order(audit_log::chain_no)
            .limit(limit);
        Ok(mine.select(AuditRow::as_select()).load(self.connection)?)
    }
}

impl PlatformTables<'_> {
    /// Writes a deed down: of a seller that does not act itself, or of the platform.
    pub fn audit(
        &mut self,
        seller: Option<SellerId>,
        actor: &Actor,
        entry: Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        append(self.connection, seller, actor, entry, now)
    }

    /// Rows of all sellers and of the platform made before `before`, newest first; of one seller where one is named.
    pub fn audit_log_page(
        &mut self,
        seller: Option<SellerId>,
        before: Option<AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut query = audit_log::table.into_boxed();
        if let Some(seller) = seller {
            query = query.filter(audit_log::seller_id.eq(seller));
        }
        if let Some(before) = before {
            query = query.filter(audit_log::id.lt(before));
        }
        Ok(query.order(audit_log::id.desc()).limit(limit).select(AuditRow::as_select()).load(self.connection)?)
    }

    /// The platform's own rows after `after`, in the order of the chain.
    pub fn own_audit_page(&mut self, after: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let own = audit_log::table
            .filter(audit_log::seller_id.eq(PLATFORM))
            .filter(audit_log::chain_no.gt(after))
            .order(audit_log::chain_no)
            .limit(limit);
        Ok(own.select(AuditRow::as_select()).load(self.connection)?)
    }

    /// A new actor.
    pub fn insert_principal(
        &mut self,
        id: PrincipalId,
        kind: PrincipalKind,
        seller: Option<SellerId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        insert_principal(self.connection, (id, kind), seller, now)
    }
}

impl SellerTables<'_> {
    /// A new actor of this seller.
    pub fn insert_principal(&mut self, id: PrincipalId, kind: PrincipalKind, now: Timestamp) -> Result<(), StoreError> {
        insert_principal(self.connection, (id, kind), Some(self.seller), now)
    }
}

fn insert_principal(
    connection: &mut AnyConnection,
    (id, kind): (PrincipalId, PrincipalKind),
    seller: Option<SellerId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(principals::table)
        .values((
            principals::id.eq(id),
            principals::kind.eq(kind.code()),
            principals::seller_id.eq(Owner::from(seller)),
            principals::created_at.eq(At(now)),
        ))
        .execute(connection)?;
    Ok(())
}

fn append(
    connection: &mut AnyConnection,
    seller_id: Option<SellerId>,
    actor: &Actor,
    entry: Entry,
    now: Timestamp,
) -> Result<(), StoreError> {
    take_turn(connection, seller_id)?;
    let head = head(connection, seller_id)?;
    let mut row = AuditRow {
        id: AuditId::new(now),
        seller_id,
        chain_no: head.as_ref().map_or(1, |(number, _)| number + 1),
        at: At(now),
        actor_id: actor.id,
        action: entry.deed.code().to_owned(),
        object: entry.object,
        // The hash is of what is read back.
        detail: Json::storable(entry.detail),
        request_id: actor.request_id.clone(),
        chain_hash: Vec::new(),
    };
    row.chain_hash = row.link(head.as_ref().map(|(_, hash)| hash.as_slice())).to_vec();
    diesel::insert_into(audit_log::table).values(row).execute(connection)?;
    Ok(())
}

/// On PostgreSQL rows of one chain go one after the other; on SQLite all writes do.
fn take_turn(connection: &mut AnyConnection, seller: Option<SellerId>) -> Result<(), StoreError> {
    match (&connection, seller) {
        (AnyConnection::Sqlite(_), _) => Ok(()),
        (AnyConnection::Postgres(_), Some(seller)) => super::take_turn(connection, seller),
        (AnyConnection::Postgres(_), None) => {
            diesel::sql_query("SELECT id FROM principals WHERE seller_id = $1 AND id = $2 FOR NO KEY UPDATE")
                .bind::<sql::Id, _>(PLATFORM)
                .bind::<sql::Id, _>(PrincipalId::SYSTEM)
                .execute(connection)?;
            Ok(())
        }
    }
}

fn head(connection: &mut AnyConnection, seller: Option<SellerId>) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let chain = audit_log::table
        .select((audit_log::chain_no, audit_log::chain_hash))
        .filter(audit_log::seller_id.eq(Owner::from(seller)));
    Ok(chain.order(audit_log::chain_no.desc()).limit(1).get_result(connection).optional()?)
}
