//! The hash chain over a tracker's events: each carries a digest of all that was heard before it, so that one that is
//! changed, taken out or put in later shows.
//!
//! Place, text and signer are in it as a salted digest alone: they can be erased, and the chain still verifies.

use crate::domain::scan::{ScanDetails, TrackingEvent};
use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The digest of what may be erased. The salt is kept with the details and goes with them, so that nobody can find out
/// afterwards what they said by trying.
pub fn details_digest(salt: &[u8], details: &ScanDetails) -> Hash {
    let texts = [&details.place, &details.description, &details.signed_by];
    let parts = texts.into_iter().map(|text| text.as_deref().map(str::as_bytes));
    digest(std::iter::once(Some(salt)).chain(parts))
}

/// The next link: over the one before, the event, and the digest of its details.
pub fn link(before: Option<&[u8]>, event: &TrackingEvent, details: Option<&[u8]>) -> Hash {
    let (local, offset) = (event.occurred.local_text(), event.occurred.offset_text());
    let heard_at = event.heard_at.as_microsecond().to_be_bytes();
    digest([
        before,
        Some(event.tracker_id.0.as_bytes()),
        Some(event.id.0.as_bytes()),
        Some(event.key.0.as_bytes()),
        Some(local.as_bytes()),
        offset.as_deref().map(str::as_bytes),
        Some(&heard_at),
        event.sub_status.map(|it| it.code().as_bytes()),
        Some(event.raw_code.as_bytes()),
        Some(event.source.code().as_bytes()),
        details,
    ])
}

/// Over the parts, each with its length, so that no two lists of parts run together; an absent one is told from a blank.
pub fn digest<'p>(parts: impl IntoIterator<Item = Option<&'p [u8]>>) -> Hash {
    let mut sha = Sha256::new();
    for part in parts {
        match part {
            Some(bytes) => {
                sha.update([1]);
                sha.update(bytes.len().to_be_bytes());
                sha.update(bytes);
            }
            None => sha.update([0]),
        }
    }
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event_time::EventTime;
    use crate::domain::ids::{EventId, TrackerId};
    use crate::domain::milestone::SubStatus;
    use crate::domain::scan::{DedupeKey, Source};

    #[test]
    fn whatever_is_changed_breaks_the_chain() {
        let now = "2026-09-17T10:04:00Z".parse().unwrap();
        let event = TrackingEvent {
            id: EventId::new(now),
            tracker_id: TrackerId::new(now),
            key: DedupeKey("h:1".to_owned()),
            occurred: EventTime::at(now),
            sort_at: now,
            heard_at: now,
            sub_status: Some(SubStatus::Accepted),
            raw_code: "PU".to_owned(),
            source: Source::Poll,
        };
        let details = ScanDetails { place: Some("Köln".to_owned()), ..ScanDetails::default() };
        let kept = details_digest(b"salt", &details);
        let first = link(None, &event, Some(&kept));
        let later = "2026-09-18T10:04:00Z".parse().unwrap();
        for (what, other) in [
            ("another code", TrackingEvent { raw_code: "DL".to_owned(), ..event.clone() }),
            ("another time", TrackingEvent { occurred: EventTime::at(later), ..event.clone() }),
            ("heard at another time", TrackingEvent { heard_at: later, ..event.clone() }),
            ("another meaning", TrackingEvent { sub_status: None, ..event.clone() }),
            ("another source", TrackingEvent { source: Source::Push, ..event.clone() }),
        ] {
            assert_ne!(link(None, &other, Some(&kept)), first, "{what}");
        }
        assert_ne!(link(Some(&first), &event, Some(&kept)), first, "another before it");
        assert_ne!(link(None, &event, None), first, "without its details");
        assert_ne!(details_digest(b"tlas", &details), kept, "another salt");
    }
}
