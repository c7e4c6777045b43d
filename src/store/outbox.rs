//! The outbox: what changed, written in the transaction of the change.
//!
//! A seller's changes are numbered in the order of their commits: the number is taken while the seller's turn to write
//! is held ([`Store::seller`](super::Store::seller)), and the turn ends with the commit. So a reader that has seen a
//! number has seen every one before it. Ids cannot say that, since they are made before the turn comes.

use super::bulk;
use super::schema::outbox;
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::ids::{OutboxId, SellerId};
use diesel::dsl::max;
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

/// Makes the kinds of change, each with its word, so that none is left out of the list of all.
macro_rules! changes {
    ($($change:ident $code:literal;)*) => {
        /// What kind of change a row of the outbox tells of; the words are those of webhooks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Change {
            $($change),*
        }

        impl Change {
            pub const ALL: &[Self] = &[$(Self::$change),*];

            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$change => $code),*
                }
            }
        }
    };
}

changes! {
    OrderCreated "order.created";
    OrderRemoved "order.removed";
    MilestoneChanged "shipment.milestone_changed";
    VerdictChanged "shipment.verdict_changed";
    PromiseChanged "shipment.promise_changed";
    NumberCorrected "shipment.number_corrected";
    NumberDoubted "shipment.number_doubted";
    ImportCompleted "import.completed";
}

/// A change as it was told.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct Told {
    /// Later changes of the seller have higher numbers; there may be gaps.
    pub seq: i64,
    pub id: OutboxId,
    pub kind: String,
    /// The order, shipment or import that changed.
    pub subject_id: OutboxId,
    /// Holds no contacts.
    pub body: Json,
    pub created_at: At,
}

/// A change as it is written.
#[derive(Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
pub(super) struct ChangeRow {
    pub(super) seller_id: SellerId,
    pub(super) seq: i64,
    pub(super) id: OutboxId,
    pub(super) kind: &'static str,
    pub(super) subject_id: OutboxId,
    pub(super) body: Json,
    pub(super) created_at: At,
}

impl SellerTables<'_> {
    /// Tells of a change of `subject`; the body holds no contacts.
    pub fn tell(
        &mut self,
        change: Change,
        subject: Uuid,
        body: serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.tell_each(vec![(change, subject, body)], now)
    }

    /// Tells of a change of each of these subjects, one after the other.
    pub fn tell_all(
        &mut self,
        change: Change,
        told: Vec<(Uuid, serde_json::Value)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.tell_each(told.into_iter().map(|(subject, body)| (change, subject, body)).collect(), now)
    }

    /// Tells of changes, one after the other.
    pub fn tell_each(
        &mut self,
        told: Vec<(Change, Uuid, serde_json::Value)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // One look a transaction: nobody else of this seller writes until it ends.
        let mut seq = match self.last_seq {
            Some(last) => last,
            None => self.last_change()?,
        };
        let mut rows = Vec::with_capacity(told.len());
        for (change, subject, body) in told {
            seq += 1;
            rows.push(ChangeRow {
                seller_id: self.seller,
                seq,
                id: OutboxId::new(now),
                kind: change.code(),
                subject_id: OutboxId(subject),
                body: Json(body),
                created_at: At(now),
            });
        }
        bulk::insert_changes(self.connection, &rows)?;
        self.last_seq = Some(seq);
        Ok(())
    }

    /// The number of the last of the oldest changes from before `before`, of at most `limit`; `None` where there are none but
    /// the seller's very last.
    pub fn old_changes_end(&mut self, before: Timestamp, limit: i64) -> Result<Option<i64>, StoreError> {
        let last = self.last_change()?;
        let oldest: Vec<(i64, At)> = outbox::table
            .filter(outbox::seller_id.eq(self.seller))
            .filter(outbox::seq.lt(last))
            .order(outbox::seq)
            .limit(limit)
            .select((outbox::seq, outbox::created_at))
            .load(self.connection)?;
        // Clocks of several servers differ a little, so a younger change may stand before an older one: it waits.
        Ok(oldest.iter().take_while(|(_, at)| at.0 < before).last().map(|(seq, _)| *seq))
    }

    /// Deletes a seller's changes up to a number, inclusive.
    pub fn delete_changes_to(&mut self, end: i64) -> Result<usize, StoreError> {
        let old = outbox::table.filter(outbox::seller_id.eq(self.seller)).filter(outbox::seq.le(end));
        Ok(diesel::delete(old).execute(self.connection)?)
    }

    /// The number of the oldest change that is kept; `None` where nothing ever changed.
    pub fn first_change(&mut self) -> Result<Option<i64>, StoreError> {
        let mine = outbox::table.filter(outbox::seller_id.eq(self.seller)).order(outbox::seq).limit(1);
        Ok(mine.select(outbox::seq).get_result(self.connection).optional()?)
    }

    /// The number of the last change; 0 where nothing ever changed.
    pub fn last_change(&mut self) -> Result<i64, StoreError> {
        let mine = outbox::table.filter(outbox::seller_id.eq(self.seller));
        let last: Option<i64> = mine.select(max(outbox::seq)).get_result(self.connection)?;
        Ok(last.unwrap_or(0))
    }

    /// Changes after one number, up to another, inclusive, oldest first; no kinds are all kinds.
    pub fn changes_between(
        &mut self,
        after: i64,
        up_to: i64,
        kinds: &[Change],
        limit: i64,
    ) -> Result<Vec<Told>, StoreError> {
        let mut query = outbox::table
            .filter(outbox::seller_id.eq(self.seller))
            .filter(outbox::seq.gt(after))
            .filter(outbox::seq.le(up_to))
            .into_boxed();
        if !kinds.is_empty() {
            query = query.filter(outbox::kind.eq_any(kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>()));
        }
        Ok(query.order(outbox::seq).limit(limit).select(Told::as_select()).load(self.connection)?)
    }
}
