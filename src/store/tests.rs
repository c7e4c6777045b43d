//! What both databases must do alike.

use super::audit::{Deed, Entry};
use super::contacts::FoundBy;
use super::on_both::{a_seller, on_both};
use super::orders::Order;
use super::trackers::Tracker;
use super::{AnyConnection, At, Reason, SellerTables, Store, StoreError};
use crate::domain::actor::Actor;
use crate::domain::chain;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{EventId, OrderId, SellerId, TrackerId};
use crate::domain::milestone::SubStatus;
use crate::domain::order::{Contact, email_key, phone_key};
use crate::domain::scan::{DedupeKey, ScanDetails, Source, TrackingEvent};
use crate::secrets::Secrets;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;

fn now() -> Timestamp {
    "2026-09-17T10:04:00.123456Z".parse().unwrap()
}

fn tracker(store: &Store) -> Tracker {
    let seller_id = a_seller(store, now());
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
        details_erased_at: None,
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
fn events_are_changed_by_nobody_and_only_their_details_are_erased() {
    on_both(|store| {
        let tracker = tracker(store);
        let tables = store.seller(tracker.seller_id);
        let details = ScanDetails { signed_by: Some("Ada Quill".to_owned()), ..ScanDetails::default() };
        let second = TrackingEvent { key: DedupeKey("h:2".to_owned()), ..event(&tracker) };
        for (event, details) in [(&event(&tracker), &details), (&second, &ScanDetails::default())] {
            assert!(tables.write(|tables| tables.append_event(event, details)).unwrap());
        }
        for statement in ["UPDATE tracking_events SET raw_code = 'X'", "DELETE FROM tracking_events"] {
            let done = tables.write(|tables| sql_query(statement).execute(tables.connection).map_err(StoreError::from));
            assert!(done.is_err(), "{statement}");
        }
        let chain = || tables.read(|tables| tables.chain(tracker.id)).unwrap();
        let [first, second] = chain().try_into().unwrap();
        assert_eq!(first.details_on_file.map(Vec::from), first.details_digest);
        let link = chain::link(None, &first.event, first.details_digest.as_deref());
        assert_eq!((first.chain_no, first.chain_hash.as_slice()), (1, link.as_slice()));
        let next = chain::link(Some(&link), &second.event, None);
        assert_eq!((second.chain_no, second.chain_hash.as_slice()), (2, next.as_slice()));
        assert_eq!(tables.write(|tables| tables.erase_event_details(tracker.id, now())).unwrap(), 1);
        let [erased, _] = chain().try_into().unwrap();
        assert_eq!(erased.details_on_file, None);
        assert_eq!(erased.details_digest, first.details_digest, "the chain still verifies");
    });
}

#[test]
fn the_audit_log_is_chained_and_changed_by_nobody() {
    on_both(|store| {
        let seller = tracker(store).seller_id;
        let tables = store.seller(seller);
        let deed = |deed| Entry { deed, object: None, detail: json!({"role": "seller-clerk", "a": 1}) };
        for done in [deed(Deed::KeyCreated), deed(Deed::KeyRevoked)] {
            tables.write(|tables| tables.audit(&Actor::system(), done, now())).unwrap();
        }
        let rows = tables.read(|tables| tables.audit_page(0, 10)).unwrap();
        assert_eq!(rows.iter().map(|row| row.chain_no).collect::<Vec<_>>(), [1, 2]);
        let mut before: Option<Vec<u8>> = None;
        for row in rows {
            assert_eq!(row.chain_hash, row.link(before.as_deref()), "{}", row.action);
            before = Some(row.chain_hash);
        }
        for statement in ["UPDATE audit_log SET action = 'X'", "DELETE FROM audit_log"] {
            let done = tables.write(|tables| sql_query(statement).execute(tables.connection).map_err(StoreError::from));
            assert!(done.is_err(), "{statement}");
        }
    });
}

#[test]
fn a_contact_lies_sealed_and_is_found_by_what_it_says() {
    on_both(|store| {
        let seller = tracker(store).seller_id;
        let tables = store.seller(seller);
        let contact = Contact {
            recipient_name: Some("Ada Quill".to_owned()),
            email: Some("Ada@Example.com ".to_owned()),
            phone: Some("+49 170 1234567".to_owned()),
            ..Contact::default()
        };
        let order = tables.write(|tables| an_order(tables, seller)).unwrap();
        tables.write(|tables| tables.put_contact(order, &contact)).unwrap();
        assert_eq!(tables.read(|tables| tables.contact(order)).unwrap(), Some(contact));
        for (what, by, key, found) in [
            ("in small letters", FoundBy::Email, email_key("ada@example.com"), vec![order]),
            ("written at home", FoundBy::Phone, phone_key("0170/1234567"), vec![order]),
            ("another's", FoundBy::Email, email_key("ben@example.com"), vec![]),
        ] {
            let orders = tables.read(|tables| tables.orders_to((by, &key.unwrap()), None, 10)).unwrap();
            assert_eq!(orders, found, "{what}");
        }
        assert!(tables.write(|tables| tables.delete_contact(order)).unwrap());
        assert_eq!(tables.read(|tables| tables.contact(order)).unwrap(), None);
    });
}

fn an_order(tables: &mut SellerTables, seller_id: SellerId) -> Result<OrderId, StoreError> {
    let shop_id = tables.shops()?[0].id;
    let id = OrderId::new(now());
    let order = Order {
        seller_id,
        id,
        shop_id,
        order_number: "1001".to_owned(),
        order_ref: None,
        state: "open".to_owned(),
        ordered_local: None,
        ordered_offset: None,
        currency: None,
        country: None,
        region: None,
        postal_code: None,
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        channel: None,
        dispatch_by_at: None,
        deliver_by_on: None,
        token_hash: id.0.as_bytes().to_vec(),
        token_sealed: Vec::new(),
        contact_erased_at: None,
        created_at: At(now()),
        updated_at: At(now()),
        version: 1,
    };
    tables.insert_order(&order).map(|()| id)
}

#[test]
fn another_secret_key_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("test.db").display());
    let fresh = || Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    let ours = fresh();
    for (what, secrets, opens) in [("made", &ours, true), ("opened", &ours, true), ("another", &fresh(), false)] {
        let opened = Store::open(&file, secrets.clone());
        assert_eq!(opened.is_ok(), opens, "{what}");
        assert!(opened.err().is_none_or(|error| error.to_string().contains("PARCELTRAIL_SECRET_KEY")), "{what}");
    }
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
fn a_connection_lost_at_the_commit_leaves_the_outcome_unknown() {
    #[derive(QueryableByName)]
    struct Backend {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        pid: i32,
    }
    on_both(|store| {
        let tracker = tracker(store);
        let (tables, other) = (store.seller(tracker.seller_id), store.platform(Reason::Admin));
        if store.reads_inline() {
            return;
        }
        let appended = |at_the_end: bool| {
            tables.write(|tables| {
                if at_the_end {
                    tables.append_event(&event(&tracker), &ScanDetails::default())?;
                }
                let backend: Backend =
                    sql_query("SELECT pg_backend_pid() AS pid").get_result(tables.connection).unwrap();
                other.read(|tables| -> Result<(), StoreError> {
                    let end = format!("SELECT pg_terminate_backend({}, 5000)::int AS pid", backend.pid);
                    let ended: Backend = sql_query("RESET ROLE")
                        .execute(tables.connection)
                        .and_then(|_| sql_query(end).get_result(tables.connection))
                        .unwrap();
                    assert_eq!(ended.pid, 1, "the backend has ended");
                    Ok(())
                })?;
                if !at_the_end {
                    tables.append_event(&event(&tracker), &ScanDetails::default())?;
                }
                Ok::<_, StoreError>(())
            })
        };
        let lost = appended(true);
        assert!(matches!(lost, Err(StoreError::CommitUnknown(_))), "{lost:?}");
        let before = appended(false);
        assert!(matches!(before, Err(StoreError::Unavailable(_))), "before the commit nothing is written: {before:?}");
        assert!(tables.read(|tables| tables.events(&[tracker.id])).unwrap().is_empty());
        tables.write(|tables| tables.append_event(&event(&tracker), &ScanDetails::default())).unwrap();
    });
}

#[test]
fn documents_keep_no_nul_and_hash_as_they_are_read_back() {
    on_both(|store| {
        let seller = a_seller(store, now());
        let actor = Actor::system();
        for (name, kept) in [("six plain \\u0000", "six plain \\u0000"), ("a real \0", "a real \u{fffd}")] {
            let detail = json!({"name": name, "a\0key": [{"within": name}]});
            let entry = Entry { deed: Deed::ShopCreated, object: None, detail };
            store.seller(seller).write(|tables| tables.audit(&actor, entry, now())).unwrap();
            let rows = store.seller(seller).read(|tables| tables.audit_page(0, 10)).unwrap();
            let (row, before) = (rows.last().unwrap(), rows.iter().rev().nth(1).map(|it| it.chain_hash.as_slice()));
            assert_eq!(row.detail.0, json!({"name": kept, "a\u{fffd}key": [{"within": kept}]}));
            assert_eq!(row.link(before).to_vec(), row.chain_hash);
        }
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

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(connection: &mut AnyConnection, statement: &str) -> i64 {
    let count: Count = sql_query(statement).get_result(connection).unwrap();
    count.n
}

/// A query that forgets its seller: the second net must hold what the first one let through.
#[test]
fn on_postgresql_even_a_query_that_names_no_seller_sees_one_seller_s_rows() {
    on_both(|store| {
        let (mine, theirs) = (tracker(store), tracker(store));
        if store.reads_inline() {
            return;
        }
        for tracker in [&mine, &theirs] {
            let seller = tracker.seller_id;
            store.seller(seller).write(|tables| an_order(tables, seller).map(drop)).unwrap();
        }
        for table in ["trackers", "orders", "shops", "sellers", "seller_keys"] {
            let statement = format!("SELECT count(*) AS n FROM {table}");
            let seen = |seller| {
                let counted =
                    store.seller(seller).read(|tables| Ok::<_, StoreError>(count(tables.connection, &statement)));
                counted.unwrap()
            };
            assert_eq!(
                (seen(mine.seller_id), seen(theirs.seller_id), seen(SellerId::new(now()))),
                (1, 1, 0),
                "{table}"
            );
            let all =
                store.platform(Reason::Admin).read(|tables| Ok::<_, StoreError>(count(tables.connection, &statement)));
            assert_eq!(all.unwrap(), 2, "{table}");
        }
        let stolen = store.seller(mine.seller_id).write(|tables| {
            let of_theirs = Tracker { seller_id: theirs.seller_id, id: TrackerId::new(now()), ..theirs.clone() };
            tables.insert_tracker(&Tracker { number: "2Z".to_owned(), ..of_theirs })
        });
        assert!(stolen.is_err(), "nothing is written for another seller");
        let secret = "SELECT count(*) AS n FROM signing_keys UNION ALL SELECT count(*) FROM instance ORDER BY n DESC";
        let seen = store.seller(mine.seller_id).read(|tables| Ok::<_, StoreError>(count(tables.connection, secret)));
        assert_eq!(seen.unwrap(), 0, "what is the platform's own");
        let bare = "SELECT count(*) AS n FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
             AND NOT relrowsecurity AND relname <> '__diesel_schema_migrations'";
        let bare = store.platform(Reason::Admin).read(|tables| Ok::<_, StoreError>(count(tables.connection, bare)));
        assert_eq!(bare.unwrap(), 0, "tables without row-level security");
    });
}

/// Tables whose rows may belong to no seller.
const OF_THE_PLATFORM: [&str; 6] = ["sellers", "instance", "principals", "api_keys", "signing_keys", "audit_log"];

#[test]
fn the_seller_leads_every_key_of_a_seller_s_table() {
    for table in SQLITE.concat().split("CREATE TABLE ").skip(1) {
        let (name, body) = table.split_once(" (\n").unwrap();
        let body = body.split_once("\n);").unwrap().0;
        if OF_THE_PLATFORM.contains(&name) {
            continue;
        }
        let leads = body.contains("PRIMARY KEY (seller_id,") || body.contains("seller_id BLOB NOT NULL PRIMARY KEY");
        assert!(leads, "{name}: the primary key");
        for line in body.lines().filter(|line| line.contains("FOREIGN KEY")) {
            assert!(line.contains("FOREIGN KEY (seller_id,") && line.contains("(seller_id, "), "{name}: {line}");
        }
    }
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

/// What each migration makes, by name; `tests/it/house.rs` sees to it that both have the same names.
const SQLITE: [&str; 3] = [
    include_str!("../../migrations/sqlite/2026-11-25-000001_house/up.sql"),
    include_str!("../../migrations/sqlite/2026-11-26-000001_tracking_numbers/up.sql"),
    include_str!("../../migrations/sqlite/2026-11-26-000002_imports/up.sql"),
];
const POSTGRES: [&str; 3] = [
    include_str!("../../migrations/postgres/2026-11-25-000001_house/up.sql"),
    include_str!("../../migrations/postgres/2026-11-26-000001_tracking_numbers/up.sql"),
    include_str!("../../migrations/postgres/2026-11-26-000002_imports/up.sql"),
];

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
    let (sqlite, postgres) = (shape(&SQLITE.concat()), shape(&POSTGRES.concat()));
    assert!(sqlite.len() > 150, "{}", sqlite.len());
    assert_eq!(sqlite, postgres);
}

#[test]
fn an_unknown_url_is_refused_with_what_to_write() {
    for url in ["mysql://localhost/x", "parceltrail.db", "sqlite:", ""] {
        let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
        let refused = Store::open(url, secrets).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("sqlite:parceltrail.db") && refused.contains("postgres://"), "{url}: {refused}");
    }
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    assert!(Store::open("sqlite:/no/such/folder/x.db", secrets).err().unwrap().to_string().contains("does not exist"));
}
