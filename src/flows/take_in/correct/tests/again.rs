//! The row with the slip comes again, and undoes nothing.

use super::{UPS, scene, told};
use crate::domain::edit::Edit;
use crate::domain::shipment::{ShipmentEdit, TrackingRow};
use crate::flows::take_in::put::{OrderRef, put_shipment};
use crate::flows::take_in::tests::put_for;
use crate::flows::take_in::{Outcome, Taken};

#[test]
fn the_row_with_the_slip_comes_again_and_undoes_nothing() {
    scene(|it| {
        let send = |number: &str, carrier: Option<&str>| {
            let order = OrderRef::Number("1001".to_owned());
            let row = TrackingRow { service: Some("Express".to_owned()), ..told(number, carrier) };
            let Taken { id, outcome, remark } = put_shipment(&it.sender(), &order, row).unwrap();
            (id, outcome, remark.map(|(code, _)| code))
        };
        let (shipment, ..) = send("LOOM-60", Some("DPD"));
        it.correct(shipment, Some("LOOM-61"), Edit::Set("GLS")).unwrap();
        it.edit(shipment, &ShipmentEdit { service: Edit::Clear, ..ShipmentEdit::default() }).unwrap();
        let corrected = it.shipment(shipment);
        for (what, number, carrier) in [
            ("just as before", "LOOM-60", Some("DPD")),
            ("typed otherwise", "loom 60", Some("dpd")),
            ("without a carrier", "LOOM-60", None),
            ("with the word that declares nothing", "LOOM-60", Some("other")),
        ] {
            let remark = Some("number_was_corrected".to_owned());
            assert_eq!(send(number, carrier), (shipment, Outcome::Unchanged, remark), "{what}");
            assert_eq!(it.shipment(shipment), corrected, "{what}");
        }
        assert_eq!(send("LOOM-61", None), (shipment, Outcome::Updated, None), "the right one is heard");
        let (other, outcome, remark) = send("LOOM-60", Some("UPS"));
        assert_eq!((outcome, remark), (Outcome::Created, None), "of a third carrier it is another parcel");
        assert_ne!(other, shipment);
        let elsewhere = put_for("1002", &it.sender(), told("LOOM-60", Some("DPD")));
        assert_eq!(elsewhere.1, Outcome::Created, "of another order it is another parcel");

        it.correct(shipment, Some("LOOM-60"), Edit::Set("DPD")).unwrap();
        assert_eq!(send("LOOM-60", Some("DPD")).2, None, "corrected back, it is heard");
        assert_eq!(send("LOOM-61", Some("GLS")).2.as_deref(), Some("number_was_corrected"), "and the other is not");
    });
}

#[test]
fn the_row_with_the_wrong_carrier_comes_again_and_undoes_nothing() {
    scene(|it| {
        let order = OrderRef::Number("1001".to_owned());
        let send =
            |number: &str, carrier: Option<&str>| put_shipment(&it.sender(), &order, told(number, carrier)).unwrap();
        for (what, number, wrong, right) in [
            ("another carrier", "LOOM-62", Some("DPD"), Edit::Set("GLS")),
            ("a carrier where nobody knows", "LOOM-63", Some("DPD"), Edit::Clear),
            ("the word that declares nothing", "LOOM-64", Some("other"), Edit::Set("GLS")),
            ("a word that the number told already", UPS[0], Some("other"), Edit::Set("UPS")),
        ] {
            let shipment = send(number, wrong).id;
            it.correct(shipment, None, right).unwrap();
            let corrected = it.shipment(shipment);
            let again = send(number, wrong);
            assert_eq!((again.id, again.outcome), (shipment, Outcome::Unchanged), "{what}");
            assert_eq!(again.remark.unwrap().0, "number_was_corrected", "{what}");
            let blank = send(number, None);
            assert_eq!((blank.id, blank.outcome, blank.remark), (shipment, Outcome::Unchanged, None), "{what}: blank");
            assert_eq!(it.shipment(shipment), corrected, "{what}");
        }
    });
}
