//! Scans, as sources tell them, and tracking events, as the gate keeps them.

use crate::domain::carrier::CarrierSlug;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, TrackerId};
use crate::domain::milestone::SubStatus;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// By which way a scan reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A row of an uploaded file of events.
    Csv,
    /// The seller's own word: the shipped and delivered columns of a tracking file, or a scan sent by the shop.
    Seller,
    /// An answer of a carrier that we asked.
    Poll,
    /// A carrier's call to us.
    Push,
}

impl Source {
    pub fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Seller => "seller",
            Self::Poll => "poll",
            Self::Push => "push",
        }
    }
}

impl FromStr for Source {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Csv, Self::Seller, Self::Poll, Self::Push];
        all.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

/// What a source told us, raw. It becomes a [`TrackingEvent`] when the gate accepts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub occurred: EventTime,
    /// `None` where the source's code is not on our map: kept, counted, listed, and moves nothing.
    pub sub_status: Option<SubStatus>,
    /// The source's own code or status word.
    pub raw_code: String,
    /// The carrier's own identity of the event, where it gives one.
    pub source_event_id: Option<String>,
    /// Which piece of a shipment of many pieces.
    pub piece: Option<String>,
    pub details: ScanDetails,
}

/// What may name a person or an address: kept apart from events, because it can be erased and they cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanDetails {
    /// Town or site as the source wrote it.
    pub place: Option<String>,
    /// The source's free text.
    pub description: Option<String>,
    /// Who signed.
    pub signed_by: Option<String>,
}

impl ScanDetails {
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// The identity of a scan within its tracker.
///
/// The carrier's event id, else a digest of carrier, number, time as written, raw code and piece. No place, no text and
/// no source is in it, so a push and a poll of one scan are one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupeKey(pub String);

impl Scan {
    pub fn dedupe_key(&self, carrier: &CarrierSlug, number: &str) -> DedupeKey {
        if let Some(id) = &self.source_event_id {
            return DedupeKey(format!("id:{}", digest(&[id])));
        }
        let when = match self.occurred.utc() {
            Some(instant) => instant.to_string(),
            None => self.occurred.local_text(),
        };
        let piece = self.piece.as_deref().unwrap_or_default();
        DedupeKey(format!("h:{}", digest(&[carrier.as_ref(), number, &when, &self.raw_code, piece])))
    }
}

/// Eight hexadecimal digits by which equal words are told to be equal, and which do not give the words back.
pub fn mark_of(words: &str) -> String {
    digest(&[words]).chars().take(8).collect()
}

/// 32 hexadecimal digits over the parts, each with its length, so that no two lists of parts run together.
fn digest(parts: &[&str]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part.as_bytes());
    }
    let bytes = sha.finalize();
    let half = bytes.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    format!("{half:032x}")
}

impl fmt::Display for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A scan that passed the gate. It is never changed; a withdrawal is a row of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingEvent {
    pub id: EventId,
    pub tracker_id: TrackerId,
    pub key: DedupeKey,
    pub occurred: EventTime,
    /// The instant, or the local time in the seller's zone for the seller's own scans, in UTC for a carrier's.
    pub sort_at: Timestamp,
    pub heard_at: Timestamp,
    pub sub_status: Option<SubStatus>,
    pub raw_code: String,
    pub source: Source,
}

/// The codes of what a seller says of its own parcel: that it was shipped, and that it was delivered.
pub const SHIPPED: &str = "shipped";
pub const DELIVERED: &str = "delivered";

impl TrackingEvent {
    /// Whether it is the seller's own word, and not a scan that the seller passes on.
    pub fn is_claim(&self) -> bool {
        self.source == Source::Seller && matches!(self.raw_code.as_str(), SHIPPED | DELIVERED)
    }

    /// The order of happening: time, then rank of milestone, then key. The order of receipt has no part in it.
    pub fn order(&self) -> (Timestamp, Option<SubStatus>, &DedupeKey) {
        (self.sort_at, self.sub_status, &self.key)
    }

    /// Whether it can have happened by `now` anywhere on earth.
    pub fn may_have_happened_by(&self, now: Timestamp) -> bool {
        self.occurred.earliest_instant().min(self.sort_at) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;
    use jiff::tz::Offset;

    fn scan(code: &str) -> Scan {
        Scan {
            occurred: EventTime::with_offset(datetime(2026, 9, 17, 10, 0, 0, 0), Offset::UTC),
            sub_status: None,
            raw_code: code.to_owned(),
            source_event_id: None,
            piece: None,
            details: ScanDetails::default(),
        }
    }

    #[test]
    fn one_scan_told_in_two_ways_is_one_event() {
        let ups = CarrierSlug::from_stored("ups".to_owned());
        let key = |scan: &Scan| scan.dedupe_key(&ups, "1Z");
        let told = scan("D");
        let mut elsewhere = scan("D");
        elsewhere.occurred = EventTime::with_offset(datetime(2026, 9, 17, 12, 0, 0, 0), Offset::constant(2));
        elsewhere.details.place = Some("Berlin".to_owned());
        assert_eq!(key(&told), key(&elsewhere), "same instant, other place and text");
        assert_ne!(key(&told), key(&scan("I")), "another code");
        let numbered = |id: &str| Scan { source_event_id: Some(id.to_owned()), ..scan("D") };
        assert_eq!(
            key(&numbered("7")),
            key(&Scan { raw_code: "X".to_owned(), ..numbered("7") }),
            "the carrier's id decides"
        );
    }
}
