//! Which worker has which import: claims, how often they are made, and what waits for one.

use super::imports::{Import, StoredImport};
use super::schema::{imports, sellers};
use super::types::{At, sql};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{ClaimId, ImportId, SellerId};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

impl SellerTables<'_> {
    /// How many imports of this seller are on their way in, wait, or are being worked on.
    pub fn open_imports(&mut self) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Open {
            #[diesel(sql_type = sql::BigInt)]
            count: i64,
        }
        // The states stand in the statement, so that a partial index serves it.
        let statement = "SELECT count(*) AS count FROM imports \
             WHERE seller_id = $1 AND state IN ('receiving', 'received', 'running')";
        let open: Open = diesel::sql_query(statement).bind::<sql::Id, _>(self.seller).get_result(self.connection)?;
        Ok(open.count)
    }

    /// Does not count a worker's last claim of an import: the worker came to its end in order.
    pub fn uncount_claim(&mut self, id: ImportId, claim: ClaimId) -> Result<(), StoreError> {
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::claims.gt(0));
        diesel::update(held).set(imports::claims.eq(imports::claims - 1)).execute(self.connection)?;
        Ok(())
    }
}

impl PlatformTables<'_> {
    /// Claims the oldest import that waits, or whose worker has gone, for any seller, and counts the claim. Where
    /// `most_bytes` is given, only files that are known to be no larger, unpacked. A seller's imports are worked off one after
    /// the other, as they came in: tracking numbers want their orders on file.
    pub fn claim_import(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        claim: ClaimId,
        most_bytes: Option<i64>,
    ) -> Result<Option<Import>, StoreError> {
        let statement = format!(
            "UPDATE imports SET state = 'running', claimed_until = $1, claim = $2, claims = claims + 1 WHERE (seller_id, id) IN \
             (SELECT seller_id, id FROM imports AS due WHERE state IN ('received', 'running') \
             AND (claimed_until IS NULL OR claimed_until <= $3) AND ($4 < 0 OR unpacked_bytes <= $4) AND NOT EXISTS \
             (SELECT 1 FROM imports AS first WHERE first.seller_id = due.seller_id \
             AND first.state IN ('received', 'running') AND (first.created_at, first.id) < (due.created_at, due.id)) \
             ORDER BY created_at LIMIT 1{lock}) RETURNING *",
            lock = self.skip_locked
        );
        let mut claimed: Vec<StoredImport> = diesel::sql_query(statement)
            .bind::<sql::Instant, _>(At(until))
            .bind::<sql::Id, _>(claim)
            .bind::<sql::Instant, _>(At(now))
            .bind::<sql::BigInt, _>(most_bytes.unwrap_or(-1))
            .load(self.connection)?;
        let Some(stored) = claimed.pop() else { return Ok(None) };
        let vault = self.vaults.of(self.connection, stored.seller_id)?;
        stored.opened(&vault).map(Some)
    }

    /// Lets go of every import: at the start of the one process that works on an embedded database.
    pub fn release_imports(&mut self) -> Result<(), StoreError> {
        // In the words of the index, so that it is used.
        let release = "UPDATE imports SET claimed_until = NULL WHERE state IN ('received', 'running')";
        diesel::sql_query(release).execute(self.connection)?;
        Ok(())
    }

    /// Uploads that began before `before` and never arrived whole.
    pub fn broken_uploads(&mut self, before: Timestamp) -> Result<Vec<(SellerId, ImportId)>, StoreError> {
        #[derive(QueryableByName)]
        #[diesel(table_name = imports)]
        struct Broken {
            seller_id: SellerId,
            id: ImportId,
        }
        // In the words of the index, so that it is used.
        let broken = "SELECT seller_id, id FROM imports WHERE state = 'receiving' AND created_at < $1";
        let broken: Vec<Broken> =
            diesel::sql_query(broken).bind::<sql::Instant, _>(At(before)).load(self.connection)?;
        Ok(broken.into_iter().map(|it| (it.seller_id, it.id)).collect())
    }

    /// Deletes up to `limit` imports whose file and rows were deleted before `before`.
    pub fn delete_imports_expired(&mut self, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
        let statement = "DELETE FROM imports WHERE (seller_id, id) IN \
             (SELECT seller_id, id FROM imports WHERE expired_at < $1 ORDER BY expired_at LIMIT $2)";
        let delete = diesel::sql_query(statement).bind::<sql::Instant, _>(At(before)).bind::<sql::BigInt, _>(limit);
        Ok(delete.execute(self.connection)?)
    }

    /// Imports that ended longer ago than their sellers keep uploads, and whose rows are still on file.
    pub fn overdue_imports(&mut self, now: Timestamp, limit: i64) -> Result<Vec<(SellerId, ImportId)>, StoreError> {
        let terms: Vec<i32> = sellers::table.select(sellers::upload_days).distinct().load(self.connection)?;
        let mut overdue = Vec::new();
        for days in terms {
            let cutoff = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
            let old = imports::table
                .inner_join(sellers::table.on(sellers::id.eq(imports::seller_id)))
                .filter(sellers::upload_days.eq(days))
                .filter(imports::finished_at.lt(At(cutoff)))
                .filter(imports::state.eq_any(["completed", "failed", "cancelled"]))
                .filter(imports::expired_at.is_null())
                .order(imports::finished_at)
                .limit(limit);
            let old: Vec<(SellerId, ImportId)> = old.select((imports::seller_id, imports::id)).load(self.connection)?;
            overdue.extend(old);
        }
        Ok(overdue)
    }
}
