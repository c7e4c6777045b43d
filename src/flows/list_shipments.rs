//! Shipments as their seller sees them.

use crate::domain::carrier::own;
use crate::domain::ids::{OrderId, SellerId, ShipmentId};
use crate::domain::order::{Contact, email_key};
use crate::domain::scan::{ScanDetails, TrackingEvent};
use crate::domain::tracking_number::{self, Hints};
use crate::secrets::Secrets;
use crate::store::shipment_lists::ShipmentView;
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;

pub use crate::store::corrections::Correction;
pub use crate::store::doubts::OpenDoubt;
pub use crate::store::shipment_lists::{Search, ShipmentFilter};
pub use crate::store::shipments::Leg;

/// A shipment with its order, standing, legs and former numbers.
pub struct ShipmentDetail {
    pub view: ShipmentView,
    pub shop: String,
    pub legs: Vec<Leg>,
    /// About its number, those that stand.
    pub doubts: Vec<OpenDoubt>,
    pub token: Option<String>,
    /// As people know it; the word that was declared where nobody knows it.
    pub carrier_name: Option<String>,
    /// The carrier's own page.
    pub tracking_url: Option<String>,
    /// Newest first.
    pub history: Vec<Correction>,
}

/// One shipment; `None` where the seller has none of this id.
pub fn show_shipment(
    store: &Store,
    secrets: &Secrets,
    seller: SellerId,
    id: ShipmentId,
) -> Result<Option<ShipmentDetail>, StoreError> {
    store.seller(seller).read(|tables| match tables.shipment_view(id)? {
        Some(view) => Ok(details(tables, secrets, vec![view])?.pop()),
        None => Ok(None),
    })
}

/// Shipments before the cursor, newest first.
pub fn list_shipments(
    store: &Store,
    secrets: &Secrets,
    seller: SellerId,
    (filter, shop): (ShipmentFilter, Option<&str>),
    (before, limit): (Option<ShipmentId>, i64),
) -> Result<Vec<ShipmentDetail>, StoreError> {
    store.seller(seller).read(|tables| {
        let mut filter = filter;
        if let Some(name) = shop {
            match tables.shops()?.into_iter().find(|shop| shop.name == name) {
                Some(shop) => filter.shop = Some(shop.id),
                None => return Ok(Vec::new()),
            }
        }
        let page = tables.shipments_page(&filter, before, limit)?;
        details(tables, secrets, page)
    })
}

/// A filter for what somebody typed who does not say what it is: a tracking number in any form, an order number, or the
/// e-mail address of whom it goes to, each in full.
pub fn search(text: &str) -> Option<Search> {
    let text = text.trim();
    let check = tracking_number::check(text, &Hints::default());
    let tracking_number = check.tracked_number().unwrap_or(text).to_owned();
    (!text.is_empty()).then(|| Search { order_number: text.to_owned(), tracking_number, email: email_key(text) })
}

/// What is doubtful about a shipment's number, in a sentence for its seller; `None` where nothing is.
pub fn doubt(view: &ShipmentView) -> Option<String> {
    let (shipment, order) = (&view.shipment, &view.order);
    let origin = shipment.origin_country.as_deref().or(order.origin_country.as_deref());
    let hints = Hints {
        carrier: shipment.declared_carrier.as_deref().or(shipment.carrier.as_deref()),
        origin_country: origin,
        destination_country: order.country.as_deref(),
        ..Hints::default()
    };
    shipment.suspicious.then(|| tracking_number::check(&shipment.typed_number, &hints).detail)
}

/// Whom an order goes to; `None` where nobody said, or it was erased.
pub fn contact(store: &Store, seller: SellerId, order: OrderId) -> Result<Option<Contact>, StoreError> {
    store.seller(seller).read(|tables| tables.contact(order))
}

/// The events of a shipment that stand, oldest first, with their details; `None` where the seller has none of this id.
pub fn list_events(
    store: &Store,
    seller: SellerId,
    id: ShipmentId,
    now: Timestamp,
) -> Result<Option<Vec<(TrackingEvent, ScanDetails)>>, StoreError> {
    store.seller(seller).read(|tables| {
        if tables.shipment(id)?.is_none() {
            return Ok(None);
        }
        let trackers: Vec<_> = tables.legs(id)?.iter().map(|leg| leg.tracker_id).collect();
        let mut events = tables.standing_events_in_full(&trackers, now)?;
        events.sort_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
        Ok(Some(events))
    })
}

fn details(
    tables: &mut SellerTables,
    secrets: &Secrets,
    page: Vec<ShipmentView>,
) -> Result<Vec<ShipmentDetail>, StoreError> {
    let ids: Vec<ShipmentId> = page.iter().map(|view| view.shipment.id).collect();
    let (mut corrections, mut doubts) = (tables.corrections_of(&ids)?, tables.open_doubts(&ids)?);
    let (shops, own, mut legs) = (tables.shops()?, tables.own_carriers()?, tables.legs_of(&ids)?);
    let detail = |view: ShipmentView| {
        let shop = shops.iter().find(|shop| shop.id == view.order.shop_id).map(|shop| shop.name.clone());
        let legs = legs.remove(&view.shipment.id).unwrap_or_default();
        let token = secrets.open(view.order.id.0.as_bytes(), &view.order.token_sealed).ok();
        let history = corrections.remove(&view.shipment.id).unwrap_or_default();
        let doubts = doubts.remove(&view.shipment.id).unwrap_or_default();
        let carrier = view.shipment.carrier.as_deref();
        let carrier_name = carrier.map(|slug| own::name_of(slug, &own).unwrap_or(slug).to_owned());
        let tracking_url = carrier.and_then(|slug| own::page_of(slug, &view.shipment.tracking_number, &own));
        let shop = shop.unwrap_or_default();
        ShipmentDetail { view, shop, legs, doubts, token, carrier_name, tracking_url, history }
    };
    Ok(page.into_iter().map(detail).collect())
}
