//! Tracking numbers back to the shop: its own upload file, page by page.

use crate::domain::carrier::own;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::sheets::writeback::{self, Parcel};
use crate::store::shipment_lists::{ShipmentFilter, ShipmentView};
use crate::store::{Store, StoreError};
use jiff::Timestamp;

pub use crate::sheets::writeback::Form;

const PAGE: i64 = 500;

/// Which shipments are wanted.
#[derive(Debug, Clone, Default)]
pub struct ExportAsked {
    /// A shop's name; all of them where absent.
    pub shop: Option<String>,
    /// Made or changed since.
    pub since: Option<Timestamp>,
    /// Also those whose number failed a check.
    pub with_suspicious: bool,
}

/// The form of a preset, where it is written.
pub fn form(preset: &str) -> Option<&'static Form> {
    writeback::form(preset)
}

/// The presets of all forms that are written.
pub fn written() -> impl Iterator<Item = &'static str> {
    writeback::written()
}

/// The lines of one page, newest shipments first, and where the next page begins; `None` at the end. Cancelled shipments
/// are left out, and those in doubt unless they are asked for.
///
/// # Errors
///
/// [`StoreError`].
pub fn lines(
    store: &Store,
    seller: SellerId,
    (form, asked): (&Form, &ExportAsked),
    before: Option<ShipmentId>,
) -> Result<(String, Option<ShipmentId>), StoreError> {
    store.seller(seller).read(|tables| {
        let mut filter = ShipmentFilter { updated_since: asked.since, ..ShipmentFilter::default() };
        if let Some(name) = &asked.shop {
            let Some(shop) = tables.shops()?.into_iter().find(|shop| shop.name == *name) else {
                return Ok((String::new(), None));
            };
            filter.shop = Some(shop.id);
        }
        let (page, own) = (tables.shipments_page(&filter, before, PAGE)?, tables.own_carriers()?);
        let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE);
        let next = page.last().filter(|_| is_full).map(|view| view.shipment.id);
        let is_wanted = |view: &&ShipmentView| {
            let is_live = !view.shipment.is_cancelled() && view.order.state != "cancelled";
            is_live && (asked.with_suspicious || !view.shipment.suspicious)
        };
        let lines = page.iter().filter(is_wanted).map(|view| form.row(&parcel(view, &own)));
        Ok((lines.collect(), next))
    })
}

fn parcel(view: &ShipmentView, own: &[own::OwnCarrier]) -> Parcel {
    let (shipment, order) = (&view.shipment, &view.order);
    let carrier = shipment.carrier.clone();
    Parcel {
        order_number: order.order_number.clone(),
        tracking_number: shipment.tracking_number.clone(),
        carrier_name: carrier.as_deref().map(|slug| own::name_of(slug, own).unwrap_or(slug).to_owned()),
        tracking_url: carrier.as_deref().and_then(|slug| own::page_of(slug, &shipment.tracking_number, own)),
        carrier,
        service: shipment.service.clone(),
        shipped_on: shipment.shipped_on(),
        country: order.country.clone(),
        postal_code: order.postal_code.clone(),
    }
}
