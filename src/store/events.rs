//! Tracking events, append-only; their erasable details; withdrawals.

use super::schema::{erasures_under_way, event_details, event_withdrawals, tracking_events};
use super::types::{At, sql};
use super::{SellerTables, StoreError};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, SellerId, TrackerId};
use crate::domain::scan::{DedupeKey, ScanDetails, TrackingEvent};
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

#[derive(Queryable, Selectable)]
#[diesel(table_name = tracking_events)]
struct EventRow {
    tracker_id: TrackerId,
    dedupe_key: String,
    id: EventId,
    occurred_local: String,
    occurred_offset: Option<String>,
    sort_at: At,
    heard_at: At,
    sub_status: Option<String>,
    raw_code: String,
    source: String,
}

#[derive(Insertable)]
#[diesel(table_name = event_details)]
struct DetailsRow<'a> {
    seller_id: SellerId,
    tracker_id: TrackerId,
    dedupe_key: &'a str,
    place: Option<&'a str>,
    description: Option<&'a str>,
    signed_by: Option<&'a str>,
}

#[derive(Queryable)]
struct WithdrawalRow {
    tracker_id: TrackerId,
    dedupe_key: String,
    withdrawn: bool,
    heard_at: At,
}

type EventKey = (TrackerId, DedupeKey);

impl SellerTables<'_> {
    /// Appends an event; `false` where its key is on file already, and then nothing is written.
    pub fn append_event(&mut self, event: &TrackingEvent, details: &ScanDetails) -> Result<bool, StoreError> {
        let appended = diesel::sql_query(
            "INSERT INTO tracking_events (seller_id, tracker_id, dedupe_key, id, occurred_local, occurred_offset, \
             sort_at, heard_at, sub_status, raw_code, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (seller_id, tracker_id, dedupe_key) DO NOTHING",
        )
        .bind::<sql::Id, _>(self.seller)
        .bind::<sql::Id, _>(event.tracker_id)
        .bind::<sql::Text, _>(&event.key.0)
        .bind::<sql::Id, _>(event.id)
        .bind::<sql::Text, _>(event.occurred.local_text())
        .bind::<sql::Nullable<sql::Text>, _>(event.occurred.offset_text())
        .bind::<sql::Instant, _>(At(event.sort_at))
        .bind::<sql::Instant, _>(At(event.heard_at))
        .bind::<sql::Nullable<sql::Text>, _>(event.sub_status.map(|it| it.code()))
        .bind::<sql::Text, _>(&event.raw_code)
        .bind::<sql::Text, _>(event.source.code())
        .execute(self.connection)?
            > 0;
        if appended && !details.is_empty() {
            self.insert_details(event, details)?;
        }
        Ok(appended)
    }

    fn insert_details(&mut self, event: &TrackingEvent, details: &ScanDetails) -> Result<(), StoreError> {
        let row = DetailsRow {
            seller_id: self.seller,
            tracker_id: event.tracker_id,
            dedupe_key: &event.key.0,
            place: details.place.as_deref(),
            description: details.description.as_deref(),
            signed_by: details.signed_by.as_deref(),
        };
        diesel::insert_into(event_details::table).values(&row).execute(self.connection)?;
        Ok(())
    }

    /// The events of these trackers that stand, in no order; what was heard after `known_at` is left out.
    pub fn standing_events(
        &mut self,
        trackers: &[TrackerId],
        known_at: Timestamp,
    ) -> Result<Vec<TrackingEvent>, StoreError> {
        let withdrawn = self.withdrawn(trackers, known_at)?;
        let events = self.events(trackers)?.into_iter();
        Ok(events
            .filter(|event| event.heard_at <= known_at)
            .filter(|event| !withdrawn.contains(&(event.tracker_id, event.key.clone())))
            .collect())
    }

    /// All events of these trackers, withdrawn ones too, in no order.
    pub fn events(&mut self, trackers: &[TrackerId]) -> Result<Vec<TrackingEvent>, StoreError> {
        let rows: Vec<EventRow> = tracking_events::table
            .filter(tracking_events::seller_id.eq(self.seller))
            .filter(tracking_events::tracker_id.eq_any(trackers))
            .select(EventRow::as_select())
            .load(self.connection)?;
        rows.into_iter().map(TrackingEvent::try_from).collect()
    }

    /// The keys that are withdrawn by what was heard until `known_at`: of several words, the latest counts.
    pub fn withdrawn(&mut self, trackers: &[TrackerId], known_at: Timestamp) -> Result<HashSet<EventKey>, StoreError> {
        let words: Vec<WithdrawalRow> = event_withdrawals::table
            .filter(event_withdrawals::seller_id.eq(self.seller))
            .filter(event_withdrawals::tracker_id.eq_any(trackers))
            .order((event_withdrawals::heard_at, event_withdrawals::id))
            .select((
                event_withdrawals::tracker_id,
                event_withdrawals::dedupe_key,
                event_withdrawals::withdrawn,
                event_withdrawals::heard_at,
            ))
            .load(self.connection)?;
        let mut latest = HashMap::new();
        for word in words.into_iter().filter(|word| word.heard_at.0 <= known_at) {
            latest.insert((word.tracker_id, DedupeKey(word.dedupe_key)), word.withdrawn);
        }
        Ok(latest.into_iter().filter_map(|(key, withdrawn)| withdrawn.then_some(key)).collect())
    }

    /// Deletes all that was heard of a tracker, under the flag that lets the append-only tables pass it.
    pub(super) fn erase_events(&mut self, tracker: TrackerId) -> Result<usize, StoreError> {
        diesel::insert_into(erasures_under_way::table)
            .values(erasures_under_way::seller_id.eq(self.seller))
            .execute(self.connection)?;
        let withdrawals = event_withdrawals::table
            .filter(event_withdrawals::seller_id.eq(self.seller))
            .filter(event_withdrawals::tracker_id.eq(tracker));
        diesel::delete(withdrawals).execute(self.connection)?;
        let details = event_details::table
            .filter(event_details::seller_id.eq(self.seller))
            .filter(event_details::tracker_id.eq(tracker));
        diesel::delete(details).execute(self.connection)?;
        let events = tracking_events::table
            .filter(tracking_events::seller_id.eq(self.seller))
            .filter(tracking_events::tracker_id.eq(tracker));
        let erased = diesel::delete(events).execute(self.connection)?;
        let mine = erasures_under_way::table.filter(erasures_under_way::seller_id.eq(self.seller));
        diesel::delete(mine).execute(self.connection)?;
        Ok(erased)
    }

    /// Notes that a source took an event back (`withdrawn`), or told it again.
    pub fn note_withdrawal(
        &mut self,
        tracker: TrackerId,
        key: &DedupeKey,
        withdrawn: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(event_withdrawals::table)
            .values((
                event_withdrawals::seller_id.eq(self.seller),
                event_withdrawals::tracker_id.eq(tracker),
                event_withdrawals::id.eq(EventId::new(now)),
                event_withdrawals::dedupe_key.eq(&key.0),
                event_withdrawals::withdrawn.eq(withdrawn),
                event_withdrawals::heard_at.eq(At(now)),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Place, text and signer of the events of these trackers, where they are on file.
    pub fn event_details(&mut self, trackers: &[TrackerId]) -> Result<HashMap<EventKey, ScanDetails>, StoreError> {
        type Row = (TrackerId, String, Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> = event_details::table
            .filter(event_details::seller_id.eq(self.seller))
            .filter(event_details::tracker_id.eq_any(trackers))
            .select((
                event_details::tracker_id,
                event_details::dedupe_key,
                event_details::place,
                event_details::description,
                event_details::signed_by,
            ))
            .load(self.connection)?;
        let details = rows.into_iter().map(|(tracker, key, place, description, signed_by)| {
            ((tracker, DedupeKey(key)), ScanDetails { place, description, signed_by })
        });
        Ok(details.collect())
    }
}

impl TryFrom<EventRow> for TrackingEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let unreadable = || StoreError::Refused(format!("tracking event {} cannot be read", row.id));
        let sub_status = match row.sub_status.as_deref() {
            Some(code) => Some(code.parse().map_err(|_unknown| unreadable())?),
            None => None,
        };
        let occurred = EventTime::from_texts(&row.occurred_local, row.occurred_offset.as_deref());
        Ok(Self {
            id: row.id,
            tracker_id: row.tracker_id,
            occurred: occurred.ok_or_else(unreadable)?,
            sort_at: row.sort_at.0,
            heard_at: row.heard_at.0,
            sub_status,
            source: row.source.parse().map_err(|_unknown| unreadable())?,
            raw_code: row.raw_code,
            key: DedupeKey(row.dedupe_key),
        })
    }
}
