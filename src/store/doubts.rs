//! Doubts about numbers: found once, settled where their ground goes, found again where it comes back.

use super::outbox::Change;
use super::schema::{legs, number_doubts, orders, shipments, standings, trackers};
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::doubt::{Doubt, DoubtCode, Finding, OrderUnder};
use crate::domain::ids::{SellerId, ShipmentId, TrackerId};
use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;

/// A doubt as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = number_doubts, primary_key(seller_id, shipment_id, code), treat_none_as_null = true)]
pub struct DoubtRow {
    pub seller_id: SellerId,
    pub shipment_id: ShipmentId,
    pub code: String,
    /// The grounds, as [`Doubt::grounds`] writes them.
    pub detail: Json,
    /// When it was found, the last time where it was settled in between.
    pub found_at: At,
    pub settled_at: Option<At>,
}

impl DoubtRow {
    pub fn is_open(&self) -> bool {
        self.settled_at.is_none()
    }

    /// `None` where a later version wrote it.
    pub fn doubt(&self) -> Option<Doubt> {
        Doubt::from_stored(&self.code, &self.detail.0)
    }
}

/// A doubt that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenDoubt {
    pub doubt: Doubt,
    pub found_at: Timestamp,
}

/// Doubts that stand, by shipment.
pub type OpenDoubts = HashMap<ShipmentId, Vec<OpenDoubt>>;

/// A shipment under a tracker, with what is known of its order; neither is cancelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Mate {
    pub shipment: ShipmentId,
    pub order: OrderUnder,
}

/// A label as it is told apart from its neighbours, with what was heard of it.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct RecentLabel {
    pub shipment_id: ShipmentId,
    pub created_at: At,
    pub shipped: (Option<String>, Option<String>),
    pub carrier: String,
    pub number: String,
    pub last_checked_at: Option<At>,
    pub failed_checks: i32,
    /// The standing in full.
    pub standing: Json,
}

type MateRow = (ShipmentId, String, Option<String>, Option<String>, Option<At>);

impl From<MateRow> for Mate {
    fn from((shipment, number, country, postal_code, erased_at): MateRow) -> Self {
        Self { shipment, order: OrderUnder { number, country, postal_code, is_erased: erased_at.is_some() } }
    }
}

/// Shipments under a tracker with their orders, none of them cancelled.
macro_rules! mates {
    ($seller:expr, $tracker:expr) => {
        legs::table
            .inner_join(
                shipments::table.on(shipments::seller_id.eq(legs::seller_id).and(shipments::id.eq(legs::shipment_id))),
            )
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .filter(legs::seller_id.eq($seller))
            .filter(legs::tracker_id.eq($tracker))
            .filter(shipments::state.ne("cancelled"))
            .filter(orders::state.ne("cancelled"))
            .select((
                shipments::id,
                orders::order_number,
                orders::country,
                orders::postal_code,
                orders::contact_erased_at,
            ))
    };
}

impl SellerTables<'_> {
    /// All doubts about these shipments that were ever found.
    pub fn doubts(&mut self, of: &[ShipmentId]) -> Result<Vec<DoubtRow>, StoreError> {
        let mine = number_doubts::table
            .filter(number_doubts::seller_id.eq(self.seller))
            .filter(number_doubts::shipment_id.eq_any(of))
            .order((number_doubts::shipment_id, number_doubts::code));
        Ok(mine.select(DoubtRow::as_select()).load(self.connection)?)
    }

    /// The doubts about these shipments that stand.
    pub fn open_doubts(&mut self, of: &[ShipmentId]) -> Result<OpenDoubts, StoreError> {
        let mut open = OpenDoubts::new();
        for row in self.doubts(of)?.into_iter().filter(DoubtRow::is_open) {
            if let Some(doubt) = row.doubt() {
                open.entry(row.shipment_id).or_default().push(OpenDoubt { doubt, found_at: row.found_at.0 });
            }
        }
        Ok(open)
    }

    /// The doubts of one kind that stand, of any shipment.
    pub fn open_doubts_of(&mut self, code: DoubtCode) -> Result<Vec<DoubtRow>, StoreError> {
        let mine = number_doubts::table
            .filter(number_doubts::seller_id.eq(self.seller))
            .filter(number_doubts::code.eq(code.code()))
            .filter(number_doubts::settled_at.is_null())
            .order(number_doubts::shipment_id);
        Ok(mine.select(DoubtRow::as_select()).load(self.connection)?)
    }

    /// The kinds of doubt about these shipments that stood at a moment.
    pub fn doubts_known(
        &mut self,
        of: &[ShipmentId],
        known_at: Timestamp,
    ) -> Result<HashMap<ShipmentId, Vec<DoubtCode>>, StoreError> {
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        let stood = |row: &DoubtRow| row.found_at.0 <= known_at && row.settled_at.is_none_or(|at| at.0 > known_at);
        for row in self.doubts(of)?.into_iter().filter(stood) {
            if let Ok(code) = row.code.parse() {
                known.entry(row.shipment_id).or_default().push(code);
            }
        }
        Ok(known)
    }

    /// Writes down what was found about a shipment, `stored` being what is on file of it, and tells of it where it is news:
    /// a doubt that is new, that is back, or whose ground is gone. Grounds that changed are brought up to date quietly.
    pub fn note_doubt(
        &mut self,
        shipment: ShipmentId,
        stored: &[DoubtRow],
        (code, finding): (DoubtCode, &Finding),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stored = stored.iter().find(|row| row.shipment_id == shipment && row.code == code.code());
        let open = stored.filter(|row| row.is_open());
        match (finding, open) {
            (Finding::Doubted(doubt), None) => {
                let row = self.row_of(shipment, doubt, now);
                if stored.is_some() {
                    self.update_doubt(&row)?;
                } else {
                    self.insert_doubt(&row)?;
                }
                self.tell_doubt(shipment, code, "found", now)
            }
            (Finding::Doubted(doubt), Some(open)) if open.detail.0 != doubt.grounds() => {
                self.update_doubt(&DoubtRow { detail: Json(doubt.grounds()), ..open.clone() })
            }
            (Finding::Clear, Some(open)) => {
                self.update_doubt(&DoubtRow { settled_at: Some(At(now)), ..open.clone() })?;
                self.tell_doubt(shipment, code, "settled", now)
            }
            (Finding::Doubted(_), Some(_)) | (Finding::Clear, None) | (Finding::Untold, _) => Ok(()),
        }
    }

    fn row_of(&self, shipment: ShipmentId, doubt: &Doubt, now: Timestamp) -> DoubtRow {
        DoubtRow {
            seller_id: self.seller,
            shipment_id: shipment,
            code: doubt.code().code().to_owned(),
            detail: Json(doubt.grounds()),
            found_at: At(now),
            settled_at: None,
        }
    }

    fn insert_doubt(&mut self, row: &DoubtRow) -> Result<(), StoreError> {
        diesel::insert_into(number_doubts::table).values(row).execute(self.connection)?;
        Ok(())
    }

    fn update_doubt(&mut self, row: &DoubtRow) -> Result<(), StoreError> {
        let mine = number_doubts::table
            .filter(number_doubts::seller_id.eq(self.seller))
            .filter(number_doubts::shipment_id.eq(row.shipment_id))
            .filter(number_doubts::code.eq(&row.code));
        diesel::update(mine).set(row).execute(self.connection)?;
        Ok(())
    }

    fn tell_doubt(
        &mut self,
        shipment: ShipmentId,
        code: DoubtCode,
        state: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.tell(Change::NumberDoubted, shipment.0, json!({"code": code, "state": state}), now)
    }

    /// Up to `limit` shipments under a tracker that are not cancelled, oldest first.
    pub fn mates(&mut self, tracker: TrackerId, limit: i64) -> Result<Vec<Mate>, StoreError> {
        // Ids first: an order that is asked for leads SQLite over all shipments.
        let under = self.shipments_under(tracker)?;
        let mut rows: Vec<MateRow> =
            mates!(self.seller, tracker).filter(shipments::id.eq_any(under)).load(self.connection)?;
        rows.sort_by_key(|row| row.0);
        rows.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(rows.into_iter().map(Mate::from).collect())
    }

    /// A shipment under a tracker; `None` where it is cancelled.
    pub fn mate(&mut self, tracker: TrackerId, shipment: ShipmentId) -> Result<Option<Mate>, StoreError> {
        let row: Option<MateRow> =
            mates!(self.seller, tracker).filter(shipments::id.eq(shipment)).get_result(self.connection).optional()?;
        Ok(row.map(Mate::from))
    }

    /// Doubts that stand though nothing is expected of their shipment any more.
    pub fn doubts_left_over(&mut self, limit: i64) -> Result<Vec<(ShipmentId, String)>, StoreError> {
        let left = number_doubts::table
            .inner_join(shipments::table.on(
                shipments::seller_id.eq(number_doubts::seller_id).and(shipments::id.eq(number_doubts::shipment_id)),
            ))
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .filter(number_doubts::seller_id.eq(self.seller))
            .filter(number_doubts::settled_at.is_null())
            .filter(shipments::state.eq("cancelled").or(orders::state.eq("cancelled")))
            .limit(limit)
            .select((number_doubts::shipment_id, number_doubts::code));
        Ok(left.load(self.connection)?)
    }

    /// Labels of shipments that are not cancelled and were made at `since` or later, behind `after`, oldest first.
    pub fn recent_labels(
        &mut self,
        since: Timestamp,
        after: Option<ShipmentId>,
        limit: i64,
    ) -> Result<Vec<RecentLabel>, StoreError> {
        // Ids are in order of time, and the key: whatever is older is not even looked at.
        let after = after.unwrap_or_else(|| ShipmentId::earliest(since));
        let page = shipments::table
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .inner_join(
                legs::table.on(legs::seller_id.eq(shipments::seller_id).and(legs::shipment_id.eq(shipments::id))),
            )
            .inner_join(
                trackers::table.on(trackers::seller_id.eq(legs::seller_id).and(trackers::id.eq(legs::tracker_id))),
            )
            .inner_join(
                standings::table
                    .on(standings::seller_id.eq(shipments::seller_id).and(standings::shipment_id.eq(shipments::id))),
            )
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::id.gt(after))
            .filter(shipments::created_at.ge(At(since)))
            .filter(shipments::state.ne("cancelled"))
            .filter(orders::state.ne("cancelled"))
            .filter(legs::leg_no.eq(1))
            .order(shipments::id)
            .limit(limit)
            .select((
                shipments::id,
                shipments::created_at,
                (shipments::shipped_local, shipments::shipped_offset),
                trackers::carrier,
                trackers::number,
                trackers::last_checked_at,
                trackers::failed_checks,
                standings::detail,
            ));
        Ok(page.load(self.connection)?)
    }
}
