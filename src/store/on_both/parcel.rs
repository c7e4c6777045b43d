//! A parcel of an order of its own, as tests need one.

use crate::domain::ids::{OrderId, SellerId, ShipmentId, ShopId, TrackerId};
use crate::store::orders::Order;
use crate::store::shipments::Shipment;
use crate::store::trackers::Tracker;
use crate::store::{At, SellerTables};
use jiff::Timestamp;

/// Makes an order to Germany, and a parcel of it under a number that is followed from now on.
pub fn a_parcel(tables: &mut SellerTables, seller: SellerId, number: &str, now: Timestamp) -> (Shipment, Tracker) {
    let shop = tables.shops().unwrap().remove(0).id;
    let order = an_order(seller, shop, &format!("order of {number}"), now);
    tables.insert_order(&order).unwrap();
    let tracker = Tracker {
        seller_id: seller,
        id: TrackerId::new(now),
        carrier: "ups".to_owned(),
        number: number.to_owned(),
        generation: 1,
        created_at: At(now),
        last_event_at: None,
        last_checked_at: None,
        next_check_at: Some(At(now)),
        failed_checks: 0,
        claimed_until: None,
        details_erased_at: None,
    };
    tables.insert_tracker(&tracker).unwrap();
    let shipment = a_shipment(&order, number, now);
    tables.insert_shipment(&shipment, tracker.id).unwrap();
    (shipment, tracker)
}

fn an_order(seller_id: SellerId, shop_id: ShopId, number: &str, now: Timestamp) -> Order {
    Order {
        seller_id,
        id: OrderId::new(now),
        shop_id,
        order_number: number.to_owned(),
        order_ref: None,
        state: "open".to_owned(),
        ordered_local: None,
        ordered_offset: None,
        currency: None,
        country: Some("DE".to_owned()),
        region: None,
        postal_code: None,
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        channel: None,
        dispatch_by_at: None,
        deliver_by_on: None,
        token_hash: crate::secrets::digest(&format!("{seller_id} {number}")),
        token_sealed: Vec::new(),
        contact_erased_at: None,
        created_at: At(now),
        updated_at: At(now),
        version: 1,
    }
}

fn a_shipment(order: &Order, number: &str, now: Timestamp) -> Shipment {
    Shipment {
        seller_id: order.seller_id,
        id: ShipmentId::new(now),
        order_id: order.id,
        state: "open".to_owned(),
        carrier: Some("ups".to_owned()),
        declared_carrier: Some("ups".to_owned()),
        service: None,
        tracking_number: number.to_owned(),
        typed_number: number.to_owned(),
        suspicious: false,
        parcel_ref: None,
        shipped_local: None,
        shipped_offset: None,
        shipped_on: None,
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        own_deliver_by_on: None,
        delivery_claim: None,
        deliver_by_on: None,
        promise_source: None,
        created_at: At(now),
        updated_at: At(now),
        version: 1,
        number_validity: Some("valid".to_owned()),
        number_code: None,
        formats_version: None,
    }
}
