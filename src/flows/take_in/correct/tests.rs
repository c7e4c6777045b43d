//! What a correction takes along, what it leaves behind, and what cannot undo it, on both databases.

use crate::domain::edit::Edit;
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::milestone::SubStatus;
use crate::domain::order::OrderRow;
use crate::domain::scan::Scan;
use crate::domain::shipment::{Claims, NumberEdit, ShipmentEdit, TrackingRow};
use crate::domain::tracking_number::Hints;
use crate::flows::take_in::edit::{Expected, edit_shipment};
use crate::flows::take_in::put::{Sender, prove, put_order, put_scans};
use crate::flows::take_in::tests::{now, order, parcel, put, put_for, scan, seller, sender, standing};
use crate::flows::take_in::{ChangeError, Outcome, TakeInError, Taken};
use crate::secrets::Secrets;
use crate::store::on_both::on_both;
use crate::store::shipments::{Leg, Shipment};
use crate::store::{Reason, Store};
use jiff::ToSpan;
use serde_json::json;

mod again;

/// UPS and USPS numbers with the right check digits.
const UPS: [&str; 2] = ["1Z999AA10123456784", "1Z999AA10123456793"];
const USPS: &str = "9205590164917312751089";

/// A seller with orders 1001 and 1002 in a database.
struct Scene<'s> {
    store: &'s Store,
    secrets: &'s Secrets,
    seller: SellerId,
}

fn scene(play: impl Fn(&Scene<'_>)) {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        play(&Scene { store, secrets: &secrets, seller: seller(store, &secrets) });
    });
}

impl Scene<'_> {
    fn sender(&self) -> Sender<'_> {
        sender(self.store, self.secrets, self.seller)
    }

    fn edit(&self, id: ShipmentId, edit: &ShipmentEdit) -> Result<Taken, ChangeError> {
        edit_shipment(&self.sender(), id, edit, &Expected::Any)
    }

    fn correct(&self, id: ShipmentId, typed: Option<&str>, carrier: Edit<&str>) -> Result<Taken, ChangeError> {
        self.edit(id, &corrected(typed, carrier))
    }

    fn number(&self, id: ShipmentId, typed: &str) -> Taken {
        self.correct(id, Some(typed), Edit::Keep).unwrap()
    }

    fn scan(&self, id: ShipmentId, scan: Scan) {
        put_scans(self.store, self.seller, id, &[scan], now()).unwrap();
    }

    fn milestone(&self, id: ShipmentId) -> String {
        standing(self.store, self.seller, id).milestone
    }

    fn shipment(&self, id: ShipmentId) -> Shipment {
        self.store.seller(self.seller).read(|tables| tables.shipment(id)).unwrap().unwrap()
    }

    fn leg(&self, id: ShipmentId) -> Leg {
        self.store.seller(self.seller).read(|tables| tables.legs(id)).unwrap().remove(0)
    }

    /// The numbers about which a carrier would be asked now, each with who would be asked.
    fn asked_about(&self) -> Vec<String> {
        let (until, claimed) = (now() + 1.hour(), self.store.platform(Reason::JobClaim));
        let mut claimed = claimed.write(|tables| tables.claim_trackers(now(), until, 100)).unwrap();
        self.store.platform(Reason::JobClaim).write(|tables| tables.release_trackers()).unwrap();
        claimed.retain(|tracker| tracker.seller_id == self.seller);
        let mut asked: Vec<String> = claimed.into_iter().map(|it| format!("{} {}", it.carrier, it.number)).collect();
        asked.sort();
        asked
    }

    /// What it went under, newest first.
    fn history(&self, id: ShipmentId) -> Vec<(Option<String>, String, i64)> {
        let corrections =
            self.store.seller(self.seller).read(|tables| tables.corrections_of(&[id])).unwrap().remove(&id);
        let was = corrections.unwrap_or_default().into_iter();
        was.map(|it| (it.carrier, it.tracking_number, it.version)).collect()
    }
}

fn corrected(typed: Option<&str>, carrier: Edit<&str>) -> ShipmentEdit {
    let number = NumberEdit { typed: typed.map(str::to_owned), carrier: carrier.map(str::to_owned) };
    ShipmentEdit { number, ..ShipmentEdit::default() }
}

/// A row that says nothing but a number and, where one is given, its carrier.
fn told(number: &str, carrier: Option<&str>) -> TrackingRow {
    let number = prove(number, carrier, &Hints::default()).unwrap().number;
    TrackingRow { number, shipped: None, ..parcel("LOOM-1", None) }
}

fn delivered() -> Scan {
    scan("2026-09-19T10:00:00Z", Some(SubStatus::DeliveredToRecipient))
}

#[test]
fn what_was_heard_under_the_wrong_number_stays_with_it_and_is_found_again() {
    scene(|it| {
        let shipment = put(it.store, it.secrets, it.seller, told("LOOM-48", None));
        it.scan(shipment, delivered());
        assert_eq!((it.milestone(shipment).as_str(), it.asked_about()), ("delivered", vec![]));
        let wrong = it.leg(shipment).tracker_id;

        assert_eq!(it.number(shipment, "LOOM-49").outcome, Outcome::Updated);
        assert_eq!((it.milestone(shipment).as_str(), it.asked_about()), ("pending", vec!["other LOOM49".to_owned()]));
        assert_eq!(it.leg(shipment).next_check_at, Some(now()));
        assert_eq!(it.history(shipment), [(None, "LOOM48".to_owned(), 2)]);
        let kept = it.store.seller(it.seller).read(|tables| tables.events(&[wrong])).unwrap();
        assert_eq!(kept.len(), 1, "no event is lost");
        let stored = it.shipment(shipment);
        assert_eq!((stored.tracking_number.as_str(), stored.typed_number.as_str()), ("LOOM49", "LOOM-49"));
        assert_eq!((stored.version, stored.number_validity.as_deref()), (2, Some("suspicious")));

        let told = it.store.seller(it.seller).read(|tables| tables.changes_between(0, i64::MAX, &[], 100)).unwrap();
        let kinds: Vec<&str> = told.iter().map(|it| it.kind.as_str()).collect();
        assert!(kinds.ends_with(&[
            "shipment.number_corrected",
            "shipment.milestone_changed",
            "shipment.verdict_changed"
        ]));
        let correction = &told.iter().find(|it| it.kind == "shipment.number_corrected").unwrap().body.0;
        let under = |number: &str| json!({"carrier": null, "tracking_number": number});
        assert_eq!(*correction, json!({"from": under("LOOM48"), "to": under("LOOM49")}));

        assert_eq!(it.number(shipment, "LOOM-49").outcome, Outcome::Unchanged);
        assert_eq!(it.history(shipment).len(), 1, "nothing was corrected");

        assert_eq!(it.number(shipment, "LOOM-48").outcome, Outcome::Updated);
        assert_eq!((it.milestone(shipment).as_str(), it.asked_about()), ("delivered", vec![]));
        assert_eq!(it.leg(shipment).tracker_id, wrong);
        let both = [(None, "LOOM49".to_owned(), 3), (None, "LOOM48".to_owned(), 2)];
        assert_eq!(it.history(shipment), both);
    });
}

#[test]
fn the_carrier_alone_is_corrected_and_the_number_stays_as_it_was_typed() {
    scene(|it| {
        let shipment = put(it.store, it.secrets, it.seller, told("loom-48", Some("DPD")));
        let followed = |carrier: Edit<&str>| {
            let taken = it.correct(shipment, None, carrier).unwrap();
            let (stored, leg) = (it.shipment(shipment), it.leg(shipment));
            assert_eq!((leg.number.as_str(), stored.tracking_number.as_str()), ("LOOM48", "LOOM48"));
            assert_eq!(stored.typed_number, "loom-48", "as it was typed first");
            (taken.outcome, leg.carrier, stored.carrier.unwrap_or_default(), it.asked_about())
        };
        let (updated, unchanged) = (Outcome::Updated, Outcome::Unchanged);
        let under = |outcome, carrier: &str, shown: &str| {
            (outcome, carrier.to_owned(), shown.to_owned(), vec![format!("{carrier} LOOM48")])
        };
        for (what, carrier, expected) in [
            ("as it was", Edit::Set("dpd"), under(unchanged, "dpd", "dpd")),
            ("another", Edit::Set("GLS"), under(updated, "gls", "gls")),
            ("once more", Edit::Set("gls"), under(unchanged, "gls", "gls")),
            ("nobody knows", Edit::Clear, under(updated, "other", "")),
            ("not said, and not changed", Edit::Keep, under(unchanged, "other", "")),
            ("in so many words", Edit::Set("other"), under(updated, "other", "other")),
            ("the first again", Edit::Set("DPD"), under(updated, "dpd", "dpd")),
        ] {
            assert_eq!(followed(carrier), expected, "{what}");
        }
        assert_eq!(it.history(shipment).len(), 4);
    });
}

#[test]
fn a_declared_carrier_stays_declared_and_a_detected_one_does_not() {
    scene(|it| {
        for (what, declared, number, carrier, suspicious) in [
            ("declared, and right", Some("UPS"), UPS[1], "ups", false),
            ("declared, and a number of another", Some("UPS"), USPS, "ups", true),
            ("the number told it before, and tells it now", None, USPS, "usps", false),
            ("the word that declares nothing", Some("other"), USPS, "other", false),
        ] {
            put_order(&it.sender(), &[OrderRow { order_number: what.to_owned(), ..order() }]).unwrap();
            let (shipment, _) = put_for(what, &it.sender(), told(UPS[0], declared));
            let taken = it.number(shipment, number);
            let stored = it.shipment(shipment);
            assert_eq!((stored.carrier.as_deref(), stored.suspicious), (Some(carrier), suspicious), "{what}");
            assert_eq!((taken.remark.is_some(), stored.number_code.is_some()), (suspicious, suspicious), "{what}");
            let again = it.number(shipment, number);
            assert_eq!((again.outcome, again.remark), (Outcome::Unchanged, taken.remark), "{what}");
            let back = it.correct(shipment, Some(UPS[0]), Edit::Clear).unwrap();
            assert_eq!(
                (back.outcome, it.shipment(shipment).carrier.as_deref()),
                (Outcome::Updated, Some("ups")),
                "{what}"
            );
            assert!(!it.shipment(shipment).suspicious, "{what}");
        }
    });
}

#[test]
fn the_seller_s_own_word_goes_along() {
    let claims = |shipped: Edit<&str>, delivered: Edit<&str>| {
        let time = |text: &str| EventTime::parse(text).unwrap();
        Claims { shipped: shipped.map(time), delivered: delivered.map(time), status: None }
    };
    let (kept, later, day) = (Edit::Keep, Edit::Set("2026-09-20T10:00:00"), Edit::Set("2026-09-16T09:00:00"));
    scene(|it| {
        let cases = [
            ("both words, as they were", claims(kept, kept), "delivered", 2, Some("2026-09-18")),
            ("another delivery", claims(kept, later), "delivered", 2, Some("2026-09-20")),
            ("another shipping", claims(day, kept), "delivered", 2, Some("2026-09-18")),
            ("no delivery any more", claims(kept, Edit::Clear), "info_received", 1, None),
            ("nothing any more", claims(Edit::Clear, Edit::Clear), "pending", 0, None),
        ];
        for (turn, (what, says, milestone, events, delivered_on)) in cases.into_iter().enumerate() {
            let (wrong, right) = (format!("LOOM-4{turn}"), format!("LOOM-5{turn}"));
            let shipment = put(it.store, it.secrets, it.seller, parcel(&wrong, Some("2026-09-18T10:00:00")));
            let left = it.leg(shipment).tracker_id;
            let mut edit = corrected(Some(&right), Edit::Keep);
            edit.claims = says;
            assert_eq!(it.edit(shipment, &edit).unwrap().outcome, Outcome::Updated, "{what}");
            let standing = standing(it.store, it.seller, shipment);
            assert_eq!(
                (standing.milestone.as_str(), standing.delivered_on.as_deref()),
                (milestone, delivered_on),
                "{what}"
            );
            let under =
                |tracker| it.store.seller(it.seller).read(|tables| tables.standing_events(&[tracker], now())).unwrap();
            assert_eq!((under(left).len(), under(it.leg(shipment).tracker_id).len()), (0, events), "{what}");

            it.number(shipment, &wrong);
            assert_eq!((it.milestone(shipment).as_str(), under(left).len()), (milestone, events), "{what}: and back");
            it.edit(shipment, &ShipmentEdit { claims: claims(Edit::Clear, Edit::Clear), ..ShipmentEdit::default() })
                .unwrap();
            assert_eq!((it.milestone(shipment).as_str(), under(left).len()), ("pending", 0), "{what}: and taken back");
        }
    });
}

#[test]
fn of_two_orders_in_one_parcel_the_other_stays_as_it_is() {
    scene(|it| {
        for (what, number, others_word, milestone) in [
            ("the other said the same", "LOOM-50", Some("2026-09-18T10:00:00"), "delivered"),
            ("the other said nothing of it", "LOOM-51", None, "info_received"),
        ] {
            let (first, _) = put_for("1001", &it.sender(), parcel(number, Some("2026-09-18T10:00:00")));
            let (second, _) = put_for("1002", &it.sender(), parcel(number, others_word));
            assert_eq!(
                (it.milestone(first).as_str(), it.milestone(second).as_str()),
                ("delivered", "delivered"),
                "{what}"
            );
            let shared = it.leg(second);

            it.number(first, &format!("{number}-RIGHT"));
            assert_eq!(
                (it.milestone(first).as_str(), it.milestone(second).as_str()),
                ("delivered", milestone),
                "{what}"
            );
            assert_eq!(it.leg(second).tracker_id, shared.tracker_id, "{what}");
            assert_eq!(it.leg(second).next_check_at.is_some(), milestone != "delivered", "{what}: is it asked about");
            assert!(it.history(second).is_empty(), "{what}");
        }
    });
}

#[test]
fn who_is_sent_under_a_number_shares_its_tracker_unless_it_is_one_order() {
    scene(|it| {
        let (first, _) = put_for("1001", &it.sender(), told("LOOM-52", Some("DPD")));
        let (second, _) = put_for("1002", &it.sender(), told("LOOM-53", Some("DPD")));
        it.number(second, "LOOM-52");
        assert_eq!(it.leg(second).tracker_id, it.leg(first).tracker_id);
        assert_eq!(it.asked_about(), ["dpd LOOM52"]);

        let (third, _) = put_for("1001", &it.sender(), told("LOOM-54", Some("DPD")));
        for (what, carrier) in
            [("as it was declared", Edit::Keep), ("the word that declares nothing", Edit::Set("other"))]
        {
            let refused = it.correct(third, Some("loom 52"), carrier);
            let taken = matches!(&refused, Err(ChangeError::NumberTaken { other, .. }) if *other == first);
            assert!(taken, "{what}: {refused:?}");
        }
        assert_eq!(it.shipment(third).version, 1, "nothing was written");
        it.correct(third, Some("LOOM-52"), Edit::Set("GLS")).unwrap();
        assert_eq!(it.asked_about(), ["dpd LOOM52", "gls LOOM52"], "of another carrier it is another parcel");
    });
}

#[test]
fn a_number_that_came_back_is_another_parcel_here_too() {
    scene(|it| {
        let january = TrackingRow {
            shipped: EventTime::parse("2026-01-05T09:00:00"),
            ..parcel("LOOM-55", Some("2026-01-09T10:00:00"))
        };
        let (old, _) = put_for("1001", &it.sender(), january);
        let (new, _) = put_for("1002", &it.sender(), parcel("LOOM-56", None));
        it.number(new, "LOOM-55");
        assert_ne!(it.leg(new).tracker_id, it.leg(old).tracker_id, "a label of September is no parcel of January");
        assert_eq!((it.milestone(old).as_str(), it.milestone(new).as_str()), ("delivered", "info_received"));

        let of_september = it.leg(new).tracker_id;
        it.number(new, "LOOM-56");
        it.edit(
            new,
            &ShipmentEdit {
                claims: Claims { shipped: Edit::Clear, ..Claims::default() },
                ..corrected(Some("LOOM-55"), Edit::Keep)
            },
        )
        .unwrap();
        assert_eq!(it.leg(new).tracker_id, of_september, "what it was sent under is what it comes back to");
    });
}

#[test]
fn a_cancelled_parcel_may_be_corrected_and_is_not_asked_about() {
    scene(|it| {
        let shipment = put(it.store, it.secrets, it.seller, told("LOOM-57", None));
        crate::flows::take_in::cancel::cancel_shipment(&it.sender(), shipment, &Expected::Any).unwrap();
        it.number(shipment, "LOOM-58");
        assert_eq!(it.asked_about(), Vec::<String>::new());
    });
}

#[test]
fn what_is_no_number_is_refused_and_changes_nothing() {
    scene(|it| {
        let shipment = put(it.store, it.secrets, it.seller, told(UPS[0], Some("UPS")));
        let before = it.shipment(shipment);
        for (number, expected) in [
            ("1.23E+11", "scientific_notation"),
            ("000000000000", "placeholder"),
            ("1Z999AA10123456784; 1Z999AA10123456793", "multiple_numbers"),
        ] {
            let refused = it.correct(shipment, Some(number), Edit::Keep);
            let code = match &refused {
                Err(ChangeError::TakeIn(TakeInError::Number { code, .. })) => code.as_str(),
                other => panic!("{number}: {other:?}"),
            };
            assert_eq!(code, expected, "{number}");
        }
        assert_eq!(it.shipment(shipment), before);
        assert_eq!(it.asked_about(), ["ups 1Z999AA10123456784"]);
    });
}
