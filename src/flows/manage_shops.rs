//! A seller's shops: list, make and change them.

use crate::domain::actor::Actor;
use crate::domain::edit::Edit;
use crate::domain::ids::{SellerId, ShopId};
use crate::domain::name;
use crate::domain::shop;
use crate::store::audit::{Deed, Entry};
use crate::store::{At, SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

pub use crate::store::sellers::Shop;

/// So long contacts may be kept; whoever needs them longer keeps them until somebody asks.
const MOST_CONTACT_DAYS: i32 = 3650;
const LONGEST_NAME: usize = 64;

/// What is told of a shop; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ShopEdit {
    pub name: Option<String>,
    /// Cleared, contacts are kept until somebody asks.
    pub contact_days: Edit<i32>,
}

/// Why a shop was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    #[error("A shop's name has 1 to {LONGEST_NAME} characters.")]
    Name,
    #[error("There is a shop of this name already.")]
    NameTaken,
    #[error(
        "Contacts are kept for 1 to {MOST_CONTACT_DAYS} days, or, where the number is left out, until somebody asks."
    )]
    ContactDays,
    #[error("There is no shop with this id.")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A seller's shops, oldest first.
pub fn list_shops(store: &Store, seller: SellerId) -> Result<Vec<Shop>, StoreError> {
    store.seller(seller).read(|tables| tables.shops())
}

/// Makes a shop.
///
/// # Errors
///
/// [`ShopError`]; then nothing was written.
pub fn create_shop(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    told: ShopEdit,
    now: Timestamp,
) -> Result<Shop, ShopError> {
    store.seller(seller).write(|tables| {
        let profile = tables.profile()?.ok_or(ShopError::NotFound)?;
        let id = ShopId::new(now);
        let name = told.name.unwrap_or_default();
        let handle = shop::handle(&format!("{} {name}", profile.name), id);
        let mut shop =
            Shop { seller_id: seller, id, name: String::new(), handle, contact_days: None, created_at: At(now) };
        edit(tables, &mut shop, ShopEdit { name: Some(name), ..told })?;
        tables.insert_shop(&shop)?;
        let entry = Entry { deed: Deed::ShopCreated, object: Some(id.to_string()), detail: json!({"name": shop.name}) };
        tables.audit(actor, entry, now)?;
        Ok(shop)
    })
}

/// Changes a shop; its handle stays, since customers look up by it.
///
/// # Errors
///
/// [`ShopError`]; then nothing was written.
pub fn change_shop(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    (id, told): (ShopId, ShopEdit),
    now: Timestamp,
) -> Result<Shop, ShopError> {
    store.seller(seller).write(|tables| {
        let stored = tables.shops()?.into_iter().find(|shop| shop.id == id).ok_or(ShopError::NotFound)?;
        let mut shop = stored.clone();
        edit(tables, &mut shop, told)?;
        if shop != stored {
            tables.update_shop(&shop)?;
            let detail = json!({"name": shop.name, "contact_days": shop.contact_days});
            tables.audit(actor, Entry { deed: Deed::ShopChanged, object: Some(id.to_string()), detail }, now)?;
        }
        Ok(shop)
    })
}

fn edit(tables: &mut SellerTables, shop: &mut Shop, told: ShopEdit) -> Result<(), ShopError> {
    if let Some(name) = told.name {
        let name = name::plain(&name, LONGEST_NAME).ok_or(ShopError::Name)?;
        if tables.shops()?.iter().any(|it| it.id != shop.id && it.name == name) {
            return Err(ShopError::NameTaken);
        }
        name.clone_into(&mut shop.name);
    }
    let fits = |days: i32| (1..=MOST_CONTACT_DAYS).contains(&days).then_some(days).ok_or(ShopError::ContactDays);
    told.contact_days.try_map(fits)?.apply(&mut shop.contact_days);
    Ok(())
}
