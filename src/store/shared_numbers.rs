//! Numbers that several sellers use: for the platform alone.

use super::schema::{legs, sellers, trackers};
use super::types::{At, sql};
use super::{PlatformTables, StoreError};
use crate::domain::ids::SellerId;
use diesel::dsl::exists;
use diesel::prelude::*;

/// A carrier's number, and when the first of its sellers took it in.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct SharedRow {
    #[diesel(sql_type = sql::Text)]
    pub carrier: String,
    #[diesel(sql_type = sql::Text)]
    pub number: String,
    #[diesel(sql_type = sql::Instant)]
    pub first_seen_at: At,
}

/// A seller that uses a number, once a generation.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct SharerRow {
    pub carrier: String,
    pub number: String,
    pub seller_id: SellerId,
    pub name: String,
    pub first_seen_at: At,
}

/// Corrected numbers keep their tracker, and stand on no shipment any more.
const SHARED: &str = "SELECT carrier, number, min(created_at) AS first_seen_at FROM trackers \
     WHERE (carrier, number) > ($1, $2) AND EXISTS (SELECT 1 FROM legs WHERE legs.seller_id = trackers.seller_id \
     AND legs.tracker_id = trackers.id) GROUP BY carrier, number HAVING count(DISTINCT seller_id) > 1 \
     ORDER BY carrier, number LIMIT $3";

impl PlatformTables<'_> {
    /// Numbers that stand on shipments of more than one seller, behind a place in the order of carrier and number.
    pub fn shared_numbers(
        &mut self,
        (carrier, number): (&str, &str),
        limit: i64,
    ) -> Result<Vec<SharedRow>, StoreError> {
        let shared = diesel::sql_query(SHARED)
            .bind::<sql::Text, _>(carrier)
            .bind::<sql::Text, _>(number)
            .bind::<sql::BigInt, _>(limit);
        Ok(shared.load(self.connection)?)
    }

    /// Who uses these numbers, at any carrier, the first first.
    pub fn sharers_of(&mut self, numbers: &[&str]) -> Result<Vec<SharerRow>, StoreError> {
        let legs_of =
            legs::table.filter(legs::seller_id.eq(trackers::seller_id)).filter(legs::tracker_id.eq(trackers::id));
        let found = trackers::table
            .inner_join(sellers::table.on(sellers::id.eq(trackers::seller_id)))
            .filter(trackers::number.eq_any(numbers))
            .filter(exists(legs_of))
            .order((trackers::created_at, trackers::seller_id, trackers::generation))
            .select((trackers::carrier, trackers::number, sellers::id, sellers::name, trackers::created_at));
        Ok(found.load(self.connection)?)
    }
}
