//! Tracking events, append-only and chained; their erasable details; withdrawals.

use super::bulk;
use super::schema::{event_details, event_withdrawals, trackers, tracking_events};
use super::types::{At, sql};
use super::{SellerTables, StoreError};
use crate::domain::chain::{self, Hash};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, SellerId, TrackerId};
use crate::domain::scan::{DedupeKey, ScanDetails, TrackingEvent};
use crate::secrets::random;
use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
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

/// The end of a tracker's chain: the number and the hash of its last event.
type ChainEnd = (i64, Vec<u8>);

/// An event with its number, its hash and the digest of its details, as they are stored.
type Link = (EventRow, i64, Vec<u8>, Option<Vec<u8>>);

/// What may name a person in an event, as it is sealed, with the salt of its digest.
#[derive(Clone, Serialize, Deserialize)]
struct SealedDetails {
    salt: [u8; 16],
    place: Option<String>,
    description: Option<String>,
    signed_by: Option<String>,
}

/// One event with its place in the chain.
#[derive(Debug, Clone)]
pub struct ChainedEvent {
    pub event: TrackingEvent,
    pub chain_no: i64,
    pub chain_hash: Vec<u8>,
    /// Of its details; `None` where it never had any.
    pub details_digest: Option<Vec<u8>>,
    /// Of the details on file now; `None` where there are none, or they were erased.
    pub details_on_file: Option<Hash>,
}

#[derive(Queryable)]
struct WithdrawalRow {
    tracker_id: TrackerId,
    dedupe_key: String,
    withdrawn: bool,
    heard_at: At,
}

type EventKey = (TrackerId, DedupeKey);

/// An event as it is written.
#[derive(Insertable)]
#[diesel(table_name = tracking_events, treat_none_as_default_value = false)]
pub(super) struct LinkRow {
    pub(super) seller_id: SellerId,
    pub(super) tracker_id: TrackerId,
    pub(super) dedupe_key: String,
    pub(super) id: EventId,
    pub(super) occurred_local: String,
    pub(super) occurred_offset: Option<String>,
    pub(super) sort_at: At,
    pub(super) heard_at: At,
    pub(super) sub_status: Option<String>,
    pub(super) raw_code: String,
    pub(super) source: &'static str,
    pub(super) chain_no: i64,
    pub(super) chain_hash: Vec<u8>,
}

impl SellerTables<'_> {
    /// Begins the chains of trackers that nothing was heard of; those of one tracker lie together, all keys differ, and none
    /// has details.
    pub fn begin_chains(&mut self, events: &[TrackingEvent]) -> Result<(), StoreError> {
        let mut links: Vec<LinkRow> = Vec::with_capacity(events.len());
        for event in events {
            let before = links.last().filter(|link| link.tracker_id == event.tracker_id);
            let hash = chain::link(before.map(|link| link.chain_hash.as_slice()), event, None);
            let chain_no = before.map_or(1, |link| link.chain_no + 1);
            links.push(LinkRow {
                seller_id: self.seller,
                tracker_id: event.tracker_id,
                dedupe_key: event.key.0.clone(),
                id: event.id,
                occurred_local: event.occurred.local_text(),
                occurred_offset: event.occurred.offset_text(),
                sort_at: At(event.sort_at),
                heard_at: At(event.heard_at),
                sub_status: event.sub_status.map(|it| it.code().to_owned()),
                raw_code: event.raw_code.clone(),
                source: event.source.code(),
                chain_no,
                chain_hash: hash.to_vec(),
            });
        }
        Ok(bulk::insert_events(self.connection, &links)?)
    }

    /// Appends an event; `false` where its key is on file already, and then nothing is written.
    pub fn append_event(&mut self, event: &TrackingEvent, details: &ScanDetails) -> Result<bool, StoreError> {
        let salt: [u8; 16] = random()?;
        let digest = (!details.is_empty()).then(|| chain::details_digest(&salt, details));
        let appended = self.insert_event(event, digest.as_ref().map(<[u8; 32]>::as_slice))?;
        if appended && digest.is_some() {
            self.insert_details(event, &salt, details)?;
        }
        Ok(appended)
    }

    fn insert_event(&mut self, event: &TrackingEvent, digest: Option<&[u8]>) -> Result<bool, StoreError> {
        let end = self.chain_end(event.tracker_id)?;
        let hash = chain::link(end.as_ref().map(|(_, hash)| hash.as_slice()), event, digest);
        let appended = diesel::sql_query(
            "INSERT INTO tracking_events (seller_id, tracker_id, dedupe_key, id, occurred_local, occurred_offset, \
             sort_at, heard_at, sub_status, raw_code, source, details_digest, chain_no, chain_hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
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
        .bind::<sql::Nullable<sql::Binary>, _>(digest)
        .bind::<sql::BigInt, _>(end.map_or(1, |(number, _)| number + 1))
        .bind::<sql::Binary, _>(hash.as_slice())
        .execute(self.connection)?;
        Ok(appended > 0)
    }

    fn chain_end(&mut self, tracker: TrackerId) -> Result<Option<ChainEnd>, StoreError> {
        let chain = tracking_events::table
            .filter(tracking_events::seller_id.eq(self.seller))
            .filter(tracking_events::tracker_id.eq(tracker))
            .order(tracking_events::chain_no.desc())
            .limit(1);
        let end = chain.select((tracking_events::chain_no, tracking_events::chain_hash));
        Ok(end.get_result(self.connection).optional()?)
    }

    fn insert_details(
        &mut self,
        event: &TrackingEvent,
        salt: &[u8; 16],
        details: &ScanDetails,
    ) -> Result<(), StoreError> {
        let ScanDetails { place, description, signed_by } = details.clone();
        let document = SealedDetails { salt: *salt, place, description, signed_by };
        let sealed = self.seal(&purpose(event.tracker_id, &event.key.0), &document)?;
        diesel::insert_into(event_details::table)
            .values((
                event_details::seller_id.eq(self.seller),
                event_details::tracker_id.eq(event.tracker_id),
                event_details::dedupe_key.eq(&event.key.0),
                event_details::sealed.eq(sealed),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// The events of a tracker in the order of its chain, withdrawn ones too.
    pub fn chain(&mut self, tracker: TrackerId) -> Result<Vec<ChainedEvent>, StoreError> {
        let links: Vec<Link> = tracking_events::table
            .filter(tracking_events::seller_id.eq(self.seller))
            .filter(tracking_events::tracker_id.eq(tracker))
            .order(tracking_events::chain_no)
            .select((
                EventRow::as_select(),
                tracking_events::chain_no,
                tracking_events::chain_hash,
                tracking_events::details_digest,
            ))
            .load(self.connection)?;
        let details = self.sealed_details(&[tracker])?;
        let chained = |(row, chain_no, chain_hash, details_digest): Link| {
            let event = TrackingEvent::try_from(row)?;
            let on_file = details.get(&(tracker, event.key.clone()));
            let details_on_file = on_file.map(|it| chain::details_digest(&it.salt, &ScanDetails::from(it.clone())));
            Ok(ChainedEvent { event, chain_no, chain_hash, details_digest, details_on_file })
        };
        links.into_iter().map(chained).collect()
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

    /// The same with place, text and signer, where they are on file.
    pub fn standing_events_in_full(
        &mut self,
        trackers: &[TrackerId],
        known_at: Timestamp,
    ) -> Result<Vec<(TrackingEvent, ScanDetails)>, StoreError> {
        let withdrawn = self.withdrawn(trackers, known_at)?;
        let of_event = event_details::seller_id
            .eq(tracking_events::seller_id)
            .and(event_details::tracker_id.eq(tracking_events::tracker_id))
            .and(event_details::dedupe_key.eq(tracking_events::dedupe_key));
        let rows: Vec<(EventRow, Option<Vec<u8>>)> = tracking_events::table
            .left_join(event_details::table.on(of_event))
            .filter(tracking_events::seller_id.eq(self.seller))
            .filter(tracking_events::tracker_id.eq_any(trackers))
            .select((EventRow::as_select(), event_details::sealed.nullable()))
            .load(self.connection)?;
        let mut full = Vec::with_capacity(rows.len());
        for (row, sealed) in rows {
            let event = TrackingEvent::try_from(row)?;
            if event.heard_at > known_at || withdrawn.contains(&(event.tracker_id, event.key.clone())) {
                continue;
            }
            let details = match sealed {
                Some(sealed) => self.open::<SealedDetails>(&purpose(event.tracker_id, &event.key.0), &sealed)?.into(),
                None => ScanDetails::default(),
            };
            full.push((event, details));
        }
        Ok(full)
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

    /// Erases place, text and signer of all that was heard of a tracker, and keeps none from now on; the events stay, and
    /// so does their chain.
    pub fn erase_event_details(&mut self, tracker: TrackerId, now: Timestamp) -> Result<usize, StoreError> {
        let details = event_details::table
            .filter(event_details::seller_id.eq(self.seller))
            .filter(event_details::tracker_id.eq(tracker));
        let erased = diesel::delete(details).execute(self.connection)?;
        let mine = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.eq(tracker));
        diesel::update(mine).set(trackers::details_erased_at.eq(Some(At(now)))).execute(self.connection)?;
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
        let sealed = self.sealed_details(trackers)?;
        Ok(sealed.into_iter().map(|(key, details)| (key, details.into())).collect())
    }

    fn sealed_details(&mut self, trackers: &[TrackerId]) -> Result<HashMap<EventKey, SealedDetails>, StoreError> {
        let rows: Vec<(TrackerId, String, Vec<u8>)> = event_details::table
            .filter(event_details::seller_id.eq(self.seller))
            .filter(event_details::tracker_id.eq_any(trackers))
            .select((event_details::tracker_id, event_details::dedupe_key, event_details::sealed))
            .load(self.connection)?;
        let opened = |(tracker, key, sealed): (TrackerId, String, Vec<u8>)| {
            let details = self.open(&purpose(tracker, &key), &sealed)?;
            Ok(((tracker, DedupeKey(key)), details))
        };
        rows.into_iter().map(opened).collect()
    }
}

fn purpose(tracker: TrackerId, key: &str) -> Vec<u8> {
    [b"event".as_slice(), tracker.0.as_bytes(), key.as_bytes()].concat()
}

impl From<SealedDetails> for ScanDetails {
    fn from(told: SealedDetails) -> Self {
        Self { place: told.place, description: told.description, signed_by: told.signed_by }
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
