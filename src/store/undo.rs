//! What taking an import back needs: what it made, whether anybody touched it since, and taking it away.

use super::schema::{
    import_rows, legs, number_corrections, number_doubts, order_contacts, order_lines, orders, promise_changes,
    shipments, standings, trackers, tracking_events,
};
use super::types::At;
use super::{SellerTables, StoreError};
use crate::domain::ids::{ImportId, OrderId, ShipmentId, TrackerId};
use crate::domain::scan::Source;
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What became of a row that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub line: i64,
    pub outcome: String,
    pub order_id: Option<OrderId>,
    pub shipment_id: Option<ShipmentId>,
}

/// As much of an order as tells whether it was touched.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OrderMark {
    pub id: OrderId,
    pub order_number: String,
    pub created_at: At,
    pub updated_at: At,
}

/// As much of a shipment as tells whether it was touched.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ShipmentMark {
    pub id: ShipmentId,
    pub order_id: OrderId,
    pub updated_at: At,
}

impl SellerTables<'_> {
    /// The taken rows of an import after a line, in no order: at most so many alone, and as many in runs.
    pub fn taken_rows(&mut self, import: ImportId, after: i64, limit: i64) -> Result<Vec<Taken>, StoreError> {
        type Row = (i64, String, Option<OrderId>, Option<ShipmentId>);
        let own: Vec<Row> = import_rows::table
            .filter(import_rows::seller_id.eq(self.seller))
            .filter(import_rows::import_id.eq(import))
            .filter(import_rows::line.gt(after))
            .order(import_rows::line)
            .limit(limit)
            .select((import_rows::line, import_rows::outcome, import_rows::order_id, import_rows::shipment_id))
            .load(self.connection)?;
        let plain = self.plain_rows(import, None, after, usize::try_from(limit).unwrap_or(0))?;
        // Both pages end somewhere else: what lies behind the nearer end comes with the next page.
        let full = |rows: usize| i64::try_from(rows).is_ok_and(|rows| rows >= limit);
        let ends = [
            own.last().filter(|_| full(own.len())).map(|row| row.0),
            plain.last().filter(|_| full(plain.len())).map(|row| row.line),
        ];
        let end = ends.into_iter().flatten().min().unwrap_or(i64::MAX);
        let own = own.into_iter().map(|(line, outcome, order_id, shipment_id)| Taken {
            line,
            outcome,
            order_id,
            shipment_id,
        });
        let plain = plain.into_iter().map(|row| Taken {
            line: row.line,
            outcome: row.outcome.to_owned(),
            order_id: row.order_id,
            shipment_id: row.shipment_id,
        });
        Ok(own.chain(plain).filter(|row| row.line <= end).collect())
    }

    pub fn order_marks(&mut self, of: &[OrderId]) -> Result<Vec<OrderMark>, StoreError> {
        let found = orders::table.filter(orders::seller_id.eq(self.seller)).filter(orders::id.eq_any(of));
        let mark = (orders::id, orders::order_number, orders::created_at, orders::updated_at);
        Ok(found.select(mark).load(self.connection)?)
    }

    /// The shipments of these orders, and these shipments.
    pub fn shipment_marks(&mut self, of: &[OrderId], and: &[ShipmentId]) -> Result<Vec<ShipmentMark>, StoreError> {
        let found = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::order_id.eq_any(of).or(shipments::id.eq_any(and)));
        Ok(found.select((shipments::id, shipments::order_id, shipments::updated_at)).load(self.connection)?)
    }

    /// Those of these shipments that somebody but their seller told of, or whose number was corrected.
    pub fn heard_of(&mut self, of: &[ShipmentId]) -> Result<BTreeSet<ShipmentId>, StoreError> {
        let under =
            tracking_events::seller_id.eq(legs::seller_id).and(tracking_events::tracker_id.eq(legs::tracker_id));
        let heard: Vec<ShipmentId> = legs::table
            .inner_join(tracking_events::table.on(under))
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::shipment_id.eq_any(of))
            .filter(tracking_events::source.ne(Source::Seller.code()))
            .select(legs::shipment_id)
            .distinct()
            .load(self.connection)?;
        let corrected: Vec<ShipmentId> = number_corrections::table
            .filter(number_corrections::seller_id.eq(self.seller))
            .filter(number_corrections::shipment_id.eq_any(of))
            .select(number_corrections::shipment_id)
            .distinct()
            .load(self.connection)?;
        Ok(heard.into_iter().chain(corrected).collect())
    }

    /// Takes shipments away. Their trackers go where nothing was ever told under them, and rest where something was: events
    /// stay as they are.
    pub fn remove_shipments(&mut self, of: &[ShipmentId]) -> Result<(), StoreError> {
        let seller = self.seller;
        let under: Vec<TrackerId> = legs::table
            .filter(legs::seller_id.eq(seller))
            .filter(legs::shipment_id.eq_any(of))
            .select(legs::tracker_id)
            .load(self.connection)?;
        macro_rules! remove {
            ($($table:ident by $id:ident),+) => {$(
                let mine = $table::table.filter($table::seller_id.eq(seller)).filter($table::$id.eq_any(of));
                diesel::delete(mine).execute(self.connection)?;
            )+};
        }
        remove!(number_doubts by shipment_id, promise_changes by shipment_id, standings by shipment_id, legs by shipment_id, shipments by id);
        let followed: Vec<TrackerId> = legs::table
            .filter(legs::seller_id.eq(seller))
            .filter(legs::tracker_id.eq_any(&under))
            .select(legs::tracker_id)
            .load(self.connection)?;
        let told: Vec<TrackerId> = tracking_events::table
            .filter(tracking_events::seller_id.eq(seller))
            .filter(tracking_events::tracker_id.eq_any(&under))
            .select(tracking_events::tracker_id)
            .distinct()
            .load(self.connection)?;
        let (followed, told): (BTreeSet<_>, BTreeSet<_>) = (followed.into_iter().collect(), told.into_iter().collect());
        let left: Vec<TrackerId> = under.into_iter().filter(|id| !followed.contains(id)).collect();
        let (resting, gone): (Vec<TrackerId>, Vec<TrackerId>) = left.into_iter().partition(|id| told.contains(id));
        let mine = trackers::table.filter(trackers::seller_id.eq(seller));
        diesel::update(mine.filter(trackers::id.eq_any(resting)))
            .set(trackers::next_check_at.eq(None::<At>))
            .execute(self.connection)?;
        diesel::delete(mine.filter(trackers::id.eq_any(gone))).execute(self.connection)?;
        Ok(())
    }

    /// Takes orders away that have no shipments.
    pub fn remove_orders(&mut self, of: &[OrderId]) -> Result<(), StoreError> {
        let seller = self.seller;
        macro_rules! remove {
            ($($table:ident by $id:ident),+) => {$(
                let mine = $table::table.filter($table::seller_id.eq(seller)).filter($table::$id.eq_any(of));
                diesel::delete(mine).execute(self.connection)?;
            )+};
        }
        remove!(order_contacts by order_id, order_lines by order_id, orders by id);
        Ok(())
    }

    pub fn note_undone(&mut self, import: ImportId, now: Timestamp) -> Result<(), StoreError> {
        use super::schema::imports;
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import));
        diesel::update(mine).set(imports::undone_at.eq(Some(At(now)))).execute(self.connection)?;
        Ok(())
    }
}
