//! Makes sellers, their first shop, and keys. A key is shown once.

use crate::domain::actor::{Actor, PrincipalKind};
use crate::domain::country::CountryCode;
use crate::domain::ids::{PrincipalId, SellerId, ShopId};
use crate::domain::role::Role;
use crate::domain::shop::handle;
use crate::secrets::{SecretError, api_key_prefix, digest, fresh_api_key};
use crate::store::api_keys::ApiKey;
use crate::store::audit::{Deed, Entry};
use crate::store::sellers::{Seller, Shop};
use crate::store::{At, PlatformTables, Reason, Store, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;

/// Until the seller says otherwise.
const UPLOAD_DAYS: i32 = 14;
const CONTACT_DAYS: i32 = 365;

/// What a new seller is told, once.
#[derive(Debug, Serialize)]
pub struct NewSeller {
    pub seller_id: SellerId,
    pub shop_id: ShopId,
    pub api_key: String,
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("a seller needs a name")]
    NoName,
    #[error("`{0}` is no time zone; write a name such as Europe/Berlin")]
    TimeZone(String),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a seller with a shop `main` and a seller-manager key.
///
/// Where no zone is given it is the main zone of the country, else UTC.
///
/// # Errors
///
/// [`SignUpError`]; then nothing was made.
pub fn sign_up_seller(
    store: &Store,
    name: &str,
    country: Option<CountryCode>,
    time_zone: Option<&str>,
    now: Timestamp,
) -> Result<NewSeller, SignUpError> {
    if name.trim().is_empty() {
        return Err(SignUpError::NoName);
    }
    let of_country = || country.and_then(|it| it.time_zone(None).iana_name().map(str::to_owned));
    let time_zone = time_zone.map(str::to_owned).or_else(of_country).unwrap_or_else(|| "UTC".to_owned());
    TimeZone::get(&time_zone).map_err(|_unknown| SignUpError::TimeZone(time_zone.clone()))?;
    let seller = Seller {
        id: SellerId::new(now),
        name: name.trim().to_owned(),
        country: country.map(String::from),
        time_zone,
        upload_days: UPLOAD_DAYS,
        created_at: At(now),
        strict_imports: false,
    };
    let shop_id = ShopId::new(now);
    let shop = Shop {
        seller_id: seller.id,
        id: shop_id,
        name: "main".to_owned(),
        handle: handle(&seller.name, shop_id),
        contact_days: Some(CONTACT_DAYS),
        created_at: At(now),
    };
    store.platform(Reason::Admin).write(|tables| {
        tables.insert_seller(&seller, &shop)?;
        let made = Entry { deed: Deed::SellerCreated, object: Some(seller.id.to_string()), detail: json!({}) };
        tables.audit(Some(seller.id), &Actor::system(), made, now)?;
        let api_key = add_key(tables, Some(seller.id), Role::SellerManager, now)?;
        Ok(NewSeller { seller_id: seller.id, shop_id, api_key })
    })
}

/// Makes an admin's key.
pub fn sign_up_admin(store: &Store, now: Timestamp) -> Result<String, SignUpError> {
    store.platform(Reason::Admin).write(|tables| add_key(tables, None, Role::Admin, now))
}

fn add_key(
    tables: &mut PlatformTables,
    seller_id: Option<SellerId>,
    role: Role,
    now: Timestamp,
) -> Result<String, SignUpError> {
    let (key, id) = (fresh_api_key()?, PrincipalId::new(now));
    tables.insert_principal(id, PrincipalKind::ApiKey, seller_id, now)?;
    tables.insert_api_key(&ApiKey {
        id,
        seller_id,
        role: role.code().to_owned(),
        name: "first key".to_owned(),
        prefix: api_key_prefix(&key),
        hash: digest(&key),
        created_by: PrincipalId::SYSTEM,
        created_at: At(now),
        expires_at: None,
        revoked_at: None,
    })?;
    let made = Entry { deed: Deed::KeyCreated, object: Some(id.to_string()), detail: json!({"role": role.code()}) };
    tables.audit(seller_id, &Actor::system(), made, now)?;
    Ok(key)
}
