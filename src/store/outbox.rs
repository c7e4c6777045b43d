//! The outbox: what changed, written in the transaction of the change.

use super::schema::outbox;
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::ids::OutboxId;
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

/// What kind of change a row of the outbox tells of; the words are those of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    OrderCreated,
    MilestoneChanged,
    VerdictChanged,
    PromiseChanged,
    ImportCompleted,
}

impl Change {
    pub fn code(self) -> &'static str {
        match self {
            Self::OrderCreated => "order.created",
            Self::MilestoneChanged => "shipment.milestone_changed",
            Self::VerdictChanged => "shipment.verdict_changed",
            Self::PromiseChanged => "shipment.promise_changed",
            Self::ImportCompleted => "import.completed",
        }
    }
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
        diesel::insert_into(outbox::table)
            .values((
                outbox::seller_id.eq(self.seller),
                outbox::id.eq(OutboxId::new(now)),
                outbox::kind.eq(change.code()),
                outbox::subject_id.eq(OutboxId(subject)),
                outbox::body.eq(Json(body)),
                outbox::created_at.eq(At(now)),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
