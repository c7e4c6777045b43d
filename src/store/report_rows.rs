//! What reports count: one narrow row a shipment.

use super::schema::{legs, orders, promise_changes, shipments, standings};
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::ids::{ShipmentId, ShopId, TrackerId};
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::HashMap;

/// One shipment as reports see it.
#[derive(Debug, Clone, Queryable)]
pub struct ReportRow {
    pub shipment_id: ShipmentId,
    pub shop_id: ShopId,
    pub order_number: String,
    pub tracking_number: String,
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub state: String,
    pub order_state: String,
    pub origin: (Option<String>, Option<String>),
    pub order_origin: (Option<String>, Option<String>),
    pub destination: (Option<String>, Option<String>),
    pub ordered: (Option<String>, Option<String>),
    pub shipped: (Option<String>, Option<String>, Option<String>),
    pub dispatch_by_at: Option<At>,
    pub deliver_by_on: Option<String>,
    pub created_at: At,
    pub standing: (String, Option<String>, Option<String>, Option<String>, Option<String>, String),
    pub detail: Json,
}

impl SellerTables<'_> {
    /// Shipments after `after`, oldest first, with all that a report may group or filter by.
    pub fn report_page(&mut self, after: Option<ShipmentId>, limit: i64) -> Result<Vec<ReportRow>, StoreError> {
        let mut query = shipments::table
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .inner_join(
                standings::table
                    .on(standings::seller_id.eq(shipments::seller_id).and(standings::shipment_id.eq(shipments::id))),
            )
            .filter(shipments::seller_id.eq(self.seller))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(shipments::id.gt(after));
        }
        let page = query.order(shipments::id).limit(limit).select((
            shipments::id,
            orders::shop_id,
            orders::order_number,
            shipments::tracking_number,
            shipments::carrier,
            shipments::service,
            shipments::state,
            orders::state,
            (shipments::origin_country, shipments::origin_region),
            (orders::origin_country, orders::origin_region),
            (orders::country, orders::region),
            (orders::ordered_local, orders::ordered_offset),
            (shipments::shipped_local, shipments::shipped_offset, shipments::shipped_on),
            orders::dispatch_by_at,
            shipments::deliver_by_on,
            shipments::created_at,
            (
                standings::verdict,
                standings::cause,
                standings::delivered_on,
                standings::first_attempt_on,
                standings::ending,
                standings::milestone,
            ),
            standings::detail,
        ));
        Ok(page.load(self.connection)?)
    }

    /// Which trackers these shipments go under.
    pub fn trackers_of(&mut self, of: &[ShipmentId]) -> Result<Vec<(ShipmentId, TrackerId)>, StoreError> {
        let mine = legs::table.filter(legs::seller_id.eq(self.seller)).filter(legs::shipment_id.eq_any(of));
        Ok(mine.select((legs::shipment_id, legs::tracker_id)).load(self.connection)?)
    }

    /// The promised day of each of these shipments as it was known at `known_at`; none for one promised nothing then.
    pub fn promises_known(
        &mut self,
        of: &[ShipmentId],
        known_at: Timestamp,
    ) -> Result<HashMap<ShipmentId, Option<String>>, StoreError> {
        let changes: Vec<(ShipmentId, Option<String>)> = promise_changes::table
            .filter(promise_changes::seller_id.eq(self.seller))
            .filter(promise_changes::shipment_id.eq_any(of))
            .filter(promise_changes::changed_at.le(At(known_at)))
            .order(promise_changes::changed_at)
            .select((promise_changes::shipment_id, promise_changes::deliver_by_on))
            .load(self.connection)?;
        Ok(changes.into_iter().collect())
    }
}
