//! Trackers: carriers' numbers that are followed, and when each is asked about next.

use super::bulk;
use super::schema::trackers;
use super::types::At;
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{SellerId, TrackerId};
use crate::domain::tracking_number::{Habits, Known};
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::HashSet;

/// So many of the seller's last numbers are looked at for what they have in common.
const HABIT_NUMBERS: i64 = 50;

/// A carrier's number in one generation.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = trackers, treat_none_as_default_value = false)]
pub struct Tracker {
    pub seller_id: SellerId,
    pub id: TrackerId,
    pub carrier: String,
    pub number: String,
    pub generation: i32,
    pub created_at: At,
    pub last_event_at: Option<At>,
    pub last_checked_at: Option<At>,
    /// `None` where it is not asked about any more.
    pub next_check_at: Option<At>,
    pub failed_checks: i32,
    pub claimed_until: Option<At>,
    /// Its parcel's person was erased: place, text and signer are not kept any more.
    pub details_erased_at: Option<At>,
}

impl SellerTables<'_> {
    /// The latest generation of a carrier's number.
    pub fn tracker(&mut self, carrier: &str, number: &str) -> Result<Option<Tracker>, StoreError> {
        let found = trackers::table
            .filter(trackers::seller_id.eq(self.seller))
            .filter(trackers::carrier.eq(carrier))
            .filter(trackers::number.eq(number))
            .order(trackers::generation.desc())
            .limit(1);
        Ok(found.select(Tracker::as_select()).load(self.connection)?.pop())
    }

    /// The latest generation under this number at any carrier, oldest tracker first.
    pub fn trackers_by_number(&mut self, number: &str) -> Result<Vec<Tracker>, StoreError> {
        let found = trackers::table
            .filter(trackers::seller_id.eq(self.seller))
            .filter(trackers::number.eq(number))
            .order(trackers::id);
        Ok(found.select(Tracker::as_select()).load(self.connection)?)
    }

    /// What the seller's own carriers, and the numbers followed before this tracker would have been made, tell of another
    /// number. The id of an import gives the same answer however often its file is read.
    pub fn known_before(&mut self, before: TrackerId) -> Result<Known, StoreError> {
        let mine = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.lt(before));
        let latest = mine.order(trackers::id.desc()).limit(HABIT_NUMBERS).select((trackers::carrier, trackers::number));
        let numbers: Vec<(String, String)> = latest.load(self.connection)?;
        let habits = Habits::of(numbers.iter().map(|(carrier, number)| (carrier.as_str(), number.as_str())));
        Ok(Known { own: self.own_carriers()?, habits })
    }

    pub fn tracker_by_id(&mut self, id: TrackerId) -> Result<Option<Tracker>, StoreError> {
        let found = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.eq(id));
        Ok(found.select(Tracker::as_select()).get_result(self.connection).optional()?)
    }

    /// Ids of trackers after `after`, oldest first.
    pub fn tracker_ids(&mut self, after: Option<TrackerId>, limit: i64) -> Result<Vec<TrackerId>, StoreError> {
        let mut query = trackers::table.filter(trackers::seller_id.eq(self.seller)).into_boxed();
        if let Some(after) = after {
            query = query.filter(trackers::id.gt(after));
        }
        Ok(query.order(trackers::id).limit(limit).select(trackers::id).load(self.connection)?)
    }

    /// Those of these numbers that are, or were, followed under any carrier.
    pub fn followed_numbers(&mut self, numbers: &[&str]) -> Result<HashSet<String>, StoreError> {
        let found =
            trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::number.eq_any(numbers));
        let found: Vec<String> = found.select(trackers::number).load(self.connection)?;
        Ok(found.into_iter().collect())
    }

    pub fn insert_tracker(&mut self, tracker: &Tracker) -> Result<(), StoreError> {
        self.insert_trackers(std::slice::from_ref(tracker))
    }

    pub fn insert_trackers(&mut self, trackers: &[Tracker]) -> Result<(), StoreError> {
        Ok(bulk::insert_trackers(self.connection, trackers)?)
    }

    pub fn note_event(&mut self, id: TrackerId, latest: Timestamp) -> Result<(), StoreError> {
        let mine = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.eq(id));
        diesel::update(mine).set(trackers::last_event_at.eq(Some(At(latest)))).execute(self.connection)?;
        Ok(())
    }

    /// Sets when it is asked about next; `None` ends that.
    pub fn schedule_check(&mut self, id: TrackerId, next: Option<Timestamp>) -> Result<(), StoreError> {
        let mine = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.eq(id));
        diesel::update(mine).set(trackers::next_check_at.eq(next.map(At))).execute(self.connection)?;
        Ok(())
    }

    /// Notes that its source was asked, and lets go of the claim.
    pub fn note_check(&mut self, id: TrackerId, checked_at: Timestamp, failed_checks: i32) -> Result<(), StoreError> {
        let mine = trackers::table.filter(trackers::seller_id.eq(self.seller)).filter(trackers::id.eq(id));
        diesel::update(mine)
            .set((
                trackers::last_checked_at.eq(Some(At(checked_at))),
                trackers::failed_checks.eq(failed_checks),
                trackers::claimed_until.eq(None::<At>),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}

impl PlatformTables<'_> {
    /// Claims trackers that are due, for any seller, until `until`; a claim that ran out may be claimed again.
    pub fn claim_trackers(&mut self, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<Tracker>, StoreError> {
        let claim = format!(
            "UPDATE trackers SET claimed_until = $1 WHERE (seller_id, id) IN (SELECT seller_id, id FROM trackers \
             WHERE next_check_at <= $2 AND (claimed_until IS NULL OR claimed_until <= $2) \
             ORDER BY next_check_at LIMIT {limit}{lock}) RETURNING *",
            lock = self.skip_locked
        );
        let claimed = diesel::sql_query(claim)
            .bind::<super::types::sql::Instant, _>(At(until))
            .bind::<super::types::sql::Instant, _>(At(now))
            .load(self.connection)?;
        Ok(claimed)
    }

    /// Lets go of trackers that are still claimed until the moment told with them, as nobody else's are.
    pub fn let_go_of_trackers(&mut self, held: &[(SellerId, TrackerId, Timestamp)]) -> Result<(), StoreError> {
        for (seller, id, until) in held {
            let claimed = trackers::table
                .filter(trackers::seller_id.eq(seller))
                .filter(trackers::id.eq(id))
                .filter(trackers::claimed_until.eq(Some(At(*until))));
            diesel::update(claimed).set(trackers::claimed_until.eq(None::<At>)).execute(self.connection)?;
        }
        Ok(())
    }

    /// Lets go of every tracker.
    pub fn release_trackers(&mut self) -> Result<(), StoreError> {
        let claimed = trackers::table.filter(trackers::claimed_until.is_not_null());
        diesel::update(claimed).set(trackers::claimed_until.eq(None::<At>)).execute(self.connection)?;
        Ok(())
    }
}
