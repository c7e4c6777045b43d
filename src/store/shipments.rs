//! Shipments and the legs that point to their trackers.

use super::bulk;
use super::orders::place;
use super::schema::{legs, promise_changes, shipments, trackers};
use super::trackers::Tracker;
use super::types::{At, sql};
use super::{SellerTables, StoreError};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{OrderId, SellerId, ShipmentId, TrackerId};
use crate::domain::order::Place;
use diesel::prelude::*;
use jiff::Timestamp;
use jiff::civil::Date;
use std::cmp::Reverse;
use std::collections::HashMap;

/// One consignment of one order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = shipments, primary_key(seller_id, id), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Shipment {
    pub seller_id: SellerId,
    pub id: ShipmentId,
    pub order_id: OrderId,
    /// `open` or `cancelled`: the seller's own word.
    pub state: String,
    /// What reports group by: the declared word, else the detected carrier.
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub tracking_number: String,
    pub typed_number: String,
    pub suspicious: bool,
    pub parcel_ref: Option<String>,
    pub shipped_local: Option<String>,
    pub shipped_offset: Option<String>,
    /// The date as written, or in the seller's zone where an offset was given.
    pub shipped_on: Option<String>,
    pub origin_country: Option<String>,
    pub origin_region: Option<String>,
    pub origin_postal_code: Option<String>,
    /// From the tracking row; wins over the order's.
    pub own_deliver_by_on: Option<String>,
    /// The key of the event that the seller's own `delivered_at` made.
    pub delivery_claim: Option<String>,
    pub deliver_by_on: Option<String>,
    pub promise_source: Option<String>,
    pub created_at: At,
    pub updated_at: At,
    pub version: i64,
    /// What the number proved to be: a word of `tracking_number::Validity`. None where it was taken in before this was
    /// kept, as are the two below.
    pub number_validity: Option<String>,
    pub number_code: Option<String>,
    /// Of the table of formats by which it was proved.
    pub formats_version: Option<String>,
    /// The carrier as its seller declared it, `other` included; none where nothing was declared.
    pub declared_carrier: Option<String>,
}

impl Shipment {
    pub fn shipped(&self) -> Option<EventTime> {
        EventTime::from_texts(self.shipped_local.as_deref()?, self.shipped_offset.as_deref())
    }

    pub fn shipped_on(&self) -> Option<Date> {
        date(self.shipped_on.as_deref())
    }

    pub fn deliver_by_on(&self) -> Option<Date> {
        date(self.deliver_by_on.as_deref())
    }

    pub fn own_deliver_by_on(&self) -> Option<Date> {
        date(self.own_deliver_by_on.as_deref())
    }

    pub fn origin(&self) -> Place {
        place(self.origin_country.as_deref(), self.origin_region.as_deref(), self.origin_postal_code.as_deref())
    }

    pub fn is_cancelled(&self) -> bool {
        self.state == "cancelled"
    }
}

pub(super) fn date(text: Option<&str>) -> Option<Date> {
    text.and_then(|day| day.parse().ok())
}

/// A leg as it is written.
#[derive(Insertable)]
#[diesel(table_name = legs, treat_none_as_default_value = false)]
pub(super) struct LegRow {
    pub(super) seller_id: SellerId,
    pub(super) shipment_id: ShipmentId,
    pub(super) leg_no: i32,
    pub(super) tracker_id: TrackerId,
}

/// A promise as it was made, or made anew.
#[derive(Insertable)]
#[diesel(table_name = promise_changes, treat_none_as_default_value = false)]
pub struct PromiseRow {
    pub seller_id: SellerId,
    pub shipment_id: ShipmentId,
    pub changed_at: At,
    pub deliver_by_on: Option<String>,
    pub source: Option<String>,
}

/// Part of the way under one tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    pub leg_no: i32,
    pub tracker_id: TrackerId,
    pub carrier: String,
    pub number: String,
    /// When the carrier of this leg took the parcel over from the one before, in the seller's words.
    pub handed_over: Option<EventTime>,
    pub last_checked_at: Option<Timestamp>,
    pub next_check_at: Option<Timestamp>,
}

/// A leg with its tracker, as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = legs)]
struct LegView {
    shipment_id: ShipmentId,
    leg_no: i32,
    tracker_id: TrackerId,
    handed_over_local: Option<String>,
    handed_over_offset: Option<String>,
    #[diesel(select_expression = trackers::carrier)]
    carrier: String,
    #[diesel(select_expression = trackers::number)]
    number: String,
    #[diesel(select_expression = trackers::last_checked_at)]
    last_checked_at: Option<At>,
    #[diesel(select_expression = trackers::next_check_at)]
    next_check_at: Option<At>,
}

impl From<LegView> for Leg {
    fn from(row: LegView) -> Self {
        let handed_over = row.handed_over_local.as_deref();
        Self {
            leg_no: row.leg_no,
            tracker_id: row.tracker_id,
            carrier: row.carrier,
            number: row.number,
            handed_over: handed_over.and_then(|it| EventTime::from_texts(it, row.handed_over_offset.as_deref())),
            last_checked_at: row.last_checked_at.map(Timestamp::from),
            next_check_at: row.next_check_at.map(Timestamp::from),
        }
    }
}

impl SellerTables<'_> {
    pub fn shipment(&mut self, id: ShipmentId) -> Result<Option<Shipment>, StoreError> {
        let found = shipments::table.filter(shipments::seller_id.eq(self.seller)).filter(shipments::id.eq(id));
        Ok(found.select(Shipment::as_select()).get_result(self.connection).optional()?)
    }

    /// Ids of shipments after `after`, oldest first.
    pub fn shipment_ids(&mut self, after: Option<ShipmentId>, limit: i64) -> Result<Vec<ShipmentId>, StoreError> {
        let mut query = shipments::table.filter(shipments::seller_id.eq(self.seller)).into_boxed();
        if let Some(after) = after {
            query = query.filter(shipments::id.gt(after));
        }
        Ok(query.order(shipments::id).limit(limit).select(shipments::id).load(self.connection)?)
    }

    pub fn shipments_of_order(&mut self, order: OrderId) -> Result<Vec<Shipment>, StoreError> {
        let mine = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::order_id.eq(order))
            .order(shipments::id);
        Ok(mine.select(Shipment::as_select()).load(self.connection)?)
    }

    /// The shipment of this order that goes, or went, under this tracker.
    pub fn shipment_under(&mut self, order: OrderId, tracker: TrackerId) -> Result<Option<Shipment>, StoreError> {
        let found = shipments::table
            .inner_join(
                legs::table.on(legs::seller_id.eq(shipments::seller_id).and(legs::shipment_id.eq(shipments::id))),
            )
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::order_id.eq(order))
            .filter(legs::tracker_id.eq(tracker));
        Ok(found.select(Shipment::as_select()).load(self.connection)?.pop())
    }

    /// The trackers of this number, at any carrier and in any generation, under which a parcel of this order goes.
    pub fn trackers_of_order(&mut self, order: OrderId, number: &str) -> Result<Vec<Tracker>, StoreError> {
        // A number leads to few trackers, whatever the order holds.
        let mut found: Vec<Tracker> = trackers::table
            .filter(trackers::seller_id.eq(self.seller))
            .filter(trackers::number.eq(number))
            .select(Tracker::as_select())
            .load(self.connection)?;
        if found.is_empty() {
            return Ok(found);
        }
        let ids: Vec<TrackerId> = found.iter().map(|tracker| tracker.id).collect();
        let under: Vec<(TrackerId, ShipmentId)> = legs::table
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::tracker_id.eq_any(&ids))
            .select((legs::tracker_id, legs::shipment_id))
            .load(self.connection)?;
        let shipments: Vec<ShipmentId> = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::order_id.eq(order))
            .select(shipments::id)
            .load(self.connection)?;
        let is_here = |id: TrackerId| under.iter().any(|(tracker, it)| *tracker == id && shipments.contains(it));
        found.retain(|tracker| is_here(tracker.id));
        found.sort_by_key(|tracker| Reverse(tracker.generation));
        Ok(found)
    }

    /// The shipments that go under a tracker: several where one parcel holds several orders.
    pub fn shipments_under(&mut self, tracker: TrackerId) -> Result<Vec<ShipmentId>, StoreError> {
        let mine = legs::table.filter(legs::seller_id.eq(self.seller)).filter(legs::tracker_id.eq(tracker));
        // Sorted here: an index that has the order too would serve other statements worse.
        let mut shipments: Vec<ShipmentId> = mine.select(legs::shipment_id).load(self.connection)?;
        shipments.sort_unstable();
        Ok(shipments)
    }

    pub fn insert_shipment(&mut self, shipment: &Shipment, tracker: TrackerId) -> Result<(), StoreError> {
        self.insert_shipments(std::slice::from_ref(shipment), &[tracker])
    }

    /// Writes shipments, each with its first leg under the tracker at the same place.
    pub fn insert_shipments(&mut self, shipments: &[Shipment], trackers: &[TrackerId]) -> Result<(), StoreError> {
        let leg = |(shipment, tracker): (&Shipment, &TrackerId)| LegRow {
            seller_id: shipment.seller_id,
            shipment_id: shipment.id,
            leg_no: 1,
            tracker_id: *tracker,
        };
        let legs: Vec<LegRow> = shipments.iter().zip(trackers).map(leg).collect();
        bulk::insert_shipments(self.connection, shipments)?;
        Ok(bulk::insert_legs(self.connection, &legs)?)
    }

    /// Adds a leg behind those that are there.
    pub fn insert_leg(
        &mut self,
        shipment: ShipmentId,
        tracker: TrackerId,
        handed_over: Option<EventTime>,
    ) -> Result<(), StoreError> {
        let leg_no = self.legs(shipment)?.last().map_or(1, |leg| leg.leg_no + 1);
        let leg = LegRow { seller_id: self.seller, shipment_id: shipment, leg_no, tracker_id: tracker };
        bulk::insert_legs(self.connection, &[leg])?;
        self.note_handover(shipment, leg_no, handed_over)
    }

    /// Keeps when the carrier of a leg took the parcel over.
    pub fn note_handover(
        &mut self,
        shipment: ShipmentId,
        leg_no: i32,
        handed_over: Option<EventTime>,
    ) -> Result<(), StoreError> {
        let leg = legs::table
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::shipment_id.eq(shipment))
            .filter(legs::leg_no.eq(leg_no));
        let local = legs::handed_over_local.eq(handed_over.map(|it| it.local_text()));
        let offset = legs::handed_over_offset.eq(handed_over.and_then(|it| it.offset_text()));
        diesel::update(leg).set((local, offset)).execute(self.connection)?;
        Ok(())
    }

    pub fn update_shipment(&mut self, shipment: &Shipment) -> Result<(), StoreError> {
        let mine = shipments::table.filter(shipments::seller_id.eq(self.seller)).filter(shipments::id.eq(shipment.id));
        diesel::update(mine).set(shipment).execute(self.connection)?;
        Ok(())
    }

    /// The legs of a shipment, first leg first.
    pub fn legs(&mut self, shipment: ShipmentId) -> Result<Vec<Leg>, StoreError> {
        Ok(self.legs_of(&[shipment])?.remove(&shipment).unwrap_or_default())
    }

    /// The legs of many shipments, each shipment's first leg first.
    pub fn legs_of(&mut self, shipments: &[ShipmentId]) -> Result<HashMap<ShipmentId, Vec<Leg>>, StoreError> {
        let rows: Vec<LegView> = legs::table
            .inner_join(
                trackers::table.on(trackers::seller_id.eq(legs::seller_id).and(trackers::id.eq(legs::tracker_id))),
            )
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::shipment_id.eq_any(shipments))
            .order((legs::shipment_id, legs::leg_no))
            .select(LegView::as_select())
            .load(self.connection)?;
        let mut legs: HashMap<ShipmentId, Vec<Leg>> = HashMap::new();
        for row in rows {
            legs.entry(row.shipment_id).or_default().push(row.into());
        }
        Ok(legs)
    }

    /// Keeps the first promises of shipments.
    pub fn insert_promises(&mut self, rows: &[PromiseRow]) -> Result<(), StoreError> {
        Ok(bulk::insert_promises(self.connection, rows)?)
    }

    /// Keeps a promise in its history; of several at one instant the last counts.
    pub fn note_promise(&mut self, shipment: &Shipment, now: Timestamp) -> Result<(), StoreError> {
        diesel::sql_query(
            "INSERT INTO promise_changes (seller_id, shipment_id, changed_at, deliver_by_on, source) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (seller_id, shipment_id, changed_at) \
             DO UPDATE SET deliver_by_on = excluded.deliver_by_on, source = excluded.source",
        )
        .bind::<sql::Id, _>(self.seller)
        .bind::<sql::Id, _>(shipment.id)
        .bind::<sql::Instant, _>(At(now))
        .bind::<sql::Nullable<sql::Text>, _>(&shipment.deliver_by_on)
        .bind::<sql::Nullable<sql::Text>, _>(&shipment.promise_source)
        .execute(self.connection)?;
        Ok(())
    }
}
