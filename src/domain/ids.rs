//! Identities: UUIDv7, so that rows made together lie together; each kind is a type of its own.
//!
//! The id carries the time it was made, so it is never used as a public token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};
use uuid::{ContextV7, Uuid};

/// Counts the ids of one moment, so that they are in the order in which they were made.
static ORDER: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));

/// Makes a UUIDv7 for the given time, later in order than every one this process made before.
pub fn uuid_at(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    let order = ORDER.lock().unwrap_or_else(PoisonError::into_inner);
    Uuid::new_v7(uuid::Timestamp::from_unix(&*order, millis / 1000, nanos))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh identity made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_at(now))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A tenant: leads every key of every seller's table.
    SellerId;
    /// One account of one sales channel of a seller.
    ShopId;
    /// Who acts: an API key, a user, or the program itself. A key's id, and a user's, is its principal's.
    PrincipalId;
    /// A row of the audit log.
    AuditId;
    /// A person asked in, who has not come yet.
    InvitationId;
    /// An order.
    OrderId;
    /// One consignment of one order.
    ShipmentId;
    /// A carrier's number that is followed.
    TrackerId;
    /// A scan that passed the gate.
    EventId;
    /// One uploaded file.
    ImportId;
    /// One wish of a person to be forgotten.
    ErasureId;
    /// A row of the outbox.
    OutboxId;
    /// One worker's hold on a piece of work; a worker that lost it writes nothing more.
    ClaimId;
}

impl ShipmentId {
    /// Before every one that was made at this time or later, to the millisecond.
    pub fn earliest(at: Timestamp) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
    }
}

impl PrincipalId {
    /// The program itself: on file from the first migration on.
    pub const SYSTEM: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn the_earliest_id_of_a_moment_is_before_all_that_are_made_then_or_later() {
        let at: Timestamp = "2026-09-17T10:04:00.123Z".parse().unwrap();
        let later = at + SignedDuration::from_millis(1);
        assert!(ShipmentId::earliest(at) < ShipmentId::earliest(later));
        assert!(ShipmentId::earliest(later) < ShipmentId::new(later));
        assert_eq!(ShipmentId::earliest(at).0.get_timestamp().map(|it| it.to_unix().1), Some(123_000_000));
    }

    #[test]
    fn ids_of_one_moment_are_in_the_order_of_their_making() {
        let now = "2026-09-17T10:04:00Z".parse().unwrap();
        let made: Vec<OrderId> = (0..1000).map(|_| OrderId::new(now)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
    }
}
