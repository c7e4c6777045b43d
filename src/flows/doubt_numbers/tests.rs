//! A block of labels that nobody scanned is found once, settled by the first scan, and what is left of it is found again.

use super::doubt_numbers;
use crate::domain::doubt::DoubtCode;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::milestone::SubStatus;
use crate::domain::scan::{Scan, ScanDetails, Source};
use crate::flows::record_events::{Moment, judge, record_events};
use crate::store::on_both::{a_parcel, a_seller, on_both};
use crate::store::outbox::Change;
use crate::store::trackers::Tracker;
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp, ToSpan};

fn start() -> Timestamp {
    "2026-09-01T12:00:00Z".parse().unwrap()
}

fn hours_on(hours: i64) -> Timestamp {
    start() + hours.hours()
}

/// A UPS number of a serial.
fn ups(serial: u32) -> String {
    let body = format!("A1B2C3{serial:09}");
    let value = |it: u8| if it.is_ascii_digit() { u32::from(it - b'0') } else { u32::from(it - 3) % 10 };
    let sum: u32 = body.bytes().enumerate().map(|(at, it)| value(it) * (1 + u32::from(at % 2 == 1))).sum();
    format!("1Z{body}{}", (10 - sum % 10) % 10)
}

fn moment(now: Timestamp) -> Moment {
    Moment { now, seller_zone: jiff::tz::TimeZone::UTC }
}

/// Takes labels in at the start; the carrier answers to each until 80 hours on.
fn labels(store: &Store, seller: SellerId, serials: std::ops::Range<u32>) -> Vec<(ShipmentId, Tracker)> {
    let made = store.seller(seller).write(|tables| -> Result<Vec<_>, StoreError> {
        serials
            .map(|serial| {
                let (shipment, tracker) = a_parcel(tables, seller, &ups(serial), start());
                judge(tables, &moment(start()), shipment.id)?;
                tables.note_check(tracker.id, hours_on(80), 0)?;
                Ok((shipment.id, tracker))
            })
            .collect()
    });
    made.unwrap()
}

fn hear(store: &Store, seller: SellerId, tracker: &Tracker, now: Timestamp) {
    let scan = Scan {
        occurred: EventTime::at(now - SignedDuration::from_hours(1)),
        sub_status: Some(SubStatus::Accepted),
        raw_code: "PU".to_owned(),
        source_event_id: None,
        piece: None,
        details: ScanDetails::default(),
    };
    let heard =
        store.seller(seller).write(|tables| record_events(tables, &moment(now), tracker, &[scan], Source::Poll));
    heard.unwrap();
}

fn in_doubt(store: &Store, seller: SellerId) -> Vec<ShipmentId> {
    let open = store.seller(seller).read(|tables| tables.open_doubts_of(DoubtCode::BlockNeverScanned)).unwrap();
    open.into_iter().map(|row| row.shipment_id).collect()
}

fn told(store: &Store, seller: SellerId) -> usize {
    let kinds = [Change::NumberDoubted];
    store.seller(seller).read(|tables| tables.changes_between(0, i64::MAX, &kinds, 1000)).unwrap().len()
}

#[test]
fn a_block_is_found_once_and_settled_by_its_first_scan() {
    on_both(|store| {
        let (seller, other) = (a_seller(store, start()), a_seller(store, start()));
        let block = labels(store, seller, 10..22);
        labels(store, other, 30..34);
        assert_eq!(doubt_numbers(store, hours_on(71)).unwrap(), 0, "before their time is up");
        assert_eq!(doubt_numbers(store, hours_on(80)).unwrap(), 12);
        let members: Vec<ShipmentId> = block.iter().map(|(id, _)| *id).collect();
        assert_eq!((in_doubt(store, seller), in_doubt(store, other)), (members.clone(), vec![]));
        assert_eq!(doubt_numbers(store, hours_on(104)).unwrap(), 0, "a day later");
        assert_eq!(told(store, seller), 12, "said once");

        hear(store, seller, &block[6].1, hours_on(105));
        assert!(in_doubt(store, seller).is_empty(), "no block that nobody scanned any more");
        assert_eq!(told(store, seller), 24);
        assert_eq!(doubt_numbers(store, hours_on(128)).unwrap(), 11, "what is left of it is found again");
        assert_eq!(in_doubt(store, seller), [&members[..6], &members[7..]].concat());
        let sentences = store.seller(seller).read(|tables| tables.open_doubts(&members)).unwrap();
        let sentence = sentences[&members[11]][0].doubt.sentence();
        assert!(sentence.contains(&format!("5 consecutive numbers from {} to {}", ups(17), ups(21))), "{sentence}");
    });
}

#[test]
fn old_labels_are_not_looked_at_again_and_stay_in_doubt() {
    on_both(|store| {
        let seller = a_seller(store, start());
        labels(store, seller, 10..15);
        assert_eq!(doubt_numbers(store, hours_on(24 * 15)).unwrap(), 0, "out of the window");
        assert_eq!(doubt_numbers(store, hours_on(24 * 13)).unwrap(), 5);
        assert_eq!(doubt_numbers(store, hours_on(24 * 30)).unwrap(), 0);
        assert_eq!(in_doubt(store, seller).len(), 5);
    });
}

#[test]
fn what_was_scanned_in_time_is_never_in_a_block() {
    on_both(|store| {
        let seller = a_seller(store, start());
        let block = labels(store, seller, 10..17);
        hear(store, seller, &block[3].1, hours_on(5));
        assert_eq!(doubt_numbers(store, hours_on(80)).unwrap(), 0);
        assert_eq!((in_doubt(store, seller).len(), told(store, seller)), (0, 0));
    });
}
