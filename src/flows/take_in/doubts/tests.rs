//! Each doubt is found, said once, settled where its ground goes, and found again, on both databases.

use super::super::cancel::{cancel_order, cancel_shipment};
use super::super::edit::{Expected, edit_order};
use super::super::put::{OrderRef, Sender, prove, put_order, put_scans, put_shipment};
use super::*;
use crate::domain::edit::Edit;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{OrderId, SellerId};
use crate::domain::milestone::SubStatus;
use crate::domain::order::{Contact, OrderEdit, OrderLine, OrderRow, OrderState, Place, PlaceEdit};
use crate::domain::scan::{Scan, ScanDetails, Source};
use crate::domain::shipment::TrackingRow;
use crate::domain::tracking_number::Hints;
use crate::flows::record_events::{Moment, record_events};
use crate::flows::take_in::Outcome;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::store::on_both::{a_seller, on_both};
use crate::store::outbox::Change;
use jiff::Timestamp;

const NUMBER: &str = "PARCEL-48";

/// A seller at work on the last of September 2026.
struct Shop<'a> {
    store: &'a Store,
    secrets: &'a Secrets,
    seller: SellerId,
}

fn now() -> Timestamp {
    "2026-09-30T12:00:00Z".parse().unwrap()
}

fn at_work(scenario: impl Fn(&Shop<'_>)) {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| scenario(&Shop { store, secrets: &secrets, seller: a_seller(store, now()) }));
}

fn scan(at: &str, sub_status: SubStatus, place: &str) -> Scan {
    Scan {
        occurred: EventTime::parse(at).unwrap(),
        sub_status: Some(sub_status),
        raw_code: sub_status.code().to_owned(),
        source_event_id: None,
        piece: None,
        details: ScanDetails { place: (!place.is_empty()).then(|| place.to_owned()), ..ScanDetails::default() },
    }
}

impl Shop<'_> {
    fn sender(&self) -> Sender<'_> {
        let (store, secrets, seller) = (self.store, self.secrets, self.seller);
        Sender { store, secrets, seller, shop: None, create_only: false, now: now() }
    }

    /// An order made on a day, to a country and a postal code.
    fn order(&self, number: &str, ordered_on: &str, (country, postal_code): (&str, &str)) -> OrderId {
        self.tell_order(number, ordered_on, (country, postal_code), None)
    }

    fn tell_order(&self, number: &str, on: &str, to: (&str, &str), state: Option<OrderState>) -> OrderId {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let row = OrderRow {
            order_number: number.to_owned(),
            order_ref: None,
            ordered: EventTime::parse(on),
            currency: None,
            contact: Contact::default(),
            destination: Place { country: to.0.parse().ok(), region: None, postal_code: told(to.1) },
            origin: Place::default(),
            deliver_from_on: None,
            shipping_method: None,
            shipping_charged_minor: None,
            state,
            channel: None,
            line: OrderLine { quantity: Some(1), ..OrderLine::default() },
            more_lines: Vec::new(),
            is_summary: false,
        };
        put_order(&self.sender(), &[row]).unwrap().0
    }

    fn parcel(&self, order: &str, shipped: &str) -> ShipmentId {
        self.put(order, shipped, "").0
    }

    fn put(&self, order: &str, shipped: &str, delivered: &str) -> (ShipmentId, Outcome) {
        let row = TrackingRow {
            shipped: EventTime::parse(shipped),
            delivered: EventTime::parse(delivered),
            ..TrackingRow::bare("", prove(NUMBER, Some("dpd"), &Hints::default()).unwrap().number)
        };
        let taken = put_shipment(&self.sender(), &OrderRef::Number(order.to_owned()), row).unwrap();
        (taken.id, taken.outcome)
    }

    /// The carrier tells of the parcel.
    fn hear(&self, shipment: ShipmentId, scans: &[Scan]) {
        let moment = Moment { now: now(), seller_zone: jiff::tz::TimeZone::UTC };
        let heard = self.store.seller(self.seller).write(|tables| {
            let leg = tables.legs(shipment)?.remove(0);
            let tracker = tables.tracker_by_id(leg.tracker_id)?.unwrap();
            record_events(tables, &moment, &tracker, scans, Source::Poll)
        });
        heard.unwrap();
    }

    fn send_to(&self, order: OrderId, country: &str) {
        let country = Edit::Set(country.parse().unwrap());
        let edit = OrderEdit { destination: PlaceEdit { country, ..PlaceEdit::default() }, ..OrderEdit::default() };
        edit_order(&self.sender(), &OrderRef::Id(order), edit, &Expected::Any).unwrap();
    }

    /// The codes of the doubts that stand.
    fn doubts(&self, shipment: ShipmentId) -> Vec<&'static str> {
        let open = self.store.seller(self.seller).read(|tables| tables.open_doubts(&[shipment])).unwrap();
        open.into_values().flatten().map(|it| it.doubt.code().code()).collect()
    }

    fn sentence(&self, shipment: ShipmentId) -> String {
        let open = self.store.seller(self.seller).read(|tables| tables.open_doubts(&[shipment])).unwrap();
        open.into_values().flatten().map(|it| it.doubt.sentence()).collect()
    }

    /// What was told of doubts so far: `found` and `settled`, in order.
    fn told(&self) -> Vec<String> {
        let kinds = [Change::NumberDoubted];
        let told = self.store.seller(self.seller).read(|tables| tables.changes_between(0, i64::MAX, &kinds, 1000));
        told.unwrap().into_iter().map(|it| it.body.0["state"].as_str().unwrap().to_owned()).collect()
    }
}

const HOME: (&str, &str) = ("DE", "04109");
const ELSEWHERE: (&str, &str) = ("AT", "1010");
const ON_ANOTHER: [&str; 1] = ["number_on_another_order"];

#[test]
fn a_number_on_two_orders_is_doubted_on_both_until_one_is_cancelled() {
    at_work(|shop| {
        shop.order("1001", "2026-09-10", HOME);
        let other_order = shop.order("1002", "2026-09-10", ELSEWHERE);
        let one = shop.parcel("1001", "2026-09-12");
        assert!(shop.doubts(one).is_empty(), "alone");
        let other = shop.parcel("1002", "2026-09-12");
        assert_eq!([shop.doubts(one), shop.doubts(other)], [ON_ANOTHER, ON_ANOTHER]);
        assert!(shop.sentence(one).contains("order 1002:") && shop.sentence(other).contains("order 1001:"));
        assert_eq!(shop.told(), ["found", "found"]);

        assert_eq!(shop.put("1002", "2026-09-12", ""), (other, Outcome::Unchanged), "the same again");
        shop.put("1002", "2026-09-12", "2026-09-14");
        assert_eq!(shop.told().len(), 2, "and what has no part in it: nothing is said twice");

        cancel_order(&shop.sender(), other_order, &Expected::Any).unwrap();
        assert!(shop.doubts(one).is_empty() && shop.doubts(other).is_empty());
        assert_eq!(shop.told()[2..], ["settled", "settled"]);

        shop.tell_order("1002", "2026-09-10", ELSEWHERE, Some(OrderState::Open));
        assert_eq!([shop.doubts(one), shop.doubts(other)], [ON_ANOTHER, ON_ANOTHER], "found again");
        assert_eq!(shop.told()[4..], ["found", "found"]);

        cancel_shipment(&shop.sender(), one, &Expected::Any).unwrap();
        assert!(shop.doubts(one).is_empty() && shop.doubts(other).is_empty(), "a parcel may be cancelled alone");
    });
}

#[test]
fn two_orders_that_go_to_one_place_are_one_parcel() {
    at_work(|shop| {
        shop.order("1001", "2026-09-10", HOME);
        let other_order = shop.order("1002", "2026-09-10", ("DE", "04 109"));
        let (one, other) = (shop.parcel("1001", "2026-09-12"), shop.parcel("1002", "2026-09-12"));
        assert!(shop.doubts(one).is_empty() && shop.doubts(other).is_empty());

        shop.send_to(other_order, "AT");
        assert_eq!([shop.doubts(one), shop.doubts(other)], [ON_ANOTHER, ON_ANOTHER], "one goes elsewhere now");
        shop.send_to(other_order, "DE");
        assert!(shop.doubts(one).is_empty() && shop.doubts(other).is_empty());

        let erase = |tables: &mut SellerTables| tables.note_contact_erased(other_order, now());
        shop.store.seller(shop.seller).write(erase).unwrap();
        cancel_order(&shop.sender(), other_order, &Expected::Any).unwrap();
        shop.tell_order("1002", "2026-09-10", HOME, Some(OrderState::Open));
        assert!(shop.doubts(one).is_empty(), "what was erased is no ground for a doubt");
    });
}

#[test]
fn a_crowded_number_names_five_orders_and_never_grows() {
    at_work(|shop| {
        let places = ["DE", "AT", "FR", "PL", "CZ"];
        let shipments: Vec<_> = (0..58)
            .map(|n| {
                let number = format!("{}", 2000 + n);
                shop.order(&number, "2026-09-10", (places[n % 5], "1"));
                shop.parcel(&number, "2026-09-12")
            })
            .collect();
        assert!(shipments.iter().all(|it| shop.doubts(*it) == ON_ANOTHER));
        for (shipment, named) in [(shipments[0], "2001, 2002, 2003, 2004, 2006"), (shipments[57], "2000, 2001, 2003")] {
            let sentence = shop.sentence(shipment);
            assert!(sentence.contains(named) && sentence.contains(" and more: "), "{sentence}");
        }
        assert_eq!(shop.told().len(), 58, "said of each once, however many came after it");
    });
}

#[test]
fn a_number_that_comes_back_was_used_before() {
    for (what, old, new, expected) in [
        ("after months", ("2026-01-03", "2026-01-09"), ("2026-09-12", "2026-09-14"), &["number_reused"][..]),
        (
            "after weeks, to another place",
            ("2026-08-20", "2026-08-25"),
            ("2026-09-12", "2026-09-14"),
            &["number_on_another_order", "number_reused"],
        ),
        ("one parcel, told afterwards", ("2026-09-10", "2026-09-14"), ("2026-09-11", "2026-09-12"), &ON_ANOTHER),
    ] {
        at_work(|shop| {
            shop.order("1001", old.0, HOME);
            let (first, _) = shop.put("1001", old.0, &format!("{}T10:00:00", old.1));
            shop.order("1002", new.0, ELSEWHERE);
            let second = shop.parcel("1002", new.1);
            assert_eq!(shop.doubts(second), expected, "{what}");
            assert!(!shop.doubts(first).contains(&"number_reused"), "{what}: the older is not the one to blame");
            if expected.contains(&"number_reused") {
                assert!(shop.sentence(second).contains(old.1), "{what}: {}", shop.sentence(second));
            }
            assert_eq!(shop.put("1002", new.1, ""), (second, Outcome::Unchanged), "{what}");
        });
    }
}

#[test]
fn the_day_of_the_order_settles_whether_its_number_was_used_before() {
    at_work(|shop| {
        shop.order("1001", "2026-08-20", HOME);
        shop.put("1001", "2026-08-20", "2026-08-25T10:00:00");
        shop.order("1002", "2026-09-12", HOME);
        let second = shop.parcel("1002", "2026-09-14");
        assert_eq!(shop.doubts(second), ["number_reused"]);
        shop.order("1002", "2026-08-24", HOME);
        assert!(shop.doubts(second).is_empty(), "both orders were there before the parcel came");
        shop.order("1002", "2026-09-12", HOME);
        assert_eq!(shop.doubts(second), ["number_reused"], "found again");
        assert_eq!(shop.told(), ["found", "settled", "found"]);
    });
}

#[test]
fn a_scan_from_before_the_order_is_doubted_at_the_gate_and_at_the_desk() {
    at_work(|shop| {
        shop.order("1001", "2026-09-10", HOME);
        let shipment = shop.parcel("1001", "2026-09-12");
        let own_scan = [scan("2026-09-01T09:00:00Z", SubStatus::Accepted, "")];
        put_scans(shop.store, shop.seller, shipment, &own_scan, now()).unwrap();
        shop.hear(shipment, &[scan("2026-09-11T09:00:00Z", SubStatus::LabelCreated, "")]);
        assert!(shop.doubts(shipment).is_empty(), "the seller's own scan, and a label, are no scans of the carrier");

        let early = [scan("2026-09-02T10:00:00Z", SubStatus::FacilityScan, "")];
        for _ in 0..2 {
            shop.hear(shipment, &early);
            assert_eq!((shop.doubts(shipment), shop.told()), (vec!["scan_before_order"], vec!["found".to_owned()]));
        }
        assert!(shop.sentence(shipment).contains("on 2026-09-02"), "{}", shop.sentence(shipment));

        shop.order("1002", "2026-09-20", HOME);
        let second = shop.parcel("1002", "2026-09-21");
        assert_eq!(shop.doubts(second), ["scan_before_order"], "what is on file already");

        shop.order("1001", "2026-09-01", HOME);
        assert!(shop.doubts(shipment).is_empty(), "the order was older than that");
        shop.order("1001", "2026-09-10", HOME);
        assert_eq!(shop.doubts(shipment), ["scan_before_order"], "found again");
        assert_eq!(shop.told(), ["found", "found", "settled", "found"]);
    });
}

#[test]
fn a_parcel_brought_to_another_country_is_doubted_until_it_is_put_right() {
    let on_vehicle = || scan("2026-09-13T08:00:00Z", SubStatus::OnVehicle, "Lyon, France");
    let delivered = |place| scan("2026-09-13T10:00:00Z", SubStatus::DeliveredToRecipient, place);
    at_work(|shop| {
        let order = shop.order("1001", "2026-09-10", HOME);
        let shipment = shop.parcel("1001", "2026-09-12");
        shop.hear(shipment, &[scan("2026-09-12T20:00:00Z", SubStatus::FacilityScan, "Paris, France")]);
        assert!(shop.doubts(shipment).is_empty(), "merely under way");
        for _ in 0..2 {
            shop.hear(shipment, &[on_vehicle()]);
            assert_eq!((shop.doubts(shipment), shop.told().len()), (vec!["destination_differs"], 1));
        }
        let sentence = shop.sentence(shipment);
        assert!(
            sentence.contains("France") && sentence.contains("Germany") && !sentence.contains("Lyon"),
            "{sentence}"
        );

        shop.send_to(order, "FR");
        assert!(shop.doubts(shipment).is_empty(), "it was the order that named another country");
        shop.send_to(order, "DE");
        assert_eq!(shop.doubts(shipment), ["destination_differs"], "found again");
        shop.hear(shipment, &[delivered("Leipzig, Germany")]);
        assert!(shop.doubts(shipment).is_empty(), "delivered at home in the end");
        assert_eq!(shop.told(), ["found", "settled", "found", "settled"]);
    });
    at_work(|shop| {
        let order = shop.order("1001", "2026-09-10", HOME);
        let shipment = shop.parcel("1001", "2026-09-12");
        shop.hear(shipment, &[on_vehicle(), delivered("Lyon, FR")]);
        let erase = |tables: &mut SellerTables| {
            let tracker = tables.legs(shipment)?.remove(0).tracker_id;
            tables.erase_event_details(tracker, now())
        };
        shop.store.seller(shop.seller).write(erase).unwrap();
        shop.send_to(order, "AT");
        assert_eq!(shop.doubts(shipment), ["destination_differs"], "it survives an erasure");
        assert!(shop.sentence(shipment).contains("Austria"), "and goes by where the order goes now");
        shop.send_to(order, "FR");
        assert!(shop.doubts(shipment).is_empty(), "also where no place is on file any more");
    });
    at_work(|shop| {
        shop.order("1001", "2026-09-10", HOME);
        let shipment = shop.parcel("1001", "2026-09-12");
        let back = scan("2026-09-13T09:00:00Z", SubStatus::Returning, "Leipzig, Germany");
        shop.hear(shipment, &[back, delivered("Lyon, France")]);
        assert!(shop.doubts(shipment).is_empty(), "on its way back");
    });
}
