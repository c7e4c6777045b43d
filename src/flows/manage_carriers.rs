//! A seller's own carriers: list, define and remove them.

use crate::domain::actor::Actor;
use crate::domain::carrier;
use crate::domain::carrier::own::{self, OwnCarrier, OwnCarrierFault, Told};
use crate::domain::ids::{SellerId, TrackerId};
use crate::domain::tracking_number::{Known, is_postal_operator};
use crate::store::audit::{Deed, Entry};
use crate::store::seller_carriers::SellerCarrier;
use crate::store::{At, SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;

const MOST_CARRIERS: usize = 200;

/// A carrier with the version of its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    pub carrier: OwnCarrier,
    pub version: i64,
}

impl From<SellerCarrier> for Defined {
    fn from(row: SellerCarrier) -> Self {
        Self { carrier: row.carrier(), version: row.version }
    }
}

/// Why a carrier was not defined or removed.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    #[error(transparent)]
    Definition(#[from] OwnCarrierFault),
    #[error("`{word}` is a name of your carrier `{slug}` already.")]
    NameTaken { word: String, slug: String },
    #[error("You have a carrier `{0}` already. Remove it first, or put it anew by the API.")]
    ThereAlready(String),
    #[error("You have {MOST_CARRIERS} carriers of your own, and more are not taken. Remove one first.")]
    TooMany,
    #[error("`{0}` is on file for everybody, and only carriers of your own can be removed.")]
    NotYourOwn(String),
    #[error("You have no carrier of this slug.")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A seller's own carriers, by slug.
pub fn list_carriers(store: &Store, seller: SellerId) -> Result<Vec<OwnCarrier>, StoreError> {
    store.seller(seller).read(|tables| tables.own_carriers())
}

/// What a seller's own carriers and last numbers tell of another number.
pub fn known_numbers(store: &Store, seller: SellerId, now: Timestamp) -> Result<Known, StoreError> {
    store.seller(seller).read(|tables| tables.known_before(TrackerId::new(now)))
}

/// A seller's own carrier of this slug.
pub fn show_carrier(store: &Store, seller: SellerId, slug: &str) -> Result<Option<Defined>, StoreError> {
    let rows = store.seller(seller).read(|tables| tables.seller_carriers())?;
    Ok(rows.into_iter().find(|it| it.slug == slug).map(Defined::from))
}

/// Defines a carrier under a slug, or replaces the seller's own that has it; tells whether it is new.
///
/// # Errors
///
/// [`CarrierError`]; then nothing was written.
pub fn put_carrier(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    (slug, told): (&str, Told),
    now: Timestamp,
) -> Result<(Defined, bool), CarrierError> {
    let carrier = OwnCarrier::define(slug, told)?;
    store.seller(seller).write(|tables| keep(tables, actor, (seller, &carrier), now))
}

/// Defines a new carrier, its slug made from its name.
///
/// # Errors
///
/// [`CarrierError`]; then nothing was written.
pub fn add_carrier(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    told: Told,
    now: Timestamp,
) -> Result<Defined, CarrierError> {
    let carrier = OwnCarrier::define(own::slug_for(&told.name)?.as_str(), told)?;
    store.seller(seller).write(|tables| {
        if own::find(carrier.slug.as_str(), &tables.own_carriers()?).is_some() {
            return Err(CarrierError::ThereAlready(carrier.slug.to_string()));
        }
        keep(tables, actor, (seller, &carrier), now).map(|(defined, _)| defined)
    })
}

/// Removes a carrier; parcels that went under it keep its slug as a word.
///
/// # Errors
///
/// [`CarrierError`]; then nothing was written.
pub fn remove_carrier(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    slug: &str,
    now: Timestamp,
) -> Result<(), CarrierError> {
    store.seller(seller).write(|tables| {
        // Looked for here, since a slug may be told that no database can hold.
        let is_own = own::find(slug, &tables.own_carriers()?).is_some();
        if is_own && tables.delete_carrier(slug)? {
            let entry = Entry { deed: Deed::CarrierRemoved, object: Some(slug.to_owned()), detail: json!({}) };
            return Ok(tables.audit(actor, entry, now)?);
        }
        let on_file = carrier::by_slug(slug).is_some() || is_postal_operator(slug);
        Err(if on_file { CarrierError::NotYourOwn(slug.to_owned()) } else { CarrierError::NotFound })
    })
}

fn keep(
    tables: &mut SellerTables,
    actor: &Actor,
    (seller, carrier): (SellerId, &OwnCarrier),
    now: Timestamp,
) -> Result<(Defined, bool), CarrierError> {
    let rows = tables.seller_carriers()?;
    is_free(carrier, &rows)?;
    let fresh = SellerCarrier::new(seller, carrier, At(now));
    let Some(stored) = rows.into_iter().find(|it| it.slug == fresh.slug) else {
        tables.insert_carrier(&fresh)?;
        write_down(tables, actor, (Deed::CarrierDefined, carrier), now)?;
        return Ok((fresh.into(), true));
    };
    let SellerCarrier { created_at, updated_at, version, .. } = stored;
    if stored == (SellerCarrier { created_at, updated_at, version, ..fresh.clone() }) {
        return Ok((stored.into(), false));
    }
    let changed = SellerCarrier { created_at, version: version + 1, ..fresh };
    tables.update_carrier(&changed)?;
    write_down(tables, actor, (Deed::CarrierChanged, carrier), now)?;
    Ok((changed.into(), false))
}

/// Sees that no other carrier of the seller has one of these names, and that there is room for one more.
fn is_free(carrier: &OwnCarrier, rows: &[SellerCarrier]) -> Result<(), CarrierError> {
    let others = || rows.iter().filter(|it| it.slug != carrier.slug.as_str());
    for other in others().map(SellerCarrier::carrier) {
        if let Some(word) = carrier.shared_name(&other) {
            return Err(CarrierError::NameTaken { word: word.to_owned(), slug: other.slug.to_string() });
        }
    }
    if others().count() >= MOST_CARRIERS { Err(CarrierError::TooMany) } else { Ok(()) }
}

fn write_down(
    tables: &mut SellerTables,
    actor: &Actor,
    (deed, carrier): (Deed, &OwnCarrier),
    now: Timestamp,
) -> Result<(), StoreError> {
    // A small courier may be named for its rider, so the log counts and does not name.
    let detail = json!({"aliases": carrier.aliases.len(), "patterns": carrier.patterns.len()});
    tables.audit(actor, Entry { deed, object: Some(carrier.slug.to_string()), detail }, now)
}
