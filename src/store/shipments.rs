//! Shipments and the legs that point to their trackers.

use super::bulk;
use super::orders::place;
use super::schema::{legs, number_doubts, order_contacts, orders, promise_changes, shipments, standings, trackers};
use super::trackers::Tracker;
use super::types::{At, sql};
use super::{SellerTables, StoreError};
use crate::domain::doubt::{DoubtAsked, DoubtCode};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{OrderId, SellerId, ShipmentId, ShopId, TrackerId};
use crate::domain::order::Place;
use crate::store::standings::StandingRow;
use diesel::prelude::*;
use jiff::Timestamp;
use jiff::civil::Date;

/// One consignment of one order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = shipments, treat_none_as_null = true, treat_none_as_default_value = false)]
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

/// Which shipments a list holds.
#[derive(Debug, Clone, Default)]
pub struct ShipmentFilter {
    pub order_id: Option<OrderId>,
    pub order_number: Option<String>,
    pub tracking_number: Option<String>,
    pub shop: Option<ShopId>,
    /// The word; `late_open` finds all that are past their promise, whatever their word.
    pub verdict: Option<String>,
    pub milestone: Option<String>,
    pub carrier: Option<String>,
    pub destination_country: Option<String>,
    pub open: Option<bool>,
    pub updated_since: Option<Timestamp>,
    /// Those in doubt now.
    pub doubt: Option<DoubtAsked>,
    pub search: Option<Search>,
}

/// What somebody looks for who does not say what it is: any of these.
#[derive(Debug, Clone)]
pub struct Search {
    pub order_number: String,
    pub tracking_number: String,
    /// As it is compared; `None` where the text is no address.
    pub email: Option<String>,
}

/// A shipment with what a reader wants beside it.
#[derive(Debug, Clone, Queryable)]
pub struct ShipmentView {
    pub shipment: Shipment,
    pub order: super::orders::Order,
    pub standing: StandingRow,
}

/// Shipments joined with their order and standing.
macro_rules! views {
    () => {
        shipments::table
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .inner_join(
                standings::table
                    .on(standings::seller_id.eq(shipments::seller_id).and(standings::shipment_id.eq(shipments::id))),
            )
            .select((Shipment::as_select(), super::orders::Order::as_select(), StandingRow::as_select()))
    };
}

/// Ids of shipments that are in doubt now, as it is asked.
macro_rules! doubted {
    ($seller:expr, $asked:expr) => {
        number_doubts::table
            .filter(number_doubts::seller_id.eq($seller))
            .filter(number_doubts::settled_at.is_null())
            .filter(number_doubts::code.eq_any($asked.codes().into_iter().map(DoubtCode::code).collect::<Vec<_>>()))
            .select(number_doubts::shipment_id)
    };
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
        let found = trackers::table
            .inner_join(legs::table.on(legs::seller_id.eq(trackers::seller_id).and(legs::tracker_id.eq(trackers::id))))
            .inner_join(
                shipments::table.on(shipments::seller_id.eq(legs::seller_id).and(shipments::id.eq(legs::shipment_id))),
            )
            .filter(trackers::seller_id.eq(self.seller))
            .filter(shipments::order_id.eq(order))
            .filter(trackers::number.eq(number))
            .order(trackers::generation.desc());
        Ok(found.select(Tracker::as_select()).load(self.connection)?)
    }

    /// The shipments that go under a tracker: several where one parcel holds several orders.
    pub fn shipments_under(&mut self, tracker: TrackerId) -> Result<Vec<ShipmentId>, StoreError> {
        let mine = legs::table.filter(legs::seller_id.eq(self.seller)).filter(legs::tracker_id.eq(tracker));
        Ok(mine.select(legs::shipment_id).order(legs::shipment_id).load(self.connection)?)
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
        type Row = (i32, TrackerId, String, String, (Option<String>, Option<String>), (Option<At>, Option<At>));
        let rows: Vec<Row> = legs::table
            .inner_join(
                trackers::table.on(trackers::seller_id.eq(legs::seller_id).and(trackers::id.eq(legs::tracker_id))),
            )
            .filter(legs::seller_id.eq(self.seller))
            .filter(legs::shipment_id.eq(shipment))
            .order(legs::leg_no)
            .select((
                legs::leg_no,
                legs::tracker_id,
                trackers::carrier,
                trackers::number,
                (legs::handed_over_local, legs::handed_over_offset),
                (trackers::last_checked_at, trackers::next_check_at),
            ))
            .load(self.connection)?;
        let leg = |(leg_no, tracker_id, carrier, number, (local, offset), (last_checked_at, next_check_at)): Row| Leg {
            leg_no,
            tracker_id,
            carrier,
            number,
            handed_over: local.and_then(|local| EventTime::from_texts(&local, offset.as_deref())),
            last_checked_at: last_checked_at.map(Timestamp::from),
            next_check_at: next_check_at.map(Timestamp::from),
        };
        Ok(rows.into_iter().map(leg).collect())
    }

    /// Keeps a promise in its history; of several at one instant the last counts.
    /// Keeps the first promises of shipments.
    pub fn insert_promises(&mut self, rows: &[PromiseRow]) -> Result<(), StoreError> {
        Ok(bulk::insert_promises(self.connection, rows)?)
    }

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

    pub fn shipment_view(&mut self, id: ShipmentId) -> Result<Option<ShipmentView>, StoreError> {
        let found = views!().filter(shipments::seller_id.eq(self.seller)).filter(shipments::id.eq(id));
        Ok(found.get_result(self.connection).optional()?)
    }

    /// Shipments made before `before`, newest first.
    pub fn shipments_page(
        &mut self,
        filter: &ShipmentFilter,
        before: Option<ShipmentId>,
        limit: i64,
    ) -> Result<Vec<ShipmentView>, StoreError> {
        let mut query = views!().filter(shipments::seller_id.eq(self.seller)).into_boxed();
        let text = |text: &Option<String>| text.clone();
        if let Some(before) = before {
            query = query.filter(shipments::id.lt(before));
        }
        if let Some(order) = filter.order_id {
            query = query.filter(shipments::order_id.eq(order));
        }
        if let Some(number) = text(&filter.order_number) {
            query = query.filter(orders::order_number.eq(number));
        }
        if let Some(number) = text(&filter.tracking_number) {
            query = query.filter(shipments::tracking_number.eq(number));
        }
        if let Some(shop) = filter.shop {
            query = query.filter(orders::shop_id.eq(shop));
        }
        if let Some(verdict) = text(&filter.verdict) {
            query = match verdict.as_str() {
                "late_open" => query.filter(standings::timeliness.eq(verdict)),
                _ => query.filter(standings::verdict.eq(verdict)),
            };
        }
        if let Some(milestone) = text(&filter.milestone) {
            query = query.filter(standings::milestone.eq(milestone));
        }
        if let Some(carrier) = text(&filter.carrier) {
            query = query.filter(shipments::carrier.eq(carrier));
        }
        if let Some(country) = text(&filter.destination_country) {
            query = query.filter(orders::country.eq(country));
        }
        if let Some(open) = filter.open {
            query = query.filter(standings::is_open.eq(open));
        }
        if let Some(since) = filter.updated_since {
            query = query.filter(shipments::updated_at.ge(At(since)));
        }
        if let Some(asked) = filter.doubt {
            query = query.filter(shipments::id.eq_any(doubted!(self.seller, asked)));
        }
        if let Some(search) = &filter.search {
            let by_number = shipments::tracking_number
                .eq(search.tracking_number.clone())
                .or(orders::order_number.eq(search.order_number.clone()));
            query = match &search.email {
                None => query.filter(by_number),
                Some(email) => {
                    let hash = self.vault()?.find_by("email", email);
                    let to_them = order_contacts::table
                        .filter(order_contacts::seller_id.eq(self.seller))
                        .filter(order_contacts::email_hash.eq(hash))
                        .select(order_contacts::order_id);
                    query.filter(by_number.or(shipments::order_id.eq_any(to_them)))
                }
            };
        }
        Ok(query.order(shipments::id.desc()).limit(limit).load(self.connection)?)
    }
}
