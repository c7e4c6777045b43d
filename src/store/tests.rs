//! What both databases must do alike.

use super::on_both::on_both;
use super::sellers::{Seller, Shop};
use super::trackers::Tracker;
use super::{At, Reason, Store, StoreError};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, SellerId, ShopId, TrackerId};
use crate::domain::milestone::SubStatus;
use crate::domain::scan::{DedupeKey, ScanDetails, Source, TrackingEvent};
use diesel::RunQueryDsl;
use jiff::Timestamp;
use std::collections::BTreeSet;

fn now() -> Timestamp {
    "2026-09-17T10:04:00.123456Z".parse().unwrap()
}

fn tracker(store: &Store) -> Tracker {
    let seller_id = SellerId::new(now());
    let (name, time_zone) = ("Lantern".to_owned(), "Europe/Berlin".to_owned());
    let seller = Seller { id: seller_id, name, country: None, time_zone, created_at: At(now()) };
    let id = ShopId::new(now());
    let shop = Shop { seller_id, id, name: "main".to_owned(), handle: id.to_string(), created_at: At(now()) };
    store.platform(Reason::Admin).write(|tables| tables.insert_seller(&seller, &shop)).unwrap();
    let tracker = Tracker {
        seller_id,
        id: TrackerId::new(now()),
        carrier: "ups".to_owned(),
        number: "1Z".to_owned(),
        generation: 1,
        created_at: At(now()),
        last_event_at: None,
        last_checked_at: None,
        next_check_at: Some(At(now())),
        failed_checks: 0,
        claimed_until: None,
    };
    store.seller(seller_id).write(|tables| tables.insert_tracker(&tracker)).unwrap();
    tracker
}

fn event(tracker: &Tracker) -> TrackingEvent {
    TrackingEvent {
        id: EventId::new(now()),
        tracker_id: tracker.id,
        key: DedupeKey("h:1".to_owned()),
        occurred: EventTime::at(now()),
        sort_at: now(),
        heard_at: now(),
        sub_status: Some(SubStatus::Accepted),
        raw_code: "PU".to_owned(),
        source: Source::Poll,
    }
}

#[test]
fn an_event_is_kept_as_it_came_and_once() {
    on_both(|store| {
        let tracker = tracker(store);
        let told = event(&tracker);
        let details = ScanDetails { place: Some("Köln 🎁".to_owned()), ..ScanDetails::default() };
        let tables = store.seller(tracker.seller_id);
        for (time, is_new) in [("first", true), ("again", false)] {
            let appended = tables.write(|tables| tables.append_event(&told, &details)).unwrap();
            assert_eq!(appended, is_new, "{time}");
        }
        assert_eq!(tables.read(|tables| tables.events(&[tracker.id])).unwrap(), std::slice::from_ref(&told));
        let kept = tables.read(|tables| tables.event_details(&[tracker.id])).unwrap();
        assert_eq!(kept.get(&(tracker.id, told.key)), Some(&details));
    });
}

#[test]
fn events_are_changed_by_nobody_and_erased_by_one_door() {
    on_both(|store| {
        let tracker = tracker(store);
        let tables = store.seller(tracker.seller_id);
        tables.write(|tables| tables.append_event(&event(&tracker), &ScanDetails::default())).unwrap();
        for statement in ["UPDATE tracking_events SET raw_code = 'X'", "DELETE FROM tracking_events"] {
            let done = tables
                .write(|tables| diesel::sql_query(statement).execute(tables.connection).map_err(StoreError::from));
            assert!(done.is_err(), "{statement}");
        }
        assert_eq!(store.erase(tracker.seller_id, tracker.id).unwrap(), 1);
        assert!(tables.read(|tables| tables.events(&[tracker.id])).unwrap().is_empty());
    });
}

#[test]
fn a_failed_write_leaves_nothing() {
    on_both(|store| {
        let tracker = tracker(store);
        let tables = store.seller(tracker.seller_id);
        let failed: Result<(), StoreError> = tables.write(|tables| {
            tables.append_event(&event(&tracker), &ScanDetails::default())?;
            Err(StoreError::Full)
        });
        assert!(matches!(failed, Err(StoreError::Full)));
        assert!(tables.read(|tables| tables.events(&[tracker.id])).unwrap().is_empty());
        let twice =
            tables.write(|tables| tables.insert_tracker(&Tracker { id: TrackerId::new(now()), ..tracker.clone() }));
        assert!(matches!(twice, Err(StoreError::Taken(_))), "{twice:?}");
    });
}

#[test]
fn another_seller_sees_nothing() {
    on_both(|store| {
        let (mine, theirs) = (tracker(store), tracker(store));
        let seen = store.seller(mine.seller_id).read(|tables| tables.tracker_by_id(theirs.id)).unwrap();
        assert_eq!(seen, None);
        let by_number = store.seller(mine.seller_id).read(|tables| tables.trackers_by_number("1Z")).unwrap();
        assert_eq!(by_number, [mine]);
    });
}

#[test]
fn what_is_due_is_claimed_once() {
    on_both(|store| {
        let tracker = tracker(store);
        let later: Timestamp = "2026-09-17T11:00:00Z".parse().unwrap();
        let claim = |at| store.platform(Reason::JobClaim).write(|tables| tables.claim_trackers(at, later, 10)).unwrap();
        let claimed = claim(now());
        assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [tracker.id]);
        assert!(claim(now()).is_empty(), "it is held");
        assert_eq!(claim(later).len(), 1, "the hold ran out");
    });
}

/// Columns with whether they may be null, and keys, of each table that a migration makes.
fn shape(migration: &str) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    for table in migration.split("CREATE TABLE ").skip(1) {
        let (name, rest) = table.split_once(" (\n").unwrap();
        let (body, _) = rest.split_once("\n);").unwrap();
        for line in body.lines().map(|line| line.trim().trim_end_matches(',')) {
            let (first, rules) = line.split_once(' ').unwrap();
            let is_column = first.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let rules = if is_column { rules.split_once(' ').map_or("", |(_type, rules)| rules) } else { rules };
            shape.insert(format!("{name}.{first} {rules}"));
        }
    }
    shape
}

#[test]
fn both_databases_have_the_same_tables() {
    let sqlite = shape(include_str!("../../migrations/sqlite/2026-11-22-000001_house/up.sql"));
    let postgres = shape(include_str!("../../migrations/postgres/2026-11-22-000001_house/up.sql"));
    assert!(sqlite.len() > 150, "{}", sqlite.len());
    assert_eq!(sqlite, postgres);
}

#[test]
fn an_unknown_url_is_refused_with_what_to_write() {
    for url in ["mysql://localhost/x", "parceltrail.db", "sqlite:", ""] {
        let refused = Store::open(url).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("sqlite:parceltrail.db") && refused.contains("postgres://"), "{url}: {refused}");
    }
    assert!(Store::open("sqlite:/no/such/folder/x.db").err().unwrap().to_string().contains("does not exist"));
}
