//! What reports count: one narrow row a shipment.

use super::schema::{legs, orders, promise_changes, shipments, standings};
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::ids::{OrderId, ShipmentId, ShopId, TrackerId};
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::HashMap;

/// One shipment as reports see it.
#[derive(Debug, Clone, Queryable)]
pub struct ReportRow {
    pub shipment_id: ShipmentId,
    pub order_id: OrderId,
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
    /// What the number proved to be, and what is wrong with it.
    pub number: (Option<String>, Option<String>),
    pub standing: (String, Option<String>, Option<String>, Option<String>, Option<String>, String),
    pub detail: Json,
}

/// One order as the report of dispatch sees it.
#[derive(Debug, Clone, Queryable)]
pub struct OrderReportRow {
    pub order_id: OrderId,
    pub shop_id: ShopId,
    pub order_number: String,
    pub state: String,
    pub origin: (Option<String>, Option<String>),
    pub destination: (Option<String>, Option<String>),
    pub ordered: (Option<String>, Option<String>),
    pub dispatch_by_at: Option<At>,
    pub created_at: At,
}

/// Which shipments a report reads.
enum Which<'a> {
    After(Option<ShipmentId>, i64),
    Of(&'a [OrderId]),
}

impl SellerTables<'_> {
    /// Orders after `after`, oldest first.
    pub fn order_report_page(&mut self, after: Option<OrderId>, limit: i64) -> Result<Vec<OrderReportRow>, StoreError> {
        let mut query = orders::table.filter(orders::seller_id.eq(self.seller)).into_boxed();
        if let Some(after) = after {
            query = query.filter(orders::id.gt(after));
        }
        let page = query.order(orders::id).limit(limit).select((
            orders::id,
            orders::shop_id,
            orders::order_number,
            orders::state,
            (orders::origin_country, orders::origin_region),
            (orders::country, orders::region),
            (orders::ordered_local, orders::ordered_offset),
            orders::dispatch_by_at,
            orders::created_at,
        ));
        Ok(page.load(self.connection)?)
    }

    /// Shipments after `after`, oldest first, with all that a report may group or filter by.
    pub fn report_page(&mut self, after: Option<ShipmentId>, limit: i64) -> Result<Vec<ReportRow>, StoreError> {
        self.report_rows(&Which::After(after, limit))
    }

    /// The shipments of these orders, oldest first.
    pub fn report_rows_of(&mut self, orders: &[OrderId]) -> Result<Vec<ReportRow>, StoreError> {
        self.report_rows(&Which::Of(orders))
    }

    fn report_rows(&mut self, which: &Which<'_>) -> Result<Vec<ReportRow>, StoreError> {
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
        query = match which {
            Which::After(None, limit) => query.order(shipments::id).limit(*limit),
            Which::After(Some(after), limit) => {
                query.filter(shipments::id.gt(*after)).order(shipments::id).limit(*limit)
            }
            // Sorted below: an order that is asked for leads SQLite to an index that has it, over all shipments.
            Which::Of(of) => query.filter(shipments::order_id.eq_any(*of)),
        };
        let rows = query.select((
            shipments::id,
            orders::id,
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
            (shipments::number_validity, shipments::number_code),
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
        let mut rows: Vec<ReportRow> = rows.load(self.connection)?;
        rows.sort_by_key(|row| row.shipment_id);
        Ok(rows)
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
