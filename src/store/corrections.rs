//! What shipments went under before their carrier or number was corrected.

use super::schema::{legs, number_corrections, shipments, trackers};
use super::types::At;
use super::{SellerTables, StoreError};
use crate::domain::ids::{OrderId, SellerId, ShipmentId, TrackerId};
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// What a shipment went under until it was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = number_corrections)]
pub struct Correction {
    pub seller_id: SellerId,
    pub shipment_id: ShipmentId,
    /// Of the shipment, from the correction on.
    pub version: i64,
    /// The tracker that was left; it keeps all that it heard.
    pub tracker_id: TrackerId,
    /// As reports knew it.
    pub carrier: Option<String>,
    pub tracking_number: String,
    pub typed_number: String,
    pub corrected_at: At,
}

/// A correction, and the carrier of the tracker that was left by it.
pub type Left = (Correction, String);

impl SellerTables<'_> {
    pub fn note_correction(&mut self, correction: &Correction) -> Result<(), StoreError> {
        diesel::insert_into(number_corrections::table).values(correction).execute(self.connection)?;
        Ok(())
    }

    /// The corrections of each of these shipments, newest first; a shipment that never was corrected is left out.
    pub fn corrections_of(&mut self, of: &[ShipmentId]) -> Result<HashMap<ShipmentId, Vec<Correction>>, StoreError> {
        let rows: Vec<Correction> = number_corrections::table
            .filter(number_corrections::seller_id.eq(self.seller))
            .filter(number_corrections::shipment_id.eq_any(of))
            .order(number_corrections::version.desc())
            .select(Correction::as_select())
            .load(self.connection)?;
        let mut corrections: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            corrections.entry(row.shipment_id).or_default().push(row);
        }
        Ok(corrections)
    }

    /// Those of these numbers that a shipment was corrected away from.
    pub fn corrected_numbers(&mut self, numbers: &[&str]) -> Result<HashSet<String>, StoreError> {
        let found = number_corrections::table
            .filter(number_corrections::seller_id.eq(self.seller))
            .filter(number_corrections::tracking_number.eq_any(numbers));
        let found: Vec<String> = found.select(number_corrections::tracking_number).load(self.connection)?;
        Ok(found.into_iter().collect())
    }

    /// The corrections by which shipments of this order left this number, newest first.
    pub fn corrected_away(&mut self, order: OrderId, number: &str) -> Result<Vec<Left>, StoreError> {
        let left = number_corrections::table
            .inner_join(
                shipments::table.on(shipments::seller_id
                    .eq(number_corrections::seller_id)
                    .and(shipments::id.eq(number_corrections::shipment_id))),
            )
            .inner_join(
                trackers::table.on(trackers::seller_id
                    .eq(number_corrections::seller_id)
                    .and(trackers::id.eq(number_corrections::tracker_id))),
            )
            .filter(number_corrections::seller_id.eq(self.seller))
            .filter(number_corrections::tracking_number.eq(number))
            .filter(shipments::order_id.eq(order))
            .order((number_corrections::corrected_at.desc(), number_corrections::version.desc()))
            .select((Correction::as_select(), trackers::carrier));
        Ok(left.load(self.connection)?)
    }

    /// What those of these shipments went under at `known_at` that were corrected later.
    pub fn numbers_known(
        &mut self,
        of: &[ShipmentId],
        known_at: Timestamp,
    ) -> Result<HashMap<ShipmentId, Correction>, StoreError> {
        let later: Vec<Correction> = number_corrections::table
            .filter(number_corrections::seller_id.eq(self.seller))
            .filter(number_corrections::shipment_id.eq_any(of))
            .filter(number_corrections::corrected_at.gt(At(known_at)))
            .order(number_corrections::version.desc())
            .select(Correction::as_select())
            .load(self.connection)?;
        // The oldest of them is taken last, and stays.
        Ok(later.into_iter().map(|it| (it.shipment_id, it)).collect())
    }

    /// Has a leg of a shipment follow another tracker.
    pub fn point_leg(&mut self, shipment: ShipmentId, leg_no: i32, tracker: TrackerId) -> Result<(), StoreError> {
        let leg = legs::table
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::shipment_id.eq(shipment))
            .filter(legs::leg_no.eq(leg_no));
        diesel::update(leg).set(legs::tracker_id.eq(tracker)).execute(self.connection)?;
        Ok(())
    }
}
