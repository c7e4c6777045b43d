//! One parcel told in every way must end in one state, on both databases.

use super::Outcome;
use super::put::{OrderRef, Sender, prove, put_order, put_scans, put_shipment};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::milestone::SubStatus;
use crate::domain::order::{Contact, OrderLine, OrderRow, Place};
use crate::domain::scan::{Scan, ScanDetails};
use crate::domain::shipment::TrackingRow;
use crate::domain::tracking_number::Hints;
use crate::flows::record_events::{Moment, judge};
use crate::secrets::Secrets;
use crate::store::Store;
use crate::store::on_both::{a_seller, on_both};
use crate::store::standings::StandingRow;
use jiff::Timestamp;
use jiff::civil::date;

pub(super) fn now() -> Timestamp {
    "2026-09-30T12:00:00Z".parse().unwrap()
}

pub(super) fn seller(store: &Store, secrets: &Secrets) -> SellerId {
    let seller = a_seller(store, now());
    for number in ["1001", "1002"] {
        put_order(&sender(store, secrets, seller), &[OrderRow { order_number: number.to_owned(), ..order() }]).unwrap();
    }
    seller
}

pub(super) fn sender<'a>(store: &'a Store, secrets: &'a Secrets, seller: SellerId) -> Sender<'a> {
    Sender { store, secrets, seller, shop: None, create_only: false, now: now() }
}

pub(super) fn order() -> OrderRow {
    OrderRow {
        order_number: "1001".to_owned(),
        order_ref: None,
        ordered: None,
        currency: None,
        contact: Contact { recipient_name: Some("Pat Example".to_owned()), ..Contact::default() },
        destination: Place { country: "DE".parse().ok(), ..Place::default() },
        origin: Place::default(),
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        state: None,
        channel: None,
        line: OrderLine { quantity: Some(1), deliver_by_on: Some(date(2026, 9, 20)), ..OrderLine::default() },
        more_lines: Vec::new(),
        is_summary: false,
    }
}

pub(super) fn parcel(number: &str, delivered: Option<&str>) -> TrackingRow {
    TrackingRow {
        shipped: EventTime::parse("2026-09-15T09:00:00"),
        delivered: delivered.and_then(EventTime::parse),
        ..TrackingRow::bare("1001", prove(number, Some("other"), &Hints::default()).unwrap().number)
    }
}

pub(super) fn put(store: &Store, secrets: &Secrets, seller: SellerId, row: TrackingRow) -> ShipmentId {
    put_for("1001", &sender(store, secrets, seller), row).0
}

pub(super) fn put_for(order: &str, sender: &Sender<'_>, row: TrackingRow) -> (ShipmentId, Outcome) {
    let taken = put_shipment(sender, &OrderRef::Number(order.to_owned()), row).unwrap();
    (taken.id, taken.outcome)
}

pub(super) fn standing(store: &Store, seller: SellerId, shipment: ShipmentId) -> StandingRow {
    store.seller(seller).read(|tables| tables.standing(shipment)).unwrap().unwrap()
}

pub(super) fn scan(at: &str, sub_status: Option<SubStatus>) -> Scan {
    Scan {
        occurred: EventTime::parse(at).unwrap(),
        sub_status,
        raw_code: sub_status.map_or("??", SubStatus::code).to_owned(),
        source_event_id: None,
        piece: None,
        details: ScanDetails::default(),
    }
}

#[test]
fn any_order_and_repetition_of_scans_ends_in_the_same_state() {
    let scans = [
        scan("2026-09-15T18:00:00+02:00", Some(SubStatus::Accepted)),
        scan("2026-09-16T07:00:00Z", Some(SubStatus::CustomsHold)),
        scan("2026-09-17T07:00:00", None),
        scan("2026-09-18T09:00:00+02:00", Some(SubStatus::AttemptFailed)),
        scan("2026-09-22T10:00:00+02:00", Some(SubStatus::DeliveredToRecipient)),
    ];
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let mut first: Option<StandingRow> = None;
        for turn in 0..10 {
            let shipment = put(store, &secrets, seller, parcel(&format!("PARCEL-48{turn}7"), None));
            for step in 0..scans.len() * 2 {
                let told = &scans[(step * (1 + turn % 4) + turn) % scans.len()];
                put_scans(store, seller, shipment, std::slice::from_ref(told), now()).unwrap();
            }
            put_scans(store, seller, shipment, &scans, now()).unwrap();
            let row = StandingRow { shipment_id: ShipmentId(uuid::Uuid::nil()), ..standing(store, seller, shipment) };
            assert_eq!((row.milestone.as_str(), row.verdict.as_str()), ("delivered", "on_time"), "turn {turn}");
            assert!(first.get_or_insert_with(|| row.clone()).says_the_same_as(&row), "turn {turn}");
        }
    });
}

#[test]
fn a_corrected_delivery_takes_the_old_word_back() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        for (what, delivered, verdict) in [
            ("late at first", "2026-09-25T10:00:00", "delivered_late"),
            ("corrected", "2026-09-19T10:00:00", "on_time"),
            ("and back again", "2026-09-25T10:00:00", "delivered_late"),
        ] {
            let shipment = put(store, &secrets, seller, parcel("PARCEL-1", Some(delivered)));
            assert_eq!(standing(store, seller, shipment).verdict, verdict, "{what}");
        }
    });
}

#[test]
fn silence_alone_makes_a_parcel_late_then_stalled_then_lost() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let early: Timestamp = "2026-09-16T12:00:00Z".parse().unwrap();
        let on_the_way = Sender { now: early, ..sender(store, &secrets, seller) };
        let order = OrderRef::Number("1001".to_owned());
        let shipment = put_shipment(&on_the_way, &order, parcel("PARCEL-2", None)).unwrap().id;
        let before = standing(store, seller, shipment);
        assert_eq!(before.verdict, "undecided");
        let mut due = before.reconsider_at;
        // Shipped on Tuesday 15 September from nobody knows where; 3 October is a holiday, and a Saturday.
        for (verdict, at) in [
            ("late_open", "2026-09-20T22:00:00Z"),
            ("stalled", "2026-09-21T22:00:00Z"),
            ("suspected_lost", "2026-10-13T22:00:00Z"),
            ("lost", "2026-11-13T23:00:00Z"),
        ] {
            let now = due.unwrap().0;
            assert_eq!(now, at.parse().unwrap(), "{verdict} with the beginning of a day in Berlin");
            let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
            let moment = Moment { now, seller_zone: zone };
            store.seller(seller).write(|tables| judge(tables, &moment, shipment)).unwrap();
            let after = standing(store, seller, shipment);
            assert_eq!((after.verdict.as_str(), after.timeliness.as_str()), (verdict, "late_open"));
            assert!(after.is_open, "{verdict}: it is still followed");
            due = after.reconsider_at;
        }
        assert_eq!(due, None);
    });
}

#[test]
fn news_of_a_parcel_reaches_every_order_in_it() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let sender = sender(store, &secrets, seller);
        let (first, _) = put_for("1001", &sender, parcel("PARCEL-3", None));
        let (second, _) = put_for("1002", &sender, parcel("PARCEL-3", Some("2026-09-18T10:00:00")));
        assert_ne!(first, second);
        for shipment in [first, second] {
            assert_eq!(standing(store, seller, shipment).milestone, "delivered");
        }
    });
}

#[test]
fn a_number_that_came_back_leaves_the_old_parcel_alone() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let sender = sender(store, &secrets, seller);
        let old = TrackingRow {
            shipped: EventTime::parse("2026-01-05T09:00:00"),
            ..parcel("PARCEL-4", Some("2026-01-09T10:00:00"))
        };
        let (january, _) = put_for("1001", &sender, old.clone());
        let (september, _) = put_for("1002", &sender, parcel("PARCEL-4", None));
        assert_eq!(standing(store, seller, september).milestone, "info_received", "another generation");
        assert_eq!(put_for("1001", &sender, old), (january, Outcome::Unchanged), "the old file again");
        assert_eq!(standing(store, seller, september).milestone, "info_received");
    });
}

#[test]
fn a_promise_may_change_twice_at_one_instant() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        for day in [date(2026, 9, 22), date(2026, 9, 21)] {
            put(store, &secrets, seller, TrackingRow { deliver_by_on: Some(day), ..parcel("PARCEL-5", None) });
        }
        let shipment = put(store, &secrets, seller, parcel("PARCEL-5", None));
        let known = store.seller(seller).read(|tables| tables.promises_known(&[shipment], now())).unwrap();
        assert_eq!(known.get(&shipment), Some(&Some("2026-09-21".to_owned())));
    });
}

#[test]
fn days_of_an_order_make_no_line_of_their_own() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let sender = sender(store, &secrets, seller);
        let lamp = OrderLine { sku: Some("LAMP".to_owned()), quantity: Some(3), ..order().line };
        let number = "1003".to_owned();
        let (id, _) = put_order(&sender, &[OrderRow { order_number: number.clone(), line: lamp, ..order() }]).unwrap();
        let later = OrderLine { deliver_by_on: Some(date(2026, 9, 28)), ..OrderLine::default() };
        put_order(&sender, &[OrderRow { order_number: number, line: later, ..order() }]).unwrap();
        let (lines, order) = store
            .seller(seller)
            .read(|tables| Ok::<_, crate::store::StoreError>((tables.order_lines(id)?, tables.order(id)?)))
            .unwrap();
        assert_eq!(lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [3]);
        assert_eq!(order.unwrap().deliver_by_on.as_deref(), Some("2026-09-28"));
    });
}

#[test]
fn an_upload_whose_key_was_taken_over_is_no_import() {
    use super::upload::{ImportRequest, UploadError, begin};
    use crate::domain::ids::{ClaimId, PrincipalId};
    use crate::store::At;
    use crate::store::idempotency::{Hold, KeyUse};
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let (route, key) = ("POST /v1/imports".to_owned(), "k".to_owned());
        let [lost, held] =
            [(); 2].map(|()| Hold { seller, route: route.clone(), key: key.clone(), claim: ClaimId::new(now()) });
        let used = KeyUse {
            seller_id: seller,
            route: route.clone(),
            key: key.clone(),
            claim: held.claim,
            locked_until: At(now()),
            fingerprint: None,
            import_id: None,
            answer: None,
            created_at: At(now()),
        };
        store.seller(seller).write(|tables| tables.put_key_use(&used)).unwrap();
        let upload = |hold: &Hold| {
            let mut incoming = begin(store, seller, &ImportRequest::default(), PrincipalId::SYSTEM, now()).unwrap();
            incoming.take(b"order_number\n1\n");
            incoming.complete(store, Some((hold, b"file")))
        };
        let refused = upload(&lost);
        assert!(matches!(refused, Err(UploadError::TakenOver)), "{refused:?}");
        assert!(store.seller(seller).read(|tables| tables.imports_page(None, 10)).unwrap().is_empty());

        let import = upload(&held).unwrap();
        let noted = store.seller(seller).read(|tables| tables.key_use(&route, &key)).unwrap().unwrap();
        assert_eq!((noted.import_id, noted.fingerprint.as_deref()), (Some(import.id), Some(b"file".as_slice())));
    });
}

#[test]
fn an_older_clock_takes_nothing_back() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let shipment = put(store, &secrets, seller, parcel("PARCEL-6", None));
        let delivered = scan("2026-09-30T11:59:00Z", Some(SubStatus::DeliveredToRecipient));
        put_scans(store, seller, shipment, &[delivered], now()).unwrap();
        let before = standing(store, seller, shipment);
        assert_eq!(before.milestone, "delivered");
        let early: Timestamp = "2026-09-30T11:00:00Z".parse().unwrap();
        let moment = Moment { now: early, seller_zone: jiff::tz::TimeZone::UTC };
        store.seller(seller).write(|tables| judge(tables, &moment, shipment)).unwrap();
        assert_eq!(standing(store, seller, shipment).milestone, "delivered", "what was known stays known");
    });
}
