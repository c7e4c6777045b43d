//! Identities: UUIDv7, so that rows made together lie together; each kind is a type of its own.
//!
//! The id carries the time it was made, so it is never used as a public token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Makes a UUIDv7 for the given time; two made for one time differ by 74 random bits.
pub fn uuid_at(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos))
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
    /// An API key; also the actor of what is done with it.
    KeyId;
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
    /// A row of the outbox.
    OutboxId;
    /// One worker's hold on a piece of work; a worker that lost it writes nothing more.
    ClaimId;
}
