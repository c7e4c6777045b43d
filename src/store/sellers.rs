//! Sellers, their shops and their delivery policies.

use super::directory::Listed;
use super::schema::{directory, promise_policies, sellers, shops};
use super::types::At;
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{SellerId, ShopId};
use crate::domain::promise::Policy;
use crate::secrets::seller_in_tokens;
use diesel::prelude::*;
use jiff::tz::TimeZone;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sellers, treat_none_as_null = true)]
pub struct Seller {
    pub id: SellerId,
    pub name: String,
    pub country: Option<String>,
    /// A name of the tz database.
    pub time_zone: String,
    /// So many days after its end the file of an import, and what was read of its rows, are deleted.
    pub upload_days: i32,
    pub created_at: At,
    /// Whether a doubtful number in a sheet is an error, where the upload does not say.
    pub strict_imports: bool,
}

impl Seller {
    /// The zone that makes an instant of the seller's zone-less times; UTC where the stored name is gone from the tz
    /// database.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// One account of one sales channel of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = shops, primary_key(seller_id, id), treat_none_as_null = true)]
pub struct Shop {
    pub seller_id: SellerId,
    pub id: ShopId,
    /// Unique within the seller; `main` unless there are more.
    pub name: String,
    /// Unique on the platform: customers look up by it.
    pub handle: String,
    /// So many days after the end of an order its contact is erased; `None` keeps it until somebody asks.
    pub contact_days: Option<i32>,
    pub created_at: At,
}

#[derive(Queryable)]
struct PolicyRow {
    shop_id: Option<ShopId>,
    shipping_method: Option<String>,
    country: Option<String>,
    working_days: i32,
}

impl PlatformTables<'_> {
    /// A new seller, with its own key and its first shop.
    pub fn insert_seller(&mut self, seller: &Seller, shop: &Shop) -> Result<(), StoreError> {
        diesel::insert_into(sellers::table).values(seller).execute(self.connection)?;
        self.vaults.make(self.connection, seller.id)?;
        self.list_in_directory(Listed::StatusLinks, &seller_in_tokens(seller.id.0.as_bytes()), seller.id)?;
        self.list_in_directory(Listed::Shop, shop.handle.as_bytes(), seller.id)?;
        diesel::insert_into(shops::table).values(shop).execute(self.connection)?;
        Ok(())
    }

    /// The shop of this handle, and its seller.
    pub fn shop_by_handle(&mut self, handle: &str) -> Result<Option<(SellerId, ShopId)>, StoreError> {
        let found = shops::table
            .inner_join(directory::table.on(directory::seller_id.eq(shops::seller_id)))
            .filter(directory::kind.eq(Listed::Shop.code()))
            .filter(directory::hash.eq(handle.as_bytes()))
            .filter(shops::handle.eq(handle))
            .select((shops::seller_id, shops::id));
        Ok(found.get_result(self.connection).optional()?)
    }

    /// The ids of all sellers, oldest first.
    pub fn seller_ids(&mut self) -> Result<Vec<SellerId>, StoreError> {
        Ok(sellers::table.order(sellers::id).select(sellers::id).load(self.connection)?)
    }

    /// All sellers, oldest first.
    pub fn sellers(&mut self) -> Result<Vec<Seller>, StoreError> {
        Ok(sellers::table.order(sellers::id).select(Seller::as_select()).load(self.connection)?)
    }
}

impl SellerTables<'_> {
    pub fn profile(&mut self) -> Result<Option<Seller>, StoreError> {
        let mine = sellers::table.filter(sellers::id.eq(self.seller)).select(Seller::as_select());
        Ok(mine.get_result(self.connection).optional()?)
    }

    pub fn shops(&mut self) -> Result<Vec<Shop>, StoreError> {
        let mine = shops::table.filter(shops::seller_id.eq(self.seller)).order(shops::id).select(Shop::as_select());
        Ok(mine.load(self.connection)?)
    }

    pub fn update_profile(&mut self, seller: &Seller) -> Result<(), StoreError> {
        let mine = sellers::table.filter(sellers::id.eq(self.seller));
        diesel::update(mine).set(seller).execute(self.connection)?;
        Ok(())
    }

    pub fn insert_shop(&mut self, shop: &Shop) -> Result<(), StoreError> {
        self.list_in_directory(Listed::Shop, shop.handle.as_bytes())?;
        diesel::insert_into(shops::table).values(shop).execute(self.connection)?;
        Ok(())
    }

    pub fn update_shop(&mut self, shop: &Shop) -> Result<(), StoreError> {
        let mine = shops::table.filter(shops::seller_id.eq(self.seller)).filter(shops::id.eq(shop.id));
        let before: String = mine.select(shops::handle).get_result(self.connection)?;
        if before != shop.handle {
            self.remove_from_directory(Listed::Shop, &[before.into_bytes()])?;
            self.list_in_directory(Listed::Shop, shop.handle.as_bytes())?;
        }
        diesel::update(mine).set(shop).execute(self.connection)?;
        Ok(())
    }

    pub fn policies(&mut self) -> Result<Vec<Policy>, StoreError> {
        let rows: Vec<PolicyRow> = promise_policies::table
            .filter(promise_policies::seller_id.eq(self.seller))
            .order(promise_policies::id)
            .select((
                promise_policies::shop_id,
                promise_policies::shipping_method,
                promise_policies::country,
                promise_policies::working_days,
            ))
            .load(self.connection)?;
        Ok(rows.into_iter().map(Policy::from).collect())
    }
}

impl From<PolicyRow> for Policy {
    fn from(row: PolicyRow) -> Self {
        Self {
            shop: row.shop_id,
            shipping_method: row.shipping_method,
            country: row.country.and_then(|code| code.parse().ok()),
            working_days: u16::try_from(row.working_days).unwrap_or(0),
        }
    }
}
