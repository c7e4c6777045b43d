//! Each rule of doubt as a table of cases.

use super::*;
use crate::domain::ids::{EventId, TrackerId};
use crate::domain::scan::DedupeKey;
use jiff::Timestamp;
use jiff::civil::date;

fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

#[test]
fn a_doubt_survives_being_stored_and_says_what_to_do() {
    let day = date(2026, 9, 1);
    for (doubt, says) in [
        (
            Doubt::NumberOnAnotherOrder { orders: vec!["1002".to_owned()], more: false },
            "stands on order 1002: that is fine",
        ),
        (
            Doubt::NumberOnAnotherOrder { orders: vec!["1".to_owned(), "2".to_owned()], more: true },
            "stands on orders 1, 2 and more:",
        ),
        (Doubt::NumberReused { ended_on: Some(day) }, "under this number on 2026-09-01, before"),
        (Doubt::NumberReused { ended_on: None }, "under this number, before"),
        (
            Doubt::ScanBeforeOrder { scanned_on: day, ordered_on: date(2026, 9, 9) },
            "scanned this number on 2026-09-01, but the order was made on 2026-09-09",
        ),
        (
            Doubt::DestinationDiffers { seen_in: vec![country("DE"), country("US")], destination: country("FR") },
            "to Germany or United States, but the order goes to France",
        ),
        (
            Doubt::BlockNeverScanned { first: "A1".to_owned(), last: "A7".to_owned(), numbers: 7 },
            "None of the 7 consecutive numbers from A1 to A7",
        ),
    ] {
        assert!(doubt.sentence().contains(says), "{}", doubt.sentence());
        assert_eq!(doubt.sentence().matches(['.', '!']).count(), 1, "one sentence: {}", doubt.sentence());
        assert_eq!(doubt.code().code().parse(), Ok(doubt.code()));
        assert_eq!(Doubt::from_stored(doubt.code().code(), &doubt.grounds()), Some(doubt));
    }
    assert_eq!(Doubt::from_stored("number_eaten", &json!({})), None, "of a later version");
}

#[test]
fn a_scan_is_before_the_order_by_more_than_a_day() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    for (what, scan, ordered, doubted) in [
        ("days before", "2026-09-07T10:00:00Z", "2026-09-10T09:00:00Z", true),
        ("two dates before", "2026-09-08T23:00:00", "2026-09-10T01:00:00", true),
        ("one date before", "2026-09-09T00:00:00", "2026-09-10T23:00:00", false),
        ("on the day", "2026-09-10T01:00:00", "2026-09-10T23:00:00", false),
        ("after it", "2026-09-12T01:00:00", "2026-09-10", false),
        ("one date before in the seller's zone", "2026-09-08T23:30:00Z", "2026-09-10T10:00:00+02:00", false),
    ] {
        let doubt = scan_before_order(EventTime::parse(scan), EventTime::parse(ordered), &zone);
        assert_eq!(doubt.is_some(), doubted, "{what}: {doubt:?}");
    }
    assert_eq!(scan_before_order(None, EventTime::parse("2026-09-10"), &zone), None);
    assert_eq!(scan_before_order(EventTime::parse("2026-09-10"), None, &zone), None);
}

#[test]
fn a_number_was_used_before_where_its_parcel_ended_before_this_one_began() {
    let day = |n| Some(date(2026, 9, n));
    for (what, ended_on, began_on, doubted) in [
        ("ended days before", day(5), day(10), true),
        ("ended the day before", day(9), day(10), false),
        ("has not ended", None, day(10), false),
        ("nobody knows when this one began", day(5), None, false),
    ] {
        assert_eq!(number_reused(ended_on, began_on).is_some(), doubted, "{what}");
    }
}

fn order(number: &str, country: &str, postal_code: &str) -> OrderUnder {
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    OrderUnder {
        number: number.to_owned(),
        country: told(country),
        postal_code: told(postal_code),
        is_erased: postal_code == "erased",
    }
}

#[test]
fn two_orders_to_one_place_are_likely_one_parcel() {
    let erased = |number, country| OrderUnder { postal_code: None, ..order(number, country, "erased") };
    let doubted = |orders: &[&str], more| {
        let orders = orders.iter().map(|it| (*it).to_owned()).collect();
        Finding::Doubted(Doubt::NumberOnAnotherOrder { orders, more })
    };
    let many: Vec<OrderUnder> = (2..8).map(|n| order(&n.to_string(), "FR", "75001")).collect();
    for (what, own, others, expected) in [
        ("alone", order("1", "DE", "04109"), vec![], Finding::Clear),
        ("one place", order("1", "GB", "SW1A 1AA"), vec![order("2", "GB", "sw1a1aa")], Finding::Clear),
        ("another country", order("1", "DE", "04109"), vec![order("2", "AT", "04109")], doubted(&["2"], false)),
        ("another place", order("1", "DE", "04109"), vec![order("2", "DE", "04110")], doubted(&["2"], false)),
        ("nobody knows where", order("1", "", ""), vec![order("2", "", "")], doubted(&["2"], false)),
        ("no postal code", order("1", "HK", ""), vec![order("2", "HK", "")], doubted(&["2"], false)),
        ("the place was erased", order("1", "DE", "04109"), vec![erased("2", "DE")], Finding::Untold),
        ("its own was", erased("1", "DE"), vec![order("2", "DE", "04109")], Finding::Untold),
        ("erased, but another country", order("1", "DE", "04109"), vec![erased("2", "AT")], doubted(&["2"], false)),
        (
            "some of them",
            order("1", "DE", "04109"),
            vec![order("2", "DE", "04109"), order("3", "DE", "1"), erased("4", "DE")],
            doubted(&["3"], false),
        ),
        ("more than are named", order("1", "DE", "04109"), many, doubted(&["2", "3", "4", "5", "6"], true)),
    ] {
        assert_eq!(number_on_another_order(&own, others.iter()), expected, "{what}");
    }
}

#[test]
fn only_the_last_scan_at_the_door_says_where_a_parcel_went() {
    use SubStatus as S;
    let event = |(hour, sub_status, source): (i8, SubStatus, Source)| {
        let at: Timestamp = format!("2026-09-10T{hour:02}:00:00Z").parse().unwrap();
        TrackingEvent {
            id: EventId::new(at),
            tracker_id: TrackerId::new(at),
            key: DedupeKey(hour.to_string()),
            occurred: EventTime::at(at),
            sort_at: at,
            heard_at: at,
            sub_status: Some(sub_status),
            raw_code: sub_status.code().to_owned(),
            source,
        }
    };
    let to_france = |finding: &Finding| match finding {
        Finding::Doubted(Doubt::DestinationDiffers { seen_in, .. }) => seen_in[0] == country("FR"),
        Finding::Doubted(_) | Finding::Clear | Finding::Untold => false,
    };
    for (what, story, doubted, cleared) in [
        ("delivered elsewhere", &[(9, S::DeliveredToRecipient, "Lyon, France")][..], true, false),
        ("on the vehicle elsewhere", &[(9, S::OnVehicle, "Lyon, France")], true, false),
        ("merely under way there", &[(9, S::FacilityScan, "Lyon, France")], false, false),
        ("waits there to be fetched", &[(9, S::ReadyForPickup, "Lyon, France")], false, false),
        ("a delivery was agreed there", &[(9, S::Scheduled, "Lyon, France")], false, false),
        ("delivered at home", &[(9, S::DeliveredToRecipient, "Leipzig, Germany")], false, true),
        (
            "put right in the end",
            &[(8, S::OnVehicle, "Lyon, France"), (9, S::DeliveredToRecipient, "Leipzig, Germany")],
            false,
            true,
        ),
        (
            "told in another order",
            &[(9, S::DeliveredToRecipient, "Leipzig, Germany"), (8, S::OnVehicle, "Lyon, France")],
            false,
            true,
        ),
        ("nobody can tell", &[(8, S::OnVehicle, "Lyon, France"), (9, S::DeliveredToRecipient, "Lobby")], false, false),
        (
            "on its way back",
            &[(8, S::Returning, "Leipzig"), (9, S::DeliveredToRecipient, "Lyon, France")],
            false,
            false,
        ),
    ] {
        let events: Vec<_> = story.iter().map(|&(hour, it, _)| event((hour, it, Source::Poll))).collect();
        let place_of =
            |it: &TrackingEvent| story.iter().find(|(hour, ..)| it.key.0 == hour.to_string()).map(|&(.., place)| place);
        let finding = destination_differs(&events, place_of, Some(country("DE")));
        assert_eq!((to_france(&finding), finding == Finding::Clear), (doubted, cleared), "{what}: {finding:?}");
    }
    let own_word = [event((9, S::DeliveredToRecipient, Source::Seller))];
    let lyon = |_: &TrackingEvent| Some("Lyon, France");
    assert_eq!(destination_differs(&own_word, lyon, Some(country("DE"))), Finding::Untold, "the seller's own scan");
    assert_eq!(destination_differs(&own_word, lyon, None), Finding::Clear, "nobody knows where it goes");
}

#[test]
fn an_order_that_goes_to_where_its_parcel_was_brought_is_no_doubt_any_more() {
    let seen_in = [country("FR")];
    assert_eq!(destination_changed(&seen_in, Some(country("FR"))), Finding::Clear);
    assert_eq!(destination_changed(&seen_in, Some(country("MC"))), Finding::Clear, "one post");
    assert_eq!(destination_changed(&seen_in, None), Finding::Clear);
    assert!(matches!(destination_changed(&seen_in, Some(country("AT"))), Finding::Doubted(_)));
}
